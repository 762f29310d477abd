"""An account is one client's: what becomes of a second one that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kartoteka.codes import State
from kartoteka.model import Change, Link
from kartoteka.ports.exchange import Saved
from tests.fakes.stored import StoredMatch
from tests.helpers import OTHER, account_of, installation, linked, owners, puts, status_of
from tests.world import CLIENT


def test_an_account_that_is_recoded_for_another_client_stays_with_the_first_until_a_person_frees_it() -> None:
    world = linked()
    account = account_of(world, "C-0")
    world.exchange.insert_client("C-9", **OTHER)
    world.panel.recode(account, "C-9")
    for _ in range(3):
        world.tick()
    assert account_of(world, "C-0") == account
    assert "C-9" not in world.exchange.links
    assert status_of(world, "C-9") == (State.HELD, "shared_account")
    del world.exchange.links["C-0"]
    world.exchange.update_client("C-9", city="Radom")
    world.tick()
    assert account_of(world, "C-9") == account


def test_an_account_given_by_a_person_is_not_taken_from_its_client() -> None:
    world = linked()
    account = account_of(world, "C-0")
    world.panel.recode(account, "")
    world.exchange.insert_client("C-9", **OTHER)
    world.exchange.matches["C-9", account] = StoredMatch("C-9", account, "operator", "link", world.time)
    world.exchange.update_client("C-9", city="Radom")
    before = puts(world)
    for _ in range(2):
        world.tick()
    assert account_of(world, "C-0") == account
    assert status_of(world, "C-9") == (State.HELD, "shared_account")
    assert puts(world) == before, "the account is not given another client's code"


def test_two_workers_that_link_one_account_at_once_leave_it_to_the_first() -> None:
    world = installation().knows_the_panel()
    account = world.panel.register(CLIENT, login="jan")
    world.follow()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **OTHER)

    def other_worker() -> None:
        world.exchange.before_save = None
        world.exchange.links["C-2"] = Link("C-2", account, "jan", "nip")

    plain = world.exchange.records.save
    saves: list[int] = []

    def save(changes: Sequence[Change], **more: Any) -> Saved:
        saves.append(1)
        if any(change.link for change in changes):
            other_worker()
        return plain(changes, **more)

    world.exchange.records.save = save  # type: ignore[method-assign, assignment]
    world.reconcile("accounts", *owners("C-1"))
    world.exchange.records.save = plain  # type: ignore[method-assign]
    assert "C-1" not in world.exchange.links
    assert status_of(world, "C-1") == (State.HELD, "shared_account")
    assert world.exchange.status("C-1", "billing") is None
