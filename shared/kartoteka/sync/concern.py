"""What the mechanism asks of a concern. Each method has a default; a concern overrides where it differs.

A concern lives as long as one run, and keeps what the run needs to ask only once. It is safe for several threads.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar

from kartoteka import codes, policy
from kartoteka.codes import IN_STEP, Status
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields import normal, table
from kartoteka.model import (
    NO_FORMS,
    NOTHING_KEPT,
    Change,
    Deferral,
    Direction,
    Done,
    Forms,
    Key,
    Line,
    Link,
    Note,
    Owner,
    Record,
    RecordState,
    Side,
    Values,
    Written,
)
from kartoteka.ports.exchange import SeenAccount
from kartoteka.ports.panel import LACKS_FIELD, Account, AccountUpdate, KnownAccount, Window
from kartoteka.sync import decisions, emptied, excluded, first_write, retry, taken, undo
from kartoteka.sync.brake import Brake
from kartoteka.sync.collect import ChangeLogSource, Source
from kartoteka.sync.first_write import Snapshot
from kartoteka.sync.lookup import read_known, was_asked_often
from kartoteka.sync.merge import Step, merge, resolved, settled, told_again
from kartoteka.sync.plan import Act, Plan, last_values, status_of, waiting
from kartoteka.sync.planned import Ledger, Lines, is_quiet, lines_of
from kartoteka.sync.restored import gone_back, is_behind
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Report, Run
from kartoteka.sync.taken import LONG_AGO, UNCONFIRMED, Reading

NOT_OWN = ("account_gone", "another_account")
"""The codes of clients whose link leads nowhere, or to an account that is not their own."""

Failed = Mapping[Owner, Reject | Retry | Halt]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel shows of a record, in the exchange database's words.

    ``values`` None: it has no such record. ``asked`` False: the panel was not asked, this is what it was last known to
    show. ``account`` is the client's account as it was read, None where the panel has none or was not asked.
    ``behind``: it shows an older date than is known of it, so the panel was restored and nobody has edited it since.
    """

    values: Values | None = attribute(default=None, repr=False)
    account: Account | None = attribute(default=None, repr=False)
    panel_id: str = ""
    asked: bool = True
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """What an account was opened with: the values that were ``sent``, and the client's ``row`` at that time.

    ``notes`` are of those fields that the panel refused, and without which it was opened. ``at``: when it was answered,
    by the panel's clock, where that is known.
    """

    sent: Values = attribute(repr=False)
    row: Values = attribute(repr=False)
    notes: Mapping[str, Note] = attribute(default_factory=dict, repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The account that a client is about to get, as it will be shown, and what it is ``opened`` with, if it is new."""

    link: Link
    account: Account
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One page of the panel's feed.

    ``owners``: panel client id -> the client linked to it. ``fresh``: accounts that look otherwise in the account
    index, by id; ``known``: the ids that the index has at all. ``complete``: every account has been read once.
    ``window``: the window that it is a page of, where that has several. ``loaded`` keeps what
    :meth:`Concern.records_on` has loaded, by concern.
    """

    page: Sequence[Account]
    owners: Mapping[str, str]
    fresh: Mapping[str, Account]
    known: Collection[str]
    complete: bool = True
    window: Window | None = None
    loaded: dict[str, list[Record]] = attribute(default_factory=dict, repr=False, compare=False)

    @property
    def linked(self) -> dict[Owner, Account]:
        """The linked accounts of the page by their clients."""
        return {Owner(self.owners[a.panel_client_id]): a for a in self.page if a.panel_client_id in self.owners}

    @property
    def moved(self) -> dict[Owner, Account]:
        """Those of them that look otherwise than before; one never seen before is the echo of its own opening."""
        again = self.fresh.keys() & set(self.known)
        return {owner: account for owner, account in self.linked.items() if account.panel_client_id in again}


class Concern:
    """A group of fields that travel together: one function, one queue, one base a record."""

    name: ClassVar[str]
    waits_for_index: ClassVar[bool] = False
    """Whether nothing may be collected before every account of the panel has been read once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows = table.CONCERNS[self.name]
        self.only_plans = run.policy.only_plans(self.name)
        self.brake = Brake(run, self.name)
        self.lock = threading.RLock()
        self._without_row: set[Key] = set()

    @cached_property
    def rules(self) -> Mapping[str, policy.Rule]:
        """The rule of each field of this concern that is synchronised."""
        return policy.rules(self.run.policy, self.name, self.rows.fields)

    @property
    def table(self) -> str:
        """The ERP's table that messages name."""
        return self.rows.items or self.rows.table

    @property
    def lacks(self) -> frozenset[str]:
        """The fields of this concern that the panel does not have."""
        return self.run.lacks.names() if self._may_lack else frozenset()

    @cached_property
    def _may_lack(self) -> bool:
        return any(field.since for field in self.rows.fields.values())

    @property
    def is_on(self) -> bool:
        """Whether the policy wants this concern looked after at all."""
        return any(rule.direction is not Direction.OFF for rule in self.rules.values())

    # --- which records

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return what tells of changes, in the order in which it is read when the concern's schedule fires.

        ``everything_due`` takes deferred records too whose time has not come.
        """
        return (ChangeLogSource(self, everything_due=everything_due),)

    def passes(self, *, at_once: bool) -> Mapping[str, Source]:  # noqa: ARG002
        """Return what further schedules may ask for, by the name of the move; ``at_once``: whatever is waited for."""
        return {}

    def load(self, owners: Collection[Owner]) -> list[Record]:
        """Return what is known of these owners, their rows as the policy reads them."""
        if not owners:
            return []
        records = self.run.exchange.records.load(self.name, owners)
        with self.lock:
            self._without_row |= {r.key for r in records if has_lost_its_row(r)}
        rows = self.run.exchange.plans.undoing(self.name, owners)
        records = undo.given(records, rows) if rows else records
        if by := self.run.found_by:
            records = [replace(record, found_by=by.get(record.key.owner, "")) for record in records]
        return [self.by_policy(record) for record in records]

    def load_for_question(self, owners: Collection[Owner]) -> list[Record]:
        """Return :meth:`load`, as far as it is needed to say without the panel whether anything is to be done.

        With a client that has no account yet nothing is, as :meth:`without_link` says, unless something is kept of it.
        """
        ids = [owner.client_id for owner in owners if owner.client_id]
        untouched = self.run.exchange.records.untouched(self.name, ids) if ids else frozenset[str]()
        return self.load([owner for owner in owners if owner.client_id not in untouched])

    def by_policy(self, record: Record) -> Record:
        """Return a record with what the policy makes of its row."""
        return record

    def scan(self, after: str, limit: int) -> tuple[Sequence[Owner], str]:
        """Return up to ``limit`` owners for a full scan, and after which client it goes on; empty: it is at its end."""
        page = self.run.exchange.records.client_ids(after, limit)
        return [Owner(client_id) for client_id in page], page[-1] if len(page) == limit else ""

    def gone(self, after: str, limit: int) -> tuple[Sequence[Owner], str]:
        """Return, like :meth:`scan`, clients that have no row any more and of whom something is known."""
        page = self.run.exchange.records.gone(self.name, after, limit)
        return [Owner(client_id) for client_id in page], page[-1] if len(page) == limit else ""

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return those of these clients who have anything of this concern: a page of the feed may hold none."""
        return owners

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those deferred owners who are to be tried: not those whose row is away."""
        present = self.run.exchange.records.existing([o.client_id for o in owners]) if owners else frozenset()
        return [o for o in owners if o.group_id or o.client_id in present]

    def differing(self, owners: Sequence[Owner]) -> list[Owner]:
        """Return the owners with a record whose plan is not empty, as far as is known without asking the panel."""
        return list(self._unfinished(owners))

    def differing_apart(self, owners: Sequence[Owner], *, new_policy: bool = False) -> tuple[list[Owner], list[Owner]]:
        """Return :meth:`differing` in two: the second are those of whom a row is not there (any more).

        ``new_policy``: what is less than before may be so since the policy has changed.
        """
        unfinished = self._unfinished(owners)
        found = {o: any(self.lacks_row(p, new_policy=new_policy) for p in plans) for o, plans in unfinished.items()}
        return [o for o, lost in found.items() if not lost], [o for o, lost in found.items() if lost]

    def _unfinished(self, owners: Sequence[Owner]) -> Mapping[Owner, Sequence[Plan]]:
        """Return the plans that are not empty, by their owners, as far as is known without asking the panel.

        Where they are only planned, also the owners of whom something was: it may be nothing any more.
        """
        loaded = by_owner(self.load_for_question(owners))
        found = {owner: [plan for plan in self.plans(records, None) if plan] for owner, records in loaded}
        planned = self.run.exchange.plans.having(self.name, owners) if self.only_plans and found else ()
        return {owner: plans for owner, plans in found.items() if plans or owner in planned}

    def lacks_row(self, plan: Plan, *, new_policy: bool = False) -> bool:
        """Return whether a plan rests on a row's not being there (any more)."""
        del new_policy
        return plan.record.key in self._without_row

    def records_on(self, news: News) -> list[Record]:
        """Return the records of the linked clients on a page: loaded once for all who look at it."""
        if self.name not in news.loaded:
            news.loaded[self.name] = self.load(self.concerned(news.linked))
        return news.loaded[self.name]

    def notice(self, news: News) -> Sequence[Owner]:
        """Return the owners on a page of the panel's feed who have something to be done.

        What is deferred comes back by its own time, unless its account has changed.
        """
        linked = news.linked
        if not linked or not self.is_on:
            return []
        plans: list[Plan] = []
        for owner, records in by_owner(self.records_on(news)):
            account, own = linked[owner], records[0]
            if comes_back(own) and account.panel_client_id not in news.fresh:
                continue
            plans += self.plans(records, self.shown_by(own, account))
        return self.noted(plans)

    def noted(self, plans: Sequence[Plan]) -> list[Owner]:
        """Store at once what the panel shows of our own writes; return the owners with anything else to be done.

        The reading that has brought it is paid for already. A record that a worker has changed meanwhile is left to it.
        """
        emptied.stop(self, plans)
        if self.only_plans:
            return self._unplanned(plans)
        more = {plan.record.key.owner for plan in plans if plan and not plan.only_notes}
        changes = [plan.outcome() for plan in plans if plan.only_notes and plan.record.key.owner not in more]
        self.run.save([change for change in changes if change], unless_changed=True)
        return [owner for owner in dict.fromkeys(plan.record.key.owner for plan in plans) if owner in more]

    def _unplanned(self, plans: Sequence[Plan]) -> list[Owner]:
        """Return the owners of whom something else is planned now than stands in ``sync_plan``, or nothing any more.

        What a person approved is there by its own; what is only to be noted of it, a worker notes.
        """
        found: defaultdict[Owner, list[Plan]] = defaultdict(list)
        for plan in plans:
            found[plan.record.key.owner].append(plan)
        ledger = Ledger(self.run, self.name, found)
        noting = set()
        for owner, some in found.items():
            for plan in some:
                lines = self.lines(plan) if plan else ()
                ledger.tell(plan.record.key, lines)
                quiet = plan and not lines and is_quiet(plan) and ledger.was_carried(plan.record.key)
                if plan.act is Act.LOOK or quiet:
                    noting.add(owner)
            ledger.forget_others(owner, some)
        return [owner for owner in found if owner in ledger.unplanned or owner in noting]

    def fit_to_send(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those owners who may be worked now, before their keys go into the queue; take care of the others."""
        return owners

    def exclusions_changed(self) -> None:
        """Do what follows once rows of ``sync_exclusions`` were written: say of wrong ones what is wrong with them."""

    def index_incomplete(self, error: Retry | Halt) -> None:
        """Say why records wait while the panel's accounts have not all been read."""

    def index_complete(self) -> None:
        """Do what waited until all of the panel's accounts were read; and from then on every six hours."""

    def tidy(self) -> None:
        """Do once a day what nobody waits for."""

    def restored(self) -> bool:
        """Do what a database that was restored asks for; True: nothing is collected before that has been done."""
        return False

    def items_restored(self, _items: Sequence[Record], _accounts: Mapping[Owner, Account]) -> Sequence[Change]:
        """Return what is stored of items, so that what went back of them in a restored panel is sent again."""
        return ()

    def panel_restored(self) -> None:
        """Do what a panel that was restored from an older backup asks for, beside the accounts that are read again."""

    def feed_stopped(self) -> bool:
        """Return whether the ERP's own feed of this concern has stopped."""
        return False

    # --- ``mode: plan``

    def speaks_of(self, record: Record) -> bool:
        """Whether it says what is planned of an owner: of a client without an account, whoever gives it one does."""
        return record.link is not None or bool(record.key.group_id)

    def before_planning(self, _owners: Collection[Owner]) -> None:
        """Do what has to be done before these owners are loaded, where something approved may be carried out."""

    def ready(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those owners of an approved plan who can be worked: nothing else has to be carried out before."""
        return [owner for owner, records in by_owner(self.load(owners)) if self.speaks_of(records[0])]

    def following(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those deferred owners who are tried again since something of theirs was approved and carried out."""
        ledger = Ledger(self.run, self.name, owners)
        return [owner for owner in owners if ledger.follows(owner)]

    def lines(self, plan: Plan) -> list[Line]:
        """Return what a plan says, line by line, as ``sync_plan`` tells it."""
        return lines_of(plan)

    def comes_later(self, _plan: Plan) -> bool:
        """Whether something else has to be carried out before a plan that was approved."""
        return False

    def foretold(self, _plans: Sequence[Plan]) -> Mapping[Owner, Lines]:
        """Return what the other concerns will do at their first contact, once these plans are carried out.

        Of an owner that is missing here the other concerns speak for themselves.
        """
        return {}

    def at_first_contact(self, known: Mapping[Owner, Foreseen]) -> list[Plan]:
        """Return the plans of the first contact with clients that are about to get these accounts.

        They are what :meth:`first_contact` and the run after it will come to, if nothing changes until then.
        """
        having = set(self.concerned(list(known))) if self.is_on else set[Owner]()
        plans: list[Plan] = []
        for owner, records in by_owner(self.load([owner for owner in known if owner in having])):
            seen = known[owner]
            base = self._opened_with(seen.opened, fresh=True) if seen.opened else None
            if seen.opened and base is not None and self._is_whole(seen.opened):
                continue
            own = replace(records[0], link=seen.link, state=RecordState(base=base), conflicts=())
            plans += self.plans([own], self.shown_by(own, seen.account))
        return plans

    # --- the plan

    def plans(self, records: Sequence[Record], shown: Shown | None) -> list[Plan]:
        """Return the plans of one owner's records, its own first. ``shown`` None: the panel was not asked.

        What a person has decided in ``sync_status`` is in them, and what is to be undone. A client that is excluded is
        left alone.
        """
        if records[0].excluded:
            own, *items = records
            return [excluded.left_out(own, shown), *map(excluded.left_out, items)]
        found = self.planned(records, shown)
        if any(record.undo for record in records):
            found = undo.answered(found, records, asked=shown is not None or not self.must_read(records[0]))
        return [excluded.taken_back(self.decided(plan, asked=shown is not None)) for plan in found]

    def planned(self, records: Sequence[Record], shown: Shown | None) -> list[Plan]:
        """Return :meth:`plans` as they are without a person's word about the records."""
        return [self.plan(records[0], shown or self.last_shown(records[0]))]

    def decided(self, plan: Plan, *, asked: bool) -> Plan:
        """Return a plan as a person's word in ``sync_status`` wants it."""
        return decisions.decided(plan, asked=asked, again=self.said_of_settled)

    def said_of_settled(self, record: Record, shown: Any) -> Status | None:
        """Return what is said of a record whose base is what both sides show: it was settled by hand."""
        return self.compared(record, shown, record.state.base, ()).status

    def last_shown(self, record: Record) -> Shown:
        """Return what the panel was last known to show of a record: its base, and what was noted beside it."""
        return Shown(last_values(record), panel_id=record.state.panel_id, asked=False)

    def shown_by(self, _record: Record, account: Account) -> Shown:
        """Return what an account shows of a client's own record."""
        return Shown(account.values, account)

    def plan(self, record: Record, shown: Shown) -> Plan:
        """Return what is to be done with a record. Collecting and reconciling both ask it."""
        told = self._told_before(record, shown)
        if told is not None:
            return told
        state, base, earlier = record.state, record.state.base, tuple[Written, ...]()
        if state.intent is not None:
            if not shown.asked:
                return Plan(record, Act.LOOK)
            base, earlier = settled(base, self.rows.fields, state.intent, shown.values or {})
        if shown.behind and base is not None:
            base = gone_back(self.rows.fields, base, self.believed(record, shown, shown.values or {}), None)
        if not shown.asked and self._must_ask(record, base):
            return Plan(record, Act.LOOK)
        return self.compared(record, shown, base, earlier)

    def compared(self, record: Record, shown: Shown, base: Forms | None, earlier: tuple[Written, ...]) -> Plan:
        """Return what is to be done with a record that both sides have, by its base."""
        erp, fields, reading = record.erp or {}, self.rows.fields, self.reading(record, shown)
        panel = self.believed(record, shown, self._with_assumed(shown.values or {}, base))
        steps: Sequence[Step] = merge(
            fields,
            self.rules,
            base=base,
            erp=erp,
            panel=panel,
            conflicts=record.conflicts,
            notes=self.remembered(record),
            lacks=self.lacks,
            kept=self.together,
            reading=reading,
        )
        left: tuple[Line, ...] = ()
        if record.undo and reading.asked:
            sides, lines = undo.Sides(base, erp, panel, reading), [row.line for row in record.undo]
            wanted, left = undo.wanted(fields, lines), undo.left(sides, fields, self.rules, lines)
            notes = self.remembered(record)
            obeyed = undo.obeyed(steps, wanted, sides, fields=fields, rules=self.rules, notes=notes, lacks=self.lacks)
            steps = self.together(obeyed)
        base = resolved(fields, base, erp, panel, reading)
        checked, said = self.checked(record, shown, steps)
        checked = undo.whole(checked)
        if not shown.asked and not checked and record.code in NOT_OWN:
            return Plan(record, Act.KEEP, status=record.state.status)
        if said is None and (base is not None or checked):
            said = self.verdict(record)
        status = status_of(checked, self.table, said)
        plan = Plan(
            record, Act.MERGE, checked, base, earlier, shown.panel_id, status, shown=shown, said=said, left=left
        )
        return replace(plan, call=self.call(record, shown, plan)) if plan.to_panel and shown.asked else plan

    def reading(self, record: Record, shown: Shown) -> Reading:
        """Return the circumstances in which a record is compared with what is shown of it."""
        lost = record.state.intent.values if record.state.intent else {}
        apart = self.run.policy.panel.poll.shortest
        return Reading(self.run.now(), shown.asked, self.changed_at(shown), lost, apart)

    def changed_at(self, shown: Shown) -> datetime | None:
        """Return when the panel last changed a record, by its own clock; None where it does not tell."""
        return shown.account.modified_at if shown.account else None

    def _told_before(self, record: Record, shown: Shown) -> Plan | None:
        """Return the plan of a record that need not be compared: without a link, a row, or its own account."""
        if record.link is None:
            return self.without_link(record)
        if record.erp is None:
            return self.without_row(record)
        status = self.excluded(record)
        if status is None and shown.asked:
            status = not_own(record, shown.account)
        return None if status is None else left_alone(record, status, asked=shown.asked)

    def without_link(self, record: Record) -> Plan:
        """Return the plan where there is no account; what the ERP wrote about a client that is not there is told."""
        if record.erp is not None and not record.has_client:
            return Plan(record, Act.KEEP, status=codes.status("no_client"))
        if record.code == "no_client":
            return Plan(record, Act.FORGET)
        told = None if codes.is_asked_again(record.state.status) else record.state.status
        is_gone = not record.has_client and record.state.status is not None
        return Plan(record, Act.KEEP, status=codes.status("deleted") if is_gone else told)

    def without_row(self, record: Record) -> Plan:
        """Return the plan of a linked client whose row is gone: both sides stay as they are until it comes back."""
        if record.state == NOTHING_KEPT:
            return Plan(record, Act.KEEP)
        told = codes.status("deleted")
        if record.state.base is None:
            return Plan(record, Act.FORGET, status=None if record.key.item_id else told)
        return Plan(record, Act.KEEP, status=told)

    def excluded(self, _record: Record) -> Status | None:
        """Return what is said of a record about which the panel is not asked at all."""
        return None

    def _must_ask(self, record: Record, base: Forms | None) -> bool:
        """Whether the panel may hold a value for the ERP that was never compared."""
        waiting = {conflict.field for conflict in record.conflicts}
        known = {*(base or NO_FORMS).erp, *waiting, *record.state.notes}
        return any(rule.to_erp and name not in known for name, rule in self.rules.items())

    def _with_assumed(self, values: Values, base: Forms | None) -> Values:
        """Return what is shown, and what is assumed of fields that the panel never shows and that were never sent."""
        sent = (base or NO_FORMS).erp
        assumed = {n: value for n, value in self._assumed.items() if n not in values and n not in sent}
        return {**values, **assumed} if assumed else values

    @cached_property
    def _assumed(self) -> Values:
        return {name: field.assumed for name, field in self.rows.fields.items() if field.assumed is not None}

    def believed(self, _record: Record, _shown: Shown, values: Values) -> Values:
        """Return what is shown without what is nobody's edit, and in the ERP's words."""
        return values

    def remembered(self, record: Record) -> Mapping[str, Note]:
        """Return what is remembered of the fields, in the ERP's words."""
        return record.state.notes

    def checked(self, _record: Record, _shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Return the steps that may be carried out, and what is said of the record where that is not ``in_step``."""
        return tuple(steps), None

    def together(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Return the steps without those whose value means something only together with one that is refused."""
        fields = self.rows.fields
        contents = (s for s in steps if s.code in codes.CODES and codes.CODES[s.code].contents)
        refused = {fields[s.field].group for s in contents if s.code != LACKS_FIELD}
        return [s for s in steps if s.code or s.target is None or fields[s.field].group not in refused - {""}]

    def verdict(self, _record: Record) -> Status | None:
        """Return what is said of a record of which all is in step."""
        return IN_STEP

    def call(self, record: Record, shown: Shown, plan: Plan) -> Any:
        """Return what the panel is told by the plan's steps."""
        assert shown.account is not None
        values = self.in_panels_words({step.field: step.value for step in plan.to_panel})
        return AccountUpdate(record.key.client_id, shown.account.login, values)

    def in_panels_words(self, values: Values) -> Values:
        """Return values in the panel's words where they differ from the ERP's."""
        return values

    # --- working

    def batches(self, owners: Sequence[Owner]) -> Sequence[Sequence[Owner]]:
        """Return these owners in the parts that are worked one after the other."""
        return [owners]

    def work_alone(self, _owners: Sequence[Owner]) -> Report | None:
        """Work owners of a kind that the common way does not suit; None: they go the common way."""
        return None

    def outcomes(self, plan: Plan) -> Sequence[Change]:
        """Return what is stored of a plan that the panel need not be told of.

        A record that is held since the panel does not show something is deferred besides: it is asked again by itself.
        """
        change = plan.outcome()
        if plan.asks_again and plan.status:
            again = retry.deferred(self.run, plan.record, Retry(plan.status.code), told=plan.status)
            change = replace(change, after=replace(change.after, deferral=again.after.deferral))
        return [change]

    def also(self, _changes: Sequence[Change]) -> Sequence[Change]:
        """Return what is stored beside these changes, in the same transaction."""
        return ()

    def looks_again(self, _change: Change) -> bool:
        """Whether a record is worked again at once, and not when its deferral is due."""
        return False

    def saved(self, changes: Sequence[Change]) -> None:
        """Do what follows once these changes are stored: hand on what became due elsewhere."""

    def given_up(self, plan: Plan) -> Change:
        """Return what is stored of a record whose call was answered by another call too often."""
        return retry.deferred(self.run, plan.record, Retry("missing_result"))

    # --- reading and sending

    def asks_about(self, record: Record) -> bool:
        """Whether the panel is asked about an owner, by its own record: of one that is excluded it is not."""
        return not record.excluded and self.must_read(record)

    def must_read(self, record: Record) -> bool:
        """Whether the panel has to be asked about an owner that is looked after, by its own record."""
        return record.link is not None and record.erp is not None and self.excluded(record) is None

    def read(self, records: Sequence[Record]) -> tuple[Mapping[Owner, Shown], Failed]:
        """Read the accounts of these clients afresh. Return also who could not be read, and why.

        An account that the call does not show is asked for in another way.
        """
        linked = {record.link.panel_client_id: record for record in records if record.link}
        links = [record.link for record in linked.values() if record.link]
        asked = [KnownAccount(link.panel_client_id, link.panel_login, link.client_id) for link in links]
        often = [key for key, record in linked.items() if was_asked_often(record)]
        deferrals = {key: record.state.deferral for key, record in linked.items()}
        accounts, failed = read_known(self.run, asked, often, deferrals)
        known = self.run.exchange.index.known(list(accounts)) if accounts else {}
        shown = {
            record.key.owner: self._read_afresh(record, accounts[key], known.get(key)) if key in accounts else Shown()
            for key, record in linked.items()
            if key not in failed
        }
        return shown, {linked[key].key.owner: error for key, error in failed.items()}

    def _read_afresh(self, record: Record, account: Account, known: SeenAccount | None) -> Shown:
        return replace(self.shown_by(record, account), behind=is_behind(account, known))

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Send the calls of these plans; return an answer for each, in order."""
        return first_write.send(self, "update", self.run.panel.update, plans)

    def planned_from(self, plan: Plan) -> Values:
        """Return what the panel showed of a plan's record when it was made, in the form of :meth:`snapshot`."""
        account: Account | None = plan.shown.account
        return account.values if account else {}

    def snapshot(self, plan: Plan) -> Snapshot:
        """Read what the panel shows of a plan's record now, apart from what the plan was made from."""
        account: Account | None = plan.shown.account
        found = self.run.panel.read([account.panel_client_id]).get(account.panel_client_id) if account else None
        return Snapshot(found.values, found.modified_at) if found else Snapshot({})

    def answered(self, plan: Plan, answer: Answer) -> Plan | Sequence[Change]:
        """Return what is to be stored now that a plan's call was answered, or the plan of the call to make instead."""
        if isinstance(answer, Done):
            return [plan.outcome(item_id=answer.item_id, at=answer.at)]
        if isinstance(answer, Reject) and answer.code == LACKS_FIELD:
            if answer.field not in self.run.lacks.names():
                self.run.lacks.note(answer.field)
            again = self.plan(plan.record, plan.shown)
            return again if again.call is not None else [again.outcome()]
        if isinstance(answer, Reject):
            rest = self.without(plan, answer)
            if rest is None:
                return [self.refused(plan, answer)]
            return rest if rest.call is not None else [rest.outcome()]
        if isinstance(answer, Retry) and answer.alone:
            return [self._failed_alone(plan, answer)]
        return [retry.deferred(self.run, plan.record, answer, stopped=plan.confirmed)]

    def _failed_alone(self, plan: Plan, error: Retry) -> Change:
        """Return the change of a record over which the panel fails: an attempt is counted, the effect is unknown."""
        change = self.refused(plan, retry.own_fault(error))
        if change.after.deferral is None:
            return change
        return replace(change, after=replace(change.after, intent=plan.record.state.intent))

    def without(self, plan: Plan, reject: Reject) -> Plan | None:
        """Return the plan without those fields whose contents the panel has refused by name, and which are held.

        None where the refusal is not of fields, or nothing can be sent without them.
        """
        named = retry.refused_by_name(reject, plan.to_panel)
        if not named or any(self.rows.fields[name].kind.translated for name in named):
            return None
        return self.left_out(plan, Side.PANEL, named)

    def left_out(self, plan: Plan, side: Side, named: Mapping[str, Reject]) -> Plan:
        """Return the plan without these fields towards one side, and those that mean nothing without them: held."""
        steps = []
        for step in plan.steps:
            if step.target is side and step.field in named:
                note = retry.notes_of(named[step.field], [step], plan.record)[step.field]
                steps.append(told_again(step, note))
            else:
                steps.append(step)
        kept = undo.whole(self.together(steps))
        status = status_of(kept, self.table, plan.said)
        call = plan.call
        if side is Side.PANEL:
            sent = {step.field for step in kept if step.target is side}
            call = replace(call, values={n: v for n, v in call.values.items() if n in sent}) if sent else None
        return replace(plan, steps=kept, status=status, call=call)

    def refused(self, plan: Plan, reject: Reject) -> Change:
        """Return the change of a record whose call the panel refused: what goes to the ERP goes on."""
        change = plan.outcome(panel=False)
        whole = retry.refused(self.run, change, reject, plan.to_panel, table=self.table)
        if change.otherwise is None:
            return whole
        rest = retry.refused(self.run, change.otherwise, reject, plan.to_panel, table=self.table)
        return replace(whole, otherwise=rest)

    def refused_by_erp(self, plan: Plan, change: Change, reject: Reject) -> Change:
        """Return the change of a record whose row the ERP's database did not take; ``change`` is what was stored."""
        steps = [step for step in plan.steps if step.target is Side.ERP]
        return retry.refused(self.run, change, reject, steps, table=self.table)

    # --- a client that was linked

    def first_contact(
        self,
        links: Mapping[str, Link],
        known: Mapping[str, Opened],
        fresh: Collection[str],
        shown: Mapping[str, Account],
    ) -> list[Change]:
        """Return what is stored of newly linked clients: they are to be compared for the first time.

        ``known``: client id -> what its account was opened with. For those of them that are ``fresh``, opened just now,
        nothing is due where all fields of this concern were among it. ``shown``: client id -> its account as it was
        found just now; nothing is due where both sides agree. A deferral that is due at once stands for the promise,
        even if no message is ever sent. Of clients who have nothing of this concern, or where it is off, there
        is nothing to say any more: what is kept may be about an account that they had before. Those who are excluded
        are due too: that is to be said of all their records.
        """
        owners = [Owner(client_id) for client_id in links]
        states = self.run.exchange.records.states([self.name], owners)
        left_out = {
            Owner(key) for key, found in self.run.exchange.records.exclusions(links).items() if self.name in found
        }
        having = left_out | set(self.concerned(owners)) if self.is_on else left_out
        agreeing = self._agreeing({o: links[o.client_id] for o in owners if o in having}, shown)
        changes = []
        for owner in owners:
            key = owner_key(owner, self.name)
            before = states.get(key, NOTHING_KEPT)
            if owner in having:
                opened, base = known.get(owner.client_id), agreeing.get(owner)
                after = self._nothing_due(base) if base else self._at_first(opened, fresh=owner.client_id in fresh)
                changes.append(Change(Record(key, state=before), after))
            elif before is not NOTHING_KEPT:
                changes.append(Change(Record(key, state=before), NOTHING_KEPT))
        return changes

    def _at_first(self, opened: Opened | None, *, fresh: bool) -> RecordState:
        """Return what is kept of a newly linked client: what it was ``opened`` with; it is due unless that is all."""
        base = self._opened_with(opened, fresh=fresh) if opened else None
        if opened and base is not None and fresh and self._is_whole(opened):
            return self._nothing_due(base)
        due = Deferral(self.run.now(), attempts=0, tries=0, code="first_contact")
        refused = {n: note for n, note in opened.notes.items() if n in self.rules} if opened else {}
        return RecordState(base=base, notes=refused, deferral=due, status=codes.status("first_contact"))

    @staticmethod
    def _nothing_due(base: Forms) -> RecordState:
        """Return what is kept of a newly linked client with whom nothing is to be done but to be shown."""
        return RecordState(base=base, deferral=taken.wait(base), status=waiting(IN_STEP, base))

    def _agreeing(self, links: Mapping[Owner, Link], shown: Mapping[str, Account]) -> dict[Owner, Forms]:
        """Return the bases of those newly linked clients of whom both sides agree and nothing is to be told.

        Somebody may have edited an account since it was ``shown``, and the feed have passed it before it was linked: so
        its forms count as unknown until they are shown.
        """
        owners = [owner for owner in links if owner.client_id in shown]
        found = {}
        for owner, (own, *_) in by_owner(self.load(owners)):
            record = replace(own, link=links[owner], state=NOTHING_KEPT, conflicts=())
            account = replace(shown[owner.client_id], external_code=owner.client_id)
            (plan,) = self.plans([record], self.shown_by(record, account))
            after = plan.whole.after
            agrees = not (plan.writes or plan.call or plan.more or plan.whole.conflicts)
            if plan.act is Act.MERGE and agrees and after.base and after == RecordState(after.base, status=IN_STEP):
                found[owner] = self._unconfirmed(after.base)
        return found

    def _unconfirmed(self, base: Forms) -> Forms:
        """Return a base in which the panel's forms are not known until they are shown."""
        waits = taken.sending(self.run.now())._replace(at=LONG_AGO)
        shown = [name for name, value in base.panel.items() if value and self.rows.fields[name].read]
        return Forms(base.erp, {n: v for n, v in base.panel.items() if n not in shown}, dict.fromkeys(shown, waits))

    def _opened_with(self, opened: Opened, *, fresh: bool) -> Forms | None:
        """Return the base that the opening of an account has made; None where none of the fields was among it.

        Where its answer was lost (not ``fresh``) nobody knows since when the account may have been edited.
        """
        sent = {name: value for name, value in opened.sent.items() if name in self.rules}
        if not sent:
            return None
        row = opened.row
        empty = {name: row[name] for name in self._sends if name in row and name not in sent}
        fields = self.rows.fields
        left_out = {name: None for name, value in empty.items() if value and fields[name].create}
        forms = {**{name: value for name, value in empty.items() if not value}, **left_out, **sent}
        waits = taken.sending(self.run.now() if fresh else LONG_AGO, [None])
        if fresh and opened.at is not None:  # who has edited since may have come before all of a batch is stored
            waits = waits._replace(at=opened.at)
        shown = [name for name, value in forms.items() if value and fields[name].read]
        return Forms(forms, {n: v for n, v in forms.items() if n not in shown}, dict.fromkeys(shown, waits))

    def _is_whole(self, opened: Opened) -> bool:
        """Whether everything that travels was sent when the account was opened, and nothing travels back only."""
        if self._only_takes:
            return False
        return not any(opened.row.get(name) for name in self._sends if name not in opened.sent)

    @cached_property
    def _sends(self) -> tuple[str, ...]:
        """The fields that travel to the panel."""
        return tuple(name for name, rule in self.rules.items() if rule.to_panel)

    @cached_property
    def _only_takes(self) -> bool:
        """Whether there is a field that travels to the ERP alone."""
        return any(rule.to_erp and not rule.to_panel for rule in self.rules.values())

    def paused(self, owners: Sequence[Owner], code: str) -> None:
        """Defer these owners untouched, for a reason that is not theirs; each comes back by its due time.

        What is deferred already stays so, but the brake marks it as its own: a person lets it pass with the rest. What
        is only planned is found again where it is looked for next.
        """
        if self.only_plans:
            return
        own = [records[0] for _, records in by_owner(self.load(owners))]
        stopped = code == retry.BRAKE
        free = [r for r in own if r.state.deferral is None or (stopped and _has_other(r) and not retry.was_stopped(r))]
        known = [r for r in free if self.can_wait(r) and not r.excluded]
        changes = [retry.deferred(self.run, record, Retry(code), stopped=stopped) for record in known]
        changes += [self.without_row(r).change() for r in own if r.link and r.erp is None and not r.excluded]
        self.run.save([change for change in changes if change])

    def can_wait(self, record: Record) -> bool:
        """Whether a record can be deferred: there is something that may be carried later."""
        return record.link is not None and record.erp is not None


def comes_back(record: Record) -> bool:
    """Return whether a record is tried again by its own time, for another reason than that it has not been shown."""
    return record.state.deferral is not None and record.state.deferral.code != UNCONFIRMED


def _has_other(record: Record) -> bool:
    """Whether a record is about something in the panel, so that a person's word can be about it."""
    return record.link is not None or bool(record.key.group_id)


def has_lost_its_row(record: Record) -> bool:
    """Whether a record was compared once, and has no row any more: it was deleted, or its table is being refilled."""
    if record.state.base is not None:
        return record.erp is None or not record.has_client
    return record.link is not None and not record.has_client and not record.key.item_id


def voided(record: Record) -> Change:
    """Return the change after which nothing is known of a record: its client has another account by now, or none."""
    return Change(record, NOTHING_KEPT, closed=dict.fromkeys(conflict.id for conflict in record.conflicts))


def owner_key(owner: Owner, concern: str) -> Key:
    """Return the key of an owner's own record."""
    return Key(owner.client_id, owner.group_id, concern)


def by_owner(records: Iterable[Record]) -> list[tuple[Owner, list[Record]]]:
    """Return the records of each owner together, in the order in which they come."""
    return [(owner, list(some)) for owner, some in groupby(records, key=lambda record: record.key.owner)]


def left_alone(record: Record, status: Status, *, asked: bool) -> Plan:
    """Return the plan of a record that stays as it is, with what is said of it; ``asked``: the panel was."""
    return Plan(record, Act.KEEP, status=status, more=asked and codes.is_asked_again(status))


def codes_given(record: Record) -> Sequence[Written]:
    """Return the codes that the account was about to be given when a call began: renamed again, it may carry one."""
    intent = record.state.intent
    return [each for each in intent.written if each.field == table.CODE] if intent and record.link else []


def not_own(record: Record, account: Account | None) -> Status | None:
    """Return what is said of a client whose link leads nowhere, or to an account that does not carry its code."""
    if account is None:
        return codes.status("account_gone", accounts=record.link.panel_login if record.link else "")
    former = record.link.former_code if record.link else ""
    own = (record.key.client_id, former, *(str(each.after or "") for each in codes_given(record)))
    if any(normal.same_code(account.external_code, code) for code in own if code):
        return None
    return codes.status("another_account", panel_value=account.external_code)
