"""Values as ERPs really keep them: odd types, encodings and moments are read, and spoil no neighbour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kartoteka.adapters.sql import SqlExchange, upgrade
from kartoteka.adapters.sql.columns import Flag
from kartoteka.model import Value
from kartoteka.ports.exchange import ClientHint
from tests.fixtures.exchange import Connect, SqlBench, exact
from tests.fixtures.records import AT, FAR, clients, load, price, row_of, store_prices


def test_what_is_no_number_is_no_shop(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_client("C-1")
    for shop in ("'07'", "'a'", "-1", "2.5", "3", "''"):
        sqlite_bench.erp.run(f"INSERT INTO client_shops (client_id, shop_id) VALUES ('C-1', {shop})")
    assert row_of(load(sqlite_bench, concern="shops"))["shops"] == (3, 7)


def with_clients(connect: Connect, url: str, columns: str, *rows: str) -> SqlExchange:
    """Give an exchange database in which the ERP's own table of clients was there before our tables."""
    exchange = connect(url)
    with exchange.database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE clients (id VARCHAR(10){exact(url)} PRIMARY KEY, {columns})")
        connection.exec_driver_sql(f"INSERT INTO clients VALUES {', '.join(rows)}")
    upgrade.create(exchange.database.engine)
    return exchange


def test_tax_numbers_that_an_erp_keeps_as_numbers_are_recognised(empty_url: str, connect: Connect) -> None:
    exchange = with_clients(connect, empty_url, "nip BIGINT", "('C-1', 5250001233)", "('C-2', NULL)")
    known = exchange.index.recognised({"nip": "525-000-12-33", "country_code": "PL"})
    assert known.tax_number
    assert list(exchange.index.hints()) == [ClientHint("C-1", known.tax_number)]


def test_columns_that_an_erp_keeps_in_another_type_are_read_as_text(empty_url: str, connect: Connect) -> None:
    rows = ("('C-1', 5250001233, 950, 501502503)", "('C-2', 1, 2, 3)", "('C-3', NULL, NULL, NULL)")
    exchange = with_clients(connect, empty_url, "nip BIGINT, zip_code INTEGER, phone NUMERIC(12, 0)", *rows)
    read = [row_of(record) for record in exchange.records.load("billing", clients("C-1", "C-2", "C-3"))]
    assert [[row[name] for name in ("nip", "zip_code", "phone")] for row in read] == [
        ["5250001233", "950", "501502503"],
        ["1", "2", "3"],
        [None, None, None],
    ]


