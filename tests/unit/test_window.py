"""The feed's place: windows overlap, narrow after a crowd, and a search that moves while it is read hides nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.ports.panel import Days, Search, Window
from kartoteka.sync.waiting import Waiting
from kartoteka.sync.window import NARROW, OUTAGE, OVERLAP, REGISTERED_EVERY, FeedCursor, Paging, Restored, Zone

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
AHEAD = timedelta(seconds=90)
EARLY = Window(NOON - OVERLAP, NOON)
DAYS = Days(date(2026, 3, 1), date(2026, 3, 3))


def cursor(until: datetime = NOON, *zones: Zone) -> FeedCursor:
    """Return a cursor of a panel whose clock is 90 s ahead of ours."""
    return FeedCursor(until, AHEAD, NOON, zones, whole_at=NOON, registered_at=NOON)


def read(search: Search, *, crowded: bool = True) -> Paging:
    """Return a reading that has come to its end."""
    return Paging(search, NOON, limit=10, total=11 if crowded else 10, ended=True)


# --- windows and zones


def test_a_window_overlaps_the_last_one_and_ends_on_the_panels_clock() -> None:
    assert cursor().next_window(NOON) == Window(NOON - OVERLAP, NOON + AHEAD + SECOND)


def test_a_window_ends_with_a_whole_second_as_dates_do() -> None:
    """The panel's clock, told in whole seconds, may be almost a second ahead: what it dates now is in the window."""
    assert cursor().next_window(NOON + timedelta(milliseconds=700)).end == NOON + AHEAD + SECOND


def test_a_window_never_ends_before_it_began() -> None:
    assert cursor().next_window(NOON - timedelta(hours=1)) == EARLY


def test_after_a_crowd_the_window_is_narrow_until_the_zone_is_old_enough() -> None:
    crowded = cursor().after(read(Window(NOON - OVERLAP, NOON + MINUTE)))
    assert crowded.next_window(NOON + MINUTE).begin == NOON + MINUTE - NARROW
    assert crowded.zone_to_confirm() is None
    later = crowded.after(read(Window(NOON, NOON + MINUTE + OVERLAP), crowded=False))
    assert later.zone_to_confirm() == Zone(Window(NOON - OVERLAP, NOON + MINUTE), NOON)


def test_each_crowd_is_a_zone_of_its_own() -> None:
    once = cursor().after(read(EARLY))
    twice = once.after(read(Window(NOON - NARROW, NOON + MINUTE)))
    assert [zone.window for zone in twice.zones] == [EARLY, Window(NOON - NARROW, NOON + MINUTE)]


def test_a_zone_that_was_read_again_is_none_any_more_and_the_place_stays() -> None:
    later = cursor(NOON + OVERLAP)
    assert later.after(read(EARLY)) == later


def test_the_clock_is_measured_again_after_an_hour_and_when_ours_went_back() -> None:
    assert not cursor().clock_is_old(NOON + timedelta(minutes=59))
    assert cursor().clock_is_old(NOON + timedelta(hours=6))
    assert cursor().clock_is_old(NOON - SECOND)


# --- all accounts, and those registered of late


def test_all_accounts_are_read_again_after_the_days_of_the_policy() -> None:
    month = timedelta(days=30)
    assert not cursor().whole_is_due(NOON + month - SECOND, month)
    assert cursor().whole_is_due(NOON + month, month)


@pytest.mark.parametrize(("away", "due"), [(MINUTE, False), (OUTAGE - AHEAD, False), (OUTAGE, True)])
def test_all_accounts_are_read_again_after_an_outage(away: timedelta, due: bool) -> None:
    assert cursor().resumed(NOON + away).whole_is_due(NOON + away, timedelta(days=30)) is due


def test_a_feed_that_was_to_wait_for_hours_had_no_outage() -> None:
    waiting = replace(cursor(), waiting=Waiting(NOON, timedelta(hours=6)))
    assert not waiting.resumed(NOON + timedelta(hours=7)).whole_is_due(NOON, timedelta(days=30))
    assert waiting.resumed(NOON + timedelta(hours=6) + OUTAGE).whole_is_due(NOON, timedelta(days=30))


