"""Clients that are left alone in a concern: a row of ``sync_exclusions`` says so, until it is deleted.

Nothing is asked, written or tried again of their records, and nothing of what is known of them is lost: the base, an
intent, open conflicts and a person's word stand as they are. Once the row is gone, what was edited meanwhile is
compared with that base, like after an outage.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.model import BY_HAND, REFUSED, REFUSED_TOGETHER, Ended, Record, RecordState
from kartoteka.sync.plan import Act, Plan

EXCLUDED = "excluded"


def left_out(record: Record, shown: Any = None) -> Plan:
    """Return the plan of a record of an excluded client: it is said, and nothing else is done.

    A record of which nothing would be left is nothing to be told of. What a person has approved to be undone is not.
    """
    state = record.state
    stands = record.erp is not None or state.base is not None or state.intent is not None or state.panel_id != ""
    ended = dict.fromkeys((row.id for row in record.undo), Ended.STALE)
    if record.key.item_id and not stands:
        return Plan(record, Act.FORGET, decision=state.decision, ended=ended)
    return Plan(record, Act.KEEP, status=_said(record), shown=shown, decision=state.decision, ended=ended)


def _said(record: Record) -> Status | None:
    """Return what is said: also that the client is gone, or was never there."""
    if not record.has_client:
        known = record.link is not None or record.state.base is not None
        return codes.status("deleted" if known else "no_client.excluded")
    if record.code == BY_HAND:  # it is left alone already, and longer than the exclusion stands
        return record.state.status
    return codes.status(EXCLUDED)


def is_back(record: Record) -> bool:
    """Whether a record was left alone, and is not any more: that has not been taken up yet."""
    return record.code == EXCLUDED and not record.excluded


def taken_back(plan: Plan) -> Plan:
    """Return the plan of a record of a client that is not excluded (any more): that it was is not said again."""
    told = plan.status
    is_left = is_back(plan.record) and told is not None and told.code == EXCLUDED
    return replace(plan, status=None) if is_left else plan


def forgotten(record: Record) -> RecordState:
    """Return the state of a record that is back: a refusal of the whole is tried again, since nobody tells it now."""
    notes = record.state.notes
    kept = {name: n for name, n in notes.items() if name or n.kind not in (REFUSED, REFUSED_TOGETHER)}
    return replace(record.state, notes=kept)
