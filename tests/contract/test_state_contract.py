"""What every SyncState does: the one in memory, and DynamoDB as moto plays it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kartoteka.adapters.pace import HORIZON, LEAD
from kartoteka.adapters.state import DynamoState
from kartoteka.errors import Halt, Retry
from kartoteka.ports import Lease, SyncState
from tests.fakes.state import FakeState

NOW = 1_790_000_000.25
A_MONTH = 30 * 86_400.0


def at(moment: Any) -> Any:
    """Equal to the millisecond: the default tolerance of approx is half an hour at such numbers."""
    return pytest.approx(moment, rel=0, abs=1e-3)


MakeState = Callable[[], SyncState]


def create_table(name: str = "state") -> Any:
    client = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return client


class Counting:
    """A client that counts what it is asked, and can be told to fail."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.asked: list[str] = []
        self.before: Callable[[str], None] | None = None
        self.after: Callable[[str], None] | None = None

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.asked.append(name)
            if self.before:
                self.before(name)
            answer = getattr(self.client, name)(**arguments)
            if self.after:
                self.after(name)
            return answer

        return call


@pytest.fixture
def aws() -> Iterator[Counting]:
    with mock_aws():
        yield Counting(create_table())


@pytest.fixture(params=["fake", "dynamodb"])
def make(request: pytest.FixtureRequest) -> MakeState:
    """Return what makes one more process's view of the same state."""
    if request.param == "fake":
        shared = FakeState()
        return lambda: shared
    client = request.getfixturevalue("aws")
    return lambda: DynamoState("state", lambda: client, sleep=lambda _: None)


@pytest.fixture
def state(make: MakeState) -> SyncState:
    return make()


def lease(
    state: SyncState, calls: int, now: float = NOW, rate: float = 5.0, budget: int | None = None, **more: Any
) -> Lease:
    return state.lease(calls, now=now, rate=rate, budget=budget, **more)


def fill(state: SyncState, seconds: float = LEAD, now: float = NOW, rate: float = 5.0) -> float:
    """Lease what reaches this far ahead; return the next free slot."""
    end = now
    while end < now + seconds - 1e-6:
        taken = lease(state, 100, now=now, rate=rate)
        end = taken.start + taken.calls * taken.interval
    return end


# documents


def test_a_document_that_was_never_saved_has_version_0(state: SyncState) -> None:
    assert (state.load("feed").document, state.load("feed").version) == (None, 0)


def test_a_saved_document_comes_back_as_it_was(make: MakeState) -> None:
    document = {"seq": 2**60, "gaps": [[1, 2], [7, 7]], "mark": "żółw", "since": None, "deep": {"a": [True, 1.5]}}
    assert make().save("accounts", document, version=0)
    stored = make().load("accounts")
    assert (stored.document, stored.version) == (document, 1)
    assert make().load("billing").version == 0


def test_only_one_of_two_savers_of_a_version_wins(make: MakeState) -> None:
    one, two = make(), make()
    assert one.save("feed", {"by": 1}, version=0)
    assert not two.save("feed", {"by": 2}, version=0)
    assert two.save("feed", {"by": 2}, version=1)
    assert not one.save("feed", {"by": 1}, version=1)
    assert not one.save("feed", {"by": 1}, version=7)
    assert (one.load("feed").document, one.load("feed").version) == ({"by": 2}, 2)


def test_an_equal_document_of_an_older_version_is_still_refused(state: SyncState) -> None:
    assert state.save("feed", {"by": 1}, version=0)
    assert not state.save("feed", {"by": 1}, version=0)


def test_a_loaded_document_is_a_copy(state: SyncState) -> None:
    document = {"gaps": [1]}
    state.save("feed", document, version=0)
    document["gaps"].append(2)
    loaded = state.load("feed").document
    assert loaded == {"gaps": [1]}


# pace


def test_leases_follow_each_other_at_the_rate(make: MakeState) -> None:
    one, two = make(), make()
    assert lease(one, 10) == Lease(10, NOW, 0.2)
    second = lease(two, 5, now=NOW + 0.5)
    assert second.calls == 5
    assert second.start == at(NOW + 2.0)
    third = lease(one, 1, now=NOW + 0.6)
    assert third.start == at(NOW + 3.0)


def test_idle_time_saves_up_nothing(state: SyncState) -> None:
    lease(state, 1)
    assert lease(state, 3, now=NOW + 60) == Lease(3, NOW + 60, 0.2)


