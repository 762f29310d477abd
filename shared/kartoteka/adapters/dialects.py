# ruff: noqa: S608 (the statements here are put together from names in our own code)
"""Everything in which the database engines differ, and nothing else: one class an engine.

To add an engine: write a subclass of :class:`Engine`, add it to ``ENGINES``, give :class:`UtcNow` its expression, and
run the contract suite and the trigger tests on it. No other module asks which engine it talks to.
"""

from __future__ import annotations

import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from kartoteka.core.errors import Halt, KartotekaError, Retry

OWN = "kartoteka"
"""``change_log.origin`` of our own writes."""

WRITES = "kartoteka_writes"
"""Execution option of a connection that is about to write."""

STATEMENT_SECONDS = 60
LOCK_SECONDS = 30
CONNECT_SECONDS = 10
POOL_SIZE = 4

Merge = Callable[[sa.ColumnElement[Any], sa.ColumnElement[Any]], sa.ColumnElement[Any]]
"""(stored value, offered value) -> what an upsert leaves in the column."""

NO_SCHEMA = "tables or columns of the exchange database are missing: run `kartoteka schema create --url …`"
_NO_ACCESS = "the exchange database lets us not in or not do this: check address, user, password and rights"


@dataclass(frozen=True, slots=True)
class Watched:
    """A table whose changes go into ``change_log``.

    ``owner`` is the column with the customer's (or the group's) id, ``row`` the columns that name the row within its
    owner. With ``answer`` only updates of that one column are logged: it is where the ERP answers in a table of ours.
    """

    table: str
    owner: str
    row: tuple[str, ...]
    answer: str = ""


class Refused(Halt):
    """The database refused a statement's data. ``reason`` is its own text: it may quote a row, so it stays at home."""

    def __init__(self, reason: str) -> None:
        super().__init__("database_refused", "the exchange database refused what was to be written")
        self.reason = reason


class UtcNow(sa.sql.functions.FunctionElement[Any]):
    """The present moment in UTC, as a column's default."""

    type = sa.DateTime()
    inherit_cache = True


@compiles(UtcNow, "sqlite")
def _now_in_sqlite(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"


@compiles(UtcNow, "postgresql")
def _now_in_postgresql(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'utc')"


class Engine(ABC):
    """What Kartoteka needs to know of one database engine."""

    name: str
    """SQLAlchemy's name of the dialect."""
    read_isolation: str | None = None
    """Isolation level in which several SELECTs see one moment; None where plain transactions do."""
    marker_table: bool = False
    """Whether a session marks its own writes in the table ``sync_writer``."""
    one_writer: bool = False
    """Whether writers exclude each other anyway: then our own threads had better queue up than sleep and try again."""
    add_column: str = "ALTER TABLE {table} ADD COLUMN {column}"

    @abstractmethod
    def dialect(self) -> sa.Dialect:
        """Return a dialect for printing DDL, without a connection."""

    @abstractmethod
    def connect_args(self) -> Mapping[str, Any]:
        """Return the driver's settings: time limits, encoding."""

    @abstractmethod
    def prepare(self, engine: sa.Engine) -> None:
        """Hook what every new connection and transaction of this engine needs."""

    @abstractmethod
    def lock_schema(self, connection: sa.Connection) -> None:
        """Let one process at a time change the schema, until the transaction ends."""

    @abstractmethod
    def triggers(self, watched: Watched) -> Sequence[str]:
        """Return statements that make this table fill ``change_log``; running them twice changes nothing."""

    @abstractmethod
    def mark_own(self, connection: sa.Connection) -> None:
        """Mark the writes of this transaction as our own, for no other connection to see."""

    @abstractmethod
    def unmark_own(self, connection: sa.Connection) -> None:
        """Undo ``mark_own`` before the commit, where the end of the transaction does not do so."""

    @abstractmethod
    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        """Return the engine's own INSERT of these columns, for :meth:`run`."""

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement of :meth:`insert` or :meth:`upsert` for these rows, with few round trips."""
        connection.execute(statement, rows)

    @abstractmethod
    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Say what to do about a failed statement; None: the statement's own data were refused."""

    def same(self, column: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds exactly this value: to the letter, and null only null."""
        return column.is_not_distinct_from(value)

    def among(self, *columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that these columns together are one of the tuples in the parameter ``keys``."""
        return sa.tuple_(*columns).in_(sa.bindparam("keys", expanding=True))

    def place(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return a key column in an order in which its own text, handed back, stands just where the column does."""
        return column

    def beyond(
        self, columns: Sequence[sa.ColumnElement[Any]], last: Sequence[sa.ColumnElement[Any]]
    ) -> sa.ColumnElement[bool]:
        """Return the condition that these columns together come after these values, for an index to answer."""
        return sa.tuple_(*columns) > sa.tuple_(*last)

    def around(self, column: sa.ColumnElement[Any], begin: datetime | None, end: datetime) -> sa.ColumnElement[bool]:
        """Return a condition that holds for every moment from ``begin`` (None: ever) to ``end``; it may for others."""
        return column <= end if begin is None else column.between(begin, end)

    def newest(self, column: sa.Column[Any]) -> sa.Select[str]:
        """Return a SELECT of texts of moments, the column's newest among them."""
        finite = column <= datetime.max.replace(tzinfo=UTC)
        return sa.select(sa.cast(sa.func.max(column), sa.UnicodeText())).where(finite)

    def upsert(
        self, table: sa.Table, columns: Sequence[str], merges: Mapping[str, Merge] | None = None
    ) -> sa.Executable:
        """Return an INSERT that updates these columns where the key exists; ``merges``: those that look at both."""
        keys = [column.name for column in table.primary_key]
        statement = self.insert(table, columns)
        offered = statement.excluded
        plain = {name: offered[name] for name in columns if name not in keys}
        merged = {name: merge(table.c[name], offered[name]) for name, merge in (merges or {}).items()}
        upsert: sa.Executable = statement.on_conflict_do_update(index_elements=keys, set_={**plain, **merged})
        return upsert


class Sqlite(Engine):
    """SQLite, the embedded default: one writer at a time, readers never wait (WAL)."""

    name = "sqlite"
    marker_table = True
    one_writer = True

    def dialect(self) -> sa.Dialect:
        """Return a dialect for printing DDL."""
        return sqlite.dialect()

    def connect_args(self) -> Mapping[str, Any]:
        """Return the driver's settings."""
        return {"timeout": LOCK_SECONDS}

    def prepare(self, engine: sa.Engine) -> None:
        """Hook what every new connection needs."""
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", self._on_begin)

    @staticmethod
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own: _on_begin does
        connection.text_factory = _lenient_text
        connection.create_function("kartoteka_text", 1, _lenient_text, deterministic=True)
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")  # refused while somebody else just does the same

    @staticmethod
    def _on_begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def lock_schema(self, connection: sa.Connection) -> None:
        """BEGIN IMMEDIATE has done it."""

    def mark_own(self, connection: sa.Connection) -> None:
        """Mark the writes of this transaction as our own."""
        connection.exec_driver_sql(f"INSERT INTO sync_writer (origin) VALUES ('{OWN}')")

    def unmark_own(self, connection: sa.Connection) -> None:
        """Take the mark away before anybody else can see it."""
        connection.exec_driver_sql("DELETE FROM sync_writer")

    def place(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the column's text as it is read: a column holds anything here, and not all of it survives as text."""
        text = sa.cast(column, sa.UnicodeText())
        raw = sa.cast(column, sa.BLOB())
        is_ascii = text.op("NOT GLOB", is_comparison=True)("*[^ -~]*") & (sa.func.length(text) == sa.func.length(raw))
        is_number = sa.func.typeof(column) == "integer"
        lenient = sa.func.kartoteka_text(raw, type_=sa.UnicodeText())
        return sa.case((is_number, text), (is_ascii, text), else_=lenient)

    def around(self, column: sa.ColumnElement[Any], begin: datetime | None, end: datetime) -> sa.ColumnElement[bool]:
        """Compare days, since moments are what text somebody wrote; one that begins with no day may be any."""
        text = sa.type_coerce(column, sa.UnicodeText())
        days = [text < _day(end, 2)] if begin is None else [text >= _day(begin, -1), text < _day(end, 2)]
        return sa.or_(sa.and_(*days), text.op("NOT GLOB", is_comparison=True)("????-??-??*"))

    def newest(self, column: sa.Column[Any]) -> sa.Select[str]:
        """Return all texts: their order is not that of the moments."""
        return sa.select(sa.cast(column, sa.UnicodeText())).distinct()

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        """Return an INSERT for :meth:`run`."""
        return sqlite.insert(table).values({name: sa.bindparam(name) for name in columns})

    def triggers(self, watched: Watched) -> Sequence[str]:
        """Return the statements that make and renew the triggers."""
        statements: list[str] = []
        for name, (when, entries) in self._cases(watched).items():
            trigger = f"kartoteka_{watched.table}_{name}"
            body = "\n".join(f"  {entry};" for entry in entries)
            statements.append(f"DROP TRIGGER IF EXISTS {trigger}")
            statements.append(f"CREATE TRIGGER {trigger} {when}\nBEGIN\n{body}\nEND")
        return statements

    def _cases(self, watched: Watched) -> dict[str, tuple[str, list[str]]]:
        """Return trigger name -> (its head, its statements)."""
        table, same = watched.table, self._same(watched)
        if watched.answer:
            return self._answer_cases(watched)
        gone, new = self._entry(watched, "OLD", "D"), self._entry(watched, "NEW", "I")
        return {
            "insert": (f"AFTER INSERT ON {table}", [new]),
            "update": (f"AFTER UPDATE ON {table} WHEN {same}", [self._entry(watched, "NEW", "U")]),
            "move": (f"AFTER UPDATE ON {table} WHEN NOT ({same})", [gone, new]),
            "delete": (f"AFTER DELETE ON {table}", [gone]),
            **self._replace_case(watched),
        }

    def _answer_cases(self, watched: Watched) -> dict[str, tuple[str, list[str]]]:
        head = f"AFTER UPDATE OF {watched.answer} ON {watched.table}"
        changed = f"{head} WHEN OLD.{watched.owner} IS NOT NULL AND OLD.{watched.owner} IS NOT NEW.{watched.owner}"
        return {
            "answer": (head, [self._entry(watched, "NEW", "U")]),
            "moved": (changed, [self._entry(watched, "OLD", "U")]),
        }

    def _replace_case(self, watched: Watched) -> dict[str, tuple[str, list[str]]]:
        """INSERT OR REPLACE fires no delete trigger: where it takes a row from another owner, tell that one."""
        if watched.owner in watched.row or watched.table != "delivery_addresses":
            return {}
        owner, (key,) = watched.owner, watched.row
        taken = (
            "INSERT INTO change_log (table_name, client_id, row_id, operation, origin) "
            f"SELECT '{watched.table}', COALESCE({owner}, ''), {key}, 'D', {_SQLITE_ORIGIN} FROM {watched.table} "
            f"WHERE {key} = NEW.{key} AND {owner} IS NOT NEW.{owner}"
        )
        return {"replace": (f"BEFORE INSERT ON {watched.table}", [taken])}

    @staticmethod
    def _same(watched: Watched) -> str:
        return " AND ".join(f"OLD.{column} IS NEW.{column}" for column in dict.fromkeys((watched.owner, *watched.row)))

    @staticmethod
    def _entry(watched: Watched, row: str, operation: str) -> str:
        name = " || ':' || ".join(f"COALESCE({row}.{column}, '')" for column in watched.row)
        return (
            "INSERT INTO change_log (table_name, client_id, row_id, operation, origin) "
            f"VALUES ('{watched.table}', COALESCE({row}.{watched.owner}, ''), {name}, '{operation}', {_SQLITE_ORIGIN})"
        )

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the code that the database gives, not by its words."""
        kind = getattr(error.orig, "sqlite_errorname", None) or ""
        if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT")):
            return Retry("database")
        if kind.startswith(_SQLITE_BROKEN):
            return Halt("database_access", f"{_NO_ACCESS} ({kind})")
        if str(error.orig).startswith(("no such table", "no such column")) or "has no column named" in str(error.orig):
            return Halt("no_schema", NO_SCHEMA)
        return None


def _day(moment: datetime, days: int) -> str:
    """Return a day so many days off as text: a moment that names its zone may be a day away from what it says."""
    try:
        return (moment.astimezone(UTC) + timedelta(days)).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()


_SQLITE_ORIGIN = "COALESCE((SELECT origin FROM sync_writer LIMIT 1), 'erp')"
_SQLITE_BROKEN = tuple(
    f"SQLITE_{kind}" for kind in ("CANTOPEN", "READONLY", "NOTADB", "CORRUPT", "IOERR", "FULL", "PERM", "AUTH")
)


def _lenient_text(raw: bytes | None) -> str | None:
    """Return a text in whatever encoding somebody wrote it, for an unreadable letter is better than no row at all."""
    return None if raw is None else raw.decode("utf-8", "replace")


class Postgresql(Engine):
    """PostgreSQL 12 and later, by psycopg 3, also behind a pooler."""

    name = "postgresql"
    read_isolation = "REPEATABLE READ"

    def dialect(self) -> sa.Dialect:
        """Return a dialect for printing DDL."""
        return postgresql.dialect()  # type: ignore[no-untyped-call]

    def connect_args(self) -> Mapping[str, Any]:
        """Return the driver's settings: no prepared statements, no start-up options, since poolers know neither."""
        return {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8", "prepare_threshold": None}

    def prepare(self, engine: sa.Engine) -> None:
        """Hook what every new connection needs."""
        event.listen(engine, "connect", self._on_connect)

    @staticmethod
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.adapters.register_loader("bpchar", _unpadding_loader())
        connection.execute(
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '{LOCK_SECONDS}s';"
            f"SET idle_in_transaction_session_timeout = '{STATEMENT_SECONDS}s';"
            "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'"
        )
        connection.commit()

    def lock_schema(self, connection: sa.Connection) -> None:
        """Take a lock that ends with the transaction."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('kartoteka.schema'))")

    def mark_own(self, connection: sa.Connection) -> None:
        """Mark the writes of this transaction as our own."""
        connection.exec_driver_sql(f"SELECT set_config('kartoteka.origin', '{OWN}', true)")

    def unmark_own(self, connection: sa.Connection) -> None:
        """The end of the transaction does it."""

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        """INSERT … SELECT from one array for each column: parsed once, however many rows."""
        types = [(name, table.c[name].type) for name in columns]
        arrays = [sa.bindparam(name, type_=postgresql.ARRAY(kind)) for name, kind in types]
        rows = sa.func.unnest(*arrays).table_valued(*(sa.column(*pair) for pair in types)).render_derived()
        return postgresql.insert(table).from_select(columns, sa.select(*rows.c))

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Hand over one array for each column."""
        connection.execute(statement, {name: [row[name] for row in rows] for name in rows[0]})

    def triggers(self, watched: Watched) -> Sequence[str]:
        """Return the statements that make and renew the triggers."""
        if watched.answer:
            events = {"kartoteka_answer": f"AFTER UPDATE OF {watched.answer} ON {{table}} FOR EACH ROW"}
        else:
            events = {
                "kartoteka_log": "AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW",
                "kartoteka_truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
            }
        created = [self._create_trigger(watched.table, name, head) for name, head in events.items()]
        return [
            self._create_function(watched),
            f"REVOKE ALL ON FUNCTION {_function(watched.table)} FROM PUBLIC",
            *created,
        ]

    def _create_function(self, watched: Watched) -> str:
        """The search path is pinned to the schema at creation, whatever the ERP's session has set."""
        body = _POSTGRESQL_ANSWER if watched.answer else _POSTGRESQL_LOG
        for word, text in self._words(watched).items():
            body = body.replace(word, text)
        return (
            f"DO $kartoteka$ BEGIN EXECUTE replace($create$\nCREATE OR REPLACE FUNCTION {_function(watched.table)} "
            "RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$"
            f"{body}$body$\n$create$, '{{schema}}', quote_ident(current_schema())); END $kartoteka$"
        )

    def _words(self, watched: Watched) -> dict[str, str]:
        key = dict.fromkeys((watched.owner, *watched.row))
        return {
            "{name}": watched.table,
            "{same}": " AND ".join(f"OLD.{column} IS NOT DISTINCT FROM NEW.{column}" for column in key),
            "{old_owner}": f"OLD.{watched.owner}",
            "{new_owner}": f"NEW.{watched.owner}",
            "{old}": self._entry(watched, "OLD"),
            "{new}": self._entry(watched, "NEW"),
            "{each}": self._entry(watched, "t"),
        }

    @staticmethod
    def _entry(watched: Watched, row: str) -> str:
        parts = ", ".join(f"{row}.{column}::text" for column in watched.row)
        return f"coalesce({row}.{watched.owner}::text, ''), concat_ws(':', {parts})"

    @staticmethod
    def _create_trigger(table: str, name: str, head: str) -> str:
        """An existing trigger is left alone: replacing it would lock a table on which the ERP may be at work."""
        return (
            "DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger "
            f"WHERE tgrelid = '{table}'::regclass AND tgname = '{name}') THEN "
            f"CREATE TRIGGER {name} {head.format(table=table)} EXECUTE FUNCTION {_function(table)}; "
            "END IF; END $kartoteka$"
        )

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the code that the database gives, not by its words."""
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            return self._diagnose_connection(error)
        if state.startswith(_POSTGRESQL_NO_SCHEMA):
            return Halt("no_schema", NO_SCHEMA)
        if state.startswith(_POSTGRESQL_NO_ACCESS):
            return Halt("database_access", f"{_NO_ACCESS} ({state})")
        return Retry("database") if state.startswith(_POSTGRESQL_RETRY) else None

    @staticmethod
    def _diagnose_connection(error: DBAPIError) -> KartotekaError | None:
        """A refused connection carries no code, only a text in the server's language."""
        if isinstance(error, sa.exc.DataError):
            return None
        text = str(error.orig)
        refused = any(all(word in text for word in words) for words in _POSTGRESQL_REFUSALS)
        return Halt("database_access", _NO_ACCESS) if refused else Retry("database")


def _unpadding_loader() -> type:
    from psycopg.types.string import TextLoader

    class Unpadded(TextLoader):
        """CHAR(n) without the blanks it is padded with."""

        def load(self, data: Any) -> str:
            return str(super().load(data)).rstrip(" ")

    return Unpadded


def _function(table: str) -> str:
    return f"kartoteka_log_{table}()"


_POSTGRESQL_NO_SCHEMA = ("42P01", "42703", "3F000")
_POSTGRESQL_NO_ACCESS = ("28", "3D", "42501")
_POSTGRESQL_RETRY = ("08", "25P", "40", "53", "55", "57", "58")
_POSTGRESQL_REFUSALS = (
    ("password authentication failed",),
    ("no password supplied",),
    ("authentication failed",),
    ("pg_hba.conf",),
    ('database "', "does not exist"),
    ('role "', "does not exist"),
    ("permission denied for database",),
    ("autoryzacja", "nie powiodła się"),
    ("baza danych", "nie istnieje"),
    ("rola", "nie istnieje"),
)

_POSTGRESQL_WHO = "CASE current_setting('kartoteka.origin', true) WHEN 'kartoteka' THEN 'kartoteka' ELSE 'erp' END"
_POSTGRESQL_INTO = "INSERT INTO change_log (table_name, client_id, row_id, operation, origin)"

_POSTGRESQL_LOG = f"""
DECLARE
  who text := {_POSTGRESQL_WHO};
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ {_POSTGRESQL_INTO} SELECT '{{name}}', {{each}}, 'D', $1 FROM %I.%I AS t $log$,
      TG_TABLE_SCHEMA, TG_TABLE_NAME) USING who;
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND {{same}} THEN
    {_POSTGRESQL_INTO} VALUES ('{{name}}', {{new}}, 'U', who);
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    {_POSTGRESQL_INTO} VALUES ('{{name}}', {{old}}, 'D', who);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    {_POSTGRESQL_INTO} VALUES ('{{name}}', {{new}}, 'I', who);
  END IF;
  RETURN NULL;
END
"""

_POSTGRESQL_ANSWER = f"""
DECLARE
  who text := {_POSTGRESQL_WHO};
BEGIN
  {_POSTGRESQL_INTO} VALUES ('{{name}}', {{new}}, 'U', who);
  IF {{old_owner}} <> {{new_owner}} OR ({{old_owner}} IS NOT NULL AND {{new_owner}} IS NULL) THEN
    {_POSTGRESQL_INTO} VALUES ('{{name}}', {{old}}, 'U', who);
  END IF;
  RETURN NULL;
END
"""

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (Sqlite(), Postgresql())}
"""Every engine that Kartoteka runs on, by SQLAlchemy's name."""

_SHORTHANDS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pymssql",
}


def parse_url(address: str) -> sa.URL:
    """Return the address with the driver that a bare one stands for. A wrong one is not repeated in the Halt."""
    try:
        url = sa.make_url(address.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise Halt("database_url", "the address of the exchange database is no SQLAlchemy URL") from None
    return url.set(drivername=_SHORTHANDS.get(url.drivername, url.drivername))


def engine_for(url: sa.URL) -> Engine:
    """Return what is known of this URL's engine. Raises Halt for an engine that is not supported."""
    name = url.get_backend_name()
    if name not in ENGINES:
        raise Halt("database_url", f"{name} is not supported (supported: {', '.join(sorted(ENGINES))})")
    return ENGINES[name]


def connect(url: sa.URL) -> sa.Engine:
    """Return a SQLAlchemy engine with a small pool and time limits; nothing is connected yet."""
    known = engine_for(url)
    try:
        engine = sa.create_engine(
            url,
            connect_args=dict(known.connect_args()),
            poolclass=sa.QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=LOCK_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except (ImportError, sa.exc.NoSuchModuleError):
        raise Halt("database_driver", f"the driver {url.drivername} is not installed") from None
    known.prepare(engine)
    return engine


@contextlib.contextmanager
def translated(known: Engine) -> Iterator[None]:
    """Turn the database's errors into ours, without the rows and the address that theirs quote."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise Retry("database") from None
    except DBAPIError as error:
        raise known.diagnose(error) or Refused(reason(error)) from None


def reason(error: DBAPIError) -> str:
    """Return the first line of what the database said, for the eyes of the ERP's own people."""
    lines = str(error.orig).strip().splitlines()
    return lines[0][:500] if lines else type(error.orig).__name__
