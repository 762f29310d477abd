"""THE table: each fact about a synchronised field has its one home here, one line a field.

The columns of the exchange database, what the panel is asked and told, the check before a call, the policy's defaults
and ``docs/fields.md`` are made from it. Names of the panel: Admin API v8, gates ``clients/clients`` and, for addresses,
``clients/deliveryAddress``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from kartoteka.fields import codecs, normal, risk
from kartoteka.fields.codecs import Codec
from kartoteka.fields.risk import Risk
from kartoteka.model import Direction, Value, Values

Normaliser = Callable[[Value, str], str]
"""(value, country of its record) -> the form in which two values are compared; empty text for every empty value."""


class Column(enum.Enum):
    """How a column of the exchange database is typed; NONE: the field stands in rows of its own."""

    NONE = "none"
    TEXT = "text"
    FIXED = "fixed-length text"
    FLAG = "boolean"
    MONEY = "decimal(12,2)"
    PERCENT = "decimal(5,2)"
    WHOLE = "integer"
    MOMENT = "timestamp"


@dataclass(frozen=True, slots=True)
class Kind:
    """What fields of one kind have in common.

    ``is_code``: always filled in the panel, so it cannot be erased. ``translated``: the concern puts its values into
    the panel's words, which the codec takes. ``by_country``: a value is read, and right or wrong, by the record's country.
    ``free``: text as people write it, which a side may cut or damage.
    """

    column: Column = Column.TEXT
    normalise: Normaliser = normal.text
    codec: Codec = codecs.TEXT
    is_code: bool = False
    translated: bool = False
    by_country: bool = False
    free: bool = False


TEXT = Kind(free=True)
EMAIL = Kind(normalise=normal.email, codec=codecs.EMAIL, free=True)
PHONE = Kind(normalise=normal.phone, by_country=True, free=True)
POSTCODE = Kind(normalise=normal.postcode, by_country=True, free=True)
TAX_NUMBER = Kind(normalise=normal.tax_number, by_country=True, free=True)
COUNTRY = Kind(Column.FIXED, normal.caseless, codecs.COUNTRY, is_code=True)
LANGUAGE = Kind(Column.FIXED, normal.caseless, codecs.LANGUAGE, is_code=True)
CURRENCY = Kind(Column.FIXED, normal.caseless, codecs.CURRENCY, is_code=True)
CLIENT_TYPE = Kind(normalise=normal.caseless, codec=codecs.CLIENT_TYPE, is_code=True)
FLAG = Kind(Column.FLAG, normal.flag, codecs.FLAG)
YES_NO = Kind(Column.FLAG, normal.flag, codecs.YES_NO)
MONEY = Kind(Column.MONEY, normal.amount, codecs.MONEY)
DAYS = Kind(Column.WHOLE, normal.whole, codecs.DAYS)
SHOP_LIST = Kind(Column.NONE, normal.shop_list, codecs.SHOPS)
GROUP = Kind(codec=codecs.GROUP, translated=True)


class Shown(enum.Enum):
    """How the panel shows what was written into a field."""

    AS_WRITTEN = "as written"
    IN_OTHER_WORDS = "by a value that no list explains: another one later is told, never carried"
    AS_ANOTHER_FIGURE = "perhaps as another figure: another one later is drift"


@dataclass(frozen=True, slots=True)
class Field:
    """One synchronised field.

    ``name`` is the column in the exchange database, ``length`` its size in characters. ``read`` is the path in the
    panel's answer, ``create`` and ``update`` the names for POST and PUT; empty where the panel does not show the field
    (the last value sent then stands for the panel's) or does not take it. ``direction`` is the default; None: the
    concern's. ``assumed`` is what an account is taken to have before anything was sent, ``default`` the
    column's default. ``element`` is what
    ``returnElements`` calls the field; empty: the last name in ``read``. ``since``: the Admin API that first had the
    field; an older panel refuses it. ``group``: fields of one group mean something only together, so that where one is
    refused the others are not sent. ``watched``: read on both sides for a check, never written. ``protected``: one value
    is replaced by another one only by a person's word, unless the policy says otherwise. ``recomputed``: a figure that
    the ERP computes anew for everybody, again and again, so that it is no mass change where all of them move. ``note``: what the page
    of the fields says of a value that is not simply what stands in its column.
    """

    name: str
    kind: Kind
    length: int
    read: str = ""
    create: str = ""
    update: str = ""
    direction: Direction | None = None
    risk: Risk = risk.emptied
    shown: Shown = Shown.AS_WRITTEN
    assumed: Value = None
    default: Value = None
    element: str = ""
    since: str = ""
    group: str = ""
    watched: bool = False
    protected: bool = False
    recomputed: bool = False
    note: str = ""

    def normalise(self, value: Value, record: Values) -> str:
        """Return a value of this record in the form in which two values are compared."""
        return self.kind.normalise(value, country_of(record) if self.kind.by_country else "")

    def meant(self, text: str | None) -> Value:
        """Return the value that a text of ``sync_history`` or ``sync_plan`` stands for; not for fields of ids."""
        if self.kind.column is not Column.FLAG:
            return text
        return text == "true" if text else None

    @property
    def codec(self) -> Codec:
        """How its values are written for the panel, and read back."""
        return self.kind.codec

    @property
    def unproved(self) -> bool:
        """Whether the panel takes it and never shows it, so that what was last sent stands for it."""
        return not self.read and bool(self.update) and self.assumed is None

    @property
    def comparable(self) -> bool:
        """Whether a value that the panel shows can be compared with one that was written."""
        return self.shown is Shown.AS_WRITTEN


Fields = Mapping[str, Field]
"""Field name -> field, in the order of the columns."""


def _fields(*fields: Field) -> Fields:
    return MappingProxyType({field.name: field for field in fields})


_ONE_WAY = Direction.ERP_TO_PANEL
_ADDRESS_OF = "clientBillingAddress."
_PREFERS = "clientPreferences."
_SHOPS_NOTE = (
    "is no column: it stands for the client's rows of `client_shops`, else the policy's rule, else its default shops; "
    "in `sync_history` it is their ids in ascending order, joined by commas (`1,2`)"
)
_GROUP_NOTE = "is the ERP's id in the exchange database, and the panel's number of that group in the panel"
_LIMIT_NOTE = "is 0 where `credit_allowed` is false, where stale figures count as none, where too much is overdue, and while the currency changes"
_PLACE, _WHO, _FIGURES = "place", "who", "figures"

# fmt: off
BILLING = _fields(
    Field("email", EMAIL, 350, "clientEmail", "email", "clientEmail", risk=risk.replaced),
    Field("phone", PHONE, 150, _ADDRESS_OF + "clientPhone1", "phone", "clientPhone1"),
    Field("client_type", CLIENT_TYPE, 16, "clientType", "client_type", "clientType", _ONE_WAY, group=_WHO),
    Field("first_name", TEXT, 100, _ADDRESS_OF + "clientFirstName", "firstname", "clientFirstName"),
    Field("last_name", TEXT, 100, _ADDRESS_OF + "clientLastName", "lastname", "clientLastName"),
    Field("company", TEXT, 300, _ADDRESS_OF + "clientFirm", "company", "clientFirm", group=_WHO),
    Field("nip", TAX_NUMBER, 30, _ADDRESS_OF + "clientNip", "vat_number", "clientNip", _ONE_WAY, risk.replaced, protected=True),
    Field("street", TEXT, 200, _ADDRESS_OF + "clientStreet", "street", "clientStreet", group=_PLACE),
    Field("zip_code", POSTCODE, 20, _ADDRESS_OF + "clientZipCode", "zipcode", "clientZipCode", group=_PLACE),
    Field("city", TEXT, 100, _ADDRESS_OF + "clientCity", "city", "clientCity", group=_PLACE),
    Field("province", TEXT, 40, _ADDRESS_OF + "clientProvinceId", "province_code", "clientProvinceId", _ONE_WAY, shown=Shown.IN_OTHER_WORDS, group=_PLACE),
    Field("country_code", COUNTRY, 2, _ADDRESS_OF + "clientCountryId", "country_code", "clientCountryId", default=normal.HOME_COUNTRY, group=_PLACE),
    Field("language", LANGUAGE, 3, _PREFERS + "langId", "language", "langId", _ONE_WAY),
    Field("currency", CURRENCY, 3, _PREFERS + "currencyId", "currency", "currencyId", _ONE_WAY),
    Field("wholesaler", FLAG, 5, _PREFERS + "clientIsWholesaler", "wholesaler", "clientIsWholesaler", _ONE_WAY),
    # The panel's answer has clientPreferences.clientNipUeDeclaration, but no name of returnElements asks for it.
    Field("vat_eu", YES_NO, 5, "", "nip_ue_declaration", "clientNipUeDeclaration", _ONE_WAY, since="7.10"),
    Field("local_government", YES_NO, 5, "", "local_government_unit", "isLocalGovernmentUnit", _ONE_WAY, since="8.12"),
)

ACCOUNTS = _fields(
    Field("active", FLAG, 5, "", "", "clientActive", _ONE_WAY, risk.switched_off, assumed=True, default=True),
)

SHOPS = _fields(
    Field("shops", SHOP_LIST, 400, "clientActiveInShops", "shops", "shopsIds", _ONE_WAY, risk.fewer, note=_SHOPS_NOTE),
)

DISCOUNTS = _fields(
    Field("discount_group_id", GROUP, 40, _PREFERS + "clientGroupDiscountNumber", "", "clientGroupDiscountNumber", _ONE_WAY, note=_GROUP_NOTE),
)

CREDIT = _fields(
    Field("credit_limit", MONEY, 16, "clientTradeCredit.clientTradeCreditLimit", "", "clientTradeCreditLimitExternal", _ONE_WAY, risk.zeroed, element="clientTradeCredit", group=_FIGURES, note=_LIMIT_NOTE),
    # Which figure shows the balance that was written is not known: the credit used is the likeliest.
    Field("balance", MONEY, 16, "clientTradeCredit.clientTradeCreditUsed", "", "clientBalanceAmountExternal", _ONE_WAY, shown=Shown.AS_ANOTHER_FIGURE, element="clientTradeCredit", group=_FIGURES, recomputed=True),
    Field("payment_days", DAYS, 3, "", "", "numberOfDaysToPay", _ONE_WAY),
    Field("currency", CURRENCY, 3, _PREFERS + "currencyId", watched=True),
)

_LINE = "clientDeliveryAddress"
DELIVERY_ADDRESSES = _fields(*(
    Field(name, kind, length, _LINE + wire, _LINE + wire, _LINE + wire, default=BILLING[name].default if name in BILLING else None, group=group)
    for name, kind, length, wire, group in (
        ("first_name", TEXT, 100, "FirstName", ""),
        ("last_name", TEXT, 100, "LastName", ""),
        ("additional", TEXT, 300, "Additional", ""),
        ("phone", PHONE, 150, "Phone1", ""),
        ("street", TEXT, 200, "Street", _PLACE),
        ("zip_code", POSTCODE, 20, "ZipCode", _PLACE),
        ("city", TEXT, 100, "City", _PLACE),
        ("country_code", COUNTRY, 2, "Country", _PLACE),
    )
))
# fmt: on

CLIENT_FIELDS: Fields = MappingProxyType({**BILLING, **ACCOUNTS, **DISCOUNTS})
"""The synchronised columns of ``clients``."""

ACCOUNT_FIELDS: Fields = MappingProxyType({**CREDIT, **SHOPS, **DISCOUNTS, **ACCOUNTS, **BILLING})
"""Every field that the panel keeps with the account itself."""

# --- fields with a part of their own: other modules take the names from here

LOGIN = "login"
"""The log-in name that the ERP wants for a client; not synchronised."""
ACTIVE = "active"
CODE = "external_code"
"""The name under which the giving of a client's code to its account stands in intents and in the history."""
EMAIL_FIELD, TAX_NUMBER_FIELD, PHONE_FIELD = "email", "nip", "phone"
RECOGNISED_BY: Mapping[str, Normaliser] = MappingProxyType(
    {TAX_NUMBER_FIELD: normal.tax_number_key, EMAIL_FIELD: normal.email_key, PHONE_FIELD: normal.phone_key}
)
"""By what a client, or an account, is recognised beside its code, and in which form."""
COUNTRY_FIELD = "country_code"
CURRENCY_FIELD = "currency"
TYPE_FIELD, FIRM = "client_type", "firm"
COMPANY_FIELD, PERSON_FIELDS = "company", ("first_name", "last_name")
"""What a firm needs, and what a person needs."""
NAMED_BY = (COMPANY_FIELD, *PERSON_FIELDS, *RECOGNISED_BY)
"""By what a person looks a client up, beside its code."""
SHOPS_FIELD = "shops"
GROUP_FIELD = "discount_group_id"
LIMIT, BALANCE = "credit_limit", "balance"
ALLOWED, OVERDUE, AS_OF = "credit_allowed", "overdue", "as_of"
"""Columns of ``client_credit`` that say what the figures mean."""

PLACE = ("street", "zip_code", "city")
"""What tells one place from another: no two addresses are the same where these differ."""
REQUIRED_ON_CREATE = (EMAIL_FIELD, *PLACE)
"""What the panel wants of a new account, by default (``panel.required_on_create``)."""
REQUIRABLE = frozenset({*REQUIRED_ON_CREATE, PHONE_FIELD, TAX_NUMBER_FIELD, COUNTRY_FIELD})
REQUIRED_OF_ADDRESS = (*PERSON_FIELDS, *PLACE)
"""What the panel wants of a new delivery address."""
TELLS_SHOP = (COUNTRY_FIELD, "language")
"""The columns by which a policy may tell a client's shops."""
LOGIN_PLACEHOLDERS = ("id", TAX_NUMBER_FIELD, EMAIL_FIELD, COMPANY_FIELD, "city")
"""What ``accounts.login.pattern`` may name."""

SHOP_REQUIRES: Mapping[str, str] = MappingProxyType(
    {"lastname": "last_name", "email": EMAIL_FIELD, "phone": PHONE_FIELD, "vat_number": TAX_NUMBER_FIELD}
)
"""What a shop calls a field that it requires of a customer (``client_edit_require_fields``) -> the field."""

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "10": "first_name",
        "11": "last_name",
        "12": "email",
        "13": "shops",
        "14": "shops",
        "15": "nip",
        "16": "company",
        "17": "country_code",
        "18": "city",
        "19": "street",
        "20": "zip_code",
        "21": "phone",
    }
)
"""Fault code of one record in the answers of clients POST and PUT -> the field that it is about."""

