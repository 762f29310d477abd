"""Moving from the vendor's bridge: what its exchange database holds, and the SQL that brings it into ours.

What its tables look like is only partly public, and differs by version and engine; so the database itself is read, its
``information_schema`` and a few counts. It is only read. The SQL is a proposal for a person: what is a guess is marked
in it by ``-- ?``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from kartoteka.adapters.idosell import countries
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.adapters.sql.tables import ERP
from kartoteka.doctor import recognise
from kartoteka.doctor.findings import Examination, Finding, look, ok, stop
from kartoteka.doctor.recognise import CLIENT, CLIENTS, CLOSED, FLAT, HOUSE, ID, OTHERS, Recognised, Role, Theirs
from kartoteka.errors import Halt
from kartoteka.fields import table
from kartoteka.sentences import some_of, worded

NAMED = 8
"""Columns or tables that a sentence names."""
WORDS_OF_COUNTRIES = 60
"""Different texts in a column of countries that are looked at."""
INTO = "exchange"
"""What stands in the SQL for the schema, database or attached file with our tables."""

Found = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a proposed SELECT: our name, the expression, and what is not certain of it."""

    name: str
    sql: str
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """How one of our tables is filled out of theirs. ``doubts`` are about the whole."""

    found: Recognised
    lines: tuple[Line, ...]
    source: str
    doubts: tuple[str, ...] = ()

    @property
    def guesses(self) -> list[str]:
        """Return every doubt, with the name of its column."""
        return [*self.doubts, *(f"{line.name}: {doubt}" for line in self.lines for doubt in line.doubts)]


@dataclass
class Patient:
    """The bridge's exchange database behind an engine that only reads."""

    engine: sa.Engine

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that cannot write. Raises Halt where the database does not answer."""
        try:
            with self.engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only = ON")
                yield connection
                connection.rollback()
        except sa.exc.SQLAlchemyError as error:
            halt = Halt("database_url", f"the bridge's database cannot be read ({type(error).__name__})")
        else:
            return
        raise halt

    @cached_property
    def tables(self) -> list[Theirs]:
        """Every table and view of the user's own schema."""
        with self.reading() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # types that SQLAlchemy does not know are told of below
            inspector = sa.inspect(connection)
            columns = inspector.get_multi_columns(kind=ObjectKind.ANY)
            keys = inspector.get_multi_pk_constraint(kind=ObjectKind.ANY)
            pointing = inspector.get_multi_foreign_keys(kind=ObjectKind.ANY)
        return [
            Theirs(
                of[1],
                {each["name"]: each["type"] for each in some},
                tuple(keys.get(of, {}).get("constrained_columns") or ()),  # type: ignore[call-overload]
                {
                    each["constrained_columns"][0]: (each["referred_table"], (each["referred_columns"] or [""])[0])
                    for each in pointing.get(of, ())
                    if len(each["constrained_columns"]) == 1
                },
            )
            for of, some in columns.items()
        ]

    @cached_property
    def proposals(self) -> list[Proposal]:
        """How our tables are filled, the clients first; nothing where no customers were recognised."""
        found = recognise.recognised(self.tables)
        if not found:
            return []
        with self.reading() as connection:
            return [_Writer(connection, each, found[0]).proposal() for each in found]


def opened(address: str) -> sa.Engine:
    """Return an engine for the bridge's database; nothing is connected yet.

    Any engine that SQLAlchemy knows and whose driver is installed. Raises Halt for an address that is none.
    """
    url = parse_url(address)
    options = {"postgresql_readonly": True} if url.get_backend_name() == "postgresql" else {}
    try:
        return sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool, execution_options=options)
    except (ImportError, sa.exc.NoSuchModuleError):
        raise Halt(
            "database_driver",
            f"the driver {url.drivername} is not installed: pip install it here",
        ) from None


# --- the SQL


