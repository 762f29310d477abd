"""A client is erased at any moment, in the middle of a run too: it never comes back, and its neighbours settle.

Everything that can go wrong between the two sides goes wrong here as well (``test_engine_machine.py``). From the
erasure on nothing is written about that client to the panel or into the database, however often its row is deleted and
inserted again; at the end nothing of it is kept anywhere, and every promise holds of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from kartoteka.model import FORGOTTEN
from kartoteka.ports.panel import Search
from kartoteka.sync import forget
from tests.fakes.exchange import DIGEST
from tests.property.histories import histories
from tests.property.test_engine_machine import CLIENTS, Synchronisation

erasable = st.sampled_from(CLIENTS[:2])


class Erasing(Synchronisation):
    """Two sides, three customers, two of whom may want to be erased."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: set[str] = set()

    @rule(client=erasable, half=st.booleans())
    def is_erased(self, client: str, half: bool) -> None:
        """What the desk does; where it is killed half-way, the cloud does not know it yet."""
        self.erase(client)
        if not half:
            forget.remember(self.world.state, self.world.exchange.forgotten.tombstones(self.now(client)))

    @rule(client=erasable)
    def is_erased_while_we_save(self, client: str) -> None:
        self.world.exchange.before_save = lambda: self.erase_once(client)

    @rule(client=erasable)
    def is_erased_while_the_panels_pages_are_read(self, client: str) -> None:
        def erased(_search: Search, _page: int) -> None:
            self.world.panel.while_paging = None
            self.erase(client)

        self.world.panel.while_paging = erased

    @rule(client=erasable)
    def its_row_goes(self, client: str) -> None:
        if client in self.erased and self.world.exchange.has_client(self.now(client)):
            self.world.exchange.delete_client(self.now(client))

    @rule(client=erasable)
    def its_account_loses_its_code(self, client: str) -> None:
        account = self.account_of(client)
        if client in self.erased and account and DIGEST.account(account) in self.world.exchange.tombstones:
            self.world.panel.recode(account, "")

    def erase_once(self, client: str) -> None:
        self.world.exchange.before_save = None
        self.erase(client)

    def erase(self, client: str) -> None:
        self.world.exchange.forgotten.forget(self.now(client), at=self.world.time)
        self.erased.add(client)

    def dead(self) -> Mapping[str, str | None]:
        """Return the codes of those who were erased, each with its account."""
        return {self.now(client): self.account_of(client) for client in self.erased}

    def runs(self, move: Callable[[], object]) -> None:
        dead = self.dead()
        calls, rows = len(self.world.panel.log), len(self.world.exchange.history)
        super().runs(move)
        about = {each for key, account in dead.items() for each in (key, account) if each}
        for gate, named in self.world.panel.log[calls:]:
            assert gate.startswith("GET") or "search" in gate or not about.intersection(named), f"{gate}: {named}"
        assert not dead.keys() & {row.client_id for row in self.world.exchange.history[rows:]}

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.exchange.before_save = None
        self.world.panel.while_paging = None
        self.world.pass_time(days=1, minutes=20)
        super().teardown()
        db = self.world.exchange
        for client in map(self.now, self.erased):
            hers = [state for key, state in db.states.items() if key.client_id == client]
            assert all(state.status and state.status.code == FORGOTTEN for state in hers)
            assert not [row for row in db.history if row.client_id == client]
            assert not [row for row in db.conflicts if row.client_id == client]
            assert client not in db.links
            assert (client in {key.client_id for key in db.statuses}) is db.has_client(client)
        dead = {key for key in self.world.panel.accounts if DIGEST.account(key) in db.tombstones}
        assert not dead & (db.accounts.keys() | db.incoming.keys() | {x.panel_client_id for x in db.links.values()})

    def check_customer(self, client: str) -> None:
        if client not in self.erased:
            super().check_customer(client)

    def check_nothing_doubled(self) -> None:
        codes = [a.external_code for a in self.world.panel.accounts.values() if a.external_code]
        assert len(codes) == len(set(codes)), "an account was doubled"


TestErasing = Erasing.TestCase
TestErasing.settings = settings(
    max_examples=histories(150), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
