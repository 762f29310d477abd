"""`python -m bench.coldstart`: what a process that starts imports for each function, and how large the layer is.

Each function's handler is imported in fresh processes, by themselves and nothing else: processor seconds (which a busy
machine changes least) and seconds by the clock, median of so many, and the number of modules.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.home import ROOT

FUNCTIONS = ROOT / "functions"
LAYER = ROOT / ".aws-sam" / "build"
PROBE = """
import json, resource, runpy, sys, time
begun = time.perf_counter()
runpy.run_path(sys.argv[1])
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "modules": len(sys.modules)}))
"""


def started(function: str) -> dict[str, float]:
    """Import a function's handler in a fresh process; return ``wall`` and ``cpu`` in seconds, and ``modules``.

    The processor's time is that of the whole process, Python's own start among it.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    told = subprocess.run(
        [sys.executable, "-c", PROBE, str(FUNCTIONS / function / "handler.py")],
        env={**kept, "PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    figures: dict[str, float] = json.loads(told.stdout)
    return figures


def names() -> list[str]:
    """Return the functions."""
    return sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))


def megabytes(folder: Path) -> float:
    """Return the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1024 / 1024


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.coldstart", description="What a start imports.")
    parser.add_argument("--processes", type=int, default=9, help="fresh processes a function (default: %(default)s)")
    parser.add_argument("--functions", nargs="+", choices=names(), default=names(), help="default: all")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, each function in turn, and print."""
    chosen = options()
    rounds = [{name: started(name) for name in chosen.functions} for _ in range(chosen.processes)]
    table = Table("function", "CPU s", "wall s", "modules", title=f"median of {chosen.processes} fresh processes")
    for name in chosen.functions:
        cpu, wall, modules = (
            statistics.median(each[name][what] for each in rounds) for what in ("cpu", "wall", "modules")
        )
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{modules:.0f}")
    console = Console()
    console.print(table)
    for layer in sorted(LAYER.glob("*Layer")):
        console.print(f"{layer.name}: {megabytes(layer):.1f} MB unzipped (Lambda's limit with the function: 250)")
    if not LAYER.is_dir():
        console.print("the layer's size is told once it is built: sam build")


if __name__ == "__main__":
    main()
