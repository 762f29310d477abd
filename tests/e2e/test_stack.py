"""The whole thing, as its user starts it: the real template on the embedded AWS, the commands of `make up` and `tick`.

One stack serves all tests of this module; they follow one another as a user's day does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.stack import KEY, Stack, run, started

POLICY = """{
  "billing": {"fields": {"phone": {"conflict": "hold"}}},
  "brake": {"min_records": 1, "any_share": 1},
  "panel": {"requests_per_second": 50}
}"""
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack with a panel and a database that are not the local stack's own."""
    with started(tmp_path_factory.mktemp("e2e"), POLICY) as stack:
        yield stack


ROWS = """INSERT INTO clients (id, email, client_type, company, nip, street, zip_code, city, phone) VALUES
  ('C-1', 'a@firma.example', 'firm', 'A', '526-000-12-46', 'Długa 1', '00-950', 'Łódź', '501502503'),
  ('C-2', 'b@firma.example', 'firm', 'B', '123', 'Długa 2', '00-950', 'Łódź', NULL),
  ('C-3', 'c@firma.example', 'firm', 'C', NULL, NULL, NULL, NULL, NULL)"""


def test_rows_become_accounts_and_bad_ones_wait_with_their_reason(stack: Stack) -> None:
    stack.tick()  # the first pass over the panel: accounts wait for it, and its end may meet their own schedule
    stack.sql(ROWS)
    figures = stack.tick()
    assert (figures["collected"], figures["reconciled"], figures["written_to_panel"], figures["held"]) == (3, 3, 1, 2)
    assert [account.external_code for account in stack.panel.accounts] == ["C-1"]
    assert stack.panel.mails_sent == 0
    states = stack.sql("SELECT client_id, state, code FROM sync_status WHERE concern = 'accounts' ORDER BY client_id")
    assert states == [("C-1", "in_step", ""), ("C-2", "held", "bad_vat"), ("C-3", "held", "incomplete")]


def test_edits_travel_both_ways_in_one_tick(stack: Stack) -> None:
    account = stack.panel.by_code("C-1")[0]
    stack.panel.edit(account.id, email="nowy@firma.example")
    stack.sql("UPDATE clients SET street = 'Krótka 7' WHERE id = 'C-1'")
    stack.tick()
    assert stack.panel.account(account.id).street == "Krótka 7"
    assert stack.sql("SELECT email FROM clients WHERE id = 'C-1'") == [("nowy@firma.example",)]


def test_a_held_conflict_is_settled_by_one_update(stack: Stack) -> None:
    account = stack.panel.by_code("C-1")[0]
    stack.panel.edit(account.id, phone="600999888")
    stack.sql("UPDATE clients SET phone = '600100200' WHERE id = 'C-1'")
    assert stack.tick()["conflicts"] == 1
    assert stack.panel.account(account.id).phone == "600999888"
    stack.sql("UPDATE sync_conflicts SET decision = 'erp' WHERE closed_at IS NULL")
    stack.tick()
    assert stack.panel.account(account.id).phone == "600100200"


def test_an_outage_delays_and_loses_nothing(stack: Stack) -> None:
    stack.panel.misbehave("5xx", times=None)
    stack.sql("UPDATE clients SET city = 'Gdynia' WHERE id = 'C-1'")
    assert stack.tick()["delayed"] == ["panel_5xx"]
    assert stack.sql("SELECT state, code FROM sync_status WHERE client_id = 'C-1' AND concern = 'billing'") == [
        ("pending", "panel_5xx")
    ]
    stack.panel.behave()
    stack.tick()
    assert stack.panel.by_code("C-1")[0].city == "Gdynia"


def test_a_history_of_first_contact_addresses_shops_and_the_brake(stack: Stack) -> None:
    there = stack.panel.seed(
        login="sowa", client_type="firm", company="Sowa", nip="5270103391", email="s@firma.example"
    )
    stack.tick()
    assert stack.sql("SELECT panel_client_id FROM incoming_clients") == [(str(there.id),)]
    stack.sql("DELETE FROM clients WHERE id IN ('C-2', 'C-3')")
    stack.sql(
        "INSERT INTO clients (id, email, company, nip, street, zip_code, city)"
        " VALUES ('C-9', 'biuro@firma.example', 'Sowa i Syn', 'PL 527-010-33-91', 'Długa 9', '00-950', 'Łódź')"
    )
    stack.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city)"
        " VALUES ('A-1', 'C-9', 'Adam', 'Sowa', 'Portowa 3', '80-001', 'Gdańsk')"
    )
    stack.sql("INSERT INTO client_shops (client_id, shop_id) VALUES ('C-9', 2)")
    stack.tick()
    assert stack.sql("SELECT panel_client_id, linked_by FROM sync_links WHERE client_id = 'C-9'") == [
        (str(there.id), "nip")
    ]
    assert stack.sql("SELECT panel_client_id FROM incoming_clients") == []
    account = stack.panel.account(there.id)
    assert (account.external_code, account.company, account.shops) == ("C-9", "Sowa i Syn", [2])
    assert [address.street for address in account.addresses] == ["Portowa 3"]
    assert len(stack.panel.accounts) == 2

    born = stack.panel.add_address(
        there.id, first_name="Ewa", last_name="Sowa", street="Leśna 1", zip_code="31-002", city="Kraków"
    )
    stack.panel.edit_address(there.id, account.addresses[0].id, city="Gdynia")
    stack.tick()
    assert stack.sql("SELECT id, client_id, city FROM delivery_addresses ORDER BY id") == [
        ("A-1", "C-9", "Gdynia"),
        (f"panel-{born.id}", "C-9", "Kraków"),
    ]

    stack.sql("UPDATE clients SET active = false")
    assert stack.tick()["paused"] == ["accounts"]
    assert all(account.active for account in stack.panel.accounts)
    assert stack.command("status", "--exit-code").returncode == 3
    refused = stack.command("resume", "accounts")
    assert refused.returncode == 77
    assert "kartoteka resume accounts --confirm" in refused.stderr
    assert stack.command("resume", "accounts", "--confirm").returncode == 0
    assert stack.tick()["written_to_panel"] == 2
    assert not any(account.active for account in stack.panel.accounts)


