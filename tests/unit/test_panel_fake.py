"""What the engine's tests rely on in the panel in memory, beside the port's contract."""

from __future__ import annotations

import pytest

from kartoteka.core.errors import Reject
from kartoteka.core.model import AccountUpdate, AddressWrite
from kartoteka.ports import Done
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
    assert panel.accounts[key].values["shops"] == "1"
    assert "active" not in panel.accounts[key].values
    number = panel.add_address(key)
    owner, address = panel.delivery[number]
    assert (owner, address.values["country_code"], address.values["city"]) == (key, "PL", "")


def test_accounts_may_share_an_address_of_mail_and_a_tax_number(panel: FakePanel) -> None:
    twins = [panel.register({"email": "a@b.pl", "nip": "5250001232"}) for _ in range(2)]
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
    assert panel.shops() == {7}
    one, other = (AddressWrite("K", "D", "anna", values={"city": "x"}, shops=(number,)) for number in (1, 7))
    refused, done = panel.add_addresses([one, other])
    assert isinstance(refused, Reject)
    assert isinstance(done, Done)
    assert [owner for owner, _ in panel.delivery.values()] == [key]
