"""Reads that lie: what is known and not shown is asked for in another way before it counts as gone, and asked again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.codes import IN_STEP, State
from kartoteka.errors import Halt, Retry
from kartoteka.model import Owner
from kartoteka.ports.panel import Account
from kartoteka.sync.feed import seen
from tests.address_world import ADD, LINES, AddressWorld, policy
from tests.helpers import installation, status_of
from tests.world import CLIENT, CONCERNS, World

CLIENTS = ("C-1", "C-2", "C-3", "C-4")


def linked(*client_ids: str) -> World:
    """Return a world whose clients all have their accounts."""
    world = installation()
    for number, client_id in enumerate(client_ids or CLIENTS):
        world.exchange.insert_client(client_id, **{**CLIENT, "nip": "", "email": f"k{number}@firma.pl"})
    world.tick()
    world.tick()
    assert len(world.exchange.links) == len(world.panel.accounts) == len(client_ids or CLIENTS)
    return world


def known_and_unlinked() -> World:
    """Return a world whose account index knows each client's code, and where no client is linked yet."""
    world = installation()
    world.knows_the_panel()
    for number, client_id in enumerate(CLIENTS):
        row = {**CLIENT, "nip": "", "email": f"k{number}@firma.pl"}
        key = world.panel.register(row, login=f"k{number}", external_code=client_id)
        world.exchange.index.remember([seen(world.exchange.index, world.panel.accounts[key])], at=world.time)
        world.exchange.insert_client(client_id, **row)
    return world


def work(world: World, *concerns: str) -> None:
    """Collect and work these concerns, once."""
    for concern in concerns or CONCERNS:
        world.collect(concern, everything_due=True)
    world.drain()


def rest(world: World) -> None:
    """Tick until what was written has been shown."""
    for _ in range(3):
        world.tick()


def gone(world: World, client_id: str = "C-1", concern: str = "billing") -> bool:
    status = world.exchange.status(client_id, concern)
    return status is not None and (status.state, status.code) == (State.HELD, "account_gone")


def bring_back(world: World, account: Account) -> None:
    world.panel.accounts[account.panel_client_id] = account
    world.panel._ids_by_login[account.login] = account.panel_client_id


def edit_all(world: World) -> None:
    for client_id in world.exchange.links:
        world.exchange.update_client(client_id, street="Nowa 7")


def hide_all(world: World) -> None:
    world.panel.unseen |= world.panel.accounts.keys()


def hide_one(world: World) -> None:
    world.panel.unseen.add(world.exchange.links["C-1"].panel_client_id)


def go_blind(world: World) -> None:
    world.panel.blind = True


# a look-up by code


@pytest.mark.parametrize("lie", [hide_all, go_blind], ids=["one gate", "all gates"])
def test_a_client_whose_code_the_index_knows_is_not_opened_twice(lie: Callable[[World], None]) -> None:
    world = known_and_unlinked()
    lie(world)
    work(world, "accounts")
    assert world.panel.opened == []
    assert {status_of(world, c)[0] for c in CLIENTS} == {State.PENDING}
    world.panel.blind = False
    world.panel.unseen.clear()
    work(world, "accounts")
    assert len(world.exchange.links) == len(world.panel.accounts) == len(CLIENTS)
    assert world.panel.opened == []


def test_an_account_that_the_search_by_code_alone_does_not_show_is_linked() -> None:
    world = known_and_unlinked()
    find = world.panel.find
    world.panel.find = lambda codes: [a for a in find(codes) if a.external_code != "C-2"]  # type: ignore[method-assign]
    work(world, "accounts")
    assert world.exchange.links["C-2"].panel_client_id == "2"
    assert world.panel.opened == []


def test_one_account_that_a_gate_does_not_show_holds_up_nobody_else() -> None:
    world = known_and_unlinked()
    world.panel.unseen.add("1")
    work(world, "accounts")
    assert (status_of(world, "C-1")[1], sorted(world.exchange.links)) == ("broken_answer", ["C-2", "C-3", "C-4"])
    assert world.panel.opened == []


