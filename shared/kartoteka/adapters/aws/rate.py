"""The rate limit: how many panel calls a second all functions may make together.

Each call takes one slot, the next that is free; slots follow each other at the current rate. A 429 halves that rate,
and quiet raises it again to the policy's in about a minute. The arithmetic is pure and shared by every
:class:`~kartoteka.ports.state.SyncState`; :class:`RateLimit` is one process's end of it.

A slot is taken for one call, and a process waits for one slot at a time. So a call comes after one call of each other
process at most, however long their backlogs are; and a process that dies wastes one slot and holds up nobody.

Promise: however many processes call, no span of T seconds sees more than ``rate * (T + STALE) + 1`` calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import UTC, datetime

from kartoteka.errors import Retry
from kartoteka.ports.state import SyncState, Usage

STALE = 0.5
"""Seconds by which a call may come after its slot. A thread that wakes later takes another slot."""
HORIZON = 30.0
"""Seconds of waiting for a slot that are worth a running function; beyond, the work is deferred."""
RECOVERY = 1 / 60
"""Share of the policy's rate that a second of quiet gives back."""
FLOOR = 1 / 50
"""Share of the policy's rate below which no 429 pushes."""
ONE_STORM = 1.0
"""Seconds within which several 429 answers count as one."""
MISSED_SLOTS = 3
"""Slots in a row that may be missed (a starved process, one 429 after the other) before the work is deferred."""
NONSENSE = 400.0
"""Seconds of silence ahead that only a wrong clock can have asked for: the panel's longest wait, and some."""
SLOWEST = 100.0
"""Seconds between two calls at the slowest rate there is."""
SKEW = 30.0
"""Seconds by which the clocks of two processes may differ."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions share: the next free slot, the last 429, and the calls that were made. Moments: Unix seconds.

    Nobody calls before ``not_before``. It is kept apart from ``next_at``, which a process with a wrong clock may spoil.
    """

    next_at: float = 0.0
    not_before: float = 0.0
    slow_rate: float = 0.0
    slowed_at: float = 0.0
    usage: Usage = attribute(default_factory=Usage)


def current_rate(shared: Shared, now: float, limit: float) -> float:
    """Return how many calls a second are allowed now; ``limit`` is the policy's figure."""
    if not shared.slowed_at:
        return limit
    quiet = max(0.0, now - shared.slowed_at)
    return min(limit, shared.slow_rate + limit * RECOVERY * quiet)


def leased(shared: Shared, *, now: float, latest: float, rate: float, gate: str) -> tuple[Shared, float]:
    """Return what is shared after the next slot was taken, and the slot. Raises as :meth:`SyncState.lease`."""
    shared = _plausible(shared, now)
    slot = max(now, shared.not_before, shared.next_at)
    if slot > latest:
        raise Retry("rate_limit", after=slot - now)
    usage = shared.usage.counting(datetime.fromtimestamp(now, UTC), gate)
    return replace(shared, next_at=slot + 1 / current_rate(shared, now, rate), usage=usage), slot


def slowed(shared: Shared, *, now: float, rate: float, wait: float) -> Shared:
    """Return what is shared after the panel said 429: half the rate, and nobody calls before ``now + wait``."""
    shared = _plausible(shared, now)
    silent = replace(shared, not_before=max(shared.not_before, now + wait))
    if now - shared.slowed_at < ONE_STORM:
        return silent
    return replace(silent, slow_rate=max(rate * FLOOR, current_rate(shared, now, rate) / 2), slowed_at=now)


def _plausible(shared: Shared, now: float) -> Shared:
    """Return what is shared without moments that only a wrong clock can have set."""

    def kept(moment: float, longest: float) -> float:
        return 0.0 if moment > now + longest else moment

    return replace(
        shared,
        next_at=kept(shared.next_at, HORIZON + SLOWEST),
        not_before=kept(shared.not_before, NONSENSE),
        slowed_at=kept(shared.slowed_at, SKEW),
    )


class RateLimit:
    """Hands out the moments at which this process may call the panel. Safe for several threads.

    ``rate``: calls a second of all functions. Threads wait in turn: one for its
    slot, the others for that one, so that a process with many threads takes no more slots than one with a single one.
    """

    def __init__(
        self,
        state: SyncState,
        *,
        rate: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._state = state
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._refusals = 0

    def take(self, gate: str) -> None:
        """Wait for the moment at which a call of this gate may be made. Raises Retry("rate_limit")."""
        latest = self._clock() + HORIZON
        if not self._turn.acquire(timeout=HORIZON):
            raise Retry("rate_limit")
        try:
            for _ in range(MISSED_SLOTS):
                refusals = self._refusals
                slot = self._state.lease(now=self._clock(), latest=latest, rate=self._rate, gate=gate)
                wait = slot - self._clock()
                if wait > 0:
                    self._sleep(wait)
                if self._refusals == refusals and self._clock() <= slot + STALE:
                    return
        finally:
            self._turn.release()
        raise Retry("rate_limit")

    def slow_down(self, wait: float) -> None:
        """The panel said 429: halve the rate for all, and let nobody call for ``wait`` seconds."""
        try:
            self._state.slow_down(now=self._clock(), rate=self._rate, wait=wait)
        finally:
            with self._lock:  # a thread that waits for its slot looks at it when it wakes
                self._refusals += 1
