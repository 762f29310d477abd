"""``sync_plan``: rows that say the same keep their id, a person decides whole records, outcomes stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.model import Ended, Key, Line, Link, Owner, Planned, PlanRow
from kartoteka.ports.exchange import Chosen, PlanChange, Which
from tests.fixtures.exchange import Bench, SqlBench
from tests.fixtures.records import AT, LATER, RACED, change, edits, head, save, written

C1, C2, GROUP = Owner("C-1"), Owner("C-2"), Owner(group_id="G")


def line(client_id: str = "C-1", field: str = "city", concern: str = "billing", item_id: str = "", **more: Any) -> Line:
    """What would be done with a field of a client."""
    words = {"direction": "erp_to_panel", "value_from": "Łódź", "value_to": "Kraków", "reason": "edit"}
    action = more.pop("action", Planned.UPDATE)
    return Line(Key(client_id, "", concern, item_id), action, field, **{**words, **more})


def price(item_id: str = "product/7") -> Line:
    """What would be done with a price."""
    return Line(
        Key("", "G", "discounts", item_id), Planned.ADD, "", "erp_to_panel", None, '{"price": "1.00"}', "create"
    )


def planned(bench: Bench, *lines: Line, at: datetime = AT) -> list[PlanRow]:
    """Plan these, and return the rows that are new."""
    before = {row.id for row in bench.exchange.plans.open(Chosen(), 0, 1000)}
    bench.exchange.plans.store(PlanChange(new=lines), at=at)
    return [row for row in bench.exchange.plans.open(Chosen(), 0, 1000) if row.id not in before]


def rows(bench: Bench, *owners: Owner) -> list[PlanRow]:
    return list(bench.exchange.plans.rows(owners or (C1, C2, GROUP)))


def words(bench: Bench) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return client (or group) and field -> decision and outcome, of all rows."""
    return {
        (row.line.key.client_id or row.line.key.group_id, row.line.field): (
            row.decision,
            str(row.outcome) if row.outcome else None,
        )
        for row in rows(bench)
    }


def test_what_was_planned_is_read_back_to_the_letter(bench: Bench) -> None:
    told = [
        line(value_from=None, value_to='{"a": "ż', reason="first_contact"),
        line("C-2", "", "accounts", action=Planned.CREATE, value_to="", value_from=None),
        line("C-1", "street", "delivery_addresses", "A-1"),
        price(),
    ]
    found = planned(bench, *told)
    assert [row.line for row in found] == told
    assert {(row.planned_at, row.decision, row.decided_by, row.outcome) for row in found} == {(AT, "", "", None)}
    assert [row.id for row in found] == sorted({row.id for row in found})


def test_rows_are_those_of_these_owners_and_of_no_group_with_a_clients_name(bench: Bench) -> None:
    planned(bench, line(), line("C-2"), line("G"), price())
    assert [row.line.key.owner for row in rows(bench, C1, GROUP)] == [C1, GROUP]
    assert rows(bench, Owner("C-3")) == []
    assert bench.exchange.plans.rows([]) == []


def test_who_has_open_rows_of_a_concern(bench: Bench) -> None:
    (first, *_) = planned(bench, line(), line("C-2"), line("C-2", concern="accounts"), price())
    plans = bench.exchange.plans
    assert plans.having("billing", [C1, C2, GROUP]) == {C1, C2}
    assert plans.having("discounts", [C1, GROUP]) == {GROUP}
    plans.store(PlanChange(ended={first.id: Ended.DONE}), at=AT)
    assert plans.having("billing", [C1, C2]) == {C2}
    assert plans.having("billing", []) == frozenset()


@pytest.mark.parametrize(
    ("written", "counts"), [("approve", True), (" Approve ", True), ("reject", False), ("", False)]
)
def test_who_was_approved_is_found_in_the_order_of_planning(bench: Bench, written: str, counts: bool) -> None:
    first, second, third = planned(bench, line("C-2"), line(), price())
    for row in (second, first, third):
        bench.erp.decide_plan(row.id, written)
    plans = bench.exchange.plans
    assert plans.approved("billing", 10, undo=False) == ([C2, C1] if counts else [])
    assert plans.approved("billing", 1, undo=False) == ([C2] if counts else [])
    plans.store(PlanChange(ended={first.id: Ended.DONE}), at=AT)
    assert plans.approved("billing", 10, undo=False) == ([C1] if counts else [])


