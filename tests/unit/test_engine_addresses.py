"""Delivery addresses, both ways, through the engine: calls, lost replies, refusals, the brake, and who is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kartoteka.codes import State, Status
from kartoteka.concerns.addresses import Addresses
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import Change, Deferral, Key, Owner, RecordState, Value, Values
from kartoteka.policy import parse
from kartoteka.ports.panel import Account, Address
from kartoteka.sync.concern import News, Opened
from kartoteka.sync.plan import Act
from tests.address_world import ADD, CONCERN, DELETE, LINES, READ, UPDATE, AddressWorld, policy
from tests.helpers import owners
from tests.world import CLIENT, World


def world(direction: str = "both", conflict: str = "erp", deletes: str = "ignore", **given: int) -> AddressWorld:
    """Return an installation with one linked customer without addresses."""
    made = AddressWorld(policy(direction, conflict, deletes, **given))
    made.customer()
    return made


def in_step(direction: str = "both", conflict: str = "erp", deletes: str = "ignore", **given: int) -> AddressWorld:
    """Return an installation with one customer whose one address, A-1 and 1, is in step."""
    made = world(direction, conflict, deletes, **given)
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.add_address("1", **LINES)
    made.turn()
    assert made.status().state is State.IN_STEP
    made.exchange.history.clear()
    return made


def quiet(made: AddressWorld) -> bool:
    """Say whether two more turns cost one reading call each, write nothing, and whether a full scan finds nothing."""
    before, head, written = made.panel.calls(), made.exchange.log_head(), len(made.exchange.history)
    collected, states = made.counts.collected, dict(made.exchange.states)
    made.turn()
    made.turn()
    return (
        made.spent(before) == {READ: 2}
        and made.exchange.log_head() == head
        and len(made.exchange.history) == written
        and made.counts.collected == collected
        and made.exchange.states == states
        and not made.differing()
    )


def streets(made: AddressWorld, account: str = "1") -> list[Value]:
    return [values["street"] for values in made.shown(account).values()]


def asking(made: AddressWorld) -> bool:
    """Say whether the rotating pass finds anything to be done for C-1."""
    concern = made.run().concerns[CONCERN]
    assert isinstance(concern, Addresses)
    return concern.asking({Owner("C-1"): None}) == [Owner("C-1")]


def linked_anew(made: AddressWorld) -> str:
    """Let the client, whose account is gone, be linked to another one; return that one."""
    del made.exchange.links["C-1"]
    made.exchange.update_client("C-1", first_name="Jan")
    other = made.panel.register(CLIENT, login="anew", external_code="C-1")
    made.knows_the_panel()
    made.tick()
    assert made.exchange.links["C-1"].panel_client_id == other
    return other


def noticed(made: AddressWorld) -> bool:
    """Say whether the feed finds anything to be done for C-1, whose account has moved."""
    moved = made.panel.accounts["1"]
    news = News([moved], {"1": "C-1"}, {"1": moved}, {"1"})
    return made.run().concerns[CONCERN].notice(news) == [Owner("C-1")]


def rows(made: AddressWorld) -> dict[str, Value]:
    return {key: row["street"] for key, row in made.exchange.addresses.items()}


# --- there and back


def test_a_customer_without_addresses_costs_nothing_and_leaves_no_trace() -> None:
    made = world()
    made.look()
    assert not any(key.concern == CONCERN for key in made.exchange.statuses)
    assert quiet(made)


def test_a_new_row_is_added_and_comes_to_rest() -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert {name: made.shown()["1"][name] for name in LINES} == LINES
    assert made.status() == Status(State.IN_STEP)
    assert set(made.told()) == {(name, "erp_to_panel", "create") for name in (*LINES, "country_code")}
    assert quiet(made)


def test_a_new_address_of_the_panel_becomes_a_row_and_comes_to_rest() -> None:
    made = world()
    made.panel.add_address("1", **LINES)
    made.turn()
    assert {name: made.row("panel-1")[name] for name in LINES} == LINES
    assert made.row("panel-1")["additional"] is None
    assert set(made.told()) == {(name, "panel_to_erp", "create") for name in (*LINES, "country_code")}
    assert quiet(made)


def test_edits_travel_field_by_field_both_ways() -> None:
    made = in_step()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.edit_address("1", city="Gdynia")
    made.turn()
    assert (made.row()["city"], made.shown()["1"]["street"]) == ("Gdynia", "Krótka 2")
    assert sorted(made.told()) == [("city", "panel_to_erp", "edit"), ("street", "erp_to_panel", "edit")]
    assert not made.exchange.conflicts
    assert quiet(made)


@pytest.mark.parametrize(("conflict", "kept"), [("erp", "z ERP"), ("panel", "z panelu")])
def test_the_same_field_edited_on_both_sides_follows_the_policy_with_the_address_named(
    conflict: str, kept: str
) -> None:
    made = in_step(conflict=conflict)
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    assert made.row()["street"] == made.shown()["1"]["street"] == kept
    (told,) = made.exchange.conflicts
    assert (told.item_id, told.field, told.decision, told.closed_at is not None) == ("A-1", "street", conflict, True)
    assert quiet(made)


@pytest.mark.parametrize(("decision", "kept"), [("erp", "z ERP"), ("panel", "z panelu")])
def test_a_held_conflict_waits_for_a_person_while_the_other_fields_go_on(decision: str, kept: str) -> None:
    made = in_step(conflict="hold")
    made.exchange.update_address("A-1", street="z ERP", city="Gdynia")
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    assert made.status().state is State.CONFLICT
    assert made.shown()["1"]["city"] == "Gdynia"
    assert quiet(made)
    made.exchange.decide(made.exchange.open_conflict_ids()[0], decision)
    made.turn()
    assert made.row()["street"] == made.shown()["1"]["street"] == kept
    assert made.status().state is State.IN_STEP
    assert quiet(made)


def test_first_contact_of_filled_sides_doubles_nothing() -> None:
    made = world()
    for n in range(3):
        made.exchange.insert_address(f"A-{n}", "C-1", **{**LINES, "street": f"Długa {n}"})
        made.panel.add_address("1", **{**LINES, "street": f"DŁUGA  {n}", "phone": ""})
    made.turn()
    assert sorted(map(str, streets(made))) == ["Długa 0", "Długa 1", "Długa 2"]
    assert len(rows(made)) == 3
    assert {reason for *_, reason in made.told()} == {"first_contact"}
    assert quiet(made)


def test_a_concern_that_is_off_is_neither_read_nor_written() -> None:
    made = world("off")
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.add_address("1", **LINES)
    made.look()
    made.turn()
    assert made.panel.calls() == {}
    assert "panel-1" not in made.exchange.addresses


@pytest.mark.parametrize(
    ("direction", "in_the_panel", "in_the_erp"),
    [("erp_to_panel", ["z panelu", "z ERP"], ["z ERP"]), ("panel_to_erp", ["z panelu"], ["z ERP", "z panelu"])],
)
def test_one_way_leaves_what_is_new_on_the_other_side_alone(
    direction: str, in_the_panel: list[str], in_the_erp: list[str]
) -> None:
    made = world(direction)
    made.exchange.insert_address("A-1", "C-1", **{**LINES, "street": "z ERP"})
    made.panel.add_address("1", **{**LINES, "street": "z panelu"})
    made.turn()
    assert (streets(made), list(rows(made).values())) == (in_the_panel, in_the_erp)
    assert quiet(made)


# --- what it costs


def test_many_customers_cost_two_reads_and_one_call_of_each_gate() -> None:
    made = AddressWorld(policy(deletes="propagate"))
    for n in range(10):
        account = made.customer(f"C-{n}")
        for k in (1, 2):
            made.panel.add_address(account, **{**LINES, "street": f"Długa {k}"})
            made.exchange.insert_address(f"A-{n}-{k}", f"C-{n}", **{**LINES, "street": f"Długa {k}"})
    made.turn()
    for n in range(10):
        made.exchange.insert_address(f"B-{n}", f"C-{n}", **{**LINES, "street": "Nowa 1"})
        made.exchange.update_address(f"A-{n}-1", street="Krótka 2")
        made.exchange.delete_address(f"A-{n}-2")
    before = made.panel.calls()
    made.collect(CONCERN)
    assert made.work(CONCERN)
    assert made.spent(before) == {"GET clients/clients": 1, READ: 1, ADD: 1, UPDATE: 1, DELETE: 1}
    assert all(streets(made, str(n + 1)) == ["Krótka 2", "Nowa 1"] for n in range(10))


@pytest.mark.fault(72)
def test_five_hundred_addresses_go_in_calls_of_a_batch_and_are_quiet_afterwards() -> None:
    made = world()
    for n in range(500):
        made.exchange.insert_address(f"A-{n:03}", "C-1", **{**LINES, "street": f"Długa {n}"})
    made.turn()
    assert made.panel.calls()[ADD] == 5
    assert len(set(streets(made))) == 500
    assert quiet(made)


def test_what_is_in_step_is_not_written_again() -> None:
    made = in_step()
    saved: list[Any] = []
    plain = made.exchange.records.save
    made.exchange.records.save = lambda *args, **kwargs: saved.append(args[0]) or plain(*args, **kwargs)  # type: ignore[method-assign,assignment,func-returns-value]
    made.look()
    assert saved == []


def test_a_call_that_failed_ends_the_calls_of_its_run() -> None:
    made = world(batch=1)
    for n in range(4):
        made.exchange.insert_address(f"A-{n}", "C-1", **{**LINES, "street": f"Długa {n}"})
    made.panel.lose_reply()
    made.look()
    assert made.panel.calls()[ADD] == 1
    made.turn()
    assert sorted(map(str, streets(made))) == ["Długa 0", "Długa 1", "Długa 2", "Długa 3"]


def test_a_result_that_is_missing_stops_no_other_call() -> None:
    made = world(batch=1)
    for n in (1, 2):
        made.exchange.insert_address(f"A-{n}", "C-1", **{**LINES, "street": f"Długa {n}"})
    made.panel.lose_result("C-1")
    made.look()
    assert made.panel.calls()[ADD] == 2
    assert (made.status("A-1").code, made.status("A-2").code) == ("missing_result", "unconfirmed")


# --- lost replies and dead processes


def lost_reply(made: AddressWorld) -> None:
    made.panel.lose_reply()


def lost_result(made: AddressWorld) -> None:
    made.panel.lose_result("C-1")


def killed(made: AddressWorld) -> None:
    made.dies_at("add_addresses", after=True)


LOSSES = [lost_reply, lost_result, killed]


@pytest.mark.fault(4)
@pytest.mark.parametrize("lose", LOSSES)
def test_an_address_is_never_added_twice(lose: Callable[[AddressWorld], None]) -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "Krótka 1"})
    lose(made)
    made.look()
    made.turn()
    assert sorted(map(str, streets(made))) == ["Długa 5", "Krótka 1"]
    assert set(rows(made)) == {"A-1", "A-2"}
    assert len([h for h in made.exchange.history if h.field == "street"]) == 2
    assert quiet(made)


@pytest.mark.parametrize("lose", LOSSES)
def test_an_address_whose_row_was_edited_since_is_found_and_edited(lose: Callable[[AddressWorld], None]) -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    lose(made)
    made.look()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.turn()
    assert streets(made) == ["Krótka 2"]
    assert set(rows(made)) == {"A-1"}
    assert not made.exchange.conflicts


@pytest.mark.parametrize(("deletes", "left"), [("ignore", ["Długa 5"]), ("propagate", [])])
def test_an_address_whose_row_was_deleted_since_does_not_come_back(deletes: str, left: list[str]) -> None:
    made = world(deletes=deletes)
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.lose_reply()
    made.look()
    made.exchange.delete_address("A-1")
    made.turn()
    made.turn()
    assert (streets(made), rows(made)) == (left, {})
    assert quiet(made)


def test_a_lost_reply_to_an_update_makes_no_conflict_of_the_next_edit() -> None:
    made = in_step()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.lose_reply()
    made.look()
    assert made.status().state is State.PENDING
    made.panel.edit_address("1", city="Gdynia")
    made.look()
    assert (made.row()["city"], made.row()["street"], made.panel.calls()[UPDATE]) == ("Gdynia", "Krótka 2", 1)
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    assert made.row()["street"] == "z panelu"
    assert not made.exchange.conflicts
    assert sorted(made.told()) == [
        ("city", "panel_to_erp", "edit"),
        ("street", "erp_to_panel", "edit"),
        ("street", "panel_to_erp", "edit"),
    ]


@pytest.mark.parametrize(("deletes", "left"), [("ignore", ["Długa 5"]), ("propagate", [])])
def test_two_addresses_that_were_found_to_be_the_same_stay_so_though_the_first_reply_is_lost(
    deletes: str, left: list[str]
) -> None:
    made = world(deletes=deletes)
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.add_address("1", **{**LINES, "street": "DŁUGA 5"})
    made.panel.lose_reply()
    made.look()
    made.exchange.delete_address("A-1")
    made.turn()
    assert (streets(made), rows(made)) == (left, {})
    assert quiet(made)


def test_a_losing_value_is_told_even_when_the_process_dies() -> None:
    made = in_step()
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.edit_address("1", street="z panelu")
    made.dies_at("update_addresses", after=True)
    assert not made.look()
    made.turn()
    (told,) = made.exchange.conflicts
    assert (told.panel_value, told.decision, told.closed_at is not None) == ("z panelu", "erp", True)


def test_a_row_that_comes_back_after_its_address_was_deleted_by_us_is_added_and_not_deleted() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_address("A-1")
    made.panel.lose_reply()
    made.look()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert (streets(made), rows(made)) == (["Długa 5"], {"A-1": "Długa 5"})
    assert [reason for field, _, reason in made.told() if field == "street"] == ["edit", "create"]
    made.turn()
    assert quiet(made)


def test_a_deletion_whose_reply_was_lost_is_in_the_history_all_the_same() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_address("A-1")
    made.panel.lose_reply()
    made.turn()
    made.turn()
    assert ("street", "erp_to_panel", "edit") in made.told()
    assert not any(key.concern == CONCERN and key.item_id for key in made.exchange.statuses)
    assert quiet(made)


def test_where_the_erp_was_faster_the_customer_is_looked_at_again() -> None:
    made = in_step()
    made.panel.edit_address("1", street="z panelu")

    def faster() -> None:
        made.exchange.before_save = None
        made.exchange.update_address("A-1", street="z ERP")

    made.exchange.before_save = faster
    made.look()
    assert made.row()["street"] == made.shown()["1"]["street"] == "z ERP"
    assert [told.panel_value for told in made.exchange.conflicts] == ["z panelu"]


def test_where_the_erp_is_always_faster_the_customer_goes_back_into_the_queue() -> None:
    made = in_step(conflict="panel")
    made.panel.edit_address("1", street="z panelu")
    turns = iter(range(100))
    made.exchange.before_save = lambda: made.exchange.update_address("A-1", street=f"z ERP {next(turns)}")
    made.look()
    assert made.queue.take(CONCERN) == owners("C-1")


# --- deletions


@pytest.mark.fault(53)
def test_an_ignored_deletion_in_the_erp_is_remembered_whatever_the_panel_edits() -> None:
    made = in_step()
    made.exchange.delete_address("A-1")
    made.turn()
    assert (made.status().state, made.status().code) == (State.EXCLUDED, "deleted_in_erp")
    assert quiet(made)
    made.panel.edit_address("1", street="z panelu")
    assert quiet(made)
    assert (streets(made), rows(made), made.told()) == (["z panelu"], {}, [])


def test_an_ignored_deletion_in_the_panel_is_remembered_whatever_the_erp_edits() -> None:
    made = in_step()
    made.panel.remove_address("1")
    made.turn()
    assert (made.status().state, made.status().code) == (State.EXCLUDED, "deleted_in_panel")
    made.exchange.update_address("A-1", street="z ERP")
    assert quiet(made)
    assert (streets(made), rows(made), made.told()) == ([], {"A-1": "z ERP"}, [])


def test_a_table_that_is_emptied_and_filled_again_goes_on_as_if_nothing_had_been() -> None:
    made = in_step()
    made.exchange.delete_address("A-1")
    made.turn()
    made.panel.edit_address("1", city="Gdynia")
    made.exchange.insert_address("A-1", "C-1", **{**LINES, "street": "Krótka 2"})
    made.turn()
    assert (made.row()["city"], streets(made)) == ("Gdynia", ["Krótka 2"])
    assert made.status().state is State.IN_STEP
    assert quiet(made)


def test_an_address_deleted_in_the_panel_while_the_table_was_empty_is_not_made_anew() -> None:
    made = in_step()
    made.exchange.delete_address("A-1")
    made.panel.remove_address("1")
    made.turn()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert (streets(made), made.status().code) == ([], "deleted_in_panel")
    assert quiet(made)


def test_a_refill_with_equal_rows_costs_no_panel_call() -> None:
    made = in_step()
    before = made.panel.calls()
    made.exchange.delete_address("A-1")
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.collect(CONCERN)
    assert made.queue.empty()
    assert made.spent(before) == {}


def test_a_propagated_deletion_in_the_erp_deletes_the_address_and_forgets_it() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_address("A-1")
    made.turn()
    assert (streets(made), rows(made)) == ([], {})
    assert not any(key.item_id for key in (*made.exchange.bases, *made.exchange.statuses))
    assert ("street", "erp_to_panel", "edit") in made.told()
    assert quiet(made)


@pytest.mark.fault(58)
def test_a_propagated_deletion_in_the_panel_deletes_the_row_and_forgets_it() -> None:
    made = in_step(deletes="propagate")
    made.panel.remove_address("1")
    made.turn()
    assert (streets(made), rows(made)) == ([], {})
    assert not any(key.item_id for key in (*made.exchange.bases, *made.exchange.statuses))
    assert ("street", "panel_to_erp", "edit") in made.told()
    assert quiet(made)


def test_a_row_that_was_edited_while_its_deletion_was_decided_is_not_deleted() -> None:
    made = in_step(deletes="propagate", conflict="erp")
    made.panel.remove_address("1")

    def faster() -> None:
        made.exchange.before_save = None
        made.exchange.update_address("A-1", street="z ERP")

    made.exchange.before_save = faster
    made.turn()
    assert (streets(made), rows(made)) == (["z ERP"], {"A-1": "z ERP"})
    made.turn()
    assert quiet(made)


def test_an_address_that_the_panel_does_not_delete_is_held_and_not_tried_over_and_over() -> None:
    made = in_step(deletes="propagate")
    made.panel.in_use.add("1")
    made.exchange.delete_address("A-1")
    made.turn()
    assert (made.status().state, made.status().code) == (State.HELD, "not_deleted")
    assert "adres jest używany" in made.status().message_en
    assert quiet(made)
    made.look()
    assert made.panel.calls()[DELETE] == 1
    made.panel.remove_address("1")
    made.turn()
    assert not made.exchange.states
    assert quiet(made)


def test_an_address_that_the_panel_did_not_delete_and_whose_row_returns_goes_on() -> None:
    made = in_step(deletes="propagate")
    made.panel.in_use.add("1")
    made.exchange.delete_address("A-1")
    made.turn()
    made.exchange.insert_address("A-1", "C-1", **{**LINES, "street": "Krótka 2"})
    made.turn()
    assert (streets(made), made.status().state) == (["Krótka 2"], State.IN_STEP)


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("conflict", "in_the_panel", "in_the_erp"),
    [("erp", [], {}), ("panel", ["z panelu"], {"A-1": "z panelu"}), ("hold", ["z panelu"], {})],
)
def test_an_edit_in_the_panel_against_a_deletion_in_the_erp(
    conflict: str, in_the_panel: list[str], in_the_erp: dict[str, str]
) -> None:
    made = in_step(deletes="propagate", conflict=conflict)
    made.exchange.delete_address("A-1")
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    assert (streets(made), rows(made)) == (in_the_panel, in_the_erp)
    (told,) = made.exchange.conflicts
    assert (told.item_id, told.erp_value, told.panel_value) == ("A-1", None, "z panelu")
    assert (told.decision, told.closed_at is None) == ((None, True) if conflict == "hold" else (conflict, False))
    assert quiet(made)
    if conflict == "hold":
        assert made.status().state is State.CONFLICT
        made.exchange.decide(told.id, "panel")
        made.turn()
        assert rows(made) == {"A-1": "z panelu"}
        assert not made.exchange.open_conflict_ids()
        assert quiet(made)


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("conflict", "in_the_panel", "in_the_erp"),
    [("erp", ["z ERP"], {"A-1": "z ERP"}), ("panel", [], {}), ("hold", [], {"A-1": "z ERP"})],
)
def test_an_edit_in_the_erp_against_a_deletion_in_the_panel(
    conflict: str, in_the_panel: list[str], in_the_erp: dict[str, str]
) -> None:
    made = in_step(deletes="propagate", conflict=conflict)
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.remove_address("1")
    made.turn()
    assert (streets(made), rows(made)) == (in_the_panel, in_the_erp)
    (told,) = made.exchange.conflicts
    assert (told.erp_value, told.panel_value) == ("z ERP", None)
    assert quiet(made)
    if conflict == "hold":
        made.exchange.decide(told.id, "erp")
        made.turn()
        assert (streets(made), made.row()["street"]) == (["z ERP"], "z ERP")
        assert quiet(made)


@pytest.mark.parametrize(("deletes", "left"), [("ignore", []), ("propagate", ["Długa 5"])])
def test_drift_of_an_address_that_was_deleted_on_the_side_that_does_not_decide(deletes: str, left: list[str]) -> None:
    made = in_step("erp_to_panel", deletes=deletes)
    made.panel.remove_address("1")
    made.turn()
    assert (streets(made), rows(made)) == (left, {"A-1": "Długa 5"})
    assert {reason for *_, reason in made.told()} == ({"drift"} if left else set())
    made.turn()
    assert quiet(made)
    made = in_step("panel_to_erp", deletes=deletes)
    made.exchange.delete_address("A-1")
    made.turn()
    assert (streets(made), list(rows(made).values())) == (["Długa 5"], left)
    assert quiet(made)


@pytest.mark.parametrize(("deletes", "old"), [("ignore", ["Długa 5"]), ("propagate", [])])
def test_an_address_moved_to_another_customer(deletes: str, old: list[str]) -> None:
    made = in_step(deletes=deletes)
    made.customer("C-2")
    made.exchange.update_address("A-1", client_id="C-2")
    made.turn()
    assert (streets(made), streets(made, "2")) == (old, ["Długa 5"])
    assert quiet(made)
    made.exchange.update_address("A-1", street="Krótka 2")
    made.turn()
    assert (streets(made), streets(made, "2")) == (old, ["Krótka 2"])


@pytest.mark.fault(58)
def test_rows_that_were_numbered_anew_double_nothing() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_address("A-1")
    made.exchange.insert_address("B-1", "C-1", **LINES)
    made.turn()
    assert list(made.shown()) == ["1"]
    assert rows(made) == {"B-1": "Długa 5"}
    assert quiet(made)


def test_a_client_that_is_away_takes_no_address_with_it() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_client("C-1")
    made.exchange.delete_address("A-1")
    made.turn()
    assert streets(made) == ["Długa 5"]


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_a_client_that_is_linked_to_another_account_begins_anew_and_loses_no_row(deletes: str) -> None:
    made = in_step(deletes=deletes, conflict="hold")
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.edit_address("1", street="z panelu")
    made.panel.add_address("1", **{**LINES, "street": "Krótka 2"})
    made.turn()
    assert made.exchange.open_conflict_ids()
    made.exchange.delete_address("panel-2")
    made.turn()
    made.panel.remove("1")
    made.turn()
    other = linked_anew(made)
    made.turn()
    assert (streets(made, other), rows(made)) == (["z ERP"], {"A-1": "z ERP"})
    assert (made.status(), made.exchange.status("C-1", CONCERN, "panel-2")) == (Status(State.IN_STEP), None)
    assert not made.exchange.open_conflict_ids()
    assert quiet(made)


def test_a_deletion_that_was_remembered_is_carried_when_the_policy_changes() -> None:
    made = in_step()
    made.exchange.delete_address("A-1")
    made.turn()
    made.policy = policy(deletes="propagate")
    made.turn()
    assert streets(made) == []


# --- what cannot be carried


@pytest.mark.parametrize("field", ["first_name", "last_name", "street", "zip_code", "city"])
def test_an_incomplete_row_is_held_at_once_with_its_fields_named_and_completing_it_is_enough(field: str) -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **{**LINES, field: None})
    made.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "Krótka 1"})
    made.turn()
    assert (made.status().state, made.status().code) == (State.HELD, "incomplete")
    assert field in made.status().message_en
    assert streets(made) == ["Krótka 1"]
    assert not made.exchange.deferrals
    assert quiet(made)
    made.exchange.update_address("A-1", **{field: LINES[field]})
    made.turn()
    assert len(streets(made)) == 2


@pytest.mark.parametrize(
    ("values", "code"),
    [({"street": "x" * 201}, "too_long"), ({"country_code": "P1"}, "bad_code"), ({"city": "a\tb"}, "unprintable")],
)
def test_one_bad_row_is_refused_by_name_without_a_call_and_keeps_its_neighbours_going(
    values: dict[str, Value], code: str
) -> None:
    made = in_step()
    made.exchange.insert_address("A-2", "C-1", **{**LINES, **values})
    made.exchange.insert_address("A-3", "C-1", **{**LINES, "street": "Krótka 3"})
    made.exchange.update_address("A-1", city="Gdynia")
    made.turn()
    (field,) = values
    status = made.status("A-2")
    assert (status.state, status.code, status.field) == (State.HELD, code, field)
    assert field in status.message_en
    assert (made.panel.calls()[ADD], made.shown()["1"]["city"]) == (1, "Gdynia")
    assert not made.exchange.deferrals
    assert quiet(made)
    made.exchange.update_address("A-2", **{field: LINES.get(field, "PL")})
    made.turn()
    assert len(streets(made)) == 3


def test_an_address_that_the_panel_refuses_is_tried_then_held_and_not_tried_again_by_a_neighbours_edit() -> None:
    made = in_step(attempts=2)
    made.panel.refuse("C-1")
    made.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "Krótka 1"})
    made.look()
    assert made.status("A-2").state is State.PENDING
    made.look()
    assert made.status("A-2").state is State.HELD
    made.turn()
    held = dict(made.exchange.statuses)
    assert quiet(made)
    made.look()
    assert (dict(made.exchange.statuses), made.exchange.deferrals) == (held, {})
    assert not made.exchange.intents
    made.panel.accept("C-1")
    made.exchange.update_address("A-2", city="Gdynia")
    made.turn()
    assert len(streets(made)) == 2


def test_a_refused_update_leaves_the_other_direction_going() -> None:
    made = in_step(attempts=1)
    made.panel.refuse("C-1")
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.edit_address("1", city="Gdynia")
    made.turn()
    assert (made.row()["city"], made.shown()["1"]["street"], made.status().state) == ("Gdynia", "Długa 5", State.HELD)
    assert quiet(made)
    made.panel.edit_address("1", city="Gdańsk")
    made.turn()
    assert (made.row()["city"], made.status().state) == ("Gdańsk", State.HELD)
    made.panel.edit_address("1", street="Krótka 2")
    made.turn()
    assert made.status().state is State.IN_STEP
    assert quiet(made)


def test_a_value_of_the_panel_that_the_column_cannot_hold_is_held_until_it_is_corrected_there() -> None:
    made = in_step(attempts=1)
    made.panel.edit_address("1", city="x" * 101, street="Krótka 2")
    made.panel.add_address("1", **{**LINES, "street": "y" * 201})
    made.turn()
    assert (made.status().code, made.row()["city"], made.row()["street"]) == ("too_long", "Łódź", "Długa 5")
    assert (made.status("panel-2").code, made.status("panel-2").state) == ("too_long", State.HELD)
    assert quiet(made)
    made.panel.edit_address("2", street="Krótka 3")
    made.turn()
    assert made.row("panel-2")["street"] == "Krótka 3"
    made.panel.edit_address("1", city="Gdynia")
    made.turn()
    assert made.row()["city"] == "Gdynia"
    assert quiet(made)


def test_what_the_erps_own_database_refuses_is_held_and_keeps_its_neighbours() -> None:
    made = in_step(attempts=1)
    made.exchange.refuse_address("A-1", "check constraint")
    made.exchange.refuse_address("panel-2", "check constraint")
    made.panel.edit_address("1", city="Gdynia")
    made.panel.add_address("1", **{**LINES, "street": "Krótka 2"})
    made.panel.add_address("1", **{**LINES, "street": "Krótka 3"})
    made.turn()
    assert (made.status().code, made.status("panel-2").code) == ("refused_by_erp", "refused_by_erp")
    assert "panel-2" not in made.exchange.addresses
    assert made.row("panel-3")["street"] == "Krótka 3"
    assert quiet(made)
    made.exchange.refuse_address("A-1", None)
    made.exchange.update_address("A-1", phone="600700800")
    made.turn()
    assert made.row()["city"] == "Gdynia"


def test_a_row_that_the_erps_own_database_refuses_is_inserted_once_what_it_refused_is_corrected() -> None:
    made = world(attempts=1)
    made.exchange.refuse_address("panel-1", "check of the phone")
    made.panel.add_address("1", **LINES)
    made.turn()
    assert made.status("panel-1").code == "refused_by_erp"
    made.exchange.refuse_address("panel-1", None)
    made.panel.edit_address("1", phone="600700800")
    made.turn()
    assert (made.row("panel-1")["phone"], made.row("panel-1")["city"]) == ("600700800", LINES["city"])
    assert quiet(made)


def test_what_the_erps_own_database_refuses_is_not_counted_as_written() -> None:
    made = world(attempts=1)
    made.exchange.refuse_address("panel-1", "check constraint")
    made.panel.add_address("1", **LINES)
    made.turn()
    assert (made.counts.written_to_erp, made.counts.held) == (0, 1)
    assert made.exchange.history == []


def test_a_deletion_that_the_erps_own_database_refuses_is_held() -> None:
    made = in_step(deletes="propagate", attempts=1)
    made.exchange.refuse_address("A-1", "foreign key")
    made.panel.remove_address("1")
    made.turn()
    assert (made.status().code, rows(made)) == ("refused_by_erp", {"A-1": "Długa 5"})
    assert quiet(made)


def test_what_the_erps_own_database_refuses_is_tried_as_often_as_the_policy_wants() -> None:
    made = in_step(attempts=3)
    made.exchange.refuse_address("A-1", "check constraint")
    made.panel.edit_address("1", city="Gdynia")
    found = []
    for _ in range(4):
        made.look()
        deferral = made.exchange.deferrals.get(Key("C-1", "", CONCERN, "A-1"))
        found.append((made.status().state, deferral.attempts if deferral else None))
    assert found == [(State.PENDING, 1), (State.PENDING, 2), (State.HELD, None), (State.HELD, None)]
    made.turn()
    assert quiet(made)


@pytest.mark.parametrize("touch", [{"street": LINES["street"]}, {"street": "Krótka 2"}])
def test_a_row_that_the_erp_would_not_delete_is_tried_again_once_it_differs(touch: dict[str, Value]) -> None:
    made = in_step("panel_to_erp", deletes="propagate", attempts=1)
    made.exchange.refuse_address("A-1", "foreign key")
    made.panel.remove_address("1")
    made.turn()
    assert made.status().code == "refused_by_erp"
    assert quiet(made)
    made.exchange.refuse_address("A-1", None)
    made.exchange.update_address("A-1", **touch)
    assert bool(made.differing()) is (touch["street"] != LINES["street"])
    made.turn()
    assert ("A-1" in made.exchange.addresses) is (touch["street"] == LINES["street"])


@pytest.mark.parametrize("direction", ["erp_to_panel", "both"])
def test_an_address_that_was_deleted_in_the_panel_and_is_not_taken_back_is_held_until_its_row_differs(
    direction: str,
) -> None:
    made = in_step(direction, deletes="propagate", attempts=2)
    made.panel.remove_address("1")
    made.exchange.update_address("A-1", phone="600700800")
    made.panel.refuse("C-1")
    made.look()
    assert made.status().state is State.PENDING
    made.look()
    assert (made.status().state, made.panel.calls()[ADD]) == (State.HELD, 2)
    assert not made.differing(), "it is not believed to be there"
    made.turn()
    assert quiet(made)
    made.panel.accept("C-1")
    made.look()
    assert streets(made) == []
    made.exchange.update_address("A-1", street="Krótka 2")
    made.turn()
    assert (streets(made), made.status()) == (["Krótka 2"], Status(State.IN_STEP))
    assert quiet(made)


def test_a_correction_that_the_panel_refuses_is_held_until_the_row_differs() -> None:
    made = in_step("erp_to_panel", attempts=1)
    made.panel.refuse("C-1")
    made.panel.edit_address("1", city="Gdynia")
    made.turn()
    assert (made.status().state, made.panel.calls()[UPDATE]) == (State.HELD, 1)
    assert quiet(made)
    made.panel.accept("C-1")
    made.exchange.update_address("A-1", city="Gdańsk")
    made.turn()
    assert (made.shown()["1"]["city"], made.status()) == ("Gdańsk", Status(State.IN_STEP))
    made.turn()
    assert quiet(made)


def test_a_value_that_the_panel_cannot_take_closes_no_conflict_before_it_was_carried() -> None:
    made = in_step(deletes="propagate", conflict="hold")
    made.exchange.update_address("A-1", street="x" * 201)
    made.panel.remove_address("1")
    made.turn()
    assert made.status().state is State.CONFLICT
    (number,) = made.exchange.open_conflict_ids()
    made.exchange.decide(number, "erp")
    made.turn()
    assert (made.status().state, made.status().code, made.status().field) == (State.HELD, "too_long", "street")
    assert made.exchange.open_conflict_ids() == [number]
    assert quiet(made)
    made.exchange.update_address("A-1", street="Krótka 2")
    made.turn()
    assert (streets(made), made.exchange.open_conflict_ids()) == (["Krótka 2"], [])
    assert quiet(made)


@pytest.mark.parametrize(("conflict", "left"), [("erp", []), ("hold", ["x" * 201])])
def test_an_edit_that_no_column_can_hold_stands_against_a_deletion(conflict: str, left: list[str]) -> None:
    made = in_step(deletes="propagate", conflict=conflict)
    made.panel.edit_address("1", street="x" * 201)
    made.exchange.delete_address("A-1")
    made.turn()
    (told,) = made.exchange.conflicts
    assert (streets(made), told.field, told.panel_value) == (left, "street", "x" * 201)
    assert quiet(made)


def test_a_row_that_can_no_longer_be_added_is_not_asked_about_for_the_sake_of_a_call_that_failed() -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.dies_at("add_addresses")
    assert not made.look()
    made.exchange.update_address("A-1", first_name=None)
    made.turn()
    assert (made.status().code, made.exchange.intents) == ("incomplete", {})
    assert quiet(made)


def test_a_lost_reply_to_an_erasure_is_no_deletion_of_the_address() -> None:
    made = in_step()
    rule = '{"deletes": "propagate", "conflict": "panel", "fields": {"phone": {"empty": "erase"}}}'
    made.policy = parse(f'{{"delivery_addresses": {rule}}}')
    made.exchange.update_address("A-1", phone=None)
    made.panel.lose_reply()
    made.look()
    assert made.shown()["1"]["phone"] == ""
    made.panel.remove_address("1")
    made.turn()
    assert (streets(made), rows(made)) == ([], {})
    (told,) = made.exchange.conflicts
    assert (told.field, told.erp_value, told.decision) == ("phone", None, "panel")
    assert quiet(made)


def test_a_chunk_that_is_refused_as_a_whole_is_split() -> None:
    made = AddressWorld(policy())
    for n in range(8):
        made.customer(f"C-{n}")
        made.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
    made.panel.refuse_whole("C-3")
    made.turn()
    assert len(made.panel.delivery) == 7
    assert made.status("A-3", "C-3").state is State.PENDING


def test_a_read_that_is_refused_as_a_whole_is_split() -> None:
    made = AddressWorld(policy())
    for n in range(4):
        made.customer(f"C-{n}")
        made.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
    plain = made.panel.addresses

    def picky(ids: Any) -> Any:
        if "2" in ids:
            raise Reject("refused_whole", panel="422")
        return plain(ids)

    made.panel.addresses = picky  # type: ignore[method-assign]
    made.turn()
    assert len(made.panel.delivery) == 3
    assert made.status("", "C-1").code == "refused_whole"
    assert not made.exchange.status("C-2", CONCERN)


def test_a_customer_without_a_shop_is_told_so() -> None:
    made = world()
    made.policy = made.policy.model_copy(
        update={"accounts": made.policy.accounts.model_copy(update={"default_shops": ()})}
    )
    made.panel.accounts["1"] = without_shops(made.panel.accounts["1"])
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert (made.status().code, ADD in made.panel.calls()) == ("incomplete", False)
    assert "shop" in made.status().message_en
    assert quiet(made)
    made.exchange.set_shops("C-1", 2)
    made.turn()
    assert made.status().code == "unconfirmed"
    made.turn()
    assert made.status().state is State.IN_STEP


def test_without_a_shop_the_panels_edits_go_on_and_the_erps_wait() -> None:
    made = in_step(conflict="hold")
    made.policy = made.policy.model_copy(
        update={"accounts": made.policy.accounts.model_copy(update={"default_shops": ()})}
    )
    made.panel.accounts["1"] = without_shops(made.panel.accounts["1"])
    made.exchange.update_address("A-1", street="Krótka 2", first_name="z ERP")
    made.panel.edit_address("1", phone="600700800", first_name="z panelu")
    made.turn()
    assert (made.row()["phone"], streets(made)) == ("600700800", ["Długa 5"])
    assert (made.status().state, made.status().code) == (State.HELD, "incomplete")
    assert "Both sides were edited" in made.status().message_en
    assert quiet(made)
    made.exchange.set_shops("C-1", 2)
    made.turn()
    assert (streets(made), made.status().state) == (["Krótka 2"], State.CONFLICT)


def without_shops(account: Account) -> Account:
    values: Values = {**account.values, "shops": ()}
    return Account(account.panel_client_id, account.login, account.external_code, values)


def test_the_shops_that_the_account_has_go_with_each_write() -> None:
    made = world()
    made.panel.assign_shops("1", 2, 3)
    made.exchange.set_shops("C-1", 1)
    seen: list[tuple[int, ...]] = []
    plain = made.panel.add_addresses

    def watching(writes: Any) -> Any:
        seen.extend(write.shops for write in writes)
        return plain(writes)

    made.panel.add_addresses = watching  # type: ignore[method-assign]
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert seen == [(2, 3)]


def test_an_empty_country_is_not_sent() -> None:
    made = world("erp_to_panel")
    made.exchange.insert_address("A-1", "C-1", **{**LINES, "country_code": None})
    seen: list[Values] = []
    plain = made.panel.add_addresses

    def watching(writes: Any) -> Any:
        seen.extend(write.values for write in writes)
        return plain(writes)

    made.panel.add_addresses = watching  # type: ignore[method-assign]
    made.turn()
    assert seen == [LINES]
    assert quiet(made)


# --- the customer's own place


def deferred(made: AddressWorld, code: str, client_id: str = "C-1") -> None:
    made.exchange.deferrals[Key(client_id, "", CONCERN)] = Deferral(made.time, 0, 0, code)


def test_the_clients_own_record_is_settled_when_his_addresses_were_worked() -> None:
    made = world()
    deferred(made, "first_contact")
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.turn()
    assert made.exchange.deferrals.keys() == {Key("C-1", "", CONCERN, "A-1")}
    made.turn()
    assert not made.exchange.deferrals
    assert made.exchange.status("C-1", CONCERN) is None, "it tells only what is about all of them"
    assert made.status() == Status(State.IN_STEP)
    assert quiet(made)


def test_an_outage_parks_the_customer_and_uses_up_no_attempt() -> None:
    made = in_step()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.fail(Retry("panel_5xx"))
    made.look()
    assert (made.status("").state, made.status("").code) == (State.PENDING, "panel_5xx")
    assert made.exchange.deferrals[Key("C-1", "", CONCERN)].attempts == 0
    made.turn()
    made.turn()
    assert (streets(made), made.exchange.status("C-1", CONCERN), made.exchange.deferrals) == (["Krótka 2"], None, {})


def test_addresses_that_the_panel_does_not_tell_for_certain_are_not_taken_for_deleted() -> None:
    made = in_step(deletes="propagate")
    plain = made.panel.addresses
    made.panel.addresses = lambda ids: {}  # type: ignore[method-assign]
    made.look()
    made.turn()
    assert rows(made) == {"A-1": "Długa 5"}
    assert made.status("").code == "missing_result"
    made.panel.addresses = plain  # type: ignore[method-assign]
    made.turn()
    assert (made.exchange.status("C-1", CONCERN), made.status().state) == (None, State.IN_STEP)


def test_a_customer_whose_account_is_gone_is_held_and_loses_no_row() -> None:
    made = in_step(deletes="propagate")
    made.panel.remove("1")
    made.look()
    assert (made.status("").code, rows(made)) == ("account_gone", {"A-1": "Długa 5"})
    made.turn()
    made.turn()
    assert rows(made) == {"A-1": "Długa 5"}


def test_an_account_that_carries_another_code_is_never_mixed_with_this_customer() -> None:
    made = in_step()
    made.panel.recode("1", "C-9")
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.edit_address("1", city="Gdynia")
    before = made.panel.calls()
    made.look()
    assert made.spent(before) == {"GET clients/clients": 1}
    made.turn()
    assert (made.status("").code, streets(made), made.row()["city"]) == ("another_account", ["Długa 5"], "Łódź")
    before = made.panel.calls()
    made.turn()
    assert made.spent(before) == {}
    made.panel.recode("1", "C-1")
    assert not asking(made)
    assert noticed(made)
    made.look()
    assert (streets(made), made.row()["city"], made.status().code) == (["Krótka 2"], "Gdynia", "unconfirmed")
    assert made.exchange.status("C-1", CONCERN) is None


def test_addresses_that_wait_are_not_tried_while_the_account_is_another_ones() -> None:
    made = in_step()
    made.panel.refuse("C-1")
    made.exchange.update_address("A-1", street="Krótka 2")
    made.look()
    assert made.status().state is State.PENDING
    made.panel.recode("1", "C-9")
    made.look()
    assert made.status("").code == "another_account"
    before, queued = made.panel.calls(), made.counts.collected
    made.turn()
    assert (made.spent(before), made.counts.collected) == ({}, queued)
    made.panel.recode("1", "C-1")
    made.panel.accept("C-1")
    assert noticed(made)
    made.look()
    assert streets(made) == ["Krótka 2"]
    made.turn()
    assert quiet(made)


def test_bases_of_an_account_that_was_before_are_void_where_addresses_were_off_when_the_next_one_was_linked() -> None:
    made = in_step(deletes="propagate")
    wanted, made.policy = made.policy, policy("off")
    made.panel.remove("1")
    other = linked_anew(made)
    assert not any(key.concern == CONCERN for key in made.exchange.states)
    made.policy = wanted
    made.turn()
    assert (streets(made, other), rows(made)) == (["Długa 5"], {"A-1": "Długa 5"})


def first_contact(made: AddressWorld, *fresh: str) -> dict[str, Change]:
    """Return what is stored where C-1 is linked, by item."""
    link = made.exchange.links["C-1"]
    changes = made.run().concerns[CONCERN].first_contact({"C-1": link}, {"C-1": Opened(CLIENT, CLIENT)}, fresh, {})
    return {change.record.key.item_id: change for change in changes}


def test_a_client_that_is_linked_is_due_unless_its_account_was_opened_just_now_and_it_has_no_addresses() -> None:
    made = world()
    due = Deferral(made.time, 0, 0, "first_contact")
    assert first_contact(made)[""].after.deferral == due
    assert first_contact(made, "C-1") == {}
    deferred(made, "panel_5xx")
    assert first_contact(made, "C-1")[""].after == RecordState()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    assert first_contact(made, "C-1")[""].after.deferral == due


def test_what_waits_about_a_former_account_is_closed_when_its_client_is_linked_anew() -> None:
    made = in_step(conflict="hold")
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    (number,) = made.exchange.open_conflict_ids()
    change = first_contact(made)["A-1"]
    assert (change.after, change.closed) == (RecordState(), {number: None})


def test_an_account_that_was_opened_just_now_is_not_asked_about_when_the_feed_shows_it() -> None:
    made = in_step()
    made.panel.add_address("1", **{**LINES, "street": "Krótka 2"})
    account = made.panel.accounts["1"]
    before = made.panel.calls()
    concern = made.run().concerns[CONCERN]
    assert concern.notice(News([account], {"1": "C-1"}, {"1": account}, ())) == []
    assert made.spent(before) == {}
    assert noticed(made)


# --- the brake


def braked(deletes: str = "propagate", share: float = 0.2, count: int = 2) -> AddressWorld:
    """Return an installation with ten customers in step, and a brake that bears ``count`` records an hour."""
    chosen = policy(deletes=deletes)
    brake = chosen.brake.model_copy(update={"max_share": share, "min_records": count})
    made = AddressWorld(chosen.model_copy(update={"brake": brake}))
    for n in range(10):
        account = made.customer(f"C-{n}")
        made.panel.add_address(account, **LINES)
        made.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
    made.turn()
    made.exchange.history.clear()
    return made


def confirm(made: AddressWorld) -> None:
    """Do what ``kartoteka resume --confirm`` does."""
    made.resume(CONCERN, confirm=True)


@pytest.mark.parametrize("side", ["erp", "panel"])
def test_a_mass_deletion_is_stopped_before_anything_is_written_and_goes_on_when_confirmed(side: str) -> None:
    made = braked()
    for n in range(5):
        made.exchange.delete_address(f"A-{n}") if side == "erp" else made.panel.remove_address(str(n + 1))
    made.exchange.update_address("A-9", street="Krótka 2")
    made.look(*(f"C-{n}" for n in range(10)))
    assert (len(made.panel.delivery), len(made.exchange.addresses)) == ((10, 5) if side == "erp" else (5, 10))
    assert streets(made, "10") == ["Długa 5"]
    assert made.paused() == {CONCERN: "brake"}
    assert [made.exchange.deferrals[Key(f"C-{n}", "", CONCERN)].code for n in (0, 4, 9)] == ["brake"] * 3
    assert len(made.exchange.deferrals) == 6
    assert made.exchange.history == []
    assert not made.exchange.intents
    confirm(made)
    made.turn()
    assert (len(made.panel.delivery), len(made.exchange.addresses)) == (5, 5)
    assert streets(made, "10") == ["Krótka 2"]
    assert made.paused() == {}
    made.turn()
    assert not made.exchange.deferrals


def test_few_deletions_pass_and_count_for_those_that_follow_within_the_hour() -> None:
    made = braked()
    for n in range(2):
        made.exchange.delete_address(f"A-{n}")
    made.turn()
    assert len(made.panel.delivery) == 8
    made.exchange.delete_address("A-2")
    made.turn()
    assert (len(made.panel.delivery), made.paused()) == (8, {CONCERN: "brake"})


def test_ignored_deletions_and_new_addresses_never_count() -> None:
    made = braked(deletes="ignore")
    for n in range(10):
        made.exchange.delete_address(f"A-{n}")
        made.exchange.insert_address(f"B-{n}", f"C-{n}", **{**LINES, "street": "Nowa 1"})
    made.turn()
    assert (len(made.panel.delivery), made.paused()) == (20, {})


# --- the rotating pass


def crowd(customers: int, poll_size: int, batch: int = 100) -> AddressWorld:
    """Return an installation whose pass takes ``poll_size`` customers of so many, all in step."""
    made = AddressWorld(policy(batch=batch))
    made.poll_size = poll_size
    for n in range(customers):
        made.panel.add_address(made.customer(f"C-{n}"), **LINES)
    made.look(*(f"C-{n}" for n in range(customers)))
    return made


def test_the_pass_costs_one_call_for_each_batch_of_customers() -> None:
    made = crowd(7, 100, batch=3)
    before = made.panel.calls()
    made.rotate()
    assert made.spent(before) == {READ: 3}
    assert made.queue.empty()


def test_the_pass_goes_round_and_begins_again_at_the_end() -> None:
    made = crowd(7, 3)
    asked: list[list[str]] = []
    plain = made.panel.addresses
    made.panel.addresses = lambda ids: asked.append(list(ids)) or plain(ids)  # type: ignore[method-assign,func-returns-value]
    for _ in range(5):
        made.rotate()
    assert asked == [["1", "2", "3"], ["4", "5", "6"], ["7", "1", "2"], ["3", "4", "5"], ["6", "7", "1"]]


def test_a_pass_that_sees_all_asks_nobody_twice() -> None:
    made = crowd(4, 3)
    asked: list[list[str]] = []
    plain = made.panel.addresses
    made.rotate()
    made.panel.addresses = lambda ids: asked.append(list(ids)) or plain(ids)  # type: ignore[method-assign,func-returns-value]
    made.poll_size = 10
    made.rotate()
    made.rotate()
    assert [sorted(ids) for ids in asked] == [["1", "2", "3", "4"]] * 2


def test_the_pass_finds_what_the_feed_does_not_tell() -> None:
    made = crowd(4, 3)
    for key in list(made.panel.delivery):
        made.panel.edit_address(key, city="Gdynia")
    made.rotate()
    assert made.queue.take(CONCERN) == owners("C-0", "C-1", "C-2")
    made.rotate()
    assert made.queue.take(CONCERN) == owners("C-3", "C-0", "C-1")


@pytest.mark.parametrize("break_it", ["queue", "panel"])
def test_a_pass_whose_keys_were_not_taken_is_made_again(break_it: str) -> None:
    made = crowd(4, 3)
    made.panel.edit_address("1", city="Gdynia")
    if break_it == "queue":
        made.queue.break_after(0)
    else:
        made.panel.fail(Retry("panel_5xx"))
    assert not made.rotate()
    assert (made.state.load("addresses").document or {"after": ""})["after"] == ""
    assert made.rotate()
    assert made.queue.take(CONCERN) == owners("C-0")


def test_a_customer_whom_the_panel_refuses_to_show_stops_nobodys_pass() -> None:
    made = crowd(4, 10)
    plain = made.panel.addresses

    def picky(ids: Any) -> Any:
        if "2" in ids:
            raise Reject("refused_whole", panel="422")
        return plain(ids)

    made.panel.edit_address("3", city="Gdynia")
    made.panel.addresses = picky  # type: ignore[method-assign]
    assert made.rotate()
    assert made.queue.take(CONCERN) == owners("C-2")


def test_the_pass_does_nothing_where_addresses_are_off() -> None:
    made = world("off")
    assert made.rotate()
    assert made.panel.calls() == {}


def test_one_way_to_the_panel_the_pass_looks_for_drift_only() -> None:
    made = in_step("erp_to_panel")
    made.panel.add_address("1", **{**LINES, "street": "z panelu"})
    assert not asking(made)
    made.panel.edit_address("1", city="x")
    assert asking(made)


def test_an_echo_of_our_own_write_asks_for_nothing() -> None:
    made = in_step()
    made.exchange.update_address("A-1", street="  Krótka 2", country_code="pl")
    made.turn()
    assert not asking(made)


def test_who_is_deferred_comes_back_by_himself_and_who_was_interrupted_is_looked_at() -> None:
    made = in_step()
    made.panel.edit_address("1", city="Gdynia")
    deferred(made, "panel_5xx")
    assert not asking(made)
    made.exchange.deferrals.clear()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.panel.lose_result("C-1")
    made.look()
    assert made.status().state is State.PENDING
    made.panel.edit_address("1", city="Gdańsk")
    assert not asking(made)
    made.look()
    made.exchange.update_address("A-1", street="Krótka 3")
    made.dies_at("update_addresses")
    assert not made.look()
    assert made.exchange.intents
    made.exchange.update_address("A-1", street="Krótka 2")
    assert asking(made)


def test_a_customer_who_is_not_linked_is_nobodys_business() -> None:
    made = in_step()
    made.panel.edit_address("1", city="Gdynia")
    made.exchange.links.clear()
    assert not asking(made)
    made.look()
    assert made.row()["city"] == "Łódź"


# --- what collect asks


def wants(made: AddressWorld) -> bool:
    """Say whether the ERP's side has something to be done, as far as is known without a panel call."""
    before = made.panel.calls()
    answer = made.run().concerns[CONCERN].differing([Owner("C-1")])
    assert made.panel.calls() == before
    return answer == [Owner("C-1")]


