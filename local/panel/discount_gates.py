"""The gates discounts/groups: groups, who is in them, and the prices in them.

A write of a group is not a batch: all of it is done or nothing, and the fault stands at the top of the body. None of
these gates lists fault codes. Nothing reads the prices back, and a repeated POST makes a second group.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from local.panel import batch, checks, forms
from local.panel.answers import Answer, RecordFault, Refusal
from local.panel.calls import Call, number_list, page_of, text_list, whole_number
from local.panel.forms import Field, read_form
from local.panel.groups import KINDS, Group, Price, Prices
from local.panel.searching import EMPTY_RESULT, count_unknown, records_answer
from local.panel.state import PanelState
from local.panel.words import yes_no

BASE_CURRENCY = "PLN"
_GROUPS_QUERY = frozenset({"groupNumbers", "returnElements", "resultsPage", "resultsLimit"})
_MEMBERS_QUERY = frozenset({"discountGroupId"})
_CURRENCY = re.compile(r"[A-Za-z]{3}")
Plain = dict[str, Any]
Done = Plain | RecordFault | None
Worker = Callable[[PanelState, Plain], Done]


# --- reading


def get_groups(panel: PanelState, call: Call) -> Answer:
    """Groups by number, or all of them, in pages."""
    count_unknown(panel, call, _GROUPS_QUERY)
    wanted, elements = number_list(call.query, "groupNumbers"), text_list(call.query, "returnElements")
    asked = (each for each in panel.groups if wanted is None or each.id in wanted)
    found = [each.id for each in asked if panel.faults.lists(call, _shown(each, None))]
    page = page_of(call.query)
    records = [_shown(panel.group(each), elements) for each in page.cut(found)]
    return records_answer(panel, records, len(found), page, "groups")


def _shown(group: Group, elements: list[str] | None) -> Plain:
    record = {
        "groupNumber": group.id,
        "groupRebate": group.rebate,
        "groupCombined": yes_no(group.combined),
        "groupType": group.type,
        "groupName": group.name,
    }
    return record if elements is None else {name: record[name] for name in elements if name in record}


def get_members(panel: PanelState, call: Call) -> Answer:
    """Ids of the accounts in one group, without pages. For an empty group the answer of an empty search is assumed."""
    count_unknown(panel, call, _MEMBERS_QUERY)
    if "discountGroupId" not in call.query:
        raise Refusal(422, "discountGroupId is required")
    number = whole_number(call.query["discountGroupId"], "discountGroupId")
    if number not in panel.groups:
        return _refused(panel, _no_group(number))
    found = panel.members(number)
    body = {"result": {"clientId": found}}
    if found or panel.settings.empty_search_status == 200:
        return Answer(body, records=len(found))
    return Answer({**body, "errors": RecordFault(EMPTY_RESULT, "Wynik pusty").as_json()}, 207)


# --- groups


def post_group(panel: PanelState, call: Call) -> Answer:
    """A new group, empty, of the type that takes prices."""
    return _write(panel, call, forms.GROUP_NAME, _create)


def _create(panel: PanelState, plain: Plain) -> Done:
    return _name_fault(plain) or {"result": {"discountGroupId": panel.make_group({"name": plain["name"]}).id}}


def put_group(panel: PanelState, call: Call) -> Answer:
    """Rename a group; a PUT can change nothing else."""
    return _write(panel, call, forms.GROUP | forms.GROUP_NAME, _rename)


def _rename(panel: PanelState, plain: Plain) -> Done:
    fault = _group_fault(panel, plain) or _name_fault(plain)
    if fault is None:
        panel.edit_group(plain["id"], name=plain["name"])
    return fault


def delete_group(panel: PanelState, call: Call) -> Answer:
    """Delete a group and its prices; one that somebody is in is refused."""
    return _write(panel, call, forms.GROUP, _delete)


def _delete(panel: PanelState, plain: Plain) -> Done:
    fault = _group_fault(panel, plain)
    if fault is None and panel.members(plain["id"]):
        fault = RecordFault(checks.IN_USE, f"Do grupy rabatowej {plain['id']} są przypisani klienci")
    if fault is None:
        panel.drop_group(plain["id"])
    return fault


# --- prices


def put_prices(panel: PanelState, call: Call) -> Answer:
    """Set prices in a group; those of other items stay."""
    unknown: Counter[str] = Counter()

    def worker(panel: PanelState, plain: Plain) -> Done:
        prices = {kind: [_price(each, unknown) for each in plain.get(kind, [])] for kind in KINDS}
        fault = _group_fault(panel, plain) or _price_fault(each for kind in KINDS for each in prices[kind])
        if fault is None:
            panel.group(plain["id"]).prices |= _keyed(prices)
        return fault

    answer = _write(panel, call, forms.GROUP_PRICES, worker)
    batch.count_unknown(panel, call, unknown)
    return answer


def _price(record: Plain, unknown: Counter[str]) -> Plain:
    plain = read_form(record, forms.PRICE, unknown)
    for name in ("id", "price"):
        if name not in plain:
            raise Refusal(422, f"{name} is missing")
    return {"currency": BASE_CURRENCY, **plain}


def _price_fault(prices: Any) -> RecordFault | None:
    for each in prices:
        if each["price"] < 0 or not _CURRENCY.fullmatch(each["currency"]):
            return RecordFault(checks.BAD_PRICE, f"Błędna cena pozycji {each['id']}")
    return None


def _keyed(prices: dict[str, list[Plain]]) -> Prices:
    return {
        (kind, each["id"]): Price(each["price"], each["currency"].upper()) for kind in KINDS for each in prices[kind]
    }


def delete_prices(panel: PanelState, call: Call) -> Answer:
    """Remove prices from a group; one that is not there is no fault. This gate's faultCode is documented as text."""
    answer = _write(panel, call, forms.GROUP_ITEMS, _drop_prices)
    if answer.body is not None:
        answer.body["errors"]["faultCode"] = str(answer.body["errors"]["faultCode"])
    return answer


