"""The policy: every key has a default, and a mistake is told with its place and its remedy."""

from __future__ import annotations

import json

import pytest

from kartoteka.errors import Halt
from kartoteka.fields.table import ACCOUNTS, BILLING, CONCERNS, CREDIT, DELIVERY_ADDRESSES, DISCOUNTS, TELLS_SHOP, Shown
from kartoteka.model import Direction, Empty, Resolution
from kartoteka.policy import Policy, Rule, check, letters_of, parse, rules

ONE_WAY_BY_DEFAULT = {
    "nip",
    "client_type",
    "province",
    "language",
    "currency",
    "wholesaler",
    "vat_eu",
    "local_government",
}
DOCUMENTED = {
    "version": 1,
    "mode": "apply",
    "accounts": {
        "direction": "erp_to_panel",
        "incoming": True,
        "login": {"mode": "automatic", "pattern": "b2b-{id}"},
        "match": ["external_code", "nip", "email"],
        "default_shops": [1],
        "notify_customer": False,
        "deletes": "ignore",
    },
    "billing": {
        "direction": "both",
        "conflict": "erp",
        "fields": {name: {"direction": "erp_to_panel"} for name in sorted(ONE_WAY_BY_DEFAULT)},
    },
    "delivery_addresses": {
        "direction": "both",
        "conflict": "erp",
        "fields": {},
        "deletes": "ignore",
        "calls_per_day": 40,
    },
    "discounts": {"direction": "erp_to_panel", "unassigned": "keep", "deletes": "ignore"},
    "shops": {"direction": "erp_to_panel", "rules": []},
    "credit": {
        "direction": "erp_to_panel",
        "stale_after_minutes": 240,
        "when_stale": "freeze",
        "balance_sign": 1,
        "overdue": {"allowed": None, "then": "zero"},
    },
    "brake": {"max_share": 0.2, "min_records": 50, "any_share": 0.8},
    "retry": {"max_attempts": 8},
    "panel": {
        "requests_per_second": 5,
        "batch_size": 100,
        "monthly_budget": None,
        "api_version": 8,
        "login_letters": "a-z0-9@._-",
        "overlap_seconds": 180,
        "time_zone": "Europe/Warsaw",
        "no_group": 0,
        "timeout_seconds": 25,
        "poll": {"min_seconds": 60, "max_seconds": 600, "max_seconds_with_hook": 3600},
        "full_read_days": 30,
        "required_on_create": ["email", "street", "zip_code", "city"],
    },
}


def test_an_empty_policy_stands_for_the_documented_defaults() -> None:
    empty, written_out = parse("{}"), parse(json.dumps(DOCUMENTED))
    for name, rows in CONCERNS.items():
        assert rules(empty, name, rows.fields) == rules(written_out, name, rows.fields)
    plain = written_out.model_copy(update={"billing": empty.billing})
    assert plain == empty


def test_defaults_of_the_fields() -> None:
    found = rules(Policy(), "billing", BILLING)
    one_way = {name for name, rule in found.items() if rule.direction is Direction.ERP_TO_PANEL}
    assert one_way == ONE_WAY_BY_DEFAULT
    assert {rule.direction for name, rule in found.items() if name not in one_way} == {Direction.BOTH}


def test_a_field_rule_adds_to_the_default_ones() -> None:
    policy = parse('{"billing": {"fields": {"phone": {"conflict": "panel", "empty": "erase"}}}}')
    found = rules(policy, "billing", BILLING)
    assert found["phone"] == Rule(Direction.BOTH, Resolution.PANEL, Empty.ERASE)
    assert found["nip"].direction is Direction.ERP_TO_PANEL


def test_a_field_rule_wins_over_its_default_and_that_over_the_concerns_direction() -> None:
    policy = parse('{"billing": {"direction": "panel_to_erp", "fields": {"nip": {"direction": "both"}}}}')
    found = rules(policy, "billing", BILLING)
    assert found["nip"].direction is Direction.BOTH
    assert found["language"].direction is Direction.ERP_TO_PANEL
    assert found["phone"].direction is Direction.PANEL_TO_ERP


def test_the_conflict_rule_of_a_concern_is_that_of_its_fields() -> None:
    policy = parse('{"billing": {"conflict": "hold", "fields": {"phone": {"conflict": "panel"}}}}')
    found = rules(policy, "billing", BILLING)
    assert (found["phone"].conflict, found["city"].conflict) == (Resolution.PANEL, Resolution.HOLD)


