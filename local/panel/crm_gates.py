"""The gate clients/crm/search: accounts by login, e-mail, tax number and the like.

It knows no modification date, neither as a filter nor in the answer, and it compares fragments unless it is told to
compare whole values. Filters other than by text are counted as unknown: nobody asks by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.panel import shapes
from local.panel.answers import Answer, Refusal
from local.panel.batch import params_of
from local.panel.calls import Call, page_of
from local.panel.model import Account
from local.panel.searching import Test, page_answer, sift
from local.panel.state import PanelState

_TEXTS = {
    "clientLogin": "login",
    "clientCodeExternal": "external_code",
    "clientFirstName": "first_name",
    "clientLastName": "last_name",
    "clientNip": "nip",
    "clientFirm": "company",
    "clientEmail": "email",
}
_FRAME = frozenset({"clientCodesExternal", "resultsPage", "resultsLimit", "returnElements", "settingsExactSearch"})


def search(panel: PanelState, call: Call) -> Answer:
    """All filters must hold; the order is by id. A key sees only accounts of the shops that its user may see."""
    params = params_of(call)
    for name in params.keys() - _TEXTS.keys() - _FRAME:
        panel.counters.unknown[f"{call.name} {name}"] += 1
    exact = bool(params.get("settingsExactSearch"))
    tests = [_text_test(_TEXTS[name], value, exact) for name, value in params.items() if name in _TEXTS]
    if (shops := panel.settings.visible_shops) is not None:
        tests.append(lambda account: any(shop in shops for shop in account.shops))
    if not panel.settings.removed_listed:
        tests.append(lambda account: not account.removed)
    ids = sift(panel, call, _candidates(panel, params, exact), tests)
    wanted = params.get("returnElements")

    def shape(account: Account) -> dict[str, Any]:
        record = shapes.crm_client(account, panel.settings)
        return {name: record[name] for name in wanted if name in record} if wanted else record

    return page_answer(panel, ids, page_of(params), "clientsResults", shape)


def _text_test(attribute: str, value: Any, exact: bool) -> Test:
    """Case-blind, the whole value or a part of it."""
    if not isinstance(value, str):
        raise Refusal(422, "search words are text")
    wanted = value.strip().lower()
    if exact:
        return lambda account: str(getattr(account, attribute)).lower() == wanted
    return lambda account: wanted in str(getattr(account, attribute)).lower()


def _candidates(panel: PanelState, params: dict[str, Any], exact: bool) -> Sequence[int]:
    """An exact login or a list of codes comes from an index; everything else is sifted."""
    if "clientCodesExternal" in params:
        codes = params["clientCodesExternal"]
        if not isinstance(codes, list):
            raise Refusal(422, "clientCodesExternal is a list")
        return sorted({account.id for code in codes for account in panel.accounts.by_code(str(code))})
    if exact and "clientLogin" in params:
        account = panel.accounts.by_login(params["clientLogin"].lower())
        return [account.id] if account else []
    return panel.accounts.ids()
