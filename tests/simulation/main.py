"""``make simulate HISTORIES=n``: live through many histories, a process a core. ``SEED=n``: one, told readably."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from kartoteka import runtime
from tests.simulation.history import Ending, drawn, lived, shortened

PART = 20
"""Histories that a process is given at once."""
TAIL = 25
"""Lines of a failing history's trace that are shown."""


@dataclass(slots=True)
class Figures:
    """What became of some histories. ``steps`` are calls of ports; ``failed``: seed -> what does not hold, the end."""

    histories: int = 0
    steps: int = 0
    window: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: dict[int, tuple[tuple[str, ...], list[str]]] = field(default_factory=dict)

    def count(self, seed: int, ending: Ending) -> None:
        """Count the history of a seed in."""
        self.histories += 1
        self.steps += ending.steps
        self.window += ending.window
        self.faults += ending.faults
        if ending.violations:
            self.failed[seed] = (ending.violations, ending.trace.lines[-TAIL:])

    def add(self, other: Figures) -> None:
        """Count another part in."""
        self.histories += other.histories
        self.steps += other.steps
        self.window += other.window
        self.faults += other.faults
        self.failed |= other.failed


def live(seeds: range) -> Figures:
    """Live through the histories of these seeds."""
    figures = Figures()
    for seed in seeds:
        figures.count(seed, lived(drawn(seed)))
    return figures


def parts(first: int, histories: int) -> Iterator[range]:
    """Yield the seeds in parts."""
    seeds = range(first, first + histories)
    for n in range(0, histories, PART):
        yield seeds[n : n + PART]


def many(first: int, histories: int, processes: int, limit: float) -> Figures:
    """Live through so many histories, or as many as the ``limit`` in seconds allows (0: all), behind a progress bar."""
    figures, begun = Figures(), time.monotonic()
    columns = (TextColumn("histories"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        get_context("spawn").Pool(processes, initializer=runtime._collect_seldom) as pool,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("", total=histories)
        for part in pool.imap_unordered(live, parts(first, histories)):
            figures.add(part)
            for seed, (violations, _) in part.failed.items():
                progress.console.print(f"SEED={seed} {violations[0]}", markup=False, highlight=False)
            progress.advance(task, part.histories)
            if limit and time.monotonic() - begun > limit:
                break
    return figures


def told(figures: Figures, seconds: float) -> str:
    """Return the figures for a person to read."""
    lines = [
        f"{figures.histories} histories, {figures.steps} calls, {figures.faults.total()} faults: {seconds:.0f} s",
        *(f"  {count:8} {kind}" for kind, count in figures.faults.most_common()),
        f"{figures.window} edits in the panel came between our read and our write, and were overwritten",
        f"{len(figures.failed)} histories in which something does not hold",
    ]
    for seed, (violations, tail) in sorted(figures.failed.items()):
        lines += [f"SEED={seed}", *(f"  {what}" for what in violations), *(f"    {line}" for line in tail)]
    return "\n".join(lines)


def one(seed: int) -> int:
    """Tell the history of one seed, made as short as it fails; return the exit code."""
    history, write = drawn(seed), sys.stdout.write
    if lived(history).violations:
        history = shortened(history, lambda shorter: bool(lived(shorter).violations))
    ending = lived(history, telling=True)
    write("\n".join(ending.trace.lines) + "\n")
    write(f"\npolicy {history.policy}, capitals {history.capitals}, steps:\n")
    write("".join(f"  {step}\n" for step in history.steps))
    write("".join(f"VIOLATION {what}\n" for what in ending.violations) or "everything holds\n")
    return int(bool(ending.violations))


def main() -> int:
    """Read the command line and return the exit code: 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", default="", help="live through this one alone, and tell it")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=0, help="begin no more after so long")
    given = parser.parse_args()
    runtime._collect_seldom()
    if given.seed:
        return one(int(given.seed))
    begun = time.monotonic()
    figures = many(given.first, given.histories, given.processes, given.seconds)
    sys.stdout.write(told(figures, time.monotonic() - begun) + "\n")
    return int(bool(figures.failed))


if __name__ == "__main__":
    sys.exit(main())
