"""What the panel checks in one record, with the contract's fault codes 1 to 21.

A check looks at the record as it would become, and only at what the request touches: a partial write does not fail
for old data that it leaves alone. Texts quote the value, as a real panel's may; they must not be logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from stdnum import get_cc_module

from local.panel.answers import RecordFault
from local.panel.clock import NO_DATE, is_date
from local.panel.groups import Groups
from local.panel.settings import Settings
from local.panel.words import COUNTRIES, province_code

NOT_FOUND = 101  # the contract lists no codes for these, so callers must not depend on the numbers
NO_GROUP = 102
IN_USE = 103
AMBIGUOUS = 104
NO_LEAVING = 105
BAD_PRICE = 106
BAD_NAME = 107
BAD_PROVINCE = 108
UNKNOWN_FIELD = 109

Values = Mapping[str, Any]
Check = Callable[[Values, Settings], RecordFault | None]

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(\.[^@\s,;.]+)+")
_PHONE = re.compile(r"[+()\d\s./-]*")
_POLISH_POSTCODE = re.compile(r"\d{2}-?\d{3}")
_POSTCODE = re.compile(r"[\w][\w\s-]{1,11}")


def login_fault(login: str) -> RecordFault | None:
    """Faults 1 and 2; digits and punctuation are fine, capitals and blanks are not."""
    if not login.strip():
        return RecordFault(1, "Nie podano loginu")
    if login != login.lower() or re.search(r"\s", login):
        return RecordFault(2, f"Login musi być pisany małymi literami: {login}")
    return None


def password_fault(password: str, login: str) -> RecordFault | None:
    """Faults 5 to 7; a password is checked only when one is given (the code table says 6 to 30 characters)."""
    if len(password) < 6:
        return RecordFault(5, "Hasło ma mniej niż 6 znaków")
    if len(password) > 30:
        return RecordFault(6, "Hasło ma więcej niż 30 znaków")
    return RecordFault(7, "Hasło jest takie samo jak login") if password == login else None


def _birth_date(values: Values, settings: Settings) -> RecordFault | None:
    date = values["birth_date"]
    return None if date in ("", NO_DATE) or is_date(date) else RecordFault(9, f"Błędna data urodzenia: {date}")


def _first_name(values: Values, settings: Settings) -> RecordFault | None:
    return RecordFault(10, "Nie podano imienia") if _needs_names(values) and not _filled(values, "first_name") else None


def _last_name(values: Values, settings: Settings) -> RecordFault | None:
    needed = _needs_names(values) and not _filled(values, "last_name")
    return RecordFault(11, "Nie podano nazwiska") if needed else None


def _needs_names(values: Values) -> bool:
    """A company may give just its name."""
    return values["client_type"] != "firm" and not _filled(values, "company")


def _email(values: Values, settings: Settings) -> RecordFault | None:
    email = values["email"].strip()
    return None if _EMAIL.fullmatch(email) else RecordFault(12, f"Błędny adres e-mail: {email}")


def _shops(values: Values, settings: Settings) -> RecordFault | None:
    shops = values["shops"]
    if not shops:
        return RecordFault(13, "Nie podano identyfikatora sklepu")
    unknown = [each for each in shops if each not in settings.shops]
    return RecordFault(14, f"Błędny identyfikator sklepu: {unknown[0]}") if unknown else None


def _nip(values: Values, settings: Settings) -> RecordFault | None:
    nip, country = values["nip"].strip(), values["country_code"].upper()
    if not nip or is_tax_number(nip, country):
        return None
    return RecordFault(15, f"Numer NIP {nip} jest nieprawidłowy dla kraju {country}")


def is_tax_number(number: str, country: str) -> bool:
    """Whether it is a VAT number of that country; countries without known rules take any text."""
    try:
        module = get_cc_module(country.lower(), "vat")
    except (ImportError, ValueError):
        return True
    return module is None or bool(module.is_valid(number))


def _company(values: Values, settings: Settings) -> RecordFault | None:
    missing = values["client_type"] == "firm" and not _filled(values, "company")
    return RecordFault(16, "Nie podano nazwy firmy") if missing else None


def _country(values: Values, settings: Settings) -> RecordFault | None:
    country = values["country_code"]
    return None if country.upper() in COUNTRIES else RecordFault(17, f"Błędny kraj: {country}")


def _city(values: Values, settings: Settings) -> RecordFault | None:
    return None if _filled(values, "city") else RecordFault(18, "Błędna miejscowość")


def _street(values: Values, settings: Settings) -> RecordFault | None:
    return None if _filled(values, "street") else RecordFault(19, "Błędny adres")


def _zip_code(values: Values, settings: Settings) -> RecordFault | None:
    zip_code = values["zip_code"].strip()
    form = _POLISH_POSTCODE if values["country_code"].upper() == "PL" else _POSTCODE
    return None if form.fullmatch(zip_code) else RecordFault(20, f"Błędny kod pocztowy: {zip_code}")


def _phone(values: Values, settings: Settings) -> RecordFault | None:
    phone = values["phone"].strip()
    digits = sum(character.isdigit() for character in phone)
    fine = not settings.phone_required if not phone else bool(_PHONE.fullmatch(phone)) and 5 <= digits <= 20
    return None if fine else RecordFault(21, f"Błędny numer telefonu: {phone}")


def _province(values: Values, settings: Settings) -> RecordFault | None:
    province = values["province"].strip()
    if not province or province_code(values["country_code"], province):
        return None
    return RecordFault(BAD_PROVINCE, f"Błędne województwo: {province}")


def group_faults(plain: Values, groups: Groups, leave_group: str = "zero") -> list[RecordFault]:
    """A group that is written must be there; whether 0 means no group is one of the contract's unknowns."""
    group = plain.get("discount_group_id")
    if group is None or group in groups or (group == 0 and leave_group == "zero"):
        return []
    if group == 0:
        return [RecordFault(NO_LEAVING, "Klient musi mieć grupę rabatową")]
    return [RecordFault(NO_GROUP, f"Brak grupy rabatowej {group}")]


