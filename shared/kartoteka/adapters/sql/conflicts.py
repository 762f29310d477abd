"""``sync_conflicts``: writing conflicts down, and closing them; what a person decided there is never overwritten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.tables import sync_conflicts
from kartoteka.adapters.sql.values import Row, among, by_ids, text_of
from kartoteka.model import Change, ConflictNote

_FieldKey = tuple[str, str, str, str]
"""Client id, concern, item id and field of a conflict."""

_CONFLICT = sync_conflicts.c
_IS_OPEN = _CONFLICT.closed_at.is_(None)
_OPEN = sa.select(_CONFLICT.client_id, _CONFLICT.concern, _CONFLICT.item_id, _CONFLICT.field, _CONFLICT.id).where(
    _IS_OPEN, among(_CONFLICT.client_id)
)
_ROW = ("client_id", "concern", "item_id", "field", "erp_value", "panel_value", "base_value")
_ROW_COLUMNS = (*_ROW, "raised_at", "decision", "decided_by", "closed_at")
BY_POLICY = "policy"
"""Who decided where a rule did."""

_UPDATE = sync_conflicts.update().where(_CONFLICT.id == sa.bindparam("row_id"), _IS_OPEN)
_RENEW = _UPDATE.values({name: sa.bindparam(name) for name in ("erp_value", "panel_value", "base_value")})
_DECISION = sa.func.coalesce(_CONFLICT.decision, sa.bindparam("winner", type_=_CONFLICT.decision.type))
_DECIDED_AT = sa.func.coalesce(_CONFLICT.decided_at, sa.bindparam("at"))
_DECIDED_BY = sa.case(
    (_CONFLICT.decision.is_not(None), _CONFLICT.decided_by),
    (sa.bindparam("winner", type_=_CONFLICT.decision.type).is_not(None), BY_POLICY),
)
_TELL_WINNER = _UPDATE.ordered_values((_CONFLICT.decided_by, _DECIDED_BY), (_CONFLICT.decision, _DECISION))
_CLOSE = _UPDATE.ordered_values(
    (_CONFLICT.decided_by, _DECIDED_BY),
    (_CONFLICT.decided_at, sa.case((_CONFLICT.decision.is_not(None), _DECIDED_AT))),
    (_CONFLICT.decision, _DECISION),
    (_CONFLICT.closed_at, sa.bindparam("at")),
)
"""``decided_at`` is set where a decision stood there already; it then stays, else it says who won by the policy."""


def store_conflicts(database: Database, connection: sa.Connection, changes: Sequence[Change], at: datetime) -> None:
    """Store the conflicts of these changes: up to five statements, none where there are no conflicts."""
    notes = {(*_about(change), note.field): note for change in changes for note in change.conflicts}
    known = _open(connection, notes)
    new = [_row(key, note, at) for key, note in notes.items() if key not in known]
    database.run(connection, database.dialect.insert(sync_conflicts, _ROW_COLUMNS), new)
    renewed = {number: notes[key] for key, number in known.items() if key in notes}
    _each(connection, _RENEW, ({"row_id": number, **_values(note)} for number, note in renewed.items()))
    told = ((number, note.winner) for number, note in renewed.items() if note.winner and not note.closed)
    _each(connection, _TELL_WINNER, ({"row_id": number, "winner": str(winner)} for number, winner in told))
    won = {number: note.winner for number, note in renewed.items() if note.winner and note.closed}
    ended = {**won, **{number: winner for change in changes for number, winner in change.closed.items()}}
    _each(connection, _CLOSE, ({"row_id": n, "winner": w and str(w), "at": at} for n, w in ended.items()))


def _about(change: Change) -> tuple[str, str, str]:
    key = change.record.key
    return key.client_id, key.concern, key.item_id


def _open(connection: sa.Connection, keys: Collection[_FieldKey]) -> dict[_FieldKey, int]:
    """Return the ids of the open rows of these clients."""
    clients = sorted({key[0] for key in keys})
    return {(row[0], row[1], row[2], row[3]): row[4] for row in by_ids(connection, _OPEN, clients)}


def _each(connection: sa.Connection, statement: sa.Executable, rows: Iterable[Row]) -> None:
    given = list(rows)
    if given:
        connection.execute(statement, given)


def _values(note: ConflictNote) -> Row:
    return {
        "erp_value": text_of(note.erp_value),
        "panel_value": text_of(note.panel_value),
        "base_value": text_of(note.base_value),
    }


def _row(key: _FieldKey, note: ConflictNote, at: datetime) -> Row:
    client_id, concern, item_id, name = key
    return {
        **_values(note),
        "client_id": client_id,
        "concern": concern,
        "item_id": item_id,
        "field": name,
        "raised_at": at,
        "decision": str(note.winner) if note.winner else None,
        "decided_by": BY_POLICY if note.winner else None,
        "closed_at": at if note.winner and note.closed else None,
    }
