"""``kartoteka rename``: a client whose code the ERP has changed keeps its account, and the account gets the code."""

from __future__ import annotations

import pytest

from kartoteka.errors import Reject
from kartoteka.model import Key, Owner, Planned
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Renamed
from tests.helpers import account_of
from tests.world import CLIENT, World


def installed(policy: str = "{}") -> World:
    """An installation with one client, in step."""
    world = World(Policy.model_validate_json(policy)).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    for _ in range(3):
        world.tick()
    return world


def rename(world: World, old: str = "C-1", new: str = "N-1") -> Renamed:
    return world.exchange.records.rename(old, new)


def codes_of(world: World) -> list[str]:
    return [account.external_code for account in world.panel.accounts.values()]


def told(world: World, client: str, concern: str) -> str | None:
    status = world.exchange.status(client, concern)
    return f"{status.state} {status.code}".strip() if status else None


@pytest.mark.fault(56)
@pytest.mark.parametrize("first", ["row", "rename"])
def test_the_account_gets_the_new_code_and_everything_goes_on(first: str) -> None:
    world = installed()
    account = account_of(world, "C-1")
    if first == "row":
        world.exchange.rename_client("C-1", "N-1")
        world.tick()  # the new code was seen before anybody has said whose it is
        assert rename(world) is Renamed.DONE
    else:
        world.exchange.delete_client("C-1")
        world.tick()
        assert rename(world) is Renamed.DONE
        world.tick()
        assert codes_of(world) == ["C-1"]
        world.exchange.insert_client("N-1", **CLIENT)
    world.exchange.update_client("N-1", street="Nowa 5")
    for _ in range(3):
        world.tick()
    assert (codes_of(world), account_of(world, "N-1")) == (["N-1"], account)
    assert world.panel.accounts[account].values["street"] == "Nowa 5"
    assert world.exchange.links["N-1"].former_code == ""
    assert {told(world, "N-1", concern) for concern in ("accounts", "billing")} == {"in_step"}
    assert {h.client_id for h in world.exchange.history} == {"N-1"}
    assert [(h.field, h.value_before, h.value_after) for h in world.exchange.history if h.field == "external_code"] == [
        ("external_code", "C-1", "N-1")
    ]
    calls, history = world.panel.calls().get("PUT clients/clients"), len(world.exchange.history)
    world.tick()
    assert (world.panel.calls().get("PUT clients/clients"), len(world.exchange.history)) == (calls, history)


def test_what_the_panel_edits_meanwhile_is_not_lost() -> None:
    world = installed()
    world.exchange.rename_client("C-1", "N-1")
    world.panel.edit(account_of(world, "C-1"), street="Panelowa 1")
    rename(world)
    for _ in range(3):
        world.tick()
    assert (codes_of(world), world.exchange.clients["N-1"]["street"]) == (["N-1"], "Panelowa 1")


def unanswered() -> World:
    """The client C-1 is N-1 by now: its account was given that code, and the answer was lost."""
    world = installed()
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.collect("accounts")
    world.panel.lose_reply()
    world.work("accounts")
    return world


def test_a_lost_reply_gives_the_code_once_and_stands_in_the_history_once() -> None:
    world = unanswered()
    for _ in range(3):
        world.tick()
    assert (codes_of(world), world.exchange.intents) == (["N-1"], {})
    assert [h.value_after for h in world.exchange.history if h.field == "external_code"] == ["N-1"]


def test_a_worker_in_flight_does_not_bring_the_former_code_back() -> None:
    world = installed()
    world.exchange.update_client("C-1", street="Nowa 5")
    world.collect("billing")

    def renamed() -> None:
        world.exchange.before_save = None
        world.exchange.rename_client("C-1", "N-1")
        assert rename(world) is Renamed.DONE

    world.exchange.before_save = renamed
    world.work("billing")
    for _ in range(3):
        world.tick()
    assert [key for key in world.exchange.states if key.client_id == "C-1"] == []
    assert (set(world.exchange.links), codes_of(world)) == ({"N-1"}, ["N-1"])
    assert told(world, "N-1", "billing") == "in_step"