def test_collect_asks_for_nobody_who_is_in_step() -> None:
    assert not wants(in_step())
    assert not wants(in_step())
    assert not wants(world())


def test_collect_takes_no_address_for_that_of_a_new_row_since_it_may_be_another_one_by_now() -> None:
    made = in_step(attempts=1)
    made.exchange.insert_address("A-2", "C-1", **LINES)
    made.exchange.delete_address("A-1")
    made.panel.edit_address("1", additional="brama 2")
    made.panel.refuse("C-1")
    made.turn()
    assert (made.status().code, made.status("A-2").state) == ("deleted_in_erp", State.HELD)
    assert not wants(made)
    assert quiet(made)


def test_collect_asks_for_new_edited_and_deleted_rows() -> None:
    made = in_step()
    made.exchange.update_address("A-1", city="Gdynia")
    assert wants(made)
    made.exchange.update_address("A-1", city=" Łódź ")
    assert not wants(made)
    made.exchange.insert_address("A-2", "C-1", **LINES)
    assert wants(made)
    made.exchange.delete_address("A-2")
    made.exchange.delete_address("A-1")
    assert wants(made)


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_collect_asks_once_for_a_deletion_whether_it_is_ignored_or_refused(deletes: str) -> None:
    made = in_step(deletes=deletes)
    made.panel.in_use.add("1")
    made.exchange.delete_address("A-1")
    assert wants(made)
    made.turn()
    assert not wants(made)


