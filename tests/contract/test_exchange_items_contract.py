"""What the exchange database promises of a client's items: loading, states, rows of the ERP's; on all three."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.codes import IN_STEP, State, Status
from kartoteka.fields.table import DELIVERY_ADDRESSES
from kartoteka.model import (
    Deferral,
    Direction,
    Key,
    Link,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.ports.exchange import Saved
from tests.fixtures.exchange import Bench
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    DEFERRED,
    HELD,
    LATER,
    RACED,
    change,
    clients,
    edits,
    forms,
    groups,
    head,
    intent,
    item,
    load,
    load_items,
    logged,
    note,
    parts,
    raced,
    row_of,
    save,
)

ROW: Values = {**dict.fromkeys(DELIVERY_ADDRESSES), "street": "Długa 1", "country_code": "PL"}
NEW, GONE = RowWrite(insert=ROW), RowWrite(delete=ROW)


def item_row(bench: Bench, item_id: str, client_id: str = "C-1") -> Values:
    return row_of(load_items(bench, client_id)[client_id, item_id])


# --- the hands of the ERP


def test_each_edit_of_an_address_is_logged_for_its_client(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1")
    bench.erp.update_address("A-1", city="Łódź")
    bench.erp.update_address("A-1", client_id="C-2", city="Łódź")
    bench.erp.update_address("A-1", client_id=None)
    bench.erp.delete_address("A-1")
    edits_of = [("C-1", "I"), ("C-1", "U"), ("C-1", "D"), ("C-2", "I"), ("C-2", "D"), ("", "I"), ("", "D")]
    assert logged(bench) == [(ADDRESSES, client_id, "A-1", operation) for client_id, operation in edits_of]
    assert bench.erp.address("A-1") is None


# --- loading


def test_a_client_of_whom_nothing_is_known_has_no_items(bench: Bench) -> None:
    assert list(load_items(bench).values()) == [Record(Key("C-1", "", ADDRESSES), has_client=False)]


def test_a_clients_own_record_comes_first_then_its_items_by_id(bench: Bench) -> None:
    bench.erp.insert_client("C-2", country_code="DE")
    for address_id, client_id in (("b", "C-1"), ("a", "C-2"), ("B", "C-1"), ("a1", "C-1"), ("x", "C-3")):
        bench.erp.insert_address(address_id, client_id)
    found = load_items(bench, "C-2", "C-1")
    assert list(found) == [("C-2", ""), ("C-2", "a"), ("C-1", ""), ("C-1", "B"), ("C-1", "a1"), ("C-1", "b")]
    assert found["C-2", ""].erp == {"country_code": "DE", "language": None, "shops": ()}
    assert found["C-1", ""].erp is None, "an address without a client is shown, a client is not made up"
    assert [record.has_client for record in found.values()] == [True, True, False, False, False, False]


def test_an_items_row_has_the_fields_of_its_concern_and_the_defaults(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    assert item_row(bench, "A-1") == ROW


def test_an_items_short_code_comes_without_padding(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", country_code="P")
    assert item_row(bench, "A-1")["country_code"] == "P"


def test_whatever_is_kept_of_an_item_makes_it_seen(bench: Bench) -> None:
    kept = {
        "a-base": RecordState(base=forms({"street": "A"})),
        "b-status": RecordState(status=HELD),
        "d-intent": RecordState(intent=intent(street="A")),
        "f-deferral": RecordState(deferral=DEFERRED),
        "g-id": RecordState(panel_id="501"),
    }
    save(
        bench,
        *(change(concern=ADDRESSES, item_id=key, **parts(state)) for key, state in kept.items()),
        change(concern=ADDRESSES, item_id="c-raised", conflicts=(note("street"), note("city"))),
        change(concern=ADDRESSES, item_id="e-settled", conflicts=(note(winner=Side.ERP),)),
        item("a-base", "C-2", base={}),
    )
    found = load_items(bench)
    assert [item_id for _, item_id in found] == sorted(["", "c-raised", *kept])
    for item_id, state in kept.items():
        assert found["C-1", item_id] == Record(Key("C-1", "", ADDRESSES, item_id), state=state, has_client=False)
    assert [c.field for c in found["C-1", "c-raised"].conflicts] == ["street", "city"]


def test_what_is_kept_of_an_item_stays_with_it(bench: Bench) -> None:
    link = Link("C-1", "77", "b2b-1", "created")
    save(
        bench,
        item("A-1", base={"street": "1"}, panel_id="501", link=link),
        item("A-2", status=RACED, base={"street": "2"}),
        change(concern=ADDRESSES, status=Status(State.EXCLUDED, "x")),
        change(base={"street": "3"}),
    )
    found = load_items(bench)
    assert [(record.state, record.link) for record in found.values()] == [
        (RecordState(status=Status(State.EXCLUDED, "x")), link),
        (RecordState(forms({"street": "1"}), "501", status=IN_STEP), link),
        (RecordState(forms({"street": "2"}), status=RACED), link),
    ]
    assert load(bench).state.base == forms({"street": "3"})


def test_a_row_without_an_id_is_no_item(bench: Bench) -> None:
    bench.erp.insert_address("", "C-1", street="A")
    bench.erp.insert_client("C-1", language="pol")
    assert [r.erp for r in load_items(bench).values()] == [{"country_code": "PL", "language": "pol", "shops": ()}]
    assert bench.exchange.records.having(ADDRESSES, ["C-1"]) == frozenset()


def test_clients_with_items_are_those_with_rows(bench: Bench) -> None:
    for address_id, client_id in (("A-1", "C-1"), ("A-2", "C-1"), ("A-3", "C-2"), ("A-4", None)):
        bench.erp.insert_address(address_id, client_id)
    save(bench, item("A-5", "C-3", base={}))
    assert bench.exchange.records.having(ADDRESSES, ["C-1", "C-3", "C-4", "None", ""]) == {"C-1"}
    assert bench.exchange.records.having(ADDRESSES, []) == frozenset()


def test_untouched_are_clients_without_an_account_of_whom_nothing_is_kept_for_this_concern(bench: Bench) -> None:
    for n in range(1, 7):
        bench.erp.insert_client(f"C-{n}")
    save(bench, item("", "C-1", link=Link("C-1", "501", "jan", "created"), base={}))
    save(bench, item("", "C-2", status=IN_STEP), item("", "C-3", base={"street": "1"}), item("A-1", "C-4", base={}))
    save(bench, item("", "C-7", status=IN_STEP))
    everybody = [f"C-{n}" for n in range(1, 9)]
    assert bench.exchange.records.untouched(ADDRESSES, everybody) == {"C-5", "C-6"}
    assert bench.exchange.records.untouched("billing", everybody) == {"C-2", "C-3", "C-4", "C-5", "C-6"}
    assert bench.exchange.records.untouched(ADDRESSES, ["C-6"]) == {"C-6"}
    assert bench.exchange.records.untouched(ADDRESSES, []) == frozenset()


def test_clients_with_a_group_or_with_figures_are_those_that_have_one(bench: Bench) -> None:
    for client_id, group in (("C-1", "G"), ("C-2", ""), ("C-3", None)):
        bench.erp.insert_client(client_id, discount_group_id=group)
    bench.erp.set_credit("C-2", credit_limit="1")
    assert bench.exchange.records.having("discounts", ["C-1", "C-2", "C-3", "C-4"]) == {"C-1"}
    assert bench.exchange.records.having("credit", ["C-1", "C-2", "C-4"]) == {"C-2"}


def test_twelve_hundred_clients_with_items_are_saved_and_read_at_once(bench: Bench) -> None:
    keys = [f"C-{n}" for n in range(1200)]
    save(bench, *(item(f"A-{key}", key, base={}) for key in keys))
    found = bench.exchange.records.load(ADDRESSES, clients(*keys))
    assert [record.key.item_id for record in found] == [item_id for key in keys for item_id in ("", f"A-{key}")]


def test_an_items_client_is_due_once_at_the_earliest_and_postponed_whole(bench: Bench) -> None:
    late, early = (Deferral(due, 0, 1, "x") for due in (LATER, AT))
    save(bench, item("A-1", deferral=late), item("A-2", deferral=early), change(deferral=early))
    due = bench.exchange.records.due
    assert list(due(ADDRESSES, None, 10)) == list(due(ADDRESSES, AT, 10)) == clients("C-1")
    bench.exchange.records.postpone(ADDRESSES, [*clients("C-1"), *groups("C-1")], LATER)
    assert list(due(ADDRESSES, AT, 10)) == []
    deferrals = [record.state.deferral for record in load_items(bench).values()]
    assert [deferral and deferral.due_at for deferral in deferrals] == [None, LATER, LATER]
    assert list(due("billing", AT, 10)) == clients("C-1")
    bench.exchange.records.postpone(ADDRESSES, clients("C-1"), AT)
    assert list(due(ADDRESSES, AT, 10)) == [], "never earlier"


def test_each_item_and_each_concern_is_forgotten_alone(bench: Bench) -> None:
    full: dict[str, Any] = {
        "base": {"street": "A"},
        "panel_id": "501",
        "deferral": DEFERRED,
        "intent": intent(city="B"),
    }
    save(bench, *(item(key, **full) for key in ("A-1", "A-2")), item("A-1", "C-2", **full), change(**full))
    before = load_items(bench, "C-1", "C-2") | {("C-1", "billing"): load(bench)}
    gone = before.pop(("C-1", "A-1"))
    save(bench, change(gone, **parts(RecordState())))
    assert load_items(bench, "C-1", "C-2") | {("C-1", "billing"): load(bench)} == before


def test_an_open_conflict_of_an_item_of_which_nothing_else_is_kept_still_shows_it(bench: Bench) -> None:
    save(bench, item("A-1", base={}, conflicts=(note(),)))
    save(bench, change(load_items(bench)["C-1", "A-1"], **parts(RecordState())))
    seen = load_items(bench)["C-1", "A-1"]
    assert (seen.state, len(seen.conflicts)) == (RecordState(), 1)


# --- new rows


def test_a_row_is_inserted_and_logged(bench: Bench) -> None:
    before = head(bench)
    bring = Written("street", Direction.PANEL_TO_ERP, Reason.EDIT, None, "Długa 1")
    assert save(bench, item("panel-5", row=NEW, base=ROW, panel_id="5", written=(bring,))) == Saved()
    seen = load_items(bench)["C-1", "panel-5"]
    assert (seen.erp, seen.state) == (ROW, RecordState(forms(ROW), "5", status=IN_STEP))
    assert bench.erp.address("panel-5") == {**ROW, "client_id": "C-1"}
    assert logged(bench, before) == [(ADDRESSES, "C-1", "panel-5", "I")]
    assert [h.item_id for h in bench.erp.history] == ["panel-5"]


def test_a_row_that_is_there_already_is_to_be_worked_again(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="the ERP's")
    before = head(bench)
    assert save(bench, item("A-1", row=NEW, base=ROW)) == Saved(again=raced("A-1"))
    seen = load_items(bench)["C-1", "A-1"]
    assert (row_of(seen)["street"], seen.state) == ("the ERP's", RecordState(status=RACED))
    assert logged(bench, before) == []


@pytest.mark.parametrize("owner", ["C-2", None, "c-1"])
def test_an_id_that_another_client_has_is_refused(bench: Bench, owner: str | None) -> None:
    bench.erp.insert_address("A-1", owner)
    answer = save(bench, item("A-1", row=NEW, base=ROW), item("A-2", row=NEW))
    (refused,) = raced("A-1")
    assert (answer.again, answer.refused.keys()) == (frozenset(), {refused})
    assert "another client" in answer.refused[refused]
    found = load_items(bench)
    assert found["C-1", "A-1"] == Record(refused, state=RecordState(status=RACED), has_client=False)
    assert found["C-1", "A-2"].erp == ROW
    address = bench.erp.address("A-1")
    assert address is not None
    assert address["client_id"] == owner


# --- rows that go


def test_a_row_is_deleted_and_logged(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    bench.erp.insert_address("A-2", "C-1", street="Długa 1")
    before = head(bench)
    assert save(bench, item("A-1", row=GONE, status=None)) == Saved()
    assert list(load_items(bench)) == [("C-1", ""), ("C-1", "A-2")]
    assert logged(bench, before) == [(ADDRESSES, "C-1", "A-1", "D")]


@pytest.mark.parametrize("now_there", ["other", None, "długa 1", "Długa 1 ", ""])
def test_a_row_that_the_erp_has_edited_meanwhile_is_not_deleted(bench: Bench, now_there: Value) -> None:
    bench.erp.insert_address("A-1", "C-1", street=now_there)
    assert save(bench, item("A-1", row=GONE, status=None)) == Saved(again=raced("A-1"))
    seen = load_items(bench)["C-1", "A-1"]
    assert (seen.erp, seen.state.status) == ({**ROW, "street": now_there}, RACED)


def test_a_row_whose_empty_column_was_filled_meanwhile_is_not_deleted(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1", city="Łódź")
    assert save(bench, item("A-1", row=GONE)).again == raced("A-1")
    assert bench.erp.address("A-1") is not None


def test_a_row_that_is_gone_or_moved_is_not_deleted(bench: Bench) -> None:
    bench.erp.insert_address("A-2", "C-2", street="Długa 1")
    assert save(bench, item("A-1", row=GONE), item("A-2", row=GONE)) == Saved(again=raced("A-1", "A-2"))
    assert bench.erp.address("A-2") is not None


# --- rows that are edited


def test_an_items_row_is_edited_and_logged(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="A", city=None)
    before = head(bench)
    values = edits(street=("A", "B"), city=(None, "Łódź"), country_code=("PL", None))
    assert save(bench, item("A-1", row=values)) == Saved()
    assert item_row(bench, "A-1") == {**ROW, "street": "B", "city": "Łódź", "country_code": None}
    assert logged(bench, before) == [(ADDRESSES, "C-1", "A-1", "U")]


def test_an_item_that_was_moved_to_another_client_is_not_edited(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="A")
    assert save(bench, item("A-1", row=edits(street=("A", "B")))) == Saved(again=raced("A-1"))
    assert item_row(bench, "A-1", "C-2")["street"] == "A"


def test_a_client_of_the_same_id_as_an_item_is_left_alone(bench: Bench) -> None:
    bench.erp.insert_client("A-1", street="A")
    bench.erp.insert_address("A-1", "C-1", street="A")
    assert save(bench, item("A-1", row=edits(street=("A", "B")))) == Saved()
    assert row_of(load(bench, "A-1"))["street"] == "A"


# --- neighbours


def test_one_item_of_a_client_fails_and_its_others_go_on(bench: Bench) -> None:
    for key in ("A-1", "A-2", "A-3", "A-4"):
        bench.erp.insert_address(key, "C-1", street="raced" if key == "A-2" else "A")
    bench.erp.insert_address("taken", "C-2")
    bench.erp.refuse_address("A-3", "credit office says no")
    bench.erp.refuse_address("new-2", "no more addresses")
    answer = save(
        bench,
        *(item(key, row=edits(street=("A", "B")), base={"street": "B"}) for key in ("A-1", "A-2", "A-3")),
        item("A-4", row=RowWrite(delete={**ROW, "street": "A"}), status=None),
        *(item(key, row=NEW, base={"street": "B"}) for key in ("new-1", "new-2", "taken")),
        change(concern=ADDRESSES, status=Status(State.IN_STEP, "own")),
        change(base={"street": "billing"}),
    )
    assert answer.again == raced("A-2")
    assert answer.refused.keys() == raced("A-3", "new-2", "taken")
    reasons = {key.item_id: why for key, why in answer.refused.items()}
    assert "credit office says no" in reasons["A-3"]
    assert "no more addresses" in reasons["new-2"]
    told = {item_id: (r.erp and r.erp.get("street"), r.state) for (_, item_id), r in load_items(bench).items()}
    assert told == {
        "": (None, RecordState(status=Status(State.IN_STEP, "own"))),
        "A-1": ("B", RecordState(forms({"street": "B"}), status=IN_STEP)),
        "A-2": ("raced", RecordState(status=RACED)),
        "A-3": ("A", RecordState(status=RACED)),
        "new-1": ("Długa 1", RecordState(forms({"street": "B"}), status=IN_STEP)),
        "new-2": (None, RecordState(status=RACED)),
        "taken": (None, RecordState(status=RACED)),
    }
    assert load(bench).state.base == forms({"street": "billing"})


def test_a_deletion_that_the_erps_check_refuses_is_told(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-1", street="Długa 1")
    bench.erp.refuse_address("A-1", "in use")
    answer = save(bench, item("A-1", row=GONE, status=None))
    assert (answer.again, answer.refused.keys()) == (frozenset(), raced("A-1"))
    assert item_row(bench, "A-1") == ROW


def test_a_failed_item_does_not_make_its_own_client_fail(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="A")
    own = change(status=IN_STEP, row=edits(street=("A", "B")), otherwise=change(status=RACED))
    assert save(bench, item("A-1", row=edits(street=("A", "B"))), own).again == raced("A-1")
    assert load(bench).state.status == IN_STEP


def test_the_same_item_id_of_two_clients_is_two_records(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="A")
    given: dict[str, Any] = {"row": edits(street=("A", "B")), "base": {"street": "B"}}
    assert save(bench, item("A-1", **given), item("A-1", "C-2", **given)).again == raced("A-1")
    found = load_items(bench, "C-1", "C-2")
    assert (found["C-1", "A-1"].state.status, found["C-2", "A-1"].state.status) == (RACED, IN_STEP)


def test_a_row_that_goes_makes_room_for_one_that_comes(bench: Bench) -> None:
    bench.erp.insert_address("A-1", "C-2", street="Długa 1")
    assert save(bench, item("A-1", row=NEW), item("A-1", "C-2", row=GONE, status=None)) == Saved()
    assert item_row(bench, "A-1") == ROW
