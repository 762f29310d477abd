"""What the simulation has found in the product, each as the shortest history that showed it."""

from __future__ import annotations

import pytest

from tests.simulation.acts import Step
from tests.simulation.history import History, lived
from tests.simulation.world import BRAKED, DEFAULT, HOLDING, ONE_BY_ONE

FOUND = {
    "a record that the panel fails over holds up another one for ever, once the brake had stopped both": History(
        BRAKED,
        False,
        (
            Step("inserts", ("C-2",)),
            Step("inserts", ("C-1",)),
            Step("ticks"),
            Step("record_goes_bad", ("C-2", "fails")),
            Step("erp_edits", ("C-2", "company")),
            Step("erp_edits", ("C-1", "city")),
        ),
    ),
    "an edit that a second reading has shown, just before the first write of a week, is overwritten": History(
        ONE_BY_ONE,
        False,
        (
            Step("inserts", ("C-1",)),
            Step("wakes", ("panel_feed", "ready", None)),
            Step("delivers", ("accounts", 12)),
            Step("erp_edits", ("C-1", "street")),
            Step("goes_on", (1, None)),
            Step("cloud_is_lost"),
            Step("wakes", ("panel_feed", "ready", None)),
            Step("delivers_what_waits", (9,)),
            Step("panel_edits", ("C-1", "street")),
        ),
    ),
    "an edit in an account is taken for our own opening of it, where that was stored later": History(
        DEFAULT,
        False,
        (
            Step("inserts", ("C-1",)),
            Step("wakes", ("panel_feed", "ready", None)),
            Step("delivers", ("accounts", 4)),
            Step("goes_on", (3, 15)),
            Step("panel_edits", ("C-1", "email")),
        ),
    ),
    "a client that a person has tried again is tried for ever, without a pause, while the panel fails over it": History(
        HOLDING,
        False,
        (
            Step("panel_is_away", (3, "panel_429")),
            Step("inserts", ("C-1",)),
            Step("record_goes_bad", ("C-1", "fails")),
            Step("ticks"),
        ),
    ),
}


@pytest.mark.parametrize("history", FOUND.values(), ids=FOUND.keys())
def test_it_does_not_come_back(history: History) -> None:
    assert lived(history).violations == ()
