"""A panel that is restored from an older backup: told, stopped where it is much, and settled by the bases."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.model import Owner
from kartoteka.sync.retry import BRAKE
from tests.address_world import LINES
from tests.helpers import OTHER, account_of, tax_number, unbraked
from tests.world import CLIENT, CONCERNS, World

CALM = '{"panel": {"full_read_days": 3650}}'


def filled(number: int, policy: str = CALM, **more: Any) -> World:
    """Return an installation with this many customers in step, a day later."""
    world = World(unbraked(policy))
    for n in range(number):
        world.exchange.insert_client(f"C-{n:04}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl", **more})
    for _ in range(3):
        world.tick(seconds=301)
    world.pass_time(days=1)
    world.tick()
    return world


def edited(world: World, *numbers: int, **values: Any) -> None:
    """Let the ERP edit these clients, and the edits arrive."""
    for n in numbers:
        world.exchange.update_client(f"C-{n:04}", **{name: f"{value} {n}" for name, value in values.items()})
        world.tick(seconds=10)
    world.pass_time(minutes=11)
    world.tick()


def rows(world: World, field: str) -> list[Any]:
    """Return the ERP's values of a field."""
    return [row[field] for _, row in sorted(world.exchange.clients.items())]


def shown(world: World, field: str) -> list[Any]:
    """Return the panel's values of a field, in the order of the clients."""
    return [world.panel.accounts[account_of(world, key)].values[field] for key in sorted(world.exchange.clients)]


def ticks(world: World, number: int = 4) -> None:
    """Tick some times."""
    for _ in range(number):
        world.tick()


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    ("number", "touch"),
    [(1, "nothing"), (1, "a neighbour"), (6, "the same"), (6, "another"), (19, "another"), (19, "a neighbour")],
)
def test_what_was_agreed_is_sent_again_whatever_is_edited_first(number: int, touch: str) -> None:
    world = filled(30)
    backup = world.panel.backup()
    edited(world, *range(number), street="Nowa")
    world.pass_time(days=1)
    world.tick()
    world.panel.restore(backup)
    world.pass_time(minutes=3)
    for n in range(number):
        key = account_of(world, f"C-{n:04}")
        edit = {"nothing": {}, "the same": {"phone": "600700800"}, "another": {"city": "Gdynia"}}.get(touch)
        if edit is None:
            world.panel.edit(account_of(world, "C-0029"), phone="600700800")
        elif edit and n == 0:
            world.panel.edit(key, **edit)
    ticks(world)
    assert rows(world, "street")[:number] == shown(world, "street")[:number] == [f"Nowa {n}" for n in range(number)]
    assert not world.exchange.conflicts
    assert not world.paused()
    if touch == "a neighbour":
        assert rows(world, "phone")[29] == "600700800"
    if touch == "another":
        assert rows(world, "city")[0] == "Gdynia"
    if touch == "the same":
        assert rows(world, "phone")[0] == "600700800"


@pytest.mark.parametrize(("number", "last", "by"), [(1, 1, "panel"), (6, 1, "erp"), (6, 3, "panel"), (17, 2, "erp")])
def test_what_was_agreed_is_sent_again_where_those_modified_last_are_edited_first(
    number: int, last: int, by: str
) -> None:
    """All others that went back stand in no window."""

    def touch(phone: str) -> None:
        for n in range(number, number + last):
            if by == "panel":
                world.panel.edit(account_of(world, f"C-{n:04}"), phone=f"{phone}{n % 10}")
            else:
                world.exchange.update_client(f"C-{n:04}", phone=f"{phone}{n % 10}")
        ticks(world)

    world = filled(30)
    backup = world.panel.backup()
    edited(world, *range(number), street="Nowa")
    touch("60070080")
    world.pass_time(days=1)
    world.tick()
    world.panel.restore(backup)
    world.pass_time(minutes=3)
    touch("50060070")
    assert rows(world, "street")[:number] == shown(world, "street")[:number] == [f"Nowa {n}" for n in range(number)]
    phones = [f"50060070{n % 10}" for n in range(number, number + last)]
    assert rows(world, "phone")[number : number + last] == phones
    assert not world.exchange.conflicts


