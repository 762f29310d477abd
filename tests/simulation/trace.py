"""What happened in a history, line by line, and its digest."""

from __future__ import annotations

import hashlib


class Trace:
    """The lines of a history. ``telling``: with what was asked and answered, for a person to read."""

    def __init__(self, *, telling: bool = False) -> None:
        self.telling = telling
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Write a line down."""
        self.lines.append(line)

    def digest(self) -> str:
        """Return the digest of all lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
