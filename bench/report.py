"""The tables of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import ours
from bench.figures import Series, Spread, spreads

SIDE_BY_SIDE = ("wall s", "cpu s", "peak MB", "panel calls")
OWN = ("panel calls", "SQL reads", "SQL writes", "DynamoDB read units", "DynamoDB write units", "SQS requests")
TOGETHER = (ours.FIRST_LOAD, ours.ECHO, ours.CONFIRMED)
"""The runs that a new customer costs, echo included."""


def show(console: Console, series: Series, told: Mapping[str, Any], customers: int) -> None:
    """Print everything."""
    load = ", ".join(str(each) for each in told["load average"])
    console.print(f"{told['date']}, {told['processor']}, {told['cores']} cores, Python {told['python']}, load {load}")
    console.print(_side_by_side(series))
    console.print(_own(series))
    console.print(f"panel calls for 100 new customers, echo included: {calls_per_100(series, customers):.2f}")
    console.print(_gates(series))


def calls_per_100(series: Series, customers: int) -> float:
    """Return how many panel calls 100 new customers cost, the reading of their echo included."""
    who = next(who for who, run in series if run == ours.ECHO)
    calls = [sum(series[who, run][0].calls.values()) for run in TOGETHER]
    return sum(calls) * 100 / customers


def _side_by_side(series: Series) -> Table:
    table = Table("run", "who", *SIDE_BY_SIDE, title="Side by side: median (min-max)")
    for run in dict.fromkeys(run for _, run in series):
        for who in dict.fromkeys(who for who, _ in series):
            if (who, run) in series:
                _add(table, [run, who], spreads(series[who, run]), SIDE_BY_SIDE)
    return table


def _own(series: Series) -> Table:
    table = Table("run", "who", *OWN, "log bytes", title="What Kartoteka asked for")
    for (who, run), repetitions in series.items():
        if who in (ours.WHO, ours.ON_POSTGRESQL):
            _add(table, [run, who], spreads(repetitions), (*OWN, "log bytes"))
    return table


def _gates(series: Series) -> Table:
    gates = list(dict.fromkeys(gate for figures in series.values() for gate in figures[0].calls))
    table = Table("run", "who", *gates, title="Panel calls by gate")
    for (who, run), repetitions in series.items():
        _add(table, [run, who], spreads(repetitions), [f"call {gate}" for gate in gates])
    return table


def _add(table: Table, head: Sequence[str], figures: Mapping[str, Spread], names: Sequence[str]) -> None:
    table.add_row(*head, *(str(figures.get(name, Spread(0, 0, 0))) for name in names))
