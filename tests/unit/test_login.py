"""Log-in names: small letters, at most 40, never two alike."""

from __future__ import annotations

from itertools import islice

import pytest

from kartoteka.concerns.accounts import logins
from kartoteka.concerns.accounts.logins import Logins
from kartoteka.concerns.accounts.passwords import new_password
from kartoteka.model import Intent, Key, Record, RecordState, Value
from kartoteka.policy import Login, Password, letters_of


@pytest.mark.parametrize(
    ("client_id", "expected"),
    [("C-1001", "c-1001"), ("ŁÓDŹ 7/3", "lodz-7-3"), ("a" * 60, "a" * 40), ("///", "k-2f2f2f"), ("A_1", "a_1")],
)
def test_automatic_is_derived_from_the_id(client_id: str, expected: str) -> None:
    assert logins.automatic(client_id) == expected


def test_a_pattern_is_filled_and_transliterated() -> None:
    row = {"company": "Żółta Gęś Sp. z o.o.", "city": "Łódź", "nip": "PL 525-000-12-33", "email": "Biuro@Ges.pl"}
    assert logins.from_pattern("b2b-{id}", "C-7", row) == "b2b-c-7"
    assert logins.from_pattern("{company}.{city}", "C-7", row) == "zolta-ges-sp.-z-o.o.lodz"
    assert logins.from_pattern("{nip}", "C-7", row) == "pl-525-000-12-33"
    assert logins.from_pattern("{email}", "C-7", row) == "biuro@ges.pl"


def test_a_pattern_of_which_nothing_is_left_gives_nothing() -> None:
    assert logins.from_pattern("{nip}", "C-7", {"nip": None}) == ""


def test_a_taken_name_gets_a_suffix_within_the_length() -> None:
    assert list(islice(logins.candidates("jan"), 3)) == ["jan", "jan-2", "jan-3"]
    names = list(islice(logins.candidates("x" * 40), 12))
    assert len(set(names)) == len(names)
    assert all(len(name) <= logins.MAX_LENGTH for name in names)


def client(client_id: str, intent: Intent | None = None, **row: Value) -> Record:
    return Record(Key(client_id, "", "accounts"), erp=row, state=RecordState(intent=intent))


def test_a_client_keeps_its_name_until_the_next_one_is_asked_for() -> None:
    names = Logins(Login())
    assert [names.current(client("C-1")) for _ in range(2)] == ["c-1", "c-1"]
    assert names.next(client("C-1")) == "c-1-2"
    assert names.current(client("C-1")) == "c-1-2"
    assert names.next(client("C-2")) == "c-2-2"


def test_no_two_clients_of_a_run_ask_for_one_name() -> None:
    names = Logins(Login(mode="pattern", pattern="{city}"))
    assert [names.current(client(key, city="Łódź")) for key in ("C-1", "C-2", "C-3")] == ["lodz", "lodz-2", "lodz-3"]
    assert names.current(client("C-4", city=None)) == "c-4"


def test_the_name_that_the_erp_asks_for_is_taken_as_it_is() -> None:
    names = Logins(Login(mode="erp"))
    assert names.current(client("C-1", login="Jan Nowak")) == "jan-nowak"
    assert names.current(client("C-2", login="jan-nowak")) == "jan-nowak"


def test_an_opening_whose_reply_was_lost_asks_for_the_same_name_again() -> None:
    made = Intent((), making=True, login="c-1-2")
    assert Logins(Login()).current(client("C-1", made)) == "c-1-2"
    given = Intent((), making=False, login="jan", linked_by="nip")
    assert Logins(Login()).current(client("C-1", given)) == "c-1"


@pytest.mark.parametrize(
    ("letters", "expected"),
    [("a-z0-9", "cz1001lodz"), ("a-z0-9_-", "cz-1001-lodz"), ("a-z0-9.", "cz1001.lodz"), ("0-9", "1001")],
)
def test_a_name_holds_only_letters_that_the_panel_takes(letters: str, expected: str) -> None:
    names = Logins(Login(mode="pattern", pattern="{id}.{city}"), letters_of(letters))
    assert names.current(client("CZ/1001.", city="Łódź")) == expected


@pytest.mark.parametrize(
    "form", [Password(), Password(length=8), Password(length=30, special=""), Password(special="!")]
)
def test_a_password_has_every_kind_of_letter_that_panels_ask_for(form: Password) -> None:
    made = {new_password(form) for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) == form.length
        assert any(c.islower() for c in password)
        assert any(c.isupper() for c in password)
        assert any(c.isdigit() for c in password)
        assert any(c in form.special for c in password) == bool(form.special)
