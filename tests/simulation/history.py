"""A history: drawn from a seed as a list of steps, lived through, judged, and made shorter where it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.simulation import checks, faults, machinery, people
from tests.simulation.acts import ACTS, Step, happen
from tests.simulation.stack import Logged, installed
from tests.simulation.trace import Trace
from tests.simulation.world import POLICIES, Simulation

REGISTERED = (people, machinery, faults)
"""The modules whose acts a history is made of."""
FEWEST, MOST = 15, 70
ALWAYS = ("inserts", "erp_edits", "panel_edits", "wakes", "delivers", "goes_on", "time_passes")
SPARED = 0.6
"""The chance of each other act not to happen in a history at all: so what does happen meets oftener."""


@dataclass(frozen=True, slots=True)
class History:
    """What happens, under which policy (an index of ``POLICIES``). ``capitals``: the panel shows towns so."""

    policy: int
    capitals: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a history: what does not hold, its trace, its steps (calls of ports), its faults by kind.

    ``window``: edits in the panel that came between our read and our write, which no client can see.
    """

    violations: tuple[str, ...]
    trace: Trace
    steps: int
    faults: Counter[str]
    window: int


def drawn(seed: int) -> History:
    """Return the history of a seed."""
    chance = Random(seed)
    policy, capitals = chance.randrange(len(POLICIES)), chance.random() < 0.3
    left_out = {name for name in ACTS if name not in ALWAYS and chance.random() < SPARED}
    names = [name for name in ACTS if name not in left_out]
    weights = [ACTS[name].weight for name in names]
    found = chance.choices(names, weights, k=chance.randint(FEWEST, MOST))
    steps = [Step("inserts", ("C-1",)), *(Step(name, ACTS[name].draw(chance)) for name in found)]
    return History(policy, capitals, tuple(steps))


def lived(history: History, *, telling: bool = False) -> Ending:
    """Live through a history to its end, and judge it."""
    logged, trace = Logged(), Trace(telling=telling)
    with installed(logged):
        world = Simulation(POLICIES[history.policy], trace=trace, capitals=history.capitals)
        for step in history.steps:
            happen(world, step)
        trace.add("the faults end")
        found = checks.end(world, logged)
        world.kill_all()
        trace.add(world.both_sides())
    for what in found:
        trace.add(f"VIOLATION {what}")
    return Ending(tuple(found), trace, world.steps, world.faults, world.window)


def shortened(history: History, fails: Callable[[History], bool]) -> History:
    """Return a shorter history that fails too: no step of it can be left out alone."""
    steps: Sequence[Step] = history.steps
    size = max(1, len(steps) // 2)
    while True:
        kept, n = list(steps), 0
        while n < len(kept):
            fewer = [*kept[:n], *kept[n + size :]]
            if fails(replace(history, steps=tuple(fewer))):
                kept = fewer
            else:
                n += size
        if size == 1 and len(kept) == len(steps):
            return replace(history, steps=tuple(kept))
        steps, size = kept, max(1, size // 2)
