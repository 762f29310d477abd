"""`kartoteka doctor`: what this panel does, before anything relies on it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import click

from cli import cloud, show, stack_findings
from cli import stack as stacks
from cli.erp import Where, opened, refuse_missing_file, unseen, where
from cli.exits import FAILED, WrongSettings, told
from cli.stack import Stack
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.doctor import bridge, database, panel, trial, writes
from kartoteka.doctor.findings import Examination, Finding, Level, examined, proposed
from kartoteka.doctor.first_contact import CODES, FIRST_CONTACT, Both
from kartoteka.doctor.panel import Patient
from kartoteka.doctor.trial import Trial
from kartoteka.policy import Policy, check

COLOURS = {Level.OK: "green", Level.LOOK: "yellow", Level.STOP: "red"}


class Pace:
    """So many panel calls a second; the doctor makes one after the other."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._next = 0.0

    def take(self, gate: str) -> None:  # noqa: ARG002
        """Wait until the next call may be made."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._between

    def slow_down(self, wait: float) -> None:
        """Make no call for so many seconds."""
        self._next = time.monotonic() + wait


@click.command()
@where
@click.option("--panel-url", metavar="URL", help="A panel without a stack; its key is read from PANEL_KEY.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy to examine with; else the stack's, else the default one.",
)
@click.option("--write", is_flag=True, help="Part B too: writes to accounts that do not exist.")
@click.option("--account", metavar="LOGIN", help="Part C too: trials on this test account; opened where there is none.")
@click.option(
    "--first-contact",
    "calls",
    type=click.IntRange(min=1),
    metavar="CALLS",
    help="Tell whose account is whose: reads all accounts, in at most so many calls.",
)
@click.option(
    "--from-bridge",
    metavar="DATABASE_URL",
    envvar="BRIDGE_URL",
    callback=unseen("BRIDGE_URL"),
    help="Read the database of the vendor's bridge instead (- asks for its address), and propose the SQL that brings "
    "it into ours.",
)
@click.option(
    "--sql",
    "sql_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --from-bridge: write the SQL there, not to standard output.",
)
@click.option("--yes", is_flag=True, help="Do not ask before each step that writes.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the findings there, as JSON, to attach to a request for support.",
)
@show.as_json
def doctor(  # noqa: PLR0913, PLR0917 - click hands over each option by its name
    where: Where,
    panel_url: str | None,
    policy_file: Path | None,
    write: bool,
    account: str | None,
    calls: int | None,
    from_bridge: str | None,
    sql_file: Path | None,
    yes: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Find out what a panel does where its descriptions leave it open, and whether database and stack are ready.

    Part A only reads. It lists its questions, asks them, and says of each answer whether it is fine (ok), worth a look
    (look) or in the way (stop), with a remedy and, where one fits, a setting of the policy. Exits 1 where something is
    in the way. Neither a key nor a customer's data are in what it prints and writes.
    """
    if from_bridge:
        _from_bridge(from_bridge, sql_file, report, as_json=as_json)
        return
    if as_json and (write or account) and not yes:
        raise click.UsageError(show.said("--json cannot ask before it writes: add --yes"))
    if calls and panel_url and where.is_local():
        raise click.UsageError(
            show.said("--first-contact compares clients: name the exchange database too, or a stack")
        )
    both = [CODES, FIRST_CONTACT] if calls else [CODES]
    chosen = [*panel.EXAMINATIONS, *(writes.EXAMINATIONS if write else ()), *(trial.EXAMINATIONS if account else ())]
    allowed = _anything if yes else _asked
    with told():
        stack = None if panel_url else stacks.find(where.stack)
        read = list(examined(stack, [stack_findings.READABLE], _anything)) if stack else []
        if stack and any(each.level is Level.STOP for each in read):
            rest = examined(stack, stack_findings.EXAMINATIONS, _anything)
            _told(list(_shown(chain(read, rest), quiet=as_json)), {}, 0, report, as_json=as_json)
        given = _policy_given(policy_file, stack)
        policy = _policy(given)
        http = _panel(panel_url, stack, policy)
        if not as_json:
            _list(http, chosen, calls)
        patient = Trial(http, policy, login=account or "")
        found: Iterator[Finding] = examined(patient, chosen, allowed)
        if stack:
            found = chain(read, examined(stack, stack_findings.EXAMINATIONS, _anything), found)
        if stack or not where.is_local():
            with opened(where) as erp:
                ours = examined(database.Patient(erp.exchange, policy), database.EXAMINATIONS, _anything)
                beside = examined(Both(patient, erp.exchange, calls or 0), both, _anything)
                findings = list(_shown(chain(ours, found, beside), quiet=as_json))
        else:
            findings = list(_shown(found, quiet=as_json))
    _told(findings, proposed(json.loads(given), findings), sum(http.calls().values()), report, as_json=as_json)


