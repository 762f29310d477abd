"""What a person answered in ``sync_status.decision``, and how a plan takes it; one that means nothing there stays.

``retry``   what was refused is forgotten, then the record is planned like any other
``done``    settled by hand: the base becomes what both sides show; what only one side has is left alone (``by_hand``)
``send``    the merge lets the protected value pass (:attr:`~kartoteka.sync.merge.Step.confirmed`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kartoteka import codes
from kartoteka.codes import State, Status
from kartoteka.model import (
    BY_HAND,
    NO_FORMS,
    REFUSED,
    REFUSED_TOGETHER,
    Change,
    Decision,
    Forms,
    Note,
    Record,
    RecordState,
)
from kartoteka.sync import excluded
from kartoteka.sync.merge import NOT_TAKEN, Step
from kartoteka.sync.plan import Act, Plan, joined
from kartoteka.sync.retry import UNANSWERED, was_stopped
from kartoteka.sync.run import Run

BAD_DECISION = "bad_decision"

Again = Callable[[Record, Any], Status | None]
"""(record whose base is what both sides show, what the panel shows) -> its status."""


def taken_up(run: Run, records: Sequence[Record]) -> list[Record]:
    """Return these records; of those that are to be tried again, what was refused is forgotten, and stored so.

    Those of an excluded client are left as they are, with what was decided of them.

    The decision itself stays until its plan was carried out: a lost process or an outage does not use it up.
    """
    found, changes = forgotten(records)
    if changes:
        run.save(changes)
    return found


def forgotten(records: Sequence[Record]) -> tuple[list[Record], list[Change]]:
    """Return these records as they are tried again, and what is stored of it before anything else."""
    states = {record.key: excluded.forgotten(record) for record in records if excluded.is_back(record)}
    retried = (record for record in records if record.decision == Decision.RETRY and not record.excluded)
    states |= {record.key: _forgotten(record) for record in retried}
    if not states:
        return list(records), []
    changes = [Change(record, states[record.key]) for record in records if record.key in states]
    tried = [replace(record, state=states.get(record.key, record.state)) for record in records]
    return tried, [change for change in changes if change]


def _forgotten(record: Record) -> RecordState:
    """Return a record's state without refusals, counts and deferral. What the brake has stopped stays stopped.

    A call that was not answered stays counted: the decision is still there after it, and would have the next one made
    as if it were the first, at once and for ever. Of what the panel did not take the ERP's form is forgotten, so that
    it is sent again.
    """
    base, before = record.state.base, record.state.notes
    if base and (unsent := [name for name, note in before.items() if note.code == NOT_TAKEN and name in base.erp]):
        base = base._replace(erp={**base.erp, **dict.fromkeys(unsent)})
    notes = {name: note for name, note in record.state.notes.items() if not _is_forgotten(name, note)}
    deferral = record.state.deferral
    if deferral is not None and not was_stopped(record) and deferral.code not in UNANSWERED:
        deferral = None
    return replace(record.state, base=base, notes=notes, deferral=deferral)


def _is_forgotten(name: str, note: Note) -> bool:
    """Whether trying again ends a note. That an item is gone (noted of no field) is no refusal."""
    return name != "" or note.kind in (REFUSED, REFUSED_TOGETHER)


def decided(plan: Plan, *, asked: bool, again: Again) -> Plan:
    """Return a plan as a person's word about its record wants it; ``asked``: with what the panel shows now."""
    record = plan.record
    if not record.decision:
        return _as_left(plan)
    if plan.act is Act.LOOK and record.link is not None:
        return plan
    if record.decision == Decision.RETRY:
        return plan
    if record.decision == Decision.SEND and any(step.confirmed for step in plan.steps):
        return plan
    if record.decision == Decision.DONE:
        return _done(plan, asked=asked, again=again)
    told = codes.status(BAD_DECISION, value=record.decision)
    others = [plan.status] if plan.status and plan.status.code not in ("", BAD_DECISION) else []
    return replace(plan, status=joined([told, *others]), decision=record.state.decision)


def _as_left(plan: Plan) -> Plan:
    """Return the plan of a record without a decision: what one side alone has, and was settled by hand, stays so."""
    record = plan.record
    if record.code == BAD_DECISION and plan.status is not None and plan.status.code == BAD_DECISION:
        return replace(plan, status=None)  # it was taken back
    if record.code != BY_HAND or record.erp is None or plan.act is Act.FORGET or _has_both(plan):
        return plan
    if plan.act is Act.LINK or (plan.act is Act.LOOK and record.link is not None):
        return plan
    return Plan(record, Act.KEEP, status=record.state.status, shown=plan.shown)


def _has_both(plan: Plan) -> bool:
    return plan.act is Act.MERGE and plan.shown is not None and plan.shown.values is not None


def _done(plan: Plan, *, asked: bool, again: Again) -> Plan:
    record = plan.record
    if record.link is not None and not asked:
        return Plan(record, Act.LOOK)
    if plan.act is Act.LINK:
        return plan
    if _has_both(plan) and record.erp is not None:
        return _settled(plan, again)
    alone = record.link is None or record.key.item_id != "" or plan.act is Act.ADD
    if alone and record.erp is not None:
        return Plan(record, Act.KEEP, status=codes.status(BY_HAND), shown=plan.shown)
    if plan.status is not None and plan.status.state is State.HELD:
        told = codes.status(BAD_DECISION, value=record.decision)
        return replace(plan, status=joined([told, plan.status]), decision=record.state.decision)
    return plan


def _settled(plan: Plan, again: Again) -> Plan:
    """Return the plan that takes what both sides show for agreed, in every field where something was to be done."""
    record, shown = plan.record, plan.shown
    waiting = {conflict.field: conflict.id for conflict in record.conflicts}
    named = {step.field for step in plan.steps if step.target or step.code} | waiting.keys() | record.state.notes.keys()
    steps = (
        *(s for s in plan.steps if s.field not in named),
        *(_agreed(plan, n, waiting) for n in sorted(named - {""})),
    )
    base = _with(plan.base, steps)
    settled = replace(record, state=RecordState(base=base, panel_id=plan.panel_id), conflicts=())
    return replace(plan, steps=steps, status=again(settled, shown), call=None, intent=None)


def _agreed(plan: Plan, name: str, waiting: dict[str, int]) -> Step:
    erp = (plan.record.erp or {}).get(name)
    base = plan.base or NO_FORMS
    panel = plan.shown.values.get(name, base.panel.get(name, erp))
    return Step(name, forms=(erp, panel), closes=waiting.get(name))


def _with(base: Forms | None, steps: Iterable[Step]) -> Forms:
    agreed = {step.field: step.forms for step in steps if step.forms is not None}
    erp, panel, sent = base or NO_FORMS
    return Forms(
        {**erp, **{name: forms[0] for name, forms in agreed.items()}},
        {**panel, **{name: forms[1] for name, forms in agreed.items()}},
        {name: waits for name, waits in sent.items() if name not in agreed},
    )
