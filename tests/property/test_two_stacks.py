"""Two stacks by mistake on one exchange database and one panel, with everything else that goes wrong in a history.

Each has its own queues and state. The one that is not the owner writes nothing, whenever it acts: also in the middle of
the owner's run, or of its own when the database is taken over from it. After a takeover everything settles, and the
promises hold as ever (:mod:`tests.property.test_engine_machine`).
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from kartoteka.errors import Halt, Retry
from kartoteka.sync.ownership import WAITS
from tests.property.histories import histories
from tests.property.test_engine_machine import POLICIES, Synchronisation
from tests.world import CLIENT, CONCERNS, World


class Second(World):
    """Another installation on the same exchange database and panel, at the same time."""

    installation = "stack-b"

    def __init__(self, first: World) -> None:
        self._first = first
        super().__init__(first.policy)
        self.exchange, self.panel = first.exchange, first.panel

    @property
    def time(self) -> datetime:  # type: ignore[override]
        return self._first.time

    @time.setter
    def time(self, time: datetime) -> None:
        self._first.time = time


class TwoStacks(Synchronisation):
    """``world`` is the owner's; ``other`` the stack that is not, or not any more."""

    other: World

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: str) -> None:
        super().begin(policy)
        self.other = Second(self.world)
        self.world.begin()

    def everything(self) -> tuple[Any, ...]:
        """What is kept and written on either side, as it stands now."""
        db, panel = self.world.exchange, self.world.panel
        accounts = {key: (account.external_code, dict(account.values)) for key, account in panel.accounts.items()}
        tables = (
            db.states,
            db.links,
            db.matches,
            db.accounts,
            db.clients,
            db.stops,
            db.planned,
            db.tombstones,
            db.sent,
        )
        return (self.writes(), accounts, [dict(table) for table in tables], list(db.history), list(db.conflicts))

    def acts(self, move: Callable[[], object]) -> None:
        """Let the other stack do something; it changes nothing, and asks the panel nothing."""
        before, calls = self.everything(), sum(self.world.panel.calls().values())
        move()
        assert self.everything() == before, "the stack that is not the owner has written"
        assert sum(self.world.panel.calls().values()) == calls, "the stack that is not the owner has asked the panel"

    @rule(concern=st.sampled_from(CONCERNS))
    def the_other_collects(self, concern: str) -> None:
        self.acts(lambda: self.other.collect(concern))

    @rule()
    def the_other_follows(self) -> None:
        self.acts(self.other.follow)

    @rule(concern=st.sampled_from(CONCERNS))
    def the_other_works(self, concern: str) -> None:
        if self.other.queue.chunks.get(concern):
            self.acts(lambda: self.other.work(concern))

    @rule(steps=st.integers(1, 12))
    def the_other_acts_amid(self, steps: int) -> None:
        """In the middle of the owner's next run."""

        def act() -> None:
            for concern in CONCERNS:
                self.acts(lambda concern=concern: self.other.collect(concern))  # type: ignore[misc]
            self.acts(self.other.follow)

        self.world.amid(steps, act)

    @rule()
    def the_other_takes_over(self) -> None:
        taken = self.other.run().exchange.ownership.take_over(at=self.world.time)
        assert taken.former == self.world.installation
        self.world, self.other = self.other, self.world
        self.must_wait()

    @rule(steps=st.integers(1, 12))
    def the_other_takes_over_amid(self, steps: int) -> None:
        """In the middle of the owner's next run, and acts at once; the former owner goes on as long as it can."""

        def act() -> None:
            self.the_other_takes_over()
            self.kept = self.stored()

        self.kept: Any = None
        former = self.world
        former.amid(steps, act)
        self.note()
        for concern in CONCERNS:
            former.collect(concern)
            former.work(concern)
        former._amid = None
        if self.kept is not None:
            assert self.stored() == self.kept, "the former owner has stored something after the takeover"
        self.note()

    @rule()
    def ticks(self) -> None:
        """A tick waits for the queues, and nothing leaves them before the wait after a takeover is over."""
        with contextlib.suppress(Retry):
            self.world.begin()
            super().ticks()

    def stored(self) -> tuple[Any, ...]:
        db = self.world.exchange
        return dict(db.states), dict(db.links), list(db.history), list(db.conflicts), dict(db.clients)

    def must_wait(self) -> None:
        """See that the new owner sends nothing and asks nothing before the former's last call must have ended."""
        with pytest.raises(Retry, match=WAITS):
            self.world.begin()
        for concern in CONCERNS:
            self.acts(lambda concern=concern: self.world.collect(concern))  # type: ignore[misc]
            if self.world.queue.chunks.get(concern):
                self.acts(lambda concern=concern: self.world.work(concern))  # type: ignore[misc]

    def teardown(self) -> None:
        if not hasattr(self, "other"):
            return
        self.world._amid = self.other._amid = None
        self.world.pass_time(seconds=200)
        super().teardown()
        with pytest.raises(Halt, match="not_owner"):
            self.other.begin()
        for concern in CONCERNS:
            self.the_other_collects(concern)
            self.the_other_works(concern)


