"""Billing, both ways: what is edited on one side reaches the other, and nobody is overwritten silently."""

from __future__ import annotations

import pytest

from kartoteka import codes
from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Owner, Value
from kartoteka.policy import parse
from tests.world import CLIENT, World

HOLD = parse('{"billing": {"conflict": "hold"}, "retry": {"max_attempts": 3}}')


def linked(policy: str = "{}") -> World:
    """Return an installation with one customer in step, in a quiet feed."""
    world = World(parse(policy))
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    return world


def row(world: World) -> dict[str, Value]:
    """Return the ERP's row."""
    found = world.exchange.client("C-1")
    assert found
    return dict(found)


def shown(world: World) -> dict[str, Value]:
    """Return the panel's record."""
    return dict(world.panel.accounts["1"].values)


def reasons(world: World) -> list[tuple[str, str, str]]:
    """Return the history since the account was created: field, direction, reason."""
    return [(h.field, h.direction, h.reason) for h in world.exchange.history if h.reason != "create"]


def test_an_edit_in_the_erp_reaches_the_panel_in_one_call() -> None:
    world = linked()
    world.exchange.update_client("C-1", street="Krótka 2")
    world.tick()
    assert shown(world)["street"] == "Krótka 2"
    assert world.panel.calls()["PUT clients/clients"] == 1
    assert reasons(world) == [("street", "erp_to_panel", "edit")]


def test_an_edit_in_the_panel_reaches_the_row_and_is_not_collected_again() -> None:
    world = linked()
    world.panel.edit("1", street="Krótka 2")
    world.tick()
    assert row(world)["street"] == "Krótka 2"
    assert reasons(world) == [("street", "panel_to_erp", "edit")]
    before = world.counts.collected
    world.tick()
    world.tick()
    assert world.counts.collected == before


@pytest.mark.fault(48)
def test_different_fields_edited_on_both_sides_both_survive() -> None:
    world = linked()
    world.exchange.update_client("C-1", street="Krótka 2")
    world.panel.edit("1", email="nowy@firma.pl")
    world.tick()
    assert (shown(world)["street"], row(world)["email"]) == ("Krótka 2", "nowy@firma.pl")
    assert not world.exchange.conflicts


@pytest.mark.fault(49)
@pytest.mark.parametrize(("rule", "kept"), [("erp", "z ERP"), ("panel", "z panelu")])
def test_the_same_field_edited_on_both_sides_follows_the_policy_and_is_written_down(rule: str, kept: str) -> None:
    world = linked(f'{{"billing": {{"conflict": "{rule}"}}}}')
    world.exchange.update_client("C-1", street="z ERP")
    world.panel.edit("1", street="z panelu")
    world.tick()
    assert (row(world)["street"], shown(world)["street"]) == (kept, kept)
    (conflict,) = world.exchange.conflicts
    assert (conflict.field, conflict.base_value, conflict.erp_value, conflict.panel_value) == (
        "street",
        "Długa 1",
        "z ERP",
        "z panelu",
    )
    assert (conflict.decision, conflict.closed_at is not None) == (rule, True)
    assert [reason for *_, reason in reasons(world)] == ["conflict"]


@pytest.mark.parametrize(("decision", "kept"), [("erp", "z ERP"), ("panel", "z panelu")])
def test_a_held_conflict_waits_and_one_update_settles_it(decision: str, kept: str) -> None:
    world = linked('{"billing": {"conflict": "hold"}}')
    world.exchange.update_client("C-1", street="z ERP", city="Gdynia")
    world.panel.edit("1", street="z panelu")
    world.tick()
    assert (row(world)["street"], shown(world)["street"]) == ("z ERP", "z panelu")
    assert shown(world)["city"] == "Gdynia"
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, "street" in status.message_en) == (State.CONFLICT, True)
    world.tick()
    (number,) = world.exchange.open_conflict_ids()
    world.exchange.decide(number, decision)
    world.tick()
    assert (row(world)["street"], shown(world)["street"]) == (kept, kept)
    assert not world.exchange.open_conflict_ids()
    assert [c.decided_at is not None for c in world.exchange.conflicts] == [True]


