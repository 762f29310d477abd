"""One exchange database: its connections, its transactions, and whether it has the tables that are used."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa

from kartoteka.adapters.sql.dialect import dialect_of, open_engine
from kartoteka.adapters.sql.dialect.base import BRIEFLY, WRITES, translated
from kartoteka.adapters.sql.ownership import Claim
from kartoteka.adapters.sql.tables import ERP, OPTIONAL, ErpTables, all_tables, change_log
from kartoteka.adapters.sql.values import Row
from kartoteka.errors import Halt
from kartoteka.fields.digest import Digest
from kartoteka.sentences import some_of

NAMED = 5
"""Missing columns that a message names."""


class Database:
    """An exchange database behind a SQLAlchemy engine. Nothing is connected before the first transaction.

    ``key``: the secret of the digests in it. ``installation``: who writes; empty: a tool, which nobody refuses. Raises
    Halt for an address that is none, or of an engine that is not supported.
    """

    def __init__(self, address: str, erp: ErpTables = ERP, key: str = "", installation: str = "") -> None:
        self.engine = open_engine(address)
        self.dialect = dialect_of(self.engine.url)
        self.erp = erp
        self.digest = Digest(key)
        self.claim = Claim(self.dialect, installation)
        level = self.dialect.read_isolation
        self._read_engine = self.engine.execution_options(isolation_level=level) if level else self.engine
        self._write_engine = self.engine.execution_options(**{WRITES: True})
        self._checked = False
        self._turn = threading.Lock() if self.dialect.one_writer else contextlib.nullcontext()

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)})"

    @property
    def identity(self) -> str:
        """Which database stands at the address now."""
        return self.dialect.identity(self.engine.url)

    def rest(self) -> None:
        """Let go of what must not stay open between two runs."""
        if not self.dialect.keeps_connections:
            self.close()

    def close(self) -> None:
        """Close the pool's connections; a later transaction opens new ones."""
        self.engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection on which several SELECTs see one moment."""
        with translated(self.dialect), self._read_engine.begin() as connection:
            self._check(connection)
            yield connection

    @contextlib.contextmanager
    def writing(self, *, claims: bool = True) -> Iterator[sa.Connection]:
        """Give a connection whose writes are committed at the end, all or none.

        ``claims`` False: the caller asks by itself whose the database is. Raises Halt where it is another
        installation's, Retry where somebody else holds what is to be written for too long, Refused where the database
        does not take the data.
        """
        with self._turn, translated(self.dialect), self._write_engine.begin() as connection:
            self._check(connection)
            if claims:
                self.claim.demand(connection)
            yield connection

    @contextlib.contextmanager
    def changing(self, seconds: int) -> Iterator[sa.Connection]:
        """Give a connection for statements that change the schema; it waits only so long for a table that is in use.

        Raises as :meth:`writing`.
        """
        engine = self._write_engine.execution_options(**{BRIEFLY: seconds, "no_parameters": True})
        with self._turn, translated(self.dialect), engine.begin() as connection:
            self.dialect.lock_schema(connection)
            yield connection

    def run(self, connection: sa.Connection, statement: sa.Executable, rows: Iterable[Row]) -> None:
        """Run an INSERT or upsert that the dialect made for these rows; nothing where there are none."""
        given = list(rows)
        if given:
            self.dialect.run(connection, statement, given)

    def _check(self, connection: sa.Connection) -> None:
        """Raise Halt naming what is missing, unless every table and column that is used is there; more may be.

        And where the server is older than what is supported.

        Asked once in this object's life.
        """
        if self._checked:
            return
        if oldest := self.dialect.too_old(connection):
            raise Halt("old_database", f"the exchange database's server is too old: Kartoteka needs {oldest} or newer")
        wanted = [table for table in all_tables(self.erp) if table.name not in OPTIONAL]
        present = self.dialect.columns(connection, [table.name for table in wanted])
        tables = {name for name, _ in present}
        missing = [f"table {table.name}" for table in wanted if table.name not in tables]
        missing += [
            f"column {table.name}.{column.name}"
            for table in wanted
            if table.name in tables
            for column in table.columns
            if (table.name, column.name) not in present
        ]
        if missing:
            raise Halt("no_schema", _missing(missing, "upgrade" if change_log.name in tables else "create"))
        self._checked = True


def _missing(names: Collection[str], command: str) -> str:
    verb = "is" if len(names) == 1 else "are"
    return f"{some_of(names, NAMED)} {verb} missing: run `kartoteka schema {command} --url …`"
