"""What is parked, by whom it is about: customers, or discount groups, which stand in the same tables of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters import schema
from kartoteka.adapters.values import Select, among, pieces
from kartoteka.core.concerns import DISCOUNTS, GROUPS

_PARKED = schema.sync_parked.c


def about(concern: str, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a row of ours is about this concern's records: about groups, or about customers."""
    if concern == GROUPS.name:
        return (table.c.concern == DISCOUNTS.name) & (table.c.client_id == "")
    return (table.c.concern == concern) & (table.c.client_id != "")


def due(connection: sa.Connection, concern: str, now: datetime | None, limit: int) -> Sequence[str]:
    """Return the keys that are parked and due (None: or not), the longest due first."""
    key = _key(concern)
    found: Select = sa.select(key).where(about(concern, schema.sync_parked))
    if now is not None:
        found = found.where(_PARKED.due_at <= now)
    return list(connection.scalars(found.group_by(key).order_by(sa.func.min(_PARKED.due_at), key).limit(limit)))


def postpone(connection: sa.Connection, concern: str, keys: Collection[str], until: datetime) -> None:
    """Let these parked records not be due before ``until``."""
    waiting = (about(concern, schema.sync_parked), among(_key(concern)), _PARKED.due_at < until)
    statement = schema.sync_parked.update().where(*waiting).values(due_at=until)
    for some in pieces(list(keys)):
        connection.execute(statement, {"ids": some})


def _key(concern: str) -> sa.Column[Any]:
    return _PARKED.item_id if concern == GROUPS.name else _PARKED.client_id
