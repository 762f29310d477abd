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
    """Cursors, the rate limit, pauses and run summaries."""

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        ...

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
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
