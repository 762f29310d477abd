"""Faults that a run may meet at any of its steps (``tests/faults.toml``): each is tried at every one of them.

A step is a call of a port. Both sides are edited, a client is new, an address is new; whatever happens to a run, in the
end all of that is on both sides, once, and two further ticks write nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import count
from typing import Any

import pytest

from kartoteka.codes import State
from kartoteka.errors import Reject, Retry
from kartoteka.model import Owner
from kartoteka.policy import parse
from kartoteka.sync import collect
from kartoteka.sync.collect import Source
from kartoteka.sync.run import Counts, Run
from tests.helpers import account_of, customer, linked, puts
from tests.world import ADDRESS, World

Phase = Callable[[World], object]
UNBRAKED = '{"brake": {"min_records": 100000}, "panel": {"batch_size": 40}}'

PHASES: dict[str, Phase] = {
    "collect accounts": lambda world: world.collect("accounts"),
    "collect billing": lambda world: world.collect("billing"),
    "collect addresses": lambda world: world.collect("delivery_addresses"),
    "follow": lambda world: world.follow(),
    "work accounts": lambda world: world.work("accounts"),
    "work billing": lambda world: world.work("billing"),
    "work addresses": lambda world: world.work("delivery_addresses"),
}
"""One round of the schedules and of the queues, run by run."""


def edited() -> World:
    """Return three linked clients, an edit on either side, a new client and a new address."""
    world = linked(3)
    world.pass_time(minutes=5)
    world.exchange.update_client("C-0", street="z ERP")
    world.panel.edit(account_of(world, "C-1"), street="z panelu")
    world.exchange.insert_client("C-9", **customer(9))
    world.exchange.insert_address("A-1", "C-2", **ADDRESS)
    return world


def before(phase: str) -> World:
    """Return the world in which this phase is the next one."""
    world = edited()
    for name, act in PHASES.items():
        if name == phase:
            break
        act(world)
    return world


READS = frozenset(
    [
        "read",
        "load",
        "find",
        "seek",
        "changed",
        "addresses",
        "groups",
        "group_clients",
        "shops",
        "now",
        "states",
        "exclusions",
        "existing",
        "having",
        "known",
        "candidates",
        "answers",
        "recognised",
        "crowded",
        "owners",
        "undoing",
        "said",
        "former",
        "untouched",
        "client_ids",
        "depths",
        "left",
        "calls",
        "mark",
        "unlogged",
        "due",
        "approved",
        "paused",
        "latest",
        "contenders",
        "closed_among",
        "released",
        "counted",
        "written",
        "to_be_swept",
        "accounts",
    ]
)
"""Methods of ports that change nothing: who dies after one dies as after the last write before."""


@dataclass(frozen=True)
class Step:
    """The n-th call of a port in a phase."""

    number: int
    method: str

    @property
    def writes(self) -> bool:
        return self.method.partition(".")[2] not in READS


@cache
def steps(phase: str) -> tuple[Step, ...]:
    """Return the calls of ports that a phase makes."""
    world, seen = before(phase), list[str]()
    step = world.step

    def noted(method: str, *, before: bool) -> None:
        if before:
            seen.append(method)
        step(method, before=before)

    world.step = noted  # type: ignore[method-assign]
    PHASES[phase](world)
    return tuple(Step(number, method) for number, method in enumerate(seen, 1))


def turns(phase: str) -> list[int]:
    """Return the steps before which somebody else has a turn: the first, and each that writes what was read before."""
    return [step.number for step in steps(phase) if step.writes or step.number == 1]


def writes(world: World) -> tuple[int, int, int]:
    calls = sum(n for gate, n in world.panel.calls().items() if not gate.startswith("GET"))
    return calls, len(world.exchange.history), world.exchange.log_head()


def all_is_well(world: World, what: object = "") -> None:
    """Let it settle, and hold what it has come to against what was edited."""
    for _ in range(4):
        world.tick()
    told = (what, writes(world))
    for _ in range(2):
        world.tick()
    assert (what, writes(world)) == told, "it is not quiet"
    codes = sorted(account.external_code for account in world.panel.accounts.values())
    assert codes == ["C-0", "C-1", "C-2", "C-9"], what
    assert len(world.panel.delivery) == 1, what
    for client, street in (("C-0", "z ERP"), ("C-1", "z panelu")):
        assert world.panel.accounts[account_of(world, client)].values["street"] == street, what
        assert world.exchange.clients[client]["street"] == street, what
    assert not world.exchange.conflicts, what
    assert not world.panel.notified
    assert {status.state for status in world.exchange.statuses.values()} == {State.IN_STEP}, what


# --- a run dies


@pytest.mark.fault(1, 2, 3, 4, 5, 6, 13)
@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_dies_at_any_step_loses_and_doubles_nothing(phase: str) -> None:
    for number in (0, *(step.number for step in steps(phase) if step.writes)):
        world = before(phase)
        world.mortal(max(number, 1), after=number > 0)
        PHASES[phase](world)
        all_is_well(world, (phase, number))


@pytest.mark.fault(4, 6)
def test_what_was_written_before_a_run_died_is_written_again_by_one_batch_at_most() -> None:
    world = linked(100, policy=UNBRAKED)
    world.pass_time(minutes=5)
    for n in range(100):
        world.exchange.update_client(f"C-{n}", street=f"Nowa {n}")
    world.collect("billing")
    sent: list[str] = []
    update = world.panel.update

    def noted(updates: Any) -> Any:
        sent.extend(each.client_id for each in updates)
        return update(updates)

    world.panel.update = noted  # type: ignore[method-assign]
    world.dies_at("panel.update", after=True)
    for _ in range(3):
        world.tick()
    assert {a.values["street"] for a in world.panel.accounts.values()} == {f"Nowa {n}" for n in range(100)}
    assert len(sent) <= 100 + world.policy.panel.batch_size


@pytest.mark.fault(5, 26, 28, 30)
def test_a_message_that_comes_again_costs_no_writing_call() -> None:
    world = edited()
    messages: list[tuple[str, Any]] = []
    for phase, act in PHASES.items():
        if phase.startswith("work"):
            messages += [(name, chunk) for name, chunks in world.queue.chunks.items() for chunk in chunks]
        act(world)
    all_is_well(world)
    assert {name for name, _ in messages} == {"accounts", "billing", "delivery_addresses"}
    told = writes(world)
    for days in (0, 4):
        world.pass_time(days=days)
        for name, chunk in messages:
            assert world.reconcile(name, *chunk)
            assert world.reconcile(name, *chunk)
    assert writes(world) == told


# --- the order of our own steps


@pytest.mark.fault(7)
@pytest.mark.parametrize("early", [False, True])
def test_a_cursor_that_moved_before_the_queue_had_the_keys_would_lose_an_edit(
    monkeypatch: pytest.MonkeyPatch, *, early: bool
) -> None:
    """With our order the edit arrives; with the order turned round it does not, so this test would see that."""

    def moved_first(run: Run, source: Source) -> Counts:
        place = collect._Place.of(run, source)
        found = source.find(place.document)
        place.move(run, found)
        for concern, owners in found.keys.items():
            run.queue.send(concern, list(owners))
        return Counts()

    if early:
        monkeypatch.setattr("tests.world.advance", moved_first)
    world = linked(1)
    world.pass_time(minutes=20)
    world.tick()
    world.exchange.update_client("C-0", street="Nowa 7")
    world.queue.break_after(0)
    assert not world.collect("billing")
    for _ in range(3):
        world.tick()
    arrived = world.panel.accounts[account_of(world, "C-0")].values["street"] == "Nowa 7"
    assert arrived is not early


# --- several at the same time


def again(world: World, phase: str) -> Phase:
    """Return the same run a second time: of a worker, with the message that the first one has."""
    concern = {"work accounts": "accounts", "work billing": "billing", "work addresses": "delivery_addresses"}.get(
        phase
    )
    if concern is None:
        return PHASES[phase]
    chunks = world.queue.chunks.get(concern, [])
    owners: tuple[Owner, ...] = tuple(chunks[0]) if chunks else ()
    return lambda world: world.reconcile(concern, *owners)


def meanwhile(world: World, phase: str) -> None:
    """Do all that a whole stack does in two hours, with a further edit of either side."""
    world.pass_time(hours=1)
    again(world, phase)(world)
    world.exchange.update_client("C-0", street="z ERP", city="później")
    world.panel.edit(account_of(world, "C-1"), phone="600700800")
    world.pass_time(hours=1)
    world.tick()
    world.tick()


@pytest.mark.fault(26, 31, 32)
@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase not in ("work accounts", "work addresses")])
def test_two_runs_at_the_same_time_lose_and_double_nothing(phase: str) -> None:
    """Where something is opened or added the queue keeps two workers from one client: the panel could not."""
    for step in turns(phase):
        world = before(phase)
        world.amid(step, partial(again(world, phase), world))
        PHASES[phase](world)
        all_is_well(world, (phase, step))


def test_a_client_that_was_linked_since_it_was_loaded_is_not_held_for_its_own_account() -> None:
    world = before("work accounts")
    world.amid(2, partial(again(world, "work accounts"), world))
    PHASES["work accounts"](world)
    all_is_well(world)


@pytest.mark.fault(33, 34)
@pytest.mark.parametrize("phase", ["collect accounts", "collect billing", "follow", "work billing", "work addresses"])
def test_a_run_that_was_frozen_for_hours_overwrites_nothing_newer(phase: str) -> None:
    for step in turns(phase):
        world = before(phase)
        world.amid(step, partial(meanwhile, world, phase))
        PHASES[phase](world)
        all_is_well(world, (phase, step))
        for client, field, value in (("C-0", "city", "później"), ("C-1", "phone", "600700800")):
            shown = world.panel.accounts[account_of(world, client)].values[field]
            assert (world.exchange.clients[client][field], shown) == (value, value), (phase, step)


# --- messages


@pytest.mark.fault(27, 28)
@pytest.mark.parametrize("days", [0, 4])
@pytest.mark.parametrize("backwards", [False, True])
def test_messages_carry_no_values_whenever_and_in_whatever_order_they_come(days: int, *, backwards: bool) -> None:
    world = linked(1)
    world.pass_time(minutes=5)
    for street in ("Pierwsza 1", "Druga 2"):
        world.exchange.update_client("C-0", street=street)
        world.collect("billing")
    messages = world.queue.chunks["billing"]
    assert len(messages) == 2
    if backwards:
        messages.reverse()
    told = puts(world)
    world.pass_time(days=days)
    while world.work("billing"):
        pass
    assert world.panel.accounts[account_of(world, "C-0")].values["street"] == "Druga 2"
    assert puts(world) == told + 1


# --- a slow panel, a panel that takes no large body


class Slow(World):
    """Each call of the panel takes 29 seconds, and a function has five minutes."""

    answers = timedelta(seconds=29)
    lives = timedelta(minutes=5)
    reserve = timedelta(seconds=50)
    _counted = 0

    def rounds(self, number: int) -> None:
        """Let each function be invoked so many times, one after the other."""
        for _ in range(number):
            for phase in PHASES.values():
                self.invoked(phase)
                self.pass_time(seconds=5)

    def invoked(self, phase: Phase) -> None:
        """Let a function do this; it is over before its time is."""
        ends = self.time + self.lives
        self.time_left = lambda: ends - self.time > self.reserve
        phase(self)
        assert self.time <= ends, "the function was stopped in the middle"

    def step(self, method: str, *, before: bool) -> None:
        calls = sum(self.panel.calls().values())
        if not before and calls > self._counted:
            self.time += (calls - self._counted) * self.answers
        self._counted = calls
        super().step(method, before=before)


@pytest.mark.fault(24)
def test_slow_answers_keep_no_function_over_its_time_and_all_arrives() -> None:
    world = Slow(parse(UNBRAKED))
    for n in range(100):
        world.exchange.insert_client(f"C-{n}", **customer(n, street=f"Polna {n}"))
    world.exchange.insert_address("A-1", "C-7", **ADDRESS)
    world.rounds(12)
    assert sorted(a.external_code for a in world.panel.accounts.values()) == sorted(f"C-{n}" for n in range(100))
    assert len(world.panel.delivery) == 1
    for n in range(100):
        world.exchange.update_client(f"C-{n}", street=f"Leśna {n}")
    world.panel.edit(account_of(world, "C-3"), city="Gdynia")
    world.rounds(12)
    assert {a.values["street"] for a in world.panel.accounts.values()} == {f"Leśna {n}" for n in range(100)}
    assert world.exchange.clients["C-3"]["city"] == "Gdynia"


def long_words(n: int) -> dict[str, Any]:
    return {"company": f"{n} " + "💶" * 296, "street": f"{n} " + "ż" * 196, "city": "Ł" * 100}


@pytest.mark.fault(72)
def test_a_body_that_is_too_large_for_the_panel_is_split_by_halves() -> None:
    world = World(parse(UNBRAKED))
    sizes: list[int] = []

    def limited(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(records: Any, **how: Any) -> Any:
            size = sum(len(str(value).encode()) for record in records for value in record.values.values())
            sizes.append(size)
            if size > 60_000:
                raise Reject("refused_whole")  # what a 413 is taken for
            return method(records, **how)

        return call

    for name in ("create", "update"):
        setattr(world.panel, name, limited(getattr(world.panel, name)))
    for n in range(100):
        world.exchange.insert_client(f"C-{n}", **customer(n, **long_words(n)))
    for _ in range(2):
        world.tick()
    assert len(world.panel.accounts) == 100
    for n in range(100):
        world.exchange.update_client(f"C-{n}", **long_words(n + 100))
    for _ in range(2):
        world.tick()
    shown = {account.values["company"] for account in world.panel.accounts.values()}
    assert shown == {long_words(n + 100)["company"] for n in range(100)}
    assert max(sizes) > 60_000, "it is tried whole first"
    assert {status.state for status in world.exchange.statuses.values()} == {State.IN_STEP}


# --- what two clients want of each other


class Taken:
    """A panel in which no two accounts have the same e-mail address."""

    def __init__(self, world: World) -> None:
        self._world, self._update = world, world.panel.update
        world.panel.update = self.update  # type: ignore[method-assign]

    def update(self, updates: Any) -> Any:
        return [outcome for each in updates for outcome in self._one(each)]

    def _one(self, update: Any) -> Iterator[Any]:
        wanted = update.values.get("email")
        others = (a for a in self._world.panel.accounts.values() if a.login != update.login)
        if wanted is not None and wanted in {a.values["email"] for a in others}:
            yield Reject("bad_email", field="email", value=wanted)
        else:
            yield from self._update([update])


@pytest.mark.fault(55)
@pytest.mark.parametrize("unique", [False, True])
def test_two_clients_that_swap_their_addresses_get_them_or_wait_with_a_reason(*, unique: bool) -> None:
    world = linked(2)
    world.pass_time(minutes=5)
    accounts = {client: account_of(world, client) for client in ("C-0", "C-1")}
    if unique:
        Taken(world)
    for client, other in (("C-0", 1), ("C-1", 0)):
        world.exchange.update_client(client, email=f"{other}@firma.pl", city="Gdynia")
    for _ in range(4):
        world.tick()
    assert {client: account_of(world, client) for client in accounts} == accounts
    assert len(world.panel.accounts) == 2
    assert {a.values["city"] for a in world.panel.accounts.values()} == {"Gdynia"}, "the other fields travel"
    shown = {client: world.panel.accounts[account].values["email"] for client, account in accounts.items()}
    told = {world.exchange.status(client, "billing") for client in accounts}
    if unique:
        assert shown == {"C-0": "0@firma.pl", "C-1": "1@firma.pl"}
        assert {(status.state, status.code, status.field) for status in told if status} == {
            (State.HELD, "bad_email", "email")
        }
        world.exchange.update_client("C-0", email="wolny@firma.pl")
        world.tick()
        world.exchange.update_client("C-1", email="0@firma.pl ")
        world.tick()
        assert world.panel.accounts[accounts["C-1"]].values["email"] == "0@firma.pl"
    else:
        assert shown == {"C-0": "1@firma.pl", "C-1": "0@firma.pl"}
        assert {status.state for status in told if status} == {State.IN_STEP}


@pytest.mark.fault(55)
@pytest.mark.parametrize("field", ["nip", "email"])
def test_clients_that_swap_what_they_are_recognised_by_before_they_are_linked_are_one_each(field: str) -> None:
    world = World()
    rows = {n: customer(n, street=f"Polna {n}") for n in (0, 1)}
    for n, row in rows.items():
        world.panel.register({**row, field: rows[1 - n][field]}, login=f"shop-{n}")
        world.exchange.insert_client(f"C-{n}", **row)
    for _ in range(3):
        world.tick()
    assert len(world.panel.accounts) == 2, "nobody is opened beside them"
    linked_to = [link.panel_client_id for link in world.exchange.links.values()]
    assert len(linked_to) == len(set(linked_to))
    held = {world.exchange.statuses[key].state for key in world.exchange.statuses if key.concern == "accounts"}
    assert held <= {State.HELD, State.IN_STEP}
    assert len(linked_to) == 2 or world.exchange.index.candidates(["C-0", "C-1"]), "a person is asked"


# --- an outage that never touches the same record twice


@pytest.mark.fault(18)
def test_a_share_of_replies_that_is_lost_after_its_effect_costs_time_and_nothing_else() -> None:
    world = World(parse(UNBRAKED))
    for n in range(100):
        world.exchange.insert_client(f"C-{n}", **customer(n, street=f"Polna {n}"))
    calls = count()

    def some_are_lost() -> None:
        if next(calls) % 4 == 1:
            raise Retry("panel_5xx")

    world.panel._maybe_lose_reply = some_are_lost  # type: ignore[method-assign]
    for _ in range(8):
        world.tick()
    for n in range(100):
        world.exchange.update_client(f"C-{n}", street=f"Leśna {n}")
    for _ in range(8):
        world.tick()
    assert sorted(a.external_code for a in world.panel.accounts.values()) == sorted(f"C-{n}" for n in range(100))
    assert {a.values["street"] for a in world.panel.accounts.values()} == {f"Leśna {n}" for n in range(100)}
    assert not world.exchange.conflicts


@pytest.mark.fault(43)
def test_a_moment_of_the_erps_that_lies_in_the_hour_that_comes_twice_is_no_conflict_of_times() -> None:
    """Clocks go back in Warsaw at 01:00 UTC: edits of either side around it travel, each once."""
    world = linked(2)
    world.time = datetime(2026, 10, 25, 0, 30, tzinfo=world.time.tzinfo)
    for minutes in range(0, 120, 15):
        world.exchange.update_client("C-0", street=f"z ERP {minutes}")
        world.panel.edit(account_of(world, "C-1"), street=f"z panelu {minutes}")
        world.tick(seconds=900)
    for _ in range(2):
        world.tick()
    told = writes(world)
    for _ in range(3):
        world.tick(seconds=900)
    assert writes(world) == told
    assert world.panel.accounts[account_of(world, "C-0")].values["street"] == "z ERP 105"
    assert world.exchange.clients["C-1"]["street"] == "z panelu 105"
    assert not world.exchange.conflicts
