"""The merge, case by case: the table of ``sync/merge.py`` line by line, then forms, notes, refusals and conflicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import pytest

from kartoteka import codes
from kartoteka.codes import State
from kartoteka.fields.table import BILLING, CREDIT, SHOPS
from kartoteka.fields.values import as_text
from kartoteka.model import (
    DRIFT,
    REFUSED,
    REFUSED_TOGETHER,
    STANDS,
    Conflict,
    ConflictNote,
    Direction,
    Empty,
    Forms,
    Intent,
    Note,
    Reason,
    Resolution,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.policy import Rule
from kartoteka.sync.merge import CORRECTIONS, Step, arrived, merge, quoted, settled
from kartoteka.sync.plan import status_of
from kartoteka.sync.taken import Reading
from tests.world import START

BOTH = Rule(Direction.BOTH)
PANEL_WINS = Rule(Direction.BOTH, Resolution.PANEL)
HOLD = Rule(Direction.BOTH, Resolution.HOLD)
BOTH_ERASE = Rule(Direction.BOTH, empty=Empty.ERASE)
TO_PANEL = Rule(Direction.ERP_TO_PANEL)
TO_ERP = Rule(Direction.PANEL_TO_ERP)
TO_PANEL_ERASE = Rule(Direction.ERP_TO_PANEL, empty=Empty.ERASE)
TO_ERP_ERASE = Rule(Direction.PANEL_TO_ERP, empty=Empty.ERASE)
ALWAYS = Rule(Direction.ERP_TO_PANEL, empty=Empty.ERASE, always=True)
OFF = Rule(Direction.OFF)

NONE: Any = object()
"""No base: the two sides were never compared."""
EDIT, DRIFTED, FIRST, CONFLICT = Reason.EDIT, Reason.DRIFT, Reason.FIRST_CONTACT, Reason.CONFLICT
ERP, PANEL = Side.ERP, Side.PANEL


def one(
    rule: Rule, base: Any, erp: Value, panel: Value, *, name: str = "city", note: Note | None = None, **more: Any
) -> Step | None:
    """Merge one field; ``base``: a value of both sides, a pair of forms, or NONE. None: there is nothing to do."""
    pair = base if isinstance(base, tuple) else (base, base)
    forms = None if base is NONE else Forms({name: pair[0]}, {name: pair[1]} if len(pair) > 1 else {})
    fields = CREDIT if name in CREDIT else BILLING
    steps = merge(
        fields,
        {name: rule},
        base=forms,
        erp={name: erp},
        panel={} if panel is NONE else {name: panel},
        notes={name: note} if note else {},
        **{"reading": READING, **more},
    )
    assert len(steps) <= 1
    return steps[0] if steps else None


def many(rules: Mapping[str, Rule], base: Values | None, erp: Values, panel: Values, **more: Any) -> dict[str, Step]:
    """Merge several fields of billing, both sides' forms in the base being equal."""
    forms = None if base is None else Forms(base, base)
    steps = merge(BILLING, rules, base=forms, erp=erp, panel=panel, **{"notes": {}, "reading": READING, **more})
    return {step.field: step for step in steps}


READING = Reading(START)
NOT_ASKED = Reading(START, asked=False)
NOTHING = None
NOTED = "noted"
"""Nothing is written, and what both sides show becomes the field's base."""


class Pair(NamedTuple):
    """The forms of a field that are noted, the ERP's and the panel's."""

    erp: Value
    panel: Value


