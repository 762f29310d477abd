"""The concern: which group each client is in, and beside it the groups themselves, which are owners of their own.

A client's group is the ERP's id in its row, and the panel's number in its account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kartoteka import codes
from kartoteka.codes import IN_STEP, Status
from kartoteka.concerns.discounts.groups import NOT_THERE, REFUSALS, Groups, group_lines, numbered
from kartoteka.concerns.discounts.poll import GroupPoll
from kartoteka.errors import Reject
from kartoteka.fields.table import GROUP_FIELD
from kartoteka.model import Change, Forms, Line, Note, Owner, Record, Values, Written
from kartoteka.sync.collect import ChangeLogSource, DueDates, Source
from kartoteka.sync.concern import Concern, Shown, by_owner
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Plan
from kartoteka.sync.planned import Ledger
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Report, Run

TO_BE_MADE = "to be made: "
"""What stands for the number of a group that the panel does not have yet."""


class Discounts(Concern):
    """Discount groups and who is in them."""

    name = "discounts"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(self)
        self._numbers: Mapping[str, str] | None = None
        self._rows: dict[str, bool] = {}
        self._doubtful: set[Owner] = set()

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return what tells of changes: the moments at which prices begin or end, the log, and the panel's groups."""
        if not self.is_on:
            return ()
        dates = DueDates(self, self.name, self.run.now(), self._dated)
        return dates, ChangeLogSource(self, everything_due=everything_due), GroupPoll(self)

    def _dated(self, since: datetime | None, until: datetime) -> Sequence[Owner]:
        return [Owner(group_id=group_id) for group_id in self.run.exchange.prices.dated(since, until)]

    def scan(self, after: str, limit: int) -> tuple[Sequence[Owner], str]:
        """Return the owners of a full scan: all groups, which are few, then the clients."""
        groups = [Owner(group_id=key) for key in self.run.exchange.prices.group_ids()] if not after else []
        clients, last = super().scan(after, limit)
        return [*groups, *clients], last

    def lacks_row(self, plan: Plan, *, new_policy: bool = False) -> bool:
        """Return whether a plan rests on a row's not being there: a group's, or that of a price that was sent."""
        group_id = plan.record.key.group_id
        return super().lacks_row(plan, new_policy=new_policy) or bool(
            group_id and self.run.exchange.prices.without_item(group_id, 1)
        )

    def restored(self) -> bool:
        """Doubt every price: nobody knows what the panel was sent since the backup."""
        for group_id in self.run.exchange.prices.group_ids():
            self.run.exchange.prices.doubt(group_id, None)
        return False

    @property
    def _removes(self) -> bool:
        """Whether a client without a group is taken out of the one it is in."""
        return self.rules[GROUP_FIELD].always

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return the clients with a group; where an empty one is carried too it may be any."""
        if self._removes:
            return owners
        having = self.run.exchange.records.having(self.name, [owner.client_id for owner in owners])
        return [owner for owner in owners if owner.client_id in having]

    def panel_restored(self) -> None:
        """Have all prices sent again: the panel shows none of them."""
        groups = list(self.run.exchange.prices.numbers()) if self.is_on else []
        for group_id in groups:
            self.run.exchange.prices.doubt(group_id, None)
        if groups:
            self.run.queue.send(self.name, [Owner(group_id=group_id) for group_id in groups])

    # --- groups go a way of their own

    def batches(self, owners: Sequence[Owner]) -> Sequence[Sequence[Owner]]:
        """Return the groups, then the clients, who are put into them."""
        return [o for o in owners if o.group_id], [o for o in owners if o.client_id]

    def work_alone(self, owners: Sequence[Owner]) -> Report | None:
        """Work discount groups; None for clients."""
        return self.groups.work([o.group_id for o in owners]) if owners and owners[0].group_id else None

    def planned(self, records: Sequence[Record], shown: Shown | None) -> list[Plan]:
        """Return the plan of a group, or of a client."""
        if records[0].key.group_id:
            return [self.groups.plan(records[0], None)] if self.is_on else []
        return super().planned(records, shown)

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Make the calls about groups, each on its own; those about clients together."""
        if plans[0].record.key.group_id:
            return [self.groups.send(plan) for plan in plans]
        return super().send(plans)

    def said_of_settled(self, record: Record, shown: Any) -> Status | None:
        """Return what is said of a client or a group whose base is what both sides show."""
        return IN_STEP if record.key.group_id else super().said_of_settled(record, shown)

    def can_wait(self, record: Record) -> bool:
        """Whether a record can be deferred: a group always."""
        return bool(record.key.group_id) or super().can_wait(record)

    def refused(self, plan: Plan, reject: Reject) -> Change:
        """Return the change of a client or a group that the panel refused.

        That a client may not go into a group is remembered of the group's number: it is tried again once it has another
        one. The group is looked at, since the panel may not have it any more.
        """
        if plan.record.key.group_id:
            return super().refused(replace(plan, status=None), reject)
        change = super().refused(plan, reject)
        group_id = str(next((step.value for step in plan.to_panel if step.field == GROUP_FIELD), None) or "")
        if not group_id:
            return change
        if reject.field in ("", GROUP_FIELD):
            with self.lock:
                self._doubtful.add(Owner(group_id=group_id))
        note = change.after.notes.get(GROUP_FIELD)
        if note is None or note.kind not in REFUSALS:
            note = Note(NOT_THERE, "", code=reject.code)
        note = note._replace(value=numbered(plan.call.values[GROUP_FIELD]))
        return replace(change, after=replace(change.after, notes={**change.after.notes, GROUP_FIELD: note}))

    def saved(self, _changes: Sequence[Change]) -> None:
        """Let the groups be looked at into which the panel let nobody."""
        with self.lock:
            doubtful, self._doubtful = self._doubtful, set()
        if doubtful:
            self.run.queue.send(self.name, sorted(doubtful))

    # --- ``mode: plan``

    def lines(self, plan: Plan) -> list[Line]:
        """Return what the plan of a client, or of a group, says."""
        return group_lines(plan) if plan.record.key.group_id else super().lines(plan)

    def ready(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those owners of an approved plan who can be worked: clients whose group is made, and groups.

        Of a group that is only to be made prices alone may have been approved: they wait for it.
        """
        numbers = self.run.exchange.prices.numbers()
        ledger = Ledger(self.run, self.name, [owner for owner in owners if owner.group_id])
        found = []
        for owner, records in by_owner(self.load(owners)):
            named = str((records[0].erp or {}).get(GROUP_FIELD) or "")
            waits = named not in ("", *numbers) and self.has_row(named)
            can = owner.group_id in numbers or ledger.is_approved(records[0].key) if owner.group_id else not waits
            found += [owner] if can and self.speaks_of(records[0]) else []
        return found

    def comes_later(self, plan: Plan) -> bool:
        """Whether a client's group has to be made first."""
        return plan.call is not None and str(plan.call.values.get(GROUP_FIELD) or "").startswith(TO_BE_MADE)

    # --- a client's group

    def numbers(self) -> Mapping[str, str]:
        """Return group id -> the panel's number; asked once a run, in which groups are worked before clients.

        Where it is only planned who is in which group, those that are to be made have something in its place.
        """
        with self.lock:
            if self._numbers is None:
                self._numbers = self.run.exchange.prices.numbers()
                if self.only_plans:
                    made = (key for key in self.run.exchange.prices.group_ids() if self.has_row(key))
                    self._numbers = {**{key: f"{TO_BE_MADE}{key}" for key in made}, **self._numbers}
            return self._numbers

    def has_row(self, group_id: str) -> bool:
        """Return whether the ERP has such a group; asked once a run."""
        with self.lock:
            if group_id not in self._rows:
                records = self.load([Owner(group_id=group_id)])
                self._rows[group_id] = any(record.erp is not None for record in records)
            return self._rows[group_id]

    def compared(self, record: Record, shown: Shown, base: Forms | None, earlier: tuple[Written, ...]) -> Plan:
        """Return what is to be done with a client. One that was left in its group may have to leave it now."""
        left = base.panel.get(GROUP_FIELD) if base and not base.erp.get(GROUP_FIELD) else None
        if base and left and self._removes:
            base = base._replace(erp={**base.erp, GROUP_FIELD: left})
        return super().compared(record, shown, base, earlier)

    def believed(self, record: Record, shown: Shown, values: Values) -> Values:
        """Return the account's group by the ERP's id; one that is not the ERP's is ``panel-<number>``.

        Where the panel was not asked, nobody is in a group any more that has gone from it.
        """
        group, base = values.get(GROUP_FIELD), record.state.base
        if not group:
            return values
        if not shown.asked:
            gone = base is not None and base.panel.get(GROUP_FIELD) == group and group not in self.numbers()
            return {**values, GROUP_FIELD: None} if gone else values
        names = {known: group_id for group_id, known in self.numbers().items()}
        return {**values, GROUP_FIELD: names.get(str(group), numbered(group))}

    def remembered(self, record: Record) -> Mapping[str, Note]:
        """Return what is remembered; that a group was refused holds while it has the number that it had then."""
        notes, group_id = record.state.notes, str((record.erp or {}).get(GROUP_FIELD) or "")
        note = notes.get(GROUP_FIELD)
        if note is None or note.kind not in REFUSALS or not group_id:
            return notes
        others = {name: each for name, each in notes.items() if name != GROUP_FIELD}
        if note.value != numbered(self.numbers().get(group_id)):
            return others
        return {**others, GROUP_FIELD: note._replace(value=group_id)}

    def checked(self, record: Record, _shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Let a client wait whose group has a row and no number yet; refuse a group that is not known at all.

        That the ERP names none any more is noted, so that the same one again is an edit: the panel may have moved the
        client meanwhile.
        """
        group_id, base = str((record.erp or {}).get(GROUP_FIELD) or ""), record.state.base
        if not group_id and not self._removes:
            named = base is not None and base.erp.get(GROUP_FIELD)
            return (Step(GROUP_FIELD, forms=(None, base.panel.get(GROUP_FIELD))),) if base and named else (), None
        if group_id and any(step.target for step in steps) and group_id not in self.numbers():
            if self.has_row(group_id):
                return tuple(step for step in steps if not step.target), codes.status("group_pending")
            facts = {"value": quoted(group_id)}
            return tuple(step.held("unknown_group", facts) if step.target else step for step in steps), None
        notes = record.state.notes
        same = (step.note is not None and step.note.kind in REFUSALS for step in steps)
        return tuple(replace(s, note=notes[s.field]) if kept else s for s, kept in zip(steps, same, strict=True)), None

    def in_panels_words(self, values: Values) -> Values:
        """Return the values with the panel's number of the group."""
        group_id = str(values.get(GROUP_FIELD) or "")
        return {**values, GROUP_FIELD: self.numbers()[group_id]} if group_id else values
