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


@dataclass(frozen=True, slots=True)
class Lease:
    """Leave to make ``calls`` calls, the first not before ``start`` (Unix seconds), then one every ``interval`` s."""

    calls: int
    start: float
    interval: float


class SyncState(Protocol):
    """Cursors, the rate limit, pauses and run summaries."""

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        ...

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        ...

    def lease(
        self, calls: int, *, now: float, rate: float, budget: int | None, unused: int = 0, urgent: bool = False
    ) -> Lease:
        """Lease up to ``calls`` panel calls from the rate limit that all functions share."""
        ...

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the shared rate, and let nobody call before ``now + wait``."""
        ...

    def paused(self) -> Mapping[str, str]:
        """Return concern -> reason of those that are paused."""
        ...

    def pause(self, concern: str, reason: str) -> None:
        """Pause this concern; a later reason replaces an earlier one."""
        ...

    def resume(self, concern: str) -> None:
        """End the pause of this concern, if there is one."""
        ...

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        ...
