"""The pages that are made of what was measured: tables, goals, where a peer is ahead, and what a month costs."""

from __future__ import annotations

from typing import Any

import pytest

from bench import cold, cost, growth, ours, page, rivals
from bench.page import Measured
from kartoteka.fields.table import CONCERNS

CALL = "call GET clients/clients"


def spread(value: float) -> dict[str, float]:
    return {"median": value, "min": value, "max": value}


def run(who: str, name: str, **figures: float) -> dict[str, Any]:
    usual = {"wall s": 1.0, "cpu s": 1.0, "peak MB": 80.0, "panel calls": 1.0, CALL: 1.0}
    counts = {"SQL reads": 20.0, "DynamoDB read units": 10.0, "DynamoDB write units": 2.0, "SQS requests": 0.0}
    named = {key.replace("_", " "): value for key, value in figures.items()}
    shown = usual | counts | {"log bytes": 2_000.0} | named
    return {"who": who, "run": name, "repetitions": 1, "figures": {k: spread(v) for k, v in shown.items()}}


def measured(*runs: dict[str, Any], **documents: Any) -> Measured:
    return Measured({"result": {"asked": {"latency_ms": 50, "customers": 10_000}, "runs": list(runs)}, **documents})


def kartoteka(**edits: float) -> list[dict[str, Any]]:
    quiet = [run(ours.WHO, name) for name in (ours.QUIET, ours.ECHO, ours.CONFIRMED, ours.ADDRESSES_READ)]
    changed = [run(ours.WHO, name, **edits) for name in (ours.ERP_EDITS, ours.PANEL_EDITS, ours.FIRST_LOAD)]
    return [*quiet, *changed, run(ours.WHO, ours.QUIET_WARM, wall_s=0.1)]


# --- what is made stands between what is written by hand


def test_only_what_stands_between_the_marks_is_made_anew() -> None:
    text = "By hand.\n<!-- begin ahead -->\nold\n<!-- end -->\nBy hand too.\n"
    made = page.rendered(text, {"ahead": lambda _: "new\n\n"}, Measured({}))
    assert made == "By hand.\n<!-- begin ahead -->\nnew\n<!-- end -->\nBy hand too.\n"
    assert page.rendered(made, {"ahead": lambda _: "new"}, Measured({})) == made


def test_a_block_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        page.rendered("<!-- begin nonsense -->\n<!-- end -->", page.BLOCKS, Measured({}))


@pytest.mark.parametrize("made", [page, cost])
def test_the_pages_are_what_their_figures_say(made: Any) -> None:
    text = made.PAGE.read_text()
    assert page.rendered(text, made.BLOCKS, page.collected()) == text, f"run `python -m {made.__name__}`"


@pytest.mark.parametrize("made", [page, cost])
def test_every_block_has_its_place(made: Any) -> None:
    assert {name for _, name, _ in page.BLOCK.findall(made.PAGE.read_text())} == set(made.BLOCKS)


def test_what_was_not_measured_names_its_command() -> None:
    assert {
        name for name, block in page.BLOCKS.items() if "not measured yet" not in block(Measured({})).lower()
    } == set()


# --- honest


def test_a_peer_that_needs_less_is_named_with_its_figure() -> None:
    told = page.ahead(
        measured(
            run(ours.WHO, ours.FIRST_LOAD, wall_s=5.0, cpu_s=4.0),
            run(rivals.DLT, ours.FIRST_LOAD, wall_s=8.0, cpu_s=2.0),
            run(rivals.SCRIPT, ours.FIRST_LOAD, wall_s=9.0, cpu_s=0.5),
        )
    )
    assert told == "- first load, CPU seconds: batch script 0.50; dlt 2; Kartoteka 4"


def test_goals_that_are_missed_are_told_as_missed() -> None:
    told = page.goals(
        measured(run(ours.WHO, ours.FIRST_LOAD, wall_s=5.0), run(rivals.DLT, ours.FIRST_LOAD, wall_s=8.0))
    )
    assert "| first load: at most half of dlt's time | 5 against 8 (0.62) | **no** |" in told
    assert "CPU (aim: 1.0) | 1 against 1 (1.00) | yes |" in told


