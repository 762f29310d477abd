"""`kartoteka tick`: what it adds up, and when it takes a stack for idle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from cli import door
from cli import stack as stacks
from cli.door import Door
from cli.idle import Idle
from cli.main import COMMANDS, kartoteka
from cli.stack import Stack, concern
from cli.tick import FIGURES, summary

NOTHING = dict.fromkeys(FIGURES, 0)


def test_figures_of_collects_and_of_worker_runs_are_added():
    fired = [{"collected": 3, "panel_calls": 1}, {"collected": 2, "panel_calls": 0, "extra": 9}]
    runs = {"reconciled": 6, "panel_calls": 2, "held": 1, "written_to_panel": 1}
    expected = {"collected": 5, "reconciled": 6, "written_to_panel": 1, "held": 1, "panel_calls": 3}
    assert summary(fired, runs, ()) == NOTHING | expected


def test_paused_concerns_are_named_only_when_there_are_some():
    assert summary([], {}, ()) == NOTHING
    assert summary([], {}, ("billing", "accounts")) == NOTHING | {"paused": ["accounts", "billing"]}


def test_tables_without_triggers_are_named_once():
    fired = [{"triggers_missing": ["clients"]}, {"triggers_missing": ["client_credit", "clients"]}, {}]
    assert summary(fired, {}, ()) == NOTHING | {"triggers_missing": ["client_credit", "clients"]}


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


class Desk:
    """Stands for a stack's desk: what each function answers to a move, and what each look at the queues finds."""

    def __init__(
        self,
        answers: Mapping[tuple[str, str], Mapping[str, Any]],
        looks: Sequence[Mapping[str, Any]],
        paused: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.answers = answers
        self.looks = list(looks)
        self.paused = paused
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        path, query = request["rawPath"], request["queryStringParameters"] or {}
        given = json.loads(request["body"] or "{}")
        self.asked.append((path, query or given))
        routes = {
            "/api/tick": self.tick,
            "/api/work": self.work,
            "/api/pauses": lambda _: {"paused": dict(self.paused)},
        }
        return {"statusCode": 200, "body": json.dumps(routes[path](given))}

    def tick(self, given: Mapping[str, Any]) -> dict[str, Any]:
        wanted = given["function"]
        fired = [
            {"function": function, "move": move, **answer}
            for (function, move), answer in self.answers.items()
            if not wanted or function in wanted
        ]
        return {"done": len(fired), "at": BEGAN, "fired": fired}

    def work(self, _given: Mapping[str, Any]) -> dict[str, Any]:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {"left": {}, "ended": 0, "figures": {}, "braked": [], **look}


BEGAN = "2026-03-02T10:00:00.250+00:00"
CALM: Mapping[str, Any] = {}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Callable[[Desk], Stack]:
    """Give a stack whose desk is this one, and which is the local one."""

    def made(desk: Desk) -> Stack:
        functions = {"PanelFeedFunction": "shop-feed", "DeliveryAddressesFunction": "shop-addresses"}
        resources = {"AWS::Lambda::Function": functions}
        stack = Stack("s", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1", "cloud.log", resources)
        monkeypatch.setattr(stacks, "find", lambda _name: stack)
        monkeypatch.setattr(door, "of", lambda _stack: desk)
        return stack

    return made


FEED, CHANGED, PASS = ("panel_feed", "collect"), ("delivery_addresses", "collect"), ("delivery_addresses", "rotate")


def test_a_function_with_two_schedules_is_fired_twice_and_both_answers_count(stack: Callable[[Desk], Stack]):
    answers = {
        CHANGED: {"collected": 1, "panel_calls": 0},
        PASS: {"collected": 2, "panel_calls": 5},
        FEED: {"collected": 4, "panel_calls": 1},
    }
    desk = Desk(answers, [{"left": {"accounts": 1}}, CALM])
    stack(desk)
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert json.loads(done.stdout) == NOTHING | {"collected": 7, "panel_calls": 6}
    assert [asked for path, asked in desk.asked if path == "/api/tick"] == [{"function": []}]
    assert [asked for path, asked in desk.asked if path == "/api/work"] == [{"since": BEGAN}] * 3


def test_the_feed_is_read_once_more_when_the_panel_was_written_to(stack: Callable[[Desk], Stack]):
    answers = {CHANGED: {"collected": 1, "panel_calls": 0}, FEED: {"collected": 0, "panel_calls": 1}}
    desk = Desk(answers, [{"ended": 1, "figures": {"written_to_panel": 2, "reconciled": 3}}])
    stack(desk)
    done = CliRunner().invoke(kartoteka, ["tick"])
    counted = {"collected": 1, "panel_calls": 2, "written_to_panel": 2, "reconciled": 3}
    assert json.loads(done.stdout) == NOTHING | counted
    assert [asked["function"] for path, asked in desk.asked if path == "/api/tick"] == [[], ["panel_feed"]]


def test_a_stopped_function_and_a_paused_concern_are_told_once_each(stack: Callable[[Desk], Stack]):
    halted = {"collected": 0, "panel_calls": 0, "halted": "panel_key: put in a valid one"}
    answers = {CHANGED: halted, PASS: halted, FEED: {"collected": 0, "panel_calls": 0, "paused": "[b]holiday\x1b"}}
    stack(Desk(answers, [{"left": {"accounts": 3}, "braked": ["accounts"]}], {"billing": "stock-taking"}))
    done = CliRunner().invoke(kartoteka, ["tick", "--stack", "shop"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == NOTHING | {
        "paused": ["accounts", "billing", "panel_feed"],
        "halted": ["panel_key: put in a valid one"],
    }
    assert done.stderr.count("shop-addresses halted: panel_key") == 1
    assert "accounts is paused (brake): `kartoteka resume accounts --confirm --stack shop`" in done.stderr
    assert "billing is paused (stock-taking): `kartoteka resume billing --stack shop`" in done.stderr
    assert r"panel_feed is paused ([b]holiday\x1b): `kartoteka resume panel_feed --stack shop`" in done.stderr


def test_a_function_that_fails_ends_the_command(stack: Callable[[Desk], Stack]):
    stack(Desk({CHANGED: {}, FEED: {}, PASS: {"failed": "it broke\x1b"}}, [CALM]))
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert done.exit_code == 1
    assert r"shop-addresses failed: it broke\x1b; its log: cloud.log" in done.output


def rounds(looks: Sequence[Mapping[str, Any]], **paused: str) -> list[bool]:
    stack = Stack("s", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1", None, {})
    idle = Idle(stack, Door(Desk({}, looks)), BEGAN)
    idle.paused |= paused
    return [idle.reached() for _ in looks]


def test_empty_queues_must_stay_empty_for_a_round():
    busy = [{"left": {"accounts": 2}}, CALM, {"left": {"accounts": 0, "billing": 1}}, CALM, CALM]
    assert rounds(busy) == [False, False, False, False, True]


def test_a_worker_that_finishes_meanwhile_starts_the_waiting_anew():
    assert rounds([{"ended": n} for n in (0, 1, 2, 2, 2)]) == [False, False, False, False, True]


def test_a_paused_concern_is_not_waited_for():
    assert rounds([{"left": {"accounts": 5}}] * 3, accounts="holiday") == [False, False, True]


def test_a_concern_that_the_brake_stops_meanwhile_is_not_waited_for_either():
    looks = [{"left": {"accounts": 5}, "braked": ["accounts"], "ended": n} for n in (1, 2, 2, 2)]
    assert rounds(looks) == [False, False, False, True]


def test_without_a_stack_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr(stacks, "LOCAL_STACK", tmp_path / "stack.json")
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert done.exit_code == 69
    assert "make up" in done.output


def test_every_command_can_be_loaded():
    done = CliRunner().invoke(kartoteka, ["--help"])
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in COMMANDS)
