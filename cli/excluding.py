"""`kartoteka exclude` and `kartoteka include`: a client is left alone in one concern, and is looked after again."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.fields.table import CONCERNS

_client = click.argument("client_id", metavar="CLIENT")
_concern = click.argument("concern", metavar="CONCERN", type=click.Choice(list(CONCERNS)))


@click.command()
@_client
@_concern
@click.option("--reason", metavar="T", help="Why, for whoever reads it later.")
@where
@show.as_json
def exclude(client_id: str, concern: str, reason: str | None, where: Where, *, as_json: bool) -> None:
    """Leave a client alone in one concern: nothing is sent, nothing is written back, nothing is lost."""
    with door(where) as desk:
        desk.post("exclude", client_id=client_id, concern=concern, reason=reason)
    if as_json:
        show.document({"client_id": client_id, "concern": concern, "excluded": True})
        return
    show.say("{client} is left alone in {concern} from the next run on", client=client_id, concern=concern)


@click.command()
@_client
@_concern
@where
@show.as_json
def include(client_id: str, concern: str, where: Where, *, as_json: bool) -> None:
    """Look after a client in one concern again: what was edited meanwhile travels, or is a conflict."""
    with door(where) as desk:
        desk.post("include", client_id=client_id, concern=concern)
    if as_json:
        show.document({"client_id": client_id, "concern": concern, "excluded": False})
        return
    show.say(
        "{client} is looked after in {concern} again; the next run asks the panel", client=client_id, concern=concern
    )
