"""uv.lock: what everything is installed from."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
PYPI = "https://pypi.org/simple"


@pytest.mark.fault(83)
def test_the_lock_is_up_to_date() -> None:
    """Asks uv itself, without a network: hatchling, which reads shared/requirements.txt, is in this environment."""
    options = ["--check", "--offline", "--no-cache", "--no-build-isolation"]
    options += ["--python", sys.executable, "--default-index", PYPI]
    asked = subprocess.run([str(UV), "lock", *options], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        pytest.fail(f"pyproject.toml or shared/requirements.txt has changed: make lock\n{asked.stderr}", pytrace=False)


@pytest.mark.fault(83)
def test_the_lock_has_hashes_and_names_no_index_but_pypi() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    foreign = [package["name"] for package in packages if package["source"] != {"registry": PYPI}]
    assert foreign == ["kartoteka"]
    for package in packages:
        if package["name"] not in foreign:
            files = package.get("wheels", []) + ([package["sdist"]] if "sdist" in package else [])
            assert files, package["name"]
            for file in files:
                assert file["url"].startswith("https://files.pythonhosted.org/"), file
                assert file["hash"].startswith("sha256:"), file
