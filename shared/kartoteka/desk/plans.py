"""The plan, as a person asks for it: its rows, totals, what it would cost, and the word about it. Plain data out."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from kartoteka.desk import texts
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Direction, Key, Line, Planned, PlanRow
from kartoteka.policy import Policy, is_off
from kartoteka.ports.exchange import NOT_WRITTEN, Chosen, Exchange, Plans
from kartoteka.sync.planned import GIVING

PAGE = 1_000
"""Rows read with one statement."""
COLUMNS = (
    *("id", "planned_at", "client_id", "group_id", "concern", "item_id", "action", "field", "direction"),
    *("value_from", "value_to", "reason", "decision", "decided_by", "outcome"),
)
"""A row's keys, as the columns of ``sync_plan``."""
LOOKED_FOR, READ, SHOWN_AFTER = 3, 1, 4
"""Readings, in full batches: of a client whose account is looked for, of any other record before it is written, and of
what its account shows afterwards, which its page of the feed, and the concerns on it, ask for."""

EVERY = slice(None)

Data = dict[str, Any]


def listing(exchange: Exchange, chosen: Chosen, policy: Policy, shown: slice = EVERY) -> Data:
    """Return the rows, and of the open ones ``totals`` by action, the ``forecast``, and when the latest was planned.

    That moment is ``as_of``: a word about this list names it. ``too_many``: the concerns of which more would be written
    than the brake bears of a change; it stops nothing. ``waits``: :func:`waits`. ``shown``: which of the rows are
    returned. Totals and forecast are of all chosen rows, whatever ``chosen.action`` says: it chooses among the rows
    that are shown.
    """
    figures, found = Figures(), list[PlanRow]()
    for row in rows(exchange.plans, replace(chosen, action="")):
        figures.count(row)
        if chosen.action in ("", row.line.action):
            found.append(row)
    newest = exchange.plans.newest()
    return {
        "rows": [as_data(row) for row in found[shown]],
        "totals": dict(sorted(figures.totals.items())),
        "forecast": figures.forecast(policy),
        "as_of": newest.astimezone(UTC).isoformat() if newest else None,
        "too_many": too_many(exchange, policy),
        "waits": waits(exchange, replace(chosen, action=""), policy),
    }


def rows(plans: Plans, chosen: Chosen) -> Iterator[PlanRow]:
    """Yield the chosen rows, page by page, by id."""
    after = 0
    while page := plans.open(chosen, after, PAGE):
        yield from page
        after = page[-1].id


def page(plans: Plans, chosen: Chosen, after: int, limit: int) -> Data:
    """Return the chosen rows behind this id, and ``next``: the id behind which it goes on, or null."""
    found = plans.open(chosen, after, limit)
    return {"rows": [as_data(row) for row in found], "next": found[-1].id if len(found) == limit else None}


def as_data(row: PlanRow) -> Data:
    """Return a row by its columns."""
    line = row.line
    return {
        "id": row.id,
        "planned_at": row.planned_at.astimezone(UTC).isoformat(),
        **line.key._asdict(),
        **line_data(line),
        "decision": row.decision or None,
        "decided_by": row.decided_by or None,
        "outcome": str(row.outcome) if row.outcome else None,
    }


def line_data(line: Line) -> Data:
    """Return what a row says of its record."""
    return {
        "action": str(line.action),
        "field": line.field,
        "direction": str(line.direction),
        "value_from": line.value_from,
        "value_to": line.value_to,
        "reason": str(line.reason),
    }


def decide(plans: Plans, chosen: Chosen, decision: str, by: str = "") -> Data:
    """Write a person's word into the chosen rows; return how many, and those ids that are no open rows."""
    known = {row.id for row in plans.open(Chosen(ids=chosen.ids), 0, len(chosen.ids))} if chosen.ids else set[int]()
    missing = sorted(set(chosen.ids) - known)
    if missing:
        return {"decided": 0, "missing": missing}
    return {"decided": plans.decide(chosen, decision, by), "missing": []}


