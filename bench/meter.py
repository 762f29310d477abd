"""What a process has used so far, told by itself. Standard library only: every measured program uses it.

The peak is asked from the process and not from its parent, because Linux hands the parent's own size down to a child.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KB_TO_MB = 1024


def used() -> dict[str, float]:
    """Return the CPU seconds of this process and its finished children, and its peak memory in MB."""
    return {"cpu": cpu_seconds(), "peak_mb": peak_mb()}


def cpu_seconds() -> float:
    """Return user and system seconds since the process began, its finished children's among them."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def peak_mb() -> float:
    """Return the most memory that this process ever held at once, in MB."""
    if _STATUS.is_file():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / _KB_TO_MB
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (_KB_TO_MB * _KB_TO_MB if sys.platform == "darwin" else _KB_TO_MB)
