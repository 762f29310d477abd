"""Customers who registered in the shop and have no card: they are listed for the ERP, and nothing else happens to them.

Guests and accounts that carry a code are never listed, nor are those that a card without an account hits: that card is
matched with them, or waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence

from kartoteka.core.concerns import BILLING
from kartoteka.core.matching import can_be_linked
from kartoteka.core.model import Account, IncomingClient
from kartoteka.engine import directory
from kartoteka.engine.base import Engine

PAGE = 1_000
"""Accounts of the directory looked at with one set of statements."""


def list_all(engine: Engine) -> None:
    """List every account of the directory that is nobody's and that nobody was told of."""
    if not engine.policy.accounts.incoming:
        return
    after = ""
    while page := engine.exchange.strangers(after, PAGE):
        after = page[-1].panel_client_id
        hit = directory.contenders(engine, page)
        list_strangers(engine, [a.panel_client_id for a in page if not hit.get(a.panel_client_id)])


def list_strangers(engine: Engine, panel_client_ids: Sequence[str]) -> None:
    """Read these accounts afresh, and list those that are nobody's."""
    if not engine.policy.accounts.incoming:
        return
    for chunk in engine.chunks(panel_client_ids):
        note(engine, list(engine.panel.read(chunk).values()))


def note(engine: Engine, accounts: Sequence[Account]) -> Sequence[str]:
    """Keep the list true for these accounts; return the cards without an account that hit one of them."""
    shown = [directory.seen(account) for account in accounts]
    owners = directory.owners(engine, shown)
    free = [a for a in shown if a.panel_client_id not in owners and can_be_linked(a)]
    hit = directory.contenders(engine, free)
    strangers = {a.panel_client_id for a in free if not hit.get(a.panel_client_id)}
    if engine.policy.accounts.incoming:
        _write(engine, accounts, strangers)
    return sorted({card for cards in hit.values() for card in cards})


def _write(engine: Engine, accounts: Sequence[Account], strangers: set[str]) -> None:
    gone = [a.panel_client_id for a in accounts if a.panel_client_id not in strangers]
    if gone:
        engine.exchange.unlist_incoming(gone)
    listed = [a for a in accounts if a.panel_client_id in strangers]
    if listed:
        rows = [IncomingClient(a.panel_client_id, {n: a.values.get(n) for n in BILLING.fields}) for a in listed]
        engine.exchange.list_incoming(rows, at=engine.now())
