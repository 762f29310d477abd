"""``mode: plan``: each action as ``sync_plan`` tells it, and what a person's word does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.desk import plans
from kartoteka.errors import Reject, Retry
from kartoteka.model import Ended, Key, Line, Owner, Planned, PlanRow, Value
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Chosen, PlanChange
from tests.world import ADDRESS, CLIENT, World

CREDIT: dict[str, Value] = {
    "credit_allowed": True,
    "credit_limit": "100.00",
    "balance": "5.00",
    "currency": "PLN",
}


def new(policy: dict[str, Any] | None = None, **values: Value) -> World:
    """A world in which all is only planned, with one client that has no account yet."""
    world = World(Policy.model_validate({"mode": "plan", **(policy or {})})).knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, **values})
    return world


def linked(policy: dict[str, Any] | None = None, set_up: Callable[[World], Any] = lambda _: None) -> World:
    """A world in which a client has its account, and from now on all is only planned."""
    world = World(Policy.model_validate(policy or {})).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    set_up(world)
    for _ in range(3):
        world.tick()
    world.policy = Policy.model_validate({**(policy or {}), "mode": "plan"})
    return world


def rows(world: World, *, ended: bool = False) -> list[PlanRow]:
    return [row for row in world.exchange.planned.values() if (row.outcome is not None) is ended]


def told(world: World) -> list[tuple[str, ...]]:
    """Return what stands in the plan: concern, item, action, field, from, to, reason."""
    found = []
    for row in rows(world):
        line = row.line
        found.append((line.key.concern, line.key.item_id, str(line.action), line.field, line.value_from, line.value_to))
    return sorted(found, key=str)


def approve(world: World, word: str = "approve", **wanted: str) -> None:
    """Write a person's word into the first row with this action, field, concern or item."""
    for row in rows(world):
        facts = {"action": str(row.line.action), "field": row.line.field, **row.line.key._asdict()}
        if wanted.items() <= facts.items():
            world.exchange.decide_plan(row.id, word)
            return
    raise AssertionError(told(world))


def outcomes(world: World) -> dict[tuple[str, str], str]:
    return {(r.line.key.concern, r.line.field or str(r.line.action)): str(r.outcome) for r in rows(world, ended=True)}


# --- each action


def test_a_client_without_an_account_is_one_row_with_what_all_concerns_will_do() -> None:
    world = new(discount_group_id="G")
    world.exchange.insert_address("A-1", "C-1", **ADDRESS)
    world.exchange.set_credit("C-1", **CREDIT)
    world.exchange.set_group("G", "Hurt")
    world.exchange.set_item("G", "product", "7", price="1.00", currency="PLN")
    world.tick()
    (made,) = (row.line for row in rows(world) if row.line.key.concern == "accounts")
    assert json.loads(made.value_to or "")["company"] == "Firma"
    assert "password" not in (made.value_to or "")
    assert [(c, i, a, f) for c, i, a, f, _, _ in told(world)] == [
        ("accounts", "", "create", ""),
        ("credit", "", "update", "balance"),
        ("credit", "", "update", "credit_limit"),
        ("delivery_addresses", "A-1", "add", ""),
        ("discounts", "", "create", ""),
        ("discounts", "", "update", "discount_group_id"),
        ("discounts", "product/7", "add", ""),
    ]
    assert world.panel.accounts == {}


def test_an_account_that_is_there_is_linked_and_its_fields_are_compared() -> None:
    world = new(active=False)
    key = world.panel.register({"email": "biuro@firma.pl", "company": "Firma", "city": "Radom"})
    world.panel.add_address(key, **ADDRESS)
    world.follow()
    world.tick()
    (link,) = (row.line for row in rows(world) if row.line.action == "link")
    assert (link.value_to, link.reason) == (key, "email")
    found = {(c, a, f, before, after) for c, _, a, f, before, after in told(world)}
    assert ("accounts", "close", "", None, None) in found
    assert ("billing", "update", "city", "Radom", "Łódź") in found
    assert any((c, a, f, after) == ("billing", "update", "street", "Długa 1") for c, a, f, _, after in found)
    assert any(c == "delivery_addresses" and a == "add" for c, a, *_ in found)
    assert world.exchange.links == {}


