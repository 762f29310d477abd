"""How often the pass over delivery addresses asks, and whom: within the policy's calls, those edited lately first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.errors import Halt, Retry
from kartoteka.policy import parse
from tests.address_world import CONCERN, LINES, READ, AddressWorld

QUARTERS = 4 * 24


def crowd(clients: int, *, batch: int = 10, calls: int = 40) -> AddressWorld:
    """Return an installation with so many clients in step, each with an address."""
    made = AddressWorld(
        parse(f'{{"delivery_addresses": {{"calls_per_day": {calls}}}, "panel": {{"batch_size": {batch}}}}}')
    )
    for n in range(clients):
        made.panel.add_address(made.customer(f"C-{n:03}"), **LINES)
    made.look(*(f"C-{n:03}" for n in range(clients)))
    return made


def quarter(world: AddressWorld) -> int:
    """Let a quarter of an hour pass, the schedule fire, and the queue be worked; return the calls of the pass."""
    world.pass_time(minutes=15)
    before = world.panel.calls()[READ]
    assert world.rotate(at_once=False)
    calls = world.panel.calls()[READ] - before
    world.drain()
    return calls


def edited(world: AddressWorld, client: int) -> None:
    """Edit a client's address in the panel, and let it be found."""
    world.panel.edit_address(str(client + 1), city=f"Gdynia {world.time}")
    assert world.look(f"C-{client:03}")


def visits(world: AddressWorld) -> Counter[str]:
    """Return the count of the accounts whose addresses are asked for from now on."""
    seen, plain = Counter[str](), world.panel.addresses

    def counted(ids: Any) -> Any:
        seen.update(ids)
        return plain(ids)

    world.panel.addresses = counted  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize(("calls", "least", "most"), [(40, 30, 41), (10, 9, 11), (96, 90, 97), (200, 190, 201)])
def test_a_day_in_which_every_pass_finds_something_costs_the_calls_of_the_policy(
    calls: int, least: int, most: int
) -> None:
    world = crowd(30, calls=calls)
    for _ in range(8):
        quarter(world)
    spent = 0
    for _ in range(QUARTERS):
        for n in range(30):
            world.panel.edit_address(str(n + 1), city=f"Gdynia {world.time}")
        before = world.panel.calls()[READ]
        world.pass_time(minutes=15)
        assert world.rotate(at_once=False)
        spent += world.panel.calls()[READ] - before
        world.queue.chunks.clear()
    assert least <= spent <= most


def test_a_day_in_which_nothing_is_found_costs_a_quarter_of_them() -> None:
    world = crowd(30)
    for _ in range(QUARTERS):
        quarter(world)
    assert 8 <= sum(quarter(world) for _ in range(QUARTERS)) <= 10


def test_an_edit_that_was_found_begins_the_short_times_again() -> None:
    world = crowd(5)
    for _ in range(QUARTERS):
        quarter(world)
    world.panel.edit_address("3", city="Gdynia")
    waited = 1
    while not quarter(world):
        waited += 1
    assert waited <= 10
    assert [quarter(world) for _ in range(9)] == [0, 0, 1, 0, 0, 0, 0, 1, 0], "45 minutes, then 75"


def test_before_its_time_a_pass_asks_and_writes_nothing() -> None:
    world = crowd(5)
    for _ in range(QUARTERS):
        quarter(world)
    while not quarter(world):
        pass
    before = dict(world.state.documents)
    assert [quarter(world) for _ in range(8)] == [0] * 8
    assert world.state.documents == before


def test_a_tick_sees_a_small_installation_whole_whatever_the_time() -> None:
    world = crowd(30)
    for _ in range(3):
        seen = visits(world)
        assert world.rotate()
        assert set(seen) == {str(n + 1) for n in range(30)}


def test_those_edited_lately_are_seen_more_often_and_all_others_in_their_turn() -> None:
    world = crowd(200)
    for n in (7, 42, 99):
        edited(world, n)
    seen = visits(world)
    calls = 0
    while len(seen) < 200:
        calls += quarter(world)
        assert calls <= 200 / (10 - 3) + 2
    hot = {str(n + 1) for n in (7, 42, 99)}
    assert {key: seen[key] for key in hot} == dict.fromkeys(hot, calls)
    assert max(count for key, count in seen.items() if key not in hot) <= 2


def test_those_edited_lately_take_half_of_a_pass_at_most() -> None:
    world = crowd(100)
    for n in range(40, 80):
        edited(world, n)
    seen = visits(world)
    calls = 0
    while len(seen) < 100:
        calls += quarter(world)
        assert calls <= 100 / 5 + 2
    assert min(seen[str(n + 1)] for n in range(40, 80)) >= 2