def test_collect_asks_for_a_propagated_deletion_until_it_is_done() -> None:
    made = in_step(deletes="propagate")
    made.exchange.delete_address("A-1")
    made.panel.fail(Retry("panel_5xx"))
    made.look()
    assert wants(made)
    made.turn()
    assert not wants(made)


def test_collect_asks_for_a_row_that_came_back() -> None:
    made = in_step()
    made.exchange.delete_address("A-1")
    made.turn()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    assert wants(made)


def test_collect_asks_for_what_is_held_only_when_its_row_has_changed() -> None:
    made = in_step(attempts=1)
    made.panel.edit_address("1", city="x" * 101)
    made.panel.add_address("1", **{**LINES, "street": "y" * 201})
    made.turn()
    assert made.status().state is made.status("panel-2").state is State.HELD
    assert not wants(made)
    made.exchange.update_address("A-1", city=LINES["city"])
    assert not wants(made), "it was touched and not changed"
    made.exchange.update_address("A-1", phone="600700800")
    assert wants(made)


def test_collect_asks_for_who_is_deferred_interrupted_or_decided() -> None:
    made = in_step()
    deferred(made, "panel_5xx")
    assert wants(made)
    made = in_step()
    made.exchange.update_address("A-1", street="Krótka 2")
    made.dies_at("update_addresses")
    made.look()
    made.exchange.update_address("A-1", street=LINES["street"])
    assert wants(made)
    made = in_step(conflict="hold")
    made.exchange.update_address("A-1", street="z ERP")
    made.panel.edit_address("1", street="z panelu")
    made.turn()
    assert not wants(made)
    made.exchange.decide(made.exchange.open_conflict_ids()[0], "panel")
    assert wants(made)