TABLE = [
    # rule, base, ERP, panel -> side written and why; NOTED, or the forms that are noted; or NOTHING
    # --- ERP == panel: agreed
    ("equal, and known to be", BOTH, "A", "A", "A", NOTHING),
    ("equal but for a space, and known to be", BOTH, "A b", "A  b", " A b", NOTHING),
    ("the same edit on both sides", BOTH, "A", "B", "B", NOTED),
    ("the same edit on both sides, written otherwise", BOTH, "A", "B c", " B  c", NOTED),
    ("both emptied", BOTH, "A", "", None, NOTED),
    ("one way: the same edit on both sides", TO_PANEL, "A", "B", "B", NOTED),
    ("one way back: the same edit on both sides", TO_ERP, "A", "B", "B", NOTED),
    ("one way: both emptied", TO_PANEL, "A", None, "", NOTED),
    ("one way back: both emptied", TO_ERP, "A", None, "", NOTED),
    # --- no base, one side empty: the empty side takes the other's value
    ("first contact: equal", BOTH, NONE, "A", "A", NOTED),
    ("first contact: both empty", BOTH, NONE, None, "", NOTED),
    ("first contact: the ERP's fills", BOTH, NONE, "A", "", (PANEL, FIRST)),
    ("first contact: the ERP's fills, erase", BOTH_ERASE, NONE, "A", "", (PANEL, FIRST)),
    ("first contact: the panel's fills", BOTH, NONE, None, "A", (ERP, FIRST)),
    ("first contact: the panel's fills, erase", BOTH_ERASE, NONE, "", "A", (ERP, FIRST)),
    ("first contact, one way: equal", TO_PANEL, NONE, "A", "A", NOTED),
    ("first contact, one way: the target is empty", TO_PANEL, NONE, "A", "", (PANEL, FIRST)),
    ("first contact, one way: the source is empty", TO_PANEL, NONE, None, "A", NOTHING),
    ("first contact, one way: the source is empty, erase", TO_PANEL_ERASE, NONE, "", "A", NOTHING),
    ("first contact, one way: both empty", TO_PANEL, NONE, None, "", NOTHING),
    ("first contact, one way, always: the source is empty", ALWAYS, NONE, None, "A", (PANEL, FIRST)),
    ("first contact, one way, always: both empty", ALWAYS, NONE, None, "", NOTED),
    ("first contact, one way back: equal", TO_ERP, NONE, "A", "A", NOTED),
    ("first contact, one way back: the target is empty", TO_ERP, NONE, None, "A", (ERP, FIRST)),
    ("first contact, one way back: both empty", TO_ERP, NONE, None, "", NOTED),
    # noted, so that the panel need not be asked again whether it has anything to carry
    ("first contact, one way back: the source is empty", TO_ERP, NONE, "A", "", NOTED),
    ("first contact, one way back: the source is empty, erase", TO_ERP_ERASE, NONE, "A", None, NOTED),
    # --- no base, both filled, different: the conflict rule
    ("first contact: different", BOTH, NONE, "A", "B", (PANEL, FIRST)),
    ("first contact: different, the panel wins", PANEL_WINS, NONE, "A", "B", (ERP, FIRST)),
    ("first contact, one way: different", TO_PANEL, NONE, "A", "B", (PANEL, FIRST)),
    ("first contact, one way back: different", TO_ERP, NONE, "A", "B", (ERP, FIRST)),
    # --- only one side changed: the change travels
    ("the ERP's edit", BOTH, "A", "B", "A", (PANEL, EDIT)),
    ("the panel's edit", BOTH, "A", "A", "B", (ERP, EDIT)),
    ("an empty field is filled in the ERP", BOTH, "", "A", "", (PANEL, EDIT)),
    ("an empty field is filled in the panel", BOTH, None, None, "A", (ERP, EDIT)),
    ("letter case is an edit", BOTH, "kowalski", "Kowalski", "kowalski", (PANEL, EDIT)),
    ("emptied in the ERP, keep", BOTH, "A", "", "A", NOTHING),
    ("emptied in the panel, keep", BOTH, "A", "A", None, NOTHING),
    ("emptied in the ERP, edited in the panel, keep", BOTH, "A", "", "B", (ERP, EDIT)),
    ("emptied in the panel, edited in the ERP, keep", BOTH, "A", "B", "", (PANEL, EDIT)),
    ("emptied in the ERP, erase", BOTH_ERASE, "A", "", "A", (PANEL, EDIT)),
    ("emptied in the panel, erase", BOTH_ERASE, "A", "A", None, (ERP, EDIT)),
    # --- both changed, different: the conflict rule
    ("two edits", BOTH, "A", "B", "C", (PANEL, CONFLICT)),
    ("two edits: the panel wins", PANEL_WINS, "A", "B", "C", (ERP, CONFLICT)),
    ("emptied in the ERP, edited in the panel, erase", BOTH_ERASE, "A", "", "B", (PANEL, CONFLICT)),
    ("emptied in the panel, edited in the ERP, erase", BOTH_ERASE, "A", "B", "", (PANEL, CONFLICT)),
    # --- one-way field, source changed: the source's value is written
    ("one way: an edit", TO_PANEL, "A", "B", "A", (PANEL, EDIT)),
    ("one way: two edits", TO_PANEL, "A", "B", "C", (PANEL, EDIT)),
    ("one way: filled", TO_PANEL, "", "A", "", (PANEL, EDIT)),
    ("one way: emptied, keep", TO_PANEL, "A", None, "A", NOTHING),
    # an edit under an emptied source is noted: else its former value, written anew, would count as unchanged
    ("one way: emptied, the target edited, keep", TO_PANEL, "A", None, "B", Pair(None, "B")),
    ("one way: emptied, the target edited, keep, and noted", TO_PANEL, (None, "B"), None, "B", NOTHING),
    ("one way: emptied, the target edited, and the former value again", TO_PANEL, (None, "B"), "A", "B", (PANEL, EDIT)),
    ("one way: emptied, erase", TO_PANEL_ERASE, "A", None, "A", (PANEL, EDIT)),
    ("one way: emptied, the target edited, erase", TO_PANEL_ERASE, "A", None, "B", (PANEL, EDIT)),
    ("one way, always: emptied", ALWAYS, "A", None, "A", (PANEL, EDIT)),
    ("one way back: an edit", TO_ERP, "A", "A", "B", (ERP, EDIT)),
    ("one way back: two edits", TO_ERP, "A", "B", "C", (ERP, EDIT)),
    # an emptied source is noted where it is the panel's: else its last value would count where it is not asked
    ("one way back: emptied, keep", TO_ERP, "A", "A", "", Pair("A", "")),
    ("one way back: emptied, the target edited, keep", TO_ERP, "A", "B", "", Pair("A", "")),
    ("one way back: emptied, and known to be", TO_ERP, ("A", ""), "A", "", NOTHING),
    ("one way back: emptied, erase", TO_ERP_ERASE, "A", "A", "", (ERP, EDIT)),
    ("one way back: emptied, the target edited, erase", TO_ERP_ERASE, "A", "B", "", (ERP, EDIT)),
    # --- one-way field, target changed: the source's value is written
    ("one way: drift", TO_PANEL, "A", "A", "B", (PANEL, DRIFTED)),
    ("one way: an emptied target", TO_PANEL, "A", "A", "", (PANEL, DRIFTED)),
    ("one way: an emptied target, erase", TO_PANEL_ERASE, "A", "A", "", (PANEL, DRIFTED)),
    ("one way: an empty source and drift, keep", TO_PANEL, "", "", "B", NOTHING),
    ("one way: an erased source and drift, erase", TO_PANEL_ERASE, "", "", "B", (PANEL, DRIFTED)),
    ("one way, always: an empty source and drift", ALWAYS, "", "", "B", (PANEL, DRIFTED)),
    ("one way back: drift", TO_ERP, "A", "B", "A", (ERP, DRIFTED)),
    ("one way back: an emptied target", TO_ERP, "A", None, "A", (ERP, DRIFTED)),
    ("one way back: an empty source and drift, keep", TO_ERP, "", "B", "", NOTHING),
    ("one way back: an erased source and drift, erase", TO_ERP_ERASE, "", "B", "", (ERP, DRIFTED)),
    # --- a source that was empty from the first on: not looked after, until it has a value
    ("one way back: never carried, at rest", TO_ERP, ("A", ""), "A", "", NOTHING),
    ("one way back: never carried, the target edited", TO_ERP, ("A", ""), "B", "", NOTHING),
    ("one way back: never carried, the target edited, erase", TO_ERP_ERASE, ("A", ""), "B", "", NOTHING),
    ("one way back: never carried, now filled", TO_ERP, ("A", ""), "A", "C", (ERP, EDIT)),
    ("one way back: never carried, now filled, erase", TO_ERP_ERASE, ("A", ""), "B", "C", (ERP, EDIT)),
    ("one way: never carried, the target edited, erase", TO_PANEL_ERASE, ("", "A"), "", "B", NOTHING),
    # --- off
    ("off", OFF, "A", "B", "C", NOTHING),
    ("off, first contact", OFF, NONE, "A", "B", NOTHING),
]


