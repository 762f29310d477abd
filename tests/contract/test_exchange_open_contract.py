"""``sync_open``, on each engine: everything that is not as it should be, and nothing else, one row a field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import open_view, tables, upgrade
from kartoteka.adapters.sql.columns import UtcDateTime
from kartoteka.codes import CODES, IN_STEP, State, status
from kartoteka.model import ConflictNote
from kartoteka.ports.exchange import IncomingClient
from tests.fixtures.exchange import Connect, SqlBench, SqlErp
from tests.fixtures.records import AT, about, change, item, save

DESIGNED = "client_id group_id concern item_id field state code since message_pl message_en"
ALL_IS_WELL = {State.IN_STEP, State.EXCLUDED}


@pytest.fixture
def made(sql: SqlBench) -> SqlBench:
    """Give a database whose view was made once more, by this engine's own statements."""
    upgrade.upgrade(sql.exchange.database.engine)
    return sql


def opened(erp: SqlErp, columns: str = "client_id, concern, field, state, code") -> list[tuple[Any, ...]]:
    rows = erp.run("SELECT * FROM sync_open ORDER BY client_id, group_id, concern, item_id, field")
    return [tuple(row[name.strip()] for name in columns.split(",")) for row in rows]


def moment(value: Any) -> datetime:
    """Return a moment of a view, which SQLite gives as a text."""
    found = UtcDateTime.read(value)
    assert found
    return found


def told(code: str, *fields: str) -> Any:
    return status(code, fields, **dict.fromkeys(CODES[code].facts, "x"))


def test_nothing_is_open_where_all_is_well(made: SqlBench) -> None:
    save(made, change("C-1", status=IN_STEP), change("C-2", "shops", status=told("no_shop")))
    save(made, change("C-3", "credit", status=told("overdue")), change("C-4", status=told("excluded")))
    assert opened(made.erp) == []


@pytest.mark.parametrize("state", State)
def test_a_record_stands_in_it_by_its_state(made: SqlBench, state: State) -> None:
    save(made, change("C-1", status=status("timeout", state=state)))
    assert opened(made.erp) == ([] if state in ALL_IS_WELL else [("C-1", "billing", "", str(state), "timeout")])


def test_it_has_the_designs_columns_and_says_who_where_since_when_and_why(made: SqlBench) -> None:
    save(made, item("A-1", status=told("bad_phone", "phone")), about("G-1", "product/7", status=told("bad_amount")))
    rows = made.erp.run("SELECT * FROM sync_open ORDER BY client_id")
    assert [list(row) for row in rows] == [DESIGNED.split()] * 2
    assert [(r["client_id"], r["group_id"], r["item_id"], r["field"]) for r in rows] == [
        ("", "G-1", "product/7", ""),
        ("C-1", "", "A-1", "phone"),
    ]
    said = told("bad_phone", "phone")
    assert (rows[1]["message_pl"], rows[1]["message_en"]) == (said.message_pl, said.message_en)
    assert moment(rows[1]["since"]) == AT


def test_each_field_in_conflict_is_a_row_until_the_conflict_is_closed(made: SqlBench) -> None:
    fields = ("city", "phone", "street")
    notes = tuple(ConflictNote(name, "a", "b", "c") for name in fields)
    made.erp.insert_client("C-1")
    save(made, change("C-1", status=told("conflict", *fields), conflicts=notes))
    assert opened(made.erp) == [("C-1", "billing", name, "conflict", "conflict") for name in fields]
    for (message,) in opened(made.erp, "message_en")[1:]:
        assert message.startswith("Both sides were edited, to different values: ")
    assert [name in text for name, (text,) in zip(fields, opened(made.erp, "message_pl"), strict=True)] == [True] * 3
    made.erp.run("UPDATE sync_conflicts SET closed_at = CURRENT_TIMESTAMP WHERE field = 'street'")
    assert [row[2] for row in opened(made.erp)] == ["city", "phone"]


def test_a_conflict_is_seen_beside_what_else_holds_the_record(made: SqlBench) -> None:
    made.erp.insert_client("C-1")
    note = ConflictNote("street", "a", "b", "c")
    save(made, change("C-1", status=told("bad_phone", "phone"), conflicts=(note,)))
    assert opened(made.erp) == [
        ("C-1", "billing", "phone", "held", "bad_phone"),
        ("C-1", "billing", "street", "conflict", "conflict"),
    ]


def test_a_customer_of_the_shop_waits_in_it_until_the_erp_has_answered(made: SqlBench) -> None:
    made.exchange.index.list_incoming([IncomingClient("57", {"email": "ewa@lis.example"})], at=AT)
    assert opened(made.erp, "client_id, concern, item_id, field, state, code") == [
        ("", "accounts", "57", "client_id", "waiting", "not_a_client")
    ]
    made.erp.answer_incoming("57", "C-7")
    assert opened(made.erp) == []
    made.erp.answer_incoming("57", "")
    assert [row[4] for row in opened(made.erp)] == ["not_a_client"]


@pytest.mark.parametrize(
    ("decision", "is_told"),
    [("both", True), ("ERP ", False), ("panel", False), ("erp, panel", True), ("x", True), (" ", False)],
)
def test_a_decision_that_settles_no_conflict_is_told(made: SqlBench, decision: str, *, is_told: bool) -> None:
    made.erp.insert_client("C-1")
    note = ConflictNote("street", "a", "b", "c")
    save(made, change("C-1", status=told("conflict", "street"), conflicts=(note,)))
    made.erp.run("UPDATE sync_conflicts SET decision = :d", d=decision)
    found = [row for row in opened(made.erp, "field, code, message_en") if row[1] == "bad_decision"]
    assert [row[:2] for row in found] == [("street", "bad_decision")] * is_told
    assert all(f"'{decision}'" in row[2] for row in found)
    made.erp.run("UPDATE sync_conflicts SET decision = NULL")
    assert opened(made.erp, "code") == [("conflict",)]


@pytest.mark.parametrize(("decision", "is_told"), [("both", True), ("Link", False), ("create", False), ("7", True)])
def test_a_decision_that_names_no_account_is_told(made: SqlBench, decision: str, *, is_told: bool) -> None:
    made.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('C-1', '7')")
    assert opened(made.erp) == []
    made.erp.decide_match("C-1", "7", decision)
    assert opened(made.erp, "client_id, item_id, code") == [("C-1", "7", "bad_decision")] * is_told


def test_an_erased_client_whose_row_still_stands_is_named(made: SqlBench) -> None:
    save(made, change("C-1", "accounts", status=told("forgotten")), change("C-2", "accounts", status=told("deleted")))
    assert opened(made.erp) == [("C-1", "accounts", "", "excluded", "forgotten")]


def test_a_former_definition_is_replaced(sql: SqlBench, connect: Connect) -> None:
    rows, database = open_view.selected(tables.ERP).subquery(), sql.exchange.database
    nobodys = sa.select(rows).where(rows.c.client_id == "nobody")
    with database.changing(5) as connection:
        for statement in database.dialect.view(open_view.NAME, nobodys, connection.dialect):
            connection.exec_driver_sql(statement)
    sql.exchange.records.save([change("C-1", status=told("timeout"))], run_id="r", at=AT + timedelta(days=1))
    assert opened(sql.erp) == []
    assert upgrade.create(connect(sql.url).database.engine) == upgrade.VERSION
    assert [row[0] for row in opened(sql.erp)] == ["C-1"]
