"""The account index, the clients without an account, and what people answer about whose account is whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.columns import Flag
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import Merge
from kartoteka.adapters.sql.forgotten import DATES, Tombstones
from kartoteka.adapters.sql.tables import sync_forgotten, sync_links, sync_matches, sync_panel_accounts
from kartoteka.adapters.sql.values import (
    CHUNK,
    COUNT,
    Found,
    Row,
    Select,
    among,
    by_ids,
    fit,
    for_ids,
    text_of,
    value_of,
)
from kartoteka.fields.normal import code_key
from kartoteka.fields.table import COUNTRY_FIELD, RECOGNISED_BY, Recognised
from kartoteka.model import Candidate, MatchDecision, Value, Values
from kartoteka.ports.exchange import AccountIndex, ClientHint, IncomingClient, Mark, SeenAccount
from kartoteka.ports.panel import Search, Window

_ACCOUNT = tuple(one.name for one in fields(SeenAccount))

_LINK = sync_links.c
_SEEN = sync_panel_accounts.c
_MATCH = sync_matches.c

_ACCOUNTS = sa.select(*(_SEEN[name] for name in _ACCOUNT))
_BY_ID = _ACCOUNTS.where(among(_SEEN.panel_client_id))
_BY_CODE = _ACCOUNTS.where(among(_SEEN.code_key))
_MARKS = {rule: _SEEN[name] for rule, name in zip(RECOGNISED_BY, Recognised._fields, strict=True)}
_BY_MARK = {rule: _ACCOUNTS.where(among(column)) for rule, column in _MARKS.items()}
_CROWDED = {
    rule: sa.select(column)
    .where(among(column), _SEEN.guest == sa.false())
    .group_by(column)
    .having(sa.func.count() > sa.bindparam("most"))
    for rule, column in _MARKS.items()
}
_DATED = _ACCOUNTS.where(_SEEN.modified_at.is_not(None))
_LATEST = _DATED.order_by(_SEEN.modified_at.desc(), _SEEN.panel_client_id).limit(COUNT)
_OWNERS = sa.select(_LINK.panel_client_id, _LINK.client_id).where(among(_LINK.panel_client_id))

# Most accounts may have no code: an index on it would find them all for each page, and sort them. COALESCE forbids it.
_NO_CODE = sa.func.coalesce(_SEEN.external_code, "") == ""
_STRANGERS = (
    _ACCOUNTS.where(
        _SEEN.panel_client_id > sa.bindparam("after"),
        _SEEN.login != "",
        _NO_CODE,
        _SEEN.guest == sa.false(),
        ~sa.exists().where(_LINK.panel_client_id == _SEEN.panel_client_id),
    )
    .order_by(_SEEN.panel_client_id)
    .limit(COUNT)
)

_CANDIDATES = (
    sa.select(_MATCH.client_id, _MATCH.panel_client_id, _MATCH.matched_by, _MATCH.decision)
    .where(among(_MATCH.client_id))
    .order_by(_MATCH.client_id, _MATCH.panel_client_id)
)
_CONTENDERS = sa.select(_MATCH.client_id).where(among(_MATCH.panel_client_id)).distinct()


_KEPT: Mapping[str, Merge] = {name: lambda stored, _offered: stored for name in ("client", "forgotten_at")}
"""What stays of the tombstone of an account that is seen again."""


class SqlAccountIndex(AccountIndex):
    """The account index of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tombstones = Tombstones(database)
        self._count = database.dialect.upsert(sync_forgotten, ("digest", "client", *DATES, "forgotten_at"), _KEPT)
        self._incoming = incoming = database.erp.incoming_clients
        news = incoming.c
        self._given = [column for column in news if column.name not in ("panel_client_id", "seen_at", "client_id")]
        self._remember = database.dialect.upsert(sync_panel_accounts, (*_ACCOUNT, "code_key", "seen_at"))
        listed = ("panel_client_id", *(column.name for column in self._given), "seen_at")
        self._list = database.dialect.upsert(incoming, listed, {"seen_at": lambda stored, _offered: stored})
        self._unlist = incoming.delete().where(among(news.panel_client_id), sa.func.coalesce(news.client_id, "") == "")
        self._answers = (
            sa.select(news.client_id, news.panel_client_id).where(among(news.client_id)).order_by(news.panel_client_id)
        )
        self._strangers = _STRANGERS.where(~sa.exists().where(news.panel_client_id == _SEEN.panel_client_id))
        self._unlinked = _unlinked(database.erp.clients)

    def recognised(self, values: Values) -> Recognised:
        return self._database.digest.recognised(values)

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        if accounts:
            given = {account.panel_client_id: account for account in accounts}
            with self._database.writing() as connection:
                dead = self._tombstones.carrying(connection, given.values())
                rows = [_account_row(account, at) for key, account in given.items() if key not in dead]
                self._database.run(connection, self._remember, rows)
                digest = self._database.digest.account
                seen = ({"digest": digest(k), "client": c, **_dates(given[k], at)} for k, c in dead.items())
                self._database.run(connection, self._count, seen)

    def known(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        with self._database.reading() as connection:
            return {row[0]: SeenAccount(*row) for row in by_ids(connection, _BY_ID, panel_client_ids)}

    def find(self, external_codes: Collection[str], marks: Collection[Mark]) -> Sequence[SeenAccount]:
        """Ask one statement for each kind of key; an empty one finds nothing. The accounts come by id."""
        keys = frozenset(code_key(code) for code in external_codes) - {""}
        asked = [(_BY_CODE, keys), *((_BY_MARK[rule], values) for rule, values in _by_rule(marks).items())]
        with self._database.reading() as connection:
            rows = [row for statement, texts in asked for row in by_ids(connection, statement, texts)]
        found = {row[0]: SeenAccount(*row) for row in rows}
        return [found[key] for key in sorted(found)]

    def crowded(self, marks: Collection[Mark], most: int) -> frozenset[Mark]:
        """Count in the index of each kind of key: a value that half of all accounts have is counted once a run."""
        with self._database.reading() as connection:
            return frozenset(
                (rule, row[0])
                for rule, values in _by_rule(marks).items()
                for row in by_ids(connection, _CROWDED[rule], values, most=most)
            )

    def count_seen(self, search: Search, since: datetime | None) -> int:
        """Those of erased clients are counted too, as the panel does: of each that is known, its dates are."""
        with self._database.reading() as connection:
            return sum(
                connection.scalar(_counted(table, search, since)) or 0
                for table in (sync_panel_accounts, sync_forgotten)
            )

    def latest(self, limit: int) -> Sequence[SeenAccount]:
        with self._database.reading() as connection:
            return [SeenAccount(*row) for row in connection.execute(_LATEST, {"count": limit})]

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in by_ids(connection, _OWNERS, panel_client_ids)}

    def hints(self) -> Sequence[ClientHint]:
        with self._database.reading() as connection:
            rows = connection.execute(self._unlinked, execution_options={"yield_per": CHUNK})
            found = [hint for row in rows if isinstance(row[0], str) and (hint := self._hint(row)).marks]
            dead = self._tombstones.clients(connection, [hint.client_id for hint in found])
        found = [hint for hint in found if hint.client_id not in dead]
        return sorted(found, key=lambda hint: hint.client_id)

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        with self._database.reading() as connection:
            return [_candidate(row) for row in by_ids(connection, _CANDIDATES, client_ids)]

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(row[0] for row in by_ids(connection, _CONTENDERS, panel_client_ids))

    def answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        with self._database.reading() as connection:
            for client_id, panel_client_id in by_ids(connection, self._answers, frozenset(client_ids) - {""}):
                found[client_id].append(panel_client_id)
        return dict(found)

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        with self._database.reading() as connection:
            rows = connection.execute(self._strangers, {"after": after, "count": limit})
            return [SeenAccount(*row) for row in rows]

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        if clients:
            rows = {client.panel_client_id: self._incoming_row(client, at) for client in clients}
            with self._database.writing() as connection:
                dead = self._tombstones.accounts(connection, rows)
                self._database.run(connection, self._list, (row for key, row in rows.items() if key not in dead))

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        if panel_client_ids:
            with self._database.writing() as connection:
                for_ids(connection, self._unlist, panel_client_ids)

    def _hint(self, row: Found) -> ClientHint:
        client_id, *stored = row
        given = dict(zip((*RECOGNISED_BY, COUNTRY_FIELD), map(value_of, stored), strict=True))
        return ClientHint(client_id, *self.recognised(given))

    def _incoming_row(self, client: IncomingClient, at: datetime) -> Row:
        values = {column.name: _fitted(column, client.values) for column in self._given}
        return {"panel_client_id": client.panel_client_id, **values, "seen_at": at}


