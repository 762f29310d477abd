"""``kartoteka schema``: print, create and upgrade the exchange tables."""

from __future__ import annotations

from collections.abc import Callable

import click
import sqlalchemy as sa

from kartoteka.adapters.sql import upgrade as tables
from kartoteka.adapters.sql.dialect import DIALECTS, open_engine
from kartoteka.errors import KartotekaError, Retry

_url = click.option("--url", envvar="ERP_URL", required=True, help="Address of the exchange database (or ERP_URL).")
_quiet = click.option("--quiet", is_flag=True, help="Say nothing when all is well.")


@click.group()
def schema() -> None:
    """The exchange tables: print, create, upgrade."""


@schema.command()
@click.option("--dialect", type=click.Choice(sorted(DIALECTS)), required=True)
def ddl(dialect: str) -> None:
    """Print the tables and triggers as SQL, for one's own eyes or a database administrator's."""
    click.echo(tables.ddl(dialect), nl=False)


@schema.command()
@_url
@_quiet
def create(url: str, quiet: bool) -> None:
    """Create the tables, columns, indexes and triggers that are missing, and change or drop nothing. Safe to repeat."""
    _run(tables.create, url, quiet)


@schema.command()
@_url
@_quiet
def upgrade(url: str, quiet: bool) -> None:
    """Add to existing tables what this program reads and they lack. Safe to repeat; refused where there are none."""
    _run(tables.upgrade, url, quiet)


def _run(action: Callable[[sa.Engine], int], url: str, quiet: bool) -> None:
    try:
        version, encoding = _at(url, action)
    except Retry as error:
        raise click.ClickException(f"the database does not answer, or it is locked ({error}): is it running?") from None
    except KartotekaError as error:
        raise click.ClickException(str(error)) from None
    if not quiet:
        click.echo(f"The exchange tables are complete (version {version}).")
    if encoding:
        click.echo(
            f"The database's encoding is {encoding}, and UTF-8 is wanted: letters that it cannot hold become question "
            "marks in Kartoteka's tables, and a field that has one is held. Create the database with ENCODING 'UTF8'.",
            err=True,
        )


def _at(url: str, action: Callable[[sa.Engine], int]) -> tuple[int, str]:
    engine = open_engine(url)
    try:
        return action(engine), tables.narrow_encoding(engine)
    finally:
        engine.dispose()