def _drop_prices(panel: PanelState, plain: Plain) -> Done:
    fault = _group_fault(panel, plain)
    if fault is None:
        for kind in KINDS:
            for number in plain.get(kind, []):
                panel.group(plain["id"]).prices.pop((kind, number), None)
    return fault


# --- all writes


def _write(panel: PanelState, call: Call, form: dict[str, Field], worker: Worker) -> Answer:
    """One write: 200 with its body or none, or a fault at the top. What names a group or gives a name must be there."""
    plain = batch.read_params(panel, call, form)
    for wire, (name, _) in form.items():
        if name in ("id", "name") and name not in plain:
            raise Refusal(422, f"{wire} is missing")
    items = _items(panel, plain)
    rule = panel.faults.record_rule(call, batch.params_of(call))
    done = worker(panel, plain) if rule is None else RecordFault(rule.code, rule.text)
    if isinstance(done, RecordFault):
        return _refused(panel, done, items)
    return Answer(done, records=items)


def _items(panel: PanelState, plain: Plain) -> int:
    """How many records it holds: its items, or the group itself. Raises Refusal for more than `max_group_items`."""
    lists = [plain[kind] for kind in KINDS if kind in plain]
    items, most = sum(map(len, lists)), panel.settings.max_group_items
    if most is not None and items > most:
        raise Refusal(422, f"more than {most} items")
    return items if lists else 1


def _refused(panel: PanelState, fault: RecordFault, records: int = 1) -> Answer:
    """The top-level error; with the other reading of the contract it comes with a 200."""
    panel.counters.record_faults[fault.code] += 1
    return Answer({"errors": fault.as_json()}, panel.settings.partial_status, records=records)


def _group_fault(panel: PanelState, plain: Plain) -> RecordFault | None:
    return None if plain["id"] in panel.groups else _no_group(plain["id"])


def _no_group(number: int) -> RecordFault:
    return RecordFault(checks.NO_GROUP, f"Brak grupy rabatowej {number}")


def _name_fault(plain: Plain) -> RecordFault | None:
    return None if plain["name"].strip() else RecordFault(checks.BAD_NAME, "Nie podano nazwy grupy rabatowej")