def test_a_client_whose_account_cannot_be_told_is_a_question() -> None:
    world = new()
    ids = [world.panel.register({"email": mail, "nip": "5250001233"}) for mail in ("a@b.pl", "c@d.pl")]
    world.follow()
    world.tick()
    found = [row.line for row in rows(world)]
    assert {(str(line.action), line.value_from, line.value_to, line.reason) for line in found} == {
        ("question", "nip", key, "ambiguous") for key in ids
    }
    assert (world.exchange.matches, world.exchange.incoming) == ({}, {})


def test_what_is_held_is_told_with_its_code() -> None:
    world = new(city=None)
    world.tick()
    (row,) = rows(world)
    assert (row.line.action, row.line.reason, row.line.field) == ("held", "incomplete", "city")
    assert world.exchange.statuses == {}


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (
            lambda w: w.exchange.update_client("C-1", phone="600700800"),
            [("billing", "", "update", "phone", "501502503", "600700800")],
        ),
        (lambda w: w.panel.edit("1", street="Krótka 2"), [("billing", "", "update", "street", "Długa 1", "Krótka 2")]),
        (lambda w: w.exchange.update_client("C-1", active=False), [("accounts", "", "close", "", None, None)]),
        (
            lambda w: w.exchange.set_shops("C-1", 1, 2),
            [("shops", "", "update", "shops", "1", "1,2")],
        ),
        (
            lambda w: w.exchange.update_client("C-1", nip="7792369887"),
            [("billing", "", "held", "nip", "5250001233", "7792369887")],
        ),
        (lambda w: w.exchange.delete_address("A-1"), []),
        (
            lambda w: w.exchange.update_address("A-1", city="Radom"),
            [("delivery_addresses", "A-1", "update", "city", "Łódź", "Radom")],
        ),
        (
            lambda w: w.exchange.set_item("G", "product", "7", price="2.00", currency="PLN"),
            [("discounts", "product/7", "update", "price", "1.00", "2.00")],
        ),
        (lambda w: w.exchange.set_group("G", "Inna"), [("discounts", "", "update", "name", "Hurt", "Inna")]),
        (
            lambda w: w.exchange.delete_item("G", "product", "7"),
            [("discounts", "product/7", "remove", "", '{"currency": "PLN", "price": "1.00"}', None)],
        ),
    ],
)
def test_a_change_of_a_linked_client_is_planned_and_written_nowhere(
    do: Callable[[World], Any], expected: list[tuple[str, ...]]
) -> None:
    def set_up(world: World) -> None:
        world.exchange.insert_address("A-1", "C-1", **ADDRESS)
        world.exchange.set_group("G", "Hurt")
        world.exchange.set_item("G", "product", "7", price="1.00", currency="PLN")

    world = linked(set_up=set_up)
    do(world)
    states = dict(world.exchange.states)
    world.tick()
    world.tick(seconds=1200)
    world.tick()
    assert told(world) == expected
    assert world.exchange.states == states


def test_a_conflict_that_a_person_has_to_settle_is_told_and_raised_once_approved() -> None:
    world = linked({"billing": {"conflict": "hold"}})
    world.exchange.update_client("C-1", city="Radom")
    world.panel.edit("1", city="Gdynia")
    world.tick()
    assert told(world) == [("billing", "", "conflict", "city", "Gdynia", "Radom")]
    assert world.exchange.conflicts == []
    approve(world, field="city")
    world.tick()
    assert [(c.erp_value, c.panel_value, c.decision) for c in world.exchange.conflicts] == [("Radom", "Gdynia", None)]
    assert outcomes(world) == {("billing", "city"): "done"}


def test_an_existing_group_of_the_name_is_adopted() -> None:
    world = World(Policy.model_validate({"mode": "plan"})).knows_the_panel()
    number = world.panel.make_group("Hurt")
    world.exchange.set_group("G", "Hurt")
    world.tick()
    assert told(world) == [("discounts", "", "adopt", "", None, number)]
    approve(world, action="adopt")
    world.tick()
    assert world.exchange.states[Key("", "G", "discounts")].panel_id == number
    assert world.panel.discount_groups == {number: "Hurt"}


