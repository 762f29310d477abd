"""From the fields of a page's form to plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multidict import MultiDict, MultiDictProxy

from local.panel.model import Account
from local.panel.words import TYPES, yes_no

_TEXTS = (
    "login", "external_code", "email", "phone", "first_name", "last_name", "company", "nip", "street", "zip_code",
    "city", "province", "note",
)  # fmt: skip
_LINES = (
    "first_name",
    "last_name",
    "additional",
    "phone",
    "street",
    "zip_code",
    "city",
)


def texts(posted: Mapping[str, Any]) -> MultiDict[str]:
    """The text fields of a posted form; files are left out."""
    return MultiDict((name, value) for name, value in posted.items() if isinstance(value, str))


def account_form(form: MultiDictProxy[str]) -> dict[str, Any]:
    """The form of an account; a box that is not ticked is not sent, which means no. A login cannot be changed."""
    values: dict[str, Any] = {name: form[name] for name in _TEXTS if name in form and name != "login"}
    kind = form.get("client_type", "person")
    return {
        **values,
        "client_type": kind if kind in TYPES else "person",
        "country_code": form.get("country_code", "PL").strip().upper(),
        "active": "active" in form,
        "wholesaler": "wholesaler" in form,
        "nip_ue_declaration": yes_no("nip_ue_declaration" in form),
        "local_government_unit": yes_no("local_government_unit" in form),
        "shops": [int(each) for each in form.getall("shops", []) if each.isdigit()],
        "discount_group_id": _whole(form.get("discount_group_id", "0")),
    }


def address_form(form: MultiDictProxy[str]) -> dict[str, Any]:
    """The form of one delivery address."""
    lines = {name: form.get(name, "") for name in _LINES}
    return {
        **lines,
        "country_code": form.get("country_code", "PL").strip().upper(),
        "in_use": "in_use" in form,
    }


def values_of(account: Account) -> dict[str, Any]:
    """What the form of an account begins with."""
    flags = ("active", "wholesaler", "nip_ue_declaration", "local_government_unit")
    more = ("client_type", "country_code", "shops", "discount_group_id")
    return {name: getattr(account, name) for name in (*_TEXTS, *flags, *more)}


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0
