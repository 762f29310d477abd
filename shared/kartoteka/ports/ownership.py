"""Whose an exchange database is: one installation writes into it, and into the panel by it, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from kartoteka.errors import Halt

NOT_OWNER = "not_owner"
"""The code of an installation that met a database of another one's."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The installation that a database belongs to, since when, and from whom it was taken over (empty: from nobody)."""

    installation: str
    since: datetime
    former: str = ""


class Ownership(Protocol):
    """The one row that says whose a database is. It never expires, and is read in every transaction that writes."""

    @property
    def installation(self) -> str:
        """Who asks: the stack's id. Empty: a tool, which owns nothing and is refused nothing."""
        ...

    def holder(self) -> Holder | None:
        """Return whose the database is; None: nobody's."""
        ...

    def hold(self) -> Holder | None:
        """Return whose the database is, after a claim to one that was nobody's; of two who claim at once one gets it.

        None only for a tool.
        """
        ...

    def take_over(self, *, at: datetime) -> Holder:
        """Make the database this installation's own and return what stands there now; its own one stays as it is."""
        ...

    def give_back(self) -> bool:
        """Let the database be nobody's, if it is this installation's; return whether it was."""
        ...


def refusal(holder: Holder) -> Halt:
    """Return what stops an installation that met another one's database. The ids are no secrets."""
    return Halt(
        NOT_OWNER,
        f"the exchange database belongs to {holder.installation} since {holder.since.astimezone(UTC):%Y-%m-%d %H:%M} "
        "UTC, so this stack writes nothing, neither there nor into the panel. Switch one of the two off; "
        "`kartoteka takeover` says how the database is taken over",
    )
