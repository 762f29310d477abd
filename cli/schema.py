"""``kartoteka schema``: print, create and upgrade the exchange tables."""

from __future__ import annotations

from collections.abc import Callable

import click
import sqlalchemy as sa

from cli import show
from cli.erp import unseen
from cli.exits import Failed, Unavailable, WrongSettings
from kartoteka.adapters.sql import upgrade as tables
from kartoteka.adapters.sql.dialect import DIALECTS, open_engine
from kartoteka.errors import Halt, KartotekaError, Retry

_url = click.option(
    "--url",
    envvar="ERP_URL",
    required=True,
    callback=unseen("ERP_URL"),
    help="Address of the exchange database (or ERP_URL; - asks for it).",
)
_quiet = click.option("--quiet", is_flag=True, help="Say nothing when all is well.")


@click.group()
def schema() -> None:
    """The exchange tables: print, create, upgrade."""


@schema.command()
@click.option("--dialect", type=click.Choice(sorted(DIALECTS)), required=True)
@show.as_json
def ddl(dialect: str, as_json: bool) -> None:
    """Print the tables and triggers as SQL, for one's own eyes or a database administrator's."""
    if as_json:
        show.document({"dialect": dialect, "sql": tables.ddl(dialect)})
    else:
        click.echo(tables.ddl(dialect), nl=False)


@schema.command()
@_url
@_quiet
@show.as_json
def create(url: str, quiet: bool, as_json: bool) -> None:
    """Create the tables, columns, indexes and triggers that are missing, and change or drop nothing. Safe to repeat."""
    _run(tables.create, url, quiet=quiet, as_json=as_json)


@schema.command()
@_url
@_quiet
@show.as_json
def upgrade(url: str, quiet: bool, as_json: bool) -> None:
    """Add to existing tables what this program reads and they lack. Safe to repeat; refused where there are none."""
    _run(tables.upgrade, url, quiet=quiet, as_json=as_json)


def _run(action: Callable[[sa.Engine], int], url: str, *, quiet: bool, as_json: bool) -> None:
    try:
        version, (encoding, remedy) = _at(url, action)
    except Retry as error:
        raise Unavailable(
            show.said("the database does not answer, or it is locked ({why}): is it running?", why=error)
        ) from None
    except Halt as error:
        raise WrongSettings(show.safe(error)) from None
    except KartotekaError as error:
        raise Failed(show.safe(error)) from None
    if as_json:
        show.document({"version": version, "narrow_encoding": encoding or None})
        return
    if not quiet:
        show.say("The exchange tables are complete (version {version}).", version=version)
    if encoding:
        click.echo(
            show.said(
                "The database's encoding is {encoding}, and UTF-8 is wanted: a field with a letter that it cannot hold "
                "is held. What mends it: {remedy}",
                encoding=encoding,
                remedy=remedy,
            ),
            err=True,
        )


def _at(url: str, action: Callable[[sa.Engine], int]) -> tuple[int, tuple[str, str]]:
    engine = open_engine(url)
    try:
        return action(engine), tables.narrow_encoding(engine)
    finally:
        engine.dispose()
