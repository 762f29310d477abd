"""What the pages are made of: words in both languages, labels, charts, the language of a browser."""

from __future__ import annotations

import re
import string

import pytest

from kartoteka.desk import actions, lists, pages, texts
from kartoteka.fields.table import CONCERNS, LABELS, NAMED_BY
from kartoteka.model import Decision, Direction, Planned, Reason


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", texts.TEXTS)
def test_a_text_stands_in_both_languages_and_takes_the_same_facts(name: str) -> None:
    polish, english = texts.TEXTS[name]
    assert polish.strip() == polish != ""
    assert english.strip() == english != ""
    assert facts(polish) == facts(english)


def test_every_word_that_a_template_says_is_a_text() -> None:
    said = {
        name
        for path in pages.HERE.glob("*.html")
        for name in re.findall(r"""\bt\(["']([\w./]+)["'](?: ~)?[,)]""", path.read_text(encoding="utf-8"))
    }
    assert len(said) > 50
    assert said - set(texts.TEXTS) == set()


def test_every_list_has_a_page_a_lead_and_a_word_for_nothing() -> None:
    for name in lists.LISTS:
        assert (pages.HERE / f"{name}.html").is_file()
        assert {name, f"{name}.lead", f"{name}.none"} <= set(texts.TEXTS)


def test_every_action_is_told_and_every_word_of_the_mechanism_has_one_of_ours() -> None:
    assert {f"did.{name}" for name in actions.ACTIONS} <= set(texts.TEXTS)
    for kind, words in {"reason": Reason, "act": Planned, "word": Decision}.items():
        assert {f"{kind}.{word}" for word in words} <= set(texts.TEXTS)
    assert set(CONCERNS) <= set(texts.TEXTS)
    assert {str(each) for each in Direction if "panel" in each and "erp" in each} <= set(texts.TEXTS)


def test_every_field_is_labelled_in_both_languages() -> None:
    fields = {name for rows in CONCERNS.values() for name in rows.fields} | set(NAMED_BY)
    assert fields - set(LABELS) == set()
    assert all(polish and english for polish, english in LABELS.values())


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "en"),
        ("pl", "pl"),
        ("pl-PL,pl;q=0.9,en;q=0.8", "pl"),
        ("en-GB,pl;q=0.9", "en"),
        ("de-DE,de;q=0.9", "en"),
        ("de,pl;q=0.5,en;q=0.4", "pl"),
        ("en;q=0.1,pl;q=0.7", "pl"),
        ("pl;q=0,en;q=0.1", "en"),
        ("pl;q=much", "en"),
        ("*", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_that_it_likes_best(accepted: str, lang: str) -> None:
    assert texts.chosen(accepted) == lang


def test_a_bar_is_as_high_as_its_figure() -> None:
    rows = [{"day": "a", "x": 1, "y": 3}, {"day": "b", "x": 0, "y": 2}, {"day": "c", "x": 0, "y": 0}]
    drawn = pages.bars(rows, ("x", "y"), "day")
    heights = [[part["height"] for part in bar["parts"]] for bar in drawn["bars"]]
    assert heights == [[24.0, 72.0], [0.0, 48.0], [0.0, 0.0]]
    assert drawn["bars"][0]["parts"][1]["y"] == 0.0
    assert drawn["most"] == 4


def test_nothing_to_draw_is_drawn_flat() -> None:
    drawn = pages.bars([{"day": "a", "x": 0}], ("x",), "day")
    assert drawn["bars"][0]["parts"][0]["height"] == 0
    assert pages.bars([], ("x",), "day")["bars"] == []


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("/held", {}, "/held"),
        ("/held", {"concern": "", "start": 0}, "/held"),
        ("/held", {"text": "a&b=c/ż"}, "/held?text=a%26b%3Dc%2F%C5%BC"),
    ],
)
def test_an_address_holds_what_is_asked_for(path: str, query: dict[str, object], address: str) -> None:
    assert pages.link(path, **query) == address
