"""What every Panel does: the one in memory, and the real adapter over HTTP against the stand-in panel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest

from kartoteka.adapters.aws.rate import RateLimit
from kartoteka.adapters.idosell import elements
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import Done, Outcome, Value, Values
from kartoteka.ports.panel import (
    LACKS_FIELD,
    AccountUpdate,
    AddressWrite,
    Days,
    KnownAccount,
    NewAccount,
    Panel,
    Window,
)
from local.panel import StandinPanel
from tests.fakes.panel import FakePanel
from tests.fakes.state import FakeState
from tests.fixtures.people import PERSON

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOME: dict[str, Value] = {
    "first_name": "Jan",
    "last_name": "Kowalski",
    "additional": "Magazyn nr 2",
    "phone": "+48 600 700 800",
    "street": "Krótka 1",
    "zip_code": "90-001",
    "city": "Łódź",
    "country_code": "PL",
}


NEWER = {"vat_eu": "nip_ue_declaration", "local_government": "local_government_unit"}
"""Fields that an older panel lacks -> the stand-in's own names of them."""


class World(Protocol):
    """A panel with a handle on its other side."""

    @property
    def panel(self) -> Panel: ...
    def register(self, **plain: Any) -> str: ...
    def edit(self, key: str, **values: Value) -> None: ...
    def set_time(self, moment: datetime) -> None: ...
    def refuse(self, client_id: str) -> None: ...
    def refuse_whole(self, client_id: str) -> None: ...
    def lose_reply_of_create(self) -> None: ...
    def lose_reply_of_address(self) -> None: ...
    def lose_result(self, client_id: str) -> None: ...
    def fail_create(self) -> None: ...
    def reject_key(self) -> None: ...
    def forbid_shops(self) -> None: ...
    def notified(self) -> int: ...
    def count(self) -> int: ...
    def assign_shops(self, key: str, *shops: int) -> None: ...
    def is_active(self, key: str) -> bool: ...
    def add_address(self, key: str, **lines: Value) -> str: ...
    def edit_address(self, key: str, address_id: str, **lines: Value) -> None: ...
    def remove_address(self, key: str, address_id: str) -> None: ...
    def use_address(self, key: str, address_id: str) -> None: ...
    def let_address_edits_move_dates(self) -> None: ...
    def kept(self, key: str) -> Mapping[str, Values]: ...
    def newer_flags(self, key: str) -> tuple[bool, bool]: ...
    def lack(self, field: str) -> None: ...
    def ignore_filters(self) -> None: ...
    def go_blind(self) -> None: ...
    def show_nobody_at_one_gate(self) -> None: ...
    def leave_out_who_has_no_address(self) -> None: ...
    def list_newest_first(self) -> None: ...
    def edit_between_pages(self, number: int) -> None: ...
    def date_nobody_before_an_edit(self) -> None: ...
    def back_up(self) -> None: ...
    def restore(self) -> None: ...


class FakeWorld:
    """The panel in memory."""

    def __init__(self) -> None:
        self.panel: FakePanel = FakePanel()

    def register(self, **plain: Any) -> str:
        names = {"login", "external_code", "guest", "shops"}
        values = {**PERSON, **{name: value for name, value in plain.items() if name not in names}}
        return self.panel.register(values, **{name: value for name, value in plain.items() if name in names})

    def edit(self, key: str, **values: Value) -> None:
        self.panel.edit(key, **values)

    def set_time(self, moment: datetime) -> None:
        self.panel.time = moment

    def refuse(self, client_id: str) -> None:
        self.panel.refuse(client_id, Reject("bad_postcode", field="zip_code", panel="20: zły kod"))

    def refuse_whole(self, client_id: str) -> None:
        self.panel.refuse_whole(client_id)

    def lose_reply_of_create(self) -> None:
        self.panel.lose_reply()

    def lose_reply_of_address(self) -> None:
        self.panel.lose_reply()

    def lose_result(self, client_id: str) -> None:
        self.panel.lose_result(client_id)

    def fail_create(self) -> None:
        self.panel.fail(Retry("panel_5xx"))

    def reject_key(self) -> None:
        self.panel.halt()

    def forbid_shops(self) -> None:
        self.panel.fail(Halt("panel_right", "the key may not ask"))

    def notified(self) -> int:
        return len(self.panel.notified)

    def count(self) -> int:
        return len(self.panel.accounts)

    def assign_shops(self, key: str, *shops: int) -> None:
        self.panel.assign_shops(key, *shops)

    def is_active(self, key: str) -> bool:
        return key not in self.panel.closed

    def add_address(self, key: str, **lines: Value) -> str:
        return self.panel.add_address(key, **lines)

    def edit_address(self, key: str, address_id: str, **lines: Value) -> None:
        self.panel.edit_address(address_id, **lines)

    def remove_address(self, key: str, address_id: str) -> None:
        self.panel.remove_address(address_id)

    def use_address(self, key: str, address_id: str) -> None:
        self.panel.in_use.add(address_id)

    def let_address_edits_move_dates(self) -> None:
        self.panel.edit_moves_date = True

    def kept(self, key: str) -> Mapping[str, Values]:
        return {number: each.values for number, (owner, each) in self.panel.delivery.items() if owner == key}

    def newer_flags(self, key: str) -> tuple[bool, bool]:
        hidden = self.panel.hidden.get(key, {})
        return hidden.get("vat_eu") is True, hidden.get("local_government") is True

    def lack(self, field: str) -> None:
        self.panel.lacks.add(field)

    def ignore_filters(self) -> None:
        self.panel.ignores_filters = True

    def go_blind(self) -> None:
        self.panel.blind = True

    def show_nobody_at_one_gate(self) -> None:
        self.panel.unseen |= self.panel.accounts.keys()

    def leave_out_who_has_no_address(self) -> None:
        self.panel.names_all = False

    def list_newest_first(self) -> None:
        self.panel.order = lambda account: (account.modified_at and -account.modified_at.timestamp(), account.login)

    def edit_between_pages(self, number: int) -> None:
        self.panel.edits_between_pages = number

    def date_nobody_before_an_edit(self) -> None:
        self.panel.new_have_no_date = True

    def back_up(self) -> None:
        self._backup = self.panel.backup()

    def restore(self) -> None:
        self.panel.restore(self._backup)


