"""Trade credit: limits and balances to the cent, orders that fit or do not, and the gate that adds instead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from local.panel import StandinPanel
from local.panel.money import json_text, money, read_json
from tests.panel.conftest import Caller, codes, control, new_client

PUT = ("PUT", "clients/clients")


def credit_of(api: Caller) -> dict[str, Any]:
    """What is shown of the first account's credit."""
    found: dict[str, Any] = api.get("clients/clients", returnElements="clientTradeCredit")["results"][0]
    return dict(found["clientTradeCredit"])


# --- money


@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=2))
def test_amounts_go_through_json_exactly_both_ways(amount: Decimal) -> None:
    text = json_text({"amount": amount})
    assert read_json(text) == {"amount": amount}
    assert "e" not in text.lower().replace('"amount"', "")
    assert money(float(amount)) == amount == money(str(amount))


@pytest.mark.parametrize(
    ("given", "kept"),
    [(10.555, "10.56"), ("2.675", "2.68"), (-1.005, "-1.01"), ("-0.001", "0.00"), (0, "0.00"), ("1e3", "1000.00")],
)
def test_amounts_are_rounded_half_up(given: float | str, kept: str) -> None:
    assert str(money(given)) == kept


@pytest.mark.parametrize("wrong", [True, None, "", "x", "NaN", "Infinity", 1e12, "1e999999999", [1]])
def test_what_is_no_amount(wrong: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        money(wrong)


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "1e99999999999999999999", "{"])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|bounds|Expecting"):
        read_json(text)


# --- limit, balance, days to pay


def test_credit_of_a_new_account(panel: StandinPanel, api: Caller) -> None:
    more = {"external_trade_credit_limit_value": 10.555, "external_balance_value": -3}
    assert codes(api.result("POST", "clients/clients", new_client("anna", **more))) == []
    assert (panel.account(1).credit_limit, panel.account(1).balance) == (Decimal("10.56"), Decimal("-3.00"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"clientTradeCreditLimitExternal": "500.00"},
        {"clientTradeCreditLimitExternal": None},
        {"clientBalanceAmountExternal": True},
        {"clientBalanceAmountExternal": 10**12},
        {"numberOfDaysToPay": 14.5},
        {"numberOfDaysToPay": None},
    ],
)
def test_credit_of_another_form_refuses_the_whole_call(panel: StandinPanel, api: Caller, wrong: dict[str, Any]) -> None:
    panel.seed(login="anna", credit_limit="7.00")
    body = {"params": {"clients": [{"clientLogin": "anna", "clientTradeCreditLimitExternal": 8, **wrong}]}}
    assert api.send(*PUT, json=body).status_code == 422
    assert panel.account(1).credit_limit == 7


def test_accounts_are_found_by_the_sign_of_their_credit(panel: StandinPanel, api: Caller) -> None:
    for limit in ("0", "0.01", "-5"):
        panel.seed(credit_limit=limit)

    def found(sign: str) -> list[int]:
        return [each["clientId"] for each in api.get("clients/clients", clientHasTradeCredit=sign)["results"]]

    assert [found(sign) for sign in ("zero", "positive", "negative", "nonzero")] == [[1], [2], [3], [2, 3]]
    assert api.send("GET", "clients/clients", params={"clientHasTradeCredit": "yes"}).status_code == 422


# --- orders


