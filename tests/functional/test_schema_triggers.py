"""The tables, and the triggers that fill ``change_log`` whatever SQL an ERP uses; on SQLite and a real PostgreSQL."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli.schema import schema as command
from kartoteka.adapters import dialects, schema
from kartoteka.core.concerns import CONCERNS, Concern
from kartoteka.errors import Halt
from kartoteka.model import Direction, Intent, Reason, SentPrice, Settlement, Written
from tests.fixtures.exchange import Connect, SqlBench, SqlErp
from tests.fixtures.postgres import PostgresServer

DESIGNED = {
    "clients": "id login email phone client_type first_name last_name company nip street zip_code city country_code "
    "language currency wholesaler active discount_group_id",
    "delivery_addresses": "id client_id first_name last_name additional phone street zip_code city country_code",
    "client_shops": "client_id shop_id",
    "discount_groups": "id name",
    "discount_group_items": "group_id item_type item_id price rebate_percent base_price currency valid_from valid_to",
    "client_credit": "client_id credit_allowed credit_limit balance currency payment_days as_of",
    "incoming_clients": "panel_client_id email phone client_type first_name last_name company nip street zip_code city "
    "country_code language currency wholesaler seen_at client_id",
    "sync_links": "client_id panel_client_id panel_login linked_at linked_by",
    "sync_agreed": "client_id concern item_id values panel_item_id",
    "sync_panel_accounts": "panel_client_id login external_code nip email modified_at guest",
    "sync_prices": "group_id item_type item_id price currency refused sent_at",
    "sync_matches": "client_id panel_client_id matched_by decision",
    "sync_status": "client_id concern item_id state since last_in_step_at code message",
    "sync_conflicts": "id client_id concern item_id field erp_value panel_value base_value raised_at decision "
    "decided_at closed_at",
    "sync_history": "id at run_id client_id concern item_id field direction reason value_before value_after risky",
    "sync_plan": "id planned_at client_id concern item_id action field direction value_from value_to reason",
    "change_log": "seq table_name client_id row_id operation origin logged_at",
    "sync_intents": "client_id concern item_id values creating login linked_by at",
    "sync_parked": "client_id concern item_id due_at attempts tries code",
    "sync_schema": "version applied_at",
}


LONG_AGO = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A table with a row (columns and values in SQL), an edit of it, a new key, and what the log calls it."""

    table: str
    row: dict[str, str]
    edit: str
    key: str
    moved: str
    owner: str
    name: str
    moved_owner: str
    moved_name: str

    def insert(self) -> str:
        return f"INSERT INTO {self.table} ({', '.join(self.row)}) VALUES ({', '.join(self.row.values())})"


CASES = [
    Case("clients", {"id": "'C-1'"}, "city = 'Łódź'", "id", "'C-2'", "C-1", "C-1", "C-2", "C-2"),
    Case(
        "delivery_addresses",
        {"id": "'A-1'", "client_id": "'C-1'"},
        "city = 'Łódź'",
        "id",
        "'A-2'",
        "C-1",
        "A-1",
        "C-1",
        "A-2",
    ),
    Case(
        "delivery_addresses",
        {"id": "'A-1'", "client_id": "'C-1'"},
        "city = 'Łódź'",
        "client_id",
        "'C-2'",
        "C-1",
        "A-1",
        "C-2",
        "A-1",
    ),
    Case(
        "client_shops",
        {"client_id": "'C-1'", "shop_id": "1"},
        "shop_id = shop_id",
        "shop_id",
        "2",
        "C-1",
        "1",
        "C-1",
        "2",
    ),
    Case("discount_groups", {"id": "'G-1'"}, "name = 'A'", "id", "'G-2'", "G-1", "G-1", "G-2", "G-2"),
    Case(
        "discount_group_items",
        {"group_id": "'G-1'", "item_type": "'product'", "item_id": "7"},
        "price = 12.50",
        "item_id",
        "8",
        "G-1",
        "product:7",
        "G-1",
        "product:8",
    ),
    Case("client_credit", {"client_id": "'C-1'"}, "balance = 9.99", "client_id", "'C-2'", "C-1", "C-1", "C-2", "C-2"),
]
each_table = pytest.mark.parametrize("case", CASES, ids=[f"{case.table}.{case.key}" for case in CASES])


def log(erp: SqlErp) -> list[tuple[str, str, str]]:
    """Return the log of one table: client, row, operation."""
    return [entry[1:4] for entry in erp.log()]


