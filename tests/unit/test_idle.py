"""What a quiet month costs in panel calls, and how soon an edit in the panel is in the ERP (`python -m bench.idle`)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.idle import DAY, DAYS, Figures, Month, filled, simulate
from kartoteka.policy import parse
from kartoteka.ports.state import month_left
from kartoteka.sync.budget import RAREST, spacing
from tests.world import START, World

CLIENTS = 5
DAYS_SEEN = 10
"""What a quiet month does, it does each day or each hour: ten days tell of thirty, at a third of the time."""
SOON_QUIET = 6 * 60
"""Minutes after which the feed is asked as seldom as it will be."""


def of_minutes(figures: Figures) -> list[int]:
    """Return how long each edit took; all of them arrived."""
    found = [wait for wait in figures.waited if wait is not None]
    assert len(found) == len(figures.waited)
    return found


def test_a_quiet_month_costs_at_most_six_thousand_calls() -> None:
    figures = simulate(Month(CLIENTS, days=DAYS_SEEN))
    assert figures.total * DAYS // DAYS_SEEN <= 6_000 - 200, (
        "so that all accounts of a large shop can be read in it once"
    )
    assert set(figures.calls) == {
        "GET clients/clients",
        "GET clients/deliveryAddress",
        "GET system/serverTime",
        "GET discounts/groups",
    }
    assert figures.calls["GET clients/deliveryAddress"] <= DAYS_SEEN * 40 / 4 + 1
    assert figures.calls["GET system/serverTime"] <= DAYS_SEEN * 4 + 1
    assert figures.calls["GET discounts/groups"] <= DAYS_SEEN


def test_with_the_hook_a_quiet_month_costs_at_most_fifteen_hundred() -> None:
    figures = simulate(Month(CLIENTS, hook=True, days=DAYS_SEEN))
    assert figures.total * DAYS // DAYS_SEEN <= 1_500 - 200


def test_an_edit_after_a_quiet_time_is_in_the_erp_within_ten_minutes() -> None:
    chance = random.Random(4)
    edits = sorted(day * DAY + hour * 60 + chance.randrange(60) for day in range(2) for hour in range(0, 24, 3))
    found = of_minutes(simulate(Month(CLIENTS, edits=edits, days=2, warm_up=SOON_QUIET)))
    assert max(found) <= 10
    assert max(found) > 2, "it was quiet, or this proves nothing"


@pytest.mark.parametrize("every", [1, 7, 23, 47])
def test_from_the_second_edit_of_an_hour_on_each_is_in_the_erp_within_two_minutes(every: int) -> None:
    edits = range(200, 200 + 12 * every, every)
    first, second, *rest = of_minutes(simulate(Month(CLIENTS, edits=edits, days=1, warm_up=SOON_QUIET)))
    assert max(first, second) <= 10
    assert max(rest) <= 2


def test_an_edit_that_stands_alone_costs_a_handful_of_calls() -> None:
    quiet = simulate(Month(CLIENTS, days=2, warm_up=SOON_QUIET)).total
    edits = range(100, 2 * DAY - 100, 4 * 60)
    assert simulate(Month(CLIENTS, edits=edits, days=2, warm_up=SOON_QUIET)).total - quiet <= 9 * len(edits)


# --- the budget


@pytest.mark.parametrize(("budget", "days"), [(500, DAYS), (2_000, DAYS_SEEN)])
def test_a_budget_lasts_for_the_month_and_edits_go_on(budget: int, days: int) -> None:
    edits = range(7, (days - 1) * DAY, DAY)
    figures = simulate(
        Month(CLIENTS, f'{{"panel": {{"monthly_budget": {budget}}}}}', edits=edits, days=days, warm_up=SOON_QUIET)
    )
    assert figures.total <= budget * days / DAYS + 4 * days, "what is used up is asked for every six hours"
    assert max(of_minutes(figures)) <= RAREST / timedelta(minutes=1) + 1


def test_a_budget_that_is_ample_changes_nothing() -> None:
    ample = simulate(Month(CLIENTS, '{"panel": {"monthly_budget": 100000}}', days=2, warm_up=SOON_QUIET))
    assert ample.total <= simulate(Month(CLIENTS, days=2, warm_up=SOON_QUIET)).total + 2


def test_a_budget_that_is_used_up_stops_no_change_and_is_told() -> None:
    world = filled(Month(CLIENTS, '{"panel": {"monthly_budget": 10}}'))
    run = world.run()
    assert spacing(run) == RAREST
    world.exchange.update_client("C-00001", city="Sopot")
    assert world.collect("billing")
    world.drain()
    assert world.panel.accounts[world.exchange.links["C-00001"].panel_client_id].values["city"] == "Sopot"
    from kartoteka.sync.feed import follow_panel

    follow_panel(run)
    assert run.short_of_calls


def test_the_spacing_gives_the_feed_a_part_of_what_is_left_for_the_rest_of_the_month() -> None:
    world = World(parse('{"panel": {"monthly_budget": 10000}}'))
    assert spacing(world.run()) == month_left(START) / 4000
    for _ in range(2_500):
        usage = world.state.shared.usage.counting(START, "GET x")
        world.state.shared = replace(world.state.shared, usage=usage)
    assert spacing(world.run()) == month_left(START) / 3000
    assert spacing(World().run()) == timedelta(0)


def test_the_month_ends_where_the_next_one_begins() -> None:
    assert month_left(START) == timedelta(days=29, hours=12)
    assert month_left(START.replace(month=12, day=31)) == timedelta(hours=12)
    assert month_left(START.replace(month=2, day=28)) == timedelta(hours=12)
