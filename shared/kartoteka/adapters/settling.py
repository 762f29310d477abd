"""Storing a chunk of settlements: a fixed number of statements for it, whatever its size, inside one transaction.

The ERP's own rows come first, on the condition that they still hold what was seen; what then could not be written is
stored as the settlement's ``fallback`` says.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kartoteka.adapters import schema
from kartoteka.adapters.dialects import Engine, Merge, reason
from kartoteka.core.errors import Halt, Retry
from kartoteka.core.model import ConflictNote, Link, Parked, Record, Settlement, State, Status, Value
from kartoteka.ports import Settled

CHUNK = 1000
"""Keys in one statement at most."""

Row = dict[str, Any]
Key = tuple[str, str, str, str]
"""Client id, concern, item id and field of a conflict."""

_Columns = tuple[sa.Table, tuple[str, ...]]
"""A table of the ERP's, and those of its columns that are written together."""

_Group = tuple[sa.Update, list[Settlement]]
"""A conditional UPDATE and the settlements to run it for."""

ROW_TABLES: Mapping[str, sa.Table] = {"accounts": schema.clients, "billing": schema.clients}
"""Concern -> the ERP's table whose rows it reads and writes, by ``id``."""


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
        self._drop_intents = _by_keys(engine, schema.sync_intents)
        self._unpark = _by_keys(engine, schema.sync_parked)

    def settle(
        self, connection: sa.Connection, settlements: Sequence[Settlement], run_id: str, at: datetime
    ) -> Settled:
        """Store these settlements and return what could not be stored as asked."""
        answer = write_rows(connection, self._engine, [s for s in settlements if s.row_edits])
        missed = answer.again | answer.refused.keys()
        stored = [s.fallback if s.row_edits and s.client_id in missed else s for s in settlements]
        self._store(connection, [s for s in stored if s is not None], run_id, at)
        return answer

    def _store(self, connection: sa.Connection, settlements: Sequence[Settlement], run_id: str, at: datetime) -> None:
        self._run(connection, self._links, (_link_row(s.link, at) for s in settlements if s.link))
        self._run(connection, self.agreed, (_agreed_row(s, at) for s in settlements if s.agreed is not None))
        self._run(connection, self._status, (_status_row(s, s.status, at) for s in settlements if s.status))
        self._run(connection, self._history, (row for s in settlements for row in _history_rows(s, run_id, at)))
        self._store_conflicts(connection, settlements, at)
        whole = [s for s in settlements if s.status]
        _delete(connection, self._drop_intents, (_key(s) for s in whole if not s.keep_intent))
        self._run(connection, self._parked, (_parked_row(s, s.parked) for s in whole if s.parked))
        _delete(connection, self._unpark, (_key(s) for s in whole if not s.parked))

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


def _delete(connection: sa.Connection, statement: sa.Executable, keys: Iterable[tuple[str, str, str]]) -> None:
    given = list(keys)
    for start in range(0, len(given), CHUNK):
        connection.execute(statement, {"keys": given[start : start + CHUNK]})


# --- the ERP's rows


def write_rows(connection: sa.Connection, engine: Engine, settlements: Sequence[Settlement]) -> Settled:
    """Write the row edits that still hold; say which rows were changed meanwhile, and which the database refused."""
    by_columns: dict[_Columns, list[Settlement]] = defaultdict(list)
    for settlement in sorted(settlements, key=_row_id):  # everybody locks rows in the same order
        by_columns[ROW_TABLES[settlement.concern], tuple(sorted(settlement.row_edits))].append(settlement)
    groups = [(_conditional_update(engine, *columns), group) for columns, group in by_columns.items()]
    return Settled() if _write_together(connection, engine, groups) else _write_one_by_one(connection, engine, groups)


def _conditional_update(engine: Engine, table: sa.Table, names: tuple[str, ...]) -> sa.Update:
    """Return the UPDATE of these columns of a row that holds nothing but what was seen in them."""
    seen = [engine.same(table.c[name], sa.bindparam(f"seen_{name}", type_=table.c[name].type)) for name in names]
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
    return table.update().where(table.c.id == sa.bindparam("row_id"), *seen).values(values)