# --- columns of the ERP's tables that are read and not synchronised by themselves

CREDIT_COLUMNS = _fields(
    Field(ALLOWED, FLAG, 5),
    *(replace(field, watched=False) for field in CREDIT.values()),
    Field(OVERDUE, MONEY, 16),
    Field(AS_OF, Kind(Column.MOMENT), 40),
)
"""The columns of ``client_credit`` beside its key."""

ITEM_COLUMNS = _fields(
    Field("price", MONEY, 16),
    Field("rebate_percent", Kind(Column.PERCENT), 6),
    Field("base_price", MONEY, 16),
    Field(CURRENCY_FIELD, CURRENCY, 3),
    Field("valid_from", Kind(Column.MOMENT), 40),
    Field("valid_to", Kind(Column.MOMENT), 40),
)
"""The columns of ``discount_group_items`` beside its key."""

GROUP_NAME = "name"
GROUP_FIELDS = _fields(Field(GROUP_NAME, TEXT, 200, GROUP_NAME, direction=_ONE_WAY))
"""The columns of ``discount_groups`` beside its key."""


def country_of(record: Values) -> str:
    """Return the record's country, upper case, ISO 3166-1 alpha-2."""
    return str(record.get(COUNTRY_FIELD) or normal.HOME_COUNTRY).strip().upper()


