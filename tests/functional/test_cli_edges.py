"""Every command ends in a sentence and an exit code when the cloud or the database dies in its middle."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from click.testing import CliRunner, Result
from sqlalchemy.engine.default import DefaultDialect
from urllib3.exceptions import ProtocolError

from cli import stack as stacks
from cli.exits import MEANINGS, USAGE
from cli.main import COMMANDS, kartoteka
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench

ROOT = Path(__file__).parent.parent.parent
HERE = ("--stack", STACK)

LINES: dict[str, tuple[str, ...]] = {
    "conflicts": (),
    "desk": ("--no-browser",),
    "doctor": (),
    "exclude": ("C-1", "billing"),
    "forget": ("C-1",),
    "held": (),
    "history": ("C-1",),
    "differences": (),
    "include": ("C-1", "billing"),
    "incoming": (),
    "pause": ("billing",),
    "plan": (),
    "questions": (),
    "redrive": ("billing",),
    "rename": ("C-1", "C-9"),
    "resume": ("billing",),
    "resync": ("billing",),
    "status": (),
    "takeover": ("--confirm",),
    "tick": (),
    "undo": ("run",),
}
"""What each command that speaks to a stack is given."""
ALONE = {"schema", "policy"}
"""Those that speak to none."""

DEATHS: dict[str, Callable[[], BaseException]] = {
    "gone": lambda: EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    "silent": lambda: ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    "unreachable": lambda: ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
    "broken": lambda: HTTPClientError(error=OSError("broken")),
    "failing": lambda: ClientError({"Error": {"Code": "InternalFailure", "Message": "x"}}, "Any"),
    "denied": lambda: ClientError({"Error": {"Code": "AccessDeniedException", "Message": "x"}}, "Any"),
    "no credentials": NoCredentialsError,
    "reset": lambda: ConnectionResetError(104, "Connection reset by peer"),
    "cut": lambda: ProtocolError("Connection broken"),
}


def test_every_command_is_among_those_that_are_tried() -> None:
    assert LINES.keys() | ALONE == COMMANDS.keys()


def run(*line: str) -> Result:
    return CliRunner().invoke(kartoteka, list(line))


def is_told(result: Result) -> None:
    """Assert that a command ended in a sentence and one of the codes that the page of exit codes lists."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in MEANINGS
    assert result.exit_code != USAGE
    assert "Traceback" not in result.output
    if result.exit_code:
        assert re.search(r"\w+ \w+", result.stderr), "a sentence on standard error"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Deadly:
    deadly = Deadly()
    made = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, name: str, given: Any) -> Any:
        deadly.count()
        return made(client, name, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return deadly


class Deadly:
    """Counts steps, and dies at one and at all after it."""

    def __init__(self) -> None:
        self.made = 0
        self.dies_at: int | None = None
        self.death: Callable[[], BaseException] = DEATHS["gone"]

    def count(self) -> None:
        self.made += 1
        if self.dies_at is not None and self.made > self.dies_at:
            raise self.death()

    def begin(self, dies_at: int | None = None) -> None:
        self.made, self.dies_at = 0, dies_at


@pytest.mark.parametrize("name", sorted(LINES))
def test_a_cloud_that_dies_at_any_call_is_told(name: str, command: Command, deployed: Deployed, calls: Deadly) -> None:
    del command, deployed
    line = (name, *LINES[name], *HERE)
    calls.begin()
    is_told(run(*line))
    deaths = itertools.cycle(DEATHS.values())
    for dies_at in {0, 1, 2, calls.made // 2, calls.made - 1}:
        calls.begin(dies_at)
        calls.death = next(deaths)
        is_told(run(*line))


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_a_cloud_that_dies_in_mid_tick_is_told(
    death: Callable[[], BaseException], command: Command, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    del command, deployed
    from cli import door

    asked: list[str] = []

    def behind(request: Any) -> Any:
        asked.append(request["rawPath"])
        if len(asked) > 1:
            raise death()
        return {"statusCode": 200, "body": '{"fired": [], "at": "2026-11-27T20:00:00+00:00"}'}

    monkeypatch.setattr(door, "of", lambda _stack: behind)
    result = run("tick", *HERE)
    is_told(result)
    assert result.exit_code == 69
    assert asked == ["/api/tick", "/api/work"]


@pytest.mark.parametrize("said", [b"", b"{", b"null", b"[]", b"\xff", b'{"statusCode": 200, "bo'])
def test_an_answer_of_the_desk_that_is_cut_off_is_told(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli import door

    class Lambda:
        def invoke(self, **_: Any) -> Any:
            class Payload:
                def read(self) -> bytes:
                    return said

            return {"Payload": Payload()}

    monkeypatch.setattr(stacks.Stack, "lambdas", lambda _self: Lambda())
    monkeypatch.setattr(door, "caller", lambda _where: "anna")
    stack = stacks.Stack(STACK, None, None, None, {"AWS::Lambda::Function": {"DeskFunction": "d"}})  # type: ignore[arg-type]
    monkeypatch.setattr(stacks, "find", lambda _name: stack)
    assert door.of(stack)
    result = run("held", *HERE)
    is_told(result)
    assert result.exit_code in (1, 69)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", '{"endpoint": '])
@pytest.mark.parametrize("name", ["status", "tick", "held"])
def test_a_note_of_the_local_stack_that_was_cut_off_is_told(
    text: str, name: str, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del command
    (tmp_path / "stack.json").write_text(text)
    monkeypatch.setattr(stacks, "LOCAL_STACK", tmp_path / "stack.json")
    result = run(name)
    is_told(result)
    assert result.exit_code == 69


STATEMENT_DEATHS: dict[str, Callable[[], sqlite3.Error]] = {
    "disk I/O error": lambda: _named(sqlite3.OperationalError, "SQLITE_IOERR", "disk I/O error"),
    "full": lambda: _named(sqlite3.OperationalError, "SQLITE_FULL", "database or disk is full"),
    "malformed": lambda: _named(sqlite3.DatabaseError, "SQLITE_CORRUPT", "database disk image is malformed"),
    "busy": lambda: _named(sqlite3.OperationalError, "SQLITE_BUSY", "database is locked"),
}


def _named(kind: type[sqlite3.Error], name: str, text: str) -> sqlite3.Error:
    error = kind(text)
    error.sqlite_errorname = name
    return error


OF_A_DATABASE = ("conflicts", "held", "history", "incoming", "pause", "plan", "questions", "resume", "status")


@pytest.mark.parametrize("name", OF_A_DATABASE)
@pytest.mark.parametrize("why", STATEMENT_DEATHS)
def test_a_database_that_dies_at_any_statement_is_told(
    name: str, why: str, command: Command, sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    del command
    deadly = Deadly()
    deadly.death = STATEMENT_DEATHS[why]
    execute = DefaultDialect.do_execute

    def dying(self: Any, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        deadly.count()
        execute(self, cursor, statement, parameters, context)

    monkeypatch.setattr(DefaultDialect, "do_execute", dying)
    line = (name, *LINES[name], "--erp-url", sqlite_bench.url)
    deadly.begin()
    is_told(run(*line))
    for dies_at in range(min(deadly.made, 10)):
        deadly.begin(dies_at)
        result = run(*line)
        is_told(result)
        assert result.exit_code in (69, 78), (dies_at, result.output)


# --- secrets and command lines

SHOWN = re.compile(
    r"\bmake\b[^\n`]*\b(PANEL_KEY|ERP_URL)=|--(url|erp-url|from-bridge)[ =]\S+://[^\s/@]*:[^\s@]*@|PanelKey=|--password"
)


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "Makefile"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_puts_a_secret_on_a_command_line(page: Path) -> None:
    assert [line for line in page.read_text().splitlines() if SHOWN.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "$ make up PANEL_URL=https://x PANEL_KEY=k",
        "$ make up ERP_URL=postgresql://a:b@c/d",
        "kartoteka schema create --url postgresql://user:password@host/name",
        "doctor --from-bridge mysql://user:…@server/db",
    ],
)
def test_what_the_pages_are_searched_for(line: str) -> None:
    assert SHOWN.search(line)


def test_a_password_on_the_command_line_is_told(command: Command, sqlite_bench: SqlBench) -> None:
    del command
    for line in (
        ("held", "--erp-url", "postgresql://erp:haslo-kanarka@127.0.0.1:1/x"),
        ("schema", "create", "--url", "postgresql://erp:haslo-kanarka@127.0.0.1:1/x"),
        ("doctor", "--from-bridge", "postgresql://erp:haslo-kanarka@127.0.0.1:1/x"),
    ):
        result = run(*line)
        is_told(result)
        assert "`ps` shows it" in result.stderr
        assert "haslo-kanarka" not in result.output
    assert "`ps`" not in run("held", "--erp-url", sqlite_bench.url).output
    assert "`ps`" not in CliRunner(env={"ERP_URL": "postgresql://a:b@127.0.0.1:1/x"}).invoke(kartoteka, ["held"]).output


def test_a_dash_asks_for_the_address_unseen(command: Command, sqlite_bench: SqlBench) -> None:
    del command
    result = CliRunner().invoke(kartoteka, ["held", "--json", "--erp-url", "-"], input=f"{sqlite_bench.url}\n")
    assert result.exit_code == 0
    assert sqlite_bench.url not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--erp-url"),
        ("schema", "create", "--url"),
        ("schema", "upgrade", "--url"),
        ("conflicts", "--erp-url"),
    ],
)
def test_a_password_whose_marks_are_not_written_as_an_address_wants_is_a_sentence(
    command: Command, arguments: tuple[str, ...]
) -> None:
    told = command(*arguments, "postgresql://erp:a@b:c/d%@127.0.0.1/erp", code=78).output
    assert "are written %40 %3A %2F %25" in told
    assert "a@b:c" not in told
