"""Which group a customer is in: carried from the client, made first where it is new, put right where he was moved."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.concerns.discounts.groups import Groups
from kartoteka.errors import Reject, Retry
from kartoteka.model import Key, Owner
from kartoteka.policy import parse
from kartoteka.sync.plan import Plan
from kartoteka.sync.retry import Answer
from tests.helpers import account_of, left_undone, number_of, prices
from tests.world import CLIENT, World

REMOVE = '{"discounts": {"unassigned": "remove"}}'


def customers(count: int = 1, *, policy: str = "{}", group: str | None = "G1") -> World:
    """Return an installation with these customers, linked, of whom each client names this group."""
    world = World(parse(policy)).knows_the_panel()
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_group("G2", "Detal")
    for n in range(count):
        client = {**CLIENT, "nip": "", "email": f"{n}@firma.pl", "discount_group_id": group}
        world.exchange.insert_client(f"C-{n}", **client)
    world.tick()
    return world


def group_of(world: World, client: str = "C-0") -> str:
    """Return the name of the group that a client's account is in; empty: none."""
    number = str(world.panel.accounts[account_of(world, client)].values["discount_group_id"])
    return world.panel.discount_groups[number] if number else ""


def told(world: World, client: str = "C-0") -> tuple[State, str] | None:
    """Return what ``sync_status`` says of a customer's discounts."""
    status = world.exchange.status(client, "discounts")
    return (status.state, status.code) if status else None


def history(world: World, client: str = "C-0") -> list[tuple[str | None, str | None, str]]:
    """Return how a customer was moved."""
    rows = [h for h in world.exchange.history if h.client_id == client and h.field == "discount_group_id"]
    return [(h.value_before, h.value_after, h.reason) for h in rows]


def puts(world: World) -> int:
    """Return how many calls have written to accounts."""
    return world.panel.calls().get("PUT clients/clients", 0)


def test_customers_are_put_into_their_group_many_by_one_call() -> None:
    world = customers(50)
    assert {group_of(world, f"C-{n}") for n in range(50)} == {"Hurt"}
    assert puts(world) == 1
    assert told(world) == (State.IN_STEP, "")
    assert history(world) == [("", "G1", "first_contact")]
    before = world.panel.calls()
    world.tick()
    assert {g: n - before[g] for g, n in world.panel.calls().items() if n != before[g]} == {"GET clients/clients": 1}


def test_a_change_moves_the_customer() -> None:
    world = customers()
    world.exchange.update_client("C-0", discount_group_id="G2")
    world.tick()
    assert group_of(world) == "Detal"
    assert history(world)[-1] == ("G1", "G2", "edit")


def test_a_new_group_is_made_before_its_customers_are_put_into_it() -> None:
    world = customers(group=None)
    world.exchange.set_group("G3", "Nowa")
    world.exchange.set_item("G3", "product", "1", price="1", currency="PLN")
    world.exchange.update_client("C-0", discount_group_id="G3")
    world.collect("discounts")
    assert world.queue.chunks["discounts"] == [(Owner("C-0"),), (Owner(group_id="G3"),)]
    world.work("discounts")  # the client's message is faster
    assert told(world) == (State.PENDING, "group_pending")
    assert not world.exchange.deferrals
    world.drain()
    assert group_of(world) == "Nowa"
    assert prices(world, "G3") == {"product/1": "1.00 PLN"}
    assert told(world) == (State.WAITING, "unconfirmed")
    world.follow()
    assert told(world) == (State.IN_STEP, "")
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Hurt", "Nowa"]


@pytest.mark.fault(60)
def test_an_unknown_group_is_refused_by_name_and_taken_once_it_is_there() -> None:
    world = customers(group="G9")
    assert told(world) == (State.HELD, "unknown_group")
    status = world.exchange.status("C-0", "discounts")
    assert status is not None
    assert "'G9'" in status.message_en
    assert "'G9'" in status.message_pl
    assert puts(world) == 0
    world.exchange.set_group("G9", "Spóźniona")
    world.tick()
    assert group_of(world) == "Spóźniona"
    assert told(world) == (State.IN_STEP, "")


