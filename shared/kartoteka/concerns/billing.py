"""Billing data, both ways, field by field: the common way, but for the currency, which waits for the limit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar

from kartoteka.codes import Status
from kartoteka.concerns import turns
from kartoteka.concerns.turns import InTurn
from kartoteka.fields.table import CURRENCY_FIELD
from kartoteka.model import Change, Owner, Record
from kartoteka.sync.concern import Shown
from kartoteka.sync.merge import Step


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
        """Let another currency wait until the limit is 0."""
        kept, said = super().checked(record, shown, steps)
        return tuple(turns.in_turn(step, record.facts) for step in kept), said

    def wakes(self, change: Change) -> bool:
        """Whether credit has to act: also where it was asked before and has not answered, the message may be lost."""
        unanswered = change.record.facts is not None and not turns.asked_of(change.record.facts)
        return super().wakes(change) or (bool(turns.asked_of(change.after)) and unanswered)
