"""The shape of requests and answers of the gates for discount groups."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.adapters.idosell import answers
from kartoteka.adapters.idosell import groups as gates
from kartoteka.errors import Reject, Retry
from kartoteka.ports.exchange import SentPrice
from kartoteka.ports.panel import PanelGroup
from tests.helpers import json_values

PRICE = SentPrice("product", "7", "12.3", "PLN")
KINDS = ("product", "producer", "series", "category", "menu_item")


def groups_of(body: dict[str, Any]) -> list[PanelGroup]:
    return gates.groups(answers.page_of(body, "groups", 0, 100).records)


# requests


def test_a_search_asks_for_number_and_name_alone() -> None:
    query = gates.search_query(2, 50)
    assert query == {"returnElements": "groupNumber,groupName", "resultsPage": "2", "resultsLimit": "50"}
    assert gates.members_query("5") == {"discountGroupId": "5"}


def test_a_group_is_named_by_its_number() -> None:
    assert gates.create_params("A") == {"discountGroupName": "A"}
    assert gates.rename_params("5", "A") == {"discountGroupId": 5, "discountGroupName": "A"}
    assert gates.delete_params("5") == {"discountGroupId": 5}


def test_every_kind_has_its_list() -> None:
    assert tuple(gates.LISTS) == KINDS
    entries = [gates.key_entry("5", (kind, "7")) for kind in KINDS]
    assert gates.items_params("5", entries) == {
        "discountGroupId": 5,
        "products": [7],
        "producers": [7],
        "series": [7],
        "categories": [7],
        "menuItems": [7],
    }


def test_prices_stand_in_the_list_of_their_kind() -> None:
    prices = [PRICE, SentPrice("series", "8", "0.005", "eur"), SentPrice("product", "9", "1", "PLN")]
    params = gates.items_params("5", [gates.price_entry("5", each) for each in prices])
    assert params == {
        "discountGroupId": 5,
        "products": [
            {"id": 7, "price": Decimal("12.30"), "currency": "PLN"},
            {"id": 9, "price": Decimal("1.00"), "currency": "PLN"},
        ],
        "series": [{"id": 8, "price": Decimal("0.01"), "currency": "EUR"}],
    }
    assert [str(each["price"]) for each in params["products"]] == ["12.30", "1.00"]
    assert all(type(each["price"]) is Decimal for each in params["products"])


@pytest.mark.parametrize("number", ["", "0", "-5", "x", "5.0", "5 ", "٥", "1" * 16])  # noqa: RUF001 - not ours
def test_what_is_no_number_of_a_group_is_refused(number: str) -> None:
    for work in (
        lambda: gates.members_query(number),
        lambda: gates.rename_params(number, "A"),
        lambda: gates.delete_params(number),
        lambda: gates.price_entry(number, PRICE),
        lambda: gates.key_entry(number, PRICE.key),
        lambda: gates.items_params(number, []),
    ):
        with pytest.raises(Reject) as refusal:
            work()
        assert (refusal.value.code, refusal.value.facts) == ("bad_group", {"value": number})


@pytest.mark.fault(66)
@pytest.mark.parametrize(
    ("price", "code", "field", "value"),
    [
        (SentPrice("shop", "7", "1.00", "PLN"), "bad_item_type", "item_type", "shop"),
        (SentPrice("", "7", "1.00", "PLN"), "bad_item_type", "item_type", ""),
        (SentPrice("product", "x", "1.00", "PLN"), "bad_item", "item_id", "x"),
        (SentPrice("product", "0", "1.00", "PLN"), "bad_item", "item_id", "0"),
        (SentPrice("product", "٧", "1.00", "PLN"), "bad_item", "item_id", "٧"),  # noqa: RUF001 - a seven, and not ours
        (SentPrice("product", "7", None, "PLN"), "bad_amount", "price", "None"),
        (SentPrice("product", "7", "1,50", "PLN"), "bad_amount", "price", "1,50"),
        (SentPrice("product", "7", "nan", "PLN"), "bad_amount", "price", "nan"),
        (SentPrice("product", "7", "10000000000", "PLN"), "bad_amount", "price", "10000000000"),
        (SentPrice("product", "7", "1.00", ""), "bad_code", "currency", ""),
        (SentPrice("product", "7", "1.00", " "), "bad_code", "currency", " "),
        (SentPrice("product", "7", "1.00", "zł"), "bad_code", "currency", "zł"),
    ],
)
def test_what_is_no_price_is_refused_by_name(price: SentPrice, code: str, field: str, value: str) -> None:
    with pytest.raises(Reject) as refusal:
        gates.price_entry("5", price)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert refusal.value.facts == {"value": value}


def test_a_name_that_the_panel_could_not_take_is_refused() -> None:
    for work in (lambda: gates.create_params("a\x00"), lambda: gates.rename_params("5", "a\ud800")):
        with pytest.raises(Reject) as refusal:
            work()
        assert (refusal.value.code, refusal.value.field) == ("unprintable", "name")


# answers


@pytest.mark.parametrize("number", [5, "5", Decimal("5.0"), "05"])
def test_a_group_is_read_with_its_number_as_text(number: Any) -> None:
    shown = {"groupNumber": number, "groupName": "A", "groupRebate": Decimal("1.5"), "new": 1}
    assert groups_of({"groups": [shown]}) == [PanelGroup("5", "A")]
    assert gates.made({"result": {"discountGroupId": number}}) == "5"


@pytest.mark.parametrize(("name", "text"), [(7, "7"), (None, ""), ([], ""), ("", "")])
def test_a_name_may_be_anything(name: Any, text: str) -> None:
    assert groups_of({"groups": [{"groupNumber": 5, "groupName": name}]}) == [PanelGroup("5", text)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"groups": None},
        {"groups": {}},
        {"results": [{"groupNumber": 5}]},
        {"groups": [{"groupNumber": 5}, {"groupName": "A"}]},
        {"groups": [{"groupNumber": 5}, None]},
        {"groups": [{"groupNumber": ""}]},
        {"groups": [{"groupNumber": "x"}]},
        {"groups": [[]]},
    ],
)
def test_groups_that_are_told_of_in_part_are_no_answer(body: Any) -> None:
    with pytest.raises(Retry) as refusal:
        groups_of(body)
    assert refusal.value.code == "broken_answer"


def test_members_are_read_as_text() -> None:
    assert gates.members({"result": {"clientId": [1, "2", Decimal("3.0"), 1]}}) == {"1", "2", "3"}


@pytest.mark.parametrize("result", [[], {"clientId": []}])
def test_nobody_is_in_an_empty_group(result: Any) -> None:
    assert gates.members({"result": result}) == frozenset()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"result": None},
        {"result": {}},
        {"result": "x"},
        {"result": [1]},
        {"result": {"clientId": None}},
        {"result": {"clientId": {"0": 5}}},
        {"result": {"clientId": [1, None]}},
        {"result": {"clientId": [""]}},
        {"clientId": []},
    ],
)
def test_members_that_are_told_of_in_part_are_no_answer(body: Any) -> None:
    with pytest.raises(Retry) as refusal:
        gates.members(body)
    assert refusal.value.code == "broken_answer"


@pytest.mark.parametrize(
    "body",
    [{}, {"result": None}, {"result": []}, {"result": {}}, {"result": {"discountGroupId": 0}}, {"result": "5"}]
    + [{"result": {"discountGroupId": each}} for each in (None, "", "x", [], "0", -1)]
    + [{"discountGroupId": 5}],
)
def test_a_group_without_a_number_is_not_known_to_exist(body: Any) -> None:
    with pytest.raises(Retry) as refusal:
        gates.made(body)
    assert refusal.value.code == "missing_result"


@pytest.mark.parametrize(
    "body",
    [
        {"errors": {"faultCode": 1, "faultString": "w grupie są klienci"}},
        {"errors": {"faultCode": "4", "faultString": "w grupie są klienci"}},
        {"errors": [{"faultCode": 100, "faultString": "w grupie są klienci"}]},
        {"errors": {"message": "w grupie są klienci"}},
        {"errors": "w grupie są klienci"},
        {"faultCode": "7", "faultString": "w grupie są klienci"},
        {"result": {"discountGroupId": 5}, "errors": {"faultCode": 9, "faultString": "w grupie są klienci"}},
    ],
)
def test_a_refusal_quotes_the_panel_and_its_number_means_nothing(body: Any) -> None:
    with pytest.raises(Reject) as refusal:
        gates.judged(body)
    assert refusal.value.code == "refused_whole"
    assert "w grupie są klienci" in refusal.value.facts["panel"]
    assert "klienci" not in str(refusal.value)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"errors": []},
        {"errors": None},
        {"errors": {"faultCode": 0, "faultString": ""}},
        {"errors": {"faultCode": "0", "faultString": "OK"}},
        {"faultCode": "0", "faultString": ""},
        {"result": {"discountGroupId": 5}},
        {"status": True},
    ],
)
def test_what_is_no_refusal_was_carried_out(body: Any) -> None:
    assert gates.judged(body) is body


def test_a_result_that_says_no_is_a_refusal() -> None:
    with pytest.raises(Reject):
        gates.judged({"status": False})


@given(st.dictionaries(st.sampled_from(["groups", "result", "errors", "faultCode", "status"]), json_values))
def test_an_answer_however_odd_is_read_or_refused(body: dict[str, Any]) -> None:
    for read in (groups_of, gates.members, gates.made, gates.judged):
        with contextlib.suppress(Retry, Reject):
            read(body)