class HttpWorld:
    """The real adapter on a socket, the stand-in behind it."""

    def __init__(self, standin: StandinPanel) -> None:
        self.standin = standin
        standin.clock.set(NOON)
        limit = RateLimit(FakeState(), rate=10_000)
        state = FakeState()
        if standin.settings.flat_elements:  # as it is once that has been noticed
            state.save(elements.DOCUMENT, {"whole_since": "2026-03-01"}, version=0)
        self.panel = HttpPanel(PanelHttp(standin.url, standin.key, limit, HttpSettings(first_pause=0)), state)

    def register(self, **plain: Any) -> str:
        plain = {name: list(value) if name == "shops" else value for name, value in plain.items()}
        return str(self.standin.seed(**{**PERSON, **plain}).id)

    def edit(self, key: str, **values: Value) -> None:
        self.standin.edit(int(key), **values)

    def set_time(self, moment: datetime) -> None:
        self.standin.clock.set(moment)

    def refuse(self, client_id: str) -> None:
        match = {"external_code": client_id}
        self.standin.misbehave("record", "P* clients/*", match=match, code=20, text="zły kod", times=None)

    def refuse_whole(self, client_id: str) -> None:
        self.standin.misbehave("422", "P* clients/*", match={"external_code": client_id}, times=None)

    def lose_reply_of_create(self) -> None:
        self.standin.misbehave("reset", "POST clients/clients", when="after")

    def lose_reply_of_address(self) -> None:
        self.standin.misbehave("reset", "P* clients/deliveryAddress*", when="after")

    def lose_result(self, client_id: str) -> None:
        self.standin.misbehave("missing_result", "P* clients/*")

    def fail_create(self) -> None:
        self.standin.misbehave("5xx", "POST clients/clients", status=503)

    def reject_key(self) -> None:
        self.standin.misbehave("401", times=None)

    def forbid_shops(self) -> None:
        self.standin.settings.change(scopes={"CRM": "rw", "SYSTEM": ""})

    def notified(self) -> int:
        return self.standin.mails_sent + self.standin.texts_sent

    def count(self) -> int:
        return len(self.standin.accounts)

    def assign_shops(self, key: str, *shops: int) -> None:
        self.standin.edit(int(key), shops=list(shops))

    def is_active(self, key: str) -> bool:
        return self.standin.account(int(key)).active

    def add_address(self, key: str, **lines: Value) -> str:
        return str(self.standin.add_address(int(key), **lines).id)

    def edit_address(self, key: str, address_id: str, **lines: Value) -> None:
        self.standin.edit_address(int(key), int(address_id), **lines)

    def remove_address(self, key: str, address_id: str) -> None:
        self.standin.delete_address(int(key), int(address_id))

    def use_address(self, key: str, address_id: str) -> None:
        self.standin.edit_address(int(key), int(address_id), in_use=True)

    def let_address_edits_move_dates(self) -> None:
        self.standin.settings.change(address_edit_moves_date=True)

    def kept(self, key: str) -> Mapping[str, Values]:
        found = self.standin.account(int(key)).addresses
        return {str(each.id): {name: getattr(each, name) for name in HOME} for each in found}

    def newer_flags(self, key: str) -> tuple[bool, bool]:
        account = self.standin.account(int(key))
        return account.nip_ue_declaration == "yes", account.local_government_unit == "yes"

    def lack(self, field: str) -> None:
        names = [*self.standin.settings.lacks_fields, NEWER[field]]
        self.standin.settings.change(lacks_fields=names, unknown_field="refuse_call")

    def ignore_filters(self) -> None:
        names = ["clientsIds", "clientIds", "clientCodesExternal", "clientsLastModificationDate"]
        self.standin.settings.change(ignored_filters=names)

    def go_blind(self) -> None:
        self.standin.settings.change(hollow_answers="quiet", hollow_gates=["GET clients/*", "POST clients/crm/search"])

    def show_nobody_at_one_gate(self) -> None:
        self.standin.settings.change(hollow_answers="quiet", hollow_gates=["GET clients/clients"])

    def leave_out_who_has_no_address(self) -> None:
        self.standin.settings.change(names_clients_without_addresses=False)

    def list_newest_first(self) -> None:
        self.standin.settings.change(listed_by="newest")

    def edit_between_pages(self, number: int) -> None:
        self.standin.settings.change(edits_between_pages=number)

    def date_nobody_before_an_edit(self) -> None:
        if self.standin.settings.date_before_edit == "opening":
            self.standin.settings.change(date_before_edit="zeros")

    def back_up(self) -> None:
        self.standin.back_up()

    def restore(self) -> None:
        self.standin.restore()


MANNERS: Mapping[str, Mapping[str, Any]] = {
    "http": {},
    "http-quiet-200": {"empty_search_status": 200, "partial_status": 200, "address_country": "upper"},
    "http-any-case": {"code_case": "any_case"},
    "http-bare-207": {"empty_search_paging": False},
    "http-shuffled": {"shuffle_results": True},
    "http-nameless": {"failed_without_reference": True},
    "http-shuffled-nameless": {"shuffle_results": True, "failed_without_reference": True},
    "http-php": {"numbers_as_text": True, "php_empties": True, "address_country": "name"},
    "http-flat": {"flat_elements": True},
    "http-unnamed": {"names_clients_without_addresses": False},
    "http-newest-first": {"listed_by": "newest"},
    "http-date-lag-free": {"unchanged_write_moves_date": False, "login_required": True},
}
"""The readings of the contract that a real panel may have, one world each."""


@pytest.fixture(params=["fake", *MANNERS])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    with StandinPanel(**MANNERS[request.param]) as standin:
        yield HttpWorld(standin)
        assert standin.settings.lacks_fields or not standin.unknown_fields


def new(client_id: str, **values: Value) -> NewAccount:
    return NewAccount(client_id, f"b2b-{client_id.lower()}", "Secret-123456", {**PERSON, "shops": (1,), **values})


def done(outcomes: Sequence[Outcome]) -> list[Done]:
    assert all(isinstance(each, Done) for each in outcomes), outcomes
    return [each for each in outcomes if isinstance(each, Done)]


def opened(world: World, *client_ids: str) -> list[str]:
    return [each.panel_client_id for each in done(world.panel.create([new(c) for c in client_ids], notify=False))]


# the clock


def test_the_panels_own_clock_is_told_in_utc(world: World) -> None:
    world.set_time(NOON + MINUTE)
    assert world.panel.now() == NOON + MINUTE
    assert world.panel.now().utcoffset() == timedelta(0)


# opening


def test_an_opened_account_is_read_back_as_it_was_written(world: World) -> None:
    [outcome] = done(world.panel.create([new("K-1")], notify=False))
    account = world.panel.read([outcome.panel_client_id])[outcome.panel_client_id]
    assert outcome.login == account.login == "b2b-k-1"
    assert account.external_code == "K-1"
    assert {name: account.values[name] for name in PERSON} == PERSON
    assert account.values["company"] == ""
    assert not account.guest
    assert account.modified_at == NOON


def test_empty_values_are_left_to_the_panel_on_opening(world: World) -> None:
    [outcome] = done(world.panel.create([new("K-1", wholesaler=None, language="", phone=None)], notify=False))
    values = world.panel.read([outcome.panel_client_id])[outcome.panel_client_id].values
    assert (values["wholesaler"], values["language"], values["phone"]) == (False, "pol", "")


def test_a_customer_hears_only_when_told_to(world: World) -> None:
    opened(world, "K-1", "K-2")
    assert world.notified() == 0
    done(world.panel.create([new("K-3")], notify=True))
    assert world.notified() > 0


def test_a_hundred_accounts_cost_one_call_to_open_one_to_find_one_to_read(world: World) -> None:
    codes = [f"K-{n}" for n in range(100)]
    keys = opened(world, *codes)
    assert {account.external_code for account in world.panel.find(codes)} == set(codes)
    assert list(world.panel.read(keys).keys() ^ set(keys)) == []
    assert world.panel.calls() == {"POST clients/clients": 1, "GET clients/clients": 2}


def test_a_refused_record_does_not_hold_up_its_neighbours(world: World) -> None:
    world.refuse("K-2")
    first, second, third = world.panel.create([new("K-1"), new("K-2"), new("K-3")], notify=False)
    done([first, third])
    assert isinstance(second, Reject)
    assert (second.code, second.field) == ("bad_postcode", "zip_code")
    assert second.facts == {"panel": "20: zły kod"}
    assert "zły kod" not in str(second)
    found = world.panel.find(["K-1", "K-2", "K-3"])
    ids = {account.external_code: account.panel_client_id for account in found}
    assert ids == {"K-1": first.panel_client_id, "K-3": third.panel_client_id}  # type: ignore[union-attr]


def test_two_refused_records_are_told_from_those_that_went_through(world: World) -> None:
    world.refuse("K-1")
    world.refuse("K-4")
    outcomes = world.panel.create([new(f"K-{n}") for n in range(6)], notify=False)
    assert [type(each) for each in outcomes] == [Done, Reject, Done, Done, Reject, Done]


def test_a_taken_login_is_told_by_name(world: World) -> None:
    opened(world, "K-1")
    again, other = world.panel.create([new("K-1"), new("K-2")], notify=False)
    assert isinstance(again, Reject)
    assert again.code == "login_taken"
    done([other])
    assert world.count() == 2


def test_what_our_own_check_refuses_is_not_sent(world: World) -> None:
    bad = new("K-2", email="a@b.pl; c@d.pl")
    first, second = world.panel.create([new("K-1"), bad], notify=False)
    done([first])
    assert isinstance(second, Reject)
    assert (second.code, second.field) == ("bad_email", "email")
    assert isinstance(world.panel.create([bad], notify=False)[0], Reject)
    assert [type(each) for each in world.panel.create([bad, new("K-3")], notify=False)] == [Reject, Done]
    assert world.count() == 2


