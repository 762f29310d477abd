"""`python -m bench.lane`: how long a call of an urgent process waits while others have an endless backlog.

Two worlds run at the same time, each with a table, a panel and processes of its own: in one the urgent process may go
ahead, in the other it leases as everybody does. A process is an object of the state, one of the pace and its own
connections, as in a function; its threads call without end. The urgent one comes every few seconds with some calls.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate

from rich.console import Console
from rich.table import Table

from bench.__main__ import WIDTH, workplace
from bench.cloud import CONFIG, embedded, make_table, session
from bench.processes import BenchFailure, end_in_order
from kartoteka.adapters.pace import LEAD, STALE, URGENT_SHARE, Pace
from kartoteka.adapters.panel_http import PanelHttp
from kartoteka.adapters.state import DynamoState
from kartoteka.errors import Retry
from local.failure import LocalFailure
from local.ports import LOOPBACK

WARMING = 8.0
"""Seconds until the backlog's leases have grown to what they stay at."""
ORDINARY, URGENT = "lane/ordinary", "lane/urgent"


@dataclass(frozen=True, slots=True)
class Wish:
    """One call that the urgent process wanted, and what it met. ``place``: the first of its visit is 0."""

    place: int
    since_visit: float
    seconds: float
    ordinary: int
    ordinary_since_visit: int


