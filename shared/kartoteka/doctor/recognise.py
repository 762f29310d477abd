"""Which of a stranger's tables and columns hold what: by their names, Polish and English, and by what points where.

Only names and types are looked at, never a row. What is not certain is said to be so. This is a dictionary: our columns
stand here as what strangers' words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa
from anyascii import anyascii

ID, CLIENT = "id", "client_id"
"""Our names of a row's own key, and of the client it belongs to."""
HOUSE, FLAT, CLOSED = "house", "flat", "closed"
"""What may stand in a column of its own there, and has none with us."""
STREET = "street"
ZEROS_COUNT = frozenset({"phone", "nip", "zip_code"})
"""Columns that are no numbers, though they may have been kept as numbers: leading zeros are lost then."""
TRUE_WORDS = ("t", "true", "y", "yes", "tak", "1")
FIRM_WORDS, PERSON_WORDS = ("firm", "firma", "f", "company", "c", "b2b"), ("person", "osoba", "p", "o", "private")


@dataclass(frozen=True, slots=True)
class Theirs:
    """One of their tables: its columns with their types, its primary key, and column -> (table, column) pointed at."""

    name: str
    columns: Mapping[str, sa.types.TypeEngine[object]]
    key: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class Names(NamedTuple):
    """By what a column is known: names that leave no doubt, the likeliest first, and a pattern of those that might."""

    sure: tuple[str, ...]
    maybe: str = ""
    never: str = "^$"


class Pick(NamedTuple):
    """The column that holds something, whether its name leaves no doubt, and other columns that might hold it."""

    column: str
    sure: bool
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """What one of our tables looks like at a stranger's.

    ``called``: a pattern of the table's name; ``never``: of names that look alike. ``noise``: words that are said in
    its columns' names beside what they hold. ``needs``: without one of each of these it is not this table.
    ``by_name``: its columns say too little, so that its name must tell.
    """

    table: str
    called: str
    never: str
    noise: str
    columns: Mapping[str, Names]
    needs: tuple[tuple[str, ...], ...]
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Recognised:
    """One of our tables found in one of theirs. ``also``: other tables of theirs that look like it."""

    role: Role
    theirs: Theirs
    picks: Mapping[str, Pick]
    called: bool
    also: tuple[str, ...] = ()


_WHOLE_NAME = "imie.*nazwisk|nazwisk.*imie|first.*last|full"
_PERSON = {
    "first_name": Names(("firstname", "imie", "forename", "givenname"), "imie|firstname", _WHOLE_NAME),
    "last_name": Names(("lastname", "nazwisko", "surname", "familyname"), "nazwisk|lastname|surname", _WHOLE_NAME),
}
_PHONE = Names(
    ("phone", "telefon", "tel", "telephone", "phonenumber", "nrtelefonu", "numertelefonu", "nrtel", "mobile", "gsm"),
    "phone|telefon|^tel|mobile|komork",
    "fax|faks",
)
_PLACE = {
    "street": Names(
        ("street", "ulica", "ul", "streetaddress", "addressline", "adres", "address"),
        "ulica|street|^(adres|address)",
        "email|mail|num|nr$|^nr|domu|lokalu",
    ),
    HOUSE: Names(("nrdomu", "numerdomu", "dom", "nrbudynku", "house", "housenumber", "streetnumber", "homenumber")),
    FLAT: Names(("nrlokalu", "numerlokalu", "lokal", "nrmieszkania", "mieszkanie", "flat", "flatnumber", "apartment")),
    "zip_code": Names(
        ("zipcode", "zip", "postcode", "postalcode", "kodpocztowy", "kodpoczt"), "poczt|zip|postal|postc"
    ),
    "city": Names(("city", "town", "miasto", "miejscowosc"), "miast|miejscow|city|^town"),
    "country_code": Names(
        ("countrycode", "countryiso", "kodkraju", "country", "kraj", "panstwo"), "countr|kraj|panstw", "name|nazwa"
    ),
}
_REFERENCE = Names(
    (
        *("clientid", "klientid", "idklienta", "idklient", "kontrahentid", "idkontrahenta", "customerid", "idclient"),
        *("idcustomer", "idodbiorcy", "odbiorcaid", "client", "klient", "kontrahent", "customer", "odbiorca", "userid"),
        *("clientcode", "customercode", "kodklienta", "kodkontrahenta", "clientsid", "customersid"),
    ),
    "client.*id|klient|kontrah|customer.*id|odbiorc",
)
_COMPANY = ("company", "companyname", "firma", "nazwafirmy", "firm", "firmname", "nazwapelna", "nazwa", "name")
_WORDS = (
    "clients?|customers?|cust|klien(t|ta|ci)|kontrahen(t|ta|ci)|kontr|knt|odbiorc[ay]|billing|invoice|faktur[ay]|dane"
)
_OTHERS = "log|hist|archi|backup|bak$|tmp|temp|order|zamow|dokument|faktur|invoice|supplier|dostawc|produ|towar|paym"

