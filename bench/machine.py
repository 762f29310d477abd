"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.rivals import DLT_PYTHON

PACKAGES = ("boto3", "SQLAlchemy", "requests", "pydantic", "aws-lambda-powertools")


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
        "packages": {name: version(name) for name in PACKAGES} | _dlt(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _dlt() -> dict[str, str]:
    found = sorted(DLT_PYTHON.parent.parent.glob("lib/python*/site-packages/dlt-*.dist-info"))
    return {"dlt": found[0].name.removeprefix("dlt-").removesuffix(".dist-info")} if found else {}