def test_an_address_is_removed_where_the_policy_says_so() -> None:
    policy = {"delivery_addresses": {"deletes": "propagate"}}
    world = linked(policy, lambda w: w.exchange.insert_address("A-1", "C-1", **ADDRESS))
    world.exchange.delete_address("A-1")
    world.tick()
    ((concern, item, action, *_),) = told(world)
    assert (concern, item, action) == ("delivery_addresses", "A-1", "remove")
    assert len(world.panel.delivery) == 1
    approve(world, action="remove")
    world.tick()
    assert world.panel.delivery == {}
    assert outcomes(world) == {("delivery_addresses", "remove"): "done"}


def test_an_account_that_the_erp_opens_again_is_told() -> None:
    world = linked(set_up=lambda w: w.exchange.update_client("C-1", active=False))
    world.exchange.update_client("C-1", active=True)
    world.tick()
    assert told(world) == [("accounts", "", "open", "", None, None)]
    approve(world, action="open")
    world.tick()
    assert world.panel.closed == set()


# --- inside a concern


def test_one_concern_is_planned_while_the_others_are_applied() -> None:
    world = linked()
    world.policy = Policy.model_validate({"billing": {"mode": "plan"}})
    world.exchange.update_client("C-1", phone="600700800")
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    assert told(world) == [("billing", "", "update", "phone", "501502503", "600700800")]
    assert world.panel.accounts["1"].values["credit_limit"] == "100.00"
    assert world.panel.accounts["1"].values["phone"] == "501502503"


def test_one_concern_is_applied_while_the_others_are_planned() -> None:
    world = linked()
    world.policy = Policy.model_validate({"mode": "plan", "billing": {"mode": "apply"}})
    world.exchange.update_client("C-1", phone="600700800", active=False)
    world.tick()
    assert told(world) == [("accounts", "", "close", "", None, None)]
    assert world.panel.accounts["1"].values["phone"] == "600700800"


# --- what a row does


def test_a_row_keeps_its_id_while_it_says_the_same() -> None:
    world = linked()
    world.exchange.update_client("C-1", phone="600700800", city="Radom")
    world.tick()
    first = {row.line.field: row.id for row in rows(world)}
    world.exchange.update_client("C-1", city="Gdynia")
    world.tick()
    second = {row.line.field: row.id for row in rows(world)}
    assert second["phone"] == first["phone"]
    assert second["city"] != first["city"]
    world.exchange.update_client("C-1", city="Łódź")
    world.tick()
    assert {row.line.field: row.id for row in rows(world)} == {"phone": first["phone"]}
    world.exchange.update_client("C-1", phone="501502503")
    world.tick()
    assert world.exchange.planned == {}


def test_the_panels_own_change_ends_a_plan_too() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    world.panel.edit("1", city="Radom")
    world.tick()
    assert world.exchange.planned == {}


def test_nothing_is_planned_twice_and_a_quiet_tick_asks_about_nobody() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    planned, before = dict(world.exchange.planned), sum(world.panel.calls().values())
    for concern in ("accounts", "billing", "shops", "credit", "discounts", "delivery_addresses"):
        world.collect(concern)
    world.drain()
    assert sum(world.panel.calls().values()) == before
    assert world.exchange.planned == planned


def test_an_undo_is_another_plan_that_planning_leaves_alone() -> None:
    world = linked()
    lost = Line(Key("C-1", "", "billing"), Planned.UPDATE, "city", "erp_to_panel", "Łódź", "Radom", "undo")
    world.exchange.plans.store(PlanChange(new=[lost]), at=world.time)
    world.exchange.update_client("C-1", phone="600700800")
    world.tick()
    world.exchange.update_client("C-1", phone="501502503")
    world.tick()
    assert [row.line.reason for row in rows(world)] == ["undo"]
    world.policy = Policy()
    world.tick()
    assert [row.line.reason for row in rows(world)] == ["undo"]


def test_an_address_that_comes_and_goes_in_the_panel_is_not_planned_any_more() -> None:
    world = linked()
    address = world.panel.add_address("1", **ADDRESS)
    world.rotate()
    world.drain()
    assert [(c, a) for c, _, a, *_ in told(world)] == [("delivery_addresses", "add")]
    world.panel.remove_address(address)
    world.rotate()
    world.drain()
    assert rows(world) == []
    assert set(world.exchange.addresses) == set()