def test_a_429_halves_the_pace_for_all_and_silences_them(make: MakeState) -> None:
    one, two = make(), make()
    lease(two, 1)
    one.slow_down(now=NOW, rate=5.0, wait=3.0)
    slow = lease(two, 4, now=NOW + 0.1)
    assert slow.start == at(NOW + 3.0)
    assert slow.interval == pytest.approx(1 / 2.5, rel=0.02)


def test_several_429_of_one_storm_count_once_and_the_longest_silence_counts(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=8.0, wait=1.0)
    two.slow_down(now=NOW + 0.5, rate=8.0, wait=9.0)
    one.slow_down(now=NOW + 0.6, rate=8.0, wait=1.0)
    slow = lease(one, 1, now=NOW + 0.6, rate=8.0)
    assert slow.start == at(NOW + 9.5)
    assert slow.interval == pytest.approx(1 / 4.0, rel=0.05)


def test_storms_slow_further_but_never_to_a_standstill(state: SyncState) -> None:
    for n in range(40):
        state.slow_down(now=NOW + n, rate=5.0, wait=0.0)
    interval = lease(state, 1, now=NOW + 39).interval
    assert 2.0 < interval <= 10.0


def test_a_short_silence_does_not_hand_out_leased_calls_again(state: SyncState) -> None:
    taken = fill(state, 4.0)
    state.slow_down(now=NOW, rate=5.0, wait=1.0)
    assert lease(state, 1).start == at(taken)


def test_quiet_raises_the_pace_again_up_to_the_policy(state: SyncState) -> None:
    state.slow_down(now=NOW, rate=5.0, wait=0.0)
    rates = [1 / lease(state, 1, now=NOW + after).interval for after in (1, 10, 20, 31, 3600)]
    assert rates == sorted(rates)
    assert rates[0] < 2.7
    assert rates[-2:] == pytest.approx([5.0, 5.0])


def test_a_lower_rate_of_the_policy_counts_at_once(state: SyncState) -> None:
    lease(state, 1, rate=5.0)
    assert lease(state, 1, now=NOW + 10, rate=1.0).interval == pytest.approx(1.0)


def test_what_is_too_far_ahead_is_put_off_and_takes_nothing(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=5.0, wait=HORIZON + 5)
    for _ in range(3):
        with pytest.raises(Retry) as refusal:
            lease(two, 100)
        assert refusal.value.code == "pace"
        assert refusal.value.after == pytest.approx(HORIZON + 5)
    assert lease(two, 1, now=NOW + HORIZON).start == at(NOW + HORIZON + 5)


def test_the_months_budget_ends_and_begins_anew(make: MakeState) -> None:
    one, two = make(), make()
    assert lease(one, 8, budget=10).calls == 8
    assert lease(two, 8, now=NOW + 9, budget=10).calls == 2
    for each in (one, two):
        with pytest.raises(Retry) as refusal:
            lease(each, 1, now=NOW + 20, budget=10)
        assert refusal.value.code == "budget"
    assert lease(one, 1, now=NOW + 20, budget=11).calls == 1
    assert lease(two, 4, now=NOW + A_MONTH, budget=10).calls == 4


def test_calls_that_were_never_made_go_back_to_the_budget(make: MakeState) -> None:
    one, two = make(), make()
    lease(one, 10, budget=10)
    assert lease(two, 10, now=NOW + 9, budget=10, unused=6).calls == 6
    with pytest.raises(Retry):
        lease(two, 1, now=NOW + 19, budget=10)
    assert lease(one, 5, now=NOW + 19, budget=10, unused=3).calls == 3


def test_all_leases_together_reach_a_few_seconds_ahead_in_ever_smaller_blocks(make: MakeState) -> None:
    one, two = make(), make()
    sizes = [lease(each, 100, rate=8.0).calls for each in (one, two) * 4]
    assert sizes == [16, 8, 4, 2, 1, 1, 1, 1]
    assert lease(one, 100, now=NOW + 2.25, rate=8.0).calls == 8


# urgent calls


def test_an_urgent_call_goes_ahead_of_what_others_have_leased_one_slot_a_lease(make: MakeState) -> None:
    ordinary, urgent = make(), make()
    taken = fill(ordinary)
    assert lease(urgent, 5, now=NOW + 0.1, urgent=True) == Lease(1, at(NOW + 0.1), at(0.2))
    assert lease(ordinary, 1, now=NOW + 0.1).start == at(taken + 0.2)


def test_urgent_calls_ahead_follow_each_other_at_half_the_rate_whoever_makes_them(make: MakeState) -> None:
    one, two = make(), make()
    fill(one)
    starts = [lease(each, 5, urgent=True).start for each in (one, two, one, two)]
    assert starts == at([NOW, NOW + 0.4, NOW + 0.8, NOW + 1.2])


