"""``change_log``, which the triggers fill."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.tables import change_log
from kartoteka.adapters.sql.values import COUNT
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import ChangeLog, LogEntry, Span

SPANS = 100
"""Spans of the log in one statement; shorter lists are filled up, so that the statement is always the same text."""

_LOG = change_log.c
_COLUMNS = (_LOG.seq, _LOG.table_name, _LOG.client_id, _LOG.group_id, _LOG.row_id, _LOG.operation)
_MARK = sa.select(_LOG.logged_at, *_COLUMNS[1:]).where(_LOG.seq == sa.bindparam("seq"))
_AFTER = sa.select(*_COLUMNS).where(_LOG.seq > sa.bindparam("after")).order_by(_LOG.seq).limit(COUNT)
_NEWEST = sa.select(sa.func.max(_LOG.seq)).scalar_subquery()
_PRUNE = change_log.delete().where(_LOG.logged_at < sa.bindparam("before"), _LOG.seq < _NEWEST)
_IN_SPANS = sa.select(*_COLUMNS).where(
    sa.or_(*(_LOG.seq.between(sa.bindparam(f"first{n}"), sa.bindparam(f"last{n}")) for n in range(SPANS)))
)


class SqlChangeLog(ChangeLog):
    """The log of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self, seq: int) -> str | None:
        """Return a digest: nothing in it can be read."""
        with self._database.reading() as connection:
            row = connection.execute(_MARK, {"seq": seq}).one_or_none()
        return None if row is None else hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:16]

    def read(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        with self._database.reading() as connection:
            rows = [row for some in pieces(spans, SPANS) for row in connection.execute(_IN_SPANS, _span_values(some))]
            rows += connection.execute(_AFTER, {"after": after, "count": limit})
        entries = {row.seq: LogEntry(*row) for row in rows}
        return [entries[seq] for seq in sorted(entries)]

    def prune(self, before: datetime) -> None:
        """Remove rows that are older, but for the last one: the cursors' marks and the numbering need it."""
        with self._database.writing() as connection:
            connection.execute(_PRUNE, {"before": before})


def _span_values(spans: Sequence[Span]) -> dict[str, int]:
    filled = [*spans, *[spans[-1]] * (SPANS - len(spans))]
    return {f"{end}{n}": span[i] for n, span in enumerate(filled) for i, end in enumerate(("first", "last"))}
