"""A whole installation against a panel that moves while it is read, dates nothing, was restored, or hides a group.

And one that keeps something else than it was sent, and thanks for it; then what one wrong field, an account closed by
hand and another currency do.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from kartoteka import runtime
from local.panel import Account
from tests.fixtures.installation import Context, Installation, event

SMALL = {"batch_size": 10}
NOT_LOOKED_AT = {"full_read_days": 3650, "requests_per_second": 1000}


@pytest.fixture
def moto_keeps_state() -> bool:
    """Say that the cloud is all the same here: what the panel does is the point."""
    return False


def decide(installation: Installation, **panel: Any) -> None:
    """Let everybody be edited within an hour, and leave the slow reading of all accounts out."""
    policy = {"panel": {**NOT_LOOKED_AT, **panel}, "brake": {"any_share": 1.0}}
    installation.decide(json.dumps(policy))


def filled(installation: Installation, number: int, **panel: Any) -> list[Account]:
    """Bring so many clients, of whom only their codes and e-mails tell, into step; return their accounts."""
    decide(installation, **panel)
    installation.tick()
    installation.insert(*(f"C-{n:04}" for n in range(number)))
    installation.sql("UPDATE clients SET nip = NULL")
    ticks(installation, 2, seconds=301)
    accounts = sorted(installation.panel.accounts, key=lambda account: account.external_code)
    assert [account.external_code for account in accounts] == [f"C-{n:04}" for n in range(number)]
    return accounts


def ticks(installation: Installation, number: int, **after: float) -> None:
    """Tick some times, with so much time after each."""
    for _ in range(number):
        installation.tick()
        installation.pass_time(**(after or {"seconds": 61}))


def rows(installation: Installation, *fields: str) -> list[Any]:
    """Return these columns of the ERP's clients, in their order."""
    return installation.sql(f"SELECT {', '.join(fields)} FROM clients ORDER BY id")


def shown(installation: Installation, *fields: str) -> list[Any]:
    """Return these values of the panel's accounts that have a code, in the order of the clients."""
    coded = [account for account in installation.panel.accounts if account.external_code]
    coded.sort(key=lambda account: account.external_code)
    return [tuple(getattr(account, field) for field in fields) for account in coded]


def held(installation: Installation) -> list[Any]:
    """Return the concern and the code of all that waits for a person."""
    return installation.sql("SELECT concern, code FROM sync_status WHERE state = 'held' ORDER BY client_id, concern")


# --- pages that move while they are read (issue 10, point 2)


@pytest.mark.parametrize(
    ("number", "edits", "order", "late", "panel"),
    [
        (260, 70, "number", 5, {}),
        (45, 7, "number", 0, SMALL),
        (45, 10, "oldest", 5, SMALL),
        (45, 7, "newest", 0, SMALL),
        (45, 7, "newest", 5, SMALL),
        (45, 3, "street", 0, SMALL),
    ],
)
def test_no_edit_is_lost_that_moves_to_another_page(
    installation: Installation, number: int, edits: int, order: str, late: int, panel: dict[str, Any]
) -> None:
    """``late``: so many seconds after the window ends accounts are edited; 0: they stay in it, in another place."""
    accounts = filled(installation, number, **panel)
    for account in accounts:
        installation.panel.edit(account.id, city=f"Gdynia {account.id}", street=f"Polna {account.id}")
    installation.pass_time(seconds=20)
    installation.panel.settings.change(edits_between_pages=edits, listed_by=order)
    installation.panel.clock.skew = late
    ticks(installation, 2)
    installation.panel.settings.change(edits_between_pages=0)
    ticks(installation, 2, seconds=200)
    again = shown(installation, "street", "city")
    assert len([street for street, _ in again if street.startswith("Nowa ")]) >= edits
    assert rows(installation, "street", "city") == again
    assert [city for _, city in again] == [f"Gdynia {account.id}" for account in accounts]


# --- accounts without a modification date (issue 10, point 6)


