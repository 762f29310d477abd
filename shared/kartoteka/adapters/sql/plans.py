"""``sync_plan``: what would be done with each record, and what a person said to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.forgotten import Tombstones
from kartoteka.adapters.sql.states import of_clients, of_groups
from kartoteka.adapters.sql.tables import sync_links, sync_plan
from kartoteka.adapters.sql.values import Row, among, by_ids, clean, fit, word_in
from kartoteka.model import Ended, Key, Line, Owner, Planned, PlanRow, Reason, word_of
from kartoteka.ports.exchange import NOT_WRITTEN, Chosen, PlanChange, Plans

_PLAN = sync_plan.c
_KEY = tuple(_PLAN[name] for name in Key._fields)
_OWNER = (_PLAN.client_id, _PLAN.group_id)
_OPEN = _PLAN.outcome.is_(None)
_WORD = word_in(_PLAN.decision)
COLUMNS = (*Key._fields, "planned_at", "action", "field", "direction", "value_from", "value_to", "reason", "outcome")
"""The columns of a row that is planned."""
_LINE = (_PLAN.action, _PLAN.field, _PLAN.direction, _PLAN.value_from, _PLAN.value_to, _PLAN.reason)
_ROWS = sa.select(_PLAN.id, _PLAN.planned_at, *_KEY, *_LINE, _PLAN.decision, _PLAN.decided_by, _PLAN.outcome)
_OF_CLIENTS, _OF_GROUPS = (_ROWS.where(whose(sync_plan)) for whose in (of_clients, of_groups))
_OF_CONCERN = sa.and_(_OPEN, _PLAN.concern == sa.bindparam("of_concern"))
_UNDO = _PLAN.reason == str(Reason.UNDO)
_HAVING = tuple(
    sa.select(*_OWNER).where(whose(sync_plan), _OF_CONCERN, ~_UNDO).distinct() for whose in (of_clients, of_groups)
)
_UNDOING = _ROWS.where(of_clients(sync_plan), _OF_CONCERN, _UNDO)
_FIRST = sa.func.min(_PLAN.id)
_APPROVED = {
    undo: sa.select(*_OWNER)
    .where(_OF_CONCERN, _WORD == "approve", _UNDO if undo else ~_UNDO)
    .group_by(*_OWNER)
    .order_by(_FIRST)
    .limit(sa.bindparam("count", type_=sa.Integer))
    for undo in (False, True)
}
_THIS = sa.and_(_PLAN.id == sa.bindparam("row_id"), _OPEN)
_END = sync_plan.update().where(_THIS).values(outcome=sa.bindparam("ended"))
_TOO_LATE = sync_plan.update().where(_THIS, _WORD == "approve").values(outcome=str(Ended.STALE))
_GONE = sync_plan.delete().where(_THIS)
_TAKE_BACK = sync_plan.update().where(_THIS, _PLAN.decision.is_not(None)).values(decision=None, decided_by=None)
_DROP = sync_plan.delete().where(_OF_CONCERN, ~_UNDO)
_DROP_LINKED = _DROP.where(sa.or_(_PLAN.group_id != "", sa.exists().where(sync_links.c.client_id == _PLAN.client_id)))
_PRUNE = sync_plan.delete().where(_PLAN.outcome.is_not(None), _PLAN.planned_at < sa.bindparam("before"))
_DECIDE = {undo: sync_plan.update().where(among(*_KEY), _OPEN, _UNDO if undo else ~_UNDO) for undo in (False, True)}


class SqlPlans(Plans):
    """The plans in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tombstones = Tombstones(database)
        self._insert = database.dialect.insert(sync_plan, COLUMNS)

    def rows(self, owners: Collection[Owner]) -> Sequence[PlanRow]:
        clients, groups = _apart(owners)
        with self._database.reading() as connection:
            found = [*by_ids(connection, _OF_CLIENTS, clients), *by_ids(connection, _OF_GROUPS, groups)]
        return sorted(map(_row, found), key=lambda row: row.id)

    def having(self, concern: str, owners: Collection[Owner]) -> frozenset[Owner]:
        with self._database.reading() as connection:
            asked = zip(_HAVING, _apart(owners), strict=True)
            return frozenset(
                Owner(*row)
                for statement, ids in asked
                for row in by_ids(connection, statement, ids, of_concern=concern)
            )

    def undoing(self, concern: str, owners: Collection[Owner]) -> Mapping[Key, Sequence[PlanRow]]:
        clients, _ = _apart(owners)
        with self._database.reading() as connection:
            found = [_row(row) for row in by_ids(connection, _UNDOING, clients, of_concern=concern)]
        records: defaultdict[Key, list[PlanRow]] = defaultdict(list)
        for row in sorted(found, key=lambda row: row.id):
            records[row.line.key].append(row)
        return {key: rows for key, rows in records.items() if word_of(rows) == "approve"}

    def approved(self, concern: str, limit: int, *, undo: bool) -> Sequence[Owner]:
        asked = {"of_concern": concern, "count": limit}
        with self._database.reading() as connection:
            return [Owner(*row) for row in connection.execute(_APPROVED[undo], asked)]

    def store(self, change: PlanChange, *, at: datetime) -> None:
        if not change:
            return
        with self._database.writing() as connection:
            end_rows(connection, change.ended)
            for statement, ids in ((_TOO_LATE, change.gone), (_GONE, change.gone), (_TAKE_BACK, change.kept)):
                _each(connection, statement, ({"row_id": n} for n in sorted(ids)))
            new = (*((line, None) for line in change.new), *((line, Ended.REFUSED) for line in change.refused))
            dead = self._tombstones.clients(connection, {line.key.client_id for line, _ in new})
            kept = ((line, ended) for line, ended in new if line.key.client_id not in dead)
            self._database.run(connection, self._insert, (plan_row(line, at, ended) for line, ended in kept))

    def drop(self, concern: str, *, linked_only: bool = False) -> None:
        with self._database.writing() as connection:
            connection.execute(_DROP_LINKED if linked_only else _DROP, {"of_concern": concern})

    def prune(self, before: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(_PRUNE, {"before": before})

    def open(self, chosen: Chosen, after: int, limit: int) -> Sequence[PlanRow]:
        found = _ROWS.where(*_chosen(chosen), _PLAN.id > after).order_by(_PLAN.id).limit(limit)
        with self._database.reading() as connection:
            return [_row(row) for row in connection.execute(found)]

    def records(self, chosen: Chosen) -> Mapping[str, int]:
        writing = _PLAN.action.not_in([str(action) for action in NOT_WRITTEN])
        each = sa.select(*_KEY).where(*_chosen(chosen), writing).distinct().subquery()
        found = sa.select(each.c.concern, sa.func.count()).group_by(each.c.concern)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(found)}

    def newest(self) -> datetime | None:
        with self._database.reading() as connection:
            found: datetime | None = connection.scalar(sa.select(sa.func.max(_PLAN.planned_at)).where(_OPEN))
            return found

    def decide(self, chosen: Chosen, decision: str | None, by: str) -> int:
        with self._database.writing() as connection:
            return sum(
                self._decide(connection, _DECIDE[undo], keys, decision, by)
                for undo in (False, True)
                if (keys := self._keys(connection, chosen, undo=undo))
            )

    @staticmethod
    def _decide(connection: sa.Connection, which: sa.Update, keys: Sequence[Key], decision: str | None, by: str) -> int:
        word: Row = {"decision": decision}
        if by or not decision:  # else an engine that knows who asks says so itself
            word["decided_by"] = fit(_PLAN.decided_by, by) if decision else None
        ids = {"ids": [list(key) for key in keys]}
        done = connection.execute(which.values(word), ids).rowcount
        if by and decision:  # a trigger has put the database's user there, where the same person said another word
            connection.execute(which.values(decided_by=word["decided_by"]), ids)
        return done

    @staticmethod
    def _keys(connection: sa.Connection, chosen: Chosen, *, undo: bool) -> Sequence[Key]:
        """Return the chosen records; of many none that is decided already, nor one that was planned anew since."""
        named = sa.func.max(sa.case((_PLAN.id.in_(list(chosen.ids)), 1), else_=0))
        fit_in = [named == 1] if chosen.ids else [sa.func.max(_WORD) == ""]
        if chosen.as_of is not None:
            fit_in.append(sa.func.max(_PLAN.planned_at) <= chosen.as_of)
        if chosen.action:
            fit_in.append(sa.func.max(sa.case((_PLAN.action == chosen.action, 1), else_=0)) == 1)
        if chosen.undo not in (None, undo):
            return []
        whole = Chosen(chosen.concern, chosen.client_id, undo=undo)
        found = sa.select(*_KEY).where(*_chosen(whole)).group_by(*_KEY).having(sa.and_(*fit_in))
        return [Key(*row) for row in connection.execute(found)]


