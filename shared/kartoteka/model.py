"""What is compared and stored: a record, its state, and a change of both. Immutable data, no behaviour of its own."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from kartoteka.codes import Status
from kartoteka.errors import Reject, Retry

Value = str | bool | tuple[int, ...] | None
"""One field's value, in the exchange database's vocabulary on either side.

A tuple holds ids, in ascending order, each once. None, the empty text and the empty tuple are all empty.
"""

Values = Mapping[str, Value]
"""Field name (the exchange database's column) -> value, as written by the side it came from."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Side(enum.StrEnum):
    """One of the two sides that are kept in step."""

    ERP = "erp"
    PANEL = "panel"

    @property
    def other(self) -> Side:
        """The side across."""
        return Side.ERP if self is Side.PANEL else Side.PANEL


class Direction(enum.StrEnum):
    """Which way a concern's or a field's values travel."""

    ERP_TO_PANEL = "erp_to_panel"
    PANEL_TO_ERP = "panel_to_erp"
    BOTH = "both"
    OFF = "off"


TOWARDS: Mapping[Side, Direction] = MappingProxyType(
    {Side.PANEL: Direction.ERP_TO_PANEL, Side.ERP: Direction.PANEL_TO_ERP}
)
"""The side that is written -> the direction in which its new value travelled."""


class Resolution(enum.StrEnum):
    """What happens when both sides changed one field to different values."""

    ERP = "erp"
    PANEL = "panel"
    HOLD = "hold"

    @property
    def winner(self) -> Side | None:
        """The side whose value counts; None: a person decides."""
        return None if self is Resolution.HOLD else Side(self.value)


class Empty(enum.StrEnum):
    """Whether emptying a field is an edit that travels."""

    KEEP = "keep"
    ERASE = "erase"


class Decision(enum.StrEnum):
    """What a person answers in ``sync_status.decision``."""

    RETRY = "retry"
    """Try again now: what was refused and when it is due is forgotten."""
    DONE = "done"
    """Settled by hand: what both sides show is the base."""
    SEND = "send"
    """Let a value pass that waits for confirmation."""


class MatchDecision(enum.StrEnum):
    """What a person answers in ``sync_matches.decision`` about an account that a client may have."""

    LINK = "link"
    CREATE = "create"

    @classmethod
    def read(cls, text: str | None) -> str:
        """Return the answer that a person's text is; empty for any other text."""
        word = (text or "").strip().lower()
        return word if word in set(cls) else ""


class Reason(enum.StrEnum):
    """``sync_history.reason``: why a field was written."""

    EDIT = "edit"
    CREATE = "create"
    FIRST_CONTACT = "first_contact"
    CONFLICT = "conflict"
    DRIFT = "drift"
    UNDO = "undo"


FIRST = (Reason.CREATE, Reason.FIRST_CONTACT)
"""Why a field is written that was never compared before."""


class Owner(NamedTuple):
    """Whom a record belongs to: a client or a discount group; the other one's id is empty."""

    client_id: str = ""
    group_id: str = ""


class Key(NamedTuple):
    """What names a record. ``item_id`` is empty for the owner's own record."""

    client_id: str
    group_id: str
    concern: str
    item_id: str = ""

    @property
    def owner(self) -> Owner:
        """The client or the group."""
        return Owner(self.client_id, self.group_id)


class Sent(NamedTuple):
    """What is remembered of a value that the panel took with an OK and has not shown since.

    ``at``: when the answer came, by the panel's clock. ``former``: what the panel's field held, and what we sent, since
    both sides last agreed on it. ``ask_at``: when the panel is asked for it, if it was not shown before. ``times``: how
    often it was sent. ``seen``: a former value was shown since it was last sent.
    """

    at: datetime
    former: tuple[Value, ...]
    ask_at: datetime
    times: int = 1
    seen: bool = False


class Forms(NamedTuple):
    """The base: the form that each side had of each field when both last agreed.

    Of a field in ``sent`` the panel's form is not known until it is shown: ``panel`` lacks it, and ``erp`` holds what
    was sent. One that ``panel`` lacks for another reason may have been sent by a call that was never answered.
    """

    erp: Values
    panel: Values
    sent: Mapping[str, Sent] = NOTHING


NO_FORMS = Forms(NOTHING, NOTHING)


class Note(NamedTuple):
    """What is remembered of a field beside its base; ``value`` and ``text`` may quote the record.

    DRIFT: a side was corrected ``times`` times running, and each time it held ``value`` in place of what was written.
    STANDS: the panel shows ``value``, which is neither corrected (any more) nor carried, for the reason ``code``.
    REFUSED: ``value`` was refused with ``code`` and, by the panel, with this ``text``; it is not sent again.
    REFUSED_TOGETHER: the same, by a refusal that named no field: all values of that call, until one of them changes.
    ``country`` is the record's when the value was refused: some values are judged by it.
    """

    kind: str
    value: str
    times: int = 1
    code: str = ""
    text: str = ""
    country: str = ""


DRIFT, STANDS, REFUSED, REFUSED_TOGETHER = "drift", "stands", "refused", "refused_together"


@dataclass(frozen=True, slots=True)
class Link:
    """A client and the panel account that is its own (``sync_links``).

    ``former_code``: the client was renamed, and its account carries this code until it is given the new one.
    """

    client_id: str
    panel_client_id: str
    panel_login: str
    linked_by: str
    former_code: str = ""


class FoundBy(enum.StrEnum):
    """``sync_history.found_by``: the pass that brought a record to the run which wrote the field."""

    CHANGE_LOG = "change_log"
    FULL_SCAN = "full_scan"
    PANEL_FEED = "panel_feed"
    ADDRESSES = "address_pass"
    GROUP_READING = "group_reading"
    DATES = "dates"
    RETRY = "retry"
    PLAN = "plan"
    RESYNC = "resync"
    FOLLOWING = "following"


@dataclass(frozen=True, slots=True)
class Written:
    """A field that was written on one side: a row of ``sync_history``.

    ``direction`` is the way the value travelled. ``counts``: it takes something away.
    ``passed``: a person, or the policy, has let it pass; the brake does not count it. ``field`` is empty for an account
    that was opened; ``after`` is then the JSON text of all its values.
    """

    field: str
    direction: Direction
    reason: Reason
    before: Value = attribute(repr=False)
    after: Value = attribute(repr=False)
    counts: bool = False
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """What was about to be written into the panel when a call began.

    ``making`` marks the opening of an account, or the making of an item or a group. ``login`` is the name that was
    asked for, or of the account that was being given the client's code; ``linked_by`` then says how it was found.
    ``existing`` are the panel's ids of what looked alike before the call.
    """

    written: tuple[Written, ...]
    making: bool = False
    login: str = ""
    linked_by: str = ""
    existing: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Value]:
        """The values by field."""
        return {written.field: written.after for written in self.written}


