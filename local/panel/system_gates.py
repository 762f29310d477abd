"""Dictionaries and helpers: the panel's clock, its shops, the provinces of a country."""

from __future__ import annotations

from typing import Any

from local.panel.answers import Answer, top_fault
from local.panel.calls import Call
from local.panel.searching import EMPTY_RESULT
from local.panel.state import PanelState
from local.panel.words import PROVINCES


def server_time(panel: PanelState, call: Call) -> Answer:
    """Unix seconds on the panel's clock, skew included."""
    return Answer({"time": int(panel.clock.now())}, records=1)


def shops_data(panel: PanelState, call: Call) -> Answer:
    """The shops, and which fields each demands of an account."""
    shops = [_shop(panel, number, name) for number, name in panel.settings.shops.items()]
    body = {
        "client_id": 1,
        "dedicated_server": False,
        "languages": [
            {"lang_id": "pol", "lang_name": "polski"},
            {"lang_id": "eng", "lang_name": "English"},
        ],
        "panel_lang_id_default": "pol",
        "panel_basecurrency_id": "PLN",
        "shops": shops,
        "rebate_profiles": [{"id": each.id, "name": each.name} for each in panel.groups],
    }
    return Answer(body, records=len(shops))


def _shop(panel: PanelState, number: int, name: str) -> dict[str, Any]:
    demands = {
        "lastname": True,
        "email": True,
        "phone": panel.settings.phone_required,
        "vat_number": False,
    }
    return {
        "shop_id": number,
        "shop_name": name,
        "shop_lang_id_default": "pol",
        "shop_loyalty_active": False,
        "currency_id": "PLN",
        "client_edit_require_fields": demands,
    }


def province_list(panel: PanelState, call: Call) -> Answer:
    """Provinces of one country, by default of Poland; a country without any is the empty answer."""
    country = call.query.get("country_code", "PL").upper()
    results = [
        {"province_code": code, "province": name, "country_code": country.lower()}
        for code, name in PROVINCES.get(country, {}).items()
    ]
    if results:
        return Answer({"results": results}, records=len(results))
    return Answer({"results": [], **top_fault(EMPTY_RESULT, "Wynik pusty")}, 207)
