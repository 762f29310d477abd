"""The rate limit of the panel's HTTP adapter, without waiting."""

from __future__ import annotations

import threading


class CountedLimit:
    """Lets every call pass and counts it. ``waits`` are the silences asked for; ``full`` refuses every call."""

    def __init__(self) -> None:
        self.taken = 0
        self.refusals = 0
        self.waits: list[float] = []
        self.full: Exception | None = None
        self._lock = threading.Lock()

    def take(self, gate: str) -> None:
        if self.full:
            self.refusals += 1
            raise self.full
        with self._lock:
            self.taken += 1

    def slow_down(self, wait: float) -> None:
        self.waits.append(wait)
