"""`python -m bench.database`: what a load and a save of many records cost the exchange database, by engine.

The steps are those of a client's first hours: an account is opened, shown by the panel, and edited there. Beside them
the ways in which many rows can be handed to an engine: the fastest by the processor is the one that its dialect uses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from sqlalchemy.dialects import postgresql, sqlite

from bench.command import workplace
from bench.customers import clients
from bench.erp import Erp, exchange
from bench.meter import cpu_seconds
from kartoteka.adapters.sql import SqlExchange, connect
from kartoteka.adapters.sql.dialect.base import spelled
from kartoteka.adapters.sql.states import BASE, base_row
from kartoteka.adapters.sql.tables import sync_base
from kartoteka.adapters.sql.values import Row
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.model import (
    Change,
    Deferral,
    Direction,
    Edit,
    Forms,
    Intent,
    Key,
    Link,
    Owner,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Sent,
    Written,
)
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import Saved
from local import postgres

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SHOWN_BY = NOW + timedelta(minutes=5)
WAITS = Status(State.PENDING, "unconfirmed", "", "Panel przyjął wartości." * 3, "The panel took the values." * 3)

Cost = tuple[int, float, float]
"""Statements, seconds by the clock, seconds of this process's processor."""
Costs = dict[str, list[Cost]]


class Meter:
    """Notes what each step costs."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._statements = 0
        sa.event.listen(sa.Engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self._statements += 1

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside the block."""
        statements, wall, cpu = self._statements, time.perf_counter(), cpu_seconds()
        yield
        cost = (self._statements - statements, time.perf_counter() - wall, cpu_seconds() - cpu)
        self._costs.setdefault(name, []).append(cost)


def through(erp: Erp, meter: Meter, count: int, size: int) -> None:
    """Open, confirm and edit so many clients, in chunks of a size."""
    rows = clients(count)
    erp.fill(rows)
    opened = connect(erp.url)
    opened.records.count_linked()
    owners = pieces([Owner(row["id"]) for row in rows], size)
    with meter.step("load new clients"):
        new = [opened.records.load("accounts", some) for some in owners]
    announced = [[_announced(record) for record in some] for some in new]
    with meter.step("save their intents"):
        _save(opened, announced)
    linked = [[change for each in some for change in _opened(each)] for some in announced]
    with meter.step("save their accounts"):
        _save(opened, linked)
    for concern in ("accounts", "billing", "shops", "delivery_addresses", "credit"):
        with meter.step(f"load {concern}"):
            loaded = [opened.records.load(concern, some) for some in owners]
        if concern == "billing":
            billing = loaded
    shown = [[_shown(record) for record in some] for some in billing]
    with meter.step("save what the panel showed"):
        _save(opened, shown)
    edited = [[_edited(replace(c.record, state=c.after)) for c in some] for some in shown]
    with meter.step("save edits into the ERP's rows"):
        _save(opened, edited)
    opened.close()


def _save(opened: SqlExchange, chunks: Sequence[Sequence[Change]]) -> None:
    for changes in chunks:
        saved = opened.records.save(changes, run_id="bench", at=NOW)
        assert saved == Saved()


def _announced(record: Record) -> Change:
    whole = json.dumps({n: v for n, v in (record.erp or {}).items() if v}, ensure_ascii=False)
    written = Written("", Direction.ERP_TO_PANEL, Reason.CREATE, None, whole)
    return Change(record, RecordState(intent=Intent((written,), making=True, login=f"b2b-{record.key.client_id}")))


def _opened(announced: Change) -> list[Change]:
    """Return what is stored of an account that was opened: its link, and what three concerns agree on."""
    record, client_id = replace(announced.record, state=announced.after), announced.record.key.client_id
    intent = announced.after.intent
    assert intent is not None
    link = Link(client_id, client_id.partition("-")[2], intent.login, "created")
    active = RecordState(base=Forms({"active": True}, {"active": True}), status=IN_STEP)
    values = {f"field_{n}": f"wartość {n}" for n in range(12)}
    sent = Sent(NOW, (None,), SHOWN_BY)
    waits = RecordState(deferral=Deferral(SHOWN_BY, 0, 0, WAITS.code), status=WAITS)
    billing = replace(waits, base=Forms(values, {}, dict.fromkeys(values, sent)))
    shops = replace(waits, base=Forms({"shops": (1, 2)}, {}, {"shops": sent}))
    others = {"billing": billing, "shops": shops}
    return [
        Change(record, active, written=intent.written, link=link),
        *(Change(Record(Key(client_id, "", concern)), state) for concern, state in others.items()),
    ]


