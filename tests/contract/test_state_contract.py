"""What every SyncState does: the one in memory, and DynamoDB as moto plays it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kartoteka.adapters.aws import state as dynamo_state
from kartoteka.adapters.aws.rate import HORIZON
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.errors import Halt, Retry
from kartoteka.ports.state import SyncState
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
        def call(*given: Any, **arguments: Any) -> Any:
            self.asked.append(name)
            if self.before:
                self.before(name)
            answer = getattr(self.client, name)(*given, **arguments)
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
    return lambda: DynamoState("state", lambda: client)


@pytest.fixture
def state(make: MakeState) -> SyncState:
    return make()


def lease(
    state: SyncState, now: float = NOW, *, rate: float = 5.0, gate: str = "GET x", latest: float | None = None
) -> float:
    return state.lease(now=now, latest=now + HORIZON if latest is None else latest, rate=rate, gate=gate)


def spacing(state: SyncState, now: float = NOW, *, rate: float = 5.0) -> float:
    """Return the seconds between the next two slots."""
    first, second = lease(state, now, rate=rate), lease(state, now, rate=rate)
    return second - first


# documents


def test_a_document_that_was_never_saved_has_version_0(state: SyncState) -> None:
    assert (state.load("feed").document, state.load("feed").version) == (None, 0)


def test_a_saved_document_comes_back_as_it_was(make: MakeState) -> None:
    document = {"seq": 2**60, "gaps": [[1, 2], [7, 7]], "mark": "żółw", "since": None, "deep": {"a": [True, 1.5]}}
    assert make().save("accounts", document, version=0)
    stored = make().load("accounts")
    assert (stored.document, stored.version) == (document, 1)
    assert make().load("billing").version == 0


@pytest.mark.fault(34)
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


# the rate limit


def test_slots_follow_each_other_at_the_rate_whoever_takes_them(make: MakeState) -> None:
    one, two = make(), make()
    slots = [lease(state, moment) for state, moment in ((one, NOW), (two, NOW), (one, NOW + 0.1), (two, NOW + 0.5))]
    assert slots == at([NOW, NOW + 0.2, NOW + 0.4, NOW + 0.6])


def test_idle_time_saves_up_nothing(state: SyncState) -> None:
    lease(state)
    assert [lease(state, NOW + 60) for _ in range(3)] == at([NOW + 60, NOW + 60.2, NOW + 60.4])


@pytest.mark.fault(16)
def test_a_429_halves_the_rate_for_all_and_silences_them(make: MakeState) -> None:
    one, two = make(), make()
    lease(two)
    one.slow_down(now=NOW, rate=5.0, wait=3.0)
    first, second = lease(two, NOW + 0.1), lease(one, NOW + 0.1)
    assert first == at(NOW + 3.0)
    assert second - first == pytest.approx(1 / 2.5, rel=0.02)


def test_several_429_of_one_storm_count_once_and_the_longest_silence_counts(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=8.0, wait=1.0)
    two.slow_down(now=NOW + 0.5, rate=8.0, wait=9.0)
    one.slow_down(now=NOW + 0.6, rate=8.0, wait=1.0)
    first, second = (lease(one, NOW + 0.6, rate=8.0) for _ in range(2))
    assert first == at(NOW + 9.5)
    assert second - first == pytest.approx(1 / 4.0, rel=0.05)


def test_storms_slow_further_but_never_to_a_standstill(state: SyncState) -> None:
    for n in range(40):
        state.slow_down(now=NOW + n, rate=5.0, wait=0.0)
    assert 2.0 < spacing(state, NOW + 39) <= 10.0


def test_a_short_silence_does_not_hand_out_a_slot_again(state: SyncState) -> None:
    taken = [lease(state) for _ in range(20)]
    state.slow_down(now=NOW, rate=5.0, wait=1.0)
    assert lease(state) == at(taken[-1] + 0.2)


def test_quiet_raises_the_rate_again_up_to_the_policys(state: SyncState) -> None:
    state.slow_down(now=NOW, rate=5.0, wait=0.0)
    rates = [1 / spacing(state, NOW + after) for after in (1, 10, 20, 31, 3600)]
    assert rates == sorted(rates)
    assert rates[0] < 2.7
    assert rates[-2:] == pytest.approx([5.0, 5.0], rel=1e-4)


def test_a_lower_rate_of_the_policy_counts_at_once(state: SyncState) -> None:
    lease(state, rate=5.0)
    assert spacing(state, NOW + 10, rate=1.0) == pytest.approx(1.0, rel=1e-4)


def test_a_slot_after_the_latest_moment_is_refused_and_takes_nothing(make: MakeState) -> None:
    one, two = make(), make()
    one.slow_down(now=NOW, rate=5.0, wait=20.0)
    for _ in range(3):
        with pytest.raises(Retry) as refusal:
            lease(two, latest=NOW + 19.9)
        assert refusal.value.code == "rate_limit"
        assert refusal.value.after == pytest.approx(20.0)
    assert lease(two, latest=NOW + 20.1) == at(NOW + 20.0)


def test_calls_are_counted_by_gate_for_the_month_and_for_the_day(make: MakeState) -> None:
    one, two = make(), make()
    for n in range(10):
        lease((one, two)[n % 2], gate="GET x")
    lease(two, gate="PUT y")
    assert two.usage().gates == two.usage().today == {"GET x": 10, "PUT y": 1}
    lease(one, NOW + A_DAY, gate="PUT y")
    used = two.usage()
    assert (used.gates, used.today) == ({"GET x": 10, "PUT y": 2}, {"PUT y": 1})
    assert list(used.days.values()) == [11]
    lease(one, NOW + A_MONTH, gate="PUT y")
    assert two.usage().gates == two.usage().today == {"PUT y": 1}
    assert list(two.usage().days.values()) == [11, 1]


def test_a_refused_slot_and_a_429_count_no_call(make: MakeState) -> None:
    state = make()
    state.slow_down(now=NOW, rate=5.0, wait=20.0)
    with pytest.raises(Retry):
        lease(state, latest=NOW + 1)
    assert state.usage().gates == {}


A_DAY = 86_400.0


def test_a_slot_of_a_clock_that_is_far_ahead_holds_up_nobody(make: MakeState) -> None:
    wrong, right = make(), make()
    lease(wrong, NOW + A_DAY)
    assert lease(right) == NOW


def test_a_clock_that_is_far_ahead_ends_no_silence(make: MakeState) -> None:
    wrong, right = make(), make()
    right.slow_down(now=NOW, rate=5.0, wait=3.0)
    lease(wrong, NOW + A_DAY)
    assert lease(right) == at(NOW + 3.0)


def test_a_429_of_a_clock_that_is_far_ahead_silences_and_slows_nobody_for_long(make: MakeState) -> None:
    wrong, right = make(), make()
    wrong.slow_down(now=NOW + A_DAY, rate=5.0, wait=3.0)
    first, second = lease(right), lease(right)
    assert (first, second - first) == (NOW, pytest.approx(0.2, rel=1e-4))
    right.slow_down(now=NOW, rate=5.0, wait=0.0)
    assert spacing(right) == pytest.approx(0.4, rel=1e-4)


# the wake-up hook


def test_the_last_moment_is_kept_at_which_the_feed_was_woken(make: MakeState) -> None:
    one, two = make(), make()
    assert two.woken() is None
    for minute in (1, 2):
        one.wake(datetime(2026, 3, 2, 12, minute, tzinfo=UTC))
    assert two.woken() == datetime(2026, 3, 2, 12, 2, tzinfo=UTC)


# runs


def test_the_runs_since_a_moment_are_all_of_them(state: SyncState) -> None:
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    for n in range(40):
        state.record_run({"reconciled": n}, run_id=f"r{n}", concern="billing", at=begin + timedelta(milliseconds=n))
    state.record_run({"braked": 1}, run_id="x", concern="shops", at=begin + timedelta(milliseconds=7))
    found = state.runs_since(begin + timedelta(milliseconds=7))
    assert [run["reconciled"] for run in found if "reconciled" in run] == list(range(7, 40))
    assert [(run["concern"], run["run_id"]) for run in found if "braked" in run] == [("shops", "x")]
    assert state.runs_since(begin + timedelta(seconds=1)) == []


def test_runs_are_kept(state: SyncState) -> None:
    for n in range(2):
        state.record_run({"reconciled": n}, run_id=f"r{n}", concern="billing", at=datetime(2026, 3, 2, tzinfo=UTC))


# DynamoDB alone


def dynamo(aws: Counting) -> DynamoState:
    return DynamoState("state", lambda: aws)


def client_error(code: str) -> Exception:
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "x"}}, "PutItem")


def test_nothing_is_made_before_it_is_needed() -> None:
    def refuse() -> Any:
        raise AssertionError("made too early")

    DynamoState("state", refuse)


def test_a_slot_costs_one_read_and_one_write(aws: Counting) -> None:
    one, two = dynamo(aws), dynamo(aws)
    lease(one)
    lease(two)
    aws.asked.clear()
    lease(one)
    assert aws.asked == ["get_item", "put_item"]


def test_a_process_that_is_alone_does_not_read_what_it_has_written(aws: Counting) -> None:
    one, two = dynamo(aws), dynamo(aws)
    for _ in range(3):
        lease(one)
    aws.asked.clear()
    assert [lease(one) for _ in range(2)] == at([NOW + 0.6, NOW + 0.8])
    assert aws.asked == ["put_item", "put_item"]
    assert lease(two) == at(NOW + 1.0)
    aws.asked.clear()
    assert lease(one) == at(NOW + 1.2), "what it knew was old: nobody's slot is given twice"
    assert aws.asked == ["put_item", "get_item", "put_item"]
    aws.asked.clear()
    assert lease(one) == at(NOW + 1.4)
    assert aws.asked == ["get_item", "put_item"], "it is not alone"


def test_a_429_of_another_process_is_heard_by_one_that_was_alone(aws: Counting) -> None:
    one = dynamo(aws)
    for _ in range(3):
        lease(one)
    dynamo(aws).slow_down(now=NOW, rate=5.0, wait=3.0)
    assert lease(one) == at(NOW + 3.0)


def test_a_refused_slot_costs_one_read(aws: Counting) -> None:
    lease(dynamo(aws))
    aws.asked.clear()
    with pytest.raises(Retry):
        lease(dynamo(aws), latest=NOW + 0.1)
    assert aws.asked == ["get_item"]


def test_a_process_that_was_overtaken_takes_the_slot_after(aws: Counting) -> None:
    def overtake(name: str) -> None:
        if name == "put_item":
            aws.before = None
            assert lease(dynamo(aws)) == NOW

    aws.before = overtake
    assert lease(dynamo(aws)) == at(NOW + 0.2)
    assert lease(dynamo(aws)) == at(NOW + 0.4)


def test_a_429_that_was_overtaken_is_not_lost(aws: Counting) -> None:
    def overtake(name: str) -> None:
        if name == "put_item":
            aws.before = None
            lease(dynamo(aws))

    aws.before = overtake
    dynamo(aws).slow_down(now=NOW, rate=5.0, wait=3.0)
    assert lease(dynamo(aws)) == at(NOW + 3.0)


def test_who_is_always_overtaken_gives_up(aws: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamo_state, "FIRST_PAUSE", 0.0)
    slots = []

    def overtake(name: str) -> None:
        if name == "put_item":
            aws.before = None
            slots.append(lease(dynamo(aws), latest=NOW + A_DAY))
            aws.before = overtake

    aws.before = overtake
    with pytest.raises(Retry) as refusal:
        lease(dynamo(aws))
    assert refusal.value.code == "rate_limit"
    assert slots == at([NOW + n * 0.2 for n in range(dynamo_state.OVERTAKEN)])


def test_a_lease_whose_answer_was_lost_and_that_the_library_repeats_takes_one_slot(aws: Counting) -> None:
    def repeat(name: str) -> None:
        if name == "put_item":
            aws.after = None
            raise client_error("ConditionalCheckFailedException")

    aws.after = repeat
    assert lease(dynamo(aws)) == NOW
    assert lease(dynamo(aws)) == at(NOW + 0.2)


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


@pytest.mark.fault(39)
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
        lambda: lease(state),
        lambda: state.slow_down(now=NOW, rate=5, wait=1),
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


@pytest.mark.fault(39)
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
