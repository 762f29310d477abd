"""What the exchange database promises of credit, discount groups and prices: on the fake, SQLite, PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.fields.table import CREDIT_COLUMNS
from kartoteka.model import Change, Deferral, Direction, Key, Link, Owner, Reason, Record, RecordState, Written
from kartoteka.ports.exchange import GroupItem, PriceKey, SentPrice
from tests.fakes.stored import StoredPrice
from tests.fixtures.exchange import Bench
from tests.fixtures.records import (
    AT,
    DEFERRED,
    FAR,
    HELD,
    LATER,
    about,
    change,
    clients,
    entries,
    forms,
    groups,
    intent,
    load,
    load_group,
    logged,
    price,
    row_of,
    save,
    store_prices,
    written,
)

SECOND = timedelta(seconds=1)
odd = pytest.mark.parametrize("bench", ["fake", "sqlite"], indirect=True)
"""Where a column holds whatever an ERP puts there."""


def pages(bench: Bench, size: int, group_id: str = "G") -> list[tuple[GroupItem, SentPrice | None]]:
    """Return a group's items, read page by page."""
    found: list[tuple[GroupItem, SentPrice | None]] = []
    after: PriceKey | None = None
    while page := bench.exchange.prices.items(group_id, after, size):
        assert len(page) <= size
        found += page
        assert len(found) < 1000, "it goes in a circle"
        after = page[-1][0].key
    return found


def the_item(bench: Bench, group_id: str = "G") -> GroupItem:
    ((found, _),) = bench.exchange.prices.items(group_id, None, 10)
    return found


# --- credit: a client's own row


def figures(bench: Bench, client_id: str = "C-1") -> dict[str, object]:
    return dict(row_of(load(bench, client_id, "credit")))


def test_a_row_of_credit_has_just_its_columns_whether_there_is_a_client_or_not(bench: Bench) -> None:
    bench.erp.set_credit("C-1", credit_allowed=True, credit_limit="5000", currency="PLN", payment_days="14", as_of=AT)
    row = figures(bench)
    assert Decimal(str(row.pop("credit_limit"))) == 5000
    assert row == {
        "credit_allowed": True,
        "balance": None,
        "currency": "PLN",
        "payment_days": "14",
        "overdue": None,
        "as_of": "2026-03-02T12:00:00+00:00",
    }
    bench.erp.insert_client("C-2")
    seen = bench.exchange.records.load("credit", clients("C-1", "C-2"))
    assert [(record.erp is None, record.has_client) for record in seen] == [(False, False), (True, True)]


@pytest.mark.parametrize(
    "text", ["1000", "1000.5", "1000.50", "0", "0.29", "-5.10", "9999999999.99", "1234567890.12", "0.01"]
)
def test_an_amount_is_text_and_exact(bench: Bench, text: str) -> None:
    bench.erp.set_credit("C-1", credit_limit=text, balance=text, overdue=text)
    bench.erp.set_item("G", "product", "7", price=text, base_price=text)
    row, item = figures(bench), the_item(bench)
    for found in (row["credit_limit"], row["balance"], row["overdue"], item.price, item.base_price):
        assert isinstance(found, str)
        assert (Decimal(found) == Decimal(text)) or found == text


@pytest.mark.parametrize("bench", ["fake", "sqlite", "postgresql"], indirect=True)
def test_what_some_engines_keep_as_a_number_that_is_none_is_text(bench: Bench) -> None:
    bench.erp.set_credit("C-1", credit_limit="NaN")
    bench.erp.set_item("G", "product", "7", price="NaN")
    assert (figures(bench)["credit_limit"], the_item(bench).price) == ("NaN", "NaN")


@odd
@pytest.mark.parametrize("text", ["12,50", "1 000", "zł", "", "0x10", "1e3 PLN"])
def test_what_is_no_amount_stays_as_it_is_to_the_letter(bench: Bench, text: str) -> None:
    bench.erp.set_credit("C-1", credit_limit=text, balance=text, payment_days=text)
    bench.erp.set_item("G", "product", "7", price=text, rebate_percent=text, base_price=text)
    row, item = figures(bench), the_item(bench)
    assert {row["credit_limit"], row["balance"], row["payment_days"]} == {text}
    assert {item.price, item.rebate_percent, item.base_price} == {text}


