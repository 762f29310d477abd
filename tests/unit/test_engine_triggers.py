"""Triggers that are missing or disabled: noticed, made again or told, and answered with full scans."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.ports.exchange import Unlogged
from kartoteka.sync import triggers
from kartoteka.sync.collect import advance
from tests.helpers import account_of, linked
from tests.world import World

TABLES = ("clients", "delivery_addresses", "client_credit", "client_shops")


def collect(world: World, concern: str = "billing") -> None:
    assert world.collect(concern)
    world.drain()


def city(world: World, client: str = "C-0") -> object:
    return world.panel.accounts[account_of(world, client)].values["city"]


def test_what_was_written_while_a_trigger_was_missing_is_found_once_it_is_made_again() -> None:
    world = linked(2)
    world.exchange.drop_triggers("clients")
    world.exchange.update_client("C-0", city="Radom")
    collect(world)
    assert world.exchange.unlogged == {}
    assert city(world) == "Radom"


@pytest.mark.parametrize("concern", ["billing", "shops", "accounts"])
def test_whoever_makes_a_trigger_again_the_others_scan_too(concern: str) -> None:
    world = linked()
    world.exchange.drop_triggers("clients")
    world.exchange.update_client("C-0", city="Radom", active=False)
    world.exchange.drop_triggers("client_shops")
    world.exchange.set_shops("C-0", 2)
    collect(world, concern)
    assert world.exchange.unlogged == {}
    for each in ("accounts", "billing", "shops"):
        collect(world, each)
    account = account_of(world, "C-0")
    assert (city(world), world.panel.closed) == ("Radom", {account})
    assert world.panel.accounts[account].values["shops"] == (2,)


def test_a_disabled_trigger_is_left_alone_told_and_answered_with_a_scan_every_quarter_of_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = linked()
    world.exchange.disable_triggers("clients")
    collect(world)
    for minutes, expected in ((5, "Łódź"), (9, "Łódź"), (2, "City 16")):
        world.exchange.update_client("C-0", city="City 16")
        world.pass_time(minutes=minutes)
        collect(world)
        assert city(world) == expected, minutes
    assert world.exchange.unlogged == {"clients": Unlogged.DISABLED}
    run = world.run()
    advance(run, run.concerns["billing"].sources(everything_due=False)[0])
    assert run.unlogged == {"clients": "disabled"}
    assert "the triggers of clients are disabled" in caplog.text


def test_what_was_written_since_the_last_scan_is_found_once_they_are_enabled_again() -> None:
    world = linked()
    world.exchange.disable_triggers("clients")
    collect(world)
    world.exchange.update_client("C-0", city="Radom")
    world.pass_time(minutes=1)
    world.exchange.enable_triggers("clients")
    collect(world)
    assert city(world) == "Radom"
    scans = [world.state.documents["log:billing"].document["scanned_at"]]  # type: ignore[index]
    world.pass_time(minutes=20)
    collect(world)
    assert world.state.documents["log:billing"].document["scanned_at"] == scans[0]  # type: ignore[index]


@pytest.mark.parametrize("failure", [Halt("database_access", "no right"), Retry("database")])
def test_what_cannot_be_made_again_is_told_and_tried_a_minute_later(failure: KartotekaError) -> None:
    world = linked()
    tries: list[int] = []
    plain = world.exchange.log.recreate_triggers
    world.exchange.log.recreate_triggers = lambda: (tries.append(1), plain())[1]  # type: ignore[method-assign]
    world.exchange.drop_triggers("clients")
    world.exchange.no_triggers = failure
    for concern in ("billing", "shops", "accounts", "credit"):
        collect(world, concern)
    assert len(tries) == 1, "one function tries, once a minute"
    world.pass_time(seconds=61)
    world.exchange.no_triggers = None
    collect(world, "shops")
    assert (len(tries), world.exchange.unlogged) == (2, {})


@pytest.mark.parametrize("table", TABLES)
def test_a_concern_tells_of_its_own_tables_only(table: str) -> None:
    world = linked()
    world.exchange.disable_triggers(table)
    told = set()
    for name in ("accounts", "billing", "delivery_addresses", "shops", "discounts", "credit"):
        run = world.run()
        for source in run.concerns[name].sources(everything_due=False):
            advance(run, source)
        told |= {(name, *run.unlogged)} if run.unlogged else set()
    assert told == {(name, table) for name, concern in world.run().concerns.items() if table in concern.rows.tables}


def test_a_process_looks_at_its_start_and_once_an_hour_and_when_it_shall_be_now() -> None:
    world = linked()
    looked: dict[str, object] = {}

    def look(*, now: bool = False) -> dict[str, str]:
        run = world.run()
        run.looked = looked  # type: ignore[assignment]
        triggers.look(run, "log:billing", ["clients"], now=now)
        return run.unlogged

    assert look() == {}
    world.exchange.disable_triggers("clients")
    world.pass_time(minutes=59)
    assert look() == {}
    assert look(now=True) == {"clients": "disabled"}
    assert look() == {"clients": "disabled"}, "while something lacks each run looks"
    world.exchange.enable_triggers("clients")
    assert look() == {}
    world.exchange.disable_triggers("clients")
    world.pass_time(minutes=59)
    assert look() == {}
    world.pass_time(minutes=1)
    assert look() == {"clients": "disabled"}


def test_one_scan_after_the_other_however_long_one_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked(6)
    monkeypatch.setattr("kartoteka.sync.collect.PAGE", 2)
    monkeypatch.setattr("kartoteka.sync.collect.SCAN_BUDGET", 2)
    world.exchange.disable_triggers("clients")
    places = []
    for _ in range(6):
        collect(world)
        document = world.state.documents["log:billing"].document or {}
        places.append((document.get("scan") or {}).get("after"))
        world.pass_time(minutes=16)
    assert places[:4] == ["C-1", "C-3", "C-5", ""], "a scan in progress goes on"
    assert places[5] == "C-1", "then the next one begins"


def test_a_scan_without_triggers_costs_no_panel_call() -> None:
    world = linked(3)
    before = dict(world.panel.calls())
    world.exchange.disable_triggers("clients")
    for _ in range(3):
        collect(world)
        world.pass_time(minutes=16)
    assert dict(world.panel.calls()) == before


def test_a_quiet_state_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    world = linked()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            collect(world)
            world.pass_time(hours=2)
    assert triggers.NAME not in world.state.documents
    assert "trigger" not in caplog.text


def test_a_span_owes_a_scan_until_one_began_after_its_end() -> None:
    world = World()
    now = world.time
    minute = timedelta(minutes=1)
    ended = triggers.Span(now - 10 * minute, now - 5 * minute)
    assert ended.owes_scan(now - 6 * minute, now)
    assert not ended.owes_scan(now - 5 * minute, now)
    going_on = triggers.Span(now - 10 * minute)
    assert going_on.owes_scan(now - 11 * minute, now)
    assert not going_on.owes_scan(now - 9 * minute, now)
    assert going_on.owes_scan(now - 9 * minute, now + 6 * minute)