def test_collect_asks_for_nobody_whose_account_is_not_there_or_another_ones() -> None:
    made = in_step()
    made.exchange.update_address("A-1", city="Gdynia")
    assert wants(made)
    made.panel.recode("1", "C-9")
    made.look()
    assert not wants(made)
    made.panel.remove("1")
    made.exchange.states.clear()
    made.look()
    assert (made.status("").code, wants(made)) == ("account_gone", False)


def test_collect_asks_for_nobody_without_a_link_or_where_it_is_off() -> None:
    made = in_step()
    made.exchange.update_address("A-1", city="Gdynia")
    made.exchange.links.pop("C-1")
    assert not wants(made)
    assert not wants(world("off"))


def test_the_records_of_a_deleted_client_are_excluded_and_go_on_when_it_returns() -> None:
    made = in_step()
    made.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "Krótka 2", "first_name": None})
    made.turn()
    assert made.status("A-2").code == "incomplete"
    made.exchange.delete_client("C-1")
    assert wants(made)
    made.turn()
    assert (made.status().state, made.status().code) == (State.EXCLUDED, "deleted")
    assert (made.status("A-2").state, made.status("A-2").code) == (State.WAITING, "no_client")
    assert not made.differing()
    made.panel.edit_address("1", city="Gdynia")
    made.turn()
    assert made.row()["city"] == "Łódź"
    made.exchange.insert_client("C-1", **CLIENT)
    made.turn()
    assert (made.row()["city"], made.status().state, made.status("A-2").code) == ("Gdynia", State.IN_STEP, "incomplete")
    assert quiet(made)


