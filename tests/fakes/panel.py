"""Panel in memory: the port in plain Python, fast enough for a hundred thousand steps of a state machine.

It behaves as the API is described (logins unique and in small letters, external codes not unique, absent fields
unchanged, its own writes move the modification date, an edit of a delivery address does not unless told to, groups told
apart by number alone, their prices written and never shown, a province written by its code and shown by a number) and
misbehaves when told to.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.fields import money
from kartoteka.fields.codecs import CURRENCY, DAYS, FLAG, TEXT
from kartoteka.fields.normal import code_key, hidden
from kartoteka.fields.table import ACCOUNT_FIELDS, DELIVERY_ADDRESSES, SHOPS_FIELD, Field, Shown
from kartoteka.fields.values import as_text, ids_of
from kartoteka.model import Done, Outcome, Value, Values
from kartoteka.ports.exchange import PriceKey, SentPrice
from kartoteka.ports.panel import (
    LACKS_FIELD,
    REFUSED_WHOLE,
    Account,
    AccountPage,
    AccountUpdate,
    Address,
    AddressWrite,
    Days,
    KnownAccount,
    NewAccount,
    PanelGroup,
    Search,
    Window,
)
from local.panel import backups

R = TypeVar("R", NewAccount, AccountUpdate, AddressWrite)
T = TypeVar("T")
Price = tuple[Decimal, str]
"""An amount and its currency."""

WARSAW = ZoneInfo("Europe/Warsaw")
START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOWN = {name: field for name, field in ACCOUNT_FIELDS.items() if field.read}
HIDDEN = ACCOUNT_FIELDS.keys() - SHOWN.keys()
"""Fields that the panel takes and never shows."""
IN_OTHER_WORDS = {name for name, field in SHOWN.items() if field.shown is Shown.IN_OTHER_WORDS}
UNSET: dict[str, Value] = {
    **dict.fromkeys(SHOWN, ""),
    SHOPS_FIELD: (),
    "client_type": "person",
    "country_code": "PL",
    "language": "pol",
    "currency": "PLN",
    "wholesaler": False,
    "credit_limit": "0.00",
    "balance": "0.00",
}
"""What the panel shows of fields that nobody has set."""
UNSET_LINES: dict[str, Value] = {**dict.fromkeys(DELIVERY_ADDRESSES, ""), "country_code": "PL"}
FREE_TEXTS = {name for name, field in SHOWN.items() if field.kind.free}
KINDS = frozenset({"product", "producer", "series", "category", "menu_item"})
CREDIT_SHOWN = {
    "limit_and_used": frozenset[str](),
    "limit": frozenset({"balance"}),
    "nothing": frozenset({"credit_limit", "balance"}),
}
"""``shows_credit`` -> what the panel keeps to itself of an account's trade credit."""

KEPT = (
    *("accounts", "closed", "payment_days", "hidden", "delivery", "discount_groups", "prices"),
    *("_ids_by_login", "_numbers", "_last_id", "_last_address_id", "_last_group"),
)
"""What a backup of the panel holds."""


