"""The shape of requests and answers of clients/clients, made from the table of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kartoteka.adapters.idosell import faults
from kartoteka.adapters.idosell.answers import Json, failure, faults_of, results, text
from kartoteka.adapters.idosell.clock import lies_in, read_day, read_moment, wall_window
from kartoteka.adapters.idosell.dialect import ASSUMED, Dialect
from kartoteka.adapters.idosell.records import Reader, written
from kartoteka.errors import Retry
from kartoteka.fields.codecs import FLAG
from kartoteka.fields.normal import code_key
from kartoteka.fields.table import ACCOUNT_FIELDS, GROUP_FIELD
from kartoteka.model import Done, Outcome
from kartoteka.ports.panel import BROKEN_ANSWER, Account, AccountUpdate, Days, NewAccount, Search, Window

MODIFIED = "clientsLastModificationDate"
REGISTERED = "clientRegistrationDate"
_KEYS = ("clientId", "clientLogin", "clientCodeExternal", MODIFIED, REGISTERED, "isUnregistered")
_SHOWN = [field for field in ACCOUNT_FIELDS.values() if field.read]
_ASKED = (field.element or field.read.rpartition(".")[2] for field in _SHOWN)
ELEMENTS = ",".join(dict.fromkeys((*_KEYS, *_ASKED)))
"""``returnElements``: flat names, although the answer is nested. Fields that the panel does not show are left out."""
PATHS = (*_KEYS, *dict.fromkeys(field.read for field in _SHOWN))
"""Where what was asked for stands in a record."""
CRM_PAGE = 100
_GROUP = ACCOUNT_FIELDS[GROUP_FIELD]
_VALUES = Reader(ACCOUNT_FIELDS)


# requests


@dataclass(frozen=True, slots=True)
class Filter:
    """By what accounts are searched for.

    ``query`` is how GET clients/clients is asked; ``holds`` tells of a record that came whether it is one that was
    asked for: a panel may ignore a filter and show everything. ``name`` is what messages call it.
    """

    name: str
    query: Mapping[str, str]
    holds: Callable[[Json], bool]


def everything() -> Filter:
    """Return the filter that finds all accounts."""
    return Filter("", {}, lambda _: True)


def by_ids(panel_client_ids: Sequence[str]) -> Filter:
    """Return the filter by the panel's own ids."""
    wanted = frozenset(panel_client_ids)
    query = {"clientsIds": ",".join(panel_client_ids)}
    return Filter("clientsIds", query, lambda shown: text(shown.get("clientId")) in wanted)


def by_activity(is_open: str, panel_client_ids: Sequence[str]) -> Filter:
    """Return the filter by the panel's own ids of accounts that are open (``yes``) or closed (``no``)."""
    return and_activity(is_open, by_ids(panel_client_ids))


def and_activity(is_open: str, found: Filter) -> Filter:
    """Return a filter with the one by open or closed beside it."""
    return Filter("clientIsActive", {**found.query, "clientIsActive": is_open}, found.holds)


def by_codes(codes: Sequence[str]) -> Filter:
    """Return the filter by external codes without commas; a panel may find them in another letter case."""
    wanted = frozenset(map(code_key, codes))
    query = {"clientCodesExternal": ",".join(codes)}
    return Filter("clientCodesExternal", query, lambda shown: code_key(text(shown.get("clientCodeExternal"))) in wanted)


def by_torn_code(code: str) -> Filter:
    """Return the filter by one code with a comma: a panel that tears it apart finds accounts with its parts."""
    return Filter("clientCodesExternal", {"clientCodesExternal": code}, lambda _: True)


def by_dates(window: Window, dialect: Dialect = ASSUMED) -> Filter:
    """Return the filter by modification date, both ends included."""
    return by_wall_times(*wall_window(window, dialect.zone), dialect)


