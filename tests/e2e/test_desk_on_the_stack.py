"""An operator's first days, in a real Chromium on the local stack: `kartoteka desk` opens it, and nothing else is used.

The stack is in mode plan: whatever is done was shown and approved on the page before.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from local.waiting import wait_until
from tests.fixtures.browser import DESKTOP, PATIENCE_MS
from tests.fixtures.stack import ROOT, Stack, started

POLICY = """{
  "mode": "plan",
  "billing": {"fields": {"street": {"conflict": "hold"}}},
  "panel": {"requests_per_second": 100}
}"""
CLIENTS, ACCOUNTS, MOVED = 20, 12, 4
"""How many clients the ERP has, how many of them have an account, how many of these with another town."""
ROUND = 5
"""Seconds in which a synchronisation that was asked for has shown something."""
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack in mode plan: an ERP with clients, a shop with some of them."""
    with started(tmp_path_factory.mktemp("desk"), POLICY) as stack:
        for n in range(ACCOUNTS):
            town = "Radom" if n < MOVED else "Łódź"
            known = {"company": f"Firma {n}", "client_type": "firm", "street": "Długa 5", "zip_code": "00-950"}
            stack.panel.seed(login=f"firma{n}", email=f"c-{n}@firma.example", city=town, **known)
        rows = ", ".join(
            f"('C-{n}', 'c-{n}@firma.example', 'firm', 'Firma {n}', 'Długa 5', '00-950', 'Łódź')"
            for n in range(CLIENTS)
        )
        stack.sql(f"INSERT INTO clients (id, email, client_type, company, street, zip_code, city) VALUES {rows}")
        yield stack


@dataclass
class Operator:
    """A person at the desk, who sees one page."""

    page: Page
    address: str

    def follow(self, name: str) -> None:
        """Follow a link of the navigation."""
        self.page.get_by_role("navigation").get_by_role("link", name=name).click()

    def said(self, text: str) -> None:
        """See what the page says of what was done."""
        expect(self.page.get_by_role("status")).to_contain_text(text)

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).first.click()

    def synchronise(self, until: Callable[[], bool]) -> None:
        """Press the overview's button, again where one round was not enough, until something is so."""
        pressed = -math.inf

        def so() -> bool:
            nonlocal pressed
            if not until() and time.monotonic() - pressed > ROUND:
                self.page.goto(self.address)
                self.press("Synchronise now")
                self.said("Synchronisation has started")
                pressed = time.monotonic()
            return until()

        wait_until(so, what="the synchronisation is not through", seconds=120)

    def approve_all(self, count: int) -> None:
        """Approve the whole list of the plan's page, of so many rows."""
        self.press("Approve the whole list")
        self.said(f"Rows approved: {count}.")


@pytest.fixture(scope="module")
def operator(stack: Stack, chromium: Browser) -> Iterator[Operator]:
    """Give a person in front of `kartoteka desk`."""
    command = [sys.executable, "-m", "cli", "desk", "--no-browser", "--json"]
    environment = {**os.environ, **stack.environment, "ERP_URL": "", "LANG": "C.UTF-8"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as desk:
        assert desk.stdout
        address = json.loads(desk.stdout.readline())["address"]
        context = chromium.new_context(locale="en-GB", viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        context.set_default_timeout(PATIENCE_MS)
        told: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(address)
        yield Operator(page, page.url)
        context.close()
        desk.terminate()
    assert told == []


def planned(stack: Stack) -> dict[str, int]:
    """Return how many rows of each action wait for approval."""
    rows = stack.sql("SELECT action, count(*) FROM sync_plan WHERE outcome IS NULL GROUP BY action")
    return dict(rows)


def test_the_first_load_is_planned_reviewed_and_approved(stack: Stack, operator: Operator) -> None:
    expected = {"create": CLIENTS - ACCOUNTS, "link": ACCOUNTS, "update": MOVED}
    operator.synchronise(lambda: planned(stack) == expected)
    assert not any(account.external_code for account in stack.panel.accounts)
    operator.follow("Plan")
    filters = operator.page.locator(".filter").last
    for name, count in (("opens an account", CLIENTS - ACCOUNTS), ("links", ACCOUNTS), ("writes", MOVED)):
        expect(filters).to_contain_text(f"{name}: {count}")
    operator.approve_all(sum(expected.values()))
    operator.synchronise(lambda: len(stack.sql("SELECT client_id FROM sync_links")) == CLIENTS and not planned(stack))
    shown = {account.external_code: account.city for account in stack.panel.accounts}
    assert shown == {f"C-{n}": "Łódź" for n in range(CLIENTS)}


def streets(stack: Stack, *codes: str) -> list[tuple[str, str]]:
    """Return the street of each client in the ERP and in the panel."""
    erp = dict(stack.sql("SELECT id, street FROM clients"))
    return [(erp[code], stack.panel.by_code(code)[0].street) for code in codes]


def test_a_conflict_is_decided_and_both_sides_follow(stack: Stack, operator: Operator) -> None:
    stack.panel.edit(stack.panel.by_code("C-1")[0].id, street="Inna 2")
    stack.sql("UPDATE clients SET street = 'Nowa 1' WHERE id = 'C-1'")
    operator.synchronise(lambda: planned(stack) == {"conflict": 1})
    operator.follow("Plan")
    operator.approve_all(1)
    operator.synchronise(
        lambda: stack.sql("SELECT client_id FROM sync_conflicts WHERE closed_at IS NULL") == [("C-1",)]
    )
    operator.follow("Conflicts")
    operator.press("Keep the panel's value: C-1")
    operator.said("Conflicts decided: 1")
    operator.synchronise(lambda: planned(stack) == {"update": 1})
    operator.follow("Plan")
    operator.approve_all(1)
    operator.synchronise(lambda: streets(stack, "C-1") == [("Inna 2",) * 2])


def test_a_mass_mistake_is_undone(stack: Stack, operator: Operator) -> None:
    codes = [f"C-{n}" for n in range(2, CLIENTS)]
    stack.sql("UPDATE clients SET street = 'Pomyłka 1' WHERE id <> 'C-1'")
    operator.synchronise(lambda: planned(stack) == {"update": CLIENTS - 1})
    operator.follow("Plan")
    operator.approve_all(CLIENTS - 1)
    operator.synchronise(lambda: streets(stack, *codes) == [("Pomyłka 1",) * 2] * len(codes))
    operator.follow("History")
    operator.page.get_by_role("row", name="Pomyłka 1").last.get_by_role("link").last.click()
    operator.press("Undo this run")
    operator.approve_all(2 * (CLIENTS - 1))  # the ERP's own edit is taken back as well as what was sent
    operator.synchronise(lambda: streets(stack, *codes) == [("Długa 5",) * 2] * len(codes))


def test_a_client_is_forgotten(stack: Stack, operator: Operator) -> None:
    operator.page.get_by_role("searchbox").fill("firma 7")
    operator.page.get_by_role("searchbox").press("Enter")
    operator.page.get_by_role("link", name="C-7", exact=True).click()
    operator.page.get_by_role("link", name="Forget").click()
    operator.page.locator("#confirm").fill("C-7")
    operator.page.locator("form[action='/forget'] button").click()
    expect(operator.page.get_by_role("status")).to_be_visible()
    for table in ("sync_base", "sync_history", "sync_links", "sync_plan"):
        kept = {row[0] for row in stack.sql(f"SELECT client_id FROM {table}")}
        assert "C-7" not in kept, table
        assert "C-8" in kept, table
    stack.tick()
    assert stack.sql("SELECT client_id FROM sync_links WHERE client_id = 'C-7'") == []