def test_a_decision_is_logged_for_its_owner(bench: Bench) -> None:
    first, second = planned(bench, line(), price())
    before = head(bench)
    for row in (first, second):
        bench.erp.decide_plan(row.id, "approve")
    entries = bench.exchange.log.read(before, [], 10)
    assert [(e.table_name, e.owner, e.row_id) for e in entries] == [
        ("sync_plan", C1, str(first.id)),
        ("sync_plan", GROUP, str(second.id)),
    ]
    before = head(bench)
    bench.exchange.plans.store(PlanChange(ended={first.id: Ended.DONE}, gone=[second.id]), at=AT)
    assert bench.exchange.log.read(before, [], 10) == []


def test_outcomes_stay_and_are_given_once(bench: Bench) -> None:
    done, stale, refused, left = planned(bench, *(line(field=name) for name in ("a", "b", "c", "d")))
    plans = bench.exchange.plans
    plans.store(PlanChange(ended={done.id: Ended.DONE, stale.id: Ended.STALE, refused.id: Ended.REFUSED}), at=AT)
    plans.store(PlanChange(ended={stale.id: Ended.DONE}, gone=[done.id]), at=AT)
    assert {row.id: row.outcome for row in rows(bench)} == {
        done.id: Ended.DONE,
        stale.id: Ended.STALE,
        refused.id: Ended.REFUSED,
        left.id: None,
    }
    assert [row.id for row in plans.open(Chosen(), 0, 10)] == [left.id]
    assert len(plans.open(Chosen(ended=True), 0, 10)) == 4


def test_what_is_not_planned_any_more_goes_but_what_was_approved_meanwhile(bench: Bench) -> None:
    gone, approved, rejected = planned(bench, line(field="a"), line(field="b"), line(field="c"))
    bench.erp.decide_plan(approved.id, " Approve")
    bench.erp.decide_plan(rejected.id, "reject")
    bench.exchange.plans.store(PlanChange(new=[line(field="d")], gone=[gone.id, approved.id, rejected.id]), at=LATER)
    assert words(bench) == {("C-1", "b"): (" Approve", "stale"), ("C-1", "d"): ("", None)}


def test_what_was_said_of_a_record_while_it_was_planned_anew_is_taken_back(bench: Bench) -> None:
    kept, undecided, other = planned(bench, line(), line(field="b"), line("C-2"))
    for row in (kept, other):
        bench.erp.decide_plan(row.id, "approve")
    bench.exchange.plans.store(PlanChange(new=[line(field="c")], kept=[kept.id, undecided.id]), at=AT)
    assert words(bench) == {
        ("C-1", "city"): ("", None),
        ("C-1", "b"): ("", None),
        ("C-1", "c"): ("", None),
        ("C-2", "city"): ("approve", None),
    }


def test_outcomes_are_stored_with_what_was_carried_out(bench: Bench) -> None:
    bench.erp.insert_client("C-1", phone="1")
    done, refused, left = planned(bench, line(), line(field="b"), line(field="c"))
    save(bench, change(status=IN_STEP, planned={done.id: Ended.DONE, refused.id: Ended.REFUSED}))
    assert [row.outcome for row in rows(bench)] == [Ended.DONE, Ended.REFUSED, None]
    raced = change(row=edits(phone=("2", "3")), planned={left.id: Ended.DONE}, otherwise=change(status=RACED))
    assert save(bench, raced).again
    assert rows(bench)[-1].outcome is None


def test_a_concern_that_is_not_only_planned_any_more_has_no_plan_but_an_undo(bench: Bench) -> None:
    done, _, undo, _ = planned(bench, line(field="a"), line(field="b"), line(field="c", reason="undo"), price())
    bench.exchange.plans.store(PlanChange(ended={done.id: Ended.DONE}), at=AT)
    bench.exchange.plans.drop("billing")
    assert {row.line.field for row in rows(bench, C1)} == {"a", "c"}
    assert undo.id in {row.id for row in rows(bench)}
    assert len(rows(bench, GROUP)) == 1


