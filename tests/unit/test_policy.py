"""The policy: every key has a default, and a mistake is told with its place and its remedy."""

from __future__ import annotations

import json

import pytest
from kartoteka.core.concerns import BILLING

from kartoteka.errors import Halt
from kartoteka.model import Direction, Empty, Resolution
from kartoteka.policy import Policy, Rule, parse, rules

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
        "fields": {
            "nip": {"direction": "erp_to_panel"},
            "client_type": {"direction": "erp_to_panel"},
            "language": {"direction": "erp_to_panel"},
            "currency": {"direction": "erp_to_panel"},
            "wholesaler": {"direction": "erp_to_panel"},
        },
    },
    "delivery_addresses": {"direction": "both", "conflict": "erp", "deletes": "ignore"},
    "discounts": {"direction": "erp_to_panel", "unassigned": "keep", "deletes": "ignore"},
    "shops": {"direction": "erp_to_panel", "rules": []},
    "credit": {
        "direction": "erp_to_panel",
        "stale_after_minutes": 240,
        "when_stale": "freeze",
        "balance_sign": 1,
    },
    "brake": {"max_share": 0.2, "min_records": 50},
    "retry": {"max_attempts": 8},
    "panel": {
        "requests_per_second": 5,
        "batch_size": 100,
        "monthly_budget": None,
        "required_on_create": ["email", "street", "zip_code", "city"],
    },
}


def test_an_empty_policy_stands_for_the_documented_defaults() -> None:
    empty, written_out = parse("{}"), parse(json.dumps(DOCUMENTED))
    assert rules(empty, BILLING) == rules(written_out, BILLING)
    plain = written_out.model_copy(update={"billing": empty.billing})
    assert plain == empty


def test_defaults_of_the_fields() -> None:
    found = rules(Policy(), BILLING)
    one_way = {name for name, rule in found.items() if rule.direction is Direction.ERP_TO_PANEL}
    assert one_way == {"nip", "client_type", "language", "currency", "wholesaler"}
    assert {rule.direction for name, rule in found.items() if name not in one_way} == {Direction.BOTH}


def test_a_field_rule_adds_to_the_default_ones() -> None:
    found = rules(parse('{"billing": {"fields": {"phone": {"conflict": "panel", "empty": "erase"}}}}'), BILLING)
    assert found["phone"] == Rule(Direction.BOTH, Resolution.PANEL, Empty.ERASE)
    assert found["nip"].direction is Direction.ERP_TO_PANEL


def test_a_concern_that_is_off_is_off_for_all_its_fields() -> None:
    assert {r.direction for r in rules(parse('{"billing": {"direction": "off"}}'), BILLING).values()} == {Direction.OFF}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"billing": {"conflict": "erpp"}}', "billing.conflict: Input should be 'erp', 'panel' or 'hold'"),
        ('{"biling": {}}', "biling: no such key (did you mean 'billing'?)"),
        ('{"billing": {"fields": {"emial": {}}}}', "'emial' is no billing field (did you mean 'email'?)"),
        ('{"billing": {"fields": {"phone": {"conflct": "erp"}}}}', "did you mean 'conflict'?"),
        ('{"accounts": {"login": {"pattern": "{nazwa}"}}}', "{nazwa} is no placeholder; use {id}"),
        ('{"accounts": {"login": {"pattern": "{id"}}}', "accounts.login.pattern: expected '}'"),
        ('{"panel": {"batch_size": 500}}', "panel.batch_size: Input should be less than or equal to 100"),
        ('{"panel": {"required_on_create": ["emial"]}}', "did you mean 'email'?"),
        ('{"billing": {"fields": {"wholesaler": {"empty": "erase"}}}}', "'wholesaler' is never empty in the panel"),
        ('{"mode": "plan"}', "mode: 'plan' is not built yet"),
        ('{"billing": {"mode": "plan"}}', "billing.mode: 'plan' is not built yet"),
        ('{"shops": {"rules": [{"shop": [1]}]}}', "shops.rules.0.shop: no such key (did you mean 'shops'?)"),
        ('{"version": 2}', "version: Input should be 1"),
        ('{"version": 1,}', "not JSON at line 1, column 15"),
        ("[]", "the policy:"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(Halt) as caught:
        parse(text)
    assert told in str(caught.value)
