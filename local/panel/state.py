"""The panel's state and what can be done to it, whoever does it: a gate, a panel user, or a test.

One lock guards everything, so a test may look and edit from its own thread while the server works.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import deque
from typing import Any

from local.panel import backups, credit
from local.panel.accounts import Accounts
from local.panel.clock import NO_DATE, NO_MOMENT, Clock
from local.panel.counters import Counters
from local.panel.faults import Faults
from local.panel.groups import Group, Groups, group_from, group_values
from local.panel.model import (
    ADDRESS_EDITABLE,
    EDITABLE,
    Account,
    Address,
    Order,
    account_from,
    address_from,
    exact,
)
from local.panel.money import money
from local.panel.normalising import tidy
from local.panel.settings import Settings
from local.panel.words import province_code


class PanelState:
    """Accounts, groups, clock, settings, ordered faults and counts of one stand-in panel."""

    def __init__(self, settings: Settings | None = None, seed: int = 1) -> None:
        self.settings = settings or Settings()
        self.lock = threading.RLock()
        self.clock = Clock(self.settings)
        self.counters = Counters()
        self.faults = Faults(seed)
        self.faults.code_of_login = self._code_of_login
        self.requests: deque[dict[str, Any]] = deque(maxlen=2000)  # in memory only: they hold personal data
        self.random = random.Random(seed)
        self.edits = itertools.count(1)  # of those between pages: each another one
        self.empty()

    def empty(self) -> None:
        """As at the start: no accounts at all, and the groups that the settings name."""
        self.accounts = Accounts()
        self.groups = Groups(self.settings.groups)
        self._last_order_id = 0
        self._hidden_dates: list[tuple[float, int, str]] = []
        self._backups: dict[str, backups.Backup] = {}

    def back_up(self, name: str) -> None:
        """Keep what the panel holds under a name."""
        self._backups[name] = backups.made(self, _KEPT)

    def restore(self, name: str) -> None:
        """Put back what was kept under that name, or KeyError; numbers given since are given again."""
        backups.put_back(self, self._backups[name])

    # --- finding

    def account(self, account_id: int) -> Account:
        """The account of that id, or KeyError."""
        found = self.accounts.get(account_id)
        if found is None:
            raise KeyError(f"no account {account_id}")
        return found

    def group(self, group_id: int) -> Group:
        """The discount group of that number, or KeyError."""
        found = self.groups.get(group_id)
        if found is None:
            raise KeyError(f"no group {group_id}")
        return found

    def members(self, group_id: int) -> list[int]:
        """Ids of the accounts in a group."""
        return [each.id for each in self.accounts if each.discount_group_id == group_id]

    def _code_of_login(self, login: str) -> str:
        found = self.accounts.by_login(login)
        return found.external_code if found else ""

    # --- changing accounts

    def open(self, account: Account) -> Account:
        """A new account, made now unless its dates say otherwise; a missing login is made up (guests have none)."""
        if self.settings.normalise:
            for name, value in tidy(_texts(account)).items():
                setattr(account, name, value)
        account.external_code = self._kept_code(account.external_code)
        for name, value in _coded(
            account, {"country_code": account.country_code, "province": account.province}
        ).items():
            setattr(account, name, value)
        if not account.login and not account.guest:
            first = self.accounts.next_id
            account.login = self.accounts.free_login(f"client{number}" for number in itertools.count(first))
        account.registered = self.clock.wall()[:10] if account.registered == NO_DATE else account.registered
        if account.modified == NO_MOMENT and self.settings.date_before_edit == "opening":
            account.modified = self.clock.wall()
        return self.accounts.add(account)

    def write(self, account: Account, changes: dict[str, Any]) -> None:
        """Change an account and move its modification date, as every write does (own ones included: the echo)."""
        if self.settings.normalise:
            changes = tidy(changes)
        if "external_code" in changes:
            changes = {**changes, "external_code": self._kept_code(changes["external_code"])}
        different = self.accounts.change(account, _coded(account, changes))
        if different or self.settings.unchanged_write_moves_date:
            self.touch(account)

    def _kept_code(self, code: str) -> str:
        return code.upper() if self.settings.code_case == "capitals" else code

    def touch(self, account: Account) -> None:
        """Move the modification date to now; with a lag set, searches and answers see it only later."""
        now = self.clock.now()
        if self.settings.date_lag_seconds > 0:
            due = now + self.settings.date_lag_seconds
            heapq.heappush(self._hidden_dates, (due, account.id, self.clock.wall()))
        else:
            self.accounts.stamp(account, self.clock.wall())

    def show_due_dates(self) -> None:
        """Let the modification dates appear whose lag is over."""
        while self._hidden_dates and self._hidden_dates[0][0] <= self.clock.now():
            _, account_id, moment = heapq.heappop(self._hidden_dates)
            account = self.accounts.get(account_id)
            if account is not None:
                self.accounts.stamp(account, moment)

    def remove(self, account: Account) -> None:
        """Erase personal data and block the account; the row, its id and its external code stay.

        It leaves its discount group: nothing is said of that, but a group full of nobodies could never be deleted.
        """
        erased = dict.fromkeys(_PERSONAL, "")
        erased["login"] = f"removed{account.id}"
        account.addresses.clear()
        blocked = {"birth_date": NO_DATE, "active": False, "removed": True, "discount_group_id": 0}
        self.accounts.change(account, {**erased, **blocked})
        self.touch(account)

    # --- changing delivery addresses

    def add_address(self, account: Account, address: Address) -> Address:
        """A new address; nothing guards against a second one that is the same."""
        if self.settings.normalise:
            self._set_address(address, _texts(address))
        self.accounts.number(address)
        account.addresses.append(address)
        self._touch_for_address(account)
        return address

    def write_address(self, account: Account, address: Address, changes: dict[str, Any]) -> None:
        self._set_address(address, changes)
        self._touch_for_address(account)

    def remove_address(self, account: Account, address: Address) -> None:
        account.addresses.remove(address)
        self._touch_for_address(account)

    def _set_address(self, address: Address, changes: dict[str, Any]) -> None:
        for name, value in (tidy(changes) if self.settings.normalise else changes).items():
            setattr(address, name, value)

    def _touch_for_address(self, account: Account) -> None:
        if self.settings.address_edit_moves_date:
            self.touch(account)

    # --- what a panel user or a test does, in plain words

    def edit(self, account_id: int, **changes: Any) -> Account:
        """A panel user's edit: anything goes, no API call is counted, the modification date moves."""
        _known(changes, EDITABLE)
        account = self.account(account_id)
        self.write(account, exact(changes))
        return account

    def seed(self, plain: dict[str, Any]) -> Account:
        """An account out of plain words."""
        account = account_from(plain)
        self._last_order_id = max(self._last_order_id, *(each.id for each in account.orders), 0)
        for address in account.addresses:
            address.country_code = address.country_code.upper()
        return self.open(account)

    def edit_address(self, account_id: int, address_id: int, **changes: Any) -> Address:
        """A panel user's edit of one delivery address."""
        _known(changes, ADDRESS_EDITABLE)
        account = self.account(account_id)
        address = self._address(account, address_id)
        if "country_code" in changes:
            changes["country_code"] = changes["country_code"].upper()
        self.write_address(account, address, changes)
        return address

    def put_address(self, account_id: int, plain: dict[str, Any]) -> Address:
        """A delivery address that a panel user or the customer adds."""
        address = address_from(plain)
        address.country_code = address.country_code.upper()
        return self.add_address(self.account(account_id), address)

    def drop_address(self, account_id: int, address_id: int) -> None:
        """A delivery address that a panel user or the customer deletes."""
        account = self.account(account_id)
        self.remove_address(account, self._address(account, address_id))

    # --- discount groups, whoever changes them

    def make_group(self, plain: dict[str, Any]) -> Group:
        """A new group; nothing guards against a second one of the same name."""
        return self.groups.add(group_from(self._tidied(plain)))

    def edit_group(self, group_id: int, **changes: Any) -> Group:
        """Rename a group, or set what only a panel user can; `prices` replaces all of them."""
        group = self.group(group_id)
        for name, value in group_values(self._tidied(changes)).items():
            setattr(group, name, value)
        return group

    def drop_group(self, group_id: int) -> None:
        """Delete a group and its prices; ValueError while anybody is in it."""
        self.group(group_id)
        if self.members(group_id):
            raise ValueError(f"somebody is in group {group_id}")
        self.groups.remove(group_id)

    def _tidied(self, plain: dict[str, Any]) -> dict[str, Any]:
        return tidy(plain) if self.settings.normalise else plain

    # --- orders

    def order(self, account_id: int, amount: Any) -> Order:
        """An order on trade credit; one that is refused is kept too, with the reason."""
        account, exactly = self.account(account_id), money(amount)
        if exactly <= 0:
            raise ValueError("an order is above 0")
        reason = credit.refusal(account, exactly, self.settings)
        self._last_order_id += 1
        order = Order(self._last_order_id, exactly, not reason, reason, self.clock.wall(), open=not reason)
        account.orders.append(order)
        if self.settings.orders_move_date:
            self.touch(account)
        return order

    @staticmethod
    def _address(account: Account, address_id: int) -> Address:
        found = account.address(address_id)
        if found is None:
            raise KeyError(f"no address {address_id}")
        return found


_KEPT = ("accounts", "groups", "_last_order_id", "_hidden_dates")  # what a backup holds
_PERSONAL = [
    "email",
    "first_name",
    "last_name",
    "company",
    "nip",
    "street",
    "zip_code",
    "city",
    "province",
    "phone",
    "phone2",
    "note",
]  # what clients/remove erases


def _texts(record: Account | Address) -> dict[str, Any]:
    names = (
        "first_name",
        "last_name",
        "company",
        "additional",
        "street",
        "city",
        "zip_code",
        "phone",
        "email",
        "nip",
    )
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def _coded(account: Account, changes: dict[str, Any]) -> dict[str, Any]:
    """The same values with the country in capitals, and the province by its code where the country has it."""
    values = dict(changes)
    if "country_code" in values:
        values["country_code"] = values["country_code"].upper()
    if "province" in values:
        country = values.get("country_code", account.country_code)
        values["province"] = province_code(country, values["province"]) or values["province"].strip()
    return values


def _known(changes: dict[str, Any], names: frozenset[str]) -> None:
    unknown = set(changes) - names
    if unknown:
        raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
