"""ExchangeDatabase in memory, and beside the port the hands of an ERP: methods that edit its rows and answer in ours.

Fast, since the engine's state machine runs on it. It passes the same contract suite as the real adapter.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kartoteka.adapters.values import FOREVER, moment_of
from kartoteka.core import normal
from kartoteka.core.brake import is_risky
from kartoteka.core.concerns import (
    ACCOUNTS,
    BILLING,
    CONCERNS,
    CREDIT,
    DELIVERY_ADDRESSES,
    DISCOUNTS,
    GROUPS,
    SHOPS,
)
from kartoteka.core.errors import KartotekaError
from kartoteka.core.model import (
    Announcement,
    Candidate,
    CardHint,
    ConflictNote,
    GroupItem,
    IncomingClient,
    Intent,
    ItemKey,
    Link,
    LogEntry,
    OpenConflict,
    Parked,
    Place,
    Record,
    RowEdit,
    SeenAccount,
    SentPrice,
    Settlement,
    Side,
    Snapshot,
    State,
    Status,
    Value,
    Written,
)
from kartoteka.ports import Settled, Span

_CARD = (*BILLING.fields, "login", *ACCOUNTS.fields)
_SHORT = ("country_code", "language")
_ADDRESS = tuple(DELIVERY_ADDRESSES.fields)

Odd = Value | datetime
"""What a test writes into a table of money: figures as text, moments as such or as an ERP's text."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS.name: _CARD,
    BILLING.name: tuple(BILLING.fields),
    DELIVERY_ADDRESSES.name: _SHORT,
    SHOPS.name: _SHORT,
    DISCOUNTS.name: tuple(DISCOUNTS.fields),
}
"""Concern -> the columns of the card that a customer's own snapshot shows."""

_WITH_SHOPS = (ACCOUNTS.name, DELIVERY_ADDRESSES.name, SHOPS.name)
_GROUP = tuple(DISCOUNTS.fields)
_NEW_CARD: dict[str, Value] = {**dict.fromkeys((*_CARD, *_GROUP)), "country_code": "PL", "active": True}
_NEW_ADDRESS: dict[str, Value] = {"client_id": None, **dict.fromkeys(_ADDRESS), "country_code": "PL"}
_NEW_CREDIT: dict[str, Odd] = dict.fromkeys(
    ("credit_allowed", "credit_limit", "balance", "currency", "payment_days", "as_of")
)
_FIGURES = ("price", "rebate_percent", "base_price", "currency")
_NEW_ITEM: dict[str, Odd] = dict.fromkeys((*_FIGURES, "valid_from", "valid_to"))
_DECISIONS = ("link", "create")

