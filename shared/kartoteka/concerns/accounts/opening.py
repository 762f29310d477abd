"""What an account is opened with, and what a client lacks for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.errors import Reject
from kartoteka.fields import tax
from kartoteka.fields.codecs import CLIENT_TYPES
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import (
    ACCOUNT_FIELDS,
    COMPANY_FIELD,
    COUNTRY_FIELD,
    FIRM,
    LOGIN,
    PERSON_FIELDS,
    SHOPS_FIELD,
    TAX_NUMBER_FIELD,
    TYPE_FIELD,
    country_of,
)
from kartoteka.model import Note, Side, Value, Values
from kartoteka.policy import Policy
from kartoteka.sync.merge import Step, checked_step, fault, quoted
from kartoteka.sync.plan import UNKNOWN, joined


def type_of(row: Values) -> str:
    """Return the client's type; where the row names none: ``firm`` where there is a company, else ``person``."""
    given = str(row.get(TYPE_FIELD) or "").strip().lower()
    return given or ("person" if is_blank(row.get(COMPANY_FIELD)) else FIRM)


def missing(row: Values, policy: Policy, required: Collection[str] = ()) -> list[str]:
    """Return the names of the columns without which the panel opens no account for this client.

    ``required`` is what the client's shops require: a tax number of firms alone, a last name of persons alone.
    """
    names = _wanted(type_of(row), policy.panel.required_on_create, frozenset(required))
    if policy.accounts.login.mode == "erp":
        names = (*names, LOGIN)
    return [name for name in names if is_blank(row.get(name))]


@lru_cache(maxsize=256)
def _wanted(kind: str, on_create: tuple[str, ...], required: frozenset[str]) -> tuple[str, ...]:
    """Return the columns that a client of this type must have, each once."""
    others = PERSON_FIELDS if kind == FIRM else (TAX_NUMBER_FIELD,)
    return tuple(dict.fromkeys((*on_create, *sorted(required.difference(others)), *_names_of(kind))))


def _names_of(kind: str) -> tuple[str, ...]:
    """Return the names that a client of this type must have; of one that is no type, nobody knows."""
    if kind not in CLIENT_TYPES:
        return ()
    return (COMPANY_FIELD,) if kind == FIRM else PERSON_FIELDS


def lacking(row: Values, policy: Policy, shops: Collection[int], table: str) -> list[Status]:
    """Return what is said of all that the client lacks, by our own check."""
    told = []
    if names := missing(row, policy):
        told.append(codes.status("incomplete", names, table=table))
    if not shops:
        told.append(codes.status("incomplete.shop"))
    return told


def values(row: Values, policy: Policy, travelling: Collection[str], shops: tuple[int, ...]) -> dict[str, Value]:
    """Return the values an account is opened with: the filled ones that travel to the panel or that it requires.

    ``travelling`` are the fields that the policy lets travel and that the panel has.
    """
    names = _sent(frozenset(travelling), policy.panel.required_on_create)
    found = {name: value for name in names if not is_blank(value := row.get(name))}
    return {**found, TYPE_FIELD: type_of(row), SHOPS_FIELD: shops}


@lru_cache(maxsize=256)
def _sent(travelling: frozenset[str], on_create: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields that an account is opened with, where they are filled."""
    wanted = {*travelling, *on_create, COMPANY_FIELD, *PERSON_FIELDS, COUNTRY_FIELD}
    return tuple(name for name, field in ACCOUNT_FIELDS.items() if field.create and name in wanted)


def refusals(found: Values, row: Values, notes: Mapping[str, Note], policy: Policy) -> list[Reject]:
    """Return what is wrong with values that an account is to be opened with, by our check, or as the panel has said."""
    wrong = _wrong_number(found[TAX_NUMBER_FIELD], row, policy) if TAX_NUMBER_FIELD in found else None
    said = (
        wrong if wrong and name == TAX_NUMBER_FIELD else _refusal(name, value, row, notes.get(name))
        for name, value in found.items()
    )
    return [no for no in said if no]


def _wrong_number(number: Value, row: Values, policy: Policy) -> Reject | None:
    if not policy.billing.check_tax_numbers:
        return None
    country = country_of(row)
    fault = tax.fault(number, country)
    return Reject(fault, field=TAX_NUMBER_FIELD, value=quoted(number), country=country) if fault else None


def _refusal(name: str, value: Value, row: Values, note: Note | None) -> Reject | None:
    if note is None:
        return fault(ACCOUNT_FIELDS[name], Side.PANEL, value)
    step = checked_step(ACCOUNT_FIELDS[name], Step(name, Side.PANEL, value), note, (), row)
    return Reject(step.code, field=name, **step.facts) if step.code else None


def left_out(found: Values, refused: Collection[str], row: Values, policy: Policy) -> dict[str, Value] | None:
    """Return the values without those that were refused, and what means nothing without them.

    None where no account is opened without them. By its tax number a firm's account is found, so it is not left out.
    """
    if not refused:
        return dict(found)
    groups = {ACCOUNT_FIELDS[name].group for name in refused} - {""}
    out = {name for name in found if name in refused or ACCOUNT_FIELDS[name].group in groups}
    is_firm = type_of(row) == FIRM
    needed = {*policy.panel.required_on_create, TYPE_FIELD, SHOPS_FIELD}
    needed |= {COMPANY_FIELD, TAX_NUMBER_FIELD} if is_firm else set(PERSON_FIELDS)
    return None if out & needed else {name: value for name, value in found.items() if name not in out}


def told(refused: Iterable[Reject], table: str) -> Status:
    """Return what is said of these refusals: every field by its name."""
    by_code: dict[str, list[Reject]] = {}
    for reject in refused:
        by_code.setdefault(reject.code, []).append(reject)
    said = [
        codes.told(code, [r.field for r in some if r.field], {**UNKNOWN, "table": table, **some[0].facts})
        for code, some in by_code.items()
    ]
    return joined(said)
