"""The shape of requests and answers of clients/clients, made from the table of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kartoteka.adapters.idosell import faults
from kartoteka.adapters.idosell.answers import Json, failure, faults_of, listed, results, text
from kartoteka.adapters.idosell.clock import read_day, read_moment, wall_window
from kartoteka.adapters.idosell.records import read, written
from kartoteka.errors import Retry
from kartoteka.fields.codecs import FLAG
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.model import Done, Outcome
from kartoteka.ports.panel import Account, AccountUpdate, Days, NewAccount, Search

_MODIFIED = "clientsLastModificationDate"
_REGISTERED = "clientRegistrationDate"
_KEYS = ("clientId", "clientLogin", "clientCodeExternal", _MODIFIED, _REGISTERED, "isUnregistered")
_ASKED = (field.element or field.read.rpartition(".")[2] for field in ACCOUNT_FIELDS.values() if field.read)
ELEMENTS = ",".join(dict.fromkeys((*_KEYS, *_ASKED)))
"""``returnElements``: flat names, although the answer is nested. Fields that the panel does not show are left out."""


# requests


def search_query(page: int, limit: int, **filters: str) -> dict[str, str]:
    """Return the query of GET clients/clients."""
    return {**filters, "returnElements": ELEMENTS, "resultsPage": str(page), "resultsLimit": str(limit)}


def search_filter(search: Search) -> dict[str, str]:
    """Return the filter by modification date or by day of registration, both ends included; for all accounts none."""
    if search is None:
        return {}
    if isinstance(search, Days):
        return _between(_REGISTERED, search.first.isoformat(), search.last.isoformat())
    return _between(_MODIFIED, *wall_window(search))


def _between(name: str, begin: str, end: str) -> dict[str, str]:
    return {f"{name}[{name}Begin]": begin, f"{name}[{name}End]": end}


def create_body(records: Sequence[Json], *, notify: bool) -> Json:
    """Return the body of POST clients/clients. Mail and SMS are always decided here: the panel's default is unknown."""
    return {"params": {"clients": list(records)}, "settings": {"send_mail": notify, "send_sms": notify}}


def create_record(account: NewAccount) -> Json:
    """Return one record of POST, without empty values. Raises Reject for a value that the panel could not take."""
    return {
        **written(account.values, ACCOUNT_FIELDS, creating=True),
        "login": account.login,
        "password": account.password,
        "code_extern": account.client_id,
        "request_reference": account.client_id,
    }


def update_record(update: AccountUpdate) -> Json:
    """Return one record of PUT: its key and the changed fields; an empty text clears a field."""
    record: Json = {"clientLogin": update.login, "requestReference": update.client_id}
    if update.external_code is not None:
        record["clientCodeExternal"] = update.external_code
    return record | written(update.values, ACCOUNT_FIELDS, creating=False)


# answers to searches


def accounts(body: Json) -> list[Account]:
    """Return the accounts of one page of GET clients/clients; entries without an id are left out."""
    return [_account(each) for each in listed(body, "results") if isinstance(each, dict) and text(each.get("clientId"))]


def _account(shown: Json) -> Account:
    return Account(
        panel_client_id=text(shown["clientId"]),
        login=text(shown.get("clientLogin")),
        external_code=text(shown.get("clientCodeExternal")),
        values=read(shown, ACCOUNT_FIELDS),
        modified_at=read_moment(shown.get(_MODIFIED)),
        guest=FLAG.from_panel(shown.get("isUnregistered")) is True,
        registered=read_day(shown.get(_REGISTERED)),
    )


def ids_with_code(body: Json, code: str) -> list[str]:
    """Return the ids of those accounts in an answer of the CRM search that carry exactly this code."""
    found = [each for each in listed(body, "clientsResults") if isinstance(each, dict)]
    return [text(each.get("clientId")) for each in found if text(each.get("clientCodeExternal")) == code]


# answers to writes


def outcomes(body: Json, records: Sequence[NewAccount | AccountUpdate]) -> list[Outcome]:
    """Return what became of each record, in the order of the request.

    Results are paired with records by the reference that they echo. One without a reference is taken by its position,
    and only where no result is missing and the others stand in their positions; where doubt remains it is Retry.
    """
    items = results(body)
    places = {record.client_id: n for n, record in enumerate(records)}
    matched = {places[ref]: item for item in items if (ref := _echoed(item, _REFERENCE)) in places}
    matched |= _by_place(items, places, matched)
    return [
        _outcome(matched[n], record) if n in matched else Retry("missing_result") for n, record in enumerate(records)
    ]


def _by_place(items: Sequence[Any], places: Mapping[str, int], matched: Mapping[int, Any]) -> dict[int, Any]:
    nameless = {n: item for n, item in enumerate(items) if not _echoed(item, _REFERENCE)}
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
