"""MariaDB 10.6 and MySQL 8.0.31 and later, by PyMySQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from kartoteka.adapters.sql.dialect.base import (
    BRIEFLY,
    CONNECT_SECONDS,
    LACKS_RIGHT,
    NO_ACCESS,
    NO_SCHEMA,
    STATEMENT_SECONDS,
    WRITES,
    WRONG_LOGIN,
    WRONG_NAME,
    Dialect,
    Merge,
    UtcNow,
    Watched,
    indexes_of,
)
from kartoteka.adapters.sql.dialect.causes import MYSQL, error_of
from kartoteka.adapters.sql.values import Among, letters
from kartoteka.errors import Halt, KartotekaError, Retry

_ENGINES = ("mysql", "mariadb")
_BINARY = {True: "utf8mb4_nopad_bin", False: "utf8mb4_0900_bin"}
"""Whether it is MariaDB -> the collation in which two texts are equal to the letter only, blanks at the end too."""
_SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Of each session, and so of the triggers made in it: what does not fit is refused, and never cut or made a zero."""
_PATIENCE, _LOCKED = "kartoteka_patience", "kartoteka_locked"
_SCHEMA_LOCK = "CONCAT('kartoteka.', MD5(DATABASE()))"
_NET_SECONDS = STATEMENT_SECONDS + 10
"""When a connection is given up on which nothing comes back."""
_EVER = 1 << 31

_OLD = (1193, 1273)  # a variable, a collation that the server does not know
_NO_SCHEMA_CODES = (1054, 1146)
_NO_ACCESS_CODES = (
    *(1044, 1045, 1049, 1102, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1410, 1419, 1449, 1524, 1665, 1698),
    *(1820, 1862, 2026, 2054, 2059, 2061, 3118, 3159, 4151),
)
_BY_CODE = {
    **dict.fromkeys((1045, 1698), WRONG_LOGIN),
    **dict.fromkeys((1049, 1102), WRONG_NAME),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370, 1410, 1419), LACKS_RIGHT),
}
_RETRY_CODES = (
    *(1020, 1043, 1047, 1080, 1105, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1180, 1184, 1206, 1213, 1412),
    *(1615, 1637, 2002, 2003, 2005, 2006, 2012, 2013, 2014, 2027, 2055, 3058),
)
"""Those of which nothing is to be said but that they pass; the others stand among the causes."""
_NO_TLS_CODE = 2061


@compiles(UtcNow, *_ENGINES)
def _now(_element: UtcNow, _compiler: Any, **_options: Any) -> str:
    return "(utc_timestamp(6))"


@compiles(sa.DateTime, *_ENGINES)
def _moment(_type: sa.DateTime, _compiler: Any, **_options: Any) -> str:
    return "DATETIME(6)"


@compiles(sa.UnicodeText, *_ENGINES)
def _long_text(_type: sa.UnicodeText, _compiler: Any, **_options: Any) -> str:
    return "LONGTEXT"


@compiles(CreateTable, *_ENGINES)
def _create_table(element: CreateTable, compiler: Any, **options: Any) -> str:
    """Whatever the database's own default is."""
    collation = _BINARY[compiler.dialect.is_mariadb]
    made: str = compiler.visit_create_table(element, **options).rstrip()
    return f"{made} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"


@compiles(CreateColumn, *_ENGINES)
def _create_column(element: CreateColumn, compiler: Any, **options: Any) -> str:
    """A column that is added to an ERP's own table does not take that table's collation."""
    made: str = compiler.visit_create_column(element, **options)
    is_added = "first_pk" not in options and isinstance(element.element.type, sa.String)
    return f"{made} COLLATE {_BINARY[compiler.dialect.is_mariadb]}" if is_added else made


