"""`python -m bench`: run everything, print the tables, write `.local/bench/result.json`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bench import ours, rivals
from bench.cloud import embedded
from bench.customers import clients
from bench.erp import exchange
from bench.figures import Series, as_json
from bench.machine import machine
from bench.panel import standing_in
from bench.processes import BenchFailure, end_in_order
from bench.report import show
from local import home
from local.failure import LocalFailure

HOME = home.HOME / "bench"
WIDTH = 150
"""Characters of a line where nobody looks at a terminal."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Kartoteka's figures, beside a peer's.")
    parser.add_argument("--customers", type=int, default=10_000, help="new customers (default: %(default)s)")
    parser.add_argument("--edits", type=int, default=100, help="customers edited (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of everything (default: %(default)s)")
    parser.add_argument("--latency-ms", type=float, default=50, help="the panel's time a call (default: %(default)s)")
    parser.add_argument("--erp-url", help="a PostgreSQL database to work in; without it an SQLite file")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="Kartoteka alone")
    return parser.parse_args(arguments)


def measure(chosen: argparse.Namespace, console: Console) -> Series:
    """Make every run as often as asked, everybody in turn; return the figures."""
    series: Series = {}
    customers = clients(chosen.customers)
    if chosen.peers and not rivals.DLT_PYTHON.is_file():
        console.print(f"dlt is left out: there is no {rivals.DLT_PYTHON.relative_to(home.ROOT)}")
    with workplace() as place, embedded(place) as endpoint, standing_in(place, chosen.latency_ms / 1000) as panel:
        for n in range(chosen.repeat):
            console.print(f"repetition {n + 1} of {chosen.repeat}: {ours.WHO}")
            with exchange(place, chosen.erp_url) as erp:
                bench = ours.install(place, endpoint, panel, erp, f"bench-{n}")
                for run, figures in bench.all_runs(customers, chosen.edits).items():
                    series.setdefault((ours.WHO, run), []).append(figures)
            with exchange(place, chosen.erp_url) as erp:
                contact = ours.install(place, endpoint, panel, erp, f"bench-contact-{n}").contact(customers)
                series.setdefault((ours.WHO, ours.FIRST_CONTACT), []).append(contact[ours.FIRST_CONTACT])
            for rival in rivals.rivals(chosen.customers) if chosen.peers else ():
                console.print(f"repetition {n + 1} of {chosen.repeat}: {rival.name}")
                with workplace() as own:
                    found = rivals.all_runs(rival, own, panel, customers, chosen.edits)
                for run, figures in found.items():
                    series.setdefault((rival.name, run), []).append(figures)
    return series


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder of our own inside `.local/bench/`; it is removed afterwards."""
    home.make()
    HOME.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="run-", dir=HOME))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    """Run, print, write down. 1: something did not work; 130: interrupted."""
    end_in_order()
    chosen, console = options(), Console()
    if not console.is_terminal:
        console.width = WIDTH
    try:
        told = machine()
        series = measure(chosen, Console(stderr=True))
    except (BenchFailure, LocalFailure) as failure:
        sys.stderr.write(f"bench: {failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; everything was stopped\n")
        return 130
    asked = {name: value for name, value in vars(chosen).items() if name != "erp_url"}
    document = {"asked": asked, "database": "given" if chosen.erp_url else "sqlite", "machine": told}
    (HOME / "result.json").write_text(json.dumps({**document, "runs": as_json(series)}, indent=2) + "\n")
    show(console, series, told, chosen.customers)
    console.print(f"all figures: {(HOME / 'result.json').relative_to(home.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
