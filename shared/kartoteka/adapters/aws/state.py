"""Cursors, rate limit, run summaries in one DynamoDB table: the port :class:`~kartoteka.ports.state.SyncState`.

Keys: ``cursor``/name, ``rate``/``rate``, ``wake``/``feed``, ``run``/time#run id. No personal data and no keys of
clients. Every change is one write of one item: of a document, on the condition that nobody was faster. A slot of the
rate limit costs one write, and one read before it where another process has taken one since our last; and as much again
for each process that was faster in the moment between.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import stamina
from botocore.exceptions import ClientError

from kartoteka.adapters.aws import rate as rate_limit
from kartoteka.adapters.aws.clients import OfService, translated
from kartoteka.adapters.aws.rate import Shared
from kartoteka.errors import Halt, Retry
from kartoteka.ports.state import Stored, Unreadable, Usage

LARGEST_DOCUMENT = 350_000
"""Bytes of a document: DynamoDB takes items of 400 KB."""
KEEP_RUNS = timedelta(days=14)
OVERTAKEN = 8
"""Times that others may be faster before the work is deferred."""
FIRST_PAUSE = 0.01

Item = dict[str, Any]
Answer = TypeVar("Answer")


MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What reading an item of another shape raises."""

logger = logging.getLogger(__name__)


class _Overtaken(Retry):
    """Somebody else changed the item between our reading and our writing."""


