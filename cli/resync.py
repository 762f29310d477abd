"""`kartoteka resync`: have clients and discount groups compared again, whatever the cursors say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from cli import show
from cli.door import Door, door
from cli.erp import Where, where
from kartoteka.desk.resync import CALL
from kartoteka.fields.table import CONCERNS

FIGURES = ("clients", "groups", "prices", "calls", "messages")

NO_ACCOUNT = "left out, since they have no account yet: `kartoteka resync accounts` opens one: {clients}"


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
        raise click.UsageError(
            show.said("--group is for {concerns}: {concern} has no groups", concerns=with_groups, concern=concern)
        )
    with door(where, sends=True) as desk:
        result = _send(desk, concern, list(client_ids), list(group_ids))
    _tell(result, as_json=as_json)


def _concern(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the concern, which is the first word, and the clients."""
    if not words:
        raise click.UsageError(show.said("Missing argument 'CONCERN'."))
    click.Choice([*CONCERNS]).convert(words[0], None, click.get_current_context())
    return words[0], words[1:]


def _send(desk: Door, concern: str, client_ids: list[str], group_ids: list[str]) -> dict[str, Any]:
    """Have all of it sent, part by part; return the figures."""
    figures: Counter[str] = Counter()
    first: dict[str, Any] = {}
    start: str | None = ""
    with show.bar("{concern}: into the queue", concern=concern) as move:
        while start is not None:
            part = desk.post("resync", concern=concern, client_id=client_ids, group_id=group_ids, start=start)
            first = first or part
            figures.update({name: part.get(name, 0) for name in FIGURES})
            move(figures["clients"] + figures["groups"], first["total"])
            start = part["next"]
    names = ["clients", "messages"]
    if CONCERNS[concern].groups:
        figures["calls"] += -(-figures["clients"] // CALL)
        names += ["groups", "prices", "calls"]
    return {"concern": concern, "skipped": first["skipped"], **{name: figures[name] for name in names}}


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
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
        show.say(NO_ACCOUNT, clients=", ".join(result["skipped"]))
