"""What a person asks the exchange database: lists, figures, and a word in a row. It decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql import tables
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.values import fit, letters, moment_of, word_in
from kartoteka.codes import State
from kartoteka.fields.table import (
    ALLOWED,
    AS_OF,
    BALANCE,
    COMPANY_FIELD,
    CONCERNS,
    CURRENCY_FIELD,
    GROUP_FIELD,
    ITEM_COLUMNS,
    LIMIT,
    LOGIN,
    NAMED_BY,
    OVERDUE,
    PERSON_FIELDS,
    PHONE_FIELD,
    TAX_NUMBER_FIELD,
)
from kartoteka.model import BY_HAND, Decision, MatchDecision, Side
from kartoteka.pieces import pieces
from kartoteka.ports.desk import ALL, Asked, DeskTables, Row

CHOSEN_BY = ("concern", "client_id", "group_id", "code", "run_id", "reason", "found_by", "field")
"""Names of :class:`Asked` that are columns."""
PAGE = 1_000
"""Keys of one statement."""

CLIENT, ADDRESS, GROUP, PRICE, EXCLUSION = "client", "address", "group", "price", "exclusion"
"""Kinds of records: an owner's own one, and those of its items."""

_CLIENT = tables.ERP.clients.c
_CREDIT = tables.ERP.client_credit.c
_INCOMING = tables.ERP.incoming_clients.c
_ITEM = tables.ERP.discount_group_items.c
_LINK = tables.sync_links.c
_BASE = tables.sync_base.c
_STATUS = tables.sync_status.c
_CONFLICT = tables.sync_conflicts.c
_HISTORY = tables.sync_history.c
_MATCH = tables.sync_matches.c
_ACCOUNT = tables.sync_panel_accounts.c
_PRICE = tables.sync_prices.c
_LOG = tables.change_log.c
_EXCLUSION = tables.sync_exclusions.c
_PAUSE = tables.sync_pauses.c
_PLAN = tables.sync_plan.c

_OPEN = _CONFLICT.closed_at.is_(None)
_ANSWER = word_in(_CONFLICT.decision)
_UNDECIDED = sa.and_(_OPEN, _ANSWER.not_in([str(side) for side in Side]))
_HELD = _STATUS.state == str(State.HELD)
_DEFERRED = _BASE.due_at.is_not(None)
_LINKED = sa.exists().where(_LINK.client_id == _CLIENT.id)


_OWN = sa.and_(_STATUS.concern == "accounts", _STATUS.group_id == "", _STATUS.item_id == "")
_ANSWERED = sa.and_(
    _OWN,
    sa.exists().where(
        _MATCH.client_id == _STATUS.client_id, word_in(_MATCH.decision).in_([str(word) for word in MatchDecision])
    ),
)
"""The condition that the question about a client's account has its answer."""
_OF_RECORD = sa.and_(
    *(_CONFLICT[name] == _STATUS[name] for name in ("client_id", "concern", "item_id")), _STATUS.group_id == "", _OPEN
)
_SETTLED = sa.and_(
    _STATUS.state == str(State.CONFLICT),
    sa.exists().where(_OF_RECORD),
    ~sa.exists().where(_OF_RECORD, _UNDECIDED),
)
"""The condition that a person has settled each conflict of a record."""
_DECIDED = sa.and_(
    _STATUS.state.in_([str(State.HELD), str(State.CONFLICT)]),
    sa.or_(sa.and_(_HELD, word_in(_STATUS.decision).in_([str(word) for word in Decision])), _ANSWERED, _SETTLED),
)
"""The condition that a person has decided about a record; the next run carries it out."""


_WITH_ITEMS = [name for name, rows in CONCERNS.items() if rows.items]
"""The concerns of which a client has several; what another one says of a part of a client is of its exclusions."""


def _kind(record: sa.Table) -> sa.ColumnElement[str]:
    """Return what a row of this table is about."""
    about = record.c
    return sa.case(
        (sa.and_(about.group_id == "", about.item_id == ""), CLIENT),
        (sa.and_(about.group_id == "", about.concern.in_(_WITH_ITEMS)), ADDRESS),
        (about.group_id == "", EXCLUSION),
        (about.item_id == "", GROUP),
        else_=PRICE,
    )