def erp_at(url: str) -> SqlErp:
    return SqlErp(dialects.parse_url(url))


# --- tables


def test_every_table_has_the_columns_of_the_design(sql: SqlBench) -> None:
    inspector = sa.inspect(sql.erp.engine)
    for table, columns in DESIGNED.items():
        present = {column["name"] for column in inspector.get_columns(table)}
        assert set(columns.split()) <= present, table


@pytest.mark.parametrize("concern", CONCERNS.values(), ids=CONCERNS)
def test_a_column_is_as_long_as_its_field(concern: Concern) -> None:
    columns = schema.metadata.tables[concern.table].c
    lengths = {name: getattr(columns[name].type, "length", None) for name in concern.fields if name in columns}
    assert {name: length for name, length in lengths.items() if length} == {
        name: concern.fields[name].max_length for name in lengths if isinstance(columns[name].type, sa.String)
    }


def test_a_card_of_raw_sql_gets_the_defaults(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    (card,) = sql.erp.run("SELECT country_code, active, wholesaler, email FROM clients")
    assert (card["country_code"], bool(card["active"]), card["wholesaler"], card["email"]) == ("PL", True, None, None)


def test_moments_are_written_in_utc_whatever_the_session_says(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script("SET TIME ZONE 'Pacific/Auckland'", "INSERT INTO clients (id) VALUES ('C-1')")
    age = "abs(extract(epoch FROM logged_at - now() AT TIME ZONE 'utc'))"
    (row,) = postgres_bench.erp.run(f"SELECT {age} AS age FROM change_log")
    assert row["age"] < 60


def test_money_keeps_its_two_places(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO client_credit (client_id, credit_limit) VALUES ('C-1', 1234567890.12)")
    assert sql.erp.run("SELECT CAST(credit_limit AS TEXT) AS text FROM client_credit") == [{"text": "1234567890.12"}]


# --- triggers


@each_table
def test_an_insertion_an_edit_and_a_deletion_are_logged(sql: SqlBench, case: Case) -> None:
    sql.erp.run(case.insert())
    sql.erp.run(f"UPDATE {case.table} SET {case.edit}")
    sql.erp.run(f"DELETE FROM {case.table}")
    assert sql.erp.log() == [(case.table, case.owner, case.name, operation, "erp") for operation in "IUD"]


@each_table
def test_a_changed_key_is_logged_for_the_old_and_the_new(sql: SqlBench, case: Case) -> None:
    sql.erp.run(case.insert())
    sql.erp.run(f"UPDATE {case.table} SET {case.key} = {case.moved}")
    assert log(sql.erp)[1:] == [(case.owner, case.name, "D"), (case.moved_owner, case.moved_name, "I")]


@each_table
def test_rows_of_an_insert_select_are_all_logged(sql: SqlBench, case: Case) -> None:
    sql.erp.run(case.insert())
    sql.erp.run(f"CREATE TABLE loading AS SELECT * FROM {case.table}")
    sql.erp.run(f"DELETE FROM {case.table}")
    sql.erp.run(f"INSERT INTO {case.table} SELECT * FROM loading")
    assert log(sql.erp)[2:] == [(case.owner, case.name, "I")]


def test_bulk_statements_are_logged_row_by_row(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1'), ('C-2'), ('C-3')")
    sql.erp.run("UPDATE clients SET city = 'X' WHERE id > 'C-1'")
    sql.erp.run("DELETE FROM clients")
    entries = [(owner, operation) for owner, _, operation in log(sql.erp)]
    assert entries[:3] == [("C-1", "I"), ("C-2", "I"), ("C-3", "I")]
    assert sorted(entries[3:5]) == [("C-2", "U"), ("C-3", "U")]
    assert sorted(entries[5:]) == [("C-1", "D"), ("C-2", "D"), ("C-3", "D")]


def test_an_upsert_is_logged_as_what_it_did(sql: SqlBench) -> None:
    for _ in range(2):
        sql.erp.run("INSERT INTO clients (id) VALUES ('C-1') ON CONFLICT (id) DO UPDATE SET city = 'X'")
    assert log(sql.erp) == [("C-1", "C-1", "I"), ("C-1", "C-1", "U")]


def test_what_is_rolled_back_leaves_no_entry(sql: SqlBench) -> None:
    transaction = sql.erp.transaction()
    transaction.run("INSERT INTO clients (id) VALUES ('C-1')")
    transaction.rollback()
    assert sql.erp.log() == []


def test_an_address_without_a_customer_is_logged_all_the_same(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO delivery_addresses (id) VALUES ('A-1')")
    sql.erp.run("UPDATE delivery_addresses SET client_id = 'C-1'")
    assert log(sql.erp) == [("", "A-1", "I"), ("", "A-1", "D"), ("C-1", "A-1", "I")]


def test_answers_in_our_tables_are_logged_and_nothing_else_there(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('C-1', '77')")
    sql.erp.run("INSERT INTO sync_conflicts (client_id, field) VALUES ('C-2', 'street')")
    sql.erp.run("INSERT INTO incoming_clients (panel_client_id) VALUES ('78')")
    sql.erp.run("UPDATE sync_matches SET matched_by = 'nip'")
    sql.erp.run("UPDATE sync_conflicts SET erp_value = 'x'")
    sql.erp.run("UPDATE incoming_clients SET email = 'x'")
    assert sql.erp.log() == []
    sql.erp.run("UPDATE sync_matches SET decision = 'link'")
    sql.erp.run("UPDATE sync_conflicts SET decision = 'erp'")
    sql.erp.run("UPDATE incoming_clients SET client_id = 'C-3'")
    sql.erp.run("UPDATE incoming_clients SET client_id = 'C-4'")
    assert [entry[:4] for entry in sql.erp.log()[:3]] == [
        ("sync_matches", "C-1", "77", "U"),
        ("sync_conflicts", "C-2", "1", "U"),
        ("incoming_clients", "C-3", "78", "U"),
    ]
    assert sorted(log(sql.erp)[3:]) == [("C-3", "78", "U"), ("C-4", "78", "U")]


def test_a_number_of_the_log_is_never_used_again(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1'), ('C-2')")
    sql.erp.run("DELETE FROM change_log")
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-3')")
    assert sql.exchange.log_head() == 3


def test_a_replaced_card_is_logged(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.run("INSERT INTO clients (id, city) VALUES ('C-1', 'A')")
    sqlite_bench.erp.run("INSERT OR REPLACE INTO clients (id, city) VALUES ('C-1', 'B')")
    assert log(sqlite_bench.erp)[1:] == [("C-1", "C-1", "I")]


def test_an_address_replaced_by_another_customers_is_logged_for_both(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.run("INSERT INTO delivery_addresses (id, client_id) VALUES ('A-1', 'C-1')")
    sqlite_bench.erp.run("INSERT OR REPLACE INTO delivery_addresses (id, client_id) VALUES ('A-1', 'C-2')")
    assert log(sqlite_bench.erp)[1:] == [("C-1", "A-1", "D"), ("C-2", "A-1", "I")]


@each_table
def test_truncate_is_a_deletion_of_each_row(postgres_bench: SqlBench, case: Case) -> None:
    postgres_bench.erp.run(case.insert())
    postgres_bench.erp.run(f"TRUNCATE {case.table}")
    assert log(postgres_bench.erp)[1:] == [(case.owner, case.name, "D")]


def test_copy_is_logged(postgres_bench: SqlBench) -> None:
    statement = "COPY clients (id, city) FROM STDIN"
    with psycopg.connect(postgres_bench.url) as connection, connection.cursor().copy(statement) as copy:
        copy.write("C-1\tŁódź\nC-2\tPoznań\n")
    assert log(postgres_bench.erp) == [("C-1", "C-1", "I"), ("C-2", "C-2", "I")]


@pytest.fixture
def stranger(postgres_bench: SqlBench, postgres_server: PostgresServer) -> SqlErp:
    """The ERP as a role of its own, with rights on its own table and nothing else."""
    name = "erp_" + re.sub(r"\W", "", postgres_bench.url.split("@/")[1].split("?")[0])
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    postgres_bench.erp.script(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON clients TO {name}")
    return SqlErp(dialects.parse_url(postgres_bench.url).set(username=name, password="secret"))


def test_a_role_without_rights_on_the_log_fills_it(postgres_bench: SqlBench, stranger: SqlErp) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        stranger.run("SELECT * FROM change_log")
    stranger.run("INSERT INTO clients (id) VALUES ('C-1')")
    stranger.run("UPDATE clients SET city = 'X'")
    stranger.run("TRUNCATE clients")
    assert [entry[2] for entry in log(postgres_bench.erp)] == ["I", "U", "D"]


def test_the_log_is_found_under_any_search_path(postgres_bench: SqlBench, stranger: SqlErp) -> None:
    stranger.script(
        "CREATE TEMPORARY TABLE change_log (table_name text, client_id text, row_id text, operation text, origin text)",
        "SET search_path = pg_temp, pg_catalog",
        "INSERT INTO public.clients (id) VALUES ('C-1')",
        "TRUNCATE public.clients",
    )
    assert log(postgres_bench.erp) == [("C-1", "C-1", "I"), ("C-1", "C-1", "D")]


def test_the_tables_may_live_in_a_schema_of_any_name(postgres_server: PostgresServer, connect: Connect) -> None:
    url = postgres_server.empty()
    erp_at(url).script('CREATE SCHEMA "Wymiana danych"')
    there = url + "&options=-csearch_path%3D%22Wymiana%5C%20danych%22"
    assert schema.create(connect(there).engine) == schema.create(connect(there).engine) == schema.VERSION
    erp_at(url).script("""INSERT INTO "Wymiana danych".clients (id) VALUES ('C-1')""")
    assert log(erp_at(there)) == [("C-1", "C-1", "I")]
    postgres_server.drop(url)


# --- our own writes


def test_our_mark_is_seen_by_nobody_else_and_ends_with_the_transaction(sql: SqlBench) -> None:
    known = dialects.engine_for(sql.exchange.engine.url)
    with sql.exchange.engine.execution_options(**{dialects.WRITES: True}).begin() as connection:
        known.mark_own(connection)
        connection.exec_driver_sql("INSERT INTO clients (id) VALUES ('C-1')")
        if sql.erp.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            sql.erp.run("INSERT INTO clients (id) VALUES ('C-2')")
        known.unmark_own(connection)
    with sql.exchange.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO clients (id) VALUES ('C-3')")
    origins = {owner: origin for _, owner, _, _, origin in sql.erp.log()}
    assert origins.pop("C-2", "erp") == "erp"
    assert origins == {"C-1": "kartoteka", "C-3": "erp"}


def test_our_mark_does_not_outlive_a_failure(sql: SqlBench) -> None:
    known = dialects.engine_for(sql.exchange.engine.url)
    with sql.exchange.engine.execution_options(**{dialects.WRITES: True}).connect() as connection:
        known.mark_own(connection)
        connection.rollback()
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert sql.erp.log()[0][4] == "erp"


# --- creating and upgrading


def test_creating_twice_changes_nothing(empty_url: str, connect: Connect) -> None:
    engine = connect(empty_url).engine
    assert schema.create(engine) == schema.VERSION
    erp = erp_at(empty_url)
    erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert schema.create(engine) == schema.VERSION
    erp.run("UPDATE clients SET city = 'X'")
    assert log(erp) == [("C-1", "C-1", "I"), ("C-1", "C-1", "U")]


def _start(program: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_several_processes_may_create_at_once(empty_url: str) -> None:
    program = [sys.executable, "-c", f"from cli.schema import schema; schema(['create', '--url', {empty_url!r}])"]
    processes = [_start(program) for _ in range(4)]
    answers = [(process.communicate()[0].decode(), process.returncode) for process in processes]
    assert [code for _, code in answers] == [0] * 4, answers
    erp = erp_at(empty_url)
    erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert log(erp) == [("C-1", "C-1", "I")]


def test_tables_that_the_erp_made_are_kept_and_completed(empty_url: str, connect: Connect) -> None:
    erp = erp_at(empty_url)
    erp.script(
        "CREATE TABLE clients (id VARCHAR(10) PRIMARY KEY, email TEXT, rating INTEGER DEFAULT 5)",
        "INSERT INTO clients (id, email) VALUES ('C-1', 'a@b.pl')",
        "CREATE TABLE client_credit (client_id CHAR(10) PRIMARY KEY, balance DECIMAL(10,2))",
    )
    engine = connect(empty_url).engine
    schema.create(engine)
    (card,) = erp.run("SELECT id, email, rating, country_code, active, city FROM clients")
    assert (card["email"], card["rating"], card["country_code"], bool(card["active"])) == ("a@b.pl", 5, "PL", True)
    erp.run("INSERT INTO client_credit (client_id) VALUES ('C-1')")
    assert log(erp) == [("C-1", "C-1", "I")]


def test_a_foreign_table_without_its_key_is_named(empty_url: str, connect: Connect) -> None:
    erp_at(empty_url).script("CREATE TABLE clients (code VARCHAR(10))")
    with pytest.raises(Halt, match="clients without its key column id"):
        schema.create(connect(empty_url).engine)
    assert sa.inspect(erp_at(empty_url).engine).get_table_names() == ["clients"]


def test_a_newer_version_is_refused_and_left_alone(sql: SqlBench, connect: Connect) -> None:
    sql.erp.run("INSERT INTO sync_schema (version) VALUES (99)")
    for action in (schema.create, schema.upgrade):
        with pytest.raises(Halt, match="newer_schema"):
            action(sql.exchange.engine)
    with pytest.raises(Halt, match="newer_schema"):
        connect(sql.url).log_head()
    assert len(sql.erp.run("SELECT version FROM sync_schema")) == 2


def _step(ran: list[int], version: int) -> schema.Step:
    return lambda _connection: ran.append(version)


def test_upgrading_runs_each_step_once(sql: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    ran: list[int] = []
    here = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", here + 2)
    monkeypatch.setattr(schema, "STEPS", {n: _step(ran, n) for n in (here + 2, here + 1, here)})
    with pytest.raises(Halt, match="schema upgrade"):
        connect(sql.url).log_head()
    assert schema.upgrade(sql.exchange.engine) == here + 2
    assert schema.upgrade(sql.exchange.engine) == here + 2
    assert ran == [here + 1, here + 2]
    assert connect(sql.url).log_head() == 0


def test_a_failing_step_leaves_everything_as_it_was(sql: SqlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TABLE sync_plan")
        raise Halt("step", "failed")

    here = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", here + 1)
    monkeypatch.setattr(schema, "STEPS", {here + 1: step})
    with pytest.raises(Halt, match="failed"):
        schema.upgrade(sql.exchange.engine)
    assert sql.erp.run("SELECT version FROM sync_schema") == [{"version": here}]
    assert sql.erp.run("SELECT * FROM sync_plan") == []


THIRD_INDEXES = {
    "client_credit": ["ix_client_credit_as_of"],
    "discount_group_items": ["ix_discount_group_items_valid_from", "ix_discount_group_items_valid_to"],
}


def _back_to_the_second_version(erp: SqlErp) -> None:
    """Take away what version 3 brought."""
    erp.script(
        "DROP TABLE sync_prices",
        *(f"DROP INDEX {index}" for some in THIRD_INDEXES.values() for index in some),
        "UPDATE sync_schema SET version = 2",
    )


SECOND_COLUMNS = {"sync_agreed": "panel_item_id", "sync_intents": "linked_by", "sync_history": "risky"}
SECOND_INDEXES = {
    "sync_history": "ix_sync_history_risky",
    "sync_matches": "ix_sync_matches_panel_client",
    "incoming_clients": "ix_incoming_clients_client",
}


def _back_to_the_first_version(erp: SqlErp) -> None:
    """Take away what version 2 and 3 brought."""
    _back_to_the_second_version(erp)
    erp.script(
        *(f"DROP INDEX {index}" for index in SECOND_INDEXES.values()),
        *(f"ALTER TABLE {table} DROP COLUMN {column}" for table, column in SECOND_COLUMNS.items()),
        "UPDATE sync_schema SET version = 1",
    )


_OWN = '(client_id, concern, item_id, "values")'
OLD_ROWS = (
    "INSERT INTO clients (id, nip) VALUES ('C-1', '525-000-12-32')",
    f"""INSERT INTO sync_agreed {_OWN} VALUES ('C-1', 'billing', '', '{{"city": "A"}}')""",
    f"INSERT INTO sync_intents {_OWN} VALUES ('C-1', 'billing', '', '[]')",
    "INSERT INTO sync_history (client_id, concern, field) VALUES ('C-1', 'billing', 'nip')",
)


@pytest.mark.parametrize("bring", [schema.upgrade, schema.create])
def test_the_first_version_is_refused_and_brought_up_to_date(
    sql: SqlBench, connect: Connect, bring: Callable[[sa.Engine], int]
) -> None:
    _back_to_the_first_version(sql.erp)
    sql.erp.script(*OLD_ROWS)
    with pytest.raises(Halt, match=r"old_schema: .*version 1: run `kartoteka schema upgrade"):
        connect(sql.url).log_head()
    assert bring(sql.exchange.engine) == 3
    exchange = connect(sql.url)
    (seen,) = exchange.snapshots("billing", ["C-1"])
    assert (seen.agreed, seen.panel_item_id, seen.intent) == ({"city": "A"}, "", Intent(()))
    assert exchange.risky_writes("billing", LONG_AGO) == 0
    taken = Written("nip", Direction.ERP_TO_PANEL, Reason.EDIT, "1", "2")
    exchange.settle([Settlement("C-1", "billing", None, written=(taken,))], run_id="r", at=LONG_AGO)
    assert exchange.risky_writes("billing", LONG_AGO) == 1
    inspector = sa.inspect(sql.erp.engine)
    for table, index in SECOND_INDEXES.items():
        assert index in {one["name"] for one in inspector.get_indexes(table)}
    assert [row["version"] for row in sql.erp.run("SELECT version FROM sync_schema ORDER BY version")] == [1, 3]
    assert [entry[1:4] for entry in sql.erp.log()] == [("C-1", "C-1", "I")]


@pytest.mark.parametrize("bring", [schema.upgrade, schema.create])
def test_the_second_version_is_refused_and_brought_to_the_third(
    sql: SqlBench, connect: Connect, bring: Callable[[sa.Engine], int]
) -> None:
    _back_to_the_second_version(sql.erp)
    sql.erp.set_credit("C-1", as_of=LONG_AGO, balance="12.50")
    sql.erp.set_item("G", "product", "7", price="12.50", valid_to=LONG_AGO)
    with pytest.raises(Halt, match=r"old_schema: .*version 2: run `kartoteka schema upgrade"):
        connect(sql.url).log_head()
    assert bring(sql.exchange.engine) == 3
    exchange = connect(sql.url)
    assert exchange.newest_credit() == LONG_AGO
    sent = SentPrice("product", "7", "12.50", "PLN", "13.00 PLN")
    exchange.settle_prices("G", [sent], [], [], run_id="r", at=LONG_AGO)
    ((item, price),) = exchange.group_items("G", None, 10)
    assert (item.valid_to, price) == (LONG_AGO, sent)
    inspector = sa.inspect(sql.erp.engine)
    for table, indexes in THIRD_INDEXES.items():
        assert set(indexes) <= {one["name"] for one in inspector.get_indexes(table)}
    assert [row["version"] for row in sql.erp.run("SELECT version FROM sync_schema ORDER BY version")] == [2, 3]
    assert [entry[0] for entry in sql.erp.log()] == ["client_credit", "discount_group_items"]


def test_an_upgraded_table_has_the_columns_of_a_new_one(sql: SqlBench) -> None:
    def described() -> dict[str, list[tuple[object, ...]]]:
        inspector = sa.inspect(sql.erp.engine)
        return {
            table: sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table))
            for table in SECOND_COLUMNS
        }

    new = described()
    _back_to_the_first_version(sql.erp)
    schema.upgrade(sql.exchange.engine)
    assert described() == new


def test_there_is_nothing_to_upgrade_in_an_empty_database(empty_url: str, connect: Connect) -> None:
    with pytest.raises(Halt, match="schema create"):
        schema.upgrade(connect(empty_url).engine)


def test_the_printed_script_makes_the_same_tables_twice_over(empty_url: str, connect: Connect) -> None:
    name = dialects.parse_url(empty_url).get_backend_name()
    script = schema.ddl(name)
    for _ in range(2):
        _run_script(empty_url, script)
    erp = erp_at(empty_url)
    erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert log(erp) == [("C-1", "C-1", "I")]
    assert connect(empty_url).log_head() == 1


def _run_script(url: str, script: str) -> None:
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(script.encode())


# --- the command


def test_the_command_prints_creates_and_upgrades(tmp_path: Path) -> None:
    runner = CliRunner(env={"ERP_URL": f"sqlite:///{tmp_path / 'a.db'}"})
    assert "CREATE TRIGGER kartoteka_clients_insert" in runner.invoke(command, ["ddl", "--dialect", "sqlite"]).output
    assert "Error: no_schema" in runner.invoke(command, ["upgrade"]).output
    assert runner.invoke(command, ["create"]).output == "The exchange tables have version 3.\n"
    assert runner.invoke(command, ["upgrade", "--quiet"]).output == ""


def test_the_command_says_no_password(tmp_path: Path) -> None:
    url = f"postgresql://erp:geheim@/x?host={tmp_path}"
    answer = CliRunner().invoke(command, ["create", "--url", url])
    assert (answer.exit_code, "geheim" in answer.output) == (1, False)
