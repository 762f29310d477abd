"""Numbers and lists in English sentences."""

from __future__ import annotations

from collections.abc import Collection


def counted(number: int, what: str) -> str:
    """Return ``1 client`` or ``2 clients``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def some_of(names: Collection[str], most: int, between: str = ", ") -> str:
    """Return the first names, at most so many, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(list(names)[:most]) + more
