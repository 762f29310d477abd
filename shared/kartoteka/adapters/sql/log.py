"""``change_log``, which the triggers fill."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import Watched
from kartoteka.adapters.sql.tables import change_log
from kartoteka.adapters.sql.values import COUNT, Found, value_of
from kartoteka.errors import Halt, Retry
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import ChangeLog, LogEntry, Span, Unlogged

SPANS = 100
"""Spans of the log in one statement; shorter lists are filled up, so that the statement is always the same text."""

WAIT_SECONDS = 2
"""How long a table is waited for whose triggers are made: the ERP's writers wait behind us."""

_LOG = change_log.c
_COLUMNS = (_LOG.seq, _LOG.table_name, _LOG.client_id, _LOG.group_id, _LOG.row_id, _LOG.operation)
_MARK = sa.select(_LOG.logged_at, _LOG.table_name, _LOG.operation).where(_LOG.seq == sa.bindparam("seq"))
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
        """Return a digest, of what stays of a row whose client was erased: nothing in it can be read."""
        with self._database.reading() as connection:
            row = connection.execute(_MARK, {"seq": seq}).one_or_none()
        return None if row is None else hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:16]

    def read(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        with self._database.reading() as connection:
            rows = [row for some in pieces(spans, SPANS) for row in connection.execute(_IN_SPANS, _span_values(some))]
            rows += connection.execute(_AFTER, {"after": after, "count": limit}).all()
        entries = {row[0]: row for row in rows}
        return [_entry(entries[seq]) for seq in sorted(entries)]

    def prune(self, before: datetime) -> None:
        """Remove rows that are older, but for the last one: the cursors' marks and the numbering need it."""
        with self._database.writing() as connection:
            connection.execute(_PRUNE, {"before": before})

    def unlogged(self) -> Mapping[str, Unlogged]:
        return {watched.table.name: why for watched, why in self._unlogged()}

    def recreate_triggers(self) -> None:
        """A transaction for each table: one that is in use costs no other one its triggers."""
        failure: Retry | Halt | None = None
        for watched, why in self._unlogged():
            if why is not Unlogged.MISSING:
                continue
            try:
                with self._database.changing(WAIT_SECONDS) as connection:
                    for statement in self._database.dialect.missing_triggers(watched):
                        connection.exec_driver_sql(statement)
            except (Retry, Halt) as error:
                failure = error
        if failure is not None:
            raise failure

    def _unlogged(self) -> list[tuple[Watched, Unlogged]]:
        dialect, every = self._database.dialect, self._database.erp.watched
        with self._database.reading() as connection:
            found = dialect.triggers_of(connection, [watched.table.name for watched in every])
        lacking = []
        for watched in every:
            fires = {found.get((watched.table.name, name)) for name in dialect.trigger_names(watched)}
            if fires != {True}:
                lacking.append((watched, Unlogged.MISSING if None in fires else Unlogged.DISABLED))
        return lacking


def _entry(row: Found) -> LogEntry:
    """Return an entry of the log; what a program has bound as bytes is read as the text that it means."""
    seq, *told = row
    return LogEntry(seq, *(told if set(map(type, told)) == {str} else [str(value_of(each)) for each in told]))


def _span_values(spans: Sequence[Span]) -> dict[str, int]:
    filled = [*spans, *[spans[-1]] * (SPANS - len(spans))]
    return {f"{end}{n}": span[i] for n, span in enumerate(filled) for i, end in enumerate(("first", "last"))}
