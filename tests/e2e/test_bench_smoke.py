"""The benchmark's counts, with few customers: what a new customer and a quiet minute cost. No times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from bench import ours
from bench.cloud import embedded
from bench.customers import clients
from bench.erp import exchange
from bench.figures import Figures
from bench.panel import standing_in
from local.postgres import PostgresServer

pytestmark = pytest.mark.e2e

CUSTOMERS = 200
EDITS = 20
FEED = "GET clients/clients"

Runs = Mapping[str, Figures]


@pytest.fixture(scope="module")
def contact(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Figures:
    place = tmp_path_factory.mktemp("contact")
    with embedded(place) as endpoint, standing_in(place, latency=0.0) as panel, exchange(place, postgres_server) as erp:
        met = ours.install(place, endpoint, panel, erp, "contact").contact(clients(CUSTOMERS))
    return met[ours.FIRST_CONTACT]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    place = tmp_path_factory.mktemp("bench")
    with embedded(place) as endpoint, standing_in(place, latency=0.0) as panel, exchange(place, None) as erp:
        yield ours.install(place, endpoint, panel, erp, "smoke").all_runs(clients(CUSTOMERS), EDITS)


def test_a_hundred_new_customers_cost_three_calls_echo_included(runs: Runs) -> None:
    news = 3  # the feed's own schedule; new registrations; once more right before new clients are matched
    calls = {FEED: news + 2, "POST clients/clients": 2, "GET system/shopsData": 1}  # looked up; created; once
    assert runs[ours.FIRST_LOAD].calls == calls
    assert runs[ours.ECHO].calls == {FEED: 2}
    assert runs[ours.CONFIRMED].calls == {FEED: 2}  # the feed, and the echo's accounts counted once


@pytest.mark.parametrize(("run", "calls"), [(ours.QUIET, {FEED: 1}), (ours.QUIET_WARM, {})])
def test_a_quiet_minute_costs_one_feed_call_or_none_and_no_write(runs: Runs, run: str, calls: dict[str, int]) -> None:
    assert runs[run].calls == calls  # the panel is asked, or was asked a moment ago
    assert runs[run].counts["SQL writes"] == 0
    assert runs[run].counts["SQS requests"] == 0
    assert runs[run].counts["DynamoDB write units"] <= 2  # the lease of the call, and the feed's cursor


def test_edits_in_the_erp_cost_one_read_and_one_write(runs: Runs) -> None:
    first = {"reads": 2, "writes": 1}  # the first write of a week is made alone, and looked at
    assert runs[ours.ERP_EDITS].calls == {FEED: 1 + 1 + first["reads"], "PUT clients/clients": 1 + first["writes"]}


def test_edits_in_the_panel_cost_some_reads_and_one_of_the_addresses_beside_the_feed(runs: Runs) -> None:
    asked = 3  # whether the panel has gone back, twice; billing's own reading
    assert runs[ours.PANEL_EDITS].calls == {FEED: 1 + asked, "GET clients/deliveryAddress": 1}


def test_first_contact_costs_pages_and_batches(contact: Figures) -> None:
    pages, batches = 2, CUSTOMERS // 100
    assert contact.calls["PUT clients/clients"] <= 2 * batches  # codes; what differs
    assert contact.calls["POST clients/clients"] <= batches
    assert contact.calls[FEED] <= pages + 5 * batches  # looked up by code; a reading before codes, and by each concern
    assert contact.calls["GET clients/deliveryAddress"] <= batches


def test_no_record_costs_a_write_in_the_cloud(runs: Runs) -> None:
    load = runs[ours.FIRST_LOAD].counts
    assert load["DynamoDB write units"] < CUSTOMERS / 10
    assert load["SQS requests"] < CUSTOMERS / 10


def test_addresses_groups_and_credit_cost_full_batches(runs: Runs) -> None:
    batches, groups = CUSTOMERS // 100, 2
    calls = runs[ours.TRADE].calls
    assert calls["POST clients/deliveryAddress"] <= CUSTOMERS * 4 // 5 // 100 + 2
    assert calls["GET clients/deliveryAddress"] <= batches
    assert calls["POST discounts/groups"] == groups
    assert calls["PUT discounts/groups/products"] == groups
    assert calls["PUT clients/clients"] <= 2 * batches  # into groups; limits and balances
    assert calls[FEED] <= 5 + 2 * batches


def test_changed_prices_and_figures_cost_a_write_each_and_few_reads(runs: Runs) -> None:
    calls = runs[ours.TRADE_EDITS].calls
    assert calls["PUT clients/clients"] == 1
    assert calls["PUT discounts/groups/products"] <= EDITS // 10
    assert calls["GET discounts/groups"] <= 1


def test_an_address_pass_reads_a_hundred_clients_with_a_call(runs: Runs) -> None:
    assert runs[ours.ADDRESSES_READ].calls == {"GET clients/deliveryAddress": CUSTOMERS // 100}


@pytest.mark.parametrize(
    ("run", "reads", "writes"),
    [(ours.FIRST_LOAD, 160, 20), (ours.QUIET, 51, 0), (ours.ERP_EDITS, 136, 8), (ours.TRADE, 275, 50)],
)
def test_statements_do_not_grow(runs: Runs, run: str, reads: int, writes: int) -> None:
    assert runs[run].counts["SQL reads"] <= reads
    assert runs[run].counts["SQL writes"] <= writes
