"""What only SQL can show of the exchange database: late commits, statements, errors, refused data."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters import dialects, schema
from kartoteka.adapters.exchange import SqlExchange
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.model import (
    Announcement,
    Candidate,
    CardHint,
    ConflictNote,
    Direction,
    IncomingClient,
    Intent,
    Link,
    Parked,
    Reason,
    RowEdit,
    SeenAccount,
    SentPrice,
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
ROWS = "delivery_addresses"
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


def address(item_id: str, client_id: str = "C-1", **more: Any) -> Settlement:
    fallback = Settlement(client_id, ROWS, Status(State.HELD, "refused"), item_id=item_id)
    return Settlement(client_id, ROWS, IN_STEP, item_id=item_id, fallback=fallback, **more)


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


def test_a_hundred_created_customers_cost_eleven_statements(sql: SqlBench) -> None:
    sql.exchange.log_head()
    with sql.statements() as seen:
        settle(sql, *map(created, range(100)))
    assert len(seen) <= 11, seen
    assert len(sql.erp.history) == 1400


def test_a_hundred_edited_rows_cost_a_few_statements_more(sql: SqlBench) -> None:
    for number in range(100):
        sql.erp.insert_card(f"C-{number}", street="A")
    sql.exchange.log_head()
    with sql.statements() as seen:
        assert settle(sql, *(edited(f"C-{number}") for number in range(100))) == Settled()
    assert len([s for s in seen if "SAVEPOINT" not in s]) <= 12, seen


def test_a_hundred_customers_addresses_written_into_the_erp_cost_a_few_statements(sql: SqlBench) -> None:
    for number in range(100):
        sql.erp.insert_address(f"edit-{number}", f"C-{number}", street="A")
        sql.erp.insert_address(f"drop-{number}", f"C-{number}", street="A")
    sql.exchange.log_head()
    row = {"street": "A", "country_code": "PL"}
    how = {
        "edit": {"row_edits": {"street": RowEdit("A", "B")}, "agreed": {}},
        "drop": {"row_delete": row, "forget": True},
        "new": {"row_insert": row, "agreed": {}},
    }
    settlements = [address(f"{what}-{n}", f"C-{n}", **how[what]) for n in range(100) for what in how]
    with sql.statements() as seen:
        assert settle(sql, *settlements) == Settled()
    assert len([s for s in seen if "SAVEPOINT" not in s]) <= 14, seen
    (row,) = sql.erp.run(f"SELECT count(*) AS rows, count(DISTINCT client_id) AS clients FROM {ROWS}")
    assert row == {"rows": 200, "clients": 100}


def test_candidates_of_a_hundred_cards_cost_three_statements_more(sql: SqlBench) -> None:
    sql.exchange.log_head()
    keys = [f"C-{number}" for number in range(100)]
    twenty = tuple(Candidate("", str(number), "nip") for number in range(20))
    counts = []
    for some in (None, twenty):
        with sql.statements() as seen:
            settle(sql, *(Settlement(key, "accounts", IN_STEP, candidates=some) for key in keys))
        counts.append(len(seen))
    assert counts[1] - counts[0] == 3
    assert sql.erp.run("SELECT count(*) AS n FROM sync_matches") == [{"n": 2000}]


LOOKS = {"billing": 7, "accounts": 8, "shops": 8, ROWS: 9, "discounts": 7, "credit": 7}


@pytest.mark.parametrize("count", [1, 100, 1000])
@pytest.mark.parametrize(("concern", "cost"), LOOKS.items(), ids=LOOKS)
def test_a_look_costs_the_same_at_any_number_of_keys(sql: SqlBench, concern: str, cost: int, count: int) -> None:
    for number in range(3):
        sql.erp.insert_address(f"A-{number}", f"C-{number}")
    sql.exchange.log_head()
    with sql.statements() as seen:
        sql.exchange.snapshots(concern, [f"C-{number}" for number in range(count)])
    assert len([s for s in seen if s != "BEGIN"]) == cost, seen


READS: dict[str, tuple[Callable[[SqlExchange, list[str]], object], int]] = {
    "linked": (lambda exchange, keys: exchange.linked("", len(keys)), 1),
    "count_linked": (lambda exchange, keys: exchange.count_linked(), 1),
    "with_items": (lambda exchange, keys: exchange.with_items(ROWS, keys), 1),
    "risky_writes": (lambda exchange, keys: exchange.risky_writes("billing", AT), 1),
    "directory": (lambda exchange, keys: exchange.directory(keys, keys, keys), 3),
    "hints": (lambda exchange, keys: exchange.hints(keys, keys), 1),
    "candidates": (lambda exchange, keys: exchange.candidates(keys), 1),
    "contenders": (lambda exchange, keys: exchange.contenders(keys), 1),
    "incoming_answers": (lambda exchange, keys: exchange.incoming_answers(keys), 1),
    "strangers": (lambda exchange, keys: exchange.strangers("", len(keys)), 1),
    "groups": (lambda exchange, keys: exchange.groups(keys), 5),
    "group_ids": (lambda exchange, keys: exchange.group_ids(), 1),
    "group_numbers": (lambda exchange, keys: exchange.group_numbers(), 1),
    "group_members": (lambda exchange, keys: exchange.group_members(keys), 1),
    "first items": (lambda exchange, keys: exchange.group_items("G", None, len(keys)), 1),
    "more items": (lambda exchange, keys: exchange.group_items("G", ("product", "7"), len(keys)), 1),
    "prices_without_item": (lambda exchange, keys: exchange.prices_without_item("G", len(keys)), 1),
    "item_statuses": (lambda exchange, keys: exchange.item_statuses("G"), 1),
    "dated_groups": (lambda exchange, keys: exchange.dated_groups(AT, AT), 1),
    "outdated_credit": (lambda exchange, keys: exchange.outdated_credit(AT, AT), 1),
    "newest_credit": (lambda exchange, keys: exchange.newest_credit(), 1),
    "due groups": (lambda exchange, keys: exchange.due("discount_groups", AT, len(keys)), 1),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("count", [1, 1000])
def test_a_question_costs_the_same_at_any_number_of_keys(sql: SqlBench, name: str, count: int) -> None:
    ask, cost = READS[name]
    sql.exchange.log_head()
    with sql.statements() as seen:
        ask(sql.exchange, [str(number) for number in range(count)])
    assert len([s for s in seen if s != "BEGIN"]) == cost, seen


def test_a_thousand_newcomers_cost_one_statement_beside_the_frame(sql: SqlBench) -> None:
    newcomers = [IncomingClient(str(number), {"email": "a@b.pl"}) for number in range(1000)]
    sql.exchange.log_head()
    for action in (
        lambda: sql.exchange.list_incoming(newcomers, at=AT),
        lambda: sql.exchange.unlist_incoming([newcomer.panel_client_id for newcomer in newcomers]),
    ):
        with sql.statements() as seen:
            action()
        assert len([s for s in seen if "incoming_clients" in s]) == 1
        assert len(seen) <= 4, seen


def test_a_thousand_prices_cost_a_few_statements(sql: SqlBench) -> None:
    sent = [SentPrice("product", str(number), "10.00", "PLN") for number in range(1000)]
    keys = [("producer", str(number)) for number in range(1000)]
    told = [Settlement("", "discounts", IN_STEP, item_id=f"G/product/{number}") for number in range(1000)]
    sql.exchange.log_head()
    with sql.statements() as seen:
        sql.exchange.settle_prices("G", sent, keys, told, run_id="run-1", at=AT)
    assert len([s for s in seen if "sync_prices" in s]) == 2, seen
    assert len(seen) <= 9, seen
    for keys_or_all in (keys, None):
        with sql.statements() as seen:
            sql.exchange.doubt_prices("G", keys_or_all)
        assert len(seen) <= 4, seen
    with sql.statements() as seen:
        sql.exchange.settle_prices("G", [], [], [], run_id="run-1", at=AT)
        sql.exchange.doubt_prices("G", [])
    assert seen == []


def test_cards_are_read_a_thousand_at_a_time(sql: SqlBench) -> None:
    with sql.erp.engine.begin() as connection:
        cards = [{"id": f"C-{number:04}", "email": f"{number % 1250}@x.pl"} for number in range(2500)]
        connection.execute(schema.clients.insert(), cards)
    pages = []

    def note(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: Any) -> None:
        pages.append(context.execution_options.get("yield_per"))

    sql.exchange.log_head()
    sa.event.listen(sql.exchange.engine, "before_cursor_execute", note)
    found = sql.exchange.hints([], ["7@x.pl", "1249@x.pl"])
    sa.event.remove(sql.exchange.engine, "before_cursor_execute", note)
    assert [hint.client_id for hint in found] == ["C-0007", "C-1249", "C-1257", "C-2499"]
    assert [page for page in pages if page] == [1000]


INDEXED: dict[str, Callable[[SqlExchange], object]] = {
    "ix_sync_history_risky": lambda exchange: exchange.risky_writes("billing", AT),
    "ix_sync_panel_accounts_code": lambda exchange: exchange.directory(["C-1"], [], []),
    "ix_sync_panel_accounts_nip": lambda exchange: exchange.directory([], ["1"], []),
    "ix_sync_panel_accounts_email": lambda exchange: exchange.directory([], [], ["a@b.pl"]),
    "ix_sync_matches_panel_client": lambda exchange: exchange.contenders(["77"]),
    "ix_incoming_clients_client": lambda exchange: exchange.incoming_answers(["C-1"]),
    "ix_delivery_addresses_client": lambda exchange: exchange.with_items(ROWS, ["C-1"]),
    "ix_sync_links_panel_client": lambda exchange: exchange.strangers("", 100),
    "ix_clients_discount_group": lambda exchange: exchange.group_members(["G"]),
    "discount_group_items USING INDEX": lambda exchange: exchange.group_items("G", ("product", "7"), 10),
    "sync_prices USING INDEX": lambda exchange: exchange.group_items("G", None, 10),
    "(client_id=? AND concern=?)": lambda exchange: exchange.item_statuses("G"),
}


def plans(sql: SqlBench, ask: Callable[[SqlExchange], object]) -> list[str]:
    """Return how SQLite goes about the statements of a question."""
    found: list[str] = []
    sql.exchange.log_head()

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.driver_connection
            found.extend(str(row[-1]) for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    sa.event.listen(sql.exchange.engine, "before_cursor_execute", explain)
    ask(sql.exchange)
    sa.event.remove(sql.exchange.engine, "before_cursor_execute", explain)
    return found


@pytest.mark.parametrize("index", INDEXED)
def test_a_question_goes_by_its_index(sqlite_bench: SqlBench, index: str) -> None:
    assert any(index in plan for plan in plans(sqlite_bench, INDEXED[index]))


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("ix_client_credit_as_of", lambda exchange: exchange.outdated_credit(AT, AT)),
        ("ix_client_credit_as_of", lambda exchange: exchange.newest_credit()),
        ("ix_discount_group_items_valid_from", lambda exchange: exchange.dated_groups(AT, AT)),
        ("ix_discount_group_items_valid_to", lambda exchange: exchange.dated_groups(None, AT)),
        ("ROW((item_type)::text, item_id) >", lambda exchange: exchange.group_items("G", ("product", "7"), 10)),
        ("sync_prices_pkey", lambda exchange: exchange.prices_without_item("G", 10)),
    ],
)
def test_a_question_goes_by_its_index_on_postgresql(
    postgres_bench: SqlBench, index: str, ask: Callable[[SqlExchange], object]
) -> None:
    found: list[str] = []
    postgres_bench.exchange.log_head()

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            with connection.connection.driver_connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {statement}", parameters)
                found.extend(row[0] for row in cursor.fetchall() if "Filter" not in row[0])

    sa.event.listen(postgres_bench.exchange.engine, "before_cursor_execute", explain)
    ask(postgres_bench.exchange)
    sa.event.remove(postgres_bench.exchange.engine, "before_cursor_execute", explain)
    assert any(index in line for line in found), found


def test_strangers_are_read_page_by_page_without_sorting_them_all(sqlite_bench: SqlBench) -> None:
    found = plans(sqlite_bench, lambda exchange: exchange.strangers("7", 100))
    assert "(panel_client_id>?)" in found[0]
    assert not any("TEMP B-TREE" in plan for plan in found)


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
    assert answer.refused.keys() == {("C-3", "")}
    assert "broken" in answer.refused["C-3", ""]
    assert "broken" not in repr(answer)
    snapshots = sql.exchange.snapshots("billing", [f"C-{number}" for number in range(5)])
    left = None if table == "sync_status" else Status(State.HELD, "refused")
    assert [s.status for s in snapshots] == [IN_STEP, IN_STEP, IN_STEP, left, IN_STEP]
    assert [s.row and s.row["street"] for s in snapshots] == ["B", "B", "B", "A", "B"]


def test_one_item_that_the_database_refuses_does_not_hold_up_the_customers_others(sql: SqlBench) -> None:
    if sql.erp.engine.dialect.name == "sqlite":
        body = "BEFORE INSERT ON sync_agreed WHEN NEW.item_id = 'A-2' BEGIN SELECT RAISE(ABORT, 'broken'); END"
        sql.erp.script(f"CREATE TRIGGER broken {body}")
    else:
        sql.erp.script("ALTER TABLE sync_agreed ADD CONSTRAINT broken CHECK (item_id <> 'A-2')")
    row = {"street": "A"}
    answer = settle(sql, *(address(f"A-{n}", row_insert=row, agreed=row) for n in range(4)))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {("C-1", "A-2")})
    states = [(s.item_id, s.row is not None, s.status) for s in sql.exchange.snapshots(ROWS, ["C-1"])]
    refused = ("A-2", False, Status(State.HELD, "refused"))
    assert states[1:] == [("A-0", True, IN_STEP), ("A-1", True, IN_STEP), refused, ("A-3", True, IN_STEP)]


def test_a_check_of_the_erp_that_swallows_a_row_refuses_it(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script(
        "CREATE FUNCTION erp_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        f"CREATE TRIGGER erp_check BEFORE INSERT ON {ROWS} "
        "FOR EACH ROW WHEN (NEW.id = 'A-1') EXECUTE FUNCTION erp_check()",
    )
    answer = settle(postgres_bench, *(address(f"A-{n}", row_insert={"street": "A"}) for n in (1, 2)))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {("C-1", "A-1")})
    assert postgres_bench.erp.run(f"SELECT id FROM {ROWS}") == [{"id": "A-2"}]


def test_a_table_of_the_erps_own_is_written_as_it_is(sql: SqlBench) -> None:
    sql.erp.run(f"DROP TABLE {ROWS}")
    sql.erp.run(f"CREATE TABLE {ROWS} (id CHAR(9) PRIMARY KEY, client_id CHAR(10) REFERENCES clients (id))")
    schema.create(sql.exchange.engine)
    sql.erp.insert_card("C-1")
    sa.event.listen(sql.exchange.engine, "connect", _keep_foreign_keys)
    sql.exchange.close()
    row = {"street": "A"}
    answer = settle(sql, address("A-1", row_insert=row), address("A-2", "C-2", row_insert=row))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {("C-2", "A-2")})
    assert settle(sql, address("A-1", row_insert=row)).again == {("C-1", "A-1")}
    seen = sql.exchange.snapshots(ROWS, ["C-1"])[1]
    assert (seen.item_id, seen.row and seen.row["street"]) == ("A-1", "A")
    assert sql.exchange.with_items(ROWS, ["C-1"]) == {"C-1"}
    assert settle(sql, address("A-1", row_delete=row)) == Settled()


def _keep_foreign_keys(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys = ON")


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
    assert settle(sql, *map(edited, keys)).refused.keys() == {("C-2", "")}
    snapshots = sql.exchange.snapshots("billing", keys)
    assert [s.row and s.row["street"] for s in snapshots] == ["B", "A", "B"]
    assert [s.status for s in snapshots] == [IN_STEP, Status(State.HELD, "refused"), IN_STEP]
    assert [origin for _, _, _, operation, origin in sql.erp.log() if operation == "U"] == ["kartoteka"] * 2


@pytest.mark.parametrize("value", ["NUL \x00 in it", "half a pair \ud83d"])
def test_a_text_that_no_database_takes_is_refused_alone(sql: SqlBench, value: str) -> None:
    sql.erp.insert_card("C-1", street="A")
    sql.erp.insert_card("C-2", street="A")
    answer = settle(sql, edited("C-1", value), edited("C-2"))
    assert answer.refused.keys() == {("C-1", "")}
    first, second = sql.exchange.snapshots("billing", ["C-1", "C-2"])
    assert (first.status, second.status) == (Status(State.HELD, "refused"), IN_STEP)
    new = settle(sql, *(address(f"A-{n}", row_insert={"street": street}) for n, street in ((1, value), (2, "A"))))
    assert new.refused.keys() == {("C-1", "A-1")}


def test_a_text_too_long_for_its_column_is_refused_alone(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.insert_card("C-1", street="A")
    postgres_bench.erp.insert_card("C-2", street="A")
    assert settle(postgres_bench, edited("C-1", "x" * 201), edited("C-2")).refused.keys() == {("C-1", "")}


def test_our_own_tables_take_any_text(sql: SqlBench) -> None:
    odd = "a\x00b\ud83d" + "x" * 5000
    written = (Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, odd, odd),)
    settlement = Settlement(
        "C-1",
        "billing",
        Status(State.HELD, odd, odd),
        agreed={"street": odd},
        panel_item_id=odd,
        link=Link("C-1", "77", odd, "created"),
        candidates=(Candidate("C-1", "77", odd), Candidate("C-1", "77", odd)),
        written=written,
        conflicts=(ConflictNote("street", odd, odd, odd),),
        parked=Parked(AT, 1, 1, odd),
        keep_intent=True,
    )
    intent = Intent(written, login=odd, linked_by=odd)
    sql.exchange.announce([Announcement("C-1", "billing", intent)], run_id="run-1", at=AT)
    assert settle(sql, settlement) == Settled()
    sql.exchange.remember([SeenAccount("77", odd, odd, odd, odd)], at=AT)
    odd_values = {**dict.fromkeys(FIELDS, odd), "company": True, "city": None}
    sql.exchange.list_incoming([IncomingClient("78", odd_values), IncomingClient("79", {"wholesaler": "y"})], at=AT)
    values = {key: row.values for key, row in sql.erp.incoming.items()}
    assert (values["78"]["company"], values["78"]["city"], values["78"]["wholesaler"]) == ("true", None, None)
    assert values["79"]["wholesaler"] is True
    (seen,) = sql.exchange.snapshots("billing", ["C-1"])
    assert (seen.agreed, seen.intent and seen.intent.values) == ({"street": odd}, {"street": odd})
    assert len(sql.erp.history) == 1


def test_what_is_to_be_told_of_one_price_does_not_hold_up_the_others(sql: SqlBench) -> None:
    bad = "G/product/broken"
    if sql.erp.engine.dialect.name == "sqlite":
        body = f"BEFORE INSERT ON sync_status WHEN NEW.item_id = '{bad}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
        sql.erp.script(f"CREATE TRIGGER broken {body}")
    else:
        sql.erp.script(f"ALTER TABLE sync_status ADD CONSTRAINT broken CHECK (item_id <> '{bad}')")
    sent = [SentPrice("product", str(number), "10.00", "PLN") for number in (1, 2)]
    sql.exchange.settle_prices("G", sent, [], [], run_id="run-1", at=AT)
    told = [Settlement("", "discounts", IN_STEP, item_id=key) for key in ("G/product/1", bad, "G/product/2")]
    sql.exchange.settle_prices("G", sent[1:], [("product", "1")], told, run_id="run-1", at=AT)
    assert list(sql.erp.prices) == [("G", "product", "2")]
    assert sql.exchange.item_statuses("G").keys() == {"G/product/1", "G/product/2"}


def test_prices_are_stored_with_what_is_to_be_told_of_them_or_not_at_all(sql: SqlBench) -> None:
    sql.exchange.log_head()
    sql.erp.run("DROP TABLE sync_status")
    told = [Settlement("", "discounts", IN_STEP, item_id="G/product/1")]
    with pytest.raises(Halt, match="no_schema"):
        sql.exchange.settle_prices("G", [SentPrice("product", "1", "1.00")], [], told, run_id="r", at=AT)
    assert sql.erp.prices == {}


def test_our_writes_of_prices_are_marked_as_ours(sql: SqlBench) -> None:
    prices = schema.sync_prices.name
    if sql.erp.engine.dialect.name == "sqlite":
        body = "BEGIN INSERT INTO change_log (table_name, origin) SELECT 'x', origin FROM sync_writer; END"
        for operation in ("INSERT", "UPDATE", "DELETE"):
            sql.erp.script(f"CREATE TRIGGER note_{operation} AFTER {operation} ON {prices} {body}")
        sql.exchange.settle_prices("G", [SentPrice("product", "1", "1.00")], [], [], run_id="r", at=AT)
        sql.exchange.doubt_prices("G", None)
        sql.exchange.forget_prices("G")
        assert [origin for *_, origin in sql.erp.log()] == ["kartoteka"] * 3


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


def test_what_is_no_number_is_no_shop(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_card("C-1")
    for shop in ("'07'", "'a'", "-1", "2.5", "3", "''"):
        sqlite_bench.erp.run(f"INSERT INTO client_shops (client_id, shop_id) VALUES ('C-1', {shop})")
    (seen,) = sqlite_bench.exchange.snapshots("shops", ["C-1"])
    assert seen.row is not None
    assert seen.row["shops"] == "3,7"


def test_tax_numbers_that_an_erp_keeps_as_numbers_are_recognised(empty_url: str, connect: Connect) -> None:
    exchange = connect(empty_url)
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE clients (id VARCHAR(10) PRIMARY KEY, nip BIGINT)")
        connection.exec_driver_sql("INSERT INTO clients (id, nip) VALUES ('C-1', 5250001232), ('C-2', NULL)")
    schema.create(exchange.engine)
    assert list(exchange.hints(["5250001232"], [])) == [CardHint("C-1", "5250001232")]


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


def test_moments_without_end_are_no_obstacle(postgres_bench: SqlBench) -> None:
    erp, exchange = postgres_bench.erp, postgres_bench.exchange
    erp.set_credit("C-1", as_of="infinity")
    erp.set_credit("C-2", as_of="-infinity")
    assert exchange.newest_credit() is None
    erp.set_credit("C-3", as_of=AT)
    assert exchange.newest_credit() == AT
    assert list(exchange.outdated_credit(None, AT + timedelta(days=1))) == ["C-3"]
    assert [s.row and s.row["as_of"] for s in exchange.snapshots("credit", ["C-1", "C-3"])] == [
        "infinity",
        AT.isoformat(),
    ]
    erp.set_item("G", "product", "7", valid_from="-infinity", valid_to="infinity")
    erp.set_item("G", "product", "8", valid_from="10000-01-01")
    assert list(exchange.dated_groups(None, AT)) == []
    first, second = (item for item, _ in exchange.group_items("G", None, 10))
    assert (first.valid_from, first.valid_to, first.unreadable) == (*FOREVER[::-1], "")
    assert (second.valid_from, second.unreadable) == (None, "valid_from")


FOREVER = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


def test_moments_are_read_whatever_the_servers_settings_say(postgres_bench: SqlBench, connect: Connect) -> None:
    erp = postgres_bench.erp
    name = postgres_bench.exchange.engine.url.database
    erp.script(
        f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'",
        f"ALTER DATABASE {name} SET timezone = 'Europe/Warsaw'",
        "ALTER TABLE client_credit ALTER as_of TYPE timestamptz USING as_of AT TIME ZONE 'utc'",
        "INSERT INTO client_credit (client_id, as_of) VALUES ('C-1', '2026-03-02 13:00:00+01')",
        "INSERT INTO discount_group_items (group_id, item_type, item_id, valid_from) "
        "VALUES ('G', 'product', 7, '2026-03-02 12:00:00')",
    )
    exchange = connect(postgres_bench.url)
    (seen,) = exchange.snapshots("credit", ["C-1"])
    assert seen.row
    assert (seen.row["as_of"], exchange.newest_credit()) == (AT.isoformat(), AT)
    assert list(exchange.outdated_credit(AT, AT + timedelta(seconds=1))) == ["C-1"]
    assert [item.valid_from for item, _ in exchange.group_items("G", None, 1)] == [AT]


def test_a_page_of_items_is_in_order_however_the_server_joins(postgres_bench: SqlBench, connect: Connect) -> None:
    name = postgres_bench.exchange.engine.url.database
    postgres_bench.erp.script(
        *(f"ALTER DATABASE {name} SET enable_{way} = off" for way in ("nestloop", "mergejoin")),
        "INSERT INTO discount_group_items (group_id, item_type, item_id) "
        "SELECT 'G', 'product', n FROM generate_series(300, 1, -1) AS n",
    )
    sent = [SentPrice("product", str(number), "1.00", "PLN") for number in range(300, 0, -1)]
    postgres_bench.exchange.settle_prices("G", sent, [], [], run_id="r", at=AT)
    postgres_bench.erp.run("ANALYZE")
    page = connect(postgres_bench.url).group_items("G", None, 50)
    assert [item.item_id for item, _ in page] == [str(n) for n in range(1, 51)]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine's own clock be set to another zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_moment_without_a_zone_is_in_utc_wherever_the_machine_is(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO client_credit (client_id, as_of) VALUES ('C-1', '2026-03-02 12:00:00')")
    (seen,) = sql.exchange.snapshots("credit", ["C-1"])
    assert seen.row
    assert (seen.row["as_of"], sql.exchange.newest_credit()) == (AT.isoformat(), AT)


def test_a_table_of_items_of_the_erps_own_is_read_as_it_is(empty_url: str, connect: Connect) -> None:
    exchange = connect(empty_url)
    keys = ["7", "07", "7.5", "abc", "9" * 39, "Żółw", "a b"]
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE discount_group_items (group_id CHAR(9), item_type CHAR(20), item_id VARCHAR(40), price TEXT)"
        )
        for key in (*keys, ""):
            values = f"('G', 'product', '{key}', '12,50')"
            connection.exec_driver_sql(f"INSERT INTO discount_group_items VALUES {values}")
        connection.exec_driver_sql("INSERT INTO discount_group_items VALUES ('G', NULL, '1', ''), ('G', 'x', NULL, '')")
    schema.create(exchange.engine)
    sent = [SentPrice("product", key, "1.00", "PLN") for key in ("7", "77")]
    exchange.settle_prices("G", sent, [], [], run_id="r", at=AT)
    for size in (1, 2, 10):
        found, after = [], None
        while page := exchange.group_items("G", after, size):
            found += page
            after = page[-1][0].key
        assert sorted(item.item_id for item, _ in found) == sorted(keys)
        assert {item.price for item, _ in found} == {"12,50"}
        assert [price for _, price in found if price] == sent[:1]
    assert list(exchange.prices_without_item("G", 10)) == sent[1:]
    assert list(exchange.group_ids()) == ["G"]


def test_ids_of_any_kind_are_read_each_once(sqlite_bench: SqlBench) -> None:
    ids = (
        "7",
        "7.25",
        "1e300",
        "123456789012345678901234567890",
        "0.1 + 0.2",
        "x'00ff'",
        "x'4142'",
        "CAST(x'f3' AS TEXT)",
        "'a' || char(0) || 'b'",
        "'Żółw'",
        "'x'",
        "'1e5'",
        "-3",
    )
    for text in ids:
        sqlite_bench.erp.run(
            f"INSERT INTO discount_group_items (group_id, item_type, item_id) VALUES ('G', x'70', {text})"
        )
    for size in (1, 2, 3, 100):
        found: list[str] = []
        after = None
        while (page := sqlite_bench.exchange.group_items("G", after, size)) and len(found) < 100:
            found += [item.item_id for item, _ in page]
            after = page[-1][0].key
        assert len(found) == len(ids), found


def test_figures_of_any_kind_are_read_as_text(sqlite_bench: SqlBench) -> None:
    for number, stored in enumerate(("1000", "1000.5", "'1000.50'", "12345678901234567890", "1e39", "9e999", "x'41'")):
        sqlite_bench.erp.run(f"INSERT INTO client_credit (client_id, balance) VALUES ('C-{number}', {stored})")
    seen = sqlite_bench.exchange.snapshots("credit", [f"C-{number}" for number in range(7)])
    balances = [s.row["balance"] for s in seen if s.row]
    assert balances[:3] == ["1000", "1000.5", "1000.5"]
    assert [type(balance) for balance in balances] == [str] * 7
    assert Decimal(str(balances[3])) == Decimal("1.23456789012346e19")
    assert balances[6] == "A"
