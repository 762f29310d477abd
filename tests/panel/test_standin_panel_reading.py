"""What the stand-in shows, and how it is asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from local.panel import StandinPanel
from tests.panel.conftest import KEY, Caller


@pytest.mark.parametrize("headers", [{}, {"X-API-KEY": ""}, {"X-API-KEY": KEY + "x"}, {"X-API-KEY": "żółć"}])
def test_without_the_right_key_nothing_is_told(panel: StandinPanel, headers: dict[str, str]) -> None:
    sent = {name: value.encode() for name, value in headers.items()}
    refused = requests.get(f"{panel.url}/api/admin/v8/system/serverTime", headers=sent, timeout=5)
    assert refused.status_code == 401
    assert refused.json()["errors"]["message"] == refused.headers["x-error"].encode("latin-1").decode()
    assert KEY not in refused.text + str(refused.headers)


def test_a_key_without_the_scope_is_told_which_one(panel: StandinPanel, api: Caller) -> None:
    panel.settings.change(scopes={"CRM": "r", "SYSTEM": ""})
    panel.seed(login="anna")
    assert api.get("clients/clients")["resultsNumberAll"] == 1
    assert api.send("GET", "system/serverTime").status_code == 403
    refused = api.write("PUT", "clients/clients", {"clientLogin": "anna"})
    assert "Scope: crm, level: rw" in refused.headers["x-error"]


def test_unknown_gates_and_versions(api: Caller) -> None:
    assert api.send("GET", "clients/nothing", checked=False).status_code == 404
    assert api.send("GET", "clients/clients", version=5, checked=False).status_code == 404
    assert api.send("GET", "clients/clients", version=6).status_code == 207


def test_pages_count_from_zero_and_hold_a_hundred(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(250)
    first, last = api.get("clients/clients"), api.get("clients/clients", resultsPage=2)
    assert [
        first[name]
        for name in (
            "resultsNumberAll",
            "resultsNumberPage",
            "resultsPage",
            "resultsLimit",
        )
    ] == [
        250,
        3,
        0,
        100,
    ]
    assert (len(first["results"]), len(last["results"])) == (100, 50)
    assert api.get("clients/clients", resultsPage=3)["errors"]["faultCode"] == 2
    assert api.get("clients/clients", resultsPage=4, resultsLimit=50)["results"][0]["clientId"] == 201


@pytest.mark.parametrize(
    ("page", "limit"),
    [("-1", "10"), ("0", "0"), ("0", "101"), ("x", "10"), ("0", "1.5")],
)
def test_paging_out_of_bounds_is_refused(api: Caller, page: str, limit: str) -> None:
    query = {"resultsPage": page, "resultsLimit": limit}
    assert api.send("GET", "clients/clients", params=query).status_code == 422


def test_an_empty_search_has_three_faces(panel: StandinPanel, api: Caller) -> None:
    usual = api.send("GET", "clients/clients")
    assert (
        usual.status_code,
        usual.json()["errors"]["faultCode"],
        usual.json()["results"],
    ) == (207, 2, [])
    panel.settings.change(empty_search_paging=False)
    assert set(api.get("clients/clients")) == {"errors"}
    panel.settings.change(empty_search_status=200)
    assert api.get("clients/clients")["results"] == []


def test_lists_are_comma_joined_and_a_repeated_name_counts_once(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(5)
    found = api.get("clients/clients", clientsIds="1,3,99")["results"]
    assert [each["clientId"] for each in found] == [1, 3]
    assert len(api.get("clients/clients", clientCodesExternal="K-00002,K-00004")["results"]) == 2
    assert [each["clientId"] for each in api.get("clients/clients", clientsIds=["1", "3"])["results"]] == [3]


def test_a_misspelt_filter_finds_everybody_and_is_counted(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(5)
    assert api.get("clients/clients", clientIds="1")["resultsNumberAll"] == 5
    window = "clientsModificationDate[clientsModificationDateBegin]"
    assert api.get("clients/clients", **{window: "2090-01-01"})["resultsNumberAll"] == 5
    assert panel.unknown_fields == {"GET clients/clients clientIds": 1, f"GET clients/clients {window}": 1}


def test_a_record_is_nested_and_speaks_the_reading_words(panel: StandinPanel, api: Caller) -> None:
    panel.seed(
        login="anna",
        email="a@example.com",
        client_type="person_female",
        country_code="PL",
        guest=False,
    )
    panel.seed(
        email="g@example.com",
        guest=True,
        client_type="firm",
        wholesaler=True,
        discount_group_id=2,
    )
    anna, guest = api.get("clients/clients")["results"]
    assert (anna["clientType"], guest["clientType"]) == ("female", "firm")
    assert anna["clientBillingAddress"]["clientCountryId"] == "pl"
    assert anna["clientPersonalData"]["clientBirthDate"] == "0000-00-00"
    assert (guest["isUnregistered"], guest["clientLogin"]) == ("y", "")
    assert guest["clientPreferences"]["clientIsWholesaler"] == "yes"
    assert guest["clientPreferences"]["clientGroupDiscountName"] == "Hurt A"
    assert isinstance(anna["clientId"], int)


def test_activity_shows_in_the_filter_alone(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(3)
    panel.edit(2, active=False)
    assert [each["clientId"] for each in api.get("clients/clients", clientIsActive="no")["results"]] == [2]
    assert not any(
        "ctive" in name for name in api.get("clients/clients")["results"][0] if name != "clientActiveInShops"
    )


def test_return_elements_are_flat_names_of_nested_fields(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(1)
    (record,) = api.get("clients/clients", returnElements="clientId,clientNip,langId,shops")["results"]
    assert set(record) == {
        "clientId",
        "clientBillingAddress",
        "clientPreferences",
        "clientActiveInShops",
    }
    assert set(record["clientBillingAddress"]) == {"clientNip"}


def test_an_end_without_time_means_midnight_unless_set_otherwise(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(datetime(2026, 1, 31, 12, 0))
    panel.seed(login="a")
    assert api.window("2026-01-31", "2026-01-31") == []
    panel.settings.change(date_only_end="day_end")
    assert api.window("2026-01-31", "2026-01-31") == ["a"]
    assert api.window("2026-1-31 12:0:0") == api.window(end="2026-01-31 12:00:00") == ["a"]


def test_accounts_are_found_by_the_day_of_their_registration(panel: StandinPanel, api: Caller) -> None:
    for day in (30, 31):
        panel.clock.set(datetime(2026, 1, day, 12, 0))
        panel.seed(login=f"day{day}")
    panel.edit(1, city="Łódź")
    stem = "clientRegistrationDate"
    for end in ("2026-01-31", "2026-01-31 00:00:00"):
        query = {f"{stem}[{stem}Begin]": "2026-01-31", f"{stem}[{stem}End]": end}
        assert [each["clientLogin"] for each in api.get("clients/clients", **query)["results"]] == ["day31"]
    assert panel.unknown_fields == {}


def test_winter_and_summer_time(panel: StandinPanel, api: Caller) -> None:
    """In the autumn hour that comes twice, a later write shows an earlier wall time: the panel keeps no zone."""
    for moment, login in ((datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "first"),
                          (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "second"),
                          (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "spring")):  # fmt: skip
        panel.clock.set(moment)
        panel.seed(login=login)
    dates = {each["clientLogin"]: each["clientsLastModificationDate"] for each in api.get("clients/clients")["results"]}
    assert dates == {
        "first": "2026-10-25 02:50:00",
        "second": "2026-10-25 02:10:00",
        "spring": "2026-03-29 03:30:00",
    }
    assert api.window("2026-10-25 02:45:00") == ["first"]


@pytest.mark.parametrize("moment", ["2026-01-31T10:00:00", "31.01.2026", "2026-02-30", "0000-00-00", "now"])
def test_a_moment_of_another_form_is_refused(api: Caller, moment: str) -> None:
    stem = "clientsLastModificationDate"
    assert api.send("GET", "clients/clients", params={f"{stem}[{stem}Begin]": moment}).status_code == 422
    assert api.send("GET", "clients/clients", params={stem: "2026-01-31"}).status_code == 422


def test_skew_moves_server_time_and_dates_alike(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_800_000_000)
    panel.clock.skew = -90
    panel.seed(login="a")
    assert api.get("system/serverTime") == {"time": 1_799_999_910}
    assert api.window("2027-01-15 08:58:30", "2027-01-15 08:58:30") == ["a"]


def test_a_lagging_date_shows_late_though_the_data_is_there(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(datetime(2026, 1, 1, 12, 0))
    panel.seed(login="a", city="Łódź")
    panel.settings.change(date_lag_seconds=30)
    panel.clock.advance(60)
    panel.edit(1, city="Kraków")
    assert api.get("clients/clients")["results"][0]["clientBillingAddress"]["clientCity"] == "Kraków"
    assert api.window("2026-01-01 12:00:30") == []
    panel.clock.advance(30)
    assert api.window("2026-01-01 12:01:00", "2026-01-01 12:01:00") == ["a"]


def test_numbers_as_text_and_php_empties(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(1)
    panel.settings.change(numbers_as_text=True, php_empties=True)
    body = api.send("GET", "clients/clients", checked=False).json()
    assert body["resultsNumberAll"] == "1"
    assert body["results"][0]["clientId"] == "1"
    assert body["results"][0]["operator"] == []


def test_crm_search_compares_fragments_unless_told_otherwise(panel: StandinPanel, api: Caller) -> None:
    for login in ("anna", "anna2"):
        panel.seed(
            login=login,
            nip="5260001246",
            email=f"{login}@example.com",
            country_code="PL",
        )
    search = {"clientLogin": "ANNA"}
    fragment = api.send("POST", "clients/crm/search", json={"params": search}).json()
    exact = api.send(
        "POST",
        "clients/crm/search",
        json={"params": {**search, "settingsExactSearch": True}},
    ).json()
    assert (len(fragment["clientsResults"]), len(exact["clientsResults"])) == (2, 1)
    assert exact["clientsResults"][0]["clientType"] == "person"
    assert "clientsLastModificationDate" not in exact["clientsResults"][0]
    nothing = api.send("POST", "clients/crm/search", json={"params": {"clientNip": "1"}})
    assert (nothing.status_code, nothing.json()["resultsNumberAll"]) == (200, 2)
    nobody = api.send("POST", "clients/crm/search", json={"params": {"clientEmail": "x@"}})
    assert (nobody.status_code, nobody.json()["errors"]["faultCode"]) == (207, 2)


def test_crm_search_by_codes_and_by_what_the_key_may_see(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="a", external_code="K1", shops=[1, 2])
    panel.seed(login="b", external_code="K1", shops=[2])

    def logins(**params: object) -> list[str]:
        body = api.send("POST", "clients/crm/search", json={"params": params}).json()
        return [each["clientLogin"] for each in body.get("clientsResults", [])]

    assert logins(clientCodesExternal=["K1", "K2"]) == ["a", "b"]
    assert logins(clientCode="K1", clientLogin="b") == ["b"]
    assert panel.unknown_fields == {"POST clients/crm/search clientCode": 1}
    panel.settings.change(visible_shops=[1])
    assert logins(clientCodeExternal="K1") == ["a"]


@pytest.mark.parametrize("paging", [{"resultsPage": 0.5}, {"resultsLimit": 10.5}, {"resultsLimit": 101}])
def test_crm_search_counts_pages_in_whole_numbers(api: Caller, paging: dict[str, float]) -> None:
    assert api.send("POST", "clients/crm/search", json={"params": paging}).status_code == 422


def test_dictionaries(api: Caller) -> None:
    assert [shop["shop_id"] for shop in api.get("system/shopsData")["shops"]] == [
        1,
        2,
        3,
    ]
    assert len(api.get("clients/provinceList", country_code="pl")["results"]) == 16
    assert api.get("clients/provinceList", country_code="de")["errors"]["faultCode"] == 2


def test_a_window_over_ten_thousand_accounts_gives_its_page(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(datetime(2026, 1, 1, 12, 0))
    panel.seed_sample(10_000)
    panel.clock.advance(1)
    panel.edit(7777, city="Łódź")
    assert api.window("2026-01-01 12:00:01") == ["b2b-07777"]
    assert api.get("clients/clients", resultsPage=99)["results"][-1]["clientId"] == 10_000
