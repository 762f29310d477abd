"""The peers' runs: each a process of its own, measured from its start to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.customers import ERP_STREET, Row, some
from bench.erp import PlainTable
from bench.figures import Figures
from bench.ours import ERP_EDITS, FIRST_LOAD, QUIET
from bench.panel import BenchPanel
from bench.processes import BenchFailure, stop, tail
from local.home import ROOT

PYTHON = ROOT / ".tools" / "bench" / "bin" / "python"
"""Of the peers' own environment."""
DLT = "dlt"
DLT_PARALLEL = "dlt, 4 files at a time"
SINGER = "singer-sdk"
SCRIPT = "batch script"
PATIENCE = 600.0
LOG = "rival.log"


@dataclass(frozen=True, slots=True)
class Rival:
    """A peer: the program, what it is told beyond the usual, and what only its first run is told.

    ``into`` is a second program that reads what the first one writes; both tell what they have used. What it writes
    itself is added to the file ``keeps``.
    """

    name: str
    command: Sequence[str]
    first: Sequence[str] = ()
    into: Sequence[str] = ()
    keeps: str = ""


def rivals(rows: int) -> list[Rival]:
    """Return the peers: those that need the environment of their own where it is there."""
    script = Rival(SCRIPT, [sys.executable, "-m", "bench.peers.batch_script"], ["--first"])
    if not PYTHON.is_file():
        return [script]
    dlt = [str(PYTHON), "-m", "bench.peers.dlt_peer", "--state", "dlt", "--rows", str(rows)]
    singer = [str(PYTHON), "-m", "bench.peers.singer_peer", "--state", "singer.jsonl"]
    return [
        Rival(DLT, dlt),
        Rival(DLT_PARALLEL, [*dlt, "--files", "4"]),
        Rival(SINGER, [*singer, "tap"], into=[*singer, "target"], keeps="singer.jsonl"),
        script,
    ]


def all_runs(rival: Rival, home: Path, panel: BenchPanel, clients: list[Row], edits: int) -> dict[str, Figures]:
    """Make a peer's three runs against an empty panel, and check that its customers arrived."""
    panel.empty()
    table = PlainTable(home / "plain.db")
    table.fill(clients)
    measured = {FIRST_LOAD: _run(rival, home, panel, table, rival.first)}
    if (opened := len(panel.accounts())) != len(clients):
        raise BenchFailure(f"{rival.name} opened {opened} of {len(clients)} accounts")
    measured[QUIET] = _run(rival, home, panel, table)
    moved = some([client["id"] for client in clients], edits)
    table.move(moved)
    measured[ERP_EDITS] = _run(rival, home, panel, table)
    if {each["external_code"] for each in panel.accounts() if each["street"] == ERP_STREET} != set(moved):
        raise BenchFailure(f"the ERP's edits did not reach the panel by {rival.name}")
    return measured


def _run(rival: Rival, home: Path, panel: BenchPanel, table: PlainTable, more: Sequence[str] = ()) -> Figures:
    figures = home / "rival.json"
    for old in home.glob("rival*.json"):
        old.unlink()
    panel.forget_calls()
    began = time.monotonic()
    with started(rival, home, panel, table, ["--figures", figures, *more]) as processes:
        failed = {process.wait(PATIENCE) for process in processes} != {0}
        wall = time.monotonic() - began
    told = [json.loads(path.read_text()) for path in home.glob("rival*.json")]
    if failed or len(told) != len(processes):
        raise BenchFailure(f"{rival.name} failed\n{tail(home / LOG)}")
    return Figures(wall, sum(each["cpu"] for each in told), sum(each["peak_mb"] for each in told), panel.calls())


@contextmanager
def started(
    rival: Rival, home: Path, panel: BenchPanel, table: PlainTable, more: Sequence[str | Path]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a run of a peer; give its processes, which are gone when the block is left."""
    usual: list[str | Path] = ["--source", table.path, "--panel", panel.url, "--key-file", panel.key_file, *more]
    with ExitStack() as opened:
        errors = opened.enter_context((home / LOG).open("ab"))
        kept = opened.enter_context((home / rival.keeps).open("ab")) if rival.keeps else errors
        first = _start([*rival.command, *usual], home, None, subprocess.PIPE if rival.into else kept, errors)
        opened.callback(stop, first)
        processes = [first]
        if rival.into:
            second = _start([*rival.into, *usual], home, first.stdout, kept, errors)
            opened.callback(stop, second)
            assert first.stdout is not None
            first.stdout.close()
            processes.append(second)
        yield processes


def _start(
    command: Sequence[str | Path], home: Path, source: IO[bytes] | None, output: IO[bytes] | int, errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
        stdin=source or subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )
