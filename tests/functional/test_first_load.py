"""The first load of 20 clients against 12 accounts, over HTTP: planned, approved, carried out, then quiet."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from local.panel.sample import tax_number
from tests.fixtures.installation import Installation

POLICY = '{{"mode": "{}", "panel": {{"requests_per_second": 1000}}}}'
WRITES = ("POST clients", "PUT clients", "DELETE clients", "POST discounts", "PUT discounts", "DELETE discounts")
OURS = ("sync_links", "sync_base", "sync_status", "sync_matches", "sync_conflicts", "sync_history", "sync_prices")
TABLES = (*OURS, "incoming_clients", "sync_pauses", "clients", "delivery_addresses")


def loaded(installation: Installation, mode: str) -> Installation:
    """Return the installation with a shop and an ERP that do not know each other."""
    chance = random.Random(7)
    numbers = [tax_number(chance) for _ in range(3)]
    installation.decide(POLICY.format(mode))
    panel = installation.panel
    for n in range(1, 6):  # found by their e-mail addresses, with another town
        panel.seed(login=f"mail{n}", email=f"c-{n}@firma.pl", company=f"Firma C-{n}", client_type="firm", city="Radom")
    for n, number in enumerate(numbers):  # found by their tax numbers
        panel.seed(login=f"nip{n}", email=f"inny{n}@x.pl", nip=number, company="Inna", client_type="firm")
    for n in range(2):  # two that one client may have
        panel.seed(login=f"two{n}", email="c-9@firma.pl", company="Dwie", client_type="firm")
    for n in range(2):  # nobody's
        panel.seed(login=f"new{n}", email=f"nowy{n}@x.pl", first_name="Jan", last_name="Nowy")
    mailed = panel.by_login("mail1")
    assert mailed
    panel.add_address(mailed.id, street="Składowa 1", zip_code="00-950", city="Radom", first_name="Jan")
    installation.insert(*(f"C-{n}" for n in range(1, 21)))
    installation.sql("UPDATE clients SET nip = NULL")
    for n, number in enumerate(numbers, start=6):
        installation.sql(f"UPDATE clients SET nip = '{number}', email = 'z{n}@firma.pl' WHERE id = 'C-{n}'")
    installation.sql("UPDATE clients SET city = NULL WHERE id = 'C-10'")
    installation.sql("UPDATE clients SET active = 0 WHERE id = 'C-5'")
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('HURT', 'Hurt')")
    installation.price("HURT", 11, "19.90")
    installation.price("HURT", 12, "9.90")
    installation.sql("UPDATE clients SET discount_group_id = 'HURT' WHERE id IN ('C-1', 'C-11')")
    installation.credit("C-2", "500.00")
    installation.credit("C-12", "700.00")
    installation.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city) "
        "VALUES ('A-1', 'C-13', 'Jan', 'Nowy', 'Długa 1', '00-950', 'Łódź')"
    )
    return installation


def stored(installation: Installation) -> dict[str, list[Any]]:
    return {name: sorted(map(str, installation.sql(f"SELECT * FROM {name}"))) for name in TABLES}


def writes(installation: Installation) -> int:
    return sum(n for gate, n in installation.panel.calls.items() if gate.startswith(WRITES))


def plan(installation: Installation) -> Counter[str]:
    return Counter(row[0] for row in installation.sql("SELECT action FROM sync_plan WHERE outcome IS NULL"))


def approve(installation: Installation, where: str = "1 = 1") -> None:
    installation.sql(f"UPDATE sync_plan SET decision = 'approve' WHERE outcome IS NULL AND {where}")


def shop(installation: Installation) -> list[Any]:
    """Return what the panel holds in the end, but for its own numbers and dates."""
    found = []
    for account in installation.panel.accounts:
        facts = {name: str(getattr(account, name)) for name in ("login", "external_code", "email", "city", "active")}
        lines = sorted((a.street, a.city) for a in account.addresses)
        found.append((*facts.values(), str(account.credit_limit), account.discount_group_id != 0, lines))
    return sorted(found)


def ticks(installation: Installation, times: int) -> None:
    for _ in range(times):
        installation.tick()
        installation.pass_time(seconds=90)


@pytest.mark.fault(92)
def test_it_is_planned_approved_carried_out_and_then_quiet(installation: Installation) -> None:
    loaded(installation, "plan")
    before, made = stored(installation), writes(installation)
    ticks(installation, 3)
    assert (stored(installation), writes(installation)) == (before, made)
    totals = plan(installation)
    assert (totals["create"], totals["link"], totals["question"], totals["held"]) == (10 + 1, 8, 2, 1)
    assert totals["close"] == 1
    ids = installation.sql("SELECT id FROM sync_plan ORDER BY id")
    ticks(installation, 2)
    assert installation.sql("SELECT id FROM sync_plan ORDER BY id") == ids

    approve(installation, "client_id IN ('C-1', 'C-20') AND concern = 'accounts'")
    ticks(installation, 3)
    assert {row[0] for row in installation.sql("SELECT client_id FROM sync_links")} == {"C-1", "C-20"}
    assert {account.external_code for account in installation.panel.accounts} == {"", "C-1", "C-20"}

    approve(installation)
    ticks(installation, 5)
    assert plan(installation) == {}
    assert installation.sql("SELECT count(*) FROM sync_links") == [(18,)]
    assert installation.sql("SELECT DISTINCT outcome FROM sync_plan WHERE outcome IS NOT NULL") == [("done",)]
    assert installation.sql("SELECT count(*) FROM sync_matches") == [(2,)]

    kept, calls, planned = stored(installation), writes(installation), plan(installation)
    ticks(installation, 3)
    assert (stored(installation), writes(installation), plan(installation)) == (kept, calls, planned)


@pytest.mark.parametrize("approved", [True, False])
def test_in_the_end_the_panel_is_as_if_it_had_been_applied(installation: Installation, approved: bool) -> None:
    loaded(installation, "plan")
    ticks(installation, 2)
    if approved:
        approve(installation)
        ticks(installation, 5)
    installation.decide(POLICY.format("apply"))
    ticks(installation, 6)
    found = shop(installation)
    assert plan(installation) == {}
    assert {row[:2] for row in found if row[1]} == {
        *((f"mail{n}", f"C-{n}") for n in range(1, 6)),
        *((f"nip{n}", f"C-{n + 6}") for n in range(3)),
        *((f"c-{n}", f"C-{n}") for n in range(11, 21)),
    }
    by_code = {row[1]: row for row in found}
    assert by_code["C-1"][3] == "Łódź"
    assert by_code["C-5"][4] == "False"
    assert [row[1] for row in found if row[6]] == ["C-11", "C-1"]
    assert {code: by_code[code][5] for code in ("C-2", "C-12")} == {"C-2": "500.00", "C-12": "700.00"}
    assert by_code["C-13"][7] == [("Długa 1", "Łódź")]
    assert installation.sql("SELECT client_id, city FROM delivery_addresses WHERE id <> 'A-1'") == [("C-1", "Radom")]
    assert installation.sql("SELECT count(*) FROM incoming_clients") == [(2,)]