class _Writer:
    """Writes how one of our tables is filled, in the words of the engine of theirs."""

    def __init__(self, connection: sa.Connection, found: Recognised, clients: Recognised) -> None:
        self._connection = connection
        self._found, self._clients = found, clients
        self._own = _aliased(found.theirs, "t")
        self._their_clients = _aliased(clients.theirs, "c")
        self._source = f"{self._quoted(found.theirs.name)} AS t"

    def proposal(self) -> Proposal:
        lines = tuple(line for column in ERP.named(self._found.role.table).columns if (line := self._line(column)))
        also = self._found.also
        doubts = [] if self._found.called else [f"the table {_safe(self._found.theirs.name)} was told by its columns"]
        doubts += [f"{_some(also)} looked alike"] if also else []
        return Proposal(self._found, lines, self._source, tuple(doubts))

    def _line(self, ours: sa.Column[Any]) -> Line | None:
        name, picks = ours.name, self._found.picks
        made: tuple[Any, list[str]]
        if name == CLIENT or (name == ID and self._found.role is CLIENTS):
            made = self._client(ours)
        elif name == table.ACTIVE and name not in picks and CLOSED in picks:
            flag, doubts = self._flag(CLOSED, turned=True)
            made = flag, [*doubts, f"{_safe(picks[CLOSED].column)}, turned round"]
        elif name == table.TYPE_FIELD and name in picks:
            made = self._type(name)
        elif name == table.COUNTRY_FIELD and name in picks:
            made = self._country(name)
        elif name == recognise.STREET and name in picks:
            made = self._street(ours)
        elif name == ID and len(self._found.theirs.key) > 1:
            made = self._joined_key(ours)
        elif name in picks:
            made = self._as(ours, self._own.c[picks[name].column], picks[name])
        else:
            return None
        expression, doubts = made
        return Line(name, self._compiled(expression), tuple(doubts))

    def _client(self, ours: sa.Column[Any]) -> tuple[Any, list[str]]:
        """Return the client's code; where a table points at another column of the clients, by a join."""
        code = self._clients.picks[ID]
        if self._found.theirs is self._clients.theirs:
            return self._as(ours, self._own.c[code.column], code)
        reference = self._found.picks[CLIENT]
        theirs = self._found.theirs.references.get(reference.column, ("", ""))
        doubts = [] if theirs[1] else [f"{_safe(reference.column)} is held to name a customer"]
        key = self._clients.theirs.key
        target = theirs[1] or (key[0] if len(key) == 1 else code.column)
        own, their = self._own.c[reference.column], self._their_clients.c
        if not theirs[1] and _kind(own.type) != _kind(their[target].type):
            target = code.column
        if target == code.column:
            return self._as(ours, own, None, doubts)
        joined = self._compiled(own == their[target])
        self._source += f"\nJOIN {self._quoted(self._clients.theirs.name)} AS c ON {joined}"
        return self._as(ours, their[code.column], None, doubts)

    def _as(
        self, ours: sa.Column[Any], theirs: Any, pick: recognise.Pick | None, doubts: list[str] | None = None
    ) -> tuple[Any, list[str]]:
        """Return a column of theirs as one of ours, and what is not certain of it."""
        told = list(doubts or ())
        if pick and not pick.sure:
            told.append("guessed by its name")
        if pick and pick.others:
            told.append(f"or {_some(pick.others)}?")
        wanted, kind = ours.type, _kind(theirs.type)
        if isinstance(wanted, sa.Boolean):
            flag, more = self._flag(ours.name)
            return flag, told + more
        if isinstance(wanted, sa.Numeric):
            return self._amount(ours, theirs, kind, told)
        if isinstance(wanted, sa.Integer):
            if kind == "text":
                told.append("a text: is it a number in every row?")
            return (theirs if kind == "whole" else sa.cast(theirs, sa.Integer())), told
        if isinstance(wanted, sa.TypeDecorator):
            told.append("must be UTC")
            return (theirs if kind == "moment" else sa.cast(theirs, sa.DateTime())), told
        return self._text(ours, theirs, kind, told)

    def _text(self, ours: sa.Column[Any], theirs: Any, kind: str, told: list[str]) -> tuple[Any, list[str]]:
        length = getattr(ours.type, "length", None) or 0
        if kind == "text":
            their_length = getattr(theirs.type, "length", None) or 0
            if their_length > length:
                told.append(f"{their_length} characters there, {length} here")
            return (sa.func.rtrim(theirs) if isinstance(theirs.type, sa.CHAR) else theirs), told
        if kind in ("float", "exact"):
            theirs = sa.cast(theirs, sa.BigInteger())
        if kind in ("float", "exact", "whole") and ours.name in recognise.ZEROS_COUNT:
            told.append("a number there: leading zeros are lost")
        elif kind not in ("whole", "id"):
            told.append(f"is {_safe(str(theirs.type))} there")
        return sa.cast(theirs, sa.Unicode(length)), told

    @staticmethod
    def _amount(ours: sa.Column[Any], theirs: Any, kind: str, told: list[str]) -> tuple[Any, list[str]]:
        if ours.name == table.BALANCE:
            told.append("positive must be debt")
        if kind == "text":
            told.append("a text: is it an amount in every row?")
            theirs = sa.func.nullif(sa.func.replace(sa.func.replace(theirs, " ", ""), ",", "."), "")
        if kind == "float":
            told.append("a float there: rounded")
            return sa.func.round(sa.cast(theirs, sa.Numeric(18, 6)), 2), told
        return (theirs if kind == "exact" else sa.cast(theirs, sa.Numeric(12, 2))), told

    def _flag(self, name: str, *, turned: bool = False) -> tuple[Any, list[str]]:
        """Return a truth value out of whatever stands for one; ``turned``: theirs says the contrary."""
        theirs = self._own.c[self._found.picks[name].column]
        yes, no = (sa.false(), sa.true()) if turned else (sa.true(), sa.false())
        kind = _kind(theirs.type)
        if kind == "text":
            word = sa.func.lower(sa.func.rtrim(theirs))
            empty = sa.func.coalesce(word, "") == ""
            return sa.case((empty, sa.null()), (word.in_(recognise.TRUE_WORDS), yes), else_=no), [
                "all other words count as no"
            ]
        if kind == "flag":
            return (sa.case((theirs == sa.true(), yes), (theirs == sa.false(), no)) if turned else theirs), []
        return sa.case((theirs.is_(None), sa.null()), (theirs != 0, yes), else_=no), []

    def _type(self, name: str) -> tuple[Any, list[str]]:
        theirs = self._own.c[self._found.picks[name].column]
        if _kind(theirs.type) != "text":
            return sa.cast(sa.null(), sa.Unicode(16)), [f"{_safe(theirs.name)} is a number: which one is a firm?"]
        word = sa.func.lower(sa.func.rtrim(theirs))
        firm, person = ", ".join(recognise.FIRM_WORDS), ", ".join(recognise.PERSON_WORDS)
        told = [f"{firm}: a firm, {person}: a person, else told by the company"]
        return sa.case(
            (word.in_(recognise.FIRM_WORDS), table.FIRM), (word.in_(recognise.PERSON_WORDS), "person"), else_=sa.null()
        ), told

    def _country(self, name: str) -> tuple[Any, list[str]]:
        """Return the code of a country, out of its name where it is one that we know."""
        pick = self._found.picks[name]
        theirs = self._own.c[pick.column]
        if _kind(theirs.type) != "text":
            return sa.cast(sa.null(), sa.CHAR(2)), [f"{_safe(pick.column)} is a number: which country is which?"]
        word = sa.func.upper(sa.func.rtrim(theirs))
        if 0 < (getattr(theirs.type, "length", None) or 0) <= 2:
            return word, []
        asked = sa.select(theirs).distinct().limit(WORDS_OF_COUNTRIES)
        shown = {str(text).rstrip() for (text,) in self._connection.execute(asked) if text and len(text.rstrip()) > 2}
        known = {text: code for text in shown if (code := countries.code(text))}
        named = [(sa.func.rtrim(theirs) == text, code.upper()) for text, code in sorted(known.items())]
        told = [f"{len(shown) - len(known)} names of countries are not known"] if len(known) < len(shown) else []
        return sa.case((sa.func.char_length(word) == 2, word), *named, else_=sa.null()), told

    def _street(self, ours: sa.Column[Any]) -> tuple[Any, list[str]]:
        """Return the street with the numbers of house and flat, where they stand apart."""
        picks = self._found.picks
        line, told = self._as(ours, self._own.c[picks[recognise.STREET].column], picks[recognise.STREET])
        for part, before in ((HOUSE, " "), (FLAT, "/")):
            if part in picks:
                number = self._own.c[picks[part].column]
                text = sa.cast(number, sa.Unicode(20))
                more = sa.case((sa.func.coalesce(text, "") == "", ""), else_=sa.literal(before).concat(text))
                line = sa.type_coerce(line, sa.Unicode()).concat(more)
        return line, told

    def _joined_key(self, ours: sa.Column[Any]) -> tuple[Any, list[str]]:
        length = ours.type.length  # type: ignore[attr-defined]
        parts: list[Any] = [sa.cast(self._own.c[each], sa.Unicode(length)) for each in self._found.theirs.key]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined.concat("-").concat(part)
        return joined, [f"joined of {_some(self._found.theirs.key)}: at most {length} characters"]

    def _compiled(self, expression: Any) -> str:
        compiled = expression.compile(dialect=self._connection.dialect, compile_kwargs={"literal_binds": True})
        return str(compiled)

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote(name)