def test_an_outage_of_the_groups_gate_holds_nobody() -> None:
    world = customers(group=None)
    world.exchange.set_group("G3", "Nowa")
    world.exchange.update_client("C-0", discount_group_id="G3")
    groups = world.panel.groups
    world.panel.groups = lambda *_: (_ for _ in ()).throw(Retry("timeout"))  # type: ignore[method-assign]
    for _ in range(12):
        world.tick()
        assert told(world) == (State.PENDING, "group_pending")
    world.panel.groups = groups  # type: ignore[method-assign]
    world.tick()
    assert group_of(world) == "Nowa"
    assert told(world) == (State.IN_STEP, "")


def test_hundreds_of_customers_who_wait_for_a_group_make_one() -> None:
    world = customers(250, group=None)
    world.exchange.set_group("G3", "Nowa")
    for n in range(250):
        world.exchange.update_client(f"C-{n}", discount_group_id="G3")
    world.collect("discounts")
    world.queue.chunks["discounts"] = [tuple(Owner(f"C-{n}") for n in range(250)), (Owner(group_id="G3"),)]
    world.tick()
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Hurt", "Nowa"]
    assert {group_of(world, f"C-{n}") for n in range(250)} == {"Nowa"}


def test_a_kill_after_a_group_was_made_anew_leaves_nobody_outside() -> None:
    world = customers(3)
    world.panel.remove_group(number_of(world))
    world.pass_time(days=1)
    world.collect("discounts")
    world.dies_at("records.save", after=True, call=2)  # the first one is the intent's
    world.work("discounts")
    world.drain()
    assert {group_of(world, f"C-{n}") for n in range(3)} == {"Hurt"}


def test_a_customer_whom_the_panel_moved_is_put_back_and_it_is_recorded() -> None:
    world = customers()
    world.panel.edit(account_of(world, "C-0"), discount_group_id=number_of(world, "G2"))
    world.tick()
    assert group_of(world) == "Hurt"
    assert history(world)[-1] == ("G2", "G1", "drift")


def test_moved_into_a_group_that_is_not_the_erps_he_is_put_back_too() -> None:
    world = customers()
    number = world.panel.make_group("Automatyczna")
    world.panel.edit(account_of(world, "C-0"), discount_group_id=number)
    world.tick()
    assert group_of(world) == "Hurt"
    assert history(world)[-1] == (f"panel-{number}", "G1", "drift")


def test_a_panel_that_moves_him_again_and_again_is_told_of() -> None:
    world = customers()
    for _ in range(5):
        world.panel.edit(account_of(world, "C-0"), discount_group_id=number_of(world, "G2"))
        world.tick()
        world.tick()
    assert told(world) == (State.IN_STEP, "")  # each time it was right in between
    account = account_of(world, "C-0")
    move = world.panel.update

    def moving(updates):  # type: ignore[no-untyped-def]
        answer = move(updates)
        world.panel.edit(account, discount_group_id=number_of(world, "G2"))
        return answer

    world.panel.update = moving  # type: ignore[method-assign]
    world.panel.edit(account, discount_group_id=number_of(world, "G2"))
    for _ in range(6):
        world.tick()
    assert told(world) == (State.HELD, "not_taken")


def test_null_leaves_him_where_he_is() -> None:
    world = customers()
    world.exchange.update_client("C-0", discount_group_id=None)
    world.tick()
    assert group_of(world) == "Hurt"
    before = world.panel.calls()
    world.exchange.update_client("C-0", city="Gdańsk")
    world.tick()
    world.panel.edit(account_of(world, "C-0"), discount_group_id=number_of(world, "G2"))
    world.tick()
    assert group_of(world) == "Detal"
    assert world.panel.calls()["PUT clients/clients"] - before["PUT clients/clients"] == 1


@pytest.mark.parametrize("meanwhile", ["", "G2"])
def test_named_again_he_is_put_back_wherever_the_panel_moved_him_meanwhile(meanwhile: str) -> None:
    world = customers()
    world.exchange.update_client("C-0", discount_group_id=None)
    world.tick()
    world.panel.edit(account_of(world, "C-0"), discount_group_id=meanwhile and number_of(world, meanwhile))
    world.tick()
    assert group_of(world) == ("Detal" if meanwhile else "")
    world.pass_time(minutes=10)
    world.tick()  # the feed does not tell of that edit any more
    world.exchange.update_client("C-0", discount_group_id="G1")
    world.tick()
    assert group_of(world) == "Hurt"


