"""Which customers' delivery addresses are worth a look: asked by collect, by the feed and by the rotating pass.

The panel's list of changed accounts need not tell of an edited address, so a slow pass reads the addresses of all
linked customers in turn. Both compare by the very decision that would act on them: an echo of our own write, a
remembered deletion, a record that waits for a person reach no queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kartoteka.core import check, collection, messages
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import erp_differs
from kartoteka.core.model import Address, Side, Snapshot
from kartoteka.engine.acts import looked_up
from kartoteka.engine.address_cases import CONCERN, Customer, asks, cases
from kartoteka.engine.base import Counts, Engine

CURSOR = "addresses"
"""The state's document that says how far the rotating pass has come, and how often it got no further."""
PATIENCE = 5
"""Passes that end at the same batch in a row before it is passed over."""


def customers(snapshots: Sequence[Snapshot]) -> list[Customer]:
    """Return the linked customers with a card among these snapshots."""
    found: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        found.setdefault(snapshot.client_id, []).append(snapshot)
    return [Customer(own, tuple(items)) for own, *items in found.values() if own.link and own.row is not None]


def shown(
    engine: Engine, panel_client_ids: Sequence[str]
) -> tuple[dict[str, Sequence[Address]], dict[str, Reject | Retry | Halt]]:
    """Read the addresses of these accounts in one call; return them, and for each that could not be read the reason."""
    found, failed = looked_up(lambda some: engine.panel.addresses(some).items(), panel_client_ids)
    return dict(found), failed


# --- the panel's side


def differing(engine: Engine, linked: Mapping[str, str], *, moved: bool = False) -> list[str]:
    """Return those of these customers whose addresses ask for something; one panel call for each batch of them.

    ``linked`` is client id -> panel client id. ``moved``: their accounts were changed just now, so that also a customer
    who is held altogether (his account was gone, or another one's) is worth a look.
    """
    found: list[str] = []
    for batch in engine.chunks(list(linked)):
        known = [c for c in customers(engine.look(CONCERN, batch)) if not c.own.parked]
        held = [c for c in known if c.own.held]
        found += [c.own.client_id for c in held if moved]
        found += _differing(engine, [c for c in known if not c.own.held])
    return found


def _differing(engine: Engine, some: Sequence[Customer]) -> list[str]:
    if not some:
        return []
    addresses, failed = shown(engine, [c.account for c in some])
    for error in failed.values():
        if not isinstance(error, Reject):
            raise error
    return [c.own.client_id for c in some if c.account not in failed and _asks(engine, c, addresses.get(c.account))]


def _asks(engine: Engine, customer: Customer, addresses: Sequence[Address] | None) -> bool:
    """Return whether these addresses ask for something; None: the panel shows no such account, which is to be told."""
    if addresses is None:
        return True
    shops = check.shops(customer.own.row or {}, engine.policy)
    whole = Customer(customer.own, customer.items, shops)
    return any(asks(engine, case) for case in cases(engine, whole, addresses))


def rotate_addresses(engine: Engine) -> Counts:
    """Hand on the keys of the next linked customers whose addresses differ, and move the pass's cursor.

    The cursor moves after the queue has taken the keys, so a crash repeats work and never loses it. It stays before a
    batch that could not be read, but not for ever: the fifth time in a row the pass goes on behind it.
    """
    if not engine.carries(CONCERN):
        return Counts()
    stored = engine.state.load(CURSOR)
    document = stored.document or {}
    before = (str(document.get("after", "")), int(document.get("failed", 0)))
    some, last = _next(engine, before[0])
    keys, unread, failure = _found(engine, some)
    if keys:
        engine.queue.send(CONCERN, keys)
    moved = (last, 0)
    if failure:
        read = list(some)[: list(some).index(unread[0])]
        moved = (read[-1], 1) if read else (before[0], before[1] + 1)
        moved = (unread[-1], 0) if moved[1] >= PATIENCE else moved
    if moved != before:
        engine.state.save(CURSOR, {"after": moved[0], "failed": moved[1]}, version=stored.version)
    if failure:
        raise failure
    return Counts(collected=len(keys))


def _found(engine: Engine, some: Mapping[str, str]) -> tuple[list[str], Sequence[str], Retry | Halt | None]:
    """Return the customers whose addresses differ, up to a batch that could not be read, that batch, and why."""
    keys: list[str] = []
    for batch in engine.chunks(list(some)):
        try:
            keys += differing(engine, {key: some[key] for key in batch})
        except (Retry, Halt) as error:
            return keys, batch, error
    return keys, (), None


def _next(engine: Engine, after: str) -> tuple[Mapping[str, str], str]:
    """Return the next linked customers, from the beginning again where the end was reached, and where to go on."""
    limit = engine.addresses_per_pass
    rest = dict(engine.exchange.linked(after, limit))
    room = limit - len(rest)
    if not room or not after:
        return rest, "" if room else list(rest)[-1]
    first = {key: account for key, account in engine.exchange.linked("", room) if key not in rest}
    return rest | first, "" if len(first) < room else list(first)[-1]


# --- the ERP's side


def wants_look(engine: Engine, snapshots: Sequence[Snapshot], *, touched: bool) -> bool:
    """Return whether one customer's rows, his own snapshot first, are worth a look at the panel.

    ``touched``: one of his rows was written, so that also what waits for a person is looked at.
    """
    if not engine.carries(CONCERN):
        return False
    for customer in customers(snapshots):
        own = customer.own
        return bool(own.parked) or (touched and own.held) or any(_differs(engine, s, touched) for s in customer.items)
    return False


def _differs(engine: Engine, item: Snapshot, touched: bool) -> bool:
    terms = collection.address_terms(engine.policy, engine.rules(CONCERN))
    if item.intent or item.parked or (touched and item.held):
        return True
    if item.agreed is None:
        return item.row is not None and terms.source is not Side.PANEL
    code = item.status.code if item.status else ""
    if not terms.propagate and (item.row is None or code == messages.DELETED[Side.PANEL]):
        return code not in messages.DELETED.values()
    if item.row is None or code in messages.DELETED.values():
        return True
    return any(c.decision for c in item.conflicts) or erp_differs(terms.concern, terms.rules, item)
