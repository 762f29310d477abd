"""Tax numbers: checked before a call is paid for, and one that would replace another one waits for a person."""

from __future__ import annotations

import pytest

from kartoteka.codes import IN_STEP, State
from kartoteka.fields import tax
from kartoteka.model import STANDS, Key, Side, Value
from kartoteka.policy import parse
from tests.helpers import OTHER, account_of, by, installation, linked, puts, status_of, tax_number
from tests.world import World

A, B, C = "5260001246", "7010416384", "7792369887"
BOTH = '{"billing": {"fields": {"nip": {"direction": "both"}}}}'
UNPROTECTED = '{"billing": {"fields": {"nip": {"protect": false}}}}'


def said(world: World, client: str = "C-0") -> tuple[State, str, str]:
    """Return state, code and field of a client's billing."""
    status = world.exchange.status(client, "billing")
    assert status
    return status.state, status.code, status.field


def nip(world: World, client: str = "C-0") -> Value:
    """Return the tax number that a client's account shows."""
    return world.panel.accounts[account_of(world, client)].values["nip"]


def decide(world: World, word: str, client: str = "C-0") -> None:
    """Answer a client's status, and let a tick take it."""
    world.exchange.decide_status(client, "billing", word)
    world.tick()


# --- the check


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    ("number", "country", "code"),
    [
        (A, "PL", ""),
        (f"PL {A}", "DE", ""),
        ("526-000-12-45", "PL", tax.WRONG),
        ("12345", "PL", tax.WRONG),
        ("0000000000", "PL", tax.DUMMY),
        ("1111111111", "PL", tax.DUMMY),
        ("1234563218", "PL", tax.DUMMY),
        ("123456788", "DE", tax.DUMMY),
        ("9876543217", "PL", tax.DUMMY),
        ("brak", "PL", tax.DUMMY),
        ("DE136695976", "PL", ""),
        ("DE136695970", "PL", tax.WRONG),
        ("136695976", "PL", tax.WRONG),
        ("CHE-107.787.577 MWST", "PL", ""),
        ("CHE-107.787.578", "CH", tax.WRONG),
        ("NO 995 525 828 MVA", "NO", ""),
        ("FR53000004605", "MC", ""),
        ("XI980780684", "GB", ""),
        ("980780685", "GB", tax.WRONG),
        ("403.019.261", "BE", ""),
        ("EL094259216", "GR", ""),
        ("12892312-2-41", "HU", ""),
        ("RSSMRA80A01H501U", "IT", ""),
        ("X-17", "UA", ""),
        ("4711", "XX", ""),
        ("", "PL", ""),
        (" ", "PL", ""),
        (None, "PL", ""),
    ],
)
def test_what_is_wrong_with_a_tax_number(number: Value, country: str, code: str) -> None:
    assert tax.fault(number, country) == code


@pytest.mark.parametrize(("number", "word"), [("5260001245", "check digit"), ("0000000000", "nobody's"), ("ND", "ND")])
def test_a_wrong_number_costs_no_call_and_holds_no_other_field(number: str, word: str) -> None:
    world = linked()
    before = nip(world)
    calls = puts(world)
    world.exchange.update_client("C-0", nip=number)
    world.tick()
    assert said(world) == (State.HELD, "bad_vat", "nip")
    status = world.exchange.status("C-0", "billing")
    assert status
    assert word in status.message_en
    assert puts(world) == calls
    world.exchange.update_client("C-0", street="Krótka 7")
    world.tick()
    assert world.panel.accounts[account_of(world, "C-0")].values["street"] == "Krótka 7"
    assert (nip(world), said(world)) == (before, (State.HELD, "bad_vat", "nip"))


@pytest.mark.parametrize("number", ["5260001245", "1111111111", "DE136695970"])
def test_a_firm_with_a_wrong_number_is_not_opened_until_it_is_right(number: str) -> None:
    world = installation()
    world.exchange.insert_client("C-1", **{**OTHER, "nip": number})
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "bad_vat")
    assert not world.panel.opened
    world.exchange.update_client("C-1", nip=A)
    world.tick()
    assert by(world, "C-1")[1] == "created"