def test_an_address_that_may_have_been_added_is_found_when_its_deleted_client_returns() -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.lose_reply()
    made.look()
    made.exchange.delete_client("C-1")
    made.exchange.delete_address("A-1")
    made.turn()
    assert (made.status().state, made.status().code) == (State.EXCLUDED, "deleted")
    made.exchange.insert_client("C-1", **CLIENT)
    made.exchange.insert_address("A-1", "C-1", **{**LINES, "street": "Krótka 2"})
    made.turn()
    assert (streets(made), rows(made)) == (["Krótka 2"], {"A-1": "Krótka 2"})
    assert quiet(made)


def test_collect_asks_for_no_new_row_where_the_panel_decides() -> None:
    made = world("panel_to_erp")
    made.exchange.insert_address("A-1", "C-1", **LINES)
    assert not wants(made)


def test_an_address_of_nobody_is_told_until_its_customer_has_a_client_or_it_goes() -> None:
    world = World()
    world.exchange.insert_address("A-1", "typo", street="Polna 1")
    world.exchange.insert_address("A-2", "typo", street="Polna 2")
    world.tick()
    for item in ("A-1", "A-2"):
        status = world.exchange.status("typo", "delivery_addresses", item)
        assert status
        assert (status.state, status.code) == (State.WAITING, "no_client")
    world.exchange.delete_address("A-2")
    world.tick()
    assert world.exchange.status("typo", "delivery_addresses", "A-2") is None
    world.exchange.insert_client("typo", **CLIENT)
    world.tick()
    world.tick()
    status = world.exchange.status("typo", "delivery_addresses", "A-1")
    assert status
    assert status.code != "no_client"


