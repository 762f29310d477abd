"""One rate limit for all: several processes and threads, each in a time that the test turns."""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartoteka.adapters.aws import rate as rate_limit
from kartoteka.adapters.aws.rate import HORIZON, MISSED_SLOTS, STALE, RateLimit
from kartoteka.errors import Halt, Retry
from tests.fakes.state import FakeState

START = 1_790_000_000.0


def at(moments: Any) -> Any:
    """Equal to the millisecond: the default tolerance of approx is half an hour at such numbers."""
    return pytest.approx(moments, rel=0, abs=1e-3)


class Process:
    """One process with a time of its own. It wakes ``late`` seconds after the moment it wanted to sleep until."""

    def __init__(self, state: FakeState, rate: float = 5.0, *, now: float = START) -> None:
        self.now = now
        self.late = 0.0
        self.limit = RateLimit(state, rate=rate, clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds + self.late

    def call(self) -> float:
        """Wait for a slot; return when the call is made."""
        self.limit.take("GET x")
        return self.now


class Recording(FakeState):
    """A state that tells what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.slots: list[float] = []

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        slot = super().lease(now=now, latest=latest, rate=rate, gate=gate)
        self.slots.append(slot)
        return slot


def excess(calls: Sequence[float], rate: float) -> float:
    """Return by how much the busiest span exceeds ``rate * (span + STALE) + 1`` calls."""
    ordered = sorted(calls)
    return max(
        (later - earlier + 1) - (rate * (ordered[later] - ordered[earlier] + STALE) + 1)
        for earlier in range(len(ordered))
        for later in range(earlier, len(ordered))
    )


class Step(NamedTuple):
    """What one call of a process meets. ``idle``: seconds until its next; ``refused``: silence that a 429 asks for."""

    idle: float
    late: float
    refused: float | None
    dies: bool


STEPS = st.builds(
    Step,
    idle=st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.45, 1.5, 40.0]),
    late=st.sampled_from([0.0, 0.0, 0.0, 0.3, STALE - 0.01, 2.0]),
    refused=st.sampled_from([None] * 9 + [0.5, 4.0]),
    dies=st.sampled_from([False] * 9 + [True]),
)


class History(NamedTuple):
    """When the panel was called, and when it said 429 (moment, seconds of silence)."""

    calls: list[float]
    refusals: list[tuple[float, float]]


def play(steps: Sequence[Step], rate: float, processes: int) -> History:
    """Let the processes call, always the one whose time is the earliest. One that died is replaced by a new one."""
    state, history = FakeState(), History([], [])
    living = [Process(state, rate) for _ in range(processes)]
    events: list[tuple[float, int, Step | None]] = [(START, n, None) for n in range(processes)]
    ahead = iter(steps)
    while events:
        moment, n, refused = heapq.heappop(events)
        process = living[n]
        process.now = max(process.now, moment)
        if refused and refused.refused is not None:
            process.limit.slow_down(refused.refused)
            history.refusals.append((process.now, refused.refused))
            heapq.heappush(events, (process.now + refused.idle, n, None))
            continue
        if (step := next(ahead, None)) is None:
            return history
        process.late = step.late
        if step.dies:
            with contextlib.suppress(Retry):
                state.lease(now=process.now, latest=process.now + HORIZON, rate=rate, gate="GET x")
            living[n] = Process(state, rate, now=process.now)
            heapq.heappush(events, (process.now, n, None))
            continue
        try:
            history.calls.append(process.call())
        except Retry:
            process.now += 3
            heapq.heappush(events, (process.now, n, None))
        else:
            heapq.heappush(
                events, (process.now + (0 if step.refused else step.idle), n, step if step.refused else None)
            )
    return history


@pytest.mark.fault(16, 17)
@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=60), st.sampled_from([0.5, 1.0, 5.0, 20.0]), st.integers(1, 6))
def test_the_promise_holds_whatever_the_processes_do(steps: list[Step], rate: float, processes: int) -> None:
    calls, refusals = play(steps, rate, processes)
    assert not calls or excess(calls, rate) <= 1e-3
    for moment, silence in refusals:
        assert sum(moment < call < moment + silence - 1e-3 for call in calls) <= processes - 1


def flow(processes: int, rate: float, until: float) -> tuple[FakeState, list[tuple[float, int]]]:
    """Let processes call again as soon as they have called; return the state and who called when."""
    state = FakeState()
    everybody = [Process(state, rate) for _ in range(processes)]
    calls: list[tuple[float, int]] = []
    while (earliest := min(everybody, key=lambda process: process.now)).now <= until:
        calls.append((earliest.call(), everybody.index(earliest)))
    return state, sorted(calls)


@pytest.mark.parametrize("rate", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("busy", [1, 6, 12])
def test_a_call_comes_after_one_of_each_busy_process(rate: float, busy: int) -> None:
    wish = START + 60.07
    state, calls = flow(busy, rate, until=wish)
    moment = Process(state, rate, now=wish).call()
    assert sum(wish < call < moment for call, _ in calls) <= busy
    assert moment - wish <= (busy + 1) / rate


def test_everybody_with_a_backlog_gets_an_equal_part_of_the_whole_rate() -> None:
    _, calls = flow(4, 5.0, until=START + 60)
    parts = [sum(who == n for _, who in calls) for n in range(4)]
    assert max(parts) - min(parts) <= 3
    assert sum(parts) == pytest.approx(60 * 5, abs=6)


def test_a_process_that_dies_keeps_nobody_waiting() -> None:
    state = Recording()
    Process(state).call()
    state.lease(now=START, latest=START + HORIZON, rate=5.0, gate="GET x")  # and nobody ever calls
    assert Process(state).call() == at(START + 0.4)


def test_idle_time_saves_up_no_burst() -> None:
    process = Process(FakeState())
    for _ in range(8):
        process.call()
    process.now += 60
    again = process.now
    assert [process.call() for _ in range(5)] == at([again + n * 0.2 for n in range(5)])


@pytest.mark.fault(16)
def test_a_429_slows_every_process() -> None:
    state = FakeState()
    one, two = Process(state), Process(state)
    one.call()
    one.limit.slow_down(4.0)
    calls = sorted(process.call() for process in (one, two) * 3)
    assert calls[0] == at(START + 4.0)
    assert min(b - a for a, b in pairwise(calls)) == pytest.approx(0.4, rel=0.15)


def test_a_thread_that_slept_through_a_429_takes_a_new_slot() -> None:
    state, slept = Recording(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            limit.slow_down(5.0)

    limit = RateLimit(state, rate=1.0, clock=lambda: START, sleep=sleep)
    limit.take("GET x")
    limit.take("GET x")
    assert slept == [at(1.0), at(5.0)]


def test_a_thread_that_slept_through_a_429_takes_a_new_slot_even_if_the_state_was_out_of_reach() -> None:
    state, slept = Recording(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            state.fail(Halt("missing_table", "x"))
            with pytest.raises(Halt):
                limit.slow_down(5.0)

    limit = RateLimit(state, rate=1.0, clock=lambda: START, sleep=sleep)
    limit.take("GET x")
    limit.take("GET x")
    assert slept == [at(1.0), at(2.0)]


def test_a_slot_that_was_slept_past_is_not_used() -> None:
    state = Recording()
    process = Process(state)
    process.call()
    process.late = STALE + 0.1
    moment = state.slots[0] + 0.2 + STALE + 0.1
    assert process.call() == at(moment)
    assert state.slots[-1] == at(moment)


def test_a_slot_that_was_slept_past_by_a_little_is_used() -> None:
    state = Recording()
    process = Process(state)
    process.call()
    process.late = STALE - 0.1
    assert process.call() == at(START + 0.2 + STALE - 0.1)
    assert len(state.slots) == 2


def test_a_lease_that_takes_too_long_is_not_used() -> None:
    class Slow(Recording):
        waits = (2.0, 0.0)

        def lease(self, **more: Any) -> float:  # type: ignore[override]
            slot = super().lease(**more)
            process.now += self.waits[len(self.slots) - 1]
            return slot

    process = Process(Slow())
    assert process.call() == at(START + 2.0)


def test_a_process_that_misses_one_slot_after_the_other_defers_its_work() -> None:
    class Slow(Recording):
        def lease(self, **more: Any) -> float:  # type: ignore[override]
            slot = super().lease(**more)
            process.now += 2.0
            return slot

    state = Slow()
    process = Process(state)
    with pytest.raises(Retry) as refusal:
        process.call()
    assert refusal.value.code == "rate_limit"
    assert len(state.slots) == MISSED_SLOTS


def test_a_long_silence_is_not_slept_through() -> None:
    process = Process(FakeState())
    process.limit.slow_down(HORIZON + 60)
    with pytest.raises(Retry) as refusal:
        process.call()
    assert refusal.value.code == "rate_limit"
    assert refusal.value.after == pytest.approx(HORIZON + 60)
    assert process.now == START


def test_waiting_again_has_the_same_horizon() -> None:
    state, slept = Recording(), []
    process = Process(state, 1.0)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        process.now += 10
        process.limit.slow_down(HORIZON - 5)

    process.limit = RateLimit(state, rate=1.0, clock=lambda: process.now, sleep=sleep)
    process.call()
    with pytest.raises(Retry) as refusal:
        process.call()
    assert refusal.value.code == "rate_limit"
    assert (process.now, len(slept)) == (START + 10, 1)


def test_the_calls_of_all_processes_are_counted_by_gate() -> None:
    state = FakeState()
    processes = [Process(state) for _ in range(2)]
    for n in range(20):
        processes[n % 2].call()
    assert state.usage().gates == state.usage().today == {"GET x": 20}


def test_a_clock_that_is_far_ahead_holds_up_nobody() -> None:
    state = FakeState()
    Process(state, now=START + 86_400).call()
    assert Process(state).call() == START


def test_threads_wait_in_turn_and_take_a_slot_each() -> None:
    guard, told, everybody = threading.Lock(), [], threading.Event()
    asking: set[int] = set()
    calls: list[float] = []

    class Telling(FakeState):
        def lease(self, **more: Any) -> float:  # type: ignore[override]
            told.append("lease")
            return super().lease(**more)

    def clock() -> float:
        with guard:
            asking.add(threading.get_ident())
            if len(asking) == 7:
                everybody.set()
        return START

    def sleep(seconds: float) -> None:
        assert everybody.wait(10)  # while one sleeps, all the others have come to ask
        told.append("awake")
        calls.append(START + seconds)

    limit = RateLimit(Telling(), rate=5.0, clock=clock, sleep=sleep)

    def work() -> None:
        for _ in range(10):
            limit.take("GET x")

    limit.take("GET x")
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["lease"] + ["lease", "awake"] * 60
    assert calls == at([START + n * 0.2 for n in range(1, 61)])


def test_a_thread_whose_turn_does_not_come_defers_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    state = Recording()
    asleep, awake = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        asleep.set()
        assert awake.wait(10)

    limit = RateLimit(state, rate=5.0, clock=lambda: START, sleep=sleep)
    limit.take("GET x")
    sleeper = threading.Thread(target=limit.take, args=("GET x",))
    sleeper.start()
    assert asleep.wait(10)
    monkeypatch.setattr(rate_limit, "HORIZON", 0.01)
    try:
        with pytest.raises(Retry) as refusal:
            limit.take("GET x")
    finally:
        awake.set()
        sleeper.join()
    assert refusal.value.code == "rate_limit"
    assert len(state.slots) == 2
