"""Writing the ERP's own rows: each on the condition that it still is what was seen, and none at a neighbour's cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.dialect.base import EXACT, reason
from kartoteka.adapters.sql.load import RowReader
from kartoteka.adapters.sql.tables import owner_of
from kartoteka.adapters.sql.values import UNREADABLE, Row, clean, value_of
from kartoteka.errors import Halt, Retry
from kartoteka.model import Change, Edit, Key, RowWrite, Value, Values
from kartoteka.ports.exchange import Saved


class _Shape(NamedTuple):
    """What is done in which table with which columns: changes of one shape are written by one statement."""

    what: str
    table: str
    columns: tuple[str, ...]


_Statement = sa.Update | sa.Delete | sa.Insert

_DELETE, _INSERT, _UPDATE = "delete", "insert", "update"


class RowWriter:
    """Writes rows of the ERP's tables, where the table of fields says they stand."""

    def __init__(self, database: Database) -> None:
        self._dialect = database.dialect
        self._erp = database.erp

    def write(self, connection: sa.Connection, changes: Sequence[Change]) -> Saved:
        """Write the rows that still are as seen; say which were changed meanwhile, and which the database refused."""
        by_shape: dict[_Shape, list[Change]] = defaultdict(list)
        for change in sorted(changes, key=lambda change: _row_id(change.record.key)):  # everybody locks in one order
            by_shape[self._shape(change)].append(change)
        again: set[Key] = set()
        refused: dict[Key, str] = {}
        columns: dict[Key, Mapping[str, str]] = {}
        for shape in sorted(by_shape):
            statement = self._statement(shape)
            for change in self._not_written(connection, statement, by_shape[shape]):
                key = change.record.key
                written, why = self._write_one(connection, statement, change)
                if why and (found := self._refused_columns(connection, change)):
                    columns[key] = found
                if shape.what == _INSERT and not written:
                    why = self._why_not_inserted(connection, key, why)
                if why:
                    refused[key] = why
                elif not written:
                    again.add(key)
        return Saved(frozenset(again), refused, columns)

    def forms(self, connection: sa.Connection, changes: Sequence[Change]) -> Mapping[Key, Values]:
        """Return what the rows hold now in place of what these changes wrote: a trigger may have rewritten it."""
        names: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            names[self._table(change.record.key).name].update(_new(change))
        found: dict[Key, Values] = {}
        for name, columns in names.items():
            table = self._erp.named(name)
            (row_id,) = table.primary_key
            reader = RowReader(owner_of(table), row_id, [table.c[column] for column in sorted(columns)])
            keys = {
                (c.record.key.client_id, _row_id(c.record.key)): c
                for c in changes
                if self._table(c.record.key) is table
            }
            rows = reader.read(connection, sorted({owner for owner, _ in keys}))
            found |= {
                c.record.key: {n: rows[each][n] for n, value in _new(c).items() if rows[each][n] != value}
                for each, c in keys.items()
                if each in rows
            }
        return found

    def _table(self, key: Key) -> sa.Table:
        rows = self._erp.concerns[key.concern]
        return self._erp.named(rows.groups if key.group_id else rows.items if key.item_id else rows.table)

    def _shape(self, change: Change) -> _Shape:
        row, table = _written(change), self._table(change.record.key).name
        if row.insert is not None:
            return _Shape(_INSERT, table, tuple(sorted(row.insert)))
        if row.delete is not None:
            return _Shape(_DELETE, table, tuple(sorted(row.delete)))
        return _Shape(_UPDATE, table, tuple(sorted(row.edits)))

    def _statement(self, shape: _Shape) -> _Statement:
        """Return the INSERT of a row, or the UPDATE or DELETE of one that holds nothing but what was seen in it."""
        what, name, columns = shape
        table = self._erp.named(name)
        (key,) = table.primary_key
        named: dict[str, Any] = {key.name: sa.bindparam("row_id")}
        if "client_id" in table.c and key.name != "client_id":
            named["client_id"] = sa.bindparam("owner")
        new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
        if what == _INSERT:
            return table.insert().values({**named, **new})
        seen = [
            self._dialect.same(table.c[name], sa.bindparam(f"seen_{name}", type_=table.c[name].type))
            for name in columns
        ]
        conditions = (*(table.c[name] == value for name, value in named.items()), *seen)
        return table.delete().where(*conditions) if what == _DELETE else table.update().where(*conditions).values(new)

    def _not_written(
        self, connection: sa.Connection, statement: _Statement, changes: Sequence[Change]
    ) -> Iterator[Change]:
        """Write these rows together, or else in halves, and yield those that cannot be written, each alone."""
        if self._write_together(connection, statement, changes):
            return
        if len(changes) == 1:
            yield changes[0]
            return
        half = len(changes) // 2
        for part in (changes[:half], changes[half:]):
            yield from self._not_written(connection, statement, part)

    def _write_together(self, connection: sa.Connection, statement: _Statement, changes: Sequence[Change]) -> bool:
        """Write all these rows with one statement; False (and nothing written) if one does not hold."""
        savepoint = connection.begin_nested()
        try:
            held = _write(connection, statement, changes) == len(changes)
        except (DBAPIError, ValueError) as error:
            self._give_up(connection, savepoint, error)
            return False
        (savepoint.commit if held else savepoint.rollback)()
        return held

    def _refused_columns(self, connection: sa.Connection, change: Change) -> Mapping[str, str]:
        """Return which columns of a refused row the database does not take, and why: each is tried alone, and undone.

        Empty where the row is refused whatever is written into it.
        """
        row = _written(change)
        if row.delete is not None:
            return {}
        edits = row.edits or {name: Edit(None, value) for name, value in (row.insert or {}).items()}
        nothing = RowWrite({name: Edit(edit.seen, edit.seen) for name, edit in edits.items()})
        if row.insert is not None:
            nothing = RowWrite(insert=dict.fromkeys(edits))
        savepoint = connection.begin_nested()
        taken, _ = self._try(connection, change, nothing)
        found = {}
        for name, edit in edits.items() if taken else ():
            _, why = self._try(connection, change, RowWrite({name: edit}))
            if why:
                found[name] = why
        savepoint.rollback()
        return found

    def _try(self, connection: sa.Connection, change: Change, row: RowWrite) -> tuple[bool, str]:
        """Write a record's row in this way; return as :meth:`_write_one`."""
        other = replace(change, row=row)
        return self._write_one(connection, self._statement(self._shape(other)), other)

    def _write_one(self, connection: sa.Connection, statement: _Statement, change: Change) -> tuple[bool, str]:
        """Return whether the row was written, and why the database refused it, if it did."""
        savepoint = connection.begin_nested()
        try:
            written = _write(connection, statement, [change]) > 0
        except (DBAPIError, ValueError) as error:
            self._give_up(connection, savepoint, error)
            return False, reason(error) if isinstance(error, DBAPIError) else str(error)
        savepoint.commit()
        return written, ""

    def _why_not_inserted(self, connection: sa.Connection, key: Key, why: str) -> str:
        """Return why a row was refused; empty where the client has it already, so that it is to be looked at again."""
        table = self._table(key)
        (row_id,) = table.primary_key
        owner = owner_of(table)
        found = connection.execute(sa.select(owner).where(row_id == _row_id(key))).first()
        if found is None:
            return why or "the database took no row"
        is_ours = value_of(found[0]) == (key.client_id or key.group_id)
        return "" if is_ours else f"the id {key.item_id} is another client's"

    def _give_up(self, connection: sa.Connection, savepoint: sa.NestedTransaction, error: Exception) -> None:
        """Undo to the savepoint, or pass the error on where the database itself is the matter and not the row.

        Also where the error has ended the transaction: the record is then found by storing its neighbours without it.
        """
        verdict = self._dialect.diagnose(error) if isinstance(error, DBAPIError) else None
        if isinstance(verdict, Retry) or (isinstance(verdict, Halt) and verdict.code != "no_schema"):
            raise error
        if not self._dialect.holds(connection):
            raise error
        savepoint.rollback()