def by_wall_times(begin: str, end: str, dialect: Dialect = ASSUMED) -> Filter:
    """Return the filter by modification date as the panel writes it, both ends included."""
    query = {f"{MODIFIED}[{MODIFIED}Begin]": begin, f"{MODIFIED}[{MODIFIED}End]": end}
    return Filter(MODIFIED, query, lambda shown: lies_in(shown.get(MODIFIED), begin, end, dialect.zone))


def by_registration(days: Days) -> Filter:
    """Return the filter by day of registration, both ends included; a record that tells no day is believed."""
    name = REGISTERED

    def holds(shown: Json) -> bool:
        day = read_day(shown.get(name))
        return day is None or days.first <= day <= days.last

    return Filter(name, {f"{name}[{name}Begin]": str(days.first), f"{name}[{name}End]": str(days.last)}, holds)


def searched(search: Search, dialect: Dialect) -> Filter:
    """Return the filter of a search by dates; for all accounts the one that finds everything."""
    if search is None:
        return everything()
    return by_registration(search) if isinstance(search, Days) else by_dates(search, dialect)


def search_query(page: int, limit: int, wanted: Filter, elements: str) -> dict[str, str]:
    """Return the query of GET clients/clients; ``elements`` empty: whole records are asked for."""
    asked = {"returnElements": elements} if elements else {}
    return {**wanted.query, **asked, "resultsPage": str(page), "resultsLimit": str(limit)}


@dataclass(frozen=True, slots=True)
class CrmFilter:
    """A filter of POST clients/crm/search: its name, the answer's name of what it compares, whether it takes a list."""

    name: str
    shown_as: str
    is_list: bool


CRM_CODES = CrmFilter("clientCodesExternal", "clientCodeExternal", is_list=True)
CRM_LOGIN = CrmFilter("clientLogin", "clientLogin", is_list=False)


def crm_params(by: CrmFilter | None = None, values: Sequence[str] = ()) -> Json:
    """Return the parameters of POST clients/crm/search for whole values, first page; without a filter of all."""
    asked: Json = {by.name: list(values) if by.is_list else values[0]} if by else {}
    return {**asked, "settingsExactSearch": True, "resultsPage": 0, "resultsLimit": CRM_PAGE}


def was_asked_for(shown: Json, by: CrmFilter, values: Sequence[str]) -> bool:
    """Return whether a record of the CRM search is one that this filter asked for."""
    return code_key(text(shown.get(by.shown_as))) in set(map(code_key, values))


def create_body(records: Sequence[Json], *, notify: bool) -> Json:
    """Return the body of POST clients/clients. Mail and SMS are always decided here: the panel's default is unknown."""
    return {"params": {"clients": list(records)}, "settings": {"send_mail": notify, "send_sms": notify}}


def create_record(account: NewAccount, dialect: Dialect = ASSUMED) -> Json:
    """Return one record of POST, without empty values. Raises Reject for a value that the panel could not take."""
    return {
        **_grouped(written(account.values, ACCOUNT_FIELDS, creating=True), _GROUP.create, dialect),
        "login": account.login,
        "password": account.password,
        "code_extern": account.client_id,
        "request_reference": account.client_id,
    }


def update_record(update: AccountUpdate, dialect: Dialect = ASSUMED) -> Json:
    """Return one record of PUT: its key and the changed fields; an empty text clears a field."""
    record: Json = {"clientLogin": update.login, "requestReference": update.client_id}
    if update.external_code is not None:
        record["clientCodeExternal"] = update.external_code
    return record | _grouped(written(update.values, ACCOUNT_FIELDS, creating=False), _GROUP.update, dialect)


def _grouped(record: Json, name: str, dialect: Dialect) -> Json:
    """Return the record with this panel's number of no group."""
    return record | {name: dialect.no_group} if record.get(name) == ASSUMED.no_group else record


# answers to searches


