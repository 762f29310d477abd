"""Creating the exchange tables, and the way from one version of them to the next.

:func:`create` and :func:`upgrade` add what is missing and never change or drop what is there: an ERP's author may have
made the tables, or added columns.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from kartoteka.adapters.sql import open_view
from kartoteka.adapters.sql.dialect import DIALECTS, dialect_of
from kartoteka.adapters.sql.dialect.base import NO_SCHEMA, WRITES, Dialect, indexes_of, translated
from kartoteka.adapters.sql.tables import ERP, ErpTables, all_tables, sync_schema
from kartoteka.errors import Halt

VERSION = 4
"""The version of the tables that this code makes."""

OLDEST = 4
"""The oldest version from which there is a way to the present one."""

Step = Callable[[sa.Connection], None]

STEPS: Mapping[int, Step] = {}
"""Version -> what cannot be done by adding what is missing: renaming, filling, changing types. Run once, in order."""


def create(engine: sa.Engine, erp: ErpTables = ERP) -> int:
    """Create what is missing, bring an older version up to date, and return the version. Safe to repeat.

    Raises Halt for tables of a newer program, and of one from before the first release.
    """
    with _changing(engine) as (connection, dialect):
        return _bring_up_to_date(connection, dialect, erp)


def upgrade(engine: sa.Engine, erp: ErpTables = ERP) -> int:
    """Bring existing tables up to date and return their version. Raises Halt where there are none, and as create."""
    with _changing(engine) as (connection, dialect):
        if not _installed(connection, dialect):
            raise Halt("no_schema", NO_SCHEMA)
        return _bring_up_to_date(connection, dialect, erp)


def narrow_encoding(engine: sa.Engine) -> tuple[str, str]:
    """Return the encoding of a database that cannot hold every letter, empty where it can, and what mends that."""
    dialect = dialect_of(engine.url)
    with translated(dialect), engine.connect() as connection:
        return dialect.encoding(connection), dialect.every_letter


def ddl(name: str, erp: ErpTables = ERP) -> str:
    """Return all tables, triggers and the view as a script for this engine; running it twice changes nothing."""
    dialect = DIALECTS[name]
    script = [statement for table in all_tables(erp) for statement in dialect.definition(table)]
    script += [statement for watched in erp.watched for statement in dialect.triggers(watched)]
    script += dialect.view(open_view.NAME, open_view.selected(erp))
    once = f"SELECT {VERSION} AS version WHERE NOT EXISTS (SELECT 1 FROM sync_schema)"  # noqa: S608 (a number)
    script.append(f"INSERT INTO sync_schema (version) {once}")
    return dialect.script(script)


@contextlib.contextmanager
def _changing(engine: sa.Engine) -> Iterator[tuple[sa.Connection, Dialect]]:
    dialect = dialect_of(engine.url)
    options = engine.execution_options(**{WRITES: True, "no_parameters": True})
    with translated(dialect), options.begin() as connection:
        dialect.lock_schema(connection)
        yield connection, dialect


def _bring_up_to_date(connection: sa.Connection, dialect: Dialect, erp: ErpTables) -> int:
    before = _installed(connection, dialect)
    _refuse(before)
    for version in sorted(STEPS):
        if 0 < before < version:
            STEPS[version](connection)
    _complete(connection, dialect, erp)
    if before < VERSION:
        connection.execute(sync_schema.insert().values(version=VERSION))
    return VERSION


def _installed(connection: sa.Connection, dialect: Dialect) -> int:
    """Return the version that is there, 0 where there is none."""
    if not dialect.columns(connection, [sync_schema.name]):
        return 0
    return connection.scalar(sa.select(sa.func.max(sync_schema.c.version))) or 0


def _refuse(version: int) -> None:
    if version > VERSION:
        raise Halt(
            "newer_schema", f"the exchange tables have version {version}, this program knows {VERSION}: update it"
        )
    if 0 < version < OLDEST:
        raise Halt(
            "old_schema",
            f"the exchange tables have version {version}, which was never released, and cannot be upgraded: drop the "
            "tables whose names begin with sync_, and change_log, then run `kartoteka schema create --url …`",
        )


def _complete(connection: sa.Connection, dialect: Dialect, erp: ErpTables) -> None:
    """Add the tables, columns, indexes and triggers that are missing, and have the view as it is here."""
    tables = all_tables(erp)
    present: dict[str, set[str]] = {table.name: set() for table in tables}
    for name, column in dialect.columns(connection, list(present)):
        present[name].add(column)
    for table in tables:
        if present[table.name]:
            _complete_table(connection, dialect, table, present[table.name])
            continue
        for statement in dialect.definition(table, connection.dialect):
            connection.exec_driver_sql(statement)
    for statement in dialect.view(open_view.NAME, open_view.selected(erp), connection.dialect):
        connection.exec_driver_sql(statement)
    _complete_triggers(connection, dialect, erp)


def _complete_triggers(connection: sa.Connection, dialect: Dialect, erp: ErpTables) -> None:
    for watched in erp.watched:
        for statement in dialect.triggers(watched):
            connection.exec_driver_sql(statement)
    there = dialect.triggers_of(connection, [watched.table.name for watched in erp.watched])
    for watched in erp.watched:
        if any((watched.table.name, name) not in there for name in dialect.trigger_names(watched)):
            for statement in dialect.missing_triggers(watched):  # a swapped table's stand at the old one
                connection.exec_driver_sql(statement)


def _complete_table(connection: sa.Connection, dialect: Dialect, table: sa.Table, present: Collection[str]) -> None:
    for column in table.columns:
        if column.name not in present:
            _add_column(connection, dialect, column)
    indexed = dialect.indexes(connection, table.name)
    for index in indexes_of(table):
        if index.name not in indexed:
            index.create(connection)


def _add_column(connection: sa.Connection, dialect: Dialect, column: sa.Column[Any]) -> None:
    if column.primary_key:
        raise Halt("foreign_table", f"there is a table {column.table.name} without its key column {column.name}")
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} {dialect.add_column} {definition}")
