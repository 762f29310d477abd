"""The people: the ERP's author, the panel's users, the shop's customers, the operator."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from kartoteka.codes import State
from kartoteka.model import Side, Value
from kartoteka.ports.exchange import Chosen
from tests.helpers import tax_number
from tests.simulation.acts import act
from tests.simulation.world import ADDRESS as PREFIX
from tests.simulation.world import CLIENTS, EDITED, LINES, Simulation
from tests.world import ADDRESS, CLIENT, CONCERNS

T = TypeVar("T")

GROUPS = ("G1", "G2")
ITEMS = (("product", "1"), ("product", "2"), ("producer", "1"))
AMOUNTS = ("12.50", "99.99", "250.5", "1000", "0")


def a_client(chance: Random) -> tuple[str]:
    (client,) = chance.choices(CLIENTS, (6, 3, 1))
    return (client,)


def a_field(chance: Random) -> tuple[str, str]:
    return (*a_client(chance), often_the_first(chance, EDITED))


def often_the_first(chance: Random, some: Sequence[T]) -> T:
    """Draw one of these, the first one mostly: what happens to one and the same thing is what hurts."""
    return some[0] if chance.random() < 0.5 else chance.choice(some)


def a_price(chance: Random) -> tuple[str, tuple[str, str]]:
    return often_the_first(chance, GROUPS), often_the_first(chance, ITEMS)


def a_pick(chance: Random) -> tuple[int, str]:
    return chance.randint(0, 5), chance.choice(LINES)


def values_of(client: str, world: Simulation) -> dict[str, Value]:
    """Return the columns of a new client, who shares nothing with another one."""
    own = {field: world.value(field) for field in EDITED}
    return {**CLIENT, **own, "nip": tax_number(CLIENTS.index(client)), "phone": ""}


# --- the ERP


@act(3, a_client)
def inserts(world: Simulation, client: str) -> None:
    if client not in world.exchange.clients:
        world.exchange.insert_client(client, **values_of(client, world))
        world.note()


@act(8, a_field)
def erp_edits(world: Simulation, client: str, field: str) -> None:
    if client in world.exchange.clients:
        value = world.value(field)
        world.edits(Side.ERP, (client, field), value, lambda: world.exchange.update_client(client, **{field: value}))


@act(1, lambda chance: (*a_client(chance), chance.random() < 0.5))
def opens_or_closes(world: Simulation, client: str, active: bool) -> None:
    world.exchange.update_client(client, active=active)


@act(0.7, lambda chance: (*a_client(chance), chance.choice([(1,), (2,), (1, 2)])))
def assigns_shops(world: Simulation, client: str, shops: tuple[int, ...]) -> None:
    if client in world.exchange.clients:
        world.exchange.set_shops(client, *shops)


@act(0.9, lambda chance: (often_the_first(chance, GROUPS), often_the_first(chance, ["Hurt", "Detal"])))
def names_group(world: Simulation, group: str, name: str) -> None:
    world.exchange.set_group(group, f"{name} {group}")


@act(2.5, lambda chance: (*a_price(chance), often_the_first(chance, AMOUNTS[:3])))
def sets_price(world: Simulation, group: str, item: tuple[str, str], price: str) -> None:
    world.exchange.set_item(group, *item, price=price, currency="PLN")


@act(0.4, a_price)
def removes_price(world: Simulation, group: str, item: tuple[str, str]) -> None:
    world.exchange.delete_item(group, *item)


@act(1, lambda chance: (*a_client(chance), chance.choice([*GROUPS, None])))
def assigns_group(world: Simulation, client: str, group: str | None) -> None:
    world.exchange.update_client(client, discount_group_id=group)


@act(2, lambda chance: (*a_client(chance), chance.choice(AMOUNTS), chance.choice(AMOUNTS)))
def computes_credit(world: Simulation, client: str, limit: str, balance: str) -> None:
    if client in world.exchange.clients:
        world.exchange.set_credit(
            client, credit_allowed=True, credit_limit=limit, balance=balance, currency="PLN", as_of=world.clock.now()
        )


@act(1.5, a_client)
def adds_address(world: Simulation, client: str) -> None:
    if client in world.exchange.clients:
        name = world.value("address")
        lines = {field: world.value(field) for field in LINES}
        world.exchange.insert_address(f"A-{next(world.numbers)}", client, **{**ADDRESS, **lines, "additional": name})
        world.note()


@act(3, a_pick)
def erp_edits_address(world: Simulation, pick: int, field: str) -> None:
    found = sorted(world.exchange.addresses)
    if found:
        row_id, value = found[pick % len(found)], world.value(field)
        name = PREFIX + str(world.exchange.addresses[row_id]["additional"])
        world.edits(Side.ERP, (name, field), value, lambda: world.exchange.update_address(row_id, **{field: value}))


@act(0.5)
def refills_the_table(world: Simulation) -> None:
    world.exchange.refill()


@act(1, a_field, fault="late commit")
def slow_transaction_begins(world: Simulation, client: str, field: str) -> None:
    if world.slow is None and client in world.exchange.clients:
        transaction, value = world.exchange.transaction(), world.value(field)
        transaction.update_client(client, **{field: value})
        world.slow = (transaction, client, field, value)


@act(1, lambda chance: (chance.random() < 0.8,))
def slow_transaction_ends(world: Simulation, commits: bool) -> None:
    if world.slow is None:
        return
    transaction, client, field, value = world.slow
    world.slow = None
    if not commits:
        transaction.rollback()
    else:
        world.edits(Side.ERP, (client, field), value, transaction.commit)


# --- the panel: within two seconds of our write nobody could tell an edit from it


@act(8, a_field)
def panel_edits(world: Simulation, client: str, field: str) -> None:
    if account := world.account_of(client):
        world.time_passes(3)
        value = world.value(field)
        world.edits(Side.PANEL, (client, field), value, lambda: world.panel.edit(account, **{field: value}))


@act(1, a_client)
def panel_adds_address(world: Simulation, client: str) -> None:
    if account := world.account_of(client):
        world.time_passes(3)
        lines = {field: world.value(field) for field in LINES}
        address = world.panel.add_address(account, **{**ADDRESS, **lines, "additional": world.value("address")})
        world.theirs.add(address)
        world.note()


@act(3, a_pick)
def panel_edits_address(world: Simulation, pick: int, field: str) -> None:
    """But for one that we have added, and do not know of: it would be there twice (docs/decisions/0015)."""
    known = {state.panel_id for key, state in world.exchange.states.items() if key.item_id} | world.theirs
    found = sorted(known & world.panel.delivery.keys(), key=int)
    if found:
        world.time_passes(3)
        address, value = found[pick % len(found)], world.value(field)
        name = PREFIX + str(world.panel.delivery[address][1].values["additional"])
        world.edits(Side.PANEL, (name, field), value, lambda: world.panel.edit_address(address, **{field: value}))


@act(0.7, lambda chance: (*a_client(chance), chance.choice(["0.00", "5.00", "1000.00"])))
def panel_edits_limit(world: Simulation, client: str, limit: str) -> None:
    if account := world.account_of(client):
        world.time_passes(3)
        world.panel.edit(account, credit_limit=limit)


@act(0.7, lambda chance: (*a_client(chance), chance.randint(0, 3)))
def panel_moves_group(world: Simulation, client: str, number: int) -> None:
    if account := world.account_of(client):
        world.time_passes(3)
        known = str(number) if str(number) in world.panel.discount_groups else ""
        world.panel.edit(account, discount_group_id=known)


@act(0.5, a_client)
def registers(world: Simulation, client: str) -> None:
    """A customer registers in the shop before the ERP knows him."""
    nip = tax_number(CLIENTS.index(client))
    if client not in world.exchange.clients and not any(a.values["nip"] == nip for a in world.panel.accounts.values()):
        world.time_passes(3)
        world.panel.register({**values_of(client, world), "nip": nip}, login=f"shop-{next(world.numbers)}")


# --- the operator


@act(2, lambda chance: (chance.choice(list(Side)),))
def decides(world: Simulation, side: Side) -> None:
    for conflict_id in world.exchange.open_conflict_ids():
        world.exchange.decide(conflict_id, side.value)


@act(0.7, lambda chance: (chance.choice(CONCERNS),))
def pauses(world: Simulation, concern: str) -> None:
    world.exchange.pauses.pause(concern, "operator", at=world.clock.now())


@act(1.5, lambda chance: (chance.choice(CONCERNS), chance.random() < 0.5))
def resumes(world: Simulation, concern: str, confirm: bool) -> None:
    world.exchange.pauses.resume(concern, released_at=world.clock.now() if confirm else None)


@act(0.7, lambda chance: (*a_client(chance), chance.choice(CONCERNS)))
def excludes(world: Simulation, client: str, concern: str) -> None:
    world.exchange.exclude(client, concern)


@act(1.2, lambda chance: (*a_client(chance), chance.choice(CONCERNS)))
def includes(world: Simulation, client: str, concern: str) -> None:
    world.exchange.include(client, concern)


@act(1.5)
def approves(world: Simulation) -> None:
    """Approve what is planned now."""
    world.exchange.ports.plans.decide(Chosen(), "approve", "operator")


@act(0.5)
def retries_what_is_held(world: Simulation) -> None:
    for key, status in list(world.exchange.statuses.items()):
        if status.state is State.HELD:
            world.exchange.decide_status(key.client_id, key.concern, "retry", key.item_id, key.group_id)


@act(0.4)
def takes_over(world: Simulation) -> None:
    """The other stack takes the database over, as ``kartoteka takeover --confirm`` does."""
    world.other.ownership.take_over(at=world.clock.now())


@act(0.6, lambda chance: (chance.choice(CONCERNS),))
def redrives_twice(world: Simulation, concern: str) -> None:
    """Redrive dead letters, and those that come from it once more."""
    for _ in range(2):
        world.owner.queue.redrive(concern, 100)