@pytest.mark.parametrize(
    ("rule", "base", "erp", "panel", "expected"), [c[1:] for c in TABLE], ids=[c[0] for c in TABLE]
)
def test_the_table(rule: Rule, base: Any, erp: Value, panel: Value, expected: Any) -> None:
    step = one(rule, base, erp, panel)
    if expected is NOTHING:
        assert step is None
    elif expected == NOTED:
        assert step == Step("city", forms=(erp, panel))
    elif isinstance(expected, Pair):
        assert step == Step("city", forms=expected)
    else:
        target, reason = expected
        value, seen = (erp, panel) if target is PANEL else (panel, erp)
        assert step is not None
        assert (step.target, step.reason, step.value, step.seen) == (target, reason, value, seen)
        assert step.forms == ((value, None) if target is PANEL else (value, value))
        assert (step.code, step.unshown, step.sent is not None, step.closes) == ("", *[target is PANEL] * 2, None)


@pytest.mark.parametrize("base", [NONE, "A"])
def test_a_held_conflict_writes_nothing_and_moves_no_base(base: Any) -> None:
    step = one(HOLD, base, "B", "C")
    told = ConflictNote("city", "B", "C", None if base is NONE else "A")
    assert step == Step("city", conflict=told, code="conflict")


def test_the_fields_of_a_record_are_judged_one_by_one_and_in_the_order_of_the_columns() -> None:
    found = many(
        {"street": BOTH, "city": HOLD, "email": BOTH, "company": OFF},
        {"street": "Długa 1", "city": "Łódź", "email": "a@b.pl", "company": "F"},
        {"street": "Krótka 2", "city": "Gdańsk", "email": "a@b.pl", "company": "G"},
        {"street": "Długa 1", "city": "Sopot", "email": "nowy@b.pl", "company": "F"},
    )
    assert list(found) == ["street", "city", "email"]
    assert (found["street"].target, found["city"].target, found["email"].target) == (PANEL, None, ERP)
    assert (found["email"].value, found["email"].seen) == ("nowy@b.pl", "a@b.pl")


# --- forms: each side is judged against its own


FORMED = ("Fa. Ges", "FA GES")
"""The base of a field that the panel shows in another form than the ERP does."""


@pytest.mark.parametrize("rule", [BOTH, BOTH_ERASE, PANEL_WINS, HOLD, TO_PANEL, TO_ERP, TO_PANEL_ERASE, TO_ERP_ERASE])
def test_a_noted_form_is_neither_an_edit_nor_drift(rule: Rule) -> None:
    assert one(rule, FORMED, "Fa. Ges", "FA GES") is None
    assert one(rule, FORMED, "Fa.  Ges ", " FA GES") is None


@pytest.mark.parametrize(
    ("rule", "erp", "panel", "target", "reason"),
    [
        (BOTH, "Fa. Gęś", "FA GES", PANEL, EDIT),
        (BOTH, "Fa. Ges", "FA GES SA", ERP, EDIT),
        (BOTH, "FA GES 1", "FA GES SA", PANEL, CONFLICT),
        (BOTH, "FA GES", "FA GES", None, None),  # both are equal now, which they were not before
        (BOTH, "Fa. Ges", "Fa. Ges", None, None),
        (TO_PANEL, "Fa. Gęś", "FA GES", PANEL, EDIT),
        (TO_PANEL, "Fa. Ges", "FA GES SA", PANEL, DRIFTED),
        (TO_PANEL, "FA GES SA", "Fa. Ges", PANEL, EDIT),
        (TO_ERP, "Fa. Gęś", "FA GES", ERP, DRIFTED),
        (TO_ERP, "Fa. Ges", "FA GES SA", ERP, EDIT),
    ],
)
def test_each_side_is_judged_against_its_own_form(
    rule: Rule, erp: str, panel: str, target: Side | None, reason: Reason | None
) -> None:
    step = one(rule, FORMED, erp, panel)
    assert step is not None
    assert step.target is target
    if target:
        assert step.reason is reason
    else:
        assert step.forms == (erp, panel)


@pytest.mark.parametrize("rule", [BOTH, TO_PANEL])
def test_what_the_panel_does_not_show_is_as_the_base_says(rule: Rule) -> None:
    assert one(rule, "A", "A", NONE) is None
    assert one(rule, ("A", "a form"), "A", NONE) is None
    edited = one(rule, ("A", "a form"), "B", NONE)
    assert edited is not None
    assert (edited.target, edited.value, edited.seen) == (PANEL, "B", "a form")
    first = one(rule, NONE, "B", NONE)
    assert first is not None
    assert (first.target, first.value, first.seen) == (PANEL, "B", None)


def test_a_form_that_is_not_known_is_taken_to_be_the_erps() -> None:
    assert one(BOTH, ("A",), "A", NONE) is None
    assert one(TO_PANEL, ("A",), "A", "A") is None
    drift = one(TO_PANEL, ("A",), "A", "B")
    assert drift is not None
    assert drift.reason is DRIFTED


def test_a_telephone_number_is_read_by_the_country_of_its_own_side() -> None:
    rules = {"phone": BOTH, "country_code": BOTH}
    german = {"phone": "030 901820", "country_code": "DE"}
    assert not many(rules, german, german, {"phone": "+49 30 901820", "country_code": "de"})
    moved = many(rules, german, {"phone": "030 901820", "country_code": "PL"}, german)
    assert list(moved) == ["country_code"]
    shown: Values = {"phone": "030 901821", "country_code": "DE"}  # edited there; in the ERP only its country was
    travels = many(rules, german, {"phone": "030 901820", "country_code": "PL"}, shown)
    assert {name: (step.target, step.reason) for name, step in travels.items()} == {
        "phone": (ERP, EDIT),
        "country_code": (PANEL, EDIT),
    }
    abroad: Values = {"phone": "+48 501 502 503", "country_code": "DE"}
    home = many(rules, abroad, {"phone": "501502503", "country_code": "PL"}, abroad)
    assert list(home) == ["country_code"]


