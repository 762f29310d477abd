"""The panel's discount groups and the prices in them.

A group is known by its number alone: two groups may have one name. What it holds cannot be read back through the API,
so tests, pages and the control address look here. Kinds of items are kept in the singular, as ERPs write them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sortedcontainers import SortedDict  # type: ignore[import-untyped]

from local.panel.money import ZERO, money, written

KINDS = ("product", "producer", "series", "category", "menu_item")
MADE_BY_API = "different for groups"
Prices = dict[tuple[str, int], "Price"]


@dataclass(frozen=True, slots=True)
class Price:
    """What one product, producer, … costs in a group."""

    price: Decimal
    currency: str = "PLN"


@dataclass(slots=True)
class Group:
    """One discount group."""

    id: int = 0
    name: str = ""
    rebate: Decimal = ZERO  # percent; only the panel's own users can set one
    combined: bool = False
    type: str = MADE_BY_API
    prices: Prices = field(default_factory=dict)  # by kind and the panel's number of the item

    def as_dict(self) -> dict[str, Any]:
        """Plain copy, prices in order and as text; a seed takes it back."""
        return {
            "id": self.id,
            "name": self.name,
            "rebate": written(self.rebate),
            "combined": self.combined,
            "type": self.type,
            "prices": [
                {"kind": kind, "id": number, "price": written(each.price), "currency": each.currency}
                for (kind, number), each in sorted(self.prices.items())
            ],
        }


GROUP_EDITABLE = frozenset({"name", "rebate", "combined", "type", "prices"})
_PRICE_WORDS = frozenset({"kind", "id", "price", "currency"})


class Groups:
    """All groups, found by number."""

    def __init__(self, names: Mapping[int, str] | None = None) -> None:
        self._by_id: SortedDict[int, Group] = SortedDict()
        self._last_id = 0
        for number, name in (names or {}).items():
            self.add(Group(number, name))

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._by_id.values())

    def __contains__(self, number: int) -> bool:
        return number in self._by_id

    def get(self, number: int) -> Group | None:
        found: Group | None = self._by_id.get(number)
        return found

    def name(self, number: int) -> str | None:
        """The name that an account shows; None for one that is in no group."""
        found = self.get(number)
        return found.name if found else None

    def add(self, group: Group) -> Group:
        """Take a new group in; a number of 0 is replaced by one that was never given before."""
        if group.id in self._by_id:
            raise ValueError("a group of that number exists")
        group.id = group.id or self._last_id + 1
        self._last_id = max(self._last_id, group.id)
        self._by_id[group.id] = group
        return group

    def remove(self, number: int) -> None:
        del self._by_id[number]


def group_from(plain: Mapping[str, Any]) -> Group:
    """A group from a seed; an unknown word is a mistake of the caller."""
    return Group(id=int(plain.get("id", 0)), **group_values({k: v for k, v in plain.items() if k != "id"}))


def group_values(plain: Mapping[str, Any]) -> dict[str, Any]:
    """What a panel user sets, in plain words: prices are a list of {kind, id, price, currency}."""
    _only_known(plain, GROUP_EDITABLE)
    values = dict(plain)
    if "prices" in values:
        values["prices"] = prices_from(values["prices"])
    if "rebate" in values:
        values["rebate"] = money(values["rebate"])
    return values


def prices_from(plain: Any) -> Prices:
    """Prices by kind and number."""
    found: Prices = {}
    for each in plain:
        _only_known(each, _PRICE_WORDS)
        if each["kind"] not in KINDS:
            raise ValueError(f"unknown kind: {each['kind']}")
        found[each["kind"], int(each["id"])] = Price(money(each["price"]), each.get("currency", "PLN"))
    return found


def _only_known(plain: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = set(plain) - known
    if unknown:
        raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
