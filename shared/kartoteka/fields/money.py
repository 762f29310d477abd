"""Amounts of money: exact, to the cent (grosz), never a binary float.

An exchange database hands its amounts over as text, whatever the engine keeps them in. Here they become ``Decimal``,
and Reject("bad_amount") is raised for what is none.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from kartoteka.errors import Reject
from kartoteka.model import Value

CENT = Decimal("0.01")
LARGEST = Decimal(10) ** 10
"""What DECIMAL(12,2), the exchange database's type of an amount, cannot hold any more."""

LONGEST = 64
"""Characters of what may be an amount."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def amount(value: Value) -> Decimal:
    """Return an amount, rounded half-up to 0.01. Raises Reject("bad_amount") for what is none."""
    text = str(value).strip()
    number = Decimal(text) if len(text) <= LONGEST and _NUMBER.fullmatch(text) else None
    if number is None or abs(number) >= LARGEST:
        raise Reject("bad_amount", value=text)
    return rounded(number)


def rounded(number: Decimal) -> Decimal:
    """Return the number rounded half-up to 0.01; there is no negative zero."""
    whole = number.quantize(CENT, ROUND_HALF_UP)
    return whole or abs(whole)


def canonical(value: Value) -> str:
    """Return an amount as text with two places; what is no amount is returned as it stands, unlike any amount."""
    if value is None or str(value).strip() == "":
        return ""
    try:
        return str(amount(value))
    except Reject:
        return str(value).strip()


def discounted(base: Decimal, percent: Decimal) -> Decimal:
    """Return the price that a rebate of so many per cent leaves of a base price."""
    return rounded(base * (100 - percent) / 100)
