"""What is to be done with an address that one side has and the other has not. Pure.

::

    no base, in the ERP only           added in the panel                          create
    no base, in the panel only         a row panel-<the panel's id>                create
    a base, one side gone:
      deletes ignore                   remembered: left as it is, never recreated
      propagate, not edited since      deleted on the other side too               edit
      propagate, edited since          the whole address is a conflict: erp | panel | hold
      propagate, one-way               the source decides; what it still has is recreated (drift)
    a base, both gone                  forgotten; under ignore still remembered, since a row may come back

A row that comes back under its old id goes on from its base, as if nothing had been.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kartoteka import codes
from kartoteka.codes import IN_STEP, Status
from kartoteka.concerns.addresses.pairing import FIELDS, Pair
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import REQUIRED_OF_ADDRESS
from kartoteka.fields.values import as_text
from kartoteka.model import (
    NO_FORMS,
    STANDS,
    ConflictNote,
    Direction,
    Note,
    Reason,
    RecordState,
    Resolution,
    Side,
    Value,
    Values,
)
from kartoteka.policy import Rule
from kartoteka.sync.merge import Step, checked_step, is_of_several, merge
from kartoteka.sync.plan import Act, Plan, status_of
from kartoteka.sync.taken import Reading, believed, sending

TABLE = "delivery_addresses"
NOT_DELETED = "not_deleted"
WHOLE = ""
"""The name under which a record's notes hold what is about the whole address.

``deleted_in_panel``: the panel does not have it any more. ``refused_by_erp``: the same, and the ERP's database does not
delete the row with these contents. ``not_deleted``: the panel does not delete it.
"""
GONE_CODE: Mapping[Side, str] = {Side.ERP: "deleted_in_erp", Side.PANEL: "deleted_in_panel"}
"""The codes of addresses that were deleted on one side and are left as they are on the other."""

GONE = Note(STANDS, "", code=GONE_CODE[Side.PANEL])
"""The note of an address that the panel has no more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says of a client's addresses. ``propagate``: a deletion on one side is one on the other."""

    rules: Mapping[str, Rule]
    direction: Direction
    conflict: Resolution
    propagate: bool
    lacks: Collection[str] = ()

    @property
    def source(self) -> Side | None:
        """The side that decides alone; None where both do."""
        return {Direction.ERP_TO_PANEL: Side.ERP, Direction.PANEL_TO_ERP: Side.PANEL}.get(self.direction)


def one_sided(terms: Terms, it: Pair, now: datetime) -> Plan | None:
    """Return what is to be done with an address that is not on both sides; None: nothing was ever known of it."""
    row, address, record = it.record.erp, it.address, it.record
    if it.over:
        return _forget(it)
    if it.base is not None:
        return _gone(terms, it, now)
    if row is not None and terms.source is not Side.PANEL:
        return _make(terms, it, Side.PANEL, row, Reason.CREATE, now)
    if address is not None and terms.source is not Side.ERP:
        return _make(terms, it, Side.ERP, address.values, Reason.CREATE, now)
    return _forget(it) if record.state != RecordState() or record.conflicts else None


def kept(it: Pair, status: Status | None = None, steps: Sequence[Step] = ()) -> Plan:
    """Return the plan of an address that stays as it is on the panel's side, with what is said of it."""
    return _plan(it, Act.MERGE, steps, status)


def _gone(terms: Terms, it: Pair, now: datetime) -> Plan:
    """Decide about an address that was deleted on one side, or on both, since it was agreed on."""
    row, address = it.record.erp, it.address
    if row is None and address is None and terms.propagate:
        return _forget(it)
    left = Side.PANEL if address else Side.ERP
    if not terms.propagate:
        return kept(it, codes.status(GONE_CODE[left.other]))
    values = address.values if address else row or {}
    edited = _edited(terms, it, left, values, now) if terms.source is None else {}
    winner = terms.source or _winner(terms, it, left, edited)
    notes = _notes(it, left, edited, winner)
    if winner is None:
        return kept(it, steps=[Step(name, conflict=notes.get(name), code="conflict") for name in edited])
    if winner is left:
        plan = _make(terms, it, left.other, values, Reason.CONFLICT if edited else Reason.DRIFT, now)
    else:
        plan = _unmake(it, left, values, Reason.CONFLICT if edited else Reason.EDIT)
    return replace(plan, steps=_settled(it, plan.steps, notes, winner)) if plan.writes else plan


def _edited(terms: Terms, it: Pair, left: Side, values: Values, now: datetime) -> dict[str, Value]:
    """Return what was edited since the base on the side that still has the address."""
    base = it.base or NO_FORMS
    erp, shown = (values, base.panel) if left is Side.ERP else (base.erp, values)
    reading = Reading(now, asked=left is Side.PANEL)
    steps = merge(FIELDS, terms.rules, base=base, erp=erp, panel=shown, notes={}, reading=reading)
    return {step.field: values.get(step.field) for step in steps if step.code or step.target is left.other}


