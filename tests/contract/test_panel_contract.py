"""What every Panel does: the one in memory, and the real adapter over HTTP against the stand-in panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from kartoteka.adapters.pace import Pace
from kartoteka.adapters.panel import HttpPanel
from kartoteka.adapters.panel_http import HttpSettings, PanelHttp
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import AccountUpdate, NewAccount, Value, Window
from kartoteka.ports import Done, Outcome, Panel
from local.panel import StandinPanel
from tests.fakes.panel import FakePanel
from tests.fakes.state import FakeState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PERSON: dict[str, Value] = {
    "email": "jan.kowalski@example.pl",
    "first_name": "Jan",
    "last_name": "Kowalski",
    "street": "Długa 5/7",
    "zip_code": "00-950",
    "city": "Łódź",
    "country_code": "PL",
    "phone": "+48 600 700 800",
    "client_type": "person_male",
    "language": "pol",
    "currency": "PLN",
    "wholesaler": True,
}


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
    def lose_result(self, client_id: str) -> None: ...
    def fail_create(self) -> None: ...
    def reject_key(self) -> None: ...
    def notified(self) -> int: ...
    def count(self) -> int: ...


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
        self.panel.refuse(client_id, Reject("bad_postcode", "Panel (20): zły kod", field="zip_code"))

    def refuse_whole(self, client_id: str) -> None:
        self.panel.refuse_whole(client_id)

    def lose_reply_of_create(self) -> None:
        self.panel.lose_reply()

    def lose_result(self, client_id: str) -> None:
        self.panel.lose_result(client_id)

    def fail_create(self) -> None:
        self.panel.fail(Retry("panel_5xx"))

    def reject_key(self) -> None:
        self.panel.halt()

    def notified(self) -> int:
        return len(self.panel.notified)

    def count(self) -> int:
        return len(self.panel.accounts)


class HttpWorld:
    """The real adapter on a socket, the stand-in behind it."""

    def __init__(self, standin: StandinPanel) -> None:
        self.standin = standin
        standin.clock.set(NOON)
        pace = Pace(FakeState(), rate=10_000)
        self.panel = HttpPanel(PanelHttp(standin.url, standin.key, pace, HttpSettings(first_pause=0)))

    def register(self, **plain: Any) -> str:
        return str(self.standin.seed(**{**PERSON, **plain}).id)

    def edit(self, key: str, **values: Value) -> None:
        self.standin.edit(int(key), **values)

    def set_time(self, moment: datetime) -> None:
        self.standin.clock.set(moment)

    def refuse(self, client_id: str) -> None:
        match = {"external_code": client_id}
        self.standin.misbehave("record", "P* clients/clients", match=match, code=20, text="zły kod", times=None)

    def refuse_whole(self, client_id: str) -> None:
        self.standin.misbehave("422", "P* clients/clients", match={"external_code": client_id}, times=None)

    def lose_reply_of_create(self) -> None:
        self.standin.misbehave("reset", "POST clients/clients", when="after")

    def lose_result(self, client_id: str) -> None:
        self.standin.misbehave("missing_result", "P* clients/clients")

    def fail_create(self) -> None:
        self.standin.misbehave("5xx", "POST clients/clients", status=503)

    def reject_key(self) -> None:
        self.standin.misbehave("401", times=None)

    def notified(self) -> int:
        return self.standin.mails_sent + self.standin.texts_sent

    def count(self) -> int:
        return len(self.standin.accounts)


MANNERS: Mapping[str, Mapping[str, Any]] = {
    "http": {},
    "http-quiet-200": {"empty_search_status": 200, "partial_status": 200},
    "http-bare-207": {"empty_search_paging": False},
    "http-shuffled": {"shuffle_results": True},
    "http-nameless": {"failed_without_reference": True},
    "http-shuffled-nameless": {"shuffle_results": True, "failed_without_reference": True},
    "http-php": {"numbers_as_text": True, "php_empties": True},
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
        assert not standin.unknown_fields


def new(client_id: str, **values: Value) -> NewAccount:
    return NewAccount(client_id, f"b2b-{client_id.lower()}", "Secret-123456", {**PERSON, **values}, (1,))


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
    assert "zły kod" in second.message
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


# finding and reading


def test_all_accounts_with_a_code_are_found_and_no_others(world: World) -> None:
    first = world.register(login="a1", external_code="K-1")
    second = world.register(login="a2", external_code="K-1")
    for number, code in enumerate(["K-10", "k-1", "K", "", "K-1 "]):
        world.register(login=f"b{number}", external_code=code)
    assert {account.panel_client_id for account in world.panel.find(["K-1", "K-7"])} == {first, second}


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
    return [account.panel_client_id for account in world.panel.changed(Window(begin, end), page, limit).accounts]


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
    assert [(len(page.accounts), page.total, page.pages) for page in pages] == [(10, 25, 3), (10, 25, 3), (5, 25, 3)]
    assert {account.panel_client_id for page in pages for account in page.accounts} == keys


def test_an_empty_feed_is_an_empty_page(world: World) -> None:
    page = world.panel.changed(Window(NOON, NOON), 0, 100)
    assert (list(page.accounts), page.total, page.pages) == ([], 0, 0)
    assert world.panel.calls() == {"GET clients/clients": 1}


def test_without_a_window_all_accounts_are_listed(world: World) -> None:
    keys = [world.register(login=f"a{n}") for n in range(3)]
    world.set_time(NOON + MINUTE)
    page = world.panel.changed(None, 0, 2)
    assert (len(page.accounts), page.total, page.pages) == (2, 3, 2)
    rest = world.panel.changed(None, 1, 2).accounts
    assert {account.panel_client_id for account in (*page.accounts, *rest)} == set(keys)


@pytest.mark.parametrize("minutes", [0, 29, 61, 89, 121])
def test_no_edit_of_the_hour_that_comes_twice_is_lost(world: World, minutes: int) -> None:
    """2026-10-25: clocks go from 03:00 back to 02:00 in Warsaw at 01:00 UTC."""
    edited = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + minutes * MINUTE
    world.set_time(edited)
    key = world.register(login="anna")
    for before in (0, 5, 35, 70, 130):
        for after in (0, 5, 35, 70, 130):
            assert key in ids(world, edited - before * MINUTE, edited + after * MINUTE)


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
