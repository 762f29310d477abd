"""Accounts: every client gets one account, none gets two, and a bad client keeps nobody waiting."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from kartoteka.codes import IN_STEP, State
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import Key, Owner, Record, Value
from kartoteka.policy import Policy, parse
from tests.world import CLIENT, CONCERNS, World

STRANGER: dict[str, Value] = {**CLIENT, "nip": "7792369887", "email": "kto@inny.pl"}
PATIENT = parse('{"retry": {"max_attempts": 3}}')


def world_with(*clients: str, policy: Policy | None = None, **values: Value) -> World:
    """Return an installation whose ERP has these clients."""
    world = World(policy)
    for client in clients:
        world.exchange.insert_client(client, **{**CLIENT, **values})
    return world


def codes(world: World) -> list[str]:
    """Return the external codes of all accounts."""
    return sorted(account.external_code for account in world.panel.accounts.values())


def state_of(world: World, client: str, concern: str = "accounts") -> tuple[State, str]:
    """Return what ``sync_status`` says of a client."""
    status = world.exchange.status(client, concern)
    assert status
    return status.state, status.code


def test_a_client_becomes_an_account_with_everything_in_it() -> None:
    world = world_with("C-1")
    world.tick()
    (account,) = world.panel.accounts.values()
    assert (account.external_code, account.login) == ("C-1", "c-1")
    assert {name: account.values[name] for name in ("email", "company", "street", "nip", "client_type")} == {
        name: CLIENT[name] for name in ("email", "company", "street", "nip", "client_type")
    }
    assert account.values["shops"] == (1,)
    assert not world.panel.notified


def test_link_status_agreement_and_history_are_written_back() -> None:
    world = world_with("C-1")
    world.tick()
    link = world.exchange.links["C-1"]
    assert (link.panel_client_id, link.panel_login, link.linked_by) == ("1", "c-1", "created")
    assert state_of(world, "C-1") == state_of(world, "C-1", "billing") == (State.IN_STEP, "")
    (opened,) = world.exchange.history
    assert (opened.concern, opened.field, opened.reason, opened.direction) == ("accounts", "", "create", "erp_to_panel")
    assert json.loads(opened.value_after or "")["street"] == "Długa 1"


@pytest.mark.fault(51)
def test_the_echo_of_a_created_account_stops_before_a_queue() -> None:
    world = world_with("C-1", "C-2")
    world.tick()
    before = world.counts.collected
    world.tick()
    assert world.counts.collected == before


def test_a_hundred_clients_cost_three_calls_the_echo_included() -> None:
    world = world_with(*[f"C-{n}" for n in range(1000)])
    for _ in range(3):
        for concern in CONCERNS:
            world.collect(concern)
        world.follow()
        world.drain()
        world.pass_time(seconds=61)
    statuses = [status for key, status in world.exchange.statuses.items() if key.concern == "billing"]
    assert statuses == [IN_STEP] * 1000, "what was sent was shown by the feed"
    calls = dict(world.panel.calls())
    clock = calls.pop("GET system/serverTime")
    quiet_feeds = 3  # the first pass, and one call in each tick that finds nothing new
    assert calls["POST clients/clients"] == 10
    assert sum(calls.values()) <= 3 * 10 + quiet_feeds
    assert clock == 1


def test_an_account_that_carries_the_code_is_linked_and_compared() -> None:
    world = world_with("C-1", street="Krótka 2")
    world.panel.register({**CLIENT, "street": "Długa 1", "phone": ""}, external_code="C-1", login="jan")
    world.tick()
    assert codes(world) == ["C-1"]
    assert world.exchange.links["C-1"].linked_by == "external_code"
    (account,) = world.panel.accounts.values()
    assert (account.values["street"], account.values["phone"]) == ("Krótka 2", "501502503")
    assert {h.reason for h in world.exchange.history} == {"first_contact"}


def test_two_accounts_with_one_code_are_held() -> None:
    world = world_with("C-1")
    for login in ("jan", "anna"):
        world.panel.register(CLIENT, external_code="C-1", login=login)
    world.tick()
    assert state_of(world, "C-1") == (State.HELD, "several_accounts")
    assert not world.exchange.links


@pytest.mark.fault(9)
@pytest.mark.parametrize("away", [Retry("panel_5xx"), Retry("timeout")])
def test_a_lost_reply_opens_no_second_account(away: Retry) -> None:
    world = world_with("C-1", "C-2")
    world.panel.lose_reply()
    world.panel.fail(away)
    world.tick()
    world.tick()
    assert codes(world) == ["C-1", "C-2"]
    assert len(world.panel.opened) == 2
    assert state_of(world, "C-1") == (State.IN_STEP, "")


@pytest.mark.fault(10)
def test_an_edit_made_after_a_lost_reply_is_not_overwritten() -> None:
    world = world_with("C-1")
    world.knows_the_panel()
    world.dies_at("create", after=True)
    assert world.work("accounts")
    assert not world.exchange.links
    (account,) = world.panel.accounts
    world.panel.edit(account, street="poprawione w sklepie")
    world.tick()
    world.tick()
    row = world.exchange.client("C-1")
    assert row
    assert row["street"] == "poprawione w sklepie"
    assert not world.exchange.conflicts


@pytest.mark.fault(19)
def test_a_refused_client_is_deferred_and_its_neighbours_go_on() -> None:
    world = world_with("C-1", "C-2", "C-3", policy=PATIENT)
    world.panel.refuse("C-2", Reject("refused", panel="NIP jest zły / VAT number is wrong"))
    world.tick()
    assert codes(world) == ["C-1", "C-3"]
    assert state_of(world, "C-2") == (State.PENDING, "refused")
    status = world.exchange.status("C-2", "accounts")
    assert status
    assert "NIP jest zły" in status.message_en


def test_a_refused_client_is_tried_so_often_and_then_held_until_its_row_changes() -> None:
    world = world_with("C-1", policy=PATIENT)
    world.panel.refuse("C-1")
    for _ in range(5):
        world.tick()
    assert state_of(world, "C-1") == (State.HELD, "refused")
    assert world.panel.calls()["POST clients/clients"] == 3
    world.panel.accept("C-1")
    world.exchange.update_client("C-1", street="Krótka 2")
    world.tick()
    assert state_of(world, "C-1") == (State.IN_STEP, "")


def test_pauses_grow_from_a_minute_to_an_hour() -> None:
    world = world_with("C-1")
    world.panel.refuse("C-1")
    pauses = []
    for _ in range(8):
        world.tick(seconds=0)
        deferral = world.exchange.deferrals.get(Key("C-1", "", "accounts"))
        pauses.append((deferral.due_at - world.time) // timedelta(minutes=1) if deferral else None)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, None]


def test_an_outage_uses_up_no_attempt_and_holds_nothing() -> None:
    world = world_with("C-1", policy=PATIENT)
    world.panel.halt(Halt("panel_key", "wrong key"))
    for _ in range(10):
        world.tick()
    assert state_of(world, "C-1") == (State.PENDING, "panel_key")
    world.panel.recover()
    world.tick()
    assert codes(world) == ["C-1"]


@pytest.mark.fault(20)
def test_a_chunk_that_is_refused_whole_is_split_until_the_culprit_stands_alone() -> None:
    world = world_with(*[f"C-{n:03}" for n in range(100)])
    world.panel.refuse_whole("C-042")
    world.tick()
    assert len(codes(world)) == 99
    assert state_of(world, "C-042") == (State.PENDING, "refused")
    assert world.panel.calls()["POST clients/clients"] <= 2 * 7 + 1


@pytest.mark.parametrize(
    ("change", "named"),
    [({"email": None}, "email"), ({"company": ""}, "company"), ({"zip_code": " ", "city": None}, "zip_code, city")],
)
def test_an_incomplete_client_is_held_and_completing_it_is_enough(change: dict[str, Value], named: str) -> None:
    world = world_with("C-1", **change)
    world.tick()
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert (status.state, status.code) == (State.HELD, "incomplete")
    assert named in status.message_en
    assert "POST clients/clients" not in world.panel.calls()
    world.exchange.update_client("C-1", **CLIENT)
    world.tick()
    assert codes(world) == ["C-1"]


@pytest.mark.parametrize(
    ("change", "named", "unnamed"),
    [
        ({"city": None, "email": "bad"}, ["city", "email"], []),
        ({"zip_code": "", "language": "polski", "nip": "123"}, ["zip_code", "language", "nip"], []),
        ({"client_type": "firma"}, ["client_type", "'firma'"], ["first_name", "last_name", "company"]),
        ({"client_type": "Osoba", "first_name": None, "city": " "}, ["client_type", "city"], ["first_name"]),
        ({"client_type": "person", "first_name": None, "email": "a@b@c"}, ["first_name", "email"], ["company"]),
    ],
)
def test_all_that_is_wrong_with_a_client_is_told_at_once(
    change: dict[str, Value], named: list[str], unnamed: list[str]
) -> None:
    world = world_with("C-1", **change)
    world.tick()
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert status.state is State.HELD
    for message in (status.message_en, status.message_pl):
        assert [name for name in named if name not in message] == []
        assert [name for name in unnamed if name in message.replace("client_type", "")] == []
    assert "POST clients/clients" not in world.panel.calls()
    world.exchange.update_client("C-1", **{"client_type": None, **CLIENT})
    world.tick()
    assert codes(world) == ["C-1"]


def test_a_missing_shop_is_told_beside_what_the_row_lacks() -> None:
    world = world_with("C-1", policy=parse('{"accounts": {"default_shops": []}}'), city=None, email="bad")
    world.tick()
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert [word for word in ("city", "no shop", "email") if word not in status.message_en] == []


@pytest.mark.parametrize("change", [{"email": None}, {"email": "bad"}])
def test_a_client_that_is_deleted_before_it_had_an_account_is_let_go(change: dict[str, Value]) -> None:
    world = world_with("C-1", **change)
    world.tick()
    world.exchange.delete_client("C-1")
    world.tick()
    assert state_of(world, "C-1") == (State.EXCLUDED, "deleted")
    before = world.counts.collected
    world.tick()
    assert world.counts.collected == before
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert codes(world) == ["C-1"]


def test_a_value_the_panel_could_not_take_costs_no_call() -> None:
    world = world_with("C-1", email="jan@firma.pl; anna@firma.pl")
    world.tick()
    assert state_of(world, "C-1") == (State.HELD, "bad_email")
    assert "POST clients/clients" not in world.panel.calls()


def test_a_client_without_a_shop_is_held() -> None:
    world = world_with("C-1", policy=parse('{"accounts": {"default_shops": []}}'))
    world.tick()
    assert state_of(world, "C-1") == (State.HELD, "incomplete")


def test_a_taken_login_gets_a_suffix() -> None:
    world = world_with("C-1", "c 1", "C/1")
    world.panel.register(STRANGER, login="c-1")
    world.tick()
    assert sorted(link.panel_login for link in world.exchange.links.values()) == ["c-1-2", "c-1-3", "c-1-4"]


def test_the_login_of_the_erp_is_used_and_never_changed() -> None:
    policy = parse('{"accounts": {"login": {"mode": "erp"}}}')
    world = world_with("C-1", policy=policy, login="Jan.Kowalski")
    world.exchange.insert_client("C-2", **CLIENT, login="jan.kowalski")
    world.tick()
    assert [link.panel_login for link in world.exchange.links.values()] == ["jan.kowalski"]
    states = {state_of(world, "C-1"), state_of(world, "C-2")}
    assert states == {(State.IN_STEP, ""), (State.PENDING, "login_taken")}


def test_a_login_by_pattern() -> None:
    policy = parse('{"accounts": {"login": {"mode": "pattern", "pattern": "{company}-{city}"}}}')
    world = world_with("C-1", "C-2", policy=policy)
    world.tick()
    assert sorted(link.panel_login for link in world.exchange.links.values()) == ["firma-lodz", "firma-lodz-2"]


def test_a_name_that_a_lost_call_may_have_taken_gets_no_suffix(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with("C-1")
    world.knows_the_panel()
    world.dies_at("create", after=True)
    assert world.work("accounts")
    with monkeypatch.context() as lagging:
        lagging.setattr(world.panel, "find", lambda _codes: [])  # the search does not show the new account yet
        world.drain()
    assert codes(world) == ["C-1"]
    assert state_of(world, "C-1") == (State.PENDING, "maybe_opened")
    world.tick()
    assert world.exchange.links["C-1"].panel_login == "c-1"


@pytest.mark.parametrize("direction", ["off", "panel_to_erp"])
def test_a_direction_that_opens_nothing(direction: str) -> None:
    world = world_with("C-1", policy=parse(f'{{"accounts": {{"direction": "{direction}"}}}}'))
    world.tick()
    assert not world.panel.accounts


def test_a_linked_account_is_compared_even_if_the_message_that_says_so_is_never_sent() -> None:
    world = world_with("C-1", street="Krótka 2")
    world.panel.register({**CLIENT, "street": "Długa 1"}, external_code="C-1", login="jan")
    world.collect("billing")  # too early: there is no link yet
    world.knows_the_panel()
    world.dies_at("send")
    world.work("accounts")
    assert world.exchange.links
    assert world.queue.chunks.get("billing", []) == []
    world.drain()
    world.collect("billing")
    world.drain()
    (account,) = world.panel.accounts.values()
    assert account.values["street"] == "Krótka 2"


def test_a_login_that_is_somebody_elses_after_all_gets_a_suffix() -> None:
    world = world_with("C-1")
    world.panel.register(STRANGER, login="c-1")
    world.knows_the_panel()
    world.dies_at("create")
    world.work("accounts")
    for _ in range(5):
        world.tick()
    assert world.exchange.links["C-1"].panel_login == "c-1-2"


@pytest.mark.parametrize("odd", [" C-1", "C-1 ", "C  1", "C\n1", "C\u200b1"])
def test_an_id_that_a_panel_could_not_keep_to_the_letter_is_held(odd: str) -> None:
    world = world_with(odd)
    world.tick()
    assert state_of(world, odd) == (State.HELD, "bad_id")
    assert not world.panel.accounts


@pytest.mark.parametrize(
    "before", ['{"accounts": {"direction": "off"}}', '{"panel": {"required_on_create": ["phone"]}}']
)
def test_a_changed_policy_looks_again_at_clients_that_it_concerns(before: str) -> None:
    world = world_with("C-1", policy=parse(before), phone=None)
    world.tick()
    world.tick()
    assert not world.panel.accounts
    world.policy = Policy()
    world.tick()
    assert codes(world) == ["C-1"]


def test_only_fields_that_travel_to_the_panel_are_sent_at_creation() -> None:
    rule = '{"billing": {"fields": {"phone": {"direction": "off"}, "nip": {"direction": "panel_to_erp"}}}}'
    world = world_with("C-1", policy=parse(rule))
    world.tick()
    (account,) = world.panel.accounts.values()
    assert (account.values["phone"], account.values["nip"]) == ("", "")
    assert account.values["street"] == "Długa 1"


def test_without_billing_an_account_is_opened_with_what_it_needs_and_nothing_is_agreed() -> None:
    world = world_with("C-1", policy=parse('{"billing": {"direction": "off"}}'))
    world.tick()
    assert codes(world) == ["C-1"]
    assert world.exchange.status("C-1", "billing") is None
    assert not [key for key in world.exchange.bases if key.concern == "billing"]


def test_a_held_client_is_not_tried_again_by_the_daily_sweep() -> None:
    world = world_with("C-1", policy=PATIENT)
    world.panel.refuse("C-1")
    for _ in range(5):
        world.tick()
    posts = world.panel.calls()["POST clients/clients"]
    world.pass_time(days=1)
    world.tick()
    assert world.panel.calls()["POST clients/clients"] == posts


def test_a_deferred_customer_whose_key_is_in_the_queue_is_not_sent_there_again() -> None:
    world = world_with("C-1")
    world.panel.refuse("C-1")
    world.tick(seconds=61)
    assert world.collect("accounts")
    assert world.collect("accounts")
    assert world.queue.chunks["accounts"] == [(Owner("C-1"),)]


@pytest.mark.fault(4, 5)
def test_a_worker_that_dies_anywhere_doubles_nothing() -> None:
    for steps in range(1, 20):
        for after in (False, True):
            world = world_with("C-1", "C-2")
            world.knows_the_panel()
            world.mortal(steps, after=after)
            world.work("accounts")
            for _ in range(3):
                world.tick()
            assert codes(world) == ["C-1", "C-2"], f"died at step {steps}, after: {after}"
            assert len(world.panel.opened) == 2
            assert state_of(world, "C-1", "billing") == (State.IN_STEP, "")


def test_a_client_whose_code_is_no_text_is_named_and_nothing_is_opened() -> None:
    world = world_with("C-1")
    accounts = world.run().concerns["accounts"]
    (plan,) = accounts.plans([Record(Key("C-2", "", "accounts"), has_client=False, odd_key=True)], None)
    assert plan.status
    assert (plan.status.state, plan.status.code) == (State.HELD, "bad_id")
    assert (plan.writes, bool(plan)) == (False, True)