Key = tuple[str, str, str]
"""Client id, concern, item id."""


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """A row of ``sync_status``."""

    status: Status
    since: datetime
    last_in_step_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredConflict:
    """A row of ``sync_conflicts``."""

    id: int
    client_id: str
    concern: str
    item_id: str
    field: str
    erp_value: str | None
    panel_value: str | None
    base_value: str | None
    raised_at: datetime
    decision: str | None = None
    decided_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """A row of ``sync_history``."""

    at: datetime
    run_id: str
    client_id: str
    concern: str
    item_id: str
    field: str
    direction: str
    reason: str
    value_before: str | None
    value_after: str | None
    risky: bool = False


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A row of ``sync_matches``."""

    client_id: str
    panel_client_id: str
    matched_by: str
    decision: str | None
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class StoredIncoming:
    """A row of ``incoming_clients``."""

    panel_client_id: str
    values: Record
    seen_at: datetime
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """A row of ``sync_prices`` beside its key: group, kind of item, item."""

    price: str | None
    currency: str
    refused: str = ""
    sent_at: datetime | None = None


@dataclass
class ErpTransaction:
    """A transaction of the ERP: it takes its numbers of the log at once, and shows nothing until it is committed."""

    _change: Callable[[str, str, Record, int], None]
    _take_seq: Callable[[], int]
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def insert_card(self, client_id: str, **values: Value) -> int:
        """Insert a card; return the number its log entry will have."""
        return self._take("I", client_id, values)

    def update_card(self, client_id: str, **values: Value) -> int:
        """Update a card; return the number its log entry will have."""
        return self._take("U", client_id, values)

    def delete_card(self, client_id: str) -> int:
        """Delete a card; return the number its log entry will have."""
        return self._take("D", client_id, {})

    def commit(self) -> None:
        """Let everybody see what was done."""
        for action in self._waiting:
            action()
        self._waiting.clear()

    def rollback(self) -> None:
        """Undo what was done; its numbers are never used again."""
        self._waiting.clear()

    def _take(self, operation: str, client_id: str, values: Record) -> int:
        seq = self._take_seq()
        self._waiting.append(lambda: self._change(operation, client_id, values, seq))
        return seq


class FakeExchange:
    """The exchange tables in dictionaries. ``fail`` makes the next calls raise; ``refuse`` is the ERP's own check.

    ``addresses`` are the rows of ``delivery_addresses`` by id, ``client_id`` among their columns; ``credit`` those of
    ``client_credit`` by customer, ``group_names`` those of ``discount_groups``, ``items`` those of
    ``discount_group_items`` by group and key; ``prices`` are what was sent, by group, kind and id.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.cards: dict[str, dict[str, Value]] = {}
        self.addresses: dict[str, dict[str, Value]] = {}
        self.client_shops: dict[str, set[int]] = {}
        self.credit: dict[str, dict[str, Odd]] = {}
        self.group_names: dict[str, str | None] = {}
        self.items: dict[str, dict[ItemKey, dict[str, Odd]]] = {}
        self.prices: dict[Key, StoredPrice] = {}
        self._order: dict[str, list[ItemKey]] = {}
        self.incoming: dict[str, StoredIncoming] = {}
        self.matches: dict[Place, StoredMatch] = {}
        self.links: dict[str, Link] = {}
        self.agreed: dict[Key, Record] = {}
        self.panel_items: dict[Key, str] = {}
        self.intents: dict[Key, Intent] = {}
        self.parked: dict[Key, Parked] = {}
        self.statuses: dict[Key, StoredStatus] = {}
        self.history: list[StoredHistory] = []
        self.accounts: dict[str, SeenAccount] = {}
        self.log: dict[int, LogEntry] = {}
        self._logged_at: dict[int, datetime] = {}
        self.before_settle: Callable[[], None] | None = None
        self._conflicts: dict[int, StoredConflict] = {}
        self._open: dict[tuple[str, str], dict[int, StoredConflict]] = {}
        self._refused: dict[tuple[str, str], str] = {}
        self._clock = clock
        self._numbers = itertools.count(1)
        self._last_seq = 0
        self._failures: list[KartotekaError] = []

    # --- the hands of the ERP and of tests

    def insert_card(self, client_id: str, **values: Value) -> None:
        """Insert a card as an ERP would; columns not given have their defaults."""
        self._change("I", client_id, values)

    def update_card(self, client_id: str, **values: Value) -> None:
        """Update columns of a card as an ERP would; a card that is not there stays away."""
        self._change("U", client_id, values)

    def delete_card(self, client_id: str) -> None:
        """Delete a card as an ERP would."""
        self._change("D", client_id, {})

    def rename_card(self, old: str, new: str) -> None:
        """Change a card's key as an ERP would."""
        self.cards[new] = self.cards.pop(old)
        self._note("clients", old, old, "D")
        self._note("clients", new, new, "I")

    def refill(self) -> None:
        """Delete all cards and insert them again as they were, in one transaction, as some ERPs do each night."""
        for operation in ("D", "I"):
            for client_id in self.cards:
                self._note("clients", client_id, client_id, operation)

    def insert_address(self, address_id: str, client_id: str | None, **values: Value) -> None:
        """Insert a delivery address as an ERP would; columns not given have their defaults."""
        assert values.keys() <= _NEW_ADDRESS.keys(), values
        assert address_id not in self.addresses, address_id
        self.addresses[address_id] = {**_NEW_ADDRESS, **values, "client_id": client_id}
        self._note("delivery_addresses", client_id or "", address_id, "I")

    def update_address(self, address_id: str, **values: Value) -> None:
        """Update columns of an address, ``client_id`` perhaps among them; one that is not there stays away."""
        assert values.keys() <= _NEW_ADDRESS.keys(), values
        row = self.addresses.get(address_id)
        if row is None:
            return
        before = str(row["client_id"] or "")
        row.update(values)
        after = str(row["client_id"] or "")
        for owner, operation in ((after, "U"),) if before == after else ((before, "D"), (after, "I")):
            self._note("delivery_addresses", owner, address_id, operation)

    def delete_address(self, address_id: str) -> None:
        """Delete an address as an ERP would."""
        row = self.addresses.pop(address_id, None)
        if row is not None:
            self._note("delivery_addresses", str(row["client_id"] or ""), address_id, "D")

    def address(self, address_id: str) -> Record | None:
        """Return an address's columns, None where there is no such address."""
        return self.addresses.get(address_id)

    def set_shops(self, client_id: str, *shop_ids: int) -> None:
        """Let these be the customer's rows of ``client_shops``: rows that are too many go, missing ones come."""
        before, after = self.client_shops.get(client_id, set()), set(shop_ids)
        for operation, ids in (("D", before - after), ("I", after - before)):
            for shop_id in sorted(ids):
                self._note("client_shops", client_id, str(shop_id), operation)
        self.client_shops[client_id] = after

    def set_credit(self, client_id: str, **values: Odd) -> None:
        """Insert a customer's row of ``client_credit``, or update these columns of it."""
        assert values.keys() <= _NEW_CREDIT.keys(), values
        operation = "U" if client_id in self.credit else "I"
        self.credit[client_id] = {**self.credit.get(client_id, _NEW_CREDIT), **values}
        self._note("client_credit", client_id, client_id, operation)

    def delete_credit(self, client_id: str) -> None:
        """Delete a customer's row of ``client_credit``."""
        if self.credit.pop(client_id, None) is not None:
            self._note("client_credit", client_id, client_id, "D")

    def set_group(self, group_id: str, name: str | None) -> None:
        """Insert a discount group, or rename it."""
        operation = "U" if group_id in self.group_names else "I"
        self.group_names[group_id] = name
        self._note("discount_groups", group_id, group_id, operation)

    def delete_group(self, group_id: str) -> None:
        """Delete a discount group's row; its items stay."""
        if group_id in self.group_names:
            del self.group_names[group_id]
            self._note("discount_groups", group_id, group_id, "D")

    def set_item(self, group_id: str, item_type: str, item_id: str, **values: Odd) -> None:
        """Insert a row of ``discount_group_items``, or update these columns of it."""
        assert values.keys() <= _NEW_ITEM.keys(), values
        rows, key = self.items.setdefault(group_id, {}), (item_type, item_id)
        operation = "U" if key in rows else "I"
        rows[key] = {**rows.get(key, _NEW_ITEM), **values}
        self._order.pop(group_id, None)
        self._note("discount_group_items", group_id, f"{item_type}:{item_id}", operation)

    def delete_item(self, group_id: str, item_type: str, item_id: str) -> None:
        """Delete a row of ``discount_group_items``."""
        if self.items.get(group_id, {}).pop((item_type, item_id), None) is not None:
            self._order.pop(group_id, None)
            self._note("discount_group_items", group_id, f"{item_type}:{item_id}", "D")

    def answer_incoming(self, panel_client_id: str, client_id: str | None) -> None:
        """Say whose account this is, as an ERP would: one UPDATE of ``client_id``; a row that is gone stays away."""
        row = self.incoming.get(panel_client_id)
        if row is None:
            return
        self.incoming[panel_client_id] = replace(row, client_id=client_id)
        self._note("incoming_clients", client_id or "", panel_client_id, "U")
        if row.client_id is not None and row.client_id != client_id:
            self._note("incoming_clients", row.client_id, panel_client_id, "U")

    def decide_match(self, client_id: str, panel_client_id: str, decision: str | None) -> None:
        """Answer a candidate as a person would: one UPDATE of ``decision``; a row that is gone stays away."""
        row = self.matches.get((client_id, panel_client_id))
        if row is not None:
            self.matches[client_id, panel_client_id] = replace(row, decision=decision)
            self._note("sync_matches", client_id, panel_client_id, "U")

    def decide(self, conflict_id: int, decision: str) -> None:
        """Answer a conflict as a person would: one UPDATE of ``decision``."""
        conflict = self._conflicts[conflict_id]
        self._put_conflict(replace(conflict, decision=decision))
        self._note("sync_conflicts", conflict.client_id, str(conflict_id), "U")

    def transaction(self) -> ErpTransaction:
        """Begin a transaction of the ERP that commits later."""
        return ErpTransaction(self._change, self.next_seq)

    def refuse(self, client_id: str, reason: str | None = "refused") -> None:
        """Let the ERP's own check refuse every edit of this card's row; None: no more."""
        self._refuse("clients", client_id, reason)

    def refuse_address(self, address_id: str, reason: str | None = "refused") -> None:
        """Let the ERP's own check refuse to insert, edit or delete this address; None: no more."""
        self._refuse("delivery_addresses", address_id, reason)

    def fail(self, *errors: KartotekaError) -> None:
        """Raise these, one from each of the next calls, before any effect."""
        self._failures.extend(errors)

    def has_card(self, client_id: str) -> bool:
        """Whether there is such a card."""
        return client_id in self.cards

    def card(self, client_id: str) -> Record | None:
        """Return a card's columns, None where there is no such card."""
        return self.cards.get(client_id)

    @property
    def conflicts(self) -> list[StoredConflict]:
        """All conflicts, closed ones too, in the order in which they were raised."""
        return list(self._conflicts.values())

    def open_conflict_ids(self) -> list[int]:
        """Return the ids of the conflicts that are not closed."""
        return [conflict.id for conflict in self._conflicts.values() if conflict.closed_at is None]

    def status(self, client_id: str, concern: str, item_id: str = "") -> Status | None:
        """Return a record's status."""
        stored = self.statuses.get((client_id, concern, item_id))
        return stored.status if stored else None

    def next_seq(self) -> int:
        """Take the next number of the log, as an identity column does: before anything is visible."""
        self._last_seq += 1
        return self._last_seq

    # --- the port

    def log_head(self) -> int:
        self._maybe_fail()
        return next(reversed(self.log)) if self.log else 0

    def log_mark(self, seq: int) -> str | None:
        self._maybe_fail()
        return f"{self.log[seq]}" if seq in self.log else None

    def read_log(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        self._maybe_fail()
        wanted = {seq for first, last in spans for seq in range(first, last + 1) if seq in self.log}
        newer = (seq for seq in range(after + 1, self._last_seq + 1) if seq in self.log)
        wanted.update(itertools.islice(newer, limit))
        return [self.log[seq] for seq in sorted(wanted)]

    def prune_log(self, before: datetime) -> None:
        self._maybe_fail()
        newest = self.log_head()
        self.log = {n: entry for n, entry in self.log.items() if n == newest or self._logged_at[n] >= before}

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        self._maybe_fail()
        return sorted(client_id for client_id in self.cards if client_id > after)[:limit]

    def existing_cards(self, client_ids: Collection[str]) -> frozenset[str]:
        self._maybe_fail()
        return frozenset(client_ids) & self.cards.keys()

    def snapshots(self, concern: str, client_ids: Collection[str]) -> Sequence[Snapshot]:
        self._maybe_fail()
        items = self._items(concern)
        places = ((key, item) for key in dict.fromkeys(client_ids) for item in ("", *sorted(items.get(key, ()))))
        return [self._snapshot(concern, *place) for place in places]

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        self._maybe_fail()
        wanted = frozenset(panel_client_ids)
        return {x.panel_client_id: x.client_id for x in self.links.values() if x.panel_client_id in wanted}

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        self._maybe_fail()
        keys = sorted(client_id for client_id in self.links if client_id > after)[:limit]
        return [(client_id, self.links[client_id].panel_client_id) for client_id in keys]

    def count_linked(self) -> int:
        self._maybe_fail()
        return len(self.links)

    def with_items(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        self._maybe_fail()
        wanted = frozenset(client_ids)
        if concern == DISCOUNTS.name:
            return frozenset(key for key, card in self.cards.items() if key in wanted and card["discount_group_id"])
        if concern == CREDIT.name:
            return wanted & self.credit.keys()
        assert CONCERNS[concern].items, concern
        return frozenset(str(r["client_id"]) for key, r in self.addresses.items() if key and r["client_id"] in wanted)

    def risky_writes(self, concern: str, since: datetime) -> int:
        self._maybe_fail()
        concern, groups = _kept(concern)
        risky = (h for h in self.history if h.risky and h.concern == concern and h.at >= since)
        counted = (h for h in risky if _is_group(h.client_id) == groups)
        return len({(h.client_id, h.item_id, h.run_id) for h in counted})

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
        self._maybe_fail()
        waiting = [(p.due_at, self._asked_for(key)) for key, p in self._waiting(concern)]
        ready = sorted(pair for pair in waiting if now is None or pair[0] <= now)
        return list(dict.fromkeys(key for _, key in ready))[:limit]

    def postpone(self, concern: str, client_ids: Collection[str], until: datetime) -> None:
        self._maybe_fail()
        wanted = frozenset(client_ids)
        for key, parked in self._waiting(concern):
            if self._asked_for(key) in wanted and parked.due_at < until:
                self.parked[key] = replace(parked, due_at=until)

    def announce(self, announcements: Sequence[Announcement], *, run_id: str, at: datetime) -> None:
        self._maybe_fail()
        for news in announcements:
            if news.before:
                self._store(news.before, run_id, at)
            self.intents[news.client_id, news.concern, news.item_id] = news.intent

    def settle(self, settlements: Sequence[Settlement], *, run_id: str, at: datetime) -> Settled:
        self._maybe_fail()
        if settlements and self.before_settle:
            self.before_settle()
        again: set[Place] = set()
        refused: dict[Place, str] = {}
        for settlement in sorted((s for s in settlements if s.writes_row), key=lambda s: s.row_delete is None):
            self._write_row(settlement, again, refused)
        missed = again | refused.keys()
        for settlement in settlements:
            failed = settlement.writes_row and settlement.place in missed
            if stored := settlement.fallback if failed else settlement:
                self._store(stored, run_id, at)
        return Settled(frozenset(again), refused)

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        del at
        self._maybe_fail()
        self.accounts.update({account.panel_client_id: account for account in accounts})

    def remembered(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        self._maybe_fail()
        return {key: self.accounts[key] for key in panel_client_ids if key in self.accounts}

    def directory(
        self, external_codes: Collection[str], nips: Collection[str], emails: Collection[str]
    ) -> Sequence[SeenAccount]:
        self._maybe_fail()
        wanted = [frozenset(some) - {""} for some in (external_codes, nips, emails)]
        found = (x for _, x in sorted(self.accounts.items()))
        return [x for x in found if x.external_code in wanted[0] or x.nip in wanted[1] or x.email in wanted[2]]

    def hints(self, nips: Collection[str] | None, emails: Collection[str] | None) -> Sequence[CardHint]:
        self._maybe_fail()
        found = (_hint(key, card) for key, card in sorted(self.cards.items()) if key not in self.links)
        return [hint for hint in found if _among(hint.nip, nips) or _among(hint.email, emails)]

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        self._maybe_fail()
        wanted = frozenset(client_ids)
        return [_candidate(row) for key, row in sorted(self.matches.items()) if key[0] in wanted]

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        self._maybe_fail()
        wanted = frozenset(panel_client_ids)
        return frozenset(client_id for client_id, panel_client_id in self.matches if panel_client_id in wanted)

    def incoming_answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        self._maybe_fail()
        wanted, answers = frozenset(client_ids), dict[str, list[str]]()
        for panel_client_id, row in sorted(self.incoming.items()):
            if row.client_id is not None and row.client_id in wanted:
                answers.setdefault(row.client_id, []).append(panel_client_id)
        return answers

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        self._maybe_fail()
        known = {link.panel_client_id for link in self.links.values()} | self.incoming.keys()
        others = (x for key, x in sorted(self.accounts.items()) if key > after and key not in known)
        return list(itertools.islice((x for x in others if x.login and not x.external_code and not x.guest), limit))

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        self._maybe_fail()
        for client in clients:
            key, values = client.panel_client_id, {name: _cut(name, client.values.get(name)) for name in BILLING.fields}
            known = self.incoming.get(key)
            self.incoming[key] = replace(known, values=values) if known else StoredIncoming(key, values, at)

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        self._maybe_fail()
        for key in frozenset(panel_client_ids):
            if key in self.incoming and self.incoming[key].client_id is None:
                del self.incoming[key]

    def count_remembered(self, begin: datetime, end: datetime) -> int:
        self._maybe_fail()
        return sum(1 for x in self.accounts.values() if x.modified_at and begin <= x.modified_at <= end)

    def outdated_credit(self, since: datetime | None, until: datetime) -> Sequence[str]:
        self._maybe_fail()
        dated = ((key, _moment(row["as_of"])) for key, row in sorted(self.credit.items()) if key)
        return [key for key, at in dated if at is not None and at < until and (since is None or since <= at)]

    def newest_credit(self) -> datetime | None:
        self._maybe_fail()
        moments = (_moment(row["as_of"]) for row in self.credit.values())
        return max((moment for moment in moments if moment is not None), default=None)

    def group_ids(self) -> Sequence[str]:
        self._maybe_fail()
        with_items = {group_id for group_id, rows in self.items.items() if any(_whole(key) for key in rows)}
        agreed = {key[2] for key in self.agreed if _is_group(key[0]) and key[1] == DISCOUNTS.name}
        known = self.group_names.keys() | with_items | agreed | {key[0] for key in self.prices}
        return sorted(known - {""})

    def groups(self, group_ids: Collection[str]) -> Sequence[Snapshot]:
        self._maybe_fail()
        return [self._group(group_id) for group_id in dict.fromkeys(group_ids) if group_id]

    def group_numbers(self) -> Mapping[str, str]:
        self._maybe_fail()
        kept = ((key, number) for key, number in self.panel_items.items() if number)
        return {key[2]: number for key, number in kept if _is_group(key[0]) and key[1] == DISCOUNTS.name and key[2]}

    def group_members(self, group_ids: Collection[str]) -> Sequence[str]:
        self._maybe_fail()
        wanted = frozenset(group_ids) - {""}
        named = (key for key, card in sorted(self.cards.items()) if card["discount_group_id"] in wanted)
        return [key for key in named if key in self.links]

    def group_items(
        self, group_id: str, after: ItemKey | None, limit: int
    ) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        self._maybe_fail()
        rows = self.items.get(group_id, {})
        if group_id not in self._order:
            self._order[group_id] = sorted(key for key in rows if _whole(key))
        keys = self._order[group_id]
        start = 0 if after is None else bisect_right(keys, after)
        return [(_item(key, rows[key]), self._sent(group_id, key)) for key in keys[start : start + limit]]

    def prices_without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        self._maybe_fail()
        rows = self.items.get(group_id, {})
        keys = sorted(key[1:] for key in self.prices if key[0] == group_id)
        gone = (self._sent(group_id, key) for key in keys if key not in rows)
        return list(itertools.islice((price for price in gone if price), limit))

    def item_statuses(self, group_id: str) -> Mapping[str, Status]:
        self._maybe_fail()
        ours = ((key[2], stored) for key, stored in list(self.statuses.items()) if key[:2] == ("", DISCOUNTS.name))
        return {item_id: stored.status for item_id, stored in ours if _is_of(item_id, group_id)}

    def dated_groups(self, since: datetime | None, until: datetime) -> Sequence[str]:
        self._maybe_fail()
        dates = ((group_id, rows[key]) for group_id, rows in self.items.items() for key in rows if group_id)
        moments = ((group_id, _moment(row[name])) for group_id, row in dates for name in ("valid_from", "valid_to"))
        turned = ((key, at) for key, at in moments if at is not None and (since is None or since < at) and at <= until)
        return sorted({group_id for group_id, _ in turned})

    def doubt_prices(self, group_id: str, keys: Sequence[ItemKey] | None) -> None:
        self._maybe_fail()
        if keys is None:
            keys = [key[1:] for key in self.prices if key[0] == group_id]
        for item_type, item_id in keys:
            key = (group_id, item_type, item_id)
            self.prices[key] = replace(self.prices.get(key, StoredPrice(None, "")), price=None, refused="")

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
        self._maybe_fail()
        for key in removed:
            self.prices.pop((group_id, *key), None)
        for one in sent:
            self.prices[group_id, one.item_type, one.item_id] = StoredPrice(one.price, one.currency, one.refused, at)
        for settlement in settlements:
            self._store(settlement, run_id, at)

    def forget_prices(self, group_id: str) -> None:
        self._maybe_fail()
        self.prices = {key: price for key, price in self.prices.items() if key[0] != group_id}

    # --- how it is done

    def _maybe_fail(self) -> None:
        if self._failures:
            raise self._failures.pop(0)

    def _change(self, operation: str, client_id: str, values: Record, seq: int | None = None) -> None:
        assert values.keys() <= _NEW_CARD.keys(), values
        if operation == "I":
            assert client_id not in self.cards, client_id
            self.cards[client_id] = {**_NEW_CARD, **values}
        elif client_id not in self.cards:
            return
        elif operation == "U":
            self.cards[client_id].update(values)
        else:
            del self.cards[client_id]
        self._note("clients", client_id, client_id, operation, seq=seq)

    def _note(
        self, table: str, client_id: str, row_id: str, operation: str, *, own: bool = False, seq: int | None = None
    ) -> None:
        number = self.next_seq() if seq is None else seq
        self._logged_at[number] = self._clock()
        self.log[number] = LogEntry(number, table, client_id, row_id, operation, own)
        if seq is not None:  # a late one: keep the log in order, so that its head is its last key
            self.log = dict(sorted(self.log.items()))

    def _refuse(self, table: str, key: str, reason: str | None) -> None:
        self._refused.pop((table, key), None)
        if reason is not None:
            self._refused[table, key] = reason

    def _items(self, concern: str) -> dict[str, set[str]]:
        """Return client id -> ids of the items of which anything is known; none for a concern without items."""
        if not CONCERNS[concern].items:
            return {}
        ours = (key for known in (self.agreed, self.intents, self.parked, self.statuses) for key in known)
        raised = ((key[0], c.item_id) for key, some in self._open.items() if key[1] == concern for c in some.values())
        places = [(key[0], key[2]) for key in ours if key[1] == concern]
        places += [(str(row["client_id"] or ""), address_id) for address_id, row in self.addresses.items()]
        items: dict[str, set[str]] = {}
        for client_id, item_id in (*places, *raised):
            if item_id:
                items.setdefault(client_id, set()).add(item_id)
        return items

    def _snapshot(self, concern: str, client_id: str, item_id: str) -> Snapshot:
        key = (client_id, concern, item_id)
        stored = self.statuses.get(key)
        conflicts = self._open.get((client_id, concern), {}).values()
        return Snapshot(
            client_id,
            item_id,
            row=self._item_row(client_id, item_id) if item_id else self._row(concern, client_id),
            link=self.links.get(client_id),
            agreed=self.agreed.get(key),
            intent=self.intents.get(key),
            parked=self.parked.get(key),
            status=stored.status if stored else None,
            conflicts=tuple(_shown(c) for c in conflicts if c.item_id == item_id),
            panel_item_id=self.panel_items.get(key, ""),
        )

    def _waiting(self, concern: str) -> list[tuple[Key, Parked]]:
        """Return what is parked for a concern: of customers, or of groups, never both."""
        concern, groups = _kept(concern)
        return [(key, p) for key, p in self.parked.items() if key[1] == concern and _is_group(key[0]) == groups]

    @staticmethod
    def _asked_for(key: Key) -> str:
        return key[2] if _is_group(key[0]) else key[0]

    def _group(self, group_id: str) -> Snapshot:
        row = {"name": self.group_names[group_id]} if group_id in self.group_names else None
        return replace(self._snapshot(DISCOUNTS.name, "", group_id), row=row, link=None, conflicts=())

    def _sent(self, group_id: str, key: ItemKey) -> SentPrice | None:
        stored = self.prices.get((group_id, *key))
        return SentPrice(*key, stored.price, stored.currency, stored.refused) if stored else None

    def _row(self, concern: str, client_id: str) -> Record | None:
        if concern == CREDIT.name:
            return _credit_row(self.credit[client_id]) if client_id in self.credit else None
        card = self.cards.get(client_id)
        if card is None:
            return None
        row = {name: card[name] for name in COLUMNS[concern]}
        if concern in _WITH_SHOPS:
            row["shops"] = ",".join(str(number) for number in sorted(self.client_shops.get(client_id, ())))
        return row

    def _item_row(self, client_id: str, item_id: str) -> Record | None:
        row = self.addresses.get(item_id)
        return {name: row[name] for name in _ADDRESS} if row and row["client_id"] == client_id else None

    def _write_row(self, settlement: Settlement, again: set[Place], refused: dict[Place, str]) -> None:
        """Write the ERP's own row, or say why not."""
        client_id, item_id = place = settlement.place
        table = CONCERNS[settlement.concern].table
        reason = self._refused.get((table, item_id or client_id))
        if settlement.row_insert is not None:
            present = self.addresses.get(item_id)
            holds = present is None or present["client_id"] != client_id
            reason = f"the id {item_id} belongs to another customer" if present else reason
        else:
            holds = self._still_holds(settlement)
        if not holds:
            again.add(place)
        elif reason is not None:
            refused[place] = reason
        else:
            self._note(table, client_id, item_id or client_id, self._carry_out(settlement), own=True)

    def _still_holds(self, settlement: Settlement) -> bool:
        client_id, item_id = settlement.place
        row = self._item_row(client_id, item_id) if item_id else self.cards.get(client_id)
        seen = {name: edit.seen for name, edit in settlement.row_edits.items()} or settlement.row_delete or {}
        return row is not None and all(row[name] == value for name, value in seen.items())

    def _carry_out(self, settlement: Settlement) -> str:
        """Change the dictionaries and return the letter of the log's operation."""
        client_id, item_id = settlement.place
        if settlement.row_insert is not None:
            self.addresses[item_id] = {**_NEW_ADDRESS, **settlement.row_insert, "client_id": client_id}
            return "I"
        if settlement.row_delete is not None:
            del self.addresses[item_id]
            return "D"
        row = self.addresses[item_id] if item_id else self.cards[client_id]
        row.update(_new_values(settlement.row_edits))
        return "U"

    def _store(self, settlement: Settlement, run_id: str, at: datetime) -> None:
        key = (settlement.client_id, settlement.concern, settlement.item_id)
        if settlement.link:
            account = settlement.link.panel_client_id
            self.links = {key: link for key, link in self.links.items() if link.panel_client_id != account}
            self.links[settlement.link.client_id] = settlement.link
            self.incoming.pop(settlement.link.panel_client_id, None)
        if settlement.candidates is not None:
            self._replace_matches(settlement.client_id, settlement.candidates, at)
        self.history.extend(
            _history(key, written, run_id, at, confirmed=settlement.confirmed) for written in settlement.written
        )
        for note in settlement.conflicts:
            self._note_conflict(key, note, at)
        for number, winner in settlement.close_conflicts.items():
            self._close(number, winner, at)
        (self._forget if settlement.forget else self._place)(key, settlement, at)

    def _forget(self, key: Key, _settlement: Settlement, _at: datetime) -> None:
        for known in (self.agreed, self.panel_items, self.intents, self.parked, self.statuses):
            known.pop(key, None)

    def _place(self, key: Key, settlement: Settlement, at: datetime) -> None:
        if settlement.agreed is not None:
            self.agreed[key] = dict(settlement.agreed)
            self.panel_items[key] = settlement.panel_item_id
        if settlement.status is None:
            return
        self.statuses[key] = _merged(self.statuses.get(key), settlement.status, at)
        if not settlement.keep_intent:
            self.intents.pop(key, None)
        if settlement.keep_parked:
            return
        self.parked.pop(key, None)
        if settlement.parked:
            self.parked[key] = settlement.parked

    def _replace_matches(self, client_id: str, candidates: Sequence[Candidate], at: datetime) -> None:
        before = {key: self.matches.pop(key) for key in [key for key in self.matches if key[0] == client_id]}
        for one in candidates:
            key = (client_id, one.panel_client_id)
            known = before.get(key) or StoredMatch(*key, one.matched_by, one.decision or None, at)
            self.matches[key] = replace(known, matched_by=one.matched_by)

    def _note_conflict(self, key: Key, note: ConflictNote, at: datetime) -> None:
        values = (_text(note.erp_value), _text(note.panel_value), _text(note.base_value))
        same = (c for c in self._open.get(key[:2], {}).values() if (c.item_id, c.field) == (key[2], note.field))
        known = next(same, None)
        if known:
            erp, panel, base = values
            self._put_conflict(replace(known, erp_value=erp, panel_value=panel, base_value=base))
            number = known.id
        else:
            number = next(self._numbers)
            self._put_conflict(StoredConflict(number, *key, note.field, *values, raised_at=at))
        if note.winner and note.carried:
            self._close(number, note.winner, at)
        elif note.winner:
            conflict = self._conflicts[number]
            self._put_conflict(replace(conflict, decision=conflict.decision or str(note.winner)))

    def _close(self, number: int, winner: Side | None, at: datetime) -> None:
        conflict = self._conflicts.get(number)
        if conflict is None or conflict.closed_at:
            return
        decided_at = (conflict.decided_at or at) if conflict.decision else None
        decision = conflict.decision or (winner and str(winner))
        self._put_conflict(replace(conflict, decision=decision, decided_at=decided_at, closed_at=at))

    def _put_conflict(self, conflict: StoredConflict) -> None:
        self._conflicts[conflict.id] = conflict
        still_open = self._open.setdefault((conflict.client_id, conflict.concern), {})
        still_open.pop(conflict.id, None) if conflict.closed_at else still_open.update({conflict.id: conflict})


def _kept(concern: str) -> tuple[str, bool]:
    """Return the concern by which our tables know a concern's records, and whether these are groups."""
    return (DISCOUNTS.name, True) if concern == GROUPS.name else (concern, False)


def _is_group(client_id: str) -> bool:
    return client_id == ""


def _whole(key: ItemKey) -> bool:
    return all(key)


def _is_of(item_id: str, group_id: str) -> bool:
    return item_id.startswith(f"{group_id}/") and "/" in item_id[len(group_id) + 1 :]


def _credit_row(row: Mapping[str, Odd]) -> Record:
    shown = {name: _letters(value) for name, value in row.items() if name not in ("credit_allowed", "as_of")}
    at = _moment(row["as_of"])
    as_of = at.isoformat() if at else _letters(row["as_of"])
    allowed = row["credit_allowed"]
    return {"credit_allowed": allowed if isinstance(allowed, bool) else None, **shown, "as_of": as_of}


def _item(key: ItemKey, row: Mapping[str, Odd]) -> GroupItem:
    figures = {name: _letters(row[name]) for name in _FIGURES}
    dates = {name: _moment(row[name]) or FOREVER.get(str(row[name])) for name in ("valid_from", "valid_to")}
    unreadable = ",".join(name for name, at in dates.items() if at is None and _letters(row[name]))
    return GroupItem(*key, **figures, **dates, unreadable=unreadable)


def _moment(value: Odd) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return moment_of(value) if isinstance(value, str) else None


def _letters(value: Odd) -> str | None:
    return None if value is None else str(value)


def _shown(conflict: StoredConflict) -> OpenConflict:
    decision = Side(conflict.decision) if conflict.decision in tuple(Side) else None
    values = (conflict.erp_value, conflict.panel_value, conflict.base_value)
    return OpenConflict(conflict.id, conflict.field, *values, decision=decision)


def _merged(before: StoredStatus | None, status: Status, at: datetime) -> StoredStatus:
    unchanged = before and (before.status.state, before.status.code) == (status.state, status.code)
    last = at if status.state is State.IN_STEP else before.last_in_step_at if before else None
    return StoredStatus(status, before.since if before and unchanged else at, last)


def _history(key: Key, written: Written, run_id: str, at: datetime, *, confirmed: bool) -> StoredHistory:
    values = (_text(written.before), _text(written.after))
    words = (written.field, str(written.direction), str(written.reason))
    return StoredHistory(at, run_id, *key, *words, *values, risky=is_risky(written) and not confirmed)


def _new_values(edits: Mapping[str, RowEdit]) -> Record:
    return {name: edit.value for name, edit in edits.items()}


def _hint(client_id: str, card: Record) -> CardHint:
    return CardHint(client_id, normal.tax_number(card["nip"], card), normal.email(card["email"], card))


def _among(value: str, wanted: Collection[str] | None) -> bool:
    return value != "" and (wanted is None or value in wanted)


def _candidate(row: StoredMatch) -> Candidate:
    word = (row.decision or "").strip().lower()
    return Candidate(row.client_id, row.panel_client_id, row.matched_by, word if word in _DECISIONS else "")


def _cut(name: str, value: Value) -> Value:
    return value[: BILLING.fields[name].max_length] if isinstance(value, str) else value


def _text(value: Value) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value