def test_an_account_that_is_edited_again_and_again_costs_a_look_each_time_and_is_no_restored_panel() -> None:
    def cost(client_id: str, city: str) -> int:
        world.panel.edit(account_of(world, client_id), city=city)
        before = world.panel.calls()["GET clients/clients"]
        assert world.follow()
        spent = world.panel.calls()["GET clients/clients"] - before
        ticks(world, 2)
        return spent

    world = filled(5)
    cost("C-0003", "Radom")
    another = cost("C-0001", "Gdynia")
    assert [cost("C-0001", f"Gdynia {n}") - another for n in range(3)] == [1, 1, 1]
    document = world.state.documents["feed"].document
    assert document
    assert document["restored"] is None


@pytest.mark.parametrize("number", [3, 6, 19])
def test_what_was_agreed_is_sent_again_where_every_account_was_edited_before_anybody_noticed(number: int) -> None:
    world = filled(number)
    backup = world.panel.backup()
    edited(world, *range(number), street="Nowa")
    world.panel.restore(backup)
    world.pass_time(minutes=3)
    for n in range(number):
        world.panel.edit(account_of(world, f"C-{n:04}"), phone=f"60070080{n % 10}", city=f"Gdynia {n}")
    ticks(world)
    assert rows(world, "street") == shown(world, "street") == [f"Nowa {n}" for n in range(number)]
    assert rows(world, "city") == shown(world, "city") == [f"Gdynia {n}" for n in range(number)]
    assert rows(world, "phone") == [f"60070080{n % 10}" for n in range(number)]


def test_an_edit_in_the_erp_in_the_very_minute_of_the_restore_brings_nothing_old_back() -> None:
    world = filled(8)
    backup = world.panel.backup()
    edited(world, *range(6), street="Nowa")
    world.panel.restore(backup)
    for n in range(6):
        world.exchange.update_client(f"C-{n:04}", city=f"Sopot {n}")
    world.collect("billing")
    world.drain()
    ticks(world)
    assert rows(world, "street")[:6] == shown(world, "street")[:6] == [f"Nowa {n}" for n in range(6)]
    assert shown(world, "city")[:6] == [f"Sopot {n}" for n in range(6)]


def test_much_that_went_back_is_told_and_stopped_until_a_person_confirms(caplog: pytest.LogCaptureFixture) -> None:
    world = filled(40)
    backup = world.panel.backup()
    edited(world, *range(25), street="Nowa")
    world.panel.restore(backup)
    world.panel.edit(account_of(world, "C-0003"), phone="600700800")
    ticks(world)
    assert world.paused() == dict.fromkeys(CONCERNS, BRAKE)
    assert "restored from an older backup" in caplog.text
    assert rows(world, "street")[:25] == [f"Nowa {n}" for n in range(25)]
    assert shown(world, "street")[:25] == ["Długa 1"] * 25
    for concern in CONCERNS:
        world.resume(concern, confirm=True)
    ticks(world, 8)
    for _ in range(8):
        world.tick(seconds=3700)
    assert rows(world, "street")[:25] == shown(world, "street")[:25] == [f"Nowa {n}" for n in range(25)]
    assert rows(world, "phone")[3] == "600700800"
    assert not world.paused(), "told once"


