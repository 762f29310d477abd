"""The five rules by which a value is judged that the panel shows after it took ours, one by one and in their order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kartoteka.fields.table import BILLING, CREDIT
from kartoteka.model import STANDS, Forms, Note, Sent, Side, Value
from kartoteka.policy import Poll, Rule
from kartoteka.sync.merge import Step, merge, resolved
from kartoteka.sync.taken import ASKED_WITHIN, SENT_AGAIN, Reading, Verdict, judged, sending, wait
from tests.unit.test_merge import BOTH, HOLD, TO_PANEL
from tests.world import START

TAKEN, NOT_YET, DAMAGED, EDITED = Verdict
LATER = START + timedelta(minutes=1)
BEFORE = START + timedelta(seconds=2)
SENT = sending(START, ["Kraków", None, "Radom"])


def verdict(value: Value, shown: Value, *, name: str = "city", former: tuple[Value, ...] = (), **more: Any) -> Verdict:
    field = CREDIT[name] if name in CREDIT and name != "currency" else BILLING[name]
    changed_at = more.get("changed_at", LATER)
    return judged(field, value, Sent(START, former, START), shown, lambda v: field.normalise(v, {}), changed_at)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("city", "Łódź", "Łódź"),
        ("city", "Nowy  Sącz", " Nowy Sącz"),
        ("city", "ŁÓDŹ", "Łódź"),
        ("city", "Bielsko - Biała", "Bielsko-Biała"),
        ("phone", "501 502 503", "+48501502503"),
        ("zip_code", "00-950", "00950"),
        ("credit_limit", "1000", "1000.00"),
        ("province", "mazowieckie", "14"),
        ("balance", "950.00", "0.00"),
    ],
)
def test_as_sent_or_in_a_form_of_it(name: str, value: str, shown: str) -> None:
    assert verdict(value, shown, name=name) is TAKEN


@pytest.mark.parametrize(
    ("name", "value", "shown", "former"),
    [
        ("city", "Łódź", "Radom", ("Radom",)),
        ("city", "Łódź", "radom ", ("Kraków", "radom")),
        ("city", "Łódź", "", (None,)),  # a former value comes before damage
        ("city", "Łódź Górna", "Łódź", ("Łódź",)),
        ("credit_limit", "0.00", "5000.0", ("5000",)),
        ("wholesaler", True, False, (False,)),
        ("province", "mazowieckie", "12", ("12",)),
        ("balance", "0.00", "950.00", ("950.00",)),
    ],
)
def test_a_former_value_was_not_taken_yet(name: str, value: Value, shown: Value, former: tuple[Value, ...]) -> None:
    assert verdict(value, shown, name=name, former=former) is NOT_YET
    assert verdict(value, shown, name=name, former=former, changed_at=BEFORE) is NOT_YET


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("company", "Bardzo długa nazwa", "Bardzo dłu"),
        ("company", "Żółw & Syn", "Żółw &amp; Syn"),
        ("city", "Łódź", ""),
        ("language", "eng", ""),
        ("zip_code", "01067", "1067"),
        ("email", "a'b@x.pl", "ab@x.pl"),
    ],
)
def test_a_damaged_form(name: str, value: str, shown: str) -> None:
    assert verdict(value, shown, name=name) is DAMAGED


@pytest.mark.parametrize(
    ("changed_at", "expected"),
    [(START - timedelta(days=1), DAMAGED), (BEFORE, DAMAGED), (BEFORE + timedelta(seconds=1), EDITED), (None, EDITED)],
)
@pytest.mark.parametrize(("name", "value", "shown"), [("city", "Łódź", "Opole"), ("language", "eng", "ger")])
def test_anything_else_is_an_edit_if_the_record_was_changed_since(
    name: str, value: str, shown: str, changed_at: Any, expected: Verdict
) -> None:
    assert verdict(value, shown, name=name, changed_at=changed_at) is expected


def merged(rule: Rule, erp: Value, panel: Value, sent: Sent, reading: Reading) -> tuple[Step | None, Forms]:
    """Merge the city, of which Łódź was sent, and return its step and the base that follows."""
    base, rows, shown = Forms({"city": "Łódź"}, {}, {"city": sent}), {"city": erp}, {"city": panel}
    steps = merge(BILLING, {"city": rule}, base=base, erp=rows, panel=shown, notes={}, reading=reading)
    found = resolved(BILLING, base, rows, shown, reading)
    assert found is not None
    return (steps[0] if steps else None), found


@pytest.mark.parametrize("rule", [BOTH, TO_PANEL])
def test_what_was_taken_is_the_base(rule: Rule) -> None:
    step, base = merged(rule, "Łódź", "ŁÓDŹ", SENT, Reading(LATER))
    assert (step.forms if step else None) in (None, ("Łódź", "ŁÓDŹ"))
    assert base == Forms({"city": "Łódź"}, {"city": "ŁÓDŹ"}, {})


@pytest.mark.parametrize("apart", [Poll().shortest, timedelta(minutes=2), timedelta(seconds=10)])
@pytest.mark.parametrize("rule", [BOTH, TO_PANEL])
def test_a_former_value_is_asked_for_twice_then_sent_again_three_times_then_held(rule: Rule, apart: timedelta) -> None:
    sent, now, writes = SENT, LATER, 0

    def at(now: Any) -> Reading:
        return Reading(now, apart=apart)

    for _ in range(SENT_AGAIN + 1):
        step, base = merged(rule, "Łódź", "Radom", sent, at(now))
        assert step is None
        assert base.sent["city"].seen
        early = merged(rule, "Łódź", "Radom", base.sent["city"], at(now + apart - timedelta(seconds=1)))
        assert early == (None, base), "the second reading comes too soon"
        now += apart
        step, base = merged(rule, "Łódź", "Radom", base.sent["city"], at(now))
        assert step
        if step.target is None:
            break
        assert (step.target, step.value, step.seen) == (Side.PANEL, "Łódź", "Radom")
        assert step.sent
        assert step.sent.former == SENT.former
        sent, writes, now = step.sent, writes + 1, now + timedelta(minutes=1)
    assert writes == SENT_AGAIN
    assert (step.code, step.forms) == ("not_taken", ("Łódź", "Radom"))
    assert step.note == Note(STANDS, "Radom", code="not_taken")


@pytest.mark.parametrize("rule", [BOTH, TO_PANEL])
def test_a_damaged_form_is_noted_and_held(rule: Rule) -> None:
    step, base = merged(rule, "Łódź", "Łód", SENT, Reading(LATER, changed_at=LATER))
    assert step
    assert (step.target, step.code, step.forms) == (None, "not_taken", ("Łódź", "Łód"))
    assert step.facts == {"erp_value": "Łódź", "panel_value": "Łód"}
    assert base == Forms({"city": "Łódź"}, {"city": "Łód"}, {})


def test_what_is_held_stays_held_until_either_side_is_edited() -> None:
    note, base = Note(STANDS, "Łód", code="not_taken"), Forms({"city": "Łódź"}, {"city": "Łód"})

    def step(erp: str, panel: str, *, asked: bool = True) -> Step | None:
        shown = {"city": panel}
        notes, reading = {"city": note}, Reading(LATER, asked)
        found = merge(BILLING, {"city": BOTH}, base=base, erp={"city": erp}, panel=shown, notes=notes, reading=reading)
        return found[0] if found else None

    for asked in (True, False):
        held = step("Łódź", "Łód", asked=asked)
        assert held
        assert (held.code, held.note, held.target) == ("not_taken", note, None)
    assert step("Łódź", "Łódź") == Step("city", forms=("Łódź", "Łódź"))
    edited, corrected = step("Łódź", "Opole"), step("Opole", "Łód")
    assert edited
    assert (edited.target, edited.value) == (Side.ERP, "Opole")
    assert corrected
    assert (corrected.target, corrected.value) == (Side.PANEL, "Opole")


def test_an_edit_made_since_travels_or_is_corrected() -> None:
    reading = Reading(LATER, changed_at=LATER)
    step, base = merged(BOTH, "Łódź", "Opole", SENT, reading)
    assert step
    assert (step.target, step.value, base.panel["city"]) == (Side.ERP, "Opole", "Łódź")
    step, _ = merged(TO_PANEL, "Łódź", "Opole", SENT, reading)
    assert step
    assert (step.target, step.value, step.seen) == (Side.PANEL, "Łódź", "Opole")
    step, base = merged(HOLD, "Gdynia", "Opole", SENT, reading)
    assert step
    assert (step.code, base.sent) == ("conflict", {}), "it is not waited for any more"


def test_a_newer_value_of_the_erp_goes_on_and_older_ones_of_ours_are_remembered() -> None:
    step, _ = merged(BOTH, "Gdynia", "Radom", SENT, Reading(LATER))
    assert step
    assert (step.target, step.value) == (Side.PANEL, "Gdynia")
    assert step.sent
    assert {"Łódź", "Radom", "Kraków"} <= set(step.sent.former)
    lost = Reading(LATER, lost={"city": "Sopot"})
    step, _ = merged(BOTH, "Gdynia", "Radom", SENT, lost)
    assert step
    assert step.sent
    assert "Sopot" in step.sent.former, "a call that was never answered may arrive late"


def test_what_both_have_is_not_agreed_on_while_what_was_sent_may_follow() -> None:
    step, _ = merged(BOTH, "Radom", "Radom", SENT, Reading(LATER))
    assert step
    assert (step.target, step.value) == (Side.PANEL, "Radom")


def test_where_the_panel_was_not_asked_it_is_waited_for() -> None:
    for erp in ("Łódź", "Gdynia"):
        step, base = merged(BOTH, erp, None, SENT, Reading(LATER, asked=False))
        assert base.sent == {"city": SENT}
        assert (step.value if step else None) == (None if erp == "Łódź" else "Gdynia")


def test_what_the_panel_never_shows_is_as_it_was_sent() -> None:
    base = Forms({"city": "Łódź"}, {}, {"city": SENT})
    assert resolved(BILLING, base, {"city": "Łódź"}, {}, Reading(LATER)) == Forms(
        {"city": "Łódź"}, {"city": "Łódź"}, {}
    )


def test_it_is_asked_for_within_ten_minutes_and_together_with_others() -> None:
    moments = [START + timedelta(seconds=n) for n in range(0, 7200, 7)]
    asked = [sending(moment, []).ask_at for moment in moments]
    assert all(timedelta(minutes=4) <= at - moment <= ASKED_WITHIN for at, moment in zip(asked, moments, strict=True))
    assert len(set(asked)) <= 2 * 12 + 2
    deferral = wait(Forms({"city": "A", "street": "B"}, {}, {"city": SENT, "street": sending(LATER, [])}))
    assert deferral
    assert (deferral.due_at, deferral.code) == (SENT.ask_at, "unconfirmed")
    assert wait(Forms({}, {})) is None
