"""Warsaw wall time: no instant of a window may fall outside the wall-time window that is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kartoteka.adapters.idosell.clock import read_moment, wall_window
from kartoteka.ports.panel import Window

WARSAW = ZoneInfo("Europe/Warsaw")
FORM = "%Y-%m-%d %H:%M:%S"
AUTUMN = [
    datetime(year, 10, 31 - (datetime(year, 10, 31).weekday() + 1) % 7, 1, tzinfo=UTC) for year in range(2020, 2031)
]
"""The changes to winter time: 01:00 UTC on the last Sunday of October."""

anywhen = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))
near_autumn = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds), st.sampled_from(AUTUMN), st.floats(-9000, 9000)
)
moments = st.one_of(anywhen, near_autumn)
spans = st.one_of(st.integers(0, 8000), st.integers(0, 400_000_000)).map(lambda s: timedelta(seconds=s / 2))


def shown(instant: datetime) -> str:
    """Return an instant as the panel writes it down: wall time, whole seconds."""
    return instant.astimezone(WARSAW).strftime(FORM)


def instants(wall: str) -> set[datetime]:
    """Return the instants that a wall time may stand for."""
    naive = datetime.strptime(wall, FORM).replace(tzinfo=WARSAW)
    return {naive.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}


@settings(max_examples=2000)
@given(moments, spans, st.floats(0, 1))
@example(AUTUMN[6] - timedelta(minutes=10), timedelta(minutes=20), 0.25)
@example(AUTUMN[6] - timedelta(minutes=40), timedelta(minutes=10), 0.5)
@example(AUTUMN[6] + timedelta(minutes=40), timedelta(minutes=10), 0.5)
def test_every_instant_of_a_window_lies_in_what_is_sent(begin: datetime, span: timedelta, share: float) -> None:
    """However the panel reads the ends: as text, or as either instant that a wall time can stand for."""
    instant = begin + span * share
    low, high = wall_window(Window(begin, begin + span), WARSAW)
    assert low <= shown(instant) <= high
    assert max(instants(low)) <= begin
    assert min(instants(high)) >= begin + span


@given(moments, spans)
def test_a_window_is_widened_by_two_hours_at_most(begin: datetime, span: timedelta) -> None:
    low, high = wall_window(Window(begin, begin + span), WARSAW)
    assert min(instants(low)) > begin - timedelta(hours=2, seconds=1)
    assert max(instants(high)) < begin + span + timedelta(hours=2, seconds=1)


@pytest.mark.parametrize("month", [1, 7])
def test_away_from_autumn_a_window_is_sent_as_it_is(month: int) -> None:
    begin = datetime(2026, month, 2, 12, 0, 0, 700_000, tzinfo=UTC)
    hour = 13 if month == 1 else 14
    expected = (f"2026-0{month}-02 {hour}:00:00", f"2026-0{month}-02 {hour}:00:03")
    assert wall_window(Window(begin, begin + timedelta(seconds=1.5)), WARSAW) == expected


@given(anywhen.map(lambda moment: moment.replace(microsecond=0)))
def test_a_shown_moment_is_read_as_an_instant_that_it_stands_for(moment: datetime) -> None:
    read = read_moment(shown(moment), WARSAW)
    assert read in instants(shown(moment))
    assert read is not None
    assert read.utcoffset() == timedelta(0)


def test_of_two_instants_the_earlier_is_read() -> None:
    assert read_moment("2026-10-25 02:30:00", WARSAW) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "no_date", ["0000-00-00 00:00:00", "0000-00-00", "", None, [], {}, "soon", "0001-01-01 00:00:00", 0, True]
)
def test_what_is_no_date_is_none(no_date: object) -> None:
    assert read_moment(no_date, WARSAW) is None


def test_a_day_without_a_time_is_its_midnight() -> None:
    assert read_moment("2026-01-31", WARSAW) == datetime(2026, 1, 30, 23, 0, tzinfo=UTC)
