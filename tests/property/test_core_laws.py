"""Laws of the pure parts: round trips of codecs, idempotence of normalisers, and what no merge may ever do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.fields.table import BILLING, CONCERNS, Field
from kartoteka.fields.values import as_text
from kartoteka.model import (
    Conflict,
    Direction,
    Empty,
    Forms,
    Intent,
    Key,
    Record,
    RecordState,
    Resolution,
    Side,
    Value,
    Values,
)
from kartoteka.policy import Rule
from kartoteka.sync.cursor import LogCursor
from kartoteka.sync.merge import merge, resolved, settled
from kartoteka.sync.plan import Plan
from kartoteka.sync.taken import Reading
from tests.world import START

FIELDS = [field for rows in CONCERNS.values() for field in rows.fields.values()]
fields = st.sampled_from(FIELDS)
texts = st.text(max_size=30) | st.sampled_from(["PL 525-000-12-33", "+48 501 502 503", "00-950", "a@b.pl", "0", "yes"])
ids = st.sets(st.integers(0, 10**6)).map(lambda some: tuple(sorted(some)))
values = st.none() | texts | st.booleans() | ids
countries = st.sampled_from(["PL", "pl", "DE", "GR", "", None])

SENDABLE: dict[str, st.SearchStrategy[Value]] = {
    "email": st.emails(),
    "country_code": st.sampled_from(["PL", "de"]),
    "language": st.sampled_from(["pol", "ENG"]),
    "currency": st.sampled_from(["PLN", "eur"]),
    "client_type": st.sampled_from(["person", "person_male", "person_female", "firm", " Firm"]),
    "wholesaler": st.booleans(),
    "vat_eu": st.booleans() | st.none(),
    "local_government": st.booleans(),
    "active": st.booleans(),
    "shops": ids,
    "discount_group_id": st.just("") | st.integers(1, 10**9).map(str),
    "credit_limit": st.decimals("-9999999", "9999999", places=3).map(str) | st.none(),
    "balance": st.decimals("-9999999", "9999999", places=2).map(str) | st.just(""),
    "payment_days": st.integers(0, 999).map(lambda days: f"{days:03}") | st.none(),
}
plain = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), max_size=40)
SHOWN = {"person": "private", "person_male": "male", "person_female": "female"}


def shown_by_panel(field: Field, written: object) -> object:
    """Return a written value in the words in which the panel shows it."""
    if isinstance(written, bool):
        return "yes" if written else "no"
    if isinstance(written, list):
        return [{"shopId": number} for number in written]
    if field.name == "country_code":
        return str(written).lower()
    return SHOWN.get(str(written), written) if field.name == "client_type" else written


@given(st.data(), fields)
def test_a_value_comes_back_from_the_panel_as_it_was_sent(data: st.DataObject, field: Field) -> None:
    value = data.draw(SENDABLE.get(field.name, plain))
    back = field.codec.from_panel(shown_by_panel(field, field.codec.to_panel(value)))
    record: Values = {"country_code": "PL"}
    assert field.normalise(back, record) == field.normalise(value, record)


@pytest.mark.fault(52)
@given(fields, values, countries)
def test_normalising_twice_is_normalising_once(field: Field, value: Value, country: str | None) -> None:
    record: Values = {"country_code": country}
    once = field.normalise(value, record)
    assert field.normalise(once, record) == once


@given(st.sampled_from([None, "", [], 0, 1, "y", "n", "yes", {}, "0000-00-00", 3.5]) | texts, fields)
def test_whatever_the_panel_shows_can_be_read(shown: object, field: Field) -> None:
    assert isinstance(field.codec.from_panel(shown), str | bool | tuple | None)


# --- what no merge may ever do

few = st.sampled_from([None, "", "A", "a ", "B", "C"])
rule = st.builds(
    Rule, st.sampled_from(list(Direction)), st.sampled_from(list(Resolution)), st.sampled_from(list(Empty))
)
NAMES = ("street", "city", "company")
OPAQUE = "province"
"""Shown by the panel in words of its own; the policy lets it travel to the panel only."""
opaque_rule = st.builds(
    Rule,
    st.sampled_from([Direction.ERP_TO_PANEL, Direction.OFF]),
    st.just(Resolution.ERP),
    st.sampled_from(list(Empty)),
)
all_rules = st.fixed_dictionaries({**dict.fromkeys(NAMES, rule), OPAQUE: opaque_rule})
values_of_all = st.fixed_dictionaries(dict.fromkeys((*NAMES, OPAQUE), few))


@st.composite
def bases(draw: st.DrawFn) -> Forms | None:
    """A base: the same form on both sides, forms that differ, or one that is not known yet."""
    if draw(st.booleans()):
        return None
    erp = draw(st.dictionaries(st.sampled_from((*NAMES, OPAQUE)), few))
    panel = {name: draw(few) if draw(st.booleans()) else value for name, value in erp.items()}
    if draw(st.booleans()):
        panel.pop(OPAQUE, None)
    return Forms(erp, panel)


@st.composite
def conflicts_of(draw: st.DrawFn) -> tuple[Conflict, ...]:
    names = draw(st.sets(st.sampled_from(NAMES)))
    decision = st.none() | st.sampled_from(list(Side))
    return tuple(
        Conflict(number, name, as_text(draw(few)), as_text(draw(few)), None, draw(decision))
        for number, name in enumerate(sorted(names), 1)
    )


Given = Mapping[str, Rule]


def norm(value: Value) -> str:
    """Return a value as these fields compare it."""
    return " ".join(str(value or "").split())


def planned(
    rules: Given, base: Forms | None, erp: Values, panel: Values, conflicts: Sequence[Conflict] = (), **notes: object
) -> Plan:
    """Return the plan of a record with this base, these values and these conflicts."""
    state = RecordState(base, **notes)  # type: ignore[arg-type]
    reading, notes = Reading(START), state.notes
    steps = merge(BILLING, rules, base=base, erp=erp, panel=panel, conflicts=conflicts, notes=notes, reading=reading)
    record = Record(Key("C-1", "", "billing"), erp=erp, state=state, conflicts=tuple(conflicts))
    return Plan(record, steps=steps, base=resolved(BILLING, base, erp, panel, reading))


def carried_out(side: Values, plan: Plan, target: Side) -> dict[str, Value]:
    """Return a side after the plan's steps there were written."""
    return {**side, **{step.field: step.value for step in plan.steps if step.target is target}}


