"""`kartoteka pause`, `resume`, `resync` and `redrive` on a deployed stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli import cloud
from kartoteka.adapters.aws.queue import shard
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Change, Deferral, Link
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import AT, about, change, price, store_prices, written

HERE = ("--stack", STACK)
STOPPED = Status(State.PENDING, "brake")


def save(bench: SqlBench, *changes: Change, at: datetime = AT, run_id: str = "run") -> None:
    bench.exchange.records.save(changes, run_id=run_id, at=at)


@pytest.fixture
def clients(sqlite_bench: SqlBench) -> SqlBench:
    """Five clients: C-0, C-1 and C-2 have an account."""
    for number in range(5):
        sqlite_bench.erp.insert_client(f"C-{number}")
    links = [Link(f"C-{n}", f"{n}", f"c-{n}", "created") for n in range(3)]
    save(sqlite_bench, *(change(link.client_id, "accounts", status=IN_STEP, link=link) for link in links))
    return sqlite_bench


def body(*keys: str, concern: str = "billing", of: str = "clients") -> str:
    return json.dumps({"v": 1, "concern": concern, of: keys})


# --- pause and resume


def test_a_pause_begins_and_ends(command: Command, deployed: Deployed) -> None:
    assert "billing is paused (stock-taking)" in command("pause", "billing", "--reason", "stock-taking", *HERE).stdout
    assert deployed.paused() == {"billing": "stock-taking"}
    assert "goes on" in command("resume", "billing", *HERE).stdout
    assert deployed.paused() == {}
    assert "was not paused" in command("resume", "billing", *HERE).stdout


def test_the_feed_can_be_paused_too(command: Command, deployed: Deployed) -> None:
    assert command.json("pause", "panel_feed", *HERE) == {"concern": "panel_feed", "paused": True, "reason": "operator"}
    assert deployed.paused() == {"panel_feed": "operator"}
    assert command.json("resume", "panel_feed", *HERE)["was_paused"] is True


@pytest.mark.parametrize("reason", ["brake", " Brake ", "", " "])
def test_a_pause_has_a_reason_of_its_own(command: Command, deployed: Deployed, reason: str) -> None:
    assert "reason of your own" in command("pause", "billing", "--reason", reason, *HERE, code=2).output
    assert deployed.paused() == {}


# --- the brake


@pytest.fixture
def braked(clients: SqlBench, deployed: Deployed) -> Deployed:
    """Give a stack whose brake has stopped billing: three records were written, a fourth one waits."""
    email = written("email", "stary@firma.pl", "nowy@firma.pl", counts=True)
    city = written("city", "Gdynia", "Sopot")
    now = datetime.now(UTC)
    save(clients, change("C-3", written=(email,)), at=now - timedelta(minutes=50), run_id="earlier")
    save(clients, *(change(f"C-{n}", written=(email, city)) for n in range(2)), at=now - timedelta(minutes=5))
    save(clients, change("C-2", status=STOPPED, deferral=deferral(now)), at=now)
    deployed.pauses.pause("billing", "brake", at=AT)
    return deployed


def deferral(now: datetime, code: str = "brake") -> Deferral:
    return Deferral(now + timedelta(minutes=1), attempts=0, tries=1, code=code)


def test_what_the_brake_stopped_is_told_and_stays_stopped(command: Command, braked: Deployed) -> None:
    refused = command("resume", "billing", *HERE, code=77)
    assert "let 3 such records through in the last hour and deferred 1 client" in refused.stderr
    assert f"`kartoteka resume billing --confirm --stack {STACK}`" in refused.stderr
    assert refused.stdout == ""
    assert braked.paused() == {"billing": "brake"}
    assert braked.pauses.released("billing") is None


def test_what_is_deferred_for_another_reason_is_not_the_brakes(
    command: Command, clients: SqlBench, braked: Deployed
) -> None:
    del braked
    now = datetime.now(UTC)
    save(clients, change("C-1", deferral=deferral(now, "timeout")), change("C-1", "shops", deferral=deferral(now)))
    assert "deferred 1 client." in command("resume", "billing", *HERE, code=77).stderr


def test_groups_that_the_brake_deferred_are_no_clients(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    now = datetime.now(UTC)
    stopped = {"status": STOPPED, "deferral": deferral(now)}
    save(
        clients,
        *(change(f"C-{n}", "discounts", **stopped) for n in range(2)),
        *(about(group, **stopped) for group in ("G-1", "G-2", "G-3")),
        at=now,
    )
    deployed.pauses.pause("discounts", "brake", at=AT)
    told = command("resume", "discounts", *HERE, code=77).stderr
    assert "let 0 such records through in the last hour and deferred 2 clients and 3 discount groups" in told
    assert "resume discounts --confirm" in told


def test_what_was_confirmed_before_is_not_counted_again(command: Command, braked: Deployed) -> None:
    braked.pauses.resume("billing", released_at=datetime.now(UTC) - timedelta(minutes=20))
    braked.pauses.pause("billing", "brake", at=AT)
    assert "let 2 such records through" in command("resume", "billing", *HERE, code=77).stderr


def test_prices_that_were_let_through_are_told_too(command: Command, clients: SqlBench, braked: Deployed) -> None:
    braked.pauses.pause("discounts", "brake", at=AT)
    cut = written("price", "10.00", "0.01", counts=True)
    save(clients, *(about("G-1", f"product/{n}", written=(cut,)) for n in range(2)), at=datetime.now(UTC))
    assert "let 2 such records through" in command("resume", "discounts", *HERE, code=77).stderr


def test_status_says_in_words_what_stopped_everything(command: Command, deployed: Deployed) -> None:
    for concern in ("billing", "shops"):
        deployed.pauses.pause(concern, "brake", at=AT, code="panel_empties")
    shown = " ".join(command("status", "--lang", "en", *HERE).stdout.split())
    assert shown.count("emptied fields that our change did not name") == 1
    assert "kartoteka resume shops --confirm" in shown


def test_the_cloud_is_not_asked_what_is_paused(command: Command, braked: Deployed) -> None:
    braked.stack.dynamodb().delete_table(TableName=braked.stack.table)
    assert "--confirm" in command("resume", "billing", *HERE, code=77).stderr
    command("resume", "billing", "--confirm", *HERE)
    assert braked.paused() == {}


def test_a_confirmed_concern_goes_on_and_the_count_begins_anew(command: Command, braked: Deployed) -> None:
    for _ in range(2):
        before = datetime.now(UTC)
        assert "billing goes on; what the brake deferred" in command("resume", "billing", "--confirm", *HERE).stdout
        released = braked.pauses.released("billing")
        assert released is not None
        assert before <= released <= datetime.now(UTC)
        assert braked.paused() == {}
        braked.pauses.pause("billing", "brake", at=AT)


def test_a_plain_pause_needs_no_confirmation_and_leaves_the_count(command: Command, deployed: Deployed) -> None:
    deployed.pauses.pause("billing", "holiday", at=AT)
    assert command("resume", "billing", "--confirm", *HERE).stdout == "billing goes on\n"
    assert deployed.paused() == {}
    assert deployed.pauses.released("billing") is None


def test_a_plain_pause_does_not_take_the_brakes_place(command: Command, braked: Deployed) -> None:
    refused = command("pause", "billing", "--reason", "holiday", *HERE, code=77).stderr
    assert f"`kartoteka resume billing --confirm --stack {STACK}`" in refused
    assert braked.paused() == {"billing": "brake"}
    command("pause", "shops", "--reason", "holiday", *HERE)
    command("pause", "shops", "--reason", "longer holiday", *HERE)
    assert braked.paused() == {"billing": "brake", "shops": "longer holiday"}


def test_an_unknown_concern_is_refused(command: Command) -> None:
    for name in ("pause", "resume", "resync", "redrive"):
        command(name, "everything", code=2)


def test_an_unknown_stack_is_told(command: Command, deployed: Deployed) -> None:
    del deployed
    assert "nowhere cannot be read" in command("pause", "billing", "--stack", "nowhere", code=69).output


def test_without_a_stack_the_command_says_what_to_do(command: Command) -> None:
    assert "make up" in command("pause", "billing", code=69).output


# --- resync


def test_resync_of_billing_takes_all_that_are_linked(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    del clients
    assert command.json("resync", "billing", *HERE) == {
        "concern": "billing",
        "clients": 3,
        "messages": 1,
        "skipped": [],
    }
    assert deployed.keys("billing") == [["C-0", "C-1", "C-2"]]


@pytest.mark.parametrize("concern", ["delivery_addresses", "shops"])
def test_resync_of_other_concerns_takes_all_that_are_linked(
    command: Command, clients: SqlBench, deployed: Deployed, concern: str
) -> None:
    del clients
    assert command.json("resync", concern, *HERE)["clients"] == 3
    assert deployed.keys(concern) == [["C-0", "C-1", "C-2"]]
    assert deployed.keys("billing") == []


def test_the_concern_may_be_named_by_an_option(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    del clients
    assert command.json("resync", "--concern", "billing", *HERE)["clients"] == 3
    assert command.json("resync", "C-1", "--concern", "billing", *HERE)["clients"] == 1
    assert [sorted(keys) for keys in deployed.keys("billing")] == [["C-0", "C-1", "C-2"], ["C-1"]]


def test_a_resync_must_be_one_of_something(command: Command, deployed: Deployed) -> None:
    del deployed
    assert "CONCERN" in command("resync", *HERE, code=2).output
    assert "everything" in command("resync", "--concern", "everything", *HERE, code=2).output
    assert "billing has no groups" in command("resync", "billing", "--group", "G-1", *HERE, code=2).output


def test_resync_of_credit_takes_those_with_figures(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    for key in ("C-0", "C-4", "C-9"):
        clients.erp.run("INSERT INTO client_credit (client_id, credit_limit) VALUES (:k, 100)", k=key)
    save(clients, change("C-2", "credit", status=IN_STEP, base={"credit_limit": "5.00"}))
    assert command.json("resync", "credit", *HERE) == {
        "concern": "credit",
        "clients": 2,
        "messages": 1,
        "skipped": [],
    }
    assert deployed.keys("credit") == [["C-0", "C-2"]]
    assert command.json("resync", "--concern", "credit", "C-1", "C-4", *HERE)["skipped"] == ["C-4"]
    assert deployed.keys("credit") == [["C-1"]]


def test_resync_of_accounts_takes_all_that_have_none(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    del clients
    command("resync", "accounts", *HERE)
    assert deployed.keys("accounts") == [["C-3", "C-4"]]


def test_resync_of_named_clients(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    del clients
    answer = command("resync", "billing", "C-2", "C-0", "C-2", "C-4", *HERE).stdout
    assert "2 clients into the queue of billing, in 1 message" in answer
    assert "resync accounts` opens one: C-4" in answer
    assert deployed.keys("billing") == [["C-2", "C-0"]]


def test_resync_of_an_unknown_client_sends_nothing(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    del clients
    assert "no client C-9" in command("resync", "billing", "C-0", "C-9", *HERE, code=65).output
    assert deployed.keys("billing") == []


def test_resync_of_more_than_a_page(command: Command, clients: SqlBench, deployed: Deployed) -> None:
    clients.erp.run(
        "INSERT INTO clients (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2345) "
        "SELECT 'X-' || i FROM n"
    )
    assert command.json("resync", "accounts", *HERE)["clients"] == 2347
    keys = [key for keys in deployed.keys("accounts") for key in keys]
    assert len(keys) == len(set(keys)) == 2347


# --- resync of discounts: clients, and groups whole


@pytest.fixture
def groups(clients: SqlBench) -> SqlBench:
    """Give G-1 with 150 prices and G-2 with one, all sent; one of G-2's is refused, G-3 is gone but for what was sent.

    C-0 has a group, C-1 had one, C-4 has one and no account.
    """
    clients.erp.run("INSERT INTO discount_groups (id, name) VALUES ('G-1', 'Złota'), ('G-2', 'Srebrna')")
    clients.erp.run(
        "INSERT INTO discount_group_items (group_id, item_type, item_id, price, currency) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) "
        "SELECT 'G-1', 'product', i, 5, 'PLN' FROM n"
    )
    for key in ("C-0", "C-4"):
        clients.erp.run("UPDATE clients SET discount_group_id = 'G-1' WHERE id = :k", k=key)
    clients.erp.run("UPDATE clients SET discount_group_id = '' WHERE id = 'C-2'")
    save(clients, change("C-1", "discounts", status=IN_STEP, base={"discount_group_id": "G-2"}))
    store_prices(clients, *(price(str(n), "5.00") for n in range(1, 151)), group_id="G-1")
    store_prices(clients, price("1", "7.00", refused="8.00 PLN"), group_id="G-2")
    store_prices(clients, price("1", "9.00"), group_id="G-3")
    return clients


def known(bench: SqlBench) -> dict[str, set[str | None]]:
    """Return group -> the prices that it is known to have."""
    found: dict[str, set[str | None]] = {}
    for row in bench.erp.run("SELECT group_id, price, refused FROM sync_prices"):
        found.setdefault(row["group_id"], set()).add(row["price"] or row["refused"] or None)
    return found


@pytest.mark.parametrize("words", [("--concern", "discounts"), ("discounts",)])
def test_resync_of_discounts_sends_clients_and_groups_whole(
    command: Command, groups: SqlBench, deployed: Deployed, words: tuple[str, ...]
) -> None:
    assert command.json("resync", *words, *HERE) == {
        "concern": "discounts",
        "clients": 2,
        "messages": 2,
        "skipped": [],
        "groups": 3,
        "prices": 152,
        "calls": 5,
    }
    assert deployed.bodies("discounts") == [{"groups": ["G-1", "G-2", "G-3"]}, {"clients": ["C-0", "C-1"]}]
    assert known(groups) == {"G-1": {None}, "G-2": {None}, "G-3": {None}}


def test_resync_of_discounts_says_what_it_costs(command: Command, groups: SqlBench, deployed: Deployed) -> None:
    del groups, deployed
    told = command("resync", "discounts", *HERE).stdout
    assert "3 discount groups with 152 prices and 2 clients into the queue of discounts, in 2 messages" in told
    assert "about 5 panel calls" in told
    told = command("resync", "discounts", "--group", "G-2", *HERE).stdout
    assert "1 discount group with 1 price into the queue of discounts, in 1 message\nthat costs about 1 panel" in told


def test_resync_of_named_groups_leaves_the_others_alone(command: Command, groups: SqlBench, deployed: Deployed) -> None:
    answer = command.json("resync", "discounts", "--group", "G-2", "--group", "G-3", "--group", "G-2", *HERE)
    assert (answer["groups"], answer["clients"], answer["prices"], answer["calls"]) == (2, 0, 2, 2)
    assert deployed.bodies("discounts") == [{"groups": ["G-2", "G-3"]}]
    assert known(groups) == {"G-1": {"5.00"}, "G-2": {None}, "G-3": {None}}


def test_resync_of_named_clients_sends_no_group(command: Command, groups: SqlBench, deployed: Deployed) -> None:
    before = known(groups)
    answer = command.json("resync", "discounts", "C-2", "C-4", *HERE)
    assert (answer["groups"], answer["clients"], answer["skipped"], answer["calls"]) == (0, 1, ["C-4"], 1)
    assert deployed.bodies("discounts") == [{"clients": ["C-2"]}]
    assert known(groups) == before


def test_a_client_and_a_group_may_be_named_together(command: Command, groups: SqlBench, deployed: Deployed) -> None:
    del groups
    command("resync", "--concern", "discounts", "C-1", "--group", "G-1", *HERE)
    assert deployed.bodies("discounts") == [{"groups": ["G-1"]}, {"clients": ["C-1"]}]


@pytest.mark.parametrize("words", [("--group", "G-1", "--group", "G-9"), ("C-9", "--group", "G-1")])
def test_an_unknown_name_sends_nothing_and_doubts_nothing(
    command: Command, groups: SqlBench, deployed: Deployed, words: tuple[str, ...]
) -> None:
    before = known(groups)
    told = command("resync", "discounts", *words, *HERE, code=65).output
    assert ("no discount group G-9" in told) or ("no client C-9" in told)
    assert deployed.bodies("discounts") == []
    assert known(groups) == before


def test_prices_are_doubted_before_the_group_is_sent(
    command: Command, groups: SqlBench, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    del deployed
    monkeypatch.setattr("kartoteka.adapters.aws.queue.SqsQueue._send_batch", lambda _self, _url, entries: list(entries))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    command("resync", "discounts", "--group", "G-1", *HERE, code=69)
    assert known(groups)["G-1"] == {None}


def test_resync_of_many_groups(command: Command, groups: SqlBench, deployed: Deployed) -> None:
    groups.erp.run(
        "INSERT INTO discount_groups (id) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 247) SELECT 'X-' || i FROM n"
    )
    assert command.json("resync", "discounts", *HERE)["groups"] == 250
    keys = [key for body in deployed.bodies("discounts") for key in body.get("groups", ())]
    assert len(keys) == len(set(keys)) == 250


@pytest.fixture
def sharded(deployed: Deployed) -> Deployed:
    """Give a stack with four shards."""
    deployed.stack.session.client("cloudformation").update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Shards", "ParameterValue": "4"}],
    )
    return deployed


def test_a_client_stays_in_the_shard_of_the_stack(command: Command, clients: SqlBench, sharded: Deployed) -> None:
    del clients
    command("resync", "billing", *HERE)
    sharded.bury("billing", body("C-0", "C-1", "C-2"))
    command("redrive", "billing", *HERE)
    found = [
        (key, message["Attributes"]["MessageGroupId"])
        for message in sharded.messages("billing")
        for key in json.loads(message["Body"])["clients"]
    ]
    assert sorted(found) == sorted((key, f"shard-{shard(key, 4)}") for key in ("C-0", "C-1", "C-2") * 2)


# --- redrive


@pytest.mark.parametrize("concern", CONCERNS)
def test_dead_letters_go_back_to_their_queue(command: Command, deployed: Deployed, concern: str) -> None:
    for number in range(25):
        deployed.bury(concern, body(f"C-{number}", "C-0", concern=concern))
    answer = command.json("redrive", concern, *HERE)
    assert (answer["messages"], answer["odd"]) == (25, 0)
    assert {key for keys in deployed.keys(concern) for key in keys} == {f"C-{n}" for n in range(25)}
    assert deployed.messages(concern, dead=True) == []
    assert [other for other in CONCERNS if deployed.messages(other)] == []


def test_dead_letters_of_discounts_go_back_as_what_they_were(command: Command, deployed: Deployed) -> None:
    deployed.bury("discounts", body("C-1", "C-2", concern="discounts"))
    deployed.bury("discounts", body("C-1", "G-1", concern="discounts", of="groups"), group="groups")
    deployed.bury("discounts", body("C-3", concern="credit"))
    answer = command("redrive", "discounts", *HERE).stdout
    assert "3 messages with 2 clients and 2 discount groups" in answer
    assert "about to return: 1 message" in answer
    found = {message["Attributes"]["MessageGroupId"]: message["Body"] for message in deployed.messages("discounts")[:2]}
    assert {group: json.loads(each) for group, each in found.items()} == {
        "shard-0": {"v": 1, "concern": "discounts", "clients": ["C-1", "C-2"], "found_by": "retry"},
        "groups": {"v": 1, "concern": "discounts", "groups": ["C-1", "G-1"], "found_by": "retry"},
    }


def test_groups_are_odd_in_any_other_queue(command: Command, deployed: Deployed) -> None:
    deployed.bury("billing", body("G-1", of="groups"))
    assert command.json("redrive", "billing", *HERE) == {"concern": "billing", "messages": 1, "clients": 0, "odd": 1}
    assert command.json("redrive", "discounts", *HERE)["groups"] == 0


@pytest.mark.parametrize(
    "odd",
    [
        "not json",
        "[]",
        body("C-1", concern="accounts"),
        '{"v": 1, "concern": "billing"}',
        '{"v": 1, "concern": "billing", "keys": ["C-1"]}',
        '{"v": 1, "concern": "billing", "clients": ["C-1"], "keys": []}',
        '{"v": 1, "concern": "billing", "clients": [1]}',
        '{"v": 2, "concern": "billing", "clients": ["C-1"]}',
    ],
)
def test_a_message_that_nobody_can_read_goes_back_as_it_is(command: Command, deployed: Deployed, odd: str) -> None:
    deployed.bury("billing", odd)
    deployed.bury("billing", body("C-2"))
    assert "about to return: 1 message" in command("redrive", "billing", *HERE).stdout
    assert {message["Body"] for message in deployed.messages("billing")} >= {odd}
    assert deployed.messages("billing", dead=True) == []


def test_nothing_to_bring_back(command: Command, deployed: Deployed) -> None:
    del deployed
    assert command("redrive", "accounts", *HERE).stdout == "back in the queue of accounts: 0 messages with 0 clients\n"


def test_what_the_queue_did_not_take_stays_among_the_dead(
    command: Command, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.bury("billing", body("C-1"))
    monkeypatch.setattr("kartoteka.adapters.aws.queue.SqsQueue._send_batch", lambda _self, _url, entries: list(entries))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert "does not answer now" in command("redrive", "billing", *HERE, code=69).output
    assert deployed.keys("billing") == []
    assert cloud.waiting(deployed.stack.sqs(), cloud.dead_letters(deployed.stack)["billing"]) == 1
