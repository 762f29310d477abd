"""The policy's parameter and the secrets: read from SSM and Secrets Manager, and kept for a while.

By botocore alone, as all clients: boto3 brings S3's transfers with it, and a process that starts would import them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kartoteka.adapters.aws.clients import client_factory


class Parameters:
    """What was read of late, each by its name. Raises botocore's errors where something cannot be read."""

    def __init__(
        self,
        keep: float,
        *,
        make_client: Callable[[str], Any] = lambda service: client_factory(service)(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep = keep
        self._make_client = make_client
        self._clock = clock
        self._clients: dict[str, Any] = {}
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def parameter(self, name: str) -> str:
        """Return a parameter of SSM."""
        return self._kept("ssm", name, lambda client: str(client.get_parameter(Name=name)["Parameter"]["Value"]))

    def secret(self, name: str) -> str:
        """Return a secret's text."""
        return self._kept(
            "secretsmanager", name, lambda client: str(client.get_secret_value(SecretId=name)["SecretString"])
        )

    def _kept(self, service: str, name: str, read: Callable[[Any], str]) -> str:
        at, text = self._known.get((service, name), (None, ""))
        if at is None or self._clock() - at >= self._keep:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            text = read(self._clients[service])
            self._known[service, name] = self._clock(), text
        return text
