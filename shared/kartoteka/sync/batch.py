"""How many records one call takes: as many as the policy says, and fewer while so many are too much.

They are where the panel does not answer about them in time, or with more than is read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kartoteka.ports.state import SyncState
from kartoteka.sync import kept

DOCUMENT = "panel_batch"
GROWS_AFTER = timedelta(hours=1)
"""How long a size works before twice as many records are tried."""

log = logging.getLogger(__name__)


class BatchSize:
    """What one run knows of it; the state is asked once, where there is more than one record."""

    def __init__(self, state: SyncState, now: Callable[[], datetime], most: int) -> None:
        self._state = state
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        self._size: int | None = None
        self._since: datetime | None = None

    def size(self) -> int:
        """Return how many records one call is about."""
        with self._lock:
            if self._size is None:
                (size, self._since), _ = kept.read(self._state, DOCUMENT, _noted)
                self._size = min(self._most, size or self._most)
            return self._size

    def too_many(self, records: int) -> None:
        """Remember that so many records were too much for one call: half as many go into one from now on."""
        if records > 1 and records // 2 < self.size():
            log.warning("%d records are too much for one call to the panel: %d go into one now", records, records // 2)
            self._set(records // 2)

    def passed(self, records: int) -> None:
        """Remember that so many records were answered: after a while twice as many are tried."""
        size = self.size()
        if size <= records and size < self._most and self._is_old():
            self._set(min(self._most, 2 * size))

    def _is_old(self) -> bool:
        return self._since is not None and not kept.is_within(GROWS_AFTER, self._since, self._now())

    def _set(self, size: int) -> None:
        with self._lock:
            self._size, self._since = size, self._now()
            _, version = kept.read(self._state, DOCUMENT, _noted)
            document = {"size": size, "since": self._since.isoformat()}
            self._state.save(DOCUMENT, document, version=version)


def _noted(document: Mapping[str, Any] | None) -> tuple[int | None, datetime | None]:
    """Return the size that was noted, and since when it works."""
    return (max(1, int(document["size"])), kept.moment(document["since"])) if document else (None, None)
