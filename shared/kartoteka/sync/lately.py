"""What the panel was seen of late to do, by name: it is believed for a while, since the panel may be updated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from kartoteka.ports.state import SyncState


class Lately:
    """Names that were noted within a span of time (``lasts``); the state is asked once. Safe for several threads."""

    def __init__(self, state: SyncState, now: Callable[[], datetime], document: str, lasts: timedelta) -> None:
        self._state = state
        self._now = now
        self._document = document
        self._lasts = lasts
        self._lock = threading.Lock()
        self._names: frozenset[str] | None = None

    def names(self) -> frozenset[str]:
        """Return what was noted of late."""
        with self._lock:
            if self._names is None:
                noted = self._state.load(self._document).document or {}
                last = self._now() - self._lasts
                self._names = frozenset(name for name, at in noted.items() if datetime.fromisoformat(at) > last)
            return self._names

    def note(self, name: str) -> None:
        """Remember that it was seen now."""
        known = self.names()
        with self._lock:
            self._names = known | {name}
            stored = self._state.load(self._document)
            document = {**(stored.document or {}), name: self._now().isoformat()}
            self._state.save(self._document, document, version=stored.version)
