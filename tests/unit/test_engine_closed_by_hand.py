"""An account that somebody closed in the panel, while the ERP's row says that it is active."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Key
from tests.helpers import account_of, installation, left_undone, linked, owners, puts, status_of, unbraked
from tests.world import CLIENT, World

HELD = (State.HELD, "closed_in_panel")


def close(world: World, client: str = "C-0") -> str:
    """Close an account as a user of the panel does."""
    account = account_of(world, client)
    world.panel.closed.add(account)
    world.panel.edit(account)
    return account


def reopen(world: World, client: str = "C-0") -> None:
    account = account_of(world, client)
    world.panel.closed.discard(account)
    world.panel.edit(account)


def closed_by_hand() -> World:
    world = linked(2)
    world.pass_time(minutes=10)
    close(world)
    for _ in range(2):
        world.tick()
    return world


def test_it_is_held_and_not_reopened_however_often_it_is_looked_at() -> None:
    world = closed_by_hand()
    before = puts(world)
    for _ in range(3):
        world.tick()
        assert status_of(world, "C-0") == HELD
    assert world.panel.closed == {account_of(world, "C-0")}
    assert puts(world) == before
    assert not left_undone(world, "accounts")
    assert status_of(world, "C-1") == (State.IN_STEP, "")


def test_it_is_left_alone_by_a_full_scan_by_resync_and_when_the_account_is_edited() -> None:
    world = closed_by_hand()
    before = puts(world)
    world.state.documents.pop("log:accounts")
    world.tick()
    world.reconcile("accounts", *owners("C-0"))
    world.pass_time(minutes=10)
    world.panel.edit(account_of(world, "C-0"), city="Radom")
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == HELD
    assert world.panel.closed == {account_of(world, "C-0")}
    assert puts(world) == before


def test_a_person_may_have_it_opened() -> None:
    world = closed_by_hand()
    world.exchange.decide_status("C-0", "accounts", "retry")
    world.tick()
    assert not world.panel.closed
    world.tick()
    assert status_of(world, "C-0") == (State.IN_STEP, "")
    assert world.exchange.decision("C-0", "accounts") is None


def test_the_row_opens_it_by_going_to_false_and_back_to_true() -> None:
    world = closed_by_hand()
    world.exchange.update_client("C-0", active=False)
    world.tick()
    assert status_of(world, "C-0") == (State.IN_STEP, "")
    assert world.panel.closed
    world.exchange.update_client("C-0", active=True)
    world.tick()
    assert not world.panel.closed
    assert status_of(world, "C-0") == (State.IN_STEP, "")


def test_one_that_is_opened_in_the_panel_again_is_in_step() -> None:
    world = closed_by_hand()
    world.pass_time(minutes=10)
    reopen(world)
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == (State.IN_STEP, "")
    close(world)
    world.pass_time(minutes=10)
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == HELD


def test_another_edit_of_the_row_does_not_open_it_and_travels() -> None:
    world = closed_by_hand()
    world.exchange.update_client("C-0", city="Radom")
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == HELD
    account = account_of(world, "C-0")
    assert (world.panel.closed, world.panel.accounts[account].values["city"]) == ({account}, "Radom")


def test_one_that_the_erp_closed_and_the_panel_opened_is_closed_again() -> None:
    world = linked()
    world.exchange.update_client("C-0", active=False)
    world.tick()
    world.tick()
    world.pass_time(minutes=10)
    reopen(world)
    for _ in range(2):
        world.tick()
    assert world.panel.closed == {account_of(world, "C-0")}
    assert [h.reason for h in world.exchange.history if h.field == "active"] == ["edit", "drift"]


def test_one_that_was_closed_before_the_client_was_linked_is_held_too() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.panel.closed.add(account)
    world.exchange.insert_client("C-1", **CLIENT, active=True)
    for _ in range(4):
        world.tick()
    assert status_of(world, "C-1") == HELD
    assert world.panel.closed == {account}


@pytest.mark.parametrize("active", [None, False])
def test_a_row_that_does_not_say_that_it_is_active_is_not_held(active: bool | None) -> None:
    world = linked()
    world.exchange.update_client("C-0", active=active)
    world.tick()
    world.pass_time(minutes=10)
    close(world)
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == (State.IN_STEP, "")


def test_the_panel_is_asked_only_where_an_account_that_was_known_has_moved() -> None:
    world = linked(3)
    for _ in range(2):
        world.tick()
    world.pass_time(minutes=10)
    before = world.panel.calls()["GET clients/clients"]
    assert world.follow()
    quiet = world.panel.calls()["GET clients/clients"] - before
    world.panel.edit(account_of(world, "C-0"), city="Radom")
    before = world.panel.calls()["GET clients/clients"]
    world.pass_time(minutes=1)
    assert world.follow()
    assert world.panel.calls()["GET clients/clients"] - before == quiet + 1


@pytest.mark.parametrize("failure", [Retry("timeout"), Reject("refused")])
def test_a_panel_that_does_not_say_which_are_closed_costs_nothing(
    failure: Retry | Reject, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = linked()
    world.pass_time(minutes=10)
    close(world)

    def fails(_ids: object) -> frozenset[str]:
        raise failure

    monkeypatch.setattr(world.panel, "closed_among", fails)
    for _ in range(2):
        world.tick()
    assert status_of(world, "C-0") == (State.IN_STEP, "")
    monkeypatch.undo()
    world.panel.edit(account_of(world, "C-0"))
    for _ in range(3):
        world.tick()
    assert status_of(world, "C-0") == HELD


def test_the_message_names_the_column_and_the_way_on() -> None:
    told = closed_by_hand().exchange.status("C-0", "accounts")
    assert told is not None
    assert (told.field, "(active)" in told.message_en, "decision = 'retry'" in told.message_pl) == (
        "active",
        True,
        True,
    )


def test_what_is_noted_is_about_the_account_alone() -> None:
    world = closed_by_hand()
    assert world.exchange.states[Key("C-0", "", "accounts")].notes["active"].kind == "stands"
    assert status_of(world, "C-0") == HELD
    assert world.exchange.status("C-0", "billing") is not None
    assert world.exchange.statuses[Key("C-0", "", "billing")].code == ""


def test_in_a_window_of_several_pages_the_panel_is_asked_once_who_is_closed_and_each_is_found() -> None:
    world = World(unbraked('{"panel": {"batch_size": 10, "full_read_days": 3650}}'))
    for n in range(60):
        world.exchange.insert_client(f"C-{n:02}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl", "active": True})
    for _ in range(3):
        world.tick(seconds=301)
    for n in range(60):
        world.panel.edit(account_of(world, f"C-{n:02}"), city=f"Gdynia {n}")
    for client in ("C-03", "C-57"):
        close(world, client)
    before = world.panel.calls()["GET clients/clients"]
    world.pass_time(seconds=20)
    assert world.follow()
    assert world.panel.calls()["GET clients/clients"] - before <= 6 + 1 + 2 + 3, "not one for each page"
    world.drain()
    for _ in range(2):
        world.tick()
    assert [c for c in world.exchange.clients if status_of(world, c) == HELD] == ["C-03", "C-57"]