@dataclass(slots=True)
class World:
    """One panel and what happened at it."""

    who: str
    lane: bool
    arrived: list[tuple[float, bool]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    put_off: int = 0

    def ordinary_between(self, start: float, end: float) -> int:
        """Return how many ordinary calls came in this time."""
        return sum(start < moment < end for moment, urgent in tuple(self.arrived) if not urgent)

    def last_urgent(self) -> float:
        """Return when the panel saw the latest urgent call."""
        return max(moment for moment, urgent in tuple(self.arrived) if urgent)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.lane", description="What an urgent call waits.")
    parser.add_argument("--rate", type=float, default=5.0, help="calls a second (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=6, help="ordinary ones (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="of each of them (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of measuring (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=2, help="of each urgent visit (default: %(default)s)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between visits (default: %(default)s)")
    return parser.parse_args(arguments)


@contextmanager
def panel(world: World) -> Iterator[str]:
    """Give the address of a panel that notes when each call arrives, and answers with nothing."""

    class Gate(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            world.arrived.append((time.time(), self.path.endswith(URGENT)))
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


def run(world: World, endpoint: str, chosen: argparse.Namespace, over: threading.Event) -> None:
    """Let everybody call until the time is over."""
    table = make_table(endpoint, f"lane-{'with' if world.lane else 'without'}")

    def process(url: str, *, urgent: bool) -> PanelHttp:
        client = session().client("dynamodb", endpoint_url=endpoint, config=CONFIG)
        pace = Pace(DynamoState(table, lambda: client), rate=chosen.rate, urgent=urgent)
        return PanelHttp(url, "bench", pace)

    with panel(world) as url, ThreadPoolExecutor(chosen.processes * chosen.threads + 1) as threads:
        working = [
            threads.submit(_call_without_end, http, world, over)
            for http in [process(url, urgent=False) for _ in range(chosen.processes)]
            for _ in range(chosen.threads)
        ]
        working.append(threads.submit(_visit, process(url, urgent=world.lane), world, chosen, over.wait))
        for each in working:
            each.result()


def _call_without_end(http: PanelHttp, world: World, over: threading.Event) -> None:
    while not over.is_set():
        try:
            http.get(ORDINARY)
        except Retry:
            world.put_off += 1
            over.wait(1.0)


def _visit(http: PanelHttp, world: World, chosen: argparse.Namespace, pause: Callable[[float], bool]) -> None:
    """Come every few seconds, at no moment that the pace could know of."""
    chance = random.Random(1)
    if pause(WARMING):
        return
    while not pause(chosen.every * chance.uniform(0.5, 1.5)):
        visit = time.time()
        for place in range(chosen.calls):
            wish = time.time()
            try:
                http.get(URGENT)
            except Retry:
                world.put_off += 1
                continue
            seen = world.last_urgent()
            counts = [world.ordinary_between(since, seen) for since in (wish, visit)]
            world.wishes.append(Wish(place, seen - visit, seen - wish, *counts))


def excess(world: World, rate: float) -> float:
    """Return by how much the busiest span exceeds ``rate * (span + STALE) + 1``."""
    moments = sorted(moment for moment, _ in world.arrived)
    beyond = [n + 1 - rate * (moment - moments[0]) for n, moment in enumerate(moments)]
    lowest = accumulate((n - rate * (moment - moments[0]) for n, moment in enumerate(moments)), min)
    return max(high - low for high, low in zip(beyond, lowest, strict=True)) - rate * STALE - 1


def show(console: Console, worlds: Sequence[World], chosen: argparse.Namespace) -> None:
    """Print both worlds, side by side."""
    table = Table("", *(world.who for world in worlds), title="A call of the urgent process: median / most")
    for title, pick in _rows(chosen.calls).items():
        table.add_row(title, *(_median_and_most(pick(world)) for world in worlds))
    table.add_row("urgent calls", *(str(sum(urgent for _, urgent in world.arrived)) for world in worlds))
    table.add_row("ordinary calls", *(str(sum(not urgent for _, urgent in world.arrived)) for world in worlds))
    table.add_row("put off (any Retry)", *(str(world.put_off) for world in worlds))
    table.add_row("calls a second", *(f"{_a_second(world):.2f}" for world in worlds))
    table.add_row("calls beyond rate * (T + STALE) + 1", *(f"{excess(world, chosen.rate):.1f}" for world in worlds))
    console.print(table)
    bears = chosen.rate * URGENT_SHARE * LEAD + 1
    console.print(f"beyond it, the promise bears {bears:.0f} urgent calls")


def _rows(calls: int) -> dict[str, Callable[[World], list[float]]]:
    return {
        "ordinary calls before a visit's first call": lambda w: [x.ordinary for x in w.wishes if x.place == 0],
        "seconds until then": lambda w: [x.seconds for x in w.wishes if x.place == 0],
        "ordinary calls before any call, since its own wish": lambda w: [x.ordinary for x in w.wishes],
        "seconds": lambda w: [x.seconds for x in w.wishes],
        f"ordinary calls before all {calls} were made": lambda w: [
            x.ordinary_since_visit for x in w.wishes if x.place == calls - 1
        ],
        "seconds until all were made": lambda w: [x.since_visit for x in w.wishes if x.place == calls - 1],
    }


def _median_and_most(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"{statistics.median(values):.3g} / {max(values):.3g}"


def _a_second(world: World) -> float:
    moments = [moment for moment, _ in world.arrived]
    return (len(moments) - 1) / (max(moments) - min(moments))


def main() -> int:
    """Run both worlds, print. 1: something did not work; 130: interrupted."""
    end_in_order()
    chosen, console, over = options(), Console(), threading.Event()
    if not console.is_terminal:
        console.width = WIDTH
    worlds = [World("with the lane", lane=True), World("without", lane=False)]
    try:
        with workplace() as place, embedded(place) as endpoint, ThreadPoolExecutor(len(worlds)) as threads:
            running = [threads.submit(run, world, endpoint, chosen, over) for world in worlds]
            try:
                over.wait(WARMING + chosen.seconds)
            finally:
                over.set()
            for each in running:
                each.result()
    except (BenchFailure, LocalFailure) as failure:
        sys.stderr.write(f"bench: {failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; everything was stopped\n")
        return 130
    console.print(
        f"{chosen.processes} ordinary processes of {chosen.threads} threads with an endless backlog, {chosen.rate:g} "
        f"calls a second; {chosen.calls} urgent calls about every {chosen.every:g} s"
    )
    show(console, worlds, chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
