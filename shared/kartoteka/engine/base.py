"""What the two moves share: the ports, the policy, the clock, and how a refused or delayed record is set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from kartoteka.core import messages
from kartoteka.core.concerns import CONCERNS, Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, merge
from kartoteka.core.model import Account, Parked, Record, Settlement, Snapshot, State, Status
from kartoteka.core.policy import Policy, Rule, rules
from kartoteka.ports import ExchangeDatabase, Panel, SyncState, WorkQueue

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=60)

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

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Engine:
    """The ports and the policy that a run works with. ``run_id`` marks its rows in ``sync_history``."""

    exchange: ExchangeDatabase
    panel: Panel
    state: SyncState
    queue: WorkQueue
    policy: Policy
    run_id: str
    now: Callable[[], datetime] = utc_now
    longest_transaction: timedelta = timedelta(hours=1)
    _rules: dict[str, Mapping[str, Rule]] = field(default_factory=dict, repr=False, compare=False)

    def rules(self, concern: str) -> Mapping[str, Rule]:
        """Return the rule of each field of a concern; put together once in a run, not for each record."""
        if concern not in self._rules:
            self._rules[concern] = rules(self.policy, CONCERNS[concern])
        return self._rules[concern]

    def chunks(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield the items in pieces that the panel takes in one call."""
        size = self.policy.panel.batch_size
        for start in range(0, len(items), size):
            yield items[start : start + size]


def decide(
    engine: Engine, concern: Concern, snapshot: Snapshot, account: Account, *, base: Record | None, row: Record
) -> Decision:
    """Return what is to be done with a customer: the one merge by which the feed filters and the worker acts."""
    return merge(
        concern,
        engine.rules(concern.name),
        base=base,
        erp=row,
        panel=account.values,
        open_conflicts=snapshot.conflicts,
    )


def delayed(engine: Engine, snapshot: Snapshot, concern: str, error: Retry | Halt) -> Settlement:
    """Return the settlement that sets a record aside because of an outage: no attempt is used up."""
    before = snapshot.parked
    tries = before.tries + 1 if before else 1
    wait = max(_pause(tries), timedelta(seconds=getattr(error, "after", None) or 0))
    attempts = before.attempts if before else 0
    parked = Parked(engine.now() + wait, attempts, tries, error.code)
    return Settlement(
        snapshot.client_id,
        concern,
        messages.outage(error.code, halted=isinstance(error, Halt)),
        item_id=snapshot.item_id,
        parked=parked,
        keep_intent=True,
    )


def set_aside(engine: Engine, concern: str, client_ids: Sequence[str], code: str) -> None:
    """Park these customers untouched, for a reason that is not theirs; each comes back by its due time."""
    snapshots = engine.exchange.snapshots(concern, client_ids)
    known = [s for s in snapshots if s.row is not None and not s.parked and (s.link is None) == (concern == "accounts")]
    settlements = [delayed(engine, snapshot, concern, Retry(code)) for snapshot in known]
    engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())


def refused(engine: Engine, snapshot: Snapshot, error: Reject) -> tuple[Status, Parked | None]:
    """Return the status and the parking place of a record that was refused; None: it waits for a person."""
    before = snapshot.parked
    attempts = before.attempts + 1 if before else 1
    tries = before.tries + 1 if before else 1
    final = attempts >= engine.policy.retry.max_attempts
    status = messages.refused(error.code, error.message, final=final)
    return status, None if final else Parked(engine.now() + _pause(tries), attempts, tries, error.code)


def _pause(tries: int) -> timedelta:
    doublings = max(0, min(tries - 1, 10))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def waits_for_person(status: Status | None) -> bool:
    """Return whether nothing more happens to this record by itself."""
    return status is not None and status.state in (State.HELD, State.CONFLICT)
