"""The shape of requests and answers of clients/clients: tolerant reading, strict writing, judging record by record."""

from __future__ import annotations

import contextlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.adapters.idosell import accounts as gates
from kartoteka.adapters.idosell import answers, system
from kartoteka.adapters.idosell.records import update_body
from kartoteka.errors import Reject, Retry
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.model import Done, Outcome, Value
from kartoteka.ports.panel import AccountUpdate, NewAccount, Window
from tests.helpers import json_values

NEW = NewAccount(
    "K-1",
    "b2b-k-1",
    "Secret-1",
    {"email": "a@b.pl", "phone": "", "wholesaler": None, "nip": None, "shops": (1, 2), "active": True},
)
UPDATES = [AccountUpdate(key, f"b2b-{key}", {"city": "x"}) for key in "abc"]
NEWS = [NewAccount(key, f"b2b-{key}", "Secret-1", {}) for key in "abc"]
FAULT = {"faultCode": 20, "faultString": "zły kod"}


def kinds(body: dict[str, Any], records: Any = UPDATES) -> list[str]:
    return [kind(each) for each in gates.outcomes(body, records)]


def kind(outcome: Outcome) -> str:
    return outcome.code if isinstance(outcome, Reject | Retry) else "done"


def good(ref: str) -> dict[str, Any]:
    return {"resultStatus": True, "clientsResult": {"clientId": 1, "requestReference": ref}, "errors": []}


def bad(ref: str) -> dict[str, Any]:
    return {"resultStatus": False, "clientsResult": {"clientId": 1, "requestReference": ref}, "errors": [FAULT]}


NAMELESS_BAD: dict[str, Any] = {"resultStatus": False, "errors": [FAULT]}
NAMELESS_GOOD: dict[str, Any] = {"resultStatus": True, "errors": []}


BARE_NEW = {"login", "password", "code_extern", "request_reference"}
BARE_UPDATE = {"clientLogin", "requestReference"}


# writing


def test_an_opening_says_what_is_documented_and_nothing_else() -> None:
    record = gates.create_record(NEW)
    assert "wholesaler" not in gates.create_record(NewAccount("a", "a", "p", {"wholesaler": None}))
    assert record == {
        "login": "b2b-k-1",
        "password": "Secret-1",
        "code_extern": "K-1",
        "request_reference": "K-1",
        "shops": [1, 2],
        "email": "a@b.pl",
    }
    body = gates.create_body([record], notify=False)
    assert body == {"params": {"clients": [record]}, "settings": {"send_mail": False, "send_sms": False}}
    assert gates.create_body([], notify=True)["settings"] == {"send_mail": True, "send_sms": True}


def test_a_change_says_its_key_and_the_changed_fields() -> None:
    update = AccountUpdate("K-1", "anna", {"phone": "", "city": None, "wholesaler": None, "nip": "1"}, "K-1")
    record = gates.update_record(update)
    assert record == {
        "clientLogin": "anna",
        "requestReference": "K-1",
        "clientCodeExternal": "K-1",
        "clientPhone1": "",
        "clientCity": "",
        "clientNip": "1",
    }
    silent = {"clientSettingSendMail": False, "clientSettingSendSms": False}
    assert update_body([record]) == {"params": {"clients": [record]}, "clientsSettings": silent}


def test_flags_are_written_as_booleans() -> None:
    assert gates.update_record(AccountUpdate("a", "a", {"wholesaler": False}))["clientIsWholesaler"] is False
    assert gates.create_record(NewAccount("a", "a", "p", {"wholesaler": True}))["wholesaler"] is True