@odd
def test_an_amount_of_39_digits_is_some_text(bench: Bench) -> None:
    bench.erp.set_credit("C-1", credit_limit="1" * 39)
    bench.erp.set_credit("C-2", credit_limit="7")
    assert Decimal(str(figures(bench)["credit_limit"])) > 10**38
    assert figures(bench, "C-2")["credit_limit"] == "7"


@pytest.mark.parametrize("allowed", [True, False, None])
def test_credit_is_allowed_or_not_or_nobody_says(bench: Bench, allowed: bool | None) -> None:
    bench.erp.set_credit("C-1", credit_allowed=allowed)
    assert figures(bench)["credit_allowed"] is allowed


def test_figures_without_a_moment_have_none(bench: Bench) -> None:
    bench.erp.set_credit("C-1")
    assert figures(bench) == dict.fromkeys(CREDIT_COLUMNS)


@odd
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-23 10:00:00", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23 10:00:00.25", "2026-11-23T10:00:00.250000+00:00"),
        ("2026-11-23T00:30:00+01:00", "2026-11-22T23:30:00+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("20261123T100000", "2026-11-23T10:00:00+00:00"),
        ("yesterday", "yesterday"),
        ("23.11.2026", "23.11.2026"),
        ("2026-02-30", "2026-02-30"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("", ""),
    ],
)
def test_a_moment_comes_in_utc_and_what_is_none_to_the_letter(bench: Bench, text: str, shown: str) -> None:
    bench.erp.set_credit("C-1", as_of=text)
    bench.erp.set_credit("C-2", as_of=AT)
    assert figures(bench)["as_of"] == shown
    assert figures(bench, "C-2")["as_of"] == AT.isoformat()


def test_what_is_kept_of_credit_is_shown_with_its_row(bench: Bench) -> None:
    bench.erp.set_credit("C-1", balance="1")
    link = Link("C-1", "77", "b2b-1", "created")
    save(bench, change(concern="credit", link=link, base={"balance": "1"}, deferral=DEFERRED, status=IN_STEP))
    seen = load(bench, "C-1", "credit")
    assert (seen.link, seen.state) == (link, RecordState(forms({"balance": "1"}), deferral=DEFERRED, status=IN_STEP))


def test_edits_of_credit_are_logged(bench: Bench) -> None:
    bench.erp.set_credit("C-1", balance="1")
    bench.erp.set_credit("C-1", balance="2")
    bench.erp.delete_credit("C-1")
    assert logged(bench) == [("client_credit", "C-1", "C-1", operation) for operation in "IUD"]


# --- credit: how old


def test_outdated_are_those_from_the_one_moment_up_to_the_other(bench: Bench) -> None:
    for number, at in enumerate((AT - SECOND, AT, LATER - SECOND, LATER, None)):
        bench.erp.set_credit(f"C-{number}", as_of=at)
    assert list(bench.exchange.figures.outdated(AT, LATER)) == ["C-1", "C-2"]
    assert list(bench.exchange.figures.outdated(None, LATER)) == ["C-0", "C-1", "C-2"]
    elsewhere = timezone(timedelta(hours=9))
    assert list(bench.exchange.figures.outdated(AT.astimezone(elsewhere), LATER.astimezone(elsewhere))) == [
        "C-1",
        "C-2",
    ]


def test_there_may_be_no_end_and_no_beginning(bench: Bench) -> None:
    bench.erp.set_credit("C-1", as_of=AT)
    bench.erp.set_item("G", "product", "7", valid_to=AT)
    first, last = (at.replace(tzinfo=UTC) for at in (datetime(1, 1, 1), datetime(9999, 12, 31)))
    for since, until in ((None, last), (first, LATER)):
        assert list(bench.exchange.figures.outdated(since, until)) == ["C-1"]
        assert list(bench.exchange.prices.dated(since, until)) == ["G"]


