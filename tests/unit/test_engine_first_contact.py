"""First contact: clients and accounts that both exist already find each other, and nobody is opened twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kartoteka import codes
from kartoteka.codes import State
from kartoteka.concerns.accounts import matching
from kartoteka.concerns.accounts.index import Index
from kartoteka.errors import Halt, Retry
from kartoteka.model import Candidate, Key, Link, Owner, Value
from kartoteka.policy import Policy
from kartoteka.ports.exchange import ClientHint, SeenAccount
from kartoteka.ports.panel import Account
from kartoteka.sync.feed import seen
from kartoteka.sync.reconcile import reconcile
from tests.fakes.stored import StoredMatch
from tests.fixtures.records import change
from tests.helpers import OTHER, by, candidates, installation, status_of, tax_number
from tests.world import CLIENT, World


def index_of(world: World) -> Index:
    return Index(world.run().exchange, "accounts", world.run().policy.accounts.match)


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("shared", "rule"), [("nip", "nip"), ("email", "email"), ("both", "nip")], ids=["nip", "email", "both"]
)
def test_the_only_free_account_is_linked_and_learns_the_code(shared: str, rule: str) -> None:
    world = installation()
    same = {"nip": CLIENT["nip"], "email": CLIENT["email"]}
    other: dict[str, Value] = {**OTHER, "nip": ""}
    account = world.panel.register({**other, **(same if shared == "both" else {shared: same[shared]})}, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert by(world, "C-1") == (account, rule)
    assert world.panel.accounts[account].external_code == "C-1"
    assert len(world.panel.accounts) == 1
    assert not world.panel.notified


def test_a_client_is_compared_with_the_accounts_it_hits_and_not_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def noting(client: ClientHint, account: SeenAccount, *rest: Any) -> tuple[str, ...]:
        compared.append((client.client_id, account.panel_client_id))
        return rules_that_hit(client, account, *rest)

    rules_that_hit = matching.rules_that_hit
    monkeypatch.setattr(matching, "rules_that_hit", noting)
    world = installation()
    accounts = {}
    for n in range(60):
        number, mail = tax_number(n), f"firma-{n}@example.com"
        found_by = {"nip": number, "email": ""} if n % 2 else {"nip": "", "email": mail}
        accounts[f"C-{n:02}"] = world.panel.register({**OTHER, **found_by, "phone": ""}, login=f"jan-{n}")
        world.exchange.insert_client(f"C-{n:02}", **{**CLIENT, "nip": number, "email": mail, "phone": ""})
    world.tick()
    assert {client_id: by(world, client_id)[0] for client_id in accounts} == accounts
    assert set(compared) == set(accounts.items())


def test_values_are_compared_normalised() -> None:
    world = installation()
    account = world.panel.register({**OTHER, "nip": "PL 525-000-12-33"}, login="jan")
    world.exchange.insert_client("C-1", **{**CLIENT, "nip": "525 000 12 33", "email": ""})
    world.tick()
    assert by(world, "C-1") == (account, "nip")


def test_a_part_of_a_value_is_no_hit_and_nor_is_an_empty_one() -> None:
    world = installation()
    world.panel.register({**OTHER, "nip": "", "email": "a.biuro@firma.pl"}, login="jan")
    world.panel.register({**OTHER, "nip": "52500012330", "email": "b@firma.pl"}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **{**CLIENT, "nip": "", "email": "nowy@firma.pl"})
    world.tick()
    assert {link.linked_by for link in world.exchange.links.values()} == {"created"}


def test_the_account_that_carries_the_code_is_the_clients_whatever_else_hits() -> None:
    world = installation()
    world.panel.register(CLIENT, login="ewa")
    own = world.panel.register(OTHER, login="jan", external_code="C-1")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert by(world, "C-1") == (own, "external_code")


@pytest.mark.fault(57)
def test_two_free_accounts_are_a_question() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "ambiguous")
    assert candidates(world, "C-1") == {one: "nip", two: "email"}
    assert not world.exchange.links
    assert {a.external_code for a in world.panel.accounts.values()} == {""}
    status = world.exchange.status("C-1", "accounts")
    assert status
    assert one in status.message_en
    assert "sync_matches" in status.message_en


def test_a_person_links_by_one_update() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.decide_match("C-1", two, "link")
    world.tick()
    assert by(world, "C-1") == (two, "operator")
    assert status_of(world, "C-1") == (State.IN_STEP, "")
    assert world.panel.accounts[two].external_code == "C-1"
    assert candidates(world, "C-1") == {}
    assert one in world.exchange.incoming, "the other account is nobody's now"


def test_whose_accounts_are_said_before_the_first_contact_where_accounts_are_off_until_then() -> None:
    world = installation(policy='{"accounts": {"direction": "off"}}')
    world.exchange.insert_client("C-1", **{**CLIENT, "company": "Firma Jan"})
    account = world.panel.register(OTHER, login="jan", external_code="FIRMA JAN")
    for _ in range(3):
        world.tick()
    assert set(world.exchange.accounts) == {account}, "the account index is read"
    assert len(world.panel.accounts) == 1
    said = StoredMatch("C-1", account, "external_code", None, world.time)
    world.exchange.matches["C-1", account] = said
    world.exchange.decide_match("C-1", account, "link")
    world.policy = Policy()
    for _ in range(3):
        world.tick()
    assert by(world, "C-1") == (account, "operator")
    assert world.panel.accounts[account].external_code == "C-1"
    assert len(world.panel.accounts) == 1


def test_a_person_opens_a_new_one_by_one_update() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.decide_match("C-1", one, "create")
    world.tick()
    assert by(world, "C-1") == ("3", "created")
    assert set(world.exchange.incoming) == {one, two}


def test_decisions_that_contradict_each_other_are_told_and_nothing_is_done() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.decide_match("C-1", one, "link")
    world.exchange.decide_match("C-1", two, "create")
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "contradictory")
    world.exchange.decide_match("C-1", two, "")
    world.tick()
    assert by(world, "C-1") == (one, "operator")


def test_two_clients_that_hit_one_account_are_both_held_whatever_chunk_they_are_in() -> None:
    world = installation(policy='{"panel": {"batch_size": 1}}')
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **{**CLIENT, "email": "filia@firma.pl"})
    world.tick()
    for client in ("C-1", "C-2"):
        assert status_of(world, client) == (State.HELD, "shared_account")
        assert candidates(world, client).keys() == {account}
    world.exchange.decide_match("C-2", account, "link")
    world.tick()
    assert by(world, "C-2") == (account, "operator")
    assert by(world, "C-1") == ("2", "created"), "the account is taken, so nobody needs to decide about C-1"


def test_branches_share_a_tax_number() -> None:
    world = installation()
    world.panel.register(CLIENT, login="jan", external_code="C-1")
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **{**CLIENT, "email": "filia@firma.pl"})
    world.tick()
    assert by(world, "C-1")[1] == "external_code"
    assert by(world, "C-2")[1] == "created"


def test_a_branch_with_an_account_of_its_own_does_not_contend_for_the_other() -> None:
    world = installation()
    world.panel.register({**CLIENT, "email": "filia@firma.pl"}, login="filia", external_code="C-2")
    free = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **{**CLIENT, "email": ""})
    world.exchange.insert_client("C-2", **{**CLIENT, "email": "filia@firma.pl"})
    world.tick()
    assert by(world, "C-1") == (free, "nip")
    assert by(world, "C-2")[1] == "external_code"


def test_an_account_with_a_code_that_no_client_has_is_a_question() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan", external_code="OLD-9")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "foreign_code")
    world.exchange.decide_match("C-1", account, "link")
    world.tick()
    assert by(world, "C-1") == (account, "operator")
    assert world.panel.accounts[account].external_code == "C-1"


def test_a_guest_is_nobodys_account() -> None:
    world = installation()
    world.panel.register(CLIENT, guest=True, login="guest")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert by(world, "C-1") == ("2", "created")


def test_the_policy_says_which_rules_there_are() -> None:
    world = installation(policy='{"accounts": {"match": ["external_code", "email"]}}')
    world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    assert by(world, "C-1") == ("2", "created")


def test_nothing_is_opened_before_all_accounts_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = installation(policy='{"panel": {"batch_size": 2}}')
    for n in range(9):
        world.panel.register({**OTHER, "email": f"{n}@x.pl", "nip": ""}, login=f"shop-{n}")
    own = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.fail()
    monkeypatch.setattr("kartoteka.sync.feed.PAGES", 2)
    for _ in range(2):
        world.tick()
        assert not world.panel.opened
        assert status_of(world, "C-1") == (State.PENDING, "first_pass")
    world.tick()
    world.tick()
    assert by(world, "C-1") == (own, "nip")
    assert not world.panel.opened


def test_a_message_that_comes_before_all_accounts_were_read_opens_nothing() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **CLIENT)
    world.queue.send("accounts", [Owner("C-1")])
    world.drain()
    assert not world.panel.opened
    assert status_of(world, "C-1") == (State.PENDING, "first_pass")
    world.tick()
    assert world.panel.opened


@pytest.mark.parametrize("error", [Halt("panel_key", "wrong key"), Retry("panel_5xx")])
def test_a_panel_that_cannot_be_read_is_told_client_by_client(error: Halt | Retry) -> None:
    world = installation()
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.fail(*[error] * 3)
    world.tick()
    assert status_of(world, "C-1") == (State.PENDING, error.code)
    for _ in range(3):
        world.tick()
    assert status_of(world, "C-1") == (State.IN_STEP, "")


def test_an_account_that_slips_by_while_others_vanish_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world = installation(policy='{"panel": {"batch_size": 2}}')
    for n in range(6):
        world.panel.register({**OTHER, "email": f"{n}@x.pl", "nip": ""}, login=f"shop-{n}")
    own = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    monkeypatch.setattr("kartoteka.sync.feed.PAGES", 3)
    world.follow()
    assert not world.exchange.index.known([own])
    for gone in ("1", "2", "3"):
        world.panel.remove(gone)  # the last account moves from the fourth page to the second, which was read
    for _ in range(3):
        world.tick()
    assert by(world, "C-1") == (own, "nip")


def test_a_lost_reply_to_the_giving_of_a_code_is_cleared_up() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.lose_reply()
    world.tick()
    assert by(world, "C-1") == (account, "nip")
    assert [h.field for h in world.exchange.history].count("external_code") == 1
    assert world.panel.calls()["PUT clients/clients"] == 1


@pytest.mark.fault(4)
def test_a_worker_that_dies_anywhere_links_in_the_end_and_opens_nobody() -> None:
    for steps in range(1, 25):
        for after in (False, True):
            world = installation()
            account = world.panel.register({**CLIENT, "street": "Krótka 2"}, login="jan")
            world.exchange.insert_client("C-1", **CLIENT)
            world.knows_the_panel()
            world.mortal(steps, after=after)
            world.work("accounts")
            for _ in range(3):
                world.tick()
            assert not world.panel.opened, f"died at step {steps}, after: {after}"
            assert by(world, "C-1") == (account, "nip")
            assert world.panel.accounts[account].values["street"] == CLIENT["street"]


def test_an_account_that_changed_since_it_was_read_is_not_linked_by_what_it_was() -> None:
    world = installation()
    account = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    world.knows_the_panel()
    world.panel.edit(account, nip="1111111111")
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("accounts")
    world.drain()
    assert by(world, "C-1")[1] == "created"
    assert world.panel.accounts[account].external_code == ""


def test_an_account_that_was_given_to_another_meanwhile_is_not_taken_from_it() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **{**OTHER, "country_code": "PL"})
    world.panel.recode(account, "C-2")
    world.collect("accounts")
    world.drain()
    assert by(world, "C-2") == (account, "external_code")
    assert by(world, "C-1")[1] == "created"


def test_an_account_that_vanished_since_it_was_read_is_nobodys() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.knows_the_panel()
    world.panel.remove(account)
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("accounts")
    world.drain()
    assert by(world, "C-1")[1] == "created"


def test_first_contact_fills_agrees_and_decides_by_the_policy() -> None:
    world = installation()
    account = world.panel.register({**CLIENT, "street": "Krótka 2", "phone": "", "last_name": "Nowak"}, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    shown = world.panel.accounts[account].values
    assert (shown["street"], shown["phone"]) == (CLIENT["street"], CLIENT["phone"])
    row = world.exchange.client("C-1") or {}
    assert row["last_name"] == "Nowak"
    assert {(h.field, h.reason) for h in world.exchange.history if h.concern == "billing"} >= {
        ("street", "first_contact"),
        ("phone", "first_contact"),
        ("last_name", "first_contact"),
    }
    (conflict,) = [c for c in world.exchange.conflicts if c.field == "street"]
    assert (conflict.decision, conflict.base_value) == ("erp", None)
    assert conflict.closed_at


def test_a_client_that_is_not_complete_is_linked_all_the_same() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", nip=CLIENT["nip"])
    world.tick()
    assert by(world, "C-1") == (account, "nip")
    assert (world.exchange.client("C-1") or {})["email"] == CLIENT["email"]


def test_direction_panel_to_erp_links_and_opens_nothing() -> None:
    world = installation(policy='{"accounts": {"direction": "panel_to_erp"}}')
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.exchange.insert_client("C-2", **OTHER)
    world.tick()
    assert by(world, "C-1") == (account, "nip")
    assert world.exchange.status("C-2", "accounts") == codes.status("direction")
    assert status_of(world, "C-2") == (State.EXCLUDED, "direction")
    assert not world.panel.opened


def test_an_account_that_begins_to_fit_a_held_client_is_noticed() -> None:
    world = installation()
    account = world.panel.register({**OTHER}, login="jan")
    world.exchange.insert_client("C-1", nip=CLIENT["nip"])
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "incomplete")
    world.pass_time(minutes=10)
    world.panel.edit(account, nip=CLIENT["nip"])
    world.tick()
    assert by(world, "C-1") == (account, "nip")


def test_a_database_that_was_restored_has_its_account_index_read_anew() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.pass_time(hours=2)
    registered = world.panel.register(OTHER, login="jan")
    world.tick()
    world.pass_time(minutes=30)
    world.tick()
    world.exchange.accounts.pop(registered)  # the backup is older than the registration
    world.exchange.incoming.clear()
    world.exchange.entries = {}
    world.pass_time(hours=2)
    world.exchange.insert_client("C-2", **OTHER)
    world.tick()
    world.tick()
    assert by(world, "C-2") == (registered, "nip")


@pytest.mark.fault(92)
def test_two_thousand_clients_and_twelve_hundred_accounts_cost_pages_and_batches() -> None:
    world = installation()
    for n in range(1200):
        code = f"C-{n:04}" if n < 200 else ""
        values = {**CLIENT, "nip": tax_number(n), "email": f"jan{n}@firma.pl"}
        world.panel.register(values, login=f"shop-{n}", external_code=code)
    for n in range(2000):
        values = {**CLIENT, "nip": tax_number(n), "email": f"jan{n}@firma.pl"}
        if n < 400:
            kind = values
        elif n < 600:  # by the tax number alone
            kind = {**values, "email": f"nowy{n}@firma.pl"}
        elif n < 700:  # by the e-mail alone
            kind = {**values, "nip": ""}
        elif n < 750:  # the tax number says one account, the e-mail another
            kind = {**values, "email": f"jan{n + 50}@firma.pl"}
        elif n < 800:  # taken as candidates by the fifty before
            kind = {**values, "nip": tax_number(n + 5000), "email": f"x{n}@firma.pl"}
        elif n < 900:  # pairs of branches with one account
            kind = {**values, "nip": tax_number(n - n % 2), "email": f"filia{n}@firma.pl"}
        else:
            kind = {**values, "nip": tax_number(n + 5000), "email": f"nowy{n}@firma.pl"}
        world.exchange.insert_client(f"C-{n:04}", **kind)
    world.tick()
    world.tick()
    first = dict(world.panel.calls())
    held = [c for c in world.exchange.clients if status_of(world, c)[0] is State.HELD]
    ways = [link.linked_by for link in world.exchange.links.values()]
    assert len(held) == 50 + 100
    assert {way: ways.count(way) for way in set(ways)} == {
        "external_code": 200,
        "nip": 200 + 200,
        "email": 100,
        "created": 50 + 1100,
    }
    assert len(world.panel.accounts) == 1200 + 1150
    codes = [a.external_code for a in world.panel.accounts.values() if a.external_code]
    assert len(codes) == len(set(codes)) == 1850
    # 400 accounts are nobody's: those from 900 on, and every second of the branches' hundred
    assert len(world.exchange.incoming) == 300 + 50
    pages, batches = 12, 20
    assert first["GET clients/clients"] <= 2 * pages + 4 * batches + 30
    assert sum(first.values()) <= 2 * pages + 8 * batches + 40, first
    before = dict(world.panel.calls())
    world.pass_time(minutes=10)
    world.tick()
    world.tick()
    after = dict(world.panel.calls())
    assert sum(after.values()) - sum(before.values()) <= 14  # the feed, and the addresses of the pass


def test_a_person_cannot_give_away_an_account_of_another_client() -> None:
    world = installation()
    one = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    two = world.panel.register({**CLIENT, "nip": OTHER["nip"]}, login="ewa")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.insert_client("C-2", email="c2@firma.pl")
    world.panel.recode(two, "C-2")
    world.exchange.decide_match("C-1", two, "link")
    world.collect("accounts")
    world.drain()
    assert status_of(world, "C-1") == (State.HELD, "account_taken")
    assert world.panel.accounts[two].external_code == "C-2"
    assert world.panel.accounts[one].external_code == ""


def test_who_contends_for_an_account() -> None:
    world = installation().knows_the_panel()
    free = seen(world.exchange.index, Account("7", "jan", "", {**CLIENT}))
    for client in ("C-1", "C-2", "C-3", "C-4"):
        world.exchange.insert_client(client, **{**CLIENT, "email": f"{client}@firma.pl"})
    world.exchange.index.remember([free, SeenAccount("8", "filia", "C-2", "", "")], at=world.time)
    world.exchange.records.save(
        [
            change("C-3", "accounts", candidates=(Candidate("C-3", "7", "nip", "create"),)),
            change("C-4", "accounts", candidates=(Candidate("C-4", "7", "nip", "link"),)),
        ],
        run_id="r",
        at=world.time,
    )
    assert index_of(world).contenders([free]) == {"7": {"C-1", "C-4"}}


def test_a_link_that_never_came_about_leaves_no_trace_in_the_log_in_of_a_new_account() -> None:
    world = installation()
    account = world.panel.register({**OTHER, "nip": CLIENT["nip"]}, login="jan")
    world.knows_the_panel()
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("accounts")
    world.dies_at("update")
    world.work("accounts")
    world.panel.edit(account, nip="1111111111")
    world.tick()
    assert world.exchange.links["C-1"].panel_login == "c-1"


def test_an_account_given_to_another_client_is_taken_from_the_one_that_was_deleted() -> None:
    world = installation()
    account = world.panel.register(CLIENT, login="jan", external_code="C-1")
    world.exchange.insert_client("C-1", **CLIENT)
    world.tick()
    world.exchange.delete_client("C-1")
    world.exchange.insert_client("C-2", **CLIENT)
    world.tick()
    assert status_of(world, "C-2") == (State.HELD, "foreign_code")
    world.exchange.decide_match("C-2", account, "link")
    world.tick()
    assert by(world, "C-2") == (account, "operator")
    assert "C-1" not in world.exchange.links
    world.exchange.insert_client("C-1", **{**OTHER, "city": "Gdynia"})
    for _ in range(2):
        world.tick()
    assert by(world, "C-1") == ("2", "created")
    assert world.panel.accounts["2"].values["city"] == "Gdynia"
    assert world.panel.accounts[account].values["city"] == CLIENT["city"]


@pytest.mark.fault(57)
def test_a_customer_who_registers_while_his_client_is_made_is_opened_no_second_account() -> None:
    world = installation()
    world.tick()
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.collect("accounts")  # before the feed's own schedule
    world.drain()
    assert by(world, "C-1") == (account, "nip")
    assert len(world.panel.accounts) == 1


@pytest.mark.parametrize("error", [Retry("panel_5xx"), Halt("panel_key", "wrong key")])
def test_where_the_news_cannot_be_read_a_client_waits_for_them_and_is_told_why(error: Retry | Halt) -> None:
    world = installation()
    world.tick()
    account = world.panel.register(CLIENT, login="jan")
    world.exchange.insert_client("C-1", **CLIENT)
    world.panel.fail(error)
    world.collect("accounts")
    world.drain()
    assert not world.exchange.links
    assert status_of(world, "C-1") == (State.PENDING, error.code)
    world.pass_time(minutes=1)
    world.collect("accounts")
    world.drain()
    assert by(world, "C-1") == (account, "nip")
    assert len(world.panel.accounts) == 1


def test_while_the_feed_is_paused_nobody_is_opened_and_a_linked_account_is_closed_all_the_same() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **OTHER)
    world.tick()
    world.tick()
    world.pause("panel_feed", "operator")
    account = world.panel.register(CLIENT, login="jan")
    world.pass_time(hours=5)
    world.exchange.insert_client("C-2", **CLIENT)
    world.exchange.update_client("C-1", active=False)
    for _ in range(3):
        world.collect("accounts", everything_due=True)
        world.drain()
        world.pass_time(minutes=2)
    assert world.panel.closed == {by(world, "C-1")[0]}
    assert status_of(world, "C-2") == (State.PENDING, "paused")
    assert not world.panel.calls().get("POST clients/clients", 0) > 1
    world.resume("panel_feed")
    world.collect("accounts")
    world.drain()
    assert by(world, "C-2") == (account, "nip")
    assert len(world.panel.accounts) == 2


def test_a_held_client_that_was_completed_while_the_feed_is_paused_is_looked_at_afterwards() -> None:
    world = installation()
    world.exchange.insert_client("C-1", **{**CLIENT, "city": None})
    world.tick()
    assert status_of(world, "C-1") == (State.HELD, "incomplete")
    world.pause("panel_feed", "operator")
    world.exchange.update_client("C-1", city="Łódź")
    world.collect("accounts")
    assert status_of(world, "C-1") == (State.PENDING, "paused")
    world.resume("panel_feed")
    world.pass_time(minutes=1)
    world.collect("accounts")
    world.drain()
    assert by(world, "C-1")[1] == "created"


def test_where_nobody_is_opened_no_client_waits_for_a_paused_feed() -> None:
    world = installation(policy='{"accounts": {"direction": "off"}}')
    account = world.panel.register(CLIENT, login="jan")
    world.tick()
    world.pause("panel_feed", "operator")
    world.exchange.insert_client("C-1", **OTHER)
    world.exchange.insert_client("C-2", **{**OTHER, "nip": "", "email": "x@y.pl"})
    world.exchange.answer_incoming(account, "C-1")
    world.collect("accounts")
    world.drain()
    assert by(world, "C-1") == (account, "incoming")
    assert world.exchange.status("C-2", "accounts") is None
    assert not world.exchange.deferrals.keys() & {Key("C-2", "", "accounts")}


def test_all_clients_are_read_once_a_run_whatever_the_number_of_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    world = installation(policy='{"panel": {"batch_size": 1}}')
    for n in range(9):
        world.panel.register({**CLIENT, "nip": tax_number(n), "email": f"{n}@x.pl"}, login=f"shop-{n}")
    world.knows_the_panel()
    for n in range(9):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": tax_number(n), "email": ""})
    asked: list[str] = []
    hints = world.exchange.index.hints

    def noting() -> Sequence[ClientHint]:
        asked.append("hints")
        return hints()

    monkeypatch.setattr(world.exchange.index, "hints", noting)
    world.collect("accounts")
    asked.clear()
    reconcile(world.run().concerns["accounts"], [Owner(f"C-{n}") for n in range(9)])
    assert {link.linked_by for link in world.exchange.links.values()} == {"nip"}
    assert len(asked) == 1


def test_a_client_that_got_its_account_in_this_run_or_looks_otherwise_by_now_does_not_contend() -> None:
    world = installation().knows_the_panel()
    free = seen(world.exchange.index, Account("7", "jan", "", {**CLIENT}))
    for client in ("C-1", "C-2", "C-3", "C-4"):
        world.exchange.insert_client(client, **{**CLIENT, "email": f"{client}@firma.pl"})
    index = index_of(world)
    assert index.contenders([free]) == {"7": {"C-1", "C-2", "C-3", "C-4"}}
    world.exchange.links["C-1"] = Link("C-1", "9", "ewa", "created")
    world.exchange.update_client("C-2", nip="7792369887")
    world.exchange.delete_client("C-3")
    assert index.contenders([free]) == {"7": {"C-4"}}


@pytest.mark.parametrize("login", ["", "gast@x.pl"])
def test_a_guest_who_carries_the_clients_code_is_not_linked_and_that_is_told(login: str) -> None:
    world = installation()
    account = world.panel.register(CLIENT, login=login, external_code="C-1", guest=True)
    world.exchange.insert_client("C-1", **CLIENT)
    for _ in range(3):
        world.tick()
    assert not world.exchange.links
    assert status_of(world, "C-1") == (State.HELD, "guest")
    assert len(world.panel.accounts) == 1
    own = world.panel.register(OTHER, login="jan", external_code="C-1")
    world.tick()
    assert by(world, "C-1") == (own, "external_code"), "the one that can be linked is the client's"
    assert account in world.panel.accounts