def test_every_field_of_the_table_has_its_names() -> None:
    values: dict[str, Value] = {"email": "a@b.pl", "country_code": "PL", "client_type": "firm", "wholesaler": True}
    values |= {"active": False, "shops": (1,), "discount_group_id": "5", "payment_days": "14"}
    values |= {"credit_limit": "1.00", "balance": "1.00", "vat_eu": True, "local_government": True}
    created = {
        name: set(gates.create_record(NewAccount("a", "a", "p", {name: values.get(name, "pol")}))) - BARE_NEW
        for name in ACCOUNT_FIELDS
    }
    assert created == {name: {field.create} - {""} for name, field in ACCOUNT_FIELDS.items()}
    updated = {
        name: set(gates.update_record(AccountUpdate("a", "a", {name: values.get(name, "pol")}))) - BARE_UPDATE
        for name in ACCOUNT_FIELDS
    }
    assert updated == {name: {field.update} for name, field in ACCOUNT_FIELDS.items()}


def test_what_the_panel_does_not_show_is_not_asked_for() -> None:
    asked = gates.ELEMENTS.split(",")
    shown = [field.element or field.read.rpartition(".")[2] for field in ACCOUNT_FIELDS.values() if field.read]
    assert asked[6:] == list(dict.fromkeys(shown))
    assert {"clientActiveInShops", "clientGroupDiscountNumber", "clientTradeCredit"} <= set(asked)
    assert not {"", "clientTradeCreditLimit", "clientTradeCreditUsed"} & set(asked)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(("value", "said"), [(True, True), (False, False), ("no", False)])
def test_an_account_is_closed_and_opened_in_so_many_words(value: Value, said: bool) -> None:
    assert gates.update_record(AccountUpdate("a", "a", {"active": value}))["clientActive"] is said


@pytest.mark.parametrize("empty", [None, ""])
def test_an_unset_flag_has_no_word(empty: Value) -> None:
    assert set(gates.update_record(AccountUpdate("a", "a", {"active": empty, "wholesaler": empty}))) == BARE_UPDATE


def test_shops_are_written_as_numbers_and_never_as_an_empty_list() -> None:
    assert gates.update_record(AccountUpdate("a", "a", {"shops": (1, 3)}))["shopsIds"] == [1, 3]
    for empty in (None, "", ()):
        assert "shopsIds" not in gates.update_record(AccountUpdate("a", "a", {"shops": empty}))
        assert "shops" not in gates.create_record(NewAccount("a", "a", "p", {"shops": empty}))


@pytest.mark.parametrize(
    ("value", "form"),
    [("12.30", "12.30"), ("12.3", "12.30"), ("-5", "-5.00"), ("9999999999.99", "9999999999.99"), ("0", "0.00")],
)
def test_an_amount_is_written_as_an_exact_number(value: str, form: str) -> None:
    record = gates.update_record(AccountUpdate("a", "a", {"credit_limit": value, "balance": value}))
    figures = [record["clientTradeCreditLimitExternal"], record["clientBalanceAmountExternal"]]
    assert [(type(each), str(each)) for each in figures] == [(Decimal, form)] * 2


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_figure_is_left_out_and_no_group_at_all_is_said(empty: Value) -> None:
    values = {"credit_limit": empty, "balance": empty, "payment_days": empty, "discount_group_id": empty}
    record = gates.update_record(AccountUpdate("a", "a", values))
    assert {name: value for name, value in record.items() if name not in BARE_UPDATE} == {
        "clientGroupDiscountNumber": 0
    }
    assert set(gates.create_record(NewAccount("a", "a", "p", values))) == BARE_NEW


def test_group_and_days_are_written_as_whole_numbers() -> None:
    record = gates.update_record(AccountUpdate("a", "a", {"discount_group_id": "12", "payment_days": "030"}))
    assert (record["clientGroupDiscountNumber"], record["numberOfDaysToPay"]) == (12, 30)
    nought = gates.update_record(AccountUpdate("a", "a", {"payment_days": "0", "balance": "0"}))
    assert (nought["numberOfDaysToPay"], nought["clientBalanceAmountExternal"]) == (0, Decimal("0.00"))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("credit_limit", "1,50", "bad_amount"),
        ("balance", "NaN", "bad_amount"),
        ("balance", "1" * 39, "bad_amount"),
        ("payment_days", "-1", "bad_days"),
        ("discount_group_id", "A", "bad_group"),
    ],
)
def test_a_figure_that_is_none_is_refused_with_its_field(name: str, value: str, code: str) -> None:
    with pytest.raises(Reject) as refusal:
        gates.update_record(AccountUpdate("a", "a", {name: value}))
    assert (refusal.value.code, refusal.value.field, refusal.value.facts) == (code, name, {"value": value})


