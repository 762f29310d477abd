"""The shop panel over its Admin API v8: the port :class:`~kartoteka.ports.panel.Panel`.

Promise: one record's trouble is that record's outcome; what is not known to have been done is Retry, never success; a
client is not notified unless the caller says so. Gates: clients/clients (GET, POST, PUT), clients/deliveryAddress (GET,
POST, PUT, and POST .../delete), discounts/groups (the same, and .../clients and .../products), clients/crm/search,
system/serverTime, system/shopsData.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from kartoteka.adapters.idosell import accounts as client_gates
from kartoteka.adapters.idosell import addresses as address_gates
from kartoteka.adapters.idosell import answers, faults, system
from kartoteka.adapters.idosell import groups as group_gates
from kartoteka.adapters.idosell.answers import Json
from kartoteka.adapters.idosell.http import PanelHttp, sent_names
from kartoteka.adapters.idosell.records import update_body
from kartoteka.errors import Halt, Reject
from kartoteka.model import Outcome
from kartoteka.pieces import fitting
from kartoteka.ports.exchange import PriceKey, SentPrice
from kartoteka.ports.panel import (
    LACKS_FIELD,
    Account,
    AccountPage,
    AccountUpdate,
    Address,
    AddressWrite,
    NewAccount,
    PanelGroup,
    Window,
)

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
SHOPS_DATA = "system/shopsData"

PAGE = 100
"""Records of one page at most (Admin API v8, paging)."""
LONGEST_FILTER = 5_000
"""Bytes of an encoded list in an address; servers commonly take addresses of 8 KB."""
MOST_PAGES = 50
"""Pages of accounts with given codes or ids, beyond which the panel has plainly ignored the filter."""

Write = TypeVar("Write")
Send = Callable[[Sequence[Any]], Json]


class HttpPanel:
    """A panel behind a :class:`PanelHttp`. Safe for several threads."""

    def __init__(self, http: PanelHttp) -> None:
        self._http = http

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
        wanted = frozenset(panel_client_ids)
        found = self._all_with("clientsIds", sorted(wanted))
        return {account.panel_client_id: account for account in found if account.panel_client_id in wanted}

    def closed_among(self, panel_client_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these accounts that are closed; a panel that ignores the filter shows them as open too."""
        wanted = frozenset(panel_client_ids)
        closed = self._with_activity(wanted, "no")
        return closed - self._with_activity(closed, "yes") if closed == wanted else closed

    def _with_activity(self, panel_client_ids: Collection[str], is_open: str) -> frozenset[str]:
        found = self._all_with("clientsIds", sorted(panel_client_ids), clientIsActive=is_open)
        return frozenset(panel_client_ids) & {account.panel_client_id for account in found}

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        """Return every account that carries one of these codes, letter by letter, and nothing else the panel finds."""
        wanted = frozenset(external_codes) - {""}
        plain = sorted(code for code in wanted if "," not in code)
        found = {account.panel_client_id: account for account in self._all_with("clientCodesExternal", plain)}
        for code in sorted(wanted.difference(plain)):
            found |= self._find_with_comma(code)
        return [account for account in found.values() if account.external_code in wanted]

    def changed(self, window: Window | None, page: int, limit: int) -> AccountPage:
        """Return one page (from 0) of the accounts modified in ``window``; None: of all accounts."""
        try:
            return self._page(page, limit, client_gates.window_filter(window) if window else {})
        except Reject:
            halt = Halt("panel_query", "the panel refuses the search by modification date: does it speak Admin API v8?")
        raise halt

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        """Open these accounts; one outcome for each, in the order given. Never repeated here."""
        body = partial(client_gates.create_body, notify=notify)
        send = partial(self._send_records, "POST", CLIENTS, body)
        return _write(accounts, client_gates.create_record, send, client_gates.outcomes)

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        """Write changed fields of these accounts; one outcome for each, in the order given."""
        send = partial(self._send_records, "PUT", CLIENTS, update_body)
        return _write(updates, client_gates.update_record, send, client_gates.outcomes)

    def shops(self) -> frozenset[int]:
        """Return the ids of the panel's shops. Raises Halt where the key may not ask."""
        body = self._http.get(SHOPS_DATA)
        _judge_search(body, f"GET {SHOPS_DATA}")
        return system.shop_ids(body)

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address]]:
        """Return the delivery addresses of those of these accounts that exist, by account."""
        found: dict[str, list[Address]] = {}
        for chunk in _lists(sorted(frozenset(panel_client_ids) - {""})):
            body = self._http.get(ADDRESSES, address_gates.query(chunk))
            if answers.results(body) or _judge_search(body, f"GET {ADDRESSES}"):
                found |= address_gates.addresses(body, frozenset(chunk))
        return found

    def add_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Add these addresses; one outcome for each, in the order given. Never repeated here."""
        send = partial(self._send_records, "POST", ADDRESSES, update_body)
        return _write(writes, address_gates.add_record, send, address_gates.added)

    def update_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Write changed fields of these addresses; one outcome for each, in the order given."""
        send = partial(self._send_records, "PUT", ADDRESSES, update_body)
        return _write(writes, address_gates.update_record, send, address_gates.changed)

    def delete_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Delete these addresses; one outcome for each, in the order given. Never repeated here."""
        send = partial(self._send_records, "POST", DELETE_ADDRESSES, address_gates.delete_body)
        return _write(writes, address_gates.delete_record, send, address_gates.changed)

    def groups(self, page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        """Return one page (from 0) of the discount groups, and how many pages there are."""
        body = self._ask_groups(GROUPS, group_gates.search_query(page, limit))
        if body is None:
            return (), 0
        return group_gates.groups(body), answers.counts(body, page, limit, "groups")[1]

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
        body = self._ask_groups(GROUP_CLIENTS, group_gates.members_query(number))
        return frozenset() if body is None else group_gates.members(body)

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

    def _ask_groups(self, path: str, query: Mapping[str, str]) -> Json | None:
        """Return the answer of a search about groups, None for one that found nothing."""
        gate = f"GET {path}"
        try:
            body = self._http.get(path, query)
        except Reject:
            halt = faults.for_refused_search(gate=gate)
        else:
            return body if _judge_search(body, gate) else None
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

    def _all_with(self, name: str, values: Sequence[str], **filters: str) -> Iterator[Account]:
        """Yield what the panel finds by a list of values, which it takes joined by commas; all pages of it."""
        for chunk in _lists(values):
            for page in range(MOST_PAGES):
                answer = self._page(page, PAGE, {name: ",".join(chunk), **filters})
                yield from answer.found
                if page + 1 >= answer.pages or not answer.found:
                    break
            else:
                raise Halt("panel_query", f"the panel seems to ignore {name}: does it speak Admin API v8?")

    def _page(self, page: int, limit: int, filters: Mapping[str, str]) -> AccountPage:
        body = self._http.get(CLIENTS, client_gates.search_query(page, limit, **filters))
        if not _judge_search(body, f"GET {CLIENTS}"):
            return AccountPage((), 0, 0)
        total, pages = answers.counts(body, page, limit)
        return AccountPage(client_gates.accounts(body), total, pages)

    def _find_with_comma(self, code: str) -> dict[str, Account]:
        """Find one code that a comma-joined list would tear apart: alone, then by the CRM search's JSON list."""
        alone = self._page(0, PAGE, {"clientCodesExternal": code})
        exact = {account.panel_client_id: account for account in alone.found if account.external_code == code}
        return exact or dict(self.read(self._crm_ids(code)))

    def _crm_ids(self, code: str) -> list[str]:
        params = {"clientCodesExternal": [code], "settingsExactSearch": True, "resultsPage": 0, "resultsLimit": PAGE}
        try:
            body = self._http.post(CRM_SEARCH, {"params": params})
        except Halt as halt:
            if halt.code != "panel_gate":
                raise
            return []
        return client_gates.ids_with_code(body, code) if _judge_search(body, f"POST {CRM_SEARCH}") else []


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
