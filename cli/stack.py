"""The stack that a command speaks to: the local one, or a deployed one (`--stack NAME`)."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.exceptions import ConnectionError as NoConnection

from cli.exits import Unavailable
from cli.show import said

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

HOME = Path(os.environ.get("KARTOTEKA_HOME") or Path(__file__).resolve().parent.parent / ".local")
LOCAL_STACK = HOME / "stack.json"
ONE_TRY = Config(retries={"total_max_attempts": 1}, read_timeout=900, connect_timeout=5)
"""For calls with an effect: a repeated one would do it twice."""
CONNECT = Config(connect_timeout=5, max_pool_connections=16)

LOCAL_DOWN = "the local stack is down (nothing answers at {endpoint}): `make up` starts it"
LOCAL_UNREADABLE = "the stack {stack} cannot be read (is it running? `make up` starts it): {why}"
UNREADABLE = "the stack {stack} cannot be read (check its name, the region and your credentials): {why}"


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its clients and what it consists of."""

    name: str
    session: boto3.Session
    endpoint: str | None
    log: str | None
    """The file that holds the functions' output, on the local stack."""
    resources: Mapping[str, Mapping[str, str]] = field(repr=False)
    """Type of the resource -> logical id -> physical id."""

    def ids(self, kind: str) -> Mapping[str, str]:
        """Return logical id -> physical id of all resources of one type, such as ``AWS::SQS::Queue``."""
        return self.resources.get(kind, {})

    def own(self, kind: str, name: str) -> str:
        """Return the physical id of a resource that each stack of Kartoteka has. Raises Unavailable for one without."""
        found = self.ids(kind).get(name)
        if found is None:
            raise self.lacks(name)
        return found

    def lacks(self, name: str) -> Unavailable:
        """Return what ends a command where the stack lacks something of Kartoteka's."""
        return Unavailable(
            said("the stack {stack} has no {name}: is it a stack of Kartoteka?", stack=self.name, name=name)
        )

    @property
    def queues(self) -> dict[str, str]:
        """Return concern -> address of its queue."""
        found = self.ids("AWS::SQS::Queue").items()
        return {concern(name, "Queue"): url for name, url in found if not name.endswith("DeadLetterQueue")}

    @property
    def functions(self) -> dict[str, str]:
        """Return concern (or ``panel_feed``) -> name of its function."""
        return {concern(name, "Function"): value for name, value in self.ids("AWS::Lambda::Function").items()}

    @property
    def mappings(self) -> dict[str, str]:
        """Return concern -> id of the mapping that brings its queue to its function."""
        found = self.ids("AWS::Lambda::EventSourceMapping").items()
        return {concern(name.partition("Function")[0], ""): uuid for name, uuid in found}

    @property
    def table(self) -> str:
        """Return the name of the state table."""
        return self.own("AWS::DynamoDB::Table", "StateTable")

    def where_to_read(self, function: str) -> str:
        """Say where this function's log is."""
        return self.log or said("CloudWatch log group /aws/lambda/{function}", function=function)

    def lambdas(self) -> LambdaClient:
        """Return a client that invokes once, and waits as long as a function may take."""
        return self.session.client("lambda", endpoint_url=self.endpoint, config=ONE_TRY)

    def sqs(self) -> SQSClient:
        """Return a client of the queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint, config=CONNECT)

    def cloudwatch(self) -> Any:
        """Return a client of the alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint, config=CONNECT)

    def dynamodb(self) -> DynamoDBClient:
        """Return a client of the state table."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint, config=CONNECT)

    def scheduler(self) -> EventBridgeSchedulerClient:
        """Return a client of the schedules."""
        return self.session.client("scheduler", endpoint_url=self.endpoint, config=CONNECT)


def concern(logical_id: str, suffix: str) -> str:
    """Return ``panel_feed`` for ``PanelFeedFunction``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix(suffix)).lower()


def find(name: str | None) -> Stack:
    """Return the deployed stack of this name (the default AWS account), or the local one when none is given."""
    if name is None:
        return _local()
    return _load(name, boto3.Session(), endpoint=None, log=None)


def local_facts() -> dict[str, Any]:
    """Return what `make up` has noted of the local stack; nothing where none is running."""
    try:
        found = json.loads(LOCAL_STACK.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError):
        raise Unavailable(
            said("{file} cannot be read: start the local stack anew with `make up`", file=LOCAL_STACK)
        ) from None
    return found if isinstance(found, dict) else {}


def _local() -> Stack:
    facts = local_facts()
    if "endpoint" not in facts:
        raise Unavailable(
            said("no local stack is running: start one with `make up`, or name a deployed one with --stack")
        )
    session = boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
        region_name=facts["region"],
    )
    return _load(facts["stack"], session, endpoint=facts["endpoint"], log=facts["log"])


def _load(name: str, session: boto3.Session, *, endpoint: str | None, log: str | None) -> Stack:
    try:
        client: CloudFormationClient = session.client("cloudformation", endpoint_url=endpoint, config=CONNECT)
        pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
        summaries: Sequence[Any] = [one for page in pages for one in page["StackResourceSummaries"]]
    except NoConnection as error:
        if endpoint is None:
            raise Unavailable(said(UNREADABLE, stack=name, why=error)) from error
        raise Unavailable(said(LOCAL_DOWN, endpoint=endpoint)) from error
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(said(LOCAL_UNREADABLE if endpoint else UNREADABLE, stack=name, why=error)) from error
    resources: dict[str, dict[str, str]] = defaultdict(dict)
    for one in summaries:
        resources[one["ResourceType"]][one["LogicalResourceId"]] = one["PhysicalResourceId"]
    return Stack(name, session, endpoint, log, resources)
