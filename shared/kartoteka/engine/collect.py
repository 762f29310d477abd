"""Collect: which customers of the exchange database are to be looked at.

The cursor moves only after the queue has taken every chunk, so a crash repeats work and never loses it. A key goes into
the queue only where the row differs from what was last agreed: a nightly refill of the table with equal rows costs no
panel call.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka.core.concerns import ACCOUNTS, CONCERNS, CREDIT, DELIVERY_ADDRESSES, SHOPS, Concern
from kartoteka.core.cursor import LogCursor
from kartoteka.core.merge import carries_nothing, erp_differs
from kartoteka.core.model import LogEntry, Snapshot, State
from kartoteka.engine import directory
from kartoteka.engine.addresses import wants_look
from kartoteka.engine.base import Counts, Engine
from kartoteka.engine.figures import asks
from kartoteka.engine.strays import tell_accounts, tell_addresses, tell_figures, told_before

logger = logging.getLogger(__name__)

PAGE = 5_000
"""Log rows read with one statement."""
LOG_PAGES = 20
"""Pages read in one run; the next run goes on from there."""
LOOK_PAGE = 1_000
"""Cards looked at with one set of statements in a full look."""
LOOK_BUDGET = 50_000
"""Cards looked at in one run: a full look of a million cards takes several runs and survives each one's end."""
DUE_LIMIT = 10_000
KEPT = timedelta(days=30)
"""How long ``change_log`` keeps its rows; a cursor that slept longer is answered with a full look."""
IN_QUEUE = timedelta(minutes=10)
"""How long a parked customer whose key is in the queue is not sent there again."""
SWEEP_EVERY = timedelta(days=1)
"""A full look, without panel calls, that finds what a wrong cursor or a lost message missed."""


@dataclass(frozen=True, slots=True)
class Look:
    """A full look in progress: all cards after ``after``. ``whole``: also those whose row equals the agreement.

    ``touched``: also those that wait for a person, since the policy that held them has changed, or a row of theirs.
    """

    after: str = ""
    whole: bool = False
    touched: bool = False


def collect_keys(
    engine: Engine,
    concern: str,
    *,
    everything_due: bool = False,
    before_sending: Callable[[Sequence[str]], Sequence[str]] = lambda keys: keys,
    aged: Sequence[str] = (),
) -> Counts:
    """Hand the keys of customers to be looked at to the concern's queue, and move the cursor.

    ``everything_due`` takes parked records too whose time has not come. ``before_sending`` is called where there are
    keys, once they have been read, and answers with those that may be sent; of the others it takes care itself.
    ``aged`` are customers whose rows mean something else by the passing of time.
    """
    if concern == ACCOUNTS.name and not directory.is_complete(engine):
        return Counts()  # the feed calls for it once every account of the panel is known
    stored = engine.state.load(f"log:{concern}")
    cursor, look, swept_at = resume(engine, stored.document)
    if concern == ACCOUNTS.name and stored.document is not None and cursor.high < stored.document["high"]:
        directory.read_anew(engine)  # restored: the whole look begins when the feed has read every account again
        anew = document(cursor, look, swept_at, engine)
        engine.state.save(f"log:{concern}", anew, version=stored.version)
        return Counts()
    cursor, touched = read_log(engine, CONCERNS[concern], cursor)
    sees_all = look is not None and not look.after and (look.whole or look.touched)
    if sees_all:  # all cards: but what was written about cards that are not there is told all the same
        touched = sorted(set(touched) - engine.exchange.existing_cards(touched))
    keys = _worth_a_look(engine, concern, list(dict.fromkeys([*touched, *aged])))
    due = _due(engine, concern, everything_due=everything_due)
    found, look = _continue(engine, concern, look)
    keys = list(dict.fromkeys([*keys, *due, *found]))
    sent = dict.fromkeys(before_sending(keys) if keys else ())
    if sent:
        engine.queue.send(concern, list(sent))
    if queued := [key for key in due if key in sent]:
        engine.exchange.postpone(concern, queued, engine.now() + IN_QUEUE)
    news = document(cursor, look, swept_at, engine)
    if news != stored.document:
        engine.state.save(f"log:{concern}", news, version=stored.version)
    return Counts(collected=len(sent))


def resume(engine: Engine, document: Any) -> tuple[LogCursor, Look | None, datetime]:
    """Return where to go on, and when the last full look began.

    Without a cursor, and once a day, all cards are looked at; without one also those that wait for a person, who may
    have acted meanwhile; those of a database that was restored or rebuilt in any case, since it is the panel then that
    may know more.
    """
    now = engine.now()
    if document is None:
        return LogCursor(), Look(touched=True), now
    cursor = LogCursor.from_document(document)
    if cursor.high and engine.exchange.log_mark(cursor.high) != cursor.mark:
        logger.warning("change_log has lost row %d: restored or rebuilt, so all cards are looked at", cursor.high)
        return LogCursor(), Look(whole=True), now
    swept_at = datetime.fromisoformat(document["swept_at"])
    look = document.get("look")
    if document.get("policy") != _policy_digest(engine):
        return cursor, Look(whole=bool(look and look["whole"]), touched=True), now
    if look is None and now - swept_at >= SWEEP_EVERY:
        engine.exchange.prune_log(now - KEPT)
        return cursor, Look(), now
    return cursor, Look(look["after"], look["whole"], look["touched"]) if look else None, swept_at


