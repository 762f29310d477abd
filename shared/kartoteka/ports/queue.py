"""The concerns' queues. Messages carry keys, never data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kartoteka.fields.table import CONCERNS
from kartoteka.model import FoundBy, Owner

LONGEST_KEY = 1_000
"""Letters of a key: more than any column of the exchange database holds."""

KeyText = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY, pattern=r"^[^\x00]*$")]


class Message(BaseModel):
    """The body of a queue's message.

    ``found_by``: the pass that found something to be done of these keys; ``otherwise``: of some of them it was another
    one, by its name. No database can hold a NUL, so none is in a key.
    """

    model_config = ConfigDict(extra="forbid")

    v: Literal[1]
    concern: str
    clients: list[KeyText] = []
    groups: list[KeyText] = []
    found_by: str = ""
    otherwise: dict[str, list[KeyText]] = {}

    @property
    def passes(self) -> dict[Owner, str]:
        """The keys, each with the pass that found it."""
        others = {key: word for word, keys in self.otherwise.items() for key in keys}
        return {owner: others.get(owner.group_id or owner.client_id, self.found_by) for owner in self.owners}

    @property
    def owners(self) -> list[Owner]:
        """The keys."""
        return [*(Owner(client_id=key) for key in self.clients), *(Owner(group_id=key) for key in self.groups)]


Passes = str | Mapping[Owner, str]
"""Which pass found keys: one all of them, or one each (:class:`~kartoteka.model.FoundBy`)."""


def pass_of(owner: Owner, found_by: Passes) -> str:
    """Return the pass that found a key; one of which nothing is said was found by the work on another record."""
    return str(found_by if isinstance(found_by, str) else found_by.get(owner, FoundBy.FOLLOWING))


_SENT = re.compile("[\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]*")
"""What a queue takes of letters: those that XML knows, so no half of a surrogate pair."""


def is_sendable(body: str) -> bool:
    """Return whether a queue takes such a body: one that was put there by other ways may hold what none takes."""
    return _SENT.fullmatch(body) is not None


def read(body: str, concern: str) -> Message | None:
    """Return the message of this concern's queue; None for what is none, or holds no key that the concern has."""
    try:
        message = Message.model_validate_json(body)
    except ValidationError:
        return None
    known = message.concern == concern and (not message.groups or bool(CONCERNS[concern].groups))
    return message if known and message.owners else None


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages of a queue wait, are being worked, and lie in its dead letters."""

    waiting: int
    in_flight: int
    dead: int


@dataclass(frozen=True, slots=True)
class Redriven:
    """What was brought back from a queue's dead letters.

    ``there``: about how many lay there before; ``messages`` were brought back, with these keys; ``odd``: those of them
    that nobody can read, and so about to return. ``aside``: ids of those that still lie there, since no queue takes
    what stands in them.
    """

    there: int
    messages: int
    owners: Sequence[Owner]
    odd: int
    aside: Sequence[str] = ()


class WorkQueue(Protocol):
    """One FIFO queue for each concern."""

    def send(self, concern: str, owners: Sequence[Owner], found_by: Passes = FoundBy.FOLLOWING) -> int:
        """Hand these keys to the concern's queue in chunks; return the number of chunks, all of them taken.

        A chunk holds clients or discount groups, not both: ``{"v": 1, "concern": …, "clients": […]}`` or
        ``"groups"``, and says which pass found them (``found_by``, of all or of each): by default the work on another
        record. Keys of several passes travel together, so that they are worked together. Clients are
        spread over the shards, all groups travel in one message group of their own.
        Raises Retry when the queue did not take every chunk; some may have been taken then.
        """
        ...

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        """Make messages that were received and not worked visible again after ``seconds``."""
        ...

    def redrive(self, concern: str, most: int) -> Redriven:
        """Bring up to so many of the concern's dead letters back to its queue.

        The keys of readable messages are sent anew, in today's shards; a message that nobody can read goes back as it
        is. Each is deleted only after the queue has taken what was in it: a crash doubles keys and loses none.
        Raises Retry or Halt as :meth:`send` does.
        """
        ...

    def left(self) -> Mapping[str, int]:
        """Return concern -> about how many messages wait or are worked. Raises Retry or Halt."""
        ...

    def depths(self) -> Mapping[str, Depth]:
        """Return concern -> how full its queue is. Raises Retry or Halt where that cannot be asked."""
        ...
