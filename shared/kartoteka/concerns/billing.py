"""Billing data, both ways, field by field: the common way, but for two fields.

The currency waits for the limit. A tax number is checked before a call is paid for, and one that would replace another
one waits for a person: a wrong buyer's number on an invoice in KSeF cannot be corrected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from kartoteka.codes import Status
from kartoteka.concerns import turns
from kartoteka.concerns.turns import InTurn
from kartoteka.errors import Reject
from kartoteka.fields import tax
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import CURRENCY_FIELD, TAX_NUMBER_FIELD, country_of
from kartoteka.fields.values import as_text
from kartoteka.model import STANDS, Change, Decision, Note, Owner, Reason, Record, Side, Value
from kartoteka.sync import retry
from kartoteka.sync.concern import Shown
from kartoteka.sync.decisions import BAD_DECISION
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import Answer

CHANGED = "tax_number_changed"
"""The code of a protected value that would replace another one."""
LEFT_CLOSED = "closed_in_panel.kept"
"""The code of a value that is not corrected, since the account is closed."""


class Billing(InTurn):
    """Name, company, tax number, address, e-mail, telephone and preferences of a client.

    ``Record.facts`` is what credit keeps of a client whose limit the ERP looks after, else None.
    """

    name = "billing"
    other: ClassVar[str] = turns.CREDIT

    def load(self, owners: Collection[Owner]) -> list[Record]:
        """Return what is known of these owners, and of the limits of those whose rows name a currency."""
        records = super().load(owners)
        asking = [r.key.owner for r in records if r.link and r.erp and r.erp.get(CURRENCY_FIELD)]
        limits = turns.limits(self.run, asking)
        return [replace(record, facts=limits.get(record.key.owner)) for record in records]

    def checked(self, record: Record, shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Let another currency wait until the limit is 0, and hold tax numbers that are wrong, or replace others."""
        kept, said = super().checked(record, shown, steps)
        looked = (self._looked_at(record, step) for step in kept)
        return tuple(turns.in_turn(step, record.facts) for step in looked), said

    def _looked_at(self, record: Record, step: Step) -> Step:
        """Return the step of a field, or what stands in its place where a person has to look at it first."""
        if step.target is None:
            return step
        if step.field == TAX_NUMBER_FIELD and step.target is Side.PANEL and self.run.policy.billing.check_tax_numbers:
            country = country_of(record.erp or {})
            if fault := tax.fault(step.value, country):
                facts = {"value": quoted(step.value), "country": country}
                return _held(step, fault, facts, step.seen)
        if not (self.rules[step.field].protect and self._replaces(record, step)):
            return step
        if record.decision == Decision.SEND and record.code != BAD_DECISION:  # else it was given for another value
            return replace(step, confirmed=True, risky=False)
        erp_value, panel_value = (step.value, step.seen) if step.target is Side.PANEL else (step.seen, step.value)
        facts = {"erp_value": quoted(erp_value), "panel_value": quoted(panel_value)}
        return _held(step, CHANGED, facts, panel_value)

    def _replaces(self, record: Record, step: Step) -> bool:
        """Return whether a step writes another value over one that is there, neither drift nor by a person's word.

        Both are read by the row's country, which is known also where the panel was not asked.
        """
        if step.reason in (Reason.DRIFT, Reason.UNDO) or is_blank(step.seen) or is_blank(step.value):
            return False
        ruled = (None, self.rules[step.field].conflict.winner)
        if any(conflict.field == step.field and conflict.decision not in ruled for conflict in record.conflicts):
            return False
        field, row = self.rows.fields[step.field], record.erp or {}
        return field.normalise(step.seen, row) != field.normalise(step.value, row)

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Send the calls of these plans; return an answer for each, in order.

        What was changed in an account that is closed is not corrected there: somebody may have been erased, and would
        be brought back value by value.
        """
        lost = {n: fields for n, plan in enumerate(plans) if (fields := _corrected(plan))}
        accounts = {n: link.panel_client_id for n in lost if (link := plans[n].record.link)}
        ids = list(dict.fromkeys(accounts.values()))
        closed, failed = retry.ask_apart(self.run, "closed", self.run.panel.closed_among, ids, {}) if ids else ([], {})
        answers: dict[int, Answer] = {}
        for n, key in accounts.items():
            if key in closed:
                answers[n] = _left_as_it_is(lost[n])
            elif (error := failed.get(key)) is not None:
                answers[n] = error
        rest = [n for n in range(len(plans)) if n not in answers]
        answers |= dict(zip(rest, super().send([plans[n] for n in rest]) if rest else (), strict=True))
        return [answers[n] for n in range(len(plans))]

    def wakes(self, change: Change) -> bool:
        """Whether credit has to act: also where it was asked before and has not answered, the message may be lost."""
        unanswered = change.record.facts is not None and not turns.asked_of(change.record.facts)
        return super().wakes(change) or (bool(turns.asked_of(change.after)) and unanswered)


def _corrected(plan: Plan) -> list[str]:
    """Return the fields in which a plan's call corrects what was changed in the panel."""
    return [step.field for step in plan.to_panel if step.reason is Reason.DRIFT]


def _left_as_it_is(fields: Sequence[str]) -> Reject:
    """Return what holds these fields of a closed account."""
    first, *others = (Reject(LEFT_CLOSED, field=name) for name in fields)
    first.also = tuple(others)
    return first


def _held(step: Step, code: str, facts: Mapping[str, str], shown: Value) -> Step:
    """Return the step that waits for a person; a conflict that it would have ended is no conflict any more."""
    return replace(step.held(code, facts, Note(STANDS, as_text(shown) or "", code=code)), closes=step.closes)
