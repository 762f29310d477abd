"""Storing a chunk of settlements: a fixed number of statements for it, whatever its size, inside one transaction.

The ERP's own rows come first, on the condition that they still hold what was seen; what then could not be written is
stored as the settlement's ``fallback`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters import schema
from kartoteka.adapters.dialects import Engine, Merge
from kartoteka.adapters.rows import write_rows
from kartoteka.adapters.values import Row, among, by_ids, clean, fit, for_ids, pieces, text_of, to_json
from kartoteka.core.brake import is_risky
from kartoteka.core.model import Candidate, ConflictNote, Link, Parked, Settlement, State, Status
from kartoteka.ports import Settled

Key = tuple[str, str, str]
"""Client id, concern and item id of a record."""

FieldKey = tuple[str, str, str, str]
"""Client id, concern, item id and field of a conflict."""


class Settling:
    """The statements that store settlements, built once for an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._links = engine.upsert(schema.sync_links, _LINK)
        self.agreed = engine.upsert(schema.sync_agreed, _AGREED)
        self._status = engine.upsert(schema.sync_status, _STATUS, _STATUS_MERGES)
        self._parked = engine.upsert(schema.sync_parked, _PARKED)
        self._history = engine.insert(schema.sync_history, _HISTORY)
        self._conflicts = engine.insert(schema.sync_conflicts, _CONFLICT_ROW)
        self._matches = engine.insert(schema.sync_matches, _MATCH)
        self._drop_agreed = _by_keys(engine, schema.sync_agreed)
        self._drop_status = _by_keys(engine, schema.sync_status)
        self._drop_intents = _by_keys(engine, schema.sync_intents)
        self._unpark = _by_keys(engine, schema.sync_parked)

    def settle(
        self, connection: sa.Connection, settlements: Sequence[Settlement], run_id: str, at: datetime
    ) -> Settled:
        """Store these settlements and return what could not be stored as asked."""
        answer = write_rows(connection, self._engine, [s for s in settlements if s.writes_row])
        missed = answer.again | answer.refused.keys()
        stored = [s.fallback if s.writes_row and s.place in missed else s for s in settlements]
        self._store(connection, [s for s in stored if s is not None], run_id, at)
        return answer

    def _store(self, connection: sa.Connection, settlements: Sequence[Settlement], run_id: str, at: datetime) -> None:
        self._store_links(connection, [s.link for s in settlements if s.link], at)
        self._replace_matches(
            connection, {s.client_id: s.candidates for s in settlements if s.candidates is not None}, at
        )
        self._run(connection, self._history, (row for s in settlements for row in _history_rows(s, run_id, at)))
        self._store_conflicts(connection, settlements, at)
        self._forget(connection, [_key(s) for s in settlements if s.forget])
        self._store_places(connection, [s for s in settlements if not s.forget], at)

    def _store_links(self, connection: sa.Connection, links: Sequence[Link], at: datetime) -> None:
        """Store links: an account is one card's, and nobody's news any more, whatever the ERP answered."""
        for_ids(connection, _FREED, [link.panel_client_id for link in links])
        self._run(connection, self._links, (_link_row(link, at) for link in links))
        for_ids(connection, _NO_LONGER_INCOMING, [link.panel_client_id for link in links])

    def _replace_matches(
        self, connection: sa.Connection, given: Mapping[str, Sequence[Candidate]], at: datetime
    ) -> None:
        """Store the cards' candidates in place of those that stood there.

        One that stays keeps its ``raised_at`` and its decision: a person may have answered since it was read.
        """
        before = {
            (row[0], row[1]): {"raised_at": row[2], "decision": row[3]} for row in by_ids(connection, _RAISED, given)
        }
        for_ids(connection, _DROP_MATCHES, given)
        rows = {(key, one.panel_client_id): _match_row(key, one, at) for key, some in given.items() for one in some}
        self._run(connection, self._matches, (row | before.get(key, {}) for key, row in rows.items()))

    def _forget(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        for statement in (self._drop_agreed, self._drop_status, self._drop_intents, self._unpark):
            _delete(connection, statement, keys)

    def _store_places(self, connection: sa.Connection, settlements: Sequence[Settlement], at: datetime) -> None:
        self._run(connection, self.agreed, (_agreed_row(s, at) for s in settlements if s.agreed is not None))
        self._run(connection, self._status, (_status_row(s, s.status, at) for s in settlements if s.status))
        whole = [s for s in settlements if s.status]
        _delete(connection, self._drop_intents, [_key(s) for s in whole if not s.keep_intent])
        moved = [s for s in whole if not s.keep_parked]
        self._run(connection, self._parked, (_parked_row(s, s.parked) for s in moved if s.parked))
        _delete(connection, self._unpark, [_key(s) for s in moved if not s.parked])

    def _store_conflicts(self, connection: sa.Connection, settlements: Sequence[Settlement], at: datetime) -> None:
        notes = {(s.client_id, s.concern, s.item_id, note.field): note for s in settlements for note in s.conflicts}
        known = _open_conflicts(connection, notes)
        self._run(connection, self._conflicts, (_conflict_row(k, notes[k], at) for k in notes if k not in known))
        renewed = {number: notes[key] for key, number in known.items() if key in notes}
        _each(connection, _RENEW_CONFLICT, ({"row_id": n, **_conflict_values(note)} for n, note in renewed.items()))
        told = ((number, note.winner) for number, note in renewed.items() if note.winner and not note.carried)
        _each(connection, _TELL_WINNER, ({"row_id": number, "winner": str(winner)} for number, winner in told))
        won = {number: note.winner for number, note in renewed.items() if note.winner and note.carried}
        closed = {number: winner for s in settlements for number, winner in s.close_conflicts.items()}
        ended = {**won, **closed}.items()
        _each(connection, _CLOSE_CONFLICT, ({"row_id": n, "winner": w and str(w), "at": at} for n, w in ended))

    def _run(self, connection: sa.Connection, statement: sa.Executable, rows: Iterable[Row]) -> None:
        given = list(rows)
        if given:
            self._engine.run(connection, statement, given)


def _each(connection: sa.Connection, statement: sa.Executable, rows: Iterable[Row]) -> None:
    given = list(rows)
    if given:
        connection.execute(statement, given)


def _delete(connection: sa.Connection, statement: sa.Executable, keys: Sequence[Key]) -> None:
    for some in pieces(keys):
        connection.execute(statement, {"keys": some})


# --- our own rows

_LINK = ("client_id", "panel_client_id", "panel_login", "linked_by", "linked_at")
_MATCH = ("client_id", "panel_client_id", "matched_by", "decision", "raised_at")
_AGREED = ("client_id", "concern", "item_id", "values", "panel_item_id", "agreed_at")
_STATUS = ("client_id", "concern", "item_id", "state", "since", "last_in_step_at", "code", "message")
_PARKED = ("client_id", "concern", "item_id", "due_at", "attempts", "tries", "code")

_HISTORY = (
    *("at", "run_id", "client_id", "concern", "item_id"),
    *("field", "direction", "reason", "value_before", "value_after", "risky"),
)
_CONFLICT_ROW = (
    *("client_id", "concern", "item_id", "field", "erp_value", "panel_value", "base_value"),
    *("raised_at", "decision", "closed_at"),
)


_MATCHES = schema.sync_matches
_RAISED = sa.select(_MATCHES.c.client_id, _MATCHES.c.panel_client_id, _MATCHES.c.raised_at, _MATCHES.c.decision).where(
    among(_MATCHES.c.client_id)
)
_DROP_MATCHES = _MATCHES.delete().where(among(_MATCHES.c.client_id))
_NO_LONGER_INCOMING = schema.incoming_clients.delete().where(among(schema.incoming_clients.c.panel_client_id))
_FREED = schema.sync_links.delete().where(among(schema.sync_links.c.panel_client_id))


def _by_keys(engine: Engine, table: sa.Table) -> sa.Delete:
    return table.delete().where(engine.among(table.c.client_id, table.c.concern, table.c.item_id))


def _since(stored: sa.ColumnElement[Any], offered: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Since when the record is in this state: an unchanged state and code keep the older moment."""
    before, after = schema.sync_status.c, offered.table.c
    unchanged = sa.and_(before.state == after.state, before.code == after.code)
    return sa.case((unchanged, stored), else_=offered)


_STATUS_MERGES: Mapping[str, Merge] = {
    "since": _since,
    "last_in_step_at": lambda stored, offered: sa.func.coalesce(offered, stored),
}


def _key(settlement: Settlement) -> Key:
    return settlement.client_id, settlement.concern, settlement.item_id


def _place(settlement: Settlement) -> Row:
    return {"client_id": settlement.client_id, "concern": settlement.concern, "item_id": settlement.item_id}


def _link_row(link: Link, at: datetime) -> Row:
    return {
        "client_id": link.client_id,
        "panel_client_id": link.panel_client_id,
        "panel_login": fit(schema.sync_links.c.panel_login, link.panel_login),
        "linked_by": link.linked_by,
        "linked_at": at,
    }


def _match_row(client_id: str, candidate: Candidate, at: datetime) -> Row:
    return {
        "client_id": client_id,
        "panel_client_id": candidate.panel_client_id,
        "matched_by": fit(_MATCHES.c.matched_by, candidate.matched_by),
        "decision": candidate.decision or None,
        "raised_at": at,
    }


def _agreed_row(settlement: Settlement, at: datetime) -> Row:
    return {
        **_place(settlement),
        "values": to_json(settlement.agreed or {}),
        "panel_item_id": fit(schema.sync_agreed.c.panel_item_id, settlement.panel_item_id) or None,
        "agreed_at": at,
    }


def _status_row(settlement: Settlement, status: Status, at: datetime) -> Row:
    return {
        **_place(settlement),
        "state": str(status.state),
        "since": at,
        "last_in_step_at": at if status.state is State.IN_STEP else None,
        "code": fit(schema.sync_status.c.code, status.code),
        "message": clean(status.message),
    }


def _parked_row(settlement: Settlement, parked: Parked) -> Row:
    return {
        **_place(settlement),
        "due_at": parked.due_at,
        "attempts": parked.attempts,
        "tries": parked.tries,
        "code": fit(schema.sync_parked.c.code, parked.code),
    }


def _history_rows(settlement: Settlement, run_id: str, at: datetime) -> Iterable[Row]:
    place = {**_place(settlement), "at": at, "run_id": run_id}
    for written in settlement.written:
        yield {
            **place,
            "field": written.field,
            "direction": str(written.direction),
            "reason": str(written.reason),
            "value_before": text_of(written.before),
            "value_after": text_of(written.after),
            "risky": is_risky(written) and not settlement.confirmed,
        }


# --- conflicts

_OPEN = schema.sync_conflicts.c.closed_at.is_(None)
_CONFLICT = schema.sync_conflicts.c
_UPDATE_CONFLICT = schema.sync_conflicts.update().where(_CONFLICT.id == sa.bindparam("row_id"), _OPEN)
_RENEW_CONFLICT = _UPDATE_CONFLICT.values(
    {name: sa.bindparam(name) for name in ("erp_value", "panel_value", "base_value")}
)
_DECISION = sa.func.coalesce(_CONFLICT.decision, sa.bindparam("winner", type_=_CONFLICT.decision.type))
_DECIDED_AT = sa.func.coalesce(_CONFLICT.decided_at, sa.bindparam("at"))
_TELL_WINNER = _UPDATE_CONFLICT.values(decision=_DECISION)
_CLOSE_CONFLICT = _UPDATE_CONFLICT.ordered_values(
    (_CONFLICT.decided_at, sa.case((_CONFLICT.decision.is_not(None), _DECIDED_AT))),
    (_CONFLICT.decision, _DECISION),
    (_CONFLICT.closed_at, sa.bindparam("at")),
)
"""``decided_at`` is set where a decision stood there already; it then stays, else it says who won by the policy."""


def _open_conflicts(connection: sa.Connection, keys: Iterable[FieldKey]) -> dict[FieldKey, int]:
    """Return the ids of the open rows among these."""
    clients = sorted({key[0] for key in keys})
    if not clients:
        return {}
    columns = (_CONFLICT.client_id, _CONFLICT.concern, _CONFLICT.item_id, _CONFLICT.field, _CONFLICT.id)
    rows = connection.execute(sa.select(*columns).where(_OPEN, _CONFLICT.client_id.in_(clients)))
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


def _conflict_values(note: ConflictNote) -> Row:
    return {
        "erp_value": text_of(note.erp_value),
        "panel_value": text_of(note.panel_value),
        "base_value": text_of(note.base_value),
    }


def _conflict_row(key: FieldKey, note: ConflictNote, at: datetime) -> Row:
    client_id, concern, item_id, name = key
    return {
        **_conflict_values(note),
        "client_id": client_id,
        "concern": concern,
        "item_id": item_id,
        "field": name,
        "raised_at": at,
        "decision": str(note.winner) if note.winner else None,
        "closed_at": at if note.winner and note.carried else None,
    }
