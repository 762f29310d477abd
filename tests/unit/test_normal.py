"""What counts as the same value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kartoteka.core import normal

from kartoteka.model import Record, Value

SAME = [
    (normal.text, "Długa 5", "  Długa \t 5 ", {}),
    (normal.text, "Żółć", "Żółć", {}),
    (normal.text, None, "", {}),
    (normal.email, "Jan@Firma.pl", "jan@firma.pl ", {}),
    (normal.postcode, "00-950", "00950", {}),
    (normal.postcode, "sw1a 1aa", "SW1A1AA", {}),
    (normal.tax_number, "PL 525-000-12-32", "5250001232", {"country_code": "PL"}),
    (normal.tax_number, "PL5250001232", "525 000 12 32", {}),
    (normal.tax_number, "EL123456789", "123456789", {"country_code": "GR"}),
    (normal.phone, "501 502 503", "+48 501-502-503", {"country_code": "PL"}),
    (normal.phone, "0048501502503", "501502503", {}),
    (normal.phone, "030 901820", "+4930901820", {"country_code": "DE"}),
    (normal.phone, "tel. brak", "Tel.  Brak", {}),
    (normal.flag, True, "yes", {}),
    (normal.flag, False, 0, {}),
    (normal.caseless, "pl", "PL", {}),
]
DIFFERENT = [
    (normal.text, "kowalski", "Kowalski", {}),
    (normal.text, "Długa 5", "Długa 15", {}),
    (normal.tax_number, "DE123456789", "123456789", {"country_code": "PL"}),
    (normal.phone, "501 502 503", "501 502 504", {}),
    (normal.phone, "22 501 50 20 wew. 12", "22 501 50 20", {}),
    (normal.flag, False, None, {}),
    (normal.flag, True, False, {}),
]


@pytest.mark.parametrize(("normalise", "one", "other", "record"), SAME)
def test_the_same_value_written_otherwise(
    normalise: Callable[[Value, Record], str], one: Value, other: Value, record: Record
) -> None:
    assert normalise(one, record) == normalise(other, record)


@pytest.mark.parametrize(("normalise", "one", "other", "record"), DIFFERENT)
def test_another_value(normalise: Callable[[Value, Record], str], one: Value, other: Value, record: Record) -> None:
    assert normalise(one, record) != normalise(other, record)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("2, 1,2", "1,2"), ("10,9", "9,10"), ("", ""), (None, ""), ("01", "1"), ("x, 3", "3,x"), (" ,", "")],
)
def test_lists_of_shops_are_compared_in_order_each_once(given: str | None, expected: str) -> None:
    assert normal.shop_list(given, {}) == expected
    assert normal.shop_list(expected, {}) == expected
