"""What a person answers in ``sync_status``: read with the record, logged, and cleared when it was taken."""

from __future__ import annotations

import pytest

from kartoteka.codes import IN_STEP, State, Status
from kartoteka.model import Candidate, Owner
from tests.fixtures.exchange import Bench, SqlBench
from tests.fixtures.records import ADDRESSES, about, change, head, item, load, load_group, load_items, logged, save

WRONG = Status(State.HELD, "bad_phone", "phone", "Popraw.", "Correct it.")


def held(bench: Bench, decision: str | None, client_id: str = "C-1") -> None:
    """A client of whom a person said something."""
    bench.erp.insert_client(client_id)
    save(bench, change(client_id, status=WRONG))
    bench.erp.decide_status(client_id, "billing", decision)


@pytest.mark.parametrize(("written", "means"), [("retry", "retry"), (" Done ", "done"), ("SEND", "send"), ("x", "x")])
def test_a_decision_is_read_with_the_record(bench: Bench, written: str, means: str) -> None:
    held(bench, written)
    record = load(bench)
    assert (record.decision, record.state.decision) == (means, written)
    assert load(bench, concern="accounts").decision == ""


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_no_word_is_no_decision(bench: Bench, empty: str | None) -> None:
    held(bench, empty)
    assert load(bench).decision == ""


def test_a_decision_is_logged_for_its_owner_and_names_its_record(bench: Bench) -> None:
    save(bench, change(status=WRONG), item("A-1", status=WRONG), about("G", "product/7", status=WRONG))
    before = head(bench)
    bench.erp.decide_status("C-1", "billing", "retry")
    bench.erp.decide_status("C-1", ADDRESSES, "done", item_id="A-1")
    bench.erp.decide_status("", "discounts", "retry", item_id="product/7", group_id="G")
    assert logged(bench, before) == [
        ("sync_status", "C-1", "billing:", "U"),
        ("sync_status", "C-1", f"{ADDRESSES}:A-1", "U"),
        ("sync_status", "G", "discounts:product/7", "U"),
    ]
    assert [entry.owner for entry in bench.exchange.log.read(before, [], 10)] == [
        Owner("C-1"),
        Owner("C-1"),
        Owner(group_id="G"),
    ]


def test_an_entry_wakes_the_concern_that_it_names_and_no_other(bench: Bench) -> None:
    save(bench, change(status=WRONG))
    before = head(bench)
    bench.erp.decide_status("C-1", "billing", "retry")
    (entry,) = bench.exchange.log.read(before, [], 10)
    tables = ("clients", "sync_conflicts")
    assert [c for c in ("accounts", "billing", "credit") if entry.is_about(c, tables)] == ["billing"]


def test_our_own_statuses_are_not_logged(bench: Bench) -> None:
    save(bench, change(status=WRONG))
    before = head(bench)
    save(bench, change(load(bench), status=IN_STEP))
    assert logged(bench, before) == []


def test_a_decision_stays_until_a_change_takes_it(bench: Bench) -> None:
    held(bench, "retry")
    save(bench, change(load(bench), status=IN_STEP, base={"phone": "1"}))
    assert (bench.erp.decision("C-1", "billing"), load(bench).decision) == ("retry", "retry")
    save(bench, change(load(bench), decision=""))
    assert (bench.erp.decision("C-1", "billing"), load(bench).decision) == (None, "")
    assert load(bench).state.status == IN_STEP


def test_a_later_word_is_not_cleared_by_the_taking_of_an_earlier_one(bench: Bench) -> None:
    held(bench, "retry")
    record = load(bench)
    bench.erp.decide_status("C-1", "billing", "done")
    save(bench, change(record, decision="", status=IN_STEP))
    assert load(bench).decision == "done"


def test_of_several_records_each_keeps_its_own(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.insert_address("A-1", "C-1")
    save(bench, change("C-1", ADDRESSES, status=WRONG), item("A-1", status=WRONG), about("G", status=WRONG))
    bench.erp.decide_status("C-1", ADDRESSES, "retry", item_id="A-1")
    bench.erp.decide_status("", "discounts", "retry", group_id="G")
    own, address = load_items(bench).values()
    group = load_group(bench)
    assert [r.decision for r in (own, address, group)] == ["", "retry", "retry"]
    save(bench, change(address, decision=""), change(group, decision=""))
    assert [r.decision for r in (*load_items(bench).values(), load_group(bench))] == ["", "", ""]


def test_a_decision_goes_with_its_status(bench: Bench) -> None:
    held(bench, "retry")
    save(bench, change(load(bench), status=None, decision=""))
    save(bench, change(load(bench), status=WRONG))
    assert load(bench).decision == ""


# --- who decided


def test_a_server_notes_who_decided(server_bench: SqlBench) -> None:
    erp = server_bench.erp
    held(server_bench, "retry")
    user, read = erp.engine.url.username, "SELECT decided_by AS who FROM sync_status"
    assert user
    assert erp.run(read) == [{"who": user}]
    erp.run("UPDATE sync_status SET decision = 'done', decided_by = 'anna'")
    assert erp.run(read) == [{"who": "anna"}]
    erp.run("UPDATE sync_status SET decision = NULL")
    assert erp.run(read) == [{"who": None}]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("sync_conflicts", "(client_id) VALUES ('C-1')"),
        ("sync_matches", "(client_id, panel_client_id) VALUES ('C-1', '7')"),
    ],
)
def test_every_table_with_a_decision_says_who(server_bench: SqlBench, table: str, key: str) -> None:
    erp = server_bench.erp
    erp.run(f"INSERT INTO {table} {key}")
    erp.run(f"UPDATE {table} SET decision = 'erp'")
    assert erp.run(f"SELECT decided_by FROM {table}") == [{"decided_by": erp.engine.url.username}]


def test_who_answered_stays_with_the_candidate(sql: SqlBench) -> None:
    two = (Candidate("C-1", "7", "nip"), Candidate("C-1", "8", "email"))
    save(sql, change(concern="accounts", candidates=two))
    sql.erp.run("UPDATE sync_matches SET decision = 'link', decided_by = 'anna' WHERE panel_client_id = '7'")
    save(sql, change(concern="accounts", candidates=two[:1]))
    assert sql.erp.run("SELECT decision, decided_by FROM sync_matches") == [{"decision": "link", "decided_by": "anna"}]