@compiles(Among, *_ENGINES)
def _among(element: Among, compiler: Any, **options: Any) -> str:
    """A list of values, and no JSON to unfold: an UPDATE or DELETE would read the whole table beside a subquery."""
    keys, *columns = element.clauses
    given = compiler.process(sa.bindparam(keys.key, type_=_List()), **options)
    names = ", ".join(compiler.process(column, **options) for column in columns)
    return f"{names} IN {given}" if len(columns) == 1 else f"({names}) IN {given}"


class _Keys(tuple[Any, ...]):
    """Keys, or tuples of them: one parameter, which the driver spells as a list."""

    __slots__ = ()


class _List(sa.types.UserDefinedType[Any]):
    """The type of a parameter of keys."""

    cache_ok = True

    def bind_processor(self, _dialect: sa.Dialect) -> Callable[[Iterable[Any] | None], _Keys]:
        return lambda keys: _Keys(keys or ())


def _spelled_keys(keys: Iterable[Any], _mapping: Any = None) -> str:
    return f"({','.join(map(_spelled_key, keys)) or 'NULL'})"


def _spelled_key(key: Any) -> str:
    from pymysql.converters import escape_string

    if isinstance(key, str):
        return f"'{escape_string(key)}'"
    return _spelled_keys(key) if isinstance(key, list | tuple) else str(int(key))


