"""Triggers that are missing or disabled, clients that are gone, rows that name no client: fake and real adapters."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import connect as connect_to
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.adapters.sql.tables import ERP
from kartoteka.codes import IN_STEP
from kartoteka.errors import Halt, Retry
from kartoteka.model import Change, Key, Link, Owner, Record, RecordState
from kartoteka.ports.exchange import Unlogged
from local.postgres import PostgresServer
from tests.fixtures.exchange import Bench, SqlBench
from tests.fixtures.records import AT

TABLES = ("clients", "delivery_addresses", "client_shops", "client_credit", "discount_groups", "discount_group_items")
ANSWERED = ("incoming_clients", "sync_matches", "sync_conflicts", "sync_status", "sync_plan", "sync_exclusions")

Weak = Callable[[SqlBench], str]


@pytest.fixture
def weak_role(postgres_server: PostgresServer) -> Weak:
    """Give a function that makes a role for our functions without rights on triggers, and returns its URL."""

    def make(bench: SqlBench) -> str:
        url = parse_url(bench.url)
        name = "bridge_" + re.sub(r"\W", "", str(url.query.get("host", "")) + str(url.database))
        postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        bench.erp.script(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
        weak = url.set(username=name, password="secret")
        return weak.render_as_string(hide_password=False)

    return make


# --- triggers


def test_of_new_tables_everything_is_logged(bench: Bench) -> None:
    assert bench.exchange.log.unlogged() == {}
    bench.exchange.log.recreate_triggers()
    assert bench.exchange.log.unlogged() == {}


@pytest.mark.parametrize("table", [*TABLES, *ANSWERED])
def test_missing_triggers_are_named_and_made_again(bench: Bench, table: str) -> None:
    bench.erp.drop_triggers(table)
    assert bench.exchange.log.unlogged() == {table: Unlogged.MISSING}
    bench.exchange.log.recreate_triggers()
    assert bench.exchange.log.unlogged() == {}


def test_what_is_written_meanwhile_is_not_logged_and_what_comes_after_is(bench: Bench) -> None:
    bench.erp.drop_triggers("clients")
    bench.erp.insert_client("C-1")
    bench.exchange.log.recreate_triggers()
    bench.erp.insert_client("C-2")
    assert [entry.client_id for entry in bench.exchange.log.read(0, [], 10)] == ["C-2"]


def test_one_trigger_of_several_that_is_missing_is_enough(sql: SqlBench) -> None:
    name = {"postgresql": "kartoteka_truncate ON clients"}.get(sql.erp.engine.dialect.name, "kartoteka_clients_delete")
    sql.erp.script(f"DROP TRIGGER {name}")
    assert sql.exchange.log.unlogged() == {"clients": Unlogged.MISSING}
    sql.exchange.log.recreate_triggers()
    assert sql.exchange.log.unlogged() == {}


@pytest.mark.parametrize("table", TABLES)
def test_a_swapped_table_has_lost_its_triggers(sql: SqlBench, table: str) -> None:
    sql.erp.swap(table)
    assert sql.exchange.log.unlogged() == {table: Unlogged.MISSING}
    sql.exchange.log.recreate_triggers()
    assert sql.exchange.log.unlogged() == {}
    if table == "clients":
        sql.erp.insert_client("C-1")
        assert [entry.client_id for entry in sql.exchange.log.read(0, [], 10)] == ["C-1"]


@pytest.mark.parametrize(
    "how",
    [
        "DISABLE TRIGGER USER",
        "DISABLE TRIGGER kartoteka_log",
        "ENABLE REPLICA TRIGGER kartoteka_log",
    ],
)
def test_disabled_triggers_are_named_and_never_enabled(postgres_bench: SqlBench, how: str) -> None:
    postgres_bench.erp.script(f"ALTER TABLE clients {how}")
    for _ in range(2):
        assert postgres_bench.exchange.log.unlogged() == {"clients": Unlogged.DISABLED}
        postgres_bench.exchange.log.recreate_triggers()
    postgres_bench.erp.insert_client("C-1")
    assert postgres_bench.erp.log() == []
    postgres_bench.erp.enable_triggers("clients")
    assert postgres_bench.exchange.log.unlogged() == {}


def test_triggers_that_always_fire_are_as_good(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script("ALTER TABLE clients ENABLE ALWAYS TRIGGER kartoteka_log")
    assert postgres_bench.exchange.log.unlogged() == {}


def test_a_dropped_function_is_made_again_with_its_triggers(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script("DROP FUNCTION kartoteka_log_clients() CASCADE")
    postgres_bench.exchange.log.recreate_triggers()
    postgres_bench.erp.insert_client("C-1")
    assert [entry[1] for entry in postgres_bench.erp.log()] == ["C-1"]


def test_a_table_in_use_is_waited_for_two_seconds_and_keeps_nobody_waiting_longer(postgres_bench: SqlBench) -> None:
    erp = postgres_bench.erp
    for table in ("clients", "client_shops"):
        erp.drop_triggers(table)
    at_work = erp.transaction()
    at_work.insert_client("C-1")
    failures: list[Exception] = []

    def recreate() -> None:
        try:
            postgres_bench.exchange.log.recreate_triggers()
        except Retry as error:
            failures.append(error)

    thread = threading.Thread(target=recreate)
    began = time.monotonic()
    thread.start()
    while not _waits_for_a_lock(postgres_bench):
        assert time.monotonic() - began < 5
    erp.insert_client("C-2")  # queues behind the one that waits
    writers = time.monotonic() - began
    thread.join()
    at_work.commit()
    assert writers < 4
    assert [str(error) for error in failures] == ["database.slow"]
    assert postgres_bench.exchange.log.unlogged() == {"clients": Unlogged.MISSING}, "the other table has its own"
    postgres_bench.exchange.log.recreate_triggers()
    assert postgres_bench.exchange.log.unlogged() == {}


def _waits_for_a_lock(bench: SqlBench) -> bool:
    return bool(bench.erp.run("SELECT 1 AS one FROM pg_locks WHERE NOT granted AND relation = 'clients'::regclass"))


def test_a_database_in_use_is_waited_for_two_seconds(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.drop_triggers("clients")
    with sqlite_bench.erp.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(Retry):
            sqlite_bench.exchange.log.recreate_triggers()
        assert 1.5 < time.monotonic() - began < 6
        other.rollback()
    sqlite_bench.exchange.log.recreate_triggers()
    assert sqlite_bench.exchange.log.unlogged() == {}


def test_a_role_without_the_right_is_told_at_once_whoever_holds_the_table(
    postgres_bench: SqlBench, weak_role: Weak
) -> None:
    url = weak_role(postgres_bench)
    postgres_bench.erp.drop_triggers("clients")
    at_work = postgres_bench.erp.transaction()
    at_work.insert_client("C-1")
    exchange = connect_to(url)
    assert exchange.log.unlogged() == {"clients": Unlogged.MISSING}
    with pytest.raises(Halt, match="database_access"):
        exchange.log.recreate_triggers()
    assert not _waits_for_a_lock(postgres_bench)
    at_work.commit()
    exchange.close()


def test_a_role_with_the_right_to_triggers_alone_is_enough(postgres_bench: SqlBench, weak_role: Weak) -> None:
    url = weak_role(postgres_bench)
    role = str(sa.make_url(url).username)
    postgres_bench.erp.script(
        f"GRANT TRIGGER ON clients TO {role}", f"GRANT EXECUTE ON FUNCTION kartoteka_log_clients() TO {role}"
    )
    postgres_bench.erp.drop_triggers("clients")
    exchange = connect_to(url)
    exchange.log.recreate_triggers()
    assert exchange.log.unlogged() == {}
    postgres_bench.erp.insert_client("C-1")
    assert [entry[1] for entry in postgres_bench.erp.log()] == ["C-1"]
    exchange.close()


# --- clients that are gone


def _say(bench: Bench, client_id: str, concern: str) -> None:
    record = Record(Key(client_id, "", concern))
    bench.exchange.records.save([Change(record, RecordState(status=IN_STEP))], run_id="r", at=AT)


def test_gone_are_those_without_a_row_of_whom_something_is_known(bench: Bench) -> None:
    for client_id in ("A", "B", "C", "D", "E"):
        bench.erp.insert_client(client_id)
    _say(bench, "A", "billing")
    _say(bench, "B", "accounts")
    link = Link("C", "7", "c", "created")
    bench.exchange.records.save([Change(Record(Key("C", "", "accounts")), RecordState(), link=link)], run_id="r", at=AT)
    bench.erp.insert_address("X", "D")
    bench.erp.set_shops("E", 1)
    bench.erp.set_shops("Z", 1)
    gone = bench.exchange.records.gone
    assert gone("billing", "", 10) == []
    for client_id in ("A", "B", "C", "D", "E"):
        bench.erp.delete_client(client_id)
    assert gone("billing", "", 10) == ["A", "C"]
    assert gone("accounts", "", 10) == ["B", "C", "E", "Z"]
    assert gone("delivery_addresses", "", 10) == ["C", "D"]
    assert gone("shops", "", 10) == ["C", "E", "Z"]
    assert (gone("shops", "", 2), gone("shops", "E", 2)) == (["C", "E"], ["Z"])


# --- rows that name nobody


@pytest.mark.parametrize("owner", ["", None])
def test_an_address_that_names_no_client_is_nobodys(bench: Bench, owner: str | None) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.insert_address("A-1", owner, city="Radom")
    bench.erp.insert_address("A-2", "C-1", city="Gdynia")
    own, *items = bench.exchange.records.load("delivery_addresses", [Owner()])
    assert (own.erp, [item.key.item_id for item in items]) == (None, ["A-1"])
    assert (items[0].erp or {})["city"] == "Radom"
    assert not items[0].has_client
    [_, item] = bench.exchange.records.load("delivery_addresses", [Owner("C-1")])
    assert item.key.item_id == "A-2"


def test_shops_of_a_client_that_is_not_there_are_seen_by_the_concern_of_shops_alone(bench: Bench) -> None:
    bench.erp.set_shops("C-9", 1, 2)
    [shops] = bench.exchange.records.load("shops", [Owner("C-9")])
    assert (shops.erp, shops.has_client) == ({"shops": (1, 2)}, False)
    [account] = bench.exchange.records.load("accounts", [Owner("C-9")])
    assert (account.erp, account.has_client) == (None, False)


def test_every_table_has_its_triggers_looked_after(bench: Bench) -> None:
    assert {watched.table.name for watched in ERP.watched} == {*TABLES, *ANSWERED}
