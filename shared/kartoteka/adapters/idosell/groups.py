"""The shape of requests and answers of discounts/groups and the gates below it.

A write of a group is carried out as a whole or not at all, which the panel says by a 200 without a body or by
``errors`` at the top of one. These gates list no numbers of faults. No gate shows the prices of a group; the groups and
their members are shown, and an answer that is incomplete is Retry: a group that is not there would be recreated.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from kartoteka.adapters.idosell import faults
from kartoteka.adapters.idosell.answers import Json, failure, text, whole
from kartoteka.adapters.idosell.records import form
from kartoteka.errors import Reject, Retry
from kartoteka.fields import codecs, money
from kartoteka.fields.table import CURRENCY_FIELD, GROUP_FIELDS, GROUP_NAME
from kartoteka.model import Done, Outcome
from kartoteka.ports.exchange import PriceKey, SentPrice
from kartoteka.ports.panel import BROKEN_ANSWER, PanelGroup

LISTS = MappingProxyType(
    {
        "product": "products",
        "producer": "producers",
        "series": "series",
        "category": "categories",
        "menu_item": "menuItems",
    }
)
"""Kind of an item -> the list of the call that it belongs to."""

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
    return {"discountGroupName": form(GROUP_FIELDS[GROUP_NAME], name)}


def rename_params(number: str, name: str) -> Json:
    """Return the parameters of PUT discounts/groups. Raises Reject where the panel could not take the name."""
    return {"discountGroupId": _number(number), "discountGroupName": form(GROUP_FIELDS[GROUP_NAME], name)}


def delete_params(number: str) -> Json:
    """Return the parameters of POST discounts/groups/delete."""
    return {"discountGroupId": _number(number)}


def price_entry(number: str, price: SentPrice) -> Entry:
    """Return one price for PUT discounts/groups/products. Raises Reject for what is not a price."""
    kind, item = key_entry(number, price.key)
    return kind, {"id": item, "price": _price(price), "currency": _currency(price)}


def key_entry(number: str, key: PriceKey) -> Entry:
    """Return one price to be removed, for the deleting POST. Raises Reject for what names no item, or no group."""
    _number(number)
    kind, item_id = key
    if kind not in LISTS:
        raise Reject("bad_item_type", field="item_type", value=kind)
    item = _positive(item_id)
    if item is None:
        raise Reject("bad_item", field="item_id", value=item_id)
    return LISTS[kind], item


def items_params(number: str, entries: Sequence[Entry]) -> Json:
    """Return the parameters of both gates for prices: every entry in its list."""
    lists: dict[str, list[Any]] = {}
    for kind, entry in entries:
        lists.setdefault(kind, []).append(entry)
    return {"discountGroupId": _number(number), **lists}


def _price(price: SentPrice) -> Decimal:
    try:
        return money.amount(price.price)
    except Reject as reject:
        raise Reject(reject.code, field="price", value=str(price.price)) from None


def _currency(price: SentPrice) -> str:
    """Return the currency, which is always sent: without one the panel would take one of its own choice."""
    try:
        code: str = codecs.CURRENCY.to_panel(price.currency)
    except Reject:
        code = ""
    if not code:
        raise Reject("bad_code", field=CURRENCY_FIELD, value=price.currency)
    return code


def _number(number: str) -> int:
    found = _positive(number)
    if found is None:
        raise Reject("bad_group", value=number)
    return found


def _positive(number: str) -> int | None:
    """Return a number of the panel's, from 1 up."""
    return (whole(number) or None) if number.isascii() else None


# answers


def groups(shown: Sequence[Json]) -> list[PanelGroup]:
    """Return the groups of one page of GET discounts/groups. Raises Retry where one has no number."""
    return [_group(each) for each in shown]


def _group(shown: Json) -> PanelGroup:
    number = whole(shown.get("groupNumber"))
    if number is None:
        raise Retry(BROKEN_ANSWER)
    return PanelGroup(str(number), text(shown.get("groupName")))


def members(body: Json) -> frozenset[str]:
    """Return the ids of the accounts in an answer of GET discounts/groups/clients."""
    result = body.get("result")
    shown = result.get("clientId") if isinstance(result, dict) else result
    ids = frozenset(map(text, shown)) if isinstance(shown, list) else frozenset({""})
    if "" in ids or (shown and not isinstance(result, dict)):
        raise Retry(BROKEN_ANSWER)
    return ids


def judged(body: Json) -> Json:
    """Return the answer to a write of a group. Raises Reject(REFUSED_WHOLE) where the panel did not carry it out."""
    failed = failure(body)
    if failed:
        raise faults.for_group(*failed)
    return body


def made(body: Json) -> str:
    """Return the number of a group that POST discounts/groups has made. Raises Retry for an answer without one."""
    result = body.get("result")
    number = whole(result.get("discountGroupId")) if isinstance(result, dict) else None
    if not number:
        raise Retry("missing_result")
    return str(number)


def carried_out(_body: Json, records: Sequence[Any]) -> list[Outcome]:
    """Return what became of the prices of a call that was not refused: all of them were carried out."""
    return [Done() for _ in records]
