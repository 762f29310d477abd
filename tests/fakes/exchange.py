"""The exchange database in memory, and beside its ports the hands of an ERP: they edit its rows and answer in ours.

Fast, since the engine's state machines run on it. It passes the same contract suite as the real adapter.
"""

from __future__ import annotations

import copy
import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sortedcontainers import SortedDict

from kartoteka import codes
from kartoteka.codes import State, Status
from kartoteka.errors import KartotekaError
from kartoteka.fields.digest import Digest
from kartoteka.fields.normal import code_key
from kartoteka.fields.table import (
    BILLING,
    CLIENT_FIELDS,
    CODE,
    CONCERNS,
    CREDIT_COLUMNS,
    DELIVERY_ADDRESSES,
    GROUP_FIELD,
    GROUP_FIELDS,
    ITEM_COLUMNS,
    LOGIN,
    SHOPS_FIELD,
    Column,
    Fields,
    Recognised,
)
from kartoteka.fields.values import as_text
from kartoteka.model import (
    FIRST,
    FORGOTTEN,
    NOTHING,
    Candidate,
    Change,
    Conflict,
    ConflictNote,
    Deferral,
    Direction,
    Ended,
    Forms,
    Intent,
    Key,
    Link,
    MatchDecision,
    Owner,
    PlanRow,
    Reason,
    Record,
    RecordState,
    Side,
    Value,
    Values,
    Written,
    erased,
    with_erp_forms,
    word_of,
)
from kartoteka.ports.exchange import (
    EXCLUSIONS,
    NOT_WRITTEN,
    Chosen,
    ClientHint,
    Exchange,
    Former,
    GroupItem,
    IncomingClient,
    LogEntry,
    Mark,
    Past,
    PlanChange,
    PriceKey,
    Renamed,
    Saved,
    SeenAccount,
    SentPrice,
    Span,
    Tombstone,
    Unlogged,
    Which,
    concern_named,
)
from kartoteka.ports.ownership import Holder, refusal
from kartoteka.ports.panel import Search, Window
from local.panel import backups
from tests.fakes.stored import (
    StoredConflict,
    StoredHistory,
    StoredIncoming,
    StoredMatch,
    StoredPrice,
    StoredTombstone,
)

DIGEST = Digest("a key of the tests")
NEVER = datetime.min.replace(tzinfo=UTC)

Odd = Value | datetime
"""What an ERP may write into a column: figures as text, moments as such or as its own text."""

Row = dict[str, Odd]
"""A row of the ERP's beside its key."""

SentKey = tuple[str, str, str]
"""Group, kind of item, item: the key of ``sync_prices`` and of ``discount_group_items``."""

RowKey = str | SentKey
"""The key of a row of the ERP's."""


def _defaults(columns: Fields) -> Row:
    return {name: column.default for name, column in columns.items()}


_NEW: Mapping[str, Mapping[str, Odd]] = {
    "clients": {LOGIN: None, **_defaults(CLIENT_FIELDS)},
    "delivery_addresses": {"client_id": None, **_defaults(DELIVERY_ADDRESSES)},
    "client_credit": _defaults(CREDIT_COLUMNS),
    "discount_groups": _defaults(GROUP_FIELDS),
    "discount_group_items": _defaults(ITEM_COLUMNS),
}
"""The ERP's table -> its columns beside the key, with their defaults."""

_DATES = tuple(name for name, column in ITEM_COLUMNS.items() if column.kind.column is Column.MOMENT)
_MOMENTS = {name for name, column in CREDIT_COLUMNS.items() if column.kind.column is Column.MOMENT}


@dataclass
class ErpTransaction:
    """A transaction of the ERP: it takes its numbers of the log at once, and shows nothing until it is committed."""

    _exchange: FakeExchange
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def insert_client(self, client_id: str, **values: Value) -> int:
        """Insert a client; return the number its log entry will have."""
        return self._take("I", client_id, values)

    def update_client(self, client_id: str, **values: Value) -> int:
        """Update a client; return the number its log entry will have."""
        return self._take("U", client_id, values)

    def commit(self) -> None:
        """Let everybody see what was done."""
        for action in self._waiting:
            action()
        self._waiting.clear()

    def rollback(self) -> None:
        """Undo what was done; its numbers are never used again."""
        self._waiting.clear()

    def _take(self, operation: str, client_id: str, values: Values) -> int:
        seq = self._exchange.next_seq()
        self._waiting.append(lambda: self._exchange.change("clients", operation, client_id, values, seq))
        return seq


_T = TypeVar("_T")


class Part(MutableMapping[Key, _T]):
    """One attribute of the record states by key; a state that has none is not in it."""

    def __init__(self, states: dict[Key, RecordState], name: str) -> None:
        self._states = states
        self._name = name

    def __getitem__(self, key: Key) -> _T:
        part: _T | None = getattr(self._states[key], self._name)
        if part is None:
            raise KeyError(key)
        return part

    def __setitem__(self, key: Key, part: _T) -> None:
        self._put(key, part)

    def __delitem__(self, key: Key) -> None:
        self._put(key, None)

    def __iter__(self) -> Iterator[Key]:
        return iter([key for key, state in self._states.items() if getattr(state, self._name) is not None])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _put(self, key: Key, part: _T | None) -> None:
        changed: dict[str, Any] = {self._name: part}
        put_state(self._states, key, replace(self._states.get(key, RecordState()), **changed))


def put_state(states: dict[Key, RecordState], key: Key, state: RecordState) -> None:
    """Keep a record's state; one that says nothing is not kept."""
    states[key] = state
    if state == RecordState():
        del states[key]


KEPT = (
    *("clients", "addresses", "shops", "credit", "groups", "items", "incoming", "matches", "excluded", "links"),
    *("states", "since", "conflicts", "history", "accounts", "seen_at", "sent", "stops", "causes", "paused_at"),
    *("planned", "tombstones", "entries", "logged_at", "_last_seq", "holder"),
)
"""What a backup of the database holds."""


