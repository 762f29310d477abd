"""From a Lambda event to the engine and back: the edge where everything that went wrong becomes an answer.

A schedule's event wakes *collect* or a rotating pass, a queue's messages *reconcile*. Of a batch only the messages
whose keys could not be worked are answered as failed; a message that nobody can read fails alone and ends in the
dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from kartoteka import runtime
from kartoteka.core.brake import BRAKE
from kartoteka.core.concerns import PANEL_FEED, carried
from kartoteka.core.errors import Halt, KartotekaError, Retry
from kartoteka.engine import Counts, Engine, Result, collect, follow_panel, reconcile, rotate_addresses, set_aside

logger = Logger()
metrics = Metrics()

RESERVE_MS = 45_000
"""A chunk is begun only while this much of the function's time is left: a panel call may take half a minute."""

FIRST_PAUSE_S = 15
LONGEST_PAUSE_S = 900
"""Seconds until a message whose keys could not be worked is delivered again; after twenty times it is a dead letter."""

Answer = dict[str, Any]
Move = Callable[[Engine], Counts]
PASSES: Mapping[str, Mapping[str, Move]] = MappingProxyType({"delivery_addresses": {"rotate": rotate_addresses}})
"""What a concern's schedules may ask for beside a collect."""
NOTHING: Mapping[str, int] = MappingProxyType({"collected": 0, "panel_calls": 0})


class Wake(BaseModel):
    """A schedule's event. ``due`` "all": take parked records too whose time has not come. ``ping``: only get ready."""

    model_config = ConfigDict(extra="ignore")

    v: Literal[1]
    move: Literal["collect", "rotate", "ping"]
    due: Literal["all", "ready"] = "ready"


class Message(BaseModel):
    """The body of a queue's message: keys, never data."""

    model_config = ConfigDict(extra="forbid")

    v: Literal[1]
    concern: str
    keys: list[str]


def handle(concern: str, event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Answer an event of a concern's function: a schedule's or a queue's."""
    with _measured():
        if "Records" in event:
            return _work(concern, event["Records"], context)
        wake = Wake.model_validate(event)
        collecting = partial(collect, concern=concern, everything_due=wake.due == "all")
        return _wake(concern, wake, {"collect": collecting, **PASSES.get(concern, {})})


def handle_feed(event: Mapping[str, Any], _context: LambdaContext) -> Answer:
    """Answer the schedule of the panel's feed."""
    with _measured():
        return _wake(PANEL_FEED, Wake.model_validate(event), {"collect": follow_panel})


def _wake(name: str, wake: Wake, moves: Mapping[str, Move]) -> Answer:
    """Make one move. What stops it is an answer and not a failure: the next schedule, soon, is the next try."""
    if wake.move == "ping":
        runtime.engine()
        return {"ready": True}
    try:
        if wake.move not in moves:
            raise Halt("bad_event", f"{name} has no {wake.move}, only {', '.join(moves)}: correct the schedule's input")
        return _move(name, runtime.engine(), moves[wake.move])
    except Retry as exc:
        _report(name, exc)
        return {**NOTHING, "delayed": str(exc)}
    except Halt as exc:
        _report(name, exc)
        return {**NOTHING, "halted": str(exc)}


def _move(name: str, engine: Engine, move: Move) -> Answer:
    if (reason := _paused(engine, name)) is not None:
        return {**NOTHING, "paused": reason}
    before = _calls(engine)
    counts = move(engine)
    counts.panel_calls = _calls(engine) - before
    _tell("collected", name, counts)
    if counts.stopped_feeds:
        logger.error("nobody vouches for any figures", extra={"concern": name})
        metrics.add_metric("Stopped", MetricUnit.Count, 1)
    return {"collected": counts.collected, "panel_calls": counts.panel_calls}


def _paused(engine: Engine, name: str) -> str | None:
    """Return why this concern is paused, if it is. The brake's alarm rings until a person has confirmed."""
    reason = engine.state.paused().get(name)
    if reason is not None:
        logger.info("paused", extra={"concern": name, "reason": reason})
    if reason == BRAKE:
        metrics.add_metric("Braked", MetricUnit.Count, 1)
    return reason


@contextmanager
def _measured() -> Iterator[None]:
    """Send the metrics at the end, if there are any."""
    try:
        yield
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def _work(concern: str, records: Sequence[Mapping[str, Any]], context: LambdaContext) -> Answer:
    messages, unreadable = _read(concern, records)
    halves = {half: _keys(half, messages.values()) for half in carried(concern)}
    engine = _engine(concern)
    if (reason := _paused(engine, concern)) is not None:
        for half, keys in halves.items():
            set_aside(engine, half, keys, BRAKE if reason == BRAKE else "paused")
        return _failures(engine, concern, records, unreadable, [])
    before = _calls(engine)
    result, unfinished = Result(), list[str]()
    for half, keys in halves.items():
        if keys:
            done = reconcile(engine, half, keys, time_left=lambda: context.get_remaining_time_in_millis() > RESERVE_MS)
            result += done
            unfinished += _not_worked(half, messages, done.unfinished)
    counts = result.report.counts
    counts.panel_calls = _calls(engine) - before
    for error in result.errors:
        _report(concern, error)
    for halt in result.report.halts:
        _alarm(concern, halt)
    if result.braked:
        _braked(concern, counts)
    summary = counts.as_dict() | ({"braked": 1} if result.braked else {})
    engine.state.record_run(summary, run_id=engine.run_id, concern=concern, at=engine.now())
    _tell("reconciled", concern, counts)
    return _failures(engine, concern, records, unreadable, unfinished)


def _keys(half: str, messages: Iterable[Message]) -> list[str]:
    return [key for message in messages if message.concern == half for key in message.keys]


def _not_worked(half: str, messages: Mapping[str, Message], keys: Sequence[str]) -> list[str]:
    """Return the ids of the messages that hold one of these keys."""
    left = set(keys)
    return [id_ for id_, message in messages.items() if message.concern == half and left.intersection(message.keys)]


def _failures(
    engine: Engine,
    concern: str,
    records: Sequence[Mapping[str, Any]],
    unreadable: Sequence[str],
    unfinished: Sequence[str],
) -> Answer:
    """Return the partial batch response.

    What could not be worked comes back in a while, by when a database may be back; what nobody can read at once, so
    that it is soon out of the others' way.
    """
    failed = [record for record in records if record["messageId"] in unfinished]
    engine.queue.bring_back(concern, [r["receiptHandle"] for r in records if r["messageId"] in unreadable], seconds=0)
    engine.queue.bring_back(concern, [r["receiptHandle"] for r in failed], seconds=_pause(failed))
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in (*unreadable, *unfinished)]}


