"""What was measured, as JSON documents: `.local/bench/<name>.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import home

HOME = home.HOME / "bench"


def write(name: str, document: Mapping[str, Any]) -> Path:
    """Keep a document; return where it lies."""
    home.make()
    HOME.mkdir(exist_ok=True)
    path = HOME / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path


def read(path: Path) -> dict[str, Any] | None:
    """Return a document; None: there is none."""
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found
