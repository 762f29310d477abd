"""How long the feed waits before the panel is asked again: the longer, the longer nobody else has changed anything.

Pure. The waiting time doubles with each reading that finds nothing, and begins again with a change that was not our own
write. A second change within an hour makes it an hour with activity: the time stays short until an hour has passed
without one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka.sync.kept import moment

ACTIVITY = timedelta(hours=1)
"""Two changes within so long, and nothing is waited for longer than at first until so long has passed without one."""
LATENESS = timedelta(seconds=5)
"""By so much a schedule may come early against the last one: it fires each minute, not to the second."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when the feed waits (``asked_at``, our clock), and for how long.

    ``changed_at``: when somebody else's change was last found; ``busy_until``: the end of an hour with activity.
    """

    asked_at: datetime
    time: timedelta
    changed_at: datetime | None = None
    busy_until: datetime | None = None

    def is_over(self, now: datetime, longest: timedelta) -> bool:
        """Return whether the panel is to be asked; ``longest`` is the policy's, which may have become shorter."""
        return not timedelta(0) <= now - self.asked_at < min(self.time, longest) - LATENESS

    def bounded(self, now: datetime) -> Waiting:
        """Return it with no moment ahead of what may be: a clock that ran ahead may have stored them."""
        changed = min(self.changed_at, now) if self.changed_at else None
        busy = min(self.busy_until, now + ACTIVITY) if self.busy_until else None
        return replace(self, changed_at=changed, busy_until=busy)

    def asked(self, now: datetime, shortest: timedelta, longest: timedelta) -> Waiting:
        """Return how long is waited after the panel was asked, as long as no change was found.

        Who has asked out of turn has proved nothing about the time.
        """
        if self.busy_until is not None and now < self.busy_until:
            return replace(self, asked_at=now, time=shortest)
        time = 2 * self.time if self.is_over(now, longest) else self.time
        return replace(self, asked_at=now, time=min(max(time, shortest), longest))

    def woken(self, now: datetime, shortest: timedelta) -> Waiting:
        """Return how long is waited after the panel was asked because it said so: what it tells of may come late."""
        return replace(self, asked_at=now, time=shortest)

    def changed(self, now: datetime, shortest: timedelta) -> Waiting:
        """Return how long is waited after somebody else has changed something."""
        again = self.changed_at is not None and now - self.changed_at <= ACTIVITY
        return replace(self, time=shortest, changed_at=now, busy_until=now + ACTIVITY if again else self.busy_until)

    def to_document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        moments = {name: getattr(self, name) for name in ("asked_at", "changed_at", "busy_until")}
        shown = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
        return {**shown, "time": self.time.total_seconds()}

    @classmethod
    def from_document(cls, document: Any) -> Waiting:
        """Return what :meth:`to_document` wrote."""
        shown = {**document, "time": timedelta(seconds=document["time"])}
        moments = ("asked_at", "changed_at", "busy_until")
        return cls(**{**shown, **{n: moment(shown[n]) if shown[n] else None for n in moments}})
