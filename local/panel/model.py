"""What the panel keeps: accounts, their delivery addresses and their orders, in plain words.

The attribute names are the plain vocabulary of seeds, dumps and in-process edits; the gates translate them from and
to the words of the API. Codes are kept the way they are written (country in capitals, type in the writing
vocabulary).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from local.panel.clock import NO_DATE, NO_MOMENT
from local.panel.money import ZERO, money


@dataclass(slots=True)
class Address:
    """One delivery address. It has no external id, and no modification date of its own."""

    id: int = 0
    first_name: str = ""
    last_name: str = ""
    additional: str = ""
    phone: str = ""
    street: str = ""
    zip_code: str = ""
    city: str = ""
    country_code: str = "PL"
    province: str = ""
    in_use: bool = False  # an order points to it: the panel refuses to delete it


@dataclass(slots=True)
class Order:
    """One order on trade credit, accepted or refused."""

    id: int = 0
    amount: Decimal = ZERO
    accepted: bool = False
    reason: str = ""  # why it was refused, in Polish and English
    at: str = NO_MOMENT
    open: bool = False  # accepted, and no balance of the ERP's has come since


@dataclass(slots=True)
class Account:
    """One account."""

    id: int = 0
    login: str = ""
    external_code: str = ""
    email: str = ""
    client_type: str = "person"
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    nip: str = ""
    street: str = ""
    zip_code: str = ""
    city: str = ""
    country_code: str = "PL"
    province: str = ""  # its code; the API shows a number in its place
    phone: str = ""
    phone2: str = ""
    birth_date: str = NO_DATE
    language: str = "pol"
    currency: str = "PLN"
    wholesaler: bool = False
    active: bool = True
    guest: bool = False
    removed: bool = False
    shops: list[int] = field(default_factory=lambda: [1])
    discount_group_id: int = 0
    block_group_auto_assignment: bool = False
    credit_limit: Decimal = ZERO
    balance: Decimal = ZERO  # the ERP's, written as an absolute figure
    panel_balance: Decimal = ZERO  # the panel's own, apart from the ERP's
    payment_days: int | None = None
    note: str = ""
    nip_ue_declaration: str = "no"  # registered for EU VAT
    local_government_unit: str = "no"  # for KSeF; taken, never shown by the API
    registered: str = NO_DATE
    modified: str = NO_MOMENT
    has_password: bool = False
    extras: dict[str, Any] = field(default_factory=dict)  # taken, never shown: consents, affiliates, delivery dates
    addresses: list[Address] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain copy for dumps and assertions."""
        return asdict(self)

    def address(self, address_id: int) -> Address | None:
        """The address of that id, if it is of this account."""
        return next((each for each in self.addresses if each.id == address_id), None)


ACCOUNT_FIELDS = frozenset(each.name for each in fields(Account))
ADDRESS_FIELDS = frozenset(each.name for each in fields(Address))
EDITABLE = ACCOUNT_FIELDS - {"id", "addresses", "modified", "orders"}
ADDRESS_EDITABLE = ADDRESS_FIELDS - {"id"}
_MONEY = frozenset({"credit_limit", "balance", "panel_balance"})


def address_from(plain: dict[str, Any]) -> Address:
    """An address from a seed; an unknown word is a mistake of the caller."""
    _only_known(plain, ADDRESS_FIELDS)
    return Address(**plain)


def account_from(plain: dict[str, Any]) -> Account:
    """An account from a seed; an unknown word is a mistake of the caller."""
    _only_known(plain, ACCOUNT_FIELDS)
    addresses = [address_from(each) for each in plain.get("addresses", [])]
    orders = [Order(**{**each, "amount": money(each["amount"])}) for each in plain.get("orders", [])]
    return Account(**{**exact(plain), "addresses": addresses, "orders": orders})


def exact(plain: dict[str, Any]) -> dict[str, Any]:
    """The same values with every amount as a Decimal of two places."""
    return {name: money(value) if name in _MONEY else value for name, value in plain.items()}


def _only_known(plain: dict[str, Any], known: frozenset[str]) -> None:
    unknown = set(plain) - known
    if unknown:
        raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
