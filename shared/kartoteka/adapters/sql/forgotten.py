"""Erasing a client, who is not to come back, and old values: what stands where, and the tombstones of it.

A table of ours that names clients or accounts has a line in :data:`NAMING`; a test compares it with the schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import Merge
from kartoteka.adapters.sql.ownership import INSTALLATION
from kartoteka.adapters.sql.states import STATUS, status_row
from kartoteka.adapters.sql.tables import (
    ErpTables,
    change_log,
    sync_base,
    sync_conflicts,
    sync_exclusions,
    sync_forgotten,
    sync_history,
    sync_links,
    sync_matches,
    sync_panel_accounts,
    sync_plan,
    sync_status,
)
from kartoteka.adapters.sql.values import CHUNK, Row, among, by_ids
from kartoteka.fields.table import CODE
from kartoteka.model import FORGOTTEN, Change, Key, RecordState
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import Forgotten, SeenAccount, Tombstone

ACCOUNTS = "accounts"
"""The concern that says of a client that it was erased."""


class Names(NamedTuple):
    """The columns of a table that hold a client's code, and an account's number; None: it has none."""

    client: sa.Column[Any] | None = None
    account: sa.Column[Any] | None = None


def naming(erp: ErpTables) -> Mapping[sa.Table, Names]:
    """Return the tables of ours whose rows go with a client, or with its account; ``change_log`` is apart."""
    incoming = erp.incoming_clients
    return {
        sync_base: Names(sync_base.c.client_id),
        sync_status: Names(sync_status.c.client_id),
        sync_history: Names(sync_history.c.client_id),
        sync_conflicts: Names(sync_conflicts.c.client_id),
        sync_plan: Names(sync_plan.c.client_id),
        sync_exclusions: Names(sync_exclusions.c.client_id),
        sync_matches: Names(sync_matches.c.client_id, sync_matches.c.panel_client_id),
        incoming: Names(incoming.c.client_id, incoming.c.panel_client_id),
        sync_panel_accounts: Names(sync_panel_accounts.c.external_code, sync_panel_accounts.c.panel_client_id),
        sync_links: Names(sync_links.c.client_id, sync_links.c.panel_client_id),
    }


_DEAD = sync_forgotten.c
_AMONG = sa.select(_DEAD.digest).where(among(_DEAD.digest))
_TOMBSTONE = sa.select(_DEAD.digest, _DEAD.client)
_TOMBSTONE_AMONG = _TOMBSTONE.where(among(_DEAD.digest))
_AMONG_AND_OWNER = sa.union_all(_AMONG, INSTALLATION)
"""Both in one statement, of each save the first: no id of an installation is a digest."""
_LOG = change_log.c
_READ = _LOG.logged_at <= sa.bindparam("before", type_=_LOG.logged_at.type)
_UNNAMED = change_log.update().where(among(_LOG.client_id), _LOG.client_id != "", _READ).values(client_id="", row_id="")
_ABOUT_ACCOUNTS = ("incoming_clients", "sync_matches")
_UNNUMBERED = (
    change_log.update()
    .where(_LOG.table_name.in_(_ABOUT_ACCOUNTS), among(_LOG.row_id), _READ)
    .values(client_id="", row_id="")
)
"""A row of the log stays, for the cursors' sake, and names nobody any more."""
_NOTED = change_log.insert().values(table_name="clients", operation="U", client_id="", group_id="", row_id="")
"""An erasure is noted in the log, without a name: a backup of before has a shorter one, which the cursors notice."""
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_LINK = sync_links.c
_NAMED = sa.select(_LINK.client_id, _LINK.former_code).where(
    sa.or_(_LINK.client_id == sa.bindparam("code"), _LINK.former_code == sa.bindparam("code"))
)
_LINKED = sa.select(_LINK.panel_client_id).where(among(_LINK.panel_client_id))
_HELD = sa.select(_LINK.client_id).where(among(_LINK.client_id))
_RECODED = sa.select(sync_history.c.value_before).where(
    sync_history.c.client_id == sa.bindparam("code"), sync_history.c.field == CODE
)
"""The codes that the account of a renamed client had before."""
_NOT_HERS = sa.select(sync_links.c.panel_client_id).where(
    among(sync_links.c.panel_client_id), sync_links.c.client_id != sa.bindparam("client")
)
DATES = ("modified_at", "registered", "seen_at")
"""What is kept of an erased client's account: the panel goes on counting it."""
_SEEN = sa.select(sync_panel_accounts.c.panel_client_id, *(sync_panel_accounts.c[name] for name in DATES)).where(
    among(sync_panel_accounts.c.panel_client_id)
)
_OLD = {
    sync_history: (sync_history.c.at, ("value_before", "value_after")),
    sync_conflicts: (sync_conflicts.c.closed_at, ("erp_value", "panel_value", "base_value")),
}


