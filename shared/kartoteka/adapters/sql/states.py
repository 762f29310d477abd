"""What is kept of a record in ``sync_base`` and ``sync_status``: how it is read, and how it is spelled there."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.tables import sync_base, sync_status
from kartoteka.adapters.sql.values import Row, Select, among, clean, fit
from kartoteka.codes import State, Status
from kartoteka.fields.values import from_json
from kartoteka.model import Deferral, Direction, Forms, Intent, Key, Note, Reason, RecordState, Sent, Value, Written

KEY = Key._fields
BASE = (*KEY, "values", "panel_item_id", "notes", "intent", "due_at", "attempts", "tries", "code", "unread_since", "at")
"""The columns of a row of ``sync_base``."""
STATUS = (*KEY, "state", "since", "last_in_step_at", "code", "field", "message_pl", "message_en")
"""The columns of a row of ``sync_status``."""

_PANEL_ITEM_ID, _BASE_CODE = sync_base.c.panel_item_id, sync_base.c.code
_STATUS_CODE, _STATUS_FIELD = sync_status.c.code, sync_status.c.field

Whose = Callable[[sa.Table], sa.ColumnElement[bool]]
"""A table of ours -> the condition for its rows about the owners in the parameter ``ids``."""


def of_clients(table: sa.Table) -> sa.ColumnElement[bool]:
    """Pick the rows about some clients, their items among them."""
    return sa.and_(among(table.c.client_id), table.c.group_id == "")


def of_groups(table: sa.Table) -> sa.ColumnElement[bool]:
    """Pick the rows about some discount groups, their prices among them."""
    return sa.and_(table.c.client_id == "", among(table.c.group_id))


class StateReader:
    """The two statements that read the states of some owners' records, of items only ``with_items``."""

    def __init__(self, whose: Whose, *, with_items: bool = False) -> None:
        self._base = _select(sync_base, BASE[:-1], whose, with_items=with_items)
        names = ("state", "code", "field", "message_pl", "message_en")
        self._status = _select(sync_status, (*KEY, *names, "decision"), whose, with_items=with_items)

    def read(
        self, connection: sa.Connection, concerns: Collection[str], ids: Collection[str], *, locked: bool = False
    ) -> dict[Key, RecordState]:
        """Return the states by key; of records of which nothing is kept, none.

        ``locked``: until the end of the transaction nobody else changes what was read.
        """
        given = {"ids": ids, "concerns": concerns}
        rows = connection.execute(self._base.with_for_update() if locked else self._base, given).all()
        said = {
            Key(client_id, group_id, concern, item_id): (status_of(*told), str(decision or ""))
            for client_id, group_id, concern, item_id, *told, decision in connection.execute(self._status, given).all()
        }
        states: dict[Key, RecordState] = {}
        for client_id, group_id, concern, item_id, *kept in rows:
            key = Key(client_id, group_id, concern, item_id)
            states[key] = RecordState(*_kept(kept), *said.pop(key, (None, "")))
        return states | {key: RecordState(status=status, decision=word) for key, (status, word) in said.items()}


def _select(table: sa.Table, columns: Collection[str], whose: Whose, *, with_items: bool) -> Select:
    found = sa.select(*(table.c[name] for name in columns)).where(
        whose(table), among(table.c.concern, parameter="concerns")
    )
    return found if with_items else found.where(table.c.item_id == "")


OF_CLIENTS, OF_CLIENTS_AND_ITEMS = StateReader(of_clients), StateReader(of_clients, with_items=True)
OF_GROUPS = StateReader(of_groups)


@lru_cache(maxsize=256)
def status_of(state: str, code: str, field: str, message_pl: str | None, message_en: str | None) -> Status:
    """Return the status in a row: state, code, field and both messages. Most rows say one of a few things."""
    return Status(State(state), code, field, message_pl or "", message_en or "")


