"""What is MariaDB's and MySQL's alone: statements, collations, sessions, locks, rights, and what they do not tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.adapters.sql.dialect.base import Refused
from kartoteka.adapters.sql.dialect.mysql import Mysql
from kartoteka.adapters.sql.tables import ERP, all_tables, sync_links
from kartoteka.codes import IN_STEP
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.model import Change, Link, Record, RecordState
from kartoteka.ports.exchange import Saved, Unlogged
from tests.fixtures.exchange import Connect, SqlBench, waits_for_a_lock
from tests.fixtures.mariadb import Databases
from tests.fixtures.records import AT, change, clients, edit, load, row_of, save
from tests.functional.test_erp_triggers import SqlWorld, carry
from tests.world import CLIENT, World

pytestmark = pytest.mark.parametrize("sql", ["mariadb"], indirect=True)


# --- what is logged, and what is not


def test_replace_is_a_deletion_and_an_insertion(sql: SqlBench) -> None:
    for city in ("Radom", "Gdynia"):
        sql.erp.run("REPLACE INTO clients (id, city) VALUES ('C-1', :c)", c=city)
    assert [(row[1], row[4]) for row in sql.erp.log()] == [("C-1", "I"), ("C-1", "D"), ("C-1", "I")]


def test_replace_that_takes_a_row_from_another_owner_tells_both(sql: SqlBench) -> None:
    for owner in ("C-1", "C-2"):
        sql.erp.run("REPLACE INTO delivery_addresses (id, client_id) VALUES ('A', :c)", c=owner)
    assert [(row[1], row[3], row[4]) for row in sql.erp.log()] == [
        ("C-1", "A", "I"),
        ("C-1", "A", "D"),
        ("C-2", "A", "I"),
    ]


def test_insert_on_duplicate_key_is_logged_as_what_it_did_row_by_row(sql: SqlBench) -> None:
    sql.erp.insert_client("C-2")
    sql.erp.run(
        "INSERT INTO clients (id, city) VALUES ('C-1', 'X'), ('C-2', 'X'), ('C-3', 'X') "
        "ON DUPLICATE KEY UPDATE city = VALUES(city)"
    )
    assert sorted((row[1], row[4]) for row in sql.erp.log()[1:]) == [("C-1", "I"), ("C-2", "U"), ("C-3", "I")]


def test_insert_ignore_and_update_of_many_rows_are_logged_row_by_row(sql: SqlBench) -> None:
    sql.erp.insert_client("C-1")
    sql.erp.run("INSERT IGNORE INTO clients (id) VALUES ('C-1'), ('C-2')")
    sql.erp.run("UPDATE clients SET city = 'Y'")
    assert sorted((row[1], row[4]) for row in sql.erp.log()[1:]) == [("C-1", "U"), ("C-2", "I"), ("C-2", "U")]


@pytest.fixture
def world(sql: SqlBench) -> World:
    """An installation over the real adapter with two linked customers, C-1 and C-2, with an address each."""
    world = SqlWorld(sql)
    for number, nip in (("1", "5250001233"), ("2", "7792369887")):
        sql.erp.insert_client(f"C-{number}", **{**CLIENT, "email": f"biuro{number}@firma.pl", "nip": nip})
        sql.erp.set_shops(f"C-{number}", 1)
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    return world


def collected(world: World) -> None:
    for concern in ("accounts", "billing", "shops"):
        world.collect(concern)
    world.drain()


def state_of(sql: SqlBench, client_id: str) -> list[tuple[str, str]]:
    found = "SELECT state, code FROM sync_status WHERE client_id = :c AND concern = 'accounts'"
    return [(row["state"], row["code"]) for row in sql.erp.run(found, c=client_id)]


@pytest.mark.parametrize("how", ["truncate", "cascade"])
def test_what_no_trigger_tells_the_daily_scan_finds(world: World, sql: SqlBench, how: str) -> None:
    before = len(sql.erp.log())
    if how == "truncate":
        sql.erp.run("TRUNCATE TABLE clients")
    else:
        sql.erp.script(
            "CREATE TABLE branches (id INT PRIMARY KEY)",
            "INSERT INTO branches VALUES (1)",
            "ALTER TABLE clients ADD COLUMN branch INT DEFAULT 1 REFERENCES branches (id) ON DELETE CASCADE",
            "DELETE FROM branches",
        )
    assert sql.erp.run("SELECT id FROM clients") == []
    assert len(sql.erp.log()) == before, "the engine runs no trigger for it"
    collected(world)
    assert state_of(sql, "C-1") == [("in_step", "")]
    for _ in range(2):
        world.pass_time(hours=25)
        collected(world)
    assert [state_of(sql, key) for key in ("C-1", "C-2")] == [[("excluded", "deleted")]] * 2


def test_the_erps_trigger_on_another_table_travels(world: World, sql: SqlBench) -> None:
    sql.erp.set_credit("C-1", credit_allowed=True, credit_limit="5000.00", balance="0.00", currency="PLN")
    sql.erp.script(
        "CREATE TRIGGER erp_rule AFTER UPDATE ON clients FOR EACH ROW "
        "UPDATE client_credit SET credit_limit = 0 WHERE client_id = NEW.id"
    )
    (account,) = [a.panel_client_id for a in world.panel.accounts.values() if a.external_code == "C-1"]
    world.panel.edit(account, street="Krótka 7")
    carry(world)
    assert world.panel.accounts[account].values["credit_limit"] == "0.00"


# --- letters, blanks, case


ALIKE = [
    "ab",
    "AB",
    "Ab",
    "ab ",
    " ab",
    "áb",
    "ąb",
    "a b",
    "ß",
    "ss",
    "ł",
    "l",
    "Ł",
    "💶",
    "💷",
    "é",
    "e\u0301",
    "",
    " ",
]
"""Keys that one or another collation of MySQL's takes for one."""


