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
NO_RESULT = "missing_result"
"""The code of a record of which the answer to its call says nothing."""
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


class NotBegun(Retry):
    """The run has no time left for this call: nothing was asked or sent, and the key comes back with its message."""

    def __init__(self) -> None:
        super().__init__("rate_limit")


class Outage:
    """The calls that failed as a whole: after ``patience`` of them no more are begun. Safe for several threads.

    Not where the panel has taken a write of this ``gate`` in this run; of no gate, whatever it has taken.
    """

    def __init__(self, run: Run, gate: str = "", *, patience: int = FAILED_CALLS) -> None:
        self._run = run
        self._gate = gate
        self._patience = patience
        self._failures: list[Retry | Halt] = []

    @property
    def passed(self) -> bool:
        """Whether the panel has taken a write of this gate in this run."""
        return self._gate in self._run.passed

    def why(self) -> Retry | Halt | None:
        """Return why no other call is begun; None: it may be."""
        return self._failures[0] if len(self._failures) >= self._patience and not self.passed else None

    def note(self, told: Sequence[Answer]) -> None:
        """Take note of the answers to one call."""
        first = told[0]
        if isinstance(first, Retry | Halt) and all(answer is first for answer in told) and first.code != NO_RESULT:
            self._failures.append(first)
        if self._gate and any(isinstance(answer, Done) for answer in told):
            self._run.passed.add(self._gate)


def send_all(
    run: Run,
    call: Callable[[Sequence[T]], Sequence[Outcome]],
    parts: Sequence[Sequence[T]],
    outage: Outage | None = None,
) -> list[Answer]:
    """Make a call for each of these parts, some at a time; return an answer for each of what they hold, in order.

    A call that fails leaves each of its own items unknown (Retry), unsent (Halt), or refused for a reason that holds
    for all (Reject); the other calls go on until an ``outage`` is believed in. The first call is made whatever the
    time, so that every run gets somewhere; what there is no time for besides is NotBegun.
    """

    def sent(numbered: tuple[int, Sequence[T]]) -> Sequence[Answer]:
        number, part = numbered
        if number and not run.time_left():
            return [NotBegun()] * len(part)
        if outage and (away := outage.why()):
            return [away] * len(part)
        told = _sent(call, part)
        if outage:
            outage.note(told)
        return told

    return [answer for told in run.at_once(sent, list(enumerate(parts))) for answer in told]


def _sent(call: Callable[[Sequence[T]], Sequence[Outcome]], items: Sequence[T]) -> list[Answer]:
    """Make one call; one that is refused as a whole is split until the culprit stands alone."""
    try:
        return list(call(items))
    except Reject as reject:
        if len(items) == 1 or reject.code != REFUSED_WHOLE:
            return [reject] * len(items)
        middle = len(items) // 2
        return [*_sent(call, items[:middle]), *_sent(call, items[middle:])]
    except (Retry, Halt) as error:
        return [error] * len(items)


def send_apart(
    run: Run, gate: str, call: Callable[[Sequence[Any]], Sequence[Outcome]], plans: Sequence[Plan]
) -> list[Answer]:
    """Send the calls of these plans; return an answer for each, in order.

    Those whose last call failed go in smaller and smaller parts, after the others: one of them may be what the panel
    fails over, and it is known once it fails alone (:attr:`Retry.alone`) while others pass. In an outage two calls
    fail, and no more are begun.
    """
    outage, answers = Outage(run, gate), dict[int, Answer]()
    parts = _parts(run, plans)
    for some in parts:
        told = send_all(run, call, [[plans[n].call for n in part] for part in some], outage)
        answers |= dict(zip((n for part in some for n in part), told, strict=True))
    for n in (part[0] for some in parts for part in some if len(part) == 1):
        answer = answers[n]
        if isinstance(answer, Retry) and answer.code in OWN_FAULTS and outage.passed:
            answers[n] = _alone(answer)
    return [answers[n] for n in range(len(plans))]


def _parts(run: Run, plans: Sequence[Plan]) -> Sequence[Sequence[Sequence[int]]]:
    """Return the plans by their places, in the parts in which they are sent; then those that failed, in theirs."""
    failed = {n: d.tries for n, plan in enumerate(plans) if (d := plan.record.state.deferral) and _may_be_own(d)}
    fresh = [n for n in range(len(plans)) if n not in failed]
    size = max(1, run.policy.panel.batch_size >> (2 * max(failed.values(), default=0)))
    return run.chunks(fresh), pieces(list(failed), size)


def _may_be_own(deferral: Deferral) -> bool:
    return deferral.code.partition(".")[0] in OWN_FAULTS


def _alone(error: Retry) -> Retry:
    alone = Retry(error.code, after=error.after)
    alone.alone = True
    return alone


def ask_all(
    run: Run, call: Callable[[Sequence[str]], Collection[T]], keys: Sequence[str]
) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
    """Search for these keys in full batches, some at a time.

    Return what was found, and for each key that could not be looked up the reason. The first batch is asked for
    whatever the time, as by :func:`send_all`; NotBegun: there was no time.
    """

    def asked(numbered: tuple[int, Sequence[str]]) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
        number, some = numbered
        if number and not run.time_left():
            return [], dict.fromkeys(some, NotBegun())
        return _asked(call, some)

    told = run.at_once(asked, list(enumerate(run.chunks(keys))))
    return [one for found, _ in told for one in found], {k: why for _, failed in told for k, why in failed.items()}


def _asked(
    call: Callable[[Sequence[str]], Collection[T]], keys: Sequence[str]
) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
    """Make one search; one that is refused as a whole is split until the culprit stands alone."""
    try:
        return list(call(keys)), {}
    except Reject as reject:
        if len(keys) == 1:
            return [], {keys[0]: reject}
        middle = len(keys) // 2
        halves = [_asked(call, half) for half in (keys[:middle], keys[middle:])]
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