@pytest.mark.fault(20)
def test_a_call_refused_as_a_whole_has_done_nothing_and_can_be_split(world: World) -> None:
    world.refuse_whole("K-2")
    with pytest.raises(Reject) as refusal:
        world.panel.create([new("K-1"), new("K-2"), new("K-3")], notify=False)
    assert refusal.value.code == "refused_whole"
    assert world.count() == 0
    [alone] = world.panel.create([new("K-2")], notify=False)
    assert isinstance(alone, Reject)
    assert alone.code == "refused"
    opened(world, "K-1", "K-3")


def test_a_lost_reply_is_no_success_and_no_failure(world: World) -> None:
    world.lose_reply_of_create()
    with pytest.raises(Retry):
        world.panel.create([new("K-1")], notify=False)
    assert world.count() == 1
    assert [account.login for account in world.panel.find(["K-1"])] == ["b2b-k-1"]
    assert world.panel.calls()["POST clients/clients"] == 1


def test_a_call_that_fails_before_its_effect_leaves_nothing(world: World) -> None:
    world.fail_create()
    with pytest.raises(Retry):
        world.panel.create([new("K-1")], notify=False)
    assert world.count() == 0
    assert world.panel.calls() == {"POST clients/clients": 1}


@pytest.mark.fault(15)
def test_a_record_without_a_result_is_to_be_tried_again(world: World) -> None:
    world.lose_result("K-1")
    outcomes = world.panel.create([new("K-0"), new("K-1")], notify=False)
    missing = [each for each in outcomes if isinstance(each, Retry)]
    assert [each.code for each in missing] == ["missing_result"]
    assert world.count() == 2


def test_nothing_to_write_costs_no_call(world: World) -> None:
    assert list(world.panel.create([], notify=False)) == []
    assert list(world.panel.update([])) == []
    assert world.panel.calls() == {}


# changing


def test_an_update_changes_the_fields_it_names_and_no_other(world: World) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"street": "Krótka 1", "wholesaler": False})]))
    values = world.panel.read([key])[key].values
    expected = {**PERSON, "street": "Krótka 1", "wholesaler": False}
    assert {name: values[name] for name in PERSON} == expected
    assert world.notified() == 0


def test_an_empty_value_clears_a_field(world: World) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"phone": ""})]))
    assert world.panel.read([key])[key].values["phone"] == ""


def test_an_external_code_is_written_only_where_given(world: World) -> None:
    key = world.register(login="anna", external_code="")
    done(world.panel.update([AccountUpdate("K-9", "anna", {"city": "Gdynia"})]))
    assert world.panel.read([key])[key].external_code == ""
    done(world.panel.update([AccountUpdate("K-9", "anna", {}, external_code="K-9")]))
    assert [account.panel_client_id for account in world.panel.find(["K-9"])] == [key]


def test_updates_of_unknown_logins_and_refused_ones_are_that_records_outcome(world: World) -> None:
    keys = opened(world, "K-1", "K-2", "K-3")
    world.refuse("K-2")
    updates = [AccountUpdate(f"K-{n}", f"b2b-k-{n}", {"city": "Gdynia"}) for n in (1, 2, 3, 4)]
    assert [type(each) for each in world.panel.update(updates)] == [Done, Reject, Done, Reject]
    cities = [account.values["city"] for account in world.panel.read(keys).values()]
    assert sorted(map(str, cities)) == ["Gdynia", "Gdynia", "Łódź"]


def test_an_update_refused_as_a_whole_has_done_nothing(world: World) -> None:
    [key, _] = opened(world, "K-1", "K-2")
    world.refuse_whole("K-2")
    updates = [AccountUpdate(f"K-{n}", f"b2b-k-{n}", {"city": "Gdynia"}) for n in (1, 2)]
    with pytest.raises(Reject) as refusal:
        world.panel.update(updates)
    assert refusal.value.code == "refused_whole"
    assert world.panel.read([key])[key].values["city"] == "Łódź"
    done(world.panel.update(updates[:1]))


# newer fields, and panels that lack them


def change(client_id: str, **values: Value) -> AccountUpdate:
    return AccountUpdate(client_id, f"b2b-{client_id.lower()}", values)


def test_a_province_is_written_by_its_code_and_shown_by_a_number_of_its_own(world: World) -> None:
    made = world.panel.create([new("K-1", province="PL-MZ"), new("K-2", province="PL-SL"), new("K-3")], notify=False)
    keys = [each.panel_client_id for each in done(made)]

    def shown() -> list[Value]:
        accounts = world.panel.read(keys)
        return [accounts[key].values["province"] for key in keys]

    mz, sl, none = shown()
    assert none == ""
    assert str(mz).isdecimal()
    assert str(sl).isdecimal()
    assert mz != sl
    done(world.panel.update([change("K-1", province="PL-SL"), change("K-3", province="PL-MZ")]))
    assert shown() == [sl, sl, mz]
    world.edit(keys[1], province="PL-MZ")
    done(world.panel.update([change("K-1", province="")]))
    assert shown() == ["", mz, mz]
    done(world.panel.update([change("K-3", city="Gdynia")]))
    assert shown() == ["", mz, mz]


def test_the_newer_flags_are_written_and_never_shown(world: World) -> None:
    made = world.panel.create([new("K-1", vat_eu=True, local_government=True), new("K-2")], notify=False)
    first, second = [each.panel_client_id for each in done(made)]
    assert (world.newer_flags(first), world.newer_flags(second)) == ((True, True), (False, False))
    done(world.panel.update([change("K-1", vat_eu=False), change("K-2", local_government=True, vat_eu=None)]))
    assert (world.newer_flags(first), world.newer_flags(second)) == ((False, True), (False, True))
    done(world.panel.update([change("K-1", local_government=None, vat_eu="", city="Gdynia")]))
    assert world.newer_flags(first) == (False, True)
    for account in (*world.panel.read([first, second]).values(), *world.panel.changed(None, 0, 10).found):
        assert not account.values.keys() & NEWER.keys()


@pytest.mark.parametrize("field", NEWER)
def test_a_panel_that_lacks_a_field_refuses_each_call_that_carries_it_and_names_it(world: World, field: str) -> None:
    [key] = opened(world, "K-1")
    world.lack(field)
    calls: list[Callable[[], Sequence[Outcome]]] = [
        lambda: world.panel.create([new("K-2"), new("K-3", **{field: True})], notify=False),
        lambda: world.panel.create([new("K-3", **{field: False})], notify=False),
        lambda: world.panel.update([change("K-1", city="Gdynia"), change("K-1", **{field: True})]),
        lambda: world.panel.update([change("K-1", city="Gdynia", **{field: False})]),
    ]
    for call in calls:
        with pytest.raises(Reject) as refusal:
            call()
        assert (refusal.value.code, refusal.value.field) == (LACKS_FIELD, field)
        assert refusal.value.facts["panel"]
    assert world.count() == 1
    assert world.panel.read([key])[key].values["city"] == "Łódź"
    assert world.newer_flags(key) == (False, False)


@pytest.mark.parametrize("field", NEWER)
def test_a_panel_that_lacks_a_field_takes_the_calls_without_it(world: World, field: str) -> None:
    world.lack(field)
    [other] = NEWER.keys() - {field}
    opened(world, "K-1")
    done(world.panel.create([new("K-2", **{other: True, field: None})], notify=False))
    done(world.panel.update([change("K-1", city="Gdynia", **{other: True, field: None})]))
    unsent = change("K-2", email="none", **{field: True})
    assert [type(each) for each in world.panel.update([unsent, change("K-1", city="Radom")])] == [Reject, Done]


def test_fields_that_a_panel_lacks_are_named_one_after_the_other(world: World) -> None:
    opened(world, "K-1")
    values: dict[str, Value] = {"city": "Gdynia", "vat_eu": True, "local_government": True}
    for field in NEWER:
        world.lack(field)
    named = []
    while True:
        try:
            done(world.panel.update([change("K-1", **values)]))
            break
        except Reject as reject:
            named.append(reject.field)
            del values[reject.field]
    assert sorted(named) == sorted(NEWER)


