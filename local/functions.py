"""The deployed functions: do they start?"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from local import ministack, processes
from local.deploying import BUCKET, STACK
from local.failure import LocalFailure

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PATIENCE = 180
"""Seconds for a function's first answer."""
PING = json.dumps({"v": 1, "move": "ping"}).encode()


def session() -> boto3.Session:
    """Return a session of the embedded AWS, whatever accounts the user has."""
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
        region_name=ministack.REGION,
    )


def make_bucket(endpoint: str) -> None:
    """Make the bucket that takes the built artifacts, where it is missing."""
    s3 = session().client("s3", endpoint_url=endpoint)
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": ministack.REGION})


def wake(endpoint: str) -> None:
    """Start every function of the stack once, and fail with its own words where one does not start."""
    cloudformation = session().client("cloudformation", endpoint_url=endpoint)
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    names = [
        resource["PhysicalResourceId"]
        for page in resources
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]
    patient = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
    client = session().client("lambda", endpoint_url=endpoint, config=patient)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: _wake(client, name), names))


def environment(endpoint: str) -> dict[str, str]:
    """Return what a function needs to know to work on this stack from elsewhere, such as from `sam local invoke`."""
    client = session().client("lambda", endpoint_url=endpoint)
    known = client.get_function_configuration(FunctionName=f"{STACK}-accounts")["Environment"]["Variables"]
    return known | {"KARTOTEKA_AWS_ENDPOINT": endpoint}


def _wake(client: LambdaClient, name: str) -> None:
    log = processes.log_file(ministack.NAME)
    try:
        answer = client.invoke(FunctionName=name, Payload=PING)
    except (ReadTimeoutError, EndpointConnectionError):
        raise LocalFailure(
            f"the function {name} did not answer within {PATIENCE} s: is this machine busy with something else? "
            f"`make up` goes on from here; its log: {log}"
        ) from None
    if answer.get("FunctionError"):
        failure: dict[str, Any] = json.loads(answer["Payload"].read())
        reason = str(failure.get("errorMessage", "no reason given")).strip().splitlines()[-1]
        raise LocalFailure(f"the function {name} does not start: {reason}; its log: {log}")
