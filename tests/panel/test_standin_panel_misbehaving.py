"""Ordered misbehaviour, the rate limit and the control address."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from local.panel import StandinPanel
from tests.panel.conftest import KEY, Caller, codes, control, new_client

PUT = ("PUT", "clients/clients")
TIME = "system/serverTime"


@pytest.mark.parametrize(
    ("ordered", "sent"),
    [
        ("3", "3"),
        ("soon", "soon"),
        ("999999999", "999999999"),
        ("0.5", "0.5"),
        (None, None),
    ],
)
def test_429_carries_what_was_ordered(panel: StandinPanel, api: Caller, ordered: str | None, sent: str | None) -> None:
    rule = panel.misbehave("429", gate=f"GET {TIME}", retry_after=ordered, times=2)
    for _ in range(2):
        refused = api.send("GET", TIME)
        assert (refused.status_code, refused.headers.get("Retry-After")) == (429, sent)
    assert api.send("GET", TIME).status_code == 200
    assert rule.hits == 2


def test_429_may_name_a_date(panel: StandinPanel, api: Caller) -> None:
    panel.misbehave("429", retry_after="date:30")
    refused = api.send("GET", TIME)
    ahead = parsedate_to_datetime(refused.headers["Retry-After"]) - parsedate_to_datetime(refused.headers["Date"])
    assert 28 <= ahead.total_seconds() <= 31


@pytest.mark.parametrize(
    ("kind", "spoiled"),
    [
        ("5xx", lambda answer: answer.status_code == 500),
        (
            "html",
            lambda answer: answer.status_code == 200 and answer.text.startswith("<!DOCTYPE html>"),
        ),
        ("empty", lambda answer: answer.status_code == 200 and answer.content == b""),
        ("401", lambda answer: answer.status_code == 401),
        (
            "403",
            lambda answer: answer.status_code == 403 and "Scope" in answer.headers["x-error"],
        ),
        ("422", lambda answer: answer.status_code == 422),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_is_spoiled_before_or_after_the_effect(
    panel: StandinPanel,
    api: Caller,
    kind: str,
    spoiled: Callable[[requests.Response], bool],
    when: str,
) -> None:
    panel.seed(login="anna", city="Łódź")
    panel.misbehave(kind, gate="PUT *", when=when)
    body = {"params": {"clients": [{"clientLogin": "anna", "clientCity": "Kraków"}]}}
    assert spoiled(api.send(*PUT, json=body, checked=False))
    assert panel.account(1).city == ("Kraków" if when == "after" else "Łódź")


@pytest.mark.parametrize(("when", "city"), [("before", "Łódź"), ("after", "Kraków")])
def test_a_reset_is_a_real_one(panel: StandinPanel, api: Caller, when: str, city: str) -> None:
    panel.seed(login="anna", city="Łódź")
    panel.misbehave("reset", when=when)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.write(*PUT, {"clientLogin": "anna", "clientCity": "Kraków"})
    assert panel.account(1).city == city
    assert panel.statuses == {0: 1}
    assert api.write(*PUT, {"clientLogin": "anna"}).status_code == 200


def test_half_an_answer_well_formed_or_cut(panel: StandinPanel, api: Caller) -> None:
    panel.misbehave("truncated", times=1)
    panel.misbehave("cut", times=1)
    halves = api.send("GET", TIME, checked=False)
    assert halves.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        halves.json()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api.send("GET", TIME)


def test_a_missing_result_was_done_all_the_same(panel: StandinPanel, api: Caller) -> None:
    panel.misbehave("missing_result", gate="POST clients/clients")
    answer = api.write("POST", "clients/clients", new_client("a"), new_client("b")).json()
    assert (len(answer["clients"]), len(panel.accounts)) == (1, 2)


@pytest.mark.parametrize(
    "match",
    [
        {"login": "b2b-00002"},
        {"external_code": "K-00002"},
        {"clientCity": "Kraków"},
        {"*": "Kraków"},
    ],
)
def test_one_record_fails_on_order(panel: StandinPanel, api: Caller, match: dict[str, Any]) -> None:
    panel.seed_sample(3)
    panel.edit(2, city="Toruń")
    panel.misbehave(
        "record",
        gate="PUT clients/clients",
        match=match,
        code=77,
        text="odmowa",
        times=None,
    )
    changes = [{"clientLogin": f"b2b-0000{n}", "clientCity": "Kraków" if n == 2 else "Łódź"} for n in (1, 2, 3)]
    response = api.write(*PUT, *changes)
    assert [codes(each) for each in response.json()["results"]] == [[], [77], []]
    assert response.json()["results"][1]["clientsResult"]["clientId"] == 2
    assert [each.city == "Toruń" for each in panel.accounts] == [False, True, False]
    panel.behave()
    assert api.write(*PUT, changes[1]).status_code == 200


def test_a_batch_is_refused_while_the_culprit_is_in_it(panel: StandinPanel, api: Caller) -> None:
    panel.misbehave("422", match={"external_code": "K2"}, times=None)
    one, two = new_client("a", code_extern="K1"), new_client("b", code_extern="K2")
    assert api.write("POST", "clients/clients", one, two).status_code == 422
    assert api.write("POST", "clients/clients", two).status_code == 422
    assert api.write("POST", "clients/clients", one).status_code == 200
    panel.misbehave("5xx", match={"client_id": 7}, status=503, times=None)
    assert api.send("GET", "clients/clients", params={"clientsIds": "6,7"}, checked=False).status_code == 503
    assert api.send("GET", "clients/clients", params={"clientsIds": "6"}).status_code == 207


def test_slow_before_or_after_the_effect(panel: StandinPanel) -> None:
    """A caller that gives up cannot know: what it asked for is done, or will be."""
    panel.seed(login="anna", city="Łódź")
    panel.misbehave("slow", seconds=30, when="after", gate="PUT *")
    body = {"params": {"clients": [{"clientLogin": "anna", "clientCity": "Kraków"}]}}
    url = f"{panel.url}/api/admin/v8/clients/clients"
    with pytest.raises(requests.ReadTimeout):
        requests.put(url, json=body, headers={"X-API-KEY": KEY}, timeout=0.3)
    until(lambda: panel.account(1).city == "Kraków")


def test_skip_probability_and_mistakes_of_the_caller(panel: StandinPanel, api: Caller) -> None:
    panel.misbehave("5xx", skip=2, status=502)
    assert [api.send("GET", TIME, checked=False).status_code for _ in range(4)] == [
        200,
        200,
        502,
        200,
    ]
    rule = panel.misbehave("5xx", probability=0.3, times=None)
    seen = [api.send("GET", TIME).status_code for _ in range(60)]
    assert seen.count(500) == rule.hits
    assert 6 <= rule.hits <= 32
    for wrong in ({"kind": "nonsense"}, {"kind": "reset", "when": "during"}):
        with pytest.raises(ValueError, match=r"unknown kind|before or after"):
            panel.misbehave(**wrong)


def test_the_rate_limit_is_kept_with_429(panel: StandinPanel, api: Caller) -> None:
    panel.settings.change(requests_per_second=0.001, burst=3, retry_after="7")
    answers = [api.send("GET", TIME) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "7"
    assert panel.peak_per_second >= 3


def test_calls_at_once_are_counted(panel: StandinPanel) -> None:
    panel.settings.change(latency_seconds=60)
    with contextlib.ExitStack() as lines:
        for _ in range(4):
            line = lines.enter_context(socket.create_connection((panel.host, panel.port)))
            line.sendall(f"GET /api/admin/v8/{TIME} HTTP/1.1\r\nHost: panel\r\n\r\n".encode())
        until(lambda: panel.peak_in_flight == 4)


# --- pages that move, dates that are missing, lists that lack something, a backup


def listed(api: Caller) -> list[str]:
    return [each["clientLogin"] for each in api.get("clients/clients")["results"]]


@pytest.mark.parametrize(
    ("order", "logins"),
    [("number", "cab"), ("oldest", "bca"), ("newest", "acb"), ("street", "abc")],
)
def test_accounts_are_listed_in_the_order_that_is_set(
    panel: StandinPanel, api: Caller, order: str, logins: str
) -> None:
    for login, moment in (("c", "12:00:05"), ("a", "12:00:09"), ("b", "12:00:01")):
        panel.seed(login=login, street=f"Polna {login}", modified=f"2026-03-02 {moment}")
    control(panel, "POST", "settings", json={"listed_by": order})
    assert "".join(listed(api)) == logins
    assert api.window("2026-03-02 12:00:00", "2026-03-02 12:01:00") == list(logins)


def test_accounts_of_a_page_are_edited_before_the_next_is_asked_for(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_772_449_200)
    panel.seed_sample(7)
    panel.clock.advance(60)
    control(panel, "POST", "settings", json={"edits_between_pages": 2})
    stem = "clientsLastModificationDate"
    query = {f"{stem}[{stem}End]": panel.clock.wall()[:17] + "00", "resultsLimit": 3}
    assert [each["clientId"] for each in api.get("clients/clients", **query)["results"]] == [1, 2, 3]
    assert [each.id for each in panel.accounts if each.street.startswith("Nowa")] == [1, 2]
    assert len({each.street for each in panel.accounts if each.street.startswith("Nowa")}) == 2


@pytest.mark.parametrize("shown", [("zeros", "0000-00-00 00:00:00"), ("empty", ""), ("null", None), ("absent", "-")])
def test_a_date_is_missing_until_the_first_edit(panel: StandinPanel, api: Caller, shown: tuple[str, Any]) -> None:
    control(panel, "POST", "settings", json={"date_before_edit": shown[0]})
    panel.seed(login="anna")

    def told() -> Any:
        answer = api.send("GET", "clients/clients", checked=False).json()
        return answer["results"][0].get("clientsLastModificationDate", "-")

    assert told() == shown[1]
    panel.edit(1, city="Radom")
    assert told() == panel.account(1).modified > "2026"


@pytest.mark.parametrize("match", [{"login": "b2b-00002"}, {"external_code": "K-00002"}, {"client_id": 2}])
def test_an_account_is_left_out_of_a_list_and_its_counts(
    panel: StandinPanel, api: Caller, match: dict[str, Any]
) -> None:
    panel.seed_sample(3)
    rule = panel.misbehave("unlisted", "GET clients/clients", match=match, times=2)
    for left in (2, 2, 3):
        answer = api.get("clients/clients")
        assert answer["resultsNumberAll"] == len(answer["results"]) == left
    assert rule.hits == 2
    assert api.get("clients/clients", clientsIds="2")["results"]
    control(panel, "POST", "faults", json={"kind": "unlisted", "gate": "POST clients/crm/search", "match": match})
    body = {"params": {"clientLogin": "b2b", "resultsPage": 0, "resultsLimit": 10}}
    for left in (2, 3):
        assert len(api.send("POST", "clients/crm/search", json=body).json()["clientsResults"]) == left


def test_a_backup_is_kept_by_name_until_a_reset(panel: StandinPanel, api: Caller) -> None:
    panel.seed(login="anna", city="Łódź")
    control(panel, "POST", "backup", json={"name": "monday"})
    panel.edit(1, city="Radom")
    control(panel, "POST", "backup")
    panel.seed(login="berta")
    control(panel, "POST", "restore")
    assert [each.city for each in panel.accounts] == ["Radom"]
    control(panel, "POST", "restore", json={"name": "monday"})
    assert [each.city for each in panel.accounts] == ["Łódź"]
    assert api.get("clients/clients", clientsIds="1")["results"][0]["clientBillingAddress"]["clientCity"] == "Łódź"
    control(panel, "POST", "reset", json={"what": ["accounts"]})
    with pytest.raises(KeyError):
        panel.restore("monday")


def test_the_header_tells_the_time_of_the_panels_clock(panel: StandinPanel, api: Caller) -> None:
    panel.clock.set(1_774_746_000.5)
    for _ in range(2):
        answer = api.send("GET", TIME, checked=False)
        assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == 1_774_746_000
        panel.misbehave("5xx")


def until(holds: Callable[[], bool]) -> None:
    """Wait for what is sure to come; fail when it does not."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# --- the control address


