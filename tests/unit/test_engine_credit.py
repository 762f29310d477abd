"""Trade credit: absolute figures, refused by name, stale ones by policy, drift put right where the panel shows any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Key, Outcome, Owner, Value, Values
from kartoteka.policy import parse
from kartoteka.ports.panel import AccountUpdate
from kartoteka.sync.collect import DueDates, advance
from tests.helpers import account_of, left_undone
from tests.world import CLIENT, START, World

KEY = Key("C-0", "", "credit")
FIGURES: dict[str, Value] = {"credit_allowed": True, "credit_limit": "1000", "balance": "250.5", "currency": "PLN"}


def customers(count: int = 1, *, policy: str = "{}", **figures: Value) -> World:
    """Return an installation with these customers, linked, and their figures, computed now."""
    world = World(parse(policy)).knows_the_panel()
    for n in range(count):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl"})
        world.exchange.set_credit(f"C-{n}", **{**FIGURES, "payment_days": "14", "as_of": world.time, **figures})
    world.tick()
    return world


def held_by_panel(world: World, client: str = "C-0") -> tuple[Value, Value, Value]:
    """Return limit, balance and days to pay, as the panel has them."""
    key = account_of(world, client)
    values = world.panel.accounts[key].values
    return values["credit_limit"], values["balance"], world.panel.payment_days.get(key)


def told(world: World, client: str = "C-0") -> tuple[State, str] | None:
    """Return what ``sync_status`` says of a customer's credit."""
    status = world.exchange.status(client, "credit")
    return (status.state, status.code) if status else None


def message(world: World, client: str = "C-0") -> str:
    """Return the sentence for a person."""
    status = world.exchange.status(client, "credit")
    assert status is not None
    return status.message_en


def history(world: World, client: str = "C-0") -> list[tuple[str, str | None, str | None, str]]:
    """Return what was written of a customer's credit."""
    rows = [h for h in world.exchange.history if h.client_id == client and h.concern == "credit"]
    return [(h.field, h.value_before, h.value_after, h.reason) for h in rows]


def puts(world: World) -> int:
    """Return how many calls have written to accounts."""
    return world.panel.calls().get("PUT clients/clients", 0)


def refresh(world: World, client: str = "C-0", /, **figures: Value) -> None:
    """Compute a customer's figures now."""
    world.exchange.set_credit(client, **{**figures, "as_of": world.time})


def test_figures_arrive_and_then_nothing_more_is_sent() -> None:
    world = customers(50)
    assert held_by_panel(world, "C-7") == ("1000.00", "250.50", "14")
    assert puts(world) == 1
    assert told(world) == (State.IN_STEP, "")
    assert sorted(history(world)) == [
        ("balance", None, "250.50", "first_contact"),
        ("credit_limit", "0.00", "1000.00", "first_contact"),
        ("payment_days", None, "14", "first_contact"),
    ]
    world.tick()  # the figure that the panel shows of the balance is noted
    before = world.panel.calls()
    for _ in range(10):
        refresh(world)
        world.tick()
    spent = {gate: n - before[gate] for gate, n in world.panel.calls().items() if n != before[gate]}
    assert spent == {"GET clients/clients": 10}  # the feed


def test_a_balance_that_comes_ten_times_is_written_once() -> None:
    world = customers()
    before = puts(world)
    for n in range(10):
        refresh(world, balance=("300", "300.00", "300.0", "3e2")[n % 4])
        world.tick()
    assert held_by_panel(world)[1] == "300.00"
    assert puts(world) == before + 1
    assert [h for h in history(world) if h[3] == "edit"] == [("balance", "250.50", "300.00", "edit")]


def test_not_allowed_is_a_limit_of_nought() -> None:
    world = customers(credit_allowed=False)
    assert held_by_panel(world)[0] == "0.00"
    refresh(world, credit_allowed=True)
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"


def test_not_allowed_needs_no_limit() -> None:
    world = customers(credit_allowed=False, credit_limit=None)
    assert told(world) == (State.IN_STEP, "")


@pytest.mark.parametrize("missing", ["credit_allowed", "credit_limit"])
def test_a_row_that_does_not_say_how_much_is_held_and_nothing_is_sent(missing: str) -> None:
    world = customers(**{missing: None})
    assert told(world) == (State.HELD, "incomplete")
    assert missing in message(world)
    assert puts(world) == 0
    refresh(world, **FIGURES)
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    assert held_by_panel(world)[0] == "1000.00"


def test_the_sign_of_the_balance_is_a_setting() -> None:
    world = customers(policy='{"credit": {"balance_sign": -1}}')
    assert held_by_panel(world)[1] == "-250.50"
    assert told(world) == (State.IN_STEP, "")


OLD = ("1000.00", "250.50", "14")


