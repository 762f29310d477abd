"""`python -m bench.growth`: what a quiet minute, 100 edits and a full scan cost, from 1,000 clients to 1,000,000.

On a real PostgreSQL. The first clients are loaded by the product; the others are copies of some of them (`bench.bulk`),
which is checked first on a small installation. The panel holds the accounts that are asked about: the first ones, and
those of clients that are edited.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import bulk, lambdas, ours, results
from bench.cloud import embedded
from bench.command import ended, workplace
from bench.customers import Row
from bench.erp import Erp, exchange
from bench.figures import Figures, Series, spreads
from bench.machine import machine
from bench.panel import BenchPanel, standing_in
from bench.processes import BenchFailure
from bench.trade import Trade
from kartoteka.fields.table import CONCERNS
from local import postgres
from local.postgres import PostgresServer

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LOADED = 1_000
"""Clients that the product loads itself."""
EDITS = 100
DAY = 25 * 3600
"""Seconds, by when a full scan is due."""
SETTINGS = ("shared_buffers=1GB", "maintenance_work_mem=512MB", "max_wal_size=8GB")
"""Of the server, beside its own ones."""
SCAN = "daily full scan"
MOST_RUNS = 100
"""Minutes that a full scan may take."""
FIGURES = ("wall s", "cpu s", "peak MB", "panel calls", "SQL reads", "SQL writes")


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Figures by the number of clients.")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="ascending, from 1000 on")
    parser.add_argument("--repeat", type=int, default=3, help="of the quiet minute and the edits (default: 3)")
    parser.add_argument("--latency-ms", type=float, default=50, help="the panel's time a call (default: %(default)s)")
    return parser.parse_args(arguments)


@dataclass(slots=True)
class Growth:
    """One installation that grows."""

    bench: ours.Bench
    copier: bulk.Copier
    series: dict[int, Series] = field(default_factory=dict)
    sizes: dict[int, dict[str, float]] = field(default_factory=dict)
    models: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    edited: int = 0

    @property
    def erp(self) -> Erp:
        """The ERP's side."""
        return self.bench.erp

    @property
    def panel(self) -> BenchPanel:
        """The panel's side."""
        return self.bench.panel

    def grow(self, before: int, size: int) -> None:
        """Add clients, in step, until there are so many."""
        began = time.monotonic()
        if size > before:
            self.copier.fill(before, size)
            bulk.put_cursors_behind(self.erp, self.bench.endpoint, self.bench.stack)
        self.sizes[size] = {"filled s": time.monotonic() - began, "database MB": self.copier.size_mb()}

    def measure(self, size: int, repeat: int) -> None:
        """Make every run with so many clients, after one that finds out what passing days alone make due."""
        self.bench.later()
        self.bench.run("settling")
        for _ in range(repeat):
            self.bench.later()
            self.bench.run_quiet()
            self._note(size, ours.QUIET, ours.QUIET_WARM)
            self._edit(size, ours.ERP_EDITS)
            self._edit(size, ours.PANEL_EDITS)
        self._note_as(size, SCAN, self._scan(size))

    def _note(self, size: int, *runs: str) -> None:
        for run in runs:
            self._note_as(size, run, self.bench.measured[run])

    def _note_as(self, size: int, run: str, figures: Figures) -> None:
        self.series.setdefault(size, {}).setdefault((ours.ON_POSTGRESQL, run), []).append(figures)

    # --- edits

    def _edit(self, size: int, run: str) -> None:
        """Let 100 clients have another street, in the ERP or in the panel, and see that the other side has it too."""
        self.bench.later()
        self.edited += 1
        numbers, street = self._some(size), f"Nowa {self.edited}"
        accounts = {bulk.code(n): self.account(n) for n in numbers}
        if run == ours.ERP_EDITS:
            self.erp.move(list(accounts), street)
        else:
            for account in accounts.values():
                self.panel.edit(account, {"street": street})
        self.bench.run(run)
        self._note(size, run)
        self.check(accounts, street)
        self.bench.later()
        self.bench.run(ours.EDITS_ECHO)  # so that the next run has nothing of it left to do

    def check(self, accounts: Mapping[str, int], street: str) -> None:
        """Raise BenchFailure unless both sides show this street for exactly these clients (id -> account)."""
        shown = {each["external_code"] for each in self.panel.accounts() if each["street"] == street}
        if shown != set(accounts) or set(self.erp.living_in(street)) != set(accounts):
            raise BenchFailure(f"{len(shown)} of {len(accounts)} edits are the same on both sides")

    def _some(self, size: int) -> list[int]:
        """Return the numbers of 100 clients, spread evenly, none of them a model; others each time."""
        first, step = bulk.MODELS + 1, (size - bulk.MODELS) // EDITS
        return [first + n * step + self.edited % step for n in range(EDITS)]

    def account(self, n: int) -> int:
        """Return the panel's id of a client's account, which is put into the panel where it is not there yet."""
        found = self.panel.account_with(bulk.code(n))
        if found is not None:
            return int(found["id"])
        model = bulk.code((n - 1) % bulk.MODELS + 1)
        if model not in self.models:
            self.models[model] = self.panel.account_with(model) or {}
        return self.panel.seed([bulk.account_of(n, self.models[model], self.erp.client(bulk.code(n)))])[0]

    # --- the daily full scan

    def _scan(self, size: int) -> Figures:
        """Let a day pass, and tick until every concern has planned every record; a record is edited meanwhile.

        Two processes, as Lambda would have it: one runs the schedules, and is measured, the other works what they find.
        Its panel calls are those of the concerns' schedules: the feed asks beside them, as in every minute.
        """
        self.bench.later(DAY)
        begun = self.bench.now()
        poller = lambdas.Poller(self.bench.endpoint, self.bench.stack)
        calls: Counter[str] = Counter()
        with ExitStack() as opened:
            processes = [
                opened.enter_context(lambdas.environment(self.bench.stack, self.bench.home / f"functions-{n}.log"))
                for n in range(2)
            ]
            for functions in processes:
                functions.shift_clock(self.bench.clock)
            scanner, worker = processes
            watch = Watch(self, poller, worker)
            began, longest, runs, found = time.monotonic(), 0.0, 0, Counter[str]()
            watch.begin(self._some(size)[0])
            while not self._scanned(since=begun):
                if runs == MOST_RUNS:
                    raise BenchFailure(f"the full scan of {size} clients does not end")
                for name in lambdas.SCHEDULES:
                    at = time.monotonic()
                    answer = scanner.invoke(name, lambdas.WAKE)
                    found[name] += int(answer["collected"]) if name != lambdas.FEED else 0
                    calls[name] += int(answer["panel_calls"]) if name != lambdas.FEED else 0
                    longest = max(longest, time.monotonic() - at)
                runs += 1
                self.bench.later(ours.MINUTE)
                scanner.shift_clock(self.bench.clock)
            wall = time.monotonic() - began
            delay = watch.end()
            told = scanner.figures()
        if found.total() > 1:
            raise BenchFailure(f"the full scan found more to do than the one that was edited: {dict(+found)}")
        counts = {
            "SQL reads": told["counts"].get("sql reads", 0),
            "SQL writes": told["counts"].get("sql writes", 0),
            "runs": runs,
            "longest run s": longest,
            "changed record s": delay,
        }
        return Figures(wall, told["cpu"], told["peak_mb"], calls, counts)

    def _scanned(self, since: datetime) -> bool:
        """Return whether every concern has finished a scan that began since then."""
        state = bulk.state_of(self.bench.endpoint, self.bench.stack)
        documents = [state.load(f"log:{concern}").document or {} for concern in CONCERNS]
        return all(
            "scan" not in each and datetime.fromisoformat(each["scanned_at"]) >= since - timedelta(seconds=1)
            for each in documents
        )


