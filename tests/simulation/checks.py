"""What must hold once the faults have ended, and what must hold all the time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from kartoteka.concerns.discounts import prices
from kartoteka.fields import money
from kartoteka.fields.table import BILLING, DELIVERY_ADDRESSES, Fields
from kartoteka.model import Direction, Reason, Side, Values
from kartoteka.ports.queue import read
from kartoteka.sync.concern import NOT_OWN
from tests.simulation import faults, people
from tests.simulation.stack import Logged
from tests.simulation.world import ADDRESS, CANARY, CLIENTS, EDITED, Simulation, alike
from tests.world import CONCERNS

SETTLES_IN = 8
"""Ticks after the last fault, and again after a day, until nothing is left to be done."""


def end(world: Simulation, logged: Logged) -> list[str]:
    """End the faults, let everything settle, and return what does not hold."""
    found = list(world.violations)
    if world.bad:
        found += _isolated(world)
    _faults_end(world)
    _refreshed(world)
    _settle(world)
    if world.slow:  # its number in the log is far below the cursors by now, and no window of the panel shows its client
        world.time_passes(1000)
        _settle(world)
        people.slow_transaction_ends(world, commits=True)
        _settle(world)
    if not world.needs_a_day:
        found += [f"within a minute or two: {what}" for what in _equal(world)]
    world.time_passes(86_400)  # what only a daily scan finds: a message that was lost, drift in a list of groups
    _refreshed(world)
    _settle(world)
    for check in (_quiet, _doubled, _equal, _lost, _overwritten, _foreign):
        found += check(world)
    found += _private(world, logged)
    return [*found, *[v for v in world.violations if v not in found]]


def _faults_end(world: Simulation, *, but_bad_records: bool = False) -> None:
    """End the faults and what is under way."""
    faults.all_ends(world, but_bad_records=but_bad_records)
    while world.processes:
        world.go_on(world.processes[0])
    world.time_passes(200)  # the wait after a takeover


def _settle(world: Simulation) -> None:
    """Tick until a tick changes nothing, and do meanwhile what a person is asked to do."""
    for n in range(SETTLES_IN):
        _a_person_acts(world)
        _soon(world)
        before = _left(world)
        world.tick()
        if n and _left(world) == before:
            break


def _equal(world: Simulation) -> Iterator[str]:
    """Check that both sides are equal, but where a person's decision is waited for."""
    yield from _accounts(world)
    yield from _addresses(world)
    yield from _money(world)


def _a_person_acts(world: Simulation) -> None:
    """Do what a person does to whom the product says that it waits for him."""
    world.trace.add("an operator clears what waits")
    for client in CLIENTS:
        for concern in CONCERNS:
            people.includes(world, client, concern)
    for concern in CONCERNS:
        people.resumes(world, concern, confirm=True)
        if _readable(world, concern, "-dead"):
            people.redrives_twice(world, concern)
    people.decides(world, Side.ERP)
    people.retries_what_is_held(world)
    for client_id, account in list(world.exchange.matches):
        world.exchange.decide_match(client_id, account, "link")
    for client, link in list(world.exchange.links.items()):
        told = {status.code for key, status in world.exchange.statuses.items() if key.client_id == client}
        if link.panel_client_id not in world.panel.accounts or told & set(NOT_OWN):  # as these codes' texts say
            del world.exchange.links[client]
            world.exchange.update_client(client)
    if world.policy.plans_anything:
        people.approves(world)


def _readable(world: Simulation, concern: str, suffix: str = "") -> int:
    """Return how many messages that can be read are in a queue of the owner's; ``suffix``: of its dead letters."""
    return sum(bool(read(m.body, concern)) for m in world.owner.sqs.queues[concern + suffix])


def _soon(world: Simulation) -> None:
    """Wait for messages that come back in a while."""
    at = world.owner.sqs.all_visible()
    if at and at > world.clock.now():
        world.time_passes((at - world.clock.now()).total_seconds() + 1)


def _refreshed(world: Simulation) -> None:
    """Let the ERP compute its figures again, as its export does."""
    for client in list(world.exchange.credit):
        world.exchange.set_credit(client, as_of=world.clock.now())


def _isolated(world: Simulation) -> Iterator[str]:
    """Check that bad records delay only themselves: once all other faults have ended, the others settle."""
    _faults_end(world, but_bad_records=True)
    good, left = [client for client in CLIENTS if client not in world.bad], list[str]()
    for _ in range(SETTLES_IN):
        _a_person_acts(world)
        _soon(world)
        world.tick()
        left = [what for client in good for what in _account(world, client)]
        if not left:
            break
    yield from (f"held up by a bad record: {what}" for what in left)