@pytest.mark.parametrize("manners", [{}, {"shuffle_results": True}, {"failed_without_reference": True}])
def test_a_panel_may_refuse_single_records_for_a_field_that_it_lacks(manners: Mapping[str, Any]) -> None:
    with StandinPanel(lacks_fields=["local_government_unit"], unknown_field="refuse_record", **manners) as standin:
        panel = HttpWorld(standin).panel
        news = [new("K-1"), new("K-2", local_government=True), new("K-3")]
        changes = [change("K-1", local_government=False), change("K-3", city="Gdynia")]
        for outcomes, expected in (
            (panel.create(news, notify=False), [Done, Reject, Done]),
            (panel.update(changes), [Reject, Done]),
        ):
            assert [type(each) for each in outcomes] == expected
            [refused] = [each for each in outcomes if isinstance(each, Reject)]
            assert (refused.code, refused.field) == (LACKS_FIELD, "local_government")
        assert len(standin.accounts) == 2


# finding and reading


def test_all_accounts_with_a_code_are_found_and_no_others(world: World) -> None:
    first = world.register(login="a1", external_code="K-1")
    second = world.register(login="a2", external_code="K-1")
    for number, code in enumerate(["K-10", "k-1", "K", "", "K-1 "]):
        world.register(login=f"b{number}", external_code=code)
    found = world.panel.find(["K-1", "K-7"])
    assert {a.panel_client_id for a in found if a.external_code == "K-1"} == {first, second}
    assert {a.external_code for a in found} <= {"K-1", "k-1", "K-1 "}, "in another case alone"


def test_an_empty_code_finds_nothing(world: World) -> None:
    world.register(login="a1", external_code="")
    assert list(world.panel.find(["", ""])) == []
    assert list(world.panel.find([])) == []
    assert world.panel.calls() == {}


@pytest.mark.parametrize("code", ["A,B", "K 1", "K&1=2", "ŻÓŁW/7", "50%", "[K]", "a+b", "K#1", ","])
def test_a_code_with_odd_characters_is_found_and_told_from_its_parts(world: World, code: str) -> None:
    key = world.register(login="odd", external_code=code)
    for number, part in enumerate(["A", "B", "K", "50"]):
        world.register(login=f"part{number}", external_code=part)
    assert [account.panel_client_id for account in world.panel.find([code, "nobody"])] == [key]


def test_more_accounts_with_one_code_than_a_page_holds_are_all_found(world: World) -> None:
    keys = {world.register(login=f"a{n}", external_code="K-1") for n in range(130)}
    assert {account.panel_client_id for account in world.panel.find(["K-1"])} == keys


def test_long_codes_fit_into_addresses(world: World) -> None:
    codes = [f"{n:02}" + "ż" * 38 for n in range(100)]
    keys = {world.register(login=f"a{n}", external_code=code) for n, code in enumerate(codes)}
    assert {account.panel_client_id for account in world.panel.find(codes)} == keys


def test_ids_that_do_not_exist_are_left_out(world: World) -> None:
    key = world.register(login="anna")
    assert list(world.panel.read([key, "999999"])) == [key]
    assert world.panel.read([]) == {}
    assert world.panel.read(["999999"]) == {}


def test_guests_are_told_apart(world: World) -> None:
    key = world.register(login="", guest=True)
    assert world.panel.read([key])[key].guest


@pytest.mark.parametrize(
    ("field", "value"),
    [("client_type", "firm"), ("client_type", "person_female"), ("client_type", "person"), ("country_code", "DE")],
)
def test_the_panels_reading_words_are_told_in_ours(world: World, field: str, value: str) -> None:
    key = world.register(login="anna", company="Firma", **{field: value})
    assert world.panel.read([key])[key].values[field] == value


# the feed


def ids(world: World, begin: datetime, end: datetime, page: int = 0, limit: int = 100) -> list[str]:
    return [account.panel_client_id for account in world.panel.changed(Window(begin, end), page, limit).found]


def test_both_ends_of_a_window_are_included(world: World) -> None:
    key = world.register(login="anna")
    assert ids(world, NOON, NOON) == [key]
    assert ids(world, NOON - MINUTE, NOON) == [key]
    assert ids(world, NOON, NOON + MINUTE) == [key]
    assert ids(world, NOON - MINUTE, NOON - timedelta(seconds=1)) == []
    assert ids(world, NOON + timedelta(seconds=1), NOON + MINUTE) == []


def test_parts_of_a_second_lose_nothing(world: World) -> None:
    world.set_time(NOON + timedelta(milliseconds=700))
    key = world.register(login="anna")
    assert ids(world, NOON + timedelta(milliseconds=600), NOON + timedelta(milliseconds=800)) == [key]


def test_edits_on_either_side_move_an_account_into_the_feed(world: World) -> None:
    shop, ours = world.register(login="anna"), opened(world, "K-1")[0]
    world.set_time(NOON + MINUTE)
    assert ids(world, NOON + MINUTE, NOON + MINUTE) == []
    world.edit(shop, city="Gdynia")
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"city": "Gdynia"})]))
    assert sorted(ids(world, NOON + MINUTE, NOON + MINUTE)) == sorted([shop, ours])
    assert world.panel.read([shop])[shop].modified_at == NOON + MINUTE


def test_pages_are_disjoint_and_count_the_whole_search(world: World) -> None:
    keys = {world.register(login=f"a{n}") for n in range(25)}
    world.set_time(NOON + MINUTE)
    world.register(login="later")
    pages = [world.panel.changed(Window(NOON, NOON), page, 10) for page in range(3)]
    assert [(len(page.found), page.total, page.pages) for page in pages] == [(10, 25, 3), (10, 25, 3), (5, 25, 3)]
    assert {account.panel_client_id for page in pages for account in page.found} == keys


def test_an_empty_feed_is_an_empty_page(world: World) -> None:
    page = world.panel.changed(Window(NOON, NOON), 0, 100)
    assert (list(page.found), page.total, page.pages) == ([], 0, 0)
    assert world.panel.calls() == {"GET clients/clients": 1}


def test_without_a_window_all_accounts_are_listed(world: World) -> None:
    keys = [world.register(login=f"a{n}") for n in range(3)]
    world.set_time(NOON + MINUTE)
    page = world.panel.changed(None, 0, 2)
    assert (len(page.found), page.total, page.pages) == (2, 3, 2)
    rest = world.panel.changed(None, 1, 2).found
    assert {account.panel_client_id for account in (*page.found, *rest)} == set(keys)


def test_accounts_are_found_by_their_days_of_registration_both_ends_included(world: World) -> None:
    keys = []
    for day in range(4):
        world.set_time(NOON + timedelta(days=day))
        keys.append(world.register(login=f"a{day}"))
    world.edit(keys[0], city="Gdynia")
    first = NOON.date()
    for begin, end, expected in ((0, 0, keys[:1]), (1, 2, keys[1:3]), (3, 9, keys[3:]), (4, 9, [])):
        days = Days(first + timedelta(days=begin), first + timedelta(days=end))
        page = world.panel.changed(days, 0, 100)
        assert sorted(account.panel_client_id for account in page.found) == expected
        assert page.total == len(expected)
    assert world.panel.read(keys[:1])[keys[0]].registered == first


