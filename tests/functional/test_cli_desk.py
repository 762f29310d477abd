"""The commands as clients of the desk: through the function where the stack has one, in this process where not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import door
from cli.erp import Where
from kartoteka.codes import status as said
from kartoteka.model import Candidate
from kartoteka.ports.exchange import IncomingClient, SeenAccount
from tests.fixtures.cli import Command
from tests.fixtures.desk import Lambdas
from tests.fixtures.exchange import SqlBench
from tests.fixtures.installation import Installation
from tests.fixtures.records import AT, change

INCOMPLETE = said("incomplete", ["email"], table="clients")


@pytest.fixture
def lambdas(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Lambdas:
    found = Lambdas(installation)
    found.found_by_commands(monkeypatch)
    return found


def test_a_deployed_stack_is_asked_by_invoking_its_function(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.insert("K-1")
    installation.sql("UPDATE clients SET email = NULL")
    installation.tick()
    (row,) = command.json("held", "--stack", "shop")["held"]
    assert (row["client_id"], row["code"]) == ("K-1", "incomplete")
    assert "retry; the next run carries it out" in command("held", "retry", "K-1", "--stack", "shop").stdout
    assert installation.sql("SELECT decision, decided_by FROM sync_status") == [("retry", "ola")]
    command("pause", "billing", "--stack", "shop")
    assert installation.sql("SELECT concern, reason FROM sync_pauses") == [("billing", "operator")]
    assert command.json("resume", "billing", "--stack", "shop")["was_paused"] is True


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("held", "done", "K-9"), 65),
        (("questions", "link", "K-9", "1"), 65),
        (("questions", "create", "K-9"), 65),
        (("incoming", "link", "1", "K-9"), 65),
        (("conflicts", "decide", "9", "erp"), 65),
    ],
)
def test_what_is_not_there_is_said_by_an_exit_code(
    command: Command, lambdas: Lambdas, arguments: tuple[str, ...], code: int
) -> None:
    assert "Error: " in command(*arguments, "--stack", "shop", code=code).output


def test_the_brake_asks_for_a_persons_word_through_the_function_too(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.sql("INSERT INTO sync_pauses (concern, reason) VALUES ('billing', 'brake')")
    assert (
        "kartoteka resume billing --confirm --stack shop"
        in command("resume", "billing", "--stack", "shop", code=77).output
    )
    command("pause", "billing", "--stack", "shop", code=77)
    command("resume", "billing", "--confirm", "--stack", "shop")
    assert installation.sql("SELECT reason FROM sync_pauses") == [("",)]


def test_a_function_that_fails_names_its_log(command: Command, lambdas: Lambdas) -> None:
    lambdas.failing = True
    assert "the log of shop-desk" in command("held", "--stack", "shop", code=1).output


def test_a_long_list_is_asked_for_page_by_page(installation: Installation, lambdas: Lambdas) -> None:
    installation.insert(*(f"K-{number:03}" for number in range(7)))
    asked: list[Any] = []
    handler = lambdas.handler
    lambdas.handler = lambda event, context: asked.append(event) or handler(event, context)  # type: ignore[func-returns-value]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "PAGE", 3)
        with door.door(Where(None, "shop")) as desk:
            assert len(desk.rows("clients", 7)) == 7
            assert len(asked) == 3
            assert len(desk.rows("clients", 4)) == 4


def test_questions_and_incoming_are_answered_in_a_database_alone(command: Command, sqlite_bench: SqlBench) -> None:
    exchange, url = sqlite_bench.exchange, sqlite_bench.url
    sqlite_bench.erp.insert_client("C-1")
    assert command("questions", "--erp-url", url).stdout == "There are no questions.\n"
    assert command("incoming", "--erp-url", url).stdout == "Nobody is waiting.\n"
    assert command("held", "--erp-url", url).stdout == "Nothing is held.\n"
    exchange.index.remember([SeenAccount("7", "evil\x1b[2J", "", "", "a@x.pl", AT)], at=AT)
    candidates = (Candidate("C-1", "7", "email"),)
    record = change("C-1", "accounts", status=said("ambiguous", accounts="7"), candidates=candidates)
    exchange.records.save([record], run_id="r", at=AT)
    exchange.index.list_incoming([IncomingClient("9", {"email": "a@x.pl"})], at=AT)
    shown = command("questions", "--erp-url", url).stdout
    assert "\x1b" not in shown
    assert "C-1" in shown
    (question,) = command.json("questions", "--erp-url", url)["questions"]
    assert question["accounts"][0]["panel_client_id"] == "7"
    assert command.json("questions", "link", "C-1", "7", "--erp-url", url)["decision"] == "link"
    assert command.json("questions", "create", "C-1", "--erp-url", url)["decision"] == "create"
    assert "a@x.pl" in command("incoming", "--erp-url", url).stdout
    assert command.json("incoming", "link", "9", "C-1", "--erp-url", url)["client_id"] == "C-1"
    assert command.json("incoming", "--erp-url", url)["incoming"][0]["client_id"] == "C-1"
    assert command.json("held", "send", "C-1", "--concern", "accounts", "--erp-url", url)["records"] == 1


def ticked(command: Command) -> Any:
    """The last line that a tick prints: in this process the functions' metrics stand before it."""
    return json.loads(command("tick", "--stack", "shop").stdout.splitlines()[-1])


