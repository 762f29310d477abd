"""`kartoteka takeover`: whose the exchange database is, and that it be this stack's from now on."""

from __future__ import annotations

import click

from cli import show
from cli.door import Refusal, door
from cli.erp import Where, where
from kartoteka.ports.ownership import NOT_OWNER


@click.command()
@where
@click.option("--confirm", is_flag=True, help="Take the database over from the stack that owns it now.")
@show.as_json
def takeover(where: Where, *, confirm: bool, as_json: bool) -> None:
    """Say which stack the exchange database belongs to; with --confirm, take it over for this one.

    Switch the other stack off before. It can write nothing any more. This one sends nothing until its last calls must
    have ended, then compares everything, and settles what they have left.
    """
    with door(where) as desk:
        before = desk.get("ownership")
        try:
            found = desk.post("takeover", confirm=confirm) if before["code"] == NOT_OWNER or confirm else before
        except Refusal:
            if as_json:
                show.document(before)
            raise
    if as_json:
        show.document(found)
    elif found.get("done"):
        show.text("takeover.done", at=found["sends_from"] or found["since"])
    elif not found["owner"]:
        show.text("owner.nobody")
    else:
        own = found["installation"] == found["owner"]
        show.text("owner.own" if own else "owner.other", id=found["owner"], since=found["since"])
        if found["sends_from"]:
            show.text("owner.waits", at=found["sends_from"])
