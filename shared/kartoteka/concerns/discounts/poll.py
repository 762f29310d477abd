"""The daily reading of the panel's groups: nothing else tells of one that was renamed or deleted there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kartoteka.model import FoundBy, Owner
from kartoteka.sync import kept
from kartoteka.sync.collect import Document, Found

if TYPE_CHECKING:
    from kartoteka.concerns.discounts.membership import Discounts

READ_EVERY = timedelta(days=1)


class GroupPoll:
    """All groups that have a number in the panel, compared with what the panel shows."""

    found_by = FoundBy.GROUP_READING

    def __init__(self, concern: Discounts) -> None:
        self._concern = concern
        self._run = concern.run
        self.name = f"groups:{concern.name}"

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will."""
        kept.moment(document["read_at"])

    def find(self, document: Document | None) -> Found:
        """Return the groups with something to be done, and when the panel was read. The first time begins the waiting.

        What is deferred comes back by its own time, and what was left half-way is found without asking the panel.
        """
        now = self._run.now()
        if document is not None and kept.is_within(READ_EVERY, kept.moment(document["read_at"]), now):
            return Found()
        moved = {"read_at": now.isoformat()}
        known = [Owner(group_id=key) for key in self._run.exchange.prices.numbers()] if document is not None else []
        if not known:
            return Found(document=moved)
        panel = self._concern.groups.read()
        free = [r for r in self._concern.load(known) if r.state.deferral is None and r.state.intent is None]
        keys = [record.key.owner for record in free if self._concern.groups.plan(record, panel)]
        return Found({self._concern.name: keys}, moved)
