"""The handlers, as Lambda calls them, with the events that schedules and queues deliver."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from kartoteka import runtime
from kartoteka.adapters.sql.records import SqlRecords
from kartoteka.errors import Halt, Retry
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Change
from kartoteka.ports.exchange import Pauses, Saved
from tests.fixtures.installation import KEY, Context, Installation, event

DEFERRED = "due_at IS NOT NULL"
GOLD = json.dumps({"v": 1, "concern": "discounts", "groups": ["GOLD"]})


def test_a_row_becomes_an_account_and_edits_travel_both_ways(installation: Installation) -> None:
    installation.insert("C-1001", "C-1002")
    installation.tick()
    installation.tick()  # shows what was written: an edit within its second could not be told from it before
    assert sorted(account.external_code for account in installation.panel.accounts) == ["C-1001", "C-1002"]
    assert installation.panel.mails_sent == 0
    account = installation.panel.by_code("C-1001")[0]
    installation.panel.edit(account.id, email="nowy@firma.pl")
    installation.sql("UPDATE clients SET street = 'Krótka 7' WHERE id = 'C-1001'")
    installation.tick()
    assert installation.panel.account(account.id).street == "Krótka 7"
    assert installation.sql("SELECT email FROM clients WHERE id = 'C-1001'") == [("nowy@firma.pl",)]


def test_the_events_in_the_folder_are_understood(installation: Installation) -> None:
    installation.insert("C-1001", "C-1002")
    schedules = [f"{function}_schedule" for function in ("panel_feed", *CONCERNS)] + ["delivery_addresses_pass"]
    for name in schedules:
        answer = installation.handler(name.rpartition("_")[0])(event(name), Context())
        assert set(answer) == {"collected", "panel_calls"}
    for concern in CONCERNS:
        assert installation.handler(concern)(event(f"{concern}_queue"), Context()) == {"batchItemFailures": []}
    assert len(installation.panel.accounts) == 2


@pytest.mark.fault(29, 88)
def test_a_message_that_nobody_can_read_fails_alone(installation: Installation) -> None:
    installation.tick()
    installation.insert("C-1001")
    batch = event("accounts_queue")
    good = batch["Records"][0]
    unreadable = [
        "no json",
        '{"v": 2, "concern": "accounts", "clients": []}',
        '{"v": 1}',
        "[]",
        '{"v": 1, "concern": "accounts", "keys": ["C-1001"]}',
        '{"v": 1, "concern": "billing", "clients": ["C-1001"]}',
    ]
    for number, body in enumerate(unreadable):
        batch["Records"].append({**good, "messageId": f"bad-{number}", "body": body})
    answer = installation.handler("accounts")(batch, Context())
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == [f"bad-{n}" for n in range(6)]
    assert len(installation.panel.accounts) == 1


def messages(*clients: str) -> dict[str, Any]:
    """Return an event of one message a client."""
    batch = event("accounts_queue")
    good = batch["Records"][0]
    bodies = {client: json.dumps({"v": 1, "concern": "accounts", "clients": [client]}) for client in clients}
    return {"Records": [{**good, "messageId": client, "body": body} for client, body in bodies.items()]}


@pytest.mark.fault(37)
def test_of_ten_messages_only_the_one_with_a_record_that_cannot_be_stored_fails(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails the whole event once; what comes back is worked message by message."""
    installation.tick()
    clients = [f"C-{n}" for n in range(10)]
    installation.insert(*clients)
    save = SqlRecords.save

    def away(records: SqlRecords, changes: Sequence[Change], **how: Any) -> Saved:
        if any(change.record.key.client_id == "C-7" for change in changes):
            raise Retry("database")
        return save(records, changes, **how)

    monkeypatch.setattr(SqlRecords, "save", away)
    batch, handler = messages(*clients), installation.handler("accounts")
    assert {f["itemIdentifier"] for f in handler(batch, Context())["batchItemFailures"]} == set(clients)
    assert not installation.panel.accounts
    for record in batch["Records"]:
        record["attributes"] = {**record["attributes"], "ApproximateReceiveCount": "2"}
    assert handler(batch, Context()) == {"batchItemFailures": [{"itemIdentifier": "C-7"}]}
    assert len(installation.panel.accounts) == 9
    monkeypatch.undo()
    assert handler(batch, Context()) == {"batchItemFailures": []}
    assert len(installation.panel.accounts) == 10


