"""Our own check: what is missing for an account, and what the other side could not take."""

from __future__ import annotations

import pytest

from kartoteka.codes import CODES
from kartoteka.concerns.accounts import opening
from kartoteka.concerns.shops import wanted
from kartoteka.errors import Reject
from kartoteka.fields.table import ACCOUNT_FIELDS, BILLING, CREDIT, DISCOUNTS, SHOPS, Fields
from kartoteka.model import Side, Value, Values
from kartoteka.policy import Policy, parse
from kartoteka.sync.merge import check

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
def test_what_a_client_lacks_is_named(row: Values, missing: list[str]) -> None:
    assert opening.missing(row, Policy()) == missing


def test_the_policy_says_what_is_required() -> None:
    policy = parse('{"panel": {"required_on_create": ["phone"]}, "accounts": {"login": {"mode": "erp"}}}')
    assert opening.missing(FIRM, policy) == ["phone", "login"]
    assert opening.missing(FIRM | {"phone": "1", "login": "jan"}, policy) == []


@pytest.mark.parametrize(
    ("row", "kind"), [(FIRM, "firm"), (PERSON, "person"), (FIRM | {"client_type": " FIRM"}, "firm"), ({}, "person")]
)
def test_a_type_is_found_for_every_client(row: Values, kind: str) -> None:
    assert opening.type_of(row) == kind


def test_the_first_fitting_rule_gives_the_shops() -> None:
    rules = '[{"country_code": "DE", "shops": [2]}, {"country_code": "de", "language": "eng", "shops": [3]}]'
    policy = parse(f'{{"shops": {{"rules": {rules}}}, "accounts": {{"default_shops": [4, 1, 4]}}}}')
    assert wanted({"country_code": "de", "language": "eng"}, policy) == (2,)
    assert wanted({"country_code": "PL"}, policy) == (1, 4)
    assert wanted({"country_code": "DE", "shops": (7,)}, policy) == (7,)


TRAVELLING = frozenset(ACCOUNT_FIELDS) - {"nip"}


def test_an_account_is_opened_with_what_is_filled_and_travels() -> None:
    row = FIRM | {"phone": "501502503", "nip": "5250001233", "last_name": " ", "active": True, "credit_limit": "5.00"}
    found = opening.values(row, Policy(), TRAVELLING, (1, 2))
    assert found == FIRM | {"phone": "501502503", "client_type": "firm", "shops": (1, 2)}


def test_what_the_panel_requires_is_sent_also_where_it_does_not_travel() -> None:
    policy = parse('{"panel": {"required_on_create": ["nip"]}}')
    wanted = {"nip": "5250001233", "country_code": "PL"}
    found = opening.values(FIRM | wanted | {"email": "a@b.pl"}, policy, (), (1,))
    assert found == wanted | {"company": "Firma", "client_type": "firm", "shops": (1,)}


def test_everything_that_is_wrong_with_an_opening_is_told() -> None:
    found = {**FIRM, "email": "a b", "company": "x" * 301}
    told = [(r.code, r.field) for r in opening.refusals(found, found, {}, Policy())]
    assert told == [("bad_email", "email"), ("too_long", "company")]
    assert not opening.refusals(FIRM, FIRM, {}, Policy())


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    ("fields", "name", "value", "code"),
    [
        (BILLING, "email", "jan@firma.pl, anna@firma.pl", "bad_email"),
        (BILLING, "email", "jan\u200b@firma.pl", "bad_email.hidden"),
        (BILLING, "email", "jan@fir\u00adma.pl", "bad_email.hidden"),
        (BILLING, "email", "jan@firma.pl\ufeff", "bad_email.hidden"),
        (BILLING, "email", "jan@firma.pl\u2060 ", "bad_email.hidden"),
        (BILLING, "email", "jan@firma.pl\r\nBcc: x@y.pl", "unprintable"),
        (BILLING, "email", "x" * 346 + "@a.pl", "too_long"),
        (BILLING, "street", "Długa\x00", "unprintable"),
        (BILLING, "city", "\ud800", "unprintable"),
        (BILLING, "city", "\ufffd\ufffdd\u017a", "unprintable.letters"),
        (BILLING, "email", "jan@n\ufffd.pl", "unprintable.letters"),
        (BILLING, "country_code", "POL", "bad_code"),
        (BILLING, "language", "pl", "bad_code"),
        (BILLING, "currency", "złoty", "bad_code"),
        (BILLING, "client_type", "company", "bad_client_type"),
        (BILLING, "company", "x" * 301, "too_long"),
        (BILLING, "wholesaler", "może", "bad_flag"),
        (BILLING, "vat_eu", "chyba tak", "bad_flag"),
        (CREDIT, "credit_limit", "dużo", "bad_amount"),
        (CREDIT, "payment_days", "14 dni", "bad_days"),
        (SHOPS, "shops", tuple(range(1000, 1081)), "too_long"),
        (DISCOUNTS, "discount_group_id", "x" * 41, "too_long"),
    ],
)
def test_what_the_panel_could_not_take_is_refused_by_name(fields: Fields, name: str, value: Value, code: str) -> None:
    with pytest.raises(Reject) as caught:
        check(fields[name], Side.PANEL, value)
    assert (caught.value.code, caught.value.field) == (code, name)
    assert str(caught.value) == f"{code}: {name}"
    assert CODES[code].facts - {"table"} <= caught.value.facts.keys()
    assert CODES[code].contents


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("name", "value"),
    [("company", "ż" * 300), ("phone", "1" * 150), ("street", ""), ("street", None), ("wholesaler", True)],
)
def test_the_limit_itself_and_no_value_at_all_fit(name: str, value: Value) -> None:
    check(BILLING[name], Side.PANEL, value)
    check(BILLING[name], Side.ERP, value)


def test_a_groups_id_is_the_erps_own_and_may_be_any_text() -> None:
    """Its concern puts it into the panel's words, which the codec takes."""
    check(DISCOUNTS["discount_group_id"], Side.PANEL, "grupa A")


@pytest.mark.parametrize(
    ("value", "code"),
    [("x" * 201, "too_long.in_panel"), ("a\x00b", "unprintable.in_panel"), ("\udfff", "unprintable.in_panel")],
)
def test_what_the_column_could_not_take_is_refused_by_name(value: str, code: str) -> None:
    with pytest.raises(Reject) as caught:
        check(BILLING["street"], Side.ERP, value)
    assert (caught.value.code, caught.value.field) == (code, "street")
    assert CODES[code].facts - {"table"} <= caught.value.facts.keys()


def test_a_column_takes_what_the_panels_check_would_not() -> None:
    check(BILLING["street"], Side.ERP, "a\tb\x7f")
    check(BILLING["email"], Side.ERP, "not an address")
