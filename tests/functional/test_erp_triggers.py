"""What the ERP's own triggers write while we write one of its rows is the ERP's, and is carried (real engines).

Our own writes stand in ``change_log`` like anybody's. They fall out because their plan is empty: a mark of whose
transaction it was would lose what the ERP's triggers write in the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kartoteka.policy import parse
from tests.fixtures.exchange import SqlBench
from tests.world import CLIENT, CONCERNS, World

ADDRESS = {"first_name": "Jan", "last_name": "Kowal", "street": "Nowa 2", "zip_code": "30-001", "city": "Kraków"}
CREDIT = {"credit_allowed": True, "credit_limit": "5000.00", "balance": "0.00", "currency": "PLN"}
BOTH_WAYS = '{"billing": {"fields": {"currency": {"direction": "off"}}}}'

pytestmark = pytest.mark.parametrize("sql", ["sqlite", "postgresql"], indirect=True)
"""MariaDB's triggers may not write their own table (``test_mariadb``)."""

When = Callable[[SqlBench, str, str, str], None]


def when(bench: SqlBench, event: str, table: str, then: str) -> None:
    """Let the ERP's own trigger run a statement (``NEW`` is the row) after each such write into a table."""
    if bench.erp.engine.dialect.name == "sqlite":
        bench.erp.script(f"CREATE TRIGGER erp_rule AFTER {event} ON {table} BEGIN {then}; END")
        return
    bench.erp.script(
        f"CREATE FUNCTION erp_rule() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {then}; RETURN NULL; END $$",
        f"CREATE TRIGGER erp_rule AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION erp_rule()",
    )


class SqlWorld(World):
    """An installation whose exchange database is a real one."""

    def __init__(self, bench: SqlBench, policy: str = BOTH_WAYS) -> None:
        super().__init__(parse(policy))
        self.exchange = bench.as_bench()  # type: ignore[assignment]
        self._pauses = bench.exchange.pauses

    def paused(self) -> dict[str, str]:
        return dict(self._pauses.paused())


@pytest.fixture
def world(sql: SqlBench) -> World:
    """An installation over the real adapter with two linked customers, C-1 and C-2, who have trade credit."""
    world = SqlWorld(sql)
    for number, mail in (("1", "biuro@firma.pl"), ("2", "inna@spolka.pl")):
        nip = {"1": "5250001233", "2": "7792369887"}[number]
        sql.erp.insert_client(f"C-{number}", **{**CLIENT, "email": mail, "nip": nip})
        sql.erp.set_credit(f"C-{number}", **CREDIT)
    settle(world)
    return world


def settle(world: World) -> None:
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()


def carry(world: World) -> None:
    """Carry an edit of the panel into the ERP, then what the log tells; the panel's feed is not read once more."""
    assert world.follow()
    world.rotate()
    world.drain()
    for concern in CONCERNS:
        world.collect(concern)
    world.drain()


def account(world: World, client_id: str = "C-1") -> str:
    (found,) = [a.panel_client_id for a in world.panel.accounts.values() if a.external_code == client_id]
    return found


def shown(world: World, client_id: str = "C-1") -> dict[str, Any]:
    return dict(world.panel.accounts[account(world, client_id)].values)


def statuses(bench: SqlBench) -> set[tuple[str, str]]:
    rows = bench.erp.run("SELECT concern, state FROM sync_status WHERE client_id = 'C-1'")
    return {(row["concern"], row["state"]) for row in rows}


@pytest.mark.parametrize(
    ("field", "edit", "rule", "form"),
    [
        ("city", "Gdynia", "upper(NEW.city)", "GDYNIA"),
        ("street", "Nowa 7", "'ul. ' || NEW.street", "ul. Nowa 7"),
        ("company", "Bardzo długa nazwa", "substr(NEW.company, 1, 6)", "Bardzo"),
        ("phone", "602603604", "''", ""),
    ],
)
def test_what_a_trigger_makes_of_our_write_is_the_erps_form(
    world: World, sql: SqlBench, field: str, edit: str, rule: str, form: str
) -> None:
    changed = f"{rule} WHERE id = NEW.id AND NEW.{field} = '{edit}'"
    when(sql, "UPDATE", "clients", f"UPDATE clients SET {field} = {changed}")
    world.panel.edit(account(world), **{field: edit})
    for _ in range(2):
        carry(world)
    (row,) = sql.erp.run(f"SELECT {field} AS held FROM clients WHERE id = 'C-1'")
    assert (row["held"], shown(world)[field]) == (form, edit)
    assert ("billing", "in_step") in statuses(sql)
    before = dict(world.panel.calls()), world.counts.collected
    carry(world)
    assert before[0]["PUT clients/clients"] == world.panel.calls()["PUT clients/clients"]
    assert before[1] == world.counts.collected
    world.panel.edit(account(world), **{field: "00-001"})
    carry(world)
    assert sql.erp.run(f"SELECT {field} AS held FROM clients WHERE id = 'C-1'")[0]["held"] in ("00-001", "ul. 00-001")


