"""The account index, asked for matching: whose an account is, and which clients without an account hit it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kartoteka.concerns.accounts import matching
from kartoteka.concerns.accounts.matching import MOST, Hits, Match
from kartoteka.fields.normal import code_key
from kartoteka.fields.table import COUNTRY_FIELD, TAX_NUMBER_FIELD
from kartoteka.model import Candidate, MatchDecision, Owner, Record, Values
from kartoteka.ports.exchange import ClientHint, Exchange, Mark, SeenAccount


class Waiting(NamedTuple):
    """The clients without an account by each of their marks, and by the form in which their codes are compared."""

    by_mark: Mapping[Mark, Sequence[str]]
    by_code: Mapping[str, Sequence[str]]


class Index:
    """The account index in one run, asked by these rules of the policy. Safe for several threads."""

    def __init__(self, exchange: Exchange, concern: str, rules: Sequence[str]) -> None:
        self._exchange = exchange
        self._concern = concern
        self._rules = rules
        self._asked = {COUNTRY_FIELD, TAX_NUMBER_FIELD}.union(rules)  # a tax number may contradict
        self._lock = threading.Lock()
        self._waiting: Waiting | None = None
        self._crowded: frozenset[Mark] = frozenset()

    def hint(self, client_id: str, row: Values) -> ClientHint:
        """Return what a client is recognised by, as far as these rules ask for it."""
        return ClientHint(client_id, *self._exchange.index.recognised({name: row.get(name) for name in self._asked}))

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
        hints = {r.key.client_id: self.hint(r.key.client_id, r.erp or {}) for r in records}
        hits = self._hits(list(hints.values()))
        return {
            key: matching.match(hint, hits, self._rules, known=known.get(key, ()), answers=answers.get(key, ()))
            for key, hint in hints.items()
        }

    def _hits(self, clients: Sequence[ClientHint]) -> Hits:
        wanted = self._marks(clients)
        found = self._exchange.index.find((), wanted - self._too_common(wanted)) if wanted else ()
        accounts = [account for account in found if matching.can_be_linked(account)]
        if not accounts:
            return Hits()
        owners = self.owners(accounts)
        existing = self._exchange.records.existing(set(owners.values()))
        free = [account for account in accounts if account.panel_client_id not in owners]
        marks = self._marks(free)
        nobodys = self._nobodys(marks)
        return Hits(accounts, owners, existing, self._contenders(free, marks - nobodys), nobodys)

    def owners(self, accounts: Sequence[SeenAccount]) -> Mapping[str, str]:
        """Return panel client id -> the client that an account is linked to, or whose code it carries."""
        linked = self._exchange.index.owners([a.panel_client_id for a in accounts])
        coded = {a.panel_client_id: a.external_code for a in accounts if a.external_code}
        clients = self.clients_of([code for key, code in coded.items() if key not in linked])
        return {**{key: clients.get(code, code) for key, code in coded.items()}, **linked}

    def clients_of(self, external_codes: Collection[str]) -> Mapping[str, str]:
        """Return code -> the client whose it is: to the letter, else the only one without an account that has it so."""
        held = self.held(external_codes) if external_codes else frozenset()
        others = [code for code in external_codes if code not in held]
        alike = {code: self._all_waiting().by_code.get(code_key(code), ()) for code in others}
        return {**{code: code for code in held}, **{code: some[0] for code, some in alike.items() if len(some) == 1}}

    def held(self, external_codes: Collection[str]) -> frozenset[str]:
        """Return those codes that a client, or a link of one that may be deleted, has to the letter."""
        owners = [Owner(code) for code in frozenset(external_codes) - {""}]
        records = self._exchange.records.load(self._concern, owners) if owners else ()
        return frozenset(r.key.client_id for r in records if r.link is not None or r.erp is not None)

    def contenders(self, accounts: Sequence[SeenAccount]) -> Mapping[str, frozenset[str]]:
        """Return panel client id -> the clients without an account that hit it by the policy's rules.

        A client whose code another account carries, whose tax number is another one, or for which a person decided
        otherwise, does not contend.
        """
        wanted = self._marks(accounts)
        return self._contenders(accounts, wanted - self._nobodys(wanted)) if wanted else {}

    def _contenders(self, accounts: Sequence[SeenAccount], wanted: Collection[Mark]) -> Mapping[str, frozenset[str]]:
        clients = self._hitting(wanted) if wanted else ()
        settled = self._settled([client.client_id for client in clients])
        having: dict[Mark, list[ClientHint]] = defaultdict(list)
        for client in clients:
            for mark in client.marks.intersection(wanted):
                having[mark].append(client)
        return {
            a.panel_client_id: frozenset(
                client.client_id
                for mark in a.marks
                for client in having.get(mark, ())
                if settled.get(client.client_id, a.panel_client_id) == a.panel_client_id
                and not matching.contradicts(client, a)
            )
            for a in accounts
        }

    def _marks(self, some: Iterable[ClientHint | SeenAccount]) -> frozenset[Mark]:
        """Return the marks of all of these by which the policy lets an account be found."""
        return frozenset(mark for one in some for mark in one.marks if mark[0] in self._rules)

    def _nobodys(self, marks: frozenset[Mark]) -> frozenset[Mark]:
        """Return those of these marks that too many accounts or clients have to tell whose an account is.

        Clients that have an account are counted by what it shows.
        """
        common = self._too_common(marks)
        waiting = {mark: set(some) for mark in marks - common if (some := self._all_waiting().by_mark.get(mark))}
        accounts = self._exchange.index.find((), waiting.keys()) if waiting else ()
        linked = self._exchange.index.owners([a.panel_client_id for a in accounts]) if accounts else {}
        for account in accounts:
            if owner := linked.get(account.panel_client_id):
                for mark in account.marks & waiting.keys():
                    waiting[mark].add(owner)
        return common | {mark for mark, clients in waiting.items() if len(clients) > MOST}

    def _too_common(self, marks: frozenset[Mark]) -> frozenset[Mark]:
        """Return those of these marks that too many accounts have; what was found so is not counted again."""
        found = self._exchange.index.crowded(marks - self._crowded, MOST)
        with self._lock:
            self._crowded |= found
            return marks & self._crowded

    def _hitting(self, wanted: Collection[Mark]) -> Sequence[ClientHint]:
        """Return the clients without an account that have one of these marks.

        All such clients were read when this run first asked; those that hit are read again, since one may have got its
        account, or another number, in this very run.
        """
        waiting = self._all_waiting().by_mark
        keys = sorted({client_id for each in wanted for client_id in waiting.get(each, ())})
        records = self._exchange.records.load(self._concern, [Owner(key) for key in keys]) if keys else ()
        return [self.hint(r.key.client_id, r.erp) for r in records if r.link is None and r.erp is not None]

    def _all_waiting(self) -> Waiting:
        with self._lock:
            if self._waiting is None:
                self._waiting = _waiting(self._exchange.index.hints())
            return self._waiting

    def by_code(self, client_ids: Collection[str]) -> Mapping[str, Sequence[SeenAccount]]:
        """Return the accounts of the index that carry the code of each of these clients."""
        found = self._exchange.index.find(client_ids, ())
        others = {account.external_code for account in found}.difference(client_ids)
        return matching.by_code(client_ids, found, self.held(others).union(client_ids))

    def _settled(self, client_ids: Collection[str]) -> Mapping[str, str]:
        """Return client -> the account that is its own already, or that a person chose; empty: a new one."""
        own = {
            client_id: account.panel_client_id
            for client_id, accounts in self.by_code(client_ids).items()
            for account in accounts
            if not account.guest
        }
        decided = {
            c.client_id: c.panel_client_id if c.decision == MatchDecision.LINK else ""
            for c in self._exchange.index.candidates(client_ids)
            if c.decision
        }
        return {**decided, **own}


def _waiting(clients: Sequence[ClientHint]) -> Waiting:
    by_mark, by_code = defaultdict[Mark, list[str]](list), defaultdict[str, list[str]](list)
    for client in clients:
        by_code[code_key(client.client_id)].append(client.client_id)
        for mark in client.marks:
            by_mark[mark].append(client.client_id)
    return Waiting(by_mark, by_code)
