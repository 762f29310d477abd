"""`bench.five_faults`: what its table says of a fault is what became of the accounts. The peer is the plain script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bench import page, rivals
from bench.customers import clients
from bench.five_faults import MOST_RUNS, NAME, Day, Outcome, Peer
from bench.panel import BenchPanel
from local.panel import StandinPanel

KEY = "canary-key-of-five-faults"
CLIENTS = 250
BATCHES = 3
(SCRIPT,) = (each for each in rivals.rivals(CLIENTS) if each.name == rivals.SCRIPT)


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[BenchPanel]:
    key_file = tmp_path / "panel.key"
    key_file.write_text(KEY)
    with StandinPanel(key=KEY) as standin:
        yield BenchPanel(standin.url, KEY, key_file, 0.0, 0)


def met(panel: BenchPanel, home: Path, fault: str) -> Outcome:
    outcome = Day(Peer(SCRIPT, home, panel), panel, clients(CLIENTS)).meet(fault)
    assert outcome.seconds > 0
    return replace(outcome, seconds=0)


AGAIN = 100
"""Records that a run sends a second time for each batch that is there already: refused, and then changed."""
EXPECTED: Mapping[str, Mapping[str, int]] = {
    "F3": {"arrived": CLIENTS, "doubled": 0, "repeated": 2 * (CLIENTS - 1), "runs": 2, "calls": 3 * BATCHES},
    "F4": {
        "arrived": 2 * 100 - 1,  # the third batch is never reached
        "doubled": 0,
        "repeated": 1 + (MOST_RUNS - 1) * 3 * AGAIN,
        "runs": MOST_RUNS,
        "calls": 2 + (MOST_RUNS - 1) * 3,
    },
    "F5": {"arrived": CLIENTS, "doubled": 0, "repeated": 0, "runs": 1, "calls": BATCHES},
}


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_told_as_it_ended(panel: BenchPanel, tmp_path: Path, fault: str) -> None:
    outcome = met(panel, tmp_path, fault)
    assert {name: getattr(outcome, name) for name in EXPECTED[fault]} == EXPECTED[fault]
    assert outcome.lost == CLIENTS - outcome.arrived


def test_a_killed_peer_sends_again_what_it_does_not_know_of(panel: BenchPanel, tmp_path: Path) -> None:
    panel.misbehave(kind="slow", seconds=5, skip=BATCHES - 1)  # it is still at work when it is killed
    outcome = met(panel, tmp_path, "F2")
    assert (outcome.lost, outcome.doubled, outcome.runs) == (0, 0, 2)
    assert 2 * AGAIN <= outcome.repeated <= 2 * CLIENTS


def test_an_answer_that_is_lost_costs_a_run(panel: BenchPanel, tmp_path: Path) -> None:
    panel.misbehave(kind="5xx", status=503, when="after", times=1)
    outcome = met(panel, tmp_path, "F1")
    assert outcome.lost == 0
    assert outcome.runs >= 2
    assert outcome.repeated >= 2 * AGAIN


def test_an_account_that_is_there_twice_is_told(panel: BenchPanel, tmp_path: Path) -> None:
    code = clients(1)[0]["id"]
    panel.seed([{"login": "other", "external_code": code, "email": "other@example.com"}])
    assert met(panel, tmp_path, "F5").doubled == 1


def test_the_page_shows_a_line_for_everybody_who_met_a_fault() -> None:
    outcome = Outcome("dlt", "F4", 10, 9, 0, 3, 6, 1.4, 12, 2)
    document = {"outcomes": [{name: getattr(outcome, name) for name in Outcome.__slots__}]}
    *_, line = page.bad_days(page.Measured({NAME: document})).splitlines()
    assert line == "| F4 one client that the panel refuses | dlt | 9 | 1 | 0 | 3 | 6 | 12 | 2 | 1 |"
