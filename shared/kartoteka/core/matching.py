"""Which account is a card's own? A pure function from what is known to a link, a new account, or a question.

The card's code is asked for first, by the caller: an account that carries it is the card's. Here the other rules are
all looked at. A tax number may belong to several cards (branches) and an e-mail address to several people, so neither
is a key: only a single free account that no other card hits is taken without asking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kartoteka.core import normal
from kartoteka.core.model import Candidate, CardHint, Record, SeenAccount

LINK, CREATE = "link", "create"
"""A person's decisions in ``sync_matches``."""


@dataclass(frozen=True, slots=True)
class Match:
    """What matching found for one card.

    With ``panel_client_id``: link it to that account, found ``by`` that rule. With ``question``, a code for the status:
    a person decides between the ``candidates``. With neither: open an account.
    """

    panel_client_id: str = ""
    by: str = ""
    question: str = ""
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the accounts that some cards hit.

    ``owners``: panel client id -> the card that it is linked to, or whose code it carries. ``cards``: those owners that
    exist. ``contenders``: panel client id -> the cards without an account that hit it.
    """

    accounts: Sequence[SeenAccount] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    cards: Collection[str] = frozenset()
    contenders: Mapping[str, Collection[str]] = field(default_factory=dict)


def hint(client_id: str, row: Record) -> CardHint:
    """Return what a card is recognised by, normalised."""
    return CardHint(client_id, normal.tax_number(row.get("nip"), row), normal.email(row.get("email"), row))


def rules_that_hit(card: CardHint, account: SeenAccount, rules: Iterable[str]) -> tuple[str, ...]:
    """Return those of the policy's rules by which this account may be the card's, in the policy's order."""
    equal = {
        "nip": card.nip != "" and card.nip == account.nip,
        "email": card.email != "" and card.email == account.email,
    }
    return tuple(rule for rule in rules if equal.get(rule))


def can_be_linked(account: SeenAccount) -> bool:
    """Return whether an account can be anybody's: the panel addresses accounts by log-in, and a guest has none."""
    return not account.guest and account.login != ""


def match(
    card: CardHint,
    facts: Facts,
    rules: Sequence[str],
    *,
    known: Sequence[Candidate] = (),
    answers: Sequence[str] = (),
) -> Match:
    """Return what to do with a card whose code no account carries.

    ``known`` are its rows of ``sync_matches``, ``answers`` the accounts that the ERP said are his.
    """
    decided = _decided(known)
    if decided:
        return decided
    if answers:
        found = tuple(_candidate(card, account, "incoming", known) for account in answers)
        return Match(answers[0], by="incoming") if len(answers) == 1 else Match(question="ambiguous", candidates=found)
    return _by_rules(card, facts, rules, known)


def _decided(known: Sequence[Candidate]) -> Match | None:
    links = [candidate for candidate in known if candidate.decision == LINK]
    opens = any(candidate.decision == CREATE for candidate in known)
    if len(links) + opens > 1:
        return Match(question="contradictory", candidates=tuple(known))
    if links:
        return Match(links[0].panel_client_id, by="operator")
    return Match() if opens else None


def _by_rules(card: CardHint, facts: Facts, rules: Sequence[str], known: Sequence[Candidate]) -> Match:
    hits = {
        account: by
        for account in facts.accounts
        if can_be_linked(account) and (by := rules_that_hit(card, account, rules))
    }
    free = [account for account in hits if _owner(account, card, facts) == ""]
    stale = [account for account in hits if (owner := _owner(account, card, facts)) and owner not in facts.cards]
    candidates = tuple(
        _candidate(card, account.panel_client_id, "+".join(hits[account]), known) for account in [*free, *stale]
    )
    if stale:
        return Match(question="foreign_code", candidates=candidates)
    if len(free) > 1:
        return Match(question="ambiguous", candidates=candidates)
    if not free:
        return Match()
    (account,) = free
    if set(facts.contenders.get(account.panel_client_id, ())) - {card.client_id}:
        return Match(question="shared_account", candidates=candidates)
    return Match(account.panel_client_id, by=hits[account][0])


def _owner(account: SeenAccount, card: CardHint, facts: Facts) -> str:
    owner = facts.owners.get(account.panel_client_id, "")
    return "" if owner == card.client_id else owner


def _candidate(card: CardHint, panel_client_id: str, by: str, known: Sequence[Candidate]) -> Candidate:
    decisions = (candidate.decision for candidate in known if candidate.panel_client_id == panel_client_id)
    return Candidate(card.client_id, panel_client_id, by, next(decisions, ""))