def test_figures_without_a_client_are_nobodys(bench: Bench) -> None:
    bench.erp.set_credit("", as_of=AT)
    assert list(bench.exchange.figures.outdated(None, LATER)) == []


ODD_MOMENTS = {
    "2026-03-02T12:30:00Z": True,
    "2026-03-02 12:30": True,
    "2026-03-02T23:30:00+11:00": True,
    "2026-03-01 22:30:00-14:00": True,
    "2026-03-03T01:30:00.5+13:00": True,
    "20260302T123000": True,
    "2026-W10-1T12:30": True,
    "2026-03-02T23:59:59-01:00": False,
    "2026-03-02": False,
    "2026-03-02T": False,
    "noon": False,
    "02.03.2026 12:30": False,
    "": False,
}


@odd
def test_moments_in_any_words_are_found_at_their_time(bench: Bench) -> None:
    for text in ODD_MOMENTS:
        bench.erp.set_credit(text or "empty", as_of=text)
        bench.erp.set_item(text or "empty", "product", "7", valid_from=text)
        bench.erp.set_item(f"to {text}", "product", "7", valid_to=text)
    within = {text for text, is_within in ODD_MOMENTS.items() if is_within}
    assert set(bench.exchange.figures.outdated(AT, LATER)) == within
    assert set(bench.exchange.prices.dated(AT, LATER)) == within | {f"to {text}" for text in within}
    everything = bench.exchange.prices.dated(None, LATER + timedelta(days=9))
    assert set(everything) >= within
    assert not {"noon", "empty", "02.03.2026 12:30", "2026-03-02T"} & set(everything)


def test_prices_that_were_sent_are_counted(bench: Bench) -> None:
    store_prices(bench, price("7", "1.00"), price("8", "2.00"))
    bench.exchange.prices.doubt("H", [("product", "1")])
    assert [bench.exchange.prices.count_sent(*of) for of in ((), ("G",), ("H",), ("I",))] == [3, 2, 1, 0]


def test_the_newest_figures_are_those_of_the_latest_moment(bench: Bench) -> None:
    assert bench.exchange.figures.newest(FAR) is None
    bench.erp.set_credit("C-1")
    assert bench.exchange.figures.newest(FAR) is None
    for key, at in (("C-2", AT), ("C-3", LATER), ("C-4", AT - SECOND)):
        bench.erp.set_credit(key, as_of=at)
    assert bench.exchange.figures.newest(FAR) == LATER


