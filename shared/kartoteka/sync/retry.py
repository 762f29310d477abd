"""What fails: a record is deferred and tried again by itself, or held; the back-off; bulk calls that are split."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from kartoteka import codes
from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.fields.table import country_of
from kartoteka.fields.values import as_text
from kartoteka.model import (
    REFUSED,
    REFUSED_TOGETHER,
    STANDS,
    Change,
    Decision,
    Deferral,
    Note,
    Outcome,
    Record,
    Side,
)
from kartoteka.pieces import pieces
from kartoteka.ports.panel import BROKEN_ANSWER, REFUSED_WHOLE, TIMEOUT, TOO_LARGE
from kartoteka.sync import unread as unanswered
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import UNKNOWN, Plan, joined
from kartoteka.sync.run import Run

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=60)
BRAKE = "brake"
"""The reason of a pause, and the code of a record that was stopped."""

TOO_MUCH = (TIMEOUT, TOO_LARGE)
"""The codes of calls that may have asked too much at once: fewer records go into the next."""
OWN_FAULTS = (*TOO_MUCH, "panel_5xx", BROKEN_ANSWER)
"""The codes of calls that fail for an outage, or for one record of theirs."""
NO_RESULT = "missing_result"
"""The code of a record of which the answer to its call says nothing."""
UNANSWERED = ("timeout", "connection", NO_RESULT, BROKEN_ANSWER, "moved", "panel_5xx")
"""The codes of calls whose effect is not known, and of facts that have moved."""
FAILED_CALLS = 2
"""Calls that fail before an outage is believed in."""

T = TypeVar("T")
A = TypeVar("A")
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
    code = error.code
    if code != BRAKE and (stopped or was_stopped(record)):
        code = f"{BRAKE}.{code}"
    since = unanswered.since(run, error, before.unread_since if before else None)
    deferral = Deferral(run.now() + wait, before.attempts if before else 0, tries, code, since)
    return Change(record, replace(record.state, deferral=deferral, status=told or codes.status(error.code)))


def was_stopped(record: Record) -> bool:
    """Whether a record was stopped by the brake: it comes back by a person's word only."""
    own = record.link is not None or bool(record.key.group_id)
    return own and record.state.deferral is not None and record.state.deferral.code.partition(".")[0] == BRAKE


def reason(deferral: Deferral) -> str:
    """Return the code of what has deferred a record last, whether the brake had stopped it before or not."""
    return deferral.code.removeprefix(f"{BRAKE}.")


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
    deferral = None
    if not final:
        since = unanswered.since(run, error, before.unread_since if before else None)
        due = run.now() + pause(tries, FIRST_PAUSE, LONGEST_PAUSE)
        deferral = Deferral(due, attempts, tries, error.code, since)
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


class NotBegun(Retry):
    """The run has no time left for this call: nothing was asked or sent, and the key comes back with its message."""

    def __init__(self) -> None:
        super().__init__("rate_limit")


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
    """Send the calls of these plans through one gate, :func:`apart`; return an answer for each, in order."""
    deferrals = [plan.record.state.deferral for plan in plans]
    return apart(run, gate, deferrals, lambda part: send_all(call, [plans[n].call for n in part]))


def apart(
    run: Run, gate: str, deferrals: Sequence[Deferral | None], call: Callable[[Sequence[int]], Sequence[A]]
) -> list[A | Retry]:
    """Make calls through one gate for records that were deferred so, some at a time; return an answer for each.

    ``call`` is given the places of some, and answers for each. Those whose last call failed go in smaller and smaller
    parts, after the others: one of them may be what the panel fails over, and it is known once it fails alone
    (:attr:`Retry.alone`) while others of the same gate pass in this run. In an outage two calls fail, and no more are
    begun; one is enough of a kind that no record can be blamed for. The first call is made whatever the time, so that
    every run gets somewhere; what there is no time for besides is NotBegun.
    """
    answers: dict[int, A | Retry] = {}
    failures: list[A] = []
    single: list[int] = []

    def answered(numbered: tuple[int, Sequence[int]]) -> Sequence[A | Retry]:
        number, part = numbered
        if number and not run.time_left():
            return [NotBegun()] * len(part)
        if _is_outage(failures) and (gate not in run.passed or not is_own(failures[-1])):
            return [failures[-1]] * len(part)
        told = call(part)
        failures.extend(answer for answer in told[:1] if _is_failed_call(answer))
        if not all(isinstance(answer, KartotekaError) for answer in told):
            run.passed.add(gate)
        single.extend(part if len(part) == 1 else ())
        return told

    for parts in _parts(run, deferrals):
        numbered = list(enumerate(parts, start=len(answers)))
        for part, told in zip(parts, run.at_once(answered, numbered), strict=True):
            answers |= dict(zip(part, told, strict=True))
            _learn_size(run, told)
    for n in single:
        answers[n] = blamed(run, gate, answers[n])
    return [answers[n] for n in range(len(deferrals))]


