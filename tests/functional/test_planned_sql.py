"""``mode: plan`` over each engine: planned, approved in SQL, carried out, or stale; nothing else is written."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.adapters.sql import tables
from kartoteka.policy import Policy
from tests.fixtures.exchange import SqlBench
from tests.world import CLIENT, World

ADDRESS = {"street": "Nowa 3", "zip_code": "00-950", "city": "Łódź", "first_name": "Jan", "last_name": "Nowak"}
OURS = [name for name in tables.metadata.tables if name not in ("sync_plan", "sync_panel_accounts", "change_log")]


class SqlWorld(World):
    """The mechanism over a database, with the panel in memory."""

    def __init__(self, sql: SqlBench, mode: str = "plan") -> None:
        super().__init__(Policy.model_validate({"mode": mode}))
        self.sql = sql
        self.exchange = sql.exchange  # type: ignore[assignment]

    def paused(self) -> dict[str, str]:
        return dict(self.sql.exchange.pauses.paused())

    def rows(self, what: str = "action, field, value_from, value_to", where: str = "outcome IS NULL") -> list[Any]:
        found = self.sql.erp.run(f"SELECT {what} FROM sync_plan WHERE {where} ORDER BY concern, action, field")
        return [tuple(row.values()) for row in found]

    def approve(self, where: str = "1 = 1") -> None:
        self.sql.erp.run(f"UPDATE sync_plan SET decision = 'approve' WHERE outcome IS NULL AND {where}")

    def stored(self) -> dict[str, list[str]]:
        return {
            name: sorted(str(list(row.values())) for row in self.sql.erp.run(f"SELECT * FROM {name}")) for name in OURS
        }


@pytest.fixture
def world(sql: SqlBench) -> SqlWorld:
    """A client with an address, credit, a group with a price, and an account that is its own by the e-mail address."""
    found = SqlWorld(sql)
    found.panel.register({"email": CLIENT["email"], "company": "Firma", "city": "Radom"})
    found.knows_the_panel()
    sql.erp.insert_client("C-1", **CLIENT, discount_group_id="G")
    sql.erp.insert_address("A-1", "C-1", **ADDRESS)
    sql.erp.set_credit("C-1", credit_allowed=True, credit_limit="100.00", balance="5.00", currency="PLN")
    sql.erp.set_group("G", "Hurt")
    sql.erp.set_item("G", "product", "7", price="1.00", currency="PLN")
    sql.erp.insert_client("C-2", **{**CLIENT, "email": "a@b.pl", "nip": None})
    return found


@pytest.mark.fault(93)
def test_nothing_but_the_plan_is_written(world: SqlWorld) -> None:
    before, shop = world.stored(), world.panel.backup()
    for _ in range(3):
        world.tick()
    assert (world.stored(), world.panel.backup()) == (before, shop)
    actions = [row[0] for row in world.rows()]
    assert sorted(set(actions)) == ["add", "create", "link", "update"]
    assert ("update", "city", "Radom", "Łódź") in world.rows()


def test_what_is_approved_in_sql_is_carried_out_and_then_it_is_quiet(world: SqlWorld) -> None:
    world.tick()
    world.approve("concern = 'accounts' AND client_id = 'C-1'")
    for _ in range(3):
        world.tick()
    assert [row["client_id"] for row in world.sql.erp.run("SELECT client_id FROM sync_links")] == ["C-1"]
    account = world.panel.accounts["1"]
    assert (account.external_code, account.values["city"], account.values["credit_limit"]) == ("C-1", "Łódź", "100.00")
    world.approve()
    for _ in range(4):
        world.tick()
    assert world.rows() == []
    assert {row[0] for row in world.rows("outcome", "outcome IS NOT NULL")} == {"done"}
    assert world.panel.accounts["1"].values["discount_group_id"] == "1"
    before = world.stored()
    for _ in range(2):
        world.tick()
    assert world.stored() == before
    states = world.sql.erp.run("SELECT DISTINCT state FROM sync_status")
    assert states == [{"state": "in_step"}]


def test_what_has_changed_since_is_stale(world: SqlWorld) -> None:
    world.tick()
    world.approve()
    world.sql.erp.update_client("C-1", city="Gdynia")
    world.sql.erp.update_client("C-2", city="Gdynia")
    world.collect("accounts")
    world.drain()
    assert len(world.panel.accounts) == 1
    assert {row[0] for row in world.rows("outcome", "concern = 'accounts' AND decision IS NOT NULL")} == {"stale"}
    assert ("update", "city", "Radom", "Gdynia") in world.rows()
    assert world.rows("decision", "outcome IS NULL AND concern = 'accounts'") == [(None,), (None,)]
