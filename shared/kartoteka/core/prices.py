"""The prices of a discount group: what a row of ``discount_group_items`` asks for now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kartoteka.core import money
from kartoteka.core.errors import Reject
from kartoteka.core.model import GroupItem, ItemKey, SentPrice

KINDS = ("product", "producer", "series", "category", "menu_item")
"""What a group may have a price for: ``item_type``."""
LONGEST_PLACE = 100
"""Characters of ``item_id`` in the tables of ours."""
MOST_DIGITS = 10
"""Digits of a panel's id, at most."""


def wanted(item: GroupItem, now: datetime) -> SentPrice | None:
    """Return the price that the panel shall have of this item now, None for none (not yet, or no longer).

    Raises Reject naming what is wrong with the row.
    """
    _check_key(item)
    if item.unreadable:
        raise Reject(
            "bad_date",
            f"{item.unreadable}: to nie jest data i czas UTC. / is no date and time, UTC.",
            field=item.unreadable,
        )
    price, currency = _price(item), _currency(item)
    return SentPrice(item.item_type, item.item_id, str(price), currency) if _holds(item, now) else None


def place(group_id: str, key: ItemKey) -> str:
    """Return the item id of a price in the tables of ours: ``group/type/id``, as much as its column holds."""
    return "/".join((group_id, *(part.replace("/", "_") for part in key)))[:LONGEST_PLACE]


def group_of(place: str) -> str:
    """Return the group of a price in the tables of ours, whatever characters its id has."""
    return place.rsplit("/", 2)[0]


def _check_key(item: GroupItem) -> None:
    if item.item_type not in KINDS:
        raise Reject(
            "bad_item_type",
            f"item_type: dozwolone {', '.join(KINDS)}; popraw wiersz. / must be one of these; correct the row.",
            field="item_type",
        )
    if not _is_number(item.item_id):
        raise Reject(
            "bad_item", "item_id: to nie jest numer w panelu. / is not a number of the panel.", field="item_id"
        )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _price(item: GroupItem) -> Decimal:
    """Return the fixed price, or the one that the rebate leaves of the base price: exact, half-up to 0.01."""
    rebate = _filled(item.rebate_percent)
    if _filled(item.price) == rebate:
        raise Reject(
            "bad_item",
            "wiersz ma mieć albo price, albo rebate_percent z base_price. / the row must have either price, or "
            "rebate_percent with base_price.",
            field="price",
        )
    if not rebate:
        return _amount(item, "price")
    percent = _amount(item, "rebate_percent")
    if percent > 100:
        raise Reject("bad_amount", "rebate_percent: najwyżej 100. / at most 100.", field="rebate_percent")
    return money.discounted(_amount(item, "base_price"), percent)


def _amount(item: GroupItem, name: str) -> Decimal:
    text = getattr(item, name)
    if not _filled(text):
        raise Reject("incomplete", f"{name}: brak kwoty. / is missing.", field=name)
    try:
        found = money.amount(text)
    except Reject as error:
        raise Reject(error.code, f"{name} ({text!r}): {error.message}", field=name) from None
    if found < 0:
        raise Reject("bad_amount", f"{name} ({text!r}): kwota ujemna. / is negative.", field=name)
    return found


def _currency(item: GroupItem) -> str:
    text = (item.currency or "").strip().upper()
    if not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise Reject(
            "bad_currency",
            f"currency ({text!r}): to nie jest kod waluty ISO 4217. / is no code of ISO 4217.",
            field="currency",
        )
    return text


def _filled(text: str | None) -> bool:
    return text is not None and text.strip() != ""


def _holds(item: GroupItem, now: datetime) -> bool:
    """Return whether the row counts now: from ``valid_from`` on, and no longer at ``valid_to``."""
    begun = item.valid_from is None or item.valid_from <= now
    return begun and (item.valid_to is None or now < item.valid_to)
