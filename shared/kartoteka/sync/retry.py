"""What fails: a record is deferred and tried again by itself, or held; the back-off; bulk calls that are split."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from kartoteka import codes
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.table import country_of
from kartoteka.fields.values import as_text
from kartoteka.model import (
    REFUSED,
    REFUSED_TOGETHER,
    STANDS,
    Change,
    Decision,
    Deferral,
    Done,
    Note,
    Outcome,
    Record,
    Side,
)
from kartoteka.pieces import pieces
from kartoteka.ports.panel import REFUSED_WHOLE
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import UNKNOWN, Plan, joined
from kartoteka.sync.run import Run

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=60)
BRAKE = "brake"
"""The reason of a pause, and the code of a record that was stopped."""

OWN_FAULTS = ("timeout", "panel_5xx")
"""The codes of calls that fail for an outage, or for one record of theirs."""
FAILED_CALLS = 2
"""Calls that fail before an outage is believed in."""

T = TypeVar("T")
Pause = TypeVar("Pause", int, timedelta)
Answer = Outcome | Halt
"""What became of one record of a bulk call, or why the whole call could not be made."""


def deferred(
    run: Run, record: Record, error: Retry | Halt, *, stopped: bool = False, told: codes.Status | None = None
) -> Change:
    """Return the change that defers a record because of an outage: no attempt is used up.

    One that the brake had ``stopped`` stays known as such: what a person has let pass need not be let pass again.
    ``told`` is its status where the error's code alone does not say enough.
    """
    before = record.state.deferral
    tries = before.tries + 1 if before else 1
    wait = max(pause(tries, FIRST_PAUSE, LONGEST_PAUSE), timedelta(seconds=getattr(error, "after", None) or 0))
    code = BRAKE if stopped or was_stopped(record) else error.code
    deferral = Deferral(run.now() + wait, before.attempts if before else 0, tries, code)
    return Change(record, replace(record.state, deferral=deferral, status=told or codes.status(error.code)))


def was_stopped(record: Record) -> bool:
    """Whether a record was stopped by the brake: it comes back by a person's word only."""
    own = record.link is not None or bool(record.key.group_id)
    return own and record.state.deferral is not None and record.state.deferral.code == BRAKE


def refused(run: Run, change: Change, error: Reject, steps: Iterable[Step] = (), *, table: str = "") -> Change:
    """Return the change of a record that was refused: deferred for some attempts, then held.

    A refusal that says what is wrong with the contents is held at once: it would come again. What the ``steps`` wanted
    to write on the side that refused is remembered once it is held, so that the same contents are not sent again;
    ``change`` is what is stored of the rest.
    """
    record = change.record
    before = record.state.deferral
    attempts, tries = (before.attempts + 1, before.tries + 1) if before else (1, 1)
    held = status_of_refusal(error, table)
    final = codes.names_contents(error.code) or attempts >= run.policy.retry.max_attempts
    deferral = (
        None if final else Deferral(run.now() + pause(tries, FIRST_PAUSE, LONGEST_PAUSE), attempts, tries, error.code)
    )
    told = replace(held, state=codes.State.HELD if final else codes.State.PENDING)
    others = change.after.status
    if others is not None and others.code:
        told = joined([told, others])
    notes = {**change.after.notes, **(notes_of(error, steps, record) if final else {})}
    waits = record.decision == Decision.SEND and not final
    decision = record.state.decision if waits else change.after.decision
    after = replace(change.after, notes=notes, deferral=deferral, status=told, decision=decision)
    return replace(change, after=after)


def refused_by_name(error: Reject, steps: Iterable[Step]) -> dict[str, Reject]:
    """Return the refusals of an answer that say what is wrong with the contents of one of these steps, by field."""
    sent = {step.field for step in steps}
    named = (e for e in (error, *error.also) if e.field in sent and codes.names_contents(e.code))
    return {e.field: e for e in reversed(list(named))}


def status_of_refusal(error: Reject, table: str) -> codes.Status:
    """Return what is said of a refusal; ``table`` is the ERP's table that the message names."""
    return codes.told(error.code, [error.field] if error.field else [], {**UNKNOWN, "table": table, **error.facts})


