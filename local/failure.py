"""What goes wrong locally, in a line for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from kartoteka.errors import KartotekaError

INTERRUPTED = 130
"""The exit code after Ctrl-C, as a shell has it."""


class LocalFailure(Exception):
    """Something did not work; the text says what, and where to read more."""

    def __init__(self, what: str, *, log: Path | None = None) -> None:
        super().__init__(what if log is None else f"{what}\n{_tail(log)}\n  the whole log: {log}")


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace").strip() if log.is_file() else ""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:]) or "  | (the log is empty)"


@dataclass(slots=True)
class End:
    """How a command ends: the exit code."""

    code: int = 0


@contextmanager
def told() -> Iterator[End]:
    """Say in a line what went wrong in this block, or that it was interrupted, and note the exit code."""
    end = End()
    try:
        yield end
    except (KeyboardInterrupt, click.Abort):
        end.code = INTERRUPTED
        why = "interrupted; `make down` stops what still runs"
    except LocalFailure as failure:
        end.code, why = 1, str(failure)
    except click.ClickException as error:
        end.code, why = error.exit_code, error.format_message()
    except (BotoCoreError, ClientError) as error:
        end.code, why = 1, f"the embedded AWS does not answer in time ({error}): is this machine very busy? Try again"
    except KartotekaError as error:
        end.code, why = 1, str(error)
    if end.code:
        sys.stderr.write(f"kartoteka: {why}\n")