def test_the_pass_notices_an_account_that_the_panel_no_longer_shows() -> None:
    world = AddressWorld()
    for client in ("C-1", "C-2"):
        world.customer(client)
    world.turn()
    world.panel.remove(world.exchange.links["C-1"].panel_client_id)
    world.turn()
    status = world.exchange.status("C-1", "delivery_addresses")
    assert status
    assert (status.state, status.code) == (State.HELD, "account_gone")
    queued = world.counts.collected
    assert world.rotate()
    assert world.counts.collected == queued, "it is asked again at its own time, not by the pass"


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
@pytest.mark.parametrize(("old", "new"), [("A-1", "A-2"), ("A-2", "A-1")])
@pytest.mark.parametrize("after", [True, False])
def test_rows_that_were_numbered_anew_in_other_letters_double_nothing_though_the_process_dies(
    deletes: str, old: str, new: str, after: bool
) -> None:
    made = world(deletes=deletes)
    made.exchange.insert_address(old, "C-1", **LINES)
    made.panel.add_address("1", **LINES)
    made.turn()
    made.exchange.delete_address(old)
    made.exchange.insert_address(new, "C-1", **{**LINES, "street": "DŁUGA 5"})
    made.dies_at("update_addresses", after=after)
    assert not made.look()
    before = dict(made.panel.calls())
    for _ in range(3):
        made.turn()
    assert streets(made) == ["DŁUGA 5"]
    assert rows(made) == {new: "DŁUGA 5"}
    assert made.status(new).state is State.IN_STEP
    assert made.exchange.status("C-1", CONCERN, old) is None, "nothing is left of the former row"
    assert not made.spent(before).keys() & {ADD, DELETE}
    assert quiet(made)