def test_a_code_that_was_taken_from_its_account_is_free_once_the_account_says_so() -> None:
    world = known_and_unlinked()
    world.panel.recode("1", "X-9")
    world.panel.edit("1", email="x@firma.pl")
    work(world, "accounts")
    assert world.exchange.links["C-1"].panel_client_id not in ("1", "2", "3", "4")
    assert world.exchange.index.known(["1"])["1"].external_code == "X-9"


def test_an_account_that_is_really_gone_is_opened_anew() -> None:
    world = known_and_unlinked()
    world.panel.remove("1")
    work(world, "accounts")
    assert len(world.panel.opened) == 1
    assert len(world.exchange.links) == len(CLIENTS)


def test_a_panel_that_shows_nobody_at_all_is_believed_after_some_tries_at_growing_pauses() -> None:
    world = known_and_unlinked()
    go_blind(world)
    tries = 0
    while not world.panel.opened:
        tries += 1
        assert tries < 40
        world.collect("accounts")
        world.drain()
        if not world.panel.opened:
            assert status_of(world, "C-1")[1] == "panel_empty" if tries < 7 else "moved"
        world.pass_time(minutes=1)
    assert tries >= 7, "1, 2 and 4 minutes"


def test_an_outage_in_the_second_question_opens_nothing() -> None:
    world = known_and_unlinked()
    hide_all(world)

    def fails(*_: object) -> frozenset[str]:
        raise Retry("panel_5xx")

    world.panel.seek = fails  # type: ignore[method-assign]
    work(world, "accounts")
    assert (world.panel.opened, status_of(world, "C-1")[1]) == ([], "panel_5xx")


@pytest.mark.parametrize("error", [Retry("broken_answer"), Retry("panel_5xx"), Halt("panel_query", "ignored")])
def test_a_search_that_fails_for_ever_does_not_keep_the_queue_full(error: Retry | Halt) -> None:
    world = known_and_unlinked()

    def fails(*_: object) -> list[object]:
        raise error

    world.panel.find = fails  # type: ignore[assignment]
    work(world, "accounts")
    assert world.panel.opened == []
    assert status_of(world, "C-1")[1] == error.code


# an account that was matched


@pytest.mark.parametrize("lie", [hide_all, go_blind], ids=["one gate", "all gates"])
def test_a_matched_account_that_is_not_shown_is_not_forgotten(lie: Callable[[World], None]) -> None:
    world = linked()
    key = world.panel.register({**CLIENT, "email": "jan@firma.pl"}, login="jan")
    assert world.follow()
    world.exchange.insert_client("C-9", **{**CLIENT, "email": "jan@firma.pl"})
    lie(world)
    work(world, "accounts")
    assert (world.panel.opened, status_of(world, "C-9")[0]) == (world.panel.opened[:4], State.PENDING)
    assert (
        world.exchange.index.known([key])[key].mail == world.exchange.index.recognised({"email": "jan@firma.pl"}).mail
    )
    world.panel.blind = False
    world.panel.unseen.clear()
    work(world, "accounts")
    assert world.exchange.links["C-9"].panel_client_id == key


def test_an_account_that_a_person_named_and_that_is_not_shown_is_asked_for_again() -> None:
    world = linked()
    key = world.panel.register({**CLIENT, "nip": "", "email": "x@firma.pl"}, login="jan")
    assert world.follow()
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": "", "email": "y@firma.pl"})
    world.exchange.answer_incoming(key, "C-9")
    account = world.panel.accounts[key]
    world.panel.remove(key)
    work(world, "accounts")
    assert gone(world, "C-9", "accounts")
    bring_back(world, account)
    world.pass_time(minutes=61)
    world.collect("accounts")
    world.drain()
    assert world.exchange.links["C-9"].panel_client_id == key


# a read by ids


@pytest.mark.parametrize("lie", [hide_all, hide_one], ids=["all", "one"])
def test_a_linked_account_that_one_gate_does_not_show_is_an_outage_and_holds_nothing(
    lie: Callable[[World], None],
) -> None:
    world = linked()
    lie(world)
    edit_all(world)
    work(world)
    assert not any(gone(world, client_id) for client_id in CLIENTS)
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.PENDING, "broken_answer")
    world.panel.unseen.clear()
    rest(world)
    assert {world.exchange.status(client_id, "billing") for client_id in CLIENTS} == {IN_STEP}
    assert {account.values["street"] for account in world.panel.accounts.values()} == {"Nowa 7"}


