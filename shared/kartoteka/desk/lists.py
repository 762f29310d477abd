"""The lists of what waits: each a page of rows, and ``next``: where it goes on, or null."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

from kartoteka.codes import State
from kartoteka.desk import blocked, differences, plans
from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.errors import KartotekaError
from kartoteka.fields.table import (
    BILLING,
    COMPANY_FIELD,
    COUNTRY_FIELD,
    EMAIL_FIELD,
    PERSON_FIELDS,
    PHONE_FIELD,
    PLACE,
    TAX_NUMBER_FIELD,
    Recognised,
    recognised_by,
)
from kartoteka.fields.values import as_text
from kartoteka.model import MatchDecision, Reason, Value
from kartoteka.ports.desk import ALL, Asked, Row
from kartoteka.ports.exchange import Chosen

MOST = 500
"""Rows of one page at most: an answer of the function has 6 MB."""
COLUMNS: Mapping[str, Sequence[str]] = {
    "plan": plans.COLUMNS,
    "differences": differences.COLUMNS,
    "history": (
        *("id", "at", "client_id", "group_id", "concern", "item_id", "field", "direction", "reason", "found_by"),
        *("value_before", "value_after", "run_id"),
    ),
}
"""List -> the columns in which a spreadsheet gets it."""
IN_A_FILE = 10_000
"""Rows of a spreadsheet."""
NOT_TAKEN = "not_taken"
"""The code of a value that a side does not take: what differs and cannot be corrected."""
FILTERS = ("concern", "client_id", "group_id", "code", "run_id", "action", "reason", "found_by", "field", "day", "text")
"""What a query string may choose rows by: fields of :class:`Asked`."""
WAITS_ITSELF = (State.PENDING, State.WAITING)


def asked_for(given: Mapping[str, str], limit: int = 50, most: int = MOST) -> Asked:
    """Return which rows a query string asks for. Raises WrongRequest for figures that are none."""
    try:
        start, wanted = max(0, int(given.get("start") or 0)), int(given.get("limit") or limit)
        near = min(max(1, int(given.get("near") or ALL.near)), 100)
    except ValueError:
        raise WrongRequest("bad_figure") from None
    words = {name: given.get(name, "").strip() for name in FILTERS}
    if words["day"]:
        try:
            words["day"] = date.fromisoformat(words["day"]).isoformat()
        except ValueError:
            raise WrongRequest("bad_day", text=words["day"]) from None
    return Asked(**words, start=start, limit=min(max(0, wanted), most), near=near)


def conflicts(desk: Desk, asked: Asked, *, closed_too: bool = False) -> Data:
    """Return conflicts, the latest first: both values, and the base."""
    more = _one_more(asked)
    return _page(asked, desk.tables.conflicts(more.limit, closed_too=closed_too, asked=more))


def held(desk: Desk, asked: Asked) -> Data:
    """Return the records that wait for a person, the longest first, each with its cause and remedy."""
    return _statuses(desk, asked, [State.HELD])


def deferred(desk: Desk, asked: Asked) -> Data:
    """Return the records that go on by themselves, with the time of their next try where there is one."""
    return _statuses(desk, asked, WAITS_ITSELF)


def excluded(desk: Desk, asked: Asked) -> Data:
    """Return the records that are left alone, and why."""
    return _statuses(desk, asked, [State.EXCLUDED])


def _statuses(desk: Desk, asked: Asked, states: Sequence[State]) -> Data:
    return _page(asked, desk.tables.statuses([str(state) for state in states], _one_more(asked)))


def questions(desk: Desk, asked: Asked, *, read: bool = True) -> Data:
    """Return the clients whose account cannot be told: the client's ``row``, and the accounts it may be.

    ``read``: the panel is asked what these accounts are recognised by, a call for each hundred of them.
    """
    found = _page(asked, desk.tables.questions(_one_more(asked)))
    shown = _recognised(desk, {row["panel_client_id"] for row in found["rows"]}) if read else {}
    rows = [{**row, **shown.get(row["panel_client_id"], _UNKNOWN)} for row in found["rows"]]
    clients = desk.tables.candidates({row["client_id"] for row in rows})
    by_client = [
        {"client_id": client_id, "client": clients.get(client_id), "accounts": list(accounts)}
        for client_id, accounts in groupby(rows, key=lambda row: row["client_id"])
    ]
    return {**found, "rows": [{**row, "answer": _answer(row["accounts"])} for row in by_client], "read": bool(shown)}


def _answer(accounts: Sequence[Row]) -> Row | None:
    """Return the row of a question in which a person's answer stands; None where it is not answered."""
    return next((row for row in accounts if MatchDecision.read(row["decision"])), None)