def _had(concern: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that something of this concern is kept, or said, of a client."""
    return (
        sa.exists().where(_BASE.client_id == _CLIENT.id, _BASE.concern == concern),
        sa.exists().where(_STATUS.client_id == _CLIENT.id, _STATUS.concern == concern),
    )


_CONCERNED: Mapping[str, sa.ColumnElement[bool]] = {
    "accounts": ~_LINKED,
    "discounts": sa.and_(_LINKED, sa.or_(sa.func.coalesce(_CLIENT[GROUP_FIELD], "") != "", *_had("discounts"))),
    "credit": sa.and_(_LINKED, sa.or_(sa.exists().where(_CREDIT.client_id == _CLIENT.id), *_had("credit"))),
}
"""Concern -> the clients that it has to do with; any other concern: all that have an account."""


_POLISH = dict(zip("ĄĆĘŁŃÓŚŹŻąćęłńóśźż", "acelnoszz" * 2, strict=True))
WORDS = 8
"""Words of a search that are looked for, each in any of a client's names."""
WRITTEN_APART = (TAX_NUMBER_FIELD, PHONE_FIELD)
"""What people write with blanks and dashes in it, or without."""
_BETWEEN = " -"


def _lower(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return a text in small letters without Polish ones: who looks for ``zolc`` finds ``Żółć``, and the other way."""
    return reduce(lambda lower, pair: sa.func.replace(lower, *pair), _POLISH.items(), sa.func.lower(text))


def _plain(text: str) -> str:
    return "".join(_POLISH.get(letter, letter) for letter in text)


def _written_apart(text: str) -> str:
    """Return the digits of a number that is written with blanks or dashes; empty for what is no number."""
    digits = "".join(letter for letter in text if letter not in _BETWEEN)
    return digits if digits.isdigit() else ""


def _together(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return reduce(lambda whole, letter: sa.func.replace(whole, letter, ""), _BETWEEN, text)


_YES = sa.func.lower(letters(_CREDIT[ALLOWED])).in_(["true", "t", "yes", "y", "1"])
"""The condition that credit is allowed, whatever an ERP writes into a column that an engine has no type for."""


def _figure(name: str) -> sa.ColumnElement[Decimal]:
    """Return an amount of ``client_credit``; 0 for a text that is none."""
    return sa.func.coalesce(sa.cast(_CREDIT[name], sa.Numeric(14, 2)), 0)


def _near_limit(allowed: Decimal, near: int) -> sa.ColumnElement[bool]:
    limit, owed = _figure(LIMIT), _figure(BALANCE)
    is_near = sa.and_(_CREDIT[LIMIT].is_not(None), owed > 0, owed * 100 >= limit * near)
    linked = sa.exists().where(_LINK.client_id == _CREDIT.client_id)
    return sa.and_(_YES, linked, sa.or_(is_near, _figure(OVERDUE) > allowed))


def _was_sent(concern: str, field: str) -> sa.ColumnElement[bool]:
    """Return the condition that a base holds a value of this field; the JSON in it is spelled without blanks."""
    begins = f'"{field}":'
    empty = (_BASE["values"].contains(f"{begins}{nothing}", autoescape=True) for nothing in ("null", '""', "[null"))
    return sa.and_(_BASE.concern == concern, _BASE["values"].contains(begins, autoescape=True), ~sa.or_(*empty))


def _concerned(concern: str) -> sa.ColumnElement[bool]:
    """Return the condition that a concern has to do with a client."""
    return _CONCERNED.get(concern, _LINKED)


def _asked(table: sa.Table, asked: Asked) -> Sequence[sa.ColumnElement[bool]]:
    """Return the conditions for the rows of a table that are asked for; a column that it lacks is not asked about."""
    wanted = {name: getattr(asked, name) for name in CHOSEN_BY}
    found = [table.c[name] == value for name, value in wanted.items() if value and name in table.c]
    if asked.day and table is tables.sync_history:
        found += [_HISTORY.at >= _midnight(asked.day), _HISTORY.at < _midnight(asked.day) + timedelta(days=1)]
    return found


def _midnight(day: str) -> datetime:
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)


def _day() -> Sequence[sa.ColumnElement[Any]]:
    return [sa.extract(part, _HISTORY.at).label(part) for part in ("year", "month", "day")]


def _day_of(row: Row) -> str:
    return f"{int(row['year']):04}-{int(row['month']):02}-{int(row['day']):02}"


def _some(ids: Collection[Any]) -> Sequence[Sequence[Any]]:
    return pieces(sorted(ids), PAGE)


def _excluding(client_id: str, concern: str) -> Sequence[sa.ColumnElement[bool]]:
    """Return the conditions for the rows that exclude a client from a concern, as one reads what they name."""
    return (_EXCLUSION.client_id == client_id, sa.func.lower(sa.func.trim(_EXCLUSION.concern)) == concern)


def _by(table: sa.Table, by: str) -> Row:
    """Return what is written of who decided; nothing where an engine that knows says so itself."""
    return {"decided_by": fit(table.c.decided_by, by)} if by else {}


class SqlDesk(DeskTables):
    """What a person asks one database and answers there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, statement: sa.Executable) -> Sequence[Row]:
        """Run a SELECT and return its rows by column."""
        with self._database.reading() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def number(self, statement: sa.Executable) -> int:
        """Run a SELECT of one number."""
        return next(iter(self.rows(statement)[0].values())) or 0

    def _answer(self, table: sa.Table, which: Sequence[sa.ColumnElement[bool]], word: Row, by: str = "") -> int:
        """Write a person's word into these rows, in one transaction; return how many there were.

        Who said it is written after the word: where the same person says another one, an engine that knows who asks
        would take it for a word of its own user.
        """
        said = table.update().where(*which)
        with self._database.writing() as connection:
            done = int(connection.execute(said.values(**word, **_by(table, by))).rowcount)
            if by:
                connection.execute(said.values(**_by(table, by)))
            return done

    def totals(self) -> Row:
        """Return how many clients there are, how many have an account, and how many things wait for a person."""
        clients = sa.select(sa.func.count()).select_from(tables.ERP.clients)
        return {
            "clients": self.number(clients),
            "linked": self.number(clients.where(_LINKED)),
            "held": self.number(sa.select(sa.func.count()).where(_HELD)),
            "conflicts": self.number(sa.select(sa.func.count()).where(_OPEN)),
            "undecided": self.number(sa.select(sa.func.count()).where(_UNDECIDED)),
        }

    def states(self) -> Sequence[Row]:
        """Return how many records of each kind each concern has in each state."""
        named = sa.select(_STATUS.concern, _kind(tables.sync_status).label("kind"), _STATUS.state).subquery().c
        key = (named.concern, named.kind, named.state)
        return self.rows(sa.select(*key, sa.func.count().label("records")).group_by(*key).order_by(*key))

    def held(self, limit: int) -> Sequence[Row]:
        """Return records that wait for a person, the latest first; prices, which may be thousands, at the end."""
        names = ("client_id", "group_id", "concern", "item_id", "code", "field", "message_pl", "message_en", "since")
        price = sa.case((_kind(tables.sync_status) == PRICE, 1), else_=0)
        order = (price, _STATUS.since.desc(), _STATUS.client_id, _STATUS.group_id, _STATUS.item_id)
        return self.rows(sa.select(*(_STATUS[name] for name in names)).where(_HELD).order_by(*order).limit(limit))

    def deferred(self) -> Sequence[Row]:
        """Return how many records will be tried again by themselves, why, and when the next of them is due."""
        kind = _kind(tables.sync_base).label("kind")
        named = sa.select(_BASE.concern, kind, _BASE.code, _BASE.due_at).where(_DEFERRED).subquery().c
        key = (named.concern, named.kind, named.code)
        figures = (sa.func.count().label("records"), sa.func.min(named.due_at).label("next_due"))
        return self.rows(sa.select(*key, *figures).group_by(*key).order_by(*key))

    def unread(self, limit: int, before: datetime) -> Sequence[Row]:
        """Return deferred records about which the panel has not answered since then or longer, the longest first."""
        names = ("client_id", "group_id", "concern", "item_id")
        same = sa.and_(*(_BASE[name] == _STATUS[name] for name in names))
        told = (_STATUS.message_pl, _STATUS.message_en, _BASE.unread_since.label("since"))
        found = sa.select(*(_BASE[name] for name in names), _BASE.code, *told)
        found = found.join_from(tables.sync_base, tables.sync_status, same, isouter=True)
        order = (_BASE.unread_since, *(_BASE[name] for name in names))
        return self.rows(found.where(_DEFERRED, _BASE.unread_since <= before).order_by(*order).limit(limit))

    def deferred_with(self, concern: str, code: str) -> tuple[int, int]:
        """Return how many clients and discount groups of a concern are deferred for this reason."""
        why = (_DEFERRED, _BASE.concern == concern, _BASE.code == code)
        clients = sa.select(sa.func.count(sa.distinct(_BASE.client_id))).where(*why, _BASE.client_id != "")
        groups = sa.select(sa.func.count(sa.distinct(_BASE.group_id))).where(*why, _BASE.group_id != "")
        return self.number(clients), self.number(groups)

    def count_held(self, code: str) -> int:
        return self.number(sa.select(sa.func.count()).where(_HELD, _STATUS.code == code))

    def not_shown(self) -> Sequence[Row]:
        """Return the fields that were sent and that the panel never shows, with the number of their records."""
        fields = [
            (concern, name) for concern, rows in CONCERNS.items() for name, f in rows.fields.items() if f.unproved
        ]
        sent = (sa.func.sum(sa.case((_was_sent(*each), 1), else_=0)).label("/".join(each)) for each in fields)
        prices = sa.select(sa.func.count()).where(_PRICE.price.is_not(None)).scalar_subquery()
        found = sa.select(*sent, prices.label(f"discounts/{PRICE}"))
        (row,) = self.rows(found.where(_BASE.concern.in_({concern for concern, _ in fields})))
        named = ((*label.split("/"), int(number or 0)) for label, number in row.items())
        return [{"concern": concern, "field": field, "records": number} for concern, field, number in named if number]

    def unmatched(self) -> Row:
        """Return how many clients and accounts have not found each other.

        ``candidates``: clients held with several accounts to choose from. ``incoming``: customers of the shop who wait
        for the ERP's answer; ``answered``: those whose answer is not carried yet, or cannot be. ``guests``, and
        accounts with the external code of no client (``unknown_codes``), wait for nobody.
        """
        several = sa.exists().where(_MATCH.client_id == _STATUS.client_id)
        strangers = tables.sync_panel_accounts.outerjoin(tables.ERP.clients, _CLIENT.id == _ACCOUNT.external_code)
        owner = tables.ERP.clients.alias()  # a linked account may carry its client's code in another case
        owned = sa.exists().where(_LINK.panel_client_id == _ACCOUNT.panel_client_id, owner.c.id == _LINK.client_id)
        unknown = sa.and_(_ACCOUNT.external_code != "", _ACCOUNT.guest == sa.false(), _CLIENT.id.is_(None), ~owned)
        unanswered = sa.func.coalesce(_INCOMING.client_id, "") == ""
        return {
            "candidates": self.number(sa.select(sa.func.count()).where(_HELD, _STATUS.concern == "accounts", several)),
            "incoming": self.number(sa.select(sa.func.count()).where(unanswered)),
            "answered": self.number(sa.select(sa.func.count()).where(~unanswered)),
            "guests": self.number(sa.select(sa.func.count()).where(_ACCOUNT.guest == sa.true())),
            "unknown_codes": self.number(sa.select(sa.func.count()).select_from(strangers).where(unknown)),
        }

    def conflicts(self, limit: int, *, closed_too: bool, asked: Asked = ALL) -> Sequence[Row]:
        """Return conflicts, the latest first."""
        found = sa.select(tables.sync_conflicts).where(*_asked(tables.sync_conflicts, asked))
        found = found.order_by(_CONFLICT.id.desc()).limit(limit).offset(asked.start)
        return self.rows(found if closed_too else found.where(_OPEN))

    def history(
        self, client_id: str | None, limit: int, *, group: str | None = None, asked: Asked = ALL
    ) -> Sequence[Row]:
        """Return what was written, the latest first: of one client, of one discount group and its prices, or of all."""
        shown = (column for column in tables.sync_history.columns if column.name not in ("counts", "passed"))
        found = sa.select(*shown).where(*_asked(tables.sync_history, asked))
        found = found.order_by(_HISTORY.id.desc()).limit(limit).offset(asked.start)
        if client_id is not None:
            found = found.where(_HISTORY.client_id == client_id)
        if group is not None:
            found = found.where(_HISTORY.client_id == "", _HISTORY.group_id == group)
        return self.rows(found)

    def clients(self, client_ids: Sequence[str]) -> dict[str, bool]:
        """Return those of these ids that have a row in ``clients``, and whether each has an account."""
        found: dict[str, bool] = {}
        for some in pieces(client_ids, PAGE):
            linked = sa.case((_LINKED, 1), else_=0).label("linked")
            rows = self.rows(sa.select(_CLIENT.id, linked).where(_CLIENT.id.in_(some)))
            found |= {row["id"]: bool(row["linked"]) for row in rows}
        return found

    def count_clients(self, concern: str) -> int:
        """Return how many clients a concern has to do with."""
        return self.number(sa.select(sa.func.count()).select_from(tables.ERP.clients).where(_concerned(concern)))

    def clients_of(self, concern: str, after: str, limit: int) -> Sequence[str]:
        """Return the next ids behind ``after`` of the clients that a concern has to do with."""
        wanted = sa.select(_CLIENT.id).where(_concerned(concern), _CLIENT.id > after)
        return [row["id"] for row in self.rows(wanted.order_by(_CLIENT.id).limit(limit))]

    def group_prices(self, group_id: str, limit: int) -> Sequence[Row]:
        items = tables.ERP.discount_group_items
        same = sa.and_(*(_PRICE[name] == letters(_ITEM[name]) for name in ("group_id", "item_type", "item_id")))
        sent = (
            _PRICE.price.label("sent"),
            _PRICE[CURRENCY_FIELD].label("sent_currency"),
            _PRICE.sent_at,
            _PRICE.refused,
        )
        asked = (letters(_ITEM[name]).label(name) for name in ("item_type", "item_id", *ITEM_COLUMNS))
        found = sa.select(*asked, *sent).join_from(items, tables.sync_prices, same, isouter=True)
        found = found.where(_ITEM.group_id == group_id).order_by(_ITEM.item_type, _ITEM.item_id)
        return self.rows(found.limit(limit))

    def group_name(self, group_id: str) -> str:
        groups = tables.ERP.discount_groups.c
        return next((row["name"] or "" for row in self.rows(sa.select(groups.name).where(groups.id == group_id))), "")

    def prices(self, group_id: str) -> int:
        """Return about how many prices a group has: rows that ask for one, or those that were sent, if more."""
        asked = (
            sa.select(sa.func.count()).select_from(tables.ERP.discount_group_items).where(_ITEM.group_id == group_id)
        )
        sent = sa.select(sa.func.count()).select_from(tables.sync_prices).where(_PRICE.group_id == group_id)
        return max(self.number(asked), self.number(sent))

    def oldest_unsettled(self, but: str = "") -> Mapping[str, datetime]:
        moving = sa.and_(_STATUS.state.in_([str(State.PENDING), str(State.WAITING)]), _STATUS.code != but)
        found = sa.select(_STATUS.concern, sa.func.min(_STATUS.since).label("since")).where(moving)
        return {row["concern"]: row["since"] for row in self.rows(found.group_by(_STATUS.concern))}

    def logged_after(self, seq: int) -> datetime | None:
        found = sa.select(_LOG.logged_at).where(_LOG.seq > seq).order_by(_LOG.seq).limit(1)
        return next((row["logged_at"] for row in self.rows(found)), None)

    def written(self, since: datetime) -> Sequence[Row]:
        hour = [sa.extract(part, _HISTORY.at).label(part) for part in ("year", "month", "day", "hour")]
        each = sa.select(*hour, _HISTORY.direction).where(_HISTORY.at >= since).subquery().c
        key = (each.year, each.month, each.day, each.hour, each.direction)
        found = sa.select(*key, sa.func.count().label("fields")).group_by(*key).order_by(*key)
        return [
            {
                "hour": f"{int(r['year']):04}-{int(r['month']):02}-{int(r['day']):02} {int(r['hour']):02}",
                "direction": r["direction"],
                "fields": r["fields"],
            }
            for r in self.rows(found)
        ]

    def differences(self, since: datetime, reasons: Collection[str], asked: Asked) -> Sequence[Row]:
        about = (_HISTORY.concern, _HISTORY.field, _HISTORY.reason, _HISTORY.direction, _HISTORY.found_by)
        record = (_HISTORY.client_id, _HISTORY.group_id, _HISTORY.item_id)
        each = sa.select(*_day(), *about, *record, sa.func.count().label("fields"))
        counted = each.where(*self._corrected(since, reasons, asked)).group_by(*_day(), *about, *record).subquery().c
        days = (counted.year, counted.month, counted.day)
        key = (*days, *(counted[column.name] for column in about))
        fields = sa.func.sum(counted.fields).label("fields")
        found = sa.select(*key, fields, sa.func.count().label("records")).group_by(*key)
        order = (*(part.desc() for part in days), fields.desc(), *key[3:])
        rows = self.rows(found.order_by(*order).limit(asked.limit).offset(asked.start))
        names = ("concern", "field", "reason", "direction", "found_by")
        return [
            {
                "day": _day_of(row),
                **{name: row[name] for name in names},
                "fields": int(row["fields"]),
                "records": row["records"],
            }
            for row in rows
        ]

    def differences_by_day(self, since: datetime, reasons: Collection[str], asked: Asked) -> Mapping[str, int]:
        each = sa.select(*_day()).where(*self._corrected(since, reasons, asked)).subquery()
        key = (each.c.year, each.c.month, each.c.day)
        found = self.rows(sa.select(*key, sa.func.count().label("fields")).group_by(*key))
        return {_day_of(row): row["fields"] for row in found}

    @staticmethod
    def _corrected(since: datetime, reasons: Collection[str], asked: Asked) -> Sequence[sa.ColumnElement[bool]]:
        return (_HISTORY.at >= since, _HISTORY.reason.in_(sorted(reasons)), *_asked(tables.sync_history, asked))

    def statuses(self, states: Collection[str], asked: Asked) -> Sequence[Row]:
        names = ("client_id", "group_id", "concern", "item_id")
        told = ("state", "code", "field", "message_pl", "message_en", "since", "decision", "decided_by")
        same = sa.and_(*(_BASE[name] == _STATUS[name] for name in names))
        asks = sa.and_(_STATUS.item_id == "", sa.exists().where(_MATCH.client_id == _STATUS.client_id))
        question = sa.case((sa.and_(_STATUS.concern == "accounts", asks), 1), else_=0).label("question")
        answered = sa.case((_ANSWERED, 1), else_=0).label("answered")
        found = sa.select(*(_STATUS[name] for name in (*names, *told)), _BASE.due_at, question, answered)
        found = found.join_from(tables.sync_status, tables.sync_base, same, isouter=True)
        found = found.where(_STATUS.state.in_(sorted(states)), *_asked(tables.sync_status, asked))
        order = (_STATUS.since, *(_STATUS[name] for name in names))
        return self.rows(found.order_by(*order).limit(asked.limit).offset(asked.start))

    def questions(self, asked: Asked) -> Sequence[Row]:
        known = ("login", "external_code", "modified_at")
        found = sa.select(tables.sync_matches, *(_ACCOUNT[name] for name in known))
        account = _ACCOUNT.panel_client_id == _MATCH.panel_client_id
        found = found.join_from(tables.sync_matches, tables.sync_panel_accounts, account, isouter=True)
        found = found.where(*_asked(tables.sync_matches, asked)).order_by(_MATCH.client_id, _MATCH.panel_client_id)
        return self.rows(found.limit(asked.limit).offset(asked.start))

    def incoming(self, asked: Asked) -> Sequence[Row]:
        answered = sa.case((sa.func.coalesce(_INCOMING.client_id, "") == "", 0), else_=1)
        found = sa.select(tables.ERP.incoming_clients).order_by(answered, _INCOMING.seen_at, _INCOMING.panel_client_id)
        return self.rows(found.limit(asked.limit).offset(asked.start))

    def find_clients(self, asked: Asked) -> Sequence[Row]:
        shown = [_CLIENT[name] for name in NAMED_BY]
        found = sa.select(_CLIENT.id, *shown, _LINK.panel_client_id, _LINK.panel_login)
        found = found.join_from(tables.ERP.clients, tables.sync_links, _LINK.client_id == _CLIENT.id, isouter=True)
        if asked.text:
            text = _plain(asked.text.lower())
            named = (_CLIENT.id, *shown, _CLIENT[LOGIN], _LINK.panel_login)
            words = (
                sa.or_(*(_lower(c).contains(word, autoescape=True) for c in named)) for word in text.split()[:WORDS]
            )
            holds = [sa.and_(*words), _LINK.panel_client_id == asked.text]
            if digits := _written_apart(text):
                holds += [_together(_CLIENT[name]).contains(digits) for name in WRITTEN_APART]
            found = found.where(sa.or_(*holds))
        return self.rows(found.order_by(_CLIENT.id).limit(asked.limit).offset(asked.start))

    def near_limit(self, allowed: Decimal, asked: Asked) -> Sequence[Row]:
        figures = (LIMIT, BALANCE, OVERDUE, CURRENCY_FIELD, AS_OF)
        name = (_CLIENT[each] for each in (COMPANY_FIELD, *PERSON_FIELDS))
        found = sa.select(_CREDIT.client_id, *name, *(letters(_CREDIT[each]).label(each) for each in figures))
        found = found.join_from(tables.ERP.client_credit, tables.ERP.clients, _CLIENT.id == _CREDIT.client_id)
        limit, owed = _figure(LIMIT), _figure(BALANCE)
        used = sa.case((limit > 0, owed / limit), else_=sa.literal(1_000_000))
        whose = [_CREDIT.client_id == asked.client_id] if asked.client_id else []
        found = found.where(_near_limit(allowed, asked.near), *whose).order_by(used.desc(), _CREDIT.client_id)
        rows = self.rows(found.limit(asked.limit).offset(asked.start))
        return [{**row, AS_OF: moment_of(row[AS_OF] or ""), "near": asked.near} for row in rows]

    def count_near_limit(self, allowed: Decimal, asked: Asked) -> int:
        joined = tables.ERP.client_credit.join(tables.ERP.clients, _CLIENT.id == _CREDIT.client_id)
        return self.number(sa.select(sa.func.count()).select_from(joined).where(_near_limit(allowed, asked.near)))

    def decided(self) -> Sequence[Row]:
        answered = sa.case((_ANSWERED, 1), else_=0).label("answered")
        each = sa.select(_STATUS.concern, _STATUS.state, answered).where(_DECIDED).subquery().c
        figures = (sa.func.count().label("records"), sa.func.sum(each.answered).label("questions"))
        rows = self.rows(sa.select(each.concern, each.state, *figures).group_by(each.concern, each.state))
        return [{**row, "questions": int(row["questions"])} for row in rows]

    def names(self, client_ids: Collection[str]) -> Mapping[str, str]:
        named = [_CLIENT[name] for name in (COMPANY_FIELD, *PERSON_FIELDS)]
        found = [self.rows(sa.select(_CLIENT.id, *named).where(_CLIENT.id.in_(some))) for some in _some(client_ids)]
        told = {
            row["id"]: row[COMPANY_FIELD] or " ".join(row[name] for name in PERSON_FIELDS if row[name])
            for rows in found
            for row in rows
        }
        return {client_id: name for client_id, name in told.items() if name}

    def worst_states(self, client_ids: Collection[str]) -> Mapping[str, Collection[str]]:
        told: dict[str, set[str]] = {}
        for some in _some(client_ids):
            each = sa.select(_STATUS.client_id, _STATUS.state).where(_STATUS.client_id.in_(some)).distinct()
            for row in self.rows(each):
                told.setdefault(row["client_id"], set()).add(row["state"])
        return told

    def reasons(self, client_ids: Collection[str]) -> Mapping[tuple[str, str], str]:
        found = [
            self.rows(sa.select(tables.sync_exclusions).where(_EXCLUSION.client_id.in_(some)))
            for some in _some(client_ids)
        ]
        return {
            (row["client_id"], row["concern"].strip().lower()): row["reason"]
            for rows in found
            for row in rows
            if row["reason"]
        }

    def resembling(self, accounts: Collection[str]) -> Mapping[str, str]:
        other = tables.sync_panel_accounts.alias().c
        told: dict[str, str] = {}
        for some in _some(accounts):
            asked = sa.select(_MATCH.panel_client_id, _MATCH.client_id)
            choices = self.rows(asked.where(_MATCH.panel_client_id.in_(some)).order_by(_MATCH.client_id.desc()))
            alike = (
                sa.select(_ACCOUNT.panel_client_id, _LINK.client_id).where(
                    _ACCOUNT.panel_client_id.in_(some),
                    _ACCOUNT[name] != "",
                    other[name] == _ACCOUNT[name],
                    other.panel_client_id == _LINK.panel_client_id,
                    _LINK.panel_client_id != _ACCOUNT.panel_client_id,
                )
                for name in ("tax_number", "mail", "telephone")
            )
            for row in (*self.rows(sa.union(*alike)), *choices):
                told[row["panel_client_id"]] = row["client_id"]
        return told

    def waiting_since(self) -> Sequence[Row]:
        asks = sa.and_(_STATUS.concern == "accounts", sa.exists().where(_MATCH.client_id == _STATUS.client_id))
        found: dict[str, tuple[sa.ColumnElement[Any], tuple[sa.ColumnElement[bool], ...]]] = {
            "conflicts": (_CONFLICT.raised_at, (_UNDECIDED,)),
            "questions": (_STATUS.since, (_HELD, asks, ~_DECIDED)),
            "held": (_STATUS.since, (_HELD, ~asks, ~_DECIDED)),
            "incoming": (_INCOMING.seen_at, (sa.func.coalesce(_INCOMING.client_id, "") == "",)),
            "plan": (_PLAN.planned_at, (_PLAN.outcome.is_(None), sa.func.coalesce(_PLAN.decision, "") == "")),
            "paused": (_PAUSE.paused_at, (_PAUSE.reason != "",)),
        }
        cause = {"held": (_STATUS.concern, _STATUS.code), "paused": (_PAUSE.concern, _PAUSE.reason)}
        rows: list[Row] = []
        for kind, (moment, which) in found.items():
            by = [each.label(name) for each, name in zip(cause.get(kind, ()), ("concern", "code"), strict=False)]
            each = sa.select(*by, sa.func.count().label("records"), sa.func.min(moment).label("since"))
            each = each.where(*which).group_by(*cause.get(kind, ())).order_by(*cause.get(kind, ()))
            rows += [{"kind": kind, "concern": "", "code": "", **row} for row in self.rows(each) if row["records"]]
        return rows

    def client_rows(self, client_id: str) -> Mapping[str, Sequence[Row]]:
        erp = tables.ERP
        whose = {
            erp.clients: _CLIENT.id,
            **{t: t.c.client_id for t in (erp.delivery_addresses, erp.client_shops, erp.client_credit)},
            **{t: t.c.client_id for t in (tables.sync_links, tables.sync_matches, tables.sync_exclusions)},
        }
        with self._database.reading() as connection:
            return {
                table.name: [
                    dict(row) for row in connection.execute(sa.select(table).where(column == client_id)).mappings()
                ]
                for table, column in whose.items()
            }

    def candidates(self, client_ids: Collection[str]) -> Mapping[str, Row]:
        found = [self.rows(sa.select(tables.ERP.clients).where(_CLIENT.id.in_(some))) for some in _some(client_ids)]
        return {row["id"]: row for rows in found for row in rows}

    def decide_conflicts(self, ids: Collection[int], side: str, *, by: str, at: datetime) -> int:
        word = {"decision": side, "decided_at": at}
        each = (self._answer(tables.sync_conflicts, (_CONFLICT.id.in_(some), _OPEN), word, by) for some in _some(ids))
        return sum(each)

    def conflict(self, conflict_id: int) -> Row | None:
        return next(iter(self.rows(sa.select(tables.sync_conflicts).where(_CONFLICT.id == conflict_id))), None)

    def decide_match(self, client_id: str, panel_client_id: str, word: str, *, by: str) -> int:
        ours, about = _MATCH.client_id == client_id, _MATCH.panel_client_id
        first = sa.select(sa.func.min(about)).where(ours)
        account = panel_client_id or next(iter(self.rows(first)[0].values())) or ""
        if not self.number(sa.select(sa.func.count()).where(ours, about == account)):
            return 0
        others = (ours, about != account, _MATCH.decision.is_not(None))
        self._answer(tables.sync_matches, others, {"decision": None, "decided_by": None})
        return self._answer(tables.sync_matches, (ours, about == account), {"decision": word}, by)

    def decide_status(self, word: str, asked: Asked, *, by: str, item_id: str | None = None) -> int:
        waiting = _STATUS.state.in_([str(state) for state in (State.HELD, State.PENDING, State.WAITING)])
        waits = sa.or_(waiting, _STATUS.code == BY_HAND) if word == str(Decision.RETRY) else waiting
        whose = (_STATUS.client_id == asked.client_id, _STATUS.group_id == asked.group_id)
        item = () if item_id is None else (_STATUS.item_id == item_id,)
        which = (*whose, waits, *item, *_asked(tables.sync_status, asked))
        return self._answer(tables.sync_status, which, {"decision": word}, by)

    def exclude(self, client_id: str, concern: str, reason: str) -> None:
        row = {"client_id": client_id, "concern": concern, "reason": fit(_EXCLUSION.reason, reason) or None}
        which = _excluding(client_id, concern)
        with self._database.writing() as connection:
            if not connection.scalar(sa.select(sa.func.count()).where(*which)):
                connection.execute(tables.sync_exclusions.insert().values(row))
            elif reason:
                connection.execute(tables.sync_exclusions.update().where(*which).values(reason=row["reason"]))

    def include(self, client_id: str, concern: str) -> int:
        with self._database.writing() as connection:
            gone = connection.execute(tables.sync_exclusions.delete().where(*_excluding(client_id, concern)))
            return int(gone.rowcount)

    def answer_incoming(self, panel_client_id: str, client_id: str) -> int:
        this = _INCOMING.panel_client_id == panel_client_id
        return self._answer(tables.ERP.incoming_clients, (this,), {"client_id": client_id})