@pytest.mark.parametrize("absurd", [FAR, datetime(2062, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_figures_of_a_later_moment_than_was_asked_for_are_not_the_newest(bench: Bench, absurd: datetime) -> None:
    bench.erp.set_credit("C-1", as_of=absurd)
    assert bench.exchange.figures.newest(LATER) is None
    bench.erp.set_credit("C-2", as_of=LATER)
    bench.erp.set_credit("C-3", as_of=LATER + SECOND)
    assert bench.exchange.figures.newest(LATER) == LATER


@odd
def test_the_newest_figures_are_found_among_moments_in_any_words(bench: Bench) -> None:
    for text in ODD_MOMENTS:
        bench.erp.set_credit(text or "empty", as_of=text)
    assert bench.exchange.figures.newest(FAR) == datetime(2026, 3, 3, 0, 59, 59, tzinfo=UTC)


# --- discounts: whose group


def test_a_clients_row_of_discounts_is_its_group(bench: Bench) -> None:
    bench.erp.insert_client("C-1", discount_group_id="G")
    bench.erp.insert_client("C-2")
    seen = bench.exchange.records.load("discounts", clients("C-1", "C-2", "C-3"))
    assert [record.erp for record in seen] == [{"discount_group_id": "G"}, {"discount_group_id": None}, None]


def test_what_is_kept_of_a_group_is_no_clients_of_the_same_id(bench: Bench) -> None:
    bench.erp.set_group("same", "A")
    bench.erp.insert_client("same", discount_group_id="G")
    of_group = about("same", base={"name": "A"}, panel_id="5", deferral=DEFERRED, intent=intent(name="B"))
    of_client = change("same", "discounts", base={"discount_group_id": "G"}, status=HELD)
    save(bench, of_group, of_client, about("same", "product/7", status=HELD))
    found = bench.exchange.records.load("discounts", [*groups("same"), *clients("same")])
    assert [(r.key, r.erp, r.state) for r in found] == [
        (of_group.record.key, {"name": "A"}, of_group.after),
        (of_client.record.key, {"discount_group_id": "G"}, of_client.after),
    ]
    states = bench.exchange.records.states(["discounts"], [*groups("same"), *clients("same")])
    assert states == {one.record.key: one.after for one in (of_group, of_client)}


def test_groups_and_clients_are_due_together_the_longest_due_first(bench: Bench) -> None:
    for number, key in enumerate(("one", "two")):
        save(bench, change(key, "discounts", deferral=Deferral(AT + number * SECOND, 1, 1, "x")))
        save(bench, about(key, deferral=Deferral(AT - (number + 1) * SECOND, 1, 1, "x")))
    due = bench.exchange.records.due
    assert list(due("discounts", LATER, 10)) == [*groups("two", "one"), *clients("one", "two")]
    assert list(due("discounts", None, 3)) == [*groups("two", "one"), *clients("one")]
    assert list(due("discounts", AT - SECOND, 10)) == groups("two", "one")
    assert list(due("credit", None, 10)) == []


def test_groups_and_clients_are_postponed_apart(bench: Bench) -> None:
    early = Deferral(AT, 1, 1, "x")
    save(bench, change("same", "discounts", deferral=early), about("same", deferral=early))
    save(bench, about("other", deferral=early), change("same", "credit", deferral=early))
    due, postpone = bench.exchange.records.due, bench.exchange.records.postpone
    postpone("discounts", groups("same"), LATER)
    assert set(due("discounts", AT, 10)) == {*groups("other"), *clients("same")}
    postpone("discounts", clients("same", ""), LATER)
    assert list(due("discounts", AT, 10)) == groups("other")
    assert list(due("credit", AT, 10)) == clients("same")
    postpone("discounts", groups("same"), AT)
    assert list(due("discounts", AT, 10)) == groups("other")


def test_linked_clients_of_a_group_are_its_members(bench: Bench) -> None:
    for key, group in (
        ("C-2", "G"),
        ("C-1", "G"),
        ("C-3", "H"),
        ("C-4", "I"),
        ("C-5", None),
        ("C-6", "G"),
        ("C-7", ""),
    ):
        bench.erp.insert_client(key, discount_group_id=group)
    linked = (Link(f"C-{n}", f"7{n}", "b2b", "created") for n in (1, 2, 3, 4, 5, 7, 8))
    save(bench, *(change(link.client_id, "accounts", link=link) for link in linked))
    assert list(bench.exchange.prices.members(["G"])) == ["C-1", "C-2"]
    assert list(bench.exchange.prices.members(["H", "G", ""])) == ["C-1", "C-2", "C-3"]
    assert list(bench.exchange.prices.members([])) == []


# --- groups


def test_a_group_of_which_nothing_is_known_is_answered_with_nothing(bench: Bench) -> None:
    seen = load_group(bench)
    assert seen == Record(Key("", "G", "discounts"))


def test_all_that_is_kept_of_a_group(bench: Bench) -> None:
    bench.erp.set_group("G", "Hurt")
    making = intent(name="Hurt", making=True)
    given = about("G", base={"name": "Old"}, panel_id="5", deferral=DEFERRED, intent=making, status=HELD)
    save(bench, given, change("G", "discounts", base={"x": "y"}), about("G", "product/7", base={}))
    seen = load_group(bench)
    assert (seen.erp, seen.state) == ({"name": "Hurt"}, given.after)
    save(bench, change(seen, intent=None, deferral=None, status=IN_STEP))
    assert load_group(bench).state == RecordState(forms({"name": "Old"}), "5", status=IN_STEP)


def test_groups_come_as_asked_for_each_once(bench: Bench) -> None:
    bench.erp.set_group("B", None)
    bench.erp.set_group("A", "x")
    seen = bench.exchange.records.load("discounts", groups("B", "C", "A", "B"))
    assert [(r.key.group_id, r.erp) for r in seen] == [("B", {"name": None}), ("C", None), ("A", {"name": "x"})]
    many = groups(*(f"G-{n}" for n in range(1200)))
    assert [record.key.owner for record in bench.exchange.records.load("discounts", many)] == many


def test_a_group_is_known_by_its_row_its_items_what_is_kept_of_it_or_prices(bench: Bench) -> None:
    assert list(bench.exchange.prices.group_ids()) == []
    bench.erp.set_group("row", "x")
    bench.erp.set_item("items", "product", "7")
    bench.erp.set_item("items", "product", "8")
    save(bench, about("base", base={}), about("held", status=HELD), change("C-1", "discounts", base={}))
    save(bench, about("deferred", deferral=DEFERRED))
    store_prices(bench, price(), group_id="prices")
    store_prices(bench, price(), group_id="row")
    bench.erp.set_group("", "x")
    bench.erp.set_item("", "product", "7")
    bench.erp.set_item("nobody's", "", "7")
    assert list(bench.exchange.prices.group_ids()) == ["base", "deferred", "items", "prices", "row"]


def test_the_panels_numbers_of_groups_are_told_of_those_that_have_one(bench: Bench) -> None:
    save(
        bench,
        about("A", base={"name": "x"}, panel_id="5"),
        about("B", base={"name": "y"}),
        about("C", panel_id="6"),
        about("D", "product/7", panel_id="7"),
        change("C-1", "delivery_addresses", "A-1", base={}, panel_id="8"),
        change("C-2", "discounts", base={}, panel_id="10"),
    )
    assert bench.exchange.prices.numbers() == {"A": "5", "C": "6"}


def test_edits_of_groups_and_items_are_logged_by_group(bench: Bench) -> None:
    bench.erp.set_group("G", "A")
    bench.erp.set_group("G", "B")
    bench.erp.delete_group("G")
    bench.erp.set_item("G", "product", "7", price="1")
    bench.erp.set_item("G", "product", "7", price="2")
    bench.erp.delete_item("G", "product", "7")
    assert logged(bench) == [
        *(("discount_groups", "G", "G", operation) for operation in "IUD"),
        *(("discount_group_items", "G", "product:7", operation) for operation in "IUD"),
    ]
    assert {(entry.client_id, entry.group_id, entry.owner) for entry in entries(bench)} == {("", "G", Owner("", "G"))}


# --- a group's items

KEYS = [(kind, str(n)) for kind in ("category", "menu_item", "product") for n in (1, 2, 10, 100, 11, 9)]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 100])
def test_all_items_are_read_page_by_page_each_once(bench: Bench, size: int) -> None:
    for kind, number in KEYS:
        bench.erp.set_item("G", kind, number, price="1")
    for other in ("F", "H", "g", "G "):
        bench.erp.set_item(other, "product", "7")
    found = [item.key for item, _ in pages(bench, size)]
    assert sorted(found) == sorted(KEYS)
    assert found == [item.key for item, _ in pages(bench, 100)]
    assert list(bench.exchange.prices.items("nobody", None, 10)) == []


def test_reading_goes_on_where_the_last_item_was_taken_away(bench: Bench) -> None:
    for kind, number in KEYS:
        bench.erp.set_item("G", kind, number)
    first = bench.exchange.prices.items("G", None, 4)
    bench.erp.delete_item("G", *first[-1][0].key)
    rest = bench.exchange.prices.items("G", first[-1][0].key, 100)
    assert sorted(item.key for item, _ in [*first, *rest]) == sorted(KEYS)


def test_an_item_has_all_its_columns(bench: Bench) -> None:
    bench.erp.set_item(
        *("G", "series", "12"), rebate_percent="15", base_price="100", currency="EUR", valid_from=AT, valid_to=LATER
    )
    item = the_item(bench)
    assert (Decimal(item.rebate_percent or ""), Decimal(item.base_price or "")) == (15, 100)
    shown = replace(item, rebate_percent=None, base_price=None)
    assert shown == GroupItem("series", "12", currency="EUR", valid_from=AT, valid_to=LATER)


def test_an_item_with_nothing_has_nothing(bench: Bench) -> None:
    bench.erp.set_item("G", "product", "7")
    assert the_item(bench) == GroupItem("product", "7")


def test_an_item_comes_with_what_was_sent(bench: Bench) -> None:
    for number in ("7", "8", "9"):
        bench.erp.set_item("G", "product", number)
    bench.erp.set_item("H", "product", "7")
    bench.erp.set_item("G", "producer", "7")
    known, doubtful = price("7", "10.00", "EUR", refused="11.00 EUR"), price("8", None, "")
    store_prices(bench, known, doubtful)
    sent = {item.key: what for item, what in pages(bench, 2)}
    nothing = {("producer", "7"): None, ("product", "9"): None}
    assert sent == {("product", "7"): known, ("product", "8"): doubtful, **nothing}
    assert [what for _, what in pages(bench, 2, "H")] == [None]


@pytest.mark.fault(70)
@odd
@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"valid_from": "soon"}, (None, None, "valid_from")),
        ({"valid_to": "2026-02-30"}, (None, None, "valid_to")),
        ({"valid_from": "soon", "valid_to": "late"}, (None, None, "valid_from,valid_to")),
        ({"valid_from": "2026-03-02T12:00:00Z", "valid_to": "late"}, (AT, None, "valid_to")),
        ({"valid_from": "x", "valid_to": "2026-03-02 13:00"}, (None, LATER, "valid_from")),
        ({"valid_from": "", "valid_to": None}, (None, None, "")),
    ],
)
def test_a_date_that_is_none_is_named_and_spoils_no_neighbour(
    bench: Bench, dates: dict[str, str], expected: tuple[object, ...]
) -> None:
    bench.erp.set_item("G", "product", "7", price="12,50", **dates)
    bench.erp.set_item("G", "product", "8", valid_from=AT)
    first, second = (item for item, _ in pages(bench, 10))
    assert (first.valid_from, first.valid_to, first.unreadable) == expected
    assert (first.price, second.valid_from, second.unreadable) == ("12,50", AT, "")