def test_taking_out_those_who_were_left_in_their_group_trips_the_brake() -> None:
    world = customers(10, policy='{"brake": {"min_records": 3}}')
    for n in range(10):
        world.exchange.update_client(f"C-{n}", discount_group_id=None)
    world.tick()
    world.policy = parse('{"discounts": {"unassigned": "remove"}, "brake": {"min_records": 3}}')
    world.tick()
    assert world.paused() == {"discounts": "brake"}
    assert group_of(world, "C-5") == "Hurt"


def test_clients_without_a_group_cost_nothing_and_have_no_status() -> None:
    world = customers(3, group=None)
    assert puts(world) == 0
    assert told(world) is None
    world.pass_time(minutes=10)
    world.tick()
    world.exchange.update_client("C-0", city="Gdańsk")
    before = len(world.panel.log)
    world.tick()
    assert told(world) is None
    # the feed; billing's read and write; the feed once more, and for its sake who was closed by hand, and the addresses
    assert world.panel.log[before:] == [
        ("GET clients/clients", ()),
        ("GET clients/clients", ("1",)),
        ("PUT clients/clients", ("C-0",)),
        ("GET clients/clients", ()),
        ("GET clients/clients", ("1",)),
        ("GET clients/deliveryAddress", ("1",)),
    ]


def test_an_account_that_was_there_is_put_into_the_group_once_it_is_linked() -> None:
    world = customers()
    key = world.panel.register({**CLIENT, "email": "9@firma.pl", "nip": ""}, external_code="C-9")
    world.exchange.set_credit("C-9", credit_allowed=True, credit_limit="70", as_of=world.time)
    world.tick()
    world.pass_time(hours=1)
    world.tick()
    world.exchange.insert_client("C-9", **{**CLIENT, "email": "9@firma.pl", "nip": "", "discount_group_id": "G2"})
    world.tick()
    assert group_of(world, "C-9") == "Detal"
    assert world.panel.accounts[key].values["credit_limit"] == "70.00"


def test_an_edit_of_somebody_without_a_group_reaches_no_queue_of_ours() -> None:
    world = customers(group=None)
    world.panel.edit(account_of(world, "C-0"), city="Gdańsk")
    world.follow()
    assert world.queue.chunks["billing"]
    assert not world.queue.chunks.get("discounts")
    assert not world.queue.chunks.get("credit")


def test_with_remove_null_takes_him_out() -> None:
    world = customers(policy=REMOVE)
    world.exchange.update_client("C-0", discount_group_id=None)
    world.tick()
    assert group_of(world) == ""
    assert history(world)[-1] == ("G1", None, "edit")
    world.panel.edit(account_of(world, "C-0"), discount_group_id=number_of(world, "G2"))
    world.tick()
    assert group_of(world) == ""
    assert history(world)[-1] == ("G2", None, "drift")


def test_with_remove_null_takes_him_out_at_first_contact_too() -> None:
    world = World(parse(REMOVE))
    number = world.panel.make_group("Stara")
    key = world.panel.register({**CLIENT, "discount_group_id": number}, external_code="C-0")
    world.knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.tick()
    world.tick()
    assert world.panel.accounts[key].values["discount_group_id"] == ""
    assert told(world) == (State.IN_STEP, "")


def test_a_policy_that_changes_to_remove_takes_everybody_out() -> None:
    world = customers(3)
    for n in range(3):
        world.exchange.update_client(f"C-{n}", discount_group_id=None)
    world.tick()
    assert group_of(world) == "Hurt"
    world.policy = parse(REMOVE)
    world.tick()
    assert {group_of(world, f"C-{n}") for n in range(3)} == {""}


def test_a_panel_that_lets_nobody_out_refuses_and_that_is_told() -> None:
    world = customers(policy=REMOVE)
    world.panel.refuse("C-0", Reject("refused", panel="Panel: nie można opuścić grupy"))
    world.exchange.update_client("C-0", discount_group_id=None)
    world.tick()
    assert told(world) == (State.PENDING, "refused")
    assert group_of(world) == "Hurt"


def test_taking_out_many_trips_the_brake() -> None:
    world = customers(10, policy='{"discounts": {"unassigned": "remove"}, "brake": {"min_records": 3}}')
    for n in range(10):
        world.exchange.update_client(f"C-{n}", discount_group_id=None)
    world.tick()
    assert world.paused() == {"discounts": "brake"}
    assert group_of(world, "C-5") == "Hurt"


