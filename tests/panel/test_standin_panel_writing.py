"""What the stand-in takes, refuses, and says about each record."""

from __future__ import annotations

from typing import Any

import pytest

from local.panel import StandinPanel
from tests.panel.conftest import Caller, codes, new_client

POST = ("POST", "clients/clients")
PUT = ("PUT", "clients/clients")
QUIET = {"send_mail": False, "send_sms": False}
QUIET_PUT = {"clientSettingSendMail": False, "clientSettingSendSms": False}


def test_a_new_account_is_kept_and_named_in_the_answer(panel: StandinPanel, api: Caller) -> None:
    more = {
        "code_extern": "K1",
        "client_group": 2,
        "external_trade_credit_limit_value": 10.555,
    }
    result = api.result(*POST, new_client("anna", request_reference="r-1", **more))
    assert result == {
        "status": True,
        "params": {"id": 1, "login": "anna", "request_reference": "r-1"},
        "errors": [],
    }
    kept = panel.account(1)
    assert (kept.external_code, kept.discount_group_id, kept.shops) == ("K1", 2, [1])
    assert kept.modified[:10] == kept.registered


FAULTS: list[tuple[dict[str, Any], list[int]]] = [
    ({"login": ""}, [1]),
    ({"login": "Anna"}, [2]),
    ({"login": "an na"}, [2]),
    ({"login": "taken"}, [3]),
    ({"password": "short"}, [5]),
    ({"password": "x" * 31}, [6]),
    ({"login": "same-as-login", "password": "same-as-login"}, [7]),
    ({"birth_date": "1990-02-30"}, [9]),
    ({"firstname": ""}, [10]),
    ({"firstname": " ", "lastname": ""}, [10, 11]),
    ({"firstname": "", "lastname": "", "company": "Firma"}, []),
    ({"email": "anna@"}, [12]),
    ({"email": ""}, [12]),
    ({"shops": []}, [13]),
    ({"shops": [1, 77]}, [14]),
    ({"vat_number": "5260001247"}, [15]),
    ({"vat_number": "526-000-12-46"}, []),
    ({"vat_number": "PL 5260001246"}, []),
    ({"vat_number": "5260001246", "country_code": "DE", "zipcode": "10115"}, [15]),
    ({"vat_number": "DE136695976", "country_code": "de", "zipcode": "10115"}, []),
    ({"client_type": "firm"}, [16]),
    ({"country_code": "XX"}, [17]),
    ({"city": " "}, [18]),
    ({"street": ""}, [19]),
    ({"zipcode": ""}, [20]),
    ({"zipcode": "0095"}, [20]),
    ({"phone": "see e-mail"}, [21]),
    ({"phone": ""}, []),
    ({"email": "x", "city": "", "phone": "1"}, [12, 18, 21]),
]


@pytest.mark.parametrize(("wrong", "expected"), FAULTS)
def test_fault_codes_of_a_new_account(
    panel: StandinPanel, api: Caller, wrong: dict[str, Any], expected: list[int]
) -> None:
    panel.seed(login="taken")
    result = api.result(*POST, {**new_client("anna"), **wrong})
    assert codes(result) == expected
    assert result["status"] is not bool(expected)
    assert len(panel.accounts) == (1 if expected else 2)


def test_without_a_login_one_is_made_up_or_refused(panel: StandinPanel, api: Caller) -> None:
    nameless = {name: value for name, value in new_client("x").items() if name != "login"}
    first, second = api.result(*POST, nameless), api.result(*POST, nameless)
    assert first["params"]["login"] != second["params"]["login"]
    panel.settings.change(login_required=True)
    assert codes(api.result(*POST, nameless)) == [1]


def test_the_same_code_opens_two_accounts(panel: StandinPanel, api: Caller) -> None:
    api.write(*POST, new_client("a", code_extern="K1"), new_client("b", code_extern="K1"))
    assert [each.login for each in panel.by_code("K1")] == ["a", "b"]


