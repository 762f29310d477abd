"""A mass mistake undone, over the real functions and the stand-in panel: by the page, by the API, run by run."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.fixtures.installation import Context, Installation

FORM = "a-form-s-secret"
POLICY: dict[str, Any] = {
    "panel": {"requests_per_second": 1000},
    "brake": {"max_share": 1.0, "any_share": 1.0},
    "billing": {"fields": {"phone": {"empty": "erase"}}},
}


class Desk:
    """The desk's function as the bridge invokes it."""

    def __init__(self, installation: Installation, lang: str = "en") -> None:
        self._handler = installation.handler("desk")
        self._lang = lang

    def ask(self, method: str, path: str, body: str = "", kind: str = "") -> dict[str, Any]:
        raw, _, query = path.partition("?")
        headers = {"accept-language": self._lang, "x-kartoteka-by": "ola", "x-kartoteka-form": FORM}
        event = {
            "version": "2.0",
            "rawPath": raw,
            "rawQueryString": query,
            "queryStringParameters": dict(parse_qsl(query)) or None,
            "headers": headers | ({"content-type": kind} if kind else {}),
            "requestContext": {"http": {"method": method, "path": raw}, "stage": "$default"},
            "body": body,
            "isBase64Encoded": False,
        }
        answer: dict[str, Any] = self._handler(event, Context())
        return answer

    def post(self, path: str, status: int = 200, **given: Any) -> Any:
        answer = self.ask("POST", f"/api/{path}", json.dumps(given), "application/json")
        assert answer["statusCode"] == status, answer
        return json.loads(answer["body"])

    def send(self, path: str, **given: Any) -> str:
        """Send a form; return where it leads."""
        body = urlencode({"form": FORM, **given}, doseq=True)
        answer = self.ask("POST", path, body, "application/x-www-form-urlencoded")
        assert answer["statusCode"] == 303, answer
        return str(answer["headers"]["Location"])

    def page(self, path: str) -> str:
        answer = self.ask("GET", path)
        assert answer["statusCode"] == 200, answer
        return str(answer["body"])


def settle(installation: Installation, rounds: int = 3) -> None:
    for _ in range(rounds):
        installation.tick()


def runs(installation: Installation) -> list[str]:
    found = installation.sql("SELECT run_id, MIN(id) FROM sync_history GROUP BY run_id ORDER BY 2")
    return [row[0] for row in found]


def phones(installation: Installation) -> dict[str, tuple[Any, Any]]:
    """Return each client's phone on both sides."""
    rows = installation.sql("SELECT id, phone FROM clients ORDER BY id")
    shown = {account.external_code: account.phone for account in installation.panel.accounts}
    return {client_id: (phone or "", shown[client_id] or "") for client_id, phone in rows}


def in_step(installation: Installation, count: int) -> None:
    """Make an installation with so many clients, all of them in step."""
    installation.decide(json.dumps(POLICY))
    installation.insert(*(f"C-{number:03}" for number in range(count)))
    settle(installation, 4)
    assert all(phone.replace(" ", "") == "501502503" for pair in phones(installation).values() for phone in pair), (
        phones(installation)
    )


def moved(installation: Installation) -> tuple[Any, ...]:
    history = installation.sql("SELECT COUNT(*) FROM sync_history")
    writes = sum(n for gate, n in installation.panel.calls.items() if not gate.startswith("GET"))
    return history, phones(installation), writes


@pytest.mark.parametrize("mistake", ["", "600100200"])
def test_a_mass_mistake_of_the_erp_is_undone_run_by_run(installation: Installation, mistake: str) -> None:
    in_step(installation, 200)
    before, known = phones(installation), runs(installation)
    installation.sql(f"UPDATE clients SET phone = '{mistake}'")
    settle(installation)
    assert set(phones(installation).values()) == {(mistake, mistake)}
    installation.sql("UPDATE clients SET phone = '600700800' WHERE id = 'C-007'")
    settle(installation)
    desk = Desk(installation)
    answers = [desk.post("undo", run_id=run, yes="1") for run in runs(installation) if run not in known]
    assert sum(answer["clients"] for answer in answers) >= 199
    assert sum(answer["left_alone"] for answer in answers) >= 1
    settle(installation)
    after = phones(installation)
    assert {key: pair for key, pair in after.items() if key != "C-007"} == {
        key: pair for key, pair in before.items() if key != "C-007"
    }
    assert after["C-007"] in (("600700800", "600700800"), (mistake, mistake))
    told = installation.sql("SELECT DISTINCT outcome FROM sync_plan")
    assert told == [("done",)]
    installation.pass_time(minutes=11)
    settle(installation)
    stands = moved(installation)
    settle(installation, 2)
    assert moved(installation) == stands
    assert installation.sql("SELECT DISTINCT state FROM sync_status") == [("in_step",)]
    assert installation.sql("SELECT COUNT(*) FROM sync_conflicts") == [(0,)]


