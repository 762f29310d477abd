"""What the engine's tests rely on in the panel in memory, beside the port's contract."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kartoteka.errors import Reject, Retry
from kartoteka.model import Done
from kartoteka.ports.exchange import SentPrice
from kartoteka.ports.panel import AccountUpdate, AddressWrite
from tests.fakes.panel import FakePanel


@pytest.fixture
def panel() -> FakePanel:
    return FakePanel()


def test_an_account_that_is_removed_takes_its_addresses_along(panel: FakePanel) -> None:
    first, second = panel.register({}, login="anna"), panel.register({}, login="berta")
    gone, kept = panel.add_address(first, city="Łódź"), panel.add_address(second, city="Radom")
    panel.in_use = {gone, kept}
    panel.edit(first, active=False)
    panel.remove(first)
    assert list(panel.delivery) == [kept]
    assert (panel.in_use, panel.closed) == ({kept}, set())


def test_what_nobody_has_set_is_shown_as_the_panel_shows_it(panel: FakePanel) -> None:
    key = panel.register({})
    assert panel.accounts[key].values["shops"] == (1,)
    assert "active" not in panel.accounts[key].values
    number = panel.add_address(key)
    owner, address = panel.delivery[number]
    assert (owner, address.values["country_code"], address.values["city"]) == (key, "PL", "")


def test_accounts_may_share_an_address_of_mail_and_a_tax_number(panel: FakePanel) -> None:
    twins = [panel.register({"email": "a@b.pl", "nip": "5250001233"}) for _ in range(2)]
    assert len(panel.read(twins)) == 2


def test_a_name_that_is_no_field_is_the_tests_mistake(panel: FakePanel) -> None:
    key = panel.register({})
    number = panel.add_address(key)
    with pytest.raises(KeyError):
        panel.edit(key, shop="1")
    with pytest.raises(KeyError):
        panel.edit_address(number, company="x")
    with pytest.raises(KeyError):
        panel.update([AccountUpdate("K", panel.accounts[key].login, {"additional": "x"})])


def test_a_panel_may_have_other_shops(panel: FakePanel) -> None:
    key = panel.register({}, login="anna")
    panel.known_shops = {7}
    assert panel.shops() == {7: frozenset()}
    one, other = (AddressWrite("K", "anna", values={"city": "x"}, shops=(number,)) for number in (1, 7))
    refused, done = panel.add_addresses([one, other])
    assert isinstance(refused, Reject)
    assert isinstance(done, Done)
    assert [owner for owner, _ in panel.delivery.values()] == [key]


def test_a_province_has_one_number_whoever_writes_it(panel: FakePanel) -> None:
    first = panel.register({"province": "PL-MZ"}, login="anna")
    second = panel.register({}, login="berta")
    panel.edit(second, province="PL-MZ")
    numbers = [panel.accounts[key].values["province"] for key in (first, second)]
    assert numbers == [panel.number_of("PL-MZ")] * 2
    assert panel.number_of("PL-SL") not in ("PL-SL", *numbers)
    assert panel.number_of("") == ""


def test_what_is_never_shown_is_kept_apart_and_goes_with_its_account(panel: FakePanel) -> None:
    key = panel.register({"vat_eu": True}, login="anna")
    panel.edit(key, local_government="yes")
    assert panel.hidden[key] == {"vat_eu": True, "local_government": True}
    panel.edit(key, local_government=None, payment_days="")
    assert panel.hidden[key] == {"vat_eu": True, "local_government": True}
    assert panel.payment_days == {}
    panel.remove(key)
    assert panel.hidden == {}


def test_a_panel_that_lacks_a_shown_field_does_not_show_it(panel: FakePanel) -> None:
    key = panel.register({"province": "PL-MZ"})
    panel.lacks = {"province"}
    [listed] = panel.changed(None, 0, 10).found
    assert "province" not in listed.values
    assert "city" in listed.values
    panel.lacks.clear()
    assert panel.read([key])[key].values["province"] == panel.number_of("PL-MZ")


def test_a_call_that_is_refused_for_a_field_is_a_call(panel: FakePanel) -> None:
    panel.register({}, login="anna")
    panel.lacks = {"vat_eu"}
    with pytest.raises(Reject):
        panel.update([AccountUpdate("K", "anna", {"vat_eu": True})])
    assert panel.calls() == {"PUT clients/clients": 1}


PRICE, OTHER = SentPrice("product", "7", "1.00", "PLN"), SentPrice("menu_item", "8", "2.00", "PLN")


def test_a_user_of_the_panel_makes_and_removes_groups(panel: FakePanel) -> None:
    number = panel.make_group("A", product_7="1.5", menu_item_8="2")
    assert panel.prices[number] == {
        ("product", "7"): (Decimal("1.50"), "PLN"),
        ("menu_item", "8"): (Decimal("2.00"), "PLN"),
    }
    key = panel.register({"discount_group_id": number})
    assert panel.group_clients(number) == {key}
    panel.remove_group(number)
    assert (panel.discount_groups, panel.prices) == ({}, {})
    assert panel.accounts[key].values["discount_group_id"] == ""
    assert panel.make_group("A") != number


def test_what_is_shown_of_a_credit_is_for_switches_and_the_panel_keeps_it_all(panel: FakePanel) -> None:
    key = panel.register({"credit_limit": "10", "balance": "5"}, login="anna", external_code="K")
    assert panel.accounts[key].values["balance"] == "5.00"
    panel.used_shows_balance = False
    assert panel.read([key])[key].values["balance"] == "0.00"
    panel.used[key] = "77.00"
    [found] = panel.find(["K"])
    [listed] = panel.changed(None, 0, 10).found
    assert found == listed == panel.read([key])[key]
    assert (found.values["credit_limit"], found.values["balance"]) == ("10.00", "77.00")
    panel.shows_credit = "limit"
    assert "balance" not in panel.read([key])[key].values
    panel.shows_credit = "nothing"
    assert "credit_limit" not in panel.find(["K"])[0].values
    assert panel.accounts[key].values["balance"] == "5.00"


def test_the_log_tells_what_came_in_what_order_and_about_whom(panel: FakePanel) -> None:
    panel.register({}, login="anna")
    number = panel.create_group("A")
    panel.update([AccountUpdate("K", "anna", {"discount_group_id": number})])
    panel.set_prices(number, [PRICE, SentPrice("shop", "1", "1.00", "PLN")])
    panel.fail(Retry("panel_5xx"))
    with pytest.raises(Retry):
        panel.remove_prices(number, [PRICE.key])
    panel.read(["1"])
    assert panel.log == [
        ("POST discounts/groups", ("A",)),
        ("PUT clients/clients", ("K",)),
        ("PUT discounts/groups/products", (number, "product/7")),
        ("POST discounts/groups/products/delete", (number, "product/7")),
        ("GET clients/clients", ("1",)),
    ]


@pytest.mark.parametrize("refuse", ["refuse", "refuse_whole"])
def test_a_price_is_refused_by_kind_and_id_until_it_is_accepted(panel: FakePanel, refuse: str) -> None:
    number = panel.make_group("A")
    getattr(panel, refuse)("product/7")
    with pytest.raises(Reject) as refusal:
        panel.set_prices(number, [PRICE, OTHER])
    assert refusal.value.code == "refused_whole"
    [alone] = panel.set_prices(number, [PRICE])
    assert isinstance(alone, Reject)
    assert panel.set_prices(number, [OTHER]) == [Done()]
    assert list(panel.prices[number]) == [OTHER.key]
    panel.accept("product/7")
    assert panel.set_prices(number, [PRICE, OTHER]) == [Done(), Done()]


def test_a_group_is_refused_by_number_or_name(panel: FakePanel) -> None:
    number = panel.make_group("A")
    panel.refuse(number)
    panel.refuse("B")
    for call in (
        lambda: panel.rename_group(number, "C"),
        lambda: panel.delete_group(number),
        lambda: panel.create_group("B"),
    ):
        with pytest.raises(Reject):
            call()
    assert panel.discount_groups == {number: "A"}


def test_a_new_groups_number_can_be_lost_after_it_was_made(panel: FakePanel) -> None:
    panel.lose_result("A")
    with pytest.raises(Retry) as refusal:
        panel.create_group("A")
    assert refusal.value.code == "missing_result"
    assert list(panel.discount_groups.values()) == ["A"]
    assert panel.create_group("A") == "2"