def accounts(shown: Sequence[Json], dialect: Dialect = ASSUMED) -> list[Account]:
    """Return the accounts of one page of GET clients/clients. Raises Retry where one has no id."""
    if not all(text(each.get("clientId")) for each in shown):
        raise Retry(BROKEN_ANSWER)
    return [_account(each, dialect) for each in shown]


def _account(shown: Json, dialect: Dialect) -> Account:
    values = _VALUES.read(shown)
    if values.get(_GROUP.name) == str(dialect.no_group):
        values = {**values, _GROUP.name: ""}
    return Account(
        panel_client_id=text(shown["clientId"]),
        login=text(shown.get("clientLogin")),
        external_code=text(shown.get("clientCodeExternal")),
        values=values,
        modified_at=read_moment(shown.get(MODIFIED), dialect.zone),
        guest=FLAG.from_panel(shown.get("isUnregistered")) is True,
        registered=read_day(shown.get(REGISTERED)),
    )


# answers to writes


def outcomes(body: Json, records: Sequence[NewAccount | AccountUpdate]) -> list[Outcome]:
    """Return what became of each record, in the order of the request.

    Results are paired with records by the reference that they echo. One without a reference is taken by its position,
    and only where no result is missing and the others stand in their positions; where doubt remains it is Retry.
    """
    items = results(body)
    places = {record.client_id: n for n, record in enumerate(records)}
    matched = {places[ref]: item for item in items if (ref := reference(item)) in places}
    matched |= _by_place(items, places, matched)
    return [
        _outcome(matched[n], record) if n in matched else Retry("missing_result") for n, record in enumerate(records)
    ]


def _by_place(items: Sequence[Any], places: Mapping[str, int], matched: Mapping[int, Any]) -> dict[int, Any]:
    nameless = {n: item for n, item in enumerate(items) if not reference(item)}
    free = [n for n in places.values() if n not in matched]
    if len(items) != len(places) or len(nameless) != len(free):
        return {}
    if all(n in free for n in nameless) and all(items[n] is item for n, item in matched.items()):
        return nameless
    if len(free) == 1:
        return {free[0]: next(iter(nameless.values()))}
    return _all_refused(list(nameless.values()), free)


def _all_refused(nameless: Sequence[Any], free: Sequence[int]) -> dict[int, Any]:
    """Where every nameless result is a failure, every free record has failed; only the reasons may be mixed up."""
    failures = [failure(item) if isinstance(item, dict) else None for item in nameless]
    if not all(failures):
        return {}
    numbers = {each[0] for each in failures if each}
    texts = dict.fromkeys(each[1] for each in failures if each)
    shared = {"faultCode": numbers.pop() if len(numbers) == 1 else "", "faultString": "; ".join(texts)}
    return {n: {"status": False, "errors": [shared]} for n in free}


def _outcome(item: Any, record: NewAccount | AccountUpdate) -> Outcome:
    if not isinstance(item, dict) or not item:
        return Retry("missing_result")
    failed = faults_of(item)
    if isinstance(record, AccountUpdate):
        return faults.for_reasons(failed, sent=update_record(record)) if failed else Done()
    if failed:
        return faults.for_reasons(failed, sent=create_record(record))
    key = _echoed(item, _ID)
    if key in ("", "0"):  # it may have been opened or not: the next reading finds it, if it was
        return Retry("missing_result")
    return Done(key, _echoed(item, _LOGIN) or record.login)


_REFERENCE = ("request_reference", "requestReference")
_ID = ("id", "clientId")
_LOGIN = ("login", "clientLogin")


def reference(item: Any) -> str:
    """Return the reference that a result echoes; empty where it names none."""
    return _echoed(item, _REFERENCE)


def _echoed(item: Any, names: Sequence[str]) -> str:
    """Return what a result echoes under one of these names, in the object inside it or on itself."""
    if not isinstance(item, dict):
        return ""
    inner = item.get("params") or item.get("clientsResult")
    for level in (inner, item):
        for name in names:
            if isinstance(level, dict) and text(level.get(name)):
                return text(level[name])
    return ""
