"""Reconcile: look at some customers afresh, decide, act, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from kartoteka.core.brake import BRAKE
from kartoteka.core.concerns import ACCOUNTS, BILLING, CREDIT, DELIVERY_ADDRESSES, DISCOUNTS, GROUPS, SHOPS
from kartoteka.core.errors import KartotekaError
from kartoteka.engine.accounts import reconcile_accounts
from kartoteka.engine.acts import Report
from kartoteka.engine.addresses import merge_addresses
from kartoteka.engine.base import Engine, set_aside
from kartoteka.engine.fields import merge_fields
from kartoteka.engine.groups import reconcile_groups

WORKERS = 5
"""Chunks worked at the same time: half of what one batch of messages brings. The panel's pace is shared, so more would
only wait."""

Work = Callable[[Engine, Sequence[str]], Report]

WORK: Mapping[str, Work] = {
    ACCOUNTS.name: reconcile_accounts,
    BILLING.name: lambda engine, keys: merge_fields(engine, BILLING, keys),
    DELIVERY_ADDRESSES.name: merge_addresses,
    SHOPS.name: lambda engine, keys: merge_fields(engine, SHOPS, keys),
    GROUPS.name: reconcile_groups,
    DISCOUNTS.name: lambda engine, keys: merge_fields(engine, DISCOUNTS, keys),
    CREDIT.name: lambda engine, keys: merge_fields(engine, CREDIT, keys),
}
"""What reconciling means for each concern."""


@dataclass(slots=True)
class Result:
    """What became of a run: its report, and the keys that could not be worked at all, with the reason of each chunk.

    ``braked``: the brake has stopped the concern, and the keys that were not worked are parked.
    """

    report: Report = field(default_factory=Report)
    unfinished: list[str] = field(default_factory=list)
    errors: list[KartotekaError] = field(default_factory=list)
    braked: bool = False

    def __add__(self, other: Result) -> Result:
        return Result(
            self.report + other.report,
            self.unfinished + other.unfinished,
            self.errors + other.errors,
            self.braked or other.braked,
        )


def reconcile(
    engine: Engine, concern: str, keys: Sequence[str], *, time_left: Callable[[], bool] = lambda: True
) -> Result:
    """Reconcile these customers, some chunks at a time; no key is worked twice at once.

    ``time_left`` is asked before each chunk; what it denies is unfinished and comes back with its message.
    """
    unique = list(dict.fromkeys(keys))
    result = Result()
    engine = replace(engine, time_left=time_left)
    with ThreadPoolExecutor(1 if concern == GROUPS.name else WORKERS) as pool:
        chunks = list(engine.chunks(unique))
        for chunk, outcome in zip(
            chunks, pool.map(lambda c: _attempt(engine, concern, c, time_left), chunks), strict=True
        ):
            if isinstance(outcome, Report):
                result.report += outcome
                continue
            result.unfinished += chunk
            if outcome is not None:
                result.errors.append(outcome)
    result.braked = engine.brake.tripped
    return result


def _attempt(
    engine: Engine, concern: str, keys: Sequence[str], time_left: Callable[[], bool]
) -> Report | KartotekaError | None:
    if not time_left():
        return None
    try:
        if engine.brake.tripped:
            set_aside(engine, concern, keys, BRAKE)
            return Report()
        return WORK[concern](engine, keys)
    except KartotekaError as exc:
        return exc
