"""A panel on which a write empties what it does not name: noticed at the first record it shows, and stopped.

Each record is held by itself (:data:`kartoteka.sync.merge.MANY`), and the ERP keeps what it has; but every write that
follows would empty another account. That it was a write of ours is sure where the account has not changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kartoteka.model import STANDS, Note
from kartoteka.sync.merge import NOT_TAKEN
from kartoteka.sync.plan import Plan
from kartoteka.sync.taken import SAME_MOMENT

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
    state = plan.record.state
    if state.base is None or not state.base.sent or not any(step.note for step in plan.steps):
        return False
    noted = Note(STANDS, "", code=NOT_TAKEN)
    emptied = {step.field for step in plan.steps if step.note == noted and state.notes.get(step.field) != noted}
    changed_at = concern.changed_at(plan.shown)
    ours = changed_at is not None and changed_at <= max(sent.at for sent in state.base.sent.values()) + SAME_MOMENT
    return ours and bool(emptied - state.base.sent.keys())