@pytest.mark.parametrize(
    ("manner", "kept", "found"),
    [("as_given", "Kow-1", ["Kow-1"]), ("capitals", "KOW-1", ["KOW-1"]), ("any_case", "Kow-1", ["kow-1", "KOW-1"])],
)
def test_external_codes_in_the_panels_own_case(
    panel: StandinPanel, api: Caller, manner: str, kept: str, found: list[str]
) -> None:
    panel.settings.change(code_case=manner)
    api.write(*POST, new_client("a", code_extern="Kow-1"))
    assert [each.external_code for each in panel.accounts] == [kept]
    for code in found:
        answer = api.get("clients/clients", clientCodesExternal=code)
        assert [each["clientCodeExternal"] for each in answer["results"]] == [kept]
    if manner == "capitals":
        assert not api.get("clients/clients", clientCodesExternal="Kow-1").get("results")


def test_the_same_login_within_a_batch_fails_once(panel: StandinPanel, api: Caller) -> None:
    response = api.write(*POST, new_client("a"), new_client("a"))
    assert [codes(each) for each in response.json()["clients"]] == [[], [3]]
    assert (response.status_code, response.json()["errors"]["faultCode"]) == (207, 3)
    panel.settings.change(partial_status=200)
    response = api.write(*POST, new_client("a"))
    assert (response.status_code, "errors" in response.json()) == (200, False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"clientEmail": ""}, [12]),
        ({"clientFirm": ""}, [16]),
        ({"clientType": "person"}, []),
        ({"clientType": "person", "clientFirm": ""}, [10, 11]),
        ({"clientNip": "1"}, [15]),
        ({"clientNip": ""}, []),
        ({"clientCountryId": "de"}, [15]),
        ({"shopsIds": []}, [13]),
        ({"clientPassword": "12345"}, [5]),
        ({"clientPhone1": "?"}, [21]),
        ({"clientActive": False}, []),
    ],
)
def test_fault_codes_of_a_change(panel: StandinPanel, api: Caller, change: dict[str, Any], expected: list[int]) -> None:
    panel.seed(
        login="f", client_type="firm", company="Firma", nip="5260001246", street="Polna 1", zip_code="00-950",
        city="Warszawa", email="f@example.com",
    )  # fmt: skip
    before = panel.account(1)
    assert codes(api.result(*PUT, {"clientLogin": "f", **change})) == expected
    assert (panel.account(1) == before) is bool(expected)


def test_old_data_that_is_left_alone_fails_nothing(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="old", email="not an address", nip="123")
    assert api.result(*PUT, {"clientLogin": "old", "clientCity": "Łódź"})["resultStatus"] is True


def test_unknown_logins_guests_and_groups(panel: StandinPanel, api: Caller) -> None:
    panel.seed(guest=True)
    panel.seed(login="anna")
    assert api.result(*PUT, {"clientLogin": ""})["resultStatus"] is False
    assert api.result(*PUT, {"clientLogin": "nobody"})["resultStatus"] is False
    assert api.result(*PUT, {"clientLogin": "anna", "clientGroupDiscountNumber": 99})["resultStatus"] is False
    assert api.result(*PUT, {"clientLogin": "anna", "clientGroupDiscountNumber": 0})["resultStatus"] is True


