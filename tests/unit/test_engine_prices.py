"""Discount groups and their prices: made, adopted, renamed, removed; only what differs is sent, and nothing twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kartoteka.codes import State
from kartoteka.concerns.discounts import prices as price_lists
from kartoteka.concerns.discounts.prices import item_id, wanted
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import Owner
from kartoteka.policy import parse
from kartoteka.ports.exchange import GroupItem
from kartoteka.ports.panel import PanelGroup
from kartoteka.sync.reconcile import reconcile
from tests.helpers import left_undone, number_of, prices
from tests.world import CLIENT, World

DAY = datetime(2026, 12, 1, tzinfo=UTC)
SET, REMOVE = "PUT discounts/groups/products", "POST discounts/groups/products/delete"
LIST, RENAME, DELETE = "GET discounts/groups", "PUT discounts/groups", "POST discounts/groups/delete"


def shop(*, propagate: bool = False) -> World:
    """Return an installation whose panel is known and where nothing has happened yet."""
    world = World(parse('{"discounts": {"deletes": "propagate"}}' if propagate else "{}")).knows_the_panel()
    world.tick()
    return world


def with_group(**prices: str) -> World:
    """Return one with the group G1, and these prices of products in zloty."""
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    for name, price in prices.items():
        world.exchange.set_item("G1", "product", name.removeprefix("p"), price=price, currency="PLN")
    world.tick()
    return world


def told(world: World, item_id: str = "", group_id: str = "G1") -> tuple[State, str] | None:
    """Return what ``sync_status`` says of a group, or of a price of it."""
    status = world.exchange.status("", "discounts", item_id, group_id)
    return (status.state, status.code) if status else None


def calls(world: World) -> dict[str, int]:
    """Return the calls so far that have to do with groups."""
    return {gate: n for gate, n in world.panel.calls().items() if "discounts" in gate}


def made_since(world: World, before: dict[str, int]) -> dict[str, int]:
    """Return the calls that were made since."""
    return {gate: n - before.get(gate, 0) for gate, n in calls(world).items() if n != before.get(gate, 0)}


def history(world: World, group_id: str = "") -> list[tuple[str, str, str | None, str | None, str]]:
    """Return the history of groups and prices: of this group, or of all."""
    rows = [h for h in world.exchange.history if h.group_id and h.concern == "discounts"]
    rows = [h for h in rows if group_id in ("", h.group_id)]
    return [(h.item_id, h.field, h.value_before, h.value_after, h.reason) for h in rows]


def test_a_row_makes_a_group_with_its_prices_and_then_nothing_more_is_sent() -> None:
    world = with_group(p7="12.30", p8="1000")
    assert world.panel.discount_groups == {number_of(world): "Hurt"}
    assert prices(world) == {"product/7": "12.30 PLN", "product/8": "1000.00 PLN"}
    assert told(world) == (State.IN_STEP, "")
    assert history(world) == [
        ("", "name", None, "Hurt", "create"),
        ("product/7", "price", None, "12.30", "create"),
        ("product/7", "currency", None, "PLN", "create"),
        ("product/8", "price", None, "1000.00", "create"),
        ("product/8", "currency", None, "PLN", "create"),
    ]
    before = calls(world)
    world.tick()
    world.exchange.set_item("G1", "product", "7", price="12.3")
    world.tick()
    assert made_since(world, before) == {}


@pytest.mark.parametrize(
    ("kind", "row", "price"),
    [
        ("product", {"rebate_percent": "10", "base_price": "9.99"}, "8.99"),
        ("producer", {"rebate_percent": "12.5", "base_price": "100.00"}, "87.50"),
        ("series", {"rebate_percent": "0", "base_price": "0.01"}, "0.01"),
        ("category", {"rebate_percent": "50", "base_price": "0.01"}, "0.01"),
        ("menu_item", {"rebate_percent": "99", "base_price": "0.50"}, "0.01"),
        ("product", {"price": "0.005"}, "0.01"),
        ("product", {"price": "9999999999.99"}, "9999999999.99"),
    ],
)
def test_a_rebate_becomes_a_price_rounded_half_up(kind: str, row: dict[str, str], price: str) -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", kind, "5", currency="eur", **row)
    world.tick()
    assert prices(world) == {f"{kind}/5": f"{price} EUR"}
    assert isinstance(world.panel.prices[number_of(world)][kind, "5"][0], Decimal)


@pytest.mark.parametrize(
    ("row", "code", "names"),
    [
        ({"price": "12,50"}, "bad_amount", "'12,50' in discount_group_items (price)"),
        ({"price": "NaN"}, "bad_amount", "'NaN' in discount_group_items (price)"),
        ({"price": "1" * 39}, "bad_amount", f"'{'1' * 39}' in discount_group_items (price)"),
        ({"price": "-1"}, "bad_amount", "'-1' in discount_group_items (price) is negative"),
        ({"price": "1e9999"}, "bad_amount", "(price)"),
        ({"price": "1_000"}, "bad_amount", "(price)"),
        ({}, "bad_item", "both price and rebate_percent, or neither"),
        ({"price": "1", "rebate_percent": "5"}, "bad_item", "both price and rebate_percent, or neither"),
        ({"rebate_percent": "5"}, "incomplete", "base_price"),
        ({"rebate_percent": "101", "base_price": "5"}, "bad_amount", "'101' in discount_group_items (rebate_percent)"),
        ({"price": "0"}, "zero_price", "The price in discount_group_items (price) is 0"),
        ({"price": "0.004"}, "zero_price", "(price) is 0"),
        ({"rebate_percent": "100", "base_price": "5"}, "zero_price", "(rebate_percent) is 0"),
        ({"price": "1", "currency": "zł"}, "bad_currency", "'zł' in discount_group_items (currency)"),
        ({"price": "1", "currency": None}, "bad_currency", "(currency)"),
        ({"price": "1", "valid_from": DAY, "valid_to": DAY}, "bad_date", "discount_group_items ends before it begins"),
        (
            {"price": "1", "valid_from": DAY + timedelta(1), "valid_to": DAY},
            "bad_date",
            "valid_from is not before valid_to",
        ),
        ({"price": "1", "valid_to": "wczoraj"}, "bad_date", "discount_group_items (valid_to)"),
    ],
)
def test_a_bad_row_is_held_by_name_and_stops_no_neighbour(row: dict[str, str | None], code: str, names: str) -> None:
    world = with_group(p7="1")
    world.exchange.set_item("G1", "product", "8", price="2", currency="PLN")
    world.exchange.set_item("G1", "product", "9", **{"currency": "PLN", **row})
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN", "product/8": "2.00 PLN"}
    assert told(world, "product/9") == (State.HELD, code)
    status = world.exchange.status("", "discounts", "product/9", "G1")
    assert status is not None
    assert names in status.message_en
    before = calls(world)
    world.tick()
    assert made_since(world, before) == {}
    right = {"price": "3", "rebate_percent": None, "base_price": None, "currency": "PLN"}
    right |= {"valid_from": None, "valid_to": None}
    world.exchange.set_item("G1", "product", "9", **right)
    world.tick()
    assert prices(world)["product/9"] == "3.00 PLN"
    assert told(world, "product/9") is None


@pytest.mark.parametrize(
    ("kind", "number", "code"), [("products", "1", "bad_item_type"), ("product", "1.5", "bad_item")]
)
def test_a_row_that_names_nothing_of_the_panel_is_held(kind: str, number: str, code: str) -> None:
    world = with_group()
    world.exchange.set_item("G1", kind, number, price="1", currency="PLN")
    world.tick()
    assert told(world, f"{kind}/{number}") == (State.HELD, code)
    world.exchange.delete_item("G1", kind, number)
    world.tick()
    assert told(world, f"{kind}/{number}") is None


def test_a_bad_row_leaves_the_former_price() -> None:
    world = with_group(p7="1")
    world.exchange.set_item("G1", "product", "7", price="1,5")
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN"}
    assert told(world, "product/7") == (State.HELD, "bad_amount")


def test_a_row_that_goes_takes_its_price_along_and_one_call_does_for_many() -> None:
    world = with_group(p7="1", p8="2", p9="3")
    world.exchange.delete_item("G1", "product", "7")
    world.exchange.delete_item("G1", "product", "9")
    before = calls(world)
    world.tick()
    assert prices(world) == {"product/8": "2.00 PLN"}
    assert world.exchange.sent.keys() == {("G1", "product", "8")}
    assert made_since(world, before) == {LIST: 1, REMOVE: 1}
    assert history(world)[-2:] == [
        ("product/7", "price", "1.00", None, "edit"),
        ("product/9", "price", "3.00", None, "edit"),
    ]
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.tick()
    assert prices(world)["product/7"] == "1.00 PLN"


def test_a_changed_price_and_a_changed_currency_are_sent_alone() -> None:
    world = with_group(p7="1", p8="2", p9="3")
    world.exchange.set_item("G1", "product", "8", price="2.50")
    world.exchange.set_item("G1", "product", "9", currency="EUR")
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN", "product/8": "2.50 PLN", "product/9": "3.00 EUR"}
    assert [about[1:] for gate, about in world.panel.log if gate == SET][-1] == ("product/8", "product/9")


# --- the group itself


def test_a_group_is_renamed_by_its_number() -> None:
    world = with_group(p7="1")
    number = number_of(world)
    world.exchange.set_group("G1", "Detal")
    world.tick()
    assert world.panel.discount_groups == {number: "Detal"}
    assert history(world)[-1] == ("", "name", "Hurt", "Detal", "edit")


def test_a_name_that_was_changed_in_the_panel_is_put_right_once_a_day() -> None:
    world = with_group(p7="1")
    number = number_of(world)
    world.panel.discount_groups[number] = "Inna"
    world.pass_time(days=1)
    world.tick()
    assert world.panel.discount_groups == {number: "Hurt"}
    assert history(world)[-1] == ("", "name", "Inna", "Hurt", "drift")


def test_the_one_group_of_exactly_this_name_is_adopted() -> None:
    world = shop()
    number = world.panel.make_group("Hurt", product_1="5")
    world.panel.make_group("hurt")
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.tick()
    assert number_of(world) == number
    assert len(world.panel.discount_groups) == 2
    assert prices(world) == {"product/1": "5.00 PLN", "product/7": "1.00 PLN"}


def test_of_two_of_that_name_none_is_adopted_and_one_is_no_two_rows_own() -> None:
    world = shop()
    taken = {world.panel.make_group("Hurt"), world.panel.make_group("Hurt")}
    single = world.panel.make_group("Detal")
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_group("G2", "Detal")
    world.exchange.set_group("G3", "Detal")
    world.tick()
    assert number_of(world, "G1") not in taken
    assert number_of(world, "G2") == single
    assert number_of(world, "G3") != single
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Detal", "Hurt", "Hurt", "Hurt"]


def test_a_group_without_a_name_is_held() -> None:
    world = shop()
    world.exchange.set_group("G1", None)
    world.tick()
    assert told(world) == (State.HELD, "incomplete")
    assert world.panel.discount_groups == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert told(world) == (State.IN_STEP, "")


def test_prices_without_a_group_wait_for_it() -> None:
    world = shop()
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.tick()
    assert told(world) == (State.WAITING, "no_group")
    assert world.panel.discount_groups == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN"}
    assert told(world) == (State.IN_STEP, "")


def test_a_deleted_row_leaves_the_group_and_its_return_finds_it() -> None:
    world = with_group(p7="1")
    number = number_of(world)
    world.exchange.delete_group("G1")
    world.tick()
    assert told(world) == (State.EXCLUDED, "deleted_in_erp")
    assert world.panel.discount_groups == {number: "Hurt"}
    world.exchange.delete_item("G1", "product", "7")
    world.tick()
    assert prices(world) == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert number_of(world) == number
    assert told(world) == (State.IN_STEP, "")
    assert len(world.panel.discount_groups) == 1


def test_with_propagate_it_is_deleted_once_nobody_is_in_it() -> None:
    world = shop(propagate=True)
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.tick()
    number = number_of(world)
    customer = world.panel.register({"email": "a@b.pl", "discount_group_id": number})
    world.exchange.delete_group("G1")
    world.tick()
    assert told(world) == (State.WAITING, "group_in_use")
    assert number in world.panel.discount_groups
    world.panel.edit(customer, discount_group_id="")
    world.tick()
    assert world.panel.discount_groups == {}
    assert told(world) is None
    assert world.exchange.sent == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN"}


def test_a_group_that_vanished_from_the_panel_is_made_anew_with_all_its_prices() -> None:
    world = with_group(p7="1", p8="2")
    world.panel.make_group("Obca")
    world.panel.remove_group(number_of(world))
    world.pass_time(days=1)
    world.tick()
    assert prices(world) == {"product/7": "1.00 PLN", "product/8": "2.00 PLN"}


# --- what goes wrong


def test_a_lost_reply_to_making_a_group_makes_no_second_one() -> None:
    world = shop()
    world.panel.make_group("Hurt")
    world.panel.make_group("Hurt")
    world.panel.lose_reply()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.pass_time(minutes=5)
    world.tick()
    assert len(world.panel.discount_groups) == 3
    assert number_of(world) == "3"
    assert history(world) == [("", "name", None, "Hurt", "create")]


@pytest.mark.parametrize("propagate", [False, True])
def test_a_group_that_was_renamed_or_deleted_before_its_reply_was_missed_is_found(propagate: bool) -> None:
    world = shop(propagate=propagate)
    for group in ("G1", "G2"):
        world.panel.lose_reply()
        world.exchange.set_group(group, f"Hurt {group}")
        world.tick()
    world.exchange.set_group("G1", "Detal")
    world.exchange.delete_group("G2")
    world.pass_time(minutes=5)
    world.tick()
    world.tick()
    assert sorted(world.panel.discount_groups.values()) == (["Detal"] if propagate else ["Detal", "Hurt G2"])
    assert told(world, group_id="G1") == (State.IN_STEP, "")
    assert told(world, group_id="G2") == (None if propagate else (State.EXCLUDED, "deleted_in_erp"))
    assert history(world, "G1") == [
        ("", "name", None, "Hurt G1", "create"),
        ("", "name", "Hurt G1", "Detal", "edit"),
    ]


def test_a_group_that_was_deleted_before_its_reply_was_missed_is_found_alone_too() -> None:
    world = shop(propagate=True)
    world.panel.lose_reply()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.exchange.delete_group("G1")
    world.tick()
    assert world.panel.discount_groups == {}


def test_a_group_whose_making_and_renaming_were_both_unanswered_is_not_made_again() -> None:
    world = shop()
    for name in ("Hurt", "Detal", "Hurt"):
        world.panel.lose_reply()
        world.exchange.set_group("G1", name)
        world.tick()
    world.pass_time(minutes=10)
    world.tick()
    assert list(world.panel.discount_groups.values()) == ["Hurt"]
    assert told(world) == (State.IN_STEP, "")


def test_prices_of_a_group_that_waits_for_its_end_are_carried() -> None:
    world = shop(propagate=True)
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.tick()
    world.panel.register({"email": "a@b.pl", "discount_group_id": number_of(world)})
    world.exchange.delete_group("G1")
    world.tick()
    world.exchange.set_item("G1", "product", "7", price="2")
    world.tick()
    assert prices(world) == {"product/7": "2.00 PLN"}
    assert told(world) == (State.WAITING, "group_in_use")


@pytest.mark.parametrize(("minutes", "holds"), [(-1, False), (0, True), (59, True), (60, False)])
def test_a_price_begins_with_its_moment_and_ends_before_the_other(minutes: int, holds: bool) -> None:
    begin = World().time
    row = GroupItem("product", "1", price="1", currency="PLN", valid_from=begin, valid_to=begin + timedelta(hours=1))
    assert (wanted(row, begin + timedelta(minutes=minutes)) is not None) is holds


def test_a_lost_reply_to_prices_sends_them_again() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.panel.lose_reply()
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    world.collect("discounts")
    world.drain()
    assert told(world) == (State.PENDING, "connection")
    world.exchange.set_item("G1", "product", "7", price="2")
    world.exchange.set_item("G1", "product", "7", price="1")
    before = calls(world)
    world.pass_time(minutes=5)
    world.tick()
    assert made_since(world, before) == {LIST: 1, SET: 1}
    assert told(world) == (State.IN_STEP, "")


def test_a_price_that_was_taken_back_while_nobody_knew_is_sent_again() -> None:
    world = with_group(p7="1")
    world.exchange.set_item("G1", "product", "7", price="2")
    world.collect("discounts")
    world.dies_at("set_prices", after=True)
    world.work("discounts")
    assert prices(world) == {"product/7": "2.00 PLN"}
    world.exchange.set_item("G1", "product", "7", price="1")
    world.drain()
    assert prices(world) == {"product/7": "1.00 PLN"}


def test_many_rows_go_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "PAGE", 5)
    world = with_group(**{f"p{n}": "1" for n in range(12)})
    for n in range(12):
        world.exchange.delete_item("G1", "product", str(n))
    world.tick()
    assert prices(world) == {}
    assert world.exchange.sent == {}
    assert told(world) == (State.IN_STEP, "")


def test_many_removals_that_are_refused_do_not_go_round_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "PAGE", 3)
    world = with_group(**{f"p{n}": "1" for n in range(5)})
    for n in range(5):
        world.exchange.delete_item("G1", "product", str(n))
        world.panel.refuse(f"product/{n}", Reject("refused", panel="Panel: nie"))
    world.tick()
    assert len(prices(world)) == 5
    assert told(world, "product/0") == (State.HELD, "refused")


@pytest.mark.parametrize("dated", [False, True])
def test_removals_that_are_refused_are_not_tried_again_and_keep_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, dated: bool
) -> None:
    monkeypatch.setattr(price_lists, "PAGE", 3)
    world = with_group(**{f"p{n}": "1" for n in range(9)})
    for n in range(9):
        if dated:
            world.exchange.set_item("G1", "product", str(n), valid_to=world.time)
        else:
            world.exchange.delete_item("G1", "product", str(n))
    for n in range(6):
        world.panel.refuse(f"product/{n}", Reject("refused", panel="Panel: nie"))
    world.tick()
    world.tick()
    assert sorted(prices(world)) == [f"product/{n}" for n in range(6)]
    before = calls(world)
    world.pass_time(days=1)
    world.tick()
    world.tick()
    assert made_since(world, before) == {LIST: 1}
    assert told(world, "product/0") == (State.HELD, "refused")
    world.exchange.set_item("G1", "product", "0", price="2", currency="PLN", valid_to=None)
    world.panel.accept("product/0")
    world.tick()
    assert prices(world)["product/0"] == "2.00 PLN"
    assert told(world, "product/0") is None


def test_a_batch_of_refused_prices_is_stored_part_by_part_and_stops_with_the_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(price_lists, "MOST_CALLS", 20)
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    for n in range(100):
        world.exchange.set_item("G1", "product", str(n), price="1", currency="PLN")
        world.panel.refuse(f"product/{n}", Reject("refused", panel="Panel: nie"))
    world.collect("discounts")
    world.work("discounts")
    assert calls(world)[SET] == 20
    refused = [key for key in world.exchange.statuses if key.item_id]
    assert 0 < len(refused) < 20
    world.drain()
    assert calls(world)[SET] < 2 * 100 + 60  # each alone, the splitting, and what each run begins with
    assert told(world) == (State.IN_STEP, "")


def test_a_run_without_time_sends_nothing_and_goes_on_by_its_queue() -> None:
    world = shop()
    for n in range(3):
        world.exchange.set_group(f"G{n}", f"Hurt {n}")
        world.exchange.set_item(f"G{n}", "product", "1", price="1", currency="PLN")
    times = iter([True, True, False])
    run = world.run()
    run.time_left = lambda: next(times, False)
    reconcile(run.concerns["discounts"], [Owner(group_id=f"G{n}") for n in range(3)])
    assert len(world.panel.discount_groups) == 1
    assert SET not in calls(world)
    world.drain()
    assert [len(held) for held in world.panel.prices.values()] == [1, 1, 1]


def test_a_refused_name_does_not_stop_the_prices() -> None:
    world = with_group(p7="10")
    world.panel.refuse(number_of(world), Reject("refused", panel="Panel: nazwa"))
    world.exchange.set_group("G1", "Zła")
    world.tick()
    assert told(world) == (State.PENDING, "refused")
    world.panel.accept(number_of(world))
    world.panel.rename_group = lambda *_: (_ for _ in ()).throw(Reject("refused", panel="nie"))  # type: ignore[method-assign]
    world.exchange.set_item("G1", "product", "7", price="20")
    world.tick()
    assert prices(world) == {"product/7": "20.00 PLN"}
    assert told(world) == (State.PENDING, "refused")


@pytest.mark.fault(46)
def test_after_a_restored_database_every_price_is_sent_anew() -> None:
    world = with_group(p7="10")
    world.panel.prices[number_of(world)]["product", "7"] = (Decimal("12.00"), "PLN")
    stored = world.state.documents["log:discounts"]
    world.state.documents["log:discounts"] = replace(stored, document={**stored.document, "mark": "another"})
    world.tick()
    assert prices(world) == {"product/7": "10.00 PLN"}


def test_a_lost_reply_beside_strangers_of_the_name_makes_no_second_one_whatever_its_number() -> None:
    world = shop()
    for number in ("301", "302"):
        world.panel.discount_groups[number] = "Hurt"
        world.panel.prices[number] = {}
    world.panel.lose_reply()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.tick()
    assert sorted(world.panel.discount_groups) == ["1", "301", "302"]
    assert number_of(world) == "1"


def test_two_rows_of_one_name_whose_makings_were_both_unanswered_get_a_group_each() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_group("G2", "Hurt")
    world.panel.lose_reply(2)
    world.tick()
    world.pass_time(minutes=5)
    world.tick()
    assert sorted(world.panel.discount_groups) == ["1", "2"]
    assert {number_of(world, "G1"), number_of(world, "G2")} == {"1", "2"}


def test_two_unanswered_makings_of_one_name_are_told_apart() -> None:
    world = shop(propagate=True)
    world.exchange.set_group("G2", "Hurt")
    world.tick()
    world.exchange.delete_group("G2")
    world.exchange.set_group("G1", "Hurt")
    world.panel.lose_reply(3)
    world.tick()
    world.exchange.set_group("G1", "Detal")
    world.exchange.set_group("G2", "Hurt")
    world.panel.lose_reply()
    world.tick()
    world.pass_time(minutes=5)
    world.tick()
    world.tick()
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Hurt"]
    assert told(world, group_id="G1") == told(world, group_id="G2") == (State.IN_STEP, "")


def test_a_group_of_many_prices_is_said_to_be_under_way_until_all_are_sent() -> None:
    world = with_group(p1="1")
    for n in range(250):
        world.exchange.set_item("G1", "product", str(n), price="2", currency="PLN")
    seen = []
    set_prices = world.panel.set_prices

    def watched(number, batch):  # type: ignore[no-untyped-def]
        seen.append(told(world))
        return set_prices(number, batch)

    world.panel.set_prices = watched  # type: ignore[method-assign]
    world.tick()
    assert seen == [(State.PENDING, "sending_prices")] * 3
    assert told(world) == (State.IN_STEP, "")


def test_ids_with_strokes_are_kept_apart() -> None:
    world = shop()
    for group in ("G", "G/product"):
        world.exchange.set_group(group, f"Hurt {group}")
        world.exchange.set_item(group, "product", "7", price="zero", currency="PLN")
    world.tick()
    world.exchange.set_item("G", "product", "7", price="1")
    world.tick()
    assert told(world, "product/7", "G") is None
    assert told(world, "product/7", "G/product") == (State.HELD, "bad_amount")
    before = calls(world)
    world.pass_time(days=1)
    world.tick()
    assert made_since(world, before) == {LIST: 1}


def test_a_row_of_garbage_is_told_of_once() -> None:
    world = with_group()
    world.exchange.set_item("G1", "prod/uct", "x" * 200, price="1", currency="PLN")
    world.tick()
    [item_id] = [key.item_id for key in world.exchange.statuses if key.item_id]
    assert len(item_id) == 100
    before = calls(world)
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert made_since(world, before) == {}


def test_a_deferred_group_is_sent_to_the_queue_once() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.collect("discounts")
    world.panel.fail(Retry("timeout"))
    world.drain()
    assert told(world) == (State.PENDING, "timeout")
    world.pass_time(minutes=5)
    world.collect("discounts")
    world.pass_time(minutes=1)
    world.collect("discounts")
    assert world.queue.chunks["discounts"] == [(Owner(group_id="G1"),)]


def test_a_price_that_the_panel_refuses_is_held_alone_and_not_sent_again() -> None:
    world = with_group(p1="1")
    world.panel.refuse("product/8", Reject("refused", panel="Panel: zła cena"))
    for n in range(2, 12):
        world.exchange.set_item("G1", "product", str(n), price=str(n), currency="PLN")
    world.tick()
    assert len(prices(world)) == 10
    assert told(world, "product/8") == (State.HELD, "refused")
    assert told(world) == (State.IN_STEP, "")
    before = calls(world)
    world.exchange.set_item("G1", "product", "1", price="1.10")
    world.tick()
    world.pass_time(days=1)
    world.tick()
    assert made_since(world, before) == {LIST: 2, SET: 1}
    assert told(world, "product/8") == (State.HELD, "refused")
    world.panel.accept("product/8")
    world.exchange.set_item("G1", "product", "8", price="8.50")
    world.tick()
    assert prices(world)["product/8"] == "8.50 PLN"
    assert told(world, "product/8") is None


def test_a_refused_change_leaves_the_former_price_known() -> None:
    world = with_group(p8="1")
    world.panel.refuse("product/8", Reject("refused", panel="Panel: nie"))
    world.exchange.set_item("G1", "product", "8", price="2")
    world.tick()
    before = calls(world)
    world.exchange.set_item("G1", "product", "8", price="1")
    world.tick()
    assert made_since(world, before) == {LIST: 1}
    assert told(world, "product/8") is None


def test_an_outage_parks_the_group_and_counts_no_attempt() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    for _ in range(12):
        world.panel.fail(Retry("timeout"))
        world.tick()
        world.panel.recover()
        status = told(world)
        if status != (State.IN_STEP, ""):
            assert status == (State.PENDING, "timeout")
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    assert list(world.panel.discount_groups.values()) == ["Hurt"]


def test_a_refused_group_is_tried_and_then_held_until_its_row_changes() -> None:
    world = shop()
    world.panel.refuse("Zła", Reject("refused", panel="Panel: nazwa"))
    world.exchange.set_group("G1", "Zła")
    world.exchange.set_group("G2", "Dobra")
    for _ in range(9):
        world.tick()
    assert told(world) == (State.HELD, "refused")
    status = world.exchange.status("", "discounts", group_id="G1")
    assert status is not None
    assert "being sent" not in status.message_en
    assert told(world, group_id="G2") == (State.IN_STEP, "")
    world.exchange.set_group("G1", "Lepsza")
    world.tick()
    assert told(world) == (State.IN_STEP, "")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 30))
def test_a_kill_at_any_step_loses_and_doubles_nothing(step: int, after: bool) -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    for n in range(5):
        world.exchange.set_item("G1", "product", str(n), price="1.10", currency="PLN")
    world.policy = parse('{"panel": {"batch_size": 2}}')
    world.mortal(step, after=after)
    world.tick()
    world.pass_time(minutes=70)
    world.tick()
    assert list(world.panel.discount_groups.values()) == ["Hurt"]
    assert prices(world) == {f"product/{n}": "1.10 PLN" for n in range(5)}
    assert told(world) == (State.IN_STEP, "")
    assert all(p.price == "1.10" for p in world.exchange.sent.values())


def test_many_prices_go_on_by_the_queue_and_survive_a_kill_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As fifty thousand do, which take five times as many calls as a message makes."""
    monkeypatch.setattr(price_lists, "MOST_CALLS", 10)
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    count = 5_000
    for n in range(count):
        world.exchange.set_item("G1", "product", str(n), rebate_percent="7.5", base_price=f"{n}.99", currency="PLN")
    world.collect("discounts")
    assert world.work("discounts")
    assert told(world) == (State.PENDING, "sending_prices")
    assert len(prices(world)) == price_lists.MOST_CALLS * 100
    world.dies_at("prices.store")
    assert world.work("discounts")
    before = calls(world)
    world.drain()
    assert len(prices(world)) == count
    assert made_since(world, before)[SET] == count // 100 - price_lists.MOST_CALLS
    assert told(world) == (State.IN_STEP, "")
    assert sum(1 for h in history(world) if h[1] == "price") == count
    before = calls(world)
    world.tick()
    assert made_since(world, before) == {}


