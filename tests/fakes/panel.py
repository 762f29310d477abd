"""Panel in memory: the port in plain Python, fast enough for a hundred thousand steps of a state machine.

It behaves as the contract describes the panel (logins unique and in small letters, external codes not unique, absent
fields unchanged, its own writes move the modification date) and misbehaves when told to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from kartoteka.core.concerns import CONCERNS
from kartoteka.core.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.core.model import Account, AccountUpdate, NewAccount, Record, Value, Window
from kartoteka.ports import AccountPage, Done, Outcome

R = TypeVar("R", NewAccount, AccountUpdate)

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FIELDS = {name: field for concern in CONCERNS.values() for name, field in concern.fields.items()}
UNSET: dict[str, Value] = {
    **dict.fromkeys(FIELDS, ""),
    "client_type": "person",
    "country_code": "PL",
    "language": "pol",
    "currency": "PLN",
    "wholesaler": False,
}
"""What the panel shows of fields that nobody has set."""


class FakePanel:
    """Accounts in a dictionary. ``opened`` lists the ids of accounts that ``create`` opened, repeated ones included."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.accounts: dict[str, Account] = {}
        self.shops: dict[str, tuple[int, ...]] = {}
        self.opened: list[str] = []
        self.notified: list[str] = []
        self.time = START
        self._clock = clock or (lambda: self.time)
        self._ids_by_login: dict[str, str] = {}
        self._last_id = 0
        self._calls: Counter[str] = Counter()
        self._failures: list[KartotekaError] = []
        self._lost_replies = 0
        self._lost_results: set[str] = set()
        self._refused: dict[str, Reject] = {}
        self._poison: set[str] = set()
        self._halt: Halt | None = None

    # what a test does to it

    def advance(self, seconds: float) -> None:
        """Move the panel's own clock on."""
        self.time += timedelta(seconds=seconds)

    def register(
        self,
        values: Record,
        *,
        login: str = "",
        external_code: str = "",
        guest: bool = False,
        shops: Sequence[int] = (1,),
    ) -> str:
        """Open an account as a customer in the shop (or another program) would; return its id."""
        return self._open(login or f"shop-{self._last_id + 1}", external_code, values, tuple(shops), guest)

    def edit(self, panel_client_id: str, **values: Value) -> None:
        """Change fields as a user of the panel would."""
        self._change(panel_client_id, values)

    def recode(self, panel_client_id: str, external_code: str) -> None:
        """Change an external code as a user of the panel would."""
        self._change(panel_client_id, {}, external_code=external_code)

    def remove(self, panel_client_id: str) -> None:
        """Take an account away altogether."""
        self._ids_by_login.pop(self.accounts.pop(panel_client_id).login, None)

    def fail(self, *errors: KartotekaError) -> None:
        """Raise these, one from each of the next calls, before any effect."""
        self._failures.extend(errors)

    def lose_reply(self, times: int = 1) -> None:
        """Lose the replies of the next writing calls, after their effect."""
        self._lost_replies += times

    def lose_result(self, client_id: str) -> None:
        """Leave this record out of the next writing call's answer, after its effect."""
        self._lost_results.add(client_id)

    def refuse(self, client_id: str, reject: Reject | None = None) -> None:
        """Refuse each write of this record until ``accept``."""
        self._refused[client_id] = reject or Reject("refused", "Panel: nie / no")

    def refuse_whole(self, client_id: str) -> None:
        """Refuse every writing call that holds this record, as a whole, until ``accept``."""
        self._poison.add(client_id)

    def accept(self, client_id: str) -> None:
        """Take this record's writes again."""
        self._refused.pop(client_id, None)
        self._poison.discard(client_id)

    def halt(self, halt: Halt | None = None) -> None:
        """Refuse every call until ``recover``."""
        self._halt = halt or Halt("panel_key", "the panel refuses the key")

    def recover(self) -> None:
        """End ``halt``, and whatever else was still to go wrong."""
        self._halt = None
        self._failures.clear()
        self._lost_results.clear()
        self._lost_replies = 0

    # the port

    def now(self) -> datetime:
        self._begin("GET system/serverTime")
        return self._clock()

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        self._begin("GET clients/clients")
        return {key: self.accounts[key] for key in panel_client_ids if key in self.accounts}

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        wanted = {code for code in external_codes if code}
        if not wanted:
            return []
        self._begin("GET clients/clients")
        return [account for account in self.accounts.values() if account.external_code in wanted]

    def changed(self, window: Window | None, page: int, limit: int) -> AccountPage:
        self._begin("GET clients/clients")
        found = [account for account in self.accounts.values() if window is None or _inside(account, window)]
        return AccountPage(found[page * limit : (page + 1) * limit], len(found), -(-len(found) // limit))

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        def open_one(account: NewAccount) -> Outcome:
            if account.login in self._ids_by_login:
                raise Reject("login_taken", "Panel: login zajęty / login taken")
            if account.login != account.login.lower() or not account.login:
                raise Reject("bad_login", "Panel: login małymi literami / login in small letters")
            if not account.shops:
                raise Reject("no_shop", "Panel: brak sklepu / no shop")
            key = self._open(account.login, account.client_id, account.values, account.shops, guest=False)
            self.opened.append(key)
            if notify:
                self.notified.append(key)
            return Done(key, account.login)

        return self._write("POST clients/clients", accounts, open_one)

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        def change_one(update: AccountUpdate) -> Outcome:
            key = self._ids_by_login.get(update.login)
            if key is None:
                raise Reject("refused", "Panel: nie ma takiego loginu / no such login")
            self._change(key, update.values, update.external_code)
            return Done()

        return self._write("PUT clients/clients", updates, change_one)

    def calls(self) -> Mapping[str, int]:
        return dict(self._calls)

    # the works

    def _begin(self, gate: str) -> None:
        self._calls[gate] += 1
        if self._halt:
            raise self._halt
        if self._failures:
            raise self._failures.pop(0)

    def _write(self, gate: str, records: Sequence[R], act: Callable[[R], Outcome]) -> Sequence[Outcome]:
        if not records:
            return []
        self._begin(gate)
        whole = any(record.client_id in self._poison for record in records)
        if whole and len(records) > 1:
            raise Reject("refused_whole", "Panel: 422")
        outcomes = [self._write_one(record, act) for record in records]
        if self._lost_replies:
            self._lost_replies -= 1
            raise Retry("connection")
        return outcomes

    def _write_one(self, record: R, act: Callable[[R], Outcome]) -> Outcome:
        if record.client_id in self._poison:
            return Reject("refused", "Panel: 422")
        if record.client_id in self._refused:
            return self._refused[record.client_id]
        try:
            outcome = act(record)
        except Reject as reject:
            return reject
        if record.client_id in self._lost_results:
            self._lost_results.discard(record.client_id)
            return Retry("missing_result")
        return outcome

    def _open(self, login: str, code: str, values: Record, shops: tuple[int, ...], guest: bool) -> str:
        shown = UNSET | _shown({name: value for name, value in values.items() if value not in (None, "")})
        self._last_id += 1
        key = str(self._last_id)
        self.accounts[key] = Account(key, login, code, shown, self._stamp(), guest)
        self.shops[key] = shops
        self._ids_by_login[login] = key
        return key

    def _change(self, key: str, values: Record, external_code: str | None = None) -> None:
        account = self.accounts[key]
        self.accounts[key] = replace(
            account,
            external_code=account.external_code if external_code is None else external_code,
            values={**account.values, **_shown(values)},
            modified_at=self._stamp(),
        )

    def _stamp(self) -> datetime:
        return self._clock().replace(microsecond=0)


def _shown(values: Record) -> dict[str, Value]:
    """Return these values as the panel shows them after they were written."""
    return {name: _through(name, value) for name, value in values.items()}


def _through(name: str, value: Value) -> Value:
    codec = FIELDS[name].codec
    try:
        return codec.from_panel(codec.to_panel(value))
    except Reject as reject:
        raise Reject(reject.code, f"{name}: {reject.message}", field=name) from None


def _inside(account: Account, window: Window) -> bool:
    modified = account.modified_at
    return modified is not None and window.begin.replace(microsecond=0) <= modified <= window.end