@pytest.mark.fault(66)
@pytest.mark.parametrize(
    ("figures", "code", "says", "goes"),
    [
        ({"credit_limit": "-5"}, "bad_amount", "'-5.00' in client_credit (credit_limit) is negative", OLD),
        ({"credit_limit": "NaN"}, "bad_amount", "'NaN' in client_credit (credit_limit)", OLD),
        ({"credit_limit": "1000,00"}, "bad_amount", "'1000,00' in client_credit (credit_limit)", OLD),
        ({"balance": "9" * 39}, "bad_amount", f"'{'9' * 39}' in client_credit (balance)", OLD),
        ({"balance": "dużo", "credit_limit": "5"}, "bad_amount", "'dużo' in client_credit (balance)", OLD),
        ({"balance": "dużo", "payment_days": "7"}, "bad_amount", "(balance)", ("1000.00", "250.50", "7")),
        ({"payment_days": "14 dni"}, "bad_days", "'14 dni' in client_credit (payment_days)", ("1000.00", "7.00", "14")),
        (
            {"credit_allowed": "może"},
            "bad_flag",
            "'może' in client_credit (credit_allowed) means neither yes nor no",
            OLD,
        ),
        ({"payment_days": "-1"}, "bad_days", "'-1' in client_credit (payment_days)", ("1000.00", "7.00", "14")),
        ({"currency": "EUR"}, "other_currency", "in EUR and the account in the panel is in PLN", ("0.00", *OLD[1:])),
        ({"as_of": "wczoraj"}, "bad_as_of", "client_credit.as_of", OLD),
        ({"as_of": "0001-01-01T00:00:00+14:00"}, "bad_as_of", "client_credit.as_of", OLD),
        ({"as_of": "2062-03-02T12:00:00"}, "bad_as_of", "more than 15 minutes ahead", OLD),
        ({"as_of": "2026-03-02T13:59:00"}, "bad_as_of", "is it local time?", OLD),
        ({"as_of": "2026-03-02T12:20:00"}, "bad_as_of", "is it local time?", OLD),
    ],
)
def test_what_is_no_figure_is_held_by_name_and_the_rest_goes(
    figures: dict[str, Value], code: str, says: str, goes: tuple[str, str, str]
) -> None:
    world = customers(2)
    refresh(world, "C-1", balance="1")
    world.exchange.set_credit("C-0", **{"balance": "7", **figures})
    world.tick()
    assert told(world) == (State.HELD, code)
    assert says in message(world)
    assert held_by_panel(world) == goes
    assert held_by_panel(world, "C-1")[1] == "1.00"
    refresh(world, **FIGURES, payment_days="14")
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    assert held_by_panel(world) == OLD


@pytest.mark.parametrize(
    "wrong", [{"currency": "EUR"}, {"payment_days": "1000"}, {"balance": "dużo"}, {"credit_limit": None}]
)
def test_what_is_held_is_not_looked_at_again_for_a_fresh_moment_alone(wrong: dict[str, Value]) -> None:
    world = customers()
    refresh(world, **wrong)
    world.tick()
    world.tick()
    status = told(world)
    assert status
    assert status[0] is State.HELD
    before = len(world.panel.log)
    for _ in range(5):
        refresh(world)
        world.tick()
    assert {about for _, about in world.panel.log[before:]} == {()}  # the feed's own calls
    assert told(world) == status
    refresh(world, credit_allowed=False)  # a limit of nought goes nevertheless
    world.tick()
    assert held_by_panel(world)[0] == "0.00"
    refresh(world, **FIGURES, payment_days="14")
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    assert held_by_panel(world) == ("1000.00", "250.50", "14")


def test_negative_and_huge_amounts_that_fit_are_exact() -> None:
    world = customers(credit_limit="9999999999.99", balance="-0.005")
    assert held_by_panel(world)[:2] == ("9999999999.99", "-0.01")


def test_the_currency_is_the_customers_in_the_panel_in_any_case() -> None:
    world = customers(currency="pln")
    assert told(world) == (State.IN_STEP, "")
    world = customers(currency=None)
    assert told(world) == (State.IN_STEP, "")


@pytest.mark.fault(60, 67)
def test_figures_of_a_customer_whose_currency_changes_are_told_and_right_again_when_it_is() -> None:
    world = customers()
    key = account_of(world, "C-0")
    world.exchange.update_client("C-0", currency="EUR")
    world.tick()
    world.tick()
    assert told(world) == (State.HELD, "other_currency")
    assert held_by_panel(world)[0] == "0.00"  # 1000 PLN is not 1000 EUR
    before = puts(world)
    world.exchange.update_client("C-0", currency="PLN")
    world.tick()
    world.tick()
    assert world.panel.accounts[key].values["currency"] == "PLN"
    assert told(world) == (State.IN_STEP, "")
    assert held_by_panel(world) == ("1000.00", "250.50", "14")
    assert puts(world) == before + 2  # the currency, and the limit


# --- what the panel shows


