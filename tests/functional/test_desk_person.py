"""What a person who knows nothing of the software finds on the pages: why, what was decided, when, and what to do."""

from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql import tables
from kartoteka.desk import texts
from tests.fixtures.installation import Installation
from tests.functional.test_desk import Visitor, in_conflict, settle


def seen(page: str) -> str:
    """Return the text of a page without its frame, blanks squeezed."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def row(page: str, code: str) -> str:
    """Return the text of the table's row, or the article, about a client."""
    found = [
        each for each in re.findall(r"<(?:tr|article)\b.*?</(?:tr|article)>", page, re.DOTALL) if f">{code}<" in each
    ]
    return seen(f"<main{''.join(found)}</main>")


def badge(page: str, name: str) -> str:
    found = re.search(rf'<a href="/{name}"[^>]*>[^<]*<span class="badge">(\d+)', page)
    return found[1] if found else ""


def held(installation: Installation, client_id: str, name: str, field: str = "", **facts: str) -> None:
    """Write a record that waits for a person."""
    told = codes.status(name, field.split(",") if field else [], **facts)
    with installation.database.begin() as connection:
        connection.execute(
            tables.sync_status.insert(),
            {
                "client_id": client_id,
                "group_id": "",
                "concern": "accounts",
                "item_id": "",
                "state": str(told.state),
                "code": told.code,
                "field": told.field,
                "message_pl": told.message_pl,
                "message_en": told.message_en,
            },
        )


def asked(installation: Installation, client_id: str, *accounts: str) -> None:
    """Hold a client that may have one of these accounts."""
    held(installation, client_id, "ambiguous", accounts=", ".join(accounts))
    now = sa.func.current_timestamp()
    with installation.database.begin() as connection:
        for each in accounts:
            row = {"client_id": client_id, "panel_client_id": each, "matched_by": "email", "raised_at": now}
            connection.execute(tables.sync_matches.insert().values(**row))


# --- what was decided, and when it is carried out


