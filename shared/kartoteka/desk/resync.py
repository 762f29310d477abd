"""Compare clients and discount groups again, whatever the cursors say: their keys go into a concern's queue.

Many take several requests: each answers how far it came (``next``), where the following one goes on (``start``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.fields.table import CONCERNS
from kartoteka.model import FoundBy, Owner

GROUPS_AT_ONCE = 100
"""Groups of one request: each of them is written in the database."""
CLIENTS_AT_ONCE = 1_000
CALL = 100
"""Prices, or clients, of one panel call."""
GROUPS, CLIENTS = "groups", "clients"
"""Phases of a resync."""
FOR_CLIENTS_WITHOUT = "accounts"
"""The concern that looks after clients who have no account."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be compared again; everybody, and every group, where neither is named."""

    concern: str
    clients: Sequence[str] = ()
    groups: Sequence[str] = ()

    @property
    def everybody(self) -> bool:
        """Whether nobody is named."""
        return not (self.clients or self.groups)


def send(desk: Desk, wanted: Wanted, start: str) -> Data:
    """Send the next part, the groups before the clients: clients are put into them. Return the figures of this part.

    ``total``: clients and groups there are to send, told by the first part. ``skipped``: named clients without an
    account, of a concern that looks after those who have one. Nothing is sent, nor any price doubted, before every name
    was found: raises WrongRequest.
    """
    if desk.queue is None:
        raise WrongRequest("no_stack", 409)
    if wanted.groups and not CONCERNS[wanted.concern].groups:
        raise WrongRequest("no_groups", id=wanted.concern)
    phase, _, after = start.partition(":")
    clients, skipped = _clients(desk, wanted)
    groups = _groups(desk, wanted) if phase in ("", GROUPS) else ()
    first = {} if start else {"skipped": skipped, "total": len(groups) + _count(desk, wanted, clients)}
    part: Sequence[str] = [key for key in groups if key > after][:GROUPS_AT_ONCE]
    if part:
        figures, more = _send_groups(desk, wanted.concern, part), True
        follows = f"{GROUPS}:{part[-1]}" if part[-1] != groups[-1] else f"{CLIENTS}:"
    else:
        part = _page(desk, wanted, clients, after if phase == CLIENTS else "")
        messages = (
            desk.queue.send(wanted.concern, [Owner(client_id=key) for key in part], FoundBy.RESYNC) if part else 0
        )
        figures, more = {"clients": len(part), "messages": messages}, len(part) == CLIENTS_AT_ONCE
        follows = f"{CLIENTS}:{part[-1]}" if part else ""
    return {"concern": wanted.concern, "done": len(part), **figures, **first, "next": follows if more else None}


def _clients(desk: Desk, wanted: Wanted) -> tuple[Sequence[str], Sequence[str]]:
    """Return the clients that are named, and those of them that are left out."""
    found = desk.tables.clients(wanted.clients)
    if missing := [key for key in wanted.clients if key not in found]:
        raise WrongRequest("no_clients" if len(missing) > 1 else "no_client", 404, id=", ".join(missing))
    left_out = [key for key in wanted.clients if not found[key] and wanted.concern != FOR_CLIENTS_WITHOUT]
    return [key for key in wanted.clients if key not in left_out], left_out


def _groups(desk: Desk, wanted: Wanted) -> Sequence[str]:
    """Return the groups that are named, all where nothing is, in the order in which they are sent."""
    if not CONCERNS[wanted.concern].groups or not (wanted.everybody or wanted.groups):
        return ()
    known = desk.exchange.prices.group_ids()
    if missing := sorted(set(wanted.groups).difference(known)):
        raise WrongRequest("no_group", 404, id=", ".join(missing))
    return sorted(known if wanted.everybody else wanted.groups)


def _send_groups(desk: Desk, concern: str, groups: Sequence[str]) -> dict[str, int]:
    """Forget what was sent to these groups, so that every price differs, and send their keys."""
    prices = calls = 0
    for group_id in groups:
        count = desk.tables.prices(group_id)
        prices, calls = prices + count, calls - (-count // CALL)
        desk.exchange.prices.doubt(group_id, None)
    assert desk.queue is not None
    messages = desk.queue.send(concern, [Owner(group_id=key) for key in groups], FoundBy.RESYNC)
    return {"groups": len(groups), "prices": prices, "calls": calls, "messages": messages}


def _page(desk: Desk, wanted: Wanted, clients: Sequence[str], after: str) -> Sequence[str]:
    """Return the next clients behind this one."""
    if wanted.everybody:
        return desk.tables.clients_of(wanted.concern, after, CLIENTS_AT_ONCE)
    begin = clients.index(after) + 1 if after in clients else 0
    return clients[begin : begin + CLIENTS_AT_ONCE]


def _count(desk: Desk, wanted: Wanted, clients: Sequence[str]) -> int:
    return desk.tables.count_clients(wanted.concern) if wanted.everybody else len(clients)
