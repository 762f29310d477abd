# ruff: noqa: S608 (the statements here are put together from names in our own code)
"""Microsoft SQL Server 2016 and later, also Azure SQL, by ``python-tds`` (:mod:`.tds`).

Nothing of this was run on a SQL Server by the project's own tests: two parsers read each statement, and SQLite carries
out what they made of it (``tests/tsql.py``). The contract suite runs on a server that ``KARTOTEKA_TEST_MSSQL_URL``
names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable

from kartoteka.adapters.sql.dialect.base import (
    BRIEFLY,
    CONNECT_SECONDS,
    NO_ACCESS,
    NO_SCHEMA,
    STATEMENT_SECONDS,
    WRITES,
    Dialect,
    Merge,
    UtcNow,
    Watched,
    indexes_of,
    spelled,
)
from kartoteka.adapters.sql.dialect.causes import MSSQL, error_of
from kartoteka.adapters.sql.dialect.tds import EXACTLY, PLAIN, SESSION, TdsDialect, counter_of
from kartoteka.adapters.sql.values import Among
from kartoteka.errors import Halt, KartotekaError, Retry

COMPATIBLE = 130
"""The compatibility level of SQL Server 2016: a database that came from an older server keeps a lower one."""

_NO_SCHEMA_NUMBERS = (207, 208, 2812, 4902)
_NO_ACCESS_NUMBERS = (
    *(229, 230, 262, 297, 300, 916, 4060, 4064, 15247),
    *(18452, 18456, 18470, 18486, 18487, 18488),
)
_RETRY_NUMBERS = (
    *(1204, 1205, 3951, 3952, 3960, 3961),  # locks and snapshots
    *(64, 233, 976, 983, 3989, 10053, 10054, 10060, 17197),  # the server is going, or coming
    *(40197, 40501, 40540, 49918, 49919, 49920),  # Azure
)
_BUSY = 50_222
"""Our own number, of the schema's lock being another process's."""
_COLLATIONS = 468
_SNAPSHOTS, _LEVEL, _WAIT = "kartoteka_snapshots", "kartoteka_level", "kartoteka_wait"


@compiles(UtcNow, "mssql")
def _now(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(SYSUTCDATETIME())"


@compiles(Among, "mssql")
def _among(element: Among, compiler: Any, **options: Any) -> str:
    """OPENJSON's texts have the database's collation, which two texts must not be compared by."""
    keys, *columns = (compiler.process(part, **options) for part in element.clauses)
    if len(columns) == 1:
        return f"{columns[0]} IN (SELECT wanted.value COLLATE {EXACTLY} FROM OPENJSON({keys}) AS wanted)"
    shape = ", ".join(f"k{n} NVARCHAR(400) '$[{n}]'" for n in range(len(columns)))
    same = " AND ".join(f"{column} = wanted.k{n} COLLATE {EXACTLY}" for n, column in enumerate(columns))
    return f"EXISTS (SELECT 1 FROM OPENJSON({keys}) WITH ({shape}) AS wanted WHERE {same})"


class Mssql(Dialect):
    """What differs on SQL Server. Blanks at the end of a text do not count in it: codes that differ by them are one."""

    name = "mssql"
    oldest = (13,)
    add_column = "ADD"

    def for_printing(self) -> sa.Dialect:
        return TdsDialect()

    def connect_args(self) -> Mapping[str, Any]:
        return {"login_timeout": CONNECT_SECONDS, "timeout": STATEMENT_SECONDS, "appname": "kartoteka"}

    def prepare(self, engine: sa.Engine) -> None:
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", self._on_begin)

    def _on_connect(self, connection: Any, record: Any) -> None:
        """See whether readers may have snapshots; else they lock what they read."""
        cursor = connection.cursor()
        cursor.execute(f"{SESSION}; SET LOCK_TIMEOUT {self._milliseconds({})}")
        cursor.execute("SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()")
        record.info[_SNAPSHOTS] = cursor.fetchone()[0] == 1
        cursor.close()
        connection.commit()

    def _on_begin(self, connection: sa.Connection) -> None:
        """Several SELECTs see one moment: in a snapshot, which locks nothing, or behind locks on all that is read."""
        options, info = connection.get_execution_options(), connection.info
        reading = "SNAPSHOT" if info.get(_SNAPSHOTS) else "SERIALIZABLE"
        level = "READ COMMITTED" if options.get(WRITES) else reading
        if info.get(_LEVEL) != level:  # nobody can go over to snapshots inside a transaction
            connection.exec_driver_sql(
                f"IF @@TRANCOUNT > 0 COMMIT TRANSACTION; SET TRANSACTION ISOLATION LEVEL {level}; BEGIN TRANSACTION"
            )
            info[_LEVEL] = level
        wait = self._milliseconds(options)
        if info.get(_WAIT, self._milliseconds({})) != wait:
            connection.exec_driver_sql(f"SET LOCK_TIMEOUT {wait}")
            info[_WAIT] = wait

    def _milliseconds(self, options: Mapping[str, Any]) -> int:
        """Return how long a statement of a connection with these options waits for somebody else's lock."""
        return int(1000 * (options.get(BRIEFLY) or self.lock_seconds))

    def too_old(self, connection: sa.Connection) -> str:
        """Raises Halt for a database that behaves as on an older server: it has no OPENJSON."""
        level = "SELECT compatibility_level FROM sys.databases WHERE database_id = DB_ID()"
        if found := super().too_old(connection):
            return found
        if connection.exec_driver_sql(level).scalar_one() < COMPATIBLE:
            raise Halt(
                "old_database",
                f"the exchange database has a compatibility level below {COMPATIBLE}: "
                f"ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = {COMPATIBLE}",
            )
        return ""

    def lock_schema(self, connection: sa.Connection) -> None:
        """Take a lock that ends with the transaction."""
        connection.exec_driver_sql(
            "DECLARE @got INT; EXEC @got = sp_getapplock @Resource = N'kartoteka.schema', @LockMode = 'Exclusive', "
            f"@LockOwner = 'Transaction', @LockTimeout = {self._milliseconds({})}; "
            f"IF @got < 0 THROW {_BUSY}, N'the schema is being changed by somebody else', 1"
        )

    def definition(self, table: sa.Table, printed: sa.Dialect | None = None) -> Sequence[str]:
        printed, name = printed or self.for_printing(), table.name
        counter = counter_of(table)
        made = (
            [f"IF OBJECT_ID(N'{counter}') IS NULL CREATE SEQUENCE {counter} AS BIGINT START WITH 1"] if counter else []
        )
        made.append(f"IF OBJECT_ID(N'{name}') IS NULL {_printed(CreateTable(table), printed)}")
        for index in indexes_of(table):
            there = f"SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'{name}') AND name = N'{index.name}'"
            made.append(f"IF NOT EXISTS ({there}) {_printed(CreateIndex(index), printed)}")
        return made

    def view(self, name: str, rows: sa.SelectBase, printed: sa.Dialect | None = None) -> Sequence[str]:
        """Alter one that is there, so that what was granted on it stays; CREATE OR ALTER came after 2016."""
        return [
            f"IF OBJECT_ID(N'{name}', N'V') IS NULL EXEC(N'CREATE VIEW {name} AS SELECT 1 AS one')",
            f"ALTER VIEW {name} AS {self.literally(rows, printed)}",
        ]

    def script(self, statements: Iterable[str]) -> str:
        """GO ends a batch; ``sqlcmd`` begins with QUOTED_IDENTIFIER off, which a trigger would keep."""
        return "".join(f"{statement};\nGO\n\n" for statement in (PLAIN, *statements))

    def columns(self, connection: sa.Connection, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        found = sa.text(
            "SELECT LOWER(wanted.value), LOWER(c.name) FROM OPENJSON(:tables) AS wanted "
            "JOIN sys.columns AS c ON c.object_id = OBJECT_ID(wanted.value)"
        )
        return frozenset((row[0], row[1]) for row in connection.execute(found, {"tables": json.dumps(list(tables))}))

    def indexes(self, connection: sa.Connection, table: str) -> frozenset[str]:
        found = sa.text("SELECT name FROM sys.indexes WHERE object_id = OBJECT_ID(:table) AND name IS NOT NULL")
        return frozenset(connection.execute(found, {"table": table}).scalars())

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        names = ", ".join(map(self._quoted, columns))
        return sa.text(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {self._rows(table, columns)} AS offered"
        )

    def upsert(
        self, table: sa.Table, columns: Sequence[str], merges: Mapping[str, Merge] | None = None
    ) -> sa.Executable:
        """MERGE under HOLDLOCK, without which two at once would both insert."""
        keys = [column.name for column in table.primary_key]
        offered = sa.table("offered", *(sa.column(name, table.c[name].type) for name in columns))
        kept: dict[str, sa.ColumnElement[Any]] = {name: offered.c[name] for name in columns if name not in keys}
        kept |= {name: merge(table.c[name], offered.c[name]) for name, merge in (merges or {}).items()}
        printed = self.for_printing()
        same = " AND ".join(
            f"{table.name}.{self._quoted(key)} = offered.{self._quoted(key)} COLLATE {EXACTLY}" for key in keys
        )
        news = ", ".join(
            f"{self._quoted(name)} = {value.compile(dialect=printed, compile_kwargs={'literal_binds': True})}"
            for name, value in kept.items()
        )
        names = ", ".join(map(self._quoted, columns))
        values = ", ".join(f"offered.{self._quoted(name)}" for name in columns)
        return sa.text(
            f"MERGE INTO {table.name} WITH (HOLDLOCK) USING {self._rows(table, columns)} AS offered ON {same} "
            f"WHEN MATCHED THEN UPDATE SET {news} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values});"
        )

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Hand over all rows in one parameter."""
        connection.execute(statement, {"rows": json.dumps(rows, ensure_ascii=False, default=spelled)})

    def _rows(self, table: sa.Table, columns: Sequence[str]) -> str:
        """Return rows out of a JSON document. Texts have no length here, so that one that is too long is refused."""
        printed = self.for_printing()
        shape = ", ".join(
            f"{self._quoted(name)} {_unfolded(table.c[name].type, printed)} '$.\"{name}\"'" for name in columns
        )
        return f"OPENJSON(:rows) WITH ({shape})"

    def _quoted(self, name: str) -> str:
        return str(self.for_printing().identifier_preparer.quote(name))

    def same(self, column: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Compare to the letter, whatever the column's collation; what stands behind a blank makes it count."""
        if not isinstance(column.type, sa.String):
            return column.is_not_distinct_from(value)
        end: sa.ColumnElement[str] = sa.literal_column("N'|'")
        return sa.collate(column + end, EXACTLY).is_not_distinct_from(value + end)

    def beyond(
        self, columns: Sequence[sa.ColumnElement[Any]], last: Sequence[sa.ColumnElement[Any]]
    ) -> sa.ColumnElement[bool]:
        """There are no tuples; the first condition is what an index is read by."""
        (first, *more), (value, *values) = columns, last
        if not more:
            return first > value
        return sa.and_(first >= value, sa.or_(first > value, self.beyond(more, values)))

    def is_replica(self, connection: sa.Connection) -> bool:
        updateability = "SELECT CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS NVARCHAR(64))"
        return bool(connection.exec_driver_sql(updateability).scalar_one() == "READ_ONLY")

    def lacking_rights(self, connection: sa.Connection, wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
        lacking = sa.text(
            "SELECT wanted.verb + ' ' + wanted.name "
            "FROM OPENJSON(:pairs) WITH (name NVARCHAR(128) '$[0]', verb NVARCHAR(20) '$[1]') AS wanted "
            "WHERE COALESCE(HAS_PERMS_BY_NAME(wanted.name, 'OBJECT', wanted.verb), 0) = 0"
        )
        pairs = [(table, verb) for table, verbs in wanted.items() for verb in verbs]
        return list(connection.execute(lacking, {"pairs": json.dumps(pairs)}).scalars())

    def triggers(self, watched: Watched) -> Sequence[str]:
        """One that is there is left alone: altering it would lock a table on which the ERP may be at work."""
        return [
            f"IF OBJECT_ID(N'{name}', N'TR') IS NULL EXEC(N'{create.replace(_QUOTE, _QUOTE * 2)}')"
            for name, create in trigger(watched).items()
        ]

    def missing_triggers(self, watched: Watched) -> Sequence[str]:
        """A table that was swapped has taken its triggers along, with their names, which are the whole schema's."""
        drops = [f"DROP TRIGGER IF EXISTS {name}" for name in self.trigger_names(watched)]
        return [each for pair in zip(drops, self.triggers(watched), strict=True) for each in pair]

    def trigger_names(self, watched: Watched) -> Sequence[str]:
        return list(trigger(watched))

    def triggers_of(self, connection: sa.Connection, tables: Sequence[str]) -> Mapping[tuple[str, str], bool]:
        found = sa.text(
            "SELECT LOWER(wanted.value), t.name, t.is_disabled FROM OPENJSON(:tables) AS wanted "
            "JOIN sys.triggers AS t ON t.parent_id = OBJECT_ID(wanted.value)"
        )
        rows = connection.execute(found, {"tables": json.dumps(list(tables))})
        return {(row[0], row[1]): not row[2] for row in rows}

    def holds(self, connection: sa.Connection) -> bool:
        """Ask the server: an error in a trigger, or a ROLLBACK there, ends the whole transaction."""
        return bool(connection.exec_driver_sql("SELECT XACT_STATE()").scalar_one() == 1)

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the number that the server gives, not by its words."""
        number = getattr(error.orig, "number", 0)
        if number in MSSQL:
            return error_of(MSSQL[number], number)
        if not number or number in _RETRY_NUMBERS or number == _BUSY:
            return None if isinstance(error, sa.exc.DataError) else Retry("database")
        if number in _NO_SCHEMA_NUMBERS:
            return Halt("no_schema", NO_SCHEMA)
        if number == _COLLATIONS:
            return Halt(
                "collation",
                f"a key column of the exchange database is not of collation {EXACTLY}: compare the tables with "
                "`kartoteka schema ddl --dialect mssql`",
            )
        return Halt("database_access", f"{NO_ACCESS} ({number})") if number in _NO_ACCESS_NUMBERS else None


_QUOTE = "'"


def _printed(part: sa.DDLElement, printed: sa.Dialect) -> str:
    return str(part.compile(dialect=printed)).strip()


def _unfolded(kind: Any, printed: sa.Dialect) -> str:
    """Return the type of a column that is read out of JSON."""
    return "NVARCHAR(MAX)" if isinstance(kind, sa.String) else str(kind.compile(dialect=printed))


# --- triggers


def trigger(watched: Watched) -> Mapping[str, str]:
    """Return name -> the statement that makes the trigger of a table. It fires once a statement, for all its rows.

    What the ERP's session has set must not matter, nor must what is set here reach it: settings end with the trigger.
    """
    table = watched.table.name
    name = f"kartoteka_{table}_log"
    when, body = ("UPDATE", _answered(watched)) if watched.answer else ("INSERT, UPDATE, DELETE", _logged(watched))
    return {name: f"CREATE TRIGGER {name} ON {table} AFTER {when} AS\nBEGIN\n{_SETTINGS}\n{body}\nEND"}


_SETTINGS = "  SET NOCOUNT ON;\n  SET ROWCOUNT 0;"


def _logged(watched: Watched) -> str:
    """A row that moved to another key or owner is gone here and new there."""
    entries = f"{_into(watched)}\n  SELECT {_values(watched, 'old')}, N'D' FROM deleted AS old\n"
    entries += f"  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE {_is_same(watched)});\n"
    kept = f"EXISTS (SELECT 1 FROM deleted AS old WHERE {_is_same(watched)})"
    entries += f"{_into(watched)}\n  SELECT {_values(watched, 'new')}, CASE WHEN {kept} THEN N'U' ELSE N'I' END\n"
    return f"{entries}  FROM inserted AS new;"


def _answered(watched: Watched) -> str:
    """Log who is answered about, and who was; an answer without a name gets the login's."""
    body = f"  IF NOT UPDATE({watched.answer}) RETURN;\n{_into(watched)}\n"
    body += f"  SELECT {_values(watched, 'new')}, N'U' FROM inserted AS new;"
    body += f"\n{_into(watched)}\n  SELECT {_values(watched, 'old')}, N'U' FROM deleted AS old\n"
    body += f"  WHERE old.{watched.owner} IS NOT NULL"
    body += f" AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE {_is_same(watched)});"
    if "decided_by" in watched.table.c:
        body += f"\n{_decided(watched)}"
    return body


def _decided(watched: Watched) -> str:
    answer, table = watched.answer, watched.table.name
    mine = " AND ".join(f"new.{key} = {table}.{key}" for key in watched.key)
    said = f"NOT EXISTS (SELECT new.{answer} INTERSECT SELECT old.{answer})"
    unsigned = "EXISTS (SELECT new.decided_by INTERSECT SELECT old.decided_by)"
    return (
        f"  UPDATE {table} SET decided_by = CASE WHEN {answer} IS NULL THEN NULL ELSE ORIGINAL_LOGIN() END\n"
        f"  WHERE EXISTS (SELECT 1 FROM inserted AS new JOIN deleted AS old ON {_equal(watched.key)} WHERE {mine}"
        f" AND ((new.{answer} IS NULL AND new.decided_by IS NOT NULL)"
        f" OR (new.{answer} IS NOT NULL AND {said} AND {unsigned})));"
    )


def _is_same(watched: Watched) -> str:
    """Return the condition that a row has kept its key and its owner, who may be null."""
    same = _equal(watched.key)
    if watched.owner in watched.key:
        return same
    return f"{same} AND EXISTS (SELECT new.{watched.owner} INTERSECT SELECT old.{watched.owner})"


def _equal(names: Sequence[str]) -> str:
    return " AND ".join(f"new.{name} = old.{name}" for name in names)


def _into(watched: Watched) -> str:
    return f"  INSERT INTO change_log (table_name, {', '.join(watched.owners)}, row_id, operation)"


def _values(watched: Watched, row: str) -> str:
    """Cut to what the log holds: an id that is longer must not make the ERP's own statement fail."""
    owners, row_ids = (
        [f"COALESCE(CAST({row}.{column} AS NVARCHAR(255)), N'')" for column in columns]
        for columns in (watched.owners.values(), watched.row)
    )
    row_id = " + N':' + ".join(row_ids)
    return f"N'{watched.table.name}', {', '.join(owners)}, LEFT({row_id}, 400)"
