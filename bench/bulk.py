"""Very many clients in step, without a first load of hours: the rows of some, multiplied by the database itself.

A few *models* are loaded by the product. Every row that tells of one of them, in whatever table, is copied under other
ids, e-mail addresses, tax numbers and panel's ids; the cursors of the logs are put behind the copied entries. What
comes of it is compared with what the product makes of the same clients: :func:`differences`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from bench.cloud import CONFIG, DIGESTS, Stack, session
from bench.customers import Row, clients
from bench.erp import Erp
from bench.trade import Trade, trade
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.adapters.sql import connect, tables
from kartoteka.fields.digest import Digest
from kartoteka.fields.table import CONCERNS, COUNTRY_FIELD, RECOGNISED_BY, Recognised
from local.panel.sample import tax_number

MODELS = 200
"""Clients that are copied; nobody edits them."""
PLACES = 1_000
"""Numbers of the panel from one copy of all models to the next: more than the models' own."""
FILL_STEP = 100_000
"""Clients copied in one transaction."""


def numbered(count: int) -> list[Row]:
    """Return so many clients, whose number of seven digits stands in id and e-mail address alone."""
    rows = clients(count)
    return [{**row, "id": code(n), "email": f"{code(n).lower()}@example.com"} for n, row in enumerate(rows, start=1)]


def code(n: int) -> str:
    """Return the id of the n-th client."""
    return f"K-{n:07d}"


def timeless(clients: Sequence[Row]) -> Trade:
    """Return these clients' trade, with figures that do not age: days pass between the runs."""
    rows = trade(clients, datetime.now(UTC))
    return replace(rows, credit=[{**row, "as_of": None} for row in rows.credit])


class Copier:
    """Multiplies the models in one database (PostgreSQL), step by step."""

    def __init__(self, erp: Erp, models: Sequence[Row]) -> None:
        self._erp = erp
        self._chance = random.Random(3)
        with self._connected() as connection:
            connection.execute(
                "CREATE UNLOGGED TABLE bench_models (id text PRIMARY KEY, low text, nip text);"
                "CREATE UNLOGGED TABLE bench_copies (n int PRIMARY KEY, id text, low text, nip text, c int, model text)"
            )
            with connection.cursor().copy("COPY bench_models FROM STDIN") as copy:
                for row in models:
                    copy.write_row((row["id"], row["id"].lower(), row["nip"] or ""))

    def fill(self, above: int, upto: int) -> None:
        """Add the clients of these numbers."""
        for start in range(above, upto, FILL_STEP):
            with self._connected() as connection:
                self._number(connection, start, min(start + FILL_STEP, upto))
                for table in tables.all_tables(tables.ERP):
                    if owner := _owner(table):
                        connection.execute(_copying(table, owner))
                _recognise(connection)
        with self._connected() as connection:
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM (ANALYZE)")

    def size_mb(self) -> float:
        """Return what the database takes on the disk."""
        with self._connected() as connection:
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            assert found is not None
            return int(found[0]) / 2**20

    def _number(self, connection: psycopg.Connection[Any], above: int, upto: int) -> None:
        connection.execute("TRUNCATE bench_copies")
        with connection.cursor().copy("COPY bench_copies FROM STDIN") as copy:
            for n in range(above + 1, upto + 1):
                c, model = divmod(n - 1, MODELS)
                copy.write_row((n, code(n), code(n).lower(), tax_number(self._chance), c, code(model + 1)))
        connection.execute("ANALYZE bench_copies")

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a transaction in which no trigger fires, since their entries are copied too."""
        with psycopg.connect(self._erp.url.replace("+psycopg", "")) as connection:
            connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
            yield connection


def _recognise(connection: psycopg.Connection[Any]) -> None:
    """Put into the account index by what the copies are recognised: digests, which the database cannot reckon."""
    digest = Digest(DIGESTS)
    names = (*RECOGNISED_BY, COUNTRY_FIELD)
    chosen = sql.SQL("SELECT c.id, {} FROM bench_copies c JOIN clients k ON k.id = c.id").format(
        sql.SQL(", ").join(sql.Identifier("k", name) for name in names)
    )
    known = [(key, dict(zip(names, values, strict=True))) for key, *values in connection.execute(chosen)]
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in Recognised._fields)
    created = "CREATE TEMPORARY TABLE bench_marks ON COMMIT DROP AS SELECT external_code AS id, {} FROM {} LIMIT 0"
    index = sql.Identifier(tables.sync_panel_accounts.name)
    connection.execute(sql.SQL(created).format(columns, index))
    with connection.cursor().copy("COPY bench_marks FROM STDIN") as copy:
        for key, values in known:
            copy.write_row((key, *digest.recognised(values)))
    assigned = sql.SQL(", ").join(sql.SQL("{0} = m.{0}").format(sql.Identifier(name)) for name in Recognised._fields)
    connection.execute(
        sql.SQL("UPDATE {} a SET {} FROM bench_marks m WHERE a.external_code = m.id").format(index, assigned)
    )


def _owner(table: sa.Table) -> str:
    """Return the column that names a table's client; empty where it has none."""
    special = {"clients": "id", tables.sync_panel_accounts.name: "external_code"}
    return special.get(table.name, "client_id" if "client_id" in table.c else "")