def test_by_the_page_shown_first_and_written_when_approved(installation: Installation) -> None:
    in_step(installation, 3)
    installation.sql("UPDATE clients SET phone = '600700800' WHERE id <> 'C-002'")
    settle(installation)
    desk = Desk(installation)
    page = desk.page("/history")
    run = runs(installation)[-1]
    assert f'name="run_id" value="{run}"' in page
    assert "Undo this run" in page
    assert 'href="/plan"' not in page
    where = desk.send("/undo", run_id=run, back="/history")
    assert where.startswith("/plan?did=undo&n=4&")
    shown = desk.page(where)
    assert "Rows to be restored: 4" in shown
    twice = [desk.send("/undo", run_id=run, back="/history", once="the-same") for _ in range(2)]
    assert ["n=4" in each for each in twice] == [True, True]
    assert shown.count('name="id"') == 4
    assert 'href="/plan"' in desk.page("/")
    settle(installation, 1)
    assert phones(installation)["C-000"] == ("600700800", "600700800")
    ids = re.findall(r'name="id" value="(\d+)"', shown)
    desk.send("/plan/approve", id=ids, back="/plan")
    assert installation.sql("SELECT DISTINCT decision, decided_by FROM sync_plan") == [("approve", "ola")]
    settle(installation)
    assert {pair[1].replace(" ", "") for pair in phones(installation).values()} == {"501502503"}
    assert installation.sql(
        "SELECT DISTINCT reason FROM sync_history WHERE id > (SELECT MAX(id) - 4 FROM sync_history)"
    ) == [("undo",)]


def test_for_one_client_from_its_page_in_polish(installation: Installation) -> None:
    in_step(installation, 3)
    installation.sql("UPDATE clients SET phone = '600700800'")
    settle(installation)
    desk = Desk(installation, "pl")
    assert "Cofnij u tego klienta" in desk.page("/clients/C-001")
    where = desk.send("/undo", run_id=runs(installation)[-1], client_id="C-001", back="/clients/C-001")
    assert "Do przywrócenia wierszy: 2" in desk.page(where)
    desk.send("/plan/approve", all="1", undo="1", back="/plan")
    settle(installation)
    found = phones(installation)
    assert found["C-001"][1].replace(" ", "") == "501502503"
    assert found["C-000"] == ("600700800", "600700800")


def test_what_is_refused_is_said_on_the_page(installation: Installation) -> None:
    in_step(installation, 1)
    installation.credit("C-000", "100.00")
    settle(installation)
    run = installation.sql("SELECT run_id FROM sync_history WHERE concern = 'credit'")[0][0]
    for lang, told in (("en", "Correct client_credit in the ERP"), ("pl", "Popraw client_credit w ERP")):
        desk = Desk(installation, lang)
        where = desk.send("/undo", run_id=run, back="/history")
        assert told in desk.page(where)
    assert installation.sql("SELECT DISTINCT outcome, reason FROM sync_plan") == [("refused", "undo")]


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"run_id": "nobody"}, 404, "no_run"),
        ({}, 400, "run_or_span"),
        ({"run_id": "a", "since": "2026-01-01"}, 400, "run_or_span"),
        ({"until": "2026-01-01"}, 400, "run_or_span"),
        ({"since": "yesterday"}, 400, "bad_moment"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, 400, "run_or_span"),
        ({"since": "2026-01-01", "concern": "nothing"}, 400, "no_word"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    installation: Installation, given: dict[str, Any], status: int, code: str
) -> None:
    assert Desk(installation).post("undo", status, **given)["error"] == code


