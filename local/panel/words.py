"""The panel's two vocabularies and its code lists.

GET clients/clients uses other words than the write gates and the CRM search; country codes are written in any case
and read in small letters.
"""

from __future__ import annotations

import zlib

TYPE_READ = {
    "person": "private",
    "person_male": "male",
    "person_female": "female",
    "firm": "firm",
}
TYPES = frozenset(TYPE_READ)

_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())

COUNTRY_NAMES = {
    "PL": "Polska", "DE": "Niemcy", "CZ": "Czechy", "SK": "Słowacja", "FR": "Francja", "LT": "Litwa",
    "UA": "Ukraina", "AT": "Austria", "IT": "Włochy", "ES": "Hiszpania", "NL": "Holandia", "GB": "Wielka Brytania",
}  # fmt: skip

PROVINCES = {
    "PL": {
        "PL-DS": "dolnośląskie", "PL-KP": "kujawsko-pomorskie", "PL-LU": "lubelskie", "PL-LB": "lubuskie",
        "PL-LD": "łódzkie", "PL-MA": "małopolskie", "PL-MZ": "mazowieckie", "PL-OP": "opolskie",
        "PL-PK": "podkarpackie", "PL-PD": "podlaskie", "PL-PM": "pomorskie", "PL-SL": "śląskie",
        "PL-SK": "świętokrzyskie", "PL-WN": "warmińsko-mazurskie", "PL-WP": "wielkopolskie",
        "PL-ZP": "zachodniopomorskie",
    }
}  # fmt: skip


LONGEST_PROVINCE = 10


def province_code(country: str, text: str) -> str | None:
    """The code of a province that is given by its code or its name, in any case; None where the country has no such.

    Of a country whose provinces are not listed here, everything that looks like a code or a short name is taken.
    """
    wanted = text.strip().casefold()
    if country.upper() in PROVINCES:
        known = PROVINCES[country.upper()].items()
        return next((code for code, name in known if wanted in (code.casefold(), name)), None)
    fine = wanted.replace("-", "").isalnum() and not wanted.isdecimal() and len(wanted) <= LONGEST_PROVINCE
    return wanted.upper() if fine else None


def province_shown(code: str) -> str:
    """The number under which the panel shows a province; always the same, and no list tells whose it is."""
    return str(100_000 + zlib.crc32(code.encode()) % 900_000) if code else ""


def yes_no(flag: bool) -> str:
    return "yes" if flag else "no"


def y_n(flag: bool) -> str:
    return "y" if flag else "n"


def country_shown(code: str, manner: str) -> str:
    """How a delivery address shows its country; whether by code or by name is one of the contract's unknowns."""
    if manner == "name":
        return COUNTRY_NAMES.get(code, code)
    return code if manner == "upper" else code.lower()


def country_code(text: str) -> str:
    """A country as written (code in any case, or a Polish name) as a code in capitals; unknown text comes back."""
    by_name = {name.lower(): code for code, name in COUNTRY_NAMES.items()}
    return by_name.get(text.strip().lower(), text.strip().upper())
