"""What the benchmark's commands have in common: a console, a folder of their own, and how they end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bench import results
from bench.processes import BenchFailure, end_in_order
from local import home
from local.failure import LocalFailure

WIDTH = 150
"""Characters of a line where nobody looks at a terminal."""


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder of our own inside `.local/bench/`; it is removed afterwards."""
    home.make()
    results.HOME.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="run-", dir=results.HOME))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def ended(work: Callable[[Console], Path | None]) -> int:
    """Do a command's work, which prints to the console and may write a file, and return its exit code.

    1: something did not work; 130: interrupted.
    """
    end_in_order()
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    try:
        written = work(console)
    except (BenchFailure, LocalFailure) as failure:
        sys.stderr.write(f"bench: {failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; everything was stopped\n")
        return 130
    if written:
        console.print(f"all figures: {written.relative_to(home.ROOT)}")
    return 0