class Watch:
    """A client that is edited while a scan goes on: how long until the panel shows it. Works in a thread."""

    def __init__(self, growth: Growth, poller: lambdas.Poller, worker: lambdas.Functions) -> None:
        self._growth = growth
        self._poller = poller
        self._worker = worker
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work)
        self._delay = 0.0

    def begin(self, number: int) -> None:
        """Edit this client in the ERP, and begin to work."""
        self._growth.edited += 1
        self._client, self._street = bulk.code(number), f"Nowa {self._growth.edited}"
        self._growth.account(number)
        self._growth.erp.move([self._client], self._street)
        self._began = time.monotonic()
        self._thread.start()

    def end(self) -> float:
        """Return the seconds from the edit until the panel showed it. Raises BenchFailure where it never did."""
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        if not self._delay:
            raise BenchFailure("a client that was edited during the full scan did not reach the panel")
        return self._delay

    def _work(self) -> None:
        try:
            last = False
            while not last:
                last = self._over.is_set()
                self._poller.serve(self._worker)
                shown = self._growth.panel.account_with(self._client)
                if not self._delay and shown and shown["street"] == self._street:
                    self._delay = time.monotonic() - self._began
                self._over.wait(0.05)
        except (BenchFailure, OSError) as failure:
            self._failure = failure


