"""Values and keys on their way into the database and back: what does not fit, and how many keys go in one parameter."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.fields.values import as_text
from kartoteka.model import Value

CHUNK = 1000
"""Rows read at once where there may be any number of them."""

NUL = "\uffff"
"""What stands for NUL in a list of keys: no engine reads it out of JSON, and one keeps it in a text."""

UNREADABLE = "\ufffd"
"""What stands for a letter that is none in the database's encoding."""

COUNT = sa.bindparam("count", type_=sa.Integer)
"""The parameter that says how many rows are read at most."""

Row = dict[str, Any]
"""A row to be written: column or parameter -> value."""

Found = sa.Row[*tuple[Any, ...]]
"""A row that was read."""

Select = sa.Select[*tuple[Any, ...]]
AnySelect = Select | sa.CompoundSelect[*tuple[Any, ...]]


class Code(sa.Unicode):
    """A text that names a record. Only to the letter is it another one's, whatever the database's collation says."""

    cache_ok = True


class KeyList(sa.TypeDecorator[Collection[Any]]):
    """Keys, or tuples of them, as one parameter: a JSON list, which the database unfolds."""

    impl = sa.UnicodeText
    cache_ok = True

    def process_bind_param(self, value: Collection[Any] | None, _dialect: sa.Dialect) -> str:
        """Return the list as JSON."""
        keys = list(value or ())
        spelled = json.dumps(keys, ensure_ascii=False)
        return json.dumps(_without_nul(keys), ensure_ascii=False) if "\\u0000" in spelled else spelled


def _without_nul(keys: Any) -> Any:
    return keys.replace("\x00", NUL) if isinstance(keys, str) else [_without_nul(each) for each in keys]


class Among(sa.sql.functions.FunctionElement[Any]):
    """The condition that columns together hold one of the keys in a parameter; each engine compiles it its own way.

    However many keys there are, it is one statement with one value. It has no type: where booleans are numbers it would
    be compared with 1, and answered without an index.
    """

    type = sa.types.NullType()
    inherit_cache = True

    def __init__(self, parameter: str, *columns: sa.ColumnElement[Any]) -> None:
        super().__init__(sa.bindparam(parameter, type_=KeyList()), *columns)


def among(*columns: sa.ColumnElement[Any], parameter: str = "ids") -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of a parameter's keys, or several together one of its tuples."""
    return Among(parameter, *columns)


def letters(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return a column as text, whatever an engine keeps it in: an amount must not pass through a float."""
    return sa.cast(column, sa.UnicodeText())


def by_ids(connection: sa.Connection, statement: AnySelect, ids: Collection[str], **given: Any) -> Sequence[Found]:
    """Return the rows of a statement with :func:`among` in it; without ids it is not asked."""
    return connection.execute(statement, {"ids": ids, **given}).all() if ids else ()


def for_ids(connection: sa.Connection, statement: sa.Executable, ids: Collection[Any], **given: Any) -> None:
    """Run a writing statement with :func:`among` in it, where there are any ids."""
    if ids:
        connection.execute(statement, {"ids": ids, **given})


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
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(value: Value) -> str | None:
    """Return a value as ``sync_history`` and ``sync_conflicts`` show it."""
    text = as_text(value)
    return text if text is None else clean(text)


def fit(column: sa.Column[Any], text: str) -> str:
    """Return a text of the panel's cleaned, and cut to what our column holds."""
    length = getattr(column.type, "length", None)
    return clean(text)[:length]


def word_in(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the word that a person wrote into a column, in small letters and without blanks around."""
    return sa.func.lower(sa.func.trim(sa.func.coalesce(column, "")))
