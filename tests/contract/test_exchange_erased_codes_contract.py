"""A client that was renamed and is erased, under whatever code: none of its codes brings it back. Fake and real."""

from __future__ import annotations

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.model import Change, Link, Owner, RecordState
from kartoteka.ports.exchange import Renamed, SeenAccount, Tombstone
from tests.fixtures.exchange import Bench
from tests.fixtures.records import AT, change, forms, load, save, written
from tests.world import CLIENT

LINK = Link("C-1", "7", "jan", "created")
PENDING, GIVEN = "pending", "given"
"""The account carries the former code still; it was given the new one."""


def seen(account: str, code: str) -> SeenAccount:
    return SeenAccount(account, f"login-{account}", code, "", "")


def renamed(bench: Bench, how: str) -> None:
    """A linked client, C-1 once, and N-1 now; and C-2, who is somebody else."""
    for client, link in (("C-1", LINK), ("C-2", Link("C-2", "8", "ewa", "created"))):
        bench.erp.insert_client(client, **CLIENT)
        save(bench, change(client, "accounts", status=IN_STEP, link=link))
        save(bench, change(client, base=forms({"city": "B"}), written=(written("city", None, "B"),), status=IN_STEP))
    bench.exchange.index.remember([seen("7", "C-1"), seen("8", "C-2")], at=AT)
    bench.erp.rename_client("C-1", "N-1")
    assert bench.exchange.records.rename("C-1", "N-1") is Renamed.DONE
    if how == GIVEN:
        code = written("external_code", "C-1", "N-1")
        save(bench, Change(load(bench, "N-1", "accounts"), RecordState(), written=(code,), recoded=True))


@pytest.mark.parametrize("how", [PENDING, GIVEN])
def test_both_codes_have_a_tombstone_and_both_homes_are_told_of_them(bench: Bench, how: str) -> None:
    renamed(bench, how)
    forgotten = bench.exchange.forgotten
    assert forgotten.known_as("N-1") == ["N-1", "C-1"]
    assert forgotten.found("N-1")["sync_links"] == 1
    forgotten.forget("N-1", at=AT)
    assert [forgotten.is_forgotten(code) for code in ("N-1", "C-1", "C-2")] == [True, True, False]
    assert len(forgotten.tombstones("N-1")) == 3  # two codes and the account
    assert forgotten.tombstones("C-1") == forgotten.tombstones("N-1") == forgotten.tombstones()


@pytest.mark.parametrize("how", [PENDING, GIVEN])
def test_a_late_save_under_the_former_code_and_its_row_bring_nothing_back(bench: Bench, how: str) -> None:
    renamed(bench, how)
    bench.exchange.forgotten.forget("N-1", at=AT)
    save(bench, change("C-1", base=forms({"city": "Z"}), status=IN_STEP, link=replace_link("9")))
    bench.erp.insert_client("C-1", **CLIENT)
    assert load(bench, "C-1", "accounts").forgotten
    assert (load(bench, "C-1").state, bench.exchange.index.owners(["9"])) == (RecordState(), {})
    assert bench.exchange.forgotten.accounts([seen("11", "C-1")]) == {"11"}


def replace_link(account: str) -> Link:
    return Link("C-1", account, f"login-{account}", "created")


def test_it_is_erased_by_its_former_code_as_long_as_the_account_carries_it(bench: Bench) -> None:
    renamed(bench, PENDING)
    forgotten = bench.exchange.forgotten
    assert forgotten.known_as("C-1") == ["N-1", "C-1"]
    assert forgotten.found("C-1") == forgotten.found("N-1")
    forgotten.forget("C-1", at=AT)
    assert (load(bench, "N-1", "accounts").forgotten, bench.exchange.index.owners(["7"])) == (True, {})
    assert {h.client_id for h in bench.erp.history} == {"C-2"}


@pytest.mark.parametrize("by", ["N-1", "C-1"])
def test_it_may_come_back_by_any_of_its_codes(bench: Bench, by: str) -> None:
    renamed(bench, PENDING)
    forgotten = bench.exchange.forgotten
    forgotten.forget("N-1", at=AT)
    assert forgotten.allow(by)
    assert forgotten.tombstones() == frozenset[Tombstone]()
    assert not forgotten.allow(by)


@pytest.mark.parametrize("how", [PENDING, GIVEN])
@pytest.mark.parametrize("linked", [False, True])
def test_a_former_code_that_another_client_has_by_now_is_that_clients(bench: Bench, how: str, linked: bool) -> None:
    renamed(bench, how)
    if linked:
        bench.erp.delete_client("C-2")
        assert bench.exchange.records.rename("C-2", "C-1") is Renamed.DONE
    else:
        bench.erp.insert_client("C-1", **CLIENT)
    forgotten = bench.exchange.forgotten
    assert forgotten.known_as("N-1") == ["N-1"]
    forgotten.forget("N-1", at=AT)
    assert not forgotten.is_forgotten("C-1")
    if linked:
        assert forgotten.known_as("C-1") == ["C-1", "C-2"]
        assert bench.exchange.index.owners(["8"]) == {"8": "C-1"}


def test_an_erased_code_takes_part_in_no_renaming(bench: Bench) -> None:
    renamed(bench, GIVEN)
    bench.exchange.forgotten.forget("N-1", at=AT)
    bench.erp.delete_client("C-2")
    for erased in ("N-1", "C-1"):
        assert bench.exchange.records.rename("C-2", erased) is Renamed.TO_ERASED
        assert bench.exchange.records.rename(erased, "N-9") is Renamed.ERASED
    assert bench.exchange.index.owners(["8"]) == {"8": "C-2"}
    assert bench.exchange.records.load("billing", [Owner("C-2")])[0].state.base == forms({"city": "B"})


def test_the_account_of_another_client_that_carries_an_erased_code_still_stays_in_the_index(bench: Bench) -> None:
    renamed(bench, GIVEN)
    bench.erp.rename_client("C-2", "N-2")
    assert bench.exchange.records.rename("C-2", "N-2") is Renamed.DONE
    bench.erp.rename_client("N-1", "C-2")
    assert bench.exchange.records.rename("N-1", "C-2") is Renamed.DONE
    bench.exchange.forgotten.forget("C-2", at=AT)
    two = [seen("8", "C-2"), seen("9", "C-2"), seen("10", "C-2")]
    assert bench.exchange.forgotten.accounts(two) == {"9", "10"}
    bench.exchange.index.remember(two, at=AT)
    assert bench.exchange.index.known(["8", "9", "10"]).keys() == {"8"}
    assert len(bench.exchange.forgotten.tombstones()) == 6  # three codes (one of them former) and three accounts
