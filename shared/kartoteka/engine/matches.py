"""Matching some cards with the panel's accounts: gathers what the pure function wants to know, in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from kartoteka.core import matching
from kartoteka.core.matching import Facts, Match
from kartoteka.core.model import Candidate, CardHint, SeenAccount, Snapshot
from kartoteka.engine import directory
from kartoteka.engine.base import Engine


def match_cards(engine: Engine, cards: Sequence[Snapshot]) -> Mapping[str, Match]:
    """Return what to do with each of these cards, none of which is linked and whose codes no account carries."""
    if not cards:
        return {}
    hints = {card.client_id: matching.hint(card.client_id, card.row or {}) for card in cards}
    known: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in engine.exchange.candidates(hints):
        known[candidate.client_id].append(candidate)
    answers = engine.exchange.incoming_answers(hints) if engine.policy.accounts.incoming else {}
    facts = _facts(engine, list(hints.values()))
    rules = engine.policy.accounts.match
    return {
        key: matching.match(hint, facts, rules, known=known.get(key, ()), answers=answers.get(key, ()))
        for key, hint in hints.items()
    }


def _facts(engine: Engine, cards: Sequence[CardHint]) -> Facts:
    rules = engine.policy.accounts.match
    nips = {card.nip for card in cards if card.nip and "nip" in rules}
    emails = {card.email for card in cards if card.email and "email" in rules}
    accounts = engine.exchange.directory((), nips, emails) if nips or emails else ()
    accounts = [account for account in accounts if matching.can_be_linked(account)]
    if not accounts:
        return Facts()
    owners = directory.owners(engine, accounts)
    return Facts(
        accounts,
        owners,
        engine.exchange.existing_cards(set(owners.values())),
        directory.contenders(engine, _free(accounts, owners)),
    )


def _free(accounts: Sequence[SeenAccount], owners: Mapping[str, str]) -> Sequence[SeenAccount]:
    return [account for account in accounts if account.panel_client_id not in owners]
