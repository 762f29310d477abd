"""What a panel that tidies does to text (the setting `normalise`): what it shows is not what it was given."""

from __future__ import annotations

import re
from typing import Any


def tidy(values: dict[str, Any]) -> dict[str, Any]:
    """Values as a tidying panel keeps them: text trimmed, phones grouped by three, postcodes in capitals."""
    return {name: _TIDY.get(name, _trim)(value) if isinstance(value, str) else value for name, value in values.items()}


def _trim(text: str) -> str:
    return " ".join(text.split())


def _phone(text: str) -> str:
    """`+48600100200` and `600-100-200` alike become `600 100 200`."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 11 and digits.startswith("48"):
        digits = digits[2:]
    return " ".join(re.findall(r"\d{1,3}", digits))


def _postcode(text: str) -> str:
    return _trim(text).upper()


_TIDY = {"phone": _phone, "zip_code": _postcode}
