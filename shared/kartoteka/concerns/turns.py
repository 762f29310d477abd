"""A client's currency and its limit change in turn, so that no limit ever counts in a currency it was not computed in.

The currency travels with billing and the limit with credit, by two queues. Before billing sends another currency it
asks: a note at the currency in its own record names the new one. Credit sets the limit to 0 and answers with the same
note in its record. Then billing sends the currency, its note goes, and credit sends what counts in the new one. Each
writes its own record alone and reads the other's; a deferral stands behind both, should a message be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from kartoteka import codes
from kartoteka.errors import Retry
from kartoteka.fields import money
from kartoteka.fields.table import CURRENCY_FIELD, LIMIT
from kartoteka.model import NO_FORMS, NOTHING_KEPT, Change, Note, Owner, RecordState, Side, Value
from kartoteka.sync import retry
from kartoteka.sync.concern import Concern
from kartoteka.sync.excluded import EXCLUDED
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Run

BILLING, CREDIT = "billing", "credit"
WAITS = "waits"
"""The kind of the note at the currency: its value is the currency that is about to be sent."""
ZERO = "0.00"
MAKES_WAY = codes.status("currency_changes", [CURRENCY_FIELD])
"""What credit says of a limit that is 0 while the client's currency changes."""


def code_of(value: Value) -> str:
    """Return a currency in the form in which two are compared; empty where there is none."""
    return str(value or "").strip().upper()


def asked_of(state: RecordState) -> str:
    """Return the currency for which a record of either concern waits; empty where it waits for none, or is excluded."""
    note = state.notes.get(CURRENCY_FIELD)
    if state.status is not None and state.status.code == EXCLUDED:
        return ""
    return note.value if note is not None and note.kind == WAITS else ""


def limits(run: Run, owners: Collection[Owner]) -> Mapping[Owner, RecordState]:
    """Return what credit keeps of those of these clients whose limit is looked after."""
    credit = run.concerns.get(CREDIT)
    if not owners or credit is None or not credit.is_on:
        return {}
    records = run.exchange.records
    having = records.having(CREDIT, [owner.client_id for owner in owners])
    states = {key.owner: state for key, state in records.states([CREDIT], owners).items()}
    sent = {owner for owner, state in states.items() if state.base is not None and LIMIT in state.base.erp}
    found = {o: states.get(o, NOTHING_KEPT) for o in owners if o.client_id in having or o in sent}
    excluded = records.exclusions([owner.client_id for owner in found]) if found else {}
    return {owner: state for owner, state in found.items() if CREDIT not in excluded.get(owner.client_id, ())}


def asked(run: Run, owners: Collection[Owner]) -> Mapping[Owner, str]:
    """Return the currency that billing is about to send, of those of these clients where it waits to."""
    found = run.exchange.records.states([BILLING], owners).items()
    return {key.owner: code for key, state in found if (code := asked_of(state))}


def in_turn(step: Step, limit: RecordState | None) -> Step:
    """Return billing's step, or in place of another currency for the panel the question that comes before it.

    ``limit`` is what credit keeps of the client; None where the ERP looks after no limit.
    """
    if step.field != CURRENCY_FIELD or step.target is not Side.PANEL or limit is None:
        return step
    wanted = code_of(step.value)
    base = limit.base or NO_FORMS
    if asked_of(limit) == wanted and money.canonical(base.erp.get(LIMIT)) == ZERO:
        return step
    return step.held("limit_first", {}, Note(WAITS, wanted))


class InTurn(Concern):
    """A concern that waits for the ``other`` one where a client's currency changes."""

    other: ClassVar[str]

    def outcomes(self, plan: Plan) -> Sequence[Change]:
        """Return what is stored of a plan that the panel need not be told of; what waits is tried again by itself."""
        return [self._tried_again(change) for change in super().outcomes(plan)]

    def answered(self, plan: Plan, answer: Answer) -> Plan | Sequence[Change]:
        """Return what is to be stored, or the plan of the call to make instead; what waits is tried again by itself."""
        found = super().answered(plan, answer)
        return found if isinstance(found, Plan) else [self._tried_again(change) for change in found]

    def saved(self, changes: Sequence[Change]) -> None:
        """Wake the other concern where it has been asked, or answered."""
        woken = {c.record.key.owner for c in changes if self.wakes(c)}
        if woken:
            self.run.queue.send(self.other, sorted(woken))

    def wakes(self, change: Change) -> bool:
        """Whether the other concern has something to do after this change."""
        return asked_of(change.record.state) != asked_of(change.after)

    def _tried_again(self, change: Change) -> Change:
        if not asked_of(change.after) or change.after.deferral is not None:
            return change
        due = retry.deferred(self.run, change.record, Retry("limit_first")).after.deferral
        whole = replace(change, after=replace(change.after, deferral=due))
        return replace(whole, otherwise=self._tried_again(change.otherwise)) if change.otherwise else whole