def undated(installation: Installation, client_id: str, **more: Any) -> Account:
    """Let one register in the shop by whom a client of the ERP's is known."""
    return installation.panel.seed(login=f"shop-{client_id.lower()}", email=f"{client_id.lower()}@firma.pl", **more)


@pytest.mark.parametrize(("date", "strangers"), [("zeros", 0), ("zeros", 130), ("null", 99), ("absent", 100)])
def test_one_who_registered_without_a_date_gets_no_second_account(
    installation: Installation, date: str, strangers: int
) -> None:
    filled(installation, 2)
    installation.panel.settings.change(date_before_edit=date)
    installation.panel.seed_all({"login": f"s-{n}", "email": f"{n}@sklep.pl"} for n in range(strangers))
    somebody = undated(installation, "N-1")
    installation.insert("N-1")
    installation.sql("UPDATE clients SET nip = NULL")
    ticks(installation, 2)
    assert installation.panel.account(somebody.id).external_code == "N-1"
    assert len(installation.panel.accounts) == 3 + strangers


@pytest.mark.parametrize("date", ["zeros", "empty"])
def test_one_who_registered_without_a_date_during_an_outage_is_known(installation: Installation, date: str) -> None:
    filled(installation, 2)
    installation.panel.settings.change(date_before_edit=date)
    somebody = undated(installation, "N-1")
    installation.pass_time(days=9)
    installation.insert("N-1")
    installation.sql("UPDATE clients SET nip = NULL")
    ticks(installation, 2)
    assert installation.panel.account(somebody.id).external_code == "N-1"
    assert len(installation.panel.accounts) == 3


@pytest.mark.parametrize("date", ["zeros", "absent"])
def test_one_who_registered_without_a_date_is_listed_within_six_hours(installation: Installation, date: str) -> None:
    filled(installation, 2)
    installation.panel.settings.change(date_before_edit=date)
    somebody = undated(installation, "N-1")
    for _ in range(7):
        installation.pass_time(hours=1)
        installation.handler("panel_feed")(event("panel_feed_schedule"), Context())
    listed = installation.sql("SELECT panel_client_id FROM incoming_clients")
    assert [str(key) for (key,) in listed] == [str(somebody.id)]


@pytest.mark.parametrize("date", ["zeros", "empty", "null", "absent"])
def test_accounts_that_we_opened_and_nobody_has_dated_are_in_step_and_edits_travel(
    installation: Installation, date: str
) -> None:
    installation.panel.settings.change(date_before_edit=date)
    first, second = filled(installation, 2)
    assert held(installation) == []
    installation.sql("UPDATE clients SET street = 'Krótka 7' WHERE id = 'C-0000'")
    installation.panel.edit(second.id, city="Gdynia")
    ticks(installation, 3)
    assert shown(installation, "street", "city") == [("Krótka 7", first.city), (second.street, "Gdynia")]
    assert rows(installation, "street", "city") == shown(installation, "street", "city")
    assert held(installation) == []


# --- a panel that was restored from an older backup (issue 10, point 7)


def edited(installation: Installation, *numbers: int, **values: Any) -> None:
    """Let the ERP edit these clients, and the edits arrive."""
    for n in numbers:
        for field, value in values.items():
            installation.sql(f"UPDATE clients SET {field} = '{value} {n}' WHERE id = 'C-{n:04}'")
    ticks(installation, 1, seconds=10)
    installation.pass_time(minutes=11)
    ticks(installation, 1)


def paused(installation: Installation) -> set[str]:
    """Return why concerns are paused."""
    return {reason for (reason,) in installation.sql("SELECT reason FROM sync_pauses") if reason}


def resume(installation: Installation) -> None:
    """Confirm, as a person does, what the brake has stopped."""
    run = runtime.new_run()
    for concern in run.exchange.pauses.paused():
        run.exchange.pauses.resume(concern, released_at=run.now())


