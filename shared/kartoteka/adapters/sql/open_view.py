"""``sync_open``: the view of everything that is not as it should be, for the ERP and its people to read."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql.tables import ErpTables, sync_conflicts, sync_matches, sync_status
from kartoteka.adapters.sql.values import word_in
from kartoteka.codes import State, Status
from kartoteka.model import MatchDecision, Side

NAME = "sync_open"
COLUMNS = (
    *("client_id", "group_id", "concern", "item_id", "field"),
    *("state", "code", "since", "message_pl", "message_en"),
)
ALL_IS_WELL = (State.IN_STEP, State.EXCLUDED)
CALLS_FOR_SOMEBODY = "forgotten"
"""A code of what is left alone and yet must not stay so."""
CONCERN = "accounts"
INCOMING, INCOMING_FIELD = "not_a_client", "client_id"
_HERE, _SAID = "<here>", "<said>"
DECISION = "decision"
SETTLES, NAMES = ("", *map(str, Side)), ("", *map(str, MatchDecision))
"""What is an answer to a conflict, and to a question whose an account is; and none yet."""

_STATUS, _CONFLICT, _MATCH = sync_status.c, sync_conflicts.c, sync_matches.c


def selected(erp: ErpTables) -> sa.CompoundSelect[Any]:
    """Return the rows of the view.

    A record is a row with the first field meant; each further field in conflict, and each customer of the shop who is
    no client yet, is one more (its ``item_id`` is the panel's number of the account); so is a decision that is none.
    """
    told = sa.select(*(_STATUS[name] for name in COLUMNS)).where(
        sa.or_(_STATUS.state.not_in(list(map(str, ALL_IS_WELL))), _STATUS.code == CALLS_FOR_SOMEBODY)
    )
    return sa.union_all(told, _conflicts(), _incoming(erp), _unsettling(), _unmatching())


def _conflicts() -> sa.Select[Any]:
    """Return open conflicts of fields that the record's status does not name first."""
    is_told = sa.exists(_STATUS.client_id).where(
        *(_STATUS[name] == _CONFLICT[name] for name in ("client_id", "concern", "item_id", "field")),
        _STATUS.group_id == "",
        _STATUS.state == str(State.CONFLICT),
    )
    status = codes.status("conflict", [_HERE])
    return _of_conflicts(status, {_HERE: _CONFLICT.field}).where(~is_told)


def _unsettling() -> sa.Select[Any]:
    """Return open conflicts whose decision is no answer."""
    status = codes.status("bad_decision.conflict", [_HERE], value=_SAID)
    found = _of_conflicts(status, {_HERE: _CONFLICT.field, _SAID: _CONFLICT.decision})
    return found.where(word_in(_CONFLICT.decision).not_in(SETTLES))


def _unmatching() -> sa.Select[Any]:
    """Return candidates whose decision is no answer."""
    status = codes.status("bad_decision.match", [DECISION], value=_SAID)
    about, said = (_MATCH.client_id, _text(""), _text(CONCERN), _MATCH.panel_client_id), {_SAID: _MATCH.decision}
    found = _rows(about, _text(DECISION), status, _MATCH.raised_at, said)
    return found.where(word_in(_MATCH.decision).not_in(NAMES))


def _of_conflicts(status: Status, named: Mapping[str, sa.ColumnElement[str]]) -> sa.Select[Any]:
    about = (_CONFLICT.client_id, _text(""), _CONFLICT.concern, _CONFLICT.item_id)
    return _rows(about, _CONFLICT.field, status, _CONFLICT.raised_at, named).where(_CONFLICT.closed_at.is_(None))


def _incoming(erp: ErpTables) -> sa.Select[Any]:
    """Return the customers of the shop to whom the ERP has given no client's code yet."""
    row, status = erp.incoming_clients.c, codes.status(INCOMING, [INCOMING_FIELD])
    about = (_text(""), _text(""), _text(CONCERN), row.panel_client_id)
    found = _rows(about, _text(INCOMING_FIELD), status, row.seen_at, {})
    return found.where(sa.func.coalesce(row.client_id, "") == "")


def _rows(
    about: Sequence[sa.ColumnElement[str]],
    field: sa.ColumnElement[str],
    status: Status,
    since: sa.ColumnElement[Any],
    named: Mapping[str, sa.ColumnElement[str]],
) -> sa.Select[Any]:
    """Return the view's columns; ``about`` names the record, ``named`` what stands in the messages' places."""
    said = (_text(str(status.state)), _text(status.code))
    messages = (_filled(message, named) for message in (status.message_pl, status.message_en))
    values = (*about, field, *said, since, *messages)
    return sa.select(*(value.label(name) for name, value in zip(COLUMNS, values, strict=True)))


def _filled(message: str, named: Mapping[str, sa.ColumnElement[str]]) -> sa.ColumnElement[str]:
    """Return a message with columns' values in their places."""
    parts = re.split(f"({'|'.join(named)})", message) if named else [message]
    return reduce(operator.add, (named[part] if part in named else _text(part) for part in parts if part))


def _text(text: str) -> sa.ColumnElement[str]:
    return sa.literal(text, sa.Unicode())
