"""A discount group that the panel has no more is recreated at once, and one that was only not shown never twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.policy import parse
from kartoteka.ports.panel import PanelGroup
from tests.helpers import account_of, left_undone, number_of, prices
from tests.world import CLIENT, World


def shop(clients: int = 2, *, others: bool = True) -> World:
    """Return an installation with a group, a price and clients in it, in step; ``others``: the shop has its own too."""
    world = World(parse("{}")).knows_the_panel()
    if others:
        world.panel.make_group("Obca")
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="12.30", currency="PLN")
    for n in range(clients):
        values = {**CLIENT, "nip": "", "email": f"{n}@firma.pl", "discount_group_id": "G1"}
        world.exchange.insert_client(f"C-{n}", **values)
    for _ in range(3):
        world.tick()
    return world


def shows(world: World, *readings: Sequence[str] | None) -> None:
    """Let the next readings of the list show these names alone; None: as it is. The last one stands for all later."""
    whole, left = world.panel.groups, list(readings)

    def groups(page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        found, pages = whole(page, limit)
        names = left.pop(0) if len(left) > 1 else left[0]
        return (found, pages) if names is None else ([each for each in found if each.name in names], pages)

    world.panel.groups = groups  # type: ignore[method-assign]


def named(world: World, name: str = "Hurt") -> list[str]:
    """Return the numbers of the panel's groups of this name."""
    return [number for number, shown in world.panel.discount_groups.items() if shown == name]


def touch(world: World, price: str = "9.99") -> None:
    """Let the worker look at the group."""
    world.exchange.set_item("G1", "product", "7", price=price, currency="PLN")


@pytest.mark.parametrize("first", [["Obca"], []])
def test_one_reading_that_lacks_it_makes_no_second_one(first: list[str]) -> None:
    world = shop()
    number, before = number_of(world), dict(world.panel.discount_groups)
    shows(world, first, None)
    touch(world)
    world.tick()
    assert (number_of(world), world.panel.discount_groups) == (number, before)
    assert prices(world) == {"product/7": "9.99 PLN"}


@pytest.mark.parametrize("readings", [([], []), ([], ["Obca"]), (["Obca"], [])])
def test_an_empty_list_is_no_proof(readings: tuple[list[str], ...]) -> None:
    world = shop()
    number, before = number_of(world), dict(world.panel.discount_groups)
    shows(world, *readings, *([readings[-1]] if readings[-1] == [] else []), None)
    touch(world)
    world.tick()
    assert (number_of(world), world.panel.discount_groups) == (number, before)


def test_a_list_that_stays_empty_makes_nothing_ever() -> None:
    world = shop()
    before = dict(world.panel.discount_groups)
    shows(world, [])
    for days in range(3):
        touch(world, f"{days}.50")
        world.tick()
        world.pass_time(days=1)
    assert world.panel.discount_groups == before


def test_two_readings_that_lack_it_are_proof_and_all_is_sent_again_at_once() -> None:
    world = shop()
    world.panel.remove_group(number_of(world))
    touch(world)
    world.collect("discounts", everything_due=True)
    world.drain()
    assert len(named(world)) == 1
    assert prices(world) == {"product/7": "9.99 PLN"}
    world.tick()
    assert {world.panel.accounts[account_of(world, f"C-{n}")].values["discount_group_id"] for n in range(2)} == {
        number_of(world)
    }
    status = world.exchange.status("C-0", "discounts")
    assert status is not None
    assert status.state is State.IN_STEP


def shown_never(world: World) -> None:
    """Let no list show a group of this name ever again."""
    shows(world, ["Obca"])


@pytest.mark.parametrize("clients", [0, 2])
def test_a_list_that_shows_it_never_again_makes_one_more_and_no_third(clients: int) -> None:
    world = shop(clients)
    former = number_of(world)
    shown_never(world)
    for price in ("9.99", "8.88", "7.77"):
        touch(world, price)
        world.tick()
        world.pass_time(days=1)
        assert named(world) == [former, number_of(world)]
        assert prices(world) == {"product/7": f"{price} PLN"}
    assert not left_undone(world, "discounts", asked=True)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_list_that_never_shows_what_we_made_makes_one_more_and_no_third(renamed: bool) -> None:
    world = World(parse("{}")).knows_the_panel()
    world.panel.make_group("Obca")
    shown_never(world)
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="12.30", currency="PLN")
    for price in ("9.99", "8.88", "7.77"):
        touch(world, price)
        if renamed:
            world.exchange.set_group("G1", f"Hurt {price}")
        world.tick()
    assert [name for name in world.panel.discount_groups.values() if name != "Obca"] == (
        ["Hurt 9.99", "Hurt 7.77"] if renamed else ["Hurt", "Hurt"]
    )
    assert prices(world) == {"product/7": "7.77 PLN"}
    assert not left_undone(world, "discounts")


def test_what_a_list_has_shown_since_is_gone_again_where_two_readings_lack_it() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.panel.make_group("Obca")
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="12.30", currency="PLN")
    world.tick()
    touch(world)
    world.tick()
    former = number_of(world)
    for price in ("8.88", "6.66"):
        world.panel.unlisted[number_of(world)] = 2
        touch(world, price)
        world.tick()
        touch(world, "7.77")
        world.tick()
    assert number_of(world) == former, "which has the name, and is nobody's"
    assert len(named(world)) == 2


