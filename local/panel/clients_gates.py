"""The gates clients/clients (read, create, change) and clients/remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from local.panel import batch, checks, credit, forms, lies, manners, shapes
from local.panel.answers import Answer, RecordFault, Refusal, top_fault
from local.panel.batch import Outcome
from local.panel.calls import (
    Call,
    Window,
    number_list,
    one_of,
    page_of,
    query_window,
    text_list,
    whole_number,
)
from local.panel.clock import NO_DATE
from local.panel.model import Account
from local.panel.searching import Test, count_unknown, page_answer, sift
from local.panel.state import PanelState

_EXTRAS = frozenset(
    [
        "block_other_shops",
        "delivery_dates",
        "email_newsletter",
        "sms_newsletter",
        "affiliate_program",
        "newsletter_email_approvals",
        "newsletter_sms_approvals",
        "affiliate_login",
        "affiliate_id",
    ]
)
# what a POST is checked for, whether it is there or not
_CREATE_TOUCHES = frozenset(
    [
        "birth_date",
        "first_name",
        "last_name",
        "email",
        "shops",
        "nip",
        "company",
        "client_type",
        "country_code",
        "city",
        "street",
        "zip_code",
        "phone",
        "province",
    ]
)
_ACCOUNT_FIELDS = frozenset(each.name for each in fields(Account))
_KNOWN_QUERY = frozenset(
    [
        "clientsIds",
        "clientCodesExternal",
        "clientIsActive",
        "clientHasTradeCredit",
        "clientsLastModificationDate[clientsLastModificationDateBegin]",
        "clientsLastModificationDate[clientsLastModificationDateEnd]",
        "clientRegistrationDate[clientRegistrationDateBegin]",
        "clientRegistrationDate[clientRegistrationDateEnd]",
        "returnElements",
        "resultsPage",
        "resultsLimit",
    ]
)  # of the documented filters, those that the product asks by or its design names
_SIGNS: dict[str, Callable[[Decimal], bool]] = {
    "nonzero": lambda limit: limit != 0,
    "positive": lambda limit: limit > 0,
    "negative": lambda limit: limit < 0,
    "zero": lambda limit: limit == 0,
}


# --- GET


def get_clients(panel: PanelState, call: Call) -> Answer:
    """Accounts by id, code, state and dates, in pages; without a filter all of them."""
    count_unknown(panel, call, _KNOWN_QUERY)
    ids = _in_order(panel, sift(panel, call, _candidates(panel, call), _tests(panel, call)))
    wanted = text_list(call.query, "returnElements")

    def shape(account: Account) -> dict[str, Any]:
        record = shapes.client(account, panel.settings, panel.groups)
        return record if wanted is None else shapes.only(record, wanted, panel.settings)

    page = page_of(call.query)
    answer = page_answer(panel, ids, page, "results", shape)
    if len(ids) > page.limit and _window(panel, call) is not None:
        lies.edit_some(panel, page.cut(ids))
    return answer


def _in_order(panel: PanelState, ids: Sequence[int]) -> Sequence[int]:
    """The ids as this panel lists them: by number they are already."""
    by = panel.settings.listed_by
    if by == "number":
        return ids
    accounts = sorted(map(panel.account, ids), key=lambda a: (a.street if by == "street" else a.modified, a.id))
    return [account.id for account in (reversed(accounts) if by == "newest" else accounts)]


def _candidates(panel: PanelState, call: Call) -> Sequence[int]:
    """Ids that the indexes give; of several filters all must hold."""
    found: list[set[int]] = []
    if (ids := number_list(call.query, "clientsIds")) is not None:
        found.append({each for each in ids if panel.accounts.get(each)})
    if (codes := text_list(call.query, "clientCodesExternal")) is not None:
        accounts = panel.accounts
        by_code = accounts.by_code_in_any_case if panel.settings.code_case == "any_case" else accounts.by_code
        found.append({account.id for code in codes for account in by_code(code)})
    if (window := _window(panel, call)) is not None:
        inside = panel.accounts.ids_modified(window.begin, window.end)
        ends = () if panel.settings.window_ends else (window.begin, window.end)
        found.append({each for each in inside if panel.account(each).modified not in ends})
    return sorted(set.intersection(*found)) if found else panel.accounts.ids()


def _window(panel: PanelState, call: Call) -> Window | None:
    name = "clientsLastModificationDate"
    return query_window(call.query, name, name, panel.settings.date_only_end == "day_end")


def _tests(panel: PanelState, call: Call) -> list[Test]:
    tests: list[Test] = []
    if not panel.settings.removed_listed:
        tests.append(lambda account: not account.removed)
    if active := one_of(call.query, "clientIsActive", ("yes", "no")):
        tests.append(lambda account: account.active == (active == "yes"))
    if sign := one_of(call.query, "clientHasTradeCredit", tuple(_SIGNS)):
        tests.append(lambda account: _SIGNS[sign](account.credit_limit))
    registered = query_window(call.query, "clientRegistrationDate", "clientRegistrationDate", whole_days=True)
    if registered is not None:  # it is a day
        tests.append(lambda account: registered.holds(f"{account.registered} 00:00:00"))
    return tests


# --- POST


def post_clients(panel: PanelState, call: Call) -> Answer:
    """Open accounts, each for itself; `params.id` is the new id."""
    outcomes = batch.work(panel, call, forms.without(forms.CREATE, panel.settings.lacks_fields), _create)
    batch.notify(panel, call, "settings", "send_mail", "send_sms", outcomes)
    return batch.answer(panel, outcomes, "clients", _created)


def _create(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    """A login that is taken is refused; an external code that is taken is not, so an account can be doubled."""
    account = Account(shops=[])
    values = {**account_values(account), **plain}
    faults = _login_faults(panel, plain) + _password_faults(plain, plain.get("login", ""))
    faults += checks.faults_of(values, _CREATE_TOUCHES, panel.settings) + _group_faults(panel, plain)
    if faults:
        return Outcome(_named(plain), faults)
    for name, value in manners.kept(_settable(account, plain), panel.settings).items():
        setattr(account, name, value)
    panel.open(account)
    return Outcome({**_named(plain), "account_id": account.id, "login": account.login})


def _login_faults(panel: PanelState, plain: dict[str, Any]) -> list[RecordFault]:
    """No login given: one is made up. An empty one is fault 1, a taken one fault 3."""
    if "login" not in plain and not panel.settings.login_required:
        return []
    login = plain.get("login", "")
    fault = checks.login_fault(login)
    if fault is None and panel.accounts.by_login(login):
        fault = RecordFault(3, f"Login {login} jest już zajęty")
    return [fault] if fault else []


def _password_faults(plain: dict[str, Any], login: str) -> list[RecordFault]:
    fault = checks.password_fault(plain["password"], login) if "password" in plain else None
    return [fault] if fault else []


def _named(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: plain[name] for name in ("login", "reference") if name in plain}


def _created(panel: PanelState, outcome: Outcome) -> dict[str, Any]:
    names = (
        ("account_id", "id"),
        ("login", "login"),
        ("reference", "request_reference"),
    )
    params = {wire: outcome.echo[name] for name, wire in names if name in outcome.echo}
    if outcome.faults:
        params.pop("id", None)
    return {
        "status": not outcome.faults,
        "params": params,
        "errors": batch.errors_json(outcome),
    }


# --- PUT


def put_clients(panel: PanelState, call: Call) -> Answer:
    """Change accounts by login; a field that is absent stays as it is, an empty text clears it."""
    outcomes = batch.work(panel, call, forms.without(forms.UPDATE, panel.settings.lacks_fields), _update)
    batch.notify_clients(panel, call, outcomes)
    return batch.answer(panel, outcomes, "results", _updated)


def _update(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    login = plain.pop("login", "")
    echo = {"reference": plain.pop("reference")} if "reference" in plain else {}
    if not login:
        return Outcome(echo, [RecordFault(1, "Nie podano loginu")])
    account = panel.accounts.by_login(login)
    if account is None and panel.settings.thanks_strangers:
        return Outcome(echo)
    if account is None:
        return Outcome(echo, [RecordFault(checks.NOT_FOUND, f"Nie ma klienta o loginie {login}")])
    echo["account_id"] = account.id
    faults = _password_faults(plain, login)
    faults += checks.faults_of({**account_values(account), **plain}, plain, panel.settings)
    faults += _group_faults(panel, plain)
    if not faults:
        panel.write(account, manners.changed(_settable(account, plain), panel.settings, account))
    if not faults and "balance" in plain:
        credit.vouch(account)
    return Outcome(echo, faults)


def _updated(panel: PanelState, outcome: Outcome) -> dict[str, Any]:
    names = (("account_id", "clientId"), ("reference", "requestReference"))
    result: dict[str, Any] = {"resultStatus": not outcome.faults}
    if not (outcome.faults and panel.settings.failed_without_reference):
        result["clientsResult"] = {wire: outcome.echo[name] for name, wire in names if name in outcome.echo}
    return result | ({"errors": batch.errors_json(outcome)} if outcome.faults else {})


# --- DELETE clients/remove


def delete_client(panel: PanelState, call: Call) -> Answer:
    """Erase personal data and block the account; the row stays. The answer is not described: no body is assumed."""
    if "clientId" not in call.query:
        raise Refusal(422, "clientId is required")
    account = panel.accounts.get(whole_number(call.query["clientId"], "clientId"))
    if account is None:
        return Answer(top_fault(checks.NOT_FOUND, "Nie ma takiego klienta"), 207, records=1)
    panel.remove(account)
    return Answer(records=1)


# --- POST and PUT


def account_values(account: Account) -> dict[str, Any]:
    """The attributes as a plain mapping, without copying deep."""
    return {name: getattr(account, name) for name in _ACCOUNT_FIELDS}


def _group_faults(panel: PanelState, plain: dict[str, Any]) -> list[RecordFault]:
    if plain.get("discount_group_id") == panel.settings.no_group:
        plain["discount_group_id"] = 0
    elif plain.get("discount_group_id") == 0:
        return [RecordFault(checks.NO_GROUP, "Brak grupy rabatowej 0")]
    return checks.group_faults(plain, panel.groups, panel.settings.leave_group)


def _settable(account: Account, plain: dict[str, Any]) -> dict[str, Any]:
    """What is to be set on the account; fields that are taken and never shown go into `extras`."""
    values = {name: value for name, value in plain.items() if name in _ACCOUNT_FIELDS}
    if values.get("birth_date") == "":
        values["birth_date"] = NO_DATE
    if "password" in plain:
        values["has_password"] = True
    rest = {name: value for name, value in plain.items() if name in _EXTRAS}
    return values | ({"extras": {**account.extras, **rest}} if rest else {})
