"""A whole installation in memory: the fakes, one clock, the mechanism, and steps that can be killed half-way.

Used by the engine's tests and by its state machines. ``World.mortal(n)`` lets the n-th call of a port from now on be
the last one of this run: the process dies before it (or after it, when ``after``), as a function does that times out.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kartoteka.concerns import build
from kartoteka.errors import KartotekaError
from kartoteka.fields.table import CONCERNS as ALL_CONCERNS
from kartoteka.model import Owner, Value
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Exchange
from kartoteka.sync import ownership
from kartoteka.sync.collect import Source, advance
from kartoteka.sync.feed import follow_panel
from kartoteka.sync.lately import Lately
from kartoteka.sync.reconcile import reconcile
from kartoteka.sync.retry import NotBegun
from kartoteka.sync.run import HARMLESS, Counts, Run, always
from tests.fakes.exchange import FakeExchange
from tests.fakes.panel import FakePanel
from tests.fakes.queue import FakeQueue
from tests.fakes.state import FakeState

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CLIENT: dict[str, Value] = {
    "email": "biuro@firma.pl",
    "company": "Firma",
    "street": "Długa 1",
    "zip_code": "00-950",
    "city": "Łódź",
    "nip": "5250001233",
    "phone": "501502503",
    "client_type": "firm",
    "country_code": "PL",
}
ADDRESS: dict[str, Value] = {
    "street": "Nowa 3",
    "zip_code": "00-950",
    "city": "Łódź",
    "first_name": "Jan",
    "last_name": "Nowak",
}
CONCERNS = tuple(ALL_CONCERNS)
EXCHANGE_PORTS = ("log", "records", "index", "prices", "figures", "pauses", "plans", "forgotten")


class Killed(BaseException):
    """The process died here. Not an Exception: nothing in the engine may catch it."""


class Mortal:
    """A port whose calls are counted, and one of which may be the last."""

    def __init__(self, name: str, port: Any, world: World) -> None:
        self._name = name
        self._port = port
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._world.lock:  # the fakes stand for systems whose calls are whole; chunks are worked by threads
                self._world.step(f"{self._name}.{name}", before=True)
                answer = method(*args, **kwargs)
                self._world.step(f"{self._name}.{name}", before=False)
                return answer

        return call


def trust_the_panel(state: FakeState, now: Callable[[], datetime]) -> None:
    """Let the panel's gates be known to leave alone what a change does not name, as they are a week long."""
    for gate in ("update", "merge address"):
        Lately(state, now, HARMLESS, timedelta(days=7)).note(gate)


