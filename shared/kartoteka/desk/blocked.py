"""Who will be blocked: clients near their limit or over it, and those with something past its date.

The panel blocks a purchase over the limit; what the ERP says is told here before that happens. Nothing is decided here:
what is sent is :mod:`kartoteka.concerns.credit`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from kartoteka.desk.desk import Data, Desk
from kartoteka.errors import Reject
from kartoteka.fields import money
from kartoteka.fields.table import BALANCE, LIMIT, OVERDUE
from kartoteka.model import Direction
from kartoteka.policy import Overdue
from kartoteka.ports.desk import Asked, Row

ABOVE_ALLOWED, PAST_DUE, OVER, NEAR = "above_allowed", "past_due", "over_limit", "near_limit"
"""Why a client is listed: more past its date than the policy allows, something past its date that the policy does not
ask about; owes the limit or more, owes nearly as much."""


def rows(desk: Desk, asked: Asked) -> Sequence[Row]:
    """Return the clients with an account, the one that has used most of its limit first.

    Each with ``used``, per cent of the limit (None where there is none), ``why``, and ``blocked``: whether credit is
    used up already, or stopped by the policy.
    """
    return [_told(row, desk.policy.credit.overdue) for row in desk.tables.near_limit(_allowed(desk), asked)]


def count(desk: Desk) -> int:
    """Return how many clients the list holds; 0 where credit is not looked after."""
    return desk.tables.count_near_limit(_allowed(desk), Asked()) if is_on(desk) else 0


def is_on(desk: Desk) -> bool:
    """Return whether the policy looks after credit."""
    return desk.policy.credit.direction is not Direction.OFF


def _allowed(desk: Desk) -> Decimal:
    return desk.policy.credit.overdue.allowed or Decimal(0)


def _told(row: Row, rule: Overdue) -> Data:
    limit, owed, late = (_amount(row[name]) for name in (LIMIT, BALANCE, OVERDUE))
    why = []
    if late > (rule.allowed or 0):
        why.append(PAST_DUE if rule.allowed is None else ABOVE_ALLOWED)
    if owed > 0 and owed * 100 >= limit * row["near"]:
        why.append(OVER if owed >= limit else NEAR)
    stopped = ABOVE_ALLOWED in why and rule.then == "zero"
    figures = {name: money.canonical(row[name]) for name in (LIMIT, BALANCE, OVERDUE)}
    told = {name: value for name, value in row.items() if name != "near"} | figures
    return {
        **told,
        "used": int(owed * 100 / limit) if limit > 0 else None,
        "why": why,
        "blocked": stopped or OVER in why,
    }


def _amount(text: str | None) -> Decimal:
    """Return a figure; one that cannot be read is held by name, and counts for nothing here."""
    try:
        return money.amount(text)
    except Reject:
        return Decimal(0)
