"""A record over which the panel fails alone, while another of the same gate passes in the same run, counts an attempt.

The gates of accounts that are there are in ``test_engine_refusals.py``.
"""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Retry
from kartoteka.policy import parse
from tests.address_world import LINES, AddressWorld, policy
from tests.helpers import installation, linked, number_of, prices, tax_number
from tests.world import CLIENT, World

PENDING, HELD, IN_STEP = State.PENDING, State.HELD, State.IN_STEP
TURNS = 8
CODES = ["panel_5xx", "timeout", "broken_answer", "answer_too_large"]


def told(world: World, client: str, concern: str, item: str = "", group: str = "") -> tuple[State, str] | None:
    status = world.exchange.status(client, concern, item, group)
    return (status.state, status.code) if status else None


# --- delivery addresses


def with_addresses(number: int, *, deletes: str = "ignore") -> AddressWorld:
    """Return customers with one address each, in step on both sides."""
    world = AddressWorld(policy(attempts=2, deletes=deletes))
    for n in range(number):
        world.customer(f"C-{n}")
        world.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
    world.turn()
    assert len(world.panel.delivery) == number
    return world


def turns(world: AddressWorld, number: int = TURNS) -> None:
    """Let so many ticks pass, in each of which the last customer's address is edited."""
    last = list(world.exchange.clients)[-1]
    for n in range(number):
        world.exchange.update_address(f"A-{last.removeprefix('C-')}", street=f"Krótka {n}")
        world.collect("delivery_addresses", everything_due=True)
        while world.work("delivery_addresses"):
            pass
        world.pass_time(seconds=61)


@pytest.mark.parametrize("code", CODES)
def test_an_address_whose_edit_the_panel_fails_over_is_held_and_its_neighbours_go_on(code: str) -> None:
    world = with_addresses(12)
    world.panel.fail_over("C-3", code)
    for n in range(12):
        world.exchange.update_address(f"A-{n}", city="Gdynia")
    turns(world)
    assert told(world, "C-3", "delivery_addresses", "A-3") == (HELD, code)
    assert sum(address.values["city"] == "Gdynia" for _, address in world.panel.delivery.values()) == 11
    world.panel.recover_from("C-3")
    world.exchange.update_address("A-3", street="Inna 7")
    turns(world, 2)
    assert told(world, "C-3", "delivery_addresses", "A-3") == (IN_STEP, "")
    (shown,) = world.shown(world.exchange.links["C-3"].panel_client_id).values()
    assert (shown["city"], shown["street"]) == ("Gdynia", "Inna 7")


def test_a_new_address_that_the_panel_fails_over_is_held() -> None:
    world = with_addresses(6)
    world.panel.fail_over("C-1")
    for n in range(TURNS):
        world.exchange.insert_address(f"B-{n}", "C-5", **{**LINES, "street": f"Nowa {n}"})
        if not n:
            world.exchange.insert_address("A-x", "C-1", **{**LINES, "street": "Zła 1"})
        world.collect("delivery_addresses", everything_due=True)
        while world.work("delivery_addresses"):
            pass
        world.pass_time(seconds=61)
    assert told(world, "C-1", "delivery_addresses", "A-x") == (HELD, "panel_5xx")
    assert len(world.panel.delivery) == 6 + TURNS


def test_an_address_whose_deletion_the_panel_fails_over_is_held() -> None:
    world = with_addresses(12, deletes="propagate")
    world.panel.fail_over("C-0")
    for n in range(TURNS):
        world.exchange.delete_address(f"A-{n}")
        world.collect("delivery_addresses", everything_due=True)
        while world.work("delivery_addresses"):
            pass
        world.pass_time(seconds=61)
    assert told(world, "C-0", "delivery_addresses", "A-0") == (HELD, "not_deleted")
    assert len(world.panel.delivery) == 12 - TURNS + 1


