"""The brake: a chunk of writes is let through, or stops its concern until a person confirms it.

A mistake in the ERP (a filter forgotten, a table half filled) closes accounts or erases addresses by the thousand. What
takes something away is a fact of the field (:mod:`kartoteka.fields.risk`); it is counted against the linked clients,
prices of groups against the prices that were sent. Writes of any kind are counted against all records that the concern
looks after, but for figures that the ERP recomputes for everybody (:attr:`kartoteka.fields.table.Rows.recomputed`).
Neither counts creation, first contact, what a person has let pass, or what the policy asked for. What was
written within the hour is read from ``sync_history``, where it stands in one transaction with the writes themselves, so
no crash makes it forget; that a concern is stopped stands beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from kartoteka import policy
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Key
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import BRAKE
from kartoteka.sync.run import Run

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
"""The span over which writes are counted."""


def counted_since(released: datetime | None, now: datetime) -> datetime:
    """Return since when writes count: for an hour, and not from before a person's word."""
    hour_ago = now - HOUR
    return max(hour_ago, released) if released and released <= now else hour_ago


@dataclass(slots=True)
class Meter:
    """What was written within the hour of records of one kind, this run's among them.

    ``against`` counts what writes that take something away are compared with, ``kept`` what any writes are: each is
    asked once, and only where it matters, since removing makes them fewer.
    """

    of: str
    against: Callable[[], int]
    kept: Callable[[], int]
    counted: int = 0
    written: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.against, self.kept = cache(self.against), cache(self.kept)

    def stops(self, limits: policy.Brake) -> str:
        """Return what is too much, in words; empty where nothing is."""
        if self.counted > limits.min_records and self.counted > limits.max_share * (of := self.against()):
            return f"{self.counted} risky writes within an hour, {of} {self.of}"
        count = len(self.written)
        if count > limits.min_records and count > limits.any_share * (of := self.kept()):
            return f"{count} records written within an hour, {of} looked after"
        return ""


class Brake:
    """What one run knows of a concern's brake. Safe for several threads: the chunks of a run share it."""

    def __init__(self, run: Run, concern: str) -> None:
        self._run = run
        self._concern = concern
        self._recomputed = CONCERNS[concern].recomputed
        self._lock = threading.Lock()
        self._meters: dict[bool, Meter] = {}
        self._released: datetime | None = None
        self.tripped = False

    def stop(self, why: str, code: str) -> None:
        """Stop the concern until a person confirms; ``code`` says what for."""
        with self._lock:
            self._stop(why, code)

    def lets_through(self, plans: Sequence[Plan]) -> bool:
        """Return whether a chunk of plans may be carried out. Where not, the concern is paused already."""
        counting = [plan for plan in plans if plan.rewrites and not plan.by_policy]
        free = [plan for plan in counting if not plan.confirmed]
        with self._lock:
            if self.tripped or not counting:
                return not self.tripped
            meter = self._meter(prices=False)
            # Where there is no person's word at all, what was stopped before counts like anything else.
            found = free if self._released else counting
            moved = {plan.record.key for plan in found if plan.rewrites_beside(self._recomputed)}
            return self._lets(meter, sum(plan.risky for plan in found), moved)

    def lets_prices(self, keys: Collection[Key], risky: int) -> bool:
        """Return whether these prices may be written, of which so many take something away; as for plans."""
        with self._lock:
            return not self.tripped and self._lets(self._meter(prices=True), risky, keys)

    @property
    def released(self) -> bool:
        """Whether a person has let pass what was stopped."""
        with self._lock:
            self._meter(prices=False)
            return self._released is not None

    def _meter(self, *, prices: bool) -> Meter:
        """Return what is counted so far; asked once a run."""
        if prices not in self._meters:
            exchange, name = self._run.exchange, self._concern
            self._released = exchange.pauses.released(name)
            since = counted_since(self._released, self._run.now())
            sent, records = exchange.prices.count_sent, exchange.records
            self._meters[prices] = Meter(
                "prices" if prices else "linked clients",
                sent if prices else records.count_linked,
                sent if prices else lambda: records.count_kept(name),
                records.counted(name, since, prices=prices),
                set(records.written(name, since, prices=prices)),
            )
        return self._meters[prices]

    def _lets(self, meter: Meter, risky: int, keys: Collection[Key]) -> bool:
        if not keys and not risky:
            return True
        meter.counted += risky
        meter.written.update(keys)
        why = meter.stops(self._run.policy.brake)
        if why:
            self._stop(why)
        return not why

    def _stop(self, why: str, code: str = "") -> None:
        self.tripped = True
        self._run.exchange.pauses.pause(self._concern, BRAKE, at=self._run.now(), code=code)
        logger.error(
            "%s is stopped by the brake: %s; see `kartoteka status`, then run `kartoteka resume %s --confirm`",
            self._concern,
            why,
            self._concern,
        )
