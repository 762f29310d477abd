"""Two stacks by mistake on one exchange database and one panel, over HTTP: one works, the other one writes nothing.

Without an owner 100 clients had two accounts, and 60 addresses stood twice in the panel, all of them ``in_step``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kartoteka import runtime
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.ports.functions import LONGEST_OF_ALL
from kartoteka.sync.ownership import WAITS
from tests.fixtures.cli import Command
from tests.fixtures.desk import Lambdas
from tests.fixtures.installation import STACK, Context, Installation, event, make_stack

OTHER = STACK.replace("stack/kartoteka/", "stack/kartoteka-staging/")
SAME_NAME = STACK.replace("51af3dc0", "99999999")
"""A stack that was deleted and deployed again: its name is the same, its ARN is not."""
CLIENTS, ADDRESSES = 100, 60
ADDRESS = "id, client_id, first_name, last_name, street, zip_code, city"


class Stacks:
    """An installation as one stack or as the other: each has its own cloud; database and panel are the same."""

    def __init__(self, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.installation, self._monkeypatch = installation, monkeypatch
        self._own = {STACK: ("", installation.queues)}
        self.now = STACK

    def become(self, arn: str) -> None:
        """Let all that is done from now on be done by this stack."""
        if arn not in self._own:
            prefix = f"s{len(self._own)}-"
            self._own[arn] = (prefix, make_stack(prefix))
        prefix, queues = self._own[arn]
        settings = {"TABLE": f"{prefix}state", "INSTALLATION": arn}
        settings |= {f"QUEUE_{concern.upper()}": url for concern, url in queues.items()}
        for name, value in settings.items():
            self._monkeypatch.setenv(f"KARTOTEKA_{name}", value)
        runtime.forget()
        self.installation.queues, self.now = queues, arn

    @contextmanager
    def being(self, arn: str) -> Iterator[Installation]:
        """Let what is done in this block be done by a stack, perhaps in the middle of what another one does."""
        before = self.now
        self.become(arn)
        try:
            yield self.installation
        finally:
            self.become(before)

    def tick(self, arn: str) -> list[dict[str, Any]]:
        with self.being(arn) as installation:
            return installation.tick()

    def take_over(self, arn: str) -> dict[str, Any]:
        with self.being(arn) as installation:
            return asked(installation, "POST", "takeover", {"confirm": True})

    def amid(self, gate: str, what: Callable[[], object], *, times: int = 1) -> list[object]:
        """Do something just after each of the next calls of a panel's method, before anybody hears its answer."""
        done: list[object] = []
        original = getattr(HttpPanel, gate)

        def then(panel: HttpPanel, *args: Any, **more: Any) -> Any:
            try:
                return original(panel, *args, **more)
            finally:
                if len(done) < times:
                    done.append(None)
                    done[-1] = what()

        self._monkeypatch.setattr(HttpPanel, gate, then)
        return done


@pytest.fixture
def two(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    return Stacks(installation, monkeypatch)


def asked(installation: Installation, method: str, path: str, given: Any = None) -> dict[str, Any]:
    request = {
        "version": "2.0",
        "rawPath": f"/api/{path}",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": f"/api/{path}"}, "stage": "$default"},
        "body": json.dumps(given or {}),
    }
    answer = installation.handler("desk")(request, Context())
    return {"status": answer["statusCode"], **json.loads(answer["body"])}


def fill(installation: Installation, clients: int = CLIENTS, addresses: int = ADDRESSES) -> None:
    installation.insert(*(f"C-{n:03}" for n in range(clients)))
    rows = ", ".join(
        f"('A-{n:03}', 'C-{n:03}', 'Jan', 'Nowak', 'Nowa {n}', '00-950', 'Łódź')" for n in range(addresses)
    )
    installation.sql(f"INSERT INTO delivery_addresses ({ADDRESS}) VALUES {rows}")


def nothing_is_doubled(installation: Installation, accounts: int = CLIENTS, addresses: int = ADDRESSES) -> None:
    codes = Counter(account.external_code for account in installation.panel.accounts)
    assert len(codes) == accounts, "somebody has no account"
    assert set(codes.values()) == {1}, "somebody has two accounts"
    places = [(a.external_code, place.street) for a in installation.panel.accounts for place in addresses_of(a)]
    assert len(places) == len(set(places)) == addresses, "an address stands twice, or not at all"


def addresses_of(account: Any) -> list[Any]:
    return [place for place in account.addresses if place.street.startswith("Nowa")]


def halted(answers: list[dict[str, Any]]) -> set[str]:
    return {str(answer.get("halted", answer)).partition(":")[0] for answer in answers}


@pytest.mark.fault(86)
def test_a_hundred_clients_keep_one_account_each_whatever_the_second_stack_does(two: Stacks) -> None:
    fill(two.installation)
    told = two.amid("create", lambda: two.tick(OTHER), times=3)
    more = two.amid("add_addresses", lambda: two.tick(OTHER), times=3)
    for _ in range(3):
        two.tick(STACK)
        two.tick(OTHER)
    assert told
    assert more
    for answers in (*told, *more, two.tick(OTHER)):
        assert halted(answers) == {"not_owner"}
    nothing_is_doubled(two.installation)
    states = two.installation.sql("SELECT state, COUNT(*) FROM sync_status GROUP BY state")
    assert [state for state, _ in states] == ["in_step"]


def test_the_second_stack_asks_the_panel_nothing_and_takes_none_of_its_calls(two: Stacks) -> None:
    fill(two.installation)
    two.tick(STACK)
    before = two.installation.panel.total_calls
    two.tick(OTHER)
    assert two.installation.panel.total_calls == before


@pytest.mark.parametrize("other", [OTHER, SAME_NAME, STACK.upper()], ids=["staging", "deployed again", "upper case"])
def test_a_stack_is_known_by_its_id_and_never_by_its_name(two: Stacks, other: str) -> None:
    two.tick(STACK)
    assert halted(two.tick(other)) == {"not_owner"}
    two.installation.sql("UPDATE sync_owner SET since = '2001-01-01 00:00:00.000000'")
    assert halted(two.tick(other)) == {"not_owner"}, "an ownership does not expire"
    assert halted(two.tick(STACK)) != {"not_owner"}


def test_messages_of_the_second_stack_come_back(two: Stacks) -> None:
    two.installation.insert("C-1001")
    two.installation.tick()
    with two.being(OTHER) as installation:
        answer = installation.handler("accounts")(event("accounts_queue"), Context())
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        record["messageId"] for record in event("accounts_queue")["Records"]
    ]