def test_delivery_addresses_take_rules_of_their_fields() -> None:
    policy = parse('{"delivery_addresses": {"conflict": "hold", "fields": {"phone": {"direction": "panel_to_erp"}}}}')
    found = rules(policy, "delivery_addresses", DELIVERY_ADDRESSES)
    assert found["phone"] == Rule(Direction.PANEL_TO_ERP, Resolution.HOLD)
    assert found["street"] == Rule(Direction.BOTH, Resolution.HOLD)


@pytest.mark.parametrize("concern", CONCERNS)
def test_a_concern_that_is_off_is_off_for_all_its_fields(concern: str) -> None:
    more = {"fields": {"phone": {"direction": "both"}}} if concern in ("billing", "delivery_addresses") else {}
    policy = parse(json.dumps({concern: {"direction": "off", **more}}))
    found = rules(policy, concern, CONCERNS[concern].fields)
    assert {rule.direction for rule in found.values()} == {Direction.OFF}


@pytest.mark.parametrize("direction", ["both", "panel_to_erp"])
@pytest.mark.parametrize("concern", ["shops", "discounts", "credit"])
def test_a_concern_whose_values_the_erp_alone_decides_goes_one_way(concern: str, direction: str) -> None:
    told = f"{concern}.direction: '{direction}' is not possible here; use 'erp_to_panel' or 'off'"
    with pytest.raises(Halt) as caught:
        parse(json.dumps({concern: {"direction": direction}}))
    assert told in str(caught.value)


@pytest.mark.parametrize("direction", ["both", "panel_to_erp"])
def test_a_field_that_the_panel_does_not_show_as_it_was_written_cannot_travel_back(direction: str) -> None:
    hidden = [name for name, field in BILLING.items() if field.shown is Shown.IN_OTHER_WORDS or not field.read]
    assert hidden == ["province", "vat_eu", "local_government"]
    for name in hidden:
        with pytest.raises(Halt) as caught:
            parse(json.dumps({"billing": {"fields": {name: {"direction": direction}}}}))
        told = f"{name!r} is not shown by the panel as it was written and cannot travel back"
        assert told in str(caught.value)
        for fine in ("erp_to_panel", "off"):
            parse(json.dumps({"billing": {"fields": {name: {"direction": fine}}}}))


@pytest.mark.parametrize("concern", ["billing", "accounts"])
@pytest.mark.parametrize("direction", Direction)
def test_what_a_rule_says_of_a_field_that_cannot_travel_back(concern: str, direction: Direction) -> None:
    """The concern's direction never turns such a field round; accounts may only link, and close nothing then."""
    policy = parse(json.dumps({concern: {"direction": direction}}))
    if concern == "billing":
        assert not rules(policy, concern, BILLING)["province"].to_erp
    else:
        found = rules(policy, concern, ACCOUNTS)["active"]
        assert found.to_panel is (direction in (Direction.ERP_TO_PANEL, Direction.BOTH))
        assert not found.to_erp


def test_an_empty_group_counts_where_the_unassigned_are_removed() -> None:
    kept = rules(Policy(), "discounts", DISCOUNTS)["discount_group_id"]
    removed = rules(parse('{"discounts": {"unassigned": "remove"}}'), "discounts", DISCOUNTS)["discount_group_id"]
    assert kept == Rule(Direction.ERP_TO_PANEL)
    assert removed == Rule(Direction.ERP_TO_PANEL, empty=Empty.ERASE, always=True)


def test_what_is_only_read_has_no_rule() -> None:
    assert set(rules(Policy(), "credit", CREDIT)) == {"credit_limit", "balance", "payment_days"}


