"""Parameters reach the stack as they were given, whatever marks are in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


@pytest.mark.parametrize("folder", ["plain", "Moje dokumenty", "żółć"])
def test_workers_share_the_layer_that_was_built(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded AWS reads what is deployed as a folder of site packages, as Lambda does."""
    place = tmp_path / folder
    for name, path in (("BUILD", "build"), ("LAYER", "build/SharedLayer"), ("LAYERS", "layers")):
        monkeypatch.setattr(deploying, name, place / path)
    monkeypatch.setattr(deploying, "BUILD_LOG", place / "build.log")
    builds = 0

    def sam(_arguments: Sequence[str], **_how: Any) -> None:
        nonlocal builds
        builds += 1
        package = place / "build" / "SharedLayer" / "python" / "shared_by_all.py"
        package.parent.mkdir(parents=True, exist_ok=True)
        package.write_text(f"BUILT = {builds}\n")

    monkeypatch.setattr(deploying, "_sam", sam)
    for _ in range(2):
        deploying.build("first")
    assert builds == 1, "what is built already is not built again"
    deployed = deploying.LAYER / "python" / "lib" / deploying.runtime() / "site-packages"
    program = "import site, sys; site.addsitedir(sys.argv[1]); import shared_by_all; print(shared_by_all.BUILT)"
    told = subprocess.run(
        [sys.executable, "-c", program, str(deployed)], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout == "1\n"
    shutil.rmtree(deploying.LAYER)
    deploying.build("second")
    assert {each.name for each in deploying.LAYERS.iterdir()} == {"first", "second"}, "workers run with the former"
    deploying.forget_others("second")
    assert {each.name for each in deploying.LAYERS.iterdir()} == {"second"}
    shutil.rmtree(deploying.layer("second"))
    shutil.rmtree(deploying.LAYER)
    deploying.build("second")
    assert builds == 3, "a layer that is gone is built again"
