"""The page ``docs/faults.md``: what goes wrong, what must hold then, and which tests try it.

The words stand in ``tests/faults.toml``; which tests try a fault is told by their own marks, so that a test that is
renamed or deleted changes the page.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORDS = ROOT / "tests" / "faults.toml"
MARK = "pytest.mark.fault"

HEAD = """# Faults

Made from `tests/faults.toml` and from the marks of the tests (`@pytest.mark.fault(…)`) by `python -m cli.docs`. Do not
edit here.

What is known to break synchronisations, what must hold then, and the tests that try it. *Nothing is lost*: an edit that
nobody has edited over is on both sides once all is quiet. *Nothing is doubled*: a client has one account, and an
address, a group or a price is there once. Everything together is tried by the state machines in `tests/property`, which
live through random histories of edits, deaths, lost replies and outages.
"""

LIMITS = """## What a client of this panel cannot promise

- **An edit in the panel between our read and our write of the same field is overwritten.** The API has no
  compare-and-set. An account is read again right before its call, only changed fields are sent, and a writing call is
  not repeated before a look; between that read and the write, part of a second as a rule, the panel cannot be asked
  to refuse. Into the ERP's rows we write only where they still hold what was read.
- **A reply that is lost leaves open whose value is shown.** If somebody edits the same field before it is looked at
  again, nobody can tell whether our write had arrived: that is a conflict by the policy's rule, and both values are
  kept.
- **An edit within two seconds of our own write** that looks like a damaged form of it (cut, escaped, emptied) is
  taken for what the panel made of the write; dates have no finer grain
  ([0029](decisions/0029-what-the-panel-took.md)). The field is held with both values, and none is lost.
- **Typing back a value that we had sent just before** looks like a write that was not taken yet: it is sent again, up
  to three times, then held.
- **A customer who registers in the seconds between the last reading of the feed and the opening** of an account for
  the same client may have two. The API knows no key that must be unique but the log-in.
- **One account that went back alone is believed.** A restored backup is recognised by several accounts at once; one
  account that went back, and that somebody edited before the feed looked, is an edit like any other
  ([0006](decisions/0006-the-feeds-window.md)).
- **An address that somebody edited between a restore and its notice** gets the ERP's contents.
- **An account that was edited twice within one crowded window**, the second time visible late, is found by the next
  edit, or by the reading of all accounts every 30 days.
- **What is never shown is not compared**: payment days, prices of a group, `vat_eu`, `local_government`. What was
  last sent stands for it, and `kartoteka status` tells of how many records
  ([0014](decisions/0014-write-only-fields.md), [0018](decisions/0018-prices-are-write-only.md)).
- **A delivery address that was edited in the panel** does not move its customer's date on every panel; it is found by
  the rotating pass, and not at once.
- **A new address whose reply was lost** is recognised by its contents alone; if somebody edits it before it is looked
  at, there are two ([0015](decisions/0015-addresses-without-an-identity.md)).
- **Where a write empties what it does not name**, one account has lost it before anything can be known
  ([0036](decisions/0036-the-first-write-is-looked-at.md)).
- **Two workers that had one client at the same moment** could open two accounts, or add an address twice: the API has
  nothing that tells a repeated call from a new one. The FIFO queue gives the messages of a client to one worker at a
  time, and keeps one for six times as long as its function may run
  ([0002](decisions/0002-fifo-queues-keys-not-data.md)).
- **Several calls are no transaction.** Between the call that changes a client's currency and the one that sets its
  new limit the limit is 0, never another currency's figure.
- **An account cannot be deleted or merged by the API.** A wrong one is closed, or erased of its personal data.
- **What the ERP writes behind its triggers** (bulk copies, disabled triggers, a swapped table) is found by the daily
  scan, not within a minute.
"""
COLUMNS = ("no.", "what is tried", "what must hold", "tested by")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``untested``: why no test tries it; empty where one does."""

    number: int
    tried: str
    holds: str
    untested: str = ""


def groups() -> Mapping[str, list[Fault]]:
    """Return the faults by the title of their group."""
    document = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {
        group["title"]: [Fault(int(number), **words) for number, words in group["faults"].items()]
        for group in document["group"]
    }


def marked() -> Iterator[tuple[tuple[int, ...], str, str]]:
    """Yield (faults, file, function) for each mark in the tests, in the order of the files."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for numbers in _marks(node):
                    yield numbers, str(path.relative_to(ROOT)), node.name


def _marks(function: ast.FunctionDef) -> Iterator[tuple[int, ...]]:
    """Yield what each mark of a function names, also of one that is a single case's."""
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == MARK:
                yield tuple(map(ast.literal_eval, node.args))


def markdown() -> str:
    """Return the page."""
    tests: dict[int, dict[str, None]] = {}
    for numbers, file, function in marked():
        for number in numbers:
            tests.setdefault(number, {})[f"[{function}](../{file})"] = None
    tables = (line for title, faults in groups().items() for line in _group(title, faults, tests))
    return "\n".join([HEAD, *tables, LIMITS])


def _group(title: str, faults: list[Fault], tests: Mapping[int, Mapping[str, None]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield _row(*COLUMNS)
    yield _row(*["---"] * len(COLUMNS))
    for fault in faults:
        by = "<br>".join(tests.get(fault.number, ()))
        yield _row(str(fault.number), fault.tried, fault.holds, by or f"*none: {fault.untested}*")
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