TestTwoStacks = TwoStacks.TestCase
TestTwoStacks.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_many_histories() -> None:
    """Denser histories than hypothesis draws, one for each seed."""
    for seed in range(histories(150)):
        live(seed)


def live(seed: int) -> None:
    """Live through the history of one seed: edits, work, deaths, lost replies, and takeovers."""
    chance = random.Random(seed)
    machine = TwoStacks()
    machine.begin(chance.choice(POLICIES))
    machine.insert("C-1")
    client, field = lambda: chance.choice(("C-1", "C-2")), lambda: chance.choice(("street", "company"))
    concern = lambda: chance.choice(CONCERNS)  # noqa: E731
    steps: list[tuple[int, Callable[[], None]]] = [
        (3, lambda: machine.insert(client())),
        (6, lambda: machine.erp_edits(client(), field())),
        (4, lambda: machine.panel_edits(client(), field())),
        (8, lambda: machine.collects(concern())),
        (4, machine.follows),
        (8, lambda: machine.works(concern())),
        (3, machine.ticks),
        (3, lambda: machine.the_next_run_dies(chance.randint(1, 8), after=chance.random() < 0.5)),
        (3, machine.a_reply_is_lost),
        (3, lambda: machine.the_other_collects(concern())),
        (2, machine.the_other_follows),
        (3, lambda: machine.the_other_works(concern())),
        (4, lambda: machine.the_other_acts_amid(chance.randint(1, 12))),
        (1, machine.the_other_takes_over),
        (3, lambda: machine.the_other_takes_over_amid(chance.randint(1, 20))),
        (2, lambda: machine.time_passes(chance.choice([1, 200, 4000]))),
    ]
    for _, step in chance.choices(steps, [weight for weight, _ in steps], k=chance.randint(10, 50)):
        step()
    try:
        machine.teardown()
    except AssertionError as exc:
        raise AssertionError(f"seed {seed}: {exc}") from exc


def test_an_account_under_way_is_not_opened_a_second_time() -> None:
    """The takeover comes between the former owner's intent and its call: without the wait there are two accounts."""
    world = World()
    other = Second(world)
    world.exchange.insert_client("C-1", **CLIENT)
    world.knows_the_panel()
    assert world.collect("accounts")

    def take_over_and_act() -> None:
        other.run().exchange.ownership.take_over(at=world.time)
        other.follow()
        other.collect("accounts")
        other.drain()

    original = world.panel.create

    def create(*args: Any, **more: Any) -> Any:
        world.panel.create = original  # type: ignore[method-assign]
        take_over_and_act()
        return original(*args, **more)

    world.panel.create = create  # type: ignore[method-assign, assignment]
    assert not world.work("accounts") or world.exchange.intents, "what it has opened is not stored by the former owner"
    assert len(world.panel.accounts) == 1
    assert not world.exchange.links
    world.pass_time(seconds=200)
    for _ in range(3):
        other.tick()
    assert len(world.panel.accounts) == 1
    assert world.exchange.links["C-1"].panel_client_id in world.panel.accounts


def test_what_the_former_owner_left_is_found_though_neither_queue_nor_log_tells_of_it() -> None:
    """The new owner has read the log as far as the former one: all is compared once, since the owner is another."""
    world = World()
    other = Second(world)
    world.exchange.insert_client("C-1", **CLIENT)
    for _ in range(3):
        world.tick()
    world.exchange.update_client("C-1", street="Krótka 7")
    world.collect("billing")
    other.state.documents.update(world.state.documents)
    original = world.panel.update

    def update(*args: Any, **more: Any) -> Any:
        world.panel.update = original  # type: ignore[method-assign]
        del args, more
        other.run().exchange.ownership.take_over(at=world.time)
        raise Retry("timeout")  # it never arrived, so that the panel's feed does not tell of it either

    world.panel.update = update  # type: ignore[method-assign, assignment]
    world.work("billing")
    assert world.exchange.intents, "what came of the call is not stored by the former owner"
    world.pass_time(seconds=200)
    assert other.collect("billing")
    assert other.work("billing"), "its key is not in the queue"
    assert not world.exchange.intents
    assert [h.value_after for h in world.exchange.history if h.field == "street" and h.reason == "edit"] == ["Krótka 7"]
    assert other.collect("billing")
    assert not other.work("billing"), "all is compared once"
