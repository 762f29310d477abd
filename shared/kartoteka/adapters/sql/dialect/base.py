"""What Kartoteka needs to know of a database engine, and what the engines have in common."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from kartoteka.adapters.sql.values import letters
from kartoteka.errors import Halt, KartotekaError, Retry

WRITES = "kartoteka_writes"
"""Execution option of a connection that is about to write."""

BRIEFLY = "kartoteka_briefly"
"""Execution option of a connection that waits for somebody else's lock only so many seconds."""

EXACT = "kartoteka_exact"
"""Execution option of a statement that writes a row of the ERP's: a letter that the database cannot hold is refused.

In our own tables it becomes a question mark, so that it stops nobody.
"""

STATEMENT_SECONDS = 60
CONNECT_SECONDS = 10

Merge = Callable[[sa.ColumnElement[Any], sa.ColumnElement[Any]], sa.ColumnElement[Any]]
"""(stored value, offered value) -> what an upsert leaves in the column."""

NO_SCHEMA = "tables or columns of the exchange database are missing: run `kartoteka schema create --url …`"
WRONG_TYPE = "a column of the exchange database has another type than it should: compare it with `kartoteka schema ddl`"
WRONG_NAME = "the exchange database's server has no database of this name: check its address"
PERCENT_ENCODED = "in an address the marks @ : / % of a password are written %40 %3A %2F %25"
WRONG_LOGIN = f"the exchange database refuses the user or the password: check both; {PERCENT_ENCODED}"
LACKS_RIGHT = "the exchange database's user lacks a right that is needed: `kartoteka doctor` names it"
NO_ACCESS = (
    "the exchange database refuses the connection or the statement: check its address, the user, the password and "
    "the user's rights"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A table whose changes go into ``change_log``.

    ``owner`` is the column with the owner's id, which the log keeps in its column ``into``; ``group`` a second one, of
    a table whose rows may be a discount group's, kept in ``group_id``. With ``answer`` only updates of that one column
    are logged: it is where the ERP, or a person, answers in a table of ours.
    """

    table: sa.Table
    owner: str = "client_id"
    into: str = "client_id"
    answer: str = ""
    group: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key)

    @property
    def row(self) -> tuple[str, ...]:
        """The columns that name the row within its owner."""
        return tuple(name for name in self.key if name not in (self.owner, self.group)) or self.key

    @property
    def owners(self) -> Mapping[str, str]:
        """The columns with the owners' ids, by the log's columns that keep them."""
        return {self.into: self.owner} | ({"group_id": self.group} if self.group else {})

    @property
    def whole_key(self) -> tuple[str, ...]:
        """The owner's column and those that name the row."""
        return tuple(dict.fromkeys((self.owner, *self.row)))


class Refused(Halt):
    """The database refused a statement's data. ``reason`` is its own text: it may quote a row, so it stays at home."""

    def __init__(self, reason: str) -> None:
        super().__init__("database_refused", "the exchange database refused what was to be written")
        self.reason = reason


class UtcNow(sa.sql.functions.FunctionElement[Any]):
    """The present moment in UTC, as a column's default; each engine compiles it its own way."""

    type = sa.DateTime()
    inherit_cache = True


@lru_cache(maxsize=1024)
def spelled(moment: datetime | date) -> str:
    """Return a moment as the database keeps it: in UTC, without a zone; a day as it is."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def indexes_of(table: sa.Table) -> list[sa.Index]:
    """Return a table's indexes by name."""
    return sorted(table.indexes, key=lambda index: str(index.name))


class Dialect(ABC):
    """What Kartoteka needs to know of one database engine."""

    name: ClassVar[str]
    """SQLAlchemy's name of the dialect."""
    oldest: ClassVar[tuple[int, ...]] = ()
    """The oldest version that is supported."""
    read_isolation: ClassVar[str | None] = None
    """Isolation level in which several SELECTs see one moment; None where plain transactions do."""
    one_writer: ClassVar[bool] = False
    """Whether writers exclude each other anyway: then our own threads had better queue up than sleep and try again."""
    keeps_connections: ClassVar[bool] = True
    """Whether connections stay open between two runs: another file may be put in an open one's place unseen."""
    lock_seconds: ClassVar[float] = 30
    """How long a statement waits for somebody else's lock."""
    every_letter: ClassVar[str] = ""
    """The statement by which a narrow encoding is mended; empty on an engine that has none."""
    add_column: ClassVar[str] = "ADD COLUMN"
    """The words of ALTER TABLE before a new column."""

    @abstractmethod
    def for_printing(self) -> sa.Dialect:
        """Return SQLAlchemy's dialect for printing DDL, without a connection."""

    @abstractmethod
    def connect_args(self) -> Mapping[str, Any]:
        """Return the driver's settings: time limits, encoding."""

    def engine_options(self) -> Mapping[str, Any]:
        """Return what SQLAlchemy itself is told: the isolation level of writers, where it is not the server's own."""
        return {}

    def too_old(self, connection: sa.Connection) -> str:
        """Return the oldest version that is supported, where this server is older; else the empty text."""
        found = connection.dialect.server_version_info or ()
        return ".".join(map(str, self.oldest)) if tuple(found) < self.oldest else ""

    def definition(self, table: sa.Table, printed: sa.Dialect | None = None) -> Sequence[str]:
        """Return statements that make a table and its indexes, where they are missing.

        ``printed``: SQLAlchemy's dialect of a connection, which knows the server; None for a script.
        """
        parts: list[sa.DDLElement] = [CreateTable(table, if_not_exists=True)]
        parts += [CreateIndex(index, if_not_exists=True) for index in indexes_of(table)]
        printed = printed or self.for_printing()
        return [str(part.compile(dialect=printed)).strip() for part in parts]

    def view(self, name: str, rows: sa.SelectBase, printed: sa.Dialect | None = None) -> Sequence[str]:
        """Return statements that make a view of these rows, also in the place of a former one. ``printed`` as above."""
        return [f"CREATE OR REPLACE VIEW {name} AS {self.literally(rows, printed)}"]

    def literally(self, rows: sa.SelectBase, printed: sa.Dialect | None = None) -> str:
        """Return a SELECT with its values in it."""
        return str(rows.compile(dialect=printed or self.for_printing(), compile_kwargs={"literal_binds": True}))

    def script(self, statements: Iterable[str]) -> str:
        """Return statements as a file that the engine's own client runs."""
        return "".join(f"{statement};\n\n" for statement in statements)

    def identity(self, _url: sa.URL) -> str:
        """Return something that differs where another database stands at the same address."""
        return ""

    @abstractmethod
    def prepare(self, engine: sa.Engine) -> None:
        """Hook what every new connection and transaction of this engine needs."""

    @abstractmethod
    def lock_schema(self, connection: sa.Connection) -> None:
        """Let one process at a time change the schema, until the transaction ends."""

    @abstractmethod
    def columns(self, connection: sa.Connection, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        """Return (table, column) of every column that these tables have: one statement."""

    def indexes(self, connection: sa.Connection, table: str) -> frozenset[str]:
        """Return the names of the indexes that a table has."""
        return frozenset(str(index["name"]) for index in sa.inspect(connection).get_indexes(table))

    @abstractmethod
    def triggers(self, watched: Watched) -> Sequence[str]:
        """Return statements that make this table fill ``change_log``; running them twice changes nothing."""

    def missing_triggers(self, watched: Watched) -> Sequence[str]:
        """Return statements that make only what is missing of that, by a role that may have no right to the rest."""
        return self.triggers(watched)

    @abstractmethod
    def trigger_names(self, watched: Watched) -> Sequence[str]:
        """Return the names of the triggers that :meth:`triggers` makes."""

    @abstractmethod
    def triggers_of(self, connection: sa.Connection, tables: Sequence[str]) -> Mapping[tuple[str, str], bool]:
        """Return (table, trigger) -> whether it fires, of all triggers that these tables have: one statement."""

    @abstractmethod
    def insert(self, table: sa.Table, columns: Sequence[str]) -> Any:
        """Return an INSERT of these columns that takes many rows at once, for :meth:`run`."""

    @abstractmethod
    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement of :meth:`insert` or :meth:`upsert` for these rows, in one round trip."""

    @abstractmethod
    def diagnose(self, error: DBAPIError) -> KartotekaError | None:
        """Say what to do about a failed statement; None: the statement's own data were refused."""

    def holds(self, connection: sa.Connection) -> bool:
        """Return whether a transaction goes on after a statement in it failed, so that its savepoints are there."""
        del connection
        return True

    def same(self, column: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds exactly this value: to the letter, and null only null."""
        return column.is_not_distinct_from(value)

    def encoding(self, connection: sa.Connection) -> str:
        """Return the encoding of a database that cannot hold every letter; empty: it can."""
        del connection
        return ""

    def is_replica(self, connection: sa.Connection) -> bool:
        """Return whether this server follows another one, and takes no writes."""
        del connection
        return False

    def lacking_rights(self, connection: sa.Connection, _wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """Return what the user may not do of what is wanted (table -> verbs), as in ``UPDATE clients``."""
        del connection
        return ()

    def is_key(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds what can be a key: a text."""
        del column
        return sa.true()

    def odd_keys(self, connection: sa.Connection, key: sa.Column[Any], ids: Sequence[str]) -> frozenset[str]:
        """Return those of these keys that stand there, and are no text: no statement finds them."""
        del connection, key, ids
        return frozenset()

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
        """Return a SELECT of texts of moments, the column's newest up to the parameter ``until`` among them."""
        return sa.select(letters(sa.func.max(column))).where(column <= sa.bindparam("until", type_=column.type))

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


@contextlib.contextmanager
def translated(dialect: Dialect) -> Iterator[None]:
    """Turn the database's errors into ours, without the rows and the address that theirs quote."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise Retry("database") from None
    except DBAPIError as error:
        raise dialect.diagnose(error) or Refused(reason(error)) from None


def reason(error: DBAPIError) -> str:
    """Return the first line of what the database said, for the eyes of the ERP's own people."""
    lines = str(error.orig).strip().splitlines()
    return lines[0][:500] if lines else type(error.orig).__name__
