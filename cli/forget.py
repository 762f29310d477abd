"""`kartoteka forget`: a person is erased, and does not come back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.desk import texts
from kartoteka.desk.forget import CHOICES, KEEP


@click.command()
@click.argument("client_id", metavar="CLIENT")
@click.option("--account", type=click.Choice(CHOICES), default=KEEP, show_default=True, help="The panel's account.")
@click.option("--allow", is_flag=True, help="Let a client that was erased be synchronised again.")
@click.option("--yes", is_flag=True, help="Erase; without it only what would be erased is shown.")
@where
@show.language
@show.as_json
def forget(  # noqa: PLR0913 - the options of the command
    client_id: str, account: str, *, allow: bool, yes: bool, where: Where, lang: str, as_json: bool
) -> None:
    """Erase CLIENT from all that Kartoteka keeps; show what would go, and what the ERP and the panel keep.

    With --yes it is erased, which cannot be taken back, and the same client is not opened or linked again. The panel's
    account stays as it is, is closed, or its data are erased by the panel itself, as --account says.
    """
    with (
        door(where) as desk,
        show.working("erasing {client}" if yes else "counting what is kept of {client}", client=client_id),
    ):
        if allow:
            found = desk.post("forget/allow", client_id=client_id)
        elif yes:
            found = desk.post("forget", client_id=client_id, confirm=client_id, account=account)
        else:
            found = desk.get(f"clients/{quote(client_id, safe='')}/forget")
    if as_json:
        show.document(found)
        return
    _tell(found, lang, asked=not allow and not yes, allow=allow, account=account)


def _tell(found: dict[str, Any], lang: str, *, asked: bool, allow: bool, account: str) -> None:
    name = show.safe(found["client_id"])
    if allow:
        click.echo(texts.say("forget.allowed", lang, id=name))
        return
    show.table(texts.say("forget.erased", lang), ("table", "rows"), found["erased"].items())
    show.table(texts.say("forget.kept", lang), ("table", "rows"), found["kept"].items())
    if found["account"]:
        said = "forget.account" if asked else f"forget.account.{account}"
        click.echo(texts.say(said, lang, id=show.safe(found["account"])))
    click.echo(texts.say("forget.hint" if asked else "forget.done", lang, id=name))
