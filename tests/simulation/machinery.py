"""What schedules and queues do, whole or half-way."""

from __future__ import annotations

from random import Random

from tests.simulation.acts import act
from tests.simulation.stack import FEED
from tests.simulation.world import Simulation
from tests.world import CONCERNS

FUNCTIONS = (*CONCERNS, FEED, FEED)


def a_part(chance: Random) -> int | None:
    """Draw how many calls of ports are made before others act; None: all."""
    return None if chance.random() < 0.6 else chance.randint(1, 24)


def a_waking(chance: Random) -> tuple[str, str, int | None]:
    return chance.choice(FUNCTIONS), chance.choice(["ready", "ready", "all"]), a_part(chance)


@act(14, a_waking)
def wakes(world: Simulation, function: str, due: str, steps: int | None) -> None:
    world.start(world.owner.wake(function, due=due), steps)


@act(3, lambda chance: (a_part(chance),))
def polls_addresses(world: Simulation, steps: int | None) -> None:
    world.start(world.owner.wake("delivery_addresses", "rotate", due="all"), steps)


@act(14, lambda chance: (chance.choice(CONCERNS), a_part(chance)))
def delivers(world: Simulation, concern: str, steps: int | None) -> None:
    world.start(world.owner.deliver(concern), steps)


@act(4, lambda chance: (a_part(chance),))
def delivers_what_waits(world: Simulation, steps: int | None) -> None:
    """One batch of each queue, all of them at work together where each stops half-way."""
    for concern in CONCERNS:
        world.start(world.owner.deliver(concern), steps)


@act(12, lambda chance: (chance.randint(0, 3), a_part(chance)))
def goes_on(world: Simulation, which: int, steps: int | None) -> None:
    if world.processes:
        world.go_on(world.processes[which % len(world.processes)], steps)


@act(2)
def ticks(world: Simulation) -> None:
    world.tick()


@act(3, lambda chance: (chance.choice([1, 30, 61, 200, 800, 4000]),))
def time_passes(world: Simulation, seconds: int) -> None:
    world.time_passes(seconds)


@act(0.3, lambda chance: (chance.choice([1, 4]),))
def days_pass(world: Simulation, days: int) -> None:
    world.time_passes(86_400 * days + 7)


@act(1.5, lambda chance: (chance.choice(FUNCTIONS), a_part(chance)), fault="second stack acts")
def second_stack_wakes(world: Simulation, function: str, steps: int | None) -> None:
    """A stack that is not the owner, by mistake: a staging stack, blue and green, a laptop's."""
    world.start(world.other.wake(function, due="all"), steps)


@act(0.7, lambda chance: (chance.choice(CONCERNS), a_part(chance)), fault="second stack acts")
def second_stack_delivers(world: Simulation, concern: str, steps: int | None) -> None:
    world.start(world.other.deliver(concern), steps)
