"""The one clock of a history. Nothing in it moves by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.world import START


class Clock:
    """The time, aware, UTC; time passes where a history says so, and a little with each call of the panel."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def passes(self, seconds: float) -> None:
        """Let so much time pass."""
        self.time += timedelta(seconds=seconds)
