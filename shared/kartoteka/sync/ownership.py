"""Whether a run may work at all: the exchange database must be this installation's, and for long enough.

After a takeover the former owner may still be at work: it has read that it is the owner, its call is on its way, and
what it stores of the answer is refused. So the new owner sends nothing until no run of the former's can be left. Then
it compares everything once: an intent that stands in the database is settled by a look, whoever wrote it down.
"""

from __future__ import annotations

from datetime import timedelta

from kartoteka.errors import Retry
from kartoteka.policy import Policy
from kartoteka.ports.functions import LONGEST_OF_ALL
from kartoteka.ports.ownership import refusal
from kartoteka.sync.run import Run

WAITS = "takeover"
"""The code of the wait after a takeover."""


def wait(policy: Policy) -> timedelta:
    """Return for how long after a takeover a call of the former owner's may still arrive."""
    return LONGEST_OF_ALL + timedelta(seconds=policy.panel.timeout_seconds)


def begin(run: Run) -> None:
    """Claim a database that is nobody's; raise Halt where it is another installation's, Retry until the wait is over.

    Nothing was read from the panel by then, nor anything written.
    """
    ownership = run.exchange.ownership
    holder = ownership.hold()
    if holder is None:
        return
    if holder.installation != ownership.installation:
        raise refusal(holder)
    left = holder.since + wait(run.policy) - run.now()
    if holder.former and left > timedelta(0):
        raise Retry(WAITS, after=left.total_seconds())
    run.taken_over = holder.since.isoformat() if holder.former else ""
