"""Undo, as a person asks for it: what a run, or a span of time, has written becomes a plan that gives it back.

Nothing is written but the plan. The panel is not asked: what it was last known to show counts here, and what it shows
is read before anything is carried out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kartoteka import policy
from kartoteka.desk import plans, texts
from kartoteka.desk.desk import Data
from kartoteka.desk.plans import as_data
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Ended, Key, Line, Owner, PlanRow, Reason, Record, word_of
from kartoteka.pieces import pieces
from kartoteka.ports.desk import Row
from kartoteka.ports.exchange import Chosen, Exchange, Past, PlanChange, Which
from kartoteka.sync import undo
from kartoteka.sync.planned import APPROVE
from kartoteka.sync.taken import Reading
from kartoteka.sync.undo import Draft

PAGE = 10_000
"""Rows of the history read with one statement: a run's rows stand together, and no index leads to them."""
TOGETHER = 500
"""Owners that are planned in one transaction."""
LISTED = 5_000
"""Rows that an answer tells at most: it has 6 MB."""


@dataclass(slots=True)
class Found:
    """What came of an undo, so far: counts of fields, rows of the plan, and clients with something to be undone."""

    planned: int = 0
    left_alone: int = 0
    back: int = 0
    carried: int = 0
    clients: set[Owner] = field(default_factory=set)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    ids: list[int] = field(default_factory=list)
    rows: list[PlanRow] = field(default_factory=list)


def plan(exchange: Exchange, which: Which, rules: policy.Policy, *, now: datetime, by: str = "", yes: bool) -> Data:
    """Plan the undo of what was written, and approve it where ``yes``; return what came of it.

    ``left_alone``: fields that were edited since. ``carried``: records of which another undo is approved and not
    carried out yet, so that nothing is planned. ``waits``: concerns of which nothing is carried out now. ``messages``:
    why the others are refused, in both languages.
    """
    found = Found()
    parted = set[Owner]()
    for concern, by_key in _history(exchange, which).items():
        parted |= _parted(by_key)
        keys: defaultdict[Owner, list[Key]] = defaultdict(list)
        for key in by_key:
            keys[key.owner].append(key)
        for some in pieces(list(keys), TOGETHER):
            records = _loaded(exchange, concern, some)
            wanted = {key: by_key[key] for owner in some for key in keys[owner]}
            _store(exchange, concern, some, _drafts(records, concern, wanted, rules, now, parted), now, found)
    approved = _approve(exchange, found.ids, by) if yes else 0
    if approved:
        chosen = set(found.ids[:LISTED])
        found.rows = [row for row in found.rows if row.id not in chosen] + _again(exchange, found.ids[:LISTED])
    return {
        "done": found.planned,
        "clients": len(found.clients),
        "left_alone": found.left_alone,
        "back_already": found.back,
        "carried": found.carried,
        "refused": found.refused.total(),
        "messages": [_message(why, concern, count) for (why, concern), count in sorted(found.refused.items())],
        "approved": approved,
        "waits": plans.waits(exchange, Chosen(which.concern, which.client_id, undo=True), rules),
        "rows": [as_data(row) for row in sorted(found.rows, key=lambda row: row.id)[:LISTED]],
    }


def offered(exchange: Exchange, rows: Sequence[Row], rules: policy.Policy, *, now: datetime) -> frozenset[str]:
    """Return the runs of which at least one of these rows of a list of the history would be undone.

    Of rows that are not on the list nothing is said.
    """
    past = [_past(row) for row in rows if row["concern"] in CONCERNS]
    owners: defaultdict[str, dict[Owner, None]] = defaultdict(dict)
    for each in past:
        owners[each.key.concern][each.key.owner] = None
    records = {concern: _loaded(exchange, concern, list(some)) for concern, some in owners.items()}
    found = set()
    for run_id in {each.run_id for each in past}:
        by_concern = _by_concern(each for each in reversed(past) if each.run_id == run_id)
        parted = {owner for by_key in by_concern.values() for owner in _parted(by_key)}
        for concern, by_key in by_concern.items():
            drafts = _drafts(records.get(concern, {}), concern, by_key, rules, now, parted)
            if any(one.lines for one in drafts.values()):
                found.add(run_id)
    return frozenset(found)


def _past(row: Row) -> Past:
    key = Key(*(row[name] for name in Key._fields))
    told = (row["field"], row["direction"], row["reason"], row["value_before"], row["value_after"])
    return Past(row["id"], row["run_id"], key, *told, erased=row["erased_at"] is not None)


def _parted(by_key: Mapping[Key, Sequence[Past]]) -> set[Owner]:
    return {key.owner for key, rows in by_key.items() if undo.gave_code(rows)}


def _loaded(exchange: Exchange, concern: str, owners: Sequence[Owner]) -> Mapping[Key, Record]:
    return {record.key: record for record in exchange.records.load(concern, owners)}


