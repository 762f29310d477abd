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
from kartoteka.adapters.values import Found, Row, Select, among, fit, from_json, value_of
from kartoteka.core.concerns import ACCOUNTS, BILLING, CONCERNS, DELIVERY_ADDRESSES, SHOPS
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

SHOP_RULES = ("country_code", "language")
"""The columns of a card by which a policy may tell a customer's shops."""

CARD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS.name: (*BILLING.fields, "login", *ACCOUNTS.fields),
    BILLING.name: tuple(BILLING.fields),
    DELIVERY_ADDRESSES.name: SHOP_RULES,
    SHOPS.name: SHOP_RULES,
}
"""Concern -> the columns of the card that a customer's own snapshot shows."""

WITH_SHOPS = frozenset(CARD_COLUMNS) - {BILLING.name}
"""The concerns whose own snapshots show ``client_shops`` too."""

_CARD = schema.clients.c
_CARDS = {
    concern: sa.select(_CARD.id, *(_CARD[name] for name in names)).where(among(_CARD.id))
    for concern, names in CARD_COLUMNS.items()
}
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
    concern: items.with_only_columns(TABLES[concern].c.client_id).distinct() for concern, items in _ITEMS.items()
}
"""Concern -> those among some customers who have items."""


def _of_concern(table: sa.Table, *columns: str) -> Select:
    """Select a table's rows of one concern and some customers: client id, item id, then ``columns``."""
    found = sa.select(table.c.client_id, table.c.item_id, *(table.c[name] for name in columns))
    return found.where(table.c.concern == sa.bindparam("concern"), among(table.c.client_id))


_AGREED = _of_concern(schema.sync_agreed, "values", "panel_item_id")
_INTENTS = _of_concern(schema.sync_intents, "values", "creating", "login", "linked_by")
_PARKED = _of_concern(schema.sync_parked, "due_at", "attempts", "tries", "code")
_STATUS = _of_concern(schema.sync_status, "state", "code", "message")
_CONFLICTS = (
    _of_concern(schema.sync_conflicts, "id", "field", "erp_value", "panel_value", "base_value", "decision")
    .where(schema.sync_conflicts.c.closed_at.is_(None))
    .order_by(schema.sync_conflicts.c.id)
)


def snapshots(connection: sa.Connection, concern: str, client_ids: Sequence[str]) -> list[Snapshot]:
    """Read everything about these customers: seven statements, one more for shops, one more for items."""
    given = {"concern": concern, "ids": client_ids}
    rows = _rows(connection, concern, given)
    links = {row[0]: Link(*row) for row in connection.execute(_LINKS, given)}
    agreed = _found(connection, _AGREED, given, lambda row: (from_json(row[2]), row[3] or ""))
    intents = _found(connection, _INTENTS, given, _intent)
    parked = _found(connection, _PARKED, given, lambda row: Parked(*row[2:]))
    status = _found(connection, _STATUS, given, lambda row: Status(State(row[2]), row[3], row[4] or ""))
    conflicts: dict[Place, list[OpenConflict]] = defaultdict(list)
    for row in connection.execute(_CONFLICTS, given):
        conflicts[row[0], row[1]].append(_conflict(row))
    return [
        Snapshot(
            *place,
            row=rows.get(place),
            link=links.get(place[0]),
            agreed=agreed[place][0] if place in agreed else None,
            intent=intents.get(place),
            parked=parked.get(place),
            status=status.get(place),
            conflicts=tuple(conflicts.get(place, ())),
            panel_item_id=agreed[place][1] if place in agreed else "",
        )
        for place in _places(client_ids, chain(rows, agreed, intents, parked, status, conflicts))
    ]


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
