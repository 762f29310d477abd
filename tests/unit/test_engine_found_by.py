"""Which pass has found what was written: the history names the one that brought the record to the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.errors import Retry
from kartoteka.model import FoundBy, Owner
from tests.address_world import LINES, AddressWorld
from tests.world import CLIENT, World


def linked() -> World:
    """Return an installation with one customer in step, in a quiet feed."""
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    return world


def found(world: World, field: str) -> str:
    """Return the pass that found what was last written of a field."""
    return [row.found_by for row in world.exchange.history if row.field == field][-1]


def edited_in_the_erp(world: World) -> None:
    world.exchange.update_client("C-1", city="Radom")
    world.collect("billing")


def drifted(world: World) -> None:
    world.panel.edit("1", city="Radom")
    world.follow()


def unlogged(world: World) -> None:
    world.exchange.drop_triggers("clients")
    world.exchange.update_client("C-1", city="Radom")
    world.pass_time(days=2)
    world.collect("billing")


def deferred(world: World) -> None:
    world.panel.fail(None, Retry("timeout"))
    edited_in_the_erp(world)
    world.work("billing")
    world.collect("billing", everything_due=True)


def asked_again(world: World) -> None:
    world.panel.edit("1", city="Radom")
    world.queue.send("billing", [Owner("C-1")], FoundBy.RESYNC)


@pytest.mark.parametrize(
    ("told", "by"),
    [
        (edited_in_the_erp, "change_log"),
        (drifted, "panel_feed"),
        (unlogged, "full_scan"),
        (deferred, "retry"),
        (asked_again, "resync"),
    ],
)
def test_the_history_names_the_pass_that_found_it(told: Callable[[World], None], by: str) -> None:
    world = linked()
    told(world)
    world.drain()
    assert found(world, "city") == by


def test_the_pass_over_addresses_is_named() -> None:
    world = AddressWorld()
    world.panel.add_address(world.customer("C-1"), **LINES)
    world.look("C-1")
    world.panel.edit_address("1", city="Gdynia")
    assert world.rotate()
    world.drain()
    assert found(world, "city") == "address_pass"


def test_first_contact_is_of_the_pass_that_had_the_account_opened() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert found(world, "") == "change_log"


def test_every_pass_has_a_name_of_its_own() -> None:
    assert len(FoundBy) == len({str(each) for each in FoundBy})
    assert all(len(each) <= 16 for each in FoundBy), "as wide as the column"
