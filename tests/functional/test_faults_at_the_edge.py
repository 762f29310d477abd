"""Faults at the edge of a function, over real handlers, queues and a panel at a socket (`tests/faults.toml`)."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from kartoteka import runtime
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.errors import Halt, Retry
from local.panel import StandinPanel
from tests.fixtures.exchange import sqlite_as_made
from tests.fixtures.installation import (
    KEY,
    STACK,
    Context,
    Installation,
    event,
    make_secrets,
    make_stack,
    settings,
)
from tests.unit.test_panel_http import CountedLimit, TlsServer

MESSAGE = '{"v": 1, "concern": "accounts", "clients": ["C-1"]}'


def delivered(*bodies: str) -> dict[str, Any]:
    """Return the event in which messages arrive; one's id is its number."""
    record = event("accounts_queue")["Records"][0]
    return {"Records": [{**record, "messageId": str(n), "body": body} for n, body in enumerate(bodies)]}


def failed(answer: dict[str, Any]) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


# --- messages


@pytest.mark.fault(30)
def test_dead_letters_that_are_brought_back_twice_open_nobody_twice(installation: Installation) -> None:
    installation.tick()
    installation.insert("C-1", "C-2")
    queue = SqsQueue(installation.queues)
    both = MESSAGE.replace('"C-1"', '"C-1", "C-2"')
    for _ in range(2):
        for body in (MESSAGE, both, both):
            installation.bury("accounts", body)
        assert queue.redrive("accounts", 100).messages == 3
        installation.serve()
        installation.tick()
    assert sorted(account.external_code for account in installation.panel.accounts) == ["C-1", "C-2"]
    assert installation.sql("SELECT DISTINCT state FROM sync_status") == [("in_step",)]


@pytest.mark.fault(29, 36, 88)
def test_the_partial_answer_names_what_came_and_could_not_be_read_and_nothing_else(installation: Installation) -> None:
    """What a message carries beside keys is not believed, and a key that nobody has does nothing."""
    installation.tick()
    installation.insert("C-1")
    unreadable = [
        "",
        "null",
        "[]",
        '{"v": 1, "concern": "accounts", "clients": [null]}',
        '{"v": 1, "concern": "accounts", "clients": ["C-1"], "street": "Wroga 1"}',
        '{"v": 1, "concern": "accounts", "clients": [{"id": "C-1", "street": "Wroga 1"}]}',
        "x" * 1_048_576,
    ]
    strangers = MESSAGE.replace("C-1", "nobody"), MESSAGE.replace("C-1", "'; DROP TABLE clients; --")
    answer = installation.handler("accounts")(delivered(MESSAGE, *strangers, *unreadable), Context())
    assert sorted(failed(answer)) == sorted(str(n) for n in range(3, 3 + len(unreadable)))
    (account,) = installation.panel.accounts
    assert (account.external_code, account.street) == ("C-1", "Długa 5")


@pytest.mark.fault(89, 90, 91)
def test_messages_of_other_versions_are_read_or_come_back_as_they_are(installation: Installation) -> None:
    """Of the first version no message said by what pass its keys were found; of a later one nobody knows the form."""
    installation.tick()
    installation.insert("C-1", "C-2")
    later = '{"v": 2, "concern": "accounts", "keys": [{"client": "C-2", "epoch": 7}]}'
    answer = installation.handler("accounts")(delivered(MESSAGE, later), Context())
    assert failed(answer) == ["1"]
    assert [account.external_code for account in installation.panel.accounts] == ["C-1"]
    installation.bury("accounts", later)
    assert SqsQueue(installation.queues).redrive("accounts", 10).odd == 1
    (back,) = installation.receive("accounts")["Records"]
    assert back["body"] == later, "it waits for the version that wrote it"


