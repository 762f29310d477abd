"""Shops: rows, then rules, then the default ones; the full list is sent, and drift is put right."""

from __future__ import annotations

import json

import pytest

from kartoteka.codes import State
from kartoteka.concerns.accounts.concern import opened_values
from kartoteka.errors import Halt, Retry
from kartoteka.model import Direction, Forms, Intent, Key, Owner, Reason, Value, Written
from kartoteka.policy import parse
from kartoteka.sync.reconcile import reconcile
from tests.helpers import account_of, installation, linked, puts, status_of, tax_number
from tests.world import CLIENT, World

REGIONS = (
    '{"accounts": {"default_shops": [1]}, "shops": {"rules": ['
    '{"country_code": "de", "shops": [2]}, {"language": "eng", "shops": [1, 3]}]}}'
)


def shops_of(world: World, client: str) -> Value:
    """Return the shops of a client's account."""
    return world.panel.accounts[account_of(world, client)].values["shops"]


def state_of(world: World, client: str) -> tuple[State, str] | None:
    """Return what ``sync_status`` says of a customer's shops."""
    status = world.exchange.status(client, "shops")
    return (status.state, status.code) if status else None


def test_rows_decide_at_creation_and_later_and_the_full_list_is_sent() -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.set_shops("C-1", 2, 1)
    world.tick()
    assert shops_of(world, "C-1") == (1, 2)
    world.exchange.set_shops("C-1", 3)
    world.tick()
    assert shops_of(world, "C-1") == (3,)
    told = [(h.value_before, h.value_after, h.reason) for h in world.exchange.history if h.concern == "shops"]
    assert told == [("1,2", "3", "edit")]
    assert state_of(world, "C-1") == (State.IN_STEP, "")


def test_an_account_whose_opening_was_not_answered_has_the_shops_that_it_was_opened_with() -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.set_shops("C-1", 2, 1)
    world.dies_at("create", after=True)
    world.tick()
    world.tick()
    base = world.exchange.states[Key("C-1", "", "shops")].base
    assert base == Forms({"shops": (1, 2)}, {"shops": (1, 2)})
    assert (len(world.panel.accounts), puts(world), state_of(world, "C-1")) == (1, 0, (State.IN_STEP, ""))
    (opened,) = [h for h in world.exchange.history if h.reason == "create"]
    assert json.loads(opened.value_after or "")["shops"] == [1, 2]


def test_the_intent_of_an_opening_gives_back_the_values_it_was_made_of() -> None:
    opening = {"company": "Firma", "wholesaler": True, "nip": None, "shops": (1, 2)}
    written = Written("", Direction.ERP_TO_PANEL, Reason.CREATE, None, json.dumps(opening))
    assert opened_values(Intent((written,), making=True)) == opening


def test_without_rows_the_first_rule_that_fits_decides_else_the_default() -> None:
    world = World(parse(REGIONS))
    world.exchange.insert_client(
        "DE", **{**CLIENT, "country_code": "DE", "language": "eng", "nip": "", "email": "a@x.de"}
    )
    world.exchange.insert_client(
        "GB", **{**CLIENT, "country_code": "GB", "language": "ENG", "nip": "", "email": "b@x.uk"}
    )
    world.exchange.insert_client("PL", **CLIENT)
    world.tick()
    assert {client: shops_of(world, client) for client in ("DE", "GB", "PL")} == {"DE": (2,), "GB": (1, 3), "PL": (1,)}


def test_a_move_to_another_country_moves_the_customer_to_its_shop() -> None:
    world = World(parse(REGIONS))
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.update_client("C-1", country_code="DE")
    world.tick()
    assert shops_of(world, "C-1") == (2,)


def test_the_last_row_gone_brings_back_the_standing_rule() -> None:
    world = linked()
    world.exchange.set_shops("C-0", 2)
    world.tick()
    world.exchange.set_shops("C-0")
    world.tick()
    assert shops_of(world, "C-0") == (1,)


def test_another_policy_is_carried_out_for_everybody() -> None:
    world = linked(5)
    world.policy = parse('{"accounts": {"default_shops": [1, 2]}}')
    world.tick()
    assert {shops_of(world, f"C-{n}") for n in range(5)} == {(1, 2)}
    assert puts(world) == 1


