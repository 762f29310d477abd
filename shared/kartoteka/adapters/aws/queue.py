"""The concerns' SQS FIFO queues: the port :class:`~kartoteka.ports.queue.WorkQueue`.

A message is ``{"v": 1, "concern": …, "clients": […], "found_by": …}``, or ``"groups"``: keys, never data, and
the pass that found them. All clients of one shard travel in one message group, and all discount groups in another, so
one worker at a time holds a key. Each message has an identity of its own: SQS would drop a second message with equal
content for five minutes, and a key that comes back is news.
"""

from __future__ import annotations

import json
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kartoteka.adapters.aws.clients import OfService, translated
from kartoteka.errors import Halt, Retry
from kartoteka.model import FoundBy, Owner
from kartoteka.pieces import fitting, pieces
from kartoteka.ports.queue import Depth, Passes, Redriven, is_sendable, pass_of, read

VERSION = 1
CHUNK = 100
"""Keys of one message."""
LARGEST_BODY = 15_000
"""Bytes of one message's keys, half of which may stand there twice; ten messages of a batch stay below SQS's limit for
a batch, once 256 KB."""
BATCH = 10
"""Messages of one SendMessageBatch."""
ATTEMPTS = 4
"""Sends of an entry that the queue did not take, the first included."""

HIDDEN = 120
"""Seconds for which a dead letter that is being moved is kept from others."""

COUNTS = tuple(f"ApproximateNumberOfMessages{each}" for each in ("", "Delayed", "NotVisible"))
REDRIVE = "RedrivePolicy"
"""Attributes of a queue."""

Entry = dict[str, str]


class SqsQueue(OfService):
    """One queue for each concern, by its URL."""

    service = "sqs"

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        shards: int = 1,
        make_client: Callable[[], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._urls = dict(urls)
        self._shards = shards
        super().__init__(make_client)
        self._sleep = sleep

    def send(self, concern: str, owners: Sequence[Owner], found_by: Passes = FoundBy.FOLLOWING) -> int:
        """Hand these keys to the concern's queue in chunks; return the number of chunks, all of them taken."""
        url = self._url(concern)
        clients = chunks([owner.client_id for owner in owners if owner.client_id], self._shards)
        groups = chunks([owner.group_id for owner in owners if owner.group_id], 1)  # one worker gives them numbers
        entries = [_entry(concern, f"shard-{n}", [Owner(key) for key in keys], found_by) for n, keys in clients]
        entries += [_entry(concern, "groups", [Owner(group_id=key) for key in keys], found_by) for _, keys in groups]
        for some in pieces(entries, BATCH):
            self._send_all(url, some)
        return len(entries)

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        """Make messages that were received and not worked visible again after ``seconds``.

        One that the queue no longer knows by this receipt is left alone: it comes back by itself.
        """
        self._show(self._url(concern), receipts, seconds)

    def _show(self, url: str, receipts: Sequence[str], seconds: int) -> None:
        """Make messages that were received visible again after so many seconds."""
        for some in pieces(receipts, BATCH):
            entries = [
                {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": seconds} for n, receipt in enumerate(some)
            ]
            with translated("sqs"):
                self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)

    def left(self) -> Mapping[str, int]:
        """Return concern -> about how many messages wait or are worked."""
        return {concern: self._count(url) for concern, url in self._urls.items()}

    def depths(self) -> Mapping[str, Depth]:
        """Return concern -> how full its queue is; the dead letters are found by the queue's own redrive policy."""
        return {concern: self._depth(url) for concern, url in self._urls.items()}

    def _depth(self, url: str) -> Depth:
        found = self._attributes(url, *COUNTS, REDRIVE)
        dead = _dead_letters(url, found)
        waiting, delayed, in_flight = (int(found.get(name, 0)) for name in COUNTS)
        return Depth(waiting + delayed, in_flight, self._count(dead) if dead else 0)

    def redrive(self, concern: str, most: int) -> Redriven:
        """Bring up to so many of the concern's dead letters back to its queue."""
        url = self._url(concern)
        dead = _dead_letters(url, self._attributes(url, REDRIVE))
        if not dead:
            raise Halt("sqs", f"the queue of {concern} has no dead-letter queue")
        there, messages, odd, owners = self._count(dead), 0, 0, dict[Owner, None]()
        aside: dict[str, None] = {}
        while messages < most and (batch := self._receive(dead, min(BATCH, most - messages + len(aside)))):
            moved = [each for each in batch if is_sendable(each["Body"])]
            left = [each for each in batch if each not in moved]
            self._show(dead, [each["ReceiptHandle"] for each in left], 0)  # they hold up those behind them
            if not moved and all(each["MessageId"] in aside for each in left):
                break
            found = [read(each["Body"], concern) for each in moved]
            keys = dict.fromkeys(owner for message in found if message for owner in message.owners)
            self.send(concern, list(keys), FoundBy.RETRY)
            unread = [each["Body"] for each, message in zip(moved, found, strict=True) if message is None]
            for body in unread:  # one at a time: a message may be as large as a whole batch
                self._send_all(url, [_sent(body, "shard-0")])
            self._delete(dead, moved)
            messages, odd, owners = messages + len(moved), odd + len(unread), owners | keys
            aside |= dict.fromkeys(each["MessageId"] for each in left)
        return Redriven(there, messages, list(owners), odd, tuple(aside))

    def _receive(self, url: str, most: int) -> Sequence[Mapping[str, Any]]:
        with translated("sqs"):
            answer = self._client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=most, VisibilityTimeout=HIDDEN, WaitTimeSeconds=1
            )
        found: Sequence[Mapping[str, Any]] = answer.get("Messages", ())
        return found

    def _delete(self, url: str, batch: Sequence[Mapping[str, Any]]) -> None:
        """What is not deleted comes up again, and is brought back again."""
        if not batch:
            return
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(batch)]
        with translated("sqs"):
            self._client.delete_message_batch(QueueUrl=url, Entries=entries)

    def _count(self, url: str) -> int:
        return sum(int(count) for count in self._attributes(url, *COUNTS).values())

    def _attributes(self, url: str, *names: str) -> Mapping[str, str]:
        with translated("sqs"):
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        found: Mapping[str, str] = answer.get("Attributes", {})
        return found

    def _url(self, concern: str) -> str:
        if concern not in self._urls:
            raise Halt("sqs", f"no queue is configured for the concern {concern}")
        return self._urls[concern]

    def _send_all(self, url: str, entries: Sequence[Entry]) -> None:
        """Send one batch, and again what the queue did not take of it."""
        left = list(entries)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(0.1 * 2**attempt)
            left = self._send_batch(url, left)
            if not left:
                return
        raise Retry("sqs")

    def _send_batch(self, url: str, entries: Sequence[Entry]) -> list[Entry]:
        with translated("sqs"):
            answer = self._client.send_message_batch(QueueUrl=url, Entries=list(entries))
        taken = {each["Id"] for each in answer.get("Successful", ())}
        return [entry for entry in entries if entry["Id"] not in taken]


