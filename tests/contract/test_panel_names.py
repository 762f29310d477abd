"""The names and types of the table of fields, held against the API's description."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from kartoteka.adapters.idosell import accounts, addresses, exact_json
from kartoteka.adapters.idosell.records import update_body
from kartoteka.fields.table import ACCOUNT_FIELDS, DELIVERY_ADDRESSES, Field
from kartoteka.model import Value
from kartoteka.ports.panel import AccountUpdate, AddressWrite, NewAccount
from tests.fixtures.contract import CONTRACT, Contract

DOCUMENT: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
VALUES: dict[str, Value] = {
    **dict.fromkeys(ACCOUNT_FIELDS, "x"),
    "email": "a@b.pl",
    "client_type": "firm",
    "country_code": "PL",
    "language": "pol",
    "currency": "PLN",
    "wholesaler": True,
    "vat_eu": True,
    "local_government": False,
    "active": False,
    "shops": (1, 2),
    "discount_group_id": "5",
    "credit_limit": "12.30",
    "balance": "-1.00",
    "payment_days": "14",
}
LINES: dict[str, Value] = {**dict.fromkeys(DELIVERY_ADDRESSES, "x"), "country_code": "PL"}


def elements() -> list[str]:
    """The names that ``returnElements`` of GET clients/clients takes."""
    parameters = DOCUMENT["paths"]["/clients/clients"]["get"]["parameters"]
    [found] = [each["schema"]["items"]["enum"] for each in parameters if each.get("name") == "returnElements"]
    return list(found)


def shown(path: str) -> Any:
    """The schema of what stands at a path of a shown account; None where nothing does."""
    schema: Any = SCHEMAS["Client"]
    for name in path.split("."):
        schema = schema.get("properties", {}).get(name, {})
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return schema or None


def test_only_elements_that_the_panel_knows_are_asked_for() -> None:
    asked = accounts.ELEMENTS.split(",")
    assert set(asked) <= set(elements())
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("field", ACCOUNT_FIELDS.values(), ids=ACCOUNT_FIELDS.keys())
def test_an_accounts_field_has_the_names_of_the_description(field: Field) -> None:
    assert not field.create or field.create in SCHEMAS["ClientCreate"]["properties"]
    assert field.update in SCHEMAS["ClientUpdate"]["properties"]
    assert not field.read or shown(field.read)


@pytest.mark.parametrize("field", ACCOUNT_FIELDS.values(), ids=ACCOUNT_FIELDS.keys())
def test_a_field_that_is_not_read_cannot_be_asked_for(field: Field) -> None:
    assert field.read or not {field.create, field.update} & set(elements())


def test_eu_vat_is_shown_beside_the_preferences_and_no_element_asks_for_it() -> None:
    assert shown("clientPreferences.clientNipUeDeclaration")
    assert shown("clientNipUeDeclaration") is None
    assert shown("clientBillingAddress.clientNipUeDeclaration") is None
    assert "clientNipUeDeclaration" not in elements()
    assert ACCOUNT_FIELDS["vat_eu"].read == ""


def as_sent(body: Any) -> Any:
    return json.loads(exact_json.written(body))


def test_every_field_of_an_account_is_written_in_the_documented_type() -> None:
    contract = Contract()
    new = accounts.create_record(NewAccount("K-1", "anna", "Secret-1", VALUES))
    body = as_sent(accounts.create_body([new], notify=False))
    contract.check_request("POST", "clients/clients", body)
    assert body["params"]["clients"][0].keys() >= {field.create for field in ACCOUNT_FIELDS.values() if field.create}
    changed = accounts.update_record(AccountUpdate("K-1", "anna", VALUES, "K-1"))
    body = as_sent(update_body([changed]))
    contract.check_request("PUT", "clients/clients", body)
    assert body["params"]["clients"][0].keys() >= {field.update for field in ACCOUNT_FIELDS.values()}


def test_every_field_of_an_address_has_the_names_and_types_of_the_description() -> None:
    contract = Contract()
    write = AddressWrite("K-1", "anna", "7", LINES, (1, 2))
    contract.check_request("POST", "clients/deliveryAddress", as_sent(update_body([addresses.add_record(write)])))
    contract.check_request("PUT", "clients/deliveryAddress", as_sent(update_body([addresses.update_record(write)])))
    for field in DELIVERY_ADDRESSES.values():
        for schema in ("DeliveryAddressCreate", "DeliveryAddressUpdate"):
            assert field.create == field.update == field.read
            assert field.create in SCHEMAS[schema]["properties"]
