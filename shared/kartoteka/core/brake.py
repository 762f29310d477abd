"""The brake: which writes are dangerous in a mass, and when there are too many of them.

A mistake in the ERP (a filter forgotten, a table half filled) closes accounts or erases addresses by the thousand. Only
what takes something away counts, and never what happens at creation or first contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kartoteka.core import money
from kartoteka.core.credit import NOTHING
from kartoteka.core.model import Reason, Value, Written
from kartoteka.core.policy import Brake

BRAKE = "brake"
"""The reason of the pause, and the code of what was set aside by it."""
HOUR = timedelta(hours=1)
"""The span over which risky writes are counted."""
IDENTIFYING = frozenset({"nip", "email"})
"""Fields whose replacement makes somebody else of a customer."""


def document(concern: str) -> str:
    """Return the name of the state's document that says when a person last let a stopped concern go on."""
    return f"brake:{concern}"


def counted_since(confirmed: Mapping[str, Any] | None, now: datetime) -> datetime:
    """Return since when risky writes count: for an hour, and not from before a person's word (that document)."""
    hour_ago = now - HOUR
    return max(hour_ago, datetime.fromisoformat(confirmed["since"])) if confirmed else hour_ago


def risky(written: Iterable[Written]) -> bool:
    """Return whether a record's writes count for the brake."""
    return any(is_risky(each) for each in written)


def is_risky(written: Written) -> bool:
    """Return whether one write closes, erases, takes off a shop or a limit, or replaces what a customer is known by."""
    if written.reason in (Reason.CREATE, Reason.FIRST_CONTACT):
        return False
    if written.field == "active":
        return written.after is False
    if _empty(written.before):
        return False
    if written.field == "shops":
        return not _shops(written.before) <= _shops(written.after)
    if written.field == "credit_limit":
        return money.canonical(written.after) == NOTHING != money.canonical(written.before)
    return _empty(written.after) or written.field in IDENTIFYING


def too_many(count: int, linked: int, policy: Brake) -> bool:
    """Return whether so many risky writes within an hour are a mass change, with so many linked customers."""
    return count > policy.min_records and count > policy.max_share * linked


def _empty(value: Value) -> bool:
    return value is None or value == ""


def _shops(value: Value) -> frozenset[str]:
    return frozenset(number for number in str(value or "").split(",") if number)
