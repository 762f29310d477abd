"""Storing changes: a fixed number of statements for any number of them, inside one transaction.

The ERP's own rows come first, on the condition that they still hold what was seen; what then could not be written is
stored as the change's ``otherwise`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from kartoteka.adapters.sql.conflicts import store_conflicts
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import Merge, Refused
from kartoteka.adapters.sql.forgotten import Tombstones
from kartoteka.adapters.sql.plans import COLUMNS as PLAN
from kartoteka.adapters.sql.plans import end_rows, plan_row
from kartoteka.adapters.sql.rows import RowWriter
from kartoteka.adapters.sql.states import BASE, OF_CLIENTS_AND_ITEMS, STATUS, base_row, status_row
from kartoteka.adapters.sql.tables import sync_base, sync_history, sync_links, sync_matches, sync_plan, sync_status
from kartoteka.adapters.sql.values import Row, among, by_ids, fit, for_ids, text_of
from kartoteka.model import NOTHING_KEPT, Candidate, Change, Key, Link, RecordState, with_erp_forms
from kartoteka.ports.exchange import Saved

_LINK = ("client_id", "panel_client_id", "panel_login", "linked_by", "linked_at", "former_code")
_MATCH = ("client_id", "panel_client_id", "matched_by", "decision", "decided_by", "raised_at")
_HISTORY = (
    *("at", "run_id", *Key._fields),
    *("field", "direction", "reason", "value_before", "value_after", "counts", "passed", "found_by"),
)

_LINKED = sa.select(sync_links.c.client_id, sync_links.c.panel_client_id).where(among(sync_links.c.client_id))
_UNLINKED = sync_links.delete().where(among(sync_links.c.client_id))
_RECODED = sync_links.update().where(among(sync_links.c.client_id)).values(former_code="")
_FREED = sync_links.delete().where(among(sync_links.c.panel_client_id))
_ANSWERED = ("raised_at", "decision", "decided_by")
_STOOD = sa.select(
    sync_matches.c.client_id, sync_matches.c.panel_client_id, *(sync_matches.c[name] for name in _ANSWERED)
).where(among(sync_matches.c.client_id))
_TAKE = (
    sync_status.update()
    .where(
        *(sync_status.c[name] == sa.bindparam(f"of_{name}") for name in Key._fields),
        sync_status.c.decision == sa.bindparam("taken"),
    )
    .values(decision=None, decided_by=None)
)
"""Clears a decision that was taken: not one that a person has written since."""
_DROP_MATCHES = sync_matches.delete().where(among(sync_matches.c.client_id))


def _since(stored: sa.ColumnElement[Any], offered: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Since when the record is in this state: an unchanged state and code keep the older moment."""
    before, after = sync_status.c, offered.table.c
    unchanged = sa.and_(before.state == after.state, before.code == after.code)
    return sa.case((unchanged, stored), else_=offered)


_STATUS_MERGES: Mapping[str, Merge] = {
    "since": _since,
    "last_in_step_at": lambda stored, offered: sa.func.coalesce(offered, stored),
}


class _Accounts(NamedTuple):
    """How it stands with accounts that are to be linked.

    ``late``: the clients whose account is another client's that is there, or of this save, or was one's who was erased.
    ``freed``: the accounts that a client that is gone loses, ``listed`` those of ``incoming_clients``, which are
    nobody's news any more.
    """

    late: frozenset[str]
    freed: frozenset[str]
    listed: frozenset[str]


