"""The wake-up hook: whoever knows the secret in its path has the panel's feed asked soon, and can do nothing else.

Nothing of a request is read but its path, and nothing of it is logged, for the path is the secret. What is noted is a
moment; the feed's schedule sees it within a minute, and asks the panel where that was not asked for
``panel.poll.min_seconds``. This module stands apart from ``entry`` and ``runtime``: it needs neither the database nor
the panel, and a panel that calls is to be answered quickly.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from kartoteka.adapters.aws.parameters import Parameters
from kartoteka.adapters.aws.state import DynamoState

KEPT = 300
"""Seconds until a changed secret is noticed."""
ONCE_IN = 30.0
"""Seconds in which a process notes one request of many: the feed is not asked more often than that by far."""

Answer = dict[str, Any]
DONE: Answer = {"statusCode": 204}
NOT_FOUND: Answer = {"statusCode": 404}

_noted: list[float] = []


def answer(event: Mapping[str, Any]) -> Answer:
    """Return 204 where the path ends with the secret, whatever the method and the body, and 404 elsewhere."""
    given = str((event.get("pathParameters") or {}).get("secret", ""))
    secret = _parameters().secret(os.environ["KARTOTEKA_HOOK_SECRET"])
    if not hmac.compare_digest(given.encode(), secret.encode()):
        return NOT_FOUND
    if not _noted or time.monotonic() - _noted[-1] >= ONCE_IN:
        _state().wake(datetime.now(UTC))
        _noted[:] = [time.monotonic()]
    return DONE


def forget() -> None:
    """Forget what this process has read and noted."""
    _noted.clear()
    _state.cache_clear()
    _parameters.cache_clear()


@cache
def _parameters() -> Parameters:
    return Parameters(KEPT)


@cache
def _state() -> DynamoState:
    return DynamoState(os.environ["KARTOTEKA_TABLE"])
