"""`kartoteka plan`: the rows, totals, a forecast, CSV, and a person's word."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kartoteka.desk import plans
from kartoteka.model import Ended, Key, Line, Planned
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Chosen, PlanChange
from tests.fakes.exchange import FakeExchange
from tests.fixtures.cli import Command
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import AT, LATER


def line(client_id: str, action: Planned = Planned.UPDATE, field: str = "city", **more: Any) -> Line:
    concern = more.pop("concern", "billing")
    words = {"direction": "erp_to_panel", "value_from": "Łódź", "value_to": "Kraków", "reason": "edit"}
    return Line(Key(client_id, "", concern, more.pop("item_id", "")), action, field, **{**words, **more})


def price(item_id: str, action: Planned = Planned.ADD) -> Line:
    return Line(Key("", "G", "discounts", item_id), action, "", "erp_to_panel", None, '{"price": "1.00"}', "create")


@pytest.fixture
def url(sqlite_bench: SqlBench) -> str:
    """Give a database in which something is planned."""
    lines = [
        line("C-1"),
        line("C-1", field="phone", value_to="+48 501502503"),
        line("C-2", Planned.CREATE, "", concern="accounts", value_from=None, value_to='{"city": "x"}'),
        line("C-3", Planned.HELD, "", reason="incomplete", concern="accounts"),
        price("product/7"),
    ]
    sqlite_bench.exchange.plans.store(PlanChange(new=lines), at=AT)
    return sqlite_bench.url


def decisions(bench: SqlBench) -> dict[tuple[str, str], str]:
    found = bench.exchange.plans.open(Chosen(), 0, 100)
    return {(r.line.key.client_id or r.line.key.group_id, r.line.field): r.decision for r in found if r.decision}


def test_the_plan_as_a_program_reads_it(command: Command, url: str) -> None:
    found = command.json("plan", "--erp-url", url)
    assert found["totals"] == {"add": 1, "create": 1, "held": 1, "update": 2}
    assert found["forecast"] == {"panel_calls": 3 + 1 + 3 + 4, "minutes": 1}
    assert (found["as_of"], found["too_many"]) == (AT.isoformat(), [])
    assert found["rows"][0] == {
        "id": 1,
        "planned_at": AT.isoformat(),
        "client_id": "C-1",
        "group_id": "",
        "concern": "billing",
        "item_id": "",
        "action": "update",
        "field": "city",
        "direction": "erp_to_panel",
        "value_from": "Łódź",
        "value_to": "Kraków",
        "reason": "edit",
        "decision": None,
        "decided_by": None,
        "outcome": None,
    }


@pytest.mark.parametrize(
    ("options", "clients"),
    [
        (["--concern", "accounts"], ["C-2", "C-3"]),
        (["--client", "C-1"], ["C-1", "C-1"]),
        (["--concern", "billing", "--client", "C-2"], []),
    ],
)
def test_the_plan_of_a_concern_or_a_client(command: Command, url: str, options: list[str], clients: list[str]) -> None:
    found = command.json("plan", "--erp-url", url, *options)
    assert [row["client_id"] for row in found["rows"]] == clients
    assert sum(found["totals"].values()) == len(clients)


def test_the_plan_as_a_person_reads_it(command: Command, url: str) -> None:
    said = command("plan", "--erp-url", url, "--limit", "2").stdout
    assert "and 3 more rows" in said
    assert "update: 2" in said
    assert "about 11 calls of the panel, 1 minute" in said
    assert f"--as-of {AT.isoformat()}" in said
    assert "Kraków" in said


def test_what_has_an_outcome_is_listed_where_it_is_asked_for(
    command: Command, url: str, sqlite_bench: SqlBench
) -> None:
    sqlite_bench.exchange.plans.store(PlanChange(ended={1: Ended.DONE, 2: Ended.STALE}), at=AT)
    assert [row["id"] for row in command.json("plan", "--erp-url", url)["rows"]] == [3, 4, 5]
    found = command.json("plan", "--erp-url", url, "--ended")
    assert [row["outcome"] for row in found["rows"]] == ["done", "stale", None, None, None]
    assert found["totals"] == {"add": 1, "create": 1, "held": 1}


def test_nothing_is_planned(command: Command, sqlite_bench: SqlBench) -> None:
    assert "Nothing is planned." in command("plan", "--erp-url", sqlite_bench.url).stdout
    found = command.json("plan", "--erp-url", sqlite_bench.url)
    assert (found["rows"], found["totals"], found["as_of"]) == ([], {}, None)
    assert found["forecast"] == {"panel_calls": 0, "minutes": 0}


@pytest.mark.fault(73)
def test_a_spreadsheet_takes_no_value_for_a_formula(command: Command, sqlite_bench: SqlBench, tmp_path: Path) -> None:
    values = ["=1+1", "@x", "-5.00", "+48 501 502", "+cmd|x", "ż"]
    lines = [line("C-1", value_to=value, field=f"f{n}") for n, value in enumerate(values)]
    sqlite_bench.exchange.plans.store(PlanChange(new=lines), at=AT)
    file = tmp_path / "plan.csv"
    command("plan", "--erp-url", sqlite_bench.url, "--csv", str(file))
    read = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert tuple(read[0]) == plans.COLUMNS
    assert [row["value_to"] for row in read] == ["'=1+1", "'@x", "-5.00", "+48 501 502", "'+cmd|x", "ż"]


def test_all_that_is_not_decided_is_approved(command: Command, url: str, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.decide_plan(3, "reject")
    assert command.json("plan", "approve", "--all", "--erp-url", url) == {"decision": "approve", "rows": 4}
    assert decisions(sqlite_bench)["C-2", ""] == "reject"
    assert set(decisions(sqlite_bench).values()) == {"approve", "reject"}
    assert command.json("plan", "approve", "--all", "--erp-url", url)["rows"] == 0


def test_a_concern_or_single_rows_with_their_record_are_decided(
    command: Command, url: str, sqlite_bench: SqlBench
) -> None:
    assert command.json("plan", "reject", "--concern", "accounts", "--erp-url", url)["rows"] == 2
    said = command("plan", "--erp-url", url, "approve", "1").stdout
    assert "2 rows approved; the next run carries it out" in said
    assert decisions(sqlite_bench) == {
        ("C-1", "city"): "approve",
        ("C-1", "phone"): "approve",
        ("C-2", ""): "reject",
        ("C-3", ""): "reject",
    }
    assert command.json("plan", "approve", "3", "--erp-url", url)["rows"] == 1
    assert decisions(sqlite_bench)["C-2", ""] == "approve"


def test_what_was_planned_later_than_the_list_is_left_alone(command: Command, url: str, sqlite_bench: SqlBench) -> None:
    as_of = command.json("plan", "--erp-url", url)["as_of"]
    sqlite_bench.exchange.plans.store(PlanChange(new=[line("C-1", field="street"), line("C-9")]), at=LATER)
    assert command.json("plan", "approve", "--all", "--as-of", as_of, "--erp-url", url)["rows"] == 3
    assert {client for client, _ in decisions(sqlite_bench)} == {"C-2", "C-3", "G"}
    naive = (AT - timedelta(seconds=1)).replace(tzinfo=None).isoformat()
    assert command.json("plan", "approve", "--all", "--as-of", naive, "--erp-url", url)["rows"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["approve"], 2, "say what is meant"),
        (["reject", "--all", "--concern", "billing"], 2, "say what is meant"),
        (["approve", "1", "--all"], 2, "say what is meant"),
        (["approve", "--all", "--as-of", "yesterday"], 2, "is no moment"),
        (["approve", "1", "77", "78"], 65, "with the id 77, 78"),
        (["approve", "x"], 2, "not a valid integer"),
        (["--concern", "nonsense"], 2, "nonsense"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    command: Command, url: str, sqlite_bench: SqlBench, arguments: list[str], code: int, said: str
) -> None:
    assert said in command("plan", "--erp-url", url, *arguments, code=code).output
    assert decisions(sqlite_bench) == {}


def test_the_forecast_counts_batches_by_gate() -> None:
    exchange = FakeExchange()
    lines = [line(f"C-{n}", Planned.CREATE, "", concern="accounts") for n in range(250)]
    lines += [line(f"C-{n}", Planned.ADD, "", concern="delivery_addresses", item_id=f"A-{n}") for n in range(101)]
    lines += [line("C-1", direction="panel_to_erp"), line("C-2", Planned.CONFLICT)]
    lines += [
        price("", Planned.CREATE),
        *(price(f"product/{n}") for n in range(150)),
        price("product/x", Planned.REMOVE),
    ]
    exchange.plans.store(PlanChange(new=lines), at=AT)
    policy = Policy.model_validate({"panel": {"requests_per_second": 0.1}})
    sent, read = 3 + 2 + 1 + 2 + 1, 3 * 3 + 2 + 1 + 4 * 3
    found = plans.listing(exchange.ports, Chosen(), policy)
    assert found["forecast"] == {"panel_calls": sent + read, "minutes": 6}


def test_more_than_the_brake_bears_is_marked_and_first_contact_counts() -> None:
    exchange = FakeExchange()
    exchange.plans.store(PlanChange(new=[line(f"C-{n}") for n in range(51)]), at=AT)
    assert plans.too_many(exchange.ports, Policy()) == [{"concern": "billing", "records": 51, "of": 0}]
    looser = Policy.model_validate({"brake": {"min_records": 51}})
    assert plans.too_many(exchange.ports, looser) == []


def test_a_list_shows_some_rows_of_an_action_with_the_figures_of_all() -> None:
    exchange = FakeExchange()
    rows = [*(line(f"C-{n}") for n in range(5)), *(line(f"H-{n}", action=Planned.HELD) for n in range(3))]
    exchange.plans.store(PlanChange(new=rows), at=AT)
    found = plans.listing(exchange.ports, Chosen(action="held"), Policy(), slice(1, 3))
    assert [row["client_id"] for row in found["rows"]] == ["H-1", "H-2"]
    assert found["totals"] == {"held": 3, "update": 5}
    assert found["forecast"] == plans.listing(exchange.ports, Chosen(), Policy())["forecast"]


def test_what_a_person_has_decided_and_what_would_be_undone_is_no_more_than_the_brake_bears() -> None:
    exchange = FakeExchange()
    tight = Policy.model_validate({"brake": {"min_records": 1, "any_share": 0.5}})
    undone = [line(f"U-{n}", reason="undo") for n in range(60)]
    exchange.plans.store(PlanChange(new=[*undone, line("C-1"), line("C-2", reason="first_contact")]), at=AT)
    assert plans.too_many(exchange.ports, tight) == [{"concern": "billing", "records": 2, "of": 0}]
    exchange.plans.decide(Chosen(undo=True), "approve", "anna")
    assert [one["records"] for one in plans.too_many(exchange.ports, tight)] == [2]
    row = exchange.plans.open(Chosen(undo=False), 0, 1)[0]
    exchange.plans.decide(Chosen(ids=[row.id]), "approve", "anna")
    assert plans.too_many(exchange.ports, tight) == []