ODD_IDS = ["7", "07x", "7.5", "-1", "abc", "Żółw", "7/8", "a b", "%", "9" * 39, "1e400", "0.30000000000000004", "NaN"]


@odd
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_items_with_any_id_are_read_each_once(bench: Bench, size: int) -> None:
    for text in ODD_IDS:
        bench.erp.set_item("G", "product", text)
        bench.erp.set_item("G", "?", text)
    bench.erp.set_item("G", "product", "")
    bench.erp.set_item("G", "", "7")
    found = [item for item, _ in pages(bench, size)]
    assert len(found) == len({item.key for item in found}) == 2 * len(ODD_IDS)
    plain = {text for text in ODD_IDS if text[0] not in "019"}
    assert plain <= {item.item_id for item in found}


def test_an_item_without_a_kind_is_nobodys(bench: Bench) -> None:
    bench.erp.set_item("G", "", "7")
    assert pages(bench, 10) == []


# --- what was sent


def test_prices_of_items_without_a_row_are_told(bench: Bench) -> None:
    bench.erp.set_item("G", "product", "7")
    bench.erp.set_item("G", "product", "8")
    bench.erp.set_item("H", "product", "9")
    bench.erp.set_item("G", "producer", "9")
    store_prices(bench, price("7"), price("9", refused="x"), price("10", None, ""))
    store_prices(bench, SentPrice("producer", "9", "1.00", "PLN"))
    store_prices(bench, price("9"), price("11"), group_id="H")
    gone = bench.exchange.prices.without_item("G", 10)
    assert len(gone) == 2
    assert {one.key: one for one in gone} == {
        ("product", "9"): price("9", refused="x"),
        ("product", "10"): price("10", None, ""),
    }
    assert len(bench.exchange.prices.without_item("G", 1)) == 1
    bench.erp.delete_item("G", "product", "7")
    assert len(bench.exchange.prices.without_item("G", 10)) == 3


