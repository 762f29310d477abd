"""What the answers of all gates have in common: counts, faults, ids."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.adapters.idosell import answers
from kartoteka.errors import Retry


def page(
    frame: dict[str, Any], seen: int, number: int = 0, limit: int = 10, *, nothing: bool = False
) -> tuple[int, int]:
    found = answers.page_of({**frame, "results": [{}] * seen}, "results", number, limit, nothing=nothing)
    assert len(found.records) == seen
    return found.total, found.pages


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"resultsNumberAll": 25, "resultsNumberPage": 3}, (25, 3)),
        ({"resultsNumberAll": "25", "resultsNumberPage": "3", "resultsPage": "2", "resultsLimit": "10"}, (25, 3)),
        ({"resultsNumberAll": Decimal(25)}, (25, 3)),
        ({"resultsNumberPage": 3}, (25, 3)),
        ({}, (25, 3)),
        ({"resultsNumberAll": "many", "resultsNumberPage": -1}, (25, 3)),
    ],
)
def test_counts_of_a_search(frame: dict[str, Any], expected: tuple[int, int]) -> None:
    assert page(frame, 5, 2) == expected


def test_a_full_page_without_counts_has_another_one_after_it() -> None:
    assert page({}, 10) == (10, 2)
    assert page({}, 9) == (9, 1)
    assert page({}, 0, 1) == (10, 1), "the page after a full last one is empty"


def test_a_panel_may_give_smaller_pages_if_it_says_so() -> None:
    assert page({"resultsNumberAll": 25, "resultsNumberPage": 5, "resultsLimit": 5}, 5, limit=10) == (25, 5)


@pytest.mark.parametrize("list_of", [None, {}, "", 0, "x", {"0": {}}, [None], [[]], ["x"]])
@pytest.mark.parametrize("frame", [{}, {"resultsNumberAll": 0, "resultsNumberPage": 0}, {"resultsNumberAll": 300}])
def test_an_answer_without_its_list_tells_nothing(list_of: Any, frame: dict[str, Any]) -> None:
    for body in ({**frame, "results": list_of}, {**frame, "others": []}):
        with pytest.raises(Retry) as refusal:
            answers.page_of(body, "results", 0, 100)
        assert refusal.value.code == "broken_answer"


@pytest.mark.parametrize(
    ("frame", "seen", "number"),
    [
        ({"resultsNumberAll": 300}, 0, 0),
        ({"resultsNumberAll": 300, "resultsNumberPage": 30}, 3, 0),
        ({"resultsNumberAll": 25, "resultsNumberPage": 3}, 4, 2),
        ({"resultsNumberAll": 25, "resultsNumberPage": 3}, 6, 2),
        ({"resultsNumberAll": 25, "resultsNumberPage": 3}, 5, 3),
        ({"resultsNumberAll": 0}, 1, 0),
        ({"resultsNumberAll": 25, "resultsNumberPage": 1}, 10, 0),
        ({"resultsNumberAll": 5, "resultsNumberPage": 0}, 5, 0),
        ({"resultsNumberPage": 3}, 0, 0),
        ({"resultsNumberPage": 3}, 9, 1),
        ({"resultsNumberPage": 3}, 0, 2),
        ({"resultsNumberPage": 0}, 1, 0),
        ({"resultsNumberPage": 3}, 1, 3),
        ({"resultsNumberAll": 25, "resultsPage": 0}, 10, 1),
        ({"resultsPage": 0}, 10, 1),
        ({"resultsNumberAll": 25, "resultsLimit": 50}, 10, 0),
    ],
)
def test_an_answer_that_contradicts_its_counts_tells_nothing(frame: dict[str, Any], seen: int, number: int) -> None:
    with pytest.raises(Retry) as refusal:
        page(frame, seen, number)
    assert refusal.value.code == "broken_answer"


@pytest.mark.parametrize("list_of", [{}, {"results": None}, {"results": {}}, {"results": []}])
def test_that_nothing_was_found_needs_no_list(list_of: dict[str, Any]) -> None:
    for frame in ({}, {"resultsNumberAll": 0, "resultsNumberPage": 0}, {"resultsNumberAll": 0, "resultsNumberPage": 1}):
        assert answers.page_of({**frame, **list_of}, "results", 0, 100, nothing=True)[:2] == ([], 0)
    past = answers.page_of({"resultsNumberAll": 25, **list_of}, "results", 3, 10, nothing=True)
    assert past == ([], 25, 3)


@pytest.mark.parametrize("frame", [{"resultsNumberAll": 300}, {"resultsNumberPage": 3}, {"resultsNumberAll": "1"}])
def test_that_nothing_was_found_is_not_believed_beside_counts_that_say_otherwise(frame: dict[str, Any]) -> None:
    with pytest.raises(Retry):
        page(frame, 0, nothing=True)


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


@pytest.mark.parametrize("name", ["errors", "faults"])
def test_a_records_faults_stand_under_either_name(name: str) -> None:
    item = {"clientId": 7, name: [{"faultCode": 20, "faultString": "Kod"}, {"faultCode": 12, "faultString": "E-mail"}]}
    assert answers.failure(item) == ("20", "Kod")
    assert answers.faults_of(item) == [("20", "Kod"), ("12", "E-mail")]
    assert answers.failure({"resultStatus": True, name: []}) is None
    assert answers.failure({"resultStatus": False, name: []}) == ("", "")
