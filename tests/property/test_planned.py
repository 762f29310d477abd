"""``mode: plan``: whatever the two sides do, nothing is written but the plan; what is approved is what would be done.

An installation is begun in mode ``apply`` or is new, then both sides do as they like while all is only planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kartoteka.errors import Retry
from kartoteka.model import Key, Owner, Value
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Chosen
from tests.fakes.exchange import FakeExchange
from tests.fakes.panel import FakePanel
from tests.property.histories import histories
from tests.world import CLIENT, CONCERNS, World

PLAN = {"mode": "plan"}
CLIENTS, ADDRESSES = ("C-1", "C-2", "C-3"), ("A-1", "A-2")
ADDRESS: dict[str, Value] = {
    "street": "Długa 3",
    "zip_code": "00-950",
    "city": "Łódź",
    "first_name": "J",
    "last_name": "K",
}
TEXTS = ("Radom", "Łódź", "501502503", "5260250274", "")
WRITES = ("POST", "PUT", "DELETE")
OURS = ("states", "links", "matches", "incoming", "history", "conflicts", "sent", "stops")
"""The fake's tables that must not change while all is only planned."""
ERPS = ("clients", "addresses", "shops", "credit", "groups", "items")


def erp(world: World, what: str, which: int, text: str) -> None:
    """Let the ERP do something."""
    exchange, client_id, address = world.exchange, CLIENTS[which], ADDRESSES[which % 2]
    there = exchange.has_client(client_id)
    other = {"email": f"{client_id.lower()}@firma.pl", "nip": None, "company": f"Firma {client_id}"}
    acts: dict[str, Callable[[], Any]] = {
        "insert": lambda: there or exchange.insert_client(client_id, **{**CLIENT, **other}),
        "insert_like": lambda: there or exchange.insert_client(client_id, **{**CLIENT, "email": other["email"]}),
        "delete": lambda: exchange.delete_client(client_id),
        "city": lambda: exchange.update_client(client_id, city=text),
        "phone": lambda: exchange.update_client(client_id, phone=text),
        "nip": lambda: exchange.update_client(client_id, nip=text),
        "close": lambda: exchange.update_client(client_id, active=text != "Łódź"),
        "group": lambda: exchange.update_client(client_id, discount_group_id="G" if text else None),
        "credit": lambda: exchange.set_credit(
            client_id, credit_allowed=True, credit_limit=f"{which + 1}00.00", balance="0.00", currency="PLN"
        ),
        "shops": lambda: exchange.set_shops(client_id, *([1, 2] if text else [1])),
        "address": lambda: address in exchange.addresses or exchange.insert_address(address, client_id, **ADDRESS),
        "move": lambda: exchange.update_address(address, city=text),
        "drop": lambda: exchange.delete_address(address),
        "make_group": lambda: exchange.set_group("G", f"Hurt {which}"),
        "price": lambda: exchange.set_item("G", "product", str(which), price=f"{which + 1}.00", currency="PLN"),
        "no_price": lambda: exchange.delete_item("G", "product", str(which)),
        "nobodys": lambda: "A-9" in exchange.addresses or exchange.insert_address("A-9", None, **ADDRESS),
        "pass_time": lambda: world.pass_time(hours=which * 5 + 1),
    }
    acts[what]()


def panel(world: World, what: str, which: int, text: str) -> None:
    """Let somebody do something in the panel."""
    ids = sorted(world.panel.accounts)
    if what == "register":
        world.panel.register(
            {name: CLIENT[name] for name in ("company", "street", "zip_code", "city")}
            | {"email": f"{CLIENTS[which].lower()}@firma.pl"}
        )
        return
    if what == "make_group":
        world.panel.make_group(f"Hurt {which}")
        return
    if not ids:
        return
    key = ids[which % len(ids)]
    lines = sorted(address for address, (owner, _) in world.panel.delivery.items() if owner == key)
    acts: dict[str, Callable[[], Any]] = {
        "city": lambda: world.panel.edit(key, city=text),
        "phone": lambda: world.panel.edit(key, phone=text),
        "close": lambda: (world.panel.closed.add(key), world.panel.edit(key, city=text)),
        "add": lambda: world.panel.add_address(key, street="Nowa 1", zip_code="00-950", city=text, first_name="J"),
        "move": lambda: lines and world.panel.edit_address(lines[0], city=text or "Gdynia"),
        "drop": lambda: lines and world.panel.remove_address(lines[0]),
        "out": lambda: world.panel.fail(*[Retry("timeout")] * (3 * which + 1)),
    }
    acts[what]()


ERP_ACTS = (
    *("insert", "insert_like", "delete", "city", "phone", "nip", "close", "group", "credit", "shops", "address"),
    *("move", "drop", "make_group", "price", "no_price", "nobodys", "pass_time"),
)
PANEL_ACTS = ("register", "make_group", "city", "phone", "close", "add", "move", "drop", "out")

