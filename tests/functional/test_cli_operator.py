"""`kartoteka status`, `conflicts` and `history` on a real exchange database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import stack as stacks
from cli.erp import Where, opened
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.codes import status as said
from kartoteka.model import Change, ConflictNote, Deferral, Direction, Forms, Link, Reason, Side, Written
from kartoteka.ports.exchange import SentPrice
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import AT, about, change, written

EVIL = "[b]\x1b[2J\x9b31m\u202e\r\n"
INCOMPLETE = said("incomplete", ["email"], table="clients")


def save(bench: SqlBench, *changes: Change) -> None:
    bench.exchange.records.save(changes, run_id="run-1", at=AT)


def linked(key: str) -> Change:
    opened = Written("", Direction.ERP_TO_PANEL, Reason.CREATE, None, '{"street": "Długa 1"}')
    return change(
        key, "accounts", status=IN_STEP, link=Link(key, f"7{key[-1]}", key.lower(), "created"), written=(opened,)
    )


def in_conflict(key: str, erp: str = "Długa 1", panel: str = "Krótka 2", winner: Side | None = None) -> Change:
    conflict = ConflictNote("street", erp, panel, "Stara 3", winner)
    return change(key, status=said("conflict", ["street"]), conflicts=(conflict,))


def deferral(code: str = "timeout") -> Deferral:
    return Deferral(AT + timedelta(minutes=2), attempts=0, tries=2, code=code)


@pytest.fixture
def filled(sqlite_bench: SqlBench) -> SqlBench:
    """Three clients: one in step, one in conflict and one deferred; one held without an account."""
    for number in range(1, 5):
        sqlite_bench.erp.insert_client(f"C-{number}", street="Długa 1")
    save(sqlite_bench, linked("C-1"), linked("C-2"), linked("C-3"), change("C-4", "accounts", status=INCOMPLETE))
    save(
        sqlite_bench,
        change("C-1", status=IN_STEP),
        in_conflict("C-2"),
        change("C-3", status=said("timeout"), deferral=deferral()),
    )
    return sqlite_bench


# --- status


def test_status_counts_by_concern_and_state(command: Command, filled: SqlBench) -> None:
    report = command.json("status", "--erp-url", filled.url)
    assert report["totals"] == {"clients": 4, "linked": 3, "held": 1, "conflicts": 1, "undecided": 1}
    assert report["states"] == [
        {"concern": concern, "kind": "client", "state": state, "records": records}
        for concern, state, records in (
            ("accounts", "held", 1),
            ("accounts", "in_step", 3),
            ("billing", "conflict", 1),
            ("billing", "in_step", 1),
            ("billing", "pending", 1),
        )
    ]
    assert report["cloud"] is None


@pytest.mark.parametrize(("hours", "told"), [(3, False), (5, True)])
def test_status_names_what_the_panel_has_not_answered_for_four_hours(
    command: Command, sqlite_bench: SqlBench, hours: int, told: bool
) -> None:
    sqlite_bench.erp.insert_client("C-1", street="Długa 1")
    now = datetime.now(UTC)
    since = now - timedelta(hours=hours)
    late = Deferral(now, attempts=0, tries=9, code="broken_answer", unread_since=since)
    save(sqlite_bench, linked("C-1"), change("C-1", status=said("broken_answer"), deferral=late))
    found = command.json("status", "--erp-url", sqlite_bench.url)["unread"]
    assert [(row["client_id"], row["concern"], row["code"]) for row in found] == (
        [("C-1", "billing", "broken_answer")] if told else []
    )
    shown = command("status", "--erp-url", sqlite_bench.url, "--exit-code", code=3 if told else 0).stdout
    assert ("Not answered by the panel for four hours" in shown) is told
    assert [row["message_en"] for row in found] == ([said("broken_answer").message_en] if told else [])


def test_status_tells_what_is_held_and_what_is_deferred(command: Command, filled: SqlBench) -> None:
    report = command.json("status", "--erp-url", filled.url)
    (held,) = report["held"]
    assert held == {
        "client_id": "C-4",
        "group_id": "",
        "concern": "accounts",
        "item_id": "",
        "code": "incomplete",
        "field": "email",
        "message_pl": INCOMPLETE.message_pl,
        "message_en": INCOMPLETE.message_en,
        "since": "2026-03-02 12:00:00",
    }
    assert report["deferred"] == [
        {"concern": "billing", "kind": "client", "code": "timeout", "records": 1, "next_due": "2026-03-02 12:02:00"},
    ]


def test_status_as_tables_says_the_same(command: Command, filled: SqlBench) -> None:
    shown = command("status", "--erp-url", filled.url).stdout
    for part in ("4 clients, 3 with an account", "C-4", "incomplete", "has no value in:", "timeout", "12:02:00"):
        assert part in shown
    assert "1 open conflict, 1 not decided" in shown


@pytest.mark.parametrize(
    ("environment", "given", "polish"),
    [
        ({}, (), False),
        ({"LANG": "pl_PL.UTF-8"}, (), True),
        ({"LANG": "de_DE.UTF-8"}, (), False),
        ({"LANG": "pl_PL.UTF-8", "LC_ALL": "C"}, (), False),
        ({"LANG": "pl_PL.UTF-8"}, ("--lang", "en"), False),
        ({}, ("--lang", "pl"), True),
    ],
)
def test_what_is_said_of_a_record_is_said_in_one_language(
    command: Command,
    filled: SqlBench,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    given: tuple[str, ...],
    polish: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shown = command("status", "--erp-url", filled.url, *given).stdout
    assert ("W tabeli clients" in shown, "The row in clients" in shown) == (polish, not polish)


def test_a_language_that_there_is_not_is_refused(command: Command, filled: SqlBench) -> None:
    command("status", "--erp-url", filled.url, "--lang", "de", code=2)


def test_status_ends_well_unless_it_is_asked_for_a_verdict(command: Command, filled: SqlBench) -> None:
    command("status", "--erp-url", filled.url)
    command("status", "--erp-url", filled.url, "--exit-code", code=3)


@pytest.mark.parametrize(
    ("saved", "code"),
    [
        (change("C-1", status=Status(State.HELD, "refused")), 3),
        (in_conflict("C-1"), 3),
        (in_conflict("C-1", winner=Side.ERP), 0),
        (change("C-1", status=Status(State.PENDING, "timeout")), 0),
    ],
    ids=["held", "undecided", "decided", "pending"],
)
def test_what_waits_for_a_person(command: Command, sqlite_bench: SqlBench, saved: Change, code: int) -> None:
    save(sqlite_bench, saved)
    command("status", "--erp-url", sqlite_bench.url, "--exit-code", code=code)


def test_status_names_tables_whose_changes_are_not_logged(command: Command, sql: SqlBench) -> None:
    assert command.json("status", "--erp-url", sql.url)["triggers_missing"] == {}
    command("status", "--erp-url", sql.url, "--exit-code", code=0)
    sql.erp.drop_triggers("clients")
    assert command.json("status", "--erp-url", sql.url)["triggers_missing"] == {"clients": "missing"}
    shown = command("status", "--erp-url", sql.url, "--exit-code", code=3).stdout
    assert "schema upgrade" in shown
    command("schema", "upgrade", "--url", sql.url)
    assert command.json("status", "--erp-url", sql.url)["triggers_missing"] == {}


def test_status_says_that_only_their_owner_enables_triggers(command: Command, postgres_bench: SqlBench) -> None:
    postgres_bench.erp.disable_triggers("client_credit")
    report = command.json("status", "--erp-url", postgres_bench.url)
    assert report["triggers_missing"] == {"client_credit": "disabled"}
    assert "ENABLE TRIGGER" in command("status", "--erp-url", postgres_bench.url).stdout


def test_status_of_an_installation_in_step(command: Command, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_client("C-1")
    save(sqlite_bench, linked("C-1"))
    assert "1 client, 1 with" in command("status", "--erp-url", sqlite_bench.url, "--exit-code").stdout


def test_status_says_how_many_more_are_held(command: Command, sqlite_bench: SqlBench) -> None:
    save(sqlite_bench, *(change(f"C-{n}", "accounts", status=INCOMPLETE) for n in range(5)))
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
        "('90', 'a', '', 0), ('91', 'b', 'C-1', 0), ('92', 'c', 'X-1', 0), ('93', '', '', 1), ('94', '', 'X-2', 1), "
        "('95', 'd', 'c-2', 0)"  # the panel keeps codes its own way: the link tells whose it is
    )
    run("INSERT INTO sync_links (client_id, panel_client_id, panel_login) VALUES ('C-2', '95', 'd')")
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


# --- what the panel never shows


def test_what_was_sent_and_is_never_shown_is_listed_by_its_field(command: Command, sql: SqlBench) -> None:
    opened = {"email": "a@b.pl", "vat_eu": True, "local_government": None}
    unanswered = Forms({"payment_days": "14", "balance": "1.00"}, {"balance": "1.00"})
    save(
        sql,
        change("C-1", base=opened),
        change("C-2", base={**opened, "vat_eu": False, "local_government": False}),
        change("C-3", base={"email": 'x"vat_eu":true', "vat_eu": None, "company": '"local_government":true'}),
        change("C-1", "credit", base={"credit_limit": "5000.00", "payment_days": "30"}),
        change("C-2", "credit", base=unanswered),
        change("C-3", "credit", base={"credit_limit": "5000.00", "payment_days": None}),
        change("C-4", "credit", base={"payment_days": ""}),
        change("C-1", "accounts", base={"active": True}),
    )
    sent = [SentPrice("product", "7", "9.00", "PLN"), SentPrice("product", "8", None)]
    sql.exchange.prices.store("G", sent, [], [], run_id="run-1", at=AT)
    assert command.json("status", "--erp-url", sql.url)["not_shown"] == [
        {"concern": "billing", "field": "vat_eu", "records": 2},
        {"concern": "billing", "field": "local_government", "records": 1},
        {"concern": "credit", "field": "payment_days", "records": 2},
        {"concern": "discounts", "field": "price", "records": 1},
    ]
    text = command("status", "--erp-url", sql.url).stdout
    assert "Sent, not shown by the panel" in text
    assert "payment_days" in text


def test_an_installation_that_sent_nothing_unseen_does_not_mention_it(command: Command, filled: SqlBench) -> None:
    assert command.json("status", "--erp-url", filled.url)["not_shown"] == []
    assert "not shown" not in command("status", "--erp-url", filled.url).stdout


# --- discount groups, which are no clients


@pytest.fixture
def groups(sqlite_bench: SqlBench) -> SqlBench:
    """Groups: two in step, one waiting, one held, one deferred; one of them named like a price. Two prices held."""
    sqlite_bench.erp.insert_client("C-1")
    save(
        sqlite_bench,
        linked("C-1"),
        change("C-1", "discounts", status=IN_STEP),
        about("G-1", base={"name": "Złota"}, panel_id="4", status=IN_STEP),
        about("A/product/5", base={"name": "Ukośna"}, panel_id="5", status=IN_STEP),
        about("B", status=said("group_in_use", count="3")),
        about("G-3", status=said("incomplete", ["name"], table="discount_groups")),
        about("G-4", status=said("timeout"), deferral=deferral()),
    )
    refused = said("bad_amount", ["price"], value="x", table="discount_group_items")
    prices = [about("G-1", f"product/{n}", status=refused) for n in (17, 18)]
    sent = about("G-1", "product/19", written=(written("price", None, "12.50", Reason.CREATE),))
    sqlite_bench.exchange.records.save([*prices, sent], run_id="run-2", at=AT + timedelta(hours=1))
    return sqlite_bench


def test_groups_and_their_prices_are_counted_apart_from_clients(command: Command, groups: SqlBench) -> None:
    report = command.json("status", "--erp-url", groups.url)
    assert (report["totals"]["clients"], report["totals"]["linked"], report["totals"]["held"]) == (1, 1, 3)
    assert [list(row.values()) for row in report["states"] if row["concern"] == "discounts"] == [
        ["discounts", "client", "in_step", 1],
        ["discounts", "group", "held", 1],
        ["discounts", "group", "in_step", 2],
        ["discounts", "group", "pending", 1],
        ["discounts", "group", "waiting", 1],
        ["discounts", "price", "held", 2],
    ]
    assert report["deferred"] == [
        {"concern": "discounts", "kind": "group", "code": "timeout", "records": 1, "next_due": "2026-03-02 12:02:00"}
    ]


def test_addresses_are_counted_apart_from_the_clients_who_have_them(command: Command, sqlite_bench: SqlBench) -> None:
    of = ("C-1", "delivery_addresses")
    save(sqlite_bench, change(*of, status=IN_STEP), *(change(*of, f"A-{n}", status=IN_STEP) for n in (1, 2)))
    report = command.json("status", "--erp-url", sqlite_bench.url)
    assert [(row["kind"], row["records"]) for row in report["states"]] == [("address", 2), ("client", 1)]


def test_a_flood_of_prices_hides_no_group(command: Command, groups: SqlBench) -> None:
    report = command.json("status", "--limit", "2", "--erp-url", groups.url)
    assert [(row["client_id"], row["group_id"], row["concern"], row["item_id"]) for row in report["held"]] == [
        ("", "G-3", "discounts", ""),
        ("", "G-1", "discounts", "product/17"),
    ]
    shown = command("status", "--limit", "2", "--erp-url", groups.url).stdout
    (line,) = [line for line in shown.splitlines() if "product/17" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")[:6]] == [
        "",
        "G-1",
        "discounts",
        "product/17",
        "bad_amount",
        "price",
    ]
    assert "1 more held record: --limit 3 shows all" in shown
    assert "1 client, 1 with" in shown


def test_a_held_price_waits_for_a_person_and_a_deferred_group_does_not(
    command: Command, sqlite_bench: SqlBench
) -> None:
    save(sqlite_bench, about("G-4", status=Status(State.PENDING, "timeout"), deferral=deferral()))
    command("status", "--erp-url", sqlite_bench.url, "--exit-code")
    save(sqlite_bench, about("G-1", "product/17", status=Status(State.HELD, "bad_amount")))
    command("status", "--erp-url", sqlite_bench.url, "--exit-code", code=3)


def test_the_history_of_a_group_is_its_own_and_its_prices(command: Command, groups: SqlBench) -> None:
    name = (written("name", "Złota", "Złota %"),)
    own, like = about("G-1", written=name), about("G_1", "product/3", written=name)
    address = change("C-1", "delivery_addresses", "G-1", written=name)
    client, longer = change("C-1", "discounts", written=name), about("G-10", written=name)
    of_its_name = change("G-1", "discounts", written=name)
    save(groups, own, address, like, client, longer, of_its_name)
    for given, found in {"G-1": ["", "product/19"], "G_1": ["product/3"], "G-%": [], "": []}.items():
        rows = command.json("history", "--group", given, "--erp-url", groups.url)["history"]
        assert [(row["group_id"], row["item_id"]) for row in rows] == [(given, item_id) for item_id in found]
    assert len(command.json("history", "--erp-url", groups.url)["history"]) == 8
    assert "12.50" in command("history", "--group", "G-1", "--erp-url", groups.url).stdout
    assert "not both" in command("history", "C-1", "--group", "G-1", "--erp-url", groups.url, code=2).output


def test_groups_are_told_on_each_engine(command: Command, sql: SqlBench) -> None:
    sql.erp.insert_client("C-1", discount_group_id="G-1")
    save(
        sql,
        linked("C-1"),
        about("G-1", "product/17", status=Status(State.HELD, "bad_amount")),
        about("G-2", status=Status(State.PENDING, "brake"), deferral=deferral("brake")),
    )
    report = command.json("status", "--erp-url", sql.url)
    assert [(row["concern"], row["kind"]) for row in report["states"]] == [
        ("accounts", "client"),
        ("discounts", "group"),
        ("discounts", "price"),
    ]
    assert [(row["concern"], row["kind"], row["code"]) for row in report["deferred"]] == [
        ("discounts", "group", "brake")
    ]
    assert [(row["group_id"], row["item_id"]) for row in report["held"]] == [("G-1", "product/17")]
    assert command.json("history", "--group", "G-1", "--erp-url", sql.url)["history"] == []
    assert len(command.json("history", "C-1", "--erp-url", sql.url)["history"]) == 1
    with opened(Where(sql.url, None)) as erp:
        for concern, found in {"discounts": ["C-1"], "credit": [], "billing": ["C-1"], "accounts": []}.items():
            assert erp.desk.clients_of(concern, "", 10) == found
            assert erp.desk.count_clients(concern) == len(found)
        assert erp.desk.deferred_with("discounts", "brake") == (0, 1)
        assert erp.desk.prices("G-1") == 0


# --- which database


def test_the_environment_names_the_database(
    command: Command, filled: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", filled.url)
    assert command.json("status")["totals"]["clients"] == 4


def test_a_local_stack_that_is_down_still_has_its_database(
    command: Command, filled: SqlBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facts = tmp_path / "stack.json"
    facts.write_text(json.dumps({"erp_url": filled.url}))
    monkeypatch.setattr(stacks, "LOCAL_STACK", facts)
    report = command.json("status")
    assert (report["totals"]["clients"], report["cloud"]) == (4, None)


def test_a_named_stack_has_its_own_database_whatever_the_environment_says(
    command: Command, filled: SqlBench, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    del filled, deployed
    monkeypatch.setenv("ERP_URL", "sqlite:///nowhere.db")
    assert command.json("status", "--stack", STACK)["totals"]["clients"] == 4


def test_an_address_on_the_command_line_wins(command: Command, deployed: Deployed, tmp_path: Path) -> None:
    del deployed
    shown = command("status", "--stack", STACK, "--erp-url", f"sqlite:///{tmp_path}/typo.db", code=69).output
    assert "there is no SQLite file" in shown
    assert not (tmp_path / "typo.db").exists()


def test_without_any_database_the_command_says_what_to_give(command: Command) -> None:
    assert "--erp-url" in command("status", code=69).output


def test_a_database_without_tables_says_what_to_run(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    assert (
        "kartoteka schema create" in command("history", "--erp-url", f"sqlite:///{tmp_path}/empty.db", code=78).output
    )


def test_a_missing_column_is_named_with_the_command_that_adds_it(command: Command, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.run("DROP VIEW sync_open")
    sqlite_bench.erp.run("ALTER TABLE sync_status DROP COLUMN message_pl")
    sqlite_bench.erp.run("ALTER TABLE clients DROP COLUMN province")
    shown = command("status", "--erp-url", sqlite_bench.url, code=78).output
    assert "column clients.province, column sync_status.message_pl are missing" in shown
    assert "kartoteka schema upgrade" in shown
    told = command("schema", "upgrade", "--url", sqlite_bench.url).stdout
    assert "complete" in told
    command("status", "--erp-url", sqlite_bench.url)


def test_a_wrong_address_is_not_repeated(command: Command) -> None:
    shown = command("status", "--erp-url", "oracle://erp:geheim@h/d", code=78).output
    assert "not supported" in shown
    assert "geheim" not in shown


# --- the stack


def test_status_of_a_deployed_stack(command: Command, filled: SqlBench, deployed: Deployed) -> None:
    del filled
    deployed.bury("billing", "{}")
    deployed.pauses.pause("accounts", "holiday", at=AT)
    deployed.state.record_run({"reconciled": 7, "panel_calls": 2}, run_id="run-1", concern="billing", at=AT)
    deployed.state.record_run({"reconciled": 1}, run_id="run-2", concern="billing", at=AT + timedelta(hours=1))
    whole = command.json("status", "--stack", STACK)
    found = whole["cloud"]
    assert found["queues"] == [
        {"concern": "accounts", "waiting": 0, "in_flight": 0, "dead": 0},
        {"concern": "billing", "waiting": 0, "in_flight": 0, "dead": 1},
        {"concern": "credit", "waiting": 0, "in_flight": 0, "dead": 0},
        {"concern": "delivery_addresses", "waiting": 0, "in_flight": 0, "dead": 0},
        {"concern": "discounts", "waiting": 0, "in_flight": 0, "dead": 0},
        {"concern": "shops", "waiting": 0, "in_flight": 0, "dead": 0},
    ]
    assert whole["paused"] == {"accounts": "holiday"}
    assert [(run["run_id"], run["reconciled"]) for run in found["runs"]] == [("run-2", 1), ("run-1", 7)]
    assert "expires_at" not in found["runs"][0]
    shown = command("status", "--stack", STACK).stdout
    assert "holiday" in shown
    assert f"kartoteka resume accounts --stack {STACK}" in shown
    assert "Last runs" in shown


def test_status_tells_the_panel_calls_by_gate_and_what_the_month_will_take(
    command: Command, deployed: Deployed
) -> None:
    none = command.json("status", "--stack", STACK)["cloud"]["calls"]
    assert none == {"today": {}, "month": {}, "used": 0, "forecast": 0, "budget": None}
    now = datetime.now(UTC).timestamp()
    for gate in ("GET clients/clients", "GET clients/clients", "PUT clients/clients"):
        deployed.state.lease(now=now, latest=now + 30, rate=5.0, gate=gate)
    calls = command.json("status", "--stack", STACK)["cloud"]["calls"]
    assert calls["today"] == calls["month"] == {"GET clients/clients": 2, "PUT clients/clients": 1}
    assert calls["used"] == 3
    assert calls["forecast"] >= 3
    shown = command("status", "--stack", STACK).stdout
    assert "3 this month; " in shown
    assert "PUT clients/clients" in shown


def test_what_is_paused_waits_for_a_person(command: Command, deployed: Deployed) -> None:
    command("status", "--stack", STACK, "--exit-code")
    deployed.pauses.pause("billing", "holiday", at=AT)
    command("status", "--stack", STACK, "--exit-code", code=3)
    deployed.pauses.pause("shops", "brake", at=AT)
    shown = command("status", "--stack", STACK, "--exit-code", code=3).stdout
    assert f"kartoteka resume shops --confirm --stack {STACK}" in shown


# --- conflicts


def test_conflicts_lists_the_open_ones(command: Command, filled: SqlBench) -> None:
    save(filled, in_conflict("C-1", winner=Side.ERP))
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
    assert filled.erp.log()[before:] == [("sync_conflicts", "C-2", "", str(row["id"]), "U")]
    assert command.json("status", "--erp-url", filled.url)["totals"]["undecided"] == 0


def test_the_options_of_the_list_hold_for_a_decision_too(command: Command, filled: SqlBench) -> None:
    answer = command("conflicts", "--erp-url", filled.url, "--json", "decide", "1", "erp").stdout
    assert json.loads(answer) == {"id": 1, "decision": "erp", "client_id": "C-2", "field": "street"}


def test_a_decision_may_be_changed_until_it_is_carried_out(command: Command, filled: SqlBench) -> None:
    for side in ("erp", "panel"):
        command("conflicts", "decide", "1", side, "--erp-url", filled.url)
    save(filled, change("C-2", status=IN_STEP, closed={1: Side.PANEL}))
    shown = command("conflicts", "decide", "1", "erp", "--erp-url", filled.url, code=65).output
    assert "closed already" in shown
    assert filled.erp.conflicts[0].decision == "panel"


def test_an_address_is_named_with_what_was_decided_and_what_was_written(command: Command, filled: SqlBench) -> None:
    conflict = ConflictNote("city", "Łódź", "Gdynia", "")
    save(
        filled,
        change(
            "C-1",
            "delivery_addresses",
            "D-7",
            status=Status(State.CONFLICT, "conflict"),
            written=(written("street", "Stara 3", "Długa 1"),),
            conflicts=(conflict,),
        ),
    )
    shown = command("conflicts", "decide", "2", "erp", "--erp-url", filled.url).stdout
    assert "conflict 2 (C-1, D-7, city): erp wins" in shown
    (row,) = command.json("history", "C-1", "--limit", "1", "--erp-url", filled.url)["history"]
    assert row["item_id"] == "D-7"
    assert "D-7" in command("history", "C-1", "--erp-url", filled.url).stdout


def test_an_unknown_conflict_and_an_unknown_side_are_refused(command: Command, filled: SqlBench) -> None:
    assert (
        "There is no conflict 99"
        in command("conflicts", "decide", "99", "erp", "--erp-url", filled.url, code=65).output
    )
    command("conflicts", "decide", "1", "both", "--erp-url", filled.url, code=2)


def test_no_conflicts(command: Command, sqlite_bench: SqlBench) -> None:
    assert command("conflicts", "--erp-url", sqlite_bench.url).stdout == "There are no conflicts.\n"


# --- history


def test_history_of_one_client_and_of_all(command: Command, filled: SqlBench) -> None:
    save(filled, change("C-2", written=(written("street", "Długa 1", "Krótka 2"),)))
    rows = command.json("history", "--erp-url", filled.url)["history"]
    assert [row["client_id"] for row in rows] == ["C-2", "C-3", "C-2", "C-1"]
    row, opening = command.json("history", "C-2", "--erp-url", filled.url)["history"]
    assert {name: row[name] for name in ("field", "direction", "reason", "value_before", "value_after")} == {
        "field": "street",
        "direction": "erp_to_panel",
        "reason": "edit",
        "value_before": "Długa 1",
        "value_after": "Krótka 2",
    }
    assert (opening["field"], opening["reason"], json.loads(opening["value_after"])) == (
        "",
        "create",
        {"street": "Długa 1"},
    )
    assert "counts" not in row
    assert len(command.json("history", "--limit", "2", "--erp-url", filled.url)["history"]) == 2
    assert "Krótka 2" in command("history", "--erp-url", filled.url).stdout


def test_an_empty_history(command: Command, sqlite_bench: SqlBench) -> None:
    assert command("history", "--erp-url", sqlite_bench.url).stdout == "Nothing was written yet.\n"


def test_the_history_of_nobody_is_not_an_empty_one(command: Command, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_client("C-1")
    assert command("history", "C-1", "--erp-url", sqlite_bench.url).stdout == "Nothing was written yet.\n"
    assert "There is no client C-9." in command("history", "C-9", "--erp-url", sqlite_bench.url, code=65).output


def test_a_second_pause_says_what_was_said_before(command: Command, sqlite_bench: SqlBench) -> None:
    first = command("pause", "shops", "--reason", "urlop", "--erp-url", sqlite_bench.url).stdout
    assert first == "shops is paused (urlop): `kartoteka resume shops` ends it\n"
    second = command("pause", "shops", "--reason", "remanent", "--erp-url", sqlite_bench.url).stdout
    assert second.splitlines() == [
        "shops was paused already (urlop); what is said of it now:",
        "shops is paused (remanent): `kartoteka resume shops` ends it",
    ]


# --- what a terminal must not obey


@pytest.mark.fault(78)
@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_no_value_reaches_the_terminal_as_a_command(command: Command, sqlite_bench: SqlBench, extra: list[str]) -> None:
    told = Status(State.HELD, EVIL, EVIL, EVIL, EVIL)
    evil = change(EVIL, "accounts", EVIL, status=told, written=(written("street", EVIL, EVIL),))
    save(sqlite_bench, evil, in_conflict("C-1", EVIL, EVIL), about(EVIL, EVIL, status=told))
    for name in ("status", "conflicts", "history"):
        shown = command(name, "--erp-url", sqlite_bench.url, *extra).stdout
        assert all(c == "\n" or c.isprintable() for c in shown), shown
        assert "[b]" in shown, "markup is shown, not obeyed"


# --- who will be blocked


def test_status_lists_who_will_be_blocked(command: Command, filled: SqlBench) -> None:
    where = ("--erp-url", filled.url)
    assert "Nobody is near a limit." in command("status", "--credit", *where).stdout
    for client, balance in (("C-1", "85"), ("C-2", "120"), ("C-3", "95")):
        filled.erp.set_credit(
            client, credit_allowed=True, credit_limit="100", balance=balance, currency="EUR", as_of=AT
        )
    rows = command.json("status", "--credit", *where)["blocked"]
    assert [(row["client_id"], row["used"], row["why"]) for row in rows] == [
        ("C-2", 120, ["over_limit"]),
        ("C-3", 95, ["near_limit"]),
    ]
    shown = command("status", "--credit", "--near", "80", *where).stdout
    for part in ("C-1", "85 %", "EUR", "2026-03-02 12:00:00"):
        assert part in shown
    assert (
        "2 clients near the credit limit, over it, or overdue: `kartoteka status --credit`"
        in command("status", *where).stdout
    )
    assert len(command.json("status", "--credit", "--limit", "1", *where)["blocked"]) == 1


@pytest.mark.parametrize(("code", "exits"), [("panel_key", 78), ("not_owner", 78), ("timeout", 0), ("panel_5xx", 0)])
def test_status_tells_by_its_exit_code_that_a_setting_stops_something(
    command: Command, sqlite_bench: SqlBench, code: str, exits: int
) -> None:
    sqlite_bench.erp.insert_client("C-1")
    save(sqlite_bench, linked("C-1"), change("C-1", status=said("timeout"), deferral=deferral(code)))
    command("status", "--erp-url", sqlite_bench.url)
    command("status", "--exit-code", "--erp-url", sqlite_bench.url, code=exits)
    save(sqlite_bench, change("C-2", "accounts", status=INCOMPLETE))
    command("status", "--exit-code", "--erp-url", sqlite_bench.url, code=exits or 3)
