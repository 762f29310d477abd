"""A running stand-in panel, and a caller that holds every request and answer to the API's description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.panel import StandinPanel
from tests.fixtures.contract import Contract

KEY = "a-key-for-tests"


class Caller:
    """Calls gates over a real socket; answers have to fit the description."""

    def __init__(self, panel: StandinPanel, contract: Contract) -> None:
        self._panel = panel
        self._contract = contract
        self.session = requests.Session()
        self.session.headers["X-API-KEY"] = KEY

    def send(
        self,
        method: str,
        gate: str,
        *,
        version: int = 8,
        checked: bool = True,
        **more: Any,
    ) -> requests.Response:
        url = f"{self._panel.url}/api/admin/v{version}/{gate}"
        response = self.session.request(method, url, timeout=5, **more)
        if checked:
            self._contract.check_answer(method, gate, response)
        return response

    def get(self, gate: str, **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.send("GET", gate, params=query).json()
        return found

    def write(self, method: str, gate: str, *clients: dict[str, Any], **beside: Any) -> requests.Response:
        """A batch; what the description does not allow is not sent."""
        body = {"params": {"clients": list(clients)}, **beside}
        self._contract.check_request(method, gate, body)
        return self.send(method, gate, json=body)

    def params(self, method: str, gate: str, *, checked: bool = True, **params: Any) -> requests.Response:
        """A write that is no batch; what the description does not allow is not sent."""
        body = {"params": params}
        self._contract.check_request(method, gate, body)
        return self.send(method, gate, json=body, checked=checked)

    def result(self, method: str, gate: str, client: dict[str, Any]) -> dict[str, Any]:
        """The result of a batch of one."""
        body = self.write(method, gate, client).json()
        found: dict[str, Any] = (body.get("results") or body.get("clients"))[0]
        return found

    def window(self, begin: str | None = None, end: str | None = None) -> list[str]:
        """Logins of those changed between two moments."""
        stem = "clientsLastModificationDate"
        query = {f"{stem}[{stem}Begin]": begin, f"{stem}[{stem}End]": end}
        return [each["clientLogin"] for each in self.get("clients/clients", **query)["results"]]


def new_client(login: str, **more: Any) -> dict[str, Any]:
    """A record that clients POST takes."""
    return {
        "login": login,
        "email": "anna@example.com",
        "firstname": "Anna",
        "lastname": "Nowak",
        "street": "Polna 1",
        "zipcode": "00-950",
        "city": "Warszawa",
        "country_code": "PL",
        "phone": "600100200",
        "shops": [1],
        **more,
    }


def control(panel: StandinPanel, method: str, command: str, **more: Any) -> Any:
    """The control address, by a caller who makes no mistake."""
    answer = requests.request(method, f"{panel.url}/_standin/{command}", timeout=5, **more)
    assert answer.ok, answer.text
    return answer.json()


def codes(result: dict[str, Any]) -> list[int]:
    """Fault codes of one result."""
    return [fault["faultCode"] for fault in result.get("errors", [])]


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key=KEY) as running:
        yield running


@pytest.fixture
def api(panel: StandinPanel, contract: Contract) -> Iterator[Caller]:
    caller = Caller(panel, contract)
    yield caller
    caller.session.close()
