"""What a person answers in ``sync_status``: ``retry``, ``done``, and a word that means nothing there."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Owner
from tests.helpers import left_undone, linked, number_of, puts
from tests.world import CLIENT, World

BAD_POSTCODE = Reject("bad_postcode", field="zip_code", panel="zły kod / bad postcode")
IN_STEP, HELD, EXCLUDED, PENDING = State.IN_STEP, State.HELD, State.EXCLUDED, State.PENDING


def told(world: World, concern: str = "billing", item_id: str = "") -> tuple[State, str]:
    status = world.exchange.status("C-0", concern, item_id)
    assert status
    return status.state, status.code


def of_group(world: World) -> tuple[State, str]:
    status = world.exchange.status("", "discounts", group_id="G1")
    assert status
    return status.state, status.code


def refused() -> World:
    """Return an installation in which the panel has refused a postcode."""
    world = linked()
    world.panel.refuse("C-0", BAD_POSTCODE)
    world.exchange.update_client("C-0", zip_code="00-951")
    world.tick()
    assert told(world) == (HELD, "bad_postcode")
    return world


def decided(world: World, word: str, concern: str = "billing") -> str | None:
    world.exchange.decide_status("C-0", concern, word)
    world.tick()
    return world.exchange.decision("C-0", concern)


# --- retry


def test_retry_sends_what_was_refused_and_is_cleared() -> None:
    world = refused()
    world.panel.accept("C-0")
    world.tick()
    assert puts(world) == 1
    assert decided(world, " Retry") is None
    assert told(world) == (IN_STEP, "")
    assert world.panel.accounts["1"].values["zip_code"] == "00-951"


def test_retry_that_is_refused_again_is_held_again_after_one_call() -> None:
    world = refused()
    assert decided(world, "retry") is None
    world.tick()
    assert (puts(world), told(world)) == (2, (HELD, "bad_postcode"))


def test_retry_begins_counting_anew() -> None:
    world = linked(policy='{"retry": {"max_attempts": 4}}')
    world.panel.refuse("C-0", Reject("refused", panel="?"))
    world.exchange.update_client("C-0", street="Krótka 2")
    for _ in range(5):
        world.tick()
    assert (puts(world), told(world)) == (4, (HELD, "refused"))
    assert decided(world, "retry") is None
    assert told(world) == (PENDING, "refused")
    for _ in range(5):
        world.tick()
    assert (puts(world), told(world)) == (8, (HELD, "refused"))


def test_retry_does_not_wait_for_what_is_deferred() -> None:
    world = linked()
    world.panel.refuse("C-0", Reject("refused", panel="?"))
    world.exchange.update_client("C-0", street="Krótka 2")
    world.tick()
    world.panel.accept("C-0")
    world.exchange.decide_status("C-0", "billing", "retry")
    world.collect("billing")
    world.drain()
    world.follow()
    assert told(world) == (IN_STEP, "")


def test_retry_opens_an_account_that_was_refused() -> None:
    world = World()
    world.exchange.insert_client("C-0", **CLIENT)
    world.panel.refuse("C-0", Reject("bad_password", panel="?"))
    for _ in range(8):
        world.tick()
    assert told(world, "accounts") == (HELD, "bad_password")
    world.panel.accept("C-0")
    world.tick()
    assert "C-0" not in world.exchange.links
    assert decided(world, "retry", "accounts") is None
    assert "C-0" in world.exchange.links


def test_retry_tries_once_more_what_the_panel_does_not_take() -> None:
    world = linked()
    keeps, world.panel.keeps = world.panel.keeps, lambda name, value, before: before if name == "city" else value
    world.exchange.update_client("C-0", city="Gdynia")
    for _ in range(10):
        world.tick()
    assert told(world) == (HELD, "not_taken")
    world.panel.keeps = keeps
    assert decided(world, "retry") is None
    assert (told(world), world.panel.accounts["1"].values["city"]) == ((IN_STEP, ""), "Gdynia")


def test_an_outage_does_not_use_up_the_decision() -> None:
    world = refused()
    world.panel.accept("C-0")
    world.panel.fail(Retry("panel_5xx"))
    world.exchange.decide_status("C-0", "billing", "retry")
    world.collect("billing")
    world.drain()
    assert (told(world), world.exchange.decision("C-0", "billing")) == ((PENDING, "panel_5xx"), "retry")
    world.tick()
    assert (told(world), world.exchange.decision("C-0", "billing")) == ((IN_STEP, ""), None)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_process_that_dies_while_trying_again_loses_nothing(call: int, after: bool) -> None:
    world = refused()
    world.panel.accept("C-0")
    world.exchange.decide_status("C-0", "billing", "retry")
    world.dies_at("records.save", after=after, call=call)
    world.collect("billing")
    world.reconcile("billing", Owner("C-0"))
    world.tick()
    assert (told(world), world.panel.accounts["1"].values["zip_code"]) == ((IN_STEP, ""), "00-951")
    assert world.exchange.decision("C-0", "billing") is None


def test_retry_does_not_let_pass_what_the_brake_has_stopped() -> None:
    world = linked(60)
    for n in range(60):
        world.exchange.update_client(f"C-{n}", active=False)
    world.tick()
    assert "accounts" in world.paused()
    stopped = next(f"C-{n}" for n in range(60) if world.exchange.status(f"C-{n}", "accounts").code == "brake")  # type: ignore[union-attr]
    world.exchange.decide_status(stopped, "accounts", "retry")
    world.tick()
    assert world.panel.accounts[world.exchange.links[stopped].panel_client_id].values.get("active") is not False


# --- done


def test_done_takes_what_both_sides_show_until_either_changes() -> None:
    world = refused()
    assert decided(world, "done") is None
    world.tick()
    assert (told(world), puts(world)) == ((IN_STEP, ""), 1)
    assert not left_undone(world, "billing") | left_undone(world, "billing", asked=True)
    row, shown = world.exchange.clients["C-0"], world.panel.accounts["1"].values
    assert (row["zip_code"], shown["zip_code"]) == ("00-951", "00-950")
    world.panel.accept("C-0")
    world.exchange.update_client("C-0", zip_code="00-952")
    world.tick()
    assert world.panel.accounts["1"].values["zip_code"] == "00-952"


def test_done_leaves_the_fields_that_nobody_asked_about() -> None:
    world = refused()
    world.exchange.decide_status("C-0", "billing", "done")
    world.panel.accept("C-0")
    world.exchange.update_client("C-0", street="Krótka 2")
    before = world.exchange.bases[next(k for k in world.exchange.bases if k.concern == "billing")]
    world.tick()
    after = world.exchange.bases[next(k for k in world.exchange.bases if k.concern == "billing")]
    differing = {name for name in after.erp if after.erp[name] != before.erp.get(name)}
    assert differing == {"zip_code", "street"}


def test_done_closes_a_conflict_and_both_values_stay() -> None:
    world = linked(policy='{"billing": {"conflict": "hold"}}')
    world.exchange.update_client("C-0", street="z ERP")
    world.panel.edit("1", street="z panelu")
    world.tick()
    assert told(world) == (State.CONFLICT, "conflict")
    assert decided(world, "done") is None
    world.tick()
    assert told(world) == (IN_STEP, "")
    assert not world.exchange.open_conflict_ids()
    assert (world.exchange.clients["C-0"]["street"], world.panel.accounts["1"].values["street"]) == (
        "z ERP",
        "z panelu",
    )
    world.panel.edit("1", street="nowa")
    world.tick()
    assert world.exchange.clients["C-0"]["street"] == "nowa"


def test_done_on_a_client_without_an_account_leaves_it_alone_until_it_is_to_be_tried_again() -> None:
    world = World()
    world.exchange.insert_client("C-0", **{**CLIENT, "street": None})
    world.tick()
    assert told(world, "accounts") == (HELD, "incomplete")
    assert decided(world, "done", "accounts") is None
    assert told(world, "accounts") == (EXCLUDED, "by_hand")
    world.exchange.update_client("C-0", street="Długa 1")
    world.tick()
    assert (told(world, "accounts"), world.panel.accounts) == ((EXCLUDED, "by_hand"), {})
    assert not left_undone(world, "accounts")
    assert decided(world, "retry", "accounts") is None
    assert told(world, "accounts") == (IN_STEP, "")


def test_a_client_left_alone_is_said_to_be_deleted_once_it_is() -> None:
    world = World()
    world.exchange.insert_client("C-0", **{**CLIENT, "street": None})
    world.tick()
    decided(world, "done", "accounts")
    world.exchange.delete_client("C-0")
    world.tick()
    assert told(world, "accounts") == (EXCLUDED, "deleted")


def test_done_on_an_address_that_the_panel_has_not_leaves_it_alone() -> None:
    world = linked()
    world.exchange.insert_address("A-1", "C-0", first_name="Anna")
    world.tick()
    assert told(world, "delivery_addresses", "A-1") == (HELD, "incomplete")
    world.exchange.decide_status("C-0", "delivery_addresses", "done", item_id="A-1")
    world.tick()
    world.tick()
    assert told(world, "delivery_addresses", "A-1") == (EXCLUDED, "by_hand")
    assert not left_undone(world, "delivery_addresses")
    world.exchange.decide_status("C-0", "delivery_addresses", "retry", item_id="A-1")
    world.tick()
    assert told(world, "delivery_addresses", "A-1") == (HELD, "incomplete")


def test_done_on_an_address_that_both_have_takes_both_as_they_are() -> None:
    world = linked()
    whole = {"first_name": "Anna", "last_name": "Nowak", "street": "Długa 1", "zip_code": "00-950", "city": "Łódź"}
    world.exchange.insert_address("A-1", "C-0", **whole)
    world.tick()
    world.panel.refuse("C-0")
    world.exchange.update_address("A-1", street="Krótka 2")
    world.tick()
    assert told(world, "delivery_addresses", "A-1")[0] is PENDING
    world.exchange.decide_status("C-0", "delivery_addresses", "done", item_id="A-1")
    world.tick()
    assert told(world, "delivery_addresses", "A-1") == (IN_STEP, "")
    assert not left_undone(world, "delivery_addresses", asked=True)


# --- groups


@pytest.mark.parametrize(("word", "shown"), [("done", "Hurt"), ("retry", "Hurt 2")])
def test_a_groups_refused_name_is_settled_by_hand_or_tried_again(word: str, shown: str) -> None:
    world = linked()
    world.exchange.set_group("G1", "Hurt")
    world.tick()
    number = number_of(world)
    world.panel.refuse(number, Reject("refused", panel="?"))
    world.exchange.set_group("G1", "Hurt 2")
    for _ in range(9):
        world.tick()
    assert of_group(world) == (HELD, "refused")
    world.panel.accept(number)
    world.exchange.decide_status("", "discounts", word, group_id="G1")
    world.tick()
    world.tick()
    assert (of_group(world), world.exchange.decision("", "discounts", group_id="G1")) == ((IN_STEP, ""), None)
    assert {group.name for group in world.panel.groups(0, 100)[0]} == {shown}


# --- words that mean nothing there


@pytest.mark.parametrize("word", ["send", "perhaps", "erp"])
def test_a_word_that_means_nothing_there_stays_and_is_told_until_it_is_taken_back(word: str) -> None:
    world = linked()
    assert decided(world, word) == word
    assert told(world) == (HELD, "bad_decision")
    world.tick()
    assert not left_undone(world, "billing") | left_undone(world, "billing", asked=True)
    world.exchange.decide_status("C-0", "billing", None)
    world.tick()
    assert told(world) == (IN_STEP, "")


def test_a_bad_word_keeps_no_field_back() -> None:
    world = linked()
    world.exchange.decide_status("C-0", "billing", "perhaps")
    world.exchange.update_client("C-0", street="Krótka 2")
    world.tick()
    assert (told(world), world.panel.accounts["1"].values["street"]) == ((HELD, "bad_decision"), "Krótka 2")


def test_done_means_nothing_where_the_link_leads_nowhere() -> None:
    world = linked()
    world.panel.remove("1")
    world.exchange.update_client("C-0", street="Krótka 2")
    world.tick()
    assert told(world) == (HELD, "account_gone")
    assert decided(world, "done") == "done"
    assert told(world) == (HELD, "bad_decision")


def test_a_client_that_is_to_be_tried_again_is_not_tried_without_a_pause() -> None:
    """The decision stands while the call that opens its account is not answered; the tries are counted all the same."""
    world = World().knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.panel.refuse("C-0", Reject("bad_email", field="email"))
    world.tick()
    world.panel.accept("C-0")
    world.exchange.decide_status("C-0", "accounts", "retry")
    world.panel.fail_over("C-0")
    calls = world.panel.calls()["POST clients/clients"]
    world.tick()
    assert world.exchange.decision("C-0", "accounts") == "retry"
    assert world.panel.calls()["POST clients/clients"] - calls <= 4
    world.panel.recover_from("C-0")
    world.tick()
    assert world.exchange.links["C-0"]
    assert world.exchange.decision("C-0", "accounts") is None
