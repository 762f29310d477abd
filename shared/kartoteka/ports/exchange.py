"""The exchange database: nine small ports. A reading method costs a fixed number of statements."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from kartoteka.codes import Status
from kartoteka.fields.table import RECOGNISED_BY, Recognised
from kartoteka.model import (
    Candidate,
    Change,
    Ended,
    Key,
    Line,
    Owner,
    Planned,
    PlanRow,
    Record,
    RecordState,
    Values,
    Written,
)

if TYPE_CHECKING:
    from kartoteka.ports.ownership import Ownership
    from kartoteka.ports.panel import Search

REFUSED_BY_ERP, COLUMN_REFUSED = "refused_by_erp", "refused_by_erp.column"
"""The codes of a row that the ERP's own database does not take (:attr:`Saved.refused`), and of one column of it."""

STATUSES = "sync_status"
"""The table in which a person answers of any concern's record; ``row_id`` is ``concern:item_id`` there."""

EXCLUSIONS = "sync_exclusions"
"""The table that says which client is left alone in which concern; ``row_id`` is the concern there, as written."""


def concern_named(text: str) -> str:
    """Return the concern that a row of ``sync_exclusions`` names, read without regard to case and blanks."""
    return text.strip().lower()


Former = Mapping[str, Collection[str]]
"""Field -> the texts that it has held before, on either side."""

Span = tuple[int, int]
"""First and last ``change_log.seq`` of a range, both included."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of ``change_log``."""

    seq: int
    table_name: str
    client_id: str
    group_id: str
    row_id: str
    operation: str

    @property
    def owner(self) -> Owner:
        """Whose row was written."""
        return Owner(self.client_id, self.group_id)

    def is_about(self, concern: str, tables: Collection[str]) -> bool:
        """Whether it is of interest to a concern with these tables."""
        if self.table_name == STATUSES:
            return self.row_id.partition(":")[0] == concern
        if self.table_name == EXCLUSIONS:
            return concern_named(self.row_id) == concern
        return self.table_name in tables


class Unlogged(enum.StrEnum):
    """Why not all that is written into a table is logged: a trigger is not there, or it was switched off."""

    MISSING = "missing"
    DISABLED = "disabled"


