"""What several tests begin with, and what they ask."""

from __future__ import annotations

from hypothesis import strategies as st

from kartoteka.codes import State
from kartoteka.model import Key, Owner, Value
from kartoteka.policy import Policy, parse
from kartoteka.sync.concern import by_owner
from tests.world import CLIENT, World

OTHER: dict[str, Value] = {**CLIENT, "nip": "7792369887", "email": "inna@spolka.pl", "company": "Inna"}
"""A client that shares nothing with CLIENT."""


def tax_number(n: int) -> str:
    """Return a Polish tax number whose sum is right, another one for each n."""
    for digits in (f"{525_000_000 + 2 * n}", f"{525_000_001 + 2 * n}"):
        check = sum(int(digit) * weight for digit, weight in zip(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
    raise AssertionError("of two numbers that follow each other one has a check digit")


def customer(n: int, **values: Value) -> dict[str, Value]:
    """Return the row of a client like CLIENT, whose tax number and e-mail address nobody has but the n-th one."""
    return {**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl", **values}


def owners(*client_ids: str) -> tuple[Owner, ...]:
    """Return these clients as a message names them."""
    return tuple(Owner(client_id) for client_id in client_ids)


def installation(*, policy: str | Policy = "{}") -> World:
    """Return an empty installation."""
    return World(parse(policy) if isinstance(policy, str) else policy)


def by(world: World, client: str) -> tuple[str, str]:
    """Return the account that a client is linked to, and how it was found."""
    link = world.exchange.links[client]
    return link.panel_client_id, link.linked_by


def status_of(world: World, client: str) -> tuple[State, str]:
    """Return what ``sync_status`` says of a client."""
    status = world.exchange.status(client, "accounts")
    assert status
    return status.state, status.code


def candidates(world: World, client: str) -> dict[str, str]:
    """Return the candidates that ``sync_matches`` names for a client: account -> the rules."""
    return {c.panel_client_id: c.matched_by for c in world.exchange.index.candidates([client])}


def linked(number: int = 1, *, policy: str = "{}") -> World:
    """Return an installation with so many customers in step."""
    world = World(parse(policy))
    for n in range(number):
        world.exchange.insert_client(f"C-{n}", **customer(n))
    world.tick()
    world.tick()
    return world


def unbraked(policy: str = "{}") -> Policy:
    """Return a policy under which everybody may be edited within an hour."""
    parsed = parse(policy)
    return parsed.model_copy(update={"brake": parsed.brake.model_copy(update={"any_share": 1.0})})


def account_of(world: World, client: str) -> str:
    """Return the panel's id of a client's account."""
    return world.exchange.links[client].panel_client_id


def puts(world: World) -> int:
    """Return how often accounts were written."""
    return world.panel.calls().get("PUT clients/clients", 0)


def number_of(world: World, group_id: str = "G1") -> str:
    """Return the panel's number of a group."""
    return world.exchange.prices.numbers()[group_id]


def prices(world: World, group_id: str = "G1") -> dict[str, str]:
    """Return what the panel holds: ``kind/id`` -> amount and currency."""
    held = world.panel.prices[number_of(world, group_id)]
    return {"/".join(key): f"{amount} {currency}" for key, (amount, currency) in held.items()}


_SPECIAL = """clientTradeCredit clientTradeCreditLimit clientTradeCreditUsed clientGroupDiscountNumber groupNumber
groups result discountGroupId results clients params
clientsResult errors faultCode status resultStatus id clientId requestReference
request_reference clientBillingAddress clientPreferences clientType resultsNumberAll time shop_id clientActiveInShops
shopId"""
_NAMES = st.sampled_from(_SPECIAL.split())
_LEAVES = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()
json_values = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
"""What JSON may hold, with the names that the adapter looks for."""


def left_undone(world: World, concern: str, *, asked: bool = False) -> dict[Key, str]:
    """Return the records of a concern with a plan that is not empty, and their codes, but for those that are deferred.

    Of a record that is said to be in step the plan is empty even where it is deferred. ``asked``: the clients' plans
    are made with what the panel shows.
    """
    exchange, worked = world.exchange, world.run().concerns[concern]
    clients = {*exchange.clients, *exchange.links, *exchange.credit}
    known = {key.owner for key in exchange.states if key.concern == concern}
    groups = {Owner(group_id=key) for key in exchange.prices.group_ids()} if worked.rows.groups else set[Owner]()
    owners = sorted({Owner(client_id) for client_id in clients} | known | groups)
    found = by_owner(worked.load(owners))
    if asked:
        own = [records[0] for _, records in found if worked.asks_about(records[0])]
        shown, failed = worked.read(own)
        assert not failed
        found = [(owner, records) for owner, records in found if owner in shown]
        plans = [plan for owner, records in found for plan in worked.plans(records, shown[owner]) if plan]
    else:
        plans = [plan for _, records in found for plan in worked.plans(records, None) if plan]
        assert set(worked.differing(owners)) == {plan.record.key.owner for plan in plans}
    left = [plan.record for plan in plans if plan.record.state.deferral is None or not plan.record.code]
    return {record.key: record.code for record in left}
