"""The doctor's questions about a stack, each on its own: one that AWS refuses is told, and the others are answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from cli import stack_findings
from cli.stack import Stack
from kartoteka.doctor.findings import Finding, Level, examined

REGION = "eu-central-1"


@dataclass
class Session(boto3.Session):
    """A session of a user who lacks some rights: operation -> the code by which its service says so."""

    refused: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    def client(self, service: str, **_: Any) -> Any:  # type: ignore[override]
        """Return a client that is refused what the user may not, and speaks to moto else."""
        client = super().client(service)  # type: ignore[call-overload]
        client.meta.events.register("before-call", self._refuse)
        return client

    def _refuse(self, model: Any, **_: Any) -> None:
        if code := self.refused.get(model.name):
            told = {"Code": code, "Message": "User: arn:aws:iam::123456789012:user/anna is not authorized to perform"}
            raise ClientError({"Error": told}, model.name)  # type: ignore[typeddict-item]


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Give a deployed stack of one schedule, one queue with its dead letters, and one topic; it has no function."""
    with mock_aws():
        session = Session()
        session.client("scheduler").create_schedule(
            Name="billing",
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": f"arn:aws:lambda:{REGION}:123456789012:function:f", "RoleArn": "arn:aws:iam::1:role/r-name"},
        )
        dead = session.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
        topic = session.client("sns").create_topic(Name="alarms")["TopicArn"]
        template = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
        session.client("cloudformation").create_stack(StackName="kartoteka", TemplateBody=template)
        resources: dict[str, dict[str, str]] = defaultdict(dict)
        resources["AWS::Scheduler::Schedule"]["BillingSchedule"] = "billing"
        resources["AWS::SQS::Queue"]["BillingDeadLetterQueue"] = dead
        resources["AWS::SNS::Topic"]["AlarmTopic"] = topic
        resources["AWS::Lambda::EventSourceMapping"]["BillingFunctionQueue"] = "6c1f3f6e-0000-4000-8000-000000000000"
        yield Stack("kartoteka", session, None, None, resources)


def found(stack: Stack, **refused: str) -> dict[str, Finding]:
    """Return what is found by a user who is refused these operations with these codes."""
    assert isinstance(stack.session, Session)
    stack.session.refused = refused
    return {each.id: each for each in examined(stack, stack_findings.EXAMINATIONS, lambda _: True)}


@pytest.mark.parametrize(
    ("operation", "code", "id_", "right"),
    [
        ("ListSubscriptionsByTopic", "AuthorizationError", "alarms", "sns:ListSubscriptionsByTopic"),
        ("DescribeStacks", "AccessDenied", "alarms", "cloudformation:DescribeStacks"),
        ("GetSchedule", "AccessDeniedException", "schedules", "scheduler:GetSchedule"),
        ("GetEventSourceMapping", "AccessDeniedException", "queues", "lambda:GetEventSourceMapping"),
        ("GetQueueAttributes", "AccessDenied", "dead_letters", "sqs:GetQueueAttributes"),
    ],
)
def test_a_right_that_is_missing_is_a_finding_and_the_others_are_answered(
    stack: Stack, operation: str, code: str, id_: str, right: str
) -> None:
    before = found(stack)
    after = found(stack, **{operation: code})
    assert after.keys() == before.keys() == {"schedules", "queues", "dead_letters", "alarms"}
    assert after[id_].level is Level.LOOK
    assert f"not allowed to {right}" in after[id_].sentence
    assert right in after[id_].remedy
    assert {name: each for name, each in after.items() if name != id_} == {
        name: each for name, each in before.items() if name != id_
    }
    assert "anna" not in repr(after)
    assert "123456789012" not in after[id_].sentence + after[id_].remedy


def test_all_rights_missing_are_as_many_findings(stack: Stack) -> None:
    after = found(stack, **dict.fromkeys(stack_findings.ASKED, "AccessDenied"))
    assert [each.level for each in after.values()] == [Level.LOOK] * 4


def test_another_refusal_is_told_by_its_code(stack: Stack) -> None:
    """The mapping is not there: no right lacks, and that is not what is said."""
    told = found(stack)["queues"]
    assert (told.level, "ResourceNotFoundException" in told.sentence) == (Level.LOOK, True)
    assert "allowed" not in told.sentence
    other = found(stack, GetSchedule="Throttling")["schedules"]
    assert "Throttling" in other.sentence
    assert "anna" not in repr(other)


def test_what_is_there_is_told_as_before(stack: Stack) -> None:
    after = found(stack)
    assert {name: after[name].level for name in ("schedules", "dead_letters")} == {
        "schedules": Level.OK,
        "dead_letters": Level.OK,
    }
    assert "Nobody hears the alarms" in after["alarms"].sentence