def shard(key: str, shards: int) -> int:
    """Return the shard of a key: always the same one, in every process."""
    return zlib.crc32(key.encode()) % shards


def chunks(ids: Sequence[str], shards: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (shard, keys), each key once, at most ``CHUNK`` keys and ``LARGEST_BODY`` bytes together."""
    by_shard: dict[int, list[str]] = {}
    for key in dict.fromkeys(ids):
        by_shard.setdefault(shard(key, shards), []).append(key)
    for number, keys in by_shard.items():
        for chunk in fitting(keys, CHUNK, LARGEST_BODY, lambda key: len(json.dumps(key)) + 1):
            yield number, chunk


def _dead_letters(url: str, found: Mapping[str, str]) -> str:
    """Return the address of a queue's dead letters, by its redrive policy; empty where it has none."""
    target = json.loads(found.get(REDRIVE, "{}")).get("deadLetterTargetArn", "")
    return f"{url.rpartition('/')[0]}/{target.rpartition(':')[2]}" if target else ""


def _entry(concern: str, message_group: str, owners: Sequence[Owner], found_by: Passes) -> Entry:
    """Return what sends these keys, each with the pass that found it: most of them by one, which is said once."""
    what = "groups" if owners[0].group_id else "clients"
    passes = {owner.group_id or owner.client_id: pass_of(owner, found_by) for owner in owners}
    ((most, _),) = Counter(passes.values()).most_common(1)
    otherwise: dict[str, list[str]] = {}
    for key, word in passes.items():
        if word != most:
            otherwise.setdefault(word, []).append(key)
    body = {"v": VERSION, "concern": concern, what: list(passes), "found_by": most}
    body |= {"otherwise": otherwise} if otherwise else {}
    return _sent(json.dumps(body, separators=(",", ":")), message_group)


def _sent(body: str, message_group: str) -> Entry:
    identity = uuid.uuid4().hex
    return {"Id": identity, "MessageBody": body, "MessageGroupId": message_group, "MessageDeduplicationId": identity}
