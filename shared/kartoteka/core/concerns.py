"""The table of concerns: each fact about a synchronised field has its one home here.

A field is one line: its column in the exchange database, where the panel shows it, what the panel calls it on creating
and on updating, and how its values are written and compared. ``docs/fields.md`` is made from this table.
Names of the panel: Admin API v8, gates ``clients/clients`` and, for addresses, ``clients/deliveryAddress``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kartoteka.core import codecs, normal
from kartoteka.core.codecs import Codec
from kartoteka.core.model import Direction, Record, Value

Normaliser = Callable[[Value, Record], str]
"""(value, its record) -> the form in which two values are compared; empty text for every empty value."""


@dataclass(frozen=True, slots=True)
class Field:
    """One synchronised field.

    ``read`` is the path in the panel's answer, ``create`` and ``update`` the names for POST and PUT; empty where the
    panel does not show the field (the last value sent then stands for the panel's) or does not take it.
    ``max_length`` is the column's size in characters. ``direction`` is the default; None: the concern's. ``assumed`` is
    what an account is taken to have before anything was sent, of a field that the panel does not show. ``unsure``: it
    is not known whether the panel shows there what was written; that counts once something was sent, and a difference
    that stays after some corrections is believed to be of the panel's own. ``element`` is what ``returnElements`` calls
    the field; empty: the last name in ``read``.
    """

    name: str
    read: str
    create: str
    update: str
    max_length: int
    normalise: Normaliser = normal.text
    codec: Codec = codecs.TEXT
    direction: Direction | None = None
    assumed: Value = None
    unsure: bool = False
    element: str = ""


@dataclass(frozen=True, slots=True)
class Concern:
    """A group of fields that travel together: one function, one queue, one agreement.

    ``tables`` are those whose log entries wake it, ``table`` the one whose rows it reads and writes. ``items``: a
    customer has several records, each with an id of its own, and the panel shows them by a gate of their own.
    """

    name: str
    table: str
    tables: frozenset[str]
    fields: Mapping[str, Field]
    items: bool = False


_ONE_WAY = Direction.ERP_TO_PANEL

_BILLING = (
    Field("email", "clientEmail", "email", "clientEmail", 350, normal.email, codecs.EMAIL),
    Field("first_name", "clientBillingAddress.clientFirstName", "firstname", "clientFirstName", 100),
    Field("last_name", "clientBillingAddress.clientLastName", "lastname", "clientLastName", 100),
    Field("company", "clientBillingAddress.clientFirm", "company", "clientFirm", 300),
    Field(
        "nip", "clientBillingAddress.clientNip", "vat_number", "clientNip", 30, normal.tax_number, direction=_ONE_WAY
    ),
    Field("street", "clientBillingAddress.clientStreet", "street", "clientStreet", 200),
    Field("zip_code", "clientBillingAddress.clientZipCode", "zipcode", "clientZipCode", 20, normal.postcode),
    Field("city", "clientBillingAddress.clientCity", "city", "clientCity", 100),
    Field(
        "country_code",
        "clientBillingAddress.clientCountryId",
        "country_code",
        "clientCountryId",
        2,
        normal.caseless,
        codecs.COUNTRY,
    ),
    Field("phone", "clientBillingAddress.clientPhone1", "phone", "clientPhone1", 150, normal.phone),
    Field("client_type", "clientType", "client_type", "clientType", 16, normal.caseless, codecs.CLIENT_TYPE, _ONE_WAY),
    Field("language", "clientPreferences.langId", "language", "langId", 3, normal.caseless, codecs.LANGUAGE, _ONE_WAY),
    Field(
        "currency",
        "clientPreferences.currencyId",
        "currency",
        "currencyId",
        3,
        normal.caseless,
        codecs.CURRENCY,
        _ONE_WAY,
    ),
    Field(
        "wholesaler",
        "clientPreferences.clientIsWholesaler",
        "wholesaler",
        "clientIsWholesaler",
        5,
        normal.flag,
        codecs.FLAG,
        _ONE_WAY,
    ),
)


_ACCOUNT = (Field("active", "", "", "clientActive", 5, normal.flag, codecs.FLAG, _ONE_WAY, assumed=True),)

_SHOPS = (Field("shops", "clientActiveInShops", "shops", "shopsIds", 400, normal.shop_list, codecs.SHOPS, _ONE_WAY),)


_DISCOUNTS = (
    Field(
        "discount_group_id",
        "clientPreferences.clientGroupDiscountNumber",
        "",
        "clientGroupDiscountNumber",
        40,
        normal.text,
        codecs.GROUP,
        _ONE_WAY,
    ),
)


def _credit(shown: str, name: str, wire: str, *, unsure: bool = False) -> Field:
    read = f"clientTradeCredit.{shown}"
    element = "clientTradeCredit"
    return Field(name, read, "", wire, 16, normal.amount, codecs.MONEY, _ONE_WAY, unsure=unsure, element=element)


_CREDIT = (
    _credit("clientTradeCreditLimit", "credit_limit", "clientTradeCreditLimitExternal"),
    # Which figure shows what was written is unknown (contract, line 19): the credit used is the likeliest.
    _credit("clientTradeCreditUsed", "balance", "clientBalanceAmountExternal", unsure=True),
    Field("payment_days", "", "", "numberOfDaysToPay", 3, normal.whole, codecs.DAYS, _ONE_WAY),
)


def _line(name: str, panel: str, length: int, normalise: Normaliser = normal.text, codec: Codec = codecs.TEXT) -> Field:
    wire = f"clientDeliveryAddress{panel}"
    return Field(name, wire, wire, wire, length, normalise, codec)


_ADDRESS = (
    _line("first_name", "FirstName", 100),
    _line("last_name", "LastName", 100),
    _line("additional", "Additional", 300),
    _line("phone", "Phone1", 150, normal.phone),
    _line("street", "Street", 200),
    _line("zip_code", "ZipCode", 20, normal.postcode),
    _line("city", "City", 100),
    _line("country_code", "Country", 2, normal.caseless, codecs.COUNTRY),
)


def _concern(name: str, table: str, fields: tuple[Field, ...], *wakers: str, items: bool = False) -> Concern:
    return Concern(name, table, frozenset({table, *wakers}), MappingProxyType({f.name: f for f in fields}), items)


ACCOUNTS = _concern("accounts", "clients", _ACCOUNT, "client_shops", "sync_matches", "incoming_clients")
BILLING = _concern("billing", "clients", _BILLING, "sync_conflicts")
DELIVERY_ADDRESSES = _concern(
    "delivery_addresses", "delivery_addresses", _ADDRESS, "clients", "sync_conflicts", items=True
)
DISCOUNTS = _concern("discounts", "clients", _DISCOUNTS)
CREDIT = _concern("credit", "client_credit", _CREDIT)
SHOPS = _concern("shops", "clients", _SHOPS, "client_shops")

CONCERNS: Mapping[str, Concern] = MappingProxyType(
    {c.name: c for c in (ACCOUNTS, BILLING, DELIVERY_ADDRESSES, SHOPS, DISCOUNTS, CREDIT)}
)
"""Every concern by name."""

GROUPS = _concern("discount_groups", "discount_groups", (), "discount_group_items")
"""Discount groups and their prices: the other half of ``discounts``, whose keys are groups and not customers.

In the tables of ours what concerns a group has the concern ``discounts``, an empty client id, and the group's id as
item id.
"""

_HALVES: Mapping[str, tuple[str, ...]] = MappingProxyType({DISCOUNTS.name: (GROUPS.name, DISCOUNTS.name)})


def carried(concern: str) -> tuple[str, ...]:
    """Return what a concern's queue carries, in the order in which it is worked: customers, and before them groups."""
    return _HALVES.get(concern, (concern,))


PANEL_FEED = "panel_feed"
"""The name under which the panel's feed runs and is paused, beside the concerns."""

ACCOUNT_FIELDS: Mapping[str, Field] = MappingProxyType(
    {name: field for concern in CONCERNS.values() if not concern.items for name, field in concern.fields.items()}
)
"""Every field that the panel keeps with the account itself, by name."""


def normalised(concern: Concern, record: Record) -> dict[str, str]:
    """Return the record's values of this concern in the form in which they are compared."""
    return {name: field.normalise(record.get(name), record) for name, field in concern.fields.items()}
