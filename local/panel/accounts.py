"""The panel's accounts in memory, found by id, login, external code and modification date without a scan.

As the contract describes the panel, a login is unique and an external code is not: two accounts of one customer are
possible, and a test can count them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sortedcontainers import SortedDict, SortedList  # type: ignore[import-untyped]

from local.panel.model import Account, Address


class Accounts:
    """All accounts and their indexes. Whoever changes an indexed field does it through `change` or `stamp`."""

    def __init__(self) -> None:
        self._by_id: SortedDict[int, Account] = SortedDict()
        self._by_login: dict[str, int] = {}
        self._by_code: dict[str, set[int]] = {}
        self._by_modified: SortedList[tuple[str, int]] = SortedList()
        self._last_id = 0
        self._last_address_id = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def get(self, account_id: int) -> Account | None:
        found: Account | None = self._by_id.get(account_id)
        return found

    def by_login(self, login: str) -> Account | None:
        """The one account of that login; guests have no login and are not found by an empty one."""
        found = self._by_login.get(login) if login else None
        return None if found is None else self._by_id[found]

    def by_code(self, code: str) -> list[Account]:
        """Every account with that external code, oldest first."""
        return [self._by_id[each] for each in sorted(self._by_code.get(code, ()))]

    def by_code_in_any_case(self, code: str) -> list[Account]:
        """Every account with that external code, whatever the case of its letters, oldest first."""
        alike = [each for each in self._by_code if each.casefold() == code.casefold()]
        return [self._by_id[each] for each in sorted(set().union(*(self._by_code[one] for one in alike)))]

    def ids(self) -> Sequence[int]:
        """All ids in order; a view, so that cutting out a page costs no more than the page."""
        ids: Sequence[int] = self._by_id.keys()
        return ids

    def ids_modified(self, begin: str | None, end: str | None) -> list[int]:
        """Ids whose modification date lies between two wall times, both ends included."""
        low = None if begin is None else (begin, -1)
        high = None if end is None else (end, 1 << 62)
        return [account_id for _, account_id in self._by_modified.irange(low, high)]

    def add(self, account: Account) -> Account:
        """Take a new account in; an id of 0 is replaced by the next free one."""
        if account.id in self._by_id or (account.login and account.login in self._by_login):
            raise ValueError("an account of that id or login exists")
        account.id = account.id or self._last_id + 1
        self._last_id = max(self._last_id, account.id)
        for address in account.addresses:
            self.number(address)
        self._by_id[account.id] = account
        self._enter(account)
        self._by_modified.add((account.modified, account.id))
        return account

    def number(self, address: Address) -> None:
        """Give a new address its id, unique over the panel."""
        address.id = address.id or self._last_address_id + 1
        self._last_address_id = max(self._last_address_id, address.id)

    def change(self, account: Account, changes: dict[str, Any]) -> bool:
        """Set attributes and keep the indexes right; says whether anything became different."""
        if not any(getattr(account, name) != value for name, value in changes.items()):
            return False
        if self._by_login.get(changes.get("login", ""), account.id) != account.id:
            raise ValueError("an account of that login exists")
        self._leave(account)
        for name, value in changes.items():
            setattr(account, name, value)
        self._enter(account)
        return True

    def stamp(self, account: Account, modified: str) -> None:
        """Set the modification date that searches see."""
        self._by_modified.remove((account.modified, account.id))
        account.modified = modified
        self._by_modified.add((modified, account.id))

    def free_login(self, wanted: Iterable[str]) -> str:
        """The first of some logins that nobody has."""
        return next(each for each in wanted if each not in self._by_login)

    @property
    def next_id(self) -> int:
        return self._last_id + 1

    def _enter(self, account: Account) -> None:
        if account.login:
            self._by_login[account.login] = account.id
        if account.external_code:
            self._by_code.setdefault(account.external_code, set()).add(account.id)

    def _leave(self, account: Account) -> None:
        self._by_login.pop(account.login, None)
        owners = self._by_code.get(account.external_code, set())
        owners.discard(account.id)
        if not owners:
            self._by_code.pop(account.external_code, None)
