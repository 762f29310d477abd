"""What a page says of a status: the remedy names a button, columns have labels; SQL stays where SQL is read."""

from __future__ import annotations

import re

import pytest

from kartoteka import codes
from kartoteka.codes import CODES
from kartoteka.desk import texts
from kartoteka.desk.remedies import ON_PAGE, cause_of, label, on_page, shown
from kartoteka.fields.table import LABELS
from kartoteka.sync.plan import joined

FOR_PROGRAMMERS = re.compile(
    r"UPDATE |SET |decision =|\.decision|NULL|sync_status|sync_matches|CONCERN"
    r"|kartoteka (held|questions|conflicts|resume|forget)"
)
FIELDS = ["city", "nip"]


def message(name: str, lang: str) -> str:
    """Return what stands in ``sync_status`` for a code, with facts that look like the real ones."""
    facts = {fact: "Acme. Sp. z o.o." if fact in ("panel", "value") else f"<{fact}>" for fact in CODES[name].facts}
    told = codes.status(name, FIELDS, **facts)
    return told.message_pl if lang == texts.PL else told.message_en


@pytest.mark.parametrize("lang", texts.LANGUAGES)
@pytest.mark.parametrize("name", CODES)
def test_a_page_names_buttons_where_the_table_names_sql_and_commands(name: str, lang: str) -> None:
    told, text = message(name, lang), CODES[name].polish if lang == texts.PL else CODES[name].english
    said = on_page(CODES[name].code, told, lang)
    assert not FOR_PROGRAMMERS.search(said), said
    assert name not in ON_PAGE or said != told
    if "{fields}" in text.cause:
        assert label("city", lang) in said
        assert "city, nip" not in said or label("city", lang) == "city"
    assert not re.search(r"\[\w", said), "every button has its word"


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_button_and_page_that_a_remedy_names_is_there(lang: str) -> None:
    number = texts.LANGUAGES.index(lang)
    named = {name for remedies in ON_PAGE.values() for name in re.findall(r"\[([\w./]+)\]", remedies[1 - number])}
    assert len(named) > 10
    assert named - set(texts.TEXTS) == set()
    assert set(ON_PAGE) - set(CODES) == set()


def test_the_table_itself_goes_on_naming_the_sql() -> None:
    assert "UPDATE sync_matches SET decision = 'link'" in codes.status("ambiguous", accounts="7").message_en
    by_hand = codes.status("by_hand")
    assert "kartoteka held retry" in by_hand.message_pl
    assert "'Spróbuj teraz'" in by_hand.message_pl
    assert "'Retry now'" in by_hand.message_en


def test_of_several_messages_each_has_its_button() -> None:
    taxes = codes.status("tax_number_changed", ["nip"], erp_value="1", panel_value="2", table="clients")
    told = joined([taxes, codes.status("incomplete", ["phone"], table="clients")])
    said = on_page(told.code, told.message_pl, texts.PL)
    assert "„Wyślij mimo to”" in said
    assert "UPDATE" not in said
    assert LABELS["phone"][0] in said
    again = joined([codes.status("incomplete", ["phone"], table="clients"), taxes])
    assert "„Wyślij mimo to”" in on_page(again.code, again.message_pl, texts.PL)


@pytest.mark.parametrize("text", ["", "Wpis kogoś innego.", "{braces} [retry] .*", "The row in clients has"])
def test_what_is_not_of_our_making_is_said_as_it_stands(text: str) -> None:
    assert on_page("incomplete", text, texts.EN) == text


def test_a_code_that_the_panel_invents_is_told_as_a_refusal() -> None:
    told = codes.status("strange_17", panel="nie bo nie")
    assert "nie bo nie" in on_page(told.code, told.message_pl, texts.PL)


def test_values_that_are_words_of_ours_are_said_in_the_language() -> None:
    assert [shown(word, "client_type", texts.PL) for word in ("firm", "person", "Person_Male ")] == [
        "firma",
        "osoba",
        "mężczyzna",
    ]
    assert [shown(word, "active", texts.PL) for word in ("true", "false", "x")] == ["tak", "nie", "x"]
    assert shown("firm", "company", texts.PL) == "firm"
    assert shown("true", "wholesaler", texts.EN) == "yes"


def test_a_failure_is_told_by_its_cause() -> None:
    assert cause_of("panel_key", texts.PL) == "Panel nie zna klucza API."
    assert cause_of("nobody_knows", texts.PL) == "nobody_knows"


@pytest.mark.parametrize("lang", texts.LANGUAGES)
@pytest.mark.parametrize("name", CODES)
def test_a_page_says_the_erp_where_the_table_names_tables(name: str, lang: str) -> None:
    said = on_page(CODES[name].code, message(name, lang), lang)
    assert not re.search(
        r"<table>|\bclients\.|client_(shops|credit|id)|incoming_clients|discount_group|delivery_addr", said
    )


@pytest.mark.parametrize(
    ("name", "lang", "said"),
    [
        ("incomplete", "pl", "W ERP brakuje wartości: miejscowość, NIP. Uzupełnij dane w ERP;"),
        ("bad_as_of", "pl", "Pole „stan na” w ERP nie jest datą"),
        ("bad_vat.dummy", "pl", "albo wyczyść to pole."),
        ("login_taken", "en", "Write another login into the field 'log-in' in the ERP"),
    ],
)
def test_a_page_says_where_in_the_erp(name: str, lang: str, said: str) -> None:
    assert said in on_page(CODES[name].code, message(name, lang), lang)


@pytest.mark.parametrize("lang", texts.LANGUAGES)
@pytest.mark.parametrize("name", ["incomplete", "conflict", "ambiguous", "closed_in_panel"])
def test_what_was_decided_tells_its_cause_and_no_remedy(name: str, lang: str) -> None:
    whole = on_page(CODES[name].code, message(name, lang), lang)
    cause = on_page(CODES[name].code, message(name, lang), lang, remedy=False)
    assert whole.startswith(f"{cause} ")
    assert len(cause) < len(whole)