def test_drift_of_the_limit_is_put_right_and_recorded() -> None:
    world = customers()
    world.panel.edit(account_of(world, "C-0"), credit_limit="99999.00")
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"
    assert history(world)[-1] == ("credit_limit", "99999.00", "1000.00", "drift")


def test_drift_of_the_use_is_put_right_and_recorded() -> None:
    world = customers()
    world.tick()
    world.panel.edit(account_of(world, "C-0"), balance="0.00")
    world.tick()
    assert held_by_panel(world)[1] == "250.50"
    assert history(world)[-1] == ("balance", "0.00", "250.50", "drift")


def test_a_greater_debt_that_is_newer_than_the_figures_is_an_order_and_stays() -> None:
    world = customers()
    key = account_of(world, "C-0")
    world.panel.edit(key, balance="900.00")  # an order of 649.50
    world.tick()
    refresh(world, credit_limit="500")
    world.tick()
    world.panel.edit(key, balance="950.00")
    world.tick()
    assert held_by_panel(world)[:2] == ("500.00", "950.00")
    assert told(world) == (State.IN_STEP, "")
    refresh(world, balance="940")  # the ERP knows of it by now
    world.tick()
    assert held_by_panel(world)[1] == "940.00"


def test_figures_that_are_newer_than_a_greater_debt_put_it_right() -> None:
    world = customers()
    world.tick()
    world.exchange.set_credit("C-0", as_of=world.time + timedelta(minutes=5))
    world.panel.edit(account_of(world, "C-0"), balance="900.00")
    world.tick()
    assert held_by_panel(world)[1] == "250.50"


def test_without_a_moment_a_greater_debt_is_put_right() -> None:
    world = customers(as_of=None)
    world.tick()
    world.panel.edit(account_of(world, "C-0"), balance="900.00")
    world.tick()
    assert held_by_panel(world)[1] == "250.50"


def test_of_a_balance_with_the_other_sign_the_greater_debt_is_the_lower_figure() -> None:
    world = customers(policy='{"credit": {"balance_sign": -1}}')
    key = account_of(world, "C-0")
    world.panel.edit(key, balance="-900.00")
    world.tick()
    assert held_by_panel(world)[1] == "-900.00"
    world.panel.edit(key, balance="0.00")
    world.tick()
    assert held_by_panel(world)[1] == "-250.50"


def test_a_panel_whose_use_is_another_figure_comes_to_rest() -> None:
    world = World().knows_the_panel()
    world.panel.used_shows_balance = False
    world.exchange.insert_client("C-0", **CLIENT)
    world.exchange.set_credit("C-0", **{**FIGURES, "as_of": world.time})
    for _ in range(8):
        world.tick()
    assert held_by_panel(world)[1] == "250.50"
    assert told(world) == (State.IN_STEP, "")
    before = puts(world)
    refresh(world, balance="300")
    for _ in range(8):
        world.tick()
    assert held_by_panel(world)[1] == "300.00"
    assert puts(world) == before + 1
    assert told(world) == (State.IN_STEP, "")


def test_a_panel_that_shows_nothing_is_sent_what_changes() -> None:
    world = World().knows_the_panel()
    world.panel.shows_credit = "nothing"
    world.exchange.insert_client("C-0", **CLIENT)
    world.exchange.set_credit("C-0", **{**FIGURES, "as_of": world.time})
    for _ in range(4):
        world.tick()
    assert held_by_panel(world)[:2] == ("1000.00", "250.50")
    assert puts(world) == 1
    refresh(world, credit_limit="500")
    world.tick()
    assert held_by_panel(world)[:2] == ("500.00", "250.50")
    assert puts(world) == 2


def test_a_balance_that_equals_what_the_panel_happens_to_show_is_sent() -> None:
    world = customers(balance="950")
    world.panel.used_shows_balance = False  # the panel shows how much of the limit is used: nothing
    for _ in range(3):
        world.tick()
    refresh(world, balance="0")  # the client has paid
    world.tick()
    assert held_by_panel(world)[1] == "0.00"
    assert history(world)[-1] == ("balance", "950.00", "0.00", "edit")


def test_another_figure_that_changes_later_is_drift_and_corrected_each_time() -> None:
    world = customers(as_of=None)
    world.panel.used_shows_balance = False
    key = account_of(world, "C-0")
    for n in range(1, 6):
        world.tick()
        before = puts(world)
        world.panel.used[key] = f"{n}.00"
        world.panel.edit(key)
        world.tick()
        assert puts(world) == before + 1
        world.tick()
        assert puts(world) == before + 1  # the new figure is noted
        assert told(world) == (State.IN_STEP, "")
    assert [h for h in history(world) if h[3] == "drift"][-1] == ("balance", "5.00", "250.50", "drift")