@pytest.mark.parametrize(("value", "word"), [(True, "yes"), (False, "no"), ("1", "yes"), ("n", "no")])
def test_newer_flags_are_written_in_words(value: Value, word: str) -> None:
    values = {"vat_eu": value, "local_government": value}
    created = gates.create_record(NewAccount("a", "a", "p", values))
    assert (created["nip_ue_declaration"], created["local_government_unit"]) == (word, word)
    updated = gates.update_record(AccountUpdate("a", "a", values))
    assert (updated["clientNipUeDeclaration"], updated["isLocalGovernmentUnit"]) == (word, word)


@pytest.mark.parametrize("empty", [None, ""])
def test_a_newer_flag_that_is_not_set_is_not_sent(empty: Value) -> None:
    values = {"vat_eu": empty, "local_government": empty}
    assert set(gates.create_record(NewAccount("a", "a", "p", values))) == BARE_NEW
    assert set(gates.update_record(AccountUpdate("a", "a", values))) == BARE_UPDATE


def test_a_province_is_written_by_its_code() -> None:
    created = gates.create_record(NewAccount("a", "a", "p", {"province": "PL-MZ"}))
    updated = gates.update_record(AccountUpdate("a", "a", {"province": "PL-MZ"}))
    assert (created["province_code"], updated["clientProvinceId"]) == ("PL-MZ", "PL-MZ")


def test_a_value_that_the_panel_could_not_take_is_refused_with_its_field() -> None:
    with pytest.raises(Reject) as refusal:
        gates.update_record(AccountUpdate("a", "a", {"street": "Długa\x00 5"}))
    assert (refusal.value.code, refusal.value.field) == ("unprintable", "street")
    assert "Długa" not in str(refusal.value)


# reading

SHOWN: dict[str, Any] = {
    "clientId": 7,
    "clientLogin": "anna",
    "clientCodeExternal": "K-1",
    "clientsLastModificationDate": "2026-07-01 12:00:00",
    "isUnregistered": "n",
    "clientEmail": "a@b.pl",
    "clientType": "male",
    "newField": {"deep": [1]},
    "clientBillingAddress": {"clientFirstName": "Anna", "clientCountryId": "pl", "clientNip": 5250001233, "x": None},
    "clientPreferences": {"langId": "pol", "currencyId": "PLN", "clientIsWholesaler": "yes"},
}


def read(**changes: Any) -> Any:
    [account] = gates.accounts([{**SHOWN, **changes}])
    return account


def test_an_account_is_read_in_our_words() -> None:
    account = read()
    assert (account.panel_client_id, account.login, account.external_code) == ("7", "anna", "K-1")
    assert account.modified_at.isoformat() == "2026-07-01T10:00:00+00:00"
    assert account.values == {
        "email": "a@b.pl",
        "first_name": "Anna",
        "nip": "5250001233",
        "country_code": "PL",
        "client_type": "person_male",
        "language": "pol",
        "currency": "PLN",
        "wholesaler": True,
    }


@pytest.mark.parametrize(
    ("shown", "text"), [(1143, "1143"), ("1143", "1143"), ("PL-MZ", "PL-MZ"), ("", ""), (None, ""), ([], "")]
)
def test_a_province_is_read_as_text(shown: Any, text: str) -> None:
    assert read(clientBillingAddress={"clientProvinceId": shown}).values["province"] == text
    assert "province" not in read().values


def test_the_newer_flags_are_never_read() -> None:
    flags = {"clientNipUeDeclaration": "yes", "isLocalGovernmentUnit": "yes"}
    values = read(**flags, clientPreferences=flags, clientBillingAddress=flags).values
    assert not values.keys() & {"vat_eu", "local_government"}


