"""The exchange database: whether it can keep what is written into it, and tells what the ERP has changed.

It only reads. Names of tables and columns, counts and codes are in a finding, and no client's data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import sqlalchemy as sa

from kartoteka.adapters.sql import SqlExchange
from kartoteka.adapters.sql.dialect.base import UtcNow
from kartoteka.adapters.sql.tables import ERP, OPTIONAL, metadata, sync_history
from kartoteka.doctor.findings import Examination, Finding, clocks, look, ok, stop
from kartoteka.fields import table
from kartoteka.model import Reason
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Unlogged
from kartoteka.sentences import counted, some_of, worded

NAMED = 8
"""Tables or columns that a sentence names."""
FOUGHT_OVER = timedelta(hours=24)
"""How far back it is looked for values that come back: the vendor's bridge runs every 15 to 240 minutes."""
AGAIN = 3
"""How often the same value was written into a field until somebody else is believed to write it too."""
MANY = 3
"""Clients from which on it is a program that writes, and no person."""


@dataclass(frozen=True, slots=True)
class Patient:
    """An exchange database under examination, and the policy by which it is used."""

    exchange: SqlExchange
    policy: Policy


Found = Iterator[Finding]


def server(patient: Patient) -> Found:
    """See which engine answers, and whether it takes writes; a server that is too old halts at its first reading."""
    database = patient.exchange.database
    with database.reading() as connection:
        version = connection.dialect.server_version_info or ()
        replica = database.dialect.is_replica(connection)
    named = f"{database.dialect.name} {'.'.join(map(str, version))}"
    if replica:
        yield stop(
            "database",
            worded("{named}: this server follows another one and takes no writes.", named=named),
            "Name the primary server.",
        )
    else:
        yield ok(
            "database",
            worded(
                "The exchange database answers ({named}), and every table and column that is used is there.",
                named=named,
            ),
        )


def encoding(patient: Patient) -> Found:
    """See whether the database can hold every letter."""
    database = patient.exchange.database
    with database.reading() as connection:
        narrow = database.dialect.encoding(connection)
    if narrow:
        yield look(
            "encoding",
            worded("The database's encoding is {narrow}: it cannot hold every letter of a name.", narrow=narrow),
            worded("A field with such a letter is held. What mends it: {remedy}", remedy=database.dialect.every_letter),
        )
    else:
        yield ok("encoding", "The database holds every letter.")


def rights(patient: Patient) -> Found:
    """See whether this user may read and write what is read and written."""
    reads = [each.name for each in ERP.metadata.tables.values()]
    writes = {"clients": ("UPDATE",), "delivery_addresses": ("INSERT", "UPDATE", "DELETE"), "incoming_clients": _ALL}
    wanted: dict[str, Sequence[str]] = {name: ("SELECT", *writes.get(name, ())) for name in reads}
    wanted |= {each.name: ("SELECT", *_ALL) for each in metadata.tables.values() if each.name not in OPTIONAL}
    database = patient.exchange.database
    with database.reading() as connection:
        lacking = database.dialect.lacking_rights(connection, wanted)
    if lacking:
        yield stop(
            "rights",
            worded("The user may not: {names}.", names=some_of(lacking, NAMED)),
            "Grant it to the user in the database's address.",
        )
    else:
        yield ok("rights", "The user may read and write what is read and written.")


_ALL = ("INSERT", "UPDATE", "DELETE")


def triggers(patient: Patient) -> Found:
    """See whether every change of the ERP's is logged."""
    lacking = patient.exchange.log.unlogged()
    for name, why in sorted(lacking.items()):
        remedy = "Enable them." if why is Unlogged.DISABLED else "Run `kartoteka schema upgrade --url …`."
        yield stop(
            f"triggers.{name}",
            worded("The triggers of {name} are {why}: its changes are found late.", name=name, why=why),
            remedy,
        )
    if not lacking:
        yield ok("triggers", "Every table that the ERP writes has its triggers, and they fire.")


def columns(patient: Patient) -> Found:
    """Compare the types of the ERP's columns with those that are read."""
    wrong: list[str] = []
    narrow: list[str] = []
    with patient.exchange.database.reading() as connection:
        inspector = sa.inspect(connection)
        for wanted in ERP.metadata.tables.values():
            there = {each["name"].lower(): each["type"] for each in inspector.get_columns(wanted.name)}
            for column in wanted.columns:
                found, name = there[column.name], f"{wanted.name}.{column.name}"
                if _kind(found) not in _FITTING[_kind(column.type)]:
                    wrong.append(f"{name} is {found}, and should be {column.type}")
                elif (length := getattr(found, "length", None)) and length < (getattr(column.type, "length", 0) or 0):
                    narrow.append(f"{name} ({length} of {column.type.length})")  # type: ignore[attr-defined]
    if wrong:
        yield stop(
            "column_types",
            worded(
                "Columns of another type than the exchange database's page says: {names}.", names=some_of(wrong, NAMED)
            ),
            "Change their type: an id such as 007 is not the number 7, and an amount must be exact.",
        )
    else:
        yield ok("column_types", "The columns have the types that are read.")
    if narrow:
        yield look(
            "column_lengths",
            worded(
                "Columns are shorter than the exchange database's page says: {names}.", names=some_of(narrow, NAMED)
            ),
            "A longer value of the panel is held with its field named.",
        )


def _kind(found: object) -> str:
    for kind, types in _KINDS.items():
        if isinstance(found, types):
            return kind
    return "other"