def test_everything_goes_over_the_control_address(panel: StandinPanel, api: Caller) -> None:
    assert control(panel, "POST", "seed", json={"count": 3}) == {"ids": [1, 2, 3]}
    (own,) = control(
        panel,
        "POST",
        "seed",
        json={"accounts": [{"login": "anna", "external_code": "K-00001"}]},
    )["ids"]
    control(
        panel,
        "POST",
        "edit",
        json={"client_id": own, "changes": {"city": "Łódź", "active": False}},
    )
    control(panel, "POST", "addresses", json={"client_id": own, "add": {"city": "Kraków"}})
    (found,) = control(panel, "GET", "accounts", params={"login": "anna"})
    assert (found["city"], found["active"], found["addresses"][0]["city"]) == (
        "Łódź",
        False,
        "Kraków",
    )
    address = {"client_id": own, "address_id": found["addresses"][0]["id"]}
    control(panel, "POST", "addresses", json={**address, "changes": {"city": "Toruń"}})
    assert panel.account(own).addresses[0].city == "Toruń"
    control(panel, "POST", "addresses", json={**address, "delete": True})
    assert panel.account(own).addresses == []
    assert len(control(panel, "GET", "accounts", params={"external_code": "K-00001"})) == 2
    control(
        panel,
        "POST",
        "faults",
        json={"kind": "429", "gate": f"GET {TIME}", "times": None},
    )
    assert api.send("GET", TIME).status_code == 429
    assert control(panel, "GET", "faults")[0]["hits"] == 1
    control(panel, "DELETE", "faults")
    control(panel, "POST", "clock", json={"set": "2026-03-29T01:59:59+01:00", "skew": 1})
    assert api.get(TIME) == {"time": 1_774_746_000}
    assert control(panel, "GET", "clock")["wall"] == "2026-03-29 03:00:00"
    assert control(panel, "POST", "settings", json={"max_batch": 5, "shops": {"1": "S"}})["max_batch"] == 5
    status = control(panel, "GET", "status")
    assert (status["calls"], status["accounts"]) == ({f"GET {TIME}": 2}, 4)
    control(panel, "POST", "reset")
    assert (
        panel.accounts,
        panel.total_calls,
        panel.settings.max_batch,
        panel.clock.skew,
    ) == ([], 0, 100, 0)


