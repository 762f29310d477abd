"""Bring a concern's dead letters back to its queue.

Many take several requests: each answers how many messages it has moved, and how many lay there before.
"""

from __future__ import annotations

from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.fields.table import CONCERNS

AT_ONCE = 100
"""Messages of one request: each ten of them are three calls of the queue's service."""


def bring_back(desk: Desk, concern: str, most: int) -> Data:
    """Bring up to ``most`` messages back, ``AT_ONCE`` at the most; return the figures of this part.

    ``there``: messages that lay there before. ``odd``: those of the moved ones that nobody can read. ``aside``: ids of
    those that still lie there, since no queue takes what stands in them.
    """
    if desk.queue is None:
        raise WrongRequest("no_stack", 409)
    moved = desk.queue.redrive(concern, min(most, AT_ONCE))
    groups = sum(bool(owner.group_id) for owner in moved.owners)
    return {
        "done": moved.messages,
        "concern": concern,
        "there": moved.there,
        "clients": len(moved.owners) - groups,
        **({"groups": groups} if CONCERNS[concern].groups else {}),
        "odd": moved.odd,
        **({"aside": [*moved.aside]} if moved.aside else {}),
    }
