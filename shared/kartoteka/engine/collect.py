"""Collect: which customers of the exchange database are to be looked at.

The cursor moves only after the queue has taken every chunk, so a crash repeats work and never loses it. A key goes into
the queue only where the row differs from what was last agreed: a nightly refill of the table with equal rows costs no
panel call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka.core.concerns import CONCERNS, Concern
from kartoteka.core.cursor import LogCursor
from kartoteka.core.merge import erp_differs
from kartoteka.core.model import LogEntry, Snapshot
from kartoteka.engine.base import Counts, Engine

PAGE = 5_000
"""Log rows read with one statement."""
LOOK_PAGE = 1_000
"""Cards looked at with one set of statements in a full look."""
LOOK_BUDGET = 50_000
"""Cards looked at in one run: a full look of a million cards takes several runs and survives each one's end."""
DUE_LIMIT = 10_000
SWEEP_EVERY = timedelta(days=1)
"""A full look, without panel calls, that finds what a wrong cursor or a lost message missed."""


@dataclass(frozen=True, slots=True)
class Look:
    """A full look in progress: all cards after ``after``. ``whole``: also those whose row equals the agreement."""

    after: str = ""
    whole: bool = False


def collect(engine: Engine, concern: str, *, everything_due: bool = False) -> Counts:
    """Hand the keys of customers to be looked at to the concern's queue, and move the cursor.

    ``everything_due`` takes parked records too whose time has not come.
    """
    stored = engine.state.load(f"log:{concern}")
    cursor, look, swept_at = _resume(engine, stored.document)
    cursor, touched = _read_log(engine, CONCERNS[concern], cursor)
    keys = [] if look == Look() or look == Look(whole=True) else _worth_a_look(engine, concern, touched)
    due = engine.exchange.due(concern, None if everything_due else engine.now(), DUE_LIMIT)
    found, look = _continue(engine, concern, look)
    keys = list(dict.fromkeys([*keys, *due, *found]))
    if keys:
        engine.queue.send(concern, keys)
    document = _document(cursor, look, swept_at)
    if document != stored.document:
        engine.state.save(f"log:{concern}", document, version=stored.version)
    return Counts(collected=len(keys))


def _resume(engine: Engine, document: Any) -> tuple[LogCursor, Look | None, datetime]:
    """Return where to go on, and when the last full look began.

    Without a cursor, and once a day, all cards are looked at; those of a database that was restored or rebuilt in any
    case, since it is the panel then that may know more.
    """
    now = engine.now()
    if document is None:
        return LogCursor(), Look(), now
    cursor = LogCursor.from_document(document)
    if cursor.high and engine.exchange.log_mark(cursor.high) != cursor.mark:
        return LogCursor(), Look(whole=True), now
    swept_at = datetime.fromisoformat(document["swept_at"])
    look = document.get("look")
    if look is None and now - swept_at >= SWEEP_EVERY:
        return cursor, Look(), now
    return cursor, Look(look["after"], look["whole"]) if look else None, swept_at


def _document(cursor: LogCursor, look: Look | None, swept_at: datetime) -> dict[str, Any]:
    document = cursor.to_document() | {"swept_at": swept_at.isoformat()}
    return document | {"look": {"after": look.after, "whole": look.whole}} if look else document


def _read_log(engine: Engine, concern: Concern, cursor: LogCursor) -> tuple[LogCursor, list[str]]:
    keys: dict[str, None] = {}
    moved = cursor
    while True:
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
        found += _differing(engine, concern, page)
    return found


def _differing(engine: Engine, concern: str, keys: Collection[str]) -> list[str]:
    return [s.client_id for s in engine.exchange.snapshots(concern, keys) if _differs(engine, concern, s)]


def _differs(engine: Engine, concern: str, snapshot: Snapshot) -> bool:
    if snapshot.row is None:
        return False
    if concern == "accounts":
        return snapshot.link is None
    if snapshot.link is None:
        return False
    unsettled = snapshot.intent or snapshot.parked or any(c.decision for c in snapshot.conflicts)
    return bool(unsettled) or erp_differs(CONCERNS[concern], engine.rules(concern), snapshot)


def _continue(engine: Engine, concern: str, look: Look | None) -> tuple[list[str], Look | None]:
    found: list[str] = []
    for _ in range(LOOK_BUDGET // LOOK_PAGE):
        if look is None:
            break
        page = engine.exchange.client_ids(look.after, LOOK_PAGE)
        found += page if look.whole else _differing(engine, concern, page)
        look = replace(look, after=page[-1]) if len(page) == LOOK_PAGE else None
    return found, look
