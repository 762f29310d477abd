"""The feed's window: overlaps, narrows after a crowd, and confirms the crowd once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kartoteka.ports.panel import Window
from kartoteka.sync.window import NARROW, OVERLAP, FeedCursor, FirstPass

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AHEAD = timedelta(seconds=90)


def cursor(until: datetime = NOON, zone: Window | None = None) -> FeedCursor:
    """Return a cursor of a panel whose clock is 90 s ahead of ours."""
    return FeedCursor(until, AHEAD, NOON, zone)


def test_a_window_overlaps_the_last_one_and_ends_on_the_panels_clock() -> None:
    assert cursor().next_window(NOON) == Window(NOON - OVERLAP, NOON + AHEAD)


def test_a_window_never_ends_before_it_began() -> None:
    assert cursor().next_window(NOON - timedelta(hours=1)) == Window(NOON - OVERLAP, NOON)


def test_after_a_crowd_the_window_is_narrow_until_the_zone_is_old_enough() -> None:
    crowded = cursor().after(Window(NOON - OVERLAP, NOON + MINUTE), crowded=True)
    assert crowded.next_window(NOON + MINUTE).begin == NOON + MINUTE - NARROW
    assert crowded.zone_to_confirm() is None
    later = crowded.after(Window(NOON, NOON + MINUTE + OVERLAP), crowded=False)
    assert later.zone_to_confirm() == Window(NOON - OVERLAP, NOON + MINUTE)


def test_a_second_crowd_widens_the_zone() -> None:
    once = cursor().after(Window(NOON - OVERLAP, NOON), crowded=True)
    twice = once.after(Window(NOON - NARROW, NOON + MINUTE), crowded=True)
    assert twice.zone == Window(NOON - OVERLAP, NOON + MINUTE)


def test_the_clock_is_measured_again_after_an_hour_and_when_ours_went_back() -> None:
    assert not cursor().clock_is_old(NOON + timedelta(minutes=59))
    assert cursor().clock_is_old(NOON + timedelta(hours=1))
    assert cursor().clock_is_old(NOON - timedelta(seconds=1))


def test_the_first_pass_goes_on_page_by_page_to_its_end() -> None:
    first = FirstPass(0, NOON)
    assert first.next(250, 3) == FirstPass(1, NOON, 250)
    assert FirstPass(1, NOON, 250).next(251, 3) == FirstPass(2, NOON, 251)
    assert FirstPass(2, NOON, 251).next(251, 3) is None
    assert first.next(0, 0) is None


def test_the_first_pass_begins_anew_where_accounts_have_vanished() -> None:
    assert FirstPass(2, NOON, 250).next(249, 3) == FirstPass(0, NOON)


def test_all_accounts_are_read_once_more_from_where_the_feed_stands() -> None:
    assert cursor().anew() == replace(cursor(), first=FirstPass(0, NOON))


def test_the_document_is_a_round_trip() -> None:
    whole = FeedCursor(NOON, AHEAD, NOON, Window(NOON, NOON + MINUTE), FirstPass(3, NOON))
    assert FeedCursor.from_document(whole.to_document()) == whole
    assert FeedCursor.from_document(cursor().to_document()) == cursor()