def test_the_columns_that_tell_a_shop_are_those_of_the_table() -> None:
    for name in TELLS_SHOP:
        (rule,) = parse(json.dumps({"shops": {"rules": [{name: " De", "shops": [2]}]}})).shops.rules
        assert not rule.fits({name: "de"})  # what the policy says is taken to the letter, but for its case
        (rule,) = parse(json.dumps({"shops": {"rules": [{name: "De", "shops": [2]}]}})).shops.rules
        assert rule.fits({name: "dE "})
        assert not rule.fits({name: "pl"})
        assert not rule.fits({})
    (everybody,) = parse('{"shops": {"rules": [{"shops": [3]}]}}').shops.rules
    assert everybody.fits({})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"billing": {"conflict": "erpp"}}', "billing.conflict: Input should be 'erp', 'panel' or 'hold'"),
        ('{"biling": {}}', "biling: no such key (did you mean 'billing'?)"),
        ('{"billing": {"fields": {"emial": {}}}}', "'emial' is no field of billing (did you mean 'email'?)"),
        ('{"billing": {"fields": {"phone": {"conflct": "erp"}}}}', "did you mean 'conflict'?"),
        ('{"delivery_addresses": {"fields": {"nip": {}}}}', "'nip' is no field of delivery addresses"),
        ('{"delivery_addresses": {"fields": {"country_code": {"empty": "erase"}}}}', "is never empty in the panel"),
        ('{"accounts": {"login": {"pattern": "{nazwa}"}}}', "{nazwa} is no placeholder; use {id}"),
        (
            '{"accounts": {"login": {"pattern": "{id"}}}',
            "accounts.login.pattern: '{id' has a brace",
        ),
        ('{"accounts": {"match": ["nip", "emial"]}}', "'emial' is nothing to match by (did you mean 'email'?)"),
        ('{"accounts": {"default_shops": [0]}}', "accounts.default_shops.0: Input should be greater than"),
        ('{"panel": {"batch_size": 500}}', "panel.batch_size: Input should be less than or equal to 100"),
        ('{"panel": {"required_on_create": ["emial"]}}', "did you mean 'email'?"),
        ('{"billing": {"fields": {"wholesaler": {"empty": "erase"}}}}', "'wholesaler' is never empty in the panel"),
        ('{"billing": {"fields": {"vat_eu": {"empty": "erase"}}}}', "'vat_eu' is never empty in the panel"),
        ('{"shops": {"rules": [{"shop": [1]}]}}', "shops.rules.0.shop: no such key (did you mean 'shops'?)"),
        ('{"shops": {"rules": [{"city": "X", "shops": [1]}]}}', "shops.rules.0.city: no such key"),
        ('{"version": 2}', "version: Input should be 1"),
        ('{"version": 1,}', "line 1, column 15: not JSON"),
        ("[]", "the policy:"),
        ("", "the policy: is empty; write {} for the defaults"),
        (" \n", "the policy: is empty"),
        ('{"billing": {"conflict": "erp", "conflict": "panel"}}', "billing.conflict: is given twice"),
        ('{"shops": {"rules": [{"shops": [1], "shops": [2]}]}}', "shops.rules.0.shops: is given twice"),
        ('{"brake": {}, "brake": {}}', "brake: is given twice"),
        ('{"accounts": {"login": {"mode": "pattern", "pattern": "b2b"}}}', "'b2b' has no placeholder"),
        ('{"accounts": {"password": {"special": "ą"}}}', "accounts.password.special: "),
        ('{"accounts": {"password": {"length": 40}}}', "accounts.password.length: "),
        ('{"panel": {"time_zone": "Europe/Warszawa"}}', "'Europe/Warszawa' is no time zone"),
        ('{"panel": {"time_zone": "../etc/passwd"}}', "is no time zone"),
        ('{"panel": {"login_letters": "A-Z"}}', "'A-Z' must name small letters or digits"),
        ('{"panel": {"login_letters": "-_"}}', "'-_' must name small letters or digits"),
        ('{"panel": {"login_letters": "a z"}}', "'a z' must name small letters or digits"),
        ('{"panel": {"timeout_seconds": 0}}', "panel.timeout_seconds: "),
        (json.dumps({"accounts": {"default_shops": [1000] * 1000}}), "is longer than the 4096 bytes"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(Halt) as caught:
        parse(text)
    assert told in str(caught.value)


def test_several_mistakes_are_told_together() -> None:
    with pytest.raises(Halt) as caught:
        parse('{"biling": {}, "retry": {"max_attempts": 0}, "brake": {"min_records": 1, "min_records": 2}}')
    assert "biling" in str(caught.value)
    assert "retry.max_attempts" in str(caught.value)
    assert "brake.min_records" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1250"])
def test_a_file_in_another_encoding_is_told_as_such(encoding: str) -> None:
    assert [str(each) for each in check('{"accounts": {"login": {"pattern": "ż-{id}"}}}'.encode(encoding))] == [
        "the policy: is not UTF-8; save the file as UTF-8, which editors offer"
    ]


def test_a_byte_order_mark_of_utf_8_is_no_mistake() -> None:
    assert check("{}".encode("utf-8-sig")) == Policy()


@pytest.mark.parametrize(
    ("spec", "letters"),
    [("a-c", "abc"), ("a-c0-2._-", "abc012._-"), ("xyz", "xyz"), ("-a", "-a"), ("a-c-", "abc-")],
)
def test_letters_are_named_singly_or_by_ranges(spec: str, letters: str) -> None:
    assert letters_of(spec) == frozenset(letters)
