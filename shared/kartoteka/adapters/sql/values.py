"""Values and keys on their way into the database and back: what does not fit, and how many go at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.fields.values import as_text
from kartoteka.model import Value
from kartoteka.pieces import pieces

CHUNK = 1000
"""Keys in one statement at most."""

UNREADABLE = "\ufffd"
"""What stands for a letter that is none in the database's encoding."""

COUNT = sa.bindparam("count", type_=sa.Integer)
"""The parameter that says how many rows are read at most."""

Row = dict[str, Any]
"""A row to be written: column or parameter -> value."""

Found = sa.Row[*tuple[Any, ...]]
"""A row that was read."""

Select = sa.Select[*tuple[Any, ...]]


def among(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of the parameter ``ids``."""
    return column.in_(sa.bindparam("ids", expanding=True))


def letters(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return a column as text, whatever an engine keeps it in: an amount must not pass through a float."""
    return sa.cast(column, sa.UnicodeText())


def by_ids(connection: sa.Connection, statement: Select, ids: Collection[str]) -> list[Found]:
    """Return the rows of a statement with :func:`among` in it: one statement for each ``CHUNK`` ids."""
    return [row for some in pieces(list(ids), CHUNK) for row in connection.execute(statement, {"ids": some})]


def for_ids(connection: sa.Connection, statement: sa.Executable, ids: Collection[str]) -> None:
    """Run a writing statement with :func:`among` in it for these ids."""
    for some in pieces(list(ids), CHUNK):
        connection.execute(statement, {"ids": some})


def value_of(stored: Any) -> Value:
    """Return a column's value as a record has it, whatever type the ERP's author gave the column."""
    if stored is None or isinstance(stored, str | bool):
        return stored
    return stored.decode("utf-8", "replace") if isinstance(stored, bytes) else str(stored)


def texts(stored: Iterable[Any]) -> list[str]:
    """Return the keys among these that are texts; a program may have bound one as bytes, which nothing is equal to."""
    return [key for key in stored if isinstance(key, str)]


FOREVER = {"infinity": datetime.max.replace(tzinfo=UTC), "-infinity": datetime.min.replace(tzinfo=UTC)}
"""PostgreSQL's words for after and before all times."""


def moment_of(text: str) -> datetime | None:
    """Return the moment that a text tells (ISO 8601; UTC where it names no zone), None for what tells none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def clean(text: str) -> str:
    """Return the text without what no database takes: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(value: Value) -> str | None:
    """Return a value as ``sync_history`` and ``sync_conflicts`` show it."""
    text = as_text(value)
    return text if text is None or (text.isascii() and "\x00" not in text) else clean(text)


def fit(column: sa.Column[Any], text: str) -> str:
    """Return a text of the panel's cleaned, and cut to what our column holds."""
    length = getattr(column.type, "length", None)
    return clean(text)[:length]
