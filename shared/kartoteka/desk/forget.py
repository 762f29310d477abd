"""Erasing a person: what would go, what others keep, and the erasure itself.

An account that is to be closed, or erased in the panel, is so first, and seen to be: as long as the client is not
erased here, a process that dies has done nothing that the same request does not finish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.errors import Reject
from kartoteka.fields.table import ACTIVE
from kartoteka.model import Owner
from kartoteka.ports.panel import Account, AccountUpdate, Panel
from kartoteka.ports.state import SyncState
from kartoteka.sync import forget as stones
from kartoteka.sync import ownership

KEEP, CLOSE, ERASE = CHOICES = ("keep", "close", "erase")
"""What becomes of the panel's account."""
CONCERN = "accounts"
OURS = frozenset({"sync_links", "sync_matches", "sync_exclusions"})


def preview(desk: Desk, client_id: str) -> Data:
    """Return what would be erased of a client, and what its owners keep; raises WrongRequest for an unknown one.

    ``client_id``: the code that it has now; ``former_codes``: those that go with it. ``erased``: table -> rows.
    ``kept``: the ERP's tables -> rows, and ``account``: the number of the panel's account.
    """
    found = desk.exchange.forgotten.found(client_id)
    now, *former = desk.exchange.forgotten.known_as(client_id)
    rows = desk.tables.client_rows(now)
    kept = {table: len(some) for table, some in rows.items() if some and table not in OURS}
    forgotten = desk.exchange.forgotten.is_forgotten(client_id)
    if not (found or kept or forgotten):
        raise WrongRequest("no_client", 404, id=client_id)
    links = rows.get("sync_links", ())
    account = str(links[0]["panel_client_id"]) if links else ""
    told = {"client_id": now, "former_codes": former, "erased": found, "kept": kept, "account": account}
    return {**told, "forgotten": forgotten}


def carry_out(desk: Desk, client_id: str, account: str) -> Data:
    """Erase a client; ``account``: one of :data:`CHOICES`. The same request again erases what came since."""
    state = _state(desk)
    before = preview(desk, client_id)
    if account != KEEP and before["account"]:
        _end_account(desk, before["client_id"], account)
    erased = desk.exchange.forgotten.forget(client_id, at=desk.now())
    stones.remember(state, desk.exchange.forgotten.tombstones(client_id))
    return {**before, "erased": erased, "forgotten": True, "done": sum(erased.values()), "account_is": account}


def allow(desk: Desk, client_id: str) -> Data:
    """Let a client that was erased be synchronised again. The cloud's tombstones go first, and once more at the end."""
    state = _state(desk)
    own = desk.exchange.forgotten.tombstones(client_id)
    if not own:
        raise WrongRequest("not_forgotten", 404, id=client_id)
    stones.let_go(state, own)
    desk.exchange.forgotten.allow(client_id)
    stones.let_go(state, own)
    if desk.queue is not None and client_id in desk.exchange.records.existing([client_id]):
        desk.queue.send(CONCERN, [Owner(client_id)])
    return {"done": 1, "client_id": client_id, "forgotten": False}


def _state(desk: Desk) -> SyncState:
    if desk.state is None:
        raise WrongRequest("no_stack", 409)
    return desk.state


def _end_account(desk: Desk, client_id: str, how: str) -> None:
    """Close the account, or have the panel erase it. Raises WrongRequest unless it is seen to be closed then."""
    concern = desk.concerns[CONCERN]
    (record, *_) = concern.load([Owner(client_id)])
    if record.link is None:
        return
    ownership.begin(concern.run)
    panel, number = concern.run.panel, record.link.panel_client_id
    shown = panel.read([number])
    if number not in shown:
        return
    try:
        if how == CLOSE:
            _close(panel, client_id, shown[number])
        else:
            panel.erase(number)
    except Reject as reject:
        raise WrongRequest("account_refused", 409, id=number, why=str(reject)) from None
    if number not in panel.closed_among([number]) and number in panel.read([number]):
        raise WrongRequest("not_closed", 409, id=number)


def _close(panel: Panel, client_id: str, account: Account) -> None:
    (outcome,) = panel.update([AccountUpdate(client_id, account.login, {ACTIVE: False})])
    if isinstance(outcome, Reject):
        raise outcome


def lines(found: Data) -> Sequence[tuple[str, int]]:
    """Return table and rows of what is erased, the most first."""
    erased: Mapping[str, int] = found["erased"]
    return sorted(erased.items(), key=lambda each: (-each[1], each[0]))
