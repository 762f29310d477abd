"""`kartoteka pause`, `resume`, `resync` and `redrive` on a deployed stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli import cloud
from kartoteka.adapters.queue import shard
from kartoteka.adapters.state import DynamoState
from kartoteka.core.concerns import CONCERNS
from kartoteka.core.model import Direction, Link, Parked, Reason, Settlement, State, Status, Written
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HERE = ("--stack", STACK)


@pytest.fixture
def cards(sqlite_bench: SqlBench) -> SqlBench:
    """Five cards: C-0, C-1 and C-2 have an account."""
    for number in range(5):
        sqlite_bench.erp.insert_card(f"C-{number}")
    links = [
        Settlement(f"C-{n}", "accounts", Status(State.IN_STEP), link=Link(f"C-{n}", f"{n}", f"c-{n}", "created"))
        for n in range(3)
    ]
    sqlite_bench.exchange.settle(links, run_id="run", at=AT)
    return sqlite_bench


def body(*keys: str, concern: str = "billing") -> str:
    return json.dumps({"v": 1, "concern": concern, "keys": keys})


# --- pause and resume


def test_a_pause_begins_and_ends(command: Command, deployed: Deployed) -> None:
    assert "billing is paused (stock-taking)" in command("pause", "billing", "--reason", "stock-taking", *HERE).stdout
    assert deployed.state.paused() == {"billing": "stock-taking"}
    assert "goes on" in command("resume", "billing", *HERE).stdout
    assert deployed.state.paused() == {}
    assert "was not paused" in command("resume", "billing", *HERE).stdout


def test_the_feed_can_be_paused_too(command: Command, deployed: Deployed) -> None:
    assert command.json("pause", "panel_feed", *HERE) == {"concern": "panel_feed", "paused": True, "reason": "operator"}
    assert deployed.state.paused() == {"panel_feed": "operator"}
    assert command.json("resume", "panel_feed", *HERE)["was_paused"] is True


@pytest.mark.parametrize("reason", ["brake", " Brake ", "", " "])
def test_a_pause_has_a_reason_of_its_own(command: Command, deployed: Deployed, reason: str) -> None:
    assert "reason of your own" in command("pause", "billing", "--reason", reason, *HERE, code=2).output
    assert deployed.state.paused() == {}


# --- the brake


@pytest.fixture
def braked(cards: SqlBench, deployed: Deployed) -> Deployed:
    """Give a stack whose brake has stopped billing: two records were written, a third one waits."""
    email = Written("email", Direction.ERP_TO_PANEL, Reason.EDIT, "stary@firma.pl", "nowy@firma.pl")
    city = Written("city", Direction.ERP_TO_PANEL, Reason.EDIT, "Gdynia", "Sopot")
    now = datetime.now(UTC)
    in_step, waits = Status(State.IN_STEP), Status(State.PENDING, "brake")
    parked = Parked(now + timedelta(minutes=1), attempts=0, tries=1, code="brake")
    written = [Settlement(f"C-{n}", "billing", in_step, written=(email, city)) for n in range(2)]
    before = [Settlement("C-3", "billing", in_step, written=(email,))]
    cards.exchange.settle(before, run_id="earlier", at=now - timedelta(minutes=50))
    cards.exchange.settle(written, run_id="run", at=now - timedelta(minutes=5))
    cards.exchange.settle([Settlement("C-2", "billing", waits, parked=parked)], run_id="run", at=now)
    deployed.state.pause("billing", "brake")
    return deployed


def test_what_the_brake_stopped_is_told_and_stays_stopped(command: Command, braked: Deployed) -> None:
    refused = command("resume", "billing", *HERE, code=77)
    assert "let 3 such records through in the last hour and set 1 customer aside" in refused.stderr
    assert f"`kartoteka resume billing --confirm --stack {STACK}`" in refused.stderr
    assert refused.stdout == ""
    assert braked.state.paused() == {"billing": "brake"}
    assert braked.state.load("brake:billing").document is None


def test_what_was_confirmed_before_is_not_counted_again(command: Command, braked: Deployed) -> None:
    confirmed = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    braked.state.save("brake:billing", {"since": confirmed}, version=0)
    assert "let 2 such records through" in command("resume", "billing", *HERE, code=77).stderr


def test_without_the_database_the_brake_is_told_without_figures(command: Command, braked: Deployed) -> None:
    where = (*HERE, "--erp-url", "sqlite:///nowhere.db")
    refused = command("resume", "billing", *where, code=77).stderr
    assert "stopped by the brake" in refused
    assert "--confirm" in refused
    assert "last hour" not in refused


def test_a_confirmed_concern_goes_on_and_the_count_begins_anew(command: Command, braked: Deployed) -> None:
    for _ in range(2):
        before = datetime.now(UTC)
        assert "billing goes on; what the brake set aside" in command("resume", "billing", "--confirm", *HERE).stdout
        document = braked.state.load("brake:billing").document
        assert document is not None
        assert set(document) == {"since"}
        assert before <= datetime.fromisoformat(document["since"]) <= datetime.now(UTC)
        assert braked.state.paused() == {}
        braked.state.pause("billing", "brake")


def test_the_count_begins_anew_before_the_concern_goes_on(
    command: Command, braked: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DynamoState, "save", lambda *_args, **_more: False)
    assert "somebody else" in command("resume", "billing", "--confirm", *HERE, code=75).stderr
    assert braked.state.paused() == {"billing": "brake"}


def test_a_plain_pause_needs_no_confirmation_and_leaves_the_count(command: Command, deployed: Deployed) -> None:
    deployed.state.pause("billing", "holiday")
    assert command("resume", "billing", "--confirm", *HERE).stdout == "billing goes on\n"
    assert deployed.state.paused() == {}
    assert deployed.state.load("brake:billing").document is None


def test_a_plain_pause_does_not_take_the_brakes_place(command: Command, braked: Deployed) -> None:
    refused = command("pause", "billing", "--reason", "holiday", *HERE, code=77).stderr
    assert f"`kartoteka resume billing --confirm --stack {STACK}`" in refused
    assert braked.state.paused() == {"billing": "brake"}
    command("pause", "shops", "--reason", "holiday", *HERE)
    command("pause", "shops", "--reason", "longer holiday", *HERE)
    assert braked.state.paused() == {"billing": "brake", "shops": "longer holiday"}


def test_an_unknown_concern_is_refused(command: Command) -> None:
    for name in ("pause", "resume", "resync", "redrive"):
        command(name, "everything", code=2)


def test_an_unknown_stack_is_told(command: Command, deployed: Deployed) -> None:
    del deployed
    assert "nowhere cannot be read" in command("pause", "billing", "--stack", "nowhere", code=69).output


def test_without_a_stack_the_command_says_what_to_do(command: Command) -> None:
    assert "make up" in command("pause", "billing", code=69).output


# --- resync


def test_resync_of_billing_takes_all_that_are_linked(command: Command, cards: SqlBench, deployed: Deployed) -> None:
    del cards
    assert command.json("resync", "billing", *HERE) == {
        "concern": "billing",
        "customers": 3,
        "messages": 1,
        "skipped": [],
    }
    assert deployed.keys("billing") == [["C-0", "C-1", "C-2"]]


@pytest.mark.parametrize("concern", ["delivery_addresses", "shops"])
def test_resync_of_other_concerns_takes_all_that_are_linked(
    command: Command, cards: SqlBench, deployed: Deployed, concern: str
) -> None:
    del cards
    assert command.json("resync", concern, *HERE)["customers"] == 3
    assert deployed.keys(concern) == [["C-0", "C-1", "C-2"]]
    assert deployed.keys("billing") == []


def test_resync_of_accounts_takes_all_that_have_none(command: Command, cards: SqlBench, deployed: Deployed) -> None:
    del cards
    command("resync", "accounts", *HERE)
    assert deployed.keys("accounts") == [["C-3", "C-4"]]


def test_resync_of_named_customers(command: Command, cards: SqlBench, deployed: Deployed) -> None:
    del cards
    answer = command("resync", "billing", "C-2", "C-0", "C-2", "C-4", *HERE).stdout
    assert "2 customers into the queue of billing, in 1 message" in answer
    assert "resync accounts` opens one: C-4" in answer
    assert deployed.keys("billing") == [["C-2", "C-0"]]


def test_resync_of_an_unknown_customer_sends_nothing(command: Command, cards: SqlBench, deployed: Deployed) -> None:
    del cards
    assert "no card in clients: C-9" in command("resync", "billing", "C-0", "C-9", *HERE, code=65).output
    assert deployed.keys("billing") == []


def test_resync_of_more_than_a_page(command: Command, cards: SqlBench, deployed: Deployed) -> None:
    cards.erp.run(
        "INSERT INTO clients (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2345) "
        "SELECT 'X-' || i FROM n"
    )
    assert command.json("resync", "accounts", *HERE)["customers"] == 2347
    keys = [key for keys in deployed.keys("accounts") for key in keys]
    assert len(keys) == len(set(keys)) == 2347


@pytest.fixture
def sharded(deployed: Deployed) -> Deployed:
    """Give a stack with four shards."""
    deployed.stack.session.client("cloudformation").update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Shards", "ParameterValue": "4"}],
    )
    return deployed


def test_a_customer_stays_in_the_shard_of_the_stack(command: Command, cards: SqlBench, sharded: Deployed) -> None:
    del cards
    command("resync", "billing", *HERE)
    sharded.bury("billing", body("C-0", "C-1", "C-2"))
    command("redrive", "billing", *HERE)
    found = [
        (key, message["Attributes"]["MessageGroupId"])
        for message in sharded.messages("billing")
        for key in json.loads(message["Body"])["keys"]
    ]
    assert sorted(found) == sorted((key, f"shard-{shard(key, 4)}") for key in ("C-0", "C-1", "C-2") * 2)


# --- redrive


@pytest.mark.parametrize("concern", CONCERNS)
def test_dead_letters_go_back_to_their_queue(command: Command, deployed: Deployed, concern: str) -> None:
    for number in range(25):
        deployed.bury(concern, body(f"C-{number}", "C-0", concern=concern))
    answer = command.json("redrive", concern, *HERE)
    assert (answer["messages"], answer["odd"]) == (25, 0)
    assert {key for keys in deployed.keys(concern) for key in keys} == {f"C-{n}" for n in range(25)}
    assert deployed.messages(concern, dead=True) == []
    assert [other for other in CONCERNS if deployed.messages(other)] == []


@pytest.mark.parametrize("odd", ["not json", "[]", body("C-1", concern="accounts"), '{"v": 1, "concern": "billing"}'])
def test_a_message_that_nobody_can_read_goes_back_as_it_is(command: Command, deployed: Deployed, odd: str) -> None:
    deployed.bury("billing", odd)
    deployed.bury("billing", body("C-2"))
    assert "about to return: 1 message" in command("redrive", "billing", *HERE).stdout
    assert {message["Body"] for message in deployed.messages("billing")} >= {odd}
    assert deployed.messages("billing", dead=True) == []


def test_nothing_to_bring_back(command: Command, deployed: Deployed) -> None:
    del deployed
    assert (
        command("redrive", "accounts", *HERE).stdout == "back in the queue of accounts: 0 messages with 0 customers\n"
    )


def test_what_the_queue_did_not_take_stays_among_the_dead(
    command: Command, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.bury("billing", body("C-1"))
    monkeypatch.setattr("kartoteka.adapters.queue.SqsQueue._send_batch", lambda _self, _url, entries: list(entries))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert "does not answer now" in command("redrive", "billing", *HERE, code=69).output
    assert deployed.keys("billing") == []
    assert cloud.waiting(deployed.stack.sqs(), cloud.dead_letters(deployed.stack)["billing"]) == 1
