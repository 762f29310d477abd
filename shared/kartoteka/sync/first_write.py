"""The first change of a week is looked at before others follow: a panel may empty what a change does not name.

One record is changed alone, and read just before and just after. Where a text is empty that was not, and that the
change did not name, it is put back, every concern stops until a person confirms, and the other records wait: such a
panel costs one account a repair, and not a batch its data. Where somebody has edited meanwhile what is about to be
written, nothing is: the record is planned again. Where the two readings tell nothing (an account without other texts, a
panel that shows a change late) the others follow, and the next change is looked at again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.model import Done, Outcome, Values
from kartoteka.ports.panel import LACKS_FIELD
from kartoteka.sync import emptied, retry
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import Answer, NotBegun

if TYPE_CHECKING:
    from kartoteka.sync.concern import Concern

TRIED = 3
"""How many records are changed alone in one go, until one of them was changed."""

Call = Callable[[Sequence[Any]], Sequence[Outcome]]
log = logging.getLogger(__name__)


class Snapshot(NamedTuple):
    """What the panel shows of a record, and when it last changed it, where it tells that."""

    values: Values
    changed_at: datetime | None = None


def send(concern: Concern, gate: str, call: Call, plans: Sequence[Plan]) -> list[Answer]:
    """Send the changes of these plans through one gate; return an answer for each, in order.

    What is not begun, since none of the first ones was changed, comes back with its message.
    """
    run = concern.run
    if not plans or gate in run.harmless.names():
        return retry.send_apart(run, gate, call, plans)
    answers: dict[int, Answer] = {}
    others: Reject | Retry | Halt | None = NotBegun()
    for n in _in_turn(plans)[:TRIED]:
        answers[n], others = _alone(concern, gate, call, plans[n])
        if not isinstance(others, NotBegun):
            break
    failures = [answer for answer in answers.values() if isinstance(answer, Retry)]
    if isinstance(others, NotBegun) and len(failures) >= retry.FAILED_CALLS:
        others = failures[-1]
    rest = [n for n in range(len(plans)) if n not in answers]
    if others is None and not run.time_left():
        others = NotBegun()
    told: Sequence[Answer] = (
        [others] * len(rest) if others else retry.send_apart(run, gate, call, [plans[n] for n in rest])
    )
    answers |= dict(zip(rest, told, strict=True))
    return [answers[n] for n in range(len(plans))]


def _alone(concern: Concern, gate: str, call: Call, plan: Plan) -> tuple[Answer, Reject | Retry | Halt | None]:
    """Change one record and look at it; return its answer, and the one of all others, which are not sent then.

    None: they may be sent. NotBegun: this one has told nothing, another one may.
    """
    try:
        before = concern.snapshot(plan)
    except Reject:
        return NotBegun(), NotBegun()
    except (Retry, Halt) as error:
        return error, error
    if _was_edited(plan, concern.planned_from(plan), before.values):
        return NotBegun(), NotBegun()
    (answer,) = retry.send_apart(concern.run, gate, call, [plan])
    if isinstance(answer, Reject | Halt):
        return answer, answer if isinstance(answer, Halt) or answer.code == LACKS_FIELD else NotBegun()
    others = None if isinstance(answer, Done) else NotBegun() if retry.is_own(answer) else answer
    try:  # also where there is no answer: the panel may have taken it
        after = concern.snapshot(plan)
    except (Reject, Retry, Halt):
        return answer, others
    fields = {**ACCOUNT_FIELDS, **concern.rows.fields}
    beside = before.values.keys() - plan.call.values.keys()
    texts = {n: before.values[n] for n in beside if fields[n].kind.free and not is_blank(before.values[n])}
    lost = {name: text for name, text in texts.items() if name in after.values and is_blank(after.values[name])}
    if lost:
        (again,) = retry.send_all(call, [replace(plan.call, values={**lost, **plan.call.values})])
        done = "was put back" if isinstance(again, Done) else "could not be put back"
        log.error("a change of client %s has emptied %s, which %s", plan.record.key.client_id, ", ".join(lost), done)
        emptied.stop_all(concern.run)
        return answer, Retry(retry.BRAKE)
    if texts and after != before:
        concern.run.harmless.note(gate)
    return answer, others


def _was_edited(plan: Plan, read: Values, now: Values) -> bool:
    """Whether the panel shows another value now of a field that a plan is about to write than it was made from."""
    return any(now[name] != read[name] for name in plan.call.values if name in read and name in now)


def _in_turn(plans: Sequence[Plan]) -> list[int]:
    """Return the places of these plans, those over which the panel may have failed last, and other ones each time."""
    fresh, failed = list[int](), list[int]()
    turns = 0
    for n, plan in enumerate(plans):
        deferral = plan.record.state.deferral
        if deferral is not None and retry.may_be_own(deferral):
            failed.append(n)
            turns = max(turns, deferral.tries)
        else:
            fresh.append(n)
    begin = TRIED * turns % len(failed) if failed else 0
    return [*fresh, *failed[begin:], *failed[:begin]]
