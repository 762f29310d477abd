"""The fields that this panel does not have: an older one than the field, which was refused and is left out since."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from kartoteka.ports.state import SyncState

DOCUMENT = "panel_lacks"
ASKED_AGAIN = timedelta(days=1)
"""How long a field is left out before the panel, which may have been updated, is asked again."""


class Lacks:
    """What one run knows of it; the state is asked once. Safe for several threads."""

    def __init__(self, state: SyncState, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now
        self._lock = threading.Lock()
        self._fields: frozenset[str] | None = None

    def fields(self) -> frozenset[str]:
        """Return the names of the fields that the panel has refused to know of late."""
        with self._lock:
            if self._fields is None:
                noted = self._state.load(DOCUMENT).document or {}
                last = self._now() - ASKED_AGAIN
                self._fields = frozenset(name for name, at in noted.items() if datetime.fromisoformat(at) > last)
            return self._fields

    def note(self, field: str) -> None:
        """Remember that the panel does not have a field."""
        known = self.fields()
        with self._lock:
            self._fields = known | {field}
            stored = self._state.load(DOCUMENT)
            document = {**(stored.document or {}), field: self._now().isoformat()}
            self._state.save(DOCUMENT, document, version=stored.version)