class FakeExchange:
    """The exchange tables in dictionaries, the ports as a tool has them, and the hands of the ERP and of tests.

    ``clients``, ``addresses``, ``credit``, ``groups`` and ``items`` are the ERP's rows by key (``client_id`` is a
    column of an address), ``shops`` the ids in ``client_shops`` by client. ``states`` is what is kept of each record;
    ``bases``, ``intents``, ``deferrals`` and ``statuses`` are its parts. ``since`` are a status's moments: since when,
    and when last in step. ``sent`` are the prices that were sent, ``entries`` the rows of ``change_log``.
    ``planned`` are the rows of ``sync_plan``, by id.
    ``before_save`` is called between a worker's reading and its save. ``trigger`` is the ERP's own: it is called after
    each write of one of the ERP's rows, ours or anybody's, with table, operation and key; what it writes itself fires
    no trigger. ``unlogged`` are the tables whose triggers are missing or disabled; ``no_triggers`` is what making them
    fails with.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clients: dict[str, Row] = {}
        self.addresses: dict[str, Row] = {}
        self.shops: dict[str, set[int]] = {}
        self.credit: dict[str, Row] = {}
        self.groups: dict[str, Row] = {}
        self.items: dict[SentKey, Row] = SortedDict()
        self.tables: Mapping[str, dict[Any, Row]] = {
            "clients": self.clients,
            "delivery_addresses": self.addresses,
            "client_credit": self.credit,
            "discount_groups": self.groups,
            "discount_group_items": self.items,
        }
        self.incoming: dict[str, StoredIncoming] = {}
        self.matches: dict[tuple[str, str], StoredMatch] = {}
        self.excluded: dict[tuple[str, str], str | None] = {}
        self.links: dict[str, Link] = {}
        self.states: dict[Key, RecordState] = {}
        self.bases: Part[Forms] = Part(self.states, "base")
        self.intents: Part[Intent] = Part(self.states, "intent")
        self.deferrals: Part[Deferral] = Part(self.states, "deferral")
        self.statuses: Part[Status] = Part(self.states, "status")
        self.since: dict[Key, tuple[datetime, datetime | None]] = {}
        self.history: list[StoredHistory] = []
        self.conflicts: list[StoredConflict] = []
        self.accounts: dict[str, SeenAccount] = {}
        self.seen_at: defaultdict[str, datetime] = defaultdict(lambda: NEVER)
        self.sent: dict[SentKey, StoredPrice] = SortedDict()
        self.stops: dict[str, tuple[str, datetime | None]] = {}
        self.causes: dict[str, str] = {}
        self.paused_at: dict[str, datetime] = {}
        self.planned: dict[int, PlanRow] = {}
        self.tombstones: dict[str, StoredTombstone] = {}
        self.plan_ids = itertools.count(1)
        self.entries: dict[int, LogEntry] = {}
        self.logged_at: dict[int, datetime] = {}
        self.before_save: Callable[[], None] | None = None
        self.trigger: Callable[[str, str, RowKey], None] | None = None
        self.unlogged: dict[str, Unlogged] = {}
        self.no_triggers: KartotekaError | None = None
        self.refusals: dict[tuple[str, str], str] = {}
        self.disliked: dict[tuple[str, Value], str] = {}
        self.holder: Holder | None = None
        self.now = clock
        self._last_seq = 0
        self._failures: list[KartotekaError] = []
        self._asked: dict[str, Exchange] = {}
        self.log = FakeLog(self)
        self.records = FakeRecords(self)
        self.index = FakeIndex(self)
        self.prices = FakePrices(self)
        self.figures = FakeFigures(self)
        self.pauses = FakePauses(self)
        self.plans = FakePlans(self)
        self.forgotten = FakeForgotten(self)

    @property
    def ports(self) -> Exchange:
        """The nine ports as a tool has them."""
        return self.asked_by("")

    def asked_by(self, installation: str) -> Exchange:
        """The nine ports as the engine of an installation takes them."""
        if installation not in self._asked:
            self._asked[installation] = Exchange(*(port(self, installation) for port in PORTS))
        return self._asked[installation]

    def backup(self) -> backups.Backup:
        """Return what the database holds, to be restored some day."""
        return backups.made(self, KEPT)

    def restore(self, backup: backups.Backup) -> None:
        """Put back what the database held, into the tables that there are: others hold them, too."""
        for name, held in copy.deepcopy(backup).items():
            there = getattr(self, name)
            if isinstance(there, list):
                there[:] = held
            elif isinstance(there, dict):
                there.clear()
                there.update(held)
            else:
                setattr(self, name, held)

    # --- the hands of the ERP

    def insert_client(self, client_id: str, **values: Value) -> None:
        """Insert a client as an ERP would; columns not given have their defaults."""
        self.change("clients", "I", client_id, values)

    def update_client(self, client_id: str, **values: Value) -> None:
        """Update columns of a client as an ERP would; one that is not there stays away."""
        self.change("clients", "U", client_id, values)

    def delete_client(self, client_id: str) -> None:
        """Delete a client as an ERP would."""
        self.change("clients", "D", client_id)

    def status_times(self, client_id: str, concern: str) -> tuple[Any, Any]:
        """Return since when a client's record is in its state, and when it was last in step."""
        return self.since[Key(client_id, "", concern)]

    def rename_client(self, old: str, new: str) -> None:
        """Change a client's key as an ERP would."""
        row = self.clients[old]
        self.change("clients", "D", old)
        self.change("clients", "I", new, row)

    def refill(self) -> None:
        """Delete all clients and insert them again as they were, in one transaction, as some ERPs do each night."""
        for operation in ("D", "I"):
            for client_id in self.clients:
                self.note("clients", operation, Owner(client_id), client_id)

    def insert_address(self, address_id: str, client_id: str | None, **values: Value) -> None:
        """Insert a delivery address as an ERP would; columns not given have their defaults."""
        self.change("delivery_addresses", "I", address_id, {**values, "client_id": client_id})

    def update_address(self, address_id: str, **values: Value) -> None:
        """Update columns of an address, ``client_id`` perhaps among them; one that is not there stays away."""
        self.change("delivery_addresses", "U", address_id, values)

    def delete_address(self, address_id: str) -> None:
        """Delete an address as an ERP would."""
        self.change("delivery_addresses", "D", address_id)

    def set_shops(self, client_id: str, *shop_ids: int) -> None:
        """Let these be the client's rows of ``client_shops``: rows that are too many go, missing ones come."""
        before, after = self.shops.get(client_id, set()), set(shop_ids)
        for operation, ids in (("D", before - after), ("I", after - before)):
            for shop_id in sorted(ids):
                self.note("client_shops", operation, Owner(client_id), str(shop_id))
        self.shops[client_id] = after

    def set_credit(self, client_id: str, **values: Odd) -> None:
        """Insert a client's row of ``client_credit``, or update these columns of it."""
        self._set("client_credit", client_id, values)

    def delete_credit(self, client_id: str) -> None:
        """Delete a client's row of ``client_credit``."""
        self.change("client_credit", "D", client_id)

    def set_group(self, group_id: str, name: str | None) -> None:
        """Insert a discount group, or rename it."""
        self._set("discount_groups", group_id, {"name": name})

    def delete_group(self, group_id: str) -> None:
        """Delete a discount group's row; its items stay."""
        self.change("discount_groups", "D", group_id)

    def set_item(self, group_id: str, item_type: str, item_id: str, **values: Odd) -> None:
        """Insert a row of ``discount_group_items``, or update these columns of it."""
        self._set("discount_group_items", (group_id, item_type, item_id), values)

    def delete_item(self, group_id: str, item_type: str, item_id: str) -> None:
        """Delete a row of ``discount_group_items``."""
        self.change("discount_group_items", "D", (group_id, item_type, item_id))

    def answer_incoming(self, panel_client_id: str, client_id: str | None) -> None:
        """Say whose account this is, as an ERP would: one UPDATE of ``client_id``; a row that is gone stays away."""
        row = self.incoming.get(panel_client_id)
        if row is None:
            return
        self.incoming[panel_client_id] = replace(row, client_id=client_id)
        self.note("incoming_clients", "U", Owner(client_id or ""), panel_client_id)
        if row.client_id is not None and row.client_id != client_id:
            self.note("incoming_clients", "U", Owner(row.client_id), panel_client_id)

    def decide_match(self, client_id: str, panel_client_id: str, decision: str | None) -> None:
        """Answer a candidate as a person would: one UPDATE of ``decision``; a row that is gone stays away."""
        row = self.matches.get((client_id, panel_client_id))
        if row is not None:
            self.matches[client_id, panel_client_id] = replace(row, decision=decision)
            self.note("sync_matches", "U", Owner(client_id), panel_client_id)

    def decide(self, conflict_id: int, decision: str) -> None:
        """Answer a conflict as a person would: one UPDATE of ``decision``."""
        self.put_conflict(replace(self.conflicts[conflict_id - 1], decision=decision), answers=True)

    def decide_status(
        self, client_id: str, concern: str, decision: str | None, item_id: str = "", group_id: str = ""
    ) -> None:
        """Answer a status as a person would: one UPDATE of ``decision``; a row that is gone stays away."""
        key = Key(client_id, group_id, concern, item_id)
        if key in self.statuses:
            self.states[key] = replace(self.states[key], decision=decision or "")
            self.note("sync_status", "U", key.owner, f"{concern}:{item_id}")

    def decision(self, client_id: str, concern: str, item_id: str = "", group_id: str = "") -> str | None:
        """Return what stands in a status's ``decision``."""
        return self.states.get(Key(client_id, group_id, concern, item_id), RecordState()).decision or None

    def decide_plan(self, row_id: int, decision: str | None) -> None:
        """Answer a row of the plan as a person would: one UPDATE of ``decision``; a row that is gone stays away."""
        row = self.planned.get(row_id)
        if row is not None:
            self.planned[row_id] = replace(row, decision=decision or "")
            self.note("sync_plan", "U", row.line.key.owner, str(row_id))

    def exclude(self, client_id: str, concern: str, reason: str | None = None) -> None:
        """Insert a row of ``sync_exclusions``, or give it another reason."""
        operation = "U" if (client_id, concern) in self.excluded else "I"
        self.excluded[client_id, concern] = reason
        self.note(EXCLUSIONS, operation, Owner(client_id), concern)

    def include(self, client_id: str, concern: str) -> None:
        """Delete a row of ``sync_exclusions``; one that is not there stays away."""
        if (client_id, concern) in self.excluded:
            del self.excluded[client_id, concern]
            self.note(EXCLUSIONS, "D", Owner(client_id), concern)

    def transaction(self) -> ErpTransaction:
        """Begin a transaction of the ERP that commits later."""
        return ErpTransaction(self)

    def refuse(self, client_id: str, reason: str | None = "refused") -> None:
        """Let the ERP's own check refuse every edit of this client's row; None: no more."""
        self._refuse("clients", client_id, reason)

    def refuse_value(self, column: str, value: Value, reason: str = "refused") -> None:
        """Let the ERP's own check refuse this value in a column of its clients and addresses."""
        self.disliked[column, value] = reason

    def rewrite(self, column: str, value: Value) -> None:
        """Let the ERP's own trigger write this value into a column after each update of a client's row."""

        def trigger(table: str, operation: str, key: RowKey) -> None:
            if (table, operation) == ("clients", "U") and self.clients[str(key)][column] != value:
                self.update_client(str(key), **{column: value})

        self.trigger = trigger

    def refuse_address(self, address_id: str, reason: str | None = "refused") -> None:
        """Let the ERP's own check refuse to insert, edit or delete this address; None: no more."""
        self._refuse("delivery_addresses", address_id, reason)

    def fail(self, *errors: KartotekaError) -> None:
        """Raise these, one from each of the next calls of a port, before any effect."""
        self._failures.extend(errors)

    def drop_triggers(self, table: str) -> None:
        """Drop our triggers of a table, as a table does that was swapped."""
        self.unlogged[table] = Unlogged.MISSING

    def disable_triggers(self, table: str) -> None:
        """Disable our triggers of a table, as a bulk load does."""
        self.unlogged[table] = Unlogged.DISABLED

    def enable_triggers(self, table: str) -> None:
        """Enable them again."""
        self.unlogged.pop(table, None)

    # --- what tests look at

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        return client_id in self.clients

    def client(self, client_id: str) -> Row | None:
        """Return a client's columns, None where there is no such client."""
        return self.clients.get(client_id)

    def address(self, address_id: str) -> Row | None:
        """Return an address's columns, None where there is no such address."""
        return self.addresses.get(address_id)

    def open_conflict_ids(self) -> list[int]:
        """Return the ids of the conflicts that are not closed."""
        return [conflict.id for conflict in self.conflicts if conflict.closed_at is None]

    def status(self, client_id: str, concern: str, item_id: str = "", group_id: str = "") -> Status | None:
        """Return a record's status."""
        return self.statuses.get(Key(client_id, group_id, concern, item_id))

    def log_head(self) -> int:
        """Return the number of the last entry of the log, 0 where it is empty."""
        return max(self.entries, default=0)

    # --- what the ports are made of

    def begin(self) -> None:
        """Raise what the next call is to fail with."""
        if self._failures:
            raise self._failures.pop(0)

    def next_seq(self) -> int:
        """Take the next number of the log, as an identity column does: before anything is visible."""
        self._last_seq += 1
        return self._last_seq

    def note(self, table: str, operation: str, owner: Owner, row_id: str, seq: int | None = None) -> None:
        """Write an entry of the log, as a trigger does that is there."""
        if table in self.unlogged:
            return
        number = self.next_seq() if seq is None else seq
        self.logged_at[number] = self.now()
        self.entries[number] = LogEntry(number, table, *owner, row_id, operation)

    def change(
        self,
        table: str,
        operation: str,
        key: RowKey,
        values: Mapping[str, Odd] = NOTHING,
        seq: int | None = None,
    ) -> None:
        """Change a row of the ERP's and log it for whom it belonged to, and belongs to now."""
        rows, columns = self.tables[table], _NEW[table]
        assert values.keys() <= columns.keys(), values
        before = rows.get(key)
        assert operation != "I" or before is None, key
        if operation != "I" and before is None:
            return
        owners = [("D", _owner(table, key, before))] if before is not None else []
        if operation == "D":
            del rows[key]
        else:
            rows[key] = {**columns, **(before or {}), **values}
            owners.append(("I", _owner(table, key, rows[key])))
        if len({owner for _, owner in owners}) == 1:
            owners = [(operation, owners[0][1])]
        for letter, owner in owners:
            self.note(table, letter, owner, key if isinstance(key, str) else ":".join(key[1:]), seq)
        if trigger := self.trigger:
            self.trigger = None
            trigger(table, operation, key)
            self.trigger = trigger

    def put_conflict(self, conflict: StoredConflict, *, answers: bool) -> None:
        """Store a conflict; its id is its place. ``answers``: its decision is written, by whomever, so it is logged."""
        self.conflicts[conflict.id - 1 : conflict.id] = [conflict]
        if answers:
            self.note("sync_conflicts", "U", Owner(conflict.client_id), str(conflict.id))

    def _set(self, table: str, key: RowKey, values: Mapping[str, Odd]) -> None:
        self.change(table, "U" if key in self.tables[table] else "I", key, values)

    def _refuse(self, table: str, key: str, reason: str | None) -> None:
        self.refusals.pop((table, key), None)
        if reason is not None:
            self.refusals[table, key] = reason


