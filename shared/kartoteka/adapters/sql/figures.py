"""The age of the figures in ``client_credit``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.tables import moments
from kartoteka.adapters.sql.values import letters, moment_of, texts
from kartoteka.ports.exchange import Figures


class SqlFigures(Figures):
    """The figures of one database. A moment is read from its text, whatever an engine without a type for it holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        credit = database.erp.client_credit
        (self._as_of,) = moments(credit)
        self._dated = sa.select(credit.c.client_id, letters(self._as_of)).where(credit.c.client_id != "")
        self._newest = database.dialect.newest(self._as_of)

    def outdated(self, since: datetime | None, until: datetime) -> Sequence[str]:
        around = self._database.dialect.around(self._as_of, since, until)
        with self._database.reading() as connection:
            rows = [(row[0], moment_of(row[1])) for row in connection.execute(self._dated.where(around))]
        return sorted(texts(key for key, at in rows if at and (since is None or since <= at) and at < until))

    def newest(self, until: datetime) -> datetime | None:
        with self._database.reading() as connection:
            texts = [row[0] for row in connection.execute(self._newest, {"until": until})]
        return max((at for text in texts if text and (at := moment_of(text)) and at <= until), default=None)
