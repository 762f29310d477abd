"""The first change of a week: a panel that empties what a change does not name costs one account a repair."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.model import Owner
from kartoteka.policy import parse
from kartoteka.sync.run import HARMLESS as DOCUMENT
from tests.address_world import LINES, AddressWorld
from tests.address_world import READ as READ_ADDRESSES
from tests.address_world import UPDATE as UPDATE_ADDRESS
from tests.helpers import account_of
from tests.world import CLIENT, CONCERNS, World

READ, UPDATE = "GET clients/clients", "PUT clients/clients"
CLIENTS = ("C-0", "C-1", "C-2", "C-3")
TEXTS = [name for name, field in ACCOUNT_FIELDS.items() if field.kind.free]
NAMES = ("street", "company", "city")
OPEN = {"brake": {"max_share": 1, "any_share": 1}}


def new(policy: object = OPEN) -> World:
    """Return an installation of which the panel is not known to leave alone what a change does not name."""
    world = World(parse(json.dumps(policy)))
    world.state.documents.pop(DOCUMENT)
    return world.knows_the_panel()


def filled(*, whole_writes: bool = True, policy: object = OPEN) -> World:
    """Return such an installation with four clients whose accounts it has opened, and nothing changed since."""
    world = new(policy)
    for n, client in enumerate(CLIENTS):
        world.exchange.insert_client(client, **{**CLIENT, "nip": "", "email": f"{n}@firma.pl", "phone": "501502503"})
    ticks(world, 3)
    assert UPDATE not in world.panel.calls()
    world.panel.whole_writes = whole_writes
    return world


def ticks(world: World, number: int = 4) -> None:
    for _ in range(number):
        world.tick()
        world.pass_time(minutes=6)


def texts(world: World) -> dict[str, dict[str, object]]:
    """Return what accounts have that is not empty, by their ids."""
    return {
        key: {name: account.values[name] for name in TEXTS if not is_blank(account.values.get(name))}
        for key, account in world.panel.accounts.items()
    }


def edits_of_billing(world: World) -> None:
    for client in CLIENTS:
        world.exchange.update_client(client, street="Nowa 7")


def figures_of_credit(world: World) -> None:
    for client in CLIENTS:
        world.exchange.set_credit(
            client, credit_allowed=True, credit_limit="500", balance="0", payment_days=14, as_of=world.time
        )


def a_group(world: World) -> None:
    world.exchange.set_group("G1", "Hurt")
    for client in CLIENTS:
        world.exchange.update_client(client, discount_group_id="G1")


def closing(world: World) -> None:
    for client in CLIENTS:
        world.exchange.update_client(client, active=False)


CHANGES = pytest.mark.parametrize("change", [edits_of_billing, figures_of_credit, a_group, closing])


@CHANGES
def test_a_panel_that_empties_is_found_out_with_one_account_which_is_mended(change: Callable[[World], None]) -> None:
    world = filled()
    panel, erp = texts(world), {client: dict(world.exchange.clients[client]) for client in CLIENTS}
    change(world)
    erp = {client: {**row, **dict(world.exchange.clients[client])} for client, row in erp.items()}
    ticks(world)
    assert world.paused() == dict.fromkeys(CONCERNS, "brake")
    assert world.panel.calls()[UPDATE] == 2, "one change, and what it had emptied put back"
    after = texts(world)
    changed = [key for key in panel if after[key] != panel[key]]
    assert all({**panel[key], "street": after[key]["street"]} == after[key] for key in changed)
    assert len(changed) <= 1
    assert {client: dict(world.exchange.clients[client]) for client in CLIENTS} == erp


@CHANGES
def test_once_it_is_mended_a_persons_word_lets_all_follow(change: Callable[[World], None]) -> None:
    world = filled()
    change(world)
    ticks(world)
    world.panel.whole_writes = False
    for concern in CONCERNS:
        world.resume(concern, confirm=True)
    ticks(world)
    assert not world.paused()
    for client in CLIENTS:
        row, shown = world.exchange.clients[client], world.panel.accounts[account_of(world, client)].values
        assert {n: shown[n] for n in ("street", "company", "city")} == {
            n: row[n] for n in ("street", "company", "city")
        }
        for concern in ("accounts", "billing", "credit", "discounts"):
            status = world.exchange.status(client, concern)
            assert status is None or status.state == "in_step", (client, concern, status)


def test_a_persons_word_without_the_mending_costs_one_account_a_repair_again() -> None:
    world = filled()
    edits_of_billing(world)
    ticks(world)
    before = texts(world)
    for concern in CONCERNS:
        world.resume(concern, confirm=True)
    ticks(world)
    assert set(world.paused()) == set(CONCERNS)
    assert world.panel.calls()[UPDATE] == 4
    assert [{**shown, "street": ""} for shown in texts(world).values()] == [
        {**shown, "street": ""} for shown in before.values()
    ]


@pytest.mark.parametrize("lost_reply", [False, True])
def test_giving_the_code_to_accounts_that_were_there_loses_nothing_that_only_the_panel_has(lost_reply: bool) -> None:
    world = new()
    world.panel.whole_writes = True
    for n, client in enumerate(CLIENTS):
        own = {**CLIENT, "nip": "", "email": f"{n}@firma.pl"}
        world.panel.register({**own, "phone": f"60070080{n}"}, login=f"old-{n}")
        world.exchange.insert_client(client, **{**own, "phone": None})
    before = texts(world)
    if lost_reply:
        world.panel.lose_reply()
    ticks(world)
    assert texts(world) == before
    assert set(world.paused()) == set(CONCERNS)
    world.panel.whole_writes = False
    for concern in CONCERNS:
        world.resume(concern, confirm=True)
    ticks(world, 6)
    assert texts(world) == before
    assert {world.exchange.clients[client]["phone"] for client in CLIENTS} == {f"60070080{n}" for n in range(4)}


def test_a_panel_that_leaves_alone_is_looked_at_once_a_week() -> None:
    world = filled(whole_writes=False)
    for street, more in [("Nowa 1", 1), ("Nowa 2", 0)]:
        before, read = world.panel.calls().get(UPDATE, 0), world.panel.calls().get(READ, 0)
        for client in CLIENTS:
            world.exchange.update_client(client, street=street)
        assert world.reconcile("billing", *map(Owner, CLIENTS))
        assert world.panel.calls()[UPDATE] - before == 1 + more
        assert world.panel.calls()[READ] - read == 1 + 2 * more
        ticks(world)
    world.pass_time(days=7)
    before = world.panel.calls()[UPDATE]
    for client in CLIENTS:
        world.exchange.update_client(client, street="Nowa 3")
    assert world.reconcile("billing", *map(Owner, CLIENTS))
    assert world.panel.calls()[UPDATE] - before == 2
    assert not world.paused()


def test_a_text_that_the_change_itself_empties_is_not_put_back() -> None:
    world = filled(whole_writes=False, policy={**OPEN, "billing": {"fields": {"phone": {"empty": "erase"}}}})
    for client in CLIENTS:
        world.exchange.update_client(client, phone="")
    ticks(world)
    assert not any("phone" in shown for shown in texts(world).values())
    assert not world.paused()


def test_in_an_outage_two_calls_tell_and_everybody_is_deferred() -> None:
    world = filled(whole_writes=False)
    edits_of_billing(world)
    for client in CLIENTS:
        world.panel.fail_over(client)
    before = world.panel.calls().get(UPDATE, 0)
    assert world.reconcile("billing", *map(Owner, CLIENTS))
    assert world.panel.calls()[UPDATE] - before == 3
    assert {world.exchange.status(client, "billing").code for client in CLIENTS} == {"panel_5xx"}  # type: ignore[union-attr]


def test_where_no_time_is_left_after_the_first_one_the_others_come_back() -> None:
    world = filled(whole_writes=False)
    edits_of_billing(world)
    before = world.panel.calls().get(UPDATE, 0)
    world.time_left = lambda: world.panel.calls().get(UPDATE, 0) == before
    assert not world.reconcile("billing", *map(Owner, CLIENTS))
    assert world.panel.calls()[UPDATE] - before == 1


def test_an_account_that_has_nothing_to_lose_tells_nothing() -> None:
    world = filled(whole_writes=False)
    names = [name for name, field in texts(world)[account_of(world, "C-0")].items() if field and name != "email"]
    world.panel.edit(account_of(world, "C-0"), **dict.fromkeys(names, ""))
    world.panel.accounts[account_of(world, "C-0")].values["email"] = ""
    world.panel.whole_writes = True
    world.exchange.update_client("C-0", street="Nowa 7")
    assert world.reconcile("billing", Owner("C-0"))
    assert DOCUMENT not in world.state.documents


def test_a_panel_that_shows_a_change_late_tells_nothing_yet_and_delays_nobody() -> None:
    world = filled(whole_writes=False)
    edits_of_billing(world)
    stale = {key: world.panel.accounts[key] for key in world.panel.accounts}
    read, world.panel.read = world.panel.read, lambda ids: {key: stale[key] for key in ids if key in stale}  # type: ignore[method-assign]
    assert world.reconcile("billing", *map(Owner, CLIENTS))
    world.panel.read = read  # type: ignore[method-assign]
    assert DOCUMENT not in world.state.documents
    assert {shown["street"] for shown in texts(world).values()} == {"Nowa 7"}


@pytest.mark.parametrize("broken", [("C-0",), ("C-0", "C-1"), ("C-0", "C-1", "C-2")])
def test_records_over_which_the_panel_fails_keep_nobody_waiting_for_ever(broken: tuple[str, ...]) -> None:
    world = filled(whole_writes=False)
    for client in broken:
        world.panel.fail_over(client)
    edits_of_billing(world)
    for _ in range(12):
        world.tick()
        world.pass_time(minutes=31)
    rest = [client for client in CLIENTS if client not in broken]
    assert {texts(world)[account_of(world, client)]["street"] for client in rest} == {"Nowa 7"}


@pytest.mark.parametrize("refused", [("C-0",), ("C-0", "C-1", "C-2")])
def test_records_that_the_panel_refuses_tell_nothing_and_the_next_one_does(refused: tuple[str, ...]) -> None:
    world = filled(whole_writes=False)
    for client in refused:
        world.panel.refuse(client, Reject("refused", panel="nie"))
    edits_of_billing(world)
    ticks(world)
    rest = [client for client in CLIENTS if client not in refused]
    assert {texts(world)[account_of(world, client)]["street"] for client in rest} == {"Nowa 7"}
    assert "update" in (world.state.documents[DOCUMENT].document or {})


@pytest.mark.parametrize("change", [edits_of_billing, figures_of_credit])
@pytest.mark.parametrize("error", [Retry("timeout"), Retry("rate_limit"), Halt("panel_key", "no")], ids=str)
@pytest.mark.parametrize("call", range(5))
@pytest.mark.parametrize("lost_reply", [False, True])
def test_an_outage_at_any_of_its_calls_loses_nothing(
    change: Callable[[World], None], call: int, error: Retry | Halt, lost_reply: bool
) -> None:
    world = filled()
    before = texts(world)
    change(world)
    world.collect("billing")
    world.collect("credit")
    if lost_reply:
        world.panel.lose_reply()
    world.panel.fail(*[None] * call, error)
    ticks(world, 6)
    world.panel.recover()
    world.panel.whole_writes = False
    for _ in range(2):
        for concern in CONCERNS:
            world.resume(concern, confirm=True)
        for client in CLIENTS:
            world.exchange.decide_status(client, "billing", "retry")
        ticks(world, 6)
    street = "Nowa 7" if change is edits_of_billing else CLIENT["street"]
    assert texts(world) == {key: {**shown, "street": street} for key, shown in before.items()}
    assert {row["phone"] for row in world.exchange.clients.values()} == {"501502503"}


def test_an_address_is_looked_at_too() -> None:
    world = AddressWorld(parse(json.dumps(OPEN)))
    world.state.documents.pop(DOCUMENT)
    for client in CLIENTS:
        world.customer(client)
        world.exchange.insert_address(f"A-{client}", client, **LINES)
    world.turn()
    world.turn()
    world.panel.whole_writes = True
    before = {key: dict(address.values) for key, (_, address) in world.panel.delivery.items()}
    for client in CLIENTS:
        world.exchange.update_address(f"A-{client}", street="Nowa 7")
    read = world.panel.calls()[READ_ADDRESSES]
    world.turn()
    after = {key: dict(address.values) for key, (_, address) in world.panel.delivery.items()}
    changed = [key for key in before if before[key] != after[key]]
    assert [after[key] for key in changed] == [{**before[key], "street": "Nowa 7"} for key in changed]
    assert len(changed) == 1
    assert world.panel.calls()[UPDATE_ADDRESS] == 2
    assert world.panel.calls()[READ_ADDRESSES] - read >= 3
    assert set(world.paused()) == set(CONCERNS)