def dead_among(connection: sa.Connection, digests: Collection[str]) -> frozenset[str]:
    """Return those of these digests that have a tombstone."""
    return frozenset(row[0] for row in by_ids(connection, _AMONG, sorted(digests)))


class Tombstones:
    """Who was erased, asked inside another transaction."""

    def __init__(self, database: Database) -> None:
        self._digest = database.digest
        self._claim = database.claim

    def clients(self, connection: sa.Connection, client_ids: Collection[str]) -> frozenset[str]:
        """Return those of these clients who were erased."""
        digests = {self._digest.client(key): key for key in client_ids if key}
        return frozenset(digests[each] for each in dead_among(connection, digests))

    def accounts(self, connection: sa.Connection, panel_client_ids: Collection[str]) -> frozenset[str]:
        """Return those of these accounts that belonged to somebody who was erased."""
        digests = {self._digest.account(key): key for key in panel_client_ids}
        return frozenset(digests[each] for each in dead_among(connection, digests))

    def carrying(self, connection: sa.Connection, accounts: Collection[SeenAccount]) -> Mapping[str, str]:
        """Return account -> digest of its client, for those that belonged to an erased client or carry its code.

        An account that is linked is its client's, whatever it carries: one that was renamed carries its former code.
        """
        coded = {a.panel_client_id: a.external_code for a in accounts if a.external_code}
        linked = {row[0] for row in by_ids(connection, _LINKED, sorted(coded))}
        named = [(self._digest.client(code), number) for number, code in coded.items() if number not in linked]
        named += [(self._digest.account(a.panel_client_id), a.panel_client_id) for a in accounts]
        stones = {row[0]: row[1] for row in by_ids(connection, _TOMBSTONE_AMONG, sorted(d for d, _ in named))}
        return {number: stones[digest] for digest, number in named if digest in stones}

    def storable(self, connection: sa.Connection, changes: Sequence[Change]) -> list[Change]:
        """Return those of these changes that may be stored: of an erased client only that this is said, or no more.

        Raises Halt where the database is another installation's.
        """
        clients = {change.record.key.client_id for change in changes} - {""}
        digests = {self._digest.client(client_id): client_id for client_id in clients}
        read = frozenset(connection.scalars(_AMONG_AND_OWNER, {"ids": sorted(digests)}))
        self._claim.demand(connection, read)
        dead = {digests[each] for each in read & digests.keys()}
        return [change for change in changes if change.record.key.client_id not in dead or _only_says_so(change)]


def _only_says_so(change: Change) -> bool:
    status = change.after.status
    bare = change.after == RecordState(status=status)
    apart = change.written or change.conflicts or change.row or change.link or change.candidates or change.planned
    return bare and not apart and (status is None or status.code == FORGOTTEN)


def codes_of(connection: sa.Connection, there: sa.Select[Any], client_id: str) -> Sequence[str]:
    """Return what :meth:`Forgotten.known_as` does; ``there`` asks which of some codes have a row in ``clients``."""
    links = {row.client_id: row.former_code for row in connection.execute(_NAMED, {"code": client_id})}
    now = client_id if client_id in links or not links else min(links)
    former = {links.get(now, ""), *connection.scalars(_RECODED, {"code": now})} - {"", None, now}
    others = {row[0] for asked in (there, _HELD) for row in by_ids(connection, asked, sorted(former))}
    return [now, *sorted(former - others)]