def test_renamed_twice_before_the_account_was_written() -> None:
    world = installed()
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.exchange.rename_client("N-1", "N-2")
    rename(world, "N-1", "N-2")
    for _ in range(3):
        world.tick()
    assert (codes_of(world), set(world.exchange.links)) == (["N-2"], {"N-2"})


def test_it_is_refused_where_it_would_mix_two_clients() -> None:
    world = installed()
    assert rename(world, "C-9", "N-1") is Renamed.UNKNOWN
    assert rename(world, "C-1", "C-1") is Renamed.UNKNOWN
    assert rename(world) is Renamed.STANDS
    world.exchange.insert_client("C-2", **{**CLIENT, "nip": "7792369887", "email": "inna@spolka.pl", "company": "Inna"})
    world.tick()
    world.exchange.delete_client("C-1")
    assert rename(world, "C-1", "C-2") is Renamed.LINKED
    assert set(world.exchange.links) == {"C-1", "C-2"}


def test_while_an_account_may_have_been_opened_for_the_new_code_it_waits() -> None:
    world = installed()
    world.exchange.delete_client("C-1")
    world.exchange.insert_client("N-1", **{**CLIENT, "nip": "7792369887", "email": "inna@spolka.pl"})
    world.collect("accounts")
    world.panel.lose_reply()
    world.work("accounts")
    if any(key.client_id == "N-1" for key in world.exchange.intents):
        assert rename(world) is Renamed.OPENING


def test_an_account_with_a_third_code_is_left_alone() -> None:
    world = installed()
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.panel.recode(account_of(world, "N-1"), "X-7")
    world.tick()
    assert (codes_of(world), told(world, "N-1", "accounts")) == (["X-7"], "held another_account")


def test_what_the_panel_refuses_is_held_and_the_fields_go_on() -> None:
    world = installed('{"retry": {"max_attempts": 1}}')
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.panel.refuse("N-1", Reject("refused"))
    for _ in range(2):
        world.tick()
    assert codes_of(world) == ["C-1"]
    assert (told(world, "N-1", "accounts") or "").startswith("held")
    world.panel.accept("N-1")
    world.exchange.decide_status("N-1", "accounts", "retry")
    world.tick()
    world.tick()
    assert (codes_of(world), told(world, "N-1", "accounts")) == (["N-1"], "in_step")


def test_in_mode_plan_the_new_code_is_planned_and_given_once_approved() -> None:
    world = installed()
    world.policy = Policy.model_validate({"mode": "plan"})
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.tick()
    rows = [row for row in world.exchange.planned.values() if row.outcome is None]
    assert [(r.line.key, r.line.action, r.line.field) for r in rows] == [
        (Key("N-1", "", "accounts"), Planned.UPDATE, "external_code")
    ]
    assert codes_of(world) == ["C-1"]
    world.exchange.decide_plan(rows[0].id, "approve")
    world.tick()
    world.tick()
    assert codes_of(world) == ["N-1"]


def test_exclusions_go_with_the_client() -> None:
    world = installed()
    world.exchange.exclude("C-1", "accounts", "spór")
    world.exchange.rename_client("C-1", "N-1")
    rename(world)
    world.tick()
    assert world.exchange.excluded == {("N-1", "accounts"): "spór"}
    assert codes_of(world) == ["C-1"]
    assert world.reconcile("accounts", Owner("N-1"))
    world.exchange.include("N-1", "accounts")
    world.tick()
    world.tick()
    assert codes_of(world) == ["N-1"]


@pytest.mark.parametrize("again", ["N-2", "C-1"])
def test_renamed_again_while_nobody_knows_whether_the_account_was_given_the_code(again: str) -> None:
    world = unanswered()
    assert (codes_of(world), world.exchange.links["N-1"].former_code) == (["N-1"], "C-1")
    world.exchange.rename_client("N-1", again)
    rename(world, "N-1", again)
    for _ in range(3):
        world.tick()
    assert (codes_of(world), told(world, again, "accounts")) == ([again], "in_step")
    given = [(h.value_before, h.value_after) for h in world.exchange.history if h.field == "external_code"]
    assert given[-2:] == [("C-1", "N-1"), ("N-1", again)]
