"""Moving from the vendor's bridge: databases of strangers on the real engines, and the proposed SQL carried out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

from kartoteka.adapters.sql import connect, upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.adapters.sql.tables import ERP
from kartoteka.doctor import bridge, recognise
from kartoteka.doctor.bridge import EXAMINATIONS, Patient, opened
from kartoteka.doctor.findings import Finding, Level, examined
from kartoteka.errors import Halt
from tests.fixtures.postgres import PostgresServer

PAGE = Path(__file__).parents[2] / "docs" / "from-the-bridge.md"

POLISH = """
CREATE TABLE klienci (id INT PRIMARY KEY, kod VARCHAR(30), login VARCHAR(40), email VARCHAR(350), telefon1 VARCHAR(150),
    telefon2 VARCHAR(150), imie VARCHAR(50), nazwisko VARCHAR(50), nazwa_firmy VARCHAR(250), nip VARCHAR(20),
    ulica VARCHAR(100), nr_domu VARCHAR(10), nr_lokalu VARCHAR(10), kod_pocztowy VARCHAR(10), miejscowosc VARCHAR(100),
    kraj VARCHAR(60), waluta CHAR(3), hurtownik CHAR(1), zablokowany SMALLINT, id_grupy_rabatowej INT, uwagi TEXT);
CREATE TABLE adresy_dostawy (id INT PRIMARY KEY, id_klienta INT, imie VARCHAR(50), nazwisko VARCHAR(50),
    firma VARCHAR(200), telefon VARCHAR(40), ulica VARCHAR(100), kod_pocztowy VARCHAR(10), miasto VARCHAR(80),
    kraj CHAR(2), FOREIGN KEY (id_klienta) REFERENCES klienci (id));
CREATE TABLE grupy_rabatowe (id INT PRIMARY KEY, nazwa VARCHAR(100));
CREATE TABLE klienci_sklepy (id_klienta INT, id_sklepu INT);
CREATE TABLE kredyt_kupiecki (id_klienta INT PRIMARY KEY, limit_kredytu DECIMAL(18,4), saldo DECIMAL(12,2),
    waluta CHAR(3), termin_platnosci INT, data_aktualizacji TIMESTAMP);
CREATE TABLE dostawcy (id INT, id_klienta INT, email VARCHAR(99), nip VARCHAR(20), miasto VARCHAR(50), ulica TEXT);
CREATE TABLE zamowienia (id INT, id_klienta INT, email VARCHAR(100), ulica VARCHAR(50), miasto VARCHAR(10));
CREATE TABLE towary (id INT, nazwa VARCHAR(100));
INSERT INTO grupy_rabatowe VALUES (3, 'Hurtownie');
INSERT INTO klienci VALUES (1, 'KOW-1', 'anna', 'a@firma.example', '600100200', '22 1', 'Anna', 'Kowalska', '', NULL,
    'Polna', '7', '3', '00-950', 'Warszawa', 'Polska', 'PLN', 'n', 0, 3, 'tajne');
INSERT INTO klienci VALUES (2, 'HUR-2', NULL, 'b@firma.example', NULL, NULL, NULL, NULL, 'Hurt GmbH', 'DE123456789',
    'Hauptstr.', '1', NULL, '10115', 'Berlin', 'Niemcy', 'EUR', 't', 1, NULL, NULL);
INSERT INTO klienci VALUES (3, 'X-3', NULL, 'c@firma.example', NULL, NULL, 'Jan', 'Nowak', NULL, NULL, 'Krótka', NULL,
    NULL, '00-001', 'Łódź', 'cz', NULL, NULL, NULL, NULL, NULL);
INSERT INTO adresy_dostawy VALUES (11, 1, 'Anna', 'Kowalska', 'Magazyn', '1', 'Inna 2', '30-001', 'Kraków', 'PL');
INSERT INTO klienci_sklepy VALUES (1, 2), (2, 1);
INSERT INTO kredyt_kupiecki VALUES (2, 5000.0000, 12.30, 'EUR', 14, '2026-11-01 10:00:00');
"""

ENGLISH = """
CREATE TABLE clients (id INT PRIMARY KEY, login VARCHAR(40), email VARCHAR(350), phone1 VARCHAR(150),
    phone2 VARCHAR(150), firstname VARCHAR(100),
    lastname VARCHAR(100), company VARCHAR(400), vat_number VARCHAR(30), street VARCHAR(200),
    zipcode VARCHAR(20), city VARCHAR(100), country_code CHAR(2), language CHAR(3), active BOOLEAN,
    client_type VARCHAR(10), credit_limit DECIMAL(12,2), balance DECIMAL(12,2), discount_group_id INT);
