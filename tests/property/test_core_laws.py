"""Laws of the core: round trips of codecs, idempotence of normalisers, and what no merge may ever do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kartoteka.fields.table import BILLING, Field
from kartoteka.model import Direction, Empty, Resolution, Side, Value, Values
from kartoteka.policy import Rule
from kartoteka.ports.exchange import LogEntry
from kartoteka.sync.cursor import LogCursor
from kartoteka.sync.merge import idle, merge

fields = st.sampled_from(list(BILLING.values()))
texts = st.text(max_size=30) | st.sampled_from(["PL 525-000-12-32", "+48 501 502 503", "00-950", "a@b.pl", "0", "yes"])
values = st.none() | texts | st.booleans()
countries = st.sampled_from(["PL", "pl", "DE", "GR", "", None])

SENDABLE: dict[str, st.SearchStrategy[Value]] = {
    "email": st.emails(),
    "country_code": st.sampled_from(["PL", "de"]),
    "language": st.sampled_from(["pol", "ENG"]),
    "currency": st.sampled_from(["PLN", "eur"]),
    "client_type": st.sampled_from(["person", "person_male", "person_female", "firm"]),
    "wholesaler": st.booleans(),
}
plain = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), max_size=40)
SHOWN = {"person": "private", "person_male": "male", "person_female": "female"}


def shown_by_panel(field: Field, written: object) -> object:
    """Return a written value in the words in which the panel shows it."""
    if isinstance(written, bool):
        return "yes" if written else "no"
    if field.name == "country_code":
        return str(written).lower()
    return SHOWN.get(str(written), written)


@given(st.data(), fields)
def test_a_value_comes_back_from_the_panel_as_it_was_sent(data: st.DataObject, field: Field) -> None:
    value = data.draw(SENDABLE.get(field.name, plain))
    back = field.codec.from_panel(shown_by_panel(field, field.codec.to_panel(value)))
    record: Values = {"country_code": "PL"}
    assert field.normalise(back, record) == field.normalise(value, record)


@given(fields, values, countries)
def test_normalising_twice_is_normalising_once(field: Field, value: Value, country: str | None) -> None:
    record: Values = {"country_code": country}
    once = field.normalise(value, record)
    assert field.normalise(once, record) == once


@given(st.sampled_from([None, "", [], 0, 1, "y", "n", "yes", {}, "0000-00-00", 3.5]) | texts, fields)
def test_whatever_the_panel_shows_can_be_read(shown: object, field: Field) -> None:
    assert isinstance(field.codec.from_panel(shown), str | bool | None)


few = st.sampled_from([None, "", "A", "a ", "B", "C"])
rule = st.builds(
    Rule, st.sampled_from(list(Direction)), st.sampled_from(list(Resolution)), st.sampled_from(list(Empty))
)
NAMES = ("city", "street", "company")
three_rules = st.fixed_dictionaries(dict.fromkeys(NAMES, rule))
record = st.fixed_dictionaries(dict.fromkeys(NAMES, few))
bases = st.none() | st.dictionaries(st.sampled_from(NAMES), few)


def norm(value: Value) -> str:
    """Return a value as these fields compare it."""
    return " ".join(str(value or "").split())


def carried_out(side: Values, writes: Values) -> dict[str, Value]:
    """Return a side after these fields were written to it."""
    return {**side, **writes}


@given(three_rules, bases, record, record)
def test_a_merge_that_was_carried_out_leaves_nothing_to_do(
    rules: dict[str, Rule], base: Values | None, erp: Values, panel: Values
) -> None:
    first = merge(BILLING, rules, base=base, erp=erp, panel=panel)
    erp = carried_out(erp, {name: edit.value for name, edit in first.to_erp.items()})
    panel = carried_out(panel, first.to_panel)
    second = merge(BILLING, rules, base=first.agreed, erp=erp, panel=panel)
    open_again = {note.field for note in second.conflicts} - set(first.held)
    assert not second.to_panel
    assert not second.to_erp
    assert not open_again


@given(three_rules, bases, record, record)
def test_no_value_is_overwritten_silently(
    rules: dict[str, Rule], base: Values | None, erp: Values, panel: Values
) -> None:
    decision = merge(BILLING, rules, base=base, erp=erp, panel=panel)
    told = {note.field for note in decision.conflicts}
    for name in NAMES:
        if rules[name].direction is not Direction.BOTH or name in told:
            continue
        agreed = norm((base or {}).get(name))
        if name in decision.to_panel and norm(panel[name]):
            assert norm(panel[name]) == agreed
        if name in decision.to_erp and norm(erp[name]):
            assert norm(erp[name]) == agreed


@given(three_rules, bases, record, record)
def test_a_one_way_field_is_never_written_at_its_source(
    rules: dict[str, Rule], base: Values | None, erp: Values, panel: Values
) -> None:
    decision = merge(BILLING, rules, base=base, erp=erp, panel=panel)
    for name in NAMES:
        direction = rules[name].direction
        assert not (name in decision.to_erp and direction in (Direction.ERP_TO_PANEL, Direction.OFF))
        assert not (name in decision.to_panel and direction in (Direction.PANEL_TO_ERP, Direction.OFF))


@given(three_rules, bases, record, record)
def test_nothing_is_erased_unless_the_policy_says_so(
    rules: dict[str, Rule], base: Values | None, erp: Values, panel: Values
) -> None:
    decision = merge(BILLING, rules, base=base, erp=erp, panel=panel)
    for name in NAMES:
        if rules[name].empty is Empty.KEEP:
            assert name not in decision.to_panel or norm(decision.to_panel[name])
            assert name not in decision.to_erp or norm(decision.to_erp[name].value)


@given(three_rules, bases, record, record, st.sampled_from(Side))
def test_leaving_one_side_alone_can_be_made_up_for_later(
    rules: dict[str, Rule], base: Values | None, erp: Values, panel: Values, side: Side
) -> None:
    whole = merge(BILLING, rules, base=base, erp=erp, panel=panel)
    part = whole.without(side, base)
    erp_half = carried_out(erp, {name: edit.value for name, edit in part.to_erp.items()})
    panel_half = carried_out(panel, part.to_panel)
    rest = merge(BILLING, rules, base=part.agreed, erp=erp_half, panel=panel_half)
    assert carried_out(panel_half, rest.to_panel) == carried_out(panel, whole.to_panel)
    assert {**erp_half, **{n: e.value for n, e in rest.to_erp.items()}} == {
        **erp,
        **{n: e.value for n, e in whole.to_erp.items()},
    }


@given(three_rules, record, record)
def test_an_idle_merge_asks_for_nothing(rules: dict[str, Rule], base: Values, side: Values) -> None:
    decision = merge(BILLING, rules, base=base, erp=side, panel=side)
    assert not decision.to_panel
    assert not decision.to_erp
    again = merge(BILLING, rules, base=decision.agreed, erp=side, panel=side)
    assert idle(again, decision.agreed)


@given(st.lists(st.integers(1, 40), unique=True), st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_every_log_row_is_read_in_whatever_order_rows_become_visible(order: list[int], steps: list[int]) -> None:
    from datetime import UTC, datetime, timedelta

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
        cursor = cursor.advance([LogEntry(n, "clients", "C", "C", "U", own=False) for n in asked], now, hour)
    assert read == set(order)
