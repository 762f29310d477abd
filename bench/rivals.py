"""The peers' runs: each a process of its own, measured from its start to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.customers import Row, some
from bench.erp import PlainTable
from bench.figures import Figures
from bench.ours import ERP_EDITS, FIRST_LOAD, QUIET
from bench.panel import BenchPanel
from bench.processes import BenchFailure, stop, tail
from local.home import ROOT

DLT_PYTHON = ROOT / ".tools" / "bench" / "bin" / "python"
DLT = "dlt"
DLT_PARALLEL = "dlt, 4 files at a time"
SCRIPT = "batch script"
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Rival:
    """A peer: the program, what it is told beyond the usual, and what only its first run is told."""

    name: str
    command: Sequence[str]
    first: Sequence[str] = ()


def rivals(rows: int) -> list[Rival]:
    """Return the peers. dlt is among them where its environment is there."""
    script = Rival(SCRIPT, [sys.executable, "-m", "bench.peers.batch_script"], ["--first"])
    if not DLT_PYTHON.is_file():
        return [script]
    dlt = [str(DLT_PYTHON), "-m", "bench.peers.dlt_peer", "--state", "dlt", "--rows", str(rows)]
    return [Rival(DLT, dlt), Rival(DLT_PARALLEL, [*dlt, "--files", "4"]), script]


def all_runs(rival: Rival, home: Path, panel: BenchPanel, clients: list[Row], edits: int) -> dict[str, Figures]:
    """Make a peer's three runs against an empty panel, and check that its customers arrived."""
    panel.empty()
    table = PlainTable(home / "plain.db")
    table.fill(clients)
    measured = {FIRST_LOAD: _run(rival, home, panel, table, rival.first)}
    if (opened := len(panel.accounts())) != len(clients):
        raise BenchFailure(f"{rival.name} opened {opened} of {len(clients)} accounts")
    measured[QUIET] = _run(rival, home, panel, table)
    table.move(some([client["id"] for client in clients], edits))
    measured[ERP_EDITS] = _run(rival, home, panel, table)
    return measured


def _run(rival: Rival, home: Path, panel: BenchPanel, table: PlainTable, more: Sequence[str] = ()) -> Figures:
    figures, log = home / "rival.json", home / "rival.log"
    figures.unlink(missing_ok=True)
    usual = ["--source", table.path, "--panel", panel.url, "--key-file", panel.key_file, "--figures", figures]
    panel.forget_calls()
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in (*rival.command, *usual, *more)],
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(PATIENCE)
        finally:
            wall = time.monotonic() - began
            stop(process)
    if status or not figures.is_file():
        raise BenchFailure(f"{rival.name} failed\n{tail(log)}")
    told = json.loads(figures.read_text())
    return Figures(wall, told["cpu"], told["peak_mb"], panel.calls())
