# mypy: disable-error-code="no-untyped-call,no-any-return"
"""SQLAlchemy's dialect of SQL Server over ``python-tds``, a driver that is plain Python: it needs no system library.

What SQLAlchemy's own drivers do here in C: errors of the network become the driver's errors, an answer is read to its
end, and a text is sent as NVARCHAR of one length. And what T-SQL spells in another way, in ``_Compiler``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mssql.base import MSDDLCompiler, MSDialect, MSExecutionContext, MSSQLCompiler, MSTypeCompiler
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.sql.compiler import SQLCompiler

from kartoteka.adapters.sql.values import Code

EXACTLY = "Latin1_General_100_BIN2"
"""The collation in which two texts are equal only to the letter, but for blanks at their ends."""

LONGEST = 4_000
"""Code units of UTF-16 in the longest NVARCHAR that is not MAX: a longer parameter hinders the use of an index."""

_ON = "ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER"
PLAIN = f"SET {_ON} ON; SET NUMERIC_ROUNDABORT OFF"
"""What tables and triggers are made under, and what statements on indexed views and computed columns want."""
SESSION = (
    f"{PLAIN}; SET XACT_ABORT OFF; SET NOCOUNT OFF; SET ROWCOUNT 0; "
    "SET TEXTSIZE 2147483647; SET DATEFORMAT ymd; SET DEADLOCK_PRIORITY LOW"
)
"""What a session needs, whatever the login's defaults are; of two in a deadlock we give way, and try again."""

_DEAD = (233, 3952, 10053, 10054, 10060)
"""Numbers of errors after which a connection is of no use: lost, or made before snapshots were switched off."""


class _Trimmed(Code):
    """A code without blanks at its end: two that differ by them are one in SQL Server, and CHAR(n) is full of them."""

    cache_ok = True

    def result_processor(self, _dialect: sa.Dialect, _coltype: object) -> Any:
        """Return what reads a stored text."""
        return lambda stored: stored.rstrip(" ") if isinstance(stored, str) else stored


class _Day(sa.Date):
    """A day is sent as one: SQLAlchemy would make a moment of it."""

    cache_ok = True

    def bind_processor(self, _dialect: sa.Dialect) -> None:
        """Leave it as it is."""


class _Types(MSTypeCompiler):
    """Text is Unicode, whatever its length, and a moment has its microseconds."""

    def visit_CHAR(self, type_: Any, **kw: Any) -> str:  # noqa: N802 (SQLAlchemy's name)
        return str(self.visit_NVARCHAR(type_, **kw))

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return str(self.visit_NVARCHAR(type_, **kw))

    def visit_datetime(self, type_: Any, **kw: Any) -> str:
        del type_, kw
        return "DATETIME2(6)"

    def visit_date(self, type_: Any, **kw: Any) -> str:
        del type_, kw
        return "DATE"


class _Tables(MSDDLCompiler):
    """Columns that are compared are so to the letter; ``change_log`` is counted by a sequence."""

    def get_column_specification(self, column: sa.Column[Any], **kwargs: Any) -> str:
        name, definition = super().get_column_specification(column, **kwargs).split(" ", 1)
        if is_compared(column):
            kind, rest = definition.split(" ", 1)
            definition = f"{kind} COLLATE {EXACTLY} {rest}"
        if column.identity is not None and counter_of(column.table):
            definition = f"BIGINT NOT NULL DEFAULT (NEXT VALUE FOR {counter_of(column.table)})"
        return f"{name} {definition}"


def is_compared(column: sa.Column[Any]) -> bool:
    """Return whether a text is a code, or stands in a table of ours: no collation may say what is equal to it."""
    if not isinstance(column.type, sa.String) or isinstance(column.type, sa.Text):
        return False
    return isinstance(column.type, Code) or column.table.name.startswith("sync_") or bool(counter_of(column.table))


def counter_of(table: sa.Table) -> str:
    """Return the sequence that counts a table which triggers fill; empty: it counts itself.

    An IDENTITY would change ``@@IDENTITY`` for whatever program made the triggers fire.
    """
    return f"{table.name}_seq" if table.name == "change_log" else ""


class _Compiler(MSSQLCompiler):
    """What T-SQL of 2016 spells in another way."""

    def visit_trim_func(self, fn: Any, **kw: Any) -> str:
        """There is no TRIM before 2017."""
        return f"LTRIM(RTRIM{self.function_argspec(fn, **kw)})"

    def visit_contains_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """A bracket is a pattern too."""
        plain = binary._clone()  # noqa: SLF001 (as SQLAlchemy does)
        bracket: sa.ColumnElement[str] = sa.literal_column("N'['")
        escape = binary.modifiers.get("escape") or "/"
        plain.right = sa.func.replace(binary.right, bracket, sa.literal_column(f"N'{escape}['"), type_=sa.Unicode())
        plain.modifiers = {**binary.modifiers, "escape": escape}
        return str(super().visit_contains_op_binary(plain, operator, **kw))

    def order_by_clause(self, select: Any, **kw: Any) -> str:
        """SQLAlchemy drops the order of a page inside another statement, and leaves the page without one."""
        if select._has_row_limiting_clause:  # noqa: SLF001 (there is no other way to ask)
            return SQLCompiler.order_by_clause(self, select, **kw)
        return str(super().order_by_clause(select, **kw))

    def visit_select(self, select_stmt: Any, *args: Any, **kw: Any) -> str:
        """FOR UPDATE is a hint of each table here; HOLDLOCK also keeps others from inserting what was not found."""
        if select_stmt._for_update_arg is not None:  # noqa: SLF001 (there is no other way to ask)
            for table in select_stmt.columns_clause_froms:
                select_stmt = select_stmt.with_hint(table, "WITH (UPDLOCK, HOLDLOCK)", "mssql")
        return str(super().visit_select(select_stmt, *args, **kw))


