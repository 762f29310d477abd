"""A running stand-in panel, and a caller that holds every request and answer to the API's description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from local.panel import StandinPanel

CONTRACT = Path(__file__).parents[1] / "contract" / "idosell-admin-api.openapi.yaml"
KEY = "a-key-for-tests"


class Contract:
    """The description of the API; checks one body against the schema of its operation."""

    def __init__(self) -> None:
        self._document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource("urn:contract", resource)

    def check_request(self, method: str, gate: str, body: Any) -> None:
        operation = self._document["paths"][f"/{gate}"][method.lower()]
        self._check(body, operation["requestBody"]["content"]["application/json"]["schema"])

    def check_answer(self, method: str, gate: str, response: requests.Response) -> None:
        answers = self._document["paths"][f"/{gate}"][method.lower()]["responses"]
        assert str(response.status_code) in answers, f"status {response.status_code} is not described"
        described = answers[str(response.status_code)]
        if "$ref" in described:
            described = self._document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
        if "content" in described and response.content:
            self._check(response.json(), described["content"]["application/json"]["schema"])
        assert response.status_code != 200 or not response.content or "errors" not in response.json()

    def _check(self, body: Any, schema: dict[str, Any]) -> None:
        absolute = _absolute(schema)
        errors = list(Draft202012Validator(absolute, registry=self._registry).iter_errors(body))
        assert not errors, [(list(error.path), error.message) for error in errors[:5]]


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: f"urn:contract{value}" if name == "$ref" else _absolute(value) for name, value in schema.items()}
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema


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