class World:
    """The fakes, a clock, and what a scheduler and a queue do with the concerns."""

    poll_size = 500
    calls_at_once = 1
    """One after the other, so that the n-th call of a port is always the same one."""
    hook = False
    installation = "stack-a"
    """Who this is, for the exchange database."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.time = START
        self.policy = policy or Policy()
        self.exchange = FakeExchange(clock=lambda: self.time)
        for name in EXCHANGE_PORTS:  # so that a test which watches a port watches this installation's
            setattr(self.exchange, name, getattr(self.exchange.asked_by(self.installation), name))
        self.panel = FakePanel(clock=lambda: self.time)
        self.state = FakeState()
        self.queue = FakeQueue()
        self.counts = Counts()
        self.unread: Counter[str] = Counter()
        self.lock = threading.RLock()
        self.time_left: Callable[[], bool] = always
        self._runs = itertools.count(1)
        self._steps_left: int | None = None
        self._die_after = False
        self._fatal = ""
        self._amid: tuple[int, Callable[[], object]] | None = None
        trust_the_panel(self.state, lambda: self.time)

    def mortal(self, steps: int, *, after: bool = False) -> None:
        """Let the process die at its ``steps``-th call of a port from now, before or after its effect."""
        self._steps_left, self._die_after, self._fatal = steps, after, ""

    def dies_at(self, method: str, *, after: bool = False, call: int = 1) -> None:
        """Let the process die at a call of this method of a port, before or after its effect.

        ``method`` may name the port too (``records.save``); ``call`` counts the method's calls from now.
        """
        self.mortal(call, after=after)
        self._fatal = method

    def amid(self, steps: int, act: Callable[[], object]) -> None:
        """Let somebody else act just before the ``steps``-th call of a port from now."""
        self._amid = (steps, act)

    def step(self, method: str, *, before: bool) -> None:
        """Count a call of a port; die where it is time, or let somebody else act."""
        if before and self._amid is not None:
            steps, act = self._amid
            self._amid = (steps - 1, act) if steps > 1 else None
            if self._amid is None:
                act()
        if self._steps_left is None or before is self._die_after:
            return
        if self._fatal not in ("", method, method.partition(".")[2]):
            return
        self._steps_left -= 1
        if self._steps_left <= 0:
            self._steps_left = None
            raise Killed

    def run(self) -> Run:
        """Return what one run of a function works with, its ports mortal."""
        asked_by = getattr(self.exchange, "asked_by", None)  # a test may give it a real database
        asked = asked_by(self.installation) if asked_by else self.exchange
        exchange = {name: Mortal(name, getattr(asked, name), self) for name in EXCHANGE_PORTS}
        ports = {name: Mortal(name, getattr(self, name), self) for name in ("panel", "state", "queue")}
        run = Run(
            exchange=Exchange(**exchange, ownership=asked.ownership),
            **ports,
            policy=self.policy,
            run_id=f"run-{next(self._runs)}",
            now=lambda: self.time,
            longest_transaction=timedelta(days=2),
            poll_size=self.poll_size,
            hook=self.hook,
            time_left=self.time_left,
            calls_at_once=self.calls_at_once,
            unread=self.unread,
        )
        run.concerns = build(run)
        return run

    def begin(self) -> Run:
        """Return a run that may work, as a function begins one."""
        run = self.run()
        ownership.begin(run)
        return run

    def paused(self) -> dict[str, str]:
        """Return concern -> reason of those that are paused."""
        return {concern: reason for concern, (reason, _) in self.exchange.stops.items() if reason}

    def pause(self, concern: str, reason: str = "operator") -> None:
        """Do what ``kartoteka pause`` does."""
        self.exchange.pauses.pause(concern, reason, at=self.time)

    def resume(self, concern: str, *, confirm: bool = False) -> None:
        """Do what ``kartoteka resume`` does, with ``--confirm`` or without."""
        self.exchange.pauses.resume(concern, released_at=self.time if confirm else None)

    def pass_time(self, **delta: float) -> None:
        """Let time pass."""
        self.time += timedelta(**delta)

    def knows_the_panel(self) -> World:
        """Let the feed read all accounts once, so that clients may have theirs; return the world."""
        assert self.follow()
        return self

    def collect(self, concern: str, *, everything_due: bool = False) -> bool:
        """Run a concern's schedule; False where it failed or died. A paused concern is not looked after."""
        if concern in self.paused():
            return True
        return self._advance(lambda run: run.concerns[concern].sources(everything_due=everything_due))

    def follow(self, *, at_once: bool = True) -> bool:
        """Run the feed's schedule, as a tick does whatever the feed's waiting time; False where it failed or died."""
        return self._run(lambda: follow_panel(self.begin(), at_once=at_once))

    def rotate(self, concern: str = "delivery_addresses", *, at_once: bool = True) -> bool:
        """Run the passes that a concern has beside its sources, as a tick does; False where one failed or died."""
        return self._advance(lambda run: run.concerns[concern].passes(at_once=at_once).values())

    def work(self, concern: str) -> bool:
        """Deliver one message of a queue; one that failed or whose worker died is delivered again."""
        owners = self.queue.take(concern)
        if owners is None:
            return False
        if not self.reconcile(concern, *owners, found_by=getattr(owners, "found_by", None)):
            self.queue.chunks[concern].insert(0, owners)
        return True

    def reconcile(self, concern: str, *owners: Owner, found_by: Mapping[Owner, str] | None = None) -> bool:
        """Work these owners once, as the message that brought them is worked; False where that failed or died."""
        return self._run(lambda: self._reconcile(concern, owners, found_by or {}))

    def _advance(self, sources: Callable[[Run], Iterable[Source]]) -> bool:
        def move() -> Counts:
            run = self.begin()
            return sum((advance(run, source) for source in sources(run)), Counts())

        return self._run(move)

    def _reconcile(self, concern: str, owners: Sequence[Owner], found_by: Mapping[Owner, str]) -> Counts:
        run = self.begin()
        run.found_by = dict.fromkeys(owners, "") | dict(found_by)
        worked = run.concerns[concern]
        if reason := self.paused().get(concern):
            worked.paused(owners, reason)
            return Counts()
        result = reconcile(worked, owners)
        if result.unfinished:
            raise result.errors[0] if result.errors else NotBegun()
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
        """Do what ``kartoteka tick`` does: every schedule once, then the queues until they are empty.

        Where anything was written into the panel, its feed is read once more: it shows what was taken.
        """
        before = self.counts.written_to_panel
        for concern in CONCERNS:
            self.collect(concern, everything_due=True)
        self.follow()
        self.drain()
        if self.counts.written_to_panel > before:
            self.follow()
            self.drain()
        self.pass_time(seconds=seconds)

    def drain(self) -> None:
        """Work the queues until they are empty."""
        for _ in range(1000):
            if not any([self.work(queue) for queue in CONCERNS]):
                return
        raise AssertionError("the queues do not run empty")
