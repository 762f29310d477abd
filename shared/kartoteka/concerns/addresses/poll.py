"""The rotating pass: the panel's feed need not tell of an edited address, so all linked clients are read in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kartoteka.errors import Halt, Retry
from kartoteka.model import Owner
from kartoteka.sync.collect import Document, Found
from kartoteka.sync.run import Run

if TYPE_CHECKING:
    from kartoteka.concerns.addresses.concern import Addresses

PATIENCE = 5
"""Passes that end at the same batch in a row before it is passed over."""


class AddressPoll:
    """The next linked clients in turn, ``Run.poll_size`` of them.

    The cursor stays before a batch that could not be read, but not for ever: the fifth time in a row the pass goes on
    behind it.
    """

    def __init__(self, run: Run, concern: Addresses) -> None:
        self._run = run
        self._concern = concern
        self.name = "addresses"

    def find(self, document: Document | None) -> Found:
        """Return the next clients whose addresses differ, and the moved cursor."""
        if not self._concern.is_on:
            return Found()
        known = document or {}
        before = (str(known.get("after", "")), int(known.get("failed", 0)))
        some, last = self._next(before[0])
        keys, unread, failure = self._asking(some)
        moved = (last, 0)
        if failure:
            read = list(some)[: list(some).index(unread[0])]
            moved = (read[-1], 1) if read else (before[0], before[1] + 1)
            moved = (unread[-1], 0) if moved[1] >= PATIENCE else moved
        cursor = {"after": moved[0], "failed": moved[1]} if moved != before else None
        return Found({self._concern.name: keys}, cursor, failure=failure)

    def _asking(self, some: Mapping[str, str]) -> tuple[list[Owner], Sequence[str], Retry | Halt | None]:
        """Return the clients whose addresses differ, up to a batch that could not be read, that batch, and why."""
        keys: list[Owner] = []
        for batch in self._run.chunks(list(some)):
            try:
                keys += self._concern.asking(dict.fromkeys(map(Owner, batch)))
            except (Retry, Halt) as error:
                return keys, batch, error
        return keys, (), None

    def _next(self, after: str) -> tuple[Mapping[str, str], str]:
        """Return the next linked clients, from the beginning again where the end was reached, and where to go on."""
        limit = self._run.poll_size
        rest = dict(self._run.exchange.records.linked(after, limit))
        room = limit - len(rest)
        if not room or not after:
            return rest, "" if room else list(rest)[-1]
        first = dict(self._run.exchange.records.linked("", room))
        return rest | first, "" if len(first) < room else list(first)[-1]