@pytest.mark.fault(25)
@pytest.mark.parametrize(("number", "touch"), [(6, "the same"), (6, "another"), (19, "a neighbour"), (1, "nothing")])
def test_a_restored_panel_brings_nothing_old_back(installation: Installation, number: int, touch: str) -> None:
    accounts = filled(installation, 30)
    installation.panel.back_up()
    edited(installation, *range(number), street="Nowa")
    installation.pass_time(days=1)
    ticks(installation, 1)
    installation.panel.restore()
    installation.pass_time(minutes=3)
    edits = {"the same": {"phone": "600700800"}, "another": {"city": "Gdynia"}, "a neighbour": {"phone": "600700800"}}
    if touch in edits:
        installation.panel.edit(accounts[29 if touch == "a neighbour" else 0].id, **edits[touch])
    ticks(installation, 4)
    assert rows(installation, "street")[:number] == [(f"Nowa {n}",) for n in range(number)]
    assert shown(installation, "street", "city") == rows(installation, "street", "city")
    assert rows(installation, "city")[0] == ("Gdynia" if touch == "another" else accounts[0].city,)
    phones = [phone for (phone,) in rows(installation, "phone")]
    assert phones.count("600700800") == (touch in ("the same", "a neighbour"))
    assert installation.sql("SELECT * FROM sync_conflicts") == []
    assert paused(installation) == set()


def test_every_account_was_edited_before_anybody_noticed_the_restore(installation: Installation) -> None:
    accounts = filled(installation, 6)
    installation.panel.back_up()
    edited(installation, *range(6), street="Nowa")
    installation.panel.restore()
    installation.pass_time(minutes=3)
    for n, account in enumerate(accounts):
        installation.panel.edit(account.id, city=f"Gdynia {n}")
    ticks(installation, 4)
    expected = [(f"Nowa {n}", f"Gdynia {n}") for n in range(6)]
    assert rows(installation, "street", "city") == shown(installation, "street", "city") == expected


