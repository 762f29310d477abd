"""One plan: what collecting decides without asking the panel is what the worker decides who asked it.

Over random records, rules and edits: where the two part, an edit is lost or a call is wasted for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kartoteka.codes import State
from kartoteka.fields.table import ACCOUNT_FIELDS, BILLING, CREDIT, SHOPS
from kartoteka.fields.values import as_text
from kartoteka.model import Conflict, Edit, Forms, Key, Link, Record, RecordState, Side, Value, Values
from kartoteka.policy import parse
from kartoteka.ports.panel import Account
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.plan import Plan
from tests.world import World

FIELDS = ("street", "city", "nip", "phone", "province", "vat_eu", "country_code", "wholesaler")
TEXTS: tuple[Value, ...] = ("Radom", " radom ", "Łódź", "", None, "5250001233", "7792369887", "501502503")
FLAGS: tuple[Value, ...] = (True, False, None)
DIRECTIONS = ("erp_to_panel", "panel_to_erp", "both", "off")


def of_field(name: str) -> st.SearchStrategy[Value]:
    """Values that a field may have on either side."""
    if name in ("vat_eu", "wholesaler"):
        return st.sampled_from(FLAGS)
    return st.sampled_from(("PL", "DE", None)) if name == "country_code" else st.sampled_from(TEXTS)


def rows() -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({name: of_field(name) for name in FIELDS})


@st.composite
def policies(draw: st.DrawFn) -> str:
    def rule(name: str) -> dict[str, str]:
        one_way = name in ("province", "vat_eu")
        directions = ("erp_to_panel", "off") if one_way else DIRECTIONS
        found = {"direction": draw(st.sampled_from(directions)), "conflict": draw(st.sampled_from(list("eph")))}
        found["conflict"] = {"e": "erp", "p": "panel", "h": "hold"}[found["conflict"]]
        if not BILLING[name].kind.is_code and name not in ("vat_eu", "wholesaler") and draw(st.booleans()):
            found["empty"] = "erase"
        return found

    fields: dict[str, Any] = {name: rule(name) for name in FIELDS if draw(st.booleans())}
    if draw(st.booleans()):
        fields.setdefault("nip", {})["protect"] = False
    return json.dumps({"billing": {"check_tax_numbers": draw(st.booleans()), "fields": fields}})


def concern_of(policy: str, name: str = "billing") -> Concern:
    return World(parse(policy)).run().concerns[name]


def record_of(erp: Values, base: Forms | None, *, concern: str = "billing") -> Record:
    link = Link("C-1", "1", "c-1", "created")
    return Record(Key("C-1", "", concern), erp=dict(erp), link=link, state=RecordState(base=base))


class Panel:
    """What a panel makes of what it is sent: it shows the province as a number, and vat_eu not at all."""

    def __init__(self, values: Values) -> None:
        self.values: dict[str, Value] = dict(values)

    def account(self) -> Account:
        shown = {name: self._shown(name, value) for name, value in self.values.items() if ACCOUNT_FIELDS[name].read}
        return Account("1", "c-1", "C-1", shown)

    @staticmethod
    def _shown(name: str, value: Value) -> Value:
        return f"id of {value}" if name == "province" and value else value

    def take(self, sent: Values) -> None:
        self.values.update(sent)


def asked(concern: Concern, record: Record, panel: Panel) -> Plan:
    return concern.plan(record, Shown(panel.account().values, panel.account()))


def not_asked(concern: Concern, record: Record) -> Plan:
    return concern.plan(record, concern.last_shown(record))


def worked(record: Record, plan: Plan, panel: Panel) -> Record:
    """Carry a plan out on both sides; return the record as it is stored then."""
    change = plan.outcome()
    panel.take({step.field: step.value for step in plan.to_panel})
    edits: Mapping[str, Edit] = change.row.edits if change.row else {}
    erp = {**(record.erp or {}), **{name: edit.value for name, edit in edits.items()}}
    still = [c for c in record.conflicts if c.id not in change.closed]
    told = {note.field: note for note in change.conflicts}
    conflicts = [
        replace(c, erp_value=as_text(told[c.field].erp_value), panel_value=as_text(told[c.field].panel_value))
        if c.field in told
        else c
        for c in still
    ]
    known = {conflict.field for conflict in conflicts}
    conflicts += [
        Conflict(n, note.field, as_text(note.erp_value), as_text(note.panel_value), as_text(note.base_value))
        for n, note in enumerate(told.values(), 100)
        if note.winner is None and note.field not in known
    ]
    return replace(record, erp=erp, state=change.after, conflicts=tuple(conflicts))


def settled(concern: Concern, record: Record, panel: Panel) -> Record:
    """Work a record until its plan is empty; it must be soon."""
    for _ in range(8):
        plan = asked(concern, record, panel)
        if not plan:
            return record
        record = worked(record, plan, panel)
    raise AssertionError(f"does not settle: {asked(concern, record, panel)}")


@given(policy=policies(), erp=rows(), shown=rows())
def test_a_settled_record_is_quiet_for_both(policy: str, erp: Values, shown: Values) -> None:
    concern, panel = concern_of(policy), Panel(shown)
    record = settled(concern, record_of(erp, None), panel)
    assert not asked(concern, record, panel)
    assert not not_asked(concern, record)


@example(
    policy='{"billing": {"fields": {"city": {"direction": "panel_to_erp"}}}}',
    erp={**dict.fromkeys(FIELDS), "city": "Radom"},
    shown={**dict.fromkeys(FIELDS), "city": "Radom"},
    name="city",
    value="",
)
@given(policy=policies(), erp=rows(), shown=rows(), name=st.sampled_from(FIELDS), value=st.sampled_from(TEXTS + FLAGS))
def test_an_edit_in_the_erp_is_seen_by_both_or_by_neither(
    policy: str, erp: Values, shown: Values, name: str, value: Value
) -> None:
    concern, panel = concern_of(policy), Panel(shown)
    before = settled(concern, record_of(erp, None), panel)
    record = replace(before, erp={**(before.erp or {}), name: value})
    collects, works = not_asked(concern, record), asked(concern, record, panel)
    assert bool(collects) is bool(works), (collects, works)
    if before.state.base and name in before.state.base.erp:  # else what the panel shows was never looked at
        same = [[(s.field, s.target, s.value) for s in plan.steps] for plan in (collects, works)]
        assert same[0] == same[1], "the same is to be done, whoever asks"
    after = settled(concern, record, panel)
    assert not not_asked(concern, after)


@given(policy=policies(), erp=rows(), shown=rows(), edits=st.lists(st.tuples(st.sampled_from(list(Side)), rows())))
def test_whatever_both_sides_do_nothing_is_left_in_step_with_something_to_do(
    policy: str, erp: Values, shown: Values, edits: list[tuple[Side, Values]]
) -> None:
    concern, panel = concern_of(policy), Panel(shown)
    record = settled(concern, record_of(erp, None), panel)
    for side, values in edits:
        if side is Side.ERP:
            record = replace(record, erp={**(record.erp or {}), **values})
        else:
            panel.take(values)
        plan = asked(concern, record, panel)
        record = worked(record, plan, panel) if plan else record
        status = record.state.status
        if status is not None and status.state is State.IN_STEP:
            left = asked(concern, record, panel)
            assert not left.writes, (left, "in step, and yet something is to be written")
    record = settled(concern, record, panel)
    assert not not_asked(concern, record)


@given(wanted=st.sampled_from(((1,), (1, 2), (3,), ())), shown=st.sampled_from(((1,), (2,), (1, 2), ())))
def test_shops_are_quiet_too(wanted: tuple[int, ...], shown: tuple[int, ...]) -> None:
    concern, panel = concern_of("{}", "shops"), Panel(dict.fromkeys(SHOPS, shown))
    record = settled(concern, concern.by_policy(record_of({"shops": wanted}, None, concern="shops")), panel)
    assert not not_asked(concern, record)


@pytest.mark.parametrize("direction", ["erp_to_panel", "both"])
@pytest.mark.parametrize("emptied", ["", None])
def test_an_emptied_target_is_corrected_and_an_emptied_source_erases_nothing(direction: str, emptied: Value) -> None:
    concern = concern_of(json.dumps({"billing": {"fields": {"city": {"direction": direction}}}}))
    panel = Panel({"city": "Radom"})
    record = settled(concern, record_of({"city": "Radom"}, None), panel)
    panel.take({"city": emptied})
    if direction == "erp_to_panel":
        settled(concern, record, panel)
        assert panel.values["city"] == "Radom"
    else:
        assert not asked(concern, record, panel)


def test_the_credit_of_a_client_without_figures_has_nothing_to_do() -> None:
    concern = concern_of("{}", "credit")
    record = Record(Key("C-1", "", "credit"), link=Link("C-1", "1", "c-1", "created"))
    assert not not_asked(concern, record)
    assert not asked(concern, record, Panel(dict.fromkeys(CREDIT)))
