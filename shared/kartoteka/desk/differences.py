"""What was found to differ and was corrected: fields of the history, by day, concern, field and reason.

The daily scan, the feed and the pass over addresses write each correction into the history; this counts them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from kartoteka.desk.desk import Data, Desk
from kartoteka.model import Reason
from kartoteka.ports.desk import Asked

DAYS = 30
"""Days that are reported of, today among them."""
CORRECTED = (Reason.DRIFT, Reason.CONFLICT, Reason.UNDO)
"""Reasons that are told of unless another one is asked for: what travels as an edit was no difference to correct."""
COLUMNS = ("day", "concern", "field", "reason", "found_by", "direction", "fields", "records")


def rows(desk: Desk, asked: Asked) -> Sequence[Data]:
    """Return how many fields were corrected, of how many records: the latest day first, then the most fields."""
    return list(desk.tables.differences(_since(desk), _reasons(asked), asked))


def by_day(desk: Desk, asked: Asked) -> Sequence[Data]:
    """Return how many fields were corrected on each of the last days, the earliest first."""
    counts = desk.tables.differences_by_day(_since(desk), _reasons(asked), asked)
    first = _since(desk)
    days = [f"{first + timedelta(days=number):%Y-%m-%d}" for number in range(DAYS)]
    return [{"day": day, "corrected": counts.get(day, 0)} for day in days]


def _reasons(asked: Asked) -> Sequence[str]:
    return [asked.reason] if asked.reason else [str(reason) for reason in CORRECTED]


def _since(desk: Desk) -> datetime:
    today = desk.now().astimezone(UTC).date()
    return datetime.combine(today - timedelta(days=DAYS - 1), time(), UTC)
