"""The stack's other functions, as the desk wakes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

LONGEST_RUN = timedelta(seconds=120)
"""How long a function runs at most: ``Timeout`` in the template."""
LONGEST_OF_ALL = timedelta(seconds=150)
"""How long the desk runs at most, which waits for the others, and may write to the panel too (an account is closed)."""


class Functions(Protocol):
    """The functions of one stack, by the concern or ``panel_feed``."""

    def run(self, name: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Invoke a function once, wait, and return its answer; ``{"failed": …}``, the reason, where it failed.

        Raises Retry or Halt where it cannot be invoked. It is never invoked a second time.
        """
        ...

    def start(self, name: str, event: Mapping[str, Any]) -> None:
        """Have a function invoked, and do not wait. Raises Retry or Halt where that was not taken."""
        ...