def test_a_row_that_comes_back_beside_the_one_that_took_its_address_is_an_address_of_its_own() -> None:
    made = world()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.panel.add_address("1", **LINES)
    made.turn()
    made.exchange.delete_address("A-1")
    made.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "DŁUGA 5"})
    made.dies_at("update_addresses", after=True)
    assert not made.look()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    for _ in range(3):
        made.turn()
    assert len(made.shown()) == len(made.exchange.addresses) == 2
    assert {made.status(key).state for key in ("A-1", "A-2")} == {State.IN_STEP}
    assert quiet(made)


def away(made: AddressWorld, monkeypatch: pytest.MonkeyPatch, account: str, error: Retry | Halt) -> None:
    """Let the panel fail whenever it is asked for this account's addresses."""
    addresses = made.panel.addresses

    def failing(panel_client_ids: Sequence[str]) -> Mapping[str, Sequence[Address]]:
        if account in panel_client_ids:
            raise error
        return addresses(panel_client_ids)

    monkeypatch.setattr(made.panel, "addresses", failing)


@pytest.mark.parametrize("error", [Retry("panel_5xx"), Halt("panel_gate", "no")])
def test_a_batch_that_cannot_be_read_keeps_nobody_else_waiting(
    monkeypatch: pytest.MonkeyPatch, error: Retry | Halt
) -> None:
    made = AddressWorld(policy(batch=1))
    accounts = [made.customer(f"C-{n}") for n in range(1, 5)]
    for account in accounts:
        made.panel.add_address(account, **LINES)
    away(made, monkeypatch, accounts[1], error)
    assert not made.rotate(), "it is told"
    assert made.queue.take(CONCERN) == owners("C-1"), "what was found before is handed on"
    for _ in range(3):
        assert not made.rotate()
        assert made.queue.empty()
    assert not made.rotate(), "the fifth time in a row"
    if isinstance(error, Retry):
        assert made.queue.take(CONCERN) == owners("C-2"), "the worker finds out over whom the panel fails"
    assert not made.rotate(), "in the next round it has its turn again"
    assert made.queue.take(CONCERN) == owners("C-3", "C-4", "C-1")