@pytest.mark.fault(22, 71)
@pytest.mark.parametrize("shown", [7, "7", Decimal(7), Decimal("7.0")])
def test_ids_are_text_whatever_they_come_as(shown: Any) -> None:
    assert read(clientId=shown).panel_client_id == "7"


@pytest.mark.fault(71)
def test_large_ids_stay_exact() -> None:
    assert read(clientId=2**63 + 1).panel_client_id == str(2**63 + 1)


@pytest.mark.parametrize("empty", [[], {}, None])
def test_an_empty_object_is_tolerated(empty: Any) -> None:
    account = read(clientBillingAddress=empty, clientPreferences=empty)
    assert not account.values.get("first_name")
    assert not account.values.get("wholesaler")
    assert account.values["email"] == "a@b.pl"


def test_what_the_panel_does_not_show_is_not_read_as_empty() -> None:
    shown = {name: value for name, value in SHOWN.items() if name != "clientBillingAddress"}
    [account] = gates.accounts([shown])
    assert "first_name" not in account.values


@pytest.mark.parametrize(
    ("shown", "shops"),
    [
        ([], ()),
        ([{"shopId": 2, "shopName": "x"}, {"shopId": "1", "shopName": "y"}], (1, 2)),
        ([10, "9"], (9, 10)),
        ([2, {"shopId": "2"}, "02", None, True, -1, "1.0", "x", {"id": 1}], (2,)),
    ],
)
def test_the_shops_of_an_account(shown: Any, shops: tuple[int, ...]) -> None:
    assert read(clientActiveInShops=shown).values["shops"] == shops


@pytest.mark.parametrize("shown", [None, {}, "", {"0": {"shopId": 1}}])
def test_shops_that_are_no_list_are_not_shown_at_all(shown: Any) -> None:
    assert "shops" not in read(clientActiveInShops=shown).values
    assert "shops" not in read().values


def test_whether_an_account_is_active_is_never_read() -> None:
    assert "active" not in read(clientActive="y", **{"": "y"}).values


@pytest.mark.parametrize(
    ("shown", "read_as"),
    [
        (5, "5"),
        ("5", "5"),
        (Decimal("5.0"), "5"),
        (0, ""),
        ("0", ""),
        (Decimal("0.0"), ""),
        ("", ""),
        (None, ""),
        ([], ""),
    ],
)
def test_the_group_of_an_account(shown: Any, read_as: str) -> None:
    assert read(clientPreferences={"clientGroupDiscountNumber": shown}).values["discount_group_id"] == read_as


def test_a_group_that_is_not_shown_is_not_read_as_none() -> None:
    assert "discount_group_id" not in read().values
    assert "discount_group_id" not in read(clientPreferences={}).values


@pytest.mark.parametrize(
    ("shown", "figure"),
    [
        ("12.3", "12.30"),
        ('"12.30"', "12.30"),
        ("12", "12.00"),
        ('"12"', "12.00"),
        ("0", "0.00"),
        ("0.0", "0.00"),
        ("-0", "0.00"),
        ("-12.305", "-12.31"),
        ("9999999999.99", "9999999999.99"),
        ('"9999999999.99"', "9999999999.99"),
        ("0.1", "0.10"),
        ("1.1e3", "1100.00"),
        ("2.675", "2.68"),
        ('" 7 "', "7.00"),
        ('"12,50"', "12,50"),
        ("1" * 39, "1" * 39),
    ],
)
def test_an_amount_is_read_exactly_in_any_form(shown: str, figure: str) -> None:
    credit = json.loads(f'{{"clientTradeCreditLimit": {shown}, "clientTradeCreditUsed": {shown}}}', parse_float=Decimal)
    values = read(clientTradeCredit={**credit, "currencyId": "PLN"}).values
    assert (values["credit_limit"], values["balance"]) == (figure, figure)