def test_the_figure_that_is_shown_first_after_a_write_is_noted_once() -> None:
    world = customers()
    world.exchange.set_credit("C-0", balance="100.00")
    world.collect("credit")
    world.drain()
    assert "balance" not in world.exchange.bases[KEY].panel
    world.exchange.set_credit("C-0", balance="250.50")
    world.tick()
    world.tick()
    assert world.exchange.bases[KEY].panel["balance"] == "250.50"
    before = len(world.panel.log)
    world.tick()
    assert {about for _, about in world.panel.log[before:]} == {()}


@pytest.mark.parametrize("shows", ["limit_and_used", "limit", "nothing"])
@pytest.mark.parametrize("used", [True, False])
def test_after_a_lost_reply_the_figures_are_right_whatever_the_panel_shows(shows: str, used: bool) -> None:
    world = customers()
    world.panel.shows_credit, world.panel.used_shows_balance = shows, used
    for _ in range(6):
        world.tick()
    world.panel.lose_reply()
    refresh(world, balance="700", credit_limit="900")
    world.collect("credit")
    world.drain()
    assert told(world) == (State.PENDING, "connection")
    refresh(world, balance="250.50", credit_limit="1000")  # the ERP takes it back meanwhile
    world.pass_time(minutes=5)
    world.tick()
    world.tick()
    assert held_by_panel(world)[:2] == ("1000.00", "250.50")
    assert told(world) == (State.IN_STEP, "")