@pytest.mark.parametrize(
    ("method", "command", "more", "status"),
    [
        ("GET", "nothing", {}, 404),
        ("POST", "edit", {"json": {"client_id": 9, "changes": {}}}, 404),
        ("POST", "edit", {"json": {}}, 404),
        ("POST", "seed", {"json": {"accounts": [{"logn": "a"}]}}, 400),
        ("POST", "faults", {"json": {"kind": "x"}}, 400),
        ("POST", "settings", {"json": {"max_bach": 1}}, 400),
        ("POST", "settings", {"json": {"listed_by": "login"}}, 400),
        ("POST", "settings", {"json": {"date_before_edit": "never"}}, 400),
        ("POST", "settings", {"json": {"edits_between_pages": -1}}, 400),
        ("POST", "settings", {"json": {"edits_between_pages": "7"}}, 400),
        ("POST", "restore", {"json": {"name": "unknown"}}, 404),
        ("POST", "reset", {"json": []}, 400),
        (
            "POST",
            "reset",
            {"data": "{}", "headers": {"Content-Type": "text/plain"}},
            415,
        ),
        ("POST", "reset", {"json": {}, "headers": {"Origin": "http://127.0.0.1"}}, 403),
        ("GET", "accounts", {"headers": {"Host": "evil.example"}}, 403),
    ],
)
def test_the_control_address_tells_mistakes_and_refuses_web_pages(
    panel: StandinPanel, method: str, command: str, more: dict[str, Any], status: int
) -> None:
    answer = requests.request(method, f"{panel.url}/_standin/{command}", timeout=5, **more)
    assert answer.status_code == status