@pytest.mark.parametrize(("put", "due"), [(MINUTE, False), (OVERLAP, False), (OVERLAP + SECOND, True), (-OUTAGE, True)])
def test_all_accounts_are_read_again_where_the_panels_clock_was_put(put: timedelta, due: bool) -> None:
    measured = cursor().measured(NOON + AHEAD + put, NOON)
    assert measured.offset == AHEAD + put
    assert measured.whole_is_due(NOON, timedelta(days=30)) is due


def test_the_days_of_registration_are_yesterday_to_tomorrow_and_go_back_to_the_last_time() -> None:
    assert cursor().registrations(NOON) == DAYS
    assert cursor().registrations(NOON + timedelta(days=5)) == Days(date(2026, 3, 1), date(2026, 3, 8))
    assert replace(cursor(), registered_at=None).registrations(NOON) == DAYS


def test_registrations_are_asked_for_four_times_a_day() -> None:
    assert not cursor().registrations_are_due(NOON + REGISTERED_EVERY - AHEAD - SECOND)
    assert cursor().registrations_are_due(NOON + REGISTERED_EVERY - AHEAD)
    assert not cursor(NOON).after(read(DAYS)).registrations_are_due(NOON + MINUTE)


def test_a_reading_of_all_accounts_sees_those_registered_of_late() -> None:
    known = replace(cursor(), whole_at=None, registered_at=None).after(read(None))
    assert (known.whole_at, known.registered_at) == (NOON, NOON + AHEAD)


def test_all_accounts_are_read_once_more_before_anything_else() -> None:
    assert cursor().anew(NOON, 10) == replace(cursor(), first=Paging(None, NOON, 10))


def test_the_document_is_a_round_trip() -> None:
    zones = (Zone(EARLY, NOON), Zone(Window(NOON, NOON + MINUTE), NOON + MINUTE))
    under_way = Paging(EARLY, NOON, 10, page=3, total=31, moved=True, counted=7)
    whole = FeedCursor(NOON, AHEAD, NOON, zones, under_way, Paging(None, NOON, 10), read(DAYS), NOON, NOON + MINUTE)
    whole = replace(whole, restored=Restored(NOON, 21, 100, told=True))
    assert FeedCursor.from_document(whole.to_document()) == whole
    assert FeedCursor.from_document(cursor().to_document()) == cursor()


# --- a panel that was restored


@pytest.mark.parametrize(
    ("behind", "read", "grave"), [(19, 19, False), (20, 20, True), (20, 400, True), (20, 401, False), (21, 420, True)]
)
def test_twenty_accounts_and_a_twentieth_of_those_read_are_grave(behind: int, read: int, grave: bool) -> None:
    assert Restored(NOON, behind, read).is_grave is grave


def test_a_panel_that_went_back_is_read_again_as_a_whole_from_where_the_feed_stood() -> None:
    noticed = replace(cursor(), whole=read(None)).gone_back(3, 90)
    assert noticed.restored == Restored(NOON, 3, 90)
    assert noticed.whole is None
    assert noticed.whole_is_due(NOON, timedelta(days=30))
    counted = replace(noticed, whole=read(None)).gone_back(2, 10)
    assert (counted.restored, counted.whole) == (Restored(NOON, 5, 100), read(None))
    assert counted.after(read(None)).restored is None


# --- a search that moves while it is read

LIMIT = 3
Move = Callable[[list[int]], None]


