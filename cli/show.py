"""What a command prints: tables for eyes, one JSON document for programs.

Values come from an ERP and from a web shop's customers. Whatever could move a cursor, hide text or turn its direction
is shown as an escape; nothing is read as the terminal's or rich's own markup.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import polish
from cli.polish_doctor import DOCTOR
from kartoteka.desk import texts
from kartoteka.desk.texts import EN, LANGUAGES, PL
from kartoteka.fields.table import CONCERNS
from kartoteka.sentences import Counted, Worded, counted

SENTENCES = {**DOCTOR, **polish.SENTENCES}
WIDE = 160
"""Columns of a table where nobody says how many there are: a pipe or a file."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")

of_concern = click.option("--concern", type=click.Choice(list(CONCERNS)), help="Of this concern alone.")

SPOKEN = "kartoteka.language"
"""Where click's context keeps the language that --lang asks for."""


def _language() -> str:
    """Return the language that the environment asks for, if we speak it; else English."""
    wanted = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return next((language for language in LANGUAGES if wanted.lower().startswith(language)), EN)


def _noted(ctx: click.Context, _parameter: click.Parameter, lang: str) -> str:
    ctx.meta[SPOKEN] = lang
    return lang


language = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default=_language,
    callback=_noted,
    show_default="that of LANG, else en",
    help="Language of what is said.",
)


def spoken() -> str:
    """Return the language in which a command speaks: that of --lang, else the shell's, if we speak it; else English."""
    ctx = click.get_current_context(silent=True)
    return str(ctx.meta[SPOKEN]) if ctx and SPOKEN in ctx.meta else _language()


def said(text: str, /, **facts: object) -> str:
    """Return an English sentence in the language that is spoken; ``facts`` fill its braces, made safe to show."""
    template = SENTENCES.get(text, text) if spoken() == PL else text
    return template.format(**{name: safe(fact) for name, fact in facts.items()})


def worded(text: object) -> str:
    """Return a text of which it is known what it was made of (:mod:`kartoteka.sentences`), in the language spoken."""
    match text:
        case Worded():
            return said(text.template, **{name: worded(fact) for name, fact in text.facts.items()})
        case Counted():
            return many(text.number, text.what)
        case list():
            return ", ".join(map(worded, text))
        case str() if text in SENTENCES:
            return said(text)
    return safe(text)


def say(text: str, /, **facts: object) -> None:
    """Print a sentence (:func:`said`)."""
    click.echo(said(text, **facts))


def text(name: str, /, **facts: object) -> None:
    """Print a sentence that the desk's pages say too, by its name there."""
    click.echo(texts.say(name, spoken(), **facts))


def named(kind: str, word: str) -> str:
    """Return a word that programs see as the pages say it (``act``: an action), in English as it is."""
    return texts.say(f"{kind}.{word}", PL) if spoken() == PL else word


def many(number: int, what: str) -> str:
    """Return ``1 client`` or ``2 clients``, in the language that is spoken."""
    return polish.counted(number, what) if spoken() == PL else counted(number, what)


@contextmanager
def working(text: str, /, **facts: object) -> Iterator[None]:
    """Say on a terminal what is being done (:func:`said`) as long as it takes; nothing in a pipe or a file."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(said(text, **facts)):
        yield


@contextmanager
def bar(text: str, /, **facts: object) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far it is with what is being done (:func:`said`); nothing in a pipe or a file.

    Give what moves the bar: how much is done, of how much.
    """
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(said(text, **facts), total=None)
        yield lambda done, total: progress.update(task, total=total, completed=done)


def heading(name: str) -> str:
    """Return the heading of a column; in Polish what a person calls it, in English the name that programs see."""
    return polish.heading(name) if spoken() == PL else name


def safe(value: object) -> str:
    """Return a value as a text that is safe to show: what is not printable becomes an escape, as in Python."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in _text(value))


def wants_json(ctx: click.Context, as_json: bool) -> bool:
    """Return whether ``--json`` was given, to the command or to the group before it."""
    return as_json or bool(ctx.parent and ctx.parent.params["as_json"])


def document(value: Any) -> None:
    """Print one JSON document on one line, in ASCII."""
    click.echo(json.dumps(value, ensure_ascii=True, default=_text))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, title and headings in the language that is spoken; where there are no rows, nothing."""
    grid = Table(title=said(title), title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        grid.add_column(heading(column), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(safe(_cell(column, cell))) for column, cell in zip(columns, row, strict=True)))
    if grid.row_count:
        _console().print(grid)


def _cell(column: str, value: object) -> object:
    """Return what stands in a column: in Polish the pages' word for one that programs see, such as an action."""
    if spoken() != PL or column not in polish.CELLS or not isinstance(value, str):
        return value
    return polish.CELLS[column].get(value, value)


def _console() -> Console:
    console = Console(highlight=False)
    narrow = console.is_terminal or "COLUMNS" in os.environ
    return console if narrow else Console(highlight=False, width=WIDE)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return str(value)
