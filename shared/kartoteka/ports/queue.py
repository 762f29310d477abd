"""The concerns' queues. Messages carry keys, never data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kartoteka.model import Owner


class WorkQueue(Protocol):
    """One FIFO queue for each concern."""

    def send(self, concern: str, owners: Sequence[Owner]) -> int:
        """Hand these keys to the concern's queue in chunks; return the number of chunks, all of them taken.

        A chunk holds clients or discount groups, not both: ``{"v": 1, "concern": …, "clients": […]}`` or
        ``"groups"``. Clients are spread over the shards, all groups travel in one message group of their own.
        Raises Retry when the queue did not take every chunk; some may have been taken then.
        """
        ...

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        """Make messages that were received and not worked visible again after ``seconds``."""
        ...
