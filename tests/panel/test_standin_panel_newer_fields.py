"""The province, which is written by its code and shown as a number; two newer fields; and a panel that lacks some."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.panel import Account, StandinPanel
from tests.panel.conftest import Caller, codes, new_client

POST = ("POST", "clients/clients")
PUT = ("PUT", "clients/clients")
TOWN = {"email": "a@example.com", "first_name": "Anna", "last_name": "Nowak", "street": "Polna 1",
        "zip_code": "00-950", "city": "Warszawa", "country_code": "PL", "shops": "1", "active": "y"}  # fmt: skip


def shown(api: Caller, **query: Any) -> str:
    """What is shown of the first account's province."""
    return str(api.get("clients/clients", **query)["results"][0]["clientBillingAddress"]["clientProvinceId"])


def change(api: Caller, **fields: Any) -> list[int]:
    """Fault codes of a change of anna's account."""
    return codes(api.result(*PUT, {"clientLogin": "anna", **fields}))


# --- the province


@pytest.mark.parametrize("written", ["PL-MZ", "pl-mz", "mazowieckie", " Mazowieckie "])
def test_a_province_is_written_by_code_or_name_and_shown_as_one_number(
    panel: StandinPanel, api: Caller, written: str
) -> None:
    assert codes(api.result(*POST, new_client("anna", province_code=written))) == []
    assert panel.account(1).province == "PL-MZ"
    number = shown(api)
    assert number.isdecimal()
    assert shown(api, returnElements="clientProvinceId") == number
    assert change(api, clientProvinceId="PL-SL") == []
    assert shown(api) != number
    assert change(api, clientProvinceId=written) == []
    assert shown(api) == number


def test_every_province_of_the_list_has_a_number_of_its_own_that_the_list_does_not_tell(
    panel: StandinPanel, api: Caller
) -> None:
    listed = api.get("clients/provinceList")["results"]
    for each in listed:
        panel.seed(login=each["province_code"].lower(), province=each["province"])
    numbers = [each["clientBillingAddress"]["clientProvinceId"] for each in api.get("clients/clients")["results"]]
    assert len(set(numbers)) == len(listed) == 16
    assert not any(number in str(listed) for number in numbers)
    with StandinPanel() as other:
        assert other.seed(province="PL-DS").province == panel.account(1).province == "PL-DS"


@pytest.mark.parametrize(
    ("country", "province", "kept"),
    [
        ("PL", "PL-XX", None),
        ("PL", "MZ", None),
        ("PL", "DE-BY", None),
        ("DE", "by", "BY"),
        ("de", "Bayern", "BAYERN"),
        ("US", "us-ca", "US-CA"),
        ("DE", "Brandenburgs", None),
        ("DE", "123456", None),
        ("DE", "B_Y", None),
        ("PL", "", ""),
        ("PL", "  ", ""),
    ],
)
def test_a_province_that_the_country_has_not_is_a_fault_of_its_record(
    panel: StandinPanel, api: Caller, country: str, province: str, kept: str | None
) -> None:
    panel.seed(login="anna", province="PL-MZ", zip_code="10115" if country.upper() != "PL" else "00-950")
    result = api.result(*PUT, {"clientLogin": "anna", "clientCountryId": country, "clientProvinceId": province})
    opened = new_client("jan", country_code=country, province_code=province, zipcode=panel.account(1).zip_code)
    assert codes(result) == codes(api.result(*POST, opened)) == ([] if kept is not None else [108])
    assert [each.province for each in panel.accounts] == (["PL-MZ"] if kept is None else [kept, kept])
    if kept is None:
        assert province in result["errors"][0]["faultString"]


def test_a_province_is_cleared_by_an_empty_text_and_left_alone_by_other_changes(
    panel: StandinPanel, api: Caller
) -> None:
    panel.seed(login="anna", province="PL-MZ")
    number = shown(api)
    assert change(api, clientCity="Radom") == []
    assert shown(api) == number
    assert change(api, clientProvinceId=int(number)) == [108]
    assert change(api, clientCountryId="DE", clientZipCode="10115") == []
    assert shown(api) == number
    assert change(api, clientProvinceId="") == []
    assert shown(api) == ""