def test_a_held_conflict_is_told_once_however_often_it_is_looked_at() -> None:
    world = linked('{"billing": {"conflict": "hold"}}')
    world.exchange.update_client("C-1", street="z ERP")
    world.panel.edit("1", street="z panelu")
    for _ in range(4):
        world.tick()
    assert len(world.exchange.conflicts) == 1
    assert world.counts.conflicts == 1


def test_an_edit_that_makes_both_equal_closes_a_conflict_by_itself() -> None:
    world = linked('{"billing": {"conflict": "hold"}}')
    world.exchange.update_client("C-1", street="z ERP")
    world.panel.edit("1", street="z panelu")
    world.tick()
    world.exchange.update_client("C-1", street="z panelu")
    world.tick()
    assert not world.exchange.open_conflict_ids()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert status.state is State.IN_STEP


def test_drift_of_a_one_way_field_is_put_right() -> None:
    world = linked()
    world.panel.edit("1", nip="9999999999")
    world.tick()
    assert shown(world)["nip"] == "5250001233"
    assert reasons(world) == [("nip", "erp_to_panel", "drift")]


def test_an_emptied_field_erases_nothing_unless_the_policy_says_so() -> None:
    keeping = linked()
    keeping.exchange.update_client("C-1", phone="")
    keeping.tick()
    assert shown(keeping)["phone"] == "501502503"
    assert row(keeping)["phone"] == ""
    erasing = linked('{"billing": {"fields": {"phone": {"empty": "erase"}}}}')
    erasing.exchange.update_client("C-1", phone=None)
    erasing.tick()
    assert shown(erasing)["phone"] in ("", None)


def test_a_lost_reply_to_an_update_makes_no_conflict_of_the_next_edit() -> None:
    world = linked()
    world.exchange.update_client("C-1", street="Krótka 2")
    world.panel.lose_reply()
    world.tick()
    world.panel.edit("1", street="z panelu")
    world.tick()
    assert row(world)["street"] == "z panelu"


def test_a_losing_value_is_told_even_when_the_reply_is_lost() -> None:
    world = linked()
    world.exchange.update_client("C-1", street="z ERP")
    world.panel.edit("1", street="z panelu")
    world.panel.lose_reply()
    world.tick()
    world.tick()
    (conflict,) = world.exchange.conflicts
    assert (conflict.panel_value, conflict.decision, conflict.closed_at is not None) == ("z panelu", "erp", True)
    assert ("street", "erp_to_panel", "conflict") in reasons(world)


def test_where_the_erp_was_faster_the_record_is_looked_at_again() -> None:
    world = linked()
    world.panel.edit("1", street="z panelu")

    def faster() -> None:
        world.exchange.before_save = None
        world.exchange.update_client("C-1", street="z ERP")

    world.exchange.before_save = faster
    world.tick()
    (conflict,) = world.exchange.conflicts
    assert (conflict.erp_value, conflict.panel_value, conflict.decision) == ("z ERP", "z panelu", "erp")
    assert row(world)["street"] == shown(world)["street"] == "z ERP"


def test_a_refused_edit_is_deferred_with_its_reason_and_the_other_direction_goes_on() -> None:
    world = linked()
    world.panel.refuse("C-1", Reject("refused", panel="zły kod / bad postcode"))
    world.exchange.update_client("C-1", zip_code="xx")
    world.panel.edit("1", city="Gdynia")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.PENDING, "refused")
    assert row(world)["city"] == "Gdynia"


def test_contents_that_the_panel_refuses_by_name_are_held_at_once_and_cost_no_second_call() -> None:
    world = linked()
    world.panel.refuse("C-1", Reject("bad_postcode", field="zip_code", panel="zły kod / bad postcode"))
    world.exchange.update_client("C-1", zip_code="00-000")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status is not None
    assert (status.state, status.code, status.field) == (State.HELD, "bad_postcode", "zip_code")
    writes = world.panel.calls()["PUT clients/clients"]
    world.pass_time(hours=25)
    world.tick()
    assert world.panel.calls()["PUT clients/clients"] == writes
    world.panel.accept("C-1")
    world.exchange.update_client("C-1", zip_code="00-951")
    world.tick()
    assert shown(world)["zip_code"] == "00-951"


