"""What only SQL can show of the exchange database: late commits, statements, errors, refused data."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters import dialects, schema
from kartoteka.core.errors import Halt, KartotekaError, Retry
from kartoteka.core.model import (
    Announcement,
    ConflictNote,
    Direction,
    Intent,
    Link,
    Parked,
    Reason,
    RowEdit,
    SeenAccount,
    Settlement,
    State,
    Status,
    Written,
)
from kartoteka.ports import Settled
from tests.fixtures.exchange import Connect, SqlBench
from tests.fixtures.postgres import PostgresServer

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IN_STEP = Status(State.IN_STEP)
FIELDS = tuple(schema.clients.c.keys())[2:16]


def created(number: int) -> Settlement:
    """A customer whose account was just opened: a link, an agreement, fourteen rows of history."""
    key = f"C-{number}"
    return Settlement(
        key,
        "billing",
        IN_STEP,
        agreed=dict.fromkeys(FIELDS, "Żółta 1"),
        link=Link(key, str(number), f"b2b-{number}", "created"),
        written=tuple(Written(f, Direction.ERP_TO_PANEL, Reason.CREATE, None, "Żółta 1") for f in FIELDS),
    )


def edited(key: str, value: str = "B") -> Settlement:
    return Settlement(
        key,
        "billing",
        IN_STEP,
        agreed={"street": value},
        row_edits={"street": RowEdit("A", value)},
        fallback=Settlement(key, "billing", Status(State.HELD, "refused")),
    )


def settle(sql: SqlBench, *settlements: Settlement) -> Settled:
    return sql.exchange.settle(settlements, run_id="run-1", at=AT)


# --- late commits


def test_an_entry_that_becomes_visible_late_is_given_when_asked_for_again(
    postgres_bench: SqlBench,
) -> None:
    slow, quick = postgres_bench.erp.transaction(), postgres_bench.erp.transaction()
    slow.insert_card("C-slow")
    quick.insert_card("C-quick")
    quick.commit()
    (seen,) = postgres_bench.exchange.read_log(0, [], 10)
    assert (seen.seq, seen.client_id) == (2, "C-quick")
    assert list(postgres_bench.exchange.read_log(2, [(1, 1)], 10)) == []
    slow.commit()
    assert list(postgres_bench.exchange.read_log(2, [], 10)) == [], "the tail alone would have lost it"
    (late,) = postgres_bench.exchange.read_log(2, [(1, 1)], 10)
    assert (late.seq, late.client_id) == (1, "C-slow")


def test_all_statements_of_a_look_see_one_moment(sql: SqlBench) -> None:
    sql.erp.insert_card("C-1", street="A")
    settle(sql, Settlement("C-1", "billing", IN_STEP, agreed={"street": "A"}))

    def interfere(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM sync_agreed" in statement:
            sql.erp.run("DELETE FROM sync_agreed")

    sa.event.listen(sql.exchange.engine, "before_cursor_execute", interfere)
    (seen,) = sql.exchange.snapshots("billing", ["C-1"])
    assert seen.agreed == {"street": "A"}
    sa.event.remove(sql.exchange.engine, "before_cursor_execute", interfere)
    assert sql.exchange.snapshots("billing", ["C-1"])[0].agreed is None


# --- statements


def test_a_hundred_created_customers_cost_ten_statements(sql: SqlBench) -> None:
    sql.exchange.log_head()
    with sql.statements() as seen:
        settle(sql, *map(created, range(100)))
    assert len(seen) <= 10, seen
    assert len(sql.erp.history) == 1400


def test_a_hundred_edited_rows_cost_a_few_statements_more(sql: SqlBench) -> None:
    for number in range(100):
        sql.erp.insert_card(f"C-{number}", street="A")
    sql.exchange.log_head()
    with sql.statements() as seen:
        assert settle(sql, *(edited(f"C-{number}") for number in range(100))) == Settled()
    assert len([s for s in seen if "SAVEPOINT" not in s]) <= 12, seen


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_a_look_costs_the_same_at_any_number_of_keys(sql: SqlBench, count: int) -> None:
    sql.exchange.log_head()
    with sql.statements() as seen:
        sql.exchange.snapshots("accounts", [f"C-{number}" for number in range(count)])
    assert len([s for s in seen if s != "BEGIN"]) == 7, seen


def test_five_hundred_spans_cost_six_statements(sql: SqlBench) -> None:
    sql.exchange.log_head()
    with sql.statements() as seen:
        sql.exchange.read_log(0, [(n, n) for n in range(1, 1001, 2)], 10)
    assert len([s for s in seen if s != "BEGIN"]) == 6


# --- refused data


def _break(sql: SqlBench, table: str, key: str) -> None:
    """Let the database refuse our own row of one customer."""
    if sql.erp.engine.dialect.name == "sqlite":
        body = f"BEFORE INSERT ON {table} WHEN NEW.client_id = '{key}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
        sql.erp.script(f"CREATE TRIGGER broken {body}")
    else:
        sql.erp.script(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (client_id <> '{key}')")


@pytest.mark.parametrize("table", ["sync_agreed", "sync_status"])
def test_one_record_that_the_database_refuses_does_not_hold_up_its_neighbours(sql: SqlBench, table: str) -> None:
    for number in range(5):
        sql.erp.insert_card(f"C-{number}", street="A")
    _break(sql, table, "C-3")
    answer = settle(sql, *(edited(f"C-{number}") for number in range(5)))
    assert answer.again == frozenset()
    assert answer.refused.keys() == {"C-3"}
    assert "broken" in answer.refused["C-3"]
    assert "broken" not in repr(answer)
    snapshots = sql.exchange.snapshots("billing", [f"C-{number}" for number in range(5)])
    left = None if table == "sync_status" else Status(State.HELD, "refused")
    assert [s.status for s in snapshots] == [IN_STEP, IN_STEP, IN_STEP, left, IN_STEP]
    assert [s.row and s.row["street"] for s in snapshots] == ["B", "B", "B", "A", "B"]


def test_a_check_of_the_erp_that_speaks_at_the_commit_refuses_one_record(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script(
        "CREATE FUNCTION erp_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$",
        "CREATE CONSTRAINT TRIGGER erp_check AFTER UPDATE ON clients DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.id = 'C-2') EXECUTE FUNCTION erp_check()",
    )
    refuses_the_second_alone(postgres_bench)


def test_a_check_of_the_erp_that_rolls_back_everything_refuses_one_record(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.script(
        "CREATE TRIGGER erp_check AFTER UPDATE ON clients WHEN NEW.id = 'C-2' BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
    )
    refuses_the_second_alone(sqlite_bench)


def refuses_the_second_alone(sql: SqlBench) -> None:
    keys = ["C-1", "C-2", "C-3"]
    for key in keys:
        sql.erp.insert_card(key, street="A")
    assert settle(sql, *map(edited, keys)).refused.keys() == {"C-2"}
    snapshots = sql.exchange.snapshots("billing", keys)
    assert [s.row and s.row["street"] for s in snapshots] == ["B", "A", "B"]
    assert [s.status for s in snapshots] == [IN_STEP, Status(State.HELD, "refused"), IN_STEP]
    assert [origin for _, _, _, operation, origin in sql.erp.log() if operation == "U"] == ["kartoteka"] * 2


@pytest.mark.parametrize("value", ["NUL \x00 in it", "half a pair \ud83d"])
def test_a_text_that_no_database_takes_is_refused_alone(sql: SqlBench, value: str) -> None:
    sql.erp.insert_card("C-1", street="A")
    sql.erp.insert_card("C-2", street="A")
    answer = settle(sql, edited("C-1", value), edited("C-2"))
    assert answer.refused.keys() == {"C-1"}
    first, second = sql.exchange.snapshots("billing", ["C-1", "C-2"])
    assert (first.status, second.status) == (Status(State.HELD, "refused"), IN_STEP)


def test_a_text_too_long_for_its_column_is_refused_alone(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.insert_card("C-1", street="A")
    postgres_bench.erp.insert_card("C-2", street="A")
    assert settle(postgres_bench, edited("C-1", "x" * 201), edited("C-2")).refused.keys() == {"C-1"}


def test_our_own_tables_take_any_text(sql: SqlBench) -> None:
    odd = "a\x00b\ud83d" + "x" * 5000
    written = (Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, odd, odd),)
    settlement = Settlement(
        "C-1",
        "billing",
        Status(State.HELD, odd, odd),
        agreed={"street": odd},
        link=Link("C-1", "77", odd, "created"),
        written=written,
        conflicts=(ConflictNote("street", odd, odd, odd),),
        parked=Parked(AT, 1, 1, odd),
        keep_intent=True,
    )
    sql.exchange.announce([Announcement("C-1", "billing", Intent(written, login=odd))], run_id="run-1", at=AT)
    assert settle(sql, settlement) == Settled()
    sql.exchange.remember([SeenAccount("77", odd, odd, odd, odd)], at=AT)
    (seen,) = sql.exchange.snapshots("billing", ["C-1"])
    assert (seen.agreed, seen.intent and seen.intent.values) == ({"street": odd}, {"street": odd})
    assert len(sql.erp.history) == 1


# --- errors


def test_a_missing_table_says_what_to_run(empty_url: str, connect: Connect) -> None:
    with pytest.raises(Halt, match=r"no_schema: .*kartoteka schema create"):
        connect(empty_url).log_head()


def test_a_table_that_goes_missing_later_says_so_too(sql: SqlBench) -> None:
    sql.exchange.log_head()
    sql.erp.run("DROP TABLE sync_parked")
    for action in (lambda: sql.exchange.due("billing", None, 1), lambda: settle(sql, created(1))):
        with pytest.raises(Halt, match="no_schema"):
            action()
    assert sql.erp.history == []


def raised(action: Callable[[], object]) -> KartotekaError:
    with pytest.raises(KartotekaError) as caught:
        action()
    return caught.value


def test_a_database_that_does_not_answer_is_tried_again(tmp_path: Path, connect: Connect) -> None:
    error = raised(connect(f"postgresql://erp:geheim@/x?host={tmp_path}").log_head)
    assert isinstance(error, Retry)
    assert error.code == "database"


@pytest.mark.parametrize(
    ("database", "user", "password"),
    [("postgres", "known", "wrong"), ("nowhere", "postgres", ""), ("postgres", "nobody", "x")],
)
def test_a_wrong_password_or_name_waits_for_a_person(
    postgres_server: PostgresServer, database: str, user: str, password: str, connect: Connect
) -> None:
    postgres_server.execute("DROP ROLE IF EXISTS known")
    postgres_server.execute("CREATE ROLE known LOGIN PASSWORD 'right'")
    error = raised(connect(postgres_server.url(database, user, password)).log_head)
    assert isinstance(error, Halt)
    assert error.code == "database_access"
    assert "wrong" not in str(error)


def test_missing_rights_wait_for_a_person(
    postgres_bench: SqlBench, postgres_server: PostgresServer, connect: Connect
) -> None:
    postgres_server.execute("DROP ROLE IF EXISTS visitor")
    postgres_server.execute("CREATE ROLE visitor LOGIN PASSWORD 'x'")
    url = dialects.parse_url(postgres_bench.url).set(username="visitor", password="x")
    error = raised(connect(url.render_as_string(hide_password=False)).log_head)
    assert (type(error), "42501" in str(error)) == (Halt, True)


def test_a_folder_that_is_not_there_waits_for_a_person(tmp_path: Path, connect: Connect) -> None:
    error = raised(connect(f"sqlite:///{tmp_path}/no/such/folder.db").log_head)
    assert (type(error), "SQLITE_CANTOPEN" in str(error)) == (Halt, True)


def test_a_file_that_is_no_database_waits_for_a_person(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "letter.db").write_text("Dear customer, " * 100)
    assert isinstance(raised(connect(f"sqlite:///{tmp_path}/letter.db").log_head), Halt)


def test_a_database_that_somebody_else_writes_is_tried_again(
    sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(dialects, "LOCK_SECONDS", 0.01)
    exchange = connect(sqlite_bench.url)
    other = sqlite3.connect(sqlite_bench.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert exchange.log_head() == 0, "reading goes on"
    assert isinstance(raised(lambda: exchange.settle([created(1)], run_id="r", at=AT)), Retry)
    other.close()
    assert exchange.settle([created(1)], run_id="r", at=AT) == Settled()


def test_a_row_that_somebody_else_holds_is_tried_again(
    postgres_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(dialects, "LOCK_SECONDS", 0.05)
    postgres_bench.erp.insert_card("C-1", street="A")
    exchange = connect(postgres_bench.url)
    other = postgres_bench.erp.transaction()
    other.update_card("C-1", city="X")
    assert isinstance(raised(lambda: exchange.settle([edited("C-1")], run_id="r", at=AT)), Retry)
    other.commit()
    assert exchange.settle([edited("C-1")], run_id="r", at=AT) == Settled()


def test_a_connection_that_the_server_closed_is_opened_again(postgres_bench: SqlBench) -> None:
    postgres_bench.exchange.log_head()
    others = "pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    postgres_bench.erp.run(f"SELECT pg_terminate_backend(pid) FROM {others}")
    assert postgres_bench.exchange.log_head() == 0


# --- addresses


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg2"),
        ("mysql://u:p@h/d", "mysql+pymysql"),
        ("mssql://u:p@h/d", "mssql+pymssql"),
        ("sqlite:///a.db", "sqlite"),
    ],
)
def test_a_bare_address_means_its_usual_driver(given: str, meant: str) -> None:
    assert dialects.parse_url(given).drivername == meant


@pytest.mark.parametrize("address", ["", "geheim", "oracle://u:geheim@h/d", "postgresql+nodriver://u:geheim@h/d"])
def test_a_wrong_address_is_told_without_its_password(address: str, connect: Connect) -> None:
    error = raised(lambda: connect(address))
    assert isinstance(error, Halt)
    assert "geheim" not in str(error)


def test_the_password_is_not_shown(postgres_server: PostgresServer, connect: Connect) -> None:
    shown = repr(connect(postgres_server.url("x", "erp", "geheim")))
    assert shown.startswith("SqlExchange(postgresql+psycopg://erp:***@")
    assert "geheim" not in shown


# --- values of odd tables


def test_flags_of_raw_sql_are_understood(sqlite_bench: SqlBench) -> None:
    for number, flag in enumerate(("1", "0", "'true'", "'N'", "true", "NULL", "'perhaps'")):
        sqlite_bench.erp.run(f"INSERT INTO clients (id, active) VALUES ('C-{number}', {flag})")
    seen = sqlite_bench.exchange.snapshots("accounts", [f"C-{number}" for number in range(7)])
    assert [s.row and s.row["active"] for s in seen] == [True, False, True, False, True, None, None]


def test_a_text_in_a_foreign_encoding_spoils_no_neighbour(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_card("C-1", street="A")
    sqlite_bench.erp.run("INSERT INTO clients (id, street) VALUES ('C-2', CAST(x'a3f3641f' AS TEXT))")
    first, second = sqlite_bench.exchange.snapshots("billing", ["C-1", "C-2"])
    assert first.row
    assert first.row["street"] == "A"
    assert second.row
    assert "\ufffd" in str(second.row["street"])