def test_many_groups_of_one_run_share_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "MOST_CALLS", 3)
    world = shop()
    for n in range(250):
        world.exchange.set_group(f"G{n}", f"Hurt {n}")
        world.exchange.set_item(f"G{n}", "product", "1", price="1", currency="PLN")
    world.collect("discounts")
    world.queue.chunks["discounts"] = [tuple(Owner(group_id=f"G{n}") for n in range(250))]
    threads = set()
    create_group = world.panel.create_group

    def watched(name: str) -> str:
        threads.add(threading.get_ident())
        return create_group(name)

    world.panel.create_group = watched  # type: ignore[method-assign]
    world.work("discounts")
    assert len(threads) == 1  # no group of the panel becomes two rows' own
    assert calls(world)[SET] == 3
    monkeypatch.setattr(price_lists, "MOST_CALLS", 300)
    world.drain()
    assert {len(held) for held in world.panel.prices.values()} == {1}


# --- dates


def test_a_dated_price_comes_and_goes_to_the_minute() -> None:
    world = with_group(p7="1")
    begin, end = world.time + timedelta(minutes=10), world.time + timedelta(minutes=20)
    world.exchange.set_item("G1", "product", "8", price="2", currency="PLN", valid_from=begin, valid_to=end)
    world.tick()
    assert "product/8" not in prices(world)
    before = calls(world)
    while world.time < begin:
        assert "product/8" not in prices(world)
        world.tick(seconds=60)
    world.tick(seconds=60)
    assert prices(world)["product/8"] == "2.00 PLN"
    while world.time < end:
        assert prices(world)["product/8"] == "2.00 PLN"
        world.tick(seconds=60)
    world.tick(seconds=60)
    assert "product/8" not in prices(world)
    assert made_since(world, before) == {LIST: 2, SET: 1, REMOVE: 1}
    document = world.state.documents["dates:discounts"].document
    assert document is not None
    assert document["until"] >= end.isoformat()


