"""Who may be whom: the directory of the panel's accounts, the cards without one, and what people answer about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters import schema
from kartoteka.adapters.dialects import Engine
from kartoteka.adapters.values import CHUNK, Found, Row, among, by_ids, fit, for_ids, text_of, value_of
from kartoteka.core import normal
from kartoteka.core.concerns import BILLING
from kartoteka.core.model import Candidate, CardHint, IncomingClient, Record, SeenAccount, Value

_ACCOUNT = ("panel_client_id", "login", "external_code", "nip", "email", "modified_at", "guest")
_INCOMING = ("panel_client_id", *BILLING.fields, "seen_at")
_DECISIONS = ("link", "create")

_CARD = schema.clients.c
_LINK = schema.sync_links.c
_SEEN = schema.sync_panel_accounts.c
_MATCH = schema.sync_matches.c
_NEWS = schema.incoming_clients.c

_ACCOUNTS = sa.select(*(_SEEN[name] for name in _ACCOUNT))
_BY_ID = _ACCOUNTS.where(among(_SEEN.panel_client_id))
_BY_HINT = tuple(_ACCOUNTS.where(among(column)) for column in (_SEEN.external_code, _SEEN.nip, _SEEN.email))
_DATED = sa.select(sa.func.count()).where(_SEEN.modified_at.between(sa.bindparam("begin"), sa.bindparam("end")))

# Most accounts may have no code: an index on it would find them all for each page, and sort them. COALESCE forbids it.
_NO_CODE = sa.func.coalesce(_SEEN.external_code, "") == ""
_STRANGERS = (
    _ACCOUNTS.where(
        _SEEN.panel_client_id > sa.bindparam("after"),
        _SEEN.login != "",
        _NO_CODE,
        _SEEN.guest == sa.false(),
        ~sa.exists().where(_LINK.panel_client_id == _SEEN.panel_client_id),
        ~sa.exists().where(_NEWS.panel_client_id == _SEEN.panel_client_id),
    )
    .order_by(_SEEN.panel_client_id)
    .limit(sa.bindparam("count", type_=sa.Integer))
)

_UNLINKED = (
    sa.select(_CARD.id, _CARD.nip, _CARD.email, _CARD.country_code)
    .outerjoin_from(schema.clients, schema.sync_links, _LINK.client_id == _CARD.id)
    .where(_LINK.client_id.is_(None), sa.or_(_CARD.nip.is_not(None), _CARD.email.is_not(None)))
)

_CANDIDATES = (
    sa.select(_MATCH.client_id, _MATCH.panel_client_id, _MATCH.matched_by, _MATCH.decision)
    .where(among(_MATCH.client_id))
    .order_by(_MATCH.client_id, _MATCH.panel_client_id)
)
_CONTENDERS = sa.select(_MATCH.client_id).where(among(_MATCH.panel_client_id)).distinct()

_ANSWERS = (
    sa.select(_NEWS.client_id, _NEWS.panel_client_id).where(among(_NEWS.client_id)).order_by(_NEWS.panel_client_id)
)
_UNLIST = schema.incoming_clients.delete().where(among(_NEWS.panel_client_id), _NEWS.client_id.is_(None))


class Directory:
    """The statements about the panel's accounts and whose they may be, built once for an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._remember = engine.upsert(schema.sync_panel_accounts, (*_ACCOUNT, "seen_at"))
        self._list = engine.upsert(schema.incoming_clients, _INCOMING, {"seen_at": lambda stored, _offered: stored})

    def remember(self, connection: sa.Connection, accounts: Sequence[SeenAccount], at: datetime) -> None:
        """Write these accounts; of one given twice, the last."""
        rows = {account.panel_client_id: _account_row(account, at) for account in accounts}
        self._engine.run(connection, self._remember, list(rows.values()))

    def list_incoming(self, connection: sa.Connection, clients: Sequence[IncomingClient], at: datetime) -> None:
        """Write these customers for the ERP to see; a known row keeps its answer and when it was first seen."""
        rows = {client.panel_client_id: _incoming_row(client, at) for client in clients}
        self._engine.run(connection, self._list, list(rows.values()))


