"""What only SQL can show of the exchange database: late commits, statements, plans, errors, addresses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import SqlExchange
from kartoteka.adapters.sql.dialect import DIALECTS, parse_url
from kartoteka.adapters.sql.dialect.base import Dialect
from kartoteka.adapters.sql.tables import ERP
from kartoteka.codes import IN_STEP
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.fields.table import BILLING
from kartoteka.model import Candidate, Change, Edit, Link, Owner, Record, RecordState, RowWrite
from kartoteka.ports.exchange import IncomingClient, Saved
from kartoteka.ports.panel import Days, Window
from local.postgres import PostgresServer
from tests.fixtures.exchange import Connect, SqlBench
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    DEFERRED,
    FAR,
    about,
    change,
    clients,
    edit,
    groups,
    item,
    load,
    price,
    save,
    store_prices,
    written,
)


def created(number: int) -> Change:
    """A client whose account was just opened: a link, a base, a row of history for each field."""
    key = f"C-{number}"
    return change(
        key,
        status=IN_STEP,
        base=dict.fromkeys(BILLING, "Żółta 1"),
        link=Link(key, str(number), f"b2b-{number}", "created"),
        written=tuple(written(field, None, "Żółta 1") for field in BILLING),
    )


def warm(sql: SqlBench) -> None:
    """Let the adapter connect, look at the columns, and own the database."""
    sql.exchange.ownership.hold()


def costs(seen: list[str]) -> int:
    """Count the statements but for those that frame them."""
    return len([s for s in seen if s != "BEGIN" and not s.startswith("BEGIN ") and "SAVEPOINT" not in s])


# --- late commits


@pytest.mark.fault(40)
def test_an_entry_that_becomes_visible_late_is_given_when_asked_for_again(server_bench: SqlBench) -> None:
    log = server_bench.exchange.log
    slow, quick = server_bench.erp.transaction(), server_bench.erp.transaction()
    slow.insert_client("C-slow")
    quick.insert_client("C-quick")
    quick.commit()
    (seen,) = log.read(0, [], 10)
    assert (seen.seq, seen.client_id) == (2, "C-quick")
    assert list(log.read(2, [(1, 1)], 10)) == []
    slow.commit()
    assert list(log.read(2, [], 10)) == [], "the tail alone would have lost it"
    (late,) = log.read(2, [(1, 1)], 10)
    assert (late.seq, late.client_id) == (1, "C-slow")


def test_all_statements_of_a_load_see_one_moment(sql: SqlBench) -> None:
    sql.erp.insert_client("C-1", street="A")
    save(sql, change(base={"street": "A"}))

    def interfere(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM sync_base" in statement:
            sql.erp.run("DELETE FROM sync_base")

    engine = sql.exchange.database.engine
    sa.event.listen(engine, "before_cursor_execute", interfere)
    assert load(sql).state.base is not None
    sa.event.remove(engine, "before_cursor_execute", interfere)
    assert load(sql).state.base is None


def test_nobody_changes_a_state_between_its_reading_and_its_writing(server_bench: SqlBench) -> None:
    save(server_bench, change(base={"street": "A"}, status=IN_STEP))
    record, tried = load(server_bench), []

    def interfere(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM sync_status" in statement:
            with pytest.raises(sa.exc.OperationalError, match=r"(?i)could not obtain lock|lock wait timeout"):
                server_bench.erp.run("SELECT * FROM sync_base FOR UPDATE NOWAIT")
            tried.append(statement)

    engine = server_bench.exchange.database.engine
    sa.event.listen(engine, "before_cursor_execute", interfere)
    again = change(record, base={"street": "B"})
    assert server_bench.exchange.records.save([again], run_id="r", at=AT, unless_changed=True) == Saved()
    sa.event.remove(engine, "before_cursor_execute", interfere)
    assert len(tried) == 1
    assert load(server_bench).state.base == again.after.base


# --- statements


def test_a_hundred_created_clients_cost_a_few_statements(sql: SqlBench) -> None:
    warm(sql)
    with sql.statements() as seen:
        save(sql, *map(created, range(100)))
    assert costs(seen) == 7, seen  # two of them: whether a client, or an account, was erased
    assert len(sql.erp.history) == 100 * len(BILLING)


def test_a_hundred_edited_rows_cost_a_few_statements(sql: SqlBench) -> None:
    for number in range(100):
        sql.erp.insert_client(f"C-{number}", street="A")
    warm(sql)
    with sql.statements() as seen:
        assert save(sql, *(edit(f"C-{number}", street=("A", "B")) for number in range(100))) == Saved()
    assert costs(seen) == 6, seen


def test_a_hundred_clients_addresses_written_into_the_erp_cost_a_few_statements(sql: SqlBench) -> None:
    for number in range(100):
        sql.erp.insert_address(f"edit-{number}", f"C-{number}", street="A")
        sql.erp.insert_address(f"drop-{number}", f"C-{number}", street="A")
    warm(sql)
    row = {"street": "A", "country_code": "PL"}
    known = RecordState(base=None, panel_id="7", status=IN_STEP)
    what: dict[str, Callable[[str, str], Change]] = {
        "edit": lambda key, owner: item(key, owner, base={}, row=RowWrite(edits={"street": Edit("A", "B")})),
        "new": lambda key, owner: item(key, owner, base={}, row=RowWrite(insert=row)),
        "drop": lambda key, owner: Change(
            Record(item(key, owner).record.key, state=known), RecordState(), row=RowWrite(delete=row)
        ),
    }
    changes = [what[name](f"{name}-{n}", f"C-{n}") for n in range(100) for name in what]
    with sql.statements() as seen:
        assert save(sql, *changes) == Saved()
    assert costs(seen) == 9, seen
    (count,) = sql.erp.run(f"SELECT count(*) AS number, count(DISTINCT client_id) AS clients FROM {ADDRESSES}")
    assert count == {"number": 200, "clients": 100}


def test_candidates_of_a_hundred_clients_cost_two_statements_more(sql: SqlBench) -> None:
    warm(sql)
    keys = [f"C-{number}" for number in range(100)]
    twenty = tuple(Candidate("", str(number), "nip") for number in range(20))
    counts = []
    for some in (None, twenty):
        with sql.statements() as seen:
            save(sql, *(change(key, "accounts", status=IN_STEP, candidates=some) for key in keys))
        counts.append(len(seen))
    assert counts[1] - counts[0] == 2
    assert sql.erp.run("SELECT count(*) AS n FROM sync_matches") == [{"n": 2000}]


LOADS = {"billing": 7, "accounts": 8, "shops": 8, ADDRESSES: 9, "discounts": 7, "credit": 8}
"""Two of them ask who was erased, and who is excluded."""


@pytest.mark.parametrize("count", [1, 100, 1000])
@pytest.mark.parametrize(("concern", "cost"), LOADS.items(), ids=LOADS)
def test_a_load_costs_the_same_at_any_number_of_owners(sql: SqlBench, concern: str, cost: int, count: int) -> None:
    for number in range(3):
        sql.erp.insert_address(f"A-{number}", f"C-{number}")
    warm(sql)
    keys = [f"C-{number}" for number in range(count)]
    looks_for_blobs = concern == "accounts" and sql.exchange.database.dialect.name == "sqlite"
    cost += int(looks_for_blobs)
    with sql.statements() as seen:
        sql.exchange.records.load(concern, clients(*keys))
    assert costs(seen) == cost, seen
    with sql.statements() as seen:
        sql.exchange.records.load(concern, clients(*keys) + groups(*keys))
    assert costs(seen) == cost + (3 if concern == "discounts" else 2), seen


RULES = ("nip", "email", "phone")
READS: dict[str, tuple[Callable[[SqlExchange, list[str]], object], int]] = {
    "mark": (lambda exchange, keys: exchange.log.mark(1), 1),
    "log": (lambda exchange, keys: exchange.log.read(0, [(1, 2)], len(keys)), 2),
    "states": (lambda exchange, keys: exchange.records.states(["billing", "accounts"], clients(*keys)), 2),
    "states of groups": (lambda exchange, keys: exchange.records.states(["discounts"], groups(*keys)), 2),
    "client_ids": (lambda exchange, keys: exchange.records.client_ids("", len(keys)), 1),
    "existing": (lambda exchange, keys: exchange.records.existing(keys), 1),
    "linked": (lambda exchange, keys: exchange.records.linked("", len(keys)), 1),
    "count_linked": (lambda exchange, keys: exchange.records.count_linked(), 1),
    "having": (lambda exchange, keys: exchange.records.having(ADDRESSES, keys), 1),
    "counted": (lambda exchange, keys: exchange.records.counted("billing", AT), 1),
    "due": (lambda exchange, keys: exchange.records.due("discounts", AT, len(keys)), 1),
    "known": (lambda exchange, keys: exchange.index.known(keys), 1),
    "find": (lambda exchange, keys: exchange.index.find(keys, [(rule, key) for rule in RULES for key in keys]), 4),
    "crowded": (lambda exchange, keys: exchange.index.crowded([(rule, key) for rule in RULES for key in keys], 5), 3),
    "owners": (lambda exchange, keys: exchange.index.owners(keys), 1),
    "hints": (lambda exchange, keys: exchange.index.hints(), 1),
    "candidates": (lambda exchange, keys: exchange.index.candidates(keys), 1),
    "contenders": (lambda exchange, keys: exchange.index.contenders(keys), 1),
    "answers": (lambda exchange, keys: exchange.index.answers(keys), 1),
    "strangers": (lambda exchange, keys: exchange.index.strangers("", len(keys)), 1),
    "latest": (lambda exchange, keys: exchange.index.latest(len(keys)), 1),
    "former": (lambda exchange, keys: exchange.records.former("billing", [Owner(key) for key in keys]), 1),
    "count_seen": (lambda exchange, keys: exchange.index.count_seen(Window(AT, AT), AT), 2),
    "group_ids": (lambda exchange, keys: exchange.prices.group_ids(), 1),
    "numbers": (lambda exchange, keys: exchange.prices.numbers(), 1),
    "members": (lambda exchange, keys: exchange.prices.members(keys), 1),
    "first items": (lambda exchange, keys: exchange.prices.items("G", None, len(keys)), 1),
    "more items": (lambda exchange, keys: exchange.prices.items("G", ("product", "7"), len(keys)), 1),
    "without_item": (lambda exchange, keys: exchange.prices.without_item("G", len(keys)), 1),
    "statuses": (lambda exchange, keys: exchange.prices.statuses("G"), 1),
    "dated": (lambda exchange, keys: exchange.prices.dated(AT, AT), 1),
    "outdated": (lambda exchange, keys: exchange.figures.outdated(AT, AT), 1),
    "newest": (lambda exchange, keys: exchange.figures.newest(FAR), 1),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("count", [1, 1000])
def test_a_question_costs_the_same_at_any_number_of_keys(sql: SqlBench, name: str, count: int) -> None:
    ask, cost = READS[name]
    warm(sql)
    with sql.statements() as seen:
        ask(sql.exchange, [str(number) for number in range(count)])
    assert costs(seen) == cost, seen


def test_a_thousand_newcomers_cost_one_statement_and_two_questions(sql: SqlBench) -> None:
    newcomers = [IncomingClient(str(number), {"email": "a@b.pl"}) for number in range(1000)]
    warm(sql)
    for action, cost in (
        (lambda: sql.exchange.index.list_incoming(newcomers, at=AT), 3),  # whose the database is, who was erased
        (lambda: sql.exchange.index.unlist_incoming([newcomer.panel_client_id for newcomer in newcomers]), 2),
    ):
        with sql.statements() as seen:
            action()
        assert costs(seen) == cost, seen


def test_a_thousand_deferred_records_are_postponed_by_one_statement_and_a_question(sql: SqlBench) -> None:
    keys = [f"C-{number}" for number in range(1000)]
    save(sql, *(change(key, deferral=DEFERRED) for key in keys))
    with sql.statements() as seen:
        sql.exchange.records.postpone("billing", clients(*keys), datetime(2027, 1, 1, tzinfo=UTC))
    assert costs(seen) == 2, seen  # one of them: whose the database is
    assert list(sql.exchange.records.due("billing", datetime(2026, 12, 31, 23, 59, tzinfo=UTC), 1)) == []
    assert len(sql.exchange.records.due("billing", datetime(2027, 1, 1, tzinfo=UTC), 2000)) == 1000


def test_a_thousand_prices_cost_a_few_statements(sql: SqlBench) -> None:
    sent = [price(str(number)) for number in range(1000)]
    keys = [("producer", str(number)) for number in range(1000)]
    told = [about("G", f"product/{number}", status=IN_STEP) for number in range(1000)]
    warm(sql)
    with sql.statements() as seen:
        store_prices(sql, *sent, removed=keys, changes=told)
    assert costs(seen) == 4, seen  # one of them: whose the database is, which a save of clients asks with another
    assert len(sql.exchange.prices.statuses("G")) == 1000
    for keys_or_all in (keys, None):
        with sql.statements() as seen:
            sql.exchange.prices.doubt("G", keys_or_all)
        assert costs(seen) == 2, seen
    with sql.statements() as seen:
        store_prices(sql)
        sql.exchange.prices.doubt("G", [])
    assert seen == []


def test_clients_are_read_a_thousand_at_a_time_for_hints(sql: SqlBench) -> None:
    with sql.erp.engine.begin() as connection:
        rows = [{"id": f"C-{number:04}", "email": f"{number}@x.pl"} for number in range(2500)]
        connection.execute(ERP.clients.insert(), rows)
    pages = []

    def note(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: Any) -> None:
        pages.append(context.execution_options.get("yield_per"))

    warm(sql)
    sa.event.listen(sql.exchange.database.engine, "before_cursor_execute", note)
    found = sql.exchange.index.hints()
    sa.event.remove(sql.exchange.database.engine, "before_cursor_execute", note)
    assert [hint.client_id for hint in found] == [f"C-{number:04}" for number in range(2500)]
    assert [page for page in pages if page] == [1000]


# --- plans

INDEXED: dict[str, tuple[str, Callable[[SqlExchange], object]]] = {
    "load": ("(client_id=? AND group_id=? AND concern=? AND item_id=?)", lambda e: load_one(e, "billing")),
    "load items": ("(client_id=? AND group_id=? AND concern=?)", lambda e: load_one(e, ADDRESSES)),
    "due": ("ix_sync_base_due (concern=? AND due_at>?", lambda e: e.records.due("billing", AT, 10)),
    "deferred": ("ix_sync_base_due (concern=? AND due_at>?", lambda e: e.records.due("billing", None, 10)),
    "counted": ("ix_sync_history_counts", lambda e: e.records.counted("billing", AT)),
    "codes": ("ix_sync_panel_accounts_code_key", lambda e: e.index.find(["C-1"], [])),
    "tax numbers": ("ix_sync_panel_accounts_tax_number", lambda e: e.index.find([], [("nip", "1")])),
    "mails": ("ix_sync_panel_accounts_mail", lambda e: e.index.find([], [("email", "a@b.pl")])),
    "telephones": ("ix_sync_panel_accounts_telephone", lambda e: e.index.find([], [("phone", "+48501502503")])),
    "crowded numbers": ("ix_sync_panel_accounts_tax_number", lambda e: e.index.crowded([("nip", "PL1")], 5)),
    "crowded mails": ("ix_sync_panel_accounts_mail", lambda e: e.index.crowded([("email", "a@b.pl")], 5)),
    "crowded telephones": ("ix_sync_panel_accounts_telephone", lambda e: e.index.crowded([("phone", "+4850")], 5)),
    "modified": ("ix_sync_panel_accounts_modified_at", lambda e: e.index.count_seen(Window(AT, AT), AT)),
    "registered": (
        "ix_sync_panel_accounts_registered",
        lambda e: e.index.count_seen(Days(AT.date(), AT.date()), None),
    ),
    "contenders": ("ix_sync_matches_panel_client", lambda e: e.index.contenders(["77"])),
    "answers": ("ix_incoming_clients_client_id", lambda e: e.index.answers(["C-1"])),
    "having": ("ix_delivery_addresses_client_id", lambda e: e.records.having(ADDRESSES, ["C-1"])),
    "owners": ("ux_sync_links_panel_client", lambda e: e.index.owners(["77"])),
    "strangers": ("ux_sync_links_panel_client", lambda e: e.index.strangers("", 100)),
    "members": ("ix_clients_discount_group_id", lambda e: e.prices.members(["G"])),
    "items": ("discount_group_items USING INDEX", lambda e: e.prices.items("G", ("product", "7"), 10)),
    "sent": ("sync_prices USING INDEX", lambda e: e.prices.items("G", None, 10)),
    "statuses": ("(client_id=? AND group_id=?)", lambda e: e.prices.statuses("G")),
}


def load_one(exchange: SqlExchange, concern: str) -> object:
    return exchange.records.load(concern, [Owner("C-1")])


def plans(sql: SqlBench, ask: Callable[[SqlExchange], object]) -> list[str]:
    """Return how SQLite goes about the statements of a question."""
    found: list[str] = []
    warm(sql)

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.driver_connection
            found.extend(str(row[-1]) for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    sa.event.listen(sql.exchange.database.engine, "before_cursor_execute", explain)
    ask(sql.exchange)
    sa.event.remove(sql.exchange.database.engine, "before_cursor_execute", explain)
    return found


@pytest.mark.parametrize("name", INDEXED)
def test_a_question_goes_by_its_index(sqlite_bench: SqlBench, name: str) -> None:
    index, ask = INDEXED[name]
    found = plans(sqlite_bench, ask)
    assert any(index in plan for plan in found), found
    few = "SCAN sync_forgotten"  # those who were erased
    assert not any(plan.startswith("SCAN sync_") and plan != few for plan in found), found


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("ix_client_credit_as_of", lambda exchange: exchange.figures.outdated(AT, AT)),
        ("ix_client_credit_as_of", lambda exchange: exchange.figures.newest(FAR)),
        ("ix_discount_group_items_valid_from", lambda exchange: exchange.prices.dated(AT, AT)),
        ("ix_discount_group_items_valid_to", lambda exchange: exchange.prices.dated(None, AT)),
        ("ROW((item_type)::text, item_id) >", lambda exchange: exchange.prices.items("G", ("product", "7"), 10)),
        ("sync_prices_pkey", lambda exchange: exchange.prices.without_item("G", 10)),
        ("sync_base_pkey", lambda exchange: load_one(exchange, "billing")),
        ("sync_status_pkey", lambda exchange: exchange.prices.statuses("G")),
        ("ix_sync_base_due", lambda exchange: exchange.records.due("billing", None, 10)),
    ],
)
def test_a_question_goes_by_its_index_on_postgresql(
    postgres_bench: SqlBench, index: str, ask: Callable[[SqlExchange], object]
) -> None:
    found: list[str] = []
    warm(postgres_bench)

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            with connection.connection.driver_connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {statement}", parameters)
                found.extend(row[0] for row in cursor.fetchall() if "Filter" not in row[0])

    engine = postgres_bench.exchange.database.engine
    sa.event.listen(engine, "before_cursor_execute", explain)
    ask(postgres_bench.exchange)
    sa.event.remove(engine, "before_cursor_execute", explain)
    assert any(index in line for line in found), found


def test_strangers_are_read_page_by_page_without_sorting_them_all(sqlite_bench: SqlBench) -> None:
    found = plans(sqlite_bench, lambda exchange: exchange.index.strangers("7", 100))
    assert "(panel_client_id>?)" in found[0]
    assert not any("TEMP B-TREE" in plan for plan in found)


# --- errors


def test_a_table_that_goes_missing_later_says_what_to_run(sql: SqlBench) -> None:
    warm(sql)
    sql.erp.run("DROP TABLE sync_base")
    for action in (lambda: sql.exchange.records.due("billing", None, 1), lambda: save(sql, created(1))):
        with pytest.raises(Halt, match=r"no_schema: .*kartoteka schema create"):
            action()
    assert sql.erp.history == []


def test_a_server_that_is_too_old_says_which_version_is_needed(sql: SqlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    for dialect in DIALECTS.values():
        monkeypatch.setattr(type(dialect), "oldest", (999, 1))
    for action in (lambda: sql.exchange.records.due("billing", None, 1), lambda: save(sql, created(1))):
        with pytest.raises(Halt, match=r"old_database: .* Kartoteka needs 999.1 or newer"):
            action()


def raised(action: Callable[[], object]) -> KartotekaError:
    with pytest.raises(KartotekaError) as caught:
        action()
    return caught.value


def question(exchange: SqlExchange) -> Callable[[], object]:
    return exchange.records.count_linked


def test_a_database_that_does_not_answer_is_tried_again(tmp_path: Path, connect: Connect) -> None:
    error = raised(question(connect(f"postgresql://erp:geheim@/x?host={tmp_path}")))
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
    error = raised(question(connect(postgres_server.url(database, user, password))))
    assert isinstance(error, Halt)
    assert error.code == "database_access"
    assert "wrong" not in str(error)


def test_missing_rights_wait_for_a_person(
    postgres_bench: SqlBench, postgres_server: PostgresServer, connect: Connect
) -> None:
    postgres_server.execute("DROP ROLE IF EXISTS visitor")
    postgres_server.execute("CREATE ROLE visitor LOGIN PASSWORD 'x'")
    url = parse_url(postgres_bench.url).set(username="visitor", password="x")
    error = raised(question(connect(url.render_as_string(hide_password=False))))
    assert (type(error), "42501" in str(error)) == (Halt, True)


@pytest.mark.fault(94)
def test_a_full_sqlite_file_is_told_as_full(sqlite_bench: SqlBench, connect: Connect) -> None:
    exchange = connect(sqlite_bench.url)

    def fill() -> None:
        with exchange.database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.exec_driver_sql("CREATE TABLE filler (x TEXT)")
            connection.exec_driver_sql("INSERT INTO filler VALUES (hex(zeroblob(10000000)))")

    error = raised(fill)
    assert (type(error), error.code) == (Halt, "database_full")  # type: ignore[attr-defined]
    assert "make room" in str(error)


def test_a_file_that_may_not_be_written_is_told_as_such(sqlite_bench: SqlBench, connect: Connect) -> None:
    exchange = connect(f"{sqlite_bench.url}?mode=ro&uri=true".replace("sqlite:///", "sqlite:///file:"))
    error = raised(lambda: exchange.pauses.pause("billing", "x", at=AT))
    assert (type(error), error.code) == (Halt, "database_read_only")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$", "database_full"),
        ("DO $$ BEGIN RAISE EXCEPTION 'out of memory' USING ERRCODE = '53200'; END $$", "database.memory"),
        ("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)", "database.slow"),
        ("SET TRANSACTION READ ONLY; CREATE TABLE x (y int)", "database_read_only"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "database.starting"),
    ],
)
def test_postgresql_says_what_stands_in_its_way(
    postgres_bench: SqlBench, connect: Connect, statement: str, code: str
) -> None:
    exchange = connect(postgres_bench.url)

    def run() -> None:
        with exchange.database.writing() as connection:
            for each in [statement] if "$$" in statement else statement.split(";"):
                connection.exec_driver_sql(each)

    error = raised(run)
    assert error.code == code  # type: ignore[attr-defined]


def test_a_folder_that_is_not_there_waits_for_a_person(tmp_path: Path, connect: Connect) -> None:
    error = raised(question(connect(f"sqlite:///{tmp_path}/no/such/folder.db")))
    assert (type(error), "SQLITE_CANTOPEN" in str(error)) == (Halt, True)


def test_a_file_that_is_no_database_waits_for_a_person(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "letter.db").write_text("Dear customer, " * 100)
    assert isinstance(raised(question(connect(f"sqlite:///{tmp_path}/letter.db"))), Halt)


def test_a_database_that_somebody_else_writes_is_tried_again(
    sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(Dialect, "lock_seconds", 0.01)
    exchange = connect(sqlite_bench.url)
    other = sqlite3.connect(sqlite_bench.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert exchange.records.count_linked() == 0, "reading goes on"
    assert isinstance(raised(lambda: exchange.records.save([created(1)], run_id="r", at=AT)), Retry)
    other.close()
    assert exchange.records.save([created(1)], run_id="r", at=AT) == Saved()


def test_a_row_that_somebody_else_holds_is_tried_again(
    server_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(Dialect, "lock_seconds", 0.05)
    server_bench.erp.insert_client("C-1", street="A")
    exchange = connect(server_bench.url)
    other = server_bench.erp.transaction()
    other.update_client("C-1", city="X")
    change = edit("C-1", street=("A", "B"))
    assert isinstance(raised(lambda: exchange.records.save([change], run_id="r", at=AT)), Retry)
    other.commit()
    assert exchange.records.save([change], run_id="r", at=AT) == Saved()


def test_a_connection_that_the_server_closed_is_opened_again(server_bench: SqlBench) -> None:
    warm(server_bench)
    if server_bench.erp.engine.dialect.name == "postgresql":
        others = "pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        server_bench.erp.run(f"SELECT pg_terminate_backend(pid) FROM {others}")
    else:
        others = "information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()"
        for row in server_bench.erp.run(f"SELECT id FROM {others}"):
            server_bench.erp.run(f"KILL {row['id']}")
    assert server_bench.exchange.records.count_linked() == 0


def test_threads_of_one_process_take_turns_to_write(
    sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(Dialect, "lock_seconds", 0.001)  # whoever finds the file locked gives up
    records = connect(sqlite_bench.url).records
    with ThreadPoolExecutor(4) as pool:
        parts = [[created(number) for number in range(part, 800, 16)] for part in range(16)]
        saved = list(pool.map(lambda changes: records.save(changes, run_id="r", at=AT), parts))
    assert saved == [Saved()] * 16
    assert records.count_linked() == 800


# --- addresses


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg2"),
        ("mysql://u:p@h/d", "mysql+pymysql"),
        ("mariadb://u:p@h/d", "mysql+pymysql"),
        ("mariadb+pymysql://u:p@h/d", "mysql+pymysql"),
        ("mssql://u:p@h/d", "mssql+pytds"),
        ("sqlite:///a.db", "sqlite"),
    ],
)
def test_a_bare_address_means_its_usual_driver(given: str, meant: str) -> None:
    assert parse_url(given).drivername == meant


@pytest.mark.parametrize("address", ["", "geheim", "oracle://u:geheim@h/d", "postgresql+nodriver://u:geheim@h/d"])
def test_a_wrong_address_is_told_without_its_password(address: str, connect: Connect) -> None:
    error = raised(lambda: connect(address))
    assert isinstance(error, Halt)
    assert "geheim" not in str(error)


def test_an_engine_that_is_not_there_yet_is_named_with_those_that_are(connect: Connect) -> None:
    supported = r"\(supported: mariadb, mssql, mysql, postgresql, sqlite\)"
    with pytest.raises(Halt, match=rf"database_url: oracle is not supported yet {supported}"):
        connect("oracle://u:p@h/d")


def test_the_password_is_not_shown(postgres_server: PostgresServer, connect: Connect) -> None:
    shown = repr(connect(postgres_server.url("x", "erp", "geheim")))
    assert shown.startswith("SqlExchange(Database(postgresql+psycopg://erp:***@")
    assert "geheim" not in shown
