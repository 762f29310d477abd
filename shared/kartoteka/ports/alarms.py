"""What the cloud watches, and who is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that rings: its name in the template, such as ``BillingHaltAlarm``, and since when."""

    name: str
    since: datetime


class Alarms(Protocol):
    """The alarms of one stack."""

    def ringing(self) -> Sequence[Alarm] | None:
        """Return those that ring, the longest first; None where nobody watches: no alarms, or none that is evaluated.

        Raises Retry or Halt where that cannot be asked.
        """
        ...


class Notices(Protocol):
    """Whoever has subscribed to what the desk has to say."""

    def send(self, subject: str, text: str) -> None:
        """Send a message; ``subject``: less than 100 characters, ASCII. Raises Retry or Halt where it was not taken."""
        ...