def test_what_is_seen_to_have_arrived_before_the_reply_was_lost_is_not_sent_again() -> None:
    world = customers()
    sent, update = list[Values](), world.panel.update

    def watched(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        sent.extend(one.values for one in updates)
        return update(updates)

    world.panel.update = watched  # type: ignore[method-assign]
    world.panel.lose_reply()
    refresh(world, balance="700", credit_limit="900")
    world.tick()
    world.pass_time(minutes=5)
    world.tick()
    assert sent == [{"credit_limit": "900.00", "balance": "700.00"}, {"balance": "700.00"}]
    assert history(world)[-2:] == [
        ("credit_limit", "1000.00", "900.00", "edit"),
        ("balance", None, "700.00", "edit"),  # that the panel shows 700.00 proves nothing: it may be another figure
    ]


# --- figures that nobody vouches for


def test_stale_figures_are_frozen_and_a_fresh_moment_ends_it() -> None:
    world = customers()
    world.pass_time(minutes=238)
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    world.pass_time(minutes=2)
    world.tick()
    assert told(world) == (State.HELD, "stale")
    assert "2026" not in message(world)  # what changes by itself would be a new status each time
    world.panel.edit(account_of(world, "C-0"), credit_limit="5.00")
    world.exchange.set_credit("C-0", credit_limit="70")
    world.tick()
    assert held_by_panel(world)[0] == "5.00"
    refresh(world)
    world.tick()
    assert held_by_panel(world)[0] == "70.00"
    assert told(world) == (State.IN_STEP, "")


def test_figures_are_stale_when_they_are_older_than_the_policy_allows_and_not_before() -> None:
    world = customers()
    world.time = START + timedelta(minutes=240)
    world.exchange.set_credit("C-0", payment_days="7", as_of=START)
    world.tick(seconds=1)
    assert held_by_panel(world)[2] == "7"
    assert told(world) == (State.IN_STEP, "")
    world.tick()
    assert told(world) == (State.HELD, "stale")


def test_fresh_again_with_equal_figures_is_in_step_without_a_write() -> None:
    world = customers()
    world.pass_time(minutes=300)
    world.tick()
    assert told(world) == (State.HELD, "stale")
    before = puts(world)
    refresh(world)
    world.tick()
    assert told(world) == (State.IN_STEP, "")
    assert puts(world) == before


def test_figures_that_are_stale_from_the_start_are_never_sent() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.exchange.set_credit("C-0", **{**FIGURES, "as_of": world.time - timedelta(days=1)})
    world.tick()
    world.tick()
    assert puts(world) == 0
    assert told(world) == (State.HELD, "stale")
    refresh(world)
    world.tick()
    assert held_by_panel(world)[:2] == ("1000.00", "250.50")


def test_with_zero_nobody_buys_on_stale_figures() -> None:
    world = customers(policy='{"credit": {"when_stale": "zero", "stale_after_minutes": 30}}')
    world.pass_time(minutes=31)
    world.tick()
    assert held_by_panel(world) == ("0.00", "250.50", "14")
    assert told(world) == (State.IN_STEP, "stale")
    assert "so the limit is 0" in message(world)
    before = world.panel.calls()
    world.tick()
    world.tick()
    assert world.panel.calls()["PUT clients/clients"] == before["PUT clients/clients"]
    refresh(world)
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"
    assert told(world) == (State.IN_STEP, "")


def test_a_boundary_that_was_moved_back_hides_nothing() -> None:
    world, asked = World(), list[object]()

    def find(since: datetime | None, until: datetime) -> list[Owner]:
        asked.append((since, until))
        return []

    def look(until: datetime) -> None:
        advance(run, DueDates(run.concerns["credit"], "figures", until, find))

    run, noon = world.run(), world.time
    look(noon)
    look(noon - timedelta(hours=3))  # the policy allows older figures now
    look(noon - timedelta(hours=1))
    assert asked == [
        (None, noon),
        (noon - timedelta(hours=3), noon - timedelta(hours=3)),
        (noon - timedelta(hours=3), noon - timedelta(hours=1)),
    ]


@pytest.mark.parametrize("wrong", [{"currency": "EUR"}, {"payment_days": "1000"}, {"balance": "dużo"}])
def test_a_limit_of_nought_is_carried_whatever_else_is_wrong(wrong: dict[str, Value]) -> None:
    world = customers()
    refresh(world, credit_allowed=False, **wrong)
    world.tick()
    status = told(world)
    assert status
    assert status[0] is State.HELD
    assert held_by_panel(world) == ("0.00", "250.50", "14")
    assert history(world)[-1] == ("credit_limit", "1000.00", "0.00", "edit")
    before = puts(world)
    world.tick()
    world.tick()
    assert puts(world) == before


def test_another_account_of_the_client_gets_all_figures() -> None:
    world = customers()
    world.panel.recode(account_of(world, "C-0"), "X")
    del world.exchange.links["C-0"]
    world.exchange.update_client("C-0", phone="600100200", email="nowy@firma.pl")
    world.tick()
    world.tick()
    assert held_by_panel(world) == ("1000.00", "250.50", "14")


def test_a_figure_of_the_panel_that_is_no_amount_stops_nobody() -> None:
    world = customers(2)
    world.panel.used_shows_balance = False
    world.panel.used[account_of(world, "C-0")] = "n/a"
    world.panel.edit(account_of(world, "C-0"), credit_limit="5.00")
    world.panel.edit(account_of(world, "C-1"), credit_limit="5.00")
    world.tick()
    assert held_by_panel(world)[1] == "250.50"
    assert held_by_panel(world, "C-1")[0] == "1000.00"


def test_with_keep_they_are_sent_nevertheless() -> None:
    world = customers(policy='{"credit": {"when_stale": "keep"}}')
    world.pass_time(days=2)
    world.exchange.set_credit("C-0", credit_limit="70")
    world.tick()
    assert held_by_panel(world)[0] == "70.00"
    assert told(world) == (State.IN_STEP, "")


def test_a_row_without_a_moment_is_never_stale() -> None:
    world = customers(as_of=None)
    world.pass_time(days=2)
    world.tick()
    assert told(world) == (State.IN_STEP, "")


def test_limits_of_many_that_become_nought_trip_the_brake() -> None:
    world = customers(10, policy='{"brake": {"min_records": 3}}')
    for n in range(10):
        refresh(world, f"C-{n}", credit_limit="0")
    world.tick()
    assert world.paused() == {"credit": "brake"}
    assert held_by_panel(world, "C-5")[0] == "1000.00"


def test_stale_limits_of_many_become_nought_as_the_policy_wants() -> None:
    world = customers(10, policy='{"credit": {"when_stale": "zero"}, "brake": {"min_records": 3}}')
    world.pass_time(minutes=241)
    world.tick()
    assert world.paused() == {}
    assert {held_by_panel(world, f"C-{n}")[0] for n in range(10)} == {"0.00"}


@pytest.mark.parametrize(("when", "limit"), [("freeze", "1000.00"), ("keep", "1000.00"), ("zero", "0.00")])
def test_a_deleted_row_is_vouched_for_by_nobody(when: str, limit: str) -> None:
    world = customers(policy=f'{{"credit": {{"when_stale": "{when}"}}}}')
    world.exchange.delete_credit("C-0")
    world.tick()
    world.tick()
    assert held_by_panel(world)[0] == limit
    assert told(world) == ((State.IN_STEP, "stale") if when == "zero" else (State.EXCLUDED, "deleted_in_erp"))
    before = len(world.panel.log)
    world.tick()
    assert {gate for gate, about in world.panel.log[before:] if about} == set()
    refresh(world, **FIGURES, payment_days="14")
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"
    assert told(world) == (State.IN_STEP, "")


def test_figures_that_were_deleted_before_they_were_sent_are_forgotten() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.tick()
    world.exchange.set_credit("C-0", **{**FIGURES, "as_of": world.time})
    world.collect("credit")
    world.panel.fail(Retry("timeout"))
    world.drain()
    assert told(world) == (State.PENDING, "timeout")
    world.exchange.delete_credit("C-0")
    world.tick()
    assert told(world) is None
    assert world.exchange.deferrals == {}


def test_frozen_figures_whose_row_is_deleted_are_not_stale_any_more() -> None:
    world = customers()
    world.pass_time(minutes=300)
    world.tick()
    assert told(world) == (State.HELD, "stale")
    world.exchange.delete_credit("C-0")
    world.tick()
    assert told(world) == (State.EXCLUDED, "deleted_in_erp")


def feed_stopped(world: World) -> bool:
    """Return what the credit concern says of the ERP's feed."""
    return world.run().concerns["credit"].feed_stopped()


def test_a_feed_that_has_stopped_is_seen() -> None:
    world = customers(2)
    assert not feed_stopped(world)
    world.pass_time(minutes=200)
    refresh(world, "C-1")
    world.pass_time(minutes=200)
    world.tick()
    assert told(world) == (State.HELD, "stale")
    assert not feed_stopped(world)
    world.pass_time(minutes=50)
    assert feed_stopped(world)


@pytest.mark.parametrize("ahead", [{"days": 13_000}, {"hours": 2}, {"hours": 1}, {"minutes": 16}])
def test_a_moment_that_is_refused_silences_no_alarm(ahead: dict[str, float]) -> None:
    world = customers(2)
    world.exchange.set_credit("C-1", as_of=world.time + timedelta(minutes=250) + timedelta(**ahead))
    world.pass_time(minutes=250)
    assert feed_stopped(world)
    world.tick()
    assert told(world, "C-1") == (State.HELD, "bad_as_of")
    refresh(world, "C-0")
    assert not feed_stopped(world)


def test_quiet_minutes_write_no_state() -> None:
    world = customers()
    world.tick()
    before = {name: stored for name, stored in world.state.documents.items() if "dates" in name or "credit" in name}
    for _ in range(10):
        world.tick()
    assert before == {n: s for n, s in world.state.documents.items() if "dates" in n or "credit" in n}


# --- who has any


def test_customers_without_figures_cost_nothing() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.tick()
    world.tick()
    assert told(world) is None
    assert puts(world) == 0


def test_a_page_of_the_feed_without_anybodys_figures_is_not_compared_with_any() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.tick()
    world.tick()
    looked: list[str] = []
    load = world.exchange.records.load

    def watched(concern: str, owners: list[Owner]):  # type: ignore[no-untyped-def]
        looked.append(concern)
        return load(concern, owners)

    world.exchange.records.load = watched  # type: ignore[method-assign, assignment]
    world.panel.edit(account_of(world, "C-0"), city="Gdańsk")
    world.follow()
    assert "billing" in looked
    assert not {"credit", "discounts"}.intersection(looked)


@pytest.mark.fault(47)
def test_figures_before_the_client_arrive_once_it_is_linked() -> None:
    world = World().knows_the_panel()
    world.exchange.set_credit("C-0", **{**FIGURES, "as_of": world.time})
    world.tick()
    world.exchange.insert_client("C-0", **CLIENT)
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"


def test_figures_of_nobody_wait_for_their_client() -> None:
    world = customers()
    world.exchange.set_credit("C-9", **{**FIGURES, "as_of": world.time})
    world.tick()
    assert told(world, "C-9") == (State.WAITING, "no_client")
    world.exchange.set_credit("C-8", **{**FIGURES, "as_of": world.time})
    world.tick()
    world.exchange.delete_credit("C-8")
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": "", "email": "9@firma.pl"})
    world.tick()
    assert told(world, "C-8") is None
    assert told(world, "C-9") == (State.IN_STEP, "")
    assert held_by_panel(world, "C-9")[0] == "1000.00"


@pytest.mark.parametrize("figures_too", [False, True])
def test_the_figures_of_a_deleted_client_stay_as_they_are_until_it_is_back(figures_too: bool) -> None:
    world = customers(policy='{"credit": {"when_stale": "keep"}}')
    world.exchange.delete_client("C-0")
    if figures_too:
        world.exchange.delete_credit("C-0")
    world.tick()
    assert told(world) == (State.EXCLUDED, "deleted")
    if not figures_too:
        world.exchange.set_credit("C-0", credit_limit="5")
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"
    assert told(world) == (State.EXCLUDED, "deleted")
    world.exchange.insert_client("C-0", **{**CLIENT, "nip": "", "email": "0@firma.pl"})
    refresh(world, **{**FIGURES, "credit_limit": "70"}, payment_days="14")
    world.tick()
    assert held_by_panel(world)[0] == "70.00"
    assert told(world) == (State.IN_STEP, "")


def test_a_deleted_client_whose_figures_are_vouched_for_by_nobody_has_a_limit_of_nought() -> None:
    world = customers(policy='{"credit": {"when_stale": "zero"}}')
    world.exchange.delete_client("C-0")
    world.exchange.delete_credit("C-0")
    world.tick()
    assert held_by_panel(world)[0] == "0.00"
    assert told(world) == (State.IN_STEP, "stale")


def test_off_means_off() -> None:
    world = customers(policy='{"credit": {"direction": "off"}}', as_of=None)
    refresh(world)
    world.pass_time(days=1)
    world.tick()
    assert not feed_stopped(world)
    assert puts(world) == 0
    assert told(world) is None


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 25))
def test_a_kill_at_any_step_ends_with_the_right_figures(step: int, after: bool) -> None:
    world = customers()
    refresh(world, balance="300", credit_limit="50", payment_days="7")
    world.mortal(step, after=after)
    world.tick()
    world.pass_time(minutes=70)
    world.tick()
    assert held_by_panel(world) == ("50.00", "300.00", "7")
    assert told(world) == (State.IN_STEP, "")
    edits = sorted(h for h in history(world) if h[3] == "edit")
    assert [(name, after) for name, _, after, _ in edits] == [
        ("balance", "300.00"),
        ("credit_limit", "50.00"),
        ("payment_days", "7"),
    ]


