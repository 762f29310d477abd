"""Normalisers: the form in which two values are compared, never the form in which one is written.

A panel trims, a person adds a space, an ERP writes a telephone number its own way: none of these is an edit. Each
function takes a value and the country of its record (a telephone number and a tax number are read by it) and answers
with text, empty for an empty value. All are idempotent. Letter case counts in names and streets: correcting
it is an edit.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType

import phonenumbers

from kartoteka.fields import money
from kartoteka.fields.values import as_text
from kartoteka.model import Value

TRUE = frozenset({"true", "1", "yes", "y", "t"})
"""The words of a set flag, on either side."""
FALSE = frozenset({"false", "0", "no", "n", "f"})
"""The words of one that is not set."""
LONGEST_CODE = 40
"""Characters of a client's code, by the exchange database's column, which not every engine enforces."""
HOME_COUNTRY = "PL"
"""The country of a record that names none (the exchange database's default)."""


ISSUERS = MappingProxyType({"EL": "GR", "XI": "GB", "UK": "GB", "MC": "FR"})
"""Prefixes of tax numbers, and countries, that are another issuer's by its ISO code."""
BELGIAN_DIGITS = 10
"""Digits of a Belgian number; one of nine has lost its leading 0."""
NONE_WORDS = frozenset(["BRAK", "NIEDOTYCZY", "NIEMA", "NIEPOSIADA", "NIEPODANO", "NONE", "NULL"])
SHORT_NONE_WORDS = NONE_WORDS | frozenset(["ND", "NA", "NIL", "TEST", "X", "XX", "XXX"])
"""What people write into an e-mail address that they do not have, letters alone; short words only on both sides."""
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_WORDS_BEFORE = re.compile(r"^(?:(?:NIP|VAT|TVA|MWST|MVA|UST|IVA)(?:UE|EU|IDNR|ID|NR)?)+")
_WORDS_AFTER = re.compile(r"(?:NIP|VAT|TVA|MWST|MVA|IVA)+$")
"""What stands beside a tax number and is no part of it."""
LONGEST_TAX_NUMBER = 100
"""Letters and digits of what may be a tax number with such words."""
_FIRST_LETTERS = MappingProxyType({"AT": "U", "ES": "[A-Z]?", "FR": "[A-Z]{0,2}", "CH": "E?", "GB": "(?:GD|HA)?"})
"""Issuer -> the letters with which its numbers begin: other texts that begin with two letters have no prefix."""


def is_blank(value: Value) -> bool:
    """Return whether a value says nothing: there is none, or blanks only, or no ids at all."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or not as_text(value)


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
    """Return issuer and number: ``PL 525-000-12-33``, or the same without prefix in Poland, is ``PL5250001233``.

    The issuer is the number's own prefix, else the record's country. A text without a digit is no number and has no
    issuer.
    """
    issuer, number = issued(value, country)
    return issuer + number


def issued(value: Value, country: str) -> tuple[str, str]:
    """Return the issuer of a tax number (ISO 3166-1 alpha-2) and its letters and digits, without words and prefix.

    ``CHE-123.456.789 MWST`` is ``("CH", "123456789")`` whatever the record's country. The issuer of what holds no digit
    is empty.
    """
    number = _alphanumeric(text(value, country))
    if len(number) > LONGEST_TAX_NUMBER or not any(map(str.isdigit, number)):
        return "", number
    issuer, named = _issuer(country.upper()), False
    while True:
        number = _WORDS_BEFORE.sub("", _WORDS_AFTER.sub("", number))
        prefix = _prefix(number, issuer, others=not named)
        if not prefix:
            break
        issuer, number, named = _issuer(prefix[:2]), number[len(prefix) :], True
    return issuer, number.zfill(BELGIAN_DIGITS) if issuer == "BE" and len(number) == BELGIAN_DIGITS - 1 else number


def phone(value: Value, country: str) -> str:
    """Return the number in E.164 where it is one in the record's country, else the plain text."""
    plain = text(value, country)
    return _e164(plain, country)[0] if plain else ""


def tax_number_key(value: Value, country: str) -> str:
    """Return the normalised tax number by which a record is recognised; empty for one that means "none"."""
    issuer, number = issued(value, country)
    return issuer + number if _tells(number) else ""


def email_key(value: Value, country: str) -> str:
    """Return the normalised e-mail address by which a record is recognised; empty for one that means "none"."""
    address = email(value, country)
    name, _, host = address.partition("@")
    parts = {_alphanumeric(name), _alphanumeric(host.partition(".")[0])}
    return "" if "" in parts or parts & NONE_WORDS or parts <= SHORT_NONE_WORDS else address


def phone_key(value: Value, country: str) -> str:
    """Return the normalised telephone number by which a record is recognised; empty for one that means "none"."""
    plain = text(value, country)
    whole, national = _e164(plain, country)
    return whole if _tells(national) else ""


def code_key(code: str) -> str:
    """Return the form in which two external codes are compared: a panel may trim a code, or change its case."""
    return _plain(code).casefold()


def flag(value: Value, _country: str) -> str:
    """Return ``yes`` or ``no``, empty for an unset flag; what is no truth value stays as it is, unlike any."""
    if value is None or value == "":
        return ""
    word = str(value).strip().casefold()
    return "yes" if word in TRUE else "no" if word in FALSE else word


def amount(value: Value, _country: str) -> str:
    """Return an amount with two places: ``"12.5"`` and ``"12.50"`` are equal, and so are ``"0"`` and ``"-0.00"``."""
    return money.canonical(value)


def whole(value: Value, country: str) -> str:
    """Return a whole number without leading zeros."""
    plain = text(value, country)
    return plain.lstrip("0") or "0" if plain.isascii() and plain.isdecimal() else plain


def shop_list(value: Value, _country: str) -> str:
    """Return the ids of shops joined by commas: ``(1, 2)`` is ``"1,2"``."""
    return as_text(value) or ""


def by_number(number: str) -> tuple[int, str]:
    """Return by what ids that are numbers are sorted as numbers, whatever else stands among them."""
    return len(number), number


def same_code(one: str, other: str) -> bool:
    """Return whether two external codes are one, where nobody else has one of them to the letter."""
    return code_key(one) == code_key(other)


def is_plain_code(code: str) -> bool:
    """Return whether a code survives any panel: no blanks at its ends or in a row, all printable, not too long."""
    return code == _plain(code) and code.isprintable() and len(code) <= LONGEST_CODE


def hidden(value: str) -> bool:
    """Return whether a text holds characters that nobody sees: zero width, soft hyphens, marks of direction."""
    return not (value.isascii() or value.isprintable()) and any(unicodedata.category(c) == "Cf" for c in value)


def _plain(value: str) -> str:
    if not value.isascii():
        if not value.isprintable():
            value = "".join(c for c in value if unicodedata.category(c) != "Cf")
        value = unicodedata.normalize("NFC", value)
    return " ".join(value.split())


def _alphanumeric(value: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", value.upper())


def _tells(number: str) -> bool:
    """Return whether a number tells somebody: it holds digits, and they are not all alike."""
    return len(set(filter(str.isdigit, number))) > 1


def _issuer(country: str) -> str:
    return ISSUERS.get(country, country)


def _prefix(number: str, issuer: str, *, others: bool) -> str:
    """Return the prefix of a number that names this issuer, or, where ``others`` may, another one; empty: none."""
    start, rest = number[:2], number[2:]
    if not any(map(str.isdigit, rest)):
        return ""
    if _issuer(start) != issuer:
        known = start in ISSUERS or start in phonenumbers.SUPPORTED_REGIONS
        if not (others and known and re.match(_FIRST_LETTERS.get(_issuer(start), "") + r"\d", rest)):
            return ""
    return start + "E" if start == "CH" and rest.startswith("E") else start


@lru_cache(maxsize=16_384)
def _e164(plain: str, region: str) -> tuple[str, str]:
    """Return a telephone number in E.164, else the plain text, and its digits without the country's."""
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return plain.casefold(), plain
    if not phonenumbers.is_possible_number(number):
        return plain.casefold(), str(number.national_number)
    extension = f";ext={number.extension}" if number.extension else ""
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return whole + extension, phonenumbers.national_significant_number(number)