CREATE TABLE clients_delivery_addresses (client_id INT, address_no INT, first_name VARCHAR(50), last_name VARCHAR(50),
    additional VARCHAR(100), phone VARCHAR(40), street VARCHAR(100), zip_code VARCHAR(20), city VARCHAR(80),
    country VARCHAR(40), PRIMARY KEY (client_id, address_no));
CREATE TABLE clients_shops (client_id INT, shop_id INT, PRIMARY KEY (client_id, shop_id));
CREATE TABLE discount_groups (id INT PRIMARY KEY, name VARCHAR(250));
CREATE TABLE discount_groups_items (id INT PRIMARY KEY, name VARCHAR(250));
CREATE TABLE orders (id INT, client_id INT, street VARCHAR(50), city VARCHAR(50), zipcode VARCHAR(10));
CREATE TABLE clients_log (id INT, email VARCHAR(50), city VARCHAR(50), nip VARCHAR(50));
INSERT INTO clients VALUES (7, 'joe', 'j@firma.example', '+48600100200', '', 'Joe', 'Doe', 'Doe Ltd', 'PL5260001246',
    'High St 1', '00-950', 'Warszawa', 'pl', 'pol', true, 'F', 100.50, -3.00, 5);
INSERT INTO clients VALUES (8, NULL, 'k@firma.example', NULL, NULL, 'Kim', 'Roe', NULL, NULL,
    'Low St 2', '00-951', 'Warszawa', 'PL', NULL, false, 'person', NULL, NULL, NULL);
INSERT INTO clients_delivery_addresses VALUES (7, 1, 'Joe', 'Doe', 'Dock 3', '1', 'Side St', '00-1', 'Radom',
    'Germany');
INSERT INTO clients_shops VALUES (7, 1), (7, 2);
INSERT INTO discount_groups VALUES (5, 'Gold');
"""

ODD = """
CREATE TABLE "Kontrahent" ("KntAkronim" VARCHAR(20), "KntNazwa" VARCHAR(200), "KntTelefon1" BIGINT, "KntNIP" BIGINT,
    "KntUlica" VARCHAR(90), "Kod pocztowy" INT, "KntMiasto" VARCHAR(50), "e-Mail" TEXT, "Kraj" INT, "Typ" INT,
    "Aktywny" VARCHAR(3), "Sklep" VARCHAR(5), "Grupa" REAL);
CREATE TABLE wysylka ("Lp" INT PRIMARY KEY, kontrahent VARCHAR(20), ulica VARCHAR(90), kod_poczt CHAR(6),
    miejscowosc VARCHAR(50), nazwisko VARCHAR(60), imie CHAR(30));
CREATE TABLE rozrachunki (kontrahent VARCHAR(20), limit_kupiecki VARCHAR(20), saldo REAL,
    "Termin płatności" VARCHAR(4));
INSERT INTO "Kontrahent" VALUES ('KOW', 'Kowal', 600100200, 5260001246, 'Polna 1', 950, 'Warszawa', 'a@firma.example',
    1, 2, 'tak', '2', 4.0);
INSERT INTO "Kontrahent" VALUES ('NOW', 'Nowak', NULL, NULL, 'Polna 2', 30001, 'Kraków', 'b@firma.example', 1, 1, 'nie',
    NULL, NULL);
