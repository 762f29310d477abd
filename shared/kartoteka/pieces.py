"""Long lists in pieces: what one statement, one call or one message takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def pieces(items: Sequence[T], size: int) -> Sequence[Sequence[T]]:
    """Return the items in pieces of this size; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]
