"""Compare clients and discount groups again, whatever the cursors say: their keys go into a concern's queue.

Many take several requests: each answers how far it came (``next``), where the following one goes on (``start``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Owner

GROUPS_AT_ONCE = 100
"""Groups of one request: each of them is written in the database."""
CLIENTS_AT_ONCE = 1_000
CALL = 100
"""Prices, or clients, of one panel call."""
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
    groups, clients, skipped = _named(desk, wanted)
    done, _, after = start.partition(":")
    at = int(done) if done.isdecimal() else 0
    if at < len(groups):
        figures = _send_groups(desk, wanted.concern, groups[at : at + GROUPS_AT_ONCE])
        at, after = min(at + GROUPS_AT_ONCE, len(groups)), ""
        more = at < len(groups) or wanted.everybody or bool(clients)
    else:
        page = _page(desk, wanted, clients, after)
        figures = {"clients": len(page), "messages": 0}
        if page:
            figures["messages"] = desk.queue.send(wanted.concern, [Owner(client_id=key) for key in page])
            after = page[-1]
        more = len(page) == CLIENTS_AT_ONCE
    first = {} if start else {"skipped": skipped, "total": len(groups) + _count(desk, wanted, clients)}
    sent = figures.get("clients", 0) + figures.get("groups", 0)
    return {"concern": wanted.concern, "done": sent, **figures, **first, "next": f"{at}:{after}" if more else None}


def _named(desk: Desk, wanted: Wanted) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Return the groups and the clients that are named, all groups where nothing is, and the clients left out."""
    found = desk.tables.clients(wanted.clients)
    if missing := [key for key in wanted.clients if key not in found]:
        raise WrongRequest("no_clients" if len(missing) > 1 else "no_client", 404, id=", ".join(missing))
    left_out = [key for key in wanted.clients if not found[key] and wanted.concern != FOR_CLIENTS_WITHOUT]
    clients = [key for key in wanted.clients if key not in left_out]
    if not CONCERNS[wanted.concern].groups or not (wanted.everybody or wanted.groups):
        return (), clients, left_out
    known = desk.exchange.prices.group_ids()
    if missing := sorted(set(wanted.groups).difference(known)):
        raise WrongRequest("no_group", 404, id=", ".join(missing))
    return known if wanted.everybody else wanted.groups, clients, left_out


def _send_groups(desk: Desk, concern: str, groups: Sequence[str]) -> dict[str, int]:
    """Forget what was sent to these groups, so that every price differs, and send their keys."""
    prices = calls = 0
    for group_id in groups:
        count = desk.tables.prices(group_id)
        prices, calls = prices + count, calls - (-count // CALL)
        desk.exchange.prices.doubt(group_id, None)
    assert desk.queue is not None
    messages = desk.queue.send(concern, [Owner(group_id=key) for key in groups])
    return {"groups": len(groups), "prices": prices, "calls": calls, "messages": messages}


def _page(desk: Desk, wanted: Wanted, clients: Sequence[str], after: str) -> Sequence[str]:
    """Return the next clients behind this one."""
    if wanted.everybody:
        return desk.tables.clients_of(wanted.concern, after, CLIENTS_AT_ONCE)
    begin = clients.index(after) + 1 if after in clients else 0
    return clients[begin : begin + CLIENTS_AT_ONCE]


def _count(desk: Desk, wanted: Wanted, clients: Sequence[str]) -> int:
    return desk.tables.count_clients(wanted.concern) if wanted.everybody else len(clients)