def test_dates_are_found_without_the_clouds_state() -> None:
    world = with_group(p7="1")
    soon = world.time + timedelta(minutes=10)
    world.exchange.set_item("G1", "product", "8", price="2", currency="PLN", valid_from=soon)
    world.tick()
    world.state.documents.clear()
    world.pass_time(minutes=30)
    world.knows_the_panel()
    world.tick()
    assert prices(world)["product/8"] == "2.00 PLN"


def test_quiet_minutes_write_no_state() -> None:
    world = with_group(p7="1")
    world.tick()
    before = {name: stored for name, stored in world.state.documents.items() if "group" in name or "dates" in name}
    for _ in range(10):
        world.tick()
    assert before == {n: s for n, s in world.state.documents.items() if "group" in n or "dates" in n}


# --- what the policy and the operator say


def test_off_means_off() -> None:
    world = World(parse('{"discounts": {"direction": "off"}}')).knows_the_panel()
    world.exchange.set_group("G1", "Hurt")
    world.collect("discounts")
    assert world.queue.empty()
    world.queue.send("discounts", [Owner(group_id="G1")])
    world.tick()
    assert world.panel.discount_groups == {}
    assert told(world) is None


def test_a_paused_concern_sends_nothing_and_goes_on_by_itself() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.collect("discounts")
    world.pause("discounts", "paused")
    world.drain()
    assert told(world) == (State.PENDING, "paused")
    assert world.panel.discount_groups == {}
    world.resume("discounts")
    world.tick()
    assert list(world.panel.discount_groups.values()) == ["Hurt"]


