"""Parts B and C against the stand-in in each of its settings: the truth is told, and everything is put back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.doctor import findings, trial, writes
from kartoteka.doctor.findings import Examination, Finding, Level
from kartoteka.doctor.panel import Patient
from kartoteka.doctor.trial import Trial
from kartoteka.policy import Policy, parse
from local.panel import StandinPanel
from tests.fakes.limit import CountedLimit

LOGIN = "doctor-test"


@pytest.fixture
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key="a-key-for-tests") as running:
        running.seed(
            login=LOGIN,
            email="proba@firma.example",
            first_name="Anna",
            last_name="Kowalska",
            company="Firma",
            phone="600100200",
            street="Polna 1",
            zip_code="00-950",
            city="Warszawa",
            shops=[1, 3],
            discount_group_id=2,
            modified="2026-01-05 10:00:00",
            credit_limit=Decimal("50.00"),
            balance=Decimal("7.00"),
        )
        yield running


def examined(panel: StandinPanel, chosen: Sequence[Examination[Patient]], policy: str = "{}") -> dict[str, Finding]:
    http = PanelHttp(panel.url, panel.key, CountedLimit(), HttpSettings(first_pause=0))
    patient = Trial(http, parse(policy), login=LOGIN)
    return {found.id: found for found in findings.examined(patient, chosen, lambda _: True)}


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {id_: each.level.value for id_, each in found.items() if each.level is not Level.OK}


def account(panel: StandinPanel) -> dict[str, Any]:
    """Return what the panel holds of the test account, but for the date that writes move."""
    found = panel.by_login(LOGIN)
    assert found is not None
    return {name: value for name, value in found.as_dict().items() if name != "modified"}


# --- part B


def test_writes_to_strangers_change_nothing_and_tell_the_batch(panel: StandinPanel) -> None:
    before = account(panel)
    found = examined(panel, writes.EXAMINATIONS)
    assert levels(found) == {}
    assert account(panel) == before
    assert len(panel.accounts) == 1


@pytest.mark.parametrize(
    ("settings", "told", "setting"),
    [
        ({"max_batch": None}, {}, {}),
        ({"max_batch": 50}, {"batch": "look"}, {"panel": {"batch_size": 50}}),
        ({"max_batch": 20}, {"batch": "look"}, {"panel": {"batch_size": 10}}),
        ({"max_batch": 5}, {"batch": "stop"}, {}),
        ({"scopes": {"CRM": "r", "SYSTEM": "r"}}, {"batch": "stop"}, {}),
        ({"thanks_strangers": True}, {"unknown_login": "look"}, {}),
        ({"partial_status": 200}, {}, {}),
        ({"shuffle_results": True}, {}, {}),
        ({"failed_without_reference": True}, {"references": "look"}, {}),
    ],
)
def test_what_a_panel_says_of_strangers(
    panel: StandinPanel, settings: dict[str, Any], told: dict[str, str], setting: dict[str, Any]
) -> None:
    panel.settings.change(**settings)
    found = examined(panel, writes.EXAMINATIONS)
    assert levels(found) == told
    assert dict(found["batch"].setting) == setting


# --- part C


def test_a_panel_as_the_contract_describes_it_is_fine_and_gets_everything_back(panel: StandinPanel) -> None:
    before = account(panel)
    found = examined(panel, trial.EXAMINATIONS)
    assert levels(found) == {}
    assert account(panel) == before
    assert panel.mails_sent == panel.texts_sent == 0


def test_it_makes_no_more_calls_than_it_lists(panel: StandinPanel) -> None:
    examined(panel, trial.EXAMINATIONS)
    listed = [call for each in trial.EXAMINATIONS for call in each.calls]
    assert all(count <= listed.count(gate) for gate, count in panel.calls.items()), panel.calls


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"keeps_when_emptied": True}, {"clearing": "look"}),
        ({"adds_shops": True}, {"shops.replace": "stop", "put_back.shops": "stop"}),
        ({"zero_leaves": True}, {"zeros": "stop"}),
        ({"leave_group": "refuse"}, {"group.leave": "look"}),
        ({"no_group": 9}, {"group.leave": "look"}),
        ({"cuts_at": 60}, {"texts": "look"}),
        ({"drops_after_four_bytes": True}, {"texts": "look"}),
        ({"escapes_html": True}, {"texts": "look"}),
        ({"ignores_fields": ["phone"]}, {"read_back": "look", "clearing": "look"}),
        ({"ignores_fields": ["credit_limit"]}, {"credit.credit_limit": "look", "zeros": "stop"}),
        ({"shows_trade_credit": "nothing"}, {"credit.credit_limit": "look", "credit.balance": "look"}),
        ({"shows_trade_credit": "limit"}, {"credit.balance": "look"}),
        ({"time_zone": "UTC"}, {"time_zone": "stop"}),
        ({"unchanged_write_moves_date": False}, {}),
        ({"address_edit_moves_date": True}, {}),
        ({"ignored_filters": ["clientIsActive"]}, {"closing": "look"}),
    ],
    ids=str,
)
def test_each_reading_of_the_contract_is_found_out(
    panel: StandinPanel, settings: dict[str, Any], told: dict[str, str]
) -> None:
    panel.settings.change(**settings)
    found = examined(panel, trial.EXAMINATIONS)
    assert levels(found) == told


def test_nothing_is_tried_after_writes_that_are_not_partial_and_what_they_emptied_is_put_back(
    panel: StandinPanel,
) -> None:
    panel.settings.change(whole_writes=True)
    before = account(panel)
    found = examined(panel, trial.EXAMINATIONS)
    assert levels(found) == {"partial": "stop"}
    assert list(found)[-1] == "partial"
    assert account(panel) == before


def test_what_a_person_does_not_allow_is_not_done(panel: StandinPanel) -> None:
    http = PanelHttp(panel.url, panel.key, CountedLimit(), HttpSettings(first_pause=0))
    patient = Trial(http, Policy(), login=LOGIN)
    everything = [*writes.EXAMINATIONS, *trial.EXAMINATIONS]
    assert list(findings.examined(patient, everything, lambda each: each.id == "closing")) != []
    assert {gate for gate in panel.calls if gate[:3] != "GET"} == {"POST clients/crm/search", "PUT clients/clients"}
    assert panel.calls["PUT clients/clients"] == 2


@pytest.mark.parametrize(("ago", "told"), [(timedelta(0), {"own_writes": "look"}), (timedelta(days=3), {})], ids=str)
def test_a_wrong_zone_is_not_missed_where_the_account_was_changed_in_that_very_second(
    panel: StandinPanel, ago: timedelta, told: dict[str, str]
) -> None:
    panel.settings.change(time_zone="UTC", date_lag_seconds=90.0)
    with panel.state.lock:
        known = panel.state.accounts.by_login(LOGIN)
        assert known is not None
        panel.state.accounts.stamp(known, f"{datetime.now(UTC) - ago:%Y-%m-%d %H:%M:%S}")
    found = examined(panel, trial.EXAMINATIONS)
    assert levels(found) == told
    assert ("UTC" in found["own_writes"].remedy) is bool(told)


def test_what_the_panel_refuses_of_a_trial_is_told_with_its_fault_code(panel: StandinPanel) -> None:
    panel.settings.change(leave_group="refuse")
    found = examined(panel, trial.EXAMINATIONS)
    assert "fault code" in found["group.leave"].sentence


def test_the_zone_is_proposed_and_with_it_all_is_well(panel: StandinPanel) -> None:
    panel.settings.change(time_zone="UTC")
    assert examined(panel, trial.EXAMINATIONS)["time_zone"].setting == {"panel": {"time_zone": "UTC"}}
    assert levels(examined(panel, trial.EXAMINATIONS, '{"panel": {"time_zone": "UTC"}}')) == {}


def test_the_number_of_no_group_is_a_setting(panel: StandinPanel) -> None:
    panel.settings.change(no_group=9)
    assert levels(examined(panel, trial.EXAMINATIONS, '{"panel": {"no_group": 9}}')) == {}
    assert account(panel)["discount_group_id"] == 2


def test_an_account_that_is_not_there_is_opened_in_silence() -> None:
    with StandinPanel(key="a-key-for-tests") as empty:
        found = examined(empty, trial.EXAMINATIONS)
        assert levels(found) == {}
        assert "was opened" in found["account"].sentence
        (made,) = empty.accounts
        assert (made.login, made.external_code) == (LOGIN, f"doctor-{LOGIN}")
        assert empty.mails_sent == empty.texts_sent == 0


def test_a_panel_that_opens_nothing_is_told_with_its_faults() -> None:
    with StandinPanel(key="a-key-for-tests", shops={5: "Hurt"}) as empty:
        found = examined(empty, trial.EXAMINATIONS[:1])
    assert levels(found) == {"account": "stop"}
    assert "faults 14" in found["account"].sentence
    assert Policy().accounts.default_shops == (1,)
