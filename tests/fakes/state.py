"""SyncState in memory."""

from __future__ import annotations

import copy
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

    def fail(self, *errors: KartotekaError) -> None:
        """Raise these, one from each of the next calls, before any effect."""
        self._failures.extend(errors)

    def load(self, name: str) -> Stored:
        self._maybe_fail()
        return copy.deepcopy(self.documents.get(name, Stored(None)))

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        self._maybe_fail()
        if self.documents.get(name, Stored(None)).version != version:
            return False
        self.documents[name] = Stored(copy.deepcopy(dict(document)), version + 1)
        return True

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        self._maybe_fail()
        self.shared, slot = rate_limit.leased(self.shared, now=now, latest=latest, rate=rate, gate=gate)
        return slot

    def usage(self) -> Usage:
        self._maybe_fail()
        return self.shared.usage

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        self._maybe_fail()
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
