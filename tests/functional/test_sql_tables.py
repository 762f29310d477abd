"""The tables are those of the design, and are made from the table of fields: a new field is one line there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from kartoteka.adapters import sql as adapter
from kartoteka.adapters.sql import SqlExchange, tables, upgrade
from kartoteka.adapters.sql.tables import COLUMNS, ERP, ErpTables
from kartoteka.errors import Halt
from kartoteka.fields import table
from kartoteka.fields.table import BILLING, CONCERNS, Column, Field, Fields, Kind
from kartoteka.model import Change, Edit, Key, Owner, Record, RecordState, RowWrite
from kartoteka.ports.exchange import IncomingClient, Saved
from tests.fixtures.exchange import Connect, SqlBench, SqlErp
from tests.fixtures.records import ADDRESSES, AT, clients, groups, load, row_of

ABOUT = "client_id group_id concern item_id"
DESIGNED = {
    "clients": "id login email phone client_type first_name last_name company nip street zip_code city province "
    "country_code language currency wholesaler vat_eu local_government active discount_group_id",
    "delivery_addresses": "id client_id first_name last_name additional phone street zip_code city country_code",
    "client_shops": "client_id shop_id",
    "discount_groups": "id name",
    "discount_group_items": "group_id item_type item_id price rebate_percent base_price currency valid_from valid_to",
    "client_credit": "client_id credit_allowed credit_limit balance payment_days currency overdue as_of",
    "incoming_clients": "panel_client_id email phone client_type first_name last_name company nip street zip_code city "
    "province country_code language currency wholesaler vat_eu local_government seen_at client_id",
    "sync_links": "client_id panel_client_id panel_login linked_at linked_by former_code",
    "sync_base": f"{ABOUT} values panel_item_id notes intent due_at attempts tries code unread_since at",
    "sync_panel_accounts": "panel_client_id login external_code code_key tax_number mail telephone modified_at guest "
    "registered seen_at",
    "sync_exclusions": "client_id concern reason",
    "sync_forgotten": "digest client forgotten_at swept_at modified_at registered seen_at",
    "sync_prices": "group_id item_type item_id price currency refused sent_at",
    "sync_matches": "client_id panel_client_id matched_by decision decided_by raised_at",
    "sync_status": f"{ABOUT} state since last_in_step_at code field message_pl message_en decision decided_by",
    "sync_conflicts": "id client_id concern item_id field erp_value panel_value base_value raised_at decision "
    "decided_by decided_at closed_at erased_at",
    "sync_history": f"id at run_id {ABOUT} field direction reason value_before value_after counts passed "
    "found_by erased_at",
    "sync_owner": "id installation since former",
    "sync_pauses": "concern reason code paused_at released_at",
    "sync_plan": f"id planned_at {ABOUT} action field direction value_from value_to reason decision decided_by outcome",
    "change_log": "seq table_name client_id group_id row_id operation logged_at",
    "sync_schema": "version applied_at",
}


def test_every_table_has_the_columns_of_the_design_in_this_order(sql: SqlBench) -> None:
    inspector = sa.inspect(sql.erp.engine)
    present = {name: [column["name"] for column in inspector.get_columns(name)] for name in DESIGNED}
    assert present == {name: columns.split() for name, columns in DESIGNED.items()}
    assert set(inspector.get_table_names()) - {"sqlite_sequence"} == DESIGNED.keys()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_text_column_is_as_long_as_its_field(name: str) -> None:
    columns = ERP.named(name).c
    texts = {
        field.name: field.length for field in COLUMNS[name].values() if isinstance(columns[field.name].type, sa.String)
    }
    assert {field: columns[field].type.length for field in texts} == texts


def test_a_client_of_raw_sql_gets_the_defaults(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-1')")
    (row,) = sql.erp.run("SELECT country_code, active, wholesaler, email FROM clients")
    assert (row["country_code"], bool(row["active"]), row["wholesaler"], row["email"]) == ("PL", True, None, None)


def test_moments_are_written_in_utc_whatever_the_session_says(server_bench: SqlBench) -> None:
    elsewhere = {"postgresql": "SET TIME ZONE 'Pacific/Auckland'", "mysql": "SET time_zone = '+13:00'"}
    server_bench.erp.script(elsewhere[server_bench.erp.engine.dialect.name], "INSERT INTO clients (id) VALUES ('C-1')")
    (row,) = server_bench.erp.run("SELECT logged_at FROM change_log")
    assert abs((row["logged_at"].replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 60


def test_money_keeps_its_two_places(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO client_credit (client_id, credit_limit) VALUES ('C-1', 1234567890.12)")
    (stored,) = sql.erp.run("SELECT CAST(credit_limit AS CHAR(20)) AS text FROM client_credit")
    assert stored["text"].strip() == "1234567890.12"
    assert row_of(load(sql, concern="credit"))["credit_limit"] == "1234567890.12"


# --- one field more

NEW = {
    "shoe_size": (Field("shoe_size", table.TEXT, 5), "44", "45"),
    "speaks_esperanto": (Field("speaks_esperanto", table.FLAG, 5, default=False), True, False),
    "pocket_money": (Field("pocket_money", table.MONEY, 16), "12.25", "13.75"),
    "children": (Field("children", Kind(Column.WHOLE), 3, default="0"), "2", "3"),
    "planet": (Field("planet", table.COUNTRY, 2, default="E"), "M", "EX"),
}
FIELDS: Fields = {**BILLING, **{name: field for name, (field, _, _) in NEW.items()}}
ADDRESS_FIELDS: Fields = {**table.DELIVERY_ADDRESSES, "gate_code": Field("gate_code", table.TEXT, 10)}
GROUP_FIELDS: Fields = {**table.GROUP_FIELDS, "colour": Field("colour", table.TEXT, 10)}
CREDIT_FIELDS: Fields = {**table.CREDIT_COLUMNS, "insured": Field("insured", table.MONEY, 16)}
WIDER_COLUMNS: Mapping[str, Fields] = {
    **COLUMNS,
    "clients": {**COLUMNS["clients"], **FIELDS},
    "incoming_clients": FIELDS,
    ADDRESSES: ADDRESS_FIELDS,
    "discount_groups": GROUP_FIELDS,
    "client_credit": CREDIT_FIELDS,
}
WIDER = ErpTables(
    WIDER_COLUMNS,
    {
        **CONCERNS,
        "billing": replace(CONCERNS["billing"], fields=FIELDS, columns=tuple(FIELDS)),
        ADDRESSES: replace(CONCERNS[ADDRESSES], fields=ADDRESS_FIELDS),
        "credit": replace(CONCERNS["credit"], columns=tuple(CREDIT_FIELDS)),
    },
)
"""The tables as they are when the table of fields has some lines more."""


@pytest.fixture
def wider(sql: SqlBench) -> Iterator[SqlExchange]:
    """Give a database whose tables were made by the program of today and upgraded by one with more fields."""
    upgrade.upgrade(sql.exchange.database.engine, WIDER)
    exchange = adapter.connect(sql.url, WIDER)
    yield exchange
    exchange.close()


def test_a_field_more_is_a_column_more_in_the_printed_tables() -> None:
    for name in ("sqlite", "postgresql"):
        script = upgrade.ddl(name, WIDER)
        assert script.count("shoe_size VARCHAR(5)") == 2, "clients and incoming_clients"
        assert "speaks_esperanto BOOLEAN DEFAULT" in script
        assert "pocket_money NUMERIC(12, 2)" in script
        assert "planet CHAR(2) DEFAULT 'E'" in script
        assert "shoe_size" not in upgrade.ddl(name)


def test_a_field_more_is_asked_for(sql: SqlBench) -> None:
    exchange = adapter.connect(sql.url, WIDER)
    with pytest.raises(Halt) as caught:
        exchange.records.count_linked()
    assert str(caught.value) == (
        "no_schema: column clients.shoe_size, column clients.speaks_esperanto, column clients.pocket_money, "
        "column clients.children, column clients.planet and 8 more are missing: run `kartoteka schema upgrade --url …`"
    )
    upgrade.upgrade(sql.exchange.database.engine, WIDER)
    assert exchange.records.count_linked() == 0
    assert sql.exchange.records.count_linked() == 0, "a database with more columns is fine"
    exchange.close()


def test_a_field_more_is_read_and_written(sql: SqlBench, wider: SqlExchange) -> None:
    names = ", ".join(NEW)
    sql.erp.run(f"INSERT INTO clients (id, {names}) VALUES ('C-1', '44', {sql_true(sql.erp)}, 12.25, 2, 'M')")
    sql.erp.run("INSERT INTO clients (id) VALUES ('C-2')")
    first, second = wider.records.load("billing", clients("C-1", "C-2"))
    assert {name: row_of(first)[name] for name in NEW} == {name: old for name, (_, old, _) in NEW.items()}
    assert [row_of(second)[name] for name in NEW] == [None, False, None, "0", "E"]
    row = RowWrite(edits={name: Edit(old, new) for name, (_, old, new) in NEW.items()})
    change = Change(first, RecordState(), row=row)
    assert wider.records.save([change], run_id="r", at=AT) == Saved()
    assert wider.records.save([change], run_id="r", at=AT).again == {first.key}, "it is not as seen any more"
    (first,) = wider.records.load("billing", clients("C-1"))
    assert {name: row_of(first)[name] for name in NEW} == {name: new for name, (_, _, new) in NEW.items()}


def test_a_field_more_of_items_groups_and_figures_is_read_and_written(sql: SqlBench, wider: SqlExchange) -> None:
    new = Record(Key("C-1", "", ADDRESSES, "A-1"))
    row = RowWrite(insert={"street": "A", "gate_code": "1234"})
    assert wider.records.save([Change(new, RecordState(), row=row)], run_id="r", at=AT) == Saved()
    assert row_of(wider.records.load(ADDRESSES, clients("C-1"))[1])["gate_code"] == "1234"
    sql.erp.run("INSERT INTO discount_groups (id, name, colour) VALUES ('G', 'A', 'red')")
    assert wider.records.load("discounts", groups("G"))[0].erp == {"name": "A", "colour": "red"}
    sql.erp.run("INSERT INTO client_credit (client_id, insured) VALUES ('C-1', 5)")
    assert row_of(wider.records.load("credit", [Owner("C-1")])[0])["insured"] in ("5.00", "5")


def test_a_field_more_is_told_of_who_registered_in_the_shop(sql: SqlBench, wider: SqlExchange) -> None:
    wider.index.list_incoming([IncomingClient("7", {"shoe_size": "44444444", "speaks_esperanto": "y"})], at=AT)
    (row,) = sql.erp.run("SELECT shoe_size, speaks_esperanto FROM incoming_clients")
    assert (row["shoe_size"], bool(row["speaks_esperanto"])) == ("44444", True)


def sql_true(erp: SqlErp) -> str:
    return "true" if erp.engine.dialect.name == "postgresql" else "1"


# --- what is missing


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (["ALTER TABLE clients DROP COLUMN province"], "column clients.province is missing"),
        (["ALTER TABLE sync_status DROP COLUMN last_in_step_at"], "column sync_status.last_in_step_at is missing"),
        (["ALTER TABLE change_log DROP COLUMN group_id"], "column change_log.group_id is missing"),
        (["DROP TABLE client_credit"], "table client_credit is missing"),
        (["DROP TABLE sync_base", "DROP TABLE sync_prices"], "table sync_base, table sync_prices are missing"),
    ],
)
def test_what_is_missing_is_named_with_the_command(sql: SqlBench, connect: Connect, drop: list[str], said: str) -> None:
    sql.erp.script(*drop)
    with pytest.raises(Halt) as caught:
        connect(sql.url).records.count_linked()
    assert str(caught.value) == f"no_schema: {said}: run `kartoteka schema upgrade --url …`"
    upgrade.upgrade(sql.exchange.database.engine)
    assert connect(sql.url).records.count_linked() == 0


def test_an_empty_database_is_to_be_filled(empty_url: str, connect: Connect) -> None:
    with pytest.raises(
        Halt, match=r"no_schema: table clients, .* and 16 more are missing: run `kartoteka schema create"
    ):
        connect(empty_url).log.read(0, [], 1)


def test_a_table_of_a_later_feature_is_not_asked_for(sql: SqlBench, connect: Connect) -> None:
    sql.erp.script(*(f"DROP TABLE {name}" for name in tables.OPTIONAL))
    assert connect(sql.url).records.count_linked() == 0


def test_the_columns_are_looked_at_once(sql: SqlBench) -> None:
    with sql.statements() as first:
        sql.exchange.records.count_linked()
    with sql.statements() as second:
        sql.exchange.records.count_linked()
    assert len(first) == len(second) + 1


def test_a_view_will_do_for_a_table(sql: SqlBench, connect: Connect) -> None:
    sql.erp.script("ALTER TABLE client_credit RENAME TO figures", "CREATE VIEW client_credit AS SELECT * FROM figures")
    sql.erp.run("INSERT INTO figures (client_id, balance) VALUES ('C-1', 5)")
    exchange = connect(sql.url)
    assert row_of(exchange.records.load("credit", clients("C-1"))[0])["balance"] in ("5.00", "5")
