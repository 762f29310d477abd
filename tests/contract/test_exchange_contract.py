"""What the exchange database promises of its log, and of clients' own records: on the fake, SQLite, PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from kartoteka.codes import IN_STEP, State, Status
from kartoteka.fields.table import BILLING, CLIENT_FIELDS, CONCERNS
from kartoteka.model import (
    DRIFT,
    LONGEST_DEFERRAL,
    REFUSED,
    Change,
    Deferral,
    Direction,
    Forms,
    Intent,
    Key,
    Link,
    Note,
    Owner,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Sent,
    Side,
    Value,
    Written,
)
from kartoteka.ports.exchange import Saved
from tests.fixtures.exchange import Bench
from tests.fixtures.records import (
    AT,
    DEFERRED,
    LATER,
    RACED,
    change,
    clients,
    edit,
    edits,
    entries,
    forms,
    head,
    intent,
    item,
    load,
    logged,
    note,
    parts,
    raced,
    row_of,
    save,
    written,
)

LINK = Link("C-1", "77", "b2b-1", "created")
FULL = RecordState(
    base=forms({"street": "Żółta", "wholesaler": False, "nip": None, "city": "Łódź"}, {"street": "zolta", "nip": None}),
    panel_id="501",
    notes={"street": Note(DRIFT, "Krótka", 2), "nip": Note(REFUSED, "1", code="bad_vat", text="NIP jest zły")},
    intent=Intent((written("street", None, "Długa 5", counts=True),), True, "b2b-1", "nip", ("7", "8")),
    deferral=DEFERRED,
    status=Status(State.HELD, "incomplete", "city", "Uzupełnij: miasto.", "Complete: city."),
)

# --- the log


def test_an_empty_log_has_no_entries(bench: Bench) -> None:
    assert entries(bench) == []


def test_each_edit_of_a_client_is_one_entry_in_order(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.update_client("C-1", city="Łódź")
    bench.erp.delete_client("C-1")
    assert logged(bench) == [("clients", "C-1", "C-1", operation) for operation in "IUD"]
    assert {(e.client_id, e.group_id, e.owner) for e in entries(bench)} == {("C-1", "", Owner("C-1"))}


def test_a_changed_key_is_a_deletion_and_an_insertion(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.rename_client("C-1", "C-2")
    assert logged(bench, 1) == [("clients", "C-1", "C-1", "D"), ("clients", "C-2", "C-2", "I")]


def test_clients_that_are_filled_in_anew_go_and_come(bench: Bench) -> None:
    bench.erp.insert_client("C-1", city="Łódź")
    bench.erp.insert_client("C-2")
    before = bench.erp.client("C-1")
    bench.erp.refill()
    assert logged(bench, 2) == [("clients", key, key, operation) for operation in "DI" for key in ("C-1", "C-2")]
    assert bench.erp.client("C-1") == before


def test_the_log_is_read_from_a_number_on_and_up_to_a_limit(bench: Bench) -> None:
    for number in range(5):
        bench.erp.insert_client(f"C-{number}")
    assert [e.seq for e in bench.exchange.log.read(2, [], 2)] == [3, 4]


def test_spans_are_read_again_beside_the_tail_and_nothing_twice(bench: Bench) -> None:
    for number in range(8):
        bench.erp.insert_client(f"C-{number}")
    assert [e.seq for e in bench.exchange.log.read(6, [(1, 2), (2, 3), (5, 7)], 10)] == [1, 2, 3, 5, 6, 7, 8]


def test_old_log_rows_are_pruned_but_for_the_last(bench: Bench) -> None:
    for number in range(3):
        bench.erp.insert_client(f"C-{number}")
    bench.exchange.log.prune(datetime(2000, 1, 1, tzinfo=UTC))
    assert len(entries(bench)) == 3
    bench.exchange.log.prune(datetime(2100, 1, 1, tzinfo=UTC))
    assert [e.seq for e in entries(bench)] == [3]


@pytest.mark.parametrize("place", [0, 99, 100, 499])
def test_five_hundred_spans_are_read_at_once(bench: Bench, place: int) -> None:
    for number in range(3):
        bench.erp.insert_client(f"C-{number}")
    spans = [(n, n) for n in range(1000, 1500)]
    spans[place] = (2, 2)
    assert [e.seq for e in bench.exchange.log.read(1500, spans, 10)] == [2]


def test_the_limit_does_not_cut_spans(bench: Bench) -> None:
    for number in range(4):
        bench.erp.insert_client(f"C-{number}")
    assert [e.seq for e in bench.exchange.log.read(3, [(1, 3)], 1)] == [1, 2, 3, 4]


def test_a_mark_stays_and_differs_from_row_to_row(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.insert_client("C-2")
    assert bench.exchange.log.mark(1) == bench.exchange.log.mark(1)
    assert bench.exchange.log.mark(1) != bench.exchange.log.mark(2)
    assert bench.exchange.log.mark(99) is None


def test_what_was_rolled_back_is_never_seen(bench: Bench) -> None:
    transaction = bench.erp.transaction()
    transaction.insert_client("C-1")
    transaction.rollback()
    assert entries(bench) == []
    assert bench.exchange.records.existing(["C-1"]) == frozenset()


# --- keys


def test_client_ids_come_in_order_from_a_key_on(bench: Bench) -> None:
    for key in ("C-3", "C-1", "C-2"):
        bench.erp.insert_client(key)
    assert list(bench.exchange.records.client_ids("", 2)) == ["C-1", "C-2"]
    assert list(bench.exchange.records.client_ids("C-2", 2)) == ["C-3"]


def test_existing_clients_are_those_with_a_row(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    assert bench.exchange.records.existing(["C-1", "C-2"]) == {"C-1"}
    assert bench.exchange.records.existing([]) == frozenset()


def test_linked_clients_come_in_order_from_a_key_on(bench: Bench) -> None:
    assert bench.exchange.records.count_linked() == 0
    links = [Link(f"C-{n}", str(80 - n), f"b2b-{n}", "created") for n in (3, 1, 2)]
    save(bench, *(change(link.client_id, link=link) for link in links), change("C-4", status=IN_STEP))
    assert list(bench.exchange.records.linked("", 2)) == [("C-1", "79"), ("C-2", "78")]
    assert list(bench.exchange.records.linked("C-2", 2)) == [("C-3", "77")]
    assert bench.exchange.records.count_linked() == 3


# --- records


def test_a_client_of_whom_nothing_is_known_is_answered_with_nothing(bench: Bench) -> None:
    assert load(bench) == Record(Key("C-1", "", "billing"), has_client=False)


def test_a_row_has_the_billing_columns_and_the_defaults(bench: Bench) -> None:
    bench.erp.insert_client("C-1", email="a@b.pl", wholesaler=True)
    given = {"email": "a@b.pl", "wholesaler": True}
    assert load(bench).erp == {**{name: field.default for name, field in BILLING.items()}, **given}


@pytest.mark.parametrize("name", CLIENT_FIELDS)
def test_every_column_of_a_client_is_written_and_read(bench: Bench, name: str) -> None:
    value: Value = False if CLIENT_FIELDS[name].kind.column.value == "boolean" else "ż" * CLIENT_FIELDS[name].length
    concern = next(concern for concern in ("accounts", "discounts") if name in CONCERNS[concern].columns)
    bench.erp.insert_client("C-1", **{name: value})
    assert row_of(load(bench, concern=concern))[name] == value
    assert load(bench, concern=concern).has_client


@pytest.mark.parametrize(
    ("concern", "columns"),
    [
        ("accounts", {*BILLING, "login", "active", "shops"}),
        ("billing", {*BILLING}),
        ("shops", {"country_code", "language", "shops"}),
        ("delivery_addresses", {"country_code", "language", "shops"}),
    ],
)
def test_a_clients_own_row_has_just_these_columns(bench: Bench, concern: str, columns: set[str]) -> None:
    bench.erp.insert_client("C-1", login="b2b", country_code="DE", language="ger")
    row = row_of(load(bench, concern=concern))
    assert row.keys() == columns
    assert (row["country_code"], row["language"], row.get("login", "b2b")) == ("DE", "ger", "b2b")


@pytest.mark.parametrize("concern", ["accounts", "shops", "delivery_addresses"])
def test_shops_come_in_ascending_order_of_their_numbers(bench: Bench, concern: str) -> None:
    for key in ("C-1", "C-2", "C-3"):
        bench.erp.insert_client(key)
    bench.erp.set_shops("C-1", 10, 2, 1)
    bench.erp.set_shops("C-2", 7)
    bench.erp.set_shops("C-4", 7)
    found = bench.exchange.records.load(concern, clients("C-1", "C-2", "C-3", "C-4"))
    of_nobody = (7,) if concern == "shops" else None  # only the concern of the shops themselves must tell of them
    assert [record.erp and record.erp["shops"] for record in found] == [(1, 2, 10), (7,), (), of_nobody]


def test_shops_that_were_taken_away_are_gone(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.set_shops("C-1", 1, 2)
    bench.erp.set_shops("C-1", 2, 3)
    assert row_of(load(bench, concern="shops"))["shops"] == (2, 3)
    assert logged(bench, 3) == [("client_shops", "C-1", "1", "D"), ("client_shops", "C-1", "3", "I")]


def test_short_codes_come_without_padding(bench: Bench) -> None:
    bench.erp.insert_client("C-1", language="pl", country_code="P")
    row = row_of(load(bench))
    assert (row["language"], row["country_code"]) == ("pl", "P")


def test_every_client_is_answered_once_however_often_it_is_asked_for(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    found = bench.exchange.records.load("billing", clients("C-1", "C-2", "C-1"))
    assert [(record.key.client_id, record.has_client) for record in found] == [("C-1", True), ("C-2", False)]


def test_twelve_hundred_clients_are_read_at_once(bench: Bench) -> None:
    keys = [f"C-{n}" for n in range(1200)]
    assert [record.key.client_id for record in bench.exchange.records.load("billing", clients(*keys))] == keys


def test_what_belongs_to_another_concern_is_not_shown(bench: Bench) -> None:
    save(bench, change(concern="accounts", conflicts=(note(),), **parts(FULL)))
    assert load(bench) == Record(Key("C-1", "", "billing"), has_client=False)


def test_states_are_given_of_those_records_of_which_something_is_kept(bench: Bench) -> None:
    save(bench, change(**parts(FULL)), change("C-2", "accounts", status=IN_STEP), change("C-3", status=IN_STEP))
    save(bench, change("C-1", "shops", link=LINK), change("C-1", "credit", deferral=DEFERRED))
    save(bench, change("C-1", "delivery_addresses", "A-1", status=IN_STEP))
    owners = [*clients("C-1", "C-2", "C-4"), Owner(group_id="C-1")]
    assert bench.exchange.records.states(CONCERNS, owners) == {
        Key("C-1", "", "billing"): FULL,
        Key("C-2", "", "accounts"): RecordState(status=IN_STEP),
        Key("C-1", "", "credit"): RecordState(deferral=DEFERRED),
    }
    assert bench.exchange.records.states(["shops", "accounts"], owners).keys() == {Key("C-2", "", "accounts")}
    assert bench.exchange.records.states([], owners) == bench.exchange.records.states(CONCERNS, []) == {}


# --- saving a record's state


@pytest.mark.parametrize("given", [*({name: part} for name, part in parts(FULL).items()), parts(FULL)])
def test_every_part_of_a_state_is_kept_as_it_was_given(bench: Bench, given: dict[str, Any]) -> None:
    told = change(**given)
    save(bench, told)
    assert load(bench).state == told.after


@pytest.mark.parametrize("name", parts(FULL))
def test_a_part_that_is_gone_is_gone_and_the_others_stay(bench: Bench, name: str) -> None:
    save(bench, change(**parts(FULL)), change("C-2", **parts(FULL)))
    nothing = getattr(RecordState(), name)
    save(bench, change(load(bench), **{name: nothing}), at=LATER)
    assert (load(bench).state, load(bench, "C-2").state) == (replace(FULL, **{name: nothing}), FULL)


def test_of_a_record_that_is_not_kept_any_more_nothing_stays_but_history_and_conflicts(bench: Bench) -> None:
    save(bench, change(link=LINK, conflicts=(note(),), **parts(FULL)), change("C-2", **parts(FULL)))
    save(bench, change(load(bench), written=(written("street", "A", ""),), **parts(RecordState())), at=LATER)
    seen = load(bench)
    assert (seen.state, seen.link, [c.field for c in seen.conflicts]) == (RecordState(), LINK, ["street"])
    assert bench.exchange.records.states(["billing"], clients("C-1", "C-2")) == {Key("C-2", "", "billing"): FULL}
    assert [(h.field, h.value_before) for h in bench.erp.history] == [("street", "A")]
    assert list(bench.exchange.records.due("billing", None, 10)) == clients("C-2")


def test_a_base_without_any_field_is_a_base(bench: Bench) -> None:
    save(bench, change(base={}))
    assert load(bench).state.base == forms({})


@pytest.mark.parametrize(
    ("erp", "panel"),
    [((1, 2), (1, 2)), ((1, 2), (2,)), ((7,), None), ((), ()), ((10,), ())],
)
def test_ids_come_back_as_ids(bench: Bench, erp: Value, panel: Value) -> None:
    state = RecordState(Forms({"shops": erp}, {"shops": panel}), intent=Intent((written("shops", panel, erp),)))
    save(bench, change(**parts(state)))
    found = load(bench).state
    assert (found.base, found.intent) == (state.base, state.intent)
    save(bench, change(load(bench), base=Forms({"shops": erp}, {})))
    assert load(bench).state.base == Forms({"shops": erp}, {})


def test_a_part_in_which_nothing_differs_is_left_as_it_is_by_now(bench: Bench) -> None:
    save(bench, change(**parts(FULL)))
    read = load(bench)
    save(bench, change(read, status=IN_STEP))
    bench.exchange.records.postpone("billing", clients("C-1"), LATER + timedelta(hours=1))
    later = replace(DEFERRED, due_at=LATER + timedelta(hours=1))
    save(bench, change(read, status=RACED))  # read before the record was postponed
    assert load(bench).state == replace(FULL, deferral=later, status=RACED)
    save(bench, change(read, base={"street": "B"}))  # read before the status was told
    assert (load(bench).state.base, load(bench).state.status) == (forms({"street": "B"}), RACED)


def test_what_differs_in_nothing_stores_nothing(bench: Bench) -> None:
    save(bench, change(**parts(FULL)), change("C-2", status=IN_STEP))
    times = bench.erp.status_times("C-1", "billing")
    unchanged = change(load(bench))
    assert not unchanged
    assert save(bench, unchanged, change(load(bench, "C-2"), status=IN_STEP), at=LATER) == Saved()
    assert (load(bench).state, bench.erp.status_times("C-1", "billing")) == (FULL, times)
    assert bench.erp.status_times("C-2", "billing") == (AT, AT)
    assert (bench.erp.history, bench.erp.conflicts) == ([], [])


def test_saving_nothing_stores_nothing(bench: Bench) -> None:
    assert save(bench) == Saved()


def test_a_record_that_is_saved_twice_at_once_is_as_the_last_says(bench: Bench) -> None:
    assert save(bench, change(base={"street": "A"}), change(base={"street": "B"})) == Saved()
    assert load(bench).state.base == forms({"street": "B"})


def test_changes_of_several_concerns_are_saved_together(bench: Bench) -> None:
    save(bench, *(change("C-1", concern, base={"x": concern}, status=IN_STEP) for concern in CONCERNS))
    for concern in CONCERNS:
        assert load(bench, concern=concern).state == RecordState(forms({"x": concern}), status=IN_STEP)


# --- links


def test_a_link_is_seen_in_every_concern(bench: Bench) -> None:
    save(bench, change(concern="accounts", link=LINK))
    assert {load(bench, concern=concern).link for concern in CONCERNS} == {LINK}
    assert bench.exchange.index.owners(["77", "78"]) == {"77": "C-1"}


def test_a_link_is_moved_to_another_account(bench: Bench) -> None:
    save(bench, change(link=LINK))
    save(bench, change(link=Link("C-1", "78", "b", "operator")))
    assert load(bench).link == Link("C-1", "78", "b", "operator")
    assert bench.exchange.index.owners(["77", "78"]) == {"78": "C-1"}


def test_an_account_is_one_clients_only(bench: Bench) -> None:
    save(bench, change(link=LINK), change("C-2", link=Link("C-2", "78", "b", "nip")))
    save(bench, change("C-3", link=Link("C-3", "77", "a", "operator")))
    assert bench.exchange.index.owners(["77", "78"]) == {"77": "C-3", "78": "C-2"}
    assert load(bench).link is None
    assert bench.exchange.records.count_linked() == 2


@pytest.mark.fault(55)
def test_clients_change_accounts_with_each_other(bench: Bench) -> None:
    save(bench, change(link=LINK), change("C-2", link=Link("C-2", "78", "b", "nip")))
    save(bench, change(link=Link("C-1", "78", "b", "operator")), change("C-2", link=Link("C-2", "77", "a", "operator")))
    assert bench.exchange.index.owners(["77", "78"]) == {"77": "C-2", "78": "C-1"}


# --- statuses


def test_a_status_in_the_same_state_keeps_its_since(bench: Bench) -> None:
    save(bench, change(status=Status(State.HELD, "incomplete", "city", "Brak: city")))
    told = Status(State.HELD, "incomplete", "street", "Brak: street", "Missing: street")
    save(bench, change(load(bench), status=told), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (AT, None)
    assert load(bench).state.status == told


@pytest.mark.parametrize("other", [Status(State.PENDING, "incomplete"), Status(State.HELD, "refused")])
def test_another_state_or_code_begins_a_new_since(bench: Bench, other: Status) -> None:
    save(bench, change(status=Status(State.HELD, "incomplete")))
    save(bench, change(load(bench), status=other), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (LATER, None)


def test_the_last_moment_in_step_is_remembered_and_renewed(bench: Bench) -> None:
    save(bench, change(status=IN_STEP))
    assert bench.erp.status_times("C-1", "billing") == (AT, AT)
    save(bench, change(load(bench), status=RACED), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (LATER, AT)
    save(bench, change(load(bench), status=IN_STEP), at=LATER + timedelta(hours=1))
    assert bench.erp.status_times("C-1", "billing") == (LATER + timedelta(hours=1), LATER + timedelta(hours=1))


# --- deferrals


def test_a_deferred_record_is_due_at_its_time_and_not_before(bench: Bench) -> None:
    save(bench, change(deferral=DEFERRED))
    assert list(bench.exchange.records.due("billing", AT, 10)) == []
    assert list(bench.exchange.records.due("billing", LATER, 10)) == clients("C-1")
    assert list(bench.exchange.records.due("accounts", LATER, 10)) == []
    before = LATER - LONGEST_DEFERRAL - timedelta(seconds=1)
    assert list(bench.exchange.records.due("billing", before, 10)) == clients("C-1"), "set by a clock that ran ahead"


def test_a_moment_is_the_same_in_every_zone(bench: Bench) -> None:
    due = LATER.astimezone(timezone(timedelta(hours=9)))
    save(bench, change(deferral=Deferral(due, 0, 1, "x")))
    deferral = load(bench).state.deferral
    assert deferral is not None
    assert deferral.due_at == LATER
    assert list(bench.exchange.records.due("billing", LATER - timedelta(seconds=1), 10)) == []
    assert list(bench.exchange.records.due("billing", due, 10)) == clients("C-1")


def test_deferred_records_are_given_due_or_not_the_longest_due_first(bench: Bench) -> None:
    times = {"C-1": LATER, "C-2": AT, "C-3": LATER + timedelta(days=1)}
    save(bench, *(change(key, deferral=Deferral(due, 0, 1, "x")) for key, due in times.items()))
    assert list(bench.exchange.records.due("billing", None, 10)) == clients("C-2", "C-1", "C-3")
    assert list(bench.exchange.records.due("billing", None, 2)) == clients("C-2", "C-1")


# --- history


def test_each_written_field_is_a_row_of_history_in_words(bench: Bench) -> None:
    both = (
        Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, "A", "B"),
        Written("wholesaler", Direction.PANEL_TO_ERP, Reason.DRIFT, True, None, counts=True),
        Written("shops", Direction.ERP_TO_PANEL, Reason.EDIT, (), (1, 2, 10)),
    )
    save(bench, change(written=both))
    rows = [(h.field, h.direction, h.reason, h.value_before, h.value_after, h.counts) for h in bench.erp.history]
    assert rows == [
        ("street", "erp_to_panel", "edit", "A", "B", False),
        ("wholesaler", "panel_to_erp", "drift", "true", None, True),
        ("shops", "erp_to_panel", "edit", "", "1,2,10", False),
    ]
    first = bench.erp.history[0]
    assert (first.at, first.run_id, first.client_id, first.group_id) == (AT, "run-1", "C-1", "")
    assert (first.concern, first.item_id) == ("billing", "")


# --- conflicts


def test_a_held_conflict_stands_open_with_its_three_values(bench: Bench) -> None:
    save(bench, change(conflicts=(note("street", "A", "B"),)))
    (conflict,) = load(bench).conflicts
    assert (conflict.field, conflict.decision) == ("street", None)
    assert (conflict.erp_value, conflict.panel_value, conflict.base_value) == ("A", "B", "base")


def test_a_conflict_that_the_policy_settles_is_written_closed(bench: Bench) -> None:
    save(bench, change(conflicts=(note(winner=Side.PANEL),)))
    assert load(bench).conflicts == ()
    (row,) = bench.erp.conflicts
    assert (row.raised_at, row.decision, row.decided_at, row.closed_at) == (AT, "panel", None, AT)
    assert entries(bench) == []


def test_an_open_conflict_is_renewed_and_not_doubled(bench: Bench) -> None:
    save(bench, change(conflicts=(note(erp="A", panel="B"),)))
    save(bench, change(conflicts=(note(erp="A", panel="C"), note("city"))), at=LATER)
    assert [(c.field, c.panel_value) for c in load(bench).conflicts] == [("street", "C"), ("city", "B")]
    assert bench.erp.conflicts[0].raised_at == AT


def test_an_open_conflict_that_the_policy_now_settles_is_closed(bench: Bench) -> None:
    save(bench, change(conflicts=(note(),)))
    save(bench, change(conflicts=(note(winner=Side.ERP),)), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == ("erp", None, LATER)


def test_after_a_conflict_was_closed_the_next_one_is_new(bench: Bench) -> None:
    save(bench, change(conflicts=(note(winner=Side.ERP),)))
    save(bench, change(conflicts=(note(erp="X"),)), at=LATER)
    assert [c.erp_value for c in load(bench).conflicts] == ["X"]
    assert len(bench.erp.conflicts) == 2


def test_a_conflict_is_told_before_its_value_is_overwritten_and_closed_afterwards(bench: Bench) -> None:
    save(bench, change(intent=intent(street="B"), conflicts=(note(winner=Side.ERP, closed=False),)))
    (waiting,) = load(bench).conflicts
    assert waiting.decision is Side.ERP
    save(bench, change(load(bench), intent=None, conflicts=(note(winner=Side.ERP),)))
    assert load(bench).conflicts == ()
    assert [c.decision for c in bench.erp.conflicts] == ["erp"]


def test_who_won_is_told_in_an_open_row_too_unless_a_person_has_decided(bench: Bench) -> None:
    save(bench, change(conflicts=(note("street"), note("city"))))
    bench.erp.decide(load(bench).conflicts[1].id, "panel")
    before = head(bench)
    save(bench, change(conflicts=tuple(note(field, winner=Side.ERP, closed=False) for field in ("street", "city"))))
    street, city = load(bench).conflicts
    assert [(c.field, c.decision) for c in (street, city)] == [("street", Side.ERP), ("city", Side.PANEL)]
    assert ("sync_conflicts", "C-1", str(street.id), "U") in logged(bench, before), "like anybody's answer"


def test_a_decision_is_seen_and_logged(bench: Bench) -> None:
    save(bench, change(conflicts=(note(),)))
    (conflict,) = load(bench).conflicts
    before = head(bench)
    bench.erp.decide(conflict.id, "panel")
    assert load(bench).conflicts[0].decision is Side.PANEL
    assert logged(bench, before) == [("sync_conflicts", "C-1", str(conflict.id), "U")]


@pytest.mark.parametrize(("wrote", "means"), [("whoever", None), ("", None), (" ERP ", Side.ERP)])
def test_a_decision_is_read_in_any_case_and_unknown_words_are_none(
    bench: Bench, wrote: str, means: Side | None
) -> None:
    save(bench, change(conflicts=(note(),)))
    bench.erp.decide(load(bench).conflicts[0].id, wrote)
    assert load(bench).conflicts[0].decision is means


def test_closing_a_decided_conflict_says_when_it_was_decided(bench: Bench) -> None:
    save(bench, change(conflicts=(note(),)))
    (conflict,) = load(bench).conflicts
    bench.erp.decide(conflict.id, "panel")
    save(bench, change(closed={conflict.id: Side.PANEL}), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == ("panel", LATER, LATER)
    assert load(bench).conflicts == ()


def test_closing_a_conflict_that_became_equal_leaves_no_decision(bench: Bench) -> None:
    save(bench, change(conflicts=(note(),)))
    (conflict,) = load(bench).conflicts
    save(bench, change(closed={conflict.id: None}), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == (None, None, LATER)
    save(bench, change(closed={conflict.id: Side.ERP}), at=LATER + timedelta(hours=1))
    assert bench.erp.conflicts == [row], "it is not closed again"


# --- the ERP's rows


def _street(bench: Bench, client_id: str) -> Value:
    return row_of(load(bench, client_id))["street"]


def test_a_row_is_edited_and_logged_like_anybodys_edit(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="A")
    before = head(bench)
    assert save(bench, edit("C-1", street=("A", "B"))) == Saved()
    seen = load(bench)
    assert (row_of(seen)["street"], seen.state) == ("B", RecordState(forms({"street": "B"}), status=IN_STEP))
    assert logged(bench, before) == [("clients", "C-1", "C-1", "U")]


def test_an_empty_column_is_seen_as_empty(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street=None, city="")
    assert save(bench, edit("C-1", street=(None, "B"), city=("", "D"))) == Saved()
    row = row_of(load(bench))
    assert (row["street"], row["city"]) == ("B", "D")


def test_a_column_can_be_emptied(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="A", wholesaler=True)
    assert save(bench, edit("C-1", street=("A", None), wholesaler=(True, None))) == Saved()
    row = row_of(load(bench))
    assert (row["street"], row["wholesaler"]) == (None, None)


def test_a_short_code_is_compared_without_its_padding(bench: Bench) -> None:
    bench.erp.insert_client("C-1", country_code="P")
    assert save(bench, edit("C-1", country_code=("P", "DE"))) == Saved()
    assert row_of(load(bench))["country_code"] == "DE"


@pytest.mark.parametrize("now_there", ["C", None, "a", "A "])
def test_where_the_erp_was_faster_nothing_is_written_and_otherwise_is_stored(bench: Bench, now_there: Value) -> None:
    bench.erp.insert_client("C-1", street=now_there, city="X")
    answer = save(bench, edit("C-1", street=("A", "B"), city=("X", "Y")))
    assert answer == Saved(again=raced("", concern="billing"))
    seen = load(bench)
    assert (row_of(seen)["street"], row_of(seen)["city"]) == (now_there, "X")
    assert seen.state == RecordState(status=RACED)
    assert bench.erp.history == []


def test_a_row_that_is_gone_is_to_be_worked_again(bench: Bench) -> None:
    assert save(bench, edit("C-1", street=("A", "B"))).again == raced("", concern="billing")


def test_where_nothing_is_given_otherwise_nothing_is_stored(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="C")
    assert save(bench, replace(edit("C-1", street=("A", "B")), otherwise=None)).again
    assert load(bench).state == RecordState()


def test_neighbours_of_a_raced_row_go_on(bench: Bench) -> None:
    for key, street in (("C-1", "A"), ("C-2", "other"), ("C-3", "A")):
        bench.erp.insert_client(key, street=street)
    answer = save(bench, *(edit(key, street=("A", "B")) for key in ("C-1", "C-2", "C-3")))
    assert answer.again == raced("", client_id="C-2", concern="billing")
    assert [_street(bench, key) for key in ("C-1", "C-2", "C-3")] == ["B", "other", "B"]


def test_another_concerns_change_for_the_client_of_a_raced_row_is_stored(bench: Bench) -> None:
    account = change(concern="accounts", link=LINK, status=IN_STEP, otherwise=change(concern="accounts", status=RACED))
    answer = save(bench, account, edit("C-1", street=("A", "B")), change("C-2", status=IN_STEP))
    assert answer.again == raced("", concern="billing")
    assert (load(bench).state.status, load(bench).link) == (RACED, LINK)
    assert load(bench, concern="accounts").state.status == load(bench, "C-2").state.status == IN_STEP


def test_what_the_erps_own_check_refuses_is_told_and_its_neighbours_go_on(bench: Bench) -> None:
    for key in ("C-1", "C-2", "C-3"):
        bench.erp.insert_client(key, street="A")
    bench.erp.refuse("C-2", "credit office says no")
    answer = save(bench, *(edit(key, street=("A", "B")) for key in ("C-1", "C-2", "C-3")))
    (refused,) = raced("", client_id="C-2", concern="billing")
    assert (answer.again, answer.refused.keys()) == (frozenset(), {refused})
    assert "credit office says no" in answer.refused[refused]
    assert "credit office says no" not in repr(answer)
    assert [_street(bench, key) for key in ("C-1", "C-2", "C-3")] == ["B", "A", "B"]
    assert (load(bench, "C-2").state.status, load(bench, "C-3").state.status) == (RACED, IN_STEP)


@pytest.mark.parametrize(("column", "form"), [("street", "UL. NOWA 1"), ("street", ""), ("city", "Gdynia")])
def test_what_the_erps_own_trigger_writes_with_ours_is_logged_and_its_form_is_kept(
    bench: Bench, column: str, form: str
) -> None:
    bench.erp.insert_client("C-1", street="Stara 1", city="Radom")
    bench.erp.rewrite(column, form)
    before, base = head(bench), {"street": "Nowa 1", "city": "Radom"}
    assert save(bench, change(base=base, row=edits(street=("Stara 1", "Nowa 1")))) == Saved()
    seen = load(bench)
    shown = form if column == "street" else "Nowa 1"
    assert seen.state.base == Forms({**base, "street": shown}, base), "another column that was written is an edit"
    assert row_of(seen)[column] == form
    assert set(logged(bench, before)) == {("clients", "C-1", "C-1", "U")}, "once, or once more for the trigger's own"


def test_different_columns_of_different_rows_are_written_together(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="A")
    bench.erp.insert_client("C-2", city="A", phone="1")
    assert save(bench, edit("C-1", street=("A", "B")), edit("C-2", city=("A", "B"), phone=("1", "2"))) == Saved()
    row = row_of(load(bench, "C-2"))
    assert (_street(bench, "C-1"), row["city"], row["phone"]) == ("B", "B", "2")


def test_what_is_stored_otherwise_may_be_anything_but_a_row(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="C")
    instead = change(**parts(FULL), conflicts=(note("street", "C", "B"),), written=(written("city", "1", "2"),))
    told: Change = change(base={"street": "B"}, row=edits(street=("A", "B")), otherwise=instead)
    assert save(bench, told).again
    assert (load(bench).state, [c.field for c in load(bench).conflicts]) == (FULL, ["street"])
    assert [h.field for h in bench.erp.history] == ["city"]


# --- columns that the ERP's own database refuses


def test_columns_that_are_refused_alone_are_named_and_nothing_is_written(bench: Bench) -> None:
    bench.erp.insert_client("C-1", phone="1", city="Łódź", street="A")
    bench.erp.refuse_value("phone", "wew. 7", "the phone")
    before = head(bench)
    saved = save(bench, edit("C-1", phone=("1", "wew. 7"), street=("A", "B"), city=("Łódź", "Gdynia")))
    key = Key("C-1", "", "billing")
    assert saved.refused.keys() == saved.columns.keys() == {key}
    assert saved.columns[key].keys() == {"phone"}
    assert "the phone" in saved.columns[key]["phone"]
    row = bench.erp.client("C-1")
    assert row
    assert (row["phone"], row["street"], row["city"]) == ("1", "A", "Łódź")
    assert [entry for entry in logged(bench, before) if entry[0] == "clients"] == []
    assert load(bench).state.status == RACED


def test_every_column_that_is_refused_is_named(bench: Bench) -> None:
    bench.erp.insert_client("C-1", phone="1", email="a", street="A")
    bench.erp.refuse_value("phone", "2")
    bench.erp.refuse_value("email", "b")
    saved = save(bench, edit("C-1", phone=("1", "2"), street=("A", "B"), email=("a", "b")))
    assert [set(columns) for columns in saved.columns.values()] == [{"phone", "email"}]


def test_a_single_column_is_told_from_a_row_that_is_refused_whatever_is_written(bench: Bench) -> None:
    bench.erp.insert_client("C-1", phone="1")
    bench.erp.insert_client("C-2", phone="1")
    bench.erp.refuse_value("phone", "2")
    bench.erp.refuse("C-2")
    saved = save(bench, edit("C-1", phone=("1", "2")), edit("C-2", phone=("1", "3")))
    assert saved.refused.keys() == {Key("C-1", "", "billing"), Key("C-2", "", "billing")}
    assert saved.columns.keys() == {Key("C-1", "", "billing")}


def test_a_new_row_is_told_which_column_is_refused_and_its_neighbours_are_written(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.refuse_value("phone", "wew. 7")
    bad = RowWrite(insert={"phone": "wew. 7", "street": "A"})
    good = RowWrite(insert={"phone": "1", "street": "B"})
    saved = save(bench, item("panel-1", row=bad), item("panel-2", row=good))
    assert {key.item_id: set(columns) for key, columns in saved.columns.items()} == {"panel-1": {"phone"}}
    assert (bench.erp.address("panel-1"), bench.erp.address("panel-2") is not None) == (None, True)


# --- what the panel has not shown yet, and records that have moved on

SENT = Sent(AT, ("Radom", None, True, (1, 2)), LATER, 2, seen=True)


def test_what_was_sent_and_not_shown_comes_back_as_it_was(bench: Bench) -> None:
    bench.erp.insert_client("C-1")
    base = Forms({"city": "Łódź", "street": "A", "shops": (1, 2)}, {"street": "B"}, {"city": SENT, "shops": SENT})
    save(bench, change(load(bench), base=base))
    assert load(bench).state.base == base


@pytest.mark.parametrize("meanwhile", ["base", "deferral", "intent", "status"])
def test_a_record_that_was_changed_since_is_left_alone_where_that_was_asked_for(bench: Bench, meanwhile: str) -> None:
    bench.erp.insert_client("C-1")
    bench.erp.insert_client("C-2")
    for client in ("C-1", "C-2"):
        save(bench, change(load(bench, client), base={"city": "Łódź"}, status=IN_STEP))
    first, second = load(bench), load(bench, "C-2")
    other = {"base": {"city": "Opole"}, "deferral": DEFERRED, "intent": intent(), "status": RACED}[meanwhile]
    save(bench, change(first, **{meanwhile: other}))
    stood = load(bench).state
    noted = [change(record, base={"city": "Radom"}) for record in (first, second)]
    bench.exchange.records.save(noted, run_id="run-2", at=LATER, unless_changed=True)
    assert load(bench).state == stood
    assert load(bench, "C-2").state.base == forms({"city": "Radom"})


def test_a_client_that_has_another_account_by_now_is_worked_again(bench: Bench) -> None:
    for client in ("C-1", "C-2"):
        bench.erp.insert_client(client)
        save(bench, change(client, "accounts", link=Link(client, f"7{client[-1]}", f"b2b-{client[-1]}", "created")))
    known = [load(bench, client) for client in ("C-1", "C-2")]
    save(bench, change("C-1", "accounts", link=Link("C-1", "79", "b2b-9", "operator")))
    answer = save(bench, *(change(record, base={"city": "Łódź"}) for record in known))
    assert answer.again == raced("", concern="billing")
    assert load(bench).state.base is None
    assert load(bench, "C-2").state.base == forms({"city": "Łódź"})