def test_the_country_decides_and_its_change_tries_again() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **{**OTHER, "nip": "136695976"})
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "bad_vat")
    world.exchange.update_client("C-1", country_code="DE")
    world.tick()
    assert by(world, "C-1")[1] == "created"


def test_the_check_can_be_switched_off_and_then_the_panel_judges() -> None:
    world = installation(policy='{"billing": {"check_tax_numbers": false}}')
    world.exchange.insert_client("C-1", **{**OTHER, "nip": "5260001245"})
    world.tick()
    assert nip(world, "C-1") == "5260001245"
    world.exchange.update_client("C-1", nip="")
    world.tick()
    world.exchange.update_client("C-1", nip="0000000000")
    world.tick()
    assert said(world, "C-1")[1] == "tax_number_changed"


def test_what_the_panel_shows_is_carried_to_the_erp_unchecked() -> None:
    world = linked(policy=BOTH)
    world.exchange.update_client("C-0", nip="")
    world.panel.edit(account_of(world, "C-0"), nip="")
    world.tick()
    world.panel.edit(account_of(world, "C-0"), nip="5260001245")
    world.tick()
    row = world.exchange.client("C-0")
    assert row
    assert row["nip"] == "5260001245"


# --- protection


@pytest.mark.parametrize("new", [B, f"PL {C}", "DE136695976"])
def test_a_number_that_would_replace_another_one_waits_for_a_word(new: str) -> None:
    world = linked()
    before = nip(world)
    world.exchange.update_client("C-0", nip=new, street="Krótka 7")
    for _ in range(3):
        world.tick()
    assert nip(world) == before
    assert world.panel.accounts[account_of(world, "C-0")].values["street"] == "Krótka 7", "the others travel"
    assert said(world) == (State.HELD, "tax_number_changed", "nip")
    status = world.exchange.status("C-0", "billing")
    assert status
    for value in (new, str(before)):
        assert value in status.message_en
        assert value in status.message_pl
    calls = world.panel.calls()
    world.collect("billing", everything_due=True)
    assert not world.work("billing"), "it is quiet"
    assert world.panel.calls() == calls
    decide(world, "send")
    assert (nip(world), said(world)) == (new, (State.IN_STEP, "", ""))
    assert not world.exchange.decision("C-0", "billing")
    assert [(h.value_before, h.value_after) for h in world.exchange.history if h.field == "nip"] == [(before, new)]


def test_back_to_the_former_number_and_nothing_waits() -> None:
    world = linked()
    before = nip(world)
    world.exchange.update_client("C-0", nip=B)
    world.tick()
    world.exchange.update_client("C-0", nip=before)
    world.tick()
    assert said(world) == (State.IN_STEP, "", "")
    assert Key("C-0", "", "billing") in world.exchange.states
    assert not world.exchange.states[Key("C-0", "", "billing")].notes


def test_the_panel_taking_the_number_by_hand_settles_it() -> None:
    world = linked()
    world.exchange.update_client("C-0", nip=B)
    world.tick()
    world.panel.edit(account_of(world, "C-0"), nip=B)
    world.tick()
    assert said(world) == (State.IN_STEP, "", "")


@pytest.mark.parametrize("same", ["PL{0}", "{0:.3}-{0:.10}", "NIP: {0}"])
def test_the_same_number_written_otherwise_replaces_nothing(same: str) -> None:
    world = linked()
    number = str(nip(world))
    world.exchange.update_client("C-0", nip=f"PL {number[:3]}-{number[3:]}" if "-" in same else same.format(number))
    world.tick()
    assert said(world) == (State.IN_STEP, "", "")


def test_filling_an_empty_number_and_correcting_drift_wait_for_nobody() -> None:
    world = linked(2)
    world.panel.edit(account_of(world, "C-0"), nip=B)
    world.exchange.update_client("C-1", nip="")
    world.panel.edit(account_of(world, "C-1"), nip="")
    world.tick()
    world.exchange.update_client("C-1", nip=C)
    world.tick()
    world.tick()
    assert (nip(world), said(world)[0]) == (tax_number(0), State.IN_STEP)
    assert (nip(world, "C-1"), said(world, "C-1")[0]) == (C, State.IN_STEP)


