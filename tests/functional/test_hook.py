"""The wake-up hook: the real handler with the event of `events/`, and the feed that it wakes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from kartoteka import hook, runtime
from tests.fixtures.installation import Context, Installation, event

SECRET = "s3cr3tPath"  # noqa: S105 - an example


@pytest.fixture
def hooked(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Give an installation with a hook, in step and quiet."""
    arn = boto3.client("secretsmanager").create_secret(Name="hook", SecretString=SECRET)["ARN"]
    monkeypatch.setenv("KARTOTEKA_HOOK_SECRET", arn)
    monkeypatch.setenv("KARTOTEKA_HOOK", "on")
    runtime.forget()
    hook.forget()
    installation.insert("C-1001")
    for _ in range(3):
        installation.tick()
    installation.panel.forget_calls()
    yield installation
    hook.forget()


def call(installation: Installation, secret: str = SECRET, **more: Any) -> dict[str, Any]:
    """Return what the hook answers to a request with this last part of its path."""
    sent = {**event("panel_hook"), "rawPath": f"/{secret}", "pathParameters": {"secret": secret}, **more}
    answer: dict[str, Any] = installation.handler("panel_hook")(sent, Context())
    return answer


def noted() -> list[Any]:
    found = boto3.client("dynamodb").scan(TableName="state")["Items"]
    return [item for item in found if item["pk"] == {"S": "wake"}]


def test_who_knows_the_secret_is_answered_and_a_moment_is_noted(hooked: Installation) -> None:
    assert call(hooked) == {"statusCode": 204}
    (item,) = noted()
    assert set(item) == {"pk", "sk", "at"}
    assert not hooked.panel.calls


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("body", [None, "", "{", "x" * 100_000, '{"client": "C-1001"}'])
def test_neither_method_nor_body_matters(hooked: Installation, method: str, body: str | None) -> None:
    http = {"http": {"method": method, "path": f"/{SECRET}"}}
    assert call(hooked, body=body, requestContext=http) == {"statusCode": 204}


@pytest.mark.parametrize("secret", ["", "wrong", SECRET.lower(), SECRET[:-1], SECRET + "x", "żółć", "../" + SECRET])
def test_any_other_path_is_not_found_and_notes_nothing(hooked: Installation, secret: str) -> None:
    assert call(hooked, secret) == {"statusCode": 404}
    assert noted() == []


@pytest.mark.parametrize("parameters", [None, {}, {"other": SECRET}])
def test_a_request_without_a_path_is_not_found(hooked: Installation, parameters: Any) -> None:
    assert call(hooked, pathParameters=parameters) == {"statusCode": 404}


def test_the_event_in_its_file_is_answered(hooked: Installation) -> None:
    assert hooked.handler("panel_hook")(event("panel_hook"), Context()) == {"statusCode": 404}


def test_of_many_requests_one_is_noted(hooked: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    call(hooked)
    first = noted()
    for _ in range(20):
        assert call(hooked) == {"statusCode": 204}
    assert noted() == first
    hook._noted[:] = [hook._noted[0] - hook.ONCE_IN]
    call(hooked)
    assert noted() != first


def test_nothing_of_a_request_is_written_anywhere(hooked: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    call(hooked, body="Kowalski")
    call(hooked, "wrongPath", body="Kowalski")
    told = capsys.readouterr()
    state = json.dumps(boto3.client("dynamodb").scan(TableName="state")["Items"])
    for text in (SECRET, "wrongPath", "Kowalski"):
        assert text not in told.out + told.err
        assert text not in state


def test_a_feed_that_was_asked_just_now_is_asked_after_the_shortest_time_only(
    hooked: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = hooked.handler("panel_feed")
    call(hooked)
    assert feed(event("panel_feed_schedule"), Context())["panel_calls"] == 0
    policy = '{"panel": {"requests_per_second": 1000, "poll": {"min_seconds": 1, "max_seconds": 900}}}'
    boto3.client("ssm").put_parameter(Name="policy", Value=policy, Overwrite=True)
    runtime.forget()
    assert feed(event("panel_feed_schedule"), Context())["panel_calls"] == 1


def test_the_hook_loads_neither_the_database_nor_the_panel() -> None:
    import subprocess

    program = "import sys, kartoteka.hook; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": "shared"}
    ).stdout
    for heavy in ("sqlalchemy", "requests", "pydantic", "phonenumbers", "kartoteka.runtime", "kartoteka.concerns"):
        assert f"'{heavy}'" not in loaded
