"""The feed's place in the panel's modification dates: which window to ask for next.

Pure. Times are the panel's own, in UTC. A modification may become visible some time after its date says, so each window
overlaps the last one. While the overlap holds more than a page (after a first load, say) reading it again and again
would cost a call for each hundred accounts: the window is kept narrow then, and the *zone* that was read is confirmed
once, by counting, when nothing can appear in it any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka.ports.panel import Window

OVERLAP = timedelta(minutes=3)
"""A modification becomes visible at most this long after its date. The contract shows seconds, and warns of lag."""
NARROW = timedelta(seconds=3)
"""The overlap that stays while a zone waits: dates are whole seconds, and so is the measured clock."""
CLOCK_AGE = timedelta(hours=1)
"""How long a measured difference between the panel's clock and ours is trusted."""
SAVE_AFTER = timedelta(minutes=10)
"""A quiet feed moves its cursor this often, so that a minute without changes writes nothing."""


@dataclass(frozen=True, slots=True)
class FirstPass:
    """The first reading of all accounts: the next page, the panel's time when it began, and how many there are.

    Where accounts vanish while it goes on, the later ones move up and one may slip by: it begins anew then.
    """

    page: int
    begun: datetime
    total: int = 0

    def next(self, total: int, pages: int) -> FirstPass | None:
        """Return the pass after its page was read, with what the panel said of the whole; None: it was the last."""
        if total < self.total:
            return FirstPass(0, self.begun)
        return None if self.page + 1 >= pages else FirstPass(self.page + 1, self.begun, total)


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Where the feed stands.

    Everything up to ``until`` was read; ``zone`` waits to be confirmed. ``offset`` is the panel's clock minus ours, as
    measured at ``measured_at`` (our clock). ``first`` is None once all accounts have been read.
    """

    until: datetime
    offset: timedelta
    measured_at: datetime
    zone: Window | None = None
    first: FirstPass | None = None

    def anew(self) -> FeedCursor:
        """Return the cursor from which all accounts are read once more."""
        return replace(self, first=FirstPass(0, self.until))

    def clock_is_old(self, now: datetime) -> bool:
        """Return whether the panel's clock is to be measured again."""
        return not timedelta(0) <= now - self.measured_at < CLOCK_AGE

    def next_window(self, now: datetime) -> Window:
        """Return the window to read next, up to the panel's time at our ``now``."""
        begin = self.until - (NARROW if self.zone else OVERLAP)
        return Window(begin, max(now + self.offset, self.until))

    def after(self, window: Window, *, crowded: bool) -> FeedCursor:
        """Return the cursor after ``window`` was read; ``crowded``: it held more than a page."""
        zone = self.zone
        if crowded:
            zone = Window(min(zone.begin, window.begin) if zone else window.begin, window.end)
        return replace(self, until=window.end, zone=zone)

    def zone_to_confirm(self) -> Window | None:
        """Return the zone once nothing can appear in it any more."""
        return self.zone if self.zone and self.until >= self.zone.end + OVERLAP else None

    def to_document(self) -> dict[str, Any]:
        """Return the cursor as a JSON document."""
        return {
            "until": self.until.isoformat(),
            "offset": self.offset.total_seconds(),
            "measured_at": self.measured_at.isoformat(),
            "zone": [self.zone.begin.isoformat(), self.zone.end.isoformat()] if self.zone else None,
            "first": _first_document(self.first) if self.first else None,
        }

    @classmethod
    def from_document(cls, document: Any) -> FeedCursor:
        """Return the cursor that :meth:`to_document` wrote."""
        zone, first, time = document["zone"], document["first"], datetime.fromisoformat
        return cls(
            until=time(document["until"]),
            offset=timedelta(seconds=document["offset"]),
            measured_at=time(document["measured_at"]),
            zone=Window(time(zone[0]), time(zone[1])) if zone else None,
            first=FirstPass(first["page"], time(first["begun"]), first.get("total", 0)) if first else None,
        )


def _first_document(first: FirstPass) -> dict[str, Any]:
    return {"page": first.page, "begun": first.begun.isoformat(), "total": first.total}
