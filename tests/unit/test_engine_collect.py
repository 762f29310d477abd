"""Collect and feed: cursors move after the work they vouch for, and a cursor that lies is found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from kartoteka.codes import State
from kartoteka.concerns.accounts.index import Index
from kartoteka.errors import Retry
from kartoteka.model import Owner
from kartoteka.policy import parse
from kartoteka.ports.panel import AccountPage, Window
from kartoteka.sync.window import OVERLAP
from tests.helpers import linked, tax_number, unbraked
from tests.world import CLIENT, World


def filled(number: int) -> World:
    """Return an installation with this many customers in step."""
    world = World(unbraked())
    for n in range(number):
        world.exchange.insert_client(f"C-{n:04}", **CLIENT)
    world.tick()
    world.tick()
    return world


@pytest.mark.fault(3, 38)
def test_the_cursor_stays_where_the_queue_did_not_take_every_chunk() -> None:
    world = World()
    for n in range(250):
        world.exchange.insert_client(f"C-{n:04}", **CLIENT)
    world.knows_the_panel()
    world.exchange.insert_client("C-0250", **CLIENT)
    world.queue.chunks.clear()
    world.state.documents.pop("log:accounts")
    world.queue.break_after(1)
    assert not world.collect("accounts")
    world.tick()
    assert len(world.panel.accounts) == 251


@pytest.mark.fault(40)
def test_a_late_commit_is_not_lost() -> None:
    world = filled(2)
    slow = world.exchange.transaction()
    slow.update_client("C-0000", city="Gdynia")
    world.exchange.update_client("C-0001", city="Sopot")
    world.tick()
    slow.commit()
    world.tick()
    assert world.panel.accounts["1"].values["city"] == "Gdynia"


@pytest.mark.fault(46)
def test_a_restored_database_is_noticed_and_looked_at_whole() -> None:
    world = filled(3)
    world.exchange.entries = {}  # rebuilt: the log begins again below the cursor
    world.panel.edit("2", city="Gdynia")
    world.state.documents.pop("feed")
    world.pass_time(days=30)
    before = world.counts.collected
    world.collect("billing")
    assert world.counts.collected - before == 3


@pytest.mark.fault(44)
def test_a_lost_cursor_costs_reads_and_no_panel_call() -> None:
    world = filled(300)
    world.state.documents.clear()
    before = dict(world.panel.calls())
    world.collect("billing")
    world.collect("accounts")
    assert dict(world.panel.calls()) == before
    assert world.queue.empty()


def test_a_full_look_goes_on_where_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kartoteka.sync.collect.SCAN_BUDGET", 100)
    monkeypatch.setattr("kartoteka.sync.collect.PAGE", 50)
    world = World().knows_the_panel()
    world.state.documents.pop("log:accounts")
    for n in range(230):
        world.exchange.insert_client(f"C-{n:04}", **CLIENT)
    for expected in (100, 200, 230):
        world.collect("accounts")
        world.drain()
        assert len(world.panel.accounts) == expected


def test_a_changed_policy_does_not_cut_short_the_look_at_a_restored_database(monkeypatch: pytest.MonkeyPatch) -> None:
    world = filled(30)
    monkeypatch.setattr("kartoteka.sync.collect.SCAN_BUDGET", 10)
    monkeypatch.setattr("kartoteka.sync.collect.PAGE", 10)
    world.exchange.entries = {}
    world.collect("billing")
    world.policy = parse('{"brake": {"min_records": 60}}')
    world.queue.chunks.clear()
    for _ in range(4):
        world.collect("billing")
    assert {key for chunk in world.queue.chunks["billing"] for key in chunk} == {Owner(f"C-{n:04}") for n in range(30)}


def test_the_daily_sweep_finds_what_the_log_never_told() -> None:
    world = filled(2)
    world.pass_time(minutes=20)
    world.tick()
    world.exchange.clients["C-0001"]["city"] = "behind the triggers' back"
    world.tick()
    assert world.panel.accounts["2"].values["city"] == "Łódź"
    world.pass_time(days=1)
    world.tick()
    assert world.panel.accounts["2"].values["city"] == "behind the triggers' back"


BEGINS: dict[str, Callable[[World], object]] = {
    "a day has passed": lambda world: world.pass_time(days=1),
    "another policy": lambda world: setattr(world, "policy", parse('{"brake": {"min_records": 60}}')),
    "triggers were disabled": lambda world: world.exchange.disable_triggers("clients"),
}


@pytest.mark.parametrize("begins", BEGINS)
@pytest.mark.parametrize("edited", [(29,), (17, 29), (2, 28, 29)])
def test_a_full_scan_that_takes_many_runs_delays_nobody_of_whom_the_log_tells(
    monkeypatch: pytest.MonkeyPatch, begins: str, edited: Sequence[int]
) -> None:
    world = filled(30)
    world.pass_time(hours=2)
    world.tick()
    for name, size in {"SCAN_BUDGET": 2, "PAGE": 2, "SCAN_STEP": 1}.items():
        monkeypatch.setattr(f"kartoteka.sync.collect.{name}", size)
    for n in edited:
        world.exchange.update_client(f"C-{n:04}", city="Sopot")
    BEGINS[begins](world)
    world.collect("billing")
    document = world.state.documents["log:billing"].document
    assert document
    assert document["scan"]["after"] == "C-0001", "the scan has only begun"
    assert {owner for chunk in world.queue.chunks["billing"] for owner in chunk} == {Owner(f"C-{n:04}") for n in edited}
    assert [world.collect("billing") for _ in range(20)] == [True] * 20
    assert "scan" not in (world.state.documents["log:billing"].document or {})


@pytest.mark.fault(92)
def test_the_first_pass_reads_all_accounts_once_and_goes_on_after_a_stop() -> None:
    world = World()
    for n in range(450):
        world.panel.register(CLIENT, login=f"shop-{n}")
    world.panel.fail()
    world.follow()
    pages = world.panel.calls()["GET clients/clients"]
    assert pages == 5 + 5  # and once more to list the strangers
    assert len(world.exchange.accounts) == 450
    stopped = World()
    for n in range(450):
        stopped.panel.register(CLIENT, login=f"shop-{n}")
    stopped.mortal(12)
    assert not stopped.follow()
    stopped.follow()
    assert len(stopped.exchange.accounts) == 450
    assert stopped.panel.calls()["GET clients/clients"] <= pages + 1


@pytest.mark.fault(42)
def test_a_window_too_large_for_one_run_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = filled(400)
    monkeypatch.setattr("kartoteka.sync.feed.PAGES", 2)
    for n in range(1, 401):
        world.panel.edit(str(n), city="Gdynia")
        world.pass_time(seconds=1)
    for _ in range(12):
        world.tick()
    assert all(client["city"] == "Gdynia" for client in world.exchange.clients.values())


def test_after_a_crowd_the_overlap_is_not_read_again_and_again() -> None:
    world = filled(1000)
    world.tick()
    for _ in range(6):
        before = world.panel.calls()["GET clients/clients"]
        world.tick()
        assert world.panel.calls()["GET clients/clients"] - before <= 2


def test_an_account_that_appears_late_in_a_crowd_is_found_by_counting() -> None:
    world = filled(300)
    feed = world.state.documents["feed"].document
    assert feed
    assert feed["zones"]
    zone_time = world.panel.accounts["7"].modified_at
    world.panel.edit("7", city="Gdynia")
    late = world.panel.accounts["7"]
    world.panel.accounts["7"] = replace(late, modified_at=zone_time)
    world.exchange.accounts.pop("7")  # as if the page had not shown it
    for _ in range(int(OVERLAP / timedelta(seconds=61)) + 2):
        world.tick()
    row = world.exchange.client(next(k for k, link in world.exchange.links.items() if link.panel_client_id == "7"))
    assert row
    assert row["city"] == "Gdynia"


@pytest.mark.fault(43)
def test_a_clock_that_differs_is_measured_and_lived_with() -> None:
    world = World()
    ahead = timedelta(minutes=47)
    world.panel._clock = lambda: world.time + ahead
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.tick()
    world.panel.edit("1", city="Gdynia")
    world.tick()
    row = world.exchange.client("C-1")
    assert row
    assert row["city"] == "Gdynia"


def test_a_guest_is_remembered_and_left_alone() -> None:
    world = World()
    world.panel.register(CLIENT, login="", guest=True, external_code="")
    world.tick()
    assert len(world.exchange.accounts) == 1
    assert world.queue.empty()


def test_a_code_set_by_hand_in_the_panel_wakes_the_client() -> None:
    world = World()
    world.tick()
    world.panel.register({**CLIENT, "city": "Gdynia"}, login="jan", external_code="C-1")
    world.panel.halt()
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.recover()
    world.follow()
    assert world.queue.take("accounts") == (Owner("C-1"),)


def test_a_feed_that_fails_half_way_reads_again() -> None:
    world = filled(250)
    for n in range(1, 251):
        world.panel.edit(str(n), city="Gdynia")
    world.panel.fail(Retry("panel_5xx"))
    assert not world.follow()
    world.tick()
    assert all(client["city"] == "Gdynia" for client in world.exchange.clients.values())


def test_a_held_client_that_was_completed_while_the_cursor_was_lost_is_looked_at() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, "city": None})
    world.tick()
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert (status.state, status.code) == (State.HELD, "incomplete")
    world.state.documents.clear()
    world.exchange.update_client("C-1", city="Łódź")
    for _ in range(3):
        world.tick()
    assert "C-1" in world.exchange.links


def test_a_question_that_was_answered_while_the_cursor_was_lost_is_looked_at() -> None:
    world = World()
    one, _ = (world.panel.register(CLIENT, login=login) for login in ("jan", "ewa"))
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert (status.state, status.code) == (State.HELD, "ambiguous")
    world.state.documents.clear()
    world.exchange.decide_match("C-1", one, "link")
    for _ in range(3):
        world.tick()
    assert world.exchange.links["C-1"].panel_client_id == one


def test_held_clients_cost_no_writing_and_a_look_up_for_each_hundred_after_a_lost_cursor() -> None:
    world = filled(50).knows_the_panel()
    for n in range(100):
        world.exchange.insert_client(f"H-{n}", **{**CLIENT, "nip": "", "email": f"{n}@held.pl", "city": None})
    world.tick()
    world.state.documents.pop("log:accounts")
    before = dict(world.panel.calls())
    world.collect("accounts")
    world.drain()
    after = {gate: n - before.get(gate, 0) for gate, n in world.panel.calls().items() if n != before.get(gate, 0)}
    assert not after, "their plans are empty, so they are not even looked up"


def test_after_a_restored_database_all_accounts_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked(5)
    world.exchange.entries.clear()
    whole: list[int] = []
    changed = world.panel.changed

    def noting(window: Window | None, page: int, limit: int) -> AccountPage:
        if window is None:
            whole.append(page)
        return changed(window, page, limit)

    monkeypatch.setattr(world.panel, "changed", noting)
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": tax_number(999), "email": "9@firma.pl"})
    for _ in range(4):
        world.tick()
    assert whole == [0]
    assert "C-9" in world.exchange.links
    world.exchange.entries.clear()
    world.exchange.insert_client("C-10", **{**CLIENT, "nip": tax_number(1010), "email": "10@firma.pl"})
    for _ in range(4):
        world.tick()
    assert whole == [0, 0], "restored once more, read once more"
    assert "C-10" in world.exchange.links


@pytest.mark.parametrize("change", [{}, {"email": None}, {"nip": "1"}, {"country_code": "??"}])
def test_a_new_client_is_queued_unmatched_and_one_of_whom_something_was_said_is_not_asked_about_again(
    change: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.knows_the_panel()
    world.exchange.insert_client("C-1", **{**CLIENT, **change})
    matched: list[int] = []
    monkeypatch.setattr(Index, "matches", lambda _self, records, *_: matched.append(len(records)) or {})
    world.collect("accounts")
    assert not any(matched)
    assert not world.queue.empty()
    monkeypatch.undo()
    world.tick()
    world.tick()
    world.exchange.update_client("C-1", city=CLIENT["city"])  # the trigger fires, and nothing is otherwise
    world.collect("accounts")
    assert world.queue.empty()
