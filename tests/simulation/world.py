"""The whole of a history's world: one clock, the two sides, two stacks, processes under way, and what is expected.

What people edit is remembered with the moment of the edit, and every value that a side was ever seen with.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kartoteka.model import Side, Value
from kartoteka.policy import Policy, parse
from tests.fakes.exchange import ErpTransaction, FakeExchange
from tests.fakes.panel import FakePanel
from tests.simulation.clock import Clock
from tests.simulation.processes import Process
from tests.simulation.stack import FEED, Stack
from tests.simulation.trace import Trace
from tests.world import CONCERNS

CLIENTS = ("C-1", "C-2", "C-3")
EDITED = ("street", "city", "company", "email")
LINES = ("street", "city")
CANARY = "kanarek"
"""In every personal value that is ever written here, in capitals or not, and in nothing else."""

TEXTS = (
    "{}",
    '{"billing": {"conflict": "panel"}}',
    '{"billing": {"conflict": "hold"}, "delivery_addresses": {"conflict": "hold"}}',
    """{"panel": {"batch_size": 1}, "discounts": {"unassigned": "remove"},
        "billing": {"fields": {"city": {"conflict": "hold"}, "company": {"direction": "panel_to_erp"}}}}""",
    '{"brake": {"min_records": 1, "max_share": 0.3}, "delivery_addresses": {"conflict": "panel"}}',
    '{"mode": "plan"}',
)
POLICIES: tuple[Policy, ...] = tuple(map(parse, TEXTS))
DEFAULT, PANEL_WINS, HOLDING, ONE_BY_ONE, BRAKED, PLANNING = range(len(POLICIES))

ADDRESS = "address "
Place = tuple[str, str]
"""What an edit is of: a client or an address (by its own additional line), and the field."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The last edit of a place on one side. ``alone``: both sides were equal before, so that it is no conflict."""

    value: str
    moment: int
    alone: bool


