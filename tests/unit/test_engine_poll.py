"""How often the panel is asked: seldom while nothing changes there, at once where somebody needs its news."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from kartoteka.policy import parse
from tests.helpers import OTHER, by
from tests.world import CLIENT, World

GATE = "GET clients/clients"
MINUTE = timedelta(minutes=1)


def settled(policy: str = "{}") -> World:
    """Return an installation with two clients in step, whose feed has waited its longest time."""
    world = World(parse(policy))
    for n in range(2):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": "", "email": f"{n}@firma.pl"})
    for _ in range(3):
        world.tick()
    for _ in range(3 * 60):
        minute(world)
    return world


def minute(world: World) -> int:
    """Let a minute pass, the feed's schedule fire, and the queues be worked; return the calls that the feed made."""
    world.pass_time(minutes=1)
    before = sum(world.panel.calls().values())
    assert world.follow(at_once=False)
    calls = sum(world.panel.calls().values()) - before
    world.drain()
    return calls


def asked(world: World) -> Iterator[int]:
    """Yield the minutes between readings of the feed."""
    since = 0
    while True:
        since += 1
        if minute(world):
            yield since
            since = 0


def test_a_quiet_feed_is_asked_every_ten_minutes_and_between_writes_and_sends_nothing() -> None:
    world = settled()
    found = asked(world)
    next(found)
    assert [next(found) for _ in range(6)] == [10] * 6
    for _ in range(9):
        before = dict(world.state.documents)
        assert minute(world) == 0
        assert world.state.documents == before


def test_a_change_is_followed_by_short_times_that_double() -> None:
    world = settled()
    found = asked(world)
    next(found)
    world.panel.edit("1", city="Gdynia")
    assert [next(found) for _ in range(6)] == [10, 1, 2, 4, 8, 10]
    assert world.exchange.clients["C-0"]["city"] == "Gdynia"


