"""Contents of an address that the panel refuses are held at once by their field, over the stand-in panel's HTTP."""

from __future__ import annotations

import pytest

from tests.fixtures.installation import Installation

STATUS = "SELECT state, code, field FROM sync_status WHERE concern = 'delivery_addresses' AND item_id = 'A-1'"


@pytest.fixture
def moto_keeps_state() -> bool:
    """Say that the cloud is all the same here: what the panel does is the point."""
    return False


def with_address(installation: Installation, **lines: str) -> None:
    """Insert a client, and for it an address with these lines."""
    installation.tick()
    installation.insert("C-1")
    values = {"street": "Długa 5", "zip_code": "00-950", "city": "Łódź", "phone": "501502503", **lines}
    columns = ", ".join(values)
    texts = ", ".join(f"'{value}'" for value in values.values())
    installation.sql(
        f"INSERT INTO delivery_addresses (id, client_id, first_name, last_name, {columns}) "
        f"VALUES ('A-1', 'C-1', 'Jan', 'Kowalski', {texts})"
    )
    for _ in range(3):
        installation.tick()


def writes(installation: Installation) -> int:
    """Return how often the panel was told of addresses."""
    return sum(n for gate, n in installation.panel.calls().items() if "POST clients/deliveryAddress" in gate)


@pytest.mark.parametrize(
    ("field", "value", "code"), [("zip_code", "0095", "bad_postcode"), ("phone", "12", "bad_phone")]
)
def test_an_edit_that_the_panel_refuses_is_held_by_its_field_and_the_others_travel(
    installation: Installation, field: str, value: str, code: str
) -> None:
    with_address(installation)
    installation.sql(f"UPDATE delivery_addresses SET {field} = '{value}', first_name = 'Anna' WHERE id = 'A-1'")
    installation.tick()
    assert [tuple(row) for row in installation.sql(STATUS)] == [("held", code, field)]
    (account,) = installation.panel.accounts
    assert account.addresses[0].first_name == "Anna"
    assert getattr(account.addresses[0], field) != value
    installation.sql(f"UPDATE delivery_addresses SET {field} = '{'00-951' if field == 'zip_code' else '601602603'}'")
    installation.tick()
    installation.tick()
    assert [tuple(row) for row in installation.sql(STATUS)] == [("in_step", "", "")]


def test_a_new_address_that_the_panel_refuses_is_held_at_once(installation: Installation) -> None:
    with_address(installation, zip_code="0095")
    assert [tuple(row) for row in installation.sql(STATUS)] == [("held", "bad_postcode", "zip_code")]
    (account,) = installation.panel.accounts
    assert account.addresses == []