class _Cursor:
    """A cursor of the driver's that reads an answer to its end.

    The driver stops at the first count of rows: that of a statement inside a trigger, perhaps, and before an error that
    comes behind it. The last count is the statement's own.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.rowcount = -1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, statement: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> None:
        """Run a statement; without parameters it is sent as it is."""
        with errors():
            self._cursor.execute(statement, _typed(parameters) if parameters else None)
            self.rowcount = self._cursor.rowcount
            while self._cursor.description is None and self._cursor.nextset():
                self.rowcount = self._cursor.rowcount if self._cursor.rowcount >= 0 else self.rowcount

    def executemany(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement for each of these rows, and count all that it changed."""
        counted = 0
        for row in rows:
            self.execute(statement, row)
            counted += max(self.rowcount, 0)
        self.rowcount = counted

    def fetchone(self) -> Any:
        with errors():
            return self._cursor.fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        with errors():
            return self._cursor.fetchmany() if size is None else self._cursor.fetchmany(size)

    def fetchall(self) -> Any:
        with errors():
            return self._cursor.fetchall()


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Turn what the network says into an error of the driver's: it lets it through."""
    import pytds

    try:
        yield
    except OSError as error:
        raise pytds.OperationalError(f"the connection was lost: {type(error).__name__}") from error


def _typed(parameters: Mapping[str, Any] | Sequence[Any]) -> Any:
    if isinstance(parameters, Mapping):
        return {name: _parameter(value) for name, value in parameters.items()}
    return tuple(map(_parameter, parameters))


def _parameter(value: Any) -> Any:
    """Return a value as the driver is to send it: it would send each text as NVARCHAR(MAX)."""
    if not isinstance(value, str) or len(value.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST:
        return value
    from pytds.tds_base import Param
    from pytds.tds_types import NVarCharType

    return Param(type=NVarCharType(size=LONGEST), value=value)


class _Context(MSExecutionContext):
    def pre_exec(self) -> None:
        """Nobody asks which number a row was given, and one that a sequence gave is not what SCOPE_IDENTITY says."""
        super().pre_exec()
        self._select_lastrowid = False

    def create_default_cursor(self) -> Any:
        return _Cursor(super().create_default_cursor())


class TdsDialect(MSDialect):
    """SQL Server by ``python-tds``."""

    driver = "pytds"
    default_paramstyle = "pyformat"
    supports_statement_cache = True
    supports_native_decimal = True
    supports_sane_multi_rowcount = True
    _supports_offset_fetch = True
    insert_returning = False
    """OUTPUT is refused on a table with triggers."""

    statement_compiler = _Compiler
    ddl_compiler = _Tables
    type_compiler_cls = _Types
    execution_ctx_cls = _Context
    colspecs = {**MSDialect.colspecs, Code: _Trimmed, sa.Date: _Day}  # noqa: RUF012 (SQLAlchemy's)

    def __init__(self, **options: Any) -> None:
        super().__init__(deprecate_large_types=True, supports_comments=False, **options)

    @classmethod
    def import_dbapi(cls) -> Any:
        import pytds
        from pytds import tls

        tls.validate_host = is_named  # the driver's own asks for what pyOpenSSL has no more (denisenkom/pytds#199)
        return pytds

    def create_connect_args(self, url: sa.URL) -> Any:
        """Return the driver's settings; ``?encrypt=no`` and ``?cafile=`` are read by :func:`encryption`."""
        given = {"dsn": url.host or "localhost", "port": url.port, "database": url.database}
        given |= {"user": url.username, "password": url.password, **encryption(url)}
        return [], {name: value for name, value in given.items() if value is not None}

    def connect(self, *args: Any, **kwargs: Any) -> DBAPIConnection:
        with errors():
            return super().connect(*args, **kwargs)

    def do_commit(self, dbapi_connection: Any) -> None:
        with errors():
            dbapi_connection.commit()

    def do_rollback(self, dbapi_connection: Any) -> None:
        with errors():
            dbapi_connection.rollback()

    def is_disconnect(self, error: Any, connection: Any, cursor: Any) -> bool:
        """An error that the server has not numbered is the network's, or the driver's own."""
        del connection, cursor
        number = getattr(error, "number", 0)
        return number in _DEAD or not number

    def _get_server_version_info(self, connection: sa.Connection) -> tuple[int, ...]:
        found = connection.exec_driver_sql("SELECT CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(64))")
        return tuple(int(part) for part in str(found.scalar_one()).split("."))

    def _setup_supports_nvarchar_max(self, connection: sa.Connection) -> None:
        """It has been there since 2005."""

    def _setup_supports_comments(self, connection: sa.Connection) -> None:
        """None are made."""


def encryption(url: sa.URL) -> Mapping[str, Any]:
    """Return how a connection is encrypted: against ``?cafile=``, or the authorities that all know; not: by wish."""
    if url.query.get("encrypt", "yes") in ("no", "false", "off"):
        return {}
    import certifi

    return {"cafile": url.query.get("cafile") or certifi.where()}


def is_named(cert: Any, name: bytes) -> bool:
    """Return whether a certificate of pyOpenSSL's is for this host, by its alternative names alone."""
    from cryptography import x509

    try:
        names = cert.to_cryptography().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    host = name.decode("ascii").lower()
    known = {str(each).lower() for kind in (x509.DNSName, x509.IPAddress) for each in names.get_values_for_type(kind)}
    return host in known or f"*.{host.partition('.')[2]}" in known


registry.register("mssql.pytds", __name__, TdsDialect.__name__)
