"""Clients who were erased, in the fake and on each engine: no port stores anything of them, whoever asks it to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kartoteka import codes
from kartoteka.codes import IN_STEP
from kartoteka.model import (
    Candidate,
    Change,
    Direction,
    Key,
    Line,
    Link,
    Owner,
    Planned,
    Record,
    RecordState,
    RowWrite,
)
from kartoteka.ports.exchange import Chosen, IncomingClient, PlanChange, SeenAccount
from kartoteka.ports.panel import Days, Window
from tests.fixtures.exchange import Bench
from tests.fixtures.records import AT, change, edit, forms, item, load, save, written

MINUTE = timedelta(minutes=1)
SEEN = SeenAccount("7", "login-7", "C-1", "nip", "mail", modified_at=AT, registered=AT.date())
OTHER = replace(SEEN, panel_client_id="8", external_code="C-2", login="login-8")


def linked(client_id: str, account: str) -> Change:
    record = Record(Key(client_id, "", "accounts"))
    held = Change(record, RecordState(status=codes.status("shared_account.linked", accounts=account, value="?")))
    link = Link(client_id, account, f"login-{account}", "nip")
    return Change(record, RecordState(status=IN_STEP), link=link, otherwise=held)


@pytest.fixture
def erased(bench: Bench) -> Bench:
    """Give a database in which C-1 (account 7) was erased and C-2 (account 8) was not."""
    for client_id, account in (("C-1", "7"), ("C-2", "8")):
        bench.erp.insert_client(client_id, email=f"{client_id}@x.pl", city="Łódź")
        save(bench, linked(client_id, account))
        save(bench, change(client_id, base=forms({"city": "Łódź"}), written=(written("city", None, "Łódź"),)))
    bench.exchange.index.remember([SEEN, OTHER], at=AT)
    assert bench.exchange.forgotten.forget("C-1", at=AT)["sync_links"] == 1
    return bench


def told(bench: Bench) -> list[tuple[str, str]]:
    concerns = ["accounts", "billing", "delivery_addresses"]
    states = bench.exchange.records.states(concerns, [Owner("C-1")])
    return sorted((key.concern, state.status.code if state.status else "") for key, state in states.items())


def test_nothing_of_it_is_stored_and_the_neighbour_in_the_same_save_is(erased: Bench) -> None:
    late = change("C-1", base=forms({"city": "Kanarkowo"}), written=(written("city", "Łódź", "Kanarkowo"),))
    same = change("C-2", base=forms({"city": "Gdynia"}), written=(written("city", "Łódź", "Gdynia"),))
    address = item("A-1", "C-1", row=RowWrite(insert={"city": "Kanarkowo"}))
    answer = save(erased, late, edit("C-1", city=("Łódź", "Kanarkowo")), address, same)
    assert not answer.refused
    assert {key.client_id for key in answer.again} == {"C-1"}, "what was not stored is told, so that nothing is sent"
    assert told(erased) == [("accounts", "forgotten")]
    assert [(h.client_id, h.value_after) for h in erased.erp.history] == [("C-2", "Łódź"), ("C-2", "Gdynia")]
    row = erased.erp.client("C-1")
    assert row is not None
    assert row["city"] == "Łódź"
    assert erased.erp.address("A-1") is None


def test_it_is_loaded_as_one_that_is_not_there(erased: Bench) -> None:
    record = load(erased, "C-1", "accounts")
    assert (record.erp, record.link, record.has_client, record.forgotten) == (None, None, False, True)
    assert record.code == "forgotten"
    assert (load(erased, "C-1").state, load(erased, "C-2").forgotten) == (RecordState(), False)
    erased.erp.delete_client("C-1")
    assert not load(erased, "C-1", "accounts").forgotten


def test_that_it_was_erased_may_be_said_and_taken_back(erased: Bench) -> None:
    record = load(erased, "C-1", "accounts")
    save(erased, Change(record, RecordState()))
    assert told(erased) == []
    save(erased, Change(load(erased, "C-1", "accounts"), RecordState(status=codes.status("forgotten"))))
    assert told(erased) == [("accounts", "forgotten")]
    save(erased, Change(load(erased, "C-1", "accounts"), RecordState(status=codes.status("deleted"))))
    assert told(erased) == [("accounts", "forgotten")]


@pytest.mark.parametrize("client_id", ["C-1", "C-3"])
def test_its_account_is_linked_to_nobody(erased: Bench, client_id: str) -> None:
    erased.erp.insert_client("C-3")
    save(erased, linked(client_id, "7"))
    assert erased.exchange.index.owners(["7"]) == {}
    assert erased.exchange.index.owners(["8"]) == {"8": "C-2"}


def test_its_account_is_in_no_index_and_still_counted(erased: Bench) -> None:
    index, later = erased.exchange.index, AT + MINUTE
    assert index.known(["7", "8"]).keys() == {"8"}
    assert index.count_seen(None, None) == 2
    index.remember([replace(SEEN, modified_at=later, external_code="")], at=later)
    assert index.known(["7"]) == {}
    assert index.find(["C-1"], SEEN.marks) == [OTHER]
    assert index.count_seen(Window(later, later), None) == 1
    assert index.count_seen(Days(AT.date(), AT.date()), later) == 1
    assert [account.panel_client_id for account in index.latest(9)] == ["8"]
    assert not erased.exchange.forgotten.to_be_swept(AT)


def test_an_account_that_carries_its_code_is_its_own_from_then_on(erased: Bench) -> None:
    index, new = erased.exchange.index, replace(SEEN, panel_client_id="9", login="login-9")
    assert erased.exchange.forgotten.accounts([SEEN, OTHER, new]) == {"7", "9"}
    index.remember([new], at=AT)
    assert index.known(["9"]) == {}
    assert erased.exchange.forgotten.accounts([replace(new, external_code="")]) == {"9"}
    assert erased.exchange.forgotten.accounts([replace(OTHER, external_code="c-1")]) == set()


def test_nobody_is_told_of_its_account_and_it_contends_for_none(erased: Bench) -> None:
    erased.exchange.index.list_incoming([IncomingClient("7", {}), IncomingClient("10", {})], at=AT)
    assert list(erased.erp.incoming) == ["10"]
    assert erased.exchange.index.hints() == []


def test_nothing_of_it_is_planned(erased: Bench) -> None:
    lines = [
        Line(Key(client, "", "billing"), Planned.UPDATE, "city", Direction.ERP_TO_PANEL, "a", "Kanarkowo", "edit")
        for client in ("C-1", "C-2")
    ]
    erased.exchange.plans.store(PlanChange(new=lines), at=AT)
    assert [row.line.key.client_id for row in erased.exchange.plans.open(Chosen(), 0, 9)] == ["C-2"]


def test_what_is_shown_is_what_is_erased_and_a_second_time_nothing(erased: Bench) -> None:
    assert erased.exchange.forgotten.found("C-1").keys() <= {"change_log"}
    known = dict(erased.exchange.forgotten.found("C-2"))
    done = dict(erased.exchange.forgotten.forget("C-2", at=AT))
    assert {**done, "change_log": 0} == {**known, "change_log": 0}
    assert done.keys() >= {"sync_base", "sync_history", "sync_links", "sync_panel_accounts"} - {"sync_status"}


def test_another_clients_account_is_not_taken_along(bench: Bench) -> None:
    for client_id in ("C-1", "C-2"):
        bench.erp.insert_client(client_id)
    save(bench, linked("C-2", "8"))
    bench.exchange.index.remember([replace(OTHER, external_code="C-1")], at=AT)  # its code is wrong, its link is not
    bench.exchange.forgotten.forget("C-1", at=AT)
    assert bench.exchange.index.owners(["8"]) == {"8": "C-2"}


def test_the_second_erasure_comes_when_its_time_has_and_finds_what_came_between(erased: Bench) -> None:
    assert erased.exchange.forgotten.to_be_swept(AT + MINUTE)
    assert not erased.exchange.forgotten.to_be_swept(AT)
    assert "sync_links" not in erased.exchange.forgotten.sweep(AT + MINUTE, at=AT + MINUTE)
    assert not erased.exchange.forgotten.to_be_swept(datetime(2030, 1, 1, tzinfo=UTC))
    assert erased.exchange.index.owners(["8"]) == {"8": "C-2"}
    assert [h.client_id for h in erased.erp.history] == ["C-2"]


def test_allowed_again_it_is_a_client_like_any_other(erased: Bench) -> None:
    stones = erased.exchange.forgotten.tombstones("C-1")
    assert stones == erased.exchange.forgotten.tombstones()
    assert len(stones) == 2
    assert erased.exchange.forgotten.allow("C-1")
    record = load(erased, "C-1", "accounts")
    assert (record.forgotten, record.has_client) == (False, True)
    save(erased, linked("C-1", "7"), Change(record, record.state, candidates=(Candidate("C-1", "7", "nip"),)))
    assert erased.exchange.index.owners(["7"]) == {"7": "C-1"}
    assert erased.exchange.forgotten.restore(stones, at=AT) == 2
    assert erased.exchange.forgotten.is_forgotten("C-1")
