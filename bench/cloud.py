"""The embedded AWS of the benchmark, and in it what the template makes: table, queues, policy, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from bench.processes import running
from kartoteka.fields.table import CONCERNS
from local import ministack
from local.home import ROOT
from local.ports import LOOPBACK, free_port
from local.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

VISIBILITY = 720
"""Seconds, as in template.yaml."""
RECEIVES = 5
CALLS_A_SECOND = 1_000
"""Calls a second that the policy allows (its most): no limit but the panel's own time."""
POLICY = {"panel": {"requests_per_second": CALLS_A_SECOND}}


@dataclass(frozen=True, slots=True)
class Stack:
    """What one series of runs has of the cloud. ``environment`` is what the template gives the functions."""

    name: str
    queues: Mapping[str, str]
    environment: Mapping[str, str] = field(repr=False)


@contextmanager
def embedded(home: Path) -> Iterator[str]:
    """Give the endpoint of an embedded AWS of our own."""
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    temporary = home / "cloud"
    temporary.mkdir()
    log = home / "cloud.log"
    environment = ministack.environment(port) | {"TMPDIR": str(temporary)}
    with running([ministack.PYTHON, "-m", "ministack"], environment=environment, log=log, cwd=ROOT) as process:
        wait_until(
            lambda: ministack.answers(endpoint),
            what="the embedded AWS does not answer",
            seconds=ministack.PATIENCE,
            log=log,
            alive=lambda: process.poll() is None,
        )
        yield endpoint


def session() -> boto3.Session:
    """Return a session of the embedded AWS, whatever accounts the user has."""
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
        region_name=ministack.REGION,
    )


DIGESTS = "bench"
"""The secret of the digests in the account index: one for all stacks, whose databases are compared."""
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=60)


def make_stack(endpoint: str, name: str, *, panel_url: str, panel_key: str, erp_url: str) -> Stack:
    """Make what template.yaml makes, under names of this stack's own."""
    table = make_table(endpoint, f"{name}-state")
    queues = {concern: _make_queue(endpoint, f"{name}-{concern}") for concern in CONCERNS}
    ssm = session().client("ssm", endpoint_url=endpoint, config=CONFIG)
    ssm.put_parameter(Name=f"/{name}/policy", Value=json.dumps(POLICY), Type="String")
    given = {
        "KARTOTEKA_TABLE": table,
        "KARTOTEKA_POLICY_PARAMETER": f"/{name}/policy",
        "KARTOTEKA_PANEL_URL": panel_url,
        "KARTOTEKA_INSTALLATION": "bench",
        "KARTOTEKA_PANEL_SECRET": _make_secret(endpoint, f"{name}-panel", panel_key),
        "KARTOTEKA_ERP_SECRET": _make_secret(endpoint, f"{name}-erp", erp_url),
        "KARTOTEKA_FORGET_SECRET": _make_secret(endpoint, f"{name}-forget", DIGESTS),
        **{f"KARTOTEKA_QUEUE_{concern.upper()}": url for concern, url in queues.items()},
        "KARTOTEKA_SHARDS": "1",
        "POWERTOOLS_METRICS_NAMESPACE": "Kartoteka",
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_ENDPOINT_URL": endpoint,
        **ministack.no_account_of_the_user(),
    }
    return Stack(name, queues, given)


def make_table(endpoint: str, name: str) -> str:
    """Make the table of the state; return its name."""
    dynamodb = session().client("dynamodb", endpoint_url=endpoint, config=CONFIG)
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name


def _make_queue(endpoint: str, name: str) -> str:
    sqs = session().client("sqs", endpoint_url=endpoint, config=CONFIG)
    dead = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes: dict[QueueAttributeNameType, str] = {
        "FifoQueue": "true",
        "VisibilityTimeout": str(VISIBILITY),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES}),
    }
    return sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]


def _make_secret(endpoint: str, name: str, value: str) -> str:
    secrets = session().client("secretsmanager", endpoint_url=endpoint, config=CONFIG)
    return secrets.create_secret(Name=name, SecretString=value)["ARN"]
