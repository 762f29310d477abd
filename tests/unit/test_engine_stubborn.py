"""A panel that takes a value and shows another one is not written to for ever."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kartoteka.codes import State
from kartoteka.model import Outcome
from kartoteka.ports.panel import AccountUpdate
from kartoteka.sync.merge import CORRECTIONS
from tests.helpers import account_of, linked, puts
from tests.world import World


def ignores_language(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the panel take a language with thanks and keep its own; its modification date moves all the same."""
    update = world.panel.update

    def deaf(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        outcomes = update(updates)
        for account, shown in world.panel.accounts.items():
            if shown.values["language"] != "pol":
                world.panel.edit(account, language="pol")
        return outcomes

    monkeypatch.setattr(world.panel, "update", deaf)


@pytest.mark.fault(52)
def test_it_comes_to_rest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked()
    ignores_language(world, monkeypatch)
    world.exchange.update_client("C-0", language="eng")
    for _ in range(8):
        world.tick()
    assert puts(world) == 1 + CORRECTIONS
    status = world.exchange.status("C-0", "billing")
    assert status
    assert (status.state, status.code) == (State.HELD, "not_taken")
    assert "language" in status.message_en
    before, queued = puts(world), world.counts.collected
    for _ in range(3):
        world.tick()
    assert (puts(world), world.counts.collected) == (before, queued)


def test_its_other_fields_go_on_and_a_new_value_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked()
    ignores_language(world, monkeypatch)
    world.exchange.update_client("C-0", language="eng")
    for _ in range(6):
        world.tick()
    world.exchange.update_client("C-0", city="Gdynia")
    world.tick()
    account = world.panel.accounts[account_of(world, "C-0")]
    assert account.values["city"] == "Gdynia"
    before = puts(world)
    world.exchange.update_client("C-0", language="ger")
    world.tick()
    assert puts(world) > before


def test_a_drift_that_comes_back_now_and_then_is_put_right_each_time() -> None:
    world = linked()
    world.exchange.update_client("C-0", language="eng")
    world.tick()
    account = account_of(world, "C-0")
    for _ in range(2 * CORRECTIONS):
        world.panel.edit(account, language="pol")
        world.tick()
        world.tick()
        assert world.panel.accounts[account].values["language"] == "eng"
    status = world.exchange.status("C-0", "billing")
    assert status
    assert status.state is State.IN_STEP
