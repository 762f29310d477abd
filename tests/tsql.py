"""A driver for SQL Server that has none behind it: T-SQL is read by a parser, and SQLite carries out what it says.

Every statement is recorded as the server would get it. What is carried out is its meaning as ``sqlglot`` understands
it, on a file that our SQLite dialect has made: so a wrong join, page, merge or order shows, but nothing of locks,
collations, blanks at the end of a text, types or triggers does. What the server itself is asked (``sys.``) is answered
here by a line each.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytds
import sqlglot
from sqlglot import exp

from kartoteka.adapters.sql.dialect.mssql import trigger
from kartoteka.adapters.sql.dialect.sqlite import Sqlite
from kartoteka.adapters.sql.tables import ERP, all_tables

ADAPTER = "/kartoteka/adapters/sql/"
TEXTS = frozenset({"item_type", "item_id", "client_id", "group_id"})


@dataclass
class Seen:
    """What was issued: the statements, and the lines of the adapter that were on the way to one."""

    statements: set[str] = field(default_factory=set)
    places: set[tuple[str, int]] = field(default_factory=set)

    def note(self, statement: str) -> None:
        self.statements.add(statement)
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if ADAPTER in name:
                self.places.add((name.rpartition(ADAPTER)[2], frame.f_lineno))
            frame = frame.f_back


SEEN = Seen()


def driver(file: Path) -> Any:
    """Return what SQLAlchemy takes for the driver; its connections lead to this file of SQLite's."""
    given = {name: getattr(pytds, name) for name in dir(pytds) if name.endswith("Error") or name == "paramstyle"}
    return SimpleNamespace(**given, apilevel="2.0", connect=lambda **_settings: Connection(file))


