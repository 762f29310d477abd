"""What a value says, whatever its type: as text, as ids, and how it is read back from JSON."""

from __future__ import annotations

from typing import Any

from kartoteka.model import Value


def as_text(value: Value) -> str | None:
    """Return a value as ``sync_history``, ``sync_conflicts`` and messages show it: ids joined by commas (``1,2``).

    It is falsy exactly for the empty values: None, the empty text, and no ids at all.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, tuple) else value


def ids_of(value: Value) -> tuple[int, ...]:
    """Return the ids that a value of ids holds; a value of another type holds none."""
    return value if isinstance(value, tuple) else ()


def from_json(spelled: Any) -> Value:
    """Return a value as it was before it became JSON, which knows no tuple and makes a list of ids."""
    return tuple(spelled) if isinstance(spelled, list) else spelled
