"""SQS FIFO queues as a client of boto sees them, for the real :class:`~kartoteka.adapters.aws.queue.SqsQueue`.

What SQS promises holds: the messages of a group come in their order, and none while another one of its group is being
worked. What it does not promise happens: a message comes again when its visibility timeout has passed, or when its
deletion was lost; what was received too often lies in the dead letters.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from kartoteka.fields.table import CONCERNS
from tests.simulation.clock import Clock

VISIBILITY = timedelta(seconds=720)
"""The template's."""
MOST_RECEIVES = 4
"""After so many receives a message is a dead letter. The template says 20: too many for a history to see one."""
BATCH = 10
URL = "https://sqs/"


@dataclass(slots=True)
class Stored:
    """A message: its group, until when nobody sees it, how often it was received, and the last receipt for it."""

    id: str
    group: str
    body: str
    hidden_until: datetime
    receives: int = 0
    receipt: str = ""


class Sqs:
    """The six concerns' queues and their dead letters: ``queues`` are the messages of each in their order, by name.

    ``throttled`` are so many next calls that fail; ``partial`` so many next sends of which the last entry is not taken.
    ``groups_lock`` False: the messages of a group come to several workers at once. ``bodies`` are all that was sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self.queues: dict[str, list[Stored]] = {name: [] for c in CONCERNS for name in (c, f"{c}-dead")}
        self.throttled = 0
        self.partial = 0
        self.groups_lock = True
        self.bodies: list[tuple[str, str, str]] = []

    # --- what the adapter calls

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> Any:  # noqa: N803
        self._maybe_throttle("SendMessageBatch")
        taken = list(Entries)
        if self.partial:
            self.partial -= 1
            taken = taken[:-1]
        for entry in taken:
            self.put(_name(QueueUrl), entry["MessageGroupId"], entry["MessageBody"])
        return {"Successful": [{"Id": entry["Id"]} for entry in taken]}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        self._maybe_throttle("ChangeMessageVisibilityBatch")
        by_receipt = {m.receipt: m for m in self.queues[_name(QueueUrl)] if m.receipt}
        for entry in Entries:
            if message := by_receipt.get(entry["ReceiptHandle"]):
                message.hidden_until = self._clock.now() + timedelta(seconds=int(entry["VisibilityTimeout"]))
        return {}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: Sequence[str]) -> Any:  # noqa: N803
        name = _name(QueueUrl)
        arn = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:eu-central-1:1:{name}-dead"})
        waiting = {"ApproximateNumberOfMessages": str(len(self.queues[name]))}
        return {"Attributes": {n: {"RedrivePolicy": arn, **waiting}.get(n, "0") for n in AttributeNames}}

    def receive_message(self, **given: Any) -> Any:
        found = self.receive(
            _name(given["QueueUrl"]), given["MaxNumberOfMessages"], timedelta(seconds=given["VisibilityTimeout"])
        )
        return {"Messages": [{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body} for m in found]}

    def delete_message_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> Any:  # noqa: N803
        self._maybe_throttle("DeleteMessageBatch")
        self.delete(_name(QueueUrl), [entry["ReceiptHandle"] for entry in Entries])
        return {}

    # --- what the service does

    def put(self, name: str, group: str, body: str) -> None:
        """Take a message in."""
        self.bodies.append((name, group, body))
        self.queues[name].append(Stored(f"m{next(self._ids)}", group, body, self._clock.now()))

    def receive(self, name: str, most: int = BATCH, visibility: timedelta = VISIBILITY) -> list[Stored]:
        """Hand out the messages that may be worked now; those that were received too often become dead letters."""
        now = self._clock.now()
        queue, found, locked = self.queues[name], list[Stored](), set[str]()
        for message in list(queue):
            if message.hidden_until > now:
                locked.add(message.group)
            elif message.group in locked and self.groups_lock:
                continue
            elif message.receives >= MOST_RECEIVES and not name.endswith("-dead"):
                queue.remove(message)
                self.queues[f"{name}-dead"].append(message)
                message.receives, message.hidden_until, message.receipt = 0, now, ""
            elif len(found) < most:
                message.receives += 1
                message.receipt = f"{message.id}:{message.receives}"
                message.hidden_until = now + visibility
                found.append(message)
        return found

    def delete(self, name: str, receipts: Sequence[str]) -> None:
        """Delete what was received; a receipt of an earlier time deletes nothing."""
        messages = self.queues[name]
        messages[:] = [m for m in messages if not m.receipt or m.receipt not in receipts]

    def purge(self) -> None:
        """Lose everything."""
        for messages in self.queues.values():
            messages.clear()

    def all_visible(self) -> datetime | None:
        """Return when the last message that is hidden now may be worked; None: there is no message."""
        waiting = [m.hidden_until for n, q in self.queues.items() if not n.endswith("-dead") for m in q]
        return max(waiting, default=None)

    def _maybe_throttle(self, operation: str) -> None:
        if self.throttled:
            self.throttled -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)


def urls() -> dict[str, str]:
    """Return concern -> the address of its queue."""
    return {concern: URL + concern for concern in CONCERNS}


def _name(url: str) -> str:
    return url.rpartition("/")[2]
