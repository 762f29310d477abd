"""Draws the plots of docs/performance.md. Runs in the benchmark's environment of its own, which has matplotlib:

`.tools/bench/bin/python -m bench.plots DATA OUTPUT [--png]`, from DATA's JSON documents into SVG files.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]

mpl.use("svg")
from matplotlib import pyplot as plt  # type: ignore[import-not-found,unused-ignore]
from matplotlib.ticker import NullLocator  # type: ignore[import-not-found,unused-ignore]

OURS, OTHERS, INK, GRID = "#1f6f8b", "#b8c4cc", "#333333", "#dddddd"
COLOURS = ("#1f6f8b", "#d1495b", "#edae49", "#66a182", "#6c5b7b")
MARKERS = ("o", "s", "^", "D", "v")
ORDER = ("Kartoteka", "Kartoteka on PostgreSQL", "dlt", "dlt, 4 files at a time", "singer-sdk", "batch script")
MEASURES = {
    "wall s": "seconds by the clock",
    "cpu s": "processor seconds",
    "peak MB": "memory at most, MB",
    "panel calls": "panel calls",
}
BARS = {
    "first load": "first-load",
    "no change": "no-change",
    "changed in the ERP": "changed-in-the-erp",
}
"""Run -> the file of its bars."""

Figure = dict[str, float]


def style() -> None:
    """Text stays text, and the same data make the same file."""
    plt.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "kartoteka",
            "font.family": "sans-serif",
            "font.size": 9,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": GRID,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.facecolor": "white",
        }
    )


def bars(runs: Sequence[dict[str, Any]], run: str) -> Any:
    """Draw what a run cost everybody: a small chart for each measure, the shortest bar is best."""
    found = {each["who"]: each["figures"] for each in runs if each["run"] == run}
    names = [who for who in ORDER if who in found]
    figure, axes = plt.subplots(2, 2, figsize=(9, 0.45 * len(names) + 2.2), sharey=True)
    for axis, (measure, label) in zip(axes.flat, MEASURES.items(), strict=True):
        for row, who in enumerate(names):
            spread: Figure = found[who].get(measure, {"median": 0, "min": 0, "max": 0})
            middle = spread["median"]
            whiskers = [[middle - spread["min"]], [spread["max"] - middle]]
            colour = OURS if who.startswith("Kartoteka") else OTHERS
            axis.barh(row, middle, color=colour, xerr=whiskers, ecolor=INK, capsize=2, height=0.65)
            axis.text(max(spread["max"], middle), row, f"  {_shown(middle)}", va="center", fontsize=8)
        axis.set_title(label, loc="left", fontsize=9)
        axis.set_yticks(range(len(names)), names)
        axis.margins(x=0.18)
        axis.set_xlim(left=0)
        axis.tick_params(length=0)
        axis.grid(axis="x", color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    axes.flat[0].invert_yaxis()
    figure.tight_layout()
    return figure


def growth(runs: Sequence[dict[str, Any]]) -> Any:
    """Draw what a run costs by the number of clients, both axes logarithmic."""
    measures = ("wall s", "cpu s", "peak MB")
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.9))
    for axis, measure in zip(axes, measures, strict=True):
        for n, run in enumerate(dict.fromkeys(each["run"] for each in runs)):
            points = sorted((each["clients"], each["figures"][measure]) for each in runs if each["run"] == run)
            sizes = [size for size, _ in points]
            middle = [spread["median"] for _, spread in points]
            whiskers = [
                [spread["median"] - spread["min"] for _, spread in points],
                [spread["max"] - spread["median"] for _, spread in points],
            ]
            look = {"color": _colour(n), "marker": MARKERS[n % len(MARKERS)], "markersize": 4, "linewidth": 1.4}
            axis.errorbar(sizes, middle, yerr=whiskers, label=run, capsize=2, **look)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(MEASURES[measure], loc="left", fontsize=9)
        axis.set_xlabel("clients in step")
        axis.set_xticks(sorted({each["clients"] for each in runs}))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.grid(color=GRID, linewidth=0.6)
        if measure == "peak MB":
            axis.set_ylim(10, 1_000)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return figure


def latency(series: dict[str, list[float]]) -> Any:
    """Draw how long edits took: each a dot, and the share that had arrived by then."""
    figure, (dots, shares) = plt.subplots(2, 1, figsize=(9, 4.6), sharex=True, height_ratios=(2, 3))
    for n, (name, seconds) in enumerate(series.items()):
        ordered = sorted(seconds)
        offsets = [n + 0.22 * ((k * 7 % 5) / 2 - 1) for k in range(len(ordered))]
        dots.scatter(ordered, offsets, s=12, color=_colour(n), alpha=0.7, linewidths=0)
        share = [(k + 1) / len(ordered) * 100 for k in range(len(ordered))]
        shares.step([0, *ordered], [0, *share], where="post", color=_colour(n), label=name, linewidth=1.6)
    dots.set_yticks(range(len(series)), list(series))
    dots.invert_yaxis()
    shares.set_ylabel("% arrived")
    shares.set_xlabel("seconds from the edit to the other side")
    shares.set_xlim(left=0)
    shares.legend(frameon=False, loc="lower right")
    for axis in (dots, shares):
        axis.grid(color=GRID, linewidth=0.6)
        axis.tick_params(length=0)
        axis.set_axisbelow(True)
    return figure


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def drawn(data: Path) -> dict[str, Any]:
    """Return the figures by name of their file, as far as their data are there."""
    found: dict[str, Any] = {}
    documents = {name: _read(data / f"{name}.json") for name in ("result", "growth", "latency")}
    if document := documents["result"]:
        found |= {name: bars(document["runs"], run) for run, name in BARS.items()}
    if document := documents["growth"]:
        found["growth"] = growth(document["runs"])
    if document := documents["latency"]:
        found["latency"] = latency(document["series"])
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else None


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.plots")
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--png", action="store_true", help="to be looked at, too")
    chosen = parser.parse_args()
    style()
    for name, figure in drawn(chosen.data).items():
        for kind in ("svg", "png") if chosen.png else ("svg",):
            metadata = {"Date": None, "Creator": None} if kind == "svg" else None
            figure.savefig(chosen.output / f"{name}.{kind}", bbox_inches="tight", metadata=metadata, dpi=80)


if __name__ == "__main__":
    main()
