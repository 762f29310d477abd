"""The forms of the write gates: which field is of which type, and which attribute it sets.

The documented types are all that is known; a value of another type, or null, makes the whole call a 422 ("wrong data
form"). Unknown fields are counted, and ignored unless the setting `unknown_field` says otherwise: fields are added
inside a major version, so a caller may know more of them than its panel does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from local.panel.answers import Refusal
from local.panel.money import money
from local.panel.words import TYPES

Field = tuple[str, Callable[[Any], Any]]


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("boolean")
    return value


def whole(value: Any) -> int:
    """An integer; ids come and go as text too."""
    if isinstance(value, bool | float) or not isinstance(value, int | str):
        raise TypeError("integer")
    try:
        return int(value)
    except ValueError:
        raise ValueError("integer") from None


def amount(value: Any) -> Decimal:
    """Money: a number, not a text; the contract's assumption is two decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError("number")
    return money(value)


def text_or_number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("text")
    return str(value)


def numbers(value: Any) -> list[int]:
    if not isinstance(value, list):
        raise TypeError("list of integers")
    return list(dict.fromkeys(whole(each) for each in value))


def objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError("list of objects")
    return value


def anything(value: Any) -> Any:
    if value is None:
        raise ValueError("value")
    return value


def word(*allowed: str) -> Callable[[Any], str]:
    """One word out of a closed list."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"word of {', '.join(allowed)}")
        return str(value)

    return read


CLIENT_TYPE = word(*sorted(TYPES))
YES_NO = word("yes", "no")

CREATE: dict[str, Field] = {
    "login": ("login", text),
    "code_extern": ("external_code", text),
    "email": ("email", text),
    "firstname": ("first_name", text),
    "lastname": ("last_name", text),
    "street": ("street", text),
    "zipcode": ("zip_code", text),
    "city": ("city", text),
    "country_code": ("country_code", text),
    "province_code": ("province", text),
    "password": ("password", text),
    "birth_date": ("birth_date", text),
    "phone": ("phone", text),
    "company": ("company", text),
    "vat_number": ("nip", text),
    "nip_ue_declaration": ("nip_ue_declaration", YES_NO),
    "local_government_unit": ("local_government_unit", YES_NO),
    "wholesaler": ("wholesaler", boolean),
    "client_type": ("client_type", CLIENT_TYPE),
    "language": ("language", text),
    "shops": ("shops", numbers),
    "block_autosigning_to_shops": ("block_other_shops", boolean),
    "currency": ("currency", text),
    "delivery_dates": ("delivery_dates", anything),
    "external_balance_value": ("balance", amount),
    "external_trade_credit_limit_value": ("credit_limit", amount),
    "email_newsletter": ("email_newsletter", anything),
    "sms_newsletter": ("sms_newsletter", anything),
    "client_group": ("discount_group_id", whole),
    "request_reference": ("reference", text),
    "newsletter_email_approvals": ("newsletter_email_approvals", anything),
    "newsletter_sms_approvals": ("newsletter_sms_approvals", anything),
    "block_group_auto_assignment": ("block_group_auto_assignment", boolean),
    "affiliate_program": ("affiliate_program", text),
}

UPDATE: dict[str, Field] = {
    "clientLogin": ("login", text),
    "clientEmail": ("email", text),
    "clientFirstName": ("first_name", text),
    "clientLastName": ("last_name", text),
    "clientStreet": ("street", text),
    "clientZipCode": ("zip_code", text),
    "clientCity": ("city", text),
    "clientCountryId": ("country_code", text),
    "clientProvinceId": ("province", text_or_number),
    "clientPassword": ("password", text),
    "clientBirthDate": ("birth_date", text),
    "clientPhone1": ("phone", text),
    "clientFirm": ("company", text),
    "clientNip": ("nip", text),
    "clientNipUeDeclaration": ("nip_ue_declaration", YES_NO),
    "isLocalGovernmentUnit": ("local_government_unit", YES_NO),
    "clientIsWholesaler": ("wholesaler", boolean),
    "clientType": ("client_type", CLIENT_TYPE),
    "langId": ("language", text),
    "blockLoginToOtherShops": ("block_other_shops", boolean),
    "shopsIds": ("shops", numbers),
    "currencyId": ("currency", text),
    "clientCodeExternal": ("external_code", text),
    "deliveryDates": ("delivery_dates", anything),
    "clientBalanceAmountExternal": ("balance", amount),
    "clientTradeCreditLimitExternal": ("credit_limit", amount),
    "newsletterEmailApproval": ("email_newsletter", boolean),
    "newsletterSmsApproval": ("sms_newsletter", boolean),
    "newsletterEmailApprovalsData": ("newsletter_email_approvals", anything),
    "newsletterSmsApprovalsData": ("newsletter_sms_approvals", anything),
    "clientGroupDiscountNumber": ("discount_group_id", whole),
    "requestReference": ("reference", text),
    "clientActive": ("active", boolean),
    "numberOfDaysToPay": ("payment_days", whole),
    "affiliateLogin": ("affiliate_login", text),
    "affiliateId": ("affiliate_id", whole),
    "clientAffiliateProgram": ("affiliate_program", text),
    "clientNote": ("note", text),
}

ACCOUNT_ATTRIBUTES = frozenset(attribute for form in (CREATE, UPDATE) for attribute, _ in form.values())

ADDRESS: dict[str, Field] = {
    "clientLogin": ("login", text),
    "clientCodeExternal": ("external_code", text),
    "shopsIds": ("shops", numbers),
    "currencyId": ("currency", text),
    "clientDeliveryAddressFirstName": ("first_name", text),
    "clientDeliveryAddressLastName": ("last_name", text),
    "clientDeliveryAddressAdditional": ("additional", text),
    "clientDeliveryAddressPhone1": ("phone", text),
    "clientDeliveryAddressCity": ("city", text),
    "clientDeliveryAddressStreet": ("street", text),
    "clientDeliveryAddressRegionId": ("region", text_or_number),
    "clientDeliveryAddressProvinceId": ("province", text_or_number),
    "clientDeliveryAddressZipCode": ("zip_code", text),
    "clientDeliveryAddressCountry": ("country_code", text),
}

ADDRESS_KEY: dict[str, Field] = {
    "clientLogin": ("login", text),
    "clientCodeExternal": ("external_code", text),
    "clientDeliveryAddressId": ("id", whole),
}

_GROUP_LISTS = {
    "products": "product",
    "producers": "producer",
    "series": "series",
    "categories": "category",
    "menuItems": "menu_item",
}
GROUP: dict[str, Field] = {"discountGroupId": ("id", whole)}
GROUP_NAME: dict[str, Field] = {"discountGroupName": ("name", text)}
GROUP_PRICES: dict[str, Field] = GROUP | {name: (kind, objects) for name, kind in _GROUP_LISTS.items()}
GROUP_ITEMS: dict[str, Field] = GROUP | {name: (kind, numbers) for name, kind in _GROUP_LISTS.items()}
PRICE: dict[str, Field] = {"id": ("id", whole), "price": ("price", amount), "currency": ("currency", text)}


def without(form: dict[str, Field], attributes: Collection[str]) -> dict[str, Field]:
    """The form of a panel that does not know some fields."""
    return {name: field for name, field in form.items() if field[0] not in attributes}


def read_form(record: Any, form: dict[str, Field], unknown: Counter[str]) -> dict[str, Any]:
    """The record in plain words; what the form does not know is counted and left out."""
    if not isinstance(record, dict):
        raise Refusal(422, "a record is an object")
    plain: dict[str, Any] = {}
    for name, value in record.items():
        if name not in form:
            unknown[name] += 1
            continue
        attribute, read = form[name]
        try:
            plain[attribute] = read(value)
        except (ValueError, TypeError) as error:
            raise Refusal(422, f"{name}: expected {error}") from None
    return plain