class DynamoState(OfService):
    """One table. Safe for several threads."""

    service = "dynamodb"

    def __init__(self, table: str, make_client: Callable[[], Any] | None = None) -> None:
        self._table = table
        super().__init__(make_client)
        self._last_rate: tuple[Shared, int] | None = None
        self._is_alone = False

    # documents

    def load(self, name: str) -> Stored:
        """Return the document of this name."""
        item = self._get(_key("cursor", name))
        if not item:
            return Stored(None)
        try:
            version = int(item["version"]["N"])
        except MALFORMED:
            raise Unreadable(name, None) from None
        try:
            document = json.loads(item["document"]["S"])
        except (*MALFORMED, RecursionError):
            raise Unreadable(name, version) from None
        if not isinstance(document, dict):
            raise Unreadable(name, version)
        return Stored(document, version)

    def save(self, name: str, document: Mapping[str, Any], *, version: int) -> bool:
        """Replace the document if its version is still ``version``; False (and nothing done) if it is not."""
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if len(text.encode()) > LARGEST_DOCUMENT:
            raise Halt("state_too_large", f"the document {name} of the synchronisation state has outgrown its item")
        return self._put_if({**_key("cursor", name), "document": {"S": text}}, version)

    # the rate limit

    def lease(self, *, now: float, latest: float, rate: float, gate: str) -> float:
        """Take the next free slot of the rate limit; return when the call may be made."""
        return self._change_rate(lambda shared: rate_limit.leased(shared, now=now, latest=latest, rate=rate, gate=gate))

    def usage(self) -> Usage:
        """Return the calls that were counted."""
        return _read_rate(self._get(_RATE))[0].usage

    def slow_down(self, *, now: float, rate: float, wait: float) -> None:
        """Halve the rate for all, and let nobody call before ``now + wait``."""
        self._change_rate(lambda shared: (rate_limit.slowed(shared, now=now, rate=rate, wait=wait), None))

    def _change_rate(self, change: Callable[[Shared], tuple[Shared, Answer]]) -> Answer:
        for attempt in stamina.retry_context(
            on=_Overtaken,
            attempts=OVERTAKEN,
            wait_initial=FIRST_PAUSE,
            wait_max=1.0,
            wait_jitter=FIRST_PAUSE * 2,
        ):
            with attempt:
                shared, version = self._rate()
                after, answer = change(shared)
                if not self._put_if({**_RATE, **_rate_values(after)}, version):
                    raise _Overtaken("rate_limit")
                self._last_rate = after, version + 1
                return answer
        raise AssertionError("stamina ends with the last attempt's own error")

    def _rate(self) -> tuple[Shared, int]:
        """Return what is shared and its version: as we left it, unless another process has been seen to write too.

        The write that follows has the version for its condition, so that what is stale here is found out there.
        """
        last, self._last_rate = self._last_rate, None
        if last and self._is_alone:
            return last
        found = _read_rate(self._get(_RATE))
        self._is_alone = last is not None and last[1] == found[1]
        return found

    # the wake-up hook

    def wake(self, at: datetime) -> None:
        """Note that the panel's feed is to be asked soon."""
        self._put({**_WAKE, "at": {"S": at.isoformat()}})

    def woken(self) -> datetime | None:
        """Return when that was last noted."""
        found = self._get(_WAKE)
        try:
            return datetime.fromisoformat(found["at"]["S"]).astimezone(UTC) if found else None
        except MALFORMED:
            return None

    # runs

    def record_run(self, summary: Mapping[str, int], *, run_id: str, concern: str, at: datetime) -> None:
        """Keep the figures of one worker run for a while (they expire)."""
        moment = at.astimezone(UTC)
        figures = {name: _number(figure) for name, figure in summary.items()}
        expires = _number(int((moment + KEEP_RUNS).timestamp()))
        key = _key("run", f"{moment.isoformat(timespec='milliseconds')}#{run_id}")
        self._put({**figures, **key, "concern": {"S": concern}, "expires_at": expires})

    def last_runs(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the last worker runs, the newest first."""
        with translated("dynamodb"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :run",
                ExpressionAttributeValues={":run": {"S": "run"}},
                ScanIndexForward=False,
                Limit=limit,
            )
        return [run for run in map(_run, found["Items"]) if run]

    def runs_since(self, at: datetime) -> Sequence[Mapping[str, Any]]:
        """Return all worker runs that ended at this moment or later, the oldest first, as they stand now."""
        since = at.astimezone(UTC).isoformat(timespec="milliseconds")
        with translated("dynamodb"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :run AND sk >= :since",
                ExpressionAttributeValues={":run": {"S": "run"}, ":since": {"S": since}},
            )
            return [_run(item) for page in pages for item in page["Items"]]

    # the works

    def _get(self, key: Item) -> Item:
        with translated("dynamodb"):
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(found.get("Item") or {})

    def _put(self, item: Item) -> None:
        with translated("dynamodb"):
            self._client.put_item(TableName=self._table, Item=item)

    def _put_if(self, item: Item, version: int) -> bool:
        """Put the item if the stored one still has this version (0: is not there); False (and nothing done) if not.

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
                return True
        found = stored if isinstance(stored, dict) else self._get(_key(item["pk"]["S"], item["sk"]["S"]))
        return found.get("writer") == writer


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


_RATE = _key("rate", "rate")
_WAKE = _key("wake", "feed")


def _run(item: Mapping[str, Any]) -> dict[str, Any]:
    at, _, run_id = item["sk"]["S"].partition("#")
    figures = {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "expires_at"}
    return {"at": at, "run_id": run_id, "concern": item["concern"]["S"], **figures}


def _number(value: float) -> Item:
    return {"N": repr(value)}


def _unchanged(version: int) -> Item:
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :seen",
        "ExpressionAttributeValues": {":seen": _number(version)},
    }


def _rate_values(shared: Shared) -> Item:
    return {
        "next_at": _number(shared.next_at),
        "not_before": _number(shared.not_before),
        "slow_rate": _number(shared.slow_rate),
        "slowed_at": _number(shared.slowed_at),
        "usage": {"S": json.dumps(asdict(shared.usage), separators=(",", ":"))},
    }


def _read_rate(item: Item) -> tuple[Shared, int]:
    if not item:
        return Shared(), 0
    try:
        version = int(item["version"]["N"])
    except MALFORMED:
        raise Unreadable("rate", None) from None
    try:
        moments = {name: float(item[name]["N"]) for name in ("next_at", "not_before", "slow_rate", "slowed_at")}
        return Shared(**moments, usage=_usage(json.loads(item["usage"]["S"]))), version
    except (*MALFORMED, RecursionError):
        pass
    logger.error("the document rate of the state cannot be read: the count of calls begins anew")
    return Shared(), version


def _usage(shown: Any) -> Usage:
    usage = Usage(**shown)
    for counts in (usage.gates, usage.today, usage.days):
        if not all(type(count) is int for count in counts.values()):
            raise TypeError("a count that is no number")
    return usage
