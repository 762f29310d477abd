"""Undo over each engine: planned from the history, approved by one UPDATE or by the command, carried out exactly."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.desk import undo
from kartoteka.ports.exchange import Which
from tests.fixtures.cli import Command
from tests.fixtures.exchange import SqlBench
from tests.functional.test_planned_sql import ADDRESS, SqlWorld
from tests.world import CLIENT

MANY = {"brake": {"max_share": 1.0, "any_share": 1.0}}


@pytest.fixture
def world(sql: SqlBench) -> SqlWorld:
    """Two clients with their accounts, one with an address, all in step; then the ERP has overwritten some."""
    found = SqlWorld(sql, "apply")
    found.knows_the_panel()
    sql.erp.insert_client("C-1", **CLIENT, wholesaler=True)
    sql.erp.insert_client("C-2", **{**CLIENT, "email": "a@b.pl", "nip": None})
    sql.erp.insert_address("A-1", "C-1", **ADDRESS)
    for _ in range(3):
        found.tick()
    sql.erp.update_client("C-1", city="Radom", phone="600700800", wholesaler=False)
    sql.erp.update_client("C-2", city="Radom")
    sql.erp.update_address("A-1", city="Radom")
    found.tick()
    found.pass_time(minutes=11)
    found.tick()
    return found


def both(world: SqlWorld, client_id: str, field: str) -> tuple[Any, Any]:
    (row,) = world.sql.erp.run(f"SELECT {field} FROM clients WHERE id = '{client_id}'")
    account = next(a for a in world.panel.accounts.values() if a.external_code == client_id)
    return row[field], account.values[field]


def runs(world: SqlWorld) -> list[str]:
    found = world.sql.erp.run("SELECT DISTINCT run_id FROM sync_history WHERE reason = 'edit'")
    return sorted(row["run_id"] for row in found)


def undone(world: SqlWorld, *, yes: bool, **which: Any) -> list[dict[str, Any]]:
    return [
        undo.plan(world.sql.exchange, Which(run, **which), world.policy, now=world.time, by="", yes=yes)
        for run in runs(world)
    ]


def test_it_is_approved_by_one_update_and_then_it_is_quiet(world: SqlWorld) -> None:
    assert sum(answer["done"] for answer in undone(world, yes=False)) == 10
    world.tick()
    assert both(world, "C-1", "city") == ("Radom", "Radom")
    world.approve("reason = 'undo'")
    world.tick()
    for client_id in ("C-1", "C-2"):
        assert both(world, client_id, "city") == ("Łódź", "Łódź")
    assert both(world, "C-1", "phone") == ("501502503", "501502503")
    assert [bool(value) for value in both(world, "C-1", "wholesaler")] == [True, True]
    assert [a.values["city"] for _, a in world.panel.delivery.values()] == ["Łódź"]
    assert world.sql.erp.run("SELECT city FROM delivery_addresses") == [{"city": "Łódź"}]
    assert {row[0] for row in world.rows("outcome", "reason = 'undo'")} == {"done"}
    assert len(world.sql.erp.run("SELECT id FROM sync_history WHERE reason = 'undo'")) == 10
    for _ in range(2):
        world.pass_time(minutes=11)
        world.tick()
    before, shop = world.stored(), world.panel.backup()
    for _ in range(2):
        world.tick()
    assert (world.stored(), world.panel.backup()) == (before, shop)
    assert world.sql.erp.run("SELECT DISTINCT state FROM sync_status") == [{"state": "in_step"}]


def test_who_has_edited_since_is_left_alone(world: SqlWorld) -> None:
    undone(world, yes=True)
    world.sql.erp.update_client("C-1", city="Gdynia")
    world.tick()
    assert both(world, "C-1", "city") == ("Gdynia", "Gdynia")
    assert both(world, "C-1", "phone") == ("600700800", "600700800")
    assert both(world, "C-2", "city") == ("Łódź", "Łódź")
    told = set(world.rows("client_id, concern, outcome", "reason = 'undo'"))
    left = set(world.rows("client_id, field, decision", "outcome IS NULL"))
    assert left == {("C-1", "phone", None), ("C-1", "wholesaler", None)}
    assert told == {
        ("C-1", "billing", None),
        ("C-1", "billing", "stale"),
        ("C-1", "delivery_addresses", "done"),
        ("C-2", "billing", "done"),
    }


def test_by_the_command(world: SqlWorld, command: Command) -> None:
    url = world.sql.url
    first, *others = runs(world)
    told = [command.json("undo", run, "--erp-url", url) for run in (first, *others)]
    assert sum(answer["done"] for answer in told) == 10
    assert all(row["reason"] == "undo" and row["decision"] is None for answer in told for row in answer["rows"])
    again = command.json("undo", first, "--erp-url", url)
    assert again["rows"] == told[0]["rows"]
    one = command.json(
        "undo", "--since", "2026-01-01", "--client", "C-2", "--concern", "billing", "--yes", "--erp-url", url
    )
    assert (one["done"], one["approved"], one["clients"]) == (2, 2, 1)
    world.tick()
    assert both(world, "C-2", "city") == ("Łódź", "Łódź")
    assert both(world, "C-1", "city") == ("Radom", "Radom")
    command.json("plan", "approve", "--all", "--erp-url", url)
    world.tick()
    assert both(world, "C-1", "city") == ("Łódź", "Łódź")


def test_a_link_is_undone_and_the_client_is_a_question(sql: SqlBench) -> None:
    world = SqlWorld(sql, "apply")
    key = world.panel.register({"email": CLIENT["email"], "company": "Cudza", "city": "Radom"})
    world.knows_the_panel()
    sql.erp.insert_client("C-1", **{**CLIENT, "nip": None})
    sql.erp.insert_address("A-1", "C-1", **ADDRESS)
    for _ in range(3):
        world.tick()
    assert both(world, "C-1", "city") == ("Łódź", "Łódź")
    which = Which(since=world.time.replace(year=2020))
    undo.plan(sql.exchange, which, world.policy, now=world.time, by="", yes=True)
    for _ in range(3):
        world.tick()
    account = world.panel.accounts[key]
    assert (account.external_code, account.values["city"], account.values["company"]) == ("", "Radom", "Cudza")
    assert sql.erp.run("SELECT client_id FROM sync_links") == []
    assert sql.erp.run("SELECT city, company FROM clients") == [{"city": "Łódź", "company": "Firma"}]
    assert sql.erp.run("SELECT client_id, panel_client_id FROM sync_matches") == [
        {"client_id": "C-1", "panel_client_id": key}
    ]
    (told,) = sql.erp.run("SELECT concern, state, code FROM sync_status")
    assert told == {"concern": "accounts", "state": "held", "code": "ambiguous"}
    assert [row["concern"] for row in sql.erp.run("SELECT concern FROM sync_base")] == ["accounts"]
    before, shop = world.stored(), world.panel.backup()
    for _ in range(2):
        world.pass_time(minutes=20)
        world.tick()
    assert (world.stored(), world.panel.backup()) == (before, shop)
    sql.erp.run("UPDATE sync_matches SET decision = 'link'")
    for _ in range(3):
        world.tick()
    assert world.panel.accounts[key].external_code == "C-1"


def test_values_that_retention_has_taken_are_refused(world: SqlWorld) -> None:
    world.sql.erp.run("UPDATE sync_history SET value_before = NULL, erased_at = at WHERE field = 'city'")
    answers = undone(world, yes=True, concern="billing")
    assert sum(answer["done"] for answer in answers) == 4
    assert {each["code"] for answer in answers for each in answer["messages"]} == {"taken"}
    world.tick()
    assert both(world, "C-1", "city") == ("Radom", "Radom")
    assert both(world, "C-1", "phone") == ("501502503", "501502503")
