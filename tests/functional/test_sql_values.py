"""Every column of the ERP's at its limits, both ways and on each engine; what the columns are is the table of fields'.

The values are those of the project's catalogue of faults (61-64, 66, 70, 73): each comes through to the letter, or is
refused with its column named. None is cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kartoteka.fields.table import CONCERNS, Column, Field, Fields
from kartoteka.model import Change, RowWrite, Value
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import ADDRESSES, change, clients, edit, edits, item, save

OF_CLIENTS: Mapping[str, tuple[str, ...]] = {
    concern: rows.columns for concern, rows in CONCERNS.items() if rows.table == "clients"
}
"""Concern -> the columns of `clients` that it reads."""
FIELDS: Fields = {
    name: field
    for concern, names in OF_CLIENTS.items()
    for name, field in CONCERNS[concern].fields.items()
    if name in names
}
ADDRESS_FIELDS: Fields = CONCERNS[ADDRESSES].fields

ODD = (
    "",
    " ",
    "0",
    "NULL",
    "\\N",
    "a",
    "A ",
    " a",
    "'; DROP TABLE clients; -- ",
    'O"Hara \\',
    "%s %(x)s {} ?",
    "100%_",
    "a\tb\r\nBcc: x@y.z",
    "Żółć",
    "zażółć gęślą jaźń",
    "e\u0301",
    "\u200f\u202eabc",
    "\ufeffa",
    "💶👩‍👩‍👧",
    "\U0010ffff",
    "Å¼Ã³w",
    "<script>alert(1)</script>",
    "=1+1",
    "1e400",
    "-0",
    "٣",
)
"""Texts that one program or another stumbles over; those that are too long for a column are left out there."""

LETTERS = ("x", "ż", "€", "💶")
"""Letters of one byte to four."""


def texts(length: int) -> list[str]:
    """Return texts for a column of this length: what is odd, and what just fits, of each letter."""
    return [*(text for text in ODD if len(text) <= length), *(letter * length for letter in LETTERS)]


def values(field: Field) -> list[Value]:
    """Return values that a field's column takes."""
    whole: Mapping[Column, list[Value]] = {
        Column.FIXED: ["x" * field.length, "Ż" * field.length, "💶" * field.length, "'" * field.length, ""],
        Column.FLAG: [True, False],
    }
    return [None, *whole.get(field.kind.column, texts(field.length))]


def each(fields: Fields) -> list[tuple[str, str, Value]]:
    """Return (key, column, value) of each value of each field."""
    return [(f"{name}-{n}", name, value) for name, field in fields.items() for n, value in enumerate(values(field))]


def of_clients(sql: SqlBench) -> dict[tuple[str, str], Value]:
    """Return (client, column) -> value, as they are read."""
    found: dict[tuple[str, str], Value] = {}
    for concern in OF_CLIENTS:
        for record in sql.exchange.records.load(concern, clients(*(key for key, _, _ in each(FIELDS)))):
            found |= {(record.key.client_id, name): value for name, value in (record.erp or {}).items()}
    return found


def of_addresses(sql: SqlBench) -> dict[tuple[str, str], Value]:
    """Return (address, column) -> value, as they are read."""
    _, *items = sql.exchange.records.load(ADDRESSES, clients("C-1"))
    return {(r.key.item_id, name): value for r in items for name, value in (r.erp or {}).items()}


# --- what the ERP writes is read


@pytest.mark.fault(61, 62, 64)
def test_what_the_erp_writes_into_clients_is_read_to_the_letter(sql: SqlBench) -> None:
    sql.erp.insert("clients", ({"id": key, name: value} for key, name, value in each(FIELDS)))
    found = of_clients(sql)
    assert {(key, name): found[key, name] for key, name, _ in each(FIELDS)} == {
        (key, name): value for key, name, value in each(FIELDS)
    }


@pytest.mark.fault(62)
def test_what_the_erp_writes_into_addresses_is_read_to_the_letter(sql: SqlBench) -> None:
    rows = ({"id": key, "client_id": "C-1", name: value} for key, name, value in each(ADDRESS_FIELDS))
    sql.erp.insert("delivery_addresses", rows)
    found = of_addresses(sql)
    assert {(key, name): found[key, name] for key, name, _ in each(ADDRESS_FIELDS)} == {
        (key, name): value for key, name, value in each(ADDRESS_FIELDS)
    }


AMOUNTS = ("0", "0.01", "0.29", "0.30", "-5.10", "9999999999.99", "-9999999999.99", "1234567890.12")
WHOLE = ("0", "1", "-1", "365", "2147483647", "-2147483648")
MOMENTS = (
    datetime(1000, 1, 1, tzinfo=UTC),
    datetime(1753, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 2, 30, tzinfo=UTC),  # no such hour in Warsaw
    datetime(2026, 10, 25, 2, 30, 0, 999999, tzinfo=UTC),  # such an hour twice
    datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)


@pytest.mark.fault(66)
@pytest.mark.parametrize("column", [n for n, f in CONCERNS["credit"].fields.items() if f.kind.column is Column.MONEY])
def test_amounts_of_credit_are_exact_at_their_limits(sql: SqlBench, column: str) -> None:
    for n, amount in enumerate(AMOUNTS):
        sql.erp.set_credit(f"C-{n}", **{column: amount})
    read = sql.exchange.records.load("credit", clients(*(f"C-{n}" for n in range(len(AMOUNTS)))))
    assert [Decimal(str((record.erp or {})[column])) for record in read] == [Decimal(amount) for amount in AMOUNTS]


