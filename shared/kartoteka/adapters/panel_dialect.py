"""The shape of requests and answers of clients/clients, Admin API v8, made from the table of concerns.

Reading is tolerant: unknown fields are ignored, numbers may come as text, an empty object as ``[]``. Writing is strict:
only what is documented, in the documented types. No synchronised field is named here; ids, logins and paging are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kartoteka.adapters import panel_countries, panel_faults
from kartoteka.adapters.panel_time import read_moment, wall_window
from kartoteka.core import codecs
from kartoteka.core.concerns import ACCOUNT_FIELDS, Field
from kartoteka.core.errors import Reject, Retry
from kartoteka.core.model import Account, AccountUpdate, NewAccount, Record, Value, Window
from kartoteka.ports import Done, Outcome

Json = dict[str, Any]

FIELDS = ACCOUNT_FIELDS
"""Every synchronised field of an account, by its column."""

_KEYS = ("clientId", "clientLogin", "clientCodeExternal", "clientsLastModificationDate", "isUnregistered")
_ASKED = (field.element or field.read.rpartition(".")[2] for field in FIELDS.values() if field.read)
ELEMENTS = ",".join(dict.fromkeys((*_KEYS, *_ASKED)))
"""``returnElements``: flat names, although the answer is nested. What the panel does not show is not asked for."""

_MISSING = object()
_TRUE = frozenset({"true", "1", "ok", "yes", "y"})
_DONE = Done()


# requests


def search_query(page: int, limit: int, **filters: str) -> dict[str, str]:
    """Return the query of GET clients/clients."""
    return {**filters, "returnElements": ELEMENTS, "resultsPage": str(page), "resultsLimit": str(limit)}


def window_filter(window: Window) -> dict[str, str]:
    """Return the filter by modification date, both ends included."""
    begin, end = wall_window(window)
    name = "clientsLastModificationDate"
    return {f"{name}[{name}Begin]": begin, f"{name}[{name}End]": end}


def create_body(records: Sequence[Json], *, notify: bool) -> Json:
    """Return the body of POST clients/clients. Mail and SMS are settled in so many words: the default is unknown."""
    return {"params": {"clients": list(records)}, "settings": {"send_mail": notify, "send_sms": notify}}


def create_record(account: NewAccount) -> Json:
    """Return one record of POST; empty values are left out. Raises Reject where the panel could not take one."""
    return {
        **written(account.values, FIELDS, creating=True),
        "login": account.login,
        "password": account.password,
        "code_extern": account.client_id,
        "request_reference": account.client_id,
    }


def update_body(records: Sequence[Json]) -> Json:
    """Return the body of PUT clients/clients, and of the gates that take the same: the customer hears of nothing."""
    silent = {"clientSettingSendMail": False, "clientSettingSendSms": False}
    return {"params": {"clients": list(records)}, "clientsSettings": silent}


def update_record(update: AccountUpdate) -> Json:
    """Return one record of PUT: its key and the changed fields; empty text clears a field (assumption 2)."""
    record: Json = {"clientLogin": update.login, "requestReference": update.client_id}
    if update.external_code is not None:
        record["clientCodeExternal"] = update.external_code
    return record | written(update.values, FIELDS, creating=False)


def written(values: Record, fields: Mapping[str, Field], *, creating: bool) -> Json:
    """Return the values as the panel takes them, by its names. Raises Reject where it could not take one.

    Left out are fields without a name for this call; on creating, whatever is empty; always, what is empty and has no
    word for it: an unset flag, an amount, a number of days; a customer of no shop would be one of none that we know.
    Text is emptied by empty text, and no group at all has a number: 0.
    """
    record: Json = {}
    for name, value in values.items():
        wire = fields[name].create if creating else fields[name].update
        form = _form(fields[name], value)
        if wire and form not in (None, []) and not (_empty(value) and (creating or isinstance(form, bool))):
            record[wire] = form
    return record


def _form(field: Field, value: Value) -> Any:
    try:
        return field.codec.to_panel(value)
    except Reject as reject:
        raise Reject(reject.code, f"{field.name}: {reject.message}", field=field.name) from None


def _empty(value: Value) -> bool:
    return value is None or value == ""


# answers to searches


def accounts(body: Json) -> list[Account]:
    """Return the accounts of one page of GET clients/clients. What has no id is no account."""
    return [_account(each) for each in listed(body, "results") if isinstance(each, dict) and text(each.get("clientId"))]


def ids_with_code(body: Json, code: str) -> list[str]:
    """Return the ids of those accounts in an answer of the CRM search that carry exactly this code."""
    found = [each for each in listed(body, "clientsResults") if isinstance(each, dict)]
    return [text(each.get("clientId")) for each in found if text(each.get("clientCodeExternal")) == code]


def counts(body: Json, page: int, limit: int, name: str = "results") -> tuple[int, int]:
    """Return how many records and pages the whole search has; where the panel does not say, what this page tells."""
    seen = len(listed(body, name))
    total = whole(body.get("resultsNumberAll"))
    pages = whole(body.get("resultsNumberPage"))
    if pages is None:
        pages = page + 1 if seen < limit else page + 2
    return page * limit + seen if total is None else total, pages


def fault(body: Json) -> tuple[str, str] | None:
    """Return code and text of the ``errors`` of a whole answer; None where it has none that count."""
    return fault_of(body.get("errors"))


def shop_ids(body: Json) -> frozenset[int]:
    """Return the ids of the shops in an answer of system/shopsData."""
    ids = [whole(each.get("shop_id")) for each in listed(body, "shops") if isinstance(each, dict)]
    return frozenset(number for number in ids if number is not None)


def server_time(body: Json) -> int | None:
    """Return the Unix seconds of system/serverTime."""
    return whole(body.get("time"))


def _account(shown: Json) -> Account:
    return Account(
        panel_client_id=text(shown["clientId"]),
        login=text(shown.get("clientLogin")),
        external_code=text(shown.get("clientCodeExternal")),
        values=read_values(shown, FIELDS),
        modified_at=read_moment(shown.get("clientsLastModificationDate")),
        guest=codecs.FLAG.from_panel(shown.get("isUnregistered")) is True,
    )


def read_values(shown: Json, fields: Mapping[str, Field]) -> Record:
    """Return what a record shows of these fields, in our words; what it does not show has no value at all."""
    found = {name: _at(shown, field.read) for name, field in fields.items() if field.read}
    return {name: _told(fields[name], value) for name, value in found.items() if _is_shown(fields[name], value)}


def _is_shown(field: Field, value: Any) -> bool:
    """Say whether a value tells anything: shops are a list, and what is no figure is no figure of nought."""
    if field.codec is codecs.SHOPS:
        return isinstance(value, list)
    if field.codec is codecs.MONEY:
        return isinstance(value, str) and value.strip() != ""
    return value is not _MISSING


def _told(field: Field, value: Any) -> Value:
    """Read one value; a country may be shown by name (assumption 21)."""
    return field.codec.from_panel(panel_countries.code(value) if field.codec is codecs.COUNTRY else value)


def _at(shown: Json, path: str) -> Any:
    """Return what stands at a dotted path; an empty parent (``[]``) has empty children, an absent one none."""
    *parents, name = path.split(".")
    for parent in parents:
        inner = shown.get(parent, _MISSING)
        if inner is _MISSING:
            return _MISSING
        if not isinstance(inner, dict):
            return None
        shown = inner
    value = shown.get(name, _MISSING)
    return text(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


# answers to writes


def outcomes(body: Json, records: Sequence[NewAccount | AccountUpdate]) -> list[Outcome]:
    """Return what became of each record, in the order of the request.

    Results are told apart by the reference they echo. One without a reference is taken by its place, and only where
    no result is missing and the others stand in their places; what cannot be told for certain is Retry.
    """
    items = results(body)
    places = {record.client_id: n for n, record in enumerate(records)}
    matched = {places[ref]: item for item in items if (ref := _echoed(item, "reference")) in places}
    matched |= _by_place(items, places, matched)
    return [
        _outcome(matched[n], record) if n in matched else Retry("missing_result") for n, record in enumerate(records)
    ]


def _by_place(items: Sequence[Any], places: Mapping[str, int], matched: Mapping[int, Any]) -> dict[int, Any]:
    nameless = {n: item for n, item in enumerate(items) if not _echoed(item, "reference")}
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
    faults = [failure(item) if isinstance(item, dict) else None for item in nameless]
    if not all(faults):
        return {}
    codes = {fault[0] for fault in faults if fault}
    texts = dict.fromkeys(fault[1] for fault in faults if fault)
    shared = {"faultCode": codes.pop() if len(codes) == 1 else "?", "faultString": "; ".join(texts)}
    return {n: {"errors": [shared]} for n in free}


def _outcome(item: Any, record: NewAccount | AccountUpdate) -> Outcome:
    if not isinstance(item, dict) or not item:
        return Retry("missing_result")
    failed = failure(item)
    if failed:
        return panel_faults.for_record(*failed)
    return _opened(item, record) if isinstance(record, NewAccount) else _DONE


def _opened(item: Json, record: NewAccount) -> Outcome:
    """An account without an id is not known to exist: the next look finds it, if it does."""
    key = _echoed(item, "id")
    if key in ("", "0"):
        return Retry("missing_result")
    return Done(key, _echoed(item, "login") or record.login)


def failure(item: Json) -> tuple[str, str] | None:
    """Judge one result in any of its three shapes: ``status``, ``resultStatus``, ``faultCode`` on the record."""
    own = item if "faultCode" in item else None
    named = fault_of(item.get("errors")) or fault_of(own) or fault_of(item.get("error"))
    if named:
        return named
    status = item.get("status", item.get("resultStatus"))
    return None if status is None or text(status).casefold() in _TRUE else ("", "")


def fault_of(errors: Any) -> tuple[str, str] | None:
    """Return code and text of one error, or of the first of several; None where there is none that counts."""
    first = errors[0] if isinstance(errors, list) and errors else errors
    if not isinstance(first, dict):
        return ("", text(first)) if first else None
    code, said = text(first.get("faultCode")), text(first.get("faultString") or first.get("message"))
    return None if code == "0" or not (code or said) else (code, said)


_ECHOES = {
    "reference": ("request_reference", "requestReference"),
    "id": ("id", "clientId"),
    "login": ("login", "clientLogin"),
}


def _echoed(item: Any, what: str) -> str:
    """Return what a result echoes, on itself or in the object inside it."""
    if not isinstance(item, dict):
        return ""
    inner = item.get("params") or item.get("clientsResult")
    for level in (inner, item):
        for name in _ECHOES[what]:
            if isinstance(level, dict) and text(level.get(name)):
                return text(level[name])
    return ""


def has_results(body: Json) -> bool:
    """Say whether an answer to a write judges single records at all."""
    return bool(results(body))


def results(body: Json) -> list[Any]:
    """Return the results of an answer to a write, one for each record."""
    return listed(body, "clients") or listed(body, "results")


# values


def text(value: Any) -> str:
    """Return an id or a code as text, whatever type it came in."""
    if value is None or isinstance(value, list | dict):
        return ""
    if isinstance(value, Decimal) and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value():
        return str(int(value))
    return str(value)


_MOST_DIGITS = 40
_WHOLE = re.compile(r"\d{1,15}")


def whole(value: Any) -> int | None:
    """Return a count that may have come as text; None where it is none."""
    shown = text(value)
    return int(shown) if _WHOLE.fullmatch(shown) else None


def listed(body: Json, name: str) -> list[Any]:
    """Return the list of this name; what is no list has nothing in it."""
    found = body.get(name)
    return found if isinstance(found, list) else []
