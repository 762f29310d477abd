"""Invocations of functions that stop half-way: each runs in a greenlet, and every call of a port is a step.

Before and after each step a process can be set aside, so that others act meanwhile, or die there as a function does
that runs out of time or memory.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from tests.simulation.clock import Clock
from tests.world import Killed

LIMIT = timedelta(seconds=120)
"""The template's time limit of a function."""


class Process:
    """One invocation. ``steps`` counts the calls of ports that it has made; ``dies_at``: the one that is its last.

    ``answer`` is what the handler has returned, ``error`` what it has raised. ``stack`` is whose it is, ``received``
    the messages that it works (ids and receipts, of a concern's queue); ``loses_deletion``: their deletion will not
    arrive. ``paused`` are the concerns that were when it began. ``seen``: account -> at which moment of the history
    this process has last read it. ``sends``: the places that it has written and not stored as written yet.
    """

    def __init__(self, name: str, concern: str, clock: Clock, work: Callable[[Process], Any]) -> None:
        self.name = name
        self.concern = concern
        self.paused: frozenset[str] = frozenset()
        self.begun = clock.now()
        self.steps = 0
        self.left: int | None = None
        self.dies_at: int | None = None
        self.dies_after = False
        self.answer: Any = None
        self.error: BaseException | None = None
        self.seen: dict[str, int] = {}
        self.sends: set[tuple[str, str]] = set()
        self.stack: Any = None
        self.received: tuple[str, list[tuple[str, str]]] | None = None
        self.loses_deletion = False
        self._clock = clock
        self._work = work
        self._greenlet = _Greenlet(self._run)
        self._greenlet.process = self

    def go_on(self, steps: int | None) -> None:
        """Let it make so many calls of ports more, or all."""
        self.left = steps
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()

    @property
    def ended(self) -> bool:
        """Whether it has ended, in one way or another."""
        return self._greenlet.dead

    @property
    def deadline(self) -> datetime:
        """When the function's time is over."""
        return self.begun + LIMIT

    def get_remaining_time_in_millis(self) -> int:
        """Return what Lambda's context says."""
        return int((self.deadline - self._clock.now()).total_seconds() * 1000)

    def kill(self) -> None:
        """Let it die where it stands."""
        self._greenlet.parent = getcurrent()
        self._greenlet.throw(Killed)

    def step(self, *, before: bool) -> None:
        """Count a call of a port; wait or die where it is time."""
        if before:
            self.steps += 1
        if self.steps == self.dies_at and before is not self.dies_after:
            raise Killed
        if before and self.left is not None:
            if self.left <= 0:
                self._greenlet.parent.switch()
            if self.left is not None:
                self.left -= 1

    def _run(self) -> None:
        try:
            self.answer = self._work(self)
        except (Killed, Exception) as error:  # noqa: BLE001 - what Lambda would report as the function's failure
            self.error = error


class _Greenlet(greenlet):
    process: Process


def current() -> Process | None:
    """Return the process that is at work; None: somebody else acts."""
    return getattr(getcurrent(), "process", None)