_KINDS: Mapping[str, tuple[type, ...]] = {
    "flag": (sa.Boolean,),
    "moment": (sa.DateTime, sa.Date, sa.TypeDecorator),
    "float": (sa.Float,),
    "exact": (sa.Numeric,),
    "whole": (sa.Integer,),
    "text": (sa.String,),
}
_FITTING: Mapping[str, frozenset[str]] = {
    "flag": frozenset({"flag", "whole", "text"}),
    "moment": frozenset({"moment", "text"}),
    "exact": frozenset({"exact", "whole", "text"}),
    "whole": frozenset({"whole", "exact", "text"}),
    "text": frozenset({"text", "other"}),
}


def clock(patient: Patient) -> Found:
    """Compare the database's clock with this machine's: the change log and `as_of` go by it."""
    with patient.exchange.database.reading() as connection:
        told = str(connection.execute(sa.select(sa.cast(UtcNow(), sa.String()))).scalar_one())
    ahead = (datetime.fromisoformat(told).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    remedy = "Set it: figures with an as_of of the future are refused, and stale ones told late."
    yield clocks("database_clock", "database", ahead, remedy)


def clients(patient: Patient) -> Found:
    """Count the clients that will wait for a person: incomplete ones, and codes that differ in case alone."""
    own = ERP.clients.c
    required = [own[name] for name in patient.policy.panel.required_on_create]
    person = sa.and_(*(_filled(own[name]) for name in table.PERSON_FIELDS))
    named = sa.or_(_filled(own[table.COMPANY_FIELD]), person)
    whole = sa.and_(named, *map(_filled, required))
    folded = sa.func.lower(sa.func.trim(own.id))
    twice = sa.select(folded).group_by(folded).having(sa.func.count() > 1).subquery()
    with patient.exchange.database.reading() as connection:
        total, complete = connection.execute(
            sa.select(sa.func.count(), sa.func.count(sa.case((whole, 1)))).select_from(ERP.clients)
        ).one()
        alike = connection.execute(sa.select(sa.func.count()).select_from(twice)).scalar_one()
    if complete < total:
        yield look(
            "incomplete_clients",
            worded(
                "{count} of {clients} lack what an account is opened with.",
                count=total - complete,
                clients=counted(total, "client"),
            ),
            "They will be held as incomplete, each with its fields named in sync_status.",
        )
    else:
        yield ok(
            "incomplete_clients",
            worded("All of {clients} have what an account is opened with.", clients=counted(total, "client")),
        )
    if alike:
        yield look(
            "alike_codes",
            worded(
                "{codes} of clients given more than once, but for case and outer blanks.", codes=counted(alike, "code")
            ),
            "An account is found by its code to the letter first; give these clients codes of their own.",
        )


def two_masters(patient: Patient) -> Found:
    """Look for fields into which the same value was written again and again: somebody else changes them back.

    One-way fields show it as drift, those of both directions as edits that go back and forth.
    """
    row = sync_history.c
    record = (row.client_id, row.concern, row.item_id, row.field, row.direction)
    times, first, last = sa.func.count(), sa.func.min(row.at), sa.func.max(row.at)
    fought = (
        sa.select(row.client_id, row.field, times, first, last)
        .where(row.at >= datetime.now(UTC) - FOUGHT_OVER, row.client_id != "", row.field != "")
        .where(row.reason.in_([Reason.DRIFT, Reason.EDIT]))
        .group_by(*record, row.value_after)
        .having(times >= AGAIN)
    )
    with patient.exchange.database.reading() as connection:
        found = connection.execute(fought).all()
    if not found:
        yield ok("two_masters", "No other program writes the same fields: no value had to be written again and again.")
        return
    clients = {client_id for client_id, *_ in found}
    fields = ", ".join(name for name, _ in Counter(name for _, name, *_ in found).most_common(NAMED))
    pace = median((end - begin).total_seconds() / 60 / (count - 1) for _, _, count, begin, end in found)
    hours = FOUGHT_OVER.total_seconds() / 3600
    sentence = worded(
        "Within {hours} hours the same value was written {again} times or more into a field of {count} clients "
        "({fields}), about every {pace} min",
        hours=f"{hours:.0f}",
        again=AGAIN,
        count=len(clients),
        fields=fields,
        pace=f"{pace:.0f}",
    )
    remedy = (
        "Switch the other program's writing of customers off first: in the vendor's bridge all three boxes of its "
        "preferences of customers (docs/from-the-bridge.md). Until then both sides change back and forth."
    )
    if len(clients) < MANY:
        yield look("two_masters", worded("{sentence}: somebody changes it back.", sentence=sentence), remedy)
    else:
        yield stop(
            "two_masters", worded("{sentence}: another program writes the same fields.", sentence=sentence), remedy
        )


def _filled(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.func.length(sa.func.trim(sa.func.coalesce(column, ""))) > 0


EXAMINATIONS: tuple[Examination[Patient], ...] = (
    Examination("database", "the exchange database: engine, version, tables", [], server, vital=True),
    Examination("rights", "what its user may do", [], rights),
    Examination("triggers", "the triggers of the ERP's tables", [], triggers),
    Examination("column_types", "the types of the ERP's columns", [], columns),
    Examination("encoding", "its encoding", [], encoding),
    Examination("database_clock", "its clock", [], clock),
    Examination("incomplete_clients", "the clients: complete, told apart", [], clients),
    Examination("two_masters", "whether another program writes the same fields", [], two_masters),
)