def compared(question: Row) -> Sequence[Data]:
    """Return a question field by field: the ERP's value, and each account's with whether it ``differs`` from that.

    A field that no side has is left out, and so is every account's value where the panel was not read.
    """
    client, accounts = question["client"] or {}, question["accounts"]
    lines = []
    for name in COMPARED:
        erp, shown = as_text(client.get(name)), [as_text(account["values"].get(name)) for account in accounts]
        if not erp and not any(shown):
            continue
        differs = [_differs(name, client, account["values"]) for account in accounts]
        lines.append({"field": name, "erp": erp, "accounts": list(zip(shown, differs, strict=True))})
    return lines


def _differs(name: str, client: Row, values: Mapping[str, Value]) -> bool:
    field = BILLING.get(name)
    if field is None or not values:
        return False
    return field.normalise(client.get(name), client) != field.normalise(values.get(name), values)


COMPARED = (COMPANY_FIELD, *PERSON_FIELDS, *PLACE, COUNTRY_FIELD, TAX_NUMBER_FIELD, EMAIL_FIELD, PHONE_FIELD)
"""By what a person tells two records apart."""
_UNKNOWN: Mapping[str, Any] = {**dict.fromkeys(Recognised._fields, ""), "values": {}}


def _recognised(desk: Desk, accounts: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return what these accounts are recognised by, and the ``values`` that tell them apart, as the panel shows them.

    The index holds digests alone.

    Nothing where the panel does not answer, or a command looks into a database alone.
    """
    run = next((concern.run for concern in desk.concerns.values()), None)
    if run is None or not accounts:
        return {}
    try:
        read = [run.panel.read(some) for some in run.chunks(sorted(accounts))]
    except KartotekaError:
        return {}
    return {
        key: {
            **recognised_by(account.values)._asdict(),
            "values": {name: account.values.get(name) for name in COMPARED},
            "login": account.login,
        }
        for some in read
        for key, account in some.items()
    }


def incoming(desk: Desk, asked: Asked) -> Data:
    """Return the customers who registered in the shop and have no client, the unanswered first."""
    return _page(asked, desk.tables.incoming(_one_more(asked)))


def history(desk: Desk, asked: Asked) -> Data:
    """Return what was written on either side, the latest first, with before, after, why and by which run."""
    more = _one_more(asked)
    rows = desk.tables.history(asked.client_id or None, more.limit, group=asked.group_id or None, asked=more)
    return _page(asked, rows)


def found_to_differ(desk: Desk, asked: Asked) -> Data:
    """Return what was found to differ and was corrected in the last days, and ``by_day`` how much it was."""
    page = _page(asked, differences.rows(desk, _one_more(asked)))
    open_ones = {"undecided": desk.tables.totals()["undecided"], "not_taken": desk.tables.count_held(NOT_TAKEN)}
    return {**page, "by_day": differences.by_day(desk, asked), "open": open_ones}


def clients(desk: Desk, asked: Asked) -> Data:
    """Return clients by code; those that hold a text where one is given."""
    return _page(asked, desk.tables.find_clients(_one_more(asked)))


def will_be_blocked(desk: Desk, asked: Asked) -> Data:
    """Return the clients near their limit or over it, and those with something past its date."""
    return _page(asked, blocked.rows(desk, _one_more(asked)) if blocked.is_on(desk) else [])


def plan(desk: Desk, asked: Asked) -> Data:
    """Return what would be done: a page of rows, and of all of them totals, forecast and ``as_of``.

    With the code ``undo`` what an undo would write, alone.
    """
    undone = True if asked.code == Reason.UNDO else None
    chosen = Chosen(asked.concern, asked.client_id, undo=undone, action=asked.action)
    shown = slice(asked.start, asked.start + asked.limit + 1)
    whole = plans.listing(desk.exchange, chosen, desk.policy, shown)
    return {**whole, **_page(asked, whole["rows"])}


def _one_more(asked: Asked) -> Asked:
    return replace(asked, limit=asked.limit + 1)


def _page(asked: Asked, rows: Sequence[Row]) -> Data:
    shown = list(rows[: asked.limit])
    return {"rows": shown, "next": asked.start + len(shown) if len(rows) > asked.limit else None}


LISTS: Mapping[str, Callable[[Desk, Asked], Data]] = {
    "conflicts": conflicts,
    "questions": questions,
    "held": held,
    "deferred": deferred,
    "incoming": incoming,
    "excluded": excluded,
    "history": history,
    "clients": clients,
    "plan": plan,
    "blocked": will_be_blocked,
    "differences": found_to_differ,
}
"""Name in an address -> the list."""
