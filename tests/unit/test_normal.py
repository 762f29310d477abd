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
    (normal.tax_number, "EL123456789", "GR 123 456 789", "PL"),
    (normal.tax_number, "XI123456789", "GB 123 4567 89", "DE"),
    (normal.tax_number, "MC53000005990", "53000005990", "FR"),
    (normal.tax_number, "BE 403.019.261", "BE0403019261", "PL"),
    (normal.tax_number, "403.019.261", "BE0403019261", "BE"),
    (normal.tax_number, "CHE-123.456.789 MWST", "123.456.789", "CH"),
    (normal.tax_number, "CHE-123.456.789 TVA", "CH123456789", "PL"),
    (normal.tax_number, "NO 995525828 MVA", "995 525 828", "NO"),
    (normal.tax_number, "NIP: 526-000-12-46", "PL5260001246", "PL"),
    (normal.tax_number, "VAT UE PL5260001246", "5260001246", "PL"),
    (normal.tax_number, "TVA FR AB123456789", "AB 123 456 789", "FR"),
    (normal.tax_number, "ATU12345678", "U12345678", "AT"),
    (normal.tax_number, "ESX1234567L", "X-1234567-L", "ES"),
    (normal.tax_number, "RSSMRA80A01H501U", "rssmra 80a01 h501u", "IT"),
    (normal.tax_number, "526\u200b000\u00ad1246", "5260001246", "PL"),
    (normal.text, "An\u00adna", "Anna", "PL"),
    (normal.text, "Długa\u200b 5\ufeff", "Długa 5", "PL"),
    (normal.email, "jan\u200b@firma.pl", "jan@firma.pl", "PL"),
    (normal.phone, "\u200e501 502 503", "501502503", "PL"),
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
    (normal.tax_number, "CZ83609091", "HU83609091", "PL"),
    (normal.tax_number, "CZ83609091", "83609091", "HU"),
    (normal.tax_number, "PL5260001246", "DE5260001246", "PL"),
    (normal.tax_number, "ATU12345678", "12345678", "AT"),
    (normal.phone, "501 502 503", "501 502 504", "PL"),
    (normal.phone, "22 501 50 20 wew. 12", "22 501 50 20", "PL"),
    (normal.phone, "501502503", "+48501502503", "DE"),
    (normal.flag, False, None, "PL"),
    (normal.flag, True, False, "PL"),
    (normal.amount, "", "0.00", "PL"),
]


@pytest.mark.fault(65)
@pytest.mark.parametrize(("normalise", "one", "other", "country"), SAME)
def test_the_same_value_written_otherwise(normalise: Normalise, one: Value, other: Value, country: str) -> None:
    assert normalise(one, country) == normalise(other, country)


@pytest.mark.parametrize(("normalise", "one", "other", "country"), DIFFERENT)
def test_another_value(normalise: Normalise, one: Value, other: Value, country: str) -> None:
    assert normalise(one, country) != normalise(other, country)


def test_a_prefix_that_stands_twice_is_the_same_number() -> None:
    once = normal.tax_number("PL PL 525-000-12-33", "PL")
    assert once == normal.tax_number(once, "PL") == "PL5250001233"


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
    assert BILLING["nip"].normalise("PL 525-000-12-33", record) == "PL5250001233"
    german: Values = {"country_code": "de"}
    assert BILLING["phone"].normalise("030 901820", german) == "+4930901820"


def test_a_number_with_its_issuer_is_the_same_whatever_the_records_country() -> None:
    for number in ("PL1132191233", "EL123456789", "CHE-123.456.789 IVA", "BE 403.019.261", "GBGD001", "NL123456789B01"):
        read = {normal.tax_number(number, country) for country in ("PL", "DE", "", "XX")}
        assert len(read) == 1
        assert {normal.tax_number(one, country) for one in read for country in ("PL", "DE")} == read


@pytest.mark.parametrize("country", ["PL", "DE", "CH", "BE", "GB", "FR", "IT", "MX", ""])
@pytest.mark.parametrize(
    "number",
    ["PL", "PLPL", "PL1", "NIP 1 VAT", "CHE123456789", "403.019.261", "GODE561231GR8", "BRAK", "X", "DEDE1", "GD001"],
)
def test_a_normalised_tax_number_stays_as_it_is(number: str, country: str) -> None:
    once = normal.tax_number(number, country)
    assert normal.tax_number(once, country) == once


@pytest.mark.parametrize(
    "value", ["0000000000", "PL 000-000-00-00", "1111111111", "brak", "-", "n/d", "NIP: brak", "BE000000000", "", None]
)
def test_a_tax_number_that_means_none_is_no_key(value: Value) -> None:
    assert normal.tax_number_key(value, "PL") == ""
    assert normal.tax_number_key("0000000001", "PL") == "PL0000000001"


@pytest.mark.parametrize(
    "value", ["brak", "brak@brak.pl", "Nie.Ma@firma.pl", "biuro@brak.pl", "nd@nd.pl", "@x.pl", "x@"]
)
def test_an_e_mail_that_means_none_is_no_key(value: Value) -> None:
    assert normal.email_key(value, "PL") == ""
    assert normal.email_key("ND@Firma.pl", "PL") == "nd@firma.pl"


@pytest.mark.parametrize("value", ["000000000", "+48 000 000 000", "111 111 111", "brak", "-", "0", "", None])
def test_a_telephone_number_that_means_none_is_no_key(value: Value) -> None:
    assert normal.phone_key(value, "PL") == ""
    assert normal.phone_key("501 502 503", "PL") == "+48501502503"


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
