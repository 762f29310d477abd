"""`kartoteka redrive`: bring a concern's dead letters back to its queue."""

from __future__ import annotations

from collections import Counter

import click

from cli import show
from cli.door import Door, door
from cli.erp import Where, where
from kartoteka.fields.table import CONCERNS

FIGURES = ("done", "clients", "groups", "odd")


@click.command()
@click.argument("concern", type=click.Choice([*CONCERNS]))
@where
@show.as_json
def redrive(concern: str, where: Where, as_json: bool) -> None:
    """Bring the messages that failed twenty times back to their queue, once what made them fail is corrected."""
    with door(where, sends=True) as desk:
        figures, aside = _bring_back(desk, concern)
    groups = {"groups": figures["groups"]} if CONCERNS[concern].groups else {}
    if as_json:
        counts = {"messages": figures["done"], "clients": figures["clients"], **groups, "odd": figures["odd"]}
        show.document({"concern": concern, **counts, **({"aside": aside} if aside else {})})
        return
    keys = show.many(figures["clients"], "client")
    if figures["groups"]:
        keys = show.said("{one} and {other}", one=keys, other=show.many(figures["groups"], "discount group"))
    messages = show.many(figures["done"], "message")
    show.say("back in the queue of {concern}: {messages} with {keys}", concern=concern, messages=messages, keys=keys)
    if figures["odd"]:
        odd = show.many(figures["odd"], "message")
        show.say("not readable by this version, and so about to return: {messages}", messages=odd)
    for message in aside:
        show.say("left among the dead letters, since no queue takes what is in it: message {id}", id=message)


def _bring_back(desk: Door, concern: str) -> tuple[Counter[str], list[str]]:
    """Have them brought back, part by part: those that were there when it began, not those that fail meanwhile.

    Return the figures, and the ids of the messages that could not be moved.
    """
    figures: Counter[str] = Counter()
    aside: dict[str, None] = {}
    there, wanted = 0, dict[str, int]()
    with show.bar("{concern}: back to the queue", concern=concern) as move:
        while True:
            part = desk.post("redrive", concern=concern, **wanted)
            there = there or part["there"]
            aside.update(dict.fromkeys(part.get("aside", ())))
            figures.update({name: part.get(name, 0) for name in FIGURES})
            move(figures["done"], there)
            if not part["done"] or figures["done"] >= there:
                break
            wanted = {"most": there - figures["done"]}
    return figures, [*aside]