class SqlForgotten(Forgotten):
    """The erasing in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._digest = database.digest
        self._tombstones = Tombstones(database)
        self._naming = naming(database.erp)
        client, incoming = database.erp.clients.c.id, database.erp.incoming_clients.c
        self._there = sa.select(client).where(among(client))
        self._numbers = sa.union(
            sa.select(sync_links.c.panel_client_id).where(among(sync_links.c.client_id)),
            sa.select(sync_panel_accounts.c.panel_client_id).where(among(sync_panel_accounts.c.external_code)),
            sa.select(incoming.panel_client_id).where(among(incoming.client_id)),
        )
        seen: Mapping[str, Merge] = dict.fromkeys(DATES, lambda stored, offered: sa.func.coalesce(offered, stored))
        again: Mapping[str, Merge] = {"swept_at": lambda _stored, _offered: sa.null()}
        self._bury = database.dialect.upsert(
            sync_forgotten, ("digest", "client", "forgotten_at", "swept_at", *DATES), {**seen, **again}
        )
        self._say = database.dialect.upsert(sync_status, STATUS)

    def found(self, client_id: str) -> Mapping[str, int]:
        with self._database.reading() as connection:
            known = codes_of(connection, self._there, client_id)
            numbers = self._accounts(connection, known)
            rows: Counter[str] = Counter()
            for table, either in self._rows(known, numbers):
                count = sa.select(sa.func.count()).select_from(table).where(either)
                rows[table.name] += connection.scalar(count, _given(known, numbers)) or 0
            logged = sa.select(sa.func.count()).select_from(change_log).where(among(_LOG.client_id))
            rows[change_log.name] += connection.scalar(logged, {"ids": list(known)}) or 0
        return {name: count for name, count in rows.items() if count}

    def is_forgotten(self, client_id: str) -> bool:
        with self._database.reading() as connection:
            return client_id in self._tombstones.clients(connection, [client_id])

    def known_as(self, client_id: str) -> Sequence[str]:
        with self._database.reading() as connection:
            return codes_of(connection, self._there, client_id)

    def accounts(self, accounts: Collection[SeenAccount]) -> frozenset[str]:
        if not accounts:
            return frozenset()
        with self._database.reading() as connection:
            return frozenset(self._tombstones.carrying(connection, accounts))

    def forget(self, client_id: str, *, at: datetime) -> Mapping[str, int]:
        with self._database.writing() as connection:
            known = codes_of(connection, self._there, client_id)
            numbers = self._accounts(connection, known)
            own = self._digest.client(known[0])
            dates = {row[0]: row[1:] for row in by_ids(connection, _SEEN, sorted(numbers))}
            digests: dict[str, Sequence[Any]] = {self._digest.client(code): () for code in known}
            digests |= {self._digest.account(number): dates.get(number, ()) for number in numbers}
            bury = (_tombstone(Tombstone(digest, own), at, *seen) for digest, seen in sorted(digests.items()))
            self._database.run(connection, self._bury, bury)
            erased = self._erase(connection, known, numbers, _EVER)
            if connection.execute(self._there, {"ids": [known[0]]}).first():
                told = status_row(Key(known[0], "", ACCOUNTS, ""), codes.status(FORGOTTEN), at)
                self._database.run(connection, self._say, [told] if told else [])
            connection.execute(_NOTED)
        return erased

    def allow(self, client_id: str) -> bool:
        with self._database.writing() as connection:
            own = self._digest.client(client_id)
            whose = {own, *connection.scalars(sa.select(_DEAD.client).where(_DEAD.digest == own))}
            return connection.execute(sync_forgotten.delete().where(_DEAD.client.in_(whose))).rowcount > 0

    def tombstones(self, client_id: str | None = None) -> frozenset[Tombstone]:
        with self._database.reading() as connection:
            every = frozenset(Tombstone(*row) for row in connection.execute(_TOMBSTONE))
        if client_id is None:
            return every
        own = self._digest.client(client_id)
        whose = {own, *(each.client for each in every if each.digest == own)}
        return frozenset(each for each in every if each.client in whose)

    def restore(self, tombstones: Collection[Tombstone], *, at: datetime) -> int:
        if not tombstones:
            return 0
        with self._database.writing() as connection:
            known = dead_among(connection, {each.digest for each in tombstones})
            missing = [each for each in tombstones if each.digest not in known]
            self._database.run(connection, self._bury, (_tombstone(each, at) for each in missing))
        return len(missing)

    def to_be_swept(self, before: datetime) -> bool:
        waiting = sa.select(_DEAD.digest).where(_DEAD.swept_at.is_(None), _DEAD.forgotten_at < before).limit(1)
        with self._database.reading() as connection:
            return connection.execute(waiting).first() is not None

    def sweep(self, before: datetime, *, at: datetime) -> Mapping[str, int]:
        """Read every code and number once: a digest does not tell whose it is."""
        with self._database.reading() as connection:
            dead = frozenset(connection.scalars(sa.select(_DEAD.digest)))
            clients = {*self._dead_in(connection, (n.client for n in self._naming.values()), self._digest.client, dead)}
            clients |= {*self._dead_in(connection, (_LOG.client_id,), self._digest.client, dead)}
            numbers = {
                *self._dead_in(connection, (n.account for n in self._naming.values()), self._digest.account, dead)
            }
        erased: Mapping[str, int] = {}
        with self._database.writing() as connection:
            if clients or numbers:
                erased = self._erase(connection, sorted(clients), frozenset(numbers), before)
            done = (_DEAD.swept_at.is_(None), _DEAD.forgotten_at < before)
            connection.execute(sync_forgotten.update().where(*done).values(swept_at=at))
        return erased

    def expire(self, before: datetime, limit: int, *, at: datetime) -> int:
        done = 0
        for table, (moment, values) in _OLD.items():
            old = sa.select(table.c.id).where(table.c.erased_at.is_(None), moment < before)
            with self._database.writing() as connection:
                ids = list(connection.scalars(old.order_by(moment).limit(limit - done)))
                emptied = {**dict.fromkeys(values), "erased_at": at}
                for some in pieces(ids, CHUNK):
                    connection.execute(table.update().where(table.c.id.in_(some)).values(emptied))
            done += len(ids)
            if done >= limit:
                break
        return done

    def _accounts(self, connection: sa.Connection, known: Sequence[str]) -> frozenset[str]:
        """Return the accounts of a client: linked, carrying one of its codes, or said to be its own by the ERP."""
        numbers = frozenset(row[0] for row in by_ids(connection, self._numbers, known))
        others = by_ids(connection, _NOT_HERS, sorted(numbers), client=known[0])
        return numbers - {row[0] for row in others}

    def _rows(
        self, client_ids: Collection[str], numbers: Collection[str]
    ) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """Yield the tables of ours, with the condition for their rows about these clients and accounts."""
        for table, names in self._naming.items():
            either = []
            if client_ids and names.client is not None:
                either.append(among(names.client, parameter="clients"))
            if numbers and names.account is not None:
                either.append(among(names.account, parameter="numbers"))
            if either:
                condition = sa.or_(*either)
                yield table, sa.and_(condition, sync_status.c.code != FORGOTTEN) if table is sync_status else condition

    def _erase(
        self, connection: sa.Connection, client_ids: Collection[str], numbers: Collection[str], before: datetime
    ) -> Mapping[str, int]:
        """Erase these; in the log what was written up to ``before``: what came later was not read yet, perhaps."""
        erased = {
            table.name: connection.execute(table.delete().where(either), _given(client_ids, numbers)).rowcount
            for table, either in self._rows(client_ids, numbers)
        }
        erased[change_log.name] = sum(
            connection.execute(statement, {"ids": sorted(ids), "before": before}).rowcount
            for statement, ids in ((_UNNAMED, client_ids), (_UNNUMBERED, numbers))
            if ids
        )
        return {name: rows for name, rows in erased.items() if rows}

    @staticmethod
    def _dead_in(
        connection: sa.Connection,
        columns: Iterable[sa.Column[Any] | None],
        digest: Callable[[str], str],
        dead: Collection[str],
    ) -> Iterator[str]:
        for column in columns:
            if column is None:
                continue
            rows = connection.execute(sa.select(column).distinct(), execution_options={"yield_per": CHUNK})
            yield from (each for (each,) in rows if isinstance(each, str) and each and digest(each) in dead)


def _tombstone(
    said: Tombstone,
    at: datetime,
    modified_at: datetime | None = None,
    registered: date | None = None,
    seen_at: datetime | None = None,
) -> Row:
    dates = dict(zip(DATES, (modified_at, registered, seen_at), strict=True))
    return {"digest": said.digest, "client": said.client, "forgotten_at": at, "swept_at": None, **dates}


def _given(client_ids: Collection[str], numbers: Collection[str]) -> Row:
    return {"clients": list(client_ids), "numbers": sorted(numbers)}