sides = st.one_of(
    st.tuples(st.just("erp"), st.sampled_from(ERP_ACTS), st.integers(0, 2), st.sampled_from(TEXTS)),
    st.tuples(st.just("panel"), st.sampled_from(PANEL_ACTS), st.integers(0, 2), st.sampled_from(TEXTS)),
)


def do(world: World, acts: Sequence[tuple[str, str, int, str]]) -> None:
    for side, what, which, text in acts:
        (erp if side == "erp" else panel)(world, what, which, text)


def kept(exchange: FakeExchange, names: Sequence[str]) -> dict[str, Any]:
    return {name: deepcopy(getattr(exchange, name)) for name in names}


def written(fake: FakePanel) -> int:
    return sum(count for gate, count in fake.calls().items() if gate.startswith(WRITES))


def installed(policy: dict[str, Any], begun: Sequence[tuple[str, str, int, str]], ticks: int = 3) -> World:
    """Return a world in which this was done, and carried out as far as so many ticks do."""
    world = World(Policy.model_validate(policy)).knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    do(world, begun)
    for _ in range(ticks):
        world.tick()
    return world


@pytest.mark.fault(93)
@settings(max_examples=histories(60), deadline=None)
@given(
    begun=st.lists(sides, max_size=8),
    rounds=st.lists(st.lists(sides, max_size=5), min_size=1, max_size=3),
    ticks=st.integers(0, 3),
)
@example(begun=[("erp", "address", 0, "")], rounds=[[("panel", "move", 0, "Radom"), ("erp", "drop", 0, "")]], ticks=3)
@example(begun=[], rounds=[[("panel", "register", 1, ""), ("erp", "insert", 1, "")]], ticks=3)
@example(
    begun=[("erp", "make_group", 0, ""), ("erp", "price", 1, ""), ("erp", "group", 0, "x")],
    rounds=[[("erp", "no_price", 1, ""), ("erp", "make_group", 2, "")], [("erp", "group", 0, "")]],
    ticks=3,
)
def test_nothing_is_written_but_the_plan(
    begun: Sequence[tuple[str, str, int, str]], rounds: Sequence[Sequence[tuple[str, str, int, str]]], ticks: int
) -> None:
    world = installed({}, begun, ticks)
    world.policy = Policy.model_validate(PLAN)
    for acts in rounds:
        do(world, acts)
        before, calls, shop = kept(world.exchange, (*OURS, *ERPS)), written(world.panel), world.panel.backup()
        world.tick()
        world.rotate()
        world.tick(seconds=700)
        assert kept(world.exchange, (*OURS, *ERPS)) == before
        assert (written(world.panel), world.panel.backup()) == (calls, shop)


@settings(max_examples=histories(60), deadline=None)
@given(acts=st.lists(sides, max_size=8))
def test_a_plan_that_stays_true_is_written_once(acts: Sequence[tuple[str, str, int, str]]) -> None:
    world = installed({}, [])
    world.policy = Policy.model_validate(PLAN)
    do(world, acts)
    world.panel.recover()
    world.tick()
    planned = dict(world.exchange.planned)
    for client_id in CLIENTS:
        world.queue.send("billing", [Owner(client_id)])
        world.queue.send("accounts", [Owner(client_id)])
    world.tick()
    world.tick()
    assert world.exchange.planned == planned


@settings(max_examples=histories(60), deadline=None)
@given(acts=st.lists(sides, max_size=8), begun=st.lists(sides, max_size=5), chosen=st.sets(st.integers(0, 12)))
@example(
    acts=[("erp", "city", 0, "Radom"), ("erp", "insert", 1, ""), ("erp", "credit", 1, "")], begun=[], chosen={0, 2}
)
def test_approving_a_part_carries_that_part_alone(
    acts: Sequence[tuple[str, str, int, str]], begun: Sequence[tuple[str, str, int, str]], chosen: set[int]
) -> None:
    world = installed({}, begun)
    world.policy = Policy.model_validate(PLAN)
    do(world, acts)
    world.panel.recover()
    world.tick()
    world.rotate()
    world.drain()
    open_rows = world.exchange.plans.open(Chosen(), 0, 1000)
    ids = [row.id for n, row in enumerate(open_rows) if n in chosen]
    approved = {row.line.key for row in open_rows if row.id in ids}
    given_one = {key.client_id for key in approved if key.concern == "accounts" and key.client_id}
    states, history = dict(world.exchange.states), len(world.exchange.history)
    if ids:
        world.exchange.plans.decide(Chosen(ids=ids), "approve", "anna")
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    after = world.exchange.states
    touched = {key for key in states.keys() | after if states.get(key) != after.get(key)}
    touched |= {Key(h.client_id, h.group_id, h.concern, h.item_id) for h in world.exchange.history[history:]}
    assert {key for key in touched - approved if key.client_id not in given_one} == set()
    left = {row.line.key for row in world.exchange.plans.open(Chosen(), 0, 1000)}
    settled = {row.line.key for row in world.exchange.planned.values() if row.outcome}
    assert approved <= settled | left