def test_growth_is_judged_by_a_fifth() -> None:
    def of(size: int, wall: float) -> dict[str, Any]:
        return run(ours.ON_POSTGRESQL, ours.ERP_EDITS, wall_s=wall) | {"clients": size}

    def verdict(wall: float) -> str:
        told = page.goals(measured(growth={"runs": [of(10_000, 1.0), of(1_000_000, wall)]}))
        return next(line for line in told.splitlines() if "seconds by the clock as of 10,000" in line)

    assert verdict(1.19).endswith("yes |")
    assert verdict(1.21).endswith("**no** |")


def test_least_and_most_stand_beside_the_median() -> None:
    both = run(ours.WHO, ours.QUIET)
    both["figures"]["wall s"] = {"median": 1.0, "min": 0.5, "max": 2.25}
    assert "1 (0.50-2.25)" in page.side_by_side(measured(both))


def test_the_layer_holds_what_is_required_with_its_extras_and_what_that_needs() -> None:
    sizes = cold.layer()
    assert {"kartoteka", "boto3", "botocore", "psycopg", "psycopg-binary", "pydantic-core", "urllib3"} <= sizes.keys()
    assert not {"pytest", "moto", "hypothesis"} & sizes.keys()
    assert all(size > 0 for size in sizes.values())


def test_every_function_is_loaded() -> None:
    assert set(cold.functions()) >= {*CONCERNS, "panel_feed"}
    figures = cold.loaded("panel_feed")
    assert figures["modules"] > 100
    assert figures["ms"] > 0


# --- cost


def test_every_price_is_used_and_every_use_has_a_price() -> None:
    usage = cost.month(measured(*kartoteka()), cost.deployed(), 1_000, 0.01)
    assert usage.keys() == cost.prices()["prices"].keys()


def test_a_quiet_month_is_schedules_queues_and_alarms() -> None:
    stack = cost.deployed()
    usage = cost.month(measured(*kartoteka()), stack, 1_000, 0.0)
    assert usage["scheduler_invocations"] == usage["lambda_requests"] == stack.fired + stack.passes
    assert usage["alarm_months"] == stack.alarms
    assert usage["sqs_requests"] == stack.queues * cost.POLLS_A_MINUTE * cost.MINUTES
    waking, asking = 2 * (cost.MINUTES + stack.passes / stack.functions), cost.UNITS_OF_A_CALL[0] * cost.asked_idle()
    assert usage["dynamodb_write_units"] == pytest.approx(waking + asking)


def test_changes_pay_for_runs_of_their_own_up_to_one_a_minute() -> None:
    def sends(clients: int, rate: float) -> float:
        found = measured(*kartoteka(SQS_requests=3.0))
        quiet, busy = (cost.month(found, cost.deployed(), clients, each)["sqs_requests"] for each in (0.0, rate))
        return busy - quiet

    assert sends(1_000, 0.01) == pytest.approx(3 * 300)
    assert sends(100_000, 0.1) == pytest.approx(3 * cost.MINUTES)
    assert sends(1_000_000, 0.5) == pytest.approx(3 * 150_000)


def test_the_daily_full_scan_is_paid_by_the_second_where_it_was_measured() -> None:
    scan = run(ours.ON_POSTGRESQL, growth.SCAN, wall_s=1_000.0) | {"clients": 1_000_000}
    found = measured(*kartoteka(), growth={"runs": [scan]})
    without = cost.month(measured(*kartoteka()), cost.deployed(), 1_000_000, 0.0)["lambda_gb_seconds"]
    seconds = cost.month(found, cost.deployed(), 1_000_000, 0.0)["lambda_gb_seconds"] - without
    assert seconds == pytest.approx(1_000 * 30 * 0.5)


def test_slow_panel_calls_are_paid_for() -> None:
    assert cost.counted(measured(*kartoteka()), ours.QUIET).seconds == pytest.approx(1.0 + cost.CALL_SECONDS - 0.05)


def test_an_idle_panel_is_asked_as_the_default_policy_says() -> None:
    assert cost.asked_idle() == 30 * 24 * 6 + 30 * 40


def test_the_template_is_read() -> None:
    stack = cost.deployed()
    assert (stack.functions, stack.queues, stack.secrets, stack.memory_gb) == (7, 6, 3, 0.5)
    assert stack.fired == 7 * cost.MINUTES + cost.MINUTES / 15
    assert stack.alarms > 50
    assert stack.dashboards == 1