def test_a_panel_that_shows_neither_a_client_nor_any_other_is_believed_after_some_tries() -> None:
    world = linked()
    go_blind(world)
    world.exchange.update_client("C-1", street="Nowa 7")
    for _ in range(3):
        work(world, "billing")
        status = world.exchange.status("C-1", "billing")
        assert status
        assert (status.state, status.code) == (State.PENDING, "panel_empty")
    work(world, "billing")
    assert gone(world)
    world.panel.blind = False
    rest(world)
    assert world.exchange.status("C-1", "billing") == IN_STEP


def test_clients_that_were_held_for_an_account_that_was_gone_go_on_by_themselves() -> None:
    world = linked()
    go_blind(world)
    edit_all(world)  # all at once: no other client bears witness
    work(world)
    assert all(gone(world, client_id) for client_id in CLIENTS)
    held = world.counts.held
    world.pass_time(minutes=2)
    world.collect("billing")
    world.drain()
    assert gone(world)
    assert world.counts.held == held, "what is held still does not arise anew"
    world.panel.blind = False
    world.pass_time(minutes=5)
    for concern in CONCERNS:
        world.collect(concern)
    world.drain()
    assert not any(gone(world, client_id) for client_id in CLIENTS)
    rest(world)
    assert {world.exchange.status(client_id, "billing") for client_id in CLIENTS} == {IN_STEP}
    assert {account.values["street"] for account in world.panel.accounts.values()} == {"Nowa 7"}


@pytest.mark.parametrize("concern", ["accounts", "billing", "shops", "discounts", "credit", "delivery_addresses"])
def test_every_concern_asks_again_at_growing_pauses_up_to_an_hour(concern: str) -> None:
    world = linked()
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.exchange.set_credit("C-1", credit_allowed=True, credit_limit="5.00", currency="PLN", as_of=world.time)
    account = world.panel.accounts[world.exchange.links["C-1"].panel_client_id]
    world.panel.remove(account.panel_client_id)
    world.queue.send(concern, [Owner("C-1")])
    world.drain()
    assert gone(world, concern=concern)
    waits = []
    key = next(key for key in world.exchange.deferrals if key.concern == concern)
    for _ in range(9):
        waits.append(round((world.exchange.deferrals[key].due_at - world.time).total_seconds() / 60))
        world.time = world.exchange.deferrals[key].due_at
        world.collect(concern)
        assert world.work(concern), "asked again"
        world.drain()
        assert gone(world, concern=concern)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    bring_back(world, account)
    world.pass_time(minutes=61)
    world.collect(concern)
    world.drain()
    assert not gone(world, concern=concern)
    assert world.exchange.deferrals.get(key) is None


def test_a_held_client_is_planned_by_no_scan_and_no_log_while_nothing_changes() -> None:
    world = linked()
    world.panel.remove(world.exchange.links["C-1"].panel_client_id)
    for concern in ("accounts", "billing", "shops"):
        world.queue.send(concern, [Owner("C-1")])
    world.drain()
    run = world.run()
    for concern in ("accounts", "billing", "shops"):
        assert gone(world, concern=concern)
        assert run.concerns[concern].differing([Owner("C-1")]) == []
    world.exchange.update_client("C-1", street="Nowa 7")
    assert run.concerns["billing"].differing([Owner("C-1")]) == [Owner("C-1")]


def test_what_was_held_for_its_account_is_forgotten_with_the_link() -> None:
    world = linked()
    world.panel.remove(world.exchange.links["C-1"].panel_client_id)
    world.queue.send("billing", [Owner("C-1")])
    world.drain()
    assert gone(world)
    del world.exchange.links["C-1"]
    world.collect("billing", everything_due=True)
    world.drain()
    assert world.exchange.status("C-1", "billing") is None
    assert not [key for key in world.exchange.deferrals if key.concern == "billing"]