def test_a_group_that_was_made_anew_gets_its_customers_back() -> None:
    world = customers(3)
    world.panel.remove_group(number_of(world))
    assert group_of(world) == ""
    world.pass_time(days=1)
    world.tick()
    assert {group_of(world, f"C-{n}") for n in range(3)} == {"Hurt"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 40))
def test_a_kill_at_any_step_ends_in_the_right_group(step: int, after: bool) -> None:
    world = customers()
    world.exchange.set_group("G3", "Nowa")
    world.exchange.update_client("C-0", discount_group_id="G3")
    world.mortal(step, after=after)
    world.tick()
    world.pass_time(minutes=70)
    world.tick()
    assert group_of(world) == "Nowa"
    assert told(world) == (State.IN_STEP, "")
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Hurt", "Nowa"]
    assert history(world)[-1] == ("G1", "G3", "edit")
    assert len(history(world)) == 2


# --- a panel that lets nobody into a group


def refusing(times: int = 1, *, policy: str = '{"retry": {"max_attempts": 2}}') -> World:
    """Return an installation whose panel has refused so many times to put the customer into G2."""
    world = customers(policy=policy)
    world.panel.refuse("C-0", Reject("refused", panel="Panel: nie"))
    world.exchange.update_client("C-0", discount_group_id="G2")
    for _ in range(times):
        world.tick()
        world.pass_time(minutes=2)
    return world


def test_a_group_that_was_deleted_in_the_panel_is_made_again_as_soon_as_it_lets_nobody_in() -> None:
    world = customers(2)
    world.panel.remove_group(number_of(world))
    world.tick()
    world.tick()
    assert {group_of(world, f"C-{n}") for n in range(2)} == {"Hurt"}
    assert told(world) == (State.IN_STEP, "")


def test_what_the_panel_refused_often_enough_is_held_and_not_sent_again() -> None:
    world = refusing(2)
    assert told(world) == (State.HELD, "refused")
    status = world.exchange.status("C-0", "discounts")
    assert status is not None
    assert "Panel: nie" in status.message_en
    before = puts(world)
    world.exchange.update_client("C-0", discount_group_id="G2")  # written again, the same
    world.pass_time(days=1)
    world.tick()
    world.tick()
    assert puts(world) == before
    assert told(world) == (State.HELD, "refused")
    world.panel.accept("C-0")
    world.exchange.update_client("C-0", discount_group_id="G1")
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    world.exchange.update_client("C-0", discount_group_id="G2")
    world.tick()
    assert group_of(world) == "Detal"


def test_a_refusal_does_not_hold_for_the_number_that_the_group_has_later() -> None:
    world = refusing(2)
    world.panel.accept("C-0")
    world.panel.remove_group(number_of(world, "G2"))
    world.pass_time(days=1)
    world.tick()
    assert group_of(world) == "Detal"
    assert told(world) == (State.IN_STEP, "")


def test_a_refusal_does_not_hold_for_a_group_whose_id_is_that_number() -> None:
    world = refusing(2)
    world.panel.accept("C-0")
    assert number_of(world, "G2") == "2"
    world.exchange.set_group("2", "Trzecia")
    world.exchange.update_client("C-0", discount_group_id="2")
    world.tick()
    assert group_of(world) == "Trzecia"


def test_a_correction_that_was_refused_stays_held_and_costs_nothing() -> None:
    world = customers(policy='{"retry": {"max_attempts": 2}}')
    world.panel.refuse("C-0", Reject("refused", panel="Panel: nie"))
    world.panel.edit(account_of(world, "C-0"), discount_group_id=number_of(world, "G2"))
    for _ in range(3):
        world.tick()
        world.pass_time(minutes=2)
    assert told(world) == (State.HELD, "refused")
    assert left_undone(world, "discounts") == {}
    before = len(world.panel.log)
    world.pass_time(days=1)
    world.tick()
    assert told(world) == (State.HELD, "refused")
    assert {gate for gate, about in world.panel.log[before:] if about} == set()


def test_one_look_at_a_group_does_for_all_whom_it_did_not_let_in() -> None:
    world = customers(50, group=None)
    for n in range(50):
        world.panel.refuse(f"C-{n}", Reject("refused", panel="Panel: nie"))
        world.exchange.update_client(f"C-{n}", discount_group_id="G1")
    world.collect("discounts")
    world.work("discounts")
    assert world.queue.chunks["discounts"] == [(Owner(group_id="G1"),)]


