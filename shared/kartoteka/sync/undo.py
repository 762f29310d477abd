"""Undo: values of before are written back on both sides, where nobody has edited them since.

An undo is rows of ``sync_plan`` like any other plan (``reason`` = ``undo``), made from ``sync_history``
(:func:`draft`).
The approved ones are a person's decision about the record, as ``sync_conflicts.decision`` is one: they are loaded with
it (:attr:`kartoteka.model.Record.undo`), and the plan of the record obeys them (:func:`obeyed`) or ends them as
``stale``. So the merge stays the only answer to "is there something to do", and what was carried out is stored, in one
transaction, with the base: the restored pair, from which nothing travels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import NamedTuple

from kartoteka.codes import State
from kartoteka.fields.table import ACTIVE, CODE, CONCERNS, Field, Fields
from kartoteka.fields.values import as_text
from kartoteka.model import (
    TOWARDS,
    Change,
    Direction,
    Ended,
    Forms,
    Key,
    Line,
    Note,
    Planned,
    PlanRow,
    Reason,
    Record,
    Side,
    Value,
    Values,
)
from kartoteka.policy import Rule
from kartoteka.ports.exchange import Past
from kartoteka.sync import taken
from kartoteka.sync.merge import Seen, Step, checked_step, former, look, placed
from kartoteka.sync.plan import Act, Plan, last_values, status_of
from kartoteka.sync.taken import UNCONFIRMED, Reading


class Undone(NamedTuple):
    """What is to be undone on one side: the value ``was`` written there, and the one of ``before``."""

    was: Value
    before: Value


Wanted = Mapping[str, Mapping[Side, Undone]]
"""Field -> the sides on which it is to be undone."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A record as both sides show it, or were last known to, and its base."""

    base: Forms | None
    erp: Values
    panel: Values
    reading: Reading

    def look(self, field: Field) -> Seen:
        """Return one field of it."""
        return look(field, self.base, self.erp, self.panel, self.reading)

    def form(self, field: Field, side: Side, value: Value) -> str:
        """Return a value in the form in which it is compared with what a side shows."""
        own, other = (self.erp, self.panel) if side is Side.ERP else (self.panel, self.erp)
        return field.normalise(value, placed(own, other) if field.kind.by_country else own)


def wanted(fields: Fields, rows: Iterable[Line]) -> Wanted:
    """Return what some rows of an undo want, by field and side; a row about no field of these wants nothing here."""
    found: dict[str, dict[Side, Undone]] = {}
    sides = {str(direction): side for side, direction in TOWARDS.items()}
    for line in map(_of_field, rows):
        field, side = fields.get(line.field), sides.get(str(line.direction))
        if line.action is Planned.UPDATE and field is not None and side is not None:
            undone = Undone(field.meant(line.value_from), field.meant(line.value_to))
            found.setdefault(line.field, {})[side] = undone
    return found


def unlinking(rows: Iterable[PlanRow]) -> Line | None:
    """Return what the rows of an undo say of the client's link, if they take it away."""
    return next((row.line for row in rows if row.line.action is Planned.REMOVE and not row.line.key.item_id), None)


def _of_field(line: Line) -> Line:
    """Return a row about the account as a whole as one about the field that says it."""
    if line.action is Planned.REMOVE:
        return replace(line, field=CODE)
    if line.action not in (Planned.OPEN, Planned.CLOSE):
        return line
    is_open = line.action is Planned.OPEN
    values = as_text(not is_open), as_text(is_open)
    return Line(line.key, Planned.UPDATE, ACTIVE, line.direction, *values, line.reason)


# --- whether nobody has edited since


def is_back(sides: Sides, seen: Seen, side: Side, undone: Undone) -> bool:
    """Whether a side shows the value of before already."""
    if side is Side.PANEL and not seen.field.comparable:
        return False
    now = seen.erp_norm if side is Side.ERP else seen.panel_norm
    return now == sides.form(seen.field, side, undone.before)


def stands(sides: Sides, seen: Seen, side: Side, undone: Undone) -> bool:
    """Whether a side still shows what is to be undone, or the value of before already: nobody has edited it since.

    A form that a side has made of what was written is not edited, nor what a call has sent whose answer was lost, where
    the panel does not show which of the two values it has.
    """
    if is_back(sides, seen, side, undone):
        return True
    field, was = seen.field, sides.form(seen.field, side, undone.was)
    ours = was in (seen.base_erp, seen.base_panel)
    if side is Side.ERP:
        return seen.erp_norm == was or (ours and seen.erp_norm == seen.base_erp)
    if field.name in sides.reading.lost and not (field.comparable and seen.known):
        return sides.form(field, side, sides.reading.lost[field.name]) == sides.form(field, side, undone.before)
    if not field.comparable:
        return was == seen.base_erp and (seen.panel_norm == seen.base_panel or not seen.known)
    return seen.panel_norm == was or (ours and seen.panel_norm == seen.base_panel)


