"""``mode: plan``: what would be done is written into ``sync_plan``, and what a person approved is carried out exactly.

A row is what a plan (:class:`~kartoteka.sync.plan.Plan`) says of a record, or of one field of it. Both sides' values
stand in it, so a record's facts have changed where its rows say something else than its plan says now. The rows of a
record are decided together. Of a client that is about to get its account the rows of all concerns are one plan: it is
approved with the record that gives it the account.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from kartoteka import codes
from kartoteka.codes import State
from kartoteka.fields.values import as_text
from kartoteka.model import (
    FIRST,
    TOWARDS,
    Change,
    Direction,
    Ended,
    Key,
    Line,
    Owner,
    Planned,
    PlanRow,
    Reason,
    Side,
    Value,
    Values,
    word_of,
)
from kartoteka.ports.exchange import NOT_WRITTEN, PlanChange
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Act, Plan
from kartoteka.sync.run import Run
from kartoteka.sync.taken import UNCONFIRMED

APPROVE, REJECT = "approve", "reject"
"""What a person says in ``sync_plan.decision``."""

Lines = Mapping[Key, Sequence[Line]]
"""What is planned of some records; empty: nothing is any more."""

GIVING = (Planned.CREATE, Planned.LINK)
"""The actions that give a client its account."""


# --- what a plan says


def lines_of(plan: Plan) -> list[Line]:
    """Return what a plan would write, ask, or leave alone for a reason, line by line."""
    key, act = plan.record.key, plan.act
    if act in (Act.ADD, Act.INSERT):
        side = Side.PANEL if act is Act.ADD else Side.ERP
        values = as_json({step.field: step.value for step in plan.steps if step.target})
        reason = next((str(step.reason) for step in plan.steps if step.target), "")
        return [Line(key, Planned.ADD, "", TOWARDS[side], None, values, reason)]
    if act in (Act.DELETE, Act.REMOVE):
        side = Side.PANEL if act is Act.DELETE else Side.ERP
        held = plan.record.erp if act is Act.REMOVE else plan.shown.values if plan.shown else None
        return [Line(key, Planned.REMOVE, "", TOWARDS[side], as_json(held or {}))]
    if act is Act.KEEP:
        return held_line(key, plan.status)
    found = [line for step in plan.steps if (line := _of_step(plan, step))]
    return found or held_line(key, plan.status if act is Act.MERGE else None)


def held_line(key: Key, status: codes.Status | None) -> list[Line]:
    """Return what is planned of a record that waits for a person as a whole."""
    if status is None or status.state is not State.HELD:
        return []
    return [Line(key, Planned.HELD, status.field, reason=status.code)]


def _of_step(plan: Plan, step: Step) -> Line | None:
    if step.reason is Reason.UNDO:  # it has its own rows
        return None
    key, conflict = plan.record.key, step.conflict
    if step.target:
        seen, value = as_text(step.seen), as_text(step.value)
        return Line(key, Planned.UPDATE, step.field, TOWARDS[step.target], seen, value, step.reason)
    if conflict is not None and conflict.winner is None:
        values = as_text(conflict.panel_value), as_text(conflict.erp_value)
        return Line(key, Planned.CONFLICT, step.field, "", *values, step.reason)
    known = codes.CODES.get(step.code)
    shown = (plan.shown.values if plan.shown else None) or {}
    values = as_text(shown.get(step.field)), as_text((plan.record.erp or {}).get(step.field))
    if known and known.state is State.HELD:
        return Line(key, Planned.HELD, step.field, "", *values, step.code)
    if known and known.state is State.WAITING and step.note:  # it asks another concern first
        return Line(key, Planned.UPDATE, step.field, Direction.ERP_TO_PANEL, *values, step.code)
    return None


def as_json(values: Values) -> str:
    """Return values as one text; what is empty is left out."""
    given = {name: as_text(value) for name, value in values.items() if _is_given(value)}
    return json.dumps(given, ensure_ascii=False, sort_keys=True)


def _is_given(value: Value) -> bool:
    return value is not None and value not in ("", ())


def says_the_same(line: Line, row: Line) -> bool:
    """Return whether a row says what is planned.

    Why a field is written is no part of it, nor what a new account will show by itself before it is written.
    """
    if line == row:
        return True
    alike = replace(line, reason=row.reason) if line.action is Planned.UPDATE else line
    unknown = row.value_from is None and row.reason in FIRST
    return (replace(alike, value_from=None) if unknown else alike) == row


def is_quiet(plan: Plan) -> bool:
    """Whether all that a plan stores is what is known of its record: nobody sees any of it, on either side."""
    return not (plan.writes or plan.call or plan.whole.conflicts or plan.candidates or plan.act is Act.LINK)


# --- what was planned before, and what a person said


class Ledger:
    """The rows of some owners, and what a run changes of them.

    ``unplanned``: owners of whom something else is planned than the rows say.
    """

    def __init__(self, run: Run, concern: str, owners: Collection[Owner]) -> None:
        self._run = run
        self._concern = concern
        self._open: defaultdict[Key, list[PlanRow]] = defaultdict(list)
        self._keys: defaultdict[Owner, dict[Key, None]] = defaultdict(dict)
        self._done: set[Key] = set()
        self._carried: set[Owner] = set()
        self._given: dict[str, PlanRow] = {}
        self._approved: dict[Key, Sequence[PlanRow]] = {}
        self._new: list[Line] = []
        self._gone: set[int] = set()
        self._stale: set[int] = set()
        self._kept: set[int] = set()
        self.unplanned: set[Owner] = set()
        for row in run.exchange.plans.rows(owners) if owners else ():
            key = row.line.key
            if row.line.reason == Reason.UNDO:  # another plan, of what was done before
                continue
            if row.outcome is None:
                self._open[key].append(row)
                self._keys[key.owner][key] = None
            elif row.outcome is Ended.DONE:
                self._done.add(key)
                self._carried.add(key.owner)
                if row.line.action in GIVING and key.client_id:
                    self._given[key.client_id] = row

    def tell(self, key: Key, lines: Sequence[Line], beside: Lines | None = None, *, lost: bool = False) -> bool:
        """Say what is planned of a record; return whether a person has approved exactly this.

        ``beside`` is what the other concerns will do once this is carried out; it is one plan with it. None: the other
        concerns speak for themselves. ``lost``: the answer to a call about it was lost, so where nothing is left to be
        done, that has done what was approved.
        """
        if lost and not lines and self._word(key) == APPROVE:
            self._approved[key] = self._open[key]
            return True
        every: dict[Key, Sequence[Line]] = {key: lines, **(beside or {})}
        if beside is not None:
            every |= {other: () for other in self._keys.get(key.owner, ()) if other not in every}
        changed = [k for k, said in every.items() if not _same(said, self._open.get(k, ()))]
        if not changed:
            approved = bool(lines) and self._word(key) == APPROVE
            if approved:
                self._approved[key] = self._open[key]
            return approved
        self.unplanned.add(key.owner)
        for each in dict.fromkeys((key, *changed)):
            if each in changed or lines:
                self._replace(each, every[each], whole=each not in changed)
        return False

    def forget_others(self, owner: Owner, plans: Collection[Plan]) -> None:
        """Let nothing be planned of those records of an owner that these plans are not about: they are not there."""
        about = {plan.record.key for plan in plans}
        for key in self.planned_of(owner):
            if key not in about:
                self.tell(key, ())

    def _replace(self, key: Key, lines: Sequence[Line], *, whole: bool) -> None:
        """Put these lines in the place of a record's rows; undecided ones that stay as they are keep their id."""
        rows = self._open.get(key, [])
        if self._word(key) == APPROVE:
            self._stale.update(row.id for row in rows)
            rows = []
        elif whole or any(row.decision.strip() for row in rows):
            self._gone.update(row.id for row in rows)
            rows = []
        left = list(rows)
        for line in lines:
            row = next((row for row in left if says_the_same(line, row.line)), None)
            if row is None:
                self._new.append(line)
            else:
                left.remove(row)
                self._kept.add(row.id)
        self._gone.update(row.id for row in left)

    def _word(self, key: Key) -> str:
        """Return what a person said of a record; of one that follows from another, where nothing was said, of that."""
        rows = self._open.get(key, ())
        if any(row.decision.strip() for row in rows):
            return word_of(rows)
        given = self._given.get(key.client_id)
        if given is not None and rows and all(row.planned_at <= given.planned_at for row in rows):
            return APPROVE
        return ""

    def is_approved(self, key: Key) -> bool:
        """Whether a person has approved what stands there of a record."""
        return self._word(key) == APPROVE

    def was_carried(self, key: Key) -> bool:
        """Whether a record was approved and carried out, or its client has got its account so: what follows is ours."""
        return key in self._done or (key.client_id in self._given and not self._open.get(key))

    def follows(self, owner: Owner) -> bool:
        """Whether something of an owner was carried out, and nothing else of this concern waits for a person."""
        waiting = self.planned_of(owner)
        return owner in self._carried and (not waiting or any(self._word(key) == APPROVE for key in waiting))

    def planned_of(self, owner: Owner) -> Sequence[Key]:
        """Return the records of an owner, of this concern, that have a plan."""
        return [key for key in self._keys.get(owner, ()) if key.concern == self._concern]

    def settled(self, change: Change) -> Change:
        """Return a change with what becomes of the rows that it carries out."""
        rows = self._approved.get(change.record.key)
        if not rows:
            return change
        applied = self._applied(change) if change.link else {}
        return replace(change, planned={**change.planned, **ended(rows, change), **applied})

    def _applied(self, change: Change) -> Mapping[int, Ended]:
        """Return the outcome of rows about a client whose account it has now, that are carried out by themselves."""
        applied = (k for k in self._keys[change.record.key.owner] if not self._run.policy.only_plans(k.concern))
        return {row.id: Ended.DONE for key in applied for row in self._open[key]}

    def store(self) -> None:
        """Store what has changed of the plan."""
        change = PlanChange(self._new, self._gone, self._kept, dict.fromkeys(self._stale, Ended.STALE))
        if change:
            self._run.exchange.plans.store(change, at=self._run.now())


def _same(lines: Sequence[Line], rows: Sequence[PlanRow]) -> bool:
    if len(lines) != len(rows):
        return False
    left = [row.line for row in rows]
    for line in lines:
        found = next((row for row in left if says_the_same(line, row)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def ended(rows: Iterable[PlanRow], change: Change) -> Mapping[int, Ended]:
    """Return what became of approved rows by a change; those that are tried again by themselves stay open."""
    wrote = {written.field for written in change.written}
    deferral, status = change.after.deferral, change.after.status
    if deferral is not None and deferral.code != UNCONFIRMED and not (wrote or change.link):
        return {}
    held = status is not None and status.state is State.HELD and not change.link
    found = {}
    for row in rows:
        line = row.line
        missed = line.action not in NOT_WRITTEN and held and (line.field not in wrote if line.field else not wrote)
        found[row.id] = Ended.REFUSED if missed else Ended.DONE
    return found
