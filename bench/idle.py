"""What a quiet month costs in panel calls, and how soon an edit in the panel is in the ERP: `python -m bench.idle`.

The mechanism over an installation in memory, minute by minute for 30 days, by a clock of its own. A call of the panel's
port is one call of the panel.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from kartoteka.policy import parse
from tests.helpers import tax_number
from tests.world import CLIENT, CONCERNS, World

DAYS = 30
DAY = 24 * 60
"""Minutes."""
PASS_EVERY = 15
"""Minutes between the events of the pass over addresses."""
WARM_UP = 2 * DAY
"""Minutes until an installation that was filled is as quiet as it will be."""


@dataclass(frozen=True, slots=True)
class Month:
    """What is simulated: how many clients, under which policy, with a wake-up hook or without, and who edits when.

    ``edits`` are the minutes at which somebody edits a client's city in the panel. ``warm_up``: the minutes that pass
    before the first.
    """

    clients: int = 100
    policy: str = "{}"
    hook: bool = False
    edits: Sequence[int] = ()
    days: int = DAYS
    warm_up: int = WARM_UP


@dataclass(frozen=True, slots=True)
class Figures:
    """The calls by gate, and of each edit after how many minutes it was in the ERP (None: never)."""

    calls: Mapping[str, int]
    waited: Sequence[int | None] = field(default=())

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


class Installation(World):
    """A world that counts the panel's calls as the state does."""

    def step(self, method: str, *, before: bool) -> None:
        """Count a call of the panel."""
        if before and method.startswith("panel.") and method != "panel.calls":
            usage = self.state.shared.usage.counting(self.time, method)
            self.state.shared = replace(self.state.shared, usage=usage)
        super().step(method, before=before)

    def minute(self, number: int) -> None:
        """Let a minute pass, its schedules fire, and the queues be worked."""
        self.pass_time(minutes=1)
        self.follow(at_once=False)
        if number % PASS_EVERY == 0:
            self.rotate(at_once=False)
        if number % 60 == 0:  # without a change they ask the panel nothing: once an hour will do for a month
            for concern in CONCERNS:
                self.collect(concern)
        if not self.queue.empty():
            self.drain()


def filled(month: Month) -> Installation:
    """Return an installation with so many clients in step, and a discount group, which has become quiet."""
    world = Installation(parse(month.policy))
    world.hook = month.hook
    for n in range(month.clients):
        values = {**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"}
        world.exchange.insert_client(f"C-{n:05}", **values, discount_group_id="G-1")
    world.exchange.set_group("G-1", name="Hurt")
    for _ in range(4):
        world.tick()
    for number in range(month.warm_up):
        world.minute(number)
    return world


def simulate(month: Month) -> Figures:
    """Return what a month costs, and how soon edits are in the ERP."""
    world = filled(month)
    before = Counter(world.panel.calls())
    edits, waiting = set(month.edits), dict[str, int]()
    waited: dict[int, int] = {}
    for minute in range(month.days * DAY):
        if minute in edits:
            client = f"C-{len(waiting) % month.clients:05}"
            city = f"Gdynia {minute}"
            world.panel.edit(world.exchange.links[client].panel_client_id, city=city)
            waiting[city] = minute
        world.minute(minute)
        if len(waiting) > len(waited):
            shown = {str(row["city"]) for row in world.exchange.clients.values()}
            waited |= {m: minute + 1 - m for city, m in waiting.items() if m not in waited and city in shown}
    calls = Counter(world.panel.calls())
    calls.subtract(before)
    return Figures(+calls, [waited.get(minute) for minute in month.edits])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    clients = parser.parse_args().clients
    for name, month in {
        "idle": Month(clients),
        "idle, with the hook": Month(clients, hook=True),
        "idle, with a budget of 2,000": Month(clients, '{"panel": {"monthly_budget": 2000}}'),
        "an edit every 6 hours": Month(clients, edits=range(7, DAYS * DAY - 60, 6 * 60)),
    }.items():
        figures = simulate(month)
        gates = ", ".join(f"{gate} {count}" for gate, count in sorted(figures.calls.items()))
        print(f"{name}: {figures.total} calls in {DAYS} days ({gates})")  # noqa: T201
        if figures.waited:
            found = [wait for wait in figures.waited if wait is not None]
            print(f"  edits: {len(figures.waited)}, in the ERP after {timedelta(minutes=max(found))} at most")  # noqa: T201


if __name__ == "__main__":
    main()
