"""Whose a database is: one row, read in every transaction that writes.

The reading takes no lock. Who has read it and is overtaken by a takeover commits what is under way and sends it; the
new owner waits for longer than that can last (:mod:`kartoteka.sync.ownership`). A claim is an upsert that changes
nothing where there is a row, which every engine lets one transaction after the other do.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kartoteka.adapters.sql.dialect.base import Dialect
from kartoteka.adapters.sql.tables import sync_owner
from kartoteka.ports.ownership import Holder, Ownership, refusal

if TYPE_CHECKING:
    from kartoteka.adapters.sql.database import Database

_OWNER = sync_owner.c
ONLY = 1
"""The key of the only row."""
INSTALLATION = sa.select(_OWNER.installation)
"""A statement, or a part of one, that reads who the owner is."""
_HOLDER = sa.select(_OWNER.installation, _OWNER.since, _OWNER.former)


class Claim:
    """An installation's claim to a database, judged inside other transactions."""

    def __init__(self, dialect: Dialect, installation: str) -> None:
        self.installation = installation
        self._dialect = dialect
        self._first = dialect.upsert(
            sync_owner, ("id", "installation"), {"installation": lambda stored, _offered: stored}
        )

    def demand(self, connection: sa.Connection, read: Collection[str] | None = None) -> None:
        """Raise Halt where the database is another installation's; one that is nobody's is claimed.

        ``read``: what another statement of this transaction has read, :data:`INSTALLATION` among it; else it is asked.
        """
        if not self.installation:
            return
        if self.installation in (connection.scalars(INSTALLATION).all() if read is None else read):
            return
        found = holder(connection, locked=True)
        if found is None:
            self._dialect.run(connection, self._first, [{"id": ONLY, "installation": self.installation}])
            found = holder(connection, locked=True)
            assert found is not None, "an upsert has left no row"
        if found.installation != self.installation:
            raise refusal(found)


def holder(connection: sa.Connection, *, locked: bool = False) -> Holder | None:
    """Return who the owner is; ``locked``: as it stands in this very moment, until the transaction ends."""
    row = connection.execute(_HOLDER.with_for_update() if locked else _HOLDER).first()
    return Holder(*row) if row else None


class SqlOwnership(Ownership):
    """The owner of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def installation(self) -> str:
        return self._database.claim.installation

    def holder(self) -> Holder | None:
        with self._database.reading() as connection:
            return holder(connection)

    def hold(self) -> Holder | None:
        found = self.holder()
        if found is not None or not self.installation:
            return found
        with self._database.writing() as connection:
            return holder(connection)

    def take_over(self, *, at: datetime) -> Holder:
        with self._database.writing(claims=False) as connection:
            before = holder(connection, locked=True)
            if before is None:
                self._database.claim.demand(connection)
            elif before.installation != self.installation:
                taken = {"installation": self.installation, "former": before.installation, "since": at}
                connection.execute(sync_owner.update().where(_OWNER.id == ONLY).values(taken))
            found = holder(connection, locked=True)
            assert found is not None
            return found

    def give_back(self) -> bool:
        with self._database.writing(claims=False) as connection:
            found = holder(connection, locked=True)
            own = found is not None and found.installation == self.installation
            if own:
                connection.execute(sync_owner.delete().where(_OWNER.id == ONLY))
            return own
