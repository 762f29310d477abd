"""The cursor into ``change_log``: how far it was read, and which numbers below that have not been seen yet.

Numbers are handed out before commit, so a row can become visible after a higher number was read. The cursor remembers
the gaps below its high-water mark and asks for them again until they appear or are older than the longest transaction
allowed. It also carries a mark of the row it points at: where that row is gone or another, the database was restored or
rebuilt, and only a full scan helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kartoteka.sync.kept import moment

MAX_GAPS = 500
"""More gaps than this are merged with their neighbours: some rows are then read twice, which costs little."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers from ``first`` to ``last`` that were not visible when a higher one was; ``since``: first missed."""

    first: int
    last: int
    since: datetime


@dataclass(frozen=True, slots=True)
class LogCursor:
    """How far a concern has read the log. ``mark`` is the fingerprint of the row at ``high``, None at the start."""

    high: int = 0
    mark: str | None = None
    gaps: tuple[Gap, ...] = ()

    def spans(self) -> list[tuple[int, int]]:
        """Return the ranges to be asked for again."""
        return [(gap.first, gap.last) for gap in self.gaps]

    def advance(self, seen: Sequence[int], now: datetime, max_age: timedelta) -> LogCursor:
        """Return the cursor after reading rows of these numbers, in order. Its mark is for the caller to set."""
        high = max([self.high, *seen])
        fresh = _missing(self.high, [n for n in seen if n > self.high], now)
        old = [rest for gap in self.gaps for rest in _cut(gap, seen)]
        alive = [gap for gap in [*old, *fresh] if now - gap.since < max_age]
        return LogCursor(high, self.mark, tuple(_thinned(alive)))

    def to_document(self) -> dict[str, Any]:
        """Return the cursor as a JSON document."""
        gaps = [[gap.first, gap.last, gap.since.isoformat()] for gap in self.gaps]
        return {"high": self.high, "mark": self.mark, "gaps": gaps}

    @classmethod
    def from_document(cls, document: Any) -> LogCursor:
        """Return the cursor that :meth:`to_document` wrote."""
        gaps = tuple(Gap(int(first), int(last), moment(since)) for first, last, since in document["gaps"])
        return cls(int(document["high"]), document["mark"], gaps)


def _missing(after: int, numbers: Iterable[int], now: datetime) -> list[Gap]:
    gaps = []
    expected = after + 1
    for number in numbers:
        if number > expected:
            gaps.append(Gap(expected, number - 1, now))
        expected = number + 1
    return gaps


def _cut(gap: Gap, seen: Iterable[int]) -> list[Gap]:
    rest = []
    first = gap.first
    for number in seen:
        if first <= number <= gap.last:
            if number > first:
                rest.append(Gap(first, number - 1, gap.since))
            first = number + 1
    return [*rest, Gap(first, gap.last, gap.since)] if first <= gap.last else rest


def _thinned(gaps: list[Gap]) -> list[Gap]:
    gaps = sorted(gaps, key=lambda gap: gap.first)
    while len(gaps) > MAX_GAPS:
        nearest = min(range(len(gaps) - 1), key=lambda i: gaps[i + 1].first - gaps[i].last)
        left, right = gaps[nearest], gaps[nearest + 1]
        gaps[nearest : nearest + 2] = [Gap(left.first, right.last, max(left.since, right.since))]
    return gaps
