"""What the panel was seen of late to do, by name: it is believed for a while, since the panel may be updated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kartoteka.ports.state import SyncState
from kartoteka.sync import kept


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
                noted, _ = kept.read(self._state, self._document, _noted)
                now = self._now()
                self._names = frozenset(name for name, at in noted.items() if kept.is_within(self._lasts, at, now))
            return self._names

    def note(self, name: str) -> None:
        """Remember that it was seen now."""
        known = self.names()
        with self._lock:
            self._names = known | {name}
            noted, version = kept.read(self._state, self._document, _noted)
            document = {each: at.isoformat() for each, at in {**noted, name: self._now()}.items()}
            self._state.save(self._document, document, version=version)


def _noted(document: Mapping[str, Any] | None) -> dict[str, datetime]:
    """Return name -> when it was noted."""
    return {name: kept.moment(at) for name, at in (document or {}).items()}
