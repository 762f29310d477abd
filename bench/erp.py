"""The ERP's side: the exchange database that Kartoteka works with, and the plain table that the peers read."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.customers import COLUMNS, ERP_STREET, Row
from bench.trade import Trade
from kartoteka.adapters.sql import tables, upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.sync.taken import UNCONFIRMED
from local.postgres import PostgresServer

INSERTED_TOGETHER = 1_000


class Erp:
    """The ERP's hands in an exchange database of its own. ``url`` is how the functions reach it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def url(self) -> str:
        """The database's address."""
        return self.engine.url.render_as_string(hide_password=False)

    def fill(self, clients: Sequence[Row]) -> None:
        """Insert these clients, as an ERP's export does."""
        with self.engine.begin() as connection:
            _insert(connection, tables.ERP.clients, clients)

    def trade(self, rows: Trade) -> None:
        """Insert addresses, groups with prices and credit figures, and put clients into their groups."""
        erp, clients = tables.ERP, tables.ERP.clients
        member = clients.update().where(clients.c.id == sa.bindparam("client"))
        with self.engine.begin() as connection:
            _insert(connection, erp.delivery_addresses, rows.addresses)
            _insert(connection, erp.discount_groups, rows.groups)
            _insert(connection, erp.discount_group_items, rows.items)
            _insert(connection, erp.client_credit, rows.credit)
            if rows.members:
                members = [{"client": client, "group": group} for client, group in rows.members.items()]
                connection.execute(member.values(discount_group_id=sa.bindparam("group")), members)

    def correct(self, rows: Trade) -> None:
        """Write these credit figures and prices over those that are there."""
        with self.engine.begin() as connection:
            for table, changed in (
                (tables.ERP.client_credit, rows.credit),
                (tables.ERP.discount_group_items, rows.items),
            ):
                key = sa.and_(*(column == sa.bindparam(f"of_{column.name}") for column in table.primary_key))
                for row in changed:
                    named = {f"of_{column.name}": row[column.name] for column in table.primary_key}
                    connection.execute(table.update().where(key).values(row), named)

    def move(self, ids: Iterable[str], street: str = ERP_STREET) -> None:
        """Give these clients another street."""
        clients = tables.ERP.clients
        update = clients.update().where(clients.c.id == sa.bindparam("client"))
        with self.engine.begin() as connection:
            connection.execute(update.values(street=street), [{"client": each} for each in ids])

    def cities(self, ids: Sequence[str]) -> list[str]:
        """Return the cities of these clients."""
        found = sa.select(tables.ERP.clients.c.city).where(tables.ERP.clients.c.id.in_(ids))
        with self.engine.begin() as connection:
            return list(connection.scalars(found))

    def living_in(self, street: str) -> list[str]:
        """Return the ids of the clients in this street."""
        found = sa.select(tables.ERP.clients.c.id).where(tables.ERP.clients.c.street == street)
        with self.engine.begin() as connection:
            return list(connection.scalars(found))

    def client(self, client_id: str) -> Row:
        """Return a client's row."""
        found = sa.select(tables.ERP.clients).where(tables.ERP.clients.c.id == client_id)
        with self.engine.begin() as connection:
            return dict(connection.execute(found).mappings().one())

    def links(self) -> dict[str, str]:
        """Return client id -> panel client id of every client that has an account."""
        with self.engine.begin() as connection:
            rows = connection.execute(sa.select(tables.sync_links.c.client_id, tables.sync_links.c.panel_client_id))
            return {row[0]: row[1] for row in rows}

    def unsettled(self, *but: str) -> int:
        """Return how many records are not in step, deferred, with an intent left, or in an open conflict.

        One that was sent and only waits to be shown by the panel is none of these, nor one with such a code.
        """
        known = (UNCONFIRMED, *but)
        base, status, count = tables.sync_base.c, tables.sync_status.c, sa.select(sa.func.count())
        wrong = (
            count.where(status.state != "in_step", status.code.not_in(known)),
            count.where(tables.sync_conflicts.c.closed_at.is_(None)),
            count.where(base.due_at.is_not(None), base.code.not_in(known)),
            count.where(base.intent.is_not(None)),
        )
        with self.engine.begin() as connection:
            return sum(connection.scalar(number) or 0 for number in wrong)

    def untouched(self) -> int:
        """Return of how many clients nothing is said yet."""
        told = sa.exists().where(tables.sync_status.c.client_id == tables.ERP.clients.c.id)
        with self.engine.begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.ERP.clients).where(~told)) or 0


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), INSERTED_TOGETHER):
        connection.execute(table.insert(), list(rows[start : start + INSERTED_TOGETHER]))


@contextmanager
def exchange(home: Path, server: PostgresServer | None) -> Iterator[Erp]:
    """Give an empty exchange database: a new SQLite file, or a new database of this PostgreSQL server."""
    if server is None:
        with _created(f"sqlite:///{home / f'exchange-{uuid.uuid4().hex[:8]}.db'}") as erp:
            yield erp
        return
    url = server.empty()
    try:
        with _created(url) as erp:
            yield erp
    finally:
        server.drop(url)


@contextmanager
def _created(url: str) -> Iterator[Erp]:
    engine = open_engine(url)
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

    def fill(self, clients: Sequence[Row], first: int = 1) -> None:
        """Insert these clients; the first of them gets this row version."""
        rows = [(*(client[name] for name in COLUMNS), n, n) for n, client in enumerate(clients, first)]
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
