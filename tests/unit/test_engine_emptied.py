"""A panel on which a write empties what it does not name: the ERP keeps what it has, and everything is stopped."""

from __future__ import annotations

import json

import pytest

from kartoteka.codes import State, Status
from kartoteka.policy import parse
from tests.helpers import account_of
from tests.world import CLIENT, CONCERNS, World

TEXTS = ("company", "street", "zip_code", "city")


def filled(*, whole_writes: bool = True, policy: str = "{}", **more: str) -> World:
    """Return an installation with two clients in step, on a panel that empties from now on what a write leaves out."""
    world = World(parse(policy)).knows_the_panel()
    for n in range(2):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl", **more})
    for _ in range(3):
        world.tick()
    world.panel.whole_writes = whole_writes
    return world


def ticks(world: World, number: int = 4) -> None:
    for _ in range(number):
        world.tick()
        world.pass_time(minutes=6)


def status(world: World, client: str = "C-0", concern: str = "billing") -> Status:
    found = world.exchange.status(client, concern)
    assert found is not None
    return found


def shown(world: World, client: str = "C-0") -> dict[str, object]:
    return dict(world.panel.accounts[account_of(world, client)].values)


def writes(world: World) -> int:
    return sum(number for gate, number in world.panel.calls().items() if not gate.startswith("GET"))


def emptied() -> World:
    """Return an installation of which our own write has emptied an account, and that a person has let go on."""
    world = filled()
    world.exchange.update_client("C-0", phone="600700800")
    ticks(world)
    for concern in CONCERNS:
        world.resume(concern, confirm=True)
    return world


@pytest.mark.parametrize("empty", ["keep", "erase"])
@pytest.mark.parametrize("direction", ["both", "erp_to_panel"])
@pytest.mark.parametrize(("field", "value"), [("phone", "600700800"), ("street", "Nowa 7"), ("company", "Inna")])
def test_what_our_own_write_has_emptied_is_no_edit_and_stops_everything(
    field: str, value: str, direction: str, empty: str
) -> None:
    rules = {name: {"direction": direction, "empty": empty} for name in (*TEXTS, "phone")}
    world = filled(policy=json.dumps({"billing": {"fields": rules}}))
    before = dict(world.exchange.clients["C-0"])
    world.exchange.update_client("C-0", **{field: value})
    ticks(world)
    lost = {name for name in TEXTS if name != field}
    assert {name for name in lost if shown(world)[name]} == set()
    assert world.exchange.clients["C-0"] == {**before, field: value}
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")
    assert all(name in status(world).message_en for name in lost)
    assert world.paused() == dict.fromkeys(CONCERNS, "brake")
    made = writes(world)
    world.exchange.update_client("C-1", phone="700800900")
    ticks(world)
    assert writes(world) == made, "no other account is emptied before a person has seen it"


@pytest.mark.parametrize("by", ["credit", "discounts", "accounts"])
def test_what_a_write_of_another_concern_has_emptied_is_held_as_well(by: str) -> None:
    world = filled()
    if by == "credit":
        world.exchange.set_credit(
            "C-0", credit_allowed=True, credit_limit="500", balance="0", payment_days=14, as_of=world.time
        )
    elif by == "discounts":
        world.exchange.set_group("G1", "Hurt")
        world.exchange.update_client("C-0", discount_group_id="G1")
    else:
        world.exchange.update_client("C-0", active=False)
    before = dict(world.exchange.clients["C-0"])
    ticks(world)
    assert world.exchange.clients["C-0"] == before
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")


@pytest.mark.parametrize("empty", ["keep", "erase"])
def test_one_field_that_our_own_write_has_emptied_is_held_too(empty: str) -> None:
    rules = {name: {"empty": empty} for name in TEXTS}
    few = dict.fromkeys(("company", "street", "zip_code"), "")
    world = filled(policy=json.dumps({"billing": {"fields": rules}}), whole_writes=False)
    world.panel.edit(account_of(world, "C-0"), company="", street="")
    world.panel.edit(account_of(world, "C-0"), zip_code="")
    world.exchange.update_client("C-0", **few)
    ticks(world)
    world.panel.whole_writes = True
    world.exchange.update_client("C-0", phone="600700800")
    ticks(world)
    assert not shown(world)["city"]
    assert world.exchange.clients["C-0"]["city"] == CLIENT["city"]
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")
    assert set(world.paused()) == set(CONCERNS)


