"""One exchange database has one owner, on every engine and on the fake: who else asks is refused and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.errors import Halt
from kartoteka.model import Direction, Link, Owner, Reason, Written
from kartoteka.ports.exchange import Chosen, Exchange, IncomingClient, PlanChange, SeenAccount, SentPrice, Tombstone
from tests.fixtures.exchange import INSTALLATION, Bench
from tests.fixtures.records import AT, about, change, edit, load, save

OTHER = "arn:aws:cloudformation:eu-central-1:123456789012:stack/" + "k" * 128 + "/51af3dc0-da77-11e4-872e-1234567db123"
"""The longest id that a stack can have."""
SEEN = SeenAccount("9", "b2b-9", "", "", "")
REMOVED = Written("price", Direction.ERP_TO_PANEL, Reason.EDIT, None, None)

WRITES: dict[str, Callable[[Exchange], object]] = {
    "log.prune": lambda e: e.log.prune(AT),
    "records.save": lambda e: e.records.save([change("C-2", status=IN_STEP)], run_id="r", at=AT),
    "records.save of a group": lambda e: e.records.save([about("G", status=IN_STEP)], run_id="r", at=AT),
    "records.save unless changed": lambda e: e.records.save(
        [change("C-2", status=IN_STEP)], run_id="r", at=AT, unless_changed=True
    ),
    "records.rename": lambda e: e.records.rename("C-1", "C-9"),
    "records.postpone": lambda e: e.records.postpone("billing", [Owner("C-1")], AT),
    "index.remember": lambda e: e.index.remember([SEEN], at=AT),
    "index.list_incoming": lambda e: e.index.list_incoming([IncomingClient("9", {})], at=AT),
    "index.unlist_incoming": lambda e: e.index.unlist_incoming(["9"]),
    "prices.doubt": lambda e: e.prices.doubt("G", [("product", "1")]),
    "prices.doubt all": lambda e: e.prices.doubt("G", None),
    "prices.store": lambda e: e.prices.store("G", [SentPrice("product", "1", "2.00")], [], [], run_id="r", at=AT),
    "prices.forget": lambda e: e.prices.forget("G"),
    "prices.remove_all": lambda e: e.prices.remove_all("discounts", "G", REMOVED, run_id="r", at=AT),
    "pauses.pause": lambda e: e.pauses.pause("billing", "operator", at=AT),
    "pauses.resume": lambda e: e.pauses.resume("billing"),
    "plans.store": lambda e: e.plans.store(PlanChange(gone=[1]), at=AT),
    "plans.drop": lambda e: e.plans.drop("billing"),
    "plans.prune": lambda e: e.plans.prune(AT),
    "plans.decide": lambda e: e.plans.decide(Chosen("billing"), "approve", "me"),
    "forgotten.forget": lambda e: e.forgotten.forget("C-1", at=AT),
    "forgotten.allow": lambda e: e.forgotten.allow("C-1"),
    "forgotten.restore": lambda e: e.forgotten.restore([Tombstone("d", "d")], at=AT),
    "forgotten.sweep": lambda e: e.forgotten.sweep(AT, at=AT),
    "forgotten.expire": lambda e: e.forgotten.expire(AT, 10, at=AT),
}
"""Every method of the ports that writes."""


def test_a_database_is_nobodys_until_somebody_writes_and_then_its_first_writers(bench: Bench) -> None:
    ownership = bench.exchange.ownership
    assert ownership.installation == INSTALLATION
    assert ownership.holder() is None
    save(bench, change("C-1", status=IN_STEP))
    found = ownership.holder()
    assert found is not None
    assert (found.installation, found.former) == (INSTALLATION, "")
    assert ownership.hold() == found


def test_who_asks_first_holds_it(bench: Bench) -> None:
    found = bench.exchange.ownership.hold()
    assert found is not None
    assert found.installation == INSTALLATION
    other = bench.asked_by(OTHER).ownership
    assert other.hold() == other.holder() == found, "a claim takes nothing from anybody"


def test_a_tool_owns_nothing_and_is_refused_nothing(bench: Bench) -> None:
    tool = bench.asked_by("")
    assert tool.ownership.hold() is None
    tool.pauses.pause("billing", "operator", at=AT)
    assert bench.exchange.ownership.holder() is None
    bench.exchange.ownership.hold()
    tool.pauses.resume("billing")


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_another_installation_writes_nothing_at_all(bench: Bench, write: Callable[[Exchange], object]) -> None:
    bench.erp.insert_client("C-1", street="A")
    save(bench, change("C-1", status=IN_STEP, link=Link("C-1", "1", "b2b-1", "created")))
    before = load(bench, "C-1")
    with pytest.raises(Halt, match=f"not_owner: .*{INSTALLATION}.*takeover"):
        write(bench.asked_by(OTHER))
    assert load(bench, "C-1") == before
    assert bench.exchange.pauses.paused() == {}
    assert bench.exchange.index.known(["9"]) == {}
    assert bench.exchange.prices.count_sent() == 0
    assert not bench.exchange.forgotten.is_forgotten("C-1")
    assert load(bench, "C-2").state.status is None


def test_nor_does_it_write_into_the_erps_row_or_the_history(bench: Bench) -> None:
    bench.erp.insert_client("C-1", street="A")
    save(bench, change("C-1", status=IN_STEP))
    with pytest.raises(Halt, match="not_owner"):
        bench.asked_by(OTHER).records.save([edit("C-1", street=("A", "B"))], run_id="r", at=AT)
    row = bench.erp.client("C-1")
    assert row is not None
    assert row["street"] == "A"
    assert bench.erp.history == []


def test_an_ownership_never_expires(bench: Bench) -> None:
    bench.exchange.ownership.take_over(at=AT - timedelta(days=10_000))
    with pytest.raises(Halt, match="not_owner"):
        save_as(bench, OTHER)
    bench.asked_by(OTHER).ownership.take_over(at=AT - timedelta(days=10_000))
    with pytest.raises(Halt, match="not_owner"):
        save_as(bench, INSTALLATION)


def test_a_takeover_says_from_whom_and_since_when(bench: Bench) -> None:
    bench.exchange.ownership.hold()
    other = bench.asked_by(OTHER)
    found = other.ownership.take_over(at=AT)
    assert (found.installation, found.since, found.former) == (OTHER, AT, INSTALLATION)
    assert bench.exchange.ownership.holder() == found
    assert other.ownership.take_over(at=AT + timedelta(hours=1)) == found, "its own one stays as it is"
    save_as(bench, OTHER)
    with pytest.raises(Halt, match=r"not_owner: .* since 2026-\d\d-\d\d \d\d:\d\d UTC"):
        save_as(bench, INSTALLATION)


def test_what_is_nobodys_is_taken_over_without_a_former_owner(bench: Bench) -> None:
    found = bench.asked_by(OTHER).ownership.take_over(at=AT)
    assert (found.installation, found.former) == (OTHER, "")


def test_only_its_owner_gives_a_database_back(bench: Bench) -> None:
    ownership, other = bench.exchange.ownership, bench.asked_by(OTHER).ownership
    assert not ownership.give_back(), "it is nobody's"
    ownership.hold()
    assert not other.give_back()
    assert ownership.give_back()
    assert ownership.holder() is None
    found = other.hold()
    assert found is not None
    assert found.installation == OTHER


def test_names_are_compared_to_the_letter(bench: Bench) -> None:
    bench.exchange.ownership.hold()
    for like in (INSTALLATION.upper(), f"{INSTALLATION} ", INSTALLATION[:-1]):
        with pytest.raises(Halt, match="not_owner"):
            save_as(bench, like)


def test_of_many_that_claim_at_once_one_owns_it(bench: Bench) -> None:
    names = [f"stack-{n}" for n in range(6)]
    exchanges = [bench.asked_by(name) for name in names]
    for exchange in exchanges:
        exchange.records.count_linked()  # connected: the claims are as close together as can be

    def claim(exchange: Exchange) -> bool:
        try:
            exchange.pauses.pause("billing", exchange.ownership.installation, at=AT)
        except Halt:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        won = list(pool.map(claim, exchanges))
    assert won.count(True) == 1
    found = bench.exchange.ownership.holder()
    assert found is not None
    assert found.installation == names[won.index(True)]
    assert bench.exchange.pauses.paused() == {"billing": found.installation}


def save_as(bench: Bench, installation: str) -> None:
    """Store an intent as an installation."""
    bench.asked_by(installation).records.save([change("C-1", status=IN_STEP)], run_id="r", at=AT)
