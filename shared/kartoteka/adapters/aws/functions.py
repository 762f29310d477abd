"""The stack's functions on Lambda: the port :class:`~kartoteka.ports.functions.Functions`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config

from kartoteka.adapters.aws.clients import OfService, client_factory, translated
from kartoteka.errors import Retry
from kartoteka.ports.functions import LONGEST_RUN

ONCE = Config(connect_timeout=2, read_timeout=LONGEST_RUN.total_seconds() + 10, retries={"total_max_attempts": 1})
"""A repeated invoke would run it twice."""


class LambdaFunctions(OfService):
    """The functions of a stack, which the template names after it and after their concern."""

    service = "lambda"

    def __init__(self, stack: str, make_client: Callable[[], Any] | None = None) -> None:
        self._stack = stack
        super().__init__(make_client or client_factory(self.service, ONCE))

    def run(self, name: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Invoke a function once, wait, and return its answer; ``{"failed": …}``, the reason, where it failed."""
        answer = self._invoke(name, event, "RequestResponse")
        with translated("lambda"):
            said = answer["Payload"].read()
        try:
            found: Mapping[str, Any] = json.loads(said or b"{}")
        except ValueError:
            raise Retry(self.service) from None
        if not answer.get("FunctionError"):
            return found
        reason = str(found.get("errorMessage", "")).strip().partition("\n")[0]
        return {"failed": reason or "it gave no reason"}

    def start(self, name: str, event: Mapping[str, Any]) -> None:
        """Have a function invoked, and do not wait."""
        self._invoke(name, event, "Event")

    def _invoke(self, name: str, event: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        function = f"{self._stack}-{name.replace('_', '-')}"
        with translated("lambda"):
            answer: Mapping[str, Any] = self._client.invoke(
                FunctionName=function, InvocationType=kind, Payload=json.dumps(event).encode()
            )
        return answer