LONGEST_DEFERRAL = timedelta(hours=2)
"""Longer than anything is put off."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """When a record is tried again by itself. ``attempts`` counts refusals, ``tries`` also outages.

    ``unread_since``: when the panel first failed to answer about it, where it has not answered since.
    """

    due_at: datetime
    attempts: int
    tries: int
    code: str
    unread_since: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Return whether its time has not come; one further ahead than any pause was set by a clock that ran ahead."""
        return now < self.due_at <= now + LONGEST_DEFERRAL


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row of ``sync_conflicts`` that is not closed; ``decision`` is what a person answered, if anything yet."""

    id: int
    field: str
    erp_value: str | None = attribute(repr=False)
    panel_value: str | None = attribute(repr=False)
    base_value: str | None = attribute(repr=False)
    decision: Side | None = None


@dataclass(frozen=True, slots=True)
class ConflictNote:
    """A conflict to be written down: a new row, or the new values of the field's open row.

    ``winner`` None leaves it open for a person. With a ``winner`` and not ``closed``, the decision is noted and the row
    stays open until the winner's value has been carried.
    """

    field: str
    erp_value: Value = attribute(repr=False)
    panel_value: Value = attribute(repr=False)
    base_value: Value = attribute(repr=False)
    winner: Side | None = None
    closed: bool = True


@dataclass(frozen=True, slots=True)
class RecordState:
    """What the exchange database keeps of a record. ``panel_id`` is the panel's id of an item or a group.

    ``decision`` is what a person wrote into ``sync_status.decision``, to the letter; empty: nothing. A change that ends
    it has taken it.
    """

    base: Forms | None = attribute(default=None, repr=False)
    panel_id: str = ""
    notes: Mapping[str, Note] = attribute(default_factory=dict, repr=False)
    intent: Intent | None = None
    deferral: Deferral | None = None
    status: Status | None = None
    decision: str = ""


NOTHING_KEPT = RecordState()
"""The state of a record of which nothing is kept."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one key, read in one go.

    ``erp`` is the ERP's row as the policy reads it; None where there is none. ``has_client``: there is a row in
    ``clients``; ``odd_key``: there is one, or one of its items, whose key is no text. ``exclusions``: the concerns in
    which the client is to be left alone (``sync_exclusions``). ``undo``: the rows of an undo that a person approved.
    ``facts`` is what the concern found out when it loaded the record.
    ``forgotten``: the client was erased, and its row still stands; it is loaded as one that is not there.
    ``found_by``: the pass that brought it to this run, empty where none did; what is written of it says so.
    """

    key: Key
    erp: Values | None = attribute(default=None, repr=False)
    link: Link | None = None
    state: RecordState = NOTHING_KEPT
    conflicts: tuple[Conflict, ...] = ()
    has_client: bool = True
    odd_key: bool = False
    exclusions: frozenset[str] = frozenset()
    undo: tuple[PlanRow, ...] = ()
    forgotten: bool = False
    facts: Any = attribute(default=None, repr=False)
    found_by: str = attribute(default="", compare=False)

    @property
    def excluded(self) -> bool:
        """Whether the client is to be left alone in this concern."""
        return self.key.concern in self.exclusions

    @property
    def code(self) -> str:
        """The code of its status; empty where it has none."""
        return self.state.status.code if self.state.status else ""

    @property
    def decision(self) -> str:
        """A person's word about it, as one reads it: a :class:`Decision`, or one that means nothing; empty: none."""
        return self.state.decision.strip().lower()


