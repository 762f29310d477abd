"""From a Lambda event to the mechanism and back: the edge where everything that went wrong becomes an answer.

A schedule's event makes a concern collect, or makes a rotating pass; a queue's messages make it reconcile. Of a batch
only the messages whose keys could not be worked are answered as failed; a message that nobody can read fails alone and
ends in the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import stamina
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict

from kartoteka import runtime
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.model import Owner
from kartoteka.ports.queue import Message, read
from kartoteka.sync import ownership
from kartoteka.sync.collect import Source, advance
from kartoteka.sync.feed import PAUSED_AS, follow_panel
from kartoteka.sync.reconcile import Result, reconcile
from kartoteka.sync.retry import BRAKE, pause
from kartoteka.sync.run import Counts, Run

logger = Logger()
metrics = Metrics()
stamina.instrumentation.set_on_retry_hooks(())  # a lease that was overtaken is no news

RESERVE_MS = 20_000
"""A chunk or a page is begun only while so much of the function's time is left, beside the time of one panel call."""
FIRST_PAUSE_S = 15
LONGEST_PAUSE_S = 900
"""Seconds until a message whose keys could not be worked is delivered again; after twenty times it is a dead letter."""

MANY = 10
"""Records of a run of which the share that was refused says something."""

Answer = dict[str, Any]
Move = Callable[[Run], Counts]
NOTHING: Mapping[str, int] = {"collected": 0, "panel_calls": 0}


class Wake(BaseModel):
    """A schedule's event. ``ping``: only get ready.

    ``due`` "all": now, whatever is waited for: records that are deferred, the panel's feed.
    """

    model_config = ConfigDict(extra="ignore")

    v: Literal[1]
    move: str
    due: Literal["all", "ready"] = "ready"


def handle(concern: str, event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Answer an event of a concern's function: a schedule's or a queue's."""
    with _measured():
        if "Records" in event:
            return _work(concern, event["Records"], context)
        wake = Wake.model_validate(event)
        return _wake(concern, wake, context, lambda run: _collect(run, concern, wake))


def handle_feed(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Answer the schedule of the panel's feed."""
    with _measured():
        wake = Wake.model_validate(event)
        return _wake(PAUSED_AS, wake, context, lambda run: _follow(run, wake))


def _follow(run: Run, wake: Wake) -> Counts:
    if wake.move != "collect":
        raise _no_such_move(PAUSED_AS, wake.move, ["collect"])
    return follow_panel(run, at_once=wake.due == "all")


def _collect(run: Run, name: str, wake: Wake) -> Counts:
    concern = run.concerns[name]
    passes = concern.passes(at_once=wake.due == "all")
    if wake.move != "collect" and wake.move not in passes:
        raise _no_such_move(name, wake.move, ["collect", *passes])
    sources: Iterable[Source] = (
        concern.sources(everything_due=wake.due == "all") if wake.move == "collect" else [passes[wake.move]]
    )
    counts = sum((advance(run, source) for source in sources), Counts())
    counts.stale_feeds += int(wake.move == "collect" and concern.feed_stopped())
    return counts


def _no_such_move(name: str, move: str, known: Collection[str]) -> Halt:
    return Halt("bad_event", f"{name} has no move {move!r}, only {', '.join(known)}: correct the schedule's input")


def _wake(name: str, wake: Wake, context: LambdaContext, move: Move) -> Answer:
    """Make one move. What stops it is an answer and not a failure: the next schedule, soon, is the next try."""
    if wake.move == "collect":  # an alarm rings where no schedule has woken this function for long
        metrics.add_metric("Woken", MetricUnit.Count, 1)
    try:
        run = _new_run(context)
        with _resting(run):
            return {"ready": True} if wake.move == "ping" else _move(name, run, move)
    except Retry as error:
        _report(name, error)
        return {**NOTHING, "delayed": str(error)}
    except Halt as error:
        if wake.move == "ping":
            raise
        _report(name, error)
        return {**NOTHING, "halted": str(error)}


def _move(name: str, run: Run, move: Move) -> Answer:
    ownership.begin(run)
    if (reason := _paused(run, name)) is not None:
        return {**NOTHING, "paused": reason}
    before = _calls(run)
    try:
        counts = move(run)
    finally:
        if run.unlogged:  # an alarm until the triggers are back: what they miss is found late
            metrics.add_metric("Halted", MetricUnit.Count, 1)
        _tell_unread(name, run)
    counts.panel_calls = _calls(run) - before
    _tell("collected", name, counts)
    if counts.stale_feeds:
        logger.error(
            "the ERP's feed of %s is stale: no row was refreshed for longer than the policy allows; check the ERP's "
            "export job",
            name,
            extra={"concern": name},
        )
        metrics.add_metric("Stopped", MetricUnit.Count, 1)
    answer: Answer = {"collected": counts.collected, "panel_calls": counts.panel_calls}
    if run.short_of_calls:
        _report(name, Retry("budget"))
        answer["delayed"] = "budget"
    return answer | ({"triggers_missing": sorted(run.unlogged)} if run.unlogged else {})


def _paused(run: Run, name: str) -> str | None:
    """Return why this concern is paused, if it is. The brake's alarm rings until a person has confirmed."""
    reason = run.exchange.pauses.paused().get(name)
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


@contextmanager
def _resting(run: Run) -> Iterator[None]:
    """Let the database rest at the end of a run: a process lives on, and another file may be put in its place."""
    try:
        yield
    finally:
        run.exchange.rest()


def _work(name: str, records: Sequence[Mapping[str, Any]], context: LambdaContext) -> Answer:
    run = _run(name, context)
    with _resting(run):
        return _work_messages(name, records, run)


def _work_messages(name: str, records: Sequence[Mapping[str, Any]], run: Run) -> Answer:
    messages, unreadable = _read(name, records)
    run.found_by = {owner: word for message in messages.values() for owner, word in message.passes.items()}
    owners = list(run.found_by)
    concern = run.concerns[name]
    try:
        ownership.begin(run)
        if (reason := _paused(run, name)) is not None:
            concern.paused(owners, BRAKE if reason == BRAKE else "paused")
            return _failures(run, name, records, unreadable, [])
    except KartotekaError as away:
        _report(name, away)
        return _failures(run, name, records, unreadable, list(messages))
    before = _calls(run)
    result = sum((reconcile(concern, unit) for unit in _units(records, messages)), Result())
    _tell_unread(name, run)
    counts = result.report.counts
    counts.panel_calls = _calls(run) - before
    for error in result.errors:
        _report(name, error)
    for halt in result.report.halts:
        _alarm(name, halt)
    if result.braked:
        logger.error(
            "stopped by the brake: see `kartoteka status`, then run `kartoteka resume %s --confirm`",
            name,
            extra={"concern": name, **_figures(counts)},
        )
        metrics.add_metric("Braked", MetricUnit.Count, 1)
    summary = counts.as_dict() | ({"braked": 1} if result.braked else {})
    run.state.record_run(summary, run_id=run.run_id, concern=name, at=run.now())
    _tell("reconciled", name, counts)
    left = set(result.unfinished)
    unfinished = [id_ for id_, message in messages.items() if left.intersection(message.owners)]
    return _failures(run, name, records, unreadable, unfinished)


def _units(records: Sequence[Mapping[str, Any]], messages: Mapping[str, Message]) -> list[list[Owner]]:
    """Return the keys that are worked together: those of all messages, so that the panel's calls are full.

    A message that comes back is worked alone: one that cannot be worked holds up the others once only.
    """
    together: list[Owner] = []
    alone: list[list[Owner]] = []
    for record in records:
        if (message := messages.get(record["messageId"])) is not None:
            if _receives(record) > 1:
                alone.append(message.owners)
            else:
                together += message.owners
    return [together, *alone]


def _failures(
    run: Run,
    name: str,
    records: Sequence[Mapping[str, Any]],
    unreadable: Sequence[str],
    unfinished: Sequence[str],
) -> Answer:
    """Return the partial batch response.

    What could not be worked comes back in a while, by when a database may be back; what nobody can read at once, so
    that it is soon out of the others' way.
    """
    failed = [record for record in records if record["messageId"] in unfinished]
    run.queue.bring_back(name, [r["receiptHandle"] for r in records if r["messageId"] in unreadable], seconds=0)
    run.queue.bring_back(name, [r["receiptHandle"] for r in failed], seconds=_pause(failed))
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in (*unreadable, *unfinished)]}