def _aliased(theirs: Theirs, name: str) -> Any:
    return sa.table(theirs.name, *(sa.column(each, type_) for each, type_ in theirs.columns.items())).alias(name)


_KINDS: Mapping[str, tuple[type, ...]] = {
    "flag": (sa.Boolean,),
    "moment": (sa.DateTime, sa.Date),
    "float": (sa.Float,),
    "exact": (sa.Numeric,),
    "whole": (sa.Integer,),
    "text": (sa.String,),
    "id": (sa.Uuid,),
}


def _kind(type_: Any) -> str:
    found = next((kind for kind, types in _KINDS.items() if isinstance(type_, types)), "other")
    return "exact" if found == "other" and "MONEY" in type(type_).__name__ else found


def sql(patient: Patient) -> str:
    """Return the proposed SQL: for each of our tables a view of theirs, and the INSERT that fills ours from it."""
    if not patient.proposals:
        return ""
    order = {each.table: n for n, each in enumerate((OTHERS[0], CLIENTS, *OTHERS[1:]))}
    proposals = sorted(patient.proposals, key=lambda each: order[each.found.role.table])
    return (
        "\n\n".join([_HEAD.format(into=INTO, engine=patient.engine.dialect.name), *map(_statements, proposals)]) + "\n"
    )


