"""The daily message: what waits for a person, since when, and where to look. Keys and counts, no personal data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kartoteka.desk import overview, plans, texts
from kartoteka.desk.desk import Desk
from kartoteka.sync.unread import TOO_LONG

PLAN, PAUSED = "plan", "paused"
MOST = 1_000
"""Records of a kind that are counted where they are not counted by the database."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some things of a kind that wait. ``concern`` and ``code`` (a cause, a reason, a name): empty where none fits."""

    kind: str
    records: int
    since: datetime | None = None
    concern: str = ""
    code: str = ""


def waits(desk: Desk) -> Sequence[Waiting]:
    """Return what waits for a person, in the order in which it is told."""
    return [each for each in _waiting(desk) if each.records]


def _waiting(desk: Desk) -> Iterator[Waiting]:
    for alarm in overview.alarms(desk) or ():
        yield Waiting("alarm", 1, alarm["since"], code=alarm["name"])
    rows = desk.tables.waiting_since()
    for row in rows:
        records = plans.undecided(desk.exchange.plans) if row["kind"] == PLAN else row["records"]
        yield Waiting(row["kind"], records, row["since"], row["concern"], row["code"])
    unread = desk.tables.unread(MOST, desk.now() - TOO_LONG)
    yield Waiting("unread", len(unread), min((row["since"] for row in unread), default=None))
    for table, why in desk.exchange.log.unlogged().items():
        yield Waiting("triggers", 1, code=f"{table} ({why})")
    for queue in overview.queues(desk) or ():
        yield Waiting("dead", queue["dead"], concern=queue["concern"])


def spoken(found: Sequence[Waiting], stack: str, now: datetime, languages: str) -> tuple[str, str]:
    """Return subject and text, in the languages that are named, such as ``pl en``; ``now`` has the shop's zone."""
    spoken_in = languages.split() or [texts.EN]
    subject = texts.say("mail.subject", spoken_in[0], stack=stack, n=sum(each.records for each in found))
    return subject, "\n\n".join(_text(found, stack, now, lang) for lang in spoken_in) + "\n"


def _text(found: Sequence[Waiting], stack: str, now: datetime, lang: str) -> str:
    head = texts.say("mail.head", lang, stack=stack, at=f"{now:%Y-%m-%d %H:%M}", zone=now.tzname() or "")
    foot = texts.say("mail.foot", lang, stack=stack)
    return "\n".join([head, "", *(_line(each, stack, now, lang) for each in found), "", foot])


def _line(each: Waiting, stack: str, now: datetime, lang: str) -> str:
    concern = texts.say(each.concern, lang) if each.concern else ""
    what = texts.say(
        f"mail.{each.kind}", lang, n=each.records, concern=concern, code=each.code, name=each.concern, stack=stack
    )
    if each.since is None:
        return f"- {what}"
    since = texts.say("mail.since", lang, at=f"{each.since.astimezone(now.tzinfo):%Y-%m-%d %H:%M}")
    return f"- {what} {since}"
