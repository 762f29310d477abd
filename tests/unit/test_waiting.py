"""How long the feed waits before the panel is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from kartoteka.errors import Halt
from kartoteka.policy import Poll, parse
from kartoteka.sync.waiting import ACTIVITY, LATENESS, Waiting
from tests.world import START

SHORTEST, LONGEST = Poll().shortest, Poll().longest(hook=False)
MINUTE = timedelta(minutes=1)


def gaps(waiting: Waiting, *, shortest: timedelta = SHORTEST, longest: timedelta = LONGEST) -> Iterator[int]:
    """Yield the seconds between readings that find nothing, of a schedule that fires each minute."""
    now = last = waiting.asked_at
    while True:
        now += MINUTE
        if waiting.is_over(now, longest):
            yield int((now - last).total_seconds())
            waiting, last = waiting.asked(now, shortest, longest), now


@pytest.mark.parametrize(
    ("shortest", "longest", "wanted"),
    [
        (60, 600, [60, 120, 240, 480, 600, 600]),
        (120, 600, [120, 240, 480, 600, 600, 600]),
        (60, 60, [60, 60, 60, 60, 60, 60]),
        (60, 3600, [60, 120, 240, 480, 960, 1920]),
        (20, 100, [60, 60, 120, 120, 120, 120]),
    ],
)
def test_the_time_doubles_while_nothing_changes(shortest: int, longest: int, wanted: list[int]) -> None:
    least = timedelta(seconds=shortest)
    found = gaps(Waiting(START, least), shortest=least, longest=timedelta(seconds=longest))
    assert [next(found) for _ in wanted] == wanted


def test_a_change_begins_it_again() -> None:
    long = Waiting(START, LONGEST).changed(START, SHORTEST)
    found = gaps(long)
    assert [next(found) for _ in range(4)] == [60, 120, 240, 480]


@pytest.mark.parametrize("apart", [MINUTE, 20 * MINUTE, ACTIVITY])
def test_a_second_change_within_an_hour_makes_an_hour_of_short_times(apart: timedelta) -> None:
    now = START + apart
    busy = Waiting(now, LONGEST, changed_at=START).changed(now, SHORTEST)
    found = gaps(busy)
    assert [next(found) for _ in range(64)] == [60] * 60 + [120, 240, 480, 600]


def test_changes_more_than_an_hour_apart_make_none() -> None:
    now = START + ACTIVITY + MINUTE
    found = gaps(Waiting(now, LONGEST, changed_at=START).changed(now, SHORTEST))
    assert [next(found) for _ in range(3)] == [60, 120, 240]


def test_who_asks_out_of_turn_proves_nothing_about_the_time() -> None:
    waiting = Waiting(START, 4 * MINUTE)
    assert waiting.asked(START + MINUTE, SHORTEST, LONGEST) == Waiting(START + MINUTE, 4 * MINUTE)
    assert waiting.asked(START + 4 * MINUTE, SHORTEST, LONGEST).time == 8 * MINUTE


def test_a_schedule_that_fires_a_little_early_is_in_time() -> None:
    waiting = Waiting(START, MINUTE)
    assert waiting.is_over(START + MINUTE - LATENESS, LONGEST)
    assert not waiting.is_over(START + MINUTE - LATENESS - timedelta(seconds=1), LONGEST)


def test_a_policy_made_shorter_counts_at_once_and_a_clock_put_back_stops_nothing() -> None:
    waiting = Waiting(START, LONGEST)
    assert not waiting.is_over(START + 2 * MINUTE, LONGEST)
    assert waiting.is_over(START + 2 * MINUTE, 2 * MINUTE)
    assert waiting.is_over(START - MINUTE, LONGEST)


@pytest.mark.parametrize("more", [{}, {"changed_at": START}, {"changed_at": START, "busy_until": START + ACTIVITY}])
def test_it_goes_through_its_document(more: dict[str, object]) -> None:
    waiting = Waiting(START, MINUTE, **more)  # type: ignore[arg-type]
    assert Waiting.from_document(waiting.to_document()) == waiting


@pytest.mark.parametrize(
    ("poll", "named"),
    [
        ('{"min_seconds": 900}', "max_seconds is less than min_seconds (900)"),
        ('{"min_seconds": 60, "max_seconds": 30}', "max_seconds is less than min_seconds (60)"),
        ('{"max_seconds": 7200, "max_seconds_with_hook": 10}', "max_seconds_with_hook is less than min_seconds"),
        ('{"min_seconds": 0}', "panel.poll.min_seconds"),
        ('{"max_second": 100}', "did you mean 'max_seconds'?"),
    ],
)
def test_times_that_contradict_each_other_are_refused(poll: str, named: str) -> None:
    with pytest.raises(Halt, match="bad_policy") as refusal:
        parse(f'{{"panel": {{"poll": {poll}}}}}')
    assert named in str(refusal.value)
