"""`kartoteka resync`: have customers looked at again, whatever the cursors say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from cli import cloud, look, show
from cli import stack as stacks
from cli.erp import Erp, Where, opened, where
from cli.exits import WrongName
from kartoteka.adapters.queue import SqsQueue
from kartoteka.core.concerns import ACCOUNTS, CONCERNS

SHOWN = 5
"""Unknown ids named in a message."""


@click.command()
@click.argument("concern", type=click.Choice([*CONCERNS]))
@click.argument("client_ids", metavar="[CLIENT_ID]...", nargs=-1)
@where
@show.as_json
def resync(concern: str, client_ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Put customers into a concern's queue, so that both sides are read and compared afresh.

    Without ids: for accounts all cards that have no account, for other concerns all that have one. It costs about one
    panel call for 100 customers, and a write only where something differs. Safe to repeat, and to stop half-way.
    """
    with opened(where) as erp:
        queue = cloud.queue(stacks.find(where.stack))
        linked = concern != ACCOUNTS.name
        keys, skipped = _named(erp, client_ids, linked=linked)
        everybody = not client_ids
        total = look.count_cards(erp, linked=linked) if everybody else len(keys)
        sent = _send(queue, concern, look.pages_of_cards(erp, linked=linked) if everybody else [keys], total)
    _tell({"concern": concern, **sent, "skipped": skipped}, linked=linked, as_json=as_json)


def _named(erp: Erp, client_ids: Sequence[str], *, linked: bool) -> tuple[list[str], list[str]]:
    """Return the named customers that the concern works with, and those it has nothing to do for."""
    asked = list(dict.fromkeys(client_ids))
    found = look.cards(erp, asked)
    if unknown := [key for key in asked if key not in found]:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise WrongName(f"no card in clients: {show.safe(', '.join(unknown[:SHOWN]))}{more}; nothing was sent")
    return [key for key in asked if found[key] is linked], [key for key in asked if found[key] is not linked]


def _send(queue: SqsQueue, concern: str, pages: Iterable[Sequence[str]], total: int) -> dict[str, int]:
    console = Console(stderr=True)
    customers = messages = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"{concern}: into the queue", total=total)
        for page in pages:
            messages += queue.send(concern, page) if page else 0
            customers += len(page)
            progress.advance(bar, len(page))
    return {"customers": customers, "messages": messages}


def _tell(result: dict[str, Any], *, linked: bool, as_json: bool) -> None:
    if as_json:
        show.document(result)
        return
    customers, messages = show.counted(result["customers"], "customer"), show.counted(result["messages"], "message")
    click.echo(f"{customers} into the queue of {result['concern']}, in {messages}")
    if result["skipped"]:
        why = "no account yet: `kartoteka resync accounts` opens one" if linked else "an account already"
        click.echo(f"left out, since they have {why}: {show.safe(', '.join(result['skipped']))}")
