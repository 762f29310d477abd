"""One client: the ERP's row, the base and what the panel shows, field by field, and what would happen next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from kartoteka.codes import WORST_FIRST, State, Status
from kartoteka.desk import lists, plans, when
from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.desk.remedies import asks_nothing
from kartoteka.errors import KartotekaError
from kartoteka.fields.table import ACTIVE, GROUP_FIELD
from kartoteka.fields.values import as_text
from kartoteka.model import BY_HAND, FORGOTTEN, NO_FORMS, Decision, Owner, Record, Side
from kartoteka.ports.desk import Asked, Row
from kartoteka.ports.exchange import Chosen
from kartoteka.sync.concern import Concern
from kartoteka.sync.excluded import EXCLUDED
from kartoteka.sync.plan import Act, Plan
from kartoteka.sync.retry import BRAKE

SHOWN = 50
"""Rows of the client's history, and of its group's prices, that the page shows."""
WORDS = 500
"""Records of a client that are looked through for a person's word."""
OF_THE_ROW = ("incomplete", "bad_", "too_long", "unprintable", "no_")
"""How the codes begin that name the ERP's columns that are to be corrected there."""
UNSETTLED = [str(state) for state in State if state != State.IN_STEP]
ACCOUNTS, DISCOUNTS, CREDIT = "accounts", "discounts", "credit"
PROTECTED = "tax_number_changed"
"""The code of a value that is sent once a person says so."""
STOPPED = (BRAKE, "paused", "panel_restored")
"""Codes of what goes on when its concern does."""


def client(desk: Desk, client_id: str, *, fresh: bool = False) -> Data:
    """Return everything of one client. ``fresh``: the panel is read now, which costs a call or two.

    Otherwise no call is made: its side is what it was last known to show, and of an account that the client may have
    nothing is told but its number, log-in and code. Raises WrongRequest where nothing is known of such a client.
    """
    asked = Asked(client_id=client_id, limit=SHOWN)
    rows = desk.tables.client_rows(client_id)
    stands = desk.tables.statuses(UNSETTLED, replace(asked, limit=WORDS))
    lacking = {
        field
        for row in stands
        if row["concern"] == ACCOUNTS and not row["item_id"] and row["code"].startswith(OF_THE_ROW)
        for field in row["field"].split(", ")
    }
    found: Data = {
        "client_id": client_id,
        "rows": rows,
        "fresh": fresh,
        "conflicts": lists.conflicts(desk, asked)["rows"],
        "questions": lists.questions(desk, asked, read=fresh)["rows"],
        "planned": plans.undecided(desk.exchange.plans, client_id),
        "plan": [plans.as_data(row) for row in desk.exchange.plans.open(Chosen(client_id=client_id), 0, SHOWN)],
        "paused": when.paused(desk),
        "group": _group(desk, rows),
        "credit_sent": lists.history(desk, Asked(concern=CREDIT, client_id=client_id, limit=1))["rows"],
        "history": lists.history(desk, asked),
        "concerns": [_concern(concern, client_id, lacking, fresh=fresh) for concern in desk.concerns.values()],
    }
    found["changes"] = sum(len(record["next"]) for each in found["concerns"] for record in each["records"])
    shown = {
        f["field"]: f["panel"] for each in found["concerns"] for record in each["records"] for f in record["fields"]
    }
    found["closed"] = bool(rows["sync_links"]) and shown.get(ACTIVE) == "false"
    found["forgotten"] = any(each["code"] == FORGOTTEN for each in records_of(found))
    words = {(row["concern"], row["item_id"]): row for row in stands}
    stays = {each["id"]: each["decision"].strip().lower() for each in found["conflicts"] if settled(each)}
    found["undecided"] = len(found["conflicts"]) - len(stays)
    for concern in found["concerns"]:
        for record in concern["records"]:
            record["decided"] = _decided(record, concern["concern"], found, words)
            for field in record["fields"]:
                field["stays"] = stays.get(field["conflict"], "")
    known = any(rows.values()) or found["history"]["rows"]
    if not known and not any(each["records"] for each in found["concerns"]):
        raise WrongRequest("no_client", 404, id=client_id)
    return found


def records_of(found: Data) -> list[Data]:
    """Return the records of a client, of all concerns."""
    return [record for concern in found["concerns"] for record in concern["records"]]


def _decided(
    record: Data, concern: str, found: Data, words: Mapping[tuple[str, str], Row]
) -> Mapping[str, object] | None:
    """Return what a person has decided about a record that waits: the ``word`` and ``by`` whom; None: nothing yet."""
    row = words.get((concern, record["item_id"]), {})
    word = (row.get("decision") or "").strip().lower()
    if word in [str(each) for each in Decision]:
        return {"word": word, "by": row["decided_by"]}
    if concern == ACCOUNTS and not record["item_id"] and record["state"] == State.HELD:
        answer = next((each["answer"] for each in found["questions"]), None)
        return answer and {"word": answer["decision"].strip().lower(), "by": answer["decided_by"], "account": answer}
    ours = [each for each in found["conflicts"] if (each["concern"], each["item_id"]) == (concern, record["item_id"])]
    if record["state"] == State.CONFLICT and ours and all(settled(each) for each in ours):
        return {"word": "", "by": ours[0]["decided_by"]}  # each conflict says its own word
    return None


def settled(conflict: Row) -> bool:
    """Return whether a person has said which value of a conflict stays."""
    return (conflict["decision"] or "").strip().lower() in [str(side) for side in Side]