@pytest.mark.fault(70)
def test_days_flags_codes_and_moments_of_credit_are_exact_at_their_limits(sql: SqlBench) -> None:
    for n, days in enumerate(WHOLE):
        sql.erp.set_credit(f"D-{n}", payment_days=days, currency=("PLN", "", "x'%", None)[n % 4])
    for n, at in enumerate(MOMENTS):
        sql.erp.set_credit(f"M-{n}", as_of=at, credit_allowed=(True, False, None)[n % 3])
    read = sql.exchange.records.load("credit", clients(*(f"D-{n}" for n in range(len(WHOLE)))))
    assert [(record.erp or {})["payment_days"] for record in read] == list(WHOLE)
    assert [(record.erp or {})["currency"] for record in read] == ["PLN", "", "x'%", None, "PLN", ""]
    read = sql.exchange.records.load("credit", clients(*(f"M-{n}" for n in range(len(MOMENTS)))))
    assert [(record.erp or {})["as_of"] for record in read] == [at.isoformat() for at in MOMENTS]
    assert [(record.erp or {})["credit_allowed"] for record in read] == [(True, False, None)[n % 3] for n in range(7)]


def test_prices_and_their_dates_are_exact_at_their_limits(sql: SqlBench) -> None:
    for n, amount in enumerate(AMOUNTS):
        rebate = ("0", "0.01", "100", "999.99", "-999.99", "12.5", "33.33", None)[n]
        sql.erp.set_item("G", "product", str(n + 1), price=amount, base_price=amount, rebate_percent=rebate)
    for n, at in enumerate(MOMENTS):
        sql.erp.set_item("G", "menu_item", str(2147483647 - n), valid_from=at, valid_to=at)
    read = {item.key: item for item, _ in sql.exchange.prices.items("G", None, 100)}
    for n, amount in enumerate(AMOUNTS):
        found = read["product", str(n + 1)]
        assert (Decimal(found.price or "x"), Decimal(found.base_price or "x")) == (Decimal(amount), Decimal(amount))
    assert [Decimal(read["product", str(n + 1)].rebate_percent or "x") for n in range(7)] == [
        Decimal(text) for text in ("0", "0.01", "100", "999.99", "-999.99", "12.5", "33.33")
    ]
    for n, at in enumerate(MOMENTS):
        assert (read["menu_item", str(2147483647 - n)].valid_from, read["menu_item", str(2147483647 - n)].valid_to) == (
            at,
            at,
        )


# --- what we write is there, or is refused by its name


def other_than(field: Field, value: Value) -> Value:
    if field.kind.column is Column.FLAG:
        return None if value is None else not value
    return "X" * min(field.length, 2)


@pytest.mark.fault(61, 62, 64)
def test_what_is_written_into_clients_stands_there_to_the_letter(sql: SqlBench) -> None:
    before = {(key, name): other_than(FIELDS[name], value) for key, name, value in each(FIELDS)}
    sql.erp.insert("clients", ({"id": key, name: value} for (key, name), value in before.items()))
    changes = [edit(key, **{name: (before[key, name], value)}) for key, name, value in each(FIELDS)]
    answer = save(sql, *changes)
    assert (answer.again, answer.refused) == (frozenset(), {})
    found = of_clients(sql)
    assert {(key, name): found[key, name] for key, name, _ in each(FIELDS)} == {
        (key, name): value for key, name, value in each(FIELDS)
    }
    save(sql, *(edit(key, **{name: (value, None)}) for key, name, value in each(FIELDS)))
    emptied = of_clients(sql)
    assert {emptied[key, name] for key, name, _ in each(FIELDS)} == {None}, "seen again as it was written"


def test_addresses_that_are_inserted_changed_and_deleted_are_found_by_what_stands_there(sql: SqlBench) -> None:
    rows = each(ADDRESS_FIELDS)
    assert not save(sql, *(item(key, row=RowWrite(insert={name: value})) for key, name, value in rows)).refused
    found = of_addresses(sql)
    assert {(key, name): found[key, name] for key, name, _ in rows} == {(key, name): value for key, name, value in rows}
    removal = save(sql, *(item(key, row=RowWrite(delete={name: value})) for key, name, value in rows))
    assert (removal.again, removal.refused) == (frozenset(), {})
    assert of_addresses(sql) == {}


@pytest.mark.fault(63)
def test_what_is_too_long_is_refused_by_name_and_never_cut(server_bench: SqlBench) -> None:
    letters = {name: field for name, field in FIELDS.items() if field.kind.column in (Column.TEXT, Column.FIXED)}
    changes: list[Change] = []
    for name, field in letters.items():
        for n, letter in enumerate(("x", "ż", "💶")):
            changes.append(edit(f"{name}-{n}", **{name: ("XX", letter * (field.length + 1))}))
    server_bench.erp.insert("clients", ({"id": f"{name}-{n}", name: "XX"} for name in letters for n in range(3)))
    server_bench.erp.insert_client("C-1", street="XX")
    answer = save(server_bench, *changes, edit("C-1", street=("XX", "A")))
    assert answer.refused.keys() == {each.record.key for each in changes}
    assert {tuple(found) for found in answer.columns.values()} == {(name,) for name in letters}
    for name in letters:
        for n in range(3):
            assert str((server_bench.erp.client(f"{name}-{n}") or {})[name]).rstrip() == "XX"
    assert (server_bench.erp.client("C-1") or {})["street"] == "A"


def test_a_refused_field_does_not_hold_up_the_other_one_of_its_row(server_bench: SqlBench) -> None:
    server_bench.erp.insert_client("C-1", street="A", city="A")
    row = edits(street=("A", "x" * 201), city=("A", "B"))
    answer = save(server_bench, change("C-1", base={"street": "A"}, row=row))
    assert [list(found) for found in answer.columns.values()] == [["street"]]