def test_what_clients_without_an_account_will_get_stays_where_accounts_are_only_planned(bench: Bench) -> None:
    bench.erp.insert_client("C-2")
    save(bench, change("C-2", "accounts", link=Link("C-2", "7", "c-2", "created"), status=IN_STEP))
    planned(bench, line(), line("C-2"), line("C-2", reason="undo"), price())
    for concern in ("billing", "discounts"):
        bench.exchange.plans.drop(concern, linked_only=True)
    assert [(row.line.key.client_id, row.line.reason) for row in rows(bench)] == [("C-1", "edit"), ("C-2", "undo")]


def test_old_outcomes_are_pruned_and_open_rows_never(bench: Bench) -> None:
    old, open_ = planned(bench, line(field="a"), line(field="b"))
    (young,) = planned(bench, line(field="c"), at=LATER)
    plans = bench.exchange.plans
    plans.store(PlanChange(ended={old.id: Ended.DONE, young.id: Ended.DONE}), at=LATER)
    plans.prune(LATER)
    assert {row.id for row in rows(bench)} == {open_.id, young.id}


def test_the_list_is_paged_and_chosen_from(bench: Bench) -> None:
    found = planned(bench, line(), line("C-2"), line("C-2", "", "accounts", action=Planned.HELD), price())
    plans = bench.exchange.plans
    page = plans.open(Chosen(), 0, 2)
    assert list(page) == found[:2]
    assert list(plans.open(Chosen(), page[-1].id, 2)) == found[2:]
    assert list(plans.open(Chosen("billing"), 0, 9)) == found[:2]
    assert list(plans.open(Chosen(client_id="C-2"), 0, 9)) == found[1:3]
    assert list(plans.open(Chosen("billing", "C-2"), 0, 9)) == found[1:2]
    assert list(plans.open(Chosen(as_of=AT - timedelta(seconds=1)), 0, 9)) == []


def test_figures_count_records(bench: Bench) -> None:
    plans = bench.exchange.plans
    assert (plans.open(Chosen(), 0, 9), plans.records(Chosen()), plans.newest()) == ([], {}, None)
    done, *_ = planned(
        bench, line(field="z"), line(), line(field="b"), line("C-2", action=Planned.HELD), price(), price("product/8")
    )
    plans.store(PlanChange(ended={done.id: Ended.DONE}), at=LATER)
    assert plans.records(Chosen()) == plans.records(Chosen(undecided=True)) == {"billing": 1, "discounts": 2}
    plans.decide(Chosen("billing"), "reject", "anna")
    assert plans.records(Chosen(undecided=True)) == {"discounts": 2}
    assert plans.records(Chosen()) == {"billing": 1, "discounts": 2}
    assert plans.newest() == AT


def test_an_action_chooses_rows_of_a_list_and_whole_records_of_a_decision(bench: Bench) -> None:
    plans = bench.exchange.plans
    found = planned(
        bench, line(), line(field="zip_code", action=Planned.HELD), line("C-2"), line("C-3", action=Planned.HELD)
    )
    assert list(plans.open(Chosen(action="held"), 0, 9)) == [found[1], found[3]]
    assert plans.decide(Chosen(action="held", client_id="C-1"), "approve", "anna") == 2
    three = (C1, C2, Owner("C-3"))
    assert [row.decision for row in rows(bench, *three)] == ["approve", "approve", "", ""]
    assert plans.decide(Chosen(action="update", as_of=AT), "reject", "anna") == 1
    assert [row.decision for row in rows(bench, *three)] == ["approve", "approve", "reject", ""]


def test_many_are_decided_but_those_decided_already_or_planned_later(bench: Bench) -> None:
    first, *_ = planned(bench, line(), line(field="b"), line("C-2"), price())
    planned(bench, line("C-2", "b"), at=LATER)
    bench.erp.decide_plan(first.id, "reject")
    plans = bench.exchange.plans
    assert plans.decide(Chosen(as_of=AT), "approve", "anna") == 1
    assert words(bench) == {
        ("C-1", "city"): ("reject", None),
        ("C-1", "b"): ("", None),
        ("C-2", "city"): ("", None),
        ("C-2", "b"): ("", None),
        ("G", ""): ("approve", None),
    }
    assert plans.decide(Chosen("billing"), "approve", "anna") == 2
    assert plans.decide(Chosen("billing"), "approve", "anna") == 0
    assert {row.decided_by for row in rows(bench, C2)} == {"anna"}


