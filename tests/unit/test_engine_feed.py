"""The panel's feed on a panel that moves while it is read, answers slowly, gives no dates, or has hidden something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.errors import Retry
from kartoteka.policy import parse
from kartoteka.ports.panel import Account, AccountPage, Search, Window
from tests.helpers import OTHER, by, status_of, tax_number, unbraked
from tests.world import CLIENT, START, World

GATE = "GET clients/clients"
NEVER_OLD = '{"panel": {"full_read_days": 3650}}'


def filled(number: int, policy: str = NEVER_OLD) -> World:
    """Return an installation with this many customers in step, after some quiet minutes."""
    world = World(unbraked(policy))
    for n in range(number):
        world.exchange.insert_client(f"C-{n:04}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
    for _ in range(3):
        world.tick(seconds=301)
    return world


def cities(world: World) -> list[Any]:
    """Return the ERP's city of every account, in the order of their numbers."""
    clients = {link.panel_client_id: key for key, link in world.exchange.links.items()}
    return [world.exchange.clients[clients[str(n)]]["city"] for n in range(1, len(clients) + 1)]


def shown(world: World) -> list[Any]:
    """Return the panel's city of every account, in the order of their numbers."""
    return [world.panel.accounts[str(n)].values["city"] for n in range(1, len(world.panel.accounts) + 1)]


def on_page(page: int, act: Callable[[], None]) -> Callable[[Search, int], None]:
    """Return what acts once, when this page of a window is made up."""
    done: list[int] = []

    def acting(search: Search, at: int) -> None:
        if at == page and isinstance(search, Window) and not done:
            done.append(at)
            act()

    return acting


# --- pages that move while they are read (issue 10, point 2)

ORDERS: dict[str, Callable[[Account], Any] | None] = {
    "as they came": None,
    "by name": lambda account: (account.values["city"], account.login),
    "the oldest edit first": lambda account: (account.modified_at, account.login),
    "the newest edit first": lambda account: (-account.modified_at.timestamp(), account.login),  # type: ignore[union-attr]
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("page", "again"), [(0, range(1, 71)), (2, range(1, 71)), (1, range(95, 135)), (0, [1])])
def test_edits_made_while_pages_are_read_are_not_lost(page: int, again: Any, order: str) -> None:
    world = filled(260)
    for n in range(1, 261):
        world.panel.edit(str(n), city=f"first {n}")
    world.pass_time(seconds=20)
    world.panel.order = ORDERS[order]
    world.panel.while_paging = on_page(page, lambda: [world.panel.edit(str(n), city=f"second {n}") for n in again][:0])  # type: ignore[arg-type,return-value]
    for _ in range(2):
        world.tick()
    assert cities(world) == shown(world)
    assert cities(world)[again[0] - 1] == f"second {again[0]}"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("page", [3, 11, 19])
