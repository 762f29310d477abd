"""Closing accounts and opening them again: a field that the panel takes and never shows."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Retry
from kartoteka.model import Key
from tests.helpers import account_of, by, installation, linked, puts, status_of
from tests.world import CLIENT, World


def test_inactive_closes_and_active_opens_and_each_is_sent_once() -> None:
    world = linked()
    world.exchange.update_client("C-0", active=False)
    world.tick()
    assert world.panel.closed == {account_of(world, "C-0")}
    world.tick()
    assert puts(world) == 1
    world.exchange.update_client("C-0", active=True)
    world.tick()
    assert not world.panel.closed
    assert puts(world) == 2
    told = [(h.field, h.value_before, h.value_after) for h in world.exchange.history if h.field == "active"]
    assert told == [("active", "true", "false"), ("active", "false", "true")]


def test_null_is_not_looked_after() -> None:
    world = linked()
    world.exchange.update_client("C-0", active=None)
    world.tick()
    assert puts(world) == 0


def test_an_inactive_client_has_a_closed_account_from_the_beginning() -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT, active=False)
    world.tick()
    assert world.panel.closed == {account_of(world, "C-1")}
    assert status_of(world, "C-1") == (State.IN_STEP, "")


def test_a_matched_account_is_closed_together_with_learning_the_code() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT, active=False)
    world.tick()
    assert world.panel.closed == {account}
    assert puts(world) == 1


@pytest.mark.parametrize("code", ["", "C-1"])
def test_an_account_that_somebody_closed_by_hand_stays_closed_at_first_contact(code: str) -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan", external_code=code)
    world.panel.closed.add(account)
    world.exchange.insert_client("C-1", **CLIENT, active=True)
    world.tick()
    world.tick()
    assert world.panel.closed == {account}
    world.exchange.update_client("C-1", active=False)
    world.tick()
    world.exchange.update_client("C-1", active=True)
    world.tick()
    assert not world.panel.closed, "an edit of the ERP is carried"


def test_an_account_linked_by_its_code_is_closed_where_the_client_is() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan", external_code="C-1")
    world.exchange.insert_client("C-1", **CLIENT, active=False)
    world.tick()
    assert world.panel.closed == {account}


def test_a_lost_reply_is_cleared_up() -> None:
    world = linked()
    world.exchange.update_client("C-0", active=False)
    world.panel.lose_reply()
    for _ in range(3):
        world.tick()
    assert world.panel.closed == {account_of(world, "C-0")}
    before = puts(world)
    world.tick()
    assert puts(world) == before


@pytest.mark.parametrize("arrived", [True, False])
def test_what_nobody_can_read_is_sent_again_after_a_lost_reply_whatever_the_client_says_by_then(arrived: bool) -> None:
    world = linked()
    world.exchange.update_client("C-0", active=False)
    if arrived:
        world.panel.lose_reply()
    else:
        world.panel.fail(Retry("connection"))
    world.collect("accounts")
    world.drain()
    world.exchange.update_client("C-0", active=True)
    for _ in range(2):
        world.tick()
    assert not world.panel.closed
    world.exchange.update_client("C-0", active=False)
    world.tick()
    assert world.panel.closed


def test_a_deleted_client_is_left_alone_by_default() -> None:
    world = linked()
    world.exchange.delete_client("C-0")
    for _ in range(3):
        world.tick()
    assert not world.panel.closed
    assert puts(world) == 0


def test_a_deleted_client_closes_its_account_where_deletions_are_propagated() -> None:
    world = linked(policy='{"accounts": {"deletes": "propagate"}}')
    account = account_of(world, "C-0")
    world.exchange.delete_client("C-0")
    world.tick()
    assert world.panel.closed == {account}
    assert len(world.panel.accounts) == 1
    world.tick()
    assert puts(world) == 1


@pytest.mark.fault(54)
@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_a_code_that_comes_back_finds_its_account_again(deletes: str) -> None:
    world = linked(policy=f'{{"accounts": {{"deletes": "{deletes}"}}}}')
    account = account_of(world, "C-0")
    world.exchange.delete_client("C-0")
    world.tick()
    world.exchange.insert_client("C-0", **{**CLIENT, "nip": "0000000000", "email": "0@firma.pl", "city": "Gdynia"})
    world.tick()
    assert by(world, "C-0") == (account, "created")
    assert len(world.panel.accounts) == 1
    assert not world.panel.closed
    assert world.panel.accounts[account].values["city"] == "Gdynia"


def test_a_deleted_client_whose_closing_was_put_off_is_closed_in_the_end() -> None:
    world = linked(policy='{"accounts": {"deletes": "propagate"}}')
    world.exchange.delete_client("C-0")
    world.panel.refuse("C-0")
    world.tick()
    assert not world.panel.closed
    world.panel.accept("C-0")
    world.pass_time(minutes=5)
    world.tick()
    assert world.panel.closed


@pytest.mark.fault(45)
@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_a_table_emptied_and_filled_again_with_equal_rows_writes_nothing(deletes: str) -> None:
    world = linked(30, policy=f'{{"accounts": {{"deletes": "{deletes}"}}}}')
    world.tick()
    before = (dict(world.panel.calls()), len(world.exchange.history))
    for client, row in list(world.exchange.clients.items()):
        world.exchange.delete_client(client)
        world.exchange.insert_client(client, **row)
    for concern in ("accounts", "billing", "shops", "delivery_addresses"):
        world.collect(concern)
    world.drain()
    assert (dict(world.panel.calls()), len(world.exchange.history)) == before


def test_direction_panel_to_erp_closes_nobody() -> None:
    world = installation(policy='{"accounts": {"direction": "panel_to_erp"}}')
    world.panel.register(CLIENT, login="jan", external_code="C-1")
    world.exchange.insert_client("C-1", **CLIENT, active=False)
    world.tick()
    assert by(world, "C-1")
    assert not world.panel.closed


def test_an_installation_of_an_earlier_version_takes_accounts_to_be_open() -> None:
    world = linked(3)
    for client in ("C-0", "C-1", "C-2"):
        world.exchange.bases.pop(Key(client, "", "accounts"))
    world.state.documents.pop("log:accounts")
    for _ in range(2):
        world.tick()
    assert puts(world) == 0
    assert {world.exchange.bases[Key(client, "", "accounts")].erp["active"] for client in ("C-0", "C-1", "C-2")} == {
        True
    }
    world.exchange.update_client("C-0", active=False)
    world.tick()
    assert world.panel.closed == {account_of(world, "C-0")}
    assert [h.reason for h in world.exchange.history if h.field == "active"] == ["edit"]


def test_a_word_that_means_neither_yes_nor_no_is_told_and_closes_nothing() -> None:
    world = linked()
    world.exchange.update_client("C-0", active="może")
    world.tick()
    status = world.exchange.status("C-0", "accounts")
    assert status is not None
    assert (status.state, status.code, status.field) == (State.HELD, "bad_flag", "active")
    assert "'może' in clients (active) means neither yes nor no" in status.message_en
    assert (puts(world), world.panel.closed) == (0, set())
    world.exchange.update_client("C-0", active=False)
    world.tick()
    assert world.panel.closed == {account_of(world, "C-0")}
    assert status_of(world, "C-0") == (State.IN_STEP, "")


def test_a_wrong_word_in_active_keeps_no_account_from_being_opened_nor_the_other_fields_from_travelling() -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT, active="może", wholesaler="chyba")
    world.tick()
    world.tick()
    assert not world.panel.closed
    assert status_of(world, "C-1") == (State.HELD, "bad_flag")
    billing = world.exchange.status("C-1", "billing")
    assert billing is not None
    assert (billing.code, billing.field) == ("bad_flag", "wholesaler")
    world.exchange.update_client("C-1", city="Hel")
    world.tick()
    assert world.panel.accounts[account_of(world, "C-1")].values["city"] == "Hel"
