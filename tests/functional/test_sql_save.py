"""What ``save`` writes into which table, how a state is spelled there, and what happens to data that are refused."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql import upgrade
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.errors import Halt
from kartoteka.fields.table import BILLING
from kartoteka.model import (
    DRIFT,
    REFUSED,
    Candidate,
    Change,
    ConflictNote,
    Deferral,
    Direction,
    Forms,
    Intent,
    Link,
    Note,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Sent,
    Written,
)
from kartoteka.ports.exchange import IncomingClient, Saved, SeenAccount
from kartoteka.ports.panel import Window
from tests.fixtures.exchange import SqlBench, exact
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    DEFERRED,
    LATER,
    RACED,
    about,
    change,
    clients,
    edit,
    edits,
    groups,
    item,
    load,
    load_group,
    price,
    save,
    store_prices,
    written,
)

WHOLE = RecordState(
    base=Forms({"street": "A", "city": None}, {"street": "A"}),
    panel_id="7",
    notes={"street": Note(DRIFT, "B", 3), "city": Note(REFUSED, "x", 1, "bad_city", "Złe miasto")},
    intent=Intent((written("street", None, "A"), written("nip", "1", "2", counts=True)), login="b2b-1"),
    deferral=DEFERRED,
    status=Status(State.PENDING, "timeout", "street", "Później.", "Later."),
)


def tables(seen: list[str], operation: str) -> list[str]:
    """Return the tables of the statements that begin with this word, in order."""
    return [s.split()[2 if operation != "UPDATE" else 1] for s in seen if s.startswith(operation)]


def stored(sql: SqlBench, column: str) -> Any:
    (row,) = sql.erp.run(f'SELECT "{column}" AS value FROM sync_base')
    return row["value"]


# --- how a state is spelled


def test_a_whole_state_comes_back_as_it_was(sql: SqlBench) -> None:
    save(sql, Change(Record(change().record.key), WHOLE))
    assert load(sql).state == WHOLE
    assert sql.exchange.records.states(["billing"], clients("C-1")) == {change().record.key: WHOLE}


@pytest.mark.parametrize(
    ("base", "spelled"),
    [
        (Forms({}, {}), "{}"),
        (Forms({"a": "x"}, {"a": "x"}), '{"a":"x"}'),
        (Forms({"a": "x"}, {"a": "y"}), '{"a":["x","y"]}'),
        (Forms({"a": "x"}, {}), '{"a":["x"]}'),
        (Forms({"a": None}, {"a": None}), '{"a":null}'),
        (Forms({"a": None}, {"a": ""}), '{"a":[null,""]}'),
        (Forms({"a": None}, {}), '{"a":[null]}'),
        (Forms({"a": True, "b": False}, {"a": True, "b": None}), '{"a":true,"b":[false,null]}'),
        (Forms({"a": "true"}, {"a": True}), '{"a":["true",true]}'),
        (Forms({"a": (1, 2)}, {"a": (1, 2)}), '{"a":[[1,2],[1,2]]}'),
        (Forms({"a": (1, 2)}, {"a": (1,)}), '{"a":[[1,2],[1]]}'),
        (Forms({"a": (7,), "b": (1, 2)}, {"a": (7,)}), '{"a":[[7],[7]],"b":[[1,2]]}'),
        (Forms({"a": (), "b": (3,)}, {"a": (), "b": None}), '{"a":[[],[]],"b":[[3],null]}'),
        (Forms({"a": ()}, {}), '{"a":[[]]}'),
        (Forms({"b": "ż", "a": "[1]"}, {"b": "ż", "a": "[1]"}), '{"a":"[1]","b":"\\u017c"}'),
    ],
)
def test_a_base_is_spelled_by_field_and_comes_back(sql: SqlBench, base: Forms, spelled: str) -> None:
    save(sql, change(base=base))
    assert stored(sql, "values") == spelled
    assert load(sql).state.base == base


FIRST, SECOND = (Sent(AT, former, LATER) for former in ((None,), ("x", (1, 2), False)))
SENT = '["2026-03-02T12:00:00+00:00",[null],"2026-03-02T13:00:00+00:00",1,false]'


@pytest.mark.parametrize(
    ("sent", "spelled"),
    [
        ({"a": FIRST}, f'{{"":[{SENT}],"a":["1",null,0],"b":["2"],"c":"3"}}'),
        ({"a": FIRST, "b": FIRST}, f'{{"":[{SENT}],"a":["1",null,0],"b":["2",null,0],"c":"3"}}'),
        ({"a": FIRST, "b": Sent(*FIRST)}, f'{{"":[{SENT}],"a":["1",null,0],"b":["2",null,0],"c":"3"}}'),
        ({"a": SECOND, "b": FIRST}, None),
        ({"a": FIRST._replace(seen=True, times=3), "b": FIRST}, None),
        ({"b": FIRST._replace(former=("1",)), "a": FIRST._replace(former=((1,),))}, None),
        ({"b": FIRST._replace(ask_at=AT), "a": FIRST._replace(at=LATER)}, None),
    ],
)
def test_what_is_remembered_of_fields_that_were_sent_together_is_spelled_once(
    sql: SqlBench, sent: dict[str, Sent], spelled: str | None
) -> None:
    base = Forms({"a": "1", "b": "2", "c": "3"}, {"c": "3"}, sent)
    save(sql, change(base=base))
    assert load(sql).state.base == base
    assert stored(sql, "values") == (spelled or stored(sql, "values"))


def test_what_is_the_default_of_an_intent_is_not_spelled(sql: SqlBench) -> None:
    row = '["street","erp_to_panel","edit",null,true]'
    for intent, spelled in (
        (Intent(()), "{}"),
        (Intent((written("street", None, True),)), f'{{"written":[{row}]}}'),
        (
            Intent((written("shops", (1, 2), (1,)),)),
            '{"written":[["shops","erp_to_panel","edit",[1,2],[1]]]}',
        ),
        (Intent((), making=True, existing=("7", "8")), '{"existing":["7","8"],"making":true}'),
        (Intent((), login="b2b", linked_by="nip"), '{"linked_by":"nip","login":"b2b"}'),
    ):
        save(sql, change(load(sql), intent=intent))
        assert stored(sql, "intent") == spelled
        assert load(sql).state.intent == intent


def test_notes_are_spelled_by_field(sql: SqlBench) -> None:
    save(sql, change(notes=WHOLE.notes))
    refused = '["refused","x",1,"bad_city","Z\\u0142e miasto"]'
    assert stored(sql, "notes") == f'{{"city":{refused},"street":["drift","B",3,"",""]}}'
    assert stored(sql, "values") is None
    assert load(sql).state == RecordState(notes=WHOLE.notes)


@pytest.mark.parametrize("part", ["base", "panel_id", "notes", "intent", "deferral"])
def test_a_row_stands_as_long_as_anything_is_kept_in_it(sql: SqlBench, part: str) -> None:
    save(sql, Change(Record(change().record.key), RecordState(**{part: getattr(WHOLE, part)})))
    assert getattr(load(sql).state, part) == getattr(WHOLE, part)
    assert sql.erp.run("SELECT state FROM sync_status") == []
    save(sql, Change(load(sql), RecordState()))
    assert sql.erp.run("SELECT * FROM sync_base") == []


@pytest.mark.parametrize("hours", [-11, 1, 14])
def test_a_moment_of_another_zone_is_kept_in_utc(sql: SqlBench, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    due = replace(DEFERRED, due_at=LATER.astimezone(zone))
    account = SeenAccount("77", "a", "", "", "", modified_at=AT.astimezone(zone))
    link = Link("C-1", "77", "a", "created")
    save(
        sql,
        change(deferral=due, status=IN_STEP, link=link, written=(written("street", None, "A"),)),
        at=AT.astimezone(zone),
    )
    sql.exchange.index.remember([account], at=AT.astimezone(zone))
    state = load(sql).state.deferral
    assert state is not None
    assert (state.due_at, state.due_at.utcoffset()) == (LATER, timedelta(0))
    assert [len(sql.exchange.records.due("billing", LATER + timedelta(minutes=n), 9)) for n in (-1, 0)] == [0, 1]
    assert sql.exchange.index.known(["77"])["77"].modified_at == AT
    assert sql.exchange.index.count_seen(Window(AT, AT), AT) == 1
    columns = {"sync_base": "at", "sync_status": "since", "sync_links": "linked_at", "sync_history": "at"}
    for table, column in columns.items():
        (row,) = sql.erp.run(f"SELECT CAST({column} AS VARCHAR(19)) AS moment FROM {table}")
        assert row["moment"][:19] == "2026-03-02 12:00:00", table


# --- only what differs is written


def test_nothing_is_written_where_nothing_differs(sql: SqlBench) -> None:
    save(sql, Change(Record(change().record.key), WHOLE))
    record = load(sql)
    with sql.statements() as seen:
        assert save(sql, Change(record, WHOLE), Change(record, replace(WHOLE, notes=dict(WHOLE.notes)))) == Saved()
        assert save(sql) == Saved()
    assert seen == []


def test_a_row_of_the_erp_is_all_that_is_written_where_the_state_stays(sql: SqlBench) -> None:
    sql.erp.insert_client("C-1", street="A")
    save(sql, Change(Record(change().record.key), WHOLE))
    with sql.statements() as seen:
        save(sql, Change(load(sql), WHOLE, row=edits(street=("A", "B"))))
    assert (tables(seen, "UPDATE"), tables(seen, "INSERT"), tables(seen, "DELETE")) == (["clients"], [], [])


def test_another_status_touches_no_other_table(sql: SqlBench) -> None:
    save(sql, Change(Record(change().record.key), WHOLE))
    with sql.statements() as seen:
        save(sql, change(load(sql), status=IN_STEP))
    assert (tables(seen, "INSERT"), tables(seen, "DELETE")) == (["sync_status"], [])
    assert load(sql).state == replace(WHOLE, status=IN_STEP)


def test_another_base_touches_no_other_table(sql: SqlBench) -> None:
    save(sql, Change(Record(change().record.key), WHOLE))
    with sql.statements() as seen:
        save(sql, change(load(sql), deferral=None))
    assert (tables(seen, "INSERT"), tables(seen, "DELETE")) == (["sync_base"], [])
    assert load(sql).state == replace(WHOLE, deferral=None)


def test_of_a_hundred_records_only_those_that_differ_are_written(sql: SqlBench) -> None:
    keys = [f"C-{number}" for number in range(100)]
    save(sql, *(change(key, base={"street": "A"}, status=IN_STEP) for key in keys))
    records = sql.exchange.records.load("billing", clients(*keys))
    after = [
        replace(r.state, base=Forms({"street": "B"}, {})) if n in (7, 8) else r.state for n, r in enumerate(records)
    ]
    save(sql, *(Change(record, state) for record, state in zip(records, after, strict=True)), at=LATER)
    moved = sql.erp.run(
        'SELECT client_id, "values" AS v FROM sync_base WHERE at > :at', at=AT.strftime("%Y-%m-%d %H:30")
    )
    assert moved == [{"client_id": key, "v": '{"street":["B"]}'} for key in ("C-7", "C-8")]


def test_of_a_record_given_twice_the_last_is_stored(sql: SqlBench) -> None:
    save(sql, change(base={"a": "1"}, status=IN_STEP), change(base={"a": "2"}, status=RACED), change("C-2", base={}))
    assert (load(sql).state.base, load(sql).state.status) == (Forms({"a": "2"}, {"a": "2"}), RACED)


# --- links


def test_an_account_is_taken_from_its_client_of_before_where_that_one_is_gone(sql: SqlBench) -> None:
    links = [Link("C-1", "77", "a", "created"), Link("C-2", "78", "b", "nip"), Link("C-3", "79", "c", "created")]
    save(sql, *(change(link.client_id, link=link) for link in links))
    swapped = (Link("C-1", "78", "b", "operator"), Link("C-2", "77", "a", "operator"))
    save(sql, *(change(link.client_id, link=link) for link in swapped))
    assert sql.exchange.index.owners(["77", "78", "79"]) == {"77": "C-2", "78": "C-1", "79": "C-3"}
    save(sql, change("C-4", link=Link("C-4", "79", "c", "operator")))
    assert sql.exchange.records.linked("", 10) == [("C-1", "78"), ("C-2", "77"), ("C-4", "79")]


def test_of_two_clients_that_are_given_one_account_at_once_the_first_has_it(sql: SqlBench) -> None:
    both = [change(key, link=Link(key, "77", "a", "operator"), status=IN_STEP) for key in ("C-1", "C-2")]
    assert save(sql, change("C-0", status=IN_STEP), *both).again == {both[1].record.key}
    assert sql.exchange.index.owners(["77"]) == {"77": "C-1"}
    assert [load(sql, key).state.status for key in ("C-0", "C-1", "C-2")] == [IN_STEP, IN_STEP, None]


def test_the_database_itself_gives_an_account_to_one_client_only(sql: SqlBench) -> None:
    save(sql, change(link=Link("C-1", "77", "a", "created")))
    with pytest.raises(sa.exc.IntegrityError):
        sql.erp.run("INSERT INTO sync_links (client_id, panel_client_id) VALUES ('C-2', '77')")


# --- groups of any name

ODD = ["G/product/7", "100%", "50_", "O'Neill", 'say "so"', "G\\", "żółw", "a|b:c", "[x]", " G"]


def test_groups_of_any_name_are_kept_apart(sql: SqlBench) -> None:
    names = [*ODD, "G", "G/product"]
    for group_id in names:
        sql.erp.set_group(group_id, f"named {group_id}")
        save(sql, about(group_id, panel_id=f"n{names.index(group_id)}", status=IN_STEP, deferral=DEFERRED))
        store_prices(
            sql,
            price("7", f"{names.index(group_id)}.00"),
            group_id=group_id,
            changes=[about(group_id, "product/7", status=Status(State.HELD, group_id[:60]))],
        )
    loaded = sql.exchange.records.load("discounts", groups(*names))
    assert [record.key.group_id for record in loaded] == names
    assert [record.erp for record in loaded] == [{"name": f"named {group_id}"} for group_id in names]
    assert sql.exchange.prices.numbers() == {group_id: f"n{n}" for n, group_id in enumerate(names)}
    assert sql.exchange.prices.group_ids() == sorted(names)
    for n, group_id in enumerate(names):
        assert sql.exchange.prices.statuses(group_id) == {"product/7": Status(State.HELD, group_id)}
        assert [sent.price for sent in sql.exchange.prices.without_item(group_id, 10)] == [f"{n}.00"]
        assert load_group(sql, group_id).state.status == IN_STEP
    assert {owner.group_id for owner in sql.exchange.records.due("discounts", LATER, 100)} == set(names)
    sql.exchange.prices.forget("G")
    sql.exchange.records.postpone("discounts", groups("100%"), LATER + timedelta(hours=1))
    assert sql.exchange.prices.without_item("G", 10) == []
    assert len(sql.exchange.prices.without_item("G/product/7", 10)) == 1
    assert {owner.group_id for owner in sql.exchange.records.due("discounts", LATER, 100)} == set(names) - {"100%"}


def test_a_client_and_a_group_of_one_id_are_two(sql: SqlBench) -> None:
    save(sql, change("X", "discounts", base={"a": "client"}), about("X", base={"a": "group"}))
    mine, its = sql.exchange.records.load("discounts", [*clients("X"), *groups("X")])
    assert mine.state.base == Forms({"a": "client"}, {"a": "client"})
    assert its.state.base == Forms({"a": "group"}, {"a": "group"})
    states = sql.exchange.records.states(["discounts"], [*clients("X"), *groups("X")])
    assert {(key.client_id, key.group_id) for key in states} == {("X", ""), ("", "X")}


# --- refused data


def _break(sql: SqlBench, table: str, column: str, key: str) -> None:
    """Let the database refuse our own row of one record."""
    if sql.erp.engine.dialect.name == "sqlite":
        body = f"BEFORE INSERT ON {table} WHEN NEW.{column} = '{key}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
        sql.erp.script(f"CREATE TRIGGER broken {body}")
    else:
        sql.erp.script(f"ALTER TABLE {table} ADD CONSTRAINT broken_{table} CHECK ({column} <> '{key}')")


@pytest.mark.parametrize("table", ["sync_base", "sync_status"])
def test_one_record_that_the_database_refuses_does_not_hold_up_its_neighbours(sql: SqlBench, table: str) -> None:
    keys = [f"C-{number}" for number in range(5)]
    for key in keys:
        sql.erp.insert_client(key, street="A")
    _break(sql, table, "client_id", "C-3")
    answer = save(sql, *(edit(key, street=("A", "B")) for key in keys))
    assert answer.again == frozenset()
    assert answer.refused.keys() == {change("C-3").record.key}
    assert "broken" in answer.refused[change("C-3").record.key]
    assert "broken" not in repr(answer)
    records = sql.exchange.records.load("billing", clients(*keys))
    left = None if table == "sync_status" else RACED
    assert [r.state.status for r in records] == [IN_STEP, IN_STEP, IN_STEP, left, IN_STEP]
    assert [r.erp and r.erp["street"] for r in records] == ["B", "B", "B", "A", "B"]


def test_one_item_that_the_database_refuses_does_not_hold_up_the_clients_others(sql: SqlBench) -> None:
    _break(sql, "sync_base", "item_id", "A-2")
    row = {"street": "A"}
    answer = save(sql, *(item(f"A-{n}", row=RowWrite(insert=row), base=row) for n in range(4)))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {item("A-2").record.key})
    found = sql.exchange.records.load(ADDRESSES, clients("C-1"))
    states = [(r.key.item_id, r.erp is not None, r.state.status) for r in found]
    assert states[1:] == [("A-0", True, IN_STEP), ("A-1", True, IN_STEP), ("A-2", False, RACED), ("A-3", True, IN_STEP)]


def test_a_check_of_the_erp_that_swallows_a_row_refuses_it(postgres_bench: SqlBench) -> None:
    postgres_bench.erp.script(
        "CREATE FUNCTION erp_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        f"CREATE TRIGGER erp_check BEFORE INSERT ON {ADDRESSES} "
        "FOR EACH ROW WHEN (NEW.id = 'A-1') EXECUTE FUNCTION erp_check()",
    )
    answer = save(postgres_bench, *(item(f"A-{n}", row=RowWrite(insert={"street": "A"})) for n in (1, 2)))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {item("A-1").record.key})
    assert postgres_bench.erp.run(f"SELECT id FROM {ADDRESSES}") == [{"id": "A-2"}]


def test_a_table_of_the_erps_own_is_written_as_it_is(sql: SqlBench) -> None:
    sql.erp.run(f"DROP TABLE {ADDRESSES}")
    owner = f"client_id VARCHAR(40){exact(sql)} REFERENCES clients (id)"
    sql.erp.run(f"CREATE TABLE {ADDRESSES} (id CHAR(9){exact(sql)} PRIMARY KEY, {owner})")
    engine = sql.exchange.database.engine
    upgrade.create(engine)
    sql.erp.insert_client("C-1")
    sa.event.listen(engine, "connect", _keep_foreign_keys)
    sql.exchange.close()
    row = {"street": "A"}
    answer = save(sql, *(item(key, owner, row=RowWrite(insert=row)) for key, owner in (("A-1", "C-1"), ("A-2", "C-2"))))
    assert (answer.again, answer.refused.keys()) == (frozenset(), {item("A-2", "C-2").record.key})
    assert save(sql, item("A-1", row=RowWrite(insert=row))).again == {item("A-1").record.key}
    seen = sql.exchange.records.load(ADDRESSES, clients("C-1"))[1]
    assert (seen.key.item_id, seen.erp and seen.erp["street"]) == ("A-1", "A")
    assert sql.exchange.records.having(ADDRESSES, ["C-1"]) == {"C-1"}
    assert save(sql, item("A-1", row=RowWrite(delete=row))) == Saved()


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
        sql.erp.insert_client(key, street="A")
    assert save(sql, *(edit(key, street=("A", "B")) for key in keys)).refused.keys() == {change("C-2").record.key}
    records = sql.exchange.records.load("billing", clients(*keys))
    assert [r.erp and r.erp["street"] for r in records] == ["B", "A", "B"]
    assert [r.state.status for r in records] == [IN_STEP, RACED, IN_STEP]
    assert [client_id for _, client_id, _, _, operation in sql.erp.log() if operation == "U"] == ["C-1", "C-3"]


@pytest.mark.parametrize("value", ["NUL \x00 in it", "half a pair \ud83d"])
def test_a_text_that_no_database_takes_is_refused_alone(sql: SqlBench, value: str) -> None:
    for key in ("C-1", "C-2"):
        sql.erp.insert_client(key, street="A")
    answer = save(sql, edit("C-1", street=("A", value)), edit("C-2", street=("A", "B")))
    assert answer.refused.keys() == {change("C-1").record.key}
    assert [r.state.status for r in sql.exchange.records.load("billing", clients("C-1", "C-2"))] == [RACED, IN_STEP]
    new = save(sql, *(item(f"A-{n}", row=RowWrite(insert={"street": text})) for n, text in ((1, value), (2, "A"))))
    assert new.refused.keys() == {item("A-1").record.key}


def test_a_text_too_long_for_its_column_is_refused_alone(server_bench: SqlBench) -> None:
    for key in ("C-1", "C-2"):
        server_bench.erp.insert_client(key, street="A")
    answer = save(server_bench, edit("C-1", street=("A", "x" * 201)), edit("C-2", street=("A", "B")))
    assert answer.refused.keys() == {change("C-1").record.key}


def test_our_own_tables_take_any_text(sql: SqlBench) -> None:
    odd = "a\x00b\ud83d" + "x" * 5000
    wrote = (Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, odd, odd),)
    state = RecordState(
        base=Forms({"street": odd}, {"street": odd + "y"}),
        panel_id=odd,
        notes={"street": Note(DRIFT, odd, 2, odd)},
        intent=Intent(wrote, login=odd, linked_by=odd, existing=(odd,)),
        deferral=Deferral(AT, 1, 1, odd),
        status=Status(State.HELD, odd, odd, odd, odd),
    )
    told = Change(
        Record(change().record.key),
        state,
        link=Link("C-1", "77", odd, odd),
        candidates=(Candidate("C-1", "77", odd), Candidate("C-1", "77", odd)),
        written=wrote,
        conflicts=(ConflictNote("street", odd, odd, odd),),
    )
    assert save(sql, told) == Saved()
    sql.exchange.index.remember([SeenAccount("77", odd, odd, odd, odd)], at=AT)
    store_prices(sql, price("7", odd, odd, refused=odd))
    values = {**dict.fromkeys(BILLING, odd), "company": True, "city": None}
    sql.exchange.index.list_incoming([IncomingClient("78", values), IncomingClient("79", {"wholesaler": "y"})], at=AT)
    listed = {key: row.values for key, row in sql.erp.incoming.items()}
    assert (listed["78"]["company"], listed["78"]["city"], listed["78"]["wholesaler"]) == ("true", None, None)
    assert listed["79"]["wholesaler"] is True
    seen = load(sql).state
    assert (seen.base, seen.notes, seen.intent) == (state.base, state.notes, state.intent)
    assert len(sql.erp.history) == 1


def test_what_is_to_be_told_of_one_price_does_not_hold_up_the_others(sql: SqlBench) -> None:
    _break(sql, "sync_status", "item_id", "product/broken")
    store_prices(sql, price("1"), price("2"))
    told = [about("G", key, status=IN_STEP) for key in ("product/1", "product/broken", "product/2")]
    store_prices(sql, price("2"), removed=[("product", "1")], changes=told)
    assert list(sql.erp.sent) == [("G", "product", "2")]
    assert sql.exchange.prices.statuses("G").keys() == {"product/1", "product/2"}


def test_prices_are_stored_with_what_is_to_be_told_of_them_or_not_at_all(sql: SqlBench) -> None:
    sql.exchange.records.count_linked()
    sql.erp.run("DROP VIEW sync_open")
    sql.erp.run("DROP TABLE sync_status")
    with pytest.raises(Halt, match="no_schema"):
        store_prices(sql, price("1"), changes=[about("G", "product/1", status=IN_STEP)])
    assert sql.erp.sent == {}