def normalised(fields: Fields, record: Values) -> dict[str, str]:
    """Return the record's values of these fields in the form in which they are compared."""
    return {name: field.normalise(record.get(name), record) for name, field in fields.items()}


class Recognised(NamedTuple):
    """The values of :data:`RECOGNISED_BY`, in its order, normalised; empty where there is none, or one for "none"."""

    tax_number: str = ""
    mail: str = ""
    telephone: str = ""


def recognised_by(record: Values) -> Recognised:
    """Return by what a client, or an account, is recognised beside its code."""
    country = country_of(record)
    return Recognised(*(key(record.get(name), country) for name, key in RECOGNISED_BY.items()))


# --- where the rows of each concern stand


@dataclass(frozen=True, slots=True)
class Rows:
    """Where a concern's rows stand in the exchange database, and which of their columns it reads.

    ``table`` holds a client's own row: ``clients``, or a table with the key ``client_id``. ``with_shops``: the ids of
    ``client_shops`` are read beside it. ``items`` is the table of items that a client has several of, ``groups`` that
    of discount groups. ``wakers`` are further tables whose entries in ``change_log`` wake the concern. ``corrected_in``:
    what is to be corrected there and then travels, since the ERP's own figures are never undone; empty: they are.
    """

    fields: Fields
    table: str = "clients"
    columns: tuple[str, ...] = ()
    with_shops: bool = False
    items: str = ""
    groups: str = ""
    wakers: tuple[str, ...] = ()
    corrected_in: str = ""

    @property
    def tables(self) -> frozenset[str]:
        """Every table whose log entries wake the concern."""
        return frozenset({self.table, self.items, self.groups, *self.wakers} - {""})

    @property
    def recomputed(self) -> frozenset[str]:
        """The fields of which it is no mass change that all of them move."""
        return frozenset(name for name, field in self.fields.items() if field.recomputed)


