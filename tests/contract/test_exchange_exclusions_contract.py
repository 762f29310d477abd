"""``sync_exclusions``: read with each record, told by the log, and what it says wrongly. Fake and real adapters."""

from __future__ import annotations

import pytest

from kartoteka.codes import IN_STEP, Status
from kartoteka.codes import status as status_of
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Change, Key, Link, Owner, Record, RecordState
from kartoteka.ports.exchange import EXCLUSIONS
from tests.fixtures.exchange import Bench, SqlBench
from tests.fixtures.records import AT
from tests.world import CLIENT


def excluded_from(bench: Bench, client_id: str) -> set[str]:
    """Return the concerns in which a client's records say that it is excluded."""
    owner = [Owner(client_id)]
    return {concern for concern in CONCERNS if bench.exchange.records.load(concern, owner)[0].excluded}


def store(bench: Bench, key: Key, status: Status | None) -> None:
    state = bench.exchange.records.said(key.concern, status.code if status else "").get(key, RecordState())
    change = Change(Record(key, state=state), RecordState(status=status))
    bench.exchange.records.save([change], run_id="r", at=AT)


def test_a_record_says_whether_its_client_is_excluded_from_its_concern(bench: Bench) -> None:
    for client in ("C-1", "C-2"):
        bench.erp.insert_client(client, **CLIENT)
    assert excluded_from(bench, "C-1") == set()
    bench.erp.exclude("C-1", "billing", "na prośbę")
    bench.erp.exclude("C-1", "credit")
    assert (excluded_from(bench, "C-1"), excluded_from(bench, "C-2")) == ({"billing", "credit"}, set())
    bench.erp.include("C-1", "billing")
    assert excluded_from(bench, "C-1") == {"credit"}


def test_so_do_its_items_and_a_client_that_is_not_there(bench: Bench) -> None:
    bench.erp.insert_client("C-1", **CLIENT)
    bench.erp.insert_address("A-1", "C-1", street="Nowa 3")
    for client in ("C-1", "C-9"):
        bench.erp.exclude(client, "delivery_addresses")
    records = bench.exchange.records.load("delivery_addresses", [Owner("C-1"), Owner("C-9")])
    found = [(r.key.client_id, r.key.item_id, r.excluded, r.has_client) for r in records]
    assert found == [("C-1", "", True, True), ("C-1", "A-1", True, True), ("C-9", "", True, False)]


@pytest.mark.parametrize("written", ["Billing", " billing ", "BILLING"])
def test_a_concern_is_read_without_regard_to_case_and_blanks(bench: Bench, written: str) -> None:
    bench.erp.insert_client("C-1", **CLIENT)
    bench.erp.exclude("C-1", written)
    assert excluded_from(bench, "C-1") == {"billing"}
    assert bench.exchange.records.exclusions(["C-1"]) == {"C-1": {"billing"}}
    assert bench.exchange.records.unknown_exclusions() == []


def test_the_exclusions_of_some_clients_and_what_is_written_wrongly(bench: Bench) -> None:
    for client, concern in (("C-1", "billing"), ("C-1", "biling"), ("C-2", "shops"), ("C-3", ""), ("C-3", "credit")):
        bench.erp.exclude(client, concern)
    found = bench.exchange.records.exclusions(["C-1", "C-2", "C-4"])
    assert {key: set(concerns) for key, concerns in found.items()} == {"C-1": {"billing", "biling"}, "C-2": {"shops"}}
    assert bench.exchange.records.exclusions([]) == {}
    assert sorted(bench.exchange.records.unknown_exclusions()) == [("C-1", "biling"), ("C-3", "")]


def test_an_excluded_client_is_not_untouched(bench: Bench) -> None:
    for client in ("C-1", "C-2"):
        bench.erp.insert_client(client, **CLIENT)
    bench.erp.exclude("C-1", "shops")
    assert bench.exchange.records.untouched("billing", ["C-1", "C-2"]) == {"C-2"}


def test_every_write_is_logged_with_its_client_and_concern(bench: Bench) -> None:
    bench.erp.exclude("C-1", "billing")
    bench.erp.exclude("C-1", "billing", "inny powód")
    bench.erp.include("C-1", "billing")
    entries = [e for e in bench.exchange.log.read(0, (), 100) if e.table_name == EXCLUSIONS]
    assert [(e.owner, e.row_id, e.operation) for e in entries] == [
        (Owner("C-1"), "billing", operation) for operation in "IUD"
    ]
    assert {concern for concern in CONCERNS if entries[0].is_about(concern, ())} == {"billing"}


def test_records_are_found_by_the_code_that_is_said_of_them(bench: Bench) -> None:
    bench.erp.insert_client("C-1", **CLIENT)
    wrong = status_of("incomplete", ["email"], table="clients")
    for key, status in (
        (Key("C-1", "", "accounts", "biling"), wrong),
        (Key("C-1", "", "accounts"), IN_STEP),
        (Key("C-1", "", "billing"), wrong),
    ):
        store(bench, key, status)
    found = bench.exchange.records.said("accounts", "incomplete")
    assert {key: state.status for key, state in found.items()} == {Key("C-1", "", "accounts", "biling"): wrong}
    store(bench, Key("C-1", "", "accounts", "biling"), wrong)
    (key,) = found
    bench.exchange.records.save([Change(Record(key, state=found[key]), RecordState())], run_id="r", at=AT)
    assert bench.exchange.records.said("accounts", "incomplete") == {}


def test_it_costs_one_more_statement_however_many_clients_there_are(sql: SqlBench) -> None:
    for n in range(30):
        sql.erp.insert_client(f"C-{n}", **CLIENT)
        sql.erp.exclude(f"C-{n}", "billing")
    with sql.statements() as statements:
        found = sql.exchange.records.load("billing", [Owner(f"C-{n}") for n in range(30)])
    assert all(record.excluded for record in found)
    assert sum("sync_exclusions" in statement for statement in statements) == 1


def test_a_link_changes_nothing_of_it(bench: Bench) -> None:
    bench.erp.insert_client("C-1", **CLIENT)
    bench.erp.exclude("C-1", "accounts")
    key = Key("C-1", "", "accounts")
    change = Change(Record(key), RecordState(status=IN_STEP), link=Link("C-1", "7", "jan", "created"))
    bench.exchange.records.save([change], run_id="r", at=AT)
    (record,) = bench.exchange.records.load("accounts", [Owner("C-1")])
    assert (record.excluded, record.link is not None) == (True, True)
