"""The panel's wall time, which it writes without a zone, and the instants it stands for.

The API gives date-times as ``YYYY-MM-DD HH:MM:SS``; whose wall time they are, the dialect says. In the hour that
autumn repeats, one wall time stands for two instants. Reading takes the earlier; a window that ends in that hour is
widened until both its ends are unambiguous, so that whichever way the panel reads them, no account is missed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kartoteka.ports.panel import Window

_FORM = "%Y-%m-%d %H:%M:%S"
_HOUR = timedelta(hours=1)
_ALMOST_A_SECOND = timedelta(microseconds=999_999)


def read_moment(shown: Any, zone: ZoneInfo) -> datetime | None:
    """Return the UTC instant of a date-time that the panel shows; None for ``0000-00-00`` and other non-dates."""
    try:
        wall = datetime.fromisoformat(str(shown))
        return (wall if wall.tzinfo else wall.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_day(shown: Any) -> date | None:
    """Return the day of a date, or of a date-time, that the panel shows; None for what is neither."""
    try:
        return datetime.fromisoformat(str(shown)).date()
    except ValueError:
        return None


def wall_window(window: Window, zone: ZoneInfo) -> tuple[str, str]:
    """Return begin and end in wall time, so that every instant of the window lies between them."""
    begin = window.begin.astimezone(UTC).replace(microsecond=0)
    end = (window.end.astimezone(UTC) + _ALMOST_A_SECOND).replace(microsecond=0)
    return _unambiguous(begin, -_HOUR, zone).strftime(_FORM), _unambiguous(end, _HOUR, zone).strftime(_FORM)


def lies_in(shown: Any, begin: str, end: str, zone: ZoneInfo) -> bool:
    """Return whether a date-time as the panel shows it lies in a :func:`wall_window`; a non-date lies in every one.

    Wall times are compared, as the panel does it: in the hour that comes twice, an instant could not be told.
    """
    try:
        moment = datetime.fromisoformat(str(shown))
    except ValueError:
        return True
    wall = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    return datetime.fromisoformat(begin) <= wall <= datetime.fromisoformat(end)


def _unambiguous(instant: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
    wall = instant.astimezone(zone)
    while wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset():
        instant += step
        wall = instant.astimezone(zone)
    return wall
