"""`kartoteka conflicts`: list them, and decide one."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.model import Side

COLUMNS = ("id", "client_id", "concern", "item_id", "field", "erp_value", "panel_value", "base_value", "raised_at")
ANSWERS = ("decision", "closed_at")


@click.group(invoke_without_command=True)
@where
@click.option("--all", "closed_too", is_flag=True, help="Closed ones too: who won, and when.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Conflicts to list.")
@show.as_json
@click.pass_context
def conflicts(ctx: click.Context, where: Where, closed_too: bool, limit: int, as_json: bool) -> None:
    """List the fields that were edited differently on both sides and wait for a person, the latest first."""
    if ctx.invoked_subcommand is not None:
        return
    with door(where) as desk:
        rows = desk.rows("conflicts", limit, all=closed_too and 1)
    if as_json:
        show.document({"conflicts": rows})
        return
    columns = (*COLUMNS, *ANSWERS) if closed_too else (*COLUMNS, "decision")
    show.table("Conflicts", columns, ([row[column] for column in columns] for row in rows))
    if not rows:
        show.text("conflicts.none")


@conflicts.command()
@click.argument("conflict_id", metavar="ID", type=int)
@click.argument("side", metavar="erp|panel", type=click.Choice([str(side) for side in Side]))
@where
@show.as_json
@click.pass_context
def decide(ctx: click.Context, where: Where, conflict_id: int, side: str, as_json: bool) -> None:
    """Settle an open conflict: the value of this side goes to the other one with the next run."""
    with door(where) as desk:
        row = desk.post("conflicts/decide", id=conflict_id, side=side)["conflict"]
    if show.wants_json(ctx, as_json):
        show.document({"id": conflict_id, "decision": side, "client_id": row["client_id"], "field": row["field"]})
        return
    about = ", ".join(filter(None, (row["client_id"], row["item_id"], row["field"])))
    show.say(
        "conflict {id} ({about}): {side} wins; the next run carries it out", id=conflict_id, about=about, side=side
    )