def test_the_rows_of_a_record_are_decided_with_the_one_that_is_named(bench: Bench) -> None:
    first, second, other = planned(bench, line(), line(field="b"), line("C-2"))
    plans = bench.exchange.plans
    bench.erp.decide_plan(second.id, "reject")
    assert plans.decide(Chosen(ids=[first.id]), "approve", "anna") == 2
    assert words(bench) == {
        ("C-1", "city"): ("approve", None),
        ("C-1", "b"): ("approve", None),
        ("C-2", "city"): ("", None),
    }
    assert plans.decide(Chosen(ids=[first.id]), None, "anna") == 2
    assert {(row.decision, row.decided_by) for row in rows(bench, C1)} == {("", "")}
    plans.store(PlanChange(ended={other.id: Ended.DONE}), at=AT)
    assert plans.decide(Chosen(ids=[other.id, 10**9]), "approve", "anna") == 0


@pytest.mark.parametrize(
    "words_said", [("approve", "reject"), ("approve", None, "approve"), ("reject", "approve", "reject")]
)
def test_another_word_of_the_same_person_is_that_persons(bench: Bench, words_said: tuple[str | None, ...]) -> None:
    (row,) = planned(bench, line())
    for word in words_said:
        assert bench.exchange.plans.decide(Chosen(ids=[row.id]), word, "anna") == 1
    assert {(r.decision, r.decided_by) for r in rows(bench, C1)} == {(words_said[-1], "anna")}


def test_who_decided_in_sql_is_noted_where_the_engine_knows(server_bench: SqlBench) -> None:
    bench = server_bench.as_bench()
    (row,) = planned(bench, line())
    bench.erp.decide_plan(row.id, "approve")
    (found,) = server_bench.erp.run("SELECT decided_by FROM sync_plan")
    assert found["decided_by"] == server_bench.erp.engine.url.username


def test_thousands_of_rows_cost_as_many_statements_as_ten(sql: SqlBench) -> None:
    sql.exchange.ownership.hold()  # the first transaction looks at the tables
    counts = []
    for count in (10, 2_000):
        lines = [line(f"C-{n}") for n in range(count)]
        owners = [Owner(f"C-{n}") for n in range(count)]
        with sql.statements() as seen:
            sql.exchange.plans.store(PlanChange(new=lines), at=AT)
            found = sql.exchange.plans.rows(owners)
            sql.exchange.plans.having("billing", owners)
            sql.exchange.plans.decide(Chosen(as_of=AT), "approve", "anna")
            sql.exchange.plans.approved("billing", 10_000, undo=False)
            sql.exchange.plans.store(PlanChange(ended={row.id: Ended.DONE for row in found}), at=AT)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# --- undo: rows of their own, beside what is planned of the same record


def undo_line(client_id: str = "C-1", field: str = "city", **more: Any) -> Line:
    return line(client_id, field, **{"reason": "undo", **more})


def test_an_undo_is_approved_apart_from_what_is_planned_of_its_record(bench: Bench) -> None:
    ordinary, undone, other = planned(bench, line(), undo_line(), undo_line(direction="panel_to_erp"))
    plans = bench.exchange.plans
    assert plans.decide(Chosen(ids=[undone.id]), "approve", "anna") == 2
    assert [row.decision for row in rows(bench)] == ["", "approve", "approve"]
    assert plans.approved("billing", 10, undo=False) == []
    assert plans.approved("billing", 10, undo=True) == [C1]
    assert plans.decide(Chosen(ids=[ordinary.id]), "approve", "anna") == 1
    assert plans.approved("billing", 10, undo=False) == [C1]
    assert [row.id for row in rows(bench)] == [ordinary.id, undone.id, other.id]


