"""Discount groups: each row of ``discount_groups`` has its group in the panel, with the row's name and prices.

A group is known by the number that was stored when it was made or adopted; by its name only once: at first contact,
where exactly one group of the panel has exactly this name and is no other row's. The panel gives no reference back, so
before a group is made those that have its name already stand in the intent: where the reply is lost, the one of this
name that is not among them is it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from kartoteka import codes
from kartoteka.codes import IN_STEP
from kartoteka.concerns.discounts.prices import PRICE, Approved, PriceLists
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields import normal
from kartoteka.fields.table import GROUP_FIELD, GROUP_FIELDS, GROUP_NAME
from kartoteka.model import (
    REFUSED,
    REFUSED_TOGETHER,
    Change,
    Deferral,
    Direction,
    Done,
    Forms,
    Intent,
    Line,
    Note,
    Owner,
    Planned,
    Reason,
    Record,
    RecordState,
    Side,
    Written,
)
from kartoteka.policy import Rule
from kartoteka.sync import decisions, retry
from kartoteka.sync.concern import Shown
from kartoteka.sync.merge import Step, checked_step, merge, resolved, settled
from kartoteka.sync.plan import Act, Plan, status_of
from kartoteka.sync.planned import Ledger, as_json, lines_of
from kartoteka.sync.reconcile import carry_out, save
from kartoteka.sync.retry import BRAKE, Answer
from kartoteka.sync.run import Counts, Report
from kartoteka.sync.taken import Reading

if TYPE_CHECKING:
    from kartoteka.concerns.discounts.membership import Discounts

PAGE = 100
MOST_PAGES = 100
"""Pages of groups beyond which the panel has plainly ignored the paging."""
RULES = {GROUP_NAME: Rule(Direction.ERP_TO_PANEL)}
NOT_THERE = "not_there"
"""The kind of the note of a client that the panel did not put into a group, while that is still tried."""
REFUSALS = (REFUSED, REFUSED_TOGETHER, NOT_THERE)
NEVER_LISTED = "never_listed"
"""The kind of the note of a group that was missed and made again, and that no list has shown since."""
UNDER_WAY = codes.status("sending_prices")
MISSED = Note(NEVER_LISTED, "")
UNLISTED = Step(GROUP_NAME, note=MISSED)
"""The step by which it stays remembered that no list has shown a group yet."""
NUMBERED = Intent((), making=True)
"""The intent of a group that was adopted, until its clients are woken."""


@dataclass(slots=True)
class PanelGroups:
    """The panel's groups, number -> name, and those numbers that belong to a row.

    ``unlisted``: those that are held to be there, although the list does not show them.
    """

    names: dict[str, str]
    owned: set[str]
    unlisted: set[str] = attribute(default_factory=set)

    def named(self, name: str) -> list[str]:
        """Return the groups of this name, whatever the panel makes of its blanks, in the order of their numbers."""
        return self._sorted(n for n, shown in self.names.items() if _norm(shown) == _norm(name))

    def free(self, name: str) -> list[str]:
        """Return the groups of exactly this name that are no row's own, in the order in which they were made."""
        return self._sorted(n for n, shown in self.names.items() if shown == name and n not in self.owned)

    @staticmethod
    def _sorted(numbers: Iterable[str]) -> list[str]:
        return sorted(numbers, key=normal.by_number)


@dataclass(frozen=True, slots=True)
class GroupCall:
    """What the panel is told of a group: ``number`` empty makes it, ``name`` None deletes it."""

    number: str
    name: str | None