def _learn_size(run: Run, told: Sequence[object]) -> None:
    """Remember whether a call about so many records was too much for the panel, or its answer for us."""
    failed = [answer for answer in told if _is_failed_call(answer)]
    if any(answer.code in TOO_MUCH for answer in failed if isinstance(answer, Retry)):
        run.batch.too_many(len(told))
    elif len(told) > 1 and not failed:
        run.batch.passed(len(told))


def _is_failed_call(answer: object) -> bool:
    return isinstance(answer, Retry | Halt) and answer.code != NO_RESULT


def _is_outage(failures: Sequence[object]) -> bool:
    return len(failures) >= FAILED_CALLS or not all(map(is_own, failures))


def is_own(failure: object) -> bool:
    """Return whether a call failed for what may be an outage, or the fault of one of its records."""
    return isinstance(failure, Retry) and failure.code in OWN_FAULTS


def blamed(run: Run, gate: str, answer: A) -> A | Retry:
    """Return the answer of a call for one record: one that fails while the gate takes others fails alone."""
    if not isinstance(answer, Retry) or not is_own(answer) or gate not in run.passed:
        return answer
    alone = Retry(answer.code, after=answer.after)
    alone.alone = True
    return alone


def size_of_part(run: Run, deferral: Deferral | None) -> int:
    """Return how many records go into one call with one that was deferred so: fewer each time a call of its fails."""
    tries = deferral.tries if deferral is not None and may_be_own(deferral) else 0
    return max(1, run.policy.panel.batch_size >> (2 * tries))


def _parts(run: Run, deferrals: Sequence[Deferral | None]) -> Sequence[Sequence[Sequence[int]]]:
    """Return the places of these records in the parts in which calls are made for them, those that failed apart."""
    failed = {n: d for n, d in enumerate(deferrals) if d is not None and may_be_own(d)}
    fresh = [n for n in range(len(deferrals)) if n not in failed]
    size = min((size_of_part(run, deferral) for deferral in failed.values()), default=1)
    return run.chunks(fresh), pieces(list(failed), size)


def may_be_own(deferral: Deferral) -> bool:
    """Return whether a record was deferred for what may be an outage, or a fault of its own."""
    return reason(deferral).partition(".")[0] in OWN_FAULTS


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


def ask_apart(
    run: Run,
    gate: str,
    call: Callable[[Sequence[str]], Collection[T]],
    keys: Sequence[str],
    deferrals: Mapping[str, Deferral | None],
) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
    """Search through one gate as :func:`ask_all` does, for records that were deferred so, by key: :func:`apart`."""
    found: dict[int, list[T]] = {}

    def ask(part: Sequence[int]) -> list[Reject | Retry | Halt | None]:
        asked = [keys[n] for n in part]
        found[part[0]], failed = ask_all(call, asked)
        return [failed.get(key) for key in asked]

    answers = apart(run, gate, [deferrals.get(key) for key in keys], ask)
    shown = [one for place in sorted(found) for one in found[place]]
    return shown, {key: answer for key, answer in zip(keys, answers, strict=True) if answer is not None}


def unread(run: Run, record: Record, error: Reject | Retry | Halt) -> Change:
    """Return the change of a record about which the panel could not be asked."""
    if isinstance(error, Retry) and error.alone:
        error = own_fault(error)
    if isinstance(error, Reject):
        return refused(run, Change(record, record.state), error)
    return deferred(run, record, error)


def own_fault(error: Retry) -> Reject:
    """Return the refusal that a failure stands for which a record has alone: it counts an attempt."""
    return Reject(f"{error.code}.alone")


def halts(answers: Iterable[object]) -> tuple[str, ...]:
    """Return what only a person can correct, each once."""
    return tuple(dict.fromkeys(str(answer) for answer in answers if isinstance(answer, Halt)))
