"""How the write gates for accounts and addresses work through the records of a call.

A call whose form is wrong, or that holds too many records, is refused as a whole; otherwise each record stands or
falls alone, and the answer says so record by record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.panel.answers import Answer, RecordFault, Refusal, top_fault
from local.panel.calls import Call
from local.panel.checks import UNKNOWN_FIELD
from local.panel.forms import Field, read_form
from local.panel.state import PanelState


@dataclass
class Outcome:
    """What became of one record: its echo in the answer, and its faults (none: it was done)."""

    echo: dict[str, Any] = field(default_factory=dict)
    faults: list[RecordFault] = field(default_factory=list)


Worker = Callable[[PanelState, dict[str, Any]], Outcome]
Shape = Callable[[PanelState, Outcome], dict[str, Any]]


def params_of(call: Call) -> dict[str, Any]:
    """The object that wraps every write."""
    params = call.body.get("params") if isinstance(call.body, dict) else None
    if not isinstance(params, dict):
        raise Refusal(422, "params is missing")
    return params


def records_of(panel: PanelState, call: Call) -> list[dict[str, Any]]:
    """The batch; empty or too long is refused as a whole."""
    clients = params_of(call).get("clients")
    if not isinstance(clients, list) or not clients:
        raise Refusal(422, "params.clients is a list of at least one record")
    most = panel.settings.max_batch
    if most is not None and len(clients) > most:
        raise Refusal(422, f"params.clients has more than {most} records")
    return clients


def read_params(panel: PanelState, call: Call, form: dict[str, Field]) -> dict[str, Any]:
    """The parameters of a write that is not a batch, by the attributes that they set."""
    unknown: Counter[str] = Counter()
    plain = read_form(params_of(call), form, unknown)
    count_unknown(panel, call, unknown)
    return plain


def count_unknown(panel: PanelState, call: Call, unknown: Counter[str]) -> None:
    """Keep the fields that a form did not know, under the gate's name."""
    for name, count in unknown.items():
        panel.counters.unknown[f"{call.name} {name}"] += count


def work(panel: PanelState, call: Call, form: dict[str, Field], worker: Worker) -> list[Outcome]:
    """Work through the batch in order.

    A record of a wrong form refuses all of them before anything is written. A record with an ordered fault, or with a
    field that the setting `unknown_field` refuses, is not worked on.
    """
    records = records_of(panel, call)
    unknown: Counter[str] = Counter()
    read = [read_form(record, form, unknown) for record in records]
    count_unknown(panel, call, unknown)
    if unknown and panel.settings.unknown_field == "refuse_call":
        raise Refusal(422, f"Nieznane pole: {next(iter(unknown))}")
    outcomes = []
    for record, plain in zip(records, read, strict=True):
        faults = []
        if rule := panel.faults.record_rule(call, record):
            faults = [RecordFault(rule.code, rule.text)]
        elif panel.settings.unknown_field == "refuse_record":
            faults = [RecordFault(UNKNOWN_FIELD, f"Nieznane pole: {name}") for name in record if name not in form]
        outcome = Outcome(_echo(panel, plain), faults) if faults else worker(panel, plain)
        panel.counters.record_faults.update(fault.code for fault in outcome.faults)
        outcomes.append(outcome)
    return outcomes


def _echo(panel: PanelState, plain: dict[str, Any]) -> dict[str, Any]:
    account = panel.accounts.by_login(plain.get("login", ""))
    named = {name: plain[name] for name in ("login", "reference") if name in plain}
    return named | ({"account_id": account.id} if account else {})


def answer(panel: PanelState, outcomes: list[Outcome], key: str, shape: Shape, *, echoes: bool = True) -> Answer:
    """The body with one result a record; 207 and a top-level error where some failed (or 200, by the setting).

    Results of gates that echo no reference stand in the order of the request: nothing else pairs them.
    """
    results = [shape(panel, outcome) for outcome in outcomes]
    if panel.settings.shuffle_results and echoes:
        panel.random.shuffle(results)
    failed = [outcome for outcome in outcomes if outcome.faults]
    body: dict[str, Any] = {key: results}
    status = panel.settings.partial_status if failed else 200
    if status == 207:
        first = failed[0].faults[0]
        body |= top_fault(first.code, first.text)
    return Answer(body, status, results=key, records=len(results))


def notify(
    panel: PanelState,
    call: Call,
    settings_key: str,
    mail: str,
    sms: str,
    outcomes: list[Outcome],
) -> None:
    """Count the messages a real panel would now send: for every record done, unless the call says no."""
    given = call.body.get(settings_key) or {}
    if not isinstance(given, dict):
        raise Refusal(422, f"{settings_key} is an object")
    done = sum(not outcome.faults for outcome in outcomes)
    panel.counters.mails[call.name] += done if given.get(mail) is not False else 0
    panel.counters.texts[call.name] += done if given.get(sms) is not False else 0


def notify_clients(panel: PanelState, call: Call, outcomes: list[Outcome]) -> None:
    """The same for the gates whose mail settings stand beside the parameters as ``clientsSettings``."""
    notify(panel, call, "clientsSettings", "clientSettingSendMail", "clientSettingSendSms", outcomes)


def errors_json(outcome: Outcome) -> list[dict[str, Any]]:
    return [fault.as_json() for fault in outcome.faults]
