"""The synchronisation state in the cloud. No personal data; of clients' keys only the one at which a pass goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A small document of the synchronisation state with the version it was read at (0: there was none)."""

    document: Mapping[str, Any] | None
    version: int = 0


class SyncState(Protocol):
    """Cursors, the rate limit and run summaries."""

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        ...

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        ...

    def lease(self, *, now: float, latest: float, rate: float, budget: int | None) -> float:
        """Take the next free slot of the rate limit; return when the call may be made (Unix seconds, never before now).

        ``rate``: calls a second of all functions at most; ``budget``: their calls in the month (UTC) of ``now``. Raises
        Retry("rate_limit") when the slot would come after ``latest`` or too many ask at once, Retry("budget") when the
        budget is used up. Nothing is taken then.
        """
        ...

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the rate for all, and let nobody call before ``now + wait``."""
        ...

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        ...