_HEAD = """\
-- Proposed by `kartoteka doctor --from-bridge` for {engine}. Nothing of it was run. Read it, and correct what is marked
-- by "?". The views are made in the bridge's database. "{into}" stands for where Kartoteka's tables are: a schema, on
-- MySQL a database, on SQL Server a database with its schema, on SQLite a file that was attached by that name. Where
-- that is another server, export the views and load them there. An INSERT that is repeated adds what is missing."""


def _statements(proposal: Proposal) -> str:
    ours = proposal.found.role.table
    view = f"kartoteka_{ours}"
    last = len(proposal.lines) - 1
    lines = [
        f"    {line.sql} AS {line.name}{',' if n < last else ''}"
        + "".join(f"  -- ? {_safe(each)}" for each in line.doubts)
        for n, line in enumerate(proposal.lines)
    ]
    names = ", ".join(line.name for line in proposal.lines)
    keys = [column.name for column in ERP.named(ours).primary_key]
    same = " AND ".join(f"ours.{key} = theirs.{key}" for key in keys)
    lacking = [c.name for c in ERP.named(ours).columns if c.name not in {line.name for line in proposal.lines}]
    used = {pick.column for pick in proposal.found.picks.values()}
    unread = [_safe(each) for each in proposal.found.theirs.columns if each not in used]
    notes = [
        *(f"-- ? {_safe(doubt)}" for doubt in proposal.doubts),
        *([f"-- ? nothing was recognised for: {', '.join(lacking)}"] if lacking else []),
        *([f"-- not read: {', '.join(unread)}"] if unread else []),
    ]
    where = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    return "\n".join(
        [
            *notes,
            f"CREATE VIEW {view} AS\nSELECT",
            *lines,
            f"FROM {proposal.source};\n",
            f"INSERT INTO {INTO}.{ours} ({names})",
            f"SELECT {names} FROM {view} AS theirs",  # noqa: S608 - a person reads it, and runs it or not
            f"WHERE {where} AND NOT EXISTS (SELECT 1 FROM {INTO}.{ours} AS ours WHERE {same});",  # noqa: S608
        ]
    )


