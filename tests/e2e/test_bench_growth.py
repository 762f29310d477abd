"""The benchmark of growth, with few clients: copied rows are what the product makes, and edits cost what they cost."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from bench import bulk, growth, ours
from bench.erp import exchange
from kartoteka.adapters.sql import tables
from local.postgres import PostgresServer

pytestmark = pytest.mark.e2e

FEW, MANY = 400, 800


@pytest.fixture(scope="module")
def grown() -> growth.Growth:
    chosen = argparse.Namespace(sizes=[FEW, MANY], repeat=1, latency_ms=0)
    return growth.measure(chosen, Console(quiet=True), loaded=FEW)  # it checks the copies first


@pytest.mark.parametrize("run", [ours.QUIET, ours.QUIET_WARM, ours.ERP_EDITS, ours.PANEL_EDITS])
def test_what_a_run_asks_of_the_database_does_not_grow_with_the_clients(grown: growth.Growth, run: str) -> None:
    few, many = (grown.series[size][ours.ON_POSTGRESQL, run][0].counts for size in (FEW, MANY))
    assert many["SQL reads"] <= few["SQL reads"] + 2
    assert many["SQL writes"] <= few["SQL writes"] + 2


def test_a_full_scan_finds_nothing_and_delays_nothing(grown: growth.Growth) -> None:
    for size in (FEW, MANY):
        scan = grown.series[size][ours.ON_POSTGRESQL, growth.SCAN][0]
        assert scan.counts["runs"] == 1
        assert scan.counts["changed record s"] > 0


def test_copies_that_differ_are_noticed(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with exchange(tmp_path, postgres_server) as one, exchange(tmp_path, postgres_server) as other:
        for erp in (one, other):
            erp.fill(bulk.numbered(2))
        assert bulk.differences(one, other) == {}
        with other.engine.begin() as connection:
            connection.execute(sa.insert(tables.sync_base).values(client_id="K-1", concern="billing", values="{}"))
        assert bulk.differences(one, other) == {"sync_base": 1}