class ChangeLog(Protocol):
    """``change_log``: what was written into the ERP's tables, and where the ERP answered in ours."""

    def mark(self, seq: int) -> str | None:
        """Return a fingerprint of one row, None where there is no such row (pruned, or another database)."""
        ...

    def read(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        """Return visible entries inside ``spans``, and the first ``limit`` with ``seq > after``, ordered by ``seq``."""
        ...

    def prune(self, before: datetime) -> None:
        """Remove rows that are older, but for the last one."""
        ...

    def unlogged(self) -> Mapping[str, Unlogged]:
        """Return the tables of which not every write is logged, and why; missing before disabled where both are so."""
        ...

    def recreate_triggers(self) -> None:
        """Make the triggers that are missing, table by table; one that was disabled stays so.

        No table is waited for longer than two seconds: who waits for it keeps the ERP's writers waiting. Raises Retry
        where one was in use for so long, Halt where the role has no right to it; the other tables have theirs by then.
        """
        ...


@dataclass(frozen=True, slots=True)
class Saved:
    """What :meth:`Records.save` could not store as asked, by key.

    ``again``: the ERP changed the row, another client was linked to the account meanwhile, or the client was erased or
    has another code by now, so the record is to be worked again. ``refused``: the ERP's own database refused the row (a
    check, a trigger of its author's), and why. For both ``otherwise`` was stored.
    ``columns``: of a refused row that takes its other columns, those that are refused when each is written alone, and
    why. Nothing of such a row was written.
    """

    again: frozenset[Key] = frozenset()
    refused: Mapping[Key, str] = attribute(default_factory=dict, repr=False)
    columns: Mapping[Key, Mapping[str, str]] = attribute(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Which:
    """Which rows of ``sync_history``: of one run, or of a span of time, of a concern and of a client; empty: any.

    ``since`` belongs to the span, ``until`` does not.
    """

    run_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    concern: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A row of ``sync_history``, its values as they stand there; ``erased``: they do not any more."""

    id: int
    run_id: str
    key: Key
    field: str
    direction: str
    reason: str
    before: str | None = attribute(repr=False)
    after: str | None = attribute(repr=False)
    erased: bool = False


class Renamed(enum.StrEnum):
    """What became of a client's renaming."""

    DONE = "renamed"
    UNKNOWN = "rename_unknown"
    """The former code has no account."""
    STANDS = "rename_stands"
    """The former code's row is in ``clients``."""
    LINKED = "rename_linked"
    """The new code has an account."""
    OPENING = "rename_opening"
    """An account may just have been opened for the new code."""
    ERASED = "rename_erased"
    """The former code's client was erased: it is not to come back under another one."""
    TO_ERASED = "rename_to_erased"
    """The new code is one of a client who was erased."""


class Records(Protocol):
    """Records of every concern: the ERP's rows, links, and what is kept of each."""

    def load(self, concern: str, owners: Collection[Owner]) -> Sequence[Record]:
        """Return what is known of these owners for one concern, all of one moment; each is answered at least once.

        An owner's own record (empty ``item_id``) comes first, then those of its items, by id. ``erp`` holds the columns
        that ``fields.table.CONCERNS`` names, amounts and moments as text to the letter (moments in ISO 8601, UTC), and
        where it says so ``shops``: the ids of ``client_shops``. An item's holds the concern's fields, a group's
        its ``name``.
        """
        ...

    def states(self, concerns: Collection[str], owners: Collection[Owner]) -> Mapping[Key, RecordState]:
        """Return the states of the owners' own records of these concerns, where something is kept of them."""
        ...

    def save(self, changes: Sequence[Change], *, run_id: str, at: datetime, unless_changed: bool = False) -> Saved:
        """Store, in one transaction, what differs between before and after, and nothing where nothing does.

        The ERP's form of a column that was written is what its row holds then: a trigger may have rewritten it. A
        record whose client has another account by now is stored as nothing, and is to be worked again; with
        ``unless_changed`` nothing is stored of one whose state is not any more as it was loaded.
        """
        ...

    def former(self, concern: str, owners: Collection[Owner]) -> Mapping[Owner, Former]:
        """Return what the fields of these clients' own records once held, as far as history and conflicts tell."""
        ...

    def exclusions(self, client_ids: Collection[str]) -> Mapping[str, Collection[str]]:
        """Return client -> the concerns from which it is excluded, of those of these clients that are from any."""
        ...

    def unknown_exclusions(self) -> Sequence[tuple[str, str]]:
        """Return the rows of ``sync_exclusions`` that name a concern that there is not: client, and what is written."""
        ...

    def rename(self, client_id: str, new_id: str) -> Renamed:
        """Give all that is kept of a linked client to its new code, in one transaction.

        Where it is not done, nothing is: the answer says why. What the ERP wrote of either code stays as it is.
        """
        ...

    def said(self, concern: str, code: str) -> Mapping[Key, RecordState]:
        """Return the states of a concern's records whose status has this code, items among them."""
        ...

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        """Return up to ``limit`` ids of ``clients`` greater than ``after``, in the database's own order of keys."""
        ...

    def existing(self, client_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that have a row in ``clients``."""
        ...

    def untouched(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        """Return those ids in ``clients`` that are not linked nor excluded from anything, and of whom nothing is kept.

        Nor is anything said of them for this concern.
        """
        ...

    def gone(self, concern: str, after: str, limit: int) -> Sequence[str]:
        """Return up to ``limit`` ids greater than ``after``, in order, that have no row in ``clients``.

        They are the clients of whom something is kept or said for this concern, who are linked, or who have rows of it.
        """
        ...

    def having(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        """Return those clients who have rows of a concern that not all have: items, a group, a row of its own table."""
        ...

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to ``limit`` pairs of client id (greater than ``after``, in order) and panel client id."""
        ...

    def count_linked(self) -> int:
        """Return how many clients are linked."""
        ...

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[Owner]:
        """Return the owners of deferred records that are due at ``now``, the longest due first; None: due or not."""
        ...

    def postpone(self, concern: str, owners: Collection[Owner], until: datetime) -> None:
        """Let the deferred records of these owners not be due before ``until``: their keys are in the queue."""
        ...

    def counted(self, concern: str, since: datetime, *, prices: bool = False) -> int:
        """Return how many records lost something since then, once for each run; what was let pass is left out.

        ``prices``: of the prices of groups alone; else of all but these.
        """
        ...

    def written(self, concern: str, since: datetime, *, prices: bool = False) -> Collection[Key]:
        """Return the records that were written since then, but for creation, first contact, and what was let pass.

        Nor are those told of which only fields were written that the ERP recomputes (``Rows.recomputed``).
        """
        ...

    def sent_since(self, client_ids: Collection[str], since: datetime) -> frozenset[str]:
        """Return those of these clients of whom anything was written into the panel since then (``sync_history``)."""
        ...

    def past(self, which: Which, after: int, limit: int) -> Sequence[Past]:
        """Return up to ``limit`` rows of ``sync_history`` with an id greater than ``after``, by id."""
        ...

    def count_kept(self, concern: str) -> int:
        """Return how many records of a concern have a base: those that it looks after."""
        ...


Mark = tuple[str, str]
"""By what a client or an account is recognised: the field (a rule of the policy), and the digest of its value."""


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """A row of the account index (``sync_panel_accounts``).

    What it is recognised by is digests (:meth:`AccountIndex.recognised`); of a guest, who is nobody's, there are none.
    """

    panel_client_id: str
    login: str
    external_code: str
    tax_number: str = attribute(repr=False)
    mail: str = attribute(repr=False)
    modified_at: datetime | None = None
    guest: bool = False
    telephone: str = attribute(default="", repr=False)
    registered: date | None = None

    @property
    def marks(self) -> frozenset[Mark]:
        """By what it is recognised beside its code."""
        return _marks(Recognised(self.tax_number, self.mail, self.telephone))


@dataclass(frozen=True, slots=True)
class ClientHint:
    """What a client is recognised by beside its code, as digests (:meth:`AccountIndex.recognised`)."""

    client_id: str
    tax_number: str = attribute(default="", repr=False)
    mail: str = attribute(default="", repr=False)
    telephone: str = attribute(default="", repr=False)

    @property
    def marks(self) -> frozenset[Mark]:
        """By what it is recognised beside its code."""
        return _marks(Recognised(self.tax_number, self.mail, self.telephone))


def _marks(known: Recognised) -> frozenset[Mark]:
    return frozenset((rule, value) for rule, value in zip(RECOGNISED_BY, known, strict=True) if value)


@dataclass(frozen=True, slots=True)
class IncomingClient:
    """Somebody who registered in the shop (``incoming_clients``): the billing columns, by name."""

    panel_client_id: str
    values: Values = attribute(repr=False)


class AccountIndex(Protocol):
    """The account index, and what people answer about whose account is whose."""

    def recognised(self, values: Values) -> Recognised:
        """Return the keyed digests of what a record is recognised by: equal where the normalised values are.

        The index holds these alone: it stands for people who are nobody's clients.
        """
        ...

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        """Write these accounts into the index; of one given twice, the last."""
        ...

    def known(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        """Return the index's rows of these accounts, by id."""
        ...

    def find(self, external_codes: Collection[str], marks: Collection[Mark]) -> Sequence[SeenAccount]:
        """Return the accounts with one of these marks, or with one of these codes as ``same_code`` says, each once."""
        ...

    def crowded(self, marks: Collection[Mark], most: int) -> frozenset[Mark]:
        """Return those of these marks that more than ``most`` accounts have, guests not counted."""
        ...

    def count_seen(self, search: Search, since: datetime | None) -> int:
        """Return how many accounts of the index a search would find; ``since``: of those remembered from then on."""
        ...

    def latest(self, limit: int) -> Sequence[SeenAccount]:
        """Return the accounts of the index that were modified last, the latest first; none without a date."""
        ...

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        """Return panel client id -> client id for the linked ones among these accounts."""
        ...

    def hints(self) -> Sequence[ClientHint]:
        """Return the clients without an account that are recognised by anything beside their code, by id.

        Reads every such client, since the ERP's columns are not normalised: asked once a run, not for each record.
        """
        ...

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        """Return the rows of ``sync_matches`` of these clients."""
        ...

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        """Return the clients that have one of these accounts among their rows of ``sync_matches``."""
        ...

    def answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return client id -> the accounts that the ERP said are its own, in ``incoming_clients``."""
        ...

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        """Return accounts that nobody has and the ERP was not told of, by id, greater than ``after``.

        They have a log-in, no external code and no link, are no guests, and do not stand in ``incoming_clients``.
        """
        ...

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        """Write these into ``incoming_clients``; a known row keeps its ``client_id`` and ``seen_at``."""
        ...

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        """Take those of these accounts off ``incoming_clients`` that the ERP has not answered."""
        ...


PriceKey = tuple[str, str]
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
    def key(self) -> PriceKey:
        """Kind and id."""
        return self.item_type, self.item_id


@dataclass(frozen=True, slots=True)
class SentPrice:
    """The price of a group's item that the panel was last sent (``sync_prices``): the panel shows none.

    ``price`` None: a call was under way when the process died, so it is unknown. ``refused`` is a price that the panel
    refused: it is not sent again before the row asks for another one.
    """

    item_type: str
    item_id: str
    price: str | None
    currency: str = ""
    refused: str = ""

    @property
    def key(self) -> PriceKey:
        """Kind and id."""
        return self.item_type, self.item_id


class Prices(Protocol):
    """Discount groups, the ERP's prices of them, and what the panel was sent."""

    def group_ids(self) -> Sequence[str]:
        """Return the id of every discount group that has a row, items, a base, or prices that were sent."""
        ...

    def numbers(self) -> Mapping[str, str]:
        """Return group id -> the panel's number, of all groups that have one."""
        ...

    def members(self, group_ids: Collection[str]) -> Sequence[str]:
        """Return the linked clients whose row names one of these groups."""
        ...

    def items(self, group_id: str, after: PriceKey | None, limit: int) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        """Return up to ``limit`` items of a group beyond ``after``, in the database's order, with what was sent."""
        ...

    def without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        """Return prices that were sent, or may have been, of items that have no row (any more)."""
        ...

    def statuses(self, group_id: str) -> Mapping[str, Status]:
        """Return item id (``product/1017``) -> status of those of a group's items that have one."""
        ...

    def decisions(self, group_id: str) -> Mapping[str, str]:
        """Return item id -> a person's word, to the letter, of those of a group's items about which there is one."""
        ...

    def dated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return groups with an item whose ``valid_from`` or ``valid_to`` is after ``since`` and up to ``until``."""
        ...

    def doubt(self, group_id: str, keys: Sequence[PriceKey] | None) -> None:
        """Note that these prices are unknown (None: all of the group's that were sent): a call is about to be made.

        What the panel refused is forgotten with it.
        """
        ...

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
        """Store, in one transaction, prices that the panel took, those it removed, and what is to be said of them."""
        ...

    def count_sent(self, group_id: str = "") -> int:
        """Return how many prices the panel was sent, or may have been: of one group, or of all."""
        ...

    def forget(self, group_id: str) -> None:
        """Forget every price that was sent to a group: it is not there any more."""
        ...

    def remove_all(
        self, concern: str, group_id: str, removal: Written, *, run_id: str, at: datetime, found_by: str = ""
    ) -> None:
        """Forget every price of a group that was deleted by us, each with a row of the history like ``removal``.

        The brake counts them there. Of prices that may or may not have arrived there is none.
        """
        ...


class Figures(Protocol):
    """The age of the figures in ``client_credit``."""

    def outdated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return the clients whose ``as_of`` is before ``until``, and not before ``since`` if given, by id."""
        ...

    def newest(self, until: datetime) -> datetime | None:
        """Return the newest ``as_of`` that is not after ``until``, None where no row has one."""
        ...


class Pauses(Protocol):
    """What is stopped, by a person or by the brake, and since when the brake counts; it outlives the cloud's state."""

    def paused(self) -> Mapping[str, str]:
        """Return concern -> reason of those that are paused."""
        ...

    def causes(self) -> Mapping[str, str]:
        """Return concern -> the code of what has stopped it, of those that are paused for a cause that has one."""
        ...

    def since(self) -> Mapping[str, datetime]:
        """Return concern -> since when it is paused, of those of which that is known."""
        ...

    def pause(self, concern: str, reason: str, *, at: datetime, code: str = "") -> None:
        """Pause this concern; a later reason replaces an earlier one. ``code`` says what has stopped it."""
        ...

    def resume(self, concern: str, *, released_at: datetime | None = None) -> None:
        """End the pause of this concern, if there is one; by a person's word the brake counts anew from then."""
        ...

    def released(self, concern: str) -> datetime | None:
        """Return when a person last let pass what the brake had stopped."""
        ...


NOT_WRITTEN = (Planned.CONFLICT, Planned.QUESTION, Planned.HELD)
"""What stands in a plan and writes nothing but what a person is asked."""


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What is stored of a plan, in one transaction. Rows are named by their ``id``.

    ``new`` are lines without a row yet. ``gone`` are rows that are not planned any more: they go, but those that a
    person has approved meanwhile stay, ``stale``. ``kept`` are the others of their records: what a person has said of
    them meanwhile was said of something else, and is taken back. ``ended``: rows that get this outcome. ``refused``:
    lines that stand there for the record alone, refused at once.
    """

    new: Sequence[Line] = ()
    gone: Collection[int] = ()
    kept: Collection[int] = ()
    ended: Mapping[int, Ended] = attribute(default_factory=dict)
    refused: Sequence[Line] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.new or self.refused or self.gone or self.kept or self.ended)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Open rows of ``sync_plan``, whole records at a time: of a concern, of a client, or with these ids; empty: all.

    ``as_of``: without those of a record of which anything was planned later than that. ``ended``: in a list also those
    with an outcome. ``undecided``: without rows of which a person has said anything. ``undo``: of an undo, or without
    them; None: both. ``action``: rows of this action alone; a word is said of the whole records that have one.
    """

    concern: str = ""
    client_id: str = ""
    ids: Collection[int] = ()
    as_of: datetime | None = None
    ended: bool = False
    undecided: bool = False
    undo: bool | None = None
    action: str = ""


class Plans(Protocol):
    """``sync_plan``: what would be done, and what a person said to it. A row without an outcome is open."""

    def rows(self, owners: Collection[Owner]) -> Sequence[PlanRow]:
        """Return all rows of these owners, of every concern, by id."""
        ...

    def having(self, concern: str, owners: Collection[Owner]) -> frozenset[Owner]:
        """Return those of these owners who have open rows of a concern, those of an ``undo`` not among them."""
        ...

    def undoing(self, concern: str, owners: Collection[Owner]) -> Mapping[Key, Sequence[PlanRow]]:
        """Return the open rows of an ``undo`` that a person has approved, of these owners' records of a concern.

        A record's rows are approved together; where what was said contradicts itself, none is.
        """
        ...

    def approved(self, concern: str, limit: int, *, undo: bool) -> Sequence[Owner]:
        """Return up to ``limit`` owners with open rows of a concern that a person has approved, by their first row.

        Those of an ``undo`` alone, or all others.
        """
        ...

    def store(self, change: PlanChange, *, at: datetime) -> None:
        """Store what has changed of a plan: :class:`PlanChange`."""
        ...

    def drop(self, concern: str, *, linked_only: bool = False) -> None:
        """Remove the open rows of a concern that is not only planned any more, but those of an ``undo``.

        ``linked_only``: those of clients without an account stay, since they stand in the plan to give them one.
        """
        ...

    def prune(self, before: datetime) -> None:
        """Remove rows with an outcome that were planned before then."""
        ...

    def open(self, chosen: Chosen, after: int, limit: int) -> Sequence[PlanRow]:
        """Return up to ``limit`` open rows with an id greater than ``after``, by id."""
        ...

    def records(self, chosen: Chosen) -> Mapping[str, int]:
        """Return concern -> how many records have open rows that are not of ``NOT_WRITTEN``."""
        ...

    def newest(self) -> datetime | None:
        """Return when the latest open row was planned; None where there is none."""
        ...

    def decide(self, chosen: Chosen, decision: str | None, by: str) -> int:
        """Write a person's word (None: take it back) into the open rows of all chosen records; return how many rows.

        With ids those of their records are meant too: a record's rows are decided together, those of an ``undo`` apart
        from what is planned of it. Without ids records that are decided already are left alone. ``by`` empty: the
        database says who it was, where its engine knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That somebody was erased: the keyed digest of a client's code, or of an account's number of that ``client``."""

    digest: str
    client: str


class Forgotten(Protocol):
    """Who was erased and is not to come back (``sync_forgotten``), and the erasing itself."""

    def found(self, client_id: str) -> Mapping[str, int]:
        """Return table -> how many of its rows :meth:`forget` would erase, where there are any."""
        ...

    def is_forgotten(self, client_id: str) -> bool:
        """Return whether a client was erased."""
        ...

    def known_as(self, client_id: str) -> Sequence[str]:
        """Return the codes that go when this client is erased: the one it has now first, then its former ones.

        ``client_id`` may be a former code of a client that was renamed, as long as the account carries it. A former
        code that another client has, by a row in ``clients`` or by a link, is that client's.
        """
        ...

    def accounts(self, accounts: Collection[SeenAccount]) -> frozenset[str]:
        """Return the ids of those of these accounts that belonged to an erased client, or carry its code."""
        ...

    def forget(self, client_id: str, *, at: datetime) -> Mapping[str, int]:
        """Erase a client and its accounts and leave tombstones, in one transaction; return what :meth:`found` told.

        Each code by which it is known (:meth:`known_as`) has a tombstone. Of a client with a row in ``clients`` one
        status stays: ``accounts``, code ``forgotten``.
        """
        ...

    def allow(self, client_id: str) -> bool:
        """Remove a client's tombstones, by any of its codes; False where it has none."""
        ...

    def tombstones(self, client_id: str | None = None) -> frozenset[Tombstone]:
        """Return all tombstones, or those of a client, by any of its codes."""
        ...

    def restore(self, tombstones: Collection[Tombstone], *, at: datetime) -> int:
        """Write those of these tombstones that are missing; return how many."""
        ...

    def to_be_swept(self, before: datetime) -> bool:
        """Return whether somebody was erased before then whose erasure was not made once more since."""
        ...

    def sweep(self, before: datetime, *, at: datetime) -> Mapping[str, int]:
        """Erase once more whatever is there of anybody with a tombstone; return table -> rows.

        That is noted of those who were erased before ``before``.
        """
        ...

    def expire(self, before: datetime, limit: int, *, at: datetime) -> int:
        """Take the values of up to ``limit`` rows of history, and of conflicts closed, before then; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """The nine ports of one exchange database."""

    log: ChangeLog
    records: Records
    index: AccountIndex
    prices: Prices
    figures: Figures
    pauses: Pauses
    plans: Plans
    forgotten: Forgotten
    ownership: Ownership

    @property
    def identity(self) -> str:
        """Something that differs once another database stands at the same address; empty where that cannot be."""
        return ""

    def rest(self) -> None:
        """Let go, between two runs, of what must not stay open."""
