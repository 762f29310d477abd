"""Erasing a client on real engines: nothing is left in any column of any table, and nobody else loses anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import tables
from kartoteka.adapters.sql.columns import Flag, UtcDateTime
from kartoteka.adapters.sql.forgotten import naming
from kartoteka.model import Owner
from tests.fixtures.exchange import SqlBench

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
THEIRS = {"clients", "delivery_addresses", "client_shops", "client_credit", "discount_groups", "discount_group_items"}
"""The ERP's own tables: what stands there the ERP erases itself."""
OF_NOBODY = {"sync_pauses", "sync_schema", "sync_owner", "sync_prices", "sync_forgotten"}
"""Tables of ours that name no client and no account, or only by a keyed digest."""


def row(table: sa.Table, client: str, account: str, canary: str) -> dict[str, Any]:
    """Return a row of a table about a client, with a canary in every column that is not its key or its account's."""
    columns = [column for column in table.columns if column.identity is None]
    given = {column.name: _value(column, canary) for column in columns}
    named = {"client_id": client, "external_code": client, "panel_client_id": account, "group_id": ""}
    named |= {"id": client} if table.name == "clients" else {}
    empty = dict.fromkeys(("decision", "outcome", "erased_at"))
    return given | {n: v for n, v in {**named, **empty, "table_name": "clients"}.items() if n in given}


def _value(column: sa.Column[Any], canary: str) -> Any:
    kinds: dict[type, Any] = {UtcDateTime: AT, Flag: True, sa.Date: AT.date(), sa.Integer: 1, sa.Numeric: 1}
    for kind, value in kinds.items():
        if isinstance(column.type, kind):
            return value
    length = getattr(column.type, "length", None)
    return canary if not length or length >= len(canary) else "PL"[:length]


def fill(bench: SqlBench, client: str, account: str, canary: str) -> None:
    for table in tables.all_tables(bench.exchange.database.erp):
        if table.name in OF_NOBODY or table.name in ("discount_groups", "discount_group_items", "sync_base"):
            continue
        with bench.erp.engine.begin() as connection:
            connection.execute(table.insert().values(row(table, client, account, canary)))
    base = {"client_id": client, "group_id": "", "concern": "billing", "item_id": "", "values": f'{{"a": "{canary}"}}'}
    with bench.erp.engine.begin() as connection:
        connection.execute(tables.sync_base.insert().values(base | {"notes": canary, "intent": canary}))


def scan(bench: SqlBench, *needles: str) -> set[str]:
    """Return where one of these texts stands, in any column of any table but the ERP's own."""
    found = set()
    for name in sa.inspect(bench.erp.engine).get_table_names():
        if name in THEIRS:
            continue
        for each in bench.erp.run(f'SELECT * FROM "{name}"'):
            found |= {f"{name}.{k}" for k, v in each.items() if any(n in str(v) for n in needles)}
    return found


def test_every_table_that_names_a_client_or_an_account_is_known_to_the_erasing() -> None:
    own = {t.name for t in naming(tables.ERP)} | {"change_log"} | OF_NOBODY | THEIRS
    assert {table.name for table in tables.all_tables(tables.ERP)} == own
    for table, names in naming(tables.ERP).items():
        columns = table.c
        assert (names.client is not None) == ("client_id" in columns or "external_code" in columns), table.name
        assert (names.account is not None) == ("panel_client_id" in columns), table.name


def test_a_client_is_erased_from_everything_and_its_neighbour_from_nothing(sql: SqlBench) -> None:
    fill(sql, "K-1", "4711", "kanarek-4f1b")
    fill(sql, "K-2", "4712", "sikorka-77aa")
    assert {place.partition(".")[0] for place in scan(sql, "kanarek-4f1b")} >= {"sync_history", "incoming_clients"}
    before = dict.fromkeys(scan(sql, "sikorka-77aa", "K-2", "4712"))
    told = dict(sql.exchange.forgotten.found("K-1"))
    erased = dict(sql.exchange.forgotten.forget("K-1", at=AT))
    assert erased.pop("change_log") >= told.pop("change_log")  # a trigger may tell of what is erased
    assert erased == told
    assert scan(sql, "kanarek-4f1b", "4711") == set()
    assert scan(sql, "K-1") == {"sync_status.client_id"}
    assert scan(sql, "sikorka-77aa", "K-2", "4712") == before.keys()
    (status,) = sql.erp.run("SELECT * FROM sync_status WHERE client_id = 'K-1'")
    assert (status["concern"], status["state"], status["code"], status["field"]) == (
        "accounts",
        "excluded",
        "forgotten",
        "",
    )
    assert sql.exchange.forgotten.found("K-1") == {}


