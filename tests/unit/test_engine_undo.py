"""Undo: what a run has written goes back on both sides, where nobody has edited since; and then it is quiet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kartoteka.desk import plans, undo
from kartoteka.errors import Reject
from kartoteka.model import Ended, PlanRow, Value
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Chosen, Which
from tests.world import ADDRESS, CLIENT, World


def installed(policy: dict[str, Any] | None = None, **values: Value) -> World:
    """A world in which a client has its account and all is in step."""
    world = World(Policy.model_validate(policy or {})).knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, **values})
    for _ in range(3):
        world.tick()
    return world


def last_run(world: World) -> str:
    return world.exchange.history[-1].run_id


def undone(world: World, run_id: str = "", *, yes: bool = True, **which: Any) -> dict[str, Any]:
    """Plan the undo of a run (the last one that wrote), and approve it."""
    asked = Which(run_id or last_run(world), **which)
    return undo.plan(world.exchange.ports, asked, world.policy, now=world.time, by="anna", yes=yes)


def rows(world: World, outcome: str | None = None) -> list[PlanRow]:
    return [row for row in world.exchange.planned.values() if row.outcome == (Ended(outcome) if outcome else None)]


def both(world: World, field: str) -> tuple[Value, Value]:
    row = world.exchange.client("C-1")
    assert row is not None
    return row[field], world.panel.accounts["1"].values.get(field)  # type: ignore[return-value]


def quiet(world: World, ticks: int = 3) -> None:
    """Nothing moves any more: no write on either side, no conflict, and all is in step."""
    for _ in range(2):
        world.tick()
        world.pass_time(minutes=11)
    before = (list(world.exchange.history), world.panel.backup(), dict(world.exchange.clients))
    for _ in range(ticks):
        world.tick()
        world.rotate()
        world.drain()
    assert (list(world.exchange.history), world.panel.backup(), dict(world.exchange.clients)) == before
    assert not world.exchange.open_conflict_ids()
    assert {str(s.status.state) for s in world.exchange.states.values() if s.status} == {"in_step"}


@pytest.mark.parametrize(("field", "value"), [("phone", "600700800"), ("city", "Radom"), ("email", "nowy@firma.pl")])
def test_an_edit_of_the_erp_goes_back_on_both_sides(field: str, value: str) -> None:
    world = installed()
    before = both(world, field)
    world.exchange.update_client("C-1", **{field: value})
    world.tick()
    assert both(world, field) == (value, value)
    assert undone(world)["done"] == 2
    assert both(world, field) == (value, value)
    world.tick()
    assert both(world, field) == before
    assert {row.outcome for row in rows(world, "done")} == {Ended.DONE}
    assert not rows(world)
    assert {row.reason for row in world.exchange.history[-2:]} == {"undo"}
    quiet(world)


def test_an_edit_of_the_panel_goes_back_too() -> None:
    world = installed()
    world.panel.edit("1", city="Radom")
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")
    undone(world)
    world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    quiet(world)


# --- what is written although no edit would be


@pytest.mark.parametrize("empty", ["keep", "erase"])
def test_a_value_that_was_filled_in_becomes_empty_again(empty: str) -> None:
    world = installed({"billing": {"fields": {"phone": {"empty": empty}}}}, phone=None)
    world.exchange.update_client("C-1", phone="501502503")
    world.tick()
    assert both(world, "phone")[1] == "501502503"
    undone(world)
    world.tick()
    assert [value or None for value in both(world, "phone")] == [None, None]
    quiet(world)


def test_what_was_erased_comes_back() -> None:
    world = installed({"billing": {"fields": {"phone": {"empty": "erase"}}}})
    world.exchange.update_client("C-1", phone="")
    world.tick()
    assert both(world, "phone")[1] in ("", None)
    undone(world)
    world.tick()
    assert both(world, "phone") == ("501502503", "501502503")
    quiet(world)


def test_a_one_way_field_is_restored_in_the_erp_too_and_no_drift_follows() -> None:
    world = installed(wholesaler=True)
    world.exchange.update_client("C-1", wholesaler=False)
    world.tick()
    undone(world)
    world.tick()
    assert both(world, "wholesaler") == (True, True)
    quiet(world)


def test_a_drift_that_was_corrected_is_given_back() -> None:
    world = installed()
    world.panel.edit("1", nip="5260250274")
    world.tick()
    assert world.exchange.history[-1].reason == "drift"
    undone(world)
    world.tick()
    assert both(world, "nip") == ("5260250274", "5260250274")
    quiet(world)


def test_a_protected_number_needs_no_second_word() -> None:
    world = installed()
    world.exchange.update_client("C-1", nip="5260250274")
    world.tick()
    world.exchange.decide_status("C-1", "billing", "send")
    world.tick()
    assert both(world, "nip")[1] == "5260250274"
    undone(world)
    world.tick()
    assert both(world, "nip") == ("5250001233", "5250001233")
    quiet(world)


def test_a_decided_conflict_is_decided_the_other_way() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.panel.edit("1", city="Gdynia")
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")
    undone(world)
    world.tick()
    assert both(world, "city") == ("Gdynia", "Gdynia")
    quiet(world)


def test_several_edits_go_back_to_before_the_first() -> None:
    world = installed()
    since = world.time
    for city in ("Radom", "Gdynia", "Sopot"):
        world.exchange.update_client("C-1", city=city, phone="600700800")
        world.tick()
    answer = undo.plan(
        world.exchange.ports, Which(since=since, until=world.time), world.policy, now=world.time, by="", yes=True
    )
    assert answer["done"] == 4
    world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    assert both(world, "phone") == ("501502503", "501502503")
    quiet(world)


def test_an_undo_is_undone() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="")
    world.tick()
    undone(world)
    world.tick()
    quiet(world)
    undone(world, world.exchange.history[-1].run_id)
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")
    quiet(world)


def test_a_delivery_address_goes_back() -> None:
    world = installed()
    world.exchange.insert_address("A-1", "C-1", **ADDRESS)
    for _ in range(3):
        world.tick()
    world.exchange.update_address("A-1", street="Stara 9", phone="600700800")
    world.tick()
    assert undone(world)["done"] == 4
    world.tick()
    (shown,) = (address.values for _, address in world.panel.delivery.values())
    row = world.exchange.address("A-1")
    assert row is not None
    assert (row["street"], shown["street"], row["phone"] or "", shown["phone"] or "") == ("Nowa 3", "Nowa 3", "", "")
    quiet(world)


# --- who is left alone


@pytest.mark.parametrize("side", ["erp", "panel"])
def test_what_was_edited_since_is_left_alone_and_counted(side: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    run = last_run(world)
    if side == "erp":
        world.exchange.update_client("C-1", city="Gdynia")
    else:
        world.panel.edit("1", city="Gdynia")
        world.tick()
    answer = undone(world, run)
    assert (answer["done"], answer["left_alone"]) == (2, 1)
    world.tick()
    assert both(world, "city") == ("Gdynia", "Gdynia")
    assert both(world, "phone") == ("501502503", "501502503")
    quiet(world)


@pytest.mark.parametrize("side", ["erp", "panel"])
def test_what_was_edited_after_it_was_planned_is_stale_and_untouched(side: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    undone(world)
    if side == "erp":
        world.exchange.update_client("C-1", city="Gdynia")
    else:
        world.panel.edit("1", city="Gdynia")
    world.tick()
    assert both(world, "city") == ("Gdynia", "Gdynia")
    assert both(world, "phone") == ("600700800", "600700800")
    assert {row.outcome for row in rows(world, "stale")} == {Ended.STALE}
    assert [(row.line.field, row.decision) for row in rows(world)] == [("phone", "")] * 2
    quiet(world)
    world.exchange.decide_plan(rows(world)[0].id, "approve")
    world.tick()
    assert (both(world, "city"), both(world, "phone")) == (("Gdynia", "Gdynia"), ("501502503", "501502503"))
    assert not rows(world)
    quiet(world)


def test_the_case_of_letters_is_no_edit() -> None:
    world = installed()
    world.exchange.update_client("C-1", email="NOWY@firma.pl")
    world.tick()
    world.exchange.update_client("C-1", email="nowy@firma.pl")
    world.tick()
    assert undone(world)["done"] == 2
    world.tick()
    assert both(world, "email") == ("biuro@firma.pl", "biuro@firma.pl")


def test_what_is_back_already_is_told_so() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    run = last_run(world)
    world.exchange.update_client("C-1", city="Łódź")
    world.tick()
    answer = undone(world, run)
    assert (answer["done"], answer["left_alone"], answer["back_already"]) == (0, 0, 1)


# --- what is refused


def test_the_erps_figures_are_refused_and_it_is_said_what_to_correct() -> None:
    world = installed()
    world.exchange.set_credit("C-1", credit_allowed=True, credit_limit="100.00", balance="5.00", currency="PLN")
    world.exchange.set_shops("C-1", 1)
    world.tick()
    world.exchange.set_credit("C-1", credit_allowed=True, credit_limit="9.00", balance="5.00", currency="PLN")
    world.tick()
    answer = undone(world)
    assert answer["done"] == 0
    assert answer["refused"]
    assert "client_credit" in answer["messages"][0]["message_en"]
    assert "client_credit" in answer["messages"][0]["message_pl"]
    limits = [row.line for row in rows(world, "refused")]
    assert ("credit_limit", "9.00", "100.00") in [(x.field, x.value_from, x.value_to) for x in limits]
    undone(world)
    assert len(rows(world, "refused")) == len(limits)
    world.tick()
    assert world.panel.accounts["1"].values["credit_limit"] == "9.00"


def test_an_address_that_was_added_is_refused() -> None:
    world = installed()
    world.exchange.insert_address("A-1", "C-1", **ADDRESS)
    world.tick()
    run = next(h.run_id for h in world.exchange.history if h.item_id == "A-1")
    answer = undone(world, run)
    assert (answer["done"], [m["code"] for m in answer["messages"]]) == (0, ["added"])


def test_a_client_that_is_gone_is_refused() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    world.exchange.delete_client("C-1")
    assert [m["code"] for m in undone(world)["messages"]] == ["gone"]


def test_values_that_retention_has_taken_are_refused() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    world.exchange.history[-1] = replace(world.exchange.history[-1], value_before=None, value_after=None)
    answer = undone(world)
    assert (answer["done"], [m["code"] for m in answer["messages"]]) == (0, ["taken"])


def test_what_the_panel_refuses_is_written_nowhere() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    undone(world)
    world.panel.refuse_value("phone", "501502503", "bad_phone")
    world.tick()
    assert both(world, "phone") == ("600700800", "600700800")
    assert both(world, "city") == ("Łódź", "Łódź")
    assert [row.line.field for row in rows(world, "refused")] == ["phone", "phone"]
    assert [row.line.field for row in rows(world, "done")] == ["city", "city"]


def test_what_the_panel_refuses_as_a_whole_is_written_nowhere() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    undone(world)
    world.panel.refuse("C-1", Reject("refused", panel="?"))
    world.tick()
    assert rows(world)
    for _ in range(12):
        world.tick()
    assert (both(world, "city"), both(world, "phone")) == (("Radom", "Radom"), ("600700800", "600700800"))
    assert {row.outcome for row in rows(world, "refused")} == {Ended.REFUSED}


def test_what_the_erp_refuses_leaves_both_sides_in_step() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    world.exchange.refuse_value("city", "Łódź")
    undone(world)
    for _ in range(4):
        world.tick()
        world.pass_time(minutes=11)
    assert both(world, "city")[0] == "Radom"
    assert {row.outcome for row in rows(world, "refused")} == {Ended.REFUSED}


# --- an account that was opened


def test_an_account_that_was_opened_is_closed_and_stays_so() -> None:
    world = installed()
    run = next(h.run_id for h in world.exchange.history if h.reason == "create")
    answer = undone(world, run)
    assert [row["action"] for row in answer["rows"]] == ["close"]
    world.tick()
    assert world.panel.closed == {"1"}
    assert world.exchange.client("C-1")["active"] is True  # type: ignore[index]
    quiet(world)
    undone(world)
    world.tick()
    assert world.panel.closed == set()
    quiet(world)


def test_a_closing_is_undone_on_both_sides() -> None:
    world = installed()
    world.exchange.update_client("C-1", active=False)
    world.tick()
    assert world.panel.closed == {"1"}
    answer = undone(world)
    assert sorted((row["action"], row["field"]) for row in answer["rows"]) == [("open", ""), ("update", "active")]
    world.tick()
    assert world.panel.closed == set()
    assert world.exchange.client("C-1")["active"] is True  # type: ignore[index]
    quiet(world)


# --- first contact


def test_what_first_contact_filled_in_becomes_empty_where_it_was_written_alone() -> None:
    world = World().knows_the_panel()
    key = world.panel.register({"email": CLIENT["email"], "company": "Firma", "phone": "600700800", "city": ""})
    world.follow()
    world.exchange.insert_client("C-1", **CLIENT)
    for _ in range(3):
        world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    run = next(h.run_id for h in world.exchange.history if h.field == "city")
    undone(world, run, concern="billing")
    world.tick()
    assert (world.exchange.client("C-1")["city"], world.panel.accounts[key].values["city"] or "") == ("Łódź", "")  # type: ignore[index]
    assert both(world, "phone") == ("600700800", "600700800")
    quiet(world)


# --- how it is approved


def test_nothing_is_written_before_it_is_approved_and_a_second_word_changes_nothing() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    run = last_run(world)
    undone(world, run, yes=False)
    first = rows(world)
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")
    undone(world, run, yes=False)
    assert rows(world) == first
    world.exchange.decide_plan(first[0].id, "approve")
    world.collect("billing")
    world.drain()
    assert both(world, "city") == ("Łódź", "Łódź")
    quiet(world)


@pytest.mark.parametrize("word", ["reject", "", "perhaps"])
def test_any_other_word_carries_nothing(word: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    undone(world, yes=False)
    for row in rows(world):
        world.exchange.decide_plan(row.id, word)
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")


def test_two_words_that_contradict_carry_nothing() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    undone(world, yes=False)
    for row, word in zip(rows(world), ("approve", "reject"), strict=True):
        world.exchange.decide_plan(row.id, word)
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")


def test_other_edits_of_the_record_travel_as_ever() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    undone(world)
    world.exchange.update_client("C-1", phone="600700800")
    world.panel.edit("1", company="Inna")
    world.tick()
    assert (both(world, "city"), both(world, "phone")) == (("Łódź", "Łódź"), ("600700800", "600700800"))
    assert both(world, "company") == ("Inna", "Inna")
    quiet(world)


def test_while_all_is_only_planned_an_undo_is_carried_out_alone() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    run = last_run(world)
    world.policy = Policy.model_validate({"mode": "plan"})
    world.exchange.update_client("C-1", phone="600700800")
    world.panel.edit("1", company="Inna")
    world.tick()
    planned = [row.line.field for row in rows(world)]
    assert sorted(planned) == ["company", "phone"]
    undone(world, run)
    for _ in range(2):
        world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    assert both(world, "phone") == ("600700800", "501502503")
    assert both(world, "company") == ("Firma", "Inna")
    assert sorted(row.line.field for row in rows(world)) == ["company", "phone"]
    assert {row.line.field for row in rows(world, "done")} == {"city"}


def test_to_approve_an_undo_approves_nothing_else_of_its_record() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    run = last_run(world)
    world.policy = Policy.model_validate({"mode": "plan"})
    world.exchange.update_client("C-1", phone="600700800")
    world.tick()
    undone(world, run)
    assert {row.line.field: row.decision for row in rows(world)} == {"phone": "", "city": "approve"}


# --- the brake, lost replies


def test_what_a_person_approved_is_not_counted() -> None:
    world = installed({"brake": {"max_share": 0.0001, "min_records": 0, "any_share": 0.0001}})
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    world.resume("billing", confirm=True)
    world.tick()
    assert both(world, "city") == ("Radom", "Radom")
    world.pass_time(hours=2)
    undone(world)
    world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    assert world.paused() == {}
    assert world.exchange.history[-1].passed


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["update", "records.save", "read"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_process_that_dies_leaves_the_undo_to_the_next(method: str, after: bool, call: int) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="")
    world.tick()
    undone(world)
    world.collect("billing")
    world.dies_at(method, after=after, call=call)
    world.work("billing")
    for _ in range(3):
        world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    assert {row.outcome for row in rows(world, "done")} == {Ended.DONE}
    assert not rows(world)
    assert not rows(world, "stale")
    quiet(world)


@pytest.mark.parametrize("side", ["erp", "panel"])
def test_an_edit_after_a_lost_reply_is_not_overwritten(side: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    undone(world)
    world.collect("billing")
    world.dies_at("update", after=True)
    world.work("billing")
    if side == "erp":
        world.exchange.update_client("C-1", city="Gdynia")
    else:
        world.pass_time(minutes=2)
        world.panel.edit("1", city="Gdynia")
    for _ in range(4):
        world.tick()
    assert both(world, "city") == ("Gdynia", "Gdynia")
    quiet(world)


def test_the_erp_is_faster_than_the_undo() -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom")
    world.tick()
    undone(world)
    world.exchange.before_save = lambda: (
        world.exchange.client("C-1")["city"] == "Radom" and world.exchange.update_client("C-1", city="Gdynia")
    )  # type: ignore[index]
    for _ in range(4):
        world.tick()
    assert both(world, "city") == ("Gdynia", "Gdynia")
    quiet(world)


# --- a link


def linked_by_mail(**row: Value) -> tuple[World, str]:
    """A world in which a client was linked to an account that was there; first contact has written on both sides."""
    world = World().knows_the_panel()
    shown = {"email": CLIENT["email"], "company": "Cudza", "city": "Radom", "phone": "600700800", "street": ""}
    key = world.panel.register(shown)
    world.panel.add_address(key, **ADDRESS)
    world.follow()
    world.exchange.insert_client("C-1", **{**CLIENT, "phone": None, "nip": None, **row})
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    assert world.exchange.links["C-1"].panel_client_id == key
    assert world.exchange.client("C-1")["phone"] == "600700800"  # type: ignore[index]
    assert world.panel.accounts[key].values["city"] == "Łódź"
    return world, key


def unlink(world: World) -> dict[str, Any]:
    which = Which(since=world.time.replace(year=2020))
    return undo.plan(world.exchange.ports, which, world.policy, now=world.time, by="anna", yes=True)


def test_a_link_is_undone_after_the_fields_and_the_client_is_a_question() -> None:
    world, key = linked_by_mail()
    answer = unlink(world)
    assert ("accounts", "remove", "", key, None) in [
        (row["concern"], row["action"], row["field"], row["value_from"], row["value_to"]) for row in answer["rows"]
    ]
    for _ in range(3):
        world.tick()
    account = world.panel.accounts[key]
    assert (account.external_code, account.values["city"], account.values["company"]) == ("", "Radom", "Cudza")
    assert not account.values["street"]
    row = world.exchange.client("C-1")
    assert row is not None
    assert (row["city"], row["company"], row["phone"] or "") == ("Łódź", "Firma", "")
    assert world.exchange.links == {}
    status = world.exchange.status("C-1", "accounts")
    assert status is not None
    assert (str(status.state), status.code) == ("held", "ambiguous")
    assert key in status.message_pl
    assert [match.panel_client_id for match in world.exchange.matches.values()] == [key]
    assert not rows(world)
    assert {row.outcome for row in rows(world, "done")} == {Ended.DONE}
    kept = {k.concern for k, state in world.exchange.states.items() if state.base is not None}
    assert kept == set()
    before = (list(world.exchange.history), world.panel.backup())
    for _ in range(4):
        world.tick()
        world.rotate()
        world.drain()
        world.pass_time(minutes=20)
    assert (list(world.exchange.history), world.panel.backup()) == before


@pytest.mark.parametrize("decision", ["link", "create"])
def test_the_question_after_it_is_answered(decision: str) -> None:
    world, key = linked_by_mail()
    unlink(world)
    for _ in range(3):
        world.tick()
    world.exchange.decide_match("C-1", key, decision)
    for _ in range(4):
        world.tick()
    link = world.exchange.links["C-1"]
    assert (link.panel_client_id == key) is (decision == "link")
    assert world.panel.accounts[link.panel_client_id].external_code == "C-1"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["update", "records.save"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_link_is_undone_although_the_process_dies(method: str, after: bool, call: int) -> None:
    world, key = linked_by_mail()
    unlink(world)
    for concern in ("billing", "shops"):
        world.collect(concern)
        world.drain()
    assert world.panel.accounts[key].external_code == "C-1"
    world.collect("accounts")
    world.dies_at(method, after=after, call=call)
    world.work("accounts")
    for _ in range(3):
        world.tick()
    assert (world.panel.accounts[key].external_code, world.exchange.links) == ("", {})
    assert not rows(world)
    assert not rows(world, "stale")
    assert world.exchange.status("C-1", "accounts").code == "ambiguous"  # type: ignore[union-attr]


def test_a_link_whose_account_has_another_code_by_now_stays() -> None:
    world, key = linked_by_mail()
    unlink(world)
    world.panel.recode(key, "X-9")
    for _ in range(3):
        world.tick()
    assert "C-1" in world.exchange.links
    assert [row.outcome for row in rows(world, "stale") if row.line.action == "remove"] == [Ended.STALE]


def test_a_link_whose_code_the_panel_does_not_take_away_stays() -> None:
    world, key = linked_by_mail()
    answer = undo.plan(
        world.exchange.ports,
        Which(concern="accounts", since=world.time.replace(year=2020)),
        world.policy,
        now=world.time,
        by="",
        yes=True,
    )
    assert answer["done"] == 1
    world.panel.refuse("C-1", Reject("refused", panel="?"))
    for _ in range(12):
        world.tick()
    assert (world.panel.accounts[key].external_code, "C-1" in world.exchange.links) == ("C-1", True)
    assert [row.outcome for row in rows(world, "refused")] == [Ended.REFUSED]


def test_an_account_that_was_closed_when_it_was_linked_is_open_again() -> None:
    world, key = linked_by_mail(active=False)
    assert world.panel.closed == {key}
    unlink(world)
    for _ in range(3):
        world.tick()
    assert (world.panel.closed, world.panel.accounts[key].external_code, world.exchange.links) == (set(), "", {})


def test_the_undo_of_a_link_is_not_undone_but_answered() -> None:
    world, _ = linked_by_mail()
    unlink(world)
    for _ in range(3):
        world.tick()
    answer = undone(world, world.exchange.history[-1].run_id)
    assert answer["done"] == 0
    assert {each["code"] for each in answer["messages"]} <= {"gone", "linked"}


# --- a panel that does not take, or damages, what it is sent


def test_what_the_panel_has_damaged_is_undone_like_what_it_took() -> None:
    world = installed()
    world.panel.keeps = lambda name, value, _before: str(value)[:5] if name == "city" else value
    world.exchange.update_client("C-1", city="Radomsko Wielkie")
    for _ in range(2):
        world.tick()
    assert both(world, "city") == ("Radomsko Wielkie", "Radom")
    world.panel.keeps = lambda _name, value, _before: value
    run = next(h.run_id for h in reversed(world.exchange.history) if h.field == "city")
    assert undone(world, run)["done"] == 2
    world.tick()
    assert both(world, "city") == ("Łódź", "Łódź")
    quiet(world)


@pytest.mark.parametrize("refused", [False, True])
def test_what_the_panel_does_not_take_at_once_is_sent_again(refused: bool) -> None:
    world = installed()
    world.exchange.update_client("C-1", city="Radom", phone="600700800")
    world.tick()
    world.pass_time(minutes=11)
    world.tick()
    undone(world)
    world.panel.keeps = lambda name, value, before: before if name == "phone" else value
    if refused:
        world.exchange.refuse_value("city", "Łódź")
    world.tick()
    assert both(world, "phone") == ("501502503", "600700800")
    world.panel.keeps = lambda _name, value, _before: value
    for _ in range(4):
        world.pass_time(minutes=11)
        world.tick()
    assert both(world, "phone") == ("501502503", "501502503")


# --- the account, while all is only planned


def test_a_link_is_undone_while_all_is_only_planned() -> None:
    world, key = linked_by_mail()
    world.policy = Policy.model_validate({"mode": "plan"})
    world.tick()
    unlink(world)
    for _ in range(3):
        world.tick()
    account = world.panel.accounts[key]
    assert (account.external_code, account.values["city"], world.exchange.links) == ("", "Radom", {})
    assert world.exchange.status("C-1", "accounts").code == "ambiguous"  # type: ignore[union-attr]
    assert {row.outcome for row in world.exchange.planned.values() if row.line.reason == "undo"} == {
        Ended.DONE,
        Ended.REFUSED,
    }


def test_an_opening_is_undone_while_all_is_only_planned() -> None:
    world = installed()
    run = next(h.run_id for h in world.exchange.history if h.reason == "create")
    world.policy = Policy.model_validate({"mode": "plan"})
    undone(world, run)
    for _ in range(2):
        world.tick()
    assert world.panel.closed == {"1"}
    assert not rows(world)


# --- a concern of which nothing is carried out


OFF: dict[str, dict[str, Any]] = {
    "billing": {"billing": {"direction": "off"}},
    "accounts": {"accounts": {"direction": "off"}},
    "delivery_addresses": {"delivery_addresses": {"direction": "off"}},
}


def edited(concern: str, policy: dict[str, Any] | None = None) -> World:
    """A world in which the last run has written something of this concern."""
    world = installed(policy)
    if concern == "billing":
        world.exchange.update_client("C-1", city="Radom")
    elif concern == "accounts":
        world.exchange.update_client("C-1", active=False)
    else:
        world.exchange.insert_address("A-1", "C-1", **ADDRESS)
        world.tick()
        world.exchange.update_address("A-1", city="Radom")
    world.tick()
    return world


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("concern", OFF)
def test_of_a_concern_that_is_switched_off_no_undo_waits_for_ever(concern: str, yes: bool) -> None:
    world = edited(concern)
    assert undone(world, yes=yes)["done"]
    world.policy = Policy.model_validate(OFF[concern])
    before = world.panel.backup(), dict(world.exchange.clients), dict(world.exchange.addresses)
    world.tick()
    assert rows(world) == []
    assert {row.line.key.concern for row in rows(world, "refused")} == {concern}
    assert (world.panel.backup(), dict(world.exchange.clients), dict(world.exchange.addresses)) == before
    world.policy = Policy()
    world.tick()
    assert rows(world) == []
    assert undone(world)["done"], "switched on again it may be asked for again"


@pytest.mark.parametrize("concern", OFF)
def test_of_a_concern_that_is_off_nothing_is_planned_to_be_undone_and_it_is_said(concern: str) -> None:
    world = edited(concern)
    world.policy = Policy.model_validate(OFF[concern])
    found = undone(world)
    assert (found["done"], [each["code"] for each in found["messages"]]) == (0, ["off"])
    assert rows(world) == []
    assert "wyłączone w polityce" in found["messages"][0]["message_pl"]


def test_a_field_that_is_off_is_said_to_be_so_and_not_to_have_been_edited() -> None:
    world = edited("billing")
    world.policy = Policy.model_validate({"billing": {"fields": {"city": {"direction": "off"}}}})
    found = undone(world)
    assert (found["done"], found["left_alone"], [each["code"] for each in found["messages"]]) == (0, 0, ["off"])


@pytest.mark.parametrize("concern", OFF)
def test_of_a_paused_concern_an_undo_waits_and_the_plan_says_so(concern: str) -> None:
    world = edited(concern)
    world.pause(concern, "spis")
    found = undone(world)
    for told in (found["waits"], plans.listing(world.exchange.ports, Chosen(), world.policy)["waits"]):
        assert [(each["concern"], each["code"], each["reason"]) for each in told] == [(concern, "paused", "spis")]
        assert "zatrzymane (spis)" in told[0]["message_pl"]
        assert "paused (spis)" in told[0]["message_en"]
    world.tick()
    assert len(rows(world)) == found["done"]
    world.resume(concern)
    assert plans.listing(world.exchange.ports, Chosen(), world.policy)["waits"] == []
    for _ in range(2):
        world.tick()
    assert rows(world) == []
    assert rows(world, "done")


def test_of_another_concern_nothing_is_said() -> None:
    world = edited("billing")
    world.pause("shops")
    assert undone(world)["waits"] == []