CONCERNS: Mapping[str, Rows] = MappingProxyType(
    {
        "accounts": Rows(
            ACCOUNTS,
            columns=(*BILLING, LOGIN, *ACCOUNTS),
            with_shops=True,
            wakers=("client_shops", "sync_matches", "incoming_clients"),
        ),
        "billing": Rows(BILLING, columns=tuple(BILLING), wakers=("sync_conflicts",)),
        "delivery_addresses": Rows(
            DELIVERY_ADDRESSES,
            columns=TELLS_SHOP,
            with_shops=True,
            items="delivery_addresses",
            wakers=("sync_conflicts",),
        ),
        "shops": Rows(
            SHOPS, columns=TELLS_SHOP, with_shops=True, wakers=("client_shops",), corrected_in="client_shops"
        ),
        "discounts": Rows(
            DISCOUNTS,
            columns=tuple(DISCOUNTS),
            groups="discount_groups",
            wakers=("discount_group_items",),
            corrected_in=f"discount_groups, discount_group_items, clients.{GROUP_FIELD}",
        ),
        "credit": Rows(
            CREDIT,
            table="client_credit",
            columns=tuple(CREDIT_COLUMNS),
            wakers=("clients",),
            corrected_in="client_credit",
        ),
    }
)
"""Every concern by name, in the order in which a new client needs them."""


LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "active": ("konto czynne", "active"),
        "additional": ("dodatkowa linia", "additional line"),
        "as_of": ("stan na", "as of"),
        "balance": ("saldo", "balance"),
        "base_price": ("cena bazowa", "base price"),
        "city": ("miejscowość", "city"),
        "client_type": ("rodzaj klienta", "type"),
        "company": ("firma", "company"),
        "country_code": ("kraj", "country"),
        "credit_allowed": ("kredyt dozwolony", "credit allowed"),
        "credit_limit": ("limit kredytu", "credit limit"),
        "currency": ("waluta", "currency"),
        "discount_group_id": ("grupa rabatowa", "discount group"),
        "email": ("e-mail", "e-mail"),
        "first_name": ("imię", "first name"),
        "language": ("język", "language"),
        "last_name": ("nazwisko", "last name"),
        "local_government": ("jednostka samorządu", "local government"),
        "name": ("nazwa", "name"),
        "nip": ("NIP", "tax number"),
        "overdue": ("po terminie", "overdue"),
        "payment_days": ("dni na zapłatę", "days to pay"),
        "phone": ("telefon", "phone"),
        "price": ("cena", "price"),
        "province": ("województwo", "province"),
        "rebate_percent": ("rabat %", "rebate %"),
        "shops": ("sklepy", "shops"),
        "street": ("ulica", "street"),
        "valid_from": ("ważne od", "valid from"),
        "valid_to": ("ważne do", "valid to"),
        "vat_eu": ("VAT UE", "EU VAT"),
        "wholesaler": ("hurtownik", "wholesaler"),
        "zip_code": ("kod pocztowy", "postcode"),
    }
)
"""What a person calls a column, in Polish and in English; statuses name columns by their own names."""

_FLAG_WORDS = {"true": ("tak", "yes"), "false": ("nie", "no"), "1": ("tak", "yes"), "0": ("nie", "no")}
_FLAGS = (ALLOWED, *(name for name, field in CLIENT_FIELDS.items() if field.kind.column is Column.FLAG))
WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        TYPE_FIELD: {
            "person": ("osoba", "person"),
            "person_male": ("mężczyzna", "man"),
            "person_female": ("kobieta", "woman"),
            FIRM: ("firma", "firm"),
        },
        **dict.fromkeys(_FLAGS, _FLAG_WORDS),
    }
)
"""Column -> what a person calls those of its values that are words of ours, in Polish and in English."""
