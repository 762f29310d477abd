"""``sync_exclusions``: a client is left alone in a concern, both ways, and nothing is lost when it is back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kartoteka.codes import State
from kartoteka.desk import undo
from kartoteka.errors import Reject
from kartoteka.model import Key, Owner, Planned, RecordState, Value
from kartoteka.policy import Policy, parse
from kartoteka.ports.exchange import Which
from tests.helpers import account_of, unbraked
from tests.world import ADDRESS, CLIENT, CONCERNS, World

OTHER: dict[str, Value] = {**CLIENT, "nip": "7792369887", "email": "inna@spolka.pl", "company": "Inna"}
CREDIT: dict[str, Value] = {
    "credit_allowed": True,
    "credit_limit": "1000.00",
    "balance": "10.00",
    "currency": "PLN",
    "payment_days": "14",
}


def installed(policy: str = "{}", *, ticks: int = 3) -> World:
    """An installation with one client who has something of every concern, and all in step."""
    world = World(unbraked(policy)).knows_the_panel()
    world.exchange.set_group("G1", "Hurt")
    world.exchange.insert_client("C-1", **CLIENT, discount_group_id="G1")
    world.exchange.insert_address("A-1", "C-1", **ADDRESS)
    world.exchange.set_shops("C-1", 1)
    world.exchange.set_credit("C-1", **CREDIT, as_of=world.time)
    for _ in range(ticks):
        world.tick()
    return world


def told(world: World, concern: str, item: str = "", client: str = "C-1") -> tuple[State, str] | None:
    status = world.exchange.status(client, concern, item)
    return (status.state, status.code) if status else None


def shown(world: World, field: str, client: str = "C-1") -> Value:
    return world.panel.accounts[account_of(world, client)].values[field]


def made_since(world: World, before: Mapping[str, int]) -> dict[str, int]:
    return {gate: n - before.get(gate, 0) for gate, n in world.panel.calls().items() if n > before.get(gate, 0)}


def writes(world: World) -> int:
    return sum(n for gate, n in world.panel.calls().items() if not gate.startswith("GET"))


EXCLUDED = (State.EXCLUDED, "excluded")
IN_STEP = (State.IN_STEP, "")


@pytest.mark.parametrize("concern", CONCERNS)
def test_a_client_is_left_alone_in_a_concern_and_keeps_its_base(concern: str) -> None:
    world = installed()
    key = Key("C-1", "", concern)
    before = dict(world.exchange.bases)
    world.exchange.exclude("C-1", concern)
    world.tick()
    assert told(world, concern) == EXCLUDED
    if concern == "delivery_addresses":
        assert told(world, concern, "A-1") == EXCLUDED
    assert dict(world.exchange.bases) == before
    assert world.exchange.states[key].deferral is None
    others = {c for c in CONCERNS if c != concern}
    assert {c for c in others if told(world, c) not in (IN_STEP, None)} == set()
    written, history, head = writes(world), len(world.exchange.history), world.exchange.log_head()
    collected = world.counts.collected
    world.tick()
    world.rotate()
    world.drain()
    assert (writes(world), len(world.exchange.history), world.exchange.log_head()) == (written, history, head)
    assert world.counts.collected == collected
    world.exchange.include("C-1", concern)
    world.tick()
    world.tick()
    assert told(world, concern) in (IN_STEP, None)
    assert len(world.exchange.history) == history


def edit_all(world: World) -> None:
    """Edit something of every concern, in the ERP."""
    world.exchange.update_client("C-1", street="Inna 7", active=False, discount_group_id=None)
    world.exchange.set_group("G2", "Detal")
    world.exchange.update_client("C-1", discount_group_id="G2")
    world.exchange.update_address("A-1", street="Boczna 9")
    world.exchange.set_shops("C-1", 2)
    world.exchange.set_credit("C-1", credit_limit="77.00", as_of=world.time)


def state_of_panel(world: World) -> dict[str, object]:
    """Return what the panel has of each concern."""
    key = account_of(world, "C-1")
    values = world.panel.accounts[key].values
    return {
        "accounts": key in world.panel.closed_among([key]),
        "billing": values["street"],
        "shops": values["shops"],
        "discounts": values["discount_group_id"],
        "credit": values["credit_limit"],
        "delivery_addresses": [a.values["street"] for a in world.panel.addresses([key])[key]],
    }


@pytest.mark.parametrize("concern", CONCERNS)
def test_what_the_erp_edits_meanwhile_travels_once_the_client_is_included_and_the_others_at_once(concern: str) -> None:
    world = installed()
    before = state_of_panel(world)
    world.exchange.exclude("C-1", concern, "na prośbę")
    edit_all(world)
    world.tick()
    world.tick()
    assert state_of_panel(world)[concern] == before[concern]
    moved = state_of_panel(world)
    assert {c for c in CONCERNS if moved[c] == before[c]} == {concern}
    world.exchange.include("C-1", concern)
    world.tick()
    world.tick()
    assert state_of_panel(world)[concern] != before[concern]


@pytest.mark.parametrize("first", [True, False], ids=["told", "not told yet"])
def test_what_the_panel_edits_meanwhile_comes_back_though_its_feed_has_passed(first: bool) -> None:
    world = installed()
    world.exchange.exclude("C-1", "billing")
    if first:
        world.tick()
    world.panel.edit(account_of(world, "C-1"), street="Panelowa 1")
    assert world.follow()
    world.drain()
    world.pass_time(seconds=3000)
    world.tick()
    assert world.exchange.clients["C-1"]["street"] == CLIENT["street"]
    world.exchange.include("C-1", "billing")
    world.tick()
    assert world.exchange.clients["C-1"]["street"] == "Panelowa 1"


def test_an_address_of_the_panel_comes_and_a_deletion_is_judged_once_the_client_is_included() -> None:
    world = installed('{"delivery_addresses": {"deletes": "propagate"}}')
    key = account_of(world, "C-1")
    world.exchange.exclude("C-1", "delivery_addresses")
    world.tick()
    world.panel.add_address(key, **{**ADDRESS, "street": "Z panelu 1"})
    world.exchange.delete_address("A-1")
    world.exchange.insert_address("A-2", "C-1", **{**ADDRESS, "street": "Z ERP 2"})
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    streets = [a.values["street"] for a in world.panel.addresses([key])[key]]
    assert sorted(map(str, streets)) == ["Nowa 3", "Z panelu 1"]
    assert set(world.exchange.addresses) == {"A-2"}
    assert told(world, "delivery_addresses", "A-2") == EXCLUDED
    world.exchange.include("C-1", "delivery_addresses")
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    streets = [a.values["street"] for a in world.panel.addresses([key])[key]]
    assert sorted(map(str, streets)) == ["Z ERP 2", "Z panelu 1"]
    assert {str(row["street"]) for row in world.exchange.addresses.values()} == {"Z ERP 2", "Z panelu 1"}


def test_an_address_that_came_and_went_while_its_client_was_excluded_is_nothing_to_be_told_of() -> None:
    world = installed()
    world.exchange.exclude("C-1", "delivery_addresses")
    world.exchange.insert_address("A-2", "C-1", **ADDRESS)
    world.tick()
    assert told(world, "delivery_addresses", "A-2") == EXCLUDED
    world.exchange.delete_address("A-2")
    world.tick()
    assert Key("C-1", "", "delivery_addresses", "A-2") not in world.exchange.states


def test_both_sides_edited_meanwhile_is_a_conflict_by_the_policy_and_none_before() -> None:
    world = installed('{"billing": {"conflict": "hold"}}')
    world.exchange.exclude("C-1", "billing")
    world.exchange.update_client("C-1", street="ERP 1")
    world.pass_time(seconds=5)
    world.panel.edit(account_of(world, "C-1"), street="Panel 1")
    world.tick()
    world.tick()
    assert world.exchange.conflicts == []
    world.exchange.include("C-1", "billing")
    world.tick()
    (conflict,) = world.exchange.conflicts
    assert (conflict.erp_value, conflict.panel_value, conflict.base_value) == ("ERP 1", "Panel 1", CLIENT["street"])


def test_an_open_conflict_waits_and_what_is_decided_of_it_counts_afterwards() -> None:
    world = installed('{"billing": {"conflict": "hold"}}')
    world.exchange.update_client("C-1", street="ERP 1")
    world.pass_time(seconds=5)
    world.panel.edit(account_of(world, "C-1"), street="Panel 1")
    world.tick()
    (open_one,) = world.exchange.open_conflict_ids()
    world.exchange.exclude("C-1", "billing")
    world.tick()
    world.exchange.decide(open_one, "panel")
    world.tick()
    assert world.exchange.open_conflict_ids() == [open_one]
    assert (world.exchange.clients["C-1"]["street"], shown(world, "street")) == ("ERP 1", "Panel 1")
    world.exchange.include("C-1", "billing")
    world.tick()
    world.tick()
    assert (world.exchange.clients["C-1"]["street"], world.exchange.open_conflict_ids()) == ("Panel 1", [])


def test_excluded_from_accounts_nothing_is_opened_and_then_one_account_is() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.exclude("C-1", "accounts")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    assert (world.panel.accounts, told(world, "accounts")) == ({}, EXCLUDED)
    assert (world.exchange.deferrals, told(world, "billing")) == ({}, None)
    world.exchange.include("C-1", "accounts")
    world.tick()
    world.tick()
    assert [a.external_code for a in world.panel.accounts.values()] == ["C-1"]
    assert told(world, "accounts") == told(world, "billing") == IN_STEP


@pytest.mark.parametrize("code", ["C-1", ""], ids=["by its code", "by its tax number"])
def test_excluded_from_accounts_nothing_is_linked(code: str) -> None:
    world = World(parse("{}"))
    world.exchange.exclude("C-1", "accounts")
    world.exchange.insert_client("C-1", **CLIENT)
    key = world.panel.register(CLIENT, external_code=code)
    world.knows_the_panel()
    world.tick()
    world.tick()
    assert (world.exchange.links, world.panel.accounts[key].external_code) == ({}, code)
    world.exchange.include("C-1", "accounts")
    world.tick()
    assert world.exchange.links["C-1"].panel_client_id == key


def test_excluded_from_accounts_nothing_is_closed_and_the_other_concerns_go_on() -> None:
    world = installed('{"accounts": {"deletes": "propagate"}}')
    key = account_of(world, "C-1")
    world.exchange.exclude("C-1", "accounts")
    world.exchange.update_client("C-1", active=False, street="Nowa 5")
    world.tick()
    world.tick()
    assert (world.panel.closed_among([key]), shown(world, "street")) == (set(), "Nowa 5")
    world.exchange.delete_client("C-1")
    world.tick()
    world.pass_time(minutes=20)
    world.tick()
    assert world.panel.closed_among([key]) == set()
    assert told(world, "accounts") == (State.EXCLUDED, "deleted")
    world.exchange.include("C-1", "accounts")
    world.tick()
    world.tick()
    assert world.panel.closed_among([key]) == {key}


def test_an_account_is_opened_without_what_its_client_is_excluded_from_but_for_what_the_panel_requires() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.exclude("C-1", "billing")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    values = world.panel.accounts[account_of(world, "C-1")].values
    assert (values["street"], values["company"]) == (CLIENT["street"], CLIENT["company"])
    assert not values.get("phone")
    assert told(world, "billing") == EXCLUDED
    world.exchange.include("C-1", "billing")
    world.tick()
    world.tick()
    assert shown(world, "phone") == CLIENT["phone"]
    assert told(world, "billing") == IN_STEP


@pytest.mark.parametrize("concern", [c for c in CONCERNS if c != "accounts"])
def test_a_client_that_is_linked_while_it_is_excluded_from_a_concern_is_told_so_and_settles(concern: str) -> None:
    world = installed(ticks=0)
    world.exchange.exclude("C-1", concern)
    world.tick()
    assert told(world, concern) == EXCLUDED
    for _ in range(3):
        world.tick()
    assert told(world, concern) == EXCLUDED
    assert {c for c in CONCERNS if c != concern and told(world, c) not in (IN_STEP, None)} == set()
    if concern == "delivery_addresses":
        assert told(world, concern, "A-1") == EXCLUDED
        assert list(world.panel.addresses([account_of(world, "C-1")]).values()) in ([[]], [()])
    world.exchange.include("C-1", concern)
    for _ in range(3):
        world.tick()
    assert told(world, concern) in (IN_STEP, None)
    if concern == "credit":
        assert shown(world, "credit_limit") == "1000.00"


@pytest.mark.parametrize("concern", [c for c in CONCERNS if c != "accounts"])
def test_a_client_that_was_excluded_before_it_has_an_account_is_so_still(concern: str) -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, "phone": None, "nip": None, "email": ""})
    world.exchange.exclude("C-1", concern)
    world.tick()
    assert told(world, concern) == EXCLUDED
    world.exchange.update_client("C-1", email="biuro@firma.pl")
    world.tick()
    assert (set(world.exchange.links), told(world, concern)) == ({"C-1"}, EXCLUDED)
    assert world.exchange.states[Key("C-1", "", concern)].deferral is None


def test_a_client_without_an_account_is_told_so_as_long_as_it_is_excluded() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, "email": ""})
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert told(world, "billing") == EXCLUDED
    world.exchange.include("C-1", "billing")
    world.tick()
    assert told(world, "billing") is None


@pytest.mark.parametrize("concern", CONCERNS)
def test_the_panel_is_asked_nothing_of_it_whatever_brings_its_key(
    concern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = installed()
    for each in CONCERNS:  # of the others nothing is to be asked either
        world.exchange.exclude("C-1", each)
    world.tick()
    world.panel.edit(account_of(world, "C-1"), street="Panelowa 1", city="Radom")
    before = world.panel.calls()
    assert world.reconcile(concern, Owner("C-1"))
    assert world.rotate()
    assert made_since(world, before) == {}
    for about_it in ("closed_among", "addresses"):  # the feed's own reading goes on
        monkeypatch.setattr(world.panel, about_it, None)
    assert world.follow()
    assert made_since(world, before).keys() == {"GET clients/clients"}


def test_the_panel_is_asked_nothing_of_a_client_without_an_account() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.exclude("C-1", "accounts")
    before = world.panel.calls()
    assert world.collect("accounts")
    assert world.reconcile("accounts", Owner("C-1"))
    assert world.panel.calls() == before


def test_what_is_deferred_is_not_tried_again_and_goes_on_afterwards() -> None:
    world = installed()
    world.panel.refuse("C-1")
    world.exchange.update_client("C-1", street="Nowa 5")
    world.tick()
    assert world.exchange.deferrals
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert world.exchange.deferrals == {}
    world.panel.accept("C-1")
    before = writes(world)
    world.pass_time(hours=5)
    world.tick()
    assert (writes(world), shown(world, "street")) == (before, CLIENT["street"])
    world.exchange.include("C-1", "billing")
    world.tick()
    assert shown(world, "street") == "Nowa 5"


def test_a_lost_reply_is_cleared_up_once_the_client_is_included() -> None:
    world = installed()
    world.exchange.update_client("C-1", street="Nowa 5")
    world.collect("billing")
    world.panel.lose_reply()
    world.work("billing")
    assert world.exchange.intents
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert (set(world.exchange.intents), told(world, "billing")) == ({Key("C-1", "", "billing")}, EXCLUDED)
    world.exchange.include("C-1", "billing")
    world.tick()
    world.tick()
    assert (shown(world, "street"), world.exchange.intents) == ("Nowa 5", {})
    assert [h.value_after for h in world.exchange.history if h.concern == "billing" and h.field] == ["Nowa 5"]


def test_an_opening_whose_reply_was_lost_makes_no_second_account() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("accounts")
    world.panel.lose_reply()
    world.dies_at("records.save", call=2)
    world.work("accounts")
    world.exchange.exclude("C-1", "accounts")
    world.tick()
    assert (len(world.panel.accounts), world.exchange.links) == (1, {})
    world.exchange.include("C-1", "accounts")
    world.tick()
    world.tick()
    assert (len(world.panel.accounts), set(world.exchange.links)) == (1, {"C-1"})


def test_a_persons_word_waits_until_the_client_is_included() -> None:
    world = installed()
    world.panel.refuse("C-1", Reject("bad_postcode", field="zip_code"))
    world.exchange.update_client("C-1", zip_code="11-111")
    world.tick()
    assert told(world, "billing") == (State.HELD, "bad_postcode")
    world.exchange.exclude("C-1", "billing")
    world.tick()
    world.exchange.decide_status("C-1", "billing", "retry")
    notes = world.exchange.states[Key("C-1", "", "billing")].notes
    world.panel.accept("C-1")
    world.tick()
    assert world.reconcile("billing", Owner("C-1"))
    assert world.exchange.states[Key("C-1", "", "billing")].notes == notes != {}
    assert (world.exchange.decision("C-1", "billing"), told(world, "billing")) == ("retry", EXCLUDED)
    world.exchange.include("C-1", "billing")
    world.tick()
    world.tick()
    assert (world.exchange.decision("C-1", "billing"), shown(world, "zip_code")) == (None, "11-111")


def test_a_refusal_of_the_whole_is_told_again_once_the_client_is_included() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.refuse("C-1", Reject("bad_postcode"))
    world.tick()
    before = told(world, "accounts")
    assert before == (State.HELD, "bad_postcode")
    world.exchange.exclude("C-1", "accounts")
    world.tick()
    world.exchange.include("C-1", "accounts")
    world.tick()
    assert told(world, "accounts") == before
    world.tick()
    assert told(world, "accounts") == before


def test_what_was_settled_by_hand_stays_so() -> None:
    world = World(parse("{}")).knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, "email": ""})
    world.tick()
    world.exchange.decide_status("C-1", "accounts", "done")
    world.tick()
    assert told(world, "accounts") == (State.EXCLUDED, "by_hand")
    world.exchange.exclude("C-1", "accounts")
    world.tick()
    world.exchange.include("C-1", "accounts")
    world.exchange.update_client("C-1", email="biuro@firma.pl")
    world.tick()
    assert (told(world, "accounts"), world.panel.accounts) == ((State.EXCLUDED, "by_hand"), {})


def test_a_paused_concern_defers_nothing_of_an_excluded_client() -> None:
    world = installed()
    world.exchange.exclude("C-1", "billing")
    world.pause("billing")
    assert world.reconcile("billing", Owner("C-1"))
    assert world.exchange.deferrals == {}


def test_clients_without_an_account_are_told_that_the_panel_is_read_first_but_for_excluded_ones() -> None:
    world = World(parse("{}"))
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **OTHER)
    world.exchange.exclude("C-1", "accounts")
    world.knows_the_panel()
    world.tick()
    world.state.documents.clear()
    world.panel.halt()
    world.tick()
    assert told(world, "accounts") == EXCLUDED


@pytest.mark.parametrize("excluded", ["billing", "credit"])
def test_a_change_of_currency_waits_for_no_limit_that_nobody_looks_after(excluded: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", currency="EUR")
    world.collect("billing")
    world.work("billing")
    assert told(world, "billing") == (State.WAITING, "limit_first")
    world.exchange.exclude("C-1", excluded)
    for _ in range(3):
        world.tick()
    if excluded == "credit":
        assert (shown(world, "currency"), told(world, "billing")) == ("EUR", IN_STEP)
    else:
        assert (shown(world, "currency"), shown(world, "credit_limit")) == ("PLN", "1000.00")
        assert told(world, "credit") == IN_STEP


@pytest.mark.parametrize("mode", ["apply", "plan"])
def test_an_undo_that_was_approved_is_not_carried_out_of_an_excluded_client(mode: str) -> None:
    world = installed()
    world.exchange.update_client("C-1", street="Pomyłka 1")
    world.tick()
    world.tick()
    run = next(h.run_id for h in world.exchange.history if h.value_after == "Pomyłka 1")
    undo.plan(world.exchange.ports, Which(run), world.policy, now=world.time, by="anna", yes=True)
    world.exchange.exclude("C-1", "billing")
    if mode == "plan":
        only_plans(world)
    world.tick()
    world.tick()
    assert {str(row.outcome) for row in world.exchange.planned.values()} == {"stale"}
    assert (shown(world, "street"), world.exchange.clients["C-1"]["street"]) == ("Pomyłka 1", "Pomyłka 1")


# --- rows that are wrong


def test_a_concern_is_read_without_regard_to_case_and_blanks() -> None:
    world = installed()
    world.exchange.exclude("C-1", " Billing ")
    world.tick()
    assert told(world, "billing") == EXCLUDED


def test_an_unknown_concern_is_told_and_excludes_from_nothing() -> None:
    world = installed()
    world.exchange.exclude("C-1", "biling")
    world.tick()
    assert told(world, "accounts", "biling") == (State.HELD, "unknown_concern")
    assert (told(world, "accounts"), told(world, "billing")) == (IN_STEP, IN_STEP)
    status = world.exchange.status("C-1", "accounts", "biling")
    assert status
    assert "biling" in status.message_en
    assert "delivery_addresses" in status.message_en
    world.exchange.include("C-1", "biling")
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert (told(world, "accounts", "biling"), told(world, "billing")) == (None, EXCLUDED)


def test_a_client_that_is_not_there_is_told_until_it_comes_or_the_row_goes() -> None:
    world = installed()
    for client in ("C-9", "C-8"):
        world.exchange.exclude(client, "accounts")
    world.tick()
    assert told(world, "accounts", client="C-9") == (State.WAITING, "no_client")
    world.exchange.insert_client("C-9", **OTHER)
    world.exchange.include("C-8", "accounts")
    world.tick()
    assert told(world, "accounts", client="C-9") == EXCLUDED
    assert (told(world, "accounts", client="C-8"), len(world.panel.accounts)) == (None, 1)


# --- mode: plan


def planned(world: World) -> list[tuple[str, Planned, str]]:
    rows = (row for row in world.exchange.planned.values() if row.outcome is None)
    return [(row.line.key.concern, row.line.action, row.line.field) for row in rows]


def only_plans(world: World) -> None:
    world.policy = Policy.model_validate({**world.policy.model_dump(), "mode": "plan"})


def test_nothing_is_planned_of_an_excluded_client_and_what_was_is_gone() -> None:
    world = installed()
    only_plans(world)
    world.exchange.update_client("C-1", street="Nowa 5")
    world.tick()
    assert planned(world) == [("billing", Planned.UPDATE, "street")]
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert planned(world) == []
    world.exchange.include("C-1", "billing")
    world.tick()
    assert planned(world) == [("billing", Planned.UPDATE, "street")]


def test_an_edit_in_the_panel_is_planned_once_the_client_is_included_though_the_feed_has_passed_it() -> None:
    world = installed('{"credit": {"when_stale": "keep"}}')
    only_plans(world)
    world.exchange.exclude("C-1", "billing")
    world.tick()
    world.panel.edit(account_of(world, "C-1"), street="Panelowa 1")
    world.tick()
    world.pass_time(hours=2)
    world.tick()
    world.pass_time(hours=2)
    assert planned(world) == []
    world.exchange.include("C-1", "billing")
    world.tick()
    assert planned(world) == [("billing", Planned.UPDATE, "street")]


def approved(world: World) -> None:
    """Have an edit planned, and approved by a person."""
    only_plans(world)
    world.exchange.update_client("C-1", street="Nowa 5")
    world.tick()
    for row in list(world.exchange.planned):
        world.exchange.decide_plan(row, "approve")


def test_what_was_approved_is_not_carried_out_of_a_client_that_is_excluded_by_then() -> None:
    world = installed()
    approved(world)
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert (shown(world, "street"), planned(world)) == (CLIENT["street"], [])
    assert [str(row.outcome) for row in world.exchange.planned.values()] == ["stale"]


def test_what_was_approved_and_whose_answer_was_lost_is_not_taken_for_carried_out() -> None:
    world = installed()
    approved(world)
    world.collect("billing")
    world.panel.lose_reply()
    world.work("billing")
    assert world.exchange.intents
    world.exchange.exclude("C-1", "billing")
    world.tick()
    assert [str(row.outcome) for row in world.exchange.planned.values()] == ["stale"]
    world.exchange.include("C-1", "billing")
    world.tick()
    world.tick()
    assert (world.exchange.intents, planned(world), shown(world, "street")) == ({}, [], "Nowa 5")


def test_nothing_is_planned_of_the_opening_of_an_excluded_client() -> None:
    world = World(Policy.model_validate({"mode": "plan"})).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.exclude("C-1", "accounts")
    world.tick()
    assert (planned(world), world.exchange.states) == ([], {})


def test_nothing_is_kept_of_a_record_but_that_it_is_excluded() -> None:
    world = installed(ticks=0)
    world.exchange.delete_credit("C-1")
    world.exchange.exclude("C-1", "credit")
    for _ in range(3):
        world.tick()
    state = world.exchange.states[Key("C-1", "", "credit")]
    assert state == RecordState(status=state.status)
    world.exchange.include("C-1", "credit")
    world.tick()
    world.tick()
    assert told(world, "credit") in (None, IN_STEP)
