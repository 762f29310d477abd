"""Whether a tax number can be one: by its issuer's rules (python-stdnum), before a call is paid for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from stdnum import get_cc_module

from kartoteka.fields import normal
from kartoteka.model import Value

WRONG, DUMMY = "bad_vat.checked", "bad_vat.dummy"
"""The codes of a number that breaks its issuer's rules, and of one that keeps them and is nobody's."""
KNOWN_DUMMIES = frozenset({"1234563218"})
"""Numbers of samples and forms that pass the sum and are no run of digits."""
SHORTEST_RUN = 7
"""Digits that follow each other before the last one, from which on a number is no number."""
ALSO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AT": ("tin",),
        "BR": ("cpf",),
        "CH": ("uid",),
        "DE": ("idnr",),
        "FR": ("siren", "siret"),
        "IT": ("codicefiscale",),
        "NO": ("orgnr",),
        "TR": ("tckimlik",),
    }
)
"""Issuer -> other numbers of its own that stand in that column too, by the names of python-stdnum."""
MONACO = "MC"
"""Its numbers are issued as French ones, by a rule of their own."""
DIGITS_IN_HUNGARY, DIGITS_AT_HOME = 8, 11
"""A Hungarian number within Hungary has three more digits than for others."""


def fault(value: Value, country: str) -> str:
    """Return the code of what is wrong with a tax number of a record in this country; empty: nothing that we know."""
    if normal.is_blank(value):
        return ""
    issuer, number = normal.issued(value, country)
    if is_dummy(number):
        return DUMMY
    return "" if _can_be(issuer, number) else WRONG


def is_dummy(number: str) -> bool:
    """Return whether a number, without its issuer, is nobody's: no digit, one digit repeated, or a run of digits."""
    digits = "".join(filter(str.isdigit, number))
    if len(set(digits)) <= 1 or number in KNOWN_DUMMIES:
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(digits[:-1])}
    return len(digits) > SHORTEST_RUN and len(steps) == 1 and steps <= {1, 9}


@lru_cache(maxsize=4096)
def _can_be(issuer: str, number: str) -> bool:
    rules = _rules(issuer)
    if issuer == "HU" and len(number) == DIGITS_AT_HOME:
        number = number[:DIGITS_IN_HUNGARY]
    if issuer == "CH":
        number = f"CHE{number}"
    return not rules or any(rule.is_valid(number) for rule in rules)


@lru_cache(maxsize=256)
def _rules(issuer: str) -> tuple[Any, ...]:
    """Return the modules of python-stdnum that know numbers of this issuer; none: every number can be one."""
    named = [(issuer, "vat"), *((issuer, name) for name in ALSO.get(issuer, ()))]
    if issuer == "FR":
        named.append((MONACO, "vat"))
    found = (get_cc_module(country.lower(), name) for country, name in named if country.isascii() and country.isalpha())
    return tuple(module for module in found if module is not None)
