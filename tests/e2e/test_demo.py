"""`make demo`, and what README shows of it and of the local stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kartoteka.adapters.sql.dialect import open_engine
from tests.fixtures.console import lacking, masked, shown
from tests.fixtures.stack import run

pytestmark = pytest.mark.e2e
SHOWN = {each.command: each.output for each in shown()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder of a stack that is stopped afterwards."""
    home = tmp_path_factory.mktemp("demo") / "local"
    yield home
    run("local.stack", "down", KARTOTEKA_HOME=str(home))


@pytest.fixture(scope="module")
def printed(home: Path) -> str:
    """Give what the demo has printed, beside a user's own panel, which it must not touch."""
    done = run("local.demo", KARTOTEKA_HOME=str(home), COLUMNS="160", PANEL_URL="https://shop.example", PANEL_KEY="k")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_demo_prints_what_readme_shows(printed: str) -> None:
    for line in SHOWN["make demo"]:
        assert not lacking([line], printed), line
    assert "Traceback" not in printed


def test_the_stack_comes_up_as_readme_shows(printed: str) -> None:
    assert lacking(SHOWN["make up"], printed) == []


def test_a_row_and_a_tick_print_what_readme_shows(printed: str, home: Path) -> None:
    assert printed
    (command,) = [each for each in SHOWN if each.startswith("sqlite3 ")]
    statement = re.search(r'"(INSERT .*)"', command, re.DOTALL)
    assert statement
    engine = open_engine(f"sqlite:///{home}/demo.db")
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM clients WHERE id = 'C-1'"))
        connection.execute(sa.text(statement[1]))
    engine.dispose()
    done = run("cli", "tick", KARTOTEKA_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert [masked(line) for line in SHOWN["make tick"]] == [masked(done.stdout)]
    told = run("cli", "status", KARTOTEKA_HOME=str(home))
    assert told.returncode == 0, told.stderr


def test_what_is_down_is_said(printed: str, home: Path) -> None:
    assert printed
    assert "stopped: cloud, panel" in run("local.stack", "down", KARTOTEKA_HOME=str(home)).stdout
    told = run("cli", "status", KARTOTEKA_HOME=str(home))
    assert "The local stack is down" in told.stderr
    assert "with an account in the panel" in told.stdout
    told = run("cli", "tick", KARTOTEKA_HOME=str(home))
    assert (told.returncode, "`make up`" in told.stderr) == (69, True)
