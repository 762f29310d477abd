"""What every ExchangeDatabase promises: on the fake, on SQLite, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from kartoteka.core.concerns import BILLING
from kartoteka.core.model import (
    Direction,
    Link,
    Parked,
    Reason,
    SeenAccount,
    Settlement,
    Side,
    Snapshot,
    State,
    Status,
    Value,
    Written,
)
from kartoteka.ports import Settled
from tests.fixtures.exchange import Bench
from tests.fixtures.records import AT, IN_STEP, LATER, RACED, announce, done, edit, intent, look, note, settle

# --- the log


def test_an_empty_log_has_head_nought_and_no_entries(bench: Bench) -> None:
    assert bench.exchange.log_head() == 0
    assert list(bench.exchange.read_log(0, [], 10)) == []


def test_each_edit_of_a_card_is_one_entry_in_order(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    bench.erp.update_card("C-1", city="Łódź")
    bench.erp.delete_card("C-1")
    entries = bench.exchange.read_log(0, [], 10)
    assert [(e.table_name, e.client_id, e.row_id, e.operation, e.own) for e in entries] == [
        ("clients", "C-1", "C-1", "I", False),
        ("clients", "C-1", "C-1", "U", False),
        ("clients", "C-1", "C-1", "D", False),
    ]
    assert bench.exchange.log_head() == entries[-1].seq


def test_a_changed_key_is_a_deletion_and_an_insertion(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    bench.erp.rename_card("C-1", "C-2")
    entries = bench.exchange.read_log(1, [], 10)
    assert [(e.client_id, e.operation) for e in entries] == [("C-1", "D"), ("C-2", "I")]


def test_cards_that_are_filled_in_anew_go_and_come(bench: Bench) -> None:
    bench.erp.insert_card("C-1", city="Łódź")
    bench.erp.insert_card("C-2")
    before = bench.erp.card("C-1")
    bench.erp.refill()
    entries = [(e.table_name, e.client_id, e.operation) for e in bench.exchange.read_log(2, [], 10)]
    assert entries == [("clients", key, operation) for operation in "DI" for key in ("C-1", "C-2")]
    assert bench.erp.card("C-1") == before


def test_the_log_is_read_from_a_number_on_and_up_to_a_limit(bench: Bench) -> None:
    for number in range(5):
        bench.erp.insert_card(f"C-{number}")
    assert [e.seq for e in bench.exchange.read_log(2, [], 2)] == [3, 4]


def test_spans_are_read_again_beside_the_tail_and_nothing_twice(bench: Bench) -> None:
    for number in range(8):
        bench.erp.insert_card(f"C-{number}")
    assert [e.seq for e in bench.exchange.read_log(6, [(1, 2), (2, 3), (5, 7)], 10)] == [1, 2, 3, 5, 6, 7, 8]


def test_old_log_rows_are_pruned_but_for_the_last(bench: Bench) -> None:
    for number in range(3):
        bench.erp.insert_card(f"C-{number}")
    bench.exchange.prune_log(datetime(2000, 1, 1, tzinfo=UTC))
    assert len(bench.exchange.read_log(0, [], 10)) == 3
    bench.exchange.prune_log(datetime(2100, 1, 1, tzinfo=UTC))
    assert [e.seq for e in bench.exchange.read_log(0, [], 10)] == [3]
    assert bench.exchange.log_head() == 3


@pytest.mark.parametrize("place", [0, 99, 100, 499])
def test_five_hundred_spans_are_read_at_once(bench: Bench, place: int) -> None:
    for number in range(3):
        bench.erp.insert_card(f"C-{number}")
    spans = [(n, n) for n in range(1000, 1500)]
    spans[place] = (2, 2)
    assert [e.seq for e in bench.exchange.read_log(1500, spans, 10)] == [2]


def test_the_limit_does_not_cut_spans(bench: Bench) -> None:
    for number in range(4):
        bench.erp.insert_card(f"C-{number}")
    assert [e.seq for e in bench.exchange.read_log(3, [(1, 3)], 1)] == [1, 2, 3, 4]


def test_a_mark_stays_and_differs_from_row_to_row(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    bench.erp.insert_card("C-2")
    assert bench.exchange.log_mark(1) == bench.exchange.log_mark(1)
    assert bench.exchange.log_mark(1) != bench.exchange.log_mark(2)
    assert bench.exchange.log_mark(99) is None


def test_what_was_rolled_back_is_never_seen(bench: Bench) -> None:
    transaction = bench.erp.transaction()
    transaction.insert_card("C-1")
    transaction.rollback()
    assert list(bench.exchange.read_log(0, [], 10)) == []
    assert bench.exchange.existing_cards(["C-1"]) == frozenset()


# --- keys


def test_card_ids_come_in_order_from_a_key_on(bench: Bench) -> None:
    for key in ("C-3", "C-1", "C-2"):
        bench.erp.insert_card(key)
    assert list(bench.exchange.client_ids("", 2)) == ["C-1", "C-2"]
    assert list(bench.exchange.client_ids("C-2", 2)) == ["C-3"]


def test_existing_cards_are_those_with_a_row(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    assert bench.exchange.existing_cards(["C-1", "C-2"]) == {"C-1"}
    assert bench.exchange.existing_cards([]) == frozenset()


def test_linked_customers_come_in_order_from_a_key_on(bench: Bench) -> None:
    assert bench.exchange.count_linked() == 0
    links = [Link(f"C-{n}", str(80 - n), f"b2b-{n}", "created") for n in (3, 1, 2)]
    settle(bench, *(done(link.client_id, link=link) for link in links), done("C-4"))
    assert list(bench.exchange.linked("", 2)) == [("C-1", "79"), ("C-2", "78")]
    assert list(bench.exchange.linked("C-2", 2)) == [("C-3", "77")]
    assert bench.exchange.count_linked() == 3


def test_owners_are_found_by_account(bench: Bench) -> None:
    settle(bench, done(link=Link("C-1", "77", "b2b-1", "created")))
    assert bench.exchange.owners(["77", "78"]) == {"77": "C-1"}


# --- snapshots


def test_a_customer_nobody_knows_is_answered_with_nothing(bench: Bench) -> None:
    assert look(bench) == Snapshot("C-1")


def test_a_row_has_the_billing_columns_and_the_defaults(bench: Bench) -> None:
    bench.erp.insert_card("C-1", email="a@b.pl", wholesaler=True)
    row = look(bench).row
    assert row is not None
    assert (row["email"], row["wholesaler"], row["country_code"], row["street"]) == ("a@b.pl", True, "PL", None)
    assert "login" not in row


def test_an_accounts_row_has_login_and_active_too(bench: Bench) -> None:
    bench.erp.insert_card("C-1", login="b2b", active=False, city="Łódź")
    row = look(bench, concern="accounts").row
    assert row is not None
    assert (row["login"], row["active"], row["city"]) == ("b2b", False, "Łódź")


def test_a_new_card_is_active(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    row = look(bench, concern="accounts").row
    assert row is not None
    assert row["active"] is True


@pytest.mark.parametrize(
    ("concern", "columns"),
    [
        ("accounts", {*BILLING.fields, "login", "active", "shops"}),
        ("billing", {*BILLING.fields}),
        ("shops", {"country_code", "language", "shops"}),
        ("delivery_addresses", {"country_code", "language", "shops"}),
    ],
)
def test_a_customers_own_row_has_just_these_columns(bench: Bench, concern: str, columns: set[str]) -> None:
    bench.erp.insert_card("C-1", country_code="DE", language="ger")
    row = look(bench, concern=concern).row
    assert row is not None
    assert row.keys() == columns
    assert (row["country_code"], row["language"]) == ("DE", "ger")


@pytest.mark.parametrize("concern", ["accounts", "shops", "delivery_addresses"])
def test_shops_come_in_ascending_order_of_their_numbers(bench: Bench, concern: str) -> None:
    for key in ("C-1", "C-2", "C-3"):
        bench.erp.insert_card(key)
    bench.erp.set_shops("C-1", 10, 2, 1)
    bench.erp.set_shops("C-2", 7)
    bench.erp.set_shops("C-4", 7)
    snapshots = bench.exchange.snapshots(concern, ["C-1", "C-2", "C-3", "C-4"])
    assert [s.row and s.row["shops"] for s in snapshots] == ["1,2,10", "7", "", None]


def test_shops_that_were_taken_away_are_gone(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    bench.erp.set_shops("C-1", 1, 2)
    bench.erp.set_shops("C-1", 2, 3)
    row = look(bench, concern="shops").row
    assert row is not None
    assert row["shops"] == "2,3"
    assert [(e.table_name, e.client_id, e.row_id, e.operation) for e in bench.exchange.read_log(3, [], 10)] == [
        ("client_shops", "C-1", "1", "D"),
        ("client_shops", "C-1", "3", "I"),
    ]


def test_short_codes_come_without_padding(bench: Bench) -> None:
    bench.erp.insert_card("C-1", language="pl", country_code="P")
    row = look(bench).row
    assert row is not None
    assert (row["language"], row["country_code"]) == ("pl", "P")


def test_every_key_is_answered_once_however_often_it_is_asked_for(bench: Bench) -> None:
    bench.erp.insert_card("C-1")
    assert [s.client_id for s in bench.exchange.snapshots("billing", ["C-1", "C-2", "C-1"])] == ["C-1", "C-2"]


def test_twelve_hundred_keys_are_read_at_once(bench: Bench) -> None:
    keys = [f"C-{n}" for n in range(1200)]
    assert [s.client_id for s in bench.exchange.snapshots("billing", keys)] == keys


def test_what_belongs_to_another_concern_is_not_shown(bench: Bench) -> None:
    parked = Parked(LATER, 1, 1, "x")
    settle(bench, done(concern="accounts", agreed={"active": True}, parked=parked, conflicts=(note(),)))
    announce(bench, "accounts", intent(active=True))
    assert look(bench) == Snapshot("C-1")


# --- announcing


def test_an_intent_is_seen_until_it_is_settled(bench: Bench) -> None:
    told = intent(street="Długa 5", wholesaler=True, nip=None, creating=True, login="b2b-1")
    announce(bench, "billing", told)
    assert look(bench).intent == told
    settle(bench, done())
    assert look(bench).intent is None


def test_an_intent_says_how_the_account_was_found(bench: Bench) -> None:
    announce(bench, "accounts", intent(login="b2b-1", linked_by="nip"))
    assert look(bench, concern="accounts").intent == intent(login="b2b-1", linked_by="nip")
    announce(bench, "accounts", intent(login="b2b-1"))
    assert look(bench, concern="accounts").intent == intent(login="b2b-1")


def test_a_settlement_may_keep_the_intent(bench: Bench) -> None:
    announce(bench, "billing", intent(street="A"))
    settle(bench, done(keep_intent=True))
    assert look(bench).intent == intent(street="A")


def test_a_later_intent_takes_the_place_of_the_earlier(bench: Bench) -> None:
    announce(bench, "billing", intent(street="A", creating=True, login="x"))
    announce(bench, "billing", intent(street="B"))
    assert look(bench).intent == intent(street="B")


def test_announcing_stores_what_must_be_known_before_and_leaves_the_rest(bench: Bench) -> None:
    parked = Parked(LATER, 1, 1, "x")
    settle(bench, done(parked=parked))
    told = look(bench).status
    before = Settlement("C-1", "billing", None, agreed={"street": "A"}, written=intent(street="A").written)
    announce(bench, "billing", intent(street="B"), before=before)
    seen = look(bench)
    assert (seen.agreed, seen.intent, seen.parked, seen.status) == ({"street": "A"}, intent(street="B"), parked, told)
    assert len(bench.erp.history) == 1


def test_a_conflict_is_told_before_its_value_is_overwritten_and_closed_afterwards(bench: Bench) -> None:
    before = Settlement("C-1", "billing", None, conflicts=(note(winner=Side.ERP, carried=False),))
    announce(bench, "billing", intent(street="B"), before=before)
    (waiting,) = look(bench).conflicts
    assert waiting.decision is Side.ERP
    settle(bench, done(conflicts=(note(winner=Side.ERP),)))
    assert look(bench).conflicts == ()
    assert [c.decision for c in bench.erp.conflicts] == ["erp"]


def test_who_won_is_told_in_an_open_row_too_unless_a_person_has_decided(bench: Bench) -> None:
    settle(bench, done(conflicts=(note("street"), note("city"))))
    bench.erp.decide(look(bench).conflicts[1].id, "panel")
    told = tuple(note(field, winner=Side.ERP, carried=False) for field in ("street", "city"))
    announce(bench, "billing", intent(street="B"), before=Settlement("C-1", "billing", None, conflicts=told))
    assert [(c.field, c.decision) for c in look(bench).conflicts] == [("street", Side.ERP), ("city", Side.PANEL)]


# --- settling: our own rows


def test_link_agreement_and_status_are_seen_afterwards(bench: Bench) -> None:
    link = Link("C-1", "77", "b2b-1", "created")
    settle(bench, done(link=link, agreed={"street": "Żółta", "wholesaler": False, "nip": None}))
    seen = look(bench)
    assert (seen.link, seen.status) == (link, IN_STEP)
    assert seen.agreed == {"street": "Żółta", "wholesaler": False, "nip": None}


def test_no_agreement_given_leaves_the_old_one(bench: Bench) -> None:
    settle(bench, done(agreed={"street": "A"}))
    settle(bench, done())
    assert look(bench).agreed == {"street": "A"}


def test_a_new_agreement_takes_the_place_of_the_old(bench: Bench) -> None:
    settle(bench, done(agreed={"street": "A", "city": "B"}))
    settle(bench, done(agreed={"street": "C"}))
    assert look(bench).agreed == {"street": "C"}


def test_a_link_is_moved_to_another_account(bench: Bench) -> None:
    settle(bench, done(link=Link("C-1", "77", "a", "created")))
    settle(bench, done(link=Link("C-1", "78", "b", "operator")))
    assert look(bench).link == Link("C-1", "78", "b", "operator")
    assert bench.exchange.owners(["77", "78"]) == {"78": "C-1"}


def test_confirmed_writes_do_not_count_for_the_brake(bench: Bench) -> None:
    erased = Written("phone", Direction.ERP_TO_PANEL, Reason.EDIT, "1", "")
    settle(bench, done("C-1", written=(erased,)), done("C-2", written=(erased,), confirmed=True))
    assert bench.exchange.risky_writes("billing", AT) == 1


def test_an_account_is_one_cards_only(bench: Bench) -> None:
    settle(bench, done("C-1", link=Link("C-1", "77", "a", "created")), done("C-2", link=Link("C-2", "78", "b", "nip")))
    settle(bench, done("C-3", link=Link("C-3", "77", "a", "operator")))
    assert bench.exchange.owners(["77", "78"]) == {"77": "C-3", "78": "C-2"}
    assert look(bench, "C-1").link is None
    assert bench.exchange.count_linked() == 2


def test_a_status_in_the_same_state_keeps_its_since(bench: Bench) -> None:
    settle(bench, done(status=Status(State.HELD, "incomplete", "Brak: city")))
    settle(bench, done(status=Status(State.HELD, "incomplete", "Brak: street")), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (AT, None)
    assert look(bench).status == Status(State.HELD, "incomplete", "Brak: street")


@pytest.mark.parametrize("other", [Status(State.PENDING, "incomplete"), Status(State.HELD, "refused")])
def test_another_state_or_code_begins_a_new_since(bench: Bench, other: Status) -> None:
    settle(bench, done(status=Status(State.HELD, "incomplete")))
    settle(bench, done(status=other), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (LATER, None)


def test_the_last_moment_in_step_is_remembered_and_renewed(bench: Bench) -> None:
    settle(bench, done())
    settle(bench, done(), at=LATER)
    assert bench.erp.status_times("C-1", "billing") == (AT, LATER)
    settle(bench, done(status=Status(State.HELD, "x")), at=LATER + timedelta(hours=1))
    assert bench.erp.status_times("C-1", "billing") == (LATER + timedelta(hours=1), LATER)


def test_a_parked_record_is_due_at_its_time_and_not_before(bench: Bench) -> None:
    parked = Parked(LATER, attempts=2, tries=3, code="refused")
    settle(bench, done(parked=parked))
    assert look(bench).parked == parked
    assert list(bench.exchange.due("billing", AT, 10)) == []
    assert list(bench.exchange.due("billing", LATER, 10)) == ["C-1"]
    assert list(bench.exchange.due("accounts", LATER, 10)) == []


def test_a_moment_is_the_same_in_every_zone(bench: Bench) -> None:
    due = LATER.astimezone(timezone(timedelta(hours=9)))
    settle(bench, done(parked=Parked(due, 0, 1, "x")))
    parked = look(bench).parked
    assert parked is not None
    assert parked.due_at == LATER
    assert list(bench.exchange.due("billing", LATER - timedelta(seconds=1), 10)) == []
    assert list(bench.exchange.due("billing", due, 10)) == ["C-1"]


def test_parked_records_are_given_due_or_not_the_oldest_first(bench: Bench) -> None:
    times = {"C-1": LATER, "C-2": AT, "C-3": LATER + timedelta(days=1)}
    settle(bench, *(done(key, parked=Parked(due, 0, 1, "x")) for key, due in times.items()))
    assert list(bench.exchange.due("billing", None, 10)) == ["C-2", "C-1", "C-3"]
    assert list(bench.exchange.due("billing", None, 2)) == ["C-2", "C-1"]


def test_settling_takes_a_record_off_the_parking_place(bench: Bench) -> None:
    settle(bench, done(parked=Parked(AT, 1, 1, "x")))
    settle(bench, done())
    assert look(bench).parked is None
    assert list(bench.exchange.due("billing", None, 10)) == []


def test_parking_again_counts_on(bench: Bench) -> None:
    settle(bench, done(parked=Parked(AT, 1, 1, "x")))
    settle(bench, done(parked=Parked(LATER, 2, 5, "y")))
    assert look(bench).parked == Parked(LATER, 2, 5, "y")


def test_each_written_field_is_a_row_of_history_in_words(bench: Bench) -> None:
    written = (
        Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, "A", "B"),
        Written("wholesaler", Direction.PANEL_TO_ERP, Reason.DRIFT, True, None),
    )
    settle(bench, done(written=written))
    rows = [(h.field, h.direction, h.reason, h.value_before, h.value_after) for h in bench.erp.history]
    assert rows == [
        ("street", "erp_to_panel", "edit", "A", "B"),
        ("wholesaler", "panel_to_erp", "drift", "true", None),
    ]
    first = bench.erp.history[0]
    assert (first.at, first.run_id, first.client_id, first.concern) == (AT, "run-1", "C-1", "billing")


# --- settling: conflicts


def test_a_held_conflict_stands_open_with_its_three_values(bench: Bench) -> None:
    settle(bench, done(conflicts=(note("street", "A", "B"),)))
    (conflict,) = look(bench).conflicts
    assert (conflict.field, conflict.erp_value, conflict.panel_value, conflict.base_value) == (
        "street",
        "A",
        "B",
        "base",
    )
    assert conflict.decision is None


def test_a_conflict_that_the_policy_settles_is_written_closed(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(winner=Side.PANEL),)))
    assert look(bench).conflicts == ()
    (row,) = bench.erp.conflicts
    assert (row.raised_at, row.decision, row.decided_at, row.closed_at) == (AT, "panel", None, AT)


def test_an_open_conflict_is_renewed_and_not_doubled(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(erp="A", panel="B"),)))
    settle(bench, done(conflicts=(note(erp="A", panel="C"), note("city"))), at=LATER)
    assert [(c.field, c.panel_value) for c in look(bench).conflicts] == [("street", "C"), ("city", "B")]
    assert bench.erp.conflicts[0].raised_at == AT


def test_an_open_conflict_that_the_policy_now_settles_is_closed(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    settle(bench, done(conflicts=(note(winner=Side.ERP),)), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == ("erp", None, LATER)


def test_after_a_conflict_was_closed_the_next_one_is_new(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(winner=Side.ERP),)))
    settle(bench, done(conflicts=(note(erp="X"),)), at=LATER)
    assert [c.erp_value for c in look(bench).conflicts] == ["X"]
    assert len(bench.erp.conflicts) == 2


def test_a_decision_is_seen_and_logged_as_the_erps(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    (conflict,) = look(bench).conflicts
    head = bench.exchange.log_head()
    bench.erp.decide(conflict.id, "panel")
    assert look(bench).conflicts[0].decision is Side.PANEL
    (entry,) = bench.exchange.read_log(head, [], 10)
    assert (entry.table_name, entry.client_id, entry.row_id) == ("sync_conflicts", "C-1", str(conflict.id))
    assert (entry.operation, entry.own) == ("U", False)


def test_a_decision_in_unknown_words_is_no_decision(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    (conflict,) = look(bench).conflicts
    bench.erp.decide(conflict.id, "whoever")
    assert look(bench).conflicts[0].decision is None


def test_closing_a_decided_conflict_says_when_it_was_decided(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    (conflict,) = look(bench).conflicts
    bench.erp.decide(conflict.id, "panel")
    settle(bench, done(close_conflicts={conflict.id: Side.PANEL}), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == ("panel", LATER, LATER)
    assert look(bench).conflicts == ()


def test_closing_a_conflict_that_became_equal_leaves_no_decision(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    (conflict,) = look(bench).conflicts
    settle(bench, done(close_conflicts={conflict.id: None}), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.decided_at, row.closed_at) == (None, None, LATER)


def test_a_closed_conflict_is_not_closed_again(bench: Bench) -> None:
    settle(bench, done(conflicts=(note(),)))
    (conflict,) = look(bench).conflicts
    settle(bench, done(close_conflicts={conflict.id: None}))
    settle(bench, done(close_conflicts={conflict.id: Side.ERP}), at=LATER)
    (row,) = bench.erp.conflicts
    assert (row.decision, row.closed_at) == (None, AT)


# --- settling: the ERP's rows


def test_a_row_edit_is_written_and_carries_our_origin(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="A")
    head = bench.exchange.log_head()
    assert settle(bench, edit("C-1", street=("A", "B"))) == Settled()
    seen = look(bench)
    assert seen.row is not None
    assert (seen.row["street"], seen.agreed, seen.status) == ("B", {"street": "B"}, IN_STEP)
    assert [(e.client_id, e.operation, e.own) for e in bench.exchange.read_log(head, [], 10)] == [("C-1", "U", True)]


def test_the_erps_next_edit_is_again_its_own(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="A")
    settle(bench, edit("C-1", street=("A", "B")))
    bench.erp.update_card("C-1", street="C")
    assert [e.own for e in bench.exchange.read_log(0, [], 10)] == [False, True, False]


def test_an_empty_column_is_seen_as_empty(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street=None, city="")
    assert settle(bench, edit("C-1", street=(None, "B"), city=("", "D"))) == Settled()
    card = bench.erp.card("C-1")
    assert card is not None
    assert (card["street"], card["city"]) == ("B", "D")


def test_a_column_can_be_emptied(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="A", wholesaler=True)
    assert settle(bench, edit("C-1", street=("A", None), wholesaler=(True, None))) == Settled()
    card = bench.erp.card("C-1")
    assert card is not None
    assert (card["street"], card["wholesaler"]) == (None, None)


def test_a_short_code_is_compared_without_its_padding(bench: Bench) -> None:
    bench.erp.insert_card("C-1", country_code="P")
    assert settle(bench, edit("C-1", country_code=("P", "DE"))) == Settled()
    card = bench.erp.card("C-1")
    assert card is not None
    assert card["country_code"] == "DE"


@pytest.mark.parametrize("now_there", ["C", None, "a", "A "])
def test_where_the_erp_was_faster_nothing_is_written_and_the_fallback_is_stored(bench: Bench, now_there: Value) -> None:
    bench.erp.insert_card("C-1", street=now_there, city="X")
    assert settle(bench, edit("C-1", street=("A", "B"), city=("X", "Y"))) == Settled(again=frozenset({("C-1", "")}))
    seen = look(bench)
    assert seen.row is not None
    assert (seen.row["street"], seen.row["city"]) == (now_there, "X")
    assert (seen.agreed, seen.status) == (None, RACED)
    assert bench.erp.history == []


def test_a_row_that_is_gone_is_to_be_looked_at_again(bench: Bench) -> None:
    assert settle(bench, edit("C-1", street=("A", "B"))).again == {("C-1", "")}


def test_where_there_is_no_fallback_nothing_is_stored(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="C")
    assert settle(bench, replace(edit("C-1", street=("A", "B")), fallback=None)).again == {("C-1", "")}
    assert look(bench).status is None


def test_neighbours_of_a_raced_row_go_on(bench: Bench) -> None:
    for key, street in (("C-1", "A"), ("C-2", "other"), ("C-3", "A")):
        bench.erp.insert_card(key, street=street)
    assert settle(bench, *(edit(key, street=("A", "B")) for key in ("C-1", "C-2", "C-3"))).again == {("C-2", "")}
    assert [row and row["street"] for row in map(bench.erp.card, ("C-1", "C-2", "C-3"))] == ["B", "other", "B"]


def test_what_else_is_settled_for_the_customer_of_a_raced_row_is_stored(bench: Bench) -> None:
    link = Link("C-1", "77", "b2b-1", "created")
    account = done(concern="accounts", link=link, fallback=done(concern="accounts", status=RACED))
    assert settle(bench, account, edit("C-1", street=("A", "B")), done("C-2")).again == {("C-1", "")}
    assert (look(bench).status, look(bench).link) == (RACED, link)
    assert look(bench, concern="accounts").status == look(bench, "C-2").status == IN_STEP


def test_what_the_erps_own_check_refuses_is_told_and_its_neighbours_go_on(bench: Bench) -> None:
    for key in ("C-1", "C-2", "C-3"):
        bench.erp.insert_card(key, street="A")
    bench.erp.refuse("C-2", "credit office says no")
    answer = settle(bench, *(edit(key, street=("A", "B")) for key in ("C-1", "C-2", "C-3")))
    assert answer.again == frozenset()
    assert answer.refused.keys() == {("C-2", "")}
    assert "credit office says no" in answer.refused["C-2", ""]
    assert [row and row["street"] for row in map(bench.erp.card, ("C-1", "C-2", "C-3"))] == ["B", "A", "B"]
    assert look(bench, "C-2").status == RACED
    assert look(bench, "C-3").status == IN_STEP


def test_different_columns_of_different_rows_are_written_together(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="A")
    bench.erp.insert_card("C-2", city="A", phone="1")
    assert settle(bench, edit("C-1", street=("A", "B")), edit("C-2", city=("A", "B"), phone=("1", "2"))) == Settled()
    first, second = bench.erp.card("C-1"), bench.erp.card("C-2")
    assert first is not None
    assert second is not None
    assert (first["street"], second["city"], second["phone"]) == ("B", "B", "2")


def test_settling_nothing_stores_nothing(bench: Bench) -> None:
    assert settle(bench) == Settled()


# --- the directory of the panel's accounts


def test_accounts_are_remembered_and_renewed(bench: Bench) -> None:
    first = SeenAccount("77", "b2b", "C-1", "5250001232", "a@b.pl", AT, guest=True)
    bench.exchange.remember([first, SeenAccount("78", "x", "", "", "")], at=AT)
    bench.exchange.remember([replace(first, login="new", modified_at=LATER)], at=LATER)
    assert bench.exchange.remembered(["77", "78", "79"]) == {
        "77": replace(first, login="new", modified_at=LATER),
        "78": SeenAccount("78", "x", "", "", ""),
    }
    bench.exchange.remember([], at=AT)


def test_an_account_that_is_given_twice_is_remembered_as_the_last(bench: Bench) -> None:
    bench.exchange.remember([SeenAccount("77", n, "", "", "") for n in ("old", "new")], at=AT)
    assert bench.exchange.remembered(["77"])["77"].login == "new"


def test_a_record_that_is_settled_twice_at_once_is_as_the_last_says(bench: Bench) -> None:
    assert settle(bench, done(agreed={"street": "A"}), done(agreed={"street": "B"})) == Settled()
    assert look(bench).agreed == {"street": "B"}


def test_accounts_are_counted_by_their_date_both_ends_included(bench: Bench) -> None:
    times = [AT - timedelta(seconds=1), AT, AT + timedelta(minutes=5), LATER, LATER + timedelta(seconds=1), None]
    bench.exchange.remember([SeenAccount(str(n), "", "", "", "", t) for n, t in enumerate(times)], at=AT)
    assert bench.exchange.count_remembered(AT, LATER) == 3


def test_a_settlement_may_leave_the_parking_place_as_it_is(bench: Bench) -> None:
    parked = Parked(LATER, 1, 2, "timeout")
    settle(bench, replace(done(), parked=parked))
    settle(bench, replace(done(), status=RACED, keep_parked=True))
    assert (look(bench).parked, look(bench).status) == (parked, RACED)
    settle(bench, replace(done("C-2"), keep_parked=True))
    assert look(bench, "C-2").parked is None
    settle(bench, done())
    assert look(bench).parked is None
