"""How an account looks when it is read: nested, with the reading words, unlike the flat form in which it is written."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from local.panel import credit
from local.panel.clock import NO_MOMENT
from local.panel.groups import Groups
from local.panel.model import Account, Address
from local.panel.settings import Settings
from local.panel.words import TYPE_READ, country_shown, province_shown, y_n, yes_no

# returnElements uses flat names although the answer is nested
_BILLING = [
    "clientFirstName",
    "clientLastName",
    "clientNip",
    "clientFirm",
    "clientStreet",
    "clientZipCode",
    "clientCity",
    "clientCountryId",
    "clientRegionId",
    "clientProvinceId",
    "clientPhone1",
    "clientPhone2",
]
_PREFERENCES = [
    "langId",
    "currencyId",
    "clientIsWholesaler",
    "clientVatPreferences",
    "clientGroupDiscountNumber",
    "clientGroupDiscountName",
]
_NESTED = (
    dict.fromkeys(_BILLING, "clientBillingAddress")
    | dict.fromkeys(_PREFERENCES, "clientPreferences")
    | {"clientBirthDate": "clientPersonalData"}
)
_RENAMED = {"shops": "clientActiveInShops"}


def client(account: Account, settings: Settings, groups: Groups) -> dict[str, Any]:
    """One record of GET clients/clients."""
    return {
        "clientId": account.id,
        **_modified(account, settings),
        "clientLogin": account.login,
        "clientCodeExternal": account.external_code,
        "clientEmail": account.email,
        "clientType": TYPE_READ[account.client_type],
        "showClientAsPartner": "",
        "operator": {},
        "isUnregistered": y_n(account.guest),
        "blockAutomaticallyAssigningGroupDiscount": y_n(account.block_group_auto_assignment),
        "clientBillingAddress": _billing(account),
        "clientPersonalData": {"clientBirthDate": account.birth_date},
        "clientPreferences": _preferences(account, settings, groups) | _nip_ue(account, settings),
        "newsletterEmailApprovalsData": _approvals(account, "newsletterEmailApprovalDate"),
        "newsletterSmsApprovalsData": _approvals(account, "newsletterSmsApprovalDate"),
        "clientBalances": [{"clientBalanceAmount": account.panel_balance, "currencyId": account.currency}],
        "clientTradeCredit": _trade_credit(account, settings),
        "affiliateLogin": None,
        "affiliateId": 0,
        "clientRegistrationDate": account.registered,
        "clientActiveInShops": shops(account, settings),
    }


def _modified(account: Account, settings: Settings) -> dict[str, Any]:
    shown = {"empty": "", "null": None}.get(settings.date_before_edit, NO_MOMENT)
    if account.modified != NO_MOMENT:
        shown = account.modified
    elif settings.date_before_edit == "absent":
        return {}
    return {"clientsLastModificationDate": shown}


def _billing(account: Account) -> dict[str, Any]:
    return {
        "clientFirstName": account.first_name,
        "clientLastName": account.last_name,
        "clientNip": account.nip,
        "clientFirm": account.company,
        "clientStreet": account.street,
        "clientZipCode": account.zip_code,
        "clientCity": account.city,
        "clientCountryId": account.country_code.lower(),
        "clientRegionId": "",
        "clientProvinceId": province_shown(account.province),
        "clientPhone1": account.phone,
        "clientPhone2": account.phone2,
    }


def _preferences(account: Account, settings: Settings, groups: Groups) -> dict[str, Any]:
    return {
        "langId": account.language,
        "currencyId": account.currency,
        "clientIsWholesaler": yes_no(account.wholesaler),
        "clientVatPreferences": "always",
        "clientGroupDiscountNumber": account.discount_group_id or settings.no_group,
        "clientGroupDiscountName": groups.name(account.discount_group_id),
    }


def _nip_ue(account: Account, settings: Settings) -> dict[str, Any]:
    """Shown from API 7.10 on; local_government_unit is written only."""
    known = "nip_ue_declaration" not in settings.lacks_fields
    return {"clientNipUeDeclaration": account.nip_ue_declaration} if known else {}


def _approvals(account: Account, name: str) -> list[dict[str, Any]]:
    return [{name: NO_MOMENT, "shopId": shop} for shop in account.shops]


def _trade_credit(account: Account, settings: Settings) -> dict[str, Any]:
    """The contract infers that the limit read is the one written, and that the used part is what is owed."""
    if settings.shows_trade_credit == "nothing":
        return {}
    shown = {"clientTradeCreditLimit": account.credit_limit, "currencyId": account.currency}
    if settings.shows_trade_credit == "limit":
        return shown
    of_the_erp_too = settings.shows_trade_credit == "limit_and_used"
    return {
        **shown,
        "clientTradeCreditUsed": credit.owed(account, settings) if of_the_erp_too else credit.ordered(account),
    }


def shops(account: Account, settings: Settings) -> list[dict[str, Any]]:
    return [{"shopId": shop, "shopName": settings.shops.get(shop, "")} for shop in account.shops]


def only(record: dict[str, Any], wanted: Iterable[str], settings: Settings) -> dict[str, Any]:
    """The record with the wanted elements; nested ones are asked for by their flat names. Unknown names do nothing."""
    nested = _NESTED | ({"clientNipUeDeclaration": "clientPreferences"} if settings.nip_ue_in_elements else {})
    nested = {} if settings.flat_elements else nested
    chosen: dict[str, Any] = {}
    for flat in wanted:
        name = _RENAMED.get(flat, flat)
        group = nested.get(name)
        if group:
            chosen.setdefault(group, {}).update({name: record[group][name]} if name in record[group] else {})
        elif name in record:
            chosen[name] = record[name]
    return chosen


def crm_client(account: Account, settings: Settings) -> dict[str, Any]:
    """One record of the CRM search: the writing words, but neither billing address nor modification date."""
    return {
        "clientId": account.id,
        "clientLogin": account.login,
        "clientEmail": account.email,
        "clientType": account.client_type,
        "clientIsWholesaler": yes_no(account.wholesaler),
        "clientCountryId": account.country_code.lower(),
        "langId": account.language,
        "clientOrdersCompletedCount": 0,
        "clientOrdersAllCount": 0,
        "clientObservedProductsCount": 0,
        "clientPurchasedProductsCount": 0,
        "clientTotalOrdersValue": 0,
        "clientLoyaltyPoints": 0,
        "clientDiscount": {"clientDiscountType": "group" if account.discount_group_id else "none"},
        "clientLastPurchaseDate": NO_MOMENT,
        "clientLastLoginDate": NO_MOMENT,
        "clientActiveInShops": shops(account, settings),
        "clientPhone1": account.phone,
        "clientPhone2": account.phone2,
        "clientNote": account.note,
        "clientOpinionsCount": 0,
        "clientBalances": [],  # documented as a list, seen as a map by currency, or this when there is nothing
        "clientRmaCount": 0,
        "clientLoyaltyCards": [],
        "clientFirstName": account.first_name,
        "clientLastName": account.last_name,
        "clientNip": account.nip,
        **_nip_ue(account, settings),
        "clientFirm": account.company,
        "clientCodeExternal": account.external_code,
    }


def delivery_address(address: Address, settings: Settings) -> dict[str, Any]:
    """One address of GET clients/deliveryAddress; its id is text there."""
    return {
        "clientDeliveryAddressId": str(address.id),
        "clientDeliveryAddressFirstName": address.first_name,
        "clientDeliveryAddressLastName": address.last_name,
        "clientDeliveryAddressAdditional": address.additional,
        "clientDeliveryAddressPhone1": address.phone,
        "clientDeliveryAddressCity": address.city,
        "clientDeliveryAddressStreet": address.street,
        "clientDeliveryAddressRegionId": "",
        "clientDeliveryAddressProvinceId": address.province,
        "clientDeliveryAddressZipCode": address.zip_code,
        "clientDeliveryAddressCountry": country_shown(address.country_code, settings.address_country),
    }


def dressed(body: Any, settings: Settings) -> Any:
    """The body as the settings want it: numbers as text, empty objects as PHP writes them."""
    if not settings.numbers_as_text and not settings.php_empties:
        return body
    if isinstance(body, dict):
        dressed_items = {name: dressed(value, settings) for name, value in body.items()}
        return [] if not dressed_items and settings.php_empties else dressed_items
    if isinstance(body, list):
        return [dressed(each, settings) for each in body]
    is_number = isinstance(body, int | float | Decimal) and not isinstance(body, bool)
    return str(body) if is_number and settings.numbers_as_text else body