def end_rows(connection: sa.Connection, ended: Mapping[int, Ended]) -> None:
    """Write down what became of these rows, of which each was open."""
    _each(connection, _END, ({"row_id": n, "ended": str(outcome)} for n, outcome in sorted(ended.items())))


def _chosen(chosen: Chosen) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()] if chosen.ended else [_OPEN]
    if chosen.concern:
        conditions.append(_PLAN.concern == chosen.concern)
    if chosen.client_id:
        conditions.append(_PLAN.client_id == chosen.client_id)
    if chosen.ids:
        conditions.append(_PLAN.id.in_(list(chosen.ids)))
    if chosen.as_of is not None:
        conditions.append(_PLAN.planned_at <= chosen.as_of)
    if chosen.undecided:
        conditions.append(_WORD == "")
    if chosen.undo is not None:
        conditions.append(_UNDO if chosen.undo else ~_UNDO)
    if chosen.action:
        conditions.append(_PLAN.action == chosen.action)
    return conditions


def _apart(owners: Collection[Owner]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the ids of the clients among these, and of the discount groups."""
    return (
        sorted({owner.client_id for owner in owners if not owner.group_id}),
        sorted({owner.group_id for owner in owners if owner.group_id}),
    )


def _each(connection: sa.Connection, statement: sa.Executable, rows: Iterable[Row]) -> None:
    given = list(rows)
    if given:
        connection.execute(statement, given)


def plan_row(line: Line, at: datetime, ended: Ended | None = None) -> Row:
    """Return the row of a line that is planned; ``ended``: at once."""
    return {
        **line.key._asdict(),
        "planned_at": at,
        "action": str(line.action),
        "field": fit(_PLAN.field, line.field),
        "direction": line.direction,
        "value_from": None if line.value_from is None else clean(line.value_from),
        "value_to": None if line.value_to is None else clean(line.value_to),
        "reason": fit(_PLAN.reason, line.reason),
        "outcome": None if ended is None else str(ended),
    }


def _row(found: Any) -> PlanRow:
    number, planned_at, *rest = found
    key, line, (decision, by, outcome) = Key(*rest[:4]), rest[4:10], rest[10:]
    said = Line(key, Planned(line[0]), *line[1:])
    return PlanRow(number, planned_at, said, decision or "", by or "", Ended(outcome) if outcome else None)
