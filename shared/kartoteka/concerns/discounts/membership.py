"""The concern: which group each client is in, and beside it the groups themselves, which are owners of their own.

A client's group is the ERP's id in its row, and the panel's number in its account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from kartoteka import codes
from kartoteka.codes import IN_STEP, Status
from kartoteka.concerns.discounts.groups import Groups
from kartoteka.fields.table import GROUP_FIELD
from kartoteka.model import Owner, Record, RecordState, Values
from kartoteka.sync.collect import ChangeLogSource, DueDates, Source
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Report, Run


class Discounts(Concern):
    """Discount groups and who is in them."""

    name = "discounts"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(self)
        self._numbers: Mapping[str, str] | None = None

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return what tells of changes: the log, and the moments at which prices begin or end."""
        if not self.is_on:
            return ()
        dates = DueDates(self, self.name, self.run.now(), self._dated)
        return dates, ChangeLogSource(self, everything_due=everything_due)

    def _dated(self, since: datetime | None, until: datetime) -> Sequence[Owner]:
        return [Owner(group_id=group_id) for group_id in self.run.exchange.prices.dated(since, until)]

    def scan(self, after: str, limit: int) -> tuple[Sequence[Owner], str]:
        """Return the owners of a full scan: all groups, which are few, then the clients."""
        groups = [Owner(group_id=key) for key in self.run.exchange.prices.group_ids()] if not after else []
        clients, last = super().scan(after, limit)
        return [*groups, *clients], last

    def restored(self) -> bool:
        """Doubt every price: nobody knows what the panel was sent since the backup."""
        for group_id in self.run.exchange.prices.group_ids():
            self.run.exchange.prices.doubt(group_id, None)
        return False

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return the clients with a group; where an empty one is carried too it may be any."""
        if any(rule.always for rule in self.rules.values()):
            return owners
        having = self.run.exchange.records.having(self.name, [owner.client_id for owner in owners])
        return [owner for owner in owners if owner.client_id in having]

    # --- groups go a way of their own

    def batches(self, owners: Sequence[Owner]) -> Sequence[tuple[Sequence[Owner], int]]:
        """Return the groups, one chunk after the other, then the clients, who are put into them."""
        groups, clients = [o for o in owners if o.group_id], [o for o in owners if o.client_id]
        return (groups, 1), (clients, 0)

    def work_alone(self, owners: Sequence[Owner]) -> Report | None:
        """Work discount groups; None for clients."""
        return self.groups.work([o.group_id for o in owners]) if owners and owners[0].group_id else None

    def plans(self, records: Sequence[Record], shown: Shown | None) -> list[Plan]:
        """Return the plan of a group, or of a client."""
        if records[0].key.group_id:
            return [self.groups.plan(records[0], None)] if self.is_on else []
        return super().plans(records, shown)

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Make the calls about groups, each on its own; those about clients together."""
        if plans[0].record.key.group_id:
            return [self.groups.send(plan) for plan in plans]
        return super().send(plans)

    def can_wait(self, record: Record) -> bool:
        """Whether a record can be deferred: a group always."""
        return bool(record.key.group_id) or super().can_wait(record)

    # --- a client's group

    def numbers(self) -> Mapping[str, str]:
        """Return group id -> the panel's number; asked once a run."""
        with self.lock:
            if self._numbers is None:
                self._numbers = self.run.exchange.prices.numbers()
            return self._numbers

    def new_number(self) -> None:
        """A group was made, or is gone: the numbers are to be asked again."""
        with self.lock:
            self._numbers = None

    def believed(self, _record: Record, shown: Shown, values: Values) -> Values:
        """Return the account's group by the ERP's id; a group that is not the ERP's is ``panel-<number>``."""
        number = values.get(GROUP_FIELD)
        if not number or not shown.asked:
            return values
        names = {known: group_id for group_id, known in self.numbers().items()}
        return {**values, GROUP_FIELD: names.get(str(number), f"panel-{number}")}

    def checked(self, record: Record, _shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Let a client wait whose group has a row and no number yet; refuse a group that is not known at all."""
        group_id = str((record.erp or {}).get(GROUP_FIELD) or "")
        if not group_id or group_id in self.numbers() or not any(step.target for step in steps):
            return tuple(steps), None
        if self.groups.has_row(group_id):
            return tuple(step for step in steps if not step.target), codes.status("group_pending")
        facts = {"value": quoted(group_id)}
        return tuple(step.held("unknown_group", facts) if step.target else step for step in steps), None

    def verdict(self, record: Record) -> Status | None:
        """Return nothing of a client who was never put into a group."""
        carried = record.state.base is not None or (record.erp or {}).get(GROUP_FIELD)
        return IN_STEP if carried or record.state != RecordState() else None

    def in_panels_words(self, values: Values) -> Values:
        """Return the values with the panel's number of the group."""
        group_id = str(values.get(GROUP_FIELD) or "")
        return {**values, GROUP_FIELD: self.numbers()[group_id]} if group_id else values
