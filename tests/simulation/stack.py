"""One installation: its state and queues, and its functions, invoked as Lambda invokes them.

The code from the event on is the product's: ``entry.handle``, the mechanism, the concerns, and the adapter of the
queues. Only ``runtime.new_run``, which would build adapters out of the environment, is replaced by :meth:`Stack.run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from kartoteka import concerns, entry, policy, runtime
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.errors import KartotekaError
from kartoteka.ports.exchange import Exchange
from kartoteka.sync.collect import ChangeLogSource
from kartoteka.sync.run import Run
from tests.fakes.state import FakeState
from tests.simulation.processes import Process, current
from tests.simulation.sqs import Sqs, urls
from tests.world import EXCHANGE_PORTS, trust_the_panel

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

T = TypeVar("T")

SHARDS = 2
FEED = "panel_feed"
PANEL_CALL_SECONDS = 0.2


class Port:
    """A port whose calls are steps of the process that makes them."""

    def __init__(self, name: str, port: Any, world: Simulation) -> None:
        self._name = name
        self._port = port
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method, step, world = getattr(self._port, name), f"{self._name}.{name}", self._world
        if step == "panel.calls":  # asks the panel nothing
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            process = current()
            if process is None:
                return method(*args, **kwargs)
            process.step(before=True)
            world.before(process, step, args)
            if self._name == "panel":
                world.clock.passes(PANEL_CALL_SECONDS)
            try:
                answer = method(*args, **kwargs)
            except KartotekaError as error:
                world.after(process, step, args, error)
                raise
            world.after(process, step, args, answer)
            process.step(before=False)
            return answer

        self.__dict__[name] = call
        return call


class Stack:
    """An installation by its id: ``state``, ``sqs``, and the runs of its functions."""

    def __init__(self, world: Simulation, name: str) -> None:
        self.world = world
        self.name = name
        self.state = FakeState()
        self.sqs = Sqs(world.clock)
        queue = SqsQueue(urls(), shards=SHARDS, make_client=lambda: self.sqs, sleep=lambda _: None)
        asked = world.exchange.asked_by(name)
        ports = {port: Port(port, getattr(asked, port), world) for port in EXCHANGE_PORTS}
        self._exchange = Exchange(**ports, ownership=asked.ownership)
        self._ports = {
            "panel": Port("panel", world.panel, world),
            "state": Port("state", self.state, world),
            "queue": Port("queue", queue, world),
        }
        self.queue = queue
        self.ownership = asked.ownership
        self.looked: dict[str, Any] = {}
        trust_the_panel(self.state, world.clock.now)

    def run(self) -> Run:
        """Return what one run of a function works with: what :func:`kartoteka.runtime.new_run` returns in the cloud."""
        run = Run(
            exchange=self._exchange,
            **self._ports,
            policy=self.world.policy,
            run_id=f"run-{next(self.world.numbers)}",
            now=self.world.clock.now,
            longest_transaction=timedelta(days=2),
            looked=self.looked,
        )
        concerns.build(run)
        return run

    def wake(self, function: str, move: str = "collect", due: str = "ready") -> Process:
        """Return the invocation of a function by its schedule."""
        event = {"v": 1, "move": move, "due": due}
        handle = entry.handle_feed if function == FEED else lambda e, c: entry.handle(function, e, c)
        return self._process(function, move, lambda process: handle(event, process))

    def deliver(self, concern: str) -> Process | None:
        """Return the invocation of a concern's function by its queue, with the messages that may be worked now."""
        found = self.sqs.receive(concern)
        if not found:
            return None
        event = {
            "Records": [
                {
                    "messageId": each.id,
                    "receiptHandle": each.receipt,
                    "body": each.body,
                    "attributes": {"ApproximateReceiveCount": str(each.receives)},
                }
                for each in found
            ]
        }
        process = self._process(concern, "queue", lambda process: entry.handle(concern, event, process))
        process.received = (concern, [(each.id, each.receipt) for each in found])
        return process

    def finished(self, process: Process) -> None:
        """Do what SQS and Lambda do with what a function has answered."""
        if process.error is not None:
            self.looked.clear()  # another process takes its place
        if process.error is None and process.received and not process.loses_deletion:
            concern, messages = process.received
            failed = {each["itemIdentifier"] for each in process.answer["batchItemFailures"]}
            self.sqs.delete(concern, [receipt for id_, receipt in messages if id_ not in failed])

    def _process(self, function: str, what: str, work: Callable[[Process], Any]) -> Process:
        name = f"{self.name}.{function}.{what}.{next(self.world.numbers)}"
        process = Process(name, function, self.world.clock, work)
        process.stack = self
        return process


class _Metrics:
    """Takes the metrics and sends none."""

    metric_set: tuple[()] = ()

    def add_metric(self, *_: Any) -> None:
        pass


class Logged(logging.Handler):
    """Everything that was logged, with what was said beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        beside = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        self.texts.append(f"{record.getMessage()} {beside or ''} {record.exc_info or ''}")


_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def _new_run() -> Run:
    process = current()
    assert process is not None
    return process.stack.run()


@contextmanager
def installed(logged: Logged) -> Iterator[None]:
    """Let the functions run on the simulation's ports, and ``logged`` alone hear what they log.

    What follows from the policy alone is asked once: a history has one policy, and many runs.
    """
    root = logging.getLogger("kartoteka")
    quiet = logging.getLogger("kartoteka.simulated")
    level = root.level
    root.setLevel(logging.INFO)
    try:
        with (
            patch.multiple(root, handlers=[logged], propagate=False),
            patch.object(runtime, "new_run", _new_run),
            patch.object(entry, "metrics", _Metrics()),
            patch.object(entry, "logger", quiet),
            patch.object(policy, "rules", _once(policy.rules, lambda _policy, concern, _fields: concern)),
            patch.object(ChangeLogSource, "_policy_digest", _once(ChangeLogSource._policy_digest, lambda _source: "")),
        ):
            yield
    finally:
        root.setLevel(level)


def _once(ask: Callable[..., T], key: Callable[..., str]) -> Callable[..., T]:
    """Return what asks once for each key."""
    known: dict[str, T] = {}

    def once(*args: Any) -> T:
        name = key(*args)
        if name not in known:
            known[name] = ask(*args)
        return known[name]

    return once
