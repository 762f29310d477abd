"""What the panel has not answered for hours: an alarm, and not only another try.

Whoever tries again keeps since when: a record's deferral, a reading's cursor. What waits for another reason (the
brake, a pause, the rate limit, a value that is not shown yet) keeps no such moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kartoteka.errors import Halt, Reject, Retry
from kartoteka.ports.panel import NO_ANSWER
from kartoteka.sync.run import Run

TOO_LONG = timedelta(hours=4)
"""How long the panel may fail to answer about one thing before a person is called."""
NOT_ASKED = frozenset({"database", "dynamodb", "rate_limit", "sqs"})
"""The codes of what failed before the panel was asked, so that nothing is known of its answer."""


def since(run: Run, error: Retry | Reject | Halt, before: datetime | None) -> datetime | None:
    """Return since when there is no answer, now that asking has failed so; ``before``: since when, as far as known.

    Where that is too long, it is counted in ``run.unread``.
    """
    code = error.code.partition(".")[0]
    if code not in NO_ANSWER:
        return before if isinstance(error, Halt) or code in NOT_ASKED else None
    begun = min(before or run.now(), run.now())
    if run.now() - begun >= TOO_LONG:
        run.unread[code] += 1
    return begun
