"""Log-in names of new accounts.

The panel wants small letters and refuses a name that is taken. A name is a function of the card alone, so that a
repeated request asks for the same account; only where another account has it already a suffix is added.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from anyascii import anyascii

from kartoteka.core.model import Record

MAX_LENGTH = 40
PLACEHOLDERS = ("id", "nip", "email", "company", "city")


def unknown_placeholders(pattern: str) -> list[str]:
    """Return the names in braces that no pattern may hold. Raises ValueError where a brace is left open."""
    return [
        name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None and name not in PLACEHOLDERS
    ]


def from_pattern(pattern: str, client_id: str, row: Record) -> str:
    """Return the log-in name a pattern gives for this card; empty where nothing usable is left of it."""
    values = {name: _slug(str(row.get(name) or "")) for name in PLACEHOLDERS} | {"id": _slug(client_id)}
    return _slug(pattern.format(**values))


def automatic(client_id: str) -> str:
    """Return the log-in name derived from the card's id alone."""
    return _slug(client_id) or f"k-{client_id.encode().hex()[: MAX_LENGTH - 2]}"


def wanted(value: str) -> str:
    """Return the log-in name the ERP asked for, in the panel's letters."""
    return _slug(value)


def candidates(login: str) -> Iterator[str]:
    """Yield the name itself, then the name with -2, -3 … in at most 40 characters."""
    yield login
    number = 2
    while True:
        suffix = f"-{number}"
        yield login[: MAX_LENGTH - len(suffix)] + suffix
        number += 1


def _slug(text: str) -> str:
    plain = anyascii(text).lower()
    kept = re.sub(r"[^a-z0-9@._-]+", "-", plain)
    return re.sub(r"-{2,}", "-", kept).strip("-._@")[:MAX_LENGTH].rstrip("-._@")
