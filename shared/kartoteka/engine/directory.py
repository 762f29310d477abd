"""The directory of the panel's accounts: whether it is complete yet, and what is known of the cards that hit it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from kartoteka.core import matching, normal
from kartoteka.core.concerns import ACCOUNTS
from kartoteka.core.model import Account, CardHint, SeenAccount, Settlement, Status
from kartoteka.core.window import FeedCursor
from kartoteka.engine.base import Engine

PAGE = 1_000
"""Cards told with one set of statements."""
FEED_DOCUMENT = "feed"
"""The state's document of the panel's feed."""
HINTS = "hints"
"""What a run keeps of the cards without an account: their ids by tax number and by e-mail."""


def is_complete(engine: Engine) -> bool:
    """Return whether every account of the panel has been read once: before that, nobody knows who has one."""
    document = engine.state.load(FEED_DOCUMENT).document
    return document is not None and FeedCursor.from_document(document).first is None


def read_anew(engine: Engine) -> None:
    """Let the feed read all accounts again: the directory may have lost some with a restored database."""
    stored = engine.state.load(FEED_DOCUMENT)
    if stored.document is not None:
        cursor = FeedCursor.from_document(stored.document).anew()
        engine.state.save(FEED_DOCUMENT, cursor.to_document(), version=stored.version)


def tell_waiting(engine: Engine, status: Status) -> None:
    """Say of every card without an account why it waits, while the accounts have not all been read."""
    if not engine.carries(ACCOUNTS.name):
        return
    after, page = "", engine.exchange.client_ids("", PAGE)
    while page:
        after = page[-1]
        waiting = [s for s in engine.look(ACCOUNTS.name, page) if s.link is None and s.status != status]
        settlements = [
            Settlement(s.client_id, ACCOUNTS.name, status, keep_intent=True, keep_parked=True) for s in waiting
        ]
        engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())
        page = engine.exchange.client_ids(after, PAGE)


def seen(account: Account) -> SeenAccount:
    """Return an account as the directory keeps it: normalised for matching, and nothing else of it."""
    return SeenAccount(
        account.panel_client_id,
        account.login,
        account.external_code,
        nip=normal.tax_number(account.values.get("nip"), account.values),
        email=normal.email(account.values.get("email"), account.values),
        modified_at=account.modified_at,
        guest=account.guest,
    )


def owners(engine: Engine, accounts: Sequence[SeenAccount]) -> Mapping[str, str]:
    """Return panel client id -> the card that an account is linked to, or whose code it carries."""
    linked = engine.exchange.owners([a.panel_client_id for a in accounts])
    coded = {a.panel_client_id: a.external_code for a in accounts if a.external_code}
    return {**coded, **linked}


def contenders(engine: Engine, accounts: Sequence[SeenAccount]) -> Mapping[str, frozenset[str]]:
    """Return panel client id -> the cards without an account that hit it by the policy's rules.

    A card whose code another account carries, or for which a person decided otherwise, does not contend.
    """
    rules = engine.policy.accounts.match
    nips = {a.nip for a in accounts if a.nip and "nip" in rules}
    emails = {a.email for a in accounts if a.email and "email" in rules}
    if not (nips or emails):
        return {}
    cards = _hitting(engine, nips, emails)
    settled = _settled(engine, [card.client_id for card in cards])
    by_value: dict[tuple[str, str], list[str]] = defaultdict(list)
    for card in cards:
        by_value["nip", card.nip].append(card.client_id)
        by_value["email", card.email].append(card.client_id)
    return {
        account.panel_client_id: frozenset(
            client_id
            for rule, value in (("nip", account.nip), ("email", account.email))
            if rule in rules and value
            for client_id in by_value.get((rule, value), ())
            if settled.get(client_id, account.panel_client_id) == account.panel_client_id
        )
        for account in accounts
    }


def _hitting(engine: Engine, nips: Collection[str], emails: Collection[str]) -> Sequence[CardHint]:
    """Return the cards without an account that have one of these.

    All such cards were read when this run first asked; those that hit are looked at again, since one may have got its
    account, or another number, in this very run.
    """
    with engine.turn:
        if HINTS not in engine.asked:
            engine.asked[HINTS] = _by_value(engine.exchange.hints(None, None))
    by_nip, by_email = engine.asked[HINTS]
    keys = {key for nip in nips for key in by_nip.get(nip, ())} | {k for e in emails for k in by_email.get(e, ())}
    cards = engine.look(ACCOUNTS.name, sorted(keys)) if keys else ()
    return [matching.hint(s.client_id, s.row) for s in cards if s.link is None and s.row is not None]


def _by_value(cards: Sequence[CardHint]) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
    """Return the cards by their tax numbers, and by their e-mails."""
    by_nip: dict[str, list[str]] = defaultdict(list)
    by_email: dict[str, list[str]] = defaultdict(list)
    for card in cards:
        for values, value in ((by_nip, card.nip), (by_email, card.email)):
            if value:
                values[value].append(card.client_id)
    return by_nip, by_email


def _settled(engine: Engine, cards: Collection[str]) -> Mapping[str, str]:
    """Return card -> the account that is its own already, or that a person chose; empty: a new one."""
    own = {a.external_code: a.panel_client_id for a in engine.exchange.directory(cards, (), ()) if not a.guest}
    decided = {
        c.client_id: c.panel_client_id if c.decision == matching.LINK else ""
        for c in engine.exchange.candidates(cards)
        if c.decision
    }
    return {**decided, **own}