def test_a_side_without_a_country_is_read_by_the_one_that_is_known() -> None:
    base: Values = {"phone": "030 901820", "country_code": "DE"}
    assert not many({"phone": BOTH}, base, {"phone": "+4930901820", "country_code": "DE"}, {"phone": "030901820"})
    assert not many({"phone": BOTH}, base, {"phone": "030901820"}, {"phone": "+4930901820", "country_code": "DE"})
    assert not many({"phone": BOTH}, {"phone": "030 901820"}, {"phone": "+4930901820", "country_code": "DE"}, base)


# --- fields whose shown value cannot be compared with the written one


def province(rule: Rule, base: Any, erp: Value, panel: Value, note: Note | None = None) -> Step | None:
    return one(rule, base, erp, panel, name="province", note=note)


def test_the_province_is_written_and_what_the_panel_makes_of_it_is_not_known_yet() -> None:
    step = province(TO_PANEL, NONE, "mazowieckie", "7")
    assert step is not None
    assert (step.target, step.value, step.seen) == (PANEL, "mazowieckie", None)
    assert (step.reason, step.forms, step.unshown) == (FIRST, ("mazowieckie", None), True)


def test_a_province_that_the_erp_does_not_name_is_left_alone() -> None:
    assert province(TO_PANEL, NONE, None, "7") is None
    assert province(TO_PANEL, ("mazowieckie", "7"), None, "7") is None
    assert province(TO_PANEL, ("mazowieckie", "7"), None, "9") == Step("province", forms=(None, "9"))


def test_what_is_shown_first_after_the_write_is_noted_as_the_panels_form() -> None:
    assert province(TO_PANEL, ("mazowieckie",), "mazowieckie", "14") == Step("province", forms=("mazowieckie", "14"))
    assert province(TO_PANEL, ("mazowieckie",), "mazowieckie", NONE) is None
    assert province(TO_PANEL, ("mazowieckie",), "mazowieckie", "") is None


def test_a_noted_province_is_at_rest() -> None:
    assert province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "14") is None
    assert province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", NONE) is None


def test_equal_words_are_no_agreement_where_the_panel_has_words_of_its_own() -> None:
    step = province(TO_PANEL, NONE, "14", "14")
    assert step is not None
    assert (step.target, step.reason) == (PANEL, FIRST)


def test_another_province_later_is_told_and_carried_nowhere() -> None:
    step = province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "7")
    facts = {"erp_value": "mazowieckie", "panel_value": "7"}
    assert step == Step("province", note=Note(STANDS, "7", code="unreadable"), code="unreadable", facts=facts)
    assert province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "7", step.note) == step


def test_an_unreadable_province_that_goes_back_is_forgotten() -> None:
    note = Note(STANDS, "7", code="unreadable")
    assert province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "14", note) == Step("province")


def test_another_province_of_the_erps_ends_what_could_not_be_read() -> None:
    step = province(TO_PANEL, ("mazowieckie", "14"), "pomorskie", "7", Note(STANDS, "7", code="unreadable"))
    assert step is not None
    assert (step.target, step.value, step.seen, step.reason) == (PANEL, "pomorskie", "mazowieckie", EDIT)
    assert (step.forms, step.unshown, step.note) == (("pomorskie", None), True, None)


def test_an_emptied_province_is_corrected() -> None:
    step = province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "")
    assert step is not None
    assert (step.target, step.value, step.seen, step.reason) == (PANEL, "mazowieckie", "", DRIFTED)
    assert (step.forms, step.unshown, step.note, step.code) == (("mazowieckie", None), True, None, "")


def balance(base: Any, erp: Value, panel: Value, note: Note | None = None) -> Step | None:
    return one(TO_PANEL, base, erp, panel, name="balance", note=note)


def test_a_figure_that_is_shown_otherwise_is_noted_once_and_then_drift() -> None:
    first = balance(NONE, "120.00", "0.00")
    assert first is not None
    assert (first.target, first.unshown, first.seen) == (PANEL, True, None)
    assert balance(("120.00",), "120.00", "80.00") == Step("balance", forms=("120.00", "80.00"))
    assert balance(("120.00", "80.00"), "120", "80.0") is None
    drift = balance(("120.00", "80.00"), "120.00", "95.00")
    assert drift is not None
    assert (drift.target, drift.value, drift.seen, drift.reason) == (PANEL, "120.00", "95.00", DRIFTED)
    assert (drift.forms, drift.unshown, drift.note) == (("120.00", None), True, None)


# --- notes: drift that comes back, and what was refused


def test_a_correction_in_the_erp_is_counted_with_what_it_held() -> None:
    first = one(TO_ERP, "A", "B", "A")
    assert first is not None
    assert first.note == Note(DRIFT, "B", 1)
    second = one(TO_ERP, "A", "B", "A", note=first.note)
    assert second is not None
    assert (second.target, second.note) == (ERP, Note(DRIFT, "B", 2))


def test_after_three_corrections_the_erp_is_believed_not_to_take_the_value() -> None:
    third = one(TO_ERP, "A", "B", "A", note=Note(DRIFT, "B", CORRECTIONS - 1))
    assert third is not None
    assert (third.target, third.note) == (ERP, Note(DRIFT, "B", CORRECTIONS))
    fourth = one(TO_ERP, "A", "B", "A", note=third.note)
    code, facts = "not_taken.by_erp", {"erp_value": "B", "panel_value": "A"}
    assert fourth == Step("city", note=Note(DRIFT, "B", CORRECTIONS, code), code=code, facts=facts)
    assert one(TO_ERP, "A", "B", "A", note=fourth.note) == fourth


def test_another_value_begins_the_count_anew() -> None:
    other = one(TO_ERP, "A", "C", "A", note=Note(DRIFT, "B", CORRECTIONS))
    assert other is not None
    assert (other.target, other.note) == (ERP, Note(DRIFT, "C", 1))
    edited = one(TO_ERP, "A", "B", "A2", note=Note(DRIFT, "B", CORRECTIONS))
    assert edited is not None
    assert (edited.target, edited.reason, edited.note) == (ERP, EDIT, None)


def test_one_look_at_which_both_are_equal_forgets_the_count() -> None:
    assert one(TO_PANEL, "A", "A", "A", note=Note(DRIFT, "B", 2)) == Step("city")