CLIENTS = Role(
    table="clients",
    called="client|customer|klien|kontrah|odbiorc|^knt",
    never=_OTHERS + "|adres|address|deliver|dostaw|shop|sklep|grup|group|kredyt|credit|sald|balanc",
    noise=_WORDS + "|adresu?|address",
    columns={
        ID: Names(
            (
                *(
                    "externalcode",
                    "codeextern",
                    "codeexternal",
                    "externalid",
                    "kodzewnetrzny",
                    "kodzewnetrznegosystemu",
                ),
                *("erpcode", "erpid", "kod", "code", "symbol", "akronim", "identyfikator", "id", "guid", "uuid"),
            ),
            "^id$|^nr$|^number$|^numer$",
        ),
        "login": Names(("login", "username", "loginname", "nazwauzytkownika"), "login"),
        "email": Names(("email", "mail", "emailaddress", "adresemail", "adresmail"), "mail"),
        "phone": _PHONE,
        "client_type": Names(("clienttype", "typ", "type", "rodzaj", "kind"), ""),
        **_PERSON,
        "company": Names(
            _COMPANY, "firm|company|nazwa|name", f"{_WHOLE_NAME}|user|uzytk|login|imie|nazwisk|last|first"
        ),
        "nip": Names(
            ("nip", "nrnip", "numernip", "nipue", "vatnumber", "vatid", "vatno", "vat", "taxnumber", "taxid"),
            "nip|vatn|vati|taxn|taxi",
        ),
        **_PLACE,
        "province": Names(("province", "wojewodztwo", "region"), "wojew|provinc"),
        "language": Names(("language", "lang", "jezyk", "langcode", "languagecode"), "langu|jezyk"),
        "currency": Names(("currency", "waluta", "currencycode", "kodwaluty"), "currenc|walut"),
        "wholesaler": Names(("wholesaler", "iswholesaler", "wholesale", "hurtownik", "czyhurtownik", "hurt", "b2b")),
        "active": Names(("active", "isactive", "enabled", "aktywny", "czyaktywny", "aktywne")),
        CLOSED: Names(("inactive", "nieaktywny", "blocked", "zablokowany", "disabled", "archiwalny", "deleted")),
        "discount_group_id": Names(
            (
                *("discountgroupid", "discountgroup", "iddiscountgroup", "gruparabatowa", "idgrupyrabatowej"),
                *("gruparabatowaid", "discountgroupnumber", "rabatgroup", "gruparabatu"),
            ),
            "grup|group",
            "name|nazwa",
        ),
    },
    needs=((ID,), ("email", "nip", "login"), ("city", "company", "last_name")),
)
ADDRESSES = Role(
    table="delivery_addresses",
    called="deliver|shipping|dostaw|wysylk|adres|address",
    never=_OTHERS,
    noise=_WORDS + "|delivery|shipping|dostaw[ay]|wysylk[ai]|adresu?|address|recipient",
    columns={
        CLIENT: _REFERENCE,
        ID: Names(("id", "guid", "uuid", "nr", "lp", "kod", "code"), ""),
        **_PERSON,
        "additional": Names(("additional", "dodatkowe", *_COMPANY), "firm|company|additional|dodatk", _WHOLE_NAME),
        "phone": _PHONE,
        **_PLACE,
    },
    needs=((CLIENT,), ("street",), ("city",)),
)
GROUPS = Role(
    table="discount_groups",
    called="(grup|group).*(rabat|discount)|(rabat|discount).*(grup|group)",
    never=_OTHERS + "|item|pozycj|price|cen",
    noise="discounts?|rabat|rabatow[aey]j?|groups?|grup[ay]",
    columns={
        ID: Names(("id", "number", "numer", "kod", "code", "symbol"), ""),
        "name": Names(("name", "nazwa"), "nazw"),
    },
    needs=((ID,), ("name",)),
    by_name=True,
)
SHOPS = Role(
    table="client_shops",
    called="sklep|shop|store",
    never=_OTHERS,
    noise="",
    columns={
        CLIENT: _REFERENCE,
        "shop_id": Names(("shopid", "idsklepu", "sklepid", "idshop", "shop", "sklep", "storeid"), "shop|sklep|store"),
    },
    needs=((CLIENT,), ("shop_id",)),
)
CREDIT = Role(
    table="client_credit",
    called="kredyt|credit|sald|balanc|limit|rozrach|zadluz|debt|nalezn",
    never=_OTHERS,
    noise=_WORDS,
    columns={
        CLIENT: _REFERENCE,
        "credit_allowed": Names(("creditallowed", "allowcredit", "creditenabled", "czykredyt", "kredytdozwolony")),
        "credit_limit": Names(
            (
                "creditlimit",
                "limitkredytu",
                "limitkredytowy",
                "limitkupiecki",
                "tradecreditlimit",
                "limit",
                "debtlimit",
            ),
            "limit",
        ),
        "balance": Names(("balance", "saldo", "zadluzenie", "debt", "naleznosci"), "sald|zadluz|balanc|debt|nalezn"),
        "currency": Names(("currency", "waluta", "currencycode", "kodwaluty"), "currenc|walut"),
        "payment_days": Names(
            ("paymentdays", "paymentterm", "terminplatnosci", "dniplatnosci", "numberofdaystopay"), "termin|paymentd"
        ),
        "overdue": Names(("overdue", "przeterminowane", "poterminie", "pastdue"), "overdue|przetermin"),
        "as_of": Names(("asof", "stanna", "nadzien", "updatedat", "dataaktualizacji"), "^data|date|updat|modif|aktual"),
    },
    needs=((CLIENT,), ("credit_limit", "balance")),
)
OTHERS = (GROUPS, SHOPS, CREDIT, ADDRESSES)
"""Every role but the clients', the hardest to mistake first."""


