"""Secrets that were changed are taken by functions that run, without a deploy; a wrong one is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import boto3
import pytest

from kartoteka import runtime
from kartoteka.adapters.aws.parameters import Parameters
from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from tests.fixtures.installation import KEY, Context, Installation, event

NEW_KEY = "canary-another-key-2290"
Wait = Callable[[float], None]


@pytest.fixture
def wait(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Let seconds pass for what the function remembers of its secrets: the process stays the same, warm."""
    passed = [0.0]
    kept = cache(lambda: Parameters(runtime.SECRETS_KEPT, clock=lambda: passed[0]))
    monkeypatch.setattr(runtime, "_parameters", kept)

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    return let_pass


def change(name: str, text: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretString=text)


def collect(installation: Installation) -> dict[str, object]:
    return installation.handler("panel_feed")({**event("panel_feed_schedule"), "due": "all"}, Context())


@pytest.mark.fault(84)
def test_a_new_key_is_taken_within_five_minutes_and_the_old_one_serves_until_then(
    installation: Installation, wait: Wait
) -> None:
    installation.insert("C-1")
    installation.tick()
    change("panel-key", NEW_KEY)
    wait(runtime.SECRETS_KEPT - 1)
    assert "halted" not in collect(installation)
    wait(2)
    assert str(collect(installation)["halted"]).startswith("panel_key: ")  # the panel knows the old one only


@pytest.mark.fault(84)
def test_a_wrong_key_is_told_without_being_quoted_and_the_right_one_is_taken_at_once(
    installation: Installation, wait: Wait, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.insert("C-1")
    change("panel-key", NEW_KEY)
    assert str(collect(installation)["halted"]).startswith("panel_key: ")
    told = capsys.readouterr().out
    assert '"Halted"' in told
    assert NEW_KEY not in told
    change("panel-key", KEY)  # no waiting: after a halt secrets are read afresh
    assert "halted" not in collect(installation)
    installation.tick()
    installation.tick()
    assert len(installation.panel.accounts) == 1


@pytest.mark.parametrize("wrong", ["", "with a blank", "żółw", "two\nlines"])
def test_a_key_that_cannot_be_one_is_told_and_sent_to_nobody(
    installation: Installation, wait: Wait, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").update_secret(SecretId="panel-key", SecretString=wrong or " ")
    assert str(collect(installation)["halted"]).startswith("panel_key: ")
    assert not installation.panel.calls


def test_another_address_of_the_database_is_taken_within_five_minutes(
    installation: Installation, wait: Wait, tmp_path: Path
) -> None:
    """As after a change of its password or of its host."""
    installation.insert("C-1")
    installation.tick()
    other = f"sqlite:///{tmp_path}/moved.db"
    moved = open_engine(other)
    upgrade.create(moved)
    change("erp-url", other)
    wait(runtime.SECRETS_KEPT - 1)
    collect(installation)
    with moved.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sync_owner").scalar() == 0
    wait(2)
    assert "halted" not in collect(installation)
    with moved.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sync_owner").scalar() == 1
    moved.dispose()


def test_a_wrong_address_of_the_database_is_told_without_its_password(
    installation: Installation, wait: Wait, capsys: pytest.CaptureFixture[str]
) -> None:
    change("erp-url", "postgresql://erp:canary-password-61@127.0.0.1:1/erp")
    answer = str(collect(installation))
    told = capsys.readouterr()
    assert "database" in answer
    assert "canary-password-61" not in answer + told.out + told.err
