"""Reading all that is known of some owners for one concern: a fixed number of statements, all of one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.columns import UtcDateTime
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.forgotten import Tombstones
from kartoteka.adapters.sql.states import OF_CLIENTS, OF_CLIENTS_AND_ITEMS, OF_GROUPS
from kartoteka.adapters.sql.tables import owner_of, sync_conflicts, sync_exclusions, sync_links
from kartoteka.adapters.sql.values import Found, among, letters, moment_of, value_of
from kartoteka.fields.table import LOGIN, SHOPS_FIELD
from kartoteka.model import NOTHING_KEPT, Conflict, Key, Link, Owner, Record, Side, Value, Values, erased
from kartoteka.ports.exchange import concern_named

_LINK = sync_links.c
_LINKS = sa.select(_LINK.client_id, _LINK.panel_client_id, _LINK.panel_login, _LINK.linked_by, _LINK.former_code).where(
    among(_LINK.client_id)
)
EXCLUDED = sa.select(sync_exclusions.c.client_id, sync_exclusions.c.concern).where(among(sync_exclusions.c.client_id))
"""Selects the exclusions of some clients."""


def excluded_from(rows: Iterable[Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return client -> the concerns that it is excluded from, by rows of :data:`EXCLUDED`."""
    found: dict[str, frozenset[str]] = {}
    for client_id, concern in rows:
        found[client_id] = found.get(client_id, frozenset()) | {concern_named(concern)}
    return found


_CONFLICT = sync_conflicts.c
_CONFLICT_KEY = (_CONFLICT.client_id, _CONFLICT.item_id)
_CONFLICT_COLUMNS = ("id", "field", "erp_value", "panel_value", "base_value", "decision")
_CONFLICTS = (
    sa.select(*_CONFLICT_KEY, *(_CONFLICT[name] for name in _CONFLICT_COLUMNS))
    .where(among(_CONFLICT.client_id), _CONFLICT.concern == sa.bindparam("concern"), _CONFLICT.closed_at.is_(None))
    .order_by(_CONFLICT.id)
)

_AS_THEY_ARE = frozenset((str, bool, type(None)))
_PLAIN = (sa.String, sa.Boolean)
"""Types that are read as they are; all others are read as text, to the letter."""


class RowReader:
    """The statement that reads some columns of a table's rows, those whose ``owner`` is among some ids."""

    def __init__(self, owner: sa.Column[Any], key: sa.Column[Any], columns: Sequence[sa.Column[Any]]) -> None:
        read = (c if isinstance(c.type, _PLAIN) else letters(c).label(c.name) for c in columns)
        whole = sa.select(owner.label("owner_id"), key.label("key_id"), *read).where(key != "")
        self._statement, self._nobodys = whole.where(among(owner)), whole.where(owner.is_(None))
        self._names = [column.name for column in columns]
        self._moments = [column.name for column in columns if isinstance(column.type, UtcDateTime)]

    def read(self, connection: sa.Connection, ids: Collection[str]) -> dict[tuple[str, str | None], Values]:
        """Return (owner, key) -> the columns' values; one without a key is left out. Null stands for no owner.

        A row whose key is no text is told by its owner alone, under the key None: nothing finds it again.
        """
        found = [*connection.execute(self._statement, {"ids": ids}).all()]
        found += connection.execute(self._nobodys) if "" in ids else ()
        return {(r[0] or "", r[1] if isinstance(r[1], str) else None): self._values(r) for r in found}

    def _values(self, row: Found) -> Values:
        """Return a row's values; what is no moment stays as it is, to be refused by name."""
        stored: Sequence[Any] = row[2:]
        if not _AS_THEY_ARE.issuperset(map(type, stored)):  # a few rows of a few ERPs
            stored = [value_of(value) for value in stored]
        values = dict(zip(self._names, stored, strict=True))
        for name in self._moments:
            values[name] = _moment(values[name])
        return values


def _moment(stored: Value) -> Value:
    at = moment_of(stored) if isinstance(stored, str) else None
    return at.isoformat() if at else stored


