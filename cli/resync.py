"""`kartoteka resync`: have customers and discount groups looked at again, whatever the cursors say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from cli import cloud, look, show
from cli import stack as stacks
from cli.erp import Erp, Where, opened, where
from cli.exits import WrongName
from kartoteka.adapters.exchange import SqlExchange
from kartoteka.adapters.aws.queue import CHUNK, SqsQueue
from kartoteka.core.concerns import ACCOUNTS, CONCERNS, DISCOUNTS, GROUPS

SHOWN = 5
"""Unknown ids named in a message."""
BATCH = 100
"""Prices, or customers, of one panel call."""


@click.command()
@click.argument("words", metavar="[CONCERN] [CLIENT_ID]...", nargs=-1)
@click.option("--concern", "named", type=click.Choice([*CONCERNS]), help="The concern, where no argument names it.")
@click.option("--group", "group_ids", metavar="GROUP_ID", multiple=True, help="This discount group, whole. Repeatable.")
@where
@show.as_json
def resync(words: Sequence[str], named: str | None, group_ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Put customers into a concern's queue, so that both sides are read and compared afresh.

    Without ids: for accounts all cards that have no account, for other concerns all that have one (for discounts those
    that have or had a group, for credit those with figures). It costs about one panel call for 100 customers, and a
    write only where something differs.

    For discounts without ids, every discount group is sent anew as well, whole, with all its prices: about one panel
    call for 100 prices. With --group only these groups, and the customers that are named, if any.

    Safe to repeat, and to stop half-way.
    """
    concern, client_ids = (named, words) if named else _concern(words)
    if group_ids and concern != DISCOUNTS.name:
        raise click.UsageError(f"--group is for {DISCOUNTS.name}: {concern} has no groups")
    with opened(where) as erp:
        work = _Work(erp, concern, list(dict.fromkeys(client_ids)), list(dict.fromkeys(group_ids)))
        work.choose()
        result = work.send(cloud.queue(stacks.find(where.stack)))
    _tell(result, linked=concern != ACCOUNTS.name, as_json=as_json)


def _concern(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the concern, which is the first word, and the customers."""
    if not words:
        raise click.UsageError("Missing argument 'CONCERN'.")
    if words[0] not in CONCERNS:
        raise click.BadParameter(f"{words[0]!r} is not one of {', '.join(CONCERNS)}.", param_hint="CONCERN")
    return words[0], words[1:]


@dataclass(slots=True)
class _Work:
    """What is to be looked at again. Nothing is sent, nor any price doubted, before every name was found."""

    erp: Erp
    concern: str
    client_ids: list[str]
    group_ids: list[str]
    everybody: bool = field(init=False)
    skipped: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.everybody = not (self.client_ids or self.group_ids)

    def choose(self) -> None:
        """Find what was named, or all groups where nothing was."""
        self._choose_customers()
        if self.concern == DISCOUNTS.name:
            self._choose_groups()

    def _choose_customers(self) -> None:
        linked = self.concern != ACCOUNTS.name
        found = look.cards(self.erp, self.client_ids)
        _refuse_unknown("card in clients", [key for key in self.client_ids if key not in found])
        self.skipped = [key for key in self.client_ids if found[key] is not linked]
        self.client_ids = [key for key in self.client_ids if found[key] is linked]

    def _choose_groups(self) -> None:
        known = SqlExchange(self.erp.engine).group_ids() if self.everybody or self.group_ids else ()
        _refuse_unknown("discount group", sorted(set(self.group_ids).difference(known)))
        if self.everybody:
            self.group_ids = list(known)

    def send(self, queue: SqsQueue) -> dict[str, Any]:
        """Send all of it, the groups first: customers are put into them. Return the figures."""
        total = look.count_cards(self.erp, self.concern) if self.everybody else len(self.client_ids)
        pages = look.pages_of_cards(self.erp, self.concern) if self.everybody else [self.client_ids]
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            figures = self._send_groups(queue, progress) if self.concern == DISCOUNTS.name else {}
            bar = progress.add_task(f"{self.concern}: into the queue", total=total)
            customers, messages = 0, figures.pop("messages", 0)
            for page in pages:
                messages += queue.send(self.concern, page) if page else 0
                customers += len(page)
                progress.advance(bar, len(page))
        if figures:
            figures["calls"] += -(-customers // BATCH)
        return {
            "concern": self.concern,
            "customers": customers,
            "messages": messages,
            "skipped": self.skipped,
            **figures,
        }

    def _send_groups(self, queue: SqsQueue, progress: Progress) -> dict[str, int]:
        """Forget what was sent to the groups, so that every price differs, and send their keys."""
        exchange = SqlExchange(self.erp.engine)
        bar = progress.add_task("discount groups: into the queue", total=len(self.group_ids))
        prices = calls = messages = 0
        for start in range(0, len(self.group_ids), CHUNK):
            some = self.group_ids[start : start + CHUNK]
            for group_id in some:
                count = look.prices(self.erp, group_id)
                prices, calls = prices + count, calls - (-count // BATCH)
                exchange.doubt_prices(group_id, None)
                progress.advance(bar)
            messages += queue.send(GROUPS.name, some)
        return {"groups": len(self.group_ids), "prices": prices, "calls": calls, "messages": messages}


def _refuse_unknown(what: str, unknown: Sequence[str]) -> None:
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise WrongName(f"no {what}: {show.safe(', '.join(unknown[:SHOWN]))}{more}; nothing was sent")


def _tell(result: dict[str, Any], *, linked: bool, as_json: bool) -> None:
    if as_json:
        show.document(result)
        return
    what = [show.counted(result["customers"], "customer")]
    if result.get("groups"):
        groups = f"{show.counted(result['groups'], 'discount group')} with {show.counted(result['prices'], 'price')}"
        what = [groups, *(what if result["customers"] else [])]
    click.echo(
        f"{' and '.join(what)} into the queue of {result['concern']}, in {show.counted(result['messages'], 'message')}"
    )
    if "calls" in result:
        click.echo(f"that costs about {show.counted(result['calls'], 'panel call')}")
    if result["skipped"]:
        why = "no account yet: `kartoteka resync accounts` opens one" if linked else "an account already"
        click.echo(f"left out, since they have {why}: {show.safe(', '.join(result['skipped']))}")
