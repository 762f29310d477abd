"""A client whom somebody erased in the panel: what was removed there is not sent back as drift."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Key
from tests.helpers import account_of, linked, puts, status_of
from tests.world import World

WAYS: dict[str, dict[str, Any]] = {
    "the tax number alone": {"nip": ""},
    "tax number and telephone": {"nip": "", "phone": ""},
    "tax number, and another e-mail": {"nip": "", "email": "removed1@example.invalid"},
    "another tax number": {"nip": "0000000000", "email": "removed1@example.invalid"},
    "all": dict.fromkeys(
        ["nip", "email", "company", "street", "zip_code", "city", "phone", "first_name", "last_name"], ""
    ),
}


def erased(closed: bool, **values: Any) -> World:
    world = linked(2)
    world.pass_time(days=2)
    for _ in range(2):
        world.tick()
    account = account_of(world, "C-0")
    if closed:
        world.panel.closed.add(account)
    world.panel.edit(account, **values)
    for _ in range(8):
        world.tick()
    return world


@pytest.mark.parametrize("way", WAYS)
def test_what_was_removed_stays_removed_and_is_held(way: str) -> None:
    world = erased(True, **WAYS[way])
    account = world.panel.accounts[account_of(world, "C-0")]
    assert account.values["nip"] == WAYS[way]["nip"]
    assert status_of(world, "C-0") == (State.HELD, "closed_in_panel")
    billing = world.exchange.statuses[Key("C-0", "", "billing")]
    assert billing.state is State.HELD
    assert billing.code in ("closed_in_panel", "not_taken")
    assert not world.exchange.pauses.paused(), "one client that was erased stops nobody"
    before = puts(world)
    for _ in range(4):
        world.tick()
    assert puts(world) == before
    world.exchange.update_client("C-1", city="Hel")
    for _ in range(2):
        world.tick()
    assert world.panel.accounts[account_of(world, "C-1")].values["city"] == "Hel"


@pytest.mark.parametrize("way", ["the tax number alone", "another tax number"])
def test_in_an_open_account_it_is_drift_and_corrected(way: str) -> None:
    world = erased(False, **WAYS[way])
    row = world.exchange.clients["C-0"]
    assert world.panel.accounts[account_of(world, "C-0")].values["nip"] == row["nip"]
    assert {h.reason for h in world.exchange.history if h.field == "nip"} >= {"drift"}


def test_another_field_still_travels_to_a_closed_account() -> None:
    world = erased(True, nip="")
    world.exchange.update_client("C-0", city="Hel")
    for _ in range(3):
        world.tick()
    values = world.panel.accounts[account_of(world, "C-0")].values
    assert (values["city"], values["nip"]) == ("Hel", "")


def test_a_persons_word_sends_it_once_the_account_is_open() -> None:
    world = erased(True, nip="")
    world.panel.closed.clear()
    world.panel.edit(account_of(world, "C-0"))
    for concern in ("accounts", "billing"):
        assert concern in CONCERNS
        world.exchange.decide_status("C-0", concern, "retry")
    for _ in range(3):
        world.tick()
    assert world.panel.accounts[account_of(world, "C-0")].values["nip"] == world.exchange.clients["C-0"]["nip"]
