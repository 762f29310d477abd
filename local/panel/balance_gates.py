"""The gates clients/balance: the panel's own balance, which a POST adds to or takes from.

It is apart from the balance that the ERP writes with PUT clients (the contract's inference), and a repeated POST
counts twice: the only guard is a note, which can be read back.
"""

from __future__ import annotations

from typing import Any

from local.panel import batch, checks, forms
from local.panel.answers import Answer, Refusal, top_fault
from local.panel.batch import Outcome
from local.panel.calls import Call, number_list, one_of, page_of, text_list
from local.panel.clients_gates import SIGNS, haystack
from local.panel.model import Account
from local.panel.searching import Test, count_unknown, page_answer, sift
from local.panel.state import PanelState

_QUERY = frozenset(
    [
        "clientNumbers",
        "textSearch",
        "active",
        "hasTradeCredit",
        "returnElements",
        "resultsPage",
        "resultsLimit",
    ]
)
_REQUIRED = ("id", "operation", "amount", "currency")


def get_balances(panel: PanelState, call: Call) -> Answer:
    """Balances and their history, by customer."""
    count_unknown(panel, call, _QUERY)
    wanted = number_list(call.query, "clientNumbers")
    elements = text_list(call.query, "returnElements")
    known = panel.accounts.ids() if wanted is None else [each for each in sorted(wanted) if panel.accounts.get(each)]

    def shape(account: Account) -> dict[str, Any]:
        record = _shown(account)
        return record if elements is None else {name: record[name] for name in elements if name in record}

    return page_answer(panel, sift(panel, known, _tests(call)), page_of(call.query), "clientsBalance", shape)


def _tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if active := one_of(call.query, "active", ("yes", "no")):
        tests.append(lambda account: account.active == (active == "yes"))
    if sign := one_of(call.query, "hasTradeCredit", tuple(SIGNS)):
        tests.append(lambda account: SIGNS[sign](account.credit_limit))
    if words := call.query.get("textSearch", "").strip().lower():
        tests.append(lambda account: words in haystack(account))
    return tests


def _shown(account: Account) -> dict[str, Any]:
    return {
        "clientId": account.id,
        "clientBalance": [{"actualAmount": account.panel_balance, "currency": account.currency}],
        "clientBalanceHistory": account.balance_history or None,
    }


def post_balance(panel: PanelState, call: Call) -> Answer:
    """One relative change of one customer's balance."""
    plain = batch.read_params(panel, call, forms.BALANCE)
    if missing := [name for name in _REQUIRED if name not in plain]:
        raise Refusal(422, f"{missing[0]} is missing")
    account = panel.accounts.get(plain["id"])
    if account is None:
        return Answer({"status": False, **top_fault(checks.NOT_FOUND, "Nie ma takiego klienta")}, 207, records=1)
    change = plain["amount"] if plain["operation"] == "add" else -plain["amount"]
    account.panel_balance += change
    entry = {"cash": change, "currency": plain["currency"], "user": "API", "note": plain.get("note", "")}
    account.balance_history.append({**entry, "date": panel.clock.wall(), "prepaidId": plain.get("prepaid_id", 0)})
    panel.touch_for_money(account)
    batch.notify(panel, call, "settings", "clientSettingSendMail", "clientSettingSendSms", [Outcome()])
    return Answer({"status": True}, records=1)
