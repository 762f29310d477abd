"""Discount groups, their items, and the prices that were sent: groups of any size are read by pages of keys.

The ERP's figures and dates come as text, to the letter: what cannot be read of one row is no matter of its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import Refused
from kartoteka.adapters.sql.save import Saver
from kartoteka.adapters.sql.states import status_of
from kartoteka.adapters.sql.tables import moments, sync_base, sync_history, sync_links, sync_prices, sync_status
from kartoteka.adapters.sql.values import (
    COUNT,
    FOREVER,
    Row,
    Select,
    among,
    by_ids,
    fit,
    for_ids,
    letters,
    moment_of,
    texts,
)
from kartoteka.codes import Status
from kartoteka.fields.table import GROUP_FIELD
from kartoteka.model import Change, Written
from kartoteka.ports.exchange import GroupItem, PriceKey, Prices, SentPrice

_KEY = ("item_type", "item_id")
_GIVEN = tuple(one.name for one in fields(GroupItem) if one.name != "unreadable")
_SENT = tuple(one.name for one in fields(SentPrice))
_PRICE_COLUMNS = ("group_id", *_SENT, "sent_at")

_PRICE = sync_prices.c
_BASE = sync_base.c
_STATUS = sync_status.c

_GROUP_ID = sa.bindparam("group_id", type_=sa.Unicode())

_NUMBERS = sa.select(_BASE.group_id, _BASE.panel_item_id).where(
    _BASE.client_id == "", _BASE.group_id != "", _BASE.item_id == "", _BASE.panel_item_id != ""
)
_STATUSES = sa.select(
    _STATUS.item_id, _STATUS.state, _STATUS.code, _STATUS.field, _STATUS.message_pl, _STATUS.message_en
).where(_STATUS.client_id == "", _STATUS.group_id == _GROUP_ID, _STATUS.item_id != "")
_DECISIONS = sa.select(_STATUS.item_id, _STATUS.decision).where(
    _STATUS.client_id == "", _STATUS.group_id == _GROUP_ID, _STATUS.item_id != "", _STATUS.decision != ""
)
_COUNT = sa.select(sa.func.count()).select_from(sync_prices)
_COUNT_OF = _COUNT.where(_PRICE.group_id == _GROUP_ID)
_FORGET = sync_prices.delete().where(_PRICE.group_id == _GROUP_ID)
_DOUBT_ALL = sync_prices.update().where(_PRICE.group_id == sa.bindparam("of_group")).values(price=None, refused="")


class AsIs(sa.types.UserDefinedType[str]):
    """A text that the database itself turns into the type of the column it is compared with."""

    cache_ok = True


class SqlPrices(Prices):
    """The groups and prices of one database."""

    def __init__(self, database: Database, saver: Saver) -> None:
        self._database = database
        self._saver = saver
        dialect, erp = database.dialect, database.erp
        self._items = erp.discount_group_items
        self._dates = tuple(column.name for column in moments(self._items))
        item = self._items.c
        self._key = tuple(letters(item[name]) for name in _KEY)
        self._whole = sa.and_(*(part != "" for part in self._key))  # a row with an empty key is nobody's
        self._group_ids = sa.union(
            sa.select(erp.discount_groups.c.id),
            sa.select(item.group_id).where(self._whole),
            sa.select(_BASE.group_id).where(_BASE.client_id == ""),
            sa.select(_PRICE.group_id),
        )
        client = erp.clients.c
        self._members = (
            sa.select(client.id)
            .join_from(erp.clients, sync_links, sync_links.c.client_id == client.id)
            .where(among(client[GROUP_FIELD]))
        )
        self._without_item = self._select_without_item()
        self._first, self._next = self._page(), self._page("after_type", "after_id")
        self._sent = dialect.upsert(sync_prices, _PRICE_COLUMNS)
        self._doubt = dialect.upsert(sync_prices, ("group_id", *_KEY, "price", "refused"))
        self._removed = sync_prices.delete().where(among(_PRICE.group_id, _PRICE.item_type, _PRICE.item_id))

    def _select_without_item(self) -> Select:
        gone = (
            sa.select(_PRICE.item_type, _PRICE.item_id)
            .where(_PRICE.group_id == _GROUP_ID)
            .except_(sa.select(*self._key).where(self._items.c.group_id == _GROUP_ID))
            .subquery("gone")
        )
        return (
            sa.select(*(_PRICE[name] for name in _SENT))
            .join(gone, (gone.c.item_type == _PRICE.item_type) & (gone.c.item_id == _PRICE.item_id))
            .where(_PRICE.group_id == _GROUP_ID)
            .order_by(_PRICE.item_type, _PRICE.item_id)
            .limit(COUNT)
        )

    def _page(self, *after: str) -> Select:
        """Select a page of a group's items with the prices that were sent: the page first, then what belongs to it."""
        item, dialect = self._items.c, self._database.dialect
        places = [dialect.place(item[name]) for name in _KEY]
        last = [sa.bindparam(name, type_=AsIs()) for name in after]
        beyond = [dialect.beyond(places, last)] if after else []
        figures = [letters(column).label(column.name) for column in item if not column.primary_key]
        columns = [part.label(name) for name, part in zip(_KEY, self._key, strict=True)]
        columns += [place.label(f"place{n}") for n, place in enumerate(places)]
        rows = sa.select(*columns, *figures).where(item.group_id == _GROUP_ID, self._whole, *beyond)
        page = rows.order_by(*places).limit(COUNT).subquery("page")
        same = (_PRICE.group_id == _GROUP_ID, *(_PRICE[name] == page.c[name] for name in _KEY))
        wanted = [page.c[name] for name in (*_KEY, *(figure.name for figure in figures))]
        sent = [_PRICE[name].label(f"sent_{name}") for name in _SENT]
        found = sa.select(*wanted, *sent).outerjoin_from(page, sync_prices, sa.and_(*same))
        return found.order_by(page.c.place0, page.c.place1)

    def group_ids(self) -> Sequence[str]:
        with self._database.reading() as connection:
            return sorted({group_id for group_id in texts(connection.scalars(self._group_ids)) if group_id})

    def numbers(self) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_NUMBERS)}

    def members(self, group_ids: Collection[str]) -> Sequence[str]:
        with self._database.reading() as connection:
            found = by_ids(connection, self._members, frozenset(group_ids) - {""})
            return sorted(texts(row[0] for row in found))

    def items(self, group_id: str, after: PriceKey | None, limit: int) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        """Read a page; a row whose key is not whole is nobody's."""
        given: Row = {"group_id": group_id, "count": limit}
        if after is not None:
            given |= {"after_type": after[0], "after_id": after[1]}
        with self._database.reading() as connection:
            page = connection.execute(self._next if after else self._first, given).mappings()
            return [self._item(row) for row in page]

    def without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        with self._database.reading() as connection:
            rows = connection.execute(self._without_item, {"group_id": group_id, "count": limit})
            return [SentPrice(*row) for row in rows]

    def statuses(self, group_id: str) -> Mapping[str, Status]:
        with self._database.reading() as connection:
            return {row[0]: status_of(*row[1:]) for row in connection.execute(_STATUSES, {"group_id": group_id})}

    def decisions(self, group_id: str) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_DECISIONS, {"group_id": group_id})}

    def dated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        item, dialect = self._items.c, self._database.dialect
        parts = [
            sa.select(item.group_id, letters(item[name])).where(dialect.around(item[name], since, until))
            for name in self._dates
        ]
        with self._database.reading() as connection:
            rows = [(row[0], moment_of(row[1])) for row in connection.execute(sa.union(*parts))]
        return sorted({*texts(k for k, at in rows if k and at and (since is None or since < at) and at <= until)})

    def doubt(self, group_id: str, keys: Sequence[PriceKey] | None) -> None:
        if keys is None:
            with self._database.writing() as connection:
                connection.execute(_DOUBT_ALL, {"of_group": group_id})
        elif keys:
            unknown: Row = {"price": None, "refused": ""}
            with self._database.writing() as connection:
                rows = [{**_price_key(group_id, key), **unknown} for key in dict.fromkeys(keys)]
                self._database.run(connection, self._doubt, rows)

    def store(
        self,
        group_id: str,
        sent: Sequence[SentPrice],
        removed: Sequence[PriceKey],
        changes: Sequence[Change],
        *,
        run_id: str,
        at: datetime,
    ) -> None:
        """Where the database refuses what is to be said of the prices, they are stored without it.

        A price may be among both, sent and removed: then it counts as sent, since that errs on the side of removing
        it once more.
        """
        changes = [change for change in changes if change]
        if not (sent or removed or changes):
            return
        try:
            with self._database.writing(claims=False) as connection:  # the saver asks
                self._store_prices(connection, group_id, sent, removed, at)
                self._saver.store(connection, changes, run_id, at)
        except Refused:
            with self._database.writing() as connection:
                self._store_prices(connection, group_id, sent, removed, at)
            self._saver.save(changes, run_id, at)

    def _store_prices(
        self,
        connection: sa.Connection,
        group_id: str,
        sent: Sequence[SentPrice],
        removed: Sequence[PriceKey],
        at: datetime,
    ) -> None:
        for_ids(connection, self._removed, [(group_id, *key) for key in removed])
        rows = {price.key: _price_row(group_id, price, at) for price in sent}
        self._database.run(connection, self._sent, rows.values())

    def count_sent(self, group_id: str = "") -> int:
        with self._database.reading() as connection:
            counted = _COUNT_OF if group_id else _COUNT
            return connection.scalar(counted, {"group_id": group_id} if group_id else {}) or 0

    def forget(self, group_id: str) -> None:
        with self._database.writing() as connection:
            connection.execute(_FORGET, {"group_id": group_id})

    def remove_all(
        self, concern: str, group_id: str, removal: Written, *, run_id: str, at: datetime, found_by: str = ""
    ) -> None:
        """One statement for the history, however many prices there are."""
        past = sync_history.c
        row = {
            past.at: sa.literal(at, past.at.type),
            past.run_id: sa.literal(run_id),
            past.client_id: sa.literal(""),
            past.group_id: _PRICE.group_id,
            past.concern: sa.literal(concern),
            past.item_id: _PRICE.item_type + "/" + _PRICE.item_id,
            past.field: sa.literal(removal.field),
            past.direction: sa.literal(str(removal.direction)),
            past.reason: sa.literal(str(removal.reason)),
            past.value_before: _PRICE.price,
            past.counts: sa.literal(removal.counts),
            past.passed: sa.literal(removal.passed),
            past.found_by: sa.literal(found_by),
        }
        sent = sa.select(*row.values()).where(_PRICE.group_id == _GROUP_ID, _PRICE.price.is_not(None))
        with self._database.writing() as connection:
            connection.execute(sync_history.insert().from_select(list(row), sent), {"group_id": group_id})
            connection.execute(_FORGET, {"group_id": group_id})

    def _item(self, shown: Mapping[Any, Any]) -> tuple[GroupItem, SentPrice | None]:
        values: dict[str, Any] = {name: shown[name] for name in _GIVEN}
        dates = {name: _moment(values[name]) for name in self._dates}
        unreadable = ",".join(name for name, at in dates.items() if values[name] and at is None)
        item = GroupItem(**{**values, **dates, "unreadable": unreadable})
        if shown["sent_item_id"] is None:
            return item, None
        return item, SentPrice(**{name: shown[f"sent_{name}"] for name in _SENT})


def _moment(text: str | None) -> datetime | None:
    """Return when an item begins or ends; PostgreSQL's ``infinity`` is a moment too."""
    return (moment_of(text) or FOREVER.get(text)) if text else None


def _price_key(group_id: str, key: PriceKey) -> Row:
    return {"group_id": group_id, **dict(zip(_KEY, key, strict=True))}


def _price_row(group_id: str, price: SentPrice, at: datetime) -> Row:
    row: Row = {name: getattr(price, name) for name in _SENT}
    texts = {name: fit(_PRICE[name], row[name]) for name in _SENT if row[name] is not None and name not in _KEY}
    return {"group_id": group_id, **row, **texts, "sent_at": at}
