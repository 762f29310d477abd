"""Keys travel as one parameter, however many and however odd they are, and each finds its own row and no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql.tables import ERP
from kartoteka.codes import IN_STEP
from kartoteka.model import Change, Link, Record, RecordState, RowWrite
from kartoteka.ports.exchange import IncomingClient
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    DEFERRED,
    LATER,
    change,
    clients,
    edit,
    item,
    load,
    price,
    save,
    store_prices,
)

ODD = ["\\u0000", 'say "so"', "a\\b", "100%", "%00", "[1]", "a,b", "Żółw", "💶", " ", "a\tb\n", "null", "1e5", "'"]
"""Keys that JSON, SQL, or what stands for a NUL might stumble over."""
WITH_NUL = ["a\x00b", "\x00", "a\x00\x00", "a%00b"]


@contextmanager
def parameters(sql: SqlBench) -> Iterator[list[tuple[str, Sequence[Any]]]]:
    """Collect the statements inside the block with their parameters; of one for many rows, those of a row."""
    seen: list[tuple[str, Sequence[Any]]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        one = given[0] if many else given
        seen.append((statement, list(one.values()) if isinstance(one, dict) else list(one)))

    sa.event.listen(sql.exchange.database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sql.exchange.database.engine, "before_cursor_execute", note)


def test_odd_keys_find_their_own_rows_and_no_others(sql: SqlBench) -> None:
    for key in ODD:
        sql.erp.insert_client(key, street=f"of {key}")
    records = sql.exchange.records
    assert records.existing([*ODD, "a", "u0000"]) == set(ODD)
    assert [record.erp and record.erp["street"] for record in records.load("billing", clients(*ODD, "a"))] == [
        *(f"of {key}" for key in ODD),
        None,
    ]
    save(sql, *(change(key, base={"street": key}, deferral=DEFERRED, status=IN_STEP) for key in ODD))
    states = records.states(["billing", "no such concern"], clients(*ODD, "a"))
    assert {key.client_id: state.base and state.base.erp["street"] for key, state in states.items()} == {
        key: key for key in ODD
    }
    records.postpone("billing", clients(*ODD[1:]), LATER + timedelta(hours=1))
    assert [owner.client_id for owner in records.due("billing", LATER, 100)] == ODD[:1]
    save(sql, *(Change(record, RecordState()) for record in records.load("billing", clients(*ODD[1:]))))
    assert sql.erp.run("SELECT client_id FROM sync_base") == [{"client_id": ODD[0]}]


def test_a_key_with_a_nul_is_found_and_no_other_is_taken_for_it(sqlite_bench: SqlBench) -> None:
    records = sqlite_bench.exchange.records
    for key in ("a", "", "a%", "\uffff"):
        save(sqlite_bench, change(key, base={"street": "another's"}))
    assert records.states(["billing"], clients(*WITH_NUL)) == {}
    for key in WITH_NUL:
        sqlite_bench.erp.insert_client(key)
        save(sqlite_bench, change(key, base={"street": key}))
    assert records.existing(["a", *WITH_NUL]) == set(WITH_NUL)
    loaded = records.load("billing", clients(*WITH_NUL))
    assert [record.state.base and record.state.base.erp["street"] for record in loaded] == WITH_NUL
    save(sqlite_bench, *(Change(record, RecordState()) for record in loaded))
    assert len(sqlite_bench.erp.run("SELECT client_id FROM sync_base")) == 4


def test_odd_keys_of_prices_are_removed_each_by_itself(sql: SqlBench) -> None:
    store_prices(sql, *(price(key) for key in [*ODD, "a"]))
    store_prices(sql, removed=[("product", key) for key in ODD])
    assert [key for _, _, key in sql.erp.sent] == ["a"]


@pytest.mark.parametrize("concern", ["billing", "accounts", "shops", ADDRESSES, "discounts", "credit"])
def test_a_statement_has_as_many_parameters_for_a_thousand_keys_as_for_one(sql: SqlBench, concern: str) -> None:
    seen_of = []
    for keys in (["C-0"], [f"C-{number}" for number in range(1, 1000)]):
        insert(sql, keys)
        sql.exchange.records.count_linked()
        with parameters(sql) as seen:
            sql.exchange.records.load(concern, clients(*keys))
            sql.exchange.records.states([concern], clients(*keys))
        seen_of.append([(text, len(given)) for text, given in seen])
    assert seen_of[0] == seen_of[1]
    assert max(count for _, count in seen_of[0]) <= 5


def insert(sql: SqlBench, keys: Sequence[str]) -> None:
    with sql.erp.engine.begin() as connection:
        connection.execute(ERP.clients.insert(), [{"id": key, "street": "A"} for key in keys])


def opened(number: int) -> Change:
    link = Link(f"C-{number}", str(number), "b2b", "created")
    return change(link.client_id, "accounts", link=link, base={"active": True}, status=IN_STEP)


@pytest.mark.parametrize("count", [1, 100, 1000])
def test_what_a_save_costs_does_not_depend_on_how_many_are_saved(sql: SqlBench, count: int) -> None:
    insert(sql, [f"C-{number}" for number in range(count)])
    sql.exchange.ownership.hold()  # the first transaction looks at the tables, and claims them
    edits = [edit(f"C-{number}", street=("A", "B")) for number in range(count)]
    for changes, cost in (([opened(number) for number in range(count)], 6), (edits, 6)):
        with parameters(sql) as seen:
            assert not save(sql, *changes).again
        texts = [text for text, _ in seen if not text.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
        assert len(texts) == cost, texts


# --- nothing is deleted that is not there


def deletions(sql: SqlBench, *changes: Change) -> list[str]:
    with parameters(sql) as seen:
        save(sql, *changes)
    return [text.split()[2] for text, _ in seen if text.startswith("DELETE")]


def test_linking_deletes_only_the_link_of_one_who_is_gone_and_the_news_of_the_account(sql: SqlBench) -> None:
    for number in range(3):
        sql.erp.insert_client(f"C-{number}")
    assert deletions(sql, *(opened(number) for number in range(3))) == []
    sql.exchange.index.list_incoming([IncomingClient("7", {})], at=AT)
    assert deletions(sql, opened(7)) == ["incoming_clients"]
    assert sql.erp.incoming == {}
    sql.erp.delete_client("C-1")
    assert deletions(sql, change("C-9", "accounts", link=Link("C-9", "1", "x", "operator"))) == ["sync_links"]
    assert sql.exchange.index.owners(["0", "1", "2"]) == {"0": "C-0", "1": "C-9", "2": "C-2"}


def test_candidates_are_deleted_where_there_are_any(sql: SqlBench) -> None:
    assert deletions(sql, change("C-1", "accounts", status=IN_STEP, candidates=())) == []
    sql.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('C-1', '7'), ('C-2', '7')")
    record = load(sql, "C-1", "accounts")
    assert deletions(sql, change(record, candidates=())) == ["sync_matches"]
    assert sql.erp.run("SELECT client_id FROM sync_matches") == [{"client_id": "C-2"}]


# --- one that fails costs its neighbours little


@pytest.mark.parametrize("faults", [1, 3])
def test_a_row_that_the_erp_has_changed_meanwhile_costs_its_neighbours_little(sql: SqlBench, faults: int) -> None:
    raced = {f"C-{number}" for number in (3, 500, 999)[:faults]}
    insert(sql, [f"C-{number}" for number in range(1000)])
    sql.exchange.records.count_linked()
    for key in raced:
        sql.erp.update_client(key, street="meanwhile")
    with parameters(sql) as seen:
        saved = save(sql, *(edit(f"C-{number}", street=("A", "B")) for number in range(1000)))
    assert {key.client_id for key in saved.again} == raced
    assert sql.erp.run("SELECT count(*) AS n FROM clients WHERE street = 'B'") == [{"n": 1000 - faults}]
    assert len(seen) < 100 * faults


def test_new_rows_that_are_refused_cost_their_neighbours_little(sql: SqlBench) -> None:
    row = {"street": "A"}
    for number in (7, 300):
        sql.erp.refuse_address(f"A-{number}")
    changes = [item(f"A-{number}", row=RowWrite(insert=row), base=row) for number in range(500)]
    with parameters(sql) as seen:
        saved = save(sql, *changes)
    assert {key.item_id for key in saved.refused} == {"A-7", "A-300"}
    assert sql.erp.run(f"SELECT count(*) AS n FROM {ADDRESSES}") == [{"n": 498}]
    assert len(seen) < 200


def test_of_a_client_nothing_is_known_twice(sql: SqlBench) -> None:
    sql.erp.insert_client("C-1")
    records = sql.exchange.records.load("billing", [*clients("C-1"), *clients("C-1")])
    assert [record.key.client_id for record in records] == ["C-1"]
    assert records[0] == Record(records[0].key, erp=records[0].erp)