# --- quiet


def _left(world: Simulation) -> dict[str, object]:
    db = world.exchange
    return {
        "calls that write": len(world.writes),
        "history": len(db.history),
        "edits of the ERP's rows": db.log_head(),
        "states": dict(db.states),
        "messages": sum(_readable(world, concern) for concern in CONCERNS),
        "plan": dict(db.planned),
    }


def _quiet(world: Simulation) -> Iterator[str]:
    """Check that one more tick, like the one before it, writes nothing, and that the schedules ask nothing."""
    before = _left(world)
    world.tick()
    after = _left(world)
    yield from (f"not quiet: {name}" for name in before if before[name] != after[name])
    asked = sum(world.panel.calls().values())
    for concern in CONCERNS:
        world.start(world.owner.wake(concern))
    if sum(world.panel.calls().values()) != asked:
        yield "not quiet: a schedule asks the panel where nothing has changed"
    for concern in CONCERNS:
        if _readable(world, concern, "-dead"):
            yield f"dead letters of {concern} are left"


# --- nothing doubled


def _doubled(world: Simulation) -> Iterator[str]:
    codes = Counter(a.external_code for a in world.panel.accounts.values() if a.external_code)
    yield from (f"doubled: account of {code}" for code, n in codes.items() if n > 1)
    numbers = Counter(a.values["nip"] for a in world.panel.accounts.values() if a.values["nip"])
    yield from (f"doubled: tax number of {number}" for number, n in numbers.items() if n > 1)
    for side, found in world.lines().items():
        names = Counter(name for _, name, _, _ in found)
        yield from (f"doubled in {side}: {name}" for name, n in names.items() if n > 1)
    groups = Counter(world.panel.discount_groups.values())
    yield from (f"doubled: group {name}" for name, n in groups.items() if n > 1)
    if world.panel.notified:
        yield "a customer was written to"


# --- both sides equal


def _accounts(world: Simulation) -> Iterator[str]:
    for client in CLIENTS:
        yield from _account(world, client)


def _account(world: Simulation, client: str) -> Iterator[str]:
    row = world.exchange.clients.get(client)
    if row is None:
        return
    key = world.account_of(client)
    if key is None:
        yield f"{client} has no account: {world.exchange.status(client, 'accounts')}"
        return
    shown = world.panel.accounts[key].values
    held = _open(world, client, "billing", "")
    for field in EDITED:
        if field not in held and not _agree(BILLING, field, row, shown):
            yield f"{client}.{field} did not settle: {row[field]!r} / {shown[field]!r}"
    if (key in world.panel.closed) is bool(row["active"]):
        yield f"{client} is {'closed' if row['active'] else 'open'}: {world.exchange.status(client, 'accounts')}"
    shops = tuple(sorted(world.exchange.shops.get(client) or {1}))
    if shown["shops"] != shops:
        yield f"{client} is in shops {shown['shops']}, not {shops}: {world.exchange.status(client, 'shops')}"


def _addresses(world: Simulation) -> Iterator[str]:
    sides = world.lines()
    rows = {name: (key, owner, values) for key, name, owner, values in sides[Side.ERP]}
    shown = {name: (key, owner, values) for key, name, owner, values in sides[Side.PANEL]}
    for name in rows.keys() | shown.keys():
        client = rows[name][1] if name in rows else world.panel.accounts[shown[name][1]].external_code
        if client not in world.exchange.clients:
            continue
        if name not in rows or name not in shown:
            yield f"{name} of {client} is only in {'erp' if name in rows else 'panel'}"
            continue
        row, values = rows[name][2], shown[name][2]
        held = _open(world, client, "delivery_addresses", rows[name][0])
        for field in DELIVERY_ADDRESSES:
            if field not in held and not _agree(DELIVERY_ADDRESSES, field, row, values):
                yield f"{name}.{field} did not settle: {row[field]!r} / {values[field]!r}"


def _agree(fields: Fields, name: str, row: Values, shown: Values) -> bool:
    """Whether a field is the same on both sides, as it is compared."""
    erp, panel = (fields[name].normalise(values[name], values) for values in (row, shown))
    return alike(erp) == alike(panel)


def _open(world: Simulation, client: str, concern: str, item: str) -> set[str]:
    return {
        c.field
        for c in world.exchange.conflicts
        if c.closed_at is None and (c.client_id, c.concern) == (client, concern) and (not item or c.item_id == item)
    }