def test_statuses_of_items_are_told_by_their_group(bench: Bench) -> None:
    ids = ["G", "GG", "g", "G_", "G%", "G/product", "[G]"]
    save(bench, *(about(group_id, "product/7", status=HELD) for group_id in ids), about("G", "product/8", status=HELD))
    save(bench, *(about(group_id, status=HELD) for group_id in ids), about("G", "product/9", base={}))
    save(bench, change("G", "discounts", "product/10", status=HELD))
    assert bench.exchange.prices.statuses("G") == {"product/7": HELD, "product/8": HELD}
    for group_id in ids[1:]:
        assert bench.exchange.prices.statuses(group_id) == {"product/7": HELD}
    assert bench.exchange.prices.statuses("XX") == {}


def test_a_persons_word_about_a_price_is_told_and_cleared_when_it_was_taken(bench: Bench) -> None:
    said = [about("G", f"product/{n}", status=HELD) for n in (7, 8)]
    bench.exchange.prices.store("G", [], [], [*said, about("H", "product/7", status=HELD)], run_id="r", at=AT)
    assert bench.exchange.prices.decisions("G") == {}
    bench.erp.decide_status("", "discounts", "Retry", "product/7", "G")
    bench.erp.decide_status("", "discounts", "done", "product/7", "H")
    assert bench.exchange.prices.decisions("G") == {"product/7": "Retry"}
    before = replace(said[0].record, state=RecordState(status=HELD, decision="Retry"))
    bench.exchange.prices.store("G", [], [], [Change(before, RecordState(status=HELD))], run_id="r", at=AT)
    assert bench.exchange.prices.decisions("G") == {}
    assert bench.exchange.prices.decisions("H") == {"product/7": "done"}


