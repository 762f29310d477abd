"""The brake: a mass of closings, erasures and replacements stops its concern until a person confirms it."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.errors import Retry
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.model import Deferral, Key, Owner, Side, Value
from kartoteka.policy import Brake, parse
from kartoteka.sync.brake import Meter
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Plan
from kartoteka.sync.reconcile import reconcile
from tests.address_world import LINES, AddressWorld, policy
from tests.fakes.state import FakeState
from tests.helpers import linked, puts, tax_number
from tests.world import CLIENT, World

SMALL = '{"brake": {"max_share": 0.2, "min_records": 5}, "panel": {"batch_size": 10}}'


def confirm(world: World, concern: str) -> None:
    """Do what ``kartoteka resume CONCERN --confirm`` does."""
    world.resume(concern, confirm=True)


def close(world: World, clients: range) -> None:
    """Let the ERP close these."""
    for n in clients:
        world.exchange.update_client(f"C-{n}", active=False)


@pytest.mark.parametrize(
    ("field", "before", "after", "counts"),
    [
        ("active", True, False, True),
        ("active", False, True, False),
        ("phone", "1", "", True),
        ("phone", "1", None, True),
        ("phone", "1", "2", False),
        ("phone", "", "2", False),
        ("nip", "1", "2", True),
        ("nip", "", "2", False),
        ("email", "a@b.pl", "c@d.pl", True),
        ("shops", (1, 2), (1,), True),
        ("shops", (1, 2), (1, 3), True),
        ("shops", (1,), (1, 2), False),
        ("shops", (1, 2), (), True),
        ("shops", (1, 12), (1, 2), True),
        ("shops", (), (1,), False),
        ("shops", None, (1,), False),
    ],
)
def test_what_counts(field: str, before: Value, after: Value, counts: bool) -> None:
    assert ACCOUNT_FIELDS[field].risk(before, after) is counts


@pytest.mark.parametrize(
    ("count", "linked_customers", "stops"),
    [(50, 100, False), (51, 100, True), (51, 255, False), (52, 255, True), (60, 1000, False), (201, 1000, True)],
)
def test_both_limits_must_be_passed(count: int, linked_customers: int, stops: bool) -> None:
    meter = Meter("linked clients", lambda: linked_customers, lambda: 0, counted=count)
    assert bool(meter.stops(Brake())) is stops


def test_the_chunk_that_would_pass_the_limit_is_not_written_and_the_concern_stops() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.tick()
    assert world.paused() == {"accounts": "brake"}
    assert len(world.panel.closed) in (0, 2), "the chunk of ten alone is more than six; that of two may come before it"
    statuses = [world.exchange.status(f"C-{n}", "accounts") for n in range(10)]
    assert {(s.state, s.code) for s in statuses if s} == {(State.PENDING, "brake")}


def test_the_chunks_of_one_run_count_together_and_those_after_the_stop_are_parked() -> None:
    world = linked(30, policy=SMALL.replace('"batch_size": 10', '"batch_size": 4'))
    close(world, range(12))
    world.tick()
    assert len(world.panel.closed) == 4
    statuses = [world.exchange.status(f"C-{n}", "accounts") for n in range(12)]
    assert sorted(s.code for s in statuses if s) == [""] * 4 + ["brake"] * 8
    confirm(world, "accounts")
    world.tick()
    assert len(world.panel.closed) == 12


def test_the_result_says_so() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    assert reconcile(world.run().concerns["accounts"], [Owner(f"C-{n}") for n in range(12)]).braked
    assert not reconcile(world.run().concerns["billing"], [Owner(f"C-{n}") for n in range(12)]).braked


def test_what_was_written_within_the_hour_counts_across_runs() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(4))
    world.tick()
    assert len(world.panel.closed) == 4
    close(world, range(4, 6))
    world.tick()
    assert len(world.panel.closed) == 6, "six of thirty are not more than a fifth"
    close(world, range(6, 7))
    world.tick()
    assert len(world.panel.closed) == 6
    assert world.paused() == {"accounts": "brake"}


def test_an_hour_later_it_counts_anew() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(6))
    world.tick()
    world.pass_time(minutes=61)
    close(world, range(6, 12))
    world.tick()
    assert len(world.panel.closed) == 12
    assert not world.paused()


def test_confirmed_the_stopped_change_goes_through_and_the_count_begins_at_nought() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(20))
    world.tick()
    confirm(world, "accounts")
    world.tick()
    assert len(world.panel.closed) == 20
    assert not world.paused()
    close(world, range(20, 26))
    world.tick()
    assert len(world.panel.closed) == 26, "what a person confirmed does not count"
    close(world, range(26, 27))
    world.tick()
    assert len(world.panel.closed) == 26
    assert world.paused()


def test_a_confirmed_crowd_of_several_chunks_and_runs_needs_one_word() -> None:
    world = linked(60, policy=SMALL)
    close(world, range(45))
    world.tick()
    assert world.paused()
    confirm(world, "accounts")
    for chunk in range(0, 45, 10):
        world.queue.send("accounts", [Owner(f"C-{n}") for n in range(chunk, min(chunk + 10, 45))])
    world.drain()
    assert len(world.panel.closed) == 45
    assert not world.paused()


def test_confirmed_what_was_written_before_does_not_count() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(6))
    world.tick()
    close(world, range(6, 7))
    world.tick()
    assert world.paused()
    world.pass_time(seconds=5)
    confirm(world, "accounts")
    world.tick()
    close(world, range(7, 12))
    world.tick()
    assert len(world.panel.closed) == 12
    assert not world.paused()


def test_the_loss_of_the_clouds_state_releases_nothing() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.tick()
    world.state = FakeState()
    for _ in range(3):
        world.tick()
    assert not world.panel.closed
    assert world.paused() == {"accounts": "brake"}
    confirm(world, "accounts")
    world.state = FakeState()
    world.tick()
    assert len(world.panel.closed) == 12


def test_the_end_of_a_pause_without_a_persons_word_lets_nothing_pass() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.tick()
    world.resume("accounts")
    for _ in range(3):
        world.tick()
    assert not world.panel.closed
    assert world.paused() == {"accounts": "brake"}


def test_the_other_concerns_go_on() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.exchange.update_client("C-20", city="Gdynia")
    world.tick()
    assert world.paused() == {"accounts": "brake"}
    account = world.exchange.links["C-20"].panel_client_id
    assert world.panel.accounts[account].values["city"] == "Gdynia"


def test_erased_values_and_replaced_addresses_stop_billing() -> None:
    erase = '{"brake": {"max_share": 0.2, "min_records": 5}, "billing": {"fields": {"phone": {"empty": "erase"}}}}'
    world = linked(30, policy=erase)
    for n in range(4):
        world.exchange.update_client(f"C-{n}", phone="")
    for n in range(4, 8):
        world.exchange.update_client(f"C-{n}", email=f"nowy{n}@firma.pl")
    world.tick()
    assert world.paused() == {"billing": "brake"}
    assert puts(world) == 0


def test_a_panel_that_is_emptied_stops_billing_too() -> None:
    world = linked(30, policy=SMALL)
    for account in list(world.panel.accounts):
        world.panel.edit(account, email=f"x{account}@firma.pl")
    world.tick()
    assert world.paused() == {"billing": "brake"}
    assert {str(client["email"])[0] for client in world.exchange.clients.values()} != {"x"}


def test_a_shop_taken_from_everybody_by_the_policy_stops_the_shops() -> None:
    world = linked(30, policy='{"brake": {"min_records": 5}, "accounts": {"default_shops": [1, 2]}}')
    world.policy = parse('{"brake": {"min_records": 5}, "accounts": {"default_shops": [2]}}')
    world.tick()
    assert world.paused() == {"shops": "brake"}


def test_a_first_load_and_a_first_contact_are_no_mass_change() -> None:
    world = World(parse(SMALL))
    for n in range(40):
        values = {"nip": tax_number(n), "email": f"{n}@firma.pl", "company": "F", "street": "S 1"}
        where = {"zip_code": "00-950", "city": "Łódź", "client_type": "firm", "country_code": "PL"}
        world.exchange.insert_client(f"C-{n}", **values, **where, active=False)
        if n < 20:
            world.panel.register({**values, **where, "email": f"old{n}@firma.pl"}, login=f"shop-{n}")
    world.tick()
    world.tick()
    assert not world.paused()
    assert len(world.panel.closed) == 40


@pytest.mark.parametrize(
    ("edited", "share", "stops"), [(24, 0.8, False), (25, 0.8, True), (30, 1, False), (6, 0, True)]
)
def test_harmless_changes_are_stopped_where_nearly_all_are_written(edited: int, share: float, stops: bool) -> None:
    world = linked(30, policy=f'{{"brake": {{"min_records": 5, "any_share": {share}}}}}')
    for n in range(edited):
        world.exchange.update_client(f"C-{n}", city="Gdynia", phone="601602603")
    world.tick()
    assert world.paused() == ({"billing": "brake"} if stops else {})
    moved = sum(account.values["city"] == "Gdynia" for account in world.panel.accounts.values())
    assert moved == (0 if stops else edited)
    if stops:
        confirm(world, "billing")
        world.tick()
        assert not world.paused()
        assert {a.values["city"] for a in world.panel.accounts.values()} >= {"Gdynia"}


def test_of_harmless_changes_each_record_counts_once_an_hour() -> None:
    world = linked(30, policy=SMALL)
    for city in ("Gdynia", "Sopot", "Hel", "Puck"):
        for n in range(20):
            world.exchange.update_client(f"C-{n}", city=city)
        world.tick()
    assert not world.paused()
    for n in range(20, 25):
        world.exchange.update_client(f"C-{n}", city="Hel")
    world.tick()
    assert world.paused() == {"billing": "brake"}


def test_an_hour_later_harmless_changes_count_anew() -> None:
    world = linked(30, policy=SMALL)
    for first in (0, 10, 20):
        for n in range(first, first + 10):
            world.exchange.update_client(f"C-{n}", city="Hel")
        world.tick()
        world.pass_time(minutes=31)
    assert not world.paused()


@pytest.mark.fault(45)
def test_a_table_filled_by_half_stops_the_closing_where_deletions_are_propagated() -> None:
    world = linked(30, policy='{"brake": {"min_records": 5}, "accounts": {"deletes": "propagate"}}')
    rows = dict(world.exchange.clients)
    for client in rows:
        world.exchange.delete_client(client)
    world.tick()
    assert world.paused() == {"accounts": "brake"}
    assert not world.panel.closed
    for client, row in rows.items():
        world.exchange.insert_client(client, **row)
    confirm(world, "accounts")
    world.tick()
    assert not world.panel.closed


@pytest.mark.parametrize("arrived", [False, True])
def test_an_outage_after_the_confirmation_does_not_bring_the_brake_on_again(arrived: bool) -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.tick()
    confirm(world, "accounts")
    if arrived:
        world.panel.lose_reply()
    else:
        world.panel.fail(*[Retry("timeout") for _ in range(9)])
    world.collect("accounts", everything_due=True)
    world.drain()
    told = [world.exchange.status(f"C-{n}", "accounts") for n in range(12)]
    assert {s.code for s in told if s} <= {"timeout", "connection", ""}, "why it waits is told"
    for _ in range(3):
        world.tick()
    assert len(world.panel.closed) == 12
    assert not world.paused()
    close(world, range(12, 17))
    world.tick()
    assert len(world.panel.closed) == 17, "what a person confirmed does not count"


def test_what_is_deferred_already_when_the_brake_stops_its_concern_is_confirmed_with_the_rest() -> None:
    world = linked(30, policy=SMALL)
    close(world, range(12))
    world.panel.fail(*[Retry("timeout") for _ in range(9)])
    world.collect("accounts")
    world.drain()
    assert {p.code for key, p in world.exchange.deferrals.items() if key.concern == "accounts"} == {"timeout"}
    world.panel.recover()
    world.pause("accounts", "brake")
    world.run().concerns["accounts"].paused([Owner(f"C-{n}") for n in range(12)], "brake")
    confirm(world, "accounts")
    world.tick()
    assert len(world.panel.closed) == 12


def test_a_client_without_an_account_that_waits_for_a_doubt_keeps_its_reason_under_the_brake() -> None:
    world = linked(2)
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": "9", "email": "9@firma.pl"})
    world.exchange.deferrals[Key("C-9", "", "accounts")] = Deferral(world.time, 0, 3, "maybe_opened")
    world.run().concerns["accounts"].paused([Owner("C-9")], "brake")
    assert world.exchange.deferrals[Key("C-9", "", "accounts")].code == "maybe_opened"


def braked_addresses(count: int = 12, *, quiet: int = 0) -> AddressWorld:
    """Return an installation whose brake has stopped the deletion of so many addresses; ``quiet`` ones wait too."""
    world = AddressWorld(policy(deletes="propagate"))
    brake_at = world.policy.brake.model_copy(update={"max_share": 0.2, "min_records": 5})
    world.policy = world.policy.model_copy(update={"brake": brake_at})
    for n in range(count + quiet):
        account = world.customer(f"C-{n}")
        world.exchange.insert_address(f"A-{n}", f"C-{n}", **LINES)
        world.panel.add_address(account, **LINES)
    world.turn()
    for n in range(count):
        world.exchange.delete_address(f"A-{n}")
    return world


def test_an_outage_after_the_confirmation_does_not_stop_addresses_again() -> None:
    world = braked_addresses()
    world.turn()
    assert world.paused() == {"delivery_addresses": "brake"}
    assert len(world.panel.delivery) == 12
    confirm(world, "delivery_addresses")
    delete = world.panel.delete_addresses
    world.panel.delete_addresses = lambda writes: [Retry("timeout") for _ in writes]  # type: ignore[method-assign]
    world.turn()
    world.panel.delete_addresses = delete  # type: ignore[method-assign]
    for _ in range(3):
        world.turn()
    assert not world.paused()
    assert not world.panel.delivery
    assert not [h for h in world.exchange.history if h.counts]


def test_customers_of_a_braked_chunk_who_write_nothing_are_settled_as_usual() -> None:
    world = braked_addresses(quiet=1)
    world.exchange.insert_address("A-99", "C-12", **{**LINES, "city": ""})
    assert world.look(*(f"C-{n}" for n in range(13)))
    assert world.paused() == {"delivery_addresses": "brake"}
    assert world.status("A-99", "C-12").code == "incomplete"
    assert Key("C-12", "", "delivery_addresses") not in world.exchange.deferrals


@pytest.mark.parametrize("reason", ["operator", "brake"])
def test_an_edit_in_the_panel_while_the_row_is_away_and_the_concern_paused_is_carried_in_the_end(reason: str) -> None:
    world = linked(1)
    row = dict(world.exchange.clients["C-0"])
    world.pause("billing", reason)
    world.exchange.delete_client("C-0")
    world.panel.edit(world.exchange.links["C-0"].panel_client_id, city="Kraków")
    for _ in range(3):
        world.tick()
    status = world.exchange.status("C-0", "billing")
    assert status
    assert (status.state, status.code) == (State.EXCLUDED, "deleted")
    confirm(world, "billing")
    world.exchange.insert_client("C-0", **row)
    for _ in range(3):
        world.tick()
    assert world.exchange.clients["C-0"]["city"] == "Kraków"
    assert not [key for key in world.exchange.deferrals if key.client_id == "C-0"]


@pytest.mark.parametrize("concern", ["accounts", "billing", "shops", "delivery_addresses"])
def test_a_deleted_client_is_not_left_pending_by_a_pause(concern: str) -> None:
    world = linked(1)
    world.exchange.delete_client("C-0")
    world.run().concerns[concern].paused([Owner("C-0")], "paused")
    status = world.exchange.status("C-0", concern)
    assert status is None or status.state is not State.PENDING


def with_credit(number: int, policy: str = SMALL) -> World:
    """Return customers whose figures the panel has."""
    world = linked(number, policy=policy)
    figures(world, range(number), credit_limit="1000.00", balance="10.00")
    world.tick()
    assert not world.paused()
    return world


def figures(world: World, clients: range, **values: str) -> None:
    """Let the ERP's export write these figures, as of now."""
    for n in clients:
        row = {"credit_limit": "1000.00", "payment_days": "14", **values}
        world.exchange.set_credit(f"C-{n}", credit_allowed=True, currency="PLN", as_of=world.time, **row)