def _pause(records: Sequence[Mapping[str, Any]]) -> int:
    """Return the seconds until these come back: more each time, so that an outage of hours makes no dead letters."""
    receives = [int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)) for record in records]
    doublings = min(max(receives, default=1) - 1, 10)
    return min(FIRST_PAUSE_S * (1 << doublings), LONGEST_PAUSE_S)


def _engine(concern: str) -> Engine:
    """Return the engine, or report why there is none and let the whole batch come back."""
    try:
        return runtime.engine()
    except KartotekaError as exc:
        _report(concern, exc)
        raise


def _read(concern: str, records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Message], list[str]]:
    messages: dict[str, Message] = {}
    failed: list[str] = []
    for record in records:
        message = _parse(record.get("body", ""))
        if message is None or message.concern not in carried(concern):
            logger.error("unreadable message", extra={"concern": concern, "message_id": record["messageId"]})
            failed.append(record["messageId"])
        else:
            messages[record["messageId"]] = message
    return messages, failed


def _parse(body: str) -> Message | None:
    try:
        return Message.model_validate_json(body)
    except ValidationError:
        return None


def _calls(engine: Engine) -> int:
    return sum(engine.panel.calls().values())


def _tell(what: str, concern: str, counts: Counts) -> None:
    figures = _figures(counts)
    logger.info(what, extra={"concern": concern, **figures})
    for name, value in figures.items():
        metrics.add_metric(name, MetricUnit.Count, value)


def _braked(concern: str, counts: Counts) -> None:
    """Ring the alarm of a mass change: the engine has paused the concern, and parked what it was about to write."""
    logger.error("the brake has stopped this concern", extra={"concern": concern, **_figures(counts)})
    metrics.add_metric("Braked", MetricUnit.Count, 1)


def _figures(counts: Counts) -> dict[str, int]:
    return {name: value for name, value in counts.as_dict().items() if value}


def _report(concern: str, error: KartotekaError) -> None:
    if isinstance(error, Halt):
        _alarm(concern, str(error))
    else:
        logger.warning("put off", extra={"concern": concern, "code": str(error)})
        metrics.add_metric("Delayed", MetricUnit.Count, 1)


def _alarm(concern: str, what: str) -> None:
    """Ring the alarm, and look at secrets and settings afresh next time: a person may have mended them."""
    logger.error("halted", extra={"concern": concern, "reason": what})
    metrics.add_metric("Halted", MetricUnit.Count, 1)
    runtime.forget()
