"""The port ``ExchangeDatabase`` over SQLAlchemy Core; the tables are in :mod:`~kartoteka.adapters.schema`.

Each method is one transaction and a fixed number of statements for up to ``CHUNK`` keys. Nothing is connected before
the first call.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from kartoteka.adapters import dialects, schema
from kartoteka.adapters.dialects import OWN, WRITES, Refused, translated
from kartoteka.adapters.settling import CHUNK, ROW_TABLES, Settling, fit, from_json, value_of
from kartoteka.core.concerns import BILLING
from kartoteka.core.model import (
    Announcement,
    Direction,
    Intent,
    Link,
    LogEntry,
    OpenConflict,
    Parked,
    Reason,
    Record,
    SeenAccount,
    Settlement,
    Side,
    Snapshot,
    State,
    Status,
    Written,
)
from kartoteka.ports import Settled, Span

SPANS = 100
"""Spans of the log in one statement; shorter lists are filled up, so that the statement is always the same text."""

_T = TypeVar("_T")
_Row = sa.Row[*tuple[Any, ...]]
_Select = sa.Select[*tuple[Any, ...]]

ROW_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "billing": tuple(BILLING.fields),
    "accounts": (*BILLING.fields, "login", "active"),
}
"""Concern -> the columns of its row that a snapshot shows."""


class SqlExchange:
    """The exchange database behind a SQLAlchemy engine that :func:`dialects.connect` made."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known = dialects.engine_for(engine.url)
        self._settling = Settling(self._known)
        self._intents = self._known.upsert(schema.sync_intents, _INTENT)
        self._accounts = self._known.upsert(schema.sync_panel_accounts, _ACCOUNT)
        self._checked = False
        self._turn = threading.Lock() if self._known.one_writer else contextlib.nullcontext()

    @classmethod
    def connect(cls, address: str) -> Self:
        """Return the exchange database at a SQLAlchemy URL; bare ones are understood. Raises Halt for a wrong one."""
        return cls(dialects.connect(dialects.parse_url(address)))

    def __repr__(self) -> str:
        return f"SqlExchange({self._engine.url.render_as_string(hide_password=True)})"

    @property
    def engine(self) -> sa.Engine:
        """The engine, for tools that look at the tables themselves."""
        return self._engine

    def close(self) -> None:
        """Close the pool's connections; a later call opens new ones."""
        self._engine.dispose()

    # --- the log

    def log_head(self) -> int:
        """Return the highest ``seq`` in ``change_log``, 0 where it is empty."""
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.max(_LOG.seq))) or 0

    def log_mark(self, seq: int) -> str | None:
        """Return a fingerprint of one log row without anything readable in it, None where there is no such row."""
        with self._reading() as connection:
            row = connection.execute(_MARK, {"seq": seq}).one_or_none()
        return None if row is None else hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:16]

    def read_log(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        """Return visible entries inside ``spans`` and the first ``limit`` beyond ``after``, in order, each once."""
        with self._reading() as connection:
            rows = [row for some in _pieces(spans, SPANS) for row in connection.execute(_IN_SPANS, _span_values(some))]
            rows += connection.execute(_AFTER, {"after": after, "count": limit})
        entries = {row.seq: LogEntry(*row[:5], own=row.origin == OWN) for row in rows}
        return [entries[seq] for seq in sorted(entries)]

    def prune_log(self, before: datetime) -> None:
        """Remove log rows that are older, but for the last one: the cursors' marks and the numbering need it."""
        with self._writing() as connection:
            connection.execute(_PRUNE, {"before": before})

    # --- keys

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        """Return card ids greater than ``after``, in the database's own order of keys."""
        with self._reading() as connection:
            return list(connection.scalars(_CLIENT_IDS, {"after": after, "count": limit}))

    def existing_cards(self, client_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that have a row in ``clients``."""
        with self._reading() as connection:
            return frozenset(row.id for row in _by_ids(connection, _CARDS, client_ids))

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        """Return panel client id -> client id for the linked ones."""
        with self._reading() as connection:
            return {row.panel_client_id: row.client_id for row in _by_ids(connection, _OWNERS, panel_client_ids)}

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
        """Return client ids that are parked and due, the longest due first."""
        statement = _PARKED_IDS if now is None else _DUE_IDS
        moment = {} if now is None else {"now": now}
        with self._reading() as connection:
            return list(connection.scalars(statement, {"concern": concern, "count": limit, **moment}))

    def postpone(self, concern: str, client_ids: Collection[str], until: datetime) -> None:
        """Let these parked customers not be due before ``until``."""
        with self._writing() as connection:
            for some in _pieces(list(client_ids), CHUNK):
                connection.execute(_POSTPONE, {"of": concern, "ids": some, "until": until})

    # --- records

    def snapshots(self, concern: str, client_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these customers, all of one moment: seven statements for each ``CHUNK``."""
        with self._reading() as connection:
            pieces = _pieces(list(dict.fromkeys(client_ids)), CHUNK)
            return [snapshot for some in pieces for snapshot in _snapshots(connection, concern, some)]

    def announce(self, announcements: Sequence[Announcement], *, run_id: str, at: datetime) -> None:
        """Write down what is about to be sent, and first what must be known before it, at once."""
        before = [news.before for news in announcements if news.before]
        with self._writing() as connection:
            if before:
                self._settling.settle(connection, before, run_id, at)
            if announcements:
                self._known.run(connection, self._intents, [_intent_row(news, at) for news in announcements])

    def settle(self, settlements: Sequence[Settlement], *, run_id: str, at: datetime) -> Settled:
        """As the port says. Where the database refuses our own rows of one record, its neighbours are stored apart."""
        if not settlements:
            return Settled()
        try:
            with self._writing() as connection:
                return self._settling.settle(connection, settlements, run_id, at)
        except Refused as error:
            if len(settlements) == 1:
                return self._settle_refused(settlements[0], error.reason, run_id, at)
        half = len(settlements) // 2
        parts = [self.settle(part, run_id=run_id, at=at) for part in (settlements[:half], settlements[half:])]
        return Settled(parts[0].again | parts[1].again, {**parts[0].refused, **parts[1].refused})

    def _settle_refused(self, settlement: Settlement, reason: str, run_id: str, at: datetime) -> Settled:
        """Store what is to be stored of a record that was refused alone: its fallback, if that is taken."""
        if settlement.fallback:
            self.settle([settlement.fallback], run_id=run_id, at=at)
        return Settled(refused={settlement.client_id: reason})

    # --- the directory of the panel's accounts

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        """Write these accounts into the directory of the panel's accounts; of one given twice, the last."""
        rows = {account.panel_client_id: _account_row(account, at) for account in accounts}
        if rows:
            with self._writing() as connection:
                self._known.run(connection, self._accounts, list(rows.values()))

    def remembered(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        """Return the directory's rows of these accounts."""
        with self._reading() as connection:
            return {row[0]: SeenAccount(*row) for row in _by_ids(connection, _ACCOUNTS, panel_client_ids)}

    def count_remembered(self, begin: datetime, end: datetime) -> int:
        """Return how many accounts were last modified in this span, ends included."""
        with self._reading() as connection:
            return connection.scalar(_DATED, {"begin": begin, "end": end}) or 0

    # --- transactions

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Give a connection on which several SELECTs see one moment."""
        level = self._known.read_isolation
        engine = self._engine.execution_options(isolation_level=level) if level else self._engine
        with translated(self._known), engine.begin() as connection:
            self._check(connection)
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose writes carry our origin, committed at the end."""
        writing = self._engine.execution_options(**{WRITES: True})
        with self._turn, translated(self._known), writing.begin() as connection:
            self._check(connection)
            self._known.mark_own(connection)
            yield connection
            self._known.unmark_own(connection)

    def _check(self, connection: sa.Connection) -> None:
        """Look at the schema's version, once in this object's life."""
        if not self._checked:
            schema.check(connection)
            self._checked = True


def _pieces(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _by_ids(connection: sa.Connection, statement: _Select, ids: Collection[str]) -> list[_Row]:
    return [row for some in _pieces(list(ids), CHUNK) for row in connection.execute(statement, {"ids": some})]


def _among(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return column.in_(sa.bindparam("ids", expanding=True))


_COUNT = sa.bindparam("count", type_=sa.Integer)
_LOG = schema.change_log.c
_LOG_COLUMNS = (_LOG.seq, _LOG.table_name, _LOG.client_id, _LOG.row_id, _LOG.operation, _LOG.origin)
_MARK = sa.select(_LOG.logged_at, _LOG.table_name, _LOG.row_id, _LOG.operation).where(_LOG.seq == sa.bindparam("seq"))
_AFTER = sa.select(*_LOG_COLUMNS).where(_LOG.seq > sa.bindparam("after")).order_by(_LOG.seq).limit(_COUNT)
_NEWEST = sa.select(sa.func.max(_LOG.seq)).scalar_subquery()
_PRUNE = schema.change_log.delete().where(_LOG.logged_at < sa.bindparam("before"), _LOG.seq < _NEWEST)
_IN_SPANS = sa.select(*_LOG_COLUMNS).where(
    sa.or_(*(_LOG.seq.between(sa.bindparam(f"first{n}"), sa.bindparam(f"last{n}")) for n in range(SPANS)))
)


def _span_values(spans: Sequence[Span]) -> dict[str, int]:
    filled = [*spans, *[spans[-1]] * (SPANS - len(spans))]
    return {f"{end}{n}": span[i] for n, span in enumerate(filled) for i, end in enumerate(("first", "last"))}


_CARD = schema.clients.c
_CARDS = sa.select(_CARD.id).where(_among(_CARD.id))
_CLIENT_IDS = sa.select(_CARD.id).where(_CARD.id > sa.bindparam("after")).order_by(_CARD.id).limit(_COUNT)

_LINK = schema.sync_links.c
_OWNERS = sa.select(_LINK.panel_client_id, _LINK.client_id).where(_among(_LINK.panel_client_id))
_LINKS = sa.select(_LINK.client_id, _LINK.panel_client_id, _LINK.panel_login, _LINK.linked_by).where(
    _among(_LINK.client_id)
)

_DUE = schema.sync_parked.c
_PARKED_IDS = (
    sa.select(_DUE.client_id)
    .where(_DUE.concern == sa.bindparam("concern"))
    .group_by(_DUE.client_id)
    .order_by(sa.func.min(_DUE.due_at), _DUE.client_id)
    .limit(_COUNT)
)
_POSTPONE = (
    schema.sync_parked.update()
    .where(_DUE.concern == sa.bindparam("of"), _among(_DUE.client_id), _DUE.due_at < sa.bindparam("until"))
    .values(due_at=sa.bindparam("until"))
)
_DUE_IDS = _PARKED_IDS.where(_DUE.due_at <= sa.bindparam("now"))


def _of_concern(table: sa.Table, *columns: str) -> _Select:
    """Select a table's rows of one concern and some customers: client id, item id, then ``columns``."""
    found = sa.select(table.c.client_id, table.c.item_id, *(table.c[name] for name in columns))
    return found.where(table.c.concern == sa.bindparam("concern"), _among(table.c.client_id))


_AGREED = _of_concern(schema.sync_agreed, "values")
_INTENTS = _of_concern(schema.sync_intents, "values", "creating", "login")
_PARKED = _of_concern(schema.sync_parked, "due_at", "attempts", "tries", "code")
_STATUS = _of_concern(schema.sync_status, "state", "code", "message")
_CONFLICTS = (
    _of_concern(schema.sync_conflicts, "id", "field", "erp_value", "panel_value", "base_value", "decision")
    .where(schema.sync_conflicts.c.closed_at.is_(None))
    .order_by(schema.sync_conflicts.c.id)
)

_ROWS = {
    concern: sa.select(table.c.id, *(table.c[name] for name in ROW_COLUMNS[concern])).where(_among(table.c.id))
    for concern, table in ROW_TABLES.items()
}

_INTENT = ("client_id", "concern", "item_id", "values", "creating", "login", "at")
_ACCOUNT = ("panel_client_id", "login", "external_code", "nip", "email", "modified_at", "guest", "seen_at")
_SEEN = schema.sync_panel_accounts.c
_ACCOUNTS = sa.select(*(_SEEN[name] for name in _ACCOUNT[:-1])).where(_among(_SEEN.panel_client_id))
_DATED = sa.select(sa.func.count()).where(_SEEN.modified_at.between(sa.bindparam("begin"), sa.bindparam("end")))

_Place = tuple[str, str]
"""Client id and item id."""


def _snapshots(connection: sa.Connection, concern: str, client_ids: Sequence[str]) -> list[Snapshot]:
    """Read everything about these customers: seven statements."""
    given = {"concern": concern, "ids": client_ids}
    rows = {(row[0], ""): _record(ROW_COLUMNS[concern], row) for row in connection.execute(_ROWS[concern], given)}
    links = {row[0]: Link(*row) for row in connection.execute(_LINKS, given)}
    agreed = _found(connection, _AGREED, given, lambda row: from_json(row[2]))
    intents = _found(connection, _INTENTS, given, _intent)
    parked = _found(connection, _PARKED, given, lambda row: Parked(*row[2:]))
    status = _found(connection, _STATUS, given, lambda row: Status(State(row[2]), row[3], row[4] or ""))
    conflicts: dict[_Place, list[OpenConflict]] = defaultdict(list)
    for row in connection.execute(_CONFLICTS, given):
        conflicts[row[0], row[1]].append(_conflict(row))
    places = dict.fromkeys([*((client_id, "") for client_id in client_ids), *agreed, *intents, *parked, *conflicts])
    return [
        Snapshot(
            *place,
            row=rows.get(place),
            link=links.get(place[0]),
            agreed=agreed.get(place),
            intent=intents.get(place),
            parked=parked.get(place),
            status=status.get(place),
            conflicts=tuple(conflicts.get(place, ())),
        )
        for place in places
    ]


def _found(
    connection: sa.Connection,
    statement: _Select,
    given: Mapping[str, Any],
    make: Callable[[_Row], _T],
) -> dict[_Place, _T]:
    return {(row[0], row[1]): make(row) for row in connection.execute(statement, given)}


def _record(columns: tuple[str, ...], row: _Row) -> Record:
    return dict(zip(columns, map(value_of, row[1:]), strict=True))


def _conflict(row: _Row) -> OpenConflict:
    _, _, number, field, erp_value, panel_value, base_value, decision = row
    return OpenConflict(number, field, erp_value, panel_value, base_value, _side(decision))


def _side(decision: str | None) -> Side | None:
    """Read what a person wrote; anything but the two answers is no answer."""
    word = (decision or "").strip().lower()
    return Side(word) if word in tuple(Side) else None


def _intent_row(news: Announcement, at: datetime) -> dict[str, Any]:
    values = [[w.field, w.direction, w.reason, w.before, w.after] for w in news.intent.written]
    return {
        "client_id": news.client_id,
        "concern": news.concern,
        "item_id": news.item_id,
        "values": json.dumps(values),
        "creating": news.intent.creating,
        "login": fit(schema.sync_intents.c.login, news.intent.login),
        "at": at,
    }


def _intent(row: _Row) -> Intent:
    written = (Written(f, Direction(d), Reason(r), before, after) for f, d, r, before, after in json.loads(row[2]))
    return Intent(tuple(written), *row[3:])


def _account_row(account: SeenAccount, at: datetime) -> dict[str, Any]:
    columns = schema.sync_panel_accounts.c
    texts = {name: fit(columns[name], getattr(account, name)) for name in _ACCOUNT[:5]}
    return {**texts, "modified_at": account.modified_at, "guest": account.guest, "seen_at": at}
