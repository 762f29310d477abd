"""The part of StandinPanel by which a test sees and changes discount groups, trade credit and orders.

Everything given out is a copy; what is changed here is changed as by a panel user or a customer, so no call is counted.
"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from local.panel import credit
from local.panel.groups import Group
from local.panel.state import PanelState


class GroupsAndCredit:
    """Groups, members and orders of one panel."""

    state: PanelState

    @property
    def groups(self) -> list[Group]:
        """All groups with their prices, by number."""
        with self.state.lock:
            return copy.deepcopy(list(self.state.groups))

    def group(self, group_id: int) -> Group:
        """One group, or KeyError: `panel.group(2).prices["product", 7].price`."""
        with self.state.lock:
            return copy.deepcopy(self.state.group(group_id))

    def groups_named(self, name: str) -> list[Group]:
        """Every group of exactly that name: more than one means doubled."""
        return [each for each in self.groups if each.name == name]

    def members(self, group_id: int) -> list[int]:
        """Ids of the accounts in a group."""
        with self.state.lock:
            return self.state.members(group_id)

    def make_group(self, name: str, **plain: Any) -> Group:
        """A new group that a panel user makes, with `prices` as a list of {kind, id, price, currency}."""
        with self.state.lock:
            return copy.deepcopy(self.state.make_group({"name": name, **plain}))

    def edit_group(self, group_id: int, **changes: Any) -> Group:
        """Rename a group, or replace its `prices`."""
        with self.state.lock:
            return copy.deepcopy(self.state.edit_group(group_id, **changes))

    def delete_group(self, group_id: int) -> None:
        """Delete a group that nobody is in."""
        with self.state.lock:
            self.state.drop_group(group_id)

    def order(self, client_id: int, amount: Decimal | int | str) -> dict[str, Any]:
        """A customer orders on trade credit: {"accepted", "reason", "amount", "limit", "balance", "ordered", "id"}."""
        with self.state.lock:
            order = self.state.order(client_id, amount)
            return credit.told(self.state.account(client_id), order)

    def owed(self, client_id: int) -> Decimal:
        """What is owed on an account: the ERP's balance and the orders accepted since."""
        with self.state.lock:
            return credit.owed(self.state.account(client_id), self.state.settings)
