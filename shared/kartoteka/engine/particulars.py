"""What is particular to single concerns on the common way of a customer's fields (:mod:`kartoteka.engine.fields`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kartoteka.core import messages
from kartoteka.core.concerns import CREDIT, DISCOUNTS, SHOPS, Concern
from kartoteka.core.errors import Retry
from kartoteka.core.model import Account, Record, Snapshot, Status
from kartoteka.engine import assignment, figures, shops
from kartoteka.engine.base import Engine


def _nobody_waits(_engine: Engine, _snapshots: Sequence[Snapshot]) -> Mapping[str, Retry]:
    return {}


def _as_shown(_engine: Engine, account: Account) -> Account:
    return account


def _as_read(_engine: Engine, _snapshot: Snapshot, account: Account) -> Account:
    return account


def _as_decided(_engine: Engine, values: Record) -> Record:
    return values


def _well_judged(_engine: Engine, _snapshot: Snapshot, _account: Account) -> bool:
    return False


def _nothing_anyway(_values: Record) -> frozenset[str]:
    return frozenset()


def _refuse_nothing(_engine: Engine, _snapshot: Snapshot, _account: Account) -> None:
    """Refuse nothing."""


def _no_word(_snapshot: Snapshot) -> Status | None:
    return None


@dataclass(frozen=True, slots=True)
class Particulars:
    """The steps at which a concern may do something of its own, in the order in which they are taken."""

    excluded: Callable[[Snapshot], Status | None] = _no_word
    """What is to be said of a customer about whom the panel is not asked at all."""
    waiting: Callable[[Engine, Sequence[Snapshot]], Mapping[str, Retry]] = _nobody_waits
    """Who has to wait for something else, and why."""
    read: Callable[[Engine, Account], Account] = _as_shown
    """The account in the exchange database's words."""
    believe: Callable[[Engine, Snapshot, Account], Account] = _as_read
    """The account without what it shows that is nobody's edit."""
    held: Callable[[Snapshot], Status | None] = _no_word
    """What is to be said of a row of which nothing is sent."""
    refuse: Callable[[Engine, Snapshot, Account], None] = _refuse_nothing
    """Raise Reject for a row that does not fit its account."""
    misjudged: Callable[[Engine, Snapshot, Account], bool] = _well_judged
    """Whether what was said of the row is no longer true of its account."""
    anyway: Callable[[Record], frozenset[str]] = _nothing_anyway
    """Which of the values to be written are sent even if the row is refused."""
    write: Callable[[Engine, Record], Record] = _as_decided
    """The values in the panel's words. Raise Reject for one that it has no word for."""
    verdict: Callable[[Snapshot], Status | None] = _no_word
    """What is to be said where all went well, instead of ``in_step``."""


def _no_shop(snapshot: Snapshot) -> Status | None:
    return None if (snapshot.row or {}).get("shops") else messages.no_shop_wanted()


_COMMON = Particulars()
_OWN: Mapping[str, Particulars] = MappingProxyType(
    {
        SHOPS.name: Particulars(excluded=_no_shop, write=shops.known),
        DISCOUNTS.name: Particulars(
            waiting=assignment.waiting_for_groups, read=assignment.named, write=assignment.numbered
        ),
        CREDIT.name: Particulars(
            believe=figures.without_orders,
            held=figures.held,
            refuse=figures.refuse,
            misjudged=figures.misjudged,
            anyway=figures.no_credit_at_all,
            verdict=figures.verdict,
        ),
    }
)


def of(concern: Concern) -> Particulars:
    """Return what is particular to a concern."""
    return _OWN.get(concern.name, _COMMON)