# --- money


def _money(world: Simulation) -> Iterator[str]:
    yield from _prices(world)
    for client in world.exchange.clients:
        if key := world.account_of(client):
            yield from _figures(world, client, world.panel.accounts[key].values)


def _prices(world: Simulation) -> Iterator[str]:
    db, panel, numbers = world.exchange, world.panel, world.exchange.prices.numbers()
    for group, row in db.groups.items():
        number = numbers.get(group, "")
        if panel.discount_groups.get(number) != row["name"]:
            yield f"group {group} is {panel.discount_groups.get(number)!r} in the panel, not {row['name']!r}"
            continue
        held = {key: str(amount) for key, (amount, _) in panel.prices[number].items()}
        found = ((item.key, prices.wanted(item, world.clock.now())) for item, _ in db.prices.items(group, None, 100))
        wanted = {key: price.price for key, price in found if price}
        if held != wanted:
            yield f"prices of {group}: {held}, not {wanted}"


def _figures(world: Simulation, client: str, shown: Values) -> Iterator[str]:
    """Check a client's group, limit and balance: absolute, so that nothing is ever applied twice."""
    db = world.exchange
    group, numbers = str(db.clients[client]["discount_group_id"] or ""), db.prices.numbers()
    if group in db.groups and shown["discount_group_id"] != numbers.get(group):
        yield f"{client} is in group {shown['discount_group_id']}, not {numbers.get(group)}"
    figures = db.credit.get(client)
    for name in ("credit_limit", "balance") if figures else ():
        amount = money.canonical(str(figures[name]))
        if shown[name] != amount:
            yield f"{name} of {client} is {shown[name]}, not {amount}: {db.status(client, 'credit')}"


# --- nothing lost, nobody overwritten silently

OPENLY = {Reason.FIRST_CONTACT, Reason.CONFLICT}


def _lost(world: Simulation) -> Iterator[str]:
    db = world.exchange
    told = {alike(v) for c in db.conflicts for v in (c.erp_value, c.panel_value)}
    told |= {alike(h.value_before) for h in db.history if h.reason in OPENLY}
    for (side, (name, field)), edit in world.last.items():
        if side is not source(world, name, field) is not None:
            continue
        arrived = {alike(value) for value in world.seen.get((side.other, (name, field)), ())}
        if alike(edit.value) not in arrived | told:
            yield f"lost: {name}.{field} = {edit.value!r}, written in {side}"


def _overwritten(world: Simulation) -> Iterator[str]:
    """Check that an edit to which nobody has made another one meanwhile is on both sides."""
    waiting = {(c.client_id, c.field) for c in world.exchange.conflicts if c.closed_at is None}
    for (side, place), edit in world.last.items():
        other = world.last.get((side.other, place))
        if not edit.alone or (other and other.moment > edit.moment) or source(world, *place) not in (None, side):
            continue
        if place not in waiting and {alike(value) for value in world.shown(place)} != {alike(edit.value)}:
            yield f"overwritten: {'.'.join(place)} = {edit.value!r}, written in {side} where both were equal"


def source(world: Simulation, name: str, field: str) -> Side | None:
    """Return the side whose edits alone travel; None: both sides' do."""
    if name.startswith(ADDRESS):
        return None
    billing = world.policy.billing
    rule = billing.fields.get(field)
    direction = (rule and rule.direction) or billing.direction
    return {Direction.ERP_TO_PANEL: Side.ERP, Direction.PANEL_TO_ERP: Side.PANEL}.get(direction)


def _foreign(world: Simulation) -> Iterator[str]:
    """Check that the ERP's rows hold what somebody has written, to the letter: not what the panel makes of it."""
    for client, row in world.exchange.clients.items():
        for field in EDITED:
            if row[field] and row[field] not in world.written:
                yield f"{client}.{field} is {row[field]!r} in the ERP, which nobody wrote"


# --- personal data stays home


def _private(world: Simulation, logged: Logged) -> Iterator[str]:
    """Check that no personal value is in a state's document, a message, a run's summary or a log line."""
    for stack in world.stacks:
        documents = json.dumps({name: stored.document for name, stored in stack.state.documents.items()})
        if CANARY in documents.casefold():
            yield "a personal value stands in the cloud's state"
        if any(CANARY in body.casefold() for _, _, body in stack.sqs.bodies):
            yield "a personal value stands in a message"
    if CANARY in "\n".join(logged.texts).casefold():
        yield "a personal value was logged"
