"""The doctor's questions about a stack, each on its own: one that AWS refuses is told, and the others are answered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws

from cli import stack as stacks
from cli import stack_findings
from cli.doctor import doctor
from cli.stack import Stack
from kartoteka.doctor.findings import Finding, Level, examined

REGION = "eu-central-1"
PARAMETERS = [{"ParameterKey": "PanelUrl", "ParameterValue": "https://sklep.example"}]


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
        template = '{"Parameters": {"PanelUrl": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
        session.client("cloudformation").create_stack(
            StackName="kartoteka", TemplateBody=template, Parameters=PARAMETERS
        )
        session.client("ssm").put_parameter(Name="policy", Value="{}", Type="String")
        for name in ("panel", "erp"):
            session.client("secretsmanager").create_secret(Name=name, SecretString="tajne")
        resources: dict[str, dict[str, str]] = defaultdict(dict)
        resources["AWS::SSM::Parameter"]["PolicyParameter"] = "policy"
        resources["AWS::SecretsManager::Secret"] |= {"PanelSecret": "panel", "ErpSecret": "erp"}
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


@pytest.mark.parametrize(
    ("operation", "what", "right", "times"),
    [
        ("GetParameter", "policy", "ssm:GetParameter", 1),
        ("GetSecretValue", "panel's key", "secretsmanager:GetSecretValue", 2),
        ("GetSecretValue", "exchange database's address", "secretsmanager:GetSecretValue", 2),
        ("DescribeStacks", "panel's address", "cloudformation:DescribeStacks", 1),
    ],
)
def test_a_setting_that_may_not_be_read_stops_with_its_right(
    stack: Stack, operation: str, what: str, right: str, times: int
) -> None:
    assert isinstance(stack.session, Session)
    stack.session.refused = {operation: "AccessDeniedException"}
    told = list(examined(stack, [stack_findings.READABLE], lambda _: True))
    assert [(each.id, each.level) for each in told] == [("settings", Level.STOP)] * times
    [one] = [each for each in told if what in each.sentence]
    assert f"not allowed to {right}" in one.sentence
    assert right in one.remedy
    assert "tajne" not in repr(told)
    assert "anna" not in repr(told)


@pytest.mark.parametrize("operation", ["GetParameter", "GetSecretValue", "DescribeStacks"])
def test_the_command_tells_what_it_still_can_and_asks_no_panel(
    stack: Stack, operation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(stack.session, Session)
    stack.session.refused = {operation: "AccessDeniedException"}
    monkeypatch.setattr(stacks, "find", lambda _name: stack)
    report = tmp_path / "report.json"
    ended = CliRunner().invoke(doctor, ["--stack", "kartoteka", "--json", "--report", str(report)])
    document = json.loads(ended.output)
    assert ended.exit_code == 1
    assert [each["id"] for each in document["findings"] if each["level"] == "stop"][:1] == ["settings"]
    assert {"schedules", "queues", "dead_letters", "alarms"} <= {each["id"] for each in document["findings"]}
    assert (document["policy"], document["panel_calls"]) == ({}, 0)
    assert json.loads(report.read_text()) == document
    assert "anna" not in ended.output


def test_settings_that_can_be_read_are_told_once(stack: Stack) -> None:
    [told] = examined(stack, [stack_findings.READABLE], lambda _: True)
    assert (told.level, "tajne" in repr(told)) == (Level.OK, False)
    assert all(what in told.sentence for what in stack_findings.SETTINGS)


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
