"""A wrong word on the command line, and the right one that is nearest to it: once for all commands.

click itself does so for options; here it is done for sub-commands and for words of a list, such as concerns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import click

from cli.show import said

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
"""What click quotes, in any language; of a word that is none of a list: the word, and the list."""


def answered(error: click.UsageError) -> click.UsageError:
    """Return an error of usage with the nearest right word in it, where there is one."""
    if isinstance(error, click.NoSuchCommand) and error.ctx and isinstance(error.ctx.command, click.Group):
        found = (
            None if error.possibilities else _nearest(error.command_name, error.ctx.command.list_commands(error.ctx))
        )
        return click.UsageError(_said(error, found), error.ctx) if found else error
    if not isinstance(error, click.BadParameter):
        return error
    word, *known = [each[1:-1] for each in QUOTED.findall(error.message)] or [""]
    found = _nearest(word, known)
    if found is None:
        return error
    return click.BadParameter(_said(error, found), error.ctx, error.param, error.param_hint)


def _said(error: click.UsageError, found: str) -> str:
    return f"{error.message} {said('Did you mean {nearest}?', nearest=repr(found))}"


def _nearest(word: str, known: Sequence[str]) -> str | None:
    written = word.strip().lower().replace("-", "_")
    return next(iter(get_close_matches(written, known, n=1)), None)
