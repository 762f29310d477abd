"""The desk in a real Chromium, over an installation: what a person sees and does there, and what axe-core says."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from kartoteka.desk.lists import LISTS
from tests.fixtures.browser import DESKTOP, PHONE, Open, faults, is_too_wide
from tests.fixtures.installation import Installation
from tests.functional.test_desk import edit_in_panel, in_conflict, settle
from tests.functional.test_first_load import POLICY, loaded, ticks, writes

CLIENTS, ACCOUNTS, MOVED = 2_000, 1_200, 400
"""Of the first load: how many clients there are, how many of them have an account, how many of these another town."""

LOOKS: tuple[tuple[str, tuple[int, int], Literal["light", "dark"]], ...] = (
    ("en", DESKTOP, "light"),
    ("pl", DESKTOP, "dark"),
    ("pl", PHONE, "light"),
    ("en", PHONE, "dark"),
)
"""Each width in each colour scheme, and each width in each language: colours know no language."""
FOCUSED = """() => {
    const each = document.activeElement;
    return [each.getAttribute("aria-label") || each.textContent.trim(), getComputedStyle(each).outlineStyle];
}"""


def follow(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def streets(installation: Installation, *codes: str) -> list[tuple[str, str]]:
    """Return the street of each client in the ERP and in the panel."""
    erp = dict(installation.sql("SELECT id, street FROM clients"))
    return [(erp[code], installation.panel.by_code(code)[0].street) for code in codes]


def planned_first_load(installation: Installation) -> None:
    """Plan the first load; nothing is written yet."""
    installation.decide(POLICY.format("plan"))
    for n in range(ACCOUNTS):
        town = "Radom" if n < MOVED else "Łódź"
        known = {"company": f"Firma C-{n}", "client_type": "firm", "street": "Długa 5", "zip_code": "00-950"}
        installation.panel.seed(
            login=f"m{n}", email=f"c-{n}@firma.pl", city=town, phone="501 502 503", country_code="PL", **known
        )
    installation.insert(*(f"C-{n}" for n in range(CLIENTS)))
    installation.sql("UPDATE clients SET nip = NULL")
    ticks(installation, 2)
    assert (writes(installation), installation.sql("SELECT count(*) FROM sync_links")) == (0, [(0,)])


def test_the_first_load_is_reviewed_approved_and_carried_out_exactly(installation: Installation, browse: Open) -> None:
    panel = installation.panel
    planned_first_load(installation)
    page = browse("en")
    began = time.process_time()
    follow(page, "Plan")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan")
    assert time.process_time() - began < 1  # of this process: the function, the bridge and the driver
    filters = page.locator(".filter").last
    expect(filters).to_contain_text(f"opens an account: {CLIENTS - ACCOUNTS}")
    expect(filters).to_contain_text(f"links: {ACCOUNTS}")
    expect(filters).to_contain_text(f"writes: {MOVED}")
    filters.get_by_role("link", name="writes").click()
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("Radom")
    expect(first).to_contain_text("Łódź")
    page.get_by_role("link", name="More rows").click()
    assert "action=update" in page.url
    expect(page.locator("tbody tr")).to_have_count(50)

    # one account is opened first, and nothing else happens
    filters.get_by_role("link", name="opens an account").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Approve those chosen").click()
    expect(page.get_by_role("status")).to_have_text("Rows approved: 1. It is carried out within a minute.")
    assert "action=create" in page.url
    installation.pass_time(seconds=90)
    ticks(installation, 2)
    assert installation.sql("SELECT client_id FROM sync_links") == [("C-1200",)]
    assert [account.external_code for account in panel.accounts if account.external_code] == ["C-1200"]
    assert len(panel.accounts) == ACCOUNTS + 1

    # then all of them; of one the town was edited after the list was shown, and it is left alone
    follow(page, "Plan")
    planned = Counter(row[0] for row in installation.sql("SELECT action FROM sync_plan WHERE outcome IS NULL"))
    assert planned == {"create": CLIENTS - ACCOUNTS - 1, "link": ACCOUNTS, "update": MOVED}
    installation.sql("UPDATE clients SET city = 'Gdynia' WHERE id = 'C-7'")
    page.get_by_role("button", name="Approve the whole list").click()
    expect(page.get_by_role("status")).to_contain_text(f"Rows approved: {sum(planned.values())}.")
    ticks(installation, 4)
    linked = {row[0] for row in installation.sql("SELECT client_id FROM sync_links")}
    assert linked == {f"C-{n}" for n in range(CLIENTS)} - {"C-7"}
    cities = dict(installation.sql("SELECT id, city FROM clients"))
    assert cities == {f"C-{n}": "Gdynia" if n == 7 else "Łódź" for n in range(CLIENTS)}
    shown = {account.external_code: account.city for account in panel.accounts if account.external_code}
    assert shown == {f"C-{n}": "Łódź" for n in range(CLIENTS) if n != 7}
    assert [account.city for account in panel.accounts if not account.external_code] == ["Radom"]

    follow(page, "Plan")
    expect(page.locator("tbody")).to_contain_text("C-7")
    expect(page.locator("tbody")).to_contain_text("Gdynia")


@pytest.mark.parametrize("lang", ["en", "pl"])
def test_a_conflict_is_decided_by_a_click_and_both_sides_follow(
    installation: Installation, browse: Open, lang: str
) -> None:
    in_conflict(installation, "K-1", "K-2")
    page = browse(lang)
    follow(page, "Konflikty" if lang == "pl" else "Conflicts")
    expect(page.locator("html")).to_have_attribute("lang", lang)
    row = page.get_by_role("row", name="K-1")
    expect(row).to_contain_text("Nowa 1")
    expect(row).to_contain_text("Inna 2")
    row.locator("button").nth(1).click()
    expect(page.get_by_role("status")).to_be_visible()
    page.get_by_role("row", name="K-2").locator("button").nth(0).click()
    expect(page.get_by_role("status")).to_be_visible()
    settle(installation)
    assert streets(installation, "K-1", "K-2") == [("Inna 2",) * 2, ("Nowa 1",) * 2]
    page.reload()
    expect(page.locator(".empty")).to_be_visible()


def test_the_same_decision_is_made_with_the_keyboard_alone(installation: Installation, browse: Open) -> None:
    in_conflict(installation, "K-1")
    page = browse("en")

    def reach(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            said, outline = page.evaluate(FOCUSED)
            if said.startswith(name):
                assert outline != "none", f"{name} does not show that it has the focus"
                page.keyboard.press("Enter")
                page.wait_for_load_state()
                return
        pytest.fail(f"{name} is not reached with the Tab key")

    reach("Skip to content")
    page.keyboard.press("Shift+Tab")
    reach("Conflicts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Conflicts")
    reach("Keep the panel's value: K-1")
    expect(page.get_by_role("status")).to_have_text(
        "Conflicts decided: 1; the panel's value stays. It is carried out within a minute."
    )
    settle(installation)
    assert streets(installation, "K-1") == [("Inna 2",) * 2]


def test_a_held_record_is_retried_from_its_list(installation: Installation, browse: Open) -> None:
    installation.insert("K-1")
    settle(installation)
    installation.pass_time(minutes=5)
    (account,) = installation.panel.by_code("K-1")
    installation.panel.edit(account.id, active=False)
    installation.pass_time(minutes=5)
    settle(installation)
    page = browse("en")
    page.get_by_role("link", name="held record").click()
    row = page.get_by_role("row", name="K-1")
    expect(row).to_contain_text("closed_in_panel")
    page.get_by_role("checkbox", name="K-1").check()
    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_role("status")).to_have_text(
        "Decided for records: 1 (retry now). It is carried out within a minute."
    )
    expect(row).to_contain_text("by ola")
    assert not installation.panel.by_code("K-1")[0].active
    settle(installation)
    assert installation.panel.by_code("K-1")[0].active
    page.reload()
    expect(page.get_by_text("Nothing is held.")).to_be_visible()


def test_a_question_is_answered_with_a_link(installation: Installation, browse: Open) -> None:
    for n in range(2):
        installation.panel.seed(login=f"two{n}", email="k-1@firma.pl", company=f"Dwie {n}", client_type="firm")
    installation.insert("K-1")
    installation.sql("UPDATE clients SET nip = NULL")
    settle(installation)
    page = browse("en")
    page.get_by_role("link", name="client whose account").click()
    page.get_by_role("button", name=re.compile("K-1, two1")).click()
    expect(page.get_by_role("status")).to_be_visible()
    settle(installation)
    (account,) = installation.panel.by_code("K-1")
    assert account.login == "two1"
    page.reload()
    expect(page.locator(".empty")).to_be_visible()


def test_a_mass_mistake_is_seen_in_the_history_and_undone(installation: Installation, browse: Open) -> None:
    codes = [f"K-{number}" for number in range(30)]
    installation.insert(*codes)
    settle(installation)
    installation.pass_time(minutes=20)
    installation.sql("UPDATE clients SET street = 'Pomyłka 1'")
    settle(installation)
    installation.sql("UPDATE clients SET street = 'Poprawna 7' WHERE id = 'K-7'")
    settle(installation)
    page = browse("en")
    follow(page, "History")
    page.get_by_role("row", name="Pomyłka 1").last.get_by_role("link").last.click()
    expect(page.get_by_text("Only the run")).to_be_visible()
    page.get_by_role("button", name="Undo this run").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan")
    assert streets(installation, "K-1") == [("Pomyłka 1",) * 2]
    page.get_by_role("button", name="Approve the whole list").click()
    expect(page.get_by_role("status")).to_contain_text("Rows approved")
    settle(installation)
    after = dict(zip(codes, streets(installation, *codes), strict=True))
    assert after.pop("K-7") == ("Poprawna 7",) * 2
    assert set(after.values()) == {("Długa 5",) * 2}


def test_a_client_is_forgotten_from_its_page(installation: Installation, browse: Open) -> None:
    installation.insert("K-1", "K-2")
    settle(installation)
    page = browse("en")
    page.get_by_role("searchbox").fill("firma k-1")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="K-1", exact=True).click()
    page.get_by_role("link", name="Forget").click()
    assert faults(page) == []
    page.locator("#confirm").fill("K-1")
    page.locator("form[action='/forget'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    settle(installation)
    for table in ("sync_base", "sync_history", "sync_links"):
        assert {row[0] for row in installation.sql(f"SELECT client_id FROM {table}")} == {"K-2"}, table


def test_why_a_client_is_not_in_the_shop_is_one_search_and_one_click_away(
    installation: Installation, browse: Open
) -> None:
    installation.insert("K-1", "K-2")
    installation.sql("UPDATE clients SET city = NULL, company = 'Żółw Łódzki' WHERE id = 'K-1'")
    settle(installation)
    page = browse("pl")
    page.get_by_role("searchbox").fill("żÓŁW")
    page.get_by_role("searchbox").press("Enter")
    page.locator("tbody").get_by_role("link", name="K-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("K-1 Żółw Łódzki")
    why = page.get_by_role("region", name="Dlaczego nie ma go w sklepie:")
    expect(why).to_contain_text("W ERP brakuje wartości: miejscowość.")
    expect(why.get_by_role("link", name="Wstrzymane rekordy tego klienta")).to_be_visible()


def busy(installation: Installation) -> None:
    """Bring something onto every page: a first load, then conflicts, held records, drift, new clients only planned."""
    settings = '"panel": {"requests_per_second": 1000, "monthly_budget": 2000}, "billing": {"conflict": "hold"}'
    loaded(installation, "apply")
    installation.decide(f"{{{settings}}}")
    ticks(installation, 4)
    installation.sql("UPDATE clients SET street = 'Nowa 1' WHERE id IN ('C-1', 'C-2')")
    edit_in_panel(installation, "C-1", "Inna 2")
    edit_in_panel(installation, "C-2", "Inna 2")
    (account,) = installation.panel.by_code("C-4")
    installation.panel.edit(account.id, nip="5260001246")
    installation.sql("UPDATE client_credit SET balance = '650.00' WHERE client_id = 'C-12'")
    installation.sql("UPDATE clients SET zip_code = 'bad' WHERE id = 'C-3'")
    ticks(installation, 3)
    installation.decide(f'{{"mode": "plan", {settings}}}')
    installation.insert("C-30", "C-31")
    installation.sql("UPDATE clients SET city = 'Kraków' WHERE id = 'C-6'")
    ticks(installation, 2)
    installation.sql("INSERT INTO sync_pauses (concern, reason) VALUES ('shops', 'stocktaking')")


def test_axe_finds_nothing_and_nothing_is_wider_than_its_window(installation: Installation, browse: Open) -> None:
    busy(installation)
    found = []
    paths = ["", *LISTS, *(f"clients/{code}" for code in ("C-1", "C-3", "C-9", "C-13", "C-30", "C-1/forget"))]
    for lang, size, scheme in LOOKS:
        page = browse(lang, size)
        page.emulate_media(color_scheme=scheme)
        first = page.url
        for path in paths:
            page.goto(f"{first}{path}")
            assert page.locator("h1").count() == 1, path
            told = [*faults(page), *(["wider than the window"] if is_too_wide(page) else [])]
            found += [(lang, size, scheme, path, each) for each in told]
    assert found == []
