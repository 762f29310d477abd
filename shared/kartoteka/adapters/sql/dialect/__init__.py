"""Everything in which the database engines differ, and nothing else: one file an engine.

To add an engine: write a subclass of :class:`~.base.Dialect` in a file of its own, give :class:`~.base.UtcNow` its
expression there, add it to ``DIALECTS``, and run the contract suite and the trigger tests on it. No other module asks
which engine it talks to.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from kartoteka.adapters.sql.dialect.base import PERCENT_ENCODED, Dialect
from kartoteka.adapters.sql.dialect.mssql import Mssql
from kartoteka.adapters.sql.dialect.mysql import Mariadb, Mysql
from kartoteka.adapters.sql.dialect.postgresql import Postgresql
from kartoteka.adapters.sql.dialect.sqlite import Sqlite
from kartoteka.errors import Halt

POOL_SIZE = 4

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (Sqlite(), Postgresql(), Mariadb(), Mysql(), Mssql())
}
"""Every engine that Kartoteka runs on, by SQLAlchemy's name. MariaDB's addresses are MySQL's: the server tells them."""

_SHORTHANDS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "mssql": "mssql+pytds",
}


def parse_url(address: str) -> sa.URL:
    """Return the address with the driver that a bare one stands for. A wrong one is not repeated in the Halt."""
    try:
        url = sa.make_url(address.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise Halt(
            "database_url",
            "the address of the exchange database cannot be read: it is like postgresql://user:password@host/name; "
            f"{PERCENT_ENCODED}",
        ) from None
    return url.set(drivername=_SHORTHANDS.get(url.drivername, url.drivername))


def dialect_of(url: sa.URL) -> Dialect:
    """Return what is known of this URL's engine. Raises Halt for an engine that is not supported."""
    name = url.get_backend_name()
    if name not in DIALECTS:
        raise Halt("database_url", f"{name} is not supported yet (supported: {', '.join(sorted(DIALECTS))})")
    return DIALECTS[name]


def open_engine(address: str) -> sa.Engine:
    """Return a SQLAlchemy engine with a small pool and time limits; nothing is connected yet.

    Raises Halt for an address that is none, of an engine that is not supported, or whose driver is not installed.
    """
    url = parse_url(address)
    dialect = dialect_of(url)
    try:
        engine = sa.create_engine(
            url,
            connect_args=dict(dialect.connect_args()),
            poolclass=sa.QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=dialect.lock_seconds,
            pool_pre_ping=dialect.keeps_connections,
            hide_parameters=True,
            **dialect.engine_options(),
        )
    except (ImportError, sa.exc.NoSuchModuleError):
        raise Halt("database_driver", f"the driver {url.drivername} is not installed") from None
    dialect.prepare(engine)
    return engine
