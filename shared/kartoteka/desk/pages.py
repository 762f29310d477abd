"""The pages: data into HTML. Every value is escaped; no script, nothing from elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kartoteka.codes import WORST_FIRST, State
from kartoteka.desk import texts, when
from kartoteka.desk.client import settled
from kartoteka.desk.desk import Data, Desk, plain
from kartoteka.desk.lists import COLUMNS, FILTERS, compared
from kartoteka.desk.remedies import cause_of, label, on_page, shown
from kartoteka.fields.table import CONCERNS, NAMED_BY
from kartoteka.ports.desk import Asked

HERE = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # under "no-referrer" a form names no origin, and the bridge asks for it
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says to a browser."""

NAVIGATION = (
    "overview",
    "conflicts",
    "questions",
    "held",
    "incoming",
    "deferred",
    "excluded",
    "plan",
    "clients",
    "blocked",
    "history",
    "differences",
)
WAITED_FOR = tuple(
    f"did.{name}"
    for name in (
        *("conflicts/decide", "questions/link", "questions/create", "held/decide", "incoming/link"),
        *("exclude", "include", "plan/approve"),
    )
)
"""What is said after an action that something carries out later."""
WIDTH, HEIGHT = 480, 96
"""Of a chart, in its own units."""


@cache
def asset(name: str) -> str:
    """Return the style sheet, or the icon."""
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _environment(lang: str, zone: str) -> Environment:
    """Return what renders the pages of a language; ``zone``: by whose clocks they tell the time."""

    def t(text: str, /, **facts: object) -> str:
        return texts.say(text, lang, **facts)

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        t=t,
        word=partial(texts.word, lang=lang),
        label=partial(label, lang=lang),
        cause=partial(_cause, lang=lang),
        counted=partial(texts.counted, lang=lang),
        does=lambda name, code="": texts.does(name, lang, code),
        pause=partial(when.named, lang=lang, zone=zone),
        means=partial(when.meaning, lang=lang),
        settled=settled,
        unsettled=lambda rows: [row for row in rows if not settled(row)],
        waited_for=WAITED_FOR,
        compared=compared,
        worst=_worst,
        zone=zone,
        why=partial(cause_of, lang=lang),
        age=partial(_age, lang=lang),
        lang=lang,
        link=link,
        bars=bars,
        in_files=tuple(COLUMNS),
        again=again,
        concerns=list(CONCERNS),
        states=[str(s) for s in State],
        named_by=NAMED_BY,
        once=lambda: uuid.uuid4().hex,
    )
    environment.filters.update(
        item=partial(_item, lang=lang),
        plain=plain,
        moment=partial(_moment, zone=zone),
        amount=_amount,
        spelled=partial(_spelled, lang=lang),
    )
    return environment


def page(name: str, desk: Desk, lang: str, form: str, **data: Any) -> str:
    """Return a page of a template. ``form``: what its forms carry, so that no other site can send them."""
    navigation = [n for n in NAVIGATION if n != "plan" or desk.policy.plans_anything or _has_plan(data)]
    zone, stopped = desk.policy.panel.time_zone, data.pop("pauses")
    template = _environment(lang, zone).get_template(f"{name}.html")
    planned = desk.policy.plans_anything
    said = partial(when.said, stopped, lang=lang, zone=zone, scheduled=desk.scheduled)
    return template.render(
        form=form,
        now=desk.now(),
        navigation=navigation,
        pauses=stopped,
        when=lambda concern="", approved=False: said(concern, planned=planned and not approved),
        **data,
    )


def _has_plan(data: Data) -> bool:
    """Whether the page of the plan is to be found also where all is applied: something is to be undone."""
    return data["here"] == "plan" or bool(data["badges"].get("plan"))


def link(path: str, **query: object) -> str:
    """Return an address with a query; what is empty is left out."""
    given = {name: value for name, value in query.items() if value not in (None, "", 0)}
    return f"{path}?{urlencode(given)}" if given else path


def again(path: str, asked: Asked, **other: object) -> str:
    """Return the address of a list that is asked for in the same way, but for these; without its beginning."""
    return link(path, **{**{name: getattr(asked, name) for name in FILTERS}, **other})


def badges(waiting: Data) -> Mapping[str, int]:
    """Return how many things wait on each page for a person, who has decided nothing about them yet."""
    totals, unmatched = waiting["totals"], waiting["unmatched"]
    decided = [row for row in waiting["decided"] if row["state"] == State.HELD]
    return {
        "conflicts": totals["undecided"],
        "held": max(0, totals["held"] - sum(row["records"] for row in decided)),
        "questions": max(0, unmatched["candidates"] - sum(row["questions"] for row in decided)),
        "incoming": unmatched["incoming"],
        "plan": waiting["planned"],
    }