def test_drift_in_the_panel_is_put_right_and_recorded() -> None:
    world = linked()
    world.panel.assign_shops(account_of(world, "C-0"), 1, 3)
    world.tick()
    assert shops_of(world, "C-0") == (1,)
    (told,) = [h for h in world.exchange.history if h.concern == "shops" and h.reason == "drift"]
    assert (told.value_before, told.value_after, told.direction) == ("1,3", "1", "erp_to_panel")
    before = puts(world)
    world.tick()
    world.tick()
    assert puts(world) == before


def test_neither_rows_nor_rule_nor_default_excludes_the_customer_and_leaves_his_shops_alone() -> None:
    world = installation(policy='{"accounts": {"default_shops": []}}')
    account = world.panel.register(CLIENT, login="jan", external_code="C-1", shops=(2, 3))
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **{**CLIENT, "nip": "", "email": "x@y.pl"})
    world.tick()
    assert state_of(world, "C-1") == (State.EXCLUDED, "no_shop")
    assert world.panel.accounts[account].values["shops"] == (2, 3)
    assert status_of(world, "C-2") == (State.HELD, "incomplete"), "the panel opens no account without a shop"
    world.exchange.set_shops("C-1", 1)
    world.exchange.set_shops("C-2", 1)
    world.tick()
    assert state_of(world, "C-1") == (State.IN_STEP, "")
    assert shops_of(world, "C-1") == (1,)
    assert shops_of(world, "C-2") == (1,), "a row of client_shops completes the client"
    world.exchange.set_shops("C-1")
    world.tick()
    assert state_of(world, "C-1") == (State.EXCLUDED, "no_shop")
    assert shops_of(world, "C-1") == (1,)


@pytest.mark.fault(60)
def test_an_unknown_shop_is_refused_by_name_before_the_call() -> None:
    world = linked()
    world.exchange.set_shops("C-0", 1, 77)
    world.tick()
    assert puts(world) == 0
    status = world.exchange.status("C-0", "shops")
    assert status
    assert (status.state, status.code) == (State.HELD, "unknown_shop")
    assert "77" in status.message_en
    assert "1, 2, 3" in status.message_en
    world.exchange.set_shops("C-0", 1, 2)
    world.tick()
    assert shops_of(world, "C-0") == (1, 2)


def test_a_client_with_an_unknown_shop_is_not_opened_and_keeps_nobody_waiting() -> None:
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.set_shops("C-1", 77)
    world.exchange.insert_client("C-2", **{**CLIENT, "nip": "", "email": "x@y.pl"})
    world.tick()
    assert world.exchange.links.keys() == {"C-2"}
    assert status_of(world, "C-1") == (State.HELD, "unknown_shop")


def test_a_shop_that_is_opened_in_the_panel_is_known_after_a_while() -> None:
    world = linked()
    world.exchange.set_shops("C-0", 77)
    world.tick()
    world.panel.known_shops = {1, 2, 3, 77}
    world.pass_time(minutes=11)
    world.tick()
    assert shops_of(world, "C-0") == (77,)


def test_the_panel_is_asked_for_its_shops_once() -> None:
    world = linked(250, policy='{"brake": {"any_share": 1}}')
    for n in range(250):
        world.exchange.set_shops(f"C-{n}", 1, 2)
    world.tick()
    assert {shops_of(world, f"C-{n}") for n in range(250)} == {(1, 2)}
    assert world.panel.calls()["GET system/shopsData"] == 1


def test_a_panel_that_does_not_tell_its_shops_judges_them_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def no_right() -> frozenset[int]:
        raise Halt("panel_rights", "no SYSTEM scope")

    monkeypatch.setattr(world.panel, "shops", no_right)
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert shops_of(world, "C-1") == (1,)
    world.exchange.set_shops("C-1", 77)
    world.tick()
    status = world.exchange.status("C-1", "shops")
    assert status
    assert status.state is State.HELD


def test_a_concern_that_is_off_carries_nothing() -> None:
    world = linked(policy='{"shops": {"direction": "off"}}')
    world.exchange.set_shops("C-0", 2)
    world.panel.assign_shops(account_of(world, "C-0"), 1, 3)
    world.tick()
    assert shops_of(world, "C-0") == (1, 3)


