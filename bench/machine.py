"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import psutil

from bench import rivals

PACKAGES = ("boto3", "SQLAlchemy", "requests", "pydantic", "aws-lambda-powertools", "psycopg")
PEERS = ("dlt", "singer-sdk")


def machine() -> dict[str, Any]:
    """Return date, machine and versions."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory GiB": round(psutil.virtual_memory().total / 2**30),
        "load average": [round(each, 1) for each in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES} | _peers(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _peers() -> dict[str, str]:
    """Return the versions of the peers, which are installed in an environment of their own."""
    places = sorted(rivals.PYTHON.parent.parent.glob("lib/python*/site-packages"))
    found = {each.name: each.version for each in distributions(path=[str(place) for place in places])}
    return {name: found[name] for name in PEERS if name in found}