def check(place: Path, endpoint: str, panel: BenchPanel, server: PostgresServer, console: Console) -> None:
    """Raise BenchFailure unless copies are what the product makes of the same clients, in every table."""
    few = 2 * bulk.MODELS
    with exchange(place, server) as copied, exchange(place, server) as loaded:
        models = bulk.numbered(bulk.MODELS)
        settled(place, endpoint, panel, copied, "check-copied", models)
        bulk.Copier(copied, models).fill(bulk.MODELS, few)
        rows, trade = bulk.rows_of(copied)
        numbers = [row["nip"] for row in rows if row["nip"]]
        if len(set(numbers)) < len(numbers):
            raise BenchFailure("copies share tax numbers: they would be told apart by other things than in life")
        bench = ours.install(place, endpoint, panel, loaded, "check-loaded")
        _settle(bench, rows, trade)
        if wrong := bulk.differences(copied, loaded):
            raise BenchFailure(f"copies are not what the product makes of the same clients: {wrong}")
    console.print(f"{bulk.MODELS} copies are what the product makes of the same clients, row by row")


def settled(place: Path, endpoint: str, panel: BenchPanel, erp: Erp, name: str, clients: list[Row]) -> ours.Bench:
    """Return an installation in which these clients are in step, with addresses, groups and credit."""
    bench = ours.install(place, endpoint, panel, erp, name)
    _settle(bench, clients, bulk.timeless(clients))
    return bench


def _settle(bench: ours.Bench, clients: list[Row], trade: Trade) -> None:
    bench.run("installation")
    bench.erp.fill(clients)
    bench.erp.trade(trade)
    for wait in (ours.MINUTE, ours.PAUSE, ours.PAUSE, ours.PAUSE):
        bench.run(ours.FIRST_LOAD)
        bench.later(wait)
    bench.run(ours.CONFIRMED)


def measure(chosen: argparse.Namespace, console: Console, loaded: int = LOADED) -> Growth:
    """Measure at every size, after the product has loaded so many clients itself."""
    with ExitStack() as opened:
        place = opened.enter_context(workplace())
        server = opened.enter_context(postgres.running(SETTINGS))
        endpoint = opened.enter_context(embedded(place))
        panel = opened.enter_context(standing_in(place, chosen.latency_ms / 1000))
        check(place, endpoint, panel, server, console)
        erp = opened.enter_context(exchange(place, server))
        clients = bulk.numbered(loaded)
        bench = settled(place, endpoint, panel, erp, "growth", clients)
        growth, before = Growth(bench, bulk.Copier(erp, clients[: bulk.MODELS])), loaded
        for size in chosen.sizes:
            growth.grow(before, size)
            console.print(f"{size:,} clients in step, {growth.sizes[size]['database MB']:,.0f} MB")
            growth.measure(size, chosen.repeat)
            before = size
        return growth


def as_json(growth: Growth) -> list[dict[str, Any]]:
    """Return the figures as a JSON document."""
    return [
        {
            "clients": size,
            "who": who,
            "run": run,
            "repetitions": len(repetitions),
            "figures": {name: spread.as_dict() for name, spread in spreads(repetitions).items()},
        }
        for size, series in growth.series.items()
        for (who, run), repetitions in series.items()
    ]


def show(console: Console, growth: Growth) -> None:
    """Print everything."""
    more = ("runs", "longest run s", "changed record s")
    table = Table("run", "clients", *FIGURES, *more, title="By the number of clients: median (min-max)")
    for run in dict.fromkeys(run for series in growth.series.values() for _, run in series):
        for size, series in growth.series.items():
            found = spreads(series[ours.ON_POSTGRESQL, run])
            table.add_row(run, f"{size:,}", *(str(found.get(name, "")) for name in (*FIGURES, *more)))
    console.print(table)


def work(console: Console) -> Path:
    """Run, print, write down."""
    chosen, told = options(), machine()
    growth = measure(chosen, Console(stderr=True))
    sizes = {str(size): figures for size, figures in growth.sizes.items()}
    path = results.write("growth", {"asked": vars(chosen), "machine": told, "sizes": sizes, "runs": as_json(growth)})
    show(console, growth)
    return path


def main() -> int:
    """Run the command."""
    return ended(work)


if __name__ == "__main__":
    sys.exit(main())
