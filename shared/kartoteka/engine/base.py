"""What the two moves share: the ports, the policy, the clock, and how a refused or delayed record is set aside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kartoteka.core import check, credit, messages
from kartoteka.core.brake import BRAKE
from kartoteka.core.concerns import ACCOUNTS, CONCERNS, CREDIT, DISCOUNTS, GROUPS, SHOPS, Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, merge
from kartoteka.core.model import Account, Direction, Parked, Record, Settlement, Snapshot, State, Status
from kartoteka.core.policy import Policy, Rule, rules
from kartoteka.engine.braking import BrakeRun, was_stopped
from kartoteka.ports import ExchangeDatabase, Panel, SyncState, WorkQueue

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=60)
UNTIL_TOUCHED = timedelta(days=3650)
"""The pause of a record that nothing but its row's return can bring on."""

NUMBERS = "group numbers"
"""The name under which a run keeps the numbers of the discount groups."""

T = TypeVar("T")


def utc_now() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Counts:
    """The figures of one run. ``written_*``, ``reconciled`` and ``held`` count customers, ``conflicts`` fields."""

    collected: int = 0
    reconciled: int = 0
    written_to_panel: int = 0
    written_to_erp: int = 0
    conflicts: int = 0
    held: int = 0
    panel_calls: int = 0
    stopped_feeds: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Engine:
    """The ports and the policy that a run works with. ``run_id`` marks its rows in ``sync_history``.

    ``addresses_per_pass`` is how many linked customers one rotating pass asks the panel about. ``turn`` lets one chunk
    at a time ask for what the run needs once; ``asked`` keeps it. ``time_left`` says whether another
    call may be begun.
    """

    exchange: ExchangeDatabase
    panel: Panel
    state: SyncState
    queue: WorkQueue
    policy: Policy
    run_id: str
    now: Callable[[], datetime] = utc_now
    time_left: Callable[[], bool] = lambda: True
    longest_transaction: timedelta = timedelta(hours=1)
    addresses_per_pass: int = 500
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    asked: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    brake: BrakeRun = field(default_factory=BrakeRun, repr=False, compare=False)
    _rules: dict[str, Mapping[str, Rule]] = field(default_factory=dict, repr=False, compare=False)

    def rules(self, concern: str) -> Mapping[str, Rule]:
        """Return the rule of each field of a concern; put together once in a run, not for each record."""
        if concern not in self._rules:
            self._rules[concern] = rules(self.policy, CONCERNS[concern])
        return self._rules[concern]

    def look(self, concern: str, client_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these customers, their rows as the policy reads them."""
        now = self.now()
        if not client_ids:
            return []
        return [_by_policy(self.policy, concern, s, now) for s in self.exchange.snapshots(concern, client_ids)]

    def group_numbers(self) -> Mapping[str, str]:
        """Return discount group -> the panel's number; asked once in a run."""
        with self.turn:
            if NUMBERS not in self.asked:
                self.asked[NUMBERS] = self.exchange.group_numbers()
            found: Mapping[str, str] = self.asked[NUMBERS]
            return found

    def concerned(self, concern: str, client_ids: Collection[str]) -> Collection[str]:
        """Return those of these customers who have a discount group, or figures, or may be due to lose theirs."""
        if any(rule.always for rule in self.rules(concern).values()):
            return client_ids
        return self.exchange.with_items(concern, client_ids) if client_ids else ()

    def carries(self, concern: str) -> bool:
        """Return whether the policy wants this concern looked after at all, in a direction that it has."""
        if concern == ACCOUNTS.name:
            return self.policy.accounts.direction is not Direction.OFF
        return any(rule.direction is not Direction.OFF for rule in self.rules(concern).values())

    def chunks(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield the items in pieces that the panel takes in one call."""
        size = self.policy.panel.batch_size
        for start in range(0, len(items), size):
            yield items[start : start + size]


def _by_policy(policy: Policy, concern: str, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Return the snapshot with what the policy makes of its row.

    A customer's shops are those of his rows, else those of the rules, else the default ones. A card that was deleted
    is one that is not active, where deletions are propagated. Figures of credit are those that count now.
    """
    if concern == CREDIT.name:
        return replace(snapshot, row=_figures(policy, snapshot, now))
    if concern == SHOPS.name and snapshot.row is not None:
        wanted = ",".join(map(str, check.shops(snapshot.row, policy)))
        return replace(snapshot, row={**snapshot.row, "shops": wanted})
    if concern == ACCOUNTS.name and snapshot.row is None and snapshot.link and policy.accounts.deletes == "propagate":
        return replace(snapshot, row={"active": False})
    return snapshot


def _figures(policy: Policy, snapshot: Snapshot, now: datetime) -> Record | None:
    if snapshot.row is not None:
        return credit.effective(snapshot.row, policy.credit, now)
    sent = snapshot.agreed is not None or snapshot.intent is not None
    return credit.withdrawn(policy.credit) if sent else None


def _shown(concern: Concern, account: Account, base: Record | None) -> Record:
    """Return what the panel shows, and what is assumed of fields that it never shows and that nothing was sent of.

    What it shows of a field that may be another one than was written does not count before anything was sent.
    """
    given = base or {}
    known = account.values.keys() | given.keys()
    assumed = {name: field.assumed for name, field in concern.fields.items() if field.assumed is not None}
    unknown = {name for name, field in concern.fields.items() if field.unsure and given.get(name) is None}
    shown = {name: value for name, value in account.values.items() if name not in unknown}
    return {**shown, **{name: value for name, value in assumed.items() if name not in known}}


def decide(
    engine: Engine, concern: Concern, snapshot: Snapshot, account: Account, *, base: Record | None, row: Record
) -> Decision:
    """Return what is to be done with a customer: the one merge by which the feed filters and the worker acts."""
    return merge(
        concern,
        engine.rules(concern.name),
        base=base,
        erp=row,
        panel=_shown(concern, account, base),
        open_conflicts=snapshot.conflicts,
    )


def delayed(
    engine: Engine, snapshot: Snapshot, concern: str, error: Retry | Halt, *, stopped: bool = False
) -> Settlement:
    """Return the settlement that sets a record aside because of an outage: no attempt is used up.

    One that the brake had ``stopped`` stays known as such, so that what a person confirmed need not be confirmed again.
    """
    before = snapshot.parked
    tries = before.tries + 1 if before else 1
    wait = max(_pause(tries), timedelta(seconds=getattr(error, "after", None) or 0))
    attempts = before.attempts if before else 0
    confirmed = stopped or (snapshot.link is not None and was_stopped(snapshot))
    parked = Parked(engine.now() + wait, attempts, tries, BRAKE if confirmed else error.code)
    return Settlement(
        snapshot.client_id,
        concern,
        messages.outage(error.code, halted=isinstance(error, Halt)),
        item_id=snapshot.item_id,
        parked=parked,
        keep_intent=True,
    )


def set_aside(engine: Engine, concern: str, client_ids: Sequence[str], code: str) -> None:
    """Park these customers untouched, for a reason that is not theirs; each comes back by its due time.

    Those who are linked and whose row is away are parked until it returns. What is parked already stays so, but the
    brake marks it as its own: a person confirms it with the rest.
    """
    if concern == GROUPS.name:
        groups = engine.exchange.groups(client_ids)
        settlements = [delayed(engine, group, DISCOUNTS.name, Retry(code)) for group in groups if not group.parked]
        engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())
        return
    own = [s for s in engine.look(concern, client_ids) if not s.item_id]
    free = [s for s in own if not s.parked or (code == BRAKE and s.link and not was_stopped(s))]
    known = [s for s in free if s.row is not None and (s.link or concern == ACCOUNTS.name)]
    settlements = [delayed(engine, snapshot, concern, Retry(code)) for snapshot in known]
    if not CONCERNS[concern].items and any(rule.to_erp for rule in engine.rules(concern).values()):
        settlements += [wait_for_row(engine, concern, s) for s in own if s.link and s.row is None and not s.parked]
    engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())


