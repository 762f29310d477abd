"""Cursors, pace, pauses and run summaries in one DynamoDB table: the port :class:`~kartoteka.ports.SyncState`.

Keys: ``cursor``/name, ``pace``/``pace``, ``pause``/concern, ``run``/time#run id. No personal data and no keys of
customers. Every change is one conditional write of one item. A lease costs one write where nobody else leased since
this object's last look, two where somebody did: the failed condition brings the newer item along.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from kartoteka.adapters.aws import pace
from kartoteka.adapters.aws.clients import client_factory, translated
from kartoteka.adapters.aws.pace import Shared
from kartoteka.errors import Halt, Retry
from kartoteka.ports.state import Lease, Stored

LARGEST_DOCUMENT = 350_000
"""Bytes of a document: DynamoDB takes items of 400 KB."""
KEEP_RUNS = timedelta(days=14)
MOST_ATTEMPTS = 8
"""Conditional writes of the pace before a contended lease is put off."""
FIRST_PAUSE = 0.01

Item = dict[str, Any]
Answer = TypeVar("Answer")


class DynamoState:
    """One table. Safe for several threads: the memory of the pace is only a first guess."""

    def __init__(
        self,
        table: str,
        make_client: Callable[[], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._make_client = make_client or client_factory("dynamodb")
        self._sleep = sleep
        self._seen: tuple[Shared, int] | None = None

    @cached_property
    def _client(self) -> Any:
        with translated("dynamodb"):
            return self._make_client()

    # documents

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        item = self._get(_key("cursor", name))
        if not item:
            return Stored(None)
        return Stored(json.loads(item["document"]["S"]), int(item["version"]["N"]))

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if len(text.encode()) > LARGEST_DOCUMENT:
            raise Halt("state_too_large", f"the document {name} of the synchronisation state has outgrown its item")
        return self._put_if({**_key("cursor", name), "document": {"S": text}}, version) is None

    # pace

    def lease(
        self, calls: int, *, now: float, rate: float, budget: int | None, unused: int = 0, urgent: bool = False
    ) -> Lease:
        """Lease up to ``calls`` panel calls from the pace that all functions share."""
        return self._change_pace(
            lambda shared: pace.leased(shared, calls, now=now, rate=rate, budget=budget, unused=unused, urgent=urgent)
        )

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the shared pace, and let nobody call before ``now + wait``."""
        self._change_pace(lambda shared: (pace.slowed(shared, now=now, rate=rate, wait=wait), None))

    def _change_pace(self, change: Callable[[Shared], tuple[Shared, Answer]]) -> Answer:
        for attempt in range(MOST_ATTEMPTS):
            shared, version = self._seen or _read_pace(self._get(_PACE))
            self._seen = None
            after, answer = change(shared)
            newer = self._put_if({**_PACE, **_pace_values(after)}, version)
            if newer is None:
                self._seen = after, version + 1
                return answer
            self._seen = _read_pace(newer)
            self._sleep(random.uniform(0, FIRST_PAUSE * 2**attempt) if attempt else 0)  # noqa: S311 - a pause
        raise Retry("pace")

    # pauses and runs

    def paused(self) -> Mapping[str, str]:
        """Return concern -> reason of those that are paused."""
        with translated("dynamodb"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": "pause"}},
                ConsistentRead=True,
            )
        return {item["sk"]["S"]: item["reason"]["S"] for item in found["Items"]}

    def pause(self, concern: str, reason: str) -> None:
        """Pause this concern; a later reason replaces an earlier one."""
        self._put({**_key("pause", concern), "reason": {"S": reason}})

    def resume(self, concern: str) -> None:
        """End the pause of this concern, if there is one."""
        with translated("dynamodb"):
            self._client.delete_item(TableName=self._table, Key=_key("pause", concern))

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        moment = at.astimezone(UTC)
        figures = {name: _number(figure) for name, figure in summary.items()}
        expires = _number(int((moment + KEEP_RUNS).timestamp()))
        key = _key("run", f"{moment.isoformat(timespec='milliseconds')}#{run_id}")
        self._put({**figures, **key, "concern": {"S": concern}, "expires_at": expires})

    # the works

    def _get(self, key: Item) -> Item:
        with translated("dynamodb"):
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(found.get("Item") or {})

    def _put(self, item: Item) -> None:
        with translated("dynamodb"):
            self._client.put_item(TableName=self._table, Item=item)

    def _put_if(self, item: Item, version: int) -> Item | None:
        """Put the item if the stored one still has this version (0: is not there); else return the stored one.

        A put whose answer was lost is repeated by the library and then fails its own condition: ``writer`` tells.
        """
        writer = {"S": uuid.uuid4().hex}
        with translated("dynamodb"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={**item, "version": _number(version + 1), "writer": writer},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **_unchanged(version),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                stored = error.response.get("Item")
            else:
                return None
        found = dict(stored) if isinstance(stored, dict) else self._get(_key(item["pk"]["S"], item["sk"]["S"]))
        return None if found.get("writer") == writer else found


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


_PACE = _key("pace", "pace")


def _number(value: float) -> Item:
    return {"N": repr(value)}


def _unchanged(version: int) -> Item:
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :seen",
        "ExpressionAttributeValues": {":seen": _number(version)},
    }


def _pace_values(shared: Shared) -> Item:
    return {
        "next_at": _number(shared.next_at),
        "not_before": _number(shared.not_before),
        "urgent_at": _number(shared.urgent_at),
        "slow_rate": _number(shared.slow_rate),
        "slowed_at": _number(shared.slowed_at),
        "month": {"S": shared.month},
        "used": _number(shared.used),
    }


def _read_pace(item: Item) -> tuple[Shared, int]:
    """Read the pace. One that an older version wrote may be silent until its next free slot: so it is taken."""
    if not item:
        return Shared(), 0
    whole = {"not_before": item["next_at"], "urgent_at": _number(0.0), **item}
    shared = Shared(
        next_at=float(whole["next_at"]["N"]),
        not_before=float(whole["not_before"]["N"]),
        urgent_at=float(whole["urgent_at"]["N"]),
        slow_rate=float(item["slow_rate"]["N"]),
        slowed_at=float(item["slowed_at"]["N"]),
        month=item["month"]["S"],
        used=int(item["used"]["N"]),
    )
    return shared, int(item["version"]["N"])
