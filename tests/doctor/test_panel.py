"""The doctor against the stand-in in each of its settings: it tells the truth about each, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.doctor.findings import Finding, Level, proposed
from kartoteka.doctor.panel import EXAMINATIONS, Patient
from kartoteka.policy import Policy, parse
from local.panel import StandinPanel
from tests.fakes.limit import CountedLimit

PEOPLE = 120
SECRET_WORDS = ("Kowalska", "anna@firma.example", "5260001246", "tajny-kod")


@pytest.fixture
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key="a-key-for-tests") as running:
        for n in range(PEOPLE):
            running.seed(login=f"login-{n}", email=f"k{n}@firma.example", external_code=f"K-{n}", last_name="Kowalska")
        yield running


def examined(
    panel: StandinPanel, policy: Policy | None = None, key: str = "", only: Collection[str] = ()
) -> dict[str, Finding]:
    """Return what is found, by id."""
    http = PanelHttp(panel.url, key or panel.key, CountedLimit(), HttpSettings(first_pause=0))
    patient = Patient(http, policy or Policy())
    chosen = [each for each in EXAMINATIONS if not only or each.id in only]
    return {found.id: found for each in chosen for found in each.findings(patient)}


def levels(found: dict[str, Finding]) -> dict[str, str]:
    """Return what is not as expected."""
    return {id_: each.level.value for id_, each in found.items() if each.level is not Level.OK}


def test_a_panel_as_the_contract_describes_it_is_fine(panel: StandinPanel) -> None:
    found = examined(panel)
    assert levels(found) == {}
    assert len(found) >= len(EXAMINATIONS)
    assert all(not each.remedy for each in found.values())


def test_it_makes_no_more_calls_than_it_lists_and_none_that_writes(panel: StandinPanel) -> None:
    examined(panel)
    listed = [call for each in EXAMINATIONS for call in each.calls]
    made = {gate: count for gate, count in panel.calls.items() if count}
    assert all(count <= listed.count(gate) for gate, count in made.items()), made
    assert {gate for gate in made if not gate.startswith("GET ")} == {"POST clients/crm/search"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"specification": False}, {"specification": "look"}),
        ({"lacks_fields": ["local_government_unit"]}, {"specification": "look"}),
        ({"empty_search_status": 200}, {}),
        ({"empty_search_paging": False}, {}),
        ({"numbers_as_text": True}, {}),
        ({"php_empties": True}, {}),
        ({"shops": {7: "Hurt"}}, {"shops": "stop"}),
        ({"flat_elements": True}, {"return_elements": "look"}),
        ({"ignored_filters": ["clientsLastModificationDate"]}, {"date_filter": "stop"}),
        ({"ignored_filters": ["clientRegistrationDate"]}, {"registered": "stop"}),
        ({"ignored_filters": ["clientIds"]}, {"addresses": "stop"}),
        ({"ignored_filters": ["clientIsActive"]}, {"activity": "look"}),
        ({"names_clients_without_addresses": False}, {}),
        ({"visible_shops": [3]}, {"crm_search": "look", "visible_shops": "look"}),
        ({"scopes": {"CRM": "r", "SYSTEM": ""}}, {"clock": "stop", "shops": "stop"}),
        ({"hollow_answers": "counted", "hollow_gates": ["GET clients/clients"]}, {"search": "stop"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_each_reading_of_the_contract_is_found_out(
    panel: StandinPanel, settings: dict[str, Any], told: dict[str, str]
) -> None:
    panel.settings.change(**settings)
    found = examined(panel)
    assert told.items() <= levels(found).items(), levels(found)
    assert levels(found).keys() <= {*told, "never_shown", "known_date"}, levels(found)
    assert all(found[id_].remedy for id_ in told)


def test_a_clock_that_is_wrong_is_told_with_its_side(panel: StandinPanel) -> None:
    panel.state.clock.skew = -3600
    assert "60 min behind" in examined(panel)["clock"].sentence
    panel.state.clock.skew = 600
    assert "10 min ahead of" in examined(panel)["clock"].sentence


def test_what_is_there_twice_is_counted_and_not_quoted(panel: StandinPanel) -> None:
    for n in range(3):
        panel.seed(login=f"t{n}", external_code="tajny-kod", email="Anna@Firma.example ", nip="PL5260001246")
    panel.seed(login="long", email="x@y.example", street="S" * 201)
    found = examined(panel)
    assert set(levels(found)) == {
        "duplicates.external_codes",
        "duplicates.e_mail_addresses",
        "duplicates.tax_numbers",
        "lengths",
    }
    for what in ("external_codes", "e_mail_addresses", "tax_numbers"):
        assert found[f"duplicates.{what}"].sentence.startswith(f"Of {PEOPLE + 4} accounts 2 share")
    assert "street (201 of 200)" in found["lengths"].sentence
    told = repr(found)
    assert not [word for word in SECRET_WORDS if word.lower() in told.lower()]
    assert panel.key not in told


def test_the_one_shop_there_is_is_proposed_as_a_setting(panel: StandinPanel) -> None:
    panel.settings.change(shops={7: "Hurt"}, phone_required=True)
    given = {"version": 1, "accounts": {"incoming": False}}
    policy = proposed(given, examined(panel).values())
    assert policy["accounts"] == {"incoming": False, "default_shops": [7]}
    parsed = parse(json.dumps(policy))
    found = examined(panel, parsed)
    assert levels(found) == {}
    assert "require email, last_name, phone:" in found["required_fields"].sentence


def test_a_wrong_key_of_ones_own_ends_no_examination(panel: StandinPanel) -> None:
    found = examined(panel, key="another-key")
    assert {"clock", "shops", "search", "groups"} <= {id_ for id_, level in levels(found).items() if level == "stop"}


def test_an_empty_panel_is_fine() -> None:
    with StandinPanel(key="a-key-for-tests") as empty:
        found = examined(empty)
    assert levels(found) == {}
    assert "no account yet" in found["search"].sentence


def test_a_slow_panel_is_told_with_settings_that_suit_it(panel: StandinPanel) -> None:
    panel.settings.change(latency_seconds=0.6)
    found = examined(panel, parse('{"panel": {"timeout_seconds": 1}}'), only={"clock", "speed"})
    assert found["speed"].level is Level.LOOK
    assert found["speed"].setting == {"panel": {"timeout_seconds": 2, "batch_size": 50}}
