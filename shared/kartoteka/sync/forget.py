"""Clients who were erased: their tombstones in both homes of state, the second erasure, and old values.

The tombstones stand in the exchange database, and again in the cloud's state, so that a database that was restored
from an older backup does not bring anybody back. Where one home has more than the other, somebody was killed between
the two writes, or one of them was lost: what either knows is known to both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from kartoteka.errors import Retry
from kartoteka.ports.exchange import Exchange, Tombstone
from kartoteka.ports.state import Stored, SyncState, Unreadable
from kartoteka.sync.kept import MALFORMED
from kartoteka.sync.run import Run

AGAIN_AFTER = timedelta(minutes=15)
"""When an erasure is made once more: a message that was being worked meanwhile has come to its end, or back."""
DOCUMENT = "forgotten"
MOST = 4_000
"""Tombstones in one document of the state; the next ones stand in another."""
TRIES = 5
PORTION, PORTIONS = 5_000, 200
"""Rows of old values emptied with one statement, and how often in a run."""

Stones = frozenset[Tombstone]


def remember(state: SyncState, stones: Collection[Tombstone]) -> None:
    """Write these tombstones into the cloud's state too. Raises Retry where others are faster again and again."""
    _change(state, lambda known: known | frozenset(stones))


def let_go(state: SyncState, stones: Collection[Tombstone]) -> None:
    """Remove these tombstones from the cloud's state."""
    _change(state, lambda known: known - frozenset(stones))


def known(state: SyncState) -> Stones:
    """Return the tombstones in the cloud's state."""
    found: list[Tombstone] = []
    number = 0
    while (document := state.load(_name(number)).document) is not None:
        found += _stones(number, document)
        number += 1
    return frozenset(found)


def restore(exchange: Exchange, state: SyncState, *, at: datetime) -> None:
    """Bring both homes to what either knows, and erase who is back since the database was restored."""
    here, there = exchange.forgotten.tombstones(), known(state)
    if there - here and exchange.forgotten.restore(there - here, at=at):
        exchange.forgotten.sweep(at, at=at)
    if here - there:
        remember(state, here - there)


def sweep(run: Run) -> None:
    """Erase once more whom an earlier erasure may have missed: a worker was just storing something."""
    before = run.now() - AGAIN_AFTER
    if run.exchange.forgotten.to_be_swept(before):
        run.exchange.forgotten.sweep(before, at=run.now())


def tidy(run: Run) -> None:
    """Do once a day what nobody waits for: tombstones in both homes, and old values, in portions."""
    restore(run.exchange, run.state, at=run.now())
    before = run.now() - timedelta(days=run.policy.retention.history_days)
    for _ in range(PORTIONS):
        if not run.time_left() or run.exchange.forgotten.expire(before, PORTION, at=run.now()) < PORTION:
            return


def _change(state: SyncState, change: Callable[[Stones], Stones]) -> None:
    for _ in range(TRIES):
        if _changed(state, change):
            return
    raise Retry("dynamodb")


def _changed(state: SyncState, change: Callable[[Stones], Stones]) -> bool:
    """Write every document that the change touches; False where somebody was faster."""
    stored: list[Stored] = []
    while (one := state.load(_name(len(stored)))).document is not None:
        stored.append(one)
    before = [frozenset(_stones(number, one.document or {})) for number, one in enumerate(stored)]
    together = frozenset[Tombstone]().union(*before)
    after = change(together)
    new, gone = sorted(after - together, key=_order), together - after
    for number, (one, some) in enumerate(zip(stored, before, strict=True)):
        room = max(0, MOST - len(some - gone))
        added, new = (new[:room], new[room:])
        if (some & gone or added) and not _put(state, number, (some - gone) | frozenset(added), one.version):
            return False
    number = len(stored)
    while new:
        if not _put(state, number, frozenset(new[:MOST]), 0):
            return False
        new, number = new[MOST:], number + 1
    return True


def _stones(number: int, document: Mapping[str, Any]) -> list[Tombstone]:
    """Return the tombstones of a document. Raises Unreadable: who was erased must not be forgotten by itself."""
    try:
        return [Tombstone(*each) for each in document["stones"]]
    except MALFORMED:
        raise Unreadable(_name(number), None) from None


def _put(state: SyncState, number: int, stones: Stones, version: int) -> bool:
    spelled = [[each.digest, each.client] for each in sorted(stones, key=_order)]
    return state.save(_name(number), {"stones": spelled}, version=version)


def _order(stone: Tombstone) -> tuple[str, str]:
    return stone.client, stone.digest


def _name(number: int) -> str:
    return f"{DOCUMENT}:{number}"
