"""Normalisers: the form in which two values are compared, never the form in which one is written.

A panel trims, a person adds a space, an ERP writes a telephone number its own way: none of these is an edit. Each
function takes a value and the country of its record (a telephone number and a tax number are read by it) and answers
with text, empty for an empty value. All are idempotent. Letter case counts in names and streets: correcting
it is an edit.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import phonenumbers

from kartoteka.fields import money
from kartoteka.fields.values import as_text
from kartoteka.model import Value

TRUE = frozenset({"true", "1", "yes", "y", "t"})
"""The words of a set flag, on either side."""
LONGEST_CODE = 40
"""Characters of a client's code, by the exchange database's column, which not every engine enforces."""
HOME_COUNTRY = "PL"
"""The country of a record that names none (the exchange database's default)."""


def is_blank(value: Value) -> bool:
    """Return whether a value says nothing: there is none, or blanks only, or no ids at all."""
    return not (as_text(value) or "").strip()


def text(value: Value, _country: str) -> str:
    """Return the text with composed letters and single spaces: ``" Długa  5"`` and ``"Długa 5"`` are equal."""
    return _plain("" if value is None else str(value))


def caseless(value: Value, country: str) -> str:
    """Return the text without regard to case: codes of countries, languages, currencies."""
    return text(value, country).casefold()


def email(value: Value, country: str) -> str:
    """Return an e-mail address as mail servers in practice compare it: without regard to case."""
    return caseless(value, country)


def postcode(value: Value, country: str) -> str:
    """Return letters and digits only: ``00-950`` and ``00950`` are equal."""
    return _alphanumeric(text(value, country))


def tax_number(value: Value, country: str) -> str:
    """Return letters and digits without the record's own country prefix: ``PL 525-000-12-33`` is ``5250001233``."""
    number = _alphanumeric(text(value, country))
    prefix = _vat_prefix(country)
    while number[:2] == prefix and number[2:]:
        number = number[2:]
    return number


def phone(value: Value, country: str) -> str:
    """Return the number in E.164 where it is one in the record's country, else the plain text."""
    plain = text(value, country)
    return _e164(plain, country) if plain else ""


def flag(value: Value, _country: str) -> str:
    """Return ``yes`` or ``no``; empty for an unset flag."""
    if value is None or value == "":
        return ""
    return "yes" if str(value).strip().casefold() in TRUE else "no"


def amount(value: Value, _country: str) -> str:
    """Return an amount with two places: ``"12.5"`` and ``"12.50"`` are equal, and so are ``"0"`` and ``"-0.00"``."""
    return money.canonical(value)


def whole(value: Value, country: str) -> str:
    """Return a whole number without leading zeros."""
    plain = text(value, country)
    return str(int(plain)) if plain.isascii() and plain.isdecimal() else plain


def shop_list(value: Value, _country: str) -> str:
    """Return the ids of shops joined by commas: ``(1, 2)`` is ``"1,2"``."""
    return as_text(value) or ""


def by_number(number: str) -> tuple[int, str]:
    """Return by what ids that are numbers are sorted as numbers, whatever else stands among them."""
    return len(number), number


def same_code(one: str, other: str) -> bool:
    """Return whether two external codes are one: a panel may trim a code, or change the case of its letters."""
    return _plain(one).casefold() == _plain(other).casefold()


def is_plain_code(code: str) -> bool:
    """Return whether a code survives any panel: no blanks at its ends or in a row, all printable, not too long."""
    return code == _plain(code) and code.isprintable() and len(code) <= LONGEST_CODE


def _plain(value: str) -> str:
    return " ".join(unicodedata.normalize("NFC", value).split())


def _alphanumeric(value: str) -> str:
    return "".join(c for c in value.upper() if c.isalnum())


def _vat_prefix(code: str) -> str:
    return "EL" if code == "GR" else code


@lru_cache(maxsize=4096)
def _e164(plain: str, region: str) -> str:
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return plain.casefold()
    if not phonenumbers.is_possible_number(number):
        return plain.casefold()
    extension = f";ext={number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension
