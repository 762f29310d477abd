"""Erasing a person over an installation: the command, the page, the panel's account, and a scan over everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import boto3
import pytest
import sqlalchemy as sa

from cli import door
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.errors import Reject, Retry
from tests.fixtures.cli import Command
from tests.fixtures.desk import Lambdas
from tests.fixtures.installation import Installation

CANARY = {
    "email": "kanarek-mail@firma.pl",
    "company": "Kanarek Firma",
    "street": "Kanarkowa 9",
    "city": "Kanarkowo",
    "phone": "+48 600 111 777",
    "nip": "5260001246",
}
FORM = "a-form-s-secret"
STACK = ("--stack", "shop")
THEIRS = {"clients", "delivery_addresses", "client_shops", "client_credit"}


class Browser(Lambdas):
    """The same stack as a browser behind the bridge asks it."""

    def send(self, method: str, path: str, lang: str = "en", **given: Any) -> dict[str, Any]:
        headers = {
            "accept-language": lang,
            "x-kartoteka-by": "ola",
            "x-kartoteka-form": FORM,
            "content-type": "application/x-www-form-urlencoded",
        }
        raw, _, query = path.partition("?")
        return self.ask(door.event(method, raw, dict(parse_qsl(query)), headers, urlencode({"form": FORM, **given})))


@pytest.fixture
def desk(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser(installation)
    found.found_by_commands(monkeypatch)
    return found


def settle(installation: Installation, rounds: int = 3) -> None:
    for _ in range(rounds):
        installation.tick()


def linked(installation: Installation) -> str:
    """Let K-1 (full of canaries) and K-2 have their accounts and a history; return the number of K-1's."""
    installation.insert("K-1", "K-2")
    values = ", ".join(f"{name} = '{value}'" for name, value in CANARY.items())
    installation.sql(f"UPDATE clients SET {values} WHERE id = 'K-1'")
    installation.sql("UPDATE clients SET nip = NULL, phone = '601 601 601' WHERE id = 'K-2'")
    installation.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, street, zip_code, city, country_code) "
        "VALUES ('A-1', 'K-1', 'Kanarek', 'Kanarkowski', 'Kanarkowa 10', '00-950', 'Kanarkowo', 'PL')"
    )
    settle(installation)
    installation.sql("UPDATE clients SET street = 'Kanarkowa 11' WHERE id = 'K-1'")
    settle(installation)
    ((number,),) = installation.sql("SELECT panel_client_id FROM sync_links WHERE client_id = 'K-1'")
    return str(number)


def everywhere(installation: Installation) -> Iterator[tuple[str, str]]:
    """Yield every column of every table but the ERP's own, every item of the cloud's state, and every message."""
    for name in sa.inspect(installation.database).get_table_names():
        if name in THEIRS:
            continue
        columns = [column["name"] for column in sa.inspect(installation.database).get_columns(name)]
        for row in installation.sql(f'SELECT * FROM "{name}"'):
            named = dict(zip(columns, row, strict=True))
            yield from ((f"{name}.{column}", str(value)) for column, value in named.items())
            if number := named.get("panel_client_id"):
                yield f"{name}.panel_client_id", f"account {number}"
    for item in boto3.client("dynamodb").scan(TableName="state")["Items"]:
        yield f"state {item['pk']['S']}/{item['sk']['S']}", json.dumps(item, ensure_ascii=False)
    for concern, url in installation.queues.items():
        found = installation.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in found.get("Messages", []):
            yield f"queue {concern}", message["Body"]


def left(installation: Installation, *needles: str) -> set[str]:
    return {place for place, text in everywhere(installation) if any(needle in text for needle in needles)}


def canaries(number: str) -> tuple[str, ...]:
    return ("anarek", "anarkow", "kanarek-mail", "5260001246", "600111777", "600 111 777", f"account {number}")


def test_without_yes_it_only_shows_what_would_go_and_what_others_keep(
    command: Command, desk: Browser, installation: Installation
) -> None:
    number = linked(installation)
    before = left(installation, "anarek", "anarkow")
    assert {place.partition(".")[0] for place in before} >= {"sync_base", "sync_history"}
    shown = command.json("forget", "K-1", *STACK)
    assert shown["account"] == number
    assert shown["kept"] == {"clients": 1, "delivery_addresses": 1}
    assert shown["erased"].keys() >= {"sync_base", "sync_history", "sync_status", "sync_links", "sync_panel_accounts"}
    assert shown["forgotten"] is False
    told = command("forget", "K-1", *STACK, "--lang", "en").stdout
    assert "Nothing was erased; add --yes" in told
    assert f"Account {number} and its orders stay" in told
    assert "Niczego nie usunięto" in command("forget", "K-1", *STACK, "--lang", "pl").stdout
    assert left(installation, "anarek", "anarkow") == before


@pytest.mark.fault(85)
def test_with_yes_nothing_is_left_anywhere_and_it_does_not_come_back(
    command: Command, desk: Browser, installation: Installation, capfd: pytest.CaptureFixture[str]
) -> None:
    number = linked(installation)
    neighbour = left(installation, "K-2")
    capfd.readouterr()
    done = command.json("forget", "K-1", *STACK, "--yes")
    assert done["forgotten"] is True
    stones = boto3.client("dynamodb").get_item(
        TableName="state", Key={"pk": {"S": "cursor"}, "sk": {"S": "forgotten:0"}}
    )
    assert len(json.loads(stones["Item"]["document"]["S"])["stones"]) == 2
    assert done["done"] == sum(done["erased"].values()) > 10
    assert left(installation, *canaries(number)) == set()
    settle(installation)
    installation.pass_time(minutes=20)
    settle(installation)
    assert left(installation, *canaries(number)) == set()
    assert left(installation, "K-1") <= {"sync_status.client_id"}
    assert left(installation, "K-2") >= {place for place in neighbour if not place.startswith(("change_log", "queue"))}
    assert installation.sql("SELECT concern, state, code FROM sync_status WHERE client_id = 'K-1'") == [
        ("accounts", "excluded", "forgotten")
    ]
    assert installation.panel.account(int(number)).active
    assert "anarek" not in capfd.readouterr().out
    settle(installation)
    assert installation.sql("SELECT client_id FROM sync_links") == [("K-2",)]


def test_the_account_is_closed_and_seen_closed_before_anything_is_erased(
    command: Command, desk: Browser, installation: Installation
) -> None:
    number = linked(installation)
    command("forget", "K-1", *STACK, "--yes", "--account", "close")
    account = installation.panel.account(int(number))
    assert (account.active, account.street) == (False, "Kanarkowa 11")
    assert left(installation, *canaries(number)) == set()
    settle(installation)
    assert not installation.panel.account(int(number)).active


def test_the_panel_erases_the_account_itself_where_that_is_wanted(
    command: Command, desk: Browser, installation: Installation
) -> None:
    number = linked(installation)
    command("forget", "K-1", *STACK, "--yes", "--account", "erase")
    account = installation.panel.account(int(number))
    assert (account.active, account.street, account.removed) == (False, "", True)
    settle(installation)
    assert left(installation, *canaries(number)) == set()