BY_HAND = "by_hand"
"""The code of what was settled by hand and is left alone since."""
FORGOTTEN = "forgotten"
"""The code of what is said of a client who was erased."""


def erased(key: Key, state: RecordState | None, *, is_there: bool) -> Record:
    """Return the record of a client who was erased: nothing of it but that this is said already.

    ``is_there``: its row stands.
    """
    said = state.status if state and state.status and state.status.code == FORGOTTEN else None
    return Record(key, state=RecordState(status=said), has_client=False, forgotten=is_there)


class Edit(NamedTuple):
    """One column of an ERP's row to be written, on the condition that it still holds ``seen``."""

    seen: Value
    value: Value


@dataclass(frozen=True, slots=True)
class RowWrite:
    """What is to be done with the ERP's own row: columns edited, the row inserted, or deleted while it holds these."""

    edits: Mapping[str, Edit] = attribute(default_factory=dict, repr=False)
    insert: Values | None = attribute(default=None, repr=False)
    delete: Values | None = attribute(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be a client's own (``sync_matches``); ``decision``: ``link``, ``create`` or empty.

    ``matched_by`` names the rules by which it was found, joined by ``+``.
    """

    client_id: str
    panel_client_id: str
    matched_by: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A record's state before (``record``) and ``after``, and what else is stored in the same transaction.

    The ERP's own row is written first, all or nothing; where the ERP was faster, or its database refused,
    ``otherwise`` is stored instead. ``closed``: ids of open conflicts that are settled now -> winner (None: both sides
    became equal). ``candidates`` replace the client's rows in ``sync_matches``, of which one that stays keeps its
    decision; None leaves them. A ``link`` takes its account off ``incoming_clients``, and from a client that is gone;
    where the account is another one's, ``otherwise`` is stored, and nothing else of this client in that save.
    ``unlinked``: the client loses its account; ``recoded``: it carries the new code of a renamed client.
    ``planned``: rows of ``sync_plan`` that it carries out, or was refused -> their outcome; ``replanned``: lines that
    are planned in the place of those that are ``stale``.
    """

    record: Record
    after: RecordState
    written: tuple[Written, ...] = ()
    conflicts: tuple[ConflictNote, ...] = ()
    closed: Mapping[int, Side | None] = attribute(default_factory=dict)
    row: RowWrite | None = None
    link: Link | None = None
    candidates: tuple[Candidate, ...] | None = None
    otherwise: Change | None = None
    unlinked: bool = False
    recoded: bool = False
    planned: Mapping[int, Ended] = attribute(default_factory=dict)
    replanned: tuple[Line, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to store."""
        return bool(
            (self.after is not self.record.state and self.after != self.record.state)
            or self.written
            or self.conflicts
            or self.closed
            or self.row
            or self.link
            or self.unlinked
            or self.recoded
            or self.candidates is not None
            or self.planned
        )


def with_erp_forms(change: Change, shown: Values | None) -> Change:
    """Return a change whose base has the ERP's forms: what its row shows in place of what was written (``shown``)."""
    base = change.after.base
    if base is None or not shown:
        return change
    forms = {name: value for name, value in shown.items() if name in base.erp}
    return replace(change, after=replace(change.after, base=base._replace(erp={**base.erp, **forms})))


@dataclass(frozen=True, slots=True)
class Done:
    """The panel carried this record out.

    ``panel_client_id`` and ``login`` are given for an opened account, ``item_id`` (the panel's own) for an added item.
    ``at``: when it was answered, by the panel's clock, where that is known.
    """

    panel_client_id: str = ""
    login: str = ""
    item_id: str = ""
    at: datetime | None = None


class Planned(enum.StrEnum):
    """``sync_plan.action``: what would be done with a record, or with one field of it."""

    CREATE = "create"
    LINK = "link"
    OPEN = "open"
    CLOSE = "close"
    ADOPT = "adopt"
    UPDATE = "update"
    ADD = "add"
    REMOVE = "remove"
    CONFLICT = "conflict"
    QUESTION = "question"
    HELD = "held"


class Ended(enum.StrEnum):
    """``sync_plan.outcome``: what became of what a person approved."""

    DONE = "done"
    STALE = "stale"
    """The record's facts had changed: it was left alone, and planned again."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """What one row of ``sync_plan`` says of a record: two rows that say the same are the same row.

    ``field`` is empty for what is about the whole record. ``value_from`` is what stands where it would be written, and
    ``value_to`` what would be written; of a conflict they are the panel's value and the ERP's. ``reason`` is why: a
    :class:`Reason`, the code of what is held, or the rule by which an account was found.
    """

    key: Key
    action: Planned
    field: str = ""
    direction: str = ""
    value_from: str | None = attribute(default=None, repr=False)
    value_to: str | None = attribute(default=None, repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of ``sync_plan``. ``decision`` is a person's word, to the letter; ``outcome`` None: it is still planned."""

    id: int
    planned_at: datetime
    line: Line
    decision: str = ""
    decided_by: str = ""
    outcome: Ended | None = None


def word_of(rows: Iterable[PlanRow]) -> str:
    """Return what a person said of a record by these rows, which are decided together; empty: nothing, or two words."""
    words = {row.decision.strip().lower() for row in rows} - {""}
    return words.pop() if len(words) == 1 else ""


Outcome = Done | Reject | Retry
"""What became of one record of a bulk call: done, refused, or unknown and to be tried again."""