class Simulation:
    """The world of one history.

    ``faults`` counts what went wrong in it, by kind; ``moment`` orders what happens, ``steps`` counts calls of ports.
    ``last`` and ``seen``: the last edit of each place on each side, and every value that it was seen with.
    ``window``: edits in the panel between our read and our write, which no client of this panel can see.
    ``written``: all personal values that a person has written; ``bad``: clients that the panel has something against;
    ``unanswered``: places that we have written without an answer, and have not looked at since; ``theirs``: the
    delivery addresses that were added in the panel. ``capitals``: the panel shows towns in these.
    """

    def __init__(self, policy: Policy, *, trace: Trace, capitals: bool) -> None:
        self.clock = Clock()
        self.trace = trace
        self.policy = policy
        self.numbers = itertools.count(1)
        self.exchange = FakeExchange(clock=self.clock.now)
        self.panel = FakePanel(clock=self.clock.now)
        if capitals:
            self.panel.keeps = _in_capitals
        self.stacks = (Stack(self, "a"), Stack(self, "b"))
        self.processes: list[Process] = []
        self.faults: Counter[str] = Counter()
        self.moment = 0
        self.steps = 0
        self.window = 0
        self.last: dict[tuple[Side, Place], Edit] = {}
        self.seen: dict[tuple[Side, Place], set[str]] = {}
        self.written: set[str] = set()
        self.theirs: set[str] = set()
        self.unanswered: dict[Place, int] = {}
        self.bad: set[str] = set()
        self.slow: tuple[ErpTransaction, str, str, str] | None = None
        self.kept: dict[str, Any] = {}
        self.fate: tuple[int, bool] | None = None
        self.violations: list[str] = []
        self.writes: list[tuple[str, str]] = []
        stranger = {"email": self.value("email"), "street": self.value("street"), "company": self.value("company")}
        self.panel.register(stranger, login="inna", external_code="")

    # --- the machinery

    @property
    def owner(self) -> Stack:
        """The stack whose the database is; the first one where it is nobody's."""
        holder = self.exchange.holder
        return next((s for s in self.stacks if holder and s.name == holder.installation), self.stacks[0])

    @property
    def other(self) -> Stack:
        """The stack that is not the owner."""
        return next(stack for stack in self.stacks if stack is not self.owner)

    def start(self, process: Process | None, steps: int | None = None) -> Process | None:
        """Let an invocation begin, and make so many calls of ports, or all."""
        if process is None:
            return None
        if self.fate:
            (process.dies_at, process.dies_after), self.fate = self.fate, None
        process.paused = frozenset(concern for concern, (reason, _) in self.exchange.stops.items() if reason)
        self.processes.append(process)
        self.go_on(process, steps)
        return process

    def go_on(self, process: Process, steps: int | None = None) -> None:
        """Let a process make so many calls of ports more, or all; one whose time is over dies."""
        if self.clock.now() >= process.deadline:
            self.faults["function timed out"] += 1
            self.kill(process)
        else:
            process.go_on(steps)
            self.ended(process)

    def kill(self, process: Process) -> None:
        """Let a process that is under way die."""
        process.kill()
        self.ended(process)

    def ended(self, process: Process) -> None:
        """Do what follows where a process has ended."""
        if not process.ended:
            return
        self.processes.remove(process)
        what = type(process.error).__name__ if process.error else "answered"
        self.trace.add(f"{process.name} {what} {process.answer if self.trace.telling else ''}")
        if process.dies_at is not None and process.error is not None:
            self.faults["process died"] += 1
        if process.error is not None:
            self.unanswered |= dict.fromkeys(process.sends, self.moment)
        process.stack.finished(process)
        if process.error is not None and type(process.error).__name__ not in ("Killed", "Retry", "Halt"):
            self.violations.append(f"{process.name} has failed: {type(process.error).__name__}: {process.error}")

    def kill_all(self) -> None:
        """Let every process that is under way die."""
        for process in list(self.processes):
            self.kill(process)

    def time_passes(self, seconds: float) -> None:
        """Let time pass; functions whose time is over die."""
        self.clock.passes(seconds)
        for process in list(self.processes):
            if self.clock.now() >= process.deadline:
                self.go_on(process)

    def tick(self) -> None:
        """Do what ``kartoteka tick`` does: every schedule at once, then the queues until they are empty."""
        stack, written = self.owner, len(self.writes)
        for concern in CONCERNS:
            self.start(stack.wake(concern, due="all"))
        self.start(stack.wake("delivery_addresses", "rotate", due="all"))
        self.start(stack.wake(FEED, due="all"))
        self.drain(stack)
        if len(self.writes) > written:
            self.start(stack.wake(FEED, due="all"))
            self.drain(stack)
        self.time_passes(61)

    def drain(self, stack: Stack) -> None:
        """Work what may be worked now of this stack's queues."""
        for _ in range(100):
            if not any([self.start(stack.deliver(concern)) for concern in CONCERNS]):
                return
        self.violations.append("the queues do not run empty")

    @property
    def needs_a_day(self) -> bool:
        """Whether something went wrong that is found by a daily scan alone."""
        return bool(NEEDS_A_DAY & self.faults.keys())

    # --- what is heard of each call of a port

    def before(self, process: Process, step: str, args: tuple[Any, ...]) -> None:
        """Hear of a call that is about to be made."""
        self.moment += 1
        self.steps += 1
        if self.trace.telling:
            self.trace.add(f"    {process.name} {step} {_short(args)}")
        else:
            self.trace.add(f"{process.name} {step}")
        if step in ("panel.update", "panel.update_addresses"):
            for write in args[0]:
                self._overwrites(process, write)

    def after(self, process: Process, step: str, args: tuple[Any, ...], answer: Any) -> None:
        """Hear of a call that was made."""
        port, _, method = step.partition(".")
        if isinstance(answer, Exception):
            self.trace.add(f"{process.name} {step}: {answer}")
        elif self.trace.telling:
            self.trace.add(f"    {process.name} {step}: {_short(answer)}")
        if port == "panel":
            if method in WRITES:
                self.writes.append((process.name, method))
                self._may_write(process, method)
                self.note()
            else:
                self._read(process, method, args, answer)
            if isinstance(answer, Exception):
                self.unanswered |= dict.fromkeys(process.sends, self.moment)
        elif step == "records.save":
            self.note()
            if process.received:
                self._looked_at(process)
            process.sends.clear()

    def _looked_at(self, process: Process) -> None:
        """Forget which calls were not answered about what a worker has read since, and stored."""
        read = {
            self.panel.accounts[key].external_code: at for key, at in process.seen.items() if key in self.panel.accounts
        }
        lines = max((at for key, at in process.seen.items() if key.startswith("lines:")), default=0)
        for (name, field), moment in list(self.unanswered.items()):
            if (lines if name.startswith(ADDRESS) else read.get(name, 0)) > moment:
                del self.unanswered[name, field]

    def _may_write(self, process: Process, method: str) -> None:
        """Say where one writes that must not: a paused concern, or a stack that is not the owner."""
        holder = self.exchange.holder
        if holder and holder.installation != process.stack.name and process.begun > holder.since:
            self.violations.append(f"{process.stack.name} has written ({method}), the database is another stack's")
        if process.concern in process.paused:
            self.violations.append(f"{process.concern} is paused and has written ({method})")

    def _read(self, process: Process, method: str, args: tuple[Any, ...], answer: Any) -> None:
        if isinstance(answer, Exception):
            return
        if method in ("read", "addresses"):
            kind = "lines:" if method == "addresses" else ""
            process.seen.update(dict.fromkeys((kind + key for key in args[0]), self.moment))
        elif method == "find":
            process.seen.update(dict.fromkeys((found.panel_client_id for found in answer), self.moment))
        elif method == "changed":
            process.seen.update(dict.fromkeys((found.panel_client_id for found in answer.found), self.moment))

    def _overwrites(self, process: Process, write: Any) -> None:
        """Take back what is expected of an edit that this write overwrites, where it was made since we have read.

        The panel has no compare-and-set: no client can see such an edit.
        """
        key = self.panel._ids_by_login.get(write.login, "")
        address = getattr(write, "panel_address_id", "")
        if address:
            owner, shown = self.panel.delivery.get(address, ("", None))
            if shown is None:
                return
            name, read = ADDRESS + str(shown.values["additional"]), process.seen.get(f"lines:{owner}", 0)
        else:
            account = self.panel.accounts.get(key)
            if account is None:
                return
            name, read = account.external_code, process.seen.get(key, 0)
        process.sends |= {(name, field) for field in write.values}
        for field in write.values:
            edit = self.last.get((Side.PANEL, (name, field)))
            if edit and edit.moment > read:
                del self.last[Side.PANEL, (name, field)]
                self.window += 1

    # --- what is remembered

    def edits(self, side: Side, place: Place, value: str, do: Callable[[], object]) -> None:
        """Let somebody edit a place on one side, and remember it.

        What is edited in the panel while the answer to our own write of it is missing counts as edited on both sides:
        nobody can tell then whether that write has come before.
        """
        erp, panel = self.shown(place)
        unsure = side is Side.PANEL and place in {*self.unanswered, *(p for each in self.processes for p in each.sends)}
        alone = None not in (erp, panel) and alike(erp) == alike(panel) and not unsure
        do()
        self.moment += 1
        self.last[side, place] = Edit(value, self.moment, alone)
        self.note()

    def shown(self, place: Place) -> tuple[str | None, str | None]:
        """Return what the ERP and the panel show of a place; None where a side does not have its record."""
        name, field = place
        if name.startswith(ADDRESS):
            found = {side: next((v for _, n, _, v in some if n == name), None) for side, some in self.lines().items()}
            erp, panel = found[Side.ERP], found[Side.PANEL]
        else:
            key = self.account_of(name)
            erp, panel = self.exchange.clients.get(name), self.panel.accounts[key].values if key else None
        return (
            None if erp is None else str(erp.get(field) or ""),
            None if panel is None else str(panel.get(field) or ""),
        )

    def note(self) -> None:
        """Remember every value that each side is seen with."""
        seen = self.seen
        codes = {account.external_code: account for account in self.panel.accounts.values()}
        for client in CLIENTS:
            row, account = self.exchange.clients.get(client), codes.get(client)
            for field in EDITED:
                if row:
                    seen.setdefault((Side.ERP, (client, field)), set()).add(str(row[field] or ""))
                if account:
                    value = str(account.values.get(field) or "")
                    seen.setdefault((Side.PANEL, (client, field)), set()).add(value)
        for side, found in self.lines().items():
            for _, name, _, values in found:
                for field in LINES:
                    seen.setdefault((side, (name, field)), set()).add(str(values.get(field) or ""))

    def lines(self) -> dict[Side, list[tuple[str, str, str, Any]]]:
        """Return the addresses of each side: id, name, client or account, values."""
        rows = [
            (key, ADDRESS + str(r["additional"]), str(r["client_id"]), r) for key, r in self.exchange.addresses.items()
        ]
        shown = [
            (key, ADDRESS + str(address.values["additional"]), owner, address.values)
            for key, (owner, address) in self.panel.delivery.items()
        ]
        return {Side.ERP: rows, Side.PANEL: shown}

    def both_sides(self) -> str:
        """Return everything that either side holds."""
        accounts = [(key, a.external_code, sorted(a.values.items())) for key, a in sorted(self.panel.accounts.items())]
        rows = [(key, sorted(row.items(), key=str)) for key, row in sorted(self.exchange.clients.items())]
        return f"{rows} {accounts} {self.lines()} {self.panel.prices}"

    def account_of(self, client: str) -> str | None:
        """Return the account that carries a client's code; None: there is none."""
        found = [a.panel_client_id for a in self.panel.accounts.values() if a.external_code == client]
        return found[0] if found else None

    def value(self, what: str) -> str:
        """Return a personal value that was never written before."""
        n = next(self.numbers)
        value = f"kanarek{n}@kanarek.example" if what == "email" else f"Kanarek {n}"
        self.written.add(value)
        return value


def _in_capitals(name: str, value: Value, _: Value) -> Value:
    return value.upper() if name == "city" and isinstance(value, str) else value


NEEDS_A_DAY = {"state and queues lost", "database restored", "panel restored", "read that lies"}
"""Kinds of faults after which some of what differs is found a day later."""
WRITES = frozenset(
    {
        *("create", "update", "erase", "add_addresses", "update_addresses", "delete_addresses"),
        *("create_group", "rename_group", "delete_group", "set_prices", "remove_prices"),
    }
)
"""The panel's methods that write."""


def alike(value: object) -> str:
    """Return a value as it is compared here: the panel that shows capitals has it too."""
    return str(value or "").casefold()


def _short(what: Any) -> str:
    text = repr(what)
    return text if len(text) < 1200 else text[:1200] + "…"
