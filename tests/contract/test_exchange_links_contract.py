"""An account is one client's: what happens where a second one is linked to it, in the fake and on each engine."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql.tables import sync_links
from kartoteka.codes import IN_STEP
from kartoteka.model import Change, Direction, Key, Link, Owner, Reason, Record, RecordState, Written
from kartoteka.ports.exchange import Saved
from tests.fixtures.exchange import Bench, SqlBench, waits_for_a_lock
from tests.fixtures.records import AT

HELD = codes.status("shared_account.linked", accounts="7", value="?")
GIVEN = (Written("external_code", Direction.ERP_TO_PANEL, Reason.FIRST_CONTACT, None, "C-2"),)


def linking(client_id: str, account: str = "7") -> Change:
    record = Record(Key(client_id, "", "accounts"))
    link = Link(client_id, account, f"login-{account}", "nip")
    held = Change(record, RecordState(status=HELD))
    return Change(record, RecordState(status=IN_STEP), written=GIVEN, link=link, otherwise=held)


def first_contact(client_id: str) -> Change:
    return Change(Record(Key(client_id, "", "billing")), RecordState(status=codes.status("first_contact")))


def save(bench: Bench, *changes: Change) -> Saved:
    return bench.exchange.records.save(changes, run_id="r", at=AT)


def owners(bench: Bench) -> dict[str, str]:
    return dict(bench.exchange.index.owners(["7", "8"]))


def told(bench: Bench, client_id: str) -> dict[str, str]:
    states = bench.exchange.records.states(["accounts", "billing"], [Owner(client_id)])
    return {key.concern: state.status.code for key, state in states.items() if state.status}


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Give a database in which C-1 is linked to the account 7, and C-2 to none."""
    for client_id in ("C-1", "C-2", "C-3"):
        bench.erp.insert_client(client_id)
    assert save(bench, linking("C-1")) == Saved()
    return bench


def test_a_second_client_is_not_linked_and_the_first_keeps_its_account(two: Bench) -> None:
    answer = save(two, linking("C-2"), first_contact("C-2"), linking("C-3", "8"), first_contact("C-3"))
    assert answer == Saved(again=frozenset({Key("C-2", "", "accounts")}))
    assert owners(two) == {"7": "C-1", "8": "C-3"}
    assert told(two, "C-2") == {"accounts": "shared_account"}
    assert told(two, "C-3") == {"accounts": "", "billing": "first_contact"}
    assert [h.client_id for h in two.erp.history] == ["C-1", "C-3"]  # type: ignore[attr-defined]


def test_of_two_in_one_save_the_first_is_linked(bench: Bench) -> None:
    for client_id in ("C-1", "C-2"):
        bench.erp.insert_client(client_id)
    save(bench, linking("C-2"), linking("C-1"))
    assert owners(bench) == {"7": "C-2"}
    assert told(bench, "C-1") == {"accounts": "shared_account"}


def test_the_account_of_a_client_that_is_gone_is_free(two: Bench) -> None:
    two.erp.delete_client("C-1")
    assert save(two, linking("C-2")) == Saved()
    assert owners(two) == {"7": "C-2"}


def test_the_same_client_may_be_linked_again_and_to_another_account(two: Bench) -> None:
    assert save(two, linking("C-1")) == Saved()
    assert save(two, linking("C-1", "8")) == Saved()
    assert owners(two) == {"8": "C-1"}


def test_a_link_that_is_undone_is_gone_in_the_same_transaction(two: Bench) -> None:
    assert save(two, linking("C-3", "8")) == Saved()
    (record,) = two.exchange.records.load("accounts", [Owner("C-1")])
    assert save(two, Change(record, RecordState(status=HELD), unlinked=True)) == Saved()
    assert owners(two) == {"8": "C-3"}
    assert told(two, "C-1") == {"accounts": "shared_account"}
    assert save(two, linking("C-2")) == Saved()
    late = Change(record, RecordState(status=IN_STEP), unlinked=True)
    assert save(two, late) == Saved(again=frozenset({record.key}))
    assert owners(two) == {"7": "C-2", "8": "C-3"}


def test_the_database_itself_forbids_a_second_link(sql: SqlBench) -> None:
    indexes = sa.inspect(sql.erp.engine).get_indexes("sync_links")
    assert [i["column_names"] for i in indexes if i["unique"]] == [["panel_client_id"]]
    statement = "INSERT INTO sync_links (client_id, panel_client_id) VALUES (:c, '7')"
    sql.erp.run(statement, c="C-1")
    with pytest.raises(sa.exc.IntegrityError):
        sql.erp.run(statement, c="C-2")
    sql.erp.run("INSERT INTO sync_links (client_id, panel_client_id) VALUES ('C-2', '8')")
    with pytest.raises(sa.exc.IntegrityError):
        sql.erp.run("UPDATE sync_links SET panel_client_id = '7' WHERE client_id = 'C-2'")


def test_the_second_of_two_workers_at_the_same_moment_is_held(server_bench: SqlBench) -> None:
    """The other worker's link is not visible yet when ours looks: the unique index finds it at its commit."""
    bench = server_bench.as_bench()
    for client_id in ("C-1", "C-2"):
        bench.erp.insert_client(client_id)
    other = server_bench.erp.transaction()
    other.run("INSERT INTO sync_links (client_id, panel_client_id) VALUES ('C-1', '7')")
    answers: list[Saved] = []
    worker = threading.Thread(target=lambda: answers.append(save(bench, linking("C-2"))))
    worker.start()
    while not waits_for_a_lock(server_bench):
        assert worker.is_alive()
    other.commit()
    worker.join()
    assert answers == [Saved(again=frozenset({Key("C-2", "", "accounts")}))]
    assert owners(bench) == {"7": "C-1"}
    assert told(bench, "C-2")["accounts"] == "shared_account"


def test_the_index_is_made_by_every_engine() -> None:
    assert [index.unique for index in sync_links.indexes] == [True]