def test_doubted_prices_are_sent_anew_whole() -> None:
    world = with_group(p7="1", p8="2")
    world.panel.prices[number_of(world)].clear()
    world.exchange.prices.doubt("G1", None)
    world.queue.send("discounts", [Owner(group_id="G1")])
    world.drain()
    assert prices(world) == {"product/7": "1.00 PLN", "product/8": "2.00 PLN"}


# --- one queue and one cursor for groups and clients


def test_a_group_that_goes_while_everything_is_scanned_leaves_no_status_behind() -> None:
    world = shop()
    world.exchange.set_group("G1", None)
    world.tick()
    assert told(world) == (State.HELD, "incomplete")
    world.pass_time(days=1)
    world.exchange.delete_group("G1")
    world.tick()
    assert told(world) is None


def test_groups_and_clients_travel_in_chunks_of_their_own_and_are_worked_in_one_batch() -> None:
    world = shop()
    world.exchange.insert_client("C-0", **CLIENT, discount_group_id="G1")
    world.tick()
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="1", currency="PLN")
    assert world.reconcile("discounts", Owner("C-0"), Owner(group_id="G1"))  # whatever the order
    assert prices(world) == {"product/7": "1.00 PLN"}
    account = world.panel.accounts[world.exchange.links["C-0"].panel_client_id]
    assert account.values["discount_group_id"] == number_of(world)