@pytest.mark.fault(25)
def test_much_that_went_back_is_told_and_waits_for_a_person(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(installation, 40)
    installation.panel.back_up()
    edited(installation, *range(25), street="Nowa")
    installation.panel.restore()
    before = shown(installation, "street")
    ticks(installation, 4)
    assert paused(installation) == {"brake"}
    assert "restored from an older backup" in capsys.readouterr().out
    assert shown(installation, "street") == before
    resume(installation)
    ticks(installation, 4, minutes=61)
    assert rows(installation, "street")[:25] == [(f"Nowa {n}",) for n in range(25)]
    assert shown(installation, "street") == rows(installation, "street")
    assert paused(installation) == set()


def test_a_number_handed_out_anew_is_nobody_elses_account(installation: Installation) -> None:
    filled(installation, 5)
    installation.panel.back_up()
    installation.insert("N-1")
    ticks(installation, 2)
    [ours] = installation.panel.by_code("N-1")
    installation.panel.restore()
    stranger = installation.panel.seed(login="obcy", email="obcy@x.pl", city="Kraków")
    assert stranger.id == ours.id
    installation.sql("UPDATE clients SET city = 'Sopot' WHERE id = 'N-1'")
    ticks(installation, 4)
    assert installation.panel.account(stranger.id).city == "Kraków"
    assert installation.panel.account(stranger.id).external_code == ""
    assert installation.sql("SELECT city FROM clients WHERE id = 'N-1'") == [("Sopot",)]
    assert "another_account" in {code for _, code in held(installation)}


def test_addresses_prices_and_what_is_never_shown_are_sent_again(installation: Installation) -> None:
    filled(installation, 3)
    address = "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city) VALUES "
    installation.sql(f"{address} ('A-1', 'C-0001', 'Jan', 'Kos', 'Stara 1', '00-950', 'Radom')")
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('G1', 'Sieć')")
    installation.price("G1", 7, "10.00")
    ticks(installation, 3)
    installation.panel.back_up()
    installation.sql("UPDATE delivery_addresses SET street = 'Nowa 1'")
    installation.sql(f"{address} ('A-2', 'C-0001', 'Jan', 'Kos', 'Druga 2', '00-950', 'Radom')")
    installation.sql("UPDATE discount_group_items SET price = '9.00'")
    installation.sql("UPDATE clients SET active = 0 WHERE id = 'C-0002'")
    edited(installation, 0, street="Nowa")
    [closed] = installation.panel.by_code("C-0002")
    assert not closed.active
    installation.panel.restore()
    ticks(installation, 6)
    [account] = installation.panel.by_code("C-0001")
    assert {address.street for address in account.addresses} == {"Nowa 1", "Druga 2"}
    assert installation.sql("SELECT street FROM delivery_addresses ORDER BY id") == [("Nowa 1",), ("Druga 2",)]
    [group] = installation.panel.groups_named("Sieć")
    assert str(group.prices["product", 7].price) == "9.00"
    assert not installation.panel.account(closed.id).active
    assert held(installation) == []


# --- a list of groups that lacks one (issue 10, point 25)


def grouped(installation: Installation, *names: str) -> int:
    """Bring a discount group, a price in it and two clients of it into step; return its number in the panel."""
    installation.panel.settings.change(groups={})
    installation.panel.state.empty()
    for name in names:
        installation.panel.make_group(name)
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('G1', 'Sieć')")
    installation.price("G1", 7, "12.30")
    filled(installation, 2)
    installation.sql("UPDATE clients SET discount_group_id = 'G1'")
    ticks(installation, 2)
    [group] = installation.panel.groups_named("Sieć")
    assert len(installation.panel.members(group.id)) == 2
    return group.id


def hide(installation: Installation, number: int, answers: int | None) -> None:
    """Let so many answers of the list of groups lack this one; None: all of them."""
    match = {"groupNumber": number}
    installation.panel.misbehave("unlisted", "GET discounts/groups", match=match, times=answers)


def priced(installation: Installation, price: str, ticked: int = 2) -> dict[int, list[str]]:
    """Let the ERP change the price, and the workers look; return the prices in each group of the row's name."""
    installation.sql(f"UPDATE discount_group_items SET price = '{price}'")
    ticks(installation, ticked)
    named = installation.panel.groups_named("Sieć")
    return {group.id: [str(each.price) for each in group.prices.values()] for group in named}


@pytest.mark.parametrize("others", [["Obca"], []])
def test_one_answer_that_lacks_a_group_makes_no_second_one(installation: Installation, others: list[str]) -> None:
    number = grouped(installation, *others)
    hide(installation, number, 1)
    assert priced(installation, "9.99") == {number: ["9.99"]}
    assert len(installation.panel.groups) == 1 + len(others)


@pytest.mark.parametrize("answers", [2, None])
def test_a_list_that_is_empty_makes_no_second_group(installation: Installation, answers: int | None) -> None:
    number = grouped(installation)
    hide(installation, number, answers)
    priced(installation, "9.99")
    installation.panel.behave()
    installation.pass_time(days=1)
    assert priced(installation, "8.88") == {number: ["8.88"]}


@pytest.mark.parametrize("answers", [2, None])
def test_two_answers_that_lack_it_are_proof_and_it_is_made_once_with_all_in_it(
    installation: Installation, answers: int | None
) -> None:
    former = grouped(installation, "Obca")
    hide(installation, former, answers)
    found = priced(installation, "9.99", 4)
    assert len(found) == 2
    [number] = found.keys() - {former}
    assert found[number] == ["9.99"]
    assert len(installation.panel.members(number)) == 2
    installation.panel.behave()
    assert priced(installation, "8.88")[number] == ["8.88"]
    assert len(installation.panel.groups) == 3
    assert held(installation) == []


def test_a_list_that_never_shows_what_we_made_lets_it_be_made_no_third_time(installation: Installation) -> None:
    former = grouped(installation, "Obca")
    installation.panel.misbehave("unlisted", "GET discounts/groups", match={"groupName": "Sieć"}, times=None)
    for price in ("9.99", "8.88", "7.77"):
        [number] = priced(installation, price).keys() - {former}
        assert [str(each.price) for each in installation.panel.group(number).prices.values()] == [price]
    assert len(installation.panel.members(number)) == 2
    installation.panel.behave()
    priced(installation, "6.66")
    hide(installation, number, 2)  # the list has shown it since: what it lacks twice is gone
    assert priced(installation, "5.55")[former] == ["5.55"], "which has the name, and is nobody's"


def test_a_group_that_was_deleted_in_the_panel_is_made_again_with_its_clients(installation: Installation) -> None:
    former = grouped(installation, "Obca")
    for account in installation.panel.accounts:
        installation.panel.edit(account.id, discount_group_id=0)
    installation.panel.delete_group(former)
    found = priced(installation, "9.99", 4)
    [(number, prices)] = found.items()
    assert prices == ["9.99"]
    assert number != former
    assert len(installation.panel.members(number)) == 2
    assert held(installation) == []


# --- a panel that keeps something else than it was sent (issue 10, points 14 to 17)


@pytest.mark.fault(52)
@pytest.mark.parametrize(
    ("manner", "field", "sent"),
    [
        ({"cuts_at": 20}, "company", "Przedsiębiorstwo Handlowe Łódź"),
        ({"drops_after_four_bytes": True}, "company", "Spółka \U0001f600 dalej"),
        ({"escapes_html": True}, "street", "Żółw & Gęś 5"),
        ({"loses_zeros": True}, "zip_code", "01067"),
        ({"ignores_fields": ["city"]}, "city", "Gdynia"),
    ],
)
def test_what_the_panel_makes_of_our_text_never_reaches_the_row(
    installation: Installation, manner: dict[str, Any], field: str, sent: str
) -> None:
    filled(installation, 2)
    installation.sql("UPDATE clients SET country_code = 'DE', zip_code = '10115' WHERE id = 'C-0000'")
    ticks(installation, 3)
    installation.panel.settings.change(**manner)
    installation.sql(f"UPDATE clients SET {field} = '{sent}' WHERE id = 'C-0000'")
    ticks(installation, 9)
    assert rows(installation, field)[0] == (sent,)
    assert held(installation) == [("billing", "not_taken")]
    writes = installation.panel.calls["PUT clients/clients"]
    ticks(installation, 2)
    assert installation.panel.calls["PUT clients/clients"] == writes, "for ever"
    installation.panel.edit(installation.panel.by_code("C-0000")[0].id, phone="600700800")
    ticks(installation, 2)
    assert rows(installation, field, "phone")[0] == (sent, "600700800")


def figures(installation: Installation, **values: str) -> None:
    """Let the ERP export these figures of the first client."""
    changes = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    installation.sql(f"UPDATE client_credit SET {changes}, as_of = '{installation.time:%Y-%m-%d %H:%M:%S}'")
    ticks(installation, 3)


@pytest.mark.parametrize("shows", ["limit_and_used", "limit_and_orders", "limit", "nothing"])
def test_a_balance_that_equals_what_the_panel_happens_to_show_is_sent(installation: Installation, shows: str) -> None:
    installation.panel.settings.change(shows_trade_credit=shows)
    [account] = filled(installation, 1)
    installation.credit("C-0000", "5000.00")
    for balance in ("950.00", "0.00", "120.00"):
        figures(installation, balance=balance)
        assert str(installation.panel.account(account.id).balance) == balance
    assert held(installation) == []


@pytest.mark.parametrize("field", ["credit_limit", "balance"])
def test_a_figure_of_0_that_leaves_what_was_there_is_told(installation: Installation, field: str) -> None:
    [account] = filled(installation, 1)
    installation.credit("C-0000", "5000.00")
    figures(installation, balance="950.00")
    installation.panel.settings.change(zero_leaves=True)
    figures(installation, **{field: "0.00"})
    ticks(installation, 6)
    assert held(installation) == [("credit", "not_taken")]
    assert getattr(installation.panel.account(account.id), field) > 0
    assert installation.sql(f"SELECT {field} FROM client_credit")[0][0] == 0


@pytest.mark.fault(10)
@pytest.mark.parametrize("edit", [{"street": "Inna 3"}, {"city": "Gdynia"}, {"phone": "600700800"}])
def test_an_edit_made_after_a_lost_reply_is_not_overwritten_without_a_trace(
    installation: Installation, edit: dict[str, str]
) -> None:
    """Of the field that was sent nobody knows whether it had arrived: that is a conflict, which the policy decides."""
    [account] = filled(installation, 1)
    installation.sql("UPDATE clients SET street = 'Nowa 7'")
    installation.panel.misbehave("reset", "PUT clients/clients", when="after")
    installation.tick()
    assert installation.panel.account(account.id).street == "Nowa 7"
    installation.pass_time(seconds=25)
    installation.panel.edit(account.id, **edit)
    ticks(installation, 4)
    expected = {**edit, "street": "Nowa 7"}
    assert rows(installation, *expected) == shown(installation, *expected) == [tuple(expected.values())]
    conflicts = installation.sql("SELECT field, erp_value, panel_value, decision FROM sync_conflicts")
    assert conflicts == ([("street", "Nowa 7", "Inna 3", "erp")] if "street" in edit else [])


# --- what a window has missed is found by the slow reading of all accounts (issue 10, point 8)


def follow(installation: Installation, left_ms: int = 100_000) -> None:
    """Fire the feed's schedule, in a function that has so much time left."""
    installation.handler("panel_feed")(event("panel_feed_schedule") | {"due": "all"}, Context(left_ms=left_ms))


@pytest.mark.parametrize(("number", "missed", "panel"), [(3, [1], {}), (25, [0, 12, 20], SMALL), (12, [3], SMALL)])
def test_what_no_window_has_shown_is_found_by_a_reading_of_all(
    installation: Installation, number: int, missed: list[int], panel: dict[str, Any]
) -> None:
    accounts = filled(installation, number, **panel, full_read_days=2)
    installation.pass_time(days=4)  # those registered of late are asked for besides
    installation.panel.edit(accounts[-1].id, phone="600700800")  # a window reaches back to the latest account
    ticks(installation, 2)
    with installation.panel.state.lock:
        for n in missed:  # no date moves, so no window shows it
            installation.panel.state.accounts.get(accounts[n].id).city = "Gdynia"
    found = []
    for _ in range(60):
        installation.pass_time(hours=1)
        installation.tick()
        found.append(rows(installation, "city").count(("Gdynia",)))
        if found[-1]:
            break
    ticks(installation, 2)
    assert len(found) > 40, "windows alone"
    assert [city == "Gdynia" for (city,) in rows(installation, "city")] == [n in missed for n in range(number)]


# --- windows that take longer than a function may run (issue 10, point 9)


@pytest.mark.parametrize(("number", "left_ms"), [(45, 1_000), (45, 44_000), (95, 20_000)])
def test_a_long_window_goes_on_where_the_last_run_stopped(
    installation: Installation, number: int, left_ms: int
) -> None:
    accounts = filled(installation, number, **SMALL)
    for account in accounts:
        installation.panel.edit(account.id, city="Gdynia")
    installation.pass_time(seconds=200)
    pages, runs = number // 10 + 1, []
    for _ in range(3 * pages):
        before = installation.panel.calls["GET clients/clients"]
        follow(installation, left_ms)
        runs.append(installation.panel.calls["GET clients/clients"] - before)
        installation.pass_time(seconds=61)
    assert max(runs) <= 4
    ticks(installation, 3)
    assert rows(installation, "city") == [("Gdynia",)] * number


# --- one refused field: the others travel (issue 10, points 18 and 20)

NAMED = "SELECT state, code, field FROM sync_status WHERE client_id = 'C-0000' AND concern = 'billing'"


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    ("field", "wrong", "code", "right"),
    [
        ("phone", "12", "bad_phone", "600700800"),
        ("email", "jan", "bad_email", "jan@x.pl"),
        ("nip", "5260001247", "bad_vat", "5260001246"),
    ],
)
def test_what_the_panel_would_refuse_is_held_at_once_by_its_field_and_the_others_travel(
    installation: Installation, field: str, wrong: str, code: str, right: str
) -> None:
    filled(installation, 2)
    installation.sql(f"UPDATE clients SET {field} = '{wrong}', city = 'Gdynia', street = 'Nowa 7' WHERE id = 'C-0000'")
    ticks(installation, 1)
    assert installation.sql(NAMED) == [("held", code, field)]
    assert shown(installation, "city", "street")[0] == ("Gdynia", "Nowa 7")
    writes = installation.panel.calls["PUT clients/clients"]
    ticks(installation, 3, minutes=20)
    assert installation.panel.calls["PUT clients/clients"] == writes, "each try is a paid call"
    installation.sql(f"UPDATE clients SET {field} = '{right}' WHERE id = 'C-0000'")
    ticks(installation, 3)
    assert installation.sql(NAMED) == [("in_step", "", "")]


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("field", "wrong", "right"), [("company", "F" * 301, "Firma"), ("first_name", "J" * 301, "Jan")]
)
def test_what_the_erp_cannot_take_is_held_at_once_by_its_field_and_the_others_travel(
    installation: Installation, field: str, wrong: str, right: str
) -> None:
    account, _ = filled(installation, 2)
    installation.panel.edit(account.id, **{field: wrong}, city="Gdynia", street="Nowa 7")
    before = rows(installation, field)
    ticks(installation, 2)
    assert installation.sql(NAMED) == [("held", "too_long", field)]
    assert rows(installation, "city", "street")[0] == ("Gdynia", "Nowa 7")
    assert rows(installation, field) == before
    installation.pass_time(minutes=5)
    installation.panel.edit(account.id, **{field: right})
    ticks(installation, 3)
    assert installation.sql(NAMED) == [("in_step", "", "")]
    assert rows(installation, field)[0] == (right,)