def _kept(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the first attributes of a :class:`RecordState`: all but its status and a person's decision."""
    values, panel_id, notes, intent, due_at, attempts, tries, code, unread_since = row
    return (
        None if values is None else _forms(values),
        panel_id or "",
        {field: Note(*note) for field, note in json.loads(notes).items()} if notes else {},
        None if intent is None else _intent(json.loads(intent)),
        None if due_at is None else Deferral(due_at, attempts, tries, code, unread_since),
    )


def base_row(key: Key, state: RecordState, at: datetime) -> Row | None:
    """Return the row of ``sync_base`` for a state; None where nothing is kept there."""
    base, deferral, intent = state.base, state.deferral, state.intent
    if base is None and intent is None and not (state.panel_id or state.notes or deferral):
        return None
    return {
        **dict(zip(KEY, key, strict=True)),
        "values": None if base is None else _json(_spelled(base)),
        "panel_item_id": fit(_PANEL_ITEM_ID, state.panel_id) or None,
        "notes": _json({field: _spelled_note(note) for field, note in state.notes.items()}) if state.notes else None,
        "intent": None if intent is None else _json(_spelled_intent(intent)),
        "due_at": deferral.due_at if deferral else None,
        "attempts": deferral.attempts if deferral else 0,
        "tries": deferral.tries if deferral else 0,
        "code": fit(_BASE_CODE, deferral.code) if deferral else "",
        "unread_since": deferral.unread_since if deferral else None,
        "at": at,
    }


def status_row(key: Key, status: Status | None, at: datetime) -> Row | None:
    """Return the row of ``sync_status`` for a status; None for none."""
    if status is None:
        return None
    in_step_at = at if status.state is State.IN_STEP else None
    return {**dict(zip(KEY, key, strict=True)), "since": at, "last_in_step_at": in_step_at, **_told(status)}


@lru_cache(maxsize=256)
def _told(status: Status) -> Row:
    return {
        "state": str(status.state),
        "code": fit(_STATUS_CODE, status.code),
        "field": fit(_STATUS_FIELD, status.field),
        "message_pl": clean(status.message_pl),
        "message_en": clean(status.message_en),
    }


# --- JSON

_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_moment = datetime.fromisoformat

_SENT = ""
"""No field's name: under it stands what is remembered of values that the panel has not shown yet, each once."""


def _spelled(base: Forms) -> dict[str, Any]:
    """Spell a field by its value where the forms are equal, else by a list: of both, or of the ERP's alone.

    Ids are a list themselves, so they are never spelled by their value. A value that the panel has not shown yet has a
    third place, which says what is remembered of it: most fields that are sent are sent together.
    """
    document: dict[str, Any] = {}
    remembered: dict[Sent, int] = {}
    for name, value in base.erp.items():
        if sent := base.sent.get(name):
            document[name] = [value, None, remembered.setdefault(sent, len(remembered))]
        elif name not in base.panel:
            document[name] = [value]
        else:
            panel = base.panel[name]
            document[name] = value if value == panel and not isinstance(value, tuple) else [value, panel]
    if remembered:
        document[_SENT] = [[s.at.isoformat(), s.former, s.ask_at.isoformat(), s.times, s.seen] for s in remembered]
    return document


@lru_cache(maxsize=8192)
def _forms(spelled_base: str) -> Forms:
    """Read a base. One that is to be stored is read again, locked, to see that nobody has changed it since."""
    document: dict[str, Any] = json.loads(spelled_base)
    remembered = [_sent(*each) for each in document.pop(_SENT, ())]
    erp: dict[str, Value] = {}
    panel: dict[str, Value] = {}
    sent: dict[str, Sent] = {}
    for name, spelled in document.items():
        if not isinstance(spelled, list):
            erp[name] = panel[name] = spelled
            continue
        erp[name] = from_json(spelled[0])
        if len(spelled) == 2:
            panel[name] = from_json(spelled[1])
        elif len(spelled) == 3:
            sent[name] = remembered[spelled[2]]
    return Forms(erp, panel, sent)


def _sent(at: str, former: list[Any], ask_at: str, times: int, seen: bool) -> Sent:
    return Sent(_moment(at), tuple(map(from_json, former)), _moment(ask_at), times, seen)


def _spelled_note(note: Note) -> list[Any]:
    return list(note) if note.country else list(note)[:-1]


def _spelled_intent(intent: Intent) -> dict[str, Any]:
    """Spell an intent by what is not the default of its attributes."""
    rows = [[w.field, w.direction, w.reason, w.before, w.after, *_marks(w)] for w in intent.written]
    whole = {
        "written": rows,
        "making": intent.making,
        "login": intent.login,
        "linked_by": intent.linked_by,
        "existing": list(intent.existing),
    }
    return {name: value for name, value in whole.items() if value}


def _marks(written: Written) -> list[bool]:
    return [written.counts, True] if written.passed else [True] if written.counts else []


def _intent(document: dict[str, Any]) -> Intent:
    rows = document.pop("written", ())
    written = tuple(
        Written(f, Direction(d), Reason(r), from_json(before), from_json(after), *counts)
        for f, d, r, before, after, *counts in rows
    )
    return Intent(written, **{**document, "existing": tuple(document.get("existing", ()))})
