"""Lambda's part: it starts the functions' process, fires schedules, and carries messages from the queues to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bench import cloud
from bench.counting import Counting, watch_client
from bench.processes import GRACE, BenchFailure, stop, tail
from local import ministack
from local.home import ROOT

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

FEED = "panel_feed"
SCHEDULES = (FEED, "accounts", "billing", "shops", "delivery_addresses", "discounts", "credit")
"""In this order: what the functions write comes back in the feed of the next tick, not of the same one."""
WAKE = {"v": 1, "move": "collect"}
AT_ONCE = {**WAKE, "due": "all"}
"""Wakes the feed as a tick does, whatever it waits for."""
PASS = ("delivery_addresses", {**AT_ONCE, "move": "rotate"})
"""The function and the event of the pass over the panel's addresses, on a schedule of its own; also as in a tick."""
BATCH = 10
"""Messages of one event, as in template.yaml (and the most that a FIFO queue allows)."""
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


class Functions:
    """The functions in their process. Every method raises BenchFailure where a function failed."""

    def __init__(self, orders: IO[bytes], answers: IO[bytes], log: Path) -> None:
        self._orders = orders
        self._answers = answers
        self._log = log

    def invoke(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the function answers to an event."""
        answer: Mapping[str, Any] = self._ask({"do": "invoke", "function": function, "event": event})
        return answer

    def shift_clock(self, seconds: float) -> None:
        """Let the functions' clock run ahead."""
        self._ask({"do": "shift", "seconds": seconds})

    def figures(self) -> dict[str, Any]:
        """Return what the process has used, and what it has counted since the last time."""
        figures: dict[str, Any] = self._ask({"do": "figures"})
        return figures

    def log_bytes(self) -> int:
        """Return how much the functions have logged."""
        return self._log.stat().st_size

    def _ask(self, order: Mapping[str, Any]) -> Any:
        self._orders.write(json.dumps(order).encode() + b"\n")
        self._orders.flush()
        line = self._answers.readline()
        answer = json.loads(line) if line else {"error": "the functions' process ended"}
        if "error" in answer:
            raise BenchFailure(f"a function failed: {answer['error']}\n{tail(self._log)}")
        return answer["ok"]


@contextmanager
def environment(stack: cloud.Stack, log: Path) -> Iterator[Functions]:
    """Give the functions in a fresh process; it is gone when the block is left."""
    reading, writing = os.pipe()
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with log.open("wb") as output, os.fdopen(reading, "rb") as answers:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", str(writing)],
            cwd=ROOT,
            env={**kept, **stack.environment, "TZ": "UTC", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        assert process.stdin is not None
        try:
            yield Functions(process.stdin, answers, log)
            process.stdin.close()
            process.wait(GRACE)
        finally:
            stop(process)


class Poller:
    """Carries messages to the functions. ``counting`` counts its requests, which the account pays for as well."""

    def __init__(self, endpoint: str, stack: cloud.Stack) -> None:
        self.counting = Counting()
        self._queues = stack.queues
        self._sqs: SQSClient = cloud.session().client("sqs", endpoint_url=endpoint, config=cloud.CONFIG)
        watch_client(self._sqs, self.counting)

    def tick(self, functions: Functions, *, at_once: bool = True) -> list[Mapping[str, Any]]:
        """Fire every schedule once and serve the queues until they are empty; return the schedules' answers.

        ``at_once``: the feed is asked whatever it waits for.
        """
        answers = [functions.invoke(name, AT_ONCE if at_once and name == FEED else WAKE) for name in SCHEDULES]
        self.serve(functions)
        return answers

    def serve(self, functions: Functions) -> None:
        """Serve the queues until they are empty."""
        while self._round(functions):
            pass

    def left(self) -> int:
        """Return how many messages lie in the queues, hidden ones among them."""
        names: Sequence[Any] = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        told = [self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names) for url in self._queues.values()]
        return sum(int(each["Attributes"][name]) for each in told for name in names)

    def _round(self, functions: Functions) -> bool:
        """Serve each queue once; return whether there was anything to do."""
        return True in [self._serve(functions, concern) for concern in self._queues]

    def _serve(self, functions: Functions, concern: str) -> bool:
        """Hand over one batch; return whether there was one."""
        url = self._queues[concern]
        found = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH, AttributeNames=["All"])
        messages = found.get("Messages", [])
        if not messages:
            return False
        answer = functions.invoke(concern, {"Records": [_record(concern, message) for message in messages]})
        if failed := answer["batchItemFailures"]:
            raise BenchFailure(f"{concern} could not work {len(failed)} of {len(messages)} messages")
        self._sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)],
        )
        return True


def _record(concern: str, message: MessageTypeDef) -> dict[str, Any]:
    """Return a message in the form in which Lambda hands it over."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{ministack.REGION}:000000000000:bench-{concern}.fifo",
        "awsRegion": ministack.REGION,
    }
