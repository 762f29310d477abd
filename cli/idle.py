"""When has a stack nothing left to do?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.show import said
from cli.stack import Stack
from kartoteka.sync.retry import BRAKE

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

QUIET_ROUNDS = 2
QUIET_ROUNDS_IN_THE_CLOUD = 3
"""SQS counts are approximate: one round of zeros proves little."""
COUNTS: Sequence[QueueAttributeNameType] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
FAILED = "FAILED"
MOMENT = 3.0


class Idle:
    """Watches the queues until all are empty.

    A worker hands keys to another queue before its own message is gone, and the queues are counted one after the
    other: so the zeros must hold for some rounds in which no worker has finished either.
    """

    def __init__(self, stack: Stack, began: datetime) -> None:
        """Watch this stack for what happened since ``began``."""
        self._stack = stack
        self._since = began.isoformat(timespec="milliseconds")  # as run summaries are named
        self._sqs = stack.sqs()
        self._table = stack.dynamodb()
        self._lambda = stack.lambdas()
        self._needed = QUIET_ROUNDS if stack.endpoint else QUIET_ROUNDS_IN_THE_CLOUD
        self._quiet = 0
        self._finished = -1
        self._left: Mapping[str, int] = {}
        self._trouble: dict[str, float] = {}
        self.paused: dict[str, str] = {}
        """Concern -> reason of those that are paused, or were stopped by the brake meanwhile: nobody waits for them."""

    def __str__(self) -> str:
        """Say what is waited for."""
        waiting = (said("{concern}: {n} waiting", concern=each, n=self._left[each]) for each in self.busy)
        return ", ".join(waiting) or said("the last worker")

    @property
    def busy(self) -> Sequence[str]:
        """Return the concerns whose queues held messages at the last count."""
        return [concern for concern, count in self._left.items() if count]

    def reached(self) -> bool:
        """Count once more; tell whether there is nothing left to do."""
        runs = self._runs()
        self.paused |= {item["concern"]["S"]: BRAKE for item in runs if "braked" in item}
        watched = {concern: url for concern, url in self._stack.queues.items() if concern not in self.paused}
        self._left = {concern: self._count(url) for concern, url in watched.items()}
        finished = len(runs)
        calm = not any(self._left.values()) and finished == self._finished
        self._finished = finished
        self._quiet = self._quiet + 1 if calm else 0
        return self._quiet >= self._needed

    def failed(self) -> Sequence[str]:
        """Return the concerns that have a batch which failed and waits for its next try, some minutes (locally only).

        The mapping tells of its last batch alone, so a failure is remembered here until the queue is empty.
        """
        now = time.monotonic()
        for concern in self._mappings_in_trouble():
            self._trouble.setdefault(concern, now)
        self._trouble = {concern: since for concern, since in self._trouble.items() if self._left.get(concern)}
        return sorted(concern for concern, since in self._trouble.items() if now - since > MOMENT)

    def runs(self) -> Sequence[Mapping[str, int]]:
        """Return the figures of the worker runs since the beginning."""
        return [{name: int(value["N"]) for name, value in item.items() if "N" in value} for item in self._runs()]

    def _runs(self) -> Sequence[Mapping[str, Any]]:
        names = {"#k": "pk", "#s": "sk"}
        pages = self._table.get_paginator("query").paginate(
            TableName=self._stack.table,
            ConsistentRead=True,
            KeyConditionExpression="#k = :run AND #s >= :since",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":run": {"S": "run"}, ":since": {"S": self._since}},
        )
        return [item for page in pages for item in page["Items"]]

    def _count(self, url: str) -> int:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)["Attributes"]
        return sum(int(attributes.get(name, "0")) for name in COUNTS)

    def _mappings_in_trouble(self) -> frozenset[str]:
        """Return the concerns whose event source mapping says that its last batch failed."""
        if self._stack.endpoint is None:
            return frozenset()
        return frozenset(
            concern
            for concern, uuid in self._stack.mappings.items()
            if self._lambda.get_event_source_mapping(UUID=uuid).get("LastProcessingResult") == FAILED
        )