def test_a_province_of_another_type_refuses_the_whole_call(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna")
    for gate, record in (
        (POST, new_client("jan", province_code=7)),
        (PUT, {"clientLogin": "anna", "clientProvinceId": None}),
    ):
        assert api.send(*gate, json={"params": {"clients": [record]}}).status_code == 422


# --- EU VAT and local government


def test_eu_vat_is_written_in_words_and_shown(panel: StandinPanel, api: Caller) -> None:
    assert codes(api.result(*POST, new_client("anna", nip_ue_declaration="yes"))) == []
    for wanted in ("yes", "no"):
        assert change(api, clientNipUeDeclaration=wanted) == []
        (record,) = api.get("clients/clients")["results"]
        (found,) = api.send("POST", "clients/crm/search", json={"params": {"clientLogin": "anna"}}).json()[
            "clientsResults"
        ]
        told = (record["clientPreferences"]["clientNipUeDeclaration"], found["clientNipUeDeclaration"])
        assert told == (panel.account(1).nip_ue_declaration,) * 2 == (wanted,) * 2


def test_whether_eu_vat_can_be_asked_for_alone_is_a_setting(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", nip_ue_declaration="yes")
    wanted = "langId,clientNipUeDeclaration"
    (record,) = api.get("clients/clients", returnElements=wanted)["results"]
    assert record == {"clientPreferences": {"langId": "pol", "clientNipUeDeclaration": "yes"}}
    panel.settings.change(nip_ue_in_elements=False)
    (record,) = api.get("clients/clients", returnElements=wanted)["results"]
    assert record == {"clientPreferences": {"langId": "pol"}}
    assert api.get("clients/clients")["results"][0]["clientPreferences"]["clientNipUeDeclaration"] == "yes"


def test_local_government_is_written_and_shown_nowhere(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_800_000_000)
    assert codes(api.result(*POST, new_client("anna", local_government_unit="yes"))) == []
    assert panel.account(1).local_government_unit == "yes"
    before = api.get("clients/clients")
    assert change(api, isLocalGovernmentUnit="no") == []
    assert panel.account(1).local_government_unit == "no"
    assert api.get("clients/clients") == before


@pytest.mark.parametrize("name", ["clientNipUeDeclaration", "isLocalGovernmentUnit"])
@pytest.mark.parametrize("wrong", [True, "y", "", None])
def test_neither_is_a_boolean(panel: StandinPanel, api: Caller, name: str, wrong: Any) -> None:
    panel.seed(login="anna")
    record = {"clientLogin": "anna", name: wrong}
    assert api.send(*PUT, json={"params": {"clients": [record]}}).status_code == 422


# --- a panel that lacks a field


OLDER = {
    "nip_ue_declaration": ("nip_ue_declaration", "clientNipUeDeclaration"),
    "local_government_unit": ("local_government_unit", "isLocalGovernmentUnit"),
}


def kept(account: Account) -> tuple[str, str, str]:
    return account.city, account.nip_ue_declaration, account.local_government_unit


@pytest.mark.parametrize(("lacking", "names"), OLDER.items())
def test_a_field_that_a_panel_lacks_is_ignored_and_counted(
    panel: StandinPanel, api: Caller, lacking: str, names: tuple[str, str]
) -> None:
    panel.settings.change(lacks_fields=[lacking])
    assert codes(api.result(*POST, new_client("anna", **{names[0]: "yes"}))) == []
    assert change(api, **{names[1]: "yes"}, clientCity="Radom") == []
    assert kept(panel.account(1)) == ("Radom", "no", "no")
    assert panel.unknown_fields == {f"POST clients/clients {names[0]}": 1, f"PUT clients/clients {names[1]}": 1}


@pytest.mark.parametrize(("lacking", "names"), OLDER.items())
def test_a_field_that_a_panel_lacks_refuses_the_call_and_is_named(
    panel: StandinPanel, api: Caller, lacking: str, names: tuple[str, str]
) -> None:
    panel.seed(login="anna", city="Łódź")
    panel.settings.change(lacks_fields=[lacking], unknown_field="refuse_call")
    good = {"clientLogin": "anna", "clientCity": "Kraków"}
    for gate, records, name in (
        (POST, [new_client("jan"), new_client("ola", **{names[0]: "no"})], names[0]),
        (PUT, [good, {"clientLogin": "anna", names[1]: "yes"}], names[1]),
    ):
        refused = api.write(*gate, *records)
        assert refused.status_code == 422
        assert name in refused.json()["errors"]["message"]
        assert name in refused.headers["x-error"]
    assert [kept(each) for each in panel.accounts] == [("Łódź", "no", "no")]
    assert api.write(*PUT, good).status_code == 200


@pytest.mark.parametrize(("lacking", "names"), OLDER.items())
def test_a_field_that_a_panel_lacks_refuses_its_record_and_is_named(
    panel: StandinPanel, api: Caller, lacking: str, names: tuple[str, str]
) -> None:
    panel.seed(login="anna", city="Łódź")
    panel.seed(login="ewa", city="Łódź")
    panel.settings.change(lacks_fields=[lacking], unknown_field="refuse_record")
    first, second = api.write(
        *PUT,
        {"clientLogin": "anna", "clientCity": "Radom", names[1]: "yes", "requestReference": "r"},
        {"clientLogin": "ewa", "clientCity": "Radom"},
    ).json()["results"]
    assert (codes(first), codes(second)) == ([109], [])
    assert names[1] in first["errors"][0]["faultString"]
    assert first["clientsResult"] == {"clientId": 1, "requestReference": "r"}
    opened = api.result(*POST, new_client("jan", **{names[0]: "yes"}))
    assert (codes(opened), names[0] in opened["errors"][0]["faultString"]) == ([109], True)
    assert [each.city for each in panel.accounts] == ["Łódź", "Radom"]


def test_several_fields_that_are_lacking_are_named_one_or_all(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna")
    panel.settings.change(lacks_fields=list(OLDER), unknown_field="refuse_record")
    both = {"clientLogin": "anna", "isLocalGovernmentUnit": "no", "clientNipUeDeclaration": "no"}
    texts = [each["faultString"] for each in api.result(*PUT, both)["errors"]]
    assert [text.split()[-1] for text in texts] == ["isLocalGovernmentUnit", "clientNipUeDeclaration"]
    panel.settings.change(unknown_field="refuse_call")
    assert api.write(*PUT, both).json()["errors"]["message"].split()[-1] == "isLocalGovernmentUnit"
    panel.settings.change(lacks_fields=[])
    assert api.write(*PUT, both).status_code == 200


def test_what_a_panel_lacks_it_does_not_show(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna")
    panel.settings.change(lacks_fields=["nip_ue_declaration"])
    assert "clientNipUeDeclaration" not in str(api.get("clients/clients"))
    assert "clientNipUeDeclaration" not in str(
        api.get("clients/clients", returnElements="langId,clientNipUeDeclaration")
    )
    found = api.send("POST", "clients/crm/search", json={"params": {"clientLogin": "anna"}}).json()
    assert "clientNipUeDeclaration" not in str(found)


def test_a_field_that_no_panel_knows_goes_the_same_way(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", addresses=[{"city": "Łódź"}])
    assert change(api, clientCty="Radom") == []
    panel.settings.change(unknown_field="refuse_record")
    assert change(api, clientCty="Radom") == [109]
    address = {"clientLogin": "anna", "clientDeliveryAddressId": 1, "shopsIds": [1]}
    assert codes(api.result("POST", "clients/deliveryAddress/delete", address)) == [109]
    assert len(panel.account(1).addresses) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"unknown_field": "refuse"},
        {"lacks_fields": ["vat_eu"]},
        {"leave_group": "nought"},
        {"unknown_fields": "ignore"},
    ],
)
def test_a_setting_that_there_is_not_is_refused_and_nothing_is_set(panel: StandinPanel, wrong: dict[str, Any]) -> None:
    before = panel.settings.as_dict()
    with pytest.raises(ValueError, match=next(iter(wrong))[:5]):
        panel.settings.change(max_batch=7, **wrong)
    assert panel.settings.as_dict() == before
    with pytest.raises(ValueError, match=next(iter(wrong))[:5]):
        StandinPanel(**wrong)


# --- the page of an account


def test_the_page_shows_and_saves_all_three(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", province="PL-MZ", nip_ue_declaration="yes")
    page = requests.get(f"{panel.url}/clients/1", timeout=5).text
    assert 'name="province" value="PL-MZ"' in page
    assert f"nr {shown(api)}" in page
    assert 'name="nip_ue_declaration" value="y" checked' in page
    assert 'name="local_government_unit" value="y">' in page

    def save(**fields: str) -> requests.Response:
        form = {**TOWN, **fields}
        return requests.post(f"{panel.url}/clients/1", data=form, headers={"Origin": panel.url}, timeout=5)

    assert "Zapisano" in save(province="śląskie", local_government_unit="y").text
    saved = panel.account(1)
    assert (saved.province, saved.nip_ue_declaration, saved.local_government_unit) == ("PL-SL", "no", "yes")
    refused = save(province="Śląsk")
    assert (refused.status_code, "Błędne województwo: Śląsk" in refused.text) == (422, True)
    assert panel.account(1) == saved