def test_a_decided_conflict_is_no_order_any_more(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    in_conflict(installation, "K-1", "K-2")
    (first, second) = sorted(visitor.json("conflicts")["rows"], key=lambda each: each["client_id"])
    assert badge(visitor.page("/"), "conflicts") == "2"
    where = visitor.send("/conflicts/decide", one=f"{first['id']}:erp", back="/conflicts")["headers"]["Location"]
    page = visitor.page(where)
    assert "zostaje wartość z ERP" in seen(page)
    assert "Zostanie to wykonane w ciągu minuty." in seen(page)
    assert badge(page, "conflicts") == "1"
    assert f'value="{first["id"]}:erp"' not in page
    assert f'name="id" value="{first["id"]}"' not in page
    assert f'value="{second["id"]}:erp"' in page
    told = seen(visitor.page("/clients/K-1"))
    assert "Zdecydowano: ulica, zostaje wartość z ERP" in told
    assert "zdecydował(a): ola" in told
    assert "naciśnij" not in told.split("Dane klienta")[0]
    assert "Rozstrzygnij tutaj" not in told
    assert "Rozstrzygnij tutaj" in seen(visitor.page("/clients/K-2"))
    assert "zdecydowano: 1" in seen(visitor.page("/"))
    settle(installation)
    assert "Zdecydowano" not in seen(visitor.page("/clients/K-1"))
    assert "znalazł to" not in row(visitor.page("/history?client_id=K-1&reason=conflict"), "K-1")


@pytest.mark.parametrize("word", ["retry", "done"])
def test_a_word_about_what_is_held_is_told_on_every_page(installation: Installation, word: str) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    held(installation, "K-1", "incomplete", "city", table="clients")
    assert badge(visitor.page("/"), "held") == "1"
    visitor.send("/held/decide", record="K-1||accounts|", word=word, back="/held")
    page = visitor.page("/held")
    said = texts.word("word", word, "pl")
    assert f"Zdecydowano: {said}" in row(page, "K-1")
    assert "Uzupełnij" not in row(page, "K-1")
    assert 'name="record"' not in page
    assert badge(page, "held") == ""
    told = visitor.page("/clients/K-1")
    assert f"Zdecydowano: {said}" in seen(told)
    assert 'name="word"' not in told
    assert "Uzupełnij" not in seen(told)


@pytest.mark.parametrize(("word", "says"), [("link", "połącz"), ("create", "załóż nowe")])
def test_an_answered_question_is_no_question_any_more(installation: Installation, word: str, says: str) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    asked(installation, "K-1", "7", "8")
    assert (badge(visitor.page("/"), "questions"), badge(visitor.page("/"), "held")) == ("1", "1")
    given = {"client_id": "K-1"} | ({"panel_client_id": "8"} if word == "link" else {})
    visitor.send(f"/questions/{word}", back="/questions", **given)
    page = visitor.page("/questions")
    assert (badge(page, "questions"), badge(page, "held")) == ("", "")
    assert f"Zdecydowano: {says}" in row(page, "K-1")
    assert "możesz je tam zostawić bez odpowiedzi" in seen(page)
    assert page.count('action="/questions/link"') == (1 if word == "link" else 2)
    assert page.count('action="/questions/create"') == (1 if word == "link" else 0)
    told = seen(visitor.page("/clients/K-1"))
    assert f"Zdecydowano: {says}" in told
    assert "Odpowiedz tutaj" not in told
    assert "Zdecydowano" in row(visitor.page("/held"), "K-1")
    assert "klient, którego konto" not in seen(visitor.page("/"))


def test_a_decision_about_a_paused_concern_says_what_it_waits_for(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    held(installation, "K-1", "incomplete", "city", table="clients")
    visitor.post("pause", concern="accounts", reason="remanent")
    where = visitor.send("/held/decide", record="K-1||accounts|", word="retry", back="/held")["headers"]["Location"]
    told = seen(visitor.page(where))
    assert "dopiero po wznowieniu" in told
    assert "Konta, od 20" in told
    assert "(remanent)" in told
    assert "w ciągu minuty" not in told


def test_in_the_mode_of_a_plan_a_decision_waits_for_its_approval(installation: Installation) -> None:
    installation.decide('{"mode": "plan"}')
    visitor = Visitor(installation)
    installation.insert("K-1")
    told = seen(visitor.page("/clients/K-1"))
    assert "It goes into the plan first" in told
    assert "within a minute" not in told
    assert "Rows approved: 1. It is carried out within a minute." in seen(visitor.page("/plan?did=plan/approve&n=1"))


def test_where_the_schedules_are_off_a_page_says_what_to_press(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kartoteka import runtime

    monkeypatch.setenv("KARTOTEKA_SCHEDULES", "off")
    runtime.forget()
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    assert "naciśnij „Synchronizuj teraz”" in seen(visitor.page("/clients/K-1"))
    overview = seen(visitor.page("/"))
    assert "Harmonogramy są wyłączone" in overview
    assert "na bieżąco" not in overview


def test_a_client_that_waits_for_a_pause_alone_says_so(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    assert "zostanie założone. Zostanie to wykonane w ciągu minuty." in seen(visitor.page("/clients/K-1"))
    visitor.post("pause", concern="accounts", reason="remanent")
    told = seen(visitor.page("/clients/K-1"))
    assert re.search(r"Dlaczego nie ma go w sklepie: Czeka, bo zatrzymano: Konta, od [-\d: ]+ \(remanent\)", told)
    assert "nowe konta nie powstają" in told
    overview = seen(visitor.page("/"))
    assert "nie ma ich w tej tabeli: 1." in overview
    assert re.search(r"Konta( \d+)+ zatrzymano [-\d: ]+ nowe konta nie powstają", overview)
    where = visitor.send("/resume", concern="accounts", back="/")["headers"]["Location"]
    assert "Konta: działa dalej." in seen(visitor.page(where))


# --- something to compare


def test_a_question_shows_both_records_side_by_side_and_marks_what_differs(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1", "K-2")
    settle(installation)
    (account,) = installation.panel.by_code("K-2")
    installation.sql(
        "INSERT INTO clients (id, email, company, city, zip_code) "
        "VALUES ('K-3', 'k-2@firma.pl', 'Inna', 'Łódź', '00950')"
    )
    asked(installation, "K-3", str(account.id))
    page = visitor.page("/questions")
    lines = {
        unescape(re.sub(r"<[^>]*>", "", name)).strip(): line
        for line in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
        for name in re.findall(r'<th scope="row"[^>]*>(.*?)</th>', line)
    }
    assert {"firma", "ulica", "kod pocztowy", "miejscowość", "telefon", "e-mail", "NIP", "Login"} <= set(lines)
    assert "Firma K-2" in lines["firma"]
    assert "differs" in lines["firma"]
    assert "differs" not in lines["kod pocztowy"], "written apart is no difference"
    assert "differs" not in lines["miejscowość"]
    assert "Otwarcie tej strony pyta panel sklepu" in seen(page)


def test_an_account_that_was_not_chosen_is_no_new_customer_without_a_word(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    asked(installation, "K-1", "7", "8")
    now = sa.func.current_timestamp()
    with installation.database.begin() as connection:
        for each in ("8", "9"):
            connection.execute(
                tables.ERP.incoming_clients.insert().values(panel_client_id=each, company=f"Firma {each}", seen_at=now)
            )
    first, second = re.findall(r"<article.*?</article>", visitor.page("/incoming"), re.DOTALL)
    assert "zostaw je bez odpowiedzi: K-1" in seen(f"<main{first}</main>")
    assert "zostaw je" not in second


# --- names, fields, states


def test_lists_name_the_client_beside_its_code(installation: Installation) -> None:
    visitor = Visitor(installation)
    in_conflict(installation, "K-1")
    visitor.post("exclude", client_id="K-1", concern="shops", reason="spór o adres")
    settle(installation)
    installation.insert("K-2")
    held(installation, "K-2", "incomplete", "city", table="clients")
    for path, code in (("conflicts", "K-1"), ("held", "K-2"), ("excluded", "K-1"), ("history", "K-1")):
        assert f"Firma {code}" in row(visitor.page(f"/{path}"), code), path
    assert "spór o adres" in row(visitor.page("/excluded"), "K-1")
    assert "Firma K-1" in seen(visitor.page("/clients/K-1/forget"))
    assert "held" in row(visitor.page("/clients"), "K-2")
    assert "conflict" in row(visitor.page("/clients"), "K-1")


def test_a_required_field_without_a_value_is_a_row_of_its_own(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    installation.sql("UPDATE clients SET city = NULL WHERE id = 'K-1'")
    settle(installation)
    told = seen(visitor.page("/clients/K-1"))
    assert "W ERP brakuje wartości: miejscowość" in told
    assert "miejscowość city brakuje" in told
    installation.sql("UPDATE clients SET city = 'Łódź' WHERE id = 'K-1'")
    settle(installation)
    assert "brakuje" not in seen(visitor.page("/clients/K-1"))


def test_what_the_person_decides_is_no_fault_of_the_erps_row(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    held(installation, "K-1", "closed_in_panel", "active", table="clients")
    told = seen(visitor.page("/clients/K-1"))
    assert "otwiera zamknięte konto" in told
    assert "do poprawy w ERP" not in told


def test_an_excluded_client_has_its_reason_at_the_top(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    installation.sql("INSERT INTO sync_exclusions (client_id, concern, reason) VALUES ('K-1', 'accounts', 'spór')")
    settle(installation)
    page = visitor.page("/clients/K-1")
    top = page[: page.index('id="leaving"')]
    assert "Powód wyłączenia: spór" in top
    assert 'action="/include"' in top


def test_a_closed_account_is_not_said_to_be_all_right(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    settle(installation)
    assert "Wszystko jest zgodne." in seen(visitor.page("/clients/K-1"))
    installation.sql("UPDATE clients SET active = 0 WHERE id = 'K-1'")
    settle(installation)
    told = seen(visitor.page("/clients/K-1"))
    assert "Wszystko jest zgodne" not in told
    assert "Tak jest w ERP: pole „konto czynne” ma tam wartość „nie”." in told


def test_a_forgotten_client_has_the_one_button_that_helps(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    settle(installation)
    visitor.post("forget", client_id="K-1", confirm="K-1")
    settle(installation)
    page = visitor.page("/clients/K-1")
    assert 'action="/forget/allow"' in page
    assert 'action="/resync"' not in page
    assert 'action="/exclude"' not in page
    assert "Klient został zapomniany" in seen(page)
    assert "Nie ma jeszcze konta" not in seen(page)


# --- times and numbers


@pytest.mark.parametrize(
    ("zone", "shown"), [("Europe/Warsaw", "2026-01-05 09:30"), ("America/New_York", "2026-01-05 03:30")]
)
def test_pages_tell_the_time_by_the_clocks_of_the_shop(installation: Installation, zone: str, shown: str) -> None:
    installation.decide(f'{{"panel": {{"time_zone": "{zone}"}}}}')
    installation.sql(
        "INSERT INTO incoming_clients (panel_client_id, company, seen_at) VALUES ('7', 'Nowa', '2026-01-05 08:30:00')"
    )
    visitor = Visitor(installation)
    page = visitor.page("/incoming")
    assert shown in page
    assert zone in page
    assert visitor.json("incoming")["rows"][0]["seen_at"] == "2026-01-05 08:30:00"


@pytest.mark.parametrize(
    ("n", "form"),
    [
        (1, "rekord"),
        (2, "rekordy"),
        (4, "rekordy"),
        (5, "rekordów"),
        (12, "rekordów"),
        (22, "rekordy"),
        (112, "rekordów"),
    ],
)
def test_polish_counts_in_three_forms(n: int, form: str) -> None:
    assert texts.counted("waits.held", n, "pl").split()[1] == form
    assert texts.counted("waits.held", n, "en") == ("held record" if n == 1 else "held records")


def test_every_counted_text_has_the_forms_of_its_language() -> None:
    for polish, english in texts.TEXTS.values():
        if "|" in polish:
            assert (len(polish.split("|")), len(english.split("|"))) == (3, 2)


def test_what_needs_nothing_has_no_button(installation: Installation) -> None:
    visitor = Visitor(installation, "pl")
    installation.insert("K-1")
    held(installation, "K-1", "first_contact")
    page = visitor.page("/clients/K-1")
    assert "Nic nie trzeba robić" in seen(page)
    assert 'action="/held/decide"' not in page