def _shown(record: Record) -> Change:
    base = record.state.base
    assert base is not None
    return Change(record, RecordState(base=Forms(base.erp, base.erp), status=IN_STEP))


def _edited(record: Record) -> Change:
    base, before = record.state.base, (record.erp or {})["city"]
    assert base is not None
    after = replace(record.state, base=Forms({**base.erp, "city": "X"}, {**base.panel, "city": "X"}))
    wrote = Written("city", Direction.PANEL_TO_ERP, Reason.EDIT, before, "X")
    return Change(record, after, written=(wrote,), row=RowWrite({"city": Edit(before, "X")}))


# --- ways to hand over many rows


def ways(erp: Erp, meter: Meter, count: int) -> None:
    """Write rows of ``sync_base`` in each way: new ones, and the same again."""
    database = connect(erp.url).database
    dialect, engine = database.dialect, database.engine
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    plain = insert(sync_base).values({name: sa.bindparam(name) for name in BASE})
    updated = {name: plain.excluded[name] for name in BASE if name not in Key._fields}
    plain = plain.on_conflict_do_update(index_elements=Key._fields, set_=updated)
    upsert, text = dialect.upsert(sync_base, BASE), str(plain.compile(dialect=engine.dialect))

    def by_driver(connection: sa.Connection, rows: Sequence[Row]) -> None:
        given = [{n: spelled(v) if isinstance(v, datetime) else v for n, v in row.items()} for row in rows]
        connection.exec_driver_sql(text, [tuple(each.values()) for each in given] if "?" in text else given)

    def as_json(connection: sa.Connection, rows: Sequence[Row]) -> None:
        if engine.dialect.name != "sqlite":
            dialect.run(connection, upsert, rows)
            return
        values = ", ".join(f"json_extract(value, '$[{n}]')" for n in range(len(BASE)))
        head, _, end = text.partition(" VALUES ")
        end = end[end.index("ON CONFLICT") :]
        unfolding = f"{head} SELECT {values} FROM json_each(?) WHERE true {end}"  # noqa: S608 (our own names)
        given = [[spelled(v) if isinstance(v, datetime) else v for v in row.values()] for row in rows]
        connection.exec_driver_sql(unfolding, (json.dumps(given, ensure_ascii=False),))

    found: dict[str, Callable[[sa.Connection, Sequence[Row]], object]] = {
        "executemany by SQLAlchemy": lambda connection, rows: connection.execute(plain, rows),
        "executemany by the driver": by_driver,
        "one JSON document": as_json,
    }
    state = RecordState(base=Forms({f"field_{n}": "wartość" for n in range(12)}, {}), deferral=Deferral(NOW, 0, 0, "x"))
    for n, (name, write) in enumerate(found.items()):
        keys = (Key(f"W-{n}-{each}", "", "billing") for each in range(count))
        rows = [row for key in keys if (row := base_row(key, state, NOW)) is not None]
        with database.writing() as connection, meter.step(f"{count:,} rows twice, {name}"):
            write(connection, rows)
            write(connection, rows)
    database.close()


def main() -> None:
    """Measure on each engine, print the medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.database", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000, help="clients (default: %(default)s)")
    parser.add_argument("--chunk", type=int, default=1_000, help="records of one load or save (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions (default: %(default)s)")
    chosen, console = parser.parse_args(), Console()
    with workplace() as place, postgres.running() as server:
        for engine, on in {"SQLite": None, "PostgreSQL": server}.items():
            costs: Costs = {}
            meter = Meter(costs)
            for _ in range(chosen.repeat):
                with exchange(place, on) as erp:
                    through(erp, meter, chosen.clients, chosen.chunk)
                    ways(erp, meter, chosen.clients)
            console.print(_table(f"{engine}, {chosen.clients:,} clients, {chosen.chunk:,} at once", costs))


def _table(title: str, costs: Costs) -> Table:
    table = Table("step", "statements", "wall ms", "CPU ms", title=title)
    for name, repetitions in costs.items():
        statements, wall, cpu = (statistics.median(each) for each in zip(*repetitions, strict=True))
        table.add_row(name, f"{statements:.0f}", f"{wall * 1000:.1f}", f"{cpu * 1000:.1f}")
    return table


if __name__ == "__main__":
    main()
