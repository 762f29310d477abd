"""What a person asks the exchange database and answers there: lists in pages, figures, and one word for a row.

Rows are plain: column -> value, moments aware. An answer is written like the ERP's author would write it, by one
``UPDATE``: the triggers log it, and so it is collected like any other change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows of a list: of a concern, a client, a discount group, with a code, an action, a reason; empty: all.

    ``found_by``: of the history, what one pass has found. ``text``: what a client's code, company, name, e-mail, phone
    or tax number holds. ``day``: of the history, one day (``2026-11-27``, UTC). ``start``: rows passed over; ``limit``:
    rows told at most. ``near``: from how many per cent of its limit a client is near it.
    """

    concern: str = ""
    client_id: str = ""
    group_id: str = ""
    code: str = ""
    run_id: str = ""
    action: str = ""
    reason: str = ""
    found_by: str = ""
    field: str = ""
    day: str = ""
    text: str = ""
    start: int = 0
    limit: int = 50
    near: int = 90


ALL = Asked()


class DeskTables(Protocol):
    """One exchange database as a person sees it."""

    # --- figures

    def totals(self) -> Row:
        """Return how many clients there are, how many have an account, and how many things wait for a person."""
        ...

    def states(self) -> Sequence[Row]:
        """Return how many records of each kind each concern has in each state."""
        ...

    def deferred(self) -> Sequence[Row]:
        """Return how many records will be tried again by themselves, why, and when the next of them is due."""
        ...

    def unread(self, limit: int, before: datetime) -> Sequence[Row]:
        """Return deferred records about which the panel has not answered since that moment or longer."""
        ...

    def count_held(self, code: str) -> int:
        """Return how many records are held for this reason."""
        ...

    def unmatched(self) -> Row:
        """Return how many clients and accounts have not found each other, by the kind of it."""
        ...

    def not_shown(self) -> Sequence[Row]:
        """Return the fields that were sent and that the panel never shows, with the number of their records."""
        ...

    def oldest_unsettled(self, but: str = "") -> Mapping[str, datetime]:
        """Return concern -> since when the longest of its records is about to be carried, by itself.

        Those with the code ``but`` are not counted.
        """
        ...

    def logged_after(self, seq: int) -> datetime | None:
        """Return when the first row of ``change_log`` beyond this one was written, None where there is none."""
        ...

    def written(self, since: datetime) -> Sequence[Row]:
        """Return how many fields were written since then: ``hour`` (``2026-11-27 14``, UTC), ``direction``, ``fields``.

        By hour, the earliest first; hours in which nothing was written are left out.
        """
        ...

    def deferred_with(self, concern: str, code: str) -> tuple[int, int]:
        """Return how many clients and discount groups of a concern are deferred for this reason."""
        ...

    # --- lists

    def held(self, limit: int) -> Sequence[Row]:
        """Return records that wait for a person, the latest first; prices at the end."""
        ...

    def statuses(self, states: Collection[str], asked: Asked) -> Sequence[Row]:
        """Return the records in one of these states, the longest first, with ``due_at`` where they are deferred.

        ``question`` is 1 where accounts stand in ``sync_matches`` that the client may have, and ``answered`` 1 where a
        person has chosen one of them, or a new one.
        """
        ...

    def conflicts(self, limit: int, *, closed_too: bool, asked: Asked = ALL) -> Sequence[Row]:
        """Return conflicts, the latest first."""
        ...

    def questions(self, asked: Asked) -> Sequence[Row]:
        """Return the rows of ``sync_matches``, by client, with what the account index knows of the account."""
        ...

    def incoming(self, asked: Asked) -> Sequence[Row]:
        """Return ``incoming_clients``, the unanswered first."""
        ...

    def history(
        self, client_id: str | None, limit: int, *, group: str | None = None, asked: Asked = ALL
    ) -> Sequence[Row]:
        """Return what was written, the latest first: of one client, of one discount group and its prices, or of all."""
        ...

    def differences(self, since: datetime, reasons: Collection[str], asked: Asked) -> Sequence[Row]:
        """Return how many ``fields`` of how many ``records`` were written since then for one of these reasons.

        By ``day`` (``2026-11-27``, UTC), ``concern``, ``field``, ``reason``, ``direction`` and ``found_by``; the latest
        day first.
        """
        ...

    def differences_by_day(self, since: datetime, reasons: Collection[str], asked: Asked) -> Mapping[str, int]:
        """Return day -> how many fields these are; days without any are left out."""
        ...

    def find_clients(self, asked: Asked) -> Sequence[Row]:
        """Return the clients of whom each word of ``text`` stands in a name, with their account.

        Names: code, company, first and last name, e-mail, tax number, phone, log-in (the ERP's and the account's); or
        ``text`` is the account's number. In any case; numbers however they are written.
        """
        ...

    def client_rows(self, client_id: str) -> Mapping[str, Sequence[Row]]:
        """Return table of the ERP -> its rows of this client; ``sync_links`` and ``sync_matches`` too."""
        ...

    def candidates(self, client_ids: Collection[str]) -> Mapping[str, Row]:
        """Return the rows of ``clients`` with these ids."""
        ...

    def near_limit(self, allowed: Decimal, asked: Asked) -> Sequence[Row]:
        """Return the linked clients with credit who owe ``asked.near`` per cent of their limit, or are past its date.

        ``allowed`` is what may be past its date. Each row: the client's code and name, the figures as text, their
        ``currency`` and ``as_of``, and ``near``. Who has used most of its limit comes first, who has none before all.
        """
        ...

    def count_near_limit(self, allowed: Decimal, asked: Asked) -> int:
        """Return how many these are."""
        ...

    def decided(self) -> Sequence[Row]:
        """Return how many records a person has decided about that are not carried out yet: by ``concern``, ``state``.

        ``records``: all of them; ``questions``: those that a word in ``sync_matches`` answers.
        """
        ...

    def names(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Return client's code -> its company, or first and last name; those without any are left out."""
        ...

    def worst_states(self, client_ids: Collection[str]) -> Mapping[str, Collection[str]]:
        """Return client's code -> the states of its records, those in step too."""
        ...

    def reasons(self, client_ids: Collection[str]) -> Mapping[tuple[str, str], str]:
        """Return (client's code, concern) -> the reason for which a person, or the ERP, has excluded it there."""
        ...

    def resembling(self, accounts: Collection[str]) -> Mapping[str, str]:
        """Return account's number -> the client that it was a choice for, or whose account has the same identity.

        The same tax number, e-mail or phone, as the account index knows them; one client where there are several.
        """
        ...

    def waiting_since(self) -> Sequence[Row]:
        """Return what waits for a person: ``kind``, ``concern``, ``code``, how many ``records``, and ``since`` when.

        Kinds: ``conflicts``, ``questions``, ``held`` (by concern and cause, the questions left out), ``incoming``,
        ``plan`` (``records``: rows) and ``paused`` (``code``: the reason).
        """
        ...

    # --- what is asked anew

    def clients(self, client_ids: Sequence[str]) -> dict[str, bool]:
        """Return those of these ids that have a row in ``clients``, and whether each has an account."""
        ...

    def count_clients(self, concern: str) -> int:
        """Return how many clients a concern has to do with."""
        ...

    def clients_of(self, concern: str, after: str, limit: int) -> Sequence[str]:
        """Return the next ids behind ``after`` of the clients that a concern has to do with."""
        ...

    def group_prices(self, group_id: str, limit: int) -> Sequence[Row]:
        """Return a discount group's prices as the ERP has them, by product: its columns of ``discount_group_items``.

        With ``sent``, ``sent_currency``, ``sent_at`` and ``refused``: what the panel was given last, and why a price is
        not there.
        """
        ...

    def group_name(self, group_id: str) -> str:
        """Return what the ERP calls a discount group; empty where it has none of this id."""
        ...

    def prices(self, group_id: str) -> int:
        """Return about how many prices a group has."""
        ...

    # --- answers

    def decide_conflicts(self, ids: Collection[int], side: str, *, by: str, at: datetime) -> int:
        """Write the side that wins into these open conflicts; return how many there were."""
        ...

    def conflict(self, conflict_id: int) -> Row | None:
        """Return one conflict, None where there is none."""
        ...

    def decide_match(self, client_id: str, panel_client_id: str, word: str, *, by: str) -> int:
        """Write a word into the client's row of ``sync_matches`` about this account (empty: into its first one).

        What was said before in its other rows is taken back. Returns how many rows there were to write it into.
        """
        ...

    def decide_status(self, word: str, asked: Asked, *, by: str, item_id: str | None = None) -> int:
        """Write a word into ``sync_status`` of the records asked for that wait; return how many there were.

        ``retry`` also takes back what was settled by hand and is left alone since (``by_hand``).
        ``asked.client_id`` or ``asked.group_id`` names the owner; ``item_id`` None: the own record and all items.
        """
        ...

    def exclude(self, client_id: str, concern: str, reason: str) -> None:
        """Write a row of ``sync_exclusions``; of one that is there the reason, where there is a new one."""
        ...

    def include(self, client_id: str, concern: str) -> int:
        """Delete the rows of ``sync_exclusions`` that exclude a client from a concern; return how many there were."""
        ...

    def answer_incoming(self, panel_client_id: str, client_id: str) -> int:
        """Write a client's code into ``incoming_clients``; return how many rows there were."""
        ...
