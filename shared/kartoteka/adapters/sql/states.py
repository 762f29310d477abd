"""What is kept of a record in ``sync_base`` and ``sync_status``: how it is read, and how it is spelled there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.tables import sync_base, sync_status
from kartoteka.adapters.sql.values import Row, Select, among, clean, fit
from kartoteka.codes import State, Status
from kartoteka.fields.values import from_json
from kartoteka.model import Deferral, Direction, Forms, Intent, Key, Note, Reason, RecordState, Sent, Value, Written

KEY = Key._fields
BASE = (*KEY, "values", "panel_item_id", "notes", "intent", "due_at", "attempts", "tries", "code", "at")
"""The columns of a row of ``sync_base``."""
STATUS = (*KEY, "state", "since", "last_in_step_at", "code", "field", "message_pl", "message_en")
"""The columns of a row of ``sync_status``."""

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
        given = {"ids": list(ids), "concerns": list(concerns)}
        kept: dict[Key, dict[str, Any]] = defaultdict(dict)
        for row in connection.execute(self._base.with_for_update() if locked else self._base, given):
            kept[Key(*row[:4])] = _kept(row[4:])
        for row in connection.execute(self._status, given):
            kept[Key(*row[:4])] |= {"status": status_of(row[4:-1]), "decision": str(row[-1] or "")}
        return {key: RecordState(**parts) for key, parts in kept.items()}


def _select(table: sa.Table, columns: Collection[str], whose: Whose, *, with_items: bool) -> Select:
    found = sa.select(*(table.c[name] for name in columns)).where(
        whose(table), table.c.concern.in_(sa.bindparam("concerns", expanding=True))
    )
    return found if with_items else found.where(table.c.item_id == "")


OF_CLIENTS, OF_CLIENTS_AND_ITEMS = StateReader(of_clients), StateReader(of_clients, with_items=True)
OF_GROUPS = StateReader(of_groups)


def status_of(row: Any) -> Status:
    """Return the status in a row: state, code, field and both messages."""
    state, code, field, message_pl, message_en = row
    return Status(State(state), code, field, message_pl or "", message_en or "")


def _kept(row: Any) -> dict[str, Any]:
    values, panel_id, notes, intent, due_at, attempts, tries, code = row
    return {
        "base": None if values is None else _forms(json.loads(values)),
        "panel_id": panel_id or "",
        "notes": {field: Note(*note) for field, note in json.loads(notes or "{}").items()},
        "intent": None if intent is None else _intent(json.loads(intent)),
        "deferral": None if due_at is None else Deferral(due_at, attempts, tries, code),
    }


def base_row(key: Key, state: RecordState, at: datetime) -> Row | None:
    """Return the row of ``sync_base`` for a state; None where nothing is kept there."""
    deferral = state.deferral
    kept = (state.base is not None, state.panel_id, state.notes, state.intent is not None, deferral)
    if not any(kept):
        return None
    return {
        **key._asdict(),
        "values": None if state.base is None else _json(_spelled(state.base)),
        "panel_item_id": fit(sync_base.c.panel_item_id, state.panel_id) or None,
        "notes": _json({field: _spelled_note(note) for field, note in state.notes.items()}) if state.notes else None,
        "intent": None if state.intent is None else _json(_spelled_intent(state.intent)),
        "due_at": deferral.due_at if deferral else None,
        "attempts": deferral.attempts if deferral else 0,
        "tries": deferral.tries if deferral else 0,
        "code": fit(sync_base.c.code, deferral.code) if deferral else "",
        "at": at,
    }


def status_row(key: Key, status: Status | None, at: datetime) -> Row | None:
    """Return the row of ``sync_status`` for a status; None for none."""
    if status is None:
        return None
    return {
        **key._asdict(),
        "state": str(status.state),
        "since": at,
        "last_in_step_at": at if status.state is State.IN_STEP else None,
        "code": fit(sync_status.c.code, status.code),
        "field": fit(sync_status.c.field, status.field),
        "message_pl": clean(status.message_pl),
        "message_en": clean(status.message_en),
    }


# --- JSON


def _json(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _spelled(base: Forms) -> dict[str, Any]:
    """Spell a field by its value where the forms are equal, else by a list: of both, or of the ERP's alone.

    Ids are a list themselves, so they are never spelled by their value. What is remembered of a value that the panel
    has not shown yet stands in a third place.
    """
    return {name: _spelled_field(base, name) for name in base.erp}


def _spelled_field(base: Forms, name: str) -> Any:
    value, sent = base.erp[name], base.sent.get(name)
    if sent:
        return [value, None, [sent.at.isoformat(), list(sent.former), sent.ask_at.isoformat(), sent.times, sent.seen]]
    if name not in base.panel:
        return [value]
    panel = base.panel[name]
    return value if value == panel and not isinstance(value, tuple) else [value, panel]


def _forms(document: dict[str, Any]) -> Forms:
    erp: dict[str, Value] = {}
    panel: dict[str, Value] = {}
    sent: dict[str, Sent] = {}
    for name, spelled in document.items():
        forms = spelled if isinstance(spelled, list) else [spelled, spelled]
        erp[name] = from_json(forms[0])
        if len(forms) == 2:
            panel[name] = from_json(forms[1])
        elif len(forms) == 3:
            at, former, ask_at, times, seen = forms[2]
            sent[name] = Sent(_moment(at), tuple(map(from_json, former)), _moment(ask_at), times, seen)
    return Forms(erp, panel, sent)


_moment = datetime.fromisoformat


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
