"""`kartoteka history`: every field that was written, on either side."""

from __future__ import annotations

from urllib.parse import quote

import click

from cli import show
from cli.door import door
from cli.erp import Where, where

COLUMNS = (
    "at",
    "client_id",
    "group_id",
    "concern",
    "item_id",
    "field",
    "direction",
    "reason",
    "found_by",
    "value_before",
    "value_after",
    "run_id",
)


@click.command()
@click.argument("client_id", required=False)
@where
@click.option("--group", metavar="GROUP_ID", help="Of one discount group and its prices.")
@click.option("--run", metavar="RUN_ID", help="Of one run.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows to list.")
@show.as_json
def history(client_id: str | None, where: Where, group: str | None, run: str | None, limit: int, as_json: bool) -> None:
    """List what was written into the panel and into the ERP's rows, the latest first; of one client, or of all.

    An account that was opened is one row without a field; its values stand there as JSON.
    """
    if client_id is not None and group is not None:
        raise click.UsageError(show.said("give a client or a --group, not both"))
    with door(where) as desk:
        rows = [] if group == "" else desk.rows("history", limit, client_id=client_id, group_id=group, run_id=run)
        if client_id and not rows:
            desk.get(f"clients/{quote(client_id, safe='')}")  # says that there is none
    if as_json:
        show.document({"history": rows})
        return
    show.table("History (UTC)", COLUMNS, ([row[column] for column in COLUMNS] for row in rows))
    if not rows:
        show.text("history.none")
