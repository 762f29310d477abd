"""`kartoteka doctor`: what this panel does, before anything relies on it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from cli import cloud, show
from cli import stack as stacks
from cli.erp import stack_name
from cli.exits import FAILED, WrongSettings, told
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.doctor.findings import Examination, Finding, Level, proposed
from kartoteka.doctor.panel import EXAMINATIONS, Patient
from kartoteka.policy import Policy, check


class Pace:
    """So many panel calls a second; the doctor makes one after the other."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._next = 0.0

    def take(self) -> None:
        """Wait until the next call may be made."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._between

    def slow_down(self, wait: float) -> None:
        """Make no call for so many seconds."""
        self._next = time.monotonic() + wait


@click.command()
@stack_name
@click.option("--panel-url", metavar="URL", help="A panel without a stack; its key is read from PANEL_KEY.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy to examine with; else the stack's, else the default one.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the findings there, as JSON, to attach to a request for support.",
)
@show.as_json
def doctor(
    name: str | None, panel_url: str | None, policy_file: Path | None, report: Path | None, as_json: bool
) -> None:
    """Find out what a panel does where its descriptions leave it open, by reading alone.

    Lists its questions, asks them, and says of each answer whether it is fine (ok), worth a look (look) or in the way
    (stop), with a remedy and, where one fits, a setting of the policy. Exits 1 where something is in the way.
    """
    with told():
        url, key, given = _where(name, panel_url, policy_file)
        policy = _policy(given)
        settings = HttpSettings(policy.panel.api_version, read_timeout=policy.panel.timeout_seconds)
        patient = Patient(PanelHttp(url, key, Pace(policy.panel.requests_per_second), settings), policy)
        if not as_json:
            _list(EXAMINATIONS)
        findings = _examined(patient, EXAMINATIONS, quiet=as_json)
    document = {
        "findings": [each.as_dict() for each in findings],
        "policy": proposed(json.loads(given), findings),
        "panel_calls": sum(patient.http.calls().values()),
    }
    if report:
        report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        show.document(document)
    else:
        _print(findings, document)
    if any(each.level is Level.STOP for each in findings):
        sys.exit(FAILED)


def _where(name: str | None, panel_url: str | None, policy_file: Path | None) -> tuple[str, str, str]:
    """Return the panel's address and key, and the policy's text."""
    given = policy_file.read_text(encoding="utf-8-sig") if policy_file else ""
    if panel_url:
        return panel_url, os.environ.get("PANEL_KEY", "").strip(), given or "{}"
    stack = stacks.find(name)
    return cloud.panel_url(stack), cloud.panel_key(stack), given or cloud.policy(stack)


def _policy(text: str) -> Policy:
    found = check(text.encode())
    if isinstance(found, Policy):
        return found
    raise WrongSettings("the policy is wrong: " + "; ".join(map(str, found)))


def _list(examinations: Sequence[Examination[Any]]) -> None:
    calls = sum(len(each.calls) for each in examinations)
    click.echo(f"At most {calls} panel calls, all of them reading:")
    for each in examinations:
        click.echo(f"  {len(each.calls)}  {each.title}")
    click.echo()


def _examined(patient: Patient, examinations: Sequence[Examination[Patient]], *, quiet: bool) -> list[Finding]:
    findings: list[Finding] = []
    with Progress(disable=quiet or not sys.stdout.isatty(), transient=True) as progress:
        for each in progress.track(examinations, description="asking"):
            findings += each.findings(patient)
    return findings


def _print(findings: Iterable[Finding], document: dict[str, Any]) -> None:
    for each in findings:
        click.echo(f"{each.level.value:5} {each.id}: {show.safe(each.sentence)}")
        if each.remedy:
            click.echo(f"      {show.safe(each.remedy)}")
        if each.setting:
            click.echo(f"      policy: {json.dumps(each.setting)}")
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    told_ = ", ".join(f"{number} {level.value}" for level, number in counts.items())
    click.echo(f"\n{told_}; {document['panel_calls']} panel calls.")
