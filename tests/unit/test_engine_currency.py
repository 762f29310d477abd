"""A client's currency changes: its limit is 0 first, and no limit ever counts in a currency it was not computed in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Outcome, Value
from kartoteka.policy import parse
from kartoteka.ports.panel import AccountUpdate
from tests.helpers import account_of, left_undone
from tests.world import CLIENT, World

FIGURES: dict[str, Value] = {"credit_allowed": True, "credit_limit": "5000", "balance": "10", "currency": "PLN"}


class Watched(World):
    """An installation that looks, after each call, at what an order could be taken on."""

    def watch(self) -> None:
        """Look at limit and currency together from now on."""
        self.seen: list[tuple[Value, Value]] = []
        update = self.panel.update

        def looked_at(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
            answer = update(updates)
            self.seen += [self.pair(client) for client in sorted(self.exchange.links)]
            return answer

        self.panel.update = looked_at  # type: ignore[method-assign]

    def pair(self, client: str = "C-0") -> tuple[Value, Value]:
        """Return a client's limit and currency in the panel."""
        values = self.panel.accounts[account_of(self, client)].values
        return values["credit_limit"], values["currency"]

    def told(self, concern: str, client: str = "C-0") -> tuple[State, str] | None:
        """Return what is said of a client."""
        status = self.exchange.status(client, concern)
        return (status.state, status.code) if status else None

    def settle(self, rounds: int = 4) -> None:
        """Let some ticks pass."""
        for _ in range(rounds):
            self.tick()


def installation(count: int = 1, *, policy: str = "{}", figures: bool = True) -> Watched:
    """Return clients in złoty with their figures, in step."""
    world = Watched(parse(policy))
    world.knows_the_panel()
    for n in range(count):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl", "currency": "PLN"})
        if figures:
            world.exchange.set_credit(f"C-{n}", **{**FIGURES, "as_of": world.time})
    world.settle(2)
    world.watch()
    return world


def change(world: World, currency: str, client: str = "C-0", /, **figures: Value) -> None:
    """Let the ERP give a client another currency, and compute its figures."""
    world.exchange.update_client(client, currency=currency)
    if figures:
        world.exchange.set_credit(client, **{**figures, "as_of": world.time})


@pytest.mark.fault(67)
def test_with_figures_in_the_new_currency_the_limit_goes_over_nought() -> None:
    world = installation()
    change(world, "EUR", currency="EUR", credit_limit="1200")
    world.tick()
    assert set(world.seen) <= {("0.00", "PLN"), ("0.00", "EUR"), ("1200.00", "EUR")}
    world.settle()
    assert world.pair() == ("1200.00", "EUR")
    assert world.told("credit") == world.told("billing") == (State.IN_STEP, "")
    assert left_undone(world, "credit") == left_undone(world, "billing") == {}


@pytest.mark.fault(67)
def test_with_the_old_figures_the_limit_stays_nought_until_new_ones_come() -> None:
    world = installation()
    change(world, "EUR")
    world.settle()
    assert ("5000.00", "EUR") not in world.seen
    assert world.pair() == ("0.00", "EUR")
    assert world.told("credit") == (State.HELD, "other_currency")
    assert world.told("billing") == (State.IN_STEP, "")
    assert left_undone(world, "credit") == left_undone(world, "billing") == {}
    world.exchange.set_credit("C-0", currency="EUR", credit_limit="5000", as_of=world.time)
    world.settle()
    assert world.pair() == ("5000.00", "EUR")


def test_the_same_figure_in_the_new_currency_is_sent_anew_where_the_panel_shows_no_limit() -> None:
    world = installation()
    world.panel.shows_credit = "nothing"
    change(world, "EUR", currency="EUR", credit_limit="5000")
    world.settle()
    assert world.pair() == ("5000.00", "EUR")
    assert ("0.00", "EUR") in world.seen


@pytest.mark.parametrize("queue_first", ["billing", "credit"])
def test_whoever_comes_first(queue_first: str) -> None:
    world = installation()
    change(world, "CZK", currency="CZK", credit_limit="30000")
    for concern in (queue_first, "billing", "credit", "billing", "credit", "billing"):
        world.collect(concern, everything_due=True)
        while world.work(concern):
            pass
    world.settle()
    assert world.pair() == ("30000.00", "CZK")
    assert {pair for pair in world.seen if pair[0] != "0.00"} <= {("5000.00", "PLN"), ("30000.00", "CZK")}


def test_other_fields_do_not_wait() -> None:
    world = installation()
    world.pause("credit", "operator")
    change(world, "EUR")
    world.exchange.update_client("C-0", city="Gdynia")
    world.settle()
    assert world.panel.accounts[account_of(world, "C-0")].values["city"] == "Gdynia"
    assert (world.pair(), world.told("billing")) == (("5000.00", "PLN"), (State.WAITING, "limit_first"))
    world.resume("credit")
    world.settle()
    assert (world.pair(), world.told("billing")) == (("0.00", "EUR"), (State.IN_STEP, ""))


def test_figures_that_are_stale_and_frozen_make_way_too() -> None:
    world = installation()
    world.pass_time(hours=5)
    world.tick()
    assert world.told("credit") == (State.HELD, "stale")
    change(world, "EUR")
    world.settle()
    assert world.pair() == ("0.00", "EUR")


def test_figures_whose_row_was_deleted_make_way_too() -> None:
    world = installation()
    world.exchange.delete_credit("C-0")
    world.tick()
    change(world, "EUR")
    world.settle()
    assert world.pair() == ("0.00", "EUR")