@pytest.mark.parametrize("rule", [TO_PANEL, TO_ERP])
def test_a_count_is_not_forgotten_where_the_panel_was_not_asked(rule: Rule) -> None:
    note = Note(DRIFT, "B", 2)
    assert one(rule, "A", "A", "A", note=note, reading=NOT_ASKED) == Step("city", note=note)
    assert one(BOTH, "A", "A", "A", note=note, reading=NOT_ASKED) == Step(
        "city"
    )  # the policy has changed: drift is an edit
    erp, panel = ("A2", "A") if rule is TO_PANEL else ("A", "A2")
    edited = one(rule, "A", erp, panel, note=note, reading=NOT_ASKED)
    assert edited is not None
    assert (edited.reason, edited.note) == (EDIT, None)


def test_a_refused_correction_still_stands_where_the_panel_was_not_asked() -> None:
    note = Note(REFUSED, "A", code="bad_city", text="no")
    asked = one(TO_PANEL, "A", "A", "B", note=note)
    assert asked is not None
    assert (asked.target, asked.code) == (None, "bad_city")
    assert one(TO_PANEL, "A", "A", "A", note=note, reading=NOT_ASKED) == asked
    assert one(TO_PANEL, "A", "A", "A", note=note) == Step("city")


def test_a_refused_value_is_not_sent_again() -> None:
    note = Note(REFUSED, "B", code="bad_city", text="18: wrong city")
    step = one(BOTH, "A", "B", "A", note=note)
    assert step is not None
    assert (step.target, step.code, step.note, step.forms) == (None, "bad_city", note, None)
    assert (step.facts["value"], step.facts["panel"]) == ("B", "18: wrong city")


def test_a_refused_flag_is_known_again_by_its_text() -> None:
    note = Note(REFUSED, "true", code="refused")
    step = one(TO_PANEL, False, True, False, name="wholesaler", note=note)
    assert step is not None
    assert (step.target, step.code) == (None, "refused")


def test_another_value_than_the_refused_one_is_sent() -> None:
    step = one(BOTH, "A", "C", "A", note=Note(REFUSED, "B", code="bad_city"))
    assert step is not None
    assert (step.target, step.value, step.note, step.code) == (PANEL, "C", None, "")


def test_a_refused_value_that_nobody_wants_any_more_is_forgotten() -> None:
    assert one(BOTH, "A", "A", "A", note=Note(REFUSED, "B", code="bad_city")) == Step("city")


@pytest.mark.parametrize("rule", [BOTH, TO_ERP])
def test_what_the_erp_has_refused_is_not_written_there_again(rule: Rule) -> None:
    note = Note(STANDS, "B", code="refused_by_erp", text="a check of the ERP's")
    step = one(rule, "A", "A", "B", note=note)
    assert step is not None
    assert (step.target, step.code, step.facts["reason"]) == (None, "refused_by_erp", "a check of the ERP's")
    other = one(rule, "A", "A", "C", note=note)
    assert other is not None
    assert (other.target, other.note) == (ERP, None)


@pytest.mark.parametrize(
    "note", [Note(REFUSED, "B", code="bad_city"), Note(REFUSED_TOGETHER, "B", code="refused"), Note(DRIFT, "B")]
)
def test_what_the_panel_has_refused_may_still_be_written_into_the_erp(note: Note) -> None:
    step = one(BOTH, "A", "A", "B", note=note)
    assert step is not None
    assert (step.target, step.value, step.code) == (ERP, "B", "")


@pytest.mark.parametrize("code", ["not_taken", "unreadable", "too_long.in_panel"])
def test_what_stands_for_another_reason_is_written_once_the_policy_lets_it(code: str) -> None:
    step = one(BOTH, "A", "A", "B", note=Note(STANDS, "B", CORRECTIONS, code))
    assert step is not None
    assert (step.target, step.value, step.code, step.note) == (ERP, "B", "", None)


TOGETHER: Mapping[str, Note] = {
    "street": Note(REFUSED_TOGETHER, "S1", code="refused", text="no"),
    "company": Note(REFUSED_TOGETHER, "F1", code="refused", text="no"),
}
BY_ERP = {name: note._replace(kind=STANDS, code="refused_by_erp") for name, note in TOGETHER.items()}
ALL_BOTH = dict.fromkeys(("company", "street", "city"), BOTH)
BASE: Values = {"company": "F0", "street": "S0", "city": "C0"}


def test_values_that_were_refused_together_are_not_sent_again() -> None:
    found = many(ALL_BOTH, BASE, {"company": "F1", "street": "S1", "city": "C0"}, BASE, notes=TOGETHER)
    assert {name: (s.target, s.code, s.note) for name, s in found.items()} == {
        name: (None, "refused", TOGETHER[name]) for name in ("company", "street")
    }


@pytest.mark.parametrize(
    ("erp", "sent"),
    [
        ({"company": "F2", "street": "S1", "city": "C0"}, {"company", "street"}),  # one of them is another one
        ({"company": "F0", "street": "S1", "city": "C0"}, {"street"}),  # one of them is not wanted any more
        (
            {"company": "F1", "street": "S1", "city": "C1"},
            {"company", "street", "city"},
        ),  # the row was edited elsewhere
    ],
)
def test_all_are_tried_again_where_one_has_changed(erp: Values, sent: Collection[str]) -> None:
    found = many(ALL_BOTH, BASE, erp, BASE, notes=TOGETHER)
    assert {step.field for step in found.values() if step.target is PANEL} == sent
    assert not any(step.code or step.note for step in found.values())


def test_an_edit_in_the_panel_tries_nothing_again_that_the_panel_has_refused() -> None:
    shown = {**BASE, "city": "C1"}
    found = many(ALL_BOTH, BASE, {"company": "F1", "street": "S1", "city": "C0"}, shown, notes=TOGETHER)
    assert {name: step.target for name, step in found.items()} == {"company": None, "street": None, "city": ERP}


def test_what_the_erp_has_refused_together_is_tried_again_where_one_has_changed() -> None:
    shown: Values = {"company": "F1", "street": "S1", "city": "C0"}
    held = many(ALL_BOTH, BASE, BASE, shown, notes=BY_ERP)
    assert {name: step.target for name, step in held.items()} == {"company": None, "street": None}
    again = many(ALL_BOTH, BASE, BASE, {**shown, "company": "F2"}, notes=BY_ERP)
    assert {name: step.target for name, step in again.items()} == {"company": ERP, "street": ERP}
    back = many(ALL_BOTH, BASE, BASE, {**shown, "company": "F0"}, notes=BY_ERP)
    assert {name: step.target for name, step in back.items()} == {"street": ERP}
    assert not any(step.note for step in (*again.values(), *back.values()))


