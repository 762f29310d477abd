"""The answers of system/serverTime and system/shopsData."""

from __future__ import annotations

from datetime import UTC, datetime

from kartoteka.adapters.idosell.answers import Json, listed, whole
from kartoteka.errors import Retry
from kartoteka.ports.panel import BROKEN_ANSWER


def server_time(body: Json) -> datetime:
    """Return the panel's own clock, UTC. Raises Retry for an answer that does not tell it."""
    seconds = whole(body.get("time"))
    if seconds is None:
        raise Retry(BROKEN_ANSWER)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Retry(BROKEN_ANSWER) from None


def shop_ids(body: Json) -> frozenset[int]:
    """Return the ids of the panel's shops. Raises Retry for an answer without any: each panel has one at least."""
    ids = [whole(each.get("shop_id")) for each in listed(body, "shops") if isinstance(each, dict)]
    found = frozenset(number for number in ids if number is not None)
    if not found:
        raise Retry(BROKEN_ANSWER)
    return found