def test_what_is_held_later_of_a_record_that_was_approved_is_a_plan_of_its_own() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.tick()
    world.tick()
    world.exchange.update_client("C-1", nip="7792369887")
    for _ in range(3):
        world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status is not None
    assert status.state is State.IN_STEP
    assert told(world) == [("billing", "", "held", "nip", "5250001233", "7792369887")]


# --- a person's word


def test_what_is_approved_is_carried_out_and_nothing_else() -> None:
    world = linked()
    world.exchange.insert_client("C-2", **{**CLIENT, "email": "a@b.pl", "nip": None})
    world.exchange.update_client("C-1", phone="600700800", city="Radom")
    world.tick()
    approve(world, client_id="C-1", field="city")
    world.tick()
    values = world.panel.accounts["1"].values
    assert (values["phone"], values["city"]) == ("600700800", "Radom")
    assert outcomes(world) == {("billing", "phone"): "done", ("billing", "city"): "done"}
    assert [row.line.action for row in rows(world)] == ["create"]
    assert "C-2" not in world.exchange.links
    written = {(h.field, h.value_after) for h in world.exchange.history[-2:]}
    assert written == {("city", "Radom"), ("phone", "600700800")}
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status is not None
    assert status.state is State.IN_STEP


def test_a_client_that_is_approved_is_opened_with_all_that_follows() -> None:
    world = new(discount_group_id="G")
    world.exchange.insert_address("A-1", "C-1", **ADDRESS)
    world.exchange.set_credit("C-1", **CREDIT)
    world.exchange.set_group("G", "Hurt")
    world.tick()
    approve(world, concern="accounts")
    world.tick()
    assert {row.line.field or str(row.line.action) for row in rows(world)} == {"discount_group_id", "create"}
    approve(world, group_id="G")
    world.tick()
    world.tick()
    assert rows(world) == []
    (account,) = world.panel.accounts.values()
    assert (account.values["credit_limit"], account.values["discount_group_id"]) == ("100.00", "1")
    assert len(world.panel.delivery) == 1
    assert {state.status.state for state in world.exchange.states.values() if state.status} == {State.IN_STEP}


def test_a_rejected_part_of_a_clients_plan_stays_out() -> None:
    world = new()
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    approve(world, "reject", concern="credit")
    approve(world, concern="accounts")
    world.tick()
    world.tick()
    assert world.panel.accounts["1"].values["credit_limit"] == "0.00"
    assert {row.line.key.concern for row in rows(world)} == {"credit"}


def test_what_changed_since_is_stale_untouched_and_planned_again() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    approve(world, field="city")
    world.exchange.update_client("C-1", city="Gdynia")
    world.tick()
    assert world.panel.accounts["1"].values["city"] == "Łódź"
    assert outcomes(world) == {("billing", "city"): "stale", ("billing", "phone"): "stale"}
    assert {(row.line.field, row.line.value_to, row.decision) for row in rows(world)} == {
        ("city", "Gdynia", ""),
        ("phone", "600700800", ""),
    }


def test_what_changed_in_the_panel_since_is_stale_too() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.panel.edit("1", city="Gdynia")
    world.reconcile("billing", Owner("C-1"))
    assert world.panel.accounts["1"].values["city"] == "Gdynia"
    assert outcomes(world) == {("billing", "city"): "stale"}


def test_a_client_is_stale_where_what_another_concern_would_do_has_changed() -> None:
    world = new()
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    approve(world, concern="accounts")
    world.exchange.set_credit("C-1", **{**CREDIT, "credit_limit": "900.00"})
    world.reconcile("accounts", Owner("C-1"))
    assert world.panel.accounts == {}
    assert outcomes(world) == {("accounts", "create"): "stale"}


def test_what_follows_and_has_changed_since_is_not_approved_with_the_client() -> None:
    world = new()
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    approve(world, concern="accounts")
    world.collect("accounts")
    world.work("accounts")
    world.exchange.set_credit("C-1", **{**CREDIT, "credit_limit": "900.00"})
    for _ in range(3):
        world.tick()
    assert world.panel.accounts["1"].values["credit_limit"] == "0.00"
    assert {(row.line.field, row.line.value_to, row.decision) for row in rows(world)} == {
        ("credit_limit", "900.00", ""),
        ("balance", "5.00", ""),
    }
    approve(world, concern="credit")
    world.tick()
    assert world.panel.accounts["1"].values["credit_limit"] == "900.00"