class _Port:
    """A port over the tables of one fake, as one installation asks (empty: a tool)."""

    def __init__(self, exchange: FakeExchange, installation: str = "") -> None:
        self._exchange = exchange
        self._installation = installation

    @property
    def _db(self) -> FakeExchange:
        """The tables, for one call, which may be one that is to fail."""
        self._exchange.begin()
        return self._exchange

    @property
    def _own(self) -> FakeExchange:
        """The tables, for one call that writes: a database that is nobody's becomes this installation's."""
        db = self._db
        if self._installation:
            db.holder = db.holder or Holder(self._installation, db.now())
            if db.holder.installation != self._installation:
                raise refusal(db.holder)
        return db


class FakeOwnership(_Port):
    """Whose the tables are."""

    @property
    def installation(self) -> str:
        return self._installation

    def holder(self) -> Holder | None:
        return self._exchange.holder

    def hold(self) -> Holder | None:
        db = self._exchange
        if db.holder is None and self._installation:
            db.holder = Holder(self._installation, db.now())
        return db.holder

    def take_over(self, *, at: datetime) -> Holder:
        db = self._exchange
        if db.holder is None:
            db.holder = Holder(self._installation, db.now())
        elif db.holder.installation != self._installation:
            db.holder = Holder(self._installation, at, db.holder.installation)
        return db.holder

    def give_back(self) -> bool:
        db = self._exchange
        own = db.holder is not None and db.holder.installation == self._installation
        db.holder = None if own else db.holder
        return own