def _write_together(connection: sa.Connection, engine: Engine, groups: Sequence[_Group]) -> bool:
    """Write all edits with one statement for each set of columns; False (and nothing written) if one does not hold."""
    if not groups:
        return True
    savepoint = connection.begin_nested()
    try:
        held = all(_write(connection, update, edits) == len(edits) for update, edits in groups)
    except (DBAPIError, ValueError) as error:
        _give_up(engine, savepoint, error)
        return False
    (savepoint.commit if held else savepoint.rollback)()
    return held


def _write_one_by_one(connection: sa.Connection, engine: Engine, groups: Sequence[_Group]) -> Settled:
    again: set[str] = set()
    refused: dict[str, str] = {}
    for update, settlement in ((update, settlement) for update, edits in groups for settlement in edits):
        savepoint = connection.begin_nested()
        try:
            written = _write(connection, update, [settlement])
        except (DBAPIError, ValueError) as error:
            _give_up(engine, savepoint, error)
            refused[settlement.client_id] = reason(error) if isinstance(error, DBAPIError) else "not a text"
            continue
        savepoint.commit()
        if not written:
            again.add(settlement.client_id)
    return Settled(frozenset(again), refused)


def _write(connection: sa.Connection, update: sa.Update, edits: Sequence[Settlement]) -> int:
    return int(connection.execute(update, [_edit_row(s) for s in edits]).rowcount)


def _give_up(engine: Engine, savepoint: sa.NestedTransaction, error: Exception) -> None:
    """Undo to the savepoint, or pass the error on where the database itself is the matter and not the row."""
    verdict = engine.diagnose(error) if isinstance(error, DBAPIError) else None
    if isinstance(verdict, Retry) or (isinstance(verdict, Halt) and verdict.code != "no_schema"):
        raise error
    savepoint.rollback()


def _row_id(settlement: Settlement) -> str:
    return settlement.item_id or settlement.client_id


def _edit_row(settlement: Settlement) -> Row:
    row: Row = {"row_id": _row_id(settlement)}
    for name, edit in settlement.row_edits.items():
        row[f"seen_{name}"], row[f"new_{name}"] = edit.seen, _storable(edit.value)
    return row


def _storable(value: Value) -> Value:
    """Raise ValueError for a text that no database takes."""
    if isinstance(value, str) and clean(value) != value:
        raise ValueError
    return value


# --- our own rows


def value_of(stored: Any) -> Value:
    """Return a column's value as a record has it, whatever type the ERP's author gave the column."""
    if stored is None or isinstance(stored, str | bool):
        return stored
    return stored.decode("utf-8", "replace") if isinstance(stored, bytes) else str(stored)


def clean(text: str) -> str:
    """Return the text without what no database takes: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(value: Value) -> str | None:
    """Return a value as ``sync_history`` and ``sync_conflicts`` show it."""
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else clean(value)
    return None if value is None else str(value).lower()


def to_json(record: Record) -> str:
    """Return a record as the text that ``sync_agreed`` and ``sync_intents`` hold."""
    return json.dumps(dict(record), sort_keys=True)


def from_json(text: str) -> Record:
    """Return the record that :func:`to_json` wrote."""
    record: Record = json.loads(text)
    return record


def fit(column: sa.Column[Any], text: str) -> str:
    """Return a text of the panel's cleaned, and cut to what our column holds."""
    length = getattr(column.type, "length", None)
    return clean(text)[:length]


_LINK = ("client_id", "panel_client_id", "panel_login", "linked_by", "linked_at")
_AGREED = ("client_id", "concern", "item_id", "values", "agreed_at")
_STATUS = ("client_id", "concern", "item_id", "state", "since", "last_in_step_at", "code", "message")
_PARKED = ("client_id", "concern", "item_id", "due_at", "attempts", "tries", "code")

_HISTORY = (
    *("at", "run_id", "client_id", "concern", "item_id"),
    *("field", "direction", "reason", "value_before", "value_after"),
)
_CONFLICT_ROW = (
    *("client_id", "concern", "item_id", "field", "erp_value", "panel_value", "base_value"),
    *("raised_at", "decision", "closed_at"),
)


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


def _key(settlement: Settlement) -> tuple[str, str, str]:
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


def _agreed_row(settlement: Settlement, at: datetime) -> Row:
    return {**_place(settlement), "values": to_json(settlement.agreed or {}), "agreed_at": at}


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


def _open_conflicts(connection: sa.Connection, keys: Iterable[Key]) -> dict[Key, int]:
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


def _conflict_row(key: Key, note: ConflictNote, at: datetime) -> Row:
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
