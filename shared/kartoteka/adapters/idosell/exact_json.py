"""JSON with exact numbers, both ways: a number with a point is a ``Decimal``, and there is never a binary float.

The standard library can read a ``Decimal`` but cannot write one as a number.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

_plain = json.JSONEncoder(ensure_ascii=False).encode


def written(value: Any) -> str:
    """Return the value as JSON, amounts digit for digit. TypeError for what has no exact form, as a float or NaN."""
    match value:
        case None | bool() | int() | str():
            return _plain(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case dict():
            return "{" + ",".join(f"{_name(name)}:{written(inner)}" for name, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(written, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no exact form in JSON")


def read(content: bytes) -> Any:
    """Return what an answer holds. ValueError where it is no JSON; NaN and the infinities are none."""
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
    except (ArithmeticError, RecursionError):
        raise ValueError("no JSON that could be kept") from None


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{type(name).__name__} is no name in JSON")
    return _plain(name)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