def wait_for_row(engine: Engine, concern: str, snapshot: Snapshot) -> Settlement:
    """Park a customer who was edited in the panel while the ERP has no row of his, until the row returns.

    A table that is emptied and filled again with equal rows is no change, so nothing else would tell of the edit.
    """
    parked = Parked(engine.now() + UNTIL_TOUCHED, attempts=0, tries=0, code="no_row")
    return Settlement(snapshot.client_id, concern, messages.no_row(), parked=parked, keep_intent=True)


def judged_status(decision: Decision) -> Status:
    """Return the status of a record whose decision has been carried out."""
    if decision.stubborn:
        return messages.not_taken(decision.stubborn)
    return messages.conflict(decision.held) if decision.held else messages.IN_STEP


def refused(engine: Engine, snapshot: Snapshot, error: Reject) -> tuple[Status, Parked | None]:
    """Return the status and the parking place of a record that was refused; None: it waits for a person.

    One that was held for this very reason stays held: its attempts do not begin anew.
    """
    before = snapshot.parked
    attempts = before.attempts + 1 if before else 1
    tries = before.tries + 1 if before else 1
    held = messages.refused(error.code, error.message, final=True)
    if attempts >= engine.policy.retry.max_attempts or (before is None and snapshot.status == held):
        return held, None
    parked = Parked(engine.now() + _pause(tries), attempts, tries, error.code)
    return messages.refused(error.code, error.message, final=False), parked


def _pause(tries: int) -> timedelta:
    doublings = max(0, min(tries - 1, 10))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def waits_for_person(status: Status | None) -> bool:
    """Return whether nothing more happens to this record by itself."""
    return status is not None and status.state in (State.HELD, State.CONFLICT)