def test_a_text_bound_as_a_blob_is_read_as_text_and_its_neighbours_as_they_are(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.run("INSERT INTO clients (id, street, city) VALUES ('C-1', CAST('Żółta 1' AS BLOB), 'Łódź')")
    sqlite_bench.erp.insert_client("C-2", street="Długa 5")
    first, second = map(row_of, sqlite_bench.exchange.records.load("billing", clients("C-1", "C-2")))
    assert (first["street"], first["city"], second["street"]) == ("Żółta 1", "Łódź", "Długa 5")


def test_flags_of_raw_sql_are_understood(sqlite_bench: SqlBench) -> None:
    for number, flag in enumerate(("1", "0", "'true'", "'N'", "true", "NULL", "'perhaps'")):
        sqlite_bench.erp.run(f"INSERT INTO clients (id, active) VALUES ('C-{number}', {flag})")
    seen = sqlite_bench.exchange.records.load("accounts", clients(*(f"C-{number}" for number in range(7))))
    assert [row_of(record)["active"] for record in seen] == [True, False, True, False, True, None, "perhaps"]


def test_a_text_in_a_foreign_encoding_spoils_no_neighbour(sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_client("C-1", street="A")
    sqlite_bench.erp.run("INSERT INTO clients (id, street) VALUES ('C-2', CAST(x'a3f3641f' AS TEXT))")
    first, second = map(row_of, sqlite_bench.exchange.records.load("billing", clients("C-1", "C-2")))
    assert first["street"] == "A"
    assert "\ufffd" in str(second["street"])


def test_moments_without_end_are_no_obstacle(postgres_bench: SqlBench) -> None:
    erp, exchange = postgres_bench.erp, postgres_bench.exchange
    erp.set_credit("C-1", as_of="infinity")
    erp.set_credit("C-2", as_of="-infinity")
    assert exchange.figures.newest(FAR) is None
    erp.set_credit("C-3", as_of=AT)
    assert exchange.figures.newest(FAR) == AT
    assert list(exchange.figures.outdated(None, AT + timedelta(days=1))) == ["C-3"]
    seen = map(row_of, exchange.records.load("credit", clients("C-1", "C-3")))
    assert [row["as_of"] for row in seen] == ["infinity", AT.isoformat()]
    erp.set_item("G", "product", "7", valid_from="-infinity", valid_to="infinity")
    erp.set_item("G", "product", "8", valid_from="10000-01-01")
    assert list(exchange.prices.dated(None, AT)) == []
    first, second = (item for item, _ in exchange.prices.items("G", None, 10))
    assert (first.valid_from, first.valid_to, first.unreadable) == (*FOREVER[::-1], "")
    assert (second.valid_from, second.unreadable) == (None, "valid_from")


FOREVER = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


def test_moments_are_read_whatever_the_servers_settings_say(postgres_bench: SqlBench, connect: Connect) -> None:
    erp = postgres_bench.erp
    name = postgres_bench.exchange.database.engine.url.database
    erp.script(
        f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'",
        f"ALTER DATABASE {name} SET timezone = 'Europe/Warsaw'",
        "ALTER TABLE client_credit ALTER as_of TYPE timestamptz USING as_of AT TIME ZONE 'utc'",
        "INSERT INTO client_credit (client_id, as_of) VALUES ('C-1', '2026-03-02 13:00:00+01')",
        "INSERT INTO discount_group_items (group_id, item_type, item_id, valid_from) "
        "VALUES ('G', 'product', 7, '2026-03-02 12:00:00')",
    )
    exchange = connect(postgres_bench.url)
    (seen,) = exchange.records.load("credit", clients("C-1"))
    assert (row_of(seen)["as_of"], exchange.figures.newest(FAR)) == (AT.isoformat(), AT)
    assert list(exchange.figures.outdated(AT, AT + timedelta(seconds=1))) == ["C-1"]
    assert [item.valid_from for item, _ in exchange.prices.items("G", None, 1)] == [AT]


def test_a_page_of_items_is_in_order_however_the_server_joins(postgres_bench: SqlBench, connect: Connect) -> None:
    name = postgres_bench.exchange.database.engine.url.database
    postgres_bench.erp.script(
        *(f"ALTER DATABASE {name} SET enable_{way} = off" for way in ("nestloop", "mergejoin")),
        "INSERT INTO discount_group_items (group_id, item_type, item_id) "
        "SELECT 'G', 'product', n FROM generate_series(300, 1, -1) AS n",
    )
    store_prices(postgres_bench, *(price(str(number)) for number in range(300, 0, -1)))
    postgres_bench.erp.run("ANALYZE")
    page = connect(postgres_bench.url).prices.items("G", None, 50)
    assert [item.item_id for item, _ in page] == [str(n) for n in range(1, 51)]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine's own clock be set to another zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.fault(70)
@pytest.mark.usefixtures("in_tokyo")
def test_a_moment_without_a_zone_is_in_utc_wherever_the_machine_is(sql: SqlBench) -> None:
    sql.erp.run("INSERT INTO client_credit (client_id, as_of) VALUES ('C-1', '2026-03-02 12:00:00')")
    assert (row_of(load(sql, concern="credit"))["as_of"], sql.exchange.figures.newest(FAR)) == (AT.isoformat(), AT)


def test_a_table_of_items_of_the_erps_own_is_read_as_it_is(empty_url: str, connect: Connect) -> None:
    exchange = connect(empty_url)
    keys = ["7", "07", "7.5", "abc", "9" * 39, "Żółw", "a b"]
    with exchange.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE discount_group_items (group_id CHAR(9), item_type CHAR(20), item_id VARCHAR(40), price TEXT)"
        )
        for key in (*keys, ""):
            values = f"('G', 'product', '{key}', '12,50')"
            connection.exec_driver_sql(f"INSERT INTO discount_group_items VALUES {values}")
        connection.exec_driver_sql("INSERT INTO discount_group_items VALUES ('G', NULL, '1', ''), ('G', 'x', NULL, '')")
    upgrade.create(exchange.database.engine)
    sent = [price("7"), price("77")]
    exchange.prices.store("G", sent, [], [], run_id="r", at=AT)
    for size in (1, 2, 10):
        found, after = [], None
        while page := exchange.prices.items("G", after, size):
            found += page
            after = page[-1][0].key
        assert sorted(item.item_id for item, _ in found) == sorted(keys)
        assert {item.price for item, _ in found} == {"12,50"}
        assert [price for _, price in found if price] == sent[:1]
    assert list(exchange.prices.without_item("G", 10)) == sent[1:]
    assert list(exchange.prices.group_ids()) == ["G"]


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
        while (page := sqlite_bench.exchange.prices.items("G", after, size)) and len(found) < 100:
            found += [item.item_id for item, _ in page]
            after = page[-1][0].key
        assert len(found) == len(ids), found


def test_figures_of_any_kind_are_read_as_text(sqlite_bench: SqlBench) -> None:
    for number, stored in enumerate(("1000", "1000.5", "'1000.50'", "12345678901234567890", "1e39", "9e999", "x'41'")):
        sqlite_bench.erp.run(f"INSERT INTO client_credit (client_id, balance) VALUES ('C-{number}', {stored})")
    seen = sqlite_bench.exchange.records.load("credit", clients(*(f"C-{number}" for number in range(7))))
    balances = [row_of(record)["balance"] for record in seen]
    assert balances[:3] == ["1000", "1000.5", "1000.5"]
    assert [type(balance) for balance in balances] == [str] * 7
    assert Decimal(str(balances[3])) == Decimal("1.23456789012346e19")
    assert balances[6] == "A"


def test_an_address_whose_key_is_no_text_is_named_and_its_neighbour_is_read(sqlite_bench: SqlBench) -> None:
    for client in ("C-1", "C-2"):
        sqlite_bench.erp.insert_client(client)
    sqlite_bench.erp.run(
        "INSERT INTO delivery_addresses (id, client_id, city) VALUES "
        "(CAST('A-1' AS BLOB), 'C-1', 'Hel'), ('A-2', 'C-1', 'Puck'), ('A-3', 'C-2', 'Sopot')"
    )
    found = sqlite_bench.exchange.records.load("delivery_addresses", clients("C-1", "C-2"))
    assert [(r.key.client_id, r.key.item_id, r.odd_key) for r in found if not r.key.item_id] == [
        ("C-1", "", True),
        ("C-2", "", False),
    ]
    assert {r.key.item_id: row_of(r)["city"] for r in found if r.key.item_id} == {"A-2": "Puck", "A-3": "Sopot"}
    sqlite_bench.erp.run("UPDATE delivery_addresses SET id = CAST(id AS TEXT)")
    (own, *items) = sqlite_bench.exchange.records.load("delivery_addresses", clients("C-1"))
    assert not own.odd_key
    assert [r.key.item_id for r in items] == ["A-1", "A-2"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("nie", False), ("Tak", True), (" NIE ", False), ("off", False), ("no", False), ("może", "może"), (" ", None)],
)
def test_a_truth_value_in_words_is_taken_at_its_word(sqlite_bench: SqlBench, written: str, read: Value) -> None:
    sqlite_bench.erp.run("INSERT INTO clients (id, active, wholesaler) VALUES ('C-1', :w, :w)", w=written)
    row = row_of(load(sqlite_bench, "C-1", "accounts"))
    assert row["active"] == read


def test_a_truth_value_in_a_column_of_text_or_numbers_is_read_on_every_engine(empty_url: str, connect: Connect) -> None:
    rows = ("('C-1', 'może', 1, 0)", "('C-2', 'nie', 0, 1)", "('C-3', '', NULL, NULL)")
    exchange = with_clients(connect, empty_url, "active VARCHAR(10), wholesaler NUMERIC(1, 0), vat_eu INTEGER", *rows)
    known = clients("C-1", "C-2", "C-3")
    active = [row_of(record)["active"] for record in exchange.records.load("accounts", known)]
    assert active == ["może", False, None], "a word that is no truth value is there to be refused by name"
    flags = [[row_of(r)[name] for name in ("wholesaler", "vat_eu")] for r in exchange.records.load("billing", known)]
    assert flags == [[True, False], [False, True], [None, None]]


@pytest.mark.parametrize(
    ("stored", "read"),
    [(b"\x01", True), (b"\x00", False), (b"tak", True), (Decimal(1), True), (0.0, False), ("f", False), (None, None)],
)
def test_a_truth_value_is_read_from_whatever_a_driver_hands_over(stored: object, read: bool | None) -> None:
    assert Flag.read(stored) is read