def _group(desk: Desk, rows: Mapping[str, Sequence[Row]]) -> Data | None:
    """Return the client's discount group with its first prices, and what is not in step of it; None: it has none."""
    group_id = next((row[GROUP_FIELD] for row in rows["clients"]), None)
    if not group_id:
        return None
    tables, asked = desk.tables, Asked(DISCOUNTS, group_id=group_id, limit=SHOWN)
    unsettled = [state for state in UNSETTLED if state != str(State.EXCLUDED)]
    return {
        "group_id": group_id,
        "name": tables.group_name(group_id),
        "prices": tables.group_prices(group_id, SHOWN),
        "count": tables.prices(group_id),
        "unsettled": tables.statuses(unsettled, asked),
    }


def _concern(concern: Concern, client_id: str, lacking: Collection[str], *, fresh: bool) -> Data:
    """Return the records of one concern; ``failed``: the code of why the panel, or the plan, could not be asked."""
    records = [each for each in concern.load([Owner(client_id)]) if _is_known(each)]
    shown, failed = None, ""
    try:
        if fresh and records and records[0].link is not None:
            read, errors = concern.read(records[:1] if not concern.rows.items else records)
            shown = read.get(Owner(client_id))
            failed = next((str(error) for error in errors.values()), "")
        plans = concern.plans(records, shown) if records else []
    except KartotekaError as error:
        plans, failed = [], str(error)
    planned: Mapping[object, Plan] = {plan.record.key: plan for plan in plans}
    told = [_record(concern, record, planned.get(record.key), lacking) for record in records]
    if concern.rows.items:  # the client's own row is only where its items hang
        told = [each for each in told if each["item_id"] or each["state"] or each["next"]]
    told = [each for each in told if each["state"] or each["next"] or each["fields"]]
    return {"concern": concern.name, "is_on": concern.is_on, "records": told, "failed": failed}


def _is_known(record: Record) -> bool:
    return record.erp is not None or record.state.base is not None or record.state.status is not None


def _record(concern: Concern, record: Record, plan: Plan | None, lacking: Collection[str]) -> Data:
    """Return a record field by field; ``lacking``: columns of the client's row that its account waits for."""
    base, status = record.state.base or NO_FORMS, record.state.status
    last = plan.shown if plan is not None and plan.shown is not None else concern.last_shown(record)
    panel = (last.values or {}) if last else {}
    erp = record.erp or {}
    lines = concern.lines(plan) if plan else []
    sides = (erp, base.erp, panel)
    wrong = set() if record.key.item_id else set(lacking)
    if status and status.state == State.HELD and status.code.startswith(OF_THE_ROW):
        wrong |= set(status.field.split(", "))
    names = [name for name in concern.rows.fields if name in wrong or any(as_text(side.get(name)) for side in sides)]
    open_ones = {conflict.field: conflict.id for conflict in record.conflicts}
    return {
        "item_id": record.key.item_id,
        "state": str(status.state) if status else "",
        **_said(status),
        "asks": plan is not None and plan.act is Act.LOOK,
        "due_at": record.state.deferral.due_at if record.state.deferral else None,
        "fields": [
            {
                "field": name,
                "erp": as_text(erp.get(name)),
                "base": as_text(base.erp.get(name)),
                "panel": as_text(panel.get(name)),
                "shown": name in panel,
                "conflict": open_ones.get(name),
                "wrong": name in wrong,
                "next": next((plans.line_data(line) for line in lines if line.field == name), None),
            }
            for name in names
        ],
        "next": [plans.line_data(line) for line in lines],
    }


def _said(status: Status | None) -> Mapping[str, str]:
    if status is None:
        return {"code": "", "field": "", "message_pl": "", "message_en": ""}
    told = (status.code, status.field, status.message_pl, status.message_en)
    return dict(zip(("code", "field", "message_pl", "message_en"), told, strict=True))


def waiting(found: Data) -> Sequence[Data]:
    """Return the records of a client that are not in step, the worst first; ``mended_by``: the buttons of each."""
    told = [
        {**each, "concern": concern["concern"], "mended_by": _mended_by(each, concern["concern"], found)}
        for concern in found["concerns"]
        for each in concern["records"]
        if each["state"] not in ("", str(State.IN_STEP))
    ]
    return sorted(told, key=lambda each: WORST_FIRST.index(State(each["state"])))


def _mended_by(record: Data, concern: str, found: Data) -> Sequence[str]:
    """Return what mends a record: words of :class:`Decision`, ``include``, or the page where it is mended."""
    state, code = record["state"], record["code"]
    if record["decided"] is not None:
        return []
    if code in STOPPED:
        return ["overview"]
    if code in (EXCLUDED, BY_HAND, FORGOTTEN):
        return {EXCLUDED: ["include"], BY_HAND: [str(Decision.RETRY)], FORGOTTEN: ["allow"]}[code]
    if state == State.CONFLICT:  # its own line leads to it
        return []
    if state == State.HELD and concern == ACCOUNTS and found["questions"] and not record["item_id"]:
        return ["questions"]
    if state == State.HELD:
        protected = [str(Decision.SEND)] if code == PROTECTED else []
        return [*protected, str(Decision.RETRY), str(Decision.DONE)]
    return [] if state == State.EXCLUDED or asks_nothing(code) else [str(Decision.RETRY)]
