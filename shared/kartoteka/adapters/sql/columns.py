"""How columns of the exchange database are typed, and how a column is made from a line of the table of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from numbers import Number
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.dialect.base import UtcNow
from kartoteka.adapters.sql.values import Code
from kartoteka.fields import normal
from kartoteka.fields.table import Column, Field, Fields

ID = 40
"""Characters of a client's code, and of a panel's id."""

FOREIGN_ID = 255
"""Characters of a client's code in our own tables: a longer one in a table of the ERP's own must not stop a chunk."""


_NAMES_A_RECORD = "_id"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment: aware in Python, UTC without a zone in the database, whatever the session's zone is."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the moment as the database keeps it."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def result_processor(self, _dialect: sa.Dialect, _coltype: object) -> Callable[[Any], datetime | None]:
        """Return what reads a moment with its zone, also from the text that stands for one."""
        return self.read

    @staticmethod
    def read(value: datetime | str | None) -> datetime | None:
        """Return the moment that is stored."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_FLAGS = dict.fromkeys((*normal.TRUE, "tak", "on"), True) | dict.fromkeys((*normal.FALSE, "nie", "off"), False)


_BITS = {b"\x01": True, b"\x00": False}
"""How MySQL and MariaDB hand over a BIT(1)."""


class Flag(sa.Boolean):
    """A truth value, read from whatever an ERP may have put there, in a column of whatever type."""

    cache_ok = True

    def result_processor(self, _dialect: sa.Dialect, _coltype: object) -> Callable[[Any], Any]:
        """Return what reads a stored value."""
        return self.read

    @staticmethod
    def read(value: Any) -> bool | str | None:
        """Return what a stored value says: None for an empty one, the text itself for one that is no truth value."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Number):
            return bool(value)
        if isinstance(value, bytes):
            if value in _BITS:
                return _BITS[value]
            value = value.decode("utf-8", "replace")
        text = str(value).strip()
        return _FLAGS.get(text.lower(), text or None)


_TYPES: Mapping[Column, Callable[[int], Any]] = {
    Column.TEXT: sa.Unicode,
    Column.FIXED: sa.CHAR,
    Column.FLAG: lambda _length: Flag(),
    Column.MONEY: lambda _length: sa.Numeric(12, 2),
    Column.PERCENT: lambda _length: sa.Numeric(5, 2),
    Column.WHOLE: lambda _length: sa.Integer(),
    Column.MOMENT: lambda _length: UtcDateTime(),
}


def of_fields(fields: Fields) -> list[sa.Column[Any]]:
    """Return a column for each field, in their order."""
    return [_of_field(field) for field in fields.values()]


def _of_field(field: Field) -> sa.Column[Any]:
    default: Any = field.default
    if isinstance(default, bool):
        default = sa.true() if default else sa.false()
    kind = Code if field.name.endswith(_NAMES_A_RECORD) else _TYPES[field.kind.column]
    return sa.Column(field.name, kind(field.length), server_default=default)


def key(name: str, length: int = ID, **options: Any) -> sa.Column[Any]:
    """Return a text column of the primary key."""
    return sa.Column(name, Code(length), primary_key=True, **options)


def foreign_key(name: str) -> sa.Column[Any]:
    """Return a column of the primary key for an id that the ERP gave; the empty text where there is none."""
    return key(name, FOREIGN_ID, server_default="")


def number_key(name: str) -> sa.Column[Any]:
    """Return a whole number of the primary key."""
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def serial(name: str) -> sa.Column[Any]:
    """Return a primary key that the database counts."""
    whole = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, whole, sa.Identity(), primary_key=True)


def text(name: str, length: int, **options: Any) -> sa.Column[Any]:
    """Return a text column that may be null."""
    return sa.Column(name, _text(name, length), **options)


def _text(name: str, length: int) -> sa.Unicode:
    return Code(length) if name.endswith(_NAMES_A_RECORD) else sa.Unicode(length)


def word(name: str, length: int = 64) -> sa.Column[Any]:
    """Return a text column that is never null, but may be empty."""
    return sa.Column(name, _text(name, length), nullable=False, server_default="")


def long_text(name: str) -> sa.Column[Any]:
    """Return a text column of any length."""
    return sa.Column(name, sa.UnicodeText)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    """Return a column for a moment; ``now``: never null, the moment of the insertion by default."""
    return sa.Column(name, UtcDateTime, nullable=not now, server_default=UtcNow() if now else None)


def day(name: str) -> sa.Column[Any]:
    """Return a column for a day that may be null."""
    return sa.Column(name, sa.Date)


def flag(name: str) -> sa.Column[Any]:
    """Return a truth value that is false by default."""
    return sa.Column(name, Flag, nullable=False, server_default=sa.false())


def count(name: str) -> sa.Column[Any]:
    """Return a whole number that is 0 by default."""
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")