CHANGES: dict[str, Callable[[World], object]] = {
    "a field that travels": lambda world: world.panel.edit("1", phone="600700800"),
    "a field that is nobody's business": lambda world: world.panel.edit("1"),
    "a drift": lambda world: world.panel.edit("1", language="eng"),
    "somebody registered": lambda world: world.panel.register(OTHER, login="jan"),
    "somebody without a client": lambda world: world.panel.register({"email": "x@y.pl"}, login="x"),
    "an address": lambda world: world.panel.add_address("1", street="Nowa 1", city="Gdynia", zip_code="81-001"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_somebody_else_changes_is_a_change(change: str) -> None:
    world = settled()
    world.panel.edit_moves_date = True
    found = asked(world)
    next(found)
    CHANGES[change](world)
    assert [next(found) for _ in range(3)] == [10, 1, 2]


def write(world: World) -> None:
    world.exchange.update_client("C-0", city="Sopot")
    assert world.collect("billing")
    world.drain()
    assert world.panel.accounts["1"].values["city"] == "Sopot"


def open_account(world: World) -> None:
    world.exchange.insert_client("N-1", **OTHER)
    assert world.collect("accounts")
    world.drain()
    assert by(world, "N-1")[1] == "created"


def set_days_to_pay(world: World) -> None:
    """Write what the panel never shows."""
    figures = {"credit_allowed": True, "credit_limit": "10", "currency": "PLN", "payment_days": "14"}
    world.exchange.set_credit("C-0", **figures, balance="0", as_of=world.time)
    assert world.collect("credit")
    world.drain()
    assert world.panel.payment_days


@pytest.mark.parametrize("own", [write, open_account, set_days_to_pay])
def test_the_echo_of_our_own_write_is_no_change(own: Callable[[World], None]) -> None:
    world = settled()
    found = asked(world)
    next(found)
    own(world)
    gaps = [next(found) for _ in range(4)]
    assert min(gaps) >= 9, "an account that is opened asks the feed first, and the waiting goes on from there"


def test_an_order_of_a_guest_is_no_change() -> None:
    world = settled()
    found = asked(world)
    next(found)
    world.panel.register({"email": "gosc@x.pl"}, login="guest-1", guest=True)
    assert [next(found) for _ in range(3)] == [10, 10, 10]


def test_an_edit_beside_our_own_write_is_a_change() -> None:
    world = settled()
    found = asked(world)
    next(found)
    write(world)
    world.panel.edit("2", phone="600700800")
    assert [next(found) for _ in range(3)] == [10, 1, 2]


def test_a_tick_asks_whatever_the_time() -> None:
    world = settled()
    for _ in range(3):
        before = world.panel.calls()[GATE]
        world.tick(seconds=2)
        assert world.panel.calls()[GATE] == before + 1


def test_before_an_account_is_opened_the_feed_is_asked_and_finds_who_has_just_registered() -> None:
    world = settled()
    while not minute(world):
        pass
    minute(world)
    somebody = world.panel.register(OTHER, login="jan")
    world.exchange.insert_client("N-1", **OTHER)
    assert world.collect("accounts")
    world.drain()
    assert by(world, "N-1") == (somebody, "nip")


def test_a_state_that_was_lost_begins_with_the_shortest_time() -> None:
    world = settled()
    world.state.documents.clear()
    found = asked(world)
    assert [next(found) for _ in range(5)] == [1, 1, 1, 2, 4], "all accounts are read first"


def test_with_a_hook_the_time_grows_to_that_of_the_policy() -> None:
    world = settled()
    world.hook = True
    found = asked(world)
    next(found)
    assert [next(found) for _ in range(3)] == [20, 40, 60]
    world.panel.edit("1", city="Gdynia")
    assert [next(found) for _ in range(8)] == [60, 1, 2, 4, 8, 16, 32, 60]


def test_the_policy_says_how_long() -> None:
    world = settled('{"panel": {"poll": {"min_seconds": 120, "max_seconds": 300}}}')
    found = asked(world)
    next(found)
    world.panel.edit("1", city="Gdynia")
    assert [next(found) for _ in range(4)] == [5, 2, 4, 5]


def test_a_search_under_way_is_gone_on_with_at_once() -> None:
    world = settled('{"panel": {"batch_size": 1, "full_read_days": 3650}}')
    found = asked(world)
    next(found)
    for n in range(30):
        world.panel.register({"email": f"{n}@sklep.pl"}, login=f"s-{n}")
    world.time_left = lambda: False
    minutes = [next(found), next(found), next(found)]
    assert minutes == [10, 1, 1]


def test_the_slow_reading_of_all_accounts_goes_on_while_the_feed_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.feed.WHOLE_PAGES", 1)
    world = settled('{"panel": {"batch_size": 1, "full_read_days": 1}}')
    world.pass_time(days=1)
    assert [minute(world) for _ in range(5)][1:] == [1, 0, 0, 0], "its second page, and no window beside"


# --- the wake-up hook


def hooked() -> World:
    """Return an installation with a hook, whose feed waits an hour and was asked just now."""
    world = settled()
    world.hook = True
    found = asked(world)
    while next(found) < 60:
        pass
    return world


def test_a_call_of_the_panel_wakes_the_feed_and_short_times_follow() -> None:
    world = hooked()
    assert [minute(world) for _ in range(5)] == [0] * 5
    world.panel.edit("1", city="Gdynia")
    world.state.wake(world.time)
    assert minute(world)
    assert world.exchange.clients["C-0"]["city"] == "Gdynia"
    found = asked(world)
    assert [next(found) for _ in range(4)] == [1, 2, 4, 8]


def test_a_call_that_tells_of_nothing_costs_one_reading_and_is_not_believed() -> None:
    world = hooked()
    world.state.wake(world.time + MINUTE / 2)
    found = asked(world)
    assert [next(found) for _ in range(4)] == [1, 1, 2, 4], "what it told of may be shown late"


def test_however_often_it_calls_the_panel_is_asked_once_a_minute() -> None:
    world = hooked()
    before = sum(world.panel.calls().values())
    for _ in range(6 * 10):
        world.pass_time(seconds=10)
        world.state.wake(world.time)
        assert world.follow(at_once=False)
    assert sum(world.panel.calls().values()) - before <= 11


def test_without_a_hook_nobody_looks_for_calls() -> None:
    world = settled()
    found = asked(world)
    next(found)
    world.state.wake(world.time + timedelta(minutes=2))
    assert next(found) == 10