def test_keys_that_a_collation_takes_for_one_are_many(sql: SqlBench) -> None:
    for key in ALIKE:
        sql.erp.insert_client(key, street=f"of {key}")
    assert sql.exchange.records.existing(ALIKE) == set(ALIKE)
    for key in ALIKE:
        assert sql.exchange.records.existing([key]) == {key}
    save(sql, *(change(key, base={"street": key}, status=IN_STEP) for key in ALIKE if key))
    found = sql.exchange.records.load("billing", clients(*ALIKE[:-2]))
    assert [(r.erp or {})["street"] for r in found] == [f"of {key}" for key in ALIKE[:-2]]
    assert [r.state.base and r.state.base.erp["street"] for r in found] == ALIKE[:-2]


@pytest.mark.parametrize("collation", ["utf8mb4_polish_ci", "utf8mb4_unicode_ci", "latin2_bin", "utf8mb3_bin"])
def test_a_key_that_is_not_compared_to_the_letter_halts_with_what_mends_it(
    sql: SqlBench, connect: Connect, collation: str
) -> None:
    letters, _, _ = collation.partition("_")
    sql.erp.run(f"ALTER TABLE clients CONVERT TO CHARACTER SET {letters} COLLATE {collation}")
    exchange = connect(sql.url)
    for ask in (
        exchange.records.count_linked,
        lambda: exchange.records.save([change(base={"a": "b"})], run_id="r", at=AT),
    ):
        with pytest.raises(Halt, match=rf"collation: clients\.\w+ is compared in {collation}") as caught:
            ask()
    sql.erp.run(str(caught.value).rpartition(": ")[2])
    assert connect(sql.url).records.count_linked() == 0


