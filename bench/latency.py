"""`python -m bench.latency`: how long an edit takes from one side to the other, with the schedules of the template.

The real handlers on the embedded cloud, in a warm process. Every schedule fires each minute, at the full minute, and
edits come at any moment of it. The minutes themselves are not waited for: both clocks are put forward. What is told is
the time by these clocks from the edit to the end of the tick in which the other side had it, the time of working it
included. The work of queues and schedules in AWS itself is not: that of SQS and Lambda is some tens of milliseconds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import lambdas, ours, results
from bench.cloud import embedded
from bench.command import ended, workplace
from bench.customers import clients
from bench.erp import exchange
from bench.machine import machine
from bench.panel import standing_in
from bench.processes import BenchFailure
from local import postgres

TO_PANEL = "ERP to panel"
TO_ERP_BUSY = "panel to ERP, while others edit"
TO_ERP_QUIET = "panel to ERP, after a quiet hour"
CUSTOMERS = 300
MINUTE = 60.0
QUIET_TICKS = 6
QUIET_MINUTES = 10
"""So many ticks, so many minutes apart, make a quiet hour: as often as the panel is asked when nothing happens."""
BUSY_MINUTES = 5
"""Minutes from one edit to the next in an hour with activity, at most."""
PATIENCE = 30
"""Minutes after which an edit is lost."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description="From an edit to the other side.")
    parser.add_argument("--edits", type=int, default=30, help="of each kind (default: %(default)s)")
    parser.add_argument("--latency-ms", type=float, default=50, help="the panel's time a call (default: %(default)s)")
    return parser.parse_args(arguments)


@dataclass(slots=True)
class Clocked:
    """An installation whose schedules fire at every full minute of a clock that is put forward."""

    bench: ours.Bench
    functions: lambdas.Functions
    poller: lambdas.Poller
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    numbers: int = 0
    into_minute: float = 0.0

    def pass_by(self, seconds: float) -> None:
        """Put both clocks forward."""
        self.bench.later(seconds)
        self.functions.shift_clock(self.bench.clock)
        self.into_minute += seconds

    def tick(self) -> None:
        """Wait for the full minute, and fire every schedule."""
        self.pass_by(MINUTE - self.into_minute)
        self.into_minute = 0.0
        self.poller.tick(self.functions, at_once=False)

    def busy(self) -> None:
        """Let a few minutes pass."""
        for _ in range(self.chance.randint(0, BUSY_MINUTES)):
            self.tick()

    def quiet(self) -> None:
        """Let an hour pass, and some minutes more, so that the panel was asked any time ago."""
        for _ in range(QUIET_TICKS):
            self.pass_by((QUIET_MINUTES - 1) * MINUTE)
            self.into_minute %= MINUTE
            self.tick()
        for _ in range(self.chance.randrange(QUIET_MINUTES)):
            self.tick()

    def edit(self, begin: Callable[[str, str], Callable[[], bool]]) -> float:
        """Edit at any moment of a minute; return the seconds until the other side had it."""
        self.pass_by(self.chance.uniform(0, MINUTE))
        self.numbers += 1
        arrived = begin(f"K-{self.numbers % CUSTOMERS + 1:05d}", f"Nowa {self.numbers}")
        clock, began = self.bench.clock, time.monotonic()
        for _ in range(PATIENCE):
            self.tick()
            took = time.monotonic() - began + self.bench.clock - clock
            if arrived():
                return took
        raise BenchFailure(f"an edit had not arrived after {PATIENCE} minutes")

    def in_erp(self, client: str, street: str) -> Callable[[], bool]:
        """Edit a client in the ERP; return what tells whether the panel shows it."""
        self.bench.erp.move([client], street)
        return lambda: (self.bench.panel.account_with(client) or {}).get("street") == street

    def in_panel(self, client: str, street: str) -> Callable[[], bool]:
        """Edit a client's account in the panel; return what tells whether the ERP has it."""
        account = self.bench.panel.account_with(client)
        assert account is not None
        self.bench.panel.edit(int(account["id"]), {"street": street})
        return lambda: self.bench.erp.living_in(street) == [client]


def measure(chosen: argparse.Namespace, console: Console) -> dict[str, list[float]]:
    """Return the seconds of every edit, by kind."""
    with ExitStack() as opened:
        place = opened.enter_context(workplace())
        server = opened.enter_context(postgres.running())
        endpoint = opened.enter_context(embedded(place))
        panel = opened.enter_context(standing_in(place, chosen.latency_ms / 1000))
        erp = opened.enter_context(exchange(place, server))
        bench = ours.install(place, endpoint, panel, erp, "latency")
        bench.run("installation")
        erp.fill(clients(CUSTOMERS))
        bench.run(ours.FIRST_LOAD)
        for wait in (ours.MINUTE, ours.PAUSE):
            bench.later(wait)
            bench.run(ours.ECHO)
        functions = opened.enter_context(lambdas.environment(bench.stack, place / "functions.log"))
        clocked = Clocked(bench, functions, lambdas.Poller(endpoint, bench.stack))
        clocked.tick()
        series: dict[str, list[float]] = {}
        for kind, before, begin in (
            (TO_PANEL, clocked.busy, clocked.in_erp),
            (TO_ERP_BUSY, clocked.busy, clocked.in_panel),
            (TO_ERP_QUIET, clocked.quiet, clocked.in_panel),
        ):
            console.print(f"{chosen.edits} edits: {kind}")
            clocked.edit(begin)  # does not count: what lies before it belongs to another kind
            for _ in range(chosen.edits):
                before()
                series.setdefault(kind, []).append(clocked.edit(begin))
        return series


def show(console: Console, series: dict[str, list[float]]) -> None:
    """Print everything."""
    table = Table("seconds from an edit to the other side", "least", "median", "nine of ten", "most")
    for kind, seconds in series.items():
        table.add_row(kind, *(f"{value:.0f}" for value in summary(seconds)))
    console.print(table)


def summary(seconds: Sequence[float]) -> tuple[float, float, float, float]:
    """Return least, median, the most of nine in ten, and most."""
    ordered = sorted(seconds)
    return ordered[0], statistics.median(ordered), ordered[max(0, -(-len(ordered) * 9 // 10) - 1)], ordered[-1]


def work(console: Console) -> Path:
    """Run, print, write down."""
    chosen, told = options(), machine()
    series = measure(chosen, Console(stderr=True))
    path = results.write("latency", {"asked": vars(chosen), "machine": told, "series": series})
    show(console, series)
    return path


def main() -> int:
    """Run the command."""
    return ended(work)


if __name__ == "__main__":
    sys.exit(main())