# --- what does not count, and what goes nevertheless


def test_a_row_that_says_only_that_there_is_no_limit_makes_it_nought() -> None:
    world = customers()
    refresh(world, credit_allowed=None, credit_limit="0.00", balance="7", payment_days="7")
    world.tick()
    assert held_by_panel(world) == ("0.00", "250.50", "14")
    assert told(world) == (State.HELD, "incomplete")


def test_a_bad_moment_does_not_keep_a_limit_of_nought_back() -> None:
    world = customers()
    world.exchange.set_credit("C-0", credit_allowed=False, balance="7", as_of="wczoraj")
    world.tick()
    assert held_by_panel(world) == ("0.00", "250.50", "14")
    assert told(world) == (State.HELD, "bad_as_of")


def test_the_accounts_currency_is_known_even_where_nothing_could_be_sent() -> None:
    world = customers(credit_allowed=None)
    assert told(world) == (State.HELD, "incomplete")
    world.panel.edit(account_of(world, "C-0"), credit_limit="5.00")
    world.tick()
    world.pass_time(minutes=10)
    refresh(world, currency="EUR")
    world.tick()
    assert told(world) == (State.HELD, "other_currency")
    assert held_by_panel(world)[0] == "0.00"


def test_figures_that_were_held_and_deleted_before_anything_was_sent_are_forgotten() -> None:
    world = customers(credit_allowed=None)
    world.exchange.delete_credit("C-0")
    world.tick()
    assert told(world) is None
    assert not [key for key in world.exchange.states if key.concern == "credit"]