def test_prices_and_trade_credit_until_the_shop_refuses_a_purchase(stack: Stack) -> None:
    stack.sql("UPDATE clients SET active = true WHERE id = 'C-1'")
    stack.sql("INSERT INTO discount_groups (id, name) VALUES ('HURT', 'Hurt 2026')")
    stack.sql(
        "INSERT INTO discount_group_items (group_id, item_type, item_id, price, rebate_percent, base_price, currency)"
        " VALUES ('HURT', 'product', 7, 19.90, NULL, NULL, 'PLN'), ('HURT', 'series', 3, NULL, 12.5, 9.99, 'PLN')"
    )
    stack.sql("UPDATE clients SET discount_group_id = 'HURT' WHERE id = 'C-1'")
    stack.sql(
        "INSERT INTO client_credit (client_id, credit_allowed, credit_limit, balance, currency, payment_days, as_of)"
        " VALUES ('C-1', true, 1000, 250.10, 'PLN', 14, CURRENT_TIMESTAMP)"
    )
    stack.tick()
    account = stack.panel.by_code("C-1")[0]
    [group] = stack.panel.groups_named("Hurt 2026")
    assert account.discount_group_id == group.id
    assert {key: str(price.price) for key, price in group.prices.items()} == {
        ("product", 7): "19.90",
        ("series", 3): "8.74",
    }
    assert (str(account.credit_limit), str(account.balance), account.payment_days) == ("1000.00", "250.10", 14)
    assert stack.panel.order(account.id, "749.90")["accepted"]

    stack.sql("UPDATE client_credit SET credit_limit = 300, as_of = CURRENT_TIMESTAMP")
    stack.panel.edit(account.id, discount_group_id=0)
    stack.tick()
    refused = stack.panel.order(account.id, "100.00")
    assert (refused["accepted"], refused["limit"]) == (False, "300.00")
    assert stack.panel.account(account.id).discount_group_id == group.id
    reasons = stack.sql("SELECT reason FROM sync_history WHERE field = 'discount_group_id' ORDER BY id")
    assert reasons == [("first_contact",), ("drift",)]


def test_a_quiet_tick_costs_two_calls(stack: Stack) -> None:
    """One for what changed in the panel; one for the delivery addresses of each hundred customers."""
    stack.tick()
    stack.panel.forget_calls()
    figures = stack.tick()
    assert dict(stack.panel.calls) == {"GET clients/clients": 1, "GET clients/deliveryAddress": 1}
    assert figures == {**dict.fromkeys(figures, 0), "panel_calls": 2}


def test_neither_output_nor_logs_hold_a_secret_or_personal_data(stack: Stack) -> None:
    logs = "".join(path.read_text(errors="replace") for path in (stack.home / "local/logs").iterdir())
    for canary in (KEY, "firma.example", "Długa", "Krótka", "526-000", "527-010", "Portowa", "501502503", "600999888"):
        assert canary not in stack.told + logs


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"PANEL_URL": "https://shop.example.com"}, "PANEL_URL needs PANEL_KEY"),
        ({"POLICY": "no-such-file.json"}, "there is no file no-such-file.json"),
        ({"ERP_URL": "postgresql://nobody:canary-pw@127.0.0.1:1/none"}, "does not answer"),
        ({"ERP_URL": "nonsense"}, "ERP_URL is not a database address"),
    ],
)
def test_a_mistake_is_told_in_a_line(environment: dict[str, str], told: str, tmp_path: Path) -> None:
    done = run("local.stack", "up", KARTOTEKA_HOME=str(tmp_path / "local"), **environment)
    run("local.stack", "down", KARTOTEKA_HOME=str(tmp_path / "local"))
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary-pw" not in done.stderr + done.stdout
