"""Discount groups, their items, and the prices that were sent: groups of any size are read by pages of keys.

The ERP's figures and dates come as text, to the letter: what cannot be read of one row is no matter of its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters import schema
from kartoteka.adapters.dialects import Engine
from kartoteka.adapters.values import FOREVER, Found, Row, Select, among, by_ids, clean, fit, letters, moment_of, pieces
from kartoteka.core.concerns import DISCOUNTS
from kartoteka.core.model import GroupItem, ItemKey, SentPrice, State, Status

_FIGURES = ("price", "rebate_percent", "base_price", "currency")
_DATES = ("valid_from", "valid_to")
_PRICE_COLUMNS = ("group_id", "item_type", "item_id", "price", "currency", "refused", "sent_at")

_CARD = schema.clients.c
_GROUP = schema.discount_groups.c
_ITEM = schema.discount_group_items.c
_PRICE = schema.sync_prices.c
_AGREED = schema.sync_agreed.c
_STATUS = schema.sync_status.c

_GROUP_ID = sa.bindparam("group_id", type_=sa.Unicode())
_COUNT = sa.bindparam("count", type_=sa.Integer)
_KEY = (letters(_ITEM.item_type), letters(_ITEM.item_id))
_WHOLE = sa.and_(*(part != "" for part in _KEY))
"""A row with an empty key is nobody's."""

_AGREEMENTS = (_AGREED.client_id == "", _AGREED.concern == DISCOUNTS.name)
_IDS = sa.union(
    sa.select(_GROUP.id),
    sa.select(_ITEM.group_id).where(_WHOLE),
    sa.select(_AGREED.item_id).where(*_AGREEMENTS),
    sa.select(_PRICE.group_id),
)
_NUMBERS = sa.select(_AGREED.item_id, _AGREED.panel_item_id).where(
    *_AGREEMENTS, _AGREED.item_id != "", _AGREED.panel_item_id != ""
)
_MEMBERS = (
    sa.select(_CARD.id)
    .join_from(schema.clients, schema.sync_links, schema.sync_links.c.client_id == _CARD.id)
    .where(among(_CARD.discount_group_id))
)

_GONE = (
    sa.select(_PRICE.item_type, _PRICE.item_id)
    .where(_PRICE.group_id == _GROUP_ID)
    .except_(sa.select(*_KEY).where(_ITEM.group_id == _GROUP_ID))
    .subquery("gone")
)
_WITHOUT_ITEM = (
    sa.select(_PRICE.item_type, _PRICE.item_id, _PRICE.price, _PRICE.currency, _PRICE.refused)
    .join(_GONE, (_GONE.c.item_type == _PRICE.item_type) & (_GONE.c.item_id == _PRICE.item_id))
    .where(_PRICE.group_id == _GROUP_ID)
    .order_by(_PRICE.item_type, _PRICE.item_id)
    .limit(_COUNT)
)
_STATUSES = sa.select(_STATUS.item_id, _STATUS.state, _STATUS.code, _STATUS.message).where(
    _STATUS.client_id == "",
    _STATUS.concern == DISCOUNTS.name,
    _STATUS.item_id.like(sa.bindparam("pattern"), escape="!"),
)

_FORGET = schema.sync_prices.delete().where(_PRICE.group_id == _GROUP_ID)
_DOUBT_ALL = (
    schema.sync_prices.update().where(_PRICE.group_id == sa.bindparam("of_group")).values(price=None, refused="")
)


class AsIs(sa.types.UserDefinedType[str]):
    """A text that the database itself turns into the type of the column it is compared with."""

    cache_ok = True


class Prices:
    """The statements about items and prices in which engines differ, built once for an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._first, self._next = self._page(), self._page("after_type", "after_id")
        self._sent = engine.upsert(schema.sync_prices, _PRICE_COLUMNS)
        self._doubt = engine.upsert(schema.sync_prices, (*_PRICE_COLUMNS[:4], "refused"))
        self._removed = schema.sync_prices.delete().where(
            engine.among(_PRICE.group_id, _PRICE.item_type, _PRICE.item_id)
        )

    def _page(self, *after: str) -> Select:
        """Select a page of a group's items with the prices that were sent: the page first, then what belongs to it."""
        places = [self._engine.place(column) for column in (_ITEM.item_type, _ITEM.item_id)]
        last = [sa.bindparam(name, type_=AsIs()) for name in after]
        beyond = [self._engine.beyond(places, last)] if after else []
        named = zip(("item_type", "item_id"), _KEY, strict=True)
        columns = [text.label(name) for name, text in named]
        columns += [letters(_ITEM[name]).label(name) for name in (*_FIGURES, *_DATES)]
        columns += [place.label(f"place{n}") for n, place in enumerate(places)]
        rows = sa.select(*columns).where(_ITEM.group_id == _GROUP_ID, _WHOLE, *beyond)
        page = rows.order_by(*places).limit(_COUNT).subquery("page")
        same = (_PRICE.group_id == _GROUP_ID, _PRICE.item_type == page.c.item_type, _PRICE.item_id == page.c.item_id)
        sent = (_PRICE.item_id.label("sent_id"), _PRICE.price.label("sent"), _PRICE.currency.label("sent_in"))
        found = sa.select(*list(page.c)[:8], *sent, _PRICE.refused)
        return found.outerjoin_from(page, schema.sync_prices, sa.and_(*same)).order_by(page.c.place0, page.c.place1)

    def items(
        self, connection: sa.Connection, group_id: str, after: ItemKey | None, limit: int
    ) -> list[tuple[GroupItem, SentPrice | None]]:
        """Return a page of a group's items with what was sent: one statement."""
        given: Row = {"group_id": group_id, "count": limit}
        if after is None:
            return [_item(row) for row in connection.execute(self._first, given)]
        given |= {"after_type": after[0], "after_id": after[1]}
        return [_item(row) for row in connection.execute(self._next, given)]

    def dated(self, connection: sa.Connection, since: datetime | None, until: datetime) -> list[str]:
        """Return the groups with an item that begins or ends after ``since`` and not after ``until``: one statement."""
        parts = [
            sa.select(_ITEM.group_id, letters(column)).where(self._engine.around(column, since, until))
            for column in (_ITEM.valid_from, _ITEM.valid_to)
        ]
        moments = ((group_id, moment_of(text)) for group_id, text in connection.execute(sa.union(*parts)))
        turned = {key for key, at in moments if key and at and (since is None or since < at) and at <= until}
        return sorted(turned)

    def doubt(self, connection: sa.Connection, group_id: str, keys: Sequence[ItemKey] | None) -> None:
        """Note that nobody knows these prices; of those of the group's that were sent, with None."""
        if keys is None:
            connection.execute(_DOUBT_ALL, {"of_group": group_id})
        else:
            rows: list[Row] = [{**_key(group_id, key), "price": None, "refused": ""} for key in dict.fromkeys(keys)]
            self._engine.run(connection, self._doubt, rows)

    def store(
        self,
        connection: sa.Connection,
        group_id: str,
        sent: Iterable[SentPrice],
        removed: Sequence[ItemKey],
        at: datetime,
    ) -> None:
        """Store what the panel took and what it removed."""
        for some in pieces(removed):
            connection.execute(self._removed, {"keys": [(group_id, *key) for key in some]})
        rows = {price.key: _price_row(group_id, price, at) for price in sent}
        if rows:
            self._engine.run(connection, self._sent, list(rows.values()))


