"""One pace for all: several processes and threads, in a time that the test turns."""

from __future__ import annotations

import contextlib
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kartoteka.adapters.pace import BLOCK_SECONDS, HORIZON, LEAD, STALE, URGENT_SHARE, Pace

from kartoteka import runtime
from kartoteka.errors import Retry
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


def worst(calls: list[float], rate: float, urgent: bool = False) -> float:
    """Return by how much the busiest span exceeds ``rate * (span + STALE) + 1`` calls, and what urgent ones may add."""
    ordered = sorted(calls)

    def allowed(span: float) -> float:
        more = rate * URGENT_SHARE * min(span + STALE, LEAD) + 1 if urgent else 0
        return rate * (span + STALE) + 1 + more

    return max(
        (later - earlier + 1) - allowed(ordered[later] - ordered[earlier])
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


STEP = st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.0, 0.1, 0.45, 1.5]), st.integers(1, 6), st.booleans())


def play(steps: list[tuple[int, float, int, bool]], rate: float) -> list[tuple[float, bool]]:
    """Let four ordinary processes and two urgent ones call, each in its own time; a True is a 429. Return who when."""
    time, state = Time(), FakeState()
    paces = [Pace(state, rate=rate, urgent=n > 3, clock=time.clock, sleep=time.sleep) for n in range(6)]
    free = [START] * 6
    calls: list[tuple[float, bool]] = []
    silent_until = 0.0
    for process, idle, wanted, refused in steps:
        time.now += idle
        for _ in range(wanted):
            if free[process] > time.now + 5:
                break
            paces_time, time.now = time.now, max(time.now, free[process])
            with contextlib.suppress(Retry):
                free[process] = called_at(time, paces[process])
                calls.append((free[process], process > 3))
            time.now = paces_time
        if refused and time.now > silent_until + 20:
            paces[process].slow_down(2.0)
            silent_until = time.now + 2.0
    return calls


@settings(max_examples=400, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=60), st.sampled_from([0.5, 1.0, 5.0, 20.0]))
def test_urgent_calls_exceed_the_rate_by_what_the_promise_says_and_no_more(
    steps: list[tuple[int, float, int, bool]], rate: float
) -> None:
    calls = sorted(play(steps, rate))
    assert not calls or worst([moment for moment, _ in calls], rate, urgent=True) <= 1e-6
    urgent = [moment for moment, is_urgent in calls if is_urgent]
    assert not urgent or worst(urgent, rate) <= 1e-6


class Flow:
    """Processes that each call again as soon as they have called, in the order of their moments."""

    def __init__(self, rate: float, ordinary: int, urgent: int = 0) -> None:
        self.time, self.state = Time(), FakeState()
        self.ordinary = [self.process(rate, urgent=False) for _ in range(ordinary)]
        self.urgent = [self.process(rate, urgent=True) for _ in range(urgent)]
        self.calls: list[tuple[float, bool]] = []
        self.waiting: list[tuple[float, int]] = [(called_at(self.time, p), n) for n, p in enumerate(self.everybody)]

    def process(self, rate: float, *, urgent: bool) -> Pace:
        return Pace(self.state, rate=rate, urgent=urgent, clock=self.time.clock, sleep=self.time.sleep)

    @property
    def everybody(self) -> list[Pace]:
        return [*self.ordinary, *self.urgent]

    def run(self, until: float) -> None:
        while min(self.waiting)[0] <= until:
            self.time.now, process = min(self.waiting)
            self.waiting.remove((self.time.now, process))
            self.calls.append((self.time.now, process >= len(self.ordinary)))
            self.waiting.append((called_at(self.time, self.everybody[process]), process))
        self.time.now = until


@pytest.mark.parametrize("rate", [1.0, 5.0, 20.0])
@pytest.mark.parametrize("ordinary", [1, 4, 8, 12])
def test_an_urgent_call_waits_for_a_few_ordinary_ones_at_most(rate: float, ordinary: int) -> None:
    flow = Flow(rate, ordinary)
    most = max(1, ordinary - LEAD * rate + 1)  # at a low rate, each of many processes holds one slot
    flow.run(START + 40)
    for _ in range(8):
        flow.run(flow.time.now + 7.3)
        urgent, wish = flow.process(rate, urgent=True), flow.time.now
        moment = called_at(flow.time, urgent)
        flow.run(moment)
        assert sum(wish < at <= moment for at, _ in flow.calls) <= most


def test_endless_urgent_calls_and_endless_ordinary_ones_share_the_rate() -> None:
    flow = Flow(5.0, ordinary=6, urgent=2)
    flow.run(START + 100)
    late = [urgent for moment, urgent in flow.calls if moment > START + 40]
    assert len(late) == pytest.approx(60 * 5, abs=12)
    assert sum(late) == pytest.approx(60 * 5 * URGENT_SHARE, abs=12)