@pytest.mark.parametrize("credit", [[], {}, None, "", {"currencyId": "PLN"}, [{"clientTradeCreditLimit": 5}]])
def test_a_credit_that_is_not_shown_is_not_read_as_nought(credit: Any) -> None:
    assert not read(clientTradeCredit=credit).values.keys() & {"credit_limit", "balance", "payment_days"}
    assert not read().values.keys() & {"credit_limit", "balance", "payment_days"}


@pytest.mark.parametrize("empty", [None, "", "  ", [], {}, {"PLN": 5}, True])
def test_a_figure_that_is_none_is_not_shown(empty: Any) -> None:
    values = read(clientTradeCredit={"clientTradeCreditLimit": empty, "clientTradeCreditUsed": 5}).values
    assert "credit_limit" not in values
    assert values["balance"] == "5.00"


@pytest.mark.parametrize(("shown", "code"), [("pl", "PL"), ("Niemcy", "DE"), ("germany", "DE"), ("XY", "XY"), ("", "")])
def test_a_country_may_be_shown_by_name(shown: str, code: str) -> None:
    assert read(clientBillingAddress={"clientCountryId": shown}).values["country_code"] == code


@pytest.mark.parametrize("name", ["Atlantis", "Kenia", "Sri Lanka", "POL", "pol."])
def test_a_country_by_a_name_that_is_not_known_counts_as_not_shown(name: str) -> None:
    values = read(clientBillingAddress={"clientCountryId": name, "clientCity": "Nairobi"}).values
    assert ("country_code" in values, values["city"]) == (False, "Nairobi")


@pytest.mark.parametrize(
    ("shops", "ids"),
    [
        ([{"shop_id": 1}, {"shop_id": "2"}, {"shop_id": Decimal("3.0")}], {1, 2, 3}),
        ([{"shop_id": None}, {"shop_id": "x"}, {}, None, 7, {"shop_id": [1]}, {"shop_id": 5}], {5}),
    ],
)
def test_the_ids_of_the_panels_shops(shops: Any, ids: set[int]) -> None:
    assert system.shops({"shops": shops}).keys() == ids


@pytest.mark.parametrize("shops", [[], {}, None, [{}], [{"shop_id": None}]])
def test_a_panel_that_shows_no_shop_is_asked_again(shops: Any) -> None:
    with pytest.raises(Retry):
        system.shops({"shops": shops})


@pytest.mark.parametrize("time", [None, "", "soon", -1, 10**14, 10**15, Decimal("1e999999")])
def test_a_clock_that_shows_no_time_is_asked_again(time: Any) -> None:
    with pytest.raises(Retry):
        system.server_time({"time": time})


@pytest.mark.parametrize(("shown", "guest"), [("y", True), ("n", False), ("yes", True), (None, False), ([], False)])
def test_guests(shown: Any, guest: bool) -> None:
    assert read(isUnregistered=shown).guest is guest


@pytest.mark.parametrize("junk", [{}, {"clientId": None}, {"clientId": ""}, {"clientId": []}])
def test_an_answer_with_an_account_without_an_id_tells_nothing(junk: Any) -> None:
    with pytest.raises(Retry) as refusal:
        gates.accounts([SHOWN, junk])
    assert refusal.value.code == "broken_answer"


# what was asked for


def test_accounts_are_those_that_were_asked_for() -> None:
    by_ids, by_codes = gates.by_ids(["7", "8"]), gates.by_codes(["K-1", "k 2"])
    assert by_ids.query == {"clientsIds": "7,8"}
    assert by_codes.query == {"clientCodesExternal": "K-1,k 2"}
    assert [by_ids.holds({"clientId": number}) for number in (7, "8", Decimal("7.0"), 9, "", None)] == [True] * 3 + [
        False
    ] * 3
    shown = ("K-1", "k-1", " K-1 ", "K 2", "K-10", "", None)
    assert [by_codes.holds({"clientCodeExternal": code}) for code in shown] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        ("2026-07-01 12:00:00", True),
        ("2026-07-01 12:10:00", True),
        ("2026-07-01 11:59:59", False),
        ("2026-07-01 12:10:01", False),
        ("2025-07-01 12:05:00", False),
        ("2026-07-01T10:05:00+00:00", True),
        ("2026-07-01T12:05:00+00:00", False),
        ("0000-00-00 00:00:00", True),
        ("", True),
        (None, True),
    ],
)
def test_dates_lie_in_the_window_that_was_asked_for(shown: Any, holds: bool) -> None:
    begin = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    wanted = gates.by_dates(Window(begin, begin + timedelta(minutes=10)))
    assert wanted.holds({"clientsLastModificationDate": shown}) is holds