def test_what_another_concern_applies_by_itself_is_done_with_the_client() -> None:
    world = new({"credit": {"mode": "apply"}})
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    assert ("credit", "credit_limit") in {(row.line.key.concern, row.line.field) for row in rows(world)}
    approve(world, concern="accounts")
    world.tick()
    assert rows(world) == []
    assert world.panel.accounts["1"].values["credit_limit"] == "100.00"


def test_a_concern_that_is_applied_again_has_no_plan_any_more() -> None:
    world = linked()
    world.exchange.insert_client("C-2", **{**CLIENT, "email": "a@b.pl", "nip": None})
    world.exchange.set_credit("C-2", **CREDIT)
    world.exchange.update_client("C-1", city="Radom")
    world.panel.edit("1", phone="600700800")
    world.tick()
    assert {row.line.key.concern for row in rows(world)} == {"accounts", "billing", "credit"}
    world.policy = Policy.model_validate({"mode": "plan", "billing": {"mode": "apply"}, "credit": {"mode": "apply"}})
    world.tick()
    world.tick()
    assert {(row.line.key.client_id, row.line.key.concern) for row in rows(world)} == {
        ("C-2", "accounts"),
        ("C-2", "credit"),
    }
    ids = [row.id for row in rows(world)]
    world.pass_time(days=1)
    world.tick()
    assert [row.id for row in rows(world)] == ids
    assert world.exchange.clients["C-1"]["phone"] == "600700800"


def test_a_contradiction_counts_for_none() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    approve(world, field="city")
    approve(world, "reject", field="phone")
    world.tick()
    assert world.panel.accounts["1"].values["city"] == "Łódź"
    assert rows(world, ended=True) == []


def test_what_is_rejected_stays_so_until_its_facts_change() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, "reject", field="city")
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    (row,) = rows(world)
    assert row.decision == "reject"
    world.exchange.update_client("C-1", city="Gdynia")
    world.tick()
    (row,) = rows(world)
    assert (row.decision, row.line.value_to) == ("", "Gdynia")


def test_what_is_refused_says_so_and_the_rest_is_done() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    world.panel.refuse_value("phone", "600700800", "bad_phone")
    approve(world, field="city")
    world.tick()
    assert outcomes(world) == {("billing", "city"): "done", ("billing", "phone"): "refused"}
    status = world.exchange.status("C-1", "billing")
    assert status is not None
    assert status.code == "bad_phone"


def test_an_account_that_the_panel_refuses_to_open() -> None:
    world = new()
    world.tick()
    world.panel.refuse("C-1", Reject("bad_email", field="email"))
    approve(world, action="create")
    world.tick()
    assert outcomes(world) == {("accounts", "create"): "refused"}


def test_in_an_outage_it_stays_approved_and_is_carried_out_after() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.panel.fail(*[Retry("timeout")] * 40)
    world.collect("billing")
    world.work("billing")
    assert rows(world, ended=True) == []
    world.panel.recover()
    world.panel.accept_values()
    for _ in range(4):
        world.tick(seconds=700)
    assert world.panel.accounts["1"].values["city"] == "Radom"
    assert outcomes(world) == {("billing", "city"): "done"}


def test_a_write_over_which_the_panel_fails_stays_approved_and_is_sent_again() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.panel.fail_over("C-1", "timeout")
    world.collect("billing")
    world.work("billing")
    assert rows(world, ended=True) == []
    world.panel.recover_from("C-1")
    for _ in range(3):
        world.tick(seconds=700)
    assert world.panel.accounts["1"].values["city"] == "Radom"
    assert outcomes(world) == {("billing", "city"): "done"}


def test_what_was_done_though_the_answer_was_lost_is_done() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.panel.lose_reply()
    for _ in range(4):
        world.tick()
    assert world.panel.accounts["1"].values["city"] == "Radom"
    assert outcomes(world) == {("billing", "city"): "done"}
    assert [h.value_after for h in world.exchange.history if h.field == "city"] == ["Radom"]
    status = world.exchange.status("C-1", "billing")
    assert status is not None
    assert status.state is State.IN_STEP


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 12))
def test_a_process_that_dies_carries_it_out_once(step: int, after: bool) -> None:
    world = new()
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    approve(world, action="create")
    world.collect("accounts")
    world.mortal(step, after=after)
    world.work("accounts")
    for _ in range(3):
        world.tick()
    assert len(world.panel.opened) == 1
    assert outcomes(world)["accounts", "create"] == "done"
    assert world.panel.accounts["1"].values["credit_limit"] == "100.00"