def group_ids(connection: sa.Connection) -> list[str]:
    """Return every group of which anything is known: one statement."""
    return sorted({group_id for group_id in connection.scalars(_IDS) if group_id})


def numbers(connection: sa.Connection) -> dict[str, str]:
    """Return group id -> the panel's number: one statement."""
    return {row[0]: row[1] for row in connection.execute(_NUMBERS)}


def members(connection: sa.Connection, ids: Collection[str]) -> list[str]:
    """Return the linked customers of these groups."""
    return sorted(row[0] for row in by_ids(connection, _MEMBERS, frozenset(ids) - {""}))


def without_item(connection: sa.Connection, group_id: str, limit: int) -> list[SentPrice]:
    """Return prices of items that have no row: one statement."""
    rows = connection.execute(_WITHOUT_ITEM, {"group_id": group_id, "count": limit})
    return [SentPrice(*row) for row in rows]


def statuses(connection: sa.Connection, group_id: str) -> dict[str, Status]:
    """Return the statuses of a group's items by their item ids: one statement.

    LIKE need not tell capitals from small letters, and the status of a group may look like that of an item.
    """
    prefix = f"{group_id}/"
    pattern = "".join(f"!{letter}" if letter in "!%_[" else letter for letter in prefix)
    rows = connection.execute(_STATUSES, {"pattern": f"{pattern}%"})
    items = (row for row in rows if row[0].startswith(prefix) and "/" in row[0][len(prefix) :])
    return {row[0]: Status(State(row[1]), row[2], row[3] or "") for row in items}


def forget(connection: sa.Connection, group_id: str) -> None:
    """Forget every price that was sent to a group."""
    connection.execute(_FORGET, {"group_id": group_id})


def outdated(connection: sa.Connection, engine: Engine, since: datetime | None, until: datetime) -> list[str]:
    """Return the customers whose figures are of a moment before ``until`` and not before ``since``: one statement."""
    credit = schema.client_credit.c
    rows = connection.execute(
        sa.select(credit.client_id, letters(credit.as_of)).where(
            credit.client_id != "", engine.around(credit.as_of, since, until)
        )
    )
    dated = ((client_id, moment_of(text)) for client_id, text in rows)
    return sorted(key for key, at in dated if at and (since is None or since <= at) and at < until)


def newest(connection: sa.Connection, engine: Engine) -> datetime | None:
    """Return the newest moment of any figures: one statement."""
    return max(_moments(connection.scalars(engine.newest(schema.client_credit.c.as_of))), default=None)


def _moments(texts: Iterable[str | None]) -> Iterator[datetime]:
    for text in texts:
        if text is not None and (at := moment_of(text)):
            yield at


def _item(row: Found) -> tuple[GroupItem, SentPrice | None]:
    kind, number, price, rebate, base, currency, begins, ends, sent_id, *sent = row
    begin, end = _moment(begins), _moment(ends)
    missed = (name for name, text, at in zip(_DATES, (begins, ends), (begin, end), strict=True) if text and at is None)
    unreadable = ",".join(missed) if begins or ends else ""
    item = GroupItem(kind, number, price, rebate, base, currency, begin, end, unreadable)
    return item, None if sent_id is None else SentPrice(kind, number, *sent)


def _moment(text: str | None) -> datetime | None:
    """Return when an item begins or ends; PostgreSQL's ``infinity`` is a moment too."""
    return (moment_of(text) or FOREVER.get(text)) if text else None


def _key(group_id: str, key: ItemKey) -> Row:
    return {"group_id": group_id, "item_type": key[0], "item_id": key[1]}


def _price_row(group_id: str, price: SentPrice, at: datetime) -> Row:
    texts = {name: fit(_PRICE[name], getattr(price, name)) for name in ("currency", "refused")}
    known = None if price.price is None else clean(price.price)
    return {**_key(group_id, price.key), "price": known, **texts, "sent_at": at}
