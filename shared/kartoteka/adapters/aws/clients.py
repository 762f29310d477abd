"""What the AWS adapters share: clients with short time limits, and what their errors mean.

Nothing is made at import or on construction: a client comes to be on first use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, ClassVar

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.session import Session, get_session

from kartoteka.errors import Halt, KartotekaError, Retry

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=8,
)
"""Three attempts in all, by the library; what is still down then is the queue's business."""

HALTS: Mapping[str, str] = MappingProxyType(
    {
        "AccessDenied": "the function's role lacks the right",
        "AccessDeniedException": "the function's role lacks the right",
        "UnrecognizedClientException": "the credentials are wrong",
        "InvalidClientTokenId": "the credentials are wrong",
        "InvalidSignatureException": "the credentials are wrong",
        "ResourceNotFoundException": "there is no such table or function",
        "ValidationException": "the table is not shaped as the template says",
        "AWS.SimpleQueueService.NonExistentQueue": "the queue does not exist",
        "QueueDoesNotExist": "the queue does not exist",
        "InvalidAddress": "the queue's address is wrong",
        "InvalidParameterValue": "the queue is not shaped as the template says",
        "MissingParameter": "the queue is not shaped as the template says",
    }
)
"""Errors of the services that only a person can end. Every other one is tried again."""

MISUSE = (NoCredentialsError, PartialCredentialsError, NoRegionError, ParamValidationError)


_MAKING = threading.Lock()


def client_factory(service: str, config: Config = CONFIG) -> Callable[[], Any]:
    """Return what makes a client of this service when it is first needed; by botocore alone, which is half of boto3."""

    def make() -> Any:
        with _MAKING:  # a session is not safe for several threads, a client is
            return session().create_client(service, config=config)

    return make


@lru_cache(maxsize=1)
def session() -> Session:
    """Return the session of all clients: what it has read of the services is read once."""
    return get_session()


class OfService:
    """An adapter of one service, whose client is made when it is first needed."""

    service: ClassVar[str]

    def __init__(self, make_client: Callable[[], Any] | None = None) -> None:
        self._make_client = make_client or client_factory(self.service)

    @cached_property
    def _client(self) -> Any:
        with translated(self.service):
            return self._make_client()


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Turn the library's errors into Retry and Halt."""
    try:
        yield
    except (ClientError, BotoCoreError) as caught:
        error = _meaning(caught, service)
    else:
        return
    raise error


def _meaning(caught: ClientError | BotoCoreError, service: str) -> KartotekaError:
    if isinstance(caught, ClientError):
        code = str(caught.response.get("Error", {}).get("Code", ""))
        return Halt(service, f"{HALTS[code]} ({code})") if code in HALTS else Retry(service)
    if isinstance(caught, MISUSE):
        return Halt(service, f"the AWS client cannot be used as it is configured ({type(caught).__name__})")
    return Retry(service)
