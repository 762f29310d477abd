"""`kartoteka differences`: what was found to differ between the two sides, and was corrected."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.desk import differences as report


@click.command()
@show.of_concern
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Rows to list.")
@where
@show.as_json
def differences(concern: str | None, limit: int, where: Where, as_json: bool) -> None:
    """List what differed between the two sides in the last 30 days and was corrected: by day, concern and field."""
    with door(where) as desk:
        rows = desk.rows("differences", limit, concern=concern)
    if as_json:
        show.document({"differences": rows})
        return
    show.table("Differences", report.COLUMNS, ([row[name] for name in report.COLUMNS] for row in rows))
    if not rows:
        show.text("differences.none")