def by_concern(found: Data) -> Sequence[Data]:
    """Return a line for each concern: how many records in each state, and how old the oldest change is."""
    counts: dict[str, dict[str, int]] = {concern: dict.fromkeys(map(str, State), 0) for concern in CONCERNS}
    for row in found["states"]:
        if row["concern"] in counts:
            counts[row["concern"]][row["state"]] += row["records"]
    minutes = {row["concern"]: row["minutes"] for row in found["lag"]}
    decided: dict[str, dict[str, int]] = {concern: {} for concern in CONCERNS}
    for row in found["decided"]:
        decided.get(row["concern"], {})[row["state"]] = row["records"]
    return [
        {
            "concern": c,
            "counts": counts[c],
            "decided": decided[c],
            "minutes": minutes.get(c),
        }
        for c in CONCERNS
    ]


def unseen(found: Data) -> int:
    """Return how many clients no concern has looked at yet: they stand in no state."""
    seen = sum(row["records"] for row in found["states"] if (row["concern"], row["kind"]) == ("accounts", "client"))
    return max(0, int(found["totals"]["clients"]) - int(seen))


def by_the_clock(rows: Sequence[Mapping[str, Any]], zone: str) -> Sequence[Data]:
    """Return rows of an ``hour`` in UTC with that hour as the clocks of the shop show it."""
    hours = (datetime.strptime(str(row["hour"]), "%Y-%m-%d %H").replace(tzinfo=UTC) for row in rows)
    return [{**row, "hour": when.clock(hour, zone)} for row, hour in zip(rows, hours, strict=True)]


def _worst(states: Collection[str]) -> str:
    """Return the worst of some states; empty where there are none."""
    return next((str(each) for each in WORST_FIRST if str(each) in states), "")


def bars(rows: Sequence[Mapping[str, Any]], names: Sequence[str], label: str) -> Data:
    """Return a chart of stacked bars: for each row a label and the height of each of its named figures."""
    most = max((sum(int(row[name]) for name in names) for row in rows), default=0)
    step = WIDTH / max(len(rows), 1)
    drawn = []
    for index, row in enumerate(rows):
        top, parts = float(HEIGHT), []
        for name in names:
            height = HEIGHT * int(row[name]) / most if most else 0.0
            top -= height
            parts.append({"name": name, "y": round(top, 1), "height": round(height, 1), "value": row[name]})
        drawn.append({"x": round(index * step, 1), "label": row[label], "parts": parts})
    return {
        "bars": drawn,
        "most": most,
        "width": round(step * 0.72, 1),
        "view": f"0 0 {WIDTH} {HEIGHT}",
        "names": names,
    }


def by_day(found: Data, now: datetime) -> Sequence[Data]:
    """Return the panel calls of each of the last seven days, the earliest first."""
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(6, -1, -1)]
    known = found["calls"]["days"] if found["calls"] else {}
    return [{"day": day, "calls": known.get(day, 0)} for day in days]


def _cause(row: Mapping[str, Any], lang: str, *, remedy: bool = True) -> str:
    """Return the cause and the remedy that a row with a code tells, its buttons named; without any the code."""
    return on_page(row["code"], row[f"message_{lang}"] or "", lang, remedy=remedy) or str(row["code"])


def _moment(value: Any, zone: str) -> str:
    """Return a moment to the minute, by the clocks of the shop; what is no moment as it stands."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    if not isinstance(moment, datetime):
        return str(moment or "")
    return when.clock(moment if moment.tzinfo else moment.replace(tzinfo=UTC), zone)


def _spelled(value: Any, field: str = "", *, lang: str) -> str:
    """Return a value of a field as a person reads it: of values that stand as JSON, each by its label."""
    text = str(value)
    if not text.startswith("{"):
        return shown(text, field, lang)
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    parts = {name: ", ".join(map(str, each)) if isinstance(each, list) else each for name, each in found.items()}
    said = {name: shown(_json_text(each), name, lang) for name, each in parts.items()}
    return "; ".join(f"{label(name, lang)}: {each}" for name, each in said.items())


def _json_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _item(item_id: str, lang: str) -> str:
    """Return what a person calls an item: a price by the kind of its product, an address by its code."""
    kind, apart, number = item_id.partition("/")
    return f"{texts.word('item', kind, lang)} {number}" if apart and f"item.{kind}" in texts.TEXTS else item_id


def _amount(value: Any) -> str:
    """Return an amount with its two decimals, whatever an engine without types makes of it; another text as it is."""
    try:
        return f"{Decimal(str(value)):.2f}"
    except InvalidOperation:
        return "" if value is None else str(value)


def _age(minutes: int, lang: str) -> str:
    if minutes < 120:
        return texts.say("minutes", lang, n=minutes)
    if minutes < 2880:
        return texts.say("hours", lang, n=minutes // 60)
    return f"{minutes // 1440} {texts.counted('days', minutes // 1440, lang)}"
