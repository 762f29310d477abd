"""`kartoteka redrive`: bring a concern's dead letters back to its queue.

The keys of readable messages are sent anew, in today's shards; a message that nobody can read goes back as it is, and
will return. Each message is deleted only after the queue has taken what was in it, so a crash doubles keys, which costs
a look, and loses none.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress

from cli import cloud, show
from cli import stack as stacks
from cli.erp import stack_name
from cli.exits import Unavailable, told
from cli.stack import Stack
from kartoteka.adapters.aws.queue import VERSION, SqsQueue
from kartoteka.core.concerns import CONCERNS, GROUPS, carried

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10
HIDDEN = 120
"""Seconds for which a message that is being moved is kept from others."""

Message = Mapping[str, Any]


@click.command()
@click.argument("concern", type=click.Choice([*CONCERNS]))
@stack_name
@show.as_json
@told()
def redrive(concern: str, name: str | None, as_json: bool) -> None:
    """Bring the messages that failed twenty times back to their queue, once what made them fail is mended."""
    stack = stacks.find(name)
    dead = cloud.dead_letters(stack).get(concern)
    if dead is None:
        raise Unavailable(f"the stack {stack.name} has no dead-letter queue for {concern}")
    move = _Move(stack, concern, dead)
    move.run()
    customers, groups = move.keys[concern], move.keys[GROUPS.name]
    if as_json:
        of_groups = {"groups": groups} if GROUPS.name in carried(concern) else {}
        show.document(
            {"concern": concern, "messages": move.messages, "customers": customers, **of_groups, "odd": move.odd}
        )
        return
    what = [show.counted(customers, "customer"), *([show.counted(groups, "discount group")] if groups else [])]
    click.echo(f"back in the queue of {concern}: {show.counted(move.messages, 'message')} with {' and '.join(what)}")
    if move.odd:
        click.echo(f"not readable by this version, and so about to return: {show.counted(move.odd, 'message')}")


@dataclass(slots=True)
class _Move:
    """One redrive. It ends with the messages that were there when it began, not with those that fail meanwhile.

    ``keys`` counts what was brought back, by the name in its message: customers by that of the concern.
    """

    stack: Stack
    concern: str
    dead: str
    messages: int = 0
    odd: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    _queue: SqsQueue = field(init=False)
    _sqs: SQSClient = field(init=False)

    def __post_init__(self) -> None:
        self._queue = cloud.queue(self.stack)
        self._sqs = self.stack.sqs()

    def run(self) -> None:
        console = Console(stderr=True)
        there = cloud.waiting(self._sqs, self.dead)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task(f"{self.concern}: back to the queue", total=there)
            while self.messages < max(there, 1) and (batch := self._receive()):
                self._bring_back(batch)
                progress.advance(bar, len(batch))

    def _receive(self) -> Sequence[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=BATCH, VisibilityTimeout=HIDDEN, WaitTimeSeconds=1
        )
        return answer.get("Messages", [])

    def _bring_back(self, batch: Sequence[Message]) -> None:
        kinds = carried(self.concern)
        readable = [found for message in batch if (found := _keys(message["Body"], kinds)) is not None]
        odd = [message for message in batch if _keys(message["Body"], kinds) is None]
        for kind in kinds:
            keys = list(dict.fromkeys(key for name, some in readable if name == kind for key in some))
            if keys:
                self._queue.send(kind, keys)
            self.keys[kind] += len(keys)
        for message in odd:
            self._send_as_it_is(message)
        self._delete(batch)
        self.messages += len(batch)
        self.odd += len(odd)

    def _send_as_it_is(self, message: Message) -> None:
        self._sqs.send_message(
            QueueUrl=self.stack.queues[self.concern],
            MessageBody=message["Body"],
            MessageGroupId="shard-0",
            MessageDeduplicationId=uuid.uuid4().hex,
        )

    def _delete(self, batch: Sequence[Message]) -> None:
        """What is not deleted comes up again, and is brought back again."""
        entries: list[Any] = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(batch)]
        self._sqs.delete_message_batch(QueueUrl=self.dead, Entries=entries)


def _keys(body: str, kinds: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return which of these kinds a message is, with its keys; None where it is none."""
    try:
        message = json.loads(body)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("v") != VERSION or message.get("concern") not in kinds:
        return None
    keys = message.get("keys")
    return (message["concern"], keys) if isinstance(keys, list) and all(isinstance(key, str) for key in keys) else None