def test_groups_are_told_whose_items_begin_or_end_in_a_time(bench: Bench) -> None:
    for n, moment in enumerate((AT, AT + SECOND, LATER, LATER + SECOND, None)):
        bench.erp.set_item(f"from-{n}", "product", "7", valid_from=moment)
        bench.erp.set_item(f"to-{n}", "product", "7", valid_to=moment)
    bench.erp.set_item("from-1", "product", "8", valid_from=LATER, valid_to=LATER)
    bench.erp.set_item("", "product", "8", valid_from=LATER)
    within = ["from-1", "from-2", "to-1", "to-2"]
    assert list(bench.exchange.prices.dated(AT, LATER)) == within
    assert list(bench.exchange.prices.dated(None, LATER)) == ["from-0", "from-1", "from-2", "to-0", "to-1", "to-2"]
    elsewhere = timezone(timedelta(hours=9))
    assert list(bench.exchange.prices.dated(AT.astimezone(elsewhere), LATER.astimezone(elsewhere))) == within


def stored(bench: Bench) -> dict[tuple[str, str], StoredPrice]:
    """Return what was sent to G, by key."""
    return {key[1:]: what for key, what in bench.erp.sent.items() if key[0] == "G"}


def test_a_doubtful_price_is_known_to_nobody(bench: Bench) -> None:
    store_prices(bench, price("7", refused="11.00 PLN"), price("8", refused="x"), price("9"))
    store_prices(bench, price("7"), group_id="H")
    bench.exchange.prices.doubt("G", [("product", "7"), ("producer", "1"), ("product", "7")])
    assert stored(bench) == {
        ("product", "7"): StoredPrice(None, "PLN", "", AT),
        ("product", "8"): StoredPrice("10.00", "PLN", "x", AT),
        ("product", "9"): StoredPrice("10.00", "PLN", "", AT),
        ("producer", "1"): StoredPrice(None, "", "", None),
    }
    assert bench.erp.sent["H", "product", "7"].price == "10.00"
    bench.exchange.prices.doubt("G", [])
    assert stored(bench)["product", "8"].price == "10.00"


def test_all_prices_of_a_group_may_be_doubtful(bench: Bench) -> None:
    store_prices(bench, price("7", refused="x"), price("8"))
    store_prices(bench, price("7"), group_id="H")
    bench.exchange.prices.doubt("G", None)
    assert stored(bench) == dict.fromkeys([("product", "7"), ("product", "8")], StoredPrice(None, "PLN", "", AT))
    assert bench.erp.sent["H", "product", "7"].price == "10.00"


