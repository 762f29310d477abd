"""What the descriptions of the API leave open, and one panel may do otherwise than another: as the policy says."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Dialect:
    """``zone``: whose wall time the panel's date-times are. ``no_group``: the discount group that means none.

    The defaults are assumptions; no description says so.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Warsaw"))
    no_group: int = 0


ASSUMED = Dialect()