def _told(
    findings: Sequence[Finding], policy: dict[str, Any], calls: int, report: Path | None, *, as_json: bool
) -> NoReturn:
    """Tell what was found as a whole, and end the command."""
    document = {"findings": [each.as_dict() for each in findings], "policy": policy, "panel_calls": calls}
    _report(report, document)
    if as_json:
        show.document(document)
    else:
        _sum_up(findings, document)
    _exit(findings)


def _from_bridge(address: str, sql_file: Path | None, report: Path | None, *, as_json: bool) -> None:
    """Tell what the bridge's database holds, and how it gets into ours. Nothing is asked of a panel or a stack."""
    with told():
        refuse_missing_file(parse_url(address))
        patient = bridge.Patient(bridge.opened(address))
        findings = list(_shown(examined(patient, bridge.EXAMINATIONS, _anything), quiet=as_json))
        stopped = any(each.id == "bridge" and each.level is Level.STOP for each in findings)
        proposed_sql = "" if stopped else bridge.sql(patient)
    document = {"findings": [each.as_dict() for each in findings], "policy": {}, "panel_calls": 0, "sql": proposed_sql}
    _report(report, document)
    if sql_file:
        sql_file.write_text(proposed_sql, encoding="utf-8")
    if as_json:
        show.document(document)
    elif not sql_file:
        click.echo(f"\n{proposed_sql}", nl=False)
    _exit(findings)


def _report(file: Path | None, document: dict[str, Any]) -> None:
    if file:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _exit(findings: Sequence[Finding]) -> NoReturn:
    sys.exit(FAILED if any(each.level is Level.STOP for each in findings) else 0)


def _policy_given(file: Path | None, stack: Stack | None) -> bytes:
    if file:
        return file.read_bytes()
    return cloud.policy(stack).encode() if stack else b"{}"


def _panel(url: str | None, stack: Stack | None, policy: Policy) -> PanelHttp:
    """Return the panel that was named, else the stack's."""
    settings = HttpSettings(policy.panel.api_version, read_timeout=policy.panel.timeout_seconds)
    if stack:
        url, key = cloud.panel_url(stack), cloud.panel_key(stack)
    else:
        key = os.environ.get("PANEL_KEY", "").strip()
    return PanelHttp(url or "", key, Pace(policy.panel.requests_per_second), settings)


def _policy(given: bytes) -> Policy:
    found = check(given)
    if isinstance(found, Policy):
        return found
    raise WrongSettings(show.said("the policy is wrong: {places}", places="; ".join(map(str, found))))


def _list(http: PanelHttp, chosen: Sequence[Examination[Patient]], calls: int | None) -> None:
    """Tell what will be asked, before anything is."""
    reading = sum(len(each.calls) for each in chosen if not each.writes)
    show.say("{panel}: at most {calls} that only read", panel=http.root, calls=show.many(reading, "call"))
    for each in chosen:
        line = f"{len(each.calls):3}  {show.worded(each.title)}"
        asks = show.said("(asks first: {writes})", writes=show.worded(each.writes)) if each.writes else ""
        click.echo(f"{line} {asks}".rstrip())
    if calls:
        more = show.said("{title}: at most so many more", title=show.worded(FIRST_CONTACT.title))
        click.echo(f"{calls:3}  {more}")
    click.echo()


def _anything(_each: Examination[Any]) -> bool:
    return True


def _asked(each: Examination[Any]) -> bool:
    facts = {"title": show.worded(each.title), "writes": show.worded(each.writes)}
    return click.confirm(show.said("{title}: {writes}. Go on?", **facts))


def _shown(findings: Iterable[Finding], *, quiet: bool) -> Iterator[Finding]:
    """Print each finding as it comes."""
    for each in findings:
        if not quiet:
            click.secho(f"{show.said(each.level.value):5}", fg=COLOURS[each.level], nl=False)
            click.echo(f" {each.id}: {show.worded(each.sentence)}")
            if each.remedy:
                click.echo(f"      {show.worded(each.remedy)}")
            if each.setting:
                click.echo(f"      {show.said('policy: {setting}', setting=json.dumps(each.setting))}")
        yield each


def _sum_up(findings: Sequence[Finding], document: dict[str, Any]) -> None:
    counts = Counter(each.level for each in findings)
    levels = ", ".join(f"{counts[level]} {show.said(level.value)}" for level in Level)
    calls = show.many(document["panel_calls"], "call")
    click.echo("\n" + show.said("{levels}; {calls}.", levels=levels, calls=calls))
    if any(each.setting for each in findings):
        click.echo("\n" + show.said("A policy with the settings above:"))
        click.echo(json.dumps(document["policy"], indent=2, ensure_ascii=False))