def _counted(table: sa.Table, search: Search, since: datetime | None) -> Select:
    statement = sa.select(sa.func.count()).select_from(table).where(table.c.seen_at.is_not(None))
    if isinstance(search, Window):
        statement = statement.where(table.c.modified_at.between(search.begin, search.end))
    elif search is not None:
        statement = statement.where(table.c.registered.between(search.first, search.last))
    return statement if since is None else statement.where(table.c.seen_at >= since)


def _dates(account: SeenAccount, at: datetime) -> Row:
    return {"modified_at": account.modified_at, "registered": account.registered, "seen_at": at, "forgotten_at": at}


def _unlinked(clients: sa.Table) -> Select:
    """Select the clients without an account, by what they are recognised."""
    client = clients.c
    known_by = [client[name] for name in RECOGNISED_BY]
    return (
        sa.select(client.id, *known_by, client[COUNTRY_FIELD])
        .outerjoin_from(clients, sync_links, _LINK.client_id == client.id)
        .where(_LINK.client_id.is_(None), sa.or_(*(column.is_not(None) for column in known_by)))
    )


def _by_rule(marks: Collection[Mark]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for rule, value in marks:
        if value:
            found[rule].add(value)
    return found


def _account_row(account: SeenAccount, at: datetime) -> Row:
    row: Row = {name: getattr(account, name) for name in _ACCOUNT}
    row["code_key"] = code_key(account.external_code)
    texts = {name: fit(_SEEN[name], value) for name, value in row.items() if isinstance(value, str)}
    return {**row, **texts, "seen_at": at}


def _fitted(column: sa.Column[Any], values: Values) -> Value:
    """Return a column's value, cut to what it holds."""
    value = values.get(column.name)
    if isinstance(column.type, Flag):
        found = Flag.read(value)
        return found if isinstance(found, bool) else None
    text = text_of(value)
    return None if text is None else fit(column, text)


def _candidate(row: Found) -> Candidate:
    client_id, panel_client_id, matched_by, decision = row
    return Candidate(client_id, panel_client_id, matched_by or "", MatchDecision.read(decision))
