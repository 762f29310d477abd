"""The synchronisation state in the cloud. No personal data; of clients' keys only the one at which a pass goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kartoteka.errors import Halt

WEEK = 7
"""Days of which it is known how many calls they took: what a month will take is told by those."""
HOUR_OF_A_DAY = 1 / 24


@dataclass(frozen=True, slots=True)
class Stored:
    """A small document of the synchronisation state with the version it was read at (0: there was none)."""

    document: Mapping[str, Any] | None
    version: int = 0


class Unreadable(Halt):
    """A document of the state is damaged. ``version``: by which it may be replaced, None: by none."""

    def __init__(self, name: str, version: int | None) -> None:
        super().__init__("state_unreadable", f"the document {name} of the state cannot be read: see the runbook")
        self.version = version


@dataclass(frozen=True, slots=True)
class Usage:
    """The panel calls of a month and of a day in it (UTC), by gate; ``days``: how many the last days took before that.

    ``month`` is like ``2026-11``, ``day`` and the keys of ``days`` are like ``2026-11-27``.
    """

    month: str = ""
    gates: Mapping[str, int] = field(default_factory=dict)
    day: str = ""
    today: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)

    def at(self, now: datetime) -> Usage:
        """Return it as it stands at this moment: a month, and a day, that are over count no more."""
        month, day = f"{now.astimezone(UTC):%Y-%m}", f"{now.astimezone(UTC):%Y-%m-%d}"
        if day == self.day:
            return self
        ended = {**self.days, self.day: sum(self.today.values())} if self.day else {}
        kept = dict(sorted(ended.items())[-WEEK:])
        return Usage(month, self.gates if month == self.month else {}, day, days=kept)

    def counting(self, now: datetime, gate: str) -> Usage:
        """Return it with one more call of this gate."""
        here = self.at(now)
        gates, today = ({**some, gate: some.get(gate, 0) + 1} for some in (here.gates, here.today))
        return replace(here, gates=gates, today=today)

    def used(self, now: datetime) -> int:
        """Return how many calls the month has taken."""
        return sum(self.at(now).gates.values())

    def forecast(self, now: datetime) -> int:
        """Return how many calls the month will take if its days go on as the last week's did (their median)."""
        here, rest = self.at(now), month_left(now) / timedelta(days=1)
        gone = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)
        today = sum(here.today.values()) / max(gone, HOUR_OF_A_DAY)
        daily = sorted(here.days.values())[len(here.days) // 2] if here.days else today
        return here.used(now) + round(daily * rest)


def month_left(now: datetime) -> timedelta:
    """Return the time until the month ends (UTC)."""
    here = now.astimezone(UTC)
    first = here.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1) - here


class SyncState(Protocol):
    """Cursors, the rate limit with the calls it has counted, and run summaries."""

    def load(self, name: str) -> Stored:
        """Return the document of this name. Raises Unreadable where it is damaged."""
        ...

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        ...

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        """Take the next free slot of the rate limit; return when the call may be made (Unix seconds, never before now).

        ``rate``: calls a second of all functions at most. The call of this ``gate`` is counted. Raises
        Retry("rate_limit") when the slot would come after ``latest`` or too many ask at once: nothing is taken then.
        """
        ...

    def usage(self) -> Usage:
        """Return the calls that were counted."""
        ...

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the rate for all, and let nobody call before ``now + wait``."""
        ...

    def wake(self, at: datetime) -> None:
        """Note that the panel's feed is to be asked soon."""
        ...

    def woken(self) -> datetime | None:
        """Return when that was last noted."""
        ...

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        ...

    def last_runs(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the last worker runs, the newest first: ``at`` (ISO 8601), ``run_id``, ``concern``, the figures."""
        ...

    def runs_since(self, at: datetime) -> Sequence[Mapping[str, Any]]:
        """Return all worker runs that ended at this moment or later, the oldest first, as they stand now."""
        ...