def test_an_edit_of_long_ago_counts_no_more() -> None:
    world = crowd(200)
    edited(world, 7)
    world.pass_time(days=31)
    seen = visits(world)
    while len(seen) < 100:
        quarter(world)
    assert seen["8"] <= 2


def broken_at(world: AddressWorld, account: str) -> Callable[[Any], Any]:
    plain = world.panel.addresses

    def broken(ids: Any) -> Any:
        if account in ids:
            raise Retry("panel_5xx")
        return plain(ids)

    return broken


@pytest.mark.parametrize("account", ["8", "25"])
def test_a_batch_that_cannot_be_read_stops_neither_turn_for_ever(account: str) -> None:
    world = crowd(60)
    for n in (7, 42):
        edited(world, n)
    seen = visits(world)
    world.panel.addresses = broken_at(world, account)  # type: ignore[method-assign]
    for _ in range(QUARTERS * 3):
        world.pass_time(minutes=15)
        world.rotate(at_once=False)
        if len(seen) >= 50:
            break
    assert len(seen) >= 50


@pytest.mark.parametrize(("culprit", "code"), [("8", "panel_5xx"), ("25", "timeout"), ("60", "panel_5xx")])
def test_a_client_whose_addresses_cannot_be_read_hides_no_neighbours_edit_from_the_pass(
    culprit: str, code: str
) -> None:
    """The pass alone finds edits of addresses here: the feed does not tell of them."""
    world = crowd(60)
    neighbours = [str(n) for n in range(1, 61) if str(n) != culprit]
    world.panel.fail_to_show(culprit, code)
    for n in neighbours:
        world.panel.edit_address(n, city="Gdynia")
    for _ in range(QUARTERS * 3):
        world.pass_time(minutes=15)
        world.rotate(at_once=False)
        world.collect(CONCERN, everything_due=True)
        world.drain()
    rows = world.exchange.addresses
    assert [n for n in neighbours if rows[f"panel-{n}"]["city"] != "Gdynia"] == []
    status = world.exchange.status(f"C-{int(culprit) - 1:03}", CONCERN)
    assert status
    assert (status.state, status.code) == (State.PENDING, code)
    world.panel.recover_from(culprit)
    world.panel.edit_address(culprit, city="Sopot")
    for _ in range(QUARTERS * 2):
        quarter(world)
        world.collect(CONCERN, everything_due=True)
        world.drain()
    assert rows[f"panel-{culprit}"]["city"] == "Sopot"


@pytest.mark.parametrize("culprit", ["1", "4"])
def test_a_client_whose_addresses_cannot_be_read_does_not_stop_the_feed(culprit: str) -> None:
    world = crowd(5)
    assert world.follow()
    world.pass_time(hours=1)
    world.panel.fail_to_show(culprit)
    for n in range(1, 6):
        world.panel.edit(str(n), phone=f"60070080{n}")
        world.panel.edit_address(str(n), city="Gdynia")
    for _ in range(20):
        assert world.follow()
        world.drain()
        world.pass_time(minutes=5)
        world.collect(CONCERN, everything_due=True)
        world.drain()
    cities = {key: row["city"] for key, row in world.exchange.addresses.items()}
    assert [key for key, city in cities.items() if city != "Gdynia"] == [f"panel-{culprit}"]


def test_a_wrong_key_for_addresses_holds_the_feed_and_no_client() -> None:
    world = crowd(5)
    assert world.follow()
    world.pass_time(hours=1)
    plain = world.panel.addresses
    world.panel.addresses = raising(Halt("panel_key", "the key may not read addresses"))  # type: ignore[method-assign]
    world.panel.edit("1", phone="600700801")
    assert not world.follow()
    assert CONCERN not in world.queue.chunks
    world.panel.addresses = plain  # type: ignore[method-assign]
    assert world.follow()


def raising(error: Exception) -> Callable[[Any], Any]:
    def raise_it(_ids: Any) -> Any:
        raise error

    return raise_it


def test_what_a_pass_finds_is_carried() -> None:
    world = crowd(25)
    world.exchange.links.pop("C-003")
    world.panel.edit_address("20", city="Gdynia")
    for _ in range(QUARTERS):
        quarter(world)
    assert world.exchange.addresses["panel-20"]["city"] == "Gdynia"
    assert CONCERN not in world.paused()
