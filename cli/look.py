"""What an operator asks the exchange database: statements that read, and nothing that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from cli.erp import Erp
from kartoteka.adapters import schema
from kartoteka.core.concerns import ACCOUNTS
from kartoteka.core.model import Side, State

PAGE = 1_000
"""Keys of one statement."""

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

_OPEN = _CONFLICT.closed_at.is_(None)
_ANSWER = sa.func.lower(sa.func.trim(sa.func.coalesce(_CONFLICT.decision, "")))
_UNDECIDED = sa.and_(_OPEN, _ANSWER.not_in([str(side) for side in Side]))
_HELD = _STATUS.state == str(State.HELD)
_LINKED = sa.exists().where(_LINK.client_id == _CARD.id)


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
    """Return how many records each concern has in each state."""
    key = (_STATUS.concern, _STATUS.state)
    return erp.rows(sa.select(*key, sa.func.count().label("records")).group_by(*key).order_by(*key))


def held(erp: Erp, limit: int) -> Sequence[Row]:
    """Return records that wait for a person, the latest first."""
    columns = (_STATUS.client_id, _STATUS.concern, _STATUS.item_id, _STATUS.code, _STATUS.message, _STATUS.since)
    return erp.rows(sa.select(*columns).where(_HELD).order_by(_STATUS.since.desc(), _STATUS.client_id).limit(limit))


def parked(erp: Erp) -> Sequence[Row]:
    """Return how many records will be tried again by themselves, why, and when the next of them is due."""
    key = (_PARKED.concern, _PARKED.code)
    figures = (sa.func.count().label("records"), sa.func.min(_PARKED.due_at).label("next_due"))
    return erp.rows(sa.select(*key, *figures).group_by(*key).order_by(*key))


def parked_with(erp: Erp, concern: str, code: str) -> int:
    """Return how many customers of a concern are parked for this reason."""
    customers = sa.func.count(sa.distinct(_PARKED.client_id))
    return erp.number(sa.select(customers).where(_PARKED.concern == concern, _PARKED.code == code))


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


def history(erp: Erp, client_id: str | None, limit: int) -> Sequence[Row]:
    """Return what was written, the latest first."""
    found = sa.select(schema.sync_history).order_by(_HISTORY.id.desc()).limit(limit)
    return erp.rows(found if client_id is None else found.where(_HISTORY.client_id == client_id))


def cards(erp: Erp, client_ids: Sequence[str]) -> dict[str, bool]:
    """Return those of these ids that have a card, and whether each has an account."""
    found: dict[str, bool] = {}
    for start in range(0, len(client_ids), PAGE):
        some = _CARD.id.in_(client_ids[start : start + PAGE])
        rows = erp.rows(sa.select(_CARD.id, sa.case((_LINKED, 1), else_=0).label("linked")).where(some))
        found |= {row["id"]: bool(row["linked"]) for row in rows}
    return found


def count_cards(erp: Erp, *, linked: bool) -> int:
    """Return how many cards have an account, or have none."""
    return erp.number(sa.select(sa.func.count()).select_from(schema.clients).where(_LINKED if linked else ~_LINKED))


def pages_of_cards(erp: Erp, *, linked: bool) -> Iterator[Sequence[str]]:
    """Yield the ids of all cards that have an account, or have none, page by page."""
    after = ""
    wanted = sa.select(_CARD.id).where(_LINKED if linked else ~_LINKED).order_by(_CARD.id).limit(PAGE)
    while page := [row["id"] for row in erp.rows(wanted.where(_CARD.id > after))]:
        yield page
        after = page[-1]
