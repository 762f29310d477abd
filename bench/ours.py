"""Kartoteka's runs: from the installation to edits on both sides, each in a fresh process of the functions.

A tick is what a minute of the deployed stack does: every schedule fires once, and the queues are served until they are
empty. Between the runs lie some minutes that nobody waits for: both clocks are put on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench import cloud, lambdas
from bench.customers import ERP_STREET, PANEL_CITY, Row, some
from bench.erp import Erp
from bench.figures import Figures
from bench.panel import BenchPanel
from bench.processes import BenchFailure
from bench.trade import Shown, Trade, trade

WHO = "Kartoteka"
ON_POSTGRESQL = "Kartoteka on PostgreSQL"
MINUTE = 60
"""Seconds from a load to the next tick."""
PAUSE = 660
"""Seconds between other runs: more than the feed's overlap and its longest wait, so that each run stands for itself."""
KNOWN_OF_FIVE = 3
"""Of five clients so many have an account in the panel at first contact."""

FIRST_CONTACT = "first contact"
FIRST_LOAD = "first load"
ECHO = "its echo"
CONFIRMED = "echo confirmed"
QUIET = "no change"
QUIET_WARM = "no change, warm process"
ERP_EDITS = "changed in the ERP"
EDITS_ECHO = "echo of the ERP's edits"
PANEL_EDITS = "changed in the panel"
TRADE = "addresses, groups, credit"
TRADE_ECHO = "their echo"
TRADE_EDITS = "prices and figures changed"
ADDRESSES_READ = "address pass"


@dataclass(slots=True)
class Bench:
    """One installation of Kartoteka, and what has been measured on it."""

    home: Path
    endpoint: str
    panel: BenchPanel
    erp: Erp
    stack: cloud.Stack
    measured: dict[str, Figures]
    clock: float = 0.0

    def all_runs(self, clients: list[Row], edits: int) -> dict[str, Figures]:
        """Make every run in turn, and check after each that the clients are in step."""
        self.run("installation")
        self.erp.fill(clients)
        self.run(FIRST_LOAD)
        self._check_accounts(clients)
        self.later(MINUTE)
        self.run(ECHO)
        self.later()
        self.run(CONFIRMED)
        self.later()
        self.run_quiet()
        self._edit_in_erp(edits)
        self._edit_in_panel(edits)
        self._trade(clients, edits)
        return self.measured

    def contact(self, clients: list[Row]) -> dict[str, Figures]:
        """Meet a panel that has an account, without the code, for three clients of five; none may be doubled."""
        there = [client for n, client in enumerate(clients) if n % 5 < KNOWN_OF_FIVE]
        self.panel.seed([_account(n, client) for n, client in enumerate(there)])
        self.erp.fill(clients)
        self.run(FIRST_CONTACT)
        self._check_accounts(clients)
        return self.measured

    def later(self, seconds: float = PAUSE) -> None:
        """Let some time pass on both sides."""
        self.clock += seconds
        self.panel.shift_clock(self.clock)

    def run(self, name: str) -> None:
        """Make one tick in a fresh process, from its start to empty queues."""
        self._measure({name: self._tick})

    def run_quiet(self) -> None:
        """Make two ticks in which nothing has changed: in a fresh process, and in the same one at its next minute.

        The first asks the panel for news, the second has no reason to.
        """
        self._measure({QUIET: self._tick, QUIET_WARM: self._minute})

    def _measure(self, runs: Mapping[str, Callable[[lambdas.Functions, lambdas.Poller], None]]) -> None:
        poller = lambdas.Poller(self.endpoint, self.stack)
        log = self.home / "functions.log"
        began, used, logged = time.monotonic(), 0.0, 0
        with lambdas.environment(self.stack, log) as functions:
            if self.clock:
                functions.shift_clock(self.clock)
            for n, (name, work) in enumerate(runs.items()):
                if n:
                    began = time.monotonic()
                self.panel.forget_calls()
                work(functions, poller)
                wall = time.monotonic() - began
                told = functions.figures()
                counts = _counts(told["counts"], poller.counting.taken(), functions.log_bytes() - logged)
                self.measured[name] = Figures(wall, told["cpu"] - used, told["peak_mb"], self.panel.calls(), counts)
                used, logged = told["cpu"], functions.log_bytes()
        if left := poller.left():
            raise BenchFailure(f"{left} messages are left in the queues")
        if wrong := self.erp.unsettled():
            raise BenchFailure(f"after '{name}' {wrong} records are not in step")

    @staticmethod
    def _tick(functions: lambdas.Functions, poller: lambdas.Poller) -> None:
        poller.tick(functions)

    @staticmethod
    def _minute(functions: lambdas.Functions, poller: lambdas.Poller) -> None:
        poller.tick(functions, at_once=False)

    # --- edits

    def _edit_in_erp(self, edits: int) -> None:
        self.later()
        links = self.erp.links()
        ids = some(sorted(links), edits)
        self.erp.move(ids)
        self.run(ERP_EDITS)
        moved = {str(each["id"]) for each in self.panel.accounts() if each["street"] == ERP_STREET}
        if moved != {links[each] for each in ids}:
            raise BenchFailure(f"the ERP's edits did not reach the panel: {len(moved)} of {len(ids)}")
        self.later()
        self.run(EDITS_ECHO)

    def _edit_in_panel(self, edits: int) -> None:
        self.later()
        links = self.erp.links()
        ids = some(sorted(links), edits)
        for each in ids:
            self.panel.edit(int(links[each]), {"city": PANEL_CITY})
        self.run(PANEL_EDITS)
        if set(self.erp.cities(ids)) != {PANEL_CITY}:
            raise BenchFailure("the panel's edits did not reach the ERP")

    # --- addresses, groups, credit

    def _trade(self, clients: list[Row], edits: int) -> None:
        self.later()
        rows = trade(clients, self.now())
        self.erp.trade(rows)
        self.run(TRADE)
        self._check_trade(TRADE, rows)
        self.later(MINUTE)
        self.run(TRADE_ECHO)
        self.later()
        changed = rows.edited(edits, self.now())
        self.erp.correct(changed)
        self.run(TRADE_EDITS)
        self._check_trade(TRADE_EDITS, rows.with_edits(changed))
        self.later()
        self._measure({ADDRESSES_READ: self._pass})
        self._check_accounts(clients)

    @staticmethod
    def _pass(functions: lambdas.Functions, poller: lambdas.Poller) -> None:
        functions.invoke(*lambdas.PASS)
        poller.serve(functions)

    def now(self) -> datetime:
        """Return the moment on both sides, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.clock)

    def _check_trade(self, run: str, rows: Trade) -> None:
        shown = shown_by(self.panel, rows)
        if wrong := rows.shown().differences(shown):
            raise BenchFailure(f"after '{run}' the panel does not show what the ERP has: {', '.join(wrong)}")

    def _check_accounts(self, clients: list[Row]) -> None:
        accounts = self.panel.accounts()
        codes = {each["external_code"] for each in accounts}
        if len(accounts) != len(clients) or codes != {client["id"] for client in clients}:
            raise BenchFailure(f"{len(clients)} clients, but {len(accounts)} accounts with {len(codes)} codes")


def shown_by(panel: BenchPanel, rows: Trade) -> Shown:
    """Return what the panel shows of these rows' clients and groups."""
    accounts = {each["external_code"]: each for each in panel.accounts()}
    names = {row["name"] for row in rows.groups}
    groups = [each for each in panel.groups() if each["name"] in names]
    numbers = {each["id"]: str(each["name"]) for each in groups}
    return Shown(
        {code: sorted(a["street"] for a in each["addresses"]) for code, each in accounts.items() if each["addresses"]},
        {
            code: numbers.get(each["discount_group_id"], "?")
            for code, each in accounts.items()
            if each["discount_group_id"]
        },
        {str(each["name"]): {int(p["id"]): Decimal(p["price"]) for p in each["prices"]} for each in groups},
        {
            code: (Decimal(each["credit_limit"]), Decimal(each["balance"]), each["payment_days"])
            for code, each in accounts.items()
            if Decimal(each["credit_limit"]) or each["payment_days"]
        },
    )


