"""`python -m bench.cold`: how long each function takes to load in a fresh process, and how large its layer is.

What is timed is what Lambda does before the first event: the handler's module with all that it imports. What a function
loads only when it needs it is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import results
from bench.figures import spread
from bench.machine import machine
from bench.processes import BenchFailure
from local import home
from local.home import ROOT

PROGRAM = """
import json, sys, time
began, modules = time.perf_counter(), len(sys.modules)
import importlib.util
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
took = time.perf_counter() - began
count = len(sys.modules) - modules
sys.path.insert(0, sys.argv[2])
from bench.meter import peak_mb
print(json.dumps({"ms": took * 1000, "modules": count, "peak MB": peak_mb()}))
"""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold", description="Imports of each function, layer's size.")
    parser.add_argument("--repeat", type=int, default=9, help="fresh processes a function (default: %(default)s)")
    return parser.parse_args(arguments)


def functions() -> list[str]:
    """Return the functions that there are."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def loaded(function: str) -> dict[str, float]:
    """Load a function in a fresh process; return milliseconds, modules and MB."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "shared"),
        "POWERTOOLS_SERVICE_NAME": function,
        "POWERTOOLS_METRICS_NAMESPACE": "Kartoteka",
    }
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "functions" / function / "handler.py"), str(ROOT)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailure(f"{function} cannot be loaded\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def layer() -> dict[str, float]:
    """Return by package how many MB the layer holds, unpacked and without compiled files; ``kartoteka`` among it."""
    text = (ROOT / "shared" / "requirements.txt").read_text()
    listed = _closure(re.findall(r"^([\w.-]+)(?:\[(\w+)\])?", text, re.MULTILINE))
    own = sum(path.stat().st_size for path in (ROOT / "shared" / "kartoteka").rglob("*.py"))
    return {"kartoteka": own / 2**20} | {name: _size(name) / 2**20 for name in sorted(listed)}


def _closure(wanted: Iterable[tuple[str, str]]) -> set[str]:
    """Return these distributions (name, extra or empty) and all that they need, as far as they are installed here."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = list(wanted)
    while waiting:
        name, extra = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:  # for another Python, or another system
            continue
        found.add(name)
        chosen = f"extra == '{extra}'"
        fitting = [need for need in needs if "extra ==" not in need or (extra and chosen in need.replace('"', "'"))]
        waiting += [(re.split(r"[^\w.-]", need, maxsplit=1)[0], "") for need in fitting]
    return found


def _size(name: str) -> int:
    files = distribution(name).files or []
    paths = [each.locate() for each in files if each.suffix != ".pyc"]
    return sum(os.stat(path).st_size for path in paths if os.path.isfile(path))  # noqa: PTH113, PTH116 - PathLike


def main() -> int:
    """Load everything, print, write down. 1: something did not work."""
    chosen, console = options(), Console()
    try:
        rounds = [{function: loaded(function) for function in functions()} for _ in range(chosen.repeat)]
    except BenchFailure as failure:
        sys.stderr.write(f"bench: {failure}\n")
        return 1
    found = {
        function: {name: spread([each[function][name] for each in rounds]).as_dict() for name in figures}
        for function, figures in rounds[0].items()
    }
    sizes = layer()
    document: dict[str, Any] = {"asked": vars(chosen), "machine": machine(), "functions": found, "layer MB": sizes}
    path = results.write("cold", document)
    table = Table(
        "function", "ms", "modules", "MB", title=f"Loaded in {chosen.repeat} fresh processes: median (min-max)"
    )
    for function in found:
        table.add_row(
            function, *(str(spread([each[function][name] for each in rounds])) for name in rounds[0][function])
        )
    console.print(table)
    console.print(f"the layer: {sum(sizes.values()):.1f} MB unpacked, for this machine")
    console.print(f"all figures: {path.relative_to(home.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
