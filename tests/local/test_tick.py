"""`kartoteka tick`: what it adds up, and when it takes a stack for idle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from cli import stack as stacks
from cli.idle import Idle
from cli.main import COMMANDS, kartoteka
from cli.stack import Stack, concern
from cli.tick import FIGURES, summary

NOTHING = dict.fromkeys(FIGURES, 0)


def test_figures_of_collects_and_of_worker_runs_are_added():
    fired = [{"collected": 3, "panel_calls": 1}, {"collected": 2, "panel_calls": 0, "extra": 9}]
    runs = [{"reconciled": 5, "panel_calls": 2, "held": 1}, {"reconciled": 1, "written_to_panel": 1}]
    expected = {"collected": 5, "reconciled": 6, "written_to_panel": 1, "held": 1, "panel_calls": 3}
    assert summary(fired, runs, ()) == NOTHING | expected


def test_paused_concerns_are_named_only_when_there_are_some():
    assert summary([], [], ()) == NOTHING
    assert summary([], [], ("billing", "accounts")) == NOTHING | {"paused": ["accounts", "billing"]}


@pytest.mark.parametrize(
    ("logical", "suffix", "word"),
    [("AccountsQueue", "Queue", "accounts"), ("PanelFeedFunction", "Function", "panel_feed")],
)
def test_resources_are_named_after_their_concern(logical: str, suffix: str, word: str):
    assert concern(logical, suffix) == word


class Looks:
    """Stands for SQS and DynamoDB: what each look at the queues finds."""

    def __init__(
        self, looks: Sequence[Mapping[str, int]], *, paused: Sequence[str] = (), runs: Sequence[int] = ()
    ) -> None:
        self.looks = list(looks)
        self.runs = list(runs)
        self.paused = paused

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": {AttributeNames[0]: str(self.looks[0].get(QueueUrl, 0))}}

    def get_paginator(self, _operation: str) -> Looks:
        return self

    def paginate(self, **conditions: Any) -> list[dict[str, Any]]:
        if ":pause" in conditions["ExpressionAttributeValues"]:
            return [{"Items": [{"sk": {"S": name}} for name in self.paused]}]
        return [{"Items": [{"reconciled": {"N": "1"}}] * (self.runs[0] if self.runs else 0)}]

    def next(self) -> None:
        self.looks.pop(0)
        if self.runs:
            self.runs.pop(0)


def rounds(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    resources = {
        "AWS::SQS::Queue": {"AccountsQueue": "a", "BillingQueue": "b", "BillingDeadLetterQueue": "dead"},
        "AWS::DynamoDB::Table": {"StateTable": "t"},
    }
    for client in ("sqs", "dynamodb", "lambdas"):
        monkeypatch.setattr(Stack, client, lambda _self: looks)
    stack = Stack("s", boto3.Session(region_name="eu-central-1"), "http://127.0.0.1:1", None, resources)
    idle = Idle(stack, datetime.now(UTC))
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
    looks = Looks([{"a": 5, "dead": 1}] * 3, paused=["accounts"])
    assert rounds(looks, monkeypatch) == [False, False, True]


def test_without_a_stack_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr(stacks, "LOCAL_STACK", tmp_path / "stack.json")
    done = CliRunner().invoke(kartoteka, ["tick"])
    assert done.exit_code == 69
    assert "make up" in done.output


def test_every_command_can_be_loaded():
    done = CliRunner().invoke(kartoteka, ["--help"])
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in COMMANDS)
