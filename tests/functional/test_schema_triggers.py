"""The tables, and the triggers that fill ``change_log`` whatever SQL an ERP uses; on SQLite and a real PostgreSQL."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli.exits import UNAVAILABLE
from cli.schema import schema as command
from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.errors import Halt
from local.postgres import PostgresServer
from tests.fixtures.exchange import Connect, SqlBench, SqlErp


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
    """Return the log of one table: whose row, row, operation."""
    return [(client_id or group_id, row_id, operation) for _, client_id, group_id, row_id, operation in erp.log()]


def erp_at(url: str) -> SqlErp:
    return SqlErp(parse_url(url))


# --- triggers


@each_table
def test_an_insertion_an_edit_and_a_deletion_are_logged(sql: SqlBench, case: Case) -> None:
    sql.erp.run(case.insert())
    sql.erp.run(f"UPDATE {case.table} SET {case.edit}")
    sql.erp.run(f"DELETE FROM {case.table}")
    owner = ("", case.owner) if case.table.startswith("discount_group") else (case.owner, "")
    assert sql.erp.log() == [(case.table, *owner, case.name, operation) for operation in "IUD"]


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
    again = "ON CONFLICT (id) DO UPDATE SET"
    if sql.erp.engine.dialect.name == "mysql":
        again = "ON DUPLICATE KEY UPDATE"
    for _ in range(2):
        sql.erp.run(f"INSERT INTO clients (id) VALUES ('C-1') {again} city = 'X'")
    assert log(sql.erp) == [("C-1", "C-1", "I"), ("C-1", "C-1", "U")]


def test_what_is_rolled_back_leaves_no_entry(sql: SqlBench) -> None:
    transaction = sql.erp.transaction()
    transaction.run("INSERT INTO clients (id) VALUES ('C-1')")
    transaction.rollback()
    assert sql.erp.log() == []


def test_an_address_without_a_client_is_logged_all_the_same(sql: SqlBench) -> None:
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
    assert sql.erp.log()[:3] == [
        ("sync_matches", "C-1", "", "77", "U"),
        ("sync_conflicts", "C-2", "", "1", "U"),
        ("incoming_clients", "C-3", "", "78", "U"),
    ]
    assert sorted(log(sql.erp)[3:]) == [("C-3", "78", "U"), ("C-4", "78", "U")]


def test_a_number_of_the_log_is_never_used_again(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1'), ('C-2')")
    sql.erp.run("DELETE FROM change_log")
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-3')")
    assert [entry.seq for entry in sql.exchange.log.read(0, [], 10)] == [3]


def test_a_replaced_client_is_logged(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.run("INSERT INTO clients (id, city) VALUES ('C-1', 'A')")
    sqlite_bench.erp.run("INSERT OR REPLACE INTO clients (id, city) VALUES ('C-1', 'B')")
    assert log(sqlite_bench.erp)[1:] == [("C-1", "C-1", "I")]


def test_an_address_replaced_by_another_clients_is_logged_for_both(sqlite_bench: SqlBench) -> None:
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
    return SqlErp(parse_url(postgres_bench.url).set(username=name, password="secret"))


def test_a_role_without_rights_on_the_log_fills_it(postgres_bench: SqlBench, stranger: SqlErp) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        stranger.run("SELECT * FROM change_log")
    stranger.run("INSERT INTO clients (id) VALUES ('C-1')")
    stranger.run("UPDATE clients SET city = 'X'")
    stranger.run("TRUNCATE clients")
    assert [entry[2] for entry in log(postgres_bench.erp)] == ["I", "U", "D"]


def test_the_log_is_found_under_any_search_path(postgres_bench: SqlBench, stranger: SqlErp) -> None:
    stranger.script(
        "CREATE TEMPORARY TABLE change_log (table_name text, client_id text, row_id text, operation text)",
        "SET search_path = pg_temp, pg_catalog",
        "INSERT INTO public.clients (id) VALUES ('C-1')",
        "TRUNCATE public.clients",
    )
    assert log(postgres_bench.erp) == [("C-1", "C-1", "I"), ("C-1", "C-1", "D")]


def test_the_tables_may_live_in_a_schema_of_any_name(postgres_server: PostgresServer, connect: Connect) -> None:
    url = postgres_server.empty()
    erp_at(url).script('CREATE SCHEMA "Wymiana danych"')
    there = url + "&options=-csearch_path%3D%22Wymiana%5C%20danych%22"
    engine = connect(there).database.engine
    assert upgrade.create(engine) == upgrade.create(engine) == upgrade.VERSION
    assert connect(there).records.count_linked() == 0
    erp_at(url).script("""INSERT INTO "Wymiana danych".clients (id) VALUES ('C-1')""")
    assert log(erp_at(there)) == [("C-1", "C-1", "I")]
    postgres_server.drop(url)


# --- creating and upgrading


def test_creating_twice_changes_nothing(empty_url: str, connect: Connect) -> None:
    engine = connect(empty_url).database.engine
    assert upgrade.create(engine) == upgrade.VERSION
    erp = erp_at(empty_url)
    erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert upgrade.create(engine) == upgrade.VERSION
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
    engine = connect(empty_url).database.engine
    upgrade.create(engine)
    (card,) = erp.run("SELECT id, email, rating, country_code, active, city FROM clients")
    assert (card["email"], card["rating"], card["country_code"], bool(card["active"])) == ("a@b.pl", 5, "PL", True)
    erp.run("INSERT INTO client_credit (client_id) VALUES ('C-1')")
    assert log(erp) == [("C-1", "C-1", "I")]


def test_a_foreign_table_without_its_key_is_named(empty_url: str, connect: Connect) -> None:
    erp_at(empty_url).script("CREATE TABLE clients (code VARCHAR(10))")
    with pytest.raises(Halt, match="clients without its key column id"):
        upgrade.create(connect(empty_url).database.engine)
    assert sa.inspect(erp_at(empty_url).engine).get_table_names() == ["clients"]


@pytest.mark.fault(90, 91)
def test_a_newer_version_is_left_alone_and_worked_with(sql: SqlBench, connect: Connect) -> None:
    sql.erp.run("INSERT INTO sync_schema (version) VALUES (99)")
    sql.erp.run("ALTER TABLE clients ADD COLUMN invented_later TEXT")
    for action in (upgrade.create, upgrade.upgrade):
        with pytest.raises(Halt, match="newer_schema"):
            action(sql.exchange.database.engine)
    assert connect(sql.url).records.count_linked() == 0
    assert len(sql.erp.run("SELECT version FROM sync_schema")) == 2


def _step(ran: list[int], version: int) -> upgrade.Step:
    return lambda _connection: ran.append(version)


def test_upgrading_runs_each_step_once(sql: SqlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    here = upgrade.VERSION
    monkeypatch.setattr(upgrade, "VERSION", here + 2)
    monkeypatch.setattr(upgrade, "STEPS", {n: _step(ran, n) for n in (here + 2, here + 1, here)})
    assert upgrade.upgrade(sql.exchange.database.engine) == here + 2
    assert upgrade.upgrade(sql.exchange.database.engine) == here + 2
    assert ran == [here + 1, here + 2]
    assert sql.exchange.records.count_linked() == 0


@pytest.mark.parametrize("sql", ["sqlite", "postgresql"], indirect=True)
def test_a_failing_step_leaves_everything_as_it_was(sql: SqlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TABLE sync_plan")
        raise Halt("step", "failed")

    here = upgrade.VERSION
    monkeypatch.setattr(upgrade, "VERSION", here + 1)
    monkeypatch.setattr(upgrade, "STEPS", {here + 1: step})
    with pytest.raises(Halt, match="failed"):
        upgrade.upgrade(sql.exchange.database.engine)
    assert sql.erp.run("SELECT version FROM sync_schema") == [{"version": here}]
    assert sql.erp.run("SELECT * FROM sync_plan") == []


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("bring", [upgrade.create, upgrade.upgrade])
def test_tables_from_before_the_first_release_are_to_be_dropped(
    sql: SqlBench, connect: Connect, bring: Callable[[sa.Engine], int], version: int
) -> None:
    sql.erp.script(
        f"UPDATE sync_schema SET version = {version}",
        "ALTER TABLE sync_base RENAME TO sync_agreed",
        "INSERT INTO clients (id, city) VALUES ('C-1', 'A')",
    )
    with pytest.raises(Halt, match=r"no_schema: table sync_base is missing: run `kartoteka schema upgrade"):
        connect(sql.url).records.count_linked()
    with pytest.raises(Halt, match=rf"old_schema: .*version {version}, .*drop the tables .* sync_, and change_log"):
        bring(sql.exchange.database.engine)
    names = sa.inspect(sql.erp.engine).get_table_names()
    sql.erp.run("DROP VIEW sync_open")  # such a version has none
    sql.erp.script(*(f"DROP TABLE {name}" for name in names if name.startswith("sync_") or name == "change_log"))
    assert upgrade.create(sql.exchange.database.engine) == upgrade.VERSION
    sql.erp.run("UPDATE clients SET city = 'B'")
    assert log(sql.erp) == [("C-1", "C-1", "U")]
    assert connect(sql.url).records.existing(["C-1"]) == {"C-1"}


def test_there_is_nothing_to_upgrade_in_an_empty_database(empty_url: str, connect: Connect) -> None:
    with pytest.raises(Halt, match="schema create"):
        upgrade.upgrade(connect(empty_url).database.engine)


def test_the_printed_script_makes_the_same_tables_twice_over(empty_url: str, connect: Connect) -> None:
    name = parse_url(empty_url).get_backend_name()
    script = upgrade.ddl("mariadb" if name == "mysql" else name)
    for _ in range(2):
        _run_script(empty_url, script)
    erp = erp_at(empty_url)
    erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    assert log(erp) == [("C-1", "C-1", "I")]
    assert [entry.seq for entry in connect(empty_url).log.read(0, [], 10)] == [1]


def _run_script(url: str, script: str) -> None:
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
    elif url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            connection.execute(script.encode())
    else:
        erp_at(url).script(*as_the_client_does(script))


def as_the_client_does(script: str) -> list[str]:
    """Take a script of MySQL's apart: DELIMITER is no SQL, but a word to its client."""
    statements, delimiter, rest = [], ";", ""
    for line in script.splitlines():
        if line.startswith("DELIMITER "):
            delimiter = line.split()[1]
            continue
        rest += line + "\n"
        if line.endswith(delimiter):
            statements.append(rest.strip().removesuffix(delimiter))
            rest = ""
    return statements


# --- the command


def test_the_command_prints_creates_and_upgrades(tmp_path: Path) -> None:
    runner = CliRunner(env={"ERP_URL": f"sqlite:///{tmp_path / 'a.db'}"})
    assert "CREATE TRIGGER kartoteka_clients_insert" in runner.invoke(command, ["ddl", "--dialect", "sqlite"]).output
    assert "Error: no_schema" in runner.invoke(command, ["upgrade"]).output
    assert (
        runner.invoke(command, ["create"]).output == f"The exchange tables are complete (version {upgrade.VERSION}).\n"
    )
    assert runner.invoke(command, ["upgrade", "--quiet"]).output == ""


def test_the_command_says_no_password(tmp_path: Path) -> None:
    url = f"postgresql://erp:geheim@/x?host={tmp_path}"
    answer = CliRunner().invoke(command, ["create", "--url", url])
    assert (answer.exit_code, "geheim" in answer.output) == (UNAVAILABLE, False)
