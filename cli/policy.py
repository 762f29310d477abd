"""`kartoteka policy check FILE`: every wrong place of a policy, before it is deployed."""

from __future__ import annotations

from pathlib import Path

import click

from cli import show
from cli.exits import WrongSettings
from kartoteka.policy import check as wrong_places


@click.group()
def policy() -> None:
    """Look after the policy: the file in which the merchant decides what is carried, and who wins."""


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@show.as_json
def check(file: Path, as_json: bool) -> None:
    """Check a policy without deploying it: every wrong place with its remedy, and exit code 78."""
    found = wrong_places(file.read_bytes())
    wrong = found if isinstance(found, list) else []
    if as_json:
        show.document({"ok": not wrong, "wrong": [each._asdict() for each in wrong]})
    elif not wrong:
        show.say("{file}: fine", file=file)
    if wrong:
        lines = "".join(f"\n  {show.safe(each)}" for each in wrong)
        found_wrong = show.said("{file} is wrong in {places}:", file=file, places=show.many(len(wrong), "place"))
        raise WrongSettings(f"{found_wrong}{lines}")