# --- the findings


def tables(patient: Patient) -> Found:
    """See what was recognised, and how surely."""
    names = [each.name for each in patient.tables]
    if not patient.proposals:
        yield stop(
            "bridge",
            worded("None of {count} tables and views looks like one of customers.", count=len(names)),
            "Name the database in which the bridge, or the ERP's program, keeps them; the user must see its tables.",
        )
        return
    yield ok(
        "bridge",
        worded(
            "The bridge's database ({name}) has {count} tables and views.",
            name=patient.engine.dialect.name,
            count=len(names),
        ),
    )
    found = {each.found.role.table: each for each in patient.proposals}
    for role in (CLIENTS, *OTHERS):
        yield from _told(role, found.get(role.table))


def _told(role: Role, proposal: Proposal | None) -> Found:
    id_ = f"bridge.{role.table}"
    if proposal is None:
        yield look(
            id_,
            worded("No table of theirs was recognised for {table}.", table=role.table),
            "If the bridge carries it, write the SELECT by hand; else leave the table empty.",
        )
        return
    there, columns = _safe(proposal.found.theirs.name), ", ".join(line.name for line in proposal.lines)
    sentence = worded("{table} is read out of {there} ({columns}).", table=role.table, there=there, columns=columns)
    lacking = [name for name in table.REQUIRED_ON_CREATE if name not in {line.name for line in proposal.lines}]
    if role is CLIENTS and lacking:
        sentence = worded(
            "{sentence} Nothing was recognised for {names}, without which no account is opened.",
            sentence=sentence,
            names=lacking,
        )
    if guesses := proposal.guesses:
        sentence = worded("{sentence} Not certain: {names}.", sentence=sentence, names=_some(guesses, "; "))
    if guesses or (role is CLIENTS and lacking):
        yield look(id_, sentence, 'Read the SQL, complete it, and correct what is marked "?" before you run it.')
    else:
        yield ok(id_, sentence)


def client_codes(patient: Patient) -> Found:
    """See whether the column that is taken for the client's code tells one customer from another."""
    if not patient.proposals:
        return
    clients = patient.proposals[0].found
    code = _aliased(clients.theirs, "t").c[clients.picks[ID].column]
    with patient.reading() as connection:
        asked = sa.select(sa.func.count(), sa.func.count(code), sa.func.count(code.distinct()))
        total, filled, different = connection.execute(asked).one()
    there = f"{_safe(clients.theirs.name)}.{_safe(code.name)}"
    others = clients.picks[ID].others
    if different < total:
        more = worded(", such as {names}", names=_some(others)) if others else ""
        yield stop(
            "bridge.codes",
            worded(
                "{there} is no client's code: of {total} customers {count} have none, and {count2} share theirs with "
                "another one.",
                there=there,
                total=total,
                count=total - filled,
                count2=filled - different,
            ),
            worded("Take another column for clients.id{more}.", more=more),
        )
    elif others:
        yield look(
            "bridge.codes",
            worded(
                "{there} is taken for the client's code: {total} customers, each with one of its own. It could be "
                "{names} instead.",
                there=there,
                total=total,
                names=_some(others),
            ),
            "Take the one that stands in the panel as the accounts' external code: `kartoteka doctor` compares them "
            "once the clients are in the exchange database.",
        )
    else:
        yield ok(
            "bridge.codes",
            worded(
                "{there} is the client's code: {total} customers, each with one of its own.", there=there, total=total
            ),
        )


def _some(names: Any, between: str = ", ") -> str:
    return some_of([_safe(each) for each in names], NAMED, between)


def _safe(name: object) -> str:
    """Return a stranger's name as one line."""
    return "".join(c if c.isprintable() else "?" for c in str(name))


EXAMINATIONS: tuple[Examination[Patient], ...] = (
    Examination("bridge", "what the bridge's exchange database holds", [], tables, vital=True),
    Examination("bridge.codes", "its customers' codes", [], client_codes),
)
