"""Our own check: what is missing for an account, and what the other side could not take."""

from __future__ import annotations

import pytest
from kartoteka.core import check
from kartoteka.core.concerns import BILLING

from kartoteka.errors import Reject
from kartoteka.model import Record, Value
from kartoteka.policy import Policy, parse

FIRM: dict[str, Value] = {
    "email": "biuro@firma.pl",
    "company": "Firma",
    "street": "Długa 1",
    "zip_code": "00-950",
    "city": "Łódź",
}
PERSON: dict[str, Value] = {k: v for k, v in FIRM.items() if k != "company"} | {
    "first_name": "Jan",
    "last_name": "Nowak",
}


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        (FIRM, []),
        (PERSON, []),
        (FIRM | {"email": " ", "city": None}, ["email", "city"]),
        (PERSON | {"last_name": ""}, ["last_name"]),
        (PERSON | {"client_type": "firm"}, ["company"]),
        (FIRM | {"client_type": "person"}, ["first_name", "last_name"]),
        ({}, ["email", "street", "zip_code", "city", "first_name", "last_name"]),
    ],
)
def test_what_a_card_lacks_is_named(row: Record, missing: list[str]) -> None:
    assert check.missing_on_create(row, Policy()) == missing


def test_the_policy_says_what_is_required() -> None:
    policy = parse('{"panel": {"required_on_create": ["phone"]}, "accounts": {"login": {"mode": "erp"}}}')
    assert check.missing_on_create(FIRM, policy) == ["phone", "login"]


@pytest.mark.parametrize(
    ("row", "kind"), [(FIRM, "firm"), (PERSON, "person"), (FIRM | {"client_type": " FIRM"}, "firm")]
)
def test_a_type_is_found_for_every_card(row: Record, kind: str) -> None:
    assert check.client_type(row) == kind


def test_the_first_fitting_rule_gives_the_shops() -> None:
    rules = '[{"country_code": "DE", "shops": [2]}, {"country_code": "de", "language": "eng", "shops": [3]}]'
    policy = parse(f'{{"shops": {{"rules": {rules}}}, "accounts": {{"default_shops": [1, 4]}}}}')
    assert check.shops({"country_code": "de", "language": "eng"}, policy) == (2,)
    assert check.shops({"country_code": "PL"}, policy) == (1, 4)


@pytest.mark.parametrize(
    ("values", "code", "named"),
    [
        ({"email": "jan@firma.pl, anna@firma.pl"}, "bad_email", "email"),
        ({"email": "jan@firma.pl\r\nBcc: x@y.pl"}, "unprintable", "email"),
        ({"email": "x" * 346 + "@a.pl"}, "too_long", "email"),
        ({"street": "Długa\x00"}, "unprintable", "street"),
        ({"city": "\ud800"}, "unprintable", "city"),
        ({"country_code": "POL"}, "bad_code", "country_code"),
        ({"language": "pl"}, "bad_code", "language"),
        ({"currency": "złoty"}, "bad_code", "currency"),
        ({"client_type": "company"}, "bad_client_type", "client_type"),
        ({"company": "x" * 301}, "too_long", "company"),
    ],
)
def test_what_the_panel_could_not_take_is_refused_by_name(values: Record, code: str, named: str) -> None:
    with pytest.raises(Reject) as caught:
        check.check_for_panel(BILLING.fields, values)
    assert (caught.value.code, caught.value.field) == (code, named)
    assert named in caught.value.message
    assert str(caught.value) == f"{code}: {named}"


def test_the_limit_itself_fits() -> None:
    check.check_for_panel(BILLING.fields, {"company": "ż" * 300, "phone": "1" * 150})


@pytest.mark.parametrize(("value", "code"), [("x" * 201, "too_long"), ("a\x00b", "unprintable")])
def test_what_the_column_could_not_take_is_refused_by_name(value: str, code: str) -> None:
    with pytest.raises(Reject) as caught:
        check.check_for_erp(BILLING.fields, {"street": value})
    assert (caught.value.code, caught.value.field) == (code, "street")
