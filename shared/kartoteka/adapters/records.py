"""Reading all that is known of some customers for one concern: a fixed number of statements, all of one moment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa

from kartoteka.adapters import schema
from kartoteka.adapters.rows import TABLES
from kartoteka.adapters.values import Found, Row, Select, among, fit, from_json, letters, moment_of, value_of
from kartoteka.core.concerns import ACCOUNTS, BILLING, CONCERNS, CREDIT, DELIVERY_ADDRESSES, DISCOUNTS, SHOPS
from kartoteka.core.model import (
    Announcement,
    Direction,
    Intent,
    Link,
    OpenConflict,
    Parked,
    Place,
    Reason,
    Record,
    Side,
    Snapshot,
    State,
    Status,
    Written,
)

_T = TypeVar("_T")

Known = dict[str, Any]
"""Attributes of a :class:`Snapshot` that stand in tables of ours."""

Whose = Callable[[sa.Table], sa.ColumnElement[bool]]
"""A table of ours -> the condition for its rows about the records asked for."""

SHOP_RULES = ("country_code", "language")
"""The columns of a card by which a policy may tell a customer's shops."""

CARD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS.name: (*BILLING.fields, "login", *ACCOUNTS.fields),
    BILLING.name: tuple(BILLING.fields),
    DELIVERY_ADDRESSES.name: SHOP_RULES,
    SHOPS.name: SHOP_RULES,
    DISCOUNTS.name: tuple(DISCOUNTS.fields),
}
"""Concern -> the columns of the card that a customer's own snapshot shows."""

WITH_SHOPS = frozenset({ACCOUNTS.name, DELIVERY_ADDRESSES.name, SHOPS.name})
"""The concerns whose own snapshots show ``client_shops`` too."""

_CARD = schema.clients.c
_CARDS = {
    concern: sa.select(_CARD.id, *(_CARD[name] for name in names)).where(among(_CARD.id))
    for concern, names in CARD_COLUMNS.items()
}
_FIGURES = ("credit_allowed", "credit_limit", "balance", "currency", "payment_days", "as_of")
_CREDIT = schema.client_credit.c
_CREDIT_ROWS = sa.select(
    _CREDIT.client_id, _CREDIT.credit_allowed, *(letters(_CREDIT[name]) for name in _FIGURES[1:])
).where(among(_CREDIT.client_id))

_SHOP = schema.client_shops.c
_SHOPS = sa.select(_SHOP.client_id, _SHOP.shop_id).where(among(_SHOP.client_id))

_LINK = schema.sync_links.c
_LINKS = sa.select(_LINK.client_id, _LINK.panel_client_id, _LINK.panel_login, _LINK.linked_by).where(
    among(_LINK.client_id)
)


def _of_items(concern: str) -> Select:
    """Select some customers' rows of a table of items; a row without an id of its own is nobody's."""
    columns = TABLES[concern].c
    found = sa.select(columns.client_id, columns.id, *(columns[name] for name in CONCERNS[concern].fields))
    return found.where(among(columns.client_id), columns.id != "")


_ITEMS = {concern.name: _of_items(concern.name) for concern in CONCERNS.values() if concern.items}
WITH_ITEMS: Mapping[str, Select] = {
    **{c: items.with_only_columns(TABLES[c].c.client_id).distinct() for c, items in _ITEMS.items()},
    DISCOUNTS.name: sa.select(_CARD.id).where(among(_CARD.id), _CARD.discount_group_id != ""),
    CREDIT.name: sa.select(_CREDIT.client_id).where(among(_CREDIT.client_id)),
}
"""Concern that not all customers have -> those among some who have something of it."""


def _of_concern(whose: Whose, table: sa.Table, *columns: str) -> Select:
    """Select a table's rows about some records of one concern: client id, item id, then ``columns``."""
    found = sa.select(table.c.client_id, table.c.item_id, *(table.c[name] for name in columns))
    return found.where(table.c.concern == sa.bindparam("concern"), whose(table))


