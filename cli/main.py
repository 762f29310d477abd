"""The command's frame: which sub-commands there are; each is loaded when it is called."""

from __future__ import annotations

import gettext
import inspect
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from cli import nearest, show
from cli.exits import told
from cli.polish_help import HELP
from kartoteka.desk.texts import PL

_Command = TypeVar("_Command", bound=click.Command)

gettext.bindtextdomain("messages", str(Path(__file__).parent / "locale"))  # what click itself says, by LANG
COMMANDS = {
    "conflicts": "cli.conflicts:conflicts",
    "desk": "cli.desk:desk",
    "differences": "cli.differences:differences",
    "doctor": "cli.doctor:doctor",
    "exclude": "cli.excluding:exclude",
    "forget": "cli.forget:forget",
    "held": "cli.held:held",
    "history": "cli.history:history",
    "include": "cli.excluding:include",
    "incoming": "cli.incoming:incoming",
    "pause": "cli.pausing:pause",
    "plan": "cli.plan:plan",
    "policy": "cli.policy:policy",
    "questions": "cli.questions:questions",
    "redrive": "cli.redrive:redrive",
    "rename": "cli.renaming:rename",
    "resume": "cli.pausing:resume",
    "resync": "cli.resync:resync",
    "schema": "cli.schema:schema",
    "status": "cli.status:status",
    "takeover": "cli.takeover:takeover",
    "tick": "cli.tick:tick",
    "undo": "cli.undo:undo",
}
"""Name of the sub-command -> module and attribute. To add one, write its module and a line here."""


def in_language(command: _Command) -> _Command:
    """Return a command, and those below it, whose help is in the language that is spoken."""
    if show.spoken() != PL:
        return command
    found = copy(command)
    found.help = HELP.get(inspect.cleandoc(command.help or ""), command.help)
    found.params = [_param(each) for each in command.params]
    if isinstance(found, click.Group):
        found.commands = {name: in_language(each) for name, each in found.commands.items()}
    return found


def _param(param: click.Parameter) -> click.Parameter:
    text = param.help if isinstance(param, click.Option) else None
    if not isinstance(param, click.Option) or text not in HELP:
        return param
    found = copy(param)
    found.help = HELP.get(text or "")
    return found


class LazyGroup(click.Group):
    """A group that imports a sub-command's module only when that sub-command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all sub-commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a sub-command, None for a name that there is not."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is no command")
        return in_language(command)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what the command is, in the language that is spoken."""
        click.Group.format_help_text(in_language(self), ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a sub-command; a wrong word on its command line is answered with the nearest right one.

        Whatever the cloud, the database or the machine fails over meanwhile ends it with a sentence and a code.
        """
        try:
            with told():
                return super().invoke(ctx)
        except click.UsageError as error:
            raise nearest.answered(error) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kartoteka")
def kartoteka() -> None:
    """Keeps customer records in step between an ERP's exchange database and an IdoSell panel."""


def main() -> None:
    """Run the command."""
    kartoteka()