def undecided(plans: Plans, client_id: str = "") -> int:
    """Return how many records, of a client or of all, are planned and wait for a person's word."""
    return sum(plans.records(Chosen(client_id=client_id, undecided=True)).values())


def waits(exchange: Exchange, chosen: Chosen, policy: Policy) -> Sequence[Data]:
    """Return the concerns with chosen rows of which nothing is carried out now, and why, in a sentence.

    ``code``: ``paused``, or ``off`` where the policy has the concern off.
    """
    paused, found = exchange.pauses.paused(), list[Data]()
    off = {name for name, rows in CONCERNS.items() if is_off(policy, name, rows.fields)}
    concerned = sorted(exchange.plans.records(chosen)) if off or paused else ()
    for concern in concerned:
        code = "off" if concern in off else "paused" if concern in paused else ""
        if code:
            reason, said = paused.get(concern, ""), {}
            for lang in (texts.PL, texts.EN):
                facts = {"concern": texts.say(concern, lang), "reason": texts.word("pause", reason, lang)}
                said[f"message_{lang}"] = texts.say(f"plan.{code}", lang, **facts)
            found.append({"concern": concern, "code": code, "reason": reason, **said})
    return found


def too_many(exchange: Exchange, policy: Policy) -> Sequence[Data]:
    """Return the concerns of which more records would be written than ``brake.any_share`` bears, first contact too.

    What a person has decided is not counted, nor what would be undone, which waits for that in any mode.
    """
    limits, found = policy.brake, []
    for concern, count in sorted(exchange.plans.records(Chosen(undo=False, undecided=True)).items()):
        of = exchange.records.count_kept(concern)
        if count > limits.min_records and count > limits.any_share * of:
            found.append({"concern": concern, "records": count, "of": of})
    return found


@dataclass(slots=True)
class Figures:
    """What rows come to: how many of each action, and the calls that would be made of them."""

    totals: Counter[str] = field(default_factory=Counter)
    _sent: defaultdict[tuple[str, ...], set[Key]] = field(default_factory=lambda: defaultdict(set))
    _read: defaultdict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    def count(self, row: PlanRow) -> None:
        """Count a row that is still planned."""
        line = row.line
        if row.outcome is not None:
            return
        self.totals[str(line.action)] += 1
        if line.action in NOT_WRITTEN:
            return
        to_panel = line.direction == Direction.ERP_TO_PANEL and line.action is not Planned.ADOPT
        if line.key.client_id:
            looks = LOOKED_FOR if line.action in GIVING else READ
            self._read[line.key.concern, looks].add(line.key.client_id)
        if line.key.client_id and to_panel:
            self._read["", SHOWN_AFTER].add(line.key.client_id)
        if to_panel:
            self._sent[_gate(line.key, line.action)].add(line.key)

    def forecast(self, policy: Policy) -> Data:
        """Return about how many calls it would take to carry the rows out, and how many minutes at the rate's limit."""
        batch = policy.panel.batch_size
        calls = sum(math.ceil(len(keys) / batch) for keys in self._sent.values())
        calls += sum(times * math.ceil(len(clients) / batch) for (_, times), clients in self._read.items())
        minutes = math.ceil(calls / policy.panel.requests_per_second / 60)
        return {"panel_calls": calls, "minutes": minutes}


def _gate(key: Key, action: Planned) -> tuple[str, ...]:
    """Return what is sent together: at one gate, and of prices for one group; a group is written by itself."""
    kind = "update" if action in (Planned.LINK, Planned.OPEN, Planned.CLOSE) else str(action)
    if not key.group_id:
        return key.concern, kind
    return key.concern, key.group_id, "" if not key.item_id else "remove" if action is Planned.REMOVE else "set"


def moment(text: str) -> datetime:
    """Return the moment that ``as_of`` names; UTC where it names no zone. Raises ValueError for what is none."""
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
