"""Reconcile some owners: load, plan, brake, save the intents, send, save. One way for single records and for items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kartoteka.codes import State
from kartoteka.errors import KartotekaError, Reject, Retry
from kartoteka.model import Change, ConflictNote, Direction, Owner, Record, RecordState, Side
from kartoteka.ports.exchange import COLUMN_REFUSED, REFUSED_BY_ERP, Saved
from kartoteka.sync import decisions, emptied, retry, undo
from kartoteka.sync.concern import Concern, by_owner
from kartoteka.sync.plan import Act, Plan, joined
from kartoteka.sync.planned import Ledger, Lines, held_line, is_quiet
from kartoteka.sync.retry import BRAKE, NO_RESULT, NotBegun
from kartoteka.sync.run import Counts, Report

LOOKS = 3
"""How often a record is worked again in one run when the ERP was faster."""
CALLS = 20
"""Calls made for one plan at most: a log-in name that is taken is followed by the next one."""


@dataclass(slots=True)
class Result:
    """What became of a run: its report, and the owners that could not be worked at all, with the reasons.

    ``braked``: the brake has stopped the concern, and the owners that were not worked are deferred.
    """

    report: Report = field(default_factory=Report)
    unfinished: list[Owner] = field(default_factory=list)
    errors: list[KartotekaError] = field(default_factory=list)
    braked: bool = False

    def __add__(self, other: Result) -> Result:
        return Result(
            self.report + other.report,
            [*self.unfinished, *other.unfinished],
            [*self.errors, *other.errors],
            self.braked or other.braked,
        )


@dataclass(slots=True)
class Carried:
    """What is to be stored of some plans, what only a person can correct, and the owners left for lack of time."""

    changes: list[Change] = field(default_factory=list)
    halts: tuple[str, ...] = ()
    left: set[Owner] = field(default_factory=set)


def reconcile(concern: Concern, owners: Sequence[Owner]) -> Result:
    """Reconcile these owners together, so that their calls are full.

    What the run's ``time_left`` denies is unfinished and comes back with its message.
    """
    result = Result()
    for some in concern.batches(list(dict.fromkeys(owners))):
        if some:
            result += _attempt(concern, some)
    result.braked = concern.brake.tripped
    return result


def _attempt(concern: Concern, owners: Sequence[Owner]) -> Result:
    if not concern.run.time_left():
        return Result(unfinished=list(owners))
    try:
        if concern.brake.tripped:
            concern.paused(owners, BRAKE)
            return Result()
        report = concern.work_alone(owners) or work(concern, owners)
    except KartotekaError as error:
        return Result(unfinished=list(owners), errors=[error])
    return Result(report, list(report.left), list(report.errors))


def work(concern: Concern, owners: Sequence[Owner]) -> Report:
    """Bring the records of these owners into step, as far as the policy wants."""
    report, again = Report(), owners
    once = plan_once if concern.only_plans else _once
    for _ in range(LOOKS):
        if not again:
            return report
        done, again = once(concern, again)
        report += done
    if again:
        concern.run.send_again(concern.name, again)
    return report


def _once(concern: Concern, owners: Sequence[Owner]) -> tuple[Report, list[Owner]]:
    """Work these owners once; return the figures, and the owners to be worked again."""
    loaded = by_owner(decisions.taken_up(concern.run, concern.load(owners)))
    asked = [records[0] for _, records in loaded if concern.asks_about(records[0])]
    shown, failed = concern.read(asked) if asked else ({}, {})
    left = {owner for owner, error in failed.items() if isinstance(error, NotBegun)}
    changes = [
        retry.unread(concern.run, records[0], failed[owner])
        for owner, records in loaded
        if owner in failed and owner not in left
    ]
    plans: dict[Owner, list[Plan]] = {}
    for owner, records in loaded:
        if owner in failed:
            continue
        stopped = retry.was_stopped(records[0])
        found = [plan for plan in concern.plans(records, shown.get(owner)) if plan]
        looking = [plan.record for plan in found if plan.act is Act.LOOK]
        changes += [retry.deferred(concern.run, record, Retry(NO_RESULT)) for record in looking]
        plans[owner] = [
            replace(plan, confirmed=True) if stopped or retry.was_stopped(plan.record) else plan
            for plan in found
            if plan.act is not Act.LOOK
        ]
    emptied.stop(concern, (plan for found in plans.values() for plan in found))
    let, stopped_changes = _let_through(concern, loaded, plans)
    carried = carry_out(concern, let)
    left |= carried.left
    changes = [*changes, *stopped_changes, *carried.changes]
    changes += concern.also(changes)
    report, again = save(concern, changes, let)
    concern.saved(changes)
    again |= {change.record.key.owner for change in changes if concern.looks_again(change)}
    again |= {plan.record.key.owner for plan in let if plan.act is Act.FORGET and plan.record.erp is not None}
    again -= left
    worked = sum(record.key.owner not in again for record in asked) - len(failed.keys() | left)
    halts = (*carried.halts, *retry.halts(failed.values()))
    return report + Report(Counts(reconciled=max(0, worked)), halts, tuple(left)), sorted(again)


def plan_once(concern: Concern, owners: Sequence[Owner]) -> tuple[Report, list[Owner]]:
    """Plan these owners once, and carry out what a person has approved, exactly as it was planned.

    Of the others nothing is stored but the plan. Who cannot be read comes back with the message.
    """
    run = concern.run
    concern.before_planning(owners)
    records, forgotten = decisions.forgotten(concern.load(owners))
    loaded = [(owner, some) for owner, some in by_owner(records) if concern.speaks_of(some[0])]
    asked = [some[0] for _, some in loaded if concern.asks_about(some[0])]
    shown, failed = concern.read(asked) if asked else ({}, {})
    ledger = Ledger(run, concern.name, [owner for owner, _ in loaded])
    errors: dict[Owner, KartotekaError] = {o: e for o, e in failed.items() if not isinstance(e, Reject)}
    plans: dict[Owner, list[Plan]] = {}
    for owner, some in loaded:
        error = failed.get(owner)
        if isinstance(error, Reject):
            ledger.tell(some[0].key, held_line(some[0].key, retry.status_of_refusal(error, concern.table)))
        elif error is None:
            plans[owner] = concern.plans(some, shown.get(owner))
            if any(plan.act is Act.LOOK for plan in plans[owner]):
                errors[owner] = Retry(NO_RESULT)
    foretold = concern.foretold([plan for owner in plans if owner not in errors for plan in plans[owner]])
    found = [plan for owner, some in plans.items() if owner not in errors for plan in some]
    decided = (_as_decided(concern, ledger, plan, foretold.get(plan.record.key.owner)) for plan in found)
    let = [plan for plan in decided if plan is not None]
    stale = [
        Change(plan.record, plan.record.state, planned=plan.ended, replanned=plan.left) for plan in found if plan.ended
    ]
    for owner in plans.keys() - errors.keys():
        ledger.forget_others(owner, plans[owner])
    ledger.store()
    if tried := [change for change in forgotten if change.record.key in {plan.record.key for plan in let}]:
        run.save(tried)
    carried = carry_out(concern, let)
    changes = [*stale, *carried.changes, *concern.also(carried.changes)]
    report, again = save(concern, changes, let, settled=ledger.settled)
    concern.saved(changes)
    again |= {change.record.key.owner for change in changes if concern.looks_again(change)}
    left = (carried.left | errors.keys()) - again
    why = {str(error): error for error in errors.values()}
    own = Report(Counts(reconciled=len(asked) - len(errors)), carried.halts, tuple(left), tuple(why.values()))
    return report + own, sorted(again)


def _as_decided(concern: Concern, ledger: Ledger, plan: Plan, beside: Lines | None) -> Plan | None:
    """Tell the ledger a plan, and return what of it is carried out now; None: nothing."""
    key, lost = plan.record.key, plan.record.state.intent is not None and not plan.record.excluded
    lines = concern.lines(plan) if plan else ()  # what is told in sync_status already is not planned any more
    if ledger.tell(key, lines, beside, lost=lost):
        return None if concern.comes_later(plan) else replace(plan, by_policy=True)
    if plan.undoes:
        return undo.alone(plan, concern.table)
    quiet = plan and not plan.ended and not lines and is_quiet(plan)
    return plan if quiet and (lost or ledger.was_carried(key)) else None


def _let_through(
    concern: Concern, loaded: Sequence[tuple[Owner, Sequence[Record]]], plans: Mapping[Owner, Sequence[Plan]]
) -> tuple[list[Plan], list[Change]]:
    """Return the plans that the brake lets through, asked call by call, and what is stored of those that it stops."""
    passed: list[Plan] = []
    stopped: list[Change] = []
    for some in concern.run.chunks(loaded):
        found = [plan for owner, _ in some for plan in plans.get(owner, ())]
        if concern.brake.lets_through(found):
            passed += found
            continue
        writing = {plan.record.key.owner for plan in found if plan.writes}
        own = [records[0] for owner, records in some if owner in writing]
        stopped += [retry.deferred(concern.run, record, Retry(BRAKE), stopped=True) for record in own]
        passed += [plan for plan in found if plan.record.key.owner not in writing]
    return passed, stopped


def carry_out(concern: Concern, plans: Sequence[Plan]) -> Carried:
    """Send what these plans want to be sent, each announced before; return what is to be stored of all of them."""
    carried = Carried([change for plan in plans if plan.call is None for change in concern.outcomes(plan)])
    sending = [plan for plan in plans if plan.call is not None]
    for _ in range(CALLS):
        if not sending:
            break
        announced = [plan.announced() for plan in sending]
        missed = concern.run.save(announced).again  # renamed, erased or linked elsewhere since it was loaded
        carried.left |= {key.owner for key in missed}
        pairs = zip(sending, announced, strict=True)
        begun = [plan.begun(change) for plan, change in pairs if plan.record.key not in missed]
        if not begun:
            return carried
        answers = concern.send(begun)
        carried.halts += retry.halts(answers)
        sending = []
        for plan, answer in zip(begun, answers, strict=True):
            if isinstance(answer, NotBegun):
                carried.left.add(plan.record.key.owner)
                continue
            found = concern.answered(plan, answer)
            if isinstance(found, Plan):
                sending.append(found)
            else:
                carried.changes += found
    carried.changes += [concern.given_up(plan) for plan in sending]
    return carried


def save(
    concern: Concern,
    changes: Iterable[Change],
    plans: Sequence[Plan] = (),
    *,
    settled: Callable[[Change], Change] = lambda change: change,
) -> tuple[Report, set[Owner]]:
    """Store what differs, in one transaction; return the figures and the owners to be worked again.

    What the ERP's own database refuses to take is deferred like any refused record. ``settled`` says of each change
    what becomes of its rows in ``sync_plan``; those of an undo are settled anyway.
    """

    def ending(change: Change) -> Change:
        return undo.settled(settled(change))

    worth = [ending(change) for change in changes if change]
    if not worth:
        return Report(), set()
    run = concern.run
    answer = run.save(worth)
    lost = answer.again | answer.refused.keys()
    stored = [c.otherwise if c.record.key in lost and c.otherwise else c for c in worth]
    refused = {c.record.key: c for c in stored if c.record.key in answer.refused}
    by_key = {key: Plan(change.record) for key, change in refused.items()} | {plan.record.key: plan for plan in plans}
    parts = [ending(_in_part(concern, by_key[key], refused[key], some)) for key, some in answer.columns.items()]
    written = run.save(parts) if parts else Saved()
    done = {c.record.key for c in parts} - written.refused.keys()
    reasons = {**answer.refused, **written.refused}
    late = [ending(_refused_by_erp(concern, by_key[k], c, reasons[k])) for k, c in refused.items() if k not in done]
    if late:
        run.save(late)
    taken = [c for c in parts if c.record.key in done - written.again]
    return Report(figures([*stored, *taken, *late])), {key.owner for key in answer.again | written.again}


def _as_stored(stored: Change) -> RecordState:
    """Return the state of a record whose row was not taken; what is known of it besides is stored already."""
    return stored.after if stored.row is None else stored.record.state


def _in_part(concern: Concern, plan: Plan, stored: Change, columns: Mapping[str, str]) -> Change:
    """Return the change that writes the columns of a row that the ERP's database takes, and holds the others."""
    named = {name: Reject(COLUMN_REFUSED, field=name, reason=why) for name, why in columns.items()}
    before = _as_stored(stored)
    record = replace(stored.record, state=before)
    rest = concern.left_out(replace(plan, record=record, base=before.base, earlier=(), call=None), Side.ERP, named)
    steps = tuple(step for step in rest.steps if step.target is not Side.PANEL)
    change = replace(rest, steps=steps).change()
    own = {step.field for step in rest.steps if step.target is not Side.PANEL}
    notes = {**{name: note for name, note in before.notes.items() if name not in own}, **change.after.notes}
    said = [status for status in (before.status if before.deferral else None, rest.status) if status is not None]
    after = replace(before, base=change.after.base, panel_id=change.after.panel_id, notes=notes)
    return replace(change, after=replace(after, status=joined(said) if said else None))


