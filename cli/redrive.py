"""`kartoteka redrive`: bring a concern's dead letters back to its queue.

The keys of readable messages are sent anew, in today's shards; a message that nobody can read goes back as it is, and
will return. Each message is deleted only after the queue has taken what was in it, so a crash doubles keys, which costs
a panel call, and loses none.
"""

from __future__ import annotations

import uuid
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
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.fields.table import CONCERNS
from kartoteka.ports.queue import read

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
    """Bring the messages that failed twenty times back to their queue, once what made them fail is corrected."""
    stack = stacks.find(name)
    dead = cloud.dead_letters(stack).get(concern)
    if dead is None:
        raise Unavailable(
            show.said("the stack {stack} has no dead-letter queue for {concern}", stack=stack.name, concern=concern)
        )
    move = _Move(stack, concern, dead)
    move.run()
    if as_json:
        groups = {"groups": move.groups} if CONCERNS[concern].groups else {}
        show.document(
            {"concern": concern, "messages": move.messages, "clients": move.clients, **groups, "odd": move.odd}
        )
        return
    keys = show.many(move.clients, "client")
    if move.groups:
        keys = show.said("{one} and {other}", one=keys, other=show.many(move.groups, "discount group"))
    messages = show.many(move.messages, "message")
    show.say("back in the queue of {concern}: {messages} with {keys}", concern=concern, messages=messages, keys=keys)
    if move.odd:
        odd = show.many(move.odd, "message")
        show.say("not readable by this version, and so about to return: {messages}", messages=odd)


@dataclass(slots=True)
class _Move:
    """One redrive. It ends with the messages that were there when it began, not with those that fail meanwhile.

    ``clients`` and ``groups`` count the keys that were brought back, ``odd`` the messages that nobody can read.
    """

    stack: Stack
    concern: str
    dead: str
    messages: int = 0
    odd: int = 0
    clients: int = 0
    groups: int = 0
    _queue: SqsQueue = field(init=False)
    _sqs: SQSClient = field(init=False)

    def __post_init__(self) -> None:
        self._queue = cloud.queue(self.stack)
        self._sqs = self.stack.sqs()

    def run(self) -> None:
        console = Console(stderr=True)
        there = cloud.waiting(self._sqs, self.dead)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task(show.said("{concern}: back to the queue", concern=self.concern), total=there)
            while self.messages < max(there, 1) and (batch := self._receive()):
                self._bring_back(batch)
                progress.advance(bar, len(batch))

    def _receive(self) -> Sequence[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=BATCH, VisibilityTimeout=HIDDEN, WaitTimeSeconds=1
        )
        return answer.get("Messages", [])

    def _bring_back(self, batch: Sequence[Message]) -> None:
        found = [read(message["Body"], self.concern) for message in batch]
        owners = list(dict.fromkeys(owner for each in found if each for owner in each.owners))
        if owners:
            self._queue.send(self.concern, owners)
        odd = [message for message, each in zip(batch, found, strict=True) if each is None]
        for message in odd:
            self._send_as_it_is(message)
        self._delete(batch)
        self.messages += len(batch)
        self.odd += len(odd)
        self.groups += sum(bool(owner.group_id) for owner in owners)
        self.clients += sum(bool(owner.client_id) for owner in owners)

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
