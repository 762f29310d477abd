"""The account index, asked for matching: whose an account is, and which clients without an account hit it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from kartoteka.concerns.accounts import matching
from kartoteka.concerns.accounts.matching import Hits, Match
from kartoteka.fields.table import EMAIL_FIELD, TAX_NUMBER_FIELD
from kartoteka.model import Candidate, Owner, Record
from kartoteka.ports.exchange import ClientHint, SeenAccount
from kartoteka.sync.run import Run

ByValue = Mapping[tuple[str, str], Sequence[str]]
"""(rule, normalised value) -> the clients without an account that have it."""


class Index:
    """The account index in one run. Safe for several threads."""

    def __init__(self, run: Run, concern: str) -> None:
        self._run = run
        self._concern = concern
        self._rules = run.policy.accounts.match
        self._lock = threading.Lock()
        self._hints: ByValue | None = None

    def matches(
        self,
        records: Sequence[Record],
        known: Mapping[str, Sequence[Candidate]],
        answers: Mapping[str, Sequence[str]],
    ) -> Mapping[str, Match]:
        """Return what to do with each of these clients, none of which is linked and whose codes no account carries.

        ``known`` are their rows of ``sync_matches``, ``answers`` what the ERP said of them.
        """
        if not records:
            return {}
        hints = {r.key.client_id: matching.hint(r.key.client_id, r.erp or {}) for r in records}
        hits = self._hits(list(hints.values()))
        return {
            key: matching.match(hint, hits, self._rules, known=known.get(key, ()), answers=answers.get(key, ()))
            for key, hint in hints.items()
        }

    def _hits(self, clients: Sequence[ClientHint]) -> Hits:
        numbers = {c.tax_number for c in clients if c.tax_number and TAX_NUMBER_FIELD in self._rules}
        mails = {c.mail for c in clients if c.mail and EMAIL_FIELD in self._rules}
        found = self._run.exchange.index.find((), numbers, mails) if numbers or mails else ()
        accounts = [account for account in found if matching.can_be_linked(account)]
        if not accounts:
            return Hits()
        owners = self.owners(accounts)
        free = [account for account in accounts if account.panel_client_id not in owners]
        return Hits(accounts, owners, self._run.exchange.records.existing(set(owners.values())), self.contenders(free))

    def owners(self, accounts: Sequence[SeenAccount]) -> Mapping[str, str]:
        """Return panel client id -> the client that an account is linked to, or whose code it carries."""
        linked = self._run.exchange.index.owners([a.panel_client_id for a in accounts])
        coded = {a.panel_client_id: a.external_code for a in accounts if a.external_code}
        return {**coded, **linked}

    def contenders(self, accounts: Sequence[SeenAccount]) -> Mapping[str, frozenset[str]]:
        """Return panel client id -> the clients without an account that hit it by the policy's rules.

        A client whose code another account carries, or for which a person decided otherwise, does not contend.
        """
        wanted = {mark for a in accounts for mark in _marks(a) if mark[0] in self._rules}
        if not wanted:
            return {}
        clients = self._hitting(wanted)
        settled = self._settled([client.client_id for client in clients])
        by_value = _by_value(clients)
        return {
            a.panel_client_id: frozenset(
                client_id
                for mark in _marks(a)
                if mark in wanted
                for client_id in by_value.get(mark, ())
                if settled.get(client_id, a.panel_client_id) == a.panel_client_id
            )
            for a in accounts
        }

    def _hitting(self, wanted: Collection[tuple[str, str]]) -> Sequence[ClientHint]:
        """Return the clients without an account that have one of these values.

        All such clients were read when this run first asked; those that hit are read again, since one may have got its
        account, or another number, in this very run.
        """
        with self._lock:
            if self._hints is None:
                self._hints = _by_value(self._run.exchange.index.hints())
            by_value = self._hints
        keys = sorted({client_id for each in wanted for client_id in by_value.get(each, ())})
        records = self._run.exchange.records.load(self._concern, [Owner(key) for key in keys]) if keys else ()
        return [matching.hint(r.key.client_id, r.erp) for r in records if r.link is None and r.erp is not None]

    def _settled(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Return client -> the account that is its own already, or that a person chose; empty: a new one."""
        index = self._run.exchange.index
        own = {a.external_code: a.panel_client_id for a in index.find(client_ids, (), ()) if not a.guest}
        decided = {
            c.client_id: c.panel_client_id if c.decision == matching.LINK else ""
            for c in index.candidates(client_ids)
            if c.decision
        }
        return {**decided, **own}


def _by_value(clients: Sequence[ClientHint]) -> ByValue:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for client in clients:
        for mark in _marks(client):
            found[mark].append(client.client_id)
    return found


def _marks(one: ClientHint | SeenAccount) -> list[tuple[str, str]]:
    """Return by what a client or an account is recognised: (rule, normalised value), without empty ones."""
    marks = ((TAX_NUMBER_FIELD, one.tax_number), (EMAIL_FIELD, one.mail))
    return [(rule, value) for rule, value in marks if value]
