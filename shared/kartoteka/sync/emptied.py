"""A panel on which a write empties what it does not name: noticed at the first record it shows, and stopped.

Each record is held by itself (:func:`kartoteka.sync.merge.merge`), and the ERP keeps what it has; but every write that
follows would empty another account. That it was a write of ours is sure where a record waits to be shown what was sent
of it, and its account has not changed since. Figures, groups and the right to log in are not waited for: what their
writes empty is held, and stops nothing.
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

WHY = (
    "the panel empties what a write does not name, where each of our writes must leave it; the runbook says what to do"
)


def stop(concern: Concern, plans: Iterable[Plan]) -> None:
    """Stop every concern until a person confirms, where one of these plans shows what a write of ours has emptied."""
    if any(_has_emptied(concern, plan) for plan in plans):
        for each in concern.run.concerns.values():
            each.brake.stop(WHY)


def _has_emptied(concern: Concern, plan: Plan) -> bool:
    state, noted = plan.record.state, Note(STANDS, "", code=NOT_TAKEN)
    told = {step.field for step in plan.steps if step.note == noted and state.notes.get(step.field) != noted}
    if not told - (state.base or NO_FORMS).sent.keys():
        return False
    return is_last_change(state.base, concern.changed_at(plan.shown))