def still_open(plan: Plan, done: Collection[Side] = tuple(Side)) -> tuple[Conflict, ...]:
    """Return the conflicts that are open once a plan was carried out on these sides."""
    change = plan.change(panel=Side.PANEL in done, erp=Side.ERP in done)
    known = {c.field: c for c in plan.record.conflicts if c.id not in change.closed}
    told = {n.field: n for n in change.conflicts if n.winner is None}
    fresh = {
        name: Conflict(
            known[name].id if name in known else 100 + at, name, as_text(n.erp_value), as_text(n.panel_value), None
        )
        for at, (name, n) in enumerate(told.items())
    }
    return tuple({**known, **fresh}.values())


@given(all_rules, bases(), values_of_all, values_of_all, conflicts_of())
def test_a_plan_that_was_carried_out_leaves_an_empty_one(
    rules: Given, base: Forms | None, erp: Values, panel: Values, conflicts: tuple[Conflict, ...]
) -> None:
    first = planned(rules, base, erp, panel, conflicts)
    after = first.change().after
    shown = carried_out(panel, first, Side.PANEL)
    row = carried_out(erp, first, Side.ERP)
    rest = tuple(c for c in still_open(first) if rules[c.field].direction is not Direction.OFF)
    second = planned(rules, after.base, row, shown, rest, notes=after.notes)
    assert not second.writes
    assert not second.change().conflicts
    settled_now = second.change().after  # a correction that held is forgotten, and a form that was shown is noted
    third = planned(rules, settled_now.base, row, shown, still_open(second), notes=settled_now.notes)
    assert not third


@pytest.mark.fault(49)
@given(all_rules, bases(), values_of_all, values_of_all)
def test_no_value_is_overwritten_silently(rules: Given, base: Forms | None, erp: Values, panel: Values) -> None:
    plan = planned(rules, base, erp, panel)
    told = {note.field for note in plan.change().conflicts}
    last = base or Forms({}, {})
    for step in plan.steps:
        if step.target is None or rules[step.field].direction is not Direction.BOTH or step.field in told:
            continue
        overwritten, form = (panel, last.panel) if step.target is Side.PANEL else (erp, last.erp)
        if norm(overwritten[step.field]):
            assert norm(overwritten[step.field]) == norm(form.get(step.field))