def test_more_than_the_brake_bears_is_carried_out_where_a_person_approved_it() -> None:
    brake = {"brake": {"min_records": 0, "max_share": 0.1, "any_share": 0.1}}
    world = linked(brake)
    world.exchange.update_client("C-1", active=False, city="Radom")
    world.tick()
    world.exchange.plans.decide(Chosen(), "approve", "anna")
    world.tick()
    assert world.paused() == {}
    assert world.panel.closed == {"1"}
    assert all(h.passed and not h.counts for h in world.exchange.history if h.field in ("active", "city"))


@pytest.mark.parametrize("linked_before", [True, False])
def test_an_outage_stores_nothing_of_what_is_only_planned(linked_before: bool) -> None:
    world = linked() if linked_before else new()
    if not linked_before:
        world.exchange.insert_client("C-2", **{**CLIENT, "email": "a@b.pl", "nip": None})
    world.exchange.update_client("C-1", city="Radom")
    states = dict(world.exchange.states)
    world.panel.fail(*[Retry("timeout")] * 60)
    for concern in ("accounts", "billing", "delivery_addresses"):
        world.collect(concern, everything_due=True)
        world.work(concern)
        world.reconcile(concern, Owner("C-1"))
    world.follow()
    assert world.exchange.states == states
    world.panel.recover()
    for _ in range(60):
        world.tick()
    assert rows(world)


def test_what_was_sent_before_all_was_only_planned_is_noted_afterwards() -> None:
    world = linked()
    world.policy = Policy()
    world.exchange.update_client("C-1", city="Radom")
    world.collect("billing")
    world.drain()
    assert world.exchange.bases[Key("C-1", "", "billing")].sent
    world.policy = Policy.model_validate({"mode": "plan"})
    states = dict(world.exchange.states)
    for _ in range(3):
        world.tick(seconds=700)
    assert (world.exchange.states, world.exchange.planned) == (states, {})
    world.policy = Policy()
    world.tick()
    world.tick()
    assert not world.exchange.bases[Key("C-1", "", "billing")].sent


def test_what_was_deferred_before_all_was_only_planned_stays_as_it_was() -> None:
    world = linked()
    world.policy = Policy()
    world.panel.refuse("C-1")
    world.exchange.update_client("C-1", city="Radom")
    world.collect("billing")
    world.drain()
    assert Key("C-1", "", "billing") in world.exchange.deferrals
    world.policy = Policy.model_validate({"mode": "plan"})
    states = dict(world.exchange.states)
    for _ in range(3):
        world.tick(seconds=700)
    assert world.exchange.states == states
    assert told(world) == [("billing", "", "update", "city", "Łódź", "Radom")]
    world.panel.accept("C-1")
    approve(world, field="city")
    world.tick()
    assert world.panel.accounts["1"].values["city"] == "Radom"


def test_a_panel_that_is_restored_while_all_is_only_planned_is_settled_when_it_is_applied() -> None:
    def set_up(world: World) -> None:
        world.exchange.set_group("G", "Hurt")
        world.exchange.set_item("G", "product", "7", price="1.00", currency="PLN")

    world = linked({"panel": {"full_read_days": 3650}}, set_up)
    world.policy = apply = Policy.model_validate({"panel": {"full_read_days": 3650}})
    world.pass_time(days=1)
    world.tick()
    backup = world.panel.backup()
    world.exchange.update_client("C-1", street="Nowa 9")
    for _ in range(2):
        world.tick()
    world.pass_time(days=1)
    world.tick()
    world.policy = Policy.model_validate({"mode": "plan", "panel": {"full_read_days": 3650}})
    world.tick()
    kept = dict(world.exchange.states), dict(world.exchange.sent)
    world.panel.restore(backup)
    world.pass_time(minutes=3)
    for _ in range(4):
        world.tick()
    assert (world.exchange.states, world.exchange.sent) == kept
    assert world.paused() == {}
    world.policy = apply
    for _ in range(6):
        world.tick()
    assert world.exchange.clients["C-1"]["street"] == "Nowa 9"
    assert world.panel.accounts["1"].values["street"] == "Nowa 9"