def test_an_order_is_accepted_up_to_the_limit_to_the_cent(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_800_000_000)
    panel.seed(login="anna", credit_limit="500.00", balance="199.90")
    assert panel.order(1, "300.11")["accepted"] is False
    answer = panel.order(1, "300.10")
    assert answer == {
        "id": 2,
        "accepted": True,
        "amount": "300.10",
        "limit": "500.00",
        "balance": "199.90",
        "ordered": "300.10",
        "reason": "",
    }
    refused = panel.order(1, "0.01")
    assert refused["accepted"] is False
    assert refused["reason"] == (
        "Przekroczony limit kredytu kupieckiego: 500.00 + 0.01 > 500.00 PLN / the trade credit limit would be exceeded"
    )
    kept = panel.account(1).orders
    assert [(each.id, str(each.amount), each.accepted) for each in kept] == [
        (1, "300.11", False),
        (2, "300.10", True),
        (3, "0.01", False),
    ]
    assert kept[1].at == "2027-01-15 09:00:00"
    assert credit_of(api)["clientTradeCreditUsed"] == 500
    assert (panel.account(1).balance, panel.owed(1)) == (Decimal("199.90"), Decimal("500.00"))


def test_the_next_balance_of_the_erp_vouches_for_the_orders(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", credit_limit=100)
    assert panel.order(1, 100)["accepted"]
    api.result(*PUT, {"clientLogin": "anna", "clientTradeCreditLimitExternal": 150})
    assert panel.owed(1) == 100
    api.result(*PUT, {"clientLogin": "anna", "clientBalanceAmountExternal": 10, "clientCity": ""})
    assert panel.owed(1) == 100
    api.result(*PUT, {"clientLogin": "anna", "clientBalanceAmountExternal": 10})
    assert (panel.owed(1), [each.open for each in panel.account(1).orders]) == (10, [False])
    assert panel.order(1, 140)["accepted"]
    api.result(*PUT, {"clientLogin": "anna", "clientBalanceAmountExternal": 10})
    assert panel.owed(1) == 10


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ({"credit_limit": 0}, "nie ma kredytu kupieckiego"),
        ({"credit_limit": 0, "balance": -50}, "nie ma kredytu kupieckiego"),
        ({"credit_limit": -1}, "no trade credit was granted"),
        ({"credit_limit": 500, "active": False}, "the account is closed"),
        ({"credit_limit": 500, "balance": "490.01"}, "limit would be exceeded"),
        ({"credit_limit": 500, "balance": -50}, ""),
    ],
)
def test_why_an_order_is_refused(panel: StandinPanel, account: dict[str, Any], reason: str) -> None:
    panel.seed(login="anna", **account)
    answer = panel.order(1, 10)
    assert (answer["accepted"], reason in answer["reason"]) == (not reason, True)
    assert len(panel.account(1).orders) == 1


def test_which_sign_is_debt_is_a_setting(panel: StandinPanel, api: Caller) -> None:
    panel.settings.change(debt_sign=-1)
    panel.seed(login="anna", credit_limit=100, balance=-90)
    assert [panel.order(1, amount)["accepted"] for amount in (11, 10)] == [False, True]
    assert credit_of(api)["clientTradeCreditUsed"] == 100


def test_orders_of_others_do_not_count(panel: StandinPanel) -> None:
    panel.seed(login="anna", credit_limit=100)
    panel.seed(login="jan", credit_limit=100)
    assert [panel.order(client_id, 60)["accepted"] for client_id in (1, 2, 1)] == [True, True, False]
    assert [each.id for each in panel.account(2).orders] == [2]


@pytest.mark.parametrize("wrong", [0, -1, "x", "0.004"])
def test_an_order_is_above_zero(panel: StandinPanel, wrong: Any) -> None:
    panel.seed(login="anna", credit_limit=100)
    with pytest.raises(ValueError, match=r"above 0|not an amount"):
        panel.order(1, wrong)
    assert panel.account(1).orders == []


def test_an_order_moves_the_date_only_where_it_is_said_to(panel: StandinPanel) -> None:
    panel.clock.set(1_800_000_000)
    panel.seed(login="anna", credit_limit=100)
    before = panel.account(1).modified
    panel.clock.advance(5)
    panel.order(1, 1)
    assert panel.account(1).modified == before
    panel.settings.change(orders_move_date=True)
    panel.order(1, 1)
    assert panel.account(1).modified > before


