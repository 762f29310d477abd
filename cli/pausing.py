"""`kartoteka pause` and `kartoteka resume`: stop a concern's schedule from collecting, and let it go on."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cli import cloud, queries, show
from cli import stack as stacks
from cli.erp import Where, opened, stack_name, where
from cli.exits import NotInTime, Refused, told
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.fields.table import CONCERNS
from kartoteka.sync import brake
from kartoteka.sync.feed import PAUSED_AS
from kartoteka.sync.retry import BRAKE

_concern = click.argument("concern", type=click.Choice([*CONCERNS, PAUSED_AS]))


def _own_words(_ctx: click.Context, _parameter: click.Parameter, reason: str) -> str:
    """Refuse a reason that says nothing, and the one by which the brake is known."""
    if reason.strip().casefold() in ("", BRAKE):
        raise click.BadParameter(f"give a reason of your own; {BRAKE!r} is the brake's")
    return reason


@click.command()
@_concern
@click.option(
    "--reason",
    default="operator",
    show_default=True,
    callback=_own_words,
    help="Shown by `status`, and kept in the cloud: no personal data.",
)
@stack_name
@show.as_json
@told()
def pause(concern: str, reason: str, name: str | None, as_json: bool) -> None:
    """Let a concern's schedules (or panel_feed's) collect nothing until `resume`.

    What is in its queue is deferred; it comes back after `resume`, within the hour or at the next `tick`. A concern
    that the brake has stopped is paused already. Discounts are paused as a whole: the groups, and who is in them.
    """
    state = cloud.state(stacks.find(name))
    if state.paused().get(concern) == BRAKE:
        raise Refused(
            f"{concern} is stopped by the brake already, and a plain pause would take its place; "
            f"`{cloud.way_on(concern, BRAKE, name)}` ends it"
        )
    state.pause(concern, reason)
    if as_json:
        show.document({"concern": concern, "paused": True, "reason": reason})
        return
    click.echo(f"{concern} is paused ({show.safe(reason)}): `{cloud.way_on(concern, reason, name)}` ends it")


@click.command()
@_concern
@where
@click.option("--confirm", is_flag=True, help="Let a concern go on that the brake has stopped.")
@show.as_json
@told()
def resume(concern: str, where: Where, confirm: bool, as_json: bool) -> None:
    """End the pause of a concern. Nothing was lost: its cursor stands where it stood.

    A concern that the brake has stopped goes on with --confirm only: the brake's count begins at 0, and what it
    deferred is written.
    """
    state = cloud.state(stacks.find(where.stack))
    reason = state.paused().get(concern)
    if reason == BRAKE:
        if not confirm:
            raise Refused(_what_stopped(concern, where, state))
        _count_anew(concern, state)
    state.resume(concern)
    if as_json:
        show.document({"concern": concern, "paused": False, "was_paused": reason is not None})
    elif reason == BRAKE:
        click.echo(f"{concern} goes on; what the brake deferred comes back within the hour, or at the next `tick`")
    else:
        click.echo(f"{concern} goes on" if reason is not None else f"{concern} was not paused")


def _count_anew(concern: str, state: DynamoState) -> None:
    """Let the brake forget what it has counted."""
    name = brake.document(concern)
    now = datetime.now(UTC).isoformat()
    if not state.save(name, {"since": now}, version=state.load(name).version):
        raise NotInTime(f"somebody else lets {concern} go on at this moment; see `kartoteka status`, then try again")


def _what_stopped(concern: str, where: Where, state: DynamoState) -> str:
    """Say what the brake did, and what a person may do now."""
    stack = f" --stack {where.stack}" if where.stack else ""
    return (
        f"{concern} is stopped by the brake: too many records were about to be closed, emptied, taken off a shop or "
        "out of a group, left without a limit, or given another tax number or e-mail."
        f"{_figures(concern, where, state)} `kartoteka history{stack}` shows what was written. If it is a mistake, "
        "correct the rows: they are read afresh. Then, or if it is meant: "
        f"`{cloud.way_on(concern, BRAKE, where.stack)}`"
    )


def _figures(concern: str, where: Where, state: DynamoState) -> str:
    """Say how much was written and how much waits, if the exchange database can be read from here."""
    since = brake.counted_since(state.load(brake.document(concern)).document, datetime.now(UTC))
    try:
        with opened(where) as erp:
            written = erp.exchange.records.counted(concern, since)
            clients, groups = queries.deferred_with(erp, concern, BRAKE)
    except click.ClickException:
        return ""
    waiting = [show.counted(clients, "client"), *([show.counted(groups, "discount group")] if groups else [])]
    return (
        f" It let {show.counted(written, 'such record')} through in the last hour and deferred {' and '.join(waiting)}."
    )
