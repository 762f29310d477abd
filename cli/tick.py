"""`kartoteka tick`: synchronise now.

Fires every schedule of the stack once, waits until every queue is empty, and sums up what was done. Where anything was
written into the panel, its feed is read once more, so that what was taken is seen now and not at the next tick.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from cli import cloud, door, show
from cli import stack as stacks
from cli.door import Door
from cli.exits import Failed, NotInTime, Unavailable
from cli.idle import Idle
from cli.stack import Stack

FIGURES = ("collected", "reconciled", "written_to_panel", "written_to_erp", "conflicts", "held", "panel_calls")
FEED = "panel_feed"
"""The function that reads what changed in the panel."""
STOPPED = {
    "delayed": "{function} delayed: {why}; its log: {log}",
    "halted": "{function} halted: {why}; its log: {log}",
}
"""What a function answers with that could not do its work now (the panel or the database is away; a person must act)
-> how that is said."""
PAUSED = "{concern} is paused ({reason}): `{way_on}` ends it"
STILL_AT_WORK = (
    "after {seconds} s there is still work in the queues ({what}); it goes on without this command. "
    "A batch that failed is tried again after some minutes: see {logs}"
)
STILL_AT_WORK_AND_FAILED = STILL_AT_WORK + " (failed: {failed})"
TRIGGERS = "triggers_missing"
"""The tables of which a function found that not all changes are logged."""
LOCAL_PAUSE = 0.1
CLOUD_PAUSE = 2.0


@click.command()
@click.option("--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, help="Seconds to wait.")
@click.option("--stack", "name", metavar="NAME", help="A deployed stack; the local one when not given.")
@show.as_json
def tick(timeout: float, name: str | None, as_json: bool) -> None:
    """Synchronise now: fire every schedule, wait until the queues are empty, print the figures as JSON.

    The figures are one JSON document with or without --json.
    """
    del as_json
    deadline = time.monotonic() + timeout
    console = Console(stderr=True)
    stack = stacks.find(name)
    began = datetime.now(UTC)
    with console.status(show.said("firing the schedules")) as status:
        idle = Idle(stack, began)

        def wait() -> None:
            idle.paused |= paused(stack, fired)
            while not idle.reached():
                status.update(show.said("waiting for {what}", what=idle))
                _check(stack, idle, deadline, timeout)
                time.sleep(CLOUD_PAUSE if stack.endpoint is None else LOCAL_PAUSE)

        wanted = schedules(stack)
        fired = fire(stack, wanted)
        wait()
        if summary((), idle.runs(), ())["written_to_panel"]:
            shows = stack.functions[FEED]
            fired = [*fired, *fire(stack, [schedule for schedule in wanted if schedule.function == shows])]
            wait()
    idle.paused |= _paused_now(stack)
    for line in dict.fromkeys(_stopped(stack, fired)):
        click.echo(line, err=True)
    for concern, reason in idle.paused.items():
        way_on = cloud.way_on(concern, reason, name)
        click.echo(show.said(PAUSED, concern=concern, reason=reason, way_on=way_on), err=True)
    click.echo(json.dumps(summary([said for _, said in fired], idle.runs(), [*idle.paused])))


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a schedule of the stack fires."""

    function: str
    event: Mapping[str, Any]


def schedules(stack: Stack) -> Sequence[Schedule]:
    """Return what the stack's schedules fire, the switched-off ones too; but the desk's, which synchronises nothing."""
    client = stack.scheduler()
    targets = [client.get_schedule(Name=name)["Target"] for name in stack.ids("AWS::Scheduler::Schedule").values()]
    found = [Schedule(target["Arn"].rsplit(":", 1)[-1], json.loads(target.get("Input", "{}"))) for target in targets]
    return [each for each in found if each.function != stack.functions.get(door.FUNCTION)]


def fire(stack: Stack, wanted: Sequence[Schedule]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Run these schedules' functions with their own events, now and at once; return each function with its answer.

    A function with several schedules answers several times.
    """
    client = stack.lambdas()

    def invoke(schedule: Schedule) -> Mapping[str, Any]:
        event = json.dumps({**schedule.event, "due": "all"}).encode()
        answer = client.invoke(FunctionName=schedule.function, Payload=event)
        payload: Mapping[str, Any] = json.loads(answer["Payload"].read() or b"{}")
        if answer.get("FunctionError"):
            raise Failed(_sentence(stack, schedule.function, payload))
        return payload

    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        return list(zip((schedule.function for schedule in wanted), pool.map(invoke, wanted), strict=True))


def paused(stack: Stack, fired: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """Return concern -> reason of those whose functions answered that they are paused."""
    names = {function: concern for concern, function in stack.functions.items()}
    return {names.get(function, function): str(said["paused"]) for function, said in fired if "paused" in said}


def _paused_now(stack: Stack) -> dict[str, str]:
    """Return concern -> reason of all that are paused, as the desk says; nothing where it is not there or fails."""
    try:
        return dict(Door(door.of(stack)).get("pauses")["paused"])
    except (Failed, Unavailable):
        return {}


def summary(
    fired: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, int]], paused: Sequence[str]
) -> dict[str, Any]:
    """Add up what the fired functions answered and what the workers wrote down."""
    figures: Counter[str] = Counter()
    for answer in fired:
        figures.update({name: int(answer.get(name, 0)) for name in FIGURES})
    for run in runs:
        figures.update({name: int(run.get(name, 0)) for name in FIGURES})
    total: dict[str, Any] = {name: figures[name] for name in FIGURES}
    told = {what: sorted({str(answer[what]) for answer in fired if what in answer}) for what in STOPPED}
    told[TRIGGERS] = sorted({str(table) for answer in fired for table in answer.get(TRIGGERS, ())})
    return total | {name: value for name, value in {"paused": sorted(paused), **told}.items() if value}


def _stopped(stack: Stack, fired: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Say which functions could not do their work now, and why."""
    for function, said in fired:
        for what, sentence in STOPPED.items():
            if what in said:
                yield show.said(sentence, function=function, why=said[what], log=stack.where_to_read(function))


def _check(stack: Stack, idle: Idle, deadline: float, timeout: float) -> None:
    """Stop waiting when a function failed at its queue, or the time is over."""
    failed = idle.failed()
    if time.monotonic() > deadline:
        logs = ", ".join(stack.where_to_read(stack.functions[concern]) for concern in idle.busy)
        raise NotInTime(
            show.said(
                STILL_AT_WORK_AND_FAILED if failed else STILL_AT_WORK,
                seconds=f"{timeout:g}",
                what=idle,
                logs=logs,
                failed=", ".join(failed),
            )
        )


def _sentence(stack: Stack, function: str, failure: Mapping[str, Any]) -> str:
    """Say which function failed, why, and where to read more."""
    reason = str(failure.get("errorMessage", "")).strip().partition("\n")[0] or show.said("it gave no reason")
    return show.said(
        "the function {function} failed: {reason}; its log: {log}",
        function=function,
        reason=reason,
        log=stack.where_to_read(function),
    )