@pytest.mark.parametrize("policy", ["{}", '{"credit": {"direction": "off"}}'])
def test_without_figures_of_the_erps_nothing_waits(policy: str) -> None:
    world = installation(policy=policy, figures=policy != "{}")
    change(world, "EUR")
    world.tick()
    assert world.pair()[1] == "EUR"
    assert len(world.seen) == 1


def test_a_change_that_is_taken_back_meanwhile_leaves_the_limit_as_it_was() -> None:
    world = installation()
    world.pause("credit", "operator")
    change(world, "EUR")
    world.settle(2)
    change(world, "PLN")
    world.resume("credit")
    world.settle()
    assert (world.pair(), world.told("credit")) == (("5000.00", "PLN"), (State.IN_STEP, ""))
    assert world.told("billing") == (State.IN_STEP, "")


def test_a_currency_that_the_panel_refuses_gives_the_limit_back() -> None:
    world = installation(policy='{"retry": {"max_attempts": 1}}')
    update = world.panel.update

    def refusing(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        wrong = Reject("bad_code", field="currency", panel="nie")
        kept = [each for each in updates if "currency" not in each.values]
        answers = iter(update(kept)) if kept else iter(())
        return [wrong if "currency" in each.values else next(answers) for each in updates]

    world.panel.update = refusing  # type: ignore[method-assign]
    change(world, "XAU")
    world.settle(6)
    assert (world.pair(), world.told("credit")) == (("5000.00", "PLN"), (State.IN_STEP, ""))
    assert world.told("billing") == (State.HELD, "bad_code")


def test_a_limit_that_the_panel_does_not_take_keeps_the_currency_waiting_and_calls_nobody_in_circles() -> None:
    world = installation()
    update = world.panel.update

    def refusing(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
        return [Reject("refused", panel="nie") for _ in updates]

    world.panel.update = refusing  # type: ignore[method-assign]
    change(world, "EUR")
    world.settle(3)
    assert world.pair() == ("5000.00", "PLN")
    assert world.told("billing") == (State.WAITING, "limit_first")
    world.panel.update = update  # type: ignore[method-assign]
    world.settle(12)
    assert world.pair() == ("0.00", "EUR")


def test_a_currency_edited_in_the_panel_goes_back_over_nought() -> None:
    world = installation()
    world.panel.edit(account_of(world, "C-0"), currency="EUR")
    world.settle(6)
    assert (world.pair(), world.told("credit")) == (("5000.00", "PLN"), (State.IN_STEP, ""))


def test_an_outage_in_between_loses_nothing() -> None:
    world = installation()
    change(world, "EUR", currency="EUR", credit_limit="700")
    world.panel.fail(*[Retry("timeout") for _ in range(9)])
    world.tick()
    world.panel.recover()
    world.settle(6)
    assert world.pair() == ("700.00", "EUR")
    assert ("5000.00", "EUR") not in world.seen


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 40))
def test_a_kill_at_any_step_ends_with_the_right_pair(step: int, after: bool) -> None:
    world = installation()
    change(world, "EUR", currency="EUR", credit_limit="700")
    world.mortal(step, after=after)
    world.tick()
    for _ in range(6):
        world.pass_time(minutes=10)
        world.exchange.set_credit("C-0", as_of=world.time)
        world.tick()
    assert world.pair() == ("700.00", "EUR")
    assert ("5000.00", "EUR") not in world.seen
    assert world.told("billing") == world.told("credit") == (State.IN_STEP, "")


def test_a_limit_that_is_nought_already_is_asked_too() -> None:
    """The figures may have been raised a moment ago, by a worker that is on its way."""
    world = installation()
    world.exchange.set_credit("C-0", credit_limit="0", as_of=world.time)
    world.settle()
    change(world, "EUR")
    assert world.collect("billing")
    assert world.work("billing")
    assert (world.pair(), world.told("billing")) == (("0.00", "PLN"), (State.WAITING, "limit_first"))
    world.exchange.set_credit("C-0", credit_limit="900", as_of=world.time)
    world.settle()
    assert ("900.00", "EUR") not in world.seen
    assert world.pair() == ("0.00", "EUR")


def test_each_wakes_the_other_at_once() -> None:
    world = installation()
    change(world, "EUR", currency="EUR", credit_limit="700")
    assert world.collect("billing")
    world.drain()
    assert world.pair() == ("700.00", "EUR")


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_message_is_made_up_for_by_time(lost: int) -> None:
    world = installation()
    change(world, "EUR", currency="EUR", credit_limit="700")
    assert world.collect("credit")  # it has seen its log before billing asks
    world.drain()
    assert world.collect("billing")
    for concern in ("billing", "credit", "billing")[: lost + 1]:
        assert world.work(concern)
    world.queue.chunks.clear()
    for _ in range(4):
        world.pass_time(minutes=5)
        for concern in ("billing", "credit"):
            assert world.collect(concern)
        world.drain()
    assert world.pair() == ("700.00", "EUR")
    assert world.told("billing") == world.told("credit") == (State.IN_STEP, "")


def test_many_at_once() -> None:
    world = installation(25, policy='{"panel": {"batch_size": 10}, "brake": {"min_records": 100}}')
    for n in range(25):
        change(world, "EUR", f"C-{n}", currency="EUR" if n % 2 else "PLN", credit_limit=str(100 + n))
    world.settle(5)
    assert {world.pair(f"C-{n}") for n in range(1, 25, 2)} == {(f"{100 + n}.00", "EUR") for n in range(1, 25, 2)}
    assert {world.pair(f"C-{n}") for n in range(0, 25, 2)} == {("0.00", "EUR")}
    assert {limit for limit, currency in world.seen if currency == "EUR"} <= {
        "0.00",
        *(f"{100 + n}.00" for n in range(1, 25, 2)),
    }