class FakePanel:
    """Accounts and delivery addresses in dictionaries.

    ``accounts`` hold every shown field as the panel shows it, but limit and balance as they were written, whatever the
    panel shows of them: that is for ``shows_credit`` to say, and for ``used_shows_balance``: where it is False, the
    figure shown for the balance is that of ``used``. What the panel never shows stands elsewhere: ``closed`` are the
    ids of accounts that are not active, ``payment_days`` is by account, and so is ``hidden`` for the rest. ``lacks``
    are the fields that the panel does not know: it shows none of them, and refuses a call that carries one.

    ``code_case``: ``capitals`` keeps external codes in these and finds them to the letter, ``any_case`` finds them so.
    ``keeps`` says what becomes of a value that the port hands over: (field, value, what was there) -> what is kept.

    ``opened`` lists the ids of accounts that ``create`` opened, repeated ones included. ``delivery`` is address id ->
    (panel client id, address), ``in_use`` the ids of addresses that the panel does not delete. ``known_shops`` are the
    panel's shops. ``order`` sorts what a search by dates finds, ``while_paging`` is called when a page of it was made
    up: what it does is seen on the next page. So are the edits of ``edits_between_pages``: of so many accounts on each
    page of a window of several. ``new_have_no_date``: an account has no modification date before its first edit.
    ``discount_groups`` is number -> name, ``prices`` number -> price by kind and id; who is in a group stands in the
    accounts. ``log`` holds the calls as they came: the gate, and the client ids, account ids, external
    codes, groups' numbers and ``kind/id`` that they were about.

    It lies in reads when told to. ``unseen`` are the ids of accounts that its look-ups do not show, though another
    gate and the lists by date do (but where all are unseen: then those are empty too); ``unlisted`` are the groups that
    the list of groups leaves out, number -> in how many more answers, None in all; ``blind``: nothing at all is shown,
    at any gate; ``names_all`` False: an account without delivery addresses is left out of the answer about them;
    ``ignores_filters``: every search shows everything, which the port tells as a Halt. ``whole_writes``: a change
    empties the texts that it does not name.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.accounts: dict[str, Account] = {}
        self.closed: set[str] = set()
        self.payment_days: dict[str, Value] = {}
        self.hidden: dict[str, dict[str, Value]] = {}
        self.lacks: set[str] = set()
        self.delivery: dict[str, tuple[str, Address]] = {}
        self.in_use: set[str] = set()
        self.known_shops: set[int] = {1, 2, 3}
        self.shops_require: dict[int, frozenset[str]] = {}
        self.edit_moves_date = False
        self.new_have_no_date = False
        self.order: Callable[[Account], Any] | None = None
        self.while_paging: Callable[[Search, int], None] | None = None
        self.edits_between_pages = 0
        self.unlisted: dict[str, int | None] = {}
        self.unseen: set[str] = set()
        self.blind = False
        self.names_all = True
        self.ignores_filters = False
        self.whole_writes = False
        self.code_case = "as_given"
        self.keeps: Callable[[str, Value, Value], Value] = lambda _name, value, _before: value
        self.opened: list[str] = []
        self.notified: list[str] = []
        self.discount_groups: dict[str, str] = {}
        self.prices: dict[str, dict[PriceKey, Price]] = {}
        self.shows_credit = "limit_and_used"
        self.used_shows_balance = True
        self.used: dict[str, str] = {}
        self.log: list[tuple[str, tuple[str, ...]]] = []
        self.time = START
        self._clock = clock or (lambda: self.time)
        self._ids_by_login: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._last_id = 0
        self._last_address_id = 0
        self._last_group = 0
        self._edits = itertools.count(1)
        self._calls: Counter[str] = Counter()
        self._failures: list[KartotekaError | None] = []
        self._lost_replies = 0
        self._lost_results: set[str] = set()
        self._refused: dict[str, Reject] = {}
        self._poison: set[str] = set()
        self._fatal: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}
        self._disliked: list[tuple[str, Value, str, str]] = []
        self.tells_one_fault = False
        self._halt: Halt | None = None

    # what a test does to it

    def register(
        self,
        values: Values,
        *,
        login: str = "",
        external_code: str = "",
        guest: bool = False,
        shops: Sequence[int] = (1,),
    ) -> str:
        """Open an account as a customer in the shop (or another program) would; return its id."""
        values = {SHOPS_FIELD: tuple(sorted(set(shops))), **values}
        return self._open(login or f"shop-{self._last_id + 1}", external_code, values, guest)

    def edit(self, panel_client_id: str, **values: Value) -> None:
        """Change fields as a user of the panel would."""
        self._change(panel_client_id, values)

    def recode(self, panel_client_id: str, external_code: str) -> None:
        """Change an external code as a user of the panel would."""
        self._change(panel_client_id, {}, external_code=external_code)

    def assign_shops(self, panel_client_id: str, *shops: int) -> None:
        """Replace an account's shops as a user of the panel would."""
        self._change(panel_client_id, {SHOPS_FIELD: tuple(sorted(set(shops)))})

    def remove(self, panel_client_id: str) -> None:
        """Take an account away altogether, its addresses with it."""
        self._ids_by_login.pop(self.accounts.pop(panel_client_id).login, None)
        self.closed.discard(panel_client_id)
        self.payment_days.pop(panel_client_id, None)
        self.hidden.pop(panel_client_id, None)
        for address_id in [key for key, (owner, _) in self.delivery.items() if owner == panel_client_id]:
            self._drop(address_id)

    def backup(self) -> backups.Backup:
        """Return what the panel holds, to be restored some day."""
        return backups.made(self, KEPT)

    def restore(self, backup: backups.Backup) -> None:
        """Put back what the panel held: numbers that it has handed out since are handed out anew."""
        backups.put_back(self, backup)

    def add_address(self, panel_client_id: str, **values: Value) -> str:
        """Add a delivery address as the customer would; return its id."""
        return self._add(panel_client_id, values)

    def edit_address(self, address_id: str, **values: Value) -> None:
        """Change a delivery address as the customer would."""
        self._edit(address_id, values)

    def remove_address(self, address_id: str) -> None:
        """Delete a delivery address as a user of the panel would, in use or not."""
        self._touch(self.delivery[address_id][0])
        self._drop(address_id)

    def make_group(self, name: str, **prices: str) -> str:
        """Make a group as a user of the panel would; return its number. Prices: ``product_7="12.30"``, in zloty."""
        number = self._make_group(name)
        for item, price in prices.items():
            kind, _, item_id = item.rpartition("_")
            self.prices[number][kind, item_id] = (money.amount(price), "PLN")
        return number

    def remove_group(self, number: str) -> None:
        """Take a group away as a user of the panel would; whoever was in it is in none."""
        for key in self._members(number):
            self._change(key, {"discount_group_id": ""})
        self._drop_group(number)

    def number_of(self, value: str) -> str:
        """Return the number by which the panel shows what is written in other words: a province, by its code."""
        return self._numbers.setdefault(value, str(len(self._numbers) + 101)) if value else ""

    def fail(self, *errors: KartotekaError | None) -> None:
        """Raise these, one from each of the next calls, before any effect; None lets that call pass."""
        self._failures.extend(errors)

    def lose_reply(self, times: int = 1) -> None:
        """Lose the replies of the next writing calls, after their effect."""
        self._lost_replies += times

    def lose_result(self, client_id: str) -> None:
        """Leave this record out of the next writing call's answer, after its effect. A new group goes by its name."""
        self._lost_results.add(client_id)

    def refuse(self, client_id: str, reject: Reject | None = None) -> None:
        """Refuse each write of this record until ``accept``. A group goes by its number, a new one by its name."""
        self._refused[client_id] = reject or Reject("refused", panel="nie")

    def refuse_value(self, name: str, value: Value, code: str, *, country: str = "") -> None:
        """Refuse each record that carries this value (of an account in this country), by name and with this code."""
        self._disliked.append((name, value, code, country))

    def fail_over(self, client_id: str, code: str = "panel_5xx") -> None:
        """Fail at every writing call that holds this record: a client, a group's number or new name, ``kind/id``."""
        self._fatal[client_id] = code

    def fail_to_show(self, name: str, code: str = "panel_5xx") -> None:
        """Fail at every reading call that asks for this: an account's id, an external code, a group's number."""
        self._unreadable[name] = code

    def recover_from(self, client_id: str) -> None:
        """Do not fail over this record any more."""
        self._fatal.pop(client_id, None)
        self._unreadable.pop(client_id, None)

    def accept_values(self) -> None:
        """Take every value again."""
        self._disliked.clear()

    def refuse_whole(self, client_id: str) -> None:
        """Refuse every writing call that holds this record, as a whole, until ``accept``. A price is ``kind/id``."""
        self._poison.add(client_id)

    def accept(self, client_id: str) -> None:
        """Take this record's writes again."""
        self._refused.pop(client_id, None)
        self._poison.discard(client_id)

    def halt(self, halt: Halt | None = None) -> None:
        """Refuse every call until ``recover``."""
        self._halt = halt or Halt("panel_key", "the panel refuses the key")

    def recover(self) -> None:
        """End ``halt``, the lies about accounts, and whatever else was still to go wrong."""
        self._halt = None
        self.unseen.clear()
        self.blind = self.ignores_filters = False
        self._failures.clear()
        self._lost_results.clear()
        self._lost_replies = 0

    # the port

    def now(self) -> datetime:
        self._begin("GET system/serverTime")
        return self._clock()

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        self._begin("GET clients/clients", panel_client_ids)
        shown = self._looked_up()
        return {key: self._showing(shown[key]) for key in panel_client_ids if key in shown}

    def closed_among(self, panel_client_ids: Sequence[str]) -> Collection[str]:
        wanted = frozenset(panel_client_ids)
        if wanted:
            self._begin("GET clients/clients", tuple(panel_client_ids))
        return wanted & self.closed

    def closed_in(self, window: Window) -> Collection[str] | None:
        self._begin("GET clients/clients")
        found = [a.panel_client_id for a in list(self.accounts.values()) if _is_found(a, window)]
        closed = self.closed.intersection(found)
        return None if len(closed) > 100 else closed

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        any_case = self.code_case == "any_case"
        wanted = {code_key(code) if any_case else code for code in external_codes if code}
        if not wanted:
            return []
        self._begin("GET clients/clients", sorted({*external_codes} - {""}))
        shown = map(self._showing, list(self._looked_up().values()))
        return [a for a in shown if (code_key(a.external_code) if any_case else a.external_code) in wanted]

    def seek(self, accounts: Sequence[KnownAccount]) -> frozenset[str]:
        if not accounts:
            return frozenset()
        self._begin("POST clients/crm/search", [account.panel_client_id for account in accounts])
        known = () if self.blind else self.accounts
        return frozenset(account.panel_client_id for account in accounts if account.panel_client_id in known)

    def changed(self, search: Search, page: int, limit: int) -> AccountPage:
        self._begin("GET clients/clients")
        if search is not None:
            self._check_filter()
        hidden = self.blind or self.unseen >= self.accounts.keys()
        found = [a for a in list(self.accounts.values()) if not hidden and _is_found(a, search)]
        if search is None and page == 0 and not found and self.accounts and not self.blind:
            raise Retry("broken_answer")
        if self.order:
            found.sort(key=self.order)
        shown = [self._showing(each) for each in found[page * limit : (page + 1) * limit]]
        if self.while_paging:
            self.while_paging(search, page)
        if isinstance(search, Window) and len(found) > limit:
            for account in shown[: self.edits_between_pages]:
                self.edit(account.panel_client_id, street=f"Nowa {next(self._edits)}")
        if page and not shown:
            return AccountPage((), 0, 0)
        return AccountPage(shown, len(found), -(-len(found) // limit))

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        def open_one(account: NewAccount) -> Outcome:
            if account.login in self._ids_by_login:
                raise Reject("login_taken", panel="3: login zajęty")
            if account.login != account.login.lower() or not account.login:
                raise Reject("bad_login", panel="2: login małymi literami")
            self._check_shops(account.values.get(SHOPS_FIELD))
            values = {name: value for name, value in account.values.items() if _opens_with(ACCOUNT_FIELDS[name], value)}
            values = {name: self.keeps(name, value, None) for name, value in values.items()}
            key = self._open(account.login, account.client_id, values, guest=False)
            self.opened.append(key)
            if notify:
                self.notified.append(key)
            return Done(key, account.login, at=self._clock())

        return self._write("POST clients/clients", accounts, open_one)

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        def change_one(update: AccountUpdate) -> Outcome:
            key = self._ids_by_login.get(update.login)
            if key is None:
                raise Reject("refused", panel="101: nie ma takiego loginu")
            values = {name: value for name, value in update.values.items() if _sent(ACCOUNT_FIELDS[name], value)}
            if SHOPS_FIELD in values:
                self._check_shops(values[SHOPS_FIELD])
            self._check_group(values.get("discount_group_id"))
            before = self.accounts[key].values
            values |= self._emptied_beside(values.keys() | {"email", "login"}, before)
            kept = {name: self.keeps(name, value, before.get(name)) for name, value in values.items()}
            self._change(key, kept, update.external_code)
            return Done(at=self._clock())

        return self._write("PUT clients/clients", updates, change_one)

    def _emptied_beside(self, named: Collection[str], before: Values) -> dict[str, Value]:
        """Return what a change that names these fields empties besides."""
        lost = (name for name, old in before.items() if name in FREE_TEXTS and name not in named and old)
        return dict.fromkeys(lost, "") if self.whole_writes else {}

    def erase(self, panel_client_id: str) -> None:
        self._begin("DELETE clients/remove", [panel_client_id])
        if panel_client_id not in self.accounts:
            raise Reject("refused", panel="nie ma takiego klienta")
        values = {n: v for n, v in self.accounts[panel_client_id].values.items() if n not in FREE_TEXTS}
        account = replace(self.accounts[panel_client_id], values=values)
        self.accounts[panel_client_id] = account
        self.closed.add(panel_client_id)
        self._maybe_lose_reply()

    def shops(self) -> Mapping[int, frozenset[str]]:
        self._begin("GET system/shopsData")
        return {shop: self.shops_require.get(shop, frozenset()) for shop in self.known_shops}

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address] | None]:
        if not panel_client_ids:
            return {}
        self._begin("GET clients/deliveryAddress", panel_client_ids)
        self._check_filter()
        found: dict[str, list[Address]] = {key: [] for key in panel_client_ids if key in self.accounts}
        for owner, address in self.delivery.values():
            if owner in found:
                found[owner].append(address)
        if self.names_all and not self.blind:
            return found
        named = {} if self.blind else {key: shown for key, shown in found.items() if shown}
        return dict.fromkeys(panel_client_ids) | named

    def add_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        def add_one(write: AddressWrite) -> Outcome:
            key = self._customer(write)
            self._check_address_shops(write)
            kept = {name: self.keeps(name, value, None) for name, value in write.values.items()}
            return Done(item_id=self._add(key, kept), at=self._clock())

        return self._write("POST clients/deliveryAddress", writes, add_one)

    def update_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        def change_one(write: AddressWrite) -> Outcome:
            address_id = self._target(write)
            self._check_address_shops(write)
            before = self.delivery[address_id][1].values
            values = {**self._emptied_beside(write.values.keys(), before), **write.values}
            self._edit(address_id, {n: self.keeps(n, value, before.get(n)) for n, value in values.items()})
            return Done(at=self._clock())

        return self._write("PUT clients/deliveryAddress", writes, change_one)

    def delete_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        def delete_one(write: AddressWrite) -> Outcome:
            address_id = self._target(write)
            if address_id in self.in_use:
                raise Reject("refused", panel="103: adres jest używany")
            self.remove_address(address_id)
            return Done(at=self._clock())

        return self._write("POST clients/deliveryAddress/delete", writes, delete_one)

    def groups(self, page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        self._begin("GET discounts/groups")
        found = [PanelGroup(number, name) for number, name in self.discount_groups.items() if self._lists(number)]
        return found[page * limit : (page + 1) * limit], -(-len(found) // limit)

    def create_group(self, name: str) -> str:
        name = TEXT.to_panel(name)
        number = self._write_group("POST discounts/groups", name, lambda: self._make_group(name))
        if name in self._lost_results:
            self._lost_results.discard(name)
            raise Retry("missing_result")
        return number

    def rename_group(self, number: str, name: str) -> None:
        name = TEXT.to_panel(name)

        def rename() -> None:
            self._check_known_group(number)
            _check_name(name)
            self.discount_groups[number] = name

        self._write_group("PUT discounts/groups", number, rename)

    def delete_group(self, number: str) -> None:
        def delete() -> None:
            self._check_known_group(number)
            if self._members(number):
                raise Reject("refused", panel="w grupie są klienci")
            self._drop_group(number)

        self._write_group("POST discounts/groups/delete", number, delete)

    def group_clients(self, number: str) -> frozenset[str]:
        self._begin("GET discounts/groups/clients", [number])
        if number not in self.discount_groups:
            raise Retry("panel_fault")
        return self._members(number)

    def set_prices(self, number: str, prices: Sequence[SentPrice]) -> Sequence[Outcome]:
        return self._write_prices("PUT discounts/groups/products", number, [each.key for each in prices], prices)

    def remove_prices(self, number: str, keys: Sequence[PriceKey]) -> Sequence[Outcome]:
        return self._write_prices("POST discounts/groups/products/delete", number, keys, None)

    def calls(self) -> Mapping[str, int]:
        return dict(self._calls)

    # the works

    def _looked_up(self) -> Mapping[str, Account]:
        """Return the accounts that a look-up goes through."""
        self._check_filter()
        if self.blind:
            return {}
        return {key: each for key, each in self.accounts.items() if key not in self.unseen}

    def _lists(self, number: str) -> bool:
        """Whether the list of groups shows this one now."""
        left = self.unlisted.get(number, 0)
        if left:
            self.unlisted[number] = left - 1
        return left == 0

    def _check_filter(self) -> None:
        if self.ignores_filters and self.accounts:
            raise Halt("panel_query", "the panel ignores the filter")

    def _begin(self, gate: str, about: Sequence[str] = ()) -> None:
        self._calls[gate] += 1
        self.log.append((gate, tuple(about)))
        if self._halt:
            raise self._halt
        if self._failures and (failure := self._failures.pop(0)):
            raise failure
        self._fail_over(about, self._unreadable if gate.startswith("GET ") else {})

    @staticmethod
    def _fail_over(names: Sequence[str], fatal: Mapping[str, str]) -> None:
        for name in names:
            if name in fatal:
                raise Retry(fatal[name])

    def _write(self, gate: str, records: Sequence[R], act: Callable[[R], Outcome]) -> Sequence[Outcome]:
        if not records:
            return []
        self._begin(gate, [record.client_id for record in records])
        if self.lacks:
            self._check_known_fields(records)
        self._fail_over([record.client_id for record in records], self._fatal)
        whole = any(record.client_id in self._poison for record in records)
        if whole and len(records) > 1:
            raise Reject(REFUSED_WHOLE, panel="422")
        outcomes = [self._write_one(record, act) for record in records]
        self._maybe_lose_reply()
        return outcomes

    def _check_known_fields(self, records: Sequence[NewAccount | AccountUpdate | AddressWrite]) -> None:
        carried = frozenset[str]().union(*map(_carried, records))
        for name in ACCOUNT_FIELDS:
            if name in self.lacks & carried:
                raise Reject(LACKS_FIELD, field=name, panel=f"unknown field {name}")

    def _maybe_lose_reply(self) -> None:
        if self._lost_replies:
            self._lost_replies -= 1
            raise Retry("connection")

    def _write_group(self, gate: str, about: str, act: Callable[[], T]) -> T:
        self._begin(gate, [about])
        self._fail_over([about], self._fatal)
        self._check_refused([about])
        answer = act()
        self._maybe_lose_reply()
        return answer

    def _write_prices(
        self, gate: str, number: str, keys: Sequence[PriceKey], prices: Sequence[SentPrice] | None
    ) -> Sequence[Outcome]:
        """Carry out all or nothing; what our own side of the panel does not let pass has an outcome of its own."""
        checked = [_checked(key, None if prices is None else prices[n]) for n, key in enumerate(keys)]
        good = [each for each in checked if not isinstance(each, Reject)]
        outcome = self._carry_out(gate, number, good) if good else Done()
        return [each if isinstance(each, Reject) else outcome for each in checked]

    def _carry_out(self, gate: str, number: str, checked: Sequence[tuple[PriceKey, Price | None]]) -> Outcome:
        names = [f"{kind}/{item_id}" for (kind, item_id), _ in checked]
        self._begin(gate, [number, *names])
        self._fail_over(names, self._fatal)
        try:
            self._check_known_group(number)
            self._check_refused([number, *names])
            self._set(number, checked)
        except Reject as reject:
            if len(checked) > 1:
                raise Reject(REFUSED_WHOLE, **reject.facts) from None
            return reject
        self._maybe_lose_reply()
        return Done()

    def _set(self, number: str, checked: Sequence[tuple[PriceKey, Price | None]]) -> None:
        if any(price and price[0] < 0 for _, price in checked):
            raise Reject("refused", panel="błędna cena")
        kept = self.prices[number]
        for key, price in checked:
            kept.pop(key, None)
            if price:
                kept[key] = price

    def _check_refused(self, names: Collection[str]) -> None:
        for name in names:
            if name in self._refused:
                raise self._refused[name]
            if name in self._poison:
                raise Reject("refused", panel="422")

    def _write_one(self, record: R, act: Callable[[R], Outcome]) -> Outcome:
        if record.client_id in self._poison:
            return Reject("refused", panel="422")
        if record.client_id in self._refused:
            return self._refused[record.client_id]
        if disliked := self._disliked_of(record):
            disliked[0].also = () if self.tells_one_fault else tuple(disliked[1:])
            return disliked[0]
        try:
            outcome = act(record)
        except Reject as reject:
            return reject
        if record.client_id in self._lost_results:
            self._lost_results.discard(record.client_id)
            return Retry("missing_result")
        return outcome

    def _disliked_of(self, record: NewAccount | AccountUpdate | AddressWrite) -> list[Reject]:
        account = next((a for a in self.accounts.values() if a.login == record.login), None)
        country = {**(account.values if account else {}), **record.values}.get("country_code") or "PL"
        return [
            Reject(code, field=name, panel=f"zła wartość {name}")
            for name, value, code, where in self._disliked
            if name in record.values and record.values[name] == value and where in ("", country)
        ]

    def _open(self, login: str, code: str, values: Values, guest: bool) -> str:
        shown = UNSET | self._shown({name: value for name, value in values.items() if not _empty(value)})
        self._last_id += 1
        key = str(self._last_id)
        stamp = self._stamp()
        dated = None if self.new_have_no_date else stamp
        self.accounts[key] = Account(
            key, login, self._kept_code(code), shown, dated, guest, stamp.astimezone(WARSAW).date()
        )
        self._ids_by_login[login] = key
        self._keep_hidden(key, values)
        return key

    def _kept_code(self, code: str) -> str:
        return code.upper() if self.code_case == "capitals" else code

    def _change(self, key: str, values: Values, external_code: str | None = None) -> None:
        account = self.accounts[key]
        self.accounts[key] = replace(
            account,
            external_code=account.external_code if external_code is None else self._kept_code(external_code),
            values={**account.values, **self._shown(values)},
            modified_at=self._stamp(),
        )
        self._keep_hidden(key, values)

    def _shown(self, values: Values) -> dict[str, Value]:
        """Return these values, but for those the panel does not show, as it shows them after they were written."""
        shown = {name: _through(SHOWN[name], value) for name, value in values.items() if name not in HIDDEN}
        for name in IN_OTHER_WORDS & shown.keys():
            shown[name] = self.number_of(str(shown[name]))
        return shown

    def _keep_hidden(self, key: str, values: Values) -> None:
        active = FLAG.to_panel(values.get("active", key not in self.closed))
        (self.closed.discard if active else self.closed.add)(key)
        for name in HIDDEN & values.keys() - {"active"}:
            if _empty(values[name]):
                continue
            if name == "payment_days":
                self.payment_days[key] = str(DAYS.to_panel(values[name]))
            else:
                self.hidden.setdefault(key, {})[name] = _through(ACCOUNT_FIELDS[name], values[name])

    def _showing(self, account: Account) -> Account:
        """Return an account as the panel shows it: what it does not know not at all, trade credit by the switches."""
        untold = CREDIT_SHOWN[self.shows_credit] | self.lacks
        values = {name: value for name, value in account.values.items() if name not in untold}
        if "balance" in values and not self.used_shows_balance:
            values["balance"] = self.used.get(account.panel_client_id, "0.00")
        return replace(account, values=values)

    def _make_group(self, name: str) -> str:
        _check_name(name)
        self._last_group += 1
        number = str(self._last_group)
        self.discount_groups[number] = name
        self.prices[number] = {}
        return number

    def _drop_group(self, number: str) -> None:
        del self.discount_groups[number]
        del self.prices[number]

    def _members(self, number: str) -> frozenset[str]:
        return frozenset(key for key, each in self.accounts.items() if each.values["discount_group_id"] == number)

    def _check_group(self, number: Value) -> None:
        """Refuse a customer's group that is not there; none at all is no such group."""
        if number:
            self._check_known_group(str(number))

    def _check_known_group(self, number: str) -> None:
        if number not in self.discount_groups:
            raise Reject("refused", panel="102: nie ma takiej grupy")

    def _check_shops(self, shops: Value) -> None:
        if not shops:
            raise Reject("no_shop.by_panel", field=SHOPS_FIELD, panel="13: nie podano sklepu")
        if not self.known_shops.issuperset(ids_of(shops)):
            raise Reject("bad_shop", field=SHOPS_FIELD, panel="14: nie ma takiego sklepu")

    def _check_address_shops(self, write: AddressWrite) -> None:
        if not write.shops or not self.known_shops.issuperset(write.shops):
            raise Reject("refused", panel="14: nie ma takiego sklepu")

    def _customer(self, write: AddressWrite) -> str:
        key = self._ids_by_login.get(write.login)
        if key is None:
            raise Reject("refused", panel="101: nie ma takiego loginu")
        return key

    def _target(self, write: AddressWrite) -> str:
        owner, _ = self.delivery.get(write.panel_address_id, ("", None))
        if owner != self._customer(write):
            raise Reject("refused", panel="101: nie ma takiego adresu")
        return write.panel_address_id

    def _add(self, owner: str, values: Values) -> str:
        lines = UNSET_LINES | _lines({name: value for name, value in values.items() if not _empty(value)})
        self._last_address_id += 1
        address_id = str(self._last_address_id)
        self.delivery[address_id] = (owner, Address(address_id, lines))
        self._touch(owner)
        return address_id

    def _edit(self, address_id: str, values: Values) -> None:
        owner, address = self.delivery[address_id]
        self.delivery[address_id] = (owner, Address(address_id, {**address.values, **_lines(values)}))
        self._touch(owner)

    def _drop(self, address_id: str) -> None:
        del self.delivery[address_id]
        self.in_use.discard(address_id)

    def _touch(self, owner: str) -> None:
        if self.edit_moves_date:
            self._change(owner, {})

    def _stamp(self) -> datetime:
        return self._clock().replace(microsecond=0)


def _lines(values: Values) -> dict[str, Value]:
    return {name: _through(DELIVERY_ADDRESSES[name], value) for name, value in values.items()}


def _through(field: Field, value: Value) -> Value:
    if isinstance(value, str) and hidden(value):  # pasted into the panel: our own check lets none of it pass
        return value
    return field.codec.from_panel(_form(field, value))


def _form(field: Field, value: Value) -> Any:
    try:
        return field.codec.to_panel(value)
    except Reject as reject:
        raise Reject(reject.code, field=field.name, value=as_text(value) or "") from None


def _empty(value: Value) -> bool:
    return not as_text(value)


def _opens_with(field: Field, value: Value) -> bool:
    """Whether a value goes into the call that opens an account."""
    return bool(field.create) and not _empty(value)


def _sent(field: Field, value: Value) -> bool:
    """Whether a changed value goes into the call: text and group can be emptied, the rest cannot."""
    form = _form(field, value)
    return form not in (None, []) and not (_empty(value) and isinstance(form, bool))


def _carried(record: NewAccount | AccountUpdate | AddressWrite) -> frozenset[str]:
    """Return the account's fields that a call carries with this record: none where our own check keeps it back."""
    if isinstance(record, AddressWrite):
        return frozenset()
    goes = _opens_with if isinstance(record, NewAccount) else _sent
    try:
        return frozenset(name for name, value in record.values.items() if goes(ACCOUNT_FIELDS[name], value))
    except Reject:
        return frozenset()


def _check_name(name: str) -> None:
    if not name.strip():
        raise Reject("refused", panel="brak nazwy")


def _checked(key: PriceKey, price: SentPrice | None) -> tuple[PriceKey, Price | None] | Reject:
    """Return kind, id and price as the panel keeps them, or what our own check has against them."""
    kind, item_id = key
    if kind not in KINDS:
        return Reject("bad_item_type", field="item_type", value=kind)
    if not (item_id.isascii() and item_id.isdecimal()):
        return Reject("bad_item", field="item_id", value=item_id)
    if price is None:
        return key, None
    try:
        currency = CURRENCY.to_panel(price.currency)
    except Reject:
        currency = ""
    if not currency:
        return Reject("bad_code", field="currency", value=price.currency)
    try:
        return key, (money.amount(price.price), currency)
    except Reject as reject:
        return Reject(reject.code, field="price", value=str(price.price))


def _is_found(account: Account, search: Search) -> bool:
    if search is None:
        return True
    if isinstance(search, Days):
        return account.registered is not None and search.first <= account.registered <= search.last
    modified = account.modified_at
    return modified is not None and search.begin.replace(microsecond=0) <= modified <= search.end