def fits(sides: Sides, fields: Fields, rules: Mapping[str, Rule], undone: Wanted) -> bool:
    """Whether a record is as it was when its undo was made: nobody has edited any of these fields."""
    for name, by_side in undone.items():
        if name not in rules or rules[name].direction is Direction.OFF:
            return False
        seen = sides.look(fields[name])
        if not all(stands(sides, seen, side, each) for side, each in by_side.items()):
            return False
    return True


def left(sides: Sides, fields: Fields, rules: Mapping[str, Rule], lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return those lines of an undo that can still be carried out though not all can: of fields nobody has edited."""
    undone = wanted(fields, lines)
    fit = {name for name, by_side in undone.items() if fits(sides, fields, rules, {name: by_side})}
    if len(fit) == len(undone):
        return ()
    return tuple(line for line in lines if _of_field(line).field in fit)


# --- the plan


def given(records: Sequence[Record], rows: Mapping[Key, Sequence[PlanRow]]) -> list[Record]:
    """Return records with the approved rows about them; those about an item that is not there go to its owner's own."""
    known = {record.key for record in records}
    left = {key: some for key, some in rows.items() if key not in known}

    def of(record: Record) -> tuple[PlanRow, ...]:
        orphans = [some for key, some in left.items() if key.owner == record.key.owner and not record.key.item_id]
        return tuple(row for some in (rows.get(record.key, ()), *orphans) for row in some)

    return [replace(record, undo=of(record)) for record in records]


def obeyed(  # noqa: PLR0913 - all that the merge knows
    steps: Sequence[Step],
    undone: Wanted,
    sides: Sides,
    *,
    fields: Fields,
    rules: Mapping[str, Rule],
    notes: Mapping[str, Note],
    lacks: Collection[str],
) -> Sequence[Step]:
    """Return the merge's steps with what an undo wants in their place; as they are where somebody has edited since."""
    if not undone or not fits(sides, fields, rules, undone):
        return steps
    restoring = {name: _restoring(sides, sides.look(fields[name]), by_side) for name, by_side in undone.items()}
    order = {name: number for number, name in enumerate(rules)}
    found = [step for step in steps if step.field not in restoring]
    for name, some in restoring.items():
        found += [checked_step(fields[name], step, notes.get(name), lacks, sides.erp) for step in some]
    return sorted(found, key=lambda step: order.get(step.field, len(order)))


def _restoring(sides: Sides, seen: Seen, by_side: Mapping[Side, Undone]) -> list[Step]:
    """Return the steps that write the value of before: at most one a side.

    The base becomes the restored pair. Where both sides are written it moves with the panel's answer alone, so that
    what the ERP has is an edit until then, and a person's edit meanwhile travels. Of a side that keeps its own value
    the form stays that was agreed on.
    """
    name = seen.field.name
    due = {side: each.before for side, each in by_side.items() if not is_back(sides, seen, side, each)}
    steps = []
    if Side.ERP in due:
        kept = seen.panel if Side.PANEL in by_side or seen.base is None else seen.base[1]
        forms = None if Side.PANEL in due else (due[Side.ERP], kept)
        steps.append(Step(name, Side.ERP, due[Side.ERP], seen.erp, Reason.UNDO, forms))
    if Side.PANEL in due:
        value = due[Side.PANEL]
        alone = Side.ERP not in by_side
        waits = None if alone or not seen.field.read else taken.sending(seen.reading.now, former(seen))
        agreed = seen.base[0] if seen.base else None
        before = seen.panel if seen.field.comparable else agreed
        forms = (agreed if alone else value, None if waits else value)
        steps.append(Step(name, Side.PANEL, value, before, Reason.UNDO, forms, waits is not None, waits))
    return steps


def whole(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps without half an undo: a field whose value of before is refused on one side stays as it is."""
    refused = {step.field for step in steps if step.reason is Reason.UNDO and step.code}
    return tuple(s for s in steps if s.code or s.reason is not Reason.UNDO or s.field not in refused)


def answered(plans: Sequence[Plan], records: Sequence[Record], *, asked: bool) -> list[Plan]:
    """Return the plans of an owner's records, in which each undo is obeyed, or over since the facts have changed.

    ``asked`` False: the panel can be asked, and was not.
    """
    found = [_answered(plan, asked=asked) if plan.record.undo else plan for plan in plans]
    about = {plan.record.key for plan in plans}
    left = [record for record in records if record.undo and record.key not in about]
    return [*found, *(_answered(_as_it_is(record), asked=asked) for record in left)]


def _answered(plan: Plan, *, asked: bool) -> Plan:
    if not asked:
        return Plan(plan.record, Act.LOOK)
    if plan.act is Act.LOOK or plan.undoes:
        return plan
    carried = {(written.field, written.direction) for written in plan.earlier if written.reason is Reason.UNDO}
    lines = {row.id: _of_field(row.line) for row in plan.record.undo}
    done = {number for number, line in lines.items() if (line.field, line.direction) in carried}
    return replace(plan, ended={number: Ended.DONE if number in done else Ended.STALE for number in lines})


def _as_it_is(record: Record) -> Plan:
    return Plan(record, Act.KEEP, status=record.state.status, decision=record.state.decision)


def alone(plan: Plan, table: str) -> Plan:
    """Return a plan with nothing but what it undoes: the rest of its record is only planned. What is noted stays."""
    if plan.act is not Act.MERGE:
        return plan
    notes = plan.record.state.notes
    steps = tuple(s if s.reason is Reason.UNDO else Step(s.field, note=notes.get(s.field)) for s in plan.steps)
    sent = {step.field for step in steps if step.target is Side.PANEL}
    values = {name: value for name, value in plan.call.values.items() if name in sent} if plan.call else {}
    call = replace(plan.call, values=values) if values else None
    return replace(plan, steps=steps, call=call, status=status_of(steps, table, plan.record.state.status))


def settled(change: Change) -> Change:
    """Return a change with what becomes of the approved rows of its record: those that are tried again stay open."""
    rows = [row for row in change.record.undo if row.id not in change.planned]
    if not rows:
        return change
    wrote = {(written.field, written.direction) for written in change.written if written.reason is Reason.UNDO}
    deferral, status = change.after.deferral, change.after.status
    waits = deferral is not None and deferral.code != UNCONFIRMED
    held = status is not None and status.state is State.HELD and not change.unlinked
    ended = {}
    for row in rows:
        line = _of_field(row.line)
        if (line.field, line.direction) in wrote:
            ended[row.id] = Ended.DONE
        elif not waits:
            ended[row.id] = Ended.REFUSED if held else Ended.DONE
    return replace(change, planned={**change.planned, **ended})


# --- what can be undone

FIGURES, GONE, ADDED, TAKEN, LINKED, OFF = "figures", "gone", "added", "taken", "linked", "off"
"""Why something is not undone: it is the ERP's own figure; its row is gone, or its client has no account any more; it
is an item that was added; retention has taken its values; a link that was undone is not made again by itself; the
policy has the concern, or the field, off."""
REFUSALS = (FIGURES, GONE, ADDED, TAKEN, LINKED, OFF)


@dataclass(frozen=True, slots=True)
class Draft:
    """What can be undone of a record: ``lines``, and those that are ``refused``, by why.

    ``edited``: fields that are left alone, since a side shows something else than what was written. ``back``: fields in
    which both sides show the value of before, or which nothing has changed in the end.
    """

    lines: tuple[Line, ...] = ()
    refused: Mapping[str, tuple[Line, ...]] = attribute(default_factory=dict)
    edited: tuple[str, ...] = ()
    back: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """All that was written of one field: the value before the first row, the one after the last, and where.

    ``sides``: where the value of before belongs; none: nobody knows it any more.
    """

    field: str
    direction: str
    reason: str
    before: str | None = attribute(repr=False)
    after: str | None = attribute(repr=False)
    sides: tuple[Side, ...]


def gave_code(rows: Iterable[Past]) -> bool:
    """Whether these rows of a record's history have linked its client to an account that was there."""
    return any(row.field == CODE and row.reason == Reason.FIRST_CONTACT for row in rows)


def written(rows: Sequence[Past], *, parted: bool = False) -> list[Written]:
    """Return what some rows of the history of one record come to, field by field.

    Values of before go to both sides. At first contact each side had a value of its own: where the one that was written
    had none, it alone becomes empty again, and where client and account are ``parted`` each has its own back. An
    account that was opened was closed before, whatever the ERP says.
    """
    by_field: dict[str, list[Past]] = {}
    for row in rows:
        by_field.setdefault(row.field, []).append(row)
    return [_written(some[0], some[-1], parted=parted) for some in by_field.values()]


def _written(first: Past, last: Past, *, parted: bool) -> Written:
    own = Side.PANEL if first.direction == TOWARDS[Side.PANEL] else Side.ERP
    lost = any(row.erased or not (row.before or row.after) for row in (first, last))
    if first.reason == Reason.CREATE and not first.field:
        values = as_text(False), as_text(True)
        return Written(ACTIVE, first.direction, first.reason, *values, () if lost else (own,))
    alone = first.reason == Reason.FIRST_CONTACT and (parted or not first.before)
    sides = () if lost else (own,) if alone else (Side.ERP, Side.PANEL)
    return Written(first.field, last.direction, first.reason, first.before, last.after, sides)


def draft(
    record: Record, rules: Mapping[str, Rule], rows: Sequence[Past], reading: Reading, *, parted: bool = False
) -> Draft:
    """Return what can be undone of a record by these rows of its history, as far as is known without the panel.

    ``parted``: its client loses the account that it was linked to.
    """
    concern = CONCERNS[record.key.concern]
    found = written(rows, parted=parted)
    off = {name for name, rule in rules.items() if rule.direction is Direction.OFF}
    why = _why_not(record, concern.corrected_in, found, off=off == rules.keys())
    if why:
        return Draft(refused={why: tuple(_refused(record.key, each) for each in found)})
    sides = Sides(record.state.base, record.erp or {}, last_values(record), reading)
    lines: list[Line] = []
    refused: dict[str, tuple[Line, ...]] = {}
    edited, back = [], []
    for each in found:
        field, rule = concern.fields.get(each.field), rules.get(each.field)
        if not each.sides:
            refused[TAKEN] = (*refused.get(TAKEN, ()), _refused(record.key, each))
        elif each.field == CODE and each.reason == Reason.FIRST_CONTACT and record.link is not None:
            account, before = record.link.panel_client_id, each.before or None
            lines.append(Line(record.key, Planned.REMOVE, "", TOWARDS[Side.PANEL], account, before, reason=Reason.UNDO))
        elif each.field in off:
            refused[OFF] = (*refused.get(OFF, ()), _refused(record.key, each))
        elif field is None or rule is None:
            refused[LINKED] = (*refused.get(LINKED, ()), _refused(record.key, each))
        else:
            undone = dict.fromkeys(each.sides, Undone(field.meant(each.after), field.meant(each.before)))
            seen = sides.look(field)
            due = [side for side in each.sides if not is_back(sides, seen, side, undone[side])]
            others = {side: undone.get(side, next(iter(undone.values()))) for side in Side}
            if not _untouched(sides, seen, each, others):
                edited.append(each.field)
            elif not due:
                back.append(each.field)
            lines += [] if each.field in edited else [_line(record.key, seen, side, undone[side]) for side in due]
    return Draft(tuple(lines), refused, tuple(edited), tuple(back))


def _untouched(sides: Sides, seen: Seen, each: Written, undone: Mapping[Side, Undone]) -> bool:
    """Whether no side was edited since; of an account that was opened the ERP's word is another matter."""
    asked = each.sides if each.reason == Reason.CREATE else tuple(Side)
    return all(stands(sides, seen, side, undone[side]) for side in asked)


def _why_not(record: Record, corrected_in: str, found: Sequence[Written], *, off: bool) -> str:
    if corrected_in:
        return FIGURES
    if off:
        return OFF
    if record.key.item_id and any(each.reason == Reason.CREATE for each in found):
        return ADDED
    if record.erp is None or record.link is None or record.state.base is None:
        return GONE
    return ""


def _line(key: Key, seen: Seen, side: Side, undone: Undone) -> Line:
    shown = seen.erp if side is Side.ERP else seen.panel if seen.field.comparable else undone.was
    if seen.field.name == ACTIVE and side is Side.PANEL:
        action = Planned.OPEN if undone.before is True else Planned.CLOSE
        return Line(key, action, "", TOWARDS[side], reason=Reason.UNDO)
    values = as_text(shown), as_text(undone.before)
    return Line(key, Planned.UPDATE, seen.field.name, TOWARDS[side], *values, Reason.UNDO)


def _refused(key: Key, each: Written) -> Line:
    return Line(key, Planned.UPDATE, each.field, each.direction, each.after, each.before, Reason.UNDO)
