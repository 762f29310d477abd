"""What counts as the same value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.fields import normal
from kartoteka.fields.table import BILLING
from kartoteka.model import Value, Values

Normalise = Callable[[Value, str], str]

SAME = [
    (normal.text, "Długa 5", "  Długa \t 5 ", "PL"),
    (normal.text, "Żółć", "Żo\u0301łc\u0301", "PL"),
    (normal.text, None, "", "PL"),
    (normal.email, "Jan@Firma.pl", "jan@firma.pl ", "PL"),
    (normal.postcode, "00-950", "00950", "PL"),
    (normal.postcode, "sw1a 1aa", "SW1A1AA", "GB"),
    (normal.tax_number, "PL 525-000-12-33", "5250001233", "PL"),
    (normal.tax_number, "PL5250001233", "525 000 12 33", "PL"),
    (normal.tax_number, "EL123456789", "123456789", "GR"),
    (normal.phone, "501 502 503", "+48 501-502-503", "PL"),
    (normal.phone, "0048501502503", "501502503", "PL"),
    (normal.phone, "030 901820", "+4930901820", "DE"),
    (normal.phone, "tel. brak", "Tel.  Brak", "PL"),
    (normal.flag, True, "yes", "PL"),
    (normal.flag, False, "0", "PL"),
    (normal.flag, None, "", "PL"),
    (normal.caseless, "pl", "PL", "PL"),
    (normal.amount, "12.5", "12.50", "PL"),
    (normal.amount, "0", "-0.00", "PL"),
    (normal.whole, "014", "14", "PL"),
]
DIFFERENT = [
    (normal.text, "kowalski", "Kowalski", "PL"),
    (normal.text, "Długa 5", "Długa 15", "PL"),
    (normal.tax_number, "DE123456789", "123456789", "PL"),
    (normal.tax_number, "PL", "", "PL"),
    (normal.phone, "501 502 503", "501 502 504", "PL"),
    (normal.phone, "22 501 50 20 wew. 12", "22 501 50 20", "PL"),
    (normal.phone, "501502503", "+48501502503", "DE"),
    (normal.flag, False, None, "PL"),
    (normal.flag, True, False, "PL"),
    (normal.amount, "", "0.00", "PL"),
]


@pytest.mark.parametrize(("normalise", "one", "other", "country"), SAME)
def test_the_same_value_written_otherwise(normalise: Normalise, one: Value, other: Value, country: str) -> None:
    assert normalise(one, country) == normalise(other, country)


@pytest.mark.parametrize(("normalise", "one", "other", "country"), DIFFERENT)
def test_another_value(normalise: Normalise, one: Value, other: Value, country: str) -> None:
    assert normalise(one, country) != normalise(other, country)


def test_a_prefix_that_stands_twice_is_the_same_number() -> None:
    once = normal.tax_number("PL PL 525-000-12-33", "PL")
    assert once == normal.tax_number(once, "PL") == "5250001233"


@pytest.mark.parametrize(
    ("given", "expected"),
    [((1, 2), "1,2"), ((9, 10), "9,10"), ((7,), "7"), ((), ""), ("", ""), (None, "")],
)
def test_lists_of_shops_are_compared_as_text(given: Value, expected: str) -> None:
    assert normal.shop_list(given, "PL") == expected
    assert normal.shop_list(expected, "PL") == expected


@pytest.mark.parametrize("record", [{"country_code": "PL"}, {"country_code": " pl "}, {"country_code": None}, {}])
def test_a_field_is_read_by_the_country_of_its_record(record: Values) -> None:
    assert BILLING["phone"].normalise("501 502 503", record) == "+48501502503"
    assert BILLING["nip"].normalise("PL 525-000-12-33", record) == "5250001233"
    german: Values = {"country_code": "de"}
    assert BILLING["phone"].normalise("030 901820", german) == "+4930901820"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("K-1", "k-1", True), (" K  1", "K 1 ", True), ("K-1", "K1", False), ("K-1", "", False)],
)
def test_one_code_or_two(one: str, other: str, same: bool) -> None:
    assert normal.same_code(one, other) is same


@pytest.mark.parametrize(
    ("code", "plain"),
    [("K-1", True), ("a b", True), (" K", False), ("K ", False), ("a  b", False), ("a\tb", False), ("x" * 41, False)],
)
def test_a_code_that_survives_any_panel(code: str, plain: bool) -> None:
    assert normal.is_plain_code(code) is plain
