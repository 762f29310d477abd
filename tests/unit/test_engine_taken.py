"""What the panel does to our own text, over a panel that does it: nothing of it comes back as anybody's edit."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.codes import State, Status
from kartoteka.errors import Retry
from kartoteka.model import Change, Value
from kartoteka.ports.exchange import Saved
from kartoteka.sync.run import Run
from kartoteka.sync.taken import SENT_AGAIN
from tests.address_world import LINES
from tests.helpers import account_of, linked, puts
from tests.world import CLIENT, World

LONG = "Przedsiębiorstwo Handlowo-Usługowe Żółw & Gęś Spółka z ograniczoną odpowiedzialnością"
Keeps = Callable[[str, Value, Value], Value]


def cut(_name: str, value: Value, _before: Value) -> Value:
    return value[:60] if isinstance(value, str) else value


def three_bytes(_name: str, value: Value, _before: Value) -> Value:
    return value.partition("😀")[0] if isinstance(value, str) else value


def escaped(_name: str, value: Value, _before: Value) -> Value:
    return html.escape(value) if isinstance(value, str) else value


def numbers(_name: str, value: Value, _before: Value) -> Value:
    return value.lstrip("0") if isinstance(value, str) and value.isdigit() else value


def ignoring(*names: str) -> Keeps:
    return lambda name, value, before: before if name in names else value


def zero_leaves(name: str, value: Value, before: Value) -> Value:
    return before if name in ("credit_limit", "balance") and value in ("0.00", "0") else value


DAMAGES = [
    ("company", LONG, cut),
    ("street", "Ulica " + "bardzo " * 12 + "długa 5", cut),
    ("company", "Spółka 😀 dalej", three_bytes),
    ("city", "Gdynia 😀", three_bytes),
    ("company", "Żółw & Gęś", escaped),
    ("street", "Długa <5>", escaped),
    ("zip_code", "01067", numbers),
]


def status(world: World, concern: str = "billing") -> Status:
    found = world.exchange.status("C-0", concern)
    assert found
    return found


def settle(world: World, ticks: int = 5) -> None:
    for _ in range(ticks):
        world.tick()


def quiet(world: World) -> bool:
    before = (puts(world), len(world.exchange.history), world.exchange.log_head(), world.counts.collected)
    settle(world, 3)
    return before == (puts(world), len(world.exchange.history), world.exchange.log_head(), world.counts.collected)


@pytest.mark.parametrize("policy", ["{}", '{"billing": {"direction": "erp_to_panel"}}'])
@pytest.mark.parametrize(("field", "value", "keeps"), DAMAGES)
def test_a_damaged_form_is_held_and_stays_out_of_the_erp(field: str, value: str, keeps: Keeps, policy: str) -> None:
    world = linked(policy=policy)
    world.panel.keeps = keeps
    world.exchange.update_client("C-0", **{field: value})
    settle(world)
    assert world.exchange.clients["C-0"][field] == value
    assert (status(world).state, status(world).code, status(world).field) == (State.HELD, "not_taken", field)
    shown = str(world.panel.accounts[account_of(world, "C-0")].values[field])
    assert shown[:50] in status(world).message_en
    assert value[:50] in status(world).message_en
    assert puts(world) == 1, "no use to send it again"
    assert quiet(world)


@pytest.mark.parametrize(("field", "value", "keeps"), DAMAGES)
def test_an_account_is_opened_on_such_a_panel(field: str, value: str, keeps: Keeps) -> None:
    world = World().knows_the_panel()
    world.panel.keeps = keeps
    world.exchange.insert_client("C-0", **{**CLIENT, field: value})
    settle(world, 3)
    assert world.exchange.clients["C-0"][field] == value
    assert (status(world).state, status(world).code, status(world).field) == (State.HELD, "not_taken", field)
    assert quiet(world)


@pytest.mark.parametrize(("field", "value", "keeps"), DAMAGES)
def test_later_edits_of_either_side_go_on(field: str, value: str, keeps: Keeps) -> None:
    world = linked()
    world.panel.keeps = keeps
    world.exchange.update_client("C-0", **{field: value})
    settle(world, 3)
    world.exchange.update_client("C-0", email="nowy@firma.pl")
    world.panel.edit(account_of(world, "C-0"), phone="602603604")
    settle(world, 3)
    assert world.exchange.clients["C-0"][field] == value
    assert world.exchange.clients["C-0"]["phone"] == "602603604"
    assert world.panel.accounts[account_of(world, "C-0")].values["email"] == "nowy@firma.pl"
    assert status(world).code == "not_taken"
    world.panel.edit(account_of(world, "C-0"), **{field: "00-001"})
    settle(world, 3)
    assert world.exchange.clients["C-0"][field] == "00-001"
    assert status(world).state is State.IN_STEP
    world.exchange.update_client("C-0", **{field: "00-002"})
    settle(world, 3)
    assert world.panel.accounts[account_of(world, "C-0")].values[field] == "00-002"
    assert status(world).state is State.IN_STEP


@pytest.mark.parametrize(
    ("field", "value"), [("city", "Gdynia"), ("phone", "602603604"), ("language", "eng"), ("wholesaler", True)]
)
def test_a_field_that_is_ignored_with_thanks_is_sent_again_three_times_and_held(field: str, value: Value) -> None:
    world = linked()
    world.panel.keeps = ignoring(field)
    world.exchange.update_client("C-0", **{field: value})
    settle(world, 12)
    assert world.exchange.clients["C-0"][field] == value
    assert (status(world).state, status(world).code, status(world).field) == (State.HELD, "not_taken", field)
    assert puts(world) == 1 + SENT_AGAIN
    written = [h for h in world.exchange.history if h.field == field]
    assert len(written) == 1 + SENT_AGAIN
    assert quiet(world)


def test_a_value_that_is_taken_late_is_in_step_and_an_older_one_of_ours_never_comes_back() -> None:
    world = linked()
    world.panel.keeps = ignoring("city")
    for city in ("Gdynia", "Sopot", "Reda"):
        world.exchange.update_client("C-0", city=city)
        world.collect("billing")
        world.drain()
    key = account_of(world, "C-0")
    for late in ("Gdynia", "Sopot"):
        world.pass_time(minutes=1)
        world.panel.edit(key, city=late)
        world.follow()
        world.drain()
        assert world.exchange.clients["C-0"]["city"] == "Reda"
    world.panel.keeps = lambda _name, value, _before: value
    settle(world)
    assert world.panel.accounts[key].values["city"] == "Reda"
    assert status(world).state is State.IN_STEP


@pytest.mark.fault(59)
def test_an_edit_made_in_the_panel_right_after_ours_travels() -> None:
    world = linked()
    world.exchange.update_client("C-0", city="Gdynia")
    world.collect("billing")
    world.drain()
    assert (status(world).state, status(world).code) == (State.WAITING, "unconfirmed")
    world.pass_time(seconds=3)
    world.panel.edit(account_of(world, "C-0"), city="Sopot")
    settle(world, 3)
    assert world.exchange.clients["C-0"]["city"] == "Sopot"
    assert status(world).state is State.IN_STEP


@pytest.mark.parametrize("shown", ["Gdynia Port", "Gdańsk", "GDYNIA (PL)"])
def test_what_the_panel_makes_of_a_value_while_nobody_edits_is_its_form(shown: str) -> None:
    world = linked()
    world.panel.keeps = lambda name, value, _before: shown if name == "city" else value
    world.exchange.update_client("C-0", city="Gdynia")
    settle(world)
    assert world.exchange.clients["C-0"]["city"] == "Gdynia"
    assert (status(world).state, status(world).code) == (State.HELD, "not_taken")
    assert quiet(world)


@pytest.mark.fault(52)
def test_letter_case_alone_is_in_step() -> None:
    world = linked()
    world.panel.keeps = lambda name, value, _before: str(value).upper() if name == "city" else value
    world.exchange.update_client("C-0", city="Bielsko - Biała")
    settle(world)
    assert world.exchange.clients["C-0"]["city"] == "Bielsko - Biała"
    assert status(world).state is State.IN_STEP
    assert quiet(world)


@pytest.mark.fault(51)
def test_the_echo_costs_no_call_and_no_key() -> None:
    world = linked(30)
    for n in range(30):
        world.exchange.update_client(f"C-{n}", city="Gdynia")
    world.collect("billing")
    world.drain()
    before, queued = world.panel.calls()["GET clients/clients"], world.counts.collected
    world.follow()
    assert {s.code for k, s in world.exchange.statuses.items() if k.concern == "billing"} == {""}
    assert world.counts.collected == queued
    asked = 3  # the feed's own two searches, and whether the panel has gone back
    assert world.panel.calls()["GET clients/clients"] <= before + asked
    for _ in range(15):
        world.collect("billing")
        world.pass_time(minutes=1)
    assert world.counts.collected == queued, "nothing is asked for by id"


def test_what_the_feed_does_not_show_is_asked_for_by_id_within_ten_minutes_and_in_one_call() -> None:
    world = linked(30)
    world.panel.changed = lambda _w, _p, _l: (_ for _ in ()).throw(Retry("timeout"))  # type: ignore[method-assign]
    for n in range(30):
        world.exchange.update_client(f"C-{n}", city="Gdynia")
        world.collect("billing")
        world.drain()
        world.pass_time(seconds=3)
    before, since = world.panel.calls()["GET clients/clients"], world.time
    while {s.code for k, s in world.exchange.statuses.items() if k.concern == "billing"} != {""}:
        world.collect("billing")
        world.drain()
        world.pass_time(seconds=30)
        assert world.time - since < timedelta(minutes=10)
    assert world.panel.calls()["GET clients/clients"] - before == 1
    assert puts(world) == 30


def test_a_worker_that_was_faster_than_the_feed_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked()
    world.exchange.update_client("C-0", city="Gdynia")
    world.collect("billing")
    world.drain()
    save = Run.save

    def slow(run: Run, changes: Sequence[Change], *, unless_changed: bool = False) -> Saved:
        if unless_changed and changes:
            monkeypatch.setattr(Run, "save", save)
            world.exchange.update_client("C-0", city="Sopot")
            world.collect("billing")
            world.drain()
        return save(run, changes, unless_changed=unless_changed)

    monkeypatch.setattr(Run, "save", slow)
    world.follow()
    assert Run.save is save
    assert status(world).code == "unconfirmed"
    settle(world, 2)
    assert world.panel.accounts[account_of(world, "C-0")].values["city"] == "Sopot"
    assert status(world).state is State.IN_STEP


@pytest.mark.parametrize("conflict", ["erp", "panel", "hold"])
@pytest.mark.parametrize(("field", "value", "keeps"), [*DAMAGES, ("city", "Gdynia", lambda *_: "")])
def test_a_damaged_form_of_a_call_that_was_never_answered_is_no_edit(
    field: str, value: str, keeps: Keeps, conflict: str
) -> None:
    world = linked(policy=f'{{"billing": {{"conflict": "{conflict}"}}}}')
    world.panel.keeps = keeps
    world.panel.lose_reply()
    world.exchange.update_client("C-0", **{field: value})
    settle(world)
    assert world.exchange.clients["C-0"][field] == value
    assert (status(world).state, status(world).code, status(world).field) == (State.HELD, "not_taken", field)
    assert not world.exchange.conflicts
    [written] = [h for h in world.exchange.history if h.field == field]
    assert (written.value_before, written.value_after) == (CLIENT[field], value)
    assert puts(world) == 1
    assert quiet(world)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("field_rule", ["both", "erp_to_panel"])
@pytest.mark.parametrize(("field", "value", "keeps"), DAMAGES)
def test_a_damaged_form_is_remembered_before_another_call_whose_reply_is_lost(
    field: str, value: str, keeps: Keeps, field_rule: str, answered: bool
) -> None:
    """The second call settles what the first one left; that must be stored as a whole before its own reply is lost."""
    world = linked(policy=f'{{"billing": {{"fields": {{"{field}": {{"direction": "{field_rule}"}}}}}}}}')
    world.panel.keeps = keeps
    if not answered:
        world.panel.lose_reply()
    world.exchange.update_client("C-0", **{field: value})
    world.collect("billing")
    world.work("billing")
    other, edit = ("email", "inny@firma.pl") if field != "email" else ("city", "Gdynia")
    world.panel.lose_reply()
    world.exchange.update_client("C-0", **{other: edit})
    settle(world)
    assert (status(world).state, status(world).code, status(world).field) == (State.HELD, "not_taken", field)
    assert world.exchange.clients["C-0"][field] == value
    assert world.panel.accounts[account_of(world, "C-0")].values[other] == edit
    assert quiet(world)


@pytest.mark.parametrize("after", [True, False])
def test_letter_case_of_a_call_that_was_never_answered_is_in_step(after: bool) -> None:
    world = linked(policy='{"billing": {"conflict": "panel"}}')
    world.panel.keeps = lambda name, value, _before: str(value).upper() if name == "city" else value
    if after:
        world.panel.lose_reply()
    else:
        world.panel.fail(Retry("timeout"))
    world.exchange.update_client("C-0", city="Gdynia")
    settle(world)
    assert world.exchange.clients["C-0"]["city"] == "Gdynia"
    assert world.panel.accounts[account_of(world, "C-0")].values["city"] == "GDYNIA"
    assert status(world).state is State.IN_STEP
    assert not world.exchange.conflicts
    assert quiet(world)


def test_what_an_unanswered_call_overruled_is_told_and_its_conflict_is_closed() -> None:
    world = linked()
    world.panel.keeps = cut
    world.panel.lose_reply()
    world.panel.edit(account_of(world, "C-0"), company="Firma z panelu")
    world.exchange.update_client("C-0", company=LONG)
    settle(world)
    assert world.exchange.clients["C-0"]["company"] == LONG
    assert status(world).code == "not_taken"
    [told] = world.exchange.conflicts
    assert (told.panel_value, told.decision) == ("Firma z panelu", "erp")
    assert told.closed_at
    assert quiet(world)


# --- delivery addresses: the panel dates none


@pytest.mark.parametrize(("field", "value", "keeps"), [d for d in DAMAGES if d[0] != "company"])
def test_an_addresss_damaged_form_is_held_too(field: str, value: str, keeps: Keeps) -> None:
    world = linked()
    world.panel.keeps = keeps
    world.exchange.insert_address("A-1", "C-0", **{**LINES, field: value})
    settle(world)
    assert world.exchange.addresses["A-1"][field] == value
    told = world.exchange.status("C-0", "delivery_addresses", "A-1")
    assert told
    assert (told.state, told.code, told.field) == (State.HELD, "not_taken", field)
    assert quiet(world)


# --- money


def credit_of(world: World, **figures: Value) -> None:
    row = {"credit_allowed": True, "credit_limit": "1000.00", "balance": "0.00", "currency": "PLN", **figures}
    world.exchange.set_credit("C-0", **row, as_of=world.time)


@pytest.mark.parametrize("used_shows_balance", [True, False])
@pytest.mark.parametrize("balances", ["950.00 0.00", "950.00 0", "0.00 950.00 0.00", "12.50 12.5 0"])
def test_a_balance_is_sent_whatever_the_panel_happens_to_show(balances: str, used_shows_balance: bool) -> None:
    world = linked()
    world.panel.used_shows_balance = used_shows_balance
    key = account_of(world, "C-0")
    for balance in balances.split():
        credit_of(world, balance=balance)
        settle(world, 3)
        assert float(str(world.panel.accounts[key].values["balance"])) == float(balance)
        world.panel.used[key] = "0.00"
        world.panel.edit(key)
        settle(world, 2)
    assert float(str(world.panel.accounts[key].values["balance"])) == float(balances.rsplit(maxsplit=1)[-1])
    assert status(world, "credit").state is State.IN_STEP


@pytest.mark.parametrize(("lost", "late"), [("before", False), ("after", False), ("after", True)])
def test_a_balance_whose_reply_was_lost_is_sent_again(lost: str, late: bool) -> None:
    world = linked()
    world.panel.used_shows_balance = False
    credit_of(world, balance="950.00")
    settle(world, 2)
    if lost == "after":
        world.panel.lose_reply()
    else:
        world.panel.fail(Retry("timeout"))
    credit_of(world, balance="0.00")
    world.collect("credit")
    world.drain()
    if late:
        credit_of(world, balance="950.00")
        settle(world, 2)
        credit_of(world, balance="0.00")
    settle(world, 4)
    assert world.panel.accounts[account_of(world, "C-0")].values["balance"] == "0.00"
    assert status(world, "credit").state is State.IN_STEP


def test_a_limit_of_0_that_leaves_what_was_there_is_told() -> None:
    world = linked()
    world.panel.keeps = zero_leaves
    credit_of(world, credit_limit="5000.00")
    settle(world, 3)
    credit_of(world, credit_limit="0.00")
    settle(world, 12)
    told = status(world, "credit")
    assert (told.state, told.code, told.field) == (State.HELD, "not_taken", "credit_limit")
    assert "5000.00" in told.message_en
    before = puts(world)
    settle(world, 3)
    assert puts(world) == before


def test_a_balance_of_0_that_leaves_what_was_there_is_told_where_the_panel_shows_it() -> None:
    world = linked()
    world.panel.keeps = zero_leaves
    credit_of(world, balance="950.00")
    settle(world, 3)
    credit_of(world, balance="0.00")
    settle(world, 12)
    told = status(world, "credit")
    assert (told.state, told.code, told.field) == (State.HELD, "not_taken", "balance")
    assert "950.00" in told.message_en


@pytest.mark.parametrize(
    ("field", "first", "edit"),
    [("language", "eng", "ger"), ("wholesaler", True, False), ("client_type", "person", "firm")],
)
def test_a_one_way_field_that_was_emptied_meanwhile_is_sent_though_it_is_as_before(
    field: str, first: Value, edit: Value
) -> None:
    world = linked()
    world.exchange.update_client("C-0", **{field: first})
    settle(world, 2)
    world.exchange.update_client("C-0", **{field: None})
    settle(world, 2)
    world.panel.edit(account_of(world, "C-0"), **{field: edit})
    settle(world, 2)
    assert world.panel.accounts[account_of(world, "C-0")].values[field] == edit
    world.exchange.update_client("C-0", **{field: first})
    settle(world, 3)
    assert world.panel.accounts[account_of(world, "C-0")].values[field] == first


# --- a write whose reply is lost


@pytest.mark.fault(10)
@pytest.mark.parametrize("conflict", ["erp", "panel", "hold"])
@pytest.mark.parametrize("field", ["city", "phone", "company"])
def test_an_edit_made_while_a_reply_is_lost_leaves_its_trace(conflict: str, field: str) -> None:
    world = linked(policy=f'{{"billing": {{"conflict": "{conflict}"}}}}')
    key = account_of(world, "C-0")
    ours, theirs = ("602603604", "603604605") if field == "phone" else ("Nasze", "Ich")
    world.exchange.update_client("C-0", **{field: ours})
    world.panel.lose_reply()
    world.collect("billing")
    world.drain()
    assert puts(world) == 1
    world.pass_time(seconds=25)
    world.panel.edit(key, **{field: theirs})
    settle(world, 3)
    (told,) = [c for c in world.exchange.conflicts if c.field == field]
    assert (told.erp_value, told.panel_value) == (ours, theirs)
    if conflict == "panel":
        assert world.exchange.clients["C-0"][field] == theirs
    if conflict == "hold":
        assert world.panel.accounts[key].values[field] == theirs


def test_a_call_that_arrived_is_not_repeated() -> None:
    world = linked()
    world.exchange.update_client("C-0", city="Gdynia")
    world.panel.lose_reply()
    settle(world, 4)
    assert puts(world) == 1
    assert status(world).state is State.IN_STEP
    assert [h.value_after for h in world.exchange.history if h.field == "city"] == ["Gdynia"]


def test_a_trigger_that_rewrites_our_write_is_noted_as_the_erps_form() -> None:
    world = linked()
    change = world.exchange.change

    def capitals(table: str, operation: str, key: str, values: Any = (), seq: int | None = None) -> None:
        given = dict(values)
        if table == "clients" and isinstance(given.get("city"), str):
            given["city"] = given["city"].upper() + " (baza)"
        change(table, operation, key, given, seq)

    world.exchange.change = capitals  # type: ignore[method-assign]
    world.panel.edit(account_of(world, "C-0"), city="Gdynia")
    settle(world, 3)
    assert world.exchange.clients["C-0"]["city"] == "GDYNIA (baza)"
    assert world.panel.accounts[account_of(world, "C-0")].values["city"] == "Gdynia"
    assert status(world).state is State.IN_STEP
    assert quiet(world)


@pytest.mark.parametrize("decision", ["retry", "done"])
def test_a_person_has_it_tried_again_or_lets_it_be(decision: str) -> None:
    world = linked()
    world.panel.keeps = escaped
    world.exchange.update_client("C-0", company="Żółw & Gęś")
    settle(world)
    assert status(world).code == "not_taken"
    world.panel.keeps = lambda _name, value, _before: value
    before = puts(world)
    world.exchange.decide_status("C-0", "billing", decision)
    settle(world, 3)
    assert status(world).state is State.IN_STEP
    assert world.exchange.clients["C-0"]["company"] == "Żółw & Gęś"
    shown = world.panel.accounts[account_of(world, "C-0")].values["company"]
    assert (shown, puts(world) - before) == (("Żółw & Gęś", 1) if decision == "retry" else ("Żółw &amp; Gęś", 0))
    assert quiet(world)
