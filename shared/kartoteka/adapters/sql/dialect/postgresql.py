"""PostgreSQL 13 and later, by psycopg 3, also behind a pooler."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from kartoteka.adapters.sql.dialect.base import (
    BRIEFLY,
    CONNECT_SECONDS,
    EXACT,
    LACKS_RIGHT,
    NO_ACCESS,
    NO_SCHEMA,
    STATEMENT_SECONDS,
    WRONG_LOGIN,
    WRONG_NAME,
    WRONG_TYPE,
    Dialect,
    UtcNow,
    Watched,
    spelled,
)
from kartoteka.adapters.sql.dialect.causes import POSTGRESQL, POSTGRESQL_WORDS, error_of
from kartoteka.adapters.sql.values import Among
from kartoteka.errors import Halt, KartotekaError, Retry

_UNICODE = ("UTF8", "UNICODE")
_NO_ENCODING = "SQL_ASCII"
"""A database that keeps whatever bytes it is given."""
_ANY_OTHER = 0
"""The driver's number for types that it has no loader of."""
_CODEC, _SPELLING = "kartoteka_codec", "kartoteka_spelling"
"""How values, and a statement's own text, must be encoded."""

_NO_SCHEMA_STATES = ("42P01", "42703", "3F000")
_NO_ACCESS_STATES = ("28", "3D", "42501")
_RETRY_STATES = ("08", "25P", "40", "53", "55", "57", "58")
_BY_STATE = {"3D000": WRONG_NAME, "28P01": WRONG_LOGIN, "28000": WRONG_LOGIN, "42501": LACKS_RIGHT}
_WRONG_TYPE_STATES = ("42883", "42804")
_REFUSALS = {
    ("password authentication failed",): WRONG_LOGIN,
    ("no password supplied",): WRONG_LOGIN,
    ("authentication failed",): WRONG_LOGIN,
    ("pg_hba.conf",): NO_ACCESS,
    ('database "', "does not exist"): WRONG_NAME,
    ('role "', "does not exist"): WRONG_LOGIN,
    ("permission denied for database",): LACKS_RIGHT,
    ("autoryzacja", "nie powiodła się"): WRONG_LOGIN,
    ("baza danych", "nie istnieje"): WRONG_NAME,
    ("rola", "nie istnieje"): WRONG_LOGIN,
}
"""Words of a refused connection -> what is said of it."""


@compiles(UtcNow, "postgresql")
def _now(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'utc')"


@compiles(Among, "postgresql")
def _among(element: Among, compiler: Any, **options: Any) -> str:
    keys, *columns = (compiler.process(part, **options) for part in element.clauses)
    if len(columns) == 1:
        return f"{columns[0]} = ANY (ARRAY(SELECT json_array_elements_text(CAST({keys} AS JSON))))"
    parts = ", ".join(f"keys.value ->> {n}" for n in range(len(columns)))
    rows = f"SELECT {parts} FROM json_array_elements(CAST({keys} AS JSON)) AS keys(value)"  # noqa: S608 (our own names)
    return f"({', '.join(columns)}) IN ({rows})"


