"""Money as decimals of two places, rounded half up, and JSON that keeps them exact in both directions.

The contract's assumption is two decimals and no binary float. Numbers of a request are read as Decimal. In an answer
a Decimal is handed to the JSON writer as a float, for the standard writer takes nothing else for a number; that is
exact all the same: a float prints back every decimal of up to 15 digits, and amounts have at most 12 + 2.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
MOST = Decimal(10) ** 12


def money(value: Any) -> Decimal:
    """An amount from a number or a text; a float is taken as the digits it prints. Raises ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("not an amount")  # noqa: TRY004 - one kind of error for every amount that is none
    try:
        exact = Decimal(str(value).strip())
    except ArithmeticError:
        raise ValueError("not an amount") from None
    if not exact.is_finite() or exact.copy_abs() >= MOST:
        raise ValueError("an amount is below 10^12")
    return exact.quantize(CENT, ROUND_HALF_UP) + ZERO  # the sum takes the sign off a zero


def written(amount: Decimal) -> str:
    """The amount as text with two decimals, for dumps, control answers and pages."""
    return f"{amount:.2f}"


_HALF = re.compile("[\ud800-\udfff]")


def read_json(raw: bytes | str) -> Any:
    """JSON with exact numbers. Raises ValueError for anything else, NaN and the infinities too."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except ArithmeticError:
        raise ValueError("a number without bounds") from None


def json_text(value: Any) -> str:
    """JSON in few characters, with a Decimal as a number, and half of a surrogate pair by its number."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_number)
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _number(value: Any) -> float:
    if not isinstance(value, Decimal):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return float(value)