def test_another_edit_in_the_panel_goes_into_the_erp_without_what_was_refused_there() -> None:
    """With it the row would be refused once more, and the other edit with it."""
    found = many(ALL_BOTH, BASE, BASE, {"company": "F1", "street": "S1", "city": "C1"}, notes=BY_ERP)
    assert {name: step.target for name, step in found.items()} == {"company": None, "street": None, "city": ERP}


def test_another_edit_of_the_row_may_be_what_its_check_wants() -> None:
    shown: Values = {"company": "F1", "street": "S1", "city": "C0"}
    found = many(ALL_BOTH, BASE, {**BASE, "city": "C1"}, shown, notes=BY_ERP)
    assert {name: step.target for name, step in found.items()} == {"company": ERP, "street": ERP, "city": PANEL}


def test_a_correction_of_drift_is_no_edit_of_the_row() -> None:
    rules = {**ALL_BOTH, "city": TO_PANEL}
    erp: Values = {"company": "F1", "street": "S1", "city": "C0"}
    found = many(rules, BASE, erp, {**BASE, "city": "C2"}, notes=TOGETHER)
    assert {name: step.target for name, step in found.items()} == {"company": None, "street": None, "city": PANEL}


def test_a_change_of_what_the_erp_has_refused_tries_nothing_again_in_the_panel() -> None:
    notes = {"company": TOGETHER["company"], "street": BY_ERP["street"], "city": BY_ERP["street"]._replace(value="C1")}
    erp: Values = {"company": "F1", "street": "S0", "city": "C0"}
    found = many(ALL_BOTH, BASE, erp, {**BASE, "street": "S1", "city": "C2"}, notes=notes)
    assert {name: step.target for name, step in found.items()} == {"company": None, "street": ERP, "city": ERP}


def test_a_count_is_not_forgotten_either_where_others_are_tried_again() -> None:
    notes = {**TOGETHER, "city": Note(DRIFT, "C9", 2)}
    erp: Values = {"company": "F2", "street": "S1", "city": "C0"}
    found = many({**ALL_BOTH, "city": TO_PANEL}, BASE, erp, BASE, notes=notes, reading=NOT_ASKED)
    assert {name: step.target for name, step in found.items()} == {"company": PANEL, "street": PANEL, "city": None}
    assert found["city"].note == notes["city"]


def test_what_was_refused_by_its_name_stays_so_where_the_others_are_tried_again() -> None:
    notes = {**TOGETHER, "city": Note(REFUSED, "C1", code="bad_city")}
    found = many(ALL_BOTH, BASE, {"company": "F2", "street": "S1", "city": "C1"}, BASE, notes=notes)
    assert {name: step.target for name, step in found.items()} == {"company": PANEL, "street": PANEL, "city": None}
    assert found["city"].note == notes["city"]


def test_a_conflict_that_waits_is_known_also_where_all_is_tried_again() -> None:
    waiting = Conflict(7, "city", "C1", "C2", "C0")
    erp, shown = {"company": "F2", "street": "S1", "city": "C1"}, {**BASE, "city": "C2"}
    found = many({**ALL_BOTH, "city": HOLD}, BASE, erp, shown, notes=TOGETHER, conflicts=(waiting,))
    assert (found["city"].code, found["city"].conflict, found["company"].target) == ("conflict", None, PANEL)


# --- our own check


def test_what_the_check_refuses_is_held_at_once_and_the_base_stays() -> None:
    step = one(BOTH, "A", "A\x00", "A")
    assert step is not None
    assert (step.target, step.code, step.forms, step.conflict) == (None, "unprintable", None, None)
    held = one(BOTH, "A", "A", "A\x00")
    assert held == Step(
        "city",
        note=Note(STANDS, "A\x00", code="unprintable.in_panel"),  # what the panel shows is known without asking it
        code="unprintable.in_panel",
        facts={"value": "A?", "limit": "100"},
    )
    assert one(BOTH, "A", "A", "A\x00", note=held.note) == held


def test_other_fields_go_on_beside_a_refused_one() -> None:
    found = many({"email": BOTH, "city": BOTH}, BASE | {"email": "a@b.pl"}, BASE | {"email": "a b", "city": "C1"}, BASE)
    assert (found["email"].code, found["email"].target) == ("bad_email", None)
    assert (found["city"].code, found["city"].target) == ("", PANEL)


def test_a_correction_that_the_check_refuses_counts_as_none() -> None:
    step = one(TO_PANEL, "pl", "pl", "eng", name="language")
    assert step is not None
    assert (step.code, step.note) == ("bad_code", None)
    assert one(TO_PANEL, "pl", "pl", "eng", name="language", note=step.note) == step


def test_a_refusal_by_the_concern_counts_as_no_correction_either() -> None:
    drift = one(TO_PANEL, "A", "A", "B")
    assert drift is not None
    assert drift.held("unknown_shop", {}) == Step("city", code="unknown_shop")


def test_a_field_that_the_panel_lacks_is_left_out_and_said_so() -> None:
    step = one(TO_PANEL, False, True, NONE, name="vat_eu", lacks={"vat_eu"})
    assert step == Step("vat_eu", code="panel_lacks_field")
    assert one(TO_PANEL, True, True, NONE, name="vat_eu", lacks={"vat_eu"}) is None
    sent = one(TO_PANEL, False, True, NONE, name="vat_eu", lacks={"local_government"})
    assert sent is not None
    assert sent.target is PANEL


def test_what_goes_to_the_erp_asks_nothing_of_the_panel() -> None:
    step = one(TO_ERP, "A", "A", "B", lacks={"city"})
    assert step is not None
    assert step.target is ERP


# --- conflicts


def waits(erp: str = "B", panel: str = "C", decision: Side | None = None) -> tuple[Conflict, ...]:
    return (Conflict(7, "city", erp, panel, "A", decision),)


@pytest.mark.parametrize(("rule", "winner"), [(BOTH, ERP), (PANEL_WINS, PANEL), (HOLD, None)])
def test_a_conflict_is_written_down_with_all_three_values(rule: Rule, winner: Side | None) -> None:
    step = one(rule, "A", "B", "C")
    assert step is not None
    assert step.conflict == ConflictNote("city", "B", "C", "A", winner)