def test_an_urgent_call_never_comes_after_its_turn(make: MakeState) -> None:
    ordinary, urgent = make(), make()
    lease(ordinary, 1)
    starts = [lease(urgent, 1, now=NOW + 0.15, urgent=True).start for _ in range(2)]
    assert starts == at([NOW + 0.15, NOW + 0.4])
    assert lease(ordinary, 1, now=NOW + 0.15).start == at(NOW + 0.6)


def test_no_urgent_call_is_further_ahead_than_the_promise_bears(make: MakeState) -> None:
    ordinary, urgent = make(), make()
    taken = fill(ordinary, LEAD + 20)
    assert lease(urgent, 1, urgent=True).start == at(taken - LEAD)


def test_urgent_calls_that_find_nothing_leased_are_leased_as_all_others(make: MakeState) -> None:
    one, two = make(), make()
    assert lease(one, 8, urgent=True) == Lease(8, NOW, 0.2)
    assert lease(two, 8, now=NOW + 60) == Lease(8, NOW + 60, 0.2)


def test_urgent_calls_do_not_overtake_urgent_ones(make: MakeState) -> None:
    one, two = make(), make()
    lease(one, 8, urgent=True)
    lease(two, 3)
    assert lease(two, 1, urgent=True).start == at(NOW + 1.6)


def test_urgent_calls_keep_the_silence_after_a_429_and_the_halved_rate(make: MakeState) -> None:
    ordinary, urgent = make(), make()
    fill(ordinary)
    ordinary.slow_down(now=NOW, rate=5.0, wait=3.0)
    fill(ordinary, LEAD + 2.0)
    first, second = (lease(urgent, 5, now=NOW + 0.1, urgent=True) for _ in range(2))
    assert first.start == at(NOW + 3.0)
    assert second.start - first.start == pytest.approx(2 / 2.5, rel=0.02)


def test_a_short_silence_does_not_shorten_a_long_one_for_urgent_calls(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=5.0, wait=9.0)
    one.slow_down(now=NOW + 5, rate=5.0, wait=1.0)
    fill(one, LEAD, now=NOW + 6)
    assert lease(two, 1, now=NOW + 7, urgent=True).start == at(NOW + 9)


def test_a_long_silence_puts_off_urgent_calls_and_takes_nothing(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=5.0, wait=HORIZON + 5)
    with pytest.raises(Retry) as refusal:
        lease(two, 1, urgent=True)
    assert (refusal.value.code, refusal.value.after) == ("pace", pytest.approx(HORIZON + 5))
    assert lease(two, 1, now=NOW + HORIZON).start == at(NOW + HORIZON + 5)


def test_urgent_calls_are_not_put_off_because_others_have_leased_too_far_ahead(make: MakeState) -> None:
    ordinary, urgent = make(), make()
    with pytest.raises(Retry):
        fill(ordinary, HORIZON + 60)
    with pytest.raises(Retry):
        lease(ordinary, 1)
    assert lease(urgent, 1, urgent=True).start <= NOW + HORIZON


def test_urgent_calls_count_for_the_budget(make: MakeState) -> None:
    one, two = make(), make()
    assert lease(one, 8, budget=10).calls == 8
    for n in range(2):
        assert lease(two, 5, now=NOW + n, budget=10, urgent=True).calls == 1
    with pytest.raises(Retry) as refusal:
        lease(two, 1, now=NOW + 9, budget=10, urgent=True)
    assert refusal.value.code == "budget"


# pauses and runs


def test_pauses_hold_until_they_are_ended(make: MakeState) -> None:
    assert make().paused() == {}
    make().pause("accounts", "brake")
    make().pause("billing", "operator")
    make().pause("billing", "brake")
    assert make().paused() == {"accounts": "brake", "billing": "brake"}
    make().resume("accounts")
    make().resume("accounts")
    assert make().paused() == {"billing": "brake"}


def test_runs_are_kept(state: SyncState) -> None:
    for n in range(2):
        state.record_run({"reconciled": n}, run_id=f"r{n}", concern="billing", at=datetime(2026, 3, 2, tzinfo=UTC))


# DynamoDB alone


def dynamo(aws: Counting) -> DynamoState:
    return DynamoState("state", lambda: aws, sleep=lambda _: None)


def client_error(code: str) -> Exception:
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "x"}}, "PutItem")


def test_nothing_is_made_before_it_is_needed() -> None:
    def refuse() -> Any:
        raise AssertionError("made too early")

    DynamoState("state", refuse)