class Postgresql(Dialect):
    """What differs on PostgreSQL."""

    name = "postgresql"
    oldest = (13,)
    read_isolation = "REPEATABLE READ"
    every_letter = "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"

    def for_printing(self) -> sa.Dialect:
        return postgresql.dialect()  # type: ignore[no-untyped-call]

    def connect_args(self) -> Mapping[str, Any]:
        """Return the driver's settings: no prepared statements, no start-up options, since poolers know neither."""
        return {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8", "prepare_threshold": None}

    def prepare(self, engine: sa.Engine) -> None:
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", _on_begin)

        event.listen(engine, "before_cursor_execute", _fit_letters, retval=True)

    def _on_connect(self, connection: Any, record: Any) -> None:
        encoding = connection.info.parameter_status("server_encoding") or "UTF8"
        if encoding == _NO_ENCODING:
            # The server would refuse to send what is no UTF-8, and with it all other rows.
            connection.execute(f"SET client_encoding = '{_NO_ENCODING}'")
            record.info[_SPELLING] = "ascii"
            for kind in ("text", "varchar", "name", '"char"', _ANY_OTHER):
                connection.adapters.register_loader(kind, _loader(padded=False))
        elif encoding not in _UNICODE:
            record.info[_CODEC] = record.info[_SPELLING] = _codec(encoding)
        connection.adapters.register_loader("bpchar", _loader(padded=True))
        connection.execute(
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '{int(self.lock_seconds * 1000)}ms';"
            f"SET idle_in_transaction_session_timeout = '{STATEMENT_SECONDS}s';"
            "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'"
        )
        connection.commit()

    def lock_schema(self, connection: sa.Connection) -> None:
        """Take a lock that ends with the transaction."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('kartoteka.schema'))")

    def columns(self, connection: sa.Connection, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Look for the tables as a statement would find them: by the search path."""
        found = sa.text(
            "SELECT t.name, a.attname FROM unnest(CAST(:tables AS text[])) AS t(name) "
            "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = to_regclass(t.name) "
            "WHERE a.attnum > 0 AND NOT a.attisdropped"
        )
        return frozenset((row[0], row[1]) for row in connection.execute(found, {"tables": list(tables)}))

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        """INSERT … SELECT from one JSON document: parsed once, however many rows, and cheap to put together."""
        typed = [sa.column(name, table.c[name].type) for name in columns]
        document = sa.cast(sa.bindparam("rows", type_=sa.Text()), postgresql.JSON())
        rows = sa.func.json_to_recordset(document).table_valued(*typed).render_derived(with_types=True)
        return postgresql.insert(table).from_select(columns, sa.select(*rows.c))

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Hand over all rows in one parameter."""
        connection.execute(statement, {"rows": json.dumps(rows, ensure_ascii=False, default=spelled)})

    def encoding(self, connection: sa.Connection) -> str:
        encoding = str(connection.exec_driver_sql("SHOW server_encoding").scalar_one())
        return "" if encoding in _UNICODE else encoding

    def is_replica(self, connection: sa.Connection) -> bool:
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one())

    def lacking_rights(self, connection: sa.Connection, _wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
        pairs = [(table, verb) for table, verbs in _wanted.items() for verb in verbs]
        lacking = sa.text(
            "SELECT w.verb || ' ' || w.name "
            "FROM unnest(CAST(:tables AS text[]), CAST(:verbs AS text[])) AS w(name, verb) "
            "WHERE NOT has_table_privilege(to_regclass(w.name), w.verb)"
        )
        tables, verbs = zip(*pairs, strict=True) if pairs else ((), ())
        return list(connection.execute(lacking, {"tables": list(tables), "verbs": list(verbs)}).scalars())

    def script(self, statements: Iterable[str]) -> str:
        """``psql`` would read the file in its terminal's encoding."""
        return f"SET client_encoding = 'UTF8';\n\n{super().script(statements)}"

    def triggers(self, watched: Watched) -> Sequence[str]:
        return [
            _create_function(watched),
            f"REVOKE ALL ON FUNCTION {_function(watched)} FROM PUBLIC",
            *([_DECIDED] if _has_decided_by(watched) else []),
            *_create_triggers(watched),
        ]

    def missing_triggers(self, watched: Watched) -> Sequence[str]:
        """Look whether the role may before any lock is asked for; the function may be there, and another role's."""
        table, function = watched.table.name, _function(watched)
        may = f"has_table_privilege('{table}', 'TRIGGER')"
        return [
            f"DO $kartoteka$ BEGIN IF NOT {may} THEN RAISE insufficient_privilege; END IF; END $kartoteka$",
            _create_function(watched, unless=f"to_regprocedure('{function}') IS NOT NULL"),
            *_create_triggers(watched),
        ]

    def trigger_names(self, watched: Watched) -> Sequence[str]:
        return list(_events(watched))

    def triggers_of(self, connection: sa.Connection, tables: Sequence[str]) -> Mapping[tuple[str, str], bool]:
        """A trigger that fires only for replication (``R``) is as good as none."""
        found = sa.text(
            "SELECT t.name, g.tgname, g.tgenabled IN ('O', 'A') FROM unnest(CAST(:tables AS text[])) AS t(name) "
            "JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = to_regclass(t.name) WHERE NOT g.tgisinternal"
        )
        return {(row[0], row[1]): row[2] for row in connection.execute(found, {"tables": list(tables)})}

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the code that the database gives, not by its words."""
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            return _diagnose_connection(error)
        if state in POSTGRESQL:
            return error_of(POSTGRESQL[state], state)
        if state.startswith(_NO_SCHEMA_STATES):
            return Halt("no_schema", NO_SCHEMA)
        if state.startswith(_NO_ACCESS_STATES):
            return Halt("database_access", f"{_BY_STATE.get(state, NO_ACCESS)} ({state})")
        if state in _WRONG_TYPE_STATES:
            return Halt("no_schema", WRONG_TYPE)
        return Retry("database") if state.startswith(_RETRY_STATES) else None


def _on_begin(connection: sa.Connection) -> None:
    if seconds := connection.get_execution_options().get(BRIEFLY):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds}s'")


def _diagnose_connection(error: DBAPIError) -> KartotekaError | None:
    """A refused connection carries no code, only a text in the server's language."""
    if isinstance(error, sa.exc.DataError):
        return None
    text = str(error.orig)
    for words, sentence in _REFUSALS.items():
        if all(word in text for word in words):
            return Halt("database_access", sentence)
    cause = next((cause for words, cause in POSTGRESQL_WORDS.items() if words in text), None)
    return error_of(cause, "refused") if cause else Retry("database")


def _loader(*, padded: bool) -> type:
    """Return what reads a text: CHAR(n) without the blanks it is ``padded`` with, and an unreadable letter as such."""
    from psycopg.adapt import Loader

    class Lenient(Loader):
        def load(self, data: Any) -> str:
            text = bytes(data).decode("utf-8", "replace")
            return text.rstrip(" ") if padded else text

    return Lenient


def _codec(encoding: str) -> str:
    """Return Python's name of a server's encoding; of one that it does not know, the letters that all have."""
    try:
        return codecs.lookup(encoding.replace("WIN", "cp")).name
    except LookupError:
        return "ascii"


def _fit_letters(
    connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
) -> tuple[str, Any]:
    """Replace letters that the database cannot hold, but for those in the ERP's own rows: there they are refused."""
    codec, spelling = connection.info.get(_CODEC), connection.info.get(_SPELLING)
    if spelling is not None:
        statement = _fitted(statement, spelling)
    if codec is None or context.execution_options.get(EXACT):
        return statement, parameters
    return statement, _fitted(parameters, codec)


def _fitted(value: Any, codec: str) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode(codec, "replace").decode(codec)
    if isinstance(value, dict):
        return {name: _fitted(each, codec) for name, each in value.items()}
    return type(value)(_fitted(each, codec) for each in value) if isinstance(value, list | tuple) else value


# --- triggers


def _function(watched: Watched) -> str:
    return f"kartoteka_log_{watched.table.name}()"


def _create_function(watched: Watched, unless: str = "false") -> str:
    """The search path is pinned to the schema at creation, whatever the ERP's session has set."""
    body = _ANSWER if watched.answer else _LOG
    words = {
        "{into}": f"INSERT INTO change_log (table_name, {', '.join(watched.owners)}, row_id, operation)",
        "{name}": watched.table.name,
        "{same}": " AND ".join(f"OLD.{column} IS NOT DISTINCT FROM NEW.{column}" for column in watched.whole_key),
        "{old_owner}": f"OLD.{watched.owner}",
        "{new_owner}": f"NEW.{watched.owner}",
        "{old}": _entry(watched, "OLD"),
        "{new}": _entry(watched, "NEW"),
        "{each}": _entry(watched, "t"),
    }
    for word, text in words.items():
        body = body.replace(word, text)
    return (
        f"DO $kartoteka$ BEGIN IF {unless} THEN RETURN; END IF; "
        f"EXECUTE replace($create$\nCREATE OR REPLACE FUNCTION {_function(watched)} "
        "RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$"
        f"{body}$body$\n$create$, '{{schema}}', quote_ident(current_schema())); END $kartoteka$"
    )


def _events(watched: Watched) -> Mapping[str, tuple[str, str]]:
    """Return trigger -> when it fires, for which table, and the function that it calls."""
    function = _function(watched)
    if not watched.answer:
        return {
            "kartoteka_log": ("AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW", function),
            "kartoteka_truncate": ("BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", function),
        }
    answered = f"UPDATE OF {watched.answer} ON {{table}} FOR EACH ROW"
    decided = {"kartoteka_decided": (f"BEFORE {answered}", "kartoteka_decided()")}
    return {"kartoteka_answer": (f"AFTER {answered}", function), **(decided if _has_decided_by(watched) else {})}


def _has_decided_by(watched: Watched) -> bool:
    return watched.answer != "" and "decided_by" in watched.table.c


def _create_triggers(watched: Watched) -> list[str]:
    return [_create_trigger(watched, name, head, function) for name, (head, function) in _events(watched).items()]


def _entry(watched: Watched, row: str) -> str:
    parts = ", ".join(f"{row}.{column}::text" for column in watched.row)
    owners = ", ".join(f"coalesce({row}.{column}::text, '')" for column in watched.owners.values())
    return f"{owners}, concat_ws(':', {parts})"


def _create_trigger(watched: Watched, name: str, head: str, function: str) -> str:
    """An existing trigger is left alone: replacing it would lock a table on which the ERP may be at work."""
    table = watched.table.name
    return (
        "DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger "
        f"WHERE tgrelid = '{table}'::regclass AND tgname = '{name}') THEN "
        f"CREATE TRIGGER {name} {head.format(table=table)} EXECUTE FUNCTION {function}; "
        "END IF; END $kartoteka$"
    )


_LOG = """
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ {into} SELECT '{name}', {each}, 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND {same} THEN
    {into} VALUES ('{name}', {new}, 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    {into} VALUES ('{name}', {old}, 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    {into} VALUES ('{name}', {new}, 'I');
  END IF;
  RETURN NULL;
END
"""

_DECIDED = """
CREATE OR REPLACE FUNCTION kartoteka_decided() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.decision IS NULL THEN
    NEW.decided_by := NULL;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision AND NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
    NEW.decided_by := session_user;
  END IF;
  RETURN NEW;
END
$body$"""

_ANSWER = """
BEGIN
  {into} VALUES ('{name}', {new}, 'U');
  IF {old_owner} <> {new_owner} OR ({old_owner} IS NOT NULL AND {new_owner} IS NULL) THEN
    {into} VALUES ('{name}', {old}, 'U');
  END IF;
  RETURN NULL;
END
"""
