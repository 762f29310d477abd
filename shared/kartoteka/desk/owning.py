"""Whose the exchange database is, and the takeover: what a person sees of :mod:`kartoteka.sync.ownership`."""

from __future__ import annotations

from datetime import datetime

from kartoteka import codes
from kartoteka.desk.desk import Data, Desk, WrongRequest, plain
from kartoteka.ports.ownership import NOT_OWNER, Holder
from kartoteka.sync import ownership


def told(desk: Desk) -> Data:
    """Return whose the database is.

    ``installation``: who asks, ``owner``, ``since`` and ``former``: empty or None while it is nobody's. ``code`` and
    the messages, where that stops this installation, or makes it wait until ``sends_from``; a tool is never stopped.
    """
    asks, holder = desk.exchange.ownership.installation, desk.exchange.ownership.holder()
    code = _code(desk, holder) if asks and holder is not None else ""
    said = codes.status(code) if code else None
    return {
        "installation": asks,
        "owner": holder.installation if holder else "",
        "since": holder.since if holder else None,
        "former": holder.former if holder else "",
        "sends_from": _sends_from(desk, holder) if code == ownership.WAITS else None,
        "code": code,
        "message_pl": said.message_pl if said else "",
        "message_en": said.message_en if said else "",
    }


def take_over(desk: Desk, *, confirmed: bool) -> Data:
    """Make the database this installation's own. Raises WrongRequest where nobody has ``confirmed`` that it is to be.

    ``done``: 0 where it was its own before.
    """
    port = desk.exchange.ownership
    if not port.installation:
        raise WrongRequest("no_stack", 409)
    before = port.holder()
    if before is not None and before.installation == port.installation:
        return {"done": 0, **told(desk)}
    if before is not None and not confirmed:
        wait = int(ownership.wait(desk.policy).total_seconds())
        raise WrongRequest("takeover", 409, id=before.installation, since=str(plain(before.since)), seconds=str(wait))
    port.take_over(at=desk.now())
    return {"done": 1, **told(desk)}


def _code(desk: Desk, holder: Holder) -> str:
    if holder.installation != desk.exchange.ownership.installation:
        return NOT_OWNER
    return ownership.WAITS if holder.former and _sends_from(desk, holder) > desk.now() else ""


def _sends_from(desk: Desk, holder: Holder | None) -> datetime:
    assert holder is not None
    return holder.since + ownership.wait(desk.policy)
