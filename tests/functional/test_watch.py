"""What the desk does by itself: figures for the alarms, the alarms that ring, and the daily message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from kartoteka import runtime
from kartoteka.adapters.aws.alarms import CloudWatchAlarms
from kartoteka.sync.retry import BRAKE
from tests.fixtures.installation import Context, Installation, event

MORNING = datetime(2026, 11, 27, 6, 10, tzinfo=UTC)
"""Ten past seven where the shop is."""


class Desk:
    """The desk's function as its schedule wakes it, and the mailbox of who has subscribed."""

    def __init__(self, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
        self._installation, self._patch = installation, monkeypatch
        topic = boto3.client("sns").create_topic(Name="message")["TopicArn"]
        self._box = boto3.client("sqs").create_queue(QueueName="box")["QueueUrl"]
        arn = "arn:aws:sqs:eu-central-1:123456789012:box"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        for name, value in {"STACK": "shop", "MESSAGE_TOPIC": topic, "MESSAGE_LANGUAGES": "en"}.items():
            self.set(name, value)

    def set(self, name: str, value: str) -> None:
        self._patch.setenv(f"KARTOTEKA_{name}", value)
        runtime.forget()

    def watch(self, at: datetime | None = None) -> dict[str, Any]:
        if at is not None:
            self._installation.time = at
        return self._installation.handler("desk")(event("desk_watch"), Context())

    def mails(self) -> list[tuple[str, str]]:
        """Take what has arrived: subject and text of each."""
        found = boto3.client("sqs").receive_message(QueueUrl=self._box, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            boto3.client("sqs").delete_message(QueueUrl=self._box, ReceiptHandle=each["ReceiptHandle"])
        bodies = [json.loads(each["Body"]) for each in found]
        return [(body["Subject"], body["Message"]) for body in bodies]


@pytest.fixture
def desk(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(installation, monkeypatch)


def hold(installation: Installation, *ids: str) -> None:
    """Clients that lack what opening needs."""
    installation.insert(*ids)
    installation.sql(f"UPDATE clients SET city = NULL WHERE id IN ({', '.join(repr(each) for each in ids)})")
    for _ in range(2):
        installation.tick()


# --- the figures


def test_figures_of_nought_are_not_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.watch() == {"figures": {}, "message": False}
    assert "_aws" not in capsys.readouterr().out


def test_what_is_held_now_is_told_until_it_is_settled(
    installation: Installation, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(installation, "K-1", "K-2")
    capsys.readouterr()
    assert desk.watch()["figures"]["HeldNow"] == 2
    assert '"HeldNow"' in capsys.readouterr().out
    installation.sql("UPDATE clients SET city = 'Łódź'")
    for _ in range(2):
        installation.tick()
    assert "HeldNow" not in desk.watch()["figures"]


def test_conflicts_count_until_somebody_has_decided(installation: Installation, desk: Desk) -> None:
    installation.sql("INSERT INTO sync_conflicts (client_id, concern, field) VALUES ('K-1', 'billing', 'street')")
    assert desk.watch()["figures"]["ConflictsNow"] == 1
    installation.sql("UPDATE sync_conflicts SET decision = 'erp'")
    assert "ConflictsNow" not in desk.watch()["figures"]


@pytest.mark.parametrize(("budget", "share"), [(None, None), (1_000_000, None), (100, True)])
def test_the_months_calls_are_measured_by_the_budget(
    installation: Installation, desk: Desk, budget: int | None, share: bool | None
) -> None:
    installation.decide(json.dumps({"panel": {"requests_per_second": 1000, "monthly_budget": budget}}))
    installation.insert("K-1")
    installation.time = datetime(2026, 11, 2, 12, tzinfo=UTC)
    installation.panel.clock.set(installation.time)
    installation.tick()
    found = desk.watch()["figures"].get("CallsForecast")
    assert (found is not None and found > 100) is bool(share)
    if budget is None:
        assert found is None


def test_the_age_of_a_change_that_is_not_collected_is_told_by_concern(installation: Installation, desk: Desk) -> None:
    installation.insert("K-1")
    for _ in range(2):
        installation.tick()
    installation.sql("UPDATE clients SET street = 'Nowa 1'")
    installation.pass_time(minutes=45)
    assert desk.watch()["figures"]["lag_billing"] == 45


def test_what_stands_in_the_way_is_an_answer_and_not_a_failure(installation: Installation, desk: Desk) -> None:
    installation.decide('{"biling": {}}')
    assert desk.watch()["stopped"].startswith("bad_policy")


# --- the daily message


def test_nobody_is_written_to_on_a_day_when_nothing_waits(desk: Desk) -> None:
    assert desk.watch(MORNING)["message"] is False
    assert desk.mails() == []


def test_what_waits_is_told_once_a_day_from_the_hour_on_where_the_shop_is(
    installation: Installation, desk: Desk
) -> None:
    hold(installation, "K-1", "K-2")
    assert desk.watch(MORNING.replace(hour=5))["message"] is False, "it is ten past six there"
    assert desk.watch(MORNING)["message"] is True
    assert desk.watch(MORNING.replace(hour=12))["message"] is False
    assert desk.watch(MORNING.replace(day=28))["message"] is True
    assert [subject for subject, _ in desk.mails()] == ["Kartoteka shop: 2 waiting for a person"] * 2


def test_what_waits_only_later_is_told_the_next_day(installation: Installation, desk: Desk) -> None:
    desk.watch(MORNING)
    installation.sql("INSERT INTO incoming_clients (panel_client_id) VALUES ('5')")
    assert desk.watch(MORNING.replace(hour=9))["message"] is False
    assert desk.watch(MORNING.replace(day=28))["message"] is True


def test_a_message_that_was_not_taken_is_tried_again_soon(installation: Installation, desk: Desk) -> None:
    installation.sql("INSERT INTO incoming_clients (panel_client_id) VALUES ('5')")
    topic = runtime.settings().message_topic
    desk.set("MESSAGE_TOPIC", topic + "-gone")
    assert "stopped" in desk.watch(MORNING)
    desk.set("MESSAGE_TOPIC", topic)
    assert desk.watch(MORNING.replace(minute=25))["message"] is True
    assert len(desk.mails()) == 1


def test_nobody_is_written_to_who_has_not_asked_for_it(installation: Installation, desk: Desk) -> None:
    desk.set("MESSAGE_TOPIC", "")
    installation.sql("INSERT INTO incoming_clients (panel_client_id) VALUES ('5')")
    assert desk.watch(MORNING)["message"] is False


def everything(installation: Installation) -> None:
    """Something of each kind that a person has to see to."""
    hold(installation, "K-1", "K-2")
    since = "'2026-11-25 13:00:00'"
    installation.sql(f"UPDATE sync_status SET since = {since}")
    installation.sql(
        f"INSERT INTO sync_conflicts (client_id, concern, field, erp_value, raised_at) "
        f"VALUES ('K-3', 'billing', 'street', 'Tajna 7', {since})"
    )
    installation.sql(
        "INSERT INTO sync_status (client_id, group_id, concern, item_id, state, code, field, message_pl, since) "
        f"VALUES ('K-4', '', 'accounts', '', 'held', 'ambiguous', '', 'Tajna', {since})"
    )
    installation.sql(f"INSERT INTO sync_matches (client_id, panel_client_id, raised_at) VALUES ('K-4', '7', {since})")
    installation.sql(
        f"INSERT INTO incoming_clients (panel_client_id, email, seen_at) VALUES ('5', 'jan@tajny.pl', {since})"
    )
    installation.sql(
        "INSERT INTO sync_plan (client_id, group_id, concern, item_id, action, field, planned_at) "
        f"VALUES ('K-5', '', 'billing', '', 'update', 'street', {since})"
    )
    installation.sql(f"INSERT INTO sync_pauses (concern, reason, paused_at) VALUES ('shops', '{BRAKE}', {since})")
    installation.sql("DROP TRIGGER kartoteka_clients_update")
    installation.bury("credit", "x")
    ring(installation, "shop-BillingHaltAlarm-1A2B")


ENGLISH = """\
Kartoteka (shop): what waits for a person, as of 2026-11-27 07:10 CET.

- The alarm BillingHaltAlarm rings: see docs/runbook.md (since {rings})
- Conflicts to decide: 1; page Conflicts (since 2026-11-25 14:00)
- Clients whose account is uncertain: 1; page Questions (since 2026-11-25 14:00)
- Held, Accounts, cause incomplete: 2; page Held (since 2026-11-25 14:00)
- Customers of the shop without a client in the ERP: 1; page Incoming (since 2026-11-25 14:00)
- Planned, to be approved: 1; page Plan (since 2026-11-25 14:00)
- Shops is paused, reason: brake; page Overview (since 2026-11-25 14:00)
- A table without triggers: clients (missing); changes are found late; kartoteka schema upgrade
- Dead letters of Credit: 1; see docs/runbook.md, then kartoteka redrive credit

This command opens the pages: kartoteka desk --stack shop. When nothing waits no message comes.
"""
POLISH = """\
Kartoteka (shop): co czeka na człowieka, stan na 2026-11-27 07:10 CET.

- Dzwoni alarm BillingHaltAlarm: zob. docs/runbook.md (od {rings})
- Konflikty do rozstrzygnięcia: 1; strona Konflikty (od 2026-11-25 14:00)
- Klienci, których konto jest niepewne: 1; strona Pytania (od 2026-11-25 14:00)
- Wstrzymane, Konta, przyczyna incomplete: 2; strona Wstrzymane (od 2026-11-25 14:00)
- Nowi klienci ze sklepu bez kartoteki w ERP: 1; strona Nowi ze sklepu (od 2026-11-25 14:00)
- Zaplanowane, do zatwierdzenia: 1; strona Plan (od 2026-11-25 14:00)
- Zakres Sklepy jest wstrzymany, powód: brake; strona Stan (od 2026-11-25 14:00)
- Tabela bez wyzwalaczy: clients (missing); zmiany są znajdowane z opóźnieniem; kartoteka schema upgrade
- Nieudane wiadomości kolejki Kredyt kupiecki: 1; zob. docs/runbook.md, potem kartoteka redrive credit

Strony otwiera polecenie: kartoteka desk --stack shop. Gdy nic nie czeka, wiadomość nie przychodzi.
"""


@pytest.mark.parametrize(
    ("languages", "subject", "texts"),
    [
        ("en", "Kartoteka shop: 10 waiting for a person", [ENGLISH]),
        ("pl", "Kartoteka shop: do zrobienia 10", [POLISH]),
        ("pl en", "Kartoteka shop: do zrobienia 10", [POLISH, ENGLISH]),
    ],
)
def test_the_message_says_what_since_when_and_where_and_no_personal_data(
    installation: Installation, desk: Desk, languages: str, subject: str, texts: list[str]
) -> None:
    everything(installation)
    desk.set("MESSAGE_LANGUAGES", languages)
    assert desk.watch(MORNING)["message"] is True
    ((said, text),) = desk.mails()
    (alarm,) = CloudWatchAlarms("shop").ringing() or ()
    rings = f"{alarm.since.astimezone(runtime.ZoneInfo('Europe/Warsaw')):%Y-%m-%d %H:%M}"
    assert (said, text) == (subject, "\n".join(each.format(rings=rings) for each in texts))
    assert said.isascii()
    for secret in ("tajn", "@", "Długa", "firma.pl", "526"):
        assert secret.lower() not in text.lower()


# --- the alarms that ring


def alarm(name: str, state: str) -> None:
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Kartoteka",
        MetricName="Halted",
        Period=300,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


def ring(installation: Installation, name: str) -> None:
    del installation
    alarm(name, "ALARM")


def test_the_alarms_of_this_stack_are_told_and_of_no_other(desk: Desk) -> None:
    del desk
    assert CloudWatchAlarms("shop").ringing() is None, "there are none"
    alarm("shop-BillingHaltAlarm-1A2B", "INSUFFICIENT_DATA")
    assert CloudWatchAlarms("shop").ringing() is None, "nobody evaluates them"
    alarm("shop-CreditHaltAlarm-1A2B", "OK")
    assert CloudWatchAlarms("shop").ringing() == []
    for other in ("shop-test-BillingHaltAlarm-1A2B", "shopping-BillingHaltAlarm-1A2B", "other", "shop-Billing-1A2B"):
        alarm(other, "ALARM")
    assert CloudWatchAlarms("shop").ringing() == []
    for number in range(120):
        alarm(f"shop-Some{number}Alarm", "OK")
    alarm("shop-ZoneAlarm", "ALARM")
    assert [each.name for each in CloudWatchAlarms("shop").ringing() or ()] == ["ZoneAlarm"]


class Pages:
    """Stands for a client of CloudWatch that shows alarms in pages."""

    def __init__(self, *pages: list[str]) -> None:
        self.pages = pages
        self.asked: dict[str, Any] = {}

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "describe_alarms"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked = asked
        return [
            {"MetricAlarms": [{"AlarmName": n, "StateValue": "ALARM", "StateUpdatedTimestamp": MORNING} for n in page]}
            for page in self.pages
        ]


def test_every_page_of_alarms_is_read_of_this_stacks_prefix_alone() -> None:
    pages = Pages(["shop-AHaltAlarm-1"], [], ["shop-BHaltAlarm-1", "shop-test-CHaltAlarm-1"])
    found = CloudWatchAlarms("shop", lambda: pages).ringing() or ()
    assert [(each.name, each.since) for each in found] == [("AHaltAlarm", MORNING), ("BHaltAlarm", MORNING)]
    assert pages.asked == {"AlarmNamePrefix": "shop-", "AlarmTypes": ["MetricAlarm"]}
