"""The ERP's side: the exchange database that Kartoteka works with, and the plain table that the peers read."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.customers import COLUMNS, ERP_STREET, Row
from kartoteka.adapters.sql import tables, upgrade
from kartoteka.adapters.sql.dialect import open_engine, parse_url
from kartoteka.sync.taken import UNCONFIRMED

INSERTED_TOGETHER = 1_000


class Erp:
    """The ERP's hands in an exchange database of its own. ``url`` is how the functions reach it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def url(self) -> str:
        """The database's address."""
        return self._engine.url.render_as_string(hide_password=False)

    def fill(self, clients: Sequence[Row]) -> None:
        """Insert these clients, as an ERP's export does."""
        with self._engine.begin() as connection:
            for start in range(0, len(clients), INSERTED_TOGETHER):
                connection.execute(tables.ERP.clients.insert(), list(clients[start : start + INSERTED_TOGETHER]))

    def move(self, ids: Iterable[str]) -> None:
        """Give these clients another street."""
        clients = tables.ERP.clients
        update = clients.update().where(clients.c.id == sa.bindparam("client"))
        with self._engine.begin() as connection:
            connection.execute(update.values(street=ERP_STREET), [{"client": each} for each in ids])

    def cities(self, ids: Sequence[str]) -> list[str]:
        """Return the cities of these clients."""
        found = sa.select(tables.ERP.clients.c.city).where(tables.ERP.clients.c.id.in_(ids))
        with self._engine.begin() as connection:
            return list(connection.scalars(found))

    def links(self) -> dict[str, str]:
        """Return client id -> panel client id of every client that has an account."""
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(tables.sync_links.c.client_id, tables.sync_links.c.panel_client_id))
            return {row[0]: row[1] for row in rows}

    def unsettled(self) -> int:
        """Return how many records are not in step, deferred, with an intent left, or in an open conflict.

        One that was sent and only waits to be shown by the panel is none of these.
        """
        base, status, count = tables.sync_base.c, tables.sync_status.c, sa.select(sa.func.count())
        wrong = (
            count.where(status.state != "in_step", status.code != UNCONFIRMED),
            count.where(tables.sync_conflicts.c.closed_at.is_(None)),
            count.where(base.due_at.is_not(None), base.code != UNCONFIRMED),
            count.where(base.intent.is_not(None)),
        )
        with self._engine.begin() as connection:
            return sum(connection.scalar(number) or 0 for number in wrong)


@contextmanager
def exchange(home: Path, address: str | None) -> Iterator[Erp]:
    """Give an empty exchange database: a new SQLite file, or a new schema in the PostgreSQL database at ``address``."""
    if address is None:
        with _created(sa.make_url(f"sqlite:///{home / f'exchange-{uuid.uuid4().hex[:8]}.db'}")) as erp:
            yield erp
        return
    url, name = parse_url(address), f"kartoteka_bench_{uuid.uuid4().hex[:8]}"
    outer = sa.create_engine(url)
    try:
        with outer.begin() as connection:
            connection.execute(sa.schema.CreateSchema(name))
        with _created(url.update_query_dict({"options": f"-csearch_path={name}"})) as erp:
            yield erp
    finally:
        with outer.begin() as connection:
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))
        outer.dispose()


@contextmanager
def _created(url: sa.URL) -> Iterator[Erp]:
    engine = open_engine(url.render_as_string(hide_password=False))
    try:
        upgrade.create(engine)
        yield Erp(engine)
    finally:
        engine.dispose()


class PlainTable:
    """What the peers read: the same rows in an SQLite file, with a row version and the version each row was born with.

    The latter is a gift: it tells a peer for nothing whether a row's account is to be opened or changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection, connection:
            columns = ", ".join(f"{name} PRIMARY KEY" if name == "id" else name for name in COLUMNS)
            connection.execute(f"CREATE TABLE clients ({columns}, rv INTEGER NOT NULL, born_rv INTEGER NOT NULL)")
            connection.execute("CREATE INDEX clients_rv ON clients (rv)")

    def fill(self, clients: Sequence[Row]) -> None:
        """Insert these clients."""
        rows = [(*(client[name] for name in COLUMNS), n, n) for n, client in enumerate(clients, start=1)]
        marks = ", ".join("?" * (len(COLUMNS) + 2))
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(f"INSERT INTO clients VALUES ({marks})", rows)  # noqa: S608 - only question marks

    def move(self, ids: Iterable[str]) -> None:
        """Give these clients another street, and their rows new versions."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for each in ids:
                connection.execute(
                    "UPDATE clients SET street = ?, rv = (SELECT MAX(rv) + 1 FROM clients) WHERE id = ?",
                    (ERP_STREET, each),
                )