def test_prices_are_stored_with_what_is_to_be_said_of_them(bench: Bench) -> None:
    held = about("G", "product/9", status=HELD)
    save(bench, held)
    store_prices(bench, price("7", "9.00"), price("8"), price("9"))
    store_prices(bench, price("8"), group_id="H")
    sent = about("G", "product/7", written=(written("price", "9.00", "12.50", counts=True),))
    store_prices(
        bench,
        price("7", "12.50", "EUR", refused="13.00 EUR"),
        removed=[("product", "8"), ("product", "77")],
        changes=[
            sent,
            about("G", "product/10", status=HELD),
            change(Record(held.record.key, state=held.after), status=None),
        ],
        at=LATER,
    )
    assert stored(bench) == {
        ("product", "7"): StoredPrice("12.50", "EUR", "13.00 EUR", LATER),
        ("product", "9"): StoredPrice("10.00", "PLN", "", AT),
    }
    assert ("H", "product", "8") in bench.erp.sent
    assert bench.exchange.prices.statuses("G") == {"product/10": HELD}
    (row,) = bench.erp.history
    assert (row.at, row.run_id, Key(row.client_id, row.group_id, row.concern, row.item_id)) == (
        *(LATER, "run-1"),
        sent.record.key,
    )
    assert (row.field, row.value_before, row.value_after, row.counts) == ("price", "9.00", "12.50", True)


def test_a_price_that_was_removed_and_set_is_set(bench: Bench) -> None:
    store_prices(bench, price("7", "1.00"), price("7", "2.00"), removed=[("product", "7")])
    assert stored(bench) == {("product", "7"): StoredPrice("2.00", "PLN", "", AT)}


def test_storing_no_prices_stores_nothing(bench: Bench) -> None:
    store_prices(bench)
    assert stored(bench) == {}


def test_thousands_of_prices_are_stored_at_once(bench: Bench) -> None:
    many = [price(str(n)) for n in range(2500)]
    store_prices(bench, *many)
    assert len(stored(bench)) == 2500
    bench.exchange.prices.doubt("G", [one.key for one in many])
    assert {one.price for one in stored(bench).values()} == {None}
    store_prices(bench, removed=[one.key for one in many[1:]])
    assert list(stored(bench)) == [("product", "0")]


def test_prices_are_forgotten_with_their_group(bench: Bench) -> None:
    for group in ("G", "H"):
        store_prices(bench, price("7"), price("8"), group_id=group)
    save(bench, about("G", base={}))
    bench.exchange.prices.forget("G")
    assert {key[0] for key in bench.erp.sent} == {"H"}
    assert list(bench.exchange.prices.group_ids()) == ["G", "H"]


@pytest.mark.parametrize("passed", [False, True])
def test_the_prices_of_a_group_that_was_deleted_are_forgotten_and_counted(bench: Bench, passed: bool) -> None:
    records, prices = bench.exchange.records, bench.exchange.prices
    sent = [SentPrice("product", str(n), "9.99", "PLN") for n in range(3)]
    prices.store("G", [*sent, SentPrice("series", "4", None)], [], [], run_id="r", at=AT)
    prices.store("H", sent[:1], [], [], run_id="r", at=AT)
    removal = Written("price", Direction.ERP_TO_PANEL, Reason.EDIT, None, None, counts=not passed, passed=passed)
    prices.remove_all("discounts", "G", removal, run_id="r-1", at=AT, found_by="full_scan")
    assert (prices.count_sent("G"), prices.count_sent("H")) == (0, 1)
    assert records.counted("discounts", AT, prices=True) == (0 if passed else 3)
    keys = {Key("", "G", "discounts", f"product/{n}") for n in range(3)}
    assert set(records.written("discounts", AT, prices=True)) == (set() if passed else keys)
    assert records.counted("discounts", AT + timedelta(seconds=1), prices=True) == 0
