"""Which account is a client's own? A pure function from what is known to a link, a new account, or a question.

The client's code is asked for first: an account that carries it is the client's. Then all other rules are looked at. A
tax number may belong to several clients (branches) and an e-mail address to several people, so neither is a key: only a
single free account that no other client hits is taken without asking, and never one with another tax number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from kartoteka.fields.normal import code_key
from kartoteka.model import Candidate, MatchDecision
from kartoteka.ports.exchange import ClientHint, Mark, SeenAccount
from kartoteka.ports.panel import Account

MOST = 5
"""A tax number, an e-mail address or a telephone number that more accounts or clients have tells nobody."""
OPERATOR, INCOMING = "operator", "incoming"
"""``linked_by`` of accounts that a person named, in ``sync_matches`` or in ``incoming_clients``."""


@dataclass(frozen=True, slots=True)
class Match:
    """What matching found for one client.

    With ``panel_client_id``: link it to that account, found ``by`` that rule. With ``question``, a code for the status:
    a person decides between the ``candidates``. With neither: open an account.
    """

    panel_client_id: str = ""
    by: str = ""
    question: str = ""
    candidates: tuple[Candidate, ...] = ()

    @property
    def given(self) -> bool:
        """Whether a person named the account."""
        return self.by in (OPERATOR, INCOMING)


NO_MATCH = Match()
"""Nobody was found: open an account."""


@dataclass(frozen=True)
class Hits:
    """What is known about the accounts that some clients hit.

    ``owners``: panel client id -> the client that it is linked to, or whose code it carries. ``clients``: those owners
    that exist. ``contenders``: panel client id -> the clients without an account that hit it. ``nobodys`` are marks
    that too many have.
    """

    accounts: Sequence[SeenAccount] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    clients: Collection[str] = frozenset()
    contenders: Mapping[str, Collection[str]] = field(default_factory=dict)
    nobodys: Collection[Mark] = frozenset()

    def having(self, marks: Iterable[Mark]) -> list[SeenAccount]:
        """Return the accounts that can be anybody's and have one of these marks that tells whose, in their order."""
        return [self.accounts[n] for n in sorted({n for mark in marks for n in self._by_mark.get(mark, ())})]

    @cached_property
    def _by_mark(self) -> Mapping[Mark, Sequence[int]]:
        found: dict[Mark, list[int]] = defaultdict(list)
        for n, account in enumerate(self.accounts):
            for mark in account.marks.difference(self.nobodys) if can_be_linked(account) else ():
                found[mark].append(n)
        return found


def rules_that_hit(
    client: ClientHint, account: SeenAccount, rules: Iterable[str], nobodys: Collection[Mark] = ()
) -> tuple[str, ...]:
    """Return those of the policy's rules by which this account may be the client's, in the policy's order."""
    equal = {rule for rule, _ in (client.marks & account.marks).difference(nobodys)}
    return tuple(rule for rule in rules if rule in equal)


def contradicts(client: ClientHint, account: SeenAccount) -> bool:
    """Return whether both have a tax number, and not the same: whatever else is equal, they are two."""
    return "" not in (client.tax_number, account.tax_number) and client.tax_number != account.tax_number


Coded = TypeVar("Coded", SeenAccount, Account)


def by_code(
    client_ids: Collection[str], accounts: Iterable[Coded], held: Collection[str]
) -> Mapping[str, Sequence[Coded]]:
    """Return the accounts that carry the code of each of these clients: to the letter, else as ``same_code`` says.

    ``held`` are the codes that clients or links have to the letter: they are nobody else's.
    """
    exact, alike = defaultdict[str, list[Coded]](list), defaultdict[str, list[Coded]](list)
    for account in accounts:
        exact[account.external_code].append(account)
        if account.external_code not in held:
            alike[code_key(account.external_code)].append(account)
    found = {client_id: exact.get(client_id) or alike.get(code_key(client_id)) for client_id in client_ids}
    return {client_id: some for client_id, some in found.items() if some and client_id}


def can_be_linked(account: SeenAccount | Account) -> bool:
    """Return whether an account can be anybody's: the panel addresses accounts by log-in, and a guest has none."""
    return not account.guest and account.login != ""


def match(
    client: ClientHint, hits: Hits, rules: Sequence[str], *, known: Sequence[Candidate], answers: Sequence[str]
) -> Match:
    """Return what to do with a client whose code no account carries.

    ``known`` are its rows of ``sync_matches``, ``answers`` the accounts that the ERP said are its own.
    """
    decided = _decided(known)
    if decided:
        return decided
    if answers:
        found = tuple(_candidate(client, account, INCOMING, known) for account in answers)
        return Match(answers[0], by=INCOMING) if len(answers) == 1 else Match(question="ambiguous", candidates=found)
    return _by_rules(client, hits, rules, known)


def _decided(known: Sequence[Candidate]) -> Match | None:
    links = [candidate for candidate in known if candidate.decision == MatchDecision.LINK]
    opens = any(candidate.decision == MatchDecision.CREATE for candidate in known)
    if len(links) + opens > 1:
        return Match(question="contradictory", candidates=tuple(known))
    if links:
        return Match(links[0].panel_client_id, by=OPERATOR)
    return NO_MATCH if opens else None


def _by_rules(client: ClientHint, hits: Hits, rules: Sequence[str], known: Sequence[Candidate]) -> Match:
    found = {
        account: by
        for account in hits.having(client.marks)
        if (by := rules_that_hit(client, account, rules, hits.nobodys))
    }
    free = [account for account in found if _owner(account, client, hits) == ""]
    foreign = [account for account in found if (owner := _owner(account, client, hits)) and owner not in hits.clients]
    candidates = tuple(
        _candidate(client, account.panel_client_id, "+".join(found[account]), known) for account in [*free, *foreign]
    )
    if foreign:
        return Match(question="foreign_code", candidates=candidates)
    if len(free) > 1:
        return Match(question="ambiguous", candidates=candidates)
    if not free:
        return NO_MATCH
    (account,) = free
    if contradicts(client, account):
        return Match(question="ambiguous.tax_number", candidates=candidates)
    if set(hits.contenders.get(account.panel_client_id, ())) - {client.client_id}:
        return Match(question="shared_account", candidates=candidates)
    return Match(account.panel_client_id, by=found[account][0])


def _owner(account: SeenAccount, client: ClientHint, hits: Hits) -> str:
    owner = hits.owners.get(account.panel_client_id, "")
    return "" if owner == client.client_id else owner


def _candidate(client: ClientHint, panel_client_id: str, by: str, known: Sequence[Candidate]) -> Candidate:
    decisions = (candidate.decision for candidate in known if candidate.panel_client_id == panel_client_id)
    return Candidate(client.client_id, panel_client_id, by, next(decisions, ""))