def test_a_batch_that_can_be_read_again_begins_its_count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made = AddressWorld(policy(batch=1))
    accounts = [made.customer(f"C-{n}") for n in range(1, 3)]
    made.panel.add_address(accounts[1], **LINES)
    for _ in range(3):
        with monkeypatch.context() as context:
            away(made, context, accounts[1], Retry("panel_5xx"))
            for _ in range(4):
                assert not made.rotate()
        assert made.queue.empty()
        assert made.rotate()
        assert made.queue.take(CONCERN) == owners("C-2")


@pytest.mark.parametrize("asked", [False, True])
def test_a_row_whose_key_is_no_text_is_told_of_its_client_and_deletes_nothing(asked: bool) -> None:
    made = AddressWorld(policy(deletes="propagate"))
    account = made.customer()
    made.exchange.insert_address("A-1", "C-1", **LINES)
    made.look()
    made.exchange.delete_address("A-1")
    concern = made.run().concerns["delivery_addresses"]
    own, *items = concern.load([Owner("C-1")])
    records = [replace(own, odd_key=True), *items]
    shown = concern.read([own])[0][own.key.owner] if asked else None
    plans = concern.plans(records, shown)
    assert [(p.status.state, p.status.code) for p in plans[:1] if p.status] == [(State.HELD, "bad_id")]
    assert Act.DELETE not in {plan.act for plan in plans}
    assert Act.DELETE in {plan.act for plan in concern.plans([own, *items], concern.read([own])[0][own.key.owner])}
    assert account
