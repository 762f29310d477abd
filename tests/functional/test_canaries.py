"""What is personal or secret stays at home: a canary in every field, on both sides, is sought everywhere else.

Logs, metrics, answers of functions, messages (dead ones too), the cloud's state, tracebacks: none may hold one,
whatever goes wrong. The canaries are made from the table of fields, so that a field that is added has one.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from kartoteka import runtime
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.adapters.sql.records import SqlRecords
from kartoteka.fields import table
from kartoteka.fields.table import Kind
from tests.fixtures.installation import KEY, Context, Installation, event

SECRETS = (KEY, "a-key-of-digests")
WITHOUT = {table.COUNTRY, table.LANGUAGE, table.CURRENCY, table.CLIENT_TYPE, table.FLAG, table.YES_NO, table.DAYS}
WITHOUT |= {table.SHOP_LIST, table.GROUP}
"""Kinds whose values are no one's: a word of a few, a number of days, ids of shops and groups."""


def nip(number: int) -> str:
    """Return a Polish tax number whose check digit is right."""
    for serial in range(number * 1000, number * 1000 + 1000):
        digits = f"526{serial:06d}"
        check = sum(int(d) * w for d, w in zip(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
    raise AssertionError(number)


MADE: dict[Kind, Callable[[str, int], str]] = {
    table.TEXT: lambda name, n: f"Kanarek {name} {n}",
    table.EMAIL: lambda _, n: f"kanarek-{n}@ptasi.example",
    table.PHONE: lambda _, n: f"600731{n}",
    table.POSTCODE: lambda _, n: f"87-{n}",
    table.TAX_NUMBER: lambda _, n: nip(n),
    table.MONEY: lambda _, n: f"7{n}.37",
}


def canaries(fields: table.Fields, numbers: Iterator[int]) -> dict[str, str]:
    """Return a value of its own for each field that could tell of somebody."""
    return {
        name: MADE[field.kind](name.replace("_", ""), next(numbers))[: field.length]
        for name, field in fields.items()
        if field.kind not in WITHOUT and not field.watched and name != "province"
    }


def test_every_kind_of_field_has_a_canary_or_tells_of_nobody() -> None:
    fields = [*table.ACCOUNT_FIELDS.values(), *table.DELIVERY_ADDRESSES.values()]
    assert {field.kind for field in fields} <= {*MADE, *WITHOUT}
    assert not any(kind.free for kind in WITHOUT)


class Watch:
    """Two clients full of canaries, of whom one also has some from the panel; and whatever leaves the house."""

    def __init__(self, installation: Installation, capfd: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.installation, self.capfd, self.caplog = installation, capfd, caplog
        numbers = iter(range(100, 1000))
        self.erp, self.panel, self.stranger, self.later = (canaries(table.BILLING, numbers) for _ in range(4))
        self.address, self.shown_address = (canaries(table.DELIVERY_ADDRESSES, numbers) for _ in range(2))
        self.credit = canaries(table.CREDIT, numbers)
        self.told: list[tuple[str, str]] = []
        receive = installation.receive

        def tapped(concern: str) -> dict[str, Any]:
            batch = receive(concern)
            self.told.append((f"queue {concern}", json.dumps(batch, ensure_ascii=False)))
            return batch

        monkeypatch.setattr(installation, "receive", tapped)
        caplog.set_level(logging.INFO)

    @property
    def needles(self) -> set[str]:
        """Everything that nobody may find: as it was written, and as it may be compared."""
        sides = (self.erp, self.panel, self.address, self.shown_address, self.stranger, self.later, self.credit)
        values = {value for side in sides for value in side.values()}
        return values | {value.casefold() for value in values} | set(SECRETS) | {"Kanarek", "kanarek-"}

    def insert(self, client: str) -> None:
        """Give a client, its address and its credit, as the ERP does."""
        row = {"id": client, "client_type": "firm", "country_code": "PL", **self.erp}
        self._insert("clients", row)
        self._insert("delivery_addresses", {"id": f"A-{client}", "client_id": client, **self.address})
        self.installation.credit(client, self.credit["credit_limit"])

    def _insert(self, name: str, row: dict[str, str]) -> None:
        values = ", ".join(f"'{value}'" for value in row.values())
        self.installation.sql(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({values})")

    def linked(self) -> None:
        """Let the client have its account, and let the panel's own customer be seen."""
        self.insert("K-1")
        self.installation.panel.seed(login="obcy", **self.stranger)
        for _ in range(3):
            self.tick()

    def edit(self) -> None:
        """Change every field on both sides: those of one client that go both ways become conflicts."""
        for account in self.installation.panel.by_code("K-1"):
            self.installation.panel.edit(account.id, **{n: v for n, v in self.panel.items() if n != "nip"})
            for address in account.addresses:
                self.installation.panel.edit_address(account.id, address.id, **self.shown_address)
            self.installation.panel.add_address(account.id, **self.shown_address)
        self.erp, self.later = self.later, self.erp
        changed = ", ".join(f"{name} = '{value}'" for name, value in self.erp.items() if name != "nip")
        self.installation.sql(f"UPDATE clients SET {changed} WHERE id = 'K-1'")

    def tick(self) -> None:
        """Fire all schedules, work all queues and let the desk count; what a function dies of is what Lambda prints."""
        runs: list[Callable[[], object]] = [
            self.installation.tick,
            self.installation.serve,
            lambda: self.installation.handler("desk")(event("desk_watch"), Context()),
        ]
        for run in runs:
            try:
                self.told.append(("answer", json.dumps(run(), ensure_ascii=False, default=str)))
            except BaseException as error:  # noqa: BLE001 - Lambda catches everything, and prints it
                self.told.append(("traceback", "".join(traceback.format_exception(error))))

    def everything(self) -> Iterator[tuple[str, str]]:
        """Yield what was told, and what lies in the cloud."""
        yield from self.told
        printed = self.capfd.readouterr()
        yield from (("stdout", printed.out), ("stderr", printed.err), ("log", self.caplog.text))
        yield from (("log record", str(vars(record))) for record in self.caplog.records)
        for item in boto3.client("dynamodb").scan(TableName="state")["Items"]:
            yield f"state {item['pk']['S']}", json.dumps(item, ensure_ascii=False)
        for concern, url in self.installation.queues.items():
            for address in (url, url.replace(f"{concern}.fifo", f"{concern}-dead.fifo")):
                found = self.installation.sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10)
                yield from ((f"queue {concern}", message["Body"]) for message in found.get("Messages", []))

    def found(self) -> set[tuple[str, str]]:
        """Return (place, canary) of each that got out."""
        needles = self.needles
        escaped = {needle: json.dumps(needle)[1:-1] for needle in needles}
        return {(p, n) for p, text in self.everything() for n in needles if n in text or escaped[n] in text}


@pytest.fixture
def watch(installation: Installation, capfd: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(installation, capfd, caplog, monkeypatch)


def quoting(where: str, moment: str, value: str) -> str:
    """Return a trigger by which a database refuses a write, quoting what it refuses: it is no path of JSON."""
    return f"CREATE TRIGGER quoting BEFORE {moment} ON {where} BEGIN SELECT json_extract('{{}}', {value}); END"


@pytest.mark.fault(74, 75)
def test_each_canary_reaches_the_other_side_and_none_gets_out(watch: Watch) -> None:
    watch.linked()
    (account,) = watch.installation.panel.by_code("K-1")
    shown = account.as_dict()
    assert {n: str(shown[n]) for n in watch.erp} == watch.erp
    assert str(shown["credit_limit"]) == watch.credit["credit_limit"]
    assert {n: getattr(account.addresses[0], n) for n in watch.address} == watch.address
    (known,) = watch.installation.sql("SELECT email FROM incoming_clients")
    assert known == (watch.stranger["email"],)
    watch.edit()
    watch.tick()
    watch.tick()
    history = {
        value for row in watch.installation.sql("SELECT value_before, value_after FROM sync_history") for value in row
    }
    assert {watch.shown_address["street"], watch.address["street"], watch.erp["street"]} <= history
    assert watch.found() == set()


PANEL = {
    "refused": ("422", {}),
    "broken": ("5xx", {}),
    "written and broken": ("5xx", {"when": "after"}),
    "log-in page": ("html", {}),
    "cut": ("cut", {}),
    "halved": ("truncated", {}),
    "lost": ("reset", {"when": "after"}),
    "forbidden": ("403", {}),
    "too much": ("huge", {"part": "values", "size": 300_000}),
}


@pytest.mark.parametrize("gate", ["PUT *", "*"])
def test_none_gets_out_whatever_the_panel_does(watch: Watch, gate: str) -> None:
    watch.linked()
    for trouble, (kind, how) in PANEL.items():
        watch.edit()
        watch.installation.panel.misbehave(kind, gate, times=None, **how)
        watch.told.append(("what follows", trouble))
        watch.tick()
        watch.installation.panel.behave()
    assert watch.found() == set()


def test_none_gets_out_where_the_panel_refuses_a_record_and_quotes_it(watch: Watch) -> None:
    watch.linked()
    watch.edit()
    for code in (12, 100, 19):
        text = " ".join([KEY, *watch.erp.values()])
        watch.installation.panel.misbehave("record", times=None, code=code, text=text)
        watch.tick()
        watch.installation.panel.behave()
    assert watch.found() == set()


DATABASE = {
    "the ERP's row is refused, and quoted": quoting("clients", "UPDATE", "NEW.email || NEW.street"),
    "the history is refused, and quoted": quoting("sync_history", "INSERT", "'x' || NEW.value_after"),
    "the base is refused, and quoted": quoting("sync_base", "UPDATE", "'x' || NEW.\"values\""),
    "the status is refused, and quoted": quoting("sync_status", "UPDATE", "'x' || NEW.message_pl"),
    "a column is gone": "ALTER TABLE clients RENAME COLUMN phone TO telefon",
    "a table is gone": "DROP TABLE sync_history",
}


@pytest.mark.parametrize("trouble", DATABASE)
def test_none_gets_out_whatever_the_database_refuses(watch: Watch, trouble: str) -> None:
    watch.linked()
    watch.edit()
    watch.installation.sql(DATABASE[trouble])
    watch.tick()
    watch.tick()
    assert watch.found() == set()


@pytest.mark.fault(13, 74, 75)
def test_none_gets_out_where_a_function_dies_in_the_middle(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each of the calls by which a run leaves the process: what is printed is the way there, and no value."""
    watch.linked()

    def dies(*_: Any, **__: Any) -> None:
        raise MemoryError

    steps = ((DynamoState, "record_run"), (HttpPanel, "update"), (SqlRecords, "save"), (SqsQueue, "send"))
    for owner, step in steps:
        watch.edit()
        with monkeypatch.context() as patched:
            patched.setattr(owner, step, dies)
            watch.tick()
    assert any(place == "traceback" for place, _ in watch.told)
    assert watch.found() == set()


def test_none_gets_out_of_a_wrong_secret_or_an_unreadable_message(watch: Watch) -> None:
    watch.linked()
    secrets = boto3.client("secretsmanager")
    for body in (watch.erp["email"], json.dumps({"v": 1, "concern": "accounts", "keys": [watch.erp["street"]]})):
        batch = event("accounts_queue")
        batch["Records"][0]["body"] = body
        watch.told.append(("answer", json.dumps(watch.installation.handler("accounts")(batch, Context()))))
    secret = SECRETS[1]
    for url in (f"mysql://erp:{secret}@127.0.0.1:1/erp", f"postgresql://erp:{secret}@127.0.0.1:1/erp", secret):
        secrets.put_secret_value(SecretId="erp-url", SecretString=url)
        runtime.forget()
        watch.tick()
    secrets.put_secret_value(SecretId="panel-key", SecretString=f"{secret} żółw")
    runtime.forget()
    watch.tick()
    assert watch.found() == set()
