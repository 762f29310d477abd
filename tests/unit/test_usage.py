"""The panel calls of a month by gate, and what the month will take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kartoteka.ports.state import WEEK, Usage

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def after(calls: list[int], *, last: datetime = NOON) -> Usage:
    """Return the usage after days of so many calls, the last of them today."""
    usage = Usage()
    for n, count in enumerate(calls):
        for _ in range(count):
            usage = usage.counting(last - (len(calls) - 1 - n) * DAY, "GET x")
    return usage


def test_days_and_months_end() -> None:
    usage = after([5, 3])
    assert (usage.gates, usage.today, list(usage.days.values())) == ({"GET x": 8}, {"GET x": 3}, [5])
    assert usage.at(NOON + DAY).today == {}
    assert usage.used(NOON + DAY) == 8
    assert usage.used(NOON + 7 * DAY) == 0
    assert len(after([1] * 20).days) == WEEK


def test_a_month_goes_on_as_the_median_of_its_last_days() -> None:
    assert after([100, 100, 5000, 100, 0]).forecast(NOON) == 5300 + round(100 * 3.5)
    assert after([100], last=NOON - DAY).forecast(NOON) == 100 + 350


def test_the_first_day_goes_on_as_it_began() -> None:
    assert after([60]).forecast(NOON) == 60 + round(120 * 3.5)
    assert Usage().forecast(NOON) == 0


@pytest.mark.parametrize("now", [NOON.replace(hour=0), NOON.replace(hour=0, minute=1)])
def test_a_day_that_has_just_begun_is_no_reason_to_panic(now: datetime) -> None:
    assert Usage().counting(now, "GET x").forecast(now) <= 1 + 24 * 5
