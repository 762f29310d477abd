"""The panel's clock and its written dates.

The panel writes date-times without a zone. The contract's assumption: wall time of Europe/Warsaw, whole seconds.
A written date is kept as the text that is shown, as a database column without a zone would keep it; hence the autumn
hour that comes twice really is ambiguous here, and a window search compares those texts.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from local.panel.settings import Settings

NO_DATE = "0000-00-00"
NO_MOMENT = "0000-00-00 00:00:00"
_MOMENT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2}):(\d{1,2}))?")


class Clock:
    """Time as the panel sees it: the machine's, or one that a test has set; plus a skew."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.skew = 0.0
        self._set_to: float | None = None

    def now(self) -> float:
        """Unix seconds on the panel's clock."""
        return (time.time() if self._set_to is None else self._set_to) + self.skew

    def set(self, moment: datetime | float) -> None:
        """Stop the clock at a moment; a datetime without a zone is taken as the panel's wall time."""
        if isinstance(moment, datetime):
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp()
        self._set_to = moment

    def advance(self, seconds: float) -> None:
        """Move a stopped clock on; a running one is stopped first."""
        self._set_to = (time.time() if self._set_to is None else self._set_to) + seconds

    def run(self) -> None:
        """Follow the machine's clock again."""
        self._set_to = None

    def wall(self) -> str:
        """Now, as the panel would write it: wall time, `YYYY-MM-DD HH:MM:SS`."""
        return datetime.fromtimestamp(int(self.now()), UTC).astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._settings.time_zone)


def parse_moment(text: str) -> tuple[str, bool]:
    """A date or date-time from a query, zero-padded, and whether a time was given; ValueError for anything else.

    The contract writes the form as `h:m:s`, so numbers without padding are taken too.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a date")
    numbers = [int(part) for part in found.groups(default="0")]
    return datetime(*numbers).strftime("%Y-%m-%d %H:%M:%S"), found.group(4) is not None  # type: ignore[arg-type]


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar written `YYYY-MM-DD`."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10