def test_the_desk_of_the_second_stack_says_so_and_decides_nothing(two: Stacks) -> None:
    two.installation.insert("C-1001")
    two.tick(STACK)
    with two.being(OTHER) as installation:
        found = asked(installation, "GET", "ownership")
        assert (found["code"], found["installation"], found["owner"]) == ("not_owner", OTHER, STACK)
        assert "należy do innej instalacji" in found["message_pl"]
        assert "takeover" in found["message_en"]
        assert asked(installation, "GET", "overview")["ownership"] == {k: v for k, v in found.items() if k != "status"}
        for path, given in (
            ("pause", {"concern": "billing"}),
            ("exclude", {"client_id": "C-1001", "concern": "billing"}),
            ("forget", {"client_id": "C-1001", "confirm": "C-1001"}),
            ("forget", {"client_id": "C-1001", "confirm": "C-1001", "account": "close"}),
        ):
            answer = asked(installation, "POST", path, given)
            assert answer["status"] == 500, path
            assert answer["error"].startswith("not_owner: "), path
    assert installation.sql("SELECT * FROM sync_pauses") == []
    assert installation.sql("SELECT * FROM sync_exclusions") == []
    assert installation.panel.by_code("C-1001")[0].active


def test_without_a_persons_word_nothing_is_taken_over(two: Stacks) -> None:
    two.tick(STACK)
    with two.being(OTHER) as installation:
        answer = asked(installation, "POST", "takeover")
        assert (answer["status"], answer["error"], answer["facts"]["id"]) == (409, "takeover", STACK)
        assert answer["facts"]["seconds"] == "175"
        assert asked(installation, "GET", "ownership")["owner"] == STACK
    with two.being(STACK) as installation:
        assert asked(installation, "POST", "takeover", {"confirm": True})["done"] == 0, "it is its own"
        assert asked(installation, "GET", "ownership")["former"] == ""


