"""One installation: its state and queues, and its functions, invoked as Lambda invokes them.

The code from the event on is the product's: ``entry.handle``, the mechanism, the concerns, and the adapter of the
queues. Only ``runtime.new_run``, which would build adapters out of the environment, is replaced by :meth:`Stack.run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from kartoteka import concerns, entry, policy, runtime
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.errors import KartotekaError
from kartoteka.policy import Policy, Rule
from kartoteka.ports.exchange import Exchange
from kartoteka.sync.collect import ChangeLogSource
from kartoteka.sync.lately import Lately
from kartoteka.sync.run import HARMLESS, Run
from tests.fakes.state import FakeState
from tests.simulation.processes import Process, current
from tests.simulation.sqs import Sqs, urls
from tests.world import EXCHANGE_PORTS

if TYPE_CHECKING:
    from tests.simulation.world import Simulation

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
        seconds = PANEL_CALL_SECONDS if self._name == "panel" and name != "calls" else 0

        def call(*args: Any, **kwargs: Any) -> Any:
            process = current()
            if process is None or step == "panel.calls":
                return method(*args, **kwargs)
            process.step(before=True)
            world.before(process, step, args)
            if seconds:
                world.clock.passes(seconds)
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
        for gate in ("update", "merge address"):
            Lately(self.state, world.clock.now, HARMLESS, timedelta(days=7)).note(gate)

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
    """Let the functions run on the simulation's ports, and what they log be heard.

    What follows from a policy alone is asked once a policy: a process of the simulation lives through many runs.
    """
    root = logging.getLogger("kartoteka")
    quiet = logging.getLogger("kartoteka.simulated")
    before = root.propagate, root.level
    root.addHandler(logged)
    root.propagate, root.level = False, logging.INFO
    try:
        with (
            patch.object(runtime, "new_run", _new_run),
            patch.object(entry, "metrics", _Metrics()),
            patch.object(entry, "logger", quiet),
            patch.object(policy, "rules", _Once(policy.rules)),
            patch.object(ChangeLogSource, "_policy_digest", _digest_once(ChangeLogSource._policy_digest)),
        ):
            yield
    finally:
        root.removeHandler(logged)
        root.propagate, root.level = before


class _Once:
    """Rules by policy and concern, computed once."""

    def __init__(self, rules: Callable[..., dict[str, Rule]]) -> None:
        self._rules = rules
        self._known: dict[tuple[int, str], tuple[Policy, dict[str, Rule]]] = {}

    def __call__(self, given: Policy, concern: str, fields: Any) -> dict[str, Rule]:
        key = (id(given), concern)
        if key not in self._known:
            self._known[key] = (given, self._rules(given, concern, fields))  # kept alive, so that the id stays its own
        return self._known[key][1]


def _digest_once(digest: Callable[[Any], str]) -> Callable[[Any], str]:
    known: dict[int, tuple[Policy, str]] = {}

    def once(self: Any) -> str:
        given = self._run.policy
        if id(given) not in known:
            known[id(given)] = (given, digest(self))
        return known[id(given)][1]

    return once
