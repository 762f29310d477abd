"""The routing table: every gate, the scope its key needs, and the function behind it.

Here are the gates that the product calls, and those that its design names for later (clients/remove, provinceList).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from local.panel import address_gates, clients_gates, crm_gates, discount_gates, system_gates
from local.panel.answers import Answer, Refusal
from local.panel.calls import Call
from local.panel.lies import hollowed, unfiltered
from local.panel.shapes import dressed
from local.panel.state import PanelState

VERSIONS = (6, 7, 8)


@dataclass(frozen=True)
class Gate:
    """One gate: what it does, the scope of the key, and whether reading that scope is enough."""

    work: Callable[[PanelState, Call], Answer]
    scope: str = "CRM"
    level: str = "rw"


GATES: dict[str, Gate] = {
    "GET clients/clients": Gate(clients_gates.get_clients, level="r"),
    "POST clients/clients": Gate(clients_gates.post_clients),
    "PUT clients/clients": Gate(clients_gates.put_clients),
    "POST clients/crm/search": Gate(crm_gates.search, level="r"),
    "DELETE clients/remove": Gate(clients_gates.delete_client),
    "GET clients/deliveryAddress": Gate(address_gates.get_addresses, level="r"),
    "POST clients/deliveryAddress": Gate(address_gates.post_addresses),
    "PUT clients/deliveryAddress": Gate(address_gates.put_addresses),
    "POST clients/deliveryAddress/delete": Gate(address_gates.delete_addresses),
    "GET discounts/groups": Gate(discount_gates.get_groups, level="r"),
    "POST discounts/groups": Gate(discount_gates.post_group),
    "PUT discounts/groups": Gate(discount_gates.put_group),
    "POST discounts/groups/delete": Gate(discount_gates.delete_group),
    "GET discounts/groups/clients": Gate(discount_gates.get_members, level="r"),
    "PUT discounts/groups/products": Gate(discount_gates.put_prices),
    "POST discounts/groups/products/delete": Gate(discount_gates.delete_prices),
    "GET clients/provinceList": Gate(system_gates.province_list, level="r"),
    "GET system/serverTime": Gate(system_gates.server_time, scope="SYSTEM", level="r"),
    "GET system/shopsData": Gate(system_gates.shops_data, scope="SYSTEM", level="r"),
}


def check_key(given: str | None, key: str) -> None:
    """Raises Refusal 401, the same for a missing and a wrong key."""
    if not given or not hmac.compare_digest(given.encode(), key.encode()):
        raise Refusal(401, "Błędny klucz API")


def answer(panel: PanelState, call: Call) -> Answer:
    """Find the gate, check the scope, do the work, dress the body; the key has been checked before."""
    gate = GATES.get(call.name)
    if gate is None or call.version not in VERSIONS:
        raise Refusal(404, "Nie ma takiej bramki")
    if gate.level not in panel.settings.scopes.get(gate.scope, ""):
        raise Refusal(403, f"Brak uprawnień. Scope: {gate.scope.lower()}, level: {gate.level}")
    with panel.lock:
        panel.show_due_dates()
        found = gate.work(panel, unfiltered(call, panel.settings))
        panel.counters.records[call.name] += found.records
        found = hollowed(call, found, panel.settings)
    found.body = dressed(found.body, panel.settings)
    return found