def test_a_day_of_registration_is_the_panels_own(world: World) -> None:
    world.set_time(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    key = world.register(login="anna")
    assert world.panel.read([key])[key].registered == date(2026, 7, 2)


def test_a_page_past_the_end_is_empty(world: World) -> None:
    for number in range(3):
        world.register(login=f"a{number}")
    for search in (None, Window(NOON, NOON), Days(NOON.date(), NOON.date())):
        assert list(world.panel.changed(search, 2, 2).found) == []


@pytest.mark.fault(43)
@pytest.mark.parametrize("minutes", [0, 29, 61, 89, 121])
def test_no_edit_of_the_hour_that_comes_twice_is_lost(world: World, minutes: int) -> None:
    """2026-10-25: clocks go from 03:00 back to 02:00 in Warsaw at 01:00 UTC."""
    edited = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + minutes * MINUTE
    world.set_time(edited)
    key = world.register(login="anna")
    for before in (0, 5, 35, 70, 130):
        for after in (0, 5, 35, 70, 130):
            assert key in ids(world, edited - before * MINUTE, edited + after * MINUTE)


# reads that lie


@pytest.mark.parametrize("code", ["", "K-1"])
def test_an_account_that_one_gate_does_not_show_is_found_at_another(world: World, code: str) -> None:
    keys = [world.register(login="anna", external_code=code), world.register(login="berta", external_code="K-2")]
    known = [KnownAccount(keys[0], "anna", code), KnownAccount(keys[1], "berta", "K-2"), KnownAccount("99", "x", "K-9")]
    assert world.panel.seek(known) == set(keys)
    world.show_nobody_at_one_gate()
    assert world.panel.read(keys) == {}
    assert list(world.panel.find(["K-1", "K-2"])) == []
    assert world.panel.seek(known) == set(keys)


def test_a_panel_that_shows_nobody_at_any_gate_shows_nobody(world: World) -> None:
    key = world.register(login="anna", external_code="K-1")
    world.go_blind()
    assert world.panel.seek([KnownAccount(key, "anna", "K-1")]) == frozenset()
    assert world.panel.changed(None, 0, 100).total == 0


def test_seeking_nobody_makes_no_call(world: World) -> None:
    assert world.panel.seek([]) == frozenset()
    assert world.panel.calls() == {}


def test_a_panel_is_not_empty_because_one_gate_says_so(world: World) -> None:
    assert world.panel.changed(None, 0, 100).total == 0
    world.register(login="anna")
    world.show_nobody_at_one_gate()
    with pytest.raises(Retry) as refusal:
        world.panel.changed(None, 0, 100)
    assert refusal.value.code == "broken_answer"


def test_a_filter_that_is_ignored_halts(world: World) -> None:
    key = world.register(login="anna", external_code="K-1")
    world.set_time(NOON + MINUTE)
    other = world.register(login="berta", external_code="K-2")
    world.add_address(other, **HOME)
    world.ignore_filters()
    searches: list[Callable[[], object]] = [
        lambda: world.panel.read([key]),
        lambda: world.panel.find(["K-1"]),
        lambda: world.panel.changed(Window(NOON, NOON), 0, 100),
        lambda: world.panel.addresses([key]),
    ]
    for search in searches:
        with pytest.raises(Halt) as halt:
            search()
        assert halt.value.code == "panel_query"
    assert world.panel.changed(None, 0, 100).total == 2, "without a filter everything is what was asked for"


def test_who_has_no_address_may_be_left_out_of_a_good_answer(world: World) -> None:
    first, second = world.register(login="anna"), world.register(login="berta")
    number = world.add_address(second, **HOME)
    world.leave_out_who_has_no_address()
    found = world.panel.addresses([first, second])
    assert found.keys() == {first, second}
    assert found[first] is None
    assert [each.panel_address_id for each in found[second] or ()] == [number]
    world.remove_address(second, number)
    assert world.panel.addresses([first, second]) == {first: None, second: None}


@pytest.mark.parametrize("hollow", ["object", "null", "map", "counted"])
def test_an_answer_that_tells_nothing_is_asked_for_again(hollow: str) -> None:
    with StandinPanel(hollow_answers=hollow, hollow_gates=["GET *", "POST clients/crm/search"]) as standin:
        world = HttpWorld(standin)
        key = world.register(login="anna", external_code="K,1")
        searches: list[Callable[[], object]] = [
            lambda: world.panel.read([key]),
            lambda: world.panel.find(["K-1"]),
            lambda: world.panel.find(["K,1"]),
            lambda: world.panel.seek([KnownAccount(key, "anna", "")]),
            lambda: world.panel.changed(None, 0, 100),
            lambda: world.panel.changed(Window(NOON, NOON), 0, 100),
            lambda: world.panel.addresses([key]),
            lambda: world.panel.groups(0, 100),
            world.panel.now,
        ]
        for search in searches[:-1] if hollow != "object" else searches:
            with pytest.raises(Retry) as refusal:
                search()
            assert refusal.value.code == "broken_answer"


def test_flat_elements_are_noticed_at_the_first_page_and_edits_are_seen() -> None:
    with StandinPanel() as standin:
        world = HttpWorld(standin)
        key = world.register(login="anna", nip="5260001246")
        standin.settings.change(flat_elements=True)
        values = world.panel.changed(None, 0, 100).found[0].values
        assert (values["nip"], values["street"]) == ("5260001246", PERSON["street"])
        world.edit(key, street="Nowa 5")
        assert world.panel.read([key])[key].values["street"] == "Nowa 5"
        asked = ["returnElements" in call["query"] for call in standin.requests("GET clients/clients")]
        assert asked == [True, False, False]


# pages that move, accounts without a date, a panel that was restored


def registered(world: World, number: int) -> list[str]:
    """Register so many accounts, one a second from noon on; return their ids, the oldest first."""
    keys = []
    for n in range(number):
        world.set_time(NOON + timedelta(seconds=n))
        keys.append(world.register(login=f"a{n:02}"))
    world.set_time(NOON + 5 * MINUTE)
    return keys


def test_accounts_may_be_listed_by_their_dates(world: World) -> None:
    keys = registered(world, 5)
    world.list_newest_first()
    pages = [ids(world, NOON, NOON + MINUTE, page, 2) for page in range(3)]
    assert [*pages[0], *pages[1], *pages[2]] == keys[::-1]


@pytest.mark.parametrize("number", [1, 7, 10])
def test_who_is_edited_between_pages_leaves_the_window_and_others_move_up(world: World, number: int) -> None:
    keys = registered(world, 25)
    world.edit_between_pages(number)
    window = Window(NOON, NOON + MINUTE)
    first = world.panel.changed(window, 0, 10)
    second = world.panel.changed(window, 1, 10)
    assert (first.total, second.total) == (25, 25 - number)
    shown = [account.panel_client_id for account in first.found]
    edited = [account for account in world.panel.read(keys).values() if str(account.values["street"]).startswith("N")]
    assert set(shown[:number]) < {account.panel_client_id for account in edited}
    assert len(edited) == number + min(number, len(second.found)), "those of the second page since"
    moved_up = set(keys) - set(shown) - {account.panel_client_id for account in second.found}
    assert len(moved_up) >= number, "on no page of this reading"
    assert {account.modified_at for account in edited} == {NOON + 5 * MINUTE}


def test_nobody_is_edited_where_a_search_has_one_page_or_is_not_by_date(world: World) -> None:
    keys = registered(world, 12)
    world.edit_between_pages(3)
    days = Days(NOON.date(), NOON.date())
    searches: list[Callable[[], object]] = [
        lambda: world.panel.changed(Window(NOON, NOON + MINUTE), 0, 12),
        lambda: world.panel.changed(None, 0, 5),
        lambda: world.panel.changed(days, 0, 5),
        lambda: world.panel.read(keys),
    ]
    for search in searches:
        search()
    assert len(ids(world, NOON, NOON + MINUTE)) == 12


def test_an_account_may_have_no_date_until_its_first_edit(world: World) -> None:
    world.date_nobody_before_an_edit()
    shop, ours = world.register(login="anna"), opened(world, "K-1")[0]
    assert [account.modified_at for account in world.panel.read([shop, ours]).values()] == [None, None]
    assert ids(world, NOON - MINUTE, NOON + MINUTE) == []
    for search in (None, Days(NOON.date(), NOON.date())):
        assert {account.panel_client_id for account in world.panel.changed(search, 0, 10).found} == {shop, ours}
    world.set_time(NOON + MINUTE)
    world.edit(shop, city="Gdynia")
    assert ids(world, NOON, NOON + MINUTE) == [shop]
    assert world.panel.read([shop])[shop].modified_at == NOON + MINUTE


@pytest.mark.parametrize("shown", ["zeros", "empty", "null", "absent"])
@pytest.mark.parametrize("manners", [{}, {"flat_elements": True}, {"numbers_as_text": True, "php_empties": True}])
def test_no_date_may_be_shown_in_several_ways(shown: str, manners: Mapping[str, Any]) -> None:
    with StandinPanel(date_before_edit=shown, **manners) as standin:
        world = HttpWorld(standin)
        test_an_account_may_have_no_date_until_its_first_edit(world)


def test_a_restored_panel_shows_what_it_once_held_and_gives_numbers_again(world: World) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    world.back_up()
    world.set_time(NOON + MINUTE)
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"street": "Nowa 7", "active": False})]))
    world.edit_address(key, number, city="Radom")
    later, added = opened(world, "K-2")[0], world.add_address(key, **HOME)
    world.set_time(NOON + 2 * MINUTE)
    for _ in range(2):  # it can be put back again
        world.restore()
        account = world.panel.read([key])[key]
        assert (account.values["street"], account.modified_at) == (PERSON["street"], NOON)
        assert world.is_active(key)
        assert (list(world.panel.find(["K-2"])), world.panel.read([later])) == ([], {})
        assert world.kept(key) == {number: HOME}
        assert ids(world, NOON + MINUTE, NOON + 2 * MINUTE) == []
        assert world.register(login="berta") == later
        assert world.add_address(key, **HOME) == added
        world.edit(key, street="Inna 1")


