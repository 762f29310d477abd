"""Counts: calls and records by gate, statuses, how many at once, how many in the busiest second."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any


class Counters:
    """What the demo shows and the benchmark and tests assert on. Holds no personal data."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.by_status: Counter[tuple[str, int]] = Counter()
        self.record_faults: Counter[int] = Counter()
        self.mails: Counter[str] = Counter()  # notifications that would have gone out, by gate
        self.texts: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()  # fields and query names that no gate knows
        self.in_flight = 0
        self.peak_in_flight = 0
        self.peak_per_second = 0
        self._recent: deque[float] = deque()

    def arrive(self, gate: str) -> None:
        """A call has come in."""
        self.calls[gate] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        now = time.monotonic()
        self._recent.append(now)
        while self._recent[0] <= now - 1.0:
            self._recent.popleft()
        self.peak_per_second = max(self.peak_per_second, len(self._recent))

    def leave(self, gate: str, status: int) -> None:
        """The call is over; a status of 0 stands for a connection that was aborted."""
        self.in_flight = max(0, self.in_flight - 1)
        self.statuses[status] += 1
        self.by_status[gate, status] += 1

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain copy for the control API."""
        return {
            "calls": dict(self.calls),
            "records": dict(self.records),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "record_faults": {str(code): count for code, count in self.record_faults.items()},
            "total_calls": self.total,
            "mails": dict(self.mails),
            "texts": dict(self.texts),
            "mails_sent": sum(self.mails.values()),
            "texts_sent": sum(self.texts.values()),
            "unknown_fields": dict(self.unknown),
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "peak_per_second": self.peak_per_second,
        }
