"""A refusal is the field's where it names one: the others travel, in both directions, and when an account is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kartoteka.codes import CODES, State, Status
from kartoteka.errors import Reject, Retry
from kartoteka.model import Change, Conflict, ConflictNote, Key, Owner, Record, RecordState, Side, Value
from kartoteka.policy import parse
from kartoteka.ports.exchange import Saved
from kartoteka.sync import reconcile, retry
from kartoteka.sync.reconcile import figures
from tests.helpers import left_undone, linked, puts
from tests.world import CLIENT, World

UNPROTECTED = '{"billing": {"check_tax_numbers": false, "fields": {"nip": {"protect": false}}}}'
IN_STEP, HELD, PENDING = State.IN_STEP, State.HELD, State.PENDING


def told(world: World, concern: str = "billing", item_id: str = "") -> tuple[State, str, str]:
    status = world.exchange.status("C-0", concern, item_id)
    assert status
    return status.state, status.code, status.field


def said(world: World, concern: str = "billing", item_id: str = "") -> str:
    status = world.exchange.status("C-0", concern, item_id)
    assert status
    return status.message_en


def shown(world: World, name: str) -> Value:
    return world.panel.accounts["1"].values[name]


def row(world: World, name: str) -> object:
    return world.exchange.clients["C-0"][name]


def posts(world: World) -> int:
    return world.panel.calls().get("POST clients/clients", 0)


def quiet(world: World, concern: str = "billing") -> None:
    """Nothing is left to be done, and nothing is sent any more."""
    before = puts(world), posts(world)
    world.tick()
    assert not left_undone(world, concern) | left_undone(world, concern, asked=True)
    assert (puts(world), posts(world)) == before


# --- the panel refuses


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("phone", "501 502 503 wew. 7", "bad_phone"),
        ("company", "Zła", "no_company"),
        ("email", "jan@nowak.invalid", "bad_email.by_panel"),
        ("zip_code", "99-999", "bad_postcode"),
    ],
)
def test_one_refused_field_is_held_and_the_others_travel_in_the_same_run(name: str, value: str, code: str) -> None:
    world = linked()
    world.panel.refuse_value(name, value, code)
    world.exchange.update_client("C-0", **{name: value, "first_name": "Anna", "last_name": "Nowak"})
    world.tick()
    assert (shown(world, "first_name"), shown(world, "last_name")) == ("Anna", "Nowak")
    assert told(world) == (HELD, CODES[code].code, name)
    assert shown(world, name) != value
    assert puts(world) == 2
    quiet(world)


def test_all_wrong_fields_are_named_at_once() -> None:
    world = linked()
    world.panel.refuse_value("phone", "wew. 7", "bad_phone")
    world.panel.refuse_value("email", "a@b.invalid", "bad_email.by_panel")
    world.exchange.update_client("C-0", phone="wew. 7", email="a@b.invalid", first_name="Anna")
    world.tick()
    assert (told(world), puts(world), shown(world, "first_name")) == ((HELD, "bad_email", "email"), 2, "Anna")
    assert "e-mail" in said(world)
    assert "telephone" in said(world)
    quiet(world)


def test_a_panel_that_tells_one_fault_at_a_time_is_asked_until_the_rest_is_taken() -> None:
    world = linked()
    world.panel.tells_one_fault = True
    for name, code in (("phone", "bad_phone"), ("email", "bad_email.by_panel"), ("company", "no_company")):
        world.panel.refuse_value(name, "xx@xx.pl", code)
    world.exchange.update_client("C-0", phone="xx@xx.pl", email="xx@xx.pl", company="xx@xx.pl", first_name="Anna")
    world.tick()
    assert (puts(world), shown(world, "first_name")) == (4, "Anna")
    assert told(world)[0] is HELD
    quiet(world)


def test_fields_that_mean_something_only_together_are_held_together() -> None:
    world = linked()
    world.panel.refuse_value("zip_code", "99-999", "bad_postcode")
    world.exchange.update_client("C-0", zip_code="99-999", street="Krótka 2", email="nowy@firma.pl")
    world.tick()
    assert (shown(world, "street"), shown(world, "email")) == ("Długa 1", "nowy@firma.pl")
    world.exchange.update_client("C-0", zip_code="00-951")
    world.tick()
    assert (shown(world, "street"), shown(world, "zip_code")) == ("Krótka 2", "00-951")
    assert told(world)[0] is IN_STEP


def test_a_refused_field_is_tried_again_when_it_changes_and_not_when_another_does() -> None:
    world = linked()
    world.panel.refuse_value("phone", "wew. 7", "bad_phone")
    world.exchange.update_client("C-0", phone="wew. 7")
    world.tick()
    world.exchange.update_client("C-0", first_name="Anna")
    world.tick()
    assert (puts(world), told(world)) == (2, (HELD, "bad_phone", "phone"))
    world.exchange.update_client("C-0", phone="601602603")
    world.tick()
    assert (shown(world, "phone"), told(world)) == ("601602603", (IN_STEP, "", ""))


@pytest.mark.parametrize(("name", "code"), [("phone", "bad_phone"), ("nip", "bad_vat"), ("zip_code", "bad_postcode")])
def test_what_is_judged_by_the_country_is_tried_again_in_another_one(name: str, code: str) -> None:
    world = linked(policy=UNPROTECTED)
    world.panel.refuse_value(name, "12345678", code, country="PL")
    world.exchange.update_client("C-0", **{name: "12345678"})
    world.tick()
    assert told(world) == (HELD, code, name)
    world.exchange.update_client("C-0", country_code="DE")
    world.tick()
    assert (shown(world, name), shown(world, "country_code")) == ("12345678", "DE")
    assert told(world)[0] is IN_STEP


def test_an_email_is_not_judged_by_the_country() -> None:
    world = linked()
    world.panel.refuse_value("email", "a@b.invalid", "bad_email.by_panel")
    world.exchange.update_client("C-0", email="a@b.invalid")
    world.tick()
    world.exchange.update_client("C-0", country_code="DE")
    world.tick()
    assert (puts(world), told(world)) == (2, (HELD, "bad_email", "email"))


def test_contents_that_were_not_even_sent_are_held_at_once_until_the_row_changes() -> None:
    world = linked()
    world.panel.refuse("C-0", Reject("bad_postcode", field="zip_code", panel="zły kod"))
    world.exchange.update_client("C-0", first_name="Anna")
    world.tick()
    assert told(world)[:2] == (HELD, "bad_postcode")
    quiet(world)
    world.panel.accept("C-0")
    world.exchange.update_client("C-0", last_name="Nowak")
    world.tick()
    assert (shown(world, "first_name"), told(world)[0]) == ("Anna", IN_STEP)


# --- our own check, and the other direction


@pytest.mark.parametrize("bad", [{"company": "x" * 301}, {"phone": "1" * 151}, {"last_name": "x" * 101}])
def test_a_value_of_the_panel_that_is_too_long_keeps_no_other_out(bad: dict[str, Value]) -> None:
    world = linked()
    world.panel.edit("1", **bad, street="Krótka 2")
    world.tick()
    (name,) = bad
    assert (row(world, "street"), told(world)) == ("Krótka 2", (HELD, "too_long", name))
    quiet(world)


@pytest.mark.parametrize("bad", [{"phone": "x" * 151}, {"email": "a, b"}, {"first_name": "A\x07"}])
def test_a_value_of_the_erp_that_our_check_refuses_keeps_no_other_out(bad: dict[str, Value]) -> None:
    world = linked()
    world.exchange.update_client("C-0", **bad, street="Krótka 2")
    world.tick()
    (name,) = bad
    assert (shown(world, "street"), told(world)[0], told(world)[2], puts(world)) == ("Krótka 2", HELD, name, 1)
    quiet(world)


@pytest.mark.parametrize(("name", "value"), [("phone", "601"), ("email", "z@z.pl"), ("first_name", "Żółć")])
def test_a_column_that_the_erps_database_refuses_is_held_and_the_others_are_written(name: str, value: str) -> None:
    world = linked()
    world.exchange.refuse_value(name, value, "violates check constraint")
    world.panel.edit("1", **{name: value, "street": "Krótka 2"})
    world.exchange.update_client("C-0", last_name="Nowak")
    world.tick()
    assert (row(world, "street"), shown(world, "last_name")) == ("Krótka 2", "Nowak")
    assert row(world, name) != value
    assert told(world) == (HELD, "refused_by_erp", name)
    assert "check constraint" in said(world)
    assert [h.field for h in world.exchange.history if h.direction == "panel_to_erp"] == ["street"]
    quiet(world)
    world.panel.edit("1", **{name: CLIENT.get(name)})
    world.tick()
    assert told(world)[0] is IN_STEP


def test_columns_that_the_erp_refuses_hold_what_belongs_to_them() -> None:
    world = linked()
    world.exchange.refuse_value("zip_code", "99-999")
    world.panel.edit("1", zip_code="99-999", street="Krótka 2", email="nowy@firma.pl")
    world.tick()
    assert (row(world, "street"), row(world, "email")) == ("Długa 1", "nowy@firma.pl")
    quiet(world)


def test_a_row_that_is_refused_whatever_is_written_is_tried_like_before() -> None:
    world = linked()
    world.exchange.refuse("C-0", "closed")
    world.panel.edit("1", phone="601", street="Krótka 2")
    world.tick()
    assert told(world)[:2] == (PENDING, "refused_by_erp")
    world.exchange.refuse("C-0", None)
    world.tick()
    assert (row(world, "street"), told(world)[0]) == ("Krótka 2", IN_STEP)


def test_a_row_of_the_panels_address_is_made_without_the_column_that_is_refused() -> None:
    world = linked()
    world.exchange.refuse_value("phone", "wew. 7", "no")
    whole = {"first_name": "Anna", "last_name": "Nowak", "street": "Długa 1", "zip_code": "00-950", "city": "Łódź"}
    number = world.panel.add_address("1", **whole, phone="wew. 7")
    world.rotate()
    world.tick()
    made = world.exchange.addresses[f"panel-{number}"]
    assert (made["street"], made["phone"]) == ("Długa 1", None)
    assert told(world, "delivery_addresses", f"panel-{number}") == (HELD, "refused_by_erp", "phone")
    assert not left_undone(world, "delivery_addresses") | left_undone(world, "delivery_addresses", asked=True)


def test_an_address_is_made_in_the_panel_without_a_field_that_our_check_refuses() -> None:
    world = linked()
    whole: dict[str, Value] = {"first_name": "Anna", "last_name": "Nowak", "street": "Długa 1"}
    whole |= {"zip_code": "00-950", "city": "Łódź"}
    world.exchange.insert_address("A-1", "C-0", **whole, phone="6\x07")
    world.exchange.insert_address("A-2", "C-0", **{**whole, "street": "D\x07"})
    world.tick()
    world.tick()
    assert [a.values["street"] for a in world.panel.addresses(["1"])["1"]] == ["Długa 1"]
    assert told(world, "delivery_addresses", "A-1") == (HELD, "unprintable", "phone")
    assert told(world, "delivery_addresses", "A-2") == (HELD, "unprintable", "street")
    assert not left_undone(world, "delivery_addresses") | left_undone(world, "delivery_addresses", asked=True)
    world.exchange.update_address("A-1", phone="601602603")
    world.tick()
    assert told(world, "delivery_addresses", "A-1")[1] == "unconfirmed"


# --- an account is opened


def unopened(**values: Value) -> World:
    world = World()
    world.exchange.insert_client("C-0", **{**CLIENT, **values})
    return world


@pytest.mark.parametrize(
    ("name", "value"), [("phone", "x" * 151), ("language", "polski"), ("currency", "zł"), ("first_name", "A\x07")]
)
def test_a_client_is_opened_without_a_field_that_opening_does_not_need(name: str, value: str) -> None:
    world = unopened(**{name: value})
    world.tick()
    assert posts(world) == 1
    assert told(world, "accounts")[0] is IN_STEP
    assert (told(world)[0], told(world)[2]) == (HELD, name)
    quiet(world)


def test_a_field_that_the_panel_refuses_at_opening_is_left_out_and_costs_one_call_more() -> None:
    world = unopened(phone="501 502 503 wew. 7")
    world.panel.refuse_value("phone", "501 502 503 wew. 7", "bad_phone")
    world.tick()
    assert (posts(world), puts(world)) == (2, 0)
    assert told(world, "accounts")[0] is IN_STEP
    assert told(world) == (HELD, "bad_phone", "phone")
    quiet(world)
    world.exchange.update_client("C-0", phone="501502503")
    world.tick()
    assert (shown(world, "phone"), told(world)[0]) == ("501502503", IN_STEP)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("email", "a@b.invalid", "bad_email.by_panel"),
        ("zip_code", "99-999", "bad_postcode"),
        ("nip", "5260001246", "bad_vat"),
        ("country_code", "QQ", "bad_country.by_panel"),
        ("company", "?", "no_company"),
    ],
)
def test_what_opening_needs_is_held_at_once_by_its_name_and_not_tried_again(name: str, value: str, code: str) -> None:
    world = unopened(**{name: value})
    world.panel.refuse_value(name, value, code)
    world.tick()
    assert told(world, "accounts") == (HELD, CODES[code].code, name)
    assert posts(world) == 1
    world.exchange.update_client("C-0", phone="601602603")
    quiet(world, "accounts")
    world.exchange.update_client("C-0", **{name: CLIENT[name]})
    world.tick()
    assert told(world, "accounts")[0] is IN_STEP


def test_a_person_is_opened_without_a_refused_tax_number() -> None:
    world = unopened(client_type="person", first_name="Anna", last_name="Nowak", company=None, nip="5260001246")
    world.panel.refuse_value("nip", "5260001246", "bad_vat")
    world.tick()
    assert (told(world, "accounts")[0], told(world)) == (IN_STEP, (HELD, "bad_vat", "nip"))


def test_all_that_is_wrong_with_an_opening_is_named_at_once() -> None:
    world = unopened(zip_code="99-999", email="a@b.invalid", phone="wew. 7")
    for name, value, code in (
        ("zip_code", "99-999", "bad_postcode"),
        ("email", "a@b.invalid", "bad_email.by_panel"),
        ("phone", "wew. 7", "bad_phone"),
    ):
        world.panel.refuse_value(name, value, code)
    world.tick()
    assert (told(world, "accounts")[0], posts(world)) == (HELD, 1)
    assert all(word in said(world, "accounts") for word in ("postcode", "e-mail", "telephone"))
    quiet(world, "accounts")
    world.exchange.update_client("C-0", zip_code="00-950", email="a@b.pl")
    world.tick()
    assert (told(world, "accounts")[0], told(world)) == (IN_STEP, (HELD, "bad_phone", "phone"))
    assert posts(world) == 2


def test_a_refused_tax_number_is_tried_again_in_another_country() -> None:
    world = unopened(nip="12345678")
    world.policy = parse(UNPROTECTED)
    world.panel.refuse_value("nip", "12345678", "bad_vat", country="PL")
    world.tick()
    assert told(world, "accounts") == (HELD, "bad_vat", "nip")
    world.exchange.update_client("C-0", country_code="DE")
    world.tick()
    assert told(world, "accounts")[0] is IN_STEP


def test_retry_tries_a_refused_opening_again() -> None:
    world = unopened()
    world.panel.refuse_value("email", CLIENT["email"], "bad_email.by_panel")
    world.tick()
    assert told(world, "accounts") == (HELD, "bad_email", "email")
    world.panel.accept_values()
    world.exchange.decide_status("C-0", "accounts", "retry")
    world.tick()
    assert told(world, "accounts")[0] is IN_STEP


# --- what the panel fails over


def edited(number: int, *, attempts: int = 8) -> World:
    world = linked(number, policy=f'{{"retry": {{"max_attempts": {attempts}}}}}')
    for n in range(number):
        world.exchange.update_client(f"C-{n}", first_name="Anna")
    return world


def states(world: World) -> dict[str, tuple[State, str]]:
    found = {n: world.exchange.status(n, "billing") for n in world.exchange.clients}
    return {n: (s.state, s.code) for n, s in found.items() if s}


@pytest.mark.parametrize("code", ["panel_5xx", "timeout"])
def test_a_record_over_which_the_panel_fails_is_found_and_held_and_its_neighbours_go_on(code: str) -> None:
    world = edited(30, attempts=2)
    world.panel.fail_over("C-7", code)
    for n in range(9):
        world.exchange.update_client("C-1", last_name=f"Nowak {n}")
        world.tick()
    assert {n for n, state in states(world).items() if state != (IN_STEP, "")} == {"C-7"}
    assert states(world)["C-7"] == (HELD, code)
    before = puts(world)
    world.tick()
    assert puts(world) == before


@pytest.mark.fault(17)
def test_an_outage_counts_no_attempt_and_costs_few_calls() -> None:
    world = edited(30, attempts=2)
    for n in range(30):
        world.panel.fail_over(f"C-{n}")
    for _ in range(9):
        world.tick()
    assert set(states(world).values()) == {(PENDING, "panel_5xx")}
    assert {d.attempts for d in world.exchange.deferrals.values()} == {0}
    assert puts(world) <= 9 * 2 * 2


def test_a_single_record_in_an_outage_is_not_blamed() -> None:
    world = linked(1, policy='{"retry": {"max_attempts": 1}}')
    world.panel.fail_over("C-0")
    world.exchange.update_client("C-0", first_name="Anna")
    for _ in range(9):
        world.tick()
    assert states(world)["C-0"] == (PENDING, "panel_5xx")


def test_a_record_that_was_blamed_is_sent_once_the_panel_is_well_and_the_row_changes() -> None:
    world = edited(5, attempts=1)
    world.panel.fail_over("C-1")
    for _ in range(9):
        world.tick()
    assert states(world)["C-1"] == (HELD, "panel_5xx")
    world.panel.recover_from("C-1")
    world.exchange.update_client("C-1", last_name="Nowak")
    world.tick()
    assert states(world)["C-1"] == (IN_STEP, "")


# --- what a tick counts as held


def held_in(world: World) -> int:
    before = world.counts.held
    world.tick()
    return world.counts.held - before


def test_what_is_held_counts_once_and_not_again_when_only_its_message_changes() -> None:
    world = linked()
    world.exchange.update_client("C-0", zip_code="0x")
    world.panel.refuse_value("zip_code", "0x", "bad_postcode")
    assert held_in(world) == 1
    assert held_in(world) == 0
    before = said(world)
    world.panel.refuse_value("zip_code", "0y", "bad_postcode")
    world.exchange.update_client("C-0", zip_code="0y")
    world.exchange.update_client("C-0", phone="1")
    world.panel.refuse_value("phone", "1", "bad_phone")
    world.tick()
    assert said(world) != before


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (None, Status(HELD, "refused", "city", "a", "a"), True),
        (Status(HELD, "refused", "city", "a", "a"), Status(HELD, "refused", "city", "b", "b"), False),
        (Status(HELD, "refused", "city", "a", "a"), Status(HELD, "refused", "street", "a", "a"), True),
        (Status(HELD, "refused", "city", "a", "a"), Status(HELD, "bad_city", "city", "a", "a"), True),
        (Status(PENDING, "refused", "city", "a", "a"), Status(HELD, "refused", "city", "a", "a"), True),
        (Status(HELD, "refused", "city", "a", "a"), Status(PENDING, "refused", "city", "b", "b"), False),
        (Status(HELD, "refused", "city", "a", "a"), None, False),
        (None, Status(State.CONFLICT, "conflict", "city", "a", "a"), True),
        (
            Status(State.CONFLICT, "conflict", "city", "a", "a"),
            Status(State.CONFLICT, "conflict", "city", "b", "b"),
            False,
        ),
    ],
)
def test_only_what_arose_is_counted(before: Status | None, after: Status | None, counts: bool) -> None:
    record = Record(Key("C-0", "", "billing"), state=RecordState(status=before))
    assert figures([Change(record, RecordState(status=after))]).held == counts


def test_new_values_of_an_open_conflict_are_no_new_conflict() -> None:
    known = Conflict(1, "city", "a", "b", None)
    record = Record(Key("C-0", "", "billing"), conflicts=(known,))
    note = ConflictNote("city", "a", "c", None)
    change = Change(record, RecordState(), conflicts=(note, replace(note, field="street")))
    assert figures([change]).conflicts == 1
    decided = replace(record, conflicts=(replace(known, decision=Side.ERP),))
    assert figures([replace(change, record=decided)]).conflicts == 2, "decided, and carried only now"


def test_what_our_own_tables_refuse_of_a_record_without_a_plan_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    run = world.run()
    (record,) = run.concerns["billing"].load([Owner("C-1")])
    answers = iter([Saved(refused={record.key: "a letter that the encoding lacks"})])
    stored: list[Change] = []

    def save(changes: Sequence[Change], **_: Any) -> Saved:
        stored.extend(changes)
        return next(answers, Saved())

    monkeypatch.setattr(type(run), "save", lambda _run, changes, **more: save(changes, **more))
    reconcile.save(run.concerns["billing"], [retry.deferred(run, record, Retry("panel_5xx"))])
    told = stored[-1].after.status
    assert told
    assert "a letter that the encoding lacks" in told.message_en
