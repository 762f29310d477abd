"""One panel with two installations, each with an exchange database of its own: codes that come back changed are told.

Neither database can show the other one. What shows it is an account of a linked client that carries another code.
"""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from tests.property.test_two_stacks import Second
from tests.world import CLIENT, World


class OwnDatabase(Second):
    """Another installation on the same panel, with a database of its own."""

    def __init__(self, first: World) -> None:
        exchange = type(first.exchange)(clock=lambda: self.time)
        super().__init__(first)
        self.exchange = exchange


@pytest.fixture
def both() -> tuple[World, World]:
    """The same customer in both databases, by different codes; the first one has opened the account."""
    first = World()
    second = OwnDatabase(first)
    first.exchange.insert_client("C-1", **CLIENT)
    for _ in range(3):
        first.tick()
    second.exchange.insert_client("SKLEP/7", **CLIENT)
    for _ in range(3):
        second.tick()
    return first, second


def said(world: World, client: str, concern: str) -> tuple[State, str]:
    status = world.exchange.status(client, concern)
    assert status is not None
    return status.state, status.code


def codes(world: World) -> list[str]:
    return sorted(account.external_code for account in world.panel.accounts.values())


def test_an_account_with_the_other_databases_code_is_asked_about_and_none_is_opened(both: tuple[World, World]) -> None:
    first, second = both
    assert said(second, "SKLEP/7", "accounts") == (State.HELD, "foreign_code")
    assert codes(first) == ["C-1"]
    assert said(first, "C-1", "billing") == (State.IN_STEP, "")


def test_a_code_that_comes_back_changed_is_told_and_nothing_is_sent_to_that_account(both: tuple[World, World]) -> None:
    first, second = both
    (account,) = first.panel.accounts
    second.exchange.decide_match("SKLEP/7", account, "link")
    for _ in range(3):
        second.tick()
    assert codes(first) == ["SKLEP/7"]
    first.tick()
    first.exchange.update_client("C-1", street="Krótka 7")
    for _ in range(3):
        first.tick()
        second.tick()
    assert said(first, "C-1", "billing") == (State.HELD, "another_account")
    status = first.exchange.status("C-1", "billing")
    assert status is not None
    assert "another installation" in status.message_en
    assert "inna instalacja" in status.message_pl
    assert codes(first) == ["SKLEP/7"], "the two do not write it to and fro, and nobody has two accounts"
    assert first.panel.accounts[account].values["street"] == CLIENT["street"]


def test_it_is_told_without_an_edit_of_the_erps(both: tuple[World, World]) -> None:
    first, _ = both
    (account,) = first.panel.accounts
    first.panel.recode(account, "SKLEP/7")
    first.pass_time(minutes=5)
    for _ in range(3):
        first.tick()
    assert said(first, "C-1", "billing") == (State.HELD, "another_account")


@pytest.mark.parametrize("code", ["SKLEP/7", "c 1", "", "C-10"])
def test_every_other_code_is_told_an_empty_one_too(both: tuple[World, World], code: str) -> None:
    first, _ = both
    (account,) = first.panel.accounts
    first.panel.recode(account, code)
    first.pass_time(minutes=5)
    first.exchange.update_client("C-1", street="Krótka 7")
    for _ in range(3):
        first.tick()
    assert said(first, "C-1", "billing") == (State.HELD, "another_account")
    assert codes(first) == [code]
