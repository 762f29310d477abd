"""The exchange database that a command looks into.

A command's own writes are a person's answers: the triggers log them, and so they are collected like the ERP's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from click.core import ParameterSource

from cli import cloud
from cli import stack as stacks
from cli.exits import Unavailable, told
from cli.show import said
from kartoteka.adapters import sql
from kartoteka.adapters.sql.desk import SqlDesk
from kartoteka.adapters.sql.dialect import parse_url

SEEN_BY_ALL = (
    "the password of {option} stands on the command line, where `ps` shows it to everybody on this machine: "
    "give `{option} -`, which asks for it, or put it into {variable}"
)


def unseen(variable: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return what an option with a database's address does: `-` asks for it, unseen; a password there is told.

    ``variable``: of the environment, where such an address may stand.
    """

    def asked(ctx: click.Context, option: click.Parameter, address: str | None) -> str | None:
        if address == "-":
            return str(click.prompt(said("address of the database"), hide_input=True, err=True))
        given = ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if given and address and _has_password(address):
            click.echo(said(SEEN_BY_ALL, option=option.opts[0], variable=variable), err=True)
        return address

    return asked


def _has_password(address: str) -> bool:
    try:
        return bool(sa.make_url(address).password)
    except (sa.exc.ArgumentError, ValueError):
        return "@" in address


_erp_url = click.option(
    "--erp-url",
    metavar="URL",
    callback=unseen("ERP_URL"),
    help="The exchange database (- asks for it); else that of --stack, else ERP_URL, else the local one.",
)
stack_name = click.option("--stack", "name", metavar="NAME", help="A deployed stack; the local one when not given.")


@dataclass(frozen=True, slots=True)
class Where:
    """Where a command looks: the options as they were given."""

    erp_url: str | None
    stack: str | None

    def address(self) -> str:
        """Return the address on the command line; else the named stack's, else ERP_URL, else the local stack's."""
        if self.erp_url:
            return self.erp_url
        if self.stack:
            return cloud.erp_url(stacks.find(self.stack))
        return _from_environment() or _local()

    def is_local(self) -> bool:
        """Say whether this is the local stack and its own database."""
        return not (self.erp_url or self.stack or _from_environment())


def where(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --erp-url and --stack, and hand them over as one ``Where``; a group's hold for its commands."""

    @wraps(command)
    def wrapped(*args: Any, erp_url: str | None, name: str | None, **kwargs: Any) -> None:
        parent = click.get_current_context().parent
        before = parent.params if parent else {}
        where = Where(erp_url or before.get("erp_url"), name or before.get("name"))
        command(*args, where=where, **kwargs)

    return _erp_url(stack_name(wrapped))


@dataclass(frozen=True, slots=True)
class Erp:
    """An exchange database. Its tables are checked before the first statement."""

    exchange: sql.SqlExchange

    @property
    def desk(self) -> SqlDesk:
        """The same database as a person sees it."""
        return self.exchange.desk


@contextmanager
def opened(where: Where) -> Iterator[Erp]:
    """Give the exchange database that the options and the environment name."""
    with told():
        address = where.address()
        refuse_missing_file(parse_url(address))
        exchange = sql.connect(address)
        try:
            yield Erp(exchange)
        finally:
            exchange.close()


def _from_environment() -> str:
    return os.environ.get("ERP_URL", "").strip()


def _local() -> str:
    facts = stacks.local_facts()
    if "erp_url" not in facts:
        raise Unavailable(
            said(
                "no exchange database is known here: give --erp-url, ERP_URL or --stack, "
                "or start a local stack with `make up`"
            )
        )
    return str(facts["erp_url"])


def refuse_missing_file(url: sa.URL) -> None:
    """SQLite would make an empty file of a mistyped name."""
    name = url.database or ""
    if url.get_backend_name() == "sqlite" and not name.startswith("file:") and not Path(name).is_file():
        raise Unavailable(said("there is no SQLite file {file}", file=name or said("(in memory)")))