@pytest.mark.parametrize(
    "case", [(BOTH, "A", "B", "A"), (TO_PANEL, "A", "B", "C"), (TO_ERP, "A", "B", "C"), (BOTH, NONE, "A", "")]
)
def test_nothing_else_is_a_conflict(case: tuple[Rule, Any, str, str]) -> None:
    step = one(*case)
    assert step is not None
    assert step.conflict is None


def test_a_held_conflict_is_told_once() -> None:
    assert one(HOLD, "A", "B", "C", conflicts=waits()) == Step("city", code="conflict")


@pytest.mark.parametrize(("erp", "panel"), [("B2", "C"), ("B", "C2")])
def test_a_held_conflict_is_told_again_where_a_value_has_moved(erp: str, panel: str) -> None:
    step = one(HOLD, "A", erp, panel, conflicts=waits())
    assert step == Step("city", conflict=ConflictNote("city", erp, panel, "A"), code="conflict")


@pytest.mark.parametrize("rule", [HOLD, BOTH, PANEL_WINS])
@pytest.mark.parametrize(("decision", "target", "value"), [(ERP, PANEL, "B"), (PANEL, ERP, "C")])
def test_a_person_decides_whatever_the_rule_is(rule: Rule, decision: Side, target: Side, value: str) -> None:
    step = one(rule, "A", "B", "C", conflicts=waits(decision=decision))
    assert step is not None
    assert (step.target, step.value, step.reason) == (target, value, CONFLICT)
    assert (step.closes, step.winner, step.conflict) == (7, decision, None)


def test_a_person_decides_at_first_contact() -> None:
    step = one(HOLD, NONE, "B", "C", conflicts=waits(decision=PANEL))
    assert step is not None
    assert (step.target, step.reason, step.closes, step.winner) == (ERP, CONFLICT, 7, PANEL)


def test_the_rule_at_first_contact_stays_the_reason_where_its_call_is_made_again() -> None:
    """The conflict was noted with the rule's winner before a call whose reply was lost: nobody has decided it."""
    conflict = Conflict(7, "email", "a@x.pl", "b@x.pl", None, ERP)
    step = one(BOTH, NONE, "a@x.pl", "b@x.pl", name="email", conflicts=(conflict,))
    assert step is not None
    assert (step.target, step.reason, step.risky) == (PANEL, FIRST, False)
    assert (step.closes, step.winner) == (7, ERP)


def test_a_decided_conflict_that_moved_on_is_told_with_the_value_that_is_overwritten() -> None:
    step = one(HOLD, "A", "B", "edited since", conflicts=waits(decision=ERP))
    assert step is not None
    assert step.conflict == ConflictNote("city", "B", "edited since", "A", ERP)
    assert (step.target, step.value, step.closes, step.winner) == (PANEL, "B", 7, ERP)


@pytest.mark.parametrize("rule", [HOLD, BOTH, TO_PANEL, TO_ERP])
def test_becoming_equal_closes_a_conflict_by_itself(rule: Rule) -> None:
    assert one(rule, "A", "C", "C", conflicts=waits()) == Step("city", forms=("C", "C"), closes=7)
    assert one(rule, "A", "A", "A", conflicts=waits()) == Step("city", closes=7)  # as if nobody had edited anything


@pytest.mark.parametrize(
    ("erp", "panel", "target", "winner"), [("B", "A", PANEL, ERP), ("A", "C", ERP, PANEL), ("A", "", None, None)]
)
def test_a_conflict_of_which_one_side_took_its_edit_back_is_closed(
    erp: str, panel: str, target: Side | None, winner: Side | None
) -> None:
    step = one(HOLD, "A", erp, panel, conflicts=waits())
    assert step is not None
    assert (step.target, step.closes, step.winner, step.code) == (target, 7, winner, "")


def test_a_policy_that_became_one_way_closes_a_conflict() -> None:
    step = one(TO_PANEL, "A", "B", "C", conflicts=waits())
    assert step is not None
    assert (step.target, step.reason, step.closes, step.winner) == (PANEL, EDIT, 7, ERP)


def test_a_decided_conflict_whose_winner_is_refused_stays_open() -> None:
    step = one(HOLD, "A", "B", "C", conflicts=waits(decision=ERP), note=Note(REFUSED, "B", code="bad_city"))
    assert step is not None
    assert (step.target, step.code, step.closes, step.conflict) == (None, "bad_city", None, None)


def test_a_conflict_about_a_flag_is_known_again_by_its_texts() -> None:
    waiting = (Conflict(7, "wholesaler", "true", "false", None),)
    assert one(HOLD, NONE, True, False, name="wholesaler", conflicts=waiting) == Step("wholesaler", code="conflict")


# --- what the brake counts


def risky(rule: Rule, base: Any, erp: Value, panel: Value, **more: Any) -> bool:
    step = one(rule, base, erp, panel, **more)
    assert step is not None
    return step.risky


def test_what_takes_something_away_is_risky_on_either_side() -> None:
    assert risky(TO_PANEL_ERASE, "A", None, "A")
    assert risky(BOTH_ERASE, "A", "A", "")
    assert not risky(BOTH, "A", "B", "A")
    assert risky(BOTH, "a@x.pl", "b@x.pl", "a@x.pl", name="email")
    assert risky(BOTH, "a@x.pl", "a@x.pl", "b@x.pl", name="email")
    assert not risky(BOTH, "", "b@x.pl", "", name="email")


def test_first_contact_is_never_risky_and_drift_is() -> None:
    assert not risky(BOTH, NONE, "a@x.pl", "b@x.pl", name="email")
    assert not risky(ALWAYS, NONE, None, "A")
    assert risky(TO_PANEL, "a@x.pl", "a@x.pl", "b@x.pl", name="email")
    assert risky(BOTH, "a@x.pl", "b@x.pl", "c@x.pl", name="email")


def test_what_a_person_has_decided_is_not_risky() -> None:
    waiting = (Conflict(7, "email", "b@x.pl", "c@x.pl", "a@x.pl", PANEL),)
    for rule in (HOLD, BOTH):
        assert not risky(rule, "a@x.pl", "b@x.pl", "c@x.pl", name="email", conflicts=waiting)
    assert risky(PANEL_WINS, "a@x.pl", "b@x.pl", "c@x.pl", name="email", conflicts=waiting)  # the rule's, noted before


