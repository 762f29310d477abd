"""What a panel does to a text that it took, told from what a person does to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.fields.damage import is_damaged, is_escaped, unescaped

LONG = "Przedsiębiorstwo Handlowo-Usługowe Żółw & Gęś Spółka z ograniczoną odpowiedzialnością"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (LONG, LONG[:60]),
        (LONG, LONG[:60].replace("&", "&amp;")),
        ("Firma 😀 dalej", "Firma "),
        ("Firma 😀 dalej", "Firma dalej"),
        ("Firma 😀 dalej", "Firma ? dalej"),
        ("Firma 😀 dalej", "Firma ???? dalej"),
        ("Firma 😀 dalej", "Firma \ufffd dalej"),
        ("Żółw & Syn", "Żółw &amp; Syn"),
        ("Żółw & Syn", "Żółw &amp;amp; Syn"),
        ("Żółw & Syn", "&#379;&oacute;łw & Syn"),
        ("Żółw & Syn", "Żółw  Syn"),
        ("Żółw &amp; Syn", "Żółw & Syn"),
        ("<b>Firma</b>", "bFirma/b"),
        ("O'Neill", "O&#039;Neill"),
        ("O'Neill", "O\\'Neill"),
        ("O'Neill", "ONeill"),
        ("Łódź", "Lodz"),
        ("Łódź", "?ód?"),
        ("Łódź", "Łódź".encode().decode("latin-1")),
        ("Müller", "MÃ¼ller"),
        ("Řezníček", "Rezni"),
        ("01067", "1067"),
        ("00-950", "950"),
        ("007", "7"),
        ("Radom", ""),
        ("Radom", "  "),
    ],
)
def test_damage_is_told(sent: str, shown: str) -> None:
    assert is_damaged(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Radom", "Gdynia"),
        ("Długa 5", "Długa 6"),
        ("Długa 15", "Długa 5"),
        ("Długa 5", "Długa 15"),
        ("Długa 5", "Krótka 5"),
        ("Nowak", "Nowakowski"),
        ("Żółw & Syn", "Żółw & Syn i Spółka"),
        ("Żółw & Syn", "Żółw & Córka"),
        ("1067", "01067"),
        ("01067", "1068"),
        ("0", ""[:0] + "5"),
        ("Łódź", "Łomża"),
        ("a@b.pl", "b@a.pl"),
        ("+48501502503", "+48501502504"),
    ],
)
def test_an_edit_is_no_damage(sent: str, shown: str) -> None:
    assert not is_damaged(sent, shown)


@given(st.text(min_size=1, max_size=80), st.integers(0, 80))
def test_whatever_is_cut_is_damaged(sent: str, length: int) -> None:
    assert is_damaged(sent, sent[:length])


@pytest.mark.fault(87)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_told_apart_in_short_time(sent: str, shown: str) -> None:
    assert is_damaged(sent, shown) in (True, False)
    assert is_damaged("Ż?" * 100, "?" * 200 + "x") is False


def test_escaping_alone() -> None:
    assert is_escaped("A & B", "A &amp; B")
    assert is_escaped("A &amp; B", "A &amp;amp; B")
    assert not is_escaped("A &amp; B", "A & B")
    assert not is_escaped("A & B", "A & B")
    assert not is_escaped("A & B", "A &amp; C")
    assert unescaped("A &amp;amp; B") == "A & B"
