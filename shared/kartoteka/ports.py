"""What the engine asks of the world: four small ports, plural, in our own words.

Every implementation, the fakes among them, passes the contract suite in ``tests/contract``. A port raises
:class:`~kartoteka.core.errors.Retry` or :class:`~kartoteka.core.errors.Halt` when a whole call failed; what is wrong
with one record is an answer, never an exception.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kartoteka.core.errors import Reject, Retry
from kartoteka.core.model import (
    Account,
    AccountUpdate,
    Address,
    AddressWrite,
    Announcement,
    Candidate,
    CardHint,
    GroupItem,
    IncomingClient,
    ItemKey,
    LogEntry,
    NewAccount,
    PanelGroup,
    Place,
    SeenAccount,
    SentPrice,
    Settlement,
    Snapshot,
    Status,
    Window,
)

Span = tuple[int, int]
"""First and last ``change_log.seq`` of a range, both included."""


@dataclass(frozen=True, slots=True)
class Done:
    """The panel carried this record out.

    ``panel_client_id`` and ``login`` are given for an opened account, ``item_id`` (the panel's own) for an added item.
    """

    panel_client_id: str = ""
    login: str = ""
    item_id: str = ""


Outcome = Done | Reject | Retry
"""What became of one record of a bulk call: done, refused, or unknown and to be tried again."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What :meth:`ExchangeDatabase.settle` could not store as asked, by place.

    ``again``: the ERP changed the row meanwhile, so the record is to be looked at again.
    ``refused``: the ERP's own database refused the row edit (a check, a trigger of its author's), and why.
    """

    again: frozenset[Place] = frozenset()
    refused: Mapping[Place, str] = field(default_factory=dict, repr=False)


class ExchangeDatabase(Protocol):
    """The exchange tables. Each reading method costs a fixed number of statements, however many keys it is given."""

    def log_head(self) -> int:
        """Return the highest ``seq`` in ``change_log``, 0 where it is empty."""
        ...

    def log_mark(self, seq: int) -> str | None:
        """Return a fingerprint of one log row, None where there is no such row (pruned, or another database)."""
        ...

    def read_log(self, after: int, spans: Sequence[Span], limit: int) -> Sequence[LogEntry]:
        """Return visible entries inside ``spans``, and the first ``limit`` with ``seq > after``, ordered by ``seq``."""
        ...

    def prune_log(self, before: datetime) -> None:
        """Remove log rows that are older, but for the last one."""
        ...

    def client_ids(self, after: str, limit: int) -> Sequence[str]:
        """Return up to ``limit`` card ids greater than ``after``, in the database's own order of keys."""
        ...

    def existing_cards(self, client_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that have a row in ``clients``."""
        ...

    def snapshots(self, concern: str, client_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these customers for one concern; every id asked for is answered at least once.

        A customer's own snapshot (empty ``item_id``) comes first, then those of his items, by id. The row of
        ``accounts`` and ``billing`` holds the columns of ``clients``; that of ``accounts``, ``shops`` and
        ``delivery_addresses`` holds ``country_code``, ``language`` and ``shops``: the ids of ``client_shops`` in
        ascending order, joined by commas, empty where there are none. An item's row holds the fields of its concern.
        That of ``discounts`` holds ``discount_group_id``; that of ``credit`` is the customer's in ``client_credit``:
        its amounts and days as text, to the letter, ``as_of`` in ISO 8601, UTC.
        """
        ...

    def owners(self, panel_client_ids: Collection[str]) -> Mapping[str, str]:
        """Return panel client id -> client id for the linked ones among these accounts."""
        ...

    def linked(self, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to ``limit`` pairs of client id (greater than ``after``, in order) and panel client id."""
        ...

    def count_linked(self) -> int:
        """Return how many customers are linked."""
        ...

    def with_items(self, concern: str, client_ids: Collection[str]) -> frozenset[str]:
        """Return those customers who have something of a concern that not all have.

        Rows of delivery addresses, a discount group, a row of credit.
        """
        ...

    def risky_writes(self, concern: str, since: datetime) -> int:
        """Return how many records this concern has written since then that count for the brake, by ``sync_history``.

        A record counts once for each run that wrote it.
        """
        ...

    def due(self, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
        """Return client ids parked for this concern and due at ``now``; None: due or not."""
        ...

    def postpone(self, concern: str, client_ids: Collection[str], until: datetime) -> None:
        """Let these parked customers not be due before ``until``: their keys are in the queue."""
        ...

    def announce(self, announcements: Sequence[Announcement], *, run_id: str, at: datetime) -> None:
        """Write down what is about to be sent, in one transaction with what must be known before."""
        ...

    def settle(self, settlements: Sequence[Settlement], *, run_id: str, at: datetime) -> Settled:
        """Store these settlements in one transaction whose writes are marked as our own."""
        ...

    def remember(self, accounts: Sequence[SeenAccount], *, at: datetime) -> None:
        """Write these accounts into the directory of the panel's accounts."""
        ...

    def remembered(self, panel_client_ids: Collection[str]) -> Mapping[str, SeenAccount]:
        """Return the directory's rows of these accounts."""
        ...

    def directory(
        self, external_codes: Collection[str], nips: Collection[str], emails: Collection[str]
    ) -> Sequence[SeenAccount]:
        """Return the accounts that carry one of these codes, or these normalised tax numbers or e-mails, each once."""
        ...

    def hints(self, nips: Collection[str] | None, emails: Collection[str] | None) -> Sequence[CardHint]:
        """Return the cards without an account that have one of these normalised tax numbers or e-mails; None: any.

        Reads every such card, since the ERP's columns are not normalised: asked once a run, not for each record.
        """
        ...

    def candidates(self, client_ids: Collection[str]) -> Sequence[Candidate]:
        """Return the rows of ``sync_matches`` of these cards."""
        ...

    def contenders(self, panel_client_ids: Collection[str]) -> frozenset[str]:
        """Return the cards that have one of these accounts among their rows of ``sync_matches``."""
        ...

    def incoming_answers(self, client_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return client id -> ids of the panel's accounts that the ERP said are his, in ``incoming_clients``."""
        ...

    def strangers(self, after: str, limit: int) -> Sequence[SeenAccount]:
        """Return accounts of the directory that nobody has and nobody was told of, by id, greater than ``after``.

        They have a log-in, no external code and no link, are no guests, and stand not in ``incoming_clients``.
        """
        ...

    def list_incoming(self, clients: Sequence[IncomingClient], *, at: datetime) -> None:
        """Write these customers into ``incoming_clients``; a known row keeps its ``client_id`` and ``seen_at``."""
        ...

    def unlist_incoming(self, panel_client_ids: Collection[str]) -> None:
        """Take those of these accounts off ``incoming_clients`` that the ERP has not answered."""
        ...

    def outdated_credit(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return the customers whose ``client_credit.as_of`` is before ``until``, and not before ``since`` if given."""
        ...

    def newest_credit(self) -> datetime | None:
        """Return the newest ``as_of`` of ``client_credit``, None where no row has one."""
        ...

    def group_ids(self) -> Sequence[str]:
        """Return the id of every discount group that has a row, items, an agreement, or prices that were sent."""
        ...

    def groups(self, group_ids: Collection[str]) -> Sequence[Snapshot]:
        """Return what is known of these groups, one snapshot each: empty ``client_id``, the group's id as ``item_id``.

        ``row`` holds ``name``; ``panel_item_id`` is the panel's number, ``link`` and ``conflicts`` are empty.
        """
        ...

    def group_numbers(self) -> Mapping[str, str]:
        """Return group id -> the panel's number, of all groups that are known there."""
        ...

    def group_members(self, group_ids: Collection[str]) -> Sequence[str]:
        """Return the linked customers whose card names one of these groups."""
        ...

    def group_items(
        self, group_id: str, after: ItemKey | None, limit: int
    ) -> Sequence[tuple[GroupItem, SentPrice | None]]:
        """Return up to ``limit`` items of a group beyond ``after``, in the database's order, with what was sent."""
        ...

    def prices_without_item(self, group_id: str, limit: int) -> Sequence[SentPrice]:
        """Return prices that were sent, or may have been, of items that have no row (any more)."""
        ...

    def item_statuses(self, group_id: str) -> Mapping[str, Status]:
        """Return item id -> status of those of a group's items that have one: ``group/type/id`` -> status."""
        ...

    def dated_groups(self, since: datetime | None, until: datetime) -> Sequence[str]:
        """Return groups with an item whose ``valid_from`` or ``valid_to`` is after ``since`` and up to ``until``."""
        ...

    def doubt_prices(self, group_id: str, keys: Sequence[ItemKey] | None) -> None:
        """Note that nobody knows these prices (None: none of the group's that were sent): a call is about to be made.

        What the panel refused is forgotten with it.
        """
        ...

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
        """Store, in one transaction, prices that the panel took, those it removed, and what is to be told of them."""
        ...

    def forget_prices(self, group_id: str) -> None:
        """Forget every price that was sent to a group: it is not there any more."""
        ...

    def count_remembered(self, begin: datetime, end: datetime) -> int:
        """Return how many accounts of the directory were last modified from ``begin`` to ``end``, both included."""
        ...


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of the panel's accounts. ``total`` and ``pages`` count the whole search."""

    accounts: Sequence[Account]
    total: int
    pages: int


class Panel(Protocol):
    """The shop panel. One method call is one panel call; lists longer than the panel's batch are the caller's mistake.

    Where the panel refuses a call as a whole, ``read``, ``find``, ``create`` and ``update`` raise
    Reject("refused_whole") and have done nothing: the caller splits the list until the culprit stands alone. So do
    the calls for addresses. A writing call of one record never raises it, the refusal is that record's outcome; a
    reading call of one does.
    """

    def now(self) -> datetime:
        """Return the panel's own clock, UTC (``system/serverTime``)."""
        ...

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        """Return the accounts with these ids that exist, by id."""
        ...

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        """Return every account that carries one of these external codes, letter by letter; empty codes find nothing."""
        ...

    def changed(self, window: Window | None, page: int, limit: int) -> AccountPage:
        """Return one page (from 0) of the accounts modified in ``window``; None: of all accounts.

        Whole seconds count, and around the autumn change of clocks a page may hold accounts from up to two hours
        outside the window: never one too few.
        """
        ...

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        """Open these accounts; one outcome for each, in the order given. A repeated call may open them twice."""
        ...

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        """Write changed fields of these accounts; one outcome for each, in the order given. Safe to repeat."""
        ...

    def shops(self) -> frozenset[int]:
        """Return the ids of the panel's shops (``system/shopsData``). Raises Halt where the key may not ask."""
        ...

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address]]:
        """Return the delivery addresses of those of these accounts that exist, by account."""
        ...

    def add_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Add these addresses; one outcome for each, in the order given. A repeated call adds them twice."""
        ...

    def update_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Write changed fields of these addresses; one outcome for each, in order. Safe to repeat."""
        ...

    def delete_addresses(self, writes: Sequence[AddressWrite]) -> Sequence[Outcome]:
        """Delete these addresses; one outcome for each, in order. The panel may refuse one that is in use."""
        ...

    def groups(self, page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        """Return one page (from 0) of the discount groups, and how many pages there are."""
        ...

    def create_group(self, name: str) -> str:
        """Make a discount group and return its number. Raises Reject. A repeated call makes two."""
        ...

    def rename_group(self, number: str, name: str) -> None:
        """Rename a discount group. Raises Reject. Safe to repeat."""
        ...

    def delete_group(self, number: str) -> None:
        """Delete a discount group. Raises Reject, as where somebody is in it."""
        ...

    def group_clients(self, number: str) -> frozenset[str]:
        """Return the panel client ids of those who are in a discount group."""
        ...

    def set_prices(self, number: str, prices: Sequence[SentPrice]) -> Sequence[Outcome]:
        """Set prices of a discount group; one outcome for each, in order. Safe to repeat.

        The panel judges a call as a whole only: one of several that is refused raises Reject("refused_whole").
        """
        ...

    def remove_prices(self, number: str, keys: Sequence[ItemKey]) -> Sequence[Outcome]:
        """Remove prices of a discount group; as :meth:`set_prices`. One that is not there is no failure."""
        ...

    def calls(self) -> Mapping[str, int]:
        """Return how many calls this object has made, by gate, failed ones included."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A small document of the synchronisation state with the version it was read at (0: there was none)."""

    document: Mapping[str, Any] | None
    version: int = 0


class SyncState(Protocol):
    """Cursors, rate limit, run summaries. No personal data; of customers' keys only the one at which a pass goes on."""

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        ...

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        ...

    def lease(self, *, now: float, latest: float, rate: float, budget: int | None) -> float:
        """Take the next free slot of the rate limit; return when the call may be made (Unix seconds, never before now).

        ``rate``: calls a second of all functions at most; ``budget``: their calls in the month (UTC) of ``now``. Raises
        Retry("rate_limit") when the slot would come after ``latest`` or too many ask at once, Retry("budget") when the
        budget is used up. Nothing is taken then.
        """
        ...

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the rate for all, and let nobody call before ``now + wait``."""
        ...

    def paused(self) -> Mapping[str, str]:
        """Return concern -> reason of those that are paused."""
        ...

    def pause(self, concern: str, reason: str) -> None:
        """Pause this concern; a later reason replaces an earlier one."""
        ...

    def resume(self, concern: str) -> None:
        """End the pause of this concern, if there is one."""
        ...

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        ...


class WorkQueue(Protocol):
    """The concerns' queues. Messages carry keys, never data."""

    def send(self, concern: str, client_ids: Sequence[str]) -> int:
        """Hand these keys to the concern's queue in chunks; return the number of chunks, all of them taken.

        Raises Retry when the queue did not take every chunk; some may have been taken then.
        """
        ...

    def bring_back(self, concern: str, receipts: Sequence[str], *, seconds: int) -> None:
        """Make messages that were received and not worked visible again after ``seconds``."""
        ...
