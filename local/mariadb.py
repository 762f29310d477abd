"""A real MariaDB for the tests and for `make up`: the machine's own `mariadbd`, or Debian's packages, unpacked here.

The packages go into ``.tools/mariadb``, once and without root: ``apt-get download``, with package lists of our own
where the machine's are empty or old. A server on a socket (and a port, where one is asked for) in a directory of its
own; it dies with the process that started it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.home import ROOT
from local.postgres import die_with_parent

HOME = ROOT / ".tools" / "mariadb"
PACKAGE = "mariadb-server-core"
NAMES = ("mariadbd", "mysqld")
_SBIN = ("/usr/sbin", "/usr/local/sbin")
_WAIT_SECONDS = 60
_FETCH_SECONDS = 300
FORGETFUL = (
    "innodb-flush-log-at-trx-commit=0",
    "innodb-doublewrite=0",
    "innodb-flush-method=nosync",
    "innodb-file-per-table=0",
    "innodb-stats-persistent=0",
)
"""Settings of a server whose data nobody needs after a crash, as in tests."""
_SETTINGS = (
    *("innodb-buffer-pool-size=64M", "innodb-log-file-size=32M", "max-connections=60", "performance-schema=0"),
    *("skip-log-bin", "skip-name-resolve", "log-warnings=1"),
)
_ROOM = 1 << 30
_SYSTEM = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")


class NoMariadbError(Exception):
    """There is no MariaDB on this machine, and none can be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server's program, its messages and its libraries are."""

    server: Path
    base: Path
    libraries: str = ""

    @property
    def share(self) -> Path:
        """The folder of the files with which a server begins."""
        found = (self.base / "share" / name for name in ("mysql", "mariadb"))
        return next((each for each in found if (each / _SYSTEM[0]).exists()), self.base / "share")

    def run(self, data: Path, settings: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start the server over a data directory; no file of settings of the machine's is read."""
        command = [str(self.server), "--no-defaults", f"--basedir={self.base}", f"--datadir={data}"]
        command += [f"--lc-messages-dir={self.share}", *(f"--{setting}" for setting in (*_SETTINGS, *settings))]
        command += ["--user=root"] if os.geteuid() == 0 else []
        environment = {**os.environ, **({"LD_LIBRARY_PATH": self.libraries} if self.libraries else {})}
        return subprocess.Popen(command, env=environment, **options)


@dataclass(frozen=True, slots=True)
class MariadbServer:
    """A running server."""

    home: Path

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.home / "socket"

    def url(self, database: str = "mysql", user: str = "root", password: str = "") -> str:
        """Return the bare URL of a database; on a socket there is nobody to hide anything from."""
        return f"mysql://{user}:{password}@localhost/{database}?unix_socket={self.socket}&ssl_disabled=1"


@contextmanager
def running(settings: Sequence[str] = (), data: Path | None = None) -> Iterator[MariadbServer]:
    """Give a running server with these settings (``name=value``); its data are gone afterwards, but for ``data``.

    Raises NoMariadbError where no program is found.
    """
    found = programs()
    home = Path(tempfile.mkdtemp(prefix="ktmaria-", dir=_roomy()))
    try:
        with started(found, home, data or home / "data", settings) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def started(found: Programs, home: Path, data: Path, settings: Sequence[str]) -> Iterator[MariadbServer]:
    """Give a server over a data directory, which is made where it is not there; it ends with the block."""
    if not (data / "mysql").is_dir():
        _make(found, data, home)
    server = MariadbServer(home)
    given = [f"socket={server.socket}", f"pid-file={home / 'pid'}", *settings]
    if not any(setting.startswith("port=") for setting in settings):
        given.append("skip-networking")
    with (home / "log").open("wb") as log:
        process = found.run(
            data,
            given,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # nobody has another thread yet
            start_new_session=True,  # Ctrl-C is for us to hand on
        )
    try:
        _wait_until_ready(process, server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_WAIT_SECONDS)


@cache
def programs() -> Programs:
    """Return the machine's own server, or the one in ``.tools``, fetched if need be. Raises NoMariadbError."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SBIN))
    if found := shutil.which(NAMES[0], path=path):
        server = Path(found).resolve()
        return Programs(server, server.parent.parent)
    if not _unpacked():
        _fetch()
    libraries = ":".join(str(each) for each in (HOME / "root" / "usr" / "lib").glob("*-linux-gnu*"))
    return Programs(HOME / "root" / "usr" / "sbin" / NAMES[0], HOME / "root" / "usr", libraries)


def _roomy() -> str:
    """Return the folder in memory, where there is one with enough room: nobody needs the data after a crash."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder inside is made as mkdtemp does)
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else tempfile.gettempdir()


def _unpacked() -> bool:
    return (HOME / ".stamp").exists()


def _fetch() -> None:
    """Unpack Debian's packages, and those that they need and that this machine lacks."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NoMariadbError(f"{NAMES[0]} is not installed, and this is no Debian or Ubuntu to fetch it from")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' processes begin at the same time
        if not _unpacked():
            _unpack()


def _unpack() -> None:
    own = HOME / "apt"
    try:
        files = _downloaded(own / "files")
    except subprocess.SubprocessError:
        lists = [f"Dir::State::lists={own / 'lists'}", f"Dir::Cache={own / 'cache'}"]
        files = _downloaded_afresh(own, lists)
    for file in files:
        _run("dpkg-deb", "-x", str(file), str(HOME / "root"))
    shutil.rmtree(own, ignore_errors=True)
    (HOME / ".stamp").write_text("\n".join(sorted(file.name for file in files)) + "\n")


def _downloaded_afresh(own: Path, options: Sequence[str]) -> list[Path]:
    """Download by package lists of our own: the machine's are empty, or name what is no longer there."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (own / folder).mkdir(parents=True, exist_ok=True)
    try:
        _run("apt-get", "-qq", *_options(options), "update")
        return _downloaded(own / "files", options)
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        raise NoMariadbError(f"apt-get could not fetch {PACKAGE}: {said[-1] if said else error}") from None


def _downloaded(folder: Path, options: Sequence[str] = ()) -> list[Path]:
    """Download what an installation would download; nothing is installed, so no right is needed."""
    simulated = _run("apt-get", "-qq", *_options(options), "-s", "--no-install-recommends", "install", PACKAGE)
    names = [line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _run("apt-get", "-qq", *_options(options), "download", *names, cwd=folder)
    return sorted(folder.glob("*.deb"))


def _options(more: Sequence[str]) -> list[str]:
    return [part for option in ("Debug::NoLocking=1", "APT::Sandbox::User=root", *more) for part in ("-o", option)]


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, check=True, capture_output=True, timeout=_FETCH_SECONDS, cwd=cwd)
    return done.stdout.decode(errors="replace")


def _make(found: Programs, data: Path, home: Path) -> None:
    """Make the tables that a server itself needs; its root has no password, and is asked on the socket only."""
    data.mkdir(parents=True, exist_ok=True)
    scripts = "".join((found.share / name).read_text() for name in _SYSTEM)
    with (home / "made").open("wb") as log:
        process = found.run(data, ["bootstrap"], stdin=subprocess.PIPE, stdout=log, stderr=log)
        process.communicate(f"CREATE DATABASE mysql;\nUSE mysql;\n{scripts}".encode(), timeout=_WAIT_SECONDS)
    if process.returncode:
        raise RuntimeError((home / "made").read_text(errors="replace"))


def _wait_until_ready(process: subprocess.Popen[bytes], server: MariadbServer) -> None:
    """Return when the server listens: it makes its socket last."""
    while not (server.home / "pid").exists() or not server.socket.exists():
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError((server.home / "log").read_text(errors="replace"))