@pytest.mark.parametrize("how", ["close", "erase"])
def test_where_the_panel_does_not_close_it_nothing_is_erased(
    command: Command, desk: Browser, installation: Installation, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    linked(installation)
    with monkeypatch.context() as patched:
        patched.setattr(HttpPanel, "update", lambda *_args: [Reject("refused")])
        patched.setattr(HttpPanel, "erase", lambda *_args: (_ for _ in ()).throw(Reject("refused")))
        assert "refused" in command("forget", "K-1", *STACK, "--yes", "--account", how, code=65).stderr
    with monkeypatch.context() as patched:
        patched.setattr(HttpPanel, "closed_among", lambda *_args: frozenset())
        refused = command("forget", "K-1", *STACK, "--yes", "--account", how, code=65)
        assert "does not show" in refused.stderr
    assert ("K-1",) in installation.sql("SELECT client_id FROM sync_links")
    assert command.json("forget", "K-1", *STACK)["forgotten"] is False
    command("forget", "K-1", *STACK, "--yes", "--account", how)
    assert installation.sql("SELECT client_id FROM sync_links") == [("K-2",)]


def test_a_reply_that_is_lost_is_finished_by_the_same_request(
    command: Command, desk: Browser, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = linked(installation)
    update = HttpPanel.update

    def lost(self: HttpPanel, updates: Any) -> Any:
        update(self, updates)
        raise Retry("timeout")

    with monkeypatch.context() as patched:
        patched.setattr(HttpPanel, "update", lost)
        command("forget", "K-1", *STACK, "--yes", "--account", "close", code=69)
    assert ("K-1",) in installation.sql("SELECT client_id FROM sync_links")
    command("forget", "K-1", *STACK, "--yes", "--account", "close")
    assert not installation.panel.account(int(number)).active
    assert left(installation, *canaries(number)) == set()


def test_allow_takes_the_tombstones_from_both_homes_and_it_is_linked_again(
    command: Command, desk: Browser, installation: Installation
) -> None:
    number = linked(installation)
    command("forget", "K-1", *STACK, "--yes")
    installation.sql("DELETE FROM clients WHERE id = 'K-1'")
    settle(installation)
    installation.insert("K-1")
    settle(installation)
    assert installation.sql("SELECT client_id FROM sync_links") == [("K-2",)]
    assert "may be synchronised again" in command("forget", "K-1", *STACK, "--allow", "--lang", "en").stdout
    assert left(installation, "forgotten") <= {"state cursor/forgotten:0", "sync_status.code"}
    assert installation.sql("SELECT * FROM sync_forgotten") == []
    settle(installation, 4)
    assert min(installation.sql("SELECT client_id, panel_client_id FROM sync_links")) == ("K-1", number)
    command("forget", "K-1", *STACK, "--allow", code=65)


def test_whom_nobody_knows_cannot_be_forgotten(command: Command, desk: Browser) -> None:
    command("forget", "K-9", *STACK, code=65)
    command("forget", "K-9", *STACK, "--yes", code=65)
    command("forget", "K-9", *STACK, "--allow", code=65)


def test_the_page_shows_first_and_wants_the_code_typed(desk: Browser, installation: Installation) -> None:
    number = linked(installation)
    assert 'href="/clients/K-1/forget"' in desk.send("GET", "/clients/K-1")["body"]
    for lang, word in (("pl", "Wpisz kod klienta"), ("en", "Type the client&#39;s code")):
        page = desk.send("GET", "/clients/K-1/forget", lang)["body"]
        assert word in page
        assert "sync_history" in page
        assert f"{number}" in page
    wrong = desk.send("POST", "/forget", client_id="K-1", confirm="K-2", account="keep")
    assert (wrong["statusCode"], "not K-1" in wrong["body"]) == (400, True)
    assert ("K-1",) in installation.sql("SELECT client_id FROM sync_links")
    done = desk.send("POST", "/forget", client_id="K-1", confirm="K-1", account="close", back="/clients")
    assert (done["statusCode"], done["headers"]["Location"].partition("?")[0]) == (303, "/clients")
    assert not installation.panel.account(int(number)).active
    assert left(installation, *canaries(number)) == set()
    assert "is forgotten" in desk.send("GET", "/clients/K-1/forget")["body"]
    assert desk.send("GET", done["headers"]["Location"])["statusCode"] == 200
    allowed = desk.send("POST", "/forget/allow", client_id="K-1", back="/clients")
    assert allowed["statusCode"] == 303
    assert desk.send("GET", "/clients/K-9/forget")["statusCode"] == 404


def test_the_cloud_knows_it_as_soon_as_the_command_has_ended(
    command: Command, desk: Browser, installation: Installation
) -> None:
    """A database may be restored in the very next moment: nothing else would tell of the erasure then."""
    linked(installation)
    runs = installation.sql("SELECT count(*) FROM change_log")
    command("forget", "K-1", "--yes", *STACK)
    stones = {digest for (digest,) in installation.sql("SELECT digest FROM sync_forgotten")}
    assert len(stones) == 2
    known = [text for place, text in everywhere(installation) if place.startswith("state ") and "stones" in text]
    assert all(any(digest in text for text in known) for digest in stones)
    assert installation.sql("SELECT count(*) FROM change_log") > runs, "a backup of before has a shorter log"
