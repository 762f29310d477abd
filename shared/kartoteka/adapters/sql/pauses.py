"""What is stopped, and since when the brake counts: one row a concern."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.tables import sync_pauses
from kartoteka.adapters.sql.values import Row, fit
from kartoteka.ports.exchange import Pauses

_PAUSE = sync_pauses.c
_PAUSED = sa.select(_PAUSE.concern, _PAUSE.reason).where(_PAUSE.reason != "")
_CAUSES = sa.select(_PAUSE.concern, _PAUSE.code).where(_PAUSE.reason != "", _PAUSE.code != "")
_SINCE = sa.select(_PAUSE.concern, _PAUSE.paused_at).where(_PAUSE.reason != "", _PAUSE.paused_at.is_not(None))
_RELEASED = sa.select(_PAUSE.released_at).where(_PAUSE.concern == sa.bindparam("of_concern"))
_OVER: Row = {"reason": "", "code": "", "paused_at": None}
_END = sync_pauses.update().where(_PAUSE.concern == sa.bindparam("of_concern")).values(_OVER)


class SqlPauses(Pauses):
    """The pauses of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pause = database.dialect.upsert(sync_pauses, ("concern", "reason", "code", "paused_at"))
        self._release = database.dialect.upsert(sync_pauses, ("concern", "reason", "code", "paused_at", "released_at"))

    def paused(self) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_PAUSED)}

    def causes(self) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_CAUSES)}

    def since(self) -> Mapping[str, datetime]:
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(_SINCE)}

    def pause(self, concern: str, reason: str, *, at: datetime, code: str = "") -> None:
        row: Row = {"concern": concern, "reason": fit(_PAUSE.reason, reason), "code": code, "paused_at": at}
        with self._database.writing() as connection:
            self._database.run(connection, self._pause, [row])

    def resume(self, concern: str, *, released_at: datetime | None = None) -> None:
        row: Row = {**_OVER, "concern": concern, "released_at": released_at}
        with self._database.writing() as connection:
            if released_at is None:
                connection.execute(_END, {"of_concern": concern})
            else:
                self._database.run(connection, self._release, [row])

    def released(self, concern: str) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(_RELEASED, {"of_concern": concern})
