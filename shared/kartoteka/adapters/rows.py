"""Writing the ERP's own rows: each on the condition that it still is what was seen, and none at a neighbour's cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kartoteka.adapters import schema
from kartoteka.adapters.dialects import Engine, reason
from kartoteka.adapters.values import Row, clean, value_of
from kartoteka.core.concerns import CONCERNS
from kartoteka.core.errors import Halt, Retry
from kartoteka.core.model import Place, Settlement, Value
from kartoteka.ports import Settled

TABLES: Mapping[str, sa.Table] = {name: schema.metadata.tables[concern.table] for name, concern in CONCERNS.items()}
"""Concern -> the ERP's table whose rows it reads and writes, by ``id``."""

_Shape = tuple[str, str, tuple[str, ...]]
"""What is done, the concern, and the columns: settlements of one shape are written by one statement."""

_Statement = sa.Update | sa.Delete | sa.Insert
_Group = tuple[_Statement, list[Settlement]]

_DELETE, _INSERT, _UPDATE = "delete", "insert", "update"


def write_rows(connection: sa.Connection, engine: Engine, settlements: Sequence[Settlement]) -> Settled:
    """Write the rows that still are as seen; say which were changed meanwhile, and which the database refused."""
    by_shape: dict[_Shape, list[Settlement]] = defaultdict(list)
    for settlement in sorted(settlements, key=_row_id):  # everybody locks rows in the same order
        by_shape[_shape(settlement)].append(settlement)
    groups = [(_statement(engine, shape), by_shape[shape]) for shape in sorted(by_shape)]
    return Settled() if _write_together(connection, engine, groups) else _write_one_by_one(connection, engine, groups)


def _shape(settlement: Settlement) -> _Shape:
    if settlement.row_insert is not None:
        return _INSERT, settlement.concern, tuple(sorted(settlement.row_insert))
    if settlement.row_delete is not None:
        return _DELETE, settlement.concern, tuple(sorted(settlement.row_delete))
    return _UPDATE, settlement.concern, tuple(sorted(settlement.row_edits))


def _statement(engine: Engine, shape: _Shape) -> _Statement:
    """Return the INSERT of a row, or the UPDATE or DELETE of one that holds nothing but what was seen in it."""
    what, concern, names = shape
    table, items = TABLES[concern], CONCERNS[concern].items
    new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
    if what == _INSERT:
        return table.insert().values(id=sa.bindparam("row_id"), client_id=sa.bindparam("owner"), **new)
    seen = [engine.same(table.c[name], sa.bindparam(f"seen_{name}", type_=table.c[name].type)) for name in names]
    owner = [table.c.client_id == sa.bindparam("owner")] if items else []
    conditions = (table.c.id == sa.bindparam("row_id"), *owner, *seen)
    return table.delete().where(*conditions) if what == _DELETE else table.update().where(*conditions).values(new)


def _write_together(connection: sa.Connection, engine: Engine, groups: Sequence[_Group]) -> bool:
    """Write all rows with one statement for each shape; False (and nothing written) if one does not hold."""
    if not groups:
        return True
    savepoint = connection.begin_nested()
    try:
        held = all(_write(connection, statement, some) == len(some) for statement, some in groups)
    except (DBAPIError, ValueError) as error:
        _give_up(engine, savepoint, error)
        return False
    (savepoint.commit if held else savepoint.rollback)()
    return held


def _write_one_by_one(connection: sa.Connection, engine: Engine, groups: Sequence[_Group]) -> Settled:
    again: set[Place] = set()
    refused: dict[Place, str] = {}
    for statement, settlement in ((statement, settlement) for statement, some in groups for settlement in some):
        written, why = _write_one(connection, engine, statement, settlement)
        if settlement.row_insert is not None and not written:
            why = _why_not_inserted(connection, settlement, why)
        if why:
            refused[settlement.place] = why
        elif not written:
            again.add(settlement.place)
    return Settled(frozenset(again), refused)


def _write_one(
    connection: sa.Connection, engine: Engine, statement: _Statement, settlement: Settlement
) -> tuple[bool, str]:
    """Return whether the row was written, and why the database refused it, if it did."""
    savepoint = connection.begin_nested()
    try:
        written = _write(connection, statement, [settlement]) > 0
    except (DBAPIError, ValueError) as error:
        _give_up(engine, savepoint, error)
        return False, reason(error) if isinstance(error, DBAPIError) else "not a text"
    savepoint.commit()
    return written, ""


def _why_not_inserted(connection: sa.Connection, settlement: Settlement, why: str) -> str:
    """Return why a row was refused; empty where the customer has it already, so that it is to be looked at again."""
    table = TABLES[settlement.concern]
    found = connection.execute(sa.select(table.c.client_id).where(table.c.id == settlement.item_id)).first()
    if found is None:
        return why or "the database took no row"
    return "" if value_of(found[0]) == settlement.client_id else f"the id {settlement.item_id} is another customer's"


def _write(connection: sa.Connection, statement: _Statement, settlements: Sequence[Settlement]) -> int:
    counted = {"preserve_rowcount": True}  # SQLAlchemy counts an INSERT's rows only when told to
    rows = [_parameters(settlement) for settlement in settlements]
    return int(connection.execute(statement, rows, execution_options=counted).rowcount)


def _give_up(engine: Engine, savepoint: sa.NestedTransaction, error: Exception) -> None:
    """Undo to the savepoint, or pass the error on where the database itself is the matter and not the row."""
    verdict = engine.diagnose(error) if isinstance(error, DBAPIError) else None
    if isinstance(verdict, Retry) or (isinstance(verdict, Halt) and verdict.code != "no_schema"):
        raise error
    savepoint.rollback()


def _row_id(settlement: Settlement) -> str:
    return settlement.item_id or settlement.client_id


def _parameters(settlement: Settlement) -> Row:
    row: Row = {"row_id": _row_id(settlement)}
    if CONCERNS[settlement.concern].items:
        row["owner"] = settlement.client_id
    for name, value in (settlement.row_insert or {}).items():
        row[f"new_{name}"] = _storable(value)
    for name, value in (settlement.row_delete or {}).items():
        row[f"seen_{name}"] = value
    for name, edit in settlement.row_edits.items():
        row[f"seen_{name}"], row[f"new_{name}"] = edit.seen, _storable(edit.value)
    return row


def _storable(value: Value) -> Value:
    """Raise ValueError for a text that no database takes."""
    if isinstance(value, str) and clean(value) != value:
        raise ValueError
    return value
