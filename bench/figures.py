"""What one run cost, and how several repetitions of it are put together."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run cost: seconds by the clock and of the processor, peak memory, calls by gate, and other counts."""

    wall: float
    cpu: float
    peak_mb: float
    calls: Mapping[str, int]
    counts: Mapping[str, float] = field(default_factory=dict)

    def flat(self) -> dict[str, float]:
        """Return every figure by name."""
        seconds = {"wall s": self.wall, "cpu s": self.cpu, "peak MB": self.peak_mb}
        gates = {f"call {gate}": float(count) for gate, count in self.calls.items()}
        return {**seconds, "panel calls": float(sum(self.calls.values())), **gates, **self.counts}


Series = dict[tuple[str, str], list[Figures]]
"""(who, run) -> one entry for each repetition, in the order in which they were first made."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Some repetitions of one figure."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return _shown(self.median)
        return f"{_shown(self.median)} ({_shown(self.least)}-{_shown(self.most)})"

    def as_dict(self) -> dict[str, float]:
        """Return it for a JSON document."""
        return {"median": self.median, "min": self.least, "max": self.most}


def spreads(repetitions: Sequence[Figures]) -> dict[str, Spread]:
    """Return the spread of each figure; one that a repetition did not have is 0 there."""
    flat = [each.flat() for each in repetitions]
    names = dict.fromkeys(name for each in flat for name in each)
    return {name: spread([each.get(name, 0.0) for each in flat]) for name in names}


def as_json(series: Series) -> list[dict[str, Any]]:
    """Return the series as a JSON document."""
    return [
        {
            "who": who,
            "run": run,
            "repetitions": len(repetitions),
            "figures": {name: spread.as_dict() for name, spread in spreads(repetitions).items()},
        }
        for (who, run), repetitions in series.items()
    ]


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of some repetitions."""
    return Spread(statistics.median(values), min(values), max(values))


def _shown(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"