def spelled(statement: str, parameters: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """Return the text and the values that go to the server, as the real driver makes them: null is part of the text."""
    if not parameters:
        return statement, {}
    given = {name: getattr(value, "value", value) for name, value in parameters.items()}
    numbers = {name: f"P{n}" for n, name in enumerate((n for n, v in given.items() if v is not None), 1)}
    text = statement % {name: f"@{numbers[name]}" if name in numbers else "NULL" for name in given}
    return text, {numbers[name]: _stored(value) for name, value in given.items() if name in numbers}


def _stored(value: Any) -> Any:
    """Return a value as SQLite keeps it."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


sqlite3.register_converter("date", lambda stored: date.fromisoformat(stored.decode()))


class Connection:
    """A connection; like the real driver it begins a transaction before the first statement."""

    def __init__(self, file: Path) -> None:
        self.raw = sqlite3.connect(
            file, timeout=2, isolation_level=None, check_same_thread=False, detect_types=sqlite3.PARSE_DECLTYPES
        )
        self.raw.execute("PRAGMA journal_mode=WAL")

    def cursor(self) -> Cursor:
        return Cursor(self)

    def begin(self, how: str = "") -> None:
        if not self.raw.in_transaction:
            self.raw.execute(f"BEGIN {how}")

    def commit(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        self.raw.close()


class Cursor:
    """A cursor that records what it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: sqlite3.Cursor | None = None
        self._rows: Iterator[Sequence[Any]] | None = None
        self.rowcount = -1

    @property
    def description(self) -> Any:
        return self._found.description if self._found is not None else None

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        text, values = spelled(statement, parameters)
        SEEN.note(text)
        self._connection.begin()
        try:
            self._found = self._run(text, values)
        except sqlite3.Error as error:
            raise _told(error, text) from error
        self.rowcount = self._found.rowcount if self._found is not None else -1

    def _run(self, text: str, values: Mapping[str, Any]) -> sqlite3.Cursor | None:
        raw = self._connection.raw
        for words, answer in _ANSWERS.items():
            if words in text:
                return answer(self._connection, text, values)
        return raw.execute(translated(text), values)

    def nextset(self) -> None:
        """There is one answer."""

    def fetchone(self) -> Any:
        assert self._found is not None
        return self._found.fetchone()

    def fetchmany(self, size: int = 1) -> Any:
        assert self._found is not None
        return self._found.fetchmany(size)

    def fetchall(self) -> Any:
        assert self._found is not None
        return self._found.fetchall()

    def close(self) -> None:
        self._found = None


def _told(error: sqlite3.Error, text: str) -> Exception:
    """Return what the server would have said."""
    name, words = error.sqlite_errorname or "", str(error)
    number = next((n for word, n in _NUMBERS.items() if word in name or word in words), 50_000)
    kind = pytds.IntegrityError if number in (547, 2627) else pytds.OperationalError
    told = kind(f"{words}: {text}" if number in (207, 208) else words)
    told.number = number
    return told


_NUMBERS = {
    "BUSY": 1222,
    "LOCKED": 1222,
    "UNIQUE": 2627,
    "PRIMARYKEY": 2627,
    "no such table": 208,
    "no such column": 207,
}


# --- what the server itself is asked

Answer = Callable[[Connection, str, Mapping[str, Any]], sqlite3.Cursor | None]


def _constant(value: object) -> Answer:
    return lambda connection, _text, _values: connection.raw.execute("SELECT ?", (value,))


def _nothing(_connection: Connection, _text: str, _values: Mapping[str, Any]) -> None:
    return None


def _isolate(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    connection.commit()
    connection.begin("IMMEDIATE" if "READ COMMITTED" in text else "")


def _savepoint(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    name = text.rsplit(maxsplit=1)[-1]
    connection.raw.execute(f"SAVEPOINT {name}" if text.startswith("SAVE") else f"ROLLBACK TO {name}")


def _columns(connection: Connection, _text: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    found = "SELECT lower(w.value), lower(c.name) FROM json_each(@P1) AS w JOIN pragma_table_xinfo(w.value) AS c"
    return connection.raw.execute(found, values)


def _triggers(connection: Connection, _text: str, _values: Mapping[str, Any]) -> sqlite3.Cursor:
    """A trigger is there where all of SQLite's are that do its work."""
    rows = "SELECT lower(tbl_name), name FROM sqlite_master WHERE type = 'trigger'"
    there = {tuple(row) for row in connection.raw.execute(rows)}
    found = [
        f"SELECT '{watched.table.name}', '{name}', 0"
        for watched in ERP.watched
        for name in trigger(watched)
        if there.issuperset((watched.table.name, each) for each in Sqlite().trigger_names(watched))
    ]
    return connection.raw.execute(" UNION ALL ".join(found) or "SELECT 1 WHERE false")


def _make(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    """Make by SQLite's own statements what T-SQL makes; a trigger only where none has its name, at whatever table."""
    there = {row[0] for row in connection.raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    for watched in ERP.watched:
        if f"N'{next(iter(trigger(watched)))}'" in text and not there.issuperset(Sqlite().trigger_names(watched)):
            for statement in Sqlite().triggers(watched):
                connection.raw.execute(statement)
    for table in all_tables(ERP):
        if f"CREATE TABLE {table.name} (" in text:
            for statement in Sqlite().definition(table):
                connection.raw.execute(statement)


def _drop(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    for watched in ERP.watched:
        if text.rsplit(maxsplit=1)[-1] in trigger(watched):
            for name in Sqlite().trigger_names(watched):
                connection.raw.execute(f"DROP TRIGGER IF EXISTS {name}")


def _alter_view(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    head, rows = text.split(" AS ", 1)
    name = head.split()[-1]
    connection.raw.execute(f"DROP VIEW IF EXISTS {name}")
    connection.raw.execute(f"CREATE VIEW {name} AS {translated(rows)}")


def _alter(connection: Connection, text: str, _values: Mapping[str, Any]) -> None:
    """A new column may be of any type here."""
    connection.raw.execute(f"ALTER TABLE {text.split()[2]} ADD COLUMN {text.split()[4]}")


def _indexes(connection: Connection, _text: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    return connection.raw.execute("SELECT name FROM pragma_index_list(@P1)", values)


_ANSWERS: dict[str, Answer] = {
    "IF OBJECT_ID": _make,
    "DROP TRIGGER": _drop,
    "ALTER TABLE": _alter,
    "ALTER VIEW": _alter_view,
    "SELECT name FROM sys.indexes": _indexes,
    "IF NOT EXISTS (SELECT 1 FROM sys.indexes": _nothing,
    "SET TRANSACTION ISOLATION": _isolate,
    "IF @@TRANCOUNT = 0": _nothing,
    "SAVE TRANSACTION": _savepoint,
    "ROLLBACK TRANSACTION": _savepoint,
    "SET LOCK_TIMEOUT": _nothing,
    "sp_getapplock": _nothing,
    "XACT_STATE": _constant(1),
    "snapshot_isolation_state": _constant(1),
    "compatibility_level": _constant(160),
    "ProductVersion": _constant("13.0.4001.0"),
    "schema_name()": _constant("dbo"),
    "Updateability": _constant("READ_WRITE"),
    "sys.system_views": _constant("dm_exec_sessions"),
    "dm_exec_sessions": _constant("READ COMMITTED"),
    "sys.columns": _columns,
    "sys.triggers": _triggers,
    "HAS_PERMS_BY_NAME": lambda connection, _text, _values: connection.raw.execute("SELECT 1 WHERE false"),
}


# --- T-SQL as SQLite says it


@cache
def translated(text: str) -> str:
    """Return a statement as SQLite says it."""
    tree = sqlglot.parse_one(text, dialect="tsql")
    if isinstance(tree, exp.Merge):
        return _upsert(tree)
    return _plain(tree)


def _plain(tree: exp.Expression) -> str:
    for node in reversed(list(tree.walk())):  # what is inside first
        said = _sqlite(node)
        if node is tree:
            tree = said
        elif said is not node:
            node.replace(said)
    return tree.sql("sqlite").replace("KARTOTEKA_DAYS(", "strftime(")


def _sqlite(node: exp.Expression) -> exp.Expression:
    """Return an expression as SQLite knows it; what is inside it is so already."""
    said = node
    if isinstance(node, exp.Collate):
        said = node.this
    elif isinstance(node, exp.OpenJSON):
        said = _unfolded(node)
    elif isinstance(node, exp.Table) and isinstance(node.this, exp.Subquery):
        said = exp.Subquery(this=node.this.this, alias=node.args.get("alias"))
    elif isinstance(node, exp.Left):
        said = exp.Anonymous(this="substr", expressions=[node.this, exp.Literal.number(1), node.expression])
    elif isinstance(node, exp.National):
        said = exp.Literal.string(node.name)
    elif isinstance(node, exp.Add) and any(map(_is_text, node.find_all(exp.Literal, exp.Column))):
        said = exp.DPipe(this=node.this, expression=node.expression, safe=True)
    elif isinstance(node, exp.Extract):
        code = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H"}[node.name.upper()]
        moment = exp.Anonymous(this="KARTOTEKA_DAYS", expressions=[exp.Literal.string(code), node.expression])
        said = exp.Cast(this=moment, to=exp.DataType.build("INT"))
    elif isinstance(node, exp.Cast):
        said = exp.Cast(this=node.this, to=exp.DataType.build("TEXT" if node.to.this in _TEXT_TYPES else "NUMERIC"))
    return said


_TEXT_TYPES = (exp.DataType.Type.NVARCHAR, exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)


def _is_text(leaf: exp.Expression) -> bool:
    return leaf.is_string or (isinstance(leaf, exp.Column) and leaf.name in TEXTS)


def _unfolded(node: exp.OpenJSON) -> exp.Expression:
    shape = node.args.get("expressions") or []
    if not shape:
        return exp.Subquery(this=sqlglot.parse_one(f"SELECT value FROM json_each({node.this.sql('sqlite')})"))
    parts = []
    for column in shape:
        path = column.args["path"].name
        parts.append(f"json_extract(value, '{path}') AS \"{column.name}\"")
    whole = f"SELECT {', '.join(parts)} FROM json_each({node.this.sql('sqlite')})"
    return exp.Subquery(this=sqlglot.parse_one(whole, dialect="sqlite"))


def _upsert(tree: exp.Merge) -> str:
    """INSERT … ON CONFLICT: the rows that are offered have another name there."""
    table, offered = tree.this.name, tree.args["using"]
    rows = _plain(sqlglot.parse_one(f"SELECT 1 FROM {offered.sql('tsql')}", dialect="tsql"))
    keys = [equal.this.name for equal in tree.args["on"].find_all(exp.EQ)]
    (matched, new) = sorted(tree.args["whens"].expressions, key=lambda when: not when.args["matched"])
    insert = new.args["then"]
    names = [column.name for column in insert.this.expressions]
    values = [value.name for value in insert.expression.expressions]
    assert names == values, "a column is filled from another"
    news = ", ".join(_plain(each) for each in matched.args["then"].expressions)
    news = re.sub(r"\boffered\.", "excluded.", news)
    quoted = ", ".join(f'"{name}"' for name in names)
    rows = rows.replace("SELECT 1", f"SELECT {quoted}", 1)
    conflict = ", ".join(keys)
    return f"INSERT INTO {table} ({quoted}) {rows} WHERE true ON CONFLICT ({conflict}) DO UPDATE SET {news}"