def _policy_digest(engine: Engine) -> str:
    """Return a mark of the policy: rows that were read under another one are worth another look."""
    return hashlib.sha256(engine.policy.model_dump_json().encode()).hexdigest()[:16]


def document(cursor: LogCursor, look: Look | None, swept_at: datetime, engine: Engine) -> dict[str, Any]:
    """Return the state's document of a cursor, its full look and the policy under which it was read."""
    found = cursor.to_document() | {"swept_at": swept_at.isoformat(), "policy": _policy_digest(engine)}
    return found | {"look": asdict(look)} if look else found


def read_log(engine: Engine, concern: Concern, cursor: LogCursor) -> tuple[LogCursor, list[str]]:
    """Return the moved cursor, and the keys that others have touched in this concern's tables."""
    keys: dict[str, None] = {}
    moved = cursor
    for _ in range(LOG_PAGES):
        entries = engine.exchange.read_log(moved.high, moved.spans(), PAGE)
        before = moved.high
        moved = moved.advance(entries, engine.now(), engine.longest_transaction)
        keys.update(dict.fromkeys(_foreign(concern, entries)))
        if sum(entry.seq > before for entry in entries) < PAGE:
            break
    if moved.high != cursor.high:
        moved = replace(moved, mark=engine.exchange.log_mark(moved.high))
    return moved, list(keys)


def _foreign(concern: Concern, entries: Iterable[LogEntry]) -> Iterable[str]:
    return (e.client_id for e in entries if e.table_name in concern.tables and not e.own and e.client_id)


def _worth_a_look(engine: Engine, concern: str, keys: Sequence[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(keys), LOOK_PAGE):
        page = keys[start : start + LOOK_PAGE]
        found += _differing(engine, concern, page, touched=True)
    return found


def _due(engine: Engine, concern: str, *, everything_due: bool) -> list[str]:
    """Return the parked customers whose time has come; those whose row is away wait for its return."""
    if not engine.carries(concern):
        return []
    due = engine.exchange.due(concern, None if everything_due else engine.now(), DUE_LIMIT)
    if concern == ACCOUNTS.name and engine.policy.accounts.deletes == "propagate":
        return list(due)  # a card that is away is to be closed
    present = engine.exchange.existing_cards(due) if due else frozenset()
    return [client_id for client_id in due if client_id in present]


def _differing(engine: Engine, concern: str, keys: Collection[str], *, touched: bool) -> list[str]:
    snapshots = engine.look(concern, keys)
    if concern == DELIVERY_ADDRESSES.name:
        customers = _by_customer(snapshots)
        if touched:
            tell_addresses(engine, customers)
        return [key for key, own in customers.items() if wants_look(engine, own, touched=touched)]
    if concern == CREDIT.name and touched:
        tell_figures(engine, snapshots)
    if concern == ACCOUNTS.name:
        tell_accounts(engine, snapshots if touched else told_before(snapshots))
    return [s.client_id for s in snapshots if _differs(engine, concern, s, touched=touched)]


def _by_customer(snapshots: Sequence[Snapshot]) -> dict[str, list[Snapshot]]:
    found: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        found.setdefault(snapshot.client_id, []).append(snapshot)
    return found


def _differs(engine: Engine, concern: str, snapshot: Snapshot, *, touched: bool) -> bool:
    """Return whether a customer is worth a look. What is held waits for a person, or for its row to be ``touched``."""
    if snapshot.row is None:
        return False
    if snapshot.link is None:
        return concern == ACCOUNTS.name and (touched or not snapshot.held)
    held = touched and snapshot.held
    rules = engine.rules(concern)
    by_age = asks(engine, snapshot) if concern == CREDIT.name else None
    if by_age is not None:
        return by_age
    untouched = not (snapshot.agreed or snapshot.intent or snapshot.status)
    if untouched and carries_nothing(CONCERNS[concern], rules, snapshot.row):
        return False
    if concern == SHOPS.name and (snapshot.row["shops"] == "") != _is_excluded(snapshot):
        return True
    unsettled = snapshot.intent or snapshot.parked or held or any(c.decision for c in snapshot.conflicts)
    return bool(unsettled) or erp_differs(CONCERNS[concern], rules, snapshot)


def _is_excluded(snapshot: Snapshot) -> bool:
    return snapshot.status is not None and snapshot.status.state is State.EXCLUDED


def _continue(engine: Engine, concern: str, look: Look | None) -> tuple[list[str], Look | None]:
    found: list[str] = []
    for _ in range(LOOK_BUDGET // LOOK_PAGE):
        if look is None:
            break
        page = engine.exchange.client_ids(look.after, LOOK_PAGE)
        found += page if look.whole else _differing(engine, concern, page, touched=look.touched)
        look = replace(look, after=page[-1]) if len(page) == LOOK_PAGE else None
    return found, look
