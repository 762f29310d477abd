"""The shop panel over its Admin API v8: the port :class:`~kartoteka.ports.panel.Panel`.

Promise: one record's trouble is that record's outcome; what is not known to have been done is Retry, never success; a
client is not notified unless the caller says so; an answer that contradicts itself, or shows what was not asked for, is
not believed. Gates: clients/clients (GET, POST, PUT), clients/deliveryAddress (GET,
POST, PUT, and POST .../delete), discounts/groups (the same, and .../clients and .../products), clients/crm/search,
system/serverTime, system/shopsData.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from kartoteka.adapters.idosell import accounts as client_gates
from kartoteka.adapters.idosell import addresses as address_gates
from kartoteka.adapters.idosell import answers, faults, system
from kartoteka.adapters.idosell import groups as group_gates
from kartoteka.adapters.idosell.accounts import CRM_CODES, CRM_LOGIN, CrmFilter, Filter
from kartoteka.adapters.idosell.answers import Json, Page
from kartoteka.adapters.idosell.dialect import ASSUMED, Dialect
from kartoteka.adapters.idosell.elements import WHOLE, Elements
from kartoteka.adapters.idosell.http import PanelHttp, sent_names
from kartoteka.adapters.idosell.records import update_body
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.normal import code_key
from kartoteka.model import Done, Outcome
from kartoteka.pieces import fitting
from kartoteka.ports.exchange import PriceKey, SentPrice
from kartoteka.ports.panel import (
    BROKEN_ANSWER,
    LACKS_FIELD,
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
from kartoteka.ports.state import SyncState

EVER = Days(date(1990, 1, 1), date(2999, 12, 31))
"""All accounts, asked for in other words."""

CLIENTS = "clients/clients"
ADDRESSES = "clients/deliveryAddress"
DELETE_ADDRESSES = "clients/deliveryAddress/delete"
GROUPS = "discounts/groups"
DELETE_GROUPS = "discounts/groups/delete"
GROUP_CLIENTS = "discounts/groups/clients"
PRICES = "discounts/groups/products"
DELETE_PRICES = "discounts/groups/products/delete"
CRM_SEARCH = "clients/crm/search"
SERVER_TIME = "system/serverTime"
REMOVE = "clients/remove"
SHOPS_DATA = "system/shopsData"

PAGE = 100
"""Records of one page at most (Admin API v8, paging)."""
LONGEST_FILTER = 5_000
"""Bytes of an encoded list in an address; servers commonly take addresses of 8 KB."""
MOST_PAGES = 50
"""Pages of accounts with given codes or ids that are read at most."""

Write = TypeVar("Write")
Send = Callable[[Sequence[Any]], Json]


class HttpPanel:
    """A panel behind a :class:`PanelHttp`. Safe for several threads.

    ``state`` is where it is remembered what the panel makes of ``returnElements``; None: while the process lives.
    ``dialect`` is what this panel does otherwise than others.
    """

    def __init__(self, http: PanelHttp, state: SyncState | None = None, dialect: Dialect = ASSUMED) -> None:
        self._http = http
        self._dialect = dialect
        self._elements = Elements(state)

    def calls(self) -> Mapping[str, int]:
        """Return how many calls this object has made, by gate, failed ones included."""
        return self._http.calls()

    def now(self) -> datetime:
        """Return the panel's own clock, UTC."""
        body = self._http.get(SERVER_TIME)
        _judge_search(body, f"GET {SERVER_TIME}")
        return system.server_time(body)

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        """Return the accounts with these ids that exist, by id."""
        found = self._all_with(client_gates.by_ids, sorted(frozenset(panel_client_ids)))
        return {account.panel_client_id: account for account in found}

    def closed_among(self, panel_client_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these accounts that are closed; a panel that ignores the filter shows them as open too."""
        wanted = frozenset(panel_client_ids)
        closed = self._with_activity(wanted, "no")
        return closed - self._with_activity(closed, "yes") if closed == wanted else closed

    def closed_in(self, window: Window) -> frozenset[str] | None:
        """Return the accounts modified in a window that the panel calls closed; None where it does not tell in one."""
        wanted = client_gates.and_activity("no", client_gates.by_dates(window, self._dialect))
        try:
            found = self._page(0, PAGE, wanted)
        except Reject:
            return None
        except Halt as halt:
            if halt.code != "panel_query":
                raise
            return None
        return None if found.pages > 1 else frozenset(account.panel_client_id for account in found.found)

    def _with_activity(self, panel_client_ids: Collection[str], is_open: str) -> frozenset[str]:
        found = self._all_with(partial(client_gates.by_activity, is_open), sorted(panel_client_ids))
        return frozenset(account.panel_client_id for account in found)

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        """Return the accounts that the panel finds by these codes, without those that carry others (``same_code``)."""
        wanted = frozenset(external_codes) - {""}
        plain = sorted(code for code in wanted if "," not in code)
        found = {account.panel_client_id: account for account in self._all_with(client_gates.by_codes, plain)}
        for code in sorted(wanted.difference(plain)):
            found |= self._find_with_comma(code)
        keys = {code_key(code) for code in wanted}
        return [account for account in found.values() if code_key(account.external_code) in keys]

    def seek(self, accounts: Sequence[KnownAccount]) -> frozenset[str]:
        """Return the ids of those of these accounts that are there, asked in other ways than by id."""
        wanted = frozenset(account.panel_client_id for account in accounts)
        codes = sorted({account.external_code for account in accounts} - {""})
        shown = {account.panel_client_id for account in self.find(codes)}
        rest = [account for account in accounts if account.panel_client_id not in shown]
        for some in _lists(sorted({account.external_code for account in rest} - {""})):
            shown.update(self._crm_ids(CRM_CODES, some))
        for login in sorted({account.login for account in rest if not account.external_code} - {""}):
            shown.update(self._crm_ids(CRM_LOGIN, [login]))
        return wanted & shown

    def changed(self, search: Search, page: int, limit: int) -> AccountPage:
        """Return one page (from 0) of the accounts modified in a window, or registered in some days; None: of all."""
        try:
            found = self._page(page, limit, client_gates.searched(search, self._dialect))
            if search is None and page == 0 and not found.found:
                self._check_empty()
        except Reject:
            halt = Halt("panel_query", "the panel refuses the search by date: does it speak Admin API v8?")
        else:
            return found
        raise halt

    def _check_empty(self) -> None:
        """Ask a panel that shows no account at all two other questions; raise Retry where an answer differs."""
        others = self._crm_search(client_gates.crm_params()).total
        if others or self._page(0, 1, client_gates.by_registration(EVER)).total:
            raise Retry(BROKEN_ANSWER)

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        """Open these accounts; one outcome for each, in the order given. Never repeated here."""
        body = partial(client_gates.create_body, notify=notify)
        send = partial(self._send_records, "POST", CLIENTS, body)
        form = partial(client_gates.create_record, dialect=self._dialect)
        return self._dated(_write(accounts, form, send, client_gates.outcomes))

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        """Write changed fields of these accounts; one outcome for each, in the order given."""
        send = partial(self._send_records, "PUT", CLIENTS, update_body)
        form = partial(client_gates.update_record, dialect=self._dialect)
        return self._dated(_write(updates, form, send, client_gates.outcomes))

    def erase(self, panel_client_id: str) -> None:
        """Have the panel erase the personal data of an account and block it. Raises Reject."""
        body = self._http.delete(REMOVE, {"clientId": panel_client_id})
        if fault := answers.fault(body):
            raise faults.for_write_fault(*fault, gate=f"DELETE {REMOVE}", sent=frozenset())

    def shops(self) -> Mapping[int, frozenset[str]]:
        """Return the panel's shops: id -> the fields that it requires. Raises Halt where the key may not ask."""
        body = self._http.get(SHOPS_DATA)
        _judge_search(body, f"GET {SHOPS_DATA}")
        return system.shops(body)

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address] | None]:
        """Return the delivery addresses of these accounts; None of those that the answer does not name."""
        found: dict[str, Sequence[Address] | None] = {}
        for chunk in _lists(sorted(frozenset(panel_client_ids) - {""})):
            body = self._http.get(ADDRESSES, address_gates.query(chunk))
            partly = bool(answers.listed(body, "results")) and answers.fault(body) is not None
            nothing = not partly and not _judge_search(body, f"GET {ADDRESSES}")
            shown = answers.page_of(body, "results", 0, len(chunk), nothing=nothing).records
            found |= address_gates.addresses(shown, frozenset(chunk), whole=not partly)
        return found

    def add_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Add these addresses; one outcome for each, in the order given. Never repeated here."""
        send = partial(self._send_records, "POST", ADDRESSES, update_body)
        return self._dated(_write(writes, address_gates.add_record, send, address_gates.added))

    def update_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Write changed fields of these addresses; one outcome for each, in the order given."""
        send = partial(self._send_records, "PUT", ADDRESSES, update_body)
        return self._dated(_write(writes, address_gates.update_record, send, address_gates.changed))

    def delete_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Delete these addresses; one outcome for each, in the order given. Never repeated here."""
        send = partial(self._send_records, "POST", DELETE_ADDRESSES, address_gates.delete_body)
        return _write(writes, address_gates.delete_record, send, address_gates.changed)

    def groups(self, page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        """Return one page (from 0) of the discount groups, and how many pages there are."""
        body, nothing = self._ask_groups(GROUPS, group_gates.search_query(page, limit))
        shown = answers.page_of(body, "groups", page, limit, nothing=nothing)
        return group_gates.groups(shown.records), shown.pages

    def create_group(self, name: str) -> str:
        """Make a discount group and return its number. Never repeated here."""
        return group_gates.made(self._write_group("POST", GROUPS, group_gates.create_params(name)))

    def rename_group(self, number: str, name: str) -> None:
        """Rename a discount group."""
        self._write_group("PUT", GROUPS, group_gates.rename_params(number, name))

    def delete_group(self, number: str) -> None:
        """Delete a discount group. Never repeated here."""
        self._write_group("POST", DELETE_GROUPS, group_gates.delete_params(number))

    def group_clients(self, number: str) -> frozenset[str]:
        """Return the panel client ids of those who are in a discount group."""
        body, nothing = self._ask_groups(GROUP_CLIENTS, group_gates.members_query(number))
        return frozenset() if nothing else group_gates.members(body)

    def set_prices(self, number: str, prices: Sequence[SentPrice]) -> Sequence[Outcome]:
        """Set prices of a discount group; one outcome for each, in the order given."""
        send = partial(self._send_prices, "PUT", PRICES, number)
        entry = partial(group_gates.price_entry, number)
        return _write(prices, entry, send, group_gates.carried_out)

    def remove_prices(self, number: str, keys: Sequence[PriceKey]) -> Sequence[Outcome]:
        """Remove prices of a discount group; one outcome for each, in the order given. Never repeated here."""
        send = partial(self._send_prices, "POST", DELETE_PRICES, number)
        entry = partial(group_gates.key_entry, number)
        return _write(keys, entry, send, group_gates.carried_out)

    def _ask_groups(self, path: str, query: Mapping[str, str]) -> tuple[Json, bool]:
        """Return the answer of a search about groups, and whether it says that nothing was found."""
        gate = f"GET {path}"
        try:
            body = self._http.get(path, query)
        except Reject:
            halt = faults.for_refused_search(gate=gate)
        else:
            return body, not _judge_search(body, gate)
        raise halt

    def _write_group(self, method: str, path: str, params: Json) -> Json:
        """Make a call about one group alone: what refuses the call refuses the group."""
        try:
            return self._send_group(method, path, params)
        except Reject as reject:
            refused = Reject(faults.REFUSED, **reject.facts)
        raise refused

    def _send_group(self, method: str, path: str, params: Json) -> Json:
        call = self._http.put if method == "PUT" else self._http.post
        return group_gates.judged(call(path, {"params": params}, bare=True))

    def _send_prices(self, method: str, path: str, number: str, entries: Sequence[group_gates.Entry]) -> Json:
        return self._send_group(method, path, group_gates.items_params(number, entries))

    def _dated(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the outcomes with the moment of the answer, by the panel's clock."""
        at = self._http.clock()
        return [replace(outcome, at=at) if isinstance(outcome, Done) else outcome for outcome in outcomes]

    def _send_records(
        self, method: str, path: str, form: Callable[[Sequence[Json]], Json], records: Sequence[Json]
    ) -> Json:
        """Make a bulk call. Where its answer judges single records those judgements count, else the one of the call."""
        call = self._http.put if method == "PUT" else self._http.post
        body = form(records)
        answer = call(path, body)
        fault = answers.fault(answer)
        if fault and not answers.results(answer):
            raise faults.for_write_fault(*fault, gate=f"{method} {path}", sent=sent_names(body))
        return answer

    def _all_with(self, filtered: Callable[[Sequence[str]], Filter], values: Sequence[str]) -> Iterator[Account]:
        """Yield what the panel finds by a list of values, which it takes joined by commas; all pages of it.

        Raises Retry where that is less than the panel has counted: it may have moved while it was read.
        """
        for chunk in _lists(values):
            wanted, ids, total = filtered(chunk), set[str](), 0
            for page in range(MOST_PAGES):
                answer = self._page(page, PAGE, wanted)
                yield from answer.found
                ids.update(account.panel_client_id for account in answer.found)
                total = max(total, answer.total)
                if page + 1 >= answer.pages:
                    break
            if len(ids) < total:
                raise Retry(BROKEN_ANSWER)

    def _page(self, page: int, limit: int, wanted: Filter) -> AccountPage:
        """Return one page of a search for accounts. Raises Halt where it shows what was not asked for.

        What was edited while the page was made does not fit into it any more: it is asked for once more before.
        """
        for _ in range(2):
            shown = self._shown(page, limit, wanted)
            accounts = client_gates.accounts(shown.records, self._dialect)
            if all(map(wanted.holds, shown.records)):
                return AccountPage(accounts, shown.total, shown.pages)
        raise faults.for_ignored_filter(wanted.name)

    def _shown(self, page: int, limit: int, wanted: Filter) -> Page:
        """Return one page of records with everything in them that the panel shows of what was asked for."""
        shown = self._ask_page(page, limit, wanted, self._elements.asked())
        lacking = self._elements.lacking(shown.records)
        if not lacking:
            return shown
        whole = self._ask_page(page, limit, wanted, WHOLE)
        self._elements.learn(lacking, whole.records)
        return whole

    def _ask_page(self, page: int, limit: int, wanted: Filter, elements: str) -> Page:
        body = self._http.get(CLIENTS, client_gates.search_query(page, limit, wanted, elements))
        nothing = not _judge_search(body, f"GET {CLIENTS}")
        return answers.page_of(body, "results", page, limit, nothing=nothing)

    def _find_with_comma(self, code: str) -> dict[str, Account]:
        """Find one code that a comma-joined list would tear apart: alone, then by the CRM search's JSON list."""
        alone = self._page(0, PAGE, client_gates.by_torn_code(code))
        exact = {account.panel_client_id: account for account in alone.found if account.external_code == code}
        return exact or dict(self.read(self._crm_ids(CRM_CODES, [code])))

    def _crm_ids(self, by: CrmFilter, values: Sequence[str]) -> list[str]:
        """Return the ids of the accounts that the CRM search shows with one of these values."""
        shown = self._crm_search(client_gates.crm_params(by, values)).records
        if not all(client_gates.was_asked_for(each, by, values) for each in shown):
            raise faults.for_ignored_filter(by.name)
        return [answers.text(each.get("clientId")) for each in shown]

    def _crm_search(self, params: Json) -> Page:
        """Return the first page of a CRM search; nothing where the panel has no such gate."""
        try:
            body = self._http.post(CRM_SEARCH, {"params": params})
        except Halt as halt:
            if halt.code != "panel_gate":
                raise
            return Page([], 0, 0)
        nothing = not _judge_search(body, f"POST {CRM_SEARCH}")
        return answers.page_of(body, "clientsResults", 0, client_gates.CRM_PAGE, nothing=nothing)