def test_urgent_calls_alone_have_the_whole_rate() -> None:
    flow = Flow(5.0, ordinary=0, urgent=2)
    flow.run(START + 60)
    assert len(flow.calls) == pytest.approx(60 * 5, abs=2)


def test_what_urgent_calls_took_comes_off_the_ordinary_ones() -> None:
    flow = Flow(5.0, ordinary=6, urgent=1)
    flow.run(START + 60)
    assert len(flow.calls) <= 60 * 5 + 5 * URGENT_SHARE * LEAD + 2


def test_everybody_with_a_backlog_gets_an_equal_part() -> None:
    flow = Flow(5.0, ordinary=4)
    seen = [0] * 4
    before = dict.fromkeys(range(4), 0.0)
    for second in range(1, 121):
        flow.run(START + second)
        for moment, process in flow.waiting:
            seen[process] += moment != before[process]
            before[process] = moment
    assert min(seen) > 0.6 * max(seen)


def test_a_429_of_an_urgent_call_silences_everybody() -> None:
    time, state = Time(), FakeState()
    urgent, ordinary = (Pace(state, rate=5.0, urgent=u, clock=time.clock, sleep=time.sleep) for u in (True, False))
    called_at(time, urgent)
    urgent.slow_down(4.0)
    assert min(called_at(time, urgent), called_at(time, ordinary)) == at(START + 4.0)


def test_a_clock_that_ran_far_ahead_blocks_no_urgent_call_and_ends_no_silence() -> None:
    time, state = Time(), FakeState()
    ahead = Pace(state, rate=5.0, urgent=True, clock=lambda: START + 86_400, sleep=time.sleep)
    ahead.take()
    urgent = Pace(state, rate=5.0, urgent=True, clock=time.clock, sleep=time.sleep)
    assert called_at(time, urgent) == START
    urgent.slow_down(3.0)
    ahead.take()
    assert called_at(time, urgent) == at(START + 3.0)
    assert called_at(time, Pace(state, rate=5.0, clock=time.clock, sleep=time.sleep)) >= START + 3.0


@pytest.mark.parametrize(("told", "urgent"), [(None, False), ("true", True), ("false", False)])
def test_the_template_says_which_function_is_urgent(
    told: str | None, urgent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TABLE", "POLICY_PARAMETER", "PANEL_SECRET", "ERP_SECRET", "PANEL_URL"):
        monkeypatch.setenv(f"KARTOTEKA_{name}", "x")
    monkeypatch.delenv("KARTOTEKA_URGENT", raising=False)
    if told is not None:
        monkeypatch.setenv("KARTOTEKA_URGENT", told)
    made: list[bool] = []
    monkeypatch.setattr(runtime, "Pace", lambda *_, **more: made.append(more["urgent"]))
    monkeypatch.setattr(runtime.parameters, "get_secret", lambda *_, **__: "sqlite://")
    monkeypatch.setattr(runtime.parameters, "get_parameter", lambda *_, **__: "{}")
    monkeypatch.setattr(runtime, "_exchange", lambda _: None)
    monkeypatch.setattr(runtime, "_queue", lambda: None)
    monkeypatch.setattr(runtime, "PanelHttp", lambda *_: None)
    for built in (runtime.settings, runtime.state, runtime._panel):
        built.cache_clear()
    try:
        runtime.engine()
    finally:
        for built in (runtime.settings, runtime.state, runtime._panel):
            built.cache_clear()
    assert made == [urgent]


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


def test_threads_that_wait_lease_no_further_ahead_than_one() -> None:
    asked: list[int] = []
    asleep, awake = threading.Event(), threading.Event()

    class Noting(FakeState):
        def lease(self, calls, **more):  # type: ignore[no-untyped-def]
            asked.append(calls)
            return super().lease(calls, **more)

    def sleep(_: float) -> None:
        asleep.set()
        assert awake.wait(10)

    pace = Pace(Noting(), rate=5.0, clock=lambda: START, sleep=sleep)
    pace.take()
    threads = [threading.Thread(target=pace.take) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert asleep.wait(10)
    threading.Event().wait(0.1)
    assert asked == [1, 2]
    awake.set()
    for thread in threads:
        thread.join()
    assert asked == [1, 2, 4]


def test_waiting_in_turn_and_for_a_slot_together_have_one_horizon() -> None:
    time = Time()

    def sleep(_: float) -> None:
        time.now += 10
        pace.slow_down(HORIZON - 5)

    pace = Pace(FakeState(), rate=1.0, clock=time.clock, sleep=sleep)
    pace.take()
    with pytest.raises(Retry) as refusal:
        pace.take()
    assert refusal.value.code == "pace"
    assert time.now == START + 10


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