class FakeLog(_Port):
    """``change_log``."""

    def mark(self, seq: int) -> str | None:
        db = self._db
        entry = db.entries.get(seq)
        return f"{db.logged_at[seq]} {entry.table_name} {entry.operation}" if entry else None

    def read(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        db = self._db
        present = sorted(db.entries)
        within = {seq for seq in present if any(first <= seq <= last for first, last in spans)}
        newer = itertools.islice((seq for seq in present if seq > after), limit)
        return [db.entries[seq] for seq in sorted({*within, *newer})]

    def prune(self, before: datetime) -> None:
        db = self._own
        newest = db.log_head()
        db.entries = {n: entry for n, entry in db.entries.items() if n == newest or db.logged_at[n] >= before}

    def unlogged(self) -> Mapping[str, Unlogged]:
        return dict(self._db.unlogged)

    def recreate_triggers(self) -> None:
        db = self._own
        missing = [table for table, why in db.unlogged.items() if why is Unlogged.MISSING]
        if missing and db.no_triggers:
            raise db.no_triggers
        for table in missing:
            del db.unlogged[table]


def _excluded(db: FakeExchange) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for client_id, concern in db.excluded:
        found[client_id].add(concern_named(concern))
    return found


class FakeRecords(_Port):
    """Records of every concern."""

    def load(self, concern: str, owners: Collection[Owner]) -> Sequence[Record]:
        db = self._db
        excluded = _excluded(db)
        conflicts: dict[Key, list[Conflict]] = defaultdict(list)
        for stored in db.conflicts:
            if stored.concern == concern and stored.closed_at is None:
                conflicts[Key(stored.client_id, "", concern, stored.item_id)].append(_shown(stored))
        items: dict[Owner, set[str]] = defaultdict(set)
        if CONCERNS[concern].items:
            for item_id, row in db.tables[CONCERNS[concern].items].items():
                items[Owner(str(row["client_id"] or ""))].add(item_id)
            for key in (*db.states, *conflicts):
                if key.concern == concern and not key.group_id:
                    items[key.owner].add(key.item_id)
        dead = erased_among(db, {owner.client_id for owner in owners})
        return [
            erased(key, db.states.get(key), is_there=owner.client_id in db.clients)
            if owner.client_id in dead
            else Record(
                key,
                erp=_erp(db, key),
                link=db.links.get(key.client_id),
                state=db.states.get(key, RecordState()),
                conflicts=tuple(conflicts.get(key, ())),
                has_client=bool(owner.group_id) or owner.client_id in db.clients,
                exclusions=frozenset(excluded.get(owner.client_id, ())),
            )
            for owner in dict.fromkeys(owners)
            for key in (Key(*owner, concern, item_id) for item_id in ("", *sorted(items[owner] - {""})))
            if not key.item_id or owner.client_id not in dead
        ]

    def states(self, concerns: Collection[str], owners: Collection[Owner]) -> Mapping[Key, RecordState]:
        db = self._db
        keys = (Key(*owner, concern) for owner in owners for concern in concerns)
        return {key: db.states[key] for key in keys if key in db.states}

    def save(self, changes: Sequence[Change], *, run_id: str, at: datetime, unless_changed: bool = False) -> Saved:
        db = self._own if any(changes) else self._db
        if unless_changed:
            changes = [c for c in changes if db.states.get(c.record.key, RecordState()) == c.record.state]
        if changes and db.before_save:
            db.before_save()
        storable = _storable(db, changes)
        again = {c.record.key for c in changes} - {c.record.key for c in storable}
        changes = storable
        again |= {c.record.key for c in changes if c.record.link and not c.link and _has_moved(db, c.record)}
        changes = [c for c in changes if c.record.key not in again]
        refused: dict[Key, str] = {}
        columns: dict[Key, Mapping[str, str]] = {}
        if late := _linked_elsewhere(db, changes):
            linking = [c for c in changes if c.link and c.link.client_id in late]
            again |= {c.record.key for c in linking}
            others = [c for c in changes if c.record.key.client_id not in late]
            changes = [*others, *(c.otherwise for c in linking if c.otherwise)]
        for change in sorted((c for c in changes if c.row), key=lambda c: c.row is None or c.row.delete is None):
            why = _write_row(db, change)
            if why == "":
                again.add(change.record.key)
            elif why is not None:
                refused[change.record.key] = why
                if disliked := _disliked(db, change):
                    columns[change.record.key] = disliked
        for change in changes:
            failed = change.row and (change.record.key in again or change.record.key in refused)
            if stored := change.otherwise if failed else _with_forms(db, change):
                _store(db, stored, run_id, at)
        return Saved(frozenset(again), refused, columns)

    def exclusions(self, client_ids: Collection[str]) -> Mapping[str, Collection[str]]:
        wanted = frozenset(client_ids)
        return {key: concerns for key, concerns in _excluded(self._db).items() if key in wanted}

    def unknown_exclusions(self) -> Sequence[tuple[str, str]]:
        return [key for key in self._db.excluded if concern_named(key[1]) not in CONCERNS]

    def rename(self, client_id: str, new_id: str) -> Renamed:  # noqa: C901, PLR0912 - a table after the other
        db, old, new = self._own, client_id, new_id
        if erased_among(db, [old]):
            return Renamed.ERASED
        if erased_among(db, [new]):
            return Renamed.TO_ERASED
        if old not in db.links or old == new:
            return Renamed.UNKNOWN
        if old in db.clients:
            return Renamed.STANDS
        if new in db.links:
            return Renamed.LINKED
        if any(key.client_id == new for key in db.intents):
            return Renamed.OPENING
        for key in [key for key in db.states if key.client_id == new]:
            del db.states[key]
        for key in [key for key in db.states if key.client_id == old]:
            db.states[key._replace(client_id=new)] = db.states.pop(key)
            if key in db.since:
                db.since[key._replace(client_id=new)] = db.since.pop(key)
        db.history[:] = [replace(h, client_id=new) if h.client_id == old else h for h in db.history]
        db.conflicts[:] = [replace(c, client_id=new) if c.client_id == old else c for c in db.conflicts]
        for match in [match for match in db.matches if match[0] in (old, new)]:
            del db.matches[match]
        for number, row in list(db.planned.items()):
            if row.line.key.client_id in (old, new) and row.outcome is None:
                del db.planned[number]
            elif row.line.key.client_id == old:
                key = row.line.key._replace(client_id=new)
                db.planned[number] = replace(row, line=replace(row.line, key=key))
        for account, row_ in list(db.incoming.items()):
            if row_.client_id == old:
                db.answer_incoming(account, new)
        for client, concern in [each for each in db.excluded if each[0] == old]:
            reason = db.excluded[client, concern]
            db.include(client, concern)
            if (new, concern) not in db.excluded:
                db.exclude(new, concern, reason)
        link = db.links.pop(old)
        db.links[new] = replace(link, client_id=new, former_code=link.former_code or old)
        if new in db.clients:
            db.note("clients", "U", Owner(new), new)
        return Renamed.DONE

    def said(self, concern: str, code: str) -> Mapping[Key, RecordState]:
        told = (key for key, status in self._db.statuses.items() if status.code == code)
        return {key: self._db.states[key] for key in told if key.concern == concern and key.client_id}

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        return sorted(client_id for client_id in self._db.clients if client_id > after)[:limit]

    def existing(self, client_ids: Collection[str]) -> frozenset[str]:
        return frozenset(client_ids) & self._db.clients.keys()

    def untouched(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        db = self._db
        kept = {k.client_id for k, state in db.states.items() if k.concern == concern and state != RecordState()}
        return self.existing(client_ids) - kept - db.links.keys() - _excluded(db).keys()

    def gone(self, concern: str, after: str, limit: int) -> Sequence[str]:
        db, rows = self._db, CONCERNS[concern]
        found = {key.client_id for key in db.statuses if key.concern == concern} | db.links.keys()
        for name in (rows.table, rows.items, *rows.wakers):
            if name == "client_shops":
                found |= {client_id for client_id, shops in db.shops.items() if shops}
            elif name in ("delivery_addresses", "client_credit"):
                found |= {_owner(name, key, row).client_id for key, row in db.tables[name].items()}
        return sorted(key for key in found - db.clients.keys() if key > after)[:limit]

    def having(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        db, wanted, rows = self._db, frozenset(client_ids), CONCERNS[concern]
        if rows.items:
            found = {str(row["client_id"]) for key, row in db.tables[rows.items].items() if key and row["client_id"]}
        elif rows.groups:
            found = {key for key, row in db.clients.items() if row[GROUP_FIELD]}
        else:
            assert rows.table != "clients", concern
            found = set(db.tables[rows.table])
        return wanted & found

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        db = self._db
        keys = sorted(client_id for client_id in db.links if client_id > after)[:limit]
        return [(client_id, db.links[client_id].panel_client_id) for client_id in keys]

    def count_linked(self) -> int:
        return len(self._db.links)

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[Owner]:
        deferred = ((d, key.owner) for key, d in self._db.deferrals.items() if key.concern == concern)
        ready = sorted((d.due_at, owner) for d, owner in deferred if now is None or not d.waits(now))
        return list(dict.fromkeys(owner for _, owner in ready))[:limit]

    def postpone(self, concern: str, owners: Collection[Owner], until: datetime) -> None:
        db, wanted = self._own, frozenset(owners)
        for key, deferral in db.deferrals.items():
            if key.concern == concern and key.owner in wanted and deferral.due_at < until:
                db.deferrals[key] = replace(deferral, due_at=until)

    def former(self, concern: str, owners: Collection[Owner]) -> Mapping[Owner, Former]:
        wanted, found = frozenset(owners), dict[Owner, dict[str, set[str]]]()
        for h in self._db.history:
            owner = Owner(h.client_id)
            if owner in wanted and h.concern == concern and h.field and not h.item_id:
                of_field = found.setdefault(owner, {}).setdefault(h.field, set())
                of_field.update((h.value_before or "", h.value_after or ""))
        for c in self._db.conflicts:
            if (owner := Owner(c.client_id)) in wanted and c.concern == concern and not c.item_id:
                of_field = found.setdefault(owner, {}).setdefault(c.field, set())
                of_field.update((c.erp_value or "", c.panel_value or "", c.base_value or ""))
        return found

    def counted(self, concern: str, since: datetime, *, prices: bool = False) -> int:
        counted = (h for h in self._braked(concern, since, prices=prices) if h.counts)
        return len({(h.client_id, h.group_id, h.item_id, h.run_id) for h in counted})

    def written(self, concern: str, since: datetime, *, prices: bool = False) -> Collection[Key]:
        found = self._braked(concern, since, prices=prices)
        moved = (h for h in found if h.reason not in FIRST and h.field not in CONCERNS[concern].recomputed)
        return {Key(h.client_id, h.group_id, concern, h.item_id) for h in moved}

    def sent_since(self, client_ids: Collection[str], since: datetime) -> frozenset[str]:
        sent = {h.client_id for h in self._db.history if h.at >= since and h.direction == Direction.ERP_TO_PANEL}
        return sent & frozenset(client_ids)

    def past(self, which: Which, after: int, limit: int) -> Sequence[Past]:
        found = []
        for number, row in enumerate(self._db.history, start=1):
            of = which.run_id in ("", row.run_id) and which.concern in ("", row.concern)
            within = (which.since or NEVER) <= row.at and (which.until is None or row.at < which.until)
            if of and within and which.client_id in ("", row.client_id) and number > after:
                key = Key(row.client_id, row.group_id, row.concern, row.item_id)
                words = (row.field, row.direction, row.reason)
                found.append(Past(number, row.run_id, key, *words, row.value_before, row.value_after))
        return found[:limit]

    def count_kept(self, concern: str) -> int:
        return sum(1 for key, state in self._db.states.items() if key.concern == concern and state.base is not None)

    def _braked(self, concern: str, since: datetime, *, prices: bool) -> Iterator[StoredHistory]:
        rows = (h for h in self._db.history if h.concern == concern and h.at >= since and not h.passed)
        return (h for h in rows if bool(h.group_id and h.item_id) is prices)


class FakeIndex(_Port):
    """The account index, and what people answer about whose account is whose."""

    def recognised(self, values: Values) -> Recognised:
        return DIGEST.recognised(values)

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        db = self._own
        for account in accounts:
            if client := client_of(db, account):
                digest = DIGEST.account(account.panel_client_id)
                stone = db.tombstones.get(digest) or StoredTombstone(client, at)
                dates = {"modified_at": account.modified_at, "registered": account.registered, "seen_at": at}
                db.tombstones[digest] = replace(stone, **dates)
            else:
                db.accounts[account.panel_client_id] = account
                db.seen_at[account.panel_client_id] = at

    def known(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        db = self._db
        return {key: db.accounts[key] for key in panel_client_ids if key in db.accounts}

    def find(self, external_codes: Collection[str], marks: Collection[Mark]) -> Sequence[SeenAccount]:
        keys, wanted = {code_key(code) for code in external_codes} - {""}, frozenset(marks)
        found = (x for _, x in sorted(self._db.accounts.items()))
        return [x for x in found if code_key(x.external_code) in keys or x.marks & wanted]

    def crowded(self, marks: Collection[Mark], most: int) -> frozenset[Mark]:
        counts = Counter(mark for x in self._db.accounts.values() if not x.guest for mark in x.marks)
        return frozenset(mark for mark in marks if counts[mark] > most)

    def count_seen(self, search: Search, since: datetime | None) -> int:
        db = self._db
        seen = [(x.modified_at, x.registered, db.seen_at[key]) for key, x in db.accounts.items()]
        seen += [(x.modified_at, x.registered, x.seen_at) for x in db.tombstones.values() if x.seen_at]
        late = [(moved, day) for moved, day, at in seen if since is None or at >= since]
        if isinstance(search, Window):
            return sum(1 for moved, _ in late if moved and search.begin <= moved <= search.end)
        if search is None:
            return len(late)
        return sum(1 for _, day in late if day and search.first <= day <= search.last)

    def latest(self, limit: int) -> Sequence[SeenAccount]:
        dated = [(-x.modified_at.timestamp(), x.panel_client_id) for x in self._db.accounts.values() if x.modified_at]
        return [self._db.accounts[key] for _, key in heapq.nsmallest(limit, dated)]

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        wanted = frozenset(panel_client_ids)
        return {x.panel_client_id: x.client_id for x in self._db.links.values() if x.panel_client_id in wanted}

    def hints(self) -> Sequence[ClientHint]:
        db = self._db
        dead = erased_among(db, db.clients)
        found = (_hint(key, row) for key, row in sorted(db.clients.items()) if key not in db.links and key not in dead)
        return [hint for hint in found if hint.marks]

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        wanted = frozenset(client_ids)
        return [_candidate(row) for key, row in sorted(self._db.matches.items()) if key[0] in wanted]

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        wanted = frozenset(panel_client_ids)
        return frozenset(client_id for client_id, account in self._db.matches if account in wanted)

    def answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        wanted, answers = frozenset(client_ids), defaultdict[str, list[str]](list)
        for panel_client_id, row in sorted(self._db.incoming.items()):
            if row.client_id is not None and row.client_id in wanted:
                answers[row.client_id].append(panel_client_id)
        return dict(answers)

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        db = self._db
        known = {link.panel_client_id for link in db.links.values()} | db.incoming.keys()
        others = (x for key, x in sorted(db.accounts.items()) if key > after and key not in known)
        return list(itertools.islice((x for x in others if x.login and not x.external_code and not x.guest), limit))

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        db = self._own
        for one in (one for one in clients if DIGEST.account(one.panel_client_id) not in db.tombstones):
            key, values = one.panel_client_id, {name: _cut(name, one.values.get(name)) for name in BILLING}
            known = db.incoming.get(key)
            db.incoming[key] = replace(known, values=values) if known else StoredIncoming(key, values, at)

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        db = self._own
        for key in frozenset(panel_client_ids):
            if key in db.incoming and db.incoming[key].client_id is None:
                del db.incoming[key]


class FakePrices(_Port):
    """Discount groups, the ERP's prices of them, and what the panel was sent."""

    def group_ids(self) -> Sequence[str]:
        db = self._db
        with_items = {key[0] for key in db.items if all(key)}
        kept = {key.group_id for key, s in db.states.items() if replace(s, status=None) != RecordState()}
        return sorted((db.groups.keys() | with_items | kept | {key[0] for key in db.sent}) - {""})

    def numbers(self) -> Mapping[str, str]:
        own = ((key.group_id, s.panel_id) for key, s in self._db.states.items() if not key.item_id)
        return {group_id: number for group_id, number in own if group_id and number}

    def members(self, group_ids: Collection[str]) -> Sequence[str]:
        db, wanted = self._db, frozenset(group_ids) - {""}
        return [key for key, row in sorted(db.clients.items()) if row[GROUP_FIELD] in wanted and key in db.links]

    def items(self, group_id: str, after: PriceKey | None, limit: int) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        db = self._db
        whole = (key for key in _of_group(db.items, group_id, after) if all(key))
        return [(_item(key, db.items[key]), _sent(db, key)) for key in itertools.islice(whole, limit)]

    def without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        db = self._db
        gone = (_sent(db, key) for key in _of_group(db.sent, group_id) if key not in db.items)
        return list(itertools.islice((price for price in gone if price), limit))

    def statuses(self, group_id: str) -> Mapping[str, Status]:
        return {key.item_id: s for key, s in self._db.statuses.items() if key.group_id == group_id and key.item_id}

    def decisions(self, group_id: str) -> Mapping[str, str]:
        of_group = ((key, s) for key, s in self._db.states.items() if key.group_id == group_id and key.item_id)
        return {key.item_id: state.decision for key, state in of_group if state.status and state.decision}

    def dated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        dates = ((key[0], _moment(row[name])) for key, row in self._db.items.items() if key[0] for name in _DATES)
        return sorted({group for group, at in dates if at and (since is None or since < at) and at <= until})

    def doubt(self, group_id: str, keys: Sequence[PriceKey] | None) -> None:
        db = self._own
        doubtful = [(group_id, *key) for key in keys] if keys is not None else list(_of_group(db.sent, group_id))
        for key in doubtful:
            db.sent[key] = replace(db.sent.get(key, StoredPrice(None, "")), price=None, refused="")

    def store(
        self,
        group_id: str,
        sent: Sequence[SentPrice],
        removed: Sequence[PriceKey],
        changes: Sequence[Change],
        *,
        run_id: str,
        at: datetime,
    ) -> None:
        db = self._own
        for key in removed:
            db.sent.pop((group_id, *key), None)
        for one in sent:
            db.sent[group_id, one.item_type, one.item_id] = StoredPrice(one.price, one.currency, one.refused, at)
        for change in _storable(db, changes):
            _store(db, change, run_id, at)

    def count_sent(self, group_id: str = "") -> int:
        return sum(1 for key in self._db.sent if group_id in ("", key[0]))

    def forget(self, group_id: str) -> None:
        db = self._own
        for key in list(_of_group(db.sent, group_id)):
            del db.sent[key]

    def remove_all(
        self, concern: str, group_id: str, removal: Written, *, run_id: str, at: datetime, found_by: str = ""
    ) -> None:
        db = self._own
        sent = (_sent(db, key) for key in _of_group(db.sent, group_id))
        for price in [price for price in sent if price and price.price is not None]:
            written = replace(removal, before=price.price)
            key = Key("", group_id, concern, "/".join(price.key))
            db.history.append(_history(key, written, run_id, at, found_by))
        self.forget(group_id)


class FakeFigures(_Port):
    """The age of the figures in ``client_credit``."""

    def outdated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        dated = ((key, _moment(row["as_of"])) for key, row in sorted(self._db.credit.items()) if key)
        return [key for key, at in dated if at is not None and at < until and (since is None or since <= at)]

    def newest(self, until: datetime) -> datetime | None:
        moments = (_moment(row["as_of"]) for row in self._db.credit.values())
        return max((moment for moment in moments if moment is not None and moment <= until), default=None)


class FakePauses(_Port):
    """What is stopped, and since when the brake counts."""

    def paused(self) -> Mapping[str, str]:
        return {concern: reason for concern, (reason, _) in self._db.stops.items() if reason}

    def causes(self) -> Mapping[str, str]:
        return dict(self._db.causes)

    def since(self) -> Mapping[str, datetime]:
        return {concern: self._db.paused_at[concern] for concern in self.paused()}

    def pause(self, concern: str, reason: str, *, at: datetime, code: str = "") -> None:
        db = self._own
        db.paused_at[concern] = at
        db.causes.pop(concern, None)
        if code:
            db.causes[concern] = code
        db.stops[concern] = (reason, self.released(concern))

    def resume(self, concern: str, *, released_at: datetime | None = None) -> None:
        db = self._own
        db.causes.pop(concern, None)
        db.stops[concern] = ("", released_at or self.released(concern))

    def released(self, concern: str) -> datetime | None:
        return self._db.stops.get(concern, ("", None))[1]


class FakePlans(_Port):
    """What would be done with each record, and what a person said to it."""

    def rows(self, owners: Collection[Owner]) -> Sequence[PlanRow]:
        wanted = set(owners)
        return [row for row in self._db.planned.values() if row.line.key.owner in wanted]

    def having(self, concern: str, owners: Collection[Owner]) -> frozenset[Owner]:
        return frozenset(owners) & {row.line.key.owner for row in self._open(Chosen(concern, undo=False))}

    def undoing(self, concern: str, owners: Collection[Owner]) -> Mapping[Key, Sequence[PlanRow]]:
        records: defaultdict[Key, list[PlanRow]] = defaultdict(list)
        for row in self._open(Chosen(concern, undo=True)):
            if row.line.key.owner in owners and not row.line.key.group_id:
                records[row.line.key].append(row)
        return {key: rows for key, rows in records.items() if word_of(rows) == "approve"}

    def approved(self, concern: str, limit: int, *, undo: bool) -> Sequence[Owner]:
        rows = (row for row in self._open(Chosen(concern, undo=undo)) if row.decision.strip().lower() == "approve")
        return list(dict.fromkeys(row.line.key.owner for row in rows))[:limit]

    def store(self, change: PlanChange, *, at: datetime) -> None:
        planned = self._own.planned
        for number, ended in change.ended.items():
            _end(self._exchange, number, ended)
        for number in change.kept:
            if number in planned and planned[number].decision and planned[number].outcome is None:
                planned[number] = replace(planned[number], decision="", decided_by="")
        for number in change.gone:
            row = planned.get(number)
            if row is not None and row.outcome is None:
                if row.decision.strip().lower() == "approve":
                    _end(self._exchange, number, Ended.STALE)
                else:
                    del planned[number]
        dead = erased_among(self._exchange, {line.key.client_id for line in (*change.new, *change.refused)})
        for line in (line for line in change.new if line.key.client_id not in dead):
            number = next(self._exchange.plan_ids)
            planned[number] = PlanRow(number, at, line)
        for line in (line for line in change.refused if line.key.client_id not in dead):
            number = next(self._exchange.plan_ids)
            planned[number] = PlanRow(number, at, line, outcome=Ended.REFUSED)

    def drop(self, concern: str, *, linked_only: bool = False) -> None:
        db = self._own
        for row in self._open(Chosen(concern)):
            key = row.line.key
            stays = linked_only and not key.group_id and key.client_id not in db.links
            if row.line.reason != Reason.UNDO and not stays:
                del db.planned[row.id]

    def prune(self, before: datetime) -> None:
        planned = self._own.planned
        for row in [row for row in planned.values() if row.outcome is not None and row.planned_at < before]:
            del planned[row.id]

    def open(self, chosen: Chosen, after: int, limit: int) -> Sequence[PlanRow]:
        return [row for row in self._open(chosen) if row.id > after][:limit]

    def records(self, chosen: Chosen) -> Mapping[str, int]:
        rows = self._open(chosen)
        return Counter(key.concern for key in {r.line.key for r in rows if r.line.action not in NOT_WRITTEN})

    def newest(self) -> datetime | None:
        return max((row.planned_at for row in self._open(Chosen())), default=None)

    def decide(self, chosen: Chosen, decision: str | None, by: str) -> int:
        db = self._own
        records: defaultdict[tuple[Key, bool], list[PlanRow]] = defaultdict(list)
        for row in self._open(Chosen(chosen.concern, chosen.client_id, undo=chosen.undo)):
            records[row.line.key, row.line.reason == Reason.UNDO].append(row)
        count = 0
        for rows in records.values():
            named = any(row.id in chosen.ids for row in rows)
            wanted = named if chosen.ids else not any(row.decision.strip() for row in rows)
            wanted = wanted and chosen.action in ("", *(str(row.line.action) for row in rows))
            if not wanted or (chosen.as_of and max(row.planned_at for row in rows) > chosen.as_of):
                continue
            for row in rows:
                word = {"decision": decision or "", "decided_by": by if decision else ""}
                db.planned[row.id] = replace(row, **word)
                db.note("sync_plan", "U", row.line.key.owner, str(row.id))
            count += len(rows)
        return count

    def _open(self, chosen: Chosen) -> list[PlanRow]:
        return [
            row
            for row in self._db.planned.values()
            if (chosen.ended or row.outcome is None)
            and chosen.concern in ("", row.line.key.concern)
            and chosen.client_id in ("", row.line.key.client_id)
            and (not chosen.ids or row.id in chosen.ids)
            and (chosen.as_of is None or row.planned_at <= chosen.as_of)
            and not (chosen.undecided and row.decision.strip())
            and chosen.undo in (None, row.line.reason == Reason.UNDO)
            and chosen.action in ("", str(row.line.action))
        ]


class FakeForgotten(_Port):
    """Who was erased and is not to come back."""

    def found(self, client_id: str) -> Mapping[str, int]:
        known = self.known_as(client_id)
        return {name: len(keys) for name, (_, keys) in self._hers(known, self._numbers(known)).items() if keys}

    def is_forgotten(self, client_id: str) -> bool:
        return client_id in erased_among(self._db, [client_id])

    def known_as(self, client_id: str) -> Sequence[str]:
        db = self._db
        by_former = sorted(link.client_id for link in db.links.values() if link.former_code == client_id)
        now = by_former[0] if by_former and client_id not in db.links else client_id
        recoded = {h.value_before for h in db.history if h.client_id == now and h.field == CODE}
        former = {db.links[now].former_code if now in db.links else "", *recoded} - {"", None, now}
        return [now, *sorted(code for code in former if code and code not in db.links and code not in db.clients)]

    def accounts(self, accounts: Collection[SeenAccount]) -> frozenset[str]:
        return frozenset(a.panel_client_id for a in accounts if client_of(self._db, a))

    def forget(self, client_id: str, *, at: datetime) -> Mapping[str, int]:
        known = self.known_as(client_id)
        db, numbers, client_id = self._own, self._numbers(known), known[0]
        own = DIGEST.client(client_id)
        for code in known:
            db.tombstones[DIGEST.client(code)] = StoredTombstone(own, at)
        for number in numbers:
            account = db.accounts.get(number)
            dates = (account.modified_at, account.registered, db.seen_at[number]) if account else ()
            db.tombstones[DIGEST.account(number)] = StoredTombstone(own, at, None, *dates)
        erased_rows = self._erase(known, numbers, None)
        if client_id in db.clients:
            key = Key(client_id, "", "accounts")
            db.states[key] = RecordState(status=codes.status(FORGOTTEN))
            db.since[key] = (at, None)
        db.note("clients", "U", Owner(), "")
        return erased_rows

    def allow(self, client_id: str) -> bool:
        db, whose = self._own, self._whose(client_id)
        hers = [digest for digest, stone in db.tombstones.items() if stone.client in whose]
        for digest in hers:
            del db.tombstones[digest]
        return bool(hers)

    def tombstones(self, client_id: str | None = None) -> frozenset[Tombstone]:
        whose = None if client_id is None else self._whose(client_id)
        found = self._db.tombstones.items()
        return frozenset(Tombstone(digest, s.client) for digest, s in found if whose is None or s.client in whose)

    def _whose(self, client_id: str) -> Collection[str]:
        own = DIGEST.client(client_id)
        return {own, self._db.tombstones[own].client} if own in self._db.tombstones else {own}

    def restore(self, tombstones: Collection[Tombstone], *, at: datetime) -> int:
        db = self._own
        missing = [each for each in tombstones if each.digest not in db.tombstones]
        for each in missing:
            db.tombstones[each.digest] = StoredTombstone(each.client, at)
        return len(missing)

    def to_be_swept(self, before: datetime) -> bool:
        return any(s.swept_at is None and s.forgotten_at < before for s in self._db.tombstones.values())

    def sweep(self, before: datetime, *, at: datetime) -> Mapping[str, int]:
        db = self._own
        ids = {
            *db.links,
            *(key.client_id for key in db.states),
            *(row.client_id for row in db.history),
            *(c.client_id for c in db.conflicts),
            *(row.line.key.client_id for row in db.planned.values()),
            *(client_id for client_id, _ in (*db.matches, *db.excluded)),
            *(row.client_id or "" for row in db.incoming.values()),
            *(account.external_code for account in db.accounts.values()),
            *(entry.client_id for entry in db.entries.values()),
        }
        numbers = {
            *(link.panel_client_id for link in db.links.values()),
            *(number for _, number in db.matches),
            *db.incoming,
            *db.accounts,
        }
        dead = {number for number in numbers if DIGEST.account(number) in db.tombstones}
        erased_rows = self._erase(sorted(erased_among(db, ids)), dead, before)
        for digest, stone in db.tombstones.items():
            if stone.swept_at is None and stone.forgotten_at < before:
                db.tombstones[digest] = replace(stone, swept_at=at)
        return erased_rows

    def expire(self, before: datetime, limit: int, *, at: datetime) -> int:
        db, done = self._own, 0
        for place, row in enumerate(db.history):
            if done < limit and row.erased_at is None and row.at < before:
                db.history[place] = replace(row, value_before=None, value_after=None, erased_at=at)
                done += 1
        for place, c in enumerate(db.conflicts):
            if done < limit and c.erased_at is None and c.closed_at and c.closed_at < before:
                db.conflicts[place] = replace(c, erp_value=None, panel_value=None, base_value=None, erased_at=at)
                done += 1
        return done

    def _numbers(self, known: Sequence[str]) -> frozenset[str]:
        db = self._db
        linked = {link.panel_client_id: link.client_id for link in db.links.values()}
        found = {number for number, owner in linked.items() if owner in known}
        found |= {number for number, account in db.accounts.items() if account.external_code in known}
        found |= {number for number, row in db.incoming.items() if row.client_id in known}
        return frozenset(number for number in found if linked.get(number, known[0]) == known[0])

    def _hers(self, client_ids: Collection[str], numbers: Collection[str]) -> Mapping[str, tuple[Any, Sequence[Any]]]:
        """Return table -> where its rows are, and the keys of those about these clients and accounts."""
        db, ids = self._exchange, frozenset(client_ids)
        return {
            "sync_base": (db.states, [k for k, s in db.states.items() if k.client_id in ids and not _says_so(s)]),
            "sync_history": (db.history, [row for row in db.history if row.client_id in ids]),
            "sync_conflicts": (db.conflicts, [c for c in db.conflicts if c.client_id in ids]),
            "sync_plan": (db.planned, [n for n, row in db.planned.items() if row.line.key.client_id in ids]),
            "sync_exclusions": (db.excluded, [each for each in db.excluded if each[0] in ids]),
            "sync_matches": (db.matches, [m for m in db.matches if m[0] in ids or m[1] in numbers]),
            "incoming_clients": (
                db.incoming,
                [n for n, row in db.incoming.items() if n in numbers or (row.client_id or "") in ids],
            ),
            "sync_panel_accounts": (
                db.accounts,
                [n for n, account in db.accounts.items() if n in numbers or account.external_code in ids],
            ),
            "sync_links": (db.links, [c for c, x in db.links.items() if c in ids or x.panel_client_id in numbers]),
        }

    def _erase(
        self, client_ids: Collection[str], numbers: Collection[str], before: datetime | None
    ) -> Mapping[str, int]:
        db, count = self._exchange, dict[str, int]()
        for name, (where, keys) in self._hers(client_ids, numbers).items():
            count[name] = len(keys)
            for key in keys:
                if where is db.conflicts:  # its id is its place
                    where[key.id - 1] = replace(key, client_id="", erp_value=None, panel_value=None, base_value=None)
                elif isinstance(where, list):
                    where.remove(key)
                else:
                    del where[key]
        for key in [key for key in db.since if key not in db.states]:
            del db.since[key]
        for seq, entry in db.entries.items():
            about = entry.table_name in ("incoming_clients", "sync_matches") and entry.row_id in numbers
            read = before is None or db.logged_at[seq] <= before
            if read and ((entry.client_id and entry.client_id in client_ids) or about):
                db.entries[seq] = replace(entry, client_id="", row_id="")
        return {name: rows for name, rows in count.items() if rows}


def _says_so(state: RecordState) -> bool:
    return state.status is not None and state.status.code == FORGOTTEN


def erased_among(db: FakeExchange, client_ids: Iterable[str]) -> frozenset[str]:
    """Return those of these clients who were erased."""
    return frozenset(key for key in client_ids if key and DIGEST.client(key) in db.tombstones)


def client_of(db: FakeExchange, account: SeenAccount) -> str:
    """Return the digest of the erased client whose an account was, or whose code it carries; empty: nobody's.

    An account that is linked is its client's, whatever it carries.
    """
    linked = any(link.panel_client_id == account.panel_client_id for link in db.links.values())
    code = DIGEST.client(account.external_code) if account.external_code and not linked else ""
    stone = db.tombstones.get(DIGEST.account(account.panel_client_id)) or db.tombstones.get(code)
    return stone.client if stone else ""


def _storable(db: FakeExchange, changes: Sequence[Change]) -> list[Change]:
    """Return those of these changes that may be stored: of an erased client only that this is said, or no more."""
    dead = erased_among(db, {change.record.key.client_id for change in changes})
    return [c for c in changes if c.record.key.client_id not in dead or _only_says_so(c)]


def _only_says_so(change: Change) -> bool:
    status = change.after.status
    apart = change.written or change.conflicts or change.row or change.link or change.candidates or change.planned
    return change.after == RecordState(status=status) and not apart and (status is None or status.code == FORGOTTEN)


# --- reading the ERP's rows


def _owner(table: str, key: RowKey, row: Row) -> Owner:
    if not isinstance(key, str):
        return Owner(group_id=key[0])
    if table == "discount_groups":
        return Owner(group_id=key)
    return Owner(str(row["client_id"] or "") if "client_id" in row else key)


def _erp(db: FakeExchange, key: Key) -> Values | None:
    """Return the ERP's row of a record as the concern reads it."""
    rows = CONCERNS[key.concern]
    if key.item_id:
        table, row_id, names = rows.items, key.item_id, tuple(rows.fields)
    elif key.group_id:
        table, row_id, names = rows.groups, key.group_id, tuple(GROUP_FIELDS)
    else:
        table, row_id, names = rows.table, key.client_id, rows.columns
    row = db.tables.get(table, {}).get(row_id)
    if row is None and SHOPS_FIELD in rows.fields and db.shops.get(key.client_id):
        return {SHOPS_FIELD: tuple(sorted(db.shops[key.client_id]))}
    if row is None or (row.get("client_id", key.client_id) or "") != key.client_id:
        return None
    values = _values(row, names)
    if rows.with_shops and table == rows.table:
        values[SHOPS_FIELD] = tuple(sorted(db.shops.get(key.client_id, ())))
    return values


def _values(row: Row, names: Iterable[str]) -> dict[str, Value]:
    return {name: _value(name, row[name]) for name in names}


def _value(name: str, value: Odd) -> Value:
    at = _moment(value) if name in _MOMENTS else None
    return value if isinstance(value, bool) else at.isoformat() if at else _letters(value)


def _moment(value: Odd) -> datetime | None:
    """Return the moment that a column tells (UTC where it names no zone), None for what tells none."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _letters(value: Odd) -> str | None:
    return None if value is None else str(value)


def _item(key: SentKey, row: Row) -> GroupItem:
    dates = {name: _moment(row[name]) for name in _DATES}
    unreadable = ",".join(name for name, at in dates.items() if at is None and _letters(row[name]))
    columns: dict[str, Any] = {**{name: _letters(value) for name, value in row.items()}, **dates}
    return GroupItem(item_type=key[1], item_id=key[2], unreadable=unreadable, **columns)


def _of_group(rows: Any, group_id: str, after: PriceKey | None = None) -> Iterator[SentKey]:
    """Yield the keys of a group's rows in a sorted dictionary, from one on."""
    beyond = rows.irange((group_id, *(after or ())), inclusive=(False, True))
    return itertools.takewhile(lambda key: key[0] == group_id, beyond)


def _sent(db: FakeExchange, key: SentKey) -> SentPrice | None:
    stored = db.sent.get(key)
    return SentPrice(*key[1:], stored.price, stored.currency, stored.refused) if stored else None


def _hint(client_id: str, row: Row) -> ClientHint:
    return ClientHint(client_id, *DIGEST.recognised(_values(row, CLIENT_FIELDS)))


def _candidate(row: StoredMatch) -> Candidate:
    word = (row.decision or "").strip().lower()
    return Candidate(row.client_id, row.panel_client_id, row.matched_by, word if word in set(MatchDecision) else "")


def _shown(conflict: StoredConflict) -> Conflict:
    word = (conflict.decision or "").strip().lower()
    values = (conflict.erp_value, conflict.panel_value, conflict.base_value)
    return Conflict(conflict.id, conflict.field, *values, decision=Side(word) if word in tuple(Side) else None)


def _cut(name: str, value: Value) -> Value:
    return value[: BILLING[name].length] if isinstance(value, str) else value


# --- saving


def _write_row(db: FakeExchange, change: Change) -> str | None:
    """Write the ERP's own row; return why it was refused, empty where the ERP was faster, None where it is written."""
    key, write = change.record.key, change.row
    assert write is not None
    table, row_id = _row_of(key)
    present = db.tables[table].get(row_id)
    is_own = present is not None and present.get("client_id", key.client_id) == key.client_id
    if write.insert is not None and present is not None:
        return "" if is_own else f"the id {row_id} is another client's"
    if write.insert is None:
        seen = {name: edit.seen for name, edit in write.edits.items()} or write.delete or {}
        if present is None or not is_own or any(present[name] != value for name, value in seen.items()):
            return ""
    if (table, row_id) in db.refusals:
        return db.refusals[table, row_id]
    if disliked := _disliked(db, change):
        return next(iter(disliked.values()))
    if write.insert is not None:
        db.change(table, "I", row_id, {**write.insert, "client_id": key.client_id})
    elif write.delete is not None:
        db.change(table, "D", row_id)
    else:
        db.change(table, "U", row_id, {name: edit.value for name, edit in write.edits.items()})
    return None


def _has_moved(db: FakeExchange, record: Record) -> bool:
    """Whether a record's client has another account by now than the one that it was loaded with."""
    now = db.links.get(record.key.client_id)
    return record.link is not None and (now is None or now.panel_client_id != record.link.panel_client_id)


def _with_forms(db: FakeExchange, change: Change) -> Change:
    """Return a change with what the ERP's row holds now of the columns that were written."""
    row, key = change.row, change.record.key
    if row is None or row.delete is not None:
        return change
    table, row_id = _row_of(key)
    present = db.tables[table][row_id]
    new = {**(row.insert or {}), **{name: edit.value for name, edit in row.edits.items()}}
    return with_erp_forms(change, {name: present[name] for name, value in new.items() if present[name] != value})


def _row_of(key: Key) -> tuple[str, str]:
    """Return the table and the key of the row that a record stands in."""
    rows = CONCERNS[key.concern]
    return (rows.items, key.item_id) if key.item_id else (rows.table, key.client_id)


def _linked_elsewhere(db: FakeExchange, changes: Sequence[Change]) -> set[str]:
    """Return the clients whose account is another client's that is there, or another one's of this save."""
    owners = {x.panel_client_id: x.client_id for x in db.links.values() if x.client_id in db.clients}
    late = set()
    for link in (change.link for change in changes if change.link):
        if DIGEST.account(link.panel_client_id) in db.tombstones:
            late.add(link.client_id)
        if owners.setdefault(link.panel_client_id, link.client_id) != link.client_id:
            late.add(link.client_id)
    return late


def _disliked(db: FakeExchange, change: Change) -> Mapping[str, str]:
    """Return the columns whose values the ERP's own check refuses, where it does not refuse the row."""
    write, key = change.row, change.record.key
    assert write is not None
    table = CONCERNS[key.concern].items if key.item_id else CONCERNS[key.concern].table
    if (table, key.item_id or key.client_id) in db.refusals:
        return {}
    new = write.insert or {name: edit.value for name, edit in write.edits.items()}
    return {name: db.disliked[name, value] for name, value in new.items() if (name, value) in db.disliked}


def _end(db: FakeExchange, number: int, ended: Ended) -> None:
    """Write down what became of a row of the plan, unless that stands there already."""
    row = db.planned.get(number)
    if row is not None and row.outcome is None:
        db.planned[number] = replace(row, outcome=ended)


def _store(db: FakeExchange, change: Change, run_id: str, at: datetime) -> None:
    key = change.record.key
    for number, ended in change.planned.items():
        _end(db, number, ended)
    for line in change.replanned:
        number = next(db.plan_ids)
        db.planned[number] = PlanRow(number, at, line)
    _store_link(db, change)
    if change.candidates is not None:
        before = {match: db.matches.pop(match) for match in list(db.matches) if match[0] == key.client_id}
        for one in change.candidates:
            match = (key.client_id, one.panel_client_id)
            known = before.get(match) or StoredMatch(*match, one.matched_by, one.decision or None, at)
            db.matches[match] = replace(known, matched_by=one.matched_by)
    found_by = change.record.found_by
    db.history.extend(_history(key, written, run_id, at, found_by) for written in change.written)
    for note in change.conflicts:
        _note_conflict(db, key, note, at)
    for number, winner in change.closed.items():
        for conflict in db.conflicts[number - 1 : number]:
            if conflict.closed_at is None:
                db.put_conflict(_closed(conflict, winner, at), answers=True)
    _store_state(db, key, change.record.state, change.after, at)


def _store_link(db: FakeExchange, change: Change) -> None:
    if change.link:
        account = change.link.panel_client_id
        for client_id in [c for c, link in db.links.items() if link.panel_client_id == account]:
            del db.links[client_id]
        db.links[change.link.client_id] = change.link
        db.incoming.pop(account, None)
    key = change.record.key.client_id
    if change.unlinked:
        db.links.pop(key, None)
    if change.recoded and key in db.links:
        db.links[key] = replace(db.links[key], former_code="")


def _store_state(db: FakeExchange, key: Key, before: RecordState, after: RecordState, at: datetime) -> None:
    """Store those of the two rows, ``sync_base`` and ``sync_status``, of which something differs."""
    stored = db.states.get(key, RecordState())
    told, now, decision = stored.status, after.status, stored.decision
    if _kept(after) != _kept(before):
        base = after.base and Forms(dict(after.base.erp), dict(after.base.panel), dict(after.base.sent))
        stored = replace(after, base=base, notes=dict(after.notes), status=told, decision=decision)
    if now != before.status:
        stored = replace(stored, status=now)
        since, last = db.since.pop(key, (at, None))
        if now:
            unchanged = told and (told.state, told.code) == (now.state, now.code)
            db.since[key] = (since if unchanged else at, at if now.state is State.IN_STEP else last)
    if (before.decision and not after.decision and decision == before.decision) or stored.status is None:
        stored = replace(stored, decision="")
    put_state(db.states, key, stored)


def _kept(state: RecordState) -> RecordState:
    return replace(state, status=None, decision="")


def _history(key: Key, written: Written, run_id: str, at: datetime, found_by: str) -> StoredHistory:
    values = (as_text(written.before), as_text(written.after))
    words = (written.field, str(written.direction), str(written.reason))
    return StoredHistory(at, run_id, *key, *words, *values, written.counts, written.passed, found_by)


def _note_conflict(db: FakeExchange, key: Key, note: ConflictNote, at: datetime) -> None:
    place = (key.client_id, key.concern, key.item_id, note.field)
    open_ones = (c for c in db.conflicts if c.closed_at is None)
    known = next((c for c in open_ones if (c.client_id, c.concern, c.item_id, c.field) == place), None)
    erp, panel, base = (as_text(value) for value in (note.erp_value, note.panel_value, note.base_value))
    stored = known or StoredConflict(len(db.conflicts) + 1, *place, None, None, None, raised_at=at)
    stored = replace(stored, erp_value=erp, panel_value=panel, base_value=base)
    if note.winner and note.closed:
        stored = _closed(stored, note.winner, at)
    elif note.winner:
        stored = replace(stored, decision=stored.decision or str(note.winner))
    db.put_conflict(stored, answers=bool(known and note.winner))


def _closed(conflict: StoredConflict, winner: Side | None, at: datetime) -> StoredConflict:
    decided_at = (conflict.decided_at or at) if conflict.decision else None
    decision = conflict.decision or (winner and str(winner))
    return replace(conflict, decision=decision, decided_at=decided_at, closed_at=at)


PORTS = (
    FakeLog,
    FakeRecords,
    FakeIndex,
    FakePrices,
    FakeFigures,
    FakePauses,
    FakePlans,
    FakeForgotten,
    FakeOwnership,
)
"""The ports in the order of :class:`kartoteka.ports.exchange.Exchange`."""
