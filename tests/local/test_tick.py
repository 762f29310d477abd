"""`kartoteka tick`: what it adds up, and when it takes a stack for idle."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from cli import stack as stacks
from cli.idle import Idle
from cli.main import COMMANDS, kartoteka
from cli.stack import Stack, concern
from cli.tick import FIGURES, fire, schedules, summary

NOTHING = dict.fromkeys(FIGURES, 0)


def test_figures_of_collects_and_of_worker_runs_are_added():
    fired = [{"collected": 3, "panel_calls": 1}, {"collected": 2, "panel_calls": 0, "extra": 9}]
    runs = [{"reconciled": 5, "panel_calls": 2, "held": 1}, {"reconciled": 1, "written_to_panel": 1}]
    expected = {"collected": 5, "reconciled": 6, "written_to_panel": 1, "held": 1, "panel_calls": 3}
    assert summary(fired, runs, ()) == NOTHING | expected


def test_paused_concerns_are_named_only_when_there_are_some():
    assert summary([], [], ()) == NOTHING
    assert summary([], [], ("billing", "accounts")) == NOTHING | {"paused": ["accounts", "billing"]}


def test_tables_without_triggers_are_named_once():
    fired = [{"triggers_missing": ["clients"]}, {"triggers_missing": ["client_credit", "clients"]}, {}]
    assert summary(fired, [], ()) == NOTHING | {"triggers_missing": ["client_credit", "clients"]}


@pytest.mark.parametrize(
    ("logical", "suffix", "word"),
    [
        ("AccountsQueue", "Queue", "accounts"),
        ("PanelFeedFunction", "Function", "panel_feed"),
        ("DeliveryAddressesDeadLetterQueue", "DeadLetterQueue", "delivery_addresses"),
        ("DiscountsDeadLetterQueue", "DeadLetterQueue", "discounts"),
        ("CreditFunction", "Function", "credit"),
    ],
)
def test_resources_are_named_after_their_concern(logical: str, suffix: str, word: str):
    assert concern(logical, suffix) == word


class Looks:
    """Stands for SQS and DynamoDB: what each look at the queues finds."""

    def __init__(
        self, looks: Sequence[Mapping[str, int]], *, runs: Sequence[int] = (), braked: Sequence[str] = ()
    ) -> None:
        self.looks = list(looks)
        self.runs = list(runs)
        self.braked = braked

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": {AttributeNames[0]: str(self.looks[0].get(QueueUrl, 0))}}

    def get_paginator(self, _operation: str) -> Looks:
        return self

    def paginate(self, **_conditions: Any) -> list[dict[str, Any]]:
        plain = [{"reconciled": {"N": "1"}, "concern": {"S": "billing"}}] * (self.runs[0] if self.runs else 0)
        return [{"Items": [*plain, *({"braked": {"N": "1"}, "concern": {"S": name}} for name in self.braked)]}]

    def next(self) -> None:
        self.looks.pop(0)
        if self.runs:
            self.runs.pop(0)


class Fires:
    """Stands for the scheduler and for Lambda: the schedules by name, and what each function answers to a move."""

    def __init__(self, schedules: Mapping[str, tuple[str, str]], answers: Mapping[tuple[str, str], Any]) -> None:
        self.schedules = schedules
        self.answers = answers
        self.events: list[Any] = []

    def get_schedule(self, Name: str) -> dict[str, Any]:  # noqa: N803
        function, event = self.schedules[Name]
        return {"Target": {"Arn": f"arn:aws:lambda:eu-central-1:1:function:{function}", "Input": event}}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        self.events.append(event)
        answer = self.answers[FunctionName, event["move"]]
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fires, Looks], Stack]:
    """Give a stack of these schedules and queues, which is the local one."""

    def made(fires: Fires, looks: Looks) -> Stack:
        resources = {
            "AWS::Scheduler::Schedule": {name: name for name in fires.schedules},
            "AWS::SQS::Queue": {"AccountsQueue": "a"},
            "AWS::Lambda::Function": {"PanelFeedFunction": "shop-feed", "DeliveryAddressesFunction": "shop-addresses"},
            "AWS::DynamoDB::Table": {"StateTable": "t"},
        }
        for client, stand_in in {"scheduler": fires, "lambdas": fires, "sqs": looks, "dynamodb": looks}.items():
            monkeypatch.setattr(Stack, client, lambda _self, stand_in=stand_in: stand_in)
        stack = Stack("s", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1", "cloud.log", resources)
        monkeypatch.setattr(stacks, "find", lambda _name: stack)
        return stack

    return made


TWO = {
    "collect": ("shop-addresses", '{"v": 1, "move": "collect"}'),
    "pass": ("shop-addresses", '{"v": 1, "move": "rotate"}'),
    "feed": ("shop-feed", '{"v": 1, "move": "collect"}'),
}


def test_a_function_with_two_schedules_is_fired_twice_and_both_answers_count(stack: Callable[..., Stack]):
    answers = {
        ("shop-addresses", "collect"): {"collected": 1, "panel_calls": 0},
        ("shop-addresses", "rotate"): {"collected": 2, "panel_calls": 5},
        ("shop-feed", "collect"): {"collected": 4, "panel_calls": 1},
    }
    fires = Fires(TWO, answers)
    there = stack(fires, Looks([{}]))
    fired = fire(there, schedules(there))
    assert sorted(function for function, _ in fired) == ["shop-addresses", "shop-addresses", "shop-feed"]
    assert sorted((event["move"], event["due"]) for event in fires.events) == [
        ("collect", "all"),
        ("collect", "all"),
        ("rotate", "all"),
    ]
    assert summary([said for _, said in fired], [], ()) == NOTHING | {"collected": 7, "panel_calls": 6}


def test_a_stopped_function_and_a_paused_concern_are_told_once_each(stack: Callable[..., Stack]):
    halted = {"collected": 0, "panel_calls": 0, "halted": "panel_key: put in a valid one"}
    answers = dict.fromkeys([("shop-addresses", "collect"), ("shop-addresses", "rotate")], halted)
    answers["shop-feed", "collect"] = {"collected": 0, "panel_calls": 0, "paused": "[b]holiday\x1b"}
    stack(Fires(TWO, answers), Looks([{"a": 3}], braked=["accounts"]))
    done = CliRunner().invoke(kartoteka, ["tick", "--stack", "shop"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == NOTHING | {
        "paused": ["accounts", "panel_feed"],
        "halted": ["panel_key: put in a valid one"],
    }
    assert done.stderr.count("shop-addresses halted: panel_key") == 1
    assert "accounts is paused (brake): `kartoteka resume accounts --confirm --stack shop`" in done.stderr
    assert r"panel_feed is paused ([b]holiday\x1b): `kartoteka resume panel_feed --stack shop`" in done.stderr


def test_a_function_that_fails_ends_the_command(stack: Callable[..., Stack]):
    answers: dict[tuple[str, str], Any] = {("shop-addresses", "collect"): {}, ("shop-feed", "collect"): {}}
    answers["shop-addresses", "rotate"] = {"errorMessage": "it broke\nhere"}
    stack(Fires(TWO, answers), Looks([{}]))
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert done.exit_code == 1
    assert "shop-addresses failed: it broke; its log: cloud.log" in done.output


def rounds(looks: Looks, monkeypatch: pytest.MonkeyPatch, **paused: str) -> list[bool]:
    resources = {
        "AWS::SQS::Queue": {"AccountsQueue": "a", "BillingQueue": "b", "BillingDeadLetterQueue": "dead"},
        "AWS::DynamoDB::Table": {"StateTable": "t"},
    }
    for client in ("sqs", "dynamodb", "lambdas"):
        monkeypatch.setattr(Stack, client, lambda _self: looks)
    stack = Stack("s", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1", None, resources)
    idle = Idle(stack, datetime.now(UTC))
    idle.paused |= paused
    found = []
    while looks.looks:
        found.append(idle.reached())
        looks.next()
    return found


def test_empty_queues_must_stay_empty_for_a_round(monkeypatch: pytest.MonkeyPatch):
    found = rounds(Looks([{"a": 2}, {}, {"b": 1}, {}, {}]), monkeypatch)
    assert found == [False, False, False, False, True]


def test_a_worker_that_finishes_meanwhile_starts_the_waiting_anew(monkeypatch: pytest.MonkeyPatch):
    found = rounds(Looks([{}, {}, {}, {}, {}], runs=[0, 1, 2, 2, 2]), monkeypatch)
    assert found == [False, False, False, False, True]


def test_a_dead_letter_and_a_paused_concern_are_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    looks = Looks([{"a": 5, "dead": 1}] * 3)
    assert rounds(looks, monkeypatch, accounts="holiday") == [False, False, True]


def test_a_concern_that_the_brake_stops_meanwhile_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch):
    looks = Looks([{"a": 5}] * 4, runs=[1, 2, 2, 2], braked=["accounts"])
    assert rounds(looks, monkeypatch) == [False, False, False, True]


def test_without_a_stack_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr(stacks, "LOCAL_STACK", tmp_path / "stack.json")
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert done.exit_code == 69
    assert "make up" in done.output


def test_every_command_can_be_loaded():
    done = CliRunner().invoke(kartoteka, ["--help"])
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in COMMANDS)