def test_a_lease_costs_one_write_and_two_when_another_leased_meanwhile(aws: Counting) -> None:
    one, two = dynamo(aws), dynamo(aws)
    lease(one, 1)
    lease(two, 1)
    aws.asked.clear()
    lease(two, 1)
    assert aws.asked == ["put_item"]
    aws.asked.clear()
    lease(one, 1)
    assert aws.asked == ["put_item", "put_item"]


def test_the_pace_of_an_older_version_is_read_as_silent_until_its_next_slot(aws: Counting) -> None:
    fill(dynamo(aws))
    lease(dynamo(aws), 1, urgent=True)
    key = {"pk": {"S": "pace"}, "sk": {"S": "pace"}}
    aws.update_item(TableName="state", Key=key, UpdateExpression="REMOVE not_before, urgent_at")
    item = aws.get_item(TableName="state", Key=key)["Item"]
    next_slot = float(item["next_at"]["N"])
    assert lease(dynamo(aws), 1, now=NOW + 1, urgent=True).start == at(next_slot)
    assert lease(dynamo(aws), 1, now=NOW + 1).start == at(next_slot + 0.2)


def test_a_refusal_is_not_remembered(aws: Counting) -> None:
    one, two = dynamo(aws), dynamo(aws)
    lease(one, 10, budget=10)
    with pytest.raises(Retry):
        lease(one, 1, now=NOW + 9, budget=10)
    lease(two, 0, now=NOW + 9, budget=20, unused=5)
    assert lease(one, 5, now=NOW + 9, budget=10).calls == 5


def test_a_save_whose_answer_was_lost_and_that_the_library_repeats_counts_as_done(aws: Counting) -> None:
    def repeat(_: str) -> None:
        aws.after = None
        raise client_error("ConditionalCheckFailedException")

    aws.after = repeat
    state = dynamo(aws)
    assert state.save("feed", {"by": 1}, version=0)
    assert state.load("feed").document == {"by": 1}


def test_runs_carry_figures_and_expire_after_14_days(aws: Counting) -> None:
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    dynamo(aws).record_run({"reconciled": 7, "panel_calls": 3}, run_id="r1", concern="billing", at=at)
    [item] = aws.scan(TableName="state")["Items"]
    assert item["pk"] == {"S": "run"}
    assert item["sk"] == {"S": "2026-03-02T12:00:00.000+00:00#r1"}
    assert (item["reconciled"], item["panel_calls"]) == ({"N": "7"}, {"N": "3"})
    assert item["concern"] == {"S": "billing"}
    assert int(item["expires_at"]["N"]) == int(at.timestamp()) + 14 * 86_400


def test_a_document_that_outgrows_its_item_halts(aws: Counting) -> None:
    with pytest.raises(Halt):
        dynamo(aws).save("feed", {"gaps": "ż" * 175_001}, version=0)
    assert aws.asked == []
    assert dynamo(aws).save("feed", {"gaps": "ż" * 174_000}, version=0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ProvisionedThroughputExceededException", Retry),
        ("ThrottlingException", Retry),
        ("InternalServerError", Retry),
        ("RequestLimitExceeded", Retry),
        ("AccessDeniedException", Halt),
        ("ResourceNotFoundException", Halt),
        ("UnrecognizedClientException", Halt),
    ],
)
def test_errors_of_the_service_say_what_to_do(aws: Counting, code: str, kind: type[Exception]) -> None:
    def fail(_: str) -> None:
        raise client_error(code)

    aws.before = fail
    state = dynamo(aws)
    calls: list[Callable[[], object]] = [
        lambda: state.load("feed"),
        lambda: state.save("feed", {}, version=0),
        lambda: lease(state, 1),
        lambda: state.slow_down(now=NOW, rate=5, wait=1),
        state.paused,
        lambda: state.pause("billing", "x"),
        lambda: state.resume("billing"),
        lambda: state.record_run({}, run_id="r", concern="billing", at=datetime(2026, 3, 2, tzinfo=UTC)),
    ]
    for call in calls:
        with pytest.raises(kind):
            call()


def test_a_missing_table_halts() -> None:
    with mock_aws():
        client = create_table("another")
        with pytest.raises(Halt):
            DynamoState("state", lambda: client).load("feed")


def test_a_table_out_of_reach_is_tried_again() -> None:
    from botocore.config import Config

    config = Config(connect_timeout=0.2, read_timeout=0.2, retries={"total_max_attempts": 1})
    client = boto3.client(
        "dynamodb",
        "eu-central-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    with pytest.raises(Retry):
        DynamoState("state", lambda: client).load("feed")
