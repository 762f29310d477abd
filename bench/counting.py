"""Counts what the code under measure asks of the cloud and of the database, without changing it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import botocore.session
import sqlalchemy as sa

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem"})
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE")
_LOST_CONDITION = "ConditionalCheckFailedException"


class Counting:
    """Counts by name, from any thread. Names: ``sql …``, ``dynamodb …``, ``sqs …``, other services by request."""

    def __init__(self) -> None:
        self._counts: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, name: str, count: float = 1) -> None:
        """Count this."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def taken(self) -> dict[str, float]:
        """Return what was counted since the last time, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts


def watch_sql(counting: Counting) -> None:
    """Count the statements of every SQLAlchemy engine; one with many rows is one statement."""

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        word = statement.lstrip().split(maxsplit=1)[0].upper()
        counting.add("sql writes" if word in _WRITING else "sql reads" if word in ("SELECT", "WITH") else "sql other")

    sa.event.listen(sa.Engine, "before_cursor_execute", before)


def watch_boto3(counting: Counting) -> None:
    """Count the requests of every client that is made from now on; DynamoDB is asked what each one cost."""
    make: Callable[..., Any] = botocore.session.Session.create_client

    def client(self: botocore.session.Session, service: str, *args: Any, **options: Any) -> Any:
        made = make(self, service, *args, **options)
        watch_client(made, counting)
        return made

    mock.patch.object(botocore.session.Session, "create_client", client).start()


def watch_client(client: Any, counting: Counting) -> None:
    """Count this client's requests."""
    service = client.meta.service_model.service_name

    def after(model: Any, parsed: Any, **_: Any) -> None:
        counting.add(f"{service} {model.name}")
        if service == "dynamodb":
            _count_units(model.name, parsed, counting)

    client.meta.events.register(f"after-call.{service}", after)
    if service == "dynamodb":
        client.meta.events.register("provide-client-params.dynamodb", _ask_for_units)


def _ask_for_units(params: dict[str, Any], model: Any, **_: Any) -> None:
    if "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "TOTAL"


def _count_units(operation: str, parsed: Any, counting: Counting) -> None:
    """Add up capacity units. A write whose condition failed tells none, but costs one (its item is below 1 KB)."""
    name = "dynamodb read units" if operation in READS else "dynamodb write units"
    if parsed.get("Error", {}).get("Code") == _LOST_CONDITION:
        counting.add(name)
        return
    told = parsed.get("ConsumedCapacity") or []
    for each in told if isinstance(told, list) else [told]:
        counting.add(name, each["CapacityUnits"])