# addresses of a client that the answer does not name


@pytest.mark.parametrize("direction", ["both", "erp_to_panel"])
@pytest.mark.parametrize("blind", [False, True], ids=["client left out", "nothing found"])
def test_the_first_address_of_a_client_that_the_panel_does_not_name_is_added(direction: str, blind: bool) -> None:
    world = AddressWorld(policy(direction))
    world.panel.names_all = False
    world.customer()
    if not blind:
        world.panel.add_address(world.customer("C-2"), **LINES)
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.turn()
    assert [values["street"] for values in world.shown().values()] == [LINES["street"]]
    assert world.status() == IN_STEP
    before = world.panel.calls()
    world.turn()
    assert ADD not in world.spent(before)
    assert world.panel.calls()[ADD] == 1


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
@pytest.mark.parametrize("count", [1, 3])
def test_addresses_that_were_known_and_are_not_named_any_more_are_held_and_none_is_deleted(
    deletes: str, count: int
) -> None:
    world = AddressWorld(policy("both", deletes=deletes))
    account = world.customer()
    for n in range(count):
        world.exchange.insert_address(f"A-{n}", "C-1", **{**LINES, "street": f"Polna {n}"})
    world.turn()
    kept = dict(world.panel.delivery)
    world.panel.names_all = False
    world.panel.delivery.clear()
    world.turn()
    assert (world.status("").state, world.status("").code) == (State.HELD, "addresses_not_shown")
    assert world.panel.delivery == {}
    assert [world.row(f"A-{n}")["street"] for n in range(count)] == [f"Polna {n}" for n in range(count)]
    assert world.panel.calls()[ADD] == 1
    queued = world.counts.collected
    assert world.rotate()
    assert world.counts.collected == queued, "it is asked again at its own time"
    world.panel.delivery.update(kept)
    world.pass_time(minutes=61)
    assert world.collect("delivery_addresses")
    world.drain()
    assert world.exchange.status("C-1", "delivery_addresses") is None
    assert {world.status(f"A-{n}") for n in range(count)} == {IN_STEP}
    assert account


def test_an_address_that_is_edited_while_its_client_is_not_named_waits_and_travels_later() -> None:
    world = AddressWorld(policy("both"))
    world.customer()
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.turn()
    kept = dict(world.panel.delivery)
    world.panel.names_all = False
    world.panel.delivery.clear()
    world.turn()
    world.exchange.update_address("A-1", street="Nowa 7")
    world.turn()
    assert world.status("").code == "addresses_not_shown"
    world.panel.delivery.update(kept)
    world.turn()
    assert [values["street"] for values in world.shown().values()] == ["Nowa 7"]
    assert world.exchange.status("C-1", "delivery_addresses") is None


def test_an_address_that_was_deleted_where_the_client_is_named_is_a_deletion_still() -> None:
    world = AddressWorld(policy("both", deletes="propagate"))
    world.customer()
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.turn()
    world.panel.remove_address(next(iter(world.panel.delivery)))
    world.turn()
    assert world.exchange.address("A-1") is None


def test_a_client_whose_deleted_addresses_were_seen_to_go_may_be_left_unnamed() -> None:
    world = AddressWorld(policy("both"))
    world.customer()
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.turn()
    world.panel.remove_address(next(iter(world.panel.delivery)))
    world.turn()
    assert world.status("A-1").code == "deleted_in_panel"
    world.panel.names_all = False
    world.exchange.insert_address("A-2", "C-1", **{**LINES, "street": "Nowa 7"})
    world.turn()
    assert [values["street"] for values in world.shown().values()] == ["Nowa 7"]


def test_an_account_that_is_gone_is_told_as_such_though_its_addresses_are_not_named_either() -> None:
    world = AddressWorld(policy("both"))
    account = world.customer()
    world.customer("C-2")
    world.exchange.insert_address("A-1", "C-1", **LINES)
    world.turn()
    world.panel.names_all = False
    world.panel.remove(account)
    world.turn()
    assert world.status("").code == "account_gone"
