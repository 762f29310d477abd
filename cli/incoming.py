"""`kartoteka incoming`: customers of the shop who have no client yet."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.fields.table import NAMED_BY

COLUMNS = ("panel_client_id", *NAMED_BY, "seen_at", "client_id")


@click.group(invoke_without_command=True)
@where
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Customers to list.")
@show.as_json
@click.pass_context
def incoming(ctx: click.Context, where: Where, limit: int, as_json: bool) -> None:
    """List customers who registered in the shop and have no client, the unanswered first."""
    if ctx.invoked_subcommand is not None:
        return
    with door(where) as desk:
        rows = desk.rows("incoming", limit)
    if as_json:
        show.document({"incoming": rows})
        return
    show.table("Incoming (UTC)", COLUMNS, ([row[column] for column in COLUMNS] for row in rows))
    if not rows:
        show.text("incoming.none")


@incoming.command()
@click.argument("panel_client_id", metavar="PANEL_CLIENT_ID")
@click.argument("client_id", metavar="CLIENT")
@where
@show.as_json
@click.pass_context
def link(ctx: click.Context, panel_client_id: str, client_id: str, where: Where, as_json: bool) -> None:
    """Say which client this customer is: the next run links the two and gives the account the code."""
    with door(where) as desk:
        desk.post("incoming/link", panel_client_id=panel_client_id, client_id=client_id)
    if show.wants_json(ctx, as_json):
        show.document({"panel_client_id": panel_client_id, "client_id": client_id})
        return
    show.say("account {account} is {client}; the next run links them", account=panel_client_id, client=client_id)
