"""`kartoteka pause` and `kartoteka resume`: stop a concern's schedule from collecting, and let it go on."""

from __future__ import annotations

import click

from cli import cloud, show
from cli import stack as stacks
from cli.erp import stack_name
from cli.exits import told
from kartoteka.core.concerns import CONCERNS

FEED = "panel_feed"

_concern = click.argument("concern", type=click.Choice([*CONCERNS, FEED]))


@click.command()
@_concern
@click.option("--reason", default="operator", show_default=True, help="Shown by `status`. No names of customers.")
@stack_name
@show.as_json
@told()
def pause(concern: str, reason: str, name: str | None, as_json: bool) -> None:
    """Let a concern's schedule (or panel_feed's) collect nothing until `resume`.

    Customers in its queue are parked; they come back after `resume`, within the hour or at the next `tick`.
    """
    cloud.state(stacks.find(name)).pause(concern, reason)
    if as_json:
        show.document({"concern": concern, "paused": True, "reason": reason})
        return
    click.echo(f"{concern} is paused ({show.safe(reason)}): `kartoteka resume {concern}` ends it")


@click.command()
@_concern
@stack_name
@show.as_json
@told()
def resume(concern: str, name: str | None, as_json: bool) -> None:
    """End the pause of a concern. Nothing was lost: its cursor stands where it stood."""
    state = cloud.state(stacks.find(name))
    reason = state.paused().get(concern)
    state.resume(concern)
    if as_json:
        show.document({"concern": concern, "paused": False, "was_paused": reason is not None})
        return
    click.echo(f"{concern} goes on" if reason is not None else f"{concern} was not paused")
