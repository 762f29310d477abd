"""The cursor: nothing that becomes visible late is lost, and no hole is asked for for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kartoteka.sync.cursor import MAX_GAPS, Gap, LogCursor

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_skipped_number_is_remembered_until_it_appears() -> None:
    cursor = LogCursor().advance([1, 4], NOON, HOUR)
    assert (cursor.high, cursor.spans()) == (4, [(2, 3)])
    cursor = cursor.advance([3], NOON, HOUR)
    assert cursor.spans() == [(2, 2)]
    assert cursor.advance([2], NOON, HOUR).spans() == []


@pytest.mark.fault(41)
def test_a_gap_is_given_up_after_the_longest_transaction() -> None:
    cursor = LogCursor().advance([2], NOON, HOUR)
    assert cursor.advance([], NOON + timedelta(minutes=59), HOUR).spans() == [(1, 1)]
    assert cursor.advance([], NOON + HOUR, HOUR).spans() == []


def test_a_gap_keeps_its_age_when_it_is_cut() -> None:
    cursor = LogCursor().advance([10], NOON, HOUR)
    cursor = cursor.advance([5], NOON + timedelta(minutes=30), HOUR)
    assert cursor.gaps == (Gap(1, 4, NOON), Gap(6, 9, NOON))


def test_the_document_is_a_round_trip() -> None:
    cursor = LogCursor(9, "mark", (Gap(2, 3, NOON), Gap(5, 5, NOON + HOUR)))
    assert LogCursor.from_document(cursor.to_document()) == cursor


def test_many_gaps_are_merged_and_none_is_dropped() -> None:
    cursor = LogCursor().advance(range(2, 4 * MAX_GAPS, 2), NOON, HOUR)
    assert len(cursor.gaps) == MAX_GAPS
    asked = {n for first, last in cursor.spans() for n in range(first, last + 1)}
    assert set(range(1, 4 * MAX_GAPS - 2, 2)) <= asked


def test_merged_gaps_are_asked_for_as_long_as_the_younger_one() -> None:
    cursor = LogCursor().advance([2], NOON, HOUR)
    later = NOON + timedelta(minutes=30)
    cursor = cursor.advance(range(4, 4 * MAX_GAPS, 2), later, HOUR)
    first, last = cursor.gaps[0].first, cursor.gaps[0].last
    assert first == 1 < last
    assert cursor.gaps[0].since == later
