"""People who registered in the shop and are no client yet: they are listed for the ERP, and nothing else is done.

Guests and accounts that carry a code are never listed, nor are those that a client without an account hits: that client
is matched with them, or waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence

from kartoteka.concerns.accounts.index import Index
from kartoteka.concerns.accounts.matching import can_be_linked
from kartoteka.fields.table import BILLING
from kartoteka.ports.exchange import IncomingClient
from kartoteka.ports.panel import Account
from kartoteka.sync.feed import seen
from kartoteka.sync.run import Run

PAGE = 1_000
"""Accounts of the index looked at with one set of statements."""


class Incoming:
    """``incoming_clients`` in one run. Where accounts are only planned, nobody is listed."""

    def __init__(self, run: Run, index: Index) -> None:
        self._run = run
        self._index = index
        self._is_on = run.policy.accounts.incoming and not run.policy.only_plans("accounts")

    def list_all(self) -> None:
        """List every account of the index that is nobody's and that the ERP was not told of."""
        after = ""
        while self._is_on and (page := self._run.exchange.index.strangers(after, PAGE)):
            after = page[-1].panel_client_id
            hit = self._index.contenders(page)
            self.list([a.panel_client_id for a in page if not hit.get(a.panel_client_id)])

    def list(self, panel_client_ids: Sequence[str]) -> None:
        """Read these accounts afresh, and list those that are nobody's."""
        chunks = self._run.chunks(panel_client_ids) if self._is_on else ()
        found = [account for some in self._run.at_once(self._run.panel.read, chunks) for account in some.values()]
        if found:
            self.note(found)

    def note(self, accounts: Sequence[Account]) -> Sequence[str]:
        """Keep the list true for these accounts; return the clients without an account that hit one of them."""
        shown = [seen(self._run.exchange.index, account) for account in accounts]
        owners = self._index.owners(shown)
        free = [a for a in shown if a.panel_client_id not in owners and can_be_linked(a)]
        hit = self._index.contenders(free)
        if self._is_on:
            self._write(accounts, {a.panel_client_id for a in free if not hit.get(a.panel_client_id)})
        return sorted({client for clients in hit.values() for client in clients})

    def _write(self, accounts: Sequence[Account], strangers: set[str]) -> None:
        gone = [a.panel_client_id for a in accounts if a.panel_client_id not in strangers]
        if gone:
            self._run.exchange.index.unlist_incoming(gone)
        rows = [
            IncomingClient(a.panel_client_id, {name: a.values.get(name) for name in BILLING})
            for a in accounts
            if a.panel_client_id in strangers
        ]
        if rows:
            self._run.exchange.index.list_incoming(rows, at=self._run.now())
