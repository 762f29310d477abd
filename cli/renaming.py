"""`kartoteka rename`: the ERP has given a client another code."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@where
@show.as_json
def rename(old: str, new: str, where: Where, *, as_json: bool) -> None:
    """Give account, base and history of client OLD to NEW; the next run gives the account the new code.

    OLD has no row in `clients` any more. NEW may have one already, or get one later.
    """
    with door(where) as desk:
        desk.post("rename", client_id=old, new_id=new)
    if as_json:
        show.document({"client_id": old, "new_id": new})
        return
    show.say("{old} is {new} now; the next run gives its account the code", old=old, new=new)
