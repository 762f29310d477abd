"""Exit codes that mean something (from sysexits.h where it has one)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import click
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from cli.show import safe, said, spoken
from kartoteka import codes
from kartoteka.desk.texts import PL
from kartoteka.errors import Halt, KartotekaError, Retry

DONE, FAILED, USAGE = 0, 1, 2
ATTENTION = 3
WRONG_NAME = 65
UNAVAILABLE = 69
TRY_AGAIN = 75
REFUSED = 77
WRONG_SETTINGS = 78

AWS_REFUSES = "AWS refuses or does not answer: {why}"

MEANINGS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        DONE: ("done", "every command"),
        FAILED: ("failed; the sentence says why", "every command; `doctor` where it finds something in the way"),
        USAGE: ("wrong usage: an option, an argument or a sub-command that there is not", "every command"),
        ATTENTION: (
            "something waits for a person, or a pause or a missing trigger stands",
            "`status --exit-code`",
        ),
        WRONG_NAME: (
            "no such client, discount group, conflict, question or planned row, or it stands otherwise by now",
            "every command that is given one",
        ),
        UNAVAILABLE: ("no stack or database answers, or AWS refuses", "every command"),
        TRY_AGAIN: ("the work goes on, but longer than the command was told to wait", "`tick --timeout`"),
        REFUSED: (
            "only a person's word lets it go on",
            "`resume` and `takeover` without `--confirm`; `pause` of what the brake stopped",
        ),
        WRONG_SETTINGS: (
            "a setting is wrong (key, right, policy, table): nothing can be done before it is corrected",
            "every command that needs it; `status --exit-code` where a function has stopped for one; `policy check`",
        ),
    }
)
"""Exit code -> what it means, and which commands end so; ``docs/exit-codes.md`` is made from it."""


class Failed(click.ClickException):
    """A function of the stack failed."""

    exit_code = FAILED


class WrongName(click.ClickException):
    """There is no such client, no such discount group, or no such open conflict."""

    exit_code = WRONG_NAME


class Unavailable(click.ClickException):
    """There is no stack to talk to."""

    exit_code = UNAVAILABLE


class Refused(click.ClickException):
    """The brake has stopped a concern, or the database is another stack's: only a person's word lets it go on."""

    exit_code = REFUSED


class WrongSettings(click.ClickException):
    """A setting is wrong: nothing can be done before it is corrected."""

    exit_code = WRONG_SETTINGS


class NotInTime(click.ClickException):
    """The work goes on, but longer than this command was told to wait."""

    exit_code = TRY_AGAIN


def _why(code: str) -> str:
    """Return the cause and the remedy of a code, in the language that is spoken."""
    status = codes.status(code)
    return status.message_pl if spoken() == PL else status.message_en


@contextmanager
def told() -> Iterator[None]:
    """End a command with a sentence and a code where the database, the cloud or a setting stands in its way."""
    try:
        yield
    except Retry as error:
        if "." in error.code and error.code in codes.CODES:
            raise Unavailable(_why(error.code)) from None
        raise Unavailable(said("{what} does not answer now; try again", what=error)) from None
    except Halt as error:
        raise WrongSettings(safe(error)) from None
    except KartotekaError as error:
        raise Failed(safe(error)) from None
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(said(AWS_REFUSES, why=error)) from None
    except BrokenPipeError:  # whoever reads what is printed has gone: click ends quietly
        raise
    except (ConnectionError, TimeoutError, HTTPError) as error:
        raise Unavailable(said("{what} does not answer now; try again", what=type(error).__name__)) from None
    except OSError as error:
        raise Failed(said("{file}: {why}", file=error.filename or "", why=error.strerror or error)) from None