def test_a_span_without_anything_undoes_nothing(installation: Installation) -> None:
    answer = Desk(installation).post("undo", since="2026-01-01", until="2026-01-02T00:00")
    assert (answer["done"], answer["rows"], answer["messages"]) == (0, [], [])


def test_more_than_the_brake_would_bear_is_marked_where_all_is_only_planned(installation: Installation) -> None:
    policy = {"mode": "plan", "panel": {"requests_per_second": 1000}, "brake": {"min_records": 0, "any_share": 0.0}}
    installation.decide(json.dumps(policy))
    installation.insert("K-1", "K-2")
    settle(installation)
    desk, polish = Desk(installation), Desk(installation, "pl")
    for path in ("/", "/plan"):
        assert "Accounts: 2 records would be written, 0 are looked after" in desk.page(path)
        assert "Konta: zapisanych zostałoby rekordów: 2" in polish.page(path)
    assert json.loads(desk.ask("GET", "/api/overview")["body"])["too_many"] == [
        {"concern": "accounts", "records": 2, "of": 0}
    ]
    desk.send("/plan/approve", all="1", back="/plan")
    settle(installation)
    assert "records would be written" not in desk.page("/")
    assert len(installation.panel.accounts) == 2
    assert installation.sql("SELECT concern FROM sync_pauses WHERE reason <> ''") == []


def test_a_link_to_the_wrong_account_is_undone(installation: Installation) -> None:
    installation.decide(json.dumps(POLICY))
    account = installation.panel.seed(
        login="a", email="k-1@firma.pl", company="Cudza", street="Polna 1", zip_code="26-600", city="Radom"
    )
    settle(installation)
    installation.insert("K-1")
    settle(installation, 4)
    assert [(a.external_code, a.city) for a in installation.panel.accounts] == [("K-1", "Łódź")]
    desk = Desk(installation)
    desk.post("undo", since="2020-01-01", yes="1")
    settle(installation, 4)
    (left,) = installation.panel.accounts
    assert (left.id, left.external_code, left.city, left.company) == (account.id, "", "Radom", "Cudza")
    assert installation.sql("SELECT city FROM clients") == [("Łódź",)]
    assert installation.sql("SELECT * FROM sync_links") == []
    assert "K-1" in desk.page("/questions")
    assert "was undone" in desk.page("/held")


# --- what is offered


def offered(desk: Desk, path: str) -> set[str]:
    """Return the runs that a page offers to undo."""
    return set(re.findall(r'action="/undo".*?name="run_id" value="([^"]*)"', desk.page(path), re.DOTALL))


def test_a_run_is_offered_to_be_undone_only_where_that_would_restore_something(installation: Installation) -> None:
    desk = Desk(installation)
    installation.insert("K-1", "K-2")
    installation.credit("K-1", "500.00")
    for _ in range(3):
        installation.tick()
    installation.pass_time(minutes=20)
    known = set(runs(installation))
    installation.sql("UPDATE clients SET street = 'Nowa 1' WHERE id = 'K-1'")
    for _ in range(3):
        installation.tick()
    (edit,) = set(runs(installation)) - known
    figures = {row[0] for row in installation.sql("SELECT run_id FROM sync_history WHERE concern = 'credit'")}
    assert figures
    assert edit in offered(desk, "/history")
    assert edit in offered(desk, "/clients/K-1")
    assert not figures & (offered(desk, "/history") | offered(desk, "/clients/K-1"))
    assert offered(desk, "/history?concern=credit") == set()
    assert edit not in offered(desk, "/clients/K-2")
    installation.sql("UPDATE clients SET street = 'Poprawna 2' WHERE id = 'K-1'")  # edited since: nothing to restore
    assert edit not in offered(desk, "/history")


def test_what_is_offered_is_what_undo_would_plan(installation: Installation) -> None:
    desk = Desk(installation)
    installation.insert("K-1", "K-2")
    installation.sql("UPDATE clients SET discount_group_id = 'HURT' WHERE id = 'K-1'")
    installation.price("HURT", 17, "12.50")
    for _ in range(3):
        installation.tick()
    installation.sql("UPDATE clients SET city = 'Radom' WHERE id = 'K-2'")
    for _ in range(3):
        installation.tick()
    shown = offered(desk, "/history?limit=500")
    assert shown
    for run in set(runs(installation)):
        assert (desk.post("undo", run_id=run)["done"] > 0) == (run in shown), run
