"""The pace of panel calls: one for all functions, leased in small blocks of slots.

The arithmetic is pure and shared by every :class:`~kartoteka.ports.SyncState`: slots follow each other at the current
rate, a 429 halves that rate, and quiet raises it again to the policy's in about a minute. :class:`Pace` is one
process's end of it.

Promise: however many processes lease, no span of T seconds sees more than ``rate * (T + STALE) + 1`` calls.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kartoteka.core.errors import Retry
from kartoteka.ports import Lease, SyncState

STALE = 0.5
"""Seconds for which a missed slot may still be used; older ones are dropped, so that idling saves up no burst."""
HORIZON = 30.0
"""Seconds of waiting for a slot that are worth a running function; beyond, the work is put off."""
BLOCK_SECONDS = 2.0
"""A block holds the calls of this time at most: so long may others go on at the old rate after a 429."""
RECOVERY = 1 / 60
"""Share of the policy's rate that a second of quiet gives back."""
FLOOR = 1 / 50
"""Share of the policy's rate below which no 429 pushes."""
ONE_STORM = 1.0
"""Seconds within which several 429 answers count as one."""
SLOW_LEASES = 3
"""Leases in a row that may come too late to be used (a starved process) before the work is put off."""
NONSENSE = 900.0
"""Seconds ahead at which a next free moment can only come from a wrong clock."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions share: the next free moment, the last slow-down and the calls of the month."""

    next_at: float = 0.0
    slow_rate: float = 0.0
    slowed_at: float = 0.0
    month: str = ""
    used: int = 0


def current_rate(shared: Shared, now: float, limit: float) -> float:
    """Return how many calls a second are allowed now."""
    if not shared.slowed_at:
        return limit
    quiet = max(0.0, now - shared.slowed_at)
    return min(limit, shared.slow_rate + limit * RECOVERY * quiet)


def leased(
    shared: Shared, calls: int, *, now: float, rate: float, month: str, budget: int | None, unused: int = 0
) -> tuple[Shared, Lease]:
    """Return the shared pace after a lease of up to ``calls`` calls, and the lease."""
    start = _first_free(shared, now)
    if start - now > HORIZON:
        raise Retry("pace", after=start - now)
    used = max(0, shared.used - unused) if shared.month == month else 0
    granted = _within_budget(calls, used, budget)
    interval = 1 / current_rate(shared, now, rate)
    after = replace(shared, next_at=start + granted * interval, month=month, used=used + granted)
    return after, Lease(granted, start, interval)


def slowed(shared: Shared, *, now: float, rate: float, wait: float) -> Shared:
    """Return the shared pace after the panel said 429: half as fast, and nobody calls before ``now + wait``."""
    halted = replace(shared, next_at=max(_first_free(shared, now), now + wait))
    if now - shared.slowed_at < ONE_STORM:
        return halted
    halved = max(rate * FLOOR, current_rate(shared, now, rate) / 2)
    return replace(halted, slow_rate=halved, slowed_at=now)


def _first_free(shared: Shared, now: float) -> float:
    return now if shared.next_at > now + NONSENSE else max(shared.next_at, now)


def _within_budget(calls: int, used: int, budget: int | None) -> int:
    if budget is None:
        return calls
    if used >= budget:
        raise Retry("budget")
    return min(calls, budget - used)


class Pace:
    """Hands out the moments at which this process may call the panel. Safe for several threads."""

    def __init__(
        self,
        state: SyncState,
        *,
        rate: float,
        budget: int | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._state = state
        self._rate = rate
        self._budget = budget
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: deque[float] = deque()
        self._block = 1
        self._unused = 0
        self._generation = 0

    def take(self) -> None:
        """Wait for the next moment at which a call may be made. Raises Retry("pace") or Retry("budget")."""
        while True:
            slot, generation = self._next_slot()
            wait = slot - self._clock()
            if wait > 0:
                self._sleep(wait)
            if generation == self._generation:
                return
            self._give_back(1)

    def slow_down(self, wait: float) -> None:
        """The panel said 429: forget the slots at hand and slow everybody down."""
        with self._lock:
            self._drop(len(self._slots))
            self._generation += 1
            self._state.slow_down(now=self._clock(), rate=self._rate, wait=wait)

    def _next_slot(self) -> tuple[float, int]:
        with self._lock:
            self._drop_stale()
            for _ in range(SLOW_LEASES):
                if not self._slots:
                    self._lease()
                    self._drop_stale()
            if not self._slots:
                raise Retry("pace")
            return self._slots.popleft(), self._generation

    def _lease(self) -> None:
        now = self._clock()
        month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
        lease = self._state.lease(
            self._block, now=now, rate=self._rate, month=month, budget=self._budget, unused=self._unused
        )
        self._unused = 0
        self._slots.extend(lease.start + n * lease.interval for n in range(lease.calls))
        self._block = min(self._block * 2, max(1, int(self._rate * BLOCK_SECONDS)))

    def _drop_stale(self) -> None:
        oldest = self._clock() - STALE
        self._drop(sum(slot < oldest for slot in self._slots))

    def _drop(self, count: int) -> None:
        """Forget the first slots. A process that lets slots pass needs smaller blocks."""
        for _ in range(count):
            self._slots.popleft()
        if count:
            self._unused += count
            self._block = 1

    def _give_back(self, count: int) -> None:
        with self._lock:
            self._unused += count