# --- an account that somebody closed by hand (issue 10, point 23)


@pytest.mark.parametrize("settled_by", ["the panel", "the ERP", "nobody"])
def test_an_account_that_was_closed_by_hand_is_held_and_not_reopened(
    installation: Installation, settled_by: str
) -> None:
    account, _ = filled(installation, 2)
    writes = installation.panel.calls["PUT clients/clients"]
    installation.panel.edit(account.id, active=False)
    ticks(installation, 2)
    installation.pass_time(days=1)
    ticks(installation, 2)
    assert held(installation) == [("accounts", "closed_in_panel")]
    assert not installation.panel.account(account.id).active
    assert installation.panel.calls["PUT clients/clients"] == writes
    if settled_by == "the panel":
        installation.panel.edit(account.id, active=True)
    elif settled_by == "the ERP":
        installation.sql("UPDATE clients SET active = 0 WHERE id = 'C-0000'")
    ticks(installation, 3)
    assert held(installation) == ([("accounts", "closed_in_panel")] if settled_by == "nobody" else [])
    assert installation.panel.account(account.id).active == (settled_by == "the panel")


# --- a client's currency changes (issue 10, point 24)


@pytest.mark.parametrize(
    ("figures", "limit"),
    [({"currency": "EUR", "credit_limit": "1200.00"}, "1200.00"), ({}, "0.00"), ({"balance": "7.00"}, "0.00")],
)
def test_a_limit_never_counts_in_another_currency_than_it_was_computed_in(
    installation: Installation, figures: dict[str, str], limit: str
) -> None:
    [account] = filled(installation, 1)
    installation.sql("UPDATE clients SET currency = 'PLN'")
    installation.credit("C-0000", "5000.00")
    ticks(installation, 3)
    assert str(installation.panel.account(account.id).credit_limit) == "5000.00"
    installation.panel.forget_calls()
    installation.sql("UPDATE clients SET currency = 'EUR'")
    if figures:
        changes = ", ".join(f"{name} = '{value}'" for name, value in figures.items())
        installation.sql(f"UPDATE client_credit SET {changes}, as_of = '{installation.time:%Y-%m-%d %H:%M:%S}'")
    ticks(installation, 4)
    after = installation.panel.account(account.id)
    assert (after.currency, str(after.credit_limit)) == ("EUR", limit)
    told = "".join(str(request["body"]) for request in installation.panel.requests("PUT clients/clients"))
    assert told.index("clientTradeCreditLimitExternal") < told.index("currencyId")
