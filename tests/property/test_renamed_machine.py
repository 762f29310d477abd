"""Clients are re-coded at any moment, and erased: whatever code is used, each keeps its account or does not come back.

Everything that goes wrong in ``test_engine_machine.py`` and ``test_forgotten_machine.py`` goes wrong here as well. A
client may get a code that another one had before; its row may come before the command, or after it. At the end each
account carries the code that its client has now; of who was erased no code that its account ever carried opens another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from kartoteka.model import Values
from kartoteka.ports.exchange import Renamed
from kartoteka.ports.panel import Search
from tests.fakes.exchange import DIGEST
from tests.property.histories import histories
from tests.property.test_engine_machine import CLIENTS, POLICIES
from tests.property.test_forgotten_machine import Erasing
from tests.world import CLIENT, CONCERNS

CODES = (*CLIENTS, "N-1", "N-2", "N-3")
clients, codes = st.sampled_from(CLIENTS), st.sampled_from(CODES)


class Renaming(Erasing):
    """Three customers who get other codes, two of whom may want to be erased."""

    def __init__(self) -> None:
        super().__init__()
        self.code = {client: client for client in CLIENTS}
        self.carried: dict[str, set[str]] = {client: set() for client in CLIENTS}
        self.accounts: dict[str, str] = {}
        self.rows: dict[str, Values] = {}
        """What the rows held that are not back yet."""

    def now(self, client: str) -> str:
        return self.code[client]

    def account_of(self, client: str) -> str | None:
        if client in self.erased:
            return self.accounts.get(client)
        link = self.world.exchange.links.get(self.now(client))
        return link.panel_client_id if link else super().account_of(client)

    @rule(client=clients, new=codes, row_first=st.booleans())
    def is_renamed(self, client: str, new: str, row_first: bool) -> None:
        """The ERP re-codes a linked client, and a person says so; a row that comes later is back by ``insert``."""
        db, old = self.world.exchange, self.now(client)
        if new in self.code.values() or db.has_client(new):
            return
        refused = self.refused(client, new)
        if refused is not None:
            before = dict(db.links), dict(db.states)
            assert db.records.rename(old, new) is refused
            assert (db.links, db.states) == before
        elif old in db.links and db.has_client(old):
            self.the_slow_transaction_ends(commits=True)
            row = dict(db.clients[old])
            if row_first:
                db.rename_client(old, new)
            else:
                db.delete_client(old)
            answer = db.records.rename(old, new)
            if answer is Renamed.DONE:
                self.code[client] = new
            assert answer in (Renamed.DONE, Renamed.OPENING)
            if answer is Renamed.OPENING:
                db.insert_client(old, **row)
                if row_first:
                    db.delete_client(new)
            elif not row_first:
                self.rows[client] = row
            self.note()

    def refused(self, client: str, new: str) -> Renamed | None:
        stones = self.world.exchange.tombstones
        if DIGEST.client(self.now(client)) in stones:
            return Renamed.ERASED
        return Renamed.TO_ERASED if DIGEST.client(new) in stones else None

    def insert(self, client: str) -> None:
        if client in self.rows and not self.world.exchange.has_client(self.now(client)):
            self.world.exchange.insert_client(self.now(client), **self.rows.pop(client))
            self.note()
        else:
            super().insert(client)

    @rule(client=clients)
    def its_row_is_back(self, client: str) -> None:
        if client in self.rows:
            self.insert(client)

    @rule(client=clients, new=codes)
    def is_renamed_while_we_save(self, client: str, new: str) -> None:
        def renamed() -> None:
            self.world.exchange.before_save = None
            self.is_renamed(client, new, row_first=True)

        self.world.exchange.before_save = renamed

    @rule(client=clients, new=codes)
    def is_renamed_while_the_panels_pages_are_read(self, client: str, new: str) -> None:
        def renamed(_search: Search, _page: int) -> None:
            self.world.panel.while_paging = None
            self.is_renamed(client, new, row_first=True)

        self.world.panel.while_paging = renamed

    @rule(client=clients, code=codes)
    def the_row_of_a_former_code_is_there(self, client: str, code: str) -> None:
        """A code that the account of an erased client carried once: the ERP has a row of it again, and then not."""
        if client in self.erased and code in self.carried[client] and code not in self.code.values():
            if self.world.exchange.has_client(code):
                self.world.exchange.delete_client(code)
            elif DIGEST.client(code) in self.world.exchange.tombstones:
                self.world.exchange.insert_client(code, **CLIENT)

    def erase(self, client: str) -> None:
        if client in self.erased:
            super().erase(client)
            return
        if account := self.account_of(client):
            self.accounts[client] = account
        others = {*self.world.exchange.clients, *self.code.values(), *self.world.exchange.links}
        super().erase(client)
        for code in self.carried[client] - others:
            assert DIGEST.client(code) in self.world.exchange.tombstones, f"{code} may come back"

    def dead(self) -> Mapping[str, str | None]:
        stones = self.world.exchange.tombstones
        former = (code for client in self.erased for code in self.carried[client] if DIGEST.client(code) in stones)
        return {**dict.fromkeys(former), **super().dead()}

    def note(self) -> None:
        super().note()
        for client in CLIENTS:
            account = self.account_of(client)
            if client not in self.erased and account and account in self.world.panel.accounts:
                self.carried[client].add(self.world.panel.accounts[account].external_code)

    def check_nothing_doubled(self) -> None:
        """An account of an erased client is left alone, whatever code it carries, and another may have that by now."""
        gone = {self.accounts.get(client) for client in self.erased}
        found = [a.external_code for number, a in self.world.panel.accounts.items() if number not in gone]
        assert len(found) == len(set(found)), "an account was doubled"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.the_slow_transaction_ends(commits=True)
        for code in CODES:
            self.world.panel.accept(code)
        for client in CLIENTS:
            self.its_row_is_back(client)
        super().teardown()
        for client in set(CLIENTS) - self.erased:
            if link := self.world.exchange.links.get(self.now(client)):
                carried = self.world.panel.accounts[link.panel_client_id].external_code
                assert (carried, link.former_code) == (self.now(client), ""), f"{client} is {self.now(client)}"


TestRenaming = Renaming.TestCase
TestRenaming.settings = settings(
    max_examples=histories(150), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

HISTORIES = histories(150)


def test_many_histories() -> None:
    """Denser histories, one for each seed: a client in step is renamed again and again while replies are lost."""
    for seed in range(HISTORIES):
        live(seed)


def live(seed: int) -> None:
    """Live through the history of one seed: mostly renamings and work, with a fault or an erasure now and then."""
    chance = random.Random(seed)
    machine = Renaming()
    machine.begin(POLICIES[0])
    client, code, concern = (
        (lambda: chance.choice(CLIENTS)),
        (lambda: chance.choice(CODES)),
        (lambda: chance.choice(CONCERNS[:2])),
    )
    for each in CLIENTS:
        machine.insert(each)
    for _ in range(2):
        machine.ticks()
    steps: list[tuple[int, Callable[[], object]]] = [
        (8, lambda: machine.is_renamed(client(), code(), chance.random() < 0.7)),
        (2, lambda: machine.is_renamed_while_we_save(client(), code())),
        (1, lambda: machine.is_renamed_while_the_panels_pages_are_read(client(), code())),
        (3, lambda: machine.its_row_is_back(client())),
        (2, lambda: machine.erp_edits(client(), "street")),
        (2, lambda: machine.panel_edits(client(), "street")),
        (6, lambda: machine.collects(concern())),
        (3, machine.follows),
        (8, lambda: machine.works(concern())),
        (2, machine.ticks),
        (3, machine.a_reply_is_lost),
        (2, lambda: machine.the_next_run_dies(chance.randint(1, 8), after=chance.random() < 0.5)),
        (1, lambda: machine.messages_come_twice(concern())),
        (1, lambda: machine.the_row_of_a_former_code_is_there(client(), code())),
        (1, lambda: machine.time_passes(chance.choice([1, 200, 4000]))),
    ]
    if chance.random() < 0.5:
        steps.append((1, lambda: machine.is_erased(chance.choice(CLIENTS[:2]), half=False)))
    weights = [weight for weight, _ in steps]
    for _, step in chance.choices(steps, weights, k=chance.randint(10, 50)):
        step()
    try:
        machine.teardown()
    except AssertionError as exc:
        raise AssertionError(f"seed {seed}: {exc}") from exc