def test_nobody_is_told_to_wait_for_the_first_pass() -> None:
    world = World(Policy.model_validate({"mode": "plan"}))
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.fail(*[Retry("timeout")] * 5)
    world.follow()
    assert world.exchange.states == {}


def test_a_pause_stores_nothing_of_what_is_only_planned() -> None:
    world = linked()
    world.pause("billing")
    world.exchange.update_client("C-1", city="Radom")
    states = dict(world.exchange.states)
    world.reconcile("billing", Owner("C-1"))
    assert (world.exchange.states, world.exchange.planned) == (states, {})


def test_what_waits_for_another_approval_asks_about_nobody() -> None:
    world = new(discount_group_id="G")
    world.exchange.set_group("G", "Hurt")
    world.exchange.set_item("G", "product", "7", price="1.00", currency="PLN")
    world.tick()
    approve(world, concern="accounts")
    approve(world, item_id="product/7")
    world.tick()
    world.tick()
    approve(world, client_id="C-1", concern="discounts")
    before = sum(world.panel.calls().values())
    for _ in range(3):
        world.collect("discounts")
        world.drain()
    assert sum(world.panel.calls().values()) == before
    approve(world, group_id="G", action="create")
    world.tick()
    world.tick()
    assert rows(world) == []
    assert world.panel.prices


def test_the_panels_news_are_read_before_an_approved_account_is_opened() -> None:
    world = new()
    world.tick()
    approve(world, action="create")
    world.panel.register({"email": "biuro@firma.pl", "company": "Firma"})
    world.collect("accounts")
    world.work("accounts")
    assert len(world.panel.accounts) == 1
    assert outcomes(world) == {("accounts", "create"): "stale"}
    assert [str(row.line.action) for row in rows(world) if row.line.key.concern == "accounts"] == ["link"]


def test_an_account_is_not_opened_where_the_panels_news_cannot_be_read() -> None:
    world = new()
    world.tick()
    approve(world, action="create")
    world.collect("accounts")
    world.panel.fail(Retry("timeout"))
    world.work("accounts")
    assert world.panel.accounts == {}
    world.tick()
    assert len(world.panel.accounts) == 1
    assert outcomes(world) == {("accounts", "create"): "done"}


def test_only_those_prices_are_sent_that_were_approved() -> None:
    def set_up(world: World) -> None:
        world.exchange.set_group("G", "Hurt")
        world.exchange.set_item("G", "product", "6", price="6.00", currency="PLN")

    world = linked(set_up=set_up)
    for item in ("7", "8", "9"):
        world.exchange.set_item("G", "product", item, price=f"{item}.00", currency="PLN")
    world.exchange.set_item("G", "product", "9", price="x", currency="PLN")
    world.exchange.delete_item("G", "product", "6")
    world.tick()
    approve(world, item_id="product/8")
    world.tick()
    world.tick()
    assert {item for _, item in world.panel.prices["1"]} == {"6", "8"}
    assert {(row.line.key.item_id, str(row.line.action)) for row in rows(world)} == {
        ("product/6", "remove"),
        ("product/7", "add"),
        ("product/9", "held"),
    }
    assert Key("", "G", "discounts", "product/9") not in world.exchange.statuses
    approve(world, item_id="product/9")
    approve(world, item_id="product/6")
    world.tick()
    assert {item for _, item in world.panel.prices["1"]} == {"8"}
    assert world.exchange.statuses[Key("", "G", "discounts", "product/9")].code == "bad_amount"


def test_a_price_that_the_panel_refuses_says_so() -> None:
    world = linked(set_up=lambda w: w.exchange.set_group("G", "Hurt"))
    world.exchange.set_item("G", "product", "7", price="7.00", currency="PLN")
    world.tick()
    approve(world, item_id="product/7")
    world.panel.refuse("product/7")
    world.tick()
    assert outcomes(world) == {("discounts", "add"): "refused"}
    world.tick()
    assert rows(world) == []


