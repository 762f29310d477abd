"""The simulation turns red where a guard of a promise is taken away, within so many histories.

What only a rare meeting of things shows has a history that was written for it; docs/simulation.md says after how many
drawn ones each was found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.simulation.acts import Step
from tests.simulation.history import History, drawn, lived
from tests.simulation.plants import NAIVE, OTHERS
from tests.simulation.world import DEFAULT, ONE_BY_ONE, PANEL_WINS

MOST = 60
IN_STEP = (Step("inserts", ("C-1",)), Step("ticks"), Step("ticks"))
LONG_AGO = (
    Step("inserts", ("C-2",)),
    Step("ticks"),
    Step("ticks"),
    Step("time_passes", (4000,)),
    Step("panel_edits", ("C-2", "street")),
    Step("ticks"),
    Step("time_passes", (4000,)),
    Step("erp_edits", ("C-1", "street")),
    Step("wakes", ("billing", "all", None)),
)
"""Another account was edited last, so that no window of the panel's feed shows this one; then the ERP edits."""
MEETINGS = {
    "intent": History(
        PANEL_WINS,
        False,
        (
            *IN_STEP,
            Step("erp_edits", ("C-1", "street")),
            Step("wakes", ("billing", "all", None)),
            Step("reply_is_lost"),
            Step("delivers", ("billing", None)),
            Step("erp_edits", ("C-1", "street")),
        ),
    ),
    "deferral lost": History(
        ONE_BY_ONE,
        False,
        (*IN_STEP, *LONG_AGO, Step("panel_is_away", (2, "panel_5xx")), Step("delivers", ("billing", None))),
    ),
    "second page skipped": History(
        ONE_BY_ONE,
        False,
        (
            *IN_STEP,
            Step("inserts", ("C-2",)),
            Step("ticks"),
            Step("ticks"),
            Step("time_passes", (4000,)),
            Step("panel_edits", ("C-1", "city")),
            Step("panel_edits", ("C-2", "city")),
        ),
    ),
    "one worker": History(
        DEFAULT,
        False,
        (
            *IN_STEP,
            Step("adds_address", ("C-1",)),
            Step("wakes", ("delivery_addresses", "all", None)),
            Step("message_comes_twice_at_once", ("delivery_addresses", 6)),
        ),
    ),
    "failed message answered as done": History(
        ONE_BY_ONE,
        False,
        (
            *IN_STEP,
            *LONG_AGO,
            Step("database_is_away", (4,)),
            Step("delivers", ("billing", None)),
        ),
    ),
    "price not doubted before it is sent": History(
        DEFAULT,
        False,
        (
            *IN_STEP,
            Step("names_group", ("G1", "Hurt")),
            Step("sets_price", ("G1", ("product", "1"), "12.50")),
            Step("ticks"),
            Step("ticks"),
            Step("sets_price", ("G1", ("product", "1"), "99.99")),
            Step("wakes", ("discounts", "all", None)),
            Step("reply_is_lost"),
            Step("delivers", ("discounts", None)),
            Step("sets_price", ("G1", ("product", "1"), "12.50")),
        ),
    ),
    "pause ignored": History(
        DEFAULT,
        False,
        (
            *IN_STEP,
            Step("pauses", ("billing",)),
            Step("erp_edits", ("C-1", "street")),
            Step("wakes", ("billing", "all", None)),
            Step("delivers", ("billing", None)),
        ),
    ),
}
MEETINGS["intent cleared before it is settled"] = MEETINGS["intent"]


def histories(name: str) -> Iterator[History]:
    if name in MEETINGS:
        yield MEETINGS[name]
    yield from map(drawn, range(MOST))


@pytest.mark.parametrize("name", NAIVE | OTHERS)
def test_each_guard_is_missed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with (NAIVE | OTHERS)[name]():
        for number, history in enumerate(histories(name), start=1):
            if violations := lived(history).violations:
                with capsys.disabled():
                    sys.stdout.write(f"\n{name}: after {number} histories, {violations[0]}\n")
                return
    pytest.fail(f"nobody misses it in {MOST} histories: {name}")


@pytest.mark.parametrize("name", MEETINGS)
def test_the_written_ones_hold_where_nothing_is_planted(name: str) -> None:
    assert lived(MEETINGS[name]).violations == ()
