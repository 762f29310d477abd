"""When has a stack nothing left to do?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from cli.door import Door
from cli.show import said
from cli.stack import Stack
from kartoteka.sync.retry import BRAKE

QUIET_ROUNDS = 2
QUIET_ROUNDS_IN_THE_CLOUD = 3
"""SQS counts are approximate: one round of zeros proves little."""
FAILED = "FAILED"
MOMENT = 3.0


class Idle:
    """Watches the queues until all are empty.

    A worker hands keys to another queue before its own message is gone, and the queues are counted one after the
    other: so the zeros must hold for some rounds in which no worker has finished either.
    """

    def __init__(self, stack: Stack, desk: Door, began: str) -> None:
        """Watch this stack, as its desk sees it, for what happened since ``began``, a moment by the desk's clock."""
        self._stack = stack
        self._desk = desk
        self._since = began
        self._needed = QUIET_ROUNDS if stack.endpoint else QUIET_ROUNDS_IN_THE_CLOUD
        self._quiet = 0
        self._ended = -1
        self._left: Mapping[str, int] = {}
        self._trouble: dict[str, float] = {}
        self.paused: dict[str, str] = {}
        """Concern -> reason of those that are paused, or were stopped by the brake meanwhile: nobody waits for them."""
        self.figures: Mapping[str, int] = {}
        """What the workers have done since the beginning, added up."""

    def __str__(self) -> str:
        """Say what is waited for."""
        waiting = (said("{concern}: {n} waiting", concern=each, n=self._left[each]) for each in self.busy)
        return ", ".join(waiting) or said("the last worker")

    @property
    def busy(self) -> Sequence[str]:
        """Return the concerns whose queues held messages at the last count."""
        return [concern for concern, count in self._left.items() if count]

    def reached(self) -> bool:
        """Count once more; tell whether there is nothing left to do."""
        seen = self._desk.get("work", since=self._since)
        self.figures = seen["figures"]
        self.paused |= dict.fromkeys(seen["braked"], BRAKE)
        self._left = {concern: count for concern, count in seen["left"].items() if concern not in self.paused}
        calm = not any(self._left.values()) and seen["ended"] == self._ended
        self._ended = seen["ended"]
        self._quiet = self._quiet + 1 if calm else 0
        return self._quiet >= self._needed

    def failed(self) -> Sequence[str]:
        """Return the concerns that have a batch which failed and waits for its next try, some minutes (locally only).

        The mapping tells of its last batch alone, so a failure is remembered here until the queue is empty.
        """
        now = time.monotonic()
        for concern in self._mappings_in_trouble():
            self._trouble.setdefault(concern, now)
        self._trouble = {concern: since for concern, since in self._trouble.items() if self._left.get(concern)}
        return sorted(concern for concern, since in self._trouble.items() if now - since > MOMENT)

    def _mappings_in_trouble(self) -> frozenset[str]:
        """Return the concerns whose event source mapping says that its last batch failed."""
        if self._stack.endpoint is None:
            return frozenset()
        client = self._stack.lambdas()
        return frozenset(
            concern
            for concern, uuid in self._stack.mappings.items()
            if client.get_event_source_mapping(UUID=uuid).get("LastProcessingResult") == FAILED
        )
