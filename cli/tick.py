"""`kartoteka tick`: synchronise now.

Has the desk fire every schedule of the stack once, waits until every queue is empty, and sums up what was done. Where
anything was written into the panel, its feed is read once more, so that what was taken is seen now and not at the next
tick.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console

from cli import cloud, door, show
from cli import stack as stacks
from cli.door import Door
from cli.exits import Failed, NotInTime, Unavailable, told
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
TRIGGERS = "triggers_missing"
"""The tables of which a function found that not all changes are logged."""
LOCAL_PAUSE = 0.2
CLOUD_PAUSE = 2.0

Fired = Mapping[str, Any]
"""What a function answered, with its ``function`` and the ``move``."""


@click.command()
@click.option("--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, help="Seconds to wait.")
@click.option("--stack", "name", metavar="NAME", help="A deployed stack; the local one when not given.")
@show.as_json
@told()
def tick(timeout: float, name: str | None, as_json: bool) -> None:
    """Synchronise now: fire every schedule, wait until the queues are empty, print the figures as JSON.

    The figures are one JSON document with or without --json.
    """
    del as_json
    deadline = time.monotonic() + timeout
    console = Console(stderr=True)
    stack = stacks.find(name)
    desk = Door(door.of(stack))
    with console.status(show.said("firing the schedules")) as status:
        fired, began = fire(stack, desk)
        idle = Idle(stack, desk, began)
        idle.paused |= paused(fired)

        def wait() -> None:
            while not idle.reached():
                status.update(show.said("waiting for {what}", what=idle))
                _check(stack, idle, deadline, timeout)
                time.sleep(CLOUD_PAUSE if stack.endpoint is None else LOCAL_PAUSE)

        wait()
        if idle.figures.get("written_to_panel"):
            fired += fire(stack, desk, FEED)[0]
            idle.paused |= paused(fired)
            wait()
    idle.paused |= _paused_now(desk)
    for line in dict.fromkeys(_stopped(stack, fired)):
        click.echo(line, err=True)
    for concern, reason in idle.paused.items():
        way_on = cloud.way_on(concern, reason, name)
        click.echo(show.said(PAUSED, concern=concern, reason=reason, way_on=way_on), err=True)
    click.echo(json.dumps(summary(fired, idle.figures, [*idle.paused])))


def fire(stack: Stack, desk: Door, *functions: str) -> tuple[list[Fired], str]:
    """Have these functions run, all where none is named; return what they answered, and the moment before.

    Raises Failed where one failed.
    """
    answer = desk.post("tick", function=functions)
    for said in answer["fired"]:
        if "failed" in said:
            name = stack.functions[said["function"]]
            reason, log = said["failed"], stack.where_to_read(name)
            raise Failed(
                show.said(
                    "the function {function} failed: {reason}; its log: {log}", function=name, reason=reason, log=log
                )
            )
    return list(answer["fired"]), str(answer["at"])


def paused(fired: Sequence[Fired]) -> dict[str, str]:
    """Return concern -> reason of those whose functions answered that they are paused."""
    return {said["function"]: str(said["paused"]) for said in fired if "paused" in said}


def _paused_now(desk: Door) -> dict[str, str]:
    """Return concern -> reason of all that are paused; nothing where the database does not say it now."""
    try:
        return dict(desk.get("pauses")["paused"])
    except (Failed, Unavailable):
        return {}


def summary(fired: Sequence[Fired], runs: Mapping[str, int], paused: Sequence[str]) -> dict[str, Any]:
    """Add up what the fired functions answered and what the workers wrote down."""
    figures = Counter({name: int(runs.get(name, 0)) for name in FIGURES})
    for answer in fired:
        figures.update({name: int(answer.get(name, 0)) for name in FIGURES})
    total: dict[str, Any] = {name: figures[name] for name in FIGURES}
    told = {what: sorted({str(answer[what]) for answer in fired if what in answer}) for what in STOPPED}
    told[TRIGGERS] = sorted({str(table) for answer in fired for table in answer.get(TRIGGERS, ())})
    return total | {name: value for name, value in {"paused": sorted(paused), **told}.items() if value}


def _stopped(stack: Stack, fired: Sequence[Fired]) -> Iterator[str]:
    """Say which functions could not do their work now, and why."""
    for said in fired:
        function = stack.functions[said["function"]]
        for what, sentence in STOPPED.items():
            if what in said:
                yield show.said(sentence, function=function, why=said[what], log=stack.where_to_read(function))


def _check(stack: Stack, idle: Idle, deadline: float, timeout: float) -> None:
    """Stop waiting when a function failed at its queue, or the time is over."""
    failed = idle.failed()
    if time.monotonic() > deadline:
        logs = ", ".join(stack.where_to_read(stack.functions[concern]) for concern in idle.busy)
        sentence = show.said(STILL_AT_WORK, seconds=f"{timeout:g}", what=idle, logs=logs)
        raise NotInTime(
            f"{sentence} {show.said('(failed: {failed})', failed=', '.join(failed)) if failed else ''}".rstrip()
        )
