"""Delivery addresses come to rest whatever stands in the rows: a full scan then finds nothing to be done.

What is wrong stays wrong here: values that a side does not take, refusals, rows that lack something, accounts that are
gone. Everything is tried as often as the policy wants, then it is held, and from then on

* the plan that does not ask the panel is empty for every client, so a quiet scan sends no key;
* the worker's plan, made from what the panel shows, is empty too: the two never part;
* nothing is written, and nothing that is known changes.

Before that, whenever a client was worked, no address of which something is left to be carried is said to be in step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.codes import is_asked_again
from kartoteka.model import Key, Owner, RecordState, Value
from kartoteka.policy import Policy, parse
from kartoteka.sync.concern import NOT_OWN
from tests.address_world import CONCERN, LINES, AddressWorld
from tests.world import CLIENT

CLIENTS = ("C-1", "C-2")
VALUES: Mapping[str, tuple[Value, ...]] = {
    "street": ("Długa 5", "DŁUGA 5", "Krótka 2", "x" * 201, "a\tb"),
    "city": ("Łódź", "Gdynia", "y" * 101),
    "first_name": ("Jan", "Anna", None, ""),
    "phone": ("501502503", "600700800", None, ""),
    "additional": (None, "", "brama 2"),
    "country_code": ("PL", "DE", "P1", None),
}
"""What the two sides may write into a field, some of it more than the other side takes."""
NEVER_SHOWN = ("a\tb", "P1")
"""What no panel shows."""

lines = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
edits = st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name])))
clients, picks = st.sampled_from(CLIENTS), st.integers(0, 4)
rules = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from(["erp_to_panel", "panel_to_erp", "both", "off"]),
        "conflict": st.sampled_from(["erp", "panel", "hold"]),
        "empty": st.sampled_from(["keep", "erase"]),
    },
)
policies = st.fixed_dictionaries(
    {
        "delivery_addresses": st.fixed_dictionaries(
            {
                "direction": st.sampled_from(["both", "both", "erp_to_panel", "panel_to_erp"]),
                "conflict": st.sampled_from(["erp", "panel", "hold"]),
                "deletes": st.sampled_from(["ignore", "propagate"]),
                "fields": st.dictionaries(st.sampled_from(["phone", "city", "first_name"]), rules, max_size=2),
            }
        ),
        "accounts": st.fixed_dictionaries({"default_shops": st.sampled_from([[1], [1], []])}),
        "retry": st.fixed_dictionaries({"max_attempts": st.integers(1, 3)}),
        "brake": st.just({"min_records": 1_000_000}),
    }
).map(lambda document: parse(json.dumps(document)))


class Hands:
    """What the people on both sides may do."""

    def __init__(self, policy: Policy) -> None:
        self.world = AddressWorld(policy)
        self.accounts = {client_id: self.world.customer(client_id) for client_id in CLIENTS}
        self.numbers = iter(range(1, 1000))

    def row(self, pick: int) -> str:
        ids = sorted(self.world.exchange.addresses)
        return ids[pick % len(ids)] if ids else ""

    def address(self, pick: int) -> str:
        ids = sorted(self.world.panel.delivery)
        return ids[pick % len(ids)] if ids else ""

    def erp_adds(self, client_id: str, values: Mapping[str, Value]) -> None:
        self.world.exchange.insert_address(f"A-{next(self.numbers)}", client_id, **{**LINES, **values})

    def panel_adds(self, client_id: str, values: Mapping[str, Value]) -> None:
        if self.accounts[client_id] in self.world.panel.accounts:
            kept = {name: value for name, value in values.items() if value not in NEVER_SHOWN}
            self.world.panel.add_address(self.accounts[client_id], **{**LINES, **kept})

    def erp_edits(self, pick: int, edit: tuple[str, Value]) -> None:
        self.world.exchange.update_address(self.row(pick), **{edit[0]: edit[1]})

    def panel_edits(self, pick: int, edit: tuple[str, Value]) -> None:
        if (key := self.address(pick)) and edit[1] not in NEVER_SHOWN:
            self.world.panel.edit_address(key, **{edit[0]: edit[1] or ""})

    def erp_deletes(self, pick: int) -> None:
        self.world.exchange.delete_address(self.row(pick))

    def panel_deletes(self, pick: int) -> None:
        if key := self.address(pick):
            self.world.panel.remove_address(key)

    def row_comes_back(self, client_id: str, pick: int) -> None:
        known = sorted(k.item_id for k in self.world.exchange.states if k.item_id and k.client_id == client_id)
        if known and known[pick % len(known)] not in self.world.exchange.addresses:
            self.world.exchange.insert_address(known[pick % len(known)], client_id, **LINES)

    def erp_refuses(self, pick: int) -> None:
        self.world.exchange.refuse_address(self.row(pick) or "panel-1", "check constraint")

    def erp_will_refuse_new_rows(self, pick: int) -> None:
        self.world.exchange.refuse_address(f"panel-{pick + 1}", "check constraint")

    def panel_refuses(self, client_id: str) -> None:
        self.world.panel.refuse(client_id)

    def panel_accepts(self, client_id: str) -> None:
        self.world.panel.accept(client_id)

    def panel_refuses_the_whole_call(self, client_id: str) -> None:
        self.world.panel.refuse_whole(client_id)

    def is_in_use(self, pick: int) -> None:
        self.world.panel.in_use ^= {self.address(pick)}

    def account_gets_another_code(self, client_id: str) -> None:
        if self.accounts[client_id] in self.world.panel.accounts:
            self.world.panel.recode(self.accounts[client_id], "somebody else's")
            self.world.queue.send(CONCERN, [Owner(client_id)])  # as the feed does

    def account_is_removed(self, client_id: str) -> None:
        if self.accounts[client_id] in self.world.panel.accounts:
            self.world.panel.remove(self.accounts[client_id])

    def client_is_deleted(self, client_id: str) -> None:
        self.world.exchange.delete_client(client_id)

    def client_comes_back(self, client_id: str) -> None:
        if not self.world.exchange.has_client(client_id):
            self.world.exchange.insert_client(client_id, **CLIENT)

    def link_is_removed(self, client_id: str) -> None:
        self.world.exchange.links.pop(client_id, None)

    def reply_is_lost(self) -> None:
        self.world.panel.lose_reply()

    def run_dies(self, pick: int) -> None:
        self.world.mortal(pick + 1, after=bool(pick % 2))

    def person_decides(self, side: str) -> None:
        for conflict_id in self.world.exchange.open_conflict_ids():
            self.world.exchange.decide(conflict_id, side)

    def turns(self) -> None:
        self.world.turn()

    def client_is_worked(self, client_id: str) -> None:
        if self.world.look(client_id):
            self.world.check_in_step(client_id)


Step = Callable[[Hands], object]
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda *a: lambda h: h.erp_adds(*a), clients, lines),
    st.builds(lambda *a: lambda h: h.panel_adds(*a), clients, lines),
    st.builds(lambda *a: lambda h: h.erp_edits(*a), picks, edits),
    st.builds(lambda *a: lambda h: h.panel_edits(*a), picks, edits),
    st.builds(lambda *a: lambda h: h.erp_deletes(*a), picks),
    st.builds(lambda *a: lambda h: h.panel_deletes(*a), picks),
    st.builds(lambda *a: lambda h: h.row_comes_back(*a), clients, picks),
    st.builds(lambda *a: lambda h: h.erp_refuses(*a), picks),
    st.builds(lambda *a: lambda h: h.erp_will_refuse_new_rows(*a), picks),
    st.builds(lambda *a: lambda h: h.panel_refuses(*a), clients),
    st.builds(lambda *a: lambda h: h.panel_accepts(*a), clients),
    st.builds(lambda *a: lambda h: h.panel_refuses_the_whole_call(*a), clients),
    st.builds(lambda *a: lambda h: h.is_in_use(*a), picks),
    st.builds(lambda *a: lambda h: h.account_gets_another_code(*a), clients),
    st.builds(lambda *a: lambda h: h.account_is_removed(*a), clients),
    st.builds(lambda *a: lambda h: h.client_is_deleted(*a), clients),
    st.builds(lambda *a: lambda h: h.client_comes_back(*a), clients),
    st.builds(lambda *a: lambda h: h.link_is_removed(*a), clients),
    st.builds(lambda: lambda h: h.reply_is_lost()),
    st.builds(lambda *a: lambda h: h.run_dies(*a), picks),
    st.builds(lambda *a: lambda h: h.person_decides(*a), st.sampled_from(["erp", "panel"])),
    st.builds(lambda: lambda h: h.turns()),
    st.builds(lambda *a: lambda h: h.client_is_worked(*a), clients),
)


def worker_finds(world: AddressWorld, client_id: str) -> list[object]:
    """Return the plans that a worker would carry out for a client, made from what the panel shows."""
    concern = world.run().concerns[CONCERN]
    records = concern.load([Owner(client_id)])
    asked = records[:1] if concern.must_read(records[0]) else []
    shown, failed = concern.read(asked) if asked else ({}, {})
    assert not failed
    plans = concern.plans(records, shown.get(Owner(client_id)))
    if records[0].code in NOT_OWN:  # nobody looks which of both it is by now
        plans = plans[1:]
    return [plan for plan in plans if plan]


def settled(world: AddressWorld) -> dict[Key, RecordState]:
    """Return all states, but for when what is not shown is asked for again, of a client and with it of its items."""
    asked = {key.owner for key, state in world.exchange.states.items() if is_asked_again(state.status)}
    return {
        key: replace(state, deferral=None) if key.owner in asked else state
        for key, state in world.exchange.states.items()
    }


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies, st.lists(steps, min_size=3, max_size=25))
def test_after_everything_has_settled_a_full_scan_finds_nothing(policy: Policy, history: list[Step]) -> None:
    hands = Hands(policy)
    world = hands.world
    for step in history:
        step(hands)
    world.mortal(10**9)
    world.panel.recover()
    for _ in range(10):
        world.turn(seconds=4000)
    states, written = settled(world), (len(world.exchange.history), world.exchange.log_head())
    collected, conflicts = world.counts.collected, list(world.exchange.conflicts)
    gone = [each for each in world.exchange.states.values() if is_asked_again(each.status) and each.deferral]
    assert not world.differing()
    for client_id in CLIENTS:
        assert not worker_finds(world, client_id)
    world.turn()
    assert world.counts.collected == collected + len(gone), "what is held for what is not shown is asked again"
    assert (settled(world), world.exchange.conflicts) == (states, conflicts)
    assert (len(world.exchange.history), world.exchange.log_head()) == written
