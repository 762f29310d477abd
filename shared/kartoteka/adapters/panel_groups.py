"""The shape of requests and answers of discounts/groups and the gates below it, Admin API v8.

A group write is one thing: the panel does all of it or nothing, and says so by a 200 without a body or by ``errors`` at
the top of one. Its gates list no codes. Nothing shows the prices in a group; the groups and their members are shown,
and an answer that tells of them only in part is Retry: a group that is not there would be made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from kartoteka.adapters import panel_dialect as dialect
from kartoteka.adapters import panel_faults
from kartoteka.adapters.panel_dialect import Json, text
from kartoteka.core import codecs, money
from kartoteka.core.errors import Reject, Retry
from kartoteka.core.model import ItemKey, PanelGroup, SentPrice
from kartoteka.ports import Done, Outcome

LISTS = MappingProxyType(
    {
        "product": "products",
        "producer": "producers",
        "series": "series",
        "category": "categories",
        "menu_item": "menuItems",
    }
)
"""Kind of an item -> the list that the panel wants it in."""

Entry = tuple[str, Any]
"""Name of a list, and what stands in it."""


# requests


def search_query(page: int, limit: int) -> dict[str, str]:
    """Return the query of GET discounts/groups."""
    return {"returnElements": "groupNumber,groupName", "resultsPage": str(page), "resultsLimit": str(limit)}


def members_query(number: str) -> dict[str, str]:
    """Return the query of GET discounts/groups/clients."""
    return {"discountGroupId": str(_number(number))}


def create_params(name: str) -> Json:
    """Return the parameters of POST discounts/groups. Raises Reject where the panel could not take the name."""
    return {"discountGroupName": _name(name)}


def rename_params(number: str, name: str) -> Json:
    """Return the parameters of PUT discounts/groups. Raises Reject where the panel could not take the name."""
    return {"discountGroupId": _number(number), "discountGroupName": _name(name)}


def delete_params(number: str) -> Json:
    """Return the parameters of POST discounts/groups/delete."""
    return {"discountGroupId": _number(number)}


def price_entry(number: str, price: SentPrice) -> Entry:
    """Return one price for PUT discounts/groups/products. Raises Reject where it is none."""
    kind, item = key_entry(number, price.key)
    return kind, {"id": item, "price": _price(price), "currency": _currency(price)}


def key_entry(number: str, key: ItemKey) -> Entry:
    """Return one price to be removed, for the deleting POST. Raises Reject where it names nothing, or no group."""
    _number(number)
    kind, item_id = key
    if kind not in LISTS:
        raise Reject("bad_item_type", "nie ma takiego rodzaju pozycji. / there is no such kind of item.")
    return LISTS[kind], _whole(item_id, "bad_item")


def items_params(number: str, entries: Sequence[Entry]) -> Json:
    """Return the parameters of both gates for prices: every entry in its list."""
    lists: dict[str, list[Any]] = {}
    for kind, entry in entries:
        lists.setdefault(kind, []).append(entry)
    return {"discountGroupId": _number(number), **lists}


def _name(name: str) -> str:
    try:
        form: str = codecs.TEXT.to_panel(name)
    except Reject as reject:
        raise Reject(reject.code, f"name: {reject.message}", field="name") from None
    return form


def _price(price: SentPrice) -> Decimal:
    try:
        return money.amount(price.price)
    except Reject as reject:
        raise Reject(reject.code, f"price: {reject.message}", field="price") from None


def _currency(price: SentPrice) -> str:
    """Return the currency, which is always said: the panel would take one of its own choice."""
    try:
        form: str = codecs.CURRENCY.to_panel(price.currency)
    except Reject as reject:
        raise Reject(reject.code, f"currency: {reject.message}", field="currency") from None
    if not form:
        raise Reject("bad_code", "currency: brak waluty. / is missing.", field="currency")
    return form


def _number(number: str) -> int:
    return _whole(number, "bad_group")


def _whole(number: str, code: str) -> int:
    """Return a number of the panel's, from 1 up."""
    found = dialect.whole(number) if number.isascii() else None
    if not found:
        raise Reject(code, "to nie jest numer w panelu. / is no number of the panel's.")
    return found


# answers


def groups(body: Json) -> list[PanelGroup]:
    """Return the groups of one page of GET discounts/groups."""
    return [_group(each) for each in _shown(body, "groups")]


def _group(shown: Any) -> PanelGroup:
    number = dialect.whole(shown.get("groupNumber")) if isinstance(shown, dict) else None
    if number is None:
        raise Retry("broken_answer")
    return PanelGroup(str(number), text(shown.get("groupName")))


def members(body: Json) -> frozenset[str]:
    """Return the ids of the accounts in an answer of GET discounts/groups/clients."""
    result = body.get("result")
    shown = [] if result == [] else _shown(result if isinstance(result, dict) else {}, "clientId")
    ids = frozenset(map(text, shown))
    if "" in ids:
        raise Retry("broken_answer")
    return ids


def _shown(body: Json, name: str) -> list[Any]:
    found = body.get(name)
    if not isinstance(found, list):
        raise Retry("broken_answer")
    return found


def judged(body: Json) -> Json:
    """Return the answer to a write of a group that was carried out. Raises Reject where the panel refuses it."""
    failed = dialect.failure(body)
    if failed:
        raise panel_faults.for_group(*failed)
    return body


def made(body: Json) -> str:
    """Return the number of a group that POST discounts/groups has made; one without it is not known to exist."""
    result = body.get("result")
    number = dialect.whole(result.get("discountGroupId")) if isinstance(result, dict) else None
    if not number:
        raise Retry("missing_result")
    return str(number)


def carried_out(_body: Json, records: Sequence[Any]) -> list[Outcome]:
    """Return what became of the prices of a call that was not refused: all of it was done."""
    return [Done() for _ in records]
