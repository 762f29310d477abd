"""A database server for `make up ERP=postgresql` and `ERP=mariadb`: in the background, its data in `.local/`.

`python -m local.erp postgresql` is the process that keeps it; the server ends with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from kartoteka.adapters.sql.dialect import open_engine
from local import home, mariadb, postgres, processes
from local.failure import LocalFailure
from local.waiting import wait_until

SQLITE, POSTGRESQL, MARIADB = "sqlite", "postgresql", "mariadb"
SERVERS = (POSTGRESQL, MARIADB)
NAME = "database"
FACTS = home.HOME / "database.json"
PATIENCE = 120.0
DATABASE = "erp"


def ensure(engine: str, database: str = DATABASE, *, anew: bool = False) -> str:
    """Return the address of this database on a running server; it is made where it is missing, and ``anew`` if asked.

    Raises LocalFailure where the server cannot be had, or does not start.
    """
    if not (processes.find(NAME) and _facts().get("engine") == engine):
        _start(engine)
    server = make_url(_facts()["url"])
    admin = open_engine(server.render_as_string(hide_password=False))
    try:
        with admin.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            if anew:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {database}")
            if anew or not connection.scalar(sa.text(_KNOWN[engine]), {"name": database}):
                connection.exec_driver_sql(_MADE[engine].format(name=database))
    finally:
        admin.dispose()
    return server.set(database=database).render_as_string(hide_password=False)


_KNOWN = {
    POSTGRESQL: "SELECT 1 FROM pg_database WHERE datname = :name",
    MARIADB: "SELECT 1 FROM information_schema.schemata WHERE schema_name = :name",
}
_MADE = {
    POSTGRESQL: "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'",
    MARIADB: "CREATE DATABASE {name} CHARACTER SET utf8mb4",
}


def stop() -> bool:
    """Stop it; tell whether it ran. Its data stay."""
    FACTS.unlink(missing_ok=True)
    return processes.stop(NAME)


def clean() -> None:
    """Remove what it keeps outside `.local/`."""
    for engine in SERVERS:
        for folder in (_data(engine), _place()):
            if home.HOME not in folder.parents:
                shutil.rmtree(folder, ignore_errors=True)


def is_own(url: str) -> bool:
    """Whether this is the address of a server that is started here."""
    query = make_url(url).query
    return str(query.get("host") or query.get("unix_socket") or "").startswith(str(_place()))


def shell(url: str) -> str:
    """Return the command by which a person writes SQL into this database."""
    given = make_url(url)
    if given.get_backend_name() == SQLITE:
        return f"sqlite3 {given.database}"
    if given.get_backend_name() == POSTGRESQL:
        return f"psql -h {given.query['host']} -U {given.username} {given.database}"
    return f"mariadb -S {given.query['unix_socket']} -u {given.username} {given.database}"


def _facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FACTS.read_text()) if FACTS.is_file() else {}
    return found


def _start(engine: str) -> None:
    stop()
    if engine == MARIADB:
        try:
            mariadb.programs()  # fetched while somebody looks on
        except mariadb.NoMariadbError as error:
            raise LocalFailure(f"ERP={engine}: {error}; or give ERP_URL the address of a server of your own") from None
    processes.start(NAME, [sys.executable, "-m", "local.erp", engine], dict(os.environ))
    wait_until(
        FACTS.is_file,
        what=f"ERP={engine}: the database server does not start",
        seconds=PATIENCE,
        log=processes.log_file(NAME),
        alive=lambda: processes.find(NAME) is not None,
    )


def _place() -> Path:
    """Return the folder of the server's socket, whose path must be short, and which nobody else may enter."""
    digest = hashlib.sha256(str(home.HOME).encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"kartoteka-{digest}"


def _data(engine: str) -> Path:
    """Return the folder of the data. PostgreSQL does not run as root, and nobody else may look into `.local/`."""
    if engine == POSTGRESQL and os.geteuid() == 0:
        return Path("/var/tmp") / _place().name / engine  # noqa: S108 - the folder is the server's own
    return home.HOME / engine


@contextlib.contextmanager
def _served(engine: str) -> Iterator[str]:
    """Give the address of a server that ends with the block."""
    place = _place()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)  # fails where somebody else has put one there
    try:
        if engine == POSTGRESQL:
            with postgres.running(place=place, data=_data(engine)) as server:
                yield server.url()
        else:
            with mariadb.started(mariadb.programs(), place, _data(engine), ()) as other:
                yield other.url()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main(engine: str) -> None:
    """Keep a server until this process is told to end."""

    def end(*_signal: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    with _served(engine) as url:
        home.write_private(FACTS, json.dumps({"engine": engine, "url": url}))
        while True:
            signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