# the key


def test_a_refused_key_halts_everything(world: World) -> None:
    world.reject_key()
    with pytest.raises(Halt):
        world.panel.now()
    with pytest.raises(Halt):
        world.panel.changed(None, 0, 1)
    with pytest.raises(Halt):
        world.panel.create([new("K-1")], notify=False)
    assert world.count() == 0
    assert sum(world.panel.calls().values()) == 3


# the shops, and whether an account is active


def test_the_panels_shops_are_told_by_their_ids(world: World) -> None:
    assert world.panel.shops().keys() == {1, 2, 3}
    assert world.panel.calls() == {"GET system/shopsData": 1}


def test_a_key_that_may_not_ask_for_the_shops_halts(world: World) -> None:
    world.forbid_shops()
    with pytest.raises(Halt) as halt:
        world.panel.shops()
    assert halt.value.code == "panel_right"


def test_an_account_is_opened_in_its_shops(world: World) -> None:
    outcomes = world.panel.create([new("K-1", shops=(1, 3)), new("K-2", shops=(2,))], notify=False)
    keys = [each.panel_client_id for each in done(outcomes)]
    assert [world.panel.read(keys)[key].values["shops"] for key in keys] == [(1, 3), (2,)]


def test_an_account_of_no_shop_or_of_an_unknown_one_is_not_opened(world: World) -> None:
    news = [new("K-1", shops=()), new("K-2", shops=(1, 9)), new("K-3", shops=(1,)), new("K-4", shops=None)]
    outcomes = world.panel.create(news, notify=False)
    assert [getattr(each, "code", "done") for each in outcomes] == [
        "no_shop.by_panel",
        "bad_shop",
        "done",
        "no_shop.by_panel",
    ]
    assert world.count() == 1


def test_the_shops_of_an_account_are_replaced_by_the_list_given(world: World) -> None:
    [key] = opened(world, "K-1")
    world.assign_shops(key, 3, 1)
    assert world.panel.read([key])[key].values["shops"] == (1, 3)
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"shops": (2, 3)})]))
    assert world.panel.read([key])[key].values["shops"] == (2, 3)
    [outcome] = world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"shops": (2, 9), "city": "Gdynia"})])
    assert isinstance(outcome, Reject)
    assert outcome.code == "bad_shop"
    values = world.panel.read([key])[key].values
    assert (values["shops"], values["city"]) == ((2, 3), "Łódź")


@pytest.mark.parametrize("empty", [(), None, ""])
def test_an_empty_list_of_shops_is_never_sent(world: World, empty: Value) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"shops": empty, "city": "Gdynia"})]))
    values = world.panel.read([key])[key].values
    assert (values["shops"], values["city"]) == ((1,), "Gdynia")


def test_an_account_of_no_shop_shows_none(world: World) -> None:
    key = world.register(login="anna", shops=())
    assert world.panel.read([key])[key].values["shops"] == ()


def test_an_account_is_closed_and_opened_again_without_a_sign(world: World) -> None:
    first, second = opened(world, "K-1", "K-2")
    before = world.panel.read([first])[first].values
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"active": False})]))
    assert (world.is_active(first), world.is_active(second)) == (False, True)
    assert world.panel.read([first])[first].values == before
    assert "active" not in before
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"city": "Gdynia"})]))
    assert not world.is_active(first)
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"active": True})]))
    assert world.is_active(first)
    assert world.notified() == 0


def test_the_panel_erases_an_account_and_closes_it(world: World) -> None:
    [first, second] = opened(world, "K-1", "K-2")
    world.panel.erase(first)
    world.panel.erase(first)
    assert (world.is_active(first), world.is_active(second)) == (False, True)
    assert set(world.panel.closed_among([first, second])) == {first}
    shown = world.panel.read([first, second])
    assert shown[second].values["street"] == PERSON["street"]
    assert not shown[first].values.get("street")
    with pytest.raises(Reject):
        world.panel.erase("999999")


def test_a_flag_that_is_not_set_is_left_alone(world: World) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"active": None, "wholesaler": None})]))
    assert world.is_active(key)
    assert world.panel.read([key])[key].values["wholesaler"] is True


def test_which_accounts_are_closed_is_told_by_a_filter(world: World) -> None:
    keys = opened(world, "K-1", "K-2", "K-3")
    assert set(world.panel.closed_among(keys)) == set()
    done(world.panel.update([AccountUpdate(code, f"b2b-{code.lower()}", {"active": False}) for code in ("K-1", "K-3")]))
    assert set(world.panel.closed_among(keys)) == {keys[0], keys[2]}
    assert set(world.panel.closed_among(keys[:1])) == {keys[0]}
    assert set(world.panel.closed_among(keys[1:2])) == set()
    assert set(world.panel.closed_among(["999999"])) == set()
    assert set(world.panel.closed_among([])) == set()


def test_which_accounts_of_a_window_are_closed_is_told_by_two_filters(world: World) -> None:
    keys = opened(world, "K-1", "K-2", "K-3")
    dates = [account.modified_at for account in world.panel.read(keys).values()]
    begin = min(date for date in dates if date)
    window = Window(begin, world.panel.now() + timedelta(minutes=1))
    assert set(world.panel.closed_in(window) or ()) == set()
    done(world.panel.update([AccountUpdate(code, f"b2b-{code.lower()}", {"active": False}) for code in ("K-1", "K-3")]))
    assert set(world.panel.closed_in(window) or ()) == {keys[0], keys[2]}
    long_ago = Window(begin - timedelta(days=2), begin - timedelta(days=1))
    assert set(world.panel.closed_in(long_ago) or ()) == set()


@pytest.mark.parametrize("ignored", ["clientsLastModificationDate", "clientIsActive"])
def test_a_panel_that_ignores_one_of_them_halts_nobody_and_none_is_believed(ignored: str) -> None:
    with StandinPanel(ignored_filters=[ignored]) as standin:
        world = HttpWorld(standin)
        keys = opened(world, "K-1", "K-2")
        now = world.panel.now()
        told = world.panel.closed_in(Window(now - timedelta(minutes=5), now + timedelta(minutes=5)))
        assert set(world.panel.closed_among([key for key in keys if told is None or key in told])) == set()


def test_a_panel_that_ignores_that_filter_calls_nobody_closed() -> None:
    with StandinPanel(ignored_filters=["clientIsActive"]) as standin:
        world = HttpWorld(standin)
        keys = opened(world, "K-1", "K-2")
        done(world.panel.update([AccountUpdate("K-1", "b2b-k-1", {"active": False})]))
        assert set(world.panel.closed_among(keys)) == set()
        assert set(world.panel.closed_among(keys[:1])) == set()


def test_an_account_is_active_from_its_opening(world: World) -> None:
    [outcome] = done(world.panel.create([new("K-1", active=False)], notify=False))
    assert world.is_active(outcome.panel_client_id)


# delivery addresses


def address(client_id: str, address_id: str = "", shops: tuple[int, ...] = (1,), **values: Value) -> AddressWrite:
    """The write of one address of the customer whom ``opened`` opened; a new one has all its lines."""
    lines = values if address_id else {**HOME, **values}
    return AddressWrite(client_id, f"b2b-{client_id.lower()}", address_id, lines, shops)


def lines_of(world: World, key: str) -> list[Values]:
    """What the port shows of an account's addresses, oldest first."""
    found = world.panel.addresses([key])[key] or ()
    return [each.values for each in sorted(found, key=lambda each: int(each.panel_address_id))]


