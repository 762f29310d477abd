"""``sync_open``: the view of everything that is not as it should be, for the ERP and its people to read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql.tables import ErpTables, sync_conflicts, sync_status
from kartoteka.codes import State

NAME = "sync_open"
COLUMNS = (
    *("client_id", "group_id", "concern", "item_id", "field"),
    *("state", "code", "since", "message_pl", "message_en"),
)
ALL_IS_WELL = (State.IN_STEP, State.EXCLUDED)
CALLS_FOR_SOMEBODY = "forgotten"
"""A code of what is left alone and yet must not stay so."""
INCOMING, INCOMING_CONCERN, INCOMING_FIELD = "not_a_client", "accounts", "client_id"
_HERE = "{here}"

_STATUS, _CONFLICT = sync_status.c, sync_conflicts.c


def selected(erp: ErpTables) -> sa.CompoundSelect[Any]:
    """Return the rows of the view.

    A record is a row with the first field meant; each further field in conflict, and each customer of the shop who is
    no client yet, is one more (its ``item_id`` is the panel's number of the account).
    """
    told = sa.select(*(_STATUS[name] for name in COLUMNS)).where(
        sa.or_(_STATUS.state.not_in(list(map(str, ALL_IS_WELL))), _STATUS.code == CALLS_FOR_SOMEBODY)
    )
    return sa.union_all(told, _conflicts(), _incoming(erp))


def _conflicts() -> sa.Select[Any]:
    """Return open conflicts of fields that the record's status does not name first."""
    is_told = sa.exists(_STATUS.client_id).where(
        *(_STATUS[name] == _CONFLICT[name] for name in ("client_id", "concern", "item_id", "field")),
        _STATUS.group_id == "",
        _STATUS.state == str(State.CONFLICT),
    )
    status = codes.status("conflict", [_HERE])
    return sa.select(
        _CONFLICT.client_id,
        _text("").label("group_id"),
        _CONFLICT.concern,
        _CONFLICT.item_id,
        _CONFLICT.field,
        _text(str(status.state)).label("state"),
        _text(status.code).label("code"),
        _CONFLICT.raised_at.label("since"),
        _about(status.message_pl, _CONFLICT.field).label("message_pl"),
        _about(status.message_en, _CONFLICT.field).label("message_en"),
    ).where(_CONFLICT.closed_at.is_(None), ~is_told)


def _incoming(erp: ErpTables) -> sa.Select[Any]:
    """Return the customers of the shop to whom the ERP has given no client's code yet."""
    row, status = erp.incoming_clients.c, codes.status(INCOMING, [INCOMING_FIELD])
    return sa.select(
        _text("").label("client_id"),
        _text("").label("group_id"),
        _text(INCOMING_CONCERN).label("concern"),
        row.panel_client_id.label("item_id"),
        _text(INCOMING_FIELD).label("field"),
        _text(str(status.state)).label("state"),
        _text(status.code).label("code"),
        row.seen_at.label("since"),
        _text(status.message_pl).label("message_pl"),
        _text(status.message_en).label("message_en"),
    ).where(sa.func.coalesce(row.client_id, "") == "")


def _about(message: str, name: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return a message with a column's value in its place."""
    before, after = message.split(_HERE)
    return _text(before) + name + _text(after)


def _text(text: str) -> sa.ColumnElement[str]:
    return sa.literal(text, sa.Unicode())