def test_what_is_to_be_undone_is_told_by_record_once_it_is_approved(bench: Bench) -> None:
    item = {"concern": "delivery_addresses", "item_id": "A-1"}
    first, second, third, _ = planned(
        bench, undo_line(), undo_line(direction="panel_to_erp"), undo_line(**item), line("C-2")
    )
    plans = bench.exchange.plans
    assert plans.undoing("billing", [C1, C2]) == {}
    bench.erp.decide_plan(first.id, "approve")
    found = plans.undoing("billing", [C1, C2, GROUP])
    assert {key: [row.id for row in some] for key, some in found.items()} == {first.line.key: [first.id, second.id]}
    assert plans.undoing("billing", [C2]) == {}
    assert plans.undoing("delivery_addresses", [C1]) == {}
    bench.erp.decide_plan(second.id, "reject")
    assert plans.undoing("billing", [C1]) == {}
    bench.erp.decide_plan(third.id, " Approve ")
    assert [key.item_id for key in plans.undoing("delivery_addresses", [C1])] == ["A-1"]
    plans.store(PlanChange(ended={third.id: Ended.DONE}), at=AT)
    assert plans.undoing("delivery_addresses", [C1]) == {}
    assert plans.undoing("billing", []) == {}


def test_lists_and_figures_are_of_an_undo_or_without_it(bench: Bench) -> None:
    planned(bench, line(), line("C-2"), undo_line())
    plans = bench.exchange.plans
    for undo, count in ((None, 3), (True, 1), (False, 2)):
        assert len(plans.open(Chosen(undo=undo), 0, 10)) == count
    assert plans.records(Chosen(undo=False)) == {"billing": 2}
    assert plans.having("billing", [C1, C2]) == {C1, C2}
    assert plans.decide(Chosen(undo=True), "approve", "anna") == 1
    plans.drop("billing")
    assert [row.line.reason for row in rows(bench)] == ["undo"]
    assert plans.having("billing", [C1]) == frozenset()


def test_what_is_refused_at_once_stands_there_with_its_outcome(bench: Bench) -> None:
    plans = bench.exchange.plans
    plans.store(PlanChange(refused=[undo_line(field="credit_limit", concern="credit")]), at=AT)
    (row,) = rows(bench)
    assert (row.outcome, row.line.field, row.planned_at) == (Ended.REFUSED, "credit_limit", AT)
    assert plans.open(Chosen(), 0, 10) == []
    assert plans.decide(Chosen(), "approve", "anna") == 0


def test_the_past_is_read_by_run_by_span_and_by_whom_it_is_about(bench: Bench) -> None:
    save(
        bench,
        change("C-1", written=(written("city", "Łódź", "Radom"), written("phone", "2", "1"))),
        run_id="run-1",
        at=AT,
    )
    save(bench, change("C-2", written=(written("city", "Radom", None),)), run_id="run-2", at=LATER)
    records = bench.exchange.records

    def told(after: int = 0, limit: int = 10, **which: Any) -> list[tuple[str, str, str]]:
        return [(p.run_id, p.key.client_id, p.field) for p in records.past(Which(**which), after, limit)]

    every = [("run-1", "C-1", "city"), ("run-1", "C-1", "phone"), ("run-2", "C-2", "city")]
    assert told() == every
    assert told(run_id="run-1") == every[:2]
    assert told(run_id="run-3") == []
    assert told(since=AT, until=LATER) == every[:2]
    assert told(since=LATER) == every[2:]
    assert told(client_id="C-2") == every[2:]
    assert told(concern="credit") == []
    first, *_ = records.past(Which(), 0, 1)
    assert told(after=first.id) == every[1:]
    assert told(limit=2) == every[:2]
    last = records.past(Which(run_id="run-2"), 0, 1)[0]
    assert (last.before, last.after, last.direction, last.reason) == ("Radom", None, "erp_to_panel", "edit")


def test_what_is_planned_anew_is_stored_with_what_was_stale(bench: Bench) -> None:
    first, second = planned(bench, undo_line(), undo_line(field="phone"))
    ended = {first.id: Ended.STALE, second.id: Ended.STALE}
    save(bench, change("C-1", planned=ended, replanned=(second.line,)), at=LATER)
    *stale, new = rows(bench, C1)
    assert [row.outcome for row in stale] == [Ended.STALE, Ended.STALE]
    assert (new.line, new.planned_at, new.decision, new.outcome) == (second.line, LATER, "", None)
