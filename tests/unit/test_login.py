"""Log-in names: small letters, at most 40, never two alike."""

from __future__ import annotations

from itertools import islice

import pytest
from kartoteka.core import login


@pytest.mark.parametrize(
    ("client_id", "expected"),
    [("C-1001", "c-1001"), ("ŁÓDŹ 7/3", "lodz-7-3"), ("a" * 60, "a" * 40), ("///", "k-2f2f2f"), ("A_1", "a_1")],
)
def test_automatic_is_derived_from_the_id(client_id: str, expected: str) -> None:
    assert login.automatic(client_id) == expected


def test_a_pattern_is_filled_and_transliterated() -> None:
    row = {"company": "Żółta Gęś Sp. z o.o.", "city": "Łódź", "nip": "PL 525-000-12-32", "email": "Biuro@Ges.pl"}
    assert login.from_pattern("b2b-{id}", "C-7", row) == "b2b-c-7"
    assert login.from_pattern("{company}.{city}", "C-7", row) == "zolta-ges-sp.-z-o.o.lodz"
    assert login.from_pattern("{nip}", "C-7", row) == "pl-525-000-12-32"
    assert login.from_pattern("{email}", "C-7", row) == "biuro@ges.pl"


def test_a_pattern_of_which_nothing_is_left_gives_nothing() -> None:
    assert login.from_pattern("{nip}", "C-7", {"nip": None}) == ""


def test_a_taken_name_gets_a_suffix_within_the_length() -> None:
    assert list(islice(login.candidates("jan"), 3)) == ["jan", "jan-2", "jan-3"]
    names = list(islice(login.candidates("x" * 40), 12))
    assert len(set(names)) == len(names)
    assert all(len(name) <= login.MAX_LENGTH for name in names)


def test_placeholders_are_known_by_name() -> None:
    assert login.unknown_placeholders("b2b-{id}-{NIP}") == ["NIP"]