class _Ours:
    """The statements that read our own tables; ``whose`` picks the rows of the records asked for, in each of them."""

    def __init__(self, whose: Whose) -> None:
        self._agreed = _of_concern(whose, schema.sync_agreed, "values", "panel_item_id")
        self._intents = _of_concern(whose, schema.sync_intents, "values", "creating", "login", "linked_by")
        self._parked = _of_concern(whose, schema.sync_parked, "due_at", "attempts", "tries", "code")
        self._status = _of_concern(whose, schema.sync_status, "state", "code", "message")
        columns = ("id", "field", "erp_value", "panel_value", "base_value", "decision")
        found = _of_concern(whose, schema.sync_conflicts, *columns)
        conflict = schema.sync_conflicts.c
        self._conflicts = found.where(conflict.closed_at.is_(None)).order_by(conflict.id)

    def read(self, connection: sa.Connection, given: Mapping[str, Any]) -> dict[Place, Known]:
        """Return what is known by place: four statements."""
        known: dict[Place, Known] = defaultdict(dict)
        for row in connection.execute(self._agreed, given):
            known[row[0], row[1]] |= {"agreed": from_json(row[2]), "panel_item_id": row[3] or ""}
        for row in connection.execute(self._intents, given):
            known[row[0], row[1]] |= {"intent": _intent(row)}
        for row in connection.execute(self._parked, given):
            known[row[0], row[1]] |= {"parked": Parked(*row[2:])}
        for row in connection.execute(self._status, given):
            known[row[0], row[1]] |= {"status": Status(State(row[2]), row[3], row[4] or "")}
        return known

    def conflicts(self, connection: sa.Connection, given: Mapping[str, Any]) -> dict[Place, list[OpenConflict]]:
        """Return the open conflicts by place: one statement."""
        found: dict[Place, list[OpenConflict]] = defaultdict(list)
        for row in connection.execute(self._conflicts, given):
            found[row[0], row[1]].append(_conflict(row))
        return found


_CUSTOMERS = _Ours(lambda table: among(table.c.client_id) & (table.c.item_id == ""))
_CUSTOMERS_AND_ITEMS = _Ours(lambda table: among(table.c.client_id))
_GROUPS = _Ours(lambda table: (table.c.client_id == "") & among(table.c.item_id))

_GROUP = schema.discount_groups.c
_GROUP_ROWS = sa.select(_GROUP.id, _GROUP.name).where(among(_GROUP.id))


def snapshots(connection: sa.Connection, concern: str, client_ids: Sequence[str]) -> list[Snapshot]:
    """Read everything about these customers: seven statements, one more for shops, one more for items."""
    given = {"concern": concern, "ids": client_ids}
    ours = _CUSTOMERS_AND_ITEMS if concern in _ITEMS else _CUSTOMERS
    rows = _rows(connection, concern, given)
    links = {row[0]: Link(*row) for row in connection.execute(_LINKS, given)}
    known = ours.read(connection, given)
    conflicts = ours.conflicts(connection, given)
    return [
        Snapshot(
            *place,
            row=rows.get(place),
            link=links.get(place[0]),
            conflicts=tuple(conflicts.get(place, ())),
            **known.get(place, {}),
        )
        for place in _places(client_ids, chain(rows, known, conflicts))
    ]


def groups(connection: sa.Connection, group_ids: Sequence[str]) -> list[Snapshot]:
    """Read everything about these discount groups: five statements."""
    given = {"concern": DISCOUNTS.name, "ids": group_ids}
    rows = {row[0]: _record(("name",), row[1:]) for row in connection.execute(_GROUP_ROWS, given)}
    known = _GROUPS.read(connection, given)
    return [Snapshot("", key, row=rows.get(key), **known.get(("", key), {})) for key in group_ids]


