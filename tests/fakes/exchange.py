"""ExchangeDatabase in memory, and beside the port the hands of an ERP: methods that edit cards and decide conflicts.

Fast, since the engine's state machine runs on it. It passes the same contract suite as the real adapter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kartoteka.core.concerns import BILLING
from kartoteka.core.errors import KartotekaError
from kartoteka.core.model import (
    Announcement,
    ConflictNote,
    Intent,
    Link,
    LogEntry,
    OpenConflict,
    Parked,
    Record,
    SeenAccount,
    Settlement,
    Side,
    Snapshot,
    State,
    Status,
    Value,
    Written,
)
from kartoteka.ports import Settled, Span

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "billing": tuple(BILLING.fields),
    "accounts": (*BILLING.fields, "login", "active"),
}
_NEW_CARD: dict[str, Value] = {**dict.fromkeys(COLUMNS["accounts"]), "country_code": "PL", "active": True}

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
    """The exchange tables in dictionaries. ``fail`` makes the next calls raise; ``refuse`` is the ERP's own check."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.cards: dict[str, dict[str, Value]] = {}
        self.links: dict[str, Link] = {}
        self.agreed: dict[Key, Record] = {}
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
        self._refused: dict[str, str] = {}
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
        self._refused.pop(client_id, None)
        if reason is not None:
            self._refused[client_id] = reason

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
        return [self._snapshot(concern, client_id) for client_id in dict.fromkeys(client_ids)]

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        self._maybe_fail()
        wanted = frozenset(panel_client_ids)
        return {x.panel_client_id: x.client_id for x in self.links.values() if x.panel_client_id in wanted}

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
        self._maybe_fail()
        waiting = [(p.due_at, key[0]) for key, p in self.parked.items() if key[1] == concern]
        ready = sorted(pair for pair in waiting if now is None or pair[0] <= now)
        return list(dict.fromkeys(client_id for _, client_id in ready))[:limit]

    def postpone(self, concern: str, client_ids: Collection[str], until: datetime) -> None:
        self._maybe_fail()
        for key in [(client_id, concern, "") for client_id in client_ids]:
            if key in self.parked and self.parked[key].due_at < until:
                self.parked[key] = replace(self.parked[key], due_at=until)

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
        again: set[str] = set()
        refused: dict[str, str] = {}
        for settlement in settlements:
            stored: Settlement | None = settlement
            if settlement.row_edits and not self._edit(settlement, again, refused):
                stored = settlement.fallback
            if stored is not None:
                self._store(stored, run_id, at)
        return Settled(frozenset(again), refused)

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        del at
        self._maybe_fail()
        self.accounts.update({account.panel_client_id: account for account in accounts})

    def remembered(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        self._maybe_fail()
        return {key: self.accounts[key] for key in panel_client_ids if key in self.accounts}

    def count_remembered(self, begin: datetime, end: datetime) -> int:
        self._maybe_fail()
        return sum(1 for x in self.accounts.values() if x.modified_at and begin <= x.modified_at <= end)

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

    def _snapshot(self, concern: str, client_id: str) -> Snapshot:
        key = (client_id, concern, "")
        card = self.cards.get(client_id)
        stored = self.statuses.get(key)
        return Snapshot(
            client_id,
            row=None if card is None else {name: card[name] for name in COLUMNS[concern]},
            link=self.links.get(client_id),
            agreed=self.agreed.get(key),
            intent=self.intents.get(key),
            parked=self.parked.get(key),
            status=stored.status if stored else None,
            conflicts=tuple(_shown(c) for c in self._open.get((client_id, concern), {}).values()),
        )

    def _edit(self, settlement: Settlement, again: set[str], refused: dict[str, str]) -> bool:
        client_id, edits = settlement.client_id, settlement.row_edits
        card = self.cards.get(client_id)
        if card is None or any(card[name] != edit.seen for name, edit in edits.items()):
            again.add(client_id)
            return False
        if client_id in self._refused:
            refused[client_id] = self._refused[client_id]
            return False
        card.update({name: edit.value for name, edit in edits.items()})
        self._note("clients", client_id, client_id, "U", own=True)
        return True

    def _store(self, settlement: Settlement, run_id: str, at: datetime) -> None:
        key = (settlement.client_id, settlement.concern, settlement.item_id)
        if settlement.link:
            self.links[settlement.link.client_id] = settlement.link
        if settlement.agreed is not None:
            self.agreed[key] = dict(settlement.agreed)
        if settlement.status:
            self.statuses[key] = _merged(self.statuses.get(key), settlement.status, at)
        self.history.extend(_history(key, written, run_id, at) for written in settlement.written)
        for note in settlement.conflicts:
            self._note_conflict(key, note, at)
        for number, winner in settlement.close_conflicts.items():
            self._close(number, winner, at)
        if settlement.status is None:
            return
        if not settlement.keep_intent:
            self.intents.pop(key, None)
        self.parked.pop(key, None)
        if settlement.parked:
            self.parked[key] = settlement.parked

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


def _shown(conflict: StoredConflict) -> OpenConflict:
    decision = Side(conflict.decision) if conflict.decision in tuple(Side) else None
    values = (conflict.erp_value, conflict.panel_value, conflict.base_value)
    return OpenConflict(conflict.id, conflict.field, *values, decision=decision)


def _merged(before: StoredStatus | None, status: Status, at: datetime) -> StoredStatus:
    unchanged = before and (before.status.state, before.status.code) == (status.state, status.code)
    last = at if status.state is State.IN_STEP else before.last_in_step_at if before else None
    return StoredStatus(status, before.since if before and unchanged else at, last)


def _history(key: Key, written: Written, run_id: str, at: datetime) -> StoredHistory:
    values = (_text(written.before), _text(written.after))
    return StoredHistory(at, run_id, *key, written.field, str(written.direction), str(written.reason), *values)


def _text(value: Value) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value
