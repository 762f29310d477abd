"""What one event brings is worked together: full calls, some at a time; each call's failure is its own records'."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.model import Owner
from kartoteka.sync.reconcile import Result, reconcile
from kartoteka.sync.retry import ask_apart
from kartoteka.sync.run import Run
from tests.helpers import installation, linked, owners, tax_number
from tests.world import CLIENT, World

BATCHES = '{"panel": {"batch_size": 10}, "brake": {"any_share": 1}}'
CLIENTS = [f"C-{n}" for n in range(45)]


def filled(world: World, clients: Sequence[str] = CLIENTS) -> World:
    for n, client in enumerate(clients):
        world.exchange.insert_client(client, **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
    return world


def opened(world: World) -> list[str]:
    return sorted(account.external_code for account in world.panel.accounts.values())


def spent(world: World, before: dict[str, int]) -> dict[str, int]:
    return {
        gate: count - before.get(gate, 0) for gate, count in world.panel.calls().items() if count != before.get(gate)
    }


def worked(world: World, concern: str, clients: Sequence[str] = CLIENTS) -> Result:
    return reconcile(world.run().concerns[concern], owners(*clients))


def moved(world: World, street: str = "Krótka 7") -> World:
    for client in CLIENTS:
        world.exchange.update_client(client, street=street)
    return world


def streets(world: World) -> list[str]:
    return [str(account.values["street"]) for account in world.panel.accounts.values()]


@pytest.fixture(params=[1, 4], ids=["one at a time", "four at a time"])
def world(request: pytest.FixtureRequest) -> World:
    """45 clients in step, ten records a call."""
    made = linked(len(CLIENTS), policy=BATCHES)
    made.calls_at_once = request.param
    return made


# --- how many calls


def test_a_first_load_costs_a_look_up_and_a_creation_for_each_full_batch() -> None:
    world = filled(installation(policy=BATCHES).knows_the_panel())
    world.calls_at_once = 4
    before = dict(world.panel.calls())
    assert not worked(world, "accounts").unfinished
    assert opened(world) == sorted(CLIENTS)
    found = spent(world, before)
    assert found == {"GET clients/clients": 5, "POST clients/clients": 5, "GET system/shopsData": 1}


def test_edits_of_one_event_cost_a_read_and_a_write_for_each_full_batch(world: World) -> None:
    before = dict(world.panel.calls())
    worked(moved(world), "billing")
    assert set(streets(world)) == {"Krótka 7"}
    assert spent(world, before) == {"GET clients/clients": 5, "PUT clients/clients": 5}


@pytest.mark.fault(26)
def test_what_two_messages_bring_of_one_client_is_worked_once(world: World) -> None:
    before = dict(world.panel.calls())
    world.exchange.update_client("C-1", street="Krótka 7")
    worked(world, "billing", ["C-1", "C-2", "C-1"])
    assert spent(world, before) == {"GET clients/clients": 1, "PUT clients/clients": 1}


def test_one_load_and_two_saves_serve_all_of_an_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("load", "save"):
        monkeypatch.setattr(world.exchange.records, name, _noting(asked, name, getattr(world.exchange.records, name)))
    worked(moved(world), "billing")
    assert asked == ["load", "save", "save"], "the intents, then the outcomes"


def _noting(asked: list[str], name: str, method: Any) -> Any:
    def noted(*args: Any, **kwargs: Any) -> Any:
        asked.append(name)
        return method(*args, **kwargs)

    return noted


def test_three_calls_are_made_together_and_no_more() -> None:
    run = linked(1, policy=BATCHES).run()
    run.calls_at_once = 3
    met, under_way, most = threading.Barrier(3, timeout=10), [0], [0]

    def ask(keys: Sequence[str]) -> Sequence[str]:
        under_way[0] += 1
        met.wait()
        most[0] = max(most[0], under_way[0])
        met.wait()
        under_way[0] -= 1
        return keys

    found, failed = ask_apart(run, "read", ask, [str(n) for n in range(60)], {})
    assert (found, failed) == ([str(n) for n in range(60)], {})
    assert most == [3]


# --- what fails


@pytest.mark.parametrize("error", [Retry("panel_5xx"), Retry("timeout")])
def test_a_call_that_fails_among_several_fails_its_own_records_alone(world: World, error: KartotekaError) -> None:
    fail_at(world, "update", 2, error)
    result = worked(moved(world), "billing")
    assert not result.unfinished
    late = [client for client in CLIENTS if deferral(world, client)]
    assert len(late) in (10, 5)
    assert streets(world).count("Krótka 7") == len(CLIENTS) - len(late)
    assert result.report.counts.written_to_panel == len(CLIENTS) - len(late)
    world.pass_time(minutes=2)
    world.tick()
    world.tick()
    assert set(streets(world)) == {"Krótka 7"}


def test_what_only_a_person_can_correct_stops_the_calls_that_are_not_begun(world: World) -> None:
    fail_at(world, "update", 2, Halt("panel_right", "a right is missing"))
    result = worked(moved(world), "billing")
    late = [client for client in CLIENTS if deferral(world, client)]
    assert streets(world).count("Krótka 7") == len(CLIENTS) - len(late)
    assert len(late) >= 5
    assert result.report.halts == ("panel_right: a right is missing",)


def test_a_read_that_fails_among_several_fails_its_own_records_alone(world: World) -> None:
    world.panel.fail(Retry("panel_5xx"))
    worked(moved(world), "billing")
    late = [client for client in CLIENTS if deferral(world, client)]
    assert len(late) in (10, 5)
    assert streets(world).count("Krótka 7") == len(CLIENTS) - len(late)


def test_a_lost_reply_of_one_creation_among_several_doubles_nobody() -> None:
    world = filled(installation(policy=BATCHES).knows_the_panel())
    world.calls_at_once = 4
    world.panel.lose_reply()
    worked(world, "accounts")
    world.tick()
    assert opened(world) == sorted(CLIENTS)
    assert len(world.exchange.links) == len(CLIENTS)


@pytest.mark.fault(17)
def test_in_an_outage_no_more_calls_are_begun_than_are_needed_to_tell(world: World) -> None:
    before = dict(world.panel.calls())
    for n in range(1, 6):
        fail_at(world, "update", n, Retry("panel_5xx"))
    worked(moved(world), "billing")
    assert 2 <= spent(world, before)["PUT clients/clients"] <= (2 if world.calls_at_once == 1 else 5)
    assert all(deferral(world, client) for client in CLIENTS)


def test_a_batch_that_is_refused_as_a_whole_is_split_and_the_others_are_not_touched(world: World) -> None:
    world.panel.refuse_whole("C-7")
    before = dict(world.panel.calls())
    worked(moved(world), "billing")
    assert streets(world).count("Krótka 7") == len(CLIENTS) - 1
    assert spent(world, before)["PUT clients/clients"] > 5
    assert [client for client in CLIENTS if deferral(world, client)] == ["C-7"]


# --- what is killed, or runs out of time


@pytest.mark.parametrize("method", ["panel.create", "records.save", "panel.find"])
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_killed_leaves_intents_that_are_looked_up_first(method: str, call: int, after: bool) -> None:
    world = filled(installation(policy=BATCHES).knows_the_panel())
    world.calls_at_once = 4
    world.dies_at(method, after=after, call=call)
    assert not world.reconcile("accounts", *owners(*CLIENTS))
    world.tick()
    assert opened(world) == sorted(CLIENTS)
    assert len(world.exchange.links) == len(CLIENTS)


@pytest.mark.fault(12)
@pytest.mark.parametrize("most", [1, 6])
def test_what_there_is_no_time_for_comes_back_and_the_rest_is_saved(world: World, most: int) -> None:
    moved(world)
    calls_before = sum(world.panel.calls().values())
    world.time_left = lambda: sum(world.panel.calls().values()) - calls_before < most
    result = worked(world, "billing")
    done = {client for client in CLIENTS if street_of(world, client) == "Krótka 7"}
    assert {owner.client_id for owner in result.unfinished} == set(CLIENTS) - done
    assert 10 <= len(done) < len(CLIENTS), "the first call is made whatever the time, and not all of them"
    assert not any(deferral(world, client) for client in CLIENTS), "nothing is wrong with them"
    assert all(world.exchange.states[key].intent is None for key in world.exchange.states if key.client_id in done)
    world.time_left = lambda: True
    assert not worked(world, "billing", [owner.client_id for owner in result.unfinished]).unfinished
    assert set(streets(world)) == {"Krótka 7"}


def street_of(world: World, client: str) -> str:
    return str(world.panel.accounts[world.exchange.links[client].panel_client_id].values["street"])


def deferral(world: World, client: str) -> Any:
    found = [key for key in world.exchange.deferrals if key.client_id == client and key.concern == "billing"]
    waits = [world.exchange.deferrals[key] for key in found]
    return [each for each in waits if each.code != "unconfirmed"]


def fail_at(world: World, gate: str, call: int, error: KartotekaError) -> None:
    """Let the n-th call of a gate from now fail before it has done anything."""
    whole, made = getattr(world.panel, gate), [0]

    def failing(*args: Any, **kwargs: Any) -> Any:
        made[0] += 1
        if made[0] == call:
            world.panel.fail(error)
        return whole(*args, **kwargs)

    setattr(world.panel, gate, failing)


def test_a_run_gives_what_its_threads_raise() -> None:
    run: Run = linked(1).run()
    run.calls_at_once = 2

    def raising(part: int) -> int:
        if part == 2:
            raise Retry("database")
        return part

    with pytest.raises(Retry, match="database"):
        run.at_once(raising, [1, 2, 3])
    assert run.at_once(lambda n: 2 * n, [3, 1, 2]) == [6, 2, 4]
    assert run.at_once(lambda n: n, list[Owner]()) == []


# --- a first contact


def contact(*, differing: int = 0) -> World:
    """45 clients, of whom 27 have an account without their code; so many of those with another street."""
    world = installation(policy=BATCHES)
    world.calls_at_once = 4
    for n in range(27):
        street = "Inna 9" if n < differing else CLIENT["street"]
        world.panel.register(
            {**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl", "street": street}, login=f"shop-{n}"
        )
    return filled(world.knows_the_panel())


def settled(world: World) -> None:
    for _ in range(20):
        world.drain()
        assert world.follow()
        world.pass_time(seconds=120)
        for concern in world.run().concerns:
            world.collect(concern)


@pytest.mark.parametrize(("differing", "more"), [(0, 0), (7, 1), (27, 3)])
def test_a_first_contact_costs_full_batches_and_nothing_for_accounts_that_agree(differing: int, more: int) -> None:
    """Codes, matched accounts, their codes given, accounts opened; addresses; billing for those that differ."""
    world = contact(differing=differing)
    before = dict(world.panel.calls())
    worked(world, "accounts")
    assert spent(world, before) == {
        "GET clients/clients": 5 + 3,
        "PUT clients/clients": 3,
        "POST clients/clients": 2,
        "GET system/shopsData": 1,
    }
    before = dict(world.panel.calls())
    world.drain()
    found = spent(world, before)
    assert found.get("PUT clients/clients", 0) == more
    assert found["GET clients/deliveryAddress"] == 3
    assert found.get("GET clients/clients", 0) == more
    assert len(world.panel.accounts) == len(CLIENTS)


def test_accounts_that_agree_are_in_step_once_the_feed_has_shown_them() -> None:
    world = contact()
    worked(world, "accounts")
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.WAITING, "unconfirmed")
    world.pass_time(seconds=61)
    before = dict(world.panel.calls())
    assert world.follow()
    status = world.exchange.status("C-1", "billing")
    assert status
    assert (status.state, status.code) == (State.IN_STEP, "")
    assert spent(world, before).keys() == {"GET clients/clients"}
    world.panel.edit("2", street="Krótka 7")
    world.pass_time(seconds=61)
    world.tick()
    assert world.exchange.clients["C-1"]["street"] == "Krótka 7"


@pytest.mark.fault(59)
@pytest.mark.parametrize("value", ["Krótka 7", "ul. Nowa 1/2"])
@pytest.mark.parametrize("told", [False, True], ids=["before the code was given", "and the feed has passed it"])
def test_an_edit_made_between_the_look_and_the_link_travels(value: str, told: bool) -> None:
    """The feed has passed it while nobody knew whose account it is; it is asked for all the same."""
    world = contact()
    world.calls_at_once = 1
    update = world.panel.update

    def edited(updates: Sequence[Any]) -> Any:
        world.panel.edit("2", street=value)
        done = update(updates)
        if told:
            world.follow()
        return done

    world.panel.update = edited  # type: ignore[method-assign]
    worked(world, "accounts")
    world.panel.update = update  # type: ignore[method-assign]
    settled(world)
    assert world.exchange.clients["C-1"]["street"] == value
    assert world.panel.accounts["2"].values["street"] == value


def test_an_edit_of_the_row_made_meanwhile_travels_too() -> None:
    world = contact()
    worked(world, "accounts")
    world.exchange.update_client("C-1", street="Krótka 7")
    settled(world)
    assert world.panel.accounts["2"].values["street"] == "Krótka 7"
