"""Customers who registered in the shop: listed for the ERP, and linked when it answers."""

from __future__ import annotations

from kartoteka.codes import State
from kartoteka.policy import parse
from tests.helpers import OTHER, by, candidates, installation, status_of
from tests.world import CLIENT, World


def test_strangers_are_listed_with_their_billing_columns_and_nothing_happens_to_them() -> None:
    world = installation()
    account = world.panel.register({**CLIENT, "phone": "501 502 503"}, login="jan")
    world.tick()
    world.tick()
    assert world.exchange.incoming.keys() == {account}
    row = world.exchange.incoming[account].values
    assert (row["email"], row["company"], row["phone"]) == (CLIENT["email"], CLIENT["company"], "501 502 503")
    assert sum(n for gate, n in world.panel.calls().items() if not gate.startswith("GET")) == 0


def test_one_who_registers_later_is_listed_by_the_feed_without_another_call() -> None:
    world = installation()
    world.tick()
    before = world.panel.calls()["GET clients/clients"]
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    assert world.exchange.incoming.keys() == {account}
    assert world.panel.calls()["GET clients/clients"] == before + 1


def test_guests_and_foreign_codes_are_not_listed() -> None:
    world = installation()
    world.panel.register(CLIENT, guest=True, login="guest")
    world.panel.register(OTHER, login="jan", external_code="OLD-1")
    world.tick()
    world.tick()
    assert not world.exchange.incoming


def test_guests_who_come_later_are_not_listed_and_nor_is_anybody_where_it_is_off() -> None:
    world = installation()
    world.tick()
    world.panel.register(CLIENT, guest=True, login="guest")
    world.tick()
    assert not world.exchange.incoming
    world = installation(policy='{"accounts": {"incoming": false}}')
    world.tick()
    world.panel.register(CLIENT, login="jan")
    world.tick()
    assert not world.exchange.incoming


def test_an_account_that_comes_later_and_is_hit_by_a_client_is_not_listed() -> None:
    world = installation(policy='{"accounts": {"direction": "panel_to_erp"}}')
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.tick()
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "ambiguous")
    assert not world.exchange.incoming


def test_an_account_that_a_held_client_hits_is_not_listed() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    assert candidates(world, "C-1").keys() == {one, two}
    assert not world.exchange.incoming


def test_an_answer_links_and_the_panel_learns_the_code() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.exchange.insert_client("C-9", **OTHER)  # the ERP's client looks otherwise, and yet it is his
    world.exchange.answer_incoming(account, "C-9")
    world.tick()
    assert by(world, "C-9") == (account, "incoming")
    assert world.panel.accounts[account].external_code == "C-9"
    assert account not in world.exchange.incoming
    assert not world.panel.opened
    assert world.panel.accounts[account].values["company"] == OTHER["company"]


def test_an_answer_that_comes_before_the_client() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.exchange.answer_incoming(account, "C-9")
    world.tick()
    assert not world.exchange.links
    world.exchange.insert_client("C-9", **OTHER)
    world.tick()
    assert by(world, "C-9") == (account, "incoming")


def test_a_client_that_fits_is_linked_without_an_answer_and_the_row_goes() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert by(world, "C-1") == (account, "nip")
    assert not world.exchange.incoming


def test_two_answers_for_one_client_are_a_question() -> None:
    world = installation()
    one = world.panel.register(CLIENT, login="jan")
    two = world.panel.register(OTHER, login="ewa")
    world.tick()
    world.exchange.answer_incoming(one, "C-9")
    world.exchange.answer_incoming(two, "C-9")
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": "", "email": "x@y.pl"})
    world.tick()
    assert status_of(world, "C-9") == (State.HELD, "ambiguous")
    world.exchange.decide_match("C-9", two, "link")
    world.tick()
    assert by(world, "C-9") == (two, "operator")


def test_one_account_decided_for_two_clients_is_held_for_both() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    for client in ("C-8", "C-9"):
        world.exchange.insert_client(client, **{**CLIENT, "email": f"{client}@y.pl"})
    world.tick()
    world.exchange.decide_match("C-8", account, "link")
    world.exchange.decide_match("C-9", account, "link")
    world.tick()
    assert status_of(world, "C-8") == status_of(world, "C-9") == (State.HELD, "shared_account")


def test_edits_before_the_answer_renew_the_row_and_a_code_given_in_the_panel_takes_it_away() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.panel.edit(account, city="Gdynia")
    world.tick()
    assert world.exchange.incoming[account].values["city"] == "Gdynia"
    world.panel.recode(account, "OLD-1")
    world.tick()
    assert not world.exchange.incoming


def test_the_half_can_be_switched_off() -> None:
    world = installation(policy='{"accounts": {"incoming": false}}')
    world.panel.register(CLIENT, login="jan")
    world.tick()
    world.tick()
    assert not world.exchange.incoming


def test_it_works_whatever_the_direction_of_the_accounts() -> None:
    world = installation(policy='{"accounts": {"direction": "off"}}')
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **OTHER)
    world.exchange.insert_client("C-2", **{**OTHER, "email": "", "nip": ""})
    world.tick()
    assert world.exchange.incoming.keys() == {account}
    world.exchange.answer_incoming(account, "C-1")
    world.tick()
    assert by(world, "C-1") == (account, "incoming")
    assert world.exchange.links.keys() == {"C-1"}
    assert not world.panel.opened


def test_switched_on_later_it_lists_those_that_came_before() -> None:
    world = installation(policy='{"accounts": {"incoming": false}}')
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.policy = parse("{}")
    world.pass_time(hours=7)
    world.tick()
    assert world.exchange.incoming.keys() == {account}


def told(world: World, client: str) -> tuple[State, str, str]:
    """Return what ``sync_status`` says of a client, with the sentence."""
    status = world.exchange.status(client, "accounts")
    assert status
    return status.state, status.code, status.message_en


def test_an_answer_that_names_no_client_is_told_until_there_is_one_or_it_is_corrected() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.exchange.answer_incoming(account, "typo")
    world.tick()
    assert told(world, "typo")[:2] == (State.WAITING, "no_client")
    assert account in told(world, "typo")[2]
    world.exchange.insert_client("C-9", **OTHER)
    world.exchange.answer_incoming(account, "C-9")
    world.tick()
    assert world.exchange.status("typo", "accounts") is None
    assert by(world, "C-9") == (account, "incoming")


def test_an_answer_that_names_a_client_with_an_account_is_told_until_it_is_corrected() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **OTHER)
    world.tick()
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.exchange.answer_incoming(account, "C-1")
    world.tick()
    state, code, message = told(world, "C-1")
    assert (state, code) == (State.HELD, "already_linked")
    assert account in message
    assert by(world, "C-1") == ("1", "created")
    world.exchange.insert_client("C-2", **{**OTHER, "nip": "", "email": "x@y.pl"})
    world.exchange.answer_incoming(account, "C-2")
    world.tick()
    assert told(world, "C-1")[:2] == (State.IN_STEP, "")
    assert by(world, "C-2") == (account, "incoming")


def test_an_account_that_becomes_a_question_is_no_stranger_any_more() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.tick()
    assert world.exchange.incoming.keys() == {one, two}
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "ambiguous")
    assert not world.exchange.incoming
