"""Spans of time in which not all of the ERP's changes were logged: a trigger was missing or disabled.

They stand in the state, by table, so that every concern scans for what was written meanwhile, whichever noticed it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka.errors import Halt, Retry
from kartoteka.ports.exchange import Unlogged
from kartoteka.sync import kept
from kartoteka.sync.run import Run

logger = logging.getLogger(__name__)

NAME = "triggers"
"""The state's document of the spans."""
LOOK_EVERY = timedelta(hours=1)
"""How long a process believes that all triggers are there; it looks at its start."""
TRY_EVERY = timedelta(minutes=1)
"""How often missing triggers are made again at most, by all functions together: the ERP's writers wait behind us."""
SCAN_EVERY = timedelta(minutes=15)
"""How often everything is compared while not all is logged."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when changes of a table were not logged, as far as is known; ``until`` None: they still are not."""

    since: datetime
    until: datetime | None = None

    def owes_scan(self, scanned_at: datetime, now: datetime) -> bool:
        """Return whether a full scan that began then has not seen what was written in this span."""
        if self.until is None:
            return scanned_at < self.since or not kept.is_within(SCAN_EVERY, scanned_at, now)
        return scanned_at < self.until


Spans = Mapping[str, Span]


def look(run: Run, reader: str, tables: Iterable[str], *, now: bool = False) -> Sequence[Span]:
    """Return the spans of these tables; missing triggers are made again where that may be.

    The database is asked at a process's start, once an hour while all is well, and each time while it is not, or where
    it shall be ``now``; in between there are none. What lacks is told in ``run.unlogged``.
    """
    moment, looked = run.now(), run.looked.get(reader)
    if looked is not None and not now and kept.is_within(LOOK_EVERY, looked, moment):
        return ()
    lacking, spans = _look(run, moment)
    own = frozenset(tables)
    run.unlogged.update({table: str(why) for table, why in lacking.items() if table in own})
    for table in sorted(own & lacking.keys()):
        logger.error(
            "the triggers of %s are %s: changes are found by a full scan every %d minutes; %s",
            table,
            lacking[table],
            SCAN_EVERY // timedelta(minutes=1),
            "enable them" if lacking[table] is Unlogged.DISABLED else "run `kartoteka schema upgrade --url …`",
        )
    if any(span.until is None for span in spans.values()):
        run.looked.pop(reader, None)
    else:
        run.looked[reader] = moment
    return [span for table, span in spans.items() if table in own]


def _look(run: Run, now: datetime) -> tuple[Mapping[str, Unlogged], Spans]:
    """Return what was found lacking, and the spans after what could be done about it."""
    lacking = run.exchange.log.unlogged()
    (tried_at, before), version = kept.read(run.state, NAME, lambda document: _read(document or {}, now))
    spans = _moved(before, lacking, now)
    trying = Unlogged.MISSING in lacking.values() and (tried_at is None or not kept.is_within(TRY_EVERY, tried_at, now))
    tried_at = now if trying else tried_at
    if not trying and spans == before:
        return lacking, spans
    if not run.state.save(NAME, _spelled(tried_at, spans), version=version) or not trying:
        return lacking, spans
    try:
        run.exchange.log.recreate_triggers()
    except (Retry, Halt) as error:
        logger.warning("not all missing triggers could be made again (%s)", error.code)
    spans = _moved(spans, run.exchange.log.unlogged(), run.now())
    run.state.save(NAME, _spelled(tried_at, spans), version=version + 1)
    return lacking, spans


def _moved(spans: Spans, lacking: Mapping[str, Unlogged], now: datetime) -> Spans:
    """Return the spans after a look: some begin, some end."""
    ended = {t: span if span.until or t in lacking else replace(span, until=now) for t, span in spans.items()}
    begun = {table: Span(now) for table in lacking if table not in ended or ended[table].until}
    return {**ended, **begun}


def _read(document: Mapping[str, Any], now: datetime) -> tuple[datetime | None, Spans]:
    tried_at = document.get("tried_at")
    spans = {
        table: Span(min(kept.moment(since), now), until and min(kept.moment(until), now))
        for table, (since, until) in document.get("spans", {}).items()
    }
    return tried_at and kept.moment(tried_at), spans


def _spelled(tried_at: datetime | None, spans: Spans) -> dict[str, Any]:
    found: dict[str, Any] = {
        "spans": {t: [s.since.isoformat(), s.until and s.until.isoformat()] for t, s in spans.items()}
    }
    return found | ({"tried_at": tried_at.isoformat()} if tried_at else {})