class Mysql(Dialect):
    """What differs on MySQL, and on MariaDB, which is told from it by what the server says."""

    name = "mysql"
    every_letter = "ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4"
    oldest: ClassVar[tuple[int, ...]] = (8, 0, 31)

    def for_printing(self) -> sa.Dialect:
        return mysql.dialect()

    def connect_args(self) -> Mapping[str, Any]:
        from pymysql.constants import FIELD_TYPE
        from pymysql.converters import conversions

        return {
            "charset": "utf8mb4",
            "sql_mode": _SQL_MODE,  # before SQLAlchemy looks how names are quoted
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": _NET_SECONDS,
            "write_timeout": _NET_SECONDS,
            "conv": {**conversions, _Keys: _spelled_keys, FIELD_TYPE.BIT: int.from_bytes},
        }

    def engine_options(self) -> Mapping[str, Any]:
        """A writer sees what others have committed by now: its answers must not be those of its first statement."""
        return {"isolation_level": "READ COMMITTED"}

    def prepare(self, engine: sa.Engine) -> None:
        event.listen(engine, "do_connect", _connect)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", self._on_begin)
        event.listen(engine, "checkin", _on_checkin)

    def _on_begin(self, connection: sa.Connection) -> None:
        """Let readers see one moment; set how long is waited for others, where that changes."""
        options = connection.get_execution_options()
        seconds = max(1, int(options.get(BRIEFLY) or self.lock_seconds))
        if connection.info.get(_PATIENCE) != seconds:
            _set(connection, f"SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}")
            connection.info[_PATIENCE] = seconds
        if not options.get(WRITES):
            _set(connection, "TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def too_old(self, connection: sa.Connection) -> str:
        oldest = Mariadb.oldest if _is_mariadb(connection) else self.oldest
        found = connection.dialect.server_version_info or ()
        return "" if tuple(found) >= oldest else ".".join(map(str, oldest))

    def lock_schema(self, connection: sa.Connection) -> None:
        """Take a lock that is given back with the connection: here each statement about a table ends a transaction."""
        taken = connection.exec_driver_sql(f"SELECT GET_LOCK({_SCHEMA_LOCK}, {int(self.lock_seconds)})").scalar()
        if not taken:
            raise Retry("database")
        connection.info[_LOCKED] = True

    def columns(self, connection: sa.Connection, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Raise Halt for a key that is not compared to the letter: to the database two clients would be one.

        Not while the tables are being completed: that is done whatever the ERP's author has made.
        """
        found = sa.text(
            "SELECT lower(table_name), lower(column_name), collation_name, column_key FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND lower(table_name) IN :tables"
        ).bindparams(sa.bindparam("tables", expanding=True))
        rows = connection.execute(found, {"tables": list(tables)}).all()
        for table, column, collation, key in () if connection.info.get(_LOCKED) else rows:
            if key and collation and not (collation.startswith("utf8mb4_") and collation.endswith("_bin")):
                exact = f"CHARACTER SET utf8mb4 COLLATE {_BINARY[_is_mariadb(connection)]}"
                raise Halt(
                    "collation",
                    f"{table}.{column} is compared in {collation}, which takes two codes for one: "
                    f"ALTER TABLE {table} CONVERT TO {exact}",
                )
        return frozenset((table, column) for table, column, *_ in rows)

    def definition(self, table: sa.Table, printed: sa.Dialect | None = None) -> Sequence[str]:
        """Write the indexes into the table: MySQL makes none only where it is missing."""
        printed = printed or self.for_printing()
        head, tail = str(CreateTable(table, if_not_exists=True).compile(dialect=printed)).strip().rsplit("\n)", 1)
        indexes = (str(CreateIndex(index).compile(dialect=printed)) for index in indexes_of(table))
        inside = (f", \n\t{made.removeprefix('CREATE ').replace(f' ON {table.name}', '')}" for made in indexes)
        return [f"{head}{''.join(inside)}\n){tail}"]

    def script(self, statements: Iterable[str]) -> str:
        """A trigger has semicolons of its own."""
        parts = (
            f"DELIMITER $$\n{each}$$\nDELIMITER ;\n\n" if each.startswith("CREATE TRIGGER") else f"{each};\n\n"
            for each in statements
        )
        return f"SET NAMES utf8mb4;\n\nSET sql_mode = '{_SQL_MODE}';\n\n{''.join(parts)}"

    def triggers(self, watched: Watched) -> Sequence[str]:
        """An existing trigger is left alone: what is written while there is none would be lost."""
        table = watched.table.name
        return [
            f"CREATE TRIGGER IF NOT EXISTS {name} {when} ON {table} FOR EACH ROW\n{body}"
            for name, (when, body) in _cases(watched).items()
        ]

    def missing_triggers(self, watched: Watched) -> Sequence[str]:
        """A table that was swapped has taken its triggers along, with their names, which are the whole schema's."""
        names = self.trigger_names(watched)
        drops = [f"DROP TRIGGER IF EXISTS {name}" for name in names]
        return [each for pair in zip(drops, self.triggers(watched), strict=True) for each in pair]

    def trigger_names(self, watched: Watched) -> Sequence[str]:
        return list(_cases(watched))

    def triggers_of(self, connection: sa.Connection, tables: Sequence[str]) -> Mapping[tuple[str, str], bool]:
        """A trigger cannot be switched off here."""
        found = sa.text(
            "SELECT lower(event_object_table), lower(trigger_name) FROM information_schema.triggers "
            "WHERE event_object_schema = DATABASE() AND lower(event_object_table) IN :tables"
        ).bindparams(sa.bindparam("tables", expanding=True))
        return {(row[0], row[1]): True for row in connection.execute(found, {"tables": list(tables)})}

    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        return mysql.insert(table).values({name: sa.bindparam(name) for name in columns})

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """The driver puts all rows into one INSERT, or a few of a megabyte each."""
        connection.execute(statement, rows)

    def upsert(
        self, table: sa.Table, columns: Sequence[str], merges: Mapping[str, Merge] | None = None
    ) -> sa.Executable:
        """Write first what looks at what stood there: each assignment sees those before it.

        A row that another unique index holds is refused as one of another key: it would be updated in its place.
        """
        keys = [column.name for column in table.primary_key]
        statement = self.insert(table, columns)
        offered = statement.inserted
        merged = [(name, merge(table.c[name], offered[name])) for name, merge in (merges or {}).items()]
        plain = [(name, offered[name]) for name in columns if name not in keys and name not in dict(merged)]
        if any(index.unique for index in table.indexes):
            own = sa.and_(*(table.c[name] == offered[name] for name in keys))
            merged = [(keys[0], sa.case((own, table.c[keys[0]]), else_=sa.null())), *merged]
        upsert: sa.Executable = statement.on_duplicate_key_update([*merged, *plain])
        return upsert

    def same(self, column: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """A text is compared as the session compares, whatever collation the ERP's author gave the column."""
        text = isinstance(column.type, sa.String)
        return (letters(column) if text else column).is_not_distinct_from(value)

    def beyond(
        self, columns: Sequence[sa.ColumnElement[Any]], last: Sequence[sa.ColumnElement[Any]]
    ) -> sa.ColumnElement[bool]:
        """No index answers a comparison of rows, but one of its first column."""
        first, *rest = columns
        start, *others = last
        if not rest:
            return first > start
        return sa.and_(first >= start, sa.or_(first > start, self.beyond(rest, others)))

    def encoding(self, connection: sa.Connection) -> str:
        found = sa.text(
            "SELECT character_set_name, table_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND character_set_name <> 'utf8mb4' AND table_name IN "
            "('clients', 'delivery_addresses', 'discount_groups', 'incoming_clients') ORDER BY 1, 2 LIMIT 1"
        )
        row = connection.execute(found).first()
        return f"{row[0]} in {row[1]}" if row else ""

    def is_replica(self, connection: sa.Connection) -> bool:
        return str(connection.exec_driver_sql("SELECT @@global.read_only").scalar()).upper() not in ("0", "OFF")

    def lacking_rights(self, connection: sa.Connection, _wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """Have each statement explained: that takes the rights to run it, wherever they come from."""
        lacking = []
        some_column = dict(self.columns(connection, list(_wanted)))
        for table, verbs in _wanted.items():
            for verb in verbs:
                tried = _TRIED[verb].format(table=table, column=some_column.get(table, "id"))
                try:
                    connection.exec_driver_sql(f"EXPLAIN {tried}").close()
                except DBAPIError as error:
                    if not isinstance(self.diagnose(error), Halt):
                        raise
                    lacking.append(f"{verb} {table}")
        return lacking

    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Judge by the number that the server, or the driver, gives."""
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        if code in _NO_SCHEMA_CODES:
            return Halt("no_schema", NO_SCHEMA)
        if cause := MYSQL.get(code or 0):
            return error_of(cause, code)
        if code in _NO_ACCESS_CODES:
            return Halt("database_access", f"{_BY_CODE.get(code, NO_ACCESS)} ({code})")
        if code in _OLD:
            return Halt("old_database", "the server is too old: Kartoteka needs MariaDB 10.6 or MySQL 8.0.31, or newer")
        lost = isinstance(error, sa.exc.InterfaceError) or error.connection_invalidated
        return Retry("database") if lost or code in _RETRY_CODES else None


class Mariadb(Mysql):
    """MariaDB, where its SQL is printed; at an address it is found out by the server's answer."""

    name = "mariadb"
    oldest = (10, 6)

    def for_printing(self) -> sa.Dialect:
        return MariaDBDialect()


_TRIED = {
    "SELECT": "SELECT * FROM {table} WHERE 1 = 0",
    "INSERT": "INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0",
    "UPDATE": "UPDATE {table} SET `{column}` = `{column}` WHERE 1 = 0",
    "DELETE": "DELETE FROM {table} WHERE 1 = 0",
}


def _is_mariadb(connection: sa.Connection) -> bool:
    return bool(connection.dialect.is_mariadb)  # type: ignore[attr-defined]


def _set(connection: sa.Connection, what: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"SET {what}")
    cursor.close()


def _connect(dialect: sa.Dialect, _record: Any, given: Any, settings: Any) -> Any:
    """The driver has no code for a password that it would have to encrypt itself."""
    from pymysql.err import OperationalError

    try:
        return dialect.connect(*given, **settings)
    except RuntimeError as error:
        raise OperationalError(_NO_TLS_CODE, "the server wants TLS for this user's password") from error


def _on_connect(connection: Any, _record: Any) -> None:
    """Let the session be ours, whatever the server's settings are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        is_mariadb = "mariadb" in cursor.fetchone()[0].lower()
        limits = f"max_statement_time = {STATEMENT_SECONDS}, SESSION idle_transaction_timeout = {STATEMENT_SECONDS}"
        if not is_mariadb:  # MySQL knows a limit of SELECTs only, and one of all connections that rest
            limits = f"max_execution_time = {STATEMENT_SECONDS * 1000}, SESSION wait_timeout = {_NET_SECONDS}"
        cursor.execute(f"SET NAMES utf8mb4 COLLATE {_BINARY[is_mariadb]}")
        cursor.execute(f"SET SESSION time_zone = '+00:00', SESSION {limits}")
        if is_mariadb:
            cursor.execute(f"SET SESSION in_predicate_conversion_threshold = {_EVER}")  # a list stays a list


def _on_checkin(connection: Any, record: Any) -> None:
    if connection is not None and record.info.pop(_LOCKED, False):
        with connection.cursor() as cursor:
            cursor.execute(f"DO RELEASE_LOCK({_SCHEMA_LOCK})")


# --- triggers


def _cases(watched: Watched) -> Mapping[str, tuple[str, str]]:
    """Return trigger -> when it fires, and what it does."""
    return {
        f"kartoteka_{watched.table.name}_{name}": case
        for name, case in (_answer_cases(watched) if watched.answer else _table_cases(watched)).items()
    }


def _table_cases(watched: Watched) -> dict[str, tuple[str, str]]:
    """INSERT … VALUES and never … SELECT: that one would hold the log's counter until the ERP's statement ends."""
    same = " AND ".join(f"OLD.{column} <=> NEW.{column}" for column in watched.whole_key)
    gone, new, changed = _entry(watched, "OLD", "D"), _entry(watched, "NEW", "I"), _entry(watched, "NEW", "U")
    into = _into(watched)
    return {
        "insert": ("AFTER INSERT", f"{into} {new}"),
        "update": ("AFTER UPDATE", f"IF {same} THEN {into} {changed}; ELSE {into} {gone}, {new}; END IF"),
        "delete": ("AFTER DELETE", f"{into} {gone}"),
    }


def _answer_cases(watched: Watched) -> dict[str, tuple[str, str]]:
    answered = f"NOT (OLD.{watched.answer} <=> NEW.{watched.answer})"
    old, new = f"OLD.{watched.owner}", f"NEW.{watched.owner}"
    moved = f"{old} IS NOT NULL AND NOT ({old} <=> {new})"
    into = _into(watched)
    log = f"{into} {_entry(watched, 'NEW', 'U')}; IF {moved} THEN {into} {_entry(watched, 'OLD', 'U')}; END IF"
    cases = {"answer": ("AFTER UPDATE", f"IF {answered} THEN {log}; END IF")}
    if "decided_by" in watched.table.c:
        cases["decided"] = ("BEFORE UPDATE", _DECIDED)
    return cases


_DECIDED = """SET NEW.decided_by = CASE
  WHEN NEW.decision IS NULL THEN NULL
  WHEN NOT (NEW.decision <=> OLD.decision) AND NEW.decided_by <=> OLD.decided_by
    THEN LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER())))
  ELSE NEW.decided_by
END"""


def _into(watched: Watched) -> str:
    return f"INSERT INTO change_log (table_name, {', '.join(watched.owners)}, row_id, operation) VALUES"


def _entry(watched: Watched, row: str, operation: str) -> str:
    owners = ", ".join(f"COALESCE({row}.{column}, '')" for column in watched.owners.values())
    name = f"CONCAT_WS(':', {', '.join(f'{row}.{column}' for column in watched.row)})"
    return f"('{watched.table.name}', {owners}, {name}, '{operation}')"