def live(search: Search, found: list[int], moves: dict[int, Move], *, silent: bool = False) -> tuple[set[int], Paging]:
    """Read a search whose contents move after the n-th page; return who was seen, and the reading at its end.

    ``silent``: a page past the end says nothing of the search.
    """
    seen, reading = set[int](), Paging(search, NOON, LIMIT)
    for n in range(200):
        if reading.ended:
            again = reading.unless_complete(len(seen))
            if again is None:
                return seen, reading
            reading = again
        page = found[reading.page * LIMIT : (reading.page + 1) * LIMIT]
        total = 0 if silent and reading.page and not page else len(found)
        seen.update(page)
        reading = reading.after(total, -(-total // LIMIT))
        moves.get(n, lambda _: None)(found)
    raise AssertionError("the reading does not end")


def pages_of(search: Search, found: list[int]) -> list[int]:
    """Return the pages that are read of a search that does not move."""
    pages, reading = [], Paging(search, NOON, LIMIT)
    while not reading.ended:
        pages.append(reading.page)
        reading = reading.after(len(found), -(-len(found) // LIMIT))
    return pages


@pytest.mark.parametrize("search", [EARLY, None, DAYS])
@pytest.mark.parametrize("number", [0, 1, 3, 4, 6, 10])
def test_a_search_that_does_not_move_costs_one_call_a_page(search: Search, number: int) -> None:
    assert sorted(pages_of(search, list(range(number)))) == list(range(max(1, -(-number // LIMIT))))


def test_accounts_that_leave_a_window_hide_nobody_behind_them() -> None:
    """260 accounts were edited; 70 of the first page are edited again while the second is fetched."""
    found = list(range(10))
    seen, _ = live(EARLY, found, {0: lambda some: some.__delitem__(slice(0, 2))})
    assert seen >= set(found)


@given(st.data())
def test_whoever_stays_in_a_window_is_seen_whoever_leaves_it(data: st.DataObject) -> None:
    found = list(range(data.draw(st.integers(0, 25))))
    moves = data.draw(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 24))))

    def leave(gone: set[int]) -> Move:
        return lambda some: some.__setitem__(slice(None), [each for each in some if each not in gone])

    silent = data.draw(st.booleans())
    seen, reading = live(EARLY, found, {n: leave(gone) for n, gone in moves.items()}, silent=silent)
    assert seen >= set(found)
    assert reading.counted == -1, "once was enough"


@given(st.data())
def test_whoever_was_there_is_seen_whoever_joins_and_wherever(data: st.DataObject) -> None:
    old = list(range(data.draw(st.integers(0, 25))))
    joins = data.draw(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 30), max_size=4)))
    numbers = iter(range(100, 1000))

    def join(places: list[int]) -> Move:
        return lambda some: [some.insert(place, next(numbers)) for place in places][:0]  # type: ignore[func-returns-value,return-value]

    search = data.draw(st.sampled_from([None, DAYS, EARLY]))
    seen, _ = live(search, list(old), {n: join(places) for n, places in joins.items()})
    assert seen >= set(old)


@given(st.data())
def test_whoever_was_there_is_seen_where_an_edit_moves_accounts_to_another_place(data: st.DataObject) -> None:
    """A panel that lists by date of modification: an edited account goes to one end, and all others move."""
    found = list(range(data.draw(st.integers(0, 25))))
    moves = data.draw(st.dictionaries(st.integers(0, 12), st.tuples(st.integers(0, 24), st.booleans())))

    def move(which: int, to_the_end: bool) -> Move:
        def moved(some: list[int]) -> None:
            if which < len(some):
                some.insert(len(some) if to_the_end else 0, some.pop(which))

        return moved

    search = data.draw(st.sampled_from([None, DAYS]))
    seen, reading = live(search, found, {n: move(*each) for n, each in moves.items()})
    assert seen == set(found) or reading.counted >= 0


def test_accounts_that_vanish_let_the_list_be_read_anew() -> None:
    found = list(range(10))
    seen, _ = live(None, found, {1: lambda some: some.__delitem__(slice(0, 2))})
    assert seen >= set(found)


def test_a_list_of_which_less_is_seen_than_it_counts_is_read_twice_and_then_believed() -> None:
    once = read(None)
    again = once.unless_complete(10)
    assert again == replace(once, page=0, total=0, ended=False, counted=10)
    assert replace(again, total=11, ended=True).unless_complete(10) is None, "a second time has found nothing more"
    assert replace(again, total=12, ended=True).unless_complete(11) is not None
    assert once.unless_complete(11) is None


@given(st.integers(1, 300), st.integers(2, 100), st.integers(1, 99), st.integers(0, 9), st.booleans())
def test_smaller_pages_go_on_where_the_larger_ones_stood(total: int, old: int, new: int, read: int, up: bool) -> None:
    new = min(new, old - 1)
    everybody = set(range(total))
    reading, seen = Paging(None if up else EARLY, NOON, old), set[int]()
    smaller = False
    for step in range(3 * total + 20):
        if reading.ended:
            break
        if step == read:
            reading, smaller = reading.with_pages_of(new), True
        limit = reading.limit
        seen |= set(range(reading.page * limit, min(total, (reading.page + 1) * limit)))
        reading = reading.after(total, -(-total // limit))
    assert reading.ended
    assert seen == everybody
    assert reading.limit == (new if smaller else old)
    assert reading.with_pages_of(500) == reading, "larger pages wait for the next reading"
