"""A panel that is too slow for a full call gets smaller ones: remembered, and growing again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kartoteka.errors import Retry
from kartoteka.sync.batch import DOCUMENT, GROWS_AFTER, BatchSize
from tests.fakes.state import FakeState
from tests.world import CLIENT, World

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Clock:
    """The present moment, until it is put on."""

    now = NOON


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state() -> FakeState:
    return FakeState()


def batch(state: FakeState, clock: Clock, most: int = 100) -> BatchSize:
    """Return what the next run knows."""
    return BatchSize(state, lambda: clock.now, most)


def test_a_size_that_was_too_much_is_halved_and_remembered_by_later_runs(state: FakeState, clock: Clock) -> None:
    assert batch(state, clock).size() == 100
    batch(state, clock).too_many(100)
    assert batch(state, clock).size() == 50
    batch(state, clock).too_many(30)
    assert batch(state, clock).size() == 15
    batch(state, clock).too_many(100)
    assert batch(state, clock).size() == 15, "a larger one tells nothing new"
    batch(state, clock).too_many(1)
    assert batch(state, clock).size() == 15, "one record that fails tells nothing of sizes"


def test_what_works_for_a_while_grows_up_to_what_the_policy_says(state: FakeState, clock: Clock) -> None:
    batch(state, clock).too_many(60)
    sizes = []
    for _ in range(4):
        one = batch(state, clock)
        one.passed(one.size())
        one.passed(one.size())
        sizes.append(batch(state, clock).size())
        clock.now += GROWS_AFTER
    assert sizes == [30, 60, 100, 100]
    assert state.load(DOCUMENT).document == {"size": 100, "since": (NOON + 2 * GROWS_AFTER).isoformat()}


def test_calls_that_were_not_full_let_nothing_grow(state: FakeState, clock: Clock) -> None:
    batch(state, clock).too_many(100)
    clock.now += timedelta(days=1)
    batch(state, clock).passed(49)
    assert batch(state, clock).size() == 50


def test_a_smaller_size_of_the_policy_counts(state: FakeState, clock: Clock) -> None:
    batch(state, clock).too_many(100)
    assert batch(state, clock, most=20).size() == 20


def test_nothing_is_stored_while_all_is_well(state: FakeState, clock: Clock) -> None:
    one = batch(state, clock)
    one.passed(one.size())
    assert state.load(DOCUMENT).document is None


@pytest.mark.parametrize("took", [False, True], ids=["lost", "taken"])
def test_a_slow_panel_gets_everybody_once_and_no_large_call_twice(monkeypatch: pytest.MonkeyPatch, took: bool) -> None:
    world = World().knows_the_panel()
    sizes: list[int] = []
    create = world.panel.create

    def slow(accounts: Sequence[Any], **how: Any) -> Any:
        sizes.append(len(accounts))
        if len(accounts) > 30:
            if took:
                create(accounts, **how)
            raise Retry("timeout")
        return create(accounts, **how)

    monkeypatch.setattr(world.panel, "create", slow)
    for n in range(90):
        world.exchange.insert_client(
            f"C-{n:02}", **{**CLIENT, "nip": "", "phone": None, "email": f"k{n}@x.pl", "street": f"Polna {n}"}
        )
    for _ in range(12):
        world.tick()
    assert len(world.panel.accounts) == 90
    assert len({account.external_code for account in world.panel.accounts.values()}) == 90
    assert sizes[0] == 90
    first = len(sizes)
    for n in range(90, 180):
        world.exchange.insert_client(
            f"C-{n}", **{**CLIENT, "nip": "", "phone": None, "email": f"k{n}@x.pl", "street": f"Polna {n}"}
        )
    world.tick()
    assert max(sizes[first:]) < 90, "the size that was too much is remembered"
    for _ in range(12):
        world.tick()
    assert len(world.panel.accounts) == 180
