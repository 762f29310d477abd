"""Every question that is asked of a database is understood by each engine, also where there is nothing to answer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.errors import Halt
from kartoteka.fields.table import CONCERNS
from kartoteka.ports.desk import Asked
from tests.fixtures.exchange import SqlBench

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
FROM_THE_THIRD = Asked(start=2, limit=5)


def test_every_list_of_the_desk(sql: SqlBench) -> None:
    desk = sql.exchange.desk
    lists = [
        desk.states(),
        desk.held(10),
        desk.deferred(),
        desk.unread(10, AT),
        desk.not_shown(),
        desk.written(AT),
        desk.differences(AT, ["drift"], FROM_THE_THIRD),
        desk.statuses(["held"], FROM_THE_THIRD),
        desk.questions(FROM_THE_THIRD),
        desk.incoming(FROM_THE_THIRD),
        desk.find_clients(Asked(text="[a%_]", start=1, limit=1)),
        desk.near_limit(Decimal(0), FROM_THE_THIRD),
        desk.conflicts(10, closed_too=False, asked=FROM_THE_THIRD),
        desk.history(None, 10, asked=Asked(day="2026-03-02")),
        desk.group_prices("G", 10),
    ]
    assert [list(each) for each in lists] == [[]] * len(lists)
    assert [each for each in desk.waiting_since() if each["records"]] == []


def test_every_figure_of_the_desk(sql: SqlBench) -> None:
    desk = sql.exchange.desk
    assert set(desk.totals().values()) == set(desk.unmatched().values()) == {0}
    assert [desk.count_clients(concern) for concern in CONCERNS] == [0] * len(CONCERNS)
    assert [desk.clients_of(concern, "", 10) for concern in CONCERNS] == [[]] * len(CONCERNS)
    assert (desk.count_held("incomplete"), desk.count_near_limit(Decimal(0), Asked()), desk.prices("G")) == (0, 0, 0)
    assert (desk.deferred_with("billing", "x"), desk.logged_after(0), desk.group_name("G")) == ((0, 0), None, "")
    assert (desk.differences_by_day(AT, ["drift"], Asked()), desk.oldest_unsettled()) == ({}, {})
    assert (desk.clients(["C-1"]), desk.conflict(1), desk.candidates(["C-1"])) == ({}, None, {})


def test_a_bracket_is_a_letter_like_any_other(sql: SqlBench) -> None:
    for client_id, company in (("C-1", "[Nord] 50%_"), ("C-2", "Nord 5x_")):
        sql.erp.insert_client(client_id, company=company)
    for text in ("[nord]", "[", "50%", "%_"):
        assert [row["id"] for row in sql.exchange.desk.find_clients(Asked(text=text))] == ["C-1"], text


def test_exclusions_are_written_edited_and_taken_back(sql: SqlBench) -> None:
    desk = sql.exchange.desk
    desk.exclude("C-1", "billing", "")
    desk.exclude("C-1", "billing", "asked for")
    assert sql.exchange.records.exclusions(["C-1"]) == {"C-1": {"billing"}}
    assert [desk.include("C-1", "billing") for _ in range(2)] == [1, 0]


def test_what_the_doctor_asks(sql: SqlBench) -> None:
    database = sql.exchange.database
    with database.reading() as connection:
        assert not database.dialect.is_replica(connection)
        assert not database.dialect.encoding(connection)
        assert list(database.dialect.lacking_rights(connection, {"clients": ["SELECT", "UPDATE"]})) == []


@pytest.mark.parametrize("table", ["clients", "sync_base", "change_log"])
def test_what_is_missing_of_a_table_is_added(sql: SqlBench, table: str) -> None:
    column = {"clients": "street", "sync_base": "tries", "change_log": "logged_at"}[table]
    sql.erp.script(f"ALTER TABLE {table} DROP COLUMN {column}")
    assert upgrade.create(sql.exchange.database.engine) == upgrade.VERSION
    assert upgrade.upgrade(sql.exchange.database.engine) == upgrade.VERSION
    assert sql.erp.run(f"SELECT {column} FROM {table}") == []


def test_a_swapped_table_gets_its_triggers_by_an_upgrade(sql: SqlBench) -> None:
    sql.erp.swap("client_shops")
    assert list(sql.exchange.log.unlogged()) == ["client_shops"]
    upgrade.upgrade(sql.exchange.database.engine)
    assert sql.exchange.log.unlogged() == {}


def test_tables_are_made_in_an_empty_database_and_stand_a_second_time(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(Halt, match="no_schema"):
        upgrade.upgrade(engine)
    assert [upgrade.create(engine), upgrade.create(engine), upgrade.upgrade(engine)] == [upgrade.VERSION] * 3
    engine.dispose()
