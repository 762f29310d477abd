"""What every ExchangeDatabase promises of a customer's items: looks, rows of the ERP's, places; on all three."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.core.concerns import DELIVERY_ADDRESSES
from kartoteka.core.model import Direction, Link, Parked, Reason, Record, Side, Snapshot, State, Status, Value, Written
from kartoteka.ports import Settled
from tests.fixtures.exchange import Bench
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    IN_STEP,
    LATER,
    RACED,
    announce,
    done,
    edits,
    intent,
    item,
    look,
    look_at_items,
    note,
    settle,
    written,
)

ROW: Record = {**dict.fromkeys(DELIVERY_ADDRESSES.fields), "street": "Długa 1", "country_code": "PL"}


def item_ids(bench: Bench, client_id: str = "C-1") -> list[str]:
    return [item_id for _, item_id in look_at_items(bench, client_id)]


def row_of(bench: Bench, item_id: str, client_id: str = "C-1") -> Record | None:
    return look_at_items(bench, client_id)[client_id, item_id].row


def new_entries(bench: Bench, head: int) -> list[tuple[str, str, str, str, bool]]:
    return [(e.table_name, e.client_id, e.row_id, e.operation, e.own) for e in bench.exchange.read_log(head, [], 100)]


# --- the hands of the ERP


def test_each_edit_of_an_address_is_logged_for_its_customer(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1")
    bench.erp.update_address("A-1", city="Łódź")
    bench.erp.update_address("A-1", client_id="C-2", city="Łódź")
    bench.erp.update_address("A-1", client_id=None)
    bench.erp.delete_address("A-1")
    assert new_entries(bench, 0) == [
        (ADDRESSES, *entry, False)
        for entry in (
            ("C-1", "A-1", "I"),
            ("C-1", "A-1", "U"),
            ("C-1", "A-1", "D"),
            ("C-2", "A-1", "I"),
            ("C-2", "A-1", "D"),
            ("", "A-1", "I"),
            ("", "A-1", "D"),
        )
    ]
    assert bench.erp.address("A-1") is None


# --- looks


def test_a_customer_nobody_knows_has_no_items(bench: Bench) -> None:
    assert list(look_at_items(bench).values()) == [Snapshot("C-1")]


def test_a_customers_own_place_comes_first_then_his_items_by_id(bench: Bench) -> None:
    bench.erp.insert_card("C-2", country_code="DE")
    for address_id, client_id in (("b", "C-1"), ("a", "C-2"), ("B", "C-1"), ("a1", "C-1"), ("x", "C-3")):
        bench.erp.insert_address(address_id, client_id)
    found = look_at_items(bench, "C-2", "C-1")
    assert list(found) == [("C-2", ""), ("C-2", "a"), ("C-1", ""), ("C-1", "B"), ("C-1", "a1"), ("C-1", "b")]
    assert found["C-2", ""].row == {"country_code": "DE", "language": None, "shops": ""}
    assert found["C-1", ""].row is None, "an address without a card is shown, a card is not made up"


def test_an_items_row_has_the_fields_of_its_concern_and_the_defaults(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    assert row_of(bench, "A-1") == ROW


def test_an_items_short_code_comes_without_padding(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", country_code="P")
    row = row_of(bench, "A-1")
    assert row is not None
    assert row["country_code"] == "P"


def test_whatever_is_known_of_an_item_makes_it_seen(bench: Bench) -> None:
    settle(
        bench,
        item("a-agreed", status=None, agreed={"street": "A"}),
        item("b-told", status=Status(State.HELD, "x")),
        item("c-raised", status=None, conflicts=(note("street"), note("city"))),
        item("e-settled", status=None, conflicts=(note(winner=Side.ERP),)),
        item("f-parked", parked=Parked(LATER, 1, 2, "x")),
        item("a-agreed", "C-2", status=None, agreed={}),
    )
    announce(bench, ADDRESSES, intent(street="A"), item_id="d-meant")
    found = look_at_items(bench)
    assert [item_id for _, item_id in found] == ["", "a-agreed", "b-told", "c-raised", "d-meant", "f-parked"]
    assert found["C-1", "a-agreed"] == Snapshot("C-1", "a-agreed", agreed={"street": "A"})
    assert found["C-1", "b-told"] == Snapshot("C-1", "b-told", status=Status(State.HELD, "x"))
    assert [c.field for c in found["C-1", "c-raised"].conflicts] == ["street", "city"]
    assert found["C-1", "d-meant"] == Snapshot("C-1", "d-meant", intent=intent(street="A"))
    assert found["C-1", "f-parked"] == Snapshot("C-1", "f-parked", parked=Parked(LATER, 1, 2, "x"), status=IN_STEP)


def test_what_is_known_of_an_item_stays_with_it(bench: Bench) -> None:
    link = Link("C-1", "77", "b2b-1", "created")
    settle(bench, item("A-1", agreed={"street": "1"}, link=link), item("A-2", status=RACED, agreed={"street": "2"}))
    settle(bench, done(concern=ADDRESSES, status=Status(State.EXCLUDED, "x")), done(agreed={"street": "3"}))
    found = look_at_items(bench)
    assert [(s.agreed, s.status, s.link) for s in found.values()] == [
        (None, Status(State.EXCLUDED, "x"), link),
        ({"street": "1"}, IN_STEP, link),
        ({"street": "2"}, RACED, link),
    ]
    assert look(bench).agreed == {"street": "3"}


def test_a_row_without_an_id_is_no_item(bench: Bench) -> None:
    bench.erp.insert_address("", "C-1", street="A")
    bench.erp.insert_card("C-1", language="pol")
    assert [s.row for s in look_at_items(bench).values()] == [{"country_code": "PL", "language": "pol", "shops": ""}]
    assert bench.exchange.with_items(ADDRESSES, ["C-1"]) == frozenset()


def test_customers_with_items_are_those_with_rows(bench: Bench) -> None:
    for address_id, client_id in (("A-1", "C-1"), ("A-2", "C-1"), ("A-3", "C-2"), ("A-4", None)):
        bench.erp.insert_address(address_id, client_id)
    settle(bench, item("A-5", "C-3", agreed={}))
    assert bench.exchange.with_items(ADDRESSES, ["C-1", "C-3", "C-4", "None", ""]) == {"C-1"}
    assert bench.exchange.with_items(ADDRESSES, []) == frozenset()


def test_customers_with_a_group_or_with_figures_are_those_who_have_one(bench: Bench) -> None:
    for card, group in (("C-1", "G"), ("C-2", ""), ("C-3", None)):
        bench.erp.insert_card(card, discount_group_id=group)
    bench.erp.set_credit("C-2", credit_limit="1")
    assert bench.exchange.with_items("discounts", ["C-1", "C-2", "C-3", "C-4"]) == {"C-1"}
    assert bench.exchange.with_items("credit", ["C-1", "C-2", "C-4"]) == {"C-2"}


def test_twelve_hundred_customers_with_items_are_read_at_once(bench: Bench) -> None:
    keys = [f"C-{n}" for n in range(1200)]
    settle(bench, *(item(f"A-{key}", key, agreed={}) for key in keys))
    places = [s.place for s in bench.exchange.snapshots(ADDRESSES, keys)]
    assert places == [place for key in keys for place in ((key, ""), (key, f"A-{key}"))]


def test_an_items_customer_is_due_once_at_the_earliest_and_postponed_whole(bench: Bench) -> None:
    late, early = (Parked(due, 0, 1, "x") for due in (LATER, AT))
    settle(bench, item("A-1", parked=late), item("A-2", parked=early), done(parked=early))
    assert list(bench.exchange.due(ADDRESSES, None, 10)) == ["C-1"]
    assert list(bench.exchange.due(ADDRESSES, AT, 10)) == ["C-1"]
    bench.exchange.postpone(ADDRESSES, ["C-1"], LATER)
    assert list(bench.exchange.due(ADDRESSES, AT, 10)) == []
    assert [s.parked and s.parked.due_at for s in look_at_items(bench).values()] == [None, LATER, LATER]
    assert list(bench.exchange.due("billing", AT, 10)) == ["C-1"]


# --- the panel's id, and forgetting


def test_the_panels_id_is_kept_with_the_agreement(bench: Bench) -> None:
    settle(bench, item("A-1", agreed={"street": "A"}, panel_item_id="501"), item("A-2", agreed={}))
    assert [s.panel_item_id for s in look_at_items(bench).values()] == ["", "501", ""]
    settle(bench, item("A-1", panel_item_id="999"))
    assert look_at_items(bench)["C-1", "A-1"].panel_item_id == "501", "no agreement, nothing stored"
    settle(bench, item("A-1", agreed={}, panel_item_id="502"), item("A-2", agreed={}))
    assert [s.panel_item_id for s in look_at_items(bench).values()] == ["", "502", ""]
    settle(bench, item("A-1", agreed={}))
    assert look_at_items(bench)["C-1", "A-1"].panel_item_id == ""


def test_the_panels_id_is_stored_with_an_announcement_too(bench: Bench) -> None:
    before = item("A-1", status=None, agreed={"street": "A"}, panel_item_id="501")
    announce(bench, ADDRESSES, intent(street="B"), before=before, item_id="A-1")
    seen = look_at_items(bench)["C-1", "A-1"]
    assert (seen.agreed, seen.panel_item_id, seen.intent) == ({"street": "A"}, "501", intent(street="B"))


def test_what_is_forgotten_leaves_nothing_but_its_history_and_its_conflicts(bench: Bench) -> None:
    kept = Parked(LATER, 1, 1, "x")
    full: dict[str, Any] = {"agreed": {"street": "A"}, "panel_item_id": "501", "parked": kept, "conflicts": (note(),)}
    settle(bench, *(item(key, **full) for key in ("A-1", "A-2")), item("A-1", "C-2", **full), done(**full))
    announce(bench, ADDRESSES, intent(street="B"), item_id="A-1")
    announce(bench, ADDRESSES, intent(street="B"), item_id="A-2")
    before = look_at_items(bench, "C-1", "C-2") | {("C-1", "billing"): look(bench)}
    (open_one,) = before["C-1", "A-1"].conflicts
    forgetting = item(
        "A-1",
        forget=True,
        status=Status(State.HELD, "not read"),
        agreed={"not": "read"},
        parked=kept,
        written=(written("street", "A", ""),),
        conflicts=(note("city", winner=Side.PANEL),),
        close_conflicts={open_one.id: Side.PANEL},
    )
    settle(bench, forgetting, at=LATER)
    after = look_at_items(bench, "C-1", "C-2") | {("C-1", "billing"): look(bench)}
    assert before.pop(("C-1", "A-1")).intent == intent(street="B")
    assert after == before
    assert [(c.item_id, c.field, c.decision, c.closed_at) for c in bench.erp.conflicts if c.closed_at] == [
        ("A-1", "street", "panel", LATER),
        ("A-1", "city", "panel", LATER),
    ]
    assert [(h.item_id, h.field, h.value_before) for h in bench.erp.history] == [("A-1", "street", "A")]


def test_an_open_conflict_of_what_is_forgotten_still_shows_it(bench: Bench) -> None:
    settle(bench, item("A-1", agreed={}, conflicts=(note(),)))
    settle(bench, item("A-1", forget=True, status=None))
    assert look_at_items(bench)["C-1", "A-1"].agreed is None
    assert len(look_at_items(bench)["C-1", "A-1"].conflicts) == 1


def test_to_forget_what_was_never_known_is_no_mistake(bench: Bench) -> None:
    assert settle(bench, item("A-1", forget=True)) == Settled()
    assert item_ids(bench) == [""]


# --- new rows


def test_a_row_is_inserted_with_our_origin(bench: Bench) -> None:
    head = bench.exchange.log_head()
    bring = Written("street", Direction.PANEL_TO_ERP, Reason.EDIT, None, "Długa 1")
    new = item("panel-5", row_insert=ROW, agreed=ROW, panel_item_id="5", written=(bring,))
    assert settle(bench, new) == Settled()
    seen = look_at_items(bench)["C-1", "panel-5"]
    assert (seen.row, seen.agreed, seen.panel_item_id, seen.status) == (ROW, ROW, "5", IN_STEP)
    assert bench.erp.address("panel-5") == {**ROW, "client_id": "C-1"}
    assert new_entries(bench, head) == [(ADDRESSES, "C-1", "panel-5", "I", True)]
    assert [h.item_id for h in bench.erp.history] == ["panel-5"]


def test_a_row_that_is_there_already_is_to_be_looked_at_again(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="the ERP's")
    head = bench.exchange.log_head()
    assert settle(bench, item("A-1", row_insert=ROW, agreed=ROW)) == Settled(again=frozenset({("C-1", "A-1")}))
    seen = look_at_items(bench)["C-1", "A-1"]
    assert (seen.row and seen.row["street"], seen.agreed, seen.status) == ("the ERP's", None, RACED)
    assert new_entries(bench, head) == []


@pytest.mark.parametrize("owner", ["C-2", None, "c-1"])
def test_an_id_that_another_customer_has_is_refused(bench: Bench, owner: str | None) -> None:
    bench.erp.insert_address("A-1", owner)
    answer = settle(bench, item("A-1", row_insert=ROW, agreed=ROW), item("A-2", row_insert=ROW))
    assert answer.again == frozenset()
    assert answer.refused.keys() == {("C-1", "A-1")}
    assert "another customer" in answer.refused["C-1", "A-1"]
    assert "another customer" not in repr(answer)
    found = look_at_items(bench)
    assert found["C-1", "A-1"] == Snapshot("C-1", "A-1", status=RACED)
    assert found["C-1", "A-2"].row == ROW
    address = bench.erp.address("A-1")
    assert address is not None
    assert address["client_id"] == owner


# --- rows that go


def test_a_row_is_deleted_with_our_origin(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    bench.erp.insert_address("A-2", "C-1", street="Długa 1")
    head = bench.exchange.log_head()
    assert settle(bench, item("A-1", row_delete=ROW, forget=True)) == Settled()
    assert item_ids(bench) == ["", "A-2"]
    assert new_entries(bench, head) == [(ADDRESSES, "C-1", "A-1", "D", True)]


@pytest.mark.parametrize("now_there", ["other", None, "długa 1", "Długa 1 ", ""])
def test_a_row_that_the_erp_has_edited_meanwhile_is_not_deleted(bench: Bench, now_there: Value) -> None:
    bench.erp.insert_address("A-1", "C-1", street=now_there)
    answer = settle(bench, item("A-1", row_delete=ROW, forget=True))
    assert answer == Settled(again=frozenset({("C-1", "A-1")}))
    seen = look_at_items(bench)["C-1", "A-1"]
    assert (seen.row, seen.status) == ({**ROW, "street": now_there}, RACED)


def test_a_row_whose_empty_column_was_filled_meanwhile_is_not_deleted(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1", city="Łódź")
    assert settle(bench, item("A-1", row_delete=ROW)).again == {("C-1", "A-1")}
    assert bench.erp.address("A-1") is not None


def test_a_row_that_is_gone_or_moved_is_not_deleted(bench: Bench) -> None:
    bench.erp.insert_address("A-2", "C-2", street="Długa 1")
    answer = settle(bench, item("A-1", row_delete=ROW), item("A-2", row_delete=ROW))
    assert answer == Settled(again=frozenset({("C-1", "A-1"), ("C-1", "A-2")}))
    assert bench.erp.address("A-2") is not None


# --- rows that are edited


def test_an_items_row_is_edited_with_our_origin(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="A", city=None)
    head = bench.exchange.log_head()
    values = edits(street=("A", "B"), city=(None, "Łódź"), country_code=("PL", None))
    assert settle(bench, item("A-1", row_edits=values)) == Settled()
    assert row_of(bench, "A-1") == {**ROW, "street": "B", "city": "Łódź", "country_code": None}
    assert new_entries(bench, head) == [(ADDRESSES, "C-1", "A-1", "U", True)]


def test_an_item_that_was_moved_to_another_customer_is_not_edited(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="A")
    answer = settle(bench, item("A-1", row_edits=edits(street=("A", "B"))))
    assert answer == Settled(again=frozenset({("C-1", "A-1")}))
    address = bench.erp.address("A-1")
    assert address is not None
    assert address["street"] == "A"


def test_a_card_of_the_same_id_as_an_item_is_left_alone(bench: Bench) -> None:
    bench.erp.insert_card("A-1", street="A")
    bench.erp.insert_address("A-1", "C-1", street="A")
    assert settle(bench, item("A-1", row_edits=edits(street=("A", "B")))) == Settled()
    card = bench.erp.card("A-1")
    assert card is not None
    assert card["street"] == "A"


# --- neighbours


def test_one_item_of_a_customer_fails_and_his_others_go_on(bench: Bench) -> None:
    for key in ("A-1", "A-2", "A-3", "A-4"):
        bench.erp.insert_address(key, "C-1", street="raced" if key == "A-2" else "A")
    bench.erp.insert_address("taken", "C-2")
    bench.erp.refuse_address("A-3", "credit office says no")
    bench.erp.refuse_address("new-2", "no more addresses")
    answer = settle(
        bench,
        *(item(key, row_edits=edits(street=("A", "B")), agreed={"street": "B"}) for key in ("A-1", "A-2", "A-3")),
        item("A-4", row_delete={**ROW, "street": "A"}, forget=True),
        *(item(key, row_insert=ROW, agreed={"street": "B"}) for key in ("new-1", "new-2", "taken")),
        done(concern=ADDRESSES, status=Status(State.IN_STEP, "own")),
        done(agreed={"street": "billing"}),
    )
    assert answer.again == {("C-1", "A-2")}
    assert answer.refused.keys() == {("C-1", "A-3"), ("C-1", "new-2"), ("C-1", "taken")}
    assert "credit office says no" in answer.refused["C-1", "A-3"]
    assert "no more addresses" in answer.refused["C-1", "new-2"]
    told = {place[1]: (s.row and s.row["street"], s.agreed, s.status) for place, s in look_at_items(bench).items()}
    written_one = ("B", {"street": "B"}, IN_STEP)
    assert told == {
        "": (None, None, Status(State.IN_STEP, "own")),
        "A-1": written_one,
        "A-2": ("raced", None, RACED),
        "A-3": ("A", None, RACED),
        "new-1": ("Długa 1", {"street": "B"}, IN_STEP),
        "new-2": (None, None, RACED),
        "taken": (None, None, RACED),
    }
    assert look(bench).agreed == {"street": "billing"}


def test_a_deletion_that_the_erps_check_refuses_is_told(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    bench.erp.refuse_address("A-1", "in use")
    answer = settle(bench, item("A-1", row_delete=ROW, forget=True))
    assert answer.again == frozenset()
    assert answer.refused.keys() == {("C-1", "A-1")}
    assert row_of(bench, "A-1") == ROW


def test_a_failed_item_does_not_make_its_own_customer_fail(bench: Bench) -> None:
    bench.erp.insert_card("C-1", street="A")
    card = done(row_edits=edits(street=("A", "B")), fallback=done(status=RACED))
    answer = settle(bench, item("A-1", row_edits=edits(street=("A", "B"))), card)
    assert answer.again == {("C-1", "A-1")}
    assert look(bench).status == IN_STEP


def test_the_same_item_id_of_two_customers_is_two_places(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="A")
    change: dict[str, Any] = {"row_edits": edits(street=("A", "B")), "agreed": {"street": "B"}}
    assert settle(bench, item("A-1", **change), item("A-1", "C-2", **change)).again == {("C-1", "A-1")}
    found = look_at_items(bench, "C-1", "C-2")
    assert (found["C-1", "A-1"].status, found["C-2", "A-1"].status) == (RACED, IN_STEP)


def test_a_row_that_goes_makes_room_for_one_that_comes(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="Długa 1")
    answer = settle(bench, item("A-1", row_insert=ROW), item("A-1", "C-2", row_delete=ROW, forget=True))
    assert answer == Settled()
    assert row_of(bench, "A-1") == ROW
