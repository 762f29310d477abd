"""The rotating pass: the panel's feed need not tell of an edited address, so all linked clients are read in turn.

Those whose addresses were edited lately have a turn of their own, which takes half of each pass. A pass of the schedule
makes a call when its time has come: so that ``calls_per_day`` are made of a day in which passes find something, and a
quarter of them while nothing is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kartoteka.errors import Halt, Retry
from kartoteka.model import FoundBy, Owner
from kartoteka.sync.budget import RAREST, spacing
from kartoteka.sync.collect import Document, Found
from kartoteka.sync.retry import is_own
from kartoteka.sync.run import Run
from kartoteka.sync.waiting import Waiting

if TYPE_CHECKING:
    from kartoteka.concerns.addresses.concern import Addresses

PATIENCE = 5
"""Passes that end at the same batch in a row before it is passed over."""
LATELY = timedelta(days=30)
"""How long clients have a turn of their own after an edit of their addresses."""
SLOWEST = 4
"""How many times longer than ``calls_per_day`` asks for a pass waits at most."""
FEWER = 4
"""How many times longer than the feed a pass waits where the month's calls are short."""
TOGETHER = timedelta(hours=1)
"""What a schedule has missed is made up for so long at most."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the pass stands.

    ``after``: whom of all clients it goes on behind, ``lately``: whom of those edited lately. ``failed``: how often in
    a row it has ended at the same batch. ``waiting``: how long until its next call, None: no time.
    """

    after: str = ""
    lately: str = ""
    failed: int = 0
    waiting: Waiting | None = None

    def to_document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        place = {"after": self.after, "lately": self.lately, "failed": self.failed}
        return {**place, "waiting": self.waiting.to_document() if self.waiting else None}

    @classmethod
    def from_document(cls, document: Any) -> Turn:
        """Return what :meth:`to_document` wrote."""
        place = {"after": str(document["after"]), "lately": str(document["lately"]), "failed": int(document["failed"])}
        return cls(
            **{**document, **place, "waiting": document["waiting"] and Waiting.from_document(document["waiting"])}
        )


class AddressPoll:
    """The next clients in turn: ``Run.poll_size`` of them ``at_once``, else as many as the policy's calls allow.

    The cursor stays before a batch that could not be read, but not for ever: the fifth time in a row the pass goes on
    behind it, and its clients go to the workers, who find out whose fault it is. Those edited lately are left out of
    the pass after: one of them may be the reason.
    """

    found_by = FoundBy.ADDRESSES

    def __init__(self, run: Run, concern: Addresses, *, at_once: bool) -> None:
        self._run = run
        self._concern = concern
        self._at_once = at_once
        self._shortest = DAY / run.policy.delivery_addresses.calls_per_day
        rarest = timedelta(0) if run.policy.panel.monthly_budget is None else FEWER * RAREST
        self._longest = max(SLOWEST * self._shortest, rarest)
        self.name = "addresses"

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will."""
        Turn.from_document(document)

    def find(self, document: Document | None) -> Found:
        """Return the next clients whose addresses differ, and the moved cursor."""
        turn = Turn.from_document(document) if document else Turn()
        now = self._run.now()
        limit = self._limit(turn.waiting, now)
        if not self._concern.is_on or not limit:
            return Found()
        lately = {} if turn.failed else self._edited_lately(turn.lately, limit // 2)
        rest = self._next(turn.after, limit - len(lately))
        some = list(dict.fromkeys([*lately, *rest]))
        keys, unread, failure = self._asking(some)
        read = some[: some.index(unread[0])] if unread else some
        failed = (0 if read else turn.failed) + 1 if unread else 0
        if failed >= PATIENCE:
            read, failed = list(unread), 0
            keys += map(Owner, unread) if is_own(failure) else ()
        shortest = max(self._shortest, FEWER * spacing(self._run))
        waiting = (turn.waiting or Waiting(now, shortest)).asked(now, shortest, max(SLOWEST * self._shortest, shortest))
        moved = Turn(_last(rest, read, turn.after), _last(lately, read, turn.lately), failed, waiting)
        if keys:
            moved = replace(moved, waiting=waiting.changed(now, shortest))
        return Found({self._concern.name: keys}, moved.to_document(), failure=failure)

    def _limit(self, waiting: Waiting | None, now: datetime) -> int:
        """Return how many clients may be asked about now."""
        if self._at_once:
            return self._run.poll_size
        if waiting is None:
            calls = 1
        elif not waiting.is_over(now, self._longest):
            return 0
        else:
            calls = max(1, min(now - waiting.asked_at, TOGETHER) // min(waiting.time, self._longest))
        return min(calls * self._run.policy.panel.batch_size, self._run.poll_size)

    def _asking(self, some: Sequence[str]) -> tuple[list[Owner], Sequence[str], Retry | Halt | None]:
        """Return the clients whose addresses differ, up to a batch that could not be read, that batch, and why."""
        keys: list[Owner] = []
        for batch in self._run.chunks(some):
            try:
                keys += self._concern.asking(dict.fromkeys(map(Owner, batch)))
            except (Retry, Halt) as error:
                return keys, batch, error
        return keys, (), None

    def _edited_lately(self, after: str, limit: int) -> Mapping[str, str]:
        """Return the next of the clients whose addresses were edited lately -> after whom the turn goes on then."""
        since = self._run.now() - LATELY
        edited = sorted({key.client_id for key in self._run.exchange.records.written(self._concern.name, since)})
        turned = [*(key for key in edited if key > after), *(key for key in edited if key <= after)]
        return {key: key for key in turned[:limit]}

    def _next(self, after: str, limit: int) -> Mapping[str, str]:
        """Return the next linked clients, from the beginning again where the end was reached, with where to go on."""
        rest = [key for key, _ in self._run.exchange.records.linked(after, limit)]
        room = limit - len(rest)
        if room and after:
            rest += [key for key, _ in self._run.exchange.records.linked("", room) if key <= after]
        at_end = rest[-1:] if room and not after else []
        return {key: "" if key in at_end else key for key in rest}


def _last(turn: Mapping[str, str], read: Sequence[str], before: str) -> str:
    """Return where a turn goes on that stood at ``before``, now that these clients were read."""
    known, place = set(read), before
    for key, behind in turn.items():
        if key not in known:
            break
        place = behind
    return place
