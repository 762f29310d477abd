"""What an operator asks the exchange database: statements that read, and nothing that decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cli.erp import Erp
from kartoteka.adapters import schema
from kartoteka.core.concerns import ACCOUNTS, CREDIT, DISCOUNTS, GROUPS
from kartoteka.model import Side, State

PAGE = 1_000
"""Keys of one statement."""

PRICES = schema.discount_group_items.name
"""What the prices of discount groups are called beside the concerns; the groups are called as in their messages."""

Row = dict[str, Any]

_CARD = schema.clients.c
_LINK = schema.sync_links.c
_STATUS = schema.sync_status.c
_PARKED = schema.sync_parked.c
_CONFLICT = schema.sync_conflicts.c
_HISTORY = schema.sync_history.c
_MATCH = schema.sync_matches.c
_INCOMING = schema.incoming_clients.c
_ACCOUNT = schema.sync_panel_accounts.c
_AGREED = schema.sync_agreed.c
_GROUP = schema.discount_groups.c
_ITEM = schema.discount_group_items.c
_PRICE = schema.sync_prices.c
_CREDIT = schema.client_credit.c

_OPEN = _CONFLICT.closed_at.is_(None)
_ANSWER = sa.func.lower(sa.func.trim(sa.func.coalesce(_CONFLICT.decision, "")))
_UNDECIDED = sa.and_(_OPEN, _ANSWER.not_in([str(side) for side in Side]))
_HELD = _STATUS.state == str(State.HELD)
_LINKED = sa.exists().where(_LINK.client_id == _CARD.id)

_OF_A_GROUP = sa.and_(_STATUS.client_id == "", _STATUS.concern == DISCOUNTS.name)
_IS_A_GROUP = sa.or_(
    _STATUS.item_id.not_like("%/%/%"),
    sa.exists().where(_GROUP.id == _STATUS.item_id),
    sa.exists().where(_AGREED.client_id == "", _AGREED.concern == DISCOUNTS.name, _AGREED.item_id == _STATUS.item_id),
)
"""A price's item id is ``group/type/id``; a group's id may have the same form."""


def _had(concern: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that something of this concern was agreed, or is told, of a card."""
    return (
        sa.exists().where(_AGREED.client_id == _CARD.id, _AGREED.concern == concern),
        sa.exists().where(_STATUS.client_id == _CARD.id, _STATUS.concern == concern),
    )


_CONCERNED: Mapping[str, sa.ColumnElement[bool]] = {
    ACCOUNTS.name: ~_LINKED,
    DISCOUNTS.name: sa.and_(
        _LINKED, sa.or_(sa.func.coalesce(_CARD.discount_group_id, "") != "", *_had(DISCOUNTS.name))
    ),
    CREDIT.name: sa.and_(_LINKED, sa.or_(sa.exists().where(_CREDIT.client_id == _CARD.id), *_had(CREDIT.name))),
}
"""Concern -> the cards it has to do with; any other concern: all that have an account."""


def totals(erp: Erp) -> Row:
    """Return how many cards there are, how many have an account, and how many things wait for a person."""
    return {
        "cards": erp.number(sa.select(sa.func.count()).select_from(schema.clients)),
        "linked": erp.number(sa.select(sa.func.count()).select_from(schema.clients).where(_LINKED)),
        "held": erp.number(sa.select(sa.func.count()).where(_HELD)),
        "conflicts": erp.number(sa.select(sa.func.count()).where(_OPEN)),
        "undecided": erp.number(sa.select(sa.func.count()).where(_UNDECIDED)),
    }


def states(erp: Erp) -> Sequence[Row]:
    """Return how many records each concern has in each state; discount groups and their prices are told apart."""
    what = sa.case((~_OF_A_GROUP, _STATUS.concern), (_IS_A_GROUP, GROUPS.name), else_=PRICES).label("concern")
    named = sa.select(what, _STATUS.state).subquery()
    key = (named.c.concern, named.c.state)
    return erp.rows(sa.select(*key, sa.func.count().label("records")).group_by(*key).order_by(*key))


def held(erp: Erp, limit: int) -> Sequence[Row]:
    """Return records that wait for a person, the latest first; prices, of which there may be thousands, at the end."""
    columns = (_STATUS.client_id, _STATUS.concern, _STATUS.item_id, _STATUS.code, _STATUS.message, _STATUS.since)
    price = sa.case((sa.and_(_OF_A_GROUP, ~_IS_A_GROUP), 1), else_=0)
    order = (price, _STATUS.since.desc(), _STATUS.client_id, _STATUS.item_id)
    return erp.rows(sa.select(*columns).where(_HELD).order_by(*order).limit(limit))