def test_a_word_that_comes_while_its_record_is_planned_anew_is_taken_back() -> None:
    world = linked()
    world.exchange.update_client("C-1", phone="600700800")
    world.tick()
    world.exchange.update_client("C-1", city="Radom")
    store = world.exchange.plans.store

    def too_late(*args: Any, **kwargs: Any) -> None:
        approve(world, field="phone")
        store(*args, **kwargs)

    world.exchange.plans.store = too_late  # type: ignore[method-assign]
    world.collect("billing")
    world.work("billing")
    world.exchange.plans.store = store  # type: ignore[method-assign]
    world.tick()
    assert world.panel.accounts["1"].values["phone"] == "501502503"
    assert [row.decision for row in rows(world)] == ["", ""]


def test_a_client_that_waits_for_a_new_group_asks_about_nobody() -> None:
    world = linked()
    world.exchange.set_group("G", "Hurt")
    world.exchange.update_client("C-1", discount_group_id="G")
    world.tick()
    approve(world, field="discount_group_id")
    before = sum(world.panel.calls().values())
    for _ in range(3):
        world.collect("discounts")
        world.drain()
    assert sum(world.panel.calls().values()) == before
    approve(world, action="create")
    world.tick()
    world.tick()
    assert world.panel.accounts["1"].values["discount_group_id"] == "1"
    assert rows(world) == []


def test_what_was_told_already_is_not_planned_any_more() -> None:
    world = new(city=None)
    world.tick()
    approve(world, action="held")
    world.tick()
    world.exchange.update_client("C-1", phone="600700800")
    world.reconcile("accounts", Owner("C-1"))
    assert rows(world) == []
    status = world.exchange.status("C-1", "accounts")
    assert status is not None
    assert status.code == "incomplete"


# --- afterwards


def test_switching_to_apply_carries_what_the_panel_changed_while_it_was_planned() -> None:
    world = linked(set_up=lambda w: w.exchange.insert_address("A-1", "C-1", **ADDRESS))
    world.tick()
    world.panel.edit("1", city="Radom")
    world.panel.closed.add("1")
    stranger = world.panel.register({"email": "x@y.pl", "company": "Obca"})
    for _ in range(30):
        world.tick(seconds=3600)
    assert world.exchange.clients["C-1"]["city"] == "Łódź"
    world.policy = Policy()
    world.tick()
    assert world.exchange.clients["C-1"]["city"] == "Radom"
    status = world.exchange.status("C-1", "accounts")
    assert status is not None
    assert status.code == "closed_in_panel"
    assert set(world.exchange.incoming) == {stranger}
    assert rows(world) == []


def test_a_client_that_is_deleted_is_not_planned_any_more() -> None:
    world = new()
    world.exchange.set_credit("C-1", **CREDIT)
    world.tick()
    world.exchange.delete_client("C-1")
    world.tick()
    assert world.exchange.planned == {}


def test_old_outcomes_go_with_the_daily_scan() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, field="city")
    world.tick()
    assert [row.outcome for row in world.exchange.planned.values()] == [Ended.DONE]
    world.pass_time(days=31)
    world.tick()
    assert world.exchange.planned == {}


def test_a_row_that_names_no_known_word_is_no_approval() -> None:
    world = linked()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    approve(world, "aprove", field="city")
    world.tick()
    assert world.panel.accounts["1"].values["city"] == "Łódź"
    (row,) = rows(world)
    assert replace(row, decision="") != row


# --- the brake


def test_what_is_planned_stops_nothing_and_what_is_approved_is_not_counted() -> None:
    world = new({"brake": {"max_share": 0.0, "min_records": 0, "any_share": 0.0}})
    key = world.panel.register({"email": "biuro@firma.pl", "company": "Firma", "city": "Radom", "phone": "600700800"})
    world.follow()
    for _ in range(2):
        world.tick()
    assert world.exchange.stops == {}
    found = {one["concern"] for one in plans.too_many(world.exchange.ports, world.policy)}
    assert "billing" in found
    world.exchange.plans.decide(Chosen(), "approve", "anna")
    for _ in range(3):
        world.tick()
    assert world.panel.accounts[key].values["city"] == "Łódź"
    assert world.exchange.stops == {}
    world.exchange.update_client("C-1", email="nowy@firma.pl")
    world.tick()
    assert [one["concern"] for one in plans.too_many(world.exchange.ports, world.policy)] == ["billing"]
    world.exchange.plans.decide(Chosen(), "approve", "anna")
    world.tick()
    assert world.panel.accounts[key].values["email"] == "nowy@firma.pl"
    assert world.exchange.stops == {}