def test_stale_figures_in_another_currency_stay_as_they_are() -> None:
    world = customers()
    world.exchange.set_credit("C-0", currency="EUR", as_of=world.time - timedelta(days=1))
    world.tick()
    world.tick()
    assert held_by_panel(world)[0] == "1000.00"
    assert told(world) == (State.HELD, "stale")
    refresh(world)
    world.tick()
    assert held_by_panel(world)[0] == "0.00"
    assert told(world) == (State.HELD, "other_currency")


def test_limits_of_many_in_another_currency_trip_the_brake() -> None:
    world = customers(10, policy='{"brake": {"min_records": 3}}')
    for n in range(10):
        refresh(world, f"C-{n}", currency="EUR")
    world.tick()
    assert world.paused() == {"credit": "brake"}


def test_a_moment_is_ahead_by_a_quarter_of_an_hour_at_most() -> None:
    world = customers()
    world.exchange.set_credit("C-0", balance="7", as_of=world.time + timedelta(minutes=15))
    world.tick()
    assert held_by_panel(world)[1] == "7.00"
    assert told(world) == (State.IN_STEP, "")


def test_what_the_panel_refused_is_not_sent_again_because_of_what_is_held_back() -> None:
    world = customers(policy='{"retry": {"max_attempts": 2}}')
    world.tick()
    world.panel.refuse("C-0", Reject("refused", panel="Panel: nie"))
    refresh(world, payment_days="7")
    for _ in range(2):
        world.tick()
        world.pass_time(minutes=2)
    assert told(world) == (State.HELD, "refused")
    before = puts(world)
    refresh(world, balance="dużo", credit_limit="5")  # the limit is held back by the balance
    world.tick()
    world.pass_time(minutes=10)
    world.tick()
    assert puts(world) == before
    assert left_undone(world, "credit") == {}
    refresh(world, balance="8")
    world.panel.accept("C-0")
    world.tick()
    assert held_by_panel(world) == ("5.00", "8.00", "7")
    assert told(world) == (State.IN_STEP, "")


def test_with_zero_a_client_who_never_had_figures_is_nobodys_business() -> None:
    world = World(parse('{"credit": {"when_stale": "zero"}}')).knows_the_panel()
    world.exchange.insert_client("C-0", **CLIENT)
    world.collect("accounts")
    world.work("accounts")
    assert "C-0" in world.exchange.links
    assert not world.queue.chunks.get("credit")
    assert not [key for key in world.exchange.states if key.concern == "credit"]
    world.tick()
    world.panel.edit(account_of(world, "C-0"), credit_limit="5.00")
    world.tick()
    assert held_by_panel(world)[0] == "5.00"


