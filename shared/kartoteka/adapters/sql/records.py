"""Records of every concern: which there are, what is known of them, which are due again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.forgotten import Tombstones
from kartoteka.adapters.sql.load import EXCLUDED, Loader, excluded_from
from kartoteka.adapters.sql.renaming import rename
from kartoteka.adapters.sql.save import Saver
from kartoteka.adapters.sql.states import KEY, OF_CLIENTS, OF_CLIENTS_AND_ITEMS, OF_GROUPS
from kartoteka.adapters.sql.tables import (
    ErpTables,
    owner_of,
    sync_base,
    sync_conflicts,
    sync_exclusions,
    sync_history,
    sync_links,
    sync_status,
)
from kartoteka.adapters.sql.values import COUNT, Select, among, by_ids, for_ids
from kartoteka.fields.table import CONCERNS, Rows
from kartoteka.model import FIRST, LONGEST_DEFERRAL, Change, Direction, Key, Owner, Record, RecordState
from kartoteka.ports.exchange import Former, Past, Records, Renamed, Saved, Which, concern_named

_LINK = sync_links.c
_LINKED = (
    sa.select(_LINK.client_id, _LINK.panel_client_id)
    .where(_LINK.client_id > sa.bindparam("after"))
    .order_by(_LINK.client_id)
    .limit(COUNT)
)
_COUNT_LINKED = sa.select(sa.func.count()).select_from(sync_links)

_BASE = sync_base.c
_OWNER = (_BASE.client_id, _BASE.group_id)
_DEFERRED = (
    sa.select(*_OWNER)
    .where(_BASE.concern == sa.bindparam("concern"), _BASE.due_at.is_not(None))
    .group_by(*_OWNER)
    .order_by(sa.func.min(_BASE.due_at), *_OWNER)
    .limit(COUNT)
)
_DUE = _DEFERRED.where((_BASE.due_at <= sa.bindparam("now")) | (_BASE.due_at > sa.bindparam("farthest")))

_PAST = sync_history.c
_SINCE = (_PAST.concern == sa.bindparam("concern"), _PAST.at >= sa.bindparam("since"), _PAST.passed == sa.false())
_RECORD = (_PAST.client_id, _PAST.group_id, _PAST.item_id)
_PASTS = sa.select(
    *(_PAST[name] for name in ("id", "run_id", *Key._fields, "field", "direction", "reason")),
    _PAST.value_before,
    _PAST.value_after,
    sa.case((_PAST.erased_at.is_not(None), 1), else_=0),
)
_OF_PRICES = sa.and_(_PAST.group_id != "", _PAST.item_id != "")


def _counted(what: sa.ColumnElement[bool]) -> Select:
    rows = sa.select(*_RECORD, _PAST.run_id).where(*_SINCE, _PAST.counts == sa.true(), what).distinct()
    return sa.select(sa.func.count()).select_from(rows.subquery())


def _written(what: sa.ColumnElement[bool]) -> Select:
    either = _PAST.counts.in_([True, False])  # so that the index leads to the last hour
    moved = _PAST.field.not_in(sa.bindparam("recomputed", expanding=True))
    again = _PAST.reason.not_in([str(r) for r in FIRST])
    return sa.select(*_RECORD).where(*_SINCE, either, what, moved, again).distinct()


_COUNTED = {True: _counted(_OF_PRICES), False: _counted(sa.not_(_OF_PRICES))}
_WRITTEN = {True: _written(_OF_PRICES), False: _written(sa.not_(_OF_PRICES))}
_COUNT_KEPT = (
    sa.select(sa.func.count())
    .select_from(sync_base)
    .where(_BASE.concern == sa.bindparam("concern"), _BASE["values"].is_not(None))
)

_SENT = (
    sa.select(_PAST.client_id)
    .where(among(_PAST.client_id), _PAST.at >= sa.bindparam("since"))
    .where(_PAST.direction == str(Direction.ERP_TO_PANEL))
    .distinct()
)
_RAISED = sync_conflicts.c
_FORMER = sa.union_all(
    sa.select(_PAST.client_id, _PAST.field, _PAST.value_before, _PAST.value_after, _PAST.value_after).where(
        among(_PAST.client_id),
        _PAST.concern == sa.bindparam("concern"),
        _PAST.item_id == "",
        _PAST.field != "",
        _PAST.erased_at.is_(None),
    ),
    sa.select(_RAISED.client_id, _RAISED.field, _RAISED.erp_value, _RAISED.panel_value, _RAISED.base_value).where(
        among(_RAISED.client_id),
        _RAISED.concern == sa.bindparam("concern"),
        _RAISED.item_id == "",
        _RAISED.erased_at.is_(None),
    ),
)
"""What fields have held: of a conflict that the panel has won only its own row tells what both sides once agreed on."""


_EXCLUSION = sync_exclusions.c
_NO_CONCERN = sa.select(_EXCLUSION.client_id, _EXCLUSION.concern).where(
    sa.func.lower(sa.func.trim(_EXCLUSION.concern)).not_in(list(CONCERNS))
)
_SAID = sa.select(*(sync_status.c[name] for name in KEY)).where(
    sync_status.c.concern == sa.bindparam("concern"),
    sync_status.c.code == sa.bindparam("code"),
    sync_status.c.client_id != "",
)

_STATE = (sync_base, sync_status)
"""The tables that keep a record's state."""


