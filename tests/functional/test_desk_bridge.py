"""`kartoteka desk`: the bridge over a real socket. Who may ask, and what reaches the function."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from cli.desk import LARGEST, Bridge
from cli.exits import Failed
from kartoteka.desk.desk import BY, FORM
from tests.fixtures.installation import Context, Installation

ELSEWHERE = "http://evil.example"


class Function:
    """What the bridge invokes: it keeps the events, and answers what it is told to."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {
            "statusCode": 200,
            "headers": {"Content-Type": "text/html; charset=utf-8"},
            "body": "ż",
        }
        self.error: Exception | None = None

    def __call__(self, event: Any) -> dict[str, Any]:
        self.events.append(event)
        if self.error:
            raise self.error
        return self.answer


def served(bridge: Bridge) -> Iterator[Bridge]:
    thread = threading.Thread(target=bridge.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bridge
    finally:
        bridge.shutdown()
        thread.join()
        bridge.server_close()


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def bridge(function: Function) -> Iterator[Bridge]:
    yield from served(Bridge(function, by="ola"))


def ask(bridge: Bridge, path: str = "/", method: str = "GET", **more: Any) -> requests.Response:
    return requests.request(method, f"http://{bridge.host}{path}", allow_redirects=False, timeout=5, **more)


def bearer(bridge: Bridge, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bridge.token}", **more}


def test_it_listens_on_loopback_alone(bridge: Bridge) -> None:
    assert bridge.server_address[0] == "127.0.0.1"
    assert bridge.address == f"http://127.0.0.1:{bridge.server_address[1]}/?token={bridge.token}"
    assert len(bridge.token) >= 32


def test_the_token_becomes_a_cookie_and_leaves_the_address(bridge: Bridge, function: Function) -> None:
    answer = requests.get(bridge.address, allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert function.events == []
    with requests.Session() as browser:
        shown = browser.get(bridge.address, timeout=5)
    assert (shown.status_code, shown.text) == (200, "ż")
    assert [each["rawPath"] for each in function.events] == ["/"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Cookie": "kartoteka=wrong"},
        {"Cookie": "kartoteka="},
        {"Cookie": "\x01="},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_token_nothing_is_answered(
    bridge: Bridge, function: Function, method: str, headers: dict[str, str]
) -> None:
    assert ask(bridge, "/", method, headers=headers).status_code == 401
    assert ask(bridge, "/?token=wrong", method).status_code == 401
    assert function.events == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Origin": ELSEWHERE},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_host_and_another_site_are_refused_whatever_they_have(
    bridge: Bridge, function: Function, method: str, headers: dict[str, str]
) -> None:
    assert ask(bridge, "/pause", method, headers=bearer(bridge, **headers)).status_code == 403
    assert ask(bridge, f"/?token={bridge.token}", "GET", headers=headers).status_code == 403
    assert function.events == []


def test_a_program_asks_with_a_bearer(bridge: Bridge, function: Function) -> None:
    ask(bridge, "/api/held?concern=billing&text=%C5%BB%26", headers=bearer(bridge))
    (event,) = function.events
    assert (event["rawPath"], event["queryStringParameters"]) == ("/api/held", {"concern": "billing", "text": "Ż&"})
    assert event["requestContext"]["http"]["method"] == "GET"


def test_who_asks_and_the_forms_secret_are_the_bridges_own_words(bridge: Bridge, function: Function) -> None:
    forged = {BY: "the boss", FORM: "x", "Content-Type": "application/x-www-form-urlencoded"}
    ask(bridge, "/pause", "POST", headers=bearer(bridge, **forged), data="concern=shops")
    (event,) = function.events
    assert event["headers"][BY] == "ola"
    assert event["headers"][FORM] == bridge.form
    assert event["body"] == "concern=shops"
    assert "authorization" not in {name.lower() for name in event["headers"]}
    assert "cookie" not in {name.lower() for name in event["headers"]}


def test_too_large_a_form_is_refused(bridge: Bridge, function: Function) -> None:
    headers = bearer(bridge, **{"Content-Length": str(LARGEST + 1)})
    assert ask(bridge, "/pause", "POST", headers=headers, data=b"").status_code == 413
    assert function.events == []


def test_a_function_that_fails_is_told(bridge: Bridge, function: Function) -> None:
    function.error = Failed("the desk failed")
    answer = ask(bridge, headers=bearer(bridge))
    assert (answer.status_code, answer.text) == (502, "the desk failed")


def test_nothing_is_logged(bridge: Bridge, capfd: pytest.CaptureFixture[str]) -> None:
    requests.get(bridge.address, timeout=5)
    ask(bridge, "/clients?text=Kowalski")
    assert "".join(capfd.readouterr()) == ""


def test_a_browser_decides_through_the_bridge(installation: Installation) -> None:
    installation.insert("K-1")
    installation.sql("UPDATE clients SET email = NULL")
    installation.tick()
    handler = installation.handler("desk")
    for bridge in served(Bridge(lambda event: handler(dict(event), Context()), by="ola")):
        with requests.Session() as browser:
            browser.get(bridge.address, timeout=30)
            shown = browser.get(f"http://{bridge.host}/held", timeout=30).text
            assert bridge.form in shown
            given = {"form": bridge.form, "record": "K-1||accounts|", "word": "retry", "back": "/held"}
            after = browser.post(f"http://{bridge.host}/held/decide", given, timeout=30)
        assert after.url == f"http://{bridge.host}/held?did=held%2Fdecide&n=1&of=accounts&word=retry"
        assert "retry now" in after.text
        found = requests.get(f"http://{bridge.host}/api/held", headers=bearer(bridge), timeout=30).json()
        assert found["rows"][0]["decided_by"] == "ola"
    assert json.loads(json.dumps(found)) == found
