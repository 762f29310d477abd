"""What every Panel does of discount groups, their prices and trade credit: the one in memory, and the real adapter."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import pytest

from kartoteka.adapters.aws.rate import RateLimit
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import Done, Outcome, Value
from kartoteka.ports.exchange import PriceKey, SentPrice
from kartoteka.ports.panel import AccountUpdate, NewAccount, Panel
from local.panel import StandinPanel
from tests.fakes.panel import FakePanel
from tests.fakes.state import FakeState
from tests.fixtures.people import PERSON

KINDS = ("product", "producer", "series", "category", "menu_item")
GROUPS = "discounts/groups"
Prices = Mapping[PriceKey, tuple[Decimal, str]]


class World(Protocol):
    """A panel with a handle on its other side."""

    @property
    def panel(self) -> Panel: ...
    def register(self, login: str) -> str: ...
    def edit(self, key: str, **values: Value) -> None: ...
    def make_group(self, name: str) -> str: ...
    def names(self) -> Mapping[str, str]: ...
    def prices(self, number: str) -> Prices: ...
    def payment_days(self, key: str) -> str: ...
    def show_credit(self, what: str) -> None: ...
    def lose_reply(self) -> None: ...
    def fail(self) -> None: ...
    def reject_key(self) -> None: ...
    def lose_the_gate(self) -> None: ...
    def unlist(self, number: str, answers: int | None) -> None: ...
    def back_up(self) -> None: ...
    def restore(self) -> None: ...


class FakeWorld:
    """The panel in memory."""

    def __init__(self) -> None:
        self.panel: FakePanel = FakePanel()

    def register(self, login: str) -> str:
        return self.panel.register(PERSON, login=login)

    def edit(self, key: str, **values: Value) -> None:
        self.panel.edit(key, **values)

    def make_group(self, name: str) -> str:
        return self.panel.make_group(name)

    def names(self) -> Mapping[str, str]:
        return dict(self.panel.discount_groups)

    def prices(self, number: str) -> Prices:
        return dict(self.panel.prices[number])

    def payment_days(self, key: str) -> str:
        return str(self.panel.payment_days[key])

    def show_credit(self, what: str) -> None:
        self.panel.shows_credit = what

    def lose_reply(self) -> None:
        self.panel.lose_reply()

    def fail(self) -> None:
        self.panel.fail(Retry("panel_5xx"))

    def reject_key(self) -> None:
        self.panel.halt()

    def lose_the_gate(self) -> None:
        self.panel.halt(Halt("panel_gate", f"the panel has no GET {GROUPS}"))

    def unlist(self, number: str, answers: int | None) -> None:
        self.panel.unlisted[number] = answers

    def back_up(self) -> None:
        self._backup = self.panel.backup()

    def restore(self) -> None:
        self.panel.restore(self._backup)


class HttpWorld:
    """The real adapter on a socket, the stand-in behind it."""

    def __init__(self, standin: StandinPanel) -> None:
        self.standin = standin
        limit = RateLimit(FakeState(), rate=10_000)
        self.panel = HttpPanel(PanelHttp(standin.url, standin.key, limit, HttpSettings(first_pause=0)))

    def register(self, login: str) -> str:
        return str(self.standin.seed(login=login, **PERSON).id)

    def edit(self, key: str, **values: Value) -> None:
        self.standin.edit(int(key), **values)

    def make_group(self, name: str) -> str:
        return str(self.standin.make_group(name).id)

    def names(self) -> Mapping[str, str]:
        return {str(each.id): each.name for each in self.standin.groups}

    def prices(self, number: str) -> Prices:
        kept = self.standin.group(int(number)).prices
        return {(kind, str(item_id)): (each.price, each.currency) for (kind, item_id), each in kept.items()}

    def payment_days(self, key: str) -> str:
        return str(self.standin.account(int(key)).payment_days)

    def show_credit(self, what: str) -> None:
        self.standin.settings.change(shows_trade_credit=what)

    def lose_reply(self) -> None:
        self.standin.misbehave("reset", "P*", when="after")

    def fail(self) -> None:
        self.standin.misbehave("5xx", "*", status=503)

    def reject_key(self) -> None:
        self.standin.misbehave("401", times=None)

    def lose_the_gate(self) -> None:
        self.standin.misbehave("5xx", status=404, times=None)

    def unlist(self, number: str, answers: int | None) -> None:
        self.standin.misbehave("unlisted", f"GET {GROUPS}", match={"groupNumber": number}, times=answers)

    def back_up(self) -> None:
        self.standin.back_up()

    def restore(self) -> None:
        self.standin.restore()


MANNERS: Mapping[str, Mapping[str, Any]] = {
    "http": {},
    "http-quiet-200": {"empty_search_status": 200, "partial_status": 200},
    "http-bare-207": {"empty_search_paging": False},
    "http-php": {"numbers_as_text": True, "php_empties": True},
}
"""The readings of the contract that a real panel may have, one world each."""


@pytest.fixture(params=["fake", *MANNERS])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    with StandinPanel(groups={}, **MANNERS[request.param]) as standin:
        yield HttpWorld(standin)
        assert not standin.unknown_fields


def price(item_id: str, amount: str, kind: str = "product", currency: str = "PLN") -> SentPrice:
    return SentPrice(kind, item_id, amount, currency)


def update(login: str, **values: Value) -> AccountUpdate:
    return AccountUpdate(f"K-{login}", login, values)


def done(outcomes: Sequence[Outcome]) -> int:
    assert all(isinstance(each, Done) for each in outcomes), outcomes
    return len(outcomes)


def codes(outcomes: Sequence[Outcome]) -> list[str]:
    return ["" if isinstance(each, Done) else each.code for each in outcomes]


def shown(world: World, key: str) -> Mapping[str, Value]:
    return world.panel.read([key])[key].values


def put(world: World, *logins: str, group: str) -> list[str]:
    return codes(world.panel.update([update(login, discount_group_id=group) for login in logins]))


# groups


def test_a_panel_without_groups_has_none(world: World) -> None:
    found, pages = world.panel.groups(0, 100)
    assert (list(found), pages) == ([], 0)


def test_a_group_is_made_and_shown_with_its_number_and_name(world: World) -> None:
    number = world.panel.create_group('Hurt „A" ż')
    assert number.isdecimal()
    assert world.names() == {number: 'Hurt „A" ż'}
    [group], pages = world.panel.groups(0, 100)
    assert (group.number, group.name, pages) == (number, 'Hurt „A" ż', 1)
    assert world.panel.calls() == {f"POST {GROUPS}": 1, f"GET {GROUPS}": 1}


def test_two_groups_may_have_one_name(world: World) -> None:
    assert world.panel.create_group("Hurt") != world.panel.create_group("Hurt")
    assert list(world.names().values()) == ["Hurt", "Hurt"]


def test_groups_come_in_pages(world: World) -> None:
    numbers = [world.make_group(f"G{n}") for n in range(5)]
    pages = [world.panel.groups(page, 2) for page in range(3)]
    assert [[each.number for each in found] for found, _ in pages] == [numbers[:2], numbers[2:4], numbers[4:]]
    assert {count for _, count in pages} == {3}
    beyond, _ = world.panel.groups(3, 2)
    assert not beyond


@pytest.mark.parametrize("answers", [1, 2, None])
def test_a_list_may_lack_a_group_that_is_there(world: World, answers: int | None) -> None:
    numbers = [world.make_group(name) for name in ("A", "B", "C")]
    world.unlist(numbers[1], answers)
    for asked in range(4):
        whole = answers is not None and asked >= answers
        found, pages = world.panel.groups(0, 2)
        assert [each.number for each in found] == (numbers[:2] if whole else numbers[::2])
        assert pages == (2 if whole else 1), "its counts lack it too"
    assert len(world.names()) == 3
    key = world.register("anna")
    assert put(world, "anna", group=numbers[1]) == [""], "the gates for writing know it"
    assert world.panel.group_clients(numbers[1]) == {key}


def test_a_list_may_lack_the_only_group(world: World) -> None:
    number = world.make_group("A")
    world.unlist(number, 1)
    assert [list(world.panel.groups(0, 2)[0]) for _ in range(2)] != [[], []]
    assert world.names() == {number: "A"}


def test_a_restored_panel_has_its_former_groups_and_prices_and_gives_numbers_again(world: World) -> None:
    first = world.make_group("A")
    done(world.panel.set_prices(first, [price("7", "1.00")]))
    world.back_up()
    done(world.panel.set_prices(first, [price("7", "2.00"), price("8", "3.00")]))
    second = world.make_group("B")
    world.restore()
    assert world.names() == {first: "A"}
    assert world.prices(first) == {("product", "7"): (Decimal("1.00"), "PLN")}
    assert world.make_group("C") == second


def test_a_group_is_renamed_and_keeps_its_prices(world: World) -> None:
    first, second = world.make_group("A"), world.make_group("B")
    done(world.panel.set_prices(first, [price("7", "1.00")]))
    world.panel.rename_group(first, "Nowa")
    world.panel.rename_group(first, "Nowa")
    assert world.names() == {first: "Nowa", second: "B"}
    assert world.prices(first) == {("product", "7"): (Decimal("1.00"), "PLN")}


def test_a_group_that_nobody_is_in_is_deleted(world: World) -> None:
    first, second = world.make_group("A"), world.make_group("B")
    world.panel.delete_group(first)
    assert world.names() == {second: "B"}


def test_a_group_that_somebody_is_in_stays(world: World) -> None:
    number, key = world.make_group("A"), world.register("anna")
    world.edit(key, discount_group_id=number if isinstance(world, FakeWorld) else int(number))  # type: ignore[arg-type]
    with pytest.raises(Reject) as refusal:
        world.panel.delete_group(number)
    assert refusal.value.code == "refused"
    assert refusal.value.facts["panel"]
    assert world.names() == {number: "A"}
    assert put(world, "anna", group="") == [""]
    world.panel.delete_group(number)
    assert world.names() == {}


@pytest.mark.parametrize("name", ["", "  ", "A\x00B", "A\nB"])
def test_a_name_that_is_none_is_refused(world: World, name: str) -> None:
    number = world.make_group("A")
    for call in (lambda: world.panel.create_group(name), lambda: world.panel.rename_group(number, name)):
        with pytest.raises(Reject) as refusal:
            call()
        assert refusal.value.code in {"refused", "unprintable"}
    assert world.names() == {number: "A"}


def test_what_is_to_be_done_to_a_group_that_is_not_there_is_refused(world: World) -> None:
    calls: list[Callable[[], object]] = [
        lambda: world.panel.rename_group("77", "A"),
        lambda: world.panel.delete_group("77"),
    ]
    for call in calls:
        with pytest.raises(Reject) as refusal:
            call()
        assert refusal.value.code == "refused"
    assert codes(world.panel.set_prices("77", [price("7", "1.00")])) == ["refused"]
    assert codes(world.panel.remove_prices("77", [("product", "7")])) == ["refused"]
    assert world.names() == {}


def test_who_is_in_a_group_that_is_not_there_nobody_knows(world: World) -> None:
    with pytest.raises(Retry):
        world.panel.group_clients("77")


# who is in a group


def test_customers_are_put_into_a_group_and_out_of_it(world: World) -> None:
    first, second = world.make_group("A"), world.make_group("B")
    anna, berta, _ = (world.register(login) for login in ("anna", "berta", "celina"))
    assert shown(world, anna)["discount_group_id"] == ""
    assert put(world, "anna", "berta", group=first) == ["", ""]
    assert shown(world, anna)["discount_group_id"] == first
    assert world.panel.group_clients(first) == {anna, berta}
    assert world.panel.group_clients(second) == frozenset()
    assert put(world, "anna", group=second) == put(world, "berta", group="") == [""]
    assert [shown(world, key)["discount_group_id"] for key in (anna, berta)] == [second, ""]
    assert (world.panel.group_clients(first), world.panel.group_clients(second)) == (frozenset(), {anna})


def test_an_unknown_group_is_refused_and_the_neighbours_go_on(world: World) -> None:
    number, anna, berta = world.make_group("A"), world.register("anna"), world.register("berta")
    updates = [update("anna", discount_group_id="77"), update("berta", discount_group_id=number)]
    assert codes(world.panel.update(updates)) == ["refused", ""]
    assert [shown(world, key)["discount_group_id"] for key in (anna, berta)] == ["", number]


def test_other_edits_leave_group_and_credit_alone(world: World) -> None:
    number, key = world.make_group("A"), world.register("anna")
    done(world.panel.update([update("anna", discount_group_id=number, credit_limit="10.00", payment_days="7")]))
    done(world.panel.update([update("anna", city="Radom", credit_limit="", balance=None, payment_days="")]))
    values = shown(world, key)
    assert (values["discount_group_id"], values["credit_limit"], values["city"]) == (number, "10.00", "Radom")
    assert world.payment_days(key) == "7"


def test_an_account_is_opened_without_group_and_credit(world: World) -> None:
    values: dict[str, Value] = {**PERSON, "shops": (1,), "credit_limit": "10.00", "discount_group_id": "5"}
    [outcome] = world.panel.create([NewAccount("K-1", "anna", "Secret-123456", values)], notify=False)
    assert isinstance(outcome, Done)
    opened = shown(world, outcome.panel_client_id)
    assert (opened["discount_group_id"], opened["credit_limit"]) == ("", "0.00")


# prices


def test_prices_of_every_kind_are_kept_to_the_hundredth(world: World) -> None:
    number, other = world.make_group("A"), world.make_group("B")
    amounts = ("12.30", "0.01", "9999999999.99", "0.00", "1000000.10")
    sent = [price("7", amount, kind) for kind, amount in zip(KINDS, amounts, strict=True)]
    assert done(world.panel.set_prices(number, [*sent, price("8", "5.55", currency="EUR")])) == 6
    kept = {(kind, "7"): (Decimal(amount), "PLN") for kind, amount in zip(KINDS, amounts, strict=True)}
    assert world.prices(number) == {**kept, ("product", "8"): (Decimal("5.55"), "EUR")}
    assert world.prices(other) == {}
    assert world.panel.calls() == {f"PUT {GROUPS}/products": 1}


def test_a_price_replaces_the_same_items_and_no_other(world: World) -> None:
    number = world.make_group("A")
    done(world.panel.set_prices(number, [price("7", "1.00"), price("7", "2.00", "series"), price("8", "3.00")]))
    for _ in range(10):
        done(world.panel.set_prices(number, [price("7", "1.10")]))
    assert {key: str(amount) for key, (amount, _) in world.prices(number).items()} == {
        ("product", "7"): "1.10",
        ("series", "7"): "2.00",
        ("product", "8"): "3.00",
    }


def test_prices_are_removed_by_kind_and_id_and_one_that_is_not_there_is_no_failure(world: World) -> None:
    number = world.make_group("A")
    sent = [price("7", "1.00", kind) for kind in KINDS]
    done(world.panel.set_prices(number, sent))
    assert done(world.panel.remove_prices(number, [("product", "7"), ("menu_item", "7"), ("product", "9")])) == 3
    assert set(world.prices(number)) == {("producer", "7"), ("series", "7"), ("category", "7")}
    done(world.panel.remove_prices(number, [each.key for each in sent]))
    assert world.prices(number) == {}
    assert world.panel.calls()[f"POST {GROUPS}/products/delete"] == 2


def test_a_call_is_refused_as_a_whole_and_the_culprit_alone(world: World) -> None:
    number = world.make_group("A")
    good, bad = price("7", "1.00"), price("8", "-1.00")
    with pytest.raises(Reject) as refusal:
        world.panel.set_prices(number, [good, bad])
    assert refusal.value.code == "refused_whole"
    assert world.prices(number) == {}
    assert codes(world.panel.set_prices(number, [bad])) == ["refused"]
    assert codes(world.panel.set_prices(number, [good])) == [""]
    assert list(world.prices(number)) == [("product", "7")]


def test_several_prices_of_a_group_that_is_not_there_are_refused_as_a_whole(world: World) -> None:
    calls: list[Callable[[], object]] = [
        lambda: world.panel.set_prices("77", [price("7", "1.00"), price("8", "1.00")]),
        lambda: world.panel.remove_prices("77", [("product", "7"), ("product", "8")]),
    ]
    for call in calls:
        with pytest.raises(Reject) as refusal:
            call()
        assert refusal.value.code == "refused_whole"


WRONG = [
    price("7", "1.00", "shop"),
    price("x", "1.00"),
    price("", "1.00"),
    price("7", "NaN"),
    price("7", "1,50"),
    price("7", "10000000000.00"),
    price("7", "1.00", currency=""),
    price("7", "1.00", currency="zł"),
    SentPrice("product", "7", None, "PLN"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_price_is_refused_without_a_call_and_the_neighbours_go_on(world: World, wrong: SentPrice) -> None:
    number = world.make_group("A")
    [outcome] = world.panel.set_prices(number, [wrong])
    assert isinstance(outcome, Reject)
    assert world.panel.calls() == {}
    first, second, third = world.panel.set_prices(number, [price("1", "1.00"), wrong, price("3", "3.00")])
    done([first, third])
    assert isinstance(second, Reject)
    assert set(world.prices(number)) == {("product", "1"), ("product", "3")}


def test_what_names_no_item_is_refused_on_removal_too(world: World) -> None:
    number = world.make_group("A")
    done(world.panel.set_prices(number, [price("7", "1.00")]))
    outcomes = world.panel.remove_prices(number, [("shop", "7"), ("product", "7"), ("product", "-7")])
    assert [isinstance(each, Done) for each in outcomes] == [False, True, False]
    assert world.prices(number) == {}
    assert not isinstance(world.panel.remove_prices(number, [("shop", "7")])[0], Done)
    assert world.panel.calls()[f"POST {GROUPS}/products/delete"] == 1


def test_nothing_to_set_or_remove_is_no_call(world: World) -> None:
    assert list(world.panel.set_prices("1", [])) == list(world.panel.remove_prices("1", [])) == []
    assert world.panel.calls() == {}


# what goes wrong


def test_a_lost_reply_of_a_new_group_is_no_success_and_the_call_is_not_repeated(world: World) -> None:
    world.lose_reply()
    with pytest.raises(Retry):
        world.panel.create_group("Hurt")
    assert list(world.names().values()) == ["Hurt"]
    assert world.panel.calls() == {f"POST {GROUPS}": 1}


def test_a_lost_reply_of_a_deletion_is_no_success_and_the_call_is_not_repeated(world: World) -> None:
    number = world.make_group("A")
    done(world.panel.set_prices(number, [price("7", "1.00")]))
    world.lose_reply()
    with pytest.raises(Retry):
        world.panel.remove_prices(number, [("product", "7")])
    assert world.prices(number) == {}
    world.lose_reply()
    with pytest.raises(Retry):
        world.panel.delete_group(number)
    assert world.names() == {}
    calls = world.panel.calls()
    assert (calls[f"POST {GROUPS}/delete"], calls[f"POST {GROUPS}/products/delete"]) == (1, 1)


def test_a_lost_reply_of_what_sets_absolute_values_is_repeated_or_no_success(world: World) -> None:
    number, key = world.make_group("A"), world.register("anna")
    calls: list[Callable[[], object]] = [
        lambda: world.panel.set_prices(number, [price("7", "1.00")]),
        lambda: world.panel.rename_group(number, "B"),
        lambda: world.panel.update([update("anna", balance="-12.30")]),
    ]
    for call in calls:
        world.lose_reply()
        with contextlib.suppress(Retry):
            call()
    assert world.prices(number) == {("product", "7"): (Decimal("1.00"), "PLN")}
    assert world.names() == {number: "B"}
    assert shown(world, key)["balance"] == "-12.30"


def test_a_panel_that_cannot_now_has_done_nothing(world: World) -> None:
    number = world.make_group("A")
    calls: list[Callable[[], object]] = [
        lambda: world.panel.create_group("B"),
        lambda: world.panel.delete_group(number),
        lambda: world.panel.remove_prices(number, [("product", "7")]),
    ]
    for call in calls:
        world.fail()
        with pytest.raises(Retry) as refusal:
            call()
        assert refusal.value.code == "panel_5xx"
    assert world.names() == {number: "A"}
    assert sum(world.panel.calls().values()) == 3


def every_call(world: World, number: str) -> list[Callable[[], object]]:
    return [
        lambda: world.panel.groups(0, 100),
        lambda: world.panel.group_clients(number),
        lambda: world.panel.create_group("B"),
        lambda: world.panel.rename_group(number, "B"),
        lambda: world.panel.delete_group(number),
        lambda: world.panel.set_prices(number, [price("7", "1.00")]),
        lambda: world.panel.remove_prices(number, [("product", "7")]),
    ]


def test_a_refused_key_halts_every_call(world: World) -> None:
    number = world.make_group("A")
    world.reject_key()
    for call in every_call(world, number):
        with pytest.raises(Halt) as refusal:
            call()
        assert refusal.value.code == "panel_key"
    assert (world.names(), world.prices(number)) == ({number: "A"}, {})
    assert sum(world.panel.calls().values()) == 7


def test_a_panel_without_the_gate_halts(world: World) -> None:
    number = world.make_group("A")
    world.lose_the_gate()
    for call in every_call(world, number):
        with pytest.raises(Halt) as refusal:
            call()
        assert refusal.value.code == "panel_gate"
        assert GROUPS in str(refusal.value)


# trade credit


@pytest.mark.parametrize("amount", ["0.00", "0.01", "12.30", "-12.30", "1234567.89", "9999999999.99", "-9999999999.99"])
def test_amounts_are_written_and_read_to_the_hundredth(world: World, amount: str) -> None:
    key = world.register("anna")
    done(world.panel.update([update("anna", credit_limit=amount.lstrip("-"), balance=amount, payment_days="14")]))
    values = shown(world, key)
    assert (values["credit_limit"], values["balance"]) == (amount.lstrip("-"), amount)
    assert "payment_days" not in values
    assert world.payment_days(key) == "14"


@pytest.mark.fault(68)
def test_a_balance_that_is_written_ten_times_counts_once(world: World) -> None:
    key = world.register("anna")
    for _ in range(10):
        done(world.panel.update([update("anna", balance="0.10")]))
    assert shown(world, key)["balance"] == "0.10"


def test_an_amount_is_rounded_half_up(world: World) -> None:
    key = world.register("anna")
    done(world.panel.update([update("anna", credit_limit="2.675", balance="-1.005")]))
    values = shown(world, key)
    assert (values["credit_limit"], values["balance"]) == ("2.68", "-1.01")


@pytest.mark.parametrize(
    ("what", "told"),
    [("limit_and_used", {"credit_limit", "balance"}), ("limit", {"credit_limit"}), ("nothing", set())],
)
def test_what_the_panel_does_not_show_of_a_credit_is_not_read_as_empty(world: World, what: str, told: set[str]) -> None:
    key = world.register("anna")
    done(world.panel.update([update("anna", credit_limit="10.00", balance="5.00")]))
    world.show_credit(what)
    [listed] = world.panel.changed(None, 0, 100).found
    [read] = [world.panel.read([key])[key]]
    for account in (listed, read):
        assert account.values.keys() & {"credit_limit", "balance", "payment_days"} == told
        assert account.values["city"] == "Łódź"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("credit_limit", "NaN"),
        ("credit_limit", "1,50"),
        ("balance", "1" * 39),
        ("balance", "Infinity"),
        ("payment_days", "-1"),
        ("payment_days", "1.5"),
        ("discount_group_id", "A"),
    ],
)
def test_a_figure_that_is_none_is_refused_by_name_and_the_neighbours_go_on(world: World, name: str, wrong: str) -> None:
    anna, berta = world.register("anna"), world.register("berta")
    first, second = world.panel.update([update("anna", **{name: wrong}), update("berta", credit_limit="7.00")])
    assert isinstance(first, Reject)
    assert first.field == name
    done([second])
    assert [shown(world, key)["credit_limit"] for key in (anna, berta)] == ["0.00", "7.00"]
