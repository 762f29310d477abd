"""The shop panel.

A writing call is one panel call, and its caller keeps the list to the panel's batch; a search takes as many as its keys
and pages need.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime
from typing import Protocol

from kartoteka.model import Outcome, Values
from kartoteka.ports.exchange import PriceKey, SentPrice

REFUSED_WHOLE = "refused_whole"
"""The code of a Reject that says: this call is refused as it stands, split it."""
BROKEN_ANSWER = "broken_answer"
"""The code of a Retry that says: the answer tells nothing, ask again."""
TIMEOUT = "timeout"
"""The code of a Retry that says: no answer in time, perhaps because too much was asked at once."""
TOO_LARGE = "answer_too_large"
"""The code of a Retry that says: the answer was more than is read, ask for less."""
NO_ANSWER = frozenset(
    {
        BROKEN_ANSWER,
        TIMEOUT,
        TOO_LARGE,
        "connection",
        "missing_result",
        "panel_409",
        "panel_425",
        "panel_5xx",
        "panel_fault",
        "too_many_requests",
    }
)
"""The codes of what a panel raises as Retry, and answers for one record, where it has not answered what was asked."""
LACKS_FIELD = "panel_lacks_field"
"""The code of a Reject that says: this panel is older than ``Reject.field``, leave the field out."""


@dataclass(frozen=True, slots=True)
class Account:
    """A client account as the panel shows it, in our words.

    ``values`` holds every field of the table that the panel shows, in the exchange database's vocabulary.
    ``modified_at`` is the panel's own modification date, aware, UTC, ``registered`` the day of registration by its
    calendar; None where the panel gave none.
    """

    panel_client_id: str
    login: str
    external_code: str
    values: Values = attribute(repr=False)
    modified_at: datetime | None = None
    guest: bool = False
    registered: date | None = None


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account that was there once, by all that it may be asked for; what is not known is empty."""

    panel_client_id: str
    login: str = ""
    external_code: str = ""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to open. ``client_id`` becomes the external code and the reference that the answer echoes.

    ``values`` are fields of every concern that the panel takes at creation, the shops among them.
    """

    client_id: str
    login: str
    password: str = attribute(repr=False)
    values: Values = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """Changed fields of one account. The panel addresses accounts by login; ``external_code`` None leaves it alone."""

    client_id: str
    login: str
    values: Values = attribute(repr=False)
    external_code: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A delivery address as the panel shows it, its values by column of the exchange database."""

    panel_address_id: str
    values: Values = attribute(repr=False)


@dataclass(frozen=True, slots=True)
class AddressWrite:
    """A delivery address to be added, changed or deleted in the panel.

    ``panel_address_id`` is empty for one to add. ``values`` are all fields of a new address, the changed ones of a
    known one, none of one to delete. ``shops`` are the client's: the panel wants them with every address.
    """

    client_id: str
    login: str
    panel_address_id: str = ""
    values: Values = attribute(default_factory=dict, repr=False)
    shops: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """A discount group of the panel: its number there, and its name."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Window:
    """A span of modification dates, both ends included, aware, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days on which accounts were registered, both included, by the panel's calendar."""

    first: date
    last: date


Search = Window | Days | None
"""Which accounts are asked for: those modified in a window, those registered in some days, or all."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of the panel's accounts. ``total`` and ``pages`` count the whole search."""

    found: Sequence[Account]
    total: int
    pages: int


class Panel(Protocol):
    """The panel's gates.

    Where the panel refuses a call as a whole, reading and bulk-writing methods raise Reject(REFUSED_WHOLE) and have
    done nothing: the caller splits the list until the culprit stands alone. A writing call of one record never raises
    it, the refusal is that record's outcome; a reading call of one does.

    A search whose answer lacks its list or contradicts its own counts raises Retry("broken_answer"); one that shows
    what was not asked for, since the panel ignores the filter, raises Halt("panel_query").

    Where the panel does not know a field that a call carries, the method raises Reject(LACKS_FIELD), for one record
    too, and has done nothing: the caller calls again without the field. Where the panel refuses single records for it,
    that is their outcome.
    """

    def now(self) -> datetime:
        """Return the panel's own clock, UTC (``system/serverTime``)."""
        ...

    def read(self, panel_client_ids: Sequence[str]) -> Mapping[str, Account]:
        """Return the accounts with these ids that exist, by id."""
        ...

    def closed_among(self, panel_client_ids: Sequence[str]) -> Collection[str]:
        """Return those of these accounts that are closed; none where the panel does not tell.

        An account shows nothing of it: a filter of the search is the only way to learn it.
        """
        ...

    def closed_in(self, window: Window) -> Collection[str] | None:
        """Return those of the accounts modified in a window that the panel calls closed; None: too many for one call.

        A panel that ignores the one filter or the other may call open ones closed: :meth:`closed_among` tells.
        """
        ...

    def find(self, external_codes: Sequence[str]) -> Sequence[Account]:
        """Return every account that carries one of these external codes to the letter; empty codes find nothing.

        Those that differ in case or outer blanks alone (``same_code``) may be among them, as this panel searches.
        """
        ...

    def seek(self, accounts: Sequence[KnownAccount]) -> frozenset[str]:
        """Return the ids of those of these accounts that are there, asked in other ways than :meth:`read` asks.

        For accounts that ``read`` does not show: by their codes, and at another gate. What neither shows is gone.
        """
        ...

    def changed(self, search: Search, page: int, limit: int) -> AccountPage:
        """Return one page (from 0) of the accounts modified in a window, or registered in some days; None: of all.

        Whole seconds count, and around the autumn change of clocks a page may hold accounts from up to two hours
        outside the window: never one too few. A page past the end is empty, and its counts may be 0. That the panel has
        no account at all is believed where two other searches find none either.
        """
        ...

    def create(self, accounts: Sequence[NewAccount], *, notify: bool) -> Sequence[Outcome]:
        """Open these accounts; one outcome for each, in the order given. A repeated call may open them twice."""
        ...

    def update(self, updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        """Write changed fields of these accounts; one outcome for each, in the order given. Safe to repeat."""
        ...

    def erase(self, panel_client_id: str) -> None:
        """Have the panel erase the personal data of an account and block it. Raises Reject. Safe to repeat."""
        ...

    def shops(self) -> Mapping[int, frozenset[str]]:
        """Return the panel's shops: id -> the fields that it requires of a customer (``system/shopsData``).

        Raises Halt where the key may not ask.
        """
        ...

    def addresses(self, panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address] | None]:
        """Return the delivery addresses of these accounts, by account.

        None stands for an account that a good answer does not name: some panels do so where it has no address. Left out
        is an account that the panel says does not exist, and one whose list is in doubt.
        """
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

        The panel judges a call as a whole only: one of several that is refused raises Reject(REFUSED_WHOLE).
        """
        ...

    def remove_prices(self, number: str, keys: Sequence[PriceKey]) -> Sequence[Outcome]:
        """Remove prices of a discount group; as :meth:`set_prices`. One that is not there is no failure."""
        ...

    def calls(self) -> Mapping[str, int]:
        """Return how many calls this object has made, by gate, failed ones included."""
        ...
