"""The merge, case by case: each row of the table is one sentence of the rules."""

from __future__ import annotations

import pytest
from kartoteka.core.concerns import BILLING
from kartoteka.core.merge import Decision, carried, erp_differs, idle, merge, settled

from kartoteka.model import (
    Direction,
    Empty,
    Intent,
    OpenConflict,
    Reason,
    Record,
    Resolution,
    RowEdit,
    Side,
    Snapshot,
    Value,
    Written,
)
from kartoteka.policy import Rule

BOTH = Rule(Direction.BOTH)
PANEL_WINS = Rule(Direction.BOTH, Resolution.PANEL)
HOLD = Rule(Direction.BOTH, Resolution.HOLD)
ERASE = Rule(Direction.BOTH, empty=Empty.ERASE)
TO_PANEL = Rule(Direction.ERP_TO_PANEL)
TO_ERP = Rule(Direction.PANEL_TO_ERP)
ERASE_PANEL = Rule(Direction.ERP_TO_PANEL, empty=Empty.ERASE)
NEVER_AGREED = object()


def decide(base: object, erp: Value, panel: Value, rule: Rule, conflicts: tuple[OpenConflict, ...] = ()) -> Decision:
    """Merge the one field ``city``."""
    agreed = None if base is NEVER_AGREED else {"city": base}
    return merge(
        BILLING,
        {"city": rule},
        base=agreed,  # type: ignore[arg-type]
        erp={"city": erp},
        panel={"city": panel},
        open_conflicts=conflicts,
    )


CASES = [
    # rule, agreed, ERP, panel -> written to the panel, written to the ERP, reason
    ("nothing changed", BOTH, "A", "A", "A", None, None, None),
    ("a space is no change", BOTH, "A b", "A  b ", "A b", None, None, None),
    ("the ERP's edit travels", BOTH, "A", "B", "A", "B", None, Reason.EDIT),
    ("the panel's edit travels", BOTH, "A", "A", "B", None, "B", Reason.EDIT),
    ("the same edit on both sides is agreed", BOTH, "A", "B", "B", None, None, None),
    ("two edits: the ERP wins by default", BOTH, "A", "B", "C", "B", None, Reason.CONFLICT),
    ("two edits: the panel wins by policy", PANEL_WINS, "A", "B", "C", None, "C", Reason.CONFLICT),
    ("two edits: held", HOLD, "A", "B", "C", None, None, None),
    ("first contact: equal", BOTH, NEVER_AGREED, "A", "A", None, None, None),
    ("first contact: the ERP's fills", BOTH, NEVER_AGREED, "A", "", "A", None, Reason.FIRST_CONTACT),
    ("first contact: the panel's fills", BOTH, NEVER_AGREED, None, "A", None, "A", Reason.FIRST_CONTACT),
    ("first contact: different", BOTH, NEVER_AGREED, "A", "B", "A", None, Reason.FIRST_CONTACT),
    ("first contact: different, panel's policy", PANEL_WINS, NEVER_AGREED, "A", "B", None, "B", Reason.FIRST_CONTACT),
    ("first contact: different, held", HOLD, NEVER_AGREED, "A", "B", None, None, None),
    ("emptied in the ERP erases nothing", BOTH, "A", "", "A", None, None, None),
    ("emptied in the panel erases nothing", BOTH, "A", "A", None, None, None, None),
    ("the filled side goes on travelling", BOTH, "A", "", "B", None, "B", Reason.EDIT),
    ("an empty field is filled", BOTH, "", "A", "", "A", None, Reason.EDIT),
    ("erase: emptying travels to the panel", ERASE, "A", "", "A", "", None, Reason.EDIT),
    ("erase: emptying travels to the ERP", ERASE, "A", "A", "", None, "", Reason.EDIT),
    ("erase: emptied here, edited there", ERASE, "A", "", "B", "", None, Reason.CONFLICT),
    ("one-way: an edit", TO_PANEL, "A", "B", "A", "B", None, Reason.EDIT),
    ("one-way: drift is put right", TO_PANEL, "A", "A", "B", "A", None, Reason.DRIFT),
    ("one-way: first contact", TO_PANEL, NEVER_AGREED, "A", "B", "A", None, Reason.FIRST_CONTACT),
    ("one-way: an empty source is not looked after", TO_PANEL, "A", None, "B", None, None, None),
    ("one-way: erase", ERASE_PANEL, "A", None, "A", None, None, Reason.EDIT),
    ("one-way: erase, but never agreed", ERASE_PANEL, NEVER_AGREED, None, "A", None, None, None),
    ("one-way back: an edit", TO_ERP, "A", "A", "B", None, "B", Reason.EDIT),
    ("one-way back: drift of the ERP is put right", TO_ERP, "A", "B", "A", None, "A", Reason.DRIFT),
    ("off: nothing", Rule(Direction.OFF), "A", "B", "C", None, None, None),
]