def notes_of(error: Reject, steps: Iterable[Step], record: Record) -> Mapping[str, Note]:
    """Return what is remembered of the values that were refused: the one that the refusal names, else all together."""
    written = [step for step in steps if step.target]
    named = [step for step in written if step.field == error.field]
    kind = REFUSED if named else REFUSED_TOGETHER
    text, country = error.facts.get("panel") or error.facts.get("reason") or "", country_of(record.erp or {})
    return {
        s.field: Note(STANDS if s.target is Side.ERP else kind, as_text(s.value) or "", 1, error.code, text, country)
        for s in named or written
    }


def pause(tries: int, first: Pause, longest: Pause) -> Pause:
    """Return the pause after so many tries: twice as long each time, up to the longest."""
    return min(first * (1 << max(0, min(tries - 1, 10))), longest)


def send_all(call: Callable[[Sequence[T]], Sequence[Outcome]], items: Sequence[T]) -> list[Answer]:
    """Make one bulk call and return an answer for each item, in order.

    A chunk that is refused as a whole is split until the culprit stands alone. A call that failed leaves each of its
    items unknown (Retry), unsent (Halt), or refused for a reason that holds for all (Reject).
    """
    if not items:
        return []
    try:
        return list(call(items))
    except Reject as reject:
        if len(items) == 1 or reject.code != REFUSED_WHOLE:
            return [reject] * len(items)
        middle = len(items) // 2
        return [*send_all(call, items[:middle]), *send_all(call, items[middle:])]
    except (Retry, Halt) as error:
        return [error] * len(items)


def send_apart(
    run: Run, gate: str, call: Callable[[Sequence[Any]], Sequence[Outcome]], plans: Sequence[Plan]
) -> list[Answer]:
    """Send the calls of these plans; return an answer for each, in order.

    Those whose last call failed go in smaller and smaller parts, after the others: one of them may be what the panel
    fails over, and it is known once it fails alone (:attr:`Retry.alone`) while others pass. In an outage two calls
    fail, and no more are made.
    """
    answers: dict[int, Answer] = {}
    failures: list[Retry | Halt] = []
    for part in _parts(run, plans):
        outage = len(failures) >= FAILED_CALLS and gate not in run.passed
        told = [failures[0]] * len(part) if outage else send_all(call, [plans[n].call for n in part])
        failures += [answer for answer in told[:1] if isinstance(answer, Retry | Halt)]
        if any(isinstance(answer, Done) for answer in told):
            run.passed.add(gate)
        answers |= dict(zip(part, told, strict=True))
        if len(part) == 1 and isinstance(told[0], Retry) and told[0].code in OWN_FAULTS and gate in run.passed:
            answers[part[0]] = _alone(told[0])
    return [answers[n] for n in range(len(plans))]


def _parts(run: Run, plans: Sequence[Plan]) -> list[Sequence[int]]:
    """Return the plans by their places, in the parts in which they are sent."""
    failed = {n: d.tries for n, plan in enumerate(plans) if (d := plan.record.state.deferral) and _may_be_own(d)}
    fresh = [n for n in range(len(plans)) if n not in failed]
    size = max(1, run.policy.panel.batch_size >> (2 * max(failed.values(), default=0)))
    return [*([fresh] if fresh else []), *pieces(list(failed), size)]


def _may_be_own(deferral: Deferral) -> bool:
    return deferral.code.partition(".")[0] in OWN_FAULTS


def _alone(error: Retry) -> Retry:
    alone = Retry(error.code, after=error.after)
    alone.alone = True
    return alone


def ask_all(
    call: Callable[[Sequence[str]], Collection[T]], keys: Sequence[str]
) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
    """Make one bulk search; return what was found, and for each key that could not be looked up the reason.

    A search that is refused as a whole is split until the culprit stands alone.
    """
    if not keys:
        return [], {}
    try:
        return list(call(keys)), {}
    except Reject as reject:
        if len(keys) == 1:
            return [], {keys[0]: reject}
        middle = len(keys) // 2
        halves = [ask_all(call, half) for half in (keys[:middle], keys[middle:])]
        return halves[0][0] + halves[1][0], halves[0][1] | halves[1][1]
    except (Retry, Halt) as error:
        return [], dict.fromkeys(keys, error)


def unread(run: Run, record: Record, error: Reject | Retry | Halt) -> Change:
    """Return the change of a record about which the panel could not be asked."""
    if isinstance(error, Reject):
        return refused(run, Change(record, record.state), error)
    return deferred(run, record, error)


def halts(answers: Iterable[object]) -> tuple[str, ...]:
    """Return what only a person can correct, each once."""
    return tuple(dict.fromkeys(str(answer) for answer in answers if isinstance(answer, Halt)))
