"""A whole installation against a panel whose reads lie: an empty answer opens, holds and forgets nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from kartoteka import runtime
from kartoteka.errors import Halt
from tests.fixtures.installation import Installation

CLIENTS = [f"C-{n}" for n in range(6)]
ONE_GATE, ALL_GATES = ["GET clients/clients"], ["GET clients/*", "POST clients/crm/search"]
HELD = "SELECT client_id, concern, code FROM sync_status WHERE state = 'held'"


@pytest.fixture
def moto_keeps_state() -> bool:
    """Say that the cloud is all the same here: what the panel does is the point."""
    return False


def fill(installation: Installation, *client_ids: str) -> None:
    """Insert clients that nothing but their codes tells apart from strangers."""
    installation.insert(*client_ids)
    for client_id in client_ids:
        installation.sql(f"UPDATE clients SET nip = NULL WHERE id = '{client_id}'")


def lie(installation: Installation, **settings: Any) -> None:
    installation.panel.settings.change(**settings)


def settle(installation: Installation, ticks: int = 3) -> None:
    for _ in range(ticks):
        installation.tick()


@pytest.mark.parametrize("hollow", ["object", "counted", "quiet"])
def test_a_first_pass_that_is_told_nothing_opens_nothing(installation: Installation, hollow: str) -> None:
    for client_id in CLIENTS:
        installation.panel.seed(login=client_id.lower(), external_code=client_id, email=f"{client_id.lower()}@firma.pl")
    fill(installation, *CLIENTS)
    lie(installation, hollow_answers=hollow, hollow_gates=ONE_GATE)
    settle(installation)
    assert len(installation.panel.accounts) == len(CLIENTS)
    assert installation.sql("SELECT * FROM sync_links") == []
    assert {code for *_, code in installation.sql(HELD)} == set()
    lie(installation, hollow_answers="no")
    settle(installation)
    assert len(installation.panel.accounts) == len(installation.sql("SELECT * FROM sync_links")) == len(CLIENTS)


@pytest.mark.parametrize(
    ("hollow", "gates"),
    [("object", ALL_GATES), ("null", ONE_GATE), ("map", ONE_GATE), ("counted", ALL_GATES), ("quiet", ALL_GATES)],
)
def test_a_panel_that_tells_nothing_for_a_while_costs_nothing_but_time(
    installation: Installation, hollow: str, gates: list[str]
) -> None:
    settle(installation, 1)
    fill(installation, *CLIENTS)
    settle(installation)
    accounts = {account.id: account for account in installation.panel.accounts}
    assert len(accounts) == len(CLIENTS)
    lie(installation, hollow_answers=hollow, hollow_gates=gates)
    installation.sql("UPDATE clients SET street = 'Nowa 7'")
    fill(installation, "N-1")
    installation.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city) "
        "VALUES ('A-1', 'C-1', 'Jan', 'Kos', 'Polna 1', '00-950', 'Radom')"
    )
    settle(installation)
    lie(installation, hollow_answers="no")
    for account_id in list(accounts)[:5]:
        installation.panel.edit(account_id, phone="600100200")
    settle(installation, 4)
    found = installation.panel.accounts
    assert {account.street for account in found if account.external_code.startswith("C-")} == {"Nowa 7"}
    assert sum(phone.endswith("600100200") for (phone,) in installation.sql("SELECT phone FROM clients")) == 5
    assert installation.sql(HELD) == []
    codes = sorted(account.external_code for account in found)
    assert codes == sorted([*CLIENTS, "N-1"])
    assert sum(len(account.addresses) for account in found) == 1


@pytest.mark.parametrize("name", ["clientsLastModificationDate", "clientsIds", "clientCodesExternal", "clientIds"])
def test_a_filter_that_is_ignored_halts_and_harms_nobody(installation: Installation, name: str) -> None:
    settle(installation, 1)
    fill(installation, *CLIENTS)
    settle(installation)
    installation.panel.seed(login="old", external_code="", email="old@x.pl", modified="2020-01-01 00:00:00")
    lie(installation, ignored_filters=[name])
    installation.sql("UPDATE clients SET street = 'Nowa 7' WHERE id = 'C-1'")
    fill(installation, "N-1")
    for _ in range(2):
        with suppress(Halt):  # the feed's schedule fails loudly, so that an alarm rings
            installation.tick()
    accounts = len(installation.panel.accounts)
    assert accounts <= len(CLIENTS) + 2
    lie(installation, ignored_filters=[])
    settle(installation, 4)
    assert {account.street for account in installation.panel.by_code("C-1")} == {"Nowa 7"}
    assert len(installation.panel.by_code("N-1")) == 1
    assert installation.sql(HELD) == []


def test_flat_elements_do_not_make_edits_and_tax_numbers_invisible(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    lie(installation, flat_elements=True)
    stranger = installation.panel.seed(login="anna", nip="7010416384", email="inna@x.pl", company="Alfa")
    fill(installation, "C-1")
    installation.insert("C-2")
    installation.sql("UPDATE clients SET nip = '7010416384' WHERE id = 'C-2'")
    settle(installation)
    assert installation.panel.account(stranger.id).external_code == "C-2"
    account = installation.panel.by_code("C-1")[0]
    installation.panel.edit(account.id, street="Wiśniowa 3")
    for _ in range(40):  # a window ends with a whole second, and the clock runs
        installation.tick()
        if installation.sql("SELECT street FROM clients WHERE id = 'C-1'") == [("Wiśniowa 3",)]:
            break
    else:
        pytest.fail("the edit was not carried")
    assert "whole records are read now" in capsys.readouterr().out
    assert runtime.state().load("panel_elements").document
    runtime.forget()
    installation.panel.forget_calls()
    settle(installation, 1)
    searches = installation.panel.requests("GET clients/clients")
    assert searches
    assert not any("returnElements" in call["query"] for call in searches)


@pytest.mark.parametrize("status", [200, 207])
def test_the_first_address_of_a_client_that_the_panel_leaves_out_is_added(
    installation: Installation, status: int
) -> None:
    lie(installation, names_clients_without_addresses=False, empty_search_status=status)
    settle(installation, 1)
    fill(installation, "C-1", "C-2")
    settle(installation)
    installation.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city) "
        "VALUES ('A-1', 'C-1', 'Jan', 'Kos', 'Polna 1', '00-950', 'Radom')"
    )
    settle(installation)
    [account] = installation.panel.by_code("C-1")
    assert [address.street for address in account.addresses] == ["Polna 1"]
    installation.panel.delete_address(account.id, account.addresses[0].id)
    installation.panel.edit(account.id, phone="600100200")
    settle(installation)
    assert installation.sql(HELD) == [("C-1", "delivery_addresses", "addresses_not_shown")]
    assert installation.sql("SELECT street FROM delivery_addresses") == [("Polna 1",)]
