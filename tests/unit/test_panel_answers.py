"""What the answers of all gates have in common: counts, faults, ids."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.adapters.idosell import answers


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"resultsNumberAll": 25, "resultsNumberPage": 3}, (25, 3)),
        ({"resultsNumberAll": "25", "resultsNumberPage": "3"}, (25, 3)),
        ({}, (21, 3)),
        ({"resultsNumberAll": "many", "resultsNumberPage": -1}, (21, 3)),
    ],
)
def test_counts_of_a_search(frame: dict[str, Any], expected: tuple[int, int]) -> None:
    assert answers.counts({**frame, "results": [{}]}, 2, 10) == expected


def test_a_full_page_without_counts_has_another_one_after_it() -> None:
    assert answers.counts({"results": [{}] * 10}, 0, 10) == (10, 2)
    assert answers.counts({"groups": [1] * 10}, 0, 10, "groups") == (10, 2)
    assert answers.counts({"groups": [1] * 9, "results": [1] * 10}, 0, 10, "groups") == (9, 1)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ({"faultCode": 2, "faultString": "Wynik pusty"}, ("2", "Wynik pusty")),
        ([{"faultCode": "2", "faultString": "x"}], ("2", "x")),
        ({"message": "x"}, ("", "x")),
        ("x", ("", "x")),
        ({"faultCode": 0, "faultString": "ok"}, None),
        ({"faultCode": "0"}, None),
        ({}, None),
        ([], None),
        ("", None),
        (None, None),
    ],
)
def test_the_errors_of_a_whole_answer(errors: Any, expected: tuple[str, str] | None) -> None:
    assert answers.fault({"errors": errors}) == expected


def test_a_number_too_large_to_write_out_is_left_alone() -> None:
    assert answers.text(json.loads("1e999999", parse_float=Decimal)) == "1E+999999"
