"""What goes wrong locally, in a line for a person."""

from __future__ import annotations

from pathlib import Path


class LocalFailure(Exception):
    """Something did not work; the text says what, and where to read more."""

    def __init__(self, what: str, *, log: Path | None = None) -> None:
        super().__init__(what if log is None else f"{what}\n{_tail(log)}\n  the whole log: {log}")


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace").strip() if log.is_file() else ""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:]) or "  | (the log is empty)"