def test_an_odd_shop_id_in_a_row_of_the_panel_is_no_crash() -> None:
    world = linked()
    world.panel.assign_shops(account_of(world, "C-0"))
    world.tick()
    assert shops_of(world, "C-0") == (1,)


def test_shops_that_cannot_be_asked_for_stop_no_chunk_and_are_asked_for_once_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World().knows_the_panel()
    asked: list[str] = []

    def away() -> frozenset[int]:
        asked.append("GET system/shopsData")
        raise Retry("timeout")

    monkeypatch.setattr(world.panel, "shops", away)
    for n in range(5):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
    result = reconcile(world.run().concerns["accounts"], [Owner(f"C-{n}") for n in range(5)])
    assert (result.unfinished, len(asked), len(world.exchange.links)) == ([], 1, 5)
    monkeypatch.undo()
    world.exchange.set_shops("C-0", 77)
    world.tick()
    status = world.exchange.status("C-0", "shops")
    assert status
    assert status.code == "unknown_shop", "what was not read is read at the next run"


def test_an_outage_refuses_no_shop_by_what_was_known_before(monkeypatch: pytest.MonkeyPatch) -> None:
    world = linked()
    world.pass_time(minutes=11)

    def away() -> frozenset[int]:
        raise Retry("timeout")

    monkeypatch.setattr(world.panel, "shops", away)
    world.panel.known_shops = {1, 2, 3, 77}
    world.exchange.set_shops("C-0", 77)
    world.tick()
    assert shops_of(world, "C-0") == (77,)


# --- what the shops require of a customer


PERSON = {"company": None, "nip": "", "client_type": "person", "first_name": "Jan", "last_name": "Kos"}


def waiting(world: World, client: str) -> tuple[str, ...]:
    """Return the code of a client that has no account yet, and the fields that it names."""
    status = world.exchange.status(client, "accounts")
    assert status is not None
    assert status.state is State.HELD
    return (status.code, *(name for name in ("last_name", "nip", "phone") if name in status.message_en))


def test_what_a_shop_requires_is_named_before_a_call_is_spent_on_it() -> None:
    world = World().knows_the_panel()
    world.panel.shops_require = {1: frozenset({"phone"}), 2: frozenset({"nip", "last_name"}), 3: frozenset()}
    bare = {**CLIENT, "phone": None, "nip": "", "company": "Firma", "last_name": ""}
    for n, (client, *shops) in enumerate((("C-1", 1), ("C-2", 2), ("C-3", 3), ("C-12", 1, 2))):
        world.exchange.insert_client(client, **{**bare, "email": f"k{n}@x.pl", "street": f"Polna {n}"})
        world.exchange.set_shops(client, *shops)
    world.tick()
    assert waiting(world, "C-1") == ("incomplete", "phone")
    assert waiting(world, "C-2") == ("incomplete", "nip"), "a firm needs no last name"
    assert waiting(world, "C-12") == ("incomplete", "nip", "phone")
    assert [account.external_code for account in world.panel.accounts.values()] == ["C-3"]
    world.exchange.update_client("C-1", phone="600100200")
    world.tick()
    assert {account.external_code for account in world.panel.accounts.values()} == {"C-1", "C-3"}


def test_a_person_needs_no_tax_number_whatever_its_shop_requires() -> None:
    world = World().knows_the_panel()
    world.panel.shops_require = {1: frozenset({"nip", "last_name"})}
    world.exchange.insert_client("C-1", **{**CLIENT, **PERSON})
    world.tick()
    assert len(world.panel.accounts) == 1


def test_what_shops_require_is_read_once_a_day_and_only_with_clients_to_open() -> None:
    world = World().knows_the_panel()
    asked = []
    for n in range(3):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": "", "email": f"k{n}@x.pl", "street": f"Polna {n}"})
        world.tick()
        asked.append(world.panel.calls()["GET system/shopsData"])
    assert asked == [1, 1, 1]
    world.pass_time(days=1)
    world.tick()
    assert world.panel.calls()["GET system/shopsData"] == 1
    world.panel.shops_require = {1: frozenset({"phone"})}
    world.exchange.insert_client("C-9", **{**CLIENT, "nip": "", "phone": None, "email": "k9@x.pl", "street": "Polna 9"})
    world.tick()
    assert waiting(world, "C-9") == ("incomplete", "phone")
