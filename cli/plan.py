"""`kartoteka plan`: what would be done, and a person's word about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from cli.moment import moment
from kartoteka.desk import plans, spreadsheet
from kartoteka.sync.planned import APPROVE, REJECT

LISTED = (
    "id",
    "client_id",
    "group_id",
    "concern",
    "item_id",
    "action",
    "field",
    "value_from",
    "value_to",
    "decision",
    "outcome",
)
MOMENT = moment("as `kartoteka plan` prints it")
FIGURES = ("waits", "totals", "forecast", "as_of", "too_many")


@click.group(invoke_without_command=True)
@where
@show.of_concern
@click.option("--client", metavar="ID", default="", help="Of this client alone.")
@click.option("--ended", is_flag=True, help="Also what was carried out, refused, or had changed (stale).")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Rows to show.")
@click.option("--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows into this file.")
@show.as_json
@click.pass_context
def plan(  # noqa: PLR0913 - the options of the command
    ctx: click.Context,
    where: Where,
    *,
    concern: str | None,
    client: str,
    ended: bool,
    limit: int,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show what would be done in the policy's `mode: plan`: rows, totals, and a forecast of calls and minutes."""
    if ctx.invoked_subcommand is not None:
        return
    with door(where, by_policy=True) as desk, show.working("reading the plan"):
        found = desk.get("plan", concern=concern, client_id=client, limit=0)
        wanted = sys.maxsize if as_json or file is not None else limit + 1
        rows = desk.rows("plan/rows", wanted, concern=concern, client_id=client, ended=ended)
    if file is not None:
        _write(file, rows)
    if as_json:
        show.document({**{name: found[name] for name in FIGURES}, "rows": rows})
        return
    show.table("Plan", LISTED, ([row[name] for name in LISTED] for row in rows[:limit]))
    if len(rows) > limit:
        left = max(len(rows), sum(found["totals"].values())) - limit
        show.say("and {more}: --limit, --client, --concern or --csv shows them", more=show.many(left, "more row"))
    _print_totals(found)
    if file is not None:
        show.say("{rows} written into {file}", rows=show.many(len(rows), "row"), file=file)


def _print_totals(found: dict[str, Any]) -> None:
    if not found["totals"]:
        show.text("plan.none")
        return
    click.echo(", ".join(f"{show.named('act', action)}: {count}" for action, count in found["totals"].items()))
    calls, minutes = found["forecast"]["panel_calls"], found["forecast"]["minutes"]
    show.say(
        "about {calls} of the panel, {minutes}", calls=show.many(calls, "call"), minutes=show.many(minutes, "minute")
    )
    for one in found["waits"]:
        click.echo(one[f"message_{show.spoken()}"])
    for one in found["too_many"]:
        show.say(
            "{concern}: {records} would be written, {of} are looked after; as a change of what is applied the brake "
            "would stop that",
            concern=one["concern"],
            records=show.many(one["records"], "record"),
            of=one["of"],
        )
    show.say("as of {as_of}: `kartoteka plan approve --all --as-of {as_of}` approves this list", as_of=found["as_of"])


def _decision(word: str, what: str) -> click.Command:
    @click.argument("ids", metavar="[ID]…", nargs=-1, type=int)
    @click.option("--all", "every", is_flag=True, help="All that is not decided yet.")
    @show.of_concern
    @click.option(
        "--as-of",
        metavar="T",
        callback=MOMENT,
        help="Leave alone what was planned later than this.",
    )
    @where
    @show.as_json
    @click.pass_context
    def decide(  # noqa: PLR0913 - the options of the command
        ctx: click.Context,
        ids: tuple[int, ...],
        every: bool,
        concern: str | None,
        as_of: str | None,
        where: Where,
        as_json: bool,
    ) -> None:
        if sum((bool(ids), every, concern is not None)) != 1:
            raise click.UsageError(show.said("say what is meant: ids, or --concern, or --all"))
        which: dict[str, object] = {"id": list(ids)} if ids else {"all": True, "concern": concern or ""}
        with door(where) as desk, show.working("writing the decision"):
            done = desk.post(f"plan/{word}", **which, as_of=as_of or "")["done"]
        if show.wants_json(ctx, as_json):
            show.document({"decision": word, "rows": done})
            return
        rows = show.many(done, "row")
        if word == APPROVE and done:
            show.say("{rows} approved; the next run carries it out", rows=rows)
        else:
            show.say("{rows} decided: {word}", rows=rows, word=word)

    decide.__doc__ = what
    return click.command(word)(decide)


plan.add_command(_decision(APPROVE, "Approve records: they are carried out exactly as planned, by the next run."))
plan.add_command(_decision(REJECT, "Reject records: they are left alone until what is planned of them changes."))


def _write(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows for a spreadsheet."""
    file.write_text(spreadsheet.text(plans.COLUMNS, rows), encoding="utf-8", newline="")
