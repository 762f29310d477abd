"""One pace for all: several processes and threads, in a time that the test turns."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.adapters.pace import BLOCK_SECONDS, HORIZON, STALE, Pace
from kartoteka.core.errors import Retry
from tests.fakes.state import FakeState

START = 1_790_000_000.0


def at(moments: Any) -> Any:
    """Equal to the millisecond: the default tolerance of approx is half an hour at such numbers."""
    return pytest.approx(moments, rel=0, abs=1e-3)


class Time:
    """A clock that only the test moves; sleeping tells when a call would be made."""

    def __init__(self) -> None:
        self.now = START
        self.slept = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept = seconds


def called_at(time: Time, pace: Pace) -> float:
    """Take a slot; return when the call is made."""
    time.slept = 0.0
    pace.take()
    return time.now + time.slept


def worst(calls: list[float], rate: float) -> float:
    """Return by how much the busiest span exceeds ``rate * (span + STALE) + 1`` calls."""
    ordered = sorted(calls)
    return max(
        (later - earlier + 1) - (rate * (ordered[later] - ordered[earlier] + STALE) + 1)
        for earlier in range(len(ordered))
        for later in range(earlier, len(ordered))
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1.5), st.integers(1, 6)), min_size=1, max_size=40),
    st.sampled_from([0.5, 1.0, 5.0, 20.0]),
)
def test_several_processes_never_exceed_the_rate_together(steps: list[tuple[int, float, int]], rate: float) -> None:
    time, state = Time(), FakeState()
    paces = [Pace(state, rate=rate, clock=time.clock, sleep=time.sleep) for _ in range(4)]
    calls: list[float] = []
    for process, idle, wanted in steps:
        time.now += idle
        try:
            calls += [called_at(time, paces[process]) for _ in range(wanted)]
        except Retry:
            time.now += 3
    assert not calls or worst(calls, rate) <= 1e-6


def test_threads_share_slots_without_taking_one_twice() -> None:
    guard = threading.Lock()
    slots: list[float] = [START]
    leasing: list[int] = []
    at_once: list[int] = []

    class Slow(FakeState):
        def lease(self, calls, **more):  # type: ignore[no-untyped-def]
            leasing.append(1)
            at_once.append(len(leasing))
            threading.Event().wait(0.002)
            leasing.pop()
            return super().lease(calls, **more)

    def sleep(seconds: float) -> None:
        with guard:
            slots.append(START + seconds)

    pace = Pace(Slow(), rate=5.0, clock=lambda: START, sleep=sleep)

    def work() -> None:
        for _ in range(30):
            pace.take()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(at_once) == 1
    assert sorted(slots) == at([START + n * 0.2 for n in range(120)])


def test_idle_time_saves_up_no_burst() -> None:
    time, state = Time(), FakeState()
    pace = Pace(state, rate=5.0, clock=time.clock, sleep=time.sleep)
    for _ in range(8):
        time.now = called_at(time, pace)
    time.now += 60
    again = [called_at(time, pace) for _ in range(5)]
    assert again == at([time.now + n * 0.2 for n in range(5)])


def test_blocks_grow_with_demand_up_to_two_seconds_and_shrink_after_idling() -> None:
    time, asked = Time(), []

    class Noting(FakeState):
        def lease(self, calls, **more):  # type: ignore[no-untyped-def]
            asked.append((calls, more["unused"]))
            return super().lease(calls, **more)

    pace = Pace(Noting(), rate=5.0, clock=time.clock, sleep=time.sleep)
    for _ in range(27):
        time.now = called_at(time, pace)
    assert asked == [(1, 0), (2, 0), (4, 0), (8, 0), (5 * BLOCK_SECONDS, 0), (5 * BLOCK_SECONDS, 0)]
    time.now += 60
    called_at(time, pace)
    assert asked[-1] == (1, 8)


def test_a_429_empties_the_block_at_hand_and_slows_every_process() -> None:
    time, state = Time(), FakeState()
    one, two = (Pace(state, rate=5.0, clock=time.clock, sleep=time.sleep) for _ in range(2))
    for _ in range(4):
        called_at(time, one)
    one.slow_down(4.0)
    mine = [called_at(time, one) for _ in range(3)]
    theirs = [called_at(time, two) for _ in range(3)]
    assert min(mine + theirs) == at(START + 4.0)
    ordered = sorted(mine + theirs)
    assert min(b - a for a, b in pairwise(ordered)) == pytest.approx(0.4, rel=0.02)


def test_a_thread_that_slept_through_a_429_takes_a_new_slot() -> None:
    state, slept = FakeState(), []
    time = Time()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            pace.slow_down(5.0)

    pace = Pace(state, rate=1.0, clock=time.clock, sleep=sleep)
    pace.take()
    pace.take()
    assert slept == [pytest.approx(1.0), pytest.approx(5.0)]


def test_a_long_silence_is_not_slept_through() -> None:
    time, state = Time(), FakeState()
    pace = Pace(state, rate=5.0, clock=time.clock, sleep=time.sleep)
    pace.slow_down(HORIZON + 60)
    with pytest.raises(Retry) as refusal:
        pace.take()
    assert refusal.value.code == "pace"
    assert refusal.value.after == pytest.approx(HORIZON + 60)


def test_the_budget_counts_calls_that_were_made() -> None:
    time, state = Time(), FakeState()
    pace = Pace(state, rate=5.0, budget=20, clock=time.clock, sleep=time.sleep)
    for made in range(20):
        time.now = called_at(time, pace) + (60 if made % 7 == 6 else 0)
    with pytest.raises(Retry) as refusal:
        pace.take()
    assert refusal.value.code == "budget"


def test_a_lease_that_comes_too_late_is_not_used() -> None:
    time = Time()

    waits = [2.0, 0.0]

    class Slow(FakeState):
        def lease(self, calls, **more):  # type: ignore[no-untyped-def]
            lease = super().lease(calls, **more)
            time.now += waits.pop(0)
            return lease

    pace = Pace(Slow(), rate=5.0, clock=time.clock, sleep=time.sleep)
    assert called_at(time, pace) == at(START + 2.0)


def test_a_clock_that_ran_far_ahead_blocks_nobody() -> None:
    time, state = Time(), FakeState()
    Pace(state, rate=5.0, clock=lambda: START + 86_400, sleep=time.sleep).take()
    assert called_at(time, Pace(state, rate=5.0, clock=time.clock, sleep=time.sleep)) == START
