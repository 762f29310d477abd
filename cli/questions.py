"""`kartoteka questions`: clients whose account cannot be told, and a person's answer."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where

COLUMNS = ("panel_client_id", "login", "external_code", "tax_number", "mail", "matched_by", "decision")


@click.group(invoke_without_command=True)
@where
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Accounts to list.")
@show.as_json
@click.pass_context
def questions(ctx: click.Context, where: Where, limit: int, as_json: bool) -> None:
    """List the clients whose account cannot be told, each with the accounts that it may be."""
    if ctx.invoked_subcommand is not None:
        return
    with door(where) as desk:
        rows = desk.rows("questions", limit)
    if as_json:
        show.document({"questions": rows})
        return
    found = ((row["client_id"], *(account[name] for name in COLUMNS)) for row in rows for account in row["accounts"])
    show.table("Questions", ("client", *COLUMNS), found)
    if not rows:
        show.text("questions.none")


@questions.command()
@click.argument("client_id", metavar="CLIENT")
@click.argument("panel_client_id", metavar="PANEL_CLIENT_ID")
@where
@show.as_json
@click.pass_context
def link(ctx: click.Context, client_id: str, panel_client_id: str, where: Where, as_json: bool) -> None:
    """Link the client to this account: the next run does it, and gives the account the client's code."""
    with door(where) as desk:
        desk.post("questions/link", client_id=client_id, panel_client_id=panel_client_id)
    if show.wants_json(ctx, as_json):
        show.document({"client_id": client_id, "decision": "link", "panel_client_id": panel_client_id})
        return
    show.say("{client} is account {account}; the next run links them", client=client_id, account=panel_client_id)


@questions.command()
@click.argument("client_id", metavar="CLIENT")
@where
@show.as_json
@click.pass_context
def create(ctx: click.Context, client_id: str, where: Where, as_json: bool) -> None:
    """Open a new account for the client: none of those found is its own."""
    with door(where) as desk:
        desk.post("questions/create", client_id=client_id)
    if show.wants_json(ctx, as_json):
        show.document({"client_id": client_id, "decision": "create"})
        return
    show.say("{client} gets a new account with the next run", client=client_id)
