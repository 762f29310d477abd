"""The shop panel over its Admin API v8: the port :class:`~kartoteka.ports.Panel`.

Promise: one record's trouble is that record's outcome; what is not known to have been done is Retry, never success; a
customer hears of nothing unless the caller says so. Gates: clients/clients (GET, POST, PUT), clients/deliveryAddress
(GET, POST, PUT, and POST .../delete), discounts/groups (the same, and .../clients and .../products), system/serverTime,
system/shopsData.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from kartoteka.adapters import panel_addresses, panel_faults, panel_groups
from kartoteka.adapters import panel_dialect as dialect
from kartoteka.adapters.panel_http import PanelHttp
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import (
    Account,
    AccountUpdate,
    Address,
    AddressWrite,
    ItemKey,
    NewAccount,
    PanelGroup,
    SentPrice,
    Window,
)
from kartoteka.ports import AccountPage, Outcome

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
Send = Callable[[Sequence[Any]], dialect.Json]


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
        seconds = dialect.server_time(body)
        if seconds is None:
            raise Retry("broken_answer")
        return datetime.fromtimestamp(seconds, UTC)

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        """Return the accounts with these ids that exist, by id."""
        wanted = frozenset(panel_client_ids)
        found = self._all_with("clientsIds", sorted(wanted))
        return {account.panel_client_id: account for account in found if account.panel_client_id in wanted}

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        """Return every account that carries one of these codes, letter by letter, whatever else the panel finds."""
        wanted = frozenset(external_codes) - {""}
        plain = sorted(code for code in wanted if "," not in code)
        found = {account.panel_client_id: account for account in self._all_with("clientCodesExternal", plain)}
        for code in sorted(wanted.difference(plain)):
            found |= self._find_with_comma(code)
        return [account for account in found.values() if account.external_code in wanted]

    def changed(self, window: Window | None, page: int, limit: int) -> AccountPage:
        """Return one page (from 0) of the accounts modified in ``window``; None: of all accounts."""
        try:
            return self._page(page, limit, dialect.window_filter(window) if window else {})
        except Reject as reject:
            message = "the panel refuses the search by modification date: does it speak Admin API v8?"
            halt = Halt("panel_query", message) if reject.code == panel_faults.WHOLE else reject
        raise halt

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        """Open these accounts; one outcome for each, in the order given. Never repeated here."""

        def send(records: Sequence[dialect.Json]) -> dialect.Json:
            return self._http.post(CLIENTS, dialect.create_body(records, notify=notify))

        return _write(f"POST {CLIENTS}", accounts, dialect.create_record, send, dialect.outcomes)

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        """Write changed fields of these accounts; one outcome for each, in the order given."""

        def send(records: Sequence[dialect.Json]) -> dialect.Json:
            return self._http.put(CLIENTS, dialect.update_body(records))

        return _write(f"PUT {CLIENTS}", updates, dialect.update_record, send, dialect.outcomes)

    def shops(self) -> frozenset[int]:
        """Return the ids of the panel's shops. Raises Halt where the key may not ask."""
        body = self._http.get(SHOPS_DATA)
        _judge_search(body, f"GET {SHOPS_DATA}")
        shops = dialect.shop_ids(body)
        if not shops:  # a panel has one at least, and of none at all every customer's would be unknown
            raise Retry("broken_answer")
        return shops

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address]]:
        """Return the delivery addresses of those of these accounts that exist, by account."""
        found: dict[str, list[Address]] = {}
        for chunk in _fitting(sorted(frozenset(panel_client_ids) - {""})):
            body = self._http.get(ADDRESSES, panel_addresses.query(chunk))
            if dialect.has_results(body) or _judge_search(body, f"GET {ADDRESSES}"):
                found |= panel_addresses.addresses(body, frozenset(chunk))
        return found

    def add_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Add these addresses; one outcome for each, in the order given. Never repeated here."""

        def send(records: Sequence[dialect.Json]) -> dialect.Json:
            return self._http.post(ADDRESSES, dialect.update_body(records))

        return _write(f"POST {ADDRESSES}", writes, panel_addresses.add_record, send, panel_addresses.added)

    def update_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Write changed fields of these addresses; one outcome for each, in the order given."""

        def send(records: Sequence[dialect.Json]) -> dialect.Json:
            return self._http.put(ADDRESSES, dialect.update_body(records))

        return _write(f"PUT {ADDRESSES}", writes, panel_addresses.update_record, send, panel_addresses.changed)

    def delete_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Delete these addresses; one outcome for each, in the order given."""

        def send(records: Sequence[dialect.Json]) -> dialect.Json:
            return self._http.post(DELETE_ADDRESSES, panel_addresses.delete_body(records))

        gate = f"POST {DELETE_ADDRESSES}"
        return _write(gate, writes, panel_addresses.delete_record, send, panel_addresses.changed)

    def groups(self, page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        """Return one page (from 0) of the discount groups, and how many pages there are."""
        body = self._ask_groups(GROUPS, panel_groups.search_query(page, limit))
        if body is None:
            return (), 0
        return panel_groups.groups(body), dialect.counts(body, page, limit, "groups")[1]

    def create_group(self, name: str) -> str:
        """Make a discount group and return its number. Never repeated here."""
        return panel_groups.made(self._write_group("POST", GROUPS, panel_groups.create_params(name)))

    def rename_group(self, number: str, name: str) -> None:
        """Rename a discount group."""
        self._write_group("PUT", GROUPS, panel_groups.rename_params(number, name))

    def delete_group(self, number: str) -> None:
        """Delete a discount group. Never repeated here."""
        self._write_group("POST", DELETE_GROUPS, panel_groups.delete_params(number))

    def group_clients(self, number: str) -> frozenset[str]:
        """Return the panel client ids of those who are in a discount group."""
        body = self._ask_groups(GROUP_CLIENTS, panel_groups.members_query(number))
        return frozenset() if body is None else panel_groups.members(body)

    def set_prices(self, number: str, prices: Sequence[SentPrice]) -> Sequence[Outcome]:
        """Set prices of a discount group; one outcome for each, in the order given."""

        def send(entries: Sequence[panel_groups.Entry]) -> dialect.Json:
            return self._send_group("PUT", PRICES, panel_groups.items_params(number, entries))

        entry = partial(panel_groups.price_entry, number)
        return _write(f"PUT {PRICES}", prices, entry, send, panel_groups.carried_out)

    def remove_prices(self, number: str, keys: Sequence[ItemKey]) -> Sequence[Outcome]:
        """Remove prices of a discount group; one outcome for each, in the order given. Never repeated here."""

        def send(entries: Sequence[panel_groups.Entry]) -> dialect.Json:
            return self._send_group("POST", DELETE_PRICES, panel_groups.items_params(number, entries))

        entry = partial(panel_groups.key_entry, number)
        return _write(f"POST {DELETE_PRICES}", keys, entry, send, panel_groups.carried_out)

    def _ask_groups(self, path: str, query: Mapping[str, str]) -> dialect.Json | None:
        """Return the answer of a search about groups, None for one that found nothing."""
        gate = f"GET {path}"
        try:
            body = self._http.get(path, query)
        except Reject:
            halt = panel_faults.for_refused_search(gate=gate)
        else:
            return body if _judge_search(body, gate) else None
        raise halt

    def _write_group(self, method: str, path: str, params: dialect.Json) -> dialect.Json:
        """Make a call about one group alone: what refuses the call refuses the group."""
        try:
            return self._send_group(method, path, params)
        except Reject as reject:
            refused = Reject("refused", reject.message)
        raise refused

    def _send_group(self, method: str, path: str, params: dialect.Json) -> dialect.Json:
        call = self._http.put if method == "PUT" else self._http.post
        return panel_groups.judged(call(path, {"params": params}, bare=True))

    def _all_with(self, name: str, values: Sequence[str]) -> Iterator[Account]:
        """Yield what the panel finds by a list of values, which it takes joined by commas; all pages of it."""
        for chunk in _fitting(values):
            for page in range(MOST_PAGES):
                answer = self._page(page, PAGE, {name: ",".join(chunk)})
                yield from answer.accounts
                if page + 1 >= answer.pages or not answer.accounts:
                    break
            else:
                raise Halt("panel_query", f"the panel seems to ignore {name}: does it speak Admin API v8?")

    def _page(self, page: int, limit: int, filters: Mapping[str, str]) -> AccountPage:
        body = self._http.get(CLIENTS, dialect.search_query(page, limit, **filters))
        if not _judge_search(body, f"GET {CLIENTS}"):
            return AccountPage((), 0, 0)
        total, pages = dialect.counts(body, page, limit)
        return AccountPage(dialect.accounts(body), total, pages)

    def _find_with_comma(self, code: str) -> dict[str, Account]:
        """Find one code that a comma-joined list would tear apart: alone, then by the CRM search's JSON list."""
        alone = self._page(0, PAGE, {"clientCodesExternal": code})
        exact = {account.panel_client_id: account for account in alone.accounts if account.external_code == code}
        return exact or dict(self.read(self._crm_ids(code)))

    def _crm_ids(self, code: str) -> list[str]:
        params = {"clientCodesExternal": [code], "settingsExactSearch": True, "resultsPage": 0, "resultsLimit": PAGE}
        try:
            body = self._http.post(CRM_SEARCH, {"params": params})
        except Halt as halt:
            if halt.code != "panel_gate":
                raise
            return []
        return dialect.ids_with_code(body, code) if _judge_search(body, f"POST {CRM_SEARCH}") else []


