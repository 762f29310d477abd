"""`python -m bench.cost`: docs/cost.md, USD a month from list prices and from what was counted.

Prices stand in `bench/prices.json` and nowhere else; what is asked of the cloud was counted by `make bench` and
`python -m bench.growth`; how often schedules fire, memory and alarms are read from template.yaml. What is assumed
beside these is a constant here, and is told on the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import growth, ours
from bench.page import Measured, collected, missing, rendered, table
from kartoteka.policy import Policy
from kartoteka.runtime import SECRETS_KEPT
from local.home import ROOT

PAGE = ROOT / "docs" / "cost.md"
PRICES = Path(__file__).with_name("prices.json")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
RATES = (0.001, 0.01, 0.1)
"""Shares of all clients that change a day, on either side."""
DAYS = 30
MINUTES = DAYS * 24 * 60
CALL_SECONDS = 0.3
"""Assumed of a panel call; the benchmark's take less, and the rest is added to the functions' time."""
POLLS_A_MINUTE = 5 * 3
"""Requests with which Lambda asks each queue when nothing is in it: five at a time, each waiting twenty seconds."""
RENEWED_A_DAY = 12
"""How often Lambda replaces a function's process: it starts with imports."""
PLATFORM_LOG = 400
"""Bytes that Lambda itself logs of an invocation."""
METRICS_IDLE, METRICS_BUSY = 8, 26
"""Custom metrics in an hour without a change (that each function was woken, and calls), and how many more there are in
one with changes: four figures of six concerns, what is held and in conflict."""
UNITS_OF_A_CALL = (2, 2)
"""DynamoDB's write and read units of a panel call: a slot of the rate limit, and a cursor."""
MESSAGES_A_CALL = 3
"""SQS requests of one working of a queue: sent, received, deleted."""
CHANGES_TOGETHER = 100
"""Changes of the runs of edits that were counted."""

Usage = dict[str, float]
"""Key of a price -> how much of it in a month."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What template.yaml deploys. ``fired``: the schedules' invocations in a month, those of the address pass apart."""

    functions: int
    queues: int
    alarms: int
    dashboards: int
    secrets: int
    memory_gb: float
    fired: float
    passes: float


def deployed(path: Path = ROOT / "template.yaml") -> Deployed:
    """Read the template: its schedules at their defaults, without what is deployed on a condition only."""
    template = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader that knows CloudFormation's tags
    lists = template["Mappings"]["Functions"]["All"]
    many = {"FunctionAlarms": len(lists["Names"]), "QueueAlarms": len(lists["WithQueue"])}
    resources = template["Resources"]
    always = [each for each in resources.values() if isinstance(each, dict) and "Condition" not in each]
    alarms = sum(each["Type"] == "AWS::CloudWatch::Alarm" for each in always)
    for name, count in many.items():
        alarms += count * len(resources[f"Fn::ForEach::{name}"][2])
    events = [
        event["Properties"]
        for each in always
        for event in each["Properties"].get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    ]
    fired: Counter[bool] = Counter()
    for event in events:
        default = template["Parameters"][event["ScheduleExpression"]["Ref"]]["Default"]
        fired['"rotate"' in event["Input"]] += MINUTES // _minutes(default)
    return Deployed(
        functions=len(lists["Names"]),
        queues=len(lists["WithQueue"]),
        alarms=alarms,
        dashboards=sum(isinstance(r, dict) and r["Type"] == "AWS::CloudWatch::Dashboard" for r in resources.values()),
        secrets=sum(each["Type"] == "AWS::SecretsManager::Secret" for each in always),
        memory_gb=template["Globals"]["Function"]["MemorySize"] / 1024,
        fired=fired[False],
        passes=fired[True],
    )


