"""Reconcile: look at some customers afresh, decide, act, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kartoteka.core.concerns import CONCERNS
from kartoteka.core.errors import KartotekaError
from kartoteka.engine.accounts import open_accounts
from kartoteka.engine.acts import Report
from kartoteka.engine.base import Engine
from kartoteka.engine.fields import merge_fields

WORKERS = 5
"""Chunks worked at the same time: half of what one batch of messages brings. The panel's pace is shared, so more would
only wait."""

Work = Callable[[Engine, Sequence[str]], Report]

WORK: Mapping[str, Work] = {
    "accounts": open_accounts,
    "billing": lambda engine, keys: merge_fields(engine, CONCERNS["billing"], keys),
}
"""What reconciling means for each concern."""


@dataclass(slots=True)
class Result:
    """What became of a run: its report, and the keys that could not be worked at all, with the reason of each chunk."""

    report: Report = field(default_factory=Report)
    unfinished: list[str] = field(default_factory=list)
    errors: list[KartotekaError] = field(default_factory=list)


def reconcile(
    engine: Engine, concern: str, keys: Sequence[str], *, time_left: Callable[[], bool] = lambda: True
) -> Result:
    """Reconcile these customers, some chunks at a time; no key is worked twice at once.

    ``time_left`` is asked before each chunk; what it denies is unfinished and comes back with its message.
    """
    work = WORK[concern]
    unique = list(dict.fromkeys(keys))
    result = Result()
    with ThreadPoolExecutor(WORKERS) as pool:
        chunks = list(engine.chunks(unique))
        for chunk, outcome in zip(
            chunks, pool.map(lambda c: _attempt(engine, work, c, time_left), chunks), strict=True
        ):
            if isinstance(outcome, Report):
                result.report += outcome
                continue
            result.unfinished += chunk
            if outcome is not None:
                result.errors.append(outcome)
    return result


def _attempt(
    engine: Engine, work: Work, keys: Sequence[str], time_left: Callable[[], bool]
) -> Report | KartotekaError | None:
    if not time_left():
        return None
    try:
        return work(engine, keys)
    except KartotekaError as exc:
        return exc
