"""The gates clients/deliveryAddress: what is said, what is read, and that doubt is never success."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.adapters.idosell import addresses as gates
from kartoteka.adapters.idosell import answers, countries
from kartoteka.adapters.idosell.records import update_body
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.table import DELIVERY_ADDRESSES
from kartoteka.model import Done, Outcome, Value, Values
from kartoteka.ports.panel import AddressWrite
from tests.fixtures.contract import Contract

LINES: dict[str, Value] = {
    "first_name": "Jan",
    "last_name": "Kos",
    "additional": "Magazyn",
    "phone": "600100200",
    "street": "Polna 1",
    "zip_code": "00-950",
    "city": "Radom",
    "country_code": "PL",
}
WIRE = {
    "clientDeliveryAddressFirstName": "Jan",
    "clientDeliveryAddressLastName": "Kos",
    "clientDeliveryAddressAdditional": "Magazyn",
    "clientDeliveryAddressPhone1": "600100200",
    "clientDeliveryAddressStreet": "Polna 1",
    "clientDeliveryAddressZipCode": "00-950",
    "clientDeliveryAddressCity": "Radom",
    "clientDeliveryAddressCountry": "PL",
}
FAULT = {"faultCode": 103, "faultString": "zły kod"}


def write(number: str = "7", values: Values | None = None, shops: tuple[int, ...] = (1, 2)) -> AddressWrite:
    return AddressWrite("K-1", "anna", number, LINES if values is None else values, shops)


def good(number: Any) -> dict[str, Any]:
    return {"resultStatus": True, "clientDeliveryAddressResult": {"clientDeliveryAddressId": number}, "errors": []}


def bad(number: Any = None) -> dict[str, Any]:
    named = {} if number is None else {"clientDeliveryAddressResult": {"clientDeliveryAddressId": number}}
    return {"resultStatus": False, **named, "errors": [FAULT]}


def kind(outcome: Outcome) -> str:
    return outcome.code if isinstance(outcome, Reject | Retry) else f"done {outcome.item_id}".strip()


def added(*items: Any, of: int | None = None) -> list[str]:
    writes = [write("") for _ in range(len(items) if of is None else of)]
    return [kind(each) for each in gates.added({"results": list(items)}, writes)]


def changed(numbers: str, *items: Any) -> list[str]:
    return [kind(each) for each in gates.changed({"results": list(items)}, [write(number) for number in numbers])]


# writing


def test_a_new_address_says_what_is_documented_and_nothing_else() -> None:
    record = gates.add_record(write(""))
    assert record == {"clientLogin": "anna", "shopsIds": [1, 2], **WIRE}
    Contract().check_request("POST", "clients/deliveryAddress", update_body([record]))


def test_of_a_new_address_the_demanded_lines_are_always_said() -> None:
    record = gates.add_record(write("", {"city": "Radom", "phone": "", "additional": None, "street": None}))
    demanded = {f"clientDeliveryAddress{name}": "" for name in ("FirstName", "LastName", "Street", "ZipCode")}
    assert record == {"clientLogin": "anna", "shopsIds": [1, 2], "clientDeliveryAddressCity": "Radom", **demanded}
    Contract().check_request("POST", "clients/deliveryAddress", update_body([record]))


def test_a_change_says_its_keys_and_the_changed_lines() -> None:
    record = gates.update_record(write("7", {"phone": "", "city": None, "street": "Leśna 2"}))
    assert record == {
        "clientLogin": "anna",
        "shopsIds": [1, 2],
        "clientDeliveryAddressId": 7,
        "clientDeliveryAddressPhone1": "",
        "clientDeliveryAddressCity": "",
        "clientDeliveryAddressStreet": "Leśna 2",
    }
    body = update_body([record])
    assert body["clientsSettings"] == {"clientSettingSendMail": False, "clientSettingSendSms": False}
    Contract().check_request("PUT", "clients/deliveryAddress", body)


def test_a_deletion_says_its_keys_alone() -> None:
    record = gates.delete_record(write("7"))
    assert record == {"clientLogin": "anna", "clientDeliveryAddressId": 7}
    body = gates.delete_body([record])
    assert body == {"params": {"clients": [record]}}
    Contract().check_request("POST", "clients/deliveryAddress/delete", body)


def test_an_id_that_is_no_number_is_sent_as_it_is_and_no_shops_are_not_sent() -> None:
    assert gates.update_record(write("a-7", {}, ())) == {"clientLogin": "anna", "clientDeliveryAddressId": "a-7"}


def test_a_line_that_the_panel_could_not_take_is_refused_with_its_field() -> None:
    for form in (gates.add_record, gates.update_record):
        with pytest.raises(Reject) as refusal:
            form(write("7", {"street": "Długa\x00 5"}))
        assert (refusal.value.code, refusal.value.field) == ("unprintable", "street")
        assert "Długa" not in str(refusal.value)


def test_customers_are_asked_for_by_their_ids() -> None:
    assert gates.query(["1", "2"]) == {"clientIds": "1,2"}


# reading


def customer(*addresses: Any, **more: Any) -> dict[str, Any]:
    return {"clientId": 1, "clientLogin": "anna", "clientDeliveryAddresses": list(addresses), **more}


def shown(number: Any = "7", **more: Any) -> dict[str, Any]:
    return {"clientDeliveryAddressId": number, **WIRE, **more}


def read(*customers: Any, wanted: str = "1") -> dict[str, list[tuple[str, Values]]]:
    found = gates.addresses(list(customers), frozenset(wanted))
    return {key: [(each.panel_address_id, each.values) for each in shown or ()] for key, shown in found.items()}


def test_an_address_is_read_in_our_words() -> None:
    assert read(customer(shown())) == {"1": [("7", LINES)]}


@pytest.mark.parametrize("number", [7, "7", Decimal(7), Decimal("7.0")])
@pytest.mark.parametrize("client_id", [1, "1", Decimal("1.0")])
def test_ids_are_text_whatever_they_come_as(number: Any, client_id: Any) -> None:
    assert read(customer(shown(number), clientId=client_id)) == {"1": [("7", LINES)]}


def test_lines_that_are_not_shown_have_no_value_and_empty_ones_an_empty_one() -> None:
    bare: dict[str, Any] = {
        "clientDeliveryAddressId": 7,
        "clientDeliveryAddressCity": None,
        "clientDeliveryAddressPhone1": [],
    }
    assert read(customer(bare)) == {"1": [("7", {"city": "", "phone": ""})]}


def test_numbers_among_the_lines_are_text() -> None:
    lines = shown(clientDeliveryAddressZipCode=10115, clientDeliveryAddressPhone1=600100200)
    [(_, values)] = read(customer(lines))["1"]
    assert (values["zip_code"], values["phone"]) == ("10115", "600100200")


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("pl", "PL"),
        ("PL", "PL"),
        ("Polska", "PL"),
        (" wielka  brytania", "GB"),
        ("Germany", "DE"),
        ("Nigdzie", None),
    ],
)
def test_a_country_is_read_by_code_and_by_name(country: str, code: str | None) -> None:
    [(_, values)] = read(customer(shown(clientDeliveryAddressCountry=country)))["1"]
    assert values.get("country_code") == code


@pytest.mark.parametrize("nothing", [[], {}])
def test_a_customer_without_addresses_has_none(nothing: Any) -> None:
    assert read(customer(clientDeliveryAddresses=nothing)) == {"1": []}


@pytest.mark.parametrize("error", [None, [], {}, "", {"faultCode": 0, "faultString": "ok"}, {"faultCode": "0"}])
def test_an_error_that_is_none_is_no_harm(error: Any) -> None:
    assert read(customer(shown(), error=error)) == {"1": [("7", LINES)]}


@pytest.mark.parametrize("error", [{"faultCode": 101, "faultString": "x"}, {"faultString": "x"}, [FAULT], "x"])
def test_a_customer_with_an_error_does_not_exist(error: Any) -> None:
    assert read(customer(error=error)) == {}
    assert read(customer(shown(), error=error)) == {}


@pytest.mark.parametrize(
    "doubtful", [None, "", "x", 0, {"0": shown()}, [None], [[]], [shown(None)], [shown(""), shown(8)]]
)
def test_a_list_in_doubt_is_not_told_at_all(doubtful: Any) -> None:
    assert read(customer(clientDeliveryAddresses=doubtful)) == {}
    without = {name: value for name, value in customer().items() if name != "clientDeliveryAddresses"}
    assert read(without) == {}


def test_a_customer_told_twice_has_the_addresses_of_both_unless_one_is_in_doubt() -> None:
    twice = read(customer(shown(7), shown(8)), customer(shown(8), shown(9)))
    assert [number for number, _ in twice["1"]] == ["7", "8", "9"]
    assert read(customer(shown(7)), customer(shown(None))) == {}
    assert read(customer(shown(None)), customer(shown(7))) == {}


def test_who_is_not_named_in_a_good_answer_is_told_apart_from_who_has_none() -> None:
    found = gates.addresses([customer(shown()), customer(clientId=2)], frozenset("123"))
    assert {key: None if each is None else len(each) for key, each in found.items()} == {"1": 1, "2": 0, "3": None}
    assert gates.addresses([], frozenset("12")) == {"1": None, "2": None}


@pytest.mark.parametrize(
    "junk", [{}, {"clientId": None, "clientDeliveryAddresses": []}, {"clientDeliveryAddresses": [shown()]}]
)
def test_beside_a_record_of_nobody_who_is_not_named_is_in_doubt(junk: Any) -> None:
    assert list(gates.addresses([junk, customer(shown())], frozenset("12"))) == ["1"]


def test_in_an_answer_that_failed_in_part_who_is_not_named_is_in_doubt() -> None:
    assert list(gates.addresses([customer(shown())], frozenset("12"), whole=False)) == ["1"]


def test_a_customer_who_was_not_asked_for_shows_that_the_filter_was_ignored() -> None:
    for other in (customer(shown(), clientId=2), customer(clientId=2), customer(clientId=2, error=FAULT)):
        with pytest.raises(Halt) as halt:
            gates.addresses([customer(shown()), other], frozenset("1"))
        assert halt.value.code == "panel_query"


# judging what was added


def test_an_added_address_is_told_with_its_id() -> None:
    assert added(good(7), bad(), good("8")) == ["done 7", "refused", "done 8"]
    assert gates.added({"results": [good(7)]}, [write("")]) == [Done(item_id="7")]


@pytest.mark.parametrize("number", [None, "", 0, "0", [], {}])
def test_an_added_address_without_an_id_is_not_known_to_exist(number: Any) -> None:
    assert added(good(number), good(8)) == ["missing_result", "done 8"]


def test_one_id_for_two_added_addresses_is_neithers() -> None:
    assert added(good(7), good("7"), good(8)) == ["missing_result", "missing_result", "done 8"]


def test_where_results_of_added_addresses_are_missing_none_is_anybodys() -> None:
    assert added(good(7), bad(), of=3) == ["missing_result"] * 3
    assert added(good(7), good(8), of=1) == ["missing_result"]
    assert added(of=2) == ["missing_result"] * 2


# judging what was changed or deleted


def test_results_belong_to_the_records_in_their_places() -> None:
    assert changed("789", good(7), bad(), good("9")) == ["done", "refused", "done"]
    assert changed("78", {"resultStatus": True}, {"resultStatus": False}) == ["done", "refused"]
    assert changed("78", bad(7), good(8)) == ["refused", "done"]


def test_results_in_other_places_count_only_where_they_name_their_address() -> None:
    assert changed("789", good(8), good(7), good(9)) == ["done", "done", "done"]
    assert changed("789", good(8), bad(), good(9)) == ["missing_result", "done", "done"]
    assert changed("789", bad(8), good(7), {"resultStatus": True}) == ["done", "refused", "missing_result"]
    assert changed("78", good(7), good(99)) == ["done", "missing_result"]


def test_where_results_are_missing_only_those_count_that_name_their_address() -> None:
    assert changed("789", good(7), good(9)) == ["done", "missing_result", "done"]
    assert changed("789", good(7), bad()) == ["done", "missing_result", "missing_result"]
    assert changed("78", {"resultStatus": True}) == ["missing_result", "missing_result"]
    assert changed("7", {"resultStatus": True}, {"resultStatus": True}) == ["missing_result"]


def test_two_results_for_one_address_are_none() -> None:
    assert changed("78", good(7), bad(7)) == ["missing_result", "missing_result"]
    assert changed("78", good(7), good(7), good(8)) == ["missing_result", "done"]


# one result in all its shapes


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"resultStatus": True, "errors": []}, "done"),
        ({"resultStatus": "true"}, "done"),
        ({"status": True}, "done"),
        ({"resultStatus": 1, "errors": None}, "done"),
        ({"resultStatus": True, "errors": [{"faultCode": 0, "faultString": ""}]}, "done"),
        ({"faultCode": 0, "faultString": ""}, "done"),
        ({"clientDeliveryAddressResult": {"clientDeliveryAddressId": 7}}, "done"),
        ({"clientDeliveryAddressId": "7"}, "done"),
        ({"resultStatus": False}, "refused"),
        ({"resultStatus": "false", "errors": []}, "refused"),
        ({"resultStatus": True, "errors": [FAULT]}, "refused"),
        ({"resultStatus": False, "errors": FAULT}, "refused"),
        ({"faultCode": 5, "faultString": "x"}, "refused"),
        ({"resultStatus": True, "error": FAULT}, "refused"),
        ({}, "missing_result"),
        (None, "missing_result"),
        ([], "missing_result"),
        ("ok", "missing_result"),
        ({"clientDeliveryAddressResult": []}, "missing_result"),
        ({"clientDeliveryAddressResult": {"clientId": 1}}, "missing_result"),
    ],
)
def test_shapes_of_one_result(item: Any, expected: str) -> None:
    assert changed("7", item) == [expected]


def test_an_answer_of_another_shape_says_nothing() -> None:
    for results in (None, {}, "x", 5, {"0": good(7)}):
        assert [kind(each) for each in gates.changed({"results": results}, [write()])] == ["missing_result"]
        assert [kind(each) for each in gates.added({"results": results}, [write()])] == ["missing_result"]


def test_the_panels_words_reach_a_person_and_no_log() -> None:
    [refusal] = gates.changed({"results": [bad()]}, [write()])
    assert isinstance(refusal, Reject)
    assert refusal.facts == {"panel": "103: zły kod"}
    assert "zły" not in str(refusal) + repr(refusal)


SPECIAL = """results clients clientId clientDeliveryAddresses clientDeliveryAddressId clientDeliveryAddressResult error
errors faultCode faultString resultStatus status clientDeliveryAddressCountry clientDeliveryAddressCity"""
NAMES = st.sampled_from(SPECIAL.split())
LEAVES = (
    st.sampled_from([7, "7", 8, "8", 1, "1", 0, "", True, False, None])
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
)
json_values = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(["results", "clients", "errors"]), json_values))
def test_no_answer_however_odd_raises_or_invents_an_address(body: dict[str, Any]) -> None:
    writes = [write("7"), write("8")]
    for outcomes in (gates.added(body, writes), gates.changed(body, writes)):
        assert len(outcomes) == 2
    ids = [each.item_id for each in gates.added(body, writes) if isinstance(each, Done)]
    assert all(ids)
    assert len(ids) == len(set(ids))
    with contextlib.suppress(Retry, Halt):
        for key, addresses in gates.addresses(answers.page_of(body, "results", 0, 100).records, frozenset("1")).items():
            assert key == "1"
            assert all(each.panel_address_id and each.values.keys() <= LINES.keys() for each in addresses or ())


def test_every_line_of_the_table_is_written_and_read() -> None:
    assert set(LINES) == set(DELIVERY_ADDRESSES)
    assert {field.read for field in DELIVERY_ADDRESSES.values()} == set(WIRE)


# countries


def test_names_of_countries_are_told_apart() -> None:
    names = [name for line in countries._NAMES.strip().splitlines() for name in line.partition(" ")[2].split("|")]
    assert len(countries._CODES) == len(names)
    assert all(code.isascii() and code.isupper() and len(code) == 2 for code in countries._CODES.values())


@pytest.mark.parametrize("other", [None, [], 7, "", "PL", "pl", "xy"])
def test_what_is_no_name_of_a_country_comes_back_as_it_came(other: Any) -> None:
    assert countries.code(other) == other


@pytest.mark.parametrize("name", ["Atlantis", "Kenia", "POL"])
def test_a_name_that_is_not_known_is_no_country(name: str) -> None:
    assert countries.code(name) is None
