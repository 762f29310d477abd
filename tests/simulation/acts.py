"""Everything that may happen in a history, by name: how likely it is, and what is drawn for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from kartoteka.errors import KartotekaError
from tests.simulation.world import Simulation

Arguments = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that may happen. ``fault`` is its kind in the figures; empty: nothing is wrong with it."""

    do: Callable[..., None]
    draw: Callable[[Random], Arguments]
    weight: float
    fault: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a history: what happens, and with what."""

    name: str
    args: Arguments = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.args))})"


ACTS: dict[str, Act] = {}


def nothing(_: Random) -> Arguments:
    """Draw nothing."""
    return ()


def act(weight: float, draw: Callable[[Random], Arguments] = nothing, *, fault: str = "") -> Callable[..., Any]:
    """Let a function of the world be something that may happen."""

    def register(do: Callable[..., None]) -> Callable[..., None]:
        ACTS[do.__name__] = Act(do, draw, weight, fault)
        return do

    return register


def happen(world: Simulation, step: Step) -> None:
    """Let a step of a history happen."""
    one = ACTS[step.name]
    world.trace.add(f"{world.clock.now():%d %H:%M:%S} {step}")
    if one.fault:
        world.faults[one.fault] += 1
    try:
        one.do(world, *step.args)
    except KartotekaError as error:  # a person's command that has failed
        world.trace.add(f"failed: {error}")
    world.moment += 1