def test_null_and_wrong_types_refuse_the_whole_call(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", city="Łódź")
    refused: list[Any] = [
        {"clientCity": None},
        {"clientActive": "yes"},
        {"shopsIds": 1},
        {"clientType": "private"},
    ]
    for wrong in [*refused, [], "x"]:
        record = {"clientLogin": "anna", **wrong} if isinstance(wrong, dict) else wrong
        good = {"clientLogin": "anna", "clientCity": "Kraków"}
        response = api.send(*PUT, json={"params": {"clients": [good, record]}})
        assert response.status_code == 422
    assert panel.account(1).city == "Łódź"
    shapeless: list[Any] = [
        None,
        [],
        {},
        {"params": {}},
        {"params": {"clients": []}},
        {"clients": [refused[0]]},
    ]
    for body in shapeless:
        assert api.send(*PUT, json=body).status_code == 422
    assert api.send(*PUT, data="{", headers={"Content-Type": "application/json"}).status_code == 422


def test_over_a_hundred_records_refuse_the_whole_call(panel: StandinPanel, api: Caller) -> None:
    batch = [new_client(f"c{number}") for number in range(101)]
    assert api.write(*POST, *batch).status_code == 422
    assert panel.accounts == []
    panel.settings.change(max_batch=None)
    assert api.write(*POST, *batch).status_code == 200


def test_results_may_be_shuffled_and_lack_a_reference(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(20)
    panel.settings.change(shuffle_results=True, failed_without_reference=True)
    changes = [{"clientLogin": f"b2b-{n:05d}", "requestReference": str(n)} for n in range(1, 22)]
    results = api.write(*PUT, *changes).json()["results"]
    told = [each["clientsResult"]["requestReference"] for each in results if each["resultStatus"]]
    assert told != sorted(told, key=int)
    assert sorted(told, key=int) == [str(n) for n in range(1, 21)]
    assert [set(each) for each in results if not each["resultStatus"]] == [{"resultStatus", "errors"}]


def test_every_write_moves_the_date_own_ones_too(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_800_000_000)
    panel.seed(login="anna", city="Łódź")
    before = panel.account(1).modified
    panel.clock.advance(5)
    api.write(*PUT, {"clientLogin": "anna", "clientCity": "Łódź"})
    assert panel.account(1).modified > before
    panel.settings.change(unchanged_write_moves_date=False)
    echo = panel.account(1).modified
    panel.clock.advance(5)
    api.write(*PUT, {"clientLogin": "anna", "clientCity": "Łódź"})
    assert panel.account(1).modified == echo


def test_mails_go_out_unless_told_off_in_words(panel: StandinPanel, api: Caller) -> None:
    api.write(*POST, new_client("a"), new_client("A"), settings=QUIET)
    api.write(*PUT, {"clientLogin": "a"}, clientsSettings=QUIET_PUT)
    assert (panel.mails_sent, panel.texts_sent) == (0, 0)
    api.write(*POST, new_client("b"), new_client("B"), settings={"send_sms": False})
    api.write(*PUT, {"clientLogin": "a"})
    assert (panel.mails_sent, panel.texts_sent) == (2, 1)


def test_removing_erases_the_person_and_keeps_the_row(panel: StandinPanel, api: Caller) -> None:
    panel.seed(
        login="anna",
        email="a@example.com",
        last_name="Nowak",
        external_code="K1",
        addresses=[{"city": "Łódź"}],
    )
    assert api.send("DELETE", "clients/remove", params={"clientId": 1}).status_code == 200
    kept = panel.account(1)
    assert (kept.email, kept.last_name, kept.addresses, kept.active) == (
        "",
        "",
        [],
        False,
    )
    assert panel.by_login("anna") is None
    assert api.get("clients/clients")["resultsNumberAll"] == 1
    panel.settings.change(removed_listed=False)
    assert api.get("clients/clients")["resultsNumberAll"] == 0
    assert api.send("DELETE", "clients/remove", params={"clientId": 9}).status_code == 207
    assert api.send("DELETE", "clients/remove").status_code == 422


def test_a_tidying_panel_changes_what_it_is_given(panel: StandinPanel, api: Caller) -> None:
    panel.settings.change(normalise=True)
    api.write(*POST, new_client("a", city="  Nowy   Sącz ", phone="+48 600-100-200"))
    kept = panel.account(1)
    assert (kept.city, kept.phone) == ("Nowy Sącz", "600 100 200")
    panel.edit(1, zip_code="ab1 2cd")
    assert panel.account(1).zip_code == "AB1 2CD"


def test_calls_and_records_are_counted_by_gate(panel: StandinPanel, api: Caller) -> None:
    api.write(*POST, new_client("a"), new_client("b"))
    api.get("clients/clients")
    panel.edit(1, city="Łódź")
    assert panel.calls == {"POST clients/clients": 1, "GET clients/clients": 1}
    assert panel.records == {"POST clients/clients": 2, "GET clients/clients": 2}
    assert panel.requests("POST clients/clients")[0]["body"]["params"]["clients"][1]["login"] == "b"
    panel.forget_calls()
    assert panel.total_calls == 0


ADDRESS = {
    "clientDeliveryAddressFirstName": "Anna",
    "clientDeliveryAddressLastName": "Nowak",
    "clientDeliveryAddressStreet": "Magazynowa 1",
    "clientDeliveryAddressZipCode": "90-001",
    "clientDeliveryAddressCity": "Łódź",
    "clientDeliveryAddressCountry": "PL",
}
GATE = "clients/deliveryAddress"


def test_addresses_of_nobody_and_of_nothing(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna")
    first, second = api.get(GATE, clientLogins="anna,nobody")["results"]
    assert first["clientDeliveryAddresses"] == []
    assert second["error"]["faultString"]
    assert api.get(GATE)["errors"]["faultCode"] == 3


@pytest.mark.parametrize(("manner", "shown"), [("lower", "pl"), ("upper", "PL"), ("name", "Polska")])
def test_how_an_address_shows_its_country_is_a_setting(
    panel: StandinPanel, api: Caller, manner: str, shown: str
) -> None:
    panel.settings.change(address_country=manner)
    panel.seed(login="anna")
    api.write("POST", GATE, {"clientLogin": "anna", "shopsIds": [1], **ADDRESS})
    (found,) = api.get(GATE, clientIds="1")["results"]
    assert found["clientDeliveryAddresses"][0]["clientDeliveryAddressCountry"] == shown


def test_what_the_gates_of_addresses_do_not_know_is_counted(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", addresses=[{"city": "Łódź"}])
    record = {"clientLogin": "anna", "clientDeliveryAddressId": 1}
    assert codes(api.result("PUT", GATE, {**record, "shopsIds": [1], "clientDeliveryAddressCity": "Kraków"})) == []
    api.write("POST", f"{GATE}/delete", {**record, "shopsIds": [1]})
    api.write("POST", GATE, {**record, "shopsIds": [1], **ADDRESS})
    assert panel.unknown_fields == {f"POST {GATE}/delete shopsIds": 1, f"POST {GATE} clientDeliveryAddressId": 1}


def test_php_says_that_there_is_no_error_with_an_empty_list(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna")
    assert "error" not in api.get(GATE, clientIds="1")["results"][0]
    panel.settings.change(php_empties=True)
    answer = api.send("GET", GATE, checked=False, params={"clientIds": "1"})
    assert answer.json()["results"][0]["error"] == []


@pytest.mark.parametrize(
    ("manners", "wire", "sent", "kept"),
    [
        ({"cuts_at": 10}, "clientFirm", "Bardzo długa nazwa", "Bardzo dłu"),
        ({"drops_after_four_bytes": True}, "clientFirm", "Firma \U0001f600 dalej", "Firma "),
        ({"escapes_html": True}, "clientFirm", "Żółw & Gęś", "Żółw &amp; Gęś"),
        ({"loses_zeros": True}, "clientZipCode", "01067", "1067"),
        ({"ignores_fields": ["city"]}, "clientCity", "Gdynia", "Łódź"),
    ],
)
def test_a_panel_with_bad_manners_thanks_and_keeps_something_else(
    panel: StandinPanel, api: Caller, manners: dict[str, Any], wire: str, sent: str, kept: str
) -> None:
    api.write(*POST, new_client("jan", city="Łódź", country_code="DE"))
    panel.settings.change(**manners)
    assert api.result(*PUT, {"clientLogin": "jan", wire: sent})["resultStatus"] is True
    name = {"clientFirm": "company", "clientZipCode": "zip_code", "clientCity": "city"}[wire]
    assert getattr(panel.account(1), name) == kept
    panel.edit(1, **{name: sent})
    assert getattr(panel.account(1), name) == sent, "a user's own edit is kept"


def test_a_limit_of_0_may_leave_what_was_there(panel: StandinPanel, api: Caller) -> None:
    api.write(*POST, new_client("jan"))
    for leaves, limit in ((True, 5000), (True, 0), (False, 0)):
        panel.settings.change(zero_leaves=leaves)
        api.write(*PUT, {"clientLogin": "jan", "clientTradeCreditLimitExternal": limit})
        assert panel.account(1).credit_limit == (5000 if leaves else 0)