@pytest.mark.parametrize("wall", ["2026-10-25 02:00:00", "2026-10-25 02:59:59"])
def test_a_wall_time_of_the_hour_that_comes_twice_lies_in_windows_of_both(wall: str) -> None:
    for hour in (0, 1):
        at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        assert gates.by_dates(Window(at, at + timedelta(minutes=1))).holds({"clientsLastModificationDate": wall})


# judging records


@pytest.mark.fault(15)
def test_results_in_another_order_are_matched_by_reference() -> None:
    for order in itertools.permutations([good("a"), bad("b"), good("c")]):
        assert kinds({"results": list(order)}) == ["done", "bad_postcode", "done"]


def test_a_result_without_reference_is_taken_by_its_place() -> None:
    assert kinds({"results": [good("a"), NAMELESS_BAD, good("c")]}) == ["done", "bad_postcode", "done"]
    assert kinds({"results": [NAMELESS_GOOD, NAMELESS_BAD, NAMELESS_GOOD]}) == ["done", "bad_postcode", "done"]


def test_the_last_one_without_reference_is_told_by_elimination() -> None:
    assert kinds({"results": [good("c"), NAMELESS_BAD, good("a")]}) == ["done", "bad_postcode", "done"]
    assert kinds({"results": [NAMELESS_BAD, good("c"), good("a")]}) == ["done", "bad_postcode", "done"]


def test_what_cannot_be_told_for_certain_is_no_success() -> None:
    shuffled = [good("c"), NAMELESS_GOOD, NAMELESS_BAD]
    assert kinds({"results": shuffled}) == ["missing_result", "missing_result", "done"]
    fewer = [NAMELESS_GOOD, NAMELESS_BAD]
    assert kinds({"results": fewer}) == ["missing_result"] * 3
    assert kinds({"results": [good("a"), NAMELESS_GOOD]}) == ["done", "missing_result", "missing_result"]
    assert kinds({"results": [good("b"), good("z"), good("c")]}) == ["missing_result", "done", "done"]


def test_places_count_for_nothing_where_the_others_stand_in_other_places() -> None:
    four = [*UPDATES, AccountUpdate("d", "b2b-d", {"city": "x"})]
    swapped = [good("b"), good("a"), NAMELESS_GOOD, NAMELESS_BAD]
    assert kinds({"results": swapped}, four) == ["done", "done", "missing_result", "missing_result"]
    straight = [good("a"), good("b"), NAMELESS_GOOD, NAMELESS_BAD]
    assert kinds({"results": straight}, four) == ["done", "done", "done", "bad_postcode"]


def test_where_all_nameless_ones_failed_the_rest_is_refused() -> None:
    assert kinds({"results": [good("c"), NAMELESS_BAD, NAMELESS_BAD]}) == ["bad_postcode", "bad_postcode", "done"]
    other = {"resultStatus": False, "errors": [{"faultCode": 12, "faultString": "zły e-mail"}]}
    outcomes = gates.outcomes({"results": [good("c"), NAMELESS_BAD, other]}, UPDATES)
    assert [kind(each) for each in outcomes] == ["refused", "refused", "done"]
    assert isinstance(outcomes[0], Reject)
    assert outcomes[0].facts == {"panel": "zły kod; zły e-mail"}


def test_where_several_failed_without_a_word_none_of_them_is_done() -> None:
    wordless = {"resultStatus": False}
    other = {"resultStatus": False, "errors": [{"faultCode": 12, "faultString": ""}]}
    assert kinds({"results": [good("c"), wordless, wordless]}) == ["refused", "refused", "done"]
    assert kinds({"results": [good("c"), wordless, other]}) == ["refused", "refused", "done"]


