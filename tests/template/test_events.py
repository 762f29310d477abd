"""The events in `events/`: one for everything that may wake a function, for `sam local invoke` and for tests."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.template.reading import Template, alternatives

EVENTS = Path(__file__).resolve().parents[2] / "events"


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def word(logical: str, suffix: str) -> str:
    """`delivery_addresses` for `DeliveryAddressesQueue`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical.removesuffix(suffix)).lower()


def from_schedules(template: Template) -> dict[str, Any]:
    """Name of the event's file -> the event, for every schedule; a function's second one is its pass."""
    found: dict[str, Any] = {}
    for schedule in template.of_kind("AWS::Scheduler::Schedule").values():
        sent = json.loads(schedule["Target"]["Input"])
        kind = {"collect": "schedule", "rotate": "pass", "watch": "watch"}[sent["move"]]
        found[f"{word(schedule['Target']['Arn']['Fn::GetAtt'][0], 'Function')}_{kind}"] = sent
    return found


def from_queues(template: Template) -> set[str]:
    mappings = template.of_kind("AWS::Lambda::EventSourceMapping").values()
    return {f"{word(mapping['EventSourceArn']['Fn::GetAtt'][0], 'Queue')}_queue" for mapping in mappings}


def test_there_is_an_event_for_everything_that_wakes_a_function_and_no_other(template: Template):
    there = {file.stem for file in EVENTS.glob("*.json")}
    assert there == from_schedules(template).keys() | from_queues(template) | {"panel_hook"}


def test_the_hooks_event_is_that_of_its_route(template: Template):
    (api,) = template.of_kind("AWS::ApiGatewayV2::Api").values()
    (path,) = api["Body"]["paths"]
    (methods,) = alternatives(api["Body"]["paths"][path])
    (method,) = methods
    assert method == "x-amazon-apigateway-any-method"
    assert event("panel_hook")["routeKey"] == f"ANY {path}"
    assert list(event("panel_hook")["pathParameters"]) == [path.strip("/{}")]


def test_what_a_schedule_sends_is_in_its_file(template: Template):
    sent = from_schedules(template)
    assert {name: event(name) for name in sent} == sent


CLIENTS = {"clients": ["C-1001", "C-1002"]}
KEYS = {"discounts": [{"groups": ["GOLD", "SILVER"]}, CLIENTS]}
"""Queues whose event is not just one message with two clients -> the keys of each message."""


@pytest.mark.parametrize("name", sorted(file.stem for file in EVENTS.glob("*_queue.json")))
def test_a_message_is_one_of_its_own_queue(template: Template, name: str):
    records = event(name)["Records"]
    concern = name.removesuffix("_queue")
    assert [json.loads(record["body"]) for record in records] == [
        {"v": 1, "concern": concern, **keys} for keys in KEYS.get(concern, [CLIENTS])
    ]
    queue = template.of_kind("AWS::SQS::Queue")[concern.title().replace("_", "") + "Queue"]
    for record in records:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert record["eventSourceARN"].rsplit(":", 1)[-1] == queue["QueueName"]["Fn::Sub"].replace(
            "${AWS::StackName}", "kartoteka"
        )
    for own in ("messageId", "receiptHandle"):
        assert len({record[own] for record in records}) == len(records)
