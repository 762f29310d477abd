"""Waiting for a condition, with a deadline and a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from local.failure import LocalFailure

PAUSE = 0.05


def wait_until(
    ready: Callable[[], bool],
    *,
    what: str,
    seconds: float,
    log: Path | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """Return as soon as ``ready``; fail with ``what`` when the time is over or the thing waited for is gone."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive():
            raise LocalFailure(f"{what}: it ended by itself", log=log)
        if time.monotonic() > deadline:
            raise LocalFailure(f"{what} after {seconds:.0f} s", log=log)
        time.sleep(PAUSE)
