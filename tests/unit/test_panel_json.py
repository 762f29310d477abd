"""JSON with exact numbers: digit for digit out, digit for digit in, and no binary float on the way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.adapters.idosell import exact_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12.30"), "12.30"),
        (Decimal("9999999999.99"), "9999999999.99"),
        (Decimal("-0.01"), "-0.01"),
        (Decimal("0.00"), "0.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (7, "7"),
        (2**70, str(2**70)),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ('żółw "a"\\\n', r'"żółw \"a\"\\\n"'),
        ([], "[]"),
        ({}, "{}"),
        ([1, [Decimal("2.50")], ("x",)], '[1,[2.50],["x"]]'),
        ({"a": {"b": Decimal("1.10")}, "ż": None}, '{"a":{"b":1.10},"ż":null}'),
    ],
)
def test_a_value_is_written_digit_for_digit(value: Any, text: str) -> None:
    assert exact_json.written(value) == text


@pytest.mark.fault(66)
@pytest.mark.parametrize(
    "value",
    [
        1.5,
        0.0,
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        {1: "x"},
        {None: "x"},
        {"x"},
        b"x",
        object(),
    ],
)
def test_what_has_no_exact_form_is_refused_wherever_it_stands(value: Any) -> None:
    for each in (value, [value], {"a": [value]}):
        with pytest.raises(TypeError):
            exact_json.written(each)


def test_a_refusal_quotes_no_value() -> None:
    with pytest.raises(TypeError) as refusal:
        exact_json.written({"a": 12.5})
    assert "12.5" not in str(refusal.value)


def test_a_number_with_a_point_is_read_as_it_stands() -> None:
    found = exact_json.read(b'\xef\xbb\xbf{"a": 0.10, "b": 9999999999.99, "c": 7, "d": 1e2}')
    assert [str(each) for each in found.values()] == ["0.10", "9999999999.99", "7", "1E+2"]
    assert [type(each) for each in found.values()] == [Decimal, Decimal, int, Decimal]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"NaN", b'{"a": -Infinity}', b"\xff", b"[" * 100_000, b"[" * 300_000 + b"]" * 300_000],
)
def test_what_is_no_json_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which kind of it does not matter
        exact_json.read(content)


@pytest.mark.parametrize(
    "number",
    ["1e99999999999999999999", "9" * 5000, "-" + "9" * 200, "1e999999", "-1e-999999", "0." + "1" * 200, "1e101"],
)
def test_a_number_that_nobody_could_write_out_stays_a_text_and_costs_no_other_value(number: str) -> None:
    assert exact_json.read(b'{"a": ' + number.encode() + b', "b": 1}') == {"a": number, "b": 1}


@pytest.mark.parametrize("inner", ["[]", "{}", '{"a": 1}', '["x"]'])
def test_lists_and_objects_are_read_up_to_a_depth(inner: str) -> None:
    def nested(times: int) -> bytes:
        return ('{"a": [' * (times // 2) + inner + "]}" * (times // 2)).encode()

    exact_json.read(nested(exact_json.DEEPEST - 2))
    for too_deep in (exact_json.DEEPEST, 200, 900, 20_000):
        with pytest.raises(ValueError):  # noqa: PT011 - which kind of it does not matter
            exact_json.read(nested(too_deep))


@pytest.mark.parametrize("value", ["0", "[]", "{}", '{"a":0}', '""', "null"])
def test_an_answer_holds_so_many_values_and_no_more(value: str) -> None:
    content = f"[{','.join([value] * 100)}]".encode()
    most = exact_json.values_at_most(content)
    assert 100 <= most <= 202
    assert len(exact_json.read(content, most)) == 100
    with pytest.raises(ValueError, match="too many"):
        exact_json.read(content, most - 1)


LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.decimals(-(10**10), 10**10, places=2)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
def test_what_is_written_is_read_back_and_by_any_reader(value: Any) -> None:
    text = exact_json.written(value)
    assert json.loads(text, parse_float=Decimal) == value
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert exact_json.read(text.encode()) == value


@given(st.decimals(-(10**10), 10**10, places=2))
def test_two_places_stay_two_places(amount: Decimal) -> None:
    assert str(exact_json.read(exact_json.written({"a": amount}).encode())["a"]) == str(amount)