class Loader:
    """The statements that read the records of one concern, built once."""

    def __init__(self, database: Database, concern: str) -> None:
        erp, dialect = database.erp, database.dialect
        self._concern = concern
        self._dialect = dialect
        self._tombstones = Tombstones(database)
        where = erp.concerns[concern]
        self._own = _rows_of(erp.named(where.table), where.columns)
        self._items = _rows_of(erp.named(where.items), tuple(where.fields)) if where.items else None
        self._groups = _rows_of(erp.named(where.groups)) if where.groups else None
        shop = erp.client_shops.c
        self._shops = sa.select(shop.client_id, shop.shop_id).where(among(shop.client_id)) if where.with_shops else None
        self._of_shops = SHOPS_FIELD in where.fields
        client = erp.clients.c
        self._client_id = client.id if LOGIN in where.columns else None  # who opens accounts tells of odd codes
        apart = where.table != erp.clients.name
        self._clients = sa.select(client.id).where(among(client.id)) if apart else None
        self._states = OF_CLIENTS_AND_ITEMS if where.items else OF_CLIENTS

    def load(self, connection: sa.Connection, owners: Sequence[Owner]) -> list[Record]:
        """Return the owners' own records, each followed by those of its items, in the order of the owners."""
        ids = [owner.client_id for owner in owners if not owner.group_id]
        group_ids = [owner.group_id for owner in owners if owner.group_id]
        found = self._load_clients(connection, ids) if ids else {}
        groups = self._load_groups(connection, group_ids) if group_ids else {}
        return [
            record
            for owner in owners
            for record in (groups[owner.group_id] if owner.group_id else found[owner.client_id])
        ]

    def _load_clients(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[Record]]:
        given = {"ids": ids, "concern": self._concern}
        forgotten = self._tombstones.clients(connection, ids)
        rows = {self._key(client): values for (client, key), values in self._own.read(connection, ids).items() if key}
        clients = {key.client_id for key in rows}
        if self._clients is not None:
            clients = set(connection.scalars(self._clients, given).all())
        if self._shops is not None:
            shops = _shops(connection.execute(self._shops, given).all())
            if self._of_shops:  # also those of a client that is not there
                rows = {self._key(client_id): {} for client_id in shops} | rows
            rows = {key: {**values, SHOPS_FIELD: shops.get(key.client_id, ())} for key, values in rows.items()}
        items_read = self._items.read(connection, ids) if self._items else {}
        rows |= {self._key(owner, key): values for (owner, key), values in items_read.items() if key}
        missing = [client_id for client_id in ids if client_id not in clients]
        odd = frozenset(owner for owner, key in items_read if key is None)
        if missing and self._client_id is not None:
            odd |= self._dialect.odd_keys(connection, self._client_id, missing)
        exclusions = excluded_from(connection.execute(EXCLUDED, given))
        links = {row[0]: Link(*row) for row in connection.execute(_LINKS, given).all()}
        states = self._states.read(connection, [self._concern], ids)
        conflicts: dict[Key, list[Conflict]] = defaultdict(list)
        for client_id, item_id, *rest in connection.execute(_CONFLICTS, given).all():
            conflicts[self._key(client_id, item_id)].append(_conflict(*rest))
        items: dict[str, set[str]] = defaultdict(set)
        for key in chain(rows, states, conflicts):
            if key.item_id and key.client_id not in forgotten:
                items[key.client_id].add(key.item_id)

        def record(client_id: str, item_id: str = "") -> Record:
            key = self._key(client_id, item_id)
            if client_id in forgotten:
                return erased(key, states.get(key), is_there=client_id in clients)
            return Record(
                key,
                erp=rows.get(key),
                link=links.get(client_id),
                state=states.get(key, NOTHING_KEPT),
                conflicts=tuple(conflicts.get(key, ())),
                has_client=client_id in clients,
                odd_key=client_id in odd,
                exclusions=exclusions.get(client_id, frozenset()),
            )

        return {key: [record(key), *(record(key, item) for item in sorted(items.get(key, ())))] for key in ids}

    def _load_groups(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[Record]]:
        rows = self._groups.read(connection, ids) if self._groups else {}
        states = OF_GROUPS.read(connection, [self._concern], ids)
        keys = [Key("", group_id, self._concern) for group_id in ids]
        return {
            key.group_id: [Record(key, erp=rows.get((key.group_id, key.group_id)), state=states.get(key, NOTHING_KEPT))]
            for key in keys
        }

    def _key(self, client_id: str, item_id: str = "") -> Key:
        return Key(client_id, "", self._concern, item_id)


def _rows_of(table: sa.Table, names: Collection[str] | None = None) -> RowReader:
    """Read these columns (None: all but the key) of a table of items, or of one with one row for each owner."""
    (key,) = table.primary_key
    columns = [column for column in table.c if column is not key] if names is None else [table.c[n] for n in names]
    return RowReader(owner_of(table), key, columns)


def _shops(rows: Any) -> Mapping[str, tuple[int, ...]]:
    """Return each client's shops as a field's value; what is no number is no shop."""
    shops: dict[str, set[int]] = defaultdict(set)
    for client_id, shop_id in rows:
        if str(shop_id).isascii() and str(shop_id).isdigit():
            shops[client_id].add(int(shop_id))
    return {client_id: tuple(sorted(some)) for client_id, some in shops.items()}


def _conflict(number: int, field: str, erp: str | None, panel: str | None, base: str | None, answer: Any) -> Conflict:
    """Read what a person wrote; anything but the two answers is no answer."""
    word = str(answer or "").strip().lower()
    return Conflict(number, field, erp, panel, base, Side(word) if word in tuple(Side) else None)