def _judge_search(body: Json, gate: str) -> bool:
    """Whether a search found anything. Raises where its answer is a failure of the whole call."""
    fault = answers.fault(body)
    if fault is None:
        return True
    error = faults.for_search_fault(fault[0], gate=gate)
    if error:
        raise error
    return False


def _write(
    records: Sequence[Write],
    form: Callable[[Write], Any],
    send: Send,
    judge: Callable[[Json, Sequence[Write]], Sequence[Outcome]],
) -> Sequence[Outcome]:
    """Send those records that our own check passes, and put the outcomes into the order of the request.

    Where the panel refuses a call of one record as a whole, that is the record's refusal.
    """
    formed = [_formed(record, form) for record in records]
    good = [n for n, shape in enumerate(formed) if not isinstance(shape, Reject)]
    outcomes: Sequence[Outcome] = ()
    try:
        if good:
            outcomes = judge(send([formed[n] for n in good]), [records[n] for n in good])
    except Reject as reject:
        if len(good) > 1 or reject.code == LACKS_FIELD:
            raise
        outcomes = [Reject(faults.REFUSED, **reject.facts)]
    answered = dict(zip(good, outcomes, strict=True))
    return [shape if isinstance(shape, Reject) else answered[n] for n, shape in enumerate(formed)]


def _formed(record: Write, form: Callable[[Write], Any]) -> Any | Reject:
    try:
        return form(record)
    except Reject as reject:
        return reject


def _lists(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most a page that fit into an address."""
    return fitting(values, PAGE, LONGEST_FILTER, lambda value: len(quote(value, safe="")) + 1)
