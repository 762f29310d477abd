"""Which writes of a field the brake counts: those that take something away. (before, after) -> counted or not."""

from __future__ import annotations

from collections.abc import Callable

from kartoteka.fields import money
from kartoteka.model import Value

Risk = Callable[[Value, Value], bool]


def emptied(before: Value, after: Value) -> bool:
    """Count a value that was there and is not any more."""
    return not _empty(before) and _empty(after)


def replaced(before: Value, _after: Value) -> bool:
    """Count every value that was there: its replacement makes somebody else of a client."""
    return not _empty(before)


def switched_off(_before: Value, after: Value) -> bool:
    """Count what becomes false."""
    return after is False


def fewer(before: Value, after: Value) -> bool:
    """Count a list, joined by commas, from which something is missing."""
    return not _members(before) <= _members(after)


def zeroed(before: Value, after: Value) -> bool:
    """Count an amount that becomes 0."""
    was, now = money.canonical(before), money.canonical(after)
    return now == "0.00" and was not in ("", "0.00")


def cut(before: Value, after: Value) -> bool:
    """Count a price that is removed (``after`` None), or cut to less than half, or to 0. One not known is no price."""
    if _empty(before):
        return False
    if after is None:
        return True
    was, now = money.amount(before), money.amount(after)
    return now * 2 < was


def _empty(value: Value) -> bool:
    return value is None or value == ""


def _members(value: Value) -> frozenset[str]:
    return frozenset(number for number in str(value or "").split(",") if number)
