"""The gates clients/deliveryAddress.

An address has no external id and its POST no guard, so a repeated POST makes a second one. Accounts are named by
login or external code here, never by id (but for reading, where the filter is spelt clientIds).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from local.panel import batch, checks, forms, manners, shapes
from local.panel.answers import Answer, RecordFault, top_fault
from local.panel.batch import Outcome
from local.panel.calls import Call, number_list, text_list
from local.panel.model import ADDRESS_FIELDS, Account, Address
from local.panel.searching import EMPTY_RESULT
from local.panel.state import PanelState
from local.panel.words import country_code

_LINES = ADDRESS_FIELDS - {"id", "in_use"}
_CREATE_TOUCHES = frozenset(["first_name", "last_name", "street", "zip_code", "city", "country_code", "phone"])
Wanted = tuple[dict[str, Any], Account | None]


def get_addresses(panel: PanelState, call: Call) -> Answer:
    """All addresses of the accounts asked for, without pages; an unknown account gives a record with `error`."""
    wanted = list(_wanted(panel, call))
    if not wanted:
        return Answer({"results": [], **top_fault(3, "Nie podano parametrów")}, 207)
    results = [_addresses_of(panel, asked, account) for asked, account in wanted]
    if not panel.settings.names_clients_without_addresses:
        results = [each for each in results if each["clientDeliveryAddresses"]]
    if not results and panel.settings.empty_search_status != 200:
        body: dict[str, Any] = {"results": []} if panel.settings.empty_search_paging else {}
        return Answer({**body, **top_fault(EMPTY_RESULT, "Wynik pusty")}, 207)
    return Answer({"results": results}, results="results", records=len(results))


def _wanted(panel: PanelState, call: Call) -> Iterator[Wanted]:
    """Every account asked for, with the field and value by which it was; all of them where the filter is ignored."""
    if "clientIds" in panel.settings.ignored_filters:
        yield from (({"clientId": account.id}, account) for account in panel.accounts)
    for account_id in number_list(call.query, "clientIds") or []:
        yield {"clientId": account_id}, panel.accounts.get(account_id)
    for login in text_list(call.query, "clientLogins") or []:
        yield {"clientLogin": login}, panel.accounts.by_login(login)
    for code in text_list(call.query, "clientCodesExternal") or []:
        found: list[Account | None] = [*panel.accounts.by_code(code)]
        yield from (({"clientCodeExternal": code}, account) for account in found or [None])


def _addresses_of(panel: PanelState, asked: dict[str, Any], account: Account | None) -> dict[str, Any]:
    if account is None:
        fault = RecordFault(checks.NOT_FOUND, "Nie ma takiego klienta")
        return {**asked, "clientDeliveryAddresses": [], "error": fault.as_json()}
    return {
        "clientCodeExternal": account.external_code,
        "clientId": account.id,
        "clientLogin": account.login,
        "clientDeliveryAddresses": [shapes.delivery_address(each, panel.settings) for each in account.addresses],
        **({"error": {}} if panel.settings.php_empties else {}),
    }


def post_addresses(panel: PanelState, call: Call) -> Answer:
    """New addresses; results are told apart by their position alone."""
    return _work(panel, call, forms.ADDRESS, _create)


def put_addresses(panel: PanelState, call: Call) -> Answer:
    """Changed addresses; absent fields stay as they are."""
    return _work(panel, call, forms.ADDRESS | forms.ADDRESS_KEY, _update)


def delete_addresses(panel: PanelState, call: Call) -> Answer:
    """Delete addresses; one that an order points to is refused."""
    outcomes = batch.work(panel, call, forms.ADDRESS_KEY, _delete)
    return batch.answer(panel, outcomes, "results", _result, echoes=False)


def _work(panel: PanelState, call: Call, form: dict[str, forms.Field], worker: batch.Worker) -> Answer:
    outcomes = batch.work(panel, call, form, worker)
    batch.notify_clients(panel, call, outcomes)
    return batch.answer(panel, outcomes, "results", _result, echoes=False)


def _create(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    account, faults = _account(panel, plain)
    lines = _lines(plain)
    faults += _shop_faults(panel, plain)
    faults += checks.address_faults({**asdict(Address()), **lines}, _CREATE_TOUCHES, panel.settings)
    if faults or account is None:
        return Outcome({}, faults)
    address = panel.add_address(account, Address(**manners.kept(lines, panel.settings)))
    return Outcome({"clientDeliveryAddressId": address.id})


def _update(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    account, address, faults = _target(panel, plain)
    faults += _shop_faults(panel, plain)
    if address is not None:
        lines = _lines(plain)
        faults += checks.address_faults({**asdict(address), **lines}, lines, panel.settings)
    if faults or account is None or address is None:
        return Outcome({}, faults)
    panel.write_address(account, address, manners.changed_address(_lines(plain), panel.settings))
    return Outcome({"clientId": account.id, "clientDeliveryAddressId": address.id})


def _delete(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    account, address, faults = _target(panel, plain)
    if address is not None and address.in_use:
        faults.append(RecordFault(checks.IN_USE, "Adres jest używany w zamówieniu"))
    if faults or account is None or address is None:
        return Outcome({}, faults)
    panel.remove_address(account, address)
    echo = {"clientId": account.id, "clientCodeExternal": account.external_code}
    return Outcome({**echo, "clientDeliveryAddressId": address.id})


def _account(panel: PanelState, plain: dict[str, Any]) -> tuple[Account | None, list[RecordFault]]:
    """The account by login, else by external code; a code that two accounts carry is refused."""
    login, code = plain.get("login", ""), plain.get("external_code", "")
    if not login and not code:
        return None, [RecordFault(1, "Nie podano loginu")]
    account = panel.accounts.by_login(login)
    found = ([account] if account else []) if login else panel.accounts.by_code(code)
    if len(found) == 1:
        return found[0], []
    if found:
        return None, [RecordFault(checks.AMBIGUOUS, f"Więcej niż jeden klient o kodzie {code}")]
    return None, [RecordFault(checks.NOT_FOUND, f"Nie ma klienta {login or code}")]


def _target(panel: PanelState, plain: dict[str, Any]) -> tuple[Account | None, Address | None, list[RecordFault]]:
    account, faults = _account(panel, plain)
    if account is None:
        return None, None, faults
    address = account.address(plain.get("id", 0))
    if address is None:
        faults.append(RecordFault(checks.NOT_FOUND, "Nie ma takiego adresu"))
    return account, address, faults


def _shop_faults(panel: PanelState, plain: dict[str, Any]) -> list[RecordFault]:
    return checks.faults_of({"shops": plain.get("shops", [])}, ["shops"], panel.settings)


def _lines(plain: dict[str, Any]) -> dict[str, Any]:
    lines = {name: value for name, value in plain.items() if name in _LINES}
    if "country_code" in lines:
        lines["country_code"] = country_code(lines["country_code"])
    return lines


def _result(panel: PanelState, outcome: Outcome) -> dict[str, Any]:
    if outcome.faults:
        return {"resultStatus": False, "errors": batch.errors_json(outcome)}
    return {"resultStatus": True, "clientDeliveryAddressResult": outcome.echo}
