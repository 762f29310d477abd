"""One working of one function: the ports, the policy, the clock, and the figures at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from kartoteka.errors import KartotekaError
from kartoteka.model import Change, Owner
from kartoteka.pieces import pieces
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Exchange, Saved
from kartoteka.ports.panel import Panel
from kartoteka.ports.queue import WorkQueue
from kartoteka.ports.state import SyncState
from kartoteka.sync.batch import BatchSize
from kartoteka.sync.lately import Lately

if TYPE_CHECKING:
    from kartoteka.sync.concern import Concern

T = TypeVar("T")
Told = TypeVar("Told")


LACKS, HARMLESS = "panel_lacks", "panel_harmless"
"""Documents of the state."""


def utc_now() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


def always() -> bool:
    """Return that there is time left."""
    return True


@dataclass(slots=True)
class Counts:
    """The figures of one run. All count owners, but ``conflicts``, which counts fields, and ``panel_calls``.

    ``refused``: the panel, the ERP's database or our own check said no, so that they wait for a person, or for a try
    that is counted. ``stale_feeds``: concerns whose figures nobody refreshes any more.
    """

    collected: int = 0
    reconciled: int = 0
    written_to_panel: int = 0
    written_to_erp: int = 0
    conflicts: int = 0
    held: int = 0
    refused: int = 0
    panel_calls: int = 0
    stale_feeds: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(slots=True)
class Report:
    """The figures of some work, and the codes of what only a person can correct.

    ``left``: the owners that come back with their message: there was no time left for them, or, where nothing may be
    stored that would bring them back, ``errors`` say why they could not be worked.
    """

    counts: Counts = field(default_factory=Counts)
    halts: tuple[str, ...] = ()
    left: tuple[Owner, ...] = ()
    errors: tuple[KartotekaError, ...] = ()

    def __add__(self, other: Report) -> Report:
        halts, left = (*self.halts, *other.halts), (*self.left, *other.left)
        return Report(self.counts + other.counts, halts, left, (*self.errors, *other.errors))


@dataclass(slots=True)
class Run:
    """The ports and the policy that a run works with. ``run_id`` marks its rows in ``sync_history``.

    ``poll_size`` is how many linked clients one rotating pass asks the panel about. ``time_left`` says whether another
    call may be begun, ``calls_at_once`` how many may be under way. ``hook``: the panel wakes the feed where something
    changes. ``concerns`` are those of this run, by name; ``lacks`` the fields that the panel does not have,
    ``batch`` how many records it takes in one call, ``harmless`` the gates that were seen to leave alone what a change
    does not name.
    ``feed_read``: the panel's feed was read to its end in this run. ``short_of_calls``: the month's budget makes it
    wait longer than the policy says. ``looked``: when each reader of the log last found all triggers there, as long as
    the process lives. ``unlogged``: tables -> why this run found not all of it logged. ``passed``: the gates that have
    taken a write of this run, or answered a question of it. ``unread``: code -> records, and readings that go on
    from a cursor, about which the panel has failed to answer for too long (:mod:`kartoteka.sync.unread`).
    ``taken_over``: when this installation has taken the database over from another one; empty where it has not.
    ``found_by``: the pass that found each of the keys which this run works.
    """

    exchange: Exchange
    panel: Panel
    state: SyncState
    queue: WorkQueue
    policy: Policy
    run_id: str
    now: Callable[[], datetime] = utc_now
    time_left: Callable[[], bool] = always
    calls_at_once: int = 1
    longest_transaction: timedelta = timedelta(hours=1)
    poll_size: int = 500
    hook: bool = False
    concerns: Mapping[str, Concern] = field(default_factory=dict, repr=False)
    feed_read: bool = False
    short_of_calls: bool = False
    looked: dict[str, datetime] = field(default_factory=dict, repr=False)
    unlogged: dict[str, str] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    unread: Counter[str] = field(default_factory=Counter)
    taken_over: str = ""
    found_by: dict[Owner, str] = field(default_factory=dict, repr=False)
    lacks: Lately = field(init=False, repr=False)
    batch: BatchSize = field(init=False, repr=False)
    harmless: Lately = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.lacks = Lately(self.state, self.now, LACKS, timedelta(days=1))
        self.harmless = Lately(self.state, self.now, HARMLESS, timedelta(days=7))
        self.batch = BatchSize(self.state, self.now, self.policy.panel.batch_size)

    def chunks(self, items: Sequence[T]) -> Sequence[Sequence[T]]:
        """Return the items in pieces that the panel takes in one call."""
        return pieces(items, self.batch.size() if len(items) > 1 else 1)

    def at_once(self, call: Callable[[T], Told], parts: Sequence[T]) -> list[Told]:
        """Return what ``call`` makes of each of these parts, in their order; ``calls_at_once`` are worked together.

        The calls take the slots of the rate limit one by one, so that together they are no faster than it allows.
        """
        workers = min(self.calls_at_once, len(parts))
        if workers <= 1:
            return [call(part) for part in parts]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(call, parts))

    def send_again(self, concern: str, owners: Sequence[Owner]) -> None:
        """Hand keys of this run to the queue once more, as found by the pass that found them."""
        self.queue.send(concern, owners, self.found_by)

    def save(self, changes: Sequence[Change], *, unless_changed: bool = False) -> Saved:
        """Store these changes as this run's; :meth:`kartoteka.ports.exchange.Records.save` says what it returns."""
        records = self.exchange.records
        return records.save(changes, run_id=self.run_id, at=self.now(), unless_changed=unless_changed)
