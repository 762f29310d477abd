"""Where the local stack keeps its things: the folder `.local/`, readable by its owner only.

KARTOTEKA_HOME names another folder, so that a test or a second stack does not meet the first.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.failure import LocalFailure

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("KARTOTEKA_HOME") or ROOT / ".local").absolute()
LOGS = HOME / "logs"
CLOUD = HOME / "cloud"
STACK_FILE = HOME / "stack.json"
EXCHANGE_FILE = HOME / "exchange.db"
PANEL_KEY_FILE = HOME / "panel.key"
TRIES = 5
"""The background may still be removing files when `remove` comes."""
BUILD = ROOT / ".aws-sam"


def make() -> None:
    """Make the folder; it holds secrets, so nobody else may read it."""
    for folder in (HOME, LOGS, CLOUD):
        folder.mkdir(exist_ok=True)
    HOME.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, with rights for its owner only."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(path)


def remember(facts: Mapping[str, Any]) -> None:
    """Write down what the other commands need to know of the running stack."""
    write_private(STACK_FILE, json.dumps(facts, indent=2) + "\n")


def recall() -> dict[str, Any]:
    """Return what :func:`remember` wrote, nothing where no stack was made."""
    if not STACK_FILE.is_file():
        return {}
    facts: dict[str, Any] = json.loads(STACK_FILE.read_text())
    return facts


def discard(folder: Path) -> None:
    """Take a folder out of the way at once; its many files are removed in the background."""
    if folder.exists():
        folder.rename(HOME / f"trash-{secrets.token_hex(4)}")
    if trash := [str(found) for found in HOME.glob("trash-*")]:
        subprocess.Popen(
            ["rm", "-rf", *trash],  # noqa: S607 - the system's own
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def remove() -> None:
    """Remove everything that was built or kept here."""
    for folder in (HOME, BUILD):
        for _ in range(TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break


@contextmanager
def alone() -> Iterator[None]:
    """Let one command at a time change the local stack."""
    make()
    with (HOME / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalFailure("another `make up` or `make down` is at work here; try again after it") from None
        yield
