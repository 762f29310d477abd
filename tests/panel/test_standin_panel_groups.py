"""Discount groups: who they are, who is in them, and the prices in them that no gate reads back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from local.panel import StandinPanel
from tests.panel.conftest import Caller, codes, control, new_client

GROUPS = "discounts/groups"
PRICES = "discounts/groups/products"
PUT = ("PUT", "clients/clients")
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", GROUPS, {"discountGroupName": "Hurt C"}),
    ("PUT", GROUPS, {"discountGroupId": 1, "discountGroupName": "Hurt C"}),
    ("POST", f"{GROUPS}/delete", {"discountGroupId": 1}),
    ("PUT", PRICES, {"discountGroupId": 1, "products": [{"id": 7, "price": 1, "currency": "PLN"}]}),
    ("POST", f"{PRICES}/delete", {"discountGroupId": 1, "products": [7]}),
]


def price(number: int, amount: object, currency: str = "PLN") -> dict[str, Any]:
    return {"id": number, "price": amount, "currency": currency}


def fault(response: requests.Response) -> int:
    """The code of a write that was refused, at the top of a 207."""
    assert response.status_code == 207
    return int(response.json()["errors"]["faultCode"])


# --- groups


def test_the_groups_that_the_settings_name_are_there(panel: StandinPanel, api: Caller) -> None:
    body = api.get(GROUPS)
    assert (body["resultsNumberAll"], body["resultsNumberPage"]) == (3, 1)
    assert body["groups"][1] == {
        "groupNumber": 2,
        "groupRebate": 0,
        "groupCombined": "no",
        "groupType": "different for groups",
        "groupName": "Hurt A",
    }
    with StandinPanel(groups={"7": "Sieć"}) as other:
        assert [(each.id, each.name) for each in other.groups] == [(7, "Sieć")]
    assert api.get("system/shopsData")["rebate_profiles"][2] == {"id": 3, "name": "Hurt B"}


def test_groups_are_asked_for_by_number_in_pages_and_parts(panel: StandinPanel, api: Caller) -> None:
    found = api.get(GROUPS, groupNumbers="3,1,99", returnElements="groupNumber,groupName")["groups"]
    assert found == [{"groupNumber": 1, "groupName": "Standard"}, {"groupNumber": 3, "groupName": "Hurt B"}]
    page = api.get(GROUPS, resultsLimit=2, resultsPage=1)
    assert [each["groupNumber"] for each in page["groups"]] == [3]
    assert (page["resultsNumberAll"], page["resultsNumberPage"]) == (3, 2)
    assert api.send("GET", GROUPS, params={"resultsLimit": 101}).status_code == 422
    api.get(GROUPS, groupNumber="1")
    assert panel.unknown_fields == {f"GET {GROUPS} groupNumber": 1}


def test_a_refused_write_is_told_at_the_top_of_a_207_or_of_a_200(panel: StandinPanel, api: Caller) -> None:
    rename = {"discountGroupId": 99, "discountGroupName": "Hurt C"}
    assert fault(api.params("PUT", GROUPS, **rename)) == 102
    panel.settings.change(partial_status=200)
    silent = api.params("PUT", GROUPS, checked=False, **rename)
    assert (silent.status_code, silent.json()["errors"]["faultCode"]) == (200, 102)


def test_whoever_is_erased_leaves_the_group(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", discount_group_id=2)
    api.send("DELETE", "clients/remove", params={"clientId": 1})
    assert panel.members(2) == []
    assert api.params("POST", f"{GROUPS}/delete", discountGroupId=2).status_code == 200


@pytest.mark.parametrize(("method", "gate", "params"), WRITES)
def test_what_names_or_is_named_must_be_there_and_of_its_type(
    panel: StandinPanel, api: Caller, method: str, gate: str, params: dict[str, Any]
) -> None:
    before = panel.groups
    for name in ("discountGroupId", "discountGroupName"):
        if name in params:
            left = {key: value for key, value in params.items() if key != name}
            for wrong in (left, {**left, name: None}, {**left, name: 1.5}):
                assert api.send(method, gate, json={"params": wrong}).status_code == 422
    for shapeless in (None, {}, {"params": []}, params):
        assert api.send(method, gate, json=shapeless).status_code == 422
    assert panel.groups == before


@pytest.mark.parametrize(("method", "gate", "params"), WRITES)
def test_group_gates_want_the_scope_crm(
    panel: StandinPanel, api: Caller, method: str, gate: str, params: dict[str, Any]
) -> None:
    panel.settings.change(scopes={"CRM": "r", "SYSTEM": "rw"})
    before = panel.groups
    assert "Scope: crm, level: rw" in api.params(method, gate, **params).headers["x-error"]
    assert panel.groups == before
    assert api.send("GET", GROUPS).status_code == 200
    assert api.send("GET", f"{GROUPS}/clients", params={"discountGroupId": 1}).status_code == 207
    panel.settings.change(scopes={"CRM": "", "SYSTEM": "rw"})
    assert api.send("GET", GROUPS).status_code == 403
    assert api.send("GET", f"{GROUPS}/clients", params={"discountGroupId": 1}).status_code == 403


@pytest.mark.parametrize(("method", "gate", "params"), WRITES)
def test_a_group_write_fails_on_order(
    panel: StandinPanel, api: Caller, method: str, gate: str, params: dict[str, Any]
) -> None:
    before = panel.groups
    panel.misbehave("record", f"{method} {gate}", code=77, text="odmowa")
    assert fault(api.params(method, gate, **params)) == 77
    panel.misbehave("422", f"{method} {gate}", match={"*": str(params.get("discountGroupId", "Hurt C"))})
    assert api.params(method, gate, **params).status_code == 422
    assert panel.groups == before
    panel.misbehave("reset", f"{method} {gate}", when="after")
    with pytest.raises(requests.ConnectionError):
        api.params(method, gate, **params)
    assert panel.groups != before or gate.endswith("products/delete")


# --- members


def test_who_is_in_a_group(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(120)
    panel.settings.change(max_batch=None)
    api.write(*PUT, *({"clientLogin": f"b2b-{n:05d}", "clientGroupDiscountNumber": 2} for n in range(1, 111)))
    assert api.get(f"{GROUPS}/clients", discountGroupId=2) == {"result": {"clientId": list(range(1, 111))}}
    assert api.send("GET", f"{GROUPS}/clients").status_code == 422


def test_leaving_a_group_is_one_of_two_readings(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", city="Łódź", discount_group_id=2)
    leave = {"clientLogin": "anna", "clientGroupDiscountNumber": 0, "clientCity": "Kraków"}
    panel.settings.change(leave_group="refuse")
    assert codes(api.result(*PUT, leave)) == [105]
    assert codes(api.result("POST", "clients/clients", new_client("jan", client_group=0))) == [105]
    assert codes(api.result("POST", "clients/clients", new_client("jan", client_group=99))) == [102]
    assert codes(api.result("POST", "clients/clients", new_client("jan"))) == []
    assert (panel.account(1).discount_group_id, panel.account(1).city) == (2, "Łódź")
    panel.settings.change(leave_group="zero")
    assert codes(api.result(*PUT, leave)) == []
    assert panel.account(1).discount_group_id == 0
    shown = api.get("clients/clients", clientsIds="1")["results"][0]["clientPreferences"]
    assert (shown["clientGroupDiscountNumber"], shown["clientGroupDiscountName"]) == (0, None)


# --- prices


def test_prices_are_taken_out_by_kind_and_number(panel: StandinPanel, api: Caller) -> None:
    api.params("PUT", PRICES, discountGroupId=2, products=[price(7, 1), price(8, 2)], menuItems=[price(7, 3)])
    done = api.params("POST", f"{PRICES}/delete", discountGroupId=2, products=[7, 55], series=[7])
    assert (done.status_code, done.content) == (200, b"")
    assert set(panel.group(2).prices) == {("product", 8), ("menu_item", 7)}
    api.params("POST", f"{PRICES}/delete", discountGroupId=2, menuItems=[7])
    assert set(panel.group(2).prices) == {("product", 8)}
    text = api.params("POST", f"{PRICES}/delete", discountGroupId=99, products=[7]).json()["errors"]["faultCode"]
    assert text == "102"


@pytest.mark.parametrize("wrong", [price(8, -0.01), price(8, 1, "zł"), price(8, 1, "")])
def test_one_bad_price_and_nothing_is_written(panel: StandinPanel, api: Caller, wrong: dict[str, Any]) -> None:
    assert fault(api.params("PUT", PRICES, discountGroupId=2, products=[price(7, 1)], series=[wrong])) == 106
    assert panel.group(2).prices == {}


@pytest.mark.parametrize(
    "wrong",
    [
        price(8, "1.00"),
        price(8, None),
        price(8, True),
        price(8, 1e13),
        {"id": 8},
        {"price": 1},
        {"id": "x", "price": 1},
        8,
    ],
)
def test_a_price_of_another_form_refuses_the_whole_call(panel: StandinPanel, api: Caller, wrong: Any) -> None:
    body = {"params": {"discountGroupId": 2, "products": [price(7, 1)], "series": [wrong]}}
    assert api.send("PUT", PRICES, json=body).status_code == 422
    assert api.send("PUT", PRICES, json={"params": {"discountGroupId": 2, "products": {"id": 1}}}).status_code == 422
    assert panel.group(2).prices == {}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e99999999999999999999"])
def test_a_number_without_bounds_is_no_json(panel: StandinPanel, api: Caller, number: str) -> None:
    body = f'{{"params":{{"discountGroupId":2,"products":[{{"id":7,"price":{number},"currency":"PLN"}}]}}}}'
    headers = {"Content-Type": "application/json"}
    assert api.send("PUT", PRICES, data=body, headers=headers).status_code == 422
    assert panel.group(2).prices == {}


def test_how_many_prices_a_call_may_hold(panel: StandinPanel, api: Caller) -> None:
    many = {"products": [price(n, n) for n in range(1, 1501)], "series": [price(1, 1)]}
    assert api.params("PUT", PRICES, discountGroupId=2, **many).status_code == 200
    assert len(panel.group(2).prices) == 1501
    panel.settings.change(max_group_items=2)
    three = {"products": [price(1, 9), price(2, 9)], "series": [price(1, 9)]}
    assert api.params("PUT", PRICES, discountGroupId=2, **three).status_code == 422
    assert api.params("POST", f"{PRICES}/delete", discountGroupId=2, products=[1, 2], series=[1]).status_code == 422
    assert panel.group(2).prices["product", 1].price == 1
    assert api.params("PUT", PRICES, discountGroupId=2, products=[price(1, 9), price(2, 9)]).status_code == 200


def test_what_a_group_gate_does_not_know_is_counted(panel: StandinPanel, api: Caller) -> None:
    api.params("PUT", PRICES, discountGroupId=2, products=[{**price(7, 1), "rebate": 5}], productz=[])
    api.params("POST", GROUPS, discountGroupName="Hurt C", groupName="Hurt C")
    assert panel.unknown_fields == {
        f"PUT {PRICES} productz": 1,
        f"PUT {PRICES} rebate": 1,
        f"POST {GROUPS} groupName": 1,
    }


# --- a panel user, the control address, the pages


def test_a_panel_users_edits_of_groups(panel: StandinPanel, api: Caller) -> None:
    own = panel.make_group("Nowa", rebate=5, combined=True, type="simple")
    (shown,) = api.get(GROUPS, groupNumbers=str(own.id))["groups"]
    assert (shown["groupName"], shown["groupRebate"], shown["groupCombined"]) == ("Nowa", 5, "yes")
    panel.edit_group(own.id, name="Nowsza", prices=[{"kind": "series", "id": 1, "price": "0.10"}])
    assert (panel.group(own.id).name, panel.group(own.id).prices["series", 1].price) == ("Nowsza", Decimal("0.10"))
    panel.clock.set(1_800_000_000)
    panel.seed(login="anna")
    panel.clock.advance(5)
    before = panel.account(1).modified
    panel.edit(1, discount_group_id=own.id)
    assert panel.account(1).modified > before
    with pytest.raises(ValueError, match="somebody is in group"):
        panel.delete_group(own.id)
    panel.edit(1, discount_group_id=0)
    panel.delete_group(own.id)
    assert panel.make_group("Nowa").id > own.id
    with pytest.raises(KeyError):
        panel.group(own.id)
    for wrong in ({"nam": "x"}, {"prices": [{"kind": "products", "id": 1, "price": 1}]}, {"prices": [{"prize": 1}]}):
        with pytest.raises(ValueError, match="unknown"):
            panel.edit_group(1, **wrong)
    assert panel.total_calls == 1


def test_copies_are_given_out(panel: StandinPanel) -> None:
    panel.edit_group(1, prices=[{"kind": "product", "id": 7, "price": 1}])
    panel.group(1).prices.clear()
    panel.groups[0].name = "other"
    assert (panel.group(1).name, len(panel.group(1).prices)) == ("Standard", 1)


def test_groups_over_the_control_address(panel: StandinPanel) -> None:
    group = {"name": "Hurt C", "prices": [{"kind": "product", "id": 7, "price": 9.9, "currency": "EUR"}]}
    seeded = control(panel, "POST", "seed", json={"groups": [group], "accounts": [{"discount_group_id": 4}]})
    assert seeded == {"ids": [1], "group_ids": [4]}
    (dumped,) = control(panel, "GET", "groups", params={"id": 4})
    assert dumped == {
        "id": 4,
        "name": "Hurt C",
        "rebate": "0.00",
        "combined": False,
        "type": "different for groups",
        "prices": [{"kind": "product", "id": 7, "price": "9.90", "currency": "EUR"}],
        "members": [1],
    }
    assert control(panel, "GET", "status")["groups"] == 4
    control(panel, "POST", "reset")
    assert [each["id"] for each in control(panel, "GET", "groups")] == [1, 2, 3]
    again = {key: value for key, value in dumped.items() if key != "members"}
    control(panel, "POST", "seed", json={"groups": [again]})
    assert panel.group(4).as_dict() == again


def test_a_reset_gives_the_groups_that_the_settings_name_then(panel: StandinPanel) -> None:
    control(panel, "POST", "settings", json={"groups": {"9": "Sieć"}})
    assert len(panel.groups) == 3
    control(panel, "POST", "reset", json={"what": ["accounts"]})
    assert [(each.id, each.name) for each in panel.groups] == [(9, "Sieć")]
    control(panel, "POST", "reset", json={"what": ["accounts", "settings"]})
    assert [each.id for each in panel.groups] == [1, 2, 3]


def test_a_tidying_panel_trims_the_name(panel: StandinPanel, api: Caller) -> None:
    panel.settings.change(normalise=True)
    api.params("POST", GROUPS, discountGroupName="  Hurt   C ")
    api.params("PUT", GROUPS, discountGroupId=1, discountGroupName=" Detal ")
    assert (panel.group(4).name, panel.group(1).name) == ("Hurt C", "Detal")


def form(panel: StandinPanel, path: str, **fields: str) -> requests.Response:
    return requests.post(panel.url + path, data=fields, headers={"Origin": panel.url}, timeout=5)


def test_the_page_of_the_groups(panel: StandinPanel) -> None:
    prices = [{"kind": "menu_item", "id": number, "price": "1234.5"} for number in range(1, 251)]
    panel.edit_group(2, prices=prices)
    panel.seed(login="anna", discount_group_id=2)
    page = requests.get(f"{panel.url}/groups", timeout=5).text
    assert page.count("1234.50") == 200
    assert "50 dalszych" in page
    assert 'href="/clients/1"' in page
    assert "Zapisano" in form(panel, "/groups", name="Hurt C").text
    form(panel, "/groups/4", name="Hurt D")
    assert panel.group(4).name == "Hurt D"
    assert form(panel, "/groups/4", name=" ").status_code == 422
    assert form(panel, "/groups", name="").status_code == 422
    refused = form(panel, "/groups/2/delete")
    assert (refused.status_code, "są przypisani klienci" in refused.text) == (422, True)
    form(panel, "/groups/4/delete")
    assert form(panel, "/groups/4/delete").status_code == 404
    assert [each.id for each in panel.groups] == [1, 2, 3]
    assert requests.post(f"{panel.url}/groups", data={"name": "x"}, timeout=5).status_code == 403
    assert panel.total_calls == 0


def test_the_page_of_an_account_offers_the_groups_that_there_are(panel: StandinPanel) -> None:
    panel.seed_sample(1)
    panel.make_group("Hurt C")
    page = requests.get(f"{panel.url}/clients/1", timeout=5).text
    assert "Hurt C · nr 4" in page
    fields = {"email": "a@example.com", "first_name": "A", "last_name": "B", "street": "S", "zip_code": "00-950",
              "city": "C", "country_code": "PL", "shops": "1", "active": "y"}  # fmt: skip
    form(panel, "/clients/1", **fields, discount_group_id="4")
    assert panel.members(4) == [1]
    assert form(panel, "/clients/1", **fields, discount_group_id="99").status_code == 422
    panel.settings.change(leave_group="refuse")
    form(panel, "/clients/1", **fields, discount_group_id="0")
    assert panel.members(4) == []
    assert form(panel, "/clients/new", **fields, discount_group_id="99").status_code == 422
