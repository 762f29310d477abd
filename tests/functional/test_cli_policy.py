"""`kartoteka policy check`: every wrong place at once, an exit code for programs, nothing deployed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.policy import policy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.json"


def checked(file: Path, content: bytes, *options: str) -> Result:
    file.write_bytes(content)
    return CliRunner().invoke(policy, ["check", str(file), *options])


def test_a_right_policy_is_fine(file: Path) -> None:
    result = checked(file, b'{"billing": {"conflict": "hold"}}')
    assert (result.exit_code, result.output) == (0, f"{file}: fine\n")
    assert json.loads(checked(file, b"{}", "--json").stdout) == {"ok": True, "wrong": []}


def test_all_that_is_wrong_is_told_at_once_with_its_place(file: Path) -> None:
    wrong = b'{"biling": {}, "shops": {"direction": "both"}, "brake": {"max_share": 2, "max_share": 3}}'
    result = checked(file, wrong)
    assert result.exit_code == 78
    assert "is wrong in 4 places:" in result.stderr
    told = json.loads(checked(file, wrong, "--json").stdout)
    assert told["ok"] is False
    places = [each["place"] for each in told["wrong"]]
    assert places == ["brake.max_share", "shops.direction", "brake.max_share", "biling"]
    assert all(f"\n  {each['place']}: {each['what']}" in result.stderr for each in told["wrong"])


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty; write {}"), ("{}".encode("utf-16"), "is not UTF-8"), (b"{", "line 1, column 2: not JSON")],
)
def test_a_file_that_is_no_policy_at_all_is_told_as_what_it_is(file: Path, content: bytes, told: str) -> None:
    result = checked(file, content)
    assert result.exit_code == 78
    assert told in result.stderr


def test_a_file_that_is_not_there_is_a_wrong_use_of_the_command(file: Path) -> None:
    assert CliRunner().invoke(policy, ["check", str(file)]).exit_code == 2
