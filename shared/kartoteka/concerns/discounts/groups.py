"""Discount groups: each row of ``discount_groups`` has its group in the panel, with the row's name and prices.

A group is known by the number that was stored when it was made or adopted; by its name only once: at first contact,
where exactly one group of the panel has exactly this name and is no other row's. The panel gives no reference back, so
before a group is made those that have its name already stand in the intent: where the reply is lost, the one of this
name that is not among them is it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kartoteka import codes
from kartoteka.codes import IN_STEP, Status
from kartoteka.concerns.discounts.prices import PriceLists
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.table import GROUP_FIELDS, GROUP_NAME
from kartoteka.model import Change, Direction, Done, Forms, Intent, Owner, Reason, Record, Side, Value, Written
from kartoteka.sync import retry
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Act, Plan
from kartoteka.sync.reconcile import carry_out, save
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Counts, Report

if TYPE_CHECKING:
    from kartoteka.concerns.discounts.membership import Discounts

PAGE = 100
MOST_PAGES = 100
"""Pages of groups beyond which the panel has plainly ignored the paging."""


@dataclass(slots=True)
class PanelGroups:
    """The panel's groups, number -> name, and those numbers that belong to a row."""

    names: dict[str, str]
    owned: set[str]

    def named(self, name: str) -> list[str]:
        """Return the groups of this name, whatever the panel makes of its blanks, in the order of their numbers."""
        return sorted((n for n, shown in self.names.items() if _norm(shown) == _norm(name)), key=_as_number)

    def free(self, name: str) -> list[str]:
        """Return the groups of exactly this name that are no row's own, in the order in which they were made."""
        return sorted((n for n, shown in self.names.items() if shown == name and n not in self.owned), key=_as_number)


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
        self._prices = PriceLists(concern.run, concern.name)

    def has_row(self, group_id: str) -> bool:
        """Return whether the ERP has such a group."""
        return any(record.erp is not None for record in self._concern.load([Owner(group_id=group_id)]))

    # --- the plan

    def plan(self, record: Record, panel: PanelGroups | None) -> Plan:
        """Return what is to be done with a group. ``panel`` None: the panel was not asked.

        First of all, a group that an unanswered call has made is its own, whatever its row says by now.
        """
        state = record.state
        if panel is None and state.intent is not None:
            return Plan(record, Act.LOOK)
        number, base, earlier = state.panel_id, state.base, tuple[Written, ...]()
        if panel is not None and state.intent is not None and (made := _made_before(record, panel)):
            number, base, earlier = made, _base(state.intent.values[GROUP_NAME]), state.intent.written
        plan = Plan(record, Act.MERGE, base=base, earlier=earlier, panel_id=number)
        if record.erp is None:
            return self._without_row(plan, panel)
        name = str(record.erp.get(GROUP_NAME) or "").strip()
        if number and (panel is None or number in panel.names):
            return self._known(plan, name, panel)
        if not name:
            return replace(plan, act=Act.KEEP, status=codes.status("incomplete", [GROUP_NAME], table="discount_groups"))
        if panel is None:
            return Plan(record, Act.LOOK)
        if not number and len(free := panel.free(name)) == 1:
            return replace(plan, base=_base(name), panel_id=free[0], status=codes.status("sending_prices"), more=True)
        step = Step(GROUP_NAME, Side.PANEL, name, None, Reason.CREATE, (name, name))
        existing = tuple(panel.named(name))
        written = (Written(GROUP_NAME, Direction.ERP_TO_PANEL, Reason.CREATE, None, name),)
        return replace(
            plan,
            act=Act.ADD,
            steps=(step,),
            base=None,
            panel_id="",
            status=codes.status("sending_prices"),
            call=GroupCall("", name),
            intent=Intent(written, making=True, existing=existing),
            more=True,
        )

    def _known(self, plan: Plan, name: str, panel: PanelGroups | None) -> Plan:
        """Plan a group that is known: rename it where its name differs, send prices that differ."""
        agreed = str(plan.base.erp.get(GROUP_NAME) or "") if plan.base else ""
        shown = panel.names[plan.panel_id] if panel else agreed
        differ = self._prices.differ(plan.record.key.group_id)
        said = codes.status("sending_prices") if differ else IN_STEP
        if not name or _norm(shown) == _norm(name):
            base = plan.base if _norm(agreed) == _norm(name or agreed) and plan.base else _base(name or agreed)
            return replace(plan, base=base, status=said, more=differ)
        reason = Reason.EDIT if name != agreed else Reason.DRIFT
        step = Step(GROUP_NAME, Side.PANEL, name, shown, reason, (name, name))
        return replace(plan, steps=(step,), call=GroupCall(plan.panel_id, name), status=said, more=differ)

    def _without_row(self, plan: Plan, panel: PanelGroups | None) -> Plan:
        """Plan a group without a row: never made, left alone, or deleted once nobody is in it."""
        group_id, number = plan.record.key.group_id, plan.panel_id
        if not number:
            if self._run.exchange.prices.items(group_id, None, 1):
                return replace(plan, act=Act.KEEP, status=codes.status("no_group"))
            return replace(plan, act=Act.FORGET)
        if panel is not None and number not in panel.names:
            return replace(plan, act=Act.FORGET, steps=_ended(plan))
        if self._run.policy.discounts.deletes == "ignore":
            more = self._prices.differ(group_id)
            return replace(plan, status=codes.status("deleted_in_erp"), more=more)
        if panel is None:
            return Plan(plan.record, Act.LOOK)
        return replace(plan, act=Act.DELETE, steps=_ended(plan), call=GroupCall(number, None))

    # --- carrying it out

    def work(self, group_ids: Sequence[str]) -> Report:
        """Bring these groups and their prices into step, one by one: what is made for one is nobody else's."""
        if not self._concern.is_on:
            return Report()
        records = self._concern.load([Owner(group_id=key) for key in group_ids])
        try:
            asked = any(r.erp is not None or r.state.panel_id or r.state.intent for r in records)
            owned = set(self._run.exchange.prices.numbers().values())
            panel = PanelGroups(self._all() if asked else {}, owned)
        except (Retry, Halt) as error:
            report, _ = save(self._concern, [retry.deferred(self._run, record, error) for record in records])
            return report + Report(halts=retry.halts([error]))
        report = Report()
        for n, record in enumerate(records):
            if not self._run.time_left():
                self._run.queue.send(self._concern.name, [r.key.owner for r in records[n:]])
                break
            report += self._work_one(record, panel) + Report(Counts(reconciled=1))
        return report

    def _all(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for page in range(MOST_PAGES):
            groups, pages = self._run.panel.groups(page, PAGE)
            names |= {group.number: group.name for group in groups}
            if page + 1 >= pages or not groups:
                return names
        raise Halt(
            "panel_query", "the panel seems to ignore the paging of discounts/groups: does it speak Admin API v8?"
        )

    def _work_one(self, record: Record, panel: PanelGroups) -> Report:
        plan = self.plan(record, panel)
        if plan.earlier:  # stored before anything else: a rename whose reply is lost would hide the group for good
            record = self._store_made(plan)
            panel.owned.add(plan.panel_id)
            plan = self.plan(record, panel)
        if (plan.act is Act.ADD and record.state.panel_id) or plan.act is Act.FORGET:
            self._run.exchange.prices.forget(record.key.group_id)  # somebody deleted the group in the panel
        try:
            changes, halts = ([self._waiting(plan)], ()) if self._in_use(plan) else carry_out(self._concern, [plan])
        except (Retry, Halt) as error:
            changes, halts = [retry.deferred(self._run, record, error)], retry.halts([error])
        (change,) = changes
        number = change.after.panel_id
        if plan.act is Act.DELETE and not number:
            self._run.exchange.prices.forget(record.key.group_id)
        if number and number != record.state.panel_id:
            self._wake_members(record.key.group_id)
            panel.owned.add(number)
            panel.names.setdefault(number, str(change.after.base.erp[GROUP_NAME]) if change.after.base else "")
        report, _ = save(self._concern, changes)
        self._concern.new_number()
        report += Report(halts=halts)
        if number and number in panel.names:
            report += self._send_prices(replace(change.record, state=change.after), number)
        return report

    def _store_made(self, plan: Plan) -> Record:
        """Store the number of a group that an unanswered call has made; return its record from then on."""
        found = replace(plan, act=Act.MERGE, steps=(), call=None, status=codes.status("sending_prices")).change()
        self._wake_members(plan.record.key.group_id)
        save(self._concern, [found])
        return replace(plan.record, state=found.after)

    def _wake_members(self, group_id: str) -> None:
        """Let the clients of a group be put into it, before its number is stored: nothing else would tell of them."""
        if members := self._run.exchange.prices.members([group_id]):
            self._run.queue.send(self._concern.name, [Owner(client_id) for client_id in members])

    def _in_use(self, plan: Plan) -> int:
        """Return how many clients are in a group that is to be deleted."""
        return len(self._run.panel.group_clients(plan.panel_id)) if plan.act is Act.DELETE else 0

    def _waiting(self, plan: Plan) -> Change:
        """Return the change of a group that is to be deleted once nobody is in it."""
        change = retry.deferred(self._run, plan.record, Retry("group_in_use"))
        told = codes.status("group_in_use", count=str(self._in_use(plan)))
        return replace(change, after=replace(change.after, status=told, intent=None))

    def _send_prices(self, record: Record, number: str) -> Report:
        group_id = record.key.group_id
        sent = self._prices.send(group_id, number)
        if sent.failure is not None:
            change = retry.deferred(self._run, record, sent.failure)
        elif sent.unfinished:
            self._run.queue.send(self._concern.name, [record.key.owner])
            change = Change(record, replace(record.state, status=codes.status("sending_prices")))
        else:
            change = Change(record, replace(record.state, status=_finished(record.state.status)))
        report, _ = save(self._concern, [change])
        written = Counts(written_to_panel=int(sent.written > 0), held=sent.held)
        return report + Report(written, retry.halts([sent.failure]))

    def send(self, plan: Plan) -> Answer:
        """Make the call about one group."""
        call: GroupCall = plan.call
        try:
            if call.name is None:
                self._run.panel.delete_group(call.number)
            elif call.number:
                self._run.panel.rename_group(call.number, call.name)
            else:
                return Done(item_id=self._run.panel.create_group(call.name))
        except (Reject, Retry, Halt) as error:
            return error
        return Done()


def _finished(status: Status | None) -> Status | None:
    """Return what is said of a group once its prices are sent."""
    return IN_STEP if status is not None and status.code == "sending_prices" else status


def _made_before(record: Record, panel: PanelGroups) -> str:
    """Return the number of the group that a lost call made: it has the intended name, and was not there before."""
    intent = record.state.intent
    if intent is None or not intent.making:
        return ""
    free = (n for n in panel.named(str(intent.values[GROUP_NAME])) if n not in panel.owned)
    return next((n for n in free if n not in intent.existing), "")


def _ended(plan: Plan) -> tuple[Step, ...]:
    """Return the step by which a group ends: its row of the history."""
    name = plan.base.erp.get(GROUP_NAME) if plan.base else None
    return (Step(GROUP_NAME, Side.PANEL, None, name, Reason.EDIT),)


def _base(name: Value) -> Forms:
    return Forms({GROUP_NAME: name}, {GROUP_NAME: name})


def _norm(name: str) -> str:
    return GROUP_FIELDS[GROUP_NAME].normalise(name, {})


def _as_number(number: str) -> tuple[int, str]:
    return len(number), number