def _nothing_in(table: sa.Table, client: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a table of states has no row of a client's, or of its items, for a concern."""
    own = (table.c.client_id == client, table.c.group_id == "", table.c.concern == sa.bindparam("concern"))
    return ~sa.exists().where(*own)


class SqlRecords(Records):
    """The records of one database."""

    def __init__(self, database: Database, saver: Saver) -> None:
        self._database = database
        self._saver = saver
        erp = database.erp
        self._loaders = {concern: Loader(database, concern) for concern in erp.concerns}
        self._having = {concern: _having(erp, rows) for concern, rows in erp.concerns.items()}
        self._gone = {concern: _gone(erp, rows) for concern, rows in erp.concerns.items()}
        client = erp.clients.c
        keys = (client.id > sa.bindparam("after"), database.dialect.is_key(client.id))
        self._ids = sa.select(client.id).where(*keys).order_by(client.id).limit(COUNT)
        self._existing = sa.select(client.id).where(among(client.id))
        self._untouched = self._existing.where(
            ~sa.exists().where(_LINK.client_id == client.id),
            ~sa.exists().where(_EXCLUSION.client_id == client.id),
            *(_nothing_in(table, client.id) for table in _STATE),
        )
        waiting = (_BASE.concern == sa.bindparam("of_concern"), _BASE.due_at < sa.bindparam("until"))
        self._postpone = sync_base.update().where(*waiting, among(*_OWNER)).values(due_at=sa.bindparam("until"))

    def load(self, concern: str, owners: Collection[Owner]) -> Sequence[Record]:
        """Up to nine statements for all clients, and three for all groups."""
        with self._database.reading() as connection:
            return self._loaders[concern].load(connection, list(dict.fromkeys(owners)))

    def states(self, concerns: Collection[str], owners: Collection[Owner]) -> Mapping[Key, RecordState]:
        found: dict[Key, RecordState] = {}
        with self._database.reading() as connection:
            for reader, part in ((OF_CLIENTS, 0), (OF_GROUPS, 1)):
                if ids := list(dict.fromkeys(owner[part] for owner in owners if owner[part])):
                    found |= reader.read(connection, concerns, ids)
        return found

    def save(self, changes: Sequence[Change], *, run_id: str, at: datetime, unless_changed: bool = False) -> Saved:
        """Where the database refuses our own rows of one record, its neighbours are stored apart."""
        return self._saver.save(changes, run_id, at, unless_changed=unless_changed)

    def former(self, concern: str, owners: Collection[Owner]) -> Mapping[Owner, Former]:
        found: dict[Owner, dict[str, set[str]]] = {}
        with self._database.reading() as connection:
            ids = [owner.client_id for owner in owners if owner.client_id]
            for client_id, field, *texts in by_ids(connection, _FORMER, ids, concern=concern):
                of_field = found.setdefault(Owner(client_id), {}).setdefault(field, set())
                of_field.update(text or "" for text in texts)
        return found

    def exclusions(self, client_ids: Collection[str]) -> Mapping[str, Collection[str]]:
        with self._database.reading() as connection:
            return excluded_from(by_ids(connection, EXCLUDED, client_ids))

    def unknown_exclusions(self) -> Sequence[tuple[str, str]]:
        with self._database.reading() as connection:
            rows = connection.execute(_NO_CONCERN).all()
        return [(client_id, concern) for client_id, concern in rows if concern_named(concern) not in CONCERNS]

    def rename(self, client_id: str, new_id: str) -> Renamed:
        with self._database.writing() as connection:
            return rename(connection, self._database.erp, Tombstones(self._database), client_id, new_id)

    def said(self, concern: str, code: str) -> Mapping[Key, RecordState]:
        with self._database.reading() as connection:
            keys = [Key(*row) for row in connection.execute(_SAID, {"concern": concern, "code": code})]
            ids = list(dict.fromkeys(key.client_id for key in keys))
            states = OF_CLIENTS_AND_ITEMS.read(connection, [concern], ids) if ids else {}
        return {key: states[key] for key in keys if key in states}

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        with self._database.reading() as connection:
            return list(connection.scalars(self._ids, {"after": after, "count": limit}))

    def existing(self, client_ids: Collection[str]) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, self._existing, client_ids))

    def untouched(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, self._untouched, client_ids, concern=concern))

    def gone(self, concern: str, after: str, limit: int) -> Sequence[str]:
        with self._database.reading() as connection:
            given = {"concern": concern, "after": after, "count": limit}
            return list(connection.scalars(self._gone[concern], given))

    def having(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, self._having[concern], client_ids))

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        with self._database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(_LINKED, {"after": after, "count": limit})]

    def count_linked(self) -> int:
        with self._database.reading() as connection:
            return connection.scalar(_COUNT_LINKED) or 0

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[Owner]:
        given: dict[str, Any] = {"concern": concern, "count": limit} | (
            {"now": now, "farthest": now + LONGEST_DEFERRAL} if now else {}
        )
        with self._database.reading() as connection:
            return [Owner(*row) for row in connection.execute(_DUE if now else _DEFERRED, given)]

    def postpone(self, concern: str, owners: Collection[Owner], until: datetime) -> None:
        with self._database.writing() as connection:
            for_ids(connection, self._postpone, owners, of_concern=concern, until=until)

    def counted(self, concern: str, since: datetime, *, prices: bool = False) -> int:
        with self._database.reading() as connection:
            return connection.scalar(_COUNTED[prices], {"concern": concern, "since": since}) or 0

    def written(self, concern: str, since: datetime, *, prices: bool = False) -> Collection[Key]:
        with self._database.reading() as connection:
            given = {"concern": concern, "since": since, "recomputed": sorted(CONCERNS[concern].recomputed)}
            rows = connection.execute(_WRITTEN[prices], given)
            return {Key(row[0], row[1], concern, row[2]) for row in rows}

    def sent_since(self, client_ids: Collection[str], since: datetime) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, _SENT, client_ids, since=since))

    def past(self, which: Which, after: int, limit: int) -> Sequence[Past]:
        wanted = {"run_id": which.run_id, "concern": which.concern, "client_id": which.client_id}
        conditions = [_PAST[name] == value for name, value in wanted.items() if value]
        conditions += [] if which.since is None else [_PAST.at >= which.since]
        conditions += [] if which.until is None else [_PAST.at < which.until]
        found = _PASTS.where(_PAST.id > after, *conditions).order_by(_PAST.id).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(found).all()
        return [
            Past(number, run, Key(*key), field, direction, reason, before, after, bool(erased))
            for number, run, *key, field, direction, reason, before, after, erased in rows
        ]

    def count_kept(self, concern: str) -> int:
        with self._database.reading() as connection:
            return connection.scalar(_COUNT_KEPT, {"concern": concern}) or 0