@pytest.mark.parametrize("code", CODES)
def test_a_customer_whose_addresses_cannot_be_read_is_held_and_its_neighbours_go_on(code: str) -> None:
    world = with_addresses(12)
    world.panel.fail_to_show(world.exchange.links["C-3"].panel_client_id, code)
    for n in range(12):
        world.exchange.update_address(f"A-{n}", city="Gdynia")
    turns(world)
    assert told(world, "C-3", "delivery_addresses") == (HELD, code)
    assert sum(address.values["city"] == "Gdynia" for _, address in world.panel.delivery.values()) == 11


def test_an_outage_of_addresses_holds_nobody() -> None:
    world = with_addresses(12)
    for n in range(12):
        world.panel.fail_over(f"C-{n}")
        world.exchange.update_address(f"A-{n}", city="Gdynia")
    turns(world)
    assert {told(world, f"C-{n}", "delivery_addresses", f"A-{n}") for n in range(12)} == {(PENDING, "panel_5xx")}
    assert {d.attempts for d in world.exchange.deferrals.values()} == {0}


# --- openings


@pytest.mark.parametrize("code", CODES)
def test_a_client_whose_opening_the_panel_fails_over_is_held_and_others_are_opened(code: str) -> None:
    world = installation(policy='{"retry": {"max_attempts": 2}}').knows_the_panel()
    world.panel.fail_over("C-0", code)
    for n in range(TURNS):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
        world.tick()
    assert told(world, "C-0", "accounts") == (HELD, code)
    assert set(world.exchange.links) == {f"C-{n}" for n in range(1, TURNS)}
    opened = len(world.panel.opened)
    world.panel.recover_from("C-0")
    world.tick()
    assert told(world, "C-0", "accounts") == (HELD, code), "the same contents would be refused again"
    world.exchange.update_client("C-0", phone="601602603")
    world.tick()
    assert "C-0" in world.exchange.links
    assert len(world.panel.opened) == opened + 1


def test_a_client_who_cannot_be_looked_up_is_held_and_others_are_opened() -> None:
    world = installation(policy='{"retry": {"max_attempts": 2}}').knows_the_panel()
    world.panel.fail_to_show("C-0")
    for n in range(TURNS):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
        world.tick()
    assert told(world, "C-0", "accounts") == (HELD, "panel_5xx")
    assert set(world.exchange.links) == {f"C-{n}" for n in range(1, TURNS)}


# --- reads of accounts


def test_an_account_that_the_panel_fails_to_show_is_held_and_its_neighbours_go_on() -> None:
    world = linked(12, policy='{"retry": {"max_attempts": 2}, "brake": {"any_share": 1}}')
    world.panel.fail_to_show(world.exchange.links["C-3"].panel_client_id)
    for n in range(12):
        world.exchange.update_client(f"C-{n}", city="Gdynia")
    for n in range(TURNS):
        world.exchange.update_client("C-11", street=f"Krótka {n}")
        world.collect("billing", everything_due=True)
        world.drain()
        world.pass_time(seconds=61)
    assert told(world, "C-3", "billing") == (HELD, "panel_5xx")
    assert sum(account.values["city"] == "Gdynia" for account in world.panel.accounts.values()) == 11


# --- discount groups and prices


def with_groups(number: int, *, propagate: bool = False) -> World:
    section = '{"deletes": "propagate"}' if propagate else "{}"
    world = World(parse(f'{{"discounts": {section}, "retry": {{"max_attempts": 2}}}}')).knows_the_panel()
    for n in range(number):
        world.exchange.set_group(f"G{n}", f"Grupa {n}")
    world.tick()
    return world


def group_turn(world: World) -> None:
    world.collect("discounts", everything_due=True)
    world.drain()
    world.pass_time(seconds=61)


@pytest.mark.parametrize("gate", ["rename", "create", "delete", "read"])
def test_a_group_over_which_the_panel_fails_is_held_and_others_go_on(gate: str) -> None:
    world = with_groups(12, propagate=True)
    if gate == "read":
        world.panel.fail_to_show(number_of(world, "G0"))
    else:
        world.panel.fail_over("Nowa 0" if gate == "create" else number_of(world, "G0"))
    for n in range(TURNS):
        if gate == "rename":
            world.exchange.set_group(f"G{n}", f"Inna {n}")
        elif gate == "create":
            world.exchange.set_group(f"N{n}", f"Nowa {n}")
        else:
            world.exchange.delete_group(f"G{n}")
        group_turn(world)
    assert told(world, "", "discounts", group="N0" if gate == "create" else "G0") == (HELD, "panel_5xx")
    names = set(world.panel.discount_groups.values())
    assert "Nowa 0" not in names
    assert len(names) == (12 + TURNS - 1 if gate == "create" else 12 if gate == "rename" else 12 - TURNS + 1)


