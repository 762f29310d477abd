"""What an account is opened with, and what a client lacks for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kartoteka.errors import Reject
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import (
    ACCOUNT_FIELDS,
    COMPANY_FIELD,
    COUNTRY_FIELD,
    FIRM,
    LOGIN,
    PERSON_FIELDS,
    SHOPS_FIELD,
    TYPE_FIELD,
)
from kartoteka.model import Side, Value, Values
from kartoteka.policy import Policy
from kartoteka.sync.merge import check


def type_of(row: Values) -> str:
    """Return the client's type; where the row names none: ``firm`` where there is a company, else ``person``."""
    given = str(row.get(TYPE_FIELD) or "").strip().lower()
    return given or ("person" if is_blank(row.get(COMPANY_FIELD)) else FIRM)


def missing(row: Values, policy: Policy) -> list[str]:
    """Return the names of the columns without which the panel opens no account for this client."""
    names = [name for name in policy.panel.required_on_create if is_blank(row.get(name))]
    needed = (COMPANY_FIELD,) if type_of(row) == FIRM else PERSON_FIELDS
    names += [name for name in needed if is_blank(row.get(name))]
    if policy.accounts.login.mode == "erp" and is_blank(row.get(LOGIN)):
        names.append(LOGIN)
    return names


def values(row: Values, policy: Policy, travelling: Collection[str], shops: tuple[int, ...]) -> dict[str, Value]:
    """Return the values an account is opened with: the filled ones that travel to the panel or that it requires.

    ``travelling`` are the fields that the policy lets travel and that the panel has.
    """
    needed = {*policy.panel.required_on_create, COMPANY_FIELD, *PERSON_FIELDS, COUNTRY_FIELD}
    names = (n for n, field in ACCOUNT_FIELDS.items() if field.create and n in {*travelling, *needed})
    found = {name: row.get(name) for name in names if not is_blank(row.get(name))}
    return {**found, TYPE_FIELD: type_of(row), SHOPS_FIELD: shops}


def refusals(found: Values) -> Iterable[Reject]:
    """Yield what is wrong with values that an account is to be opened with."""
    for name, value in found.items():
        try:
            check(ACCOUNT_FIELDS[name], Side.PANEL, value)
        except Reject as reject:
            yield reject
