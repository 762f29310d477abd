"""A panel that is restored while it is not known what it shows: after a write that it has not shown, or not answered.

What it shows then is neither an edit nor a damaged form of our text, whatever moves the account's date before anybody
looks, and what was sent is sent again.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.model import Key
from tests.helpers import account_of, unbraked
from tests.unit.test_engine_restored import edited, filled, rows, shown, ticks
from tests.world import CLIENT, World


def limit(world: World, client: str, amount: str) -> None:
    """Let the ERP write a client's limit."""
    world.exchange.set_credit(client, credit_allowed=True, credit_limit=amount, currency="PLN", as_of=world.time)


def another_concern_writes(world: World) -> None:
    world.follow()  # which notices that the account went back
    limit(world, "C-0001", "300.00")
    world.collect("credit")
    world.drain()


def another_field_is_edited(world: World) -> None:
    world.panel.edit(account_of(world, "C-0001"), phone="600700800")


def noticed_and_then_edited(world: World) -> None:
    world.follow()
    another_field_is_edited(world)


def nothing(_world: World) -> None:
    """Do nothing."""


def a_neighbour_is_edited(world: World) -> None:
    world.panel.edit(account_of(world, "C-0002"), phone="600700800")


FOLLOWS = (nothing, a_neighbour_is_edited, another_field_is_edited, noticed_and_then_edited, another_concern_writes)


def restored_after(world: World, send: Callable[[], None]) -> None:
    """Back the panel up, edit once so that it is not the former value that comes back, ``send``, and restore it."""
    backup = world.panel.backup()
    edited(world, 0, 1, company="Druga", street="Druga")
    send()
    world.panel.restore(backup)
    world.pass_time(seconds=5)


def is_as_the_erp_has_it(world: World, field: str, value: str) -> None:
    """Check that both sides hold what the ERP has, and nobody waits."""
    assert (rows(world, field)[1], shown(world, field)[1]) == (value, value)
    status = world.exchange.status("C-0001", "billing")
    assert status
    assert (status.state, status.code) == ("in_step", "")
    assert not world.exchange.conflicts


@pytest.mark.parametrize("follows", FOLLOWS)
@pytest.mark.parametrize("conflict", ["erp", "panel"])
@pytest.mark.parametrize("value", ["Trzecia", "Firma i Syn", "FIRMA"])
def test_what_was_sent_and_not_shown_yet_goes_back_too(
    value: str, conflict: str, follows: Callable[[World], None]
) -> None:
    """Of ``Firma i Syn`` what comes back looks like a damaged form, of ``FIRMA`` like the panel's own form of it."""
    world = filled(5, f'{{"billing": {{"conflict": "{conflict}"}}, "panel": {{"full_read_days": 3650}}}}')

    def send() -> None:
        world.exchange.update_client("C-0001", company=value)
        world.collect("billing")
        world.work("billing")

    restored_after(world, send)
    follows(world)
    ticks(world, 8)
    if value == "FIRMA":
        assert rows(world, "company")[1] == value
    else:
        is_as_the_erp_has_it(world, "company", value)


@pytest.mark.parametrize("follows", FOLLOWS)
@pytest.mark.parametrize("conflict", ["erp", "panel"])
@pytest.mark.parametrize("value", ["Trzecia", "Firma i Syn"])
@pytest.mark.parametrize("arrives", [True, False])
def test_what_a_call_without_an_answer_has_sent_goes_back_too(
    arrives: bool, value: str, conflict: str, follows: Callable[[World], None]
) -> None:
    world = filled(5, f'{{"billing": {{"conflict": "{conflict}"}}, "panel": {{"full_read_days": 3650}}}}')

    def send() -> None:
        world.exchange.update_client("C-0001", company=value)
        world.collect("billing")
        world.dies_at("panel.update", after=arrives)
        assert not world.reconcile("billing", Key("C-0001", "", "billing").owner)
        assert world.exchange.states[Key("C-0001", "", "billing")].intent

    restored_after(world, send)
    follows(world)
    ticks(world, 8)
    is_as_the_erp_has_it(world, "company", value)


@pytest.mark.parametrize("follows", [nothing, a_neighbour_is_edited, another_field_is_edited])
@pytest.mark.parametrize("amount", ["500.00", "1000.00", "0.00"])
def test_a_limit_that_was_sent_and_not_shown_yet_goes_back_too(amount: str, follows: Callable[[World], None]) -> None:
    world = filled(5)
    limit(world, "C-0001", "700.00")
    ticks(world)
    backup = world.panel.backup()
    limit(world, "C-0001", "800.00")
    edited(world, 0, street="Nowa")
    limit(world, "C-0001", amount)
    world.collect("credit")
    world.work("credit")
    world.panel.restore(backup)
    follows(world)
    ticks(world, 8)
    assert shown(world, "credit_limit")[1] == amount


@pytest.mark.parametrize("batch", [5, 10])
@pytest.mark.parametrize("edit", ["company", "city"])
def test_a_worker_may_come_between_the_notice_and_the_reading_of_all(edit: str, batch: int) -> None:
    """The accounts that were looked at are known by their older dates from then on: their bases are settled with it."""
    world = filled(30, f'{{"panel": {{"batch_size": {batch}, "full_read_days": 3650}}}}')
    backup = world.panel.backup()
    edited(world, 1, street="Nowa")
    world.panel.restore(backup)
    world.time_left = lambda: False
    world.follow()
    world.time_left = lambda: True
    world.exchange.update_client("C-0001", **{edit: "Trzecia"})
    world.collect("billing")
    world.work("billing")
    ticks(world, 8)
    assert (rows(world, "street")[1], shown(world, "street")[1]) == ("Nowa 1", "Nowa 1")
    assert (rows(world, edit)[1], shown(world, edit)[1]) == ("Trzecia", "Trzecia")


@pytest.mark.parametrize("touched", [0, 1])
def test_a_conflict_that_a_person_decides_stays_one_where_the_account_did_not_go_back(touched: int) -> None:
    world = World(unbraked('{"billing": {"conflict": "hold"}, "panel": {"full_read_days": 3650}}'))
    for n in range(3):
        world.exchange.insert_client(f"C-{n:04}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl"})
    ticks(world)
    world.exchange.update_client("C-0001", company="Od ERP")
    world.panel.edit(account_of(world, "C-0001"), company="Od panelu")
    ticks(world)
    world.pass_time(minutes=10)
    backup = world.panel.backup()
    edited(world, 2, street="Nowa")
    world.panel.restore(backup)
    if touched:
        world.panel.edit(account_of(world, "C-0001"), phone="600700800")
    ticks(world, 8)
    assert (rows(world, "company")[1], shown(world, "company")[1]) == ("Od ERP", "Od panelu")
    assert rows(world, "street")[2] == shown(world, "street")[2] == "Nowa 2"