@pytest.mark.fault(15)
@pytest.mark.parametrize("results", [[], None, "x", [None, None, None], [{}, {}, {}], ["ok"] * 3])
def test_records_without_a_result_are_to_be_tried_again(results: Any) -> None:
    assert kinds({"results": results}) == ["missing_result"] * 3


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"status": True, "errors": []}, "done"),
        ({"status": True}, "done"),
        ({"status": "true", "errors": None}, "done"),
        ({"status": 1}, "done"),
        ({"resultStatus": "ok"}, "done"),
        ({"faultCode": 0, "faultString": ""}, "done"),
        ({"faultCode": "0", "faultString": "OK"}, "done"),
        ({"status": True, "message": "fine"}, "done"),
        ({"status": True, "errors": [{"faultCode": 0, "faultString": ""}]}, "done"),
        ({"status": False}, "refused"),
        ({"status": "false", "errors": []}, "refused"),
        ({"status": 0}, "refused"),
        ({"status": None, "faultCode": 12}, "bad_email.by_panel"),
        ({"resultStatus": False, "errors": [{"faultCode": "15", "faultString": ""}]}, "bad_vat"),
        ({"resultStatus": True, "errors": [FAULT]}, "bad_postcode"),
        ({"status": False, "errors": FAULT}, "bad_postcode"),
        ({"faultCode": 3, "faultString": "x"}, "login_taken"),
        ({"error": FAULT}, "bad_postcode"),
        ({"status": False, "errors": ["text"]}, "refused"),
    ],
)
def test_three_shapes_of_one_result(item: dict[str, Any], expected: str) -> None:
    named = {**item, "params": {"id": 5, "request_reference": "a"}}
    assert kinds({"clients": [named]}, NEWS[:1]) == [expected]
    assert kinds({"results": [{**item, "clientsResult": {"requestReference": "a"}}]}, UPDATES[:1]) == [expected]


# a field that an older panel lacks

VAT, UNIT = {"vat_eu": True}, {"local_government": False}


def refused(text: str, values: Any, number: Any = 109, *, new: bool = False) -> tuple[str, str]:
    """Code and field of a record's refusal in this text."""
    record = NewAccount("a", "a", "p", values) if new else AccountUpdate("a", "a", values)
    item = {
        "status": False,
        "params": {"request_reference": "a"},
        "errors": [{"faultCode": number, "faultString": text}],
    }
    [outcome] = gates.outcomes({"clients" if new else "results": [item]}, [record])
    assert isinstance(outcome, Reject)
    assert outcome.facts == {"panel": ": ".join(str(each) for each in (number, text) if each)}
    return outcome.code, outcome.field


@pytest.mark.parametrize(
    "text",
    [
        "Unknown field isLocalGovernmentUnit",
        "isLocalGovernmentUnit",
        "Nieznane pole: isLocalGovernmentUnit.",
        "params.clients[0].isLocalGovernmentUnit is not allowed",
        "params/clients/0/isLocalGovernmentUnit",
        "pole „isLocalGovernmentUnit” jest niedozwolone",
        'Unexpected property "isLocalGovernmentUnit", clientNipUeDeclaration',
    ],
)
@pytest.mark.parametrize("number", [109, 100, "", 0.5])
def test_an_unknown_fault_that_names_a_newer_field_says_that_the_panel_lacks_it(text: str, number: Any) -> None:
    assert refused(text, UNIT, number) == ("panel_lacks_field", "local_government")


def test_the_name_that_this_call_used_is_the_one_that_counts() -> None:
    assert refused("nip_ue_declaration?", VAT, new=True) == ("panel_lacks_field", "vat_eu")
    assert refused("clientNipUeDeclaration?", VAT) == ("panel_lacks_field", "vat_eu")
    assert refused("clientNipUeDeclaration?", VAT, new=True) == ("refused", "")
    assert refused("nip_ue_declaration?", VAT) == ("refused", "")