def test_an_address_carried_from_the_panel_lets_the_erps_trigger_set_the_limit_to_0(
    world: World, sql: SqlBench
) -> None:
    assert shown(world)["credit_limit"] == "5000.00"
    when(
        sql, "INSERT", "delivery_addresses", "UPDATE client_credit SET credit_limit = 0 WHERE client_id = NEW.client_id"
    )
    world.panel.add_address(account(world), **ADDRESS)
    carry(world)
    assert [row["client_id"] for row in sql.erp.run("SELECT client_id FROM delivery_addresses")] == ["C-1"]
    assert shown(world)["credit_limit"] == "0.00"
    assert shown(world, "C-2")["credit_limit"] == "5000.00"
    assert world.follow()
    assert {state for _, state in statuses(sql)} == {"in_step"}


def test_another_column_of_the_row_that_is_written_travels(world: World, sql: SqlBench) -> None:
    then = "UPDATE clients SET phone = '601602603' WHERE id = NEW.id AND phone <> '601602603'"
    when(sql, "UPDATE", "clients", then)
    world.panel.edit(account(world), street="Krótka 7")
    carry(world)
    assert sql.erp.run("SELECT street, phone FROM clients WHERE id = 'C-1'") == [
        {"street": "Krótka 7", "phone": "601602603"}
    ]
    assert shown(world)["phone"] == "601602603"


def test_a_row_of_another_table_travels(world: World, sql: SqlBench) -> None:
    then = "INSERT INTO client_shops (client_id, shop_id) SELECT NEW.id, 2 WHERE NEW.city = 'Gdynia'"
    when(sql, "UPDATE", "clients", then)
    world.panel.edit(account(world), city="Gdynia")
    carry(world)
    assert shown(world)["shops"] == (2,)


def test_another_clients_row_travels(world: World, sql: SqlBench) -> None:
    then = "UPDATE clients SET city = 'Radom' WHERE id = 'C-2' AND NEW.id = 'C-1' AND city <> 'Radom'"
    when(sql, "UPDATE", "clients", then)
    world.panel.edit(account(world), street="Krótka 7")
    carry(world)
    assert (shown(world, "C-2")["city"], shown(world)["street"]) == ("Radom", "Krótka 7")


def test_an_address_that_the_erps_trigger_makes_of_an_edit_travels(world: World, sql: SqlBench) -> None:
    columns = "id, client_id, first_name, last_name, street, zip_code, city"
    values = "'branch', NEW.id, 'Jan', 'Kowal', NEW.street, NEW.zip_code, NEW.city"
    when(sql, "UPDATE", "clients", f"INSERT INTO delivery_addresses ({columns}) VALUES ({values})")
    world.panel.edit(account(world), street="Krótka 7")
    carry(world)
    assert [address.values["street"] for _, address in world.panel.delivery.values()] == ["Krótka 7"]


def test_a_deletion_that_the_erps_trigger_makes_is_noticed(world: World, sql: SqlBench) -> None:
    when(sql, "UPDATE", "clients", "DELETE FROM client_credit WHERE client_id = NEW.id")
    world.panel.edit(account(world), street="Krótka 7")
    carry(world)
    told = sql.erp.run("SELECT code FROM sync_status WHERE client_id = 'C-1' AND concern = 'credit'")
    assert [row["code"] for row in told] == ["deleted_in_erp"]


@pytest.mark.fault(51)
def test_our_own_write_is_logged_costs_no_panel_call_and_writes_nothing(world: World, sql: SqlBench) -> None:
    before = len(sql.erp.log())
    world.panel.edit(account(world), street="Krótka 7")
    assert world.follow()
    world.drain()
    assert [entry[:2] for entry in sql.erp.log()[before:]] == [("clients", "C-1")]
    calls, told = world.panel.calls(), sql.erp.history
    with sql.statements() as seen:
        for concern in CONCERNS:
            world.collect(concern)
    assert (world.panel.calls(), sql.erp.history) == (calls, told)
    assert not any(world.queue.chunks.values())
    assert not [statement for statement in seen if not statement.lstrip().upper().startswith(("SELECT", "BEGIN"))]