class _Loader(yaml.SafeLoader):
    """Reads `!Ref X` as {"Ref": "X"}, and any other tag likewise."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)


def _minutes(rate: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", rate)
    if found is None:
        raise ValueError(f"no rate: {rate}")
    return int(found[1]) * (60 if found[2] == "hour" else 1)


# --- what a month asks for


@dataclass(frozen=True, slots=True)
class Counted:
    """One run, or the difference of two: what it asks of the cloud. ``seconds`` with panel calls as long as assumed."""

    seconds: float
    sqs: float
    written: float
    read: float
    logged: float

    def __sub__(self, other: Counted) -> Counted:
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Counted(*(max(0.0, one - two) for one, two in pairs))

    def __add__(self, other: Counted) -> Counted:
        return Counted(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def times(self, factor: float) -> Counted:
        """Return so many of them."""
        return Counted(*(getattr(self, name) * factor for name in self.__slots__))

    def usage(self, memory_gb: float) -> Usage:
        """Return it by the keys of prices."""
        workings = self.sqs / MESSAGES_A_CALL
        return {
            "lambda_gb_seconds": self.seconds * memory_gb,
            "lambda_requests": workings,
            "sqs_requests": self.sqs,
            "dynamodb_write_units": self.written,
            "dynamodb_read_units": self.read,
            "log_gb": (self.logged + workings * PLATFORM_LOG) / 2**30,
        }


def counted(measured: Measured, run: str) -> Counted:
    """Return a run of Kartoteka, on PostgreSQL where that was measured. Raises KeyError where it is missing."""
    who = ours.ON_POSTGRESQL if measured.figures(ours.ON_POSTGRESQL, run) else ours.WHO
    figures = measured.figures(who, run)
    if figures is None:
        raise KeyError(run)
    median = {name: spread["median"] for name, spread in figures.items()}
    longer = CALL_SECONDS - measured.documents["result"]["asked"]["latency_ms"] / 1000
    return Counted(
        median["wall s"] + median["panel calls"] * longer,
        median["SQS requests"],
        median["DynamoDB write units"],
        median["DynamoDB read units"],
        median["log bytes"],
    )


def month(measured: Measured, stack: Deployed, clients: int, rate: float) -> Usage:
    """Return what a month asks for: so many clients, of whom a share changes each day."""
    quiet, warm = counted(measured, ours.QUIET), counted(measured, ours.QUIET_WARM)
    starting = quiet - warm
    edits = (counted(measured, ours.ERP_EDITS) - quiet) + (counted(measured, ours.PANEL_EDITS) - quiet)
    changes = clients * rate * DAYS
    busy = max(min(changes, MINUTES), changes / CHANGES_TOGETHER)
    parts = [
        warm.times(MINUTES + stack.passes / stack.functions),
        edits.times(busy / 2),
        Counted(CALL_SECONDS, 0, *UNITS_OF_A_CALL, 0).times(asked_idle()),
        Counted(starting.seconds * stack.functions * RENEWED_A_DAY * DAYS, 0, 0, 0, 0),
        Counted((_scan_seconds(measured, clients) or 0) * DAYS, 0, 0, 0, 0),
    ]
    total: Counter[str] = Counter()
    for part in parts:
        for name, amount in part.usage(stack.memory_gb).items():
            total[name] += amount  # type: ignore[assignment]
    fired = stack.fired + stack.passes
    busy_hours = min(1.0, changes / (DAYS * 24))
    fixed: Usage = {
        "lambda_requests": fired,
        "log_gb": fired * PLATFORM_LOG / 2**30,
        "scheduler_invocations": fired,
        "sqs_requests": stack.queues * POLLS_A_MINUTE * MINUTES,
        "metric_months": METRICS_IDLE + busy_hours * METRICS_BUSY,
        "alarm_months": stack.alarms,
        "dashboard_months": stack.dashboards,
        "secret_months": stack.secrets,
        "secret_calls": stack.functions * stack.secrets * MINUTES * 60 / SECRETS_KEPT,
        "parameter_calls": stack.functions * MINUTES * 60 / SECRETS_KEPT,
    }
    for name, amount in fixed.items():
        total[name] += amount  # type: ignore[assignment]
    return dict(total)


def asked_idle() -> float:
    """Return the panel calls of a month in which nothing happens, by the default policy: the feed's and the pass's."""
    policy = Policy()
    return MINUTES * 60 / policy.panel.poll.max_seconds + policy.delivery_addresses.calls_per_day * DAYS


def _scan_seconds(measured: Measured, clients: int) -> float | None:
    """Return the seconds of a daily full scan: None where it was not measured with so many clients."""
    figures = measured.of_size(clients, growth.SCAN)
    return figures["wall s"]["median"] if figures else None


def first_load(measured: Measured, stack: Deployed, clients: int) -> Usage:
    """Return what a first load and its echo ask for, once."""
    quiet = counted(measured, ours.QUIET)
    runs = [counted(measured, run) - quiet for run in (ours.FIRST_LOAD, ours.ECHO, ours.CONFIRMED)]
    share = clients / measured.documents["result"]["asked"]["customers"]
    return (runs[0] + runs[1] + runs[2]).times(share).usage(stack.memory_gb)


# --- the page


def prices() -> Mapping[str, Any]:
    """Return the file of prices."""
    found: dict[str, Any] = json.loads(PRICES.read_text())
    return found


def usd(usage: Usage) -> float:
    """Return what this comes to."""
    listed = prices()["prices"]
    return sum(amount * float(listed[name]["usd"]) for name, amount in usage.items())


def totals(measured: Measured) -> str:
    """Return the table of months."""
    if "result" not in measured.documents:
        return missing("result")
    stack = deployed()
    rows = [(f"{size:,}", *(f"{usd(month(measured, stack, size, rate)):,.2f}" for rate in RATES)) for size in SIZES]
    text = table(("clients", *(f"{rate:.1%} change a day" for rate in RATES)), rows)
    unknown = [f"{size:,}" for size in SIZES if _scan_seconds(measured, size) is None]
    if unknown:
        text += f"\n\nWithout the daily full scan of {', '.join(unknown)} clients, which was not measured."
    return text


def parts(measured: Measured) -> str:
    """Return what two of these months consist of."""
    if "result" not in measured.documents:
        return missing("result")
    stack, listed = deployed(), prices()["prices"]
    months = [month(measured, stack, size, 0.01) for size in (10_000, 1_000_000)]
    rows = []
    for name, price in listed.items():
        amounts = (each.get(name, 0.0) for each in months)
        told = (text for amount in amounts for text in (_amount(amount), f"{amount * price['usd']:.2f}"))
        rows.append((price["service"], price["unit"], *told))
    rows.append(("sum", "", "", f"**{usd(months[0]):.2f}**", "", f"**{usd(months[1]):.2f}**"))
    return table(("service", "unit", "10,000 clients", "USD", "1,000,000 clients", "USD"), rows)


def loads(measured: Measured) -> str:
    """Return the table of first loads."""
    if "result" not in measured.documents:
        return missing("result")
    stack = deployed()
    rows = [(f"{size:,}", f"{usd(first_load(measured, stack, size)):.4f}") for size in SIZES]
    return table(("clients", "USD, once"), rows)


def listed_prices(_measured: Measured) -> str:
    """Return the table of prices."""
    document = prices()
    rows = [
        (each["service"], each["unit"], f"{each['usd']:.10f}".rstrip("0").rstrip("."), each["seen"])
        for each in document["prices"].values()
    ]
    head = f"{document['region']}, {document['read']}. {document['note']}"
    return f"{head}\n\n{table(('service', 'unit', 'USD', 'seen'), rows)}"


def assumed(_measured: Measured) -> str:
    """List what was assumed."""
    stack = deployed()
    return f"""\
