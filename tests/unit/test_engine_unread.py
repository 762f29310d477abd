"""What the panel does not answer for four hours rings, while everything else goes on; what waits for a reason does not.

``World.unread`` are the codes that a run counted, which the entry makes the metric ``Unread`` of.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.model import Deferral, Key
from kartoteka.sync import unread
from kartoteka.sync.feed import NAME
from kartoteka.sync.unread import TOO_LONG
from tests.address_world import LINES, AddressWorld, policy
from tests.helpers import account_of, linked, unbraked
from tests.world import World

ONE = "C-0"


def deferral_of(world: World, concern: str = "billing") -> Deferral | None:
    return world.exchange.deferrals.get(Key(ONE, "", concern))


def for_hours(world: World, hours: float, step: Callable[[], object], *, minutes: int = 10) -> list[timedelta]:
    """Let time pass in steps; return after how long each step rang that did."""
    began, rang = world.time, []
    while world.time - began < timedelta(hours=hours):
        world.unread.clear()
        step()
        if world.unread:
            rang.append(world.time - began)
        world.pass_time(minutes=minutes)
    return rang


def billing(world: World) -> Callable[[], object]:
    """Return a step in which what is due of billing is worked."""

    def step() -> None:
        world.collect("billing")
        world.drain()

    return step


def edited(world: World, client: str = ONE) -> World:
    world.exchange.update_client(client, city="Gdynia")
    return world


@pytest.mark.parametrize("code", ["broken_answer", "panel_5xx", "timeout", "answer_too_large", "panel_fault"])
def test_a_record_that_is_never_answered_rings_after_four_hours_and_stands_in_status(code: str) -> None:
    world = edited(linked(3))
    world.panel.fail_to_show(account_of(world, ONE), code)
    rang = for_hours(world, 7, billing(world))
    assert TOO_LONG <= rang[0] <= TOO_LONG + timedelta(minutes=70)
    assert max(b - a for a, b in itertools.pairwise(rang)) < timedelta(hours=2)
    status = world.exchange.status(ONE, "billing")
    assert status
    assert (status.state, status.code) == (State.PENDING, code)
    world.panel.recover_from(account_of(world, ONE))
    for_hours(world, 2, billing(world))
    assert for_hours(world, 6, billing(world)) == []
    deferral = deferral_of(world)
    assert deferral is None or deferral.unread_since is None


def test_a_gate_that_fails_for_one_client_while_others_pass_rings_until_it_is_held() -> None:
    """It counts attempts, since it fails alone; here they take longer than four hours."""
    world = linked(6, policy='{"retry": {"max_attempts": 30}}')
    edited(world)
    world.panel.fail_over(ONE)

    turns = itertools.count()

    def step() -> None:
        for n in range(1, 6):
            world.exchange.update_client(f"C-{n}", city=f"Miasto {next(turns)}")
        world.collect("billing")
        world.drain()
        world.follow()

    rang = for_hours(world, 7, step, minutes=30)
    assert rang
    assert rang[0] >= TOO_LONG
    status = world.exchange.status(ONE, "billing")
    assert status
    assert status.code == "panel_5xx"


def test_a_write_whose_result_is_never_told_rings() -> None:
    world = edited(linked(2))
    world.panel.update = lambda updates: [Retry("missing_result") for _ in updates]  # type: ignore[method-assign]
    rang = for_hours(world, 7, billing(world))
    assert rang
    assert rang[0] >= TOO_LONG


def test_an_address_list_that_is_never_answered_rings() -> None:
    world = AddressWorld(policy())
    for n in range(2):
        world.customer(f"C-{n}")
        world.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
    world.turn()
    world.panel.fail_to_show(account_of(world, ONE), "broken_answer")
    world.exchange.update_address("A-0", city="Gdynia")

    def step() -> None:
        world.collect("delivery_addresses")
        world.drain()

    rang = for_hours(world, 7, step)
    assert rang
    assert rang[0] >= TOO_LONG


# --- a page of a list


def breaking(world: World, broken: list[bool], code: str, *, whole: bool) -> None:
    """Let the panel answer the reading of all accounts, or that of a window, brokenly."""
    changed = world.panel.changed

    def answer(search: Any, page: int, limit: int) -> Any:
        if broken and (search is None) is whole:
            raise Retry(code)
        return changed(search, page, limit)

    world.panel.changed = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("code", ["broken_answer", "panel_5xx"])
def test_a_page_that_is_always_broken_rings_and_the_rest_is_read(code: str, whole: bool) -> None:
    world = World(unbraked('{"panel": {"full_read_days": 1}}'))
    world.knows_the_panel()
    broken = [True]
    breaking(world, broken, code, whole=whole)
    world.pass_time(days=1, seconds=1)
    rang = for_hours(world, 6, lambda: world.follow(at_once=False))
    assert rang[0] == TOO_LONG
    assert len(rang) == 12, "it rings as often as the page is asked for"
    broken.clear()
    world.follow()
    assert "unread_since" not in (world.state.load(NAME).document or {})
    assert for_hours(world, 5, world.follow) == []


def test_what_is_not_due_does_not_end_what_is_unread() -> None:
    world = World(unbraked())
    world.knows_the_panel()
    broken = [True]
    breaking(world, broken, "broken_answer", whole=False)
    world.follow()
    began = (world.state.load(NAME).document or {})["unread_since"]
    world.panel.fail(Retry("rate_limit"))
    world.follow()
    assert (world.state.load(NAME).document or {})["unread_since"] == began


# --- what waits for a good reason


@pytest.mark.parametrize("code", ["rate_limit", "brake", "paused", "first_pass", "group_in_use", "panel_empty"])
def test_what_waits_for_a_reason_never_rings(code: str) -> None:
    world = World()
    since = None
    for _ in range(12):
        since = unread.since(world.run(), Retry(code), since)
        world.pass_time(hours=1)
    assert since is None
    assert not world.unread


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (Retry("rate_limit"), True),
        (Retry("database"), True),
        (Halt("panel_key", "the key is wrong"), True),
        (Retry("panel_empty"), False),
        (Retry("brake"), False),
        (Reject("refused"), False),
        (Reject("panel_5xx.alone"), True),
    ],
)
def test_only_an_answer_ends_it(error: KartotekaError, kept: bool) -> None:
    world = World()
    began = unread.since(world.run(), Retry("broken_answer"), None)
    assert began == world.time
    world.pass_time(minutes=1)
    assert unread.since(world.run(), error, began) == (began if kept else None)


def test_a_pause_of_hours_does_not_ring() -> None:
    world = edited(linked(2))
    world.collect("billing")
    world.pause("billing")
    assert for_hours(world, 6, billing(world)) == []
    world.resume("billing")
    assert for_hours(world, 2, billing(world)) == []


def test_the_brake_does_not_ring() -> None:
    world = linked(4, policy='{"brake": {"any_share": 0.01, "min_records": 1}}')
    for n in range(4):
        edited(world, f"C-{n}")
    assert for_hours(world, 6, billing(world)) == []
    assert world.paused()


def test_a_short_outage_every_hour_does_not_ring() -> None:
    """It is answered between them."""
    world = linked(2)

    def step() -> None:
        edited(world)
        world.exchange.update_client(ONE, street=f"Długa {world.time.hour}")
        world.panel.fail_to_show(account_of(world, ONE))
        billing(world)()
        world.panel.recover_from(account_of(world, ONE))
        world.pass_time(minutes=5)
        world.collect("billing", everything_due=True)
        world.drain()

    assert for_hours(world, 8, step, minutes=55) == []
