"""What the operator's commands read and do in a stack: its queues, state, runs and secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.stack import CONNECT, Stack, concern
from kartoteka.adapters.aws.alarms import CloudWatchAlarms
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.errors import Halt, KartotekaError
from kartoteka.policy import parse
from kartoteka.sync.retry import BRAKE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

DEAD = "DeadLetterQueue"


def queue(stack: Stack) -> SqsQueue:
    """Return the stack's queues, with its own number of shards: a client must stay in one of them."""
    return SqsQueue(stack.queues, shards=shards(stack), make_client=stack.sqs)


def shards(stack: Stack) -> int:
    """Return the stack's parameter ``Shards``."""
    return int(parameters(stack).get("Shards", 1))


def parameters(stack: Stack) -> Mapping[str, str]:
    """Return the stack's parameters; those that are secrets are masked by AWS."""
    client = stack.session.client("cloudformation", endpoint_url=stack.endpoint, config=CONNECT)
    found = client.describe_stacks(StackName=stack.name)["Stacks"][0].get("Parameters", [])
    return {each["ParameterKey"]: each["ParameterValue"] for each in found}


def erp_url(stack: Stack) -> str:
    """Return the exchange database's address out of the stack's secret."""
    return _secret(stack, "ErpSecret")


def panel_key(stack: Stack) -> str:
    """Return the panel's API key out of the stack's secret."""
    return _secret(stack, "PanelSecret")


def panel_url(stack: Stack) -> str:
    """Return the stack's parameter ``PanelUrl``."""
    found = parameters(stack).get("PanelUrl")
    if found is None:
        raise stack.lacks("PanelUrl")
    return found


def policy(stack: Stack) -> str:
    """Return the stack's policy, JSON."""
    client = stack.session.client("ssm", endpoint_url=stack.endpoint, config=CONNECT)
    return str(client.get_parameter(Name=stack.own("AWS::SSM::Parameter", "PolicyParameter"))["Parameter"]["Value"])


def _secret(stack: Stack, name: str) -> str:
    secret = stack.own("AWS::SecretsManager::Secret", name)
    client = stack.session.client("secretsmanager", endpoint_url=stack.endpoint, config=CONNECT)
    return str(client.get_secret_value(SecretId=secret)["SecretString"])


def dead_letters(stack: Stack) -> Mapping[str, str]:
    """Return concern -> address of its dead-letter queue."""
    found = stack.ids("AWS::SQS::Queue").items()
    return {concern(name, DEAD): url for name, url in found if name.endswith(DEAD)}


def way_on(concern: str, reason: str, stack: str | None) -> str:
    """Return the command that ends a concern's pause; ``stack`` is the one named on the command line."""
    words = ["kartoteka", "resume", concern, *(["--confirm"] if reason == BRAKE else [])]
    return " ".join([*words, *(["--stack", stack] if stack else [])])


def waiting(sqs: SQSClient, url: str) -> int:
    """Return about how many messages a queue holds, those at work included."""
    found = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )
    return sum(int(count) for count in found["Attributes"].values())


def depths(stack: Stack) -> Sequence[Mapping[str, Any]]:
    """Return how many messages wait in each concern's queue, are worked, and are dead."""
    found = SqsQueue(stack.queues, make_client=stack.sqs).depths()
    return [{"concern": concern, **asdict(depth)} for concern, depth in sorted(found.items())]


def ringing(stack: Stack) -> Sequence[Mapping[str, Any]] | None:
    """Return the alarms that ring; None where nobody watches, or they may not be asked for."""
    try:
        found = CloudWatchAlarms(stack.name, stack.cloudwatch).ringing()
    except KartotekaError:
        return None
    return None if found is None else [asdict(alarm) for alarm in found]


def runs(stack: Stack, limit: int) -> Sequence[Mapping[str, Any]]:
    """Return the last worker runs, the newest first: when, which concern, and the figures."""
    return DynamoState(stack.table, stack.dynamodb).last_runs(limit)


def calls(stack: Stack, now: datetime) -> dict[str, Any]:
    """Return the panel calls of today and of the month (UTC) by gate, the month's sum, its forecast and its budget."""
    usage = DynamoState(stack.table, stack.dynamodb).usage().at(now)
    return {
        "today": dict(usage.today),
        "month": dict(usage.gates),
        "used": usage.used(now),
        "forecast": usage.forecast(now),
        "budget": _budget(stack),
    }


def _budget(stack: Stack) -> int | None:
    """Return ``panel.monthly_budget``; None where there is none, or the policy cannot be read."""
    if "PolicyParameter" not in stack.ids("AWS::SSM::Parameter"):
        return None
    try:
        return parse(policy(stack)).panel.monthly_budget
    except Halt:
        return None


def identity(stack: Stack) -> str:
    """Return the name of who acts here, as AWS knows it: the last part of its ARN."""
    client = stack.session.client("sts", endpoint_url=stack.endpoint, config=CONNECT)
    return str(client.get_caller_identity()["Arn"]).rpartition("/")[2]