class Saver:
    """The statements that store changes, built once for a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowWriter(database)
        self._tombstones = Tombstones(database)
        dialect, incoming = database.dialect, database.erp.incoming_clients
        client = database.erp.clients.c
        self._there = sa.select(client.id).where(among(client.id))
        link, is_listed = sync_links.c, among(incoming.c.panel_client_id)
        self._held = sa.union_all(
            sa.select(link.panel_client_id, link.client_id).where(among(link.panel_client_id)),
            sa.select(incoming.c.panel_client_id, sa.null()).where(is_listed),
        )
        self._no_longer_incoming = incoming.delete().where(is_listed)
        self._links = dialect.upsert(sync_links, _LINK)
        self._matches = dialect.insert(sync_matches, _MATCH)
        self._history = dialect.insert(sync_history, _HISTORY)
        self._plan = dialect.insert(sync_plan, PLAN)
        self._base = dialect.upsert(sync_base, BASE)
        self._status = dialect.upsert(sync_status, STATUS, _STATUS_MERGES)
        self._drop_base, self._drop_status = (
            table.delete().where(among(*(table.c[name] for name in Key._fields))) for table in (sync_base, sync_status)
        )

    def save(self, changes: Sequence[Change], run_id: str, at: datetime, *, unless_changed: bool = False) -> Saved:
        """Store these changes in one transaction; in halves, where the database refuses our own rows of one of them."""
        changes = [change for change in changes if change]
        if not changes:
            return Saved()
        try:
            with self._database.writing(claims=False) as connection:
                known = _unchanged(connection, changes) if unless_changed else changes
                return self.store(connection, known, run_id, at)
        except Refused as error:
            if len(changes) == 1:
                return self._save_refused(changes[0], error.reason, run_id, at)
        half = len(changes) // 2
        first, second = (
            self.save(part, run_id, at, unless_changed=unless_changed) for part in (changes[:half], changes[half:])
        )
        return Saved(
            first.again | second.again, {**first.refused, **second.refused}, {**first.columns, **second.columns}
        )

    def _save_refused(self, change: Change, reason: str, run_id: str, at: datetime) -> Saved:
        """Store what is to be stored of a record that was refused alone: ``otherwise``, if that is taken."""
        if change.link:  # perhaps the account was linked to another client in this very moment
            with self._database.writing(claims=False) as connection:
                if self._linked(connection, [change]).late:
                    return self.store(connection, [change], run_id, at)
        if change.otherwise:
            self.save([change.otherwise], run_id, at)
        return Saved(refused={change.record.key: reason})

    def store(self, connection: sa.Connection, changes: Sequence[Change], run_id: str, at: datetime) -> Saved:
        """Store these changes inside a transaction and return what could not be stored as asked.

        Nothing is stored of a client who was erased, but that this is so. The first thing that is asked is whose the
        database is: Halt is raised where it is another installation's.
        """
        storable = self._tombstones.storable(connection, changes)
        erased = frozenset(change.record.key for change in changes) - {change.record.key for change in storable}
        changes, moved = storable, erased | _relinked(connection, storable)
        changes = [change for change in changes if change.record.key not in moved]
        again = frozenset[Key]()
        accounts = self._linked(connection, changes)
        if accounts.late:
            linking = [change for change in changes if change.link and change.link.client_id in accounts.late]
            again = frozenset(change.record.key for change in linking)
            others = [change for change in changes if change.record.key.client_id not in accounts.late]
            changes = [*others, *(change.otherwise for change in linking if change.otherwise)]
        writing = [change for change in changes if _writes_row(change)]
        answer = self._rows.write(connection, writing)
        missed = answer.again | answer.refused.keys()
        forms = self._rows.forms(connection, [change for change in writing if change.record.key not in missed])
        stored = [
            change.otherwise
            if _writes_row(change) and change.record.key in missed
            else with_erp_forms(change, forms.get(change.record.key))
            for change in changes
        ]
        self._store(connection, [change for change in stored if change is not None], accounts, run_id, at)
        return replace(answer, again=answer.again | again | moved)

    def _store(
        self, connection: sa.Connection, changes: Sequence[Change], accounts: _Accounts, run_id: str, at: datetime
    ) -> None:
        linked = {change.link.panel_client_id: _link_row(change.link, at) for change in changes if change.link}
        for_ids(connection, _FREED, accounts.freed & linked.keys())
        self._database.run(connection, self._links, linked.values())
        for_ids(connection, _UNLINKED, {change.record.key.client_id for change in changes if change.unlinked})
        for_ids(connection, _RECODED, {change.record.key.client_id for change in changes if change.recoded})
        for_ids(connection, self._no_longer_incoming, accounts.listed & linked.keys())
        given = {c.record.key.client_id: c.candidates for c in changes if c.candidates is not None}
        self._replace_matches(connection, given, at)
        history = (row for change in changes for row in _history_rows(change, run_id, at))
        self._database.run(connection, self._history, history)
        store_conflicts(self._database, connection, changes, at)
        bases = {
            c.record.key: base_row(c.record.key, c.after, at)
            for c in changes
            if _kept(c.after) != _kept(c.record.state)
        }
        self._put(connection, bases, self._base, self._drop_base)
        statuses = {
            c.record.key: status_row(c.record.key, c.after.status, at)
            for c in changes
            if c.after.status != c.record.state.status
        }
        self._put(connection, statuses, self._status, self._drop_status)
        end_rows(connection, {number: ended for change in changes for number, ended in change.planned.items()})
        self._database.run(connection, self._plan, (plan_row(ln, at) for c in changes for ln in c.replanned))
        if taken := [_taken(c) for c in changes if c.record.state.decision and not c.after.decision]:
            connection.execute(_TAKE, taken)

    def _put(
        self, connection: sa.Connection, rows: Mapping[Key, Row | None], upsert: sa.Executable, drop: sa.Delete
    ) -> None:
        """Write the rows of these keys, and delete those that are None."""
        self._database.run(connection, upsert, (row for row in rows.values() if row is not None))
        for_ids(connection, drop, [key for key, row in rows.items() if row is None])

    def _linked(self, connection: sa.Connection, changes: Sequence[Change]) -> _Accounts:
        """Return how it stands with the accounts that these changes link."""
        wanted: dict[str, str] = {}
        late = set()
        for link in (change.link for change in changes if change.link):
            if wanted.setdefault(link.panel_client_id, link.client_id) != link.client_id:
                late.add(link.client_id)
        held = by_ids(connection, self._held, wanted)
        others = {account: owner for account, owner in held if owner is not None and owner != wanted[account]}
        there = {row[0] for row in by_ids(connection, self._there, set(others.values()))}
        late |= {wanted[account] for account, owner in others.items() if owner in there}
        late |= {wanted[account] for account in self._tombstones.accounts(connection, wanted)}
        listed = frozenset(account for account, owner in held if owner is None)
        return _Accounts(frozenset(late), frozenset(others), listed)

    def _replace_matches(
        self, connection: sa.Connection, given: Mapping[str, Sequence[Candidate]], at: datetime
    ) -> None:
        """Store the clients' candidates in place of those that stood there.

        One that stays keeps its ``raised_at`` and its decision: a person may have answered since it was read.
        """
        stood = by_ids(connection, _STOOD, given)
        before = {(row[0], row[1]): dict(zip(_ANSWERED, row[2:], strict=True)) for row in stood}
        for_ids(connection, _DROP_MATCHES, {client_id for client_id, _ in before})
        rows = {(key, one.panel_client_id): _match_row(key, one, at) for key, some in given.items() for one in some}
        self._database.run(connection, self._matches, (row | before.get(key, {}) for key, row in rows.items()))


def _unchanged(connection: sa.Connection, changes: Sequence[Change]) -> list[Change]:
    """Return those of the changes whose records are as they were loaded; nobody changes them before the end."""
    concerns = {change.record.key.concern for change in changes}
    ids = sorted({change.record.key.client_id for change in changes})
    now = OF_CLIENTS_AND_ITEMS.read(connection, concerns, ids, locked=True)
    return [change for change in changes if now.get(change.record.key, NOTHING_KEPT) == change.record.state]


def _relinked(connection: sa.Connection, changes: Sequence[Change]) -> frozenset[Key]:
    """Return the records whose client has another account by now than the one they were planned for."""
    planned = {c.record.key: c.record.link.panel_client_id for c in changes if c.record.link and not c.link}
    now = {row[0]: row[1] for row in by_ids(connection, _LINKED, sorted({key.client_id for key in planned}))}
    return frozenset(key for key, account in planned.items() if now.get(key.client_id) != account)


def _writes_row(change: Change) -> bool:
    row = change.row
    return row is not None and bool(row.edits or row.insert is not None or row.delete is not None)


def _kept(state: RecordState) -> tuple[Any, ...]:
    """Return all of a state but its status."""
    return state.base, state.panel_id, state.notes, state.intent, state.deferral


def _taken(change: Change) -> Row:
    about = {f"of_{name}": value for name, value in change.record.key._asdict().items()}
    return {**about, "taken": change.record.state.decision}


def _link_row(link: Link, at: datetime) -> Row:
    return {
        "client_id": link.client_id,
        "panel_client_id": link.panel_client_id,
        "panel_login": fit(sync_links.c.panel_login, link.panel_login),
        "linked_by": fit(sync_links.c.linked_by, link.linked_by),
        "linked_at": at,
        "former_code": link.former_code,
    }


def _match_row(client_id: str, candidate: Candidate, at: datetime) -> Row:
    return {
        "client_id": client_id,
        "panel_client_id": candidate.panel_client_id,
        "matched_by": fit(sync_matches.c.matched_by, candidate.matched_by),
        "decision": candidate.decision or None,
        "decided_by": None,
        "raised_at": at,
    }


def _history_rows(change: Change, run_id: str, at: datetime) -> Iterable[Row]:
    about = {**change.record.key._asdict(), "at": at, "run_id": run_id, "found_by": change.record.found_by}
    for written in change.written:
        yield {
            **about,
            "field": written.field,
            "direction": str(written.direction),
            "reason": str(written.reason),
            "value_before": text_of(written.before),
            "value_after": text_of(written.after),
            "counts": written.counts,
            "passed": written.passed,
        }
