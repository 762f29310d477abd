"""Codecs: how a value is written for the panel, and back again.

``to_panel`` takes a value of the exchange database and raises Reject where the panel could not take it; ``from_panel``
reads whatever the panel shows, in any of its vocabularies, and never raises. For every value that ``to_panel`` takes,
``from_panel(as the panel shows it)`` equals it once normalised. Vocabularies: the Admin API takes some flags as JSON
booleans and others as the words yes and no, and shows them as yes/no or y/n; it writes ``person_male`` and shows
``male``; it shows country codes in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kartoteka.errors import Reject
from kartoteka.fields import money, normal
from kartoteka.fields.values import ids_of
from kartoteka.model import Value

_SHOWN_TYPES = {"private": "person", "male": "person_male", "female": "person_female", "firm": "firm"}
CLIENT_TYPES = ("person", "person_male", "person_female", "firm")
"""The exchange database's and the panel's writing words."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST_ADDRESS = 1_000
"""Letters of what may be an e-mail address; how many a column holds is another matter."""
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")


@dataclass(frozen=True, slots=True)
class Codec:
    """A pair of functions between the exchange database's values and the panel's."""

    to_panel: Callable[[Value], Any]
    from_panel: Callable[[Any], Value]


def _text_to_panel(value: Value) -> str:
    text = "" if value is None else str(value)
    if _FORBIDDEN.search(text):
        raise Reject("unprintable")
    return text


def _text_from_panel(shown: Any) -> str:
    return "" if shown is None or shown == [] else str(shown)


def _email_to_panel(value: Value) -> str:
    text = _text_to_panel(value).strip()
    if normal.hidden(text):
        raise Reject("bad_email.hidden")
    if text and (len(text) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(text)):
        raise Reject("bad_email")
    return text


def _code(length: int, case: Callable[[str], str]) -> Callable[[Value], str]:
    def to_panel(value: Value) -> str:
        text = _text_to_panel(value).strip()
        if text and not (len(text) == length and text.isascii() and text.isalpha()):
            raise Reject("bad_code")
        return case(text)

    return to_panel


def _type_to_panel(value: Value) -> str:
    text = _text_to_panel(value).strip().lower()
    if text and text not in CLIENT_TYPES:
        raise Reject("bad_client_type")
    return text


def _type_from_panel(shown: Any) -> str:
    text = _text_from_panel(shown).strip().lower()
    return _SHOWN_TYPES.get(text, text)


def _flag_to_panel(value: Value) -> bool | None:
    if isinstance(value, str) and value and value.strip().casefold() not in normal.TRUE | normal.FALSE:
        raise Reject("bad_flag")
    return _flag_from_panel(value)


def _yes_no_to_panel(value: Value) -> str | None:
    flag = _flag_to_panel(value)
    return None if flag is None else "yes" if flag else "no"


def _flag_from_panel(shown: Any) -> bool | None:
    if shown is None or shown in ("", []):
        return None
    return str(shown).strip().casefold() in normal.TRUE


def _upper_from_panel(shown: Any) -> str:
    return _text_from_panel(shown).strip().upper()


def _is_number(text: str) -> bool:
    """Whether it is a number that a panel may give to a shop or a group."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS_OF_IDS


def _shops_to_panel(value: Value) -> list[int]:
    return list(ids_of(value))


def _shops_from_panel(shown: Any) -> tuple[int, ...]:
    """Read a list of ids, or of objects with a ``shopId``; what is neither a number nor holds one is left out."""
    entries = shown if isinstance(shown, list) else []
    ids = (str(entry.get("shopId") if isinstance(entry, dict) else entry) for entry in entries)
    return tuple(sorted({int(number) for number in ids if _is_number(number)}))


def _money_to_panel(value: Value) -> Decimal | None:
    return None if value is None or value == "" else money.amount(value)


def _money_from_panel(shown: Any) -> str:
    return money.canonical(_text_from_panel(shown))


def _days_to_panel(value: Value) -> int | None:
    text = "" if value is None else str(value).strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS_OF_DAYS):
        raise Reject("bad_days")
    return int(text) if text else None


MOST_DIGITS_OF_DAYS = 3
MOST_DIGITS_OF_IDS = 18


def _group_to_panel(value: Value) -> int:
    """Write a panel's number of a group; no group at all is 0, as far as the API is known."""
    text = "" if value is None else str(value)
    if text and not _is_number(text):
        raise Reject("bad_group")
    return int(text or 0)


def _group_from_panel(shown: Any) -> str:
    text = _text_from_panel(shown).strip()
    return "" if text == "0" else text


TEXT = Codec(_text_to_panel, _text_from_panel)
EMAIL = Codec(_email_to_panel, _text_from_panel)
COUNTRY = Codec(_code(2, str.upper), _upper_from_panel)
LANGUAGE = Codec(_code(3, str.lower), _text_from_panel)
CURRENCY = Codec(_code(3, str.upper), _upper_from_panel)
CLIENT_TYPE = Codec(_type_to_panel, _type_from_panel)
MONEY = Codec(_money_to_panel, _money_from_panel)
DAYS = Codec(_days_to_panel, _text_from_panel)
GROUP = Codec(_group_to_panel, _group_from_panel)
SHOPS = Codec(_shops_to_panel, _shops_from_panel)
FLAG = Codec(_flag_to_panel, _flag_from_panel)
YES_NO = Codec(_yes_no_to_panel, _flag_from_panel)