def _winner(terms: Terms, it: Pair, left: Side, edited: Mapping[str, Value]) -> Side | None:
    """Return whose word counts; None: a person's, who has not spoken yet.

    An edit stands against the deletion of the whole address, so one decision is enough. Of two that contradict each
    other the one counts that keeps the address.
    """
    if not edited:
        return left.other
    decided = {conflict.decision for conflict in it.record.conflicts} - {None}
    if decided:
        return left if left in decided else left.other
    return terms.conflict.winner


def _notes(it: Pair, left: Side, edited: Mapping[str, Value], winner: Side | None) -> dict[str, ConflictNote]:
    """Return a note for each edited field; one that is open and tells the same already is not told again."""
    told = {c.field: (c.erp_value, c.panel_value) for c in it.record.conflicts}
    base = (it.base or NO_FORMS).erp
    notes = {}
    for name, value in edited.items():
        erp, shown = (value, None) if left is Side.ERP else (None, value)
        if told.get(name) != (as_text(erp), as_text(shown)):
            notes[name] = ConflictNote(name, erp, shown, base.get(name), winner)
    return notes


def _settled(it: Pair, steps: Sequence[Step], notes: Mapping[str, ConflictNote], winner: Side) -> tuple[Step, ...]:
    """Return the steps with the conflicts that they settle."""
    waiting = {conflict.field: conflict.id for conflict in it.record.conflicts}
    rest = sorted({*notes, *waiting} - {step.field for step in steps})
    return tuple(
        replace(s, conflict=notes.get(s.field), closes=waiting.get(s.field), winner=winner)
        if s.field in notes or s.field in waiting
        else s
        for s in (*steps, *map(Step, rest))
    )


def _make(terms: Terms, it: Pair, side: Side, values: Values, reason: Reason, now: datetime) -> Plan:
    """Make on one side the address that the other one has, as far as that takes it. Empty values are not written."""
    filled = {name: values[name] for name in FIELDS if not is_blank(values.get(name))}
    lacking = [name for name in REQUIRED_OF_ADDRESS if name not in filled] if side is Side.PANEL else []
    if lacking:
        return kept(it, codes.status("incomplete", lacking, table=TABLE))
    notes = it.record.state.notes
    together = {n: note.value for n, note in notes.items() if n != WHOLE and is_of_several(note, side)}
    if together != {name: as_text(value) or "" for name, value in filled.items()}:
        notes = {name: note for name, note in notes.items() if name not in together}
    steps = []
    for name, field in FIELDS.items():
        if name in filled:
            sent = sending(now, [None]) if side is Side.PANEL else None
            forms = (filled[name], filled[name])
            step = Step(name, side, filled[name], None, reason, forms, sent is not None, sent)
            steps.append(checked_step(field, step, notes.get(name), terms.lacks, values))
        else:
            form = values.get(name) if side is Side.PANEL else None
            steps.append(Step(name, forms=(form, form)))
    if any(step.code and is_needed(step.field) for step in steps):
        return kept(it, steps=[step for step in steps if step.code])
    return _plan(it, Act.ADD if side is Side.PANEL else Act.INSERT, steps)


def is_needed(name: str) -> bool:
    """Return whether no address is made without this field: one that cannot be taken is left out, and held."""
    return name in REQUIRED_OF_ADDRESS or FIELDS[name].group != ""


def _unmake(it: Pair, side: Side, values: Values, reason: Reason) -> Plan:
    """Delete on one side the address that the other one has deleted, unless that was refused already."""
    refused = it.record.state.notes.get(WHOLE)
    if refused and (refused.code == NOT_DELETED if side is Side.PANEL else refused.value == contents(values)):
        return Plan(it.record, Act.KEEP, status=it.record.state.status)
    steps = [
        Step(name, side, None, values[name], reason, risky=field.risk(values[name], None))
        for name, field in FIELDS.items()
        if not is_blank(values.get(name))
    ]
    return _plan(it, Act.DELETE if side is Side.PANEL else Act.REMOVE, steps)


def _forget(it: Pair) -> Plan:
    steps = [Step(conflict.field, closes=conflict.id) for conflict in it.record.conflicts]
    return replace(_plan(it, Act.FORGET, steps), status=None)


def _plan(it: Pair, act: Act, steps: Sequence[Step], status: Status | None = None) -> Plan:
    """Return a plan. Where the address is known and the panel has it no more, that is remembered until it has."""
    lost = it.base is not None and it.address is None and act is Act.MERGE
    gone = [Step(WHOLE, note=GONE)] if lost else []
    panel_id = it.address.panel_address_id if it.address else it.record.state.panel_id
    said = status or status_of(steps, TABLE, IN_STEP)
    return Plan(it.record, act, (*steps, *gone), believed(it.base), it.earlier, panel_id, said)


def contents(values: Values) -> str:
    """Return what an address holds as one text."""
    return json.dumps([values.get(name) for name in FIELDS])
