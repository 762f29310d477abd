"""Made-up accounts, the same for the same seed, with tax numbers that are valid."""

from __future__ import annotations

import random
from typing import Any

_FIRST = (
    "Anna", "Jan", "Maria", "Piotr", "Katarzyna", "Tomasz",
    "Agnieszka", "Paweł", "Zofia", "Łukasz", "Elżbieta", "Grzegorz",
)  # fmt: skip
_LAST = ("Nowak", "Kowal", "Wiśnia", "Zieliń", "Dąb", "Lewand", "Kamyk", "Szyma", "Wożny", "Kozioł", "Jankow", "Mazur")
_TRADES = ("Hurtownia", "Sklep", "Zakład", "Spółdzielnia", "Serwis", "Skład", "Pracownia", "Handel")
_GOODS = ("Budowlana", "Metalowy", "Elektro", "Ogrodowa", "Papierniczy", "Meblowa", "Tekstylny", "Rolna")
_STREETS = ("Polna", "Leśna", "Słoneczna", "Krótka", "Szkolna", "Ogrodowa", "Lipowa", "Brzozowa", "Łąkowa", "Kwiatowa")
_CITIES = (
    ("00-950", "Warszawa"), ("30-001", "Kraków"), ("50-001", "Wrocław"), ("60-101", "Poznań"), ("80-001", "Gdańsk"),
    ("90-001", "Łódź"), ("40-001", "Katowice"), ("20-001", "Lublin"), ("70-001", "Szczecin"), ("85-001", "Bydgoszcz"),
)  # fmt: skip
_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


def sample_accounts(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """So many accounts in plain words; numbered logins, codes `K-00001`."""
    chance = random.Random(seed)
    return [_account(number, chance) for number in range(1, count + 1)]


def _account(number: int, chance: random.Random) -> dict[str, Any]:
    """Two of three are firms."""
    zip_code, city = chance.choice(_CITIES)
    firm = chance.random() < 0.66
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    company = f"{chance.choice(_TRADES)} {chance.choice(_GOODS)} {number}" if firm else ""
    return {
        "login": f"b2b-{number:05d}",
        "external_code": f"K-{number:05d}",
        "email": f"klient{number}@example.com",
        "client_type": "firm" if firm else "person",
        "first_name": first,
        "last_name": last,
        "company": company,
        "nip": tax_number(chance) if firm else "",
        "street": f"{chance.choice(_STREETS)} {chance.randint(1, 120)}",
        "zip_code": zip_code,
        "city": city,
        "phone": f"{chance.randint(500, 799)}{chance.randint(0, 999_999):06d}",
        "wholesaler": firm,
        "addresses": [_address(zip_code, city, first, last, company)] if number % 3 == 0 else [],
    }


def _address(zip_code: str, city: str, first: str, last: str, company: str) -> dict[str, Any]:
    names = {"first_name": first, "last_name": last, "additional": company}
    return {**names, "street": "Magazynowa 1", "zip_code": zip_code, "city": city}


def tax_number(chance: random.Random) -> str:
    """A Polish NIP whose check digit is right."""
    while True:
        digits = [chance.randint(1, 9) for _ in _WEIGHTS]
        check = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
        if check < 10:
            return "".join(map(str, [*digits, check]))
