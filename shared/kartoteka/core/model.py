"""The nouns of a synchronisation, as immutable data. No behaviour beyond looking at oneself."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime

Value = str | bool | None
"""One field's value, in the exchange database's vocabulary on either side. Empty text and None are both empty."""

Place = tuple[str, str]
"""Client id, and item id (empty for what is not an item): one record of a concern."""

Record = Mapping[str, Value]
"""Field name (the exchange database's column) -> value, as written by the side it came from."""


class Side(enum.StrEnum):
    """One of the two sides that are kept in step."""

    ERP = "erp"
    PANEL = "panel"


class Direction(enum.StrEnum):
    """Which way a concern's or a field's values travel."""

    ERP_TO_PANEL = "erp_to_panel"
    PANEL_TO_ERP = "panel_to_erp"
    BOTH = "both"
    OFF = "off"


class Resolution(enum.StrEnum):
    """What happens when both sides changed one field to different values."""

    ERP = "erp"
    PANEL = "panel"
    HOLD = "hold"


class Empty(enum.StrEnum):
    """Whether emptying a field is an edit that travels."""

    KEEP = "keep"
    ERASE = "erase"


class State(enum.StrEnum):
    """``sync_status.state``."""

    IN_STEP = "in_step"
    PENDING = "pending"
    WAITING = "waiting"
    CONFLICT = "conflict"
    HELD = "held"
    EXCLUDED = "excluded"


class Reason(enum.StrEnum):
    """``sync_history.reason``: why a field was written."""

    EDIT = "edit"
    CREATE = "create"
    FIRST_CONTACT = "first_contact"
    CONFLICT = "conflict"
    DRIFT = "drift"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Link:
    """A customer card and the panel account that is its own (``sync_links``)."""

    client_id: str
    panel_client_id: str
    panel_login: str
    linked_by: str


@dataclass(frozen=True, slots=True)
class Account:
    """A customer account as the panel shows it, in our words.

    ``values`` holds every field of the table of concerns that the panel shows, in the exchange database's vocabulary.
    ``modified_at`` is the panel's own modification date, aware, UTC; None where the panel gave none.
    """

    panel_client_id: str
    login: str
    external_code: str
    values: Record
    modified_at: datetime | None = None
    guest: bool = False


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to open. ``client_id`` becomes the external code and the reference that the answer echoes.

    ``values`` are fields of every concern that the panel takes at creation, the shops among them.
    """

    client_id: str
    login: str
    password: str = attribute(repr=False)
    values: Record = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """Changed fields of one account. The panel addresses accounts by login; ``external_code`` None leaves it alone."""

    client_id: str
    login: str
    values: Record = attribute(repr=False)
    external_code: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A delivery address as the panel shows it, its values by column of the exchange database."""

    panel_address_id: str
    values: Record = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class AddressWrite:
    """A delivery address to be added, changed or deleted in the panel.

    ``panel_address_id`` is empty for one to add. ``values`` are all fields of a new address, the changed ones of a
    known one, none of one to delete. ``shops`` are the customer's: the panel wants them with every address.
    """

    client_id: str
    item_id: str
    login: str
    panel_address_id: str = ""
    values: Record = attribute(default_factory=dict, repr=False)
    shops: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """A record set aside to be tried again (``sync_parked``). ``attempts`` counts refusals, never outages."""

    due_at: datetime
    attempts: int
    tries: int
    code: str


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A row of ``sync_conflicts`` that is not closed; ``decision`` is what a person answered, if anything yet."""

    id: int
    field: str
    erp_value: str | None = attribute(repr=False)
    panel_value: str | None = attribute(repr=False)
    base_value: str | None = attribute(repr=False)
    decision: Side | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """``sync_status`` of one record. ``message`` is a sentence for a person, Polish and English, and stays at home."""

    state: State
    code: str = ""
    message: str = attribute(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """One field that was written on one side: a row of ``sync_history``.

    ``direction`` is the way this value travelled: ``erp_to_panel`` or ``panel_to_erp``.
    """

    field: str
    direction: Direction
    reason: Reason
    before: Value = attribute(repr=False)
    after: Value = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class Intent:
    """What was about to be written into the panel when a record was last worked (``sync_intents``).

    ``creating`` marks the opening of an account, or the adding of an address: where it then exists, every value has
    been carried. ``linked_by`` marks the giving of a card's code to the account ``login``, and says how it was found.
    """

    written: tuple[Written, ...]
    creating: bool = False
    login: str = ""
    linked_by: str = ""

    @property
    def values(self) -> dict[str, Value]:
        """The values by field."""
        return {written.field: written.after for written in self.written}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All the exchange database knows of one customer, or of one item of his, for one concern, read in one go.

    ``row`` is None where the ERP has no such row (any more). ``agreed`` is None before first contact.
    ``panel_item_id`` names the panel's record of an item, as it was agreed on; empty where there is none yet.
    """

    client_id: str
    item_id: str = ""
    row: Record | None = attribute(default=None, repr=False)
    link: Link | None = None
    agreed: Record | None = attribute(default=None, repr=False)
    intent: Intent | None = None
    parked: Parked | None = None
    status: Status | None = None
    conflicts: tuple[OpenConflict, ...] = ()
    panel_item_id: str = ""

    @property
    def place(self) -> Place:
        """Client id and item id."""
        return self.client_id, self.item_id

    @property
    def held(self) -> bool:
        """Whether nothing happens to this record by itself, as its status says."""
        return self.status is not None and self.status.state is State.HELD


@dataclass(frozen=True, slots=True)
class ConflictNote:
    """A conflict to be written down: a new row, or the new values of the field's open row.

    ``winner`` None leaves it open for a person. ``carried`` False: the winner is known and its value is about to be
    written, so the decision is noted and the row stays open until it has been.
    """

    field: str
    erp_value: Value = attribute(repr=False)
    panel_value: Value = attribute(repr=False)
    base_value: Value = attribute(repr=False)
    winner: Side | None = None
    carried: bool = True


@dataclass(frozen=True, slots=True)
class RowEdit:
    """One column of an ERP's row to be written, on the condition that it still holds ``seen``."""

    seen: Value = attribute(repr=False)
    value: Value = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be a card's own (``sync_matches``); ``decision`` is a person's: ``link``, ``create`` or none.

    ``matched_by`` names the rules by which it was found, joined by ``+``.
    """

    client_id: str
    panel_client_id: str
    matched_by: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class CardHint:
    """What a card is recognised by beside its code, normalised."""

    client_id: str
    nip: str = attribute(default="", repr=False)
    email: str = attribute(default="", repr=False)


@dataclass(frozen=True, slots=True)
class IncomingClient:
    """A customer who registered in the shop (``incoming_clients``): his billing columns, by name."""

    panel_client_id: str
    values: Record = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything to be stored for one record after its panel call, in one transaction with its neighbours.

    ``status`` None leaves status, parking place and intent as they are. The ERP's own row is written first, all or
    nothing: ``row_edits`` change columns that still hold what was seen; ``row_insert`` adds an item's row, all its
    columns; ``row_delete`` removes an item's row that still holds these values. Where the ERP was faster, or its
    database refused, ``fallback`` is stored instead and ``settle`` answers the record's place.
    ``agreed`` None leaves the agreement as it is; given, it is stored with ``panel_item_id``. ``forget`` removes the
    record's agreement, intent, parking place and status altogether (``status``, ``agreed``, ``parked`` are not read).
    ``parked`` None takes the record off the parking place; ``keep_parked`` leaves it where it is by now (``parked`` is
    not read). ``confirmed``: a person let these writes pass the brake, so they do not count for it.
    ``close_conflicts`` are ids of open rows that are settled now: id -> winner (None: both became equal).
    ``candidates`` replaces the card's rows in ``sync_matches``, of which one that stays keeps its decision; None leaves
    them. A ``link`` takes its account off ``incoming_clients``, and from any other card: one that the ERP has deleted,
    or that a person decided against.
    """

    client_id: str
    concern: str
    status: Status | None
    item_id: str = ""
    agreed: Record | None = attribute(default=None, repr=False)
    row_edits: Mapping[str, RowEdit] = attribute(default_factory=dict)
    row_insert: Record | None = attribute(default=None, repr=False)
    row_delete: Record | None = attribute(default=None, repr=False)
    panel_item_id: str = ""
    forget: bool = False
    link: Link | None = None
    candidates: tuple[Candidate, ...] | None = None
    written: tuple[Written, ...] = ()
    conflicts: tuple[ConflictNote, ...] = ()
    close_conflicts: Mapping[int, Side | None] = attribute(default_factory=dict)
    parked: Parked | None = None
    keep_intent: bool = False
    keep_parked: bool = False
    confirmed: bool = False
    fallback: Settlement | None = None

    @property
    def place(self) -> Place:
        """Client id and item id."""
        return self.client_id, self.item_id

    @property
    def writes_row(self) -> bool:
        """Whether the ERP's own row is to be written."""
        return bool(self.row_edits) or self.row_insert is not None or self.row_delete is not None


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is written down before a panel call: the intent, and first what settling an earlier intent brought.

    ``before`` holds the agreement and the history that the earlier intent turned out to have made, and the conflicts
    whose losing value the call is about to overwrite.
    """

    client_id: str
    concern: str
    intent: Intent
    item_id: str = ""
    before: Settlement | None = None


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """A discount group of the panel: its number there, and its name."""

    number: str
    name: str


ItemKey = tuple[str, str]
"""A price's kind (``product``, ``producer``, ``series``, ``category``, ``menu_item``) and the panel's id of that."""


@dataclass(frozen=True, slots=True)
class GroupItem:
    """A row of ``discount_group_items``, its figures as text, to the letter as the database has them.

    ``unreadable`` names those of its dates (one, or both joined by a comma) that hold what is no moment; they are None.
    """

    item_type: str
    item_id: str
    price: str | None = None
    rebate_percent: str | None = None
    base_price: str | None = None
    currency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    unreadable: str = ""

    @property
    def key(self) -> ItemKey:
        """Kind and id."""
        return self.item_type, self.item_id


@dataclass(frozen=True, slots=True)
class SentPrice:
    """The price of a group's item that the panel was last sent (``sync_prices``): the panel shows none.

    ``price`` None: a call was under way when the process died, so nobody knows. ``refused`` remembers a
    price that the panel refused: it is not sent again before the row asks for another one.
    """

    item_type: str
    item_id: str
    price: str | None
    currency: str = ""
    refused: str = ""

    @property
    def key(self) -> ItemKey:
        """Kind and id."""
        return self.item_type, self.item_id


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of ``change_log``."""

    seq: int
    table_name: str
    client_id: str
    row_id: str
    operation: str
    own: bool


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """A row of the directory of the panel's accounts (``sync_panel_accounts``), normalised for matching."""

    panel_client_id: str
    login: str
    external_code: str
    nip: str = attribute(repr=False)
    email: str = attribute(repr=False)
    modified_at: datetime | None = None
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A span of modification dates, both ends included, aware, in UTC."""

    begin: datetime
    end: datetime