# --- what was refused


def test_a_name_that_was_refused_is_not_sent_again_and_its_prices_go_on() -> None:
    world = with_group(p7="1")
    world.policy = parse('{"retry": {"max_attempts": 2}}')
    rename = world.panel.rename_group
    world.panel.rename_group = lambda *_: (_ for _ in ()).throw(Reject("refused", panel="nie"))  # type: ignore[method-assign]
    world.exchange.set_group("G1", "Zła")
    for _ in range(2):
        world.tick()
        world.pass_time(minutes=2)
    assert told(world) == (State.HELD, "refused")
    world.panel.rename_group = rename  # type: ignore[method-assign]
    before = calls(world)
    world.exchange.set_item("G1", "product", "7", price="2")
    world.tick()
    world.pass_time(days=1)
    world.tick()
    assert prices(world) == {"product/7": "2.00 PLN"}
    assert made_since(world, before) == {LIST: 2, SET: 1}
    assert told(world) == (State.HELD, "refused")
    world.exchange.set_group("G1", "Dobra")
    world.tick()
    assert world.panel.discount_groups[number_of(world)] == "Dobra"
    assert told(world) == (State.WAITING, "unconfirmed")
    world.tick()
    assert told(world) == (State.IN_STEP, "")


def test_a_name_that_no_panel_could_take_is_held_at_once() -> None:
    world = shop()
    world.exchange.set_group("G1", "x" * 201)
    world.exchange.set_group("G2", "a\x00b")
    world.tick()
    assert told(world) == (State.HELD, "too_long")
    assert told(world, group_id="G2") == (State.HELD, "unprintable")
    assert calls(world) == {LIST: 1}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.exchange.set_group("G1", "y" * 201)
    world.tick()
    assert told(world) == (State.HELD, "too_long")
    assert world.panel.discount_groups == {"1": "Hurt"}