def test_orders_and_limits_over_the_control_address(panel: StandinPanel, api: Caller) -> None:
    control(panel, "POST", "seed", json={"accounts": [{"login": "anna", "credit_limit": "500.00", "balance": 0.1}]})
    control(panel, "POST", "edit", json={"client_id": 1, "changes": {"credit_limit": 300.3}})
    answer = control(panel, "POST", "order", json={"client_id": 1, "amount": 300.2})
    assert (answer["accepted"], answer["limit"], answer["balance"], answer["amount"]) == (
        True, "300.30", "0.10", "300.20",
    )  # fmt: skip
    assert control(panel, "POST", "order", json={"client_id": 1, "amount": "0.01"})["accepted"] is False
    (dumped,) = control(panel, "GET", "accounts")
    assert (dumped["credit_limit"], dumped["balance"]) == ("300.30", "0.10")
    assert [(each["amount"], each["accepted"], each["open"]) for each in dumped["orders"]] == [
        ("300.20", True, True),
        ("0.01", False, False),
    ]
    before = panel.account(1)
    control(panel, "POST", "reset", json={"what": ["accounts"]})
    control(panel, "POST", "seed", json={"accounts": [dumped]})
    assert panel.account(1) == before
    assert panel.order(1, 1)["id"] == 3
    for wrong, status in (
        ({"client_id": 9, "amount": 1}, 404),
        ({"client_id": 1, "amount": 0}, 400),
        ({"client_id": 1}, 404),
    ):
        assert requests.post(f"{panel.url}/_standin/order", json=wrong, timeout=5).status_code == status
    assert panel.total_calls == 0


# --- the page of an account


def form(panel: StandinPanel, path: str, **fields: str) -> requests.Response:
    return requests.post(panel.url + path, data=fields, headers={"Origin": panel.url}, timeout=5)


def test_credit_on_the_page(panel: StandinPanel) -> None:
    panel.clock.set(1_800_000_000)
    panel.seed(login="anna", credit_limit="500", balance="12.3", payment_days=14)
    page = requests.get(f"{panel.url}/clients/1", timeout=5).text
    for shown in ("500.00 PLN", "12.30 PLN", "14 dni", "Bez zamówień"):
        assert shown in page
    before = panel.account(1)
    panel.clock.advance(5)
    untouched = form(panel, "/clients/1/credit", credit_limit="500.00", payment_days="14")
    assert "Bez zmian" in untouched.text
    assert panel.account(1) == before
    form(panel, "/clients/1/credit", credit_limit="1 250,50", payment_days="")
    after = panel.account(1)
    assert (after.credit_limit, after.payment_days, after.modified > before.modified) == (
        Decimal("1250.50"),
        None,
        True,
    )
    assert form(panel, "/clients/1/credit", credit_limit="x", payment_days="").status_code == 422
    assert form(panel, "/clients/1/credit", credit_limit="1", payment_days="x").status_code == 422
    assert panel.account(1).credit_limit == Decimal("1250.50")


def test_orders_on_the_page(panel: StandinPanel) -> None:
    panel.seed(login="anna", credit_limit="500")
    assert "Zamówienie przyjęte" in form(panel, "/clients/1/orders", amount="499,99").text
    refused = form(panel, "/clients/1/orders", amount="0,02")
    assert (refused.status_code, "Przekroczony limit" in refused.text) == (422, True)
    assert "499.99 + 0.02 &gt; 500.00" in refused.text
    assert form(panel, "/clients/1/orders", amount="").status_code == 422
    assert form(panel, "/clients/9/orders", amount="1").status_code == 404
    page = requests.get(f"{panel.url}/clients/1", timeout=5).text
    assert (page.count(">przyjęte<"), page.count(">odrzucone<")) == (1, 1)
    assert requests.post(f"{panel.url}/clients/1/orders", data={"amount": "1"}, timeout=5).status_code == 403
    assert [each.accepted for each in panel.account(1).orders] == [True, False]
    assert panel.total_calls == 0
