"""`python -m bench.rate`: how long a call waits for the rate limit while others have an endless backlog.

Busy processes call without end; a visitor, as the function `credit` is one, comes every few seconds with some calls. A
process is an object of the state, one of the rate limit and its own connections, as in a function. The state lies in
the embedded AWS. What is counted beside the waiting: what a slot costs in DynamoDB requests and in processor time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import Any

import stamina
from botocore.model import OperationModel
from rich.console import Console
from rich.table import Table

from bench.cloud import CONFIG, embedded, make_table, session
from bench.command import ended, workplace
from kartoteka.adapters.aws.rate import STALE, RateLimit
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.adapters.idosell.http import PanelHttp
from kartoteka.errors import Retry
from local.ports import LOOPBACK

WARMING = 8.0
"""Seconds until everybody is at work."""
BUSY, VISITOR = "bench/busy", "bench/visitor"


@dataclass(frozen=True, slots=True)
class Wish:
    """One call that the visitor wanted, and what it met. ``place``: the first of its visit is 0."""

    place: int
    since_visit: float
    seconds: float
    busy: int
    busy_since_visit: int


@dataclass(slots=True)
class World:
    """One panel and what happened at it. ``arrived``: moment, and whether the visitor called."""

    arrived: list[tuple[float, bool]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    deferred: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    leases: list[float] = field(default_factory=list)

    def busy_between(self, start: float, end: float) -> int:
        """Return how many calls of the busy processes came in this time."""
        return sum(start < moment < end for moment, visitor in tuple(self.arrived) if not visitor)

    def last_of_the_visitor(self) -> float:
        """Return when the panel saw the visitor's latest call."""
        return max(moment for moment, visitor in tuple(self.arrived) if visitor)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.rate", description="What a call waits, what a slot costs.")
    parser.add_argument("--rate", type=float, default=5.0, help="calls a second (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=6, help="busy ones (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="of each of them (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of measuring (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=2, help="of each visit (default: %(default)s)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between visits, 0: no visitor")
    return parser.parse_args(arguments)


@contextmanager
def panel(world: World) -> Iterator[str]:
    """Give the address of a panel that notes when each call arrives, and answers with nothing."""

    class Gate(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            world.arrived.append((time.time(), self.path.endswith(VISITOR)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer((LOOPBACK, 0), Gate)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class MeasuredState(DynamoState):
    """A state that notes the processor seconds of each lease."""

    def __init__(self, table: str, make_client: Callable[[], Any], world: World) -> None:
        super().__init__(table, make_client)
        self._world = world

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        """Take the next free slot."""
        start = time.thread_time()
        try:
            return super().lease(now=now, latest=latest, rate=rate, gate=gate)
        finally:
            self._world.leases.append(time.thread_time() - start)


def run(world: World, endpoint: str, chosen: argparse.Namespace, over: threading.Event) -> None:
    """Let everybody call until the time is over."""
    table = make_table(endpoint, "rate")

    def count(model: OperationModel, **_: object) -> None:
        world.asked[model.name] += 1

    def process(url: str) -> PanelHttp:
        client = session().client("dynamodb", endpoint_url=endpoint, config=CONFIG)
        client.meta.events.register("before-call.dynamodb", count)
        return PanelHttp(url, "bench", RateLimit(MeasuredState(table, lambda: client, world), rate=chosen.rate))

    with panel(world) as url, ThreadPoolExecutor(chosen.processes * chosen.threads + 1) as threads:
        working = [
            threads.submit(_call_without_end, http, world, over)
            for http in [process(url) for _ in range(chosen.processes)]
            for _ in range(chosen.threads)
        ]
        if chosen.every:
            working.append(threads.submit(_visit, process(url), world, chosen, over.wait))
        for each in working:
            each.result()


def _call_without_end(http: PanelHttp, world: World, over: threading.Event) -> None:
    while not over.is_set():
        try:
            http.get(BUSY)
        except Retry:
            world.deferred += 1
            over.wait(1.0)


def _visit(http: PanelHttp, world: World, chosen: argparse.Namespace, pause: Callable[[float], bool]) -> None:
    """Come every few seconds, at no moment that the others could know of."""
    chance = random.Random(1)
    if pause(WARMING):
        return
    while not pause(chosen.every * chance.uniform(0.5, 1.5)):
        visit = time.time()
        for place in range(chosen.calls):
            wish = time.time()
            try:
                http.get(VISITOR)
            except Retry:
                world.deferred += 1
                continue
            seen = world.last_of_the_visitor()
            counts = [world.busy_between(since, seen) for since in (wish, visit)]
            world.wishes.append(Wish(place, seen - visit, seen - wish, *counts))


def excess(world: World, rate: float) -> float:
    """Return by how much the busiest span exceeds ``rate * (span + STALE) + 1``."""
    moments = sorted(moment for moment, _ in world.arrived)
    beyond = [n + 1 - rate * (moment - moments[0]) for n, moment in enumerate(moments)]
    lowest = accumulate((n - rate * (moment - moments[0]) for n, moment in enumerate(moments)), min)
    return max(high - low for high, low in zip(beyond, lowest, strict=True)) - rate * STALE - 1


def show(console: Console, world: World, chosen: argparse.Namespace) -> None:
    """Print what was seen."""
    moments = [moment for moment, _ in world.arrived]
    calls = len(moments)
    table = Table("", "seen")
    for title, values in _waiting(world, chosen.calls).items():
        table.add_row(f"{title} (median / most)", f"{statistics.median(values):.3g} / {max(values):.3g}")
    table.add_row("calls, and of them the visitor's", f"{calls} / {sum(visitor for _, visitor in world.arrived)}")
    table.add_row("calls a second", f"{(calls - 1) / (max(moments) - min(moments)):.2f}")
    table.add_row("calls beyond rate * (T + STALE) + 1", f"{excess(world, chosen.rate):.1f}")
    table.add_row("deferred (any Retry)", str(world.deferred))
    for operation, count in sorted(world.asked.items()):
        table.add_row(f"{operation} a call", f"{count / calls:.2f}")
    table.add_row("processor ms a lease", f"{statistics.mean(world.leases) * 1000:.2f}")
    console.print(table)


def _waiting(world: World, calls: int) -> dict[str, list[float]]:
    if not world.wishes:
        return {}
    first = [wish for wish in world.wishes if wish.place == 0]
    last = [wish for wish in world.wishes if wish.place == calls - 1]
    return {
        "busy calls before a visit's first call": [wish.busy for wish in first],
        "seconds until then": [wish.seconds for wish in first],
        f"busy calls before all {calls} were made": [wish.busy_since_visit for wish in last],
        "seconds until all were made": [wish.since_visit for wish in last],
    }


def work(console: Console) -> None:
    """Run, print."""
    stamina.instrumentation.set_on_retry_hooks(())  # overtaken leases are counted, not logged
    chosen, over, world = options(), threading.Event(), World()
    with workplace() as place, embedded(place) as endpoint, ThreadPoolExecutor(1) as threads:
        running = threads.submit(run, world, endpoint, chosen, over)
        try:
            over.wait(WARMING + chosen.seconds)
        finally:
            over.set()
        running.result()
    console.print(
        f"{chosen.processes} busy processes of {chosen.threads} threads with an endless backlog, {chosen.rate:g} calls "
        f"a second" + (f"; {chosen.calls} calls of a visitor about every {chosen.every:g} s" if chosen.every else "")
    )
    show(console, world, chosen)


def main() -> int:
    """Run the command."""
    return ended(work)


if __name__ == "__main__":
    sys.exit(main())
