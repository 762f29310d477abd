"""The template as it is written, and as CloudFormation gets it: its loops expanded, and after the SAM transform."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.template.reading import Template

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools" / "cloud" / "bin" / "python"


@pytest.fixture(scope="session")
def documents() -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.fail("the embedded AWS is not installed: python3 local/bootstrap.py cloud")
    program = Path(__file__).with_name("transforming.py")
    done = subprocess.run(
        [str(PYTHON), str(program), str(ROOT / "template.yaml")], capture_output=True, text=True, check=True
    )
    documents: dict[str, Any] = json.loads(done.stdout)
    return documents


@pytest.fixture(scope="session")
def source(documents: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = documents["source"]
    return found


@pytest.fixture(scope="session")
def template(documents: dict[str, Any]) -> Template:
    return Template(documents["transformed"])