def unwritten(outcomes: Sequence[Outcome]) -> list[bool]:
    return [not isinstance(each, Done) for each in outcomes]


def test_an_added_address_is_shown_as_it_was_written(world: World) -> None:
    [key] = opened(world, "K-1")
    [outcome] = done(world.panel.add_addresses([address("K-1")]))
    [shown] = world.panel.addresses([key])[key]
    assert shown.panel_address_id == outcome.item_id != ""
    assert shown.values == HOME
    assert list(world.kept(key)) == [outcome.item_id]
    assert world.notified() == 0


def test_empty_lines_of_a_new_address_are_left_to_the_panel(world: World) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.add_addresses([address("K-1", phone="", additional=None, country_code="")]))
    assert lines_of(world, key) == [{**HOME, "phone": "", "additional": "", "country_code": "PL"}]


def test_a_country_is_shown_by_its_code(world: World) -> None:
    [key] = opened(world, "K-1")
    done(world.panel.add_addresses([address("K-1", country_code="de", zip_code="10115")]))
    assert [each["country_code"] for each in lines_of(world, key)] == ["DE"]


def test_addresses_of_several_customers_are_added_in_one_call_and_told_in_order(world: World) -> None:
    first, second = opened(world, "K-1", "K-2")
    cities = ["Łódź", "Radom", "Gdynia"]
    writes = [address(k, city=city) for k, city in zip(["K-1", "K-2", "K-1"], cities, strict=True)]
    ids = [each.item_id for each in done(world.panel.add_addresses(writes))]
    assert len(set(ids)) == 3
    kept = {**world.kept(first), **world.kept(second)}
    assert [kept[number]["city"] for number in ids] == cities
    found = world.panel.addresses([second, first])
    assert {key: {each.panel_address_id for each in shown} for key, shown in found.items()} == {
        first: {ids[0], ids[2]},
        second: {ids[1]},
    }
    calls = world.panel.calls()
    assert (calls["POST clients/deliveryAddress"], calls["GET clients/deliveryAddress"]) == (1, 1)


def test_customers_without_addresses_have_none_and_unknown_ones_are_left_out(world: World) -> None:
    first, second = world.register(login="anna"), world.register(login="berta")
    world.add_address(second, **HOME)
    found = world.panel.addresses([first, second, "999999"])
    assert {key: len(shown or ()) for key, shown in found.items() if key != "999999"} == {first: 0, second: 1}
    assert not found.get("999999")
    assert not world.panel.addresses(["999999"]).get("999999")


def test_addresses_of_nobody_cost_no_call(world: World) -> None:
    assert world.panel.addresses([]) == {}
    assert list(world.panel.add_addresses([])) == []
    assert list(world.panel.update_addresses([])) == []
    assert list(world.panel.delete_addresses([])) == []
    assert world.panel.calls() == {}


def test_a_guests_addresses_are_shown(world: World) -> None:
    key = world.register(login="", guest=True)
    number = world.add_address(key, **HOME)
    assert [each.panel_address_id for each in world.panel.addresses([key])[key]] == [number]


def test_the_addresses_of_a_hundred_and_twenty_customers_are_all_shown(world: World) -> None:
    keys = [world.register(login=f"a{n}") for n in range(120)]
    ids = {key: world.add_address(key, **{**HOME, "street": f"Polna {n}"}) for n, key in enumerate(keys) if n % 3}
    found = world.panel.addresses(keys)
    assert found.keys() == set(keys)
    assert {key: shown[0].panel_address_id for key, shown in found.items() if shown} == ids
    assert [found[key][0].values["street"] for key in keys[:3] if found[key]] == ["Polna 1", "Polna 2"]


def test_a_hundred_addresses_are_written_in_one_call_each_way(world: World) -> None:
    codes = [f"K-{n}" for n in range(100)]
    keys = opened(world, *codes)
    ids = [each.item_id for each in done(world.panel.add_addresses([address(code) for code in codes]))]
    written = [address(code, number, city=f"Miasto {number}") for code, number in zip(codes, ids, strict=True)]
    done(world.panel.update_addresses(written))
    assert [lines_of(world, key)[0]["city"] for key in keys[::33]] == [f"Miasto {number}" for number in ids[::33]]
    done(world.panel.delete_addresses([address(code, number) for code, number in zip(codes, ids, strict=True)]))
    assert not any(world.kept(key) for key in keys)
    calls = world.panel.calls()
    assert calls["POST clients/deliveryAddress"] == calls["PUT clients/deliveryAddress"] == 1
    assert calls["POST clients/deliveryAddress/delete"] == 1


def test_what_the_customer_does_with_his_addresses_is_seen(world: World) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    other = world.add_address(key, **{**HOME, "city": "Radom"})
    world.edit_address(key, number, city="Gdynia")
    assert [each["city"] for each in lines_of(world, key)] == ["Gdynia", "Radom"]
    world.remove_address(key, number)
    assert [each.panel_address_id for each in world.panel.addresses([key])[key]] == [other]


def test_a_change_of_an_address_leaves_its_other_lines_and_its_neighbours_alone(world: World) -> None:
    [key] = opened(world, "K-1")
    first, second = world.add_address(key, **HOME), world.add_address(key, **HOME)
    change = address("K-1", second, street="Długa 5", phone="", additional=None)
    [outcome] = done(world.panel.update_addresses([change]))
    assert outcome.item_id in ("", second)
    assert world.kept(key)[first] == HOME
    assert world.kept(key)[second] == {**HOME, "street": "Długa 5", "phone": "", "additional": ""}
    assert world.notified() == 0


def test_the_same_address_added_twice_is_there_twice(world: World) -> None:
    [key] = opened(world, "K-1")
    ids = {each.item_id for each in done(world.panel.add_addresses([address("K-1"), address("K-1")]))}
    assert set(world.kept(key)) == ids
    assert len(ids) == 2


def test_a_refused_address_does_not_hold_up_its_neighbours(world: World) -> None:
    keys = opened(world, "K-1", "K-2", "K-3")
    ids = [world.add_address(key, **HOME) for key in keys]
    world.refuse("K-2")
    codes = ["K-1", "K-2", "K-3"]
    added = world.panel.add_addresses([address(code, city="Radom") for code in codes])
    changes = [address(code, number, city="Gdynia") for code, number in zip(codes, ids, strict=True)]
    changed = world.panel.update_addresses(changes)
    assert [len(world.kept(key)) for key in keys] == [2, 1, 2]
    cities = [world.kept(key)[number]["city"] for key, number in zip(keys, ids, strict=True)]
    assert cities == ["Gdynia", "Łódź", "Gdynia"]
    deleted = world.panel.delete_addresses([address(code, number) for code, number in zip(codes, ids, strict=True)])
    assert [len(world.kept(key)) for key in keys] == [1, 1, 1]
    for outcomes in (added, changed, deleted):
        assert [type(each) for each in outcomes] == [Done, Reject, Done]
        assert outcomes[1].facts == {"panel": "20: zły kod"}  # type: ignore[union-attr]
        assert "zły kod" not in str(outcomes[1])


def test_a_call_for_addresses_refused_as_a_whole_has_done_nothing_and_can_be_split(world: World) -> None:
    keys = opened(world, "K-1", "K-2")
    ids = [world.add_address(key, **HOME) for key in keys]
    world.refuse_whole("K-2")
    works = [
        (world.panel.add_addresses, [address(code) for code in ("K-1", "K-2")]),
        (world.panel.update_addresses, [address(f"K-{n + 1}", ids[n], city="Radom") for n in (0, 1)]),
        (world.panel.delete_addresses, [address(f"K-{n + 1}", ids[n]) for n in (0, 1)]),
    ]
    for work, writes in works:
        before = [world.kept(key) for key in keys]
        with pytest.raises(Reject) as refusal:
            work(writes)
        assert refusal.value.code == "refused_whole"
        assert [world.kept(key) for key in keys] == before
        [alone] = work(writes[1:])
        assert isinstance(alone, Reject)
        assert alone.code == "refused"
        done(work(writes[:1]))