def test_a_value_of_the_panel_that_the_column_cannot_hold_is_refused_by_name() -> None:
    world = linked()
    world.panel.edit("1", city="x" * 101, street="Krótka 2")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.code, "city" in status.message_en) == ("too_long", True)
    assert row(world)["city"] == "Łódź"


def test_what_the_erps_own_database_refuses_is_deferred_and_keeps_its_neighbours() -> None:
    world = linked()
    world.exchange.insert_client("C-2", **CLIENT)
    world.tick()
    world.exchange.refuse("C-1", "check constraint")
    for account in ("1", "2"):
        world.panel.edit(account, city="Gdynia")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.PENDING, "refused_by_erp")
    other = world.exchange.client("C-2")
    assert other
    assert other["city"] == "Gdynia"


def test_what_the_erps_own_database_refused_together_goes_once_what_it_refused_is_corrected() -> None:
    world = linked('{"retry": {"max_attempts": 1}}')
    world.exchange.refuse("C-1", "check of the phone")
    world.panel.edit("1", city="Radom", phone="600700800")
    world.tick()
    world.exchange.refuse("C-1", None)
    world.tick()
    assert (row(world)["city"], row(world)["phone"]) == (CLIENT["city"], CLIENT["phone"])  # nothing has changed
    world.panel.edit("1", phone="600700801")
    world.tick()
    assert (row(world)["city"], row(world)["phone"]) == ("Radom", "600700801")


def test_a_customer_whose_account_is_gone_is_held() -> None:
    world = linked()
    world.panel.remove("1")
    world.exchange.update_client("C-1", city="Gdynia")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.HELD, "account_gone")


def test_what_was_held_and_then_undone_is_in_step_again() -> None:
    world = linked('{"retry": {"max_attempts": 1}}')
    world.exchange.update_client("C-1", email="bad")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert status.state is State.HELD
    world.exchange.update_client("C-1", email=CLIENT["email"])
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert status.state is State.IN_STEP


def test_an_edit_in_the_panel_while_the_row_is_away_is_carried_when_it_returns() -> None:
    world = linked()
    world.exchange.delete_client("C-1")
    world.tick()
    world.panel.edit("1", city="Gdynia")
    world.tick()
    world.pass_time(hours=2)
    world.tick()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert row(world)["city"] == "Gdynia"


def test_a_read_that_is_refused_as_a_whole_is_split() -> None:
    world = linked()
    for n in range(2, 9):
        world.exchange.insert_client(f"C-{n}", **CLIENT)
    world.tick()
    world.panel.fail(Reject("refused_whole", panel="422"))
    for n in range(1, 9):
        world.exchange.update_client(f"C-{n}", city="Gdynia")
    world.tick()
    assert all(account.values["city"] == "Gdynia" for account in world.panel.accounts.values())


@pytest.mark.parametrize("code", ["C-9", ""])
def test_an_account_that_carries_another_code_is_never_mixed_with_this_customer(code: str) -> None:
    world = linked()
    world.panel.recode("1", code)
    world.panel.edit("1", street="cudza")
    world.exchange.update_client("C-1", city="Gdynia")
    world.tick()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.HELD, "another_account")
    assert (row(world)["street"], shown(world)["city"]) == ("Długa 1", "Łódź")
    calls = dict(world.panel.calls())
    world.tick()
    assert world.panel.calls()["GET clients/clients"] == calls["GET clients/clients"] + 1


def test_a_new_link_begins_without_the_old_accounts_agreement() -> None:
    world = linked()
    world.panel.remove("1")
    world.exchange.links.clear()
    world.panel.register({**CLIENT, "street": "cudza"}, login="inny", external_code="C-1")
    world.exchange.update_client("C-1", phone="600100200")
    world.tick()
    assert row(world)["street"] == "Długa 1"
    assert [c.panel_value for c in world.exchange.conflicts if c.field == "street"] == ["cudza"]


