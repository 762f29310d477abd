"""`python -m bench`: run everything, print the tables, write `.local/bench/result.json`, renew docs/performance.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from bench import ours, results, rivals
from bench.cloud import embedded
from bench.command import ended, workplace
from bench.customers import clients
from bench.erp import exchange
from bench.figures import Series, as_json
from bench.machine import machine
from bench.panel import standing_in
from bench.report import show
from local import home, postgres
from local.postgres import PostgresServer

POSTGRESQL = "postgresql"
DATABASES = {"sqlite": ours.WHO, POSTGRESQL: ours.ON_POSTGRESQL}


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Kartoteka's figures, beside its peers'.")
    parser.add_argument("--customers", type=int, default=10_000, help="new customers (default: %(default)s)")
    parser.add_argument("--edits", type=int, default=100, help="customers edited (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of everything (default: %(default)s)")
    parser.add_argument("--latency-ms", type=float, default=50, help="the panel's time a call (default: %(default)s)")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES), help="default: all")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="Kartoteka alone")
    return parser.parse_args(arguments)


def measure(chosen: argparse.Namespace, console: Console) -> Series:
    """Make every run as often as asked, everybody in turn; return the figures."""
    series: Series = {}
    customers = clients(chosen.customers)
    if chosen.peers and not rivals.PYTHON.is_file():
        console.print(f"dlt and singer-sdk are left out: there is no {rivals.PYTHON.relative_to(home.ROOT)}")
    with ExitStack() as opened:
        place = opened.enter_context(workplace())
        server = opened.enter_context(postgres.running()) if POSTGRESQL in chosen.databases else None
        endpoint = opened.enter_context(embedded(place))
        panel = opened.enter_context(standing_in(place, chosen.latency_ms / 1000))
        for n in range(chosen.repeat):
            for database in chosen.databases:
                who, stack = DATABASES[database], f"bench-{database}-{n}"
                console.print(f"repetition {n + 1} of {chosen.repeat}: {who}")
                on: PostgresServer | None = server if database == POSTGRESQL else None
                with exchange(place, on) as erp:
                    bench = ours.install(place, endpoint, panel, erp, stack)
                    for run, figures in bench.all_runs(customers, chosen.edits).items():
                        series.setdefault((who, run), []).append(figures)
                with exchange(place, on) as erp:
                    contact = ours.install(place, endpoint, panel, erp, f"{stack}-contact").contact(customers)
                    series.setdefault((who, ours.FIRST_CONTACT), []).append(contact[ours.FIRST_CONTACT])
            for rival in rivals.rivals(chosen.customers) if chosen.peers else ():
                console.print(f"repetition {n + 1} of {chosen.repeat}: {rival.name}")
                with workplace() as own:
                    found = rivals.all_runs(rival, own, panel, customers, chosen.edits)
                for run, figures in found.items():
                    series.setdefault((rival.name, run), []).append(figures)
    return series


def work(console: Console) -> Path:
    """Run, print, write down."""
    chosen, told = options(), machine()
    series = measure(chosen, Console(stderr=True))
    path = results.write("result", {"asked": vars(chosen), "machine": told, "runs": as_json(series)})
    show(console, series, told, chosen.customers)
    return path


def main() -> int:
    """Run the command."""
    return ended(work)


if __name__ == "__main__":
    sys.exit(main())