def remembered(connection: sa.Connection, panel_client_ids: Collection[str]) -> dict[str, SeenAccount]:
    """Return the rows of these accounts."""
    return {row[0]: SeenAccount(*row) for row in by_ids(connection, _BY_ID, panel_client_ids)}


def carrying(connection: sa.Connection, *wanted: Collection[str]) -> list[SeenAccount]:
    """Return the accounts with one of these codes, tax numbers or e-mails: three statements; the empty find nothing."""
    found: dict[str, SeenAccount] = {}
    for statement, texts in zip(_BY_HINT, wanted, strict=True):
        rows = by_ids(connection, statement, frozenset(texts) - {""})
        found.update((row[0], SeenAccount(*row)) for row in rows)
    return [found[key] for key in sorted(found)]


def strangers(connection: sa.Connection, after: str, limit: int) -> list[SeenAccount]:
    """Return accounts with a log-in that are nobody's, and of which nobody was told."""
    return [SeenAccount(*row) for row in connection.execute(_STRANGERS, {"after": after, "count": limit})]


def dated(connection: sa.Connection, begin: datetime, end: datetime) -> int:
    """Return how many accounts were last modified in this span, ends included."""
    return connection.scalar(_DATED, {"begin": begin, "end": end}) or 0


def hints(connection: sa.Connection, nips: frozenset[str] | None, emails: frozenset[str] | None) -> Iterator[CardHint]:
    """Yield the cards without an account that have one of these (None: any), reading them a thousand at a time."""
    for row in connection.execute(_UNLINKED, execution_options={"yield_per": CHUNK}):
        hint = _hint(row)
        if _among(hint.nip, nips) or _among(hint.email, emails):
            yield hint


def _among(value: str, wanted: frozenset[str] | None) -> bool:
    return value != "" and (wanted is None or value in wanted)


def candidates(connection: sa.Connection, client_ids: Collection[str]) -> list[Candidate]:
    """Return the rows of ``sync_matches`` of these cards."""
    return [_candidate(row) for row in by_ids(connection, _CANDIDATES, client_ids)]


def contenders(connection: sa.Connection, panel_client_ids: Collection[str]) -> frozenset[str]:
    """Return the cards that have one of these accounts among their candidates."""
    return frozenset(row.client_id for row in by_ids(connection, _CONTENDERS, panel_client_ids))


def answers(connection: sa.Connection, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return which accounts the ERP said are these cards'."""
    found: dict[str, list[str]] = defaultdict(list)
    for client_id, panel_client_id in by_ids(connection, _ANSWERS, client_ids):
        found[client_id].append(panel_client_id)
    return dict(found)


def unlist(connection: sa.Connection, panel_client_ids: Collection[str]) -> None:
    """Take away those of these accounts that the ERP has not answered."""
    for_ids(connection, _UNLIST, panel_client_ids)


def _account_row(account: SeenAccount, at: datetime) -> Row:
    texts = {name: fit(_SEEN[name], getattr(account, name)) for name in _ACCOUNT[:5]}
    return {**texts, "modified_at": account.modified_at, "guest": account.guest, "seen_at": at}


def _incoming_row(client: IncomingClient, at: datetime) -> Row:
    values = {name: _fitted(_NEWS[name], client.values) for name in BILLING.fields}
    return {"panel_client_id": client.panel_client_id, **values, "seen_at": at}


def _fitted(column: sa.Column[Any], values: Record) -> Value:
    """Return a column's value, cut to what it holds."""
    value = values.get(column.name)
    if isinstance(column.type, schema.Flag):
        return schema.Flag.read(value)
    text = text_of(value)
    return None if text is None else fit(column, text)


def _hint(row: Found) -> CardHint:
    client_id, nip, email, country_code = row
    record = {"country_code": value_of(country_code)}
    return CardHint(client_id, normal.tax_number(value_of(nip), record), normal.email(value_of(email), record))


def _candidate(row: Found) -> Candidate:
    """Read what a person wrote; anything but the two answers is no answer."""
    client_id, panel_client_id, matched_by, decision = row
    word = (decision or "").strip().lower()
    return Candidate(client_id, panel_client_id, matched_by or "", word if word in _DECISIONS else "")