def test_a_refusal_of_something_else_sends_nobody_to_look_at_the_group() -> None:
    world = customers(group=None)
    world.panel.refuse("C-0", Reject("bad_vat", field="nip", panel="15: nip"))
    world.exchange.update_client("C-0", discount_group_id="G1")
    world.collect("discounts")
    world.work("discounts")
    assert told(world) == (State.HELD, "bad_vat")
    assert not world.queue.chunks["discounts"]
    world.tick()
    assert puts(world) == 1


# --- who is told of a group


def test_a_client_that_is_worked_while_its_group_is_being_made_waits_and_is_woken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = customers(group=None)
    world.exchange.set_group("G3", "Nowa")
    world.exchange.update_client("C-0", discount_group_id="G3")
    send = Groups.send

    def slowly(groups: Groups, plan: Plan) -> Answer:
        answer = send(groups, plan)
        world.reconcile("discounts", Owner("C-0"))  # another function's worker, before the number is stored
        assert told(world) == (State.PENDING, "group_pending")
        return answer

    monkeypatch.setattr(Groups, "send", slowly)
    world.reconcile("discounts", Owner(group_id="G3"))
    client: tuple[Owner, ...] = (Owner("C-0"),)
    world.queue.chunks["discounts"] = [chunk for chunk in world.queue.chunks["discounts"] if chunk == client]
    world.drain()
    assert group_of(world) == "Nowa"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 25))
def test_a_kill_while_a_group_is_adopted_leaves_nobody_outside(step: int, after: bool) -> None:
    world = customers(group=None)
    world.panel.make_group("Nowa")
    world.exchange.set_group("G3", "Nowa")
    world.exchange.update_client("C-0", discount_group_id="G3")
    world.reconcile("discounts", Owner("C-0"))
    assert told(world) == (State.PENDING, "group_pending")
    world.queue.send("discounts", [Owner(group_id="G3")])
    world.mortal(step, after=after)
    world.work("discounts")
    world.drain()
    assert group_of(world) == "Nowa"
    assert sorted(world.panel.discount_groups.values()) == ["Detal", "Hurt", "Nowa"]


def test_members_of_a_group_that_was_deleted_are_told_that_it_is_unknown() -> None:
    world = customers(policy='{"discounts": {"deletes": "propagate"}}')
    world.exchange.delete_group("G1")
    world.panel.edit(account_of(world, "C-0"), discount_group_id="")
    world.reconcile("discounts", Owner(group_id="G1"))
    world.drain()
    assert told(world) == (State.HELD, "unknown_group")
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    assert group_of(world) == "Hurt"


def test_where_a_lost_group_cannot_be_made_again_its_members_are_told_that_it_is_coming() -> None:
    world = customers()
    del world.panel.discount_groups[number_of(world)]  # the accounts still show its number, and no modification
    world.panel.refuse("Hurt", Reject("refused", panel="Panel: nazwa"))
    world.pass_time(days=1)
    world.tick()
    assert told(world) == (State.PENDING, "group_pending")
    world.panel.accept("Hurt")
    world.tick()
    assert group_of(world) == "Hurt"
    assert told(world) == (State.IN_STEP, "")


@pytest.mark.parametrize("items", [False, True])
def test_those_who_wait_for_a_group_are_told_when_its_row_goes(items: bool) -> None:
    world = customers(group=None)
    world.panel.refuse("Nowa", Reject("refused", panel="Panel: nazwa"))
    world.exchange.set_group("G3", "Nowa")
    if items:
        world.exchange.set_item("G3", "product", "1", price="1", currency="PLN")
    world.exchange.update_client("C-0", discount_group_id="G3")
    world.tick()
    world.pass_time(minutes=10)
    world.tick()
    assert told(world) == (State.PENDING, "group_pending")
    world.exchange.delete_group("G3")
    world.tick()
    assert told(world) == (State.HELD, "unknown_group")


def test_where_a_group_has_gone_its_members_are_told_without_a_call() -> None:
    world = customers(2)
    del world.exchange.states[Key("", "G1", "discounts")]
    world.exchange.groups.pop("G1")
    before = len(world.panel.log)
    world.pass_time(days=1)
    world.collect("discounts")
    assert set(world.queue.chunks["discounts"]) == {(Owner("C-0"), Owner("C-1"))}
    assert {gate for gate, about in world.panel.log[before:] if about} == set()
