"""`sam local invoke`: the functions in Docker, as README.md says, do what they do in the embedded cloud.

Needs a Docker daemon and the image of the runtime; where there is none, it is skipped and says so. AWS is moto's
server, the exchange database a MariaDB; both listen, as the stand-in panel does, where a container reaches the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.fields.table import CONCERNS
from local import mariadb
from local.panel import StandinPanel
from local.ports import free_port
from tests.fixtures.installation import KEY, _make_cloud

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
IMAGE = f"public.ecr.aws/lambda/{RUNTIME.replace('python', 'python:')}"
HOST = "172.17.0.1"
"""The machine, as Docker's containers see it."""
GIVEN = ("--parameter-overrides", f"PythonRuntime={RUNTIME} Architecture=x86_64")
SAM = str(ROOT / ".tools/sam/bin/sam")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "SAM_CLI_TELEMETRY": "0",
}


def docker_lacks() -> str:
    """Return what is missing, for a reader; empty where Docker is ready."""
    try:
        found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, timeout=20, check=False)  # noqa: S607
    except (OSError, subprocess.TimeoutExpired):
        return "no Docker"
    return "" if found.returncode == 0 else f"no Docker daemon, or not the image {IMAGE}"


@dataclass
class Laptop:
    """What the containers work on."""

    panel: StandinPanel
    database: sa.Engine
    queues: Mapping[str, str]
    variables: Path

    @property
    def given(self) -> list[str]:
        return ["--env-vars", str(self.variables), "--skip-pull-image", "--region", "eu-central-1", *GIVEN]

    def invoke(self, function: str, event: str) -> Any:
        """Return what a function answers to one of the events, in Docker."""
        done = subprocess.run(
            [SAM, "local", "invoke", function, "-e", f"events/{event}.json", *self.given],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def waiting(self, concern: str) -> int:
        """Return how many messages are in a concern's queue."""
        asked = {"QueueUrl": self.queues[concern], "AttributeNames": ["ApproximateNumberOfMessages"]}
        return int(boto3.client("sqs").get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    if lacking := docker_lacks():
        pytest.skip(f"SKIPPED LOUDLY: {lacking}, so `sam local invoke` was not tried")
    path = f"{ROOT / '.tools/uv/bin'}:{os.environ['PATH']}"
    built = subprocess.run(
        [SAM, "build", *GIVEN],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "PATH": path},
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    server, port = ThreadedMotoServer(ip_address=HOST, port=0), free_port()
    server.start()
    with pytest.MonkeyPatch.context() as patch, mariadb.running([f"port={port}", f"bind-address={HOST}"]) as maria:
        endpoint = f"http://{HOST}:{server.get_host_and_port()[1]}"
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(name, value)
        root = open_engine(maria.url())
        with root.begin() as connection:
            for statement in (
                "CREATE DATABASE erp CHARACTER SET utf8mb4",
                "CREATE USER 'erp'@'%' IDENTIFIED BY 'kanarek'",
                "GRANT ALL ON erp.* TO 'erp'@'%'",
            ):
                connection.execute(sa.text(statement))
        root.dispose()
        url = f"mysql://erp:kanarek@{HOST}:{port}/erp"
        database = open_engine(url)
        upgrade.create(database)
        with StandinPanel(key=KEY, host=HOST) as panel:
            queues = _make_cloud(url, panel.url, patch)
            given = {name: value for name, value in os.environ.items() if name.startswith("KARTOTEKA_")}
            given["KARTOTEKA_AWS_ENDPOINT"] = endpoint
            variables = tmp_path_factory.mktemp("sam") / "env.json"
            variables.write_text(json.dumps({"Parameters": given}))
            yield Laptop(panel, database, queues, variables)
        database.dispose()
    server.stop()


def test_every_function_answers_and_does_its_work_in_docker(laptop: Laptop) -> None:
    """A day in order: the feed, a new client, its account, its data; then whatever else there is."""
    assert set(laptop.invoke("PanelFeedFunction", "panel_feed_schedule")) >= {"collected", "panel_calls"}
    with laptop.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO clients (id, email, client_type, company, street, zip_code, city, country_code) "
            "VALUES ('C-1001', 'a@firma.example', 'firm', 'A', 'Długa 1', '00-950', 'Łódź', 'PL')"
        )
    assert laptop.invoke("AccountsFunction", "accounts_schedule")["collected"] == 1
    assert laptop.waiting("accounts") == 1
    assert laptop.invoke("AccountsFunction", "accounts_queue") == {"batchItemFailures": []}
    (account,) = laptop.panel.accounts
    assert (account.external_code, account.street) == ("C-1001", "Długa 1")
    for concern in CONCERNS:
        stem = concern.title().replace("_", "")
        assert laptop.invoke(f"{stem}Function", f"{concern}_queue") == {"batchItemFailures": []}
    assert "halted" not in laptop.invoke("DeskFunction", "desk_watch")
