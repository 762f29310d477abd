"""The doctor's look at the exchange database, on the real engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import SqlExchange, connect, upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.adapters.sql.tables import sync_history
from kartoteka.doctor.database import EXAMINATIONS, Patient
from kartoteka.doctor.findings import Finding, Level, examined
from kartoteka.policy import Policy
from tests.fixtures.postgres import PostgresServer

WHOLE = (
    "INSERT INTO clients (id, email, company, street, zip_code, city) "
    "VALUES ('{}', 'a@firma.example', 'Firma', 'Polna 1', '00-950', 'Warszawa')"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An exchange database with its tables."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server.with_schema()
    url = f"sqlite:///{tmp_path / 'exchange.db'}"
    engine = open_engine(url)
    upgrade.create(engine)
    engine.dispose()
    return url


@pytest.fixture
def exchange(address: str) -> Iterator[SqlExchange]:
    found = connect(address)
    yield found
    found.close()


def run(exchange: SqlExchange, *statements: str) -> None:
    with exchange.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def found_in(exchange: SqlExchange) -> dict[str, Finding]:
    return {each.id: each for each in examined(Patient(exchange, Policy()), EXAMINATIONS, lambda _: True)}


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {id_: each.level.value for id_, each in found.items() if each.level is not Level.OK}


def test_a_database_as_it_is_made_is_fine(exchange: SqlExchange) -> None:
    run(exchange, WHOLE.format("C-1"), WHOLE.format("C-2"))
    found = found_in(exchange)
    assert levels(found) == {}
    assert "All of 2 clients" in found["incomplete_clients"].sentence


def test_clients_that_will_wait_are_counted_and_not_named(exchange: SqlExchange) -> None:
    run(
        exchange,
        WHOLE.format("C-1"),
        WHOLE.format("c-1"),
        WHOLE.format("C-2 "),
        WHOLE.format("C-2"),
        "INSERT INTO clients (id, email, company) VALUES ('C-3', 'tajny@firma.example', 'Firma')",
        WHOLE.format("C-4").replace("'Firma'", "' '"),
    )
    found = found_in(exchange)
    assert levels(found) == {"incomplete_clients": "look", "alike_codes": "look"}
    assert found["incomplete_clients"].sentence.startswith("2 of 6 clients")
    assert found["alike_codes"].sentence.startswith("2 codes of clients")
    assert "tajny" not in repr(found)


@pytest.mark.parametrize("exchange_table", ["clients", "client_shops", "sync_status"])
def test_a_table_without_triggers_is_a_stop(exchange: SqlExchange, exchange_table: str) -> None:
    on = f" ON {exchange_table}" if exchange.database.dialect.name == "postgresql" else ""
    watched = next(each for each in exchange.database.erp.watched if each.table.name == exchange_table)
    run(exchange, f"DROP TRIGGER {exchange.database.dialect.trigger_names(watched)[0]}{on}")
    found = found_in(exchange)
    assert levels(found) == {f"triggers.{exchange_table}": "stop"}
    assert "schema upgrade" in found[f"triggers.{exchange_table}"].remedy


def test_what_is_missing_ends_the_examination_with_the_command_that_mends_it(exchange: SqlExchange) -> None:
    run(exchange, "DROP TABLE client_credit")
    found = found_in(exchange)
    assert levels(found) == {"database": "stop"}
    assert "client_credit" in found["database"].sentence
    assert "kartoteka schema upgrade" in found["database"].sentence


@pytest.mark.parametrize(
    ("was", "is_", "told"),
    [
        ("id VARCHAR(40)", "id INTEGER", "clients.id is INTEGER"),
        ("city VARCHAR(100)", "city REAL", "clients.city is REAL"),
    ],
)
def test_a_column_of_another_type_is_a_stop(tmp_path: Path, was: str, is_: str, told: str) -> None:
    exchange = connect(_made_otherwise(tmp_path, was, is_))
    found = found_in(exchange)
    exchange.close()
    assert told in found["column_types"].sentence
    assert found["column_types"].level is Level.STOP


def test_a_shorter_column_is_worth_a_look(tmp_path: Path) -> None:
    exchange = connect(_made_otherwise(tmp_path, "city VARCHAR(100)", "city VARCHAR(30)"))
    found = found_in(exchange)
    exchange.close()
    assert levels(found) == {"column_lengths": "look"}
    assert "clients.city (30 of 100)" in found["column_lengths"].sentence


def wrote(
    exchange: SqlExchange, client: str, values: str, *, every: int, reason: str = "drift", field: str = "phone"
) -> None:
    """Write the history of a field: one letter a value, ``every`` so many minutes, the last one just now."""
    now = datetime.now(UTC)
    rows = [
        {
            "at": now - timedelta(minutes=every * back),
            "client_id": client,
            "concern": "billing",
            "field": field,
            "direction": "erp_to_panel" if n % 2 == 0 or reason == "drift" else "panel_to_erp",
            "reason": reason,
            "value_after": f"tajny-{value}",
        }
        for n, (value, back) in enumerate(zip(values, reversed(range(len(values))), strict=True))
    ]
    with exchange.database.engine.begin() as connection:
        connection.execute(sync_history.insert(), rows)


@pytest.mark.parametrize(
    ("values", "every", "reason", "pace"),
    [
        ("aaa", 1, "drift", "every 1 min"),
        ("aaaaaa", 15, "drift", "every 15 min"),
        ("aaaa", 240, "drift", "every 240 min"),
        ("ababab", 20, "edit", "every 40 min"),
    ],
)
def test_fields_that_another_program_writes_too_are_a_stop(
    exchange: SqlExchange, values: str, every: int, reason: str, pace: str
) -> None:
    for client in ("C-1", "C-2", "C-3"):
        wrote(exchange, client, values, every=every, reason=reason)
    found = found_in(exchange)
    assert levels(found) == {"two_masters": "stop"}
    assert "field of 3 clients (phone)" in found["two_masters"].sentence
    assert pace in found["two_masters"].sentence
    assert "bridge" in found["two_masters"].remedy
    assert "tajny" not in repr(found)


def test_somebody_who_changes_two_clients_back_is_worth_a_look(exchange: SqlExchange) -> None:
    for client in ("C-1", "C-2"):
        wrote(exchange, client, "aaa", every=30)
    assert levels(found_in(exchange)) == {"two_masters": "look"}


@pytest.mark.parametrize(
    ("values", "every", "reason"),
    [
        ("abcdef", 5, "edit"),  # a field that is edited often
        ("aa", 5, "drift"),  # corrected twice
        ("aaa", 800, "drift"),  # the first of the three is longer ago than a day
        ("aaaaaaaa", 5, "conflict"),  # decided by a person
        ("aaaaaaaa", 5, "first_contact"),
    ],
)
def test_what_only_changes_often_is_no_other_master(
    exchange: SqlExchange, values: str, every: int, reason: str
) -> None:
    for client in ("C-1", "C-2", "C-3"):
        wrote(exchange, client, values, every=every, reason=reason)
    assert levels(found_in(exchange)) == {}


def test_a_value_that_several_fields_were_given_once_is_no_other_master(exchange: SqlExchange) -> None:
    for client in ("C-1", "C-2", "C-3"):
        for field in ("phone", "city", "street"):
            wrote(exchange, client, "a", every=1, field=field)
    assert levels(found_in(exchange)) == {}


def _made_otherwise(tmp_path: Path, was: str, is_: str) -> str:
    """Return a database whose author has made the clients' table by hand."""
    url = f"sqlite:///{tmp_path / 'own.db'}"
    script = upgrade.ddl("sqlite")
    head = script[: script.index(";")]
    assert was in head
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(head.replace(was, is_))
    upgrade.create(engine)
    engine.dispose()
    return url


def test_a_user_without_rights_is_told_which(postgres_server: PostgresServer) -> None:
    url = postgres_server.with_schema()
    exchange = connect(url)
    run(exchange, "CREATE ROLE reader LOGIN PASSWORD 'r'", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    exchange.close()
    reader = connect(url.replace("postgres:@", "reader:r@"))
    found = found_in(reader)
    reader.close()
    assert found["rights"].level is Level.STOP
    assert "UPDATE clients" in found["rights"].sentence
    assert "SELECT" not in found["rights"].sentence


def test_a_narrow_encoding_is_worth_a_look(postgres_server: PostgresServer) -> None:
    exchange = connect(postgres_server.encoded("LATIN2"))
    found = found_in(exchange)
    exchange.close()
    assert levels(found) == {"encoding": "look"}
    assert "LATIN2" in found["encoding"].sentence
    assert "ENCODING 'UTF8'" in found["encoding"].remedy


def test_a_database_that_does_not_answer_is_a_finding(tmp_path: Path) -> None:
    exchange = connect("postgresql://nobody:x@127.0.0.1:9/none")
    found = found_in(exchange)
    assert levels(found) == {"database": "stop"}
    assert list(found) == ["database"]
