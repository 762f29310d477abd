"""Long lists in pieces: what one statement, one call or one message takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def pieces(items: Sequence[T], size: int) -> Sequence[Sequence[T]]:
    """Return the items in pieces of this size; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def fitting(items: Iterable[T], most: int, largest: int, size: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in pieces of at most so many, whose sizes come to at most ``largest`` together.

    One that is larger by itself is a piece of its own.
    """
    piece: list[T] = []
    total = 0
    for item in items:
        length = size(item)
        if piece and (len(piece) == most or total + length > largest):
            yield piece
            piece, total = [], 0
        piece.append(item)
        total += length
    if piece:
        yield piece
