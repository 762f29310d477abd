"""Processes that live as long as a block of code, and no longer: also when the block ends by an error or by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

GRACE = 8.0
"""Seconds to end in peace."""


class BenchFailure(Exception):
    """The benchmark could not be run, or what it measured was not right; the text says what."""


@contextmanager
def running(
    command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the background, its output in ``log``; it and its children are gone when the block is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own session, and everything in it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end_in_order() -> None:
    """Let Ctrl-C and SIGTERM unwind the program once, so that nothing is left running; more of them change nothing."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupted)


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log, to be shown where something failed."""
    text = log.read_text(errors="replace").strip() if log.is_file() else ""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:]) or "  | (the log is empty)"
