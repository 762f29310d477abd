"""Rows of Kartoteka's own tables as tests see them, in the fake and in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from kartoteka.model import Values


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
    decided_by: str | None = field(default=None, compare=False)
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """A row of ``sync_history``."""

    at: datetime
    run_id: str
    client_id: str
    group_id: str
    concern: str
    item_id: str
    field: str
    direction: str
    reason: str
    value_before: str | None
    value_after: str | None
    counts: bool = False
    passed: bool = False
    found_by: str = ""
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A row of ``sync_matches``."""

    client_id: str
    panel_client_id: str
    matched_by: str
    decision: str | None
    raised_at: datetime
    decided_by: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class StoredIncoming:
    """A row of ``incoming_clients``."""

    panel_client_id: str
    values: Values
    seen_at: datetime
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPrice:
    """A row of ``sync_prices`` beside its key."""

    price: str | None
    currency: str
    refused: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredTombstone:
    """A row of ``sync_forgotten`` beside its digest."""

    client: str
    forgotten_at: datetime
    swept_at: datetime | None = None
    modified_at: datetime | None = None
    registered: date | None = None
    seen_at: datetime | None = None
