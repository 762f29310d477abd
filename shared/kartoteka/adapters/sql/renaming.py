"""A client that has another code: what is kept of it goes to the new one. Statements inside one transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.forgotten import Tombstones
from kartoteka.adapters.sql.tables import (
    ErpTables,
    sync_base,
    sync_conflicts,
    sync_exclusions,
    sync_history,
    sync_links,
    sync_matches,
    sync_plan,
    sync_status,
)
from kartoteka.ports.exchange import Renamed

_REPLACED = (sync_base, sync_status)
"""What is known of the new code so far is less than what is moved there."""
_MOVED = (*_REPLACED, sync_history, sync_conflicts)


def rename(connection: sa.Connection, erp: ErpTables, tombstones: Tombstones, old: str, new: str) -> Renamed:
    """Move all rows of a client to its new code, or say why not. Its row is touched, so that it is noticed."""
    if why := _of_erased(tombstones.clients(connection, [old, new]), old, new) or _refused(connection, erp, old, new):
        return why
    for table in _REPLACED:
        connection.execute(table.delete().where(table.c.client_id == new))
    for table in _MOVED:
        _move(connection, table, old, new)
    _move(connection, erp.incoming_clients, old, new)
    for table in (sync_plan, sync_matches):  # they are about what is there, and are found again
        which = [table.c.client_id.in_([old, new])]
        which += [table.c.outcome.is_(None)] if table is sync_plan else []
        connection.execute(table.delete().where(*which))
    _move(connection, sync_plan, old, new)
    own = sa.select(sync_exclusions.c.concern).where(sync_exclusions.c.client_id == new)
    known = list(connection.scalars(own))
    excluded = sync_exclusions.c
    connection.execute(sync_exclusions.delete().where(excluded.client_id == old, excluded.concern.in_(known)))
    _move(connection, sync_exclusions, old, new)
    link = sync_links.c
    former = sa.case((link.former_code == "", old), else_=link.former_code)
    connection.execute(sync_links.update().where(link.client_id == old).values(client_id=new, former_code=former))
    client = erp.clients.c.id
    connection.execute(erp.clients.update().where(client == new).values(id=client))
    return Renamed.DONE


def _of_erased(dead: Collection[str], old: str, new: str) -> Renamed | None:
    """Say why a code of somebody who was erased takes part in no renaming: what is moved to it would be erased."""
    if old in dead:
        return Renamed.ERASED
    return Renamed.TO_ERASED if new in dead else None


def _refused(connection: sa.Connection, erp: ErpTables, old: str, new: str) -> Renamed | None:
    link, base = sync_links.c, sync_base.c
    if not _any(connection, link.client_id == old) or old == new:
        return Renamed.UNKNOWN
    if _any(connection, erp.clients.c.id == old):
        return Renamed.STANDS
    if _any(connection, link.client_id == new):
        return Renamed.LINKED
    return Renamed.OPENING if _any(connection, sa.and_(base.client_id == new, base.intent.is_not(None))) else None


def _any(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> bool:
    return bool(connection.scalar(sa.select(sa.func.count()).where(condition)))


def _move(connection: sa.Connection, table: sa.Table, old: str, new: str) -> None:
    column: sa.Column[Any] = table.c.client_id
    connection.execute(table.update().where(column == old).values(client_id=new))
