"""What every WorkQueue does: the one in memory, and SQS FIFO as moto plays it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any, Protocol

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kartoteka.adapters.aws.queue import ATTEMPTS, CHUNK, LARGEST_BODY, SqsQueue, chunks, shard
from kartoteka.errors import Halt, Retry
from kartoteka.model import FoundBy, Owner
from kartoteka.ports.queue import Depth, Redriven, WorkQueue, read
from tests.fakes.queue import FakeQueue


class World(Protocol):
    """A queue with a handle on its other end."""

    @property
    def queue(self) -> WorkQueue: ...
    def received(self, concern: str) -> list[tuple[Owner, ...]]: ...
    def passes(self, concern: str) -> list[dict[Owner, str]]: ...
    def bury(self, concern: str, *bodies: str) -> None: ...
    def odd(self, concern: str) -> list[str]: ...
    def break_after_one_chunk(self) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.queue: FakeQueue = FakeQueue()

    def received(self, concern: str) -> list[tuple[Owner, ...]]:
        return list(iter(lambda: self.queue.take(concern), None))

    def passes(self, concern: str) -> list[dict[Owner, str]]:
        return [dict(chunk.found_by) for chunk in iter(lambda: self.queue.take(concern), None)]

    def bury(self, concern: str, *bodies: str) -> None:
        self.queue.dead.setdefault(concern, []).extend(bodies)

    def odd(self, concern: str) -> list[str]:
        return self.queue.odd.get(concern, [])

    def break_after_one_chunk(self) -> None:
        self.queue.break_after(1)


class Flaky:
    """A client of SQS whose batches can lose entries."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.refusals = 0
        self.spare = 0
        self.keeps = 0
        self.batches: list[list[dict[str, str]]] = []
        self.visibilities: list[list[dict[str, Any]]] = []

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[Any]) -> Any:  # noqa: N803
        return self.client.get_queue_attributes(QueueUrl=QueueUrl, AttributeNames=AttributeNames)

    def receive_message(self, **given: Any) -> Any:
        hidden = 0 if self.keeps else given["VisibilityTimeout"]
        return self.client.receive_message(**{**given, "WaitTimeSeconds": 0, "VisibilityTimeout": hidden})

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        if self.keeps:
            self.keeps -= 1
            return {"Failed": [{"Id": each["Id"], "SenderFault": False, "Code": "x"} for each in Entries]}
        return self.client.delete_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.visibilities.append(Entries)
        return self.client.change_message_visibility_batch(QueueUrl=QueueUrl, Entries=Entries)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        self.batches.append(Entries)
        taken = Entries
        if self.refusals:
            self.refusals -= 1
            taken = Entries[: self.spare]
            self.spare = 0
        failed = [{"Id": each["Id"], "SenderFault": False, "Code": "x"} for each in Entries if each not in taken]
        answer = self.client.send_message_batch(QueueUrl=QueueUrl, Entries=taken) if taken else {}
        return {"Successful": answer.get("Successful", []), "Failed": failed}


