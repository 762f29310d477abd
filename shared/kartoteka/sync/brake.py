"""The brake: a chunk of risky writes is let through, or stops its concern until a person confirms it.

A mistake in the ERP (a filter forgotten, a table half filled) closes accounts or erases addresses by the thousand. What
counts is a fact of the field (:mod:`kartoteka.fields.risk`), and never what happens at creation or first contact. What
was written within the hour is counted from ``sync_history``, where it stands in one transaction with the writes
themselves, so no crash makes it forget.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kartoteka import policy
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import BRAKE
from kartoteka.sync.run import Run

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
"""The span over which risky writes are counted."""


def document(concern: str) -> str:
    """Return the name of the state's document that says when a person last let a stopped concern go on."""
    return f"brake:{concern}"


def counted_since(confirmed: Mapping[str, Any] | None, now: datetime) -> datetime:
    """Return since when risky writes count: for an hour, and not from before a person's word (that document)."""
    hour_ago = now - HOUR
    return max(hour_ago, datetime.fromisoformat(confirmed["since"])) if confirmed else hour_ago


def too_many(count: int, linked: int, limits: policy.Brake) -> bool:
    """Return whether so many risky writes within an hour are a mass change, with so many linked clients."""
    return count > limits.min_records and count > limits.max_share * linked


class Brake:
    """What one run knows of a concern's brake. Safe for several threads: the chunks of a run share it."""

    def __init__(self, run: Run, concern: str) -> None:
        self._run = run
        self._concern = concern
        self._lock = threading.RLock()
        self._count: int | None = None
        self._word: Mapping[str, Any] | None = None
        self.tripped = False

    def stop(self, why: str) -> None:
        """Stop the concern until a person confirms."""
        with self._lock:
            self.tripped = True
            self._run.state.pause(self._concern, BRAKE)
            logger.error(
                "%s is stopped by the brake: %s; see `kartoteka status`, then run `kartoteka resume %s --confirm`",
                self._concern,
                why,
                self._concern,
            )

    def lets_through(self, plans: Sequence[Plan]) -> bool:
        """Return whether a chunk of plans may be carried out. Where not, the concern is paused already."""
        risky = [plan for plan in plans if plan.risky]
        with self._lock:
            if self.tripped or not risky:
                return not self.tripped
            if self._count is None:
                self._word = self._run.state.load(document(self._concern)).document
                since = counted_since(self._word, self._run.now())
                self._count = self._run.exchange.records.counted(self._concern, since)
            # Where a person's word is not known (the cloud's state was lost), stopped records count like any other.
            counting = sum(not (self._word is not None and plan.confirmed) for plan in risky)
            if not counting:
                return True
            self._count += counting
            linked = self._run.exchange.records.count_linked()
            self.tripped = too_many(self._count, linked, self._run.policy.brake)
            if self.tripped:
                self.stop(f"{self._count} risky writes within an hour, {linked} linked clients")
            return not self.tripped
