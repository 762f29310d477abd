"""`kartoteka pause` and `kartoteka resume`: stop a concern's schedule from collecting, and let it go on.

What is paused stands in the exchange database, and so does a person's word to what the brake has stopped.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from cli import cloud, show
from cli.door import Refusal, door
from cli.erp import Where, where
from cli.exits import Refused
from kartoteka.fields.table import CONCERNS
from kartoteka.sync.feed import PAUSED_AS
from kartoteka.sync.retry import BRAKE

STOPPED = (
    "{concern} is stopped by the brake: too many records were about to be closed, emptied, taken off a shop or "
    "out of a group, left without a limit, given another tax number or e-mail or a price of less than half, or "
    "more were about to be written at all than the policy bears. It let {written} through in the last hour and "
    "deferred {waiting}. `{history}` shows what was written. If it is a mistake, correct the rows: they are "
    "read afresh. Then, or if it is meant: `{way_on}`"
)

_concern = click.argument("concern", type=click.Choice([*CONCERNS, PAUSED_AS]))


def _own_words(_ctx: click.Context, _parameter: click.Parameter, reason: str) -> str:
    """Refuse a reason that says nothing, and the one by which the brake is known."""
    if reason.strip().casefold() in ("", BRAKE):
        raise click.BadParameter(show.said("give a reason of your own; {word} is the brake's", word=repr(BRAKE)))
    return reason


@click.command()
@_concern
@where
@click.option("--reason", default="operator", show_default=True, callback=_own_words, help="Shown by `status`.")
@show.as_json
def pause(concern: str, where: Where, reason: str, as_json: bool) -> None:
    """Let a concern's schedules (or panel_feed's) collect nothing until `resume`.

    What is in its queue is deferred; it comes back after `resume`, within the hour or at the next `tick`. A concern
    that the brake has stopped is paused already. Discounts are paused as a whole: the groups, and who is in them.
    """
    try:
        with door(where) as desk:
            before = desk.get("pauses")["paused"].get(concern)
            desk.post("pause", concern=concern, reason=reason)
    except Refusal:
        way_on = cloud.way_on(concern, BRAKE, where.stack)
        raise Refused(
            show.said(
                "{concern} is stopped by the brake already, and a plain pause would take its place; `{way_on}` ends it",
                concern=concern,
                way_on=way_on,
            )
        ) from None
    if as_json:
        show.document({"concern": concern, "paused": True, "reason": reason})
        return
    way_on = cloud.way_on(concern, reason, where.stack)
    if before is not None:
        show.say("{concern} was paused already ({before}); what is said of it now:", concern=concern, before=before)
    show.say("{concern} is paused ({reason}): `{way_on}` ends it", concern=concern, reason=reason, way_on=way_on)


@click.command()
@_concern
@where
@click.option("--confirm", is_flag=True, help="Let a concern go on that the brake has stopped.")
@show.as_json
def resume(concern: str, where: Where, confirm: bool, as_json: bool) -> None:
    """End the pause of a concern. Nothing was lost: its cursor stands where it stood.

    A concern that the brake has stopped goes on with --confirm only: what it has stopped is written, and what comes
    later is counted from 0.
    """
    try:
        with door(where) as desk:
            reason = desk.post("resume", concern=concern, confirm=confirm)["reason"]
    except Refusal as refusal:
        raise Refused(_what_stopped(concern, where, refusal.facts)) from None
    if as_json:
        show.document({"concern": concern, "paused": False, "was_paused": reason is not None})
    elif reason == BRAKE:
        show.say(
            "{concern} goes on; what the brake deferred comes back within the hour, or at the next `tick`",
            concern=concern,
        )
    elif reason is not None:
        show.say("{concern} goes on", concern=concern)
    else:
        show.say("{concern} was not paused", concern=concern)


def _what_stopped(concern: str, where: Where, facts: Mapping[str, str]) -> str:
    """Say what the brake did, and what a person may do now."""
    stack = f" --stack {where.stack}" if where.stack else ""
    written, clients, groups = (int(facts[name]) for name in ("written", "clients", "groups"))
    waiting = show.many(clients, "client")
    if groups:
        waiting = show.said("{one} and {other}", one=waiting, other=show.many(groups, "discount group"))
    return show.said(
        STOPPED,
        concern=concern,
        written=show.many(written, "such record"),
        waiting=waiting,
        history=f"kartoteka history{stack}",
        way_on=cloud.way_on(concern, BRAKE, where.stack),
    )