def _places(client_ids: Iterable[str], known: Iterable[Place]) -> Iterator[Place]:
    """Yield each customer's own place, then those of his items by id."""
    items: dict[str, set[str]] = defaultdict(set)
    for client_id, item_id in known:
        if item_id:
            items[client_id].add(item_id)
    for client_id in client_ids:
        yield client_id, ""
        for item_id in sorted(items.get(client_id, ())):
            yield client_id, item_id


def _rows(connection: sa.Connection, concern: str, given: Mapping[str, Any]) -> dict[Place, Record]:
    """Read the ERP's rows: the customers' own, with their shops, and those of their items."""
    if concern == CREDIT.name:
        return {(row[0], ""): _figures(row) for row in connection.execute(_CREDIT_ROWS, given)}
    names = CARD_COLUMNS[concern]
    cards = {row[0]: _record(names, row[1:]) for row in connection.execute(_CARDS[concern], given)}
    if concern in WITH_SHOPS:
        shops = _shops(connection, given)
        cards = {client_id: {**card, "shops": shops.get(client_id, "")} for client_id, card in cards.items()}
    rows: dict[Place, Record] = {(client_id, ""): card for client_id, card in cards.items()}
    if concern in _ITEMS:
        names = tuple(CONCERNS[concern].fields)
        rows |= _found(connection, _ITEMS[concern], given, lambda row: _record(names, row[2:]))
    return rows


def _figures(row: Found) -> Record:
    """Return a row of ``client_credit``; an ``as_of`` that is no moment stays as it is, to be refused by name."""
    record = _record(_FIGURES, row[1:])
    at = moment_of(str(record["as_of"]))
    return {**record, "as_of": at.isoformat()} if at else record


def _shops(connection: sa.Connection, given: Mapping[str, Any]) -> dict[str, str]:
    """Return each customer's shops as a field's value; what is no number is no shop."""
    shops: dict[str, set[int]] = defaultdict(set)
    for client_id, shop_id in connection.execute(_SHOPS, given):
        if str(shop_id).isascii() and str(shop_id).isdigit():
            shops[client_id].add(int(shop_id))
    return {client_id: ",".join(map(str, sorted(some))) for client_id, some in shops.items()}


def _found(
    connection: sa.Connection, statement: Select, given: Mapping[str, Any], make: Callable[[Found], _T]
) -> dict[Place, _T]:
    return {(row[0], row[1]): make(row) for row in connection.execute(statement, given)}


def _record(columns: tuple[str, ...], values: Iterable[Any]) -> Record:
    return dict(zip(columns, map(value_of, values), strict=True))


def _conflict(row: Found) -> OpenConflict:
    _, _, number, field, erp_value, panel_value, base_value, decision = row
    return OpenConflict(number, field, erp_value, panel_value, base_value, _side(decision))


def _side(decision: str | None) -> Side | None:
    """Read what a person wrote; anything but the two answers is no answer."""
    word = (decision or "").strip().lower()
    return Side(word) if word in tuple(Side) else None


INTENT = ("client_id", "concern", "item_id", "values", "creating", "login", "linked_by", "at")
"""The columns of :func:`intent_row`."""


def intent_row(news: Announcement, at: datetime) -> Row:
    """Return what is about to be sent as a row of ``sync_intents``."""
    values = [[w.field, w.direction, w.reason, w.before, w.after] for w in news.intent.written]
    return {
        "client_id": news.client_id,
        "concern": news.concern,
        "item_id": news.item_id,
        "values": json.dumps(values),
        "creating": news.intent.creating,
        "login": fit(schema.sync_intents.c.login, news.intent.login),
        "linked_by": fit(schema.sync_intents.c.linked_by, news.intent.linked_by),
        "at": at,
    }


def _intent(row: Found) -> Intent:
    written = (Written(f, Direction(d), Reason(r), before, after) for f, d, r, before, after in json.loads(row[2]))
    return Intent(tuple(written), *row[3:])