def _refused_by_erp(concern: Concern, plan: Plan, stored: Change, reason: str) -> Change:
    """Return the change of a record whose row was not taken at all. Attempts are counted from what was loaded."""
    state = _as_stored(stored)
    change = concern.refused_by_erp(plan, Change(stored.record, state), Reject(REFUSED_BY_ERP, reason=reason))
    return replace(change, record=replace(stored.record, state=state))


def figures(changes: Sequence[Change]) -> Counts:
    """Count what some changes say: owners written on each side; conflicts, and owners that wait for a person, anew."""
    to_panel = {c.record.key.owner for c in changes if any(w.direction is Direction.ERP_TO_PANEL for w in c.written)}
    to_erp = {c.record.key.owner for c in changes if any(w.direction is Direction.PANEL_TO_ERP for w in c.written)}
    held = {c.record.key.owner for c in changes if begins_to_wait(c)}
    return Counts(
        written_to_panel=len(to_panel),
        written_to_erp=len(to_erp),
        conflicts=sum(len(_raised(change)) for change in changes),
        held=len(held),
        refused=len({c.record.key.owner for c in changes if _is_refused(c)}),
    )


def _is_refused(change: Change) -> bool:
    """Return whether a record was refused now: it begins to be held, or has used up an attempt."""
    before, after = change.record.state.deferral, change.after.deferral
    tried = after is not None and after.attempts > (before.attempts if before else 0)
    held = change.after.status is not None and change.after.status.state is State.HELD
    return tried or (held and begins_to_wait(change))


def _raised(change: Change) -> Sequence[ConflictNote]:
    """Return the conflicts of a change without those that were open before, undecided, and only have new values."""
    known = {conflict.field for conflict in change.record.conflicts if conflict.decision is None}
    return [note for note in change.conflicts if note.field not in known]


def begins_to_wait(change: Change) -> bool:
    """Return whether a record waits for a person from this change on, or for another reason than before."""
    before, after = change.record.state.status, change.after.status
    if after is None or after.state not in (State.HELD, State.CONFLICT):
        return False
    return before is None or (before.state, before.code, before.field) != (after.state, after.code, after.field)