def recognised(tables: Iterable[Theirs]) -> list[Recognised]:
    """Return what was recognised, the clients first; without clients nothing.

    Shops and credit may stand in the clients' own rows.
    """
    left = {each.name: each for each in tables}
    clients = _best(CLIENTS, left.values(), None)
    if clients is None:
        return []
    del left[clients.theirs.name]
    found = [clients]
    for role in OTHERS:
        best = _best(role, left.values(), clients.theirs)
        if best is not None:
            del left[best.theirs.name]
            found.append(best)
        elif role in (SHOPS, CREDIT) and (own := _in_clients(role, clients)):
            found.append(own)
    return found


def _best(role: Role, tables: Iterable[Theirs], clients: Theirs | None) -> Recognised | None:
    """Return the table that looks most like this one, where any does."""
    seen = [each for theirs in tables if (each := _seen_as(role, theirs, clients))]
    seen.sort(key=lambda each: (-_points(each), each.theirs.name))
    if not seen:
        return None
    first, *others = seen
    also = tuple(each.theirs.name for each in others if each.called or not first.called)
    return Recognised(role, first.theirs, first.picks, first.called, also)


def _points(found: Recognised) -> float:
    """Return how much a table looks like it: its name counts as much as five columns."""
    return 10 * found.called + sum(2 if pick.sure else 1 for pick in found.picks.values())


def _seen_as(role: Role, theirs: Theirs, clients: Theirs | None) -> Recognised | None:
    name = _joined(_words(theirs.name))
    called = bool(re.search(role.called, name)) and not re.search(role.never, name)
    if re.search(role.never, name) or (role.by_name and not called):
        return None
    picks = picked(role, theirs, clients)
    if not all(any(each in picks for each in some) for some in role.needs):
        return None
    return Recognised(role, theirs, picks, called)


def _in_clients(role: Role, clients: Recognised) -> Recognised | None:
    """Return a role whose columns stand in the clients' own rows."""
    columns = {name: names for name, names in role.columns.items() if name != CLIENT}
    own = Role(
        role.table, role.called, role.never, role.noise, columns, tuple(x for x in role.needs if CLIENT not in x)
    )
    found = {n: p for n, p in picked(own, clients.theirs, None).items() if p.sure or n in ("as_of", "currency")}
    if not all(any(each in found for each in some) for some in own.needs):
        return None
    return Recognised(role, clients.theirs, found, called=True)


def picked(role: Role, theirs: Theirs, clients: Theirs | None) -> dict[str, Pick]:
    """Return our column -> the column of theirs that holds it; no column of theirs is taken twice."""
    found: dict[str, Pick] = {}
    for name, names in role.columns.items():
        left = [each for each in theirs.columns if each not in {pick.column for pick in found.values()}]
        pointing = [each for each, (table, _) in theirs.references.items() if clients and table == clients.name]
        if name == CLIENT and len(pointing) == 1:
            found[name] = Pick(pointing[0], sure=True)
        elif pick := _pick(names, left, "" if name == CLIENT else role.noise):
            found[name] = pick
    if ID in role.columns and ID not in found and len(theirs.key) == 1:
        found[ID] = Pick(theirs.key[0], sure=False)
    taken = {pick.column for pick in found.values()}
    return {name: pick._replace(others=tuple(c for c in pick.others if c not in taken)) for name, pick in found.items()}


def _pick(names: Names, columns: Sequence[str], noise: str) -> Pick | None:
    forms = {column: _forms(column, noise) for column in columns}
    sure = [column for each in names.sure for column in columns if each in forms[column]]
    may = [c for c in columns if names.maybe and any(re.search(names.maybe, form) for form in forms[c])]
    never = {c for c in columns if any(re.search(names.never, form) for form in forms[c])}
    likely = [*dict.fromkeys(c for c in (*sure, *may) if c in sure or c not in never)]
    if not likely:
        return None
    return Pick(likely[0], likely[0] in sure, tuple(likely[1:]))


def _forms(column: str, noise: str) -> frozenset[str]:
    """Return the forms in which a column's name is looked for: whole, without words of no weight, without a last 1."""
    words = _words(column)
    told = tuple(word for word in words if not re.fullmatch(noise, word))
    first = told[:-1] if told and told[-1] == "1" else told
    return frozenset({_joined(words), _joined(told), _joined(first)}) - {""}


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name, lower case, without diacritics: ``KodPocztowy`` and ``kod_pocztowy`` are equal."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", anyascii(name))
    return tuple(re.findall(r"[a-z]+|[0-9]+", plain.lower()))


def _joined(words: Iterable[str]) -> str:
    return "".join(words)
