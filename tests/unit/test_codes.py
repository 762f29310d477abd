"""The table of codes: complete, in two languages that say the same, and messages that every database takes."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kartoteka
from cli import codes_page
from kartoteka.codes import CODES, IN_STEP, SUBJECTS, WORST_FIRST, Code, State, Status, status

RELIED_ON = {
    "incomplete": State.HELD,
    "stale": State.HELD,
    "other_currency": State.HELD,
    "overdue": State.IN_STEP,
    "overdue.kept": State.IN_STEP,
    "not_taken": State.HELD,
    "unconfirmed": State.WAITING,
    "ambiguous": State.HELD,
    "shared_account": State.HELD,
    "foreign_code": State.HELD,
    "deleted": State.EXCLUDED,
    "forgotten": State.EXCLUDED,
    "by_hand": State.EXCLUDED,
    "closed_in_panel": State.HELD,
    "tax_number_changed": State.HELD,
    "bad_as_of": State.HELD,
    "bad_decision": State.HELD,
    "not_owner": State.PENDING,
    "brake": State.PENDING,
    "stale.zero": State.IN_STEP,
    "panel_lacks_field": State.HELD,
    "unreadable": State.HELD,
}
"""The codes that other programs rely on, and their states."""

OF_CONTENTS = {
    "bad_vat",
    "bad_postcode",
    "bad_email",
    "bad_email.by_panel",
    "closed_in_panel.kept",
    "bad_phone",
    "bad_amount",
    "bad_country",
    "bad_country.by_panel",
    "too_long",
    "unknown_shop",
}
"""Refusals that name the contents, and are held at once."""

TABLE = pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def facts(names: Iterable[str], value: str = "x") -> dict[str, Any]:
    return dict.fromkeys(names, value)


def made(code: Code, value: str = "x") -> Status:
    return status(code.name, ["first", "second"], **facts(code.facts, value))


def test_no_code_stands_twice() -> None:
    names = [code.name for codes in SUBJECTS.values() for code in codes]
    assert sorted(names) == sorted(set(names))
    assert set(names) == set(CODES)


@pytest.mark.parametrize(("name", "state"), RELIED_ON.items())
def test_codes_that_others_rely_on_are_there(name: str, state: State) -> None:
    assert CODES[name].state is state


def test_refusals_that_name_contents_say_so() -> None:
    assert {name for name in OF_CONTENTS if not CODES[name].contents} == set()
    assert not CODES["refused"].contents
    assert [code.name for code in CODES.values() if code.contents and code.state is not State.HELD] == []


def _constructed(names: set[str]) -> set[str]:
    """Return the literal codes with which the product calls one of these."""
    found = set()
    for path in Path(kartoteka.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[first, *_]) if (
                    called in names
                ):
                    choices = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                    found |= {c.value for c in choices if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    return found


def test_every_code_that_the_product_raises_or_shows_is_in_the_table() -> None:
    raised = _constructed({"Retry", "Reject", "Again", "Stop", "Fault", "status"})
    assert {"too_long", "maybe_opened", "panel_5xx", "panel_key"} <= raised, "the search finds nothing any more"
    assert sorted(raised - CODES.keys()) == []


@TABLE
def test_cause_and_remedy_are_sentences_in_both_languages(code: Code) -> None:
    sentences = [getattr(text, part) for text in (code.polish, code.english) for part in ("cause", "remedy")]
    for sentence in sentences:
        assert re.fullmatch(r"\S.*\S\.", sentence), sentence
        assert "  " not in sentence
        assert sentence.isprintable()
        assert "|" not in sentence, "it stands in a table of the docs"
    assert len(set(sentences)) == len(sentences)


@TABLE
def test_both_languages_use_the_same_facts(code: Code) -> None:
    assert placeholders(code.polish.cause) == placeholders(code.english.cause)
    assert placeholders(code.polish.remedy) == placeholders(code.english.remedy)
    assert code.facts == placeholders(f"{code.english.cause} {code.english.remedy}") - {"fields"}


@TABLE
def test_another_sentence_belongs_to_a_code_of_the_table(code: Code) -> None:
    assert code.code in CODES
    assert len(code.code) <= 64
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z_]+)?", code.name)


@TABLE
def test_every_code_makes_a_status_with_its_facts_filled_in(code: Code) -> None:
    found = made(code, "{fact}")
    assert (found.state, found.code, found.field) == (code.state, code.code, "first")
    for message, text in ((found.message_pl, code.polish), (found.message_en, code.english)):
        quoted = f"{text.cause} {text.remedy}".replace("{fields}", "first, second")
        assert message == re.sub(r"\{\w+\}", "{fact}", quoted)


@TABLE
def test_a_missing_fact_is_a_mistake_of_the_program(code: Code) -> None:
    for missing in code.facts:
        with pytest.raises(KeyError, match=missing):
            status(code.name, **facts(code.facts - {missing}))


def test_a_status_says_the_same_in_two_columns() -> None:
    found = status("incomplete", ["street", "city"], table="clients", unused="nothing")
    assert found == Status(
        State.HELD,
        "incomplete",
        "street",
        "W tabeli clients brakuje wartości: street, city. Uzupełnij wiersz; synchronizacja ruszy sama.",
        "The row in clients has no value in: street, city. Complete the row; synchronisation then resumes by itself.",
    )
    assert "street" not in repr(found).replace("field='street'", "")


def test_a_status_of_no_field_has_none() -> None:
    assert status("brake").field == ""
    assert (IN_STEP.state, IN_STEP.code, IN_STEP.message_pl, IN_STEP.message_en) == (State.IN_STEP, "", "", "")


def test_the_state_is_the_callers_where_one_is_given() -> None:
    assert status("refused", state=State.PENDING, panel="nie").state is State.PENDING
    assert status("stale").state is State.HELD
    assert (status("stale.zero").state, status("stale.zero").code) == (State.IN_STEP, "stale")


def test_the_worst_state_comes_first() -> None:
    assert [str(state) for state in WORST_FIRST] == ["held", "conflict", "pending", "waiting", "excluded", "in_step"]
    assert set(WORST_FIRST) == set(State)


def test_a_fault_that_the_panel_invents_has_the_texts_of_a_refusal() -> None:
    known, invented = status("refused", panel="99: nie"), status("fault_99", panel="99: nie")
    assert invented.code == "fault_99"
    assert (invented.state, invented.message_pl, invented.message_en) == (
        State.HELD,
        known.message_pl,
        known.message_en,
    )
    assert "99: nie" in known.message_pl
    assert status("fault_99").message_en == status("refused", panel="").message_en
    assert len(status("\x00" + "x" * 100).code) == 64


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\x00b", "a?b"),
        ("a\ud800b", "a?b"),
        ("zero\u200bwidth", "zero?width"),
        ("two\n\tlines  and\u00a0blanks ", "two lines and blanks"),
        ("Łódź, ul. Żwirki", "Łódź, ul. Żwirki"),
        ("{value} {0} }{", "{value} {0} }{"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 499 + "…"),
    ],
)
def test_facts_are_cleaned(given: str, shown: str) -> None:
    found = status("refused", panel=given)
    assert f"'{shown}'" in found.message_pl
    assert f"'{shown}'" in found.message_en


@given(st.text(st.characters(exclude_categories=()), max_size=700))
def test_any_text_at_all_makes_a_message_that_a_database_takes(panel: str) -> None:
    message = status("bad_vat", [panel], panel=panel, table=panel).message_pl
    assert message.isprintable()
    message.encode()
    assert len(message) < 4 * 500 + 200


def test_the_page_has_a_row_for_every_text() -> None:
    rows = [line for line in codes_page.markdown().split("\n") if line.startswith("| `")]
    assert len(rows) == len(CODES)
    for row, code in zip(rows, CODES.values(), strict=True):
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        texts = [code.english.cause, code.english.remedy, code.polish.cause, code.polish.remedy]
        assert cells == [f"`{code.code}`", str(code.state), "yes" if code.contents else "", *texts]
