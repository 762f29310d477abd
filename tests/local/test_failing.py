"""What a local command says where it does not come to its end, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from botocore.exceptions import ReadTimeoutError

from kartoteka.errors import Halt
from local import failure, home, processes, stack
from local.failure import LocalFailure
from local.panel import StandinPanel
from tests.fixtures.stack import run


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (LocalFailure("no room"), 1, "kartoteka: no room"),
        (KeyboardInterrupt(), 130, "`make down` stops what still runs"),
        (click.Abort(), 130, "`make down` stops what still runs"),
        (click.ClickException("no such client"), 1, "kartoteka: no such client"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), 1, "is this machine very busy?"),
        (Halt("no_schema", "there are no tables"), 1, "there are no tables"),
    ],
)
def test_whatever_stands_in_the_way_is_a_sentence(
    error: BaseException, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with failure.told() as end:
        raise error
    assert end.code == code
    assert says in capsys.readouterr().err


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the names of what runs in the background; starting and stopping change nothing else."""
    for name, folder in (("HOME", "."), ("LOGS", "logs"), ("CLOUD", "cloud"), ("STACK_FILE", "stack.json")):
        monkeypatch.setattr(home, name, tmp_path / folder)
    names: set[str] = set()

    def stopping(name: str) -> Callable[[], bool]:
        return lambda: name in names and not names.discard(name)

    monkeypatch.setattr(processes, "find", lambda name: name if name in names else None)
    monkeypatch.setattr(stack, "STOPS", {name: stopping(name) for name in ("cloud", "panel", "database")})
    return names


@pytest.mark.parametrize("error", [LocalFailure("refused"), KeyboardInterrupt()])
def test_what_was_started_is_stopped_again_and_what_ran_before_is_not(
    error: BaseException, running: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def starts_two() -> None:
        with stack._all_or_nothing():
            running.update(("cloud", "database"))
            raise error

    running.add("panel")
    with pytest.raises(type(error)):
        starts_two()
    assert running == {"panel"}
    assert capsys.readouterr().out.startswith("stopped: cloud, database")


def test_what_comes_to_its_end_goes_on_running(running: set[str]) -> None:
    with stack._all_or_nothing():
        running.add("cloud")
    assert running == {"cloud"}


@pytest.mark.parametrize(("key", "says"), [("wrong", "PANEL_URL"), ("right", "")])
def test_the_panel_is_asked_before_anything_is_started(key: str, says: str, tmp_path: Path) -> None:
    """A right key is followed by what comes next: here a database that is not there."""
    with StandinPanel(key="right") as panel:
        given = {"PANEL_URL": panel.url, "PANEL_KEY": key, "ERP_URL": "postgresql://x:y@127.0.0.1:1/z"}
        done = run("local.stack", "up", KARTOTEKA_HOME=str(tmp_path / "local"), **given)
    assert done.returncode == 1
    assert (panel.url in done.stderr) is bool(says)
    assert ("exchange tables" in done.stderr) is not bool(says)
    assert "Traceback" not in done.stderr


def test_a_panel_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    given = {"PANEL_URL": "http://127.0.0.1:1", "PANEL_KEY": "k"}
    done = run("local.stack", "up", KARTOTEKA_HOME=str(tmp_path / "local"), **given)
    assert done.returncode == 1
    assert "PANEL_URL http://127.0.0.1:1 or PANEL_KEY" in done.stderr
    assert not list((tmp_path / "local").glob("*.pid"))
