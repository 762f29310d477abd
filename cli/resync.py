"""`kartoteka resync`: have clients and discount groups compared again, whatever the cursors say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from cli import cloud, show
from cli import stack as stacks
from cli.erp import Erp, Where, opened, where
from cli.exits import WrongName
from kartoteka.adapters.aws.queue import CHUNK, SqsQueue
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Owner
from kartoteka.pieces import pieces

SHOWN = 5
"""Unknown ids named in a message."""
BATCH = 100
"""Prices, or clients, of one panel call."""

NO_ACCOUNT = "left out, since they have no account yet: `kartoteka resync accounts` opens one: {clients}"
ACCOUNT = "left out, since they have an account already: {clients}"


@click.command()
@click.argument("words", metavar="[CONCERN] [CLIENT_ID]...", nargs=-1)
@click.option("--concern", "named", type=click.Choice([*CONCERNS]), help="The concern, where no argument names it.")
@click.option("--group", "group_ids", metavar="GROUP_ID", multiple=True, help="This discount group, whole. Repeatable.")
@where
@show.as_json
def resync(words: Sequence[str], named: str | None, group_ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Put clients into a concern's queue, so that both sides are read and compared afresh.

    Without ids: for accounts all clients that have no account, for other concerns all that have one (for discounts
    those that have or had a group, for credit those with figures). It costs about one panel call for 100 clients, and a
    write only where something differs.

    For discounts without ids, every discount group is sent anew as well, whole, with all its prices: about one panel
    call for 100 prices. With --group only these groups, and the clients that are named, if any.

    Safe to repeat, and to stop half-way.
    """
    concern, client_ids = (named, words) if named else _concern(words)
    if group_ids and not CONCERNS[concern].groups:
        with_groups = ", ".join(name for name, rows in CONCERNS.items() if rows.groups)
        raise click.UsageError(f"--group is for {with_groups}: {concern} has no groups")
    with opened(where) as erp:
        work = _Work(erp, concern, list(dict.fromkeys(client_ids)), list(dict.fromkeys(group_ids)))
        work.choose()
        result = work.send(cloud.queue(stacks.find(where.stack)))
    _tell(result, linked=work.linked, as_json=as_json)


def _concern(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the concern, which is the first word, and the clients."""
    if not words:
        raise click.UsageError("Missing argument 'CONCERN'.")
    click.Choice([*CONCERNS]).convert(words[0], None, click.get_current_context())
    return words[0], words[1:]


@dataclass(slots=True)
class _Work:
    """What is to be compared again. Nothing is sent, nor any price doubted, before every name was found."""

    erp: Erp
    concern: str
    client_ids: list[str]
    group_ids: list[str]
    everybody: bool = field(init=False)
    skipped: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.everybody = not (self.client_ids or self.group_ids)

    @property
    def linked(self) -> bool:
        """Whether the concern is about clients that have an account."""
        return self.concern != "accounts"

    @property
    def has_groups(self) -> bool:
        """Whether the concern has discount groups beside the clients."""
        return bool(CONCERNS[self.concern].groups)

    def choose(self) -> None:
        """Find what was named, or all groups where nothing was."""
        found = self.erp.desk.clients(self.client_ids)
        _refuse_unknown("row in clients", [key for key in self.client_ids if key not in found])
        self.skipped = [key for key in self.client_ids if found[key] is not self.linked]
        self.client_ids = [key for key in self.client_ids if found[key] is self.linked]
        if self.has_groups and (self.everybody or self.group_ids):
            known = self.erp.exchange.prices.group_ids()
            _refuse_unknown("discount group", sorted(set(self.group_ids).difference(known)))
            if self.everybody:
                self.group_ids = list(known)

    def send(self, queue: SqsQueue) -> dict[str, Any]:
        """Send all of it, the groups first: clients are put into them. Return the figures."""
        total = self.erp.desk.count_clients(self.concern) if self.everybody else len(self.client_ids)
        pages = self.erp.desk.pages_of_clients(self.concern) if self.everybody else [self.client_ids]
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            figures = self._send_groups(queue, progress) if self.has_groups else {}
            bar = progress.add_task(f"{self.concern}: into the queue", total=total)
            clients, messages = 0, figures.pop("messages", 0)
            for page in pages:
                messages += queue.send(self.concern, [Owner(client_id=key) for key in page])
                clients += len(page)
                progress.advance(bar, len(page))
        if figures:
            figures["calls"] += -(-clients // BATCH)
        return {
            "concern": self.concern,
            "clients": clients,
            "messages": messages,
            "skipped": self.skipped,
            **figures,
        }

    def _send_groups(self, queue: SqsQueue, progress: Progress) -> dict[str, int]:
        """Forget what was sent to the groups, so that every price differs, and send their keys."""
        bar = progress.add_task("discount groups: into the queue", total=len(self.group_ids))
        prices = calls = messages = 0
        for some in pieces(self.group_ids, CHUNK):
            for group_id in some:
                count = self.erp.desk.prices(group_id)
                prices, calls = prices + count, calls - (-count // BATCH)
                self.erp.exchange.prices.doubt(group_id, None)
                progress.advance(bar)
            messages += queue.send(self.concern, [Owner(group_id=key) for key in some])
        return {"groups": len(self.group_ids), "prices": prices, "calls": calls, "messages": messages}


def _refuse_unknown(what: str, unknown: Sequence[str]) -> None:
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise WrongName(f"no {what}: {show.safe(', '.join(unknown[:SHOWN]))}{more}; nothing was sent")


def _tell(result: dict[str, Any], *, linked: bool, as_json: bool) -> None:
    if as_json:
        show.document(result)
        return
    what = show.many(result["clients"], "client")
    if result.get("groups"):
        groups, prices = show.many(result["groups"], "discount group"), show.many(result["prices"], "price")
        named = show.said("{groups} with {prices}", groups=groups, prices=prices)
        what = show.said("{one} and {other}", one=named, other=what) if result["clients"] else named
    messages = show.many(result["messages"], "message")
    show.say(
        "{what} into the queue of {concern}, in {messages}", what=what, concern=result["concern"], messages=messages
    )
    if "calls" in result:
        show.say("that costs about {calls}", calls=show.many(result["calls"], "panel call"))
    if result["skipped"]:
        show.say(NO_ACCOUNT if linked else ACCOUNT, clients=", ".join(result["skipped"]))
