"""`python -m bench.page`: makes the tables and plots of docs/performance.md again.

They are made of the documents in `docs/performance/`; `--take result growth latency` first takes those over that were
measured last (`.local/bench/`). Between `<!-- begin NAME -->` and `<!-- end -->` stands what is made here; the rest is
written by hand.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import five_faults, growth, latency, ours, results, rivals
from local.home import ROOT

PAGE = ROOT / "docs" / "performance.md"
DATA = ROOT / "docs" / "performance"
BLOCK = re.compile(r"(<!-- begin ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
COMMANDS = {
    "result": "make bench",
    "growth": "python -m bench.growth",
    "latency": "python -m bench.latency",
    "cold": "python -m bench.cold",
    five_faults.NAME: "python -m bench.five_faults",
}
"""What was measured -> the command that measures it."""
PEERS = (rivals.DLT, rivals.DLT_PARALLEL, rivals.SINGER, rivals.SCRIPT)
OURS = (ours.WHO, ours.ON_POSTGRESQL)
SHARED = (ours.FIRST_LOAD, ours.QUIET, ours.ERP_EDITS)
"""The runs that the peers make too."""
CLIENTS = 10_000
"""Of whom the goals speak."""
MEASURES = {"wall s": "seconds by the clock", "cpu s": "CPU seconds", "peak MB": "MB", "panel calls": "panel calls"}

Document = Mapping[str, Any]
Spread = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """The documents by name, as far as they are there."""

    documents: Mapping[str, Document]

    def figures(self, who: str, run: str) -> Mapping[str, Spread] | None:
        """Return what a run of `make bench` cost."""
        for each in self.documents.get("result", {}).get("runs", ()):
            if (each["who"], each["run"]) == (who, run):
                found: Mapping[str, Spread] = each["figures"]
                return found
        return None

    def median(self, who: str, run: str, name: str) -> float | None:
        """Return the median of one figure; None where the run is not there."""
        figures = self.figures(who, run)
        return None if figures is None else figures.get(name, {"median": 0.0})["median"]

    def of_size(self, size: int, run: str) -> Mapping[str, Spread] | None:
        """Return what a run of `bench.growth` cost with so many clients."""
        for each in self.documents.get("growth", {}).get("runs", ()):
            if (each["clients"], each["run"]) == (size, run):
                found: Mapping[str, Spread] = each["figures"]
                return found
        return None


def collected() -> Measured:
    """Return the documents of the page."""
    documents = {name: results.read(DATA / f"{name}.json") for name in COMMANDS}
    return Measured({name: document for name, document in documents.items() if document is not None})


def rendered(page: str, blocks: Mapping[str, Callable[[Measured], str]], measured: Measured) -> str:
    """Return the page with its blocks made anew. Raises KeyError for a block that nobody makes."""
    return BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]](measured).rstrip()}\n{found[3]}", page)


# --- blocks


def machines(measured: Measured) -> str:
    """Say what was measured when, on what."""
    return "\n".join(_machine(measured, name) for name in COMMANDS)


def _machine(measured: Measured, name: str) -> str:
    document = measured.documents.get(name)
    if document is None:
        return f"- `{COMMANDS[name]}`: not measured yet."
    told, asked = document["machine"], document["asked"]
    packages = ", ".join(f"{package} {version}" for package, version in told["packages"].items())
    chosen = ", ".join(f"{key} {_listed(value)}" for key, value in asked.items())
    load = ", ".join(f"{each:g}" for each in told["load average"])
    return (
        f"- `{COMMANDS[name]}` ({chosen}): {told['date']}, {told['processor']}, {told['cores']} cores, "
        f"{told['memory GiB']} GiB, {told['system']}, Python {told['python']}, {packages}; load before: {load}."
    )


def _listed(value: Any) -> str:
    return " ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def goals(measured: Measured) -> str:
    """Say of each goal of the issue how far it is reached."""
    rows = [row for row in _goals(measured) if row is not None]
    if not rows:
        return missing("result")
    asked = measured.documents["result"]["asked"]["customers"]
    other = "" if asked == CLIENTS else f"The goals are for {CLIENTS:,} clients; this was measured with {asked:,}.\n\n"
    return other + table(("goal", "measured", "reached"), rows)


def _goals(measured: Measured) -> Iterable[tuple[str, str, str] | None]:
    first, quiet = ours.FIRST_LOAD, ours.QUIET

    def against(goal: str, run: str, name: str, peer: str, factor: float) -> tuple[str, str, str] | None:
        own, other = measured.median(ours.WHO, run, name), measured.median(peer, run, name)
        if own is None or other is None:
            return None
        return goal, f"{_number(own)} against {_number(other)} ({own / other:.2f})", _yes(own <= factor * other)

    def upto(goal: str, run: str, name: str, most: float) -> tuple[str, str, str] | None:
        own = measured.median(ours.WHO, run, name)
        return None if own is None else (goal, _number(own), _yes(own <= most))

    yield against("first load: at most half of dlt's time", first, "wall s", rivals.DLT, 0.5)
    yield against("first load: faster than dlt with four files", first, "wall s", rivals.DLT_PARALLEL, 1.0)
    yield against("first load: at most 1.5 times dlt's CPU (aim: 1.0)", first, "cpu s", rivals.DLT, 1.5)
    yield upto("its echo: at most 2 s", ours.ECHO, "wall s", 2)
    yield upto("its echo: at most 1 CPU s", ours.ECHO, "cpu s", 1)
    yield upto("first contact: at most 480 calls", ours.FIRST_CONTACT, "panel calls", 480)
    yield upto("first contact: at most 8 s", ours.FIRST_CONTACT, "wall s", 8)
    yield upto("first contact: at most 6 CPU s", ours.FIRST_CONTACT, "cpu s", 6)
    yield against("no change: at most half of dlt's time", quiet, "wall s", rivals.DLT, 0.5)
    yield against("no change: at most half of dlt's CPU", quiet, "cpu s", rivals.DLT, 0.5)
    yield upto("no change: one panel call or none", quiet, "panel calls", 1)
    yield from _growth_goals(measured)


def _growth_goals(measured: Measured) -> Iterable[tuple[str, str, str]]:
    for run in (ours.ERP_EDITS, ours.PANEL_EDITS):
        few, many = (measured.of_size(size, run) for size in (10_000, 1_000_000))
        if few and many:
            for name in ("wall s", "cpu s", "peak MB"):
                less, more = few[name]["median"], many[name]["median"]
                told = f"{_number(more)} against {_number(less)} ({more / less:.2f})"
                yield (
                    f"100 {run} of 1,000,000: {MEASURES[name]} as of 10,000 within 20 %",
                    told,
                    _yes(more <= 1.2 * less),
                )


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"


def side_by_side(measured: Measured) -> str:
    """Return the table of all runs and everybody."""
    rows = []
    for run, who, figures in _runs(measured):
        name = f"**{who}**" if who in OURS else who
        rows.append((run, name, *(_spread(figures.get(measure)) for measure in MEASURES)))
    head = ("run", "who", "wall s", "CPU s", "peak MB", "panel calls")
    return table(head, _once(rows)) if rows else missing("result")


def asked_for(measured: Measured) -> str:
    """Return the table of what Kartoteka asked of panel, database and cloud."""
    names = ("SQL reads", "SQL writes", "DynamoDB read units", "DynamoDB write units", "SQS requests", "log bytes")
    rows = []
    for run, who, figures in _runs(measured):
        if who in OURS:
            reading = sum(spread["median"] for name, spread in figures.items() if name in _reading(figures))
            writing = figures["panel calls"]["median"] - reading
            counts = [_number(figures.get(name, {"median": 0})["median"]) for name in names]
            database = "SQLite" if who == ours.WHO else "PostgreSQL"
            rows.append((run, database, f"{_number(reading)} / {_number(writing)}", *_paired(counts)))
    head = (
        "run",
        "database",
        "panel: read / written",
        "SQL reads / writes",
        "DynamoDB units",
        "SQS requests",
        "log bytes",
    )
    return table(head, _once(rows)) if rows else missing("result")


def _reading(figures: Mapping[str, Spread]) -> list[str]:
    """Return the gates that are read: by GET, and the search, which is a POST."""
    return [name for name in figures if name.startswith("call GET") or name.endswith("/search")]


def _paired(counts: Sequence[str]) -> tuple[str, str, str, str]:
    return f"{counts[0]} / {counts[1]}", f"{counts[2]} / {counts[3]}", counts[4], counts[5]


def ahead(measured: Measured) -> str:
    """List where a peer needs less than Kartoteka on the same kind of database."""
    lines = []
    for run in SHARED:
        for name, label in MEASURES.items():
            own = measured.median(ours.WHO, run, name)
            found = [(measured.median(peer, run, name), peer) for peer in PEERS]
            better = sorted(
                (value, peer) for value, peer in found if value is not None and own is not None and value < own
            )
            if better:
                told = "; ".join(f"{peer} {_number(value)}" for value, peer in better)
                lines.append(f"- {run}, {label}: {told}; Kartoteka {_number(own or 0)}")
    if not lines:
        return missing("result") if "result" not in measured.documents else "In none of the shared runs."
    return "\n".join(lines)


def growing(measured: Measured) -> str:
    """Return the table of figures by the number of clients."""
    document = measured.documents.get("growth")
    if document is None:
        return missing("growth")
    rows = [
        (
            each["run"],
            f"{each['clients']:,}",
            *(_spread(each["figures"].get(name)) for name in ("wall s", "cpu s", "peak MB", "panel calls")),
            f"{_spread(each['figures'].get('SQL reads'))} / {_spread(each['figures'].get('SQL writes'))}",
        )
        for run in dict.fromkeys(each["run"] for each in document["runs"])
        for each in document["runs"]
        if each["run"] == run
    ]
    head = ("run", "clients", "wall s", "CPU s", "peak MB", "panel calls", "SQL reads / writes")
    sizes = ", ".join(f"{int(size):,}: {told['database MB']:,.0f} MB" for size, told in document["sizes"].items())
    return f"{table(head, _once(rows))}\n\nThe database's size by the number of clients: {sizes}."


def scans(measured: Measured) -> str:
    """Say what the daily full scan costs, and what it means for a record that changes meanwhile."""
    document = measured.documents.get("growth")
    if document is None:
        return missing("growth")
    rows = []
    for each in document["runs"]:
        if each["run"] == growth.SCAN:
            figures = each["figures"]
            names = ("wall s", "cpu s", "peak MB", "runs", "longest run s", "panel calls", "changed record s")
            rows.append((f"{each['clients']:,}", *(_spread(figures.get(name)) for name in names)))
    head = ("clients", "wall s", "CPU s", "peak MB", "minutes", "longest run, s", "panel calls", "changed record, s")
    return table(head, rows)


def delays(measured: Measured) -> str:
    """Return the table of how long edits took."""
    document = measured.documents.get("latency")
    if document is None:
        return missing("latency")
    rows = [
        (kind, str(len(seconds)), *(f"{value:.0f}" for value in latency.summary(seconds)))
        for kind, seconds in document["series"].items()
    ]
    return table(("seconds from an edit to the other side", "edits", "least", "median", "nine of ten", "most"), rows)


def cold_starts(measured: Measured) -> str:
    """Return the table of what each function takes to load, and say how large the layer is."""
    document = measured.documents.get("cold")
    if document is None:
        return missing("cold")
    rows = [
        (function, *(_spread(figures[name]) for name in ("ms", "modules", "peak MB")))
        for function, figures in document["functions"].items()
    ]
    sizes = sorted(document["layer MB"].items(), key=lambda each: -each[1])
    largest = ", ".join(f"{name} {size:.1f}" for name, size in sizes[:6])
    total = sum(document["layer MB"].values())
    told = f"The layer holds {total:.0f} MB unpacked (measured for this machine's Python); most of it: {largest}."
    return f"{table(('function', 'ms', 'modules', 'peak MB'), rows)}\n\n{told}"


def bad_days(measured: Measured) -> str:
    """Return the table of five faults, each met by everybody."""
    document = measured.documents.get(five_faults.NAME)
    if document is None:
        return missing(five_faults.NAME)
    rows = [five_faults.told(five_faults.Outcome(**each)) for each in document["outcomes"]]
    return table(five_faults.HEAD, _once(rows))


BLOCKS: Mapping[str, Callable[[Measured], str]] = {
    "machines": machines,
    "goals": goals,
    "side by side": side_by_side,
    "asked for": asked_for,
    "ahead": ahead,
    "growth": growing,
    "scans": scans,
    "latency": delays,
    "cold starts": cold_starts,
    "five faults": bad_days,
}


# --- tables


def _runs(measured: Measured) -> list[tuple[str, str, Mapping[str, Spread]]]:
    """Return run, who, and figures, run by run."""
    found = measured.documents.get("result", {}).get("runs", ())
    names = dict.fromkeys(each["run"] for each in found)
    return [(run, each["who"], each["figures"]) for run in names for each in found if each["run"] == run]


def _once(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Let what stands in the first column stand there once."""
    before = ["", *(row[0] for row in rows)]
    return [("" if row[0] == last else row[0], *row[1:]) for row, last in zip(rows, before, strict=False)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def missing(name: str) -> str:
    """Say that something was not measured, and what measures it."""
    return f"Not measured yet: `{COMMANDS[name]}`."


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "0"
    middle, least, most = (_number(spread[name]) for name in ("median", "min", "max"))
    return middle if least == most else f"{middle} ({least}-{most})"


def _number(value: float) -> str:
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def main() -> int:
    """Write the page and draw its plots. 1: there is nothing to draw them with."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description="Make docs/performance.md again.")
    parser.add_argument("--take", nargs="+", choices=COMMANDS, default=[], help="take over what was measured last")
    DATA.mkdir(exist_ok=True)
    for name in parser.parse_args().take:
        shutil.copy(results.HOME / f"{name}.json", DATA)
    measured = collected()
    PAGE.write_text(rendered(PAGE.read_text(), BLOCKS, measured))
    if not rivals.PYTHON.is_file():
        sys.stderr.write("bench: the plots were not drawn: `python3 local/bootstrap.py bench` installs matplotlib\n")
        return 1
    return subprocess.run([rivals.PYTHON, "-m", "bench.plots", DATA, DATA], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