def test_once_the_panel_is_mended_a_persons_word_sends_all_again() -> None:
    world = emptied()
    world.panel.whole_writes = False
    world.exchange.decide_status("C-0", "billing", "retry")
    ticks(world)
    assert {name: shown(world)[name] for name in TEXTS} == {name: world.exchange.clients["C-0"][name] for name in TEXTS}
    assert status(world).state is State.IN_STEP
    assert not world.paused()


def test_a_resumed_concern_is_not_stopped_again_by_what_was_seen_already() -> None:
    world = emptied()
    ticks(world)
    assert not world.paused()
    assert status(world).code == "not_taken"
    world.exchange.update_client("C-1", phone="700800900")
    ticks(world)
    assert set(world.paused()) == set(CONCERNS)


def test_what_the_next_write_empties_is_held_though_it_is_one_field() -> None:
    world = emptied()
    world.exchange.update_client("C-0", street="Nowa 7")
    ticks(world)
    assert not shown(world)["phone"]
    assert (world.exchange.clients["C-0"]["phone"], status(world).state) == ("600700800", State.HELD)
    assert "phone" in status(world).message_en


def test_a_resumed_concern_goes_on_with_an_account_that_was_emptied() -> None:
    world = emptied()
    world.panel.whole_writes = False
    world.exchange.update_client("C-0", phone="700800900")
    ticks(world)
    assert shown(world)["phone"] == "700800900"
    assert not world.paused()
    assert status(world).code == "not_taken"


def test_an_edit_of_the_erp_is_sent_where_the_panel_has_emptied_the_rest() -> None:
    world = filled(whole_writes=False)
    world.panel.edit(account_of(world, "C-0"), **dict.fromkeys(TEXTS, ""))
    world.exchange.update_client("C-0", street="Nowa 7")
    world.tick()
    assert shown(world)["street"] == "Nowa 7"
    assert "street" not in status(world).message_en.partition(":")[0]


def test_what_another_program_empties_right_after_our_write_stops_nothing() -> None:
    world = filled(whole_writes=False)
    world.exchange.update_client("C-0", phone="600700800")
    assert world.collect("billing")
    assert world.work("billing")
    world.pass_time(seconds=10)
    world.panel.edit(account_of(world, "C-0"), **dict.fromkeys(TEXTS, ""))
    ticks(world)
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")
    assert not world.paused()


@pytest.mark.parametrize("empty", ["keep", "erase"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_person_may_empty_some(number: int, empty: str) -> None:
    names = TEXTS[:number]
    rules = {name: {"empty": empty} for name in names}
    world = filled(whole_writes=False, policy=json.dumps({"billing": {"fields": rules}}))
    world.panel.edit(account_of(world, "C-0"), **dict.fromkeys(names, ""))
    ticks(world)
    assert {str(world.exchange.clients["C-0"][name] or "") for name in names} == (
        {""} if empty == "erase" else {str(CLIENT[name]) for name in names}
    )
    assert status(world).state is State.IN_STEP
    assert not world.paused()


def test_so_many_that_somebody_else_has_emptied_are_held_and_stop_nothing() -> None:
    """It may be another program's write: a person looks at the record, and the others go on."""
    rules = {name: {"empty": "erase"} for name in TEXTS}
    world = filled(whole_writes=False, policy=json.dumps({"billing": {"fields": rules}}))
    before = dict(world.exchange.clients["C-0"])
    world.panel.edit(account_of(world, "C-0"), **dict.fromkeys(TEXTS, ""))
    ticks(world)
    assert world.exchange.clients["C-0"] == before
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")
    assert not world.paused()
    world.panel.edit(account_of(world, "C-0"), city="Gdynia")
    world.exchange.update_client("C-0", street="Nowa 7")
    ticks(world)
    assert (world.exchange.clients["C-0"]["city"], shown(world)["street"]) == ("Gdynia", "Nowa 7")