@given(all_rules, bases(), values_of_all, values_of_all, conflicts_of())
def test_a_one_way_field_is_never_written_at_its_source(
    rules: Given, base: Forms | None, erp: Values, panel: Values, conflicts: tuple[Conflict, ...]
) -> None:
    for step in planned(rules, base, erp, panel, conflicts).steps:
        direction = rules[step.field].direction
        assert direction is not Direction.OFF
        assert step.target is not Side.ERP or direction is not Direction.ERP_TO_PANEL
        assert step.target is not Side.PANEL or direction is not Direction.PANEL_TO_ERP


@given(all_rules, bases(), values_of_all, values_of_all)
def test_nothing_is_erased_unless_the_policy_says_so(
    rules: Given, base: Forms | None, erp: Values, panel: Values
) -> None:
    for step in planned(rules, base, erp, panel).steps:
        if step.target and rules[step.field].empty is Empty.KEEP:
            assert norm(step.value)


@given(all_rules, bases(), values_of_all, values_of_all, conflicts_of(), st.sampled_from(Side))
def test_leaving_one_side_alone_can_be_made_up_for_later(
    rules: Given, base: Forms | None, erp: Values, panel: Values, conflicts: tuple[Conflict, ...], side: Side
) -> None:
    whole = planned(rules, base, erp, panel, conflicts)
    part = whole.change(panel=side is not Side.PANEL, erp=side is not Side.ERP)
    erp_half = erp if side is Side.ERP else carried_out(erp, whole, Side.ERP)
    panel_half = panel if side is Side.PANEL else carried_out(panel, whole, Side.PANEL)
    left = still_open(whole, [side.other])
    rest = planned(rules, part.after.base, erp_half, panel_half, left, notes=part.after.notes)
    assert carried_out(panel_half, rest, Side.PANEL) == carried_out(panel, whole, Side.PANEL)
    assert carried_out(erp_half, rest, Side.ERP) == carried_out(erp, whole, Side.ERP)


@pytest.mark.fault(50)
@given(all_rules, values_of_all, values_of_all)
def test_equal_sides_ask_for_nothing_but_to_be_agreed_on(rules: Given, base: Values, side: Values) -> None:
    rules = {name: rule for name, rule in rules.items() if name != OPAQUE}
    plan = planned(rules, Forms(base, base), side, side)
    assert not plan.writes
    assert not plan.change().conflicts
    assert not planned(rules, plan.change().after.base, side, side)


@given(all_rules, bases(), values_of_all, values_of_all)
def test_what_was_compared_once_is_known_where_it_may_travel_back(
    rules: Given, base: Forms | None, erp: Values, panel: Values
) -> None:
    """Else the panel would be asked for it at each touch of the row."""
    plan = planned(rules, base, erp, panel)
    after = plan.change().after.base or Forms({}, {})
    waits = {note.field for note in plan.change().conflicts}
    assert {name for name, rule in rules.items() if rule.to_erp} <= {*after.erp, *waits}


@given(all_rules, bases(), values_of_all, values_of_all, st.booleans())
def test_a_lost_reply_is_made_up_for_whether_the_call_arrived_or_not(
    rules: Given, base: Forms | None, erp: Values, panel: Values, arrived: bool
) -> None:
    """What the panel shows tells it, and where it does not, the value is sent again."""
    plan = planned(rules, base, erp, panel)
    announced = plan.announced().after
    shown = carried_out(panel, plan, Side.PANEL) if arrived else dict(panel)
    intent = announced.intent or Intent(())
    known, earlier = settled(announced.base, BILLING, intent, shown)
    if not arrived:
        moved = {w.field for w in earlier}
        assert all(norm(panel[name]) == norm(intent.values[name]) for name in moved)
    again = planned(rules, known, erp, shown, still_open(plan, [Side.ERP]), notes=announced.notes)
    ended = carried_out(shown, again, Side.PANEL)
    wanted = carried_out(panel, plan, Side.PANEL)
    assert {name: norm(value) for name, value in ended.items()} == {n: norm(v) for n, v in wanted.items()}


@pytest.mark.fault(40)
@given(st.lists(st.integers(1, 40), unique=True), st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_every_log_row_is_read_in_whatever_order_rows_become_visible(order: list[int], steps: list[int]) -> None:
    now, hour = datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=1)
    visible: list[int] = []
    waiting = list(order)
    read: set[int] = set()
    cursor = LogCursor()
    for step in [*steps, len(order)]:
        visible += waiting[:step]
        waiting = waiting[step:]
        asked = [n for n in sorted(visible) if n > cursor.high or any(a <= n <= b for a, b in cursor.spans())]
        read |= set(asked)
        cursor = cursor.advance(asked, now, hour)
    assert read == set(order)