def test_with_zero_the_limit_of_deleted_figures_stays_nought() -> None:
    world = customers(policy='{"credit": {"when_stale": "zero"}}')
    world.exchange.delete_credit("C-0")
    world.tick()
    world.panel.edit(account_of(world, "C-0"), credit_limit="5.00")
    world.tick()
    assert held_by_panel(world)[0] == "0.00"
    assert history(world)[-1] == ("credit_limit", "5.00", "0.00", "drift")


# --- what is past its date


def overdue(world: World, client: str = "C-0", /, **figures: Value) -> tuple[Value, tuple[State, str] | None]:
    """Compute a client's figures now; return its limit in the panel and what is said."""
    refresh(world, client, **figures)
    world.tick()
    return held_by_panel(world, client)[0], told(world, client)


@pytest.mark.parametrize(
    ("allowed", "late", "stops"),
    [
        ("100", "100.01", True),
        ("100", "100.00", False),
        ("0", "0.01", True),
        ("0", "0", False),
        ("99.5", "99.505", True),
        ("0", None, False),
        ("0", "-5", False),
        ("null", "999999", False),
    ],
)
def test_more_past_its_date_than_is_allowed_is_a_limit_of_nought(allowed: str, late: Value, stops: bool) -> None:
    world = customers(policy=f'{{"credit": {{"overdue": {{"allowed": {allowed}}}}}}}')
    found = overdue(world, overdue=late, balance="300")
    assert found == (("0.00", (State.IN_STEP, "overdue")) if stops else ("1000.00", (State.IN_STEP, "")))
    assert held_by_panel(world)[1:] == ("300.00", "14"), "what is owed is told all the same"
    assert left_undone(world, "credit") == {}
    assert overdue(world, overdue="0") == ("1000.00", (State.IN_STEP, ""))


def test_what_is_past_its_date_and_no_amount_is_held_by_name_where_it_is_asked() -> None:
    world = customers(policy='{"credit": {"overdue": {"allowed": 0}}}')
    assert overdue(world, overdue="12,50") == ("1000.00", (State.HELD, "bad_amount"))
    assert "overdue" in message(world)
    assert overdue(world, overdue="12,50", credit_allowed=False)[0] == "0.00"
    assert overdue(customers(), overdue="12,50") == ("1000.00", (State.IN_STEP, ""))


def test_limits_of_many_that_are_late_are_nothing_that_the_brake_counts() -> None:
    world = customers(10, policy='{"brake": {"min_records": 3}, "credit": {"overdue": {"allowed": 0}}}')
    for n in range(10):
        refresh(world, f"C-{n}", overdue="1")
    world.tick()
    assert {held_by_panel(world, f"C-{n}")[0] for n in range(10)} == {"0.00"}
    assert not [h for h in world.exchange.history if h.counts]


def test_of_stale_figures_nobody_asks_what_is_past_its_date() -> None:
    world = customers(policy='{"credit": {"overdue": {"allowed": 0}}}')
    world.exchange.set_credit("C-0", overdue="5", as_of=world.time - timedelta(hours=5))
    world.tick()
    assert (held_by_panel(world)[0], told(world)) == ("1000.00", (State.HELD, "stale"))
    assert overdue(world, currency="EUR") == ("0.00", (State.HELD, "other_currency"))


def test_too_much_past_its_date_leaves_the_limit_where_the_policy_only_wants_to_know() -> None:
    world = customers(policy='{"credit": {"overdue": {"allowed": 100, "then": "keep"}}}')
    assert overdue(world, overdue="100.01", balance="300") == ("1000.00", (State.IN_STEP, "overdue"))
    assert "stays as the ERP has it" in message(world)
    assert left_undone(world, "credit") == {}
    assert overdue(world, credit_limit="400") == ("400.00", (State.IN_STEP, "overdue")), "the ERP's edits go on"
    assert overdue(world, overdue="99") == ("400.00", (State.IN_STEP, ""))


def test_limits_that_the_erp_itself_sets_to_nought_are_counted_though_their_clients_are_late() -> None:
    late = '"credit": {"overdue": {"allowed": 0, "then": "keep"}}'
    world = customers(10, policy=f'{{"brake": {{"min_records": 3}}, {late}}}')
    for n in range(10):
        refresh(world, f"C-{n}", overdue="1", credit_limit="0")
    world.tick()
    assert world.exchange.pauses.paused() == {"credit": "brake"}


def test_of_stale_figures_nobody_asks_what_is_past_its_date_though_it_is_only_told() -> None:
    world = customers(policy='{"credit": {"overdue": {"allowed": 0, "then": "keep"}}}')
    world.exchange.set_credit("C-0", overdue="5", as_of=world.time - timedelta(hours=5))
    world.tick()
    assert (held_by_panel(world)[0], told(world)) == ("1000.00", (State.HELD, "stale"))
