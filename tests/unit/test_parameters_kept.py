"""The policy's parameter and the secrets are read once in a while, not once a run."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from kartoteka.adapters.aws.parameters import Parameters
from local.home import ROOT


class Service:
    """SSM and Secrets Manager, in which everything says how often it was read."""

    def __init__(self) -> None:
        self.read = 0

    def get_parameter(self, Name: str) -> Any:  # noqa: N803 - the service's own name
        self.read += 1
        return {"Parameter": {"Value": f"{Name} {self.read}"}}

    def get_secret_value(self, SecretId: str) -> Any:  # noqa: N803 - the service's own name
        self.read += 1
        return {"SecretString": f"{SecretId} {self.read}"}


def test_what_was_read_is_kept_for_its_time_and_then_read_again() -> None:
    now, service, made = [100.0], Service(), list[str]()

    def make(name: str) -> Service:
        made.append(name)
        return service

    kept = Parameters(300, make_client=make, clock=lambda: now[0])
    assert [kept.parameter("policy"), kept.parameter("policy"), kept.secret("policy")] == [
        "policy 1",
        "policy 1",
        "policy 2",
    ]
    now[0] += 299
    assert kept.parameter("policy") == "policy 1"
    now[0] += 1
    assert (kept.parameter("policy"), kept.secret("key")) == ("policy 3", "key 4")
    assert made == ["ssm", "secretsmanager"], "a client is made once"


def test_no_function_imports_what_it_does_not_use() -> None:
    """boto3 brings S3's transfers with it; the cloud's clients are botocore's."""
    code = "import runpy, sys; runpy.run_path('functions/billing/handler.py'); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "shared"}, capture_output=True, check=True, text=True, cwd=ROOT
    )
    unused = {"boto3", "s3transfer", "phonenumbers.geodata", "jinja2", "rich", "hypothesis"}
    assert not unused & set(told.stdout.split())
