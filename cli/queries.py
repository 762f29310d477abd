"""What an operator asks the exchange database: statements that read, and nothing that decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cli.erp import Erp
from kartoteka.adapters.sql import tables
from kartoteka.codes import State
from kartoteka.fields.table import CONCERNS, GROUP_FIELD
from kartoteka.model import Side
from kartoteka.pieces import pieces

PAGE = 1_000
"""Keys of one statement."""

CLIENT, ADDRESS, GROUP, PRICE = "client", "address", "group", "price"
"""Kinds of records: an owner's own one, and those of its items."""

Row = dict[str, Any]

_CLIENT = tables.ERP.clients.c
_CREDIT = tables.ERP.client_credit.c
_INCOMING = tables.ERP.incoming_clients.c
_ITEM = tables.ERP.discount_group_items.c
_LINK = tables.sync_links.c
_BASE = tables.sync_base.c
_STATUS = tables.sync_status.c
_CONFLICT = tables.sync_conflicts.c
_HISTORY = tables.sync_history.c
_MATCH = tables.sync_matches.c
_ACCOUNT = tables.sync_panel_accounts.c
_PRICE = tables.sync_prices.c

_OPEN = _CONFLICT.closed_at.is_(None)
_ANSWER = sa.func.lower(sa.func.trim(sa.func.coalesce(_CONFLICT.decision, "")))
_UNDECIDED = sa.and_(_OPEN, _ANSWER.not_in([str(side) for side in Side]))
_HELD = _STATUS.state == str(State.HELD)
_DEFERRED = _BASE.due_at.is_not(None)
_LINKED = sa.exists().where(_LINK.client_id == _CLIENT.id)


def _kind(record: sa.Table) -> sa.ColumnElement[str]:
    """Return what a row of this table is about."""
    about = record.c
    return sa.case(
        (sa.and_(about.group_id == "", about.item_id == ""), CLIENT),
        (about.group_id == "", ADDRESS),
        (about.item_id == "", GROUP),
        else_=PRICE,
    )


