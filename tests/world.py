"""A whole installation in memory: the four fakes, one clock, the engine, and steps that can be killed half-way.

Used by the engine's tests and by its state machine. ``World.mortal(n)`` lets the n-th call of a port from now on be the
last one of this run: the process dies before it (or after it, when ``after``), as a function does that times out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from kartoteka.core.errors import KartotekaError
from kartoteka.core.model import Value
from kartoteka.core.policy import Policy
from kartoteka.engine import Counts, Engine, collect, follow_panel, reconcile, set_aside
from tests.fakes.exchange import FakeExchange
from tests.fakes.panel import FakePanel
from tests.fakes.queue import FakeQueue
from tests.fakes.state import FakeState

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CARD: dict[str, Value] = {
    "email": "biuro@firma.pl",
    "company": "Firma",
    "street": "Długa 1",
    "zip_code": "00-950",
    "city": "Łódź",
    "nip": "5250001232",
    "phone": "501502503",
    "client_type": "firm",
    "country_code": "PL",
}
CONCERNS = ("accounts", "billing", "shops", "delivery_addresses", "discounts", "credit")
QUEUES = ("accounts", "billing", "shops", "delivery_addresses", "discount_groups", "discounts", "credit")


class Killed(BaseException):
    """The process died here. Not an Exception: nothing in the engine may catch it."""


class Mortal:
    """A port whose calls are counted, and one of which may be the last."""

    def __init__(self, port: Any, world: World) -> None:
        self._port = port
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._world.step(name, before=True)
            answer = method(*args, **kwargs)
            self._world.step(name, before=False)
            return answer

        return call


class World:
    """The four fakes, a clock, and what a scheduler and a queue do with the engine."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.time = START
        self.policy = policy or Policy()
        self.exchange = FakeExchange(clock=lambda: self.time)
        self.panel = FakePanel(clock=lambda: self.time)
        self.state = FakeState()
        self.queue = FakeQueue()
        self.counts = Counts()
        self._runs = itertools.count(1)
        self._steps_left: int | None = None
        self._die_after = False
        self._fatal = ""

    def mortal(self, steps: int, *, after: bool = False) -> None:
        """Let the process die at its ``steps``-th call of a port from now, before or after its effect."""
        self._steps_left, self._die_after, self._fatal = steps, after, ""

    def dies_at(self, method: str, *, after: bool = False) -> None:
        """Let the process die at its next call of this method of a port, before or after its effect."""
        self.mortal(1, after=after)
        self._fatal = method

    def step(self, method: str, *, before: bool) -> None:
        """Count a call of a port; die where it is time."""
        if self._steps_left is None or before is self._die_after or self._fatal not in ("", method):
            return
        self._steps_left -= 1
        if self._steps_left <= 0:
            self._steps_left = None
            raise Killed

    def engine(self) -> Engine:
        """Return an engine for one run."""
        ports = {
            name: Mortal(port, self)
            for name, port in {
                "exchange": self.exchange,
                "panel": self.panel,
                "state": self.state,
                "queue": self.queue,
            }.items()
        }
        return Engine(
            **ports,
            policy=self.policy,
            run_id=f"run-{next(self._runs)}",
            now=lambda: self.time,
            longest_transaction=timedelta(days=2),
        )

    def pass_time(self, **delta: float) -> None:
        """Let time pass."""
        self.time += timedelta(**delta)

    def knows_the_panel(self) -> World:
        """Let the feed read all accounts once, so that cards may have theirs; return the world."""
        assert self.follow()
        return self

    def collect(self, concern: str, *, everything_due: bool = False) -> bool:
        """Run a concern's schedule; False where it failed or died. A paused concern is not looked after."""
        if concern in self.state.paused():
            return True
        return self._run(lambda: collect(self.engine(), concern, everything_due=everything_due))

    def follow(self) -> bool:
        """Run the feed's schedule; False where it failed or died."""
        return self._run(lambda: follow_panel(self.engine()))

    def work(self, concern: str) -> bool:
        """Deliver one message of a queue; one that failed or whose worker died is delivered again."""
        keys = self.queue.take(concern)
        if keys is None:
            return False
        ended = self._run(lambda: self._reconcile(concern, keys))
        if not ended:
            self.queue.chunks[concern].insert(0, keys)
        return True

    def _reconcile(self, concern: str, keys: tuple[str, ...]) -> Counts:
        if reason := self.state.paused().get(concern.replace("discount_groups", "discounts")):
            set_aside(self.engine(), concern, keys, reason)
            return Counts()
        result = reconcile(self.engine(), concern, keys)
        if result.unfinished:
            raise result.errors[0]
        return result.report.counts

    def _run(self, move: Callable[[], Counts]) -> bool:
        try:
            self.counts += move()
        except (KartotekaError, Killed):
            return False
        finally:
            self._steps_left = None
        return True

    def tick(self, *, seconds: float = 61) -> None:
        """Do what ``kartoteka tick`` does: every schedule once, then the queues until they are empty."""
        for concern in CONCERNS:
            self.collect(concern, everything_due=True)
        self.follow()
        self.drain()
        self.pass_time(seconds=seconds)

    def drain(self) -> None:
        """Work the queues until they are empty."""
        for _ in range(1000):
            if not any([self.work(queue) for queue in QUEUES]):
                return
        raise AssertionError("the queues do not run empty")
