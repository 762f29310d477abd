"""What the exchange database promises of finding whose account is whose, and of the brake's count; on all three."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.fields.table import BILLING, Column
from kartoteka.model import (
    Candidate,
    Change,
    ConflictNote,
    Direction,
    Key,
    Link,
    Owner,
    Reason,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.ports.exchange import ClientHint, IncomingClient, SeenAccount
from kartoteka.ports.panel import Days, Window
from tests.fixtures.exchange import Bench
from tests.fixtures.records import (
    ADDRESSES,
    AT,
    DEFERRED,
    LATER,
    about,
    change,
    entries,
    forms,
    head,
    item,
    logged,
    save,
    written,
)

DAY = timedelta(days=1)
EMPTY: Values = dict.fromkeys(BILLING)
JAN: Values = {**EMPTY, "email": "jan@x.pl", "last_name": "Żak", "country_code": "PL", "wholesaler": False}


def seen(number: int, *, login: str = "x", code: str = "", nip: str = "", email: str = "") -> SeenAccount:
    return SeenAccount(str(number), login, code, nip, email)


def newcomer(number: int, **values: Value) -> IncomingClient:
    return IncomingClient(str(number), {**JAN, **values})


def remember(bench: Bench, *accounts: SeenAccount, at: datetime = AT) -> None:
    bench.exchange.index.remember(accounts, at=at)


def linked(client_id: str, panel_client_id: str) -> Change:
    return change(client_id, "accounts", link=Link(client_id, panel_client_id, "x", "created"))


def offered(client_id: str, *candidates: Candidate) -> Change:
    return change(client_id, "accounts", candidates=candidates)


# --- the account index


def test_accounts_are_found_by_code_tax_number_or_e_mail(bench: Bench) -> None:
    accounts = [
        replace(seen(1, code="C-1", nip="111", email="one@x.pl"), modified_at=AT, guest=True),
        seen(2, code="C-2", nip="222", email="two@x.pl"),
        seen(3, nip="222", email="three@x.pl"),
        seen(4, nip="444", email="two@x.pl"),
        seen(5, nip="555", email="five@x.pl"),
        replace(seen(6), telephone="+48501502503"),
    ]
    remember(bench, *accounts)
    number, mail = ("nip", "222"), ("email", "two@x.pl")
    assert list(bench.exchange.index.find(["C-1"], [number, mail])) == accounts[:4]
    assert list(bench.exchange.index.find(["C-2"], [number, mail])) == accounts[1:4], "each once"
    assert list(bench.exchange.index.find([], [("nip", "555"), ("phone", "+48501502503")])) == accounts[4:]
    assert list(bench.exchange.index.find(["111"], [("nip", "C-1"), ("email", "222"), ("phone", "222")])) == []


def test_nothing_is_found_by_what_is_empty(bench: Bench) -> None:
    remember(bench, seen(1), seen(2, code="C-2"))
    assert list(bench.exchange.index.find([""], [])) == []
    assert list(bench.exchange.index.find([], [])) == []


def test_a_code_is_found_whatever_its_case_and_the_blanks_around_it(bench: Bench) -> None:
    remember(bench, seen(1, code="Ż-1"), seen(2, code="ż-1"), seen(3, code=" Ż-1 "), seen(4, code="Z-1"), seen(5))
    for code in ("ż-1", "Ż-1", "Ż-1 "):
        assert [x.panel_client_id for x in bench.exchange.index.find([code], [])] == ["1", "2", "3"]


def test_what_more_accounts_have_than_allowed_is_told_guests_not_counted(bench: Bench) -> None:
    many = [replace(seen(n, nip="PL1", email="biuro@x.pl"), telephone="+48501502503") for n in range(6)]
    guests = [replace(seen(10 + n, email="gast@x.pl"), guest=True) for n in range(6)]
    remember(bench, *many, *guests, seen(20, email="gast@x.pl"), *(seen(30 + n, nip="PL3") for n in range(5)))
    marks = [("nip", "PL1"), ("email", "biuro@x.pl"), ("phone", "+48501502503")]
    others = [("email", "gast@x.pl"), ("nip", "PL3"), ("nip", "biuro@x.pl"), ("email", "PL1"), ("phone", "")]
    assert bench.exchange.index.crowded([*marks, *others], 5) == frozenset(marks)
    assert bench.exchange.index.crowded([*marks, *others], 4) == frozenset([*marks, ("nip", "PL3")])
    assert bench.exchange.index.crowded(marks, 6) == frozenset()
    assert bench.exchange.index.crowded([], 0) == frozenset()
    twelve_hundred = [("nip", f"PL{n}") for n in range(1200)]
    assert bench.exchange.index.crowded(twelve_hundred, 5) == {("nip", "PL1")}


def test_twelve_hundred_codes_are_looked_up_at_once(bench: Bench) -> None:
    remember(bench, *(seen(n, code=f"C-{n}") for n in range(1200)))
    found = bench.exchange.index.find([f"C-{n}" for n in range(1200)], [])
    assert len(found) == 1200


def test_accounts_are_remembered_and_renewed(bench: Bench) -> None:
    first = replace(seen(77, login="b2b", code="C-1", nip="5250001233", email="a@b.pl"), modified_at=AT, guest=True)
    remember(bench, first, seen(78))
    bench.exchange.index.remember([replace(first, login="new", modified_at=LATER)], at=LATER)
    assert bench.exchange.index.known(["77", "78", "79"]) == {
        "77": replace(first, login="new", modified_at=LATER),
        "78": seen(78),
    }
    remember(bench)
    assert bench.exchange.index.known([]) == {}


def test_an_account_that_is_given_twice_is_remembered_as_the_last(bench: Bench) -> None:
    remember(bench, seen(77, login="old"), seen(77, login="new"))
    assert bench.exchange.index.known(["77"])["77"].login == "new"


def test_accounts_are_counted_by_their_date_both_ends_included(bench: Bench) -> None:
    times = [AT - timedelta(seconds=1), AT, AT + timedelta(minutes=5), LATER, LATER + timedelta(seconds=1), None]
    remember(bench, *(replace(seen(n), modified_at=at) for n, at in enumerate(times)))
    assert bench.exchange.index.count_seen(Window(AT, LATER), None) == 3
    assert bench.exchange.index.count_seen(None, None) == 6


def test_accounts_are_counted_by_their_day_of_registration_both_ends_included(bench: Bench) -> None:
    first = date(2026, 3, 2)
    days = [first - DAY, first, first + DAY, first + 2 * DAY, None]
    remember(bench, *(replace(seen(n), registered=day) for n, day in enumerate(days)))
    assert bench.exchange.index.count_seen(Days(first, first + DAY), None) == 2
    assert bench.exchange.index.known(["1"])["1"].registered == first


def test_the_accounts_modified_last_come_first_and_none_without_a_date(bench: Bench) -> None:
    times = [AT, LATER, None, AT + timedelta(minutes=5), LATER]
    remember(bench, *(replace(seen(n), modified_at=at) for n, at in enumerate(times)))
    latest = bench.exchange.index.latest(3)
    assert [(each.panel_client_id, each.modified_at) for each in latest] == [
        ("1", LATER),
        ("4", LATER),
        ("3", AT + timedelta(minutes=5)),
    ]
    assert [each.panel_client_id for each in bench.exchange.index.latest(100)] == ["1", "4", "3", "0"]


def test_what_fields_have_held_before_is_told_by_client_concern_and_field(bench: Bench) -> None:
    way = Direction.ERP_TO_PANEL
    for before, after in (("Stara", "Nowa"), (None, "Stara")):
        save(bench, change("C-1", "billing", written=(Written("street", way, Reason.EDIT, before, after),)))
    save(bench, change("C-2", "billing", written=(Written("city", way, Reason.EDIT, "Łódź", "Sopot"),)))
    save(bench, change("C-1", "accounts", written=(Written("", way, Reason.CREATE, None, "{}"),)))
    save(bench, change("C-1", "accounts", written=(Written("active", way, Reason.EDIT, True, False),)))
    former = bench.exchange.records.former("billing", [Owner("C-1"), Owner("C-3")])
    assert {owner: {name: set(texts) for name, texts in by_field.items()} for owner, by_field in former.items()} == {
        Owner("C-1"): {"street": {"Stara", "Nowa", ""}}
    }
    [flags] = bench.exchange.records.former("accounts", [Owner("C-1")]).values()
    assert {name: set(texts) for name, texts in flags.items()} == {"active": {"true", "false"}}
    assert not bench.exchange.records.former("billing", [])
    save(bench, change("C-1", "billing", conflicts=(ConflictNote("phone", "1", "2", "3", winner=Side.PANEL),)))
    former = bench.exchange.records.former("billing", [Owner("C-1")])
    assert set(former[Owner("C-1")]["phone"]) == {"1", "2", "3"}


def test_only_accounts_remembered_since_then_are_counted_and_one_remembered_again_is(bench: Bench) -> None:
    for number in (1, 2, 3):
        remember(bench, replace(seen(number), modified_at=AT, registered=AT.date()), at=AT)
    remember(bench, replace(seen(2), modified_at=AT, registered=AT.date()), at=LATER)
    index, around = bench.exchange.index, Window(AT, AT)
    assert [index.count_seen(around, since) for since in (AT, LATER, LATER + timedelta(seconds=1))] == [3, 1, 0]
    assert index.count_seen(None, LATER) == index.count_seen(Days(AT.date(), AT.date()), LATER) == 1


# --- clients without an account


def test_clients_are_recognised_by_their_normalised_tax_number_or_e_mail(bench: Bench) -> None:
    bench.erp.insert_client("C-2", nip="DE 123456789", country_code="DE", email=" ")
    bench.erp.insert_client("C-1", nip="PL 525-000-12-33", email="Jan@X.pl ")
    bench.erp.insert_client("C-3", nip="DE 123456789", country_code="PL")
    bench.erp.insert_client("C-4", email="third@x.pl")
    bench.erp.insert_client("C-5", nip=" ", email="")
    bench.erp.insert_client("C-6")
    bench.erp.insert_client("C-7", nip="000-000-00-00", email="brak@brak.pl", phone="brak")
    bench.erp.insert_client("C-8", phone="501 502 503")

    def hint(client_id: str, **values: str) -> ClientHint:
        return ClientHint(client_id, *bench.exchange.index.recognised({"country_code": "PL", **values}))

    assert list(bench.exchange.index.hints()) == [
        hint("C-1", nip="PL5250001233", email="jan@x.pl"),
        hint("C-2", nip="DE123456789"),
        hint("C-3", nip="DE123456789"),
        hint("C-4", email="third@x.pl"),
        hint("C-8", phone="+48501502503"),
    ]


def test_what_they_are_recognised_by_is_keyed_digests(bench: Bench) -> None:
    bench.erp.insert_client("C-1", nip="PL 525-000-12-33", email="Jan@X.pl ", phone="501 502 503")
    (hint,) = bench.exchange.index.hints()
    assert hint == ClientHint("C-1", *bench.exchange.index.recognised(bench.erp.client("C-1") or {}))
    assert [len(digest) for _, digest in sorted(hint.marks)] == [32, 32, 32]
    assert bench.exchange.index.recognised({"email": " "}).mail == ""
    assert len({hint.mail, hint.tax_number, hint.telephone}) == 3


def test_clients_with_an_account_are_no_hints(bench: Bench) -> None:
    for key in ("C-1", "C-2"):
        bench.erp.insert_client(key, nip="5250001233")
    save(bench, linked("C-1", "77"), linked("C-9", "78"))
    assert [hint.client_id for hint in bench.exchange.index.hints()] == ["C-2"]


# --- candidates


def test_candidates_take_the_place_of_those_that_stood_there(bench: Bench) -> None:
    first = [Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip+email"), Candidate("C-2", "77", "email")]
    save(bench, offered("C-1", *first[:2]), offered("C-2", first[2]))
    assert list(bench.exchange.index.candidates(["C-2", "C-1", "C-3"])) == first
    assert list(bench.exchange.index.candidates(["C-1"])) == first[:2]
    save(bench, offered("C-1", Candidate("C-1", "78", "email"), Candidate("C-1", "79", "nip")), at=LATER)
    assert list(bench.exchange.index.candidates(["C-1", "C-2"])) == [
        Candidate("C-1", "78", "email"),
        Candidate("C-1", "79", "nip"),
        first[2],
    ]
    raised = {key: row.raised_at for key, row in bench.erp.matches.items()}
    assert raised == {("C-1", "78"): AT, ("C-1", "79"): LATER, ("C-2", "77"): AT}


def test_no_candidates_given_leave_them_and_an_empty_list_takes_them_away(bench: Bench) -> None:
    save(bench, offered("C-1", Candidate("C-1", "77", "nip")))
    save(bench, change("C-1", "accounts", status=IN_STEP))
    assert len(bench.exchange.index.candidates(["C-1"])) == 1
    save(bench, offered("C-1"))
    assert list(bench.exchange.index.candidates(["C-1"])) == []


def test_a_decision_is_seen_and_logged_and_stays_with_its_row(bench: Bench) -> None:
    two = [Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip")]
    save(bench, offered("C-1", *two))
    assert entries(bench) == []
    bench.erp.decide_match("C-1", "78", "link")
    assert [c.decision for c in bench.exchange.index.candidates(["C-1"])] == ["", "link"]
    assert logged(bench) == [("sync_matches", "C-1", "78", "U")]
    save(bench, offered("C-1", two[0], replace(two[1], matched_by="email")))  # read before the person answered
    assert list(bench.exchange.index.candidates(["C-1"])) == [
        two[0],
        replace(two[1], matched_by="email", decision="link"),
    ]
    save(bench, offered("C-1", two[0]))
    save(bench, offered("C-1", *two))
    assert [c.decision for c in bench.exchange.index.candidates(["C-1"])] == ["", ""]
    assert len(entries(bench)) == 1, "only an answer is logged"


@pytest.mark.parametrize(
    ("wrote", "means"),
    [("link", "link"), (" Create ", "create"), ("LINK", "link"), ("", ""), (None, ""), ("unlink", ""), ("yes", "")],
)
def test_a_decision_is_read_in_any_case_and_unknown_words_are_none(bench: Bench, wrote: str | None, means: str) -> None:
    save(bench, offered("C-1", Candidate("C-1", "77", "nip")))
    bench.erp.decide_match("C-1", "77", wrote)
    assert [c.decision for c in bench.exchange.index.candidates(["C-1"])] == [means]


def test_contenders_are_the_clients_that_an_account_may_belong_to(bench: Bench) -> None:
    save(
        bench,
        offered("C-1", Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip")),
        offered("C-2", Candidate("C-2", "78", "nip")),
        offered("C-3", Candidate("C-3", "79", "nip")),
    )
    assert bench.exchange.index.contenders(["77", "78"]) == {"C-1", "C-2"}
    assert bench.exchange.index.contenders(["79"]) == {"C-3"}
    assert bench.exchange.index.contenders(["C-1"]) == bench.exchange.index.contenders([]) == frozenset()


# --- incoming clients


def test_newcomers_are_listed_with_their_billing_columns(bench: Bench) -> None:
    before = head(bench)
    values: dict[str, Value] = {
        "client_type": "firm",
        "language": "pol",
        "wholesaler": True,
        "first_name": None,
        "company": "",
    }
    bench.exchange.index.list_incoming([newcomer(77, **values), IncomingClient("78", {"email": "x@x.pl"})], at=AT)
    first, second = (bench.erp.incoming[key] for key in ("77", "78"))
    assert (first.values, first.seen_at, first.client_id) == ({**JAN, **values}, AT, None)
    assert second.values == {**EMPTY, "email": "x@x.pl"}
    assert logged(bench, before) == []


def test_a_newcomer_that_is_listed_again_keeps_its_answer_and_when_it_was_seen(bench: Bench) -> None:
    bench.exchange.index.list_incoming([newcomer(77), newcomer(78)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    before = head(bench)
    bench.exchange.index.list_incoming([newcomer(77, city="Łódź"), newcomer(79), newcomer(79, city="Gdynia")], at=LATER)
    row = bench.erp.incoming["77"]
    assert (row.values["city"], row.seen_at, row.client_id) == ("Łódź", AT, "C-1")
    assert (bench.erp.incoming["79"].values["city"], bench.erp.incoming["79"].seen_at) == ("Gdynia", LATER)
    assert logged(bench, before) == []
    bench.exchange.index.list_incoming([], at=LATER)


@pytest.mark.parametrize("name", [n for n, field in BILLING.items() if field.kind.column is not Column.FLAG])
def test_a_newcomers_value_is_cut_to_its_column(bench: Bench, name: str) -> None:
    length = BILLING[name].length
    bench.exchange.index.list_incoming([newcomer(77, **{name: "ż" * length + "x"})], at=AT)
    assert bench.erp.incoming["77"].values[name] == "ż" * length


def test_an_answer_is_seen_and_logged(bench: Bench) -> None:
    bench.exchange.index.list_incoming([newcomer(n) for n in (77, 78, 79, 80)], at=AT)
    before = head(bench)
    for number, client_id in ((79, "C-1"), (77, "C-1"), (78, "C-2")):
        bench.erp.answer_incoming(str(number), client_id)
    assert bench.exchange.index.answers(["C-1", "C-2", "C-3"]) == {"C-1": ["77", "79"], "C-2": ["78"]}
    assert bench.exchange.index.answers(["C-2"]) == {"C-2": ["78"]}
    assert bench.exchange.index.answers([]) == {}
    answers = [("C-1", "79"), ("C-1", "77"), ("C-2", "78")]
    assert logged(bench, before) == [("incoming_clients", client_id, number, "U") for client_id, number in answers]


def test_an_answer_that_is_changed_is_logged_for_both_clients(bench: Bench) -> None:
    bench.exchange.index.list_incoming([newcomer(77)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    before = head(bench)
    bench.erp.answer_incoming("77", "C-2")
    bench.erp.answer_incoming("77", None)
    owners = [entry.client_id for entry in entries(bench, before)]
    assert [sorted(owners[:2]), sorted(owners[2:])] == [["C-1", "C-2"], ["", "C-2"]]
    assert bench.exchange.index.answers(["C-1", "C-2"]) == {}


def test_only_newcomers_without_an_answer_are_taken_off(bench: Bench) -> None:
    bench.exchange.index.list_incoming([newcomer(n) for n in (77, 78, 79)], at=AT)
    bench.erp.answer_incoming("78", "C-1")
    bench.exchange.index.unlist_incoming(["77", "78", "99"])
    assert bench.erp.incoming.keys() == {"78", "79"}
    bench.exchange.index.unlist_incoming([])


def test_a_link_takes_its_account_off_the_newcomers_answered_or_not(bench: Bench) -> None:
    bench.exchange.index.list_incoming([newcomer(n) for n in (77, 78, 79)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    bench.erp.answer_incoming("79", "C-3")
    before = head(bench)
    save(bench, linked("C-1", "77"), linked("C-2", "78"), change("C-3", "accounts", status=IN_STEP))
    assert bench.erp.incoming.keys() == {"79"}
    assert logged(bench, before) == []


# --- strangers


def test_strangers_are_nobodys_accounts_of_whom_nobody_was_told(bench: Bench) -> None:
    remember(
        bench,
        *(seen(n) for n in (11, 12, 13, 14)),
        seen(15, code="C-5"),
        seen(16, login=""),
        replace(seen(17), guest=True),
        replace(seen(18, nip="1", email="a@b.pl"), modified_at=AT),
    )
    save(bench, linked("C-2", "12"), offered("C-4", Candidate("C-4", "14", "nip")))
    bench.exchange.index.list_incoming([newcomer(13)], at=AT)
    assert [x.panel_client_id for x in bench.exchange.index.strangers("", 10)] == ["11", "14", "18"]
    assert bench.exchange.index.strangers("14", 10)[0] == replace(seen(18, nip="1", email="a@b.pl"), modified_at=AT)


def test_strangers_come_in_order_from_a_key_on(bench: Bench) -> None:
    remember(bench, *(seen(n) for n in (14, 11, 13, 12)))
    assert [x.panel_client_id for x in bench.exchange.index.strangers("", 2)] == ["11", "12"]
    assert [x.panel_client_id for x in bench.exchange.index.strangers("12", 2)] == ["13", "14"]
    assert list(bench.exchange.index.strangers("14", 2)) == []


# --- whose writes an account's new date tells of


def test_those_are_told_of_whom_anything_was_written_into_the_panel_since(bench: Bench) -> None:
    save(
        bench, change("C-1", written=(HARMLESS,)), change("C-2", written=(BACK,)), item("A-1", "C-3", written=(TAKEN,))
    )
    save(bench, change("C-4", written=(HARMLESS,)), at=AT - timedelta(seconds=1))
    save(bench, about("G", "product/1", written=(TAKEN,)))
    records, all_of_them = bench.exchange.records, ["C-1", "C-2", "C-3", "C-4", "C-5"]
    assert records.sent_since(all_of_them, AT) == {"C-1", "C-3"}
    assert records.sent_since(all_of_them, AT - timedelta(seconds=1)) == {"C-1", "C-3", "C-4"}
    assert records.sent_since(["C-1", "C-2"], AT) == {"C-1"}
    assert records.sent_since(["C-1"], LATER) == records.sent_since([], AT) == frozenset()


# --- the brake's count

TAKEN = written("email", "a@b.pl", "c@d.pl", counts=True)
HARMLESS = written("street", "A", "B")
BACK = Written("street", Direction.PANEL_TO_ERP, Reason.EDIT, "A", "", counts=True)


def test_a_record_counts_once_for_each_run_that_wrote_it(bench: Bench) -> None:
    both = (TAKEN, BACK, HARMLESS)
    save(bench, change("C-1", written=both), change("C-2", written=(BACK,)), change("C-3", written=(HARMLESS,)))
    save(bench, change("C-1", written=(TAKEN,)), at=LATER)
    assert bench.exchange.records.counted("billing", AT) == 2
    save(bench, change("C-1", written=(TAKEN,)), run_id="run-2")
    assert bench.exchange.records.counted("billing", AT) == 3


def test_each_item_of_a_client_counts(bench: Bench) -> None:
    save(bench, *(item(key, written=(BACK,)) for key in ("A-1", "A-2")), item("A-1", "C-2", written=(BACK,)))
    assert bench.exchange.records.counted(ADDRESSES, AT) == 3


def test_prices_of_groups_are_counted_apart_from_groups_and_clients(bench: Bench) -> None:
    taken = written("price", "10.00", None, counts=True)
    save(bench, *(about("G", f"product/{n}", written=(taken,)) for n in range(3)), about("G", written=(taken,)))
    save(bench, change("G", "discounts", written=(taken,)), about("H", "product/1", written=(taken,)))
    records = bench.exchange.records
    assert [records.counted("discounts", AT, prices=prices) for prices in (True, False)] == [4, 2]
    assert set(records.written("discounts", AT, prices=True)) == {
        *(Key("", "G", "discounts", f"product/{n}") for n in range(3)),
        Key("", "H", "discounts", "product/1"),
    }
    assert set(records.written("discounts", AT)) == {Key("", "G", "discounts"), Key("G", "", "discounts")}


def test_figures_that_the_erp_recomputes_are_no_writes_of_a_mass_change(bench: Bench) -> None:
    moved, limit = written("balance", "1.00", "2.00"), written("credit_limit", "1.00", "2.00")
    emptied = written("balance", "1.00", "", counts=True)
    days = written("payment_days", "7", "14")
    given = [(moved,), (limit,), (moved, limit), (emptied,), (moved, days)]
    save(bench, *(change(f"C-{n}", "credit", written=some) for n, some in enumerate(given)))
    records = bench.exchange.records
    assert set(records.written("credit", AT)) == {Key(f"C-{n}", "", "credit") for n in (1, 2, 4)}
    assert records.counted("credit", AT) == 1


def test_of_any_writes_each_record_is_told_once_and_none_that_was_first_or_let_pass(bench: Bench) -> None:
    first = [replace(HARMLESS, reason=reason) for reason in (Reason.CREATE, Reason.FIRST_CONTACT)]
    save(bench, change("C-1", written=(HARMLESS, TAKEN)), change("C-2", written=(BACK,)), change("C-3", written=first))
    passed = replace(TAKEN, counts=False, passed=True)
    save(bench, change("C-1", written=(HARMLESS,)), change("C-4", written=(passed,)), run_id="run-2")
    save(bench, change("C-5", written=(HARMLESS,)), at=AT - timedelta(seconds=1))
    records = bench.exchange.records
    assert set(records.written("billing", AT)) == {Key("C-1", "", "billing"), Key("C-2", "", "billing")}
    assert set(records.written("shops", AT)) == set()
    assert records.counted("billing", AT) == 2


def test_the_records_that_are_looked_after_are_those_with_a_base(bench: Bench) -> None:
    save(
        bench, *(change(f"C-{n}", base=forms({"email": "a@b.pl"})) for n in range(3)), change("C-9", deferral=DEFERRED)
    )
    save(bench, change("C-1", "accounts", base=forms({"active": True})))
    assert [bench.exchange.records.count_kept(name) for name in ("billing", "accounts", "shops")] == [3, 1, 0]


# --- what is stopped


def test_pauses_hold_until_they_are_ended(bench: Bench) -> None:
    pauses = bench.exchange.pauses
    assert dict(pauses.paused()) == {}
    pauses.pause("accounts", "brake", at=AT)
    pauses.pause("billing", "operator", at=AT)
    pauses.pause("billing", "brake", at=LATER)
    assert dict(pauses.paused()) == {"accounts": "brake", "billing": "brake"}
    assert dict(pauses.since()) == {"accounts": AT, "billing": LATER}
    for _ in range(2):
        pauses.resume("accounts")
    pauses.resume("shops")
    assert dict(pauses.paused()) == {"billing": "brake"}


def test_a_pause_keeps_the_code_of_its_cause_until_another_one_or_the_end(bench: Bench) -> None:
    pauses = bench.exchange.pauses
    pauses.pause("accounts", "brake", at=AT, code="panel_empties")
    pauses.pause("billing", "brake", at=AT, code="panel_empties")
    pauses.pause("shops", "brake", at=AT)
    assert dict(pauses.causes()) == {"accounts": "panel_empties", "billing": "panel_empties"}
    pauses.pause("accounts", "operator", at=LATER)
    pauses.resume("billing", released_at=LATER)
    assert dict(pauses.causes()) == {}


def test_a_persons_word_is_remembered_over_later_pauses(bench: Bench) -> None:
    pauses = bench.exchange.pauses
    assert pauses.released("billing") is None
    pauses.pause("billing", "brake", at=AT)
    assert pauses.released("billing") is None
    pauses.resume("billing", released_at=LATER)
    pauses.pause("billing", "stock-taking " * 30, at=LATER)
    assert pauses.released("billing") == LATER
    assert pauses.paused()["billing"].startswith("stock-taking")
    pauses.resume("billing")
    assert (dict(pauses.paused()), pauses.released("billing"), pauses.released("shops")) == ({}, LATER, None)


def test_only_this_concern_and_only_since_then_is_counted(bench: Bench) -> None:
    save(bench, change("C-1", written=(TAKEN,)), change("C-2", "accounts", written=(TAKEN,)))
    save(bench, change("C-3", written=(TAKEN,)), at=LATER)
    assert bench.exchange.records.counted("accounts", AT) == 1
    assert bench.exchange.records.counted("shops", AT) == 0
    moments = (AT + timedelta(seconds=s) for s in (-1, 0, 1, 3600, 3601))
    assert [bench.exchange.records.counted("billing", since) for since in moments] == [2, 2, 1, 1, 0]
