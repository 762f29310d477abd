"""What an ERP keeps of its customers beside their own data: delivery addresses, groups with prices, credit.

The same in every run. What the panel shall show of it is computed here once more, apart from the product.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bench.customers import Row

CURRENCY = "PLN"
GROUP_OF = 250
"""Clients for which there is a group, up to :data:`MOST_GROUPS`."""
MOST_GROUPS = 40
PRICES = 50
"""Prices of a group; half of them are given as a rebate."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Trade:
    """Rows by table. ``members``: client id -> group id."""

    addresses: Sequence[Row]
    groups: Sequence[Row]
    items: Sequence[Row]
    credit: Sequence[Row]
    members: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> Shown:
        """Return what the panel shall show of these rows."""
        names = {group["id"]: group["name"] for group in self.groups}
        places: dict[str, list[str]] = {}
        for row in self.addresses:
            places.setdefault(row["client_id"], []).append(row["street"])
        prices: dict[str, dict[int, Decimal]] = {name: {} for name in names.values()}
        for row in self.items:
            prices[names[row["group_id"]]][row["item_id"]] = price(row)
        figures = {row["client_id"]: (row["credit_limit"], row["balance"], row["payment_days"]) for row in self.credit}
        return Shown(
            {client: sorted(streets) for client, streets in places.items()},
            {client: names[group] for client, group in self.members.items()},
            prices,
            figures,
        )

    def edited(self, count: int, at: datetime) -> Trade:
        """Return what an ERP's evening brings: so many clients owe more, and a tenth as many prices rise."""
        raised = [replace_row(row, balance=row["balance"] + 25, as_of=at) for row in _some(self.credit, count)]
        dearer = [_dearer(row) for row in _some(self.items, max(count // 10, 1))]
        return Trade((), (), dearer, raised)

    def with_edits(self, edits: Trade) -> Trade:
        """Return these rows after the edits."""
        items = {(row["group_id"], row["item_id"]): row for row in (*self.items, *edits.items)}
        credit = {row["client_id"]: row for row in (*self.credit, *edits.credit)}
        return replace(self, items=list(items.values()), credit=list(credit.values()))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel shows, or shall show.

    By client id: streets of delivery addresses, name of the group, and limit, balance and days to pay. ``prices``: by
    name of the group and id of the product.
    """

    streets: Mapping[str, Sequence[str]]
    groups: Mapping[str, str]
    prices: Mapping[str, Mapping[int, Decimal]]
    figures: Mapping[str, tuple[Decimal, Decimal, int]]

    def differences(self, other: Shown) -> list[str]:
        """Return the names of the parts that are not the same."""
        return [name for name in self.__slots__ if getattr(self, name) != getattr(other, name)]


def trade(clients: Sequence[Row], at: datetime) -> Trade:
    """Return the rows of these clients: four addresses for five clients, a group and credit for each firm.

    ``at`` (UTC) is when the figures were computed.
    """
    chance = random.Random(2)
    groups = [_group(n) for n in range(1, min(max(len(clients) // GROUP_OF, 2), MOST_GROUPS) + 1)]
    firms = [client for client in clients if client["company"]]
    return Trade(
        [_address(client, k) for n, client in enumerate(clients) for k in range((2, 1, 1, 0, 0)[n % 5])],
        groups,
        [_item(group["id"], n, chance) for group in groups for n in range(1, PRICES + 1)],
        [_credit(client["id"], at, chance) for client in firms],
        {client["id"]: groups[n % len(groups)]["id"] for n, client in enumerate(firms)},
    )


def price(row: Row) -> Decimal:
    """Return what an item's row comes to."""
    if row["price"] is not None:
        return Decimal(row["price"])
    left = row["base_price"] * (100 - row["rebate_percent"]) / 100
    return Decimal(left).quantize(CENT, ROUND_HALF_UP)


def replace_row(row: Row, **changes: Any) -> Row:
    """Return a row with other values."""
    return {**row, **changes}


def _group(n: int) -> Row:
    return {"id": f"G{n:02d}", "name": f"Cennik {n:02d}"}


def _item(group_id: str, n: int, chance: random.Random) -> Row:
    amount = Decimal(chance.randint(500, 50_000)) / 100
    prices: Row = {"price": amount, "rebate_percent": None, "base_price": None}
    if n % 2:
        prices = {"price": None, "rebate_percent": Decimal(chance.randint(1, 80)) / 2, "base_price": amount}
    dates = {"valid_from": None, "valid_to": None}
    return {"group_id": group_id, "item_type": "product", "item_id": n, "currency": CURRENCY, **prices, **dates}


def _dearer(row: Row) -> Row:
    name = "price" if row["price"] is not None else "base_price"
    return replace_row(row, **{name: row[name] + 1})


def _address(client: Row, k: int) -> Row:
    names = {"first_name": client["first_name"], "last_name": client["last_name"], "additional": client["company"]}
    place = {name: client[name] for name in ("zip_code", "city", "country_code", "phone")}
    return {"id": f"{client['id']}-{k}", "client_id": client["id"], **names, **place, "street": f"Magazynowa {k + 1}"}


def _credit(client_id: str, at: datetime, chance: random.Random) -> Row:
    limit = Decimal(chance.randint(10, 500) * 100)
    return {
        "client_id": client_id,
        "credit_allowed": True,
        "credit_limit": limit,
        "balance": (limit * chance.randint(0, 80) / 100).quantize(CENT),
        "currency": CURRENCY,
        "payment_days": chance.choice((7, 14, 30, 60)),
        "overdue": Decimal("0.00"),
        "as_of": at,
    }


def _some(rows: Sequence[Row], count: int) -> list[Row]:
    return [rows[n * len(rows) // count] for n in range(min(count, len(rows)))]