def test_where_the_row_is_gone_not_even_a_status_stays(sql: SqlBench) -> None:
    fill(sql, "K-1", "4711", "kanarek-4f1b")
    sql.erp.delete_client("K-1")
    sql.exchange.forgotten.forget("K-1", at=AT)
    assert scan(sql, "K-1", "4711", "kanarek-4f1b") == set()


def test_what_was_stored_meanwhile_is_erased_once_more(sql: SqlBench) -> None:
    sql.erp.insert_client("K-1", email="a@b.pl")
    sql.exchange.forgotten.forget("K-1", at=AT)
    with sql.erp.engine.begin() as connection:  # a worker's transaction that did not see the tombstone yet
        connection.execute(tables.sync_history.insert().values(row(tables.sync_history, "K-1", "", "kanarek-4f1b")))
    assert not sql.exchange.forgotten.to_be_swept(AT)
    later = AT + timedelta(minutes=20)
    assert sql.exchange.forgotten.to_be_swept(later)
    assert sql.exchange.forgotten.sweep(later, at=later) == {"sync_history": 1}
    assert scan(sql, "kanarek-4f1b") == set()
    assert not sql.exchange.forgotten.to_be_swept(later)
    assert sql.exchange.records.load("accounts", [Owner("K-1")])[0].forgotten


def test_a_restored_database_is_told_by_tombstones_and_swept(sql: SqlBench) -> None:
    fill(sql, "K-1", "4711", "kanarek-4f1b")
    sql.exchange.forgotten.forget("K-1", at=AT)
    stones = sql.exchange.forgotten.tombstones()
    assert len(stones) == 3  # the code, the one that the account carried before, and the account
    sql.erp.run("DELETE FROM sync_forgotten")
    sql.erp.run("DELETE FROM sync_status")
    with sql.erp.engine.begin() as connection:
        connection.execute(tables.sync_links.insert().values(row(tables.sync_links, "K-1", "4711", "kanarek-4f1b")))
    assert sql.exchange.forgotten.restore(stones, at=AT) == 3
    assert sql.exchange.forgotten.restore(stones, at=AT) == 0
    assert sql.exchange.forgotten.sweep(AT, at=AT) == {"sync_links": 1}
    assert scan(sql, "kanarek-4f1b", "4711") == set()


def test_allow_removes_the_tombstones_of_one_client_alone(sql: SqlBench) -> None:
    for client, account in (("K-1", "4711"), ("K-2", "4712")):
        fill(sql, client, account, f"kanarek-{client}")
        sql.exchange.forgotten.forget(client, at=AT)
    assert sql.exchange.forgotten.allow("K-1")
    assert not sql.exchange.forgotten.allow("K-1")
    assert not sql.exchange.forgotten.is_forgotten("K-1")
    assert sql.exchange.forgotten.is_forgotten("K-2")
    assert len(sql.exchange.forgotten.tombstones()) == 3


@pytest.mark.parametrize("limit", [1, 5, 100])
def test_old_values_go_in_portions_and_the_rows_stay(sql: SqlBench, limit: int) -> None:
    old, new = AT - timedelta(days=800), AT - timedelta(days=10)
    with sql.erp.engine.begin() as connection:
        for moment in (old, old, old, new):
            values = row(tables.sync_history, "K-1", "", "kanarek-4f1b") | {"at": moment}
            connection.execute(tables.sync_history.insert().values(values))
        for closed in (old, new, None):
            values = row(tables.sync_conflicts, "K-1", "", "kanarek-4f1b") | {"closed_at": closed, "raised_at": old}
            connection.execute(tables.sync_conflicts.insert().values(values))
    before, portions = AT - timedelta(days=730), []
    while done := sql.exchange.forgotten.expire(before, limit, at=AT):
        assert done <= limit
        portions.append(done)
    assert sum(portions) == 4
    assert [(h.value_before, h.erased_at) for h in sql.erp.history] == [(None, AT)] * 3 + [("kanarek-4f1b", None)]
    assert [c.erp_value for c in sql.erp.conflicts] == [None, "kanarek-4f1b", "kanarek-4f1b"]
    assert [c.base_value for c in sql.erp.conflicts] == [None, "kanarek-4f1b", "kanarek-4f1b"]
