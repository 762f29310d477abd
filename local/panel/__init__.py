"""A stand-in for the IdoSell panel: a real HTTP server for the customer part of its Admin API, state in memory.

An independent reading of the API's contract: it shares no code with the program that is tested against it. Used by
the demo, the benchmark and the tests, and looked at in a browser at `/`. Control address: local.panel.control.
Ordered misbehaviour: local.panel.faults. Settings: local.panel.settings. A gate is IdoSell's word for an endpoint.
"""

from __future__ import annotations

from local.panel.faults import Rule
from local.panel.groups import Group, Price
from local.panel.model import Account, Address, Order
from local.panel.server import StandinPanel
from local.panel.settings import Settings

__all__ = ["Account", "Address", "Group", "Order", "Price", "Rule", "Settings", "StandinPanel"]
