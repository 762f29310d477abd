"""The brake at work: a chunk of risky writes is let through, or stops its concern until a person confirms it.

What was written within the hour is counted from ``sync_history``, where it stands in one transaction with the writes
themselves; so no crash makes it forget. Records that were set aside by the brake are not counted when they come back:
a person has confirmed them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kartoteka.core import brake
from kartoteka.core.brake import BRAKE
from kartoteka.core.model import Snapshot, Written

if TYPE_CHECKING:
    from kartoteka.engine.base import Engine

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class BrakeRun:
    """What one run knows of the brake: the chunks of a run are worked by several threads.

    ``count``: the risky records of the last hour and of this run. ``confirmed``: a person has let this concern go on.
    """

    tripped: bool = False
    confirmed: bool = False
    count: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def lets_through(engine: Engine, concern: str, cases: Iterable[tuple[Snapshot, Iterable[Written]]]) -> bool:
    """Return whether a chunk of records may be written, with what is about to be written of each.

    Where not, the concern is paused already.
    """
    run, risky = engine.brake, [snapshot for snapshot, written in cases if brake.risky(written)]
    with run.lock:
        if run.tripped or not risky:
            return not run.tripped
        if run.count is None:
            word = engine.state.load(brake.document(concern)).document
            run.confirmed = word is not None
            run.count = engine.exchange.risky_writes(concern, brake.counted_since(word, engine.now()))
        counting = sum(not (run.confirmed and was_stopped(snapshot)) for snapshot in risky)
        if not counting:
            return True
        run.count += counting
        linked = engine.exchange.count_linked()
        run.tripped = brake.too_many(run.count, linked, engine.policy.brake)
        if run.tripped:
            engine.state.pause(concern, BRAKE)
            logger.info("%d risky records within an hour, of %d customers", run.count, linked)
        return not run.tripped


def was_stopped(snapshot: Snapshot) -> bool:
    """Return whether a record was set aside by the brake: it comes back by a person's word only.

    Where the word itself is not known (the cloud's state was lost, and the pause with it), it counts like any other.
    """
    return snapshot.parked is not None and snapshot.parked.code == BRAKE