def test_edits_made_while_several_pages_are_read_together_are_not_lost(page: int, order: str) -> None:
    """The panel makes some of the pages before the edit and some after it: they do not count together."""
    world = filled(260, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    world.calls_at_once = 4
    for n in range(1, 261):
        world.panel.edit(str(n), city=f"first {n}")
    world.pass_time(seconds=20)
    world.panel.order = ORDERS[order]

    def edit() -> None:
        world.pass_time(seconds=1)
        for n in range(1, 71, 3):
            world.panel.edit(str(n), city=f"second {n}")

    world.panel.while_paging = on_page(page, edit)
    for _ in range(6):
        world.tick()
    assert cities(world) == shown(world)
    assert cities(world)[0] == "second 1"


@pytest.mark.fault(42)
def test_a_crowd_that_goes_on_for_minutes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.feed.PAGES", 3)
    world = filled(60, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    for n in range(1, 61):
        world.panel.edit(str(n), city=f"before {n}")

    def edit(_search: Search, page: int) -> None:
        world.pass_time(seconds=1)
        for n in (page % 6 + 1, page % 6 + 31):
            world.panel.edit(str(n), city=f"while {page} {world.time}")

    world.panel.while_paging = edit
    for _ in range(12):
        world.tick()
    world.panel.while_paging = None
    for _ in range(12):
        world.tick()
    assert cities(world) == shown(world)


def test_old_dates_of_the_account_index_confirm_nothing() -> None:
    """Accounts that were in step at a time within the zone, and were not seen since, do not stand for those missed."""
    world = filled(150)
    for n in range(1, 151):
        world.panel.edit(str(n), city=f"first {n}")
    world.tick(seconds=2)
    world.pass_time(seconds=2)
    for n in range(1, 151):
        world.panel.edit(str(n), city=f"second {n}")
    hidden = {str(n) for n in range(40, 50)}
    late = {key: world.panel.accounts[key] for key in hidden}
    for key in hidden:  # they become visible after the window was read, as a panel with a lag shows them
        world.panel.accounts[key] = replace(late[key], modified_at=None)
    world.tick(seconds=90)
    world.panel.accounts.update(late)
    for _ in range(8):
        world.tick()
    assert cities(world) == [f"second {n}" for n in range(1, 151)]


def test_a_crowd_that_nobody_touches_costs_a_call_a_page_and_one_to_confirm() -> None:
    world = filled(500)
    for n in range(1, 501):
        world.panel.edit(str(n), currency="EUR")
    world.pass_time(seconds=60)
    before = world.panel.calls()[GATE]
    assert world.follow()
    assert world.panel.calls()[GATE] - before == 5 + 1 + 1, (
        "for each page; who in the window was closed by hand, once; and whether the panel has gone back"
    )
    before = world.panel.calls()[GATE]
    for _ in range(5):
        world.queue.chunks.clear()
        world.pass_time(seconds=61)
        assert world.follow()
    assert world.panel.calls()[GATE] - before == 5 + 1


# --- a run that is too short (issue 10, point 9)


def calls_in_a_run(world: World, most: int) -> Callable[[], bool]:
    """Return that there is time left while a run has read fewer pages."""
    begun = world.panel.calls()[GATE]
    return lambda: world.panel.calls()[GATE] - begun < most


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("most", [1, 2, 7])
def test_a_window_too_large_for_one_run_is_read_on_by_the_next(most: int, at_once: int) -> None:
    world = filled(300, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    world.calls_at_once = at_once
    for n in range(1, 301):
        world.panel.edit(str(n), city=f"Gdynia {n}")
    world.pass_time(seconds=30)
    runs = 0
    while not all(city == f"Gdynia {n}" for n, city in enumerate(cities(world), 1)):
        world.time_left = calls_in_a_run(world, most)
        assert world.follow()
        world.time_left = lambda: True
        world.drain()
        world.pass_time(seconds=60)
        runs += 1
        assert runs <= 2 * 30 / most + 12  # a run's first page is two calls: one tells who was closed by hand


def test_clients_wait_while_a_window_is_being_read_and_are_opened_once_it_was() -> None:
    world = filled(300, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    for n in range(1, 301):
        world.panel.edit(str(n), city=f"Gdynia {n}")
    somebody = world.panel.register(OTHER, login="jan")
    world.exchange.insert_client("N-1", **OTHER)
    world.pass_time(seconds=30)
    world.time_left = calls_in_a_run(world, 5)
    assert world.collect("accounts")
    assert status_of(world, "N-1") == (State.PENDING, "feed_behind")
    for _ in range(8):
        world.time_left = calls_in_a_run(world, 8)
        world.follow()
        world.time_left = calls_in_a_run(world, 8)
        world.collect("accounts", everything_due=True)
        world.time_left = lambda: True
        world.drain()
        world.pass_time(seconds=61)
    assert by(world, "N-1") == (somebody, "nip")


@pytest.mark.parametrize("code", ["answer_too_large", "timeout"])
@pytest.mark.parametrize("most", [1, 3, 7, 30])
@pytest.mark.parametrize("at_once", [1, 4])
def test_a_page_that_is_too_much_is_asked_for_in_smaller_ones(
    monkeypatch: pytest.MonkeyPatch, code: str, most: int, at_once: int
) -> None:
    world = filled(60, '{"panel": {"batch_size": 40}}')
    world.calls_at_once = at_once
    for n in range(1, 61):
        world.panel.edit(str(n), city=f"Gdynia {n}")
    changed, refused = world.panel.changed, []

    def heavy(search: Search, page: int, limit: int) -> AccountPage:
        shown = changed(search, page, limit)
        if len(shown.found) > most:
            refused.append(limit)
            raise Retry(code)
        return shown

    monkeypatch.setattr(world.panel, "changed", heavy)
    for _ in range(12):
        world.pass_time(seconds=61)
        world.follow()
        world.drain()
    assert cities(world) == [f"Gdynia {n}" for n in range(1, 61)]
    assert max(refused) <= 40
    assert len(refused) < 40 / most + 8 * at_once, "what was too much is not asked for again and again"


@pytest.mark.parametrize("code", ["answer_too_large", "timeout"])
def test_the_first_pass_comes_to_its_end_in_smaller_pages(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    world = World(parse('{"panel": {"batch_size": 40}}'))
    for n in range(95):
        world.panel.register({**OTHER, "nip": tax_number(n), "email": f"{n}@x.pl"}, login=f"shop-{n}")
    changed = world.panel.changed

    def heavy(search: Search, page: int, limit: int) -> AccountPage:
        shown = changed(search, page, limit)
        if limit > 6 and any(a.panel_client_id == "70" for a in shown.found):
            raise Retry(code)
        return shown

    monkeypatch.setattr(world.panel, "changed", heavy)
    for _ in range(12):
        world.follow()
    assert len(world.exchange.accounts) == 95


def test_the_first_pass_goes_on_after_each_run_that_was_killed() -> None:
    world = World(parse('{"panel": {"batch_size": 10}}'))
    for n in range(95):
        world.panel.register({**OTHER, "nip": tax_number(n), "email": f"{n}@x.pl"}, login=f"shop-{n}")
    world.exchange.insert_client("C-1", **{**CLIENT, "nip": "", "email": "77@x.pl"})
    for _ in range(12):
        world.dies_at("panel.changed", call=3)
        world.follow()
    world.tick()
    assert len(world.exchange.accounts) == 95
    assert by(world, "C-1") == ("78", "email")


def test_a_log_too_long_for_one_run_is_read_on_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.collect.LOG_PAGE", 10)
    world = filled(40)
    world.pass_time(seconds=60)
    for n in range(40):
        world.exchange.update_client(f"C-{n:04}", city=f"Gdynia {n}")
    world.time_left = lambda: False
    for done in (10, 20, 30, 40):
        assert world.collect("billing")
        world.time_left = lambda: True
        world.drain()
        world.time_left = lambda: False
        assert sum(str(city).startswith("Gdynia") for city in shown(world)) == done


def test_a_full_scan_too_long_for_one_run_is_gone_on_with_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.collect.PAGE", 5)
    monkeypatch.setattr("kartoteka.sync.collect.SCAN_STEP", 2)
    world = filled(40)
    world.state.documents.pop("log:billing")
    world.exchange.entries.clear()
    for n in range(40):
        world.exchange.clients[f"C-{n:04}"]["city"] = f"Gdynia {n}"
    for done in (10, 20, 30, 40):
        world.time_left = lambda: False
        assert world.collect("billing")
        world.time_left = lambda: True
        world.drain()
        assert sum(str(city).startswith("Gdynia") for city in shown(world)) == done


# --- accounts without a modification date (issue 10, point 6)


@pytest.mark.parametrize("strangers", [0, 99, 100, 240])
def test_one_who_registered_without_a_date_gets_no_second_account(strangers: int) -> None:
    world = filled(2)
    world.panel.new_have_no_date = True
    for n in range(strangers):
        world.panel.register({"email": f"{n}@sklep.pl"}, login=f"s-{n}")
    somebody = world.panel.register(OTHER, login="jan")
    world.exchange.insert_client("N-1", **OTHER)
    world.tick()
    assert by(world, "N-1") == (somebody, "nip")
    assert len(world.panel.accounts) == 3 + strangers


def test_one_who_registered_without_a_date_during_an_outage_is_known() -> None:
    world = filled(2)
    world.panel.new_have_no_date = True
    somebody = world.panel.register(OTHER, login="jan")
    world.pass_time(days=9)
    world.exchange.insert_client("N-1", **OTHER)
    assert world.collect("accounts")
    world.drain()
    assert by(world, "N-1") == (somebody, "nip")


def test_one_who_registered_without_a_date_is_listed_within_six_hours() -> None:
    world = filled(2)
    world.panel.new_have_no_date = True
    somebody = world.panel.register({**OTHER, "nip": ""}, login="jan")
    for _ in range(36):
        world.pass_time(minutes=10)
        world.follow()
    assert world.exchange.incoming.keys() == {somebody}


def test_a_quiet_feed_asks_for_registrations_four_times_a_day() -> None:
    world = filled(2)
    before = world.panel.calls()[GATE]
    for _ in range(24 * 6):
        world.pass_time(minutes=10)
        assert world.follow()
    assert world.panel.calls()[GATE] - before == 24 * 6 + 4


def test_a_crowd_that_registered_and_is_known_costs_one_call_before_an_account_is_opened() -> None:
    world = filled(2)
    for n in range(300):
        world.panel.register({"email": f"{n}@sklep.pl"}, login=f"s-{n}")
    for _ in range(3):
        world.tick(seconds=301)
    world.exchange.insert_client("N-1", **OTHER)
    before = world.panel.calls()[GATE]
    assert world.collect("accounts")
    assert world.panel.calls()[GATE] - before == 2, "the window, and a page of those who registered"


# --- all accounts, again and again (issue 10, point 8)


def hide(world: World, key: str, **values: Any) -> None:
    """Change an account in a way that no window tells of."""
    account = world.panel.accounts[key]
    world.panel.accounts[key] = replace(account, values={**account.values, **values})


def days_later(world: World, days: int) -> None:
    """Let days pass, the feed read every hour."""
    for _ in range(24 * days):
        world.pass_time(hours=1)
        assert world.follow()
        world.drain()


def test_what_a_window_missed_is_found_within_the_days_of_the_policy() -> None:
    world = filled(3, '{"panel": {"full_read_days": 5}}')
    world.pass_time(days=3)  # nobody has registered of late
    world.tick()
    hide(world, "2", city="Gdynia")
    days_later(world, 4)
    assert cities(world)[1] == "Łódź"
    days_later(world, 1)
    assert cities(world)[1] == "Gdynia"


def test_what_a_window_missed_is_found_after_an_outage() -> None:
    world = filled(3)
    hide(world, "2", city="Gdynia")
    world.pass_time(minutes=30)
    world.tick()
    assert cities(world)[1] == "Łódź"
    world.pass_time(hours=3)
    world.tick()
    assert cities(world)[1] == "Gdynia"


@pytest.mark.fault(43)
def test_what_a_window_missed_is_found_after_the_panels_clock_was_put() -> None:
    world = filled(3)
    hide(world, "2", city="Gdynia")
    late = world.time - timedelta(hours=5)
    world.panel._clock = lambda: late
    world.pass_time(hours=6)
    world.tick()
    assert cities(world)[1] == "Gdynia"


def test_all_accounts_are_read_slowly_beside_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.feed.WHOLE_PAGES", 2)
    world = filled(95, '{"panel": {"batch_size": 10, "full_read_days": 1}}')
    world.pass_time(days=1)
    world.exchange.insert_client("N-1", **OTHER)
    for n in range(5):
        hide(world, "90", city=f"hidden {n}")
        world.panel.edit("3", city=f"Gdynia {n}")
        before = world.panel.calls()[GATE]
        assert world.follow()
        assert world.panel.calls()[GATE] - before <= 6
        world.drain()
        assert cities(world)[2] == f"Gdynia {n}"
        world.pass_time(seconds=61)
    assert cities(world)[89] == "hidden 4"
    assert world.time - START > timedelta(days=1)
    before = world.panel.calls()[GATE]
    assert world.follow()
    assert world.panel.calls()[GATE] - before == 1, "not again before its time"


def test_opening_accounts_does_not_wait_for_the_slow_reading() -> None:
    world = filled(95, '{"panel": {"batch_size": 10, "full_read_days": 1}}')
    world.pass_time(days=1)
    world.exchange.insert_client("N-1", **OTHER)
    before = world.panel.calls()[GATE]
    assert world.collect("accounts")
    world.drain()
    assert "N-1" in world.exchange.links
    assert world.panel.calls()[GATE] - before <= 5


@pytest.mark.fault(23)
def test_all_accounts_are_read_whose_pages_move() -> None:
    world = filled(50, '{"panel": {"batch_size": 10, "full_read_days": 1}}')
    world.pass_time(hours=24)
    hide(world, "11", city="Gdynia")
    world.panel.order = lambda account: (account.modified_at, int(account.panel_client_id))

    def edit(search: Search, page: int) -> None:
        if search is None and page == 0:  # the oldest goes to the end, and the eleventh slips to the first page
            world.panel.while_paging = None
            world.pass_time(seconds=5)
            world.panel.edit("1", city="Sopot")

    world.panel.while_paging = edit
    for _ in range(2):
        world.tick()
    assert cities(world)[10] == "Gdynia"
