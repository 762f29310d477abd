"""The gates of the panel that were seen of late to leave alone what a change does not name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from kartoteka.ports.state import SyncState

DOCUMENT = "panel_trust"
LASTS = timedelta(days=7)
"""How long it is believed before it is looked at again: the panel may have been updated."""


class Trust:
    """What one run knows of it; the state is asked once. Safe for several threads."""

    def __init__(self, state: SyncState, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now
        self._lock = threading.Lock()
        self._seen: Mapping[str, str] | None = None

    def in_gate(self, gate: str) -> bool:
        """Return whether this gate was seen of late to leave alone what a change does not name."""
        with self._lock:
            if self._seen is None:
                self._seen = self._state.load(DOCUMENT).document or {}
            at = self._seen.get(gate)
            return at is not None and datetime.fromisoformat(at) > self._now() - LASTS

    def note(self, gate: str) -> None:
        """Remember that it was seen now."""
        with self._lock:
            stored = self._state.load(DOCUMENT)
            self._seen = {**(stored.document or {}), gate: self._now().isoformat()}
            self._state.save(DOCUMENT, self._seen, version=stored.version)
