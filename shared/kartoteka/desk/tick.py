"""Synchronise now: wake every function as its schedules do, and say how much is still under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.sync.feed import PAUSED_AS

COLLECT = "collect"
Move = tuple[str, str]
"""A function, by its concern or ``panel_feed``, and the move that a schedule of it asks for."""


def moves(desk: Desk) -> Sequence[Move]:
    """Return what the schedules fire that synchronise anything."""
    passes = [(name, each) for name, concern in desk.concerns.items() for each in concern.passes(at_once=True)]
    return [(PAUSED_AS, COLLECT), *((name, COLLECT) for name in desk.concerns), *passes]


def fire(desk: Desk, wanted: Sequence[str], *, wait: bool) -> Data:
    """Fire the moves of these functions, all where none is named, now and at once.

    ``at``: the moment before. Where it is to ``wait``, what each answered stands under ``fired``, with its ``function``
    and ``move``; ``failed``: why a function gave none.
    """
    functions, at = desk.functions, desk.now().isoformat(timespec="milliseconds")
    if functions is None:
        raise WrongRequest("no_stack", 409)
    chosen = [move for move in moves(desk) if not wanted or move[0] in wanted]

    def run(move: Move) -> Mapping[str, Any]:
        return functions.run(move[0], _event(move[1]))

    if not wait:
        for function, move in chosen:
            functions.start(function, _event(move))
        return {"done": len(chosen), "at": at}
    with ThreadPoolExecutor(max(1, len(chosen))) as pool:
        answers = pool.map(run, chosen)
        fired = [{"function": f, "move": m, **answer} for (f, m), answer in zip(chosen, answers, strict=True)]
    return {"done": len(fired), "at": at, "fired": fired}


def _event(move: str) -> Mapping[str, Any]:
    return {"v": 1, "move": move, "due": "all"}


def work(desk: Desk, since: datetime) -> Data:
    """Return how much is under way: messages of each queue (``left``).

    And of the worker runs that ended ``since`` this moment: how many they were (``ended``), their ``figures`` together,
    and the concerns that the brake stopped in them (``braked``).
    """
    if desk.queue is None or desk.state is None:
        raise WrongRequest("no_stack", 409)
    runs = desk.state.runs_since(since)  # before the queues: a worker that ends between them is then still in its queue
    figures: Counter[str] = Counter()
    for run in runs:
        figures.update({name: value for name, value in run.items() if isinstance(value, int)})
    braked = sorted({run["concern"] for run in runs if "braked" in run})
    return {"left": dict(desk.queue.left()), "ended": len(runs), "figures": dict(figures), "braked": braked}
