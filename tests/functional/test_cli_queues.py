"""`kartoteka pause`, `resume`, `resync` and `redrive` on a deployed stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli import cloud
from kartoteka.adapters.queue import shard
from kartoteka.core.model import Link, Settlement, State, Status
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


def test_dead_letters_go_back_to_their_queue(command: Command, deployed: Deployed) -> None:
    for number in range(25):
        deployed.bury("billing", body(f"C-{number}", "C-0"))
    answer = command.json("redrive", "billing", *HERE)
    assert (answer["messages"], answer["odd"]) == (25, 0)
    assert {key for keys in deployed.keys("billing") for key in keys} == {f"C-{n}" for n in range(25)}
    assert deployed.messages("billing", dead=True) == []
    assert deployed.messages("accounts") == []


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