def test_much_is_told_that_only_the_reading_of_all_accounts_finds() -> None:
    world = filled(60, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    backup = world.panel.backup()
    edited(world, *range(25), street="Nowa")
    world.panel.restore(backup)
    ticks(world)
    assert world.paused() == dict.fromkeys(CONCERNS, BRAKE)


def test_a_panel_of_many_accounts_is_read_anew_as_a_whole_and_no_more_than_once() -> None:
    world = filled(130, '{"panel": {"batch_size": 10, "full_read_days": 3650}}')
    backup = world.panel.backup()
    edited(world, 1, 60, 129, street="Nowa")
    world.panel.restore(backup)
    ticks(world, 6)
    assert rows(world, "street") == shown(world, "street")
    before = world.panel.calls()["GET clients/clients"]
    ticks(world, 3)
    assert world.panel.calls()["GET clients/clients"] - before == 3


def test_what_the_panel_never_shows_is_sent_again() -> None:
    world = filled(3)
    world.panel.shows_credit = "nothing"
    for n in range(3):
        world.exchange.set_credit(
            f"C-{n:04}", credit_allowed=True, credit_limit="100.00", currency="PLN", as_of=world.time
        )
    ticks(world)
    backup = world.panel.backup()
    world.exchange.set_credit("C-0001", credit_allowed=True, credit_limit="900.00", currency="PLN", as_of=world.time)
    world.exchange.update_client("C-0002", active=False)
    world.pass_time(minutes=5)
    ticks(world)
    assert account_of(world, "C-0002") in world.panel.closed
    world.panel.restore(backup)
    ticks(world)
    assert world.panel.accounts[account_of(world, "C-0001")].values["credit_limit"] == "900.00"
    assert account_of(world, "C-0002") in world.panel.closed


def test_prices_are_sent_again() -> None:
    world = filled(3)
    world.exchange.set_group("G1", "Hurt")
    world.exchange.set_item("G1", "product", "7", price="10.00", currency="PLN")
    ticks(world)
    backup = world.panel.backup()
    world.exchange.set_item("G1", "product", "7", price="9.00", currency="PLN")
    edited(world, 1, street="Nowa")
    world.panel.restore(backup)
    ticks(world)
    [held] = world.panel.prices.values()
    assert str(held["product", "7"][0]) == "9.00"


def test_a_number_handed_out_anew_is_nobody_elses_account() -> None:
    world = filled(5)
    backup = world.panel.backup()
    world.exchange.insert_client("N-1", **OTHER)
    edited(world, 1, street="Nowa")
    number = account_of(world, "N-1")
    world.panel.restore(backup)
    stranger = world.panel.register({**CLIENT, "email": "obcy@x.pl", "nip": ""}, login="obcy")
    assert stranger == number
    world.exchange.update_client("N-1", city="Sopot")
    ticks(world)
    assert world.panel.accounts[stranger].values["city"] == CLIENT["city"]
    assert world.exchange.clients["N-1"]["city"] == "Sopot"
    status = world.exchange.status("N-1", "billing")
    assert status
    assert status.code == "another_account"


def test_addresses_are_settled_too() -> None:
    world = filled(3)
    world.exchange.insert_address("A-1", "C-0001", **{**LINES, "street": "Stara 1"})
    ticks(world)
    backup = world.panel.backup()
    world.exchange.update_address("A-1", street="Nowa 1")
    world.exchange.insert_address("A-2", "C-0001", **{**LINES, "street": "Druga 2"})
    edited(world, 1, street="Nowa")
    world.panel.restore(backup)
    ticks(world, 6)
    streets = {address.values["street"] for _, address in world.panel.delivery.values()}
    assert streets == {"Nowa 1", "Druga 2"}
    assert [world.exchange.address(key) and world.exchange.address(key)["street"] for key in ("A-1", "A-2")] == [
        "Nowa 1",
        "Druga 2",
    ]


@pytest.mark.parametrize("touch", ["nothing", "another field", "a neighbour"])
@pytest.mark.parametrize(
    ("field", "first", "second", "manner"),
    [
        ("street", "Druga 2", "Trzecia 3", "answered"),
        ("street", "Druga 2", "Trzecia 3", "ignored"),
        ("street", "Druga 2", "Trzecia 3", "unanswered"),
        ("company", "Druga", "Trzecia", "answered"),
        ("phone", "600100200", "600100300", "ignored"),
        ("language", "eng", "ger", "answered"),
        ("language", "eng", "ger", "unanswered"),
    ],
)
def test_what_was_not_shown_before_the_restore_is_sent_again(
    field: str, first: str, second: str, manner: str, touch: str
) -> None:
    """The backup is older than the value before it: neither what was sent last nor what it was sent in place of."""
    world = filled(30)
    backup = world.panel.backup()
    edited(world, 29, phone="60070080")
    world.exchange.update_client("C-0000", **{field: first})
    ticks(world, 12)
    world.exchange.update_client("C-0000", **{field: second})
    key = account_of(world, "C-0000")
    if manner == "ignored":
        world.panel.keeps = lambda name, value, before: before if name == field else value
    if manner == "unanswered":
        world.panel.lose_reply()
    world.collect("billing")
    world.work("billing")
    world.panel.keeps = lambda _name, value, _before: value
    world.pass_time(minutes=3)
    world.panel.restore(backup)
    world.pass_time(minutes=1)
    if touch == "another field":
        world.panel.edit(key, city="Gdynia")
    if touch == "a neighbour":
        world.panel.edit(account_of(world, "C-0001"), city="Gdynia")
    ticks(world, 14)
    assert rows(world, field)[0] == shown(world, field)[0] == second
    assert not world.exchange.conflicts
    if touch != "nothing":
        assert rows(world, "city")[touch == "a neighbour"] == "Gdynia"


@pytest.mark.parametrize("away", [1, 3])
def test_accounts_that_were_removed_are_no_restored_panel(away: int) -> None:
    world = filled(10)
    for n in range(away):
        world.panel.remove(account_of(world, f"C-{n:04}"))
    ticks(world)
    document = world.state.documents["feed"].document
    assert document
    assert document["restored"] is None
    before = world.panel.calls()["GET clients/clients"]
    world.queue.chunks.clear()
    world.pass_time(minutes=1)
    assert world.follow()
    assert world.panel.calls()["GET clients/clients"] - before == 1, "asked about once"


def test_one_who_types_a_former_value_again_is_heard() -> None:
    world = filled(5)
    edited(world, 1, street="Nowa")
    world.panel.edit(account_of(world, "C-0001"), street=str(CLIENT["street"]))
    ticks(world)
    assert rows(world, "street")[1] == CLIENT["street"]


def test_a_quiet_minute_still_costs_one_call_and_no_reading_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    world = filled(5)
    world.pass_time(minutes=11)
    assert world.follow()
    loaded: list[Owner] = []
    load = world.exchange.records.load
    monkeypatch.setattr(
        world.exchange.records, "load", lambda name, owners: loaded.extend(owners) or load(name, owners)
    )
    before = sum(world.panel.calls().values())
    world.pass_time(minutes=1)
    assert world.follow()
    assert sum(world.panel.calls().values()) - before == 1
    assert not loaded


@pytest.mark.parametrize("waits", ["in the queue", "for a paused concern"])
@pytest.mark.parametrize("touch", ["nothing", "a neighbour", "the same"])
@pytest.mark.parametrize("number", [1, 3, 12])
def test_an_edit_older_than_the_backup_that_was_not_carried_yet_travels(number: int, touch: str, waits: str) -> None:
    """Its account did not go back, and shows what the base does not hold, as one that went back does."""
    world = filled(30)
    if waits == "for a paused concern":
        world.pause("billing")
    waiting = account_of(world, "C-0029")
    world.panel.edit(waiting, city="Gdynia")
    assert world.follow()
    world.pass_time(minutes=11)
    assert world.follow()
    backup = world.panel.backup()
    world.pass_time(minutes=5)
    for n in range(number):
        world.panel.edit(account_of(world, f"C-{n:04}"), phone=f"60070080{n % 10}")
    for _ in range(2):
        world.pass_time(minutes=11)
        assert world.follow()
    world.panel.restore(backup)
    world.pass_time(minutes=3)
    if touch != "nothing":
        world.panel.edit(account_of(world, "C-0020") if touch == "a neighbour" else waiting, phone="501501501")
    for _ in range(3):
        assert world.follow()
        world.pass_time(minutes=6)
    world.resume("billing")
    ticks(world)
    assert (rows(world, "city")[29], shown(world, "city")[29]) == ("Gdynia", "Gdynia")
    if touch == "the same":
        assert rows(world, "phone")[29] == "501501501"
    assert not world.exchange.conflicts
