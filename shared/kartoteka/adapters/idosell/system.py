"""The answers of system/serverTime and system/shopsData."""

from __future__ import annotations

from datetime import UTC, datetime

from kartoteka.adapters.idosell.answers import Json, listed, whole
from kartoteka.errors import Retry
from kartoteka.fields.codecs import FLAG
from kartoteka.fields.table import SHOP_REQUIRES
from kartoteka.ports.panel import BROKEN_ANSWER


def server_time(body: Json) -> datetime:
    """Return the panel's own clock, UTC. Raises Retry for an answer that does not tell it."""
    seconds = whole(body.get("time"))
    if seconds is None:
        raise Retry(BROKEN_ANSWER)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Retry(BROKEN_ANSWER) from None


def shops(body: Json) -> dict[int, frozenset[str]]:
    """Return the panel's shops: id -> the fields that it requires of a customer, none where it does not tell.

    Some panels name their shops under ``shop_contact`` only. Raises Retry for an answer without any shop: each panel
    has one at least.
    """
    named = [each for name in ("shops", "shop_contact") for each in listed(body, name) if isinstance(each, dict)]
    found = [(number, _required(each)) for each in named if (number := whole(each.get("shop_id"))) is not None]
    if not found:
        raise Retry(BROKEN_ANSWER)
    required: dict[int, frozenset[str]] = {}
    for number, fields in found:
        required[number] = required.get(number, frozenset()) | fields
    return required


def _required(shop: Json) -> frozenset[str]:
    flags = shop.get("client_edit_require_fields")
    told = flags if isinstance(flags, dict) else {}
    return frozenset(field for name, field in SHOP_REQUIRES.items() if FLAG.from_panel(told.get(name)) is True)