@pytest.mark.parametrize(
    ("rule", "base", "erp", "panel", "to_panel", "to_erp", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_one_field(
    rule: Rule, base: object, erp: Value, panel: Value, to_panel: Value, to_erp: Value, reason: Reason | None
) -> None:
    decision = decide(base, erp, panel, rule)
    erases = reason is Reason.EDIT and erp is None and to_erp is None
    assert decision.to_panel == ({"city": to_panel} if to_panel is not None or erases else {})
    assert decision.to_erp == ({"city": RowEdit(erp, to_erp)} if to_erp is not None else {})
    assert [w.reason for w in decision.written] == ([reason] if reason else [])


@pytest.mark.parametrize("rule", [BOTH, TO_PANEL])
def test_what_the_panel_does_not_show_is_what_was_last_agreed(rule: Rule) -> None:
    def unseen(base: Record | None, erp: Value) -> Decision:
        return merge(BILLING, {"city": rule}, base=base, erp={"city": erp}, panel={})

    assert idle(unseen({"city": "A"}, "A"), {"city": "A"})
    assert unseen({"city": "A"}, "B").to_panel == {"city": "B"}
    assert unseen(None, "B").to_panel == {"city": "B"}


@pytest.mark.parametrize(("rule", "winner"), [(BOTH, Side.ERP), (PANEL_WINS, Side.PANEL), (HOLD, None)])
def test_a_conflict_is_written_down_with_all_three_values(rule: Rule, winner: Side | None) -> None:
    (note,) = decide("A", "B", "C", rule).conflicts
    assert (note.field, note.base_value, note.erp_value, note.panel_value, note.winner) == (
        "city",
        "A",
        "B",
        "C",
        winner,
    )


def test_a_held_conflict_is_told_once() -> None:
    waiting = OpenConflict(7, "city", "B", "C", "A")
    assert idle(decide("A", "B", "C", HOLD, (waiting,)), {"city": "A"})


def test_a_held_conflict_that_moved_on_is_told_again() -> None:
    waiting = OpenConflict(7, "city", "B", "C", "A")
    (note,) = decide("A", "B2", "C", HOLD, (waiting,)).conflicts
    assert note.erp_value == "B2"


@pytest.mark.parametrize(
    ("side", "to_panel", "to_erp"), [(Side.ERP, {"city": "B"}, {}), (Side.PANEL, {}, {"city": RowEdit("B", "C")})]
)
def test_a_person_decides(side: Side, to_panel: object, to_erp: object) -> None:
    decision = decide("A", "B", "C", HOLD, (OpenConflict(7, "city", "B", "C", "A", side),))
    assert (decision.to_panel, decision.to_erp, decision.closed) == (to_panel, to_erp, {7: side})
    assert [w.reason for w in decision.written] == [Reason.CONFLICT]
    assert not decision.conflicts


def test_becoming_equal_closes_a_conflict_by_itself() -> None:
    decision = decide("A", "C", "C", HOLD, (OpenConflict(7, "city", "B", "C", "A"),))
    assert (decision.closed, decision.agreed, decision.held) == ({7: None}, {"city": "C"}, ())


def test_different_fields_edited_on_both_sides_both_survive() -> None:
    decision = merge(
        BILLING,
        {"street": BOTH, "email": BOTH},
        base={"street": "Długa 1", "email": "a@b.pl"},
        erp={"street": "Krótka 2", "email": "a@b.pl"},
        panel={"street": "Długa 1", "email": "nowy@b.pl"},
    )
    assert decision.to_panel == {"street": "Krótka 2"}
    assert decision.to_erp == {"email": RowEdit("a@b.pl", "nowy@b.pl")}
    assert decision.agreed == {"street": "Krótka 2", "email": "nowy@b.pl"}


def test_leaving_one_side_alone_keeps_its_fields_as_undecided_as_before() -> None:
    base = {"street": "S0", "email": "e@0.pl"}
    decision = merge(
        BILLING,
        {"street": BOTH, "email": BOTH},
        base=base,
        erp={"street": "S1", "email": "e@0.pl"},
        panel={"street": "S0", "email": "e@1.pl"},
    )
    assert decision.without(Side.PANEL, base).agreed == {"street": "S0", "email": "e@1.pl"}
    assert decision.without(Side.ERP, base).agreed == {"street": "S1", "email": "e@0.pl"}
    assert [w.field for w in decision.without(Side.ERP, base).written] == ["street"]


def test_a_conflict_whose_loser_cannot_be_written_stays_open() -> None:
    decided = decide("A", "B", "C", HOLD, (OpenConflict(7, "city", "B", "C", "A", Side.ERP),))
    assert decided.without(Side.PANEL, {"city": "A"}).closed == {}
    assert decided.without(Side.ERP, {"city": "A"}).closed == {7: Side.ERP}


def sent(**values: str) -> tuple[Written, ...]:
    """Return writes to the panel."""
    return tuple(Written(name, Direction.ERP_TO_PANEL, Reason.EDIT, "before", v) for name, v in values.items())


def test_what_the_panel_shows_of_an_intent_was_carried_and_only_that() -> None:
    intent = Intent(sent(city="B", street="S1"))
    assert carried(BILLING, intent, {"city": "B ", "street": "edited since"}) == sent(city="B")
    assert settled({"city": "A", "street": "S0"}, sent(city="B")) == {"city": "B", "street": "S0"}


def test_an_intent_to_open_was_carried_whole_where_the_account_exists() -> None:
    intent = Intent(sent(city="B"), creating=True)
    assert carried(BILLING, intent, {"city": "edited since"}) == sent(city="B")


def test_without_an_intent_the_agreement_stands() -> None:
    assert carried(BILLING, None, {"city": "B"}) == ()
    assert settled(None, ()) is None
    assert settled({"city": "A"}, ()) == {"city": "A"}


def test_a_decided_conflict_that_moved_on_is_told_with_the_value_that_is_overwritten() -> None:
    decided = OpenConflict(7, "city", "B", "C", "A", Side.ERP)
    (note,) = decide("A", "B", "edited since", HOLD, (decided,)).conflicts
    assert (note.panel_value, note.winner) == ("edited since", Side.ERP)


@pytest.mark.parametrize(
    ("row", "agreed", "rule", "differs"),
    [
        ({"city": "A"}, {"city": "A"}, BOTH, False),
        ({"city": "B"}, {"city": "A"}, BOTH, True),
        ({"city": ""}, {"city": "A"}, BOTH, False),
        ({"city": ""}, {"city": "A"}, ERASE, True),
        ({"city": "A"}, None, BOTH, True),
        ({"city": "B"}, {"city": "A"}, Rule(Direction.OFF), False),
        ({"city": "B"}, {"city": "A"}, TO_ERP, True),
    ],
)
def test_only_a_row_that_differs_from_the_agreement_is_worth_a_look(
    row: dict[str, Value], agreed: dict[str, Value] | None, rule: Rule, differs: bool
) -> None:
    assert erp_differs(BILLING, {"city": rule}, Snapshot("C-1", row=row, agreed=agreed)) is differs
