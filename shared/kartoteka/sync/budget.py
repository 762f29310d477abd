"""The month's budget of panel calls: it stops nothing that a change asks for; what only looks for changes waits.

Who looks may take some tenths of what is left, spread over the rest of the month. That is reckoned anew each time, so
what changes have not needed comes back to it. The nearer the end of the budget, the rarer the looks.
"""

from __future__ import annotations

from datetime import timedelta

from kartoteka.ports.state import month_left
from kartoteka.sync.run import Run

SHARE = 0.4
"""What of the calls that are left the panel's feed may take."""
RAREST = timedelta(hours=6)
"""The feed is asked as often as this even where no call is left."""


def spacing(run: Run) -> timedelta:
    """Return how long the feed waits at least, so that the month's calls last; no time without a budget."""
    budget, now = run.policy.panel.monthly_budget, run.now()
    if budget is None:
        return timedelta(0)
    left = budget - run.state.usage().used(now)
    return min(RAREST, month_left(now) / (SHARE * left)) if left > 0 else RAREST