def test_a_deletion_that_was_refused_is_held_and_not_tried_again() -> None:
    world = World(parse('{"discounts": {"deletes": "propagate"}, "retry": {"max_attempts": 2}}')).knows_the_panel()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    world.panel.refuse(number_of(world), Reject("refused", panel="Panel: nie"))
    world.exchange.delete_group("G1")
    for _ in range(2):
        world.tick()
        world.pass_time(minutes=2)
    assert told(world) == (State.HELD, "refused")
    before = calls(world)
    world.exchange.set_item("G1", "product", "7", price="x", currency="PLN")
    world.pass_time(days=1)
    world.tick()
    world.tick()
    assert DELETE not in made_since(world, before)
    assert told(world) == (State.HELD, "refused")
    assert left_undone(world, "discounts") == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert told(world) == (State.IN_STEP, "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("menu/item", "1"), ("menu_item", "1")),
        (("menu_item", "1"), ("menu_item/1", "")),
        (("product/1", "7"), ("product", "1/7")),
        (("a%2Fb", "1"), ("a/b", "1")),
        (("x" * 100, "1"), ("x" * 100, "2")),
    ],
)
def test_no_two_rows_share_an_id_in_our_tables(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert item_id(one) != item_id(other)
    assert max(len(item_id(one)), len(item_id(other))) <= 100


def test_a_row_of_garbage_is_told_of_beside_a_price_with_nearly_its_name_also_once_the_group_is_made_anew() -> None:
    world = with_group()
    for kind in ("menu/item", "menu_item"):
        world.exchange.set_item("G1", kind, "1", price="1", currency="PLN")
    world.tick()
    [number] = world.panel.discount_groups
    world.panel.remove_group(number)
    world.pass_time(days=1, minutes=1)
    world.tick()
    world.tick()
    assert told(world, "menu%2Fitem/1") == (State.HELD, "bad_item_type")
    assert told(world, "menu_item/1") is None
    assert left_undone(world, "discounts") == {}


# --- the daily reading of the panel's groups


def test_the_panels_groups_are_read_once_a_day_and_only_where_the_erp_has_some() -> None:
    world = shop()
    world.panel.make_group("Obca")
    for _ in range(3):
        world.pass_time(days=1)
        world.tick()
    assert calls(world) == {}
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    before = calls(world)
    world.pass_time(hours=12)
    world.tick()
    assert made_since(world, before) == {}
    world.pass_time(hours=12)
    world.tick()
    world.tick()
    assert made_since(world, before) == {LIST: 1}


def test_a_panel_that_does_not_show_its_groups_stops_nothing_else() -> None:
    world = with_group(p7="1")
    world.pass_time(days=1)
    world.exchange.set_item("G1", "product", "7", price="2")
    world.panel.fail(Retry("timeout"))
    assert not world.collect("discounts")
    assert world.queue.chunks["discounts"] == [(Owner(group_id="G1"),)]
    world.panel.discount_groups[number_of(world)] = "Inna"
    world.queue.chunks["discounts"].clear()
    world.collect("discounts")  # at the next minute, not a day later
    assert world.queue.chunks["discounts"] == [(Owner(group_id="G1"),)]


def test_a_name_that_the_panel_shows_otherwise_is_corrected_three_times_and_then_told_of() -> None:
    world = with_group()
    number = number_of(world)
    rename = world.panel.rename_group

    def cutting(number: str, name: str) -> None:
        rename(number, name[:3])

    world.panel.rename_group = cutting  # type: ignore[method-assign]
    world.panel.discount_groups[number] = "Hur"
    before = calls(world)
    for _ in range(12):
        world.pass_time(days=1)
        world.tick()
    assert made_since(world, before)[RENAME] == 1 + 3
    assert told(world) == (State.HELD, "not_taken")
    world.exchange.set_group("G1", "Hur")
    world.tick()
    assert told(world) == (State.IN_STEP, "")


def test_a_group_with_a_deferral_comes_back_by_its_own_time() -> None:
    world = with_group(p7="1")
    world.panel.discount_groups[number_of(world)] = "Inna"
    world.pass_time(hours=23)
    world.exchange.set_item("G1", "product", "7", price="2")
    world.collect("discounts")
    world.panel.fail(Retry("timeout"))
    world.drain()
    stored = world.state.documents["groups:discounts"]
    long_ago = (world.time - timedelta(days=2)).isoformat()
    world.state.documents["groups:discounts"] = replace(stored, document={"read_at": long_ago})
    before = calls(world)
    world.pass_time(seconds=30)
    world.collect("discounts")
    assert made_since(world, before) == {LIST: 1}
    assert world.queue.empty()


def test_a_group_that_is_gone_in_the_panel_and_has_no_row_is_forgotten() -> None:
    world = with_group(p7="1")
    world.exchange.delete_group("G1")
    world.tick()
    assert told(world) == (State.EXCLUDED, "deleted_in_erp")
    world.exchange.delete_item("G1", "product", "7")
    world.panel.make_group("Obca")
    world.panel.remove_group(number_of(world))
    before = len(history(world))
    world.pass_time(days=1)
    world.tick()
    assert told(world) is None
    assert world.exchange.sent == {}
    assert world.exchange.states == {}
    assert len(history(world)) == before  # it was not we who deleted it


def test_a_lost_reply_to_a_deletion_ends_the_group_once() -> None:
    world = with_group(p7="1")
    world.policy = parse('{"discounts": {"deletes": "propagate"}}')
    world.panel.lose_reply()
    world.exchange.delete_group("G1")
    world.tick()
    assert told(world) == (State.PENDING, "connection")
    world.pass_time(minutes=5)
    world.tick()
    assert [h for h in history(world) if h[1] == "name"] == [
        ("", "name", None, "Hurt", "create"),
        ("", "name", "Hurt", None, "edit"),
    ]
    assert world.exchange.sent == {}


def test_a_lost_reply_to_a_rename_is_one_row_of_the_history() -> None:
    world = with_group()
    world.panel.lose_reply()
    world.exchange.set_group("G1", "Detal")
    world.tick()
    before = calls(world)
    world.pass_time(minutes=5)
    world.tick()
    assert RENAME not in made_since(world, before)
    assert history(world) == [("", "name", None, "Hurt", "create"), ("", "name", "Hurt", "Detal", "edit")]


def test_a_name_that_was_taken_back_while_nobody_knew_is_looked_at_though_its_message_is_lost() -> None:
    world = with_group()
    world.exchange.set_group("G1", "Detal")
    world.collect("discounts")
    world.dies_at("rename_group", after=True)
    world.work("discounts")
    world.queue.chunks["discounts"].clear()
    world.exchange.set_group("G1", "Hurt")
    world.collect("discounts")
    world.drain()
    assert world.panel.discount_groups[number_of(world)] == "Hurt"
    assert left_undone(world, "discounts") == {}


def test_after_a_rename_that_was_not_answered_the_prices_wait_for_the_next_look() -> None:
    world = with_group(p7="1")
    world.panel.lose_reply()
    world.exchange.set_group("G1", "Detal")
    world.exchange.set_item("G1", "product", "7", price="2")
    before = calls(world)
    world.tick()
    assert made_since(world, before) == {LIST: 1, RENAME: 1}
    world.pass_time(minutes=5)
    world.tick()
    assert prices(world) == {"product/7": "2.00 PLN"}
    assert told(world) == (State.IN_STEP, "")


def test_only_a_person_can_mend_a_halt_and_it_is_reported() -> None:
    world = with_group()
    world.policy = parse('{"discounts": {"deletes": "propagate"}}')
    world.exchange.delete_group("G1")
    halt = Halt("panel_right", "the key may not read discounts/groups/clients")
    world.panel.group_clients = lambda _number: (_ for _ in ()).throw(halt)  # type: ignore[method-assign, assignment]
    result = reconcile(world.run().concerns["discounts"], [Owner(group_id="G1")])
    assert result.report.halts == (str(halt),)
    assert told(world) == (State.PENDING, "panel_right")
    world.panel.halt()
    result = reconcile(world.run().concerns["discounts"], [Owner(group_id="G1")])
    assert len(result.report.halts) == 1
    assert told(world) == (State.PENDING, "panel_key")


def test_a_panel_that_ignores_the_paging_is_a_halt() -> None:
    world = shop()
    world.exchange.set_group("G1", "Hurt")
    world.panel.groups = lambda _page, _limit: ([PanelGroup("7", "Obca")], 1_000_000)  # type: ignore[method-assign, assignment]
    world.collect("discounts")
    world.drain()
    assert told(world) == (State.PENDING, "panel_query")


# --- what a person answers about a price


def refused_price(code: str = "refused") -> World:
    """Return an installation with two prices, of which the panel refuses that of product 7."""
    world = shop()
    world.panel.refuse("product/7", Reject(code, panel="nie"))
    world.exchange.set_group("G1", "Hurt")
    for n in ("7", "8"):
        world.exchange.set_item("G1", "product", n, price="10.00", currency="PLN")
    world.tick()
    assert told(world, "product/7") == (State.HELD, code)
    return world


def answer(world: World, word: str | None, item: str = "product/7") -> None:
    world.exchange.decide_status("", "discounts", word, item, "G1")
    world.tick()


def word(world: World, item: str = "product/7") -> str:
    return world.exchange.prices.decisions("G1").get(item, "")


def test_retry_tries_a_refused_price_again_and_is_taken() -> None:
    world = refused_price()
    before = calls(world)
    answer(world, " Retry ")
    assert made_since(world, before)[SET] == 1, "refused again"
    assert (told(world, "product/7"), word(world)) == ((State.HELD, "refused"), "")
    world.panel.accept("product/7")
    world.tick()
    assert "product/7" not in prices(world), "the same price is not tried by itself"
    answer(world, "retry")
    assert prices(world)["product/7"] == "10.00 PLN"
    assert (told(world, "product/7"), word(world)) == (None, "")
    assert not left_undone(world, "discounts")


def test_retry_of_a_removal_that_was_refused() -> None:
    world = with_group(p7="10.00", p8="11.00")
    world.panel.refuse("product/7")
    world.exchange.delete_item("G1", "product", "7")
    world.tick()
    assert told(world, "product/7") == (State.HELD, "refused")
    world.panel.accept("product/7")
    answer(world, "retry")
    assert prices(world) == {"product/8": "11.00 PLN"}
    assert (told(world, "product/7"), word(world)) == (None, "")


def test_done_takes_a_price_for_sent_until_its_row_changes() -> None:
    world = refused_price()
    before = calls(world)
    answer(world, "done")
    assert (told(world, "product/7"), word(world)) == (None, "")
    assert SET not in made_since(world, before)
    world.tick()
    assert SET not in made_since(world, before)
    world.panel.accept("product/7")
    world.exchange.set_item("G1", "product", "7", price="12.00", currency="PLN")
    world.tick()
    assert prices(world)["product/7"] == "12.00 PLN"


def test_done_of_a_removal_forgets_the_price() -> None:
    world = with_group(p7="10.00", p8="11.00")
    world.panel.refuse("product/7")
    world.exchange.delete_item("G1", "product", "7")
    world.tick()
    answer(world, "done")
    assert (told(world, "product/7"), word(world)) == (None, "")
    assert not left_undone(world, "discounts")


@pytest.mark.parametrize("said", ["send", "erp", "tak"])
def test_a_word_that_means_nothing_about_a_price_stays_and_is_told_once(said: str) -> None:
    world = refused_price()
    before = calls(world)
    answer(world, said)
    assert (told(world, "product/7"), word(world)) == ((State.HELD, "bad_decision"), said)
    times = world.exchange.status("", "discounts", "product/7", "G1")
    for _ in range(3):
        world.tick()
    assert world.exchange.status("", "discounts", "product/7", "G1") == times
    assert SET not in made_since(world, before)
    answer(world, None)
    assert told(world, "product/7") == (State.HELD, "refused")
    assert not left_undone(world, "discounts")
    answer(world, "retry")
    assert (told(world, "product/7"), word(world)) == ((State.HELD, "refused"), "")


def test_a_row_that_is_no_price_is_looked_at_again_and_cannot_be_done() -> None:
    world = with_group(p7="10.00")
    world.exchange.set_item("G1", "product", "8", price="-1", currency="PLN")
    world.tick()
    answer(world, "retry", "product/8")
    assert (told(world, "product/8"), word(world, "product/8")) == ((State.HELD, "bad_amount"), "")
    answer(world, "done", "product/8")
    assert (told(world, "product/8"), word(world, "product/8")) == ((State.HELD, "bad_decision"), "done")
    world.exchange.set_item("G1", "product", "8", price="1", currency="PLN")
    world.tick()
    assert prices(world)["product/8"] == "1.00 PLN"
    assert told(world, "product/8") is None


def test_a_price_of_0_goes_once_a_person_says_that_it_is_meant() -> None:
    world = with_group(p7="10.00", p8="11.00")
    world.exchange.set_item("G1", "product", "7", price="0", currency="PLN")
    world.tick()
    assert told(world, "product/7") == (State.HELD, "zero_price")
    assert prices(world)["product/7"] == "10.00 PLN", "the panel keeps the former price"
    answer(world, "retry")
    assert (told(world, "product/7"), word(world)) == ((State.HELD, "zero_price"), "")
    answer(world, "send")
    assert prices(world) == {"product/7": "0.00 PLN", "product/8": "11.00 PLN"}
    assert (told(world, "product/7"), word(world)) == (None, "")
    assert not left_undone(world, "discounts")
    world.tick()
    assert told(world, "product/7") is None, "what was sent asks nothing"
    world.exchange.set_item("G1", "product", "7", price="5", currency="PLN")
    world.tick()
    world.exchange.set_item("G1", "product", "7", price="0", currency="PLN")
    world.tick()
    assert told(world, "product/7") == (State.HELD, "zero_price"), "the word was about the former one"


def test_a_price_of_0_that_is_corrected_needs_no_word() -> None:
    world = with_group(p7="10.00")
    world.exchange.set_item("G1", "product", "7", price="0", currency="PLN")
    world.tick()
    world.exchange.set_item("G1", "product", "7", price="12", currency="PLN")
    world.tick()
    assert (told(world, "product/7"), prices(world)["product/7"]) == (None, "12.00 PLN")


def test_a_word_of_before_lets_no_price_of_0_pass() -> None:
    world = refused_price()
    answer(world, "send")
    world.exchange.set_item("G1", "product", "7", price="0", currency="PLN")
    world.tick()
    assert (told(world, "product/7"), word(world)) == ((State.HELD, "bad_decision"), "send")
    answer(world, None)
    assert told(world, "product/7") == (State.HELD, "zero_price")
    answer(world, "done")
    assert (told(world, "product/7"), "product/7" in prices(world)) == (None, False)


def test_a_price_of_0_that_the_panel_refused_is_asked_about_once() -> None:
    world = with_group(p7="10.00")
    world.panel.refuse("product/7")
    world.exchange.set_item("G1", "product", "7", price="0", currency="PLN")
    world.tick()
    answer(world, "send")
    assert told(world, "product/7") == (State.HELD, "refused")
    world.panel.accept("product/7")
    answer(world, "retry")
    assert prices(world)["product/7"] == "0.00 PLN"