def _filled(values: Values, name: str) -> bool:
    return bool(values[name].strip())


# which check runs when one of these attributes is touched, in the order of the fault codes
CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"birth_date"}), _birth_date),
    (frozenset({"first_name", "client_type", "company"}), _first_name),
    (frozenset({"last_name", "client_type", "company"}), _last_name),
    (frozenset({"email"}), _email),
    (frozenset({"shops"}), _shops),
    (frozenset({"nip", "country_code"}), _nip),
    (frozenset({"company", "client_type"}), _company),
    (frozenset({"country_code"}), _country),
    (frozenset({"city"}), _city),
    (frozenset({"street"}), _street),
    (frozenset({"zip_code", "country_code"}), _zip_code),
    (frozenset({"phone"}), _phone),
    (frozenset({"province"}), _province),
)

ADDRESS_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"country_code"}), _country),
    (frozenset({"city"}), _city),
    (frozenset({"street"}), _street),
    (frozenset({"zip_code", "country_code"}), _zip_code),
)


def faults_of(values: Values, touched: Collection[str], settings: Settings) -> list[RecordFault]:
    """Every fault of an account's values that a change of the touched attributes can have caused."""
    return _run(CHECKS, values, touched, settings)


def address_faults(values: Values, touched: Collection[str], settings: Settings) -> list[RecordFault]:
    """The same for a delivery address. Its gates list no codes; those of an account are used."""
    found = _run(ADDRESS_CHECKS, values, touched, settings)
    if "phone" in touched and values["phone"].strip():
        found += [fault for fault in [_phone(values, settings)] if fault]
    if settings.address_names_required:
        found += [
            RecordFault(code, "Nie podano imienia lub nazwiska odbiorcy")
            for code, name in ((10, "first_name"), (11, "last_name"))
            if name in touched and not _filled(values, name)
        ]
    return found


def _run(
    checks: tuple[tuple[frozenset[str], Check], ...],
    values: Values,
    touched: Collection[str],
    settings: Settings,
) -> list[RecordFault]:
    wanted = set(touched)
    found = (check(values, settings) for names, check in checks if names & wanted)
    return [fault for fault in found if fault is not None]
