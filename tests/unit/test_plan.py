"""The plan: what is stored once it was carried out, in part or whole, and when there is nothing to do at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kartoteka import codes
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.fields.table import BILLING
from kartoteka.model import (
    DRIFT,
    REFUSED,
    REFUSED_TOGETHER,
    STANDS,
    Candidate,
    Conflict,
    ConflictNote,
    Deferral,
    Direction,
    Edit,
    Empty,
    Forms,
    Intent,
    Key,
    Link,
    Note,
    Reason,
    Record,
    RecordState,
    Resolution,
    RowWrite,
    Sent,
    Side,
    Values,
    Written,
)
from kartoteka.policy import Rule, parse
from kartoteka.ports.panel import Account
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.merge import Step, merge
from kartoteka.sync.plan import Act, Plan, joined, status_of
from kartoteka.sync.taken import Reading
from tests.world import World

KEY = Key("C-1", "", "billing")
LINK = Link("C-1", "7", "jan", "created")
BASE: Values = {"street": "S0", "email": "e0@x.pl", "city": "C0"}
AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DUE = Deferral(AT, 1, 2, "timeout")
SAID = Status(State.HELD, "bad_city", "city")
BOTH, HOLD = Rule(Direction.BOTH), Rule(Direction.BOTH, Resolution.HOLD)
ERP, PANEL = Side.ERP, Side.PANEL


def record(state: RecordState | None = None, **more: Any) -> Record:
    """A record in step with BASE, or in this state."""
    return Record(KEY, erp=BASE, link=LINK, state=state or RecordState(Forms(BASE, BASE), status=IN_STEP), **more)


def without(values: Values, name: str) -> Values:
    """The values but for one."""
    return {each: value for each, value in values.items() if each != name}


def planned(erp: Values, panel: Values, *, rule: Rule = BOTH, of: Record | None = None, **more: Any) -> Plan:
    """The plan of a record with these values on both sides, in place of those of BASE."""
    known = of or record()
    steps = merge(
        BILLING,
        dict.fromkeys(BASE, rule),
        base=known.state.base,
        erp={**BASE, **erp},
        panel={**BASE, **panel},
        conflicts=known.conflicts,
        notes=known.state.notes,
        reading=Reading(AT),
    )
    return Plan(known, steps=steps, base=known.state.base, status=IN_STEP, **more)


SENT = Sent(AT, ("S0",), AT + timedelta(minutes=5))
WAIT = Deferral(SENT.ask_at, 0, 0, "unconfirmed")
UNSHOWN = codes.status("unconfirmed", ["street"])
TO_PANEL = Step("street", PANEL, "S1", "S0", forms=("S1", None), unshown=True, sent=SENT)
TO_ERP = Step("email", ERP, "e1@x.pl", "e0@x.pl", forms=("e1@x.pl", "e1@x.pl"))
WRITTEN_PANEL = Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, "S0", "S1")
WRITTEN_ERP = Written("email", Direction.PANEL_TO_ERP, Reason.EDIT, "e0@x.pl", "e1@x.pl", counts=True)
TWO = planned({"street": "S1"}, {"email": "e1@x.pl"})


# --- empty or not


def test_a_record_in_step_has_an_empty_plan() -> None:
    assert not planned({}, {})
    assert not planned({"street": " S0 "}, {"city": "C0  "})
    assert not planned({"street": ""}, {}, of=record())


@pytest.mark.parametrize(
    "plan",
    [
        planned({"street": "S1"}, {}),
        planned({}, {"street": "S1"}),
        planned({"street": "S1"}, {"street": "S1"}),  # agreed on: to be stored
        planned({"street": "S1"}, {"street": "S2"}, rule=HOLD),  # a conflict to be told
        planned({}, {}, of=record(RecordState(Forms(BASE, BASE), deferral=DUE, status=IN_STEP))),
        planned({}, {}, of=record(RecordState(Forms(BASE, BASE), intent=Intent(()), status=IN_STEP))),
        planned({}, {}, of=record(RecordState(Forms(BASE, BASE), status=SAID))),
        planned({}, {}, of=record(RecordState(Forms(BASE, BASE), notes={"city": Note(DRIFT, "x")}, status=IN_STEP))),
        planned({}, {}, panel_id="8"),
        planned({}, {}, call="a call"),
        planned({}, {}, more=True),
        planned({}, {}, candidates=()),
        planned({}, {}, earlier=(WRITTEN_PANEL,)),
        Plan(record(), Act.LOOK, base=Forms(BASE, BASE), status=IN_STEP),
        Plan(record(), Act.LINK, base=Forms(BASE, BASE), status=IN_STEP),
        Plan(record(), Act.FORGET),
        Plan(record(), Act.KEEP, status=SAID),
    ],
)
def test_whatever_is_to_be_asked_written_or_stored_makes_a_plan(plan: Plan) -> None:
    assert plan


def test_what_stands_and_was_told_makes_none() -> None:
    waiting = Conflict(7, "street", "S1", "S2", "S0")
    told = codes.status("conflict", ["street"])
    state = RecordState(Forms(BASE, BASE), status=told)
    held = planned({"street": "S1"}, {"street": "S2"}, rule=HOLD, of=record(state, conflicts=(waiting,)))
    assert held.steps
    assert not replace(held, status=told)
    note = {"city": Note(STANDS, "C2", 3, "not_taken")}
    state = RecordState(Forms(BASE, {**BASE, "city": "C2"}), notes=note, status=SAID)
    stands = planned({}, {"city": "C2"}, rule=Rule(Direction.ERP_TO_PANEL), of=record(state))
    assert not replace(stands, status=SAID)
    assert not Plan(record(RecordState(status=SAID)), Act.KEEP, status=SAID)
    assert not Plan(record(RecordState()), Act.FORGET)


def test_an_erasure_is_a_write() -> None:
    """``target`` says that something is written; the value may be empty."""
    plan = planned({"street": None}, {}, rule=Rule(Direction.BOTH, empty=Empty.ERASE))
    assert [step.value for step in plan.to_panel] == [None]
    assert plan.writes


# --- what a plan says of itself


def test_writes_risks_and_the_steps_towards_the_panel() -> None:
    assert [step.field for step in TWO.to_panel] == ["street"]
    assert (TWO.writes, TWO.risky) == (True, True)  # an e-mail address is replaced
    assert not planned({"street": "S1"}, {}).risky
    assert not planned({"street": "S1"}, {"street": "S1"}).writes
    assert Plan(record(), Act.DELETE).writes
    assert Plan(record(), Act.REMOVE).writes
    assert not Plan(record(), Act.KEEP).writes


# --- all was carried out, or one side was not


def test_all_that_was_carried_out_is_stored() -> None:
    assert TWO.steps == (TO_PANEL, replace(TO_ERP, risky=True))
    change = TWO.change()
    now = {**BASE, "street": "S1", "email": "e1@x.pl"}
    base = Forms(now, without(now, "street"), {"street": SENT})
    assert change.after == RecordState(base, deferral=WAIT, status=UNSHOWN)
    assert change.written == (WRITTEN_PANEL, WRITTEN_ERP)
    assert change.row == RowWrite({"email": Edit("e0@x.pl", "e1@x.pl")})
    assert (change.conflicts, change.closed, change.otherwise, change.candidates) == ((), {}, None, None)


def test_a_side_that_was_not_written_stays_as_undecided_as_before() -> None:
    without_panel, without_erp = TWO.change(panel=False), TWO.change(erp=False)
    erp_only, panel_only = {**BASE, "email": "e1@x.pl"}, {**BASE, "street": "S1"}
    assert without_panel.after.base == Forms(erp_only, erp_only)
    assert without_panel.written == (WRITTEN_ERP,)
    assert without_panel.row is not None
    assert without_erp.after.base == Forms(panel_only, without(panel_only, "street"), {"street": SENT})
    assert without_erp.written == (WRITTEN_PANEL,)
    assert without_erp.row is None
    assert TWO.change(panel=False, erp=False).after.base == Forms(BASE, BASE)


def test_what_both_sides_show_is_agreed_on_whatever_else_fails() -> None:
    plan = planned({"street": "S1", "city": "C1"}, {"street": "S2", "city": "C1"})
    agreed = plan.change(panel=False, erp=False).after.base
    assert agreed is not None
    assert (agreed.erp["city"], agreed.erp["street"]) == ("C1", "S0")


def test_where_the_erps_row_cannot_be_written_the_rest_is_stored() -> None:
    whole = TWO.outcome()
    assert replace(whole, otherwise=None) == TWO.change()
    assert whole.otherwise == TWO.change(erp=False)
    refused = TWO.outcome(panel=False)
    assert replace(refused, otherwise=None) == TWO.change(panel=False)
    assert refused.otherwise == TWO.change(panel=False, erp=False)
    assert planned({"street": "S1"}, {}).outcome().otherwise is None


def test_the_earlier_write_comes_first_in_the_history_and_is_stored_in_any_case() -> None:
    earlier = Written("city", Direction.ERP_TO_PANEL, Reason.EDIT, "C", "C0")
    plan = replace(TWO, earlier=(earlier,))
    assert plan.change().written == (earlier, WRITTEN_PANEL, WRITTEN_ERP)
    assert plan.change(panel=False, erp=False).written == (earlier,)


def test_a_form_that_is_not_known_until_it_is_shown_leaves_the_base() -> None:
    steps = (Step("city", PANEL, "C1", "C0", forms=("C1", None), unshown=True), Step("zip_code", forms=("1", "2")))
    base = Plan(record(), steps=steps, base=Forms(BASE, BASE)).change().after.base
    assert base is not None
    assert base.erp == {**BASE, "city": "C1", "zip_code": "1"}
    assert base.panel == {"street": "S0", "email": "e0@x.pl", "zip_code": "2"}


def test_without_a_base_and_without_forms_there_is_none() -> None:
    held = Plan(record(RecordState()), steps=(Step("city", code="bad_code"),))
    assert held.change().after.base is None
    noted = Plan(record(RecordState()), steps=(Step("city", forms=("A", "A")),))
    assert noted.change().after.base == Forms({"city": "A"}, {"city": "A"})


def test_an_outcome_ends_the_intent_and_the_deferral() -> None:
    state = RecordState(Forms(BASE, BASE), intent=Intent((WRITTEN_PANEL,)), deferral=DUE, status=SAID)
    after = planned({"street": "S1"}, {}, of=record(state)).change().after
    assert (after.intent, after.deferral, after.status) == (None, WAIT, UNSHOWN)
    assert planned({}, {}, of=record(state)).change().after == RecordState(Forms(BASE, BASE), status=IN_STEP)


def test_writes_that_a_person_let_pass_are_not_counted() -> None:
    assert [w.counts for w in TWO.change().written] == [False, True]
    assert [w.counts for w in replace(TWO, confirmed=True).change().written] == [False, False]
    assert [w.counts for w in replace(TWO, confirmed=True).announced().after.intent.written] == [False]  # type: ignore[union-attr]


def test_candidates_go_with_the_change() -> None:
    found = (Candidate("C-1", "7", "nip"),)
    assert Plan(record(), Act.KEEP, candidates=found).change().candidates == found


# --- notes


def test_a_note_is_kept_where_its_step_was_carried_out() -> None:
    plan = planned({"city": "C9"}, {}, rule=Rule(Direction.PANEL_TO_ERP))
    assert plan.change().after.notes == {"city": Note(DRIFT, "C9", 1)}
    assert plan.change(erp=False).after.notes == {}


def test_a_note_of_a_write_that_was_not_made_stays_as_it_was() -> None:
    before = {"city": Note(DRIFT, "C9", 1)}
    state = RecordState(Forms(BASE, BASE), notes=before, status=IN_STEP)
    plan = planned({"city": "C9"}, {}, rule=Rule(Direction.PANEL_TO_ERP), of=record(state))
    assert plan.change(erp=False).after.notes == before
    assert plan.change().after.notes == {"city": Note(DRIFT, "C9", 2)}


def test_a_note_goes_with_what_it_was_about() -> None:
    state = RecordState(Forms(BASE, BASE), notes={"city": Note(REFUSED, "C1", code="bad_city")}, status=SAID)
    assert planned({}, {}, of=record(state)).change().after.notes == {}
    kept = planned({"city": "C1"}, {}, of=record(state)).change().after.notes
    assert kept == state.notes


# --- conflicts


def test_a_conflict_that_the_rule_decides_is_written_down_once_its_winner_was_carried() -> None:
    plan = planned({"street": "S1"}, {"street": "S2"})
    note = ConflictNote("street", "S1", "S2", "S0", ERP)
    assert plan.change().conflicts == (note,)
    assert plan.change(panel=False).conflicts == ()
    to_erp = planned({"street": "S1"}, {"street": "S2"}, rule=Rule(Direction.BOTH, Resolution.PANEL))
    assert to_erp.change(erp=False).conflicts == ()
    assert to_erp.change(panel=False).conflicts == (replace(note, winner=PANEL),)


def test_a_held_conflict_is_written_down_whatever_else_fails() -> None:
    plan = planned({"street": "S1"}, {"street": "S2"}, rule=HOLD)
    assert plan.change(panel=False, erp=False).conflicts == (ConflictNote("street", "S1", "S2", "S0"),)


def test_a_conflict_whose_loser_was_not_written_stays_open() -> None:
    decided = Conflict(7, "street", "S1", "S2", "S0", ERP)
    plan = planned({"street": "S1"}, {"street": "S2"}, rule=HOLD, of=record(conflicts=(decided,)))
    assert plan.change().closed == {7: ERP}
    assert plan.change(erp=False).closed == {7: ERP}
    assert plan.change(panel=False).closed == {}


def test_becoming_equal_closes_a_conflict_that_nobody_won() -> None:
    waiting = Conflict(7, "street", "S1", "S2", "S0")
    plan = planned({"street": "S3"}, {"street": "S3"}, rule=HOLD, of=record(conflicts=(waiting,)))
    assert plan.change(panel=False, erp=False).closed == {7: None}


# --- before a call


def test_before_a_call_its_intent_is_stored_and_nothing_of_the_steps() -> None:
    change = TWO.announced()
    assert change.after == replace(TWO.record.state, intent=Intent((WRITTEN_PANEL,)))
    assert (change.row, change.closed, change.written) == (None, {}, ())


def test_what_both_sides_show_is_agreed_on_before_the_call() -> None:
    plan = planned({"street": "S1", "city": "C1"}, {"city": "C1"})
    base = plan.announced().after.base
    assert base == Forms({**BASE, "city": "C1"}, {**BASE, "city": "C1"})


def test_what_an_earlier_call_has_carried_is_settled_before_its_intent_is_replaced() -> None:
    former = Intent((Written("city", Direction.ERP_TO_PANEL, Reason.EDIT, "C", "C0"),))
    state = RecordState(Forms({"city": "C"}, {"city": "C"}), intent=former, deferral=DUE, status=SAID)
    plan = Plan(record(state), steps=(TO_PANEL,), base=Forms(BASE, BASE), earlier=former.written, panel_id="9")
    change = plan.announced()
    assert change.written == former.written
    assert change.after == RecordState(Forms(BASE, BASE), "9", {}, Intent((WRITTEN_PANEL,)), DUE, SAID)


def test_a_value_that_is_overwritten_against_its_editors_will_stands_in_a_conflict_first() -> None:
    note = ConflictNote("street", "S1", "S2", "S0", ERP, closed=False)
    assert planned({"street": "S1"}, {"street": "S2"}).announced().conflicts == (note,)
    to_erp = planned({"street": "S1", "city": "C1"}, {"street": "S2"}, rule=Rule(Direction.BOTH, Resolution.PANEL))
    assert to_erp.announced().conflicts == ()


def test_an_item_that_is_made_is_announced_as_a_making_without_a_base() -> None:
    plan = Plan(record(RecordState()), Act.ADD, (TO_PANEL, Step("city", forms=(None, None))), panel_id="")
    intent = plan.announced().after.intent
    assert intent is not None
    assert intent.making
    assert plan.announced().after.base is None
    assert not replace(plan, act=Act.MERGE).announced().after.intent.making  # type: ignore[union-attr]


def test_an_intent_of_the_concerns_own_is_stored_as_it_is() -> None:
    own = Intent((WRITTEN_PANEL,), login="jan", linked_by="nip")
    assert replace(TWO, intent=own).announced().after.intent == own


def test_the_plan_goes_on_from_what_was_announced() -> None:
    earlier = Written("city", Direction.ERP_TO_PANEL, Reason.EDIT, "C", "C0")
    plan = replace(planned({"street": "S1", "city": "C1"}, {"city": "C1"}), earlier=(earlier,))
    announced = plan.announced()
    begun = plan.begun(announced)
    assert begun.record.state == announced.after
    assert begun.change().written == (WRITTEN_PANEL,)  # what came earlier is stored already
    assert begun.change().after == plan.change().after
    failed = begun.change(panel=False).after.base
    assert failed == Forms({**BASE, "city": "C1"}, {**BASE, "city": "C1"})


# --- acts


def item(state: RecordState | None = None) -> Record:
    return Record(KEY._replace(item_id="A-1"), erp={"street": "S1"}, link=LINK, state=state or RecordState())


def test_an_item_that_was_added_has_the_panels_id_and_a_base() -> None:
    plan = Plan(item(), Act.ADD, (TO_PANEL,), status=IN_STEP)
    base = Forms({"street": "S1"}, {}, {"street": SENT})
    assert plan.change(item_id="9").after == RecordState(base, "9", deferral=WAIT, status=UNSHOWN)
    assert plan.change(panel=False, item_id="9").after == RecordState(status=IN_STEP)


def test_a_row_that_was_inserted_has_a_base_only_if_it_was() -> None:
    step = replace(TO_ERP, seen=None)
    plan = Plan(item(), Act.INSERT, (step, Step("city", forms=(None, None))), panel_id="9", status=IN_STEP)
    whole = plan.outcome()
    forms: Values = {"email": "e1@x.pl", "city": None}
    assert whole.after == RecordState(Forms(forms, forms), "9", status=IN_STEP)
    assert whole.row == RowWrite(insert={"email": "e1@x.pl", "city": None})
    assert whole.otherwise is not None
    assert whole.otherwise.after == RecordState(status=IN_STEP)


def test_nothing_is_left_of_an_item_that_was_deleted_and_all_of_one_that_was_not() -> None:
    state = RecordState(Forms({"street": "S0"}, {"street": "S0"}), "9", {"": Note(REFUSED, "")}, status=SAID)
    gone = Step("street", PANEL, None, "S0", risky=True)
    delete = Plan(item(state), Act.DELETE, (gone,), state.base, panel_id="9", status=IN_STEP)
    assert delete.change().after == RecordState()
    assert delete.change().written == (Written("street", Direction.ERP_TO_PANEL, Reason.EDIT, "S0", None, counts=True),)
    left = delete.change(panel=False).after
    assert (left.base, left.panel_id) == (state.base, "9")
    remove = Plan(item(state), Act.REMOVE, (replace(gone, target=ERP),), state.base, panel_id="9", status=IN_STEP)
    assert remove.change().after == RecordState()
    assert remove.change().row == RowWrite(delete={"street": "S1"})
    kept = remove.change(erp=False)
    assert (kept.after.base, kept.after.panel_id, kept.row, kept.written) == (state.base, "9", None, ())


def test_what_is_forgotten_leaves_at_most_a_word() -> None:
    state = RecordState(Forms(BASE, BASE), "9", {"city": Note(DRIFT, "x")}, Intent(()), DUE, SAID)
    assert Plan(record(state), Act.FORGET).change().after == RecordState()
    assert Plan(record(state), Act.FORGET, status=SAID).change().after == RecordState(status=SAID)


def test_what_is_kept_loses_its_deferral_and_nothing_else() -> None:
    state = RecordState(Forms(BASE, BASE), "9", {"city": Note(DRIFT, "x")}, Intent((WRITTEN_PANEL,)), DUE, IN_STEP)
    assert Plan(record(state), Act.KEEP, status=SAID).change().after == replace(state, deferral=None, status=SAID)
    settled = Plan(record(state), Act.KEEP, base=None, earlier=(WRITTEN_PANEL,), status=SAID).change()
    assert settled.after == replace(state, base=None, intent=None, deferral=None, status=SAID)
    assert settled.written == (WRITTEN_PANEL,)


def test_what_is_known_of_a_record_stays_where_its_act_was_another() -> None:
    state = RecordState(Forms(BASE, BASE), "9")
    after = (
        Plan(record(state), Act.LINK, (Step("city", forms=("X", "X")),), Forms(BASE, BASE), panel_id="8").change().after
    )
    assert (after.base, after.panel_id) == (Forms(BASE, BASE), "9")


# --- what is said of a record


def code(name: str, field: str, **facts: str) -> Step:
    return Step(field, code=name, facts=facts)


def test_a_record_of_which_no_field_has_anything_to_tell() -> None:
    other = codes.status("stale.zero")
    assert status_of([Step("city"), TO_PANEL], "clients", None) is None
    assert status_of([TO_PANEL], "clients", IN_STEP) is IN_STEP
    assert status_of([], "clients", other) is other


def test_the_fields_of_one_code_are_told_together_the_first_of_the_columns_named() -> None:
    told = status_of([code("conflict", "street"), Step("x"), code("conflict", "city")], "clients", IN_STEP)
    assert told == codes.status("conflict", ["street", "city"])
    assert told is not None
    assert told.field == "street"


def test_the_worst_counts_and_the_messages_of_all_are_told() -> None:
    steps = [code("conflict", "street"), code("too_long", "city", value="x", limit="9")]
    told = status_of(steps, "clients", IN_STEP)
    worst = codes.status("too_long", ["city"], table="clients", value="x", limit="9")
    assert told is not None
    assert (told.state, told.code, told.field) == (State.HELD, "too_long", "city")
    assert told.message_en.endswith(worst.message_en)
    assert told.message_en.startswith(codes.status("conflict", ["street"]).message_en)
    assert worst.message_pl in told.message_pl


def test_of_two_that_are_equally_bad_the_first_counts() -> None:
    steps = [code("bad_email", "email", value="a b"), code("too_long", "city", value="x", limit="9")]
    told = status_of(steps, "clients", IN_STEP)
    assert told is not None
    assert (told.code, told.field) == ("bad_email", "email")


def test_what_is_said_of_the_whole_is_told_beside_its_fields() -> None:
    told = status_of(
        [code("conflict", "street")],
        "clients",
        codes.status("other_currency", table="t", erp_value="EUR", panel_value="PLN"),
    )
    assert told is not None
    assert (told.state, told.code) == (State.HELD, "other_currency")
    assert codes.status("conflict", ["street"]).message_en in told.message_en


def test_the_facts_of_several_fields_are_joined_each_once() -> None:
    steps = [
        code("not_taken", "city", erp_value="A", panel_value="B"),
        code("not_taken", "street", erp_value="C", panel_value="B"),
    ]
    told = status_of(steps, "clients", IN_STEP)
    assert told == codes.status("not_taken", ["city", "street"], erp_value="A, C", panel_value="B")


def test_statuses_are_joined_in_their_order_each_message_once() -> None:
    one, other = (Status(State.PENDING, "a", "x", "P", "E"), Status(State.HELD, "b", "y", "Q", "E"))
    assert joined([one]) is one
    assert joined([one, other]) == Status(State.HELD, "b", "y", "P Q", "E")
    assert joined([other, Status(State.IN_STEP, "c")]) == other


# --- what a concern makes of the merge


def billing(policy: str = "{}") -> Concern:
    return World(parse(policy)).run().concerns["billing"]


WHOLE: Values = {**dict.fromkeys(BILLING), **BASE}


def whole(state: RecordState | None = None, **more: Any) -> Record:
    found = record(state or RecordState(Forms(WHOLE, WHOLE), status=IN_STEP))
    return replace(found, erp={**WHOLE, **more.pop("erp", {})}, **more)


def asked(panel: Values) -> Shown:
    values = {**WHOLE, **panel}
    return Shown(values, Account("7", "jan", "C-1", values))


def last(concern: Concern, of: Record) -> Plan:
    return concern.plan(of, concern.last_shown(of))


def test_fields_of_one_group_are_refused_together_and_others_go_on() -> None:
    plan = billing().plan(
        whole(erp={"city": "C\x00", "street": "S1", "country_code": "DE", "company": "F", "email": "e1@x.pl"}),
        asked({}),
    )
    assert {step.field for step in plan.to_panel} == {"company", "email"}
    assert {step.field: step.code for step in plan.steps if step.code} == {"city": "unprintable"}
    assert plan.status is not None
    assert (plan.status.state, plan.status.field) == (State.HELD, "city")
    assert plan.call is not None
    assert plan.call.values == {"company": "F", "email": "e1@x.pl"}


def test_a_conflict_keeps_no_field_of_its_group_back() -> None:
    concern = billing('{"billing": {"conflict": "hold"}}')
    plan = concern.plan(whole(erp={"city": "C1", "street": "S1"}), asked({"city": "C2"}))
    assert {step.field for step in plan.to_panel} == {"street"}


def test_a_field_that_the_panel_lacks_keeps_no_field_of_its_group_back() -> None:
    steps = [Step("street", code="panel_lacks_field"), Step("city", PANEL, "C1", "C0")]
    assert billing().together(steps) == steps


def test_a_refusal_of_a_field_without_a_group_keeps_nothing_back() -> None:
    steps = [Step("email", code="bad_email"), Step("company", PANEL, "F", ""), Step("phone", PANEL, "1", "")]
    assert billing().together(steps) == steps


def test_an_unanswered_call_is_settled_by_what_the_panel_shows() -> None:
    concern = billing()
    sent = (WRITTEN_PANEL, Written("city", Direction.ERP_TO_PANEL, Reason.EDIT, "C0", "C1"))
    waiting = whole(
        RecordState(Forms(WHOLE, WHOLE), intent=Intent(sent), status=SAID), erp={"street": "S1", "city": "C1"}
    )
    assert last(concern, waiting).act is Act.LOOK
    plan = concern.plan(waiting, asked({"street": "S1"}))
    assert plan.earlier == (WRITTEN_PANEL,)
    assert plan.base == Forms({**WHOLE, "street": "S1"}, {**WHOLE, "street": "S1"})
    assert {step.field: step.value for step in plan.to_panel} == {"city": "C1"}
    assert plan.change().written == sent


def test_a_record_whose_row_was_touched_and_not_changed_asks_nothing_of_the_panel() -> None:
    assert not last(billing(), whole())


def test_a_field_that_was_never_compared_is_asked_for() -> None:
    known = {name: value for name, value in WHOLE.items() if name != "city"}
    assert last(billing(), whole(RecordState(Forms(known, known), status=IN_STEP))).act is Act.LOOK
    one_way = {name: value for name, value in WHOLE.items() if name != "nip"}
    assert not last(billing(), whole(RecordState(Forms(one_way, one_way), status=IN_STEP)))


@pytest.mark.parametrize(
    ("policy", "erp", "panel"),
    [
        ('{"billing": {"fields": {"phone": {"direction": "panel_to_erp"}}}}', {"phone": "501502503"}, {}),
        ('{"billing": {"fields": {"phone": {"direction": "panel_to_erp", "empty": "erase"}}}}', {"phone": "1"}, {}),
        ("{}", {}, {"phone": None, "nip": "5250001233"}),
    ],
)
def test_what_was_compared_once_is_not_asked_for_again(policy: str, erp: Values, panel: Values) -> None:
    concern = billing(policy)
    first = concern.plan(whole(RecordState(), erp=erp), asked(panel))
    after = whole(first.change().after, erp=erp)
    assert not last(concern, after)


def test_a_correction_that_was_refused_together_with_an_edit_is_not_asked_for_again() -> None:
    """Without asking nobody knows that the drift still stands; so it must not count as gone."""
    concern = billing()
    base = {**WHOLE, "nip": "5250001233"}
    notes = {
        "nip": Note(REFUSED_TOGETHER, "5250001233", code="refused"),
        "street": Note(REFUSED_TOGETHER, "S1", code="refused"),
    }
    state = RecordState(Forms(base, base), notes=notes, status=IN_STEP)
    held = whole(state, erp={"nip": "5250001233", "street": "S1"})
    plan = concern.plan(held, asked({"nip": "1"}))
    assert {step.field: step.code for step in plan.steps} == {"nip": "refused", "street": "refused"}
    known = replace(held, state=plan.change().after)
    assert not concern.plan(known, asked({"nip": "1"}))
    assert not last(concern, known)
    assert {step.field for step in concern.plan(known, asked({"nip": "5250001233"})).to_panel} == {"street"}


def test_a_first_contact_that_waits_in_a_conflict_is_not_asked_for_again() -> None:
    concern = billing('{"billing": {"conflict": "hold"}}')
    plan = concern.plan(whole(RecordState()), asked({"city": "C2"}))
    change = plan.change()
    (note,) = change.conflicts
    waiting = Conflict(7, note.field, "C0", "C2", None)
    held = whole(change.after, conflicts=(waiting,))
    assert not last(concern, held)
    assert last(concern, replace(held, erp={**WHOLE, "city": "C2"})).change().closed == {7: None}
