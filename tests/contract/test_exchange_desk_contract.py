"""What a person asks and answers, on each engine: lists, pages, figures, and words that the triggers log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.adapters.sql import tables
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.codes import status as said
from kartoteka.model import Candidate, ConflictNote, Deferral, Direction, Link, Reason
from kartoteka.ports.desk import Asked
from kartoteka.ports.exchange import IncomingClient, SeenAccount
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import AT, change, item, written

WRONG = Status(State.HELD, "bad_phone", "phone", "Popraw.", "Correct it.")
LATER = Deferral(AT + timedelta(minutes=2), attempts=1, tries=1, code="timeout")


def save(bench: SqlBench, *changes: object, at: datetime = AT) -> None:
    bench.exchange.records.save(changes, run_id="r", at=at)  # type: ignore[arg-type]


def head(bench: SqlBench) -> int:
    return max((entry.seq for entry in bench.exchange.log.read(0, [], 1_000)), default=0)


def logged(bench: SqlBench, after: int) -> list[tuple[str, str]]:
    return [(entry.table_name, entry.client_id) for entry in bench.exchange.log.read(after, [], 1_000)]


@pytest.fixture
def held(sql: SqlBench) -> SqlBench:
    for number in range(5):
        sql.erp.insert_client(f"C-{number}")
        save(sql, change(f"C-{number}", status=WRONG), at=AT + timedelta(minutes=number))
    save(sql, change("C-5", status=said("timeout"), deferral=LATER), change("C-6", status=IN_STEP))
    return sql


def test_statuses_are_listed_page_by_page_the_longest_first(held: SqlBench) -> None:
    desk = held.exchange.desk
    pages = [desk.statuses(["held"], Asked(start=start, limit=2)) for start in (0, 2, 4, 6)]
    assert [[row["client_id"] for row in page] for page in pages] == [["C-0", "C-1"], ["C-2", "C-3"], ["C-4"], []]
    assert pages[0][0]["since"] == AT
    assert pages[0][0]["message_en"] == "Correct it."
    (row,) = desk.statuses(["pending", "waiting"], Asked())
    assert (row["client_id"], row["due_at"]) == ("C-5", LATER.due_at)


@pytest.mark.parametrize(
    ("asked", "found"),
    [(Asked(concern="shops"), 0), (Asked(concern="billing"), 5), (Asked(client_id="C-3"), 1), (Asked(code="x"), 0)],
)
def test_a_list_holds_what_is_asked_for(held: SqlBench, asked: Asked, found: int) -> None:
    assert len(held.exchange.desk.statuses(["held"], asked)) == found


def test_a_word_goes_into_what_waits_and_is_logged(held: SqlBench) -> None:
    save(held, item("A-1", status=WRONG), change("C-1", "shops", status=IN_STEP))
    before = head(held)
    desk = held.exchange.desk
    assert desk.decide_status("retry", Asked("billing", "C-1"), by="ola", item_id="") == 1
    assert desk.decide_status("done", Asked(client_id="C-1"), by="ola") == 2
    assert desk.decide_status("retry", Asked("shops", "C-1"), by="ola") == 0
    assert desk.decide_status("retry", Asked(client_id="C-9"), by="ola") == 0
    assert {name for name, _ in logged(held, before)} == {"sync_status"}
    rows = desk.statuses(["held"], Asked(client_id="C-1"))
    assert {(row["decision"], row["decided_by"]) for row in rows} == {("done", "ola")}


def test_the_oldest_that_moves_by_itself_is_known_by_concern(held: SqlBench) -> None:
    save(held, change("C-7", status=said("timeout"), deferral=LATER), at=AT - timedelta(hours=1))
    assert held.exchange.desk.oldest_unsettled() == {"billing": AT - timedelta(hours=1)}
    assert held.exchange.desk.oldest_unsettled(but="timeout") == {}


def test_the_log_tells_since_when_something_is_not_read(sql: SqlBench) -> None:
    desk = sql.exchange.desk
    assert desk.logged_after(0) is None
    sql.erp.insert_client("C-1")
    first = desk.logged_after(0)
    assert first is not None
    assert abs(datetime.now(UTC) - first) < timedelta(minutes=5)
    assert desk.logged_after(head(sql)) is None


def test_what_was_written_is_counted_by_hour_and_direction(sql: SqlBench) -> None:
    back = written("street", "a", "b")
    save(sql, change("C-1", written=(back, back)), at=AT)
    save(sql, change("C-1", written=(back,)), at=AT + timedelta(hours=1))
    save(sql, change("C-1", written=(back,)), at=AT - timedelta(days=2))
    direction = str(back.direction)
    assert direction in set(map(str, Direction))
    assert sql.exchange.desk.written(AT - timedelta(hours=1)) == [
        {"hour": f"{AT:%Y-%m-%d %H}", "direction": direction, "fields": 2},
        {"hour": f"{AT + timedelta(hours=1):%Y-%m-%d %H}", "direction": direction, "fields": 1},
    ]


def test_conflicts_are_decided_one_or_many_and_only_open_ones(sql: SqlBench) -> None:
    for number in range(3):
        note = ConflictNote("street", "a", "b", "c")
        sql.erp.insert_client(f"C-{number}")
        save(sql, change(f"C-{number}", status=said("conflict", ["street"]), conflicts=(note,)))
    desk = sql.exchange.desk
    ids = [row["id"] for row in desk.conflicts(10, closed_too=False)]
    before = head(sql)
    assert desk.decide_conflicts(ids[:2], "panel", by="ola", at=AT) == 2
    assert sorted(logged(sql, before)) == [("sync_conflicts", "C-1"), ("sync_conflicts", "C-2")]
    row = desk.conflict(ids[0])
    assert row is not None
    assert (row["decision"], row["decided_by"], row["decided_at"]) == ("panel", "ola", AT)
    assert desk.decide_conflicts([10_000], "erp", by="", at=AT) == 0
    assert desk.conflict(10_000) is None


def candidates(sql: SqlBench) -> None:
    index = sql.exchange.index
    sql.erp.insert_client("C-1")
    accounts = [SeenAccount(number, f"login-{number}", "", "", f"{number}@x.pl", AT) for number in ("7", "8")]
    index.remember(accounts, at=AT)
    found = tuple(Candidate("C-1", number, "email") for number in ("7", "8"))
    save(sql, change("C-1", "accounts", status=said("ambiguous", accounts="7, 8"), candidates=found))


def test_a_question_shows_what_is_known_of_its_accounts_and_takes_one_answer(sql: SqlBench) -> None:
    candidates(sql)
    desk = sql.exchange.desk
    rows = desk.questions(Asked())
    assert [(row["client_id"], row["panel_client_id"], row["login"]) for row in rows] == [
        ("C-1", "7", "login-7"),
        ("C-1", "8", "login-8"),
    ]
    before = head(sql)
    assert desk.decide_match("C-1", "", "create", by="ola") == 1
    assert desk.decide_match("C-1", "8", "link", by="ola") == 1
    said_so = {row["panel_client_id"]: row["decision"] for row in desk.questions(Asked())}
    assert said_so == {"7": None, "8": "link"}
    assert {name for name, _ in logged(sql, before)} == {"sync_matches"}
    assert desk.decide_match("C-1", "9", "link", by="ola") == 0
    assert desk.decide_match("C-2", "", "create", by="ola") == 0
    assert {row["panel_client_id"]: row["decision"] for row in desk.questions(Asked())} == said_so


def test_a_customer_of_the_shop_is_listed_until_answered_and_after_it(sql: SqlBench) -> None:
    sql.exchange.index.list_incoming([IncomingClient(number, {"email": "a@x.pl"}) for number in ("7", "8")], at=AT)
    desk = sql.exchange.desk
    assert desk.answer_incoming("7", "C-1") == 1
    assert desk.answer_incoming("9", "C-1") == 0
    rows = desk.incoming(Asked())
    assert [(row["panel_client_id"], row["client_id"], row["email"]) for row in rows] == [
        ("8", None, "a@x.pl"),
        ("7", "C-1", "a@x.pl"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "100%",
        "C-2",
        "c-2",
        "B@X.PL",
        "łódź",
        "ŁÓDŹ",
        "ŻÓŁĆ",
        "żółć",
        "ąę",
        "śń",
        "lodz",
        "ZOLC zolc",
        "lodz   ŻÓŁĆ",
        "526 000-12 46",
        "5260001246",
        "501-502",
    ],
)
def test_a_client_is_found_by_any_of_its_names_in_any_case(sql: SqlBench, text: str) -> None:
    sql.erp.insert_client("C-1", company="Inna", email="a@x.pl", nip="725-000-00-00", phone="600 502 501")
    company = "100% Łódź ŻÓŁĆ żółć ĄĘ ąę ŚŃ"
    sql.erp.insert_client("C-2", company=company, email="b@x.pl", nip="526-000-12-46", phone="501 502 503")
    found = sql.exchange.desk.find_clients(Asked(text=text))
    assert [row["id"] for row in found] == ["C-2"]


@pytest.mark.parametrize(
    "text", ["jan kowalski", "KOWALSKI Jan", "kowal", "b2b-0", "B2B-07", "jkow", "7001", "jan@x.pl", "C-2 jan"]
)
def test_a_client_is_found_by_its_full_name_its_log_in_and_its_account(sql: SqlBench, text: str) -> None:
    sql.erp.insert_client("C-1", first_name="Jan", last_name="Nowak", login="jnow", email="a@x.pl")
    sql.erp.insert_client("C-2", first_name="Jan", last_name="Kowalski", login="jkow", email="jan@x.pl")
    for client_id, account, login in (("C-1", "70017", "other"), ("C-2", "7001", "b2b-07")):
        save(sql, change(client_id, "accounts", status=IN_STEP, link=Link(client_id, account, login, "created")))
    assert [row["id"] for row in sql.exchange.desk.find_clients(Asked(text=text))] == ["C-2"]


@pytest.mark.parametrize("text", ["jan nowakowski", "%", "_", "kowalski 7", "7", "700"])
def test_no_client_is_found_by_what_none_of_its_names_holds(sql: SqlBench, text: str) -> None:
    sql.erp.insert_client("C-1", first_name="Jan", last_name="Kowalski", email="x@x.pl", nip=None, phone=None)
    link = Link("C-1", "7001", "other", "created")
    save(sql, change("C-1", "accounts", status=IN_STEP, link=link))
    assert sql.exchange.desk.find_clients(Asked(text=text)) == []


def test_rows_of_a_client_come_by_their_table(sql: SqlBench) -> None:
    candidates(sql)
    rows = sql.exchange.desk.client_rows("C-1")
    assert len(rows["clients"]) == 1
    assert len(rows["sync_matches"]) == 2
    assert rows["client_credit"] == []
    assert not any(sql.exchange.desk.client_rows("C-9").values())
    assert set(sql.exchange.desk.candidates(["C-1", "C-9"])) == {"C-1"}


def test_what_was_corrected_is_counted_by_day_and_field_with_the_records(sql: SqlBench) -> None:
    desk, day = sql.exchange.desk, timedelta(days=1)
    for number, at in enumerate((AT, AT, AT + day)):
        note = written("city", "a", "b", Reason.DRIFT)
        save(sql, change(f"C-{number}", written=(note, written("city", "a", "b"))), at=at)
    save(sql, change("C-1", written=(written("city", "a", "b", Reason.DRIFT),)), at=AT)
    save(sql, change("C-1", written=(written("street", "a", "b", Reason.DRIFT),)), at=AT - day)
    found = desk.differences(AT, ["drift"], Asked())
    assert [(row["day"], row["field"], row["fields"], row["records"]) for row in found] == [
        (f"{AT + day:%Y-%m-%d}", "city", 1, 1),
        (f"{AT:%Y-%m-%d}", "city", 3, 2),
    ]
    assert desk.differences_by_day(AT, ["drift"], Asked()) == {f"{AT:%Y-%m-%d}": 3, f"{AT + day:%Y-%m-%d}": 1}
    assert len(desk.differences(AT - day, ["drift"], Asked(field="street"))) == 1
    assert desk.differences(AT - day, ["drift"], Asked("shops")) == []
    assert len(desk.differences(AT - day, ["drift", "edit"], Asked(limit=2, start=1))) == 2
    of_day = desk.history(None, 9, asked=Asked(day=f"{AT:%Y-%m-%d}", reason="drift"))
    assert [row["client_id"] for row in of_day] == ["C-1", "C-1", "C-0"]
    assert desk.history(None, 9, asked=Asked(day=f"{AT + 2 * day:%Y-%m-%d}")) == []


def test_history_and_differences_say_which_pass_found_what_was_written(sql: SqlBench) -> None:
    for number, found_by in enumerate(("panel_feed", "full_scan", "full_scan", "")):
        drifted = change(f"C-{number}", written=(written("city", "a", "b", Reason.DRIFT),))
        save(sql, replace(drifted, record=replace(drifted.record, found_by=found_by)))
    desk = sql.exchange.desk
    assert [row["found_by"] for row in desk.history(None, 9)] == ["", "full_scan", "full_scan", "panel_feed"]
    assert len(desk.history(None, 9, asked=Asked(found_by="full_scan"))) == 2
    told = {row["found_by"]: row["records"] for row in desk.differences(AT, ["drift"], Asked())}
    assert told == {"panel_feed": 1, "full_scan": 2, "": 1}
    assert len(desk.differences(AT, ["drift"], Asked(found_by="panel_feed"))) == 1


def test_what_was_settled_by_hand_is_taken_back_by_retry_alone(sql: SqlBench) -> None:
    save(sql, change("C-1", status=said("by_hand")), change("C-1", "accounts", status=said("excluded")))
    desk = sql.exchange.desk
    assert desk.decide_status("done", Asked(client_id="C-1"), by="ola") == 0
    assert desk.decide_status("send", Asked(client_id="C-1"), by="ola") == 0
    assert desk.decide_status("retry", Asked(client_id="C-2"), by="ola") == 0
    assert desk.decide_status("retry", Asked(client_id="C-1"), by="ola") == 1
    told = {row["concern"]: row["decision"] for row in desk.statuses(["excluded"], Asked())}
    assert told == {"billing": "retry", "accounts": None}


def test_each_record_is_counted_as_what_it_is(sql: SqlBench) -> None:
    wrong = said("unknown_concern", value="biling", known="billing")
    save(
        sql,
        change("C-1", status=IN_STEP),
        change("C-1", "delivery_addresses", "A-1", status=IN_STEP),
        change("C-1", "accounts", "biling", status=wrong),
    )
    kinds = {(row["concern"], row["kind"]) for row in sql.exchange.desk.states()}
    assert kinds == {("billing", "client"), ("delivery_addresses", "address"), ("accounts", "exclusion")}


def test_records_held_for_one_reason_are_counted(held: SqlBench) -> None:
    assert (held.exchange.desk.count_held("bad_phone"), held.exchange.desk.count_held("not_taken")) == (5, 0)


def test_a_groups_prices_are_listed_with_what_was_sent(sql: SqlBench) -> None:
    desk = sql.exchange.desk
    assert (desk.group_name("HURT"), desk.group_prices("HURT", 9)) == ("", [])
    sql.erp.set_group("HURT", "Hurtownia")
    sql.erp.set_group("OTHER", None)
    for number in ("11", "7", "9"):
        sql.erp.set_item("HURT", "product", number, price=f"{number}.50", currency="PLN")
    sql.erp.set_item("OTHER", "product", "7", price="1.00", currency="PLN")
    sent = {"price": "7.50", "currency": "PLN", "refused": "", "sent_at": AT}
    key = {"group_id": "HURT", "item_type": "product", "item_id": "7"}
    with sql.erp.engine.begin() as connection:
        connection.execute(tables.sync_prices.insert(), {**key, **sent})
    rows = desk.group_prices("HURT", 9)
    assert [(row["item_id"], float(row["price"]), row["sent"]) for row in rows] == [
        ("7", 7.5, "7.50"),
        ("9", 9.5, None),
        ("11", 11.5, None),
    ]
    assert rows[0]["sent_at"] == AT
    assert len(desk.group_prices("HURT", 2)) == 2
    assert (desk.group_name("HURT"), desk.group_name("OTHER")) == ("Hurtownia", "")


# --- who will be blocked


def on_credit(bench: SqlBench, client_id: str, limit: str | None, balance: str | None, **more: Any) -> None:
    """A linked client whose figures are these."""
    bench.erp.insert_client(client_id, company=f"Firma {client_id}")
    link = Link(client_id, f"7{client_id[-1]}", client_id, "created")
    save(bench, change(client_id, "accounts", status=IN_STEP, link=link))
    figures = {"credit_allowed": True, "currency": "PLN", "as_of": AT, **more}
    bench.erp.set_credit(client_id, credit_limit=limit, balance=balance, **figures)


def near(bench: SqlBench, allowed: str = "0", **asked: Any) -> list[str]:
    rows = bench.exchange.desk.near_limit(Decimal(allowed), Asked(**asked))
    if not {"limit", "start"} & asked.keys():
        assert bench.exchange.desk.count_near_limit(Decimal(allowed), Asked(**asked)) == len(rows)
    return [row["client_id"] for row in rows]


@pytest.mark.parametrize(
    ("limit", "balance", "more", "listed"),
    [
        ("1000", "900", {}, True),
        ("1000", "899.99", {}, False),
        ("1000", "1200", {}, True),
        ("0", "5", {}, True),
        ("0", "0", {}, False),
        ("0", "-3", {}, False),
        ("1000", "-950", {}, False),
        (None, "950", {}, False),
        ("1000", None, {}, False),
        ("1000", "0", {"overdue": "0.01"}, True),
        ("1000", "0", {"overdue": "0"}, False),
        ("1000", "950", {"credit_allowed": False}, False),
        ("9999999999.99", "9999999999.98", {}, True),
    ],
)
def test_who_has_used_nine_tenths_of_a_limit_or_is_late_is_listed(
    sql: SqlBench, limit: str | None, balance: str | None, more: dict[str, Any], listed: bool
) -> None:
    on_credit(sql, "C-1", limit, balance, **more)
    assert near(sql) == (["C-1"] if listed else [])


def test_the_list_says_what_the_erp_says_the_worst_first_page_by_page(sql: SqlBench) -> None:
    on_credit(sql, "C-1", "1000", "950.5", overdue="10")
    on_credit(sql, "C-2", "0", "1")
    on_credit(sql, "C-3", "1000", "2000")
    on_credit(sql, "C-4", "1000", "10", overdue="100")
    sql.erp.insert_client("C-5")
    sql.erp.set_credit("C-5", credit_allowed=True, credit_limit="1", balance="2")
    assert near(sql) == ["C-2", "C-3", "C-1", "C-4"], "who has no account can buy nothing"
    assert near(sql, "100") == ["C-2", "C-3", "C-1"]
    assert near(sql, "100", near=96) == ["C-2", "C-3"]
    assert near(sql, start=1, limit=2) == ["C-3", "C-1"]
    (row,) = sql.exchange.desk.near_limit(Decimal(0), Asked(client_id="C-1"))
    assert (Decimal(row["credit_limit"]), Decimal(row["balance"]), Decimal(row["overdue"])) == (
        1000,
        Decimal("950.5"),
        10,
    )
    assert (row["company"], row["currency"], row["as_of"]) == ("Firma C-1", "PLN", AT)


def test_the_list_stands_what_an_engine_without_types_may_hold(sqlite_bench: SqlBench) -> None:
    on_credit(sqlite_bench, "C-1", "1000", "950", credit_allowed="yes", as_of="yesterday")
    on_credit(sqlite_bench, "C-2", "1000", "dużo")
    on_credit(sqlite_bench, "C-3", "1000", "10", overdue="12,50")
    assert near(sqlite_bench) == ["C-1", "C-3"], "what is past its date begins with a figure"
    (row, _) = sqlite_bench.exchange.desk.near_limit(Decimal(0), Asked())
    assert row["as_of"] is None


# --- what waits, and since when


def test_what_waits_is_counted_with_its_oldest_and_what_was_answered_is_not(held: SqlBench) -> None:
    erp = held.erp
    erp.insert_client("Q-1")
    save(held, change("Q-1", "accounts", status=WRONG), at=AT - timedelta(days=1))
    columns = "client_id, concern, item_id, group_id, field"
    for number, decision in enumerate(("NULL", "'erp'", "'oops'")):
        erp.run(
            "INSERT INTO sync_conflicts (client_id, concern, field, decision, raised_at) "
            f"VALUES ('C-{number}', 'billing', 'street', {decision}, '2026-03-0{3 + number} 08:00:00')"
        )
        erp.run(
            "INSERT INTO incoming_clients (panel_client_id, client_id, seen_at) "
            f"VALUES ('{number}', {'NULL' if number else chr(39) + 'C-1' + chr(39)}, '2026-03-0{3 + number} 08:00:00')"
        )
    for field, more in (("street", "NULL, NULL"), ("city", "'approve', NULL"), ("phone", "NULL, 'done'")):
        erp.run(
            f"INSERT INTO sync_plan ({columns}, action, planned_at, decision, outcome) "
            f"VALUES ('C-1', 'billing', '', '', '{field}', 'update', '2026-03-05 08:00:00', {more})"
        )
    erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('Q-1', '5')")
    held.exchange.pauses.pause("shops", "holiday", at=AT)
    held.exchange.pauses.pause("credit", "brake", at=AT)
    held.exchange.pauses.resume("credit")
    eight = datetime(2026, 3, 3, 8, tzinfo=UTC)
    told = [tuple(row.values()) for row in held.exchange.desk.waiting_since()]
    assert told == [
        ("conflicts", "", "", 2, eight),
        ("questions", "", "", 1, AT - timedelta(days=1)),
        ("held", "billing", "bad_phone", 5, AT),
        ("incoming", "", "", 2, eight + timedelta(days=1)),
        ("plan", "", "", 1, eight + timedelta(days=2)),
        ("paused", "shops", "holiday", 1, AT),
    ]


def test_what_a_person_decided_is_told_apart_until_it_is_carried_out(sql: SqlBench) -> None:
    candidates(sql)
    desk, erp = sql.exchange.desk, sql.erp
    for number in (3, 4):
        save(sql, change(f"C-{number}", status=WRONG))
    save(sql, change("C-7", status=Status(State.CONFLICT, "conflict", "street", "Wybierz.", "Choose.")))
    for field in ("street", "city"):
        erp.run(
            "INSERT INTO sync_conflicts (client_id, concern, item_id, field, raised_at) "
            f"VALUES ('C-7', 'billing', '', '{field}', '2026-03-03 08:00:00')"
        )
    assert list(desk.decided()) == []
    ids = [row["id"] for row in desk.conflicts(9, closed_too=False)]
    desk.decide_conflicts(ids[:1], "erp", by="ola", at=AT)
    desk.decide_status("retry", Asked("billing", "C-3"), by="ola")
    desk.decide_match("C-1", "8", "link", by="ola")
    told = {(row["concern"], row["state"]): (row["records"], row["questions"]) for row in desk.decided()}
    assert told == {("billing", "held"): (1, 0), ("accounts", "held"): (1, 1)}, "one of two conflicts still stands"
    desk.decide_conflicts(ids, "panel", by="ola", at=AT)
    told = {(row["concern"], row["state"]): (row["records"], row["questions"]) for row in desk.decided()}
    assert told == {("billing", "held"): (1, 0), ("accounts", "held"): (1, 1), ("billing", "conflict"): (1, 0)}
    answered = [row["client_id"] for row in desk.statuses(["held"], Asked()) if row["answered"]]
    assert answered == ["C-1"]
    waits = {(row["kind"], row["concern"]): row["records"] for row in desk.waiting_since()}
    assert waits == {("held", "billing"): 1}


def test_a_page_of_rows_has_the_names_states_and_reasons_of_its_clients(held: SqlBench) -> None:
    desk, erp = held.exchange.desk, held.erp
    erp.insert_client("N-1", company="Hurt Sp. z o.o.", first_name="Jan", last_name="Nowak")
    erp.insert_client("N-2", company=None, first_name="Jan", last_name="Nowak")
    erp.insert_client("N-3", company=None, first_name=None, last_name=None)
    assert desk.names(["N-1", "N-2", "N-3", "N-4"]) == {"N-1": "Hurt Sp. z o.o.", "N-2": "Jan Nowak"}
    assert desk.names([]) == {}
    assert {each: set(states) for each, states in desk.worst_states(["C-1", "C-6", "N-1"]).items()} == {
        "C-1": {"held"},
        "C-6": {"in_step"},
    }
    desk.exclude("C-1", "shops", "spór")
    desk.exclude("C-2", "shops", "")
    assert desk.reasons(["C-1", "C-2"]) == {("C-1", "shops"): "spór"}


def test_an_account_resembles_the_client_that_it_was_a_choice_for(sql: SqlBench) -> None:
    candidates(sql)
    alike = (("70", "d1"), ("71", "d1"), ("72", "d2"))
    sql.exchange.index.remember([SeenAccount(each, f"l{each}", "", "", mail) for each, mail in alike], at=AT)
    save(sql, change("C-4", "accounts", status=IN_STEP, link=Link("C-4", "70", "l70", "operator")))
    told = sql.exchange.desk.resembling(["7", "70", "71", "72"])
    assert told == {"7": "C-1", "71": "C-4"}
    assert sql.exchange.desk.resembling([]) == {}
