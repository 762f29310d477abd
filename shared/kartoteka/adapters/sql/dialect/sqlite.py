# ruff: noqa: S608 (the statements here are put together from names in our own code)
"""SQLite, the embedded default."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from kartoteka.adapters.sql.dialect.base import (
    BRIEFLY,
    NO_ACCESS,
    NO_SCHEMA,
    WRITES,
    Dialect,
    UtcNow,
    Watched,
    spelled,
)
from kartoteka.adapters.sql.dialect.causes import SQLITE, error_of
from kartoteka.adapters.sql.values import NUL, Among, letters
from kartoteka.errors import Halt, KartotekaError

_BROKEN = ("SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_PERM", "SQLITE_AUTH")
_MOMENTS = (sa.DateTime, sa.Date)
_Case = tuple[str, list[str]]
"""A trigger's head, and the statements in it."""


@compiles(UtcNow, "sqlite")
def _now(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"


@compiles(Among, "sqlite")
def _among(element: Among, compiler: Any, **options: Any) -> str:
    keys, *columns = (compiler.process(part, **options) for part in element.clauses)
    parts = ["value"] if len(columns) == 1 else [f"json_extract(value, '$[{n}]')" for n in range(len(columns))]
    whole = (f"replace({part}, char({ord(NUL)}), char(0))" for part in parts)
    return f"({', '.join(columns)}) IN (SELECT {', '.join(whole)} FROM json_each({keys}))"


class Sqlite(Dialect):
    """One writer at a time, readers never wait (WAL)."""

    name = "sqlite"
    oldest = (3, 35)
    one_writer = True
    keeps_connections = False

    def for_printing(self) -> sa.Dialect:
        return sqlite.dialect()

    def connect_args(self) -> Mapping[str, Any]:
        return {"timeout": self.lock_seconds}

    def identity(self, url: sa.URL) -> str:
        """Return which file it is, by device and number."""
        try:
            found = Path(url.database or "").stat()
        except OSError:
            return ""
        return f"{found.st_dev}:{found.st_ino}"

    def view(self, name: str, rows: sa.SelectBase, printed: sa.Dialect | None = None) -> Sequence[str]:
        return [f"DROP VIEW IF EXISTS {name}", f"CREATE VIEW {name} AS {self.literally(rows, printed)}"]

    def prepare(self, engine: sa.Engine) -> None:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)

    def lock_schema(self, connection: sa.Connection) -> None:
        """BEGIN IMMEDIATE has done it."""

    def columns(self, connection: sa.Connection, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        found = sa.text(
            "SELECT lower(t.name), lower(c.name) FROM sqlite_master AS t JOIN pragma_table_xinfo(t.name) AS c "
            "WHERE t.type IN ('table', 'view') AND lower(t.name) IN :tables"
        ).bindparams(sa.bindparam("tables", expanding=True))
        return frozenset((row[0], row[1]) for row in connection.execute(found, {"tables": list(tables)}))

    def __init__(self) -> None:
        self._prepared: dict[sa.Executable, _Prepared] = {}

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        return sqlite.insert(table).values({name: sa.bindparam(name) for name in columns})

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Let the driver itself go through the rows: unfolding JSON costs twice as much (``bench.database``)."""
        prepared = self._prepared.get(statement) or self._prepared.setdefault(statement, _Prepared(statement))
        connection.exec_driver_sql(prepared.text, [prepared.values(row) for row in rows])

    def place(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the column's text as it is read: a column holds anything here, and not all of it survives as text."""
        text = letters(column)
        raw = sa.cast(column, sa.BLOB())
        is_ascii = text.op("NOT GLOB", is_comparison=True)("*[^ -~]*") & (sa.func.length(text) == sa.func.length(raw))
        is_number = sa.func.typeof(column) == "integer"
        lenient = sa.func.kartoteka_text(raw, type_=sa.UnicodeText())
        return sa.case((is_number, text), (is_ascii, text), else_=lenient)

    def is_key(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Leave out a BLOB: it comes after every text, and is equal to none."""
        return sa.func.typeof(column) != "blob"

    def odd_keys(self, connection: sa.Connection, key: sa.Column[Any], ids: Sequence[str]) -> frozenset[str]:
        """Look for those that a program has bound as bytes."""
        raw_ids = [text.encode() for text in ids]
        raw = sa.type_coerce(key, sa.LargeBinary())
        found = sa.select(raw).where(raw.in_(sa.bindparam("ids", expanding=True, type_=sa.LargeBinary())))
        return frozenset(row[0].decode() for row in connection.execute(found, {"ids": raw_ids}))

    def around(self, column: sa.ColumnElement[Any], begin: datetime | None, end: datetime) -> sa.ColumnElement[bool]:
        """Compare days, since moments are what text somebody wrote; one that begins with no day may be any."""
        text = sa.type_coerce(column, sa.UnicodeText())
        days = [text < _day(end, 2)] if begin is None else [text >= _day(begin, -1), text < _day(end, 2)]
        return sa.or_(sa.and_(*days), text.op("NOT GLOB", is_comparison=True)("????-??-??*"))

    def newest(self, column: sa.Column[Any]) -> sa.Select[str]:
        """Return all texts: their order is not that of the moments."""
        return sa.select(letters(column)).distinct()

    def lacking_rights(self, connection: sa.Connection, _wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """A file has no users: whoever may write it may do all."""
        file = Path(connection.engine.url.database or "")
        may = all(os.access(each, os.W_OK) for each in (file, file.parent))
        return () if may else ("write the file and its folder",)

    def triggers(self, watched: Watched) -> Sequence[str]:
        statements: list[str] = []
        for trigger, (head, entries) in _cases(watched).items():
            body = "\n".join(f"  {entry};" for entry in entries)
            statements.append(f"DROP TRIGGER IF EXISTS {trigger}")
            statements.append(f"CREATE TRIGGER {trigger} {head}\nBEGIN\n{body}\nEND")
        return statements

    def trigger_names(self, watched: Watched) -> Sequence[str]:
        return list(_cases(watched))

    def triggers_of(self, connection: sa.Connection, tables: Sequence[str]) -> Mapping[tuple[str, str], bool]:
        """A trigger cannot be switched off here. One that went with its renamed table is another table's."""
        found = sa.text(
            "SELECT lower(tbl_name), name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN :tables"
        ).bindparams(sa.bindparam("tables", expanding=True))
        return {(row[0], row[1]): True for row in connection.execute(found, {"tables": list(tables)})}

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the code that the database gives; what is missing has none of its own, only words."""
        kind = getattr(error.orig, "sqlite_errorname", None) or ""
        if cause := next((cause for name, cause in SQLITE.items() if kind.startswith(name)), None):
            return error_of(cause, kind)
        if kind.startswith(_BROKEN):
            return Halt("database_access", f"{NO_ACCESS} ({kind})")
        if str(error.orig).startswith(("no such table", "no such column")) or "has no column named" in str(error.orig):
            return Halt("no_schema", NO_SCHEMA)
        return None


class _Prepared:
    """A statement as the driver takes it, and what it takes of a row."""

    def __init__(self, statement: Any) -> None:
        compiled = statement.compile(dialect=sqlite.dialect())
        names = compiled.positiontup
        types = [statement.table.c[name].type for name in names]
        self.text = str(compiled)
        self._given = itemgetter(*names)
        self._moments = [n for n, kind in enumerate(types) if isinstance(getattr(kind, "impl", kind), _MOMENTS)]

    def values(self, row: Mapping[str, Any]) -> Sequence[Any]:
        """Return a row's values in the statement's order."""
        values = list(self._given(row))
        for n in self._moments:
            if values[n] is not None:
                values[n] = spelled(values[n])
        return tuple(values)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _on_begin does
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # one unreadable letter costs no row
    connection.create_function("kartoteka_text", 1, _lenient_text, deterministic=True)
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")  # refused while somebody else just does the same


def _on_begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(WRITES):
        connection.exec_driver_sql("BEGIN")
        return
    seconds = options.get(BRIEFLY)
    if seconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        if seconds:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(Sqlite.lock_seconds * 1000)}")


def _lenient_text(raw: bytes | None) -> str | None:
    """Return a text in whatever encoding somebody wrote it."""
    return None if raw is None else raw.decode("utf-8", "replace")


def _day(moment: datetime, days: int) -> str:
    """Return a day so many days off as text: a moment that names its zone may be a day away from what it says."""
    try:
        return (moment.astimezone(UTC) + timedelta(days)).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()


# --- triggers


def _cases(watched: Watched) -> dict[str, _Case]:
    """Return trigger -> what it does."""
    cases = _answer_cases(watched) if watched.answer else _table_cases(watched)
    return {f"kartoteka_{watched.table.name}_{name}": case for name, case in cases.items()}


def _table_cases(watched: Watched) -> dict[str, _Case]:
    """Return the trigger's kind -> what it does, for a table that the ERP writes."""
    table = watched.table.name
    same = " AND ".join(f"OLD.{column} IS NEW.{column}" for column in watched.whole_key)
    gone, new = _entry(watched, "OLD", "D"), _entry(watched, "NEW", "I")
    cases: dict[str, _Case] = {
        "insert": (f"AFTER INSERT ON {table}", [new]),
        "update": (f"AFTER UPDATE ON {table} WHEN {same}", [_entry(watched, "NEW", "U")]),
        "move": (f"AFTER UPDATE ON {table} WHEN NOT ({same})", [gone, new]),
        "delete": (f"AFTER DELETE ON {table}", [gone]),
    }
    if watched.owner not in watched.key:
        # INSERT OR REPLACE fires no delete trigger: where it takes a row from another owner, tell that one.
        (key,) = watched.key
        taken = f"{_into(watched)} SELECT {_values(watched, 'taken', 'D')} FROM {table} AS taken "
        taken += f"WHERE taken.{key} = NEW.{key} AND taken.{watched.owner} IS NOT NEW.{watched.owner}"
        cases["replace"] = (f"BEFORE INSERT ON {table}", [taken])
    return cases


def _answer_cases(watched: Watched) -> dict[str, _Case]:
    """Return the trigger's kind -> what it does, for a table of ours in which the ERP answers."""
    head = f"AFTER UPDATE OF {watched.answer} ON {watched.table.name}"
    changed = f"{head} WHEN OLD.{watched.owner} IS NOT NULL AND OLD.{watched.owner} IS NOT NEW.{watched.owner}"
    return {
        "answer": (head, [_entry(watched, "NEW", "U")]),
        "moved": (changed, [_entry(watched, "OLD", "U")]),
    }


def _entry(watched: Watched, row: str, operation: str) -> str:
    return f"{_into(watched)} VALUES ({_values(watched, row, operation)})"


def _into(watched: Watched) -> str:
    return f"INSERT INTO change_log (table_name, {', '.join(watched.owners)}, row_id, operation)"


def _values(watched: Watched, row: str, operation: str) -> str:
    name = " || ':' || ".join(f"COALESCE({row}.{column}, '')" for column in watched.row)
    owners = ", ".join(f"COALESCE({row}.{column}, '')" for column in watched.owners.values())
    return f"'{watched.table.name}', {owners}, {name}, '{operation}'"
