"""What every ExchangeDatabase promises of finding whose account is whose, and of the brake's count; on all three."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kartoteka.core.concerns import BILLING
from kartoteka.core.model import (
    Candidate,
    CardHint,
    Direction,
    IncomingClient,
    Link,
    Reason,
    Record,
    SeenAccount,
    Settlement,
    Value,
    Written,
)
from tests.fixtures.exchange import Bench
from tests.fixtures.records import ADDRESSES, AT, LATER, announce, done, intent, item, settle, written

EMPTY: Record = dict.fromkeys(BILLING.fields)
JAN: Record = {**EMPTY, "email": "jan@x.pl", "last_name": "Żak", "country_code": "PL", "wholesaler": False}


def seen(number: int, *, login: str = "x", code: str = "", nip: str = "", email: str = "") -> SeenAccount:
    return SeenAccount(str(number), login, code, nip, email)


def newcomer(number: int, **values: Value) -> IncomingClient:
    return IncomingClient(str(number), {**JAN, **values})


def remember(bench: Bench, *accounts: SeenAccount) -> None:
    bench.exchange.remember(accounts, at=AT)


def linked(client_id: str, panel_client_id: str) -> Settlement:
    return done(client_id, "accounts", link=Link(client_id, panel_client_id, "x", "created"))


def offered(client_id: str, *candidates: Candidate) -> Settlement:
    return done(client_id, "accounts", candidates=candidates)


# --- the directory


def test_accounts_are_found_by_code_tax_number_or_e_mail(bench: Bench) -> None:
    accounts = [
        replace(seen(1, code="C-1", nip="111", email="one@x.pl"), modified_at=AT, guest=True),
        seen(2, code="C-2", nip="222", email="two@x.pl"),
        seen(3, nip="222", email="three@x.pl"),
        seen(4, nip="444", email="two@x.pl"),
        seen(5, nip="555", email="five@x.pl"),
    ]
    remember(bench, *accounts)
    assert list(bench.exchange.directory(["C-1"], ["222"], ["two@x.pl"])) == accounts[:4]
    assert list(bench.exchange.directory(["C-2"], ["222"], ["two@x.pl"])) == accounts[1:4], "each once"
    assert list(bench.exchange.directory([], ["555"], [])) == accounts[4:]
    assert list(bench.exchange.directory(["111"], ["C-1"], ["222"])) == [], "each in its own column"


def test_nothing_is_found_by_what_is_empty(bench: Bench) -> None:
    remember(bench, seen(1), seen(2, code="C-2"))
    bench.erp.insert_card("C-1", nip="", email=None)
    assert list(bench.exchange.directory([""], [""], [""])) == []
    assert list(bench.exchange.directory([], [], [])) == []
    assert list(bench.exchange.hints([""], [""])) == []
    assert list(bench.exchange.hints([], [])) == []


def test_a_code_is_found_letter_by_letter(bench: Bench) -> None:
    remember(bench, seen(1, code="C-1"), seen(2, code="c-1"))
    assert [x.panel_client_id for x in bench.exchange.directory(["c-1", "C-1 "], [], [])] == ["2"]


def test_twelve_hundred_codes_are_looked_up_at_once(bench: Bench) -> None:
    remember(bench, *(seen(n, code=f"C-{n}") for n in range(1200)))
    found = bench.exchange.directory([f"C-{n}" for n in range(1200)], [], [])
    assert len(found) == 1200


# --- cards without an account


def test_cards_are_recognised_by_their_normalised_tax_number_or_e_mail(bench: Bench) -> None:
    bench.erp.insert_card("C-1", nip="PL 525-000-12-32", email="Jan@X.pl ")
    bench.erp.insert_card("C-2", nip="DE 123456789", country_code="DE")
    bench.erp.insert_card("C-3", nip="DE 123456789", country_code="PL", email="third@x.pl")
    bench.erp.insert_card("C-4", nip="525 000 12 32")
    bench.erp.insert_card("C-5", nip="999", email="five@x.pl")
    assert list(bench.exchange.hints(["5250001232", "123456789"], [])) == [
        CardHint("C-1", "5250001232", "jan@x.pl"),
        CardHint("C-2", "123456789", ""),
        CardHint("C-4", "5250001232", ""),
    ]
    assert list(bench.exchange.hints([], ["jan@x.pl", "third@x.pl"])) == [
        CardHint("C-1", "5250001232", "jan@x.pl"),
        CardHint("C-3", "DE123456789", "third@x.pl"),
    ]
    assert list(bench.exchange.hints(["jan@x.pl"], ["5250001232"])) == []


def test_all_cards_without_an_account_that_are_recognised_by_anything(bench: Bench) -> None:
    bench.erp.insert_card("C-1", nip="PL 525-000-12-32")
    bench.erp.insert_card("C-2", email="Jan@X.pl ")
    bench.erp.insert_card("C-3", nip=" ", email="")
    bench.erp.insert_card("C-4", nip="5250001232")
    settle(bench, linked("C-4", "77"))
    jan, firm = CardHint("C-2", "", "jan@x.pl"), CardHint("C-1", "5250001232", "")
    assert list(bench.exchange.hints(None, None)) == [firm, jan]
    assert list(bench.exchange.hints([], None)) == [jan]
    assert list(bench.exchange.hints(None, [])) == [firm]


def test_cards_with_an_account_are_no_hints(bench: Bench) -> None:
    for key in ("C-1", "C-2"):
        bench.erp.insert_card(key, nip="5250001232")
    settle(bench, linked("C-1", "77"), linked("C-9", "78"))
    assert [hint.client_id for hint in bench.exchange.hints(["5250001232"], [])] == ["C-2"]


# --- candidates


def test_candidates_take_the_place_of_those_that_stood_there(bench: Bench) -> None:
    first = [Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip+email"), Candidate("C-2", "77", "email")]
    settle(bench, offered("C-1", *first[:2]), offered("C-2", first[2]))
    assert list(bench.exchange.candidates(["C-2", "C-1", "C-3"])) == first
    assert list(bench.exchange.candidates(["C-1"])) == first[:2]
    settle(bench, offered("C-1", Candidate("C-1", "78", "email"), Candidate("C-1", "79", "nip")), at=LATER)
    assert list(bench.exchange.candidates(["C-1", "C-2"])) == [
        Candidate("C-1", "78", "email"),
        Candidate("C-1", "79", "nip"),
        first[2],
    ]
    raised = {key: row.raised_at for key, row in bench.erp.matches.items()}
    assert raised == {("C-1", "78"): AT, ("C-1", "79"): LATER, ("C-2", "77"): AT}


def test_no_candidates_given_leave_them_and_an_empty_list_takes_them_away(bench: Bench) -> None:
    settle(bench, offered("C-1", Candidate("C-1", "77", "nip")))
    settle(bench, done("C-1", "accounts"))
    assert len(bench.exchange.candidates(["C-1"])) == 1
    settle(bench, offered("C-1"))
    assert list(bench.exchange.candidates(["C-1"])) == []


def test_a_decision_is_seen_logged_as_the_erps_and_stays_with_its_row(bench: Bench) -> None:
    two = [Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip")]
    settle(bench, offered("C-1", *two))
    assert list(bench.exchange.read_log(0, [], 10)) == []
    bench.erp.decide_match("C-1", "78", "link")
    assert [c.decision for c in bench.exchange.candidates(["C-1"])] == ["", "link"]
    (entry,) = bench.exchange.read_log(0, [], 10)
    assert (entry.table_name, entry.client_id, entry.row_id) == ("sync_matches", "C-1", "78")
    assert (entry.operation, entry.own) == ("U", False)
    settle(bench, offered("C-1", two[0], replace(two[1], matched_by="email")))  # read before the person answered
    assert list(bench.exchange.candidates(["C-1"])) == [two[0], replace(two[1], matched_by="email", decision="link")]
    settle(bench, offered("C-1", two[0]))
    settle(bench, offered("C-1", *two))
    assert [c.decision for c in bench.exchange.candidates(["C-1"])] == ["", ""]
    assert list(bench.exchange.read_log(entry.seq, [], 10)) == [], "our own writes log nothing here"


@pytest.mark.parametrize(
    ("wrote", "means"),
    [("link", "link"), (" Create ", "create"), ("LINK", "link"), ("", ""), (None, ""), ("unlink", ""), ("yes", "")],
)
def test_a_decision_is_read_in_any_case_and_unknown_words_are_none(bench: Bench, wrote: str | None, means: str) -> None:
    settle(bench, offered("C-1", Candidate("C-1", "77", "nip")))
    bench.erp.decide_match("C-1", "77", wrote)
    assert [c.decision for c in bench.exchange.candidates(["C-1"])] == [means]


def test_contenders_are_the_cards_that_an_account_may_belong_to(bench: Bench) -> None:
    settle(
        bench,
        offered("C-1", Candidate("C-1", "77", "nip"), Candidate("C-1", "78", "nip")),
        offered("C-2", Candidate("C-2", "78", "nip")),
        offered("C-3", Candidate("C-3", "79", "nip")),
    )
    assert bench.exchange.contenders(["77", "78"]) == {"C-1", "C-2"}
    assert bench.exchange.contenders(["79"]) == {"C-3"}
    assert bench.exchange.contenders(["C-1"]) == bench.exchange.contenders([]) == frozenset()


# --- incoming clients


def test_newcomers_are_listed_with_their_billing_columns(bench: Bench) -> None:
    head = bench.exchange.log_head()
    values: dict[str, Value] = {
        "client_type": "firm",
        "language": "pol",
        "wholesaler": True,
        "first_name": None,
        "company": "",
    }
    bench.exchange.list_incoming([newcomer(77, **values), IncomingClient("78", {"email": "x@x.pl"})], at=AT)
    first, second = (bench.erp.incoming[key] for key in ("77", "78"))
    assert (first.values, first.seen_at, first.client_id) == ({**JAN, **values}, AT, None)
    assert second.values == {**EMPTY, "email": "x@x.pl"}
    assert list(bench.exchange.read_log(head, [], 10)) == []


def test_a_newcomer_that_is_listed_again_keeps_its_answer_and_when_it_was_seen(bench: Bench) -> None:
    bench.exchange.list_incoming([newcomer(77), newcomer(78)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    head = bench.exchange.log_head()
    bench.exchange.list_incoming([newcomer(77, city="Łódź"), newcomer(79), newcomer(79, city="Gdynia")], at=LATER)
    row = bench.erp.incoming["77"]
    assert (row.values["city"], row.seen_at, row.client_id) == ("Łódź", AT, "C-1")
    assert (bench.erp.incoming["79"].values["city"], bench.erp.incoming["79"].seen_at) == ("Gdynia", LATER)
    assert list(bench.exchange.read_log(head, [], 10)) == []
    bench.exchange.list_incoming([], at=LATER)


@pytest.mark.parametrize("name", [n for n, field in BILLING.fields.items() if n != "wholesaler"])
def test_a_newcomers_value_is_cut_to_its_column(bench: Bench, name: str) -> None:
    length = BILLING.fields[name].max_length
    bench.exchange.list_incoming([newcomer(77, **{name: "ż" * length + "x"})], at=AT)
    assert bench.erp.incoming["77"].values[name] == "ż" * length


def test_an_answer_is_seen_and_logged_as_the_erps(bench: Bench) -> None:
    bench.exchange.list_incoming([newcomer(n) for n in (77, 78, 79, 80)], at=AT)
    head = bench.exchange.log_head()
    for number, client_id in ((79, "C-1"), (77, "C-1"), (78, "C-2")):
        bench.erp.answer_incoming(str(number), client_id)
    assert bench.exchange.incoming_answers(["C-1", "C-2", "C-3"]) == {"C-1": ["77", "79"], "C-2": ["78"]}
    assert bench.exchange.incoming_answers(["C-2"]) == {"C-2": ["78"]}
    assert bench.exchange.incoming_answers([]) == {}
    entries = bench.exchange.read_log(head, [], 10)
    assert [(e.table_name, e.client_id, e.row_id, e.operation, e.own) for e in entries] == [
        ("incoming_clients", client_id, number, "U", False)
        for client_id, number in (("C-1", "79"), ("C-1", "77"), ("C-2", "78"))
    ]


def test_an_answer_that_is_changed_is_logged_for_both_cards(bench: Bench) -> None:
    bench.exchange.list_incoming([newcomer(77)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    head = bench.exchange.log_head()
    bench.erp.answer_incoming("77", "C-2")
    bench.erp.answer_incoming("77", None)
    owners = [entry.client_id for entry in bench.exchange.read_log(head, [], 10)]
    assert [sorted(owners[:2]), sorted(owners[2:])] == [["C-1", "C-2"], ["", "C-2"]]
    assert bench.exchange.incoming_answers(["C-1", "C-2"]) == {}


def test_only_newcomers_without_an_answer_are_taken_off(bench: Bench) -> None:
    bench.exchange.list_incoming([newcomer(n) for n in (77, 78, 79)], at=AT)
    bench.erp.answer_incoming("78", "C-1")
    bench.exchange.unlist_incoming(["77", "78", "99"])
    assert bench.erp.incoming.keys() == {"78", "79"}
    bench.exchange.unlist_incoming([])


def test_a_link_takes_its_account_off_the_newcomers_answered_or_not(bench: Bench) -> None:
    bench.exchange.list_incoming([newcomer(n) for n in (77, 78, 79)], at=AT)
    bench.erp.answer_incoming("77", "C-1")
    bench.erp.answer_incoming("79", "C-3")
    head = bench.exchange.log_head()
    settle(bench, linked("C-1", "77"), linked("C-2", "78"), done("C-3", "accounts"))
    assert bench.erp.incoming.keys() == {"79"}
    assert list(bench.exchange.read_log(head, [], 10)) == []


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
    settle(bench, linked("C-2", "12"), offered("C-4", Candidate("C-4", "14", "nip")))
    bench.exchange.list_incoming([newcomer(13)], at=AT)
    assert [x.panel_client_id for x in bench.exchange.strangers("", 10)] == ["11", "14", "18"]
    assert bench.exchange.strangers("14", 10)[0] == replace(seen(18, nip="1", email="a@b.pl"), modified_at=AT)


def test_strangers_come_in_order_from_a_key_on(bench: Bench) -> None:
    remember(bench, *(seen(n) for n in (14, 11, 13, 12)))
    assert [x.panel_client_id for x in bench.exchange.strangers("", 2)] == ["11", "12"]
    assert [x.panel_client_id for x in bench.exchange.strangers("12", 2)] == ["13", "14"]
    assert list(bench.exchange.strangers("14", 2)) == []


# --- the brake's count

TAKEN = written("email", "a@b.pl", "c@d.pl")
HARMLESS = written("street", "A", "B")


def test_a_record_counts_once_for_each_run_that_wrote_it(bench: Bench) -> None:
    two = (TAKEN, written("street", "A", ""), HARMLESS)
    settle(bench, done("C-1", written=two), done("C-2", written=(TAKEN,)), done("C-3", written=(HARMLESS,)))
    settle(bench, done("C-1", written=(TAKEN,)), at=LATER)
    assert bench.exchange.risky_writes("billing", AT) == 2
    settle(bench, done("C-1", written=(TAKEN,)), run_id="run-2")
    assert bench.exchange.risky_writes("billing", AT) == 3


def test_each_item_of_a_customer_counts(bench: Bench) -> None:
    emptied = written("street", "A", None)
    settle(bench, *(item(key, written=(emptied,)) for key in ("A-1", "A-2")), item("A-1", "C-2", written=(emptied,)))
    assert bench.exchange.risky_writes(ADDRESSES, AT) == 3


def test_only_this_concern_and_only_since_then_is_counted(bench: Bench) -> None:
    settle(bench, done("C-1", written=(TAKEN,)), done("C-2", "accounts", written=(written("active", True, False),)))
    settle(bench, done("C-3", written=(TAKEN,)), at=LATER)
    assert bench.exchange.risky_writes("accounts", AT) == 1
    assert bench.exchange.risky_writes("shops", AT) == 0
    assert [bench.exchange.risky_writes("billing", AT + timedelta(seconds=s)) for s in (-1, 0, 1, 3600, 3601)] == [
        2,
        2,
        1,
        1,
        0,
    ]


def test_creation_and_what_takes_nothing_away_are_not_counted(bench: Bench) -> None:
    harmless = (
        HARMLESS,
        written("nip", "", "5250001232"),
        written("email", "a@b.pl", "c@d.pl", Reason.CREATE),
        written("street", "A", "", Reason.FIRST_CONTACT),
        written("shops", "1", "1,2"),
    )
    settle(bench, *(done(f"C-{n}", written=(one,)) for n, one in enumerate(harmless)))
    assert bench.exchange.risky_writes("billing", AT) == 0
    assert {h.risky for h in bench.erp.history} == {False}


def test_what_is_written_into_the_erp_counts_as_well_as_what_was_found_out_later(bench: Bench) -> None:
    erased = Written("street", Direction.PANEL_TO_ERP, Reason.EDIT, "A", "")
    settle(bench, done("C-2", written=(erased,)))
    announce(bench, "billing", intent(street="B"), before=done(status=None, written=(TAKEN,)))
    assert bench.exchange.risky_writes("billing", AT) == 2
    assert [h.risky for h in bench.erp.history] == [True, True]
