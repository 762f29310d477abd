"""What a panel with bad manners does to values that the API hands it, while it thanks for them; each is a setting.

A panel user's own edit is kept as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.panel.model import Account
from local.panel.settings import Settings

_FIGURES = ("credit_limit", "balance")
_TEXTS = frozenset(
    ["first_name", "last_name", "company", "additional", "nip", "email", "phone", "street", "zip_code", "city"]
)


def changed(changes: Mapping[str, Any], settings: Settings, account: Account) -> dict[str, Any]:
    """Return what such a panel makes of a change of an account, by the names of `model.py`."""
    values = dict(changes)
    if settings.adds_shops and "shops" in values:
        values["shops"] = sorted({*account.shops, *values["shops"]})
    if settings.keeps_when_emptied:
        values = {name: value for name, value in values.items() if value != ""}
    if settings.whole_writes:
        values = dict.fromkeys(_TEXTS - {"email", "additional"}, "") | values
    return kept(values, settings)


def changed_address(changes: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what such a panel makes of a change of a delivery address, by the names of `model.py`."""
    whole = dict.fromkeys(_TEXTS - {"email", "company", "nip"}, "") if settings.whole_writes else {}
    return kept({**whole, **changes}, settings)


def kept(changes: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what such a panel keeps of these values, by the names of `model.py`."""
    return {
        name: _damaged(value, settings) if name in _TEXTS else value
        for name, value in changes.items()
        if name not in settings.ignores_fields and not (settings.zero_leaves and name in _FIGURES and _is_zero(value))
    }


def _is_zero(value: Any) -> bool:
    return isinstance(value, Decimal | int | float) and value == 0


def _damaged(text: str, settings: Settings) -> str:
    if settings.drops_after_four_bytes:  # as MySQL's three-byte utf8 does
        text = re.split("[\U00010000-\U0010ffff]", text, maxsplit=1)[0]
    if settings.escapes_html:
        text = html.escape(text)
    if settings.loses_zeros and text.isdigit():
        text = text.lstrip("0") or "0"
    return text[: settings.cuts_at]
