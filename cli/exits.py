"""Exit codes that mean something (from sysexits.h where it has one)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.show import safe
from kartoteka.errors import KartotekaError, Retry

FAILED = 1
ATTENTION = 3
WRONG_NAME = 65
UNAVAILABLE = 69
TRY_AGAIN = 75
REFUSED = 77
WRONG_SETTINGS = 78


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
    """The brake has stopped a concern, and only a person's word lets it go on."""

    exit_code = REFUSED


class WrongSettings(click.ClickException):
    """A setting is wrong: nothing can be done before it is corrected."""

    exit_code = WRONG_SETTINGS


class NotInTime(click.ClickException):
    """The work goes on, but longer than this command was told to wait."""

    exit_code = TRY_AGAIN


@contextmanager
def told() -> Iterator[None]:
    """End a command with a sentence and a code where the database, the cloud or a setting stands in its way."""
    try:
        yield
    except Retry as error:
        raise Unavailable(f"{safe(error)} does not answer now; try again") from None
    except KartotekaError as error:
        raise Failed(safe(error)) from None
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"AWS refuses or does not answer: {safe(error)}") from None