def _account(n: int, client: Row) -> dict[str, Any]:
    """Return the account that a client had before: with another e-mail where there is a tax number to tell."""
    known = {name: value for name, value in client.items() if name != "id" and value is not None}
    return known | {"login": f"shop-{n}"} | ({"email": f"old-{n}@example.com"} if client["nip"] and n % 2 else {})


def install(home: Path, endpoint: str, panel: BenchPanel, erp: Erp, name: str) -> Bench:
    """Return a fresh installation between an empty panel and an empty exchange database."""
    panel.empty()
    stack = cloud.make_stack(endpoint, name, panel_url=panel.url, panel_key=panel.key, erp_url=erp.url)
    return Bench(home, endpoint, panel, erp, stack, {})


def _counts(own: Mapping[str, float], polled: Mapping[str, float], logged: int) -> dict[str, float]:
    """Sum up what the functions and the pollers asked for. Empty polls are left out: Lambda's own are not ours."""
    sqs = sum(count for name, count in own.items() if name.startswith("sqs "))
    deletes = polled.get("sqs DeleteMessageBatch", 0)
    shown: dict[str, Any] = {
        "SQL reads": own.get("sql reads", 0),
        "SQL writes": own.get("sql writes", 0),
        "DynamoDB read units": own.get("dynamodb read units", 0),
        "DynamoDB write units": own.get("dynamodb write units", 0),
        "SQS requests": sqs + 2 * deletes,
        "log bytes": logged,
    }
    details = {name: count for name, count in own.items() if name.partition(" ")[0] in ("dynamodb", "sqs", "ssm")}
    return shown | details | {name: c for name, c in own.items() if name.startswith("secretsmanager ")}