@pytest.mark.parametrize(
    "text",
    [
        "isLocalGovernmentUnits",
        "xisLocalGovernmentUnit",
        "is_isLocalGovernmentUnit",
        "isLocalGovernmentUnit_code",
        "isLocalGovernmentUnit2",
        "żisLocalGovernmentUnit",
        "islocalgovernmentunit",
        "local_government",
        "unknown field",
        "",
    ],
)
def test_a_name_that_is_part_of_another_word_says_nothing_of_the_field(text: str) -> None:
    assert refused(text, UNIT) == ("refused", "")


@pytest.mark.parametrize("values", [{}, {"city": "Radom"}, VAT, {"local_government": None}])
def test_a_record_that_did_not_carry_the_field_is_merely_refused(values: Any) -> None:
    assert refused("Unknown field isLocalGovernmentUnit", values) == ("refused", "")


@pytest.mark.parametrize(("number", "code"), [(15, "bad_vat"), (20, "bad_postcode"), (3, "login_taken")])
def test_a_fault_with_a_meaning_of_its_own_keeps_it(number: int, code: str) -> None:
    assert refused("clientNipUeDeclaration", VAT, number)[0] == code


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("country_code", "Unknown value of clientCountryId"),
        ("client_type", "clientType: not allowed"),
        ("province", "Nieznane województwo, pole clientProvinceId"),
        ("email", "Unexpected clientEmail"),
    ],
)
def test_a_field_that_every_panel_knows_is_never_said_to_be_lacking(name: str, text: str) -> None:
    value = {"country_code": "DE", "client_type": "firm", "email": "a@b.pl"}.get(name, "PL-MZ")
    assert refused(text, {name: value}) == ("refused", "")


def test_each_record_is_judged_by_what_it_carried_where_reasons_may_be_mixed_up() -> None:
    fault = {"resultStatus": False, "errors": [{"faultCode": 109, "faultString": "isLocalGovernmentUnit"}]}
    other = {"resultStatus": False, "errors": [{"faultCode": 101, "faultString": "x"}]}
    records = [AccountUpdate("a", "a", UNIT), AccountUpdate("b", "b", VAT), AccountUpdate("c", "c", VAT)]
    assert kinds({"results": [good("c"), fault, other]}, records) == ["panel_lacks_field", "refused", "done"]


@pytest.mark.parametrize("params", [{"id": "8", "login": "x"}, {"id": 8, "login": "x"}])
def test_an_opened_account_is_told_with_id_and_login(params: dict[str, Any]) -> None:
    answer = {"clients": [{"status": True, "params": {**params, "request_reference": "a"}, "errors": []}]}
    assert gates.outcomes(answer, NEWS[:1]) == [Done("8", "x")]


def test_the_login_that_was_asked_for_stands_where_none_is_told() -> None:
    assert gates.outcomes({"clients": [{"status": True, "params": {"id": 8}}]}, NEWS[:1]) == [Done("8", "b2b-a")]


@pytest.mark.parametrize("params", [{}, {"id": 0}, {"id": None}, {"id": ""}, []])
def test_an_opened_account_without_an_id_is_not_known_to_exist(params: Any) -> None:
    assert kinds({"clients": [{"status": True, "params": params}]}, NEWS[:1]) == ["missing_result"]


@pytest.mark.fault(22)
@given(st.dictionaries(st.sampled_from(["results", "clients", "errors", "time", "shops"]), json_values))
def test_no_answer_however_odd_raises_or_counts_as_success_unnamed(body: dict[str, Any]) -> None:
    with contextlib.suppress(Retry):
        gates.accounts(answers.page_of(body, "results", 0, 10).records)
    answers.fault(body)
    for read in (system.server_time, system.shops):
        with contextlib.suppress(Retry):
            read(body)
    outcomes = gates.outcomes(body, NEWS)
    assert len(outcomes) == 3
    assert all(each.panel_client_id for each in outcomes if isinstance(each, Done))