def test_the_messages_of_an_event_share_their_calls(installation: Installation) -> None:
    installation.tick()
    clients = [f"C-{n}" for n in range(10)]
    installation.insert(*clients)
    batch = messages(*clients)
    before = len(installation.panel.requests())
    assert installation.handler("accounts")(batch, Context()) == {"batchItemFailures": []}
    assert len(installation.panel.requests()) - before == 3  # the codes, the panel's shops, the accounts


@pytest.mark.fault(12)
def test_a_function_whose_time_is_up_gives_its_messages_back(installation: Installation) -> None:
    installation.insert("C-1001")
    batch = event("accounts_queue")
    answer = installation.handler("accounts")(batch, Context(left_ms=10_000))
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == [batch["Records"][0]["messageId"]]
    assert not installation.panel.accounts


@pytest.mark.fault(21)
def test_a_wrong_key_rings_the_alarm_and_loses_nothing(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.tick()
    installation.insert("C-1001")
    installation.panel.misbehave("401", times=None)
    answer = installation.handler("panel_feed")(event("panel_feed_schedule") | {"due": "all"}, Context())
    assert answer["halted"].startswith("panel_key: ")
    installation.handler("accounts")(event("accounts_queue"), Context())
    assert '"Halted"' in capsys.readouterr().out
    assert installation.sql("SELECT state, code FROM sync_status") == [("pending", "panel_key")]
    installation.panel.behave()
    installation.tick()
    assert len(installation.panel.accounts) == 1


def test_missing_triggers_are_told_alarmed_and_made_again_and_what_they_missed_is_carried(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.insert("C-1001")
    installation.tick()
    for kind in ("insert", "update", "move", "delete"):
        installation.sql(f"DROP TRIGGER kartoteka_clients_{kind}")
    installation.sql("UPDATE clients SET street = 'Krótka 7'")
    capsys.readouterr()
    asked = {**event("billing_schedule"), "due": "all"}
    answer = installation.handler("billing")(asked, Context())
    told = capsys.readouterr().out
    assert answer["triggers_missing"] == ["clients"]
    assert '"Name":"Halted"' in told
    assert "the triggers of clients are missing" in told
    installation.tick()
    assert installation.panel.by_code("C-1001")[0].street == "Krótka 7"
    assert "triggers_missing" not in installation.handler("billing")(asked, Context())


def test_a_process_that_starts_looks_for_the_triggers(installation: Installation) -> None:
    installation.tick()
    installation.sql("DROP TRIGGER kartoteka_clients_update")
    assert "triggers_missing" not in installation.handler("billing")(event("billing_schedule"), Context())
    runtime.forget()
    answer = installation.handler("billing")(event("billing_schedule"), Context())
    assert answer["triggers_missing"] == ["clients"]


def test_an_outage_is_an_answer_and_not_a_failure(installation: Installation) -> None:
    installation.panel.misbehave("5xx", times=None)
    answer = installation.handler("panel_feed")(event("panel_feed_schedule"), Context())
    assert answer == {"collected": 0, "panel_calls": 0, "delayed": "panel_5xx"}


@pytest.mark.parametrize(("hours", "rings"), [(3, False), (5, True)])
def test_what_is_not_answered_for_four_hours_rings(
    installation: Installation, capsys: pytest.CaptureFixture[str], hours: int, rings: bool
) -> None:
    """A record by its worker, and the feed's page by the feed."""
    installation.insert("C-1001")
    for _ in range(2):
        installation.tick()
    installation.panel.misbehave("5xx", times=None)
    queue = event("billing_queue")
    for wait in (0, hours):
        installation.pass_time(hours=wait)
        capsys.readouterr()
        installation.handler("panel_feed")({**event("panel_feed_schedule"), "due": "all"}, Context())
        of_feed = capsys.readouterr().out
        installation.handler("billing")(queue, Context())
        of_record = capsys.readouterr().out
        for told in (of_feed, of_record):
            assert ('"Name":"Unread"' in told) is (rings and wait > 0)
            assert ("not answered for four hours" in told) is (rings and wait > 0)


def test_a_secret_that_was_changed_is_seen_after_the_alarm(installation: Installation) -> None:
    installation.insert("C-1001")
    secrets = boto3.client("secretsmanager")
    secrets.put_secret_value(SecretId="panel-key", SecretString="old")
    assert "halted" in installation.handler("panel_feed")(event("panel_feed_schedule"), Context())
    secrets.put_secret_value(SecretId="panel-key", SecretString=KEY)
    answer = installation.handler("panel_feed")(event("panel_feed_schedule"), Context())
    assert "halted" not in answer
    assert answer["panel_calls"] > 0


def test_a_wrong_policy_stops_the_function_and_is_told_with_its_place(installation: Installation) -> None:
    boto3.client("ssm").put_parameter(Name="policy", Value='{"biling": {}}', Overwrite=True)
    runtime.forget()
    answer = installation.handler("billing")(event("billing_schedule"), Context())
    assert "biling: no such key (did you mean 'billing'?)" in answer["halted"]
    with pytest.raises(Halt):
        installation.handler("billing")(event("billing_queue"), Context())


def test_a_setting_that_is_missing_is_named(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KARTOTEKA_TABLE")
    runtime.forget()
    with pytest.raises(Halt, match="KARTOTEKA_TABLE"):
        installation.handler("billing")({"v": 1, "move": "ping"}, Context())


def test_a_process_lets_the_garbage_collector_look_seldom(installation: Installation) -> None:
    assert installation.handler("billing")({"v": 1, "move": "ping"}, Context()) == {"ready": True}
    assert gc.get_threshold()[0] == runtime.VALUES_BETWEEN_COLLECTIONS
    assert gc.get_freeze_count() > 10_000


def pauses() -> Pauses:
    """What is stopped, as the functions find it."""
    return runtime.new_run().exchange.pauses


def test_a_paused_concern_collects_nothing_and_says_so(installation: Installation) -> None:
    installation.insert("C-1001")
    pauses().pause("accounts", "operator", at=datetime.now(UTC))
    answer = installation.handler("accounts")(event("accounts_schedule"), Context())
    assert answer == {"collected": 0, "panel_calls": 0, "paused": "operator"}
    assert installation.handler("accounts")(event("accounts_queue"), Context()) == {"batchItemFailures": []}
    assert installation.sql("SELECT state, code FROM sync_status") == [("pending", "paused")]
    assert not installation.panel.calls
    pauses().resume("accounts")
    installation.tick()
    assert len(installation.panel.accounts) == 1


@pytest.mark.parametrize(("reason", "code"), [("operator", "paused"), ("brake", "brake")])
def test_what_comes_for_a_paused_concern_is_deferred_by_its_reason(
    installation: Installation, capsys: pytest.CaptureFixture[str], reason: str, code: str
) -> None:
    installation.insert("C-1001")
    for _ in range(2):  # what was written is seen at the second
        installation.tick()
    pauses().pause("billing", reason, at=datetime.now(UTC))
    assert installation.handler("billing")(event("billing_queue"), Context()) == {"batchItemFailures": []}
    assert installation.sql(f"SELECT client_id, concern, code FROM sync_base WHERE {DEFERRED}") == [
        ("C-1001", "billing", code)
    ]
    assert ('"Braked"' in capsys.readouterr().out) is (reason == "brake")


# --- the brake


@pytest.fixture
def touchy(installation: Installation) -> Installation:
    """Give three clients in step, and a brake that lets one risky write through in an hour."""
    installation.insert("C-1001", "C-1002", "C-1003")
    installation.tick()
    policy = '{"brake": {"max_share": 0, "min_records": 1}, "panel": {"requests_per_second": 1000}}'
    boto3.client("ssm").put_parameter(Name="policy", Value=policy, Overwrite=True)
    runtime.forget()
    installation.tick()
    return installation


def runs() -> list[Any]:
    """The summaries of all worker runs, the earliest first."""
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "run"}}}
    return list(boto3.client("dynamodb").query(TableName="state", **query)["Items"])