def test_an_address_that_our_own_check_refuses_is_not_sent(world: World) -> None:
    [key] = opened(world, "K-1")
    bad, good = address("K-1", street="Polna\x00 1"), address("K-1")
    first, second, third = world.panel.add_addresses([bad, good, address("K-1", country_code="Polska")])
    done([second])
    assert isinstance(first, Reject)
    assert isinstance(third, Reject)
    assert (first.code, first.field) == ("unprintable", "street")
    assert (third.code, third.field) == ("bad_code", "country_code")
    assert len(world.kept(key)) == 1
    calls = dict(world.panel.calls())
    assert unwritten(world.panel.add_addresses([good, bad])) == [False, True]
    assert world.panel.calls()["POST clients/deliveryAddress"] == calls["POST clients/deliveryAddress"] + 1


def test_an_address_in_use_stays_and_its_neighbours_go(world: World) -> None:
    [key] = opened(world, "K-1")
    ids = [world.add_address(key, **HOME) for _ in range(3)]
    world.use_address(key, ids[1])
    first, second, third = world.panel.delete_addresses([address("K-1", number) for number in ids])
    done([first, third])
    assert isinstance(second, Reject)
    assert second.code == "refused"
    assert list(world.kept(key)) == [ids[1]]
    done(world.panel.update_addresses([address("K-1", ids[1], city="Radom")]))


def test_addresses_that_are_not_there_or_anothers_are_refused(world: World) -> None:
    mine, his = opened(world, "K-1", "K-2")
    number = world.add_address(his, **HOME)
    own = world.add_address(mine, **HOME)
    writes = [address("K-1", number, city="x"), address("K-1", "999999", city="x"), address("K-7", own, city="x")]
    for work in (world.panel.update_addresses, world.panel.delete_addresses):
        assert [type(each) for each in work(writes)] == [Reject] * 3
        assert [getattr(each, "code", "") for each in work(writes)] == ["refused"] * 3
    assert world.kept(his)[number] == world.kept(mine)[own] == HOME
    assert unwritten(world.panel.add_addresses([address("K-7"), address("K-1")])) == [True, False]
    done(world.panel.delete_addresses([address("K-1", own)]))
    assert unwritten(world.panel.delete_addresses([address("K-1", own)])) == [True]


@pytest.mark.parametrize("shops", [(), (9,), (1, 9)])
def test_an_address_wants_known_shops_of_its_customer(world: World, shops: tuple[int, ...]) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    outcomes = [
        *world.panel.add_addresses([address("K-1", shops=shops)]),
        *world.panel.update_addresses([address("K-1", number, shops, city="Radom")]),
    ]
    assert [getattr(each, "code", "") for each in outcomes] == ["refused"] * 2
    assert world.kept(key) == {number: HOME}
    done(world.panel.delete_addresses([address("K-1", number, shops)]))


def test_a_lost_reply_of_an_added_address_is_no_success_and_the_call_is_not_repeated(world: World) -> None:
    [key] = opened(world, "K-1")
    world.lose_reply_of_address()
    with pytest.raises(Retry):
        world.panel.add_addresses([address("K-1")])
    assert len(world.kept(key)) == 1
    assert world.panel.calls()["POST clients/deliveryAddress"] == 1


def test_a_lost_reply_of_a_change_is_repeated_or_no_success(world: World) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    world.lose_reply_of_address()
    with contextlib.suppress(Retry):
        done(world.panel.update_addresses([address("K-1", number, city="Radom")]))
    assert world.kept(key) == {number: {**HOME, "city": "Radom"}}


def test_a_lost_reply_of_a_deletion_is_no_success(world: World) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    world.lose_reply_of_address()
    with pytest.raises(Retry):
        world.panel.delete_addresses([address("K-1", number)])
    assert world.kept(key) == {}


def test_an_address_without_a_result_is_to_be_tried_again(world: World) -> None:
    keys = opened(world, "K-1", "K-2")
    world.lose_result("K-2")
    outcomes = world.panel.add_addresses([address("K-1"), address("K-2")])
    assert isinstance(outcomes[1], Retry)
    assert outcomes[1].code == "missing_result"
    assert [len(world.kept(key)) for key in keys] == [1, 1]
    for each, key in zip(outcomes, keys, strict=True):
        assert not isinstance(each, Done) or each.item_id in world.kept(key)


@pytest.mark.parametrize("work", ["update_addresses", "delete_addresses"])
def test_a_changed_address_without_a_result_is_to_be_tried_again(world: World, work: str) -> None:
    keys = opened(world, "K-1", "K-2")
    ids = [world.add_address(key, **HOME) for key in keys]
    world.lose_result("K-2")
    writes = [address(code, number, city="Radom") for code, number in zip(["K-1", "K-2"], ids, strict=True)]
    first, second = getattr(world.panel, work)(writes)
    done([first])
    assert isinstance(second, Retry)
    assert second.code == "missing_result"


@pytest.mark.parametrize("moves", [False, True])
def test_whether_an_address_moves_its_customers_date_is_the_panels_business(world: World, moves: bool) -> None:
    if moves:
        world.let_address_edits_move_dates()
    [key] = opened(world, "K-1")
    works: list[Callable[[], object]] = [
        lambda: world.panel.add_addresses([address("K-1")]),
        lambda: world.panel.update_addresses([address("K-1", next(iter(world.kept(key))), city="Radom")]),
        lambda: world.edit_address(key, next(iter(world.kept(key))), city="Gdynia"),
        lambda: world.panel.delete_addresses([address("K-1", next(iter(world.kept(key))))]),
    ]
    for minute, work in enumerate(works, 1):
        world.set_time(NOON + minute * MINUTE)
        work()
        assert world.panel.read([key])[key].modified_at == (NOON + minute * MINUTE if moves else NOON)


def test_a_refused_key_halts_the_calls_for_shops_and_addresses_too(world: World) -> None:
    [key] = opened(world, "K-1")
    number = world.add_address(key, **HOME)
    world.reject_key()
    for call in (
        world.panel.shops,
        lambda: world.panel.addresses([key]),
        lambda: world.panel.add_addresses([address("K-1")]),
        lambda: world.panel.update_addresses([address("K-1", number, city="x")]),
        lambda: world.panel.delete_addresses([address("K-1", number)]),
    ):
        with pytest.raises(Halt):
            call()
    assert world.kept(key) == {number: HOME}
    assert sum(world.panel.calls().values()) == 6


# --- everything that is wrong with a record


def wrong(world: World, **values: tuple[str, str]) -> dict[str, Value]:
    """Return values that the panel refuses, each with its code: the stand-in knows them, the fake is told."""
    if isinstance(world.panel, FakePanel):
        for name, (value, code) in values.items():
            world.panel.refuse_value(name, value, code)
    return {name: value for name, (value, _) in values.items()}


def told(outcome: Outcome) -> set[tuple[str, str]]:
    assert isinstance(outcome, Reject)
    return {(each.code, each.field) for each in (outcome, *outcome.also)}


def test_all_that_is_wrong_with_an_account_is_told_by_one_answer(world: World) -> None:
    phone, postcode, email = (
        ("600 700 800 wew. 7", "bad_phone"),
        ("9-0", "bad_postcode"),
        ("a@b..pl", "bad_email.by_panel"),
    )
    bad = wrong(world, phone=phone, zip_code=postcode, email=email)
    refused, taken = world.panel.create([new("K-1", **bad), new("K-2")], notify=False)
    done([taken])
    assert told(refused) == {("bad_phone", "phone"), ("bad_postcode", "zip_code"), ("bad_email.by_panel", "email")}


def test_all_that_is_wrong_with_an_edit_is_told_by_one_answer_and_nothing_of_it_is_taken(world: World) -> None:
    opened(world, "K-1")
    account = world.panel.find(["K-1"])[0]
    bad = wrong(world, phone=("wew. 7", "bad_phone"), zip_code=("9-0", "bad_postcode"))
    [refused] = world.panel.update([AccountUpdate("K-1", account.login, {**bad, "first_name": "Anna"})])
    assert told(refused) == {("bad_phone", "phone"), ("bad_postcode", "zip_code")}
    [again] = world.panel.update([AccountUpdate("K-1", account.login, {"first_name": "Anna"})])
    done([again])
    assert world.panel.find(["K-1"])[0].values["first_name"] == "Anna"