def _had(concern: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that something of this concern is kept, or said, of a client."""
    return (
        sa.exists().where(_BASE.client_id == _CLIENT.id, _BASE.concern == concern),
        sa.exists().where(_STATUS.client_id == _CLIENT.id, _STATUS.concern == concern),
    )


_CONCERNED: Mapping[str, sa.ColumnElement[bool]] = {
    "accounts": ~_LINKED,
    "discounts": sa.and_(_LINKED, sa.or_(sa.func.coalesce(_CLIENT[GROUP_FIELD], "") != "", *_had("discounts"))),
    "credit": sa.and_(_LINKED, sa.or_(sa.exists().where(_CREDIT.client_id == _CLIENT.id), *_had("credit"))),
}
"""Concern -> the clients that it has to do with; any other concern: all that have an account."""


def totals(erp: Erp) -> Row:
    """Return how many clients there are, how many have an account, and how many things wait for a person."""
    clients = sa.select(sa.func.count()).select_from(tables.ERP.clients)
    return {
        "clients": erp.number(clients),
        "linked": erp.number(clients.where(_LINKED)),
        "held": erp.number(sa.select(sa.func.count()).where(_HELD)),
        "conflicts": erp.number(sa.select(sa.func.count()).where(_OPEN)),
        "undecided": erp.number(sa.select(sa.func.count()).where(_UNDECIDED)),
    }


def states(erp: Erp) -> Sequence[Row]:
    """Return how many records of each kind each concern has in each state."""
    named = sa.select(_STATUS.concern, _kind(tables.sync_status).label("kind"), _STATUS.state).subquery().c
    key = (named.concern, named.kind, named.state)
    return erp.rows(sa.select(*key, sa.func.count().label("records")).group_by(*key).order_by(*key))


def held(erp: Erp, limit: int) -> Sequence[Row]:
    """Return records that wait for a person, the latest first; prices, of which there may be thousands, at the end."""
    names = ("client_id", "group_id", "concern", "item_id", "code", "field", "message_pl", "message_en", "since")
    price = sa.case((_kind(tables.sync_status) == PRICE, 1), else_=0)
    order = (price, _STATUS.since.desc(), _STATUS.client_id, _STATUS.group_id, _STATUS.item_id)
    return erp.rows(sa.select(*(_STATUS[name] for name in names)).where(_HELD).order_by(*order).limit(limit))


def deferred(erp: Erp) -> Sequence[Row]:
    """Return how many records will be tried again by themselves, why, and when the next of them is due."""
    kind = _kind(tables.sync_base).label("kind")
    named = sa.select(_BASE.concern, kind, _BASE.code, _BASE.due_at).where(_DEFERRED).subquery().c
    key = (named.concern, named.kind, named.code)
    figures = (sa.func.count().label("records"), sa.func.min(named.due_at).label("next_due"))
    return erp.rows(sa.select(*key, *figures).group_by(*key).order_by(*key))


def unread(erp: Erp, limit: int, before: datetime) -> Sequence[Row]:
    """Return deferred records about which the panel has not answered since that moment or longer, the longest first."""
    names = ("client_id", "group_id", "concern", "item_id")
    same = sa.and_(*(_BASE[name] == _STATUS[name] for name in names))
    told = (_STATUS.message_pl, _STATUS.message_en, _BASE.unread_since.label("since"))
    found = sa.select(*(_BASE[name] for name in names), _BASE.code, *told)
    found = found.join_from(tables.sync_base, tables.sync_status, same, isouter=True)
    order = (_BASE.unread_since, *(_BASE[name] for name in names))
    return erp.rows(found.where(_DEFERRED, _BASE.unread_since <= before).order_by(*order).limit(limit))


def deferred_with(erp: Erp, concern: str, code: str) -> tuple[int, int]:
    """Return how many clients and discount groups of a concern are deferred for this reason."""
    why = (_DEFERRED, _BASE.concern == concern, _BASE.code == code)
    clients = sa.select(sa.func.count(sa.distinct(_BASE.client_id))).where(*why, _BASE.client_id != "")
    groups = sa.select(sa.func.count(sa.distinct(_BASE.group_id))).where(*why, _BASE.group_id != "")
    return erp.number(clients), erp.number(groups)


def not_shown(erp: Erp) -> Sequence[Row]:
    """Return the fields that were sent and that the panel never shows, by concern, with the number of their records."""
    fields = [(concern, name) for concern, rows in CONCERNS.items() for name, f in rows.fields.items() if f.unproved]
    sent = (sa.func.sum(sa.case((_was_sent(*each), 1), else_=0)).label("/".join(each)) for each in fields)
    prices = sa.select(sa.func.count()).where(_PRICE.price.is_not(None)).scalar_subquery()
    found = sa.select(*sent, prices.label(f"discounts/{PRICE}"))
    (row,) = erp.rows(found.where(_BASE.concern.in_({concern for concern, _ in fields})))
    named = ((*label.split("/"), int(number or 0)) for label, number in row.items())
    return [{"concern": concern, "field": field, "records": number} for concern, field, number in named if number]


def _was_sent(concern: str, field: str) -> sa.ColumnElement[bool]:
    """Return the condition that a base holds a value of this field; the JSON in it is spelled without blanks."""
    begins = f'"{field}":'
    empty = (_BASE["values"].contains(f"{begins}{nothing}", autoescape=True) for nothing in ("null", '""', "[null"))
    return sa.and_(_BASE.concern == concern, _BASE["values"].contains(begins, autoescape=True), ~sa.or_(*empty))


def unmatched(erp: Erp) -> Row:
    """Return how many clients and accounts have not found each other.

    ``candidates``: clients held with several accounts to choose from. ``incoming``: customers of the shop who wait for
    the ERP's answer; ``answered``: those whose answer is not carried yet, or cannot be. ``guests``, and accounts with
    the external code of no client (``unknown_codes``), wait for nobody.
    """
    several = sa.exists().where(_MATCH.client_id == _STATUS.client_id)
    strangers = tables.sync_panel_accounts.outerjoin(tables.ERP.clients, _CLIENT.id == _ACCOUNT.external_code)
    owner = tables.ERP.clients.alias()  # a linked account may carry its client's code in another case
    owned = sa.exists().where(_LINK.panel_client_id == _ACCOUNT.panel_client_id, owner.c.id == _LINK.client_id)
    unknown = sa.and_(_ACCOUNT.external_code != "", _ACCOUNT.guest == sa.false(), _CLIENT.id.is_(None), ~owned)
    unanswered = sa.func.coalesce(_INCOMING.client_id, "") == ""
    return {
        "candidates": erp.number(sa.select(sa.func.count()).where(_HELD, _STATUS.concern == "accounts", several)),
        "incoming": erp.number(sa.select(sa.func.count()).where(unanswered)),
        "answered": erp.number(sa.select(sa.func.count()).where(~unanswered)),
        "guests": erp.number(sa.select(sa.func.count()).where(_ACCOUNT.guest == sa.true())),
        "unknown_codes": erp.number(sa.select(sa.func.count()).select_from(strangers).where(unknown)),
    }


def conflicts(erp: Erp, limit: int, *, closed_too: bool) -> Sequence[Row]:
    """Return conflicts, the latest first."""
    found = sa.select(tables.sync_conflicts).order_by(_CONFLICT.id.desc()).limit(limit)
    return erp.rows(found if closed_too else found.where(_OPEN))


def history(erp: Erp, client_id: str | None, limit: int, *, group: str | None = None) -> Sequence[Row]:
    """Return what was written, the latest first: of one client, of one discount group and its prices, or of all."""
    shown = (column for column in tables.sync_history.columns if column.name not in ("counts", "passed"))
    found = sa.select(*shown).order_by(_HISTORY.id.desc()).limit(limit)
    if client_id is not None:
        found = found.where(_HISTORY.client_id == client_id)
    if group is not None:
        found = found.where(_HISTORY.client_id == "", _HISTORY.group_id == group)
    return erp.rows(found)


def clients(erp: Erp, client_ids: Sequence[str]) -> dict[str, bool]:
    """Return those of these ids that have a row in ``clients``, and whether each has an account."""
    found: dict[str, bool] = {}
    for some in pieces(client_ids, PAGE):
        linked = sa.case((_LINKED, 1), else_=0).label("linked")
        rows = erp.rows(sa.select(_CLIENT.id, linked).where(_CLIENT.id.in_(some)))
        found |= {row["id"]: bool(row["linked"]) for row in rows}
    return found


def count_clients(erp: Erp, concern: str) -> int:
    """Return how many clients a concern has to do with."""
    return erp.number(sa.select(sa.func.count()).select_from(tables.ERP.clients).where(_concerned(concern)))


def pages_of_clients(erp: Erp, concern: str) -> Iterator[Sequence[str]]:
    """Yield the ids of all clients that a concern has to do with, page by page."""
    after = ""
    wanted = sa.select(_CLIENT.id).where(_concerned(concern)).order_by(_CLIENT.id).limit(PAGE)
    while page := [row["id"] for row in erp.rows(wanted.where(_CLIENT.id > after))]:
        yield page
        after = page[-1]


def _concerned(concern: str) -> sa.ColumnElement[bool]:
    """Return the condition that a concern has to do with a client."""
    return _CONCERNED.get(concern, _LINKED)


def prices(erp: Erp, group_id: str) -> int:
    """Return about how many prices a group has: rows that ask for one, or prices that were sent, if these are more."""
    asked = sa.select(sa.func.count()).select_from(tables.ERP.discount_group_items).where(_ITEM.group_id == group_id)
    sent = sa.select(sa.func.count()).select_from(tables.sync_prices).where(_PRICE.group_id == group_id)
    return max(erp.number(asked), erp.number(sent))