class SqsWorld:
    def __init__(self, shards: int = 1) -> None:
        self.sqs = boto3.client("sqs", "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
        self.urls = {
            concern: self.sqs.create_queue(
                QueueName=f"{concern}.fifo",
                Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "false", "VisibilityTimeout": "60"},
            )["QueueUrl"]
            for concern in ("accounts", "billing", "discounts")
        }
        self.dead = {concern: self._give_dead_letters(url) for concern, url in self.urls.items()}
        self.flaky = Flaky(self.sqs)
        self.pauses: list[float] = []
        self.queue = SqsQueue(self.urls, shards=shards, make_client=lambda: self.flaky, sleep=self.pauses.append)

    def _give_dead_letters(self, url: str) -> str:
        dead: str = self.sqs.create_queue(
            QueueName=f"dead-{url.rpartition('/')[2]}", Attributes={"FifoQueue": "true", "VisibilityTimeout": "0"}
        )["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
        return dead

    def bury(self, concern: str, *bodies: str) -> None:
        for body in bodies:
            identity = uuid.uuid4().hex
            self.sqs.send_message(
                QueueUrl=self.dead[concern],
                MessageBody=body,
                MessageGroupId="g",
                MessageDeduplicationId=identity,
            )

    def odd(self, concern: str) -> list[str]:
        return [body for body in (each["Body"] for each in self.messages(concern)) if read(body, concern) is None]

    def messages(self, concern: str) -> list[Any]:
        """Receive and delete everything, in the queue's order."""
        found: list[Any] = []
        while batch := self.sqs.receive_message(
            QueueUrl=self.urls[concern], MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            found += batch
            for each in batch:
                self.sqs.delete_message(QueueUrl=self.urls[concern], ReceiptHandle=each["ReceiptHandle"])
        return found

    def received(self, concern: str) -> list[tuple[Owner, ...]]:
        found = [read(each["Body"], concern) for each in self.messages(concern)]
        assert None not in found, "what was sent can be read"
        return [tuple(message.owners) for message in found if message]

    def passes(self, concern: str) -> list[dict[Owner, str]]:
        found = [read(each["Body"], concern) for each in self.messages(concern)]
        return [message.passes for message in found if message]

    def break_after_one_chunk(self) -> None:
        self.flaky.refusals, self.flaky.spare = ATTEMPTS, 1


@pytest.fixture
def sqs() -> Iterator[SqsWorld]:
    with mock_aws():
        yield SqsWorld()


@pytest.fixture(params=["fake", "sqs"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return FakeWorld()
    found: SqsWorld = request.getfixturevalue("sqs")
    return found


def keys(count: int) -> list[str]:
    return [f"K-{n}" for n in range(count)]


def clients(*ids: str) -> list[Owner]:
    return [Owner(client_id=key) for key in ids]


def groups(*ids: str) -> list[Owner]:
    return [Owner(group_id=key) for key in ids]


def test_a_chunk_says_which_pass_has_found_each_of_its_keys(world: World) -> None:
    (a, b, c), (group,) = clients("a", "b", "c"), groups("a")
    world.queue.send("discounts", [a, group], FoundBy.FULL_SCAN)
    world.queue.send("discounts", [b])
    world.queue.send("discounts", [a, b, c], {a: FoundBy.CHANGE_LOG, b: FoundBy.RETRY})
    found = world.passes("discounts")
    assert found[-1] == {a: "change_log", b: "retry", c: "following"}
    assert sorted(map(str, found[:-1])) == sorted(map(str, [{a: "full_scan"}, {group: "full_scan"}, {b: "following"}]))


def test_every_key_arrives_once_in_chunks_of_a_hundred(world: World) -> None:
    assert world.queue.send("billing", clients(*keys(250))) == 3
    chunks = world.received("billing")
    assert [len(chunk) for chunk in chunks] == [100, 100, 50]
    assert [owner for chunk in chunks for owner in chunk] == clients(*keys(250))
    assert world.received("accounts") == []


def test_a_chunk_holds_clients_or_discount_groups(world: World) -> None:
    mixed = [*clients("a", "b"), *groups("a"), *clients("c"), *groups(*keys(150))]
    assert world.queue.send("discounts", mixed) == 3
    received = world.received("discounts")
    assert received == [tuple(clients("a", "b", "c")), tuple(groups("a", *keys(99))), tuple(groups(*keys(150)[99:]))]


def test_no_keys_are_no_chunk(world: World) -> None:
    assert world.queue.send("billing", []) == 0
    assert world.received("billing") == []


def test_a_key_given_twice_arrives_once(world: World) -> None:
    assert world.queue.send("billing", clients("a", "b", "a")) == 1
    assert world.received("billing") == [tuple(clients("a", "b"))]


def test_the_same_keys_sent_again_arrive_again(world: World) -> None:
    assert world.queue.send("billing", clients("a")) == world.queue.send("billing", clients("a")) == 1
    assert world.received("billing") == [tuple(clients("a"))] * 2


def test_a_queue_that_does_not_take_every_chunk_is_told(world: World) -> None:
    world.break_after_one_chunk()
    with pytest.raises(Retry):
        world.queue.send("billing", clients(*keys(250)))
    world.queue.send("billing", clients(*keys(250)))
    assert {owner for chunk in world.received("billing") for owner in chunk} == set(clients(*keys(250)))


def test_odd_keys_travel_unharmed(world: World) -> None:
    odd = ["żółw/7", 'a"b', "a,b", "\x01", "\U0001f600", " "]
    world.queue.send("discounts", [*clients(*odd), *groups(*odd)])
    assert world.received("discounts") == [tuple(clients(*odd)), tuple(groups(*odd))]


def test_bringing_back_nothing_is_fine(world: World) -> None:
    world.queue.bring_back("billing", [], seconds=30)


def test_it_is_known_how_many_messages_wait(world: World) -> None:
    world.queue.send("billing", clients(*keys(250)))
    found = world.queue.depths()
    assert (found["billing"], found["accounts"]) == (Depth(3, 0, 0), Depth(0, 0, 0))
    left = world.queue.left()
    assert (left["billing"], left["accounts"]) == (3, 0)
    world.received("billing")
    assert world.queue.depths()["billing"] == Depth(0, 0, 0)


def body(*ids: str, what: str = "clients", concern: str = "billing") -> str:
    return json.dumps({"v": 1, "concern": concern, what: ids})


def test_dead_letters_go_back_as_keys_and_no_more_than_are_wanted(world: World) -> None:
    world.bury("billing", *(body(f"K-{n}", "K-0") for n in range(25)))
    moved = world.queue.redrive("billing", 20)
    assert moved == Redriven(25, 20, clients(*keys(20)), 0)
    assert world.queue.depths()["billing"].dead == 5
    assert world.queue.redrive("billing", 100).messages == 5
    assert world.queue.redrive("billing", 100) == Redriven(0, 0, [], 0)
    assert {owner for chunk in world.received("billing") for owner in chunk} == set(clients(*keys(25)))
    assert world.queue.depths()["billing"] == Depth(0, 0, 0)


def test_a_dead_letter_that_nobody_can_read_goes_back_as_it_is(world: World) -> None:
    large = json.dumps({"v": 7, "of": "x" * 200_000})
    world.bury("billing", "not json", body("K-1"), "not json", large, large, body("K-2", concern="accounts"))
    moved = world.queue.redrive("billing", 10)
    assert (moved.messages, moved.owners, moved.odd) == (6, clients("K-1"), 5)
    assert world.queue.depths()["billing"] == Depth(6, 0, 0)
    assert sorted(world.odd("billing")) == sorted(
        ["not json", "not json", large, large, body("K-2", concern="accounts")]
    )


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    "odd",
    [
        body(""),
        body("a\0b"),
        body("x" * 2_000),
        body("\ud800"),
        "[" * 50_000,
        json.dumps({"v": 1, "concern": "billing", "clients": {"K-1": 1}}),
        json.dumps({"v": 1, "concern": "billing", "clients": [["K-1"]]}),
        json.dumps({"v": 1, "concern": ["billing"], "clients": ["K-1"]}),
        '{"v": 1e999, "concern": "billing", "clients": ["K-1"]}',
        "\N{REPLACEMENT CHARACTER}",
        " ",
    ],
)
def test_what_nobody_can_read_stops_no_other_dead_letter(world: World, odd: str) -> None:
    world.bury("billing", body("K-1"), odd, body("K-2"), odd)
    moved = world.queue.redrive("billing", 10)
    assert (moved.messages, set(moved.owners), moved.odd) == (4, set(clients("K-1", "K-2")), 2)
    assert world.odd("billing") == [odd, odd]


@pytest.mark.parametrize("odd", ["\0", "x\x1b", body("K-9") + "\uffff", "\ufffe"])
@pytest.mark.parametrize("many", [1, 3, 7])
def test_what_no_queue_takes_stays_where_it_is_and_is_named_and_the_rest_goes_on(
    world: World, odd: str, many: int
) -> None:
    world.bury("billing", *[odd] * many, *(body(f"K-{n}") for n in range(25)))
    moved = world.queue.redrive("billing", 100)
    assert (moved.messages, set(moved.owners), moved.odd) == (25, set(clients(*keys(25))), 0)
    assert len(moved.aside) == many
    assert world.queue.depths()["billing"].dead == many
    again = world.queue.redrive("billing", 100)
    assert (again.messages, len(again.aside)) == (0, many)


def test_dead_letters_of_groups_stay_groups(world: World) -> None:
    world.bury("discounts", body("a", what="groups", concern="discounts"), body("a", concern="discounts"))
    assert world.queue.redrive("discounts", 10).owners == [*groups("a"), *clients("a")]
    assert sorted(world.received("discounts")) == sorted([tuple(clients("a")), tuple(groups("a"))])


def test_what_the_queue_does_not_take_stays_among_the_dead(world: World) -> None:
    world.bury("billing", body(*keys(250)))
    world.break_after_one_chunk()
    with pytest.raises(Retry):
        world.queue.redrive("billing", 10)
    assert world.queue.depths()["billing"].dead == 1


# SQS alone


def test_half_of_a_surrogate_pair_stays_where_it_is_and_the_rest_goes_on(
    sqs: SqsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No service takes it by its own ways; the embedded AWS was seen to hand one out."""
    sqs.bury("billing", "mark", body("K-1"), body("K-2"))
    receive = sqs.queue._receive

    monkeypatch.setattr(
        sqs.queue,
        "_receive",
        lambda *a: [{**each, "Body": "\ud800" if each["Body"] == "mark" else each["Body"]} for each in receive(*a)],
    )
    moved = sqs.queue.redrive("billing", 10)
    assert (moved.messages, moved.owners, len(moved.aside)) == (2, clients("K-1", "K-2"), 1)


def test_what_is_worked_and_what_is_dead_is_counted_apart(sqs: SqsWorld) -> None:
    sqs.bury("billing", "x", "x")
    sqs.queue.send("billing", [*clients(*keys(300)), *groups("a")])
    sqs.sqs.receive_message(QueueUrl=sqs.urls["billing"], MaxNumberOfMessages=1)
    assert sqs.queue.depths()["billing"] == Depth(3, 1, 2)
    assert sqs.queue.left()["billing"] == 4
    sqs.sqs.delete_queue(QueueUrl=sqs.urls["accounts"])
    with pytest.raises(Halt):
        sqs.queue.depths()


def test_a_dead_letter_that_could_not_be_deleted_comes_again(sqs: SqsWorld) -> None:
    sqs.bury("billing", body("K-1"))
    sqs.flaky.keeps = 1
    assert sqs.queue.redrive("billing", 1).messages == sqs.queue.redrive("billing", 1).messages == 1
    assert sqs.received("billing") == [tuple(clients("K-1"))] * 2


def test_a_queue_without_dead_letters_has_none_to_bring_back(sqs: SqsWorld) -> None:
    sqs.sqs.set_queue_attributes(QueueUrl=sqs.urls["billing"], Attributes={"RedrivePolicy": ""})
    with pytest.raises(Halt):
        sqs.queue.redrive("billing", 1)


def test_messages_brought_back_are_visible_again_soon(sqs: SqsWorld) -> None:
    sqs.queue.send("billing", clients(*keys(1200)))
    url = sqs.urls["billing"]
    first = sqs.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    second = sqs.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    receipts = [each["ReceiptHandle"] for each in (*first, *second)]
    sqs.queue.bring_back("billing", [*receipts, "no-such-receipt"], seconds=30)
    asked = [each for batch in sqs.flaky.visibilities for each in batch]
    assert [each["ReceiptHandle"] for each in asked] == [*receipts, "no-such-receipt"]
    assert {each["VisibilityTimeout"] for each in asked} == {30}
    assert max(len(batch) for batch in sqs.flaky.visibilities) <= 10


def test_a_message_says_version_and_concern_and_travels_in_its_shards_group(sqs: SqsWorld) -> None:
    sqs.queue.send("billing", [*clients("a"), *groups("a")])
    found = {m["Attributes"]["MessageGroupId"]: json.loads(m["Body"]) for m in sqs.messages("billing")}
    assert found == {
        "shard-0": {"v": 1, "concern": "billing", "clients": ["a"], "found_by": "following"},
        "groups": {"v": 1, "concern": "billing", "groups": ["a"], "found_by": "following"},
    }


@pytest.mark.fault(26)
def test_a_key_always_travels_in_the_same_group(sqs: SqsWorld) -> None:
    queue = SqsQueue(sqs.urls, shards=4, make_client=lambda: sqs.sqs)
    assert queue.send("billing", clients(*keys(1000))) >= 10
    found: dict[str, set[str]] = {}
    for message in sqs.messages("billing"):
        for key in json.loads(message["Body"])["clients"]:
            found.setdefault(key, set()).add(message["Attributes"]["MessageGroupId"])
    assert found == {key: {f"shard-{shard(key, 4)}"} for key in keys(1000)}
    assert len(set.union(*found.values())) == 4


def test_discount_groups_travel_one_after_the_other_whatever_the_shards(sqs: SqsWorld) -> None:
    queue = SqsQueue(sqs.urls, shards=4, make_client=lambda: sqs.sqs)
    queue.send("billing", groups(*keys(300)))
    assert [message["Attributes"]["MessageGroupId"] for message in sqs.messages("billing")] == ["groups"] * 3


def test_shards_are_the_same_in_every_process() -> None:
    assert [shard(key, 1000) for key in ("K-1", "żółw", "K-2")] == [494, 830, 900]


def test_messages_go_ten_at_a_time_and_stay_below_the_limits(sqs: SqsWorld) -> None:
    long = [f"{n:04}" + "\U0001f600" * 36 for n in range(1500)]
    sqs.queue.send("billing", clients(*long))
    assert max(len(batch) for batch in sqs.flaky.batches) == 10
    assert max(sum(len(each["MessageBody"]) for each in batch) for batch in sqs.flaky.batches) < 256 * 1024
    assert [owner for chunk in sqs.received("billing") for owner in chunk] == clients(*long)


@pytest.mark.fault(72)
def test_chunks_are_bounded_in_keys_and_bytes() -> None:
    for _, chunk in chunks(["x" * 1000 + str(n) for n in range(200)] + ["y" * 30_000], 3):
        assert len(chunk) <= CHUNK
        assert len(chunk) == 1 or len(json.dumps(chunk)) <= LARGEST_BODY + 2


@pytest.mark.fault(38)
def test_entries_that_were_not_taken_are_sent_again_and_those_alone(sqs: SqsWorld) -> None:
    sqs.flaky.refusals, sqs.flaky.spare = 2, 1
    assert sqs.queue.send("billing", clients(*keys(500))) == 5
    assert [len(batch) for batch in sqs.flaky.batches] == [5, 4, 4]
    assert sorted(owner for chunk in sqs.received("billing") for owner in chunk) == sorted(clients(*keys(500)))
    assert len(sqs.pauses) == 2
    identities = [each["MessageDeduplicationId"] for batch in sqs.flaky.batches for each in batch]
    assert len(set(identities)) == 5


def test_a_concern_without_a_queue_and_a_queue_that_is_gone_halt(sqs: SqsWorld) -> None:
    with pytest.raises(Halt):
        sqs.queue.send("credit", clients("a"))
    sqs.sqs.delete_queue(QueueUrl=sqs.urls["billing"])
    with pytest.raises(Halt):
        sqs.queue.send("billing", clients("a"))


@pytest.mark.parametrize(("code", "kind"), [("RequestThrottled", Retry), ("AccessDenied", Halt)])
def test_errors_of_the_service_say_what_to_do(sqs: SqsWorld, code: str, kind: type[Exception]) -> None:
    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, "SendMessageBatch")

    sqs.flaky.send_message_batch = fail  # type: ignore[method-assign, assignment]
    with pytest.raises(kind):
        sqs.queue.send("billing", clients("a"))