def test_a_tick_names_all_that_is_paused_at_its_end(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    for concern in ("billing", "shops"):
        installation.sql(f"INSERT INTO sync_pauses (concern, reason) VALUES ('{concern}', 'brake')")
    assert ticked(command)["paused"] == ["billing", "shops"]


def test_a_tick_is_carried_out_by_the_desk_alone(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    ticked(command)  # the first pass over the panel: accounts wait for it
    installation.insert("K-1", "K-2", "K-3")
    first = ticked(command)
    assert (first["collected"], first["reconciled"], first["written_to_panel"]) == (3, 3, 3)
    assert sorted(account.external_code for account in installation.panel.accounts) == ["K-1", "K-2", "K-3"]
    installation.panel.misbehave("5xx", times=None)
    assert ticked(command)["delayed"] == ["panel_5xx"]
    lambdas.failing = True
    assert "the desk failed; its log says why" in command("tick", "--stack", "shop", code=1).output


def test_a_resync_needs_no_right_to_the_database(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.insert("K-1", "K-2", "K-3")
    for _ in range(2):
        installation.tick()
    installation.sql("INSERT INTO clients (id) VALUES ('K-4')")
    result = command.json("resync", "billing", "--stack", "shop")
    assert result == {"concern": "billing", "skipped": [], "clients": 3, "messages": 1}
    assert command.json("resync", "billing", "K-1", "K-4", "--stack", "shop")["skipped"] == ["K-4"]
    assert "no account" in command("resync", "billing", "K-4", "--stack", "shop", code=65).output
    assert "no client K-9" in command("resync", "accounts", "K-9", "--stack", "shop", code=65).output


def test_a_plan_is_read_and_approved_without_a_right_to_the_database(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.decide('{"mode": "plan"}')
    installation.insert("K-1", "K-2", "K-3")
    for _ in range(2):
        installation.tick()
    found = command.json("plan", "--stack", "shop")
    assert found["totals"] == {"create": 3}
    assert [row["client_id"] for row in found["rows"]] == ["K-1", "K-2", "K-3"]
    assert [row["client_id"] for row in command.json("plan", "--client", "K-2", "--stack", "shop")["rows"]] == ["K-2"]
    assert "nothing is planned" in command("plan", "approve", "99", "--stack", "shop", code=65).output.lower()
    approved = command.json("plan", "approve", str(found["rows"][0]["id"]), "--stack", "shop")
    assert approved == {"decision": "approve", "rows": 1}
    assert command.json("plan", "reject", "--concern", "accounts", "--as-of", found["as_of"], "--stack", "shop") == {
        "decision": "reject",
        "rows": 2,
    }
    installation.tick()
    assert [account.external_code for account in installation.panel.accounts] == ["K-1"]
    assert command.json("plan", "--ended", "--stack", "shop")["rows"][0]["outcome"] == "done"


def test_a_client_is_excluded_and_included_by_command(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.insert("K-1")
    told = command("exclude", "K-1", "billing", "--reason", "spór", "--stack", "shop").stdout
    assert "K-1 is left alone in billing" in told
    assert installation.sql("SELECT * FROM sync_exclusions") == [("K-1", "billing", "spór")]
    document = command.json("include", "K-1", "billing", "--stack", "shop")
    assert document == {"client_id": "K-1", "concern": "billing", "excluded": False}
    assert command.json("exclude", "K-1", "shops", "--stack", "shop")["excluded"] is True
    command("exclude", "K-9", "billing", "--stack", "shop", code=65)
    command("include", "K-1", "billing", "--stack", "shop", code=65)
    command("exclude", "K-1", "biling", "--stack", "shop", code=2)


def test_a_database_alone_is_enough_to_exclude(command: Command, sql: SqlBench) -> None:
    sql.erp.insert_client("K-1")
    command("exclude", "K-1", "credit", "--erp-url", sql.url)
    assert sql.exchange.records.exclusions(["K-1"]) == {"K-1": {"credit"}}
    command("include", "K-1", "credit", "--erp-url", sql.url)
    assert sql.exchange.records.exclusions(["K-1"]) == {}


def test_a_client_is_renamed_by_command_and_refused_in_a_sentence(
    command: Command, lambdas: Lambdas, installation: Installation
) -> None:
    installation.insert("K-1")
    for _ in range(3):
        installation.tick()
    assert "still stands" in command("rename", "K-1", "N-1", "--stack", "shop", code=65).output
    command("rename", "K-9", "N-1", "--stack", "shop", code=65)
    installation.sql("UPDATE clients SET id = 'N-1'")
    installation.sql(
        "INSERT INTO sync_base (client_id, group_id, concern, item_id, intent) VALUES ('N-1', '', 'accounts', '', '{}')"
    )
    command("rename", "K-1", "N-1", "--stack", "shop", code=75)
    installation.sql("DELETE FROM sync_base WHERE client_id = 'N-1'")
    assert command.json("rename", "K-1", "N-1", "--stack", "shop") == {"client_id": "K-1", "new_id": "N-1"}
    for _ in range(3):
        installation.tick()
    assert len(installation.panel.by_code("N-1")) == 1
    assert installation.panel.by_code("K-1") == []
