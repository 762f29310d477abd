"""The port ``ExchangeDatabase`` over SQLAlchemy Core; the tables are in :mod:`~kartoteka.adapters.schema`.

Each method is one transaction and a fixed number of statements for up to ``CHUNK`` keys. Nothing is connected before
the first call.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self

import sqlalchemy as sa

from kartoteka.adapters import dialects, directory, parking, prices, records, schema
from kartoteka.adapters.dialects import OWN, WRITES, Refused, translated
from kartoteka.adapters.directory import Directory
from kartoteka.adapters.prices import Prices
from kartoteka.adapters.settling import Settling
from kartoteka.adapters.values import among, by_ids, pieces
from kartoteka.core.model import (
    Announcement,
    Candidate,
    CardHint,
    GroupItem,
    IncomingClient,
    ItemKey,
    LogEntry,
    SeenAccount,
    SentPrice,
    Settlement,
    Snapshot,
    Status,
)
from kartoteka.ports import Settled, Span

SPANS = 100
"""Spans of the log in one statement; shorter lists are filled up, so that the statement is always the same text."""


class SqlExchange:
    """The exchange database behind a SQLAlchemy engine that :func:`dialects.connect` made."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known = dialects.engine_for(engine.url)
        self._settling = Settling(self._known)
        self._directory = Directory(self._known)
        self._prices = Prices(self._known)
        self._intents = self._known.upsert(schema.sync_intents, records.INTENT)
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
            rows = [row for some in pieces(spans, SPANS) for row in connection.execute(_IN_SPANS, _span_values(some))]
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
            return frozenset(row.id for row in by_ids(connection, _CARDS, client_ids))

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        """Return panel client id -> client id for the linked ones."""
        with self._reading() as connection:
            return {row.panel_client_id: row.client_id for row in by_ids(connection, _OWNERS, panel_client_ids)}

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """Return pairs of client id and panel client id of the linked customers, in order."""
        with self._reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(_LINKED, {"after": after, "count": limit})]

    def count_linked(self) -> int:
        """Return how many customers are linked."""
        with self._reading() as connection:
            return connection.scalar(_COUNT_LINKED) or 0

    def with_items(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        """Return those customers who have something of a concern that not all have."""
        with self._reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, records.WITH_ITEMS[concern], client_ids))

    def risky_writes(self, concern: str, since: datetime) -> int:
        """Return how many records, once for each run, were written since then in a way that counts for the brake."""
        past = schema.sync_history
        risky = (parking.about(concern, past), past.c.risky == sa.true(), past.c.at >= since)
        records_written = sa.select(past.c.client_id, past.c.item_id, past.c.run_id).where(*risky).distinct()
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(records_written.subquery())) or 0

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
        """Return the keys of what is parked and due, the longest due first."""
        with self._reading() as connection:
            return parking.due(connection, concern, now, limit)

    def postpone(self, concern: str, client_ids: Collection[str], until: datetime) -> None:
        """Let these parked records not be due before ``until``."""
        with self._writing() as connection:
            parking.postpone(connection, concern, client_ids, until)

    # --- records

    def snapshots(self, concern: str, client_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these customers, all of one moment: up to nine statements for each ``CHUNK``."""
        with self._reading() as connection:
            keys = list(dict.fromkeys(client_ids))
            return [found for some in pieces(keys) for found in records.snapshots(connection, concern, some)]

    def announce(self, announcements: Sequence[Announcement], *, run_id: str, at: datetime) -> None:
        """Write down what is about to be sent, and first what must be known before it, at once."""
        before = [news.before for news in announcements if news.before]
        with self._writing() as connection:
            if before:
                self._settling.settle(connection, before, run_id, at)
            if announcements:
                self._known.run(connection, self._intents, [records.intent_row(news, at) for news in announcements])

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
        return Settled(refused={settlement.place: reason})

    # --- the directory of the panel's accounts, and whose they may be

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        """Write these accounts into the directory of the panel's accounts; of one given twice, the last."""
        if accounts:
            with self._writing() as connection:
                self._directory.remember(connection, accounts, at)

    def remembered(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        """Return the directory's rows of these accounts."""
        with self._reading() as connection:
            return directory.remembered(connection, panel_client_ids)

    def directory(
        self, external_codes: Collection[str], nips: Collection[str], emails: Collection[str]
    ) -> Sequence[SeenAccount]:
        """Return the accounts that carry one of these codes, or these tax numbers or e-mails, each once, by id."""
        with self._reading() as connection:
            return directory.carrying(connection, external_codes, nips, emails)

    def hints(self, nips: Collection[str] | None, emails: Collection[str] | None) -> Sequence[CardHint]:
        """Return the cards without an account that have one of these, None: any; reads all such cards."""
        wanted = [None if some is None else frozenset(some) for some in (nips, emails)]
        if wanted == [frozenset(), frozenset()]:
            return []
        with self._reading() as connection:
            found = list(directory.hints(connection, *wanted))
        return sorted(found, key=lambda hint: hint.client_id)

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        """Return the rows of ``sync_matches`` of these cards."""
        with self._reading() as connection:
            return directory.candidates(connection, client_ids)

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        """Return the cards that have one of these accounts among their candidates."""
        with self._reading() as connection:
            return directory.contenders(connection, panel_client_ids)

    def incoming_answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return client id -> the accounts that the ERP said are his."""
        with self._reading() as connection:
            return directory.answers(connection, client_ids)

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        """Return accounts that nobody has and nobody was told of, in the database's own order of keys."""
        with self._reading() as connection:
            return directory.strangers(connection, after, limit)

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        """Write these customers into ``incoming_clients``, for the ERP to answer."""
        if clients:
            with self._writing() as connection:
                self._directory.list_incoming(connection, clients, at)

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        """Take those of these accounts off ``incoming_clients`` that the ERP has not answered."""
        if panel_client_ids:
            with self._writing() as connection:
                directory.unlist(connection, panel_client_ids)

    def count_remembered(self, begin: datetime, end: datetime) -> int:
        """Return how many accounts were last modified in this span, ends included."""
        with self._reading() as connection:
            return directory.dated(connection, begin, end)

    # --- discount groups, their prices, and credit

    def outdated_credit(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return the customers whose figures are of a moment before ``until`` and not before ``since``, by id."""
        with self._reading() as connection:
            return prices.outdated(connection, self._known, since, until)

    def newest_credit(self) -> datetime | None:
        """Return the newest moment of any figures, None where no row tells one."""
        with self._reading() as connection:
            return prices.newest(connection, self._known)

    def group_ids(self) -> Sequence[str]:
        """Return the id of every discount group of which anything is known."""
        with self._reading() as connection:
            return prices.group_ids(connection)

    def groups(self, group_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these groups, all of one moment: five statements for each ``CHUNK``."""
        keys = [key for key in dict.fromkeys(group_ids) if key]
        with self._reading() as connection:
            return [found for some in pieces(keys) for found in records.groups(connection, some)]

    def group_numbers(self) -> Mapping[str, str]:
        """Return group id -> the panel's number."""
        with self._reading() as connection:
            return prices.numbers(connection)

    def group_members(self, group_ids: Collection[str]) -> Sequence[str]:
        """Return the linked customers whose card names one of these groups."""
        with self._reading() as connection:
            return prices.members(connection, group_ids)

    def group_items(
        self, group_id: str, after: ItemKey | None, limit: int
    ) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        """Return a page of a group's items, with what was sent; a row whose key is not whole is nobody's."""
        with self._reading() as connection:
            return self._prices.items(connection, group_id, after, limit)

    def prices_without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        """Return prices of items that have no row."""
        with self._reading() as connection:
            return prices.without_item(connection, group_id, limit)

    def item_statuses(self, group_id: str) -> Mapping[str, Status]:
        """Return item id -> status of a group's items."""
        with self._reading() as connection:
            return prices.statuses(connection, group_id)

    def dated_groups(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return groups with an item that begins or ends after ``since`` and not after ``until``."""
        with self._reading() as connection:
            return self._prices.dated(connection, since, until)

    def doubt_prices(self, group_id: str, keys: Sequence[ItemKey] | None) -> None:
        """Note that nobody knows these prices."""
        if keys is None or keys:
            with self._writing() as connection:
                self._prices.doubt(connection, group_id, keys)

    def settle_prices(
        self,
        group_id: str,
        sent: Sequence[SentPrice],
        removed: Sequence[ItemKey],
        settlements: Sequence[Settlement],
        *,
        run_id: str,
        at: datetime,
    ) -> None:
        """As the port says. Where the database refuses what is to be told, the prices are stored without it.

        A price may be among both, sent and removed: then it counts as sent, since that errs on the side of removing
        it once more.
        """
        if not (sent or removed or settlements):
            return
        try:
            with self._writing() as connection:
                self._prices.store(connection, group_id, sent, removed, at)
                self._settling.settle(connection, settlements, run_id, at)
        except Refused:
            with self._writing() as connection:
                self._prices.store(connection, group_id, sent, removed, at)
            self.settle(settlements, run_id=run_id, at=at)

    def forget_prices(self, group_id: str) -> None:
        """Forget every price that was sent to a group."""
        with self._writing() as connection:
            prices.forget(connection, group_id)

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
_CARDS = sa.select(_CARD.id).where(among(_CARD.id))
_CLIENT_IDS = sa.select(_CARD.id).where(_CARD.id > sa.bindparam("after")).order_by(_CARD.id).limit(_COUNT)

_LINK = schema.sync_links.c
_OWNERS = sa.select(_LINK.panel_client_id, _LINK.client_id).where(among(_LINK.panel_client_id))
_LINKED = (
    sa.select(_LINK.client_id, _LINK.panel_client_id)
    .where(_LINK.client_id > sa.bindparam("after"))
    .order_by(_LINK.client_id)
    .limit(_COUNT)
)
_COUNT_LINKED = sa.select(sa.func.count()).select_from(schema.sync_links)