def _judge_search(body: dialect.Json, gate: str) -> bool:
    """Say whether a search found anything; raise where its answer is a failure of the whole call."""
    fault = dialect.fault(body)
    if fault is None:
        return True
    error = panel_faults.for_search_fault(fault[0], gate=gate)
    if error:
        raise error
    return False


def _write(
    gate: str,
    records: Sequence[Write],
    form: Callable[[Write], Any],
    send: Send,
    judge: Callable[[dialect.Json, Sequence[Write]], Sequence[Outcome]],
) -> Sequence[Outcome]:
    """Send those records that our own check lets pass, and put the outcomes into the order of the request."""
    formed = [_formed(record, form) for record in records]
    good = [n for n, shape in enumerate(formed) if not isinstance(shape, Reject)]
    body = _send([formed[n] for n in good], gate, send) if good else {}
    sent = [body] if isinstance(body, Reject) else judge(body, [records[n] for n in good])
    answered = dict(zip(good, sent, strict=True))
    return [shape if isinstance(shape, Reject) else answered[n] for n, shape in enumerate(formed)]


def _formed(record: Write, form: Callable[[Write], Any]) -> Any | Reject:
    try:
        return form(record)
    except Reject as reject:
        return reject


def _send(formed: Sequence[Any], gate: str, send: Send) -> dialect.Json | Reject:
    """Return the answer; where the panel refuses a call of one record as a whole, that record's refusal."""
    try:
        body = send(formed)
        _judge_write(body, gate)
    except Reject as reject:
        if len(formed) > 1:
            raise
        return Reject("refused", reject.message)
    return body


def _judge_write(body: dialect.Json, gate: str) -> None:
    """Raise where an answer refuses the whole call; where it judges single records, those judgements count."""
    fault = dialect.fault(body)
    if fault and not dialect.has_results(body):
        raise panel_faults.for_write_fault(*fault, gate=gate)


def _fitting(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the values in lists of at most a page that fit into an address."""
    chunk: list[str] = []
    size = 0
    for value in values:
        length = len(quote(value, safe="")) + 1
        if chunk and (len(chunk) == PAGE or size + length > LONGEST_FILTER):
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += length
    if chunk:
        yield chunk