def _pause(records: Sequence[Mapping[str, Any]]) -> int:
    """Return the seconds until these come back: more each time, so that an outage of hours makes no dead letters."""
    return pause(max(map(_receives, records), default=1), FIRST_PAUSE_S, LONGEST_PAUSE_S)


def _receives(record: Mapping[str, Any]) -> int:
    """Return how often a message was delivered, this time among them."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _run(name: str, context: LambdaContext) -> Run:
    """Return a run, or report why there is none and let the whole batch come back."""
    try:
        return _new_run(context)
    except KartotekaError as error:
        _report(name, error)
        raise


def _new_run(context: LambdaContext) -> Run:
    run = runtime.new_run()
    reserve = RESERVE_MS + 1000 * run.policy.panel.timeout_seconds
    run.time_left = lambda: context.get_remaining_time_in_millis() > reserve
    return run


def _read(name: str, records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Message], list[str]]:
    messages: dict[str, Message] = {}
    failed: list[str] = []
    for record in records:
        message = read(record.get("body", ""), name)
        if message is None:
            logger.error("unreadable message", extra={"concern": name, "message_id": record["messageId"]})
            failed.append(record["messageId"])
        else:
            messages[record["messageId"]] = message
    return messages, failed


def _calls(run: Run) -> int:
    return sum(run.panel.calls().values())


def _tell(what: str, name: str, counts: Counts) -> None:
    figures = _figures(counts)
    logger.info(what, extra={"concern": name, **figures})
    for figure, value in figures.items():
        metrics.add_metric(figure, MetricUnit.Count, value)
    if counts.reconciled >= MANY:
        metrics.add_metric("RefusedShare", MetricUnit.Percent, min(100, 100 * counts.refused / counts.reconciled))


def _figures(counts: Counts) -> dict[str, int]:
    return {figure: value for figure, value in counts.as_dict().items() if value}


def _tell_unread(name: str, run: Run) -> None:
    """Ring where the panel has failed to answer about something for too long, though it may answer all else."""
    if run.unread:
        figures = dict(run.unread)
        logger.error("not answered for four hours: see `kartoteka status`", extra={"concern": name, "codes": figures})
        metrics.add_metric("Unread", MetricUnit.Count, run.unread.total())


def _report(name: str, error: KartotekaError) -> None:
    if isinstance(error, Halt):
        _alarm(name, str(error))
    else:
        logger.warning("deferred: %s", error, extra={"concern": name, "code": str(error)})
        metrics.add_metric("Delayed", MetricUnit.Count, 1)


def _alarm(name: str, what: str) -> None:
    """Ring the alarm, and read secrets and settings afresh next time: a person may have corrected them."""
    logger.error("halted", extra={"concern": name, "reason": what})
    metrics.add_metric("Halted", MetricUnit.Count, 1)
    runtime.forget()