def _drafts(
    records: Mapping[Key, Record],
    concern: str,
    by_key: Mapping[Key, Sequence[Past]],
    rules: policy.Policy,
    now: datetime,
    parted: Collection[Owner],
) -> dict[Key, Draft]:
    """Return what can be undone of each of these records of a concern."""
    allowed, reading = policy.rules(rules, concern, CONCERNS[concern].fields), Reading(now, asked=False)
    return {
        key: undo.draft(records.get(key, Record(key)), allowed, rows, reading, parted=key.owner in parted)
        for key, rows in by_key.items()
    }


def is_known(exchange: Exchange, run_id: str) -> bool:
    """Return whether a run has written anything."""
    return bool(exchange.records.past(Which(run_id), 0, 1))


def _history(exchange: Exchange, which: Which) -> Mapping[str, Mapping[Key, Sequence[Past]]]:
    """Return the rows of the history that are meant, by concern and record, the earliest first."""
    return _by_concern(_rows(exchange, which))


def _by_concern(rows: Iterable[Past]) -> Mapping[str, Mapping[Key, Sequence[Past]]]:
    found: dict[str, defaultdict[Key, list[Past]]] = {concern: defaultdict(list) for concern in CONCERNS}
    for row in rows:
        if row.key.concern in found:
            found[row.key.concern][row.key].append(row)
    return found


def _rows(exchange: Exchange, which: Which) -> Iterator[Past]:
    after = 0
    while page := exchange.records.past(which, after, PAGE):
        yield from page
        after = page[-1].id


def _store(
    exchange: Exchange,
    concern: str,
    owners: Sequence[Owner],
    drafts: Mapping[Key, Draft],
    now: datetime,
    found: Found,
) -> None:
    """Put these drafts in the place of what an earlier undo has planned of these records; the same rows stay."""
    before, told = _stood(exchange, concern, owners)
    new: list[Line] = []
    gone: list[int] = []
    refused: list[Line] = []
    for key, one in drafts.items():
        rows = before.get(key, [])
        found.left_alone += len(one.edited)
        found.back += len(one.back)
        for why, lines in one.refused.items():
            found.refused[why, concern] += len(lines)
            refused += [line for line in lines if line not in told]
        if word_of(rows) == APPROVE:
            found.carried += 1
            continue
        if one.lines:
            found.clients.add(key.owner)
        found.planned += len(one.lines)
        if [row.line for row in rows] != list(one.lines) or any(row.decision.strip() for row in rows):
            gone += [row.id for row in rows]
            new += one.lines
    exchange.plans.store(PlanChange(new=new, gone=gone, refused=refused), at=now)
    after, told = _stood(exchange, concern, owners)
    planned = [row for key, one in drafts.items() if one.lines for row in after.get(key, ())]
    found.ids += [row.id for row in planned if not row.decision.strip()]
    meant = {line for one in drafts.values() for lines in one.refused.values() for line in lines}
    found.rows += [*planned, *(row for line, row in told.items() if line in meant)]


def _stood(
    exchange: Exchange, concern: str, owners: Sequence[Owner]
) -> tuple[Mapping[Key, list[PlanRow]], Mapping[Line, PlanRow]]:
    """Return the open rows of an undo of these owners' records of a concern, and the refused ones by line."""
    found: defaultdict[Key, list[PlanRow]] = defaultdict(list)
    told: dict[Line, PlanRow] = {}
    for row in exchange.plans.rows(owners):
        if row.line.reason != Reason.UNDO or row.line.key.concern != concern:
            continue
        if row.outcome is None:
            found[row.line.key].append(row)
        elif row.outcome is Ended.REFUSED and not row.decision:
            told[row.line] = row
    return found, told


def _approve(exchange: Exchange, ids: Sequence[int], by: str) -> int:
    chosen = (Chosen(ids=some, undo=True) for some in pieces(ids, TOGETHER))
    return sum(exchange.plans.decide(each, APPROVE, by) for each in chosen)


def _again(exchange: Exchange, ids: Sequence[int]) -> list[PlanRow]:
    return [row for some in pieces(ids, TOGETHER) for row in exchange.plans.open(Chosen(ids=some), 0, TOGETHER)]


def _message(why: str, concern: str, count: int) -> Data:
    said = {f"message_{lang}": refusal(why, concern, count, lang) for lang in (texts.PL, texts.EN)}
    return {"code": why, "concern": concern, "fields": count, **said}


def refusal(why: str, concern: str, count: int, lang: str) -> str:
    """Return the sentence that says why so many fields of a concern are not undone, and what to do instead."""
    facts = {"concern": texts.say(concern, lang), "n": count, "where": CONCERNS[concern].corrected_in}
    return texts.say(f"undo.{why}", lang, **facts)


def spelled(done: Data) -> str:
    """Return what was refused as a page's address tells it: ``figures.credit.3,added.delivery_addresses.5``."""
    return ",".join(f"{each['code']}.{each['concern']}.{each['fields']}" for each in done.get("messages", ()))


def read(text: str, lang: str) -> list[str]:
    """Return the sentences that :func:`spelled` stands for; what it never says is passed over."""
    parts = (each.split(".") for each in text.split(","))
    told = (part for part in parts if len(part) == 3 and part[2].isdecimal())
    return [
        refusal(why, concern, int(count), lang)
        for why, concern, count in told
        if why in undo.REFUSALS and concern in CONCERNS
    ]