INSERT INTO wysylka VALUES (1, 'NOW', 'Inna 5', '30-002', 'Kraków', 'Nowak', 'Jan');
INSERT INTO rozrachunki VALUES ('KOW', '1 200,50', 0.1, '14');
"""


@dataclass
class Databases:
    """A bridge's database and ours beside it. ``ours`` is how the SQL must call the place of our tables."""

    engine: sa.Engine
    address: str
    exchange: str
    ours: str

    def run(self, script: str) -> None:
        with self.engine.begin() as connection:
            for statement in script.split(";"):
                if re.sub(r"(?m)^--.*$", "", statement).strip():
                    connection.exec_driver_sql(statement)

    @property
    def patient(self) -> Patient:
        return Patient(opened(self.address))

    def found(self) -> dict[str, Finding]:
        return {each.id: each for each in examined(self.patient, EXAMINATIONS, lambda _: True)}

    def moved(self) -> None:
        self.run(bridge.sql(self.patient).replace("exchange.", f"{self.ours}."))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Our rows, without what is empty."""
        exchange = connect(self.exchange)
        wanted = ERP.named(table)
        with exchange.database.reading() as connection:
            found = connection.execute(sa.select(wanted).order_by(*wanted.primary_key)).mappings().all()
        exchange.close()
        return [{name: value for name, value in row.items() if value is not None} for row in found]


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    if request.param == "sqlite":
        exchange = f"sqlite:///{tmp_path / 'exchange.db'}"
        made = open_engine(exchange)
        upgrade.create(made)
        made.dispose()
        address = f"sqlite:///{tmp_path / 'bridge.db'}"
        engine = sa.create_engine(address)
        path = str(tmp_path / "exchange.db")
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("ATTACH ? AS exchange", (path,)).close())
        yield Databases(engine, address, exchange, "exchange")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        exchange = server.with_schema()
        address = f"{exchange}&options=-csearch_path%3Dbridge"
        engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA bridge")
        yield Databases(engine, address, exchange, "public")
    engine.dispose()


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {id_: each.level.value for id_, each in found.items() if each.level is not Level.OK}


def test_polish_names_codes_beside_numbers_and_an_address_in_parts(databases: Databases) -> None:
    databases.run(POLISH)
    found = databases.found()
    assert levels(found) == dict.fromkeys(
        ("bridge.clients", "bridge.client_shops", "bridge.client_credit", "bridge.codes"), "look"
    )
    assert "klienci.kod is taken for the client's code: 3 customers" in found["bridge.codes"].sentence
    assert "It could be id instead" in found["bridge.codes"].sentence
    assert "phone: or telefon2?" in found["bridge.clients"].sentence
    assert "tajne" not in repr(found)
    databases.moved()
    assert databases.rows("clients") == [
        {
            "id": "HUR-2",
            "email": "b@firma.example",
            "company": "Hurt GmbH",
            "nip": "DE123456789",
            "street": "Hauptstr. 1",
            "zip_code": "10115",
            "city": "Berlin",
            "country_code": "DE",
            "currency": "EUR",
            "wholesaler": True,
            "active": False,
        },
        {
            "id": "KOW-1",
            "login": "anna",
            "email": "a@firma.example",
            "phone": "600100200",
            "first_name": "Anna",
            "last_name": "Kowalska",
            "company": "",
            "street": "Polna 7/3",
            "zip_code": "00-950",
            "city": "Warszawa",
            "country_code": "PL",
            "currency": "PLN",
            "wholesaler": False,
            "active": True,
            "discount_group_id": "3",
        },
        {
            "id": "X-3",
            "email": "c@firma.example",
            "first_name": "Jan",
            "last_name": "Nowak",
            "street": "Krótka",
            "zip_code": "00-001",
            "city": "Łódź",
            "country_code": "CZ",
        },
    ]
    assert databases.rows("delivery_addresses") == [
        {
            "id": "11",
            "client_id": "KOW-1",
            "first_name": "Anna",
            "last_name": "Kowalska",
            "additional": "Magazyn",
            "phone": "1",
            "street": "Inna 2",
            "zip_code": "30-001",
            "city": "Kraków",
            "country_code": "PL",
        }
    ]
    assert databases.rows("discount_groups") == [{"id": "3", "name": "Hurtownie"}]
    assert databases.rows("client_shops") == [
        {"client_id": "HUR-2", "shop_id": 1},
        {"client_id": "KOW-1", "shop_id": 2},
    ]
    (credit,) = databases.rows("client_credit")
    assert str(credit.pop("as_of")).startswith("2026-11-01 10:00:00")
    assert credit == {
        "client_id": "HUR-2",
        "credit_limit": Decimal(5000),
        "balance": Decimal("12.30"),
        "currency": "EUR",
        "payment_days": 14,
    }


def test_english_names_credit_in_the_clients_rows_and_a_key_of_two(databases: Databases) -> None:
    databases.run(ENGLISH)
    found = databases.found()
    assert found["bridge.codes"].sentence == ("clients.id is the client's code: 2 customers, each with one of its own.")
    assert "company: 400 characters there, 300 here" in found["bridge.clients"].sentence
    assert "client_credit is read out of clients" in found["bridge.client_credit"].sentence
    assert "joined of client_id, address_no" in found["bridge.delivery_addresses"].sentence
    databases.moved()
    joe, kim = databases.rows("clients")
    assert joe == {
        "id": "7",
        "login": "joe",
        "email": "j@firma.example",
        "phone": "+48600100200",
        "client_type": "firm",
        "first_name": "Joe",
        "last_name": "Doe",
        "company": "Doe Ltd",
        "nip": "PL5260001246",
        "street": "High St 1",
        "zip_code": "00-950",
        "city": "Warszawa",
        "country_code": "PL",
        "language": "pol",
        "active": True,
        "discount_group_id": "5",
    }
    assert (kim["client_type"], kim["active"]) == ("person", False)
    (address,) = databases.rows("delivery_addresses")
    assert (address["id"], address["client_id"], address["country_code"]) == ("7-1", "7", "DE")
    assert databases.rows("client_shops") == [{"client_id": "7", "shop_id": 1}, {"client_id": "7", "shop_id": 2}]
    assert databases.rows("discount_groups") == [{"id": "5", "name": "Gold"}]
    assert databases.rows("client_credit")[0] == {
        "client_id": "7",
        "credit_limit": Decimal("100.50"),
        "balance": Decimal("-3.00"),
    }


def test_odd_names_and_types_are_read_and_marked(databases: Databases) -> None:
    databases.run(ODD)
    found = databases.found()
    sql = bridge.sql(databases.patient)
    for mark in (
        "AS phone,  -- ? a number there: leading zeros are lost",
        "AS nip,  -- ? a number there: leading zeros are lost",
        "AS zip_code,  -- ? a number there: leading zeros are lost",
        "-- ? Kraj is a number: which country is which?",
        "-- ? Typ is a number: which one is a firm?",
        "-- ? a text: is it an amount in every row?",
        "-- ? a float there: rounded",
        "-- ? a text: is it a number in every row?",
        "-- ? kontrahent is held to name a customer",
        "-- ? guessed by its name",
    ):
        assert mark in sql, mark
    assert "bridge.discount_groups" in levels(found)
    assert "No table of theirs was recognised" in found["bridge.discount_groups"].sentence
    databases.moved()
    kow, now = databases.rows("clients")
    assert kow == {
        "id": "KOW",
        "company": "Kowal",
        "phone": "600100200",
        "nip": "5260001246",
        "street": "Polna 1",
        "zip_code": "950",
        "city": "Warszawa",
        "email": "a@firma.example",
        "active": True,
        "discount_group_id": "4",
    }
    assert (now["id"], now["active"]) == ("NOW", False)
    assert databases.rows("delivery_addresses") == [
        {
            "id": "1",
            "client_id": "NOW",
            "street": "Inna 5",
            "zip_code": "30-002",
            "city": "Kraków",
            "first_name": "Jan",
            "last_name": "Nowak",
            "country_code": "PL",
        }
    ]
    assert databases.rows("client_shops") == [{"client_id": "KOW", "shop_id": 2}]
    assert databases.rows("client_credit") == [
        {"client_id": "KOW", "credit_limit": Decimal("1200.50"), "balance": Decimal("0.10"), "payment_days": 14}
    ]


def test_the_inserts_can_be_repeated_and_change_nothing_that_is_there(databases: Databases) -> None:
    databases.run(POLISH)
    databases.moved()
    inserts = [part for part in bridge.sql(databases.patient).split(";") if part.strip().startswith("INSERT")]
    assert len(inserts) == 5
    databases.run(f"UPDATE {databases.ours}.clients SET city = 'Inne' WHERE id = 'X-3'")
    before = databases.rows("clients")
    databases.run("INSERT INTO klienci (id, kod, email) VALUES (4, 'N-4', 'n@firma.example')")
    databases.run(";".join(inserts).replace("exchange.", f"{databases.ours}."))
    assert [row for row in databases.rows("clients") if row["id"] != "N-4"] == before
    assert len(databases.rows("clients")) == len(before) + 1


def test_the_pages_sql_brings_the_prices_of_groups_and_can_be_repeated(databases: Databases) -> None:
    databases.run(POLISH)
    databases.moved()
    databases.run(
        "CREATE TABLE ceny_grup (id_grupy INT, id_towaru INT, cena DECIMAL(10,2), waluta CHAR(3));"
        "INSERT INTO ceny_grup VALUES (3, 1017, 19.90, 'PLN'), (3, 1018, 5, 'EUR'), (3, 1019, NULL, 'PLN'),"
        " (9, 1017, 7, 'PLN')"
    )
    [block] = re.findall(r"^```sql prices\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for _ in range(2):
        databases.run(block.replace("exchange.", f"{databases.ours}."))
    found = {(row["item_type"], row["item_id"]): row for row in databases.rows("discount_group_items")}
    assert {key: (row["group_id"], row["price"], row["currency"]) for key, row in found.items()} == {
        ("product", 1017): ("3", Decimal("19.90"), "PLN"),
        ("product", 1018): ("3", Decimal("5.00"), "EUR"),
    }


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("UPDATE klienci SET kod = 'KOW-1' WHERE id = 3", "none have none, and 1 share"),
        ("UPDATE klienci SET kod = NULL WHERE id = 3", "of 3 customers 1 have none, and 0 share"),
    ],
)
def test_a_column_that_tells_no_customer_from_another_is_no_code(databases: Databases, spoil: str, told: str) -> None:
    databases.run(POLISH)
    databases.run(spoil)
    found = databases.found()
    assert found["bridge.codes"].level is Level.STOP
    assert told.replace("none have none", "0 have none") in found["bridge.codes"].sentence
    assert "such as id" in found["bridge.codes"].remedy


def test_a_database_without_customers_is_a_stop(databases: Databases) -> None:
    databases.run(
        "CREATE TABLE towary (id INT, nazwa VARCHAR(99)); CREATE TABLE dostawcy (id INT, email TEXT, miasto TEXT)"
    )
    found = databases.found()
    assert levels(found) == {"bridge": "stop"}
    assert list(found) == ["bridge"]
    assert "None of 2 tables" in found["bridge"].sentence
    assert bridge.sql(databases.patient) == ""


def test_customers_without_what_an_account_needs_are_told(databases: Databases) -> None:
    databases.run("CREATE TABLE customers (code VARCHAR(20) PRIMARY KEY, e_mail VARCHAR(99), town VARCHAR(50))")
    found = databases.found()
    assert "Nothing was recognised for street, zip_code," in found["bridge.clients"].sentence
    assert "-- ? nothing was recognised for: login, phone" in bridge.sql(databases.patient)


def test_a_second_table_that_looks_alike_is_named(databases: Databases) -> None:
    columns = "(id INT PRIMARY KEY, email VARCHAR(99), nip VARCHAR(20), city VARCHAR(50))"
    databases.run(f"CREATE TABLE clients {columns}; CREATE TABLE customers_2 {columns}")
    found = databases.found()
    assert "clients is read out of clients" in found["bridge.clients"].sentence
    assert "customers_2 looked alike" in found["bridge.clients"].sentence


def test_the_dictionary_speaks_of_our_columns_alone() -> None:
    apart = {recognise.HOUSE, recognise.FLAT, recognise.CLOSED}
    for role in (recognise.CLIENTS, *recognise.OTHERS):
        assert role.columns.keys() - apart <= set(ERP.named(role.table).columns.keys())
    assert {*recognise.ZEROS_COUNT, recognise.STREET} <= set(ERP.clients.columns.keys())


def test_a_log_of_customers_and_a_table_of_suppliers_are_not_taken_for_the_customers(databases: Databases) -> None:
    more = "nip TEXT, imie TEXT, nazwisko TEXT, telefon TEXT, ulica TEXT, kod_pocztowy TEXT, login TEXT, kraj TEXT"
    databases.run("CREATE TABLE osoby (id INT PRIMARY KEY, email TEXT, miasto TEXT)")
    for name in ("klienci_log", "dostawcy", "klienci_archiwum", "zamowienia_klientow"):
        databases.run(f"CREATE TABLE {name} (id INT PRIMARY KEY, email TEXT, miasto TEXT, {more})")
    found = databases.found()
    assert "clients is read out of osoby (id, email, city)" in found["bridge.clients"].sentence
    assert "the table osoby was told by its columns" in found["bridge.clients"].sentence


def test_a_reference_that_holds_the_code_where_the_key_is_a_number_needs_no_join(databases: Databases) -> None:
    databases.run(
        "CREATE TABLE klienci (id INT PRIMARY KEY, kod VARCHAR(20), email TEXT, miasto TEXT);"
        "CREATE TABLE klienci_sklepy (klient VARCHAR(20), sklep INT);"
        "INSERT INTO klienci VALUES (1, 'KOW', 'a@firma.example', 'Radom');"
        "INSERT INTO klienci_sklepy VALUES ('KOW', 3)"
    )
    databases.moved()
    assert databases.rows("client_shops") == [{"client_id": "KOW", "shop_id": 3}]


def test_it_cannot_write(databases: Databases) -> None:
    databases.run(POLISH)
    with pytest.raises(Halt), databases.patient.reading() as connection:
        connection.exec_driver_sql("DELETE FROM klienci_sklepy")
    with databases.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM klienci_sklepy").scalar() == 2


def test_names_that_would_break_out_of_a_comment_or_a_statement_do_not(databases: Databases) -> None:
    columns = 'id INT PRIMARY KEY, "e-mail\nDROP TABLE x" VARCHAR(99), nip TEXT, "ci""ty" TEXT, "x\nDROP TABLE y" TEXT'
    databases.run(f'CREATE TABLE "kli""enci" ({columns})')
    sql = bridge.sql(databases.patient)
    databases.run("INSERT INTO \"kli\"\"enci\" VALUES (1, 'a@firma.example', '1', 'Radom', NULL)")
    databases.moved()
    (row,) = databases.rows("clients")
    assert (row["id"], row["email"], row["city"]) == ("1", "a@firma.example", "Radom")
    assert "-- not read: x?DROP TABLE y" in sql


@pytest.mark.parametrize("dialect", [mysql.dialect(), mssql.dialect()], ids=lambda each: each.name)
def test_the_bridges_own_engines_get_words_of_their_own(dialect: sa.Dialect) -> None:
    theirs = recognise.Theirs(
        "clients",
        {
            "id": sa.Integer(),
            "email": sa.Unicode(350),
            "phone1": sa.BigInteger(),
            "nip": sa.Unicode(20),
            "city": sa.Unicode(50),
            "street": sa.Unicode(50),
            "house number": sa.Unicode(9),
            "blocked": mssql.BIT(),
            "credit_limit": mssql.MONEY(),
        },
        ("id",),
    )
    found = recognise.recognised([theirs])
    connection: Any = type("Connection", (), {"dialect": dialect})()
    lines = {
        line.name: line.sql for each in found for line in bridge._Writer(connection, each, found[0]).proposal().lines
    }
    if dialect.name == "mysql":
        assert lines["id"] == "CAST(t.id AS CHAR(40))"
        assert "concat(" in lines["street"].lower()
        assert "`house number`" in lines["street"]
    else:
        assert lines["id"] == "CAST(t.id AS NVARCHAR(40))"
        assert "[house number]" in lines["street"]
        assert lines["active"] == "CASE WHEN (t.blocked = 1) THEN 0 WHEN (t.blocked = 0) THEN 1 END"
    assert lines["credit_limit"] == "t.credit_limit"


def test_an_engine_without_a_driver_and_an_address_that_is_none_are_told() -> None:
    with pytest.raises(Halt, match="oracledb is not installed"):
        opened("oracle+oracledb://sa:tajne@db/iai_bridge_exchange_db")
    with pytest.raises(Halt, match="cannot be read"):
        opened("tajne")


def test_a_database_that_does_not_answer_is_a_finding() -> None:
    patient = Patient(opened("postgresql://nobody:tajne@127.0.0.1:9/none"))
    found = {each.id: each for each in examined(patient, EXAMINATIONS, lambda _: True)}
    assert levels(found) == {"bridge": "stop"}
    assert "tajne" not in repr(found)