def test_the_risk_of_a_figure_shown_otherwise_is_judged_by_what_was_sent() -> None:
    step = one(TO_PANEL_ERASE, ("mazowieckie", "14"), None, "14", name="province")
    assert step is not None
    assert step.risky
    assert risky(TO_PANEL_ERASE, ("mazowieckie",), None, "", name="province")
    base = Forms({"shops": (1, 2)}, {})
    steps = merge(SHOPS, {"shops": TO_PANEL}, base=base, erp={"shops": (1,)}, panel={}, notes={}, reading=READING)
    assert [step.risky for step in steps] == [True]


# --- a call that was not answered


def written(**values: Value) -> tuple[Written, ...]:
    return tuple(Written(name, Direction.ERP_TO_PANEL, EDIT, "before", value) for name, value in values.items())


BEFORE = Forms({"city": "A", "street": "S0", "province": "mazowieckie", "vat_eu": False}, {"city": "A", "street": "S0"})


def test_what_the_panel_shows_of_an_intent_has_arrived_and_only_that() -> None:
    intent = Intent(written(city="B", street="S1", province="pomorskie"))
    shown: Values = {"city": "B ", "street": "edited since", "province": "pomorskie"}
    assert arrived(BILLING, intent, shown) == written(city="B")
    assert arrived(BILLING, intent, {}) == ()
    assert arrived(BILLING, Intent(written(city="")), {}) == ()
    assert arrived(BILLING, Intent(written(city="")), {"city": None}) == written(city="")


def test_what_has_arrived_is_agreed_on_in_the_form_in_which_it_is_shown() -> None:
    base, carried = settled(BEFORE, BILLING, Intent(written(city="B", street="S1")), {"city": " B", "street": "S0"})
    assert carried == written(city="B")
    assert base == Forms({**BEFORE.erp, "city": "B"}, {**BEFORE.panel, "city": " B"})


def test_nothing_has_arrived_where_there_was_no_base_and_nothing_is_shown() -> None:
    assert settled(None, BILLING, Intent(written(city="B")), {"city": "A"}) == (None, ())
    assert settled(None, BILLING, Intent(written(city="B")), {}) == (None, ())


def test_a_first_value_that_has_arrived_is_the_base() -> None:
    base, _ = settled(None, BILLING, Intent(written(city="B")), {"city": "B", "street": "S"})
    assert base == Forms({"city": "B"}, {"city": "B"})


@pytest.mark.parametrize(
    ("name", "sent", "erp", "shown"),
    [
        ("vat_eu", True, True, NONE),  # the panel never shows it
        ("vat_eu", True, False, NONE),  # and the ERP has taken it back meanwhile
        ("province", "pomorskie", "pomorskie", "14"),  # it is shown in other words
        ("province", "pomorskie", "mazowieckie", "14"),
        ("city", "B", "B", NONE),  # it is not shown this time
        ("city", "B", "A", NONE),
    ],
)
def test_what_may_have_arrived_or_not_is_sent_again(name: str, sent: Value, erp: Value, shown: Value) -> None:
    known = Forms({**BEFORE.erp}, {**BEFORE.panel, "vat_eu": False, "province": "7"})
    panel = {} if shown is NONE else {name: shown}
    base, carried = settled(known, BILLING, Intent(written(**{name: sent})), panel)
    assert carried == ()
    (step,) = merge(BILLING, {name: TO_PANEL}, base=base, erp={name: erp}, panel=panel, notes={}, reading=READING)
    assert (step.target, step.value) == (PANEL, erp)


@pytest.mark.parametrize("shown", ["14", ""])
@pytest.mark.parametrize("sent", ["", None])
def test_an_erasure_that_may_have_arrived_is_sent_again(sent: Value, shown: str) -> None:
    known = Forms({"province": "mazowieckie"}, {"province": "14"})
    base, _ = settled(known, BILLING, Intent(written(province=sent)), {"province": shown})
    assert base is not None
    step = province(TO_PANEL_ERASE, (base.erp["province"], base.panel["province"]), None, shown)
    assert step is not None
    assert (step.target, step.value) == (PANEL, None)


# --- texts


def test_a_message_quotes_a_value_cut_and_without_what_cannot_be_printed() -> None:
    assert quoted("a\x00b\n") == "a?b?"
    assert quoted("x" * 61) == "x" * 60 + "…"
    assert quoted("x" * 60) == "x" * 60
    assert (quoted(None), quoted(True), quoted((1, 2))) == ("", "true", "1,2")


def test_a_value_as_the_tables_show_it() -> None:
    values: list[Value] = [True, False, "A", "", None, (), (7,), (1, 2, 10)]
    assert [as_text(value) for value in values] == ["true", "false", "A", "", None, "", "7", "1,2,10"]


@pytest.mark.parametrize(
    "step",
    [
        one(HOLD, "A", "B", "C"),
        one(TO_PANEL, ("A", "B"), "A", "B", note=Note(STANDS, "B", code="not_taken")),
        one(TO_ERP, "A", None, "A", note=Note(DRIFT, "", CORRECTIONS)),
        province(TO_PANEL, ("mazowieckie", "14"), "mazowieckie", "7"),
        one(TO_PANEL, False, True, NONE, name="vat_eu", lacks={"vat_eu"}),
        one(BOTH, "A", "x" * 101, "A"),
        one(BOTH, "A", "A", "x" * 101),
        one(BOTH, "A", "A", "\ud800"),
        *(one(BOTH, "A", "B", "A", note=Note(REFUSED, "B", code=code)) for code in ("refused", "bad_city", "fault_99")),
        one(BOTH, "A", "A", "B", note=Note(STANDS, "B", code="refused_by_erp", text="a check")),
    ],
)
def test_whatever_the_merge_says_has_a_text(step: Step | None) -> None:
    assert step is not None
    told = status_of([step], "clients", codes.IN_STEP)
    assert told is not None
    assert told.state in (State.HELD, State.CONFLICT)
    assert told.field == ("" if told.code == "refused_by_erp" else step.field)  # of a whole row no field is known
    assert told.message_pl
    assert told.message_en
    assert "None" not in told.message_en