@pytest.mark.fault(18)
def test_a_takeover_amid_a_run_with_a_lost_reply_loses_and_doubles_nothing(two: Stacks) -> None:
    installation = two.installation
    fill(installation, 30, 20)
    for _ in range(3):
        installation.tick()
        installation.pass_time(minutes=2)
    nothing_is_doubled(installation, 30, 20)
    installation.insert("C-late")
    installation.sql("UPDATE clients SET street = 'Krótka 7'")
    installation.sql("UPDATE delivery_addresses SET street = 'Nowa ' || id WHERE id < 'A-010'")
    late = "('A-late', 'C-029', 'Jan', 'Nowak', 'Nowa 999', '00-950', 'Łódź')"
    installation.sql(f"INSERT INTO delivery_addresses ({ADDRESS}) VALUES {late}")
    for gate in ("POST clients/clients", "PUT clients/clients", "POST clients/deliveryAddress"):
        installation.panel.misbehave("reset", gate, when="after", times=None)
    taken = two.amid("create", lambda: two.take_over(OTHER))
    two.tick(STACK)
    assert taken, "the takeover was not in the middle of a run"
    installation.panel.behave()
    calls = installation.panel.total_calls
    assert halted(two.tick(STACK)) == {"not_owner"}
    waiting = two.tick(OTHER)
    assert {answer["delayed"] for answer in waiting} == {WAITS}
    assert installation.panel.total_calls == calls, "it waits, and asks nothing"
    installation.pass_time(seconds=LONGEST_OF_ALL.total_seconds() + 20)
    assert {answer.get("delayed") for answer in two.tick(OTHER)} == {WAITS}, "the panel's own time limit counts too"
    installation.pass_time(seconds=10)
    for _ in range(4):
        two.tick(OTHER)
        assert halted(two.tick(STACK)) == {"not_owner"}
        installation.pass_time(minutes=5)
    nothing_is_doubled(installation, 31, 21)
    assert {account.street for account in installation.panel.accounts} == {"Krótka 7"}
    assert installation.panel.by_code("C-late")[0].street == "Krótka 7"
    states = installation.sql("SELECT DISTINCT state, code, concern FROM sync_status WHERE state <> 'in_step'")
    assert states == []
    assert installation.sql("SELECT COUNT(*) FROM sync_base WHERE intent IS NOT NULL") == [(0,)]
    created = installation.sql("SELECT client_id FROM sync_history WHERE reason = 'create' AND client_id = 'C-late'")
    assert created, "what the former owner did is told"


def test_what_the_former_owner_left_is_found_though_nothing_is_in_the_new_ones_queue(two: Stacks) -> None:
    """The new stack has owned the database before, so that its cursors are not new."""
    installation = two.installation
    with two.being(OTHER):
        installation.insert("C-1001")
        for _ in range(3):
            installation.tick()
            installation.pass_time(minutes=2)
    two.take_over(STACK)
    installation.pass_time(minutes=5)
    two.tick(STACK)
    account = installation.panel.by_code("C-1001")[0]
    installation.pass_time(minutes=5)
    two.tick(OTHER)
    installation.sql("UPDATE clients SET city = 'Gdynia'")
    installation.panel.misbehave("reset", "PUT clients/clients", when="after", times=None)
    two.tick(STACK)
    installation.panel.behave()
    assert installation.sql("SELECT COUNT(*) FROM sync_base WHERE intent IS NOT NULL") == [(1,)]
    two.take_over(OTHER)
    installation.pass_time(minutes=5)
    for _ in range(2):
        two.tick(OTHER)
        installation.pass_time(minutes=2)
    assert installation.panel.account(account.id).city == "Gdynia"
    assert installation.sql("SELECT COUNT(*) FROM sync_base WHERE intent IS NOT NULL") == [(0,)]


def test_a_copy_of_the_database_is_productions_until_it_is_taken_over(two: Stacks) -> None:
    """As the file is copied, so is the row: the stack on the copy halts, and takes over there alone."""
    two.tick(STACK)
    with two.being(OTHER) as installation:
        assert halted(installation.tick()) == {"not_owner"}
        asked(installation, "POST", "takeover", {"confirm": True})
        installation.pass_time(minutes=3)
        assert halted(installation.tick()) != {"not_owner"}


def test_the_command_tells_and_takes_over(command: Command, two: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    lambdas = Lambdas(two.installation)
    lambdas.found_by_commands(monkeypatch)
    assert "nobody's yet" in command("takeover", "--stack", "shop").stdout
    two.tick(STACK)
    assert f"this installation's ({STACK})" in command("takeover", "--stack", "shop").stdout
    with two.being(OTHER):
        found = command("takeover", "--stack", "shop", code=77)
        assert STACK in found.output
        assert "175 s" in found.output
        assert "Error: " in found.output
        shown = command("status", "--stack", "shop")
        assert "Stopped: This exchange database belongs to another installation" in shown.stdout
        command("status", "--stack", "shop", "--exit-code", code=78)
        assert "is this installation's now" in command("takeover", "--stack", "shop", "--confirm").stdout
        waits = command("takeover", "--stack", "shop").stdout
        assert "It sends from" in waits
        told = command.json("takeover", "--stack", "shop")
        assert (told["owner"], told["former"], told["code"]) == (OTHER, STACK, WAITS)
    command("takeover", "--stack", "shop", code=77)
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    assert "należy do innej instalacji" in command("takeover", "--stack", "shop", code=77).output


def test_a_setting_that_is_missing_stops_everything(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KARTOTEKA_INSTALLATION", "")
    runtime.forget()
    answer = installation.handler("billing")(event("billing_schedule"), Context())
    assert answer["halted"].startswith("bad_settings: KARTOTEKA_INSTALLATION")
