"""`kartoteka status`: what is in step, what is not, and why."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from cli import cloud, show
from cli import stack as stacks
from cli.door import door
from cli.erp import Where, where
from cli.exits import ATTENTION, WRONG_SETTINGS, Unavailable, told
from cli.stack import Stack
from kartoteka.codes import waits_for_a_setting
from kartoteka.desk import texts
from kartoteka.fields.table import AS_OF, BALANCE, COMPANY_FIELD, CURRENCY_FIELD, LIMIT, OVERDUE
from kartoteka.ports.desk import ALL

RUNS = 5
UNMATCHED = (
    (
        "candidates",
        "clients with accounts to choose from",
        "`kartoteka questions link|create`, or set decision in sync_matches to 'link' or 'create'",
    ),
    (
        "incoming",
        "customers of the shop without a client",
        "`kartoteka incoming link` once there is one, or set client_id in incoming_clients",
    ),
    (
        "answered",
        "answers in incoming_clients not carried",
        "if it stays so: `kartoteka held`, or sync_status, of the client they name",
    ),
    ("guests", "guests of the shop", "nothing: they bought without registering"),
    ("unknown_codes", "accounts with the code of no client", "correct the code in the panel, or add the client"),
)
"""Kind of what has not found its other side -> what it is, and what to do."""
TO_TRIGGERS = {
    "missing": "`kartoteka schema upgrade --url …`, by a role that may make triggers",
    "disabled": "enable them: ALTER TABLE … ENABLE TRIGGER USER",
}
"""Why a table's changes are not all logged -> what to do."""
CREDIT = ("client_id", COMPANY_FIELD, BALANCE, LIMIT, OVERDUE, CURRENCY_FIELD, AS_OF)
FIGURES = ("reconciled", "written_to_panel", "written_to_erp", "conflicts", "held", "panel_calls")

EXIT_CODE = (
    f"Exit {WRONG_SETTINGS} where a wrong setting stops something, {ATTENTION} where something waits for a person."
)

Report = dict[str, Any]


@click.command()
@where
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Held records to list, and unread ones."
)
@click.option("--credit", is_flag=True, help="Only who will be blocked: near the credit limit, over it, or overdue.")
@click.option(
    "--near",
    type=click.IntRange(1, 100),
    default=ALL.near,
    show_default=True,
    help="With --credit: from how many per cent of the limit.",
)
@click.option("--exit-code", is_flag=True, help=EXIT_CODE)
@show.language
@show.as_json
def status(  # noqa: PLR0913 - the options of the command
    where: Where, limit: int, credit: bool, near: int, exit_code: bool, lang: str, as_json: bool
) -> None:
    """Show what is in step, what is held and why, what will be tried again, and the last runs.

    Exits 0 whatever it finds, unless --exit-code is given.
    """
    if credit:
        _tell_credit(where, limit, near, lang, as_json=as_json)
        return
    with door(where) as desk:
        report = desk.get("overview", limit=limit)
    report["cloud"] = _answered(report) or _cloud(where)
    if as_json:
        show.document(report)
    else:
        _print(report, where.stack, lang)
    halts = [report["ownership"]["code"], *(row["code"] for row in report["deferred"])]
    if exit_code and any(map(waits_for_a_setting, halts)):
        sys.exit(WRONG_SETTINGS)
    if exit_code and _waits_for_a_person(report):
        sys.exit(ATTENTION)


def _tell_credit(where: Where, limit: int, near: int, lang: str, *, as_json: bool) -> None:
    """Print who will be blocked, the one that has used most of its limit first."""
    with door(where) as desk:
        rows = desk.rows("blocked", limit, near=near)
    if as_json:
        show.document({"blocked": rows})
        return
    found = (
        [
            *(row[name] for name in CREDIT),
            "" if row["used"] is None else f"{row['used']} %",
            ", ".join(texts.say(f"blocked.{why}", lang) for why in row["why"]),
            texts.say("blocked.now", lang) if row["blocked"] else "",
        ]
        for row in rows
    )
    show.table("Will be blocked (UTC)", (*CREDIT, "used", "why", "blocked"), found)
    if not rows:
        show.text("blocked.none")


def _waits_for_a_person(report: Report) -> bool:
    """Return whether anything is held, undecided, planned, paused or not answered, or changes are not logged."""
    totals = report["totals"]
    others = (report[name] for name in ("unread", "paused", "triggers_missing"))
    return bool(totals["held"] or totals["undecided"] or report["planned"] or any(others))


def _answered(report: Report) -> Report | None:
    """Return what the desk's function says of its cloud; None where none was asked, as where a database is named."""
    if report["queues"] is None:
        return None
    found = {name: report[name] for name in ("queues", "alarms", "calls")}
    return {**found, "runs": report["runs"][:RUNS]}


def _cloud(where: Where) -> Report | None:
    """Return what the named stack says, or the local one where it runs and this is its database."""
    if not where.stack and not where.is_local():
        return None
    try:
        with told():
            return _stack(stacks.find(where.stack))
    except Unavailable:
        if where.stack:
            raise
        return None


