"""`kartoteka undo`: what a run has written goes back, where nobody has edited since."""

from __future__ import annotations

from typing import Any

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from cli.moment import moment

MOMENT = moment("like 2026-11-27T14:00, in UTC")
LISTED = ("id", "client_id", "concern", "item_id", "action", "field", "direction", "value_from", "value_to", "outcome")


@click.command()
@click.argument("run", required=False)
@click.option("--since", metavar="T", callback=MOMENT, help="What was written from then on (ISO 8601, UTC).")
@click.option("--until", metavar="T", callback=MOMENT, help="And before then.")
@show.of_concern
@click.option("--client", metavar="ID", help="Of this client alone.")
@click.option("--yes", is_flag=True, help="Approve it at once: the next run carries it out.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Rows to show.")
@where
@show.language
@show.as_json
def undo(  # noqa: PLR0913 - the options of the command
    run: str | None,
    since: str | None,
    until: str | None,
    concern: str | None,
    client: str | None,
    *,
    yes: bool,
    limit: int,
    where: Where,
    lang: str,
    as_json: bool,
) -> None:
    """Plan to restore what RUN has written, or a span of time, on both sides; `kartoteka history` names the runs.

    A field that was edited since on either side is left alone. Nothing is written before the plan is approved: with
    --yes, by `kartoteka plan approve`, on the page, or by one UPDATE of `sync_plan`.
    """
    if (run is None) == (since is None):
        raise click.UsageError(show.said("name a run, or give --since"))
    if until is not None and since is None:
        raise click.UsageError(show.said("--until ends a span that --since begins"))
    if since is not None and until is not None and since >= until:
        raise click.UsageError(show.said("--until must be later than --since"))
    with door(where) as desk, show.working("planning the undo"):
        asked = {"run_id": run, "since": since, "until": until, "concern": concern, "client_id": client}
        found = desk.post("undo", **asked, yes="1" if yes else None)
    if as_json:
        show.document(found)
        return
    show.table("Undo", LISTED, ([row[name] for name in LISTED] for row in found["rows"][:limit]))
    _tell(found, lang, shown=limit)


def _tell(found: dict[str, Any], lang: str, *, shown: int) -> None:
    if len(found["rows"]) > shown:
        show.say("and {more}: --limit or --client shows them", more=show.many(len(found["rows"]) - shown, "more row"))
    if found["left_alone"]:
        show.say("{fields} left alone: edited since", fields=show.many(found["left_alone"], "field"))
    if found["back_already"]:
        show.say("{fields} with the value of before already", fields=show.many(found["back_already"], "field"))
    if found["carried"]:
        records = show.many(found["carried"], "record")
        show.say("{records} with an undo that is approved and not carried out yet", records=records)
    for each in [*found["waits"], *found["messages"]]:
        click.echo(each[f"message_{lang}"])
    if not found["done"]:
        show.say("nothing is to be undone")
        return
    facts = {"rows": show.many(found["done"], "row"), "clients": show.many(found["clients"], "client")}
    if found["approved"]:
        show.say("{rows} of {clients} approved; the next run carries them out", **facts)
    else:
        show.say(
            "{rows} of {clients} planned: approve them by `kartoteka plan approve`, on the page, or by the same with "
            "--yes",
            **facts,
        )