@pytest.mark.parametrize("code", CODES)
def test_a_price_over_which_the_panel_fails_is_held_and_the_others_are_sent(code: str) -> None:
    world = with_groups(1)
    world.panel.fail_over("product/7", code)
    for n in range(30):
        world.exchange.set_item("G0", "product", str(n), price="10.00", currency="PLN")
    for n in range(TURNS):
        world.exchange.set_item("G0", "product", str(100 + n), price="10.00", currency="PLN")
        group_turn(world)
    assert told(world, "", "discounts", "product/7", "G0") == (HELD, code)
    assert told(world, "", "discounts", "", "G0") == (IN_STEP, "")
    assert len(prices(world, "G0")) == 29 + TURNS
    before = dict(world.panel.calls())
    group_turn(world)
    assert world.panel.calls() == before
    world.panel.recover_from("product/7")
    world.exchange.set_item("G0", "product", "7", price="11.00", currency="PLN")
    group_turn(world)
    assert prices(world, "G0")["product/7"] == "11.00 PLN"
    assert told(world, "", "discounts", "product/7", "G0") is None


def test_an_outage_of_prices_holds_none_and_costs_few_calls() -> None:
    world = with_groups(1)
    for n in range(300):
        world.exchange.set_item("G0", "product", str(n), price="10.00", currency="PLN")
        world.panel.fail_over(f"product/{n}")
    before = sum(world.panel.calls().values())
    for _ in range(TURNS):
        group_turn(world)
    assert told(world, "", "discounts", "", "G0") == (PENDING, "panel_5xx")
    assert sum(world.panel.calls().values()) - before <= TURNS * (2 + 1)
    assert [d.attempts for d in world.exchange.deferrals.values()] == [0]


# --- credit


def test_a_client_over_whose_limit_the_panel_fails_is_held_and_others_go_on() -> None:
    world = linked(12, policy='{"retry": {"max_attempts": 2}}')
    world.panel.fail_over("C-3")
    for n in range(TURNS):
        for client in range(12):
            figures = {"credit_limit": f"{1000 + n if client == 11 else 500}.00", "balance": "0.00"}
            world.exchange.set_credit(f"C-{client}", credit_allowed=True, currency="PLN", as_of=world.time, **figures)
        world.collect("credit", everything_due=True)
        world.drain()
        world.pass_time(seconds=61)
    assert told(world, "C-3", "credit") == (HELD, "panel_5xx")
    assert sum(account.values["credit_limit"] == "500.00" for account in world.panel.accounts.values()) == 10


def test_a_wrong_key_or_a_busy_panel_blames_nobody() -> None:
    world = with_addresses(3)
    world.panel.fail(*[Retry("too_many_requests") for _ in range(60)])
    world.exchange.update_address("A-0", city="Gdynia")
    turns(world)
    assert {d.attempts for d in world.exchange.deferrals.values()} == {0}


# --- what the brake has stopped


def test_what_the_brake_has_stopped_goes_apart_from_others_like_any_other() -> None:
    world = linked(2, policy='{"brake": {"min_records": 1, "max_share": 0.3}}')
    world.pass_time(hours=2)
    for n in range(2):
        world.exchange.update_client(f"C-{n}", street=f"Nowa {n}")
    world.tick()
    assert told(world, "C-1", "billing") == (PENDING, "brake")
    world.panel.fail_over("C-0")
    world.resume("billing", confirm=True)
    for _ in range(TURNS):
        world.tick()
    assert told(world, "C-1", "billing") == (IN_STEP, "")
    assert told(world, "C-0", "billing") != (IN_STEP, "")
