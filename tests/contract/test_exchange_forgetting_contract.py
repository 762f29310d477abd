"""The exchange's promises about clients who were erased, kept by the in-memory one and by each engine."""

from __future__ import annotations

from kartoteka.codes import IN_STEP
from kartoteka.model import Link
from tests.fixtures.exchange import Bench
from tests.fixtures.records import AT, LATER, change


def linked(bench: Bench, *clients: str) -> None:
    for number, client in enumerate(clients):
        bench.erp.insert_client(client)
        link = Link(client, str(number), client.lower(), "created")
        bench.exchange.records.save([change(client, "accounts", status=IN_STEP, link=link)], run_id="run", at=AT)


def test_what_is_saved_of_an_erased_client_comes_back_and_its_neighbours_is_stored(bench: Bench) -> None:
    linked(bench, "C-1", "C-2")
    records = bench.exchange.records
    bench.exchange.forgotten.forget("C-1", at=AT)
    mine, other = (change(client, "billing", status=IN_STEP, base={"city": "Gdynia"}) for client in ("C-1", "C-2"))
    saved = records.save([mine, other], run_id="run", at=LATER)
    assert saved.again == {mine.record.key}
    assert set(records.states(["billing"], [mine.record.key.owner, other.record.key.owner])) == {other.record.key}


def test_one_who_was_allowed_again_is_stored(bench: Bench) -> None:
    linked(bench, "C-1")
    bench.exchange.forgotten.forget("C-1", at=AT)
    assert bench.exchange.forgotten.is_forgotten("C-1")
    assert bench.exchange.forgotten.allow("C-1")
    one = change("C-1", "billing", status=IN_STEP, base={"city": "Gdynia"})
    assert bench.exchange.records.save([one], run_id="run", at=LATER).again == frozenset()
    assert set(bench.exchange.records.states(["billing"], [one.record.key.owner])) == {one.record.key}
