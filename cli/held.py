"""`kartoteka held`: what waits for a person, and a person's word about it."""

from __future__ import annotations

import click

from cli import show
from cli.door import door
from cli.erp import Where, where
from kartoteka.model import Decision

WORDS = {
    Decision.RETRY: "Try it again now.",
    Decision.DONE: "It was settled by hand: in step until either side changes.",
    Decision.SEND: "Send a value that is protected.",
}


@click.group(invoke_without_command=True)
@where
@show.of_concern
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Records to list.")
@show.language
@show.as_json
@click.pass_context
def held(ctx: click.Context, where: Where, concern: str | None, limit: int, lang: str, as_json: bool) -> None:
    """List what waits for a person, or for a correction of the ERP's row, the longest first, with cause and remedy."""
    if ctx.invoked_subcommand is not None:
        return
    with door(where) as desk:
        rows = desk.rows("held", limit, concern=concern)
    if as_json:
        show.document({"held": rows})
        return
    columns = ("client_id", "group_id", "concern", "item_id", "code", "field", f"message_{lang}", "since", "decision")
    show.table("Held (UTC)", columns, ([row[column] for column in columns] for row in rows))
    if not rows:
        show.text("held.none")


def _word(word: Decision, what: str) -> click.Command:
    @click.argument("client_id", metavar="CLIENT")
    @show.of_concern
    @click.option("--item", metavar="I", help="This address alone; else the client's own record and all its items.")
    @where
    @show.as_json
    @click.pass_context
    def decide(
        ctx: click.Context, client_id: str, concern: str | None, item: str | None, where: Where, as_json: bool
    ) -> None:
        with door(where) as desk:
            done = desk.post("held/decide", client_id=client_id, word=str(word), concern=concern, item_id=item)["done"]
        if show.wants_json(ctx, as_json):
            show.document({"client_id": client_id, "decision": str(word), "records": done})
            return
        of = {"records": show.many(done, "record"), "client": client_id, "word": word}
        show.say("{records} of {client}: {word}; the next run carries it out", **of)

    decide.__doc__ = what
    return click.command(str(word))(decide)


for _each, _what in WORDS.items():
    held.add_command(_word(_each, _what))
