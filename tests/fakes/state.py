"""SyncState in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kartoteka.adapters.aws import rate as rate_limit
from kartoteka.errors import KartotekaError
from kartoteka.ports.state import Stored, Usage


class FakeState:
    """Cursors, rate limit and runs in dictionaries. ``fail`` makes the next calls raise."""

    def __init__(self) -> None:
        self.documents: dict[str, Stored] = {}
        self.shared = rate_limit.Shared()
        self.runs: list[tuple[datetime, str, str, Mapping[str, int]]] = []
        self.noted: datetime | None = None
        self._failures: list[KartotekaError] = []
        self._lock = threading.Lock()
        """Each call is whole: the calls of a run come from several threads."""

    def fail(self, *errors: KartotekaError) -> None:
        """Raise these, one from each of the next calls, before any effect."""
        self._failures.extend(errors)

    def load(self, name: str) -> Stored:
        self._maybe_fail()
        stored = self.documents.get(name, Stored(None))
        return Stored(_copied(stored.document), stored.version)

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        self._maybe_fail()
        with self._lock:
            if self.documents.get(name, Stored(None)).version != version:
                return False
            self.documents[name] = Stored(_copied(dict(document)), version + 1)
        return True

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        self._maybe_fail()
        with self._lock:
            self.shared, slot = rate_limit.leased(self.shared, now=now, latest=latest, rate=rate, gate=gate)
        return slot

    def usage(self) -> Usage:
        self._maybe_fail()
        return self.shared.usage

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        self._maybe_fail()
        with self._lock:
            self.shared = rate_limit.slowed(self.shared, now=now, rate=rate, wait=wait)

    def wake(self, at: datetime) -> None:
        self._maybe_fail()
        self.noted = at

    def woken(self) -> datetime | None:
        self._maybe_fail()
        return self.noted

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        self._maybe_fail()
        self.runs.append((at, run_id, concern, dict(summary)))

    def last_runs(self, limit: int) -> list[dict[str, Any]]:
        self._maybe_fail()
        latest = sorted(self.runs, key=lambda run: run[0], reverse=True)[:limit]
        return [{"at": at.isoformat(), "run_id": run, "concern": of, **figures} for at, run, of, figures in latest]

    def runs_since(self, at: datetime) -> list[dict[str, Any]]:
        return [run for run in reversed(self.last_runs(len(self.runs))) if datetime.fromisoformat(run["at"]) >= at]

    def _maybe_fail(self) -> None:
        if self._failures:
            raise self._failures.pop(0)


def _copied(value: Any) -> Any:
    """Return a copy of what JSON can hold; quicker by far than ``copy.deepcopy``, which looks for cycles."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(each) for each in value]
    return value
