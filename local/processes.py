"""Processes in the background: started once, found again, stopped with their children, and nobody else's."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from local import home

GRACE = 8.0


def start(name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start a process that outlives this one, its output in its log, its identity in its pid file."""
    with log_file(name).open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=home.ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    home.write_private(_pid_file(name), json.dumps(identity))


def find(name: str) -> psutil.Process | None:
    """Return the process that :func:`start` started, None where it is gone, even if its number was given away again."""
    if not _pid_file(name).is_file():
        return None
    identity = json.loads(_pid_file(name).read_text())
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(identity["pid"])
        if process.create_time() == identity["created"] and _runs(process):
            return process
    return None


def stop(name: str) -> bool:
    """Stop that process and its children; tell whether there was one."""
    process = find(name)
    if process is not None:
        family = [process, *process.children(recursive=True)]
        _signal(family, kill=False)
        _signal(_still_there(family), kill=True)
    _pid_file(name).unlink(missing_ok=True)
    return process is not None


def log_file(name: str) -> Path:
    """Return where this process writes its output."""
    return home.LOGS / f"{name}.log"


def _pid_file(name: str) -> Path:
    return home.HOME / f"{name}.pid"


def _signal(processes: Sequence[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if kill:
                process.kill()
            else:
                process.terminate()


def _still_there(processes: Sequence[psutil.Process]) -> Sequence[psutil.Process]:
    """Give these processes time to end; return those that did not."""
    deadline = time.monotonic() + GRACE
    while (left := [process for process in processes if _runs(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    """Tell whether it runs. One that ended counts as gone, even where nobody collects it (PID 1 of a container)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