def die(world: World, step: int, after: bool) -> None:
    """Let what is due be collected, and the workers die at this call of a port."""
    for concern in CONCERNS:
        world.collect(concern, everything_due=True)
    for concern in CONCERNS:
        world.mortal(step, after=after)
        world.work(concern)


def approve_all(world: World, deaths: Sequence[tuple[int, bool]] = ()) -> None:
    """Approve and carry out until nothing that was not approved is planned; processes die at these calls of a port."""
    for death in (*deaths, *[None] * 8):
        rows = world.exchange.plans.open(Chosen(), 0, 10_000)
        if not world.exchange.plans.decide(Chosen(), "approve", "anna") and not rows:
            return
        if death:
            die(world, *death)
        world.tick()
        world.rotate()
        world.drain()


def both_sides(world: World) -> tuple[Any, ...]:
    """Return what stands on both sides in the end, but for numbers that the panel gave and dates."""
    exchange, fake = world.exchange, world.panel
    codes = {key: account.external_code for key, account in fake.accounts.items()}
    accounts = sorted((a.external_code, a.login, sorted(map(str, a.values.items()))) for a in fake.accounts.values())
    lines = sorted((codes.get(key, ""), sorted(map(str, a.values.items()))) for key, a in fake.delivery.values())
    prices = sorted((fake.discount_groups[number], sorted(map(str, p.items()))) for number, p in fake.prices.items())
    links = sorted((link.client_id, link.linked_by) for link in exchange.links.values())
    closed = sorted(codes[key] for key in fake.closed if key in codes)
    groups = sorted(fake.discount_groups.values())
    rows = sorted((client_id, sorted(map(str, row.items()))) for client_id, row in exchange.clients.items())
    return accounts, lines, prices, links, closed, groups, rows


def settle(world: World, ticks: int) -> None:
    """Tick so many times, with the passes and some time after each."""
    for _ in range(ticks):
        world.tick()
        world.rotate()
        world.drain()
        world.pass_time(minutes=20)


@settings(max_examples=histories(60), deadline=None)
@given(begun=st.lists(sides, max_size=5), acts=st.lists(sides, max_size=7))
@example(begun=[], acts=[("panel", "register", 1, ""), ("erp", "insert", 1, ""), ("panel", "add", 0, "Radom")])
@example(begun=[], acts=[("erp", "make_group", 0, ""), ("erp", "price", 1, ""), ("erp", "group", 0, "x")])
def test_switching_to_apply_does_what_apply_would_have_done(
    begun: Sequence[tuple[str, str, int, str]], acts: Sequence[tuple[str, str, int, str]]
) -> None:
    planned, applied = installed({}, begun), installed({}, begun)
    planned.policy = Policy.model_validate(PLAN)
    for world in (planned, applied):
        do(world, acts)
        for _ in range(2):
            world.tick()
            world.rotate()
            world.drain()
    planned.policy = Policy()
    for world in (planned, applied):
        settle(world, 4)
    assert both_sides(planned) == both_sides(applied)
    assert not planned.exchange.plans.open(Chosen(), 0, 10)


@settings(max_examples=histories(60), deadline=None)
@given(acts=st.lists(sides, max_size=7), deaths=st.lists(st.tuples(st.integers(1, 25), st.booleans()), max_size=3))
@example(acts=[("panel", "register", 1, ""), ("erp", "insert", 1, ""), ("panel", "add", 0, "Radom")], deaths=[])
@example(acts=[("erp", "make_group", 0, ""), ("erp", "price", 1, ""), ("erp", "group", 0, "x")], deaths=[(9, True)])
@example(acts=[("erp", "insert", 1, ""), ("erp", "address", 0, ""), ("erp", "credit", 1, "")], deaths=[])
def test_approving_all_does_what_apply_would_have_done(
    acts: Sequence[tuple[str, str, int, str]], deaths: Sequence[tuple[int, bool]]
) -> None:
    planned, applied = installed(PLAN, acts), installed({}, acts)
    approve_all(planned, deaths)
    for world in (planned, applied):
        for _ in range(3):
            world.tick()
            world.rotate()
            world.drain()
    approve_all(planned)
    planned.policy = Policy()
    for world in (planned, applied):
        settle(world, 3)
    assert both_sides(planned) == both_sides(applied)
