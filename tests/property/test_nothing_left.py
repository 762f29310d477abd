"""Once everything has settled every plan is empty, and no record with something to be done is said to be in step.

Discounts and credit, whatever stands in the ERP's rows, whatever the panel refuses, and after people have edited in the
panel: the plan is asked without the panel, as collecting asks it, and with it, as a worker does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.errors import Reject
from kartoteka.model import Value
from kartoteka.policy import parse
from tests.helpers import account_of, left_undone
from tests.property.histories import histories
from tests.world import CLIENT, START, World

EXAMPLES = histories(300)
CLIENTS = ("C-0", "C-1", "C-2")
GROUPS = ("G1", "G2", "1")
"""The last one's id is a number that the panel may give to another group."""
NAMES = st.sampled_from(["Hurt", " Hurt ", "hurt", "Detal", "", None, "x" * 201, "Zła", "a\x00b"])
AMOUNTS = st.sampled_from(["0", "0.00", "1.005", "1000", "99.99", "12,50", "-3", "", None])
CURRENCIES = st.sampled_from(["PLN", "pln", "EUR", "", None])
MOMENTS = st.sampled_from([None, *(START + timedelta(minutes=m) for m in (-600, 0, 50, 5000)), "wczoraj"])
ITEMS = st.tuples(
    st.sampled_from(["product", "menu_item", "menu/item", "menu_item ", "towar"]), st.sampled_from(["1", "7", "x"])
)
PRICES = st.fixed_dictionaries(
    {"price": AMOUNTS, "currency": CURRENCIES},
    optional={"rebate_percent": AMOUNTS, "base_price": AMOUNTS, "valid_from": MOMENTS, "valid_to": MOMENTS},
)
ROWS = st.dictionaries(ITEMS, PRICES, max_size=4)
FIGURES = st.fixed_dictionaries(
    {"credit_limit": AMOUNTS, "balance": AMOUNTS, "currency": CURRENCIES, "as_of": MOMENTS},
    optional={
        "credit_allowed": st.sampled_from([True, False, None]),
        "payment_days": st.sampled_from(["14", "014", "-1", "1000", "", None]),
    },
)
POLICY = st.builds(
    '{{"discounts": {{"unassigned": "{}", "deletes": "{}"}}, "credit": {{"when_stale": "{}", "balance_sign": {}}},'
    ' "retry": {{"max_attempts": 2}}}}'.format,
    st.sampled_from(["keep", "remove"]),
    st.sampled_from(["ignore", "propagate"]),
    st.sampled_from(["freeze", "zero", "keep"]),
    st.sampled_from([1, -1]),
)
REFUSED = st.sampled_from(["Zła", "Hurt", "1", "2", "product/1", "menu_item/7", "C-1", "C-2"])
EDIT = st.fixed_dictionaries(
    {},
    optional={
        "credit_limit": st.sampled_from(["0.00", "5.00", "99.99"]),
        "balance": st.sampled_from(["0.00", "-7.00", "99999.00"]),
        "discount_group_id": st.sampled_from(["", "1", "2", "9"]),
    },
)


def settled(world: World) -> None:
    """Let time pass until nothing is left to be tried again by itself, and the panel's groups were read."""
    for _ in range(3):
        world.tick()
    world.pass_time(hours=25)
    for _ in range(4):
        world.tick()
    world.tick(seconds=0)


def write(world: World, data: st.DataObject) -> None:
    """Let the ERP write whatever it likes."""
    for group in GROUPS:
        if data.draw(st.booleans(), label=f"row of {group}"):
            world.exchange.set_group(group, data.draw(NAMES, label=f"name of {group}"))
        else:
            world.exchange.delete_group(group)
        rows: dict[tuple[str, str], dict[str, Any]] = data.draw(ROWS, label=f"items of {group}")
        for key, row in rows.items():
            world.exchange.set_item(group, *key, **{"rebate_percent": None, "base_price": None, **row})
    for client in CLIENTS:
        group_id: Value = data.draw(st.sampled_from([*GROUPS, "G9", "", None]), label=f"group of {client}")
        world.exchange.update_client(client, discount_group_id=group_id)
        figures: dict[str, Value | datetime] | None = data.draw(st.none() | FIGURES, label=f"figures of {client}")
        if figures is None:
            world.exchange.delete_credit(client)
        else:
            world.exchange.set_credit(client, **figures)


def check(world: World) -> None:
    """Check that nothing is left to be done, and that nothing more is written."""
    for concern in ("discounts", "credit"):
        assert left_undone(world, concern) == {}
        assert left_undone(world, concern, asked=True) == {}
    before = {gate: n for gate, n in world.panel.calls().items() if not gate.startswith("GET")}
    told = dict(world.exchange.statuses)
    world.tick(seconds=0)
    assert {gate: n for gate, n in world.panel.calls().items() if not gate.startswith("GET")} == before
    assert dict(world.exchange.statuses) == told


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_every_plan_is_empty_in_the_end(data: st.DataObject) -> None:
    world = World(parse(data.draw(POLICY, label="policy"))).knows_the_panel()
    world.panel.used_shows_balance = data.draw(st.booleans(), label="used shows the balance")
    world.panel.shows_credit = data.draw(st.sampled_from(["limit_and_used", "limit", "nothing"]), label="shows")
    for name in data.draw(st.lists(st.sampled_from(["Hurt", "Detal"]), max_size=2), label="the panel's own groups"):
        world.panel.make_group(name)
    for n, client in enumerate(CLIENTS):
        world.exchange.insert_client(client, **{**CLIENT, "nip": "", "email": f"{n}@firma.pl"})
    world.tick()
    for name in data.draw(st.sets(REFUSED), label="refused"):
        world.panel.refuse(name, Reject("refused", panel="nie"))
    for _ in range(data.draw(st.integers(1, 2), label="rounds")):
        write(world, data)
        settled(world)
        check(world)
    for client in CLIENTS:
        if edit := data.draw(EDIT, label=f"edit of {client}"):
            world.panel.edit(account_of(world, client), **edit)
    for number in list(world.panel.discount_groups):
        change = data.draw(st.sampled_from(["", "", "Hurt", "Inna", None]), label=f"group {number}")
        if change is None:
            world.panel.remove_group(number)
        elif change:
            world.panel.discount_groups[number] = change
    settled(world)
    check(world)
