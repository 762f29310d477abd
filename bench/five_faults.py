"""`python -m bench.five_faults`: five bad days, met by Kartoteka on the local stack and by its peers.

Kartoteka is the deployed template: `make up` with a database and a panel of its own for each fault, and `kartoteka
tick` for a run. The peers are the programs of `make bench`; a run is a process. Everybody gets as many runs as it needs
to have nothing left to do, but no more than six. The faults:

F1  5 % of the panel's calls answer 503 although they have taken effect
F2  the program is killed (SIGKILL) when half of the accounts are there
F3  a transaction that began first is committed last: a row appears below the place that was read to
F4  the panel refuses one client, in every call
F5  the panel answers 429 to more than ten calls a second
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import psutil
from rich.console import Console
from rich.table import Table

from bench import results, rivals
from bench.command import ended, workplace
from bench.customers import Row, clients
from bench.erp import Erp, PlainTable, exchange
from bench.machine import machine
from bench.panel import BenchPanel, standing_in
from bench.processes import BenchFailure, tail
from kartoteka.adapters.sql import tables
from local import home, postgres
from local.waiting import wait_until

WHO = "Kartoteka"
NAME = "five-faults"
MOST_RUNS = 6
PATIENCE = 600
"""Seconds for a run; a killed worker's messages come back to the local stack after 125."""
CALLS_A_SECOND = 10
"""Of F5: the panel's limit, and what the policy allows."""
FAST = 1_000
"""Calls a second that the policy allows in the other faults: its most."""
FAULTS: Mapping[str, str] = {
    "F1": "503 after the effect, on 5 % of the calls",
    "F2": "killed halfway",
    "F3": "a late commit below the place that was read to",
    "F4": "one client that the panel refuses",
    "F5": "no more than 10 calls a second",
}
REFUSED = "refused"
"""What a record's status says when the panel refused it by a code that nobody knows."""
WRITES = ("POST clients/clients", "PUT clients/clients")


class Party(Protocol):
    """Who carries clients from an ERP's table into the panel."""

    @property
    def name(self) -> str:
        """How the table calls it."""

    def fill(self, rows: Sequence[Row]) -> None:
        """Insert these clients on the ERP's side."""

    def fill_late(self, late: Row, others: Sequence[Row], between: Callable[[], object]) -> None:
        """Begin a transaction that inserts one client, insert the others, go ``between``, and only then commit it."""

    def run(self) -> bool:
        """Make one run; tell whether it ended well."""

    def run_killed(self, halfway: Callable[[], bool]) -> bool:
        """Make one run, in which everything that works is killed at once when it is ``halfway``."""

    def settled(self) -> bool:
        """Tell whether it knows of nothing more to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault. ``repeated``: records sent into the panel beyond one for each account that is there."""

    who: str
    fault: str
    clients: int
    arrived: int
    doubled: int
    repeated: int
    runs: int
    seconds: float
    calls: int
    refused: int

    @property
    def lost(self) -> int:
        """How many clients have no account."""
        return self.clients - self.arrived


# --- the faults


