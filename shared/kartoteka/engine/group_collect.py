"""Collect for discount groups: which groups are to be looked at.

By the log of changes, by dates that have come, by parking places, and once a day all of them; a group whose rows ask
for nothing new costs no panel call.
"""

from __future__ import annotations

from collections.abc import Sequence

from kartoteka.core.concerns import DISCOUNTS, GROUPS
from kartoteka.core.model import Snapshot, State
from kartoteka.engine import dates, price_lists
from kartoteka.engine.base import Counts, Engine
from kartoteka.engine.collect import DUE_LIMIT, IN_QUEUE, document, read_log, resume

COMPARED = 10
"""Groups whose prices are compared here before a key is sent: the worker compares anyway, and a group may be large."""


def collect_groups(engine: Engine, *, everything_due: bool = False) -> Counts:
    """Hand the groups to be looked at to the queue, and move the cursor."""
    if not engine.carries(DISCOUNTS.name):
        return Counts()
    name = f"log:{GROUPS.name}"
    stored = engine.state.load(name)
    cursor, look, swept_at = resume(engine, stored.document)
    cursor, touched = read_log(engine, GROUPS, cursor)
    dated, note_dates = dates.passed(engine, GROUPS.name, engine.now(), engine.exchange.dated_groups)
    due = engine.exchange.due(GROUPS.name, None if everything_due else engine.now(), DUE_LIMIT)
    everything = engine.exchange.group_ids() if look else ()  # the panel may have lost or renamed one
    if look and look.whole:  # restored: nobody knows what the panel was sent since the backup
        for group_id in everything:
            engine.exchange.doubt_prices(group_id, None)
    keys = list(dict.fromkeys([*_asking(engine, [*touched, *dated]), *due, *everything]))
    if keys:
        engine.queue.send(GROUPS.name, keys)
    if due:
        engine.exchange.postpone(GROUPS.name, due, engine.now() + IN_QUEUE)
    note_dates()
    news = document(cursor, None, swept_at, engine)
    if news != stored.document:
        engine.state.save(name, news, version=stored.version)
    return Counts(collected=len(keys))


def _asking(engine: Engine, group_ids: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(group_ids))
    found = engine.exchange.groups(unique[:COMPARED]) if unique else ()
    return [*(s.item_id for s in found if _asks(engine, s)), *unique[COMPARED:]]


def _asks(engine: Engine, group: Snapshot) -> bool:
    """Return whether a group's rows ask for anything; what waits or is held is tried anew once its rows are touched."""
    if group.row is None and group.agreed is None:
        return True
    expected = State.EXCLUDED if group.row is None else State.IN_STEP
    if group.intent or group.status is None or group.status.state is not expected:
        return True
    renamed = group.row is not None and group.row.get("name") != (group.agreed or {}).get("name")
    return renamed or price_lists.differs(engine, group.item_id)