@pytest.mark.fault(78)
def test_nothing_that_comes_from_outside_begins_a_line_of_the_log(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = 'x\n{"level": "ERROR", "message": "forged"}\x1b[31m'
    installation.tick()
    installation.insert("C-1")
    installation.sql(f"UPDATE clients SET company = '{forged}', city = '{forged}' WHERE id = 'C-1'")
    installation.sql(f"INSERT INTO clients (id, email) VALUES ('{forged}', 'x@y.pl')")
    capsys.readouterr()
    batch = delivered(MESSAGE, forged)
    batch["Records"][1]["messageId"] = forged
    installation.handler("accounts")(batch, Context())
    installation.panel.misbehave("5xx", times=2)
    installation.tick()
    installation.decide(f'{{"panel": {{"requests_per_second": 1000, "time_zone": "{json.dumps(forged)[1:-1]}"}}}}')
    installation.tick()
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(lines) > 10
    for line in lines:
        assert line.isprintable()
        assert json.loads(line).get("message") != "forged"


# --- secrets and stacks


@pytest.mark.fault(84, 21)
def test_a_key_that_is_changed_in_the_middle_of_a_run_costs_one_round(installation: Installation) -> None:
    installation.insert("C-1", "C-2")
    installation.tick()
    installation.tick()
    installation.sql("UPDATE clients SET street = 'Nowa 7'")
    installation.panel.misbehave("401", "PUT clients/clients", times=1)  # the look before it had the old key
    installation.tick()
    assert installation.sql("SELECT DISTINCT code FROM sync_status WHERE concern = 'billing'") == [("panel_key",)]
    installation.tick()
    assert {account.street for account in installation.panel.accounts} == {"Nowa 7"}
    depths = SqsQueue(installation.queues).depths()
    assert {depth.dead for depth in depths.values()} == {0}


OTHER_KEY = "canary-other-key-5501"
STACKS = {"": STACK, "other-": STACK.replace("51af3dc0", "other")}


@contextmanager
def another_shop(file: Path) -> Iterator[Installation]:
    """Give a second stack, with a panel, a database, a key and a cloud of its own."""
    file.write_bytes(sqlite_as_made())
    url = f"sqlite:///{file}"
    database = open_engine(url)
    with StandinPanel(key=OTHER_KEY) as panel:
        make_secrets({"panel-key": OTHER_KEY, "erp-url": url, "forget-key": "x" * 20}, "other-")
        yield Installation(panel, database, make_stack("other-"))
    database.dispose()


@pytest.mark.fault(86)
def test_of_two_shops_neither_sees_anything_of_the_other(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients have the same codes in both, and the panels the same numbers; even the process is the same."""
    with another_shop(tmp_path / "other.db") as other:
        shops = {"kanarek": ("", installation), "wróbel": ("other-", other)}
        for canary, (_, shop) in shops.items():
            shop.insert("C-1", "C-2")
            shop.sql(
                f"UPDATE clients SET company = '{canary} ' || id, street = '{canary} 5', email = id || '@{canary}.pl'"
            )
        for _ in range(3):
            for prefix, shop in shops.values():
                for name, value in settings(shop.panel.url, shop.queues, prefix, STACKS[prefix]).items():
                    monkeypatch.setenv(name, value)
                runtime.forget()
                monkeypatch.setattr(runtime, "new_run", shop.new_run)
                shop.tick()
                shop.pass_time(seconds=61)
                shop.panel.edit(shop.panel.by_code("C-1")[0].id, city="Gdynia")
        for canary, (prefix, shop) in shops.items():
            foreign = next(each for each in shops if each != canary)
            assert shop.sql("SELECT client_id, code FROM sync_status WHERE state <> 'in_step'") == []
            assert {account.street for account in shop.panel.accounts} == {f"{canary} 5"}
            assert 401 not in shop.panel.statuses, "a key went to the wrong panel"
            kept = boto3.client("dynamodb").scan(TableName=f"{prefix}state")["Items"]
            tables = [shop.sql(f"SELECT * FROM {name}") for name in ("clients", "sync_history", "sync_base")]
            assert foreign not in repr((shop.panel.requests(), shop.panel.accounts, kept, tables))


# --- the line to the panel


class OldTls(TlsServer):
    """A server that speaks nothing newer than TLS 1.1; it notes why no connection came about."""

    why = ""

    def _serve(self, context: Any) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLS"):
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with suppress(OSError):
            connection, _ = self.listener.accept()
            try:
                context.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError as error:
                self.why = error.reason
                connection.close()


@pytest.mark.fault(77)
def test_an_old_version_of_tls_is_not_spoken() -> None:
    server = OldTls()
    with server as port, pytest.raises((Halt, Retry)):
        PanelHttp(f"https://127.0.0.1:{port}", KEY, CountedLimit(), HttpSettings(attempts=1)).get("system/serverTime")
    assert server.why == "UNSUPPORTED_PROTOCOL"


# --- what is written down about the memory


@pytest.mark.fault(94)
def test_a_run_over_a_million_clients_needs_less_than_320_megabytes() -> None:
    """As `python -m bench.growth` has measured it (docs/performance.md); the functions have 512."""
    path = Path(__file__).parents[2] / "docs" / "performance" / "growth.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    peaks = {run["run"]: run["figures"]["peak MB"]["max"] for run in runs if run["clients"] == 1_000_000}
    assert "daily full scan" in peaks
    assert max(peaks.values()) < 320
