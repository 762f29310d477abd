"""WorkQueue in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kartoteka.errors import Retry
from kartoteka.fields.table import CONCERNS
from kartoteka.model import FoundBy, Owner
from kartoteka.ports.queue import Depth, Passes, Redriven, is_sendable, pass_of, read

CHUNK = 100


class Chunk(tuple[Owner, ...]):  # noqa: SLOT001 - a tuple has no slots of its own
    """The keys of one message; ``found_by``: the pass that found each."""

    found_by: Mapping[Owner, str] = MappingProxyType({})


class FakeQueue:
    """Lists of chunks by concern; ``dead`` and ``odd`` are bodies: of dead letters, of unreadable messages.

    ``break_after(n)`` takes n more chunks and refuses the next one, once.
    """

    def __init__(self) -> None:
        self.chunks: dict[str, list[Chunk]] = {}
        self.brought_back: list[tuple[str, str]] = []
        self.dead: dict[str, list[str]] = {}
        self.odd: dict[str, list[str]] = {}
        self._takes: int | None = None

    def break_after(self, chunks: int) -> None:
        """Take this many more chunks, then raise Retry once."""
        self._takes = chunks

    def send(self, concern: str, owners: Sequence[Owner], found_by: Passes = FoundBy.FOLLOWING) -> int:
        keys = tuple(dict.fromkeys(owners))
        clients, groups = (tuple(key for key in keys if bool(key.group_id) is is_group) for is_group in (False, True))
        chunks = [Chunk(some[i : i + CHUNK]) for some in (clients, groups) for i in range(0, len(some), CHUNK)]
        for chunk in chunks:
            self._maybe_break()
            chunk.found_by = {owner: pass_of(owner, found_by) for owner in chunk}
            self.chunks.setdefault(concern, []).append(chunk)
        return len(chunks)

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        del seconds
        self.brought_back.extend((concern, receipt) for receipt in receipts)

    def redrive(self, concern: str, most: int) -> Redriven:
        lie = self.dead.get(concern, [])
        aside = [body for body in lie if not is_sendable(body)]
        dead = [body for body in lie if is_sendable(body)]
        some = dead[:most]
        found = [read(body, concern) for body in some]
        owners = list(dict.fromkeys(owner for message in found if message for owner in message.owners))
        self.send(concern, owners, FoundBy.RETRY)
        unread = [body for body, message in zip(some, found, strict=True) if message is None]
        self.odd.setdefault(concern, []).extend(unread)
        self.dead[concern] = [*aside, *dead[len(some) :]]
        names = [f"message {lie.index(body)}" for body in aside] if len(some) < most else []
        return Redriven(len(lie), len(some), owners, len(unread), tuple(names))

    def left(self) -> Mapping[str, int]:
        return {concern: depth.waiting for concern, depth in self.depths().items()}

    def depths(self) -> Mapping[str, Depth]:
        return {
            concern: Depth(
                len(self.chunks.get(concern, ())) + len(self.odd.get(concern, ())), 0, len(self.dead.get(concern, ()))
            )
            for concern in CONCERNS
        }

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
