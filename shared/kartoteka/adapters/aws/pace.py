"""The pace of panel calls: one for all functions, leased in small blocks of slots.

The arithmetic is pure and shared by every :class:`~kartoteka.ports.SyncState`: slots follow each other at the current
rate, a 429 halves that rate, and quiet raises it again to the policy's in about a minute. :class:`Pace` is one
process's end of it.

A lease names a *turn*: the slot that is free next. Ordinary calls are made at their turn. Urgent ones, while others
have leased ahead, are made before it, one slot a lease; their turns stay empty, so that what is leased afterwards comes
later by as much, and the long-run rate holds. Slots that others hold already stay theirs.

Promise: however many processes lease, no span of T seconds sees more than ``rate * (T + STALE) + 1`` calls, and of
urgent ones ahead of their turn ``rate * URGENT_SHARE * min(T + STALE, LEAD) + 1`` more. Urgent calls ahead of their
turn follow each other at URGENT_SHARE of the rate, so that ordinary ones keep the rest; and none is made in the silence
after a 429.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kartoteka.errors import Retry
from kartoteka.ports.state import Lease, SyncState

STALE = 0.5
"""Seconds for which a missed slot may still be used; older ones are dropped, so that idling saves up no burst."""
HORIZON = 30.0
"""Seconds of waiting for a slot that are worth a running function; beyond, the work is put off."""
BLOCK_SECONDS = 2.0
"""A block holds the calls of this time at most: so long may others go on at the old rate after a 429."""
LEAD = 2 * BLOCK_SECONDS
"""Seconds that all blocks together should reach ahead, however many processes lease; and the most by which an urgent
call is made before its turn."""
URGENT_SHARE = 1 / 2
"""Share of the rate that urgent calls take ahead of their turn."""
RECOVERY = 1 / 60
"""Share of the policy's rate that a second of quiet gives back."""
FLOOR = 1 / 50
"""Share of the policy's rate below which no 429 pushes."""
ONE_STORM = 1.0
"""Seconds within which several 429 answers count as one."""
SLOW_LEASES = 3
"""Leases in a row that may come too late to be used (a starved process) before the work is put off."""
NONSENSE = 900.0
"""Seconds ahead at which a moment can only come from a wrong clock."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions share: the next free slot, the last slow-down and the calls of the month.

    Nobody calls before ``not_before`` (a 429 said so), and no urgent call goes ahead of its turn before ``urgent_at``.
    """

    next_at: float = 0.0
    not_before: float = 0.0
    urgent_at: float = 0.0
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
    shared: Shared, calls: int, *, now: float, rate: float, budget: int | None, unused: int = 0, urgent: bool = False
) -> tuple[Shared, Lease]:
    """Return the shared pace after a lease of up to ``calls`` calls, and the lease."""
    turn = _first_free(shared, now)
    start = _ahead(shared, turn, now) if urgent else turn
    if start - now > HORIZON:
        raise Retry("pace", after=start - now)
    month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
    used = max(0, shared.used - unused) if shared.month == month else 0
    pace = current_rate(shared, now, rate)
    most = 1 if start < turn else _block(turn - _earliest(shared, now), pace)
    granted = _within_budget(min(calls, most), used, budget)
    after = replace(shared, next_at=turn + granted / pace, month=month, used=used + granted)
    if urgent:
        until = start + granted / (pace * URGENT_SHARE) if start < turn else after.next_at
        after = replace(after, urgent_at=until)
    return after, Lease(granted, start, 1 / pace)


def slowed(shared: Shared, *, now: float, rate: float, wait: float) -> Shared:
    """Return the shared pace after the panel said 429: half as fast, and nobody calls before ``now + wait``."""
    silence = max(_earliest(shared, now), now + wait)
    halted = replace(shared, next_at=max(_first_free(shared, now), silence), not_before=silence)
    if now - shared.slowed_at < ONE_STORM:
        return halted
    halved = max(rate * FLOOR, current_rate(shared, now, rate) / 2)
    return replace(halted, slow_rate=halved, slowed_at=now)


def _first_free(shared: Shared, now: float) -> float:
    return max(_sane(shared.next_at, now), _earliest(shared, now))


def _earliest(shared: Shared, now: float) -> float:
    return max(_sane(shared.not_before, now), now)


def _ahead(shared: Shared, turn: float, now: float) -> float:
    """Return when an urgent call may be made: at its turn at the latest."""
    return min(turn, max(_earliest(shared, now), _sane(shared.urgent_at, now), turn - LEAD))


def _sane(moment: float, now: float) -> float:
    return 0.0 if moment > now + NONSENSE else moment


def _block(lead: float, pace: float) -> int:
    """Return the most calls of a lease: half of what is left of LEAD, so that many processes get equal blocks."""
    return max(1, math.ceil((LEAD - lead) / 2 * pace))


def _within_budget(calls: int, used: int, budget: int | None) -> int:
    if budget is None:
        return calls
    if used >= budget:
        raise Retry("budget")
    return min(calls, budget - used)


class Pace:
    """Hands out the moments at which this process may call the panel. Safe for several threads.

    The calls of an ``urgent`` one go ahead of what other processes have leased. Threads wait in turn: one for its slot,
    the others for that one, so that a process with many threads leases no further ahead than one with a single thread.
    """

    def __init__(
        self,
        state: SyncState,
        *,
        rate: float,
        budget: int | None = None,
        urgent: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._state = state
        self._rate = rate
        self._budget = budget
        self._urgent = urgent
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._slots: deque[float] = deque()
        self._block = 1
        self._unused = 0
        self._generation = 0

    def take(self) -> None:
        """Wait for the next moment at which a call may be made. Raises Retry("pace") or Retry("budget")."""
        latest = self._clock() + HORIZON
        if not self._turn.acquire(timeout=HORIZON):
            raise Retry("pace")
        try:
            self._wait_for_slot(latest)
        finally:
            self._turn.release()

    def _wait_for_slot(self, latest: float) -> None:
        while True:
            slot, generation = self._next_slot(latest)
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

    def _next_slot(self, latest: float) -> tuple[float, int]:
        with self._lock:
            self._drop_stale()
            for _ in range(SLOW_LEASES):
                if not self._slots:
                    self._lease()
                    self._drop_stale()
            if not self._slots or self._slots[0] > latest:
                raise Retry("pace")
            return self._slots.popleft(), self._generation

    def _lease(self) -> None:
        now = self._clock()
        lease = self._state.lease(
            self._block, now=now, rate=self._rate, budget=self._budget, unused=self._unused, urgent=self._urgent
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
