"""`kartoteka status`, `conflicts` and `history` on a real exchange database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import look
from cli import stack as stacks
from cli.erp import Where, opened
from kartoteka.model import (
    ConflictNote,
    Direction,
    Link,
    Parked,
    Reason,
    Settlement,
    Side,
    State,
    Status,
    Written,
)
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IN_STEP = Status(State.IN_STEP)
EVIL = "[b]\x1b[2J\x9b31m\u202e\r\n"


def settle(bench: SqlBench, *settlements: Settlement) -> None:
    bench.exchange.settle(settlements, run_id="run-1", at=AT)


def linked(key: str) -> Settlement:
    street = Written("street", Direction.ERP_TO_PANEL, Reason.CREATE, None, "Długa 1")
    return Settlement(
        key, "accounts", IN_STEP, link=Link(key, f"7{key[-1]}", key.lower(), "created"), written=(street,)
    )


def in_conflict(key: str, erp: str = "Długa 1", panel: str = "Krótka 2", winner: Side | None = None) -> Settlement:
    status = Status(State.CONFLICT, "conflict", "Różne zmiany / Edited differently")
    return Settlement(key, "billing", status, conflicts=(ConflictNote("street", erp, panel, "Stara 3", winner),))


@pytest.fixture
def filled(sqlite_bench: SqlBench) -> SqlBench:
    """Three cards: one in step, one in conflict and one parked; one held without an account."""
    for number in range(1, 5):
        sqlite_bench.erp.insert_card(f"C-{number}", street="Długa 1")
    held = Status(State.HELD, "incomplete", "Brakuje: email. / Missing: email.")
    parked = Parked(AT + timedelta(minutes=2), attempts=0, tries=2, code="timeout")
    settle(sqlite_bench, linked("C-1"), linked("C-2"), linked("C-3"), Settlement("C-4", "accounts", held))
    settle(
        sqlite_bench,
        Settlement("C-1", "billing", IN_STEP),
        in_conflict("C-2"),
        Settlement("C-3", "billing", Status(State.PENDING, "timeout", "…"), parked=parked),
    )
    return sqlite_bench


# --- status


def test_status_counts_by_concern_and_state(command: Command, filled: SqlBench) -> None:
    report = command.json("status", "--erp-url", filled.url)
    assert report["totals"] == {"cards": 4, "linked": 3, "held": 1, "conflicts": 1, "undecided": 1}
    assert {(r["concern"], r["state"]): r["records"] for r in report["states"]} == {
        ("accounts", "held"): 1,
        ("accounts", "in_step"): 3,
        ("billing", "conflict"): 1,
        ("billing", "in_step"): 1,
        ("billing", "pending"): 1,
    }
    assert report["cloud"] is None


def test_status_tells_what_is_held_and_what_is_parked(command: Command, filled: SqlBench) -> None:
    report = command.json("status", "--erp-url", filled.url)
    (held,) = report["held"]
    assert (held["client_id"], held["code"], held["message"]) == (
        "C-4",
        "incomplete",
        "Brakuje: email. / Missing: email.",
    )
    assert report["parked"] == [
        {"concern": "billing", "code": "timeout", "records": 1, "next_due": "2026-03-02 12:02:00"},
    ]


def test_status_as_tables_says_the_same(command: Command, filled: SqlBench) -> None:
    shown = command("status", "--erp-url", filled.url).stdout
    for part in ("4 cards, 3 with an account", "C-4", "incomplete", "Brakuje: email.", "timeout", "12:02:00"):
        assert part in shown
    assert "1 open conflict, 1 not decided" in shown


def test_status_ends_well_unless_it_is_asked_for_a_verdict(command: Command, filled: SqlBench) -> None:
    command("status", "--erp-url", filled.url)
    command("status", "--erp-url", filled.url, "--exit-code", code=3)


@pytest.mark.parametrize(
    ("settlement", "code"),
    [
        (Settlement("C-1", "billing", Status(State.HELD, "refused")), 3),
        (in_conflict("C-1"), 3),
        (in_conflict("C-1", winner=Side.ERP), 0),
        (Settlement("C-1", "billing", Status(State.PENDING, "timeout")), 0),
    ],
    ids=["held", "undecided", "decided", "pending"],
)
def test_what_waits_for_a_person(command: Command, sqlite_bench: SqlBench, settlement: Settlement, code: int) -> None:
    settle(sqlite_bench, settlement)
    command("status", "--erp-url", sqlite_bench.url, "--exit-code", code=code)


def test_status_of_an_installation_in_step(command: Command, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_card("C-1")
    settle(sqlite_bench, linked("C-1"))
    assert "1 card, 1 with" in command("status", "--erp-url", sqlite_bench.url, "--exit-code").stdout


def test_status_says_how_many_more_are_held(command: Command, sqlite_bench: SqlBench) -> None:
    settle(sqlite_bench, *(Settlement(f"C-{n}", "accounts", Status(State.HELD, "incomplete")) for n in range(5)))
    shown = command("status", "--erp-url", sqlite_bench.url, "--limit", "2").stdout
    assert "3 more held records: --limit 5 shows all" in shown


def test_status_counts_what_found_no_other_side(command: Command, sqlite_bench: SqlBench) -> None:
    run = sqlite_bench.erp.run
    run("INSERT INTO clients (id) VALUES ('C-1'), ('C-2'), ('C-3'), ('C-4')")
    run(
        "INSERT INTO sync_matches (client_id, panel_client_id, matched_by) VALUES "
        "('C-1', '71', 'nip'), ('C-1', '72', 'email'), ('C-2', '73', 'nip'), ('C-3', '74', 'nip'), ('C-4', '71', 'nip')"
    )
    run(
        "INSERT INTO sync_status (client_id, concern, item_id, state, code) VALUES "
        "('C-1', 'accounts', '', 'held', 'several_accounts'), ('C-2', 'accounts', '', 'in_step', ''), "
        "('C-3', 'billing', '', 'held', 'refused'), ('C-4', 'accounts', '', 'held', 'contended'), "
        "('C-9', 'accounts', '', 'held', 'incomplete')"
    )
    run("INSERT INTO incoming_clients (panel_client_id, client_id) VALUES ('80', NULL), ('81', ''), ('82', 'C-2')")
    run(
        "INSERT INTO sync_panel_accounts (panel_client_id, login, external_code, guest) VALUES "
        "('90', 'a', '', 0), ('91', 'b', 'C-1', 0), ('92', 'c', 'X-1', 0), ('93', '', '', 1), ('94', '', 'X-2', 1)"
    )
    report = command.json("status", "--erp-url", sqlite_bench.url)
    assert report["unmatched"] == {
        "candidates": 2,
        "incoming": 2,
        "answered": 1,
        "guests": 2,
        "unknown_codes": 1,
    }
    shown = command("status", "--erp-url", sqlite_bench.url).stdout
    assert "sync_matches" in shown
    assert "incoming_clients" in shown


def test_what_all_found_its_other_side_is_not_mentioned(command: Command, filled: SqlBench) -> None:
    report = command.json("status", "--erp-url", filled.url)
    assert set(report["unmatched"].values()) == {0}
    assert "Not matched" not in command("status", "--erp-url", filled.url).stdout


# --- discount groups, which are no customers


def about_group(item_id: str, state: State = State.IN_STEP, code: str = "", **more: Any) -> Settlement:
    """Say something of a group, or of one of its prices: ``group/type/id``."""
    return Settlement("", "discounts", Status(state, code, f"o {item_id} / of {item_id}"), item_id=item_id, **more)


@pytest.fixture
def groups(sqlite_bench: SqlBench) -> SqlBench:
    """Groups: two in step and one waiting, some of them named like a price; one held, one parked. Two prices held."""
    sqlite_bench.erp.insert_card("C-1")
    sqlite_bench.erp.run(
        "INSERT INTO discount_groups (id, name) VALUES ('G-1', 'Złota'), ('G-3', NULL), ('B/product/5', 'Nowa')"
    )
    parked = Parked(AT + timedelta(minutes=2), attempts=0, tries=2, code="timeout")
    later = AT + timedelta(hours=1)
    settle(
        sqlite_bench,
        linked("C-1"),
        Settlement("C-1", "discounts", IN_STEP),
        about_group("G-1", agreed={"name": "Złota"}, panel_item_id="4"),
        about_group("A/product/5", agreed={"name": "Ukośna"}, panel_item_id="5"),
        about_group("B/product/5", State.WAITING),
        about_group("G-3", State.HELD, "incomplete"),
        about_group("G-4", State.PENDING, "timeout", parked=parked),
    )
    prices = [about_group(f"G-1/product/{n}", State.HELD, "bad_amount") for n in (17, 18)]
    price = Written("price", Direction.ERP_TO_PANEL, Reason.CREATE, None, "12.50")
    written = Settlement("", "discounts", None, item_id="G-1/product/19", written=(price,))
    sqlite_bench.exchange.settle([*prices, written], run_id="run-2", at=later)
    return sqlite_bench


def test_groups_and_their_prices_are_counted_apart_from_customers(command: Command, groups: SqlBench) -> None:
    report = command.json("status", "--erp-url", groups.url)
    assert (report["totals"]["cards"], report["totals"]["linked"], report["totals"]["held"]) == (1, 1, 3)
    assert [row for row in report["states"] if row["concern"].startswith("disc")] == [
        {"concern": "discount_group_items", "state": "held", "records": 2},
        {"concern": "discount_groups", "state": "held", "records": 1},
        {"concern": "discount_groups", "state": "in_step", "records": 2},
        {"concern": "discount_groups", "state": "pending", "records": 1},
        {"concern": "discount_groups", "state": "waiting", "records": 1},
        {"concern": "discounts", "state": "in_step", "records": 1},
    ]
    assert report["parked"] == [
        {"concern": "discount_groups", "code": "timeout", "records": 1, "next_due": "2026-03-02 12:02:00"}
    ]


def test_a_flood_of_prices_hides_no_group(command: Command, groups: SqlBench) -> None:
    report = command.json("status", "--limit", "2", "--erp-url", groups.url)
    assert [(row["client_id"], row["concern"], row["item_id"]) for row in report["held"]] == [
        ("", "discounts", "G-3"),
        ("", "discounts", "G-1/product/17"),
    ]
    shown = command("status", "--limit", "2", "--erp-url", groups.url).stdout
    (line,) = [line for line in shown.splitlines() if "G-1/product/17" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")[:4]] == [
        "",
        "discounts",
        "G-1/product/17",
        "bad_amount",
    ]
    assert "1 more held record: --limit 3 shows all" in shown
    assert "1 card, 1 with" in shown


def test_a_held_group_waits_for_a_person_and_a_parked_one_does_not(command: Command, sqlite_bench: SqlBench) -> None:
    settle(sqlite_bench, about_group("G-4", State.PENDING, "timeout"))
    command("status", "--erp-url", sqlite_bench.url, "--exit-code")
    settle(sqlite_bench, about_group("G-1/product/17", State.HELD, "bad_amount"))
    command("status", "--erp-url", sqlite_bench.url, "--exit-code", code=3)


def test_the_history_of_a_group_is_its_own_and_its_prices(command: Command, groups: SqlBench) -> None:
    name = Written("name", Direction.ERP_TO_PANEL, Reason.EDIT, "Złota", "Złota %")
    own = about_group("G-1", written=(name,))
    address = Settlement("C-1", "delivery_addresses", IN_STEP, item_id="G-1", written=(name,))
    wild = about_group("G_1/product/3", written=(name,))
    customer = Settlement("C-1", "discounts", IN_STEP, written=(name,))
    settle(groups, own, address, wild, customer, about_group("G-10", written=(name,)))
    for given, found in {
        "G-1": ["G-1", "G-1/product/19"],
        "G_1": ["G_1/product/3"],
        "G-%": [],
        "": [],
    }.items():
        rows = command.json("history", "--group", given, "--erp-url", groups.url)["history"]
        assert [row["item_id"] for row in rows] == found
    assert len(command.json("history", "--erp-url", groups.url)["history"]) == 7
    assert "12.50" in command("history", "--group", "G-1", "--erp-url", groups.url).stdout
    assert "not both" in command("history", "C-1", "--group", "G-1", "--erp-url", groups.url, code=2).output


def test_groups_are_told_on_each_engine(command: Command, sql: SqlBench) -> None:
    sql.erp.insert_card("C-1", discount_group_id="G-1")
    parked = Parked(AT, attempts=0, tries=1, code="brake")
    settle(
        sql,
        linked("C-1"),
        about_group("G-1/product/17", State.HELD, "bad_amount"),
        about_group("G-2", State.PENDING, "brake", parked=parked),
    )
    report = command.json("status", "--erp-url", sql.url)
    assert [row["concern"] for row in report["states"]] == ["accounts", "discount_group_items", "discount_groups"]
    assert [row["concern"] for row in report["parked"]] == ["discount_groups"]
    assert [row["item_id"] for row in report["held"]] == ["G-1/product/17"]
    assert command.json("history", "--group", "G-1", "--erp-url", sql.url)["history"] == []
    with opened(Where(sql.url, None)) as erp:
        for concern, found in {"discounts": ["C-1"], "credit": [], "billing": ["C-1"], "accounts": []}.items():
            assert [key for page in look.pages_of_cards(erp, concern) for key in page] == found
            assert look.count_cards(erp, concern) == len(found)
        assert look.parked_with(erp, "discounts", "brake") == (0, 1)
        assert look.prices(erp, "G-1") == 0


# --- which database


def test_the_environment_names_the_database(
    command: Command, filled: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", filled.url)
    assert command.json("status")["totals"]["cards"] == 4


def test_a_local_stack_that_is_down_still_has_its_database(
    command: Command, filled: SqlBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facts = tmp_path / "stack.json"
    facts.write_text(json.dumps({"erp_url": filled.url}))
    monkeypatch.setattr(stacks, "LOCAL_STACK", facts)
    report = command.json("status")
    assert (report["totals"]["cards"], report["cloud"]) == (4, None)


def test_a_named_stack_has_its_own_database_whatever_the_environment_says(
    command: Command, filled: SqlBench, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    del filled, deployed
    monkeypatch.setenv("ERP_URL", "sqlite:///nowhere.db")
    assert command.json("status", "--stack", STACK)["totals"]["cards"] == 4


def test_an_address_on_the_command_line_wins(command: Command, deployed: Deployed, tmp_path: Path) -> None:
    del deployed
    shown = command("status", "--stack", STACK, "--erp-url", f"sqlite:///{tmp_path}/typo.db", code=69).output
    assert "there is no SQLite file" in shown
    assert not (tmp_path / "typo.db").exists()


def test_without_any_database_the_command_says_what_to_give(command: Command) -> None:
    assert "--erp-url" in command("status", code=69).output


def test_a_database_without_tables_says_what_to_run(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    assert "kartoteka schema create" in command("history", "--erp-url", f"sqlite:///{tmp_path}/empty.db", code=1).output


def test_a_wrong_address_is_not_repeated(command: Command) -> None:
    shown = command("status", "--erp-url", "oracle://erp:geheim@h/d", code=1).output
    assert "not supported" in shown
    assert "geheim" not in shown


# --- the stack


def test_status_of_a_deployed_stack(command: Command, filled: SqlBench, deployed: Deployed) -> None:
    del filled
    deployed.bury("billing", "{}")
    deployed.state.pause("accounts", "holiday")
    deployed.state.record_run({"reconciled": 7, "panel_calls": 2}, run_id="run-1", concern="billing", at=AT)
    deployed.state.record_run({"reconciled": 1}, run_id="run-2", concern="billing", at=AT + timedelta(hours=1))
    found = command.json("status", "--stack", STACK)["cloud"]
    assert found["queues"] == [
        {"concern": "accounts", "waiting": 0, "dead": 0},
        {"concern": "billing", "waiting": 0, "dead": 1},
        {"concern": "credit", "waiting": 0, "dead": 0},
        {"concern": "delivery_addresses", "waiting": 0, "dead": 0},
        {"concern": "discounts", "waiting": 0, "dead": 0},
        {"concern": "shops", "waiting": 0, "dead": 0},
    ]
    assert found["paused"] == {"accounts": "holiday"}
    assert [(run["run_id"], run["reconciled"]) for run in found["runs"]] == [("run-2", 1), ("run-1", 7)]
    assert "expires_at" not in found["runs"][0]
    shown = command("status", "--stack", STACK).stdout
    assert "holiday" in shown
    assert f"kartoteka resume accounts --stack {STACK}" in shown
    assert "Last runs" in shown


def test_a_concern_that_the_brake_stopped_waits_for_a_person(command: Command, deployed: Deployed) -> None:
    deployed.state.pause("billing", "holiday")
    command("status", "--stack", STACK, "--exit-code")
    deployed.state.pause("shops", "brake")
    shown = command("status", "--stack", STACK, "--exit-code", code=3).stdout
    assert f"kartoteka resume shops --confirm --stack {STACK}" in shown


# --- conflicts


def test_conflicts_lists_the_open_ones(command: Command, filled: SqlBench) -> None:
    settle(filled, in_conflict("C-1", winner=Side.ERP))
    (row,) = command.json("conflicts", "--erp-url", filled.url)["conflicts"]
    assert (row["client_id"], row["field"], row["erp_value"], row["panel_value"]) == (
        "C-2",
        "street",
        "Długa 1",
        "Krótka 2",
    )
    every = command.json("conflicts", "--all", "--erp-url", filled.url)["conflicts"]
    assert [(r["client_id"], r["decision"]) for r in every] == [("C-1", "erp"), ("C-2", None)]


def test_conflicts_as_a_table(command: Command, filled: SqlBench) -> None:
    shown = command("conflicts", "--erp-url", filled.url).stdout
    assert "Krótka 2" in shown
    assert "Stara 3" in shown


def test_a_decision_is_written_as_a_persons_answer(command: Command, filled: SqlBench) -> None:
    before = len(filled.erp.log())
    (row,) = command.json("conflicts", "--erp-url", filled.url)["conflicts"]
    shown = command("conflicts", "decide", str(row["id"]), "panel", "--erp-url", filled.url).stdout
    assert "panel wins" in shown
    (conflict,) = filled.erp.conflicts
    assert (conflict.decision, conflict.closed_at) == ("panel", None)
    assert conflict.decided_at is not None
    assert filled.erp.log()[before:] == [("sync_conflicts", "C-2", str(row["id"]), "U", "erp")]
    assert command.json("status", "--erp-url", filled.url)["totals"]["undecided"] == 0


def test_the_options_of_the_list_hold_for_a_decision_too(command: Command, filled: SqlBench) -> None:
    answer = command("conflicts", "--erp-url", filled.url, "--json", "decide", "1", "erp").stdout
    assert json.loads(answer) == {"id": 1, "decision": "erp", "client_id": "C-2", "field": "street"}


def test_a_decision_may_be_changed_until_it_is_carried_out(command: Command, filled: SqlBench) -> None:
    for side in ("erp", "panel"):
        command("conflicts", "decide", "1", side, "--erp-url", filled.url)
    settle(filled, Settlement("C-2", "billing", IN_STEP, close_conflicts={1: Side.PANEL}))
    shown = command("conflicts", "decide", "1", "erp", "--erp-url", filled.url, code=65).output
    assert "closed already" in shown
    assert filled.erp.conflicts[0].decision == "panel"


def test_an_address_is_named_with_what_was_decided_and_what_was_written(command: Command, filled: SqlBench) -> None:
    written = (Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, "Stara 3", "Długa 1"),)
    conflict = ConflictNote("city", "Łódź", "Gdynia", "")
    status = Status(State.CONFLICT, "conflict")
    addresses = "delivery_addresses"
    settle(filled, Settlement("C-1", addresses, status, item_id="D-7", written=written, conflicts=(conflict,)))
    shown = command("conflicts", "decide", "2", "erp", "--erp-url", filled.url).stdout
    assert "conflict 2 (C-1, D-7, city): erp wins" in shown
    (row,) = command.json("history", "C-1", "--limit", "1", "--erp-url", filled.url)["history"]
    assert row["item_id"] == "D-7"
    assert "D-7" in command("history", "C-1", "--erp-url", filled.url).stdout


def test_an_unknown_conflict_and_an_unknown_side_are_refused(command: Command, filled: SqlBench) -> None:
    assert (
        "there is no conflict 99"
        in command("conflicts", "decide", "99", "erp", "--erp-url", filled.url, code=65).output
    )
    command("conflicts", "decide", "1", "both", "--erp-url", filled.url, code=2)


def test_no_conflicts(command: Command, sqlite_bench: SqlBench) -> None:
    assert command("conflicts", "--erp-url", sqlite_bench.url).stdout == "no open conflicts\n"


# --- history


def test_history_of_one_customer_and_of_all(command: Command, filled: SqlBench) -> None:
    rows = command.json("history", "--erp-url", filled.url)["history"]
    assert [row["client_id"] for row in rows] == ["C-3", "C-2", "C-1"]
    (row,) = command.json("history", "C-2", "--erp-url", filled.url)["history"]
    assert (row["field"], row["direction"], row["reason"], row["value_before"], row["value_after"]) == (
        "street",
        "erp_to_panel",
        "create",
        None,
        "Długa 1",
    )
    assert len(command.json("history", "--limit", "2", "--erp-url", filled.url)["history"]) == 2
    assert "Długa 1" in command("history", "--erp-url", filled.url).stdout


def test_an_empty_history(command: Command, sqlite_bench: SqlBench) -> None:
    assert command("history", "--erp-url", sqlite_bench.url).stdout == "nothing was written yet\n"


# --- what a terminal must not obey


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_no_value_reaches_the_terminal_as_a_command(command: Command, sqlite_bench: SqlBench, extra: list[str]) -> None:
    written = (Written("street", Direction.PANEL_TO_ERP, Reason.EDIT, EVIL, EVIL),)
    held = Status(State.HELD, "refused", EVIL)
    settle(sqlite_bench, Settlement(EVIL, "accounts", held, written=written), in_conflict("C-1", EVIL, EVIL))
    for name in ("status", "conflicts", "history"):
        shown = command(name, "--erp-url", sqlite_bench.url, *extra).stdout
        assert all(c == "\n" or c.isprintable() for c in shown), shown
        assert "[b]" in shown, "markup is shown, not obeyed"
