"""Parameters reach the stack as they were given, whatever marks are in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import deploying, home


def unquoted_by_sam(value: str) -> str:
    """What SAM does with a parameter (samcli.cli.types, `_unquote_wrapped_quotes`)."""
    if value and value[0] == value[-1] and value[0] in {'"', "'"}:
        value = value[1:-1]
    return value.replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        '"quoted"',
        "it's",
        '{"a":"with \\" inside"}',
        "back\\slash",
        "back\\ blank",
        "two\\\\ and a quote\\'",
        "key=with,all $ of%them",
    ],
)
def test_what_is_quoted_comes_back(value: str):
    assert unquoted_by_sam(deploying._quoted(value)) == value


def read_by_sam(argument: str) -> dict[str, str]:
    """What SAM does with a file of parameters (samcli.cli.types, `CfnParameterOverridesType.convert`)."""
    assert argument.startswith("file://")
    values = yaml.safe_load(Path(argument[7:]).read_text(encoding="utf-8"))
    return {name: unquoted_by_sam(value) for name, value in values.items()}


@pytest.mark.parametrize("folder", ["plain", "Moje dokumenty", "żółć", "100%20 #1 a+b", "it's [here]"])
def test_the_parameters_are_found_whatever_the_folder_is_called(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = tmp_path / folder
    place.mkdir()
    monkeypatch.setattr(home, "HOME", place)
    found: dict[str, str] = {}

    def sam(arguments: Sequence[str], **_how: Any):
        found.update(read_by_sam(arguments[arguments.index("--parameter-overrides") + 1]))

    monkeypatch.setattr(deploying, "_sam", sam)
    deploying.deploy("http://127.0.0.1:1", {"ErpUrl": "sqlite:////a b/ł.db"})
    assert found["ErpUrl"] == "sqlite:////a b/ł.db"
    assert os.listdir(place) == [], "it holds secrets"