def parked(erp: Erp) -> Sequence[Row]:
    """Return how many records will be tried again by themselves, why, and when the next of them is due."""
    group = sa.and_(_PARKED.client_id == "", _PARKED.concern == DISCOUNTS.name)
    what = sa.case((group, GROUPS.name), else_=_PARKED.concern).label("concern")
    named = sa.select(what, _PARKED.code, _PARKED.due_at).subquery()
    key = (named.c.concern, named.c.code)
    figures = (sa.func.count().label("records"), sa.func.min(named.c.due_at).label("next_due"))
    return erp.rows(sa.select(*key, *figures).group_by(*key).order_by(*key))


def parked_with(erp: Erp, concern: str, code: str) -> tuple[int, int]:
    """Return how many customers and discount groups of a concern are parked for this reason."""
    why = (_PARKED.concern == concern, _PARKED.code == code)
    customers = sa.select(sa.func.count(sa.distinct(_PARKED.client_id))).where(*why, _PARKED.client_id != "")
    groups = sa.select(sa.func.count()).select_from(schema.sync_parked).where(*why, _PARKED.client_id == "")
    return erp.number(customers), erp.number(groups)


def unmatched(erp: Erp) -> Row:
    """Return how many cards and accounts have not found each other.

    ``candidates``: cards held with several accounts to choose from. ``incoming``: customers of the shop who wait for
    the ERP's answer; ``answered``: those whose answer is not carried yet, or cannot be. ``guests``, and accounts with
    the external code of no card (``unknown_codes``), wait for nobody.
    """
    several = sa.exists().where(_MATCH.client_id == _STATUS.client_id)
    strangers = schema.sync_panel_accounts.outerjoin(schema.clients, _CARD.id == _ACCOUNT.external_code)
    unknown = sa.and_(_ACCOUNT.external_code != "", _ACCOUNT.guest == sa.false(), _CARD.id.is_(None))
    unanswered = sa.func.coalesce(_INCOMING.client_id, "") == ""
    return {
        "candidates": erp.number(sa.select(sa.func.count()).where(_HELD, _STATUS.concern == ACCOUNTS.name, several)),
        "incoming": erp.number(sa.select(sa.func.count()).where(unanswered)),
        "answered": erp.number(sa.select(sa.func.count()).where(~unanswered)),
        "guests": erp.number(sa.select(sa.func.count()).where(_ACCOUNT.guest == sa.true())),
        "unknown_codes": erp.number(sa.select(sa.func.count()).select_from(strangers).where(unknown)),
    }


def conflicts(erp: Erp, limit: int, *, closed_too: bool) -> Sequence[Row]:
    """Return conflicts, the latest first."""
    found = sa.select(schema.sync_conflicts).order_by(_CONFLICT.id.desc()).limit(limit)
    return erp.rows(found if closed_too else found.where(_OPEN))


def history(erp: Erp, client_id: str | None, limit: int, *, group: str | None = None) -> Sequence[Row]:
    """Return what was written, the latest first: of one customer, of one discount group and its prices, or of all."""
    found = sa.select(schema.sync_history).order_by(_HISTORY.id.desc()).limit(limit)
    if client_id is not None:
        found = found.where(_HISTORY.client_id == client_id)
    if group is not None:
        own = sa.or_(_HISTORY.item_id == group, _HISTORY.item_id.startswith(f"{group}/", autoescape=True))
        found = found.where(_HISTORY.client_id == "", _HISTORY.concern == DISCOUNTS.name, own)
    return erp.rows(found)


def cards(erp: Erp, client_ids: Sequence[str]) -> dict[str, bool]:
    """Return those of these ids that have a card, and whether each has an account."""
    found: dict[str, bool] = {}
    for start in range(0, len(client_ids), PAGE):
        some = _CARD.id.in_(client_ids[start : start + PAGE])
        rows = erp.rows(sa.select(_CARD.id, sa.case((_LINKED, 1), else_=0).label("linked")).where(some))
        found |= {row["id"]: bool(row["linked"]) for row in rows}
    return found


def count_cards(erp: Erp, concern: str) -> int:
    """Return how many cards a concern has to do with."""
    return erp.number(sa.select(sa.func.count()).select_from(schema.clients).where(_concerned(concern)))


def pages_of_cards(erp: Erp, concern: str) -> Iterator[Sequence[str]]:
    """Yield the ids of all cards that a concern has to do with, page by page."""
    after = ""
    wanted = sa.select(_CARD.id).where(_concerned(concern)).order_by(_CARD.id).limit(PAGE)
    while page := [row["id"] for row in erp.rows(wanted.where(_CARD.id > after))]:
        yield page
        after = page[-1]


def _concerned(concern: str) -> sa.ColumnElement[bool]:
    """Return the condition that a concern has to do with a card."""
    return _CONCERNED.get(concern, _LINKED)


def prices(erp: Erp, group_id: str) -> int:
    """Return about how many prices a group has: rows that ask for one, or prices that were sent, if these are more."""
    asked = sa.select(sa.func.count()).select_from(schema.discount_group_items).where(_ITEM.group_id == group_id)
    sent = sa.select(sa.func.count()).select_from(schema.sync_prices).where(_PRICE.group_id == group_id)
    return max(erp.number(asked), erp.number(sent))
