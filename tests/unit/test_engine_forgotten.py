"""A client who was erased: nothing is kept, nothing comes back, and the neighbours go on."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from kartoteka.model import Key, Owner
from kartoteka.sync import forget
from tests.world import CLIENT, World

KEPT = ("states", "since", "links", "history", "accounts", "seen_at", "entries", "tombstones")
"""What a backup of the database holds, as far as the tests need it."""


def settled(*clients: str) -> World:
    """A world in which these clients have their accounts."""
    world = World().knows_the_panel()
    for number, client in enumerate(clients):
        own = {
            "email": f"{client}@firma.pl",
            "phone": f"50150250{number}",
            "nip": CLIENT["nip"] if not number else None,
        }
        world.exchange.insert_client(client, **CLIENT | own)
    for _ in range(3):
        world.tick()
    assert set(world.exchange.links) == set(clients)
    return world


def erase(world: World, client: str) -> None:
    """What the desk does."""
    world.exchange.forgotten.forget(client, at=world.time)
    forget.remember(world.state, world.exchange.forgotten.tombstones(client))


def kept_of(world: World, client: str) -> set[str]:
    """Return where anything is kept of a client."""
    db = world.exchange
    found = {
        "links": client in db.links,
        "states": any(k.client_id == client and s.code != "forgotten" for k, s in _statuses(world)),
        "base": any(key.client_id == client for key in db.bases),
        "history": any(row.client_id == client for row in db.history),
        "conflicts": any(row.client_id == client for row in db.conflicts),
        "matches": any(key[0] == client for key in db.matches),
        "planned": any(row.line.key.client_id == client for row in db.planned.values()),
        "index": any(a.external_code == client for a in db.accounts.values()),
    }
    return {name for name, there in found.items() if there}


def _statuses(world: World):
    return list(world.exchange.statuses.items())


def test_nothing_is_kept_and_one_status_says_so_while_the_row_stands() -> None:
    world = settled("K-1", "K-2")
    number = world.exchange.links["K-1"].panel_client_id
    erase(world, "K-1")
    for _ in range(3):
        world.tick()
        world.pass_time(minutes=20)
    assert kept_of(world, "K-1") == set()
    said = {key: status for key, status in _statuses(world) if key.client_id == "K-1"}
    assert [(key.concern, str(status.state), status.code) for key, status in said.items()] == [
        ("accounts", "excluded", "forgotten")
    ]
    assert number not in world.exchange.accounts
    assert number not in world.exchange.incoming
    assert len(world.panel.opened) == 2
    assert "K-2" in world.exchange.links


def test_the_status_goes_with_the_row_and_a_row_that_is_back_is_still_forgotten() -> None:
    world = settled("K-1")
    erase(world, "K-1")
    world.exchange.delete_client("K-1")
    for _ in range(3):
        world.tick()
        world.pass_time(hours=1)
    assert world.exchange.statuses == {}
    world.exchange.insert_client("K-1", **CLIENT)
    for _ in range(3):
        world.tick()
    assert world.exchange.status("K-1", "accounts").code == "forgotten"  # type: ignore[union-attr]
    assert kept_of(world, "K-1") == set()
    assert len(world.panel.opened) == 1


@pytest.mark.parametrize("rule", ["nip", "email", "phone"])
def test_its_account_is_nobody_elses_by_any_rule(rule: str) -> None:
    world = settled("K-1")
    number = world.exchange.links["K-1"].panel_client_id
    erase(world, "K-1")
    row = {"email": "inny@firma.pl", "nip": "7010002137", "phone": "601601601"} | {rule: CLIENT[rule]}
    row |= {"email": {"email": "K-1@firma.pl"}, "phone": {"phone": "501502500"}}.get(rule, {})
    world.panel.edit(number, city="Kraków")
    world.exchange.insert_client("K-9", **CLIENT | row)
    for _ in range(4):
        world.tick()
    link = world.exchange.links.get("K-9")
    assert link is None or link.panel_client_id != number
    assert not any(account == number for _, account in world.exchange.matches)


def test_an_account_that_lost_its_code_is_not_told_to_the_erp() -> None:
    world = settled("K-1")
    number = world.exchange.links["K-1"].panel_client_id
    erase(world, "K-1")
    world.panel.recode(number, "")
    for _ in range(3):
        world.tick()
    assert number not in world.exchange.incoming
    assert number not in world.exchange.accounts


@pytest.mark.parametrize("concern", ["accounts", "billing"])
def test_a_worker_in_flight_saves_nothing_back(concern: str) -> None:
    world = settled("K-1", "K-2")
    world.exchange.update_client("K-1", city="Gdańsk", active=False)
    world.exchange.update_client("K-2", city="Gdańsk")

    def erased_now() -> None:
        world.exchange.before_save = None
        erase(world, "K-1")

    world.exchange.before_save = erased_now
    world.reconcile(concern, Owner("K-1"), Owner("K-2"))
    assert kept_of(world, "K-1") == set()
    for _ in range(3):
        world.tick()
    assert kept_of(world, "K-1") == set()
    assert world.exchange.bases[Key("K-2", "", "billing")].erp["city"] == "Gdańsk"


def test_an_account_that_was_just_being_opened_is_known_by_its_code() -> None:
    world = World().knows_the_panel()
    world.exchange.insert_client("K-1", **CLIENT)
    world.collect("accounts")
    calls = iter(range(2))

    def erased_now() -> None:
        if next(calls, None) == 1:  # between the intent and what the answer says
            world.exchange.before_save = None
            erase(world, "K-1")

    world.exchange.before_save = erased_now
    world.drain()
    assert len(world.panel.opened) == 1
    for _ in range(4):
        world.tick()
        world.pass_time(hours=7)
    assert kept_of(world, "K-1") == set()
    assert not world.exchange.accounts
    assert not world.exchange.incoming
    assert len(world.panel.opened) == 1


def test_the_panels_count_still_fits_and_nothing_is_read_again_for_it() -> None:
    world = settled("K-1", "K-2")
    erase(world, "K-1")
    for _ in range(3):
        world.tick()
    before = sum(world.panel.calls().values())
    world.tick()
    quiet = sum(world.panel.calls().values()) - before
    world.pass_time(minutes=30)
    before = sum(world.panel.calls().values())
    world.tick()
    assert sum(world.panel.calls().values()) - before <= quiet + 3


@pytest.mark.parametrize("at_once", [False, True])
def test_edits_of_its_account_are_no_news_and_the_panel_is_asked_no_more_often_for_them(at_once: bool) -> None:
    def calls(*, edited: bool) -> int:
        world = settled("K-1", "K-2")
        number = world.exchange.links["K-1"].panel_client_id
        erase(world, "K-1")
        for _ in range(3):
            world.tick()
        before = sum(world.panel.calls().values())
        for minute in range(30):
            if edited:
                world.panel.edit(number, city=f"Miasto {minute}")
            world.pass_time(seconds=61)
            assert world.follow(at_once=at_once)
        return sum(world.panel.calls().values()) - before

    assert calls(edited=True) <= calls(edited=False) + 2


def test_a_database_that_is_restored_right_after_brings_nobody_back() -> None:
    """No daily run lies between: what the erasure itself has told the cloud is all that is known of it."""
    world = settled("K-1", "K-2")
    backup = copy.deepcopy([getattr(world.exchange, name) for name in KEPT])
    erase(world, "K-1")
    world.collect("accounts")
    for name, value in zip(KEPT, backup, strict=True):
        setattr(world.exchange, name, value)
    for _ in range(3):
        world.tick()
    assert kept_of(world, "K-1") == set()
    assert world.exchange.forgotten.is_forgotten("K-1")
    assert len(world.panel.opened) == 2


def test_a_restored_database_brings_nobody_back() -> None:
    world = settled("K-1", "K-2")
    backup = dict(world.exchange.states), dict(world.exchange.links), list(world.exchange.history)
    entries = dict(world.exchange.entries)
    world.exchange.update_client("K-2", city="Gdańsk")
    for _ in range(2):
        world.tick()
    erase(world, "K-1")
    world.tick()
    states, links, history = backup
    world.exchange.states.clear()
    world.exchange.states.update(states)
    world.exchange.links = links
    world.exchange.history = history
    world.exchange.entries = entries
    world.exchange.tombstones.clear()
    for _ in range(4):
        world.tick()
    assert kept_of(world, "K-1") == set()
    assert world.exchange.forgotten.is_forgotten("K-1")
    assert len(world.panel.opened) == 2


def test_what_a_worker_stored_in_that_very_moment_goes_a_quarter_of_an_hour_later() -> None:
    world = settled("K-1")
    late = list(world.exchange.history)
    erase(world, "K-1")
    world.exchange.history.extend(late)
    world.pass_time(minutes=10)
    world.collect("accounts")
    assert kept_of(world, "K-1") == {"history"}
    world.pass_time(minutes=6)
    world.collect("accounts")
    assert kept_of(world, "K-1") == set()


def test_either_home_of_the_tombstones_mends_the_other() -> None:
    world = settled("K-1")
    world.exchange.forgotten.forget("K-1", at=world.time)  # and the process died before the cloud knew
    assert forget.known(world.state) == frozenset()
    world.pass_time(days=1, hours=1)
    world.tick()
    assert forget.known(world.state) == world.exchange.forgotten.tombstones()
    assert len(forget.known(world.state)) == 2


def test_allowed_again_it_is_linked_to_its_account_again() -> None:
    world = settled("K-1")
    number = world.exchange.links["K-1"].panel_client_id
    erase(world, "K-1")
    world.tick()
    own = world.exchange.forgotten.tombstones("K-1")
    forget.let_go(world.state, own)
    assert world.exchange.forgotten.allow("K-1")
    world.queue.send("accounts", [Owner("K-1")])
    for _ in range(3):
        world.tick()
    assert world.exchange.links["K-1"].panel_client_id == number
    assert len(world.panel.opened) == 1


def test_more_tombstones_than_one_document_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget, "MOST", 3)
    world = World()
    stones = [forget.Tombstone(f"d{n}", f"c{n}") for n in range(10)]
    for stone in stones:
        forget.remember(world.state, [stone])
    assert forget.known(world.state) == frozenset(stones)
    forget.let_go(world.state, stones[:5])
    assert forget.known(world.state) == frozenset(stones[5:])
    forget.remember(world.state, stones)
    assert forget.known(world.state) == frozenset(stones)


def test_old_values_go_by_the_daily_run() -> None:
    world = settled("K-1")
    assert any(row.value_after for row in world.exchange.history)
    world.pass_time(days=729)
    world.tick()
    assert any(row.value_after for row in world.exchange.history)
    world.pass_time(days=3)
    world.tick()
    old = [row for row in world.exchange.history if row.at < world.time - timedelta(days=730)]
    assert old
    assert not any(row.value_before or row.value_after for row in old)
    assert all(row.erased_at for row in old)


def erased_before_the_next_save(world: World, client: str) -> None:
    def erased() -> None:
        world.exchange.before_save = None
        erase(world, client)

    world.exchange.before_save = erased


def test_nothing_is_sent_of_a_client_who_was_erased_since_it_was_loaded() -> None:
    world = settled("K-1", "K-2")
    for client in ("K-1", "K-2"):
        world.exchange.update_client(client, city="Gdynia")
    accounts = {client: link.panel_client_id for client, link in world.exchange.links.items()}
    erased_before_the_next_save(world, "K-1")
    world.reconcile("billing", Owner("K-1"), Owner("K-2"))
    shown = {client: world.panel.accounts[key].values["city"] for client, key in accounts.items()}
    assert shown == {"K-1": CLIENT["city"], "K-2": "Gdynia"}


def test_no_account_is_opened_for_a_client_who_was_erased_since_it_was_loaded() -> None:
    world = settled("K-1")
    for client in ("K-2", "K-3"):
        world.exchange.insert_client(client, **CLIENT | {"email": f"{client}@firma.pl", "nip": None})
    erased_before_the_next_save(world, "K-2")
    world.reconcile("accounts", Owner("K-2"), Owner("K-3"))
    assert sorted(account.external_code for account in world.panel.accounts.values()) == ["K-1", "K-3"]
    for _ in range(3):
        world.tick()
    assert sorted(account.external_code for account in world.panel.accounts.values()) == ["K-1", "K-3"]


def test_a_client_whose_code_differs_in_case_alone_is_not_given_the_erased_ones_account() -> None:
    world = settled("K-1")
    number = world.exchange.links["K-1"].panel_client_id
    erase(world, "K-1")
    world.exchange.delete_client("K-1")
    world.panel.code_case = "any_case"
    world.exchange.insert_client("k-1", **CLIENT | {"email": "inny@firma.pl", "nip": None, "phone": "601601601"})
    for _ in range(3):
        world.tick()
    assert world.exchange.links["k-1"].panel_client_id != number
    assert len(world.panel.opened) == 2