def _write(connection: sa.Connection, statement: _Statement, changes: Sequence[Change]) -> int:
    counted = {"preserve_rowcount": True, EXACT: True}  # SQLAlchemy counts an INSERT's rows only when told to
    rows = [_parameters(change) for change in changes]
    return int(connection.execute(statement, rows, execution_options=counted).rowcount)


def _written(change: Change) -> RowWrite:
    assert change.row is not None
    return change.row


def _new(change: Change) -> Values:
    """Return what a change writes into a row that is there afterwards."""
    row = _written(change)
    return {**(row.insert or {}), **{name: edit.value for name, edit in row.edits.items()}}


def _row_id(key: Key) -> str:
    return key.item_id or key.client_id or key.group_id


def _parameters(change: Change) -> Row:
    row, key = _written(change), change.record.key
    given: Row = {"row_id": _row_id(key)}
    if key.item_id:
        given["owner"] = key.client_id
    for name, value in (row.insert or {}).items():
        given[f"new_{name}"] = _storable(value)
    for name, value in (row.delete or {}).items():
        given[f"seen_{name}"] = _readable(value)
    for name, edit in row.edits.items():
        given[f"seen_{name}"], given[f"new_{name}"] = _readable(edit.seen), _storable(edit.value)
    return given


def _readable(seen: Value) -> Value:
    """Raise ValueError for a text that was not read to the letter: nobody can say that it still stands there."""
    if isinstance(seen, str) and UNREADABLE in seen:
        raise ValueError("the column holds letters in another encoding")
    return seen


def _storable(value: Value) -> Value:
    """Raise ValueError for a text that no database takes."""
    if isinstance(value, str) and clean(value) != value:
        raise ValueError("not a text")
    return value
