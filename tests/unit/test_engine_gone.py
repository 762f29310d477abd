"""Rows that are gone without a trigger's notice, what is said of clients that are gone, and rows that are nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.codes import IN_STEP, State, Status, status
from kartoteka.errors import Retry
from kartoteka.model import Deferral, Key
from tests.helpers import account_of, linked, number_of, owners, prices, puts
from tests.world import CLIENT, CONCERNS, World

PROPAGATE = '{"accounts": {"deletes": "propagate"}, "delivery_addresses": {"deletes": "propagate"}}'
CREDIT: dict[str, Any] = {"credit_allowed": True, "credit_limit": "500.00", "balance": "0.00", "currency": "PLN"}
ADDRESS: dict[str, Any] = {
    "first_name": "Jan", "last_name": "Kowal", "street": "Nowa 2", "zip_code": "30-001", "city": "Kraków",
}  # fmt: skip


def unseen(world: World) -> None:
    """Let triggers miss what follows; they look well to whoever looks (a session that switched them off for itself)."""
    world.exchange.note = lambda *_args, **_kwargs: None  # type: ignore[method-assign]


def scan(world: World, *, minutes: float = 0) -> None:
    """Let time pass, and every concern begin a full scan; then work the queues."""
    world.pass_time(minutes=minutes)
    for concern in CONCERNS:
        stored = world.state.documents.get(f"log:{concern}")
        if stored and stored.document:
            stored.document["policy"] = "another"  # type: ignore[index]
        assert world.collect(concern)
    world.drain()


def in_step(world: World, client: str) -> list[str]:
    return [key.concern for key, s in world.exchange.statuses.items() if key.client_id == client and s == said("")]


def said(code: str) -> Status:
    return status(code) if code else IN_STEP


def states(world: World, client: str) -> set[tuple[State, str]]:
    return {(s.state, s.code) for key, s in world.exchange.statuses.items() if key.client_id == client}


GONE = {(State.EXCLUDED, "deleted")}


def full(policy: str = PROPAGATE) -> World:
    world = linked(2, policy=policy)
    world.exchange.set_credit("C-0", **CREDIT)
    world.exchange.set_shops("C-0", 1, 2)
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="9.99", currency="PLN")
    world.exchange.update_client("C-0", discount_group_id="G1")
    world.exchange.insert_address("A-1", "C-0", **ADDRESS)
    for _ in range(4):
        world.tick()
        world.rotate()
        world.drain()
    return world


@pytest.mark.parametrize("policy", ["{}", PROPAGATE])
def test_of_a_client_that_was_deleted_nothing_is_in_step(policy: str) -> None:
    world = full(policy)
    assert in_step(world, "C-0")
    world.exchange.delete_client("C-0")
    for _ in range(3):
        world.tick()
    assert states(world, "C-0") <= {*GONE, (State.WAITING, "no_client")}, states(world, "C-0")
    assert (State.EXCLUDED, "deleted") in states(world, "C-0")
    assert states(world, "C-1") == {(State.IN_STEP, "")}


@pytest.mark.parametrize("policy", ["{}", PROPAGATE])
def test_a_client_that_no_trigger_saw_go_is_found_by_two_scans(policy: str) -> None:
    world = full(policy)
    account = account_of(world, "C-0")
    unseen(world)
    world.exchange.delete_client("C-0")
    scan(world)
    assert in_step(world, "C-0")
    assert not world.panel.closed
    scan(world, minutes=14)
    assert not world.panel.closed
    scan(world, minutes=2)
    assert world.panel.closed == ({account} if policy == PROPAGATE else set())
    assert not in_step(world, "C-0")
    assert states(world, "C-1") == {(State.IN_STEP, "")}


def test_the_second_look_needs_no_whole_scan_but_a_quarter_of_an_hour() -> None:
    world = full()
    unseen(world)
    world.exchange.delete_client("C-0")
    scan(world)
    for minutes, closed in ((5, 0), (9, 0), (2, 1)):
        world.pass_time(minutes=minutes)
        world.collect("accounts", everything_due=True)
        world.drain()
        assert len(world.panel.closed) == closed, minutes


def test_the_daily_scan_finds_it() -> None:
    world = full()
    unseen(world)
    world.exchange.delete_client("C-0")
    for _ in range(3):
        world.pass_time(hours=25)
        for concern in CONCERNS:
            world.collect(concern)
        world.drain()
    assert len(world.panel.closed) == 1
    assert not in_step(world, "C-0")


@pytest.mark.fault(45)
def test_a_table_that_is_just_being_filled_closes_nobody() -> None:
    world = full()
    before = (puts(world), len(world.exchange.history))
    unseen(world)
    rows = dict(world.exchange.clients)
    for client in rows:
        world.exchange.delete_client(client)
    scan(world)
    for client, row in rows.items():
        world.exchange.insert_client(client, **row)  # type: ignore[arg-type]
    scan(world, minutes=16)
    scan(world, minutes=16)
    assert (puts(world), len(world.exchange.history)) == before
    assert states(world, "C-0") == {(State.IN_STEP, "")}


def test_a_deletion_that_a_trigger_saw_is_acted_on_at_once() -> None:
    world = full()
    world.exchange.delete_client("C-0")
    world.collect("accounts")
    world.drain()
    assert len(world.panel.closed) == 1


def test_a_trigger_that_sees_it_after_a_scan_ends_the_waiting() -> None:
    world = full()
    plain = world.exchange.note
    unseen(world)
    world.exchange.delete_client("C-0")
    scan(world)
    world.exchange.note = plain  # type: ignore[method-assign]
    world.exchange.insert_client("C-0", **CLIENT)
    world.exchange.delete_client("C-0")
    world.collect("accounts")
    world.drain()
    assert len(world.panel.closed) == 1


def test_who_is_named_by_a_person_is_worked_at_once() -> None:
    """`kartoteka resync` puts keys into the queue."""
    world = full()
    unseen(world)
    world.exchange.delete_client("C-0")
    assert world.reconcile("accounts", *owners("C-0"))
    assert len(world.panel.closed) == 1


def test_an_address_that_no_trigger_saw_go_is_deleted_after_two_scans() -> None:
    world = full()
    assert len(world.panel.delivery) == 1
    unseen(world)
    world.exchange.delete_address("A-1")
    scan(world)
    assert len(world.panel.delivery) == 1
    scan(world, minutes=16)
    assert not world.panel.delivery


def test_a_price_that_no_trigger_saw_go_is_removed_after_two_scans() -> None:
    world = full()
    assert prices(world) == {"product/7": "9.99 PLN"}
    unseen(world)
    world.exchange.delete_item("G1", "product", "7")
    scan(world)
    assert prices(world) == {"product/7": "9.99 PLN"}
    scan(world, minutes=16)
    assert prices(world) == {}
    assert number_of(world)


def test_what_a_scan_finds_of_those_who_are_there_is_carried_at_once() -> None:
    world = full()
    unseen(world)
    world.exchange.delete_client("C-0")
    world.exchange.update_client("C-1", city="Radom")
    scan(world)
    assert world.panel.accounts[account_of(world, "C-1")].values["city"] == "Radom"


def test_more_than_can_be_remembered_are_found_by_the_next_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.collect.MOST_ABSENT", 2)
    world = linked(5, policy=PROPAGATE)
    unseen(world)
    for client in list(world.exchange.clients):
        world.exchange.delete_client(client)
    closed = []
    for _ in range(4):
        scan(world, minutes=16)
        closed.append(len(world.panel.closed))
    assert closed == [0, 2, 4, 5]


def test_of_a_client_that_is_gone_and_lost_its_link_nothing_is_in_step() -> None:
    world = full("{}")
    del world.exchange.links["C-0"]
    world.exchange.delete_client("C-0")
    for _ in range(2):
        world.tick()
    assert not in_step(world, "C-0")


def test_a_client_that_comes_back_goes_on() -> None:
    world = full("{}")
    row = dict(world.exchange.clients["C-0"])
    world.exchange.delete_client("C-0")
    world.tick()
    world.exchange.insert_client("C-0", **row)  # type: ignore[arg-type]
    for _ in range(2):
        world.tick()
    assert states(world, "C-0") == {(State.IN_STEP, "")}


# --- rows that are nobody's


@pytest.mark.parametrize("owner", ["", None])
def test_an_address_that_names_nobody_is_told_and_goes_on_once_it_names_one(owner: str | None) -> None:
    world = linked()
    world.exchange.insert_address("A-1", owner, **ADDRESS)
    world.tick()
    told = world.exchange.status("", "delivery_addresses", "A-1")
    assert told is not None
    assert (told.state, told.code) == (State.WAITING, "no_client")
    world.exchange.update_address("A-1", client_id="C-0")
    for _ in range(2):
        world.tick()
    assert world.exchange.status("", "delivery_addresses", "A-1") is None
    assert world.exchange.status("C-0", "delivery_addresses", "A-1") == said("")
    assert len(world.panel.delivery) == 1


def test_one_that_no_trigger_saw_come_is_told_by_a_scan() -> None:
    world = linked()
    unseen(world)
    world.exchange.insert_address("A-1", None, **ADDRESS)
    scan(world)
    assert world.exchange.status("", "delivery_addresses", "A-1")


def test_nobodys_address_that_is_deleted_is_nothing_any_more() -> None:
    world = linked()
    world.exchange.insert_address("A-1", None, **ADDRESS)
    world.tick()
    world.exchange.delete_address("A-1")
    world.tick()
    assert not [key for key in world.exchange.states if not key.client_id and not key.group_id]


@pytest.mark.fault(47)
@pytest.mark.parametrize("what", ["shops", "credit", "address"])
def test_rows_of_a_client_that_is_not_there_are_told_until_it_comes(what: str) -> None:
    world = linked()
    exchange = world.exchange
    key = {
        "shops": Key("C-9", "", "shops"),
        "credit": Key("C-9", "", "credit"),
        "address": Key("C-9", "", "delivery_addresses", "A-9"),
    }[what]
    if what == "shops":
        exchange.set_shops("C-9", 2)
    elif what == "credit":
        exchange.set_credit("C-9", **CREDIT)
    else:
        exchange.insert_address("A-9", "C-9", **ADDRESS)
    world.tick()
    assert exchange.statuses[key].code == "no_client"
    calls = dict(world.panel.calls())
    world.tick()
    assert world.panel.calls()["POST clients/clients"] == calls["POST clients/clients"]
    exchange.insert_client("C-9", **{**CLIENT, "nip": "7010416384", "email": "c9@firma.pl"})
    for _ in range(3):
        world.tick()
    assert exchange.statuses[key] == said("")


def test_shops_that_are_left_of_a_client_that_was_deleted_do_not_bring_it_back() -> None:
    world = full("{}")
    world.exchange.delete_client("C-0")
    world.tick()
    before = puts(world)
    world.exchange.set_shops("C-0", 3)
    for _ in range(2):
        world.tick()
    assert puts(world) == before
    assert world.exchange.status("C-0", "shops") == said("deleted")


# --- rows of other tables, and of those who are deferred


ZERO = '{"accounts": {"deletes": "propagate"}, "delivery_addresses": {"deletes": "propagate"}, '
ZERO += '"discounts": {"deletes": "propagate"}, "credit": {"when_stale": "zero", "stale_after_minutes": 100000}}'


def daily(world: World, *, minutes: float = 0) -> None:
    """Let time pass, and every concern begin its daily scan; then work the queues."""
    world.pass_time(minutes=minutes)
    for concern in CONCERNS:
        stored = world.state.documents.get(f"log:{concern}")
        if stored and stored.document:
            stored.document["scanned_at"] = (world.time - timedelta(hours=25)).isoformat()  # type: ignore[index]
        assert world.collect(concern)
    world.drain()


def in_panel(world: World) -> dict[str, object]:
    """Return what the panel holds of C-0 and of the group."""
    account = account_of(world, "C-0")
    return {
        "shops": world.panel.accounts[account].values["shops"],
        "limit": world.panel.accounts[account].values["credit_limit"],
        "addresses": len(world.panel.delivery),
        "prices": sum(map(len, world.panel.prices.values())),
        "groups": len(world.panel.discount_groups),
    }


@pytest.mark.parametrize(
    ("table", "key", "changed"),
    [
        ("client_shops", ("C-0", 1), {"shops": (2,)}),
        ("client_shops", ("C-0", 2), {"shops": (1,)}),
        ("client_shops", ("C-0", 1, 2), {"shops": (1,)}),
        ("client_credit", "C-0", {"limit": "0.00"}),
        ("delivery_addresses", "A-1", {"addresses": 0}),
        ("discount_group_items", ("G1", "product", "7"), {"prices": 0}),
    ],
)
@pytest.mark.parametrize("refilled", [False, True])
def test_a_row_that_only_a_scan_missed_is_acted_on_at_the_second_one(
    table: str, key: Any, changed: dict[str, object], refilled: bool
) -> None:
    world = full(ZERO)
    before = in_panel(world)
    unseen(world)
    if table == "client_shops":
        world.exchange.set_shops("C-0", *({1, 2} - set(key[1:])))
    else:
        world.exchange.change(table, "D", key)
    daily(world)
    assert in_panel(world) == before
    daily(world, minutes=14)
    assert in_panel(world) == before
    if refilled:
        world = refill(world, table)
    daily(world, minutes=2)
    daily(world, minutes=16)
    assert in_panel(world) == (before if refilled else {**before, **changed})


def refill(world: World, table: str) -> World:
    if table == "client_shops":
        world.exchange.set_shops("C-0", 1, 2)
    elif table == "client_credit":
        world.exchange.set_credit("C-0", **CREDIT)
    elif table == "delivery_addresses":
        world.exchange.insert_address("A-1", "C-0", **ADDRESS)
    else:
        world.exchange.set_item("G1", "product", "7", price="9.99", currency="PLN")
    return world


def test_rows_of_shops_that_a_trigger_saw_go_and_a_policy_that_gives_fewer_count_at_once() -> None:
    world = full(ZERO)
    world.exchange.set_shops("C-0", 2)
    world.collect("shops")
    world.drain()
    assert in_panel(world)["shops"] == (2,)
    unseen(world)
    world.exchange.set_shops("C-0")
    daily(world)
    assert in_panel(world)["shops"] == (2,), "the default is not what the ERP has asked for"
    scan(world)
    assert in_panel(world)["shops"] == (1,), "by a new policy"


def deferred_and_gone() -> tuple[World, str]:
    """Return an installation in which a client is deferred in every concern, and then gone without a word."""
    world = full()
    account = account_of(world, "C-0")
    for concern in ("accounts", "billing"):
        key = Key("C-0", "", concern)
        due = Deferral(world.time, 0, 1, "timeout")
        world.exchange.states[key] = replace(world.exchange.states[key], deferral=due)
    unseen(world)
    world.exchange.delete_client("C-0")
    return world, account


def test_what_is_deferred_of_a_client_that_no_trigger_saw_go_waits_for_the_second_look() -> None:
    world, account = deferred_and_gone()
    for minutes, closed in ((0, set()), (10, set()), (6, {account})):
        world.pass_time(minutes=minutes)
        world.collect("accounts")
        world.drain()
        assert world.panel.closed == closed


def test_what_is_deferred_of_a_client_that_comes_back_is_carried() -> None:
    world, _ = deferred_and_gone()
    row = {**CLIENT, "nip": world.panel.accounts[account_of(world, "C-0")].values["nip"]}
    world.collect("accounts")
    world.exchange.insert_client("C-0", **{**row, "email": "0@firma.pl"})
    world.pass_time(minutes=20)
    world.collect("accounts")
    world.drain()
    assert not world.panel.closed


def test_a_deletion_that_a_trigger_saw_is_tried_again_by_its_own_time_after_an_outage() -> None:
    world = full()
    world.exchange.delete_client("C-0")
    world.panel.fail(*[Retry("timeout") for _ in range(2)])
    world.collect("accounts")
    world.drain()
    assert not world.panel.closed
    world.panel.recover()
    world.pass_time(minutes=3)
    world.collect("accounts")
    world.drain()
    assert len(world.panel.closed) == 1


def test_a_deletion_that_a_trigger_saw_waits_for_nobody_where_a_scan_begins_in_that_run() -> None:
    world = full(ZERO)
    world.exchange.delete_address("A-1")
    world.exchange.set_shops("C-0", 2)
    daily(world)
    assert in_panel(world)["addresses"] == 0
    assert in_panel(world)["shops"] == (2,)


@pytest.mark.parametrize("concern", ["delivery_addresses", "shops"])
def test_what_the_log_told_of_as_a_scan_began_comes_back_after_an_outage_by_its_own_time(concern: str) -> None:
    world = full()
    if concern == "shops":
        world.exchange.set_shops("C-0", 1)
    else:
        world.exchange.delete_address("A-1")
    world.state.documents.pop(f"log:{concern}")  # without a cursor the log is read anew, and all are scanned
    world.panel.fail(*[Retry("panel_5xx") for _ in range(2)])
    assert world.collect(concern)
    while world.work(concern):
        pass
    assert any(s.deferral for key, s in world.exchange.states.items() if key.concern == concern)
    world.panel.recover()
    world.pass_time(minutes=2)
    assert world.collect(concern)
    world.drain()
    if concern == "shops":
        assert world.panel.accounts[account_of(world, "C-0")].values["shops"] == (1,)
    else:
        assert world.panel.delivery == {}
