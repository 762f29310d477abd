"""A panel on which a write empties what it does not name: noticed at the first record it shows, and stopped.

The first write of a week finds it out (:mod:`kartoteka.sync.first_write`); this is for a panel that begins with it
later. Each record is held by itself (:func:`kartoteka.sync.merge.merge`), and the ERP keeps what it has; but every
write that follows would empty another account. That it was a write of ours is sure where a record waits to be shown
what was sent of it, and its account has not changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kartoteka.model import NO_FORMS, STANDS, Note
from kartoteka.sync.merge import NOT_TAKEN
from kartoteka.sync.plan import Plan
from kartoteka.sync.taken import is_last_change

if TYPE_CHECKING:
    from kartoteka.sync.concern import Concern
    from kartoteka.sync.run import Run

CODE = "panel_empties"
WHY = (
    "the panel empties what a write does not name, where each of our writes must leave it; the runbook says what to do"
)


def stop(concern: Concern, plans: Iterable[Plan]) -> None:
    """Stop every concern until a person confirms, where one of these plans shows what a write of ours has emptied."""
    if any(_has_emptied(concern, plan) for plan in plans):
        stop_all(concern.run)


def stop_all(run: Run) -> None:
    """Stop every concern until a person confirms."""
    for concern in run.concerns.values():
        concern.brake.stop(WHY, CODE)


def _has_emptied(concern: Concern, plan: Plan) -> bool:
    state, noted = plan.record.state, Note(STANDS, "", code=NOT_TAKEN)
    told = {step.field for step in plan.steps if step.note == noted and state.notes.get(step.field) != noted}
    if not told - (state.base or NO_FORMS).sent.keys():
        return False
    return is_last_change(state.base, concern.changed_at(plan.shown))
