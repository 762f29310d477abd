"""What the panel shows of our own write, judged before it counts as anybody's edit. Pure.

In this order, the first that fits::

    as sent, normalised                               TAKEN     agreed
    but for letter case and blanks                    TAKEN     noted as the panel's form
    what the field held, or we sent, before           NOT_YET   asked again, sent again, then held
    a damaged form of what was sent                   DAMAGED   noted as the panel's form, and held
    anything else, in a record that the panel has
      not changed since it answered                   DAMAGED   the same
    anything else                                     EDITED    an edit made in the panel since

Of a field that the panel shows in words or figures of its own, what is shown first is its form (TAKEN), unless it is
the form of the former value.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from kartoteka.fields.damage import is_damaged
from kartoteka.fields.table import Field
from kartoteka.model import NOTHING, Deferral, Forms, Sent, Value, Values
from kartoteka.policy import Poll

UNCONFIRMED = "unconfirmed"
"""The code of a record that waits for the panel to show what it took."""
SENT_AGAIN = 3
"""How often a value that the panel has not taken is sent again."""
ASKED_WITHIN = timedelta(minutes=9)
"""After which time at the latest the panel is asked for a value that its feed has not shown."""
ASKED_TOGETHER = timedelta(minutes=5)
"""What was sent within so long is asked for in one go, so that batches are full."""
SAME_MOMENT = timedelta(seconds=2)
"""How exactly the panel's dates and clock are known."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Norm = Callable[[Value], str]


class Verdict(enum.Enum):
    """What a shown value says of the one that was sent."""

    TAKEN = enum.auto()
    NOT_YET = enum.auto()
    DAMAGED = enum.auto()
    EDITED = enum.auto()


class Reading(NamedTuple):
    """The circumstances in which a plan is made.

    ``asked``: the panel was asked ``now``. ``changed_at``: when it last changed the record, by its own clock; None
    where that is not known. ``lost`` are the values of a call that was never answered. ``apart``: how far apart the two
    readings are that show that a value was not taken.
    """

    now: datetime
    asked: bool = True
    changed_at: datetime | None = None
    lost: Values = NOTHING
    apart: timedelta = Poll().shortest


def judged(field: Field, value: Value, sent: Sent, shown: Value, norm: Norm, changed_at: datetime | None) -> Verdict:
    """Return what ``shown`` says of ``value``, which was sent; ``norm`` gives the form in which two are compared."""
    if shown == value:
        return Verdict.TAKEN
    wanted, seen = norm(value), norm(shown)
    if _squeezed(seen) == _squeezed(wanted):
        return Verdict.TAKEN
    if seen in {norm(former) for former in sent.former}:
        return Verdict.NOT_YET
    if not field.comparable:
        return Verdict.TAKEN
    if seen == "" or (field.kind.free and is_damaged(str(value), str(shown))):
        return Verdict.DAMAGED
    if changed_at is not None and changed_at <= sent.at + SAME_MOMENT:
        return Verdict.DAMAGED
    return Verdict.EDITED


def sending(now: datetime, *former: Iterable[Value], times: int = 1) -> Sent:
    """Return what is remembered of a value that is sent now, in place of these former ones."""
    known = dict.fromkeys(value for some in former for value in some)
    return Sent(now, tuple(known), ask_at=_slot(now + ASKED_WITHIN), times=times)


def unanswered(*former: Value) -> Sent:
    """Return what is remembered of a value whose call was never answered, in place of these former ones."""
    return Sent(LONG_AGO, former, ask_at=LONG_AGO)


def not_yet(sent: Sent, reading: Reading) -> Sent:
    """Return what is remembered once a former value was shown: the panel is asked again soon.

    Where it was shown again, and yet nothing is sent, that is for another field's sake, and takes longer.
    """
    if sent.seen and reading.now < sent.ask_at:
        return sent
    return sent._replace(seen=True, ask_at=reading.now + (ASKED_WITHIN if sent.seen else reading.apart))


def is_last_change(base: Forms | None, changed_at: datetime | None) -> bool:
    """Whether the panel has not changed a record since it took what we sent of it."""
    if base is None or not base.sent or changed_at is None:
        return False
    return changed_at <= max(sent.at for sent in base.sent.values()) + SAME_MOMENT


def wait(base: Forms | None) -> Deferral | None:
    """Return when a record is asked for by itself, of whose fields the panel's forms are not known; None: of none."""
    if base is None or not base.sent:
        return None
    return Deferral(min(sent.ask_at for sent in base.sent.values()), attempts=0, tries=0, code=UNCONFIRMED)


def believed(base: Forms | None) -> Forms | None:
    """Return a base in which the panel is believed to show what was sent: nobody can ask it any more."""
    if base is None or not base.sent:
        return base
    return Forms(base.erp, {**base.panel, **{name: base.erp[name] for name in base.sent}})


def _slot(latest: datetime) -> datetime:
    """Return the last common moment that is not after ``latest``."""
    return latest - (latest - LONG_AGO) % ASKED_TOGETHER


def _squeezed(norm: str) -> str:
    return "".join(norm.split()).casefold()
