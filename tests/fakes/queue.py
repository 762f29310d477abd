"""WorkQueue in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kartoteka.errors import Retry
from kartoteka.fields.table import CONCERNS
from kartoteka.model import FoundBy, Owner
from kartoteka.ports.queue import Depth

CHUNK = 100


class Chunk(tuple[Owner, ...]):  # noqa: SLOT001 - a tuple has no slots of its own
    """The keys of one message; ``found_by``: the pass that found them."""

    found_by: str = ""


class FakeQueue:
    """Lists of chunks by concern. ``break_after(n)`` takes n more chunks and refuses the next one, once."""

    def __init__(self) -> None:
        self.chunks: dict[str, list[Chunk]] = {}
        self.brought_back: list[tuple[str, str]] = []
        self._takes: int | None = None

    def break_after(self, chunks: int) -> None:
        """Take this many more chunks, then raise Retry once."""
        self._takes = chunks

    def send(self, concern: str, owners: Sequence[Owner], found_by: str = FoundBy.FOLLOWING) -> int:
        keys = tuple(dict.fromkeys(owners))
        clients, groups = (tuple(key for key in keys if bool(key.group_id) is is_group) for is_group in (False, True))
        chunks = [Chunk(some[i : i + CHUNK]) for some in (clients, groups) for i in range(0, len(some), CHUNK)]
        for chunk in chunks:
            self._maybe_break()
            chunk.found_by = str(found_by)
            self.chunks.setdefault(concern, []).append(chunk)
        return len(chunks)

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        del seconds
        self.brought_back.extend((concern, receipt) for receipt in receipts)

    def depths(self) -> Mapping[str, Depth]:
        return {concern: Depth(len(self.chunks.get(concern, ())), 0, 0) for concern in CONCERNS}

    def take(self, concern: str) -> Chunk | None:
        """Take the oldest chunk off this concern's queue; None: it is empty."""
        waiting = self.chunks.get(concern)
        return waiting.pop(0) if waiting else None

    def empty(self) -> bool:
        """Say whether no concern has a chunk waiting."""
        return not any(self.chunks.values())

    def _maybe_break(self) -> None:
        if self._takes is None:
            return
        if self._takes == 0:
            self._takes = None
            raise Retry("queue")
        self._takes -= 1