def test_a_mass_change_stops_its_concern_and_rings(touchy: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    touchy.sql("UPDATE clients SET email = 'kanarek-' || id || '@firma.pl'")
    capsys.readouterr()
    touchy.tick()
    out = capsys.readouterr().out
    assert pauses().paused() == {"billing": "brake"}
    assert sorted(account.email for account in touchy.panel.accounts) == [f"c-100{n}@firma.pl" for n in (1, 2, 3)]
    assert set(touchy.sql(f"SELECT concern, code FROM sync_base WHERE {DEFERRED}")) == {("billing", "brake")}
    assert [run["concern"]["S"] for run in runs() if run.get("braked") == {"N": "1"}] == ["billing"]
    told = [line for line in map(json.loads, out.splitlines()) if line.get("level") == "ERROR"]
    assert all("`kartoteka resume billing --confirm`" in line["message"] for line in told)
    assert any("3 risky writes within an hour, 3 linked clients" in line["message"] for line in told)
    assert [(line["concern"], line["reconciled"]) for line in told if "concern" in line] == [("billing", 3)]
    assert '"Name":"Braked"' in out
    assert "kanarek" not in out


def test_the_brakes_alarm_goes_on_ringing_until_a_person_has_confirmed(
    touchy: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    touchy.sql("UPDATE clients SET email = 'nowy-' || id || '@firma.pl'")
    touchy.tick()
    capsys.readouterr()
    answer = touchy.handler("billing")(event("billing_schedule"), Context())
    assert answer == {"collected": 0, "panel_calls": 0, "paused": "brake"}
    assert '"Braked"' in capsys.readouterr().out
    pauses().resume("billing")
    touchy.tick()
    assert not [account for account in touchy.panel.accounts if account.email.startswith("nowy")], "nobody confirmed"
    pauses().resume("billing", released_at=datetime.now(UTC))
    touchy.tick()
    assert sorted(account.email for account in touchy.panel.accounts) == [f"nowy-C-100{n}@firma.pl" for n in (1, 2, 3)]
    capsys.readouterr()
    touchy.handler("billing")(event("billing_schedule"), Context())
    assert '"Braked"' not in capsys.readouterr().out


def test_no_run_is_said_to_have_braked_that_has_not(touchy: Installation) -> None:
    touchy.sql("UPDATE clients SET email = 'nowy@firma.pl' WHERE id = 'C-1001'")
    touchy.tick()
    assert touchy.panel.by_code("C-1001")[0].email == "nowy@firma.pl"
    assert not [run for run in runs() if "braked" in run]


# --- discounts: groups and clients, one queue


@pytest.fixture
def grouped(installation: Installation) -> Installation:
    """Give two clients in step, and then a group with a price, and one of them in it."""
    installation.insert("C-1001", "C-1002")
    installation.tick()
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('GOLD', 'Złota')")
    installation.price("GOLD", 7, "12.50")
    installation.sql("UPDATE clients SET discount_group_id = 'GOLD' WHERE id = 'C-1001'")
    return installation


def deferred(installation: Installation) -> list[Any]:
    """What is deferred of discounts: client, group, code."""
    return installation.sql(
        "SELECT client_id, group_id, code FROM sync_base "
        f"WHERE concern = 'discounts' AND {DEFERRED} ORDER BY client_id, group_id"
    )


def in_group(installation: Installation, code: str, number: int) -> bool:
    return installation.panel.by_code(code)[0].id in installation.panel.members(number)


def test_a_group_its_price_and_its_client_reach_the_panel(grouped: Installation) -> None:
    grouped.tick()
    (group,) = grouped.panel.groups_named("Złota")
    assert [(key, str(price.price)) for key, price in group.prices.items()] == [(("product", 7), "12.50")]
    assert in_group(grouped, "C-1001", group.id)
    assert not in_group(grouped, "C-1002", group.id)


def test_the_queue_of_discounts_takes_groups_and_clients_of_its_own_and_no_others(grouped: Installation) -> None:
    batch = event("discounts_queue")
    batch["Records"][0]["body"] = GOLD
    clients = {**batch["Records"][1], "messageId": "bad"}
    batch["Records"].append({**clients, "body": json.dumps({"v": 1, "concern": "credit", "clients": ["C-1001"]})})
    answer = grouped.handler("discounts")(batch, Context())
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == ["bad"]
    (group,) = grouped.panel.groups_named("Złota")
    assert group.prices
    assert in_group(grouped, "C-1001", group.id)


def test_the_groups_of_a_batch_are_worked_first_wherever_they_stand(grouped: Installation) -> None:
    batch = event("discounts_queue")
    batch["Records"] = batch["Records"][::-1]
    batch["Records"][1]["body"] = GOLD
    assert grouped.handler("discounts")(batch, Context()) == {"batchItemFailures": []}
    assert in_group(grouped, "C-1001", grouped.panel.groups_named("Złota")[0].id)


def test_groups_are_no_matter_of_another_queue(installation: Installation) -> None:
    batch = event("billing_queue")
    batch["Records"][0]["body"] = GOLD.replace("discounts", "billing")
    assert len(installation.handler("billing")(batch, Context())["batchItemFailures"]) == 1


def test_a_group_that_waits_for_the_panel_is_brought_back_with_its_message(grouped: Installation) -> None:
    batch = event("discounts_queue")
    batch["Records"][0]["body"] = GOLD
    grouped.panel.misbehave("5xx", times=None)
    assert grouped.handler("discounts")(batch, Context()) == {"batchItemFailures": []}
    assert deferred(grouped)[0] == ("", "GOLD", "panel_5xx")
    grouped.panel.behave()
    grouped.tick()
    assert in_group(grouped, "C-1001", grouped.panel.groups_named("Złota")[0].id)
    assert grouped.sql(f"SELECT count(*) FROM sync_base WHERE {DEFERRED}") == [(0,)]


def test_a_pause_of_discounts_is_one_of_groups_and_clients(grouped: Installation) -> None:
    pauses().pause("discounts", "operator", at=datetime.now(UTC))
    answer = grouped.handler("discounts")(event("discounts_schedule"), Context())
    assert answer == {"collected": 0, "panel_calls": 0, "paused": "operator"}
    batch = event("discounts_queue")
    batch["Records"][0]["body"] = GOLD
    assert grouped.handler("discounts")(batch, Context()) == {"batchItemFailures": []}
    assert deferred(grouped) == [("", "GOLD", "paused"), ("C-1001", "", "paused"), ("C-1002", "", "paused")]
    assert not grouped.panel.groups_named("Złota")
    pauses().resume("discounts")
    grouped.tick()
    assert in_group(grouped, "C-1001", grouped.panel.groups_named("Złota")[0].id)


# --- credit


def test_figures_reach_the_panel(installation: Installation) -> None:
    installation.insert("C-1001")
    installation.credit("C-1001", "5000.00")
    installation.tick()
    installation.tick()
    assert str(installation.panel.by_code("C-1001")[0].credit_limit) == "5000.00"


@pytest.mark.parametrize(("minutes", "rings"), [(239, False), (241, True)])
def test_a_feed_of_figures_that_has_stopped_rings(
    installation: Installation, capsys: pytest.CaptureFixture[str], minutes: int, rings: bool
) -> None:
    installation.insert("C-1001", "C-1002")
    installation.tick()
    installation.credit("C-1001", "5000.00", age=timedelta(days=3))
    installation.credit("C-1002", "5000.00", age=timedelta(minutes=minutes))
    capsys.readouterr()
    for _ in range(2):
        answer = installation.handler("credit")(event("credit_schedule"), Context())
        assert set(answer) == {"collected", "panel_calls"}
        assert ('"Name":"Stopped"' in capsys.readouterr().out) is rings


# --- the rotating pass


def test_a_ticks_pass_asks_the_panel_for_addresses_as_often_as_it_may(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.insert(*[f"C-{n:03}" for n in range(230)])
    for _ in range(3):
        installation.tick()
    for most, calls in ((500, 3), (150, 2)):
        monkeypatch.setenv("KARTOTEKA_ADDRESSES_PER_PASS", str(most))
        runtime.forget()
        installation.panel.forget_calls()
        answer = installation.handler("delivery_addresses")(
            event("delivery_addresses_pass") | {"due": "all"}, Context()
        )
        assert answer == {"collected": 0, "panel_calls": calls}
        assert dict(installation.panel.calls) == {"GET clients/deliveryAddress": calls}


def test_a_paused_concern_is_not_rotated(installation: Installation) -> None:
    installation.insert("C-1001")
    installation.tick()
    installation.panel.forget_calls()
    pauses().pause("delivery_addresses", "operator", at=datetime.now(UTC))
    answer = installation.handler("delivery_addresses")(event("delivery_addresses_pass"), Context())
    assert answer == {"collected": 0, "panel_calls": 0, "paused": "operator"}
    assert not installation.panel.calls


@pytest.mark.parametrize("function", ["accounts", "billing", "shops", "discounts", "credit", "panel_feed"])
def test_only_delivery_addresses_have_a_pass(
    installation: Installation, capsys: pytest.CaptureFixture[str], function: str
) -> None:
    answer = installation.handler(function)(event("delivery_addresses_pass"), Context())
    assert answer["halted"] == f"bad_event: {function} has no move 'rotate', only collect: correct the schedule's input"
    assert '"Halted"' in capsys.readouterr().out
    assert not installation.panel.calls


def test_a_ping_touches_neither_side(installation: Installation) -> None:
    for function in (*CONCERNS, "panel_feed"):
        assert installation.handler(function)({"v": 1, "move": "ping"}, Context()) == {"ready": True}
    assert not installation.panel.calls


@pytest.mark.fault(75)
def test_no_secret_and_no_personal_data_in_logs_queues_or_state(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.insert("C-1001", "C-1002")
    installation.sql("UPDATE clients SET zip_code = '73196.42' WHERE id = 'C-1002'")  # the panel's refusal quotes it
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('G-1', 'Grupa Bursztyn')")
    installation.price("G-1", 1, "73196.42")
    installation.price("G-1", 2, "-73196.42")
    installation.credit("C-1001", "86413920.55")
    installation.credit("C-1002", "-86413920.55")
    for _ in range(2):
        installation.tick()
        installation.panel.edit(installation.panel.by_code("C-1001")[0].id, city="Gdynia", email="kanarek@firma.pl")
        installation.sql("UPDATE clients SET email = 'inny@firma.pl', street = 'Krótka 7' WHERE id = 'C-1001'")
    installation.panel.misbehave("5xx", times=1)
    installation.tick()
    items = boto3.client("dynamodb").scan(TableName="state")["Items"]
    told = capsys.readouterr().out + json.dumps(items)
    canaries = [  # long enough that no sequence number, time or digest contains one by chance
        KEY,
        "firma.pl",
        "Firma",
        "526-000",
        "501 502",
        "Łódź",
        "Gdynia",
        "Długa",
        "Krótka",
        "kanarek",
        "Bursztyn",
        "73196.42",
        "86413920",
        "sqlite",
    ]
    assert not [canary for canary in canaries if canary in told or json.dumps(canary)[1:-1] in told]


def test_a_quiet_tick_costs_one_call_and_one_for_each_hundred_of_the_pass_and_writes_when_the_panel_was_asked(
    installation: Installation,
) -> None:
    installation.insert(*[f"C-{n:03}" for n in range(90)])
    installation.tick()
    installation.tick()
    installation.panel.forget_calls()
    state = boto3.client("dynamodb")
    before = {(i["pk"]["S"], i["sk"]["S"]): i for i in state.scan(TableName="state")["Items"]}
    head = installation.sql("SELECT max(seq), (SELECT count(*) FROM sync_history) FROM change_log")
    assert [answer["collected"] for answer in installation.tick()] == [0] * (len(CONCERNS) + 2)
    after = {(i["pk"]["S"], i["sk"]["S"]): i for i in state.scan(TableName="state")["Items"]}
    assert dict(installation.panel.calls) == {"GET clients/clients": 1, "GET clients/deliveryAddress": 1}
    moved = {("rate", "rate"), ("cursor", "feed"), ("cursor", "addresses")}
    assert {key for key in after if after[key] != before.get(key)} <= moved
    assert installation.sql("SELECT max(seq), (SELECT count(*) FROM sync_history) FROM change_log") == head


def test_a_schedules_minute_before_its_time_asks_nothing_and_writes_nothing(installation: Installation) -> None:
    installation.insert(*[f"C-{n:03}" for n in range(3)])
    installation.tick()
    installation.tick()
    installation.panel.forget_calls()
    state = boto3.client("dynamodb")
    before = state.scan(TableName="state")["Items"]
    for name in ("panel_feed_schedule", "delivery_addresses_pass"):
        function = installation.handler(name.rpartition("_")[0])
        assert function(event(name), Context()) == {"collected": 0, "panel_calls": 0}
    assert state.scan(TableName="state")["Items"] == before
    assert not installation.panel.calls


@pytest.mark.fault(86)
@pytest.mark.parametrize("names", ["127.0.0.1", "shop.example.com, 127.0.0.1", "127.0.0.1."])
def test_a_rehearsal_never_speaks_to_the_production_panel(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, names: str
) -> None:
    installation.insert("C-1001")
    monkeypatch.setenv("KARTOTEKA_REHEARSAL_OF", names)
    runtime.forget()
    for function in ("accounts", "panel_feed"):
        answer = installation.handler(function)(event(f"{function}_schedule"), Context())
        assert answer["halted"].startswith("rehearsal: this stack is a rehearsal of 127.0.0.1")
    with pytest.raises(Halt, match="rehearsal"):
        installation.handler("accounts")(event("accounts_queue"), Context())
    assert installation.panel.total_calls == 0


def test_a_rehearsal_works_with_another_panel(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARTOTEKA_REHEARSAL_OF", "shop.example.com,1.0.0.127")
    runtime.forget()
    installation.insert("C-1001")
    installation.tick()
    assert len(installation.panel.accounts) == 1