def test_a_client_found_by_its_code_with_another_number_is_told_of_both() -> None:
    world = installation()
    own = world.panel.register({**OTHER, "nip": A, "phone": ""}, login="a", external_code="C-0")
    world.exchange.insert_client("C-0", **{**OTHER, "nip": B})
    for _ in range(3):
        world.tick()
    assert by(world, "C-0") == (own, "external_code")
    assert said(world) == (State.HELD, "tax_number_changed", "nip")
    assert nip(world) == A
    assert world.panel.accounts[own].values["phone"] == OTHER["phone"], "the others are compared"
    world.collect("billing", everything_due=True)
    assert not world.queue.take("billing"), "it is quiet"
    decide(world, "send")
    assert (nip(world), said(world)[0]) == (B, State.IN_STEP)


def test_a_wrong_number_is_told_as_wrong_before_it_is_protected() -> None:
    world = linked()
    world.exchange.update_client("C-0", nip="5260001245")
    world.tick()
    assert said(world) == (State.HELD, "bad_vat", "nip")
    decide(world, "send")
    assert nip(world) == tax_number(0)
    assert world.exchange.decision("C-0", "billing") == "send", "it means nothing here"


def test_a_word_that_meant_nothing_lets_no_later_number_pass() -> None:
    world = linked()
    world.exchange.update_client("C-0", nip="5260001245")
    world.tick()
    decide(world, "send")
    assert said(world)[:2] == (State.HELD, "bad_decision")
    for number in (B, tax_number(3)):
        world.exchange.update_client("C-0", nip=number)
        world.tick()
        assert nip(world) == tax_number(0), "the word was given for another one"
    decide(world, "")
    assert said(world)[:2] == (State.HELD, "tax_number_changed")
    decide(world, "send")
    assert (nip(world), said(world)[0]) == (tax_number(3), State.IN_STEP)


def test_the_policy_may_let_numbers_pass() -> None:
    world = linked(policy=UNPROTECTED)
    world.exchange.update_client("C-0", nip=B)
    world.tick()
    assert (nip(world), said(world)[0]) == (B, State.IN_STEP)


def test_a_number_edited_in_the_panel_does_not_replace_the_erps_by_itself() -> None:
    world = linked(policy=BOTH)
    world.panel.edit(account_of(world, "C-0"), nip=B)
    for _ in range(3):
        world.tick()
    row = world.exchange.client("C-0")
    assert row
    assert row["nip"] == tax_number(0)
    assert said(world) == (State.HELD, "tax_number_changed", "nip")
    note = world.exchange.states[Key("C-0", "", "billing")].notes["nip"]
    assert (note.kind, note.value) == (STANDS, B)
    decide(world, "send")
    row = world.exchange.client("C-0")
    assert row
    assert (row["nip"], said(world)[0]) == (B, State.IN_STEP)


@pytest.mark.parametrize("winner", [Side.ERP, Side.PANEL])
def test_what_a_person_decided_in_a_conflict_is_not_asked_about_again(winner: Side) -> None:
    world = linked(policy='{"billing": {"fields": {"nip": {"direction": "both", "conflict": "hold"}}}}')
    world.exchange.update_client("C-0", nip=B)
    world.panel.edit(account_of(world, "C-0"), nip=C)
    world.tick()
    (conflict,) = world.exchange.open_conflict_ids()
    world.exchange.decide(conflict, winner.value)
    world.tick()
    row = world.exchange.client("C-0")
    assert row
    assert row["nip"] == nip(world) == (B if winner is Side.ERP else C)
    assert world.exchange.status("C-0", "billing") == IN_STEP


def test_only_what_the_table_protects_can_be_protected() -> None:
    assert parse(UNPROTECTED).billing.fields["nip"].protect is False
    with pytest.raises(Exception, match=r"'street' cannot be protected; only nip can"):
        parse('{"billing": {"fields": {"street": {"protect": true}}}}')