class Groups:
    """The discount groups of one run, as owners beside the clients."""

    def __init__(self, concern: Discounts) -> None:
        self._concern = concern
        self._run = concern.run
        self._prices = PriceLists(concern.run, concern.name, concern.brake)
        self._table = concern.rows.groups

    def read(self) -> PanelGroups:
        """Return the panel's groups, read page by page.

        Raises Retry or Halt where the panel does not answer, and Halt("panel_query") where it ignores the paging.
        """
        owned = set(self._run.exchange.prices.numbers().values())
        names: dict[str, str] = {}
        for page in range(MOST_PAGES):
            groups, pages = self._run.panel.groups(page, PAGE)
            names |= {group.number: group.name for group in groups}
            if page + 1 >= pages or not groups:
                return PanelGroups(names, owned)
        raise Halt(
            "panel_query", "the panel seems to ignore the paging of discounts/groups: does it speak Admin API v8?"
        )

    def read_for(self, records: Sequence[Record]) -> PanelGroups:
        """Return the panel's groups; of these ones none is missing that may only not have been shown.

        A group has gone where two readings of a list that is not empty lack it, or one where the panel has refused to
        put a client into it, or may have deleted it for us: it would be made a second time otherwise. An empty list
        proves nothing, nor does one that has never shown a group that was made again, which would be made ever again:
        there the panel is asked in another way. Raises as :meth:`read`.
        """
        panel = self.read()
        lacking = (r for r in records if r.state.panel_id and r.state.panel_id not in panel.names)
        missing = {r.key.group_id: r for r in lacking if r.state.intent is None or not _deletes(r.state.intent)}
        if not missing:
            return panel
        refused = self._refused(missing)
        again = self.read()
        sure = bool(panel.names and again.names)
        panel.names |= again.names
        for group_id, record in missing.items():
            number, base = record.state.panel_id, record.state.base
            proved = group_id in refused or (sure and not _never_listed(record.state))
            if number not in panel.names and not proved and not self._refuses_its_name(number, base):
                panel.names[number] = str(base.panel.get(GROUP_NAME) or "") if base else ""
                panel.unlisted.add(number)
        return panel

    def _refuses_its_name(self, number: str, base: Forms | None) -> bool:
        """Whether the panel refuses to give a group once more the name that it took for it: only one that is not there.

        That it takes it proves nothing, and changes nothing: the name is the ERP's.
        """
        name = base.erp.get(GROUP_NAME) if base else None
        if not name:
            return False
        try:
            self._run.panel.rename_group(number, str(name))
        except Reject:
            return True
        return False

    def _refused(self, records: Mapping[str, Record]) -> set[str]:
        """Return those of these groups into which the panel has refused to put a client."""
        found: set[str] = set()
        for group_id, record in records.items():
            members = [Owner(client_id) for client_id in self._run.exchange.prices.members([group_id])]
            states = self._run.exchange.records.states([self._concern.name], members).values()
            if any(refused_of(state) == record.state.panel_id for state in states):
                found.add(group_id)
        return found

    # --- the plan

    def plan(self, record: Record, panel: PanelGroups | None) -> Plan:
        """Return what is to be done with a group. ``panel`` None: the panel was not asked.

        What an unanswered call may have made is cleared up by the worker before anything else is planned.
        """
        state, number = record.state, record.state.panel_id
        if state.intent is not None and panel is None:
            return Plan(record, Act.LOOK)
        plan = Plan(record, Act.MERGE, base=state.base, panel_id=number)
        if panel is None:
            shown = self._concern.last_shown(record).values or {}
        elif number in panel.names:
            shown = {GROUP_NAME: panel.names[number]}
            if state.intent is not None:
                base, earlier = settled(state.base, GROUP_FIELDS, state.intent, shown)
                plan = replace(plan, base=base, earlier=earlier)
        else:
            carried = state.intent.written if state.intent is not None and _deletes(state.intent) else ()
            plan, shown = replace(plan, base=None, panel_id="", earlier=carried), {}
        plan = replace(plan, shown=Shown(shown, asked=panel is not None))
        if record.erp is None:
            return self._without_row(plan, panel)
        name = str(record.erp.get(GROUP_NAME) or "").strip()
        if not plan.panel_id:
            return self._without_number(plan, name, panel)
        apart = self._run.policy.panel.poll.shortest
        reading, row = Reading(self._run.now(), asked=panel is not None, apart=apart), {GROUP_NAME: name}
        notes = record.state.notes
        steps = merge(GROUP_FIELDS, RULES, base=plan.base, erp=row, panel=shown, notes=notes, reading=reading)
        if _never_listed(record.state) and (panel is None or number in panel.unlisted):
            steps = (*steps, UNLISTED)
        plan = replace(plan, base=resolved(GROUP_FIELDS, plan.base, row, shown, reading))
        differ = self._prices.differ(record.key.group_id)
        told = status_of(steps, self._table, None) or (UNDER_WAY if differ else IN_STEP)
        plan = replace(plan, steps=steps, status=told, more=differ)
        return replace(plan, call=GroupCall(number, name)) if plan.to_panel and panel else plan

    def _without_number(self, plan: Plan, name: str, panel: PanelGroups | None) -> Plan:
        """Plan a row whose group is not known: adopt the one that has its name, else make it."""
        if not name:
            said = codes.status("incomplete", [GROUP_NAME], table=self._table)
            return replace(plan, act=Act.KEEP, status=said)
        if panel is not None and len(free := panel.free(name)) == 1:
            agreed = Step(GROUP_NAME, forms=(name, name))
            return replace(plan, steps=(agreed,), panel_id=free[0], status=UNDER_WAY, more=True)
        again = MISSED if _never_listed(plan.record.state) else None
        made = Step(GROUP_NAME, Side.PANEL, name, None, Reason.CREATE, (name, name), note=again)
        step = self._checked(plan.record, made)
        if step.target is None:
            return replace(plan, act=Act.KEEP, status=status_of([step], self._table, None))
        if panel is None:
            return Plan(plan.record, Act.LOOK)
        written = (Written(GROUP_NAME, Direction.ERP_TO_PANEL, Reason.CREATE, None, name),)
        intent = Intent(written, making=True, existing=tuple(panel.named(name)))
        call = GroupCall("", name)
        return replace(plan, act=Act.ADD, steps=(step,), status=UNDER_WAY, call=call, intent=intent, more=True)

    def _without_row(self, plan: Plan, panel: PanelGroups | None) -> Plan:
        """Plan a group without a row: never made, left alone, or deleted once nobody is in it."""
        group_id, number = plan.record.key.group_id, plan.panel_id
        if not number:
            if self._run.exchange.prices.items(group_id, None, 1):
                return replace(plan, act=Act.KEEP, status=codes.status("no_group"))
            return replace(plan, act=Act.FORGET)
        if self._run.policy.discounts.deletes == "ignore":
            more = self._prices.differ(group_id)
            return replace(plan, status=codes.status("deleted_in_erp"), more=more)
        name = plan.base.erp.get(GROUP_NAME) if plan.base else None
        step = self._checked(plan.record, Step(GROUP_NAME, Side.PANEL, None, name))
        if step.target is not None and panel is None:
            return Plan(plan.record, Act.LOOK)
        plan = replace(plan, steps=(step,), more=self._prices.differ(group_id))
        if step.target is None:
            return replace(plan, status=status_of([step], self._table, None))
        return replace(plan, act=Act.DELETE, call=GroupCall(number, None))

    def _checked(self, record: Record, step: Step) -> Step:
        """Return the step, or why it is not carried out: the panel has refused this before, or could not take it."""
        return checked_step(GROUP_FIELDS[GROUP_NAME], step, record.state.notes.get(GROUP_NAME), (), {})

    # --- carrying it out

    def work(self, group_ids: Sequence[str]) -> Report:
        """Bring these groups and their prices into step, one by one: what is made for one is nobody else's."""
        if not self._concern.is_on:
            return Report()
        loaded = self._concern.load([Owner(group_id=key) for key in group_ids])
        if self._concern.only_plans:
            return self._plan_all(decisions.forgotten(loaded)[0])
        records = decisions.taken_up(self._run, loaded)
        asked = any(r.erp is not None or r.state.panel_id or r.state.intent for r in records)
        try:
            panel = self.read_for(records) if asked else PanelGroups({}, set())
        except (Retry, Halt) as error:
            report, _ = save(self._concern, [retry.deferred(self._run, record, error) for record in records])
            return report + Report(halts=retry.halts([error]))
        report = Report()
        records.sort(key=_failed_before)  # whether the panel fails over one alone is known once others have passed
        for n, record in enumerate(records):
            if not self._run.time_left():
                self._run.send_again(self._concern.name, [r.key.owner for r in records[n:]])
                break
            report += self._work_one(record, panel) + Report(Counts(reconciled=1))
        return report

    def _plan_all(self, records: Sequence[Record]) -> Report:
        """Plan these groups and their prices, and carry out what a person has approved, exactly as it was planned."""
        report, owners = Report(), [record.key.owner for record in records]
        try:
            panel = self.read_for(records)
        except (Retry, Halt) as error:
            return Report(left=tuple(owners), errors=(error,))
        for n, record in enumerate(records):
            if not self._run.time_left():
                return report + Report(left=tuple(owners[n:]))
            ledger = Ledger(self._run, self._concern.name, [record.key.owner])
            report += self._plan_one(record, panel, ledger) + Report(Counts(reconciled=1))
        return report

    def _plan_one(self, record: Record, panel: PanelGroups, ledger: Ledger) -> Report:
        key = record.key
        if record.state.intent is not None:  # a call that was approved has not been answered
            record = self._cleared_up(record, panel)
        plan = self._concern.decided(self.plan(record, panel), asked=True)
        own = ledger.tell(key, self._concern.lines(plan))
        lines = self._prices.lines(key.group_id)
        items = dict.fromkeys([*lines, *(each for each in ledger.planned_of(key.owner) if each != key)])
        approved = {each.item_id for each in items if ledger.tell(each, lines.get(each, ()))}
        ledger.store()
        these = Approved(approved, ledger.settled)
        if own:
            return self._work_one(record, panel, these)
        if approved and record.state.panel_id in panel.names:
            return self._send_prices(record, record.state.deferral, confirmed=True, approved=these)
        return Report()

    def _cleared_up(self, record: Record, panel: PanelGroups) -> Record:
        """Return a group's record once what was left half-way is stored: a group that was made, or is gone."""
        state = record.state
        if state.intent is not None and state.intent.making:
            made = _made_before(state.intent, panel)
            if made or state.panel_id in panel.names:
                base = _base(state.intent.values[GROUP_NAME]) if made else state.base
                after = replace(state, base=base, panel_id=made or state.panel_id, intent=None, status=UNDER_WAY)
                return self._numbered(Change(record, after, written=state.intent.written if made else ()), panel)
            after = replace(state, intent=None)
        elif state.panel_id and state.panel_id not in panel.names:
            after = replace(state, status=UNDER_WAY)
        else:
            return record
        if state.panel_id:
            left = state.intent if state.intent is not None and _deletes(state.intent) else None
            after = replace(after, base=None, panel_id="", intent=left, notes={GROUP_NAME: MISSED})
            self._forget_prices(record.key.group_id, left.written[0] if left else None)
        return self._saved(Change(record, after))

    def _saved(self, change: Change) -> Record:
        save(self._concern, [change])
        return replace(change.record, state=change.after)

    def _numbered(self, change: Change, panel: PanelGroups) -> Record:
        """Store the number of a group, and let its clients be put into it; return its record from then on.

        They are woken once the number is there to be read, and the intent stays until they are: a process that dies in
        between does it again.
        """
        key, number = change.record.key, change.after.panel_id
        intent = change.record.state.intent or NUMBERED
        numbered = self._saved(replace(change, after=replace(change.after, intent=intent)))
        panel.owned.add(number)
        panel.names.setdefault(number, str(change.after.base.erp[GROUP_NAME]) if change.after.base else "")
        self._wake_members(key.group_id)
        return self._saved(Change(numbered, change.after))

    def _wake_members(self, group_id: str) -> None:
        if members := self._run.exchange.prices.members([group_id]):
            self._run.queue.send(self._concern.name, [Owner(client_id) for client_id in members])

    def _work_one(self, record: Record, panel: PanelGroups, approved: Approved | None = None) -> Report:
        confirmed = approved is not None or (retry.was_stopped(record) and self._concern.brake.released)
        had_number, deferral = record.state.panel_id, record.state.deferral
        record = self._cleared_up(record, panel)
        plan = replace(self._concern.decided(self.plan(record, panel), asked=True), confirmed=confirmed)
        plan = replace(plan, by_policy=approved is not None)
        change, halts = self._carried_out(plan)
        change = approved.settled(change) if approved else change
        report = Report(halts=halts)
        if change.after.panel_id and not record.state.panel_id:
            record = self._numbered(change, panel)
            report += Report(Counts(written_to_panel=len(change.written)))
        else:
            if plan.act in (Act.DELETE, Act.FORGET) and not change.after.panel_id:
                deleted = change.written[0] if plan.act is Act.DELETE and change.written else None
                self._forget_prices(record.key.group_id, deleted)
            report += save(self._concern, [change])[0]
            if not change.after.panel_id and (had_number or (record.erp is None and change)):
                self._wake_members(record.key.group_id)  # they are told that it is unknown
            record = replace(change.record, state=change.after)
        if plan.more and record.state.panel_id and record.state.intent is None:
            report += self._send_prices(record, deferral, confirmed=confirmed, approved=approved)
        return report

    def _forget_prices(self, group_id: str, deleted: Written | None) -> None:
        """Forget the prices of a group that is gone; where it was ``deleted`` by us they count as removed."""
        prices = self._run.exchange.prices
        if deleted is None:
            prices.forget(group_id)
            return
        removal = replace(deleted, field=PRICE, before=None, after=None, counts=not deleted.passed)
        found_by = self._run.found_by.get(Owner(group_id=group_id), "")
        run_id, now = self._run.run_id, self._run.now()
        prices.remove_all(self._concern.name, group_id, removal, run_id=run_id, at=now, found_by=found_by)

    def _carried_out(self, plan: Plan) -> tuple[Change, tuple[str, ...]]:
        """Make the call of a plan; a group is deleted once nobody is in it, and its prices are removed with it."""
        if not self._brake_lets(plan):
            return retry.deferred(self._run, plan.record, Retry(BRAKE), stopped=True), ()
        members, failed = self._members(plan) if plan.act is Act.DELETE else ([], None)
        if failed is not None:
            return retry.unread(self._run, plan.record, failed), retry.halts([failed])
        if members:
            told = codes.status("group_in_use", count=str(len(members)))
            change = retry.deferred(self._run, plan.record, Retry("group_in_use"), told=told)
            return replace(change, after=replace(change.after, intent=None)), ()
        carried = carry_out(self._concern, [plan])
        return carried.changes[0], carried.halts

    def _members(self, plan: Plan) -> tuple[Sequence[str], Reject | Retry | Halt | None]:
        """Return who is in a group in the panel, or why it could not be asked."""
        number = plan.panel_id
        deferrals = {number: plan.record.state.deferral}
        found, failed = retry.ask_apart(
            self._run, "members", lambda some: self._run.panel.group_clients(*some), [number], deferrals
        )
        return found, failed.get(number)

    def _brake_lets(self, plan: Plan) -> bool:
        brake, key = self._concern.brake, plan.record.key
        if not brake.lets_through([plan]) or plan.act is not Act.DELETE or plan.confirmed:
            return not brake.tripped
        return brake.lets_prices({key}, self._run.exchange.prices.count_sent(key.group_id))

    def _send_prices(
        self, record: Record, deferral: Deferral | None, *, confirmed: bool, approved: Approved | None = None
    ) -> Report:
        """Send the prices of a group, those that were ``approved`` alone where they are only planned.

        ``deferral``: as it was deferred before it was worked.
        """
        group_id, number = record.key.group_id, record.state.panel_id
        sent = self._prices.send(group_id, number, confirmed=confirmed, deferral=deferral, approved=approved)
        confirmed = confirmed and approved is None
        status, before = record.state.status, replace(record, state=replace(record.state, deferral=deferral))
        if isinstance(sent.failure, Retry) and sent.failure.alone:
            change = retry.unread(self._run, before, sent.failure)
        elif sent.failure is not None:
            change = retry.deferred(self._run, before, sent.failure, stopped=confirmed)
        elif sent.unfinished and confirmed:  # what is left of it is let pass too
            self._run.send_again(self._concern.name, [record.key.owner])
            change = retry.deferred(self._run, record, Retry("sending_prices"), stopped=True, told=UNDER_WAY)
        elif sent.unfinished:
            self._run.send_again(self._concern.name, [record.key.owner])
            change = Change(record, replace(record.state, status=UNDER_WAY if status == IN_STEP else status))
        else:
            change = Change(record, replace(record.state, status=IN_STEP if status == UNDER_WAY else status))
        report, _ = save(self._concern, [change])
        written = Counts(written_to_panel=int(sent.written > 0), held=sent.held)
        return report + Report(written, retry.halts([sent.failure]))

    def send(self, plan: Plan) -> Answer:
        """Make the call about one group."""
        (answer,) = retry.send_apart(self._run, f"{plan.act} group", lambda some: [self._call(some[0])], [plan])
        return answer

    def _call(self, call: GroupCall) -> Done:
        if call.name is None:
            self._run.panel.delete_group(call.number)
        elif call.number:
            self._run.panel.rename_group(call.number, call.name)
        else:
            return Done(item_id=self._run.panel.create_group(call.name))
        return Done()