def test_a_collation_that_pads_will_do(sql: SqlBench, connect: Connect) -> None:
    sql.erp.run("ALTER TABLE clients CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    sql.erp.insert_client("C-1 ")
    assert connect(sql.url).records.client_ids("", 10) == ["C-1 "]


def test_a_value_that_differs_only_for_a_collation_of_the_erps_own_is_an_edit(sql: SqlBench) -> None:
    sql.erp.script("ALTER TABLE clients MODIFY street VARCHAR(200) CHARACTER SET latin2 COLLATE latin2_general_ci")
    for now in ("LODZ", "Łódź", "łódź "):
        sql.erp.run("REPLACE INTO clients (id, street) VALUES ('C-1', :s)", s=now)
        assert save(sql, edit("C-1", street=("łódź", "B"))).again, now
    sql.erp.run("REPLACE INTO clients (id, street) VALUES ('C-1', 'łódź')")
    assert save(sql, edit("C-1", street=("łódź", "B"))) == Saved()


def test_a_letter_that_a_column_of_the_erps_own_cannot_hold_refuses_that_field(sql: SqlBench) -> None:
    assert sql.exchange.database.dialect.encoding(sql.exchange.database.engine.connect()) == ""
    sql.erp.script("ALTER TABLE clients MODIFY street VARCHAR(200) CHARACTER SET latin2")
    for key in ("C-1", "C-2"):
        sql.erp.insert_client(key, street="A", city="A")
    answer = save(sql, edit("C-1", street=("A", "💶"), city=("A", "B")), edit("C-2", street=("A", "Łódź")))
    assert (answer.refused.keys(), *answer.columns.values()) == ({change("C-1").record.key}, {"street": ANY})
    assert row_of(load(sql, "C-2"))["street"] == "Łódź"
    with sql.exchange.database.reading() as connection:
        assert sql.exchange.database.dialect.encoding(connection) == "latin2 in clients"


class _Any:
    def __eq__(self, _other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ANY = _Any()


def test_tables_are_ours_whatever_the_database_is_by_default(sql: SqlBench) -> None:
    rows = sql.erp.run(
        "SELECT table_name AS t, column_name AS c, collation_name AS n FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
    )
    assert {row["t"] for row in rows} == {table.name for table in all_tables(ERP)} - {"sync_schema"} | {"sync_open"}
    assert {row["n"] for row in rows} <= {"utf8mb4_nopad_bin", "utf8mb4_0900_bin"}


# --- the session


def test_a_server_in_ansi_mode_without_backslashes_is_no_obstacle(
    sql: SqlBench, mariadb_server: Databases, connect: Connect
) -> None:
    (before,) = mariadb_server.execute("SELECT @@GLOBAL.sql_mode, @@GLOBAL.time_zone")
    mariadb_server.execute("SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'")
    mariadb_server.execute("SET GLOBAL time_zone = '-09:30'")
    try:
        exchange = connect(sql.url)
        odd = "it's \\ a \"key\" \\' %s"
        sql.erp.insert_client(odd, street="A", country_code="P")
        assert exchange.records.existing([odd]) == {odd}
        (record,) = exchange.records.load("billing", clients(odd))
        assert row_of(record)["country_code"] == "P"
        exchange.records.save([change(odd, base={"street": "\\'"})], run_id="r", at=AT)
        (record,) = exchange.records.load("billing", clients(odd))
        assert record.state.base
        assert record.state.base.erp["street"] == "\\'"
        at = exchange.desk.logged_after(0)
        assert at
        assert abs((at - datetime.now(UTC)).total_seconds()) < 60
    finally:
        mariadb_server.execute("SET GLOBAL sql_mode = :m", m=before[0])
        mariadb_server.execute("SET GLOBAL time_zone = :z", z=before[1])


def test_the_triggers_keep_their_mode_and_write_utc_whatever_the_erps_session_is(sql: SqlBench) -> None:
    sql.erp.script(
        "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
        "SET time_zone = '+12:00'",
        "INSERT INTO clients (id) VALUES ('C-1')",
        "UPDATE clients SET id = 'C-2'",
    )
    assert [(row[1], row[4]) for row in sql.erp.log()] == [("C-1", "I"), ("C-1", "D"), ("C-2", "I")]
    at = sql.exchange.desk.logged_after(0)
    assert at
    assert abs((at - datetime.now(UTC)).total_seconds()) < 60
    modes = sql.erp.run(
        "SELECT DISTINCT sql_mode AS m FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    )
    assert len(modes) == 1
    assert "STRICT_ALL_TABLES" in modes[0]["m"]
    assert "ANSI" not in modes[0]["m"]


def test_what_an_erp_without_strict_mode_has_written_is_read(sql: SqlBench) -> None:
    sql.erp.script("ALTER TABLE clients MODIFY active BIT(1), MODIFY wholesaler BIT(1)")
    sql.erp.script(
        "SET sql_mode = ''",
        "INSERT INTO clients (id, active, wholesaler) VALUES ('C-1', b'1', b'0'), ('C-2', NULL, b'1')",
        "INSERT INTO client_credit (client_id, as_of, credit_limit) VALUES ('C-1', '0000-00-00', 99999999999)",
        "INSERT INTO client_credit (client_id, as_of, credit_limit) VALUES ('C-2', '2026-03-02 12:00:00', 1)",
    )
    seen = sql.exchange.records.load("accounts", clients("C-1", "C-2"))
    assert [row_of(record)["active"] for record in seen] == [True, None]
    seen = sql.exchange.records.load("billing", clients("C-1", "C-2"))
    assert [row_of(record)["wholesaler"] for record in seen] == [False, True]
    seen = sql.exchange.records.load("credit", clients("C-1", "C-2"))
    assert [row_of(record)["as_of"] for record in seen] == ["0000-00-00 00:00:00.000000", AT.isoformat()]
    assert row_of(seen[0])["credit_limit"] == "9999999999.99"


# --- isolation and locks


def test_a_writer_sees_what_others_commit_meanwhile_also_after_a_reader(sql: SqlBench) -> None:
    for _ in range(3):
        sql.exchange.records.count_linked()
        with sql.exchange.database.writing() as connection:
            count = sa.select(sa.func.count()).select_from(ERP.clients)
            before = connection.scalar(count)
            sql.erp.insert_client(f"C-{before}")
            assert connection.scalar(count) == before + 1
    with sql.exchange.database.reading() as connection:
        before = connection.scalar(count)
        sql.erp.insert_client("C-9")
        assert connection.scalar(count) == before


def test_the_victim_of_a_deadlock_tries_again(sql: SqlBench) -> None:
    for key in ("C-1", "C-2"):
        sql.erp.insert_client(key, street="A", city="A")
    erp = sql.erp.transaction()
    for number in range(300):  # who has written less is the victim
        erp.insert_client(f"X-{number}")
    erp.update_client("C-2", city="B")
    answers: list[object] = []

    def work() -> None:
        try:
            answers.append(save(sql, edit("C-1", street=("A", "B")), edit("C-2", street=("A", "B"))))
        except KartotekaError as error:
            answers.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    while not waits_for_a_lock(sql):
        assert worker.is_alive()
    erp.update_client("C-1", city="B")
    erp.commit()
    worker.join()
    assert [(type(answer), str(answer)) for answer in answers] == [(Retry, "database")]
    assert [row_of(load(sql, key))["street"] for key in ("C-1", "C-2")] == ["A", "A"]
    assert save(sql, *(edit(key, street=("A", "B")) for key in ("C-1", "C-2"))) == Saved()


def test_another_clients_link_is_refused_and_not_overwritten(sql: SqlBench) -> None:
    """ON DUPLICATE KEY UPDATE means any unique index: it would update the row of the client that has the account."""
    save(sql, change(concern="accounts", link=Link("C-1", "7", "jan", "created")))
    database = sql.exchange.database
    upsert = database.dialect.upsert(sync_links, ("client_id", "panel_client_id", "panel_login", "linked_by"))
    row = {"client_id": "C-2", "panel_client_id": "7", "panel_login": "ewa", "linked_by": "nip"}
    with pytest.raises(Refused), database.writing() as connection:
        database.run(connection, upsert, [row])
    with database.writing() as connection:
        database.run(connection, upsert, [{**row, "client_id": "C-1"}])
    links = sql.erp.run("SELECT client_id, panel_login FROM sync_links")
    assert links == [{"client_id": "C-1", "panel_login": "ewa"}]


def test_a_bulk_load_of_the_erps_keeps_no_other_writer_from_the_log(sql: SqlBench) -> None:
    sql.erp.insert_client("D")  # the engine locks what lies between this and the rows that are loaded
    (before,) = sql.exchange.log.read(0, [], 10)
    loading = sql.erp.transaction()
    loading.run(
        "INSERT INTO clients (id) SELECT CONCAT('L-', n) FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS t"
    )
    loading.run("UPDATE clients SET id = CONCAT(id, 'x') WHERE id > 'K'")
    sql.erp.insert_client("C-1")
    loading.rollback()
    (entry,) = sql.exchange.log.read(before.seq, [], 10)
    assert entry.client_id == "C-1"
    assert entry.seq > before.seq + 1, "what was rolled back has left a gap"


def test_a_table_in_use_is_waited_for_two_seconds(sql: SqlBench) -> None:
    for table in ("clients", "client_shops"):
        sql.erp.drop_triggers(table)
    at_work = sql.erp.transaction()
    at_work.insert_client("C-1")
    began = datetime.now(UTC)
    with pytest.raises(Retry):
        sql.exchange.log.recreate_triggers()
    assert 1.5 < (datetime.now(UTC) - began).total_seconds() < 6
    at_work.commit()
    assert sql.exchange.log.unlogged() == {"clients": Unlogged.MISSING}, "the other table has its own"
    sql.exchange.log.recreate_triggers()
    assert sql.exchange.log.unlogged() == {}
    with sql.exchange.database.writing() as connection:
        waits = connection.exec_driver_sql("SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout").one()
    assert waits == (30, 30)


def test_two_programs_make_the_tables_one_after_the_other(sql: SqlBench) -> None:
    engine = sql.exchange.database.engine
    with sql.exchange.database.changing(2):
        free = sql.erp.run("SELECT IS_FREE_LOCK(CONCAT('kartoteka.', MD5(DATABASE()))) AS free")
    assert free == [{"free": 0}]
    assert sql.erp.run("SELECT IS_FREE_LOCK(CONCAT('kartoteka.', MD5(DATABASE()))) AS free") == [{"free": 1}]
    assert upgrade.upgrade(engine) == upgrade.VERSION


# --- keys go by their index


@pytest.mark.parametrize("verb", ["SELECT", "DELETE", "UPDATE"])
def test_more_keys_than_a_list_is_kept_as_go_by_the_index(sql: SqlBench, verb: str) -> None:
    """MariaDB makes a table to be joined of a list of more than a thousand values, unless it is told not to."""
    digits = "(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6)"
    numbers = "a.n + 7 * b.n + 49 * c.n + 343 * d.n + 2401 * e.n"
    tables = ", ".join(f"{digits} AS {name}" for name in "abcde")
    sql.erp.run(f"INSERT INTO sync_base (client_id, concern) SELECT CONCAT('C-', {numbers}), 'billing' FROM {tables}")
    sql.erp.run("ANALYZE TABLE sync_base")
    keys = clients(*(f"C-{n}" for n in range(1100)))
    records = sql.exchange.records
    with asked_of(sql, verb) as asked:
        if verb == "SELECT":
            records.states(["billing"], keys)
        elif verb == "DELETE":
            records.save([Change(record, RecordState()) for record in with_base(records.load("billing", keys))], **RUN)
        else:
            records.postpone("billing", keys, AT)
    assert asked
    with sql.exchange.database.reading() as connection:
        for statement, given in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", given).mappings().all()
            assert {row["type"] for row in plan} <= {"range", "ref", "eq_ref"}, plan


RUN: dict[str, Any] = {"run_id": "r", "at": AT}


def with_base(records: Sequence[Record]) -> list[Record]:
    """Return the records as if something were kept of them."""
    kept = change(base={"a": "b"}).after
    return [replace(record, state=kept) for record in records]


@contextmanager
def asked_of(sql: SqlBench, verb: str) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements of this kind that ask ``sync_base``, with what they are given."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        if statement.startswith(verb) and "sync_base" in statement:
            seen.append((statement, given))

    sa.event.listen(sql.exchange.database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sql.exchange.database.engine, "before_cursor_execute", note)


# --- what goes wrong


def raised(action: Callable[[], object]) -> KartotekaError:
    with pytest.raises(KartotekaError) as caught:
        action()
    return caught.value


@pytest.fixture
def visitor(sql: SqlBench, mariadb_server: Databases) -> Iterator[str]:
    """The address of the database for a user without any rights in it."""
    name = sql.exchange.database.engine.url.database
    for host in ("localhost", "%"):
        mariadb_server.execute(f"CREATE USER visitor@'{host}' IDENTIFIED BY 'tajne'")
    yield mariadb_server.url(str(name), "visitor", "tajne")
    for host in ("localhost", "%"):
        mariadb_server.execute(f"DROP USER visitor@'{host}'")


def grant(sql: SqlBench, server: Databases, rights: str, on: str = "*") -> None:
    name = sql.exchange.database.engine.url.database
    for host in ("localhost", "%"):
        server.execute(f"GRANT {rights} ON {name}.{on} TO visitor@'{host}'")


@pytest.mark.parametrize(
    ("database", "user", "password"),
    [("mysql", "root", "wrong-tajne"), ("nowhere", None, None), ("mysql", "nobody", "tajne")],
)
def test_a_wrong_password_or_name_waits_for_a_person(
    mariadb_server: Databases, sql: SqlBench, connect: Connect, database: str, user: str | None, password: str | None
) -> None:
    error = raised(connect(mariadb_server.url(database, user, password)).records.count_linked)
    assert isinstance(error, Halt)
    assert error.code == "database_access"
    assert "tajne" not in str(error)


def test_missing_rights_wait_for_a_person_and_are_named(
    sql: SqlBench, mariadb_server: Databases, visitor: str, connect: Connect
) -> None:
    assert raised(connect(visitor).records.count_linked).code == "database_access"
    grant(sql, mariadb_server, "SELECT, INSERT, DELETE")
    exchange = connect(visitor)
    assert exchange.records.count_linked() == 0
    error = raised(lambda: exchange.records.save([edit("C-1", street=("A", "B"))], run_id="r", at=AT))
    assert error.code == "database_access"
    wanted = {"clients": ["SELECT", "UPDATE"], "sync_base": ["SELECT", "INSERT", "UPDATE", "DELETE"]}
    with exchange.database.reading() as connection:
        lacking = exchange.database.dialect.lacking_rights(connection, wanted)
    assert lacking == ["UPDATE clients", "UPDATE sync_base"]
    grant(sql, mariadb_server, "UPDATE")
    exchange = connect(visitor)
    with exchange.database.reading() as connection:
        assert exchange.database.dialect.lacking_rights(connection, wanted) == []
    assert exchange.records.save([change(base={"a": "b"})], run_id="r", at=AT) == Saved()


def test_a_user_without_the_right_is_told_that_triggers_are_missing(
    sql: SqlBench, mariadb_server: Databases, visitor: str, connect: Connect
) -> None:
    grant(sql, mariadb_server, "SELECT, INSERT, UPDATE, DELETE")
    exchange = connect(visitor)
    assert exchange.log.unlogged() == {}
    sql.erp.drop_triggers("clients")
    assert exchange.log.unlogged() == {"clients": Unlogged.MISSING}
    assert raised(exchange.log.recreate_triggers).code == "database_access"
    sql.exchange.log.recreate_triggers()
    sql.erp.insert_client("C-1")
    exchange.records.save([edit("C-1", street=(None, "B"))], run_id="r", at=AT)
    assert [row[1] for row in sql.erp.log()] == ["C-1", "C-1"]


def test_a_replica_given_by_mistake_is_named(
    sql: SqlBench, mariadb_server: Databases, visitor: str, connect: Connect
) -> None:
    grant(sql, mariadb_server, "SELECT, INSERT, UPDATE, DELETE")
    mariadb_server.execute("SET GLOBAL read_only = 1")
    try:
        exchange = connect(visitor)
        assert exchange.records.count_linked() == 0
        error = raised(lambda: exchange.records.save([change(base={"a": "b"})], run_id="r", at=AT))
        assert (error.code, "takes no writes" in str(error)) == ("database_read_only", True)
        with exchange.database.reading() as connection:
            assert exchange.database.dialect.is_replica(connection)
    finally:
        mariadb_server.execute("SET GLOBAL read_only = 0")
    with sql.exchange.database.reading() as connection:
        assert not sql.exchange.database.dialect.is_replica(connection)


def test_a_server_that_is_not_there_is_tried_again(sql: SqlBench, connect: Connect) -> None:
    assert isinstance(raised(connect("mysql://u:p@127.0.0.1:1/x").records.count_linked), Retry)


def test_a_password_that_would_cross_the_net_in_the_clear_is_not_sent(
    sql: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver has no code of its own to encrypt one for MySQL's `caching_sha2_password`."""
    engine = open_engine(sql.url)

    def connect(*_given: object, **_settings: object) -> None:
        raise RuntimeError("'cryptography' package is required for sha256_password or caching_sha2_password")

    monkeypatch.setattr(engine.dialect, "connect", connect)
    with pytest.raises(sa.exc.OperationalError) as caught:
        engine.connect()
    verdict = Mysql().diagnose(caught.value)
    assert isinstance(verdict, Halt)
    assert verdict.code == "database_access"


def test_the_mark_of_a_restored_log_is_another(sql: SqlBench) -> None:
    sql.erp.script("CREATE TABLE saved_log LIKE change_log")
    sql.erp.insert_client("C-1")
    sql.erp.run("INSERT INTO saved_log SELECT * FROM change_log")
    sql.erp.insert_client("C-2")
    first, second = sql.exchange.log.mark(1), sql.exchange.log.mark(2)
    sql.erp.script("TRUNCATE change_log", "INSERT INTO change_log SELECT * FROM saved_log", "DELETE FROM clients")
    assert sql.exchange.log.mark(1) == first
    assert sql.exchange.log.mark(2) not in (second, None), "a number that was given twice"


def test_the_user_who_made_the_tables_is_the_triggers_own(sql: SqlBench) -> None:
    """Whoever drops that user stops all writes of the ERP: the page says so."""
    definers = sql.erp.run(
        "SELECT DISTINCT definer AS d FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    )
    assert [row["d"].partition("@")[0] for row in definers] == [sql.erp.engine.url.username]


@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_what_is_printed_needs_no_later_version(sql: SqlBench, name: str) -> None:
    script = upgrade.ddl(name)
    assert script.count("COLLATE=" + {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}[name]) == len(
        all_tables(ERP)
    )
    assert "CREATE INDEX" not in script
    assert "OR REPLACE" not in script.replace("CREATE OR REPLACE VIEW", "")  # of a view both know it
