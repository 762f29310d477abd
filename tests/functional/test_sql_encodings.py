"""A letter that the database cannot hold, and a key that is no text: named, and nobody else is stopped by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner

from cli.schema import schema
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.model import Candidate, Key, Owner
from kartoteka.ports.exchange import IncomingClient, SeenAccount
from local.postgres import PostgresServer
from tests.fixtures.exchange import Connect, SqlBench, SqlErp
from tests.fixtures.records import AT, change, clients, edit, entries, load, note, row_of, save, written

OMEGA = "Ω-Żółć"
"""A letter that neither LATIN2 nor WIN1250 has, and some that both have."""


@pytest.fixture(params=["LATIN2", "WIN1250", "LATIN1"])
def narrow(request: pytest.FixtureRequest, postgres_server: PostgresServer, connect: Connect) -> Iterator[SqlBench]:
    """Give a new exchange database in an encoding that cannot hold every letter."""
    url = postgres_server.encoded(request.param)
    exchange = connect(url)
    yield SqlBench(exchange, SqlErp(parse_url(url)), url)
    exchange.close()
    postgres_server.drop(url)


@pytest.fixture
def raw(postgres_server: PostgresServer, connect: Connect) -> Iterator[SqlBench]:
    """Give a new exchange database that keeps whatever bytes it is given."""
    url = postgres_server.encoded("SQL_ASCII")
    exchange = connect(url)
    yield SqlBench(exchange, SqlErp(parse_url(url)), url)
    exchange.close()
    postgres_server.drop(url)


def test_the_column_with_the_letter_is_named_and_the_neighbours_are_written(narrow: SqlBench) -> None:
    for client_id in ("C-1", "C-2"):
        narrow.erp.insert_client(client_id, street="A", city="B")
    saved = save(
        narrow,
        edit("C-1", street=("A", "Ω"), city=("B", "C")),
        edit("C-2", street=("A", "D"), city=("B", "E")),
    )
    assert {key.client_id: set(columns) for key, columns in saved.columns.items()} == {"C-1": {"street"}}
    rows = {key: narrow.erp.client(key) for key in ("C-1", "C-2")}
    assert {key: (row["street"], row["city"]) for key, row in rows.items() if row} == {
        "C-1": ("A", "B"),
        "C-2": ("D", "E"),
    }


def test_our_own_tables_take_what_they_can(narrow: SqlBench) -> None:
    told = Status(State.HELD, "x", "street", OMEGA, OMEGA)
    saved = save(
        narrow,
        change("C-1", status=told, base={"street": OMEGA}, written=(written("street", "A", OMEGA),)),
        change("C-2", conflicts=(note(panel=OMEGA),), candidates=(Candidate("C-2", "7", "nip"),)),
    )
    assert not saved.refused
    assert load(narrow).state.base == change(base={"street": OMEGA}).after.base  # in ASCII: to the letter
    status = load(narrow).state.status
    assert status
    assert (status.message_pl[0], status.message_pl[1]) == ("?", "-")
    save(narrow, change(load(narrow, "C-2"), conflicts=(note(panel=OMEGA + "2"),)))
    assert [c.panel_value and c.panel_value[0] for c in load(narrow, "C-2").conflicts] == ["?"]


def test_the_feed_goes_on_whatever_the_panel_shows(narrow: SqlBench) -> None:
    narrow.erp.insert_client("C-1")
    index = narrow.exchange.index
    index.remember([SeenAccount("7", f"jan{OMEGA}", OMEGA, "", "")], at=AT)
    assert list(narrow.exchange.records.existing([OMEGA, "C-1"])) == ["C-1"]
    assert index.known(["7"])["7"].panel_client_id == "7"
    assert index.find(["C-1"], ()) == []
    index.list_incoming([IncomingClient("7", {"company": OMEGA})], at=AT)
    assert str(narrow.erp.incoming["7"].values["company"]).startswith("?-")
    assert narrow.exchange.records.load("billing", [Owner(OMEGA), Owner("C-1")])


@pytest.mark.parametrize("street", [b"\xa3\xf3d\x9f", b"\xb1", b"D\xb3uga \xff"])
def test_letters_of_another_encoding_spoil_no_neighbour(raw: SqlBench, street: bytes) -> None:
    with raw.erp.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO clients (id, street) VALUES ('C-1', 'A'), ('C-3', 'Ł')")
        text = f"convert_from('\\x{street.hex()}', 'SQL_ASCII')"
        connection.exec_driver_sql(f"INSERT INTO clients (id, street) VALUES ('C-2', {text})")
    found = raw.exchange.records.load("billing", clients("C-1", "C-2", "C-3"))
    streets = [str(row_of(record)["street"]) for record in found]
    assert (streets[0], "\ufffd" in streets[1], streets[2]) == ("A", True, "Ł")
    assert row_of(found[0])["country_code"] == "PL"
    saved = save(raw, edit("C-2", street=(streets[1], "B")), edit("C-1", street=("A", "Ż")))
    assert "another encoding" in saved.refused[Key("C-2", "", "billing")]
    assert row_of(load(raw))["street"] == "Ż"


def test_a_status_in_a_database_without_an_encoding_is_read_as_it_was_written(raw: SqlBench) -> None:
    told = Status(State.HELD, "x", "street", "Zażółć", "Ω")
    save(raw, change("C-1", status=told, base={"street": "Żółć"}))
    assert load(raw).state.status == told
    save(raw, change(load(raw), status=IN_STEP))


@pytest.mark.parametrize(("encoding", "told"), [("LATIN2", True), ("SQL_ASCII", True), ("UTF8", False)])
def test_creating_the_tables_says_that_utf8_is_wanted(
    postgres_server: PostgresServer, encoding: str, told: bool
) -> None:
    url = postgres_server.encoded(encoding)
    result = CliRunner().invoke(schema, ["create", "--url", url])
    postgres_server.drop(url)
    assert result.exit_code == 0
    assert (f"encoding is {encoding}, and UTF-8 is wanted" in result.output) is told


# --- keys that are no text


def test_a_key_bound_as_a_blob_stops_nobody_and_is_known_as_such(sqlite_bench: SqlBench) -> None:
    erp, exchange = sqlite_bench.erp, sqlite_bench.exchange
    erp.insert_client("C-1", email="a@b.pl")
    erp.run("INSERT INTO clients (id, email, nip) VALUES (CAST('C-2' AS BLOB), 'c@d.pl', '5250001232')")
    erp.insert_client("C-3", email="e@f.pl")
    assert [entry.client_id for entry in entries(sqlite_bench)] == ["C-1", "C-2", "C-3"]
    assert list(exchange.records.client_ids("", 10)) == ["C-1", "C-3"]
    assert [hint.client_id for hint in exchange.index.hints()] == ["C-1", "C-3"]
    found = exchange.records.load("accounts", clients("C-1", "C-2", "C-3", "C-4"))
    assert [(r.erp is not None, r.odd_key) for r in found] == [
        (True, False),
        (False, True),
        (True, False),
        (False, False),
    ]


def test_items_and_figures_with_such_keys_are_nobodys(sqlite_bench: SqlBench) -> None:
    erp, exchange = sqlite_bench.erp, sqlite_bench.exchange
    erp.insert_client("C-1")
    erp.run("INSERT INTO delivery_addresses (id, client_id, street) VALUES (x'41', 'C-1', 'A'), ('B', 'C-1', 'B')")
    found = exchange.records.load("delivery_addresses", clients("C-1"))
    assert [record.key.item_id for record in found] == ["", "B"]
    erp.run("INSERT INTO client_credit (client_id, as_of) VALUES (x'41', '2026-03-02 12:00:00')")
    erp.run("INSERT INTO discount_groups (id, name) VALUES (x'41', 'A'), ('G', 'B')")
    assert list(exchange.figures.outdated(None, AT + timedelta(days=1))) == []
    assert list(exchange.prices.group_ids()) == ["G"]
