"""Documents of the state, read as values: what cannot be read is told and begun afresh; what lies ahead is no moment.

Every document but the tombstones may be begun afresh: a cursor then reads all again, and what was only seen of late is
seen again. A moment that was stored by a clock that ran ahead, and has come back since, is bounded by now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from kartoteka.ports.state import SyncState, Unreadable

T = TypeVar("T")

MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What reading a document of another shape raises."""

logger = logging.getLogger(__name__)


def read(state: SyncState, name: str, made: Callable[[Mapping[str, Any] | None], T]) -> tuple[T, int]:
    """Return what ``made`` makes of the document of this name, and its version; of None where it cannot be read.

    Raises Unreadable where it could not be replaced either, and Retry and Halt as the state does.
    """
    try:
        stored = state.load(name)
    except Unreadable as error:
        if error.version is None:
            raise
        version = error.version
    else:
        version = stored.version
        try:
            return made(stored.document), version
        except MALFORMED:
            pass
    logger.error(
        "the document %s of the state cannot be read, and is begun afresh", name, extra={"code": "state_unreadable"}
    )
    return made(None), version


def moment(text: Any) -> datetime:
    """Return a moment as documents keep it, aware. Raises one of MALFORMED for what is none."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment without a zone")
    return found


def is_within(span: timedelta, at: datetime, now: datetime) -> bool:
    """Return whether it was so long ago at most; never of what lies ahead, which only a wrong clock can have noted."""
    return timedelta(0) <= now - at < span