def test_a_client_that_the_panel_refuses_proves_a_group_gone_that_no_list_has_shown() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.panel.make_group("Obca")
    former = world.panel.unlisted.setdefault("2", None) or "2"
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="12.30", currency="PLN")
    world.tick()
    touch(world)
    world.panel.unlisted["3"] = None
    world.tick()
    assert number_of(world) != former
    world.panel.remove_group(number_of(world))
    world.exchange.insert_client("C-0", **{**CLIENT, "discount_group_id": "G1"})
    for _ in range(4):
        world.tick()
    assert named(world) == [former, number_of(world)] == ["2", "4"]
    assert world.panel.accounts[account_of(world, "C-0")].values["discount_group_id"] == "4"


def test_a_shop_without_any_group_left_says_so_where_a_client_is_put_into_it() -> None:
    world = shop(others=False)
    world.panel.remove_group(number_of(world))
    assert world.panel.discount_groups == {}
    world.tick()
    world.tick()
    assert len(named(world)) == 1
    assert prices(world) == {"product/7": "12.30 PLN"}
    assert {world.panel.accounts[account_of(world, f"C-{n}")].values["discount_group_id"] for n in range(2)} == {
        number_of(world)
    }


@pytest.mark.parametrize("clients", [0, 1])
@pytest.mark.parametrize("groups", [1, 3])
def test_a_shop_without_any_group_and_nobody_to_put_into_one_is_asked_for_each(clients: int, groups: int) -> None:
    """No list can prove it, as an empty one may be none, and no client is put into a group where it is in step."""
    world = shop(clients, others=False)
    for n in range(2, groups + 1):
        world.exchange.set_group(f"G{n}", f"Hurt {n}")
        world.exchange.set_item(f"G{n}", "product", "7", price=f"{n}.00", currency="PLN")
    for _ in range(2):
        world.tick()
    former = set(world.panel.discount_groups)
    assert len(former) == groups
    for number in former:
        world.panel.remove_group(number)
    world.pass_time(days=1, minutes=1)
    for _ in range(3):
        world.tick()
    assert sorted(world.panel.discount_groups.values()) == ["Hurt", *(f"Hurt {n}" for n in range(2, groups + 1))]
    assert not former & set(world.panel.discount_groups)
    assert prices(world) == {"product/7": "12.30 PLN"}
    assert not left_undone(world, "discounts", asked=True)


def test_a_group_that_takes_its_name_is_there_though_no_list_shows_it() -> None:
    """A panel may say yes to the name of a group that it does not have: then nothing is proved either."""
    world = shop(0, others=False)
    before, asked = dict(world.panel.discount_groups), world.panel.calls().get("PUT discounts/groups", 0)
    shows(world, [])
    touch(world)
    world.tick()
    assert world.panel.calls().get("PUT discounts/groups", 0) == asked + 1
    assert world.panel.discount_groups == before
    world.panel.rename_group = lambda _number, _name: None  # type: ignore[method-assign]
    world.panel.remove_group(number_of(world))
    world.pass_time(days=1, minutes=1)
    world.tick()
    assert world.panel.discount_groups == {}


def test_one_that_was_made_again_and_never_shown_is_made_again_once_it_is_gone_too() -> None:
    world = shop(0)
    shown_never(world)
    touch(world)
    world.tick()
    second = number_of(world)
    assert len(named(world)) == 2
    world.panel.remove_group(second)
    world.pass_time(days=1, minutes=1)
    world.tick()
    assert number_of(world) not in {second, ""}
    assert len(named(world)) == 2
    assert prices(world) == {"product/7": "9.99 PLN"}


def test_an_outage_while_the_name_is_asked_makes_nothing() -> None:
    world = shop(0, others=False)
    number = number_of(world)
    shows(world, [], [], None)
    world.panel.fail_over(number, "timeout")
    touch(world)
    world.tick()
    world.panel.recover_from(number)
    world.tick()
    assert number_of(world) == number
    assert list(world.panel.discount_groups) == [number]


def test_a_group_of_its_name_is_taken_over_before_one_is_made() -> None:
    world = shop()
    world.panel.remove_group(number_of(world))
    by_hand = world.panel.make_group("Hurt")
    touch(world)
    world.tick()
    world.tick()
    assert named(world) == [by_hand]
    assert number_of(world) == by_hand


def test_an_outage_between_the_two_readings_makes_nothing() -> None:
    world = shop()
    number, whole, asked = number_of(world), world.panel.groups, []

    def groups(page: int, limit: int) -> tuple[Sequence[PanelGroup], int]:
        asked.append(page)
        if len(asked) == 2:
            raise Retry("timeout")
        found, pages = whole(page, limit)
        return [each for each in found if each.number != number or len(asked) > 2], pages

    world.panel.groups = groups  # type: ignore[method-assign]
    touch(world)
    world.tick()
    world.tick()
    assert number_of(world) == number
    assert prices(world) == {"product/7": "9.99 PLN"}


def test_a_refusal_for_another_reason_makes_no_second_one() -> None:
    world = shop(1)
    before = dict(world.panel.discount_groups)
    world.panel.edit(account_of(world, "C-0"), discount_group_id="")
    world.panel.refuse("C-0", Reject("refused", panel="nie"))
    for _ in range(3):
        world.tick()
    assert world.panel.discount_groups == before


def test_the_daily_reading_finds_it_where_nothing_else_tells() -> None:
    world = shop(0)
    world.panel.remove_group(number_of(world))
    world.pass_time(days=1, minutes=1)
    world.tick()
    assert prices(world) == {"product/7": "12.30 PLN"}