def test_a_record_that_loses_its_country_comes_to_rest() -> None:
    world = World()
    world.exchange.insert_client("C-1", **{**CLIENT, "country_code": "DE", "phone": "030 123456"})
    world.tick()
    world.tick()
    world.exchange.update_client("C-1", country_code=None)
    for _ in range(3):
        world.tick()
    assert "PUT clients/clients" not in world.panel.calls()


def test_after_a_lost_reply_a_foreign_phone_is_recognised_as_carried() -> None:
    world = World()
    world.exchange.insert_client("C-1", **{**CLIENT, "country_code": "DE"})
    world.tick()
    world.tick()
    world.exchange.update_client("C-1", phone="030 123456")
    world.panel.lose_reply()
    world.tick()
    world.exchange.update_client("C-1", phone="030 654321")
    world.tick()
    assert not world.exchange.conflicts


def test_a_quiet_tick_costs_one_feed_call_and_writes_nothing_but_how_far_that_has_read() -> None:
    world = linked()
    before, head = dict(world.panel.calls()), world.exchange.log_head()
    documents = dict(world.state.documents)
    world.tick()
    after = dict(world.panel.calls())
    assert {gate: after[gate] - before.get(gate, 0) for gate in after if after[gate] != before.get(gate)} == {
        "GET clients/clients": 1
    }
    assert world.exchange.log_head() == head
    assert world.state.documents | {"feed": None} == documents | {"feed": None}


def test_a_refill_with_equal_rows_costs_no_panel_call() -> None:
    world = linked()
    before = dict(world.panel.calls())
    world.exchange.delete_client("C-1")
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("billing")
    world.collect("accounts")
    world.drain()
    assert dict(world.panel.calls()) == before


@pytest.mark.parametrize("direction", ["off"])
def test_a_concern_that_is_off_is_neither_read_nor_written(direction: str) -> None:
    world = linked(f'{{"billing": {{"direction": "{direction}"}}}}')
    world.exchange.update_client("C-1", street="z ERP")
    world.panel.edit("1", city="Gdynia")
    world.tick()
    assert (shown(world)["street"], row(world)["city"]) == ("Długa 1", "Łódź")


def test_a_long_outage_ends_in_step() -> None:
    world = linked()
    world.exchange.update_client("C-1", street="Krótka 2")
    world.panel.fail(*[Retry("panel_5xx")] * 6)
    for _ in range(10):
        world.tick()
    assert shown(world)["street"] == "Krótka 2"


def test_a_code_that_was_put_back_in_the_panel_is_enough() -> None:
    world = linked()
    world.exchange.set_shops("C-1", 2)
    world.tick()
    world.panel.recode("1", "ZZZ")
    world.tick()
    concerns = ("billing", "shops")
    statuses = [world.exchange.status("C-1", concern) for concern in concerns]
    assert [s.code for s in statuses if s] == ["another_account"] * 2
    world.panel.recode("1", "C-1")
    world.tick()
    world.pass_time(hours=1)
    world.tick()
    assert [world.exchange.status("C-1", concern) for concern in concerns] == [codes.IN_STEP] * 2


def test_another_account_after_one_that_was_gone_starts_afresh() -> None:
    world = linked()
    world.panel.remove("1")
    world.queue.send("delivery_addresses", [Owner("C-1")])
    world.drain()
    status = world.exchange.status("C-1", "delivery_addresses")
    assert status
    assert status.code == "account_gone"
    del world.exchange.links["C-1"]
    world.exchange.update_client("C-1", phone="600100200")
    world.tick()
    assert not world.panel.accounts, "a panel that shows nobody at all is asked some times before it is believed"
    for _ in range(5):
        world.tick()
    assert len(world.panel.accounts) == 1
    assert world.exchange.status("C-1", "delivery_addresses") is None