def _copying(table: sa.Table, owner: str) -> sql.Composed:
    """Return the statement that copies a table's rows of the models; numbers that the database gives it gives anew."""
    columns = [column for column in table.columns if column.identity is None]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {table} t JOIN bench_models m ON t.{owner} = m.id "
        "JOIN bench_copies c ON c.model = m.id"
    ).format(
        table=sql.Identifier(table.name),
        names=sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        values=sql.SQL(", ").join(_value(column) for column in columns),
        owner=sql.Identifier(owner),
    )


def _value(column: sa.Column[Any]) -> sql.Composed:
    name = sql.SQL("t.{}").format(sql.Identifier(column.name))
    if column.name == "panel_client_id":
        return sql.SQL("({}::bigint + c.c * {})::text").format(name, PLACES)
    if column.name == "panel_item_id":
        other = sql.SQL("({}::bigint + c.c * {})::text").format(name, PLACES)
        return sql.SQL("CASE WHEN t.item_id <> '' AND {0} <> '' THEN {1} ELSE {0} END").format(name, other)
    if column.name == "modified_at":  # a first load writes some hundred accounts a second
        return sql.SQL("{} - c.c * interval '1 second'").format(name)
    if isinstance(column.type, sa.String):
        return sql.SQL("replace(replace(replace({}, m.id, c.id), m.low, c.low), m.nip, c.nip)").format(name)
    return sql.Composed([name])


def account_of(n: int, model: Mapping[str, Any], client: Row) -> dict[str, Any]:
    """Return the panel's account of the n-th client, from its ``model``'s account (plain) and its row."""
    c, of = divmod(n - 1, MODELS)
    text = json.dumps(dict(model))
    for old, new in ((code(of + 1), code(n)), (code(of + 1).lower(), code(n).lower())):
        text = text.replace(old, new)
    account: dict[str, Any] = json.loads(text)
    addresses = [{**each, "id": each["id"] + c * PLACES} for each in account["addresses"]]
    return account | {"id": account["id"] + c * PLACES, "nip": client["nip"] or "", "addresses": addresses}


def put_cursors_behind(erp: Erp, endpoint: str, stack: Stack) -> None:
    """Let the logs' readers go on behind the copied entries."""
    state = state_of(endpoint, stack)
    exchange = connect(erp.url)
    with erp.engine.begin() as connection:
        high = connection.scalar(sa.select(sa.func.max(tables.change_log.c.seq)))
    for concern in CONCERNS:
        stored = state.load(f"log:{concern}")
        assert stored.document is not None
        moved = {**stored.document, "high": high, "mark": exchange.log.mark(high)}
        state.save(f"log:{concern}", moved, version=stored.version)
    exchange.close()


def state_of(endpoint: str, stack: Stack) -> DynamoState:
    """Return the state of a stack."""
    client = session().client("dynamodb", endpoint_url=endpoint, config=CONFIG)
    return DynamoState(stack.environment["KARTOTEKA_TABLE"], lambda: client)


# --- is it the same?

_OF_A_RUN = frozenset({"run_id", "panel_client_id", "panel_item_id"})
"""Columns that differ from one first load to the next, beside moments and numbers that the database gives."""


def differences(one: Erp, other: Erp) -> dict[str, int]:
    """Return by table how many rows stand in one of two databases only, as far as they do not depend on the run."""
    found = {}
    for table in tables.all_tables(tables.ERP):
        left, right = (Counter(_rows(erp, table)) for erp in (one, other))
        if differing := (left - right).total() + (right - left).total():
            found[table.name] = differing
    return found


def _rows(erp: Erp, table: sa.Table) -> Iterable[tuple[Any, ...]]:
    timed = sa.DateTime, sa.Date, sa.types.TypeDecorator
    names = [
        column
        for column in table.columns
        if column.identity is None and column.name not in _OF_A_RUN and not isinstance(column.type, timed)
    ]
    with erp.engine.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*names))]


def rows_of(erp: Erp) -> tuple[list[Row], Trade]:
    """Return the clients of a database and their trade, to be loaded into another one."""
    with erp.engine.begin() as connection:

        def read(table: sa.Table) -> list[Row]:
            return [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]

        people = read(tables.ERP.clients)
        addresses, groups, items, credit = (
            read(table)
            for table in (
                tables.ERP.delivery_addresses,
                tables.ERP.discount_groups,
                tables.ERP.discount_group_items,
                tables.ERP.client_credit,
            )
        )
    members = {row["id"]: row.pop("discount_group_id") for row in people}
    return people, Trade(addresses, groups, items, credit, {k: v for k, v in members.items() if v})
