"""The gate clients/crm/search: accounts by login, e-mail, tax number and the like.

It knows no modification date, neither as a filter nor in the answer, and it compares fragments unless it is told to
compare whole values. Filters on orders and loyalty cards find nobody here, for nobody has any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from local.panel import shapes
from local.panel.answers import Answer, Refusal
from local.panel.batch import params_of
from local.panel.calls import Call, page_of, whole_number, window_of
from local.panel.model import Account
from local.panel.searching import Test, page_answer, sift
from local.panel.state import PanelState
from local.panel.words import yes_no

_TEXTS = {
    "clientLogin": "login",
    "clientCodeExternal": "external_code",
    "clientFirstName": "first_name",
    "clientLastName": "last_name",
    "clientNip": "nip",
    "clientFirm": "company",
    "clientEmail": "email",
}
_FRAME = frozenset({"resultsPage", "resultsLimit", "returnElements", "settingsExactSearch"})


def search(panel: PanelState, call: Call) -> Answer:
    """All filters must hold; the order is by id."""
    params = params_of(call)
    tests = [
        *_visible(panel),
        *_text_tests(panel, params),
        *_other_tests(panel, call, params),
    ]
    ids = sift(panel, _candidates(panel, params), tests)
    wanted = params.get("returnElements")

    def shape(account: Account) -> dict[str, Any]:
        record = shapes.crm_client(account, panel.settings)
        return {name: record[name] for name in wanted if name in record} if wanted else record

    return page_answer(panel, ids, page_of(params), "clientsResults", shape)


def _exact(panel: PanelState, params: dict[str, Any]) -> bool:
    return bool(params.get("settingsExactSearch", panel.settings.exact_search))


def _candidates(panel: PanelState, params: dict[str, Any]) -> Sequence[int]:
    """An exact login or a list of codes comes from an index; everything else is sifted."""
    if "clientCodesExternal" in params:
        codes = params["clientCodesExternal"]
        if not isinstance(codes, list):
            raise Refusal(422, "clientCodesExternal is a list")
        return sorted({account.id for code in codes for account in panel.accounts.by_code(str(code))})
    if _exact(panel, params) and isinstance(params.get("clientLogin"), str):
        account = panel.accounts.by_login(params["clientLogin"].lower())
        return [account.id] if account else []
    return panel.accounts.ids()


def _visible(panel: PanelState) -> list[Test]:
    """Only customers of shops that the key's user may see, and none of the erased ones where those are not listed."""
    tests: list[Test] = []
    if (shops := panel.settings.visible_shops) is not None:
        tests.append(lambda account: any(shop in shops for shop in account.shops))
    if not panel.settings.removed_listed:
        tests.append(lambda account: not account.removed)
    return tests


def _text_tests(panel: PanelState, params: dict[str, Any]) -> list[Test]:
    exact = _exact(panel, params)
    given = ((attribute, params[name]) for name, attribute in _TEXTS.items() if name in params)
    return [_text_test(attribute, value, exact) for attribute, value in given]


def _text_test(attribute: str, value: Any, exact: bool) -> Test:
    """Case-blind, the whole value or a part of it."""
    if not isinstance(value, str):
        raise Refusal(422, "search words are text")
    wanted = value.strip().lower()
    if exact:
        return lambda account: str(getattr(account, attribute)).lower() == wanted
    return lambda account: wanted in str(getattr(account, attribute)).lower()


def _other_tests(panel: PanelState, call: Call, params: dict[str, Any]) -> list[Test]:
    tests = []
    for name, value in params.items():
        if name in _OTHERS:
            tests.append(_OTHERS[name](value))
        elif name not in _TEXTS and name not in _FRAME and name != "clientCodesExternal":
            panel.counters.unknown[f"{call.name} {name}"] += 1
    return tests


def _equals(read: Callable[[Account], str]) -> Callable[[Any], Test]:
    def build(value: Any) -> Test:
        wanted = str(value).lower()
        return lambda account: read(account).lower() == wanted

    return build


def _registered(value: Any) -> Test:
    if not isinstance(value, dict):
        raise Refusal(422, "clientRegistrationDate is an object")
    ends = (
        value.get("clientRegistrationDateBegin"),
        value.get("clientRegistrationDateEnd"),
    )
    window = window_of(*ends, "clientRegistrationDate", whole_days=True)
    return lambda account: window is None or window.holds(f"{account.registered} 00:00:00")


def _by_shops(value: Any) -> Test:
    """`one_of_selected` or `exactly_selected`."""
    if not isinstance(value, dict) or not isinstance(value.get("shopsIds"), list):
        raise Refusal(422, "searchByShops has shopsIds")
    wanted = {whole_number(each, "shopsIds") for each in value["shopsIds"]}
    if value.get("searchModeInShops") == "exactly_selected":
        return lambda account: set(account.shops) == wanted
    return lambda account: bool(wanted & set(account.shops))


def _has_orders(value: Any) -> Test:
    wanted = value.get("clientHasOrders") if isinstance(value, dict) else None
    return lambda account: wanted != "yes"


_OTHERS: dict[str, Callable[[Any], Test]] = {
    "clientIsWholesaler": _equals(lambda account: yes_no(account.wholesaler)),
    "clientCountryId": _equals(lambda account: account.country_code),
    "langId": _equals(lambda account: account.language),
    "clientType": _equals(lambda account: account.client_type),
    "clientDiscountGroupNumber": _equals(lambda account: str(account.discount_group_id)),
    "clientRegistrationDate": _registered,
    "searchByShops": _by_shops,
    "orders": _has_orders,
}
