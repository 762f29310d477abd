"""Prices under the brake: removed ones and those cut to less than half count against the prices that were sent."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Retry
from kartoteka.fields import risk
from kartoteka.model import Key, Value
from kartoteka.policy import parse
from tests.fakes.state import FakeState
from tests.helpers import number_of, prices
from tests.world import World

SMALL = '{"brake": {"max_share": 0.2, "min_records": 5, "any_share": 1}, "panel": {"batch_size": 10}}'
BRAKED = {"discounts": "brake"}


def shop(items: int = 40, groups: int = 1, *, policy: str = SMALL) -> World:
    """Return an installation with so many prices of 100.00 in each group, in step."""
    world = World(parse(policy)).knows_the_panel()
    for group in range(groups):
        world.exchange.set_group(f"G{group + 1}", f"Hurt {group + 1}")
        for n in range(items):
            world.exchange.set_item(f"G{group + 1}", "product", str(n + 1), price="100", currency="PLN")
    for _ in range(3):
        world.tick()
    assert not world.paused(), "a first load is no mass change"
    return world


def reprice(world: World, numbers: range, price: str | None, group: str = "G1", currency: str = "PLN") -> None:
    """Let the ERP write these prices, or delete the rows."""
    for n in numbers:
        if price is None:
            world.exchange.delete_item(group, "product", str(n + 1))
        else:
            world.exchange.set_item(group, "product", str(n + 1), price=price, currency=currency)


def at(world: World, price: str, group: str = "G1") -> int:
    """Return how many prices of a group the panel has at this."""
    return sum(shown == price for shown in prices(world, group).values())


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ("100.00", "49.99", True),
        ("100.00", "50.00", False),
        ("100.00", "0.00", True),
        ("100.00", None, True),
        ("0.01", "0.00", True),
        ("0.00", "0.00", False),
        ("0.00", None, True),
        (None, "0.01", False),
        ("10.00", "20.00", False),
    ],
)
def test_what_counts(before: Value, after: Value, counts: bool) -> None:
    assert risk.cut(before, after) is counts


@pytest.mark.parametrize("price", ["0.01", "49.99", "0", None])
def test_a_mass_of_cut_or_removed_prices_is_stopped(price: str | None) -> None:
    world = shop()
    reprice(world, range(30), price)
    world.tick()
    assert world.paused() == BRAKED
    assert at(world, "100.00 PLN") == 40, "the first batch of ten alone is more than eight"
    status = world.exchange.status("", "discounts", "", "G1")
    assert status is not None
    assert (status.state, status.code) == (State.PENDING, "brake")
    for _ in range(3):
        world.tick()
    assert at(world, "100.00 PLN") == 40


def test_prices_of_0_in_a_mass_go_by_the_word_that_releases_the_brake() -> None:
    world = shop()
    reprice(world, range(30), "0")
    world.exchange.set_item("G1", "product", "99", price="0", currency="PLN")
    world.tick()
    assert world.paused() == BRAKED
    world.resume("discounts", confirm=True)
    world.tick()
    assert at(world, "0.00 PLN") == 30
    new = world.exchange.status("", "discounts", "product/99", "G1")
    assert new is not None
    assert new.code == "zero_price", "a new one stood behind no brake"


def test_a_few_prices_of_0_wait_each_for_its_word_and_count_for_nothing_later() -> None:
    world = shop()
    reprice(world, range(8), "0")
    world.tick()
    assert not world.paused()
    assert at(world, "100.00 PLN") == 40
    reprice(world, range(8, 16), "0.01")
    world.tick()
    assert not world.paused(), "those that wait were counted when they came"
    assert at(world, "0.01 PLN") == 8


@pytest.mark.parametrize(("number", "price"), [(8, "0.01"), (40, "50"), (40, "200"), (8, None)])
def test_what_is_within_bounds_or_harmless_goes(number: int, price: str | None) -> None:
    world = shop()
    reprice(world, range(number), price)
    world.tick()
    assert not world.paused()
    assert at(world, "100.00 PLN") == 40 - number


def test_another_currency_is_no_cut() -> None:
    world = shop()
    reprice(world, range(40), "23.50", currency="EUR")
    world.tick()
    assert not world.paused()
    assert at(world, "23.50 EUR") == 40


def test_batches_groups_and_runs_of_an_hour_count_together() -> None:
    world = shop(20, 3, policy=SMALL.replace('"batch_size": 10', '"batch_size": 4'))
    reprice(world, range(4), "1", "G1")
    world.tick()
    reprice(world, range(8), "1", "G2")
    world.tick()
    assert not world.paused(), "twelve of sixty are not more than a fifth"
    reprice(world, range(1), None, "G3")
    world.tick()
    assert (world.paused(), at(world, "100.00 PLN", "G3")) == (BRAKED, 20)
    assert sum(h.counts for h in world.exchange.history) == 12


def test_an_hour_later_it_counts_anew() -> None:
    world = shop()
    for first in (0, 8, 16):
        reprice(world, range(first, first + 8), "1")
        world.tick()
        world.pass_time(minutes=61)
    assert not world.paused()
    assert at(world, "1.00 PLN") == 24


def test_the_groups_after_the_one_that_stopped_are_deferred_untouched() -> None:
    world = shop(20, 4)
    for group in range(4):
        reprice(world, range(20), "1", f"G{group + 1}")
    world.tick()
    assert world.paused() == BRAKED
    deferred = world.exchange.deferrals
    assert {deferred[Key("", f"G{n}", "discounts")].code for n in (1, 2, 3, 4)} == {"brake"}
    assert sum(at(world, "1.00 PLN", f"G{n}") for n in (1, 2, 3, 4)) <= 10


def test_a_persons_word_lets_pass_what_stood_stopped_and_later_is_counted_from_nought() -> None:
    world = shop(40, 2)
    reprice(world, range(40), "1", "G1")
    reprice(world, range(40), "2", "G2")
    world.tick()
    assert world.paused() == BRAKED
    world.state = FakeState()
    world.resume("discounts", confirm=True)
    world.tick()
    world.tick()
    assert (at(world, "1.00 PLN", "G1"), at(world, "2.00 PLN", "G2"), world.paused()) == (40, 40, {})
    counted = sum(h.counts for h in world.exchange.history)
    reprice(world, range(16), None, "G1")
    world.tick()
    assert (len(prices(world, "G1")), world.paused()) == (24, {}), "what was let pass does not count"
    reprice(world, range(16, 17), None, "G1")
    world.tick()
    assert (len(prices(world, "G1")), world.paused()) == (24, BRAKED)
    assert sum(h.counts for h in world.exchange.history) - counted == 16


def test_without_a_persons_word_it_stays_stopped() -> None:
    world = shop()
    reprice(world, range(40), "0.01")
    world.tick()
    world.resume("discounts")
    world.tick()
    assert (world.paused(), at(world, "100.00 PLN")) == (BRAKED, 40)


def test_corrected_rows_are_read_afresh() -> None:
    world = shop()
    reprice(world, range(40), "0.01")
    world.tick()
    reprice(world, range(40), "100")
    world.resume("discounts", confirm=True)
    world.tick()
    world.tick()
    assert (world.paused(), at(world, "100.00 PLN")) == ({}, 40)
    assert not [h for h in world.exchange.history if h.value_after == "0.01"]


@pytest.mark.parametrize("arrived", [False, True])
def test_an_outage_after_the_confirmation_does_not_bring_the_brake_on_again(arrived: bool) -> None:
    world = shop()
    reprice(world, range(40), "1")
    world.tick()
    world.resume("discounts", confirm=True)
    if arrived:
        world.panel.lose_reply()
    else:
        world.panel.fail(*[Retry("timeout") for _ in range(9)])
    world.tick()
    world.panel.recover()
    for _ in range(3):
        world.tick()
    assert (world.paused(), at(world, "1.00 PLN")) == ({}, 40)


def test_what_is_let_pass_goes_on_over_several_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.concerns.discounts.prices.MOST_CALLS", 2)
    world = shop()
    reprice(world, range(40), "1")
    world.tick()
    world.resume("discounts", confirm=True)
    for _ in range(3):
        world.tick()
    assert (world.paused(), at(world, "1.00 PLN")) == ({}, 40)


def test_a_deleted_group_removes_its_prices() -> None:
    world = shop(policy=SMALL[:-1] + ', "discounts": {"deletes": "propagate"}}')
    number = number_of(world)
    world.exchange.delete_group("G1")
    reprice(world, range(40), None)
    world.tick()
    assert world.paused() == BRAKED
    assert number in world.panel.discount_groups
    world.resume("discounts", confirm=True)
    world.tick()
    world.tick()
    assert number not in world.panel.discount_groups


def test_prices_that_nobody_knows_any_more_are_sent_again_without_the_brake() -> None:
    world = shop(policy=SMALL.replace('"any_share": 1', '"any_share": 0'))
    world.exchange.prices.doubt("G1", None)
    world.reconcile("discounts", *[key.owner for key in world.exchange.states if key.group_id and not key.item_id])
    assert not world.paused()
    assert not [price for price in world.exchange.sent.values() if price.price is None]


def test_any_writes_of_nearly_all_prices_stop_too() -> None:
    world = shop(policy=SMALL.replace('"any_share": 1', '"any_share": 0.8').replace(": 10}", ": 100}"))
    reprice(world, range(33), "99")
    world.tick()
    assert (world.paused(), at(world, "100.00 PLN")) == (BRAKED, 40)


def test_the_clients_are_counted_apart() -> None:
    """Eight cut prices of forty do not add to clients taken out of their group, nor the other way round."""
    world = shop()
    reprice(world, range(8), "1")
    world.tick()
    assert world.exchange.records.counted("discounts", world.time.replace(year=2000)) == 0
    assert world.exchange.records.counted("discounts", world.time.replace(year=2000), prices=True) == 8


@pytest.mark.parametrize(("minutes", "stops"), [(0, True), (50, True), (61, False)])
def test_the_prices_of_a_group_that_was_deleted_count_for_an_hour(minutes: int, stops: bool) -> None:
    world = shop(10, 5, policy=SMALL[:-1] + ', "discounts": {"deletes": "propagate"}}')
    world.exchange.delete_group("G1")
    world.tick()
    assert not world.paused(), "ten of fifty are not more than a fifth"
    assert sum(map(len, world.panel.prices.values())) == 40
    world.pass_time(minutes=minutes)
    reprice(world, range(1), None, "G2")
    world.tick()
    assert world.paused() == (BRAKED if stops else {})
