"""Which writes of a field the brake counts: those that take something away. (before, after) -> counted or not."""

from __future__ import annotations

from collections.abc import Callable

from kartoteka.fields import money
from kartoteka.fields.values import as_text, ids_of
from kartoteka.model import Value

Risk = Callable[[Value, Value], bool]


def emptied(before: Value, after: Value) -> bool:
    """Count a value that was there and is not any more."""
    return bool(as_text(before)) and not as_text(after)


def replaced(before: Value, _after: Value) -> bool:
    """Count every value that was there: its replacement makes somebody else of a client."""
    return bool(as_text(before))


def switched_off(_before: Value, after: Value) -> bool:
    """Count what becomes false."""
    return after is False


def fewer(before: Value, after: Value) -> bool:
    """Count ids of which one is missing."""
    return not set(ids_of(before)) <= set(ids_of(after))


def zeroed(before: Value, after: Value) -> bool:
    """Count an amount that becomes 0."""
    was, now = money.canonical(before), money.canonical(after)
    return now == "0.00" and was not in ("", "0.00")


def cut(before: Value, after: Value) -> bool:
    """Count a price that is removed (``after`` None), or cut to less than half, or to 0. One not known is no price."""
    if not as_text(before):
        return False
    if after is None:
        return True
    was, now = money.amount(before), money.amount(after)
    return now * 2 < was