def _gone(erp: ErpTables, rows: Rows) -> Select:
    """Select the ids without a row in ``clients`` from all tables that may name one."""
    names = [name for name in (rows.table, rows.items, *rows.wakers) if name in erp.metadata.tables]
    erps = [table.c.client_id for table in map(erp.named, names) if "client_id" in table.c]
    said = sync_status.c.concern == sa.bindparam("concern")
    parts = [
        sa.select(owner.label("id")).where(
            owner > sa.bindparam("after"), ~sa.exists().where(erp.clients.c.id == owner), *conditions
        )
        for owner, conditions in ((sync_status.c.client_id, (said,)), *((c, ()) for c in (_LINK.client_id, *erps)))
    ]
    ids = sa.union(*parts).subquery()
    return sa.select(ids.c.id).order_by(ids.c.id).limit(COUNT)


def _having(erp: ErpTables, rows: Rows) -> Select:
    """Select those among some clients that have items, fill a field of a concern with groups, or have a row at all."""
    table = erp.named(rows.items or rows.table)
    owner = owner_of(table)
    found = sa.select(owner).where(among(owner)).distinct()
    if rows.items:
        return found.where(table.c.id != "")
    return found.where(sa.or_(*(table.c[name] != "" for name in rows.fields))) if rows.groups else found