def group_lines(plan: Plan) -> list[Line]:
    """Return what the plan of a group says: it is made, adopted or deleted as a whole."""
    key, name = plan.record.key, plan.record.erp or {}
    if plan.act is Act.ADD:
        made = as_json({step.field: step.value for step in plan.steps})
        return [Line(key, Planned.CREATE, "", Direction.ERP_TO_PANEL, None, made, Reason.CREATE)]
    if plan.act is Act.MERGE and plan.panel_id and not plan.record.state.panel_id and name:
        return [Line(key, Planned.ADOPT, "", Direction.ERP_TO_PANEL, None, plan.panel_id, Reason.FIRST_CONTACT)]
    return lines_of(plan)


def _failed_before(record: Record) -> bool:
    return record.state.deferral is not None and retry.may_be_own(record.state.deferral)


def numbered(number: object) -> str:
    """Return how a group of the panel's is called that is known by its number."""
    return f"panel-{number}"


def refused_of(state: RecordState) -> str:
    """Return the number of the group into which the panel has refused to put this client; empty for none."""
    note = state.notes.get(GROUP_FIELD)
    return note.value.removeprefix(numbered("")) if note is not None and note.kind in REFUSALS else ""


def _never_listed(state: RecordState) -> bool:
    note = state.notes.get(GROUP_NAME)
    return note is not None and note.kind == NEVER_LISTED


def _made_before(intent: Intent, panel: PanelGroups) -> str:
    """Return the number of the group that a lost call made: it has the intended name, and was not there before."""
    name = intent.values.get(GROUP_NAME)
    free = (n for n in panel.named(str(name)) if n not in panel.owned) if name else ()
    return next((n for n in free if n not in intent.existing), "")


def _deletes(intent: Intent) -> bool:
    return intent.values.get(GROUP_NAME, "") is None


def _base(name: object) -> Forms:
    return Forms({GROUP_NAME: str(name)}, {GROUP_NAME: str(name)})


def _norm(name: str) -> str:
    return GROUP_FIELDS[GROUP_NAME].normalise(name, {})
