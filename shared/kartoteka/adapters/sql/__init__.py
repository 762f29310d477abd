"""The ports of the exchange database over SQLAlchemy Core.

Each method is one transaction and a fixed number of statements, however many keys there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.desk import SqlDesk
from kartoteka.adapters.sql.figures import SqlFigures
from kartoteka.adapters.sql.forgotten import SqlForgotten
from kartoteka.adapters.sql.index import SqlAccountIndex
from kartoteka.adapters.sql.log import SqlChangeLog
from kartoteka.adapters.sql.ownership import SqlOwnership
from kartoteka.adapters.sql.pauses import SqlPauses
from kartoteka.adapters.sql.plans import SqlPlans
from kartoteka.adapters.sql.prices import SqlPrices
from kartoteka.adapters.sql.records import SqlRecords
from kartoteka.adapters.sql.save import Saver
from kartoteka.adapters.sql.tables import ERP, ErpTables
from kartoteka.ports.exchange import Exchange


@dataclass(frozen=True, slots=True)
class SqlExchange(Exchange):
    """The nine ports of one database, and the database for tools that look at the tables themselves."""

    database: Database

    def __repr__(self) -> str:
        return f"SqlExchange({self.database!r})"

    @property
    def identity(self) -> str:
        """Which database stands at the address now."""
        return self.database.identity

    @property
    def desk(self) -> SqlDesk:
        """The same database as a person sees it."""
        return SqlDesk(self.database)

    def rest(self) -> None:
        """Let go, between two runs, of what must not stay open."""
        self.database.rest()

    def close(self) -> None:
        """Close the pool's connections; a later call opens new ones."""
        self.database.close()


def connect(address: str, erp: ErpTables = ERP, key: str = "", installation: str = "") -> SqlExchange:
    """Return the exchange database at a SQLAlchemy URL; bare ones are understood. Raises Halt for a wrong one.

    ``key``: the secret of the digests in it; without the right one nobody who was erased is recognised.
    ``installation``: the id of the stack that writes; empty: a tool, whoever the database's owner is.
    """
    database = Database(address, erp, key, installation)
    saver = Saver(database)
    return SqlExchange(
        log=SqlChangeLog(database),
        records=SqlRecords(database, saver),
        index=SqlAccountIndex(database),
        prices=SqlPrices(database, saver),
        figures=SqlFigures(database),
        pauses=SqlPauses(database),
        plans=SqlPlans(database),
        forgotten=SqlForgotten(database),
        ownership=SqlOwnership(database),
        database=database,
    )
