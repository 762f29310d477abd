"""The gates beside clients/clients that touch one account: clients/externalCode and clients/remove.

Neither answer is described; the assumption is 200 without a body when all went well.
"""

from __future__ import annotations

from typing import Any

from local.panel import batch, forms
from local.panel.answers import Answer, RecordFault, Refusal, top_fault
from local.panel.batch import Outcome
from local.panel.calls import Call, whole_number
from local.panel.checks import NOT_FOUND
from local.panel.model import Account
from local.panel.state import PanelState

FIRST_BATCH_VERSION = 8  # up to v7 the gate took one customer, as params itself


def put_external_code(panel: PanelState, call: Call) -> Answer:
    """ERP codes by id or login: one customer up to v7, a batch from v8. A code may be given twice."""
    if call.version < FIRST_BATCH_VERSION:
        return _put_one_code(panel, call)
    outcomes = batch.work(panel, call, forms.CODE, _set_code)
    batch.notify_customers(panel, call, outcomes)
    return _code_answer(outcomes)


def _put_one_code(panel: PanelState, call: Call) -> Answer:
    params = batch.params_of(call)
    if "clients" in params:
        raise Refusal(422, "before v8 params is one customer")
    single = Call(call.method, call.gate, call.version, body={"params": {"clients": [params]}})
    return _code_answer(batch.work(panel, single, forms.CODE, _set_code))


def _set_code(panel: PanelState, plain: dict[str, Any]) -> Outcome:
    account = _named(panel, plain)
    if account is None:
        return Outcome(faults=[RecordFault(NOT_FOUND, "Nie ma takiego klienta")])
    if "external_code" not in plain:
        return Outcome(faults=[RecordFault(NOT_FOUND, "Nie podano kodu zewnętrznego")])
    panel.write(account, {"external_code": plain["external_code"]})
    return Outcome()


def _named(panel: PanelState, plain: dict[str, Any]) -> Account | None:
    """By id, else by login."""
    return panel.accounts.get(plain["id"]) if "id" in plain else panel.accounts.by_login(plain.get("login", ""))


def _code_answer(outcomes: list[Outcome]) -> Answer:
    """Only the first error is told, and not for which record: the caller has to look for itself."""
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    if not faults:
        return Answer(records=len(outcomes))
    return Answer(top_fault(faults[0].code, faults[0].text), 207, records=len(outcomes))


def delete_client(panel: PanelState, call: Call) -> Answer:
    """Erases personal data and blocks the account; the row stays."""
    if "clientId" not in call.query:
        raise Refusal(422, "clientId is required")
    account = panel.accounts.get(whole_number(call.query["clientId"], "clientId"))
    if account is None:
        return Answer(top_fault(NOT_FOUND, "Nie ma takiego klienta"), 207, records=1)
    panel.remove(account)
    return Answer(records=1)