def _stack(stack: Stack) -> Report:
    return {
        "queues": cloud.depths(stack),
        "alarms": cloud.ringing(stack),
        "runs": cloud.runs(stack, RUNS),
        "calls": cloud.calls(stack, datetime.now(UTC)),
    }


def _print(report: Report, stack: str | None, lang: str) -> None:
    totals = report["totals"]
    clients = show.many(totals["clients"], "client")
    show.say("{clients}, {linked} with an account in the panel", clients=clients, linked=totals["linked"])
    show.table("Records", ("concern", "kind", "state", "records"), (row.values() for row in report["states"]))
    _print_waiting(report, lang)
    unmatched = report["unmatched"]
    found = ((show.said(what), unmatched[n], show.said(to_do)) for n, what, to_do in UNMATCHED if unmatched[n])
    show.table("Not matched", ("what", "how many", "what to do"), found)
    show.table(
        "Deferred: tried again by themselves, unless their concern is paused",
        ("concern", "kind", "code", "records", "next due (UTC)"),
        (row.values() for row in report["deferred"]),
    )
    names = ("client_id", "group_id", "concern", "item_id", "code", f"message_{lang}", "since")
    show.table(
        "Not answered by the panel for four hours, and tried again: see the runbook",
        ("client", "group", "concern", "item", "code", "what to do", "since (UTC)"),
        ([row[name] for name in names] for row in report["unread"]),
    )
    if report["will_be_blocked"]:
        show.say(
            "{clients} near the credit limit, over it, or overdue: `kartoteka status --credit` lists them",
            clients=show.many(report["will_be_blocked"], "client"),
        )
    show.table(
        "Sent, not shown by the panel: no reading proves what it holds",
        ("concern", "field", "records"),
        (row.values() for row in report["not_shown"]),
    )
    if stopped := report["ownership"][f"message_{lang}"]:
        show.say("Stopped: {cause}", cause=stopped)
    causes = {concern: cause[f"message_{lang}"] for concern, cause in report["causes"].items()}
    for cause in dict.fromkeys(causes.values()):
        show.say("Stopped: {cause}", cause=cause)
    paused = ((concern, reason, cloud.way_on(concern, reason, stack)) for concern, reason in report["paused"].items())
    show.table("Paused", ("concern", "reason", "to go on"), paused)
    lacking = ((table, why, show.said(TO_TRIGGERS[why])) for table, why in report["triggers_missing"].items())
    show.table("Not all changes are logged: found late, by full scans", ("table", "triggers", "what to do"), lacking)
    if report["cloud"] is not None:
        _print_stack(report["cloud"])


def _print_waiting(report: Report, lang: str) -> None:
    """Print what a person must act on."""
    totals = report["totals"]
    columns = ("client", "group", "concern", "item", "code", "field", "what to do", "since (UTC)")
    names = ("client_id", "group_id", "concern", "item_id", "code", "field", f"message_{lang}", "since")
    show.table("Held: waiting for a person", columns, ([row[name] for name in names] for row in report["held"]))
    if more := totals["held"] - len(report["held"]):
        show.say("{more}: --limit {all} shows all", more=show.many(more, "more held record"), all=totals["held"])
    if report["planned"]:
        records = show.many(report["planned"], "record")
        show.say("{records} planned, to be approved: `kartoteka plan` lists them", records=records)
    if totals["conflicts"]:
        show.say(
            "{conflicts}, {undecided} not decided: `kartoteka conflicts` lists them",
            conflicts=show.many(totals["conflicts"], "open conflict"),
            undecided=totals["undecided"],
        )


def _print_stack(found: Report) -> None:
    if found["alarms"] is None:
        show.text("alarms.unknown")
    show.table(
        "Alarms that ring (UTC): see the runbook", ("alarm", "since"), (a.values() for a in found["alarms"] or ())
    )
    named = ("concern", "waiting", "in flight", "dead letters")
    show.table("Queues", named, (row.values() for row in found["queues"]))
    if found["calls"]:
        _print_calls(found["calls"])
    runs = ([row["at"], row["concern"], *(row.get(name, 0) for name in FIGURES)] for row in found["runs"])
    columns = ("at (UTC)", "concern", *(name.replace("_", " ") for name in FIGURES))
    show.table("Last runs", columns, runs)


def _print_calls(calls: Report) -> None:
    """Print how many panel calls were made, and how many the month will take if it goes on like this."""
    rows = ((gate, calls["today"].get(gate, 0), count) for gate, count in sorted(calls["month"].items()))
    show.table("Panel calls (UTC)", ("gate", "today", "this month"), rows)
    show.text("calls.used", used=f"{calls['used']:,}", forecast=f"{calls['forecast']:,}")
    if calls["budget"] is not None:
        show.text("calls.budget", budget=f"{calls['budget']:,}")