def shown_of_all(world: World, field: str) -> set[Value]:
    return {account.values[field] for account in world.panel.accounts.values()}


def test_the_balances_of_all_move_each_quarter_of_an_hour_and_stop_nothing() -> None:
    world = with_credit(60)
    for n in range(4):
        world.pass_time(minutes=15)
        figures(world, range(60), balance=f"{20 + n}.00")
        world.tick()
        assert not world.paused()
        assert shown_of_all(world, "balance") == {f"{20 + n}.00"}


@pytest.mark.parametrize("moved", ["credit_limit", "payment_days"])
def test_what_the_erp_decides_of_all_stops_the_figures_and_balances_beside_it_hide_nothing(moved: str) -> None:
    world = with_credit(30)
    figures(world, range(30), balance="20.00")
    world.tick()
    figures(world, range(24), balance="30.00", **{moved: "30"})
    world.tick()
    assert not world.paused(), "24 of 30 are not more than the share"
    figures(world, range(24, 30), balance="40.00", **{moved: "30"})
    world.tick()
    assert world.paused() == {"credit": "brake"}
    confirm(world, "credit")
    world.tick()
    assert not world.paused()


def test_limits_of_a_few_beside_the_balances_of_all_stop_nothing() -> None:
    world = with_credit(30)
    figures(world, range(5), balance="20.00", credit_limit="2000.00")
    figures(world, range(5, 30), balance="20.00")
    world.tick()
    assert not world.paused()
    assert shown_of_all(world, "balance") == {"20.00"}
    assert shown_of_all(world, "credit_limit") == {"2000.00", "1000.00"}


def test_limits_set_to_0_are_counted_whatever_the_balances_do() -> None:
    world = with_credit(30)
    figures(world, range(8), balance="20.00", credit_limit="0.00")
    figures(world, range(8, 30), balance="20.00")
    world.tick()
    assert world.paused() == {"credit": "brake"}


def test_a_balance_that_is_taken_away_counts_though_one_that_moves_does_not() -> None:
    world = with_credit(30)
    records = [world.run().concerns["credit"].load([Owner(f"C-{n}")])[0] for n in range(8)]
    plans = [Plan(r, steps=(Step("balance", Side.PANEL, "", "10.00", risky=True),)) for r in records]
    assert world.run().concerns["credit"].brake.lets_through(plans[:6])
    assert not world.run().concerns["credit"].brake.lets_through(plans)
