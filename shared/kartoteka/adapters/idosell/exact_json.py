"""JSON with exact numbers, both ways: a number with a point is a ``Decimal``, and there is never a binary float.

The standard library can read a ``Decimal`` but cannot write one as a number. What an answer may hold has limits
(:func:`read`), so that none takes more memory or time than a function has.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NoReturn

_CONSTANTS = {None: "null", True: "true", False: "false"}


def written(value: Any) -> str:
    """Return the value as JSON, amounts digit for digit. TypeError for what has no exact form, as a float or NaN."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join([_name(name) + written(inner) for name, inner in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no exact form in JSON")


DEEPEST = 50
"""Lists and objects within each other that are read; the panel's own answers have about six."""
LONGEST_NUMBER = 100
"""Characters, and digits written out, of what is read as a number; a longer one stays the text that it is."""


def values_at_most(content: bytes) -> int:
    """Return how many values a JSON text holds at most; commas and brackets within its texts count too."""
    return 1 + sum(map(content.count, (b",", b"[", b"{")))


def read(content: bytes, most_values: int = 250_000) -> Any:
    """Return what an answer holds. ValueError where it is no JSON, is too deep, or may hold more than ``most_values``.

    NaN and the infinities are no JSON.
    """
    if values_at_most(content) > most_values:
        raise ValueError("too many values")
    try:
        found = json.loads(
            content.decode("utf-8-sig"), parse_float=_decimal, parse_int=_whole, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError("no JSON that could be kept") from None
    _check_depth(found)
    return found


def _check_depth(found: Any) -> None:
    """Raise ValueError where lists and objects lie too deep within each other to be gone through."""
    level = [found]
    for _ in range(DEEPEST + 1):
        level = [value for value in level if isinstance(value, dict | list)]
        if not level:
            return
        level = [value for each in level for value in (each.values() if isinstance(each, dict) else each)]
    raise ValueError("too deep")


def _decimal(text: str) -> Decimal | str:
    """Return a number with a point or an exponent; one that nobody could write out stays a text."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    exact = len(text) <= LONGEST_NUMBER and abs(number.adjusted()) <= LONGEST_NUMBER
    return number if exact else text


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= LONGEST_NUMBER else text


@lru_cache(maxsize=512)
def _name(name: Any) -> str:
    """Return the name of a value with what follows it; requests have the same few again and again."""
    if not isinstance(name, str):
        raise TypeError(f"{type(name).__name__} is no name in JSON")
    return f"{encode_basestring(name)}:"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
