"""How a change travels through the code: `python -m bench.trace` counts calls, files and hops of four stories.

Over the real adapters of the exchange database (SQLite) and of the panel (HTTP to the stand-in); cloud state and queues
are in memory. A *hop* is a call from one file of the package into another.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Column, Table

import kartoteka
from kartoteka import concerns
from kartoteka.adapters import sql
from kartoteka.adapters.idosell.http import PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.adapters.sql import upgrade
from kartoteka.policy import Policy
from kartoteka.sync.collect import Source, advance
from kartoteka.sync.feed import follow_panel
from kartoteka.sync.reconcile import reconcile
from kartoteka.sync.run import Run
from local.panel.server import StandinPanel
from tests.fakes.limit import CountedLimit
from tests.fakes.queue import FakeQueue
from tests.fakes.state import FakeState

PACKAGE = Path(kartoteka.__file__).parent
PERSON = {"email": "biuro@firma.example", "company": "Firma", "street": "Długa 5", "zip_code": "00-950", "city": "Łódź"}


@dataclass
class Trace:
    """What was called: functions by file and name, hops by pair of files, files in the order of the first visit."""

    functions: Counter[tuple[str, str]] = field(default_factory=Counter)
    hops: Counter[tuple[str, str]] = field(default_factory=Counter)
    files: dict[str, None] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> None:
        """Note a call of a named function of the package."""
        name = frame.f_code.co_name
        if event != "call" or name.startswith("<"):
            return
        file = _file(frame)
        if file is None:
            return
        self.functions[file, frame.f_code.co_qualname] += 1
        self.files.setdefault(file)
        caller = _caller(frame)
        if caller is not None and caller != file:
            self.hops[caller, file] += 1

    @property
    def row(self) -> tuple[int, int, int, int]:
        """Calls, functions, files, hops."""
        return sum(self.functions.values()), len(self.functions), len(self.files), sum(self.hops.values())


def _file(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else None


def _caller(frame: FrameType) -> str | None:
    back = frame.f_back
    while back is not None:
        file = _file(back)
        if file is not None:
            return file
        back = back.f_back
    return None


class Installation:
    """One installation with a client in step."""

    def __init__(self, home: Path, panel: StandinPanel) -> None:
        self.panel = panel
        address = f"sqlite:///{home / 'exchange.db'}"
        self.exchange = sql.connect(address)
        self.engine = sa.create_engine(address)
        upgrade.create(self.exchange.database.engine)
        self._state, self.queue = FakeState(), FakeQueue()
        self._http = HttpPanel(PanelHttp(panel.url, panel.key, CountedLimit()))
        self.later = timedelta()

    def run(self) -> Run:
        """Return what one run works with."""
        run = Run(self.exchange, self._http, self._state, self.queue, Policy(), "trace", now=self.now)
        concerns.build(run)
        return run

    def now(self) -> datetime:
        """Return the moment, UTC, on both sides."""
        return datetime.now(UTC) + self.later

    def wait(self, time: timedelta) -> None:
        """Let time pass on both sides."""
        self.later += time
        self.panel.clock.skew += time.total_seconds()

    def write(self, statement: str, **values: Any) -> None:
        """Write into the exchange database as an ERP does."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def collect(self, name: str) -> None:
        """Fire a concern's schedule."""
        run = self.run()
        for source in run.concerns[name].sources(everything_due=True):
            advance(run, source)

    def rotate(self, name: str) -> None:
        """Fire the schedule of a rotating pass."""
        run = self.run()
        source: Source = run.concerns[name].passes(at_once=True)["rotate"]
        advance(run, source)

    def follow(self) -> None:
        """Fire the schedule of the panel's feed, as a tick does."""
        follow_panel(self.run(), at_once=True)

    def work(self, *names: str) -> None:
        """Work these queues until they are empty."""
        for name in names:
            while owners := self.queue.take(name):
                reconcile(self.run().concerns[name], owners)

    def tick(self) -> None:
        """Fire every schedule once and work the queues."""
        names = tuple(self.run().concerns)
        self.follow()
        for name in names:
            self.collect(name)
        self.work(*names)


def insert(place: Installation, client_id: str, **more: str) -> None:
    """Insert a client."""
    row = {"id": client_id, **PERSON, "email": f"{client_id}@firma.example", **more}
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    place.write(f"INSERT INTO clients ({columns}) VALUES ({values})", **row)  # noqa: S608 - our own names


def new_row(place: Installation) -> Callable[[], None]:
    """A new row becomes an account."""
    insert(place, "C-2")

    def story() -> None:
        place.collect("accounts")
        place.work("accounts")

    return story


def street(place: Installation) -> Callable[[], None]:
    """A street that was edited in the panel reaches the row."""
    place.panel.edit(1, street="Krótka 2")

    def story() -> None:
        place.follow()
        place.work("billing")

    return story


def price(place: Installation) -> Callable[[], None]:
    """A dated price begins."""
    begins = place.now() + timedelta(minutes=5)
    place.write("INSERT INTO discount_groups (id, name) VALUES ('HURT', 'Hurt')")
    place.write(
        "INSERT INTO discount_group_items (group_id, item_type, item_id, price, currency, valid_from) "
        "VALUES ('HURT', 'product', 1017, 19.90, 'PLN', :begins)",
        begins=begins.replace(tzinfo=None).isoformat(" "),
    )
    place.tick()
    place.wait(timedelta(minutes=10))

    def story() -> None:
        place.collect("discounts")
        place.work("discounts")

    return story


def address(place: Installation) -> Callable[[], None]:
    """An address that was added in the panel reaches the ERP."""
    place.panel.add_address(1, first_name="Jan", last_name="Nowak", street="Polna 1", zip_code="00-950", city="Łódź")

    def story() -> None:
        place.rotate("delivery_addresses")
        place.work("delivery_addresses")

    return story


STORIES = (new_row, street, price, address)


def traced(story: Callable[[], None]) -> Trace:
    """Run a story under the profiler's hook."""
    trace = Trace()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        story()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return trace


def main() -> None:
    """Print the four stories."""
    table = Table("story", *(Column(name, justify="right") for name in ("calls", "functions", "files", "hops")))
    orders: list[str] = []
    for begin in STORIES:
        with tempfile.TemporaryDirectory() as home, StandinPanel() as panel:
            place = Installation(Path(home), panel)
            place.tick()
            insert(place, "C-1", nip="5260001246")
            place.tick()
            for _ in range(2):  # what was sent is shown and agreed on before the story begins
                place.wait(timedelta(minutes=5))
                place.tick()
            place.wait(timedelta(minutes=5))
            trace = traced(begin(place))
            table.add_row((begin.__doc__ or "").rstrip("."), *map(str, trace.row))
            orders.append(f"{begin.__name__}: " + " → ".join(trace.files))
    console = Console()
    console.print(table)
    if "-v" in sys.argv:
        for order in orders:
            console.print(order)


if __name__ == "__main__":
    main()
