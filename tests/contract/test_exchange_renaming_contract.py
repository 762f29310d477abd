"""A client's code changes: all that is kept goes to the new one, in one transaction. Fake and real adapters."""

from __future__ import annotations

from kartoteka.codes import IN_STEP
from kartoteka.model import Candidate, Change, Key, Link, Owner, Record, RecordState
from kartoteka.ports.exchange import Renamed
from tests.fixtures.exchange import Bench
from tests.fixtures.records import ADDRESSES, change, forms, head, intent, load, load_items, note, save, written
from tests.world import CLIENT

LINK = Link("C-1", "7", "jan", "created")


def linked(bench: Bench) -> None:
    """A linked client of whom something is kept everywhere; and its row has the new code by now."""
    bench.erp.insert_client("C-1", **CLIENT)
    save(bench, change("C-1", "accounts", status=IN_STEP, link=LINK))
    one = change(
        "C-1",
        base={"street": "A"},
        status=IN_STEP,
        written=(written("street", "", "A"),),
        conflicts=(note(closed=False),),
    )
    save(bench, one, change("C-1", ADDRESSES, "A-1", base={"city": "B"}, panel_id="9", status=IN_STEP))
    bench.erp.exclude("C-1", "shops", "spór")
    bench.erp.rename_client("C-1", "N-1")
    save(bench, change("N-1", "accounts", status=IN_STEP, candidates=(Candidate("N-1", "7", "nip"),)))


def test_all_that_is_kept_goes_to_the_new_code(bench: Bench) -> None:
    linked(bench)
    before = head(bench)
    assert bench.exchange.records.rename("C-1", "N-1") is Renamed.DONE
    record = load(bench, "N-1")
    assert record.link == Link("N-1", "7", "jan", "created", "C-1")
    assert (record.state.base, record.state.status) == (forms({"street": "A"}), IN_STEP)
    assert [conflict.field for conflict in record.conflicts] == ["street"]
    assert load_items(bench, "N-1")["N-1", "A-1"].state.panel_id == "9"
    assert bench.exchange.records.exclusions(["C-1", "N-1"]) == {"N-1": {"shops"}}
    assert ({h.client_id for h in bench.erp.history}, dict(bench.erp.matches)) == ({"N-1"}, {})
    old = load(bench, "C-1")
    assert (old.link, old.state, old.conflicts) == (None, RecordState(), ())
    assert any(e.owner == Owner("N-1") for e in bench.exchange.log.read(before, (), 100) if e.table_name == "clients")


def test_once_the_account_has_the_code_the_former_one_is_forgotten(bench: Bench) -> None:
    linked(bench)
    bench.exchange.records.rename("C-1", "N-1")
    save(bench, Change(load(bench, "N-1", "accounts"), RecordState(), recoded=True))
    assert load(bench, "N-1").link == Link("N-1", "7", "jan", "created")


def test_a_code_that_was_not_given_yet_stays_the_one_that_the_account_carries(bench: Bench) -> None:
    linked(bench)
    bench.exchange.records.rename("C-1", "N-1")
    bench.erp.rename_client("N-1", "N-2")
    assert bench.exchange.records.rename("N-1", "N-2") is Renamed.DONE
    assert load(bench, "N-2").link == Link("N-2", "7", "jan", "created", "C-1")


def test_where_it_is_refused_nothing_is_moved(bench: Bench) -> None:
    bench.erp.insert_client("C-1", **CLIENT)
    assert bench.exchange.records.rename("C-1", "N-1") is Renamed.UNKNOWN
    save(bench, change("C-1", "accounts", status=IN_STEP, link=LINK))
    assert bench.exchange.records.rename("C-1", "N-1") is Renamed.STANDS
    bench.erp.delete_client("C-1")
    save(bench, change("N-1", "accounts", intent=intent("n", making=True)))
    assert bench.exchange.records.rename("C-1", "N-1") is Renamed.OPENING
    save(bench, change("N-2", "accounts", status=IN_STEP, link=Link("N-2", "8", "ewa", "created")))
    assert bench.exchange.records.rename("C-1", "N-2") is Renamed.LINKED
    assert load(bench, "C-1", "accounts").link == LINK


def test_what_was_loaded_under_the_former_code_is_not_stored(bench: Bench) -> None:
    linked(bench)
    record = Record(Key("C-1", "", "billing"), link=LINK)
    bench.exchange.records.rename("C-1", "N-1")
    saved = save(bench, change(record, base={"street": "Z"}, status=IN_STEP))
    assert saved.again == {record.key}
    assert load(bench, "C-1").state == RecordState()