@dataclass(slots=True)
class Day:
    """One fault, met by one party with an empty panel."""

    party: Party
    panel: BenchPanel
    rows: Sequence[Row]
    runs: int = 0
    ended_well: bool = False

    def meet(self, fault: str) -> Outcome:
        """Let it happen, and let the party run until it is done; return what came of it."""
        began = time.monotonic()
        happening = {
            "F1": self._answers_lost,
            "F2": self._killed,
            "F3": self._late,
            "F4": self._refused,
            "F5": self._limited,
        }
        happening[fault]()
        while self.runs < MOST_RUNS and not (self.ended_well and self.party.settled()):
            self._run()
        return self._outcome(fault, time.monotonic() - began)

    def _answers_lost(self) -> None:
        self.panel.misbehave(kind="5xx", status=503, when="after", probability=0.05, times=None)
        self.party.fill(self.rows)

    def _killed(self) -> None:
        self.party.fill(self.rows)
        self.runs += 1
        self.ended_well = self.party.run_killed(lambda: self.panel.status()["accounts"] >= len(self.rows) / 2)

    def _late(self) -> None:
        late, *others = self.rows
        self.party.fill_late(late, others, self._run)
        self.ended_well = False  # what came late is there now: one run more at least

    def _refused(self) -> None:
        poison = self.rows[len(self.rows) // 2]["id"]
        self.panel.misbehave(kind="record", match={"external_code": poison}, times=None)
        self.party.fill(self.rows)

    def _limited(self) -> None:
        self.panel.limit(CALLS_A_SECOND)
        self.party.fill(self.rows)

    def _run(self) -> None:
        self.runs += 1
        self.ended_well = self.party.run()

    def _outcome(self, fault: str, seconds: float) -> Outcome:
        codes = [str(each["external_code"]) for each in self.panel.accounts()]
        arrived = {row["id"] for row in self.rows}.intersection(codes)
        status = self.panel.status()
        sent = sum(status["records"].get(gate, 0) for gate in WRITES)
        return Outcome(
            self.party.name,
            fault,
            clients=len(self.rows),
            arrived=len(arrived),
            doubled=len(codes) - len(set(codes)),
            repeated=sent - len(arrived),
            runs=self.runs,
            seconds=seconds,
            calls=status["total_calls"],
            refused=status["statuses"].get("429", 0),
        )


# --- who meets them


@dataclass(slots=True)
class Deployed:
    """Kartoteka: the template on the embedded cloud, deployed as `make up` does. Database and panel are ours."""

    home: Path
    panel: BenchPanel
    erp: Erp
    name: str = WHO

    @property
    def log(self) -> Path:
        """What the commands print."""
        return self.home / "commands.log"

    def up(self, calls_a_second: int) -> None:
        """Deploy."""
        policy = self.home / "policy.json"
        policy.write_text(json.dumps({"panel": {"requests_per_second": calls_a_second}}))
        self._command("local.stack", "up", POLICY=str(policy))

    def down(self) -> None:
        """Stop it."""
        self._command("local.stack", "down")

    def fill(self, rows: Sequence[Row]) -> None:
        self.erp.fill(rows)

    def fill_late(self, late: Row, others: Sequence[Row], between: Callable[[], object]) -> None:
        with self.erp.engine.connect() as first, first.begin():
            first.execute(tables.ERP.clients.insert(), late)
            self.erp.fill(others)
            between()

    def run(self) -> bool:
        return self._tick().wait(PATIENCE) == 0

    def run_killed(self, halfway: Callable[[], bool]) -> bool:
        run = self._tick()
        wait_until(halfway, what="half of the accounts are not there", seconds=PATIENCE)
        for worker in self._workers():
            with suppress(psutil.NoSuchProcess):
                worker.send_signal(signal.SIGKILL)
        return run.wait(PATIENCE) == 0

    def settled(self) -> bool:
        """Tell whether each client is in step, but for what the panel has refused and a person can read of."""
        return not self.erp.unsettled(REFUSED) and self.erp.untouched() == 0

    def _workers(self) -> Sequence[psutil.Process]:
        """Return the processes in which the functions run."""
        cloud = json.loads((self.home / "stack" / "cloud.pid").read_text())
        return psutil.Process(cloud["pid"]).children(recursive=True)

    def _tick(self) -> subprocess.Popen[bytes]:
        return self._start("cli", "tick", "--timeout", str(PATIENCE))

    def _command(self, *arguments: str, **more: str) -> None:
        if self._start(*arguments, **more).wait(PATIENCE):
            raise BenchFailure(f"{' '.join(arguments)} failed\n{tail(self.log)}")

    def _start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        environment = {
            "KARTOTEKA_HOME": str(self.home / "stack"),
            "PANEL_URL": self.panel.url,
            "PANEL_KEY": self.panel.key,
            "ERP_URL": self.erp.url,
            "SCHEDULES": "off",
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=home.ROOT,
                env={**os.environ, **environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@dataclass(slots=True)
class Peer:
    """A program of `make bench`, which opens accounts that are not there and changes those that are."""

    rival: rivals.Rival
    home: Path
    panel: BenchPanel
    table: PlainTable = field(init=False)

    def __post_init__(self) -> None:
        self.table = PlainTable(self.home / "plain.db")

    @property
    def name(self) -> str:
        return self.rival.name

    def fill(self, rows: Sequence[Row]) -> None:
        self.table.fill(rows)

    def fill_late(self, late: Row, others: Sequence[Row], between: Callable[[], object]) -> None:
        """Insert the late one with the version that its transaction took first; SQLite has one writer at a time."""
        self.table.fill(others, first=2)
        between()
        self.table.fill([late])

    def run(self) -> bool:
        return self.run_killed(lambda: False)

    def run_killed(self, halfway: Callable[[], bool]) -> bool:
        more = ["--figures", str(self.home / "rival.json"), *self.rival.first]
        with rivals.started(self.rival, self.home, self.panel, self.table, more) as processes:

            def ended() -> bool:
                return all(process.poll() is not None for process in processes)

            wait_until(lambda: ended() or halfway(), what=f"{self.name} does not end", seconds=PATIENCE)
            if not ended():
                for process in processes:
                    process.kill()
            return {process.wait() for process in processes} == {0}

    def settled(self) -> bool:
        """It keeps no state of single clients: it is done when a run ends well."""
        return True


# --- the command


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.five_faults", description="Five bad days, side by side.")
    parser.add_argument("--customers", type=int, default=10_000, help="new customers (default: %(default)s)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="default: all")
    parser.add_argument("--latency-ms", type=float, default=0, help="the panel's time a call (default: %(default)s)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="Kartoteka alone")
    return parser.parse_args(arguments)


def measure(chosen: argparse.Namespace, console: Console) -> list[Outcome]:
    """Let everybody meet each fault; return what came of it."""
    rows, found = clients(chosen.customers), []

    def meet(party: Party, fault: str) -> None:
        found.append(Day(party, panel, rows).meet(fault))
        console.print(" | ".join(told(found[-1])))

    with ExitStack() as opened:
        place = opened.enter_context(workplace())
        server = opened.enter_context(postgres.running())
        panel = opened.enter_context(standing_in(place, chosen.latency_ms / 1000))
        for fault in chosen.faults:
            with deployed(place / fault, panel, server, CALLS_A_SECOND if fault == "F5" else FAST) as ours:
                meet(ours, fault)
            for rival in rivals.rivals(chosen.customers) if chosen.peers else ():
                with workplace() as own:
                    panel.empty()
                    meet(Peer(rival, own, panel), fault)
    return found


@contextmanager
def deployed(
    place: Path, panel: BenchPanel, server: postgres.PostgresServer, calls_a_second: int
) -> Iterator[Deployed]:
    """Give a stack that has looked at its empty panel once."""
    place.mkdir()
    panel.empty()
    with exchange(place, server) as erp:
        ours = Deployed(place, panel, erp)
        try:
            ours.up(calls_a_second)
            if not ours.run():
                raise BenchFailure(f"the first tick failed\n{tail(ours.log)}")
            panel.forget_calls()
            yield ours
        finally:
            ours.down()


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print everything."""
    table = Table(*HEAD)
    for each in outcomes:
        table.add_row(*told(each))
    console.print(table)


HEAD = ("fault", "who", "accounts", "lost", "doubled", "sent again", "runs", "calls", "429", "seconds")


def told(outcome: Outcome) -> Sequence[str]:
    """Return a line of the table: what stands below ``HEAD``."""
    named = (f"{outcome.fault} {FAULTS[outcome.fault]}", outcome.who)
    counts = (outcome.arrived, outcome.lost, outcome.doubled, outcome.repeated, outcome.runs, outcome.calls)
    return (*named, *(f"{count:,}" for count in (*counts, outcome.refused)), f"{outcome.seconds:.0f}")


def work(console: Console) -> Path:
    """Run, print, write down."""
    chosen, on = options(), machine()
    outcomes = measure(chosen, Console(stderr=True))
    document = {"asked": vars(chosen), "machine": on, "outcomes": [asdict(each) for each in outcomes]}
    path = results.write(NAME, document)
    show(console, outcomes)
    return path


def main() -> int:
    """Run the command."""
    return ended(work)


if __name__ == "__main__":
    sys.exit(main())