- A panel call takes {CALL_SECONDS:g} s. While nothing happens there are {asked_idle():,.0f} of them in {DAYS} days
  (default policy: the feed's, and all that the pass over addresses may make).
- {stack.functions} functions of {stack.memory_gb:g} GB; schedules at the template's defaults, which come to
  {stack.fired + stack.passes:,.0f} invocations in {DAYS} days.
- Lambda asks each of {stack.queues} empty queues {POLLS_A_MINUTE} times a minute: five long polls of twenty seconds, as
  AWS documents for standard queues; it is not documented for FIFO queues.
- Lambda replaces a function's process {RENEWED_A_DAY} times a day, and logs {PLATFORM_LOG} bytes an invocation itself.
- Changes come one in a minute as long as there are minutes: each pays for a run of its own, as dear as one with
  {CHANGES_TOGETHER} changes was. Half of them are made in the ERP, half in the panel.
- {METRICS_IDLE} custom metrics in an hour without a change, {METRICS_BUSY} more in one with changes.
- {stack.alarms} alarms; a dashboard (parameter `Dashboard`); {stack.secrets} secrets, which each function reads again
  every {SECRETS_KEPT} s.
"""


BLOCKS = {"totals": totals, "parts": parts, "loads": loads, "prices": listed_prices, "assumed": assumed}


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 or amount == int(amount) else f"{amount:.2f}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(rendered(PAGE.read_text(), BLOCKS, collected()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
